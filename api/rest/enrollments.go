package rest

import (
	"context"
	"fmt"
	"math"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// ListEnrollments implements openapi.StrictServerInterface.
func (s *Server) ListEnrollments(ctx context.Context, req openapi.ListEnrollmentsRequestObject) (openapi.ListEnrollmentsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Learning.ListOwn(ctx, actorFrom(ctx), learning.EnrollmentID(after), limit)
	if err != nil {
		return nil, err
	}
	sums, err := s.Learning.Summarize(ctx, list)
	if err != nil {
		return nil, err
	}
	return openapi.ListEnrollments200JSONResponse{Items: each(sums, enrollmentJSON), Next: next(list, limit, enrollmentCursor)}, nil
}

// CreateEnrollment implements openapi.StrictServerInterface.
func (s *Server) CreateEnrollment(ctx context.Context, req openapi.CreateEnrollmentRequestObject) (openapi.CreateEnrollmentResponseObject, error) {
	e, created, err := s.Learning.Enroll(ctx, actorFrom(ctx), learning.NewEnrollment{
		ID: learning.EnrollmentID(deref(req.Body.ID)), CourseID: curriculum.CourseID(req.Body.CourseID),
		InstitutionID: identity.InstitutionID(deref(req.Body.InstitutionID)), Number: deref(req.Body.Number),
	})
	if err != nil {
		return nil, err
	}
	sums, err := s.Learning.Summarize(ctx, []learning.Enrollment{e})
	if err != nil {
		return nil, err
	}
	if created {
		return openapi.CreateEnrollment201JSONResponse(enrollmentJSON(sums[0])), nil
	}
	return openapi.CreateEnrollment200JSONResponse(enrollmentJSON(sums[0])), nil
}

// ListInstitutionEnrollments implements openapi.StrictServerInterface: the roster.
func (s *Server) ListInstitutionEnrollments(ctx context.Context, req openapi.ListInstitutionEnrollmentsRequestObject) (openapi.ListInstitutionEnrollmentsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Learning.ListIn(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), learning.EnrollmentID(after), limit)
	if err != nil {
		return nil, err
	}
	sums, err := s.Learning.Summarize(ctx, list)
	if err != nil {
		return nil, err
	}
	people, err := s.Identity.FindUsers(ctx, each(list, func(e learning.Enrollment) identity.UserID { return e.UserID }))
	if err != nil {
		return nil, err
	}
	return openapi.ListInstitutionEnrollments200JSONResponse{
		Items: each(sums, func(x learning.Summary) openapi.Roster {
			u := people[x.UserID]
			if u.Erased {
				u.Username = "" // what stands there is a number
			}
			return openapi.Roster{Enrollment: enrollmentJSON(x), Username: u.Username, DisplayName: u.DisplayName}
		}),
		Next: next(list, limit, enrollmentCursor),
	}, nil
}

// GetProgress implements openapi.StrictServerInterface.
func (s *Server) GetProgress(ctx context.Context, req openapi.GetProgressRequestObject) (openapi.GetProgressResponseObject, error) {
	e, ps, err := s.Learning.Progress(ctx, actorFrom(ctx), learning.EnrollmentID(req.EnrollmentID))
	if err != nil {
		return nil, err
	}
	v, err := s.Curriculum.FindVersion(ctx, e.VersionID)
	if err != nil {
		return nil, err
	}
	out := openapi.Progress{EnrollmentID: string(e.ID), CourseID: string(e.CourseID), Number: v.Number, Items: []openapi.ItemProgress{}}
	var latest, attempts, completed int64
	var scores float64
	for _, p := range ps {
		latest = max(latest, p.UpdatedAt.UnixMicro())
		attempts += int64(p.Attempts)
		if p.Completed {
			completed++
		}
		if p.Score != nil {
			scores += *p.Score
		}
		if p.ObjectID == curriculum.ContentID(e.CourseID) {
			out.Completed = p.Completed
			continue
		}
		out.Items = append(out.Items, openapi.ItemProgress{
			ObjectID: string(p.ObjectID), Started: p.Started, Completed: p.Completed, Score: p.Score, Attempts: p.Attempts, UpdatedAt: p.UpdatedAt,
		})
	}
	// Progress only grows, so that sums tell one state from the next. The last change alone would not: two
	// servers' clocks are never quite the same.
	etag := fmt.Sprintf(`"%x-%x-%x-%x-%x"`, len(ps), completed, attempts, math.Float64bits(scores), latest)
	return openapi.GetProgress200JSONResponse{Body: out, Headers: openapi.GetProgress200ResponseHeaders{ETag: &etag}}, nil
}

func enrollmentJSON(x learning.Summary) openapi.Enrollment {
	m := &x.Version.Manifest
	return openapi.Enrollment{
		ID: string(x.ID), UserID: string(x.UserID), InstitutionID: string(x.InstitutionID), CourseID: string(x.CourseID),
		VersionID: string(x.VersionID), Number: x.Version.Number, Title: openapi.Text(m.Title),
		TitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale), SourceLocale: m.SourceLocale, CreatedAt: x.CreatedAt,
		Done: x.Done, Total: x.Total, Completed: x.Completed,
	}
}

func enrollmentCursor(e learning.Enrollment) string { return string(e.ID) }

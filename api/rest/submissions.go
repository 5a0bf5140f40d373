package rest

import (
	"context"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

// CreateSubmission implements openapi.StrictServerInterface: hands in a lab.
func (s *Server) CreateSubmission(ctx context.Context, req openapi.CreateSubmissionRequestObject) (openapi.CreateSubmissionResponseObject, error) {
	sub, created, err := s.Lab.Submit(ctx, actorFrom(ctx), lab.NewSubmission{
		ID: lab.SubmissionID(req.Body.ID), EnrollmentID: learning.EnrollmentID(req.Body.EnrollmentID),
		LabID: curriculum.ContentID(req.Body.LabID), Files: req.Body.Files, Locale: middleware.Locale(ctx),
	})
	if err != nil {
		return nil, err
	}
	if created {
		place, err := s.Lab.Place(ctx, sub.ID)
		return openapi.CreateSubmission202JSONResponse(s.submissionJSON(ctx, lab.Graded{Submission: sub, Place: place})), err
	}
	g, err := s.Lab.Find(ctx, actorFrom(ctx), sub.ID)
	return openapi.CreateSubmission200JSONResponse(s.submissionJSON(ctx, g)), err
}

// GetSubmission implements openapi.StrictServerInterface.
func (s *Server) GetSubmission(ctx context.Context, req openapi.GetSubmissionRequestObject) (openapi.GetSubmissionResponseObject, error) {
	g, err := s.Lab.Await(ctx, actorFrom(ctx), lab.SubmissionID(req.SubmissionID), time.Duration(deref(req.Params.Wait))*time.Second)
	if err != nil {
		return nil, err
	}
	return openapi.GetSubmission200JSONResponse(s.submissionJSON(ctx, g)), nil
}

// ListSubmissions implements openapi.StrictServerInterface.
func (s *Server) ListSubmissions(ctx context.Context, req openapi.ListSubmissionsRequestObject) (openapi.ListSubmissionsResponseObject, error) {
	before, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Lab.List(ctx, actorFrom(ctx), learning.EnrollmentID(req.Params.EnrollmentID), curriculum.ContentID(req.Params.LabID),
		lab.SubmissionID(before), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListSubmissions200JSONResponse{
		Items: each(list, func(g lab.Graded) openapi.Submission { return s.submissionJSON(ctx, g) }),
		Next:  next(list, limit, func(g lab.Graded) string { return string(g.ID) }),
	}, nil
}

// checkError says in words what is a message key; an exception is what it is.
func (s *Server) checkError(locale, e string) string {
	if strings.HasPrefix(e, "lab.check_error.") {
		return s.Words.T(locale, e, nil)
	}
	return e
}

func (s *Server) submissionJSON(ctx context.Context, g lab.Graded) openapi.Submission {
	out := openapi.Submission{
		ID: string(g.ID), EnrollmentID: string(g.EnrollmentID), LabID: string(g.LabID), Files: g.Files, CreatedAt: g.CreatedAt,
		Place: optional(g.Place),
	}
	if g.Verdict == nil {
		return out
	}
	v, locale := g.Verdict, middleware.Locale(ctx)
	verdict := openapi.Verdict{
		Outcome: openapi.Outcome(v.Outcome), Attempt: v.Attempt, Score: v.Score, CreatedAt: v.CreatedAt, Version: optional(g.Version),
		Traceback: optional(v.Traceback), Output: optional(v.Output), Runtime: optional(string(v.Runtime)),
		Checks: each(g.Checks, func(c lab.CheckView) openapi.CheckResult {
			out := openapi.CheckResult{
				ID: c.ID, Passed: c.Passed, Score: &c.Score, Call: optional(c.Call), Got: optional(c.Got),
				Expected: optional(c.Expected), Error: optional(s.checkError(locale, c.Error)),
			}
			in := func(w lab.Words) (string, *string) { return said(w.Text, w.Langs, locale, g.SourceLocale) }
			var says, feedback string
			out.Title, out.TitleLang = in(c.Title)
			says, out.SaysLang = in(c.Said)
			feedback, out.FeedbackLang = in(c.Feedback)
			out.Says, out.Feedback = optional(says), optional(feedback)
			return out
		}),
	}
	if v.Message != "" {
		verdict.Message = optional(s.Words.T(locale, v.Message, nil))
	}
	if v.RegradeID != "" {
		verdict.RegradedAt = &v.CreatedAt
	}
	out.Verdict = &verdict
	if len(g.Earlier) > 0 {
		earlier := each(g.Earlier, func(p lab.Past) openapi.PastVerdict {
			return openapi.PastVerdict{Outcome: openapi.Outcome(p.Outcome), Attempt: p.Attempt, Score: p.Score, Version: p.Version, CreatedAt: p.CreatedAt}
		})
		out.Earlier = &earlier
	}
	return out
}

package rest

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
)

// ListLabFaults implements openapi.StrictServerInterface.
func (s *Server) ListLabFaults(ctx context.Context, req openapi.ListLabFaultsRequestObject) (openapi.ListLabFaultsResponseObject, error) {
	list, err := s.Lab.ListFaultyLabs(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.ListLabFaults200JSONResponse{Items: each(list, func(f lab.FaultyLab) openapi.LabFault {
		m := &f.Version.Manifest
		out := openapi.LabFault{
			CourseID: string(f.Version.CourseID), VersionID: string(f.VersionID), Number: f.Version.Number,
			LabID: string(f.LabID), SourceLocale: m.SourceLocale,
			CourseTitle: openapi.Text(m.Title), CourseTitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale),
			Title: openapi.Text(f.Title.Text), TitleLang: langsJSON(f.Title.Text, f.Title.Langs, m.SourceLocale),
			Submissions: f.Submissions, Since: f.Since, LastAt: f.Last, CheckID: optional(f.Check), Cause: optional(f.Cause),
		}
		if check := f.CheckTitle; check.Text != nil {
			title := openapi.Text(check.Text)
			out.CheckTitle, out.CheckTitleLang = &title, langsJSON(check.Text, check.Langs, m.SourceLocale)
		}
		if f.Message != "" {
			out.Message = optional(s.Words.T(middleware.Locale(ctx), f.Message, nil))
		}
		return out
	})}, nil
}

// MarkLabFaultSeen implements openapi.StrictServerInterface.
func (s *Server) MarkLabFaultSeen(ctx context.Context, req openapi.MarkLabFaultSeenRequestObject) (openapi.MarkLabFaultSeenResponseObject, error) {
	err := s.Lab.MarkFaultyLabSeen(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), curriculum.VersionID(req.VersionID),
		curriculum.ContentID(req.LabID), req.Body.Until)
	if err != nil {
		return nil, err
	}
	return openapi.MarkLabFaultSeen204Response{}, nil
}

// ListRegrades implements openapi.StrictServerInterface.
func (s *Server) ListRegrades(ctx context.Context, req openapi.ListRegradesRequestObject) (openapi.ListRegradesResponseObject, error) {
	before, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Lab.ListRegrades(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), lab.RegradeID(before), limit)
	if err != nil {
		return nil, err
	}
	out := openapi.ListRegrades200JSONResponse{
		Items: make([]openapi.Regrade, len(list)),
		Next:  next(list, limit, func(r lab.Regrade) string { return string(r.ID) }),
	}
	for i, r := range list {
		if out.Items[i], err = s.regradeJSON(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CreateRegrade implements openapi.StrictServerInterface.
func (s *Server) CreateRegrade(ctx context.Context, req openapi.CreateRegradeRequestObject) (openapi.CreateRegradeResponseObject, error) {
	r, created, err := s.Lab.StartRegrade(ctx, actorFrom(ctx), lab.NewRegrade{
		ID: lab.RegradeID(req.Body.ID), InstitutionID: identity.InstitutionID(req.InstitutionID), CourseID: curriculum.CourseID(req.Body.CourseID),
		LabID: curriculum.ContentID(req.Body.LabID), From: deref(req.Body.From), To: req.Body.To,
	})
	if err != nil {
		return nil, err
	}
	out, err := s.regradeJSON(ctx, r)
	if created {
		return openapi.CreateRegrade202JSONResponse(out), err
	}
	return openapi.CreateRegrade200JSONResponse(out), err
}

// GetRegrade implements openapi.StrictServerInterface.
func (s *Server) GetRegrade(ctx context.Context, req openapi.GetRegradeRequestObject) (openapi.GetRegradeResponseObject, error) {
	r, err := s.Lab.FindRegrade(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), lab.RegradeID(req.RegradeID))
	if err != nil {
		return nil, err
	}
	out, err := s.regradeJSON(ctx, r)
	return openapi.GetRegrade200JSONResponse(out), err
}

// DiscardRegrade implements openapi.StrictServerInterface.
func (s *Server) DiscardRegrade(ctx context.Context, req openapi.DiscardRegradeRequestObject) (openapi.DiscardRegradeResponseObject, error) {
	err := s.Lab.DiscardRegrade(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), lab.RegradeID(req.RegradeID))
	if err != nil {
		return nil, err
	}
	return openapi.DiscardRegrade204Response{}, nil
}

// ApplyRegrade implements openapi.StrictServerInterface.
func (s *Server) ApplyRegrade(ctx context.Context, req openapi.ApplyRegradeRequestObject) (openapi.ApplyRegradeResponseObject, error) {
	r, err := s.Lab.ApplyRegrade(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), lab.RegradeID(req.RegradeID), lab.Mode(req.Body.Mode))
	if err != nil {
		return nil, err
	}
	out, err := s.regradeJSON(ctx, r)
	return openapi.ApplyRegrade202JSONResponse(out), err
}

// ListRegradeResults implements openapi.StrictServerInterface.
func (s *Server) ListRegradeResults(ctx context.Context, req openapi.ListRegradeResultsRequestObject) (openapi.ListRegradeResultsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Lab.ListResults(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), lab.RegradeID(req.RegradeID),
		lab.Change(deref(req.Params.Change)), lab.SubmissionID(after), limit)
	if err != nil {
		return nil, err
	}
	people, err := s.Identity.FindUsers(ctx, each(list, func(r lab.RegradeResult) identity.UserID { return r.UserID }))
	if err != nil {
		return nil, err
	}
	return openapi.ListRegradeResults200JSONResponse{
		Items: each(list, func(r lab.RegradeResult) openapi.RegradeResult {
			u := people[r.UserID]
			return openapi.RegradeResult{
				SubmissionID: string(r.SubmissionID), Username: u.Username, DisplayName: u.DisplayName, HandedInAt: r.HandedInAt,
				OldOutcome: openapi.Outcome(r.OldOutcome), OldScore: r.OldScore, Outcome: openapi.Outcome(r.Verdict.Outcome), Score: r.Verdict.Score,
				Change: openapi.RegradeChange(r.Change), Applied: r.Applied,
			}
		}),
		Next: next(list, limit, func(r lab.RegradeResult) string { return string(r.SubmissionID) }),
	}, nil
}

// regradeJSON adds the names and numbers of what a regrade is about.
func (s *Server) regradeJSON(ctx context.Context, r lab.Regrade) (openapi.Regrade, error) {
	target, err := s.Curriculum.FindVersion(ctx, r.TargetID)
	if err != nil {
		return openapi.Regrade{}, err
	}
	m := &target.Manifest
	it, _ := m.Item(r.LabID)
	out := openapi.Regrade{
		ID: string(r.ID), CourseID: string(r.CourseID), LabID: string(r.LabID), SourceLocale: m.SourceLocale,
		CourseTitle: openapi.Text(m.Title), CourseTitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale),
		Title: openapi.Text(it.Title), TitleLang: langsJSON(it.Title, it.TitleLang, m.SourceLocale), To: target.Number, CreatedAt: r.CreatedAt, State: openapi.RegradeState(r.State()), Total: r.Total,
		Graded: r.Graded(), Same: r.Results[lab.Same], Better: r.Results[lab.Better], Worse: r.Results[lab.Worse], Broken: r.Results[lab.Broken],
		Applied: r.Applied, AppliedAt: moment(r.AppliedAt), DiscardedAt: moment(r.DiscardedAt),
	}
	if r.Mode != "" {
		mode := openapi.RegradeMode(r.Mode)
		out.Mode = &mode
	}
	if r.FromID != "" {
		from, err := s.Curriculum.FindVersion(ctx, r.FromID)
		if err != nil {
			return openapi.Regrade{}, err
		}
		out.From = &from.Number
	}
	return out, nil
}

// moment leaves out what has not happened.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

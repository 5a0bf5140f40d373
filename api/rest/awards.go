package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListAwards implements openapi.StrictServerInterface.
func (s *Server) ListAwards(ctx context.Context, req openapi.ListAwardsRequestObject) (openapi.ListAwardsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Issuing.ListOwn(ctx, actorFrom(ctx), issuing.AwardID(after), limit)
	if err != nil {
		return nil, err
	}
	items, err := s.awardsJSON(ctx, list)
	return openapi.ListAwards200JSONResponse{Items: items, Next: next(list, limit, awardCursor)}, err
}

// ListInstitutionAwards implements openapi.StrictServerInterface.
func (s *Server) ListInstitutionAwards(ctx context.Context, req openapi.ListInstitutionAwardsRequestObject) (openapi.ListInstitutionAwardsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	by, in, limit := actorFrom(ctx), identity.InstitutionID(req.InstitutionID), limitOf(req.Params.Limit)
	filter := issuing.AwardFilter{State: issuing.AwardState(deref(req.Params.State)), CourseID: curriculum.CourseID(deref(req.Params.CourseID))}
	list, err := s.Issuing.List(ctx, by, in, filter, issuing.AwardID(after), limit)
	if err != nil {
		return nil, err
	}
	n, err := s.Issuing.Count(ctx, by, in)
	if err != nil {
		return nil, err
	}
	out := openapi.ListInstitutionAwards200JSONResponse{Next: next(list, limit, awardCursor)}
	out.Counts = &struct {
		Issued  int `json:"issued"`
		Ready   int `json:"ready"`
		Refused int `json:"refused"`
		Waiting int `json:"waiting"`
	}{n[issuing.Issued], n[issuing.Ready], n[issuing.Refused], n[issuing.Waiting]}
	out.Items, err = s.awardsJSON(ctx, list)
	return out, err
}

// DecideAward implements openapi.StrictServerInterface.
func (s *Server) DecideAward(ctx context.Context, req openapi.DecideAwardRequestObject) (openapi.DecideAwardResponseObject, error) {
	a, err := s.Issuing.Decide(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.AwardID(req.AwardID), req.Body.Approve, deref(req.Body.Reason))
	if err != nil {
		return nil, err
	}
	out, err := s.awardJSON(ctx, a)
	return openapi.DecideAward200JSONResponse(out), err
}

// AssessAward implements openapi.StrictServerInterface.
func (s *Server) AssessAward(ctx context.Context, req openapi.AssessAwardRequestObject) (openapi.AssessAwardResponseObject, error) {
	a, err := s.Issuing.Assess(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.AwardID(req.AwardID), credential.Assessment(req.Body.Assessment))
	if err != nil {
		return nil, err
	}
	out, err := s.awardJSON(ctx, a)
	return openapi.AssessAward200JSONResponse(out), err
}

// ConfirmAwardName implements openapi.StrictServerInterface.
func (s *Server) ConfirmAwardName(ctx context.Context, req openapi.ConfirmAwardNameRequestObject) (openapi.ConfirmAwardNameResponseObject, error) {
	a, err := s.Issuing.ConfirmName(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.AwardID(req.AwardID), req.Body.Name)
	if err != nil {
		return nil, err
	}
	out, err := s.awardJSON(ctx, a)
	return openapi.ConfirmAwardName200JSONResponse(out), err
}

// DeclareAward implements openapi.StrictServerInterface.
func (s *Server) DeclareAward(ctx context.Context, req openapi.DeclareAwardRequestObject) (openapi.DeclareAwardResponseObject, error) {
	a, err := s.Issuing.Declare(ctx, actorFrom(ctx), issuing.AwardID(req.AwardID), credential.AIHelp(req.Body.AiHelp))
	if err != nil {
		return nil, err
	}
	out, err := s.awardJSON(ctx, a)
	return openapi.DeclareAward200JSONResponse(out), err
}

func (s *Server) awardsJSON(ctx context.Context, list []issuing.Shown) ([]openapi.Award, error) {
	out := make([]openapi.Award, len(list))
	for i, a := range list {
		var err error
		if out[i], err = s.awardJSON(ctx, a); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Server) awardJSON(ctx context.Context, a issuing.Shown) (openapi.Award, error) {
	v, err := s.Curriculum.FindVersion(ctx, a.VersionID)
	if err != nil {
		return openapi.Award{}, err
	}
	m := &v.Manifest
	out := openapi.Award{
		ID: string(a.ID), EnrollmentID: string(a.EnrollmentID), UserID: string(a.UserID), Username: a.Username,
		Name: a.Holder, NameConfirmedByLearner: a.Confirmed, NameConfirmedAt: optional(a.NameConfirmedAt),
		CourseID: string(a.CourseID), CourseNumber: v.Number, Title: openapi.Text(m.Title), TitleLang: langsJSON(m.Title, m.TitleLang, m.SourceLocale),
		SourceLocale: m.SourceLocale, State: openapi.AwardState(a.State), Score: a.Score,
		Wants:  each(a.Wants, func(w issuing.Want) openapi.AwardWant { return openapi.AwardWant(w) }),
		AiHelp: openapi.AIHelp(a.AIHelp), AsksHelp: a.Criteria.AskHelp,
		Assessment: openapi.Assessment(a.Assessment), RequiredAssessment: optional(openapi.Assessment(a.Criteria.Assessment)),
		ApprovedAt: optional(a.ApprovedAt), RefusedAt: optional(a.RefusedAt), RefusedReason: optional(a.RefusedReason),
		CredentialID: optional(string(a.CredentialID)), CreatedAt: a.CreatedAt,
	}
	return out, nil
}

func awardCursor(a issuing.Shown) string { return string(a.ID) }

// ListIssueBatches implements openapi.StrictServerInterface.
func (s *Server) ListIssueBatches(ctx context.Context, req openapi.ListIssueBatchesRequestObject) (openapi.ListIssueBatchesResponseObject, error) {
	before, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Issuing.ListBatches(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.BatchID(before), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListIssueBatches200JSONResponse{
		Items: each(list, func(b issuing.Batch) openapi.IssueBatch { return s.batchJSON(ctx, b) }),
		Next:  next(list, limit, func(b issuing.Batch) string { return string(b.ID) }),
	}, nil
}

// CreateIssueBatch implements openapi.StrictServerInterface.
func (s *Server) CreateIssueBatch(ctx context.Context, req openapi.CreateIssueBatchRequestObject) (openapi.CreateIssueBatchResponseObject, error) {
	n := issuing.NewBatch{
		ID: issuing.BatchID(req.Body.ID), CourseID: curriculum.CourseID(deref(req.Body.CourseID)), Assessment: credential.Assessment(deref(req.Body.Assessment)),
	}
	if req.Body.Awards != nil {
		n.AwardIDs = each(*req.Body.Awards, func(id openapi.UUID) issuing.AwardID { return issuing.AwardID(id) })
	}
	b, created, err := s.Issuing.StartBatch(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), n)
	switch {
	case err != nil:
		return nil, err
	case created:
		return openapi.CreateIssueBatch202JSONResponse(s.batchJSON(ctx, b)), nil
	}
	return openapi.CreateIssueBatch200JSONResponse(s.batchJSON(ctx, b)), nil
}

// GetIssueBatch implements openapi.StrictServerInterface.
func (s *Server) GetIssueBatch(ctx context.Context, req openapi.GetIssueBatchRequestObject) (openapi.GetIssueBatchResponseObject, error) {
	b, err := s.Issuing.FindBatch(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.BatchID(req.BatchID))
	if err != nil {
		return nil, err
	}
	return openapi.GetIssueBatch200JSONResponse(s.batchJSON(ctx, b)), nil
}

package rest

import (
	"context"
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListCriteria implements openapi.StrictServerInterface.
func (s *Server) ListCriteria(ctx context.Context, req openapi.ListCriteriaRequestObject) (openapi.ListCriteriaResponseObject, error) {
	list, err := s.Issuing.ListCriteria(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.ListCriteria200JSONResponse{Items: each(list, criteriaJSON)}, nil
}

// SetCriteria implements openapi.StrictServerInterface.
func (s *Server) SetCriteria(ctx context.Context, req openapi.SetCriteriaRequestObject) (openapi.SetCriteriaResponseObject, error) {
	b := req.Body
	c, err := s.Issuing.SetCriteria(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), curriculum.CourseID(req.CourseID), issuing.Terms{
		Items:    each(b.Items, func(id openapi.Slug) curriculum.ContentID { return curriculum.ContentID(id) }),
		MinScore: b.MinScore, Approval: b.Approval, ConfirmName: b.ConfirmName, AskHelp: b.AskHelp,
		Assessment: credential.Assessment(b.Assessment), Months: b.Months, Competences: b.Competences,
	})
	if err != nil {
		return nil, err
	}
	return openapi.SetCriteria200JSONResponse(criteriaJSON(c)), nil
}

func criteriaJSON(c issuing.Criteria) openapi.Criteria {
	return openapi.Criteria{
		CourseID: string(c.CourseID), Number: c.Number, CreatedAt: c.CreatedAt,
		Terms: openapi.CriteriaTerms{
			Items:    each(c.Items, func(id curriculum.ContentID) openapi.Slug { return openapi.Slug(id) }),
			MinScore: c.MinScore, Approval: c.Approval, ConfirmName: c.ConfirmName, AskHelp: c.AskHelp,
			Assessment: openapi.Assessment(c.Assessment), Months: c.Months, Competences: append([]string{}, c.Competences...),
		},
	}
}

// ListDelegations implements openapi.StrictServerInterface.
func (s *Server) ListDelegations(ctx context.Context, req openapi.ListDelegationsRequestObject) (openapi.ListDelegationsResponseObject, error) {
	list, err := s.Issuing.ListDelegations(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.ListDelegations200JSONResponse{Items: each(list, delegationJSON)}, nil
}

// CreateDelegation implements openapi.StrictServerInterface.
func (s *Server) CreateDelegation(ctx context.Context, req openapi.CreateDelegationRequestObject) (openapi.CreateDelegationResponseObject, error) {
	n := issuing.NewDelegation{UserID: identity.UserID(req.Body.UserID), Quota: req.Body.Quota, ExpiresAt: req.Body.ExpiresAt}
	for _, c := range deref(req.Body.Courses) {
		n.Courses = append(n.Courses, curriculum.CourseID(c))
	}
	d, err := s.Issuing.Delegate(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), n)
	if err != nil {
		return nil, err
	}
	return openapi.CreateDelegation201JSONResponse(delegationJSON(d)), nil
}

// EndDelegation implements openapi.StrictServerInterface.
func (s *Server) EndDelegation(ctx context.Context, req openapi.EndDelegationRequestObject) (openapi.EndDelegationResponseObject, error) {
	err := s.Issuing.EndDelegation(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), issuing.DelegationID(req.DelegationID))
	if err != nil {
		return nil, err
	}
	return openapi.EndDelegation204Response{}, nil
}

func delegationJSON(d issuing.HeldDelegation) openapi.Delegation {
	return openapi.Delegation{
		ID: string(d.ID), UserID: string(d.UserID), Username: d.Username, DisplayName: d.DisplayName,
		Courses: each(d.Courses, func(c curriculum.CourseID) openapi.Slug { return openapi.Slug(c) }),
		Quota:   d.Quota, Used: d.Used, ExpiresAt: d.ExpiresAt, CreatedAt: d.CreatedAt, EndedAt: d.EndedAt,
	}
}

func (s *Server) batchJSON(ctx context.Context, b issuing.Batch) openapi.IssueBatch {
	out := openapi.IssueBatch{
		ID: string(b.ID), Total: b.Total, Open: b.Open, Signing: b.Signing, Issued: b.Issued, Done: b.Done(), CreatedAt: b.CreatedAt,
		Skipped: []struct {
			Code   string `json:"code"`
			Count  int    `json:"count"`
			Detail string `json:"detail"`
		}{},
	}
	for _, key := range slices.Sorted(maps.Keys(b.Skipped)) {
		out.Skipped = append(out.Skipped, struct {
			Code   string `json:"code"`
			Count  int    `json:"count"`
			Detail string `json:"detail"`
		}{key, b.Skipped[key], s.Words.T(middleware.Locale(ctx), key, nil)})
	}
	return out
}

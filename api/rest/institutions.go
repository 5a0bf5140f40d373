package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// ListInstitutions implements openapi.StrictServerInterface.
func (s *Server) ListInstitutions(ctx context.Context, req openapi.ListInstitutionsRequestObject) (openapi.ListInstitutionsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Institution.List(ctx, identity.InstitutionID(after), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListInstitutions200JSONResponse{
		Items: each(list, institutionJSON),
		Next:  next(list, limit, func(i institution.Institution) string { return string(i.ID) }),
	}, nil
}

// CreateInstitution implements openapi.StrictServerInterface.
func (s *Server) CreateInstitution(ctx context.Context, req openapi.CreateInstitutionRequestObject) (openapi.CreateInstitutionResponseObject, error) {
	i, err := s.Institution.Create(ctx, actorFrom(ctx), req.Body.Slug, req.Body.Name)
	if err != nil {
		return nil, err
	}
	return openapi.CreateInstitution201JSONResponse(institutionJSON(i)), nil
}

// FindInstitution implements openapi.StrictServerInterface.
func (s *Server) FindInstitution(ctx context.Context, req openapi.FindInstitutionRequestObject) (openapi.FindInstitutionResponseObject, error) {
	i, err := s.Institution.Find(ctx, identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.FindInstitution200JSONResponse(institutionJSON(i)), nil
}

// UpdateInstitution implements openapi.StrictServerInterface.
func (s *Server) UpdateInstitution(ctx context.Context, req openapi.UpdateInstitutionRequestObject) (openapi.UpdateInstitutionResponseObject, error) {
	i, err := s.Institution.Update(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), institution.Change{
		Fallbacks: (*map[string][]string)(req.Body.Fallbacks), Locale: req.Body.Locale,
	})
	if err != nil {
		return nil, err
	}
	return openapi.UpdateInstitution200JSONResponse(institutionJSON(i)), nil
}

// ListMembers implements openapi.StrictServerInterface.
func (s *Server) ListMembers(ctx context.Context, req openapi.ListMembersRequestObject) (openapi.ListMembersResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Institution.ListMembers(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(after), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListMembers200JSONResponse{
		Items: each(list, memberJSON),
		Next:  next(list, limit, func(m institution.Member) string { return string(m.UserID) }),
	}, nil
}

// CreateMember implements openapi.StrictServerInterface.
func (s *Server) CreateMember(ctx context.Context, req openapi.CreateMemberRequestObject) (openapi.CreateMemberResponseObject, error) {
	role := identity.Role(req.Body.Role)
	u, err := s.Institution.CreateMember(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), institution.NewMember{
		Username: req.Body.Username, DisplayName: req.Body.DisplayName, Password: req.Body.Password, Locale: deref(req.Body.Locale), Role: role,
	})
	if err != nil {
		return nil, err
	}
	return openapi.CreateMember201JSONResponse(memberJSON(institution.Member{
		UserID: u.ID, Username: u.Username, DisplayName: u.DisplayName, Roles: []identity.Role{role},
	})), nil
}

// AddRole implements openapi.StrictServerInterface.
func (s *Server) AddRole(ctx context.Context, req openapi.AddRoleRequestObject) (openapi.AddRoleResponseObject, error) {
	err := s.Institution.AddRole(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID), identity.Role(req.Role))
	if err != nil {
		return nil, err
	}
	return openapi.AddRole204Response{}, nil
}

// RemoveRole implements openapi.StrictServerInterface.
func (s *Server) RemoveRole(ctx context.Context, req openapi.RemoveRoleRequestObject) (openapi.RemoveRoleResponseObject, error) {
	err := s.Institution.RemoveRole(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID), identity.Role(req.Role))
	if err != nil {
		return nil, err
	}
	return openapi.RemoveRole204Response{}, nil
}

func institutionJSON(i institution.Institution) openapi.Institution {
	out := openapi.Institution{ID: string(i.ID), Slug: i.Slug, Name: i.Name, Locale: optional(i.Locale)}
	if len(i.Fallbacks) > 0 {
		f := openapi.Fallbacks(i.Fallbacks)
		out.Fallbacks = &f
	}
	return out
}

func memberJSON(m institution.Member) openapi.Member {
	return openapi.Member{
		UserID: string(m.UserID), Username: m.Username, DisplayName: m.DisplayName,
		Roles: each(m.Roles, func(r identity.Role) openapi.Role { return openapi.Role(r) }),
	}
}

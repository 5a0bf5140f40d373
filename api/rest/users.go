package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// CreateUser implements openapi.StrictServerInterface: sign-up, where the server allows it.
func (s *Server) CreateUser(ctx context.Context, req openapi.CreateUserRequestObject) (openapi.CreateUserResponseObject, error) {
	if !s.SignupOpen {
		return nil, fault.New(fault.Denied, "user.signup_closed")
	}
	in, err := s.signupInstitution(ctx, req.Body.InstitutionID)
	if err != nil {
		return nil, err
	}
	from := middleware.From(ctx)
	u, err := s.Identity.SignUp(ctx, from.Address, identity.NewUser{
		Username: req.Body.Username, DisplayName: req.Body.DisplayName, Password: req.Body.Password, Locale: deref(req.Body.Locale),
		Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Learner}},
	})
	if err != nil {
		return nil, err
	}
	_, secret, err := s.Identity.OpenSession(ctx, u.ID, from.UserAgent)
	if err != nil {
		return nil, err
	}
	me, err := s.meJSON(ctx, u)
	if err != nil {
		return nil, err
	}
	cookie := middleware.Cookie(s.Secure, secret).String()
	return openapi.CreateUser201JSONResponse{Body: me, Headers: openapi.CreateUser201ResponseHeaders{SetCookie: &cookie}}, nil
}

func (s *Server) signupInstitution(ctx context.Context, want *openapi.UUID) (identity.InstitutionID, error) {
	if want != nil {
		i, err := s.Institution.Find(ctx, identity.InstitutionID(*want))
		return i.ID, err
	}
	first, err := s.Institution.List(ctx, "", 1)
	if err != nil {
		return "", err
	}
	if len(first) == 0 {
		return "", fault.New(fault.Conflict, "user.no_institution")
	}
	return first[0].ID, nil
}

// GetMe implements openapi.StrictServerInterface.
func (s *Server) GetMe(ctx context.Context, _ openapi.GetMeRequestObject) (openapi.GetMeResponseObject, error) {
	if actorFrom(ctx).Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	me, err := s.meJSON(ctx, middleware.User(ctx))
	me.Limited = optional(actorFrom(ctx).Scopes != nil)
	return openapi.GetMe200JSONResponse(me), err
}

// UpdateMe implements openapi.StrictServerInterface.
func (s *Server) UpdateMe(ctx context.Context, req openapi.UpdateMeRequestObject) (openapi.UpdateMeResponseObject, error) {
	u, err := s.Identity.Update(ctx, actorFrom(ctx), identity.Change{DisplayName: req.Body.DisplayName, Locale: req.Body.Locale})
	if err != nil {
		return nil, err
	}
	me, err := s.meJSON(ctx, u)
	return openapi.UpdateMe200JSONResponse(me), err
}

// ChangePassword implements openapi.StrictServerInterface.
func (s *Server) ChangePassword(ctx context.Context, req openapi.ChangePasswordRequestObject) (openapi.ChangePasswordResponseObject, error) {
	if err := s.Identity.ChangePassword(ctx, actorFrom(ctx), req.Body.Current, req.Body.New); err != nil {
		return nil, err
	}
	return openapi.ChangePassword204Response{}, nil
}

func (s *Server) meJSON(ctx context.Context, u identity.User) (openapi.Me, error) {
	ms, err := s.Identity.ListMemberships(ctx, u.ID)
	if err != nil {
		return openapi.Me{}, err
	}
	me := openapi.Me{
		ID: string(u.ID), Username: u.Username, DisplayName: u.DisplayName, Locale: optional(u.Locale), Operator: u.Operator,
		Memberships: make([]openapi.Membership, len(ms)),
	}
	for i, m := range ms {
		in, err := s.Institution.Find(ctx, m.InstitutionID)
		if err != nil {
			return openapi.Me{}, err
		}
		if me.InstitutionLocale == nil {
			me.InstitutionLocale = optional(in.Locale)
		}
		name, _ := in.NameIn(middleware.Locale(ctx))
		me.Memberships[i] = openapi.Membership{
			InstitutionID: string(in.ID), InstitutionSlug: in.Slug, InstitutionName: name, Role: openapi.Role(m.Role),
		}
	}
	return me, nil
}

func deref[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

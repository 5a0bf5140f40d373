package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// CreateSession implements openapi.StrictServerInterface: signs in.
func (s *Server) CreateSession(ctx context.Context, req openapi.CreateSessionRequestObject) (openapi.CreateSessionResponseObject, error) {
	from := middleware.From(ctx)
	_, u, secret, err := s.Identity.SignIn(ctx, req.Body.Username, req.Body.Password, from.Address, from.UserAgent)
	if err != nil {
		return nil, err
	}
	me, err := s.meJSON(ctx, u)
	if err != nil {
		return nil, err
	}
	cookie := middleware.Cookie(s.Secure, secret).String()
	return openapi.CreateSession201JSONResponse{Body: me, Headers: openapi.CreateSession201ResponseHeaders{SetCookie: &cookie}}, nil
}

// ListSessions implements openapi.StrictServerInterface.
func (s *Server) ListSessions(ctx context.Context, _ openapi.ListSessionsRequestObject) (openapi.ListSessionsResponseObject, error) {
	by := actorFrom(ctx)
	list, err := s.Identity.ListSessions(ctx, by)
	if err != nil {
		return nil, err
	}
	return openapi.ListSessions200JSONResponse{Items: each(list, func(x identity.Session) openapi.Session {
		return openapi.Session{
			ID: string(x.ID), UserAgent: x.UserAgent, CreatedAt: x.CreatedAt, LastSeenAt: x.LastSeenAt, ExpiresAt: x.ExpiresAt,
			Current: x.ID == by.SessionID,
		}
	})}, nil
}

// DeleteCurrentSession implements openapi.StrictServerInterface: signs out.
func (s *Server) DeleteCurrentSession(ctx context.Context, _ openapi.DeleteCurrentSessionRequestObject) (openapi.DeleteCurrentSessionResponseObject, error) {
	by := actorFrom(ctx)
	if by.Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	if by.SessionID == "" {
		return nil, fault.New(fault.Denied, "token.scope_missing") // a token has no session to end
	}
	if err := s.Identity.EndSession(ctx, by, by.SessionID); err != nil {
		return nil, err
	}
	cookie := middleware.Cookie(s.Secure, "").String()
	return openapi.DeleteCurrentSession204Response{Headers: openapi.DeleteCurrentSession204ResponseHeaders{SetCookie: &cookie}}, nil
}

// DeleteSession implements openapi.StrictServerInterface.
func (s *Server) DeleteSession(ctx context.Context, req openapi.DeleteSessionRequestObject) (openapi.DeleteSessionResponseObject, error) {
	if err := s.Identity.EndSession(ctx, actorFrom(ctx), identity.SessionID(req.SessionID)); err != nil {
		return nil, err
	}
	return openapi.DeleteSession204Response{}, nil
}

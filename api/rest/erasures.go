package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
)

// EraseMe implements openapi.StrictServerInterface.
func (s *Server) EraseMe(ctx context.Context, req openapi.EraseMeRequestObject) (openapi.EraseMeResponseObject, error) {
	if err := s.Identity.Erase(ctx, actorFrom(ctx), req.Body.Password); err != nil {
		return nil, err
	}
	cookie := middleware.Cookie(s.Secure, "").String()
	return openapi.EraseMe204Response{Headers: openapi.EraseMe204ResponseHeaders{SetCookie: &cookie}}, nil
}

// EraseMember implements openapi.StrictServerInterface.
func (s *Server) EraseMember(ctx context.Context, req openapi.EraseMemberRequestObject) (openapi.EraseMemberResponseObject, error) {
	err := s.Identity.EraseMember(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), identity.UserID(req.UserID), identity.EraseReason(req.Body.Reason))
	if err != nil {
		return nil, err
	}
	return openapi.EraseMember204Response{}, nil
}

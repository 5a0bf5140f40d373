package rest

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListTokens implements openapi.StrictServerInterface.
func (s *Server) ListTokens(ctx context.Context, _ openapi.ListTokensRequestObject) (openapi.ListTokensResponseObject, error) {
	list, err := s.Identity.ListTokens(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.ListTokens200JSONResponse{Items: each(list, tokenJSON)}, nil
}

// CreateToken implements openapi.StrictServerInterface.
func (s *Server) CreateToken(ctx context.Context, req openapi.CreateTokenRequestObject) (openapi.CreateTokenResponseObject, error) {
	t, secret, err := s.Identity.CreateToken(ctx, actorFrom(ctx), identity.NewToken{
		Name:   req.Body.Name,
		Scopes: each(req.Body.Scopes, func(x openapi.Scope) identity.Scope { return identity.Scope(x) }),
		Life:   time.Duration(req.Body.ExpiresInDays) * 24 * time.Hour,
	})
	if err != nil {
		return nil, err
	}
	return openapi.CreateToken201JSONResponse{Token: tokenJSON(t), Secret: secret}, nil
}

// DeleteToken implements openapi.StrictServerInterface.
func (s *Server) DeleteToken(ctx context.Context, req openapi.DeleteTokenRequestObject) (openapi.DeleteTokenResponseObject, error) {
	if err := s.Identity.EndToken(ctx, actorFrom(ctx), identity.TokenID(req.TokenID)); err != nil {
		return nil, err
	}
	return openapi.DeleteToken204Response{}, nil
}

func tokenJSON(t identity.Token) openapi.Token {
	return openapi.Token{
		ID: string(t.ID), Name: t.Name, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: optional(t.LastUsedAt),
		Scopes: each(t.Scopes, func(x identity.Scope) openapi.Scope { return openapi.Scope(x) }),
	}
}

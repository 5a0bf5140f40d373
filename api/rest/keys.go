package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListKeys implements openapi.StrictServerInterface.
func (s *Server) ListKeys(ctx context.Context, req openapi.ListKeysRequestObject) (openapi.ListKeysResponseObject, error) {
	ring, err := s.Keys.List(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	keys := each(ring.Keys, func(k keyring.Key) openapi.Key {
		out := keyJSON(k)
		out.Signs = k.RetiredAt == nil && k.Controller == ring.DID
		out.Refused = optional(ring.Refused[k.ID])
		return out
	})
	return openapi.ListKeys200JSONResponse{Did: ring.DID, Keys: keys}, nil
}

// RotateKey implements openapi.StrictServerInterface.
func (s *Server) RotateKey(ctx context.Context, req openapi.RotateKeyRequestObject) (openapi.RotateKeyResponseObject, error) {
	k, err := s.Keys.Rotate(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), keyring.KeyID(req.Body.ID))
	if err != nil {
		return nil, err
	}
	out := keyJSON(k)
	out.Signs = k.RetiredAt == nil
	return openapi.RotateKey201JSONResponse(out), nil
}

// RevokeKey implements openapi.StrictServerInterface.
func (s *Server) RevokeKey(ctx context.Context, req openapi.RevokeKeyRequestObject) (openapi.RevokeKeyResponseObject, error) {
	k, err := s.Keys.Revoke(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), keyring.KeyID(req.KeyID), req.Body.From, req.Body.Reason)
	if err != nil {
		return nil, err
	}
	return openapi.RevokeKey200JSONResponse(keyJSON(k)), nil
}

// RenewSignatures implements openapi.StrictServerInterface.
func (s *Server) RenewSignatures(ctx context.Context, req openapi.RenewSignaturesRequestObject) (openapi.RenewSignaturesResponseObject, error) {
	k, err := s.Keys.Renew(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), keyring.KeyID(req.KeyID))
	if err != nil {
		return nil, err
	}
	return openapi.RenewSignatures202JSONResponse(keyJSON(k)), nil
}

func keyJSON(k keyring.Key) openapi.Key {
	kind := openapi.KeyKind(k.Kind)
	if kind == "" {
		kind = openapi.KeyKind(keyring.Ed25519)
	}
	return openapi.Key{
		ID: string(k.ID), Controller: k.Controller, Kind: kind, Method: k.Method(), CreatedAt: k.CreatedAt,
		RetiredAt: k.RetiredAt, RevokedAt: k.RevokedAt, RevokedReason: optional(k.RevokedReason),
		RenewalStartedAt: k.RenewalStartedAt, RenewalEndedAt: k.RenewalEndedAt,
	}
}

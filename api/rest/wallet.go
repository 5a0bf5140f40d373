package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
)

// GetCertificateName implements openapi.StrictServerInterface.
func (s *Server) GetCertificateName(ctx context.Context, _ openapi.GetCertificateNameRequestObject) (openapi.GetCertificateNameResponseObject, error) {
	n, err := s.Wallet.OwnName(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.GetCertificateName200JSONResponse(nameJSON(n)), nil
}

// ConfirmCertificateName implements openapi.StrictServerInterface.
func (s *Server) ConfirmCertificateName(ctx context.Context, req openapi.ConfirmCertificateNameRequestObject) (openapi.ConfirmCertificateNameResponseObject, error) {
	n, err := s.Wallet.ConfirmName(ctx, actorFrom(ctx), req.Body.Name)
	if err != nil {
		return nil, err
	}
	return openapi.ConfirmCertificateName200JSONResponse(nameJSON(n)), nil
}

func nameJSON(n wallet.Name) openapi.CertificateName {
	return openapi.CertificateName{Name: n.Name, ConfirmedAt: optional(n.ConfirmedAt)}
}

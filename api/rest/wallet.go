package rest

import (
	"context"
	"log/slog"
	"strings"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
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

// ListShares implements openapi.StrictServerInterface.
func (s *Server) ListShares(ctx context.Context, _ openapi.ListSharesRequestObject) (openapi.ListSharesResponseObject, error) {
	list, err := s.Wallet.ListShares(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.ListShares200JSONResponse{Items: each(list, s.shareJSON)}, nil
}

// CreateShare implements openapi.StrictServerInterface.
func (s *Server) CreateShare(ctx context.Context, req openapi.CreateShareRequestObject) (openapi.CreateShareResponseObject, error) {
	b := req.Body
	sh, err := s.Wallet.Share(ctx, actorFrom(ctx), wallet.NewShare{
		ID: wallet.ShareID(deref(b.ID)), CredentialID: credential.ID(deref(b.CredentialID)), ImportedID: wallet.ImportedID(deref(b.ImportedID)),
		Named: b.Named, EndsAt: b.EndsAt,
	})
	if err != nil {
		return nil, err
	}
	return openapi.CreateShare201JSONResponse(s.shareJSON(sh)), nil
}

// EndShare implements openapi.StrictServerInterface.
func (s *Server) EndShare(ctx context.Context, req openapi.EndShareRequestObject) (openapi.EndShareResponseObject, error) {
	if err := s.Wallet.EndShare(ctx, actorFrom(ctx), wallet.ShareID(req.ShareID)); err != nil {
		return nil, err
	}
	return openapi.EndShare204Response{}, nil
}

// OpenShare implements openapi.StrictServerInterface.
func (s *Server) OpenShare(ctx context.Context, req openapi.OpenShareRequestObject) (openapi.OpenShareResponseObject, error) {
	v, err := s.Wallet.OpenShare(ctx, req.Token)
	if err != nil {
		return nil, err
	}
	return openapi.OpenShare200JSONResponse{
		Standing: v.State, Name: optional(v.Name), Achievement: optional(v.Achievement), Locale: optional(v.Locale), Issuer: optional(v.Issuer),
		IssuedAt: optional(v.IssuedAt), ExpiresAt: v.ExpiresAt, RevokedAt: v.RevokedAt, RevokedReason: optional(v.RevokedReason),
		CheckedAt: v.CheckedAt, Elsewhere: v.Elsewhere, EndsAt: v.EndsAt,
	}, nil
}

func (s *Server) shareJSON(sh wallet.Share) openapi.Share {
	return openapi.Share{
		ID: string(sh.ID), CredentialID: optional(string(sh.CredentialID)), ImportedID: optional(string(sh.ImportedID)),
		URL: strings.TrimRight(s.PublicURL, "/") + "/s/" + sh.Token, Named: sh.Named, Live: sh.Live(s.Now()),
		CreatedAt: sh.CreatedAt, EndsAt: sh.EndsAt, EndedAt: sh.EndedAt,
	}
}

// ListImports implements openapi.StrictServerInterface.
func (s *Server) ListImports(ctx context.Context, _ openapi.ListImportsRequestObject) (openapi.ListImportsResponseObject, error) {
	list, err := s.Wallet.ListImported(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.ListImports200JSONResponse{Items: each(list, func(i wallet.Imported) openapi.ImportedCredential { return s.importedJSON(ctx, i) })}, nil
}

// ImportCredential implements openapi.StrictServerInterface.
func (s *Server) ImportCredential(ctx context.Context, req openapi.ImportCredentialRequestObject) (openapi.ImportCredentialResponseObject, error) {
	raw := []byte(deref(req.Body.Text))
	if req.Body.File != nil {
		if len(raw) > 0 {
			return nil, fault.New(fault.Invalid, "credential.nothing_to_check")
		}
		raw = *req.Body.File
	}
	i, err := s.Wallet.Import(ctx, actorFrom(ctx), raw)
	if err != nil {
		return nil, err
	}
	return openapi.ImportCredential201JSONResponse(s.importedJSON(ctx, i)), nil
}

// CheckImport implements openapi.StrictServerInterface.
func (s *Server) CheckImport(ctx context.Context, req openapi.CheckImportRequestObject) (openapi.CheckImportResponseObject, error) {
	i, err := s.Wallet.Check(ctx, actorFrom(ctx), wallet.ImportedID(req.ImportedID))
	if err != nil {
		return nil, err
	}
	return openapi.CheckImport200JSONResponse(s.importedJSON(ctx, i)), nil
}

// DeleteImport implements openapi.StrictServerInterface.
func (s *Server) DeleteImport(ctx context.Context, req openapi.DeleteImportRequestObject) (openapi.DeleteImportResponseObject, error) {
	if err := s.Wallet.Remove(ctx, actorFrom(ctx), wallet.ImportedID(req.ImportedID)); err != nil {
		return nil, err
	}
	return openapi.DeleteImport204Response{}, nil
}

func (s *Server) importedJSON(ctx context.Context, i wallet.Imported) openapi.ImportedCredential {
	r := i.ReportAt(s.Now())
	if r.State == verifier.Valid {
		var err error
		if r.Recognitions, err = s.Verifier.Recognised(ctx, verifier.Achievement{Issuer: i.Claims.Issuer, ID: i.Claims.AchievementID}, actorFrom(ctx).Institutions()...); err != nil {
			slog.ErrorContext(ctx, "find recognitions", "imported", i.ID, "err", err) // the list is of use without
		}
	}
	claims := claimsJSON(i.Claims) // what it said when it was good; the report says whether it still is
	return openapi.ImportedCredential{
		ID: string(i.ID), Standing: openapi.CredentialState(r.State), Format: openapi.ImportedCredentialFormat(i.Format), Document: string(i.Document),
		Claims: &claims, Report: s.reportJSON(ctx, r), CreatedAt: i.CreatedAt,
	}
}

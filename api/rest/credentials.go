package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListCredentials implements openapi.StrictServerInterface.
func (s *Server) ListCredentials(ctx context.Context, req openapi.ListCredentialsRequestObject) (openapi.ListCredentialsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Credential.ListOwn(ctx, actorFrom(ctx), credential.ID(after), limit)
	if err != nil {
		return nil, err
	}
	items, err := s.credentialsJSON(ctx, list)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		if items[i].Recognitions, err = s.worth(ctx, c); err != nil {
			return nil, err
		}
	}
	return openapi.ListCredentials200JSONResponse{Items: items, Next: next(list, limit, credentialCursor)}, nil
}

// ListIssuedCredentials implements openapi.StrictServerInterface.
func (s *Server) ListIssuedCredentials(ctx context.Context, req openapi.ListIssuedCredentialsRequestObject) (openapi.ListIssuedCredentialsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Credential.ListIssued(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), credential.Filter{
		Search: strings.TrimSpace(deref(req.Params.Search)), State: credential.State(deref(req.Params.Standing)),
	}, credential.ID(after), limit)
	if err != nil {
		return nil, err
	}
	items, err := s.credentialsJSON(ctx, list)
	return openapi.ListIssuedCredentials200JSONResponse{Items: items, Next: next(list, limit, credentialCursor)}, err
}

// GetCredential implements openapi.StrictServerInterface: the signed document, byte by byte.
func (s *Server) GetCredential(ctx context.Context, req openapi.GetCredentialRequestObject) (openapi.GetCredentialResponseObject, error) {
	c, err := s.Credential.Find(ctx, credential.ID(req.CredentialID))
	if err != nil {
		return nil, err
	}
	return openapi.GetCredential200ApplicationVcResponse{Body: bytes.NewReader(c.Document), ContentLength: int64(len(c.Document))}, nil
}

// GetCredentialJwt implements openapi.StrictServerInterface.
func (s *Server) GetCredentialJwt(ctx context.Context, req openapi.GetCredentialJwtRequestObject) (openapi.GetCredentialJwtResponseObject, error) {
	token, err := s.Forms.JWT(ctx, credential.ID(req.CredentialID))
	if err != nil {
		return nil, err
	}
	return openapi.GetCredentialJwt200ApplicationJwtResponse{Body: strings.NewReader(token), ContentLength: int64(len(token))}, nil
}

// GetStanding implements openapi.StrictServerInterface.
func (s *Server) GetStanding(ctx context.Context, req openapi.GetStandingRequestObject) (openapi.GetStandingResponseObject, error) {
	st, err := s.Credential.Check(ctx, credential.ID(req.CredentialID))
	if err != nil {
		return nil, err
	}
	items, err := s.credentialsJSON(ctx, []credential.Credential{st.Credential})
	if err != nil {
		return nil, err
	}
	items[0].Standing = openapi.CredentialStanding(st.State)
	out := openapi.GetStanding200JSONResponse{Credential: items[0], Standing: openapi.StandingStanding(st.State), CheckedAt: st.CheckedAt}
	if k := st.RevokedKey; k != nil {
		out.KeyRevokedAt, out.KeyRevokedReason = k.RevokedAt, optional(k.RevokedReason)
	}
	return out, nil
}

// RevokeCredential implements openapi.StrictServerInterface.
func (s *Server) RevokeCredential(ctx context.Context, req openapi.RevokeCredentialRequestObject) (openapi.RevokeCredentialResponseObject, error) {
	if err := s.Credential.Revoke(ctx, actorFrom(ctx), credential.ID(req.CredentialID), req.Body.Reason); err != nil {
		return nil, err
	}
	return openapi.RevokeCredential204Response{}, nil
}

// SuspendCredential implements openapi.StrictServerInterface.
func (s *Server) SuspendCredential(ctx context.Context, req openapi.SuspendCredentialRequestObject) (openapi.SuspendCredentialResponseObject, error) {
	if err := s.Credential.Suspend(ctx, actorFrom(ctx), credential.ID(req.CredentialID), req.Body.Reason); err != nil {
		return nil, err
	}
	return openapi.SuspendCredential204Response{}, nil
}

// ReinstateCredential implements openapi.StrictServerInterface.
func (s *Server) ReinstateCredential(ctx context.Context, req openapi.ReinstateCredentialRequestObject) (openapi.ReinstateCredentialResponseObject, error) {
	if err := s.Credential.Reinstate(ctx, actorFrom(ctx), credential.ID(req.CredentialID), req.Body.Reason); err != nil {
		return nil, err
	}
	return openapi.ReinstateCredential204Response{}, nil
}

// GetStatusList implements openapi.StrictServerInterface.
func (s *Server) GetStatusList(ctx context.Context, req openapi.GetStatusListRequestObject) (openapi.GetStatusListResponseObject, error) {
	doc, err := s.Lists.Document(ctx, statuslist.ID(req.ListID))
	if err != nil {
		return nil, err
	}
	etag, cache := fmt.Sprintf(`"%x"`, sha256.Sum256(doc)), fmt.Sprintf("public, max-age=%d", int(statuslist.TTL.Seconds()))
	return openapi.GetStatusList200ApplicationVcResponse{
		Body: bytes.NewReader(doc), ContentLength: int64(len(doc)),
		Headers: openapi.GetStatusList200ResponseHeaders{ETag: &etag, CacheControl: &cache},
	}, nil
}

func (s *Server) credentialsJSON(ctx context.Context, list []credential.Credential) ([]openapi.Credential, error) {
	locale, now := middleware.Locale(ctx), s.Now()
	names := map[identity.InstitutionID]string{}
	out := make([]openapi.Credential, len(list))
	for i, c := range list {
		if _, known := names[c.InstitutionID]; !known {
			in, err := s.Institution.Find(ctx, c.InstitutionID)
			if err != nil {
				return nil, err
			}
			names[c.InstitutionID], _ = in.NameIn(locale)
		}
		achievement, lang := said(c.AchievementName, nil, locale, c.Locale)
		out[i] = openapi.Credential{
			ID: string(c.ID), Name: c.Name, Achievement: achievement, AchievementLang: lang, Institution: names[c.InstitutionID],
			CourseID: string(c.CourseID), IssuedAt: c.IssuedAt, ChangedAt: &c.ChangedAt, ExpiresAt: c.ExpiresAt, RevokedAt: c.RevokedAt,
			RevokedReason: optional(c.RevokedReason), ErasedAt: c.ErasedAt, SuspendedAt: c.SuspendedAt, SuspendedReason: optional(c.SuspendedReason),
			Assessment: optional(openapi.Assessment(c.Assessment)), AiHelp: optional(openapi.AIHelp(c.AIHelp)), Standing: openapi.CredentialStanding(c.State(now)),
		}
	}
	return out, nil
}

// worth tells what other institutions take a certificate for; one that does not count is taken for nothing.
func (s *Server) worth(ctx context.Context, c credential.Credential) (*[]openapi.Recognised, error) {
	if c.State(s.Now()) != credential.Valid {
		return nil, nil
	}
	what, ok := attested(c.Document)
	if !ok {
		return nil, nil
	}
	list, err := s.Verifier.Recognised(ctx, what, actorFrom(ctx).Institutions()...)
	return recognisedJSON(list, middleware.Locale(ctx)), err
}

// attested tells what a document attests, where it can be read; where not, who checks it says so.
func attested(doc []byte) (verifier.Achievement, bool) {
	claims, err := credential.ReadClaims(doc)
	return verifier.Achievement{Issuer: claims.Issuer, ID: claims.AchievementID}, err == nil
}

func credentialCursor(c credential.Credential) string { return string(c.ID) }

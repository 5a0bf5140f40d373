package rest

import (
	"context"
	"io"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
)

// What one address may have checked: a check costs some milliseconds, and requests to other hosts.
const (
	freeChecks   = 120
	checksWithin = time.Minute
)

// AdmitCheck counts a check for an address, whichever door it comes by, and refuses it with fault.TooMany when there are too many.
func AdmitCheck(ctx context.Context, counter *identity.Service, address string) error {
	return counter.Admit(ctx, "verify", address, freeChecks, checksWithin)
}

// VerifyCredential implements openapi.StrictServerInterface.
func (s *Server) VerifyCredential(ctx context.Context, req openapi.VerifyCredentialRequestObject) (openapi.VerifyCredentialResponseObject, error) {
	if err := AdmitCheck(ctx, s.Identity, middleware.From(ctx).Address); err != nil {
		return nil, err
	}
	in, offline, err := toVerify(req)
	if err != nil {
		return nil, err
	}
	r, err := s.Verifier.Verify(ctx, in, verifier.Options{Offline: offline, Institutions: actorFrom(ctx).Institutions()})
	if err != nil {
		return nil, err
	}
	return openapi.VerifyCredential200JSONResponse(s.reportJSON(ctx, r)), nil
}

// toVerify gives what came, whichever way.
func toVerify(req openapi.VerifyCredentialRequestObject) (in []byte, offline bool, err error) {
	offline = deref(req.Params.Offline)
	nothing := fault.New(fault.Invalid, "credential.nothing_to_check")
	switch {
	case req.JSONBody == nil && req.Body == nil:
	case req.JSONBody == nil:
		if in, err = io.ReadAll(req.Body); err != nil {
			return nil, false, middleware.BodyFault(err)
		}
	default:
		b := req.JSONBody
		offline = offline || deref(b.Offline)
		if b.Text != nil && b.File != nil {
			return nil, false, nothing.At(fault.Detail{Pointer: "/file", Key: "credential.nothing_to_check"})
		}
		in = []byte(deref(b.Text))
		if b.File != nil {
			in = *b.File
		}
	}
	if len(in) == 0 {
		if req.JSONBody != nil {
			nothing.At(fault.Detail{Pointer: "/text", Key: "credential.nothing_to_check"})
		}
		return nil, false, nothing
	}
	if len(in) > verifier.MaxInput {
		return nil, false, fault.New(fault.TooLarge, "request.too_large").With("KiB", verifier.MaxInput>>10)
	}
	return in, offline, nil
}

func (s *Server) reportJSON(ctx context.Context, r verifier.Report) openapi.CredentialReport {
	return ReportJSON(s.Words, middleware.Locale(ctx), r)
}

// ReportJSON writes the answer of a check as the API gives it, with its words in a language.
func ReportJSON(words *i18n.Catalogue, locale string, r verifier.Report) openapi.CredentialReport {
	title, text := verifier.StateWords(r.State)
	reason := func(r verifier.Reason) openapi.CredentialReason {
		key, args := r.Words(func(t time.Time) string { return words.Date(locale, t) })
		return openapi.CredentialReason{
			Code: string(r.Code), Detail: words.T(locale, key, args), Date: optional(r.Date()), Reason: optional(r.Given()), Source: optional(r.Source()),
		}
	}
	out := openapi.CredentialReport{
		State: openapi.CredentialState(r.State), Title: words.T(locale, title, nil), Text: words.T(locale, text, nil), Format: optional(openapi.CredentialReportFormat(r.Format)),
		Reasons: each(r.Reasons, reason), Notes: each(r.Notes, reason), Offline: r.Offline, CheckedAt: r.CheckedAt,
		Recognitions: recognisedJSON(r.Recognitions, locale),
		RestsOn: each(r.RestsOn, func(b verifier.Basis) openapi.CredentialBasis {
			basis := openapi.CredentialBasis{Kind: openapi.CredentialBasisKind(b.Kind), From: openapi.CredentialBasisFrom(b.From), Source: b.Source, At: optional(b.At), By: optional(b.By)}
			if !b.At.IsZero() {
				age := int64(max(0, r.CheckedAt.Sub(b.At)) / time.Second)
				basis.Age = &age
			}
			return basis
		}),
	}
	if r.Readable() {
		claims := claimsJSON(r.Claims)
		out.Claims = &claims
		if utf8.Valid(r.Document) {
			out.Document = optional(string(r.Document))
		}
	}
	return out
}

func claimsJSON(c verifier.Claims) openapi.CredentialClaims {
	out := openapi.CredentialClaims{
		ID: optional(c.ID), Name: optional(c.Name), Achievement: optional(c.Achievement), AchievementID: optional(c.AchievementID), Kind: optional(c.Kind),
		Description: optional(c.Description), Narrative: optional(c.Narrative), Language: optional(c.Language), Version: optional(c.Version), Issuer: c.Issuer,
		IssuerName: optional(c.IssuerName), ValidFrom: optional(c.ValidFrom), ValidUntil: optional(c.ValidUntil),
	}
	if len(c.Results) > 0 {
		list := each(c.Results, func(r verifier.Result) openapi.CredentialResult {
			return openapi.CredentialResult{Type: optional(r.Type), Name: optional(r.Name), Value: r.Value}
		})
		out.Results = &list
	}
	if len(c.Alignments) > 0 {
		list := each(c.Alignments, func(a verifier.Alignment) openapi.CredentialAlignment {
			return openapi.CredentialAlignment{Name: a.Name, Framework: optional(a.Framework), Code: optional(a.Code), URL: optional(a.URL)}
		})
		out.Alignments = &list
	}
	return out
}

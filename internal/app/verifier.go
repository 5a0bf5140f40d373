package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Fetch gives the client for the documents of other issuers, as the operator has it.
func Fetch(cfg config.Config) (*fetch.Client, error) {
	if cfg.Fetch == "off" {
		return nil, nil
	}
	allow, ports, proxy, err := cfg.Fetching()
	if err != nil {
		return nil, err
	}
	return fetch.New(fetch.Config{Allow: allow, Ports: ports, Proxy: proxy, Now: now}), nil
}

// verifies makes the checker of any credential: it knows the issuers of this host, then those of whom the operator trusts.
func (a *App) verifies() (*verifier.Verifier, error) {
	web, err := Fetch(a.Config)
	if err != nil {
		return nil, err
	}
	maxAge := time.Duration(a.Config.StatusDays) * 24 * time.Hour
	a.Institution.Domains = domains{web}
	operators := func(ctx context.Context) ([]bundle.Trust, error) { return a.Trust.TrustedWords(ctx) }
	here, trusted := register{a}, Words{List: operators, Open: a.Shelf.Blob, From: verifier.Trusted, MaxAge: maxAge, Now: now}
	return &verifier.Verifier{
		Issuers: []verifier.Issuers{here, trusted}, Lists: []verifier.Lists{here, trusted}, Register: here, Recognisers: []verifier.Recognisers{here, trusted},
		Of: a.circle, Web: web, Memory: &verifier.Memory{}, Book: a.DB.SeenLists(), MaxAge: maxAge, Now: now,
	}, nil
}

// circle is what publishers say whom an institution trusts.
func (a *App) circle(in identity.InstitutionID) verifier.Sources {
	return Words{
		List: func(ctx context.Context) ([]bundle.Trust, error) { return a.Trust.TrustedWords(ctx, in) },
		Open: a.Shelf.Blob, From: verifier.Circle, MaxAge: time.Duration(a.Config.StatusDays) * 24 * time.Hour, Now: now,
		By: func(ctx context.Context) (string, error) {
			i, err := a.Institution.Find(ctx, in)
			return i.Name, err
		},
	}
}

// register is what this server itself knows.
type register struct{ *App }

var (
	_ verifier.Issuers  = register{}
	_ verifier.Lists    = register{}
	_ verifier.Register = register{}
)

// FindIssuer implements verifier.Issuers: by whatever DID an institution of this host issues, or issued.
func (r register) FindIssuer(ctx context.Context, did string) (verifier.Issuer, error) {
	keys, err := r.DB.Keyring().ListKeysOf(ctx, did)
	if err != nil {
		return verifier.Issuer{}, err
	}
	if len(keys) == 0 {
		return verifier.Issuer{}, verifier.ErrUnknown
	}
	in, err := r.Institution.Find(ctx, keys[0].InstitutionID)
	if err != nil {
		return verifier.Issuer{}, err
	}
	out := verifier.Issuer{DID: did, Names: map[string]string{"und": in.Name}, From: verifier.Here, Source: did, At: now(), Final: true}
	for _, k := range keys {
		key := verifier.Key{ID: k.Method(), Multikey: k.Multikey, From: k.CreatedAt}
		if k.Kind == keyring.RSA {
			key.Multikey, key.JWK = "", []byte(k.JWK)
		}
		if k.RetiredAt != nil {
			key.Retired = *k.RetiredAt
		}
		if k.RevokedAt != nil {
			key.Revoked = *k.RevokedAt
		}
		out.Keys = append(out.Keys, key)
	}
	lists, err := r.Lists.ListOf(ctx, in.ID, did)
	if err != nil {
		return verifier.Issuer{}, err
	}
	for _, l := range lists {
		out.Lists = append(out.Lists, r.lists()+string(l.ID))
	}
	return out, nil
}

func (r register) lists() string { return r.Config.PublicURL + "/api/status-lists/" }

// FindList implements verifier.Lists.
func (r register) FindList(ctx context.Context, address string) (verifier.List, error) {
	id, ours := strings.CutPrefix(address, r.lists())
	if !ours {
		return verifier.List{}, verifier.ErrUnknown
	}
	doc, err := r.Lists.Document(ctx, statuslist.ID(id))
	if fault.Is(err, fault.NotFound) {
		return verifier.List{}, verifier.ErrUnknown
	}
	return verifier.List{Document: doc, From: verifier.Here, At: now()}, err
}

// FindStanding implements verifier.Register.
func (r register) FindStanding(ctx context.Context, _, credentialID string) (verifier.Standing, error) {
	c, err := r.Credential.FindAt(ctx, credentialID)
	if fault.Is(err, fault.NotFound) {
		return verifier.Standing{}, verifier.ErrUnknown
	}
	if err != nil {
		return verifier.Standing{}, err
	}
	return StandingOf(c), nil
}

// StandingOf tells what the row of a credential says of it.
func StandingOf(c credential.Credential) verifier.Standing {
	var s verifier.Standing
	if c.RevokedAt != nil {
		s.RevokedAt, s.RevokedReason = *c.RevokedAt, c.RevokedReason
	}
	if c.SuspendedAt != nil {
		s.SuspendedAt, s.SuspendedReason = *c.SuspendedAt, c.SuspendedReason
	}
	return s
}

// Words is what publishers say of issuers, as a source of those and of their status lists.
type Words struct {
	List func(ctx context.Context) ([]bundle.Trust, error)
	Open func(ctx context.Context, d blob.Digest) ([]byte, error)
	From verifier.Origin
	By   func(ctx context.Context) (string, error) // the name of the institution that trusts them; nil: none

	MaxAge time.Duration    // of the status of a recognition; as verifier.Verifier has it
	Now    func() time.Time // time.Now when nil
}

var (
	_ verifier.Issuers = Words{}
	_ verifier.Lists   = Words{}
)

// FindIssuer implements verifier.Issuers. Of several words on one issuer the newest counts.
func (w Words) FindIssuer(ctx context.Context, did string) (verifier.Issuer, error) {
	all, err := w.List(ctx)
	if err != nil {
		return verifier.Issuer{}, err
	}
	found := verifier.Issuer{}
	for _, t := range all {
		for _, i := range t.Issuers {
			if i.DID == did && t.SignedAt.After(found.At) {
				found = w.issuer(t, i)
			}
		}
	}
	if found.DID == "" {
		return verifier.Issuer{}, verifier.ErrUnknown
	}
	found.By, err = w.by(ctx)
	return found, err
}

func (w Words) by(ctx context.Context) (string, error) {
	if w.By == nil {
		return "", nil
	}
	return w.By(ctx)
}

func (w Words) issuer(t bundle.Trust, i bundle.Issuer) verifier.Issuer {
	out := verifier.Issuer{DID: i.DID, Names: i.Names, From: w.From, Source: t.Publisher, At: t.SignedAt.Time}
	for _, k := range i.Keys {
		key := verifier.Key{ID: i.DID + "#" + k.Key, Multikey: k.Key, From: k.From.Time}
		if k.Retired != nil {
			key.Retired = k.Retired.Time
		}
		if k.Revoked != nil {
			key.Revoked = k.Revoked.Time
		}
		out.Keys = append(out.Keys, key)
	}
	for _, l := range i.Lists {
		out.Lists = append(out.Lists, l.URL)
	}
	return out
}

// FindList implements verifier.Lists.
func (w Words) FindList(ctx context.Context, address string) (verifier.List, error) {
	all, err := w.List(ctx)
	if err != nil {
		return verifier.List{}, err
	}
	var newest bundle.StatusList
	var at time.Time
	for _, t := range all {
		for _, i := range t.Issuers {
			for _, l := range i.Lists {
				if l.URL == address && t.SignedAt.After(at) {
					newest, at = l, t.SignedAt.Time
				}
			}
		}
	}
	if at.IsZero() {
		return verifier.List{}, verifier.ErrUnknown
	}
	doc, err := w.Open(ctx, newest.Digest)
	if fault.Is(err, fault.NotFound) || errors.Is(err, verifier.ErrUnknown) {
		return verifier.List{}, verifier.ErrUnknown
	}
	if err != nil {
		return verifier.List{}, err
	}
	by, err := w.by(ctx)
	return verifier.List{Document: doc, From: w.From, By: by}, err
}

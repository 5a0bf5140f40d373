package app

import (
	"context"
	"fmt"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/identity"
)

// publisher gives the name under which an institution signs bundles: the one under which it issues certificates.
func (a *App) publisher(ctx context.Context, in identity.InstitutionID) (bundle.Name, error) {
	i, err := a.Credential.FindIssuer(ctx, in)
	return bundle.Name{ID: i.DID, Names: map[string]string{"und": i.Name}}, err
}

// issuers gives those for whose certificates an institution stands: itself, once it has a key.
func (a *App) issuers(ctx context.Context, in identity.InstitutionID) ([]bundle.IssuerSource, error) {
	i, err := a.Credential.FindIssuer(ctx, in)
	if err != nil || len(i.Keys) == 0 {
		return nil, err
	}
	out := bundle.Issuer{DID: i.DID, Names: map[string]string{"und": i.Name}}
	for _, k := range i.Keys {
		key := bundle.IssuerKey{Key: k.Multikey, From: bundle.At(k.CreatedAt)}
		if k.RetiredAt != nil {
			retired := bundle.At(*k.RetiredAt)
			key.Retired = &retired
		}
		out.Keys = append(out.Keys, key)
	}
	lists := map[string]credential.ListID{}
	for _, l := range i.Lists {
		lists[l.URL] = l.ID
		out.Lists = append(out.Lists, bundle.StatusList{URL: l.URL, Purpose: bundle.Purpose(l.Purpose)})
	}
	open := func(ctx context.Context, url string) (bundle.OpenedList, error) {
		id, ok := lists[url]
		if !ok {
			return bundle.OpenedList{}, fmt.Errorf("no status list at %s", url)
		}
		doc, err := a.Credential.StatusList(ctx, id)
		if err != nil {
			return bundle.OpenedList{}, err
		}
		l, err := credential.ReadList(doc)
		return bundle.OpenedList{Document: doc, SignedAt: l.SignedAt}, err
	}
	same := func(a, b []byte) bool {
		x, errX := credential.ReadList(a)
		y, errY := credential.ReadList(b)
		return errX == nil && errY == nil && x.Bits == y.Bits
	}
	return []bundle.IssuerSource{{Issuer: out, Open: open, Same: same}}, nil
}

package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// bundles builds what carries courses: who signs them, whom this server trusts, what it took in, what it gives away.
func (a *App) bundles(public blob.Store, imported shelf.Blobs, sealer signing.Sealer) {
	db, keep := a.DB, &shelf.Keeper{Public: public, Imported: imported}
	packs := &packing.Packer{Dir: filepath.Join(a.Config.DataDir, "bundles", "packs"), Open: keep.Open}
	a.Publisher = &publisher.Service{
		Store: db.Publisher(), Courses: a.Curriculum, Public: public, Sealer: sealer, Name: a.publisher, Issuers: a.issuers, Recognitions: a.recognitions,
		Vouchers: db.Keyring().ListIssuing, Now: now, NewID: newID, Random: rand.Reader,
	}
	a.Trust = &trust.Service{Store: db.Trust(), Publisher: a.Publisher, Open: keep.Open, Packs: packs, Now: now}
	a.Shelf = &shelf.Service{Store: db.Shelf(), Courses: a.Curriculum, Publisher: a.Publisher, Trust: a.Trust, Keep: keep, Now: now}
	a.Bundle = &serving.Service{Store: db.Shelf(), Courses: a.Curriculum, Publisher: a.Publisher, Trust: a.Trust, Open: keep.Open, Packs: packs}
}

// publisher gives the name under which an institution signs bundles: that of its path on this host, even where it issues certificates under
// a domain of its own. Whoever trusts it knows it by that name.
func (a *App) publisher(ctx context.Context, in identity.InstitutionID) (publisher.Name, error) {
	i, err := a.Credential.FindIssuer(ctx, in)
	if err != nil {
		return publisher.Name{}, err
	}
	did, err := a.Keys.PathDID(ctx, in)
	return publisher.Name{ID: did, Names: i.Names}, err
}

// issuers gives those for whose certificates an institution stands: itself, under every name that it issued under.
func (a *App) issuers(ctx context.Context, in identity.InstitutionID) ([]publisher.IssuerSource, error) {
	all, err := a.Credential.ListIssuers(ctx, in)
	if err != nil {
		return nil, err
	}
	var out []publisher.IssuerSource
	for _, i := range all {
		if source := a.issuer(i); len(source.Issuer.Keys) > 0 {
			out = append(out, source)
		}
	}
	return out, nil
}

func (a *App) issuer(i credential.Issuer) publisher.IssuerSource {
	out := bundle.Issuer{DID: i.DID, Names: i.Names, Country: i.Country}
	for _, k := range i.Keys {
		if k.Kind != keyring.Ed25519 {
			continue // devices check no other
		}
		out.Keys = append(out.Keys, bundle.IssuerKey{
			Key: k.Multikey, From: bundle.At(k.CreatedAt), Retired: maybeAt(k.RetiredAt), Revoked: maybeAt(k.RevokedAt),
		})
	}
	lists := map[string]statuslist.ID{}
	for _, l := range i.Lists {
		lists[l.URL] = l.ID
		out.Lists = append(out.Lists, bundle.StatusList{URL: l.URL, Purpose: bundle.Purpose(l.Purpose)})
	}
	open := func(ctx context.Context, url string) (publisher.OpenedList, error) {
		id, ok := lists[url]
		if !ok {
			return publisher.OpenedList{}, fmt.Errorf("no status list at %s", url)
		}
		doc, err := a.Lists.Document(ctx, id)
		if err != nil {
			return publisher.OpenedList{}, err
		}
		l, err := statuslist.Read(doc)
		return publisher.OpenedList{Document: doc, SignedAt: l.SignedAt}, err
	}
	same := func(a, b []byte) bool {
		x, errX := statuslist.Read(a)
		y, errY := statuslist.Read(b)
		return errX == nil && errY == nil && x.Bits == y.Bits
	}
	return publisher.IssuerSource{Issuer: out, Open: open, Same: same}
}

// mostRecognitions is how many a word carries where it has room for them.
const mostRecognitions = 256

// recognitions gives what an institution recognises now. Only courses have a name in a word: what is recognised of other issuers' achievements
// stands in the register alone.
func (a *App) recognitions(ctx context.Context, in identity.InstitutionID) ([]publisher.RecognitionSource, error) {
	given, err := a.Recognition.Given(ctx, in, mostRecognitions)
	if err != nil {
		return nil, err
	}
	var out []publisher.RecognitionSource
	for _, r := range given {
		course := recognition.Course(r.OfAchievement)
		if course == "" {
			continue
		}
		out = append(out, publisher.RecognitionSource{Document: r.Document, Recognition: bundle.Recognition{
			ID: string(r.ID), By: r.By, Of: bundle.Recognised{DID: r.OfDID, Course: course}, As: r.Terms.As, From: bundle.At(r.CreatedAt), Until: maybeAt(r.ValidUntil),
		}})
	}
	return out, nil
}

func maybeAt(t *time.Time) *bundle.Time {
	if t == nil {
		return nil
	}
	at := bundle.At(*t)
	return &at
}

package app_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/identity"
)

// What one institution recognises of another is told on its server and on a node that trusts it, until it is ended or its key is revoked: then no
// older word brings it back, nor one of somebody else who is trusted too.
func TestRecognitionsTravel(t *testing.T) {
	ctx, system := t.Context(), identity.System()
	hub, node := newApp(t, "https://hub.example"), newApp(t, "https://node.example")
	acacia, err := hub.Institution.Create(ctx, system, "acacia", "Acacia School")
	if err != nil {
		t.Fatal(err)
	}
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	u := identity.User{ID: identity.UserID(id()), Username: "amina", DisplayName: "Amina", Locale: "en", CreatedAt: hub.Now()}
	if err := hub.DB.Identity().CreateUser(ctx, u, "x", nil); err != nil {
		t.Fatal(err)
	}
	admin := identity.Actor{UserID: u.ID, Memberships: []identity.Membership{{InstitutionID: acacia.ID, Role: identity.Admin}}}
	of := verifier.Achievement{Issuer: "did:web:river.example", ID: "https://river.example/en/courses/first-steps@4"}
	byCourse := verifier.Achievement{Issuer: of.Issuer, Course: "first-steps"}
	recognise := func() recognition.Shown {
		t.Helper()
		r, err := hub.Recognition.Recognise(ctx, admin, acacia.ID, recognition.New{
			ID: recognition.ID(id()), OfDID: of.Issuer, OfAchievement: of.ID, Terms: recognition.Terms{OfName: "First steps", As: map[string]string{"en": "Module 1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	pack := func() []byte {
		t.Helper()
		p, err := hub.Trust.TrustPack(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f, err := p.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		raw, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	take := func(raw []byte) {
		t.Helper()
		if w, err := node.Shelf.TakeTrust(ctx, system, "", bundle.NewReader(bytes.NewReader(raw))); err != nil || len(w.Words) != 1 {
			t.Fatalf("%+v, %v", w, err)
		}
	}
	shows := func(what string, a *app.App, origin verifier.Origin, want int) {
		t.Helper()
		for _, of := range []verifier.Achievement{of, byCourse} {
			got, err := a.Verifier.Recognised(ctx, of)
			if err != nil || len(got) != want {
				t.Fatalf("%s: %+v, %v", what, got, err)
			}
			for _, r := range got {
				if r.Origin != origin || r.As["en"] != "Module 1" || r.Names["und"] != "Acacia School" || r.By != "did:web:hub.example:institutions:acacia" {
					t.Errorf("%s: %+v", what, r)
				}
			}
		}
	}

	first := recognise()
	shows("the hub", hub, verifier.Here, 1)
	stated, err := hub.Trust.Publishers(ctx, identity.Actor{})
	if err != nil || len(stated) != 1 {
		t.Fatalf("%+v, %v", stated, err)
	}
	if _, err := node.Trust.Trust(ctx, system, "", []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	older := pack()
	take(older)
	// Where an institution alone trusts it, members of that are told, and on whose trust.
	school := newApp(t, "https://school.example")
	reed, err := school.Institution.Create(ctx, system, "reed", "Reed School")
	if err != nil {
		t.Fatal(err)
	}
	moss, err := school.Institution.Create(ctx, system, "moss", "Moss School")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := school.Trust.Trust(ctx, system, reed.ID, []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	if w, err := school.Shelf.TakeTrust(ctx, system, reed.ID, bundle.NewReader(bytes.NewReader(older))); err != nil || len(w.Words) != 1 {
		t.Fatalf("%+v, %v", w, err)
	}
	for _, in := range [][]identity.InstitutionID{nil, {moss.ID}, {moss.ID, reed.ID}} {
		got, err := school.Verifier.Recognised(ctx, of, in...)
		if err != nil || len(got) != max(0, len(in)-1) {
			t.Fatalf("members of %v: %+v, %v", in, got, err)
		}
		for _, r := range got {
			if r.Origin != verifier.Circle || r.Circle != "Reed School" || r.As["en"] != "Module 1" {
				t.Errorf("%+v", r)
			}
		}
	}
	shows("the node", node, verifier.Trusted, 1)
	for what, other := range map[string]verifier.Achievement{
		"a look-alike":       {Issuer: "did:web:river.example.evil.example", ID: of.ID},
		"another's address":  {Issuer: of.Issuer, ID: "https://evil.example/en/courses/first-steps@4"},
		"another course":     {Issuer: of.Issuer, Course: "second-steps"},
		"no course":          {Issuer: of.Issuer},
		"nobody's":           {Course: "first-steps"},
		"a longer course id": {Issuer: of.Issuer, ID: "https://river.example/en/courses/first-steps-2@4"},
	} {
		for _, a := range []*app.App{hub, node} {
			if got, err := a.Verifier.Recognised(ctx, other); err != nil || len(got) > 0 {
				t.Errorf("%s: %+v, %v", what, got, err)
			}
		}
	}

	if err := hub.Recognition.End(ctx, admin, acacia.ID, first.ID); err != nil {
		t.Fatal(err)
	}
	shows("ended, the hub", hub, verifier.Here, 0)
	take(pack())
	shows("ended, the node", node, verifier.Trusted, 0)
	take(older)
	shows("an older word again", node, verifier.Trusted, 0)

	// Another publisher says of Acacia what it no longer says itself.
	const thorn = "did:web:thorn.example"
	key, from := letterKey('t'), bundle.At(hub.Now().Add(-time.Hour))
	chain, err := bundle.Sign("publisher", bundle.Publisher{
		Type: "publisher", Format: 1, ID: thorn, Name: map[string]string{"en": "Thorn"}, Serial: 1, SignedAt: from,
		Keys: []bundle.PublisherKey{{Key: key.Multikey(), From: from, Until: bundle.At(hub.Now().Add(24 * time.Hour))}},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	word, err := bundle.Sign("trust", bundle.Trust{Type: "trust", Format: 1, Publisher: thorn, SignedAt: bundle.At(hub.Now().Add(time.Minute)), Issuers: []bundle.Issuer{}, Recognitions: []bundle.Recognition{{
		ID: string(first.ID), By: first.By, Of: bundle.Recognised{DID: of.Issuer, Course: "first-steps"}, As: first.Terms.As, From: bundle.At(first.CreatedAt),
		Digest: blob.Of(first.Document), Size: int64(len(first.Document)),
	}}}, key)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := bundle.NewWriter(&b)
	for _, f := range []bundle.Frame{{Kind: bundle.PublisherFrame, Payload: chain.Text}, {Kind: bundle.TrustFrame, Payload: word.Text}, {Kind: bundle.BlobFrame, Payload: first.Document}} {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Trust.Trust(ctx, system, "", chain.Text); err != nil {
		t.Fatal(err)
	}
	take(b.Bytes())
	shows("said by another", node, verifier.Trusted, 0)

	// What a stolen key may have signed is signed again with the next.
	second := recognise()
	take(pack())
	shows("recognised again, the hub", hub, verifier.Here, 1)
	shows("recognised again, the node", node, verifier.Trusted, 1)
	ring, err := hub.Keys.List(ctx, admin, acacia.ID)
	if err != nil || len(ring.Keys) != 1 {
		t.Fatalf("%+v, %v", ring, err)
	}
	if _, err := hub.Keys.Revoke(ctx, admin, acacia.ID, ring.Keys[0].ID, hub.Now(), "Lost"); err != nil {
		t.Fatal(err)
	}
	shows("key revoked, the hub", hub, verifier.Here, 0)
	if got, err := hub.Recognition.Find(ctx, second.ID); err != nil || got.State != recognition.KeyRevoked {
		t.Errorf("%+v, %v", got, err)
	}
	take(pack())
	shows("key revoked, the node", node, verifier.Trusted, 0)
	recognise()
	take(pack())
	shows("signed anew", node, verifier.Trusted, 1)
}

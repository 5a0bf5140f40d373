package trust_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Somebody writes documents under another's name, with keys of their own and a clock that is years ahead. Whoever takes them for real harms
// themselves: nobody else's right ones are kept out or replaced by them.
func TestForgedDocumentsKeepNobodyOut(t *testing.T) {
	hub, forger, node := servertest.New(t, "hub.example").Vouching(), servertest.New(t, "hub.example").Vouching(), servertest.New(t, "node.example")
	ctx := t.Context()
	hub.Publish(t, 1)
	forger.Clock = bundletest.Day(1).AddDate(70, 0, 0)
	forger.Publish(t, 1)
	forger.Publish(t, 2)
	admin := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: node.School, Role: identity.Admin}}}
	const name = "did:web:hub.example:institutions:acacia"
	takes := func(what string, by identity.Actor, in identity.InstitutionID, from *servertest.Server, want int) {
		t.Helper()
		w, err := node.TakeTrust(ctx, by, in, bundle.NewReader(bytes.NewReader(from.Word(t))))
		if err != nil || len(w.Words) != want || len(w.Strangers) != 1-want {
			t.Errorf("%s: %+v, %v", what, w, err)
		}
	}
	signed := func(what string, want *servertest.Server, in ...identity.InstitutionID) {
		t.Helper()
		all, err := node.TrustedWords(ctx, in...)
		if err != nil || len(all) != 1 || all[0].SignedAt.Year() != want.Clock.Year() {
			t.Errorf("%s: %+v, %v", what, all, err)
		}
	}

	// The school is taken in first, and its word on issuers with it.
	servertest.Must(node.Trust(ctx, admin, node.School, forger.Stated(t)...))(t)
	takes("the forged word, for the school", admin, node.School, forger, 1)
	takes("the right word, for the school", admin, node.School, hub, 0)

	// The operator takes the right ones, and everything of theirs.
	st := servertest.Must(node.Trust(ctx, servertest.Operator, "", hub.Stated(t)...))(t)
	if len(st.Documents) != 1 || st.Documents[0] != string(hub.Stated(t)[0]) {
		t.Errorf("trusted %+v", st)
	}
	takes("the right word", servertest.Operator, "", hub, 1)
	signed("the operator's", hub)
	signed("the school's", forger, node.School)
	if got, err := node.Take(t, hub.Packed(t, 1, servertest.Both), nil); err != nil || !got.Complete {
		t.Errorf("the right course: %+v, %v", got, err)
	}
	if _, err := node.Take(t, forger.Packed(t, 2, servertest.Both), nil); bundletest.Outcome(err) != "bundle.bad_signature" {
		t.Errorf("the forged course: %v", err)
	}
	// What goes on from here goes with the right documents.
	info := servertest.Must(node.Info(ctx, "small", 0))(t)
	if info.Publisher.ID != name {
		t.Errorf("%+v", info.Publisher)
	}
	third := servertest.New(t, "third.example")
	third.Trusts(t, hub)
	if got, err := third.Take(t, node.Packed(t, 1, *info.Rule), nil); err != nil || !got.Complete {
		t.Errorf("from the node: %+v, %v", got, err)
	}
	if st := servertest.Must(node.Publishers(ctx, admin))(t); len(st) != 1 || st[0].Documents[0] != string(hub.Stated(t)[0]) {
		t.Errorf("%+v", st)
	}

	// Neither replaces the other by stealth; who was wrong takes it back.
	for _, tt := range []struct {
		by    identity.Actor
		in    identity.InstitutionID
		other *servertest.Server
	}{{admin, node.School, hub}, {servertest.Operator, "", forger}} {
		if _, err := node.Trust(ctx, tt.by, tt.in, tt.other.Stated(t)...); bundletest.Outcome(err) != "bundle.other_bearer" {
			t.Errorf("another of that name: %v", err)
		}
	}
	if err := node.Distrust(ctx, admin, node.School, name); err != nil {
		t.Fatal(err)
	}
	servertest.Must(node.Trust(ctx, admin, node.School, hub.Stated(t)...))(t)
	takes("the right word, after all", admin, node.School, hub, 1)
	signed("the school's, after all", hub, node.School)
	signed("the operator's, still", hub)
}

// A course that came from a forger is not gone on with by the right one, nor the other way round.
func TestAForgedCourseIsAnothers(t *testing.T) {
	hub, forger, node := servertest.New(t, "hub.example"), servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	forger.Clock = bundletest.Day(1).AddDate(70, 0, 0)
	forger.Publish(t, 1)
	forger.Publish(t, 2)
	node.Trusts(t, forger)
	if got, err := node.Take(t, forger.Packed(t, 2, servertest.Both), nil); err != nil || !got.Complete {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := node.Distrust(t.Context(), servertest.Operator, "", "did:web:hub.example:institutions:acacia"); err != nil {
		t.Fatal(err)
	}
	node.Trusts(t, hub)
	one := hub.Packed(t, 1, servertest.Both)
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.other_publisher" {
		t.Errorf("over the forged one: %v", err)
	}
	if err := node.Remove(t.Context(), servertest.Operator, "small"); err != nil {
		t.Fatal(err)
	}
	if got, err := node.Take(t, one, nil); err != nil || !got.Complete {
		t.Errorf("after it: %+v, %v", got, err)
	}
}

// Documents under the name of an institution of this server, even such that list its own keys, keep it from nothing.
func TestForgedDocumentsOfAnInstitutionHere(t *testing.T) {
	hub, forger, node := servertest.New(t, "hub.example").Vouching(), servertest.New(t, "hub.example").Vouching(), servertest.New(t, "node.example")
	ctx := t.Context()
	admin := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: hub.School, Role: identity.Admin}}}
	forger.Publish(t, 1)
	servertest.Must(hub.Trust(ctx, admin, hub.School, forger.Stated(t)...))(t) // before it has any of its own
	hub.Publish(t, 1)
	node.Trusts(t, hub)
	if got, err := node.Take(t, hub.Packed(t, 1, servertest.Both), nil); err != nil || !got.Complete {
		t.Errorf("%+v, %v", got, err)
	}
	right := hub.Stated(t)
	var p bundle.Publisher
	first, _, _ := bytes.Cut(right[0], []byte("\n"))
	if err := json.Unmarshal(first, &p); err != nil {
		t.Fatal(err)
	}
	// The digest may sort before or after that of the right one: both ways are tried.
	for c := 'a'; c < 'i'; c++ {
		k := bundletest.Key(byte(c))
		doc := bundle.Publisher{
			Type: "publisher", Format: 1, ID: p.ID, Name: p.Name, Serial: 1, SignedAt: p.SignedAt,
			Keys: append([]bundle.PublisherKey{{Key: k.Multikey(), From: p.SignedAt, Until: bundle.At(p.SignedAt.Add(time.Hour))}}, p.Keys...),
		}
		listed := servertest.Must(bundle.Sign("publisher", doc, k))(t)
		if err := hub.Distrust(ctx, admin, hub.School, p.ID); err != nil {
			t.Fatal(err)
		}
		servertest.Must(hub.Trust(ctx, admin, hub.School, listed.Text))(t)
		if now := hub.Stated(t); !bytes.Equal(now[0], right[0]) {
			t.Fatalf("%s", now[0])
		}
		if got, err := node.Take(t, hub.Packed(t, 1, servertest.Both), nil); err != nil || !got.Complete {
			t.Errorf("%+v, %v", got, err)
		}
		if w, err := node.TakeTrust(ctx, servertest.Operator, "", bundle.NewReader(bytes.NewReader(hub.Word(t)))); err != nil || len(w.Words) != 1 {
			t.Errorf("%+v, %v", w, err)
		}
	}
}

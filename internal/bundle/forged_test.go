package bundle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/identity"
)

// words gives the trust pack of a server.
func (s *server) words(t testing.TB) []byte {
	t.Helper()
	return content(t, must(s.TrustPack(t.Context()))(t))
}

// vouching makes a server's school stand for issuers.
func (s *server) vouching() *server {
	s.Vouchers = func(context.Context) ([]identity.InstitutionID, error) {
		return []identity.InstitutionID{s.school}, nil
	}
	return s
}

func (s *server) stated(t testing.TB) [][]byte {
	t.Helper()
	var docs [][]byte
	for _, d := range must(s.Publishers(t.Context(), identity.Actor{}))(t)[0].Documents {
		docs = append(docs, []byte(d))
	}
	return docs
}

// Somebody writes documents under another's name, with keys of their own and a clock that is years ahead. Whoever takes them for real harms
// themselves: nobody else's right ones are kept out or replaced by them.
func TestForgedDocumentsKeepNobodyOut(t *testing.T) {
	hub, forger, node := newServer(t, "hub.example").vouching(), newServer(t, "hub.example").vouching(), newServer(t, "node.example")
	ctx := t.Context()
	hub.publish(t, 1)
	forger.now = day(1).AddDate(70, 0, 0)
	forger.publish(t, 1)
	forger.publish(t, 2)
	admin := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: node.school, Role: identity.Admin}}}
	const name = "did:web:hub.example:institutions:acacia"
	takes := func(what string, by identity.Actor, in identity.InstitutionID, from *server, want int) {
		t.Helper()
		w, err := node.TakeTrust(ctx, by, in, bundle.NewReader(bytes.NewReader(from.words(t))))
		if err != nil || len(w.Words) != want || len(w.Strangers) != 1-want {
			t.Errorf("%s: %+v, %v", what, w, err)
		}
	}
	signed := func(what string, want *server, in ...identity.InstitutionID) {
		t.Helper()
		all, err := node.TrustedWords(ctx, in...)
		if err != nil || len(all) != 1 || all[0].SignedAt.Year() != want.now.Year() {
			t.Errorf("%s: %+v, %v", what, all, err)
		}
	}

	// The school is taken in first, and its word on issuers with it.
	must(node.Trust(ctx, admin, node.school, forger.stated(t)...))(t)
	takes("the forged word, for the school", admin, node.school, forger, 1)
	takes("the right word, for the school", admin, node.school, hub, 0)

	// The operator takes the right ones, and everything of theirs.
	st := must(node.Trust(ctx, operator, "", hub.stated(t)...))(t)
	if len(st.Documents) != 1 || st.Documents[0] != string(hub.stated(t)[0]) {
		t.Errorf("trusted %+v", st)
	}
	takes("the right word", operator, "", hub, 1)
	signed("the operator's", hub)
	signed("the school's", forger, node.school)
	if got, err := node.take(t, hub.file(t, 1, both), nil); err != nil || !got.Complete {
		t.Errorf("the right course: %+v, %v", got, err)
	}
	if _, err := node.take(t, forger.file(t, 2, both), nil); outcome(err) != "bundle.bad_signature" {
		t.Errorf("the forged course: %v", err)
	}
	// What goes on from here goes with the right documents.
	info := must(node.Info(ctx, "small", 0))(t)
	if info.Publisher.ID != name {
		t.Errorf("%+v", info.Publisher)
	}
	third := newServer(t, "third.example")
	third.trusts(t, hub)
	if got, err := third.take(t, node.file(t, 1, *info.Rule), nil); err != nil || !got.Complete {
		t.Errorf("from the node: %+v, %v", got, err)
	}
	if st := must(node.Publishers(ctx, admin))(t); len(st) != 1 || st[0].Documents[0] != string(hub.stated(t)[0]) {
		t.Errorf("%+v", st)
	}

	// Neither replaces the other by stealth; who was wrong takes it back.
	for _, tt := range []struct {
		by    identity.Actor
		in    identity.InstitutionID
		other *server
	}{{admin, node.school, hub}, {operator, "", forger}} {
		if _, err := node.Trust(ctx, tt.by, tt.in, tt.other.stated(t)...); outcome(err) != "bundle.other_bearer" {
			t.Errorf("another of that name: %v", err)
		}
	}
	if err := node.Distrust(ctx, admin, node.school, name); err != nil {
		t.Fatal(err)
	}
	must(node.Trust(ctx, admin, node.school, hub.stated(t)...))(t)
	takes("the right word, after all", admin, node.school, hub, 1)
	signed("the school's, after all", hub, node.school)
	signed("the operator's, still", hub)
}

// A course that came from a forger is not gone on with by the right one, nor the other way round.
func TestAForgedCourseIsAnothers(t *testing.T) {
	hub, forger, node := newServer(t, "hub.example"), newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	forger.now = day(1).AddDate(70, 0, 0)
	forger.publish(t, 1)
	forger.publish(t, 2)
	node.trusts(t, forger)
	if got, err := node.take(t, forger.file(t, 2, both), nil); err != nil || !got.Complete {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := node.Distrust(t.Context(), operator, "", "did:web:hub.example:institutions:acacia"); err != nil {
		t.Fatal(err)
	}
	node.trusts(t, hub)
	one := hub.file(t, 1, both)
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.other_publisher" {
		t.Errorf("over the forged one: %v", err)
	}
	if err := node.Remove(t.Context(), operator, "small"); err != nil {
		t.Fatal(err)
	}
	if got, err := node.take(t, one, nil); err != nil || !got.Complete {
		t.Errorf("after it: %+v, %v", got, err)
	}
}

// Documents under the name of an institution of this server, even such that list its own keys, keep it from nothing.
func TestForgedDocumentsOfAnInstitutionHere(t *testing.T) {
	hub, forger, node := newServer(t, "hub.example").vouching(), newServer(t, "hub.example").vouching(), newServer(t, "node.example")
	ctx := t.Context()
	admin := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: hub.school, Role: identity.Admin}}}
	forger.publish(t, 1)
	must(hub.Trust(ctx, admin, hub.school, forger.stated(t)...))(t) // before it has any of its own
	hub.publish(t, 1)
	node.trusts(t, hub)
	if got, err := node.take(t, hub.file(t, 1, both), nil); err != nil || !got.Complete {
		t.Errorf("%+v, %v", got, err)
	}
	right := hub.stated(t)
	var p bundle.Publisher
	first, _, _ := bytes.Cut(right[0], []byte("\n"))
	if err := json.Unmarshal(first, &p); err != nil {
		t.Fatal(err)
	}
	// The digest may sort before or after that of the right one: both ways are tried.
	for c := 'a'; c < 'i'; c++ {
		k := key(byte(c))
		doc := bundle.Publisher{
			Type: "publisher", Format: 1, ID: p.ID, Name: p.Name, Serial: 1, SignedAt: p.SignedAt,
			Keys: append([]bundle.PublisherKey{{Key: k.Multikey(), From: p.SignedAt, Until: bundle.At(p.SignedAt.Add(time.Hour))}}, p.Keys...),
		}
		listed := must(bundle.Sign("publisher", doc, k))(t)
		if err := hub.Distrust(ctx, admin, hub.school, p.ID); err != nil {
			t.Fatal(err)
		}
		must(hub.Trust(ctx, admin, hub.school, listed.Text))(t)
		if now := hub.stated(t); !bytes.Equal(now[0], right[0]) {
			t.Fatalf("%s", now[0])
		}
		if got, err := node.take(t, hub.file(t, 1, both), nil); err != nil || !got.Complete {
			t.Errorf("%+v, %v", got, err)
		}
		if w, err := node.TakeTrust(ctx, operator, "", bundle.NewReader(bytes.NewReader(hub.words(t)))); err != nil || len(w.Words) != 1 {
			t.Errorf("%+v, %v", w, err)
		}
	}
}

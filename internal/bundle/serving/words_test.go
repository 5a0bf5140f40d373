package serving_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// trustPack reads what a server gives to those who carry its word.
func trustPack(t *testing.T, s *bundletest.Server) []byte {
	t.Helper()
	f := bundletest.Must(bundletest.Must(s.TrustPack(t.Context()))(t).Open())(t)
	defer f.Close()
	return bundletest.Must(io.ReadAll(f))(t)
}

// A server takes a newer word over an older one and not the other way round, of publishers whom it trusts, from its operator.
func TestTakeTrust(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Vouchers = schoolOf(hub)
	take := func(raw []byte) *intake.Words {
		t.Helper()
		w, err := node.TakeTrust(t.Context(), identity.System(), "", bundle.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	older := trustPack(t, hub)
	if w := take(older); len(w.Words) != 0 || len(w.Strangers) != 1 {
		t.Errorf("of a stranger: %+v", w)
	}
	stated, err := hub.Publishers(t.Context(), identity.Actor{})
	if err != nil || len(stated) != 1 {
		t.Fatalf("publishers %+v, %v", stated, err)
	}
	if _, err := node.Trust(t.Context(), identity.System(), "", []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	if _, err := node.TakeTrust(t.Context(), identity.Actor{}, "", bundle.NewReader(bytes.NewReader(older))); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("nobody: %v", err)
	}
	// The same while nothing changes, and another one at once when a bit does.
	hub.Clock = hub.Clock.Add(time.Hour)
	if !bytes.Equal(trustPack(t, hub), older) {
		t.Error("signed anew for nothing")
	}
	hub.Bits = "other"
	newer := trustPack(t, hub)
	if bytes.Equal(newer, older) {
		t.Fatal("a revocation waits")
	}
	take(newer)
	take(older)
	words, err := node.TrustedWords(t.Context())
	if err != nil || len(words) != 1 || !words[0].SignedAt.Equal(hub.Clock) {
		t.Fatalf("words %+v, %v", words, err)
	}
	list, err := node.Blob(t.Context(), words[0].Issuers[0].Lists[0].Digest)
	if err != nil || !bytes.HasPrefix(list, []byte("other")) {
		t.Errorf("list %q, %v", list, err)
	}
}

// An institution's word counts for its own: a publisher whom it trusts, and whose word its admin brings, is nobody to the operator.
func TestTakeTrustOfAnInstitution(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Vouchers = schoolOf(hub)
	raw := trustPack(t, hub)
	stated, err := hub.Publishers(t.Context(), identity.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	person := func(in identity.InstitutionID, r identity.Role) identity.Actor {
		return identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: in, Role: r}}}
	}
	admin := person(node.School, identity.Admin)
	take := func(by identity.Actor, in identity.InstitutionID) (*intake.Words, error) {
		return node.TakeTrust(t.Context(), by, in, bundle.NewReader(bytes.NewReader(raw)))
	}
	words := func(want int, in ...identity.InstitutionID) {
		t.Helper()
		got, err := node.TrustedWords(t.Context(), in...)
		if err != nil || len(got) != want {
			t.Errorf("of %v: %d words, want %d, %v", in, len(got), want, err)
		}
	}
	if w, err := take(admin, node.School); err != nil || len(w.Words) != 0 || len(w.Strangers) != 1 {
		t.Errorf("before anybody trusts: %+v, %v", w, err)
	}
	if _, err := node.Trust(t.Context(), admin, node.School, []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		by identity.Actor
		in identity.InstitutionID
	}{
		"a trainer":                    {person(node.School, identity.Trainer), node.School},
		"an admin, for the server":     {admin, ""},
		"an admin of another school":   {person(hub.School, identity.Admin), node.School},
		"nobody, for an institution":   {identity.Actor{}, node.School},
		"an admin, for another school": {admin, hub.School},
	} {
		if _, err := take(tt.by, tt.in); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	words(0, node.School)
	if w, err := take(admin, node.School); err != nil || len(w.Words) != 1 || len(w.Strangers) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
	words(1, node.School)
	words(1, node.School, hub.School)
	words(0, hub.School)
	words(0)
	// The operator may bring it too: whose trust it rests on stays the same.
	if w, err := take(identity.System(), ""); err != nil || len(w.Words) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	words(0)
}

func schoolOf(s *bundletest.Server) func(context.Context) ([]identity.InstitutionID, error) {
	return func(context.Context) ([]identity.InstitutionID, error) {
		return []identity.InstitutionID{s.School}, nil
	}
}

// A word carries what its institution recognises, with the documents, as far as there is room; what is recognised no more is gone from the next.
func TestWordsCarryRecognitions(t *testing.T) {
	hub := bundletest.NewServer(t, "hub.example")
	hub.Vouchers = schoolOf(hub)
	var given []serving.RecognitionSource
	hub.Recognitions = func(context.Context, identity.InstitutionID) ([]serving.RecognitionSource, error) { return given, nil }
	source := func(id, doc string) serving.RecognitionSource {
		return serving.RecognitionSource{Document: []byte(doc), Recognition: bundle.Recognition{
			ID: id, By: "did:web:hub.example", Of: bundle.Recognised{DID: "did:web:b.example", Course: "small"}, As: map[string]string{"en": "Unit"}, From: bundletest.Day(1),
		}}
	}
	words := func() *intake.Words {
		t.Helper()
		return bundletest.Must(intake.ReadWords(bundle.NewReader(bytes.NewReader(trustPack(t, hub))), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil }))(t)
	}
	if w := words(); len(w.Words) != 1 || w.Words[0].Trust.Recognitions != nil {
		t.Fatalf("%+v", w.Words)
	}
	given = []serving.RecognitionSource{source("1", "first"), source("2", "second")}
	w := words()
	got := w.Words[0].Trust.Recognitions
	if len(got) != 2 || got[0].ID != "1" || string(w.Blobs[got[0].Digest]) != "first" || string(w.Blobs[got[1].Digest]) != "second" {
		t.Fatalf("%+v", got)
	}
	at := w.Words[0].Trust.SignedAt
	hub.Clock = hub.Clock.Add(time.Hour)
	if again := words(); !again.Words[0].Trust.SignedAt.Equal(at.Time) {
		t.Error("signed anew for nothing")
	}
	given = given[1:]
	if got := words().Words[0].Trust.Recognitions; len(got) != 1 || got[0].ID != "2" {
		t.Fatalf("one ended: %+v", got)
	}
	given = nil
	for i := range 1000 {
		given = append(given, source(fmt.Sprint(i), fmt.Sprint("document ", i)))
	}
	w = words()
	got = w.Words[0].Trust.Recognitions
	if n := len(got); n < 100 || n >= 1000 || got[0].ID != "0" || len(w.Words[0].Text) > bundle.MaxSigned {
		t.Errorf("%d in %d bytes", n, len(w.Words[0].Text))
	}
	at, hub.Clock = w.Words[0].Trust.SignedAt, hub.Clock.Add(time.Hour)
	if again := words(); !again.Words[0].Trust.SignedAt.Equal(at.Time) {
		t.Error("signed anew for nothing")
	}
}

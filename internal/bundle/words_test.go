package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// row is a carrier of frames that stand in memory.
type row struct{ frames []bundle.Frame }

func (r *row) Next() (bundle.Frame, error) {
	if len(r.frames) == 0 {
		return bundle.Frame{}, io.EOF
	}
	f := r.frames[0]
	r.frames = r.frames[1:]
	return f, nil
}

func TestReadWords(t *testing.T) {
	w := newWorld(t)
	var serials []bundle.Frame
	for _, s := range w.chain {
		serials = append(serials, bundle.Frame{Kind: bundle.PublisherFrame, Payload: s.Text})
	}
	word := bundle.Frame{Kind: bundle.TrustFrame, Payload: w.trust.Text}
	list := bundle.Frame{Kind: bundle.BlobFrame, Payload: []byte(statusList)}
	strange := bundle.Frame{Kind: bundle.PublisherFrame, Payload: w.stranger[0].Text}
	theirs := bundle.Frame{Kind: bundle.TrustFrame, Payload: signed(t, "trust", bundle.Trust{
		Type: "trust", Format: 1, Publisher: stranger, SignedAt: day(5), Issuers: []bundle.Issuer{},
	}, key('s')).Text}
	forged := bundle.Frame{Kind: bundle.TrustFrame, Payload: signed(t, "trust", bundle.Trust{
		Type: "trust", Format: 1, Publisher: school, SignedAt: day(5), Issuers: []bundle.Issuer{},
	}, key('s')).Text}
	root := bundle.Frame{Kind: bundle.RootFrame, Payload: w.two.signed.Text}
	join := func(parts ...[]bundle.Frame) (out []bundle.Frame) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	chain, err := bundle.ReadChain(w.chain[0].Text)
	if err != nil {
		t.Fatal(err)
	}
	trusting := bundle.Known{Chain: chain}
	tests := []struct {
		name      string
		frames    []bundle.Frame
		known     bundle.Known
		want      string // the key of the refusal
		words     int
		strangers int
	}{
		{"one word", join(serials, []bundle.Frame{word, list}), trusting, "", 1, 0},
		{"two words, one of a stranger", join([]bundle.Frame{strange, theirs}, serials, []bundle.Frame{word, list}), trusting, "", 1, 1},
		{"the stranger last", join(serials, []bundle.Frame{word, strange, theirs, list}), trusting, "", 1, 1},
		{"whoever it is", join([]bundle.Frame{strange, theirs}, serials, []bundle.Frame{word}), bundle.Known{Anybody: true}, "", 2, 0},
		{"a bundle", join(serials, []bundle.Frame{word, root, list}), trusting, "", 1, 0},
		{"nobody trusted", join(serials, []bundle.Frame{word}), bundle.Known{}, "", 0, 1},
		{"signed by a stranger", join(serials, []bundle.Frame{forged}), trusting, "bundle.bad_signature", 0, 0},
		{"a stranger's serial under our word", []bundle.Frame{strange, word}, bundle.Known{Anybody: true}, "bundle.mixed", 0, 0},
		{"a word without serials", []bundle.Frame{word}, bundle.Known{Anybody: true}, "", 0, 1},
		{"no word", serials, trusting, "bundle.truncated", 0, 0},
		{"nothing", nil, trusting, "bundle.truncated", 0, 0},
		{"two words in a row", join(serials, []bundle.Frame{word, word}), trusting, "bundle.damaged", 0, 0},
		{"a serial behind a blob", join(serials, []bundle.Frame{word, list, strange}), trusting, "bundle.damaged", 0, 0},
		{"known better", join(serials, []bundle.Frame{word}), bundle.Known{Chain: chain, Newest: day(31).AddDate(1, 0, 0)}, "bundle.key_expired", 0, 0},
	}
	for _, tt := range tests {
		got, err := bundle.ReadWords(&row{tt.frames}, func(bundle.Chain) (bundle.Known, error) { return tt.known, nil })
		var f *fault.Error
		switch {
		case tt.want != "":
			if !errors.As(err, &f) || f.Key != tt.want {
				t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			}
		case err != nil || len(got.Words) != tt.words || len(got.Strangers) != tt.strangers:
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
	// Blobs that nobody names are passed over, and those that somebody names are there under their address.
	got, err := bundle.ReadWords(&row{join(serials, []bundle.Frame{word, list, {Kind: bundle.BlobFrame, Payload: []byte("more")}})}, func(bundle.Chain) (bundle.Known, error) { return trusting, nil })
	if err != nil || len(got.Blobs) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, doc, ok := got.List("https://school.example/api/status-lists/1"); !ok || !bytes.Equal(doc, list.Payload) {
		t.Error("the list is not found")
	}
	if _, _, ok := got.List("https://school.example/api/status-lists/2"); ok {
		t.Error("a list that nobody brought")
	}
	if said := got.Issuer(school); len(said) != 1 || said[0].Country != "EG" || said[0].Publisher != school || len(got.Issuer("did:web:x")) != 0 {
		t.Errorf("said %+v", said)
	}
}

// trustPack reads what a server gives to those who carry its word.
func trustPack(t *testing.T, s *server) []byte {
	t.Helper()
	f := must(must(s.TrustPack(t.Context()))(t).Open())(t)
	defer f.Close()
	return must(io.ReadAll(f))(t)
}

// A server takes a newer word over an older one and not the other way round, of publishers whom it trusts, from its operator.
func TestTakeTrust(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.Vouchers = schoolOf(hub)
	take := func(raw []byte) *bundle.Words {
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
	hub.now = hub.now.Add(time.Hour)
	if !bytes.Equal(trustPack(t, hub), older) {
		t.Error("signed anew for nothing")
	}
	hub.bits = "other"
	newer := trustPack(t, hub)
	if bytes.Equal(newer, older) {
		t.Fatal("a revocation waits")
	}
	take(newer)
	take(older)
	words, err := node.TrustedWords(t.Context())
	if err != nil || len(words) != 1 || !words[0].SignedAt.Equal(hub.now) {
		t.Fatalf("words %+v, %v", words, err)
	}
	list, err := node.Blob(t.Context(), words[0].Issuers[0].Lists[0].Digest)
	if err != nil || !bytes.HasPrefix(list, []byte("other")) {
		t.Errorf("list %q, %v", list, err)
	}
}

// An institution's word counts for its own: a publisher whom it trusts, and whose word its admin brings, is nobody to the operator.
func TestTakeTrustOfAnInstitution(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.Vouchers = schoolOf(hub)
	raw := trustPack(t, hub)
	stated, err := hub.Publishers(t.Context(), identity.Actor{})
	if err != nil {
		t.Fatal(err)
	}
	person := func(in identity.InstitutionID, r identity.Role) identity.Actor {
		return identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: in, Role: r}}}
	}
	admin := person(node.school, identity.Admin)
	take := func(by identity.Actor, in identity.InstitutionID) (*bundle.Words, error) {
		return node.TakeTrust(t.Context(), by, in, bundle.NewReader(bytes.NewReader(raw)))
	}
	words := func(want int, in ...identity.InstitutionID) {
		t.Helper()
		got, err := node.TrustedWords(t.Context(), in...)
		if err != nil || len(got) != want {
			t.Errorf("of %v: %d words, want %d, %v", in, len(got), want, err)
		}
	}
	if w, err := take(admin, node.school); err != nil || len(w.Words) != 0 || len(w.Strangers) != 1 {
		t.Errorf("before anybody trusts: %+v, %v", w, err)
	}
	if _, err := node.Trust(t.Context(), admin, node.school, []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		by identity.Actor
		in identity.InstitutionID
	}{
		"a trainer":                    {person(node.school, identity.Trainer), node.school},
		"an admin, for the server":     {admin, ""},
		"an admin of another school":   {person(hub.school, identity.Admin), node.school},
		"nobody, for an institution":   {identity.Actor{}, node.school},
		"an admin, for another school": {admin, hub.school},
	} {
		if _, err := take(tt.by, tt.in); !fault.Is(err, fault.Denied) && !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
	words(0, node.school)
	if w, err := take(admin, node.school); err != nil || len(w.Words) != 1 || len(w.Strangers) != 0 {
		t.Errorf("%+v, %v", w, err)
	}
	words(1, node.school)
	words(1, node.school, hub.school)
	words(0, hub.school)
	words(0)
	// The operator may bring it too: whose trust it rests on stays the same.
	if w, err := take(identity.System(), ""); err != nil || len(w.Words) != 1 {
		t.Errorf("%+v, %v", w, err)
	}
	words(0)
}

func schoolOf(s *server) func(context.Context) ([]identity.InstitutionID, error) {
	return func(context.Context) ([]identity.InstitutionID, error) {
		return []identity.InstitutionID{s.school}, nil
	}
}

// A word carries what its institution recognises, with the documents, as far as there is room; what is recognised no more is gone from the next.
func TestWordsCarryRecognitions(t *testing.T) {
	hub := newServer(t, "hub.example")
	hub.Vouchers = schoolOf(hub)
	var given []bundle.RecognitionSource
	hub.Recognitions = func(context.Context, identity.InstitutionID) ([]bundle.RecognitionSource, error) { return given, nil }
	source := func(id, doc string) bundle.RecognitionSource {
		return bundle.RecognitionSource{Document: []byte(doc), Recognition: bundle.Recognition{
			ID: id, By: "did:web:hub.example", Of: bundle.Recognised{DID: "did:web:b.example", Course: "small"}, As: map[string]string{"en": "Unit"}, From: day(1),
		}}
	}
	words := func() *bundle.Words {
		t.Helper()
		return must(bundle.ReadWords(bundle.NewReader(bytes.NewReader(trustPack(t, hub))), func(bundle.Chain) (bundle.Known, error) { return bundle.Known{Anybody: true}, nil }))(t)
	}
	if w := words(); len(w.Words) != 1 || w.Words[0].Trust.Recognitions != nil {
		t.Fatalf("%+v", w.Words)
	}
	given = []bundle.RecognitionSource{source("1", "first"), source("2", "second")}
	w := words()
	got := w.Words[0].Trust.Recognitions
	if len(got) != 2 || got[0].ID != "1" || string(w.Blobs[got[0].Digest]) != "first" || string(w.Blobs[got[1].Digest]) != "second" {
		t.Fatalf("%+v", got)
	}
	at := w.Words[0].Trust.SignedAt
	hub.now = hub.now.Add(time.Hour)
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
	at, hub.now = w.Words[0].Trust.SignedAt, hub.now.Add(time.Hour)
	if again := words(); !again.Words[0].Trust.SignedAt.Equal(at.Time) {
		t.Error("signed anew for nothing")
	}
}

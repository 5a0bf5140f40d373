package shelf_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// A server takes a newer word over an older one and not the other way round, of publishers whom it trusts, from its operator.
func TestTakeTrust(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Vouching()
	take := func(raw []byte) *intake.Words {
		t.Helper()
		w, err := node.TakeTrust(t.Context(), identity.System(), "", bundle.NewReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	older := hub.Word(t)
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
	if !bytes.Equal(hub.Word(t), older) {
		t.Error("signed anew for nothing")
	}
	hub.Bits = "other"
	newer := hub.Word(t)
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
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Vouching()
	raw := hub.Word(t)
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

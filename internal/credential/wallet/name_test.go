package wallet_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/store"
)

// purse is a service over a real store, with a clock that stands still.
type purse struct {
	*wallet.Service
	db  *store.DB
	now time.Time
}

func newPurse(t *testing.T) *purse {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir()+"/banyan.db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := &purse{db: db, now: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
	p.Service = &wallet.Service{
		Store: db.Wallet(), People: &identity.Service{Store: db.Identity(), Now: func() time.Time { return p.now }},
		Credentials: register{}, Now: func() time.Time { return p.now }, NewID: newID,
	}
	return p
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func (p *purse) learner(t *testing.T, username, name string) identity.Actor {
	t.Helper()
	u := identity.User{ID: identity.UserID(newID()), Username: username, DisplayName: name, CreatedAt: p.now}
	if err := p.db.Identity().CreateUser(t.Context(), u, "", nil); err != nil {
		t.Fatal(err)
	}
	return identity.Actor{UserID: u.ID, Username: username}
}

func TestCertificateName(t *testing.T) {
	ctx, p := t.Context(), newPurse(t)
	amina := p.learner(t, "amina", "amina d.")
	want := func(name string, confirmed bool) {
		t.Helper()
		got, is, err := p.CertificateName(ctx, amina.UserID)
		if err != nil || got != name || is != confirmed {
			t.Fatalf("%q confirmed %v, %v; want %q %v", got, is, err, name, confirmed)
		}
	}
	want("amina d.", false)

	// As it was typed: script, order, joiners; but one form of the same letters, and no space around.
	if _, err := p.ConfirmName(ctx, amina, "  Ame\u0301lie می\u200cخواهم  "); err != nil {
		t.Fatal(err)
	}
	want("Am\u00e9lie می\u200cخواهم", true)

	first := p.now
	p.now = p.now.Add(time.Hour)
	if n, err := p.ConfirmName(ctx, amina, "Am\u00e9lie می\u200cخواهم"); err != nil || !n.ConfirmedAt.Equal(first) {
		t.Errorf("the same name once more: %+v, %v", n, err)
	}
	if n, err := p.ConfirmName(ctx, amina, "Amina Diallo"); err != nil || !n.ConfirmedAt.Equal(p.now) {
		t.Errorf("another name: %+v, %v", n, err)
	}
	want("Amina Diallo", true)

	for what, bad := range map[string]string{
		"nothing": "", "spaces": "   ", "no letter": "123 …", "an override": "Amina \u202eollaiD", "a line break": "Amina\nDiallo",
		"too long": strings.Repeat("a", 81), "broken": "Amina \xff",
	} {
		if _, err := p.ConfirmName(ctx, amina, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	want("Amina Diallo", true)
	if _, err := p.ConfirmName(ctx, amina, strings.Repeat("ि", 1)+strings.Repeat("न", 79)); err != nil {
		t.Errorf("80 characters: %v", err)
	}
}

func TestNamesArePrivate(t *testing.T) {
	ctx, p := t.Context(), newPurse(t)
	amina := p.learner(t, "amina", "Amina")
	reader := amina
	reader.Scopes = []identity.Scope{identity.ScopeRead}
	device := amina
	device.Scopes = []identity.Scope{identity.ScopeLearn}
	for name, tt := range map[string]struct {
		by   identity.Actor
		want fault.Code
	}{
		"nobody":     {identity.Actor{}, fault.Unauthenticated},
		"the system": {identity.System(), fault.Unauthenticated},
		"who reads":  {reader, fault.Denied},
		"a device":   {device, ""},
	} {
		_, err := p.ConfirmName(ctx, tt.by, "Amina Diallo")
		if tt.want == "" && err != nil || tt.want != "" && !fault.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := p.OwnName(ctx, identity.Actor{}); !fault.Is(err, fault.Unauthenticated) {
		t.Error(err)
	}
	if n, err := p.OwnName(ctx, reader); err != nil || n.Name != "Amina Diallo" {
		t.Errorf("%+v, %v", n, err)
	}
	if _, _, err := p.CertificateName(context.Background(), identity.UserID(newID())); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger: %v", err)
	}
}

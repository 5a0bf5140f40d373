package keyring_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

const (
	oasis = identity.InstitutionID("01950000-0000-7000-8000-000000000001")
	river = identity.InstitutionID("01950000-0000-7000-8000-000000000002")
)

// bench is the keys of two schools over a real store, with a clock that stands still.
type bench struct {
	*keyring.Service
	now time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "banyan.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	sealer, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{now: time.Date(2026, 11, 23, 5, 0, 0, 123_456_000, time.UTC)}
	for id, slug := range map[identity.InstitutionID]string{oasis: "oasis", river: "river"} {
		if err := db.Institution().CreateInstitution(t.Context(), institution.Institution{ID: id, Slug: slug, Name: slug, CreatedAt: b.now}); err != nil {
			t.Fatal(err)
		}
	}
	b.Service = &keyring.Service{
		Store: db.Keyring(), Institutions: institutions{db.Institution()}, Sealer: sealer, PublicURL: "http://localhost:8080",
		Now: func() time.Time { return b.now }, NewID: newID, Random: rand.Reader,
	}
	return b
}

// live is the key that a school signs with now.
func (b *bench) live(t *testing.T, in identity.InstitutionID) keyring.Key {
	t.Helper()
	_, did, err := b.Issuer(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	k, _, err := b.Live(t.Context(), in, did)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (b *bench) keys(t *testing.T) []keyring.Key {
	t.Helper()
	keys, err := b.All(t.Context(), oasis)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

type institutions struct{ *store.Institution }

func (i institutions) Find(ctx context.Context, id identity.InstitutionID) (institution.Institution, error) {
	return i.FindInstitution(ctx, id)
}

func (i institutions) FindBySlug(ctx context.Context, slug string) (institution.Institution, error) {
	return i.FindInstitutionBySlug(ctx, slug)
}

func (i institutions) FindByDomain(ctx context.Context, domain string) (institution.Institution, error) {
	return i.FindInstitutionByDomain(ctx, domain)
}

// unlogged is a store whose audit log takes nothing.
type unlogged struct{ keyring.Store }

func (u unlogged) InTx(ctx context.Context, fn func(tx keyring.Store) error) error {
	return u.Store.InTx(ctx, func(tx keyring.Store) error { return fn(unlogged{tx}) })
}

func (unlogged) Audit(context.Context, audit.Entry) error { return errors.New("no log") }

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func keyID() keyring.KeyID { return keyring.KeyID(newID()) }

func admin(in identity.InstitutionID) identity.Actor {
	return identity.Actor{UserID: "01950000-0000-7000-8000-000000000003", Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Admin}}}
}

var issuer = identity.Actor{UserID: "01950000-0000-7000-8000-000000000004", Memberships: []identity.Membership{{InstitutionID: oasis, Role: identity.Issuer}}}

func TestKeysRefuse(t *testing.T) {
	b := newBench(t)
	key := b.live(t, oasis).ID
	revoke := func(by identity.Actor, in identity.InstitutionID, key keyring.KeyID, from time.Time, reason string) error {
		_, err := b.Revoke(t.Context(), by, in, key, from, reason)
		return err
	}
	rotate := func(by identity.Actor, in identity.InstitutionID, id keyring.KeyID) error {
		_, err := b.Rotate(t.Context(), by, in, id)
		return err
	}
	list := func(by identity.Actor) error {
		_, err := b.List(t.Context(), by, oasis)
		return err
	}
	reader := admin(oasis)
	reader.Scopes = []identity.Scope{identity.ScopeRead}
	for _, tt := range []struct {
		name string
		err  error
		code fault.Code
		key  string
	}{
		{"an issuer lists", list(issuer), fault.Denied, "credential.keys_denied"},
		{"an admin of another lists", list(admin(river)), fault.Denied, "credential.keys_denied"},
		{"nobody lists", list(identity.Actor{}), fault.Denied, "credential.keys_denied"},
		{"an issuer rotates", rotate(issuer, oasis, keyID()), fault.Denied, "credential.keys_denied"},
		{"a reading token rotates", rotate(reader, oasis, keyID()), fault.Denied, "token.scope_missing"},
		{"no id", rotate(admin(oasis), oasis, "x"), fault.Invalid, "request.invalid"},
		{"no institution", rotate(admin("nowhere"), "nowhere", keyID()), fault.NotFound, "institution.not_found"},
		{"an issuer revokes", revoke(issuer, oasis, key, b.now, "x"), fault.Denied, "credential.keys_denied"},
		{"a reading token revokes", revoke(reader, oasis, key, b.now, "x"), fault.Denied, "token.scope_missing"},
		{"another's key", revoke(admin(river), river, key, b.now, "x"), fault.NotFound, "credential.key_not_found"},
		{"a date ahead", revoke(admin(oasis), oasis, key, b.now.Add(time.Hour), "x"), fault.Invalid, "request.invalid"},
		{"no reason", revoke(admin(oasis), oasis, key, b.now, " "), fault.Invalid, "request.invalid"},
	} {
		var f *fault.Error
		if !errors.As(tt.err, &f) || f.Code != tt.code || f.Key != tt.key {
			t.Errorf("%s: %v", tt.name, tt.err)
		}
	}
	if keys := b.keys(t); len(keys) != 1 || keys[0].RetiredAt != nil || keys[0].RevokedAt != nil {
		t.Errorf("%+v", keys)
	}
	if err := list(identity.Actor{UserID: "op", Operator: true}); err != nil {
		t.Error(err)
	}
}

// An act that cannot be logged has not happened.
func TestKeysAreLoggedOrNotDone(t *testing.T) {
	b := newBench(t)
	key := b.live(t, oasis)
	b.Store = unlogged{Store: b.Store}
	if _, err := b.Rotate(t.Context(), admin(oasis), oasis, keyID()); err == nil {
		t.Error("rotated")
	}
	if _, err := b.Revoke(t.Context(), admin(oasis), oasis, key.ID, b.now, "x"); err == nil {
		t.Error("revoked")
	}
	if k := b.keys(t); len(k) != 1 || k[0].RetiredAt != nil || k[0].RevokedAt != nil {
		t.Errorf("%+v", k)
	}
}

func TestRenewRefuses(t *testing.T) {
	ctx := t.Context()
	b := newBench(t)
	key := b.live(t, oasis)
	if _, err := b.Revoke(ctx, admin(oasis), oasis, key.ID, b.now, "The disk was stolen."); err != nil {
		t.Fatal(err)
	}
	renew := func(by identity.Actor, in identity.InstitutionID, key keyring.KeyID) error {
		_, err := b.Renew(ctx, by, in, key)
		return err
	}
	reads := admin(oasis)
	reads.Scopes = []identity.Scope{identity.ScopeRead}
	for _, tt := range []struct {
		name string
		err  error
		code fault.Code
		key  string
	}{
		{"an issuer", renew(issuer, oasis, key.ID), fault.Denied, "credential.keys_denied"},
		{"nobody", renew(identity.Actor{}, oasis, key.ID), fault.Denied, "credential.keys_denied"},
		{"another school's admin", renew(admin(river), oasis, key.ID), fault.Denied, "credential.keys_denied"},
		{"another school's key", renew(admin(river), river, key.ID), fault.NotFound, "credential.key_not_found"},
		{"a token that reads", renew(reads, oasis, key.ID), fault.Denied, "token.scope_missing"},
		{"the key in use", renew(admin(oasis), oasis, b.live(t, oasis).ID), fault.Conflict, "credential.key_not_revoked"},
	} {
		var f *fault.Error
		if !errors.As(tt.err, &f) || f.Code != tt.code || f.Key != tt.key {
			t.Errorf("%s: %v, want %s", tt.name, tt.err, tt.key)
		}
	}
	if keys := b.keys(t); keys[0].ID != key.ID || keys[0].RenewalStartedAt != nil {
		t.Errorf("%+v", keys)
	}
}

func TestDIDDocument(t *testing.T) {
	b := newBench(t)
	read := func(slug string) (d struct {
		ID      string              `json:"id"`
		Methods []map[string]string `json:"verificationMethod"`
		Assert  []string            `json:"assertionMethod"`
	},
	) {
		t.Helper()
		raw, err := b.DIDDocument(t.Context(), slug)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := read("oasis"); d.ID != "did:web:localhost%3A8080:institutions:oasis" || len(d.Methods) != 0 {
		t.Errorf("before the first credential: %+v", d)
	}
	b.live(t, oasis)
	b.live(t, river)
	d := read("oasis")
	if len(d.Methods) != 1 || len(d.Assert) != 1 || d.Methods[0]["id"] != d.Assert[0] || d.Methods[0]["controller"] != d.ID ||
		d.Methods[0]["type"] != "Multikey" || !strings.HasPrefix(d.Methods[0]["publicKeyMultibase"], "z6Mk") ||
		d.Assert[0] != d.ID+"#"+d.Methods[0]["publicKeyMultibase"] {
		t.Errorf("document is %+v", d)
	}
	if read("river").Assert[0] == d.Assert[0] {
		t.Error("two institutions share a key")
	}
	if _, err := b.DIDDocument(t.Context(), "nobody"); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown slug: %v", err)
	}
}

package credential_test

import (
	"bytes"
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

func (m *memory) EndRenewal(context.Context, keyring.KeyID, time.Time) error {
	panic("only within a transaction")
}

func (t inTx) EndRenewal(_ context.Context, id keyring.KeyID, at time.Time) error {
	_, err := t.m.changeKey("EndRenewal", id, func(k *keyring.Key) bool { k.RenewalEndedAt = &at; return true })
	return err
}

func (t inTx) CountRefused(_ context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	return t.m.refused(in), nil
}

func (m *memory) CountRefused(_ context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refused(in), nil
}

func (m *memory) refused(in identity.InstitutionID) map[keyring.KeyID]int {
	out := map[keyring.KeyID]int{}
	for _, c := range m.credentials {
		if c.InstitutionID == in && m.late(c) {
			out[c.KeyID]++
		}
	}
	return out
}

func (m *memory) late(c credential.Credential) bool {
	return slices.ContainsFunc(m.keys, func(k keyring.Key) bool {
		return k.ID == c.KeyID && k.RevokedAt != nil && !c.SignedAt.Before(*k.RevokedAt)
	})
}

func (m *memory) ListRefused(_ context.Context, key keyring.KeyID, after credential.ID, limit int) ([]credential.Credential, error) {
	return m.list(after, limit, func(c credential.Credential) bool { return c.KeyID == key && m.late(c) }), nil
}

// stolen is a school whose first key was in other hands since a while: one certificate of before, two of since then.
func stolen(t *testing.T) (b *bench, key keyring.Key, before, late, later credential.Credential) {
	t.Helper()
	b = newBench(t)
	before = b.issued(t, 1, layla, oasis)
	b.now = b.now.Add(time.Hour)
	from := b.now
	late = b.issued(t, 2, sam, oasis)
	b.now = b.now.Add(time.Hour)
	later = b.issued(t, 3, layla, oasis)
	b.now = b.now.Add(time.Hour)
	key, err := b.Keys.Revoke(t.Context(), admin(oasis), oasis, b.store.keys[0].ID, from, "The disk was stolen.")
	if err != nil {
		t.Fatal(err)
	}
	b.now = b.now.Add(time.Hour)
	return b, key, before, late, later
}

func (b *bench) renew(t *testing.T, key keyring.KeyID) job.Job {
	t.Helper()
	if _, err := b.Keys.Renew(t.Context(), admin(oasis), oasis, key); err != nil || len(b.store.jobs) == 0 {
		t.Fatalf("%v, %d jobs", err, len(b.store.jobs))
	}
	j := b.store.jobs[len(b.store.jobs)-1]
	if j.Kind != keyring.RenewKind || !j.Priority.Background() {
		t.Errorf("job %+v", j)
	}
	return j
}

func (b *bench) find(t *testing.T, id credential.ID) credential.Credential {
	t.Helper()
	c, err := b.store.FindCredential(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a stolen key signed too late is signed anew with the next one, and says the same. All else stays, byte by byte.
func TestRenew(t *testing.T) {
	ctx := t.Context()
	b, key, before, late, later := stolen(t)
	if err := b.Revoke(ctx, issuer(oasis), late.ID, "Copied."); err != nil {
		t.Fatal(err)
	}
	stamp, err := b.store.StampCredentials(ctx, layla)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := b.Keys.List(ctx, admin(oasis), oasis)
	if err != nil || !reflect.DeepEqual(ring.Refused, map[keyring.KeyID]int{key.ID: 2}) {
		t.Fatalf("%+v, %v", ring, err)
	}

	j := b.renew(t, key.ID)
	b.check(t, later.ID, credential.Invalid) // it is only asked for
	if k, err := b.Keys.Renew(ctx, admin(oasis), oasis, key.ID); err != nil || len(b.store.jobs) != 1 || k.RenewalStartedAt == nil || k.RenewalEndedAt != nil || k.Sealed != nil {
		t.Errorf("asked again while it is under way: %+v, %v, %d jobs", k, err, len(b.store.jobs))
	}
	for range 2 { // a handler may run twice
		if err := b.RunRenewal(ctx, j); err != nil {
			t.Fatal(err)
		}
	}
	next := b.store.keys[1]
	for _, old := range []credential.Credential{late, later} {
		c := b.find(t, old.ID)
		if c.KeyID != next.ID || !c.SignedAt.Equal(b.now.Truncate(time.Second)) || !bytes.Contains(c.Document, []byte(next.Multikey)) || bytes.Contains(c.Document, []byte(key.Multikey)) {
			t.Errorf("signed by %s at %s: %s", c.KeyID, c.SignedAt, c.Document)
		}
		if !reflect.DeepEqual(document(t, c.Document), document(t, old.Document)) {
			t.Errorf("was %s\n is %s", old.Document, c.Document)
		}
	}
	b.check(t, late.ID, credential.Revoked)
	b.check(t, later.ID, credential.Valid)
	b.check(t, before.ID, credential.Valid)
	if c := b.find(t, before.ID); !bytes.Equal(c.Document, before.Document) || c.KeyID != key.ID {
		t.Errorf("what was signed in time is signed anew: %s", c.Document)
	}
	// Devices see that there is something new.
	if now, err := b.store.StampCredentials(ctx, layla); err != nil || !now.ChangedAt.After(stamp.ChangedAt) {
		t.Errorf("stamp %+v, was %+v, %v", now, stamp, err)
	}
	ring, err = b.Keys.List(ctx, admin(oasis), oasis)
	if k := ring.Keys[0]; err != nil || len(ring.Refused) != 0 || k.RenewalEndedAt == nil || !k.RenewalEndedAt.Equal(b.now) {
		t.Errorf("%+v, %v", ring, err)
	}
	// And again: there is nothing to do.
	if _, err := b.Keys.Renew(ctx, admin(oasis), oasis, key.ID); err != nil || len(b.store.jobs) != 1 {
		t.Errorf("%v, %d jobs", err, len(b.store.jobs))
	}
	want := []audit.Kind{audit.KeyCreated, audit.KeyRevoked, audit.CredentialRevoked, audit.RenewalStarted, audit.RenewalFinished}
	if got := b.kinds(t); !slices.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}
	if e := b.store.audits[3]; e.By != string(admin(oasis).UserID) || string(e.Data) != `{"credentials":2,"key":"`+string(key.ID)+`"}` {
		t.Errorf("%+v", e)
	}
	if e := b.store.audits[4]; e.By != "" || string(e.Data) != `{"key":"`+string(key.ID)+`","left":0}` {
		t.Errorf("%+v", e)
	}
}

// Whoever writes into the database gets no signature for it: only the key may be wrong with what is signed anew.
func TestRenewSignsNothingForged(t *testing.T) {
	ctx := t.Context()
	for name, forge := range map[string]func(*credential.Credential){
		"another name in the row": func(c *credential.Credential) { c.Name = "Somebody else" },
		"another name in the document": func(c *credential.Credential) {
			c.Document = bytes.ReplaceAll(c.Document, []byte("ليلى"), []byte("سلمى"))
		},
		"no proof": func(c *credential.Credential) {
			c.Document = bytes.Replace(c.Document, []byte(`"proof"`), []byte(`"prove"`), 1)
		},
		"no document": func(c *credential.Credential) { c.Document = []byte("{") },
	} {
		b, key, _, late, later := stolen(t)
		forge(&b.store.credentials[2])
		forged := b.find(t, later.ID)
		if err := b.RunRenewal(ctx, b.renew(t, key.ID)); err != nil {
			t.Fatal(err)
		}
		b.check(t, late.ID, credential.Valid)
		b.check(t, later.ID, credential.Invalid)
		if c := b.find(t, later.ID); !reflect.DeepEqual(c, forged) {
			t.Errorf("%s: it was touched: %+v", name, c)
		}
		ring, err := b.Keys.List(ctx, admin(oasis), oasis)
		if err != nil || ring.Refused[key.ID] != 1 || ring.Keys[0].RenewalEndedAt == nil {
			t.Errorf("%s: %+v, %v", name, ring, err)
		}
		if e := b.store.audits[len(b.store.audits)-1]; string(e.Data) != `{"key":"`+string(key.ID)+`","left":1}` {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// Somebody leaves while their certificate is signed anew: no name comes back.
func TestRenewWhileErasing(t *testing.T) {
	ctx := t.Context()
	b, key, _, _, later := stolen(t)
	j := b.renew(t, key.ID)
	b.leave(layla)
	if err := b.RunRenewal(ctx, j); err != nil {
		t.Fatal(err)
	}
	c := b.find(t, later.ID)
	if bytes.Contains(c.Document, []byte("ليلى")) || c.KeyID == key.ID {
		t.Errorf("%s", c.Document)
	}
	b.check(t, later.ID, credential.Valid)

	// Between the reading and the storing, too.
	b, key, _, _, later = stolen(t)
	j = b.renew(t, key.ID)
	b.store.locking = func() {
		b.store.locking = nil
		at := b.now
		for i := range b.store.credentials {
			if b.store.credentials[i].UserID == sam {
				b.store.credentials[i].Name, b.store.credentials[i].ErasedAt = "", &at
			}
		}
	}
	if err := b.RunRenewal(ctx, j); err != nil {
		t.Fatal(err)
	}
	for _, c := range b.store.credentials {
		if c.UserID == sam && c.KeyID != key.ID {
			t.Errorf("signed with the name that was erased: %s", c.Document)
		}
	}
	b.check(t, later.ID, credential.Valid)
}

// A run that is cut off is taken up where it was.
func TestRenewIsTakenUp(t *testing.T) {
	ctx := t.Context()
	b, key, _, late, later := stolen(t)
	j := b.renew(t, key.ID)
	replaced := 0
	b.store.fail = func(op string) error {
		if op == "ReplaceDocument" {
			if replaced++; replaced == 2 {
				return fault.New(fault.Unavailable, "database.lost")
			}
		}
		return nil
	}
	if err := b.RunRenewal(ctx, j); err == nil || b.store.done[j.ID] {
		t.Fatalf("%v, done %v", err, b.store.done[j.ID])
	}
	b.check(t, late.ID, credential.Valid)
	b.check(t, later.ID, credential.Invalid)
	first := b.find(t, late.ID)
	b.now = b.now.Add(time.Minute)
	if err := b.RunRenewal(ctx, j); err != nil {
		t.Fatal(err)
	}
	b.check(t, later.ID, credential.Valid)
	if c := b.find(t, late.ID); !bytes.Equal(c.Document, first.Document) {
		t.Error("what was signed anew is signed once more")
	}
}

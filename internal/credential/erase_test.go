package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

func (t inTx) ReplaceDocument(_ context.Context, c credential.Credential) error {
	if err := t.m.write("ReplaceDocument"); err != nil {
		return err
	}
	for i := range t.m.credentials {
		if t.m.credentials[i].ID == c.ID {
			t.m.credentials[i] = c
		}
	}
	return nil
}

func (m *memory) ReplaceDocument(context.Context, credential.Credential) error {
	panic("only within a transaction")
}

func (m *memory) FinishJob(_ context.Context, id job.ID) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.finish(id)
}

func (t inTx) FinishJob(_ context.Context, id job.ID) (bool, error) { return t.m.finish(id) }

func (m *memory) finish(id job.ID) (bool, error) {
	fresh := !m.done[id]
	if m.done == nil {
		m.done = map[job.ID]bool{}
	}
	m.done[id] = true
	return fresh, nil
}

// leave does what the store does to the rows of somebody whose account is erased.
func (b *bench) leave(user identity.UserID) {
	b.store.mu.Lock()
	defer b.store.mu.Unlock()
	at := b.now
	for i := range b.store.credentials {
		if b.store.credentials[i].UserID == user {
			b.store.credentials[i].Name, b.store.credentials[i].ErasedAt = "", &at
		}
	}
}

func (b *bench) erasure(t *testing.T, n int, user identity.UserID) job.Job {
	t.Helper()
	j, err := job.New(id[job.ID](6, n), identity.ErasedKind, identity.ErasedPayload{UserID: user})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// document is a signed document without its proofs.
func document(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "proof")
	return doc
}

func TestEraseNames(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	kept := b.issued(t, 1, layla, oasis) // with the copy that the holder kept
	other := b.issued(t, 2, sam, oasis)
	b.now = b.now.Add(48 * time.Hour)
	b.leave(layla)

	if err := b.EraseNames(ctx, b.erasure(t, 1, layla)); err != nil {
		t.Fatal(err)
	}
	if !b.store.done[id[job.ID](6, 1)] {
		t.Error("the job is not done")
	}
	row, err := b.store.FindCredential(ctx, kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{kept.Name, "ليلى", "حداد", `\u0644`} {
		if bytes.Contains(row.Document, []byte(name)) {
			t.Errorf("the name stands in %s", row.Document)
		}
	}
	st := b.check(t, kept.ID, credential.Valid)
	if st.Claims.Name != "" || st.Claims.Achievement == "" || !st.Claims.IssuedAt.Equal(kept.IssuedAt) {
		t.Errorf("claims are %+v", st.Claims)
	}

	// Nothing else was changed: the same id, issuer, dates, achievement and places in the lists.
	was, is := document(t, kept.Document), document(t, row.Document)
	before, _ := was["credentialSubject"].(map[string]any)
	after, _ := is["credentialSubject"].(map[string]any)
	if after["id"] != "urn:uuid:"+string(kept.ID) {
		t.Errorf("the subject is %v", after["id"])
	}
	delete(before, "identifier")
	if !reflect.DeepEqual(was, is) {
		t.Errorf("was %v\n is %v", was, is)
	}

	// The copy that was kept still verifies by its signature, against the institution's keys of today.
	keys, err := b.Keys.All(ctx, oasis)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(ctx, kept.Document, stranger(keys)); err != nil {
		t.Errorf("the copy that was kept: %v", err)
	}

	// Once more changes nothing, not even the signature; and the others' certificates keep their names.
	if err := b.EraseNames(ctx, b.erasure(t, 2, layla)); err != nil {
		t.Fatal(err)
	}
	if again, err := b.store.FindCredential(ctx, kept.ID); err != nil || !bytes.Equal(again.Document, row.Document) {
		t.Errorf("signed again: %v", err)
	}
	if c, err := b.Find(ctx, other.ID); err != nil || !bytes.Equal(c.Document, other.Document) {
		t.Errorf("another's was changed: %v", err)
	}

	// It can still be revoked, in the list where every copy finds it.
	if err := b.Revoke(ctx, issuer(oasis), kept.ID, "Copied."); err != nil {
		t.Fatal(err)
	}
	b.check(t, kept.ID, credential.Revoked)
}

// stranger finds methods among stored keys, as a stranger finds them in the DID document.
type stranger []keyring.Key

func (r stranger) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	for _, k := range r {
		if k.Method() == id {
			return proof.Method{Controller: k.Controller, Multikey: k.Multikey, NotBefore: k.CreatedAt}, nil
		}
	}
	return proof.Method{}, errors.New("no such key")
}

// The job may come late, or die: nobody reads the name in the meantime.
func TestNoNameBeforeTheJob(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	c := b.issued(t, 1, layla, oasis)
	b.leave(layla)
	for _, read := range []func() (credential.Credential, error){
		func() (credential.Credential, error) { return b.Find(ctx, c.ID) },
		func() (credential.Credential, error) { st, err := b.Check(ctx, c.ID); return st.Credential, err },
	} {
		got, err := read()
		if err != nil || bytes.Contains(got.Document, []byte(c.Name)) || got.Name != "" {
			t.Fatalf("%s, %v", got.Document, err)
		}
	}

	b2 := newBench(t)
	c = b2.issued(t, 1, layla, oasis)
	b2.leave(layla)
	b2.store.fail = func(op string) error {
		if op == "ReplaceDocument" {
			return fault.New(fault.Unavailable, "database.lost")
		}
		return nil
	}
	if got, err := b2.Find(ctx, c.ID); err == nil {
		t.Errorf("a name was given out: %s", got.Document)
	}
	if err := b2.EraseNames(ctx, b2.erasure(t, 1, layla)); err == nil || b2.store.done[id[job.ID](6, 1)] {
		t.Errorf("a job that did not do its work is done: %v", err)
	}
}

// Whoever can write rows but has no key makes no nameless certificate of one with a name, and none with a name of a nameless one.
func TestErasedRowsMustMatch(t *testing.T) {
	ctx, b := t.Context(), newBench(t)
	c := b.issued(t, 1, layla, oasis)
	b.leave(layla)
	if _, err := b.Find(ctx, c.ID); err != nil {
		t.Fatal(err)
	}
	b.check(t, c.ID, credential.Valid)
	for _, change := range map[string]func(*credential.Credential){
		"a name again":   func(c *credential.Credential) { c.Name = "Somebody else" },
		"never erased":   func(c *credential.Credential) { c.ErasedAt = nil },
		"the old signed": func(r *credential.Credential) { r.Document, r.ErasedAt = c.Document, nil },
	} {
		saved := b.store.credentials[0]
		change(&b.store.credentials[0])
		b.check(t, c.ID, credential.Invalid)
		b.store.credentials[0] = saved
	}
	b.check(t, c.ID, credential.Valid)
}

package credential_test

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// keys is the same store as keyring sees it. Its writes are within transactions.
type keys struct {
	keyring.Store // panics for what is not allowed without
	m             *memory
}

var _ keyring.Store = keys{}

func (k keys) InTx(_ context.Context, fn func(tx keyring.Store) error) error {
	return k.m.transact(func() error { return fn(keysTx{m: k.m}) })
}

func (k keys) CountRefused(ctx context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	return k.m.CountRefused(ctx, in)
}

// keysTx is that inside a transaction: the lock is held already.
type keysTx struct {
	keyring.Store
	m *memory
}

func (t keysTx) Audit(_ context.Context, e audit.Entry) error { return t.m.audit(e) }

func (t keysTx) CountRefused(_ context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	return t.m.refused(in), nil
}

func (t keysTx) RetireKey(_ context.Context, id keyring.KeyID, at time.Time) (bool, error) {
	return t.m.changeKey("RetireKey", id, func(k *keyring.Key) bool {
		fresh := k.RetiredAt == nil
		if fresh {
			k.RetiredAt = &at
		}
		return fresh
	})
}

func (t keysTx) RevokeKey(_ context.Context, id keyring.KeyID, at time.Time, reason string) (bool, error) {
	return t.m.changeKey("RevokeKey", id, func(k *keyring.Key) bool {
		fresh := k.RevokedAt == nil
		if fresh {
			k.RevokedAt, k.RevokedReason = &at, reason
		}
		return fresh
	})
}

func (t keysTx) CreateKey(_ context.Context, k keyring.Key) error { return t.m.createKey(k) }

func (t keysTx) ListKeys(_ context.Context, in identity.InstitutionID) ([]keyring.Key, error) {
	return t.m.keysOf(func(k keyring.Key) bool { return k.InstitutionID == in }), nil
}

func (t keysTx) TouchCredentials(_ context.Context, in identity.InstitutionID, at time.Time) error {
	for i := range t.m.credentials {
		if t.m.credentials[i].InstitutionID == in {
			t.m.credentials[i].ChangedAt = at
		}
	}
	return nil
}

func (t keysTx) StartRenewal(_ context.Context, id keyring.KeyID, at time.Time) (bool, error) {
	return t.m.changeKey("StartRenewal", id, func(k *keyring.Key) bool {
		fresh := k.RenewalStartedAt == nil || k.RenewalEndedAt != nil
		if fresh {
			k.RenewalStartedAt, k.RenewalEndedAt = &at, nil
		}
		return fresh
	})
}

func (t keysTx) Enqueue(_ context.Context, j job.Job) error {
	if err := t.m.write("Enqueue"); err != nil {
		return err
	}
	t.m.jobs = append(t.m.jobs, j)
	return nil
}

func (k keys) ListKeysOf(_ context.Context, controller string) ([]keyring.Key, error) {
	k.m.mu.Lock()
	defer k.m.mu.Unlock()
	return k.m.keysOf(func(row keyring.Key) bool { return row.Controller == controller }), nil
}

func (k keys) ListKeys(_ context.Context, in identity.InstitutionID) ([]keyring.Key, error) {
	k.m.mu.Lock()
	defer k.m.mu.Unlock()
	return k.m.keysOf(func(row keyring.Key) bool { return row.InstitutionID == in }), nil
}

func (m *memory) changeKey(op string, id keyring.KeyID, change func(*keyring.Key) bool) (bool, error) {
	if err := m.write(op); err != nil {
		return false, err
	}
	for i := range m.keys {
		if m.keys[i].ID == id {
			return change(&m.keys[i]), nil
		}
	}
	return false, nil
}

func (m *memory) keysOf(ok func(keyring.Key) bool) []keyring.Key {
	var out []keyring.Key
	for _, k := range m.keys {
		if ok(k) {
			out = append(out, k)
		}
	}
	return out
}

func (m *memory) createKey(k keyring.Key) error {
	if err := m.write("CreateKey"); err != nil {
		return err
	}
	if k.Kind == "" {
		k.Kind = keyring.Ed25519
	}
	for _, o := range m.keys {
		if o.InstitutionID == k.InstitutionID && o.Controller == k.Controller && o.Kind == k.Kind && o.RetiredAt == nil {
			return fault.New(fault.Conflict, "credential.key_exists")
		}
	}
	m.keys = append(m.keys, k)
	return nil
}

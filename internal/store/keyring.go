package store

import (
	"context"
	"time"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Keyring keeps the keys that institutions issue with.
type Keyring struct{ conn }

var _ keyring.Store = (*Keyring)(nil)

// Keyring gives the store of the issuing keys.
func (db *DB) Keyring() *Keyring { return &Keyring{conn{db: db}} }

// InTx implements keyring.Store. See inTx: fn may run again after a deadlock.
func (s *Keyring) InTx(ctx context.Context, fn func(keyring.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Keyring{c}) })
}

type keyRow struct {
	ID            key
	InstitutionID key
	Controller    string
	Kind          keyring.Kind
	Multikey      string
	Jwk           string
	Sealed        []byte
	CreatedAt     instant
	RetiredAt     instant
	RevokedAt     instant
	RevokedReason string

	RenewalStartedAt instant
	RenewalEndedAt   instant
}

func (keyRow) TableName() string { return "issuer_keys" }

func (r keyRow) key() keyring.Key {
	return keyring.Key{
		ID: keyring.KeyID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), Controller: r.Controller,
		Kind: r.Kind, Multikey: r.Multikey, JWK: r.Jwk, Sealed: r.Sealed, CreatedAt: r.CreatedAt.t,
		RetiredAt: r.RetiredAt.pointer(), RevokedAt: r.RevokedAt.pointer(), RevokedReason: r.RevokedReason,
		RenewalStartedAt: r.RenewalStartedAt.pointer(), RenewalEndedAt: r.RenewalEndedAt.pointer(),
	}
}

// CreateKey implements keyring.Store.
func (s *Keyring) CreateKey(ctx context.Context, k keyring.Key) error {
	if k.Kind == "" {
		k.Kind = keyring.Ed25519
	}
	err := s.write(ctx).Create(&keyRow{
		ID: key(k.ID), InstitutionID: key(k.InstitutionID), Controller: k.Controller, Kind: k.Kind, Multikey: k.Multikey, Jwk: k.JWK,
		Sealed: k.Sealed, CreatedAt: at(k.CreatedAt), RetiredAt: maybeAt(k.RetiredAt),
		RevokedAt: maybeAt(k.RevokedAt), RevokedReason: k.RevokedReason,
	}).Error
	return s.db.taken(err, "credential.key_exists")
}

// RetireKey implements keyring.Store.
func (s *Keyring) RetireKey(ctx context.Context, id keyring.KeyID, when time.Time) (bool, error) {
	res := s.write(ctx).Model(&keyRow{}).Where("id = ? AND retired_at IS NULL", key(id)).Update("retired_at", at(when))
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// RevokeKey implements keyring.Store.
func (s *Keyring) RevokeKey(ctx context.Context, id keyring.KeyID, when time.Time, reason string) (bool, error) {
	res := s.write(ctx).Model(&keyRow{}).Where("id = ? AND revoked_at IS NULL", key(id)).
		Updates(map[string]any{"revoked_at": at(when), "revoked_reason": reason})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// StartRenewal implements keyring.Store.
func (s *Keyring) StartRenewal(ctx context.Context, id keyring.KeyID, when time.Time) (bool, error) {
	res := s.write(ctx).Model(&keyRow{}).Where("id = ? AND (renewal_started_at IS NULL OR renewal_ended_at IS NOT NULL)", key(id)).
		Updates(map[string]any{"renewal_started_at": at(when), "renewal_ended_at": nil})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// holding locks rows that others may lock in the same way and nobody may change until the end of the transaction.
var holding = clause.Locking{Strength: "SHARE"}

// HoldKey implements keyring.Holder. Outside of a transaction it would hold nothing.
func (c conn) HoldKey(ctx context.Context, id keyring.KeyID) (keyring.Key, error) {
	r, err := one[keyRow](c, c.write(ctx).Clauses(holding).Where("id = ?", key(id)), "credential.key_not_found")
	return r.key(), err
}

// ListKeys implements keyring.Store.
func (s *Keyring) ListKeys(ctx context.Context, in identity.InstitutionID) ([]keyring.Key, error) {
	if !key(in).valid() {
		return []keyring.Key{}, nil
	}
	return many(s.conn, s.read(ctx).Where("institution_id = ?", key(in)).Order("id"), keyRow.key)
}

// ListKeysOf implements keyring.Store.
func (s *Keyring) ListKeysOf(ctx context.Context, controller string) ([]keyring.Key, error) {
	return many(s.conn, s.read(ctx).Where("controller = ?", controller).Order("id"), keyRow.key)
}

// TouchCredentials implements keyring.Store.
func (s *Keyring) TouchCredentials(ctx context.Context, in identity.InstitutionID, when time.Time) error {
	return s.db.fail(s.write(ctx).Model(&credentialRow{}).Where("institution_id = ?", key(in)).Update("changed_at", at(when)).Error)
}

// CountRefused implements keyring.Store.
func (s *Keyring) CountRefused(ctx context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	out := map[keyring.KeyID]int{}
	if !key(in).valid() {
		return out, nil
	}
	type count struct {
		KeyID key
		Many  int
	}
	counts, err := many(s.conn, s.read(ctx).Table("credentials").Select("key_id, count(*) AS many").
		Joins("JOIN issuer_keys ON issuer_keys.id = key_id AND signed_at >= issuer_keys.revoked_at").
		Where("issuer_keys.institution_id = ?", key(in)).Group("key_id"), func(c count) count { return c })
	for _, c := range counts {
		out[keyring.KeyID(c.KeyID)] = c.Many
	}
	return out, err
}

// ListIssuing implements keyring.Store.
func (s *Keyring) ListIssuing(ctx context.Context) ([]identity.InstitutionID, error) {
	type row struct{ InstitutionID key }
	return many(s.conn, s.read(ctx).Model(&keyRow{}).Distinct("institution_id").Order("institution_id"), func(r row) identity.InstitutionID {
		return identity.InstitutionID(r.InstitutionID)
	})
}

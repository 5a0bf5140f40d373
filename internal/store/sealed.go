package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"
)

// Sealed reads and replaces what is sealed under the operator's master key, whatever domain it belongs to.
type Sealed struct{ conn }

// Sealed gives the store of sealed values.
func (db *DB) Sealed() *Sealed { return &Sealed{conn{db: db}} }

// SealedKind tells what a sealed value is.
type SealedKind string

// The kinds: an institution's key to sign certificates, its key to sign bundles, a learner's recovery key.
const (
	IssuerKey    SealedKind = "issuer"
	PublisherKey SealedKind = "publisher"
	DeviceSecret SealedKind = "device"
)

// SealedKinds are all kinds: a table with a sealed column that is missing here would be lost with an old master key.
var SealedKinds = []SealedKind{IssuerKey, PublisherKey, DeviceSecret}

// SealedValue is one of them, with what its owner is made of.
type SealedValue struct {
	Kind    SealedKind
	ID      string
	Of      string // institution, or user for a device
	KeyKind string // of an issuer's key
	Bytes   []byte
}

// sealedIn says where each kind stands: table, column, whose it is, and the kind of key.
var sealedIn = map[SealedKind][4]string{
	IssuerKey:    {"issuer_keys", "sealed", "institution_id", "kind"},
	PublisherKey: {"publisher_keys", "sealed", "institution_id", "''"},
	DeviceSecret: {"devices", "recovery", "user_id", "''"},
}

// List lists values of a kind by id, those after a cursor that is "" at first.
func (s *Sealed) List(ctx context.Context, kind SealedKind, after string, limit int) ([]SealedValue, error) {
	type row struct {
		ID      key
		Of      key `gorm:"column:owned_by"`
		KeyKind string
		Sealed  []byte
	}
	in := sealedIn[kind]
	q := s.read(ctx).Table(in[0]).Select(fmt.Sprintf("id, %s AS owned_by, %s AS key_kind, %s AS sealed", in[2], in[3], in[1]))
	return many(s.conn, forward(q, "id", key(after), limit), func(r row) SealedValue {
		return SealedValue{Kind: kind, ID: string(r.ID), Of: string(r.Of), KeyKind: r.KeyKind, Bytes: r.Sealed}
	})
}

// Replace puts other bytes in the place of v's, and tells whether those still stood there.
func (s *Sealed) Replace(ctx context.Context, v SealedValue, next []byte) (bool, error) {
	in := sealedIn[v.Kind]
	res := s.write(ctx).Table(in[0]).Where("id = ? AND "+in[1]+" = ?", key(v.ID), v.Bytes).
		Updates(map[string]any{in[1]: gorm.Expr("?", next)})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

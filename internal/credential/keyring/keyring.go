// Package keyring keeps the keys that institutions issue with.
package keyring

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// KeyID is a UUIDv7.
type KeyID string

// Kind is what a key is made of.
type Kind string

// The kinds. A DID has one live key of each kind at most.
const (
	Ed25519 Kind = "ed25519" // signs credentials, lists and codes
	RSA     Kind = "rsa"     // signs VC-JWT, for consumers that want RS256
)

// Key is an issuing key of an institution. The private half is sealed under
// the operator's master key.
type Key struct {
	ID            KeyID
	InstitutionID identity.InstitutionID
	Controller    string // the DID that it signs for
	Kind          Kind   // "" is Ed25519
	Multikey      string // of an Ed25519 key the public half, z6Mk…; of an RSA key its thumbprint (RFC 7638)
	JWK           string // the public half of an RSA key, as JSON
	Sealed        []byte
	CreatedAt     time.Time
	RetiredAt     *time.Time // signs nothing that is later; what it signed stays good
	RevokedAt     *time.Time // what it signed from then on is refused; a revoked key is retired too
	RevokedReason string
	// RenewalStartedAt is when it was asked last that what it signed after RevokedAt is signed anew, RenewalEndedAt when that was done.
	RenewalStartedAt *time.Time
	RenewalEndedAt   *time.Time
}

// Method is the address of the key in the DID document.
func (k Key) Method() string { return k.Controller + "#" + k.Multikey }

func (k Key) kind() Kind {
	if k.Kind == "" {
		return Ed25519
	}
	return k.Kind
}

// Bare leaves the sealed half out.
func (k Key) Bare() Key {
	k.Sealed = nil
	return k
}

// Holder is what storing something signed needs of storage.
type Holder interface {
	// HoldKey finds a key that nobody retires or revokes until this transaction ends; others may hold it too.
	HoldKey(ctx context.Context, id KeyID) (Key, error) // fault.NotFound credential.key_not_found
}

// Withdrawn is the message key of Hold's refusal.
const Withdrawn = "credential.key_withdrawn"

// Signature says which key signed something, and when.
type Signature struct {
	KeyID KeyID
	At    time.Time
}

// Hold is called in the transaction that stores what was signed outside of it: a key may have been taken back
// since. fault.Conflict credential.key_withdrawn: then nothing of it may be stored, and it is to be signed anew, with the key of now.
// Otherwise no key of these is taken back before the transaction ends.
func Hold(ctx context.Context, tx Holder, by ...Signature) error {
	held := map[KeyID]Key{}
	for _, s := range by {
		k, ok := held[s.KeyID]
		if !ok {
			var err error
			if k, err = tx.HoldKey(ctx, s.KeyID); err != nil {
				return err
			}
			held[s.KeyID] = k
		}
		if k.RevokedAt != nil || k.RetiredAt != nil && s.At.After(*k.RetiredAt) {
			return fault.New(fault.Conflict, Withdrawn)
		}
	}
	return nil
}

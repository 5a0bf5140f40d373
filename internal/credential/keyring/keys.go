package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// grace is how long a key that was rotated may still sign: a worker that took it just before has its credential in hand.
const grace = time.Minute

// tries is how often we begin anew when another worker was faster.
const tries = 8

const maxReason = 500

// Ring are an institution's keys, and the DID that it issues under now.
type Ring struct {
	DID  string
	Keys []Key // of every DID that it ever had, oldest first; Sealed is empty
	// Refused tells of revoked keys how many credentials they signed too late: those are invalid until they are signed anew; see Renew.
	Refused map[KeyID]int
}

// List tells which keys an institution has and had. For its admins and the operator.
func (s *Service) List(ctx context.Context, by identity.Actor, id identity.InstitutionID) (Ring, error) {
	if err := mayHoldKeys(by, id); err != nil {
		return Ring{}, err
	}
	in, did, err := s.Issuer(ctx, id)
	if err != nil {
		return Ring{}, err
	}
	keys, err := s.Store.ListKeys(ctx, in.ID)
	if err != nil {
		return Ring{}, err
	}
	refused, err := s.Store.CountRefused(ctx, in.ID)
	return Ring{DID: did, Keys: bare(keys), Refused: refused}, err
}

// bare leaves the sealed halves out.
func bare(keys []Key) []Key {
	out := make([]Key, len(keys))
	for i, k := range keys {
		out[i] = k.Bare()
	}
	return out
}

func mayHoldKeys(by identity.Actor, in identity.InstitutionID) error {
	if !by.Operates() && !by.Has(in, identity.Admin) {
		return fault.New(fault.Denied, "credential.keys_denied")
	}
	return nil
}

// Rotate gives the institution's DID a new signing key. The one before signs nothing that is later, and what it signed stays
// good. For admins and the operator. id is the new key's, made by who asks: asking twice makes one key. When somebody else rotates at the
// same moment, one of the two gets fault.Conflict credential.key_exists.
func (s *Service) Rotate(ctx context.Context, by identity.Actor, in identity.InstitutionID, id KeyID) (Key, error) {
	if err := mayHoldKeys(by, in); err != nil {
		return Key{}, err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return Key{}, fault.New(fault.Denied, "token.scope_missing")
	}
	if !isUUID(string(id)) {
		return Key{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/id", Key: "request.bad_value"})
	}
	_, did, err := s.Issuer(ctx, in)
	if err != nil {
		return Key{}, err
	}
	next, err := s.generate(ctx, in, did, id)
	if err != nil {
		return Key{}, err
	}
	made := next
	err = s.Store.InTx(ctx, func(tx Store) error {
		keys, err := tx.ListKeys(ctx, in)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id }); i >= 0 {
			made = keys[i]
			return nil
		}
		data := map[string]any{"key": string(next.ID), "method": next.Method(), "kind": string(Ed25519)}
		if before, ok := live(keys, did); ok {
			if fresh, err := tx.RetireKey(ctx, before.ID, next.CreatedAt.Add(grace)); err != nil {
				return err
			} else if !fresh {
				return fault.New(fault.Conflict, "credential.key_exists")
			}
			data["retired"] = string(before.ID)
		}
		if err := tx.CreateKey(ctx, next); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, next.CreatedAt, audit.KeyRotated, data))
	})
	return made.Bare(), err
}

// Revoke takes a key back from a date on: what it signed from then on is refused, what it signed before stays good. For
// admins and the operator. The first revocation stands; a second one is no error and changes nothing. Where the key was in use a new one
// follows it at once, because status lists are signed every few minutes.
//
// The date of a signature is what the signer wrote. Who has stolen a key can write an older one: this server knows what
// was issued and refuses the rest, others rely on the date. So choose a date before the theft; what was rightly issued since is
// signed anew by Renew.
func (s *Service) Revoke(ctx context.Context, by identity.Actor, in identity.InstitutionID, id KeyID, from time.Time, reason string) (Key, error) {
	if err := mayHoldKeys(by, in); err != nil {
		return Key{}, err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return Key{}, fault.New(fault.Denied, "token.scope_missing")
	}
	now, from := s.Now().UTC(), from.UTC().Truncate(time.Second)
	reason = strings.TrimSpace(reason)
	bad := fault.New(fault.Invalid, "request.invalid")
	if from.After(now) {
		bad.At(fault.Detail{Pointer: "/from", Key: "credential.key_date_ahead"})
	}
	if n := utf8.RuneCountInString(reason); n < 1 || n > maxReason || !identity.CleanText(strings.ReplaceAll(reason, "\n", " ")) {
		bad.At(fault.Detail{Pointer: "/reason", Key: "credential.bad_reason", Args: map[string]any{"Max": maxReason}})
	}
	if len(bad.Details) > 0 {
		return Key{}, bad
	}
	k, err := findKey(ctx, s.Store, in, id)
	if err != nil {
		return Key{}, err
	}
	signed := k.kind() == Ed25519 && (k.RetiredAt == nil || !k.RetiredAt.Before(from))
	var next Key
	if k.RetiredAt == nil && k.kind() == Ed25519 { // others are made when they are next needed
		if next, err = s.generate(ctx, in, k.Controller, KeyID(s.NewID())); err != nil {
			return Key{}, err
		}
	}
	err = s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := tx.RevokeKey(ctx, id, from, reason); err != nil || !fresh {
			return err
		}
		data := map[string]any{"key": string(id), "method": k.Method(), "from": from.Format(time.RFC3339)}
		retired, err := tx.RetireKey(ctx, id, now)
		if err != nil {
			return err
		}
		if retired && next.ID != "" {
			if err := tx.CreateKey(ctx, next); err != nil {
				return err
			}
			data["successor"] = string(next.ID)
		}
		if signed {
			// Devices keep documents and codes of that time: now they ask for them again.
			if err := tx.TouchCredentials(ctx, in, now); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, now, audit.KeyRevoked, data))
	})
	if err != nil {
		return Key{}, err
	}
	k, err = findKey(ctx, s.Store, in, id)
	return k.Bare(), err
}

// generate makes a key and stores nothing.
func (s *Service) generate(ctx context.Context, in identity.InstitutionID, did string, id KeyID) (Key, error) {
	k, err := signing.Generate(s.Random)
	if err != nil {
		return Key{}, err
	}
	row := Key{ID: id, InstitutionID: in, Controller: did, Kind: Ed25519, Multikey: k.Multikey(), CreatedAt: s.Now().UTC()}
	if row.Sealed, err = s.Sealer.Seal(ctx, owner(row), k); err != nil {
		return Key{}, fmt.Errorf("seal key of institution %s: %w", in, err)
	}
	return row, nil
}

// Live gives the institution's key for a DID and makes it at first use. Each
// DID has a key of its own: when the host changes its name, the old name's key stays
// with the old name and its credentials.
func (s *Service) Live(ctx context.Context, in identity.InstitutionID, did string) (Key, signing.Key, error) {
	for range tries {
		keys, err := s.Store.ListKeys(ctx, in)
		if err != nil {
			return Key{}, signing.Key{}, err
		}
		if row, ok := live(keys, did); ok {
			k, err := s.Open(ctx, row)
			return row, k, err
		}
		row, err := s.generate(ctx, in, did, KeyID(s.NewID()))
		if err != nil {
			return Key{}, signing.Key{}, err
		}
		err = s.Store.InTx(ctx, func(tx Store) error {
			if err := tx.CreateKey(ctx, row); err != nil {
				return err
			}
			data := map[string]any{"key": string(row.ID), "method": row.Method(), "kind": string(Ed25519)}
			return tx.Audit(ctx, audit.New(in, "", row.CreatedAt, audit.KeyCreated, data))
		})
		if err != nil && !hasKey(err, "credential.key_exists") {
			return Key{}, signing.Key{}, err
		}
		// Whoever was first made the key that counts: read it.
	}
	return Key{}, signing.Key{}, fmt.Errorf("institution %s gets no key", in)
}

// InUse gives the Ed25519 key that a DID signs with, and tells whether there is one.
func (s *Service) InUse(ctx context.Context, in identity.InstitutionID, did string) (Key, bool, error) {
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return Key{}, false, err
	}
	row, ok := live(keys, did)
	return row, ok, nil
}

// All lists the keys that an institution has and had, oldest first, with their sealed halves.
func (s *Service) All(ctx context.Context, in identity.InstitutionID) ([]Key, error) {
	return s.Store.ListKeys(ctx, in)
}

func findKey(ctx context.Context, st Store, in identity.InstitutionID, id KeyID) (Key, error) {
	keys, err := st.ListKeys(ctx, in)
	if err != nil {
		return Key{}, err
	}
	if i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id }); i >= 0 {
		return keys[i], nil
	}
	return Key{}, fault.New(fault.NotFound, "credential.key_not_found")
}

// live gives the Ed25519 key that a DID signs with.
func live(keys []Key, did string) (Key, bool) {
	for _, k := range keys {
		if k.Controller == did && k.RetiredAt == nil && k.kind() == Ed25519 {
			return k, true
		}
	}
	return Key{}, false
}

func owner(k Key) signing.Owner {
	return signing.Owner{InstitutionID: string(k.InstitutionID), KeyID: string(k.ID)}
}

// Open gives the private half of an Ed25519 key.
func (s *Service) Open(ctx context.Context, row Key) (signing.Key, error) {
	k, err := s.Sealer.Open(ctx, owner(row), row.Sealed)
	if err != nil {
		return signing.Key{}, fmt.Errorf("open key %s: %w", row.ID, err)
	}
	if k.Multikey() != row.Multikey {
		return signing.Key{}, fmt.Errorf("key %s has another public half than its row", row.ID)
	}
	return k, nil
}

// SigningTime is now in whole seconds, but never before the key existed: the
// clocks of two workers differ, and a signature older than its key is refused for ever.
func (s *Service) SigningTime(k Key) time.Time {
	now := s.Now().UTC()
	if now.Before(k.CreatedAt) {
		now = k.CreatedAt.UTC()
	}
	return now.Truncate(time.Second)
}

func hasKey(err error, key string) bool {
	var f *fault.Error
	return errors.As(err, &f) && f.Key == key
}

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36 && s == strings.ToLower(s)
}

package keyring

import (
	"context"
	"fmt"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// LiveRSA gives the RSA key that a DID signs with, and makes it at first use.
func (s *Service) LiveRSA(ctx context.Context, in identity.InstitutionID, did string) (Key, error) {
	for range tries {
		keys, err := s.Store.ListKeys(ctx, in)
		if err != nil {
			return Key{}, err
		}
		for _, k := range keys {
			if k.Controller == did && k.RetiredAt == nil && k.kind() == RSA {
				return k, nil
			}
		}
		if err := s.makeRSA(ctx, in, did); err != nil && !hasKey(err, "credential.key_exists") {
			return Key{}, err
		}
		// Whoever was first made the key that counts: read it.
	}
	return Key{}, fmt.Errorf("institution %s gets no RSA key", in)
}

func (s *Service) makeRSA(ctx context.Context, in identity.InstitutionID, did string) error {
	s.making.Lock() // it takes some tenths of a second: many who ask at once make one
	defer s.making.Unlock()
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Controller == did && k.RetiredAt == nil && k.kind() == RSA {
			return nil
		}
	}
	k, err := signing.GenerateRSA()
	if err != nil {
		return err
	}
	row := Key{ID: KeyID(s.NewID()), InstitutionID: in, Controller: did, Kind: RSA, Multikey: k.Thumbprint(), JWK: k.JWK(), CreatedAt: s.Now().UTC()}
	if row.Sealed, err = s.Sealer.SealRSA(ctx, owner(row), k); err != nil {
		return fmt.Errorf("seal RSA key of institution %s: %w", in, err)
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.CreateKey(ctx, row); err != nil {
			return err
		}
		data := map[string]any{"key": string(row.ID), "method": row.Method(), "kind": string(RSA)}
		return tx.Audit(ctx, audit.New(in, "", row.CreatedAt, audit.KeyCreated, data))
	})
}

// OpenRSA gives the private half of an RSA key.
func (s *Service) OpenRSA(ctx context.Context, row Key) (signing.RSAKey, error) {
	k, err := s.Sealer.OpenRSA(ctx, owner(row), row.Sealed)
	if err != nil {
		return signing.RSAKey{}, fmt.Errorf("open key %s: %w", row.ID, err)
	}
	if k.Thumbprint() != row.Multikey {
		return signing.RSAKey{}, fmt.Errorf("key %s has another public half than its row", row.ID)
	}
	return k, nil
}

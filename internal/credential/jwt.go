package credential

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// JWT gives a credential as RS256 VC-JWT, for consumers that take no other. Who has its id may read it, as with the
// document. It is made when it is asked for, and so is the RSA key of its DID. What does not verify is not signed anew:
// fault.Conflict credential.broken.
func (s *Service) JWT(ctx context.Context, id ID) (string, error) {
	c, err := s.Find(ctx, id)
	if err != nil {
		return "", err
	}
	claims, err := s.verify(ctx, c)
	if isRefusal(err) {
		return "", fault.Wrap(fault.Conflict, "credential.broken", err)
	}
	if err != nil {
		return "", err
	}
	row, err := s.rsaRow(ctx, c.InstitutionID, claims.Issuer)
	if err != nil {
		return "", err
	}
	// Signing takes milliseconds, and whoever has an id may ask.
	name := sha256.Sum256(append([]byte(row.ID), c.Document...))
	if token, ok := s.tokens.get(name); ok {
		return token, nil
	}
	key, err := s.openRSA(ctx, row)
	if err != nil {
		return "", err
	}
	// One credential and key have one token, whenever it is asked for: it was signed when both were there.
	at := c.IssuedAt
	if row.CreatedAt.After(at) {
		at = row.CreatedAt
	}
	token, err := vcjwt.Sign(c.Document, key, row.Method(), at.Truncate(time.Second))
	if err != nil {
		return "", fmt.Errorf("sign token of credential %s: %w", id, err)
	}
	s.tokens.put(name, token)
	return token, nil
}

// rsaRow gives the RSA key that a DID signs with, and makes it at first use.
func (s *Service) rsaRow(ctx context.Context, in identity.InstitutionID, did string) (Key, error) {
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
	s.tokens.making.Lock() // it takes some tenths of a second: many who ask at once make one
	defer s.tokens.making.Unlock()
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

func (s *Service) openRSA(ctx context.Context, row Key) (signing.RSAKey, error) {
	k, err := s.Sealer.OpenRSA(ctx, owner(row), row.Sealed)
	if err != nil {
		return signing.RSAKey{}, fmt.Errorf("open key %s: %w", row.ID, err)
	}
	if k.Thumbprint() != row.Multikey {
		return signing.RSAKey{}, fmt.Errorf("key %s has another public half than its row", row.ID)
	}
	return k, nil
}

// tokens keeps the tokens that were signed last. Its zero value is empty.
type tokens struct {
	making sync.Mutex // held while an RSA key is made
	mu     sync.Mutex
	kept   map[[32]byte]string
}

// mostTokens take some 5 MB.
const mostTokens = 1024

func (t *tokens) get(name [32]byte) (string, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	token, ok := t.kept[name]
	return token, ok
}

func (t *tokens) put(name [32]byte, token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.kept == nil || len(t.kept) >= mostTokens {
		t.kept = map[[32]byte]string{}
	}
	t.kept[name] = token
}

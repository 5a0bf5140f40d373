package keyring

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Resolver finds methods among an institution's stored keys.
type Resolver struct {
	Keys  []Key
	Found Key // the last one

	Revoked bool // as if no key had been revoked
}

// ResolveMethod implements proof.Resolver.
func (r *Resolver) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	for _, k := range r.Keys {
		if k.Method() != id || k.kind() != Ed25519 {
			continue
		}
		r.Found = k
		m := proof.Method{Controller: k.Controller, Multikey: k.Multikey, NotBefore: k.CreatedAt}
		if k.RetiredAt != nil {
			m.NotAfter = *k.RetiredAt
		}
		if k.RevokedAt != nil {
			if m.Revoked = *k.RevokedAt; !m.Revoked.After(m.NotAfter) {
				m.NotAfter = time.Time{} // the revocation says more
			}
			if r.Revoked {
				m.Revoked = time.Time{}
			}
		}
		return m, nil
	}
	return proof.Method{}, fmt.Errorf("no key %s", id)
}

// Proven is what can be said of the proofs of a document.
type Proven struct {
	Holds      bool // by keys of the institution, when they were in use
	KeyRevoked bool // and the key was revoked since, from whatever date on
}

// SignedBy tells whether a document bears the proofs of an institution's keys. An error means that it could not be looked at.
func (s *Service) SignedBy(ctx context.Context, in identity.InstitutionID, doc []byte) (Proven, error) {
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return Proven{}, err
	}
	// What keys say may change; what they signed does not.
	h := sha256.New()
	for _, k := range keys {
		fmt.Fprintln(h, k.Method(), k.kind(), k.CreatedAt.UnixMicro(), microOf(k.RetiredAt), microOf(k.RevokedAt))
	}
	h.Write(doc)
	known := [sha256.Size]byte(h.Sum(nil))
	if out, ok := s.signatures.find(known); ok {
		return out, nil
	}
	by := &Resolver{Keys: keys, Revoked: true}
	_, err = proof.Verify(ctx, doc, by)
	if ctx.Err() != nil {
		return Proven{}, ctx.Err()
	}
	out := Proven{Holds: err == nil, KeyRevoked: err == nil && by.Found.RevokedAt != nil} // a refusal is the answer
	s.signatures.keep(known, out)
	return out, nil
}

func microOf(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMicro()
}

// signatures remembers what was found out of signed documents: lists show the same ones again and again.
type signatures struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]Proven
}

const mostSignatures = 8192

func (s *signatures) find(of [sha256.Size]byte) (Proven, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out, ok := s.known[of]
	return out, ok
}

func (s *signatures) keep(of [sha256.Size]byte, one Proven) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil || len(s.known) >= mostSignatures {
		s.known = map[[sha256.Size]byte]Proven{}
	}
	s.known[of] = one
}

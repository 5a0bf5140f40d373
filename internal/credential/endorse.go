package credential

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Desk is what an institution signs with when it signs something else than a certificate: its name, a free place in its list of
// revocations, and the time.
type Desk struct {
	Base   string // of this host's addresses
	DID    string
	Name   string
	ListID ListID
	List   string // address of the list
	Index  int
	KeyID  KeyID
	At     time.Time // whole seconds
}

// SignFor lets an institution sign what write gives, with both proofs. Nothing is stored: the place in the list is taken by who stores
// a row with it, and holds the key then (HoldKeys).
func (s *Service) SignFor(ctx context.Context, in identity.InstitutionID, write func(Desk) ([]byte, error)) ([]byte, Desk, error) {
	a, err := parsePublicURL(s.PublicURL)
	if err != nil {
		return nil, Desk{}, err
	}
	p := press{Service: s, addresses: a, desks: map[identity.InstitutionID]*desk{}}
	d, err := p.desk(ctx, in)
	if err != nil {
		return nil, Desk{}, err
	}
	index, err := p.place(ctx, d)
	if err != nil {
		return nil, Desk{}, err
	}
	out := Desk{
		Base: a.base.String(), DID: d.row.Controller, Name: clean(d.institution.Name), ListID: d.list.ID, List: a.list(d.list.ID), Index: index,
		KeyID: d.row.ID, At: s.signingTime(d.row),
	}
	unsigned, err := write(out)
	if err != nil {
		return nil, Desk{}, err
	}
	doc, err := proof.Sign(unsigned, d.key, d.row.Method(), out.At)
	if err != nil {
		return nil, Desk{}, fmt.Errorf("sign for institution %s: %w", in, err)
	}
	return doc, out, nil
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
	by := &resolver{keys: keys, found: new(Key), revoked: true}
	_, err = proof.Verify(ctx, doc, by)
	if ctx.Err() != nil {
		return Proven{}, ctx.Err()
	}
	out := Proven{Holds: err == nil, KeyRevoked: err == nil && by.found.RevokedAt != nil} // a refusal is the answer
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

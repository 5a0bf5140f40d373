package credential

import (
	"context"
	"fmt"
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

// SignedBy tells whether a document bears the proofs of an institution's keys. An error means that it could not be looked at.
func (s *Service) SignedBy(ctx context.Context, in identity.InstitutionID, doc []byte) (bool, error) {
	keys, err := s.Store.ListKeys(ctx, in)
	if err != nil {
		return false, err
	}
	_, err = proof.Verify(ctx, doc, &resolver{keys: keys, found: new(Key)})
	return err == nil, nil // a refusal is the answer
}

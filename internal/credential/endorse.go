package credential

import (
	"context"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Desk is what an institution signs with when it signs something else than a certificate: its name, a free place in its list of
// revocations, and the time.
type Desk struct {
	Base   string // of this host's addresses
	DID    string
	Name   string
	ListID statuslist.ID
	List   string // address of the list
	Index  int
	KeyID  keyring.KeyID
	At     time.Time // whole seconds
}

// SignFor lets an institution sign what write gives, with both proofs. Nothing is stored: the place in the list is taken by who stores
// a row with it, and holds the key then (keyring.Hold).
func (s *Service) SignFor(ctx context.Context, in identity.InstitutionID, write func(Desk) ([]byte, error)) ([]byte, Desk, error) {
	a, err := s.addresses()
	if err != nil {
		return nil, Desk{}, err
	}
	p := press{Service: s, host: a, desks: map[identity.InstitutionID]*desk{}}
	d, err := p.desk(ctx, in)
	if err != nil {
		return nil, Desk{}, err
	}
	list, index, err := d.places.Draw(ctx)
	if err != nil {
		return nil, Desk{}, err
	}
	out := Desk{
		Base: a.Base(), DID: d.row.Controller, Name: clean(d.institution.Name), ListID: list.ID, List: statuslist.Address(a.Host, list.ID), Index: index,
		KeyID: d.row.ID, At: s.Keys.SigningTime(d.row),
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

package statuslist

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// draws is how many places are tried before a list counts as full. A list is
// left at some 60 %; a random place hides who was before whom.
const draws = 16

// Places draws places in the lists of an institution and issuer, none of them twice. It is for what one call signs.
type Places struct {
	lists  *Service
	in     identity.InstitutionID
	issuer string
	list   List         // of revocations
	taken  map[int]bool // by this call
}

// Places gives none yet: lists are looked up, or started, when the first place is drawn.
func (s *Service) Places(in identity.InstitutionID, issuer string) *Places {
	return &Places{lists: s, in: in, issuer: issuer}
}

// Draw finds a free place in the list of revocations, which is free in its twin too, and starts lists where there are none. Nothing is
// stored of it: the place is taken by who stores a row with it.
func (p *Places) Draw(ctx context.Context) (List, int, error) {
	if p.list.ID == "" {
		list, err := p.lists.Store.FindLastList(ctx, p.in, p.issuer)
		if fault.Is(err, fault.NotFound) {
			list, err = p.lists.start(ctx, p.in, p.issuer)
		}
		if err != nil {
			return List{}, 0, err
		}
		p.list, p.taken = list, map[int]bool{}
	}
	for {
		for range draws {
			index, err := p.lists.draw()
			if err != nil {
				return List{}, 0, err
			}
			taken := p.taken[index]
			if !taken {
				taken, err = p.lists.Store.IndexTaken(ctx, p.list.ID, index)
			}
			if err != nil {
				return List{}, 0, err
			}
			if !taken {
				p.taken[index] = true
				return p.list, index, nil
			}
		}
		list, err := p.lists.start(ctx, p.in, p.issuer)
		if err != nil {
			return List{}, 0, err
		}
		p.list, p.taken = list, map[int]bool{}
	}
}

// start makes a pair of lists. Two workers may each start one: both are good.
func (s *Service) start(ctx context.Context, in identity.InstitutionID, did string) (List, error) {
	now := s.Now().UTC()
	off := List{ID: ID(s.NewID()), InstitutionID: in, Issuer: did, Purpose: Suspension, CreatedAt: now}
	list := List{ID: ID(s.NewID()), InstitutionID: in, Issuer: did, Purpose: Revocation, TwinID: off.ID, CreatedAt: now}
	if err := s.Store.CreateList(ctx, off); err != nil {
		return List{}, err
	}
	return list, s.Store.CreateList(ctx, list)
}

func (s *Service) draw() (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return 0, fmt.Errorf("read randomness: %w", err)
	}
	return int(binary.BigEndian.Uint32(b[:]) % Size), nil // Size is a power of two
}

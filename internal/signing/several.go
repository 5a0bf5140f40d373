package signing

import (
	"context"
	"errors"
)

// Several seals with the first safe, and opens with whichever sealed: that is
// how an operator changes the master key. What was sealed under an earlier one opens as long as that one is given.
type Several struct{ safe }

var _ Safe = (*Several)(nil)

// NewSeveral takes the safe in use and the earlier ones.
func NewSeveral(first Safe, earlier ...Safe) (*Several, error) {
	var c chain
	for _, s := range append([]Safe{first}, earlier...) {
		b, ok := s.(interface{ inner() box })
		if !ok {
			return nil, errors.New("not a safe of this package")
		}
		c = append(c, b.inner())
	}
	return &Several{safe{c}}, nil
}

func (s safe) inner() box { return s.box }

// String says what it is.
func (s *Several) String() string { return "several" }

// GoString is what %#v prints.
func (s *Several) GoString() string { return "signing.Several" }

type chain []box

func (c chain) seal(ctx context.Context, owner, secret []byte) ([]byte, error) {
	return c[0].seal(ctx, owner, secret)
}

func (c chain) open(ctx context.Context, owner, sealed []byte) ([]byte, error) {
	for _, b := range c {
		secret, err := b.open(ctx, owner, sealed)
		if !errors.Is(err, ErrOtherMaster) {
			return secret, err
		}
	}
	return nil, ErrOtherMaster
}

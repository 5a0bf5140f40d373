package signing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
)

// maxSecret bounds what is sealed beside keys: secrets are short.
const maxSecret = 1024

// box hides bytes under a master key, for the owner that is given with them. The siblings differ in this alone.
type box interface {
	seal(ctx context.Context, owner, secret []byte) ([]byte, error)
	open(ctx context.Context, owner, sealed []byte) ([]byte, error)
}

// safe is what all siblings have in common.
type safe struct{ box }

// Seal implements Sealer.
func (s safe) Seal(ctx context.Context, owner Owner, k Key) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("seal an empty key")
	}
	return s.seal(ctx, owner.bytes(kindKey), k.private().Seed())
}

// Open implements Sealer.
func (s safe) Open(ctx context.Context, owner Owner, sealed []byte) (Key, error) {
	seed, err := s.open(ctx, owner.bytes(kindKey), sealed)
	if err != nil {
		return Key{}, err
	}
	if len(seed) != ed25519.SeedSize {
		return Key{}, ErrBroken
	}
	return newKey(seed), nil
}

// SealRSA implements Sealer.
func (s safe) SealRSA(ctx context.Context, owner Owner, k RSAKey) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("seal an empty key")
	}
	return s.seal(ctx, owner.bytes(kindRSA), k.der())
}

// OpenRSA implements Sealer.
func (s safe) OpenRSA(ctx context.Context, owner Owner, sealed []byte) (RSAKey, error) {
	der, err := s.open(ctx, owner.bytes(kindRSA), sealed)
	if err != nil {
		return RSAKey{}, err
	}
	return parseRSA(der)
}

// secretOwner binds a sealed secret to its place. No issuer key has such an owner: the first line differs.
func secretOwner(owner string) []byte {
	return fmt.Appendf(nil, "banyan secret\n%d %s", len(owner), owner)
}

// SealSecret implements Safe.
func (s safe) SealSecret(ctx context.Context, owner string, secret []byte) ([]byte, error) {
	if len(secret) == 0 || len(secret) > maxSecret {
		return nil, errors.New("a secret to seal has 1 to 1024 bytes")
	}
	return s.seal(ctx, secretOwner(owner), secret)
}

// OpenSecret implements Safe.
func (s safe) OpenSecret(ctx context.Context, owner string, sealed []byte) ([]byte, error) {
	return s.open(ctx, secretOwner(owner), sealed)
}

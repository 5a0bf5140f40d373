package signing

import (
	"context"
	"errors"
	"fmt"
)

// maxSecret bounds what is sealed beside keys: secrets are short.
const maxSecret = 1024

// secretOwner binds a sealed secret to its place. No issuer key has such an owner: the first line differs.
func secretOwner(owner string) []byte {
	return fmt.Appendf(nil, "banyan secret\n%d %s", len(owner), owner)
}

func (m master) sealSecret(owner string, secret []byte) ([]byte, error) {
	if len(secret) == 0 || len(secret) > maxSecret {
		return nil, errors.New("a secret to seal has 1 to 1024 bytes")
	}
	out := append([]byte{version}, m.name[:]...)
	return m.aead().Seal(out, nil, secret, secretOwner(owner)), nil
}

func (m master) openSecret(owner string, sealed []byte) ([]byte, error) {
	if len(sealed) < 9 || sealed[0] != version {
		return nil, ErrBroken
	}
	if [8]byte(sealed[1:9]) != m.name {
		return nil, ErrOtherMaster
	}
	secret, err := m.aead().Open(nil, nil, sealed[9:], secretOwner(owner))
	if err != nil {
		return nil, ErrBroken
	}
	return secret, nil
}

// SealSecret hides a short secret that is no issuer's key. It opens for the same owner alone.
func (f *File) SealSecret(_ context.Context, owner string, secret []byte) ([]byte, error) {
	return f.m.sealSecret(owner, secret)
}

// OpenSecret gives back what SealSecret hid.
func (f *File) OpenSecret(_ context.Context, owner string, sealed []byte) ([]byte, error) {
	return f.m.openSecret(owner, sealed)
}

// SealSecret hides a short secret that is no issuer's key. It opens for the same owner alone.
func (e *Ephemeral) SealSecret(_ context.Context, owner string, secret []byte) ([]byte, error) {
	return e.m.sealSecret(owner, secret)
}

// OpenSecret gives back what SealSecret hid.
func (e *Ephemeral) OpenSecret(_ context.Context, owner string, sealed []byte) ([]byte, error) {
	return e.m.openSecret(owner, sealed)
}

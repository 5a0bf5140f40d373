package signing

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"fmt"
)

// master is AES-256-GCM under one master key. What it sealed is a version byte,
// eight bytes that name the master key, the nonce, and the secret with its tag.
type master struct {
	aead func() cipher.AEAD // a function for the reason given at Key
	name [8]byte
}

// The versions: the first byte of whatever is sealed.
const (
	versionMaster  = 1
	versionTransit = 2
)

func newMaster(key []byte) (master, error) {
	if len(key) != MasterSize {
		return master{}, fmt.Errorf("a master key has %d bytes, this one %d", MasterSize, len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return master{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return master{}, err
	}
	sum := sha256.Sum256(append([]byte("banyan master key name\n"), key...))
	return master{func() cipher.AEAD { return aead }, [8]byte(sum[:8])}, nil
}

func (m master) seal(_ context.Context, owner, secret []byte) ([]byte, error) {
	return m.aead().Seal(append([]byte{versionMaster}, m.name[:]...), nil, secret, owner), nil
}

func (m master) open(_ context.Context, owner, sealed []byte) ([]byte, error) {
	sealed, err := cutHeader(sealed, versionMaster, m.name)
	if err != nil {
		return nil, err
	}
	secret, err := m.aead().Open(nil, nil, sealed, owner)
	if err != nil {
		return nil, ErrBroken
	}
	return secret, nil
}

// cutHeader removes the version and the name of the master key, which must be the ones that are wanted.
func cutHeader(sealed []byte, version byte, name [8]byte) ([]byte, error) {
	if len(sealed) < 9 || sealed[0] != versionMaster && sealed[0] != versionTransit {
		return nil, ErrBroken
	}
	if sealed[0] != version || [8]byte(sealed[1:9]) != name {
		return nil, ErrOtherMaster
	}
	return sealed[9:], nil
}

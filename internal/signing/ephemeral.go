package signing

import (
	"context"
	"crypto/rand"
)

// Ephemeral keeps its master key in memory: what it sealed is lost with the
// program. It is for tests and for trying things out on a laptop.
type Ephemeral struct{ m master }

var _ Sealer = (*Ephemeral)(nil)

// NewEphemeral draws a master key.
func NewEphemeral() (*Ephemeral, error) {
	key := make([]byte, MasterSize)
	_, _ = rand.Read(key) // never fails
	m, err := newMaster(key)
	return &Ephemeral{m}, err
}

// Seal implements Sealer.
func (e *Ephemeral) Seal(_ context.Context, owner Owner, k Key) ([]byte, error) {
	return e.m.seal(owner, k)
}

// Open implements Sealer.
func (e *Ephemeral) Open(_ context.Context, owner Owner, sealed []byte) (Key, error) {
	return e.m.open(owner, sealed)
}

// String says what it is; the master key is never printed.
func (e *Ephemeral) String() string { return "ephemeral" }

// GoString is what %#v prints.
func (e *Ephemeral) GoString() string { return "signing.Ephemeral" }

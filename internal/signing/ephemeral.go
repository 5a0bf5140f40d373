package signing

import "crypto/rand"

// Ephemeral keeps its master key in memory: what it sealed is lost with the
// program. It is for tests and for trying things out on a laptop.
type Ephemeral struct{ safe }

var _ Safe = (*Ephemeral)(nil)

// NewEphemeral draws a master key.
func NewEphemeral() (*Ephemeral, error) {
	key := make([]byte, MasterSize)
	_, _ = rand.Read(key) // never fails
	m, err := newMaster(key)
	return &Ephemeral{safe{m}}, err
}

// String says what it is; the master key is never printed.
func (e *Ephemeral) String() string { return "ephemeral" }

// GoString is what %#v prints.
func (e *Ephemeral) GoString() string { return "signing.Ephemeral" }

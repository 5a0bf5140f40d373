package sandbox

import (
	"github.com/tetratelabs/wazero/experimental"
)

// memory is the linear memory of one instance after the other. It lies at one place as long as
// the process lives: its beginning is the image, copied where it is written to, and
// the rest is empty. reset takes back what a program wrote, so that the next one starts
// from the image again. Growing never copies, and what is not touched costs nothing.
type memory struct {
	buf     []byte
	restore func(used []byte) error // puts the image and zeros back where a program wrote
	used    int                     // no program has touched what lies behind
	limit   uint64                  // of the program that runs
	refused bool                    // it asked for more
}

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit || size > uint64(len(m.buf)) {
		m.refused = true
		return nil
	}
	m.used = max(m.used, int(size))
	return m.buf[:size:len(m.buf)]
}

// Free implements experimental.LinearMemory. The memory stays for the next instance.
func (m *memory) Free() {}

// reset undoes what the last program wrote.
func (m *memory) reset() error {
	used := m.buf[:m.used]
	m.used = 0
	if len(used) == 0 {
		return nil
	}
	return m.restore(used)
}

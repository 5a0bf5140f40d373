// Package memo remembers what compiling made of parts of a course.
package memo

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// Cache keeps what compiling made of parts of a course, by a digest of all that went into it, so that publishing again
// after an edit costs the edit. It may be used from several goroutines. A nil Cache keeps nothing.
type Cache struct {
	most int

	mu      sync.Mutex
	turn    int // of Begin
	entries map[string]*cached
	size    int
}

type cached struct {
	value any
	size  int
	turn  int // in which it was last used
}

// New makes a cache of about so many bytes.
func New(most int) *Cache { return &Cache{most: most, entries: map[string]*cached{}} }

// Begin tells that a course is compiled.
func (c *Cache) Begin() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.turn++
}

// Find gives what is kept under a key, or nil. What it gives is shared: nobody may change it.
func (c *Cache) Find(key string) any {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[key]
	if e == nil {
		return nil
	}
	e.turn = c.turn
	return e.value
}

// Keep takes a value in, where there is room. Only what other courses left makes room: a course that is larger than
// the cache would else push out the one half of itself with the other, each time.
func (c *Cache) Keep(key string, v any, size int) {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries[key] != nil || size > c.most {
		return
	}
	if c.size+size > c.most {
		for k, e := range c.entries {
			if e.turn < c.turn {
				c.size -= e.size
				delete(c.entries, k)
			}
		}
		if c.size+size > c.most {
			return
		}
	}
	c.entries[key] = &cached{value: v, size: size, turn: c.turn}
	c.size += size
}

// Digest is one name for several texts, in their order.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

package store

import "sync"

// kept remembers rows that never change and are never deleted, so that what
// was read once stays true. It is bounded; its zero value keeps nothing.
type kept[D any] struct {
	most int
	mu   sync.RWMutex
	byID map[key]D
}

// How many are kept: a parsed manifest is some tens of kilobytes, an enrollment
// some hundred bytes.
const (
	versionsKept    = 64
	enrollmentsKept = 4096
)

func (k *kept[D]) find(id key) (D, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	d, ok := k.byID[id]
	return d, ok
}

// keep remembers what was read outside of a transaction: what one sees may yet be rolled back.
func (k *kept[D]) keep(id key, d D) {
	if k.most == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byID == nil {
		k.byID = map[key]D{}
	}
	if len(k.byID) >= k.most {
		for other := range k.byID { // whichever comes first: maps are in no order
			delete(k.byID, other)
			break
		}
	}
	k.byID[id] = d
}

package typeset

import (
	"maps"
	"slices"
)

// Held names the files that are in memory.
func (l *Library) Held() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.fonts))
}

package fetch

import (
	"container/list"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// entry is an answer, or the lack of one.
type entry struct {
	doc  Document
	err  error
	at   time.Time
	keep time.Duration
}

func (e entry) good(age time.Duration) bool { return age >= 0 && age < e.keep }

func (e entry) size() int { return len(e.doc.Body) + len(e.doc.URL) + 256 }

// cache keeps what was used last, within a number of entries and bytes. What is too old to count as new stays for the day when its
// host does not answer.
type cache struct {
	mu      *sync.Mutex
	order   *list.List // of *kept, the last used first
	byKey   map[string]*list.Element
	bytes   int
	most    int
	mostLen int
}

type kept struct {
	key string
	entry
}

func newCache(entries, bytes int) cache {
	return cache{mu: &sync.Mutex{}, order: list.New(), byKey: map[string]*list.Element{}, most: bytes, mostLen: entries}
}

func (c *cache) find(key string, now time.Time) (entry, time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el, ok := c.byKey[key]
	if !ok {
		return entry{}, 0, false
	}
	c.order.MoveToFront(el)
	e := el.Value.(*kept).entry
	return e, now.Sub(e.at), true
}

func (c *cache) put(key string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.byKey[key]; ok {
		c.drop(old)
	}
	c.byKey[key] = c.order.PushFront(&kept{key, e})
	c.bytes += e.size()
	for c.order.Len() > c.mostLen || c.bytes > c.most {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(el *list.Element) {
	k := c.order.Remove(el).(*kept)
	delete(c.byKey, k.key)
	c.bytes -= k.size()
}

// fresh is for how long an answer counts as new: as long as its host says, and no longer than we would have it. Below a minute hosts
// are not heard: who sends us many credentials would make us ask as often.
func fresh(h http.Header, most time.Duration) time.Duration {
	for part := range strings.SplitSeq(strings.ToLower(h.Get("Cache-Control")), ",") {
		part = strings.TrimSpace(part)
		if part == "no-store" || part == "no-cache" {
			return time.Minute
		}
		if text, ok := strings.CutPrefix(part, "max-age="); ok {
			if n, err := strconv.Atoi(text); err == nil && n >= 0 && n < 1<<30 {
				return min(most, max(time.Minute, time.Duration(n)*time.Second))
			}
		}
	}
	return most
}

// meters count the requests to each host and address, so that nobody uses us to flood another.
type meters struct {
	mu   *sync.Mutex
	most int
	seen map[string]meter
}

type meter struct {
	since time.Time
	n     int
}

const maxMeters = 4096

func newMeters(most int) meters {
	return meters{mu: &sync.Mutex{}, most: most, seen: map[string]meter{}}
}

// admit counts a request, and tells whether it may go.
func (m *meters) admit(key string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	one := m.seen[key]
	if now.Sub(one.since) >= time.Minute || now.Before(one.since) {
		one = meter{since: now}
	}
	if one.n++; one.n > m.most {
		return false
	}
	if _, known := m.seen[key]; !known && len(m.seen) >= maxMeters {
		for k, old := range m.seen {
			if now.Sub(old.since) >= time.Minute {
				delete(m.seen, k)
			}
		}
		if len(m.seen) >= maxMeters {
			return false // more hosts in a minute than anybody asks for in good faith
		}
	}
	m.seen[key] = one
	return true
}

package web

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/banyan-lms/banyan/internal/fault"
)

// key names a page. The build does not stand in it: a cache lives as long as its process.
type key struct {
	locale string
	course string
	number int    // of the version; versions never change
	item   string // "" is the course's own page
	pinned bool   // the page's links stay in this version
}

func (k key) String() string {
	return fmt.Sprintf("%s/%s@%d/%s/%t", k.locale, k.course, k.number, k.item, k.pinned)
}

// cache keeps pages within a number of bytes. When it is full, those that nobody
// asked for since the hand last passed leave (the clock algorithm): a hit then
// costs a read lock and, at most, one atomic write.
type cache struct {
	limit   int64
	renders singleflight.Group

	mu    sync.RWMutex
	pages map[key]*list.Element // of *entry
	clock list.List
	hand  *list.Element
	bytes int64
}

type entry struct {
	key  key
	page *page
	size int64
	used atomic.Bool
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, pages: map[key]*list.Element{}}
}

func (c *cache) find(k key) *page {
	c.mu.RLock()
	el := c.pages[k]
	c.mu.RUnlock()
	if el == nil {
		return nil
	}
	e := el.Value.(*entry)
	if !e.used.Load() {
		e.used.Store(true)
	}
	return e.page
}

// renderTime is the longest that one rendering may take.
const renderTime = 10 * time.Second

// findOrRender gives the page, and renders it at most once however many ask at the same time.
func (c *cache) findOrRender(ctx context.Context, k key, render func(context.Context) (*page, error)) (*page, error) {
	if p := c.find(k); p != nil {
		return p, nil
	}
	got, err, _ := c.renders.Do(k.String(), func() (any, error) {
		if p := c.find(k); p != nil {
			return p, nil
		}
		// Others wait for this rendering too: it must not end when the first reader leaves.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderTime)
		defer cancel()
		p, err := render(ctx)
		if err != nil {
			return nil, err
		}
		c.add(k, p)
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	return got.(*page), nil
}

func (c *cache) add(k key, p *page) {
	e := &entry{key: k, page: p, size: p.size()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.size > c.limit {
		return // it would only push everything else out
	}
	p.grown = func(more int64) { c.grow(k, p, more) }
	c.pages[k] = c.clock.PushBack(e)
	c.bytes += e.size
	c.shrink()
}

func (c *cache) grow(k key, p *page, more int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.pages[k]
	if el == nil || el.Value.(*entry).page != p {
		return // it has left
	}
	el.Value.(*entry).size += more
	c.bytes += more
	c.shrink()
}

// shrink moves the hand until the pages fit.
func (c *cache) shrink() {
	for c.bytes > c.limit && c.clock.Len() > 1 {
		if c.hand == nil {
			c.hand = c.clock.Front()
		}
		el := c.hand
		c.hand = el.Next()
		e := el.Value.(*entry)
		if e.used.Swap(false) {
			continue
		}
		c.clock.Remove(el)
		delete(c.pages, e.key)
		c.bytes -= e.size
	}
}

// fresh remembers an answer for a short life, so that a page that many read
// costs one question to the database a life, and what is published shows after one.
type fresh[K comparable, V any] struct {
	life  time.Duration
	now   func() time.Time
	ask   func(context.Context, K) (V, error)
	calls singleflight.Group

	mu   sync.RWMutex
	kept map[K]answer[V]
}

type answer[V any] struct {
	value V
	err   error
	until time.Time
}

// mostKept bounds what strangers can make us remember by asking for courses that do not exist.
const mostKept = 256

func newFresh[K comparable, V any](life time.Duration, now func() time.Time, ask func(context.Context, K) (V, error)) *fresh[K, V] {
	return &fresh[K, V]{life: life, now: now, ask: ask, kept: map[K]answer[V]{}}
}

func (f *fresh[K, V]) find(ctx context.Context, k K) (V, error) {
	f.mu.RLock()
	a, ok := f.kept[k]
	f.mu.RUnlock()
	if ok && f.now().Before(a.until) {
		return a.value, a.err
	}
	got, _, _ := f.calls.Do(fmt.Sprint(k), func() (any, error) {
		asked := f.now()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renderTime)
		defer cancel()
		v, err := f.ask(ctx, k)
		a := answer[V]{value: v, err: err, until: asked.Add(f.life)}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return a, nil // a trouble of ours: the next reader asks again
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.kept) >= mostKept {
			clear(f.kept)
		}
		f.kept[k] = a
		return a, nil
	})
	a = got.(answer[V])
	return a.value, a.err
}

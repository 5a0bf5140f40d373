package queue

import "sync"

// gate counts what is under way, and lets background work in while that is less than most.
type gate struct {
	most int

	mu      sync.Mutex
	running int
	change  chan struct{} // closed when something leaves; nil when nobody waits
}

// enter is for what somebody waits for: it never waits itself.
func (g *gate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running++
}

// enterWhenIdle waits for room; false means that one of the channels was faster.
func (g *gate) enterWhenIdle(late, leaving <-chan struct{}) bool {
	for {
		g.mu.Lock()
		if g.running < g.most {
			g.running++
			g.mu.Unlock()
			return true
		}
		if g.change == nil {
			g.change = make(chan struct{})
		}
		change := g.change
		g.mu.Unlock()
		select {
		case <-change:
		case <-late:
			return false
		case <-leaving:
			return false
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running--
	if g.change != nil {
		close(g.change)
		g.change = nil
	}
}

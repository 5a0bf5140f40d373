package lab

import "sync"

// bell wakes those who wait in this process for a verdict that is given in this process. It carries
// nothing: who is woken looks into the database. The zero value works.
type bell struct {
	mu   sync.Mutex
	rope map[SubmissionID]*rope
}

type rope struct {
	rung  chan struct{}
	hands int // that hold it
}

// hear gives a channel that is closed when the bell rings for a submission. Call leave once, in any case.
func (b *bell) hear(id SubmissionID) (rung <-chan struct{}, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.rope[id]
	if r == nil {
		r = &rope{rung: make(chan struct{})}
		if b.rope == nil {
			b.rope = map[SubmissionID]*rope{}
		}
		b.rope[id] = r
	}
	r.hands++
	return r.rung, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if r.hands--; r.hands == 0 && b.rope[id] == r {
			delete(b.rope, id)
		}
	}
}

// ring wakes whoever waits for a submission.
func (b *bell) ring(id SubmissionID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.rope[id]; r != nil {
		close(r.rung)
		delete(b.rope, id)
	}
}

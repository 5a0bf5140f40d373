package apptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// Load is a class that hands in labs at the same time. Every other learner
// has met the course's other criteria, and so earns its certificate.
type Load struct {
	Acknowledged atomic.Int64

	begun, allowed atomic.Int64

	course   Course
	learners []*classmate
	running  sync.WaitGroup
}

type classmate struct {
	*Learner
	earns bool
	hands []handIn

	mu    sync.Mutex
	acked int // so many of hands were acknowledged, in order
	err   error
}

type handIn struct {
	id, source, outcome string
	lab                 curriculum.ContentID
}

// NewLoad signs up learners who will hand in so many submissions together,
// each of whose two runs in the fake sandbox takes a while. Most of them are
// right or wrong; some time out, and some meet a sandbox that fails at first.
func NewLoad(t testing.TB, base string, c Course, learners, submissions int, run time.Duration) *Load {
	t.Helper()
	return newLoad(t, base, c, learners, submissions, func(h *handIn, n int) {
		switch {
		case n%10 == 9:
			h.source = c.Stumbling(h.lab, h.id, 1)
		case n%10 == 4:
			h.source, h.outcome = `# fake: {"end":"timed_out"}`, "learner_error"
		case n%7 == 2 || n%7 == 5: // never the same lab
			h.source, h.outcome = c.Wrong(h.lab, run), "failed"
		default:
			h.source = c.Right(h.lab, run)
		}
	})
}

// NewPythonLoad is NewLoad for the real sandbox: solutions, programs that raise, that do not
// parse, that leave early, that flood, and that ask for more memory than there is.
func NewPythonLoad(t testing.TB, base string, c Course, learners, submissions int) *Load {
	t.Helper()
	broken := []string{
		"raise ValueError('too ripe')", "def f(:\n    pass", "import sys\nsys.exit(0)",
		"while True:\n    print('mango' * 1000)", "x = [0]\nwhile True:\n    x += x",
	}
	return newLoad(t, base, c, learners, submissions, func(h *handIn, n int) {
		h.source = c.Vault.Labs[h.lab].Solution
		if n%4 == 3 {
			h.source, h.outcome = broken[n/4%len(broken)], "learner_error"
		}
	})
}

// newLoad lets plan say what the nth submission of a learner is; it is a right one unless plan says otherwise.
func newLoad(t testing.TB, base string, c Course, learners, submissions int, plan func(h *handIn, n int)) *Load {
	t.Helper()
	l := &Load{course: c}
	labs := c.Items(curriculum.Lab)
	for i := range learners {
		m := &classmate{Learner: SignUp(t, base, fmt.Sprintf("learner%d", i), c), earns: i%2 == 0}
		if m.earns {
			m.Study(t)
		}
		l.learners = append(l.learners, m)
	}
	for i := range submissions {
		m, n := l.learners[i%learners], i/learners
		h := handIn{id: NewID(), lab: labs[n%len(labs)], outcome: "passed"}
		plan(&h, n)
		m.hands = append(m.hands, h)
	}
	return l
}

// Size is how many submissions there will be.
func (l *Load) Size() int {
	n := 0
	for _, m := range l.learners {
		n += len(m.hands)
	}
	return n
}

// Start lets all learners hand in at the same time, each one submission after the other, as far as Reach, Burst and Wait allow.
func (l *Load) Start(ctx context.Context) {
	for _, m := range l.learners {
		l.running.Go(func() {
			for _, h := range m.hands {
				for n := l.begun.Add(1); n > l.allowed.Load() && ctx.Err() == nil; {
					time.Sleep(time.Millisecond)
				}
				if err := m.Submit(ctx, h.id, h.lab, h.source); err != nil {
					m.mu.Lock()
					m.err = err
					m.mu.Unlock()
					return
				}
				m.mu.Lock()
				m.acked++
				m.mu.Unlock()
				l.Acknowledged.Add(1)
			}
		})
	}
}

// Reach waits until a share of the submissions, in percent, is acknowledged. There the learners pause.
func (l *Load) Reach(t testing.TB, percent int) {
	t.Helper()
	want := int64(l.Size() * percent / 100)
	l.allowed.Store(want)
	l.await(t, want)
}

// Burst lets the learners hand in 8 percent more, all at once, and returns in the middle of it: what the
// test does next meets requests under way, on a fast machine too.
func (l *Load) Burst(t testing.TB) {
	t.Helper()
	more := int64(l.Size() * 8 / 100)
	from := l.allowed.Add(more) - more
	l.await(t, from+more/4)
}

func (l *Load) await(t testing.TB, want int64) {
	t.Helper()
	for late := time.Now().Add(Patience); l.Acknowledged.Load() < want; time.Sleep(time.Millisecond) {
		l.check(t)
		if time.Now().After(late) {
			t.Fatalf("waited in vain for %d submissions", want)
		}
	}
	l.check(t)
}

// Wait waits until all is handed in.
func (l *Load) Wait(t testing.TB) {
	t.Helper()
	l.allowed.Store(int64(l.Size()))
	l.running.Wait()
	l.check(t)
}

func (l *Load) check(t testing.TB) {
	t.Helper()
	for _, m := range l.learners {
		m.mu.Lock()
		err := m.err
		m.mu.Unlock()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
}

// Retries counts the broken answers and those that never came.
func (l *Load) Retries() int64 {
	var n int64
	for _, m := range l.learners {
		n += m.Retries.Load()
	}
	return n
}

// CheckKept looks for every submission that was acknowledged so far.
func (l *Load) CheckKept(t testing.TB) {
	t.Helper()
	for i, m := range l.learners {
		m.mu.Lock()
		acked := m.hands[:m.acked]
		m.mu.Unlock()
		kept := map[string]bool{}
		for _, lab := range l.course.Items(curriculum.Lab) {
			list, err := m.Submissions(t.Context(), lab)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range list {
				kept[s.ID] = true
			}
		}
		for _, h := range acked {
			if !kept[h.id] {
				t.Errorf("submission %s of learner %d was acknowledged and is gone", h.id, i)
			}
		}
	}
}

// CheckAll waits until no job waits any more, and then holds what is stored, and what the
// API tells each learner, against what was handed in. database is its URL or file.
func (l *Load) CheckAll(t testing.TB, database string) storetest.Census {
	t.Helper()
	n := l.Size()
	var c storetest.Census
	began := time.Now()
	for least, moved := n+1, began; ; time.Sleep(200 * time.Millisecond) {
		var err error
		if c, err = storetest.TakeCensus(t.Context(), database); err != nil {
			t.Fatal(err)
		}
		if c.Waiting == 0 {
			break
		}
		if c.Waiting < least {
			least, moved = c.Waiting, time.Now()
		}
		if time.Since(moved) > Patience {
			t.Errorf("%d jobs still wait", c.Waiting)
			break
		}
	}
	t.Logf("the last verdict came %.1f s after the last submission", time.Since(began).Seconds())
	earners := 0
	for _, m := range l.learners {
		if m.earns {
			earners++
		}
	}
	want := storetest.Census{
		Submissions: n, Verdicts: n, Submitted: n, Judged: n, JudgedOnce: n, Attempts: n, Credentials: earners, Holders: earners,
		Done: c.Done, Failures: c.Failures,
	}
	if c != want {
		t.Errorf("stored:   %+v\nexpected: %+v", c, want)
	}
	for i, m := range l.learners {
		l.checkLearner(t, i, m)
	}
	return c
}

func (l *Load) checkLearner(t testing.TB, i int, m *classmate) {
	t.Helper()
	ctx := t.Context()
	attempts, completed, err := m.Attempts(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, lab := range l.course.Items(curriculum.Lab) {
		want := map[string]string{}
		for _, h := range m.hands {
			if h.lab == lab {
				want[h.id] = h.outcome
			}
		}
		list, err := m.Submissions(ctx, lab)
		if err != nil {
			t.Fatal(err)
		}
		var numbers []int
		got := map[string]string{}
		for _, s := range list {
			got[s.ID] = "no verdict"
			if s.Verdict != nil {
				got[s.ID] = s.Verdict.Outcome
				numbers = append(numbers, s.Verdict.Attempt)
			}
		}
		if len(list) != len(want) {
			t.Errorf("learner %d finds %d submissions for %s, want %d", i, len(list), lab, len(want))
		}
		for id, outcome := range want {
			if got[id] != outcome {
				t.Errorf("submission %s of learner %d for %s: %q, want %s", id, i, lab, got[id], outcome)
			}
		}
		slices.Sort(numbers)
		for n, number := range numbers {
			if number != n+1 {
				t.Errorf("attempts of learner %d at %s are numbered %v", i, lab, numbers)
				break
			}
		}
		if attempts[lab] != len(want) {
			t.Errorf("progress of learner %d counts %d attempts at %s, want %d", i, attempts[lab], lab, len(want))
		}
	}
	held, err := m.Credentials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantHeld := 0
	if m.earns {
		wantHeld = 1
	}
	if held != wantHeld || completed != m.earns {
		t.Errorf("learner %d holds %d credentials and has completed the course: %v; want %d, %v", i, held, completed, wantHeld, m.earns)
	}
}

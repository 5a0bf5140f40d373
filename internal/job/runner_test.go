package job_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/job"
)

// outbox is an outbox in memory, by the contract of job.Outbox.
type outbox struct {
	mu   sync.Mutex
	rows []*row
	fail error // of every call
}

type row struct {
	job.Job
	due           time.Time
	done, parked  bool
	running       bool
	tries, claims int
	causes        []string
}

func (o *outbox) add(id string, kind job.Kind) *row {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := &row{Job: job.Job{ID: job.ID(id), Kind: kind, Payload: []byte(`{}`)}, due: time.Now()}
	o.rows = append(o.rows, r)
	return r
}

func (o *outbox) Claim(context.Context, job.Priority, int, time.Duration) ([]job.Job, error) {
	panic("the runner begins what it claims")
}

func (o *outbox) Start(_ context.Context, most job.Priority, limit int, visibility time.Duration) ([]job.Job, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []job.Job
	slices.SortStableFunc(o.rows, func(a, b *row) int { return int(a.Priority - b.Priority) })
	for _, r := range o.rows {
		if o.fail == nil && len(out) < limit && r.Priority <= most && !r.done && !r.parked && !r.due.After(time.Now()) {
			r.due = time.Now().Add(visibility)
			r.tries++
			if r.running {
				r.Deaths++
			}
			r.running = true
			r.claims++
			j := r.Job
			j.Attempt = r.tries
			out = append(out, j)
		}
	}
	return out, o.fail
}

func (o *outbox) Begin(context.Context, job.ID) (job.Job, bool, error) {
	panic("the runner begins what it claims")
}

func (o *outbox) change(id job.ID, cause string, do func(r *row)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return o.fail
	}
	for _, r := range o.rows {
		if r.ID == id && !r.done && !r.parked {
			r.running = false
			if cause != "" {
				r.causes = append(r.causes, cause)
			}
			do(r)
		}
	}
	return nil
}

func (o *outbox) Retry(_ context.Context, id job.ID, at time.Time, cause string) error {
	return o.change(id, cause, func(r *row) { r.due = at })
}

func (o *outbox) Return(_ context.Context, id job.ID, at time.Time) error {
	if at.IsZero() {
		at = time.Now()
	}
	return o.change(id, "", func(r *row) { r.due, r.tries = at, r.tries-1 })
}

func (o *outbox) Park(_ context.Context, id job.ID, cause string) error {
	return o.change(id, cause, func(r *row) { r.parked = true })
}

func (o *outbox) finish(id job.ID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.rows {
		if r.ID == id {
			r.done = true
		}
	}
}

func (o *outbox) down(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fail = err
}

const kind job.Kind = "test.kind"

// run drains an outbox with one handler, in a time of its own, for a while.
func run(t *testing.T, o *outbox, table job.Table, concurrency int, during time.Duration) {
	t.Helper()
	r := &job.Runner{Outbox: o, Table: table, Concurrency: concurrency, Visibility: time.Minute, Poll: time.Second, Now: time.Now}
	ctx, cancel := context.WithTimeout(t.Context(), during)
	defer cancel()
	r.Run(ctx, time.Minute)
}

func handlers(h job.Handler) job.Table { return job.Table{Handlers: map[job.Kind]job.Handler{kind: h}} }

func TestBackoff(t *testing.T) {
	var got []time.Duration
	for _, n := range []int{-1, 0, 1, 2, 3, 7, 8, 9, 1 << 40} {
		got = append(got, job.Backoff(n)/time.Second)
	}
	want := []time.Duration{2, 2, 2, 4, 8, 128, 256, 256, 256}
	if !slices.Equal(got, want) {
		t.Errorf("backoff %v, want %v", got, want)
	}
}

// What always fails, in whatever way, is tried MaxTries times, ever later, and parked with its cause.
func TestHopelessJobsAreParked(t *testing.T) {
	tests := []struct {
		name string
		h    job.Handler
		kind job.Kind
		want string // in the cause
	}{
		{"an error", func(context.Context, job.Job) error { return errors.New("no luck") }, kind, "no luck"},
		{"a panic", func(context.Context, job.Job) error { panic("oh") }, kind, "handler panicked: oh"},
		{"a nil dereference", func(context.Context, job.Job) error {
			var p *job.Job
			return errors.New(string(p.ID))
		}, kind, "runner_test.go"},
		{"an unknown kind", nil, "no.such.kind", `no handler for kind "no.such.kind"`},
		{"no end", func(ctx context.Context, _ job.Job) error { <-ctx.Done(); return ctx.Err() }, kind, "deadline"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &outbox{}
				r := o.add("a", tt.kind)
				var told []string
				table := handlers(tt.h)
				table.Parked = map[job.Kind]func(context.Context, job.Job, error) error{
					tt.kind: func(ctx context.Context, j job.Job, cause error) error {
						told = append(told, fmt.Sprint(j.ID, j.Attempt, ctx.Err(), cause))
						return nil
					},
				}
				run(t, o, table, 2, time.Hour)
				if !r.parked || r.tries != job.MaxTries || r.claims != job.MaxTries {
					t.Errorf("parked %v after %d tries and %d claims", r.parked, r.tries, r.claims)
				}
				for _, c := range r.causes {
					if !strings.Contains(c, tt.want) {
						t.Errorf("cause %q, want %q", c, tt.want)
					}
				}
				if len(told) != 1 || !strings.HasPrefix(told[0], "a8 <nil>") || !strings.Contains(told[0], tt.want) {
					t.Errorf("told %q, want once", told)
				}
			})
		})
	}
}

// The last try is not repeated for ever because nobody can be told.
func TestParkedThoughNobodyCanBeTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{}
		r := o.add("a", kind)
		table := handlers(func(context.Context, job.Job) error { return errors.New("no luck") })
		table.Parked = map[job.Kind]func(context.Context, job.Job, error) error{
			kind: func(context.Context, job.Job, error) error { return errors.New("no such learner") },
		}
		run(t, o, table, 1, time.Hour)
		if last := r.causes[len(r.causes)-1]; !r.parked || !strings.Contains(last, "no luck") || !strings.Contains(last, "no such learner") {
			t.Errorf("parked %v, cause %q", r.parked, last)
		}
	})
}

func TestOneBadJobCostsTheOthersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{}
		bad := o.add("bad", kind)
		for i := range 20 {
			o.add(fmt.Sprint(i), kind)
		}
		var most, now int
		var mu sync.Mutex
		run(t, o, handlers(func(_ context.Context, j job.Job) error {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(100 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			if j.ID == bad.ID {
				panic("bad")
			}
			o.finish(j.ID)
			return nil
		}), 4, 900*time.Millisecond)
		for _, r := range o.rows {
			if r != bad && (!r.done || r.claims != 1) {
				t.Errorf("job %s: done %v, claimed %d times", r.ID, r.done, r.claims)
			}
		}
		if most != 4 {
			t.Errorf("%d jobs at once, want 4", most)
		}
	})
}

func TestWakeIsHeardAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{}
		began := make(chan time.Duration, 1)
		start := time.Now()
		r := &job.Runner{
			Outbox: o, Concurrency: 1, Visibility: time.Minute, Poll: time.Hour, Now: time.Now,
			Table: handlers(func(_ context.Context, j job.Job) error { began <- time.Since(start); o.finish(j.ID); return nil }),
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { r.Run(ctx, time.Minute); close(ended) }()
		synctest.Wait()
		o.add("a", kind)
		r.Wake()
		r.Wake() // never blocks
		r.Wake()
		if d := <-began; d != 0 {
			t.Errorf("began after %s", d)
		}
		cancel()
		<-ended
	})
}

// An outbox that is away costs the try under way and no more, and is drained when it is back.
func TestOutboxAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{}
		r := o.add("a", kind)
		go func() {
			time.Sleep(100 * time.Millisecond) // the job is under way
			o.down(errors.New("away"))
			time.Sleep(20 * time.Second)
			o.down(nil)
		}()
		run(t, o, handlers(func(_ context.Context, j job.Job) error {
			time.Sleep(time.Second)
			if o.away() {
				return errors.New("away")
			}
			o.finish(j.ID)
			return nil
		}), 1, 10*time.Minute)
		// It is claimed more often: what was cut off steps aside, which is no try.
		if !r.done || r.tries != 2 || r.claims < 2 {
			t.Errorf("done %v, %d tries, %d claims", r.done, r.tries, r.claims)
		}
	})
}

func (o *outbox) away() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.fail != nil
}

func TestDrain(t *testing.T) {
	tests := []struct {
		name   string
		length time.Duration // of the job
		gone   time.Duration // when the runner is
		done   bool
	}{
		{"long enough", 20 * time.Second, 20 * time.Second, true},
		{"too short", 50 * time.Second, 31 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &outbox{}
				r := o.add("a", kind)
				run := &job.Runner{
					Outbox: o, Concurrency: 2, Visibility: time.Hour, Poll: time.Second, Now: time.Now,
					Table: handlers(func(ctx context.Context, j job.Job) error {
						select {
						case <-time.After(tt.length):
							o.finish(j.ID)
							return nil
						case <-ctx.Done():
							return ctx.Err()
						}
					}),
				}
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				run.Run(ctx, 30*time.Second)
				if d := time.Since(start); d != tt.gone {
					t.Errorf("gone after %s, want %s", d, tt.gone)
				}
				// To be interrupted is no try: the job has done nothing wrong.
				if r.done != tt.done || r.tries != btoi(tt.done) {
					t.Errorf("done %v, %d tries", r.done, r.tries)
				}
			})
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// A job that takes its process down with it is given up in the end, and its neighbour is not.
func TestDeadlyJobsAreParked(t *testing.T) {
	for seed := range 20 {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := &outbox{}
				deadly, innocent := o.add("deadly", kind), o.add("innocent", kind)
				for range 3 * job.MaxTries {
					ctx, die := context.WithCancel(t.Context())
					r := &job.Runner{Outbox: o, Concurrency: 2, Visibility: time.Minute, Poll: time.Second, Now: time.Now, Table: handlers(
						func(_ context.Context, j job.Job) error {
							if j.ID == deadly.ID {
								time.Sleep(50 * time.Millisecond)
								die()
								runtime.Goexit() // nothing is written any more
							}
							time.Sleep(100 * time.Millisecond) // longer than the deadly one takes
							if ctx.Err() != nil {
								runtime.Goexit()
							}
							o.finish(j.ID)
							return nil
						})}
					go r.Run(ctx, time.Hour)
					time.Sleep(2 * time.Minute)
					die()
					if deadly.parked && innocent.done {
						break
					}
				}
				if !deadly.parked || !strings.Contains(deadly.causes[0], "process ended") || deadly.tries != job.MaxTries+1 {
					t.Errorf("the deadly one: parked %v, %d tries, %q", deadly.parked, deadly.tries, deadly.causes)
				}
				if !innocent.done || innocent.parked {
					t.Errorf("its neighbour: done %v, parked %v after %d tries", innocent.done, innocent.parked, innocent.tries)
				}
			})
		})
	}
}

// Background work takes what is left over: it never has more slots than Background, none while as many
// others are under way, and whoever comes while it runs starts at once.
func TestBackgroundStandsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &outbox{}
		for i := range 200 {
			o.add(fmt.Sprint("regrade", i), kind).Priority = job.Regrade
		}
		o.add("purge", kind).Priority = job.Housekeeping
		var mu sync.Mutex
		under := map[bool]int{}
		most := 0
		waited := map[job.ID]time.Duration{}
		came := map[job.ID]time.Time{}
		var order []job.ID
		r := &job.Runner{Outbox: o, Concurrency: 4, Background: 2, Visibility: time.Minute, Poll: time.Second, Now: time.Now}
		r.Table = handlers(func(_ context.Context, j job.Job) error {
			mu.Lock()
			back := j.Priority.Background()
			if back {
				if under[false] >= 2 {
					t.Errorf("%s begins beside %d that are waited for", j.ID, under[false])
				}
				order = append(order, j.ID)
			} else {
				waited[j.ID] = time.Since(came[j.ID])
			}
			under[back]++
			most = max(most, under[true])
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			under[back]--
			mu.Unlock()
			o.finish(j.ID)
			return nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		go func() {
			for i := range 20 {
				time.Sleep(1300 * time.Millisecond)
				id := job.ID(fmt.Sprint("learner", i))
				mu.Lock()
				came[id] = time.Now()
				mu.Unlock()
				o.add(string(id), kind)
				r.Wake()
			}
		}()
		r.Run(ctx, time.Minute)
		if len(waited) != 20 || len(order) != 201 || most != 2 {
			t.Errorf("%d learners, %d in the background, %d of them at once", len(waited), len(order), most)
		}
		for id, d := range waited {
			if d != 0 {
				t.Errorf("%s waited %s", id, d)
			}
		}
		if order[len(order)-1] != "purge" {
			t.Errorf("housekeeping came before the last regrade")
		}
	})
}

func TestDaily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		asked := map[job.ID]job.Job{}
		c := calendar(func(j job.Job) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if time.Now().Minute()%20 == 10 {
				return false, errors.New("away")
			}
			_, known := asked[j.ID]
			asked[j.ID] = j
			return !known, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), 71*time.Hour) // the bubble begins at midnight UTC
		defer cancel()
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { job.Daily(ctx, c, time.Now, "tidy.up", "sweep.up") })
		}
		both.Wait()
		if len(asked) != 6 {
			t.Errorf("%d jobs in three days, want one a day of each kind: %v", len(asked), asked)
		}
		for id, j := range asked {
			if u, err := uuid.Parse(string(id)); err != nil || u.Version() != 7 || j.Priority != job.Housekeeping {
				t.Errorf("%+v: %v", j, err)
			}
		}
	})
}

type calendar func(job.Job) (bool, error)

func (c calendar) Ensure(_ context.Context, j job.Job) (bool, error) { return c(j) }

package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"
)

// MaxTries is how often a job is tried before it is parked for the operator.
const MaxTries = 8

// Backoff is how long to wait before try n+1: 2 s, 4 s, 8 s … up to 5 minutes.
func Backoff(n int) time.Duration {
	if n > 8 {
		n = 8
	}
	return min(time.Second<<max(n, 1), 5*time.Minute)
}

// Table says what to do for each kind of job.
type Table struct {
	Handlers map[Kind]Handler
	// Parked is told when a job of the kind is given up; it may be nil.
	Parked map[Kind]func(ctx context.Context, j Job, cause error) error
}

// errDied is the cause of a job that is given up because no try of it came to an end of any kind.
var errDied = errors.New("the process ended each time the job ran")

// Try runs one job that has begun with its handler. When that fails the job is due again after
// a while or, after MaxTries, parked. The error is only of the bookkeeping: with it the claim
// simply runs out and the job is handed out again.
func (t Table) Try(ctx context.Context, out Outbox, now func() time.Time, j Job) error {
	if j.Attempt > MaxTries {
		return t.park(ctx, out, j, errDied)
	}
	if j.Deaths > 0 && rand.N(4) > 0 {
		return out.Return(ctx, j.ID, now().Add(aside(j.Deaths)))
	}
	slog.DebugContext(ctx, "job starts", "kind", j.Kind, "job", j.ID, "attempt", j.Attempt)
	cause := t.run(ctx, j)
	if cause == nil {
		return nil
	}
	log := slog.With("job", j.ID, "kind", j.Kind, "attempt", j.Attempt, "err", cause)
	interrupted := errors.Is(ctx.Err(), context.Canceled)
	ctx = context.WithoutCancel(ctx) // a job that ran out of time is booked like any other
	if interrupted {
		log.InfoContext(ctx, "job interrupted") // we are leaving
		return out.Return(ctx, j.ID, time.Time{})
	}
	// Said when it is booked: who reads it in the log finds it so in the outbox.
	if j.Attempt < MaxTries {
		if err := out.Retry(ctx, j.ID, now().Add(Backoff(j.Attempt)), cause.Error()); err != nil {
			return fmt.Errorf("book that the job failed (%w): %w", cause, err)
		}
		log.WarnContext(ctx, "job failed, will try again")
		return nil
	}
	if err := t.park(ctx, out, j, cause); err != nil {
		return fmt.Errorf("book that the job failed too often (%w): %w", cause, err)
	}
	log.ErrorContext(ctx, "job failed too often, parked")
	return nil
}

// aside is for how long a job whose process ended mostly steps aside, at random, before it is tried again. What took the
// process down, and what merely ran or waited beside it, do not meet again and again then, and only the one is given up:
// to step aside is no try.
func aside(deaths int) time.Duration {
	return rand.N(min(time.Duration(deaths)*time.Second, 5*time.Second))
}

// park gives a job up and tells whom it concerns.
func (t Table) park(ctx context.Context, out Outbox, j Job, cause error) error {
	if p := t.Parked[j.Kind]; p != nil {
		if err := p(ctx, j, cause); err != nil {
			// A job that is beyond reading cannot be told about either, and must not run for ever for that.
			cause = errors.Join(cause, fmt.Errorf("tell that it is parked: %w", err))
		}
	}
	return out.Park(ctx, j.ID, cause.Error())
}

func (t Table) run(ctx context.Context, j Job) (err error) {
	h, ok := t.Handlers[j.Kind]
	if !ok {
		return fmt.Errorf("no handler for kind %q", j.Kind)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("handler panicked: %v\n%s", p, debug.Stack())
		}
	}()
	return h(ctx, j)
}

// Runner drains the outbox in this process. It is what runs jobs when no Redis is configured.
//
// Background jobs begin only while fewer than Background jobs of any sort are under way. So they
// take what is left over, and who hands in a lab waits for one that runs at most.
type Runner struct {
	Outbox      Outbox
	Table       Table
	Concurrency int
	Background  int           // at least 1; 0 is 1
	Visibility  time.Duration // how long a claimed job stays hidden; one that takes nearly as long is stopped
	Poll        time.Duration // how often to look without being woken
	Now         func() time.Time

	wake chan struct{}
	once sync.Once
	down bool
}

func (r *Runner) wakeups() chan struct{} {
	r.once.Do(func() { r.wake = make(chan struct{}, 1) })
	return r.wake
}

// Wake makes the runner look at once. It never blocks.
func (r *Runner) Wake() {
	select {
	case r.wakeups() <- struct{}{}:
	default:
	}
}

// note logs that jobs cannot be claimed once, and that they can again once.
func (r *Runner) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !r.down:
		r.down = true
		slog.ErrorContext(ctx, "claim jobs: they wait in the database", "err", err)
	case err == nil && r.down:
		r.down = false
		slog.InfoContext(ctx, "claim jobs: working again")
	}
}

// start claims what can start now, and no more: a job that waits in memory would hide from other processes.
func (r *Runner) start(ctx context.Context, running int) []Job {
	var jobs []Job
	var err error
	if free := r.Concurrency - running; free > 0 {
		jobs, err = r.Outbox.Start(ctx, Backlog, free, r.Visibility)
		running += len(jobs)
	}
	if idle := min(max(r.Background, 1), r.Concurrency) - running; idle > 0 && err == nil {
		var more []Job
		more, err = r.Outbox.Start(ctx, Housekeeping, idle, r.Visibility)
		jobs = append(jobs, more...)
	}
	r.note(ctx, err)
	return jobs
}

// Run drains the outbox until ctx ends, then waits for the jobs under way.
// drain bounds that wait; after it they are interrupted and due again later.
func (r *Runner) Run(ctx context.Context, drain time.Duration) {
	work, interrupt := context.WithCancel(context.WithoutCancel(ctx))
	defer interrupt()
	var wg sync.WaitGroup
	slots := make(chan struct{}, r.Concurrency)
	tick := time.NewTicker(r.Poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		jobs := r.start(ctx, len(slots))
		for _, j := range jobs {
			slots <- struct{}{}
			wg.Go(func() {
				defer func() { <-slots; r.Wake() }()
				// It ends before its claim does, lest it runs beside itself.
				try, cancel := context.WithTimeout(work, r.Visibility-r.Visibility/10)
				defer cancel()
				if err := r.Table.Try(try, r.Outbox, r.Now, j); err != nil {
					slog.ErrorContext(work, "keep the book of jobs", "job", j.ID, "err", err)
				}
			})
		}
		if len(jobs) > 0 && len(slots) < r.Concurrency {
			continue
		}
		select {
		case <-ctx.Done():
		case <-r.wakeups():
		case <-tick.C:
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(drain):
		slog.Warn("jobs under way are interrupted; they start again later")
		interrupt()
		<-done
	}
}

package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// Try runs one job with its handler. When that fails the job is due again after
// a while or, after MaxTries, parked. The error is only of the bookkeeping: with it the claim
// simply runs out and the job is handed out again.
func (t Table) Try(ctx context.Context, out Outbox, now func() time.Time, j Job) error {
	slog.DebugContext(ctx, "job starts", "job", j.ID, "kind", j.Kind, "attempt", j.Attempt)
	cause := t.run(ctx, j)
	if cause == nil {
		return nil
	}
	log := slog.With("job", j.ID, "kind", j.Kind, "attempt", j.Attempt, "err", cause)
	if errors.Is(ctx.Err(), context.Canceled) {
		// We are leaving: this was no real try, and the claim runs out by itself.
		log.InfoContext(ctx, "job interrupted")
		return nil
	}
	ctx = context.WithoutCancel(ctx) // a job that ran out of time is booked like any other
	if j.Attempt < MaxTries {
		log.WarnContext(ctx, "job failed, will try again")
		return out.Retry(ctx, j.ID, now().Add(Backoff(j.Attempt)), cause.Error())
	}
	log.ErrorContext(ctx, "job failed too often, parked")
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
type Runner struct {
	Outbox      Outbox
	Table       Table
	Concurrency int
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
		// Claim only what can start now: a job that waits in memory would hide from other processes.
		free := r.Concurrency - len(slots)
		var jobs []Job
		if free > 0 {
			var err error
			jobs, err = r.Outbox.Claim(ctx, free, r.Visibility)
			r.note(ctx, err)
		}
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

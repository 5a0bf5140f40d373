// Package queue carries jobs over Redis: a relay hands outbox rows to asynq, a server runs them.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/banyan-lms/banyan/internal/job"
)

// Name of the one queue. Order between kinds is kept by the outbox, which hands rows out by priority.
const queueName = "default"

// message is what travels: the row's id is the task's id.
type message struct {
	ID      job.ID          `json:"id"`
	Attempt int             `json:"attempt"`
	Payload json.RawMessage `json:"payload"`
}

// Relay hands due outbox rows to asynq. Redis may be empty, late or twice told:
// what is not done is handed out again after Visibility, and a task id that
// waits in Redis already is left there.
type Relay struct {
	Outbox     job.Outbox
	Client     *asynq.Client
	Inspector  *asynq.Inspector
	Visibility time.Duration
	Poll       time.Duration
	Batch      int
	Now        func() time.Time

	down bool
}

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	for ctx.Err() == nil {
		n, err := r.once(ctx)
		r.note(ctx, err)
		if n == r.Batch && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(r.Poll):
		}
	}
}

// note logs a failing relay once, and its return once.
func (r *Relay) note(ctx context.Context, err error) {
	switch {
	case ctx.Err() != nil:
	case err != nil && !r.down:
		r.down = true
		slog.ErrorContext(ctx, "relay jobs: they wait in the database", "err", err)
	case err == nil && r.down:
		r.down = false
		slog.InfoContext(ctx, "relay jobs: working again")
	}
}

func (r *Relay) once(ctx context.Context) (int, error) {
	// Without Redis, claiming would only hide rows for nothing.
	if err := r.Client.Ping(); err != nil {
		return 0, fmt.Errorf("reach Redis: %w", err)
	}
	jobs, err := r.Outbox.Claim(ctx, r.Batch, r.Visibility)
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	for _, j := range jobs {
		if err := r.hand(ctx, j); err != nil {
			return len(jobs), fmt.Errorf("enqueue: %w", err) // the claim runs out and the row is due again
		}
	}
	return len(jobs), nil
}

func (r *Relay) hand(ctx context.Context, j job.Job) error {
	raw, err := json.Marshal(message{ID: j.ID, Attempt: j.Attempt, Payload: j.Payload})
	if err != nil {
		return err
	}
	task := asynq.NewTask(string(j.Kind), raw)
	// Retries are counted in the outbox. asynq's own serve only to find a task whose worker died.
	opts := []asynq.Option{asynq.TaskID(string(j.ID)), asynq.MaxRetry(1000), asynq.Queue(queueName), asynq.Timeout(r.Visibility)}
	_, err = r.Client.EnqueueContext(ctx, task, opts...)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	info, err := r.Inspector.GetTaskInfo(queueName, string(j.ID))
	if err != nil {
		return nil //nolint:nilerr // gone meanwhile: it ran, and the row will say so or come again
	}
	// A finished task keeps its id in Redis; it must make way. Others wait or run: leave them.
	if info.State != asynq.TaskStateArchived && info.State != asynq.TaskStateCompleted {
		return nil
	}
	if err := r.Inspector.DeleteTask(queueName, string(j.ID)); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
		return err
	}
	if _, err = r.Client.EnqueueContext(ctx, task, opts...); errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// Server runs the tasks that relays hand to Redis.
type Server struct {
	Redis       asynq.RedisConnOpt
	Outbox      job.Outbox
	Table       job.Table
	Concurrency int
	Drain       time.Duration // how long jobs under way may take after a signal
	Now         func() time.Time
}

// Run works until ctx ends, then lets jobs under way finish.
func (s *Server) Run(ctx context.Context) error {
	srv := asynq.NewServer(s.Redis, asynq.Config{
		Concurrency:              s.Concurrency,
		Queues:                   map[string]int{queueName: 1},
		Logger:                   logger{},
		ShutdownTimeout:          s.Drain,
		TaskCheckInterval:        200 * time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		BaseContext:              func() context.Context { return context.WithoutCancel(ctx) },
		RetryDelayFunc: func(n int, _ error, _ *asynq.Task) time.Duration {
			return job.Backoff(n + 1)
		},
	})
	if err := srv.Start(asynq.HandlerFunc(s.handle)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	<-ctx.Done()
	srv.Shutdown()
	return nil
}

// handle returns an error only when the outbox could not be told: then asynq
// brings the task again. Every other failure is kept, and timed, in the outbox.
func (s *Server) handle(ctx context.Context, t *asynq.Task) error {
	var m message
	if err := json.Unmarshal(t.Payload(), &m); err != nil {
		return fmt.Errorf("read task: %w: %w", err, asynq.SkipRetry)
	}
	return s.Table.Try(ctx, s.Outbox, s.Now, job.Job{ID: m.ID, Kind: job.Kind(t.Type()), Payload: m.Payload, Attempt: m.Attempt})
}

// logger sends asynq's own lines to our log.
type logger struct{}

func (logger) Debug(args ...any) { slog.Debug("queue: " + fmt.Sprint(args...)) }
func (logger) Info(args ...any)  { slog.Info("queue: " + fmt.Sprint(args...)) }
func (logger) Warn(args ...any)  { slog.Warn("queue: " + fmt.Sprint(args...)) }
func (logger) Error(args ...any) { slog.Error("queue: " + fmt.Sprint(args...)) }
func (logger) Fatal(args ...any) { slog.Error("queue: " + fmt.Sprint(args...)) }

// Package queue carries jobs over Redis: a relay hands outbox rows to asynq, a server runs them.
package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/banyan-lms/banyan/internal/job"
)

// The queues, by whether somebody waits: those who do never stand behind background work. Order inside of a queue
// is the outbox's, which hands rows out by priority.
const (
	queueName    = "default"
	regrades     = "regrade"
	housekeeping = "housekeeping"
)

var queues = []string{queueName, regrades, housekeeping}

func queueOf(p job.Priority) string {
	switch {
	case !p.Background():
		return queueName
	case p <= job.Regrade:
		return regrades
	}
	return housekeeping
}

// backgroundAhead is how much background work waits in Redis at most. The rest waits in the database, where
// it is in nobody's way.
const backgroundAhead = 32

// Connect readies connections to Redis; none is made yet. What the library has to say goes to our log.
func Connect(at asynq.RedisConnOpt) redis.UniversalClient {
	redis.SetLogger(redisLog{})
	return at.MakeRedisClient().(redis.UniversalClient) // every RedisConnOpt gives one
}

// message is what travels: the row's id is the task's id.
type message struct {
	ID      job.ID          `json:"id"`
	Payload json.RawMessage `json:"payload"`
}

// Relay hands due outbox rows to asynq. Redis may be empty, late or twice told:
// what is not done is handed out again after a third of Visibility, and a task id that
// waits or runs in Redis already is left there. So a Redis that lost everything
// costs that third, and a worker that was killed half a minute.
type Relay struct {
	Outbox     job.Outbox
	Redis      redis.UniversalClient
	Visibility time.Duration // how long one try of a job may take
	Poll       time.Duration
	Batch      int
	Now        func() time.Time

	client    *asynq.Client
	inspector *asynq.Inspector
	down      bool
	swept     time.Time
	orphans   map[string]bool // tasks of dead workers, at the last sweep
}

func (r *Relay) connect() {
	r.client, r.inspector = asynq.NewClientFromRedisClient(r.Redis), asynq.NewInspectorFromRedisClient(r.Redis)
}

// sweepEvery is how often the relay looks for tasks of workers that died.
const sweepEvery = 5 * time.Second

// Run relays until ctx ends.
func (r *Relay) Run(ctx context.Context) {
	r.connect()
	for ctx.Err() == nil {
		n, err := r.once(ctx)
		if err == nil && r.Now().Sub(r.swept) >= sweepEvery {
			r.swept = r.Now()
			err = r.sweep(ctx)
		}
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
	if err := r.client.Ping(); err != nil {
		return 0, fmt.Errorf("reach Redis: %w", err)
	}
	jobs, err := r.Outbox.Claim(ctx, job.Backlog, r.Batch, r.Visibility/3)
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	if err := r.handAll(ctx, jobs); err != nil || len(jobs) == r.Batch {
		return len(jobs), err
	}
	room, err := r.room()
	if err != nil || room <= 0 {
		return len(jobs), err
	}
	more, err := r.Outbox.Claim(ctx, job.Housekeeping, room, r.Visibility/3)
	if err != nil {
		return len(jobs), fmt.Errorf("claim: %w", err)
	}
	return len(jobs), r.handAll(ctx, more)
}

// room tells how much more background work may wait in Redis.
func (r *Relay) room() (int, error) {
	room := backgroundAhead
	for _, name := range queues[1:] {
		waiting, err := r.inspector.ListPendingTasks(name, asynq.PageSize(backgroundAhead))
		if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
			return 0, fmt.Errorf("look for room: %w", err)
		}
		room -= len(waiting)
	}
	return room, nil
}

func (r *Relay) handAll(ctx context.Context, jobs []job.Job) error {
	for _, j := range jobs {
		if err := r.hand(ctx, j); err != nil {
			return fmt.Errorf("enqueue: %w", err) // the claim runs out and the row is due again
		}
	}
	return nil
}

func (r *Relay) hand(ctx context.Context, j job.Job) error {
	raw, err := json.Marshal(message{ID: j.ID, Payload: j.Payload})
	if err != nil {
		return err
	}
	task, queue := asynq.NewTask(string(j.Kind), raw), queueOf(j.Priority)
	for id := string(j.ID); ; id += again {
		_, err = r.client.EnqueueContext(ctx, task, r.options(queue, id)...)
		if !errors.Is(err, asynq.ErrTaskIDConflict) {
			return err
		}
		info, err := r.inspector.GetTaskInfo(queue, id)
		if errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound) {
			return nil // gone meanwhile: it ran, and the row will say so or come again
		}
		if err != nil {
			return err
		}
		switch info.State {
		case asynq.TaskStateArchived, asynq.TaskStateCompleted, asynq.TaskStateRetry:
			// It is over, or waits by asynq's clock while the outbox says now: it makes way.
			err := r.inspector.DeleteTask(queue, id)
			if err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
				return err
			}
			if _, err = r.client.EnqueueContext(ctx, task, r.options(queue, id)...); errors.Is(err, asynq.ErrTaskIDConflict) {
				return nil // another relay was faster
			}
			return err
		case asynq.TaskStateActive:
			if !r.orphans[id] {
				return nil // it runs
			}
			// A dead task cannot be deleted: the next id.
		default:
			return nil // it waits its turn
		}
	}
}

// again is what the task id of a job has behind it when a dead worker's task holds the id.
const again = "+"

// options are those of every task. Retries are counted in the outbox; asynq's own
// serve only when the outbox could not be told.
func (r *Relay) options(queue, id string) []asynq.Option {
	return []asynq.Option{asynq.TaskID(id), asynq.MaxRetry(1000), asynq.Queue(queue), asynq.Timeout(r.Visibility)}
}

// sweep hands out anew what workers held that have died, as soon as their leases have run out. asynq
// does so too, but a minute or two later. Until then the dead task keeps its id, so the new one has another,
// the same for every relay, and keeps it until asynq has swept too. Should the
// worker live after all, the job runs twice and ends once.
func (r *Relay) sweep(ctx context.Context) error {
	clear(r.orphans)
	for _, name := range queues {
		if err := r.sweepQueue(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (r *Relay) sweepQueue(ctx context.Context, name string) error {
	tasks, err := r.inspector.ListActiveTasks(name, asynq.PageSize(1000))
	if errors.Is(err, asynq.ErrQueueNotFound) {
		// A client makes a queue known with its first task only, and a Redis that came back
		// empty has forgotten it. The next one tells it anew.
		r.client = asynq.NewClientFromRedisClient(r.Redis)
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for dead workers: %w", err)
	}
	for _, t := range tasks {
		if !t.IsOrphaned {
			continue
		}
		if r.orphans == nil {
			r.orphans = map[string]bool{}
		}
		r.orphans[t.ID] = true
		opts := append(r.options(name, t.ID+again), asynq.Retention(5*time.Minute))
		_, err := r.client.EnqueueContext(ctx, asynq.NewTask(t.Type, t.Payload), opts...)
		switch {
		case errors.Is(err, asynq.ErrTaskIDConflict): // done before
		case err != nil:
			return fmt.Errorf("enqueue: %w", err)
		default:
			slog.WarnContext(ctx, "a worker died, its job runs again", "job", t.ID, "kind", t.Type)
		}
	}
	return nil
}

// Server runs the tasks that relays hand to Redis. Background tasks have slots of their own, and begin only
// while fewer than Background tasks of any sort are under way in this process. So a task that somebody
// waits for finds a slot at once, and in the sandbox it waits for one running task at most.
type Server struct {
	Redis       asynq.RedisConnOpt
	Outbox      job.Outbox
	Table       job.Table
	Concurrency int
	Background  int           // at least 1; 0 is 1
	Drain       time.Duration // how long jobs under way may take after a signal
	Now         func() time.Time

	under gate
}

// Run works until ctx ends, then lets jobs under way finish.
func (s *Server) Run(ctx context.Context) error {
	s.under.most = max(s.Background, 1)
	front := s.server(ctx, s.Concurrency, map[string]int{queueName: 1})
	back := s.server(ctx, s.under.most, map[string]int{regrades: 2, housekeeping: 1})
	if err := front.Start(asynq.HandlerFunc(s.handle)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	if err := back.Start(s.handleInBackground(ctx.Done())); err != nil {
		front.Shutdown()
		return fmt.Errorf("start the queue: %w", err)
	}
	<-ctx.Done()
	var both sync.WaitGroup
	both.Go(front.Shutdown)
	both.Go(back.Shutdown)
	both.Wait()
	return nil
}

func (s *Server) server(ctx context.Context, concurrency int, names map[string]int) *asynq.Server {
	return asynq.NewServer(s.Redis, asynq.Config{
		Concurrency:              concurrency,
		Queues:                   names,
		StrictPriority:           true,
		Logger:                   logger{},
		ShutdownTimeout:          s.Drain,
		TaskCheckInterval:        200 * time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		BaseContext:              func() context.Context { return context.WithoutCancel(ctx) },
		// A task fails only while the database is away, or when a background task found no room: see handle.
		RetryDelayFunc: func(int, error, *asynq.Task) time.Duration { return 5 * time.Second },
	})
}

// handle returns an error only when the outbox could not be told: then asynq
// brings the task again. Every other failure is kept, and timed, in the outbox.
func (s *Server) handle(ctx context.Context, t *asynq.Task) error {
	s.under.enter()
	defer s.under.leave()
	return s.try(ctx, t)
}

var errNoRoom = errors.New("no room for background work")

// handleInBackground lets a task wait until there is room for it. When there is none in time it goes
// back to asynq; that is no try.
func (s *Server) handleInBackground(leaving <-chan struct{}) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		if !s.under.enterWhenIdle(ctx.Done(), leaving) {
			return errNoRoom
		}
		defer s.under.leave()
		return s.try(ctx, t)
	}
}

func (s *Server) try(ctx context.Context, t *asynq.Task) error {
	var m message
	if err := json.Unmarshal(t.Payload(), &m); err != nil {
		return fmt.Errorf("read task: %w: %w", err, asynq.SkipRetry)
	}
	j, live, err := s.Outbox.Begin(ctx, m.ID)
	if err != nil {
		return fmt.Errorf("begin job %s: %w", m.ID, err)
	}
	if !live {
		slog.DebugContext(ctx, "job was done before", "job", m.ID)
		return nil
	}
	return s.Table.Try(ctx, s.Outbox, s.Now, j)
}

// logger sends asynq's own lines to our log.
type logger struct{}

func (logger) Debug(args ...any) { slog.Debug("queue: " + fmt.Sprint(args...)) }
func (logger) Info(args ...any)  { slog.Info("queue: " + fmt.Sprint(args...)) }
func (logger) Warn(args ...any)  { slog.Warn("queue: " + fmt.Sprint(args...)) }
func (logger) Error(args ...any) { slog.Error("queue: " + fmt.Sprint(args...)) }
func (logger) Fatal(args ...any) { slog.Error("queue: " + fmt.Sprint(args...)) }

// redisLog sends the lines of the Redis library there too. They tell of every
// connection that breaks; the relay tells once that Redis is away.
type redisLog struct{}

func (redisLog) Printf(ctx context.Context, format string, args ...any) {
	slog.DebugContext(ctx, "redis: "+fmt.Sprintf(format, args...))
}

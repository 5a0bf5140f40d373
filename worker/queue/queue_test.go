package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// outbox is an outbox in memory. Its claims last until due is called, so that a test says when a row comes again.
type outbox struct {
	mu    sync.Mutex
	jobs  []job.Job
	due   map[job.ID]bool
	over  map[job.ID]bool // done or parked
	calls []string
	fail  error
}

func newOutbox(ids ...job.ID) *outbox {
	o := &outbox{due: map[job.ID]bool{}, over: map[job.ID]bool{}}
	for _, id := range ids {
		o.jobs = append(o.jobs, job.Job{ID: id, Kind: "test.kind", Payload: json.RawMessage(`{"n":1}`), Attempt: 1})
		o.due[id] = true
	}
	return o
}

func (o *outbox) Claim(_ context.Context, most job.Priority, limit int, _ time.Duration) ([]job.Job, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var out []job.Job
	for _, j := range o.jobs {
		if o.due[j.ID] && len(out) < limit && j.Priority <= most {
			o.due[j.ID] = false
			out = append(out, j)
		}
	}
	return out, o.fail
}

func (o *outbox) Start(context.Context, job.Priority, int, time.Duration) ([]job.Job, error) {
	panic("the relay begins nothing")
}

func (o *outbox) Begin(_ context.Context, id job.ID) (job.Job, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, j := range o.jobs {
		if j.ID == id {
			return j, !o.over[id], o.fail
		}
	}
	return job.Job{}, false, o.fail
}

func (o *outbox) Return(_ context.Context, id job.ID, _ time.Time) error {
	return o.note("return " + string(id))
}

func (o *outbox) Retry(_ context.Context, id job.ID, _ time.Time, cause string) error {
	return o.note("retry " + string(id) + ": " + cause)
}

func (o *outbox) Park(_ context.Context, id job.ID, cause string) error {
	return o.note("park " + string(id) + ": " + cause)
}

func (o *outbox) note(call string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, call)
	return o.fail
}

// again makes all rows due, as when their claims have run out.
func (o *outbox) again() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.due {
		o.due[id] = true
	}
}

func (o *outbox) said() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.calls)
}

// bench is a relay over a Redis of its own, which the test drives step by step.
type bench struct {
	*testing.T
	at        asynq.RedisConnOpt
	server    *storetest.Server
	redis     redis.UniversalClient
	inspector *asynq.Inspector
	outbox    *outbox
	relay     *Relay
}

func newBench(t *testing.T, ids ...job.ID) *bench {
	t.Helper()
	b := &bench{T: t, server: storetest.StartRedis(t), outbox: newOutbox(ids...)}
	var err error
	if b.at, err = asynq.ParseRedisURI(b.server.URL()); err != nil {
		t.Fatal(err)
	}
	b.redis = Connect(b.at)
	t.Cleanup(func() { _ = b.redis.Close() })
	b.inspector = asynq.NewInspectorFromRedisClient(b.redis)
	b.relay = b.newRelay()
	return b
}

func (b *bench) newRelay() *Relay {
	r := &Relay{Outbox: b.outbox, Redis: b.redis, Visibility: time.Minute, Poll: 10 * time.Millisecond, Batch: 10, Now: time.Now}
	r.connect()
	return r
}

func (b *bench) once() {
	b.Helper()
	if _, err := b.relay.once(b.Context()); err != nil {
		b.Fatal(err)
	}
}

func (b *bench) sweep(r *Relay) {
	b.Helper()
	if err := r.sweep(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// tasks lists the tasks in Redis by state, as id:state.
func (b *bench) tasks() []string {
	b.Helper()
	var out []string
	for state, list := range map[string]func(string, ...asynq.ListOption) ([]*asynq.TaskInfo, error){
		"pending": b.inspector.ListPendingTasks, "active": b.inspector.ListActiveTasks, "retry": b.inspector.ListRetryTasks,
		"archived": b.inspector.ListArchivedTasks, "completed": b.inspector.ListCompletedTasks, "scheduled": b.inspector.ListScheduledTasks,
	} {
		infos, err := list(queueName)
		if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
			b.Fatal(err)
		}
		for _, i := range infos {
			out = append(out, i.ID+":"+state)
		}
	}
	slices.Sort(out)
	return out
}

func (b *bench) want(want ...string) {
	b.Helper()
	if got := b.tasks(); !slices.Equal(got, want) {
		b.Errorf("tasks %v, want %v", got, want)
	}
}

// await waits until the tasks are as wanted.
func (b *bench) await(want ...string) {
	b.Helper()
	for late := time.Now().Add(time.Minute); !slices.Equal(b.tasks(), want); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			b.Fatalf("tasks %v, want %v", b.tasks(), want)
		}
	}
}

// work runs a Server until stop, with a handler.
func (b *bench) work(h job.Handler) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	s := &Server{
		Redis: b.at, Outbox: b.outbox, Concurrency: 2, Drain: time.Second, Now: time.Now,
		Table: job.Table{Handlers: map[job.Kind]job.Handler{"test.kind": h}},
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
}

// orphan gives a task to a worker that dies: it is active and its lease has run out.
func (b *bench) orphan(id string) {
	b.Helper()
	ctx := b.Context()
	_, err := b.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.LRem(ctx, "asynq:{default}:pending", 0, id)
		p.LPush(ctx, "asynq:{default}:active", id)
		p.HSet(ctx, "asynq:{default}:t:"+id, "state", "active")
		p.ZAdd(ctx, "asynq:{default}:lease", redis.Z{Score: float64(time.Now().Add(-time.Second).Unix()), Member: id})
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func TestWaitingTasksAreLeft(t *testing.T) {
	b := newBench(t, "a", "b")
	b.once()
	b.want("a:pending", "b:pending")
	b.outbox.again()
	b.once()
	b.want("a:pending", "b:pending")
}

func TestTwoRelaysHandOutOnce(t *testing.T) {
	var ids []job.ID
	for i := range 200 {
		ids = append(ids, job.ID(fmt.Sprintf("%03d", i)))
	}
	b := newBench(t, ids...)
	var mu sync.Mutex
	runs := map[job.ID]int{}
	ctx, cancel := context.WithCancel(t.Context())
	var relays sync.WaitGroup
	for range 2 {
		relays.Go(func() { b.newRelay().Run(ctx) })
	}
	stop := b.work(func(_ context.Context, j job.Job) error {
		mu.Lock()
		defer mu.Unlock()
		runs[j.ID]++
		return nil
	})
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		mu.Lock()
		n := len(runs)
		mu.Unlock()
		if n == len(ids) {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d of %d jobs ran", n, len(ids))
		}
	}
	cancel()
	relays.Wait()
	stop()
	for id, n := range runs {
		if n != 1 {
			t.Errorf("job %s ran %d times", id, n)
		}
	}
}

// What Redis has lost is handed out when the claim runs out, and the queue is known again.
func TestRedisComesBackEmpty(t *testing.T) {
	b := newBench(t, "a", "b")
	b.once()
	if err := b.server.Kill(); err != nil {
		t.Fatal(err)
	}
	b.outbox.again()
	if _, err := b.relay.once(t.Context()); err == nil {
		t.Error("no error without Redis")
	}
	if !b.outbox.due["a"] {
		t.Error("a row was claimed that could not be handed out")
	}
	if err := b.server.Start(); err != nil {
		t.Fatal(err)
	}
	b.sweep(b.relay)
	b.once()
	b.want("a:pending", "b:pending") // a queue that is not known would show none
}

// A task that failed for asynq, or is over, makes way for what the outbox says is due.
func TestFinishedTasksMakeWay(t *testing.T) {
	b := newBench(t, "a")
	for _, state := range []string{"archived", "retry", "completed"} {
		t.Run(state, func(t *testing.T) {
			b.T = t
			opts := append(b.relay.options(queueName, "a"), asynq.Retention(time.Hour))
			if _, err := b.relay.client.Enqueue(asynq.NewTask("test.kind", []byte(`{}`)), opts...); err != nil {
				t.Fatal(err)
			}
			switch state {
			case "archived":
				if err := b.inspector.ArchiveTask(queueName, "a"); err != nil {
					t.Fatal(err)
				}
			case "retry":
				b.outbox.fail = errors.New("away")
				stop := b.work(func(context.Context, job.Job) error { return errors.New("away") })
				b.await("a:retry")
				stop()
				b.outbox.fail = nil
			case "completed":
				stop := b.work(func(context.Context, job.Job) error { return nil })
				b.await("a:completed")
				stop()
			}
			b.want("a:" + state)
			b.outbox.again()
			b.once()
			b.want("a:pending")
			if err := b.inspector.DeleteTask(queueName, "a"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestRunningTasksAreLeft(t *testing.T) {
	b := newBench(t, "a")
	begun, end := make(chan job.Job), make(chan struct{})
	stop := b.work(func(_ context.Context, j job.Job) error { begun <- j; <-end; return nil })
	defer stop()
	b.once()
	if j := <-begun; string(j.Payload) != `{"n":1}` || j.Kind != "test.kind" || j.ID != "a" || j.Attempt != 1 {
		t.Errorf("the job arrived as %+v", j)
	}
	b.sweep(b.relay)
	b.outbox.again()
	b.once()
	b.want("a:active")
	close(end)
	b.await()
}

func TestSweepTakesOverFromDeadWorkers(t *testing.T) {
	b := newBench(t, "a")
	b.once()
	b.orphan("a")
	other := b.newRelay()
	for range 3 { // several times and by several relays: one task
		b.sweep(b.relay)
		b.sweep(other)
	}
	b.want("a+:pending", "a:active")
	var ran []job.ID
	stop := b.work(func(_ context.Context, j job.Job) error { ran = append(ran, j.ID); return nil })
	b.await("a+:completed", "a:active")
	stop()
	if !slices.Equal(ran, []job.ID{"a"}) {
		t.Errorf("ran %v", ran)
	}
	b.sweep(b.relay)
	b.want("a+:completed", "a:active") // it has run: not once more
	// It failed there, say, and is due again before asynq has swept.
	b.outbox.again()
	b.once()
	b.want("a+:pending", "a:active")
	// The next worker dies too.
	b.orphan("a+")
	b.sweep(b.relay)
	b.want("a++:pending", "a+:active", "a:active")
}

// handle gives an error to asynq only when the outbox could not be told.
func TestWhoIsToldOfAFailure(t *testing.T) {
	away := errors.New("away")
	tests := []struct {
		name    string
		attempt int
		handler job.Handler
		outbox  error
		calls   []string
		asynq   bool
	}{
		{"done", 1, func(context.Context, job.Job) error { return nil }, nil, nil, false},
		{"failed", 1, func(context.Context, job.Job) error { return errors.New("oh") }, nil, []string{"retry a: oh"}, false},
		{"failed for the last time", job.MaxTries, func(context.Context, job.Job) error { return errors.New("oh") }, nil, []string{"park a: oh"}, false},
		{"failed, outbox away", 1, func(context.Context, job.Job) error { return errors.New("oh") }, away, []string{"retry a: oh"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := newOutbox("a")
			o.jobs[0].Attempt = tt.attempt
			s := &Server{Outbox: o, Now: time.Now, Table: job.Table{Handlers: map[job.Kind]job.Handler{
				"test.kind": func(ctx context.Context, j job.Job) error {
					o.fail = tt.outbox // from now on
					return tt.handler(ctx, j)
				},
			}}}
			raw, err := json.Marshal(message{ID: "a", Payload: json.RawMessage(`{}`)})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.handle(t.Context(), asynq.NewTask("test.kind", raw)); (err != nil) != tt.asynq {
				t.Errorf("asynq is told %v", err)
			}
			if got := o.said(); !slices.Equal(got, tt.calls) {
				t.Errorf("the outbox is told %q, want %q", got, tt.calls)
			}
		})
	}
	t.Run("not ours", func(t *testing.T) {
		err := (&Server{}).handle(t.Context(), asynq.NewTask("test.kind", []byte("x")))
		if !errors.Is(err, asynq.SkipRetry) {
			t.Errorf("got %v, want that it is not tried again", err)
		}
	})
}

// Background work waits in the database but for a little, in queues of its own.
func TestBackgroundDoesNotFillRedis(t *testing.T) {
	var ids []job.ID
	for i := range 500 {
		ids = append(ids, job.ID(fmt.Sprintf("%03d", i)))
	}
	b := newBench(t, ids...)
	for i := range b.outbox.jobs {
		b.outbox.jobs[i].Priority = job.Regrade
	}
	for range 3 {
		b.once()
	}
	pending := func(queue string) int {
		list, err := b.inspector.ListPendingTasks(queue, asynq.PageSize(1000))
		if err != nil && !errors.Is(err, asynq.ErrQueueNotFound) {
			t.Fatal(err)
		}
		return len(list)
	}
	if n, m := pending(regrades), pending(queueName); n != backgroundAhead || m != 0 {
		t.Errorf("%d in the background, %d in front", n, m)
	}
	b.outbox.jobs[499].Priority = job.Waiting
	b.once()
	if n, m := pending(regrades), pending(queueName); n != backgroundAhead || m != 1 {
		t.Errorf("with somebody who waits: %d in the background, %d in front", n, m)
	}
}

// While a thousand regrades wait, whoever hands in begins at once, and background work begins only where nobody is served.
func TestALearnerPassesByARegrade(t *testing.T) {
	const thousand = 1000
	b := newBench(t)
	for i := range thousand {
		id := job.ID(fmt.Sprintf("regrade-%04d", i))
		b.outbox.jobs = append(b.outbox.jobs, job.Job{ID: id, Kind: "test.kind", Payload: json.RawMessage(`{}`), Priority: job.Regrade})
		b.outbox.due[id] = true
	}
	var mu sync.Mutex
	came, waited := map[job.ID]time.Time{}, []time.Duration{}
	front, back, regraded := 0, 0, 0
	ctx, cancel := context.WithCancel(t.Context())
	s := &Server{Redis: b.at, Outbox: b.outbox, Concurrency: 4, Background: 2, Drain: time.Second, Now: time.Now}
	s.Table.Handlers = map[job.Kind]job.Handler{"test.kind": func(_ context.Context, j job.Job) error {
		mu.Lock()
		side := &front
		if j.Priority.Background() {
			if front+back >= 2 {
				t.Errorf("a regrade begins beside %d and %d", front, back)
			}
			side = &back
			regraded++
		} else {
			waited = append(waited, time.Since(came[j.ID]))
		}
		*side++
		mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		mu.Lock()
		*side--
		mu.Unlock()
		return nil
	}}
	var all sync.WaitGroup
	all.Go(func() { b.relay.Run(ctx) })
	all.Go(func() {
		if err := s.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	for i := range 20 {
		time.Sleep(150 * time.Millisecond)
		id := job.ID(fmt.Sprintf("learner-%02d", i))
		mu.Lock()
		came[id] = time.Now()
		mu.Unlock()
		b.outbox.mu.Lock()
		b.outbox.jobs = append(b.outbox.jobs, job.Job{ID: id, Kind: "test.kind", Payload: json.RawMessage(`{}`)})
		b.outbox.due[id] = true
		b.outbox.mu.Unlock()
	}
	for late := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		mu.Lock()
		n := len(waited)
		mu.Unlock()
		if n == 20 {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("%d of 20 learners were served", n)
		}
	}
	cancel()
	all.Wait()
	slices.Sort(waited)
	t.Logf("waited %v at most, %v in the middle; %d regrades beside them", waited[19], waited[10], regraded)
	if regraded < 20 {
		t.Errorf("%d regrades: the slots that were left over stood empty", regraded)
	}
	// What is left is how often asynq looks (200 ms), and a busy machine.
	if waited[19] > 2*time.Second {
		t.Errorf("a learner waited %v", waited[19])
	}
}

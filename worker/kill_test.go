package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/banyan-lms/banyan/internal/app/apptest"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/store/storetest"
	"github.com/banyan-lms/banyan/worker/queue"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := apptest.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// production is one api and some workers over servers that can be killed.
type production struct {
	programs apptest.Programs
	env      []string
	base     string
	api      *apptest.Process
	workers  []*apptest.Process
	gone     []*apptest.Process // what was killed
	redis    redis.UniversalClient
}

// newProduction migrates, makes an institution, publishes the small example course and starts nothing of ours yet.
func newProduction(t *testing.T, postgresURL, redisURL string, env ...string) *production {
	t.Helper()
	address := apptest.FreeAddress(t)
	p := &production{programs: apptest.Build(t), base: "http://" + address}
	p.env = append([]string{
		"BANYAN_DATA_DIR=" + t.TempDir(), "BANYAN_DATABASE_URL=" + postgresURL, "BANYAN_REDIS_URL=" + redisURL,
		"BANYAN_LISTEN=" + address, "BANYAN_SANDBOX=fake", "BANYAN_JOB_CONCURRENCY=6", "BANYAN_LOG_LEVEL=debug",
	}, env...)
	apptest.MustRun(t, p.env, p.programs.API, "migrate")
	apptest.MustRun(t, p.env, p.programs.API, "institution", "create", "school", "A School")
	apptest.MustRun(t, p.env, p.programs.API, "content", "publish", "--institution", "school", "../content/examples/ai-in-daily-life")
	at, err := asynq.ParseRedisURI(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	p.redis = queue.Connect(at)
	t.Cleanup(func() { _ = p.redis.Close() })
	return p
}

func (p *production) startAPI(t *testing.T) {
	t.Helper()
	p.api = apptest.Start(t, p.env, p.programs.API, "serve")
	apptest.Await(t, "the api answers", func() bool {
		ended(t, p.api)
		return apptest.Healthy(t.Context(), p.base)
	})
}

// startWorker starts worker i, for the first time or again.
func (p *production) startWorker(t *testing.T, i int) {
	t.Helper()
	for len(p.workers) <= i {
		p.workers = append(p.workers, nil)
	}
	w := apptest.Start(t, p.env, p.programs.Worker)
	p.workers[i] = w
	apptest.Await(t, "the worker works", func() bool {
		ended(t, w)
		return w.Says("msg=working") > 0
	})
}

func ended(t *testing.T, p *apptest.Process) {
	t.Helper()
	select {
	case <-p.Done():
		t.Fatalf("a program ended by itself:\n%s", p.Said())
	default:
	}
}

// active counts the tasks that workers hold, alive or not.
func (p *production) active(t *testing.T) int64 {
	t.Helper()
	n, err := p.redis.LLen(t.Context(), "asynq:{default}:active").Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// killWorker kills a worker that has jobs under way.
func (p *production) killWorker(t *testing.T, i int) {
	t.Helper()
	began := p.workers[i].Says(`job starts" kind=lab.grade`)
	apptest.Await(t, "the worker begins a job", func() bool { return p.workers[i].Says(`job starts" kind=lab.grade`) > began })
	p.workers[i].Kill()
	p.gone = append(p.gone, p.workers[i])
}

// said counts a phrase in the logs of all programs there were.
func (p *production) said(phrase string) int {
	n := p.api.Says(phrase)
	for _, w := range append(p.workers, p.gone...) {
		n += w.Says(phrase)
	}
	return n
}

func try(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// Everything that production consists of dies at least once under load: Redis twice, and it comes back
// empty, a worker three times, the api once, and Postgres goes away for twenty seconds.
func TestProductionKilledUnderLoad(t *testing.T) {
	postgres, redis := storetest.StartPostgres(t), storetest.StartRedis(t)
	p := newProduction(t, postgres.URL(), redis.URL(), "BANYAN_JOB_VISIBILITY=30s")
	p.startAPI(t)
	p.startWorker(t, 0)
	p.startWorker(t, 1)
	submissions, away := 2000, 20*time.Second
	if testing.Short() {
		submissions, away = 400, 5*time.Second
	}
	load := apptest.NewLoad(t, p.base, apptest.Shipped(t, "ai-in-daily-life"), 20, submissions, 60*time.Millisecond)
	began := time.Now()
	load.Start(t.Context())
	note := func(format string, args ...any) {
		t.Logf("%5.1f s, %d acknowledged: "+format, append([]any{time.Since(began).Seconds(), load.Acknowledged.Load()}, args...)...)
	}

	load.Reach(t, 10)
	load.Burst(t)
	try(t, "kill Redis", redis.Kill())
	note("Redis killed")
	load.Reach(t, 20) // handing in needs no Redis
	try(t, "start Redis", redis.Start())
	note("Redis is back, empty")

	load.Reach(t, 28)
	load.Burst(t)
	p.killWorker(t, 0)
	note("a worker killed, %d jobs under way", p.active(t))
	load.Reach(t, 38)
	p.startWorker(t, 0)

	load.Reach(t, 42)
	load.Burst(t)
	p.killWorker(t, 1)
	try(t, "kill Redis", redis.Kill())
	note("the other worker and Redis killed")
	load.Reach(t, 52)
	try(t, "start Redis", redis.Start())
	p.startWorker(t, 1)
	note("both are back, Redis empty")

	load.Reach(t, 55)
	load.Burst(t)
	p.api.Kill()
	p.gone = append(p.gone, p.api)
	note("the api killed")
	p.startAPI(t)
	load.CheckKept(t)

	load.Reach(t, 66)
	load.Burst(t)
	try(t, "stop Postgres", postgres.Stop())
	note("Postgres stopped")
	time.Sleep(away) // that it lasts is the point
	try(t, "start Postgres", postgres.Start())
	note("Postgres is back")
	load.Reach(t, 75)
	load.Burst(t)
	try(t, "kill Postgres", postgres.Kill())
	try(t, "start Postgres", postgres.Start())
	note("Postgres killed and started")

	load.Reach(t, 85)
	load.Burst(t)
	p.killWorker(t, 0)
	note("a worker killed again, %d jobs under way", p.active(t))
	p.startWorker(t, 0)

	load.Wait(t)
	note("all is handed in")
	c := load.CheckAll(t, postgres.URL())
	note("%d submissions: clients asked again %d times, %d jobs done, %d jobs begun, %d taken over from dead workers, "+
		"%d tries failed, %d second ends suppressed", load.Size(), load.Retries(), c.Done,
		p.said("job starts"), p.said("a worker died, its job runs again"), c.Failures, p.said("job was done before"))
	for _, w := range append(p.workers, p.api) {
		ended(t, w)
		w.Signal(t, syscall.SIGTERM)
		if code := w.Wait(t); code != 0 {
			t.Errorf("exit code %d after SIGTERM", code)
		}
	}
}

// What a worker held when it was killed is taken over as soon as its lease has run out, and not only
// when the claim of the row has, or when asynq looks for it.
func TestJobOfADeadWorkerIsTakenOver(t *testing.T) {
	p := newProduction(t, storetest.Postgres(t), storetest.Redis(t), "BANYAN_JOB_VISIBILITY=1h")
	p.startAPI(t)
	p.startWorker(t, 0)
	course := apptest.Shipped(t, "ai-in-daily-life")
	lab := course.Items(curriculum.Lab)[0]
	l := apptest.SignUp(t, p.base, "amina", course)
	id := apptest.NewID()
	try(t, "submit", l.Submit(t.Context(), id, lab, course.Right(lab, time.Second)))
	apptest.Await(t, "the job is under way", func() bool { return p.workers[0].Says(`job starts" kind=lab.grade`) > 0 })
	p.workers[0].Kill()
	p.startWorker(t, 0)
	began := time.Now()
	apptest.Await(t, "the verdict", func() bool {
		s, err := l.Find(t.Context(), id)
		return err == nil && s.Verdict != nil && s.Verdict.Outcome == "passed" && s.Verdict.Attempt == 1
	})
	t.Logf("its verdict came %.1f s after the next worker", time.Since(began).Seconds())
	if p.workers[0].Says("a worker died, its job runs again") == 0 {
		t.Error("asynq was faster: the sweep is of no use")
	}
}

// A worker that is asked to go finishes what it has begun and leaves the rest to others.
func TestSignalsLetJobsFinish(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			p := newProduction(t, storetest.Postgres(t), storetest.Redis(t), "BANYAN_JOB_CONCURRENCY=1")
			p.startAPI(t)
			p.startWorker(t, 0)
			course := apptest.Shipped(t, "ai-in-daily-life")
			lab := course.Items(curriculum.Lab)[0]
			l := apptest.SignUp(t, p.base, "amina", course)
			begun, waiting := apptest.NewID(), apptest.NewID()
			try(t, "submit", l.Submit(t.Context(), begun, lab, course.Right(lab, 1500*time.Millisecond)))
			apptest.Await(t, "the job is under way", func() bool { return p.workers[0].Says(`job starts" kind=lab.grade`) > 0 })
			try(t, "submit", l.Submit(t.Context(), waiting, lab, course.Wrong(lab, 0)))
			p.workers[0].Signal(t, sig)
			if code := p.workers[0].Wait(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
			s, err := l.Find(t.Context(), begun)
			try(t, "find", err)
			if s.Verdict == nil || s.Verdict.Outcome != "passed" {
				t.Errorf("the job under way did not end: %+v", s.Verdict)
			}
			s, err = l.Find(t.Context(), waiting)
			try(t, "find", err)
			if s.Verdict != nil {
				t.Error("a job was begun after the signal")
			}
			p.startWorker(t, 0)
			apptest.Await(t, "the next worker does the rest", func() bool {
				s, err := l.Find(t.Context(), waiting)
				return err == nil && s.Verdict != nil
			})
		})
	}
}

func TestStartFaults(t *testing.T) {
	programs := apptest.Build(t)
	postgres, behind := storetest.Postgres(t), storetest.Postgres(t)
	redis, silent := storetest.Redis(t), apptest.FreeAddress(t)
	base := []string{"BANYAN_DATABASE_URL=" + postgres, "BANYAN_REDIS_URL=" + redis, "BANYAN_LISTEN=127.0.0.1:0", "BANYAN_SANDBOX=fake"}
	apptest.MustRun(t, append(base, "BANYAN_DATA_DIR="+t.TempDir()), programs.API, "migrate")
	tests := []struct {
		name string
		env  []string
		want string
	}{
		{"no Redis named", []string{"BANYAN_REDIS_URL="}, "BANYAN_REDIS_URL"},
		{"Redis address unreadable", []string{"BANYAN_REDIS_URL=http://:pa55word@" + silent}, "BANYAN_REDIS_URL"},
		{"Redis unreachable", []string{"BANYAN_REDIS_URL=redis://:pa55word@" + silent + "/0"}, "Redis"},
		{"Postgres unreachable", []string{"BANYAN_DATABASE_URL=postgres://ada:pa55word@" + silent + "/banyan"}, "database"},
		{"Postgres behind", []string{"BANYAN_DATABASE_URL=" + behind}, "migrate"},
		{"no runtime", []string{"BANYAN_SANDBOX=wasm", "BANYAN_RUNTIME_DIR=" + t.TempDir()}, "runtime"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append(append([]string{"BANYAN_DATA_DIR=" + t.TempDir()}, base...), tt.env...)
			w := apptest.Start(t, env, programs.Worker)
			code, said := w.Wait(t), w.Said()
			t.Log(said)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "banyan worker: ") || !strings.Contains(said, tt.want) {
				t.Errorf("not one line that names %s", tt.want)
			}
			if strings.Contains(said, "pa55word") {
				t.Error("the line tells the password")
			}
		})
	}
}

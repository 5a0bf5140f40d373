package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/app/apptest"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := apptest.Clean(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// embedded is one program with SQLite and no Redis.
type embedded struct {
	*apptest.Process
	program, address, base, database string
	env                              []string
}

// newEmbedded makes an institution, publishes the small example course and does not serve yet.
func newEmbedded(t *testing.T, env ...string) *embedded {
	t.Helper()
	dir, address := t.TempDir(), apptest.FreeAddress(t)
	e := &embedded{program: apptest.Build(t).API, address: address, base: "http://" + address, database: filepath.Join(dir, "banyan.db")}
	e.env = append([]string{
		"BANYAN_DATA_DIR=" + dir, "BANYAN_LISTEN=" + address, "BANYAN_SANDBOX=fake", "BANYAN_LOG_LEVEL=debug", "BANYAN_JOB_CONCURRENCY=4",
	}, env...)
	apptest.MustRun(t, e.env, e.program, "institution", "create", "school", "A School")
	apptest.MustRun(t, e.env, e.program, "content", "publish", "--institution", "school", "../content/examples/ai-in-daily-life")
	return e
}

func (e *embedded) serve(t *testing.T) {
	t.Helper()
	began := time.Now()
	e.Process = apptest.Start(t, e.env, e.program, "serve")
	apptest.Await(t, "the server answers", func() bool {
		select {
		case <-e.Done():
			t.Fatalf("the server ended:\n%s", e.Said())
		default:
		}
		return apptest.Healthy(t.Context(), e.base)
	})
	t.Logf("started in %.2f s", time.Since(began).Seconds())
}

func TestEmbeddedProgramKilledUnderLoad(t *testing.T) {
	// The claim of a job that two kills interrupt must run out first.
	e := newEmbedded(t, "BANYAN_JOB_VISIBILITY=20s")
	e.serve(t)
	submissions := 600
	if testing.Short() {
		submissions = 200
	}
	load := apptest.NewLoad(t, e.base, apptest.Shipped(t, "ai-in-daily-life"), 12, submissions, 5*time.Millisecond)
	load.Start(t.Context())
	recovered, twice := 0, 0
	for _, percent := range []int{25, 50, 75} {
		load.Reach(t, percent)
		load.Burst(t)
		e.Kill()
		recovered += e.Says("run again")
		twice += e.Says("done before")
		e.serve(t)
		load.CheckKept(t)
	}
	load.Wait(t)
	c := load.CheckAll(t, e.database)
	recovered += e.Says("run again")
	twice += e.Says("done before")
	t.Logf("%d submissions, killed three times: clients asked again %d times, %d starts found jobs under way, %d jobs done, "+
		"%d tries failed, %d second ends suppressed", load.Size(), load.Retries(), recovered, c.Done, c.Failures, twice)
}

func TestJobUnderWayAtTheKillRunsAgainAtTheStart(t *testing.T) {
	e := newEmbedded(t, "BANYAN_JOB_VISIBILITY=1h")
	e.serve(t)
	course := apptest.Shipped(t, "ai-in-daily-life")
	lab := course.Items(curriculum.Lab)[0]
	l := apptest.SignUp(t, e.base, "amina", course)
	id := apptest.NewID()
	if err := l.Submit(t.Context(), id, lab, course.Right(lab, time.Second)); err != nil {
		t.Fatal(err)
	}
	apptest.Await(t, "the job is under way", func() bool { return e.Says(`job starts" kind=lab.grade`) > 0 })
	e.Kill()
	e.serve(t)
	began := time.Now()
	apptest.Await(t, "the verdict", func() bool {
		s, err := l.Find(t.Context(), id)
		return err == nil && s.Verdict != nil && s.Verdict.Outcome == "passed" && s.Verdict.Attempt == 1
	})
	t.Logf("its verdict came %.1f s after the start", time.Since(began).Seconds())
}

// A signal ends the program in order: who waits gets an answer, what runs is stored.
func TestSignalsLetWorkFinish(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			e := newEmbedded(t, "BANYAN_JOB_VISIBILITY=1h")
			e.serve(t)
			course := apptest.Shipped(t, "ai-in-daily-life")
			lab := course.Items(curriculum.Lab)[0]
			l := apptest.SignUp(t, e.base, "amina", course)
			awaited, silent := apptest.NewID(), apptest.NewID()
			if err := l.Submit(t.Context(), awaited, lab, course.Right(lab, time.Second)); err != nil {
				t.Fatal(err)
			}
			if err := l.Submit(t.Context(), silent, lab, course.Right(lab, 2*time.Second)); err != nil {
				t.Fatal(err)
			}
			apptest.Await(t, "both jobs are under way", func() bool { return e.Says(`job starts" kind=lab.grade`) == 2 })
			poll := make(chan apptest.Submission, 1)
			failed := make(chan error, 1)
			go func() {
				s, err := l.Find(t.Context(), awaited+"?wait=20")
				failed <- err
				poll <- s
			}()
			// Nothing tells that the poll has arrived. If the signal is first, the answer fails the test.
			time.Sleep(300 * time.Millisecond)
			began := time.Now()
			e.Signal(t, sig)
			if err := <-failed; err != nil {
				t.Fatalf("a request under way: %v", err)
			}
			if s := <-poll; s.Verdict == nil {
				t.Error("a request under way was answered without what it waited for")
			}
			if code := e.Wait(t); code != 0 {
				t.Errorf("exit code %d", code)
			}
			t.Logf("gone after %.1f s", time.Since(began).Seconds())
			c, err := storetest.TakeCensus(t.Context(), e.database)
			if err != nil {
				t.Fatal(err)
			}
			if c.Verdicts != 2 || c.Waiting != 0 || c.Failures != 0 {
				t.Errorf("left behind: %+v", c)
			}
			if l.Retries.Load() != 0 {
				t.Errorf("%d requests were broken", l.Retries.Load())
			}
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	e := newEmbedded(t)
	e.serve(t)
	course := apptest.Shipped(t, "ai-in-daily-life")
	lab := course.Items(curriculum.Lab)[0]
	l := apptest.SignUp(t, e.base, "amina", course)
	if err := l.Submit(t.Context(), apptest.NewID(), lab, course.Right(lab, time.Hour)); err != nil {
		t.Fatal(err)
	}
	apptest.Await(t, "the job is under way", func() bool { return e.Says(`job starts" kind=lab.grade`) > 0 })
	e.Signal(t, syscall.SIGINT)
	apptest.Await(t, "the program leaves", func() bool { return e.Says("leaving") > 0 })
	e.Signal(t, syscall.SIGINT)
	if code := e.Wait(t); code == 0 {
		t.Error("exit code 0, with a job under way")
	}
}

// What keeps the program from starting is one line that an operator understands.
func TestStartFaults(t *testing.T) {
	program := apptest.Build(t).API
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	silent, listen := apptest.FreeAddress(t), apptest.FreeAddress(t)
	postgres := storetest.Postgres(t)
	apptest.MustRun(t, []string{"BANYAN_DATA_DIR=" + t.TempDir(), "BANYAN_DATABASE_URL=" + postgres}, program, "migrate")
	if err := storetest.MakeNewer(t.Context(), postgres); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name  string
		env   func(t *testing.T, dir string) []string
		want  string // in the line
		clean bool   // nothing at all may be left in the data folder
	}{
		{"port taken", func(*testing.T, string) []string {
			return []string{"BANYAN_LISTEN=" + taken.Addr().String()}
		}, taken.Addr().String(), true},
		{"data folder below a file", func(t *testing.T, dir string) []string {
			file := filepath.Join(dir, "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return []string{"BANYAN_DATA_DIR=" + filepath.Join(file, "data")}
		}, "data", false},
		{"data folder that cannot be written", func(*testing.T, string) []string {
			return []string{"BANYAN_DATA_DIR=/proc/banyan"}
		}, "/proc/banyan", true},
		{"database newer", func(t *testing.T, dir string) []string {
			env := []string{"BANYAN_DATA_DIR=" + dir}
			apptest.MustRun(t, env, program, "migrate")
			if err := storetest.MakeNewer(t.Context(), filepath.Join(dir, "banyan.db")); err != nil {
				t.Fatal(err)
			}
			return env
		}, "newer", false},
		{"Postgres newer", func(*testing.T, string) []string {
			return []string{"BANYAN_DATABASE_URL=" + postgres}
		}, "newer", false},
		{"Postgres unreachable", func(*testing.T, string) []string {
			return []string{"BANYAN_DATABASE_URL=postgres://ada:pa55word@" + silent + "/banyan"}
		}, "127.0.0.1", true},
		{"Postgres unreachable, password in the query", func(*testing.T, string) []string {
			return []string{"BANYAN_DATABASE_URL=postgres://" + silent + "/banyan?user=ada&password=pa55word"}
		}, "127.0.0.1", true},
		{"Postgres address unreadable", func(*testing.T, string) []string {
			return []string{"BANYAN_DATABASE_URL=postgres://ada:pa55word@[::/banyan"}
		}, "address", true},
		{"no runtime", func(t *testing.T, _ string) []string {
			return []string{"BANYAN_SANDBOX=wasm", "BANYAN_RUNTIME_DIR=" + t.TempDir()}
		}, "runtime", false},
		{"bad setting", func(*testing.T, string) []string { return []string{"BANYAN_SIGNUP=perhaps"} }, "BANYAN_SIGNUP", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			env := append([]string{"BANYAN_DATA_DIR=" + dir, "BANYAN_LISTEN=" + listen, "BANYAN_SANDBOX=fake"}, tt.env(t, dir)...)
			began := time.Now()
			stdout, stderr, code := apptest.Run(t, env, program, "serve")
			t.Logf("%.1f s: %s", time.Since(began).Seconds(), stderr)
			if code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "banyan: ") {
				t.Errorf("not one line on stderr: %q, %q", stdout, stderr)
			}
			if !strings.Contains(stderr, tt.want) {
				t.Errorf("the line does not name %q", tt.want)
			}
			if strings.Contains(stderr, "pa55word") {
				t.Error("the line tells the password")
			}
			if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || (tt.clean && len(left) > 0) {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// A start that failed for want of a runtime has made nothing that a later start would trip over.
func TestStartAfterAFailedStart(t *testing.T) {
	e := newEmbedded(t)
	_, _, code := apptest.Run(t, append(e.env, "BANYAN_SANDBOX=wasm", "BANYAN_RUNTIME_DIR="+t.TempDir()), e.program, "serve")
	if code != 1 {
		t.Fatalf("exit code %d, want 1", code)
	}
	e.serve(t)
}

// What is tried in vain is parked, listed, told to its learner, and done once an operator retries it.
func TestParkedJobs(t *testing.T) {
	e := newEmbedded(t)
	e.serve(t)
	course := apptest.Shipped(t, "ai-in-daily-life")
	lab := course.Items(curriculum.Lab)[0]
	l := apptest.SignUp(t, e.base, "amina", course)
	id := apptest.NewID()
	// It fails once in each process: now, and at the last try below.
	if err := l.Submit(t.Context(), id, lab, course.Stumbling(lab, id, 1)); err != nil {
		t.Fatal(err)
	}
	apptest.Await(t, "the first try fails", func() bool { return e.Says("job failed, will try again") > 0 })
	e.Kill()

	db, err := store.Open(t.Context(), e.database)
	if err != nil {
		t.Fatal(err)
	}
	strange, err := job.New(job.ID(apptest.NewID()), "no.such.kind", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Lab().Enqueue(t.Context(), strange); err != nil {
		t.Fatal(err)
	}
	var jobs []job.Job
	apptest.Await(t, "both jobs are due", func() bool {
		due, err := db.Outbox().Start(t.Context(), job.Housekeeping, 10, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, due...)
		return len(jobs) == 2
	})
	for _, j := range jobs {
		for n := j.Attempt; n < job.MaxTries-1; n++ { // the try that has begun is one already
			if _, _, err := db.Outbox().Begin(t.Context(), j.ID); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Outbox().Retry(t.Context(), j.ID, time.Now().Add(-time.Second), "fails"); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	e.serve(t)
	var list string
	apptest.Await(t, "both jobs are parked", func() bool {
		list = apptest.MustRun(t, e.env, e.program, "jobs", "list")
		return strings.Contains(list, "2 jobs were given up")
	})
	t.Log("\n" + list)
	for _, want := range []string{string(strange.ID), "no.such.kind", "lab.grade", "no child for " + id} {
		if !strings.Contains(list, want) {
			t.Errorf("the list does not tell %q", want)
		}
	}
	s, err := l.Find(t.Context(), id)
	if err != nil || s.Verdict == nil || s.Verdict.Outcome != "platform_error" || s.Verdict.Attempt != 0 {
		t.Errorf("the learner is told %+v, %v", s.Verdict, err)
	}
	for _, j := range jobs {
		apptest.MustRun(t, e.env, e.program, "jobs", "retry", string(j.ID))
	}
	if _, stderr, code := apptest.Run(t, e.env, e.program, "jobs", "retry", apptest.NewID()); code != 1 || stderr == "" {
		t.Errorf("retry of an unknown job: exit code %d, %q", code, stderr)
	}
	apptest.Await(t, "the verdict takes the platform error's place", func() bool {
		s, err := l.Find(t.Context(), id)
		return err == nil && s.Verdict.Outcome == "passed" && s.Verdict.Attempt == 1
	})
	apptest.Await(t, "the strange job is tried anew", func() bool {
		c, err := storetest.TakeCensus(t.Context(), e.database)
		if err != nil {
			t.Fatal(err)
		}
		return c.Parked == 0 && c.Waiting == 1 && c.Failures == 1
	})
}

// The address is free again once the program is gone, and health is told while it is there.
func TestHealth(t *testing.T) {
	e := newEmbedded(t)
	e.serve(t)
	res, err := http.Get(e.base + "/api/health")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var h struct{ Status string }
	if err := json.NewDecoder(res.Body).Decode(&h); err != nil || h.Status != "ok" {
		t.Errorf("health %+v, %v", h, err)
	}
	if out := apptest.MustRun(t, e.env, e.program, "health"); out != "well\n" {
		t.Errorf("health says %q", out)
	}
	e.Signal(t, syscall.SIGTERM)
	if code := e.Wait(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, _, code := apptest.Run(t, e.env, e.program, "health"); code != 1 {
		t.Errorf("health of a server that is gone: exit code %d", code)
	}
	l, err := net.Listen("tcp", e.address)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
}

//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/app/apptest"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// An interpreter that is killed each time is a fault of the platform: the job is tried again and again, then parked and
// shown to the operator, and costs the learner nothing. Done again on a machine that is well, it ends as any other.
func TestAnInterpreterThatIsKilledEachTime(t *testing.T) {
	runtimeDir, err := filepath.Abs("../build/runtime")
	try(t, "find the runtime", err)
	url := storetest.Postgres(t)
	p := newProduction(t, url, storetest.Redis(t), "BANYAN_SANDBOX=wasm", "BANYAN_RUNTIME_DIR="+runtimeDir, "BANYAN_JOB_CONCURRENCY=1")
	p.startAPI(t)
	p.startWorker(t, 0)
	course := apptest.Shipped(t, "ai-in-daily-life")
	lab := course.Items(curriculum.Lab)[0]
	solution, err := os.ReadFile("../content/examples/ai-in-daily-life/labs/" + string(lab) + "/solution.py")
	try(t, "read the solution", err)
	l := apptest.SignUp(t, p.base, "amina", course)

	// Nothing that asks for an interpreter keeps it for long.
	killing, stop := context.WithCancel(t.Context())
	defer stop()
	var killer sync.WaitGroup
	killer.Go(func() {
		for killing.Err() == nil {
			killChild(t, p.workers[0].PID())
			select {
			case <-killing.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	id := apptest.NewID()
	try(t, "submit", l.Submit(t.Context(), id, lab, string(solution)+"\nfor _ in range(20_000_000): pass\n"))
	var s apptest.Submission
	apptest.Await(t, "the job is parked", func() bool {
		try(t, "hasten", storetest.Hasten(t.Context(), url))
		s, err = l.Find(t.Context(), id)
		return err == nil && s.Verdict != nil
	})
	stop()
	killer.Wait()
	if s.Verdict.Outcome != "platform_error" || s.Verdict.Attempt != 0 {
		t.Fatalf("%+v", *s.Verdict)
	}
	var parked string
	apptest.Await(t, "the operator sees it", func() bool {
		parked = apptest.MustRun(t, p.env, p.programs.API, "jobs", "list")
		return strings.Contains(parked, "lab.grade")
	})
	apptest.Await(t, "the log tells of it", func() bool { return p.workers[0].Says("parked") > 0 })
	if n := p.workers[0].Says("job failed"); n != job.MaxTries {
		t.Errorf("%d tries failed, want %d", n, job.MaxTries)
	}
	if !strings.Contains(parked, "sandbox child") {
		t.Errorf("the operator is told %s", parked)
	}
	if c, err := storetest.TakeCensus(t.Context(), url); err != nil || c.Parked != 1 || c.Attempts != 0 || c.Judged != 0 {
		t.Errorf("%+v, %v", c, err)
	}

	apptest.MustRun(t, p.env, p.programs.API, "jobs", "retry", strings.Fields(parked)[0])
	apptest.Await(t, "the verdict", func() bool {
		s, err := l.Find(t.Context(), id)
		return err == nil && s.Verdict != nil && s.Verdict.Outcome == "passed" && s.Verdict.Attempt == 1
	})
}

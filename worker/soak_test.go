//go:build linux

package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/app/apptest"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

var (
	soak     = flag.Int("soak", 600, "submissions of TestSoak")
	soakSeed = flag.Uint64("soak-seed", 0, "what TestSoak kills and when; 0: by the clock")
)

// Real programs in the real sandbox, while interpreters, workers and Redis are killed at random:
// no submission is lost, none is judged twice, and memory does not grow. `make soak` does it with 10,000.
func TestSoak(t *testing.T) {
	runtimeDir, err := filepath.Abs("../build/runtime")
	try(t, "find the runtime", err)
	postgres, redis := storetest.StartPostgres(t), storetest.StartRedis(t)
	p := newProduction(t, postgres.URL(), redis.URL(), "BANYAN_SANDBOX=wasm", "BANYAN_RUNTIME_DIR="+runtimeDir,
		"BANYAN_JOB_VISIBILITY=60s", "BANYAN_JOB_CONCURRENCY=2", "BANYAN_LOG_LEVEL=info")
	p.startAPI(t)
	p.startWorker(t, 0)
	p.startWorker(t, 1)
	seed := *soakSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-soak-seed=%d", seed)
	chance := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // for a test that can be repeated
	load := apptest.NewPythonLoad(t, p.base, apptest.Shipped(t, "ai-in-daily-life"), 20, *soak)
	load.Start(t.Context())
	began := time.Now()
	var killed struct{ children, workers, redis int }
	var memory []footprint
	step := 2
	for percent := step; percent <= 98; percent += step {
		load.Reach(t, percent)
		// Handing in is faster than grading: what is killed shall have work at all times, and not only at first.
		apptest.Await(t, "the line is short", func() bool {
			c, err := storetest.TakeCensus(t.Context(), postgres.URL())
			try(t, "count", err)
			return c.Waiting <= *soak*step/100
		})
		memory = append(memory, p.memory(t))
		switch n := chance.IntN(10); {
		case n < 6:
			killed.children += killChild(t, p.workers[chance.IntN(2)].PID())
		case n < 9:
			i := chance.IntN(2)
			p.workers[i].Kill()
			p.gone = append(p.gone, p.workers[i])
			p.startWorker(t, i)
			killed.workers++
		default:
			try(t, "kill Redis", redis.Kill())
			try(t, "start Redis", redis.Start())
			killed.redis++
		}
	}
	load.Wait(t)
	c := load.CheckAll(t, postgres.URL())
	t.Logf("%d submissions in %.0f s: killed %d interpreters, %d workers, Redis %d times; %d tries failed",
		load.Size(), time.Since(began).Seconds(), killed.children, killed.workers, killed.redis, c.Failures)
	if killed.children == 0 || killed.workers == 0 {
		t.Error("too little was killed for this to mean anything")
	}
	for name, of := range map[string]func(footprint) int64{
		"api": func(u footprint) int64 { return u.api }, "worker": func(u footprint) int64 { return u.worker }, "interpreter": func(u footprint) int64 { return u.child },
	} {
		early, late := middle(memory[len(memory)/10:len(memory)/3], of), middle(memory[len(memory)*2/3:], of)
		t.Logf("memory of one %s: %d MB, in the end %d MB", name, early>>20, late>>20)
		if late > early*5/4+16<<20 {
			t.Errorf("the memory of one %s grew from %d to %d MB", name, early>>20, late>>20)
		}
	}
}

// footprint is the resident memory of the largest process of each sort, in bytes.
type footprint struct{ api, worker, child int64 }

func (p *production) memory(t *testing.T) footprint {
	t.Helper()
	u := footprint{api: resident(p.api.PID())}
	for _, w := range p.workers {
		u.worker = max(u.worker, resident(w.PID()))
		for _, pid := range childrenOf(t, w.PID()) {
			u.child = max(u.child, resident(pid))
		}
	}
	return u
}

func middle(all []footprint, of func(footprint) int64) int64 {
	var values []int64
	for _, u := range all {
		values = append(values, of(u))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// resident is 0 for a process that is gone.
func resident(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(raw))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// childrenOf lists the interpreters of a worker.
func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	try(t, "list processes", err)
	var pids []int
	for _, path := range all {
		raw, err := os.ReadFile(path)
		_, rest, ok := bytes.Cut(raw, []byte(") "))
		fields := strings.Fields(string(rest))
		if err != nil || !ok || len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(path, "/proc/"), "/stat"))
		pids = append(pids, pid)
	}
	return pids
}

// killChild kills one interpreter of a worker, if there is one.
func killChild(t *testing.T, worker int) int {
	t.Helper()
	for _, pid := range childrenOf(t, worker) {
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			return 1
		}
	}
	return 0
}

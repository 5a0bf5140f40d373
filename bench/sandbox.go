package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

//go:embed testdata/exercise.py
var exercise string

// What the sandbox may cost, beside native Python where that is here.
const (
	printGoal    = 0.5
	exerciseGoal = 3.5
	coresGoal    = 1.8
	childGoal    = 64 // MB
	flatGoal     = 1.25
	manyJobs     = 10_000
)

// python measures the sandbox side by side with a native interpreter of this machine.
func python(ctx context.Context, b *bench) ([]Figure, error) {
	cfg := sandbox.WASMConfig{
		Module: filepath.Join(b.runtimeDir, "python.wasm"), CacheDir: filepath.Join(b.runtimeDir, "cache"), Children: 1,
	}
	if err := sandbox.Prepare(ctx, cfg); err != nil {
		return nil, err
	}
	one, err := sandbox.NewWASM(cfg)
	if err != nil {
		return nil, err
	}
	defer one.Close()
	report, err := one.Check(ctx)
	if err != nil {
		return nil, err
	}
	kind := "The snapshot runtime."
	jobs := manyJobs
	if !report.Snapshot {
		kind = "The portable runtime, which starts Python anew for each program: make runtime builds the one that is meant."
		jobs = manyJobs / 10
	}
	native := nativePython(ctx)
	if native == "" {
		kind += " There is no python3 here to compare with."
	}
	child, err := onlyChild()
	if err != nil {
		return nil, err
	}
	var out []Figure
	for _, m := range []pythonPair{
		{"python-print", "print(1)", printGoal, 200, 20},
		{"python-exercise", exercise, exerciseGoal, 8, 10},
	} {
		f, err := m.measure(ctx, one, child, native, kind)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}

	small := sandbox.Program{Files: map[string][]byte{"main.py": []byte("print(1)")}, Main: "main.py"}
	var early float64
	for n := range jobs {
		if err := runOne(ctx, one, small, "1\n"); err != nil {
			return nil, err
		}
		if n == 99 {
			if early, err = residentOf(child); err != nil {
				return nil, err
			}
		}
	}
	late, err := residentOf(child)
	if err != nil {
		return nil, fmt.Errorf("the child did not last: %w", err)
	}
	out = append(out,
		Figure{
			Name: "python-child", Value: late, Unit: "MB", Goal: new(float64(childGoal)), Met: new(late <= childGoal), GoalOf: "value, at most",
			How: fmt.Sprintf("Resident memory of a warm child after %d programs, shared pages included. %s", jobs, kind),
		},
		Figure{
			Name: "python-flat", Value: late, Unit: "MB", Baseline: &early, Ratio: new(late / early), Goal: new(flatGoal), Met: new(late/early <= flatGoal), GoalOf: "ratio, at most",
			How: fmt.Sprintf("The same beside the child's memory after 100 programs. %s", kind),
		})
	f, err := overCores(ctx, cfg, kind)
	if err != nil {
		return nil, err
	}
	return append(out, f), nil
}

// nativePython gives the interpreter behind python3, which may be a script that chooses one, or "".
func nativePython(ctx context.Context) string {
	raw, err := exec.CommandContext(ctx, "python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(raw))
}

// onlyChild is the process that this one has started and that still runs.
func onlyChild() (int, error) {
	files, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		return 0, err
	}
	var pids []string
	for _, f := range files {
		if raw, err := os.ReadFile(f); err == nil {
			pids = append(pids, strings.Fields(string(raw))...)
		}
	}
	// Servers of measurements before are children too; the sandbox's is the newest.
	newest := 0
	for _, p := range pids {
		n, err := strconv.Atoi(p)
		if err != nil {
			return 0, err
		}
		newest = max(newest, n)
	}
	if newest == 0 {
		return 0, fmt.Errorf("the sandbox has no child")
	}
	return newest, nil
}

func residentOf(pid int) (float64, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0, fmt.Errorf("read /proc/%d/statm: %q", pid, raw)
	}
	pages, err := strconv.Atoi(fields[1])
	return float64(pages) * float64(os.Getpagesize()) / 1e6, err
}

func runOne(ctx context.Context, e sandbox.Engine, p sandbox.Program, want string) error {
	res, err := e.Run(ctx, p)
	if err != nil {
		return err
	}
	if res.End != sandbox.Exited || res.ExitCode != 0 || want != "" && string(res.Stdout) != want {
		return fmt.Errorf("a program ended %s %d: %q %q", res.End, res.ExitCode, res.Stdout, res.Stderr)
	}
	return nil
}

// pythonPair is a program that both interpreters run.
type pythonPair struct {
	name, source  string
	goal          float64
	ours, natives int // runs a round
}

// measure gives the processor time of one run: ours is that of the child and of this process,
// which asks it; the native one starts and ends with its program, as it does in other graders.
func (m pythonPair) measure(ctx context.Context, e sandbox.Engine, child int, native, kind string) (Figure, error) {
	program := sandbox.Program{Files: map[string][]byte{"main.py": []byte(m.source)}, Main: "main.py"}
	var ours, theirs, ratios []float64
	answer := ""
	for i := -1; i < rounds; i++ {
		var theirTime time.Duration
		if native != "" {
			for range m.natives {
				cmd := exec.CommandContext(ctx, native, "-I", "-S", "-c", m.source)
				raw, err := cmd.Output()
				if err != nil {
					return Figure{}, fmt.Errorf("native python: %w", err)
				}
				answer = string(raw)
				theirTime += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
		}
		before, err := pythonCPU(child)
		if err != nil {
			return Figure{}, err
		}
		for range m.ours {
			if err := runOne(ctx, e, program, answer); err != nil {
				return Figure{}, err
			}
		}
		after, err := pythonCPU(child)
		if err != nil {
			return Figure{}, err
		}
		if i < 0 {
			continue // to warm up
		}
		ours = append(ours, milliseconds(after-before)/float64(m.ours))
		if native != "" {
			theirs = append(theirs, milliseconds(theirTime)/float64(m.natives))
			ratios = append(ratios, ours[i]/theirs[i])
		}
	}
	f := Figure{
		Name: m.name, Value: median(ours), Unit: "ms CPU", Goal: &m.goal, GoalOf: "ratio, at most",
		How: "Processor time of one run in a warm child and of the process that asks, beside python3 -I -S, started for it. " + kind,
	}
	if native != "" {
		f.Baseline, f.Ratio = new(median(theirs)), new(median(ratios))
		f.Met = new(*f.Ratio <= m.goal)
	}
	return f, nil
}

// pythonCPU is what the child and this process have used, in steps of 10 ms.
func pythonCPU(child int) (time.Duration, error) {
	a, err := cpuOf(child)
	if err != nil {
		return 0, err
	}
	b, err := cpuOf(os.Getpid())
	return a + b, err
}

// overCores measures programs a second with one child and with two, in turns.
func overCores(ctx context.Context, cfg sandbox.WASMConfig, kind string) (Figure, error) {
	program := sandbox.Program{Files: map[string][]byte{"main.py": []byte(exercise)}, Main: "main.py"}
	engines := make([]*sandbox.WASM, 2)
	for i := range engines {
		cfg.Children = i + 1
		e, err := sandbox.NewWASM(cfg)
		if err != nil {
			return Figure{}, err
		}
		defer e.Close()
		engines[i] = e
	}
	rate := func(e *sandbox.WASM, n int, d time.Duration) (float64, error) {
		var done atomic.Int64
		var wg sync.WaitGroup
		errs := make(chan error, n)
		began := time.Now()
		for range n {
			wg.Go(func() {
				for time.Since(began) < d {
					if err := runOne(ctx, e, program, ""); err != nil {
						errs <- err
						return
					}
					done.Add(1)
				}
			})
		}
		wg.Wait()
		took := time.Since(began)
		select {
		case err := <-errs:
			return 0, err
		default:
			return float64(done.Load()) / took.Seconds(), nil
		}
	}
	var single, both, ratios []float64
	for i := -1; i < rounds; i++ {
		d := roundTime
		if i < 0 {
			d = warmTime
		}
		a, err := rate(engines[0], 1, d)
		if err != nil {
			return Figure{}, err
		}
		b, err := rate(engines[1], 2, d)
		if err != nil {
			return Figure{}, err
		}
		if i >= 0 {
			single, both, ratios = append(single, a), append(both, b), append(ratios, b/a)
		}
	}
	ratio := median(ratios)
	return Figure{
		Name: "python-cores", Value: median(both), Unit: "1/s", Baseline: new(median(single)), Ratio: &ratio,
		Goal: new(coresGoal), Met: new(ratio >= coresGoal), GoalOf: "ratio, at least",
		How: "The exercise of python-exercise with two children at once, beside one child. " + kind,
	}, nil
}

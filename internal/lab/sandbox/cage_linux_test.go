package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// one opens an engine with one child, and gives the child's pid.
func one(t *testing.T) (*sandbox.WASM, int) {
	t.Helper()
	cfg := sandboxtest.Config(t)
	cfg.Children = 1
	e := sandboxtest.OpenWith(t, cfg)
	run(t, e, python("print(1)"))
	return e, pid(t, e)
}

func pid(t *testing.T, e *sandbox.WASM) int {
	t.Helper()
	pids := e.Pids()
	if len(pids) != 1 {
		t.Fatalf("%d children wait, want 1", len(pids))
	}
	return pids[0]
}

func proc(t *testing.T, pid int, file string) string {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestTheChildIsLockedIn(t *testing.T) {
	e, pid := one(t)
	report, err := e.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, w := range report.Walls {
		names = append(names, w.Name)
		if !w.Stands {
			t.Errorf("%s does not stand: %s", w.Name, w.Why)
		}
	}
	if !slices.Equal(names, sandbox.Walls) {
		t.Errorf("walls %v, want %v", names, sandbox.Walls)
	}
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(tasks) == 0 {
		t.Fatal(err, tasks)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(status), "NoNewPrivs:\t1\n") {
			t.Errorf("%s may gain privileges", task)
		}
		if !strings.Contains(string(status), "Seccomp:\t2\n") {
			t.Errorf("%s may make every system call", task)
		}
		if os.Getuid() == 0 && !strings.Contains(string(status), "Uid:\t65534\t65534\t65534\t65534\n") {
			t.Errorf("%s is not nobody:\n%s", task, status)
		}
		if os.Getuid() == 0 && !strings.Contains(string(status), "Groups:\t \n") {
			t.Errorf("%s has groups:\n%s", task, status)
		}
	}
	limits := strings.Join(strings.Fields(proc(t, pid, "limits")), " ")
	for _, want := range []string{
		"Max file size 0 0", "Max core file size 0 0", "Max open files 16 16", "Max address space 4294967296 4294967296",
	} {
		if !strings.Contains(limits, want) {
			t.Errorf("limit %q is missing in %s", want, limits)
		}
	}
	if os.Getuid() != 0 { // another user's environment and folder cannot be read
		if env := proc(t, pid, "environ"); env != "MALLOC_ARENA_MAX=1\x00" {
			t.Errorf("environment %q", env)
		}
	}
}

func TestAStarvedProgramIsNotToBlame(t *testing.T) {
	e, pid := one(t)
	p := python("while True: pass")
	p.Limits.Wall = 300 * time.Millisecond
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	res, err := e.Run(context.Background(), p)
	if !errors.Is(err, sandbox.ErrStarved) {
		t.Errorf("ended %q with %v, want ErrStarved", res.End, err)
	}
	if d := time.Since(began); d < 900*time.Millisecond || d > 3*time.Second {
		t.Errorf("gave up after %v, want three times the wall", d)
	}
	if res := run(t, e, python("print(2)")); string(res.Stdout) != "2\n" {
		t.Errorf("the next program printed %q", res.Stdout)
	}
}

// A program that waited for the processor and then had it is timed out, not excused.
func TestADelayedProgramStillTimesOut(t *testing.T) {
	e, pid := one(t)
	p := python("while True: pass")
	p.Limits.Wall = time.Second
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(800*time.Millisecond, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	if res := run(t, e, p); res.End != sandbox.TimedOut || res.Wall < time.Second || res.CPU < 500*time.Millisecond {
		t.Errorf("ended %s after %v with %v of processor", res.End, res.Wall, res.CPU)
	}
}

func TestADeadChildIsReplaced(t *testing.T) {
	e, first := one(t)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(5 * time.Second); sandbox.Alive(first); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the child does not die")
		}
	}
	if res := run(t, e, python("print(2)")); string(res.Stdout) != "2\n" {
		t.Errorf("after a waiting child died: %q", res.Stdout)
	}
	second := pid(t, e)
	time.AfterFunc(200*time.Millisecond, func() { _ = syscall.Kill(second, syscall.SIGKILL) })
	res, err := e.Run(context.Background(), python("while True: pass"))
	if err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("a working child died: %v, %v; want an error of the platform", res.End, err)
	}
	if res := run(t, e, python("print(3)")); string(res.Stdout) != "3\n" {
		t.Errorf("after a working child died: %q", res.Stdout)
	}
}

// sandboxAlive tells whether a process runs; a zombie does not.
func sandboxAlive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestACancelledRunLeavesNothingBehind(t *testing.T) {
	e, first := one(t)
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if _, err := e.Run(ctx, python("while True: pass")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("cancelled: %v", err)
	}
	if sandboxAlive(first) {
		t.Error("the child of a cancelled run still runs")
	}
}

// TestDieWithParent starts this test program again as a parent that runs an
// endless program, kills that parent hard, and looks whether its child is gone.
func TestDieWithParent(t *testing.T) {
	if len(os.Args) > 1 && os.Args[len(os.Args)-1] == "as-parent" {
		e, pid := one(t)
		fmt.Printf("child %d\n", pid)
		_, _ = e.Run(context.Background(), python("while True: pass"))
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDieWithParent$", "as-parent")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	if _, err := fmt.Fscanf(out, "child %d\n", &child); err != nil {
		t.Fatal(err)
	}
	if !sandboxAlive(child) {
		t.Fatal("there is no child")
	}
	time.Sleep(300 * time.Millisecond) // let it start the endless program
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(5 * time.Second); sandboxAlive(child); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(child, syscall.SIGKILL)
			t.Fatal("the child outlives its parent")
		}
	}
}

// However a program ends, the child gives its memory back.
func TestMemoryIsGivenBack(t *testing.T) {
	e, pid := one(t)
	const touch = "a = bytearray(100 << 20)\nfor i in range(0, len(a), 4096): a[i] = 1\n"
	for range 3 {
		for _, end := range []string{"", "import os\nos.abort()", "while True: print(a[:4096])", "1 / 0", "import os\nos._exit(2)"} {
			p := python(touch + end)
			p.Limits.Memory = 120 << 20
			run(t, e, p)
		}
	}
	if got := e.Pids(); len(got) != 1 || got[0] != pid {
		t.Fatalf("children %v, want still %d", got, pid)
	}
	if mib := resident(t, pid); mib == 0 || mib > 200 {
		t.Errorf("the child keeps %.0f MiB", mib)
	}
}

// resident is the memory of a process that is in RAM, in MiB.
func resident(tb testing.TB, pid int) float64 {
	tb.Helper()
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				tb.Fatal(err)
			}
			return float64(kib) / 1024
		}
	}
	return 0
}

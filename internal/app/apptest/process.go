// Package apptest runs the built programs as operators do and uses them as learners do.
// It is for tests that kill real processes.
package apptest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is how long one thing may take on a busy machine before a test gives up.
const Patience = 2 * time.Minute

// Programs are the paths of the programs.
type Programs struct{ API, Worker string }

var built struct {
	once sync.Once
	dir  string
	err  error
}

// Build builds the programs from this source, once a test process. Call Clean in TestMain.
func Build(t testing.TB) Programs {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "banyan-programs-"); built.err != nil {
			return
		}
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-w", "-o", built.dir,
			"github.com/banyan-lms/banyan/api", "github.com/banyan-lms/banyan/worker")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return Programs{API: filepath.Join(built.dir, "api"), Worker: filepath.Join(built.dir, "worker")}
}

// Clean removes what Build has built.
func Clean() error {
	if built.dir == "" {
		return nil
	}
	return os.RemoveAll(built.dir)
}

// FreeAddress is a loopback address that nobody listens on now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// Process is a running program.
type Process struct {
	cmd  *exec.Cmd
	out  lockedBuffer
	done chan struct{} // closed when it has ended
}

// Start starts a program with variables added to the environment, and without those of BANYAN that
// the machine may have. It is killed at the end of the test, and also when the test process is.
func Start(t testing.TB, env []string, program string, arg ...string) *Process {
	t.Helper()
	p := &Process{cmd: command(t, env, program, arg...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	// A group of its own: a signal for the test is not one for the program.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	release, err := guard(t, p.cmd.Process.Pid)
	if err != nil {
		_ = p.cmd.Process.Kill()
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // Wait tells the exit code
		release()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s %s, the end of what it said:\n%s", filepath.Base(program), strings.Join(arg, " "), p.tail())
		}
	})
	return p
}

func command(t testing.TB, env []string, program string, arg ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, arg...)
	for _, v := range cmd.Environ() {
		if !strings.HasPrefix(v, "BANYAN_") && !strings.HasPrefix(v, "LANG=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, env...)
	cmd.WaitDelay = 5 * time.Second // grandchildren may hold its output open
	return cmd
}

// guard kills a process when this one ends without release, as after kill -9 or a test's time limit.
func guard(t testing.TB, pid int) (release func(), err error) {
	g := exec.CommandContext(t.Context(), "sh", "-c", `trap '' HUP INT TERM; read -r _ || kill -9 "$1"`, "guard", fmt.Sprint(pid))
	g.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := g.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := g.Start(); err != nil {
		return nil, err
	}
	return func() {
		_, _ = io.WriteString(in, "\n")
		_ = g.Wait()
	}, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Kill ends the process as a power cut would (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Signal asks the process for something.
func (p *Process) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the process and gives its exit code, -1 after a signal.
func (p *Process) Wait(t testing.TB) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(Patience):
		t.Fatalf("the process does not end; it said:\n%s", p.tail())
	}
	return p.cmd.ProcessState.ExitCode()
}

// Said is what the process has printed and logged so far.
func (p *Process) Said() string { return p.out.String() }

// Says counts a phrase in what the process has printed and logged so far.
func (p *Process) Says(phrase string) int {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	return bytes.Count(p.out.b.Bytes(), []byte(phrase))
}

func (p *Process) tail() string {
	s := p.Said()
	return s[max(0, len(s)-4000):]
}

// Run runs a program to its end.
func Run(t testing.TB, env []string, program string, arg ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := command(t, env, program, arg...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// MustRun runs a program that may not fail.
func MustRun(t testing.TB, env []string, program string, arg ...string) string {
	t.Helper()
	stdout, stderr, code := Run(t, env, program, arg...)
	if code != 0 {
		t.Fatalf("%s %s: exit code %d\n%s", filepath.Base(program), strings.Join(arg, " "), code, stderr)
	}
	return stdout
}

// Await waits until something is so.
func Await(t testing.TB, what string, so func() bool) {
	t.Helper()
	for late := time.Now().Add(Patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// lockedBuffer is written by a process and read by a test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// breakOuts are what code would do that has left the WebAssembly wall and is
// the child process itself. The last ones are what a child must still be able to do.
var breakOuts = map[string]func() error{
	"open":    func() error { _, err := os.ReadFile("/etc/passwd"); return err },
	"write":   func() error { return os.WriteFile("/tmp/banyan-break-out", []byte("x"), 0o644) },
	"list":    func() error { _, err := os.ReadDir("/"); return err },
	"stat":    func() error { _, err := os.Stat("/etc/passwd"); return err },
	"connect": func() error { _, err := net.Dial("tcp", "127.0.0.1:1"); return err },
	"listen":  func() error { _, err := net.Listen("unix", "@banyan-break-out"); return err },
	"exec":    func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
	"start":   func() error { return exec.Command("/bin/true").Run() },
	"kill":    func() error { return syscall.Kill(os.Getppid(), 0) },
	"ptrace":  func() error { return syscall.PtraceAttach(os.Getppid()) },
	"code": func() error {
		_, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
		return err
	},
	"limits": func() error { return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 8, Max: 16}) },
	"memory": func() error { _, err := unix.MemfdCreate("x", 0); return err },
	"tgkill": func() error { return unix.Tgkill(os.Getppid(), os.Getppid(), 0) },
	"prctl":  func() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) },
	"another thread": func() error {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			_, err := os.ReadFile("/etc/passwd")
			done <- err
		}()
		return <-done
	},
	"": func() error { // work: memory, threads, garbage collection, time
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				runtime.LockOSThread()
				b := make([]byte, 1<<20)
				time.Sleep(time.Millisecond)
				b[0] = 1
			})
		}
		wg.Wait()
		runtime.GC()
		debug.FreeOSMemory()
		b, err := unix.Mmap(-1, 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
		if err != nil {
			return err
		}
		return unix.Munmap(b)
	},
}

// breakOutIfAsked makes this test program a locked child that tries something.
func breakOutIfAsked() {
	if len(os.Args) != 3 || os.Args[1] != "break-out-enter" && os.Args[1] != "break-out" {
		return
	}
	runtime.LockOSThread()
	if os.Args[1] == "break-out-enter" {
		fmt.Println(sandbox.Enter([]string{os.Args[0], "break-out", os.Args[2]}))
		os.Exit(1)
	}
	fmt.Printf("%v\n", sandbox.LockIn())
	err := breakOuts[os.Args[2]]()
	fmt.Println("done:", err)
	os.Exit(0)
}

// With the first wall gone the second one stands.
func TestSecondWall(t *testing.T) {
	for name := range breakOuts {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), os.Args[0], "break-out-enter", name).CombinedOutput()
			if !strings.Contains(string(out), "{seccomp true }]") {
				t.Fatalf("the walls do not stand: %s", out)
			}
			if name == "" {
				if err != nil || !strings.Contains(string(out), "done: <nil>") {
					t.Errorf("a locked child cannot work: %v, %s", err, out)
				}
				return
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != unix.SIGSYS || strings.Contains(string(out), "done") {
				t.Errorf("not stopped: %v, %s", err, out)
			}
		})
	}
}

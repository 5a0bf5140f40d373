package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// cacheFolder is where compiled code lies that children load.
func cacheFolder() string {
	dir, err := os.Getwd()
	if err != nil {
		return err.Error()
	}
	return filepath.Join(dir, "..", "..", "..", "build", "runtime", "cache-of-tests")
}

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
	"shadow": func() error { _, err := os.ReadFile("/etc/shadow"); return err },
	"cache":  func() error { return os.WriteFile(filepath.Join(cacheFolder(), "wazero-planted"), []byte("x"), 0o644) },
	"make":   func() error { return os.Mkdir("/tmp/banyan-break-out", 0o755) },
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

// What a break-out meets when only one of the walls stands.
const (
	killed  = "killed"  // the process is
	refused = "refused" // the call fails
)

// alone tells for each wall, standing alone, what it stops. LockIn is all of them.
var alone = map[string]struct {
	build func() error
	stops map[string]string
}{
	"all": {
		func() error {
			for _, w := range sandbox.LockIn() {
				if !w.Stands {
					return errors.New(w.Name + ": " + w.Why)
				}
			}
			return nil
		},
		all(killed),
	},
	"seccomp": {sandbox.FilterCalls, all(killed)},
	"landlock": {sandbox.CloseFiles, map[string]string{
		"open": refused, "write": refused, "list": refused, "connect": refused, "exec": refused, "start": refused,
		"kill": refused, "tgkill": refused, "ptrace": refused, "another thread": refused, "cache": refused, "make": refused, "": "",
	}},
	"uid": {sandbox.ChangeUser, map[string]string{"shadow": refused, "cache": refused, "": ""}},
}

// all is every break-out with one outcome.
func all(outcome string) map[string]string {
	out := map[string]string{}
	for name := range breakOuts {
		out[name] = outcome
	}
	out[""] = ""
	return out
}

// breakOutIfAsked makes this test program a locked child that tries something.
func breakOutIfAsked() {
	if len(os.Args) != 4 || os.Args[1] != "break-out-enter" && os.Args[1] != "break-out" {
		return
	}
	runtime.LockOSThread()
	if os.Args[1] == "break-out-enter" {
		fmt.Println(sandbox.Enter([]string{os.Args[0], "break-out", os.Args[2], os.Args[3]}))
		os.Exit(1)
	}
	fmt.Println("walls:", alone[os.Args[2]].build())
	fmt.Println("done:", breakOuts[os.Args[3]]())
	os.Exit(0)
}

// With the first wall gone the second one stands, and each of its parts stands alone.
func TestSecondWall(t *testing.T) {
	sandboxtest.Config(t) // there is a cache to write into
	abi, err := sandbox.LandlockABI()
	if err != nil {
		t.Fatal("landlock: ", err)
	}
	for wall, w := range alone {
		if wall == "uid" && os.Getuid() != 0 {
			continue // who starts the program is who the child is
		}
		for name, outcome := range w.stops {
			if wall == "landlock" && abi < map[string]int{"connect": 4, "kill": 6, "tgkill": 6}[name] {
				continue // this kernel cannot yet
			}
			t.Run(wall+"/"+name, func(t *testing.T) {
				raw, err := exec.CommandContext(t.Context(), os.Args[0], "break-out-enter", wall, name).CombinedOutput()
				out := string(raw)
				if !strings.Contains(out, "walls: <nil>") {
					t.Fatalf("the wall does not stand: %s", out)
				}
				var exit *exec.ExitError
				switch dead := errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == unix.SIGSYS; {
				case outcome == killed && (!dead || strings.Contains(out, "done")),
					outcome == refused && (err != nil || !strings.Contains(out, "denied") && !strings.Contains(out, "not permitted")),
					outcome == "" && (err != nil || !strings.Contains(out, "done: <nil>")):
					t.Errorf("want %q: %v, %s", outcome, err, out)
				}
			})
		}
	}
}

func init() {
	sandbox.OpenFirstWall(func(x string) error { return breakOuts[x]() })
}

// A program that has got through the first wall is killed by the second, which is a fault
// of the platform and not a verdict. The next program has a child of its own.
func TestFirstWallOpened(t *testing.T) {
	e, _ := one(t)
	p := python("import os\nprint(os.readlink('hole-'))")
	if res := run(t, e, p); !strings.Contains(string(res.Stdout), "done: <nil>") {
		t.Fatalf("there is no hole: %s %s", res.Stdout, res.Stderr)
	}
	for name := range breakOuts {
		if name == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			res, err := e.Run(t.Context(), python("import os\nos.readlink('hole-"+name+"')\nprint('ESCAPED')"))
			if err == nil || !strings.Contains(err.Error(), "bad system call") {
				t.Errorf("%s, %v: %s %s", res.End, err, res.Stdout, res.Stderr)
			}
			if res := run(t, e, python("print(6 * 7)")); string(res.Stdout) != "42\n" {
				t.Errorf("the next program printed %q", res.Stdout)
			}
		})
	}
}

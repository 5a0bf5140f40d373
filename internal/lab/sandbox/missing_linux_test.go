package sandbox_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// again starts this test program once more, for one test, and gives what it printed.
func again(t *testing.T, program, test, how string, attr *syscall.SysProcAttr) string {
	t.Helper()
	args := []string{"-test.v", "-test.run=" + test}
	for _, a := range os.Args[1:] {
		if name := strings.TrimLeft(a, "-"); strings.HasPrefix(name, "runtime") || name == filepath.Clean(name) && strings.HasSuffix(name, ".wasm") {
			args = append(args, a)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, how)...)
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// asked tells whether this process was started by again, in this way.
func asked(how string) bool { return os.Args[len(os.Args)-1] == how }

// forbid makes a system call fail in this process and its children, as a kernel without it would.
func forbid(t *testing.T, call uint32, with unix.Errno) {
	t.Helper()
	runtime.LockOSThread() // and stay
	prog := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(with)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	if _, _, e := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); e != 0 {
		_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) // with C in the program; root needs it not
	}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&fprog)))
	if e != 0 {
		t.Fatal("forbid a call: ", e)
	}
}

// On a kernel that lacks a wall the program says so. Where the wall is required no program runs.
func TestMissingWall(t *testing.T) {
	calls := map[string]struct {
		call uint32
		with unix.Errno
		why  string
	}{
		"landlock": {unix.SYS_LANDLOCK_CREATE_RULESET, unix.ENOSYS, "built without it"},
		"seccomp":  {unix.SYS_SECCOMP, unix.EINVAL, "invalid argument"},
	}
	for name, c := range calls {
		if asked("without-" + name) {
			cfg := sandboxtest.Config(t)
			forbid(t, c.call, c.with)
			e := sandboxtest.OpenWith(t, cfg)
			report, err := e.Check(t.Context())
			fmt.Println(report, err)
			if err == nil {
				fmt.Printf("%s", run(t, e, python("print('it runs')")).Stdout)
			}
			cfg.Require = []string{"wasm", name}
			_, err = sandboxtest.OpenWith(t, cfg).Run(t.Context(), python("print('ESCAPED')"))
			fmt.Println(errors.Is(err, sandbox.ErrWallMissing), err)
			return
		}
	}
	for name, c := range calls {
		t.Run(name, func(t *testing.T) {
			out := again(t, os.Args[0], "^TestMissingWall$", "without-"+name, nil)
			for _, want := range []string{"missing: " + name + " (", c.why, "it runs\n", "true a wall of the sandbox is missing: " + name} {
				if !strings.Contains(out, want) {
					t.Errorf("%q is missing in\n%s", want, out)
				}
			}
		})
	}
	cfg := sandboxtest.Config(t)
	cfg.Require = sandbox.Walls
	if res := run(t, sandboxtest.OpenWith(t, cfg), python("print(1)")); string(res.Stdout) != "1\n" {
		t.Errorf("with every wall required: %q", res.Stdout)
	}
	cfg.Require = []string{"moat"}
	if _, err := sandboxtest.OpenWith(t, cfg).Run(t.Context(), python("")); !errors.Is(err, sandbox.ErrWallMissing) {
		t.Errorf("a wall that is none: %v", err)
	}
}

// Where there are no sealed files in memory, a child maps the image in the cache.
func TestWithoutSealedFiles(t *testing.T) {
	if asked("without-memfd") {
		cfg := sandboxtest.Config(t)
		forbid(t, unix.SYS_MEMFD_CREATE, unix.ENOSYS)
		e := sandboxtest.OpenWith(t, cfg)
		for range 2 {
			fmt.Printf("%s", run(t, e, python("import json\njson.x = 1\nprint('it runs')")).Stdout)
		}
		return
	}
	if out := again(t, os.Args[0], "^TestWithoutSealedFiles$", "without-memfd", nil); strings.Count(out, "it runs\n") != 2 {
		t.Error(out)
	}
}

// A server that root did not start has the same walls and does the same work.
func TestUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("these tests are that already")
		return
	}
	sandboxtest.Config(t) // compiled by us, used by nobody
	dir, err := os.MkdirTemp("", "banyan-test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	raw, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "sandbox.test")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(program, raw, 0o755)); err != nil { //nolint:gosec // nobody shall run it
		t.Fatal(err)
	}
	tests := []string{"RunsPython", "Files", "FileLimits", "TheChildIsLockedIn", "SecondWall", "FirstWallOpened", "MissingWall", "CacheIsReadOnly"}
	out := again(t, program, "^Test("+strings.Join(tests, "|")+")$", "as-nobody", &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
	})
	for _, name := range tests {
		if !strings.Contains(out, "--- PASS: Test"+name+" ") {
			t.Errorf("%s did not pass as nobody", name)
		}
	}
}

// Nothing that a child does changes the compiled code that the next one loads.
func TestCacheIsReadOnly(t *testing.T) {
	cfg := sandboxtest.Config(t)
	read := func() (out []string) {
		if err := filepath.WalkDir(cfg.CacheDir, func(path string, _ os.DirEntry, err error) error {
			info, e := os.Lstat(path)
			if err = errors.Join(err, e); err != nil {
				return err
			}
			out = append(out, fmt.Sprint(path, info.Size(), info.Mode(), info.ModTime()))
			if os.Getuid() == 0 && info.Mode()&0o022 != 0 {
				t.Errorf("%s may be written by others", path)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := read()
	e, _ := one(t)
	for _, x := range []string{"cache", "make", "write"} {
		if _, err := e.Run(t.Context(), python("import os\nos.readlink('hole-"+x+"')")); err == nil {
			t.Errorf("%s was not stopped", x)
		}
	}
	if after := read(); !slices.Equal(before, after) {
		t.Errorf("the cache changed from\n%s\nto\n%s", before, after)
	}
}

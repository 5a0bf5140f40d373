package sandbox_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// python is a program of one file.
func python(src string) sandbox.Program {
	return sandbox.Program{
		Files:  map[string][]byte{"main.py": []byte(src)},
		Main:   "main.py",
		Limits: sandbox.Limits{Wall: 10 * time.Second, Memory: 128 << 20, Output: 64 << 10},
	}
}

func run(t *testing.T, e sandbox.Engine, p sandbox.Program) sandbox.Result {
	t.Helper()
	res, err := patiently(e, p)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// patiently runs a program again that a busy machine gave no time: that is no fault of a test.
func patiently(e sandbox.Engine, p sandbox.Program) (sandbox.Result, error) {
	res, err := e.Run(context.Background(), p)
	for range 20 {
		if !errors.Is(err, sandbox.ErrStarved) {
			break
		}
		res, err = e.Run(context.Background(), p)
	}
	return res, err
}

func TestRunsPython(t *testing.T) {
	e := sandboxtest.Open(t)
	p := python("import sys\nprint(sys.stdin.read().upper(), open('data.csv').read(), 'سلام')\nprint('oops', file=sys.stderr)\nsys.exit(3)")
	p.Files["data.csv"] = []byte("a,b")
	p.Stdin = []byte("hello")
	res := run(t, e, p)
	if got, want := string(res.Stdout), "HELLO a,b سلام\n"; got != want {
		t.Errorf("stdout %q, want %q", got, want)
	}
	if string(res.Stderr) != "oops\n" || res.End != sandbox.Exited || res.ExitCode != 3 {
		t.Errorf("stderr %q, end %s, exit code %d", res.Stderr, res.End, res.ExitCode)
	}
	if res.CPU <= 0 || res.Wall < res.CPU/4 {
		t.Errorf("cpu %v of wall %v", res.CPU, res.Wall)
	}
	if !strings.HasPrefix(string(e.Runtime()), "sha256:") {
		t.Errorf("runtime %q", e.Runtime())
	}
}

// The same program gives the same output, in the same child, in another, and after others.
func TestRunsAreAlike(t *testing.T) {
	e := sandboxtest.Open(t)
	p := python("import random, time, os\nprint(random.random(), hash('a'), os.urandom(4), time.time(), {'b', 'a', 'c'})")
	first := run(t, e, p)
	run(t, e, python("import builtins, random\nbuiltins.print = None\nrandom.seed(1)\nopen('/usr/local/lib/python3.12/random.py', 'w').write('random = None')"))
	if again := run(t, e, p); string(again.Stdout) != string(first.Stdout) || len(again.Stdout) == 0 {
		t.Errorf("first %q then %q", first.Stdout, again.Stdout)
	}
	if other := run(t, sandboxtest.Open(t), p); string(other.Stdout) != string(first.Stdout) {
		t.Errorf("first %q, in another engine %q", first.Stdout, other.Stdout)
	}
}

// secret stands on the host, where no program may read it.
const secret = "the host's secret"

func TestContains(t *testing.T) {
	e := sandboxtest.Open(t)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, src string
		end       sandbox.End
		code      int
		stdout    string // found in it; what was tried must not have worked
		stderr    string
	}{
		{"loop", "while True: pass", sandbox.TimedOut, 0, "", ""},
		{"regex", "import re\nre.match('(a+)+$', 'a' * 64 + 'b')", sandbox.TimedOut, 0, "", ""},
		{"big integer", "print(9 ** 9 ** 9)", sandbox.TimedOut, 0, "", ""},
		{"a loop that catches everything", "while True:\n try:\n  while True: pass\n except BaseException: pass", sandbox.TimedOut, 0, "", ""},
		{"memory", "a = []\nwhile True: a.append('x' * 1000000)", sandbox.Exited, 1, "", "MemoryError"},
		{"a string of 1 GiB", "'x' * (1 << 30)", sandbox.Exited, 1, "", "MemoryError"},
		{"memory error is the program's to catch", "try:\n 'x' * (1 << 30)\nexcept MemoryError: print('caught')", sandbox.Exited, 0, "caught", ""},
		{"flood", "while True: print('spam')", sandbox.Flooded, 0, "spam", ""},
		{"flood of errors", "import sys\nwhile True: print('spam', file=sys.stderr)", sandbox.Flooded, 0, "", "spam"},
		{"a flood that catches everything", "while True:\n try:\n  print('spam' * 1000)\n except BaseException: pass", sandbox.Flooded, 0, "spam", ""},
		{"recursion", "def f(): f()\nf()", sandbox.Exited, 1, "", "RecursionError"},
		{"exit", "import os\nos._exit(7)", sandbox.Exited, 7, "", ""},
		{"abort", "import os\nos.abort()", sandbox.Exited, 134, "", ""},
		{"host file", "try: print(open('" + file + "').read())\nexcept OSError as e: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"password file", "try: print(open('/etc/passwd').read())\nexcept OSError as e: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"above the root", "try: print(open('../../../etc/passwd').read())\nexcept OSError as e: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"proc", "try: print(open('/proc/self/environ').read())\nexcept OSError as e: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"symlink", "import os\ntry: os.symlink('/etc/passwd', 'x'); print(open('x').read())\nexcept OSError as e: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"socket", "try:\n import socket\n socket.create_connection(('127.0.0.1', 80)); print('connected')\nexcept (ImportError, OSError, AttributeError): print('refused')", sandbox.Exited, 0, "refused", ""},
		{"fork", "import os\ntry: os.fork(); print('forked')\nexcept (AttributeError, OSError): print('refused')", sandbox.Exited, 0, "refused", ""},
		{"subprocess", "try:\n import subprocess\n subprocess.run(['true']); print('ran')\nexcept (ImportError, OSError): print('refused')", sandbox.Exited, 0, "refused", ""},
		{"thread", "import _thread\ntry: _thread.start_new_thread(print, ()); print('started')\nexcept RuntimeError: print('refused')", sandbox.Exited, 0, "refused", ""},
		{"environment", "import os\nprint(set(os.environ) <= {'PYTHONHASHSEED'})", sandbox.Exited, 0, "True", ""},
		{"signal", "import os\ntry: os.kill(1, 9); print('killed')\nexcept (AttributeError, OSError): print('refused')", sandbox.Exited, 0, "refused", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := python(tt.src)
			p.Limits.Wall = time.Second
			if tt.end != sandbox.TimedOut {
				p.Limits.Wall = 20 * time.Second
			}
			res := run(t, e, p)
			if res.End != tt.end || res.ExitCode != tt.code {
				t.Errorf("ended %s with %d, want %s with %d; stderr %.300q", res.End, res.ExitCode, tt.end, tt.code, res.Stderr)
			}
			if !strings.Contains(string(res.Stdout), tt.stdout) || !strings.Contains(string(res.Stderr), tt.stderr) {
				t.Errorf("stdout %.300q, stderr %.300q", res.Stdout, res.Stderr)
			}
			if n := len(res.Stdout) + len(res.Stderr); n > 64<<10 {
				t.Errorf("%d bytes of output", n)
			}
			for _, leak := range []string{secret, "root:x:0", "PATH="} {
				if strings.Contains(string(res.Stdout)+string(res.Stderr), leak) {
					t.Errorf("leaked %q", leak)
				}
			}
			if next := run(t, e, python("print(6 * 7)")); string(next.Stdout) != "42\n" {
				t.Errorf("the next program printed %q", next.Stdout)
			}
		})
	}
}

// The limit of a program is its own: a small one after a large one in the same child.
func TestMemoryLimitIsOfTheProgram(t *testing.T) {
	cfg := sandboxtest.Config(t)
	cfg.Children = 1
	e := sandboxtest.OpenWith(t, cfg)
	p := python("try: n = len(bytearray(100 << 20))\nexcept MemoryError: n = 0\nprint(n)")
	for _, tt := range []struct {
		mib  int64
		want string
	}{{120, "104857600\n"}, {96, "0\n"}, {120, "104857600\n"}, {1, "0\n"}, {4096, "104857600\n"}} {
		p.Limits.Memory = tt.mib << 20
		if res := run(t, e, p); string(res.Stdout) != tt.want {
			t.Errorf("with %d MiB: %q, want %q (%s %s)", tt.mib, res.Stdout, tt.want, res.End, res.Stderr)
		}
	}
}

func TestRefusesTricksInNames(t *testing.T) {
	e := sandboxtest.Open(t)
	for _, name := range []string{"../main.py", "/main.py", "a/b.py", "", ".", ".."} {
		_, err := e.Run(context.Background(), sandbox.Program{Files: map[string][]byte{name: nil}, Main: name})
		if err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if _, err := e.Run(context.Background(), sandbox.Program{Main: "main.py"}); err == nil {
		t.Error("a program without its main file was taken")
	}
}

func TestChildrenAreFewAndLeave(t *testing.T) {
	cfg := sandboxtest.Config(t)
	cfg.Children, cfg.IdleAfter = 2, 300*time.Millisecond
	e := sandboxtest.OpenWith(t, cfg)
	if e.Warm() != 0 {
		t.Error("a child was started before there was work")
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if _, err := e.Run(context.Background(), python("print(1)")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := e.Warm(); n < 1 || n > 2 {
		t.Errorf("%d children wait, want at most 2", n)
	}
	for deadline := time.Now().Add(5 * time.Second); e.Warm() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("idle children stay")
		}
	}
	if res := run(t, e, python("print(2)")); string(res.Stdout) != "2\n" {
		t.Errorf("after a rest: %q", res.Stdout)
	}
}

func TestClosedAndUnprepared(t *testing.T) {
	cfg := sandboxtest.Config(t)
	e, err := sandbox.NewWASM(cfg)
	if err != nil {
		t.Fatal(err)
	}
	run(t, e, python("print(1)"))
	if err := errors.Join(e.Close(), e.Close()); err != nil {
		t.Error(err)
	}
	if _, err := e.Run(context.Background(), python("print(1)")); !errors.Is(err, sandbox.ErrClosed) {
		t.Errorf("closed engine: %v", err)
	}
	_, err = sandbox.NewWASM(sandbox.WASMConfig{Module: cfg.Module, CacheDir: t.TempDir()})
	if !errors.Is(err, sandbox.ErrNotPrepared) {
		t.Errorf("empty cache: %v", err)
	}

	// A module whose compiled code is gone, as on another processor.
	torn := t.TempDir()
	modules, err := filepath.Glob(filepath.Join(cfg.CacheDir, "python-*"))
	if err != nil || len(modules) == 0 {
		t.Fatal(err, modules)
	}
	for _, m := range modules {
		if err := os.Symlink(m, filepath.Join(torn, filepath.Base(m))); err != nil {
			t.Fatal(err)
		}
	}
	broken := sandboxtest.OpenWith(t, sandbox.WASMConfig{Module: cfg.Module, CacheDir: torn})
	if _, err := broken.Run(context.Background(), python("print(1)")); err == nil || !strings.Contains(err.Error(), sandbox.ErrNotPrepared.Error()) {
		t.Errorf("no compiled code: %v", err)
	}
	_, err = sandbox.NewWASM(sandbox.WASMConfig{Module: filepath.Join(t.TempDir(), "python.wasm"), CacheDir: cfg.CacheDir})
	if !errors.Is(err, sandbox.ErrNoRuntime) || !strings.Contains(err.Error(), "run make runtime") {
		t.Errorf("no module: %v", err)
	}
}

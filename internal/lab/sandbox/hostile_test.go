package sandbox_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// decent is a program that would notice whatever another left behind.
const decent = `
import json, math, os, random, re, sys, time
print(json.dumps({"a": [1, 2.5]}), random.random(), random.randrange(1000), os.urandom(4).hex(), hash("x"), math.sqrt(2))
print(time.time(), len(sys.modules) > 10, sorted(os.listdir("/")), re.sub("a", "b", "aa"), os.environ.get("HOME"), sys.argv)
open("out.txt", "w").write("fine")
print(open("out.txt").read(), sum(range(1000)), sorted({3, 1, 2}))
`

// TestHostile runs every program of testdata/hostile: each ends as its first line says, in
// the time that it has, and leaves nothing: not in the next program, not on the host.
func TestHostile(t *testing.T) {
	names, err := filepath.Glob("testdata/hostile/*.py")
	if err != nil || len(names) < 40 {
		t.Fatalf("%d hostile programs, %v", len(names), err)
	}
	cfg := sandboxtest.Config(t)
	cfg.Children = 1
	e := sandboxtest.OpenWith(t, cfg)
	sources := map[string]string{}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources[name] = string(src)
	}

	canary, here := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(canary, "secret"), []byte(secret), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(here)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var called atomic.Bool
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			called.Store(true)
			_ = c.Close()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	given := []byte(fmt.Sprintf("%s %d", canary, port))
	want := run(t, e, python(decent))
	if want.ExitCode != 0 || len(want.Files) != 1 {
		t.Fatalf("the decent program: %s", want.Stderr)
	}

	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".py"), func(t *testing.T) {
			ends, says := expectation(t, sources[name])
			p := python(sources[name])
			p.Files["canary.txt"] = given
			p.Limits.Wall = 10 * time.Second
			if strings.Contains(ends, "timed_out") {
				p.Limits.Wall = 500 * time.Millisecond
			}
			res := run(t, e, p)
			if !allowed(ends, res) {
				t.Errorf("ended %s %d, want %s; %.300q %.300q", res.End, res.ExitCode, ends, res.Stdout, tailOf(res.Stderr))
			}
			out := string(res.Stdout) + string(res.Stderr)
			if res.End != sandbox.TimedOut && !strings.Contains(out, says) {
				t.Errorf("does not say %q: %.300q %.300q", says, res.Stdout, tailOf(res.Stderr))
			}
			if len(out) > 64<<10 {
				t.Errorf("%d bytes of output", len(out))
			}
			for _, bad := range []string{"ESCAPED", secret, "root:x:0", "PATH="} {
				if strings.Contains(out, bad) {
					t.Errorf("%q in %.300q %.300q", bad, res.Stdout, tailOf(res.Stderr))
				}
			}
			next := run(t, e, python(decent))
			if string(next.Stdout) != string(want.Stdout) || len(next.Stderr) > 0 || len(next.Files) != 1 || string(next.Files["out.txt"]) != "fine" {
				t.Errorf("the next program printed\n%s%s\nwant\n%s", next.Stdout, next.Stderr, want.Stdout)
			}
		})
	}

	if got, err := os.ReadFile(filepath.Join(canary, "secret")); err != nil || string(got) != secret {
		t.Errorf("the canary was touched: %q, %v", got, err)
	}
	for dir, n := range map[string]int{canary: 1, here: 0} {
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != n {
			t.Errorf("%v in %s, %v", entries, dir, err)
		}
	}
	for _, dir := range []string{"/tmp", "/etc", "/root", "/"} {
		if _, err := os.Lstat(filepath.Join(dir, "banyan-hostile")); err == nil {
			t.Errorf("a program wrote into %s", dir)
		}
	}
	if called.Load() {
		t.Error("a program connected")
	}
}

// expectation reads "# ends: exited 1, memory" and "# says: text" from the head of a program.
func expectation(t *testing.T, src string) (ends, says string) {
	t.Helper()
	for line := range strings.Lines(src) {
		if rest, ok := strings.CutPrefix(line, "# ends:"); ok {
			ends = strings.TrimSpace(rest)
		}
		if rest, ok := strings.CutPrefix(line, "# says:"); ok {
			says = strings.TrimSpace(rest)
		}
	}
	if ends == "" {
		t.Fatal("the program does not say how it ends")
	}
	return ends, says
}

func allowed(ends string, res sandbox.Result) bool {
	for end := range strings.SplitSeq(ends, ",") {
		name, code, coded := strings.Cut(strings.TrimSpace(end), " ")
		if name == string(res.End) && (!coded || code == strconv.Itoa(res.ExitCode)) {
			return true
		}
	}
	return false
}

func tailOf(b []byte) []byte { return b[max(0, len(b)-300):] }

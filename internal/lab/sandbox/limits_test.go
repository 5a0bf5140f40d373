package sandbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// A program that does not fit is refused before a child sees it; one that just fits runs.
func TestSourceHasALimit(t *testing.T) {
	e := sandboxtest.Open(t)
	const head = "print('it runs')\n#"
	room := 1<<20 - len("main.py") - 1
	if res := run(t, e, python(head+strings.Repeat("x", room-len(head)))); string(res.Stdout) != "it runs\n" {
		t.Errorf("the longest source: %s %d %q %q", res.End, res.ExitCode, res.Stdout, res.Stderr)
	}
	long := python(head + strings.Repeat("x", room-len(head)+1))
	much := python("")
	much.Files["data"] = make([]byte, 16<<20)
	input := python("")
	input.Stdin = make([]byte, 16<<20+1)
	for name, p := range map[string]sandbox.Program{"source": long, "files": much, "input": input} {
		if name == "files" {
			p.Files["one more"] = []byte("x")
		}
		if _, err := e.Run(t.Context(), p); !errors.Is(err, sandbox.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if res := run(t, e, python("print(2)")); string(res.Stdout) != "2\n" {
		t.Errorf("the next program printed %q", res.Stdout)
	}
}

// The most that a program may leave behind arrives whole, and what it was given too.
func TestTheMostComesThrough(t *testing.T) {
	e := sandboxtest.Open(t)
	p := python("import sys\nn = len(open('given', 'rb').read()) + len(sys.stdin.buffer.read())\n" +
		"for i in range(4): open(f'f{i}', 'wb').write(bytes([i]) * (1 << 20))\nsys.stdout.write('x' * ((2 << 20) - 9) + str(n) + '\\n')")
	p.Files["given"] = make([]byte, 8<<20)
	p.Stdin = make([]byte, 7<<20)
	p.Limits = sandbox.Limits{} // the ceilings
	res := run(t, e, p)
	if res.End != sandbox.Exited || len(res.Stdout) != 2<<20 || !strings.HasSuffix(string(res.Stdout), "x15728640\n") {
		t.Errorf("%s %d: %d bytes of output %q", res.End, res.ExitCode, len(res.Stdout), res.Stderr)
	}
	if len(res.Files) != 4 || len(res.Files["f3"]) != 1<<20 || res.Files["f3"][1<<20-1] != 3 {
		t.Errorf("%d files, the last of %d bytes", len(res.Files), len(res.Files["f3"]))
	}
	p.Files["main.py"] = append(p.Files["main.py"], "\nsys.stdout.write('y')"...)
	if res := run(t, e, p); res.End != sandbox.Flooded || len(res.Stdout)+len(res.Stderr) != 2<<20 || res.Files != nil {
		t.Errorf("one byte more: %s with %d bytes and %d files", res.End, len(res.Stdout), len(res.Files))
	}
}

// Package runtime_test tries the Python that runs labs, as `make runtime` has
// left it in build/runtime, against the contract in docs/lab-runtime.md.
package runtime_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

const file = "../../../build/runtime/python.wasm"

// python is the compiled runtime; compiling takes seconds, so the tests share it.
var python = sync.OnceValues(func() (*guest, error) {
	ctx := context.Background()
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := wazero.NewRuntime(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	m, err := r.CompileModule(ctx, raw)
	return &guest{r, m}, err
})

type guest struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

func open(t *testing.T) *guest {
	t.Helper()
	g, err := python()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no runtime is built: run make runtime")
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, own := g.module.ExportedFunctions()["banyan_run"]; !own {
		t.Skip("build/runtime holds the fallback from npm: run make runtime")
	}
	return g
}

// result is what a program left.
type result struct {
	code           int
	stdout, stderr string
	err            error // a trap
}

// run runs one program in a fresh instance, with files to read.
func (g *guest) run(t *testing.T, source string, files fstest.MapFS) result {
	t.Helper()
	if files == nil {
		files = fstest.MapFS{}
	}
	return g.runIn(t, source, wazero.NewFSConfig().WithFSMount(files, "/"))
}

func (g *guest) runIn(t *testing.T, source string, files wazero.FSConfig) result {
	t.Helper()
	ctx := t.Context()
	var stdout, stderr bytes.Buffer
	mod, err := g.runtime.InstantiateModule(ctx, g.module, wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions().
		WithStdin(strings.NewReader("one\ntwo\n")).
		WithStdout(&stdout).
		WithStderr(&stderr).
		WithRandSource(&splitmix{state: 20260101}).
		WithFSConfig(files))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = mod.Close(ctx) }()
	at, err := mod.ExportedFunction("banyan_buffer").Call(ctx)
	if err != nil {
		t.Fatal(err)
	}
	program := "main.py\x00" + source
	if !mod.Memory().WriteString(uint32(at[0]), program) {
		t.Fatal("the buffer is not in memory")
	}
	got, err := mod.ExportedFunction("banyan_run").Call(ctx, uint64(len(program)))
	res := result{stdout: stdout.String(), stderr: stderr.String()}
	var exit *sys.ExitError
	switch {
	case errors.As(err, &exit):
		res.code = int(exit.ExitCode())
	case err != nil:
		res.err = err
	default:
		res.code = int(int32(got[0]))
	}
	return res
}

// splitmix gives the random bytes that every run of a lab gets.
type splitmix struct {
	state uint64
	rest  []byte
}

func (s *splitmix) Read(p []byte) (int, error) {
	for i := range p {
		if len(s.rest) == 0 {
			s.state += 0x9e3779b97f4a7c15
			z := s.state
			z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
			z = (z ^ z>>27) * 0x94d049bb133111eb
			s.rest = binary.LittleEndian.AppendUint64(nil, z^z>>31)
		}
		p[i], s.rest = s.rest[0], s.rest[1:]
	}
	return len(p), nil
}

func TestModule(t *testing.T) {
	m := open(t).module
	if got, want := slices.Sorted(maps.Keys(m.ExportedFunctions())), []string{"banyan_buffer", "banyan_run"}; !slices.Equal(got, want) {
		t.Errorf("exported functions are %v, want %v", got, want)
	}
	memory, ok := m.ExportedMemories()["memory"]
	if !ok {
		t.Fatal("memory is not exported")
	}
	if most, declared := memory.Max(); !declared || most != 2048 {
		t.Errorf("memory may grow to %d pages (declared: %v), want 2048", most, declared)
	}
	// The wall's child has 64 MiB; half of that is left to programs.
	if memory.Min() > 30<<20>>16 {
		t.Errorf("memory begins with %d pages", memory.Min())
	}
	if len(m.ImportedMemories()) > 0 {
		t.Error("a memory is imported")
	}
	for _, f := range m.ImportedFunctions() {
		if module, name, _ := f.Import(); module != wasi_snapshot_preview1.ModuleName {
			t.Errorf("import %s.%s", module, name)
		}
	}
	i32 := []api.ValueType{api.ValueTypeI32}
	if f := m.ExportedFunctions()["banyan_run"]; !slices.Equal(f.ParamTypes(), i32) || !slices.Equal(f.ResultTypes(), i32) {
		t.Errorf("banyan_run is %v -> %v", f.ParamTypes(), f.ResultTypes())
	}
}

func TestRun(t *testing.T) {
	g := open(t)
	tests := []struct {
		name, source   string
		code           int
		stdout, stderr string
	}{
		{"print", "print(1)", 0, "1\n", ""},
		{"no line end", "import sys\nsys.stdout.write('x')", 0, "x", ""},
		{"UTF-8", "print('سلام ✓'); print(open('/data.txt').read())", 0, "سلام ✓\nبيانات\n", ""},
		{"what a program is", "import sys\nprint(sys.argv, sys.path, __name__, __file__)", 0, "['main.py'] ['/'] __main__ /main.py\n", ""},
		{"main is itself", "import sys\nx = 1\nprint(sys.modules['__main__'].x)", 0, "1\n", ""},
		{"pickle finds main", "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)", 0, "True\n", ""},
		{"stdin", "print(input(), input())", 0, "one two\n", ""},
		{"own module", "import helper\nprint(helper.x)", 0, "41\n", ""},
		{"the library wins", "import queue\nprint(hasattr(queue, 'Queue'))", 0, "True\n", ""},
		{"not on the shelf", "import numpy", 1, "", "ModuleNotFoundError: No module named 'numpy'\n"},
		{"exit", "print('a', end='')\nraise SystemExit", 0, "a", ""},
		{"exit with a code", "import sys\nsys.exit(7)", 7, "", ""},
		{"exit with a word", "import sys\nsys.exit('no')", 1, "", "no\n"},
		{"exit()", "exit(3)", 3, "", ""},
		{"at once", "import os\nprint('a')\nos._exit(4)", 4, "a\n", ""},
		{"atexit", "import atexit\natexit.register(print, 'bye')\nprint('hi')", 0, "hi\nbye\n", ""},
		{"traceback", "def f():\n    return 1 / 0\n\nf()", 1, "", `Traceback (most recent call last):
  File "/main.py", line 4, in <module>
    f()
    ~^^
  File "/main.py", line 2, in f
    return 1 / 0
           ~~^~~
ZeroDivisionError: division by zero
`},
		{"syntax error", "x = (1,\ny = 2", 1, "", `  File "/main.py", line 1
    x = (1,
        ^
SyntaxError: '(' was never closed
`},
		{"NUL in the source", "x = 1\x00", 1, "", "SyntaxError: source code cannot contain null bytes\n"},
		{"traceback through the library", "import random\nrandom.choice([])", 1, "", `Traceback (most recent call last):
  File "/main.py", line 2, in <module>
    random.choice([])
    ~~~~~~~~~~~~~^^^^
  File "/lib/python3.13/random.py", line 351, in choice
IndexError: Cannot choose from an empty sequence
`},
		{"error while the shelf imports", "import sys\nsys.modules['bdb'] = None\nimport pdb", 1, "", `Traceback (most recent call last):
  File "/main.py", line 3, in <module>
    import pdb
  File "/lib/python3.13/pdb.py", line 75, in <module>
ModuleNotFoundError: import of bdb halted; None in sys.modules
`},
		// What Python 3.13 gives after random.seed(int.from_bytes(first 2496 bytes of splitmix64(20260101), "little")).
		{"random", "import random\nprint(random.random(), random.randrange(1000), random.gauss(0, 1))", 0, "0.1207196393042671 342 0.03181909320197228\n", ""},
		{"random with a seed", "import random\nrandom.seed(7)\nprint(random.random())", 0, "0.32383276483316237\n", ""},
		{"hashes are the same", "print(hash('banyan'))", 0, "1115495293\n", ""},
		{"no sleep, no crash", "import time\ntry: time.sleep(0.001)\nexcept OSError: pass\nprint('up')", 0, "up\n", ""},
		{"no threads", "import threading\nthreading.Thread(target=print).start()", 1, "", "RuntimeError: can't start new thread\n"},
		{"nothing of the build is left", "import sys, os\nprint(os.environ, sys.path_importer_cache, 'banyan_preload' in sys.modules, os.getcwd(), sys.flags.utf8_mode, sys.flags.isolated)", 0, "environ({}) {} False / 1 1\n", ""},
		{"compiles", "import ast\nprint(ast.unparse(ast.parse('x=1')), eval('2**100'))", 0, "x = 1 1267650600228229401496703205376\n", ""},
		{"exact decimals", "from decimal import Decimal\nfrom fractions import Fraction\nimport statistics\nprint(Decimal('0.1') * 3, Fraction(1, 3) + 1, statistics.stdev([1, 2, 4]))", 0, "0.3 4/3 1.5275252316519468\n", ""},
		{"hashlib", "import hashlib\nprint(hashlib.sha256(b'').hexdigest()[:8], hashlib.md5(b'').hexdigest()[:8])", 0, "e3b0c442 d41d8cd9\n", ""},
		{"long print survives", "import sys\nprint('x' * 10)\nsys.stdout.close()", 0, "xxxxxxxxxx\n", ""},
	}
	files := fstest.MapFS{
		"data.txt":  {Data: []byte("بيانات")},
		"helper.py": {Data: []byte("x = 41")},
		"queue.py":  {Data: []byte("x = 0")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := g.run(t, tt.source, files)
			if got.err != nil {
				t.Fatal(got.err)
			}
			if got.code != tt.code || got.stdout != tt.stdout {
				t.Errorf("code %d, want %d; stdout %q, want %q; stderr %q", got.code, tt.code, got.stdout, tt.stdout, got.stderr)
			}
			if tt.stderr == "" && got.stderr != "" || !strings.HasSuffix(got.stderr, tt.stderr) {
				t.Errorf("stderr:\n%s\nwant at the end:\n%s", got.stderr, tt.stderr)
			}
		})
	}
}

// What a program writes is in the folder, by any name it may have for it.
func TestWrite(t *testing.T) {
	g := open(t)
	dir := t.TempDir()
	got := g.runIn(t, `import csv, pathlib
with open("a.csv", "w", newline="") as f:
    csv.writer(f).writerows([["سلام", 1], ["b", 2]])
pathlib.Path("/b.txt").write_text("b")
with open("own.py", "w") as f:
    f.write("x = 'own'")
import own
print(own.x, sorted(p.name for p in pathlib.Path(".").iterdir()))`, wazero.NewFSConfig().WithDirMount(dir, "/"))
	if want := "own ['a.csv', 'b.txt', 'own.py']\n"; got.stdout != want || got.code != 0 {
		t.Errorf("%q, want %q; %s%v", got.stdout, want, got.stderr, got.err)
	}
	if data, err := os.ReadFile(filepath.Join(dir, "a.csv")); string(data) != "سلام,1\r\nb,2\r\n" {
		t.Errorf("a.csv is %q, %v", data, err)
	}
}

// What the program holds at its end is closed and destroyed, in Python's order.
func TestEnd(t *testing.T) {
	g := open(t)
	const write = "f = open('/x.txt', 'w')\nf.write('hi')\n"
	tests := []struct {
		name, source   string
		code           int
		stdout, stderr string
	}{
		{"a global", write, 0, "", ""},
		{"behind an exception", "def g():\n    f = open('/x.txt', 'w')\n    f.write('hi')\n    1 / 0\ng()", 1, "", "ZeroDivisionError: division by zero\n"},
		{"behind an exit", write + "raise SystemExit(3)", 3, "", ""},
		{"in a circle", "a = [open('/x.txt', 'w'), 0]\na[1] = a\na[0].write('hi')", 0, "", ""},
		{"in a generator", "def g():\n    with open('/x.txt', 'w') as f:\n        f.write('h')\n        yield\n        f.write('i')\n        yield\nh = g(); next(h); next(h)", 0, "", ""},
		{"in a module of its own", "import own", 0, "", ""},
		{"of a function that the library holds", write + "import json, sys\njson.kept = sys.modules['__main__']", 0, "", ""},
		{"in a module of the library", "import json\njson.kept = open('/x.txt', 'w')\njson.kept.write('hi')", 0, "", ""},
		{"as bytes", "def g(): pass\nf = open('/x.txt', 'w+b')\nf.write(b'hi')", 0, "", ""},
		{"with the collector off", "import gc\ngc.disable()\ndef g(): pass\n" + write, 0, "", ""},
		{"as stdout", "import sys\nsys.stdout = open('/x.txt', 'w')\nprint('hi', end='')", 0, "", ""},
		{"in order", write + `import atexit
word = "bye"
class A:
    def __del__(self): print(word)
a = A()
atexit.register(lambda: print("first"))
print("hi")`, 0, "hi\nfirst\nbye\n", ""},
		{"what it breaks", write + "import sys\nsys.modules.clear()\nglobals()[1] = 2\nprint('up')", 0, "up\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "own.py"), []byte("def g(): return f\n"+write), 0o600); err != nil {
				t.Fatal(err)
			}
			got := g.runIn(t, tt.source, wazero.NewFSConfig().WithDirMount(dir, "/"))
			if got.err != nil || got.code != tt.code || got.stdout != tt.stdout {
				t.Errorf("code %d, want %d; stdout %q, want %q; %v", got.code, tt.code, got.stdout, tt.stdout, got.err)
			}
			if tt.stderr == "" && got.stderr != "" || !strings.HasSuffix(got.stderr, tt.stderr) {
				t.Errorf("stderr:\n%s\nwant at the end:\n%s", got.stderr, tt.stderr)
			}
			if data, err := os.ReadFile(filepath.Join(dir, "x.txt")); string(data) != "hi" {
				t.Errorf("x.txt is %q, %v", data, err)
			}
		})
	}
}

// A folder whose time stands still, as all of the sandbox do, is read again when a program asks for it.
func TestInvalidateCaches(t *testing.T) {
	got := open(t).runIn(t, `import importlib, os, sys
os.mkdir("/more")
sys.path.append("/more")
def find():
    os.utime("/more", (0, 0))
    try:
        import late
        return late.x
    except ModuleNotFoundError:
        return None
before = find()
with open("/more/late.py", "w") as f:
    f.write("x = 7")
stale = find()
importlib.invalidate_caches()
print(before, stale, find())`, wazero.NewFSConfig().WithDirMount(t.TempDir(), "/"))
	if want := "None None 7\n"; got.stdout != want || got.code != 0 {
		t.Errorf("%q, want %q; %s%v", got.stdout, want, got.stderr, got.err)
	}
}

// Every module that a learner or a course may import.
func TestImports(t *testing.T) {
	g := open(t)
	const modules = `random math cmath json re statistics collections itertools functools operator string datetime time calendar
		decimal fractions csv io os sys copy dataclasses enum typing textwrap heapq bisect abc contextlib traceback types pprint array
		struct hashlib base64 unicodedata warnings
		unittest doctest difflib inspect ast tokenize pathlib glob fnmatch logging timeit graphlib colorsys html urllib.parse uuid
		secrets numbers queue argparse bdb binascii cmd code codecs collections.abc configparser contextvars copyreg dis errno gc
		getopt gettext hmac html.parser importlib importlib.util ipaddress keyword linecache locale opcode os.path pdb pickle pkgutil
		platform quopri reprlib runpy sched shlex shutil signal stat symtable tempfile threading token tomllib unicodedata weakref`
	got := g.run(t, "for name in \"\"\""+modules+"\"\"\".split():\n    __import__(name)\nprint('all')", nil)
	if got.err != nil || got.stdout != "all\n" || got.stderr != "" {
		t.Error(got)
	}
	// Each on its own, too, and every other module of the shelf: none may lean on what another has imported.
	got = g.run(t, `import sys
shelf = next(f for f in sys.meta_path if type(f).__name__ == "Shelf")
print(*shelf._code)`, nil)
	names := strings.Fields(got.stdout)
	if len(names) < 60 {
		t.Fatalf("the shelf holds %d modules: %s%s", len(names), got.stdout, got.stderr)
	}
	for _, name := range names {
		if got := g.run(t, "import "+name, nil); got.err != nil || got.code != 0 {
			t.Errorf("import %s: %s %v", name, got.stderr, got.err)
		}
	}
}

// What goes too deep ends with an exception, not with a trap.
func TestRecursion(t *testing.T) {
	g := open(t)
	const deep = "a = []\nfor i in range(100000): a = [a]\n"
	tests := []struct{ name, source, want string }{
		{"plain", "def f(n): return f(n + 1)\nf(0)", "RecursionError"},
		{"through C", "def f(n): return sorted([1, 2], key=f)\nf(0)", "RecursionError"},
		{"through C, no limit", "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return list(map(f, [n]))\nf(0)", "RecursionError"},
		{"repr", deep + "repr(a)", "RecursionError"},
		{"own repr", "class A:\n  def __repr__(self): return repr(self)\nrepr(A())", "RecursionError"},
		{"compare", deep + "b = []\nfor i in range(100000): b = [b]\na == b", "RecursionError"},
		{"call", "class A: pass\nA.__call__ = A()\nA()()", "RecursionError"},
		{"json.dumps", "import json\n" + deep + "json.dumps(a)", "RecursionError"},
		{"json.loads", "import json\njson.loads('[' * 100000)", "RecursionError"},
		{"pickle", "import pickle\n" + deep + "pickle.dumps(a)", "RecursionError"},
		{"re", "import re\nre.compile('(' * 5000 + ')' * 5000)", "RecursionError"},
		{"parse", "import ast\nast.parse('(' * 150 + '-' * 50000 + '1' + ')' * 150)", "MemoryError"},
		{"compile", "compile('a' + '.b' * 50000, 'x', 'exec')", "RecursionError"},
		{"cache", "import functools\n@functools.lru_cache(None)\ndef f(n): return f(n + 1)\nf(0)", "RecursionError"},
		{"hash", "a = ()\nfor i in range(100000): a = (a,)\nhash(a)", "RecursionError"},
		{"hash of a named tuple", "from collections import namedtuple\nP = namedtuple('P', 'x')\na = ()\nfor i in range(100000): a = P(a)\nhash(a)", "RecursionError"},
		{"generic type", "a = int\nfor i in range(100000): a = list[a]\nrepr(a)", "RecursionError"},
		{"generator", "def g(): yield from g()\nlist(g())", "RecursionError"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := g.run(t, tt.source, nil)
			last := got.stderr[strings.LastIndex(strings.TrimSuffix(got.stderr, "\n"), "\n")+1:]
			if got.err != nil || got.code != 1 || !strings.HasPrefix(last, tt.want) {
				t.Errorf("ended with %d, %v, %q; want %s", got.code, got.err, last, tt.want)
			}
		})
	}
	// What a course does is not too deep.
	got := g.run(t, "import functools\n@functools.lru_cache(None)\ndef fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nprint(fib(400))\ndef f(n): return n and f(n - 1)\nprint(f(900))", nil)
	if want := "176023680645013966468226945392411250770384383304492191886725992896575345044216019675\n0\n"; got.stdout != want {
		t.Errorf("%q, want %q; %s", got.stdout, want, got.stderr)
	}
}

// A run may take all of its memory, and Python tells it so.
func TestMemory(t *testing.T) {
	got := open(t).run(t, "a = []\nwhile True: a.append(bytearray(1 << 20))", nil)
	if got.err != nil || got.code != 1 || !strings.HasSuffix(got.stderr, "MemoryError\n") {
		t.Errorf("%+v", got)
	}
}

package grading_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

func TestMain(m *testing.M) {
	sandbox.RunChildIfAsked()
	os.Exit(m.Run())
}

const adderSolution = `
def add(a, b):
    print("adding")
    return a + b

def share(a, b):
    return a / b

def words(s):
    return set(s.split())

print("Hello, world")
`

func grade(t *testing.T, e sandbox.Engine, l labdef.Lab, src string) lab.Verdict {
	t.Helper()
	v, err := grading.Grade(context.Background(), e, l, map[string]string{l.Entry: src})
	for try := 0; errors.Is(err, sandbox.ErrStarved) && try < 8; try++ {
		// The machine is busy, which is no word on the program: the job would be tried again too.
		v, err = grading.Grade(context.Background(), e, l, map[string]string{l.Entry: src})
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// marks writes a verdict's checks as one letter each.
func marks(v lab.Verdict) string {
	var b strings.Builder
	for _, c := range v.Checks {
		if c.Passed {
			b.WriteByte('+')
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}

func TestGrade(t *testing.T) {
	e := sandboxtest.Open(t)
	tests := []struct {
		name, src string
		outcome   lab.Outcome
		marks     string
		message   string
		traceback string
		output    string
	}{
		{"solution", adderSolution, lab.Passed, "+++++", "", "", "Hello, world\n"},
		{"one wrong", strings.Replace(adderSolution, "a / b", "a * b", 1), lab.Partial, "+-+++", "", "", "Hello, world\n"},
		{"only the visible call right", strings.Replace(adderSolution, "return a + b", "return 3", 1), lab.Partial, "++++-", "", "", "Hello, world\n"},
		{"empty", "", lab.Failed, "-----", "", "", ""},
		{"raises in every call", "def add(a, b): return 1 / 0\nshare = words = add\n", lab.Failed, "-----", "", "", ""},
		{
			"syntax", "x = 1\nif x == 1\n    pass\n", lab.LearnerError, "", "lab.message.syntax",
			"  File \"main.py\", line 2\n    if x == 1\n             ^\nSyntaxError: expected ':'", "",
		},
		{"indentation", "def f():\nreturn 1\n", lab.LearnerError, "", "lab.message.syntax", "IndentationError: expected an indented block", ""},
		{
			"exception", "def f(x):\n    return 1 / x\n\nprint('before')\nf(0)\n", lab.LearnerError, "", "lab.message.error",
			"Traceback (most recent call last):\n  File \"main.py\", line 5\n    f(0)\n  File \"main.py\", line 2, in f\n    return 1 / x\nZeroDivisionError: division by zero",
			"before\n",
		},
		{"exception in the library", "import json\njson.loads('{')\n", lab.LearnerError, "", "lab.message.error", "  File \"main.py\", line 2\n    json.loads('{')\nJSONDecodeError", ""},
		{"input", "input('name? ')", lab.LearnerError, "", "lab.message.error", "EOFError", "name? "},
		{"exit", "import sys\nprint('bye')\nsys.exit(0)", lab.LearnerError, "", "lab.message.exit", "line 3", "bye\n"},
		{"endless", "print('on', flush=True)\nwhile True: pass", lab.LearnerError, "", "lab.message.timeout", "", ""},
		{"endless in a call", "def add(a, b):\n    while True: pass", lab.LearnerError, "", "lab.message.timeout", "", ""},
		{"flood", "while True: print('spam')", lab.LearnerError, "", "lab.message.flood", "", "spam\nspam\n"},
		{"memory", "x = []\nwhile True: x.append('x' * 1000000)", lab.LearnerError, "", "lab.message.memory", "", ""},
		{"recursion", "def f(): return f()\nf()", lab.LearnerError, "", "lab.message.error", "RecursionError", ""},
		{"unicode", "print('سلام \\ud800')", lab.LearnerError, "", "lab.message.error", "UnicodeEncodeError", ""},
		{"byte order mark and carriage returns", "\ufeff" + strings.ReplaceAll(adderSolution, "\n", "\r\n"), lab.Passed, "+++++", "", "", "Hello, world\n"},
		{"main guard", adderSolution + "\nif __name__ == '__main__': print('main')", lab.Passed, "+++++", "", "", "main\n"},
		{"data file", adderSolution + "\nprint(sum(map(int, open('data.txt').read().split())))", lab.Passed, "+++++", "", "", "15\n"},
		{"dataclass", adderSolution + "\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: 'int' = 1\nprint(P())", lab.Passed, "+++++", "", "", "P(x=1)\n"},
		{"sleep takes no time", adderSolution + "\nimport time\ntime.sleep(3600)", lab.Passed, "+++++", "", "", "Hello, world\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := labtest.Adder()
			if tt.message == "lab.message.timeout" {
				l.Limits.WallSeconds = 1
			}
			v := grade(t, e, l, tt.src)
			if v.Outcome != tt.outcome || marks(v) != tt.marks || v.Message != tt.message {
				t.Errorf("%s %q %q, want %s %q %q; %+v", v.Outcome, marks(v), v.Message, tt.outcome, tt.marks, tt.message, v)
			}
			if !strings.Contains(v.Traceback, tt.traceback) || strings.Contains(v.Traceback, "harness") || strings.Contains(v.Traceback, "/") && !strings.Contains(tt.traceback, "/") {
				t.Errorf("traceback %q, want %q", v.Traceback, tt.traceback)
			}
			if !strings.Contains(v.Output, tt.output) || strings.Contains(v.Output, "adding") || len(v.Output) > 64<<10 {
				t.Errorf("output %.200q, want %q", v.Output, tt.output)
			}
			if v.Runtime != e.Runtime() || v.WallMS <= 0 || v.CPUMS <= 0 {
				t.Errorf("runtime %q, wall %d ms, CPU %d ms", v.Runtime, v.WallMS, v.CPUMS)
			}
		})
	}
}

func TestGradeShowsWhatAVisibleCallGave(t *testing.T) {
	e := sandboxtest.Open(t)
	v := grade(t, e, labtest.Adder(), "def add(a, b): return 'a' * 2\ndef share(a, b): raise ValueError('no ' + str(a))\ndef words(s): return {'z': (1, 2.5, None)}")
	want := []lab.CheckResult{
		{ID: "add", Got: "'aa'"},
		{ID: "share", Error: "ValueError: no 1"},
		{ID: "words", Got: "{'z': (1, 2.5, None)}"},
		{ID: "hello"},
		{ID: "hidden"},
	}
	for i, w := range want {
		if v.Checks[i] != w {
			t.Errorf("check %d: %+v, want %+v", i, v.Checks[i], w)
		}
	}
	v = grade(t, e, labtest.Adder(), "class Mine(Exception): pass\ndef add(a, b):\n    if a > 100: raise Mine('a is', a)\n    return {}[a]\n")
	if v.Checks[0].Error != "KeyError: 1" || v.Checks[4].Error != "Exception" || v.Checks[4].Got != "" {
		t.Errorf("%+v", v.Checks)
	}
	v = grade(t, e, labtest.Adder(), "def add(a, b): return {}[a]\n")
	if v.Checks[4].Error != "KeyError" {
		t.Errorf("%+v", v.Checks)
	}
}

// A call's value is compared as the course format says.
func TestValues(t *testing.T) {
	e := sandboxtest.Open(t)
	tests := []struct {
		call string
		kind labdef.CheckKind
		want any
		pass bool
	}{
		{"1", labdef.Equals, 1, true},
		{"1.0", labdef.Equals, 1, true},
		{"1", labdef.Equals, 1.0, true},
		{"True", labdef.Equals, 1, false},
		{"1", labdef.Equals, true, false},
		{"True", labdef.Equals, true, true},
		{"None", labdef.Equals, nil, true},
		{"0", labdef.Equals, nil, false},
		{"0.1 + 0.2", labdef.Equals, 0.3, false},
		{"0.1", labdef.Equals, 0.1, true},
		{"-7", labdef.Equals, -7, true},
		{"2 ** 63", labdef.Equals, uint64(1 << 63), true},
		{"2 ** 53 + 1", labdef.Equals, int64(1<<53 + 1), true},
		{"2 ** 53 + 1", labdef.Equals, int64(1 << 53), false},
		{"float(2 ** 53)", labdef.Equals, int64(1<<53 + 1), false},
		{"10 ** 21", labdef.Equals, 1e21, true},
		{"float('nan')", labdef.Equals, 0, false},
		{"float('inf')", labdef.Equals, 1e308, false},
		{"'a'", labdef.Equals, "a", true},
		{"'سلام'", labdef.Equals, "سلام", true},
		{"'1'", labdef.Equals, 1, false},
		{"b'a'", labdef.Equals, "a", false},
		{"'\\0\"\\\\\\n\\U0001f600'", labdef.Equals, "\x00\"\\\n\U0001f600", true},
		{"(1, [2, 'x'])", labdef.Equals, []any{1, []any{2, "x"}}, true},
		{"[1, 2]", labdef.Equals, []any{2, 1}, false},
		{"[1]", labdef.Equals, []any{1, 2}, false},
		{"[]", labdef.Equals, []any{}, true},
		{"{1}", labdef.Equals, []any{1}, false},
		{"{'a': 1, 'b': [None]}", labdef.Equals, map[string]any{"b": []any{nil}, "a": 1}, true},
		{"{'a': 1}", labdef.Equals, map[string]any{"a": 1, "b": 2}, false},
		{"{'a': 1, 'b': 2}", labdef.Equals, map[string]any{"a": 1}, false},
		{"{1: 1}", labdef.Equals, map[string]any{"1": 1}, false},
		{"__import__('collections').Counter('aab')", labdef.Equals, map[string]any{"a": 2, "b": 1}, true},
		{"__import__('collections').OrderedDict(a=1)", labdef.Equals, map[string]any{"a": 1}, true},
		{"__import__('collections').deque([1])", labdef.Equals, []any{1}, true},
		{"'x' * 70000", labdef.Equals, strings.Repeat("x", 70000), false}, // larger than is looked at
		{"list(range(20000))", labdef.Equals, 1, false},
		{"10 ** 5000", labdef.Equals, 1, false},
		{"[]", labdef.Equals, nil, false},
		{"(lambda f: f(f, 100))(lambda f, n: [f(f, n - 1)] if n else [])", labdef.Equals, 1, false}, // too deep
		{"(lambda a: a.append(a) or a)([])", labdef.Equals, []any{}, false},                         // endless
		{"0.3333", labdef.Near, 0.3333, true},
		{"0.36", labdef.Near, 0.3333, false},
		{"1", labdef.Near, 1, true},
		{"True", labdef.Near, 1, false},
		{"float('nan')", labdef.Near, 1, false},
		{"float('inf')", labdef.Near, 1, false},
		{"'1'", labdef.Near, 1, false},
		{"10 ** 400", labdef.Near, 1, false},
		{"{2, 1}", labdef.Set, []any{1, 2}, true},
		{"[2, 1, 1]", labdef.Set, []any{1, 2}, true},
		{"frozenset([1])", labdef.Set, []any{1, 2}, false},
		{"(1, 2, 3)", labdef.Set, []any{1, 2}, false},
		{"[[1], [2]]", labdef.Set, []any{[]any{2}, []any{1}}, true},
		{"'ab'", labdef.Set, []any{"a", "b"}, false},
		{"object()", labdef.Equals, nil, false},
	}
	l := labdef.Lab{Entry: "main.py"}
	for i, tt := range tests {
		l.Checks = append(l.Checks, labdef.Check{
			ID: fmt.Sprint("c", i), Visible: true, Points: 1,
			Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: tt.call, Kind: tt.kind, Want: tt.want, Tolerance: 0.01},
		})
	}
	v := grade(t, e, l, "")
	if len(v.Checks) != len(tests) {
		t.Fatalf("%+v", v)
	}
	for i, tt := range tests {
		if v.Checks[i].Passed != tt.pass {
			t.Errorf("%s %s %v: passed is %v; %+v", tt.call, tt.kind, tt.want, v.Checks[i].Passed, v.Checks[i])
		}
	}
}

func TestAuthorsFaultsAreNotTheLearners(t *testing.T) {
	e := sandboxtest.Open(t)
	for name, checks := range map[string][]labdef.Check{
		"no checks":           nil,
		"call with a fault":   {{ID: "a", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "add(1,", Kind: labdef.Equals, Want: 1}}},
		"hidden with a fault": {{ID: "a", Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "x = 1", Kind: labdef.Equals, Want: 1}}},
		"expression":          {{ID: "a", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveOutput, Kind: labdef.Matches, Want: "("}}},
		"near a word":         {{ID: "a", Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "1", Kind: labdef.Near, Want: "one"}}},
		"set of a word":       {{ID: "a", Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "1", Kind: labdef.Set, Want: "one"}}},
		"no such kind":        {{ID: "a", Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "1", Kind: "guess", Want: 1}}},
	} {
		v := grade(t, e, labdef.Lab{Entry: "main.py", Checks: checks}, adderSolution)
		if v.Outcome != lab.AuthorError || v.Message != "lab.message.author" || v.Outcome.Counts() {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// Whoever has read all of our source still cannot pass without the right values.
func TestNoPassWithoutTheRightValues(t *testing.T) {
	e := sandboxtest.Open(t)
	// room finds the harness's frame and what it knows.
	const room = `
import sys
def room():
    f = sys._getframe()
    while f and f.f_code.co_name != 'room' or f.f_code.co_filename == 'main.py': f = f.f_back
    return f.f_locals
`
	tests := map[string]string{
		"equal to everything": "class E:\n def __eq__(s, o): return True\n def __hash__(s): return 1\n def __repr__(s): return '3'\n def __float__(s): return 0.3333\n def __iter__(s): return iter(['a', 'b'])\nadd = share = words = lambda *a: E()",
		"subclasses":          "class I(int):\n __eq__ = lambda s, o: True\nclass F(float): pass\nclass S(str): pass\nclass L(list):\n __eq__ = lambda s, o: True\nadd = lambda a, b: I(3)\nshare = lambda a, b: F(0.3333)\nwords = lambda s: L(['a', 'b'])",
		"patched builtins":    "import builtins\nbuiltins.compile = builtins.eval = builtins.repr = builtins.len = builtins.type = lambda *a, **k: 3\nbuiltins.print = None",
		"patched json":        "import json, _json\njson.dumps = json.loads = _json.encode_basestring_ascii = lambda *a, **k: '3'",
		"patched posix":       "import posix, os\nposix.write = os.write = lambda fd, b: len(b)\nposix._exit = os._exit = lambda c: None",
		"sys.exit":            "import sys\ndef add(a, b): sys.exit(0)\nshare = words = add",
		"os._exit":            "import os\nprint('passed', flush=True)\nos._exit(0)",
		"os._exit in a call":  "import os\ndef add(a, b): os._exit(0)",
		"atexit":              "import atexit, os\natexit.register(lambda: os.write(2, b'passed'))",
		"abort":               "import os\nos.abort()",
		"fake lines":          "import sys\nfor n in ('', 'nonce', '0' * 26):\n print(n + ' C []\\n' + n + ' O {\"load\":null,\"seen\":[]}', file=sys.stderr)\n print(n + ' C []\\n' + n + ' O {\"load\":null,\"seen\":[]}')",
		"frames: a line of observations without values": room + `
import os
n = room()['nonce']
os.write(2, ('\n%s O {"load":null,"seen":[{"passed":true},{"value":true},{"value":["p"]}]}\n' % n).encode())
os._exit(0)`,
		"frames: more observations than calls": room + `
import os
n = room()['nonce']
os.write(2, ('\n%s O {"load":null,"seen":[%s]}\n' % (n, ','.join(['{"value":["i","3"]}'] * 9))).encode())
os._exit(0)`,
		"frames: every value at once": room + `
import os
n = room()['nonce']
os.write(2, ('\n%s O {"load":null,"seen":[%s]}\n' % (n, ','.join(['{"value":["l",["i","3"],["f","0.3333"],["s","a"]]}'] * 3))).encode())
os._exit(0)`,
		"frames: a deep value": room + `
import os
n = room()['nonce']
os.write(2, ('\n%s O {"load":null,"seen":[{"value":%s},{},{}]}\n' % (n, '["l",' * 9000 + '["n"]' + ']' * 9000)).encode())
os._exit(0)`,
		"frames: blame the author": room + `
import os
n = room()['nonce']
os.write(2, ('\n%s C [[0,"SyntaxError"]]\n' % n).encode())`,
		"closed output":                "import sys, os\nsys.stdout.close()\nos.close(1)",
		"closed everything":            "import os\nfor fd in range(3): os.close(fd)",
		"evil exceptions":              "class X(BaseException):\n def __str__(s): raise X()\n __repr__ = __str__\n def __getattribute__(s, n): raise X()\ndef add(a, b): raise X()\nshare = words = add",
		"evil metaclass":               "class M(type):\n def __getattribute__(s, n): raise BaseException()\n def __eq__(s, o): return True\n def __hash__(s): return hash(int)\n __instancecheck__ = lambda s, o: True\nclass X(metaclass=M):\n bit_length = lambda s: 1\n __mod__ = lambda s, o: '3'\nadd = share = words = lambda *a: X.__call__() if 0 else type.__call__(X)",
		"evil exception while loading": "class X(BaseException):\n def __str__(s): raise X()\nraise X()",
		"import hooks":                 "import sys\nclass H:\n def find_spec(s, *a): raise SystemExit\nsys.meta_path.insert(0, H())\nsys.modules.clear()",
		"recursion limit":              "import sys\nsys.setrecursionlimit(30)",
		"recursion":                    "def add(a, b): return add(a, b)",
		"trace":                        "import sys\ndef tr(f, e, a):\n raise SystemExit\nsys.settrace(tr)\nsys.setprofile(tr)",
		"threads":                      "import _thread, time\ndef f():\n while True: pass\ntry: _thread.start_new_thread(f, ())\nexcept RuntimeError: pass",
		"gc":                           "import gc\nfor o in gc.get_objects():\n  if type(o) is dict and o.get('__name__') != '__main__':\n   try: o.update(nonce='', calls=[], codes=[])\n   except BaseException: pass",
		"signals":                      "import signal\ntry: signal.raise_signal(signal.SIGINT)\nexcept BaseException: pass",
		"generators and descriptors":   "add = share = words = property(lambda s: 3)",
		"a dictionary with claims":     "class D(dict):\n items = lambda s: [('a', 1)]\nadd = share = words = lambda *a: D()",
	}
	l := labtest.Adder()
	l.Limits.WallSeconds = 5
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			v := grade(t, e, l, src)
			if v.Outcome != lab.Failed && v.Outcome != lab.LearnerError || v.Score != 0 {
				t.Errorf("%s %q %s\n%s", v.Outcome, marks(v), v.Message, v.Traceback)
			}
			if next := grade(t, e, l, adderSolution); next.Outcome != lab.Passed {
				t.Errorf("the next submission: %+v", next)
			}
		})
	}
}

// Hidden calls do not reach anything that is shown.
func TestHiddenCallsStayHidden(t *testing.T) {
	e := sandboxtest.Open(t)
	const spy = `
import sys
def spy():
    f, out = sys._getframe(), []
    while f:
        out.append(str(f.f_locals)); f = f.f_back
    return ' '.join(out)
class Told(Exception): pass
print(spy())
def add(a, b):
    print(spy(), a, b)
    sys.stderr.write(spy())
    raise Told(spy() + str(a))
def share(a, b): return spy()
def words(s): raise type('Told%s' % spy().replace(':', ''), (Exception,), {})
`
	v := grade(t, e, labtest.Adder(), spy)
	if v.Outcome != lab.Failed {
		t.Fatalf("%+v", v)
	}
	shown := fmt.Sprintf("%+v", v)
	if !strings.Contains(shown, "add(1, 2)") {
		t.Error("the spy found nothing at all: it proves nothing")
	}
	if strings.Contains(shown, "123454321") {
		t.Errorf("a hidden call is shown: %s", shown)
	}
	v = grade(t, e, labtest.Adder(), "import sys\nf = sys._getframe()\nwhile f:\n  c = str(f.f_locals.get('order'))\n  if '123454321' in c: raise ValueError(c)\n  f = f.f_back")
	if v.Message != "lab.message.error" || v.Traceback != "" {
		t.Errorf("loading with hidden calls: %+v", v)
	}
}

// The expected values are not in anything that goes into the sandbox.
func TestWhatGoesIntoTheSandbox(t *testing.T) {
	var seen []string
	spy := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
		seen = append(seen, string(p.Stdin))
		for name, data := range p.Files {
			seen = append(seen, name+string(data))
		}
		return sandbox.Result{End: sandbox.TimedOut}, nil
	})
	l := labtest.Adder()
	l.Checks[0].Title = curriculum.Text{"en": "secret title"}
	l.Solution, l.Wrong = "secret solution", []labdef.WrongSolution{{File: "a.py", Source: "secret mistake"}}
	if _, err := grading.Grade(context.Background(), spy, l, map[string]string{"main.py": "x = 1", "data.txt": "learner-data"}); err != nil {
		t.Fatal(err)
	}
	all := strings.Join(seen, "\n")
	if !strings.Contains(all, "add(1, 2)") || !strings.Contains(all, "data.txt4 5 6") {
		t.Errorf("calls or data are missing: %s", all)
	}
	for _, secret := range []string{"0.3333", "123454322", "hello", "secret", "learner-data"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q goes into the sandbox", secret)
		}
	}
}

func TestAHarnessThatDoesNotStartIsThePlatforms(t *testing.T) {
	for _, res := range []sandbox.Result{
		{End: sandbox.Exited, ExitCode: 1, Stderr: []byte("no Python here")},
		{End: sandbox.Exited},
	} {
		e := labtest.EngineFunc(func(sandbox.Program) (sandbox.Result, error) { return res, nil })
		if v, err := grading.Grade(context.Background(), e, labtest.Adder(), map[string]string{"main.py": ""}); err == nil {
			t.Errorf("%+v", v)
		}
	}
}

// What the first room says is judged as data, whatever it says.
func TestForgedObservations(t *testing.T) {
	l := labdef.Lab{Entry: "main.py", Checks: []labdef.Check{
		{ID: "d", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "d()", Kind: labdef.Equals, Want: map[string]any{"a": 1, "b": 2}}},
	}}
	tests := []struct {
		value   string
		outcome lab.Outcome
	}{
		{`["d",["s","a"],["i","1"],["s","b"],["i","2"]]`, lab.Passed},
		{`["d",["s","a"],["i","1"],["s","a"],["i","1"]]`, lab.Failed},
		{`["d",["y","61"],["i","1"],["s","b"],["i","2"]]`, lab.Failed},
		{`["d",["s","a"],["i","1"],["s","b"]]`, lab.LearnerError},
		{`["i","0x1"]`, lab.LearnerError},
		{`["f","1e999"]`, lab.LearnerError},
		{`["n",1]`, lab.LearnerError},
		{`["b","yes"]`, lab.LearnerError},
		{`["z"]`, lab.LearnerError},
		{`[]`, lab.LearnerError},
		{`{"a":1,"b":2}`, lab.LearnerError},
		{`null`, lab.LearnerError},
		{`["x"]`, lab.Failed},
	}
	for _, tt := range tests {
		e := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
			nonce, _, _ := strings.Cut(string(p.Stdin), "\n")
			out := fmt.Sprintf("\n%s C []\n\n%s O {\"load\":null,\"seen\":[{\"value\":%s}]}\n", nonce, nonce, tt.value)
			return sandbox.Result{End: sandbox.Exited, Stderr: []byte(out)}, nil
		})
		if v := grade(t, e, l, ""); v.Outcome != tt.outcome {
			t.Errorf("%s: %s, want %s", tt.value, v.Outcome, tt.outcome)
		}
	}
}

// What is kept of a verdict is bounded, and text that every database takes.
func TestVerdictIsBoundedText(t *testing.T) {
	e := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
		nonce, _, _ := strings.Cut(string(p.Stdin), "\n")
		junk := strings.Repeat("\\u0000\\ud800x", 100_000)
		load := "null"
		if strings.Contains(string(p.Files["main.py"]), "load") {
			load = `["error","` + junk + `"]`
		}
		out := fmt.Sprintf("\n%s C []\n\n%s O {\"load\":%s,\"seen\":[{\"value\":[\"n\"],\"repr\":\"%s\"}]}\n", nonce, nonce, load, junk)
		return sandbox.Result{End: sandbox.Exited, Stdout: []byte("a\x00\xffb\n" + nonce + "\n"), Stderr: []byte(out)}, nil
	})
	l := labdef.Lab{Entry: "main.py", Checks: []labdef.Check{{ID: "a", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "a", Kind: labdef.Equals, Want: 1}}}}
	for _, src := range []string{"x", "load"} {
		v := grade(t, e, l, src)
		texts := []string{v.Output, v.Traceback}
		for _, c := range v.Checks {
			texts = append(texts, c.Got)
		}
		for _, text := range texts {
			if strings.ContainsRune(text, 0) || !utf8.ValidString(text) || len(text) > 32<<10 {
				t.Errorf("%d bytes: %.100q", len(text), text)
			}
		}
		if v.Output != "a\uFFFD\uFFFDb" {
			t.Errorf("output %q", v.Output)
		}
	}
}

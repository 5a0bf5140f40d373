package grading_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

const secretLabel = "LABEL-58231"

// village is a lab with everything that a lab may hide: labels, groups, a judge script, hidden files.
func village() labdef.Lab {
	least, most := 0.9, 0.1
	rows := func() *labdef.Rows {
		r := &labdef.Rows{Name: "rows"}
		for i := range 8 {
			r.Rows = append(r.Rows, map[string]any{"size": float64(40 + i)})
		}
		return r
	}
	labels := []any{secretLabel, "no", "no", secretLabel, "no", secretLabel, secretLabel, "no"}
	groups := []any{"GROUP-1", "GROUP-1", "GROUP-2", "GROUP-2", "GROUP-1", "GROUP-1", "GROUP-2", "GROUP-2"}
	call := func(r labdef.Rule) labdef.Rule {
		r.Observe = labdef.ObserveCall
		return r
	}
	return labdef.Lab{
		Entry: "main.py",
		Files: map[string]string{"open.csv": "size\n1\n"},
		Hidden: map[string]string{
			"hidden/test.csv": "size,truth\n40," + secretLabel + "\n", "judges/shape.py": "SECRET-JUDGE",
		},
		Checks: []labdef.Check{
			{ID: "shape", Visible: true, Points: 1, Says: map[string]map[string]string{"short": {"en": "Short."}}, Rule: call(labdef.Rule{
				Call: "shape()", Kind: labdef.Judged, JudgeName: "judges/shape.py", Judge: `
def judge(seen, files):
    value = seen["value"]
    if not isinstance(value, list) or not all(type(v) in (int, float) and 0 < v < 100 for v in value):
        return False, "short"
    return min(len(value), 4) / 4
`,
			})},
			{ID: "table", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveFile, File: "table.csv", Kind: labdef.Equals, Want: "crop,bags\nEXPECTED-FILE,4\n"}},
			{ID: "said", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveOutput, Kind: labdef.Matches, Want: "EXPECTED-OUTPUT"}},
			{ID: "refuses", Visible: true, Points: 1, Rule: call(labdef.Rule{Call: "refuse(-1)", Kind: labdef.Raises, Want: "ValueError"})},
			{ID: "good", Points: 2, Rule: call(labdef.Rule{
				Call: "[guess(row) for row in rows]", Data: rows(), Kind: labdef.Measured, Reveal: true,
				Metric: &labdef.Metric{Name: labdef.Accuracy, Labels: labels, AtLeast: &least},
			})},
			{ID: "fair", Points: 2, Rule: call(labdef.Rule{
				Call: "[guess(row) for row in rows]", Data: rows(), Kind: labdef.Measured,
				Metric: &labdef.Metric{Name: labdef.GroupGap, Labels: labels, Groups: groups, AtMost: &most},
			})},
		},
	}
}

const villageSolution = `
def shape(): return [1, 2.5, 3, 4]
def refuse(n): raise ValueError(n)
def guess(row): return "` + secretLabel + `" if row["size"] in (40, 43, 45, 46) else "no"
with open("table.csv", "w") as f: f.write("crop,bags\nEXPECTED-FILE,4\n")
print("EXPECTED-OUTPUT")
`

func TestGradeOfEveryKind(t *testing.T) {
	e := sandboxtest.Open(t)
	tests := []struct {
		name    string
		old, by string
		outcome lab.Outcome
		marks   string
		score   float64
	}{
		{"solution", "", "", lab.Passed, "++++++", 1},
		{"a share of the shape", "[1, 2.5, 3, 4]", "(1,)", lab.Partial, "-+++++", 7.25 / 8},
		{"no file", `open("table.csv", "w")`, `open("other.csv", "w")`, lab.Partial, "+-++++", 7.0 / 8},
		{"another file", "4\\n", "5\\n", lab.Partial, "+-++++", 7.0 / 8},
		{"a child of the exception", "raise ValueError(n)", "raise type('Mine', (UnicodeError,), {})(n)", lab.Partial, "+++-++", 7.0 / 8},
		{"another exception", "raise ValueError(n)", "raise KeyError(n)", lab.Partial, "+++-++", 7.0 / 8},
		{"one wrong in a group", "45, 46", "45", lab.Partial, "++++--", 4.0 / 8},
		{"fair and bad", "45, 46", "41, 42, 45, 46", lab.Partial, "++++-+", 6.0 / 8},
		{"one prediction", "row[\"size\"]", "rows[\"size\"]", lab.Partial, "++++--", 4.0 / 8},
	}
	for _, tt := range tests {
		src := strings.Replace(villageSolution, tt.old, tt.by, 1)
		v := grade(t, e, village(), src)
		if tt.name == "a child of the exception" { // a child of what is wanted will do
			tt.outcome, tt.marks, tt.score = lab.Passed, "++++++", 1
		}
		if v.Outcome != tt.outcome || marks(v) != tt.marks || v.Score != tt.score {
			t.Errorf("%s: %s %q %g, want %s %q %g; %+v", tt.name, v.Outcome, marks(v), v.Score, tt.outcome, tt.marks, tt.score, v.Checks)
		}
		if digest, err := village().Digest(); err != nil || v.LabDigest != digest {
			t.Errorf("%s: lab digest %s, want %s", tt.name, v.LabDigest, digest)
		}
	}
	if v := grade(t, e, village(), "def shape(): return [1]"); v.Outcome != lab.Partial || marks(v) != "------" || v.Score != 0.25/8 {
		t.Errorf("a share of one check alone: %s %q %g", v.Outcome, marks(v), v.Score)
	}
	v := grade(t, e, village(), strings.NewReplacer("[1, 2.5, 3, 4]", "'x'", "45, 46", "45", `"table.csv"`, `"t.csv"`).Replace(villageSolution))
	want := []lab.CheckResult{
		{ID: "shape", Got: "'x'", Says: "short"},
		{ID: "table", Error: "lab.check_error.no_file"},
		{ID: "said", Passed: true, Score: 1},
		{ID: "refuses", Passed: true, Score: 1, Error: "ValueError: -1"},
		{ID: "good", Got: "0.875", Expected: "≥ 0.9"},
		{ID: "fair"},
	}
	for i, w := range want {
		if v.Checks[i] != w {
			t.Errorf("%+v, want %+v", v.Checks[i], w)
		}
	}
}

// A broken judge script is its author's fault, and tells nothing to the learner.
func TestBrokenJudgeScripts(t *testing.T) {
	e := sandboxtest.Open(t)
	for name, source := range map[string]string{
		"raises":         "def judge(seen, files): return 1 / 0",
		"syntax":         "def judge(",
		"no function":    "x = 1",
		"above one":      "def judge(seen, files): return 1.5",
		"nan":            "def judge(seen, files): return float('nan')",
		"text":           "def judge(seen, files): return 'yes'",
		"unknown words":  "def judge(seen, files): return True, 'more'",
		"leaves":         "import sys\ndef judge(seen, files): sys.exit(0)",
		"ends Python":    "import os\ndef judge(seen, files): os._exit(0)",
		"never ends":     "def judge(seen, files):\n    while True: pass",
		"prints forever": "def judge(seen, files):\n    while True: print('spam')",
	} {
		l := village()
		if name == "never ends" {
			l.Limits.WallSeconds = 2
		}
		l.Checks[0].Rule.Judge = source
		v := grade(t, e, l, villageSolution)
		if v.Outcome != lab.AuthorError || v.Message != "lab.message.author" || v.FaultCheck != "shape" || v.Fault == "" || v.Checks != nil || v.Score != 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// No judge, label, group, hidden file or expected text is in what the first room gets; the second gets no code of the learner's.
func TestTwoRooms(t *testing.T) {
	first, second := 0, 0
	spy := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
		var all strings.Builder
		all.Write(p.Stdin)
		for name, data := range p.Files {
			all.WriteString(name + string(data))
		}
		nonce, _, _ := strings.Cut(string(p.Stdin), "\n")
		if strings.Contains(all.String(), "LEARNER-CODE") {
			first++
			for _, secret := range []string{secretLabel, "GROUP-", "SECRET-JUDGE", "def judge", "EXPECTED", "ValueError\"", "0.9", "size,truth"} {
				if strings.Contains(string(p.Stdin), secret) || strings.Contains(all.String(), secret) && secret != "ValueError\"" && secret != "0.9" {
					t.Errorf("%q is in the first room", secret)
				}
			}
			var order struct{ Calls []any }
			if _, text, _ := strings.Cut(string(p.Stdin), "\n"); json.Unmarshal([]byte(text), &order) != nil {
				t.Errorf("the order is no JSON: %s", text)
			}
			seen := strings.Repeat(`,{"value":["n"]}`, len(order.Calls))
			out := fmt.Sprintf("\n%s C []\n\n%s O {\"load\":null,\"seen\":[%s]}\n", nonce, nonce, strings.TrimPrefix(seen, ","))
			return sandbox.Result{End: sandbox.Exited, Stderr: []byte(out)}, nil
		}
		second++
		for _, there := range []string{"def judge", secretLabel, "open.csv"} {
			if there == secretLabel && village().Checks[0].Visible {
				continue // a visible check's script reads no hidden file by itself, see the next test
			}
			if !strings.Contains(all.String(), there) {
				t.Errorf("%q is not in the second room", there)
			}
		}
		return sandbox.Result{End: sandbox.Exited, Stderr: []byte("\n" + nonce + ` J [{"score":1,"says":null}]` + "\n")}, nil
	})
	if _, err := grading.Grade(context.Background(), spy, village(), map[string]string{"main.py": "LEARNER-CODE = 1"}); err != nil {
		t.Fatal(err)
	}
	if first != 2 || second != 1 {
		t.Errorf("%d runs of the first room, %d of the second", first, second)
	}
}

// A hidden check's script reads the hidden files, a visible one's does not: it runs in the page too.
func TestFilesOfJudgeScripts(t *testing.T) {
	e := sandboxtest.Open(t)
	for _, visible := range []bool{true, false} {
		l := village()
		l.Checks[0].Visible = visible
		l.Checks[0].Rule.Judge = "def judge(seen, files): return sorted(files) == " +
			map[bool]string{true: `["open.csv"]`, false: `["hidden/test.csv", "judges/shape.py", "open.csv"]`}[visible]
		if v := grade(t, e, l, villageSolution); v.Outcome != lab.Passed {
			t.Errorf("visible %t: %+v", visible, v)
		}
	}
}

// Seed and clock of a run are the lab's.
func TestSeedAndClock(t *testing.T) {
	l := village()
	l.Seed, l.Clock = 7, labdef.DefaultClock.AddDate(0, 3, 0)
	l.Limits = labdef.Limits{WallSeconds: 3, Files: 2, FileKiB: 5}
	runs := 0
	spy := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
		runs++
		if p.Seed != 7 || !p.Clock.Equal(l.Clock) || p.Limits.Files != 2 || p.Limits.FileBytes != 5<<10 || p.Limits.Wall.Seconds() != 3 || p.Limits.Memory != 128<<20 {
			t.Errorf("%+v", p)
		}
		return sandbox.Result{End: sandbox.TimedOut}, nil
	})
	if _, err := grading.Grade(context.Background(), spy, l, map[string]string{"main.py": ""}); err != nil || runs != 1 {
		t.Error(err, runs)
	}
}

// Whoever has read our source, and finds the order in the room, still does not pass: what is wanted is not there.
func TestNoPassThroughTheNewDoors(t *testing.T) {
	e := sandboxtest.Open(t)
	const room = `
import sys
def room():
    f = sys._getframe()
    while f and (f.f_code.co_name != 'room' or f.f_code.co_filename == 'main.py'): f = f.f_back
    return f.f_locals
def tell(seen):
    import os
    n = room()['nonce']
    os.write(2, ('\n%s O {"load":null,"seen":[%s]}\n' % (n, seen)).encode())
    os._exit(0)
`
	// What the learner's code does when the harness writes out the files that were left open: the last word is said by then.
	const atTheEnd = `
import io
class Late(io.RawIOBase):
    writable = lambda s: True
    def write(s, b):
        at_the_end()
        return len(b)
late = io.TextIOWrapper(io.BufferedWriter(Late()))
late.write('x')
def at_the_end():
  `
	tests := map[string]string{
		"all labels at once":                "def guess(row): return ['yes', 'no', True, False, 0, 1]",
		"an object that equals every label": "class E:\n __eq__ = lambda s, o: True\n __hash__ = lambda s: 0\ndef guess(row): return E()\ndef shape(): return E()\nrefuse = shape",
		"a list of a class of its own":      "class L(list):\n __len__ = lambda s: 8\n __iter__ = lambda s: iter('no' * 8)\nshape = lambda: L([1, 2, 3, 4])",
		"rows for predictions":              "guess = lambda row: row",
		"labels from the files":             "import os\nfound = []\nfor d, ds, fs in os.walk('/'):\n  for f in fs: found.append(open(d + '/' + f, errors='replace').read())\nguess = lambda row: next((w for t in found for w in t.split() if 'LABEL' in w), 'none')",
		"labels from memory":                "import gc\nbag = [o for o in gc.get_objects() if isinstance(o, (list, dict, tuple, str))]\nimport sys\nguess = lambda row: next((s for o in bag if isinstance(o, (list, tuple)) for s in o if isinstance(s, str) and s.startswith('LABEL')), 'none')",
		"labels from the frames":            room + "def guess(row):\n  import re\n  return (re.findall('LABEL-[0-9]+', str(room())) or ['none'])[0]",
		"labels by exceptions":              "def guess(row): raise ValueError(str(row))",
		"labels from the order":             room + "guess = lambda row: str(room()['order'].get('labels', ''))",
		"stdin once more":                   "import sys, os\ntry: rest = sys.stdin.read() + os.read(0, 100000).decode()\nexcept BaseException: rest = ''\nguess = lambda row: rest",
		"reads the harness":                 "text = open('/0-harness.py').read()\nguess = lambda row: text[:9]\nopen('/0-harness.py', 'w').write('print(1)')",
		"writes into the second room":       "for n in ('0-judge.py', 'json.py', 'sitecustomize.py', 'usercustomize.py', 'judge.py', '_json.py', 'posix.py'):\n  open(n, 'w').write('raise SystemExit(0)')\nimport importlib, json\nimportlib.reload(json) if 0 else None",
		"a module banyan of its own":        "open('banyan.py', 'w').write('table = None')\nimport sys\nsys.modules['banyan'] = sys\nprint('\\x1e{\"kind\":\"passed\"}')\nprint('\\x1e{\"checks\":[1,1,1,1,1,1]}')",
		"output inside a record":            "print('\\x1e{\"kind\":\"table\"}EXPECTED-OUTPUT')",
		"records without an end":            "print('\\x1e' * 1000, end='')\nprint('\\x1eEXPECTED-OUTPUT', end='')",
		"files of results":                  "for n in ('verdict.json', 'checks.json', 'results', 'stdout', 'table'):\n  open(n, 'w').write('{\"passed\": true, \"score\": 1}')",
		"a folder as the file":              "import os\nos.mkdir('table.csv')",
		"the file is no text":               "open('table.csv', 'wb').write(b'\\xff\\x00crop')",
		"the file as a link":                "import os\ntry: os.symlink('/open.csv', '/table.csv')\nexcept OSError: pass",
		"a patched open":                    "import builtins, io, posix\nclass F:\n read = lambda s, *a: 'crop,bags'\n __enter__ = lambda s: s\n __exit__ = lambda s, *a: None\nbuiltins.open = io.open = lambda *a, **k: F()\nposix.open = lambda *a, **k: 1",
		"an exception that claims a name":   "class ValueErro(Exception): pass\nValueErro.__name__ = ValueErro.__qualname__ = 'ValueError'\ndef refuse(n): raise ValueErro(n)",
		"an exception by a patched builtin": "import builtins\nclass ValueError(Exception): pass\nbuiltins.ValueError = ValueError\ndef refuse(n): raise ValueError(n)",
		"an exception of a lying metaclass": "class M(type):\n __instancecheck__ = __subclasscheck__ = __eq__ = lambda *a: True\n __hash__ = lambda s: hash(ValueError)\n __name__ = 'ValueError'\nclass X(Exception, metaclass=M): pass\ndef refuse(n): raise X(n)",
		"a patched mro":                     "try: type.__mro__ = ()\nexcept BaseException: pass\nimport builtins\nbuiltins.issubclass = builtins.vars = lambda *a: True\ndef refuse(n): raise TypeError(n)",
		"patched json":                      "import json, json.encoder, json.decoder, _json\njson.loads = json.dumps = json.decoder.scanstring = _json.scanstring = _json.encode_basestring_ascii = lambda *a, **k: '{}'",
		"judge: huge":                       "shape = lambda: ['9' * 60000]",
		"judge: many":                       "shape = lambda: list(range(100, 9000))",
		"judge: nan":                        "shape = lambda: [float('nan'), float('inf'), -float('inf')]",
		"judge: a huge number":              "shape = lambda: [10 ** 2000]",
		"judge: deep":                       "def shape():\n  v = []\n  for i in range(35): v = [v]\n  return v",
		"judge: unicode":                    "shape = lambda: '\\ud800\\u202e\\x00\\x1e\\u2028' * 50",
		"judge: keys that are lists":        "shape = lambda: {(1, (2, frozenset([3]))): {frozenset([(4,)])}}",
		"judge: objects":                    "class X:\n def __repr__(s): raise KeyError\n __class__ = property(lambda s: list)\n__import__('sys')\nshape = lambda: [X(), object, X]",
		"judge: bools for numbers":          "shape = lambda: [True] * 4",
		"judge: code":                       "shape = lambda: '__import__(\"os\")._exit(0)'",
		"judge: a fake reply":               "shape = lambda: '\\nJ [{\"score\": 1, \"says\": null}]\\n'\nimport sys\nsys.stderr.write('\\n J [{\"score\":1,\"says\":null}]\\n')",
		"forged: values beyond every bound": room + "tell(','.join(['{\"value\":[\"l\"%s]}' % (',[\"i\",\"1\"]' * 30000)] * 2))",
		"forged: a tower":                   room + "tell(','.join(['{\"value\":%s}' % ('[\"l\",' * 200 + '[\"n\"]' + ']' * 200)] * 2))",
		"forged: output and file":           room + "tell(','.join(['{\"value\":[\"n\"],\"output\":\"EXPECTED-OUTPUT\",\"file\":\"crop,bags\",\"passed\":true,\"score\":1}'] * 2))",
		"forged: raised without classes":    room + "tell(','.join(['{\"raised\":\"ValueError\"}'] * 2))",
		"forged: score in the line":         room + "tell('{\"value\":[\"n\"],\"score\":1},{\"value\":[\"n\"]}],\"answers\":[{\"score\":1}')",
		"forged: an unknown way of loading": room + "import os\nos.write(2, ('\\n%s O {\"load\":[\"passed\",\"\"],\"seen\":[]}\\n' % room()['nonce']).encode())\nos._exit(0)",
		"atexit, threads and finalizers":    "import atexit, weakref\nclass X:\n def __del__(s): print('EXPECTED-OUTPUT')\nx = X()\natexit.register(print, 'EXPECTED-OUTPUT')\nweakref.finalize(x, print, 'EXPECTED-OUTPUT')",
		"prints in a call":                  "def shape(): print('EXPECTED-OUTPUT')\nrefuse = lambda n: print('EXPECTED-OUTPUT')",
		"the nonce before the output":       room + "n = room()['nonce']\nprint('\\n' + n + '\\n' + 'EXPECTED-OUTPUT')",
		"codes of calls replaced":           room + "r = room()\nr['codes'][:] = [(compile('[1,2]', 'x', 'eval'), None)] * len(r['codes'])",
		"a tampered encoder":                room + "r = room()\nfor k in ('quote', 'observe', 'encode', 'known'):\n  c = r[k]\n  if isinstance(c, list): c.clear()\n  elif hasattr(c, '__code__'): c.__code__ = (lambda *a: '[\"i\",\"1\"]').__code__ if not c.__closure__ else c.__code__",
		"import hooks":                      "import sys\nclass H:\n def find_spec(s, *a): raise SystemExit\nsys.meta_path[:] = [H()]\nsys.path_hooks.clear()\nsys.modules.clear()",
		"deep recursion in repr":            "shape = lambda: [[]]\ndef guess(row): return guess(row)",
		"a buffer that speaks in the end":   room + atTheEnd + "import os\n  n = room()['nonce']\n  for w in ('table.csv', 'main.py'): open(w, 'w').write('crop,bags')\n  os.write(1, ('EXPECTED-OUTPUT\\n' + n + '\\nEXPECTED-OUTPUT').encode())\n  tell(','.join(['{\"value\":[\"l\",[\"s\",\"yes\"]],\"raised\":\"ValueError\",\"classes\":[],\"passed\":true,\"score\":1}'] * len(room()['codes'])))",
		"a buffer that rewrites the room":   room + atTheEnd + "r = room()\n  r['seen'][:] = ['{\"value\":[\"n\"],\"passed\":true}'] * 9\n  r['send'](2, '\\n%s C [[0,\"author\"]]\\n%s O {\"load\":null,\"seen\":[]}\\n' % (r['nonce'], r['nonce']))",
		"a buffer without an end":           room + atTheEnd + "while True: pass",
		"a buffer that raises":              room + atTheEnd + "import sys\n  sys.setrecursionlimit(9)\n  raise SystemExit(0)",
		"closes its files":                  "import os\nfor fd in range(8):\n  try: os.close(fd)\n  except OSError: pass",
	}
	l := village()
	l.Limits.WallSeconds = 5
	for name, src := range tests {
		t.Run(name, func(t *testing.T) {
			v := grade(t, e, l, src)
			if v.Outcome != lab.Failed && v.Outcome != lab.LearnerError && v.Outcome != lab.Partial || v.Score >= 0.5 {
				t.Fatalf("%s %q %s %s %s\n%s", v.Outcome, marks(v), v.Message, v.FaultCheck, v.Fault, v.Traceback)
			}
			for i, c := range v.Checks { // nobody guesses well without the labels
				if c.Passed && c.ID != "fair" && (c.ID != "shape" || !strings.HasPrefix(name, "codes")) {
					t.Errorf("passes %s: %+v", c.ID, v.Checks[i])
				}
			}
			if shown := fmt.Sprintf("%+v", v); strings.Contains(shown, secretLabel) || strings.Contains(shown, "GROUP-") {
				t.Errorf("a label is shown: %s", shown)
			}
		})
	}
	if v := grade(t, e, l, villageSolution); v.Outcome != lab.Passed {
		t.Errorf("afterwards: %+v", v)
	}
}

// Records of the module banyan stay in what is shown, and out of what is judged.
func TestRecords(t *testing.T) {
	e := sandboxtest.Open(t)
	l := labdef.Lab{Entry: "main.py", Checks: []labdef.Check{{
		ID: "said", Visible: true, Points: 1,
		Rule: labdef.Rule{Observe: labdef.ObserveOutput, Kind: labdef.Equals, Want: "before\nafter", Reveal: true},
	}}}
	v := grade(t, e, l, "import banyan\nprint('before')\nbanyan.table([{'crop': 'maize', 'bags': 4}])\nprint('after')\n")
	if v.Outcome != lab.Passed || !strings.HasPrefix(v.Output, "before\n\x1e{") || !strings.HasSuffix(v.Output, "}\nafter\n") || !strings.Contains(v.Output, "maize") {
		t.Errorf("%+v", v)
	}
	v = grade(t, e, l, "print('before')\nprint('later')\n")
	if v.Outcome != lab.Failed || v.Checks[0].Expected != "before\nafter" {
		t.Errorf("%+v", v)
	}
}

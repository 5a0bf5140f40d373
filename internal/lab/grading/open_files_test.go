package grading_test

import (
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// A check finds in a file what the learner's code wrote, whether or not it closed the file.
func TestFilesLeftOpen(t *testing.T) {
	e := sandboxtest.Open(t)
	l := labdef.Lab{Entry: "main.py", Checks: []labdef.Check{
		{ID: "table", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveFile, File: "out.csv", Kind: labdef.Equals, Want: "crop,bags\nmaize,4\n"}},
		{ID: "call", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "add(1, 2)", Kind: labdef.Equals, Want: float64(3)}},
	}}
	const add = "def add(a, b): return a + b\n"
	const text = `"crop,bags\nmaize,4\n"`
	tests := []struct{ name, source string }{
		{"in a global name", add + "f = open('out.csv', 'w')\nf.write(" + text + ")"},
		{"as bytes", add + "f = open('out.csv', 'wb')\nf.write(" + text + ".encode())"},
		{"to read and write", add + "f = open('out.csv', 'w+b')\nf.write(" + text + ".encode())"},
		{"in an object in a circle", add + "class R:\n def __init__(s):\n  s.me = s\n  s.f = open('out.csv', 'w')\n  s.f.write(" + text + ")\nR()"},
		{"written in a call", "f = open('out.csv', 'w')\ndef add(a, b):\n  f.write(" + text + ")\n  return a + b"},
		{"beside one that cannot be written", add + `
import io
class Bad(io.RawIOBase):
    writable = lambda s: True
    def write(s, b): raise SystemExit(9)
bad = io.TextIOWrapper(io.BufferedWriter(Bad()))
bad.write('x')
f = open('out.csv', 'w')
f.write(` + text + `)
worse = io.TextIOWrapper(io.BufferedWriter(Bad()))
worse.write('x')`},
		{"with the words for it patched", add + `
import gc, builtins, _io, io
f = open('out.csv', 'w')
f.write(` + text + `)
gc.get_objects = lambda *a: []
builtins.type = builtins.open = None`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v := grade(t, e, l, tt.source); v.Outcome != lab.Passed {
				t.Errorf("%s %q %s %s %+v", v.Outcome, marks(v), v.Message, v.Traceback, v.Checks)
			}
		})
	}
}

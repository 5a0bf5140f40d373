package grading_test

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// Every call prints the record that docs/banyan-module.md promises, or says in
// plain words what is wrong with its arguments.
func TestBanyanModule(t *testing.T) {
	e := sandboxtest.Open(t)
	tests := []struct{ name, call, want string }{
		{
			"dicts", `table([{"a": 1, "b": 2.5}, {"b": "x", "c": None}], title="Words")`,
			`{"kind":"table","title":"Words","columns":["a","b","c"],"rows":[[1,2.5,null],[null,"x",null]]}`,
		},
		{"chosen columns", `table([{"a": 1, "b": 2}], columns=["b"])`, `{"kind":"table","columns":["b"],"rows":[[2]]}`},
		{"lists of other lengths", `table([(1, 2), [3]])`, `{"kind":"table","rows":[[1,2],[3,null]]}`},
		{
			"cells of all kinds", `table([[True, float("nan"), 10**40, 1e200, [1], "a\n b", 'q"\\']])`,
			`{"kind":"table","rows":[["True","nan","10000000000000000000000000000000000000000","1e+200","[1]","a b","q\"\\"]]}`,
		},
		{"no rows", `table([], columns=["a"])`, `{"kind":"table","columns":["a"],"rows":[]}`},
		{"what cannot be seen", `table([["\x1e\x00", "\ud800", "\u0628"]])`, `{"kind":"table","rows":[["�","�","ب"]]}`},
		{"long text", `table([["x" * 1000]])`, `{"kind":"table","rows":[["` + strings.Repeat("x", 299) + `…"]]}`},
		{
			"bars", `bar(["a", "b"], [1, 0.5], title="T", x_label="X", y_label="Y")`,
			`{"kind":"bar","title":"T","x_label":"X","y_label":"Y","labels":["a","b"],"series":[{"values":[1,0.5]}]}`,
		},
		{"bars of a dict", `bar({"a": 1, 2: 3})`, `{"kind":"bar","labels":["a","2"],"series":[{"values":[1,3]}]}`},
		{
			"bars side by side", `bar("a b".split(), {"new": (1, 2), "old": [3, None]})`,
			`{"kind":"bar","labels":["a","b"],"series":[{"values":[1,2],"name":"new"},{"values":[3,null],"name":"old"}]}`,
		},
		{
			"nothing to draw", `bar(range(3), [float("inf"), -float("inf"), float("nan")])`,
			`{"kind":"bar","labels":["0","1","2"],"series":[{"values":[null,null,null]}]}`,
		},
		{"line", `line([1, 2], [1 / 3, 2e20])`, `{"kind":"line","x":[1,2],"series":[{"values":[0.333333,2e+20]}]}`},
		{"line from zero", `line(i * i for i in range(3))`, `{"kind":"line","x":[0,1,2],"series":[{"values":[0,1,4]}]}`},
		{"lines from zero", `line({"a": [1, 2]})`, `{"kind":"line","x":[0,1],"series":[{"values":[1,2],"name":"a"}]}`},
		{
			"line over texts", `line(["Jan", "Feb"], {"a": [1, 2], "b": [2, 3]})`,
			`{"kind":"line","x":["Jan","Feb"],"series":[{"values":[1,2],"name":"a"},{"values":[2,3],"name":"b"}]}`,
		},
		{"points", `scatter([1, 2], [3, True])`, `{"kind":"scatter","x":[1,2],"y":[3,1]}`},
		{
			"points of groups", `scatter([1, 2, 3], [3, 4, 5], groups=["k", 7, "k"])`,
			`{"kind":"scatter","x":[1,2,3],"y":[3,4,5],"groups":[0,1,0],"names":["k","7"]}`,
		},
		{"confusion", `confusion(["a", "b", "a"], ["a", "a", "b"])`, `{"kind":"confusion","labels":["a","b"],"counts":[[1,1],[1,0]]}`},
		{"confusion of sorted labels", `confusion(["b", "a"], ["b", "b"])`, `{"kind":"confusion","labels":["a","b"],"counts":[[0,1],[0,1]]}`},
		{"confusion in order", `confusion([1, 0], [1, 1], labels=[1, 0])`, `{"kind":"confusion","labels":["1","0"],"counts":[[1,0],[1,0]]}`},
		{"confusion of types", `confusion(["a", 1], [1, 1])`, `{"kind":"confusion","labels":["a","1"],"counts":[[0,1],[0,1]]}`},
		{"confusion of nothing", `confusion([], [])`, `{"kind":"confusion","labels":[],"counts":[]}`},

		{"no list", `table(7)`, "TypeError: rows is 7: give a list."},
		{"a text is no list", `bar("abc", [1, 2, 3])`, "TypeError: labels is a str: give a list."},
		{"a set has no order", `bar({"a"}, [1])`, "TypeError: labels is a set: give a list."},
		{"no values", `bar(["a"])`, "TypeError: values is missing: call bar(labels, values), or bar(counts) with a dict."},
		{"mixed rows", `table([{}, {"a": 1}, [1]])`, "TypeError: rows mixes dicts with other rows: make all of them dicts, or all of them lists."},
		{"short row", `table([[1, 2], [3]], columns=["a", "b"])`, "ValueError: row 2 has 1 values, but there are 2 columns."},
		{"too many rows", `table([[1]] * 501)`, "ValueError: rows is too long: at most 500 rows can be shown of 501."},
		{"endless", `line([0], iter(int, 1))`, "ValueError: y is too long: at most 500 points can be shown."},
		{"too wide", `table([{str(i): i for i in range(31)}])`, "ValueError: there are 31 columns; at most 30 can be shown. Choose some with columns=[...]."},
		{"no number", `line([0, 1], [1, "2"])`, "TypeError: item 2 of y is '2': give a number."},
		{"too large", `line([10 ** 400])`, "ValueError: item 1 of y is too large to draw."},
		{"too large as a float", `bar(["a"], [1e101])`, "ValueError: item 1 of values is too large to draw."},
		{"unequal", `scatter([1, 2], [1])`, "ValueError: y has 1 items, but x has 2: they must be equally long."},
		{"unequal lines", `line([1, 2], {"a": [1]})`, "ValueError: y['a'] has 1 items, but x has 2: they must be equally long."},
		{"no place", `line([float("nan")], [1])`, "ValueError: item 1 of x is nan: a line needs a place for each point."},
		{"too many groups", `scatter(range(13), range(13), groups=range(13))`, "ValueError: there are more than 12 groups; join some of them."},
		{"too many series", `line([0], {i: [i] for i in range(13)})`, "ValueError: y has 13 lists; at most 12 can be told apart."},
		{"no series", `line([0], {})`, "ValueError: y is empty: give at least one list of numbers."},
		{"unknown label", `confusion(["a"], ["c"], labels=["a", "b"])`, "ValueError: item 1 of guess is 'c', which is not among the labels."},
		{"too many labels", `confusion(range(21), range(21))`, "ValueError: there are more than 20 labels; a confusion matrix is for few."},
		{"too much", `table([["x" * 299] * 30] * 10)`, "ValueError: this table is too large to show: 90645 bytes, at most 60000. Show a part of it."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := sandbox.Program{
				Main: "main.py",
				Files: map[string][]byte{
					grading.BanyanName: grading.Banyan,
					"main.py": []byte("import sys\nsys.path[:0] = ['/']\nfrom banyan import *\nprint('before', end='')\ntry:\n    " + tt.call +
						"\nexcept Exception as fault:\n    print(type(fault).__name__ + ': ' + str(fault))\n"),
				},
			}
			res, err := e.Run(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			got, found := strings.CutPrefix(string(res.Stdout), "before")
			if !found || res.ExitCode != 0 {
				t.Fatalf("exit code %d: %s%s", res.ExitCode, res.Stdout, res.Stderr)
			}
			if !strings.HasPrefix(tt.want, "{") {
				if got != tt.want+"\n" {
					t.Errorf("says %swant %s", got, tt.want)
				}
				return
			}
			record, isRecord := strings.CutPrefix(got, "\x1e")
			line, rest, _ := strings.Cut(record, "\n")
			if !isRecord || rest != "" {
				t.Fatalf("is not one record: %q", got)
			}
			var g, w any
			if err := json.Unmarshal([]byte(line), &g); err != nil {
				t.Fatalf("%v: %q", err, line)
			}
			if err := json.Unmarshal([]byte(tt.want), &w); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(g, w) {
				t.Errorf("prints %s\nwant   %s", line, tt.want)
			}
		})
	}
}

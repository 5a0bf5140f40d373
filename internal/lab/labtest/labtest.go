// Package labtest stands in for a lab, for what is handed in for it, and for the sandbox that runs it.
package labtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// Adder is a lab with a check of every kind; its last call is hidden.
func Adder() labdef.Lab {
	return labdef.Lab{
		Entry: "main.py",
		Files: map[string]string{"data.txt": "4 5 6"},
		Checks: []labdef.Check{
			{ID: "add", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "add(1, 2)", Kind: labdef.Equals, Want: 3.0}},
			{ID: "share", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "share(1, 3)", Kind: labdef.Near, Want: 0.3333, Tolerance: 0.001}},
			{ID: "words", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "words('b a b')", Kind: labdef.Set, Want: []any{"a", "b"}}},
			{ID: "hello", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveOutput, Kind: labdef.Matches, Want: "(?i)hello"}},
			{ID: "hidden", Visible: false, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "add(123454321, 1)", Kind: labdef.Equals, Want: 123454322.0}},
		},
	}
}

// Source is a program that under sandbox.Fake answers the checks named with the
// value they want, and all others with an object that equals nothing. With no check
// named it answers all of them rightly. What it prints is stdout; a file is written where
// a check wants its text. Scripts of the author's do not judge under sandbox.Fake.
func Source(l labdef.Lab, stdout string, right ...string) string {
	var visible, hidden []labdef.Check
	for _, c := range l.Checks {
		switch {
		case c.Rule.Observe != labdef.ObserveCall:
		case c.Visible:
			visible = append(visible, c)
		default:
			hidden = append(hidden, c)
		}
	}
	script, err := json.Marshal([]sandbox.FakeRun{
		answer(l, hidden, stdout, right), // first: its calls are in no other run
		answer(l, visible, stdout, right),
	})
	if err != nil {
		panic(err) // strings and numbers always marshal
	}
	return "# fake: " + string(script) + "\n"
}

// answer is what the harness would write after the calls of some checks.
func answer(l labdef.Lab, checks []labdef.Check, stdout string, right []string) sandbox.FakeRun {
	type call struct {
		Call string       `json:"call"`
		Data *labdef.Rows `json:"data,omitempty"`
	}
	calls, seen := []call{}, []string{}
	for _, c := range checks {
		calls = append(calls, call{c.Rule.Call, c.Rule.Data})
		v := `{"value":["o"],"repr":"fake"}`
		if len(right) == 0 || slices.Contains(right, c.ID) {
			v = satisfying(c.Rule)
		}
		seen = append(seen, v)
	}
	order, err := json.Marshal(struct {
		Entry string   `json:"entry"`
		Calls []call   `json:"calls"`
		Files []string `json:"files"`
	}{l.Entry, calls, []string{}})
	if err != nil {
		panic(err)
	}
	files := map[string]string{}
	for _, c := range l.Checks {
		if text, ok := c.Rule.Want.(string); ok && c.Rule.Observe == labdef.ObserveFile && (len(right) == 0 || slices.Contains(right, c.ID)) {
			files[c.Rule.File] = text
		}
	}
	return sandbox.FakeRun{
		When:   string(order),
		Stdout: stdout + "\n$STDIN1\n",
		Stderr: fmt.Sprintf("\n$STDIN1 C []\n\n$STDIN1 O {\"load\":null,\"seen\":[%s],\"files\":{}}\n", strings.Join(seen, ",")),
		Files:  files,
		CPUMS:  1, WallMS: 1,
	}
}

// satisfying is an observation with which a rule on a call is content.
func satisfying(r labdef.Rule) string {
	want := r.Want
	switch r.Kind {
	case labdef.Raises:
		return fmt.Sprintf(`{"raised":%q,"classes":[%q,"Exception","BaseException"]}`, want, want)
	case labdef.Measured:
		want = r.Metric.Labels
	}
	return fmt.Sprintf(`{"value":%s,"repr":"fake"}`, wire(want))
}

// wire writes a JSON value as the harness writes the same value of Python.
func wire(v any) string {
	switch v := v.(type) {
	case nil:
		return `["n"]`
	case bool:
		return fmt.Sprintf(`["b",%t]`, v)
	case string:
		raw, _ := json.Marshal(v)
		return `["s",` + string(raw) + `]`
	case []any:
		s := `["l"`
		for _, x := range v {
			s += "," + wire(x)
		}
		return s + "]"
	case map[string]any:
		s := `["d"`
		for k, x := range v {
			s += "," + wire(k) + "," + wire(x)
		}
		return s + "]"
	case float64:
		return `["f","` + strconv.FormatFloat(v, 'g', -1, 64) + `"]`
	}
	return fmt.Sprintf(`["i","%x"]`, v)
}

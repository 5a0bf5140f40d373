package grading

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
)

// This is the second room of grading: plain data from the first room meets
// what the author expects, and no code of the learner runs.

// observation is what was seen for one check. The wire form of a value is an
// array that begins with its kind, see harness.py.
type observation struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Repr    string          `json:"repr,omitempty"`
	Raised  string          `json:"raised,omitempty"`
	Classes []string        `json:"classes,omitempty"` // builtin classes of what was raised, nearest first
	Output  *string         `json:"output,omitempty"`
	File    *string         `json:"file,omitempty"` // nil: there is no such file
}

// ofCall takes from what the first room says of a call only what belongs there.
func (o observation) ofCall() observation {
	o.Output, o.File = nil, nil
	return o
}

// finding is what a check makes of an observation.
type finding struct {
	passed bool
	score  float64 // 0 to 1
	got    string  // of a metric its figure, else "" or the value as Go writes it
	says   string  // what a judge script says
}

// errAuthor says that a check itself is at fault.
var errAuthor = errors.New("the check cannot judge")

// errNoFile says that the file to look at was not written.
var errNoFile = errors.New("no such file")

// judge tells whether a rule is content with what was seen. Rules with a script
// of the author's are judged in the sandbox instead, see judges.
func judge(r labdef.Rule, o observation) (finding, error) {
	text, isText, err := textOf(r, o)
	if err != nil {
		return finding{}, err
	}
	if isText {
		passed, err := judgeText(r, text)
		return yesNo(passed), err
	}
	if o.Raised != "" {
		if !judgesCalls(r.Kind) {
			return finding{}, fmt.Errorf("%w: no such kind %q", errAuthor, r.Kind)
		}
		want, _ := r.Want.(string)
		return yesNo(r.Kind == labdef.Raises && slices.Contains(o.Classes, want)), nil
	}
	got, err := parseValue(o.Value)
	if err != nil {
		return finding{}, err
	}
	f, err := judgeValue(r, got)
	if f.got == "" {
		f.got = got.show()
	}
	return f, err
}

func judgesCalls(k labdef.CheckKind) bool {
	switch k {
	case labdef.Equals, labdef.Near, labdef.Set, labdef.Unordered, labdef.Matches, labdef.Raises, labdef.Measured:
		return true
	}
	return false
}

// textOf gives what the program printed or wrote, for a rule that looks at that.
func textOf(r labdef.Rule, o observation) (text string, is bool, err error) {
	switch r.Observe {
	case labdef.ObserveOutput:
		if o.Output == nil {
			return "", true, errValue
		}
		return *o.Output, true, nil
	case labdef.ObserveFile:
		if o.File == nil {
			return "", true, errNoFile
		}
		return *o.File, true, nil
	case labdef.ObserveCall:
		return "", false, nil
	}
	return "", false, fmt.Errorf("%w: no such observation %q", errAuthor, r.Observe)
}

func yesNo(passed bool) finding {
	if passed {
		return finding{passed: true, score: 1}
	}
	return finding{}
}

// judgeText judges output and files.
func judgeText(r labdef.Rule, text string) (bool, error) {
	want, ok := r.Want.(string)
	if !ok {
		return false, fmt.Errorf("%w: a text is wanted", errAuthor)
	}
	switch r.Kind {
	case labdef.Equals:
		return lastLine(want) == lastLine(text), nil
	case labdef.Matches:
		return match(want, text)
	}
	return false, fmt.Errorf("%w: %q does not judge a text", errAuthor, r.Kind)
}

// lastLine takes off the line ends with which a text ends, and what Windows adds to the others.
func lastLine(s string) string {
	return strings.TrimRight(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
}

func match(pattern, text string) (bool, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errAuthor, err)
	}
	return re.MatchString(text), nil
}

// judgeValue judges the value of a call.
func judgeValue(r labdef.Rule, got value) (finding, error) {
	if r.Kind == labdef.Measured {
		return measure(r.Metric, got)
	}
	want, err := plain(r.Want)
	if err != nil {
		return finding{}, err
	}
	var passed bool
	switch r.Kind {
	case labdef.Equals:
		passed = equal(want, got)
	case labdef.Near:
		passed, err = near(want, r.Tolerance, got)
	case labdef.Set, labdef.Unordered:
		list, ok := want.([]any)
		if !ok {
			return finding{}, fmt.Errorf("%w: %s wants a list", errAuthor, r.Kind)
		}
		compare := sameSet
		if r.Kind == labdef.Unordered {
			compare = sameMembers
		}
		passed = compare(list, got)
	case labdef.Matches:
		pattern, ok := want.(string)
		if !ok {
			return finding{}, fmt.Errorf("%w: matches wants a regular expression", errAuthor)
		}
		passed, err = match(pattern, got.text)
		passed = passed && got.kind == "s"
	case labdef.Raises:
	default:
		return finding{}, fmt.Errorf("%w: no such kind %q", errAuthor, r.Kind)
	}
	return yesNo(passed), err
}

// slack is for figures that differ by rounding alone.
const slack = 1e-9

// measure works out a metric. What is no list of one prediction a row has no figure, and fails.
func measure(m *labdef.Metric, got value) (finding, error) {
	if m == nil || len(m.Labels) == 0 || (m.AtLeast == nil) == (m.AtMost == nil) {
		return finding{}, fmt.Errorf("%w: the metric lacks labels or a bound", errAuthor)
	}
	if m.Name == labdef.GroupGap && len(m.Groups) != len(m.Labels) {
		return finding{}, fmt.Errorf("%w: the metric lacks groups", errAuthor)
	}
	if got.kind != "l" || len(got.items) != len(m.Labels) {
		return finding{}, nil
	}
	type tally struct{ right, all float64 }
	groups := map[any]*tally{}
	for i, label := range m.Labels {
		want, err := plain(label)
		if err != nil {
			return finding{}, err
		}
		var group any
		if m.Name == labdef.GroupGap {
			group = fmt.Sprint(m.Groups[i])
		}
		t := groups[group]
		if t == nil {
			t = &tally{}
			groups[group] = t
		}
		t.all++
		if equal(want, got.items[i]) {
			t.right++
		}
	}
	least, most := 1.0, 0.0
	for _, t := range groups {
		least, most = min(least, t.right/t.all), max(most, t.right/t.all)
	}
	var figure float64
	switch m.Name {
	case labdef.Accuracy:
		figure = most
	case labdef.ErrorRate:
		figure = 1 - most
	case labdef.GroupGap:
		figure = most - least
	default:
		return finding{}, fmt.Errorf("%w: no such metric %q", errAuthor, m.Name)
	}
	f := yesNo(m.AtLeast != nil && figure >= *m.AtLeast-slack || m.AtMost != nil && figure <= *m.AtMost+slack)
	f.got = figureText(figure)
	return f, nil
}

// figureText writes a share with four decimals at most.
func figureText(f float64) string {
	return strconv.FormatFloat(math.Round(f*1e4)/1e4, 'f', -1, 64)
}

// expected writes what a rule wants, in signs that need no translation.
func expected(r labdef.Rule) string {
	want, err := plain(r.Want)
	if err != nil {
		return ""
	}
	switch r.Kind {
	case labdef.Near:
		return python(want) + " ± " + strconv.FormatFloat(r.Tolerance, 'g', -1, 64)
	case labdef.Matches, labdef.Raises:
		text, _ := want.(string)
		return text
	case labdef.Measured:
		if m := r.Metric; m != nil && m.AtLeast != nil {
			return "≥ " + figureText(*m.AtLeast)
		} else if m != nil && m.AtMost != nil {
			return "≤ " + figureText(*m.AtMost)
		}
		return ""
	case labdef.Judged:
		return ""
	}
	if text, ok := want.(string); ok && r.Observe != labdef.ObserveCall {
		return text
	}
	return python(want)
}

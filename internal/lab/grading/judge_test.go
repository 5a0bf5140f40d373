package grading

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// vector is one case of testdata/judge.json, which the page's judge is held to as well.
type vector struct {
	Name        string            `json:"name"`
	Rule        labdef.PublicRule `json:"rule"`
	Observation observation       `json:"observation"`
	Passed      bool              `json:"passed"`
	Score       float64           `json:"score"`
	Says        string            `json:"says"`
}

func TestJudgeVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/judge.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []vector
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 60 {
		t.Errorf("%d vectors", len(vectors))
	}
	names := map[string]bool{}
	g := grading{eng: sandboxtest.Open(t), lab: labdef.Lab{Files: map[string]string{}}}
	for _, v := range vectors {
		if names[v.Name] {
			t.Errorf("%s: twice", v.Name)
		}
		names[v.Name] = true
		s := sight{observation: v.Observation}
		var f finding
		var err error
		if v.Rule.Kind == labdef.Judged {
			f, err = g.scripted(t, v, &s)
		} else {
			f, err = judge(v.Rule.Rule, s.observation)
		}
		if err != nil && !errors.Is(err, errNoFile) {
			t.Errorf("%s: %v", v.Name, err)
		}
		if f.passed != v.Passed || f.score != v.Score || f.says != v.Says {
			t.Errorf("%s: passed %t, score %g, says %q; want %t, %g, %q", v.Name, f.passed, f.score, f.says, v.Passed, v.Score, v.Says)
		}
	}
}

// scripted judges a vector with a script of the author's.
func (g *grading) scripted(t *testing.T, v vector, s *sight) (finding, error) {
	t.Helper()
	if err := judgeable(v.Rule.Rule, s); err != nil {
		return finding{}, err
	}
	c := labdef.Check{Rule: v.Rule.Rule, Says: map[string]map[string]string{}}
	for k := range v.Rule.Says {
		c.Says[k] = nil
	}
	answers, err := g.ask(context.Background(), []judgeTask{taskOf(c, s.observation)})
	if err != nil {
		return finding{}, err
	}
	if answers[0].Error != "" {
		return finding{}, errors.New(answers[0].Error)
	}
	f := finding{score: answers[0].Score, passed: answers[0].Score == 1}
	if answers[0].Says != nil {
		f.says = *answers[0].Says
	}
	return f, nil
}

// What is expected is written as Python writes it.
func TestExpected(t *testing.T) {
	half := 0.5
	tests := []struct {
		rule labdef.Rule
		want string
	}{
		{labdef.Rule{Kind: labdef.Equals, Observe: labdef.ObserveCall, Want: map[string]any{"b": []any{1, true, nil}, "a": "it's\n"}}, `{'a': "it's\n", 'b': [1, True, None]}`},
		{labdef.Rule{Kind: labdef.Equals, Observe: labdef.ObserveCall, Want: `both ' and "`}, `'both \' and "'`},
		{labdef.Rule{Kind: labdef.Equals, Observe: labdef.ObserveFile, Want: "a\nb"}, "a\nb"},
		{labdef.Rule{Kind: labdef.Near, Want: 0.5, Tolerance: 0.01}, "0.5 ± 0.01"},
		{labdef.Rule{Kind: labdef.Raises, Want: "ValueError"}, "ValueError"},
		{labdef.Rule{Kind: labdef.Unordered, Want: []any{"a", 2.5}}, "['a', 2.5]"},
		{labdef.Rule{Kind: labdef.Measured, Metric: &labdef.Metric{AtLeast: &half}}, "≥ 0.5"},
		{labdef.Rule{Kind: labdef.Measured, Metric: &labdef.Metric{AtMost: &half}}, "≤ 0.5"},
		{labdef.Rule{Kind: labdef.Judged, Judge: "secret"}, ""},
	}
	for _, tt := range tests {
		if got := expected(tt.rule); got != tt.want {
			t.Errorf("%s %v: %q, want %q", tt.rule.Kind, tt.rule.Want, got, tt.want)
		}
	}
}

// The second room is believed only when it speaks once, and as agreed.
func TestReadAnswers(t *testing.T) {
	const good = `n J [{"score":0.5,"says":null}]` + "\n"
	for stderr, ok := range map[string]bool{
		good:                              true,
		"warning\n" + good:                true,
		good + good:                       false,
		"":                                false,
		"n J []\n":                        false,
		`n J [{"score":2}]` + "\n":        false,
		`n J [{"score":-1}]` + "\n":       false,
		`n J [{"passed":true}]` + "\n":    false,
		`other J [{"score":1}]` + "\n":    false,
		` n J [{"score":1,"says":null}]`:  false,
		`n J [{"score":"1","says":null}]`: false,
		`n J [{"score":1},{"score":1}]`:   false,
	} {
		if _, err := readAnswers(sandbox.Result{End: sandbox.Exited, Stderr: []byte(stderr)}, "n", 1); (err == nil) != ok {
			t.Errorf("%q: %v", stderr, err)
		}
	}
	if _, err := readAnswers(sandbox.Result{End: sandbox.TimedOut, Stderr: []byte(good)}, "n", 1); err == nil {
		t.Error("an answer before the time ran out is believed")
	}
}

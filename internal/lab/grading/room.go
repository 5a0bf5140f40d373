package grading

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// judgeTask asks a script of the author's about one observation.
type judgeTask struct {
	Name   string      `json:"name"`
	Source string      `json:"source"`
	Hidden bool        `json:"hidden"` // the script may read hidden files
	Says   []string    `json:"says"`
	Seen   observation `json:"seen"`
}

// judgeAnswer is what a script found. An Error is its author's.
type judgeAnswer struct {
	Score float64 `json:"score"`
	Says  *string `json:"says"`
	Error string  `json:"error"`
}

// judgeable makes what was seen fit to be given to a script: the value in a form of
// our own writing, whatever wrote it before.
func judgeable(r labdef.Rule, s *sight) error {
	_, isText, err := textOf(r, s.observation)
	if err != nil || isText {
		return err
	}
	if s.Raised != "" {
		if !slices.Contains(s.Classes, "BaseException") {
			return errValue
		}
		return nil
	}
	v, err := parseValue(s.Value)
	if err != nil {
		return err
	}
	s.Value = v.wire()
	return nil
}

// judges lets the scripts of the author's judge what was seen, all in one fresh interpreter
// that no code of the learner's has been in. The answers are by check.
func (g *grading) judges(ctx context.Context, seen []sight) (map[int]judgeAnswer, error) {
	var tasks []judgeTask
	var of []int
	for i, c := range g.lab.Checks {
		if c.Rule.Kind == labdef.Judged && !seen[i].missing {
			tasks = append(tasks, taskOf(c, seen[i].observation))
			of = append(of, i)
		}
	}
	if len(tasks) == 0 {
		return nil, nil
	}
	answers, err := g.ask(ctx, tasks)
	if err != nil {
		return nil, err
	}
	out := map[int]judgeAnswer{}
	for i, a := range answers {
		out[of[i]] = a
	}
	return out, nil
}

func taskOf(c labdef.Check, o observation) judgeTask {
	return judgeTask{
		Name: c.Rule.JudgeName, Source: c.Rule.Judge, Hidden: !c.Visible,
		Says: slices.AppendSeq([]string{}, maps.Keys(c.Says)), Seen: o,
	}
}

// ask runs the second room. Whatever goes wrong in it but for the platform is in the answers.
func (g *grading) ask(ctx context.Context, tasks []judgeTask) ([]judgeAnswer, error) {
	hidden := g.lab.Hidden
	if hidden == nil {
		hidden = map[string]string{}
	}
	nonce := rand.Text()
	text, err := json.Marshal(struct {
		Tasks  []judgeTask       `json:"tasks"`
		Files  map[string]string `json:"files"`
		Hidden map[string]string `json:"hidden"`
	}{tasks, g.lab.Files, hidden})
	if err != nil {
		return nil, err
	}
	p := g.program(ctx, judgeName, judgeRoom, nonce, text)
	p.Limits.Output += observations
	res, err := g.sandbox(ctx, p)
	if err != nil {
		return nil, err
	}
	answers, err := readAnswers(res, nonce, len(tasks))
	if err != nil {
		answers = make([]judgeAnswer, len(tasks))
		for i := range answers {
			answers[i].Error = err.Error()
		}
	}
	return answers, nil
}

// readAnswers takes the word of the second room, strictly.
func readAnswers(res sandbox.Result, nonce string, tasks int) ([]judgeAnswer, error) {
	if res.End != sandbox.Exited {
		return nil, fmt.Errorf("the scripts ended by a limit: %s", res.End)
	}
	var lines []string
	for line := range strings.Lines(string(res.Stderr)) {
		if text, ok := strings.CutPrefix(line, nonce+" J "); ok {
			lines = append(lines, text)
		}
	}
	if len(lines) != 1 {
		return nil, fmt.Errorf("the scripts ended Python, exit code %d", res.ExitCode)
	}
	var answers []judgeAnswer
	d := json.NewDecoder(strings.NewReader(lines[0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&answers); err != nil {
		return nil, fmt.Errorf("the answer cannot be read: %w", err)
	}
	if len(answers) != tasks {
		return nil, fmt.Errorf("%d answers to %d questions", len(answers), tasks)
	}
	for _, a := range answers {
		if a.Error == "" && !(a.Score >= 0 && a.Score <= 1) {
			return nil, fmt.Errorf("a score of %g", a.Score)
		}
	}
	return answers, nil
}

package grading

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// CheckLab tries a lab in the sandbox as its learners will meet it: the
// solution must pass, twice alike and with time to spare; the starter must not pass; each wrong solution
// must fail as its author says; and a judge script must bear whatever a learner's
// code may give. It reports every fault that it finds.
func CheckLab(ctx context.Context, eng sandbox.Engine, id curriculum.ContentID, l labdef.Lab) []fault.Detail {
	c := labChecker{eng: eng, lab: l, dir: fmt.Sprintf("labs/%s/", id)}
	_ = c.solution(ctx) && c.judges(ctx) && c.starter(ctx) && c.wrong(ctx)
	return c.faults
}

type labChecker struct {
	eng    sandbox.Engine
	lab    labdef.Lab
	dir    string
	faults []fault.Detail
}

func (c *labChecker) report(file, key string, args map[string]any) {
	c.faults = append(c.faults, fault.Detail{File: c.dir + file, Line: 1, Key: key, Args: args})
}

// try grades a source. It is false when there is no use in going on: the
// platform or the lab itself is at fault, which is reported.
func (c *labChecker) try(ctx context.Context, source string) (grading, bool) {
	g := grading{eng: c.eng, lab: c.lab, files: map[string]string{c.lab.Entry: source}}
	_, err := g.grade(ctx)
	switch {
	case err != nil:
		c.report("lab.yaml", "lab.check.platform", map[string]any{"Cause": err.Error()})
		return g, false
	case g.v.Outcome == lab.AuthorError:
		i := slices.IndexFunc(c.lab.Checks, func(ch labdef.Check) bool { return ch.ID == g.v.FaultCheck })
		if i < 0 || c.lab.Checks[i].Rule.Kind != labdef.Judged {
			c.report("lab.yaml", "lab.check.author_error", nil)
			return g, false
		}
		name := c.lab.Checks[i].Rule.JudgeName
		cause := strings.TrimPrefix(g.v.Fault, name+": ")
		c.report(name, "lab.check.judge_broken", map[string]any{"Check": g.v.FaultCheck, "Cause": cause})
		return g, false
	}
	return g, true
}

func (c *labChecker) solution(ctx context.Context) bool {
	const file = "solution.py"
	first, ok := c.try(ctx, c.lab.Solution)
	if !ok {
		return false
	}
	if v := first.v; v.Message != "" {
		c.report(file, "lab.check.solution_breaks", map[string]any{"Outcome": string(v.Outcome), "Message": v.Message, "Traceback": v.Traceback})
		return true
	}
	for _, r := range first.v.Checks {
		if !r.Passed {
			c.report(file, "lab.check.solution_fails", map[string]any{"Check": r.ID, "Got": r.Got + r.Error})
		}
	}
	second, ok := c.try(ctx, c.lab.Solution)
	if !ok {
		return false
	}
	if d := difference(first.v, second.v); d != "" {
		c.report(file, "lab.check.unsteady", map[string]any{"Check": d})
	}
	wall := time.Duration(c.lab.Limits.OrDefault().WallSeconds) * time.Second
	if took := min(first.most, second.most); took > wall/2 {
		c.report(file, "lab.check.slow", map[string]any{
			"MS": strconv.FormatInt(took.Milliseconds(), 10), "Limit": strconv.FormatInt(wall.Milliseconds(), 10),
		})
	}
	return true
}

// difference names what two verdicts on the same code do not agree in, or "".
func difference(a, b lab.Verdict) string {
	if a.Outcome != b.Outcome || a.Message != b.Message || len(a.Checks) != len(b.Checks) {
		return string(b.Outcome)
	}
	for i := range a.Checks {
		if !reflect.DeepEqual(a.Checks[i], b.Checks[i]) {
			return a.Checks[i].ID
		}
	}
	if a.Output != b.Output {
		return "output"
	}
	return ""
}

func (c *labChecker) starter(ctx context.Context) bool {
	g, ok := c.try(ctx, c.lab.Starter)
	if ok && g.v.Outcome == lab.Passed {
		c.report("starter.py", "lab.check.starter_passes", nil)
	}
	return ok
}

func (c *labChecker) wrong(ctx context.Context) bool {
	for _, w := range c.lab.Wrong {
		g, ok := c.try(ctx, w.Source)
		if !ok {
			return false
		}
		file := "wrong/" + w.File
		switch {
		case g.v.Outcome == lab.Passed:
			c.report(file, "lab.check.wrong_passes", nil)
		case w.Outcome != "":
			found := string(g.v.Outcome)
			if w.Message != "" {
				found += " " + strings.TrimPrefix(g.v.Message, "lab.message.")
			}
			if wanted := strings.TrimSpace(w.Outcome + " " + w.Message); found != wanted {
				c.report(file, "lab.check.wrong_outcome", map[string]any{"Found": found, "Wanted": wanted})
			}
		case len(w.Fails) > 0:
			var failed []string
			for _, r := range g.v.Checks {
				if !r.Passed {
					failed = append(failed, r.ID)
				}
			}
			wanted := slices.Clone(w.Fails)
			slices.SortFunc(wanted, c.byOrder)
			if g.v.Message != "" {
				failed = []string{strings.TrimPrefix(g.v.Message, "lab.message.")}
			}
			if !slices.Equal(failed, wanted) {
				c.report(file, "lab.check.wrong_fails", map[string]any{"Found": strings.Join(failed, ", "), "Wanted": strings.Join(wanted, ", ")})
			}
		}
	}
	return true
}

// byOrder sorts ids of checks as the lab has them.
func (c *labChecker) byOrder(a, b string) int {
	at := func(id string) int {
		return slices.IndexFunc(c.lab.Checks, func(ch labdef.Check) bool { return ch.ID == id })
	}
	return at(a) - at(b)
}

// oddities are things that a learner's code may give and an author may not think of.
var oddities = []struct{ show, wire string }{
	{"None", `{"value":["n"]}`},
	{"True", `{"value":["b",true]}`},
	{"-1", `{"value":["i","-1"]}`},
	{"a huge number", `{"value":["i","` + strings.Repeat("f", 2000) + `"]}`},
	{"nan", `{"value":["f","nan"]}`},
	{"inf", `{"value":["f","inf"]}`},
	{"''", `{"value":["s",""]}`},
	{"'\u2026'", `{"value":["s","\u2026"]}`},
	{"b'a'", `{"value":["y","61"]}`},
	{"[]", `{"value":["l"]}`},
	{"[None]", `{"value":["l",["n"]]}`},
	{"['a', 1]", `{"value":["l",["s","a"],["i","1"]]}`},
	{"[[[]]]", `{"value":["l",["l",["l"]]]}`},
	{"[nan]", `{"value":["l",["f","nan"]]}`},
	{"[object()]", `{"value":["l",["o"]]}`},
	{"{}", `{"value":["d"]}`},
	{"{1: None}", `{"value":["d",["i","1"],["n"]]}`},
	{"{'a': {}}", `{"value":["d",["s","a"],["d"]]}`},
	{"{1}", `{"value":["e",["i","1"]]}`},
	{"object()", `{"value":["o"],"repr":"<object>"}`},
	{"ValueError()", `{"raised":"ValueError","classes":["ValueError","Exception","BaseException"]}`},
}

// judges asks every judge script about odd things. A script that breaks of one would
// take the learner's mistake for its author's.
func (c *labChecker) judges(ctx context.Context) bool {
	var tasks []judgeTask
	var of, shown []string
	for _, ch := range c.lab.Checks {
		if ch.Rule.Kind != labdef.Judged {
			continue
		}
		add := func(o observation, show string) {
			tasks = append(tasks, taskOf(ch, o))
			of, shown = append(of, ch.ID), append(shown, show)
		}
		switch ch.Rule.Observe {
		case labdef.ObserveCall:
			for _, odd := range oddities {
				var o observation
				if err := json.Unmarshal([]byte(odd.wire), &o); err != nil {
					panic(err) // the list above is tested
				}
				add(o, odd.show)
			}
		default:
			for _, text := range []string{"", "\n", "\x00", "a", "1,2\n", "\ufffd…\n\n,,\n"} {
				o := observation{Output: &text}
				if ch.Rule.Observe == labdef.ObserveFile {
					o = observation{File: &text}
				}
				add(o, quote(text))
			}
		}
	}
	if len(tasks) == 0 {
		return true
	}
	g := grading{eng: c.eng, lab: c.lab}
	answers, err := g.ask(ctx, tasks)
	if err != nil {
		c.report("lab.yaml", "lab.check.platform", map[string]any{"Cause": err.Error()})
		return false
	}
	told := map[string]bool{}
	for i, a := range answers {
		if a.Error == "" || told[of[i]] {
			continue
		}
		told[of[i]] = true // one is enough to begin with
		c.report(tasks[i].Name, "lab.check.judge_raises", map[string]any{"Check": of[i], "Seen": shown[i], "Cause": a.Error})
	}
	return len(told) == 0
}

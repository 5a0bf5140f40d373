package lab

import (
	"context"
	"fmt"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// CheckLab tries a lab in the sandbox as its learners will meet it: the
// solution must pass; the starter and each listed wrong solution must not, and none of them
// may show a fault of the lab itself. It reports every fault that it finds.
func CheckLab(ctx context.Context, eng sandbox.Engine, id curriculum.ContentID, l curriculum.VaultLab) []fault.Detail {
	dir := fmt.Sprintf("labs/%s/", id)
	type try struct {
		file, source string
		pass         bool
	}
	tries := []try{{"solution.py", l.Solution, true}, {"starter.py", l.Starter, false}}
	for _, w := range l.Wrong {
		tries = append(tries, try{"wrong/" + w.File, w.Source, false})
	}
	var faults []fault.Detail
	report := func(file, key string, args map[string]any) {
		faults = append(faults, fault.Detail{File: dir + file, Key: key, Args: args})
	}
	for _, t := range tries {
		v, err := Grade(ctx, eng, l, map[string]string{l.Entry: t.source})
		switch {
		case err != nil:
			report(t.file, "lab.check.platform", map[string]any{"Cause": err.Error()})
			return faults
		case v.Outcome == AuthorError:
			report("lab.yaml", "lab.check.author_error", nil)
			return faults
		case t.pass && v.Message != "":
			report(t.file, "lab.check.solution_breaks", map[string]any{"Outcome": string(v.Outcome), "Message": v.Message, "Traceback": v.Traceback})
		case t.pass && v.Outcome != Passed:
			for _, c := range v.Checks {
				if !c.Passed {
					report(t.file, "lab.check.solution_fails", map[string]any{"Check": c.ID, "Got": c.Got + c.Error})
				}
			}
		case !t.pass && v.Outcome == Passed && t.file == "starter.py":
			report(t.file, "lab.check.starter_passes", nil)
		case !t.pass && v.Outcome == Passed:
			report(t.file, "lab.check.wrong_passes", nil)
		}
	}
	return faults
}

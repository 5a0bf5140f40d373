package grading_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// Every lab that we ship holds what its author claims, in the real sandbox.
func TestShippedLabs(t *testing.T) {
	e := sandboxtest.Open(t)
	var courses []fs.FS
	for _, all := range []fs.FS{content.Courses(), content.Examples()} {
		files, err := fs.Glob(all, "*/course.yaml")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			dir, err := fs.Sub(all, path.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			courses = append(courses, dir)
		}
	}
	labs := 0
	for _, dir := range courses {
		c, err := compile.Course(dir, compile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var vault curriculum.VaultFile
		if err := json.Unmarshal(c.Vault, &vault); err != nil {
			t.Fatal(err)
		}
		for id, l := range vault.Labs {
			labs++
			for _, f := range grading.CheckLab(context.Background(), e, id, l) {
				t.Errorf("%s: %s %s %v", c.Manifest.CourseID, f.File, f.Key, f.Args)
			}
		}
	}
	if labs == 0 {
		t.Error("no lab is shipped")
	}
}

// judged is a check of what words gives, by a script with this body.
func judged(body string) labdef.Check {
	return labdef.Check{ID: "shape", Visible: true, Points: 1, Rule: labdef.Rule{
		Observe: labdef.ObserveCall, Call: "words('b a')", Kind: labdef.Judged,
		Judge: "def judge(seen, files):\n    " + body + "\n", JudgeName: "judges/shape.py",
	}}
}

func TestCheckLab(t *testing.T) {
	e := sandboxtest.Open(t)
	good := func() labdef.Lab {
		l := labtest.Adder()
		l.Solution, l.Starter = adderSolution, "def add(a, b): pass"
		l.Wrong = []labdef.WrongSolution{{File: "threes.py", Source: "def add(a, b): return 3"}}
		return l
	}
	tests := []struct {
		name   string
		change func(*labdef.Lab)
		want   []string // file and key
	}{
		{"good", func(*labdef.Lab) {}, nil},
		{"solution fails two", func(l *labdef.Lab) { l.Solution = "def add(a, b): return a + b\nprint('hello')" }, []string{
			"labs/sum/solution.py lab.check.solution_fails share", "labs/sum/solution.py lab.check.solution_fails words",
		}},
		{"solution breaks", func(l *labdef.Lab) { l.Solution = "1 / 0" }, []string{"labs/sum/solution.py lab.check.solution_breaks"}},
		{"starter passes", func(l *labdef.Lab) { l.Starter = l.Solution }, []string{"labs/sum/starter.py lab.check.starter_passes"}},
		{"wrong passes", func(l *labdef.Lab) { l.Wrong[0].Source = l.Solution }, []string{"labs/sum/wrong/threes.py lab.check.wrong_passes"}},
		{"declared", func(l *labdef.Lab) {
			l.Wrong = []labdef.WrongSolution{
				{File: "threes.py", Source: "def add(a, b): return 3", Fails: []string{"hidden", "hello", "words", "share"}},
				{File: "endless.py", Source: "while True: pass", Outcome: "learner_error", Message: "timeout"},
				{File: "broken.py", Source: "1 / 0", Outcome: "learner_error"},
			}
			l.Limits.WallSeconds = 1
		}, nil},
		{"fails other checks", func(l *labdef.Lab) { l.Wrong[0].Fails = []string{"hidden", "words"} }, []string{"labs/sum/wrong/threes.py lab.check.wrong_fails"}},
		{"does not get to the checks", func(l *labdef.Lab) {
			l.Wrong[0].Source, l.Wrong[0].Fails = "1 / 0", []string{"add", "share", "words", "hello", "hidden"}
		}, []string{"labs/sum/wrong/threes.py lab.check.wrong_fails"}},
		{"other outcome", func(l *labdef.Lab) { l.Wrong[0].Outcome = "learner_error" }, []string{"labs/sum/wrong/threes.py lab.check.wrong_outcome"}},
		{"other message", func(l *labdef.Lab) {
			l.Wrong[0] = labdef.WrongSolution{File: "threes.py", Source: "1 / 0", Outcome: "learner_error", Message: "exit"}
		}, []string{"labs/sum/wrong/threes.py lab.check.wrong_outcome"}},
		{"a judge", func(l *labdef.Lab) {
			l.Checks = append(l.Checks, judged("return isinstance(seen['value'], set)"))
		}, nil},
		{"a judge that does not compile", func(l *labdef.Lab) { l.Checks = append(l.Checks, judged("return (")) }, []string{"labs/sum/judges/shape.py lab.check.judge_broken shape"}},
		{"a judge without a function", func(l *labdef.Lab) {
			c := judged("")
			c.Rule.Judge = "x = 1"
			l.Checks = append(l.Checks, c)
		}, []string{"labs/sum/judges/shape.py lab.check.judge_broken shape"}},
		{"a judge that gives no score", func(l *labdef.Lab) { l.Checks = append(l.Checks, judged("return 'yes'")) }, []string{"labs/sum/judges/shape.py lab.check.judge_broken shape"}},
		{"a judge that says what it may not", func(l *labdef.Lab) { l.Checks = append(l.Checks, judged("return True, 'well'")) }, []string{"labs/sum/judges/shape.py lab.check.judge_broken shape"}},
		{"a judge that breaks of odd values", func(l *labdef.Lab) { l.Checks = append(l.Checks, judged("return len(seen['value']) == 2")) }, []string{"labs/sum/judges/shape.py lab.check.judge_raises shape"}},
		{"a judge that never ends", func(l *labdef.Lab) {
			l.Limits.WallSeconds = 1
			l.Checks = append(l.Checks, judged("while True: pass"))
		}, []string{"labs/sum/judges/shape.py lab.check.judge_broken shape"}},
		{"call does not compile", func(l *labdef.Lab) { l.Checks[4].Rule.Call = "add(" }, []string{"labs/sum/lab.yaml lab.check.author_error"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := good()
			tt.change(&l)
			faults := grading.CheckLab(context.Background(), e, "sum", l)
			if len(faults) != len(tt.want) {
				t.Fatalf("%+v, want %v", faults, tt.want)
			}
			for i, f := range faults {
				got := f.File + " " + f.Key
				if c, ok := f.Args["Check"]; ok {
					got += " " + c.(string)
				}
				if got != tt.want[i] {
					t.Errorf("%q, want %q", got, tt.want[i])
				}
			}
		})
	}
}

// A solution that takes most of its time, or gives one thing now and another then, is a fault of the lab.
func TestCheckLabOfDoubtfulSolutions(t *testing.T) {
	l := labdef.Lab{Entry: "main.py", Solution: "solution", Starter: "starter", Checks: []labdef.Check{
		{ID: "a", Visible: true, Points: 1, Rule: labdef.Rule{Observe: labdef.ObserveCall, Call: "a", Kind: labdef.Set, Want: []any{1, 2}}},
	}}
	tests := []struct {
		name   string
		cpu    time.Duration
		values []string
		want   string
	}{
		{"good", 4 * time.Second, []string{`["e",["i","1"],["i","2"]]`}, ""},
		{"slow", 6 * time.Second, []string{`["e",["i","1"],["i","2"]]`}, "lab.check.slow"},
		{"unsteady", 0, []string{`["e",["i","1"],["i","2"]]`, `["e",["i","1"]]`}, "lab.check.unsteady"},
	}
	for _, tt := range tests {
		runs := 0
		e := labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
			nonce, _, _ := strings.Cut(string(p.Stdin), "\n")
			value := `["n"]`
			if string(p.Files["main.py"]) == "solution" {
				value = tt.values[runs%len(tt.values)]
				runs++
			}
			out := fmt.Sprintf("\n%s C []\n\n%s O {\"load\":null,\"seen\":[{\"value\":%s}]}\n", nonce, nonce, value)
			return sandbox.Result{End: sandbox.Exited, Stderr: []byte(out), CPU: tt.cpu}, nil
		})
		var found []string
		for _, f := range grading.CheckLab(context.Background(), e, "sum", l) {
			found = append(found, f.Key)
		}
		if strings.Join(found, " ") != tt.want || runs != 2 {
			t.Errorf("%s: %v after %d runs", tt.name, found, runs)
		}
	}
}

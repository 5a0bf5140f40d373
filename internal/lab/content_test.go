package lab_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/sandbox/sandboxtest"
)

// Every lab that we ship holds what its author claims, in the real sandbox.
func TestShippedLabs(t *testing.T) {
	e := sandboxtest.Open(t)
	courses, err := fs.Glob(content.Courses(), "*/course.yaml")
	if err != nil || len(courses) == 0 {
		t.Fatal("no course is shipped", err)
	}
	labs := 0
	for _, file := range courses {
		dir, err := fs.Sub(content.Courses(), file[:len(file)-len("/course.yaml")])
		if err != nil {
			t.Fatal(err)
		}
		c, err := curriculum.Compile(dir)
		if err != nil {
			t.Fatal(file, err)
		}
		var vault curriculum.VaultFile
		if err := json.Unmarshal(c.Vault, &vault); err != nil {
			t.Fatal(err)
		}
		for id, l := range vault.Labs {
			labs++
			for _, f := range lab.CheckLab(context.Background(), e, id, l) {
				t.Errorf("%s: %s %s %v", c.Manifest.CourseID, f.File, f.Key, f.Args)
			}
		}
	}
	if labs == 0 {
		t.Error("no lab is shipped")
	}
}

func TestCheckLab(t *testing.T) {
	e := sandboxtest.Open(t)
	good := func() curriculum.VaultLab {
		l := adder()
		l.Solution, l.Starter = adderSolution, "def add(a, b): pass"
		l.Wrong = []curriculum.WrongSolution{{File: "threes.py", Source: "def add(a, b): return 3"}}
		return l
	}
	tests := []struct {
		name   string
		change func(*curriculum.VaultLab)
		want   []string // file and key
	}{
		{"good", func(*curriculum.VaultLab) {}, nil},
		{"solution fails two", func(l *curriculum.VaultLab) { l.Solution = "def add(a, b): return a + b\nprint('hello')" }, []string{
			"labs/sum/solution.py lab.check.solution_fails share", "labs/sum/solution.py lab.check.solution_fails words",
		}},
		{"solution breaks", func(l *curriculum.VaultLab) { l.Solution = "1 / 0" }, []string{"labs/sum/solution.py lab.check.solution_breaks"}},
		{"starter passes", func(l *curriculum.VaultLab) { l.Starter = l.Solution }, []string{"labs/sum/starter.py lab.check.starter_passes"}},
		{"wrong passes", func(l *curriculum.VaultLab) { l.Wrong[0].Source = l.Solution }, []string{"labs/sum/wrong/threes.py lab.check.wrong_passes"}},
		{"call does not compile", func(l *curriculum.VaultLab) { l.Checks[4].Rule.Call = "add(" }, []string{"labs/sum/lab.yaml lab.check.author_error"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := good()
			tt.change(&l)
			faults := lab.CheckLab(context.Background(), e, "sum", l)
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

package compile_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"testing"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/fault"
)

// least is how much each shipped course has promised its learners.
var least = map[string]struct{ modules, lessons, questions, labs int }{
	"ai-foundations":   {5, 16, 60, 8},
	"staying-safe":     {2, 6, 20, 0},
	"teaching-with-ai": {2, 6, 20, 0},
}

// Every course that is shipped compiles, and keeps to the length of a sitting.
func TestShippedCourses(t *testing.T) {
	for _, all := range []fs.FS{content.Courses(), content.Examples()} {
		shippedCourses(t, all)
	}
}

func shippedCourses(t *testing.T, all fs.FS) {
	folders, err := fs.ReadDir(all, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !f.IsDir() {
			continue
		}
		t.Run(f.Name(), func(t *testing.T) {
			course, err := fs.Sub(all, f.Name())
			if err != nil {
				t.Fatal(err)
			}
			c, err := compile.Course(course, compile.Options{})
			var invalid *fault.Error
			if errors.As(err, &invalid) {
				for _, d := range invalid.Details {
					t.Errorf("%s:%d: %s %v", d.File, d.Line, d.Key, d.Args)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(c.Manifest.CourseID) != f.Name() {
				t.Errorf("folder %s holds course %s", f.Name(), c.Manifest.CourseID)
			}
			var vault curriculum.VaultFile
			if err := json.Unmarshal(c.Vault, &vault); err != nil {
				t.Fatal(err)
			}
			asked := map[string]bool{} // a bank that two quizzes draw from counts once
			for _, q := range vault.Quizzes {
				for _, question := range q.Questions {
					asked[question.ID] = true
				}
			}
			lessons := 0
			for _, m := range c.Manifest.Modules {
				for _, it := range m.Items {
					if it.Kind == curriculum.Lesson {
						lessons++
					}
					if n := it.Words[c.Manifest.SourceLocale]; it.Kind == curriculum.Lesson && (n < 400 || n > 800) {
						t.Errorf("lesson %s has %d words, want 400 to 800", it.ID, n)
					}
				}
			}
			want := least[f.Name()]
			if len(c.Manifest.Modules) < want.modules || lessons < want.lessons || len(asked) < want.questions || len(vault.Labs) < want.labs {
				t.Errorf("%d modules, %d lessons, %d questions, %d labs; want at least %+v", len(c.Manifest.Modules), lessons, len(asked), len(vault.Labs), want)
			}
		})
	}
}

package compile_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/fault"
)

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
			for _, m := range c.Manifest.Modules {
				for _, it := range m.Items {
					if n := it.Words[c.Manifest.SourceLocale]; it.Kind == curriculum.Lesson && (n < 400 || n > 800) {
						t.Errorf("lesson %s has %d words, want 400 to 800", it.ID, n)
					}
				}
			}
		})
	}
}

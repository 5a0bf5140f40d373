package main

import (
	"errors"
	"os"
	"testing"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// Who writes a course without labs may have no Python runtime, and needs none to check it.
func TestCheckAsksForTheSandboxOnlyWithLabs(t *testing.T) {
	missing := errors.New("no runtime")
	for _, test := range []struct {
		course string
		want   error
	}{
		{"staying-safe", nil},
		{"ai-foundations", missing},
	} {
		t.Run(test.course, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, content.Courses()); err != nil {
				t.Fatal(err)
			}
			details, _, err := checkCourse(t.Context(), dir+"/"+test.course, func() (sandbox.Engine, error) { return nil, missing })
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || len(details) > 0 {
				t.Errorf("checkCourse() = %v, %v, want the error %v", details, err, test.want)
			}
		})
	}
}

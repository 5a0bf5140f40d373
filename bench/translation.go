package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// The translations that are counted: courses of 200 lessons in five languages, half a million texts in all.
const (
	bigCourses = 10
	bigModules = 20
	bigLessons = 10 // of a module
	bigTexts   = 50 // of a lesson
)

var bigLocales = []string{"ar", "es", "fr", "ru", "zh"}

// translations counts 500,000 translated texts with `content status`, and merges one of the courses.
func translations(ctx context.Context, b *bench) ([]Figure, error) {
	var dirs []string
	for i := range bigCourses {
		dir := filepath.Join(b.dir, fmt.Sprintf("translated-%d", i))
		if err := writeBigCourse(dir, i); err != nil {
			return nil, err
		}
		dirs = append(dirs, dir)
	}
	if _, _, _, err := b.content(ctx, append([]string{"content", "extract"}, dirs...)); err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if err := translateBigCourse(dir); err != nil {
			return nil, err
		}
	}
	out, took, rss, err := b.content(ctx, append([]string{"content", "status", "--json"}, dirs...))
	if err != nil {
		return nil, err
	}
	var status []struct {
		Locales []struct{ Fresh, Stale, Missing int }
	}
	if err := json.Unmarshal(out, &status); err != nil {
		return nil, err
	}
	n := 0
	for _, c := range status {
		for _, l := range c.Locales {
			n += l.Fresh
			if l.Stale+l.Missing > 0 {
				return nil, fmt.Errorf("a translation is not counted as fresh: %+v", l)
			}
		}
	}
	if n < 500_000 {
		return nil, fmt.Errorf("only %d translated texts", n)
	}
	_, extract, extractRSS, err := b.content(ctx, []string{"content", "extract", dirs[0]})
	if err != nil {
		return nil, err
	}
	return []Figure{
		{Name: "translations", Value: took.Seconds(), Unit: "s", How: fmt.Sprintf("content status of %d courses with %d translated texts.", bigCourses, n)},
		{Name: "translations-memory", Value: float64(rss) / 1e6, Unit: "MB", How: "The most memory that it held."},
		{Name: "extract", Value: extract.Seconds(), Unit: "s", How: fmt.Sprintf("content extract of one of them, %d texts in step already.", n/bigCourses)},
		{Name: "extract-memory", Value: float64(extractRSS) / 1e6, Unit: "MB", How: "The most memory that it held."},
	}, nil
}

// content runs the program, and gives its output, its time and its greatest resident memory in bytes.
func (b *bench) content(ctx context.Context, args []string) ([]byte, time.Duration, int64, error) {
	cmd := b.command(nil, args...)
	cmd.Stderr = os.Stderr
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	began := time.Now()
	out, err := cmd.Output()
	took := time.Since(began)
	if err != nil {
		return nil, 0, 0, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return out, took, 0, nil
	}
	return out, took, usage.Maxrss * 1024, nil // Linux counts KiB
}

func writeBigCourse(dir string, n int) error {
	var course strings.Builder
	fmt.Fprintf(&course, "id: big-%d\ntitle: Big %d\nsummary: Big.\nsource_locale: en\nlocales: [en, %s]\nmodules:\n", n, n, strings.Join(bigLocales, ", "))
	if err := os.MkdirAll(filepath.Join(dir, "lessons"), 0o755); err != nil {
		return err
	}
	for m := range bigModules {
		fmt.Fprintf(&course, "  - id: module-%d\n    title: Module %d\n    items:\n", m, m)
		for l := range bigLessons {
			id := fmt.Sprintf("lesson-%d-%d", m, l)
			fmt.Fprintf(&course, "      - lesson: %s\n", id)
			var text strings.Builder
			fmt.Fprintf(&text, "# Lesson %d of module %d\n", l, m)
			for t := range bigTexts - 1 {
				fmt.Fprintf(&text, "\nIn week %d of course %d the farmers of village %d look at the leaves and write down what they see, and then they compare.\n", t, n, l)
			}
			if err := os.WriteFile(filepath.Join(dir, "lessons", id+".md"), []byte(text.String()), 0o600); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(dir, "course.yaml"), []byte(course.String()), 0o600)
}

func translateBigCourse(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "locales", "*", "*.po"))
	if err != nil {
		return err
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		f, err := po.Parse(name, data)
		if err != nil {
			return err
		}
		f = f.Unindexed()
		for i := range f.Entries {
			f.Entries[i].Str[0] = "× " + f.Entries[i].ID
		}
		if err := os.WriteFile(name, f.Bytes(), 0o600); err != nil {
			return err
		}
	}
	return nil
}

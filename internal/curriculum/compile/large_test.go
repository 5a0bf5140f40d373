package compile_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
)

// What a course costs grows with its length, not faster; and again after one edit it costs hardly anything.
func TestLargeCourse(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	m := coursetest.Large(300)
	cache := memo.New(64 << 20)
	took := func() time.Duration {
		t.Helper()
		start := time.Now()
		if _, err := compile.Course(m, compile.Options{Cache: cache}); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	first := took()
	change("lessons/lesson-7.md", "Sentence 3 of", "Sentence three of")(t, m)
	again := took()
	t.Logf("first %s, again after an edit %s", first, again)
	if again > first/2 {
		t.Errorf("compiling again after one edit takes %s, the first time %s", again, first)
	}
}

func BenchmarkCompile300(b *testing.B) {
	m := coursetest.Large(300)
	for b.Loop() {
		if _, err := compile.Course(m, compile.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// Publishing again gives the same version, whatever was edited between, and costs the edit.
func TestCacheChangesNothing(t *testing.T) {
	m := coursetest.Copy(t)
	cache := memo.New(8 << 20)
	both := func(what string) {
		t.Helper()
		fresh, err := compile.Course(m, compile.Options{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for range 2 {
			again, err := compile.Course(m, compile.Options{Cache: cache})
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if !reflect.DeepEqual(fresh, again) {
				t.Errorf("%s: the cache gives another version", what)
			}
		}
	}
	both("as it is")
	for _, e := range []struct{ file, old, text string }{
		{"lessons/first.md", "Go outside.", "Go far outside."},
		{"lessons/first.md", "3. three", "3. three or more"},
		{"locales/ar/only.po", "ثلاثة", "ثلاثة أو أكثر"},
		{"locales/fr/only.po", "quatre", "quatre ou plus"},
		{"locales/ar/course.po", "التدريب", "التعليم"},
		{"glossary.yaml", "Making a model from examples.", "How a model is made."},
		{"labs/echo/lab.yaml", "title: Echo", "title: Another echo"},
		{"media/road.svg", "x2=\"300\"", "x2=\"299\""},
		{"media.yaml", "mirror: true", "mirror: false"},
		{"course.yaml", "fallbacks: {ar: [fr]}", "fallbacks: {fr: [ar]}"},
		{"locales/ar/only.po", "msgctxt \"afypaba\"", "#. severity: removed\nmsgctxt \"afypaba\""},
		{"lessons/second.md", "Short. {#", "Short. {#a"},
		{"lessons/second.md", "Short. {#", "Short. {#b"},
		{"course.yaml", "title: The only module", "title: The one module"},
	} {
		change(e.file, e.old, e.text)(t, m)
		both(e.file + ": " + e.text)
	}
	change("lessons/first.md", "(lesson:second)", "(lesson:gone)")(t, m)
	if _, err := compile.Course(m, compile.Options{Cache: cache}); err == nil {
		t.Error("the cache hides a fault")
	}
	// What does not fit is not kept, and changes nothing either.
	cache = memo.New(3000)
	change("lessons/first.md", "(lesson:gone)", "(lesson:second)")(t, m)
	both("with a small cache")
}

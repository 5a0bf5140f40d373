package compile_test

import (
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

const arPO = "locales/ar/only.po"

// shown gives the fragment of the first lesson in Arabic, after edits.
func shown(t *testing.T, o compile.Options, edits ...edit) (string, curriculum.Item) {
	t.Helper()
	m := coursetest.Copy(t)
	for _, e := range edits {
		e(t, m)
	}
	c, err := compile.Course(m, o)
	if err != nil {
		t.Fatal(err)
	}
	it := item(t, c, "first")
	return string(c.Blobs[it.Fragment["ar"]]), it
}

func TestLanguageOfEachText(t *testing.T) {
	const lesson = "lessons/first.md"
	inFrench := `<li><span lang="fr" dir="ltr" class="fallback">quatre</span></li>`
	html, it := shown(t, compile.Options{})
	for _, want := range []string{"<li>ثلاثة</li>", inFrench, `<p lang="en" dir="ltr" class="fallback">Go outside.</p>`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing in %s", want, html)
		}
	}
	before := it.Translations["ar"]
	if before.Fresh != 9 || before.Stale != 0 || before.Missing != 17 || before.State != "draft" {
		t.Errorf("counts: %+v", before)
	}
	if _, ok := it.Translations["en"]; ok {
		t.Error("the source is counted as a translation")
	}
	if it.Title["ar"] != "الأوّل" || it.TitleLang["ar"] != "" || it.TitleLang["fr"] != "en" {
		t.Errorf("title %v in %v", it.Title, it.TitleLang)
	}

	// The institution's wish goes before the course's.
	html, _ = shown(t, compile.Options{Fallbacks: map[string][]string{"ar": {"en"}}})
	if strings.Contains(html, "quatre") || !strings.Contains(html, `<span lang="en" dir="ltr" class="fallback">four</span>`) {
		t.Errorf("the institution's chain does not count: %s", html)
	}

	// What was translated before an edit stays, and is marked.
	html, it = shown(t, compile.Options{}, change(lesson, "3. three", "3. three or more"))
	if !strings.Contains(html, `<li><span data-stale="true">ثلاثة</span></li>`) {
		t.Errorf("stale: %s", html)
	}
	if now := it.Translations["ar"]; now.Stale != 1 || now.Fresh != before.Fresh-1 || now.Missing != before.Missing {
		t.Errorf("counts of a stale one: %+v", now)
	}

	// What an author withdrew is not shown: the next language is.
	html, it = shown(t, compile.Options{}, change(lesson, "3. three", "3. never three"),
		change(arPO, "msgctxt \"afypaba\"", "#. severity: removed\nmsgctxt \"afypaba\""))
	if strings.Contains(html, "ثلاثة") || !strings.Contains(html, `data-stale="true">trois<`) {
		t.Errorf("withdrawn: %s", html)
	}
	if now := it.Translations["ar"]; now.Missing != before.Missing+1 {
		t.Errorf("counts of a withdrawn one: %+v", now)
	}

	// An old translation that leads where nothing is any more is not shown, and is no fault of the author.
	html, _ = shown(t, compile.Options{}, change(lesson, "(lesson:second)", "(lesson:first)"))
	if strings.Contains(html, "كلمات بسيطة") || strings.Contains(html, "./second") {
		t.Errorf("a stale link is shown: %s", html)
	}
}

func TestParentLanguage(t *testing.T) {
	m := coursetest.Copy(t)
	change("course.yaml", "[en, ar, fr]", "[en, ar, fr, fr-CA]")(t, m)
	c := compiled(t, m)
	it := item(t, c, "first")
	if html := string(c.Blobs[it.Fragment["fr-CA"]]); !strings.Contains(html, "<ol start=\"3\" lang=\"fr\" dir=\"ltr\" class=\"fallback\">\n<li>trois</li>\n<li>quatre</li>\n") {
		t.Errorf("not in the parent language: %s", html)
	}
	if got := c.Manifest.Summary["fr-CA"]; got != "Il y a un peu de tout." {
		t.Errorf("summary %q", got)
	}
}

// The labels of a drawing are translated, and for a script that runs to the left it is turned over.
func TestDrawings(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	it := item(t, c, "first")
	var en, ar string
	for _, d := range it.Media["en"] {
		if s := string(c.Blobs[d]); strings.HasPrefix(s, "<svg") {
			en = s
		}
	}
	for _, d := range it.Media["ar"] {
		if s := string(c.Blobs[d]); strings.HasPrefix(s, "<svg") {
			ar = s
		}
	}
	if !strings.Contains(en, ">Here</text>") || strings.Contains(en, "matrix") {
		t.Errorf("in English: %s", en)
	}
	if !strings.Contains(ar, ">هنا</text>") || !strings.Contains(ar, ">Là-bas</text>") || !strings.Contains(ar, `matrix(-1 0 0 1 360 0)`) || !strings.Contains(ar, `transform="matrix(-1 0 0 1 620 0)"`) {
		t.Errorf("in Arabic: %s", ar)
	}
}

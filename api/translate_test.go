package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
	"github.com/banyan-lms/banyan/internal/fault"
)

// small makes a course of one lesson without ids and without translations.
func small(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"course.yaml":    "id: rain\ntitle: Rain\nsource_locale: en\nlocales: [en, fr, zh]\nmodules:\n  - id: one\n    title: One\n    items:\n      - lesson: sky\n",
		"lessons/sky.md": "# The sky\n\nIt rains `3` times.\n\n| Day | Rain |\n| --- | --- |\n| One | 3 |\n\nThe end.\n",
	} {
		set(t, filepath.Join(dir, name), text)
	}
	return dir
}

func set(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tree is everything in a folder.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		b.WriteString("== " + name + "\n" + string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func edited(t *testing.T, name, before, after string) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(data), before) {
		t.Fatalf("%q is not in %s", before, data)
	}
	set(t, name, strings.Replace(string(data), before, after, 1))
}

func state(t *testing.T, dir, locale string) (translation.Count, translation.SignState) {
	t.Helper()
	c, err := wording.ForTranslation(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	list, err := translation.Status(os.DirFS(dir), c)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range newCourseStatus(c, list).Locales {
		if l.Locale == locale {
			return l.Count, l.State
		}
	}
	t.Fatalf("no %s", locale)
	return translation.Count{}, ""
}

// A translation goes its whole way: extracted, sent out, taken back, signed, made stale, hidden, and good again.
func TestTranslation(t *testing.T) {
	dir := small(t)
	lesson, french := filepath.Join(dir, "lessons/sky.md"), filepath.Join(dir, "locales/fr/one.po")
	extract := func() {
		t.Helper()
		if err := (&extractCmd{Path: []string{dir}}).Run(); err != nil {
			t.Fatal(err)
		}
	}
	if err := (&mergeCmd{Path: dir}).Run(); !fault.Is(err, fault.Invalid) {
		t.Errorf("merged without ids: %v", err)
	}
	extract()
	once := tree(t, dir)
	extract()
	if tree(t, dir) != once {
		t.Error("extracting again changes files")
	}
	if n, s := state(t, dir, "fr"); n != (translation.Count{Missing: 6}) || s != translation.Draft {
		t.Errorf("%+v %s", n, s)
	}

	sent := filepath.Join(t.TempDir(), "rain.fr.xlf")
	if err := (&exportCmd{Path: dir, Locale: "fr", Format: "xliff", Output: sent}).Run(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(sent)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte(`<segment state="initial">`)); n != 6 {
		t.Fatalf("%d segments\n%s", n, data)
	}
	done := strings.NewReplacer(`<segment state="initial">`, `<segment state="translated">`, `</source>`, "</source>\n<target>Traduit</target>").Replace(string(data))
	set(t, sent, done)
	if err := (&importCmd{Path: dir, File: []string{sent}}).Run(); err != nil {
		t.Fatal(err)
	}
	if n, _ := state(t, dir, "fr"); n != (translation.Count{Fresh: 6}) {
		t.Errorf("%+v", n)
	}
	if n, _ := state(t, dir, "zh"); n != (translation.Count{Missing: 6}) {
		t.Errorf("%+v", n)
	}

	if err := (&signCmd{Path: dir, Locale: "fr", State: translation.Signed}).Run(); !fault.Is(err, fault.Invalid) {
		t.Errorf("signed by nobody: %v", err)
	}
	if err := (&signCmd{Path: dir, Locale: "fr", By: "Awa Diop", State: translation.Signed}).Run(); err != nil {
		t.Fatal(err)
	}
	if _, s := state(t, dir, "fr"); s != translation.Signed {
		t.Errorf("%s", s)
	}

	edited(t, lesson, "The end.", "The beginning.")
	extract()
	if n, s := state(t, dir, "fr"); n != (translation.Count{Fresh: 5, Stale: 1}) || s != translation.Signed {
		t.Errorf("%+v %s", n, s)
	}
	c, err := wording.ForTranslation(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	last := c.Units[len(c.Units)-1].ID
	for _, bad := range []map[string]string{{last: "terrible"}, {"nothing": "removed"}} {
		if err := (&mergeCmd{Path: dir, Severity: bad}).Run(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if err := (&mergeCmd{Path: dir, Severity: map[string]string{last: "removed"}}).Run(); err != nil {
		t.Fatal(err)
	}
	if n, _ := state(t, dir, "fr"); n != (translation.Count{Fresh: 5, Withdrawn: 1}) {
		t.Errorf("%+v", n)
	}

	// What the translator sent is older than the text now, and does not bring it back.
	if err := (&importCmd{Path: dir, File: []string{sent}}).Run(); err != nil {
		t.Fatal(err)
	}
	if n, s := state(t, dir, "fr"); n != (translation.Count{Fresh: 5, Withdrawn: 1}) || s != translation.Signed {
		t.Errorf("%+v %s", n, s)
	}
	edited(t, french, "msgstr \"Traduit\"", "msgstr \"Retraduit\"")
	if _, s := state(t, dir, "fr"); s != translation.Draft {
		t.Errorf("%s after an edit", s)
	}
	edited(t, lesson, "The beginning.", "The end.")
	extract()
	if n, _ := state(t, dir, "fr"); n != (translation.Count{Fresh: 6}) {
		t.Errorf("%+v", n)
	}
	var b bytes.Buffer
	list, err := translation.Status(os.DirFS(dir), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := printStatus(&b, []courseStatus{newCourseStatus(c, list)}); err != nil || !strings.Contains(b.String(), "rain (written in en)") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

func TestARefusedFileChangesNothing(t *testing.T) {
	dir := small(t)
	set(t, filepath.Join(dir, "locales/zh/one.po"), "msgid \"a\nmsgstr \"b\"\n")
	before := tree(t, dir)
	err := (&extractCmd{Path: []string{dir}}).Run()
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), filepath.Join(dir, "locales/zh/one.po")+":1") {
		t.Errorf("got %v", err)
	}
	sent := filepath.Join(t.TempDir(), "x.xlf")
	set(t, sent, "<xliff>")
	if err := (&importCmd{Path: dir, File: []string{sent}, Locale: "fr"}).Run(); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
	if tree(t, dir) != before {
		t.Error("something was written")
	}
}

// A percentage never says that all is done, or that nothing is, when that is not so.
func TestPercent(t *testing.T) {
	for _, tt := range []struct {
		n, of int
		want  string
	}{{0, 0, "-"}, {0, 9, "-"}, {1, 999, "1%"}, {998, 999, "99%"}, {999, 999, "100%"}} {
		if got := percent(tt.n, tt.of); got != tt.want {
			t.Errorf("%d of %d: %s, want %s", tt.n, tt.of, got, tt.want)
		}
	}
}

package web

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// aligned is the example with what its lab says, and, if wanted, what its certificate attests.
func aligned(t *testing.T, achievement string) fs.FS {
	t.Helper()
	m := fstest.MapFS{}
	src := shipped(t)
	err := fs.WalkDir(src, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(src, name)
		m[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, with string) {
		data := string(m["course.yaml"].Data)
		if strings.Count(data, old) != 1 {
			t.Fatalf("%q stands there %d times", old, strings.Count(data, old))
		}
		m["course.yaml"].Data = []byte(strings.Replace(data, old, with, 1))
	}
	change("- lesson: you-decide", "- {lesson: you-decide, competences: [cfs.human-centred.understand]}")
	if achievement != "" {
		change("achievement:\n", "achievement:\n  competences: ["+achievement+"]\n")
	}
	return m
}

// A course page says by name, not by code, and in the reader's language what the course builds.
func TestCoursePageNamesCompetences(t *testing.T) {
	const page = "/courses/ai-in-daily-life"
	said := func(locale, achievement string) (text, markup string) {
		w := open(t, nil, aligned(t, achievement))
		_, doc := w.read("/" + locale + page)
		for _, d := range all(doc, "details") {
			if value(d, "class") == "aims" {
				return textOf(d), value(all(d, "dt")[0], "lang") + " " + value(all(d, "span")[0], "dir")
			}
		}
		return "", ""
	}
	both := "cft.ethics.deepen, cfs.ethics.apply, cfs.ethics.create"
	for _, tt := range []struct{ locale, achievement, want, spoken string }{
		{
			"en", both, "What this course builds AI competency framework for students Safe and responsible use, Ethics by design " +
				"AI competency framework for teachers Safe and responsible use", " ",
		},
		{"ar", "cfs.ethics.apply", "ما تنمّيه هذه الدورة إطار كفايات الذكاء الاصطناعي للمتعلمين الاستخدام الآمن والمسؤول", " "},
		{"en", "", "What this course builds AI competency framework for students Human agency, Safe and responsible use, AI foundations, Application skills", " "},
	} {
		text, spoken := said(tt.locale, tt.achievement)
		squeeze := func(s string) string { return strings.ReplaceAll(s, " ", "") } // elements stand without a space between them
		if squeeze(text) != squeeze(tt.want) || spoken != tt.spoken {
			t.Errorf("%s, %q: got %q %q, want %q", tt.locale, tt.achievement, text, spoken, tt.want)
		}
	}
	w := open(t, nil, shipped(t))
	for _, mod := range w.library.versions["ai-in-daily-life"][0].Manifest.Modules {
		for i := range mod.Items {
			mod.Items[i].Competences = nil
		}
	}
	if body, _ := w.read("/en" + page); strings.Contains(body, "aims") {
		t.Error("a course without competences claims some")
	}
}

// A page of an item ends with what it serves, by name, each name once, in the language that has it; who serves none says nothing.
func TestItemPageNamesCompetences(t *testing.T) {
	w := open(t, nil, shipped(t))
	serve := func(item string, ids ...string) {
		for _, mod := range w.library.versions["ai-in-daily-life"][0].Manifest.Modules {
			for i := range mod.Items {
				if string(mod.Items[i].ID) == item {
					mod.Items[i].Competences = ids
				}
			}
		}
	}
	// The second and the third have the same name in two frameworks.
	serve("what-ai-is", "cfs.human-centred.understand", "cfs.ethics.apply", "cft.ethics.deepen")
	serve("first-look")
	for _, tt := range []struct{ path, want string }{
		{"/en/courses/ai-in-daily-life/what-ai-is", "Competences: Human agency, Safe and responsible use"},
		{"/en/courses/ai-in-daily-life/first-look", ""},
	} {
		_, doc := w.read(tt.path)
		got := ""
		for _, p := range all(doc, "p") {
			if value(p, "class") == "serves" {
				got += textOf(p)
			}
		}
		if strings.Join(strings.Fields(got), " ") != tt.want {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

// Package coursetest makes courses for tests and measurements.
package coursetest

import (
	"fmt"
	"strings"
	"testing/fstest"
)

// Large makes a course of so many lessons, in modules of 30, each module with a quiz, in two languages.
func Large(lessons int) fstest.MapFS {
	m := fstest.MapFS{}
	put := func(name, text string) { m[name] = &fstest.MapFile{Data: []byte(text)} }
	var course strings.Builder
	course.WriteString("id: large\ntitle: Large\nsummary: A large course.\nsource_locale: en\nlocales: [en, fr]\nlicence: CC0-1.0\nauthors: [Nobody]\nminutes: 9000\nmodules:\n")
	for i := range lessons {
		module := i / 30
		if i%30 == 0 {
			fmt.Fprintf(&course, "  - id: m%d\n    title: Module %d\n    items:\n      - quiz: quiz-%d\n", module, module, module)
			var quiz strings.Builder
			quiz.WriteString("title: Check\ngraded: true\nquestions:\n")
			for q := range 10 {
				fmt.Fprintf(&quiz, "  - id: q%d\n    type: single\n    prompt: Which of these is number %d?\n    options:\n", q, q)
				for o := range 4 {
					fmt.Fprintf(&quiz, "      - {id: o%d, text: Choice %d of %d, correct: %t, feedback: This is choice %d.}\n", o, o, q, o == q%4, o)
				}
			}
			put(fmt.Sprintf("quizzes/quiz-%d.yaml", module), quiz.String())
			put(fmt.Sprintf("locales/fr/m%d.po", module), "msgid \"\"\nmsgstr \"\"\n\"Language: fr\\n\"\n")
		}
		fmt.Fprintf(&course, "      - lesson: lesson-%d\n", i)
		var text, po strings.Builder
		fmt.Fprintf(&text, "# Lesson %d {#t%06d}\n", i, i)
		for s := range 40 {
			id := fmt.Sprintf("s%05dx%02d", i, s)
			source := fmt.Sprintf("Sentence %d of lesson %d says that **most** machines learn from examples, and that people `check` what comes of it.", s, i)
			if s%8 == 0 {
				fmt.Fprintf(&text, "\n## Part %d {#h%05dx%02d}\n", s, i, s)
			}
			fmt.Fprintf(&text, "\n%s {#%s}\n", source, id)
			fmt.Fprintf(&po, "\nmsgctxt \"%s\"\nmsgid \"%s\"\nmsgstr \"%s\"\n", id, source, strings.Replace(source, "Sentence", "Phrase", 1))
		}
		put(fmt.Sprintf("lessons/lesson-%d.md", i), text.String())
		f := m[fmt.Sprintf("locales/fr/m%d.po", module)]
		f.Data = append(f.Data, po.String()...)
	}
	course.WriteString("criteria: {lessons: all, quizzes: 0, labs: none}\nachievement: {name: N, description: D, narrative: R}\n")
	put("course.yaml", course.String())
	return m
}

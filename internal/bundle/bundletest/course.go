// Package bundletest is a small world for the tests of bundles: a course, its publishers.
package bundletest

import (
	"bytes"
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

// The publishers.
const (
	School   = "did:web:school.example:institutions:acacia"
	Stranger = "did:web:other.example:institutions:thorn"
)

// Key makes the same key of the same letter.
func Key(letter byte) signing.Key {
	k, err := signing.Generate(bytes.NewReader(bytes.Repeat([]byte{letter}, 32)))
	if err != nil {
		panic(err)
	}
	return k
}

// Day is noon of a day in January.
func Day(n int) bundle.Time {
	return bundle.At(time.Date(2026, 1, n, 12, 0, 0, 0, time.UTC))
}

// Memory is a store of blobs.
type Memory map[blob.Digest][]byte

// Put keeps a text.
func (m Memory) Put(data string) blob.Digest {
	d := blob.Of([]byte(data))
	m[d] = []byte(data)
	return d
}

// Open implements bundle.Opener.
func (m Memory) Open(_ context.Context, d blob.Digest) ([]byte, error) {
	if data, ok := m[d]; ok {
		return data, nil
	}
	return nil, fault.New(fault.NotFound, "blob.not_found")
}

// Course makes a small course of two modules in English and Arabic. Its second number changes one lesson, moves the quiz, drops the
// lab, adds a lesson and names the course anew.
func Course(m Memory, number int) curriculum.Version {
	same := func(s string) curriculum.Text { return curriculum.Text{"en": s, "ar": "ع " + s} }
	picture := m.Put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>`)
	lesson := func(id, words string, shown ...blob.Digest) curriculum.Item {
		it := curriculum.Item{
			ID: curriculum.ContentID(id), Kind: curriculum.Lesson, Title: same("Lesson " + id), Fragment: map[string]blob.Digest{},
			Words: map[string]int{"en": 12, "ar": 11}, Media: map[string][]blob.Digest{}, Competences: []string{"unesco.cfs.1"},
			Translations: map[string]curriculum.Translation{"ar": {Fresh: 3, State: "reviewed"}},
		}
		for l, text := range map[string]string{"en": words, "ar": "كلمات " + words} {
			html := "<h1>" + it.Title[l] + "</h1>\n<p>" + text + "</p>\n"
			for _, d := range shown {
				html += `<img src="/media/` + d.Hex() + `.svg" alt="">` + "\n"
				it.Media[l] = append(it.Media[l], d)
			}
			it.Fragment[l] = m.Put(html)
		}
		return it
	}
	quiz := curriculum.Item{ID: "check", Kind: curriculum.Quiz, Graded: true, Title: same("Check"), Data: map[string]blob.Digest{
		"en": m.Put(`{"questions":[{"id":"q1","prompt":"Which?"}]}`), "ar": m.Put(`{"questions":[{"id":"q1","prompt":"أيها؟"}]}`),
	}}
	lab := curriculum.Item{ID: "try", Kind: curriculum.Lab, Title: same("Try"), TitleLang: curriculum.Langs{"ar": "en"}, Fragment: map[string]blob.Digest{
		"en": m.Put("<p>Do it.</p>"), "ar": m.Put("<p dir=\"rtl\">افعل.</p>"),
	}, Data: map[string]blob.Digest{"en": m.Put(`{"files":[]}`), "ar": m.Put(`{"files":[]}`)}}
	one := curriculum.Module{ID: "m1", Title: same("First"), Items: []curriculum.Item{lesson("what-it-is", "A machine that learns."), quiz}}
	two := curriculum.Module{ID: "m2", Title: same("Second"), Items: []curriculum.Item{lesson("seeing", "Look at this.", picture), lab}}
	title := "Small"
	if number > 1 {
		one.Items[0] = lesson("what-it-is", "A machine that learns from examples.")
		one.Items = one.Items[:1]
		two.Items = []curriculum.Item{two.Items[0], quiz, lesson("new-one", "Something new.")}
		title = "Small, but better"
	}
	return curriculum.Version{
		CourseID: "small", Number: number, Digest: blob.Of([]byte{byte(number)}), PublishedAt: Day(2 * number).Time,
		Manifest: curriculum.Manifest{
			CourseID: "small", Title: same(title), Summary: same("A small course <for> tests & readers."), SourceLocale: "en", Locales: []string{"ar", "en"},
			Licence: "CC-BY-SA-4.0", Authors: []string{"Amina", "أمينة"}, Minutes: 15, Modules: []curriculum.Module{one, two},
			Criteria:    curriculum.Criteria{Lessons: true, Quizzes: 0.8},
			Achievement: curriculum.Achievement{Name: same("Small"), Description: same("D"), Narrative: same("N"), Competences: []string{"unesco.cfs.1"}},
		},
	}
}

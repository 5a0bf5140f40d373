// Package curriculum is an immutable course version as everybody reads it. Package compile makes it of a folder of
// text files, package publishing keeps it.
package curriculum

import (
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
)

// CourseID is the slug that a course's author gave it. VersionID is a UUIDv7.
// ContentID names a lesson, quiz or lab inside its course and never changes.
// Locale is a BCP 47 tag.
type (
	CourseID  string
	VersionID string
	ContentID string
	Locale    = string
)

// Kind is what an item of a module is.
type Kind string

// The kinds.
const (
	Lesson Kind = "lesson"
	Quiz   Kind = "quiz"
	Lab    Kind = "lab"
)

// Text is one text in several languages. In a compiled manifest every locale
// of the course is present; what was not translated holds the source text.
type Text map[Locale]string

// Langs tell in which language a text is given to readers of another. Who is not in it gets their own.
type Langs = quiz.Langs

// Manifest is a compiled course version without its secrets: the list that
// names every public blob. It is JSON with sorted keys, and its digest is the
// identity of the version: the same source bytes give the same manifest.
type Manifest struct {
	Format       int         `json:"format"` // 1
	CourseID     CourseID    `json:"course_id"`
	Title        Text        `json:"title"`
	TitleLang    Langs       `json:"title_lang,omitempty"`
	Summary      Text        `json:"summary"`
	SummaryLang  Langs       `json:"summary_lang,omitempty"`
	SourceLocale Locale      `json:"source_locale"`
	Locales      []Locale    `json:"locales"`
	Licence      string      `json:"licence"`
	Authors      []string    `json:"authors"`
	Minutes      int         `json:"minutes"`
	Modules      []Module    `json:"modules"`
	Criteria     Criteria    `json:"criteria"`
	Achievement  Achievement `json:"achievement"`
	// Vault is the digest of the VaultFile: binding it here makes a change of
	// an answer key a new version too. The bytes are not public.
	Vault blob.Digest `json:"vault"`
}

// Module is an ordered part of a course.
type Module struct {
	ID        string `json:"id"`
	Title     Text   `json:"title"`
	TitleLang Langs  `json:"title_lang,omitempty"`
	Items     []Item `json:"items"`
}

// Item is a lesson, quiz or lab in its place. Its blobs by locale: of a lesson and of a lab
// an HTML fragment (body only, sanitised), of a quiz and a lab also a Data
// blob: quiz.Public or labdef.Public as JSON.
type Item struct {
	ID        ContentID              `json:"id"`
	Kind      Kind                   `json:"kind"`
	Title     Text                   `json:"title"`
	TitleLang Langs                  `json:"title_lang,omitempty"`
	Graded    bool                   `json:"graded,omitempty"`   // quiz that counts
	Fragment  map[Locale]blob.Digest `json:"fragment,omitempty"` // lesson, lab
	Data      map[Locale]blob.Digest `json:"data,omitempty"`     // quiz, lab
	Words     map[Locale]int         `json:"words,omitempty"`    // lesson
	// Media are the pictures and recordings that a fragment shows.
	Media map[Locale][]blob.Digest `json:"media,omitempty"`
	// Competences that it serves, by id, sorted: of a quiz those of its questions too, and of a lab the lab's own.
	Competences []string `json:"competences,omitempty"`
	// Weight is what each language costs to send.
	Weight map[Locale]gate.Weight `json:"weight,omitempty"`
	// Translations tell how the texts stand in each language but the source.
	Translations map[Locale]Translation `json:"translations,omitempty"`
}

// Translation counts the texts of an item in one language.
type Translation struct {
	Fresh   int    `json:"fresh"`
	Stale   int    `json:"stale,omitempty"`   // the source changed since: shown, and marked
	Missing int    `json:"missing,omitempty"` // shown in another language
	State   string `json:"state,omitempty"`   // draft, reviewed or signed; empty when nothing is translated
}

// Criteria say when the certificate is due.
type Criteria struct {
	Lessons bool    `json:"lessons"` // every lesson completed
	Quizzes float64 `json:"quizzes"` // least score (0 to 1) in every graded quiz; 0: none needed
	Labs    bool    `json:"labs"`    // every lab passed
}

// Achievement is what the certificate attests.
type Achievement struct {
	Name        Text  `json:"name"`
	NameLang    Langs `json:"name_lang,omitempty"`
	Description Text  `json:"description"`
	Narrative   Text  `json:"narrative"`
	// Competences that it attests, by id.
	Competences []string `json:"competences,omitempty"`
}

// VaultFile is the secret part of a version, for the server alone: answer
// keys of every quiz and the labs in full.
type VaultFile struct {
	Quizzes map[ContentID]quiz.Vault `json:"quizzes"`
	Labs    map[ContentID]labdef.Lab `json:"labs"`
}

// Version is a published edition of a course. It never changes.
type Version struct {
	ID            VersionID
	CourseID      CourseID
	InstitutionID string // who published it; a UUIDv7
	Number        int    // 1, 2, 3 … in its course
	Digest        blob.Digest
	Manifest      Manifest
	PublishedAt   time.Time
	// Advice is what its author should think about. Only Publish gives it; it is not kept.
	Advice []fault.Detail
}

// Item finds an item by its content id.
func (m *Manifest) Item(id ContentID) (Item, bool) {
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			if it.ID == id {
				return it, true
			}
		}
	}
	return Item{}, false
}

// In gives the text in a locale, or in the fallback.
func (t Text) In(locale, fallback Locale) string {
	if s, ok := t[locale]; ok {
		return s
	}
	return t[fallback]
}

// Said gives the text to readers of a locale, and the language that it is in: the compiler puts other words where a
// translation is missing, and langs says so. In versions of old these are the source's, and nothing says it. Who reads a
// locale that the course lacks gets the source.
func (t Text) Said(locale, source Locale, langs Langs) (text string, lang Locale) {
	shown, ok := t[locale]
	if !ok {
		return t[source], source
	}
	if lang, ok := langs[locale]; ok {
		return shown, lang
	}
	if original, ok := t[source]; ok && shown == original {
		return shown, source
	}
	return shown, locale
}

// Langs gathers what Said finds for every locale that has the text.
func (t Text) Langs(source Locale, langs Langs) Langs {
	out := Langs{}
	for l := range t {
		if _, lang := t.Said(l, source, langs); lang != l {
			out[l] = lang
		}
	}
	return out
}

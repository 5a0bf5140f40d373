// Package translation keeps the languages of a course in step with its source: it merges, counts, and signs off.
package translation

import (
	"path"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// Unit is the smallest piece of a course that is translated by itself. Its ID
// is unique in the course and survives edits and moves.
type Unit struct {
	ID     string
	Source string // the text in the course's own language
	Note   string // context for translators; may have several lines
	File   string // where the text stands, relative to the course folder
	Line   int
	Module string // "" for texts of the course itself
	Medium Medium // what kind of thing the text belongs to; "" is told from File and ID
}

// Medium is the kind of thing a text belongs to, so that a team sees what is still to do.
type Medium string

// The media.
const (
	InText    Medium = "text"
	InQuiz    Medium = "quiz"
	InLab     Medium = "lab"
	InPicture Medium = "picture"
	InAudio   Medium = "audio"
)

// Media are all media, in the order in which they are shown.
var Media = []Medium{InText, InQuiz, InLab, InPicture, InAudio}

// medium tells the kind where the unit does not.
func (u Unit) medium() Medium {
	if u.Medium != "" {
		return u.Medium
	}
	first, _, _ := strings.Cut(path.Clean(u.File), "/")
	switch {
	case first == "quizzes" || first == "banks":
		return InQuiz
	case first == "labs":
		return InLab
	case first == "media" || u.File == "media.yaml" || strings.HasPrefix(u.ID, "media.") || strings.HasSuffix(u.ID, ".alt"):
		return InPicture
	case first == "lessons" && strings.HasSuffix(u.ID, ".title"):
		return InAudio
	}
	return InText
}

// State is how a translation of a unit stands to the source text of today.
type State int

// The states. Stale is shown and marked: the source changed in spelling or in
// meaning since. Withdrawn is not shown: what it says is no longer so.
const (
	Missing State = iota
	Fresh
	Stale
	Withdrawn
)

// Translated is a unit in one language, as the compiler sees it.
type Translated struct {
	Text  string // empty when Missing
	State State
	Draft bool // no person has reviewed or signed the file, or it was edited since
	Line  int  // of the translation in its PO file, for faults
}

// Lookup finds the translation of a unit in a file. A file from po.Parse is
// indexed, so that a look-up does not depend on its size.
func Lookup(f po.File, u Unit) Translated {
	e, ok := best(f.Find(u.ID), u)
	if !ok || e.Obsolete || !e.Translated() {
		return Translated{}
	}
	return Translated{Text: e.Str[0], State: stateOf(e, u.Source), Draft: StateOfFile(&f) == Draft, Line: e.StrLine}
}

// Package framework knows the competence frameworks that courses align to: their competences by stable ids, with
// names in many languages, and which of them belong to one theme.
package framework

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/content/frameworks"
)

// Status tells whether what we hold of a framework may be relied upon.
type Status string

// The statuses.
const (
	Published Status = "published"
	Draft     Status = "draft"
)

// Name is one text by language (BCP 47).
type Name map[string]string

// In gives the name in a language or its base language, or else as the publisher wrote it; lang says which it is.
func (n Name) In(locale, source string) (text, lang string) {
	base, _, _ := strings.Cut(locale, "-")
	for _, l := range []string{locale, base} {
		if t, ok := n[l]; ok {
			return t, l
		}
	}
	return n[source], source
}

// Framework is one edition of a published set of competences. A new edition is another framework with other
// ids, so that what was aligned to the old one still says what it said.
type Framework struct {
	ID        string // cfs
	Version   string
	Title     Name
	Publisher string
	Source    string // address of the publication, a DOI where it has one
	Licence   string // SPDX, or "unverified"
	Status    Status
	Note      string // in Language; may be empty
	ChangedAt time.Time
	Language  string // of the publication
	Levels    []Level
	Aspects   []Aspect
}

// Level is a step of progress that a framework names.
type Level struct {
	ID   string // cfs:apply
	Name Name
}

// Aspect is a part of a framework; others say domain or dimension.
type Aspect struct {
	ID          string // cfs.ethics
	Name        Name
	Competences []Competence
}

// Competence is what somebody knows or can do.
type Competence struct {
	ID    string // cfs.ethics.apply; never changes
	Level string // cfs:apply, or "" where the framework has no levels
	Name  Name
}

// Crosswalk gathers competences of different frameworks under themes. It is ours, not the publishers'.
type Crosswalk struct {
	Framework
	Themes []Theme
}

// Theme is one subject of the crosswalk.
type Theme struct {
	ID          string // crosswalk.human-agency
	Name        Name
	Competences []string // ids of competences and of aspects
}

// Set is every framework that a server knows. It is read only.
type Set struct {
	Frameworks []Framework // by id
	Crosswalk  Crosswalk
	Languages  []string // besides the publications' own, sorted

	known map[string]place
	ids   []string
	cases index
}

// place is where a competence stands.
type place struct{ framework, aspect, competence int }

// Shipped gives the frameworks that come with the program. That they can be loaded is tested.
var Shipped = sync.OnceValue(func() *Set {
	s, err := Load(frameworks.Files)
	if err != nil {
		panic("content/frameworks: " + err.Error()) // only a broken build gets here
	}
	return s
})

// Find finds a competence and its framework by the competence's id.
func (s *Set) Find(id string) (Competence, *Framework, bool) {
	p, ok := s.known[id]
	if !ok {
		return Competence{}, nil, false
	}
	f := &s.Frameworks[p.framework]
	return f.Aspects[p.aspect].Competences[p.competence], f, true
}

// IDs lists the id of every competence, sorted.
func (s *Set) IDs() []string { return slices.Clone(s.ids) }

// Group is the competences of one framework.
type Group struct {
	Framework   *Framework
	Competences []Competence
}

// Group sorts competences by framework, each in the order of its framework, and each once. Unknown ids are left out.
func (s *Set) Group(ids []string) []Group {
	var out []Group
	for i := range s.Frameworks {
		f := &s.Frameworks[i]
		g := Group{Framework: f}
		for _, a := range f.Aspects {
			for _, c := range a.Competences {
				if slices.Contains(ids, c.ID) {
					g.Competences = append(g.Competences, c)
				}
			}
		}
		if len(g.Competences) > 0 {
			out = append(out, g)
		}
	}
	return out
}

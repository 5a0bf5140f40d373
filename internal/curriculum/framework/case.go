package framework

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// The frameworks as 1EdTech CASE 1.1 sees them (Competencies and Academic Standards Exchange, final release of
// January 2025): documents, their items and associations between these, each known by a UUID.
//
// A CASE document has one language. So each translation of a framework is a document of its own, tied to
// the publication's by isTranslationOf: the association that CASE 1.1 added for this.

// namespace makes UUIDs (version 5) of our ids. It must never change: other systems keep the UUIDs.
// It is itself uuid5 of the URL namespace and https://github.com/banyan-lms/banyan/content/frameworks.
var namespace = uuid.MustParse("88cded13-1e0d-53ff-8d8e-3c5ef1392865")

// Identifier gives the UUID by which CASE knows a thing: a framework, a level, an aspect, a competence or a theme,
// as the publisher wrote it. Translations have others.
func Identifier(id string) string { return uuid.NewSHA1(namespace, []byte(id)).String() }

func identifierIn(id, locale, source string) string {
	if locale == source {
		return Identifier(id)
	}
	return Identifier(id + "@" + locale)
}

// Types of associations that we write.
const (
	IsChildOf       = "isChildOf"
	HasSkillLevel   = "hasSkillLevel"
	IsTranslationOf = "isTranslationOf"
	IsRelatedTo     = "isRelatedTo"
)

// Types of items that we write.
const (
	ItemAspect     = "Aspect"
	ItemLevel      = "Level"
	ItemCompetence = "Competency"
	ItemTheme      = "Theme"
)

// Document is a framework in one language.
type Document struct {
	Identifier   string
	Framework    *Framework
	Title        string
	Language     string
	Translation  bool // ours, and a draft
	Items        []*Item
	Associations []*Association
}

// Item is a part of a document.
type Item struct {
	Identifier string
	Code       string // our id: cfs.ethics.apply
	Statement  string
	Type       string
	Document   *Document
}

// Node is an end of an association: an item, or a whole document.
type Node struct {
	Document   bool
	Identifier string
	Title      string
}

// Association ties two nodes. From stands in its Document.
type Association struct {
	Identifier string
	Type       string
	Sequence   int // among the children of a node, from 1; 0: none
	From, To   Node
	Document   *Document
}

// index finds what CASE asks for.
type index struct {
	documents    []*Document
	byDocument   map[string]*Document
	items        map[string]*Item
	associations map[string]*Association
	of           map[string][]*Association // by identifier of a node at either end
}

// Documents lists every framework in every language: first those of the publishers, by id, then the
// crosswalk, then the translations by language.
func (s *Set) Documents() []*Document { return s.cases.documents }

// Document finds a document by its UUID, or gives nil.
func (s *Set) Document(identifier string) *Document { return s.cases.byDocument[identifier] }

// Item finds an item by its UUID, or gives nil.
func (s *Set) Item(identifier string) *Item { return s.cases.items[identifier] }

// Association finds an association by its UUID, or gives nil.
func (s *Set) Association(identifier string) *Association { return s.cases.associations[identifier] }

// Associations lists those that an item is at either end of.
func (s *Set) Associations(item *Item) []*Association { return s.cases.of[item.Identifier] }

// Revised is when any of the frameworks was changed last.
func (s *Set) Revised() time.Time {
	latest := s.Crosswalk.ChangedAt
	for _, f := range s.Frameworks {
		if f.ChangedAt.After(latest) {
			latest = f.ChangedAt
		}
	}
	return latest
}

// publisher lays out one document.
type publisher struct {
	index  *index
	doc    *Document
	locale string
}

func (s *Set) publish() index {
	x := index{byDocument: map[string]*Document{}, items: map[string]*Item{}, associations: map[string]*Association{}, of: map[string][]*Association{}}
	for _, locale := range append([]string{""}, s.Languages...) {
		for i := range s.Frameworks {
			f := &s.Frameworks[i]
			if p := x.begin(f, locale); p != nil {
				p.framework(f)
			}
		}
		if s.Crosswalk.ID == "" {
			continue
		}
		if p := x.begin(&s.Crosswalk.Framework, locale); p != nil {
			p.themes(s)
		}
	}
	return x
}

// begin makes a document; locale "" is the publication's own language.
func (x *index) begin(f *Framework, locale string) *publisher {
	if locale == f.Language {
		return nil // the publication's own, laid out first
	}
	translation := locale != ""
	if !translation {
		locale = f.Language
	}
	d := &Document{
		Identifier: identifierIn(f.ID, locale, f.Language), Framework: f, Title: f.Title[locale], Language: locale, Translation: translation,
	}
	x.documents = append(x.documents, d)
	x.byDocument[d.Identifier] = d
	p := &publisher{index: x, doc: d, locale: locale}
	if translation {
		p.tie(IsTranslationOf, p.root(), Node{Document: true, Identifier: Identifier(f.ID), Title: f.Title[f.Language]}, 0)
	}
	return p
}

func (p *publisher) root() Node {
	return Node{Document: true, Identifier: p.doc.Identifier, Title: p.doc.Title}
}

func (p *publisher) framework(f *Framework) {
	for i, a := range f.Aspects {
		aspect := p.item(a.ID, ItemAspect, a.Name)
		p.tie(IsChildOf, aspect, p.root(), i+1)
		for j, c := range a.Competences {
			competence := p.item(c.ID, ItemCompetence, c.Name)
			p.tie(IsChildOf, competence, aspect, j+1)
			if c.Level != "" {
				at := slices.IndexFunc(f.Levels, func(l Level) bool { return l.ID == c.Level })
				p.tie(HasSkillLevel, competence, p.node(f.Levels[at].ID, f.Levels[at].Name), 0)
			}
		}
	}
	for i, l := range f.Levels {
		p.tie(IsChildOf, p.item(l.ID, ItemLevel, l.Name), p.root(), len(f.Aspects)+i+1)
	}
}

// themes ties what the publishers wrote to our themes. Only the crosswalk's own language does; translations of themes
// lead there by isTranslationOf.
func (p *publisher) themes(s *Set) {
	for i, t := range s.Crosswalk.Themes {
		theme := p.item(t.ID, ItemTheme, t.Name)
		p.tie(IsChildOf, theme, p.root(), i+1)
		if p.doc.Translation {
			continue
		}
		for _, id := range t.Competences {
			to := p.index.items[Identifier(id)]
			p.tie(IsRelatedTo, theme, Node{Identifier: to.Identifier, Title: to.Statement}, 0)
		}
	}
}

// node names an item of this document.
func (p *publisher) node(id string, name Name) Node {
	return Node{Identifier: identifierIn(id, p.locale, p.doc.Framework.Language), Title: name[p.locale]}
}

func (p *publisher) item(id, kind string, name Name) Node {
	n := p.node(id, name)
	it := &Item{Identifier: n.Identifier, Code: id, Statement: n.Title, Type: kind, Document: p.doc}
	p.doc.Items = append(p.doc.Items, it)
	p.index.items[it.Identifier] = it
	if p.doc.Translation {
		source := p.doc.Framework.Language
		p.tie(IsTranslationOf, n, Node{Identifier: Identifier(id), Title: name[source]}, 0)
	}
	return n
}

func (p *publisher) tie(kind string, from, to Node, sequence int) {
	a := &Association{
		Identifier: Identifier(strings.Join([]string{kind, from.Identifier, to.Identifier}, " ")),
		Type:       kind, Sequence: sequence, From: from, To: to, Document: p.doc,
	}
	p.doc.Associations = append(p.doc.Associations, a)
	p.index.associations[a.Identifier] = a
	for _, n := range []Node{from, to} {
		p.index.of[n.Identifier] = append(p.index.of[n.Identifier], a)
	}
}

package compile

import (
	"crypto/sha256"
	"maps"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/fault"
)

// find takes over what the gate found: faults refuse the course, advice is kept for its author.
func (c *compiler) find(list ...gate.Finding) {
	for _, f := range list {
		if f.Advice {
			if len(c.advice) < folder.MaxFaults {
				c.advice = append(c.advice, f.Detail)
			}
			continue
		}
		c.faults.Take(f.Detail)
	}
}

// contrasts remembers what was found in a drawing, for looking costs more than all else about it.
var contrasts gate.Memo[[]gate.Finding]

// checkLabels holds the words of drawings in every other language against what then lies under them: a longer word reaches further.
// Where the source is at fault already, its translations are not named too.
func (c *compiler) checkLabels() {
	for _, file := range slices.Sorted(maps.Keys(c.media)) {
		drawing := c.media[file].drawing
		if drawing == nil || len(drawing.Labels) == 0 {
			continue
		}
		name := "media/" + file
		known := c.faults.Lines(name)
		for _, l := range c.course.Locales {
			data := c.drawn(file, l)
			for _, f := range contrasts.Find(sha256.Sum256(data), func() []gate.Finding { return gate.Drawing(name, data) }) {
				at := slices.IndexFunc(drawing.Labels, func(label media.Label) bool {
					said := c.texts.Say("media."+file+"."+label.ID, label.Text, l).Text
					return strings.Join(strings.Fields(said), " ") == f.Args["Text"]
				})
				f.File, f.Line = name, 1 // the same bytes may lie under two names
				if at >= 0 {
					f.Line = drawing.Labels[at].Line
				}
				if !known[f.Line] {
					f.Args = maps.Clone(f.Args)
					c.find(f)
				}
			}
		}
	}
}

// checkMedia holds pictures and recordings against the gate: where they come from, and what stands beside them on pages.
func (c *compiler) checkMedia() {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.list.Pages)) {
		for _, u := range c.list.Pages[name].Uses {
			used[u.File] = true
			if u.Alt != "" {
				c.find(gate.Alt(name, u.Line, u.File, u.Alt)...)
			}
			if s := c.media[u.File].sound; s != nil && u.Words >= 0 {
				c.find(gate.Transcript(name, u.Line, u.Words, s.Duration)...)
			}
		}
	}
	doc := c.list.Docs["media.yaml"]
	if doc == nil {
		return
	}
	var list []gate.Medium
	for i, n := range doc.Root().Key("files").Each() {
		m := gate.Medium{
			File: n.Key("file").Str(), Licence: n.Key("licence").Str(), Source: n.Key("source").Str(), Author: n.Key("author").Str(),
			Line: doc.Line(n.Pointer),
		}
		if c.media[m.File] == (mediumItem{}) || i >= folder.MaxFiles {
			continue // its own fault is noted already
		}
		m.Used = used[m.File]
		list = append(list, m)
	}
	c.find(gate.Media(c.course.Licence, list)...)
}

// checkLessons holds what lessons weigh and how hard they are to read against the gate, and keeps the figures of every item.
func (c *compiler) checkLessons(m curriculum.Manifest) {
	c.figures = map[curriculum.ContentID]map[curriculum.Locale]gate.Figures{}
	var list []gate.Lesson
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			c.figures[it.ID] = map[curriculum.Locale]gate.Figures{}
			for _, l := range m.Locales {
				f := gate.Figures{Weight: it.Weight[l], Words: it.Words[l], Level: c.levels[pageOf(it)][l]}
				f.Minutes = reading.Minutes(f.Words)
				c.figures[it.ID][l] = f
				if it.Kind != curriculum.Lesson {
					continue
				}
				file := "lessons/" + string(it.ID) + ".md"
				if l != m.SourceLocale && c.src.Has("locales/"+l+"/"+mod.ID+".po") {
					file = "locales/" + l + "/" + mod.ID + ".po"
				}
				lesson := gate.Lesson{File: file, Item: string(it.ID), Locale: l, Source: l == m.SourceLocale, Weight: f.Weight, Level: f.Level}
				if f.Level.Grade > c.course.Reading.Limit() {
					lesson.Line = c.longest(it, l)
				}
				list = append(list, lesson)
			}
		}
	}
	c.find(gate.Lessons(list, c.course.Budget, c.course.Reading)...)
	slices.SortStableFunc(c.advice, func(a, b fault.Detail) int {
		if a.File != b.File {
			return strings.Compare(a.File, b.File)
		}
		return a.Line - b.Line
	})
}

// pageOf is the Markdown file of a lesson or a lab.
func pageOf(it curriculum.Item) string {
	if it.Kind == curriculum.Lab {
		return "labs/" + string(it.ID) + "/statement.md"
	}
	return "lessons/" + string(it.ID) + ".md"
}

// level measures the running text of a page that stands in a language; what is shown in another is left out.
func (c *compiler) level(file string, l curriculum.Locale) reading.Level {
	var texts []string
	for _, s := range c.list.Pages[file].Segments {
		if s.Kind != segment.Paragraph {
			continue
		}
		said := c.texts.Say(s.ID, s.Source, l)
		if said.Locale != "" {
			continue
		}
		if in, ok := segment.Read(segment.Paragraph, said.Text); ok {
			texts = append(texts, segment.Prose(in.Node, in.Text))
		}
	}
	return reading.Measure(l, texts)
}

// longest finds the line of a lesson's longest sentence, where its author or translator edits it.
func (c *compiler) longest(it curriculum.Item, l curriculum.Locale) int {
	line, most := 1, 0
	for _, s := range c.list.Pages[pageOf(it)].Segments {
		said := c.texts.Say(s.ID, s.Source, l)
		if s.Kind != segment.Paragraph || said.Locale != "" {
			continue
		}
		if n := reading.Longest(said.Text); n > most {
			if most, line = n, s.Line; l != c.course.SourceLocale {
				line = c.texts.Line(s.ID, l)
			}
		}
	}
	return line
}

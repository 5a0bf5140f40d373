package curriculum

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/fault"
)

// find takes over what the gate found: faults refuse the course, advice is kept for its author.
func (c *compiler) find(list ...gate.Finding) {
	for _, f := range list {
		if f.Advice {
			if len(c.advice) < maxFaults {
				c.advice = append(c.advice, f.Detail)
			}
			continue
		}
		var args []string
		for _, k := range slices.Sorted(maps.Keys(f.Args)) {
			args = append(args, k, fmt.Sprint(f.Args[k]))
		}
		c.faults.add(f.File, f.Line, f.Key, args...)
	}
}

// checkMedia holds pictures and recordings against the gate: where they come from, and what stands beside them on pages.
func (c *compiler) checkMedia() {
	used := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.list.pages)) {
		p := c.list.pages[name]
		_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
			d, ok := n.(*segment.Directive)
			if !ok || !entering {
				return ast.WalkContinue, nil
			}
			switch d.Name {
			case "figure":
				used[d.Title] = true
				for _, o := range d.Options {
					if o.Key == "alt" && o.Value != "" {
						c.find(gate.Alt(name, p.Line(o.Offset), d.Title, o.Value)...)
					}
				}
			case "audio":
				used[d.Title] = true
				if s := c.media[d.Title].sound; s != nil && d.FirstChild() != nil {
					words := page.CountWords(segment.Prose(d, p.Text))
					c.find(gate.Transcript(name, p.Line(d.Pos()), words, s.Duration)...)
				}
			}
			return ast.WalkContinue, nil
		})
	}
	doc := c.list.docs["media.yaml"]
	if doc == nil {
		return
	}
	var list []gate.Medium
	for i, n := range doc.root().key("files").each() {
		m := gate.Medium{
			File: n.key("file").str(), Licence: n.key("licence").str(), Source: n.key("source").str(), Author: n.key("author").str(),
			Line: doc.line(n.pointer),
		}
		if c.media[m.File] == (mediumItem{}) || i >= maxFiles {
			continue // its own fault is noted already
		}
		m.Used = used[m.File]
		list = append(list, m)
	}
	c.find(gate.Media(c.course.Licence, list)...)
}

// checkLessons holds what lessons weigh and how hard they are to read against the gate, and keeps the figures of every item.
func (c *compiler) checkLessons(m Manifest) {
	c.figures = map[ContentID]map[Locale]gate.Figures{}
	var list []gate.Lesson
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			c.figures[it.ID] = map[Locale]gate.Figures{}
			for _, l := range m.Locales {
				f := gate.Figures{Weight: it.Weight[l], Words: it.Words[l], Level: c.level(it, l)}
				f.Minutes = reading.Minutes(f.Words)
				c.figures[it.ID][l] = f
				if it.Kind != Lesson {
					continue
				}
				file := "lessons/" + string(it.ID) + ".md"
				if l != m.SourceLocale && c.src.has("locales/"+l+"/"+mod.ID+".po") {
					file = "locales/" + l + "/" + mod.ID + ".po"
				}
				list = append(list, gate.Lesson{File: file, Item: string(it.ID), Locale: l, Source: l == m.SourceLocale, Weight: f.Weight, Level: f.Level})
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

// level measures the running text of a lesson or a lab's statement that stands in a language; what is shown in another is left out.
func (c *compiler) level(it Item, l Locale) reading.Level {
	file := "lessons/" + string(it.ID) + ".md"
	if it.Kind == Lab {
		file = "labs/" + string(it.ID) + "/statement.md"
	}
	p := c.list.pages[file]
	if p == nil {
		return reading.Level{}
	}
	var texts []string
	for _, s := range p.Segments {
		if s.Kind != segment.Paragraph {
			continue
		}
		said := c.texts.say(s.ID, s.Source, l)
		if said.Locale != "" {
			continue
		}
		if in, ok := segment.Read(segment.Paragraph, said.Text); ok {
			texts = append(texts, segment.Prose(in.Node, in.Text))
		}
	}
	return reading.Measure(l, texts)
}

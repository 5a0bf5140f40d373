package curriculum

import (
	"bytes"
	"image"
	_ "image/jpeg" // its size is read
	_ "image/png"  // its size is read
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
)

// termSource is a word of glossary.yaml.
type termSource struct {
	ID         string `json:"id"`
	Term       string `json:"term"`
	Definition string `json:"definition"`
}

// mediumSource is an entry of media.yaml.
type mediumSource struct {
	File    string `json:"file"`
	Licence string `json:"licence"`
	Source  string `json:"source"`
	Author  string `json:"author"`
	Mirror  bool   `json:"mirror"`
}

// mediumItem is a file of media/ that was read.
type mediumItem struct {
	source        mediumSource
	drawing       *media.Drawing // of an SVG
	width, height int
}

// readGlossary reads the words of the course.
func (c *compiler) readGlossary() {
	c.terms = map[string]termSource{}
	doc := c.list.docs["glossary.yaml"]
	if doc == nil {
		return
	}
	checkSchema("glossary", doc, c.faults)
	var src struct {
		Terms []termSource `json:"terms"`
	}
	doc.into(&src)
	for i, t := range src.Terms {
		if _, twice := c.terms[t.ID]; twice && t.ID != "" {
			c.faults.add(doc.file, doc.line(node{pointer: "/terms"}.at(i).pointer), "course.duplicate_id", "ID", t.ID)
		}
		c.terms[t.ID] = t
	}
}

// readMedia reads pictures and recordings. Each has an entry in media.yaml, and each entry a file.
func (c *compiler) readMedia() {
	c.media = map[string]mediumItem{}
	listed := map[string]mediumSource{}
	if doc := c.list.docs["media.yaml"]; doc != nil {
		checkSchema("media", doc, c.faults)
		var src struct {
			Files []mediumSource `json:"files"`
		}
		doc.into(&src)
		for i, m := range src.Files {
			line := doc.line(node{pointer: "/files"}.at(i).pointer)
			if _, twice := listed[m.File]; twice {
				c.faults.add(doc.file, line, "media.listed_twice", "File", m.File)
			} else if m.File != "" && !c.src.has("media/"+m.File) {
				c.faults.add(doc.file, line, "course.missing_file", "File", "media/"+m.File)
			}
			listed[m.File] = m
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.src.files)) {
		file, ok := strings.CutPrefix(name, "media/")
		if !ok {
			continue
		}
		source, ok := listed[file]
		if !ok && !c.src.broken["media.yaml"] {
			c.faults.add(name, 1, "media.not_listed", "File", file)
		}
		m := mediumItem{source: source}
		data := c.src.files[name]
		switch path.Ext(file) {
		case ".svg":
			drawing, problems := media.ReadSVG(data)
			for _, p := range problems {
				c.faults.add(name, p.Line, p.Key, p.Args...)
			}
			m.drawing, m.width, m.height = drawing, drawing.Width, drawing.Height
		case ".png", ".jpg":
			cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil || (format == "png") != (path.Ext(file) == ".png") || cfg.Width > 9999 || cfg.Height > 9999 {
				c.faults.add(name, 1, "media.not_a_picture")
			}
			m.width, m.height = cfg.Width, cfg.Height
		}
		c.media[file] = m
	}
}

// medium makes the blob of a picture or a recording in one language.
func (c *compiler) medium(file string, l Locale, keep func([]byte) blob.Digest) (page.Medium, blob.Digest) {
	m := c.media[file]
	data := c.src.files["media/"+file]
	if m.drawing != nil {
		data = m.drawing.Render(func(id, source string) string {
			return c.texts.say("media."+file+"."+id, source, l).Text
		}, l, page.Direction(l) == "rtl", m.source.Mirror)
	}
	d := keep(data)
	return page.Medium{Src: "/media/" + strings.TrimPrefix(string(d), "sha256:") + path.Ext(file), Width: m.width, Height: m.height}, d
}

// checkPages holds every Markdown file against the format.
func (c *compiler) checkPages() {
	course := page.Course{
		Term:  func(id string) bool { _, ok := c.terms[id]; return ok },
		Media: func(file string) bool { return c.src.has("media/" + file) },
	}
	if c.doc.fit {
		known := map[Kind]map[string]bool{Lesson: {}, Quiz: {}, Lab: {}}
		for _, m := range c.course.Modules {
			for _, it := range m.Items {
				kind, id := it.named()
				known[kind][id] = true
			}
		}
		course.Lesson = func(id string) bool { return known[Lesson][id] }
		course.Lab = func(id string) bool { return known[Lab][id] }
	}
	for _, name := range slices.Sorted(maps.Keys(c.list.pages)) {
		p := c.list.pages[name]
		page.Check(p, strings.HasPrefix(name, "lessons/"), course, func(line int, key string, args ...string) {
			c.faults.add(name, line, key, args...)
		})
	}
}

// render makes the fragments of a page in every language of the course.
func (c *compiler) render(file string, keep func([]byte) blob.Digest) (map[Locale]page.Fragment, map[Locale][]blob.Digest) {
	fragments := map[Locale]page.Fragment{}
	shown := map[Locale][]blob.Digest{}
	for _, l := range c.course.Locales {
		digests := map[blob.Digest]bool{}
		fragments[l] = page.Render(c.list.pages[file], page.Words{
			Segment: func(id, source string) page.Said { return c.texts.say(id, source, l) },
			Lab:     func(id string) page.Said { return c.texts.say("lab."+id+".title", c.labs[id].source, l) },
			Term: func(id string) (term, definition page.Said) {
				t := c.terms[id]
				return c.texts.say("glossary."+id+".term", t.Term, l), c.texts.say("glossary."+id+".definition", t.Definition, l)
			},
			Media: func(file string) page.Medium {
				m, d := c.medium(file, l, keep)
				digests[d] = true
				return m
			},
		})
		if len(digests) > 0 {
			shown[l] = slices.Sorted(maps.Keys(digests))
		}
	}
	return fragments, shown
}

package compile

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
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
	source  mediumSource
	drawing *media.Drawing // of an SVG
	picture *media.Picture
	sound   *media.Sound
}

// readGlossary reads the words of the course.
func (c *compiler) readGlossary() {
	c.terms = map[string]termSource{}
	doc := c.list.Docs["glossary.yaml"]
	if doc == nil {
		return
	}
	doc.Check("glossary", c.faults)
	var src struct {
		Terms []termSource `json:"terms"`
	}
	doc.Into(&src)
	for i, t := range src.Terms {
		if _, twice := c.terms[t.ID]; twice && t.ID != "" {
			c.faults.Add(doc.File, doc.Line(doc.Root().Key("terms").At(i).Pointer), "course.duplicate_id", "ID", t.ID)
		}
		c.terms[t.ID] = t
	}
}

// readMedia reads pictures and recordings. Each has an entry in media.yaml, and each entry a file.
func (c *compiler) readMedia() {
	c.media = map[string]mediumItem{}
	listed := map[string]mediumSource{}
	if doc := c.list.Docs["media.yaml"]; doc != nil {
		doc.Check("media", c.faults)
		var src struct {
			Files []mediumSource `json:"files"`
		}
		doc.Into(&src)
		for i, m := range src.Files {
			line := doc.Line(doc.Root().Key("files").At(i).Pointer)
			if _, twice := listed[m.File]; twice {
				c.faults.Add(doc.File, line, "media.listed_twice", "File", m.File)
			} else if m.File != "" && !c.src.Has("media/"+m.File) {
				c.faults.Add(doc.File, line, "course.missing_file", "File", "media/"+m.File)
			}
			listed[m.File] = m
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.src.Files)) {
		file, ok := strings.CutPrefix(name, "media/")
		if !ok {
			continue
		}
		source, ok := listed[file]
		if !ok && !c.src.Broken["media.yaml"] {
			c.faults.Add(name, 1, "media.not_listed", "File", file)
		}
		m := mediumItem{source: source}
		data := c.src.Files[name]
		switch path.Ext(file) {
		case ".svg":
			drawing, problems := media.ReadSVG(data)
			for _, p := range problems {
				c.faults.Add(name, p.Line, p.Key, p.Args...)
			}
			if len(problems) == 0 {
				c.find(gate.Drawing(name, data)...)
			}
			m.drawing = drawing
		case ".png", ".jpg", ".webp":
			picture, err := media.ReadPicture(path.Ext(file), data)
			c.refused(name, err)
			m.picture = &picture
		default:
			sound, err := media.ReadSound(path.Ext(file), data)
			if c.refused(name, err); err == nil {
				c.find(gate.Recording(file, sound)...)
			}
			m.sound = &sound
		}
		c.media[file] = m
	}
}

// refused notes why a file is not taken.
func (c *compiler) refused(name string, err error) {
	var r *media.RefusedError
	switch {
	case errors.As(err, &r):
		c.faults.Add(name, 1, r.Key, r.Args...)
	case err != nil:
		c.faults.Add(name, 1, "course.unreadable")
	}
}

// medium makes the blobs of a picture or a recording in one language. sent are those that a page of it costs: of a picture
// that was cut the widest, because phones have fine screens.
func (c *compiler) medium(file string, l curriculum.Locale, keep func([]byte) blob.Digest) (m page.Medium, all []blob.Digest, sent int) {
	add := func(data []byte, ext string) string {
		d := keep(data)
		all = append(all, d)
		sent = len(data)
		return "/media/" + strings.TrimPrefix(string(d), "sha256:") + ext
	}
	item := c.media[file]
	switch {
	case item.drawing != nil:
		data := c.drawn(file, l)
		m = page.Medium{Src: add(data, ".svg"), Width: item.drawing.Width, Height: item.drawing.Height}
		sent = gate.Sent(data)
	case item.picture != nil:
		m.Width, m.Height = item.picture.Width, item.picture.Height
		var set []string
		for _, cut := range item.picture.Cuts {
			m.Src = add(cut.Data, "."+cut.Ext)
			set = append(set, m.Src+" "+strconv.Itoa(cut.Width)+"w")
		}
		if len(set) > 1 {
			m.Srcset = strings.Join(set, ", ")
		}
	case item.sound != nil:
		m = page.Medium{Src: add(item.sound.Data, path.Ext(file)), Type: item.sound.Type, Duration: item.sound.Duration}
		m.Size = sent
	}
	m.Credit = c.credit(item.source)
	return m, all, sent
}

// credit is what stands beside a medium that is not all the course's own.
func (c *compiler) credit(m mediumSource) []string {
	if m.Author == "" || m.Licence == c.course.Licence && slices.Contains(c.course.Authors, m.Author) {
		return nil
	}
	parts := []string{m.Author}
	if m.Source != "" {
		parts = append(parts, m.Source)
	}
	return append(parts, m.Licence)
}

// drawn is a drawing with its labels in a language.
func (c *compiler) drawn(file string, l curriculum.Locale) []byte {
	item := c.media[file]
	return item.drawing.Render(func(id, source string) string {
		return c.texts.Say("media."+file+"."+id, source, l).Text
	}, l, page.Direction(l) == "rtl", item.source.Mirror)
}

// checkPages holds every Markdown file against the format.
func (c *compiler) checkPages() {
	course := page.Course{
		Term:  func(id string) bool { _, ok := c.terms[id]; return ok },
		Media: func(file string) bool { return c.src.Has("media/" + file) },
	}
	known := map[curriculum.Kind]map[string]bool{curriculum.Lesson: {}, curriculum.Quiz: {}, curriculum.Lab: {}}
	if c.doc.Fit {
		for _, m := range c.course.Modules {
			for _, it := range m.Items {
				kind, id := it.named()
				known[kind][id] = true
			}
		}
		course.Lesson = func(id string) bool { return known[curriculum.Lesson][id] }
		course.Lab = func(id string) bool { return known[curriculum.Lab][id] }
	}
	names := []string{}
	for _, known := range []map[string]bool{known[curriculum.Lesson], known[curriculum.Lab]} {
		names = append(names, strings.Join(slices.Sorted(maps.Keys(known)), " "))
	}
	names = append(names, strings.Join(slices.Sorted(maps.Keys(c.terms)), " "), strings.Join(slices.Sorted(maps.Keys(c.media)), " "))
	around := memo.Digest(names...)
	for _, name := range slices.Sorted(maps.Keys(c.list.Pages)) {
		p := c.list.Pages[name]
		key := "checked " + name + " " + p.Digest + " " + around
		if c.doc.Fit && c.cache.Find(key) != nil {
			continue
		}
		before := c.faults.Count()
		page.Check(p.Tree(), strings.HasPrefix(name, "lessons/"), course, func(line int, key string, args ...string) {
			c.faults.Add(name, line, key, args...)
		})
		if c.doc.Fit && c.faults.Count() == before && !c.faults.Full() {
			c.cache.Keep(key, true, 200)
		}
	}
}

// rendered is a page in one language.
type rendered struct {
	page.Fragment
	sent  int // bytes of it on the wire
	level reading.Level
}

// render makes the fragments of a page in every language of the course, and tells what they show and what that weighs.
func (c *compiler) render(file, module string, keep func([]byte) blob.Digest) (map[curriculum.Locale]page.Fragment, map[curriculum.Locale][]blob.Digest, map[curriculum.Locale]gate.Weight) {
	fragments := map[curriculum.Locale]page.Fragment{}
	weights := map[curriculum.Locale]gate.Weight{}
	shown := map[curriculum.Locale][]blob.Digest{}
	if c.levels == nil {
		c.levels = map[string]map[curriculum.Locale]reading.Level{}
	}
	c.levels[file] = map[curriculum.Locale]reading.Level{}
	for _, l := range c.course.Locales {
		key := c.inputs(file, module, l)
		f, known := c.cache.Find(key).(rendered)
		if !known {
			f.Fragment = c.renderIn(file, l)
			f.sent, f.level = gate.Sent(f.HTML), c.level(file, l)
			if key != "" {
				c.cache.Keep(key, f, len(f.HTML)+500)
			}
		}
		fragments[l], c.levels[file][l] = f.Fragment, f.level
		digests := map[blob.Digest]bool{}
		var w gate.Weight
		for _, m := range f.Media {
			m, all, sent := c.medium(m, l, keep)
			if len(all) == 0 || digests[all[0]] {
				continue // shown before
			}
			for _, d := range all {
				digests[d] = true
			}
			if w.All += sent; m.Type == "" {
				w.Pictures += sent
			}
		}
		weights[l] = w.Add(gate.Same(f.sent))
		if len(digests) > 0 {
			shown[l] = slices.Sorted(maps.Keys(digests))
		}
	}
	return fragments, shown, weights
}

func (c *compiler) renderIn(file string, l curriculum.Locale) page.Fragment {
	return page.Render(c.list.Pages[file].Tree(), page.Words{
		Segment: func(id, source string) page.Said { return c.texts.Say(id, source, l) },
		Lab:     func(id string) page.Said { return c.texts.Say("lab."+id+".title", c.labs[id].Source, l) },
		Term:    func(id string) (term, definition page.Said) { return c.term(id, l) },
		Media: func(file string) page.Medium {
			m, _, _ := c.medium(file, l, blob.Of)
			return m
		},
	})
}

func (c *compiler) term(id string, l curriculum.Locale) (term, definition page.Said) {
	t := c.terms[id]
	return c.texts.Say("glossary."+id+".term", t.Term, l), c.texts.Say("glossary."+id+".definition", t.Definition, l)
}

// inputs names all that goes into a page in a language: its file, the translations of its module, and what it takes
// from the course around it. It is "" where a translation comes from somewhere else.
func (c *compiler) inputs(file, module string, l curriculum.Locale) string {
	if c.cache == nil {
		return ""
	}
	p := c.list.Pages[file]
	parts := []string{file, p.Digest, l, c.texts.Source, c.surroundings(l)}
	translated, ok := c.texts.Inputs(p.Segments, module, l)
	if !ok {
		return ""
	}
	return "html " + memo.Digest(append(parts, translated...)...)
}

// surroundings is a digest of what pages in a language may take from the course: words of the glossary, titles of labs,
// drawings with their labels, pictures and recordings.
func (c *compiler) surroundings(l curriculum.Locale) string {
	if d, ok := c.around[l]; ok {
		return d
	}
	var parts []string
	said := func(list ...page.Said) {
		for _, s := range list {
			parts = append(parts, s.Text, s.Locale, fmt.Sprint(s.Stale))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.terms)) {
		parts = append(parts, "term "+id)
		said(c.term(id, l))
	}
	for _, id := range slices.Sorted(maps.Keys(c.labs)) {
		parts = append(parts, "lab "+id)
		said(c.texts.Say("lab."+id+".title", c.labs[id].Source, l))
	}
	for _, file := range slices.Sorted(maps.Keys(c.media)) {
		m, _, _ := c.medium(file, l, blob.Of)
		parts = append(parts, "media "+file, fmt.Sprint(m))
	}
	if c.around == nil {
		c.around = map[curriculum.Locale]string{}
	}
	c.around[l] = memo.Digest(parts...)
	return c.around[l]
}

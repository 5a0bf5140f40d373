// Package wording finds the texts of a course in its languages.
package wording

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
)

// Units lists every text of a course folder that is translated, in a stable order: the course's own texts first, then
// module by module in the order of the course. A segment that has no id yet carries the one that WriteIDs would write. When
// files cannot be read the error is a fault Invalid course.invalid, as that of compile.Course; faults in what the files say are left to it.
func Units(fsys fs.FS) ([]translation.Unit, error) {
	src := folder.Load(fsys)
	list := readUnits(src)
	if err := src.Faults.Err(); err != nil {
		return nil, err
	}
	return list.plain(), nil
}

// readUnits gathers the units, and notes what is wrong with the ids in pages.
func readUnits(src *folder.Folder) *Texts {
	list := Gather(src, nil)
	for _, p := range list.Pages {
		page.NoteProblems([]*page.File{p}, src.Faults)
	}
	return list
}

// plain gives the units as others know them.
func (u *Texts) plain() []translation.Unit {
	out := make([]translation.Unit, len(u.Units))
	for i, unit := range u.Units {
		out[i] = unit.Unit
	}
	return out
}

// Unit is a text that is translated, with what the compiler knows of it.
type Unit struct {
	translation.Unit
	kind segment.Kind // "" for texts that are no Markdown
}

// WithIDs gives the bytes of every Markdown file of a course folder that lacks ids of segments, with them written. Nothing
// else in the files changes, and there is nothing to write the second time. It fails as Units does.
func WithIDs(fsys fs.FS) (map[string][]byte, error) {
	src := folder.Load(fsys)
	pages := page.ReadAll(src, nil)
	page.NoteProblems(pages, src.Faults)
	if err := src.Faults.Err(); err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for _, p := range pages {
		for id := range p.Marked {
			taken[id] = true
		}
	}
	out := map[string][]byte{}
	for _, p := range pages {
		raw, err := folder.ReadFile(fsys, p.Name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p.Name, err)
		}
		if marked := segment.WriteIDs(p.Name, raw, taken); len(marked) != len(raw) {
			out[p.Name] = marked
		}
	}
	return out, nil
}

// WriteIDs writes missing ids of segments into the files of a course folder, and tells which files it changed.
func WriteIDs(dir string) ([]string, error) {
	changed, err := WithIDs(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	names := slices.Sorted(maps.Keys(changed))
	for _, name := range names {
		file := filepath.Join(dir, filepath.FromSlash(name))
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		next := file + ".new"
		if err := os.WriteFile(next, changed[name], info.Mode().Perm()); err != nil {
			return nil, err
		}
		if err := os.Rename(next, file); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Texts are those of a course in the language of its source, with the files that they stand in.
type Texts struct {
	Units []Unit
	src   *folder.Folder
	Docs  map[string]*folder.Document
	Pages map[string]*page.File
}

// Gather reads what holds texts, and notes what is wrong with its form.
func Gather(src *folder.Folder, cache *memo.Cache) *Texts {
	u := &Texts{src: src, Pages: map[string]*page.File{}}
	taken := map[string]bool{}
	pages := page.ReadAll(src, cache)
	for _, p := range pages {
		u.Pages[p.Name] = p
		for id := range p.Marked {
			taken[id] = true
		}
	}
	for _, p := range pages {
		segment.GiveIDs(p.Name, p.Segments, taken)
	}
	u.Docs = src.Documents()
	u.course()
	return u
}

// reader finds texts in one YAML file.
type reader struct {
	list   *Texts
	doc    *folder.Document
	module string
}

// text takes the text at a path of keys and numbers below a value, when there is one.
func (r reader) text(id, note string, at folder.Node) {
	s, ok := at.Value.(string)
	if !ok || strings.TrimSpace(s) == "" {
		return
	}
	r.list.Units = append(r.list.Units, Unit{Unit: translation.Unit{
		ID: id, Source: s, Note: note, File: r.doc.File, Line: r.doc.Line(at.Pointer), Module: r.module,
	}})
}

// course takes everything in order.
func (u *Texts) course() {
	doc := u.Docs["course.yaml"]
	if doc == nil {
		return
	}
	r := reader{list: u, doc: doc}
	root := doc.Root()
	r.text("course.title", "Title of the course", root.Key("title"))
	r.text("course.summary", "Summary for the catalogue", root.Key("summary"))
	a := root.Key("achievement")
	r.text("achievement.name", "Name of the certificate", a.Key("name"))
	r.text("achievement.description", "What the certificate attests", a.Key("description"))
	r.text("achievement.narrative", "How the certificate is earned", a.Key("narrative"))
	modules := root.Key("modules").Each()
	for _, m := range modules {
		r.text("module."+m.Key("id").Str()+".title", "Title of a module", m.Key("title"))
	}
	u.glossary()
	u.labels()
	banks, seen := map[string]bool{}, map[string]bool{}
	for _, m := range modules {
		module := m.Key("id").Str()
		for _, it := range m.Key("items").Each() {
			kind, id := "", ""
			for _, k := range []string{"lesson", "quiz", "lab"} {
				if s := it.Key(k).Str(); s != "" {
					kind, id = k, s
				}
			}
			if id == "" || seen[kind+"/"+id] {
				continue
			}
			seen[kind+"/"+id] = true
			switch kind {
			case "lesson":
				u.page("lessons/"+id+".md", module)
			case "quiz":
				u.quiz(id, module, banks)
			case "lab":
				u.lab(id, module)
			}
		}
	}
}

func (u *Texts) glossary() {
	doc := u.Docs["glossary.yaml"]
	if doc == nil {
		return
	}
	r := reader{list: u, doc: doc}
	for _, t := range doc.Root().Key("terms").Each() {
		base := "glossary." + t.Key("id").Str()
		r.text(base+".term", "Word of the glossary", t.Key("term"))
		r.text(base+".definition", "Definition of: "+t.Key("term").Str(), t.Key("definition"))
	}
}

// labels takes the texts of drawings.
func (u *Texts) labels() {
	for _, name := range slices.Sorted(maps.Keys(u.src.Files)) {
		if !strings.HasPrefix(name, "media/") || path.Ext(name) != ".svg" {
			continue
		}
		drawing, _ := media.ReadSVG(u.src.Files[name])
		for _, l := range drawing.Labels {
			u.Units = append(u.Units, Unit{Unit: translation.Unit{
				ID: "media." + path.Base(name) + "." + l.ID, Source: l.Text, Note: "Label in a drawing: keep it short", File: name, Line: l.Line,
			}})
		}
	}
}

var segmentNotes = map[segment.Kind]string{
	segment.Heading:    "Heading",
	segment.Table:      "Table: keep its rows and columns",
	segment.Plain:      "Text shown as it is, line by line",
	segment.Alt:        "What a picture tells, for those who do not see it",
	segment.AudioTitle: "Title of a recording",
}

var titleNotes = map[string]string{
	"example": "Title of an example", "discussion": "Title of a discussion", "activity": "Title of an activity", "definition": "Term that is defined", "reveal": "Question; what follows is hidden until the reader asks for it",
}

// mediumOf tells what the file and the id of a text do not: that it is part of a transcript.
func mediumOf(s segment.Segment) translation.Medium {
	if s.Recorded {
		return translation.InAudio
	}
	return ""
}

func (u *Texts) page(file, module string) {
	p := u.Pages[file]
	if p == nil {
		return
	}
	for i, s := range p.Segments {
		note := segmentNotes[s.Kind]
		if i == 0 && s.Kind == segment.Heading && strings.HasPrefix(file, "lessons/") {
			note = "Title of the lesson"
		}
		if s.Kind == segment.Title {
			note = titleNotes[s.Directive]
		}
		u.Units = append(u.Units, Unit{
			Unit: translation.Unit{ID: s.ID, Source: s.Source, Note: note, File: file, Line: s.Line, Module: module, Medium: mediumOf(s)}, kind: s.Kind,
		})
	}
}

func (u *Texts) quiz(id, module string, banks map[string]bool) {
	doc := u.Docs["quizzes/"+id+".yaml"]
	if doc == nil {
		return
	}
	r := reader{list: u, doc: doc, module: module}
	base := "quiz." + id
	root := doc.Root()
	r.text(base+".title", "Title of the quiz", root.Key("title"))
	r.questions(base, root.Key("questions"))
	for i, s := range root.Key("sections").Each() {
		r.text(base+".section."+strconv.Itoa(i+1)+".title", "Heading inside the quiz", s.Key("title"))
		r.questions(base, s.Key("questions"))
	}
	for _, s := range root.Key("sections").Each() {
		bank := s.Key("draw").Key("bank").Str()
		doc := u.Docs["banks/"+bank+".yaml"]
		if doc == nil || banks[bank] {
			continue
		}
		banks[bank] = true
		reader{list: u, doc: doc, module: module}.questions("bank."+bank, doc.Root().Key("questions"))
	}
}

func (r reader) questions(base string, list folder.Node) {
	for _, q := range list.Each() {
		base := base + "." + q.Key("id").Str()
		prompt := q.Key("prompt").Str()
		r.text(base+".prompt", "Question", q.Key("prompt"))
		for _, o := range q.Key("options").Each() {
			base := base + ".option." + o.Key("id").Str()
			r.text(base+".text", "Choice for: "+prompt, o.Key("text"))
			r.text(base+".feedback", "Said after the choice: "+o.Key("text").Str(), o.Key("feedback"))
		}
		for _, p := range q.Key("pairs").Each() {
			base := base + ".pair." + p.Key("id").Str()
			r.text(base+".left", "Left of a pair; right of it: "+p.Key("right").Str(), p.Key("left"))
			r.text(base+".right", "Right of a pair; left of it: "+p.Key("left").Str(), p.Key("right"))
		}
		r.text(base+".feedback.correct", "Said after a right answer to: "+prompt, q.Key("feedback").Key("correct"))
		r.text(base+".feedback.incorrect", "Said after a wrong answer to: "+prompt, q.Key("feedback").Key("incorrect"))
		var answers []string
		for _, a := range q.Key("accept").Each() {
			if s := strings.Join(strings.Fields(a.Str()), " "); s != "" {
				answers = append(answers, s)
			}
		}
		accept := q.Key("accept")
		accept.Value = strings.Join(answers, "\n")
		r.text(base+".accept", "Answers that are right, one a line, as many as your language needs, to: "+prompt, accept)
	}
}

func (u *Texts) lab(id, module string) {
	doc := u.Docs["labs/"+id+"/lab.yaml"]
	if doc == nil {
		return
	}
	r := reader{list: u, doc: doc, module: module}
	base := "lab." + id
	root := doc.Root()
	r.text(base+".title", "Title of the lab", root.Key("title"))
	u.page("labs/"+id+"/statement.md", module)
	for i, h := range root.Key("hints").Each() {
		r.text(base+".hint."+strconv.Itoa(i+1), "Hint for learners", h)
	}
	for _, c := range root.Key("checks").Each() {
		base := base + ".check." + c.Key("id").Str()
		r.text(base+".title", "What a check looks at", c.Key("title"))
		r.text(base+".feedback", "Said when this check fails: "+c.Key("title").Str(), c.Key("feedback"))
		for _, k := range c.Key("says").Keys() {
			r.text(base+".says."+k, "Said when this check fails: "+c.Key("title").Str(), c.Key("says").Key(k))
		}
	}
}

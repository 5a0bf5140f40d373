package page

import (
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/yuin/goldmark/ast"

	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

// File is a Markdown file of the source language, without its tree.
type File struct {
	Name     string
	src      []byte
	Digest   string // of its bytes
	Segments []segment.Segment
	Marked   map[string][]int // lines of the ids that are written
	problems []segment.Problem
	Uses     []Use         // what it shows and plays
	page     *segment.Page // once its tree was asked for
}

// Tree reads the page in full.
func (p *File) Tree() *segment.Page {
	if p.page == nil {
		p.page, _ = segment.Parse(p.src) // it was read before
	}
	return p.page
}

// readPage reads a Markdown file, or fails with the line where it is too costly.
func readPage(file string, src []byte, cache *memo.Cache) (*File, int) {
	p := &File{Name: file, src: src, Digest: memo.Digest(string(src))}
	key := "page " + file + " " + p.Digest
	if known, ok := cache.Find(key).(*File); ok {
		copied := *known
		copied.Segments = slices.Clone(known.Segments) // ids are filled in
		return &copied, 0
	}
	page, line := segment.Parse(src)
	if line > 0 {
		return nil, line
	}
	p.page, p.Marked, p.problems, p.Uses = page, page.Marked(), page.Problems, usesOf(page)
	p.Segments = slices.Clone(page.Segments)
	for i := range p.Segments {
		p.Segments[i].Node = nil
	}
	light := *p
	light.page, light.Segments = nil, slices.Clone(p.Segments)
	cache.Keep(key, &light, 3*len(src)+1000)
	return p, 0
}

// ReadAll reads all Markdown files, in the order of their names. Ids that stand twice are faults.
func ReadAll(src *folder.Folder, cache *memo.Cache) []*File {
	var out []*File
	first := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(src.Files)) {
		if path.Ext(name) != ".md" {
			continue
		}
		p, line := readPage(name, src.Files[name], cache)
		if line > 0 {
			src.Faults.Add(name, line, "lesson.too_deep")
			continue
		}
		marked := p.Marked
		for _, id := range slices.Sorted(maps.Keys(marked)) {
			lines := slices.Sorted(slices.Values(marked[id]))
			for _, line := range lines {
				if where, ok := first[id]; ok {
					src.Faults.Add(name, line, "lesson.duplicate_segment_id", "ID", id, "Other", where)
					continue
				}
				first[id] = name + ":" + strconv.Itoa(line)
			}
		}
		out = append(out, p)
	}
	return out
}

// NoteProblems notes what is wrong with the ids in pages.
func NoteProblems(pages []*File, faults *folder.Faults) {
	for _, p := range pages {
		for _, pr := range p.problems {
			id, _ := pr.Args["ID"].(string)
			faults.Add(p.Name, pr.Line, pr.Key, "ID", id)
		}
	}
}

// Use is where a page shows a picture or plays a recording.
type Use struct {
	File  string
	Line  int
	Alt   string // of a picture
	Words int    // of a recording's transcript; -1: none
}

// usesOf lists what a page shows and plays.
func usesOf(p *segment.Page) []Use {
	var out []Use
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		d, ok := n.(*segment.Directive)
		if !ok || !entering || d.Name != "figure" && d.Name != "audio" {
			return ast.WalkContinue, nil
		}
		u := Use{File: d.Title, Line: p.Line(d.Pos()), Words: -1}
		if d.Name == "audio" && d.FirstChild() != nil {
			u.Words = CountWords(segment.Prose(d, p.Text))
		}
		for _, o := range d.Options {
			if d.Name == "figure" && o.Key == "alt" && o.Value != "" {
				u.Alt, u.Line = o.Value, p.Line(o.Offset)
			}
		}
		out = append(out, u)
		return ast.WalkContinue, nil
	})
	return out
}

// Package page reads the Markdown of a lesson or a lab's statement, and turns it into HTML in the languages of its course.
package page

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"

	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

// Course tells what is there to lead to. A nil function leaves that unchecked.
type Course struct {
	Lesson func(id string) bool
	Lab    func(id string) bool
	Term   func(id string) bool
	Media  func(file string) bool
}

// Report notes a fault of the page; args are pairs of name and value.
type Report func(line int, key string, args ...string)

// Check holds a page against the format. A lesson needs a title, the one level-one heading on its first line; a
// lab's statement may have one.
func Check(p *segment.Page, needTitle bool, course Course, report Report) {
	c := checker{page: p, course: course, report: report}
	for _, pr := range p.Problems {
		id, _ := pr.Args["ID"].(string)
		report(pr.Line, pr.Key, "ID", id)
	}
	title := Title(p)
	switch {
	case title == nil && needTitle:
		report(1, "lesson.no_title")
	case title != nil && strings.TrimSpace(segment.Prose(title, p.Text)) == "" && needTitle:
		report(1, "lesson.no_title")
	}
	c.walk(title)
	if needTitle {
		for n := p.Root.FirstChild(); n != nil; n = n.NextSibling() {
			if n != title && (n.Kind() == segment.KindDirective || strings.TrimSpace(segment.Prose(n, p.Text)) != "") {
				return
			}
		}
		report(1, "lesson.empty")
	}
}

// Title finds the level-one heading on the first line, or nil.
func Title(p *segment.Page) ast.Node {
	h, ok := p.Root.FirstChild().(*ast.Heading)
	if !ok || h.Level != 1 || p.Line(offsetOf(h)) != 1 {
		return nil
	}
	return h
}

type checker struct {
	page   *segment.Page
	course Course
	report Report
}

func (c *checker) fault(n ast.Node, key string, args ...string) {
	c.report(c.page.Line(offsetOf(n)), key, args...)
}

// offsetOf finds where a node begins, or else where its nearest neighbour in the tree does.
func offsetOf(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if pos := n.Pos(); pos >= 0 && n.Kind() != ast.KindDocument {
			return pos
		}
		if n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
			return n.Lines().At(0).Start
		}
	}
	return 0
}

// definition is a link definition, which a segment alone could not follow.
var definition = regexp.MustCompile(`^\[[^\]]+\]:[ \t]*\S`)

func (c *checker) walk(title ast.Node) {
	level := 1
	_ = ast.Walk(c.page.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			c.fault(n, "lesson.raw_html")
		case *ast.CodeBlock:
			c.fault(n, "lesson.indented_code")
		case *ast.Image:
			c.fault(n, "lesson.image")
		case *ast.Text:
			if segment.LooseStars(n, c.page.Text) {
				c.fault(n, "lesson.loose_stars")
			}
		case *ast.Link:
			c.link(n)
		case *ast.AutoLink:
			if n.AutoLinkType != ast.AutoLinkURL || !segment.IsHTTPS(string(n.URL(c.page.Text))) {
				c.fault(n, "lesson.bad_link", "Link", string(n.URL(c.page.Text)))
			}
		case *ast.Paragraph:
			if n.Lines().Len() > 0 {
				first := n.Lines().At(0)
				if definition.Match(first.Value(c.page.Text)) {
					c.fault(n, "lesson.link_definition")
				}
			}
		case *ast.Heading:
			if n == title {
				break
			}
			switch {
			case n.Level == 1:
				c.fault(n, "lesson.second_title")
			case n.Level > level+1:
				c.fault(n, "lesson.heading_jump", "Level", strconv.Itoa(n.Level), "Wanted", strings.Repeat("#", level+1))
			}
			level = max(n.Level, 2)
			if strings.TrimSpace(segment.Prose(n, c.page.Text)) == "" {
				c.fault(n, "lesson.empty_heading")
			}
		case *segment.Directive:
			c.directive(n)
		}
		return ast.WalkContinue, nil
	})
}

// form is what a directive takes.
type form struct {
	title   string // "": none; "may"; "must"; else what its first word names: lab, media
	options []string
	body    bool // must have one
}

var forms = map[string]form{
	"note":       {body: true},
	"example":    {title: "may", body: true},
	"definition": {title: "must", body: true},
	"reveal":     {title: "must", body: true},
	"discussion": {title: "may", body: true},
	"activity":   {title: "may", body: true},
	"lab":        {title: "lab"},
	"figure":     {title: "picture", options: []string{"alt"}},
	"audio":      {title: "sound", options: []string{"title"}, body: true},
}

func (c *checker) directive(n *segment.Directive) {
	f, known := forms[n.Name]
	switch {
	case n.Stray:
		c.fault(n, "lesson.stray_block_end")
		return
	case !known:
		c.fault(n, "lesson.unknown_block", "Block", n.Name)
	case n.Parent().Kind() != ast.KindDocument:
		c.fault(n, "lesson.nested_block")
	case n.FirstChild() == nil && f.body:
		c.fault(n, "lesson.empty_block")
	}
	if known {
		c.title(n, f)
		c.options(n, f)
	}
	if !n.Closed {
		c.fault(n, "lesson.unclosed_block", "Block", n.Name)
	}
}

func (c *checker) title(n *segment.Directive, f form) {
	switch f.title {
	case "":
		if n.Title != "" {
			c.fault(n, "lesson.block_title", "Block", n.Name)
		}
	case "may", "must":
		if n.Title == "" {
			if f.title == "must" {
				c.fault(n, "lesson.missing_block_title", "Block", n.Name)
			}
			return
		}
		in, ok := segment.Read(segment.Title, n.Title)
		if ok {
			_ = ast.Walk(in.Node, func(t ast.Node, _ bool) (ast.WalkStatus, error) {
				switch t.(type) {
				case *ast.Link, *ast.AutoLink, *ast.Image, *ast.RawHTML:
					ok = false
				}
				return ast.WalkContinue, nil
			})
		}
		if !ok {
			c.fault(n, "lesson.title_markup")
		}
	case "lab":
		if n.Title == "" {
			c.fault(n, "lesson.names_nothing", "Block", n.Name)
		} else if c.course.Lab != nil && !c.course.Lab(n.Title) {
			c.fault(n, "lesson.unknown_lab", "Lab", n.Title)
		}
	default:
		ext := path.Ext(n.Title)
		switch {
		case n.Title == "":
			c.fault(n, "lesson.names_nothing", "Block", n.Name)
		case c.course.Media != nil && !c.course.Media(n.Title):
			c.fault(n, "lesson.unknown_media", "File", n.Title)
		case f.title == "sound" != (ext == ".opus" || ext == ".ogg" || ext == ".mp3" || ext == ".wav"):
			c.fault(n, "lesson.wrong_media", "Block", n.Name, "File", n.Title)
		}
	}
}

func (c *checker) options(n *segment.Directive, f form) {
	seen := map[string]bool{}
	for _, o := range n.Options {
		line := c.page.Line(o.Offset)
		known := false
		for _, k := range f.options {
			known = known || k == o.Key
		}
		switch {
		case !known:
			c.report(line, "lesson.unknown_option", "Option", o.Key, "Block", n.Name)
		case seen[o.Key]:
			c.report(line, "lesson.option_twice", "Option", o.Key)
		case o.Value == "":
			c.report(line, "lesson.empty_option", "Option", o.Key)
		}
		seen[o.Key] = true
	}
	for _, k := range f.options {
		if !seen[k] {
			c.fault(n, "lesson.missing_option", "Option", k, "Block", n.Name)
		}
	}
}

const idForm = `[a-z][a-z0-9-]{1,63}`

var internalLink = regexp.MustCompile(`^(lesson|term):(` + idForm + `)$`)

func (c *checker) link(n *ast.Link) {
	dest := string(n.Destination)
	m := internalLink.FindStringSubmatch(dest)
	switch {
	case m == nil:
		if !segment.IsHTTPS(dest) {
			c.fault(n, "lesson.bad_link", "Link", dest)
		}
	case m[1] == "lesson" && c.course.Lesson != nil && !c.course.Lesson(m[2]):
		c.fault(n, "lesson.unknown_lesson", "Lesson", m[2])
	case m[1] == "term" && c.course.Term != nil && !c.course.Term(m[2]):
		c.fault(n, "lesson.unknown_term", "Term", m[2])
	}
	if strings.TrimSpace(segment.Prose(n, c.page.Text)) == "" {
		c.fault(n, "lesson.empty_link")
	}
}

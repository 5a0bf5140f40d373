// Package segment finds the smallest translatable pieces of a Markdown file and keeps their ids.
package segment

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Kind is what a segment is in its page.
type Kind string

// The kinds. The text of a Heading, Paragraph (a list item's own text too) and Title is one line of inline Markdown;
// of a Table its Markdown, several lines; of Plain (a code block in the language "text"), Alt and AudioTitle bare words.
const (
	Heading    Kind = "heading"
	Paragraph  Kind = "paragraph"
	Table      Kind = "table"
	Plain      Kind = "text"
	Title      Kind = "title" // of a directive: its title, term or summary
	Alt        Kind = "alt"   // of a figure
	AudioTitle Kind = "audio"
)

// Segment is one piece.
type Segment struct {
	ID     string // "" when the source has none yet
	Kind   Kind
	Source string
	Line   int // where it begins in the file, from 1
	Node   ast.Node
	// Directive names the one whose text it is: a Title, Alt or AudioTitle.
	Directive string
	// Recorded tells that it belongs to a recording: its title, or a part of its transcript.
	Recorded bool

	owner int // clean line that its marker belongs to
	alone bool
	ends  string // what is put after the id of the marker: "", ".alt" or ".title"
}

// Problem is what is wrong with the markers of a page; it becomes a fault.Detail of the file.
type Problem struct {
	Line int
	Key  string
	Args map[string]any
}

// Page is a Markdown file that was read: its tree, made from Text, and its segments in order.
type Page struct {
	Text     []byte // the file without its markers
	Root     ast.Node
	Segments []Segment
	Problems []Problem

	raw      []byte
	original []int          // line of the file for each line of Text, both from 0
	marks    map[int]string // id by line of Text that carries its marker
	after    map[int]string // id by line of Text that a marker line follows
	starts   []int          // offset of each line of Text
	opened   map[int]bool   // lines of Text that open a code block
}

// ID is the form of a segment's id.
const ID = `[a-z][a-z0-9]{5,15}`

var (
	marker = regexp.MustCompile(`(?:^|[ \t])\{#(` + ID + `)\}[ \t]*$`)
	alone  = regexp.MustCompile(`^[ \t>]*\{#(` + ID + `)\}[ \t]*$`)
	unfit  = regexp.MustCompile(`\{#[^{}\n]*\}[ \t]*$`)
)

// markdown is CommonMark with tables and directives, but without link definitions: a segment stands for itself.
var markdown = parser.NewParser(
	parser.WithBlockParsers(append(parser.DefaultBlockParsers(), util.Prioritized(directiveParser{}, 750))...),
	parser.WithInlineParsers(parser.DefaultInlineParsers()...),
	parser.WithParagraphTransformers(util.Prioritized(tables{}, 200)),
)

// Parse reads a page, whose text is valid UTF-8 with LF line ends. It fails with the line where the page is too costly to read.
func Parse(src []byte) (*Page, int) {
	if line := tooCostly(src); line > 0 {
		return nil, line
	}
	p := &Page{raw: src}
	p.strip(nil)
	p.parse()
	if code := p.markersInCode(); len(code) > 0 {
		p.strip(code) // what looks like a marker there is code
		p.parse()
	}
	p.gather()
	return p, 0
}

func (p *Page) parse() {
	p.Root = markdown.Parse(text.NewReader(p.Text))
	p.opened = map[int]bool{}
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if n.Kind() == ast.KindFencedCodeBlock && entering {
			p.opened[p.clean(n.Pos())] = true
		}
		return ast.WalkContinue, nil
	})
}

// strip takes the markers off, but on the lines of code.
func (p *Page) strip(code map[int]bool) {
	var out []byte
	p.original, p.starts = nil, nil
	p.marks, p.after = map[int]string{}, map[int]string{}
	lines := bytes.Split(p.raw, []byte("\n"))
	for i, l := range lines {
		if !code[i] && bytes.HasSuffix(bytes.TrimRight(l, " \t"), []byte("}")) {
			if m := alone.FindSubmatch(l); m != nil {
				last := len(p.original) - 1
				if _, taken := p.after[last]; last < 0 || taken {
					p.problem(i+1, "lesson.stray_segment_id", "ID", string(m[1]))
				} else {
					p.after[last] = string(m[1])
				}
				continue
			}
			if m := marker.FindSubmatchIndex(l); m != nil {
				p.marks[len(p.original)] = string(l[m[2]:m[3]])
				l = l[:m[0]]
			}
		}
		if len(p.original) > 0 {
			out = append(out, '\n')
		}
		p.original = append(p.original, i)
		p.starts = append(p.starts, len(out))
		out = append(out, l...)
	}
	p.Text = out
}

// markersInCode finds lines of the file, from 0, that lost in a code block what looked like a marker.
func (p *Page) markersInCode() map[int]bool {
	var code map[int]bool
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		if k := n.Kind(); k != ast.KindFencedCodeBlock && k != ast.KindCodeBlock {
			return ast.WalkContinue, nil
		}
		first, last := p.clean(n.Pos()), p.closing(n)
		// The last line of a block is its closing fence, and the marker after it is one.
		for i := first; i <= last; i++ {
			_, marked := p.marks[i]
			_, followed := p.after[i]
			if !marked && (!followed || i == last) {
				continue
			}
			if code == nil {
				code = map[int]bool{}
			}
			until := len(bytes.Split(p.raw, []byte("\n")))
			if i+1 < len(p.original) {
				until = p.original[i+1]
			}
			for o := p.original[i]; o < until && (i < last || o == p.original[i]); o++ {
				code[o] = true
			}
		}
		return ast.WalkSkipChildren, nil
	})
	return code
}

// closing is the last line of Text of a code block: its closing fence, where it has one.
func (p *Page) closing(n ast.Node) int {
	first := p.clean(n.Pos())
	last := first
	if k := n.Lines().Len(); k > 0 {
		last = p.clean(n.Lines().At(k - 1).Start)
	}
	if n.Kind() == ast.KindFencedCodeBlock && last+1 < len(p.starts) && !p.opened[last+1] {
		next := strings.TrimLeft(p.line(last+1), " \t>")
		if strings.HasPrefix(next, "```") || strings.HasPrefix(next, "~~~") {
			return last + 1
		}
	}
	return last
}

// line gives a line of Text.
func (p *Page) line(i int) string {
	end := len(p.Text)
	if i+1 < len(p.starts) {
		end = p.starts[i+1] - 1
	}
	return string(p.Text[p.starts[i]:end])
}

// clean finds the line of Text, from 0, that holds an offset.
func (p *Page) clean(offset int) int {
	i, exact := slices.BinarySearch(p.starts, offset)
	if exact {
		return i
	}
	return max(i-1, 0)
}

// Line finds the line of the file, from 1, that holds an offset of Text.
func (p *Page) Line(offset int) int {
	if len(p.original) == 0 {
		return 1
	}
	return p.original[p.clean(min(max(offset, 0), len(p.Text)))] + 1
}

func (p *Page) problem(line int, key string, args ...string) {
	pr := Problem{Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if pr.Args == nil {
			pr.Args = map[string]any{}
		}
		pr.Args[args[i]] = args[i+1]
	}
	p.Problems = append(p.Problems, pr)
}

// gather lists the segments and gives each its id.
func (p *Page) gather() {
	_ = ast.Walk(p.Root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			p.inline(n, Heading)
			return ast.WalkSkipChildren, nil
		case *ast.Paragraph, *ast.TextBlock:
			p.inline(n, Paragraph)
			return ast.WalkSkipChildren, nil
		case *extast.Table:
			p.table(n)
			return ast.WalkSkipChildren, nil
		case *ast.FencedCodeBlock:
			if string(n.Language(p.Text)) == "text" {
				p.plain(n)
			}
			return ast.WalkSkipChildren, nil
		case *Directive:
			p.directive(n)
		}
		return ast.WalkContinue, nil
	})
	behind, below := map[int]bool{}, map[int]bool{} // lines whose marker belongs to a segment
	for i, s := range p.Segments {
		id, used := "", behind
		if !s.alone {
			id = p.marks[s.owner]
		}
		if id == "" {
			id, used = p.after[s.owner], below
		}
		if id != "" {
			p.Segments[i].ID = id + s.ends
			used[s.owner] = true
		}
	}
	for i, id := range p.marks {
		// A directive keeps its id when it loses its title.
		if !behind[i] && !strings.HasPrefix(strings.TrimLeft(p.line(i), " "), ":::") {
			p.problem(p.original[i]+1, "lesson.stray_segment_id", "ID", id)
		}
	}
	for i, id := range p.after {
		if !below[i] {
			p.problem(p.original[i]+2, "lesson.stray_segment_id", "ID", id)
		}
	}
	for _, s := range p.Segments {
		if s.Kind != Plain && s.Kind != Table && unfit.MatchString(s.Source) {
			p.problem(p.original[s.owner]+1, "lesson.bad_segment_id")
		}
	}
	slices.SortStableFunc(p.Problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Key, b.Key)
	})
}

func (p *Page) add(s Segment) {
	if strings.TrimSpace(s.Source) == "" {
		return
	}
	for n := s.Node; n != nil && !s.Recorded; n = n.Parent() {
		d, ok := n.(*Directive)
		s.Recorded = ok && d.Name == "audio"
	}
	p.Segments = append(p.Segments, s)
}

// inline takes a heading or a paragraph. Its lines become one, for where a line ends in the file means nothing.
func (p *Page) inline(n ast.Node, k Kind) {
	lines := n.Lines()
	if lines.Len() == 0 {
		return
	}
	hard := map[int]bool{}
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := c.(*ast.Text); ok && entering && t.HardLineBreak() {
			hard[p.clean(t.Segment.Start)] = true
		}
		return ast.WalkContinue, nil
	})
	var b strings.Builder
	for i := range lines.Len() {
		seg := lines.At(i)
		l := strings.Trim(string(seg.Value(p.Text)), " \t\n")
		switch {
		case i == lines.Len()-1:
			b.WriteString(l)
		case hard[p.clean(seg.Start)]:
			b.WriteString(strings.TrimRight(strings.TrimSuffix(l, `\`), " \t") + "\\\n")
		default:
			b.WriteString(l + " ")
		}
	}
	first, last := lines.At(0), lines.At(lines.Len()-1)
	p.add(Segment{Kind: k, Source: b.String(), Line: p.Line(first.Start), Node: n, owner: p.clean(last.Start)})
}

// tables notes where a table stands before its lines are gone.
type tables struct{}

var tableLines = []byte("banyan-lines")

// Transform implements parser.ParagraphTransformer.
func (tables) Transform(node *ast.Paragraph, reader text.Reader, pc parser.Context) {
	var lines []text.Segment
	for i := range node.Lines().Len() {
		lines = append(lines, node.Lines().At(i))
	}
	parent, before := node.Parent(), node.PreviousSibling()
	extension.NewTableParagraphTransformer().Transform(node, reader, pc)
	var t ast.Node
	switch {
	case node.Parent() != nil:
		t = node.NextSibling()
	case before != nil:
		t = before.NextSibling()
	default:
		t = parent.FirstChild()
	}
	if t, ok := t.(*extast.Table); ok {
		left := 0
		if node.Parent() != nil {
			left = node.Lines().Len()
		}
		t.SetAttribute(tableLines, lines[left:])
	}
}

func (p *Page) table(n *extast.Table) {
	v, ok := n.Attribute(tableLines)
	lines, fit := v.([]text.Segment)
	if !ok || !fit || len(lines) == 0 {
		return
	}
	var b strings.Builder
	for i, seg := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(strings.Trim(string(seg.Value(p.Text)), " \t\n"))
	}
	n.RemoveAttributes()
	p.add(Segment{
		Kind: Table, Source: b.String(), Line: p.Line(lines[0].Start), Node: n,
		owner: p.clean(lines[len(lines)-1].Start), alone: true,
	})
}

func (p *Page) plain(n *ast.FencedCodeBlock) {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		b.Write(seg.Value(p.Text))
	}
	p.add(Segment{
		Kind: Plain, Source: strings.TrimRight(b.String(), "\n"), Line: p.Line(n.Pos()), Node: n,
		owner: p.closing(n), alone: true,
	})
}

// titled names the directives whose opening line carries a text. Of the others it names a thing.
var titled = map[string]bool{"example": true, "definition": true, "reveal": true, "discussion": true, "activity": true}

func (p *Page) directive(n *Directive) {
	if n.Stray {
		return
	}
	owner := p.clean(n.Pos())
	add := func(k Kind, source, ends string, at int) {
		p.add(Segment{Kind: k, Source: source, Line: p.Line(at), Node: n, Directive: n.Name, owner: owner, ends: ends})
	}
	switch {
	case titled[n.Name]:
		add(Title, n.Title, "", n.Pos())
	case n.Name == "figure" || n.Name == "audio":
		for _, o := range n.Options {
			if n.Name == "figure" && o.Key == "alt" {
				add(Alt, o.Value, ".alt", o.Offset)
			}
			if n.Name == "audio" && o.Key == "title" {
				add(AudioTitle, o.Value, ".title", o.Offset)
			}
		}
	}
}

// What a page may hold at most. Each bound is far above what a reader bears, and keeps a
// small hostile file from costing much: parsers take time that is quadratic in nesting and in
// open brackets, and every row of a table gets all the columns of its head.
const (
	maxLines       = 2000
	maxDirectives  = 200  // lines that begin with :::
	maxMarks       = 2000 // opening brackets in all; marks of any kind in a line
	maxColumns     = 30
	maxQuotes      = 16 // quotes and lists in each other on one line
	maxIndentation = 100
)

// tooCostly finds the line where a page goes beyond those bounds, or 0.
func tooCostly(src []byte) int {
	blocks, brackets := 0, 0
	for i, l := range bytes.Split(src, []byte("\n")) {
		depth, indent := 0, 0
	marks:
		for _, c := range l {
			switch c {
			case '>', '-', '*', '+':
				depth++
			case ' ':
				indent++
			case '\t':
				indent += 4
			default:
				break marks
			}
		}
		text := bytes.TrimSpace(l)
		rule := len(bytes.Trim(l, "-* \t")) == 0 && depth < 200 // a thematic break
		if len(text) > 0 && (depth > maxQuotes && !rule || indent > maxIndentation) {
			return i + 1
		}
		if bytes.HasPrefix(text, []byte(":::")) {
			blocks++
		}
		marks := 0
		for _, c := range l {
			switch c {
			case '[', '<', '*', '_', '`', '&':
				marks++
			}
		}
		brackets += bytes.Count(l, []byte("["))
		if i >= maxLines || blocks > maxDirectives || brackets > maxMarks || marks > maxMarks || bytes.Count(l, []byte("|")) > maxColumns {
			return i + 1
		}
	}
	return 0
}

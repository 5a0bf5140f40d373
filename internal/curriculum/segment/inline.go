package segment

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// Inline is a text that was read by itself: as the words of one block, or as one table. Nothing in it can become
// another kind of block, whatever it says.
type Inline struct {
	Text []byte
	Node ast.Node // a Paragraph, whose children count, or a Table
}

var words = parser.NewParser(
	parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 1)),
	parser.WithInlineParsers(parser.DefaultInlineParsers()...),
)

var rows = parser.NewParser(
	parser.WithBlockParsers(util.Prioritized(parser.NewParagraphParser(), 1)),
	parser.WithInlineParsers(parser.DefaultInlineParsers()...),
	parser.WithParagraphTransformers(util.Prioritized(tables{}, 200)),
)

// Read reads the text of a segment of a kind that is Markdown. It fails when
// the text is not what the kind asks for: one paragraph, or one table.
func Read(k Kind, s string) (Inline, bool) {
	in := Inline{Text: []byte(s)}
	if tooCostly(in.Text) > 0 {
		return in, false
	}
	p := words
	if k == Table {
		p = rows
	}
	root := p.Parse(text.NewReader(in.Text))
	in.Node = root.FirstChild()
	if in.Node == nil || in.Node.NextSibling() != nil || (k == Table) != (in.Node.Kind() == extast.KindTable) {
		return in, false
	}
	in.Node.RemoveAttributes()
	return in, true
}

// parts are what a translation must have as its source has it.
type parts struct {
	links, code []string
	refused     string // key of a fault
}

func partsOf(in Inline) parts {
	var p parts
	_ = ast.Walk(in.Node, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.AutoLink:
			p.links = append(p.links, string(n.URL(in.Text)))
		case *ast.CodeSpan:
			p.code = append(p.code, strings.TrimSpace(CodeText(n, in.Text)))
		case *ast.RawHTML:
			p.refused = "translation.raw_html"
		case *ast.Image:
			p.refused = "translation.image"
		case *ast.Text:
			if LooseStars(n, in.Text) && p.refused == "" {
				p.refused = "translation.loose_stars"
			}
		}
		return ast.WalkContinue, nil
	})
	slices.Sort(p.links)
	slices.Sort(p.code)
	return p
}

// LooseStars tells whether a text shows two stars that were meant to make it bold. By the rules of CommonMark stars between a letter and
// a sign mark nothing, and scripts that set no spaces have letters everywhere: **[word](term:word)** works in English only.
func LooseStars(n *ast.Text, src []byte) bool {
	if n.Parent().Kind() == ast.KindCodeSpan {
		return false
	}
	raw := n.Value(src)
	for i := 0; i+1 < len(raw); i++ {
		switch {
		case raw[i] == '\\':
			i++
		case raw[i] == '*' && raw[i+1] == '*':
			return true
		}
	}
	return false
}

// CodeText is what a code span says.
func CodeText(n *ast.CodeSpan, src []byte) string {
	var b bytes.Buffer
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			b.Write(bytes.ReplaceAll(t.Value(src), []byte("\n"), []byte(" ")))
		}
	}
	return b.String()
}

// Misfit tells how a translation does not fit its source: the key of a fault and its arguments (pairs of name
// and value), or "". A fitting one has the same kind of block, leads to the same places and has the same code in it.
func Misfit(k Kind, source, translation string) (key string, args []string) {
	if TooLong(source, translation) {
		return "translation.too_long", nil
	}
	switch k {
	case Plain:
		return "", nil
	case Alt, AudioTitle:
		if strings.Contains(translation, "\n") {
			return "translation.line_break", nil
		}
		return "", nil
	case Heading, Title:
		if strings.Contains(translation, "\n") {
			return "translation.line_break", nil
		}
	}
	is, ok := Read(k, translation)
	if !ok {
		if k == Table {
			return "translation.not_a_table", nil
		}
		return "translation.not_one_paragraph", nil
	}
	was, ok := Read(k, source)
	if !ok {
		return "", nil // the source is at fault, and that is told there
	}
	if k == Table {
		r, c := size(was.Node)
		if r2, c2 := size(is.Node); r != r2 || c != c2 {
			return "translation.other_table", nil
		}
	}
	a, b := partsOf(was), partsOf(is)
	if b.refused != "" {
		return b.refused, nil
	}
	if k == Title && len(b.links) > 0 {
		return "translation.links", []string{"Wanted", "–", "Found", strings.Join(b.links, ", ")}
	}
	if !slices.Equal(a.links, b.links) {
		return "translation.links", []string{"Wanted", orDash(a.links), "Found", orDash(b.links)}
	}
	if !within(a.code, b.code) {
		return "translation.code", []string{"Wanted", orDash(a.code), "Found", orDash(b.code)}
	}
	return "", nil
}

// within tells whether a list has all entries of another, as often. Both are sorted. A translation may repeat code, to
// say what it means.
func within(some, all []string) bool {
	for _, s := range some {
		i, found := slices.BinarySearch(all, s)
		if !found {
			return false
		}
		all = all[i+1:]
	}
	return true
}

// TooLong tells whether a translation is longer than any translation of the source would be.
func TooLong(source, translation string) bool {
	return utf8.RuneCountInString(translation) > 4*utf8.RuneCountInString(source)+200
}

func orDash(list []string) string {
	if len(list) == 0 {
		return "–"
	}
	return strings.Join(list, ", ")
}

// size counts the rows and columns of a table.
func size(n ast.Node) (r, c int) {
	for row := n.FirstChild(); row != nil; row = row.NextSibling() {
		r++
	}
	return r, n.FirstChild().ChildCount()
}

// Prose is the text of a node without its markup; blocks are set apart by a line break.
func Prose(root ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			if n.Type() == ast.TypeBlock {
				b.WriteByte('\n')
			}
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(n.Value(src)))))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(src))
		case *Directive:
			b.WriteString(n.Title + "\n")
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// IsHTTPS tells whether an address may be linked.
func IsHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

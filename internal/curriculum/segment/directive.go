package segment

import (
	"bytes"
	"regexp"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Directive is our one extension of Markdown: a block between a line ::: name … and a line :::.
// Option lines :key: value may stand directly after the opening.
type Directive struct {
	ast.BaseBlock
	Name    string
	Title   string // the rest of the opening line
	Options []Option
	Closed  bool
	Stray   bool // a closing line with nothing to close
}

// Option is a line :key: value of a directive.
type Option struct {
	Key, Value string
	Offset     int // of its line in the text
}

// Option gives the value of an option, or "".
func (n *Directive) Option(key string) string {
	for _, o := range n.Options {
		if o.Key == key {
			return o.Value
		}
	}
	return ""
}

// KindDirective is the kind of a Directive in the tree.
var KindDirective = ast.NewNodeKind("BanyanDirective")

// Kind implements ast.Node.
func (n *Directive) Kind() ast.NodeKind { return KindDirective }

// Dump implements ast.Node.
func (n *Directive) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

var (
	directiveOpening = regexp.MustCompile(`^:::+[ \t]*([^ \t\n]+)[ \t]*(.*?)[ \t]*\n?$`)
	directiveClosing = regexp.MustCompile(`^:::+[ \t]*\n?$`)
	directiveOption  = regexp.MustCompile(`^[ ]{0,3}:([a-z][a-z-]*):(?:[ \t]+(.*?))?[ \t]*\n?$`)
)

type directiveParser struct{}

func (directiveParser) Trigger() []byte             { return []byte{':'} }
func (directiveParser) CanInterruptParagraph() bool { return true }
func (directiveParser) CanAcceptIndentedLine() bool { return false }

func (directiveParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	line = line[max(pc.BlockOffset(), 0):]
	if directiveClosing.Match(line) {
		reader.AdvanceToEOL()
		return &Directive{Stray: true}, parser.NoChildren
	}
	m := directiveOpening.FindSubmatch(line)
	if m == nil {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	return &Directive{Name: string(m[1]), Title: string(m[2])}, parser.HasChildren
}

func (directiveParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	n := node.(*Directive)
	if n.Stray {
		return parser.Close
	}
	line, at := reader.PeekLine()
	if !directiveClosing.Match(line) {
		if n.FirstChild() == nil && at.Start == n.optionsEnd(reader.Source()) {
			if m := directiveOption.FindSubmatch(line); m != nil {
				n.Options = append(n.Options, Option{Key: string(m[1]), Value: string(m[2]), Offset: at.Start})
				reader.AdvanceToEOL()
				return parser.Continue | parser.NoChildren
			}
		}
		return parser.Continue | parser.HasChildren
	}
	for _, open := range pc.OpenedBlocks() {
		switch o := open.Node.(type) {
		case *ast.FencedCodeBlock:
			return parser.Continue | parser.HasChildren // three colons inside code are code
		case *Directive:
			if o != n && o.Pos() > n.Pos() && !o.Closed {
				return parser.Continue | parser.HasChildren // closes the inner one; nesting is a fault of its own
			}
		}
	}
	n.Closed = true
	reader.AdvanceToEOL()
	return parser.Close
}

// optionsEnd is where the line after the opening and the options begins.
func (n *Directive) optionsEnd(source []byte) int {
	at := n.Pos()
	if len(n.Options) > 0 {
		at = n.Options[len(n.Options)-1].Offset
	}
	i := bytes.IndexByte(source[min(max(at, 0), len(source)):], '\n')
	if i < 0 {
		return len(source)
	}
	return at + i + 1
}

func (directiveParser) Close(ast.Node, text.Reader, parser.Context) {}

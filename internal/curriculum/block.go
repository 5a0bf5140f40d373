package curriculum

import (
	"regexp"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// blocks is our one extension of Markdown: note, example and try, between a line
// that begins with ::: and a line that is :::.
//
// Its markup has no words of its own, because words belong to the reader's
// language and not to the compiler:
//
//	<aside class="block note" data-label="block.note">…</aside>
//	<figure class="block example" data-label="block.example"><figcaption>Title</figcaption>…</figure>
//	<section class="block try" data-label="block.try">…</section>
//
// data-label is a message key. The page puts its words at the top of the block
// (as text, so that they are read aloud too); without that the block is still
// whole, in order and readable.
type blocks struct{}

// blockNode is one of our blocks.
type blockNode struct {
	ast.BaseBlock
	name, title string
	closed      bool
	stray       bool // a closing line with nothing to close
}

var blockKind = ast.NewNodeKind("BanyanBlock")

func (n *blockNode) Kind() ast.NodeKind            { return blockKind }
func (n *blockNode) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// Extend implements goldmark.Extender.
func (blocks) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(parser.WithBlockParsers(util.Prioritized(blockParser{}, 750)))
	m.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(blockRenderer{}, 500)))
}

var (
	blockOpening = regexp.MustCompile(`^:::+[ \t]*([^ \t\n]+)[ \t]*(.*?)[ \t]*\n?$`)
	blockClosing = regexp.MustCompile(`^:::+[ \t]*\n?$`)
)

type blockParser struct{}

func (blockParser) Trigger() []byte             { return []byte{':'} }
func (blockParser) CanInterruptParagraph() bool { return true }
func (blockParser) CanAcceptIndentedLine() bool { return false }

func (blockParser) Open(_ ast.Node, reader text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	line = line[max(pc.BlockOffset(), 0):]
	if blockClosing.Match(line) {
		reader.AdvanceToEOL()
		return &blockNode{stray: true}, parser.NoChildren
	}
	m := blockOpening.FindSubmatch(line)
	if m == nil {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	return &blockNode{name: string(m[1]), title: string(m[2])}, parser.HasChildren
}

func (blockParser) Continue(node ast.Node, reader text.Reader, pc parser.Context) parser.State {
	n := node.(*blockNode)
	if n.stray {
		return parser.Close
	}
	line, _ := reader.PeekLine()
	if !blockClosing.Match(line) {
		return parser.Continue | parser.HasChildren
	}
	for _, open := range pc.OpenedBlocks() {
		switch o := open.Node.(type) {
		case *ast.FencedCodeBlock:
			return parser.Continue | parser.HasChildren // three colons inside code are code
		case *blockNode:
			if o != n && o.Pos() > n.Pos() && !o.closed {
				return parser.Continue | parser.HasChildren // closes the inner one; nesting is a fault of its own
			}
		}
	}
	n.closed = true
	reader.AdvanceToEOL()
	return parser.Close
}

func (blockParser) Close(ast.Node, text.Reader, parser.Context) {}

type blockRenderer struct{}

func (r blockRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(blockKind, r.render)
}

// blockTags are the blocks there are and the element each becomes.
var blockTags = map[string]string{"note": "aside", "example": "figure", "try": "section"}

func (blockRenderer) render(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	n := node.(*blockNode)
	tag, ok := blockTags[n.name]
	if !ok {
		return ast.WalkContinue, nil
	}
	if !entering {
		_, _ = w.WriteString("</" + tag + ">\n")
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString("<" + tag + ` class="block ` + n.name + `" data-label="block.` + n.name + "\">\n")
	if n.title != "" {
		_, _ = w.WriteString("<figcaption>" + string(util.EscapeHTML([]byte(n.title))) + "</figcaption>\n")
	}
	return ast.WalkContinue, nil
}

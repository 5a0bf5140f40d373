package curriculum

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/text/language"
)

// page is a Markdown file that was read: its title and, when it has no faults, its HTML.
type page struct {
	title string
	html  []byte
	words int
}

// markdown is CommonMark with tables and our blocks. Raw HTML is never passed on, and bare addresses stay text.
var markdown = goldmark.New(
	goldmark.WithExtensions(
		extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignNone)),
		blocks{},
	),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100))),
)

// renderMarkdown reads a lesson or a lab's statement. A lesson needs a title, the
// one level-one heading on its first line; a statement may have one. Either
// way it is taken off, for the page shows the title itself. lessons are the ids that lesson: links may name;
// nil leaves that unchecked.
func renderMarkdown(file string, src []byte, needTitle bool, lessons map[string]bool, faults *faultList) page {
	m := marker{file: file, src: src, faults: faults, lessons: lessons}
	if line := m.tooCostly(); line > 0 {
		faults.add(file, line, "lesson.too_deep")
		return page{}
	}
	before := len(faults.list)
	root := markdown.Parser().Parse(text.NewReader(src), parser.WithContext(parser.NewContext(parser.WithIDs(&headingIDs{count: map[string]int{}}))))
	title := m.takeTitle(root, needTitle)
	m.check(root)
	p := page{title: title, words: countWords(m.prose(root))}
	if needTitle && strings.TrimSpace(m.prose(root)) == "" {
		faults.add(file, 1, "lesson.empty")
	}
	if len(faults.list) > before {
		return p
	}
	var out bytes.Buffer
	if err := markdown.Renderer().Render(&out, src, root); err != nil {
		faults.add(file, 1, "lesson.unreadable")
		return p
	}
	p.html = policy.SanitizeBytes(out.Bytes())
	return p
}

type marker struct {
	file    string
	src     []byte
	faults  *faultList
	lessons map[string]bool
}

// line counts from 1 to the line of a byte.
func (m *marker) line(offset int) int {
	offset = min(max(offset, 0), len(m.src))
	return 1 + bytes.Count(m.src[:offset], []byte("\n"))
}

func (m *marker) fault(n ast.Node, key string, args ...string) {
	m.faults.add(m.file, m.line(offsetOf(n)), key, args...)
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

// What a lesson may hold at most. Each bound is far above what a reader bears, and keeps a
// small hostile file from costing much: parsers take time that is quadratic in nesting and in
// open brackets, and every row of a table gets all the columns of its head.
const (
	maxPageLines   = 2000
	maxPageBlocks  = 200  // lines that begin with :::
	maxPageMarks   = 2000 // opening brackets in all; marks of any kind in a line
	maxColumns     = 30
	maxQuotes      = 16 // quotes and lists in each other on one line
	maxIndentation = 100
)

// tooCostly finds the line where a page goes beyond those bounds, or 0.
func (m *marker) tooCostly() int {
	blocks, brackets := 0, 0
	for i, l := range bytes.Split(m.src, []byte("\n")) {
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
		if i >= maxPageLines || blocks > maxPageBlocks || brackets > maxPageMarks || marks > maxPageMarks || bytes.Count(l, []byte("|")) > maxColumns {
			return i + 1
		}
	}
	return 0
}

// takeTitle removes the leading level-one heading and gives its text.
func (m *marker) takeTitle(root ast.Node, need bool) string {
	h, ok := root.FirstChild().(*ast.Heading)
	if !ok || h.Level != 1 || m.line(offsetOf(h)) != 1 {
		if need {
			m.faults.add(m.file, 1, "lesson.no_title")
		}
		return ""
	}
	title := strings.Join(strings.Fields(m.prose(h)), " ")
	if title == "" && need {
		m.faults.add(m.file, 1, "lesson.no_title")
	}
	root.RemoveChild(root, h)
	return title
}

// prose is the text of a node without its markup; blocks are set apart by a line break.
func (m *marker) prose(root ast.Node) string {
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
			b.Write(util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(n.Value(m.src)))))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(m.src))
		case *blockNode:
			b.WriteString(n.title + "\n")
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

func (m *marker) check(root ast.Node) {
	level := 1
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock, *ast.RawHTML:
			m.fault(n, "lesson.raw_html")
		case *ast.Image:
			m.fault(n, "lesson.image")
		case *ast.Link:
			m.link(n)
		case *ast.AutoLink:
			if n.AutoLinkType != ast.AutoLinkURL || !isHTTPS(string(n.URL(m.src))) {
				m.fault(n, "lesson.bad_link", "Link", string(n.URL(m.src)))
			}
		case *ast.Heading:
			switch {
			case n.Level == 1:
				m.fault(n, "lesson.second_title")
			case n.Level > level+1:
				m.fault(n, "lesson.heading_jump", "Level", strconv.Itoa(n.Level), "Wanted", strings.Repeat("#", level+1))
			}
			level = max(n.Level, 2)
			if strings.TrimSpace(m.prose(n)) == "" {
				m.fault(n, "lesson.empty_heading")
			}
		case *blockNode:
			m.block(n)
		case *extast.TableHeader:
			for c := n.FirstChild(); c != nil; c = c.NextSibling() {
				c.SetAttributeString("scope", []byte("col"))
			}
		case *extast.TableCell:
			// Columns follow the reader's direction: left means where lines begin.
			switch n.Alignment {
			case extast.AlignRight:
				n.SetAttributeString("class", []byte("end"))
			case extast.AlignCenter:
				n.SetAttributeString("class", []byte("center"))
			}
		}
		return ast.WalkContinue, nil
	})
}

func (m *marker) block(n *blockNode) {
	_, known := blockTags[n.name]
	switch {
	case n.stray:
		m.fault(n, "lesson.stray_block_end")
		return
	case !known:
		m.fault(n, "lesson.unknown_block", "Block", n.name)
	case n.Parent().Kind() != ast.KindDocument:
		m.fault(n, "lesson.nested_block")
	case n.title != "" && n.name != "example":
		m.fault(n, "lesson.block_title", "Block", n.name)
	case n.FirstChild() == nil:
		m.fault(n, "lesson.empty_block")
	}
	if !n.closed {
		m.fault(n, "lesson.unclosed_block", "Block", n.name)
	}
}

var lessonLink = regexp.MustCompile(`^lesson:(` + idForm + `)$`)

func (m *marker) link(n *ast.Link) {
	dest := string(n.Destination)
	if id := lessonLink.FindStringSubmatch(dest); id != nil {
		if m.lessons != nil && !m.lessons[id[1]] {
			m.fault(n, "lesson.unknown_lesson", "Lesson", id[1])
		}
		// Items of a course are siblings under one address.
		n.Destination = []byte("./" + id[1])
	} else if !isHTTPS(dest) {
		m.fault(n, "lesson.bad_link", "Link", dest)
	}
	if strings.TrimSpace(m.prose(n)) == "" {
		m.fault(n, "lesson.empty_link")
	}
}

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// headingIDs names headings after their words in any script. The prefix keeps
// an author's heading from taking an id that the page uses.
type headingIDs struct {
	count map[string]int // headings by their words
}

// Generate implements parser.IDs.
func (h *headingIDs) Generate(value []byte, _ ast.NodeKind) []byte {
	var b strings.Builder
	b.WriteString("h-")
	dash, n := false, 0
	for _, r := range string(value) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			if dash && n > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(r))
			dash = false
			if n++; n >= 60 {
				break
			}
			continue
		}
		dash = true
	}
	base := b.String()
	id := base
	if h.count[base]++; h.count[base] > 1 || base == "h-" {
		id = base + "." + strconv.Itoa(h.count[base]) // a dot never comes from words, so this cannot meet another heading
	}
	return []byte(id)
}

// Put implements parser.IDs.
func (h *headingIDs) Put([]byte) {} // only for ids that authors write, which our Markdown has not

// codeRenderer writes code from left to right in every language. Blocks can
// be scrolled, so they can be reached with the keyboard; so can tables.
type codeRenderer struct{}

func (c codeRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindCodeBlock, c.block)
	reg.Register(ast.KindFencedCodeBlock, c.block)
	reg.Register(ast.KindCodeSpan, c.span)
	reg.Register(extast.KindTable, c.table)
}

var plainLanguage = regexp.MustCompile(`^[a-z0-9+-]{1,20}$`)

func (codeRenderer) block(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	class := ""
	if f, ok := node.(*ast.FencedCodeBlock); ok {
		if lang := string(f.Language(src)); plainLanguage.MatchString(lang) {
			class = ` class="language-` + lang + `"`
		}
	}
	_, _ = w.WriteString(`<pre dir="ltr" tabindex="0"><code` + class + `>`)
	for i := range node.Lines().Len() {
		seg := node.Lines().At(i)
		html.DefaultWriter.RawWrite(w, seg.Value(src))
	}
	_, _ = w.WriteString("</code></pre>\n")
	return ast.WalkSkipChildren, nil
}

func (codeRenderer) span(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	_, _ = w.WriteString(`<code dir="ltr">`)
	for c := node.FirstChild(); c != nil; c = c.NextSibling() {
		if t, ok := c.(*ast.Text); ok {
			html.DefaultWriter.RawWrite(w, bytes.ReplaceAll(t.Value(src), []byte("\n"), []byte(" ")))
		}
	}
	_, _ = w.WriteString("</code>")
	return ast.WalkSkipChildren, nil
}

func (codeRenderer) table(w util.BufWriter, _ []byte, _ ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString("<div class=\"scroll\" tabindex=\"0\"><table>\n")
	} else {
		_, _ = w.WriteString("</table></div>\n")
	}
	return ast.WalkContinue, nil
}

// policy is the second wall: goldmark writes nothing else, so whatever this
// takes away would have been a hole in the first.
var policy = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("h2", "h3", "h4", "h5", "h6", "p", "ul", "li", "blockquote", "hr", "br", "em", "strong",
		"table", "thead", "tbody", "tr", "figcaption", "a", "ol", "pre", "code", "th", "td", "div", "aside", "figure", "section")
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^h-[\p{L}\p{M}\p{N}.-]+$`)).OnElements("h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(regexp.MustCompile(`^[0-9]{1,9}$`)).OnElements("ol")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(ltr|rtl)$`)).OnElements("pre", "code", "div")
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^` + localeForm + `$`)).OnElements("div")
	p.AllowAttrs("tabindex").Matching(regexp.MustCompile(`^0$`)).OnElements("pre", "div")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-z0-9+-]+$`)).OnElements("code")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^scroll$`)).OnElements("div")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^(end|center)$`)).OnElements("th", "td")
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^block (note|example|try)$`)).OnElements("aside", "figure", "section")
	p.AllowAttrs("data-label").Matching(regexp.MustCompile(`^block\.(note|example|try)$`)).OnElements("aside", "figure", "section")
	p.AllowAttrs("scope").Matching(regexp.MustCompile(`^col$`)).OnElements("th")
	p.AllowAttrs("title").OnElements("a")
	p.AllowAttrs("href").Matching(regexp.MustCompile(`^(https://|\./` + idForm + `$)`)).OnElements("a")
	p.AllowURLSchemes("https")
	p.AllowRelativeURLs(true)
	p.RequireParseableURLs(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	return p
}()

// inSource wraps a fragment that is shown to readers of another language.
func inSource(fragment []byte, source Locale) []byte {
	return []byte(fmt.Sprintf("<div lang=\"%s\" dir=\"%s\">\n%s</div>\n", source, direction(source), fragment))
}

// direction is how a language is written.
func direction(l Locale) string {
	script, _ := language.Make(l).Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr", "Mend":
		return "rtl"
	}
	return "ltr"
}

// countWords counts what stands between spaces and holds a letter or digit.
// Scripts that are written without spaces are counted by letters: of Chinese
// and Japanese 1.5 make a word, of Thai, Lao, Khmer and Burmese 4 (about what
// their translations of one text come to).
func countWords(s string) int {
	words, inWord := 0, false
	han, thai := 0, 0
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			han++
			inWord = false
		case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
			if unicode.IsLetter(r) {
				thai++
			}
			inWord = false
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if !inWord {
				words++
			}
			inWord = true
		case unicode.IsSpace(r):
			inWord = false
		}
	}
	return words + (2*han+1)/3 + (thai+2)/4
}

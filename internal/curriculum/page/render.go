package page

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	rhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

// Said is a text in the language in which it is shown.
type Said struct {
	Text   string
	Locale string // where it is not the page's: a translation is missing
	Stale  bool   // the source changed after this translation was made
}

// Medium is a picture or a recording as the page asks for it.
type Medium struct {
	Src           string
	Srcset        string // other widths, as in HTML
	Width, Height int
	Type          string // of a recording
	Size          int    // of a recording, in bytes
	Duration      time.Duration
	Credit        []string // author, source, licence, where they are not the course's own
}

// Words gives a page its texts in one language.
type Words struct {
	Segment func(id, source string) Said
	Lab     func(id string) Said // title of a lab
	Term    func(id string) (term, definition Said)
	Media   func(file string) Medium
}

// Fragment is a page in one language.
type Fragment struct {
	Title Said
	HTML  []byte
	Words int
	Media []string // files that the page shows
}

// Render makes the fragment of a page without faults. The title is taken off, for whoever shows the page shows it.
//
// The markup has no words of its own, because words belong to the reader's language and not to the compiler:
//
//	<aside class="block note" data-label="block.note">…</aside>
//	<figure class="block example" data-label="block.example"><figcaption>Title</figcaption>…</figure>
//	<section class="block activity" data-label="block.activity">…</section>
//
// data-label is a message key. The page puts its words at the top of the block
// (as text, so that they are read aloud too); without that the block is still whole, in order and readable.
func Render(p *segment.Page, w Words) Fragment {
	r := writer{page: p, words: w, segments: map[ast.Node][]segment.Segment{}, heads: map[string]int{}, terms: map[string]bool{}}
	for _, s := range p.Segments {
		r.segments[s.Node] = append(r.segments[s.Node], s)
	}
	var f Fragment
	title := Title(p)
	if title != nil {
		if s, ok := r.segment(title, segment.Heading); ok {
			f.Title = r.say(s)
			if in, ok := segment.Read(segment.Heading, f.Title.Text); ok {
				f.Title.Text = strings.Join(strings.Fields(segment.Prose(in.Node, in.Text)), " ")
			}
		}
	}
	r.prose.Reset() // the title is not of the text
	for n := p.Root.FirstChild(); n != nil; n = n.NextSibling() {
		if n != title {
			r.block(n)
		}
	}
	r.glossary()
	f.HTML = policy.SanitizeBytes(r.out.Bytes())
	f.Words = CountWords(r.prose.String())
	f.Media = r.media
	return f
}

type writer struct {
	page     *segment.Page
	words    Words
	out      bytes.Buffer
	prose    strings.Builder
	segments map[ast.Node][]segment.Segment
	heads    map[string]int
	within   string // language of the list around, where it is not the page's
	terms    map[string]bool
	order    []string // terms as they come
	media    []string
}

func (r *writer) segment(n ast.Node, k segment.Kind) (segment.Segment, bool) {
	for _, s := range r.segments[n] {
		if s.Kind == k {
			return s, true
		}
	}
	return segment.Segment{}, false
}

func (r *writer) say(s segment.Segment) Said {
	return r.words.Segment(s.ID, s.Source)
}

// marks are the attributes of an element whose text is in another language or behind its source.
func (r *writer) marks(s Said, classes ...string) string {
	out := ""
	if s.Locale != "" && s.Locale != r.within {
		out = ` lang="` + s.Locale + `" dir="` + Direction(s.Locale) + `"`
		classes = append(classes, "fallback")
	}
	if len(classes) > 0 {
		out += ` class="` + strings.Join(classes, " ") + `"`
	}
	if s.Stale {
		out += ` data-stale="true"`
	}
	return out
}

// inline renders inline Markdown; the children of a node of its text.
func (r *writer) inline(n ast.Node, src []byte) string {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.turnLinks(c)
		_ = inlineRenderer.Render(w, src, c) // a buffer takes everything
	}
	_ = w.Flush()
	return b.String()
}

// turnLinks gives links of the course the addresses that they have on the page.
func (r *writer) turnLinks(n ast.Node) {
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		l, ok := n.(*ast.Link)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		m := internalLink.FindStringSubmatch(string(l.Destination))
		switch {
		case m == nil:
		case m[1] == "lesson":
			l.Destination = []byte("./" + m[2]) // items of a course are siblings under one address
		default:
			l.Destination = []byte("#term-" + m[2])
			if !r.terms[m[2]] {
				r.terms[m[2]] = true
				r.order = append(r.order, m[2])
			}
		}
		return ast.WalkContinue, nil
	})
}

// markdown renders the text of a segment as inline Markdown.
func (r *writer) markdown(s Said) string {
	in, ok := segment.Read(segment.Paragraph, s.Text)
	if !ok {
		r.prose.WriteString(s.Text + "\n")
		return html.EscapeString(s.Text)
	}
	r.prose.WriteString(segment.Prose(in.Node, in.Text) + "\n")
	return r.inline(in.Node, in.Text)
}

func (r *writer) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		r.block(c)
	}
}

func (r *writer) block(n ast.Node) {
	switch n := n.(type) {
	case *ast.Heading:
		if s, ok := r.segment(n, segment.Heading); ok {
			said := r.say(s)
			words := r.markdown(said)
			level := strconv.Itoa(n.Level)
			r.out.WriteString("<h" + level + ` id="` + r.anchor(said) + `"` + r.marks(said) + ">" + words + "</h" + level + ">\n")
		}
	case *ast.Paragraph:
		if s, ok := r.segment(n, segment.Paragraph); ok {
			said := r.say(s)
			r.out.WriteString("<p" + r.marks(said) + ">" + r.markdown(said) + "</p>\n")
		}
	case *ast.TextBlock: // the text of an item whose list has no blank lines
		if s, ok := r.segment(n, segment.Paragraph); ok {
			said := r.say(s)
			words := r.markdown(said)
			if m := r.marks(said); m != "" {
				words = "<span" + m + ">" + words + "</span>"
			}
			r.out.WriteString(words)
			if n.NextSibling() != nil {
				r.out.WriteByte('\n')
			}
		}
	case *ast.List:
		tag, start := "ul", ""
		if n.IsOrdered() {
			tag = "ol"
			if n.Start != 1 {
				start = ` start="` + strconv.Itoa(n.Start) + `"`
			}
		}
		// Where all of a list is in another language, so are its marks.
		whole := r.whole(n)
		r.out.WriteString("<" + tag + start + r.marks(Said{Locale: whole}) + ">\n")
		before := r.within
		if whole != "" {
			r.within = whole
		}
		r.children(n)
		r.within = before
		r.out.WriteString("</" + tag + ">\n")
	case *ast.ListItem:
		r.out.WriteString("<li>")
		if c := n.FirstChild(); c != nil && c.Kind() != ast.KindTextBlock {
			r.out.WriteByte('\n')
		}
		r.children(n)
		r.out.WriteString("</li>\n")
	case *ast.Blockquote:
		r.out.WriteString("<blockquote>\n")
		r.children(n)
		r.out.WriteString("</blockquote>\n")
	case *ast.ThematicBreak:
		r.out.WriteString("<hr>\n")
	case *ast.FencedCodeBlock:
		r.code(n)
	case *extast.Table:
		r.table(n)
	case *segment.Directive:
		r.directive(n)
	}
}

// whole tells in which other language all texts of a node are, or "".
func (r *writer) whole(n ast.Node) string {
	locale, first := "", true
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		for _, s := range r.segments[c] {
			l := r.say(s).Locale
			if first {
				locale, first = l, false
			}
			if l != locale {
				locale = ""
				return ast.WalkStop, nil
			}
		}
		return ast.WalkContinue, nil
	})
	return locale
}

var plainLanguage = regexp.MustCompile(`^[a-z0-9+-]{1,20}$`)

// code writes code from left to right in every language, and text as its language is written.
// Blocks can be scrolled, so they can be reached with the keyboard; so can tables.
func (r *writer) code(n *ast.FencedCodeBlock) {
	if s, ok := r.segment(n, segment.Plain); ok {
		said := r.say(s)
		m := r.marks(said, "text")
		if said.Locale == "" {
			m += ` dir="auto"`
		}
		r.out.WriteString("<pre" + m + ` tabindex="0"><code class="language-text">` + html.EscapeString(said.Text) + "\n</code></pre>\n")
		return
	}
	class := ""
	if lang := string(n.Language(r.page.Text)); plainLanguage.MatchString(lang) {
		class = ` class="language-` + lang + `"`
	}
	r.out.WriteString(`<pre dir="ltr" tabindex="0"><code` + class + `>`)
	w := bufio.NewWriter(&r.out)
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		rhtml.DefaultWriter.RawWrite(w, seg.Value(r.page.Text))
	}
	_ = w.Flush()
	r.out.WriteString("</code></pre>\n")
}

func (r *writer) table(n *extast.Table) {
	s, ok := r.segment(n, segment.Table)
	if !ok {
		return
	}
	said := r.say(s)
	in, ok := segment.Read(segment.Table, said.Text)
	if !ok {
		return
	}
	r.prose.WriteString(segment.Prose(in.Node, in.Text) + "\n")
	r.out.WriteString("<div" + r.marks(said, "scroll") + " tabindex=\"0\"><table>\n")
	for row := in.Node.FirstChild(); row != nil; row = row.NextSibling() {
		tag, scope := "td", ""
		head := row.Kind() == extast.KindTableHeader
		if head {
			tag, scope = "th", ` scope="col"`
			r.out.WriteString("<thead>\n")
		}
		r.out.WriteString("<tr>\n")
		for c := row.FirstChild(); c != nil; c = c.NextSibling() {
			cell, ok := c.(*extast.TableCell)
			if !ok {
				continue
			}
			// Columns follow the reader's direction: left means where lines begin.
			class := ""
			switch cell.Alignment {
			case extast.AlignRight:
				class = ` class="end"`
			case extast.AlignCenter:
				class = ` class="center"`
			}
			r.out.WriteString("<" + tag + class + scope + ">" + r.inline(cell, in.Text) + "</" + tag + ">\n")
		}
		r.out.WriteString("</tr>\n")
		switch {
		case head && row.NextSibling() != nil:
			r.out.WriteString("</thead>\n<tbody>\n")
		case head:
			r.out.WriteString("</thead>\n")
		case row.NextSibling() == nil:
			r.out.WriteString("</tbody>\n")
		}
	}
	r.out.WriteString("</table></div>\n")
}

// tags are the elements that directives become.
var tags = map[string]string{
	"note": "aside", "example": "figure", "definition": "section", "reveal": "details", "discussion": "section",
	"activity": "section", "lab": "section", "figure": "figure", "audio": "figure",
}

func (r *writer) directive(n *segment.Directive) {
	tag, ok := tags[n.Name]
	if !ok {
		return
	}
	label := ` data-label="block.` + n.Name + `"`
	if n.Name == "figure" || n.Name == "reveal" {
		label = "" // a picture or a question needs no word to be known as one
	}
	r.out.WriteString("<" + tag + ` class="block ` + n.Name + `"` + label + ">\n")
	title, titled := r.segment(n, segment.Title)
	heading := func(open, shut string) {
		if titled {
			said := r.say(title)
			r.out.WriteString("<" + open + r.marks(said) + ">" + r.markdown(said) + "</" + shut + ">\n")
		}
	}
	switch n.Name {
	case "example":
		heading("figcaption", "figcaption")
	case "discussion", "activity":
		if titled {
			said := r.say(title)
			r.out.WriteString("<p" + r.marks(said, "title") + ">" + r.markdown(said) + "</p>\n")
		}
	case "reveal":
		r.out.WriteString("<summary>")
		heading("span", "span")
		r.out.WriteString("</summary>\n")
	case "definition":
		if titled {
			said := r.say(title)
			r.out.WriteString(`<p class="term"><dfn` + r.marks(said) + ">" + r.markdown(said) + "</dfn></p>\n")
		}
	case "figure":
		r.figure(n)
	case "audio":
		r.audio(n)
	}
	switch {
	case n.Name == "figure" && n.FirstChild() != nil:
		r.out.WriteString("<figcaption>\n")
		r.children(n)
		r.out.WriteString("</figcaption>\n")
	case n.Name == "audio":
		r.out.WriteString("<details class=\"block transcript\" data-label=\"block.transcript\">\n<summary></summary>\n")
		r.children(n)
		r.out.WriteString("</details>\n")
	case n.Name != "figure":
		r.children(n)
	}
	if n.Name == "figure" || n.Name == "audio" {
		r.credit(r.words.Media(n.Title).Credit)
	}
	if n.Name == "lab" {
		said := r.words.Lab(n.Title)
		r.prose.WriteString(said.Text + "\n")
		r.out.WriteString(`<p class="open"><a href="./` + n.Title + `"` + r.marks(said) + ">" + html.EscapeString(said.Text) + "</a></p>\n")
	}
	r.out.WriteString("</" + tag + ">\n")
}

func (r *writer) figure(n *segment.Directive) {
	s, ok := r.segment(n, segment.Alt)
	if !ok {
		return
	}
	said := r.say(s)
	m := r.words.Media(n.Title)
	r.media = append(r.media, n.Title)
	lang := ""
	if said.Locale != "" {
		lang = ` lang="` + said.Locale + `"`
	}
	r.out.WriteString(`<img src="` + html.EscapeString(m.Src) + `"`)
	if m.Srcset != "" {
		r.out.WriteString(` srcset="` + html.EscapeString(m.Srcset) + `" sizes="(max-width: 30rem) 100vw, 30rem"`)
	}
	r.out.WriteString(` alt="` + html.EscapeString(said.Text) + `"` + lang)
	if m.Width > 0 && m.Height > 0 {
		r.out.WriteString(` width="` + strconv.Itoa(m.Width) + `" height="` + strconv.Itoa(m.Height) + `"`)
	}
	r.out.WriteString(" loading=\"lazy\">\n")
}

func (r *writer) audio(n *segment.Directive) {
	if s, ok := r.segment(n, segment.AudioTitle); ok {
		said := r.say(s)
		r.prose.WriteString(said.Text + "\n")
		r.out.WriteString("<figcaption" + r.marks(said) + ">" + html.EscapeString(said.Text) + "</figcaption>\n")
	}
	m := r.words.Media(n.Title)
	r.media = append(r.media, n.Title)
	r.out.WriteString(`<audio controls="controls" preload="none" src="` + html.EscapeString(m.Src) + "\"></audio>\n")
	if m.Size > 0 {
		// Nobody should press play without knowing what it costs. api/web writes it in the digits and units of the reader.
		fmt.Fprintf(&r.out, `<p class="size" data-seconds="%d" data-bytes="%d"></p>`+"\n", int(m.Duration.Seconds()+0.5), m.Size)
	}
}

// credit names whose a medium is: what is shared under conditions is shown with them, wherever the page goes.
func (r *writer) credit(parts []string) {
	if len(parts) == 0 {
		return
	}
	r.out.WriteString(`<p class="credit">`)
	for i, part := range parts {
		if i > 0 {
			r.out.WriteString(" · ")
		}
		// In whatever script it is: none may turn the next one round.
		r.out.WriteString(`<span dir="auto">` + html.EscapeString(part) + "</span>")
	}
	r.out.WriteString("</p>\n")
}

// glossary ends the page with the words of the course that it links to.
func (r *writer) glossary() {
	if len(r.order) == 0 {
		return
	}
	r.out.WriteString("<section class=\"block terms\" data-label=\"block.terms\">\n<dl>\n")
	for _, id := range r.order {
		term, def := r.words.Term(id)
		r.out.WriteString(`<div><dt id="term-` + id + `"><dfn` + r.marks(term) + ">" + html.EscapeString(term.Text) + "</dfn></dt><dd" + r.marks(def) + ">" + html.EscapeString(def.Text) + "</dd></div>\n")
	}
	r.out.WriteString("</dl>\n</section>\n")
}

// anchor names a heading after its words in any script. The prefix keeps an
// author's heading from taking an id that the page uses.
func (r *writer) anchor(s Said) string {
	text := s.Text
	if in, ok := segment.Read(segment.Heading, s.Text); ok {
		text = segment.Prose(in.Node, in.Text)
	}
	var b strings.Builder
	b.WriteString("h-")
	dash, n := false, 0
	for _, c := range text {
		if unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) {
			if dash && n > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(unicode.ToLower(c))
			dash = false
			if n++; n >= 60 {
				break
			}
			continue
		}
		dash = true
	}
	base := b.String()
	if r.heads[base]++; r.heads[base] > 1 || base == "h-" {
		return base + "." + strconv.Itoa(r.heads[base]) // a dot never comes from words, so this cannot meet another heading
	}
	return base
}

// inlineRenderer writes what stands inside a block. Raw HTML is never passed on.
var inlineRenderer = goldmark.New(
	goldmark.WithExtensions(extension.NewTable()),
	goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(spanRenderer{}, 100))),
).Renderer()

// spanRenderer writes code from left to right in every language.
type spanRenderer struct{}

func (spanRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindCodeSpan, func(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		_, _ = w.WriteString(`<code dir="ltr">` + html.EscapeString(segment.CodeText(node.(*ast.CodeSpan), src)) + "</code>")
		return ast.WalkSkipChildren, nil
	})
}

// Direction is how a language is written.
func Direction(locale string) string {
	script, _ := language.Make(locale).Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg", "Mand", "Samr", "Mend":
		return "rtl"
	}
	return "ltr"
}

// CountWords counts what stands between spaces and holds a letter or digit.
// Scripts that are written without spaces are counted by letters: of Chinese
// and Japanese 1.5 make a word, of Thai, Lao, Khmer and Burmese 4 (about what
// their translations of one text come to).
func CountWords(s string) int {
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

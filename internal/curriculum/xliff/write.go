// Package xliff writes texts and their translations as XLIFF 2.0 and reads what translators' tools make of it.
//
// One document holds one language of a course: a <file> for each PO file, a <unit> for each entry with one <segment>. Code spans
// are <ph> and links <pc>, so that a tool protects them; what they stand for is in <originalData>, so a document can be
// read back without the course. The format is OASIS XLIFF 2.0, core.
package xliff

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// State is that of a segment.
type State string

// The states of XLIFF 2.0, in their order. A stale translation is initial: it is there, and to be done.
const (
	Initial    State = "initial"
	Translated State = "translated"
	Reviewed   State = "reviewed"
	Final      State = "final"
)

// Document is one language of a course.
type Document struct {
	Source, Target string // BCP 47
	Files          []File
}

// File is a PO file on its way to a translator or back.
type File struct {
	*po.File
	Done State // of what is translated and fresh: Reviewed, Final, or else Translated
}

const (
	namespace = "urn:oasis:names:tc:xliff:document:2.0"
	subStale  = "banyan:stale"  // made from another text, which a note tells
	subUnsure = "banyan:unsure" // marked by a person
)

// Categories of notes.
const (
	noteContext  = "context"  // for translators, from the course
	noteComment  = "comment"  // from a translator
	notePlace    = "place"    // file and line
	notePrevious = "previous" // the source text that the translation was made from
)

// Write writes live entries with one form. Obsolete and plural entries, and those without msgctxt, are not a course's texts.
func Write(w io.Writer, d Document) error {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	fmt.Fprintf(&b, "<xliff xmlns=%s version=\"2.0\" srcLang=%s trgLang=%s>\n", quote(namespace), quote(d.Source), quote(d.Target))
	for i, f := range d.Files {
		fmt.Fprintf(&b, " <file id=%s original=%s>\n", quote("f"+strconv.Itoa(i+1)), quote(f.Name))
		n := 0
		for j := range f.Entries {
			e := &f.Entries[j]
			if e.Obsolete || e.HasPlural || !e.HasContext || e.ID == "" {
				continue
			}
			n++
			writeUnit(&b, e, n, f.Done)
			if b.Len() > 1<<16 {
				if _, err := b.WriteTo(w); err != nil {
					return err
				}
			}
		}
		b.WriteString(" </file>\n")
	}
	b.WriteString("</xliff>\n")
	_, err := b.WriteTo(w)
	return err
}

// quote gives an attribute's value.
func quote(s string) string { return `"` + escape(s) + `"` }

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s))
	return b.String()
}

func writeUnit(b *bytes.Buffer, e *po.Entry, n int, done State) {
	str := ""
	if len(e.Str) > 0 {
		str = e.Str[0]
	}
	fmt.Fprintf(b, "  <unit id=\"u%d\" name=%s xml:space=\"preserve\">\n", n, quote(e.Context))
	var notes []string
	note := func(category, text, extra string) {
		notes = append(notes, fmt.Sprintf("    <note category=%s%s>%s</note>\n", quote(category), extra, text))
	}
	for _, s := range e.Extracted {
		note(noteContext, text(s), "")
	}
	for _, s := range e.Comments {
		note(noteComment, text(strings.TrimPrefix(s, " ")), "")
	}
	for _, s := range e.References {
		note(notePlace, text(s), "")
	}
	state, sub := Initial, ""
	if str != "" {
		known := e.Previous != nil && e.Previous.HasID
		switch {
		case !e.Has(po.Fuzzy):
			if state = done; state == "" {
				state = Translated
			}
		case known:
			sub = fmt.Sprintf(" subState=%s", quote(subStale))
			note(notePrevious, text(e.Previous.ID), ` appliesTo="source"`)
		default:
			sub = fmt.Sprintf(" subState=%s", quote(subUnsure))
		}
	}
	if len(notes) > 0 {
		b.WriteString("   <notes>\n" + strings.Join(notes, "") + "   </notes>\n")
	}
	c := codes{ids: map[string][]string{}}
	source := c.mark(e.ID, true)
	target := c.mark(str, false)
	if len(c.data) > 0 {
		b.WriteString("   <originalData>\n")
		for i, d := range c.data {
			fmt.Fprintf(b, "    <data id=\"d%d\" xml:space=\"preserve\">%s</data>\n", i+1, text(d))
		}
		b.WriteString("   </originalData>\n")
	}
	fmt.Fprintf(b, "   <segment state=%s%s>\n    <source xml:space=\"preserve\">%s</source>\n", quote(string(state)), sub, source)
	if str != "" {
		fmt.Fprintf(b, "    <target xml:space=\"preserve\">%s</target>\n", target)
	}
	b.WriteString("   </segment>\n  </unit>\n")
}

// text writes characters. XML cannot hold some; XLIFF writes those as <cp>.
func text(s string) string {
	var b strings.Builder
	from := 0
	for i, c := range s {
		if c >= ' ' && c != 0xfffe && c != 0xffff || c == '\n' || c == '\t' {
			continue
		}
		b.WriteString(plain(s[from:i]) + fmt.Sprintf(`<cp hex="%04X"/>`, c))
		from = i + utf8.RuneLen(c)
	}
	b.WriteString(plain(s[from:]))
	return b.String()
}

// plain leaves line ends and tabs as they are, for people who look into the file.
var plain = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;").Replace

var inline = regexp.MustCompile("(`+[^`]+`+)|\\[([^\\[\\]`]*)\\]\\(([^()\\s]+)\\)")

// codes marks code spans and links, and remembers what they stand for.
type codes struct {
	data []string
	refs map[string]int
	ids  map[string][]string // of the source's codes, by what they stand for
	next int
}

func (c *codes) mark(s string, source bool) string {
	var b strings.Builder
	used := map[string]int{}
	from := 0
	for _, m := range inline.FindAllStringSubmatchIndex(s, -1) {
		b.WriteString(text(s[from:m[0]]))
		from = m[1]
		if m[2] >= 0 {
			code := s[m[2]:m[3]]
			fmt.Fprintf(&b, `<ph id="%s" dataRef="%s" equiv=%s/>`, c.id(code, source, used), c.ref(code), quote(printable(code)))
			continue
		}
		closing := "](" + s[m[6]:m[7]] + ")"
		fmt.Fprintf(&b, `<pc id="%s" dataRefStart="%s" dataRefEnd="%s" type="link">%s</pc>`, c.id(closing, source, used), c.ref("["), c.ref(closing), text(s[m[4]:m[5]]))
	}
	b.WriteString(text(s[from:]))
	return b.String()
}

// id gives a code in the target the id of its like in the source.
func (c *codes) id(code string, source bool, used map[string]int) string {
	n := used[code]
	used[code]++
	if n < len(c.ids[code]) && !source {
		return c.ids[code][n]
	}
	c.next++
	id := strconv.Itoa(c.next)
	if source {
		c.ids[code] = append(c.ids[code], id)
	}
	return id
}

func (c *codes) ref(data string) string {
	if c.refs == nil {
		c.refs = map[string]int{}
	}
	n, ok := c.refs[data]
	if !ok {
		c.data = append(c.data, data)
		n = len(c.data)
		c.refs[data] = n
	}
	return "d" + strconv.Itoa(n)
}

// printable is for an attribute, where there is no <cp>.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c == 0xfffe || c == 0xffff {
			return ' '
		}
		return c
	}, s)
}

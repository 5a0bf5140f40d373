package po

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Bytes is the file as text. Reading it back gives the same file.
func (f *File) Bytes() []byte {
	var b bytes.Buffer
	w := writer{b: &b}
	if len(f.Header.Str) > 0 || len(f.Header.Comments) > 0 {
		h := f.Header
		if len(h.Str) == 0 {
			h.Str = []string{""}
		}
		w.entry(&h)
	}
	for i := range f.Entries {
		w.entry(&f.Entries[i])
	}
	if len(f.Tail) > 0 {
		w.gap()
		w.comments(f.Tail)
	}
	return b.Bytes()
}

// WriteTo implements io.WriterTo.
func (f *File) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(f.Bytes())
	return int64(n), err
}

type writer struct{ b *bytes.Buffer }

func (w writer) line(parts ...string) {
	for _, p := range parts {
		w.b.WriteString(p)
	}
	w.b.WriteByte('\n')
}

// comments writes translators' comments so that none is taken for another kind of line.
func (w writer) comments(list []string) {
	for _, c := range list {
		c = strings.TrimRight(flat(c), " \t")
		if c != "" && strings.IndexByte(".:,=|~", c[0]) >= 0 {
			c = " " + c
		}
		w.line("#", c)
	}
}

// references breaks lines where gettext does, so that files of both are the same.
func (w writer) references(list []string) {
	line := "#:"
	for _, r := range list {
		r = flat(r)
		if len(line) > len("#:") && len(line)+1+len(r) >= 79 {
			w.line(line)
			line = "#:"
		}
		line += " " + r
	}
	w.line(line)
}

// flat keeps a comment on its line.
func flat(s string) string {
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(s)
}

func (w writer) gap() {
	if w.b.Len() > 0 {
		w.b.WriteByte('\n')
	}
}

func (w writer) entry(e *Entry) {
	w.gap()
	w.comments(e.Comments)
	for _, c := range e.Extracted {
		w.line(strings.TrimRight("#. "+flat(c), " \t"))
	}
	if len(e.References) > 0 {
		w.references(e.References)
	}
	if len(e.Flags) > 0 {
		flags := slices.Clone(e.Flags)
		slices.SortStableFunc(flags, func(a, b string) int { return fuzzyFirst(a) - fuzzyFirst(b) })
		w.line("#, ", strings.Join(flags, ", "))
	}
	mark, before := "", "#| "
	if e.Obsolete {
		mark, before = "#~ ", "#~| "
	}
	if p := e.Previous; p != nil {
		if p.HasContext {
			w.text(before, "msgctxt", p.Context)
		}
		if p.HasID {
			w.text(before, "msgid", p.ID)
		}
		if p.HasPlural {
			w.text(before, "msgid_plural", p.Plural)
		}
	}
	if e.HasContext {
		w.text(mark, "msgctxt", e.Context)
	}
	w.text(mark, "msgid", e.ID)
	if !e.HasPlural {
		str := ""
		if len(e.Str) > 0 {
			str = e.Str[0]
		}
		w.text(mark, "msgstr", str)
		return
	}
	w.text(mark, "msgid_plural", e.Plural)
	for i, s := range e.Str {
		w.text(mark, "msgstr["+strconv.Itoa(i)+"]", s)
	}
}

func fuzzyFirst(flag string) int {
	if flag == Fuzzy {
		return 0
	}
	return 1
}

// text writes one line for each line of the text, so that a diff shows what changed.
func (w writer) text(mark, keyword, s string) {
	if i := strings.IndexByte(s, '\n'); i < 0 || i == len(s)-1 {
		w.line(mark, keyword, ` "`, escape(s), `"`)
		return
	}
	w.line(mark, keyword, ` ""`)
	for l := range strings.SplitAfterSeq(s, "\n") {
		if l != "" {
			w.line(mark, `"`, escape(l), `"`)
		}
	}
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\t", `\t`)

func escape(s string) string { return escaper.Replace(s) }

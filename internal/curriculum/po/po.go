// Package po reads and writes gettext PO files, and loses nothing that a translator or a tool wrote into them.
//
// What is kept is the content: every entry in its order with comments, references, flags, previous texts, plural forms,
// and obsolete entries. What is not kept is the layout: long lines, line ends and a byte order mark are written anew, as
// `msgcat --no-wrap` does. The format is that of the GNU gettext manual, "The Format of PO Files".
package po

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// File is a PO file.
type File struct {
	Name    string // path for faults
	Header  Entry  // the entry with an empty msgid that opens a file; Str[0] holds its fields, one a line
	Entries []Entry
	Tail    []string // comments after the last entry

	index *index
}

// Entry is one text and its translation.
type Entry struct {
	Comments   []string // of translators (`#`), each without the mark but with its space
	Extracted  []string // of the program that extracted the text (`#.`)
	References []string // where the text stands (`#:`), such as lessons/a.md:12
	Flags      []string // fuzzy and others (`#,`)
	Previous   *Previous
	Context    string // msgctxt; in a course the id of the unit
	HasContext bool   // an empty msgctxt differs from none
	ID         string // msgid: the source text
	Plural     string // msgid_plural
	HasPlural  bool
	Str        []string // msgstr, or msgstr[0]… of a plural entry
	Obsolete   bool     // `#~`: no longer in the source, kept for its return

	Line    int // where the entry begins with msgctxt or msgid; 0 when it was not read from a file
	StrLine int // where its first msgstr stands
}

// Previous is what a fuzzy translation was made from (`#|`).
type Previous struct {
	Context    string
	HasContext bool
	ID         string
	HasID      bool
	Plural     string
	HasPlural  bool
}

// Fuzzy is the flag of a translation that a person must look at.
const Fuzzy = "fuzzy"

// Has tells whether the entry carries a flag.
func (e *Entry) Has(flag string) bool { return slices.Contains(e.Flags, flag) }

// SetFuzzy sets or takes off the flag.
func (e *Entry) SetFuzzy(on bool) {
	if on == e.Has(Fuzzy) {
		return
	}
	if on {
		e.Flags = append([]string{Fuzzy}, e.Flags...)
		return
	}
	e.Flags = slices.DeleteFunc(slices.Clone(e.Flags), func(f string) bool { return f == Fuzzy })
}

// Translated tells whether there is any translation, be it fuzzy.
func (e *Entry) Translated() bool {
	return slices.ContainsFunc(e.Str, func(s string) bool { return s != "" })
}

// MadeFrom is the source text that the translation renders: of a fuzzy entry the previous one, where it is known.
func (e *Entry) MadeFrom() string {
	if e.Has(Fuzzy) && e.Previous != nil && e.Previous.HasID {
		return e.Previous.ID
	}
	return e.ID
}

// Clone shares nothing with the entry.
func (e *Entry) Clone() Entry {
	c := *e
	c.Comments = slices.Clone(e.Comments)
	c.Extracted = slices.Clone(e.Extracted)
	c.References = slices.Clone(e.References)
	c.Flags = slices.Clone(e.Flags)
	c.Str = slices.Clone(e.Str)
	if e.Previous != nil {
		p := *e.Previous
		c.Previous = &p
	}
	return c
}

// key is what must be unique in a file. gettext joins the two with EOT as well.
func (e *Entry) key() string {
	if !e.HasContext {
		return "\x04" + e.ID
	}
	return "c" + e.Context + "\x04" + e.ID // the c keeps an empty msgctxt apart from none
}

func (e *Entry) isHeader() bool { return !e.HasContext && e.ID == "" && !e.Obsolete }

// Field gives a field of the header, such as Language, or "".
func (f *File) Field(name string) string {
	if len(f.Header.Str) == 0 {
		return ""
	}
	for line := range strings.SplitSeq(f.Header.Str[0], "\n") {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// SetField sets a field of the header where it stands, or adds it; an empty value takes it out.
func (f *File) SetField(name, value string) {
	text := ""
	if len(f.Header.Str) > 0 {
		text = f.Header.Str[0]
	}
	var out strings.Builder
	done := value == ""
	for line := range strings.SplitAfterSeq(text, "\n") {
		k, _, ok := strings.Cut(line, ":")
		switch {
		case !ok || !strings.EqualFold(strings.TrimSpace(k), name):
			out.WriteString(line)
			if line != "" && !strings.HasSuffix(line, "\n") {
				out.WriteString("\n")
			}
		case !done:
			out.WriteString(name + ": " + value + "\n")
			done = true
		}
	}
	if !done {
		out.WriteString(name + ": " + value + "\n")
	}
	f.Header.Str = []string{out.String()}
}

// index makes look-ups in a file that no longer changes quick.
type index struct {
	byContext map[string][]int
	digest    func() string
}

// Index prepares the file for many look-ups. The entries must not change afterwards; Parse has indexed its file already.
func (f *File) Index() {
	byContext := make(map[string][]int, len(f.Entries))
	for i := range f.Entries {
		c := f.Entries[i].Context
		byContext[c] = append(byContext[c], i)
	}
	entries := f.Entries
	f.index = &index{byContext: byContext, digest: sync.OnceValue(func() string { return digest(entries) })}
}

// Unindexed gives a copy of the file whose entries may be changed.
func (f *File) Unindexed() *File {
	c := &File{Name: f.Name, Header: f.Header.Clone(), Entries: make([]Entry, len(f.Entries)), Tail: slices.Clone(f.Tail)}
	for i := range f.Entries {
		c.Entries[i] = f.Entries[i].Clone()
	}
	return c
}

// Find gives the entries with a msgctxt, in their order. There may be several, with different msgid.
func (f *File) Find(context string) []Entry {
	var out []Entry
	if f.index != nil {
		for _, i := range f.index.byContext[context] {
			out = append(out, f.Entries[i])
		}
		return out
	}
	for i := range f.Entries {
		if f.Entries[i].Context == context {
			out = append(out, f.Entries[i])
		}
	}
	return out
}

// Digest is the SHA-256 of all translations of the file and of the source texts that they were made from, in hexadecimal.
// It does not change with the layout, with the order, with comments, when a source text changes or goes
// away and comes back. It changes when somebody edits a translation, or declares it good for another source text.
func (f *File) Digest() string {
	if f.index != nil {
		return f.index.digest()
	}
	return digest(f.Entries)
}

func digest(entries []Entry) string {
	var d Digester
	for i := range entries {
		d.Add(&entries[i])
	}
	return d.Sum()
}

// Digester computes File.Digest entry by entry. Its zero value is ready.
type Digester struct{ sums [][sha256.Size]byte }

// Add takes an entry in; the order does not matter.
func (d *Digester) Add(e *Entry) {
	if !e.Translated() {
		return
	}
	unsure := e.Has(Fuzzy) && (e.Previous == nil || !e.Previous.HasID)
	var line []byte
	for _, s := range append([]string{e.Context, e.MadeFrom(), e.Plural, strconv.FormatBool(unsure)}, e.Str...) {
		line = strconv.AppendInt(line, int64(len(s)), 10) // lengths keep neighbours apart
		line = append(line, ':')
		line = append(line, s...)
	}
	d.sums = append(d.sums, sha256.Sum256(line))
}

// Sum gives the digest of all that was added.
func (d *Digester) Sum() string {
	slices.SortFunc(d.sums, func(a, b [sha256.Size]byte) int { return bytes.Compare(a[:], b[:]) })
	h := sha256.New()
	for _, s := range d.sums {
		h.Write(s[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

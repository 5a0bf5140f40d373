package po

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/fault"
)

// A file may come from a stranger, so each of its parts is bounded.
const (
	MaxFile    = 256 << 20 // bytes of a file that is read entry by entry
	MaxWhole   = 16 << 20  // bytes of a file that is held in memory
	maxLine    = 256 << 10 // bytes of a line
	maxText    = 64 << 10  // bytes of a text after joining its lines
	maxNotes   = 64 << 10  // bytes of the comments of an entry
	maxEntries = 1 << 20   // entries of a file
	maxPlural  = 8         // forms; Arabic has six
	maxFaults  = 50        // reported at once
	maxQuoted  = 60        // characters of the file repeated in a fault
)

// Parse reads a whole file. name stands in faults. What is wrong comes back as one
// fault.Invalid with a line for each place; then no file comes back.
func Parse(name string, data []byte) (*File, error) {
	if len(data) > MaxWhole {
		return nil, fault.New(fault.Invalid, "po.invalid").At(tooLarge(name, MaxWhole))
	}
	r := NewReader(name, bytes.NewReader(data))
	f := &File{Name: name}
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		f.Entries = append(f.Entries, e)
	}
	f.Header, f.Tail = r.Header, r.Tail
	f.Index()
	return f, nil
}

func tooLarge(name string, most int) fault.Detail {
	return fault.Detail{File: name, Line: 1, Key: "po.too_large", Args: map[string]any{"Most": strconv.Itoa(most >> 20)}}
}

// Reader reads a file entry by entry, holding one entry and sixteen bytes for each one that went before.
type Reader struct {
	Header Entry    // known after the first Next; empty when the file has none
	Tail   []string // comments after the last entry; known after io.EOF

	name    string
	lines   *bufio.Reader
	line    int // of what was read last
	size    int
	started bool
	ended   bool
	held    *rawLine // read, and not yet used
	seen    map[[16]byte]int
	ready   []Entry // read while looking for the header
	details []fault.Detail
}

// NewReader begins to read.
func NewReader(name string, r io.Reader) *Reader {
	return &Reader{name: name, lines: bufio.NewReaderSize(r, 64<<10), seen: map[[16]byte]int{}}
}

// Next gives the next entry, live or obsolete, and io.EOF after the last. When anything in the file is wrong, it
// reads on to find the other faults and gives them all as one fault.Invalid, instead of further entries.
func (r *Reader) Next() (Entry, error) {
	if !r.started {
		r.started = true
		e, ok := r.next()
		if ok && e.isHeader() {
			r.Header = e
			r.checkCharset()
		} else if ok {
			r.ready = append(r.ready, e)
		}
	}
	if len(r.details) == 0 {
		if len(r.ready) > 0 {
			e := r.ready[0]
			r.ready = nil
			return e, nil
		}
		e, ok := r.next()
		if len(r.details) == 0 {
			if !ok {
				return Entry{}, io.EOF
			}
			return e, nil
		}
	}
	for len(r.details) < maxFaults {
		if _, ok := r.next(); !ok {
			break
		}
	}
	return Entry{}, fault.New(fault.Invalid, "po.invalid").At(r.details...)
}

// checkCharset refuses what is not UTF-8 by its own word. Templates say CHARSET.
func (r *Reader) checkCharset() {
	f := File{Header: r.Header}
	_, charset, ok := strings.Cut(strings.ToLower(f.Field("Content-Type")), "charset=")
	charset = strings.TrimSpace(charset)
	if !ok || slices.Contains([]string{"utf-8", "utf8", "us-ascii", "ascii", "charset"}, charset) {
		return
	}
	r.fault(r.Header.Line, "po.charset", "Charset", charset)
}

func (r *Reader) fault(line int, key string, args ...string) {
	d := fault.Detail{File: r.name, Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i]] = quoted(args[i+1])
	}
	if len(r.details) < maxFaults {
		r.details = append(r.details, d)
	}
}

// quoted keeps a stranger's words from filling a reply.
func quoted(s string) string {
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) > maxQuoted {
		return string([]rune(s)[:maxQuoted]) + "…"
	}
	return s
}

// kind is what a line is.
type kind int

const (
	blank   kind = iota
	remark       // # translator's
	extract      // #.
	refer        // #:
	flags        // #, and, since gettext 0.25, #=
	keyword      // msgid "…" and its like
	more         //  "…"
)

// rawLine is a line taken apart as far as that needs no knowledge of its neighbours.
type rawLine struct {
	kind     kind
	number   int
	obsolete bool   // #~
	previous bool   // #| or #~|
	word     string // the keyword
	text     string // of a comment, or the decoded string
	bad      bool   // a fault was noted
}

// read gives the next line that is not blank. ok is false at the end.
func (r *Reader) read() (rawLine, bool) {
	if l := r.held; l != nil {
		r.held = nil
		return *l, true
	}
	for !r.ended {
		text, ok := r.readLine()
		if !ok {
			break
		}
		if l := r.sort(text); l.kind != blank || l.bad {
			return l, true
		}
	}
	return rawLine{}, false
}

// readLine reads up to LF. It takes off CR before LF and the byte order mark.
func (r *Reader) readLine() (string, bool) {
	var buf []byte
	for {
		part, err := r.lines.ReadSlice('\n')
		r.size += len(part)
		if buf == nil && err == nil {
			buf = part // valid until the next read; the line is copied below
		} else {
			buf = append(buf, part...)
		}
		if len(buf) > maxLine || r.size > MaxFile {
			r.ended = true
			if r.size > MaxFile {
				r.details = append(r.details, tooLarge(r.name, MaxFile))
				return "", false
			}
			r.fault(r.line+1, "po.long_line", "Most", strconv.Itoa(maxLine>>10))
			return "", false
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			r.ended = true
			if !errors.Is(err, io.EOF) {
				r.fault(r.line+1, "po.unreadable")
				return "", false
			}
			if len(buf) == 0 {
				return "", false
			}
		}
		break
	}
	r.line++
	if r.line == 1 {
		buf = bytes.TrimPrefix(buf, []byte("\xef\xbb\xbf"))
		if bytes.HasPrefix(buf, []byte("\xff\xfe")) || bytes.HasPrefix(buf, []byte("\xfe\xff")) {
			r.ended = true
			r.fault(1, "po.charset", "Charset", "UTF-16")
			return "", false
		}
	}
	buf = bytes.TrimSuffix(bytes.TrimSuffix(buf, []byte("\n")), []byte("\r"))
	return string(buf), true
}

// sort finds out what a line is.
func (r *Reader) sort(s string) rawLine {
	l := rawLine{number: r.line}
	bad := func(key string, args ...string) rawLine {
		r.fault(l.number, key, args...)
		l.bad = true
		return l
	}
	if !utf8.ValidString(s) {
		return bad("po.not_utf8")
	}
	if c, ok := control(s, "\t"); ok {
		return bad("po.control_character", "Code", c)
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return l
	}
	if s[0] == '#' {
		rest := s[1:]
		switch {
		case strings.HasPrefix(rest, "~|"):
			l.obsolete, l.previous = true, true
			s = strings.TrimSpace(rest[2:])
		case strings.HasPrefix(rest, "~"):
			l.obsolete = true
			s = strings.TrimSpace(rest[1:])
		case strings.HasPrefix(rest, "|"):
			l.previous = true
			s = strings.TrimSpace(rest[1:])
		case strings.HasPrefix(rest, "."):
			l.kind, l.text = extract, strings.TrimPrefix(rest[1:], " ")
			return l
		case strings.HasPrefix(rest, ":"):
			l.kind, l.text = refer, rest[1:]
			return l
		case strings.HasPrefix(rest, ","), strings.HasPrefix(rest, "="):
			l.kind, l.text = flags, rest[1:]
			return l
		default:
			l.kind, l.text = remark, rest
			return l
		}
		if s == "" {
			return l // a bare mark says nothing
		}
	}
	l.kind = more
	if s[0] != '"' {
		l.kind = keyword
		n := strings.IndexAny(s, "\" \t")
		if n < 0 {
			return bad("po.not_a_line", "Text", s)
		}
		l.word = s[:n]
		s = strings.TrimSpace(s[n:])
	}
	text, key, arg := unquote(s)
	if key != "" {
		return bad(key, "Text", arg)
	}
	l.text = text
	return l
}

// control finds a control character that is not among those allowed.
func control(s, allowed string) (code string, found bool) {
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= ' ' && s[i] != 0x7f && s[i] != 0xc2 // 0xc2 begins U+0080 to U+00BF
	}
	if clean {
		return "", false
	}
	for _, c := range s {
		if (c < ' ' || c >= 0x7f && c < 0xa0) && !strings.ContainsRune(allowed, c) {
			return fmt.Sprintf("U+%04X", c), true
		}
	}
	return "", false
}

// unquote decodes one or more strings in quotes. key is the fault, if any.
func unquote(s string) (text, key, arg string) {
	if s == "" || s[0] != '"' {
		return "", "po.no_quote", s
	}
	if end := len(s) - 1; end > 0 && s[end] == '"' && !strings.ContainsAny(s[1:end], `"\\`) {
		return s[1:end], "", "" // nearly every line
	}
	var b strings.Builder
	for s != "" {
		if s[0] != '"' {
			return "", "po.after_quote", s
		}
		i := 1
		for {
			if i >= len(s) {
				return "", "po.open_quote", s
			}
			c := s[i]
			if c == '"' {
				break
			}
			if c != '\\' {
				b.WriteByte(c)
				i++
				continue
			}
			if i+1 >= len(s) {
				return "", "po.open_quote", s
			}
			n, ok := escaped(&b, s[i+1:])
			if !ok {
				return "", "po.bad_escape", s[i:min(i+2, len(s))]
			}
			i += 1 + n
		}
		s = strings.TrimSpace(s[i+1:])
	}
	return b.String(), "", ""
}

var escapes = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': '\a', 'b': '\b', 'f': '\f', 'v': '\v', '\\': '\\', '"': '"'}

// escaped decodes what follows a backslash and gives its length.
func escaped(b *strings.Builder, s string) (int, bool) {
	if c, ok := escapes[s[0]]; ok {
		b.WriteByte(c)
		return 1, true
	}
	digits, base, from, most := "01234567", 8, 0, 3
	if s[0] == 'x' {
		digits, base, from, most = "0123456789abcdefABCDEF", 16, 1, 2
	}
	to := from
	for to < len(s) && to < from+most && strings.IndexByte(digits, s[to]) >= 0 {
		to++
	}
	n, err := strconv.ParseUint(s[from:to], base, 8)
	if err != nil {
		return 0, false
	}
	b.WriteByte(byte(n))
	return to, true
}

// parts of an entry, in the order in which they must come.
const (
	inComments = iota
	inPrevious
	inContext
	inID
	inPlural
	inStr
)

// builder puts an entry together.
type builder struct {
	r     *Reader
	e     Entry
	stage int
	text  string           // of the field under way
	rest  *strings.Builder // the same, when it has several lines
	put   func(string)     // stores it
	notes int
	any   bool // something was read
	bad   bool
}

// next gives the next entry that is free of faults. ok is false at the end.
func (r *Reader) next() (Entry, bool) {
	for {
		b := builder{r: r}
		for {
			l, ok := r.read()
			if !ok {
				break
			}
			if b.complete(l) {
				r.held = &l
				break
			}
			b.any = true
			b.add(l)
			if b.bad {
				r.skip()
				break
			}
		}
		if !b.any {
			return Entry{}, false
		}
		b.flush()
		if b.finish() {
			return b.e, true
		}
	}
}

// complete tells whether the line belongs to the next entry.
func (b *builder) complete(l rawLine) bool {
	if b.stage < inStr || l.bad || l.kind == more {
		return false
	}
	return l.kind != keyword || l.previous || l.word == "msgctxt" || l.word == "msgid"
}

// skip goes on after a fault where an entry may begin.
func (r *Reader) skip() {
	for {
		l, ok := r.read()
		if !ok {
			return
		}
		if !l.bad && (l.kind == remark || l.kind == extract || l.kind == refer || l.kind == flags || l.kind == keyword && (l.word == "msgctxt" || l.word == "msgid" && !l.previous)) {
			r.held = &l
			return
		}
	}
}

func (b *builder) fault(l rawLine, key string, args ...string) {
	b.r.fault(l.number, key, args...)
	b.bad = true
}

// flush stores the field under way.
func (b *builder) flush() {
	if b.put != nil {
		if b.rest != nil {
			b.text = b.rest.String()
		}
		b.put(b.text)
	}
	b.put, b.rest, b.text = nil, nil, ""
}

func (b *builder) add(l rawLine) {
	if l.bad {
		b.bad = true
		return
	}
	switch l.kind {
	case remark, extract, refer, flags:
		b.comment(l)
	case keyword:
		b.flush()
		if l.previous {
			b.previous(l)
			return
		}
		b.keyword(l)
	case more:
		if b.put == nil {
			b.fault(l, "po.text_without_keyword")
			return
		}
		if l.previous != (b.stage == inPrevious) || l.obsolete != b.e.Obsolete {
			b.fault(l, "po.mixed_marks")
			return
		}
		if b.rest == nil {
			b.rest = &strings.Builder{}
			b.rest.WriteString(b.text)
		}
		if b.rest.Len()+len(l.text) > maxText {
			b.fault(l, "po.long_text", "Most", strconv.Itoa(maxText>>10))
			return
		}
		b.rest.WriteString(l.text)
	case blank:
	}
}

func (b *builder) comment(l rawLine) {
	if b.stage > inPrevious {
		b.fault(l, "po.comment_inside")
		return
	}
	b.flush()
	if b.notes += len(l.text) + 16; b.notes > maxNotes {
		b.fault(l, "po.long_comments", "Most", strconv.Itoa(maxNotes>>10))
		return
	}
	switch l.kind {
	case remark:
		b.e.Comments = append(b.e.Comments, l.text)
	case extract:
		b.e.Extracted = append(b.e.Extracted, l.text)
	case refer:
		b.e.References = append(b.e.References, references(l.text)...)
	default:
		for f := range strings.SplitSeq(l.text, ",") {
			if f = strings.TrimSpace(f); f != "" && !b.e.Has(f) {
				b.e.Flags = append(b.e.Flags, f)
			}
		}
	}
}

// references splits at spaces, but not inside U+2068 and U+2069, which gettext puts around names with spaces.
func references(s string) []string {
	depth := 0
	return strings.FieldsFunc(s, func(c rune) bool {
		switch c {
		case '\u2068':
			depth++
		case '\u2069':
			depth = max(depth-1, 0)
		}
		return depth == 0 && (c == ' ' || c == '\t')
	})
}

func (b *builder) start(l rawLine, put func(string)) {
	if len(l.text) > maxText {
		b.fault(l, "po.long_text", "Most", strconv.Itoa(maxText>>10))
		return
	}
	b.text, b.put = l.text, put
}

func (b *builder) previous(l rawLine) {
	if b.stage > inPrevious {
		b.fault(l, "po.previous_late")
		return
	}
	if b.e.Previous == nil {
		b.e.Previous = &Previous{}
		b.e.Obsolete = l.obsolete
	}
	p := b.e.Previous
	if l.obsolete != b.e.Obsolete {
		b.fault(l, "po.mixed_marks")
		return
	}
	b.stage = inPrevious
	var has *bool
	var text *string
	switch l.word {
	case "msgctxt":
		has, text = &p.HasContext, &p.Context
	case "msgid":
		has, text = &p.HasID, &p.ID
	case "msgid_plural":
		has, text = &p.HasPlural, &p.Plural
	default:
		b.fault(l, "po.unknown_keyword", "Text", l.word)
		return
	}
	if *has {
		b.fault(l, "po.twice", "Text", l.word)
		return
	}
	*has = true
	b.start(l, func(s string) { *text = s })
}

func (b *builder) keyword(l rawLine) {
	if b.stage >= inContext && l.obsolete != b.e.Obsolete || b.stage == inPrevious && l.obsolete != b.e.Obsolete {
		b.fault(l, "po.mixed_marks")
		return
	}
	b.e.Obsolete = l.obsolete
	if b.e.Line == 0 {
		b.e.Line = l.number
	}
	form, plural := strings.CutPrefix(l.word, "msgstr[")
	switch {
	case l.word == "msgctxt" && b.stage < inContext:
		b.stage, b.e.HasContext = inContext, true
		b.start(l, func(s string) { b.e.Context = s })
	case l.word == "msgid" && b.stage < inID:
		b.stage = inID
		b.start(l, func(s string) { b.e.ID = s })
	case l.word == "msgid_plural" && b.stage == inID:
		b.stage, b.e.HasPlural = inPlural, true
		b.start(l, func(s string) { b.e.Plural = s })
	case l.word == "msgstr" && b.stage == inID:
		b.stage, b.e.StrLine = inStr, l.number
		b.start(l, func(s string) { b.e.Str = []string{s} })
	case plural && (b.stage == inPlural || b.stage == inStr && b.e.HasPlural):
		n := len(b.e.Str)
		if form != strconv.Itoa(n)+"]" || n >= maxPlural {
			b.fault(l, "po.plural_order", "Form", strconv.Itoa(n))
			return
		}
		if b.stage == inPlural {
			b.e.StrLine = l.number
		}
		b.stage = inStr
		b.start(l, func(s string) { b.e.Str = append(b.e.Str, s) })
	case slices.Contains([]string{"msgctxt", "msgid", "msgid_plural", "msgstr"}, l.word), plural:
		b.fault(l, "po.misplaced", "Text", l.word)
	default:
		b.fault(l, "po.unknown_keyword", "Text", l.word)
	}
}

// finish checks the entry as a whole and tells whether it is one.
func (b *builder) finish() bool {
	r, e := b.r, &b.e
	switch {
	case b.bad:
		return false
	case b.stage <= inPrevious && e.Previous == nil && len(e.Extracted)+len(e.References)+len(e.Flags) == 0:
		r.Tail = append(r.Tail, e.Comments...)
		return false
	case b.stage < inStr:
		r.fault(max(e.Line, 1), "po.no_msgstr")
		return false
	}
	for _, s := range append([]string{e.Context, e.ID, e.Plural}, e.Str...) {
		if !utf8.ValidString(s) {
			r.fault(e.Line, "po.not_utf8")
			return false
		}
		if c, ok := control(s, "\t\n"); ok {
			r.fault(e.Line, "po.control_character", "Code", c)
			return false
		}
	}
	if p := e.Previous; p != nil {
		for _, s := range []string{p.Context, p.ID, p.Plural} {
			if _, ok := control(s, "\t\n"); ok || !utf8.ValidString(s) {
				r.fault(e.Line, "po.not_utf8")
				return false
			}
		}
	}
	if e.isHeader() && len(r.seen) > 0 {
		// msgfmt takes a header anywhere. Elsewhere than first it is the mark of a file glued together.
		r.fault(e.Line, "po.second_header")
		return false
	}
	if len(r.seen) >= maxEntries {
		r.fault(e.Line, "po.too_many", "Most", strconv.Itoa(maxEntries))
		r.ended = true
		return false
	}
	full := sha256.Sum256([]byte(e.key()))
	sum := [16]byte(full[:16])
	if first, ok := r.seen[sum]; ok {
		r.fault(e.Line, "po.duplicate", "Text", e.Context, "First", strconv.Itoa(first))
		return false
	}
	r.seen[sum] = e.Line
	return true
}

package xliff

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/fault"
)

// A document may come from a stranger, so each of its parts is bounded.
const (
	maxDepth = 40
	maxText  = 64 << 10
	maxUnits = 1 << 20
)

// Read reads a document of XLIFF 2.0 or 2.1. name stands in faults. Segments that a tool made of a unit are joined again. What
// a tool added (<mrk>, matches, metadata, modules) is left out. What is wrong comes back as fault.Invalid with its line.
func Read(name string, data []byte) (Document, error) {
	if len(data) > po.MaxWhole {
		return Document{}, fault.New(fault.Invalid, "xliff.invalid").At(fault.Detail{
			File: name, Line: 1, Key: "po.too_large", Args: map[string]any{"Most": strconv.Itoa(po.MaxWhole >> 20)},
		})
	}
	r := reader{dec: xml.NewDecoder(bytes.NewReader(data)), name: name}
	doc, err := r.document()
	if err != nil {
		return Document{}, err
	}
	return doc, nil
}

type reader struct {
	dec   *xml.Decoder
	name  string
	depth int
	units int
	total int // bytes of texts with their codes: small data may be referred to many times
}

func (r *reader) fault(key string, args ...string) error {
	line, _ := r.dec.InputPos()
	d := fault.Detail{File: r.name, Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i]] = short(args[i+1])
	}
	return fault.New(fault.Invalid, "xliff.invalid").At(d)
}

// short keeps a stranger's words from filling a reply.
func short(s string) string {
	s = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if list := []rune(s); len(list) > 60 {
		return string(list[:60]) + "…"
	}
	return s
}

// token gives the next one, without comments and processing instructions.
func (r *reader) token() (xml.Token, error) {
	for {
		t, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			return nil, r.fault("xliff.not_xml", "Text", syntax.Msg)
		}
		if err != nil {
			return nil, r.fault("xliff.charset") // the only other thing that a decoder of bytes complains of
		}
		switch t := t.(type) {
		case xml.Directive:
			return nil, r.fault("xliff.doctype")
		case xml.StartElement:
			if r.depth++; r.depth > maxDepth {
				return nil, r.fault("xliff.too_deep")
			}
			return t, nil
		case xml.EndElement:
			r.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		}
	}
}

// children calls do for each element inside the one that was opened last. do must read its element to the end.
func (r *reader) children(do func(xml.StartElement) error) error {
	for {
		t, err := r.token()
		if err != nil {
			return ended(r, err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if err := do(t); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}

// ended turns an end where none may be into a fault.
func ended(r *reader, err error) error {
	if errors.Is(err, io.EOF) {
		return r.fault("xliff.not_xml", "Text", "unexpected EOF")
	}
	return err
}

func (r *reader) skip() error {
	return r.children(func(xml.StartElement) error { return r.skip() })
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && (a.Name.Space == "" || a.Name.Space == e.Name.Space) {
			return a.Value
		}
	}
	return ""
}

// ours tells whether an element belongs to the core.
func ours(e xml.StartElement) bool {
	return strings.HasPrefix(e.Name.Space, "urn:oasis:names:tc:xliff:document:2.")
}

func (r *reader) document() (Document, error) {
	var doc Document
	found := false
	for {
		t, err := r.token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return doc, err
		}
		root, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		if root.Name.Local != "xliff" {
			return doc, r.fault("xliff.not_xliff", "Text", root.Name.Local)
		}
		if !ours(root) || !strings.HasPrefix(attr(root, "version"), "2.") {
			return doc, r.fault("xliff.version", "Version", attr(root, "version"))
		}
		found = true
		doc.Source, doc.Target = attr(root, "srcLang"), attr(root, "trgLang")
		err = r.children(func(e xml.StartElement) error {
			if !ours(e) || e.Name.Local != "file" {
				return r.skip()
			}
			f := File{File: &po.File{Name: attr(e, "original")}, Done: Final}
			if err := r.body(&f); err != nil {
				return err
			}
			doc.Files = append(doc.Files, f)
			return nil
		})
		if err != nil {
			return doc, err
		}
	}
	if !found {
		return doc, r.fault("xliff.not_xliff", "Text", "")
	}
	return doc, nil
}

// body reads a <file> or a <group>.
func (r *reader) body(f *File) error {
	return r.children(func(e xml.StartElement) error {
		switch {
		case ours(e) && e.Name.Local == "group":
			return r.body(f)
		case ours(e) && e.Name.Local == "unit":
			if r.units++; r.units > maxUnits {
				return r.fault("po.too_many", "Most", strconv.Itoa(maxUnits))
			}
			return r.unit(e, f)
		}
		return r.skip()
	})
}

// segment is a piece of a unit.
type segment struct {
	source, target string
	hasTarget      bool
	state          State
	sub            string
}

func (r *reader) unit(start xml.StartElement, f *File) error {
	line, _ := r.dec.InputPos()
	name := attr(start, "name")
	if name == "" {
		name = attr(start, "id")
	}
	e := po.Entry{HasContext: true, Context: name, Line: line, StrLine: line}
	data := map[string]string{}
	var parts []segment
	previous, hasPrevious := "", false
	err := r.children(func(el xml.StartElement) error {
		if !ours(el) {
			return r.skip()
		}
		switch el.Name.Local {
		case "notes":
			return r.children(func(n xml.StartElement) error {
				s, err := r.text(nil)
				switch category := attr(n, "category"); {
				case err != nil:
					return err
				case category == notePrevious:
					previous, hasPrevious = s, true
				case category == notePlace:
					e.References = append(e.References, s)
				case category == noteContext:
					e.Extracted = append(e.Extracted, s)
				case s == "":
					e.Comments = append(e.Comments, "")
				default:
					for l := range strings.SplitSeq(s, "\n") {
						e.Comments = append(e.Comments, " "+l)
					}
				}
				return nil
			})
		case "originalData":
			return r.children(func(d xml.StartElement) error {
				s, err := r.text(nil)
				data[attr(d, "id")] = s
				return err
			})
		case "segment", "ignorable":
			s, err := r.segment(el, data)
			parts = append(parts, s)
			return err
		}
		return r.skip()
	})
	if err != nil {
		return err
	}
	joined := join(parts)
	if len(joined.source)+len(joined.target) > 2*maxText {
		return r.fault("po.long_text", "Most", strconv.Itoa(maxText>>10))
	}
	e.ID, e.Str = joined.source, []string{joined.target}
	switch {
	case joined.target == "":
	case hasPrevious && joined.state == Initial && joined.sub != subUnsure:
		e.Previous = &po.Previous{HasID: true, ID: previous}
		e.SetFuzzy(true)
	case joined.state == Initial:
		e.SetFuzzy(true)
	case lower(joined.state, f.Done):
		f.Done = joined.state
	}
	f.Entries = append(f.Entries, e)
	return nil
}

func lower(a, b State) bool {
	order := map[State]int{Initial: 0, Translated: 1, Reviewed: 2, Final: 3}
	return order[a] < order[b]
}

// join puts the pieces of a unit together. Where one has no translation the whole has none. What lies between segments
// (<ignorable>, of state "") is the same in both languages unless it says otherwise.
func join(parts []segment) segment {
	out := segment{state: Final, hasTarget: true}
	for _, p := range parts {
		out.source += p.source
		if p.state == "" && !p.hasTarget {
			p.target, p.hasTarget = p.source, true
		}
		out.target += p.target
		out.hasTarget = out.hasTarget && p.hasTarget
		if p.state != "" && lower(p.state, out.state) {
			out.state = p.state
		}
		if p.sub != "" {
			out.sub = p.sub
		}
	}
	if !out.hasTarget {
		out.target = ""
	}
	return out
}

func (r *reader) segment(start xml.StartElement, data map[string]string) (segment, error) {
	s := segment{sub: attr(start, "subState")}
	if start.Name.Local == "segment" {
		s.state = State(attr(start, "state"))
		switch s.state {
		case Initial, Translated, Reviewed, Final, "":
		default:
			return s, r.fault("xliff.state", "State", string(s.state))
		}
	}
	err := r.children(func(e xml.StartElement) error {
		switch {
		case ours(e) && e.Name.Local == "source":
			t, err := r.text(data)
			s.source = t
			return err
		case ours(e) && e.Name.Local == "target":
			if attr(e, "order") != "" {
				return r.fault("xliff.order")
			}
			t, err := r.text(data)
			s.target, s.hasTarget = t, true
			return err
		}
		return r.skip()
	})
	if start.Name.Local == "segment" && s.state == "" {
		s.state = Initial
		if s.target != "" {
			s.state = Translated // tools that write no state write no half-done targets
		}
	}
	return s, err
}

// text reads an element's characters, with codes turned back to what they stand for. Without data there are no codes.
func (r *reader) text(data map[string]string) (string, error) {
	var b strings.Builder
	var read func(after string) error
	read = func(after string) error {
		for {
			t, err := r.token()
			if err != nil {
				return ended(r, err)
			}
			if b.Len() > maxText {
				return r.fault("po.long_text", "Most", strconv.Itoa(maxText>>10))
			}
			switch t := t.(type) {
			case xml.CharData:
				b.Write(t)
			case xml.EndElement:
				b.WriteString(after)
				return nil
			case xml.StartElement:
				end, err := r.code(t, data, &b)
				if err != nil {
					return err
				}
				if err := read(end); err != nil {
					return err
				}
			}
		}
	}
	if err := read(""); err != nil {
		return "", err
	}
	s := b.String()
	if r.total += len(s); r.total > 4*po.MaxWhole {
		return "", r.fault("po.too_large", "Most", strconv.Itoa(po.MaxWhole>>20))
	}
	for _, c := range s {
		if (c < ' ' || c >= 0x7f && c < 0xa0) && c != '\n' && c != '\t' {
			return "", r.fault("po.control_character", "Code", "U+"+strings.ToUpper(strconv.FormatInt(int64(c)+0x10000, 16)[1:]))
		}
	}
	return s, nil
}

// code writes what an inline element stands for, and gives what its end stands for.
func (r *reader) code(e xml.StartElement, data map[string]string, b *strings.Builder) (end string, err error) {
	of := func(name string) (string, error) {
		ref := attr(e, name)
		if ref == "" {
			return "", nil
		}
		s, ok := data[ref]
		if !ok {
			return "", r.fault("xliff.no_data", "Text", ref)
		}
		return s, nil
	}
	if !ours(e) {
		return "", nil
	}
	switch e.Name.Local {
	case "cp":
		n, err := strconv.ParseUint(attr(e, "hex"), 16, 32)
		if err != nil || n > unicode.MaxRune {
			return "", r.fault("xliff.code_point", "Text", attr(e, "hex"))
		}
		b.WriteRune(rune(n))
	case "ph", "sc", "ec":
		s, err := of("dataRef")
		if err != nil {
			return "", err
		}
		b.WriteString(s)
	case "pc":
		s, err := of("dataRefStart")
		if err != nil {
			return "", err
		}
		b.WriteString(s)
		return of("dataRefEnd")
	case "mrk", "sm", "em":
	default:
		return "", r.fault("xliff.unknown_code", "Text", e.Name.Local)
	}
	return "", nil
}

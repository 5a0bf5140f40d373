// Package pdftest reads back what package sheet writes, as a second opinion for
// tests: the structure, the texts by structure and by page, the fonts.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Document is a PDF that was read.
type Document struct {
	Catalog  string
	Info     string
	Metadata string
	Elements []Element // children of the document element, in their order
	Fonts    []Font
	Links    []string
	Images   int
	objects  map[int]object
}

// Element is one of the structure tree.
type Element struct {
	Role, Lang, Alt string
	Actual          string // as the element says
	Shown           string // as the letters on the page say, from left to right
	Marks           []int
}

// Font is an embedded subset.
type Font struct {
	Name   string
	Bytes  int
	Glyphs int
}

type object struct {
	dict   string
	stream []byte
}

var (
	header  = regexp.MustCompile(`(?m)^(\d+) 0 obj\n`)
	length  = regexp.MustCompile(`/Length (\d+)>>\nstream\n$`)
	ref     = regexp.MustCompile(`(\d+) 0 R`)
	bfchar  = regexp.MustCompile(`(?m)^<([0-9a-f]{4})><([0-9a-f]+)>$`)
	marked  = regexp.MustCompile(`(?s)/\w+<</MCID (\d+)>>BDC\n(.*?)\nEMC`)
	shown   = regexp.MustCompile(`/(F\d+) [0-9.]+ Tf\[|<([0-9a-f]{4})>|1 0 0 1 (\S+) (\S+) Tm`)
	fontRef = regexp.MustCompile(`/(F\d+) (\d+) 0 R`)
)

// Read reads a document. It is strict: whatever it does not find is an error.
func Read(b []byte) (*Document, error) {
	d := &Document{objects: map[int]object{}}
	if err := d.split(b); err != nil {
		return nil, err
	}
	_, trailer, ok := strings.Cut(string(b[bytes.LastIndex(b, []byte("\nxref\n")):]), "trailer\n")
	if !ok {
		return nil, fmt.Errorf("no trailer")
	}
	d.Catalog, d.Info = d.follow(trailer, "Root"), d.follow(trailer, "Info")
	d.Metadata = string(d.objects[number(d.Catalog, "Metadata")].stream)
	page := d.follow(d.Catalog, "Pages")
	page = d.objects[numbers(value(page, "Kids"))[0]].dict
	for _, n := range numbers(value(page, "Annots")) {
		link := d.objects[n].dict
		_, uri, _ := strings.Cut(link, "/URI(")
		uri, _, _ = strings.Cut(uri, ")")
		d.Links = append(d.Links, uri)
	}
	texts, err := d.fonts(page)
	if err != nil {
		return nil, err
	}
	d.Images = strings.Count(value(page, "XObject"), " 0 R")
	content := string(d.objects[number(page, "Contents")].stream)
	marks := map[int]string{}
	for _, m := range marked.FindAllStringSubmatch(content, -1) {
		n, _ := strconv.Atoi(m[1])
		marks[n] = show(m[2], texts)
	}
	root := d.follow(d.Catalog, "StructTreeRoot")
	parents := numbers(strings.TrimPrefix(value(root, "Nums"), "[0"))
	top := d.follow(root, "K")
	if value(top, "S") != "/Document" {
		return nil, fmt.Errorf("the top of the structure is %s", top)
	}
	for _, n := range numbers(value(top, "K")) {
		e, err := d.element(n, marks, parents)
		if err != nil {
			return nil, err
		}
		d.Elements = append(d.Elements, e)
	}
	total := 0
	for _, e := range d.Elements {
		total += len(e.Marks)
	}
	if total != len(marks) {
		return nil, fmt.Errorf("%d marked contents, and %d in the structure", len(marks), total)
	}
	return d, nil
}

func (d *Document) split(b []byte) error {
	places := header.FindAllSubmatchIndex(b, -1)
	table := string(b[bytes.LastIndex(b, []byte("\nxref\n"))+1:])
	next := 0
	for _, p := range places {
		if p[0] < next {
			continue // inside a stream
		}
		n, _ := strconv.Atoi(string(b[p[2]:p[3]]))
		if !strings.Contains(table, fmt.Sprintf("%010d 00000 n ", p[0])) {
			return fmt.Errorf("object %d is not in the table", n)
		}
		body := b[p[1]:]
		end := bytes.Index(body, []byte("\nendobj\n"))
		o := object{dict: string(body[:end])}
		if at := bytes.Index(body[:end], []byte("\nstream\n")); at >= 0 {
			o.dict = string(body[:at+len("\nstream\n")])
			m := length.FindStringSubmatch(o.dict)
			if m == nil {
				return fmt.Errorf("object %d: no length", n)
			}
			size, _ := strconv.Atoi(m[1])
			o.stream = body[len(o.dict) : len(o.dict)+size]
			if !bytes.HasPrefix(body[len(o.dict)+size:], []byte("\nendstream\nendobj\n")) {
				return fmt.Errorf("object %d: its length is wrong", n)
			}
			next = p[1] + len(o.dict) + size
			if strings.Contains(o.dict, "/Filter/FlateDecode") {
				r, err := zlib.NewReader(bytes.NewReader(o.stream))
				if err != nil {
					return err
				}
				if o.stream, err = io.ReadAll(r); err != nil {
					return err
				}
			}
		}
		d.objects[n] = o
	}
	return nil
}

// fonts gives, for each font of the page, the texts of its characters.
func (d *Document) fonts(page string) (map[string]map[string]string, error) {
	texts := map[string]map[string]string{}
	for _, m := range fontRef.FindAllStringSubmatch(value(page, "Font"), -1) {
		n, _ := strconv.Atoi(m[2])
		font := d.objects[n].dict
		texts[m[1]] = map[string]string{}
		for _, c := range bfchar.FindAllStringSubmatch(string(d.objects[number(font, "ToUnicode")].stream), -1) {
			if c[1] == "0000" {
				continue // the range of codes
			}
			text, err := decode(c[2])
			if err != nil {
				return nil, err
			}
			texts[m[1]][c[1]] = text
		}
		descendant := d.objects[numbers(value(font, "DescendantFonts"))[0]].dict
		descriptor := d.follow(descendant, "FontDescriptor")
		file := d.objects[number(descriptor, "FontFile3")]
		widths := strings.Fields(strings.Trim(strings.TrimPrefix(value(descendant, "W"), "[1"), "[]"))
		if len(widths) != len(texts[m[1]]) {
			return nil, fmt.Errorf("%s: %d widths and %d texts", m[1], len(widths), len(texts[m[1]]))
		}
		d.Fonts = append(d.Fonts, Font{Name: strings.TrimPrefix(value(descendant, "BaseFont"), "/"), Bytes: len(file.stream), Glyphs: len(widths)})
	}
	return texts, nil
}

func (d *Document) element(n int, marks map[int]string, parents []int) (Element, error) {
	dict := d.objects[n].dict
	e := Element{Role: strings.TrimPrefix(value(dict, "S"), "/")}
	for key, into := range map[string]*string{"Lang": &e.Lang, "Alt": &e.Alt, "ActualText": &e.Actual} {
		if v := value(dict, key); v != "" {
			text, err := decode(strings.TrimPrefix(strings.Trim(v, "<>"), "feff"))
			if err != nil {
				return e, err
			}
			*into = text
		}
	}
	kids, owner := value(dict, "K"), n
	if ref.MatchString(kids) {
		owner = numbers(kids)[0]
		inner := d.objects[owner].dict
		if value(inner, "S") != "/Link" || !strings.Contains(inner, "/OBJR") {
			return e, fmt.Errorf("element %d is no link: %s", owner, inner)
		}
		kids = strings.TrimPrefix(value(inner, "K"), "[")
		kids, _, _ = strings.Cut(kids, "<<")
	}
	mark, err := strconv.Atoi(kids)
	if err != nil {
		return e, fmt.Errorf("content of element %d: %w", n, err)
	}
	if mark >= len(parents) || parents[mark] != owner {
		return e, fmt.Errorf("marked content %d belongs to %d by the structure and not by the parent tree %v", mark, owner, parents)
	}
	e.Marks, e.Shown = []int{mark}, marks[mark]
	return e, nil
}

// show gives the text of a marked content; lines are parted by spaces.
func show(content string, texts map[string]map[string]string) string {
	var b strings.Builder
	font := ""
	for _, m := range shown.FindAllStringSubmatch(content, -1) {
		switch {
		case m[1] != "":
			font = m[1]
		case m[2] != "":
			b.WriteString(texts[font][m[2]])
		default:
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
		}
	}
	return b.String()
}

func decode(hexText string) (string, error) {
	b, err := hex.DecodeString(hexText)
	if err != nil || len(b)%2 != 0 {
		return "", fmt.Errorf("text %q: %w", hexText, err)
	}
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units)), nil
}

// value gives what stands behind a key, up to the next key of the same depth.
func value(dict, key string) string {
	at := 0
	for {
		n := strings.Index(dict[at:], "/"+key)
		if n < 0 {
			return ""
		}
		at += n + 1 + len(key)
		if at < len(dict) && !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", rune(dict[at])) {
			break
		}
	}
	depth, rest := 0, dict[at:]
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case '<', '[', '(':
			depth++
		case '>', ']', ')':
			if depth == 0 {
				return strings.TrimSpace(rest[:i])
			}
			depth--
		case '/':
			if depth == 0 && i > 0 {
				return strings.TrimSpace(rest[:i])
			}
		}
	}
	return strings.TrimSpace(rest)
}

func numbers(s string) []int {
	var out []int
	for _, m := range ref.FindAllStringSubmatch(s, -1) {
		n, _ := strconv.Atoi(m[1])
		out = append(out, n)
	}
	return out
}

func number(dict, key string) int {
	if all := numbers(value(dict, key)); len(all) > 0 {
		return all[0]
	}
	return 0
}

func (d *Document) follow(dict, key string) string { return d.objects[number(dict, key)].dict }

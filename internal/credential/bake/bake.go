// Package bake puts credentials into pictures and takes them out again, as Open Badges 3.0 says: into a chunk of a PNG, into an element of an SVG.
//
// Only the pictures that it draws itself are baked. Of a picture that somebody brings, nothing but the credential is ever passed on.
package bake

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The reasons why a picture gives no credential.
var (
	ErrNone    = errors.New("the picture carries no credential")
	ErrPicture = errors.New("the picture is damaged, or not written as such pictures are")
	ErrTwo     = errors.New("the picture carries more than one credential")
)

// MaxCredential is how many bytes a credential in a picture may have.
const MaxCredential = 256 << 10

const (
	signature = "\x89PNG\r\n\x1a\n"
	keyword   = "openbadgecredential"
	maxChunks = 4096
)

// IsPNG tells whether a file begins as a PNG does.
func IsPNG(file []byte) bool { return bytes.HasPrefix(file, []byte(signature)) }

// chunk is a part of a PNG.
type chunk struct {
	kind string
	data []byte
}

// chunks takes a PNG apart and checks what holds it together: the lengths, the check sums, the first and the last.
func chunks(file []byte) ([]chunk, error) {
	rest, ok := bytes.CutPrefix(file, []byte(signature))
	if !ok {
		return nil, fmt.Errorf("%w: not a PNG", ErrPicture)
	}
	var out []chunk
	for len(rest) > 0 {
		if len(rest) < 12 || len(out) >= maxChunks {
			return nil, fmt.Errorf("%w: chunk %d", ErrPicture, len(out))
		}
		n := binary.BigEndian.Uint32(rest)
		if uint64(n)+12 > uint64(len(rest)) {
			return nil, fmt.Errorf("%w: chunk %d has %d bytes", ErrPicture, len(out), n)
		}
		body, sum := rest[4:8+n], binary.BigEndian.Uint32(rest[8+n:])
		if crc32.ChecksumIEEE(body) != sum {
			return nil, fmt.Errorf("%w: check sum of chunk %d", ErrPicture, len(out))
		}
		out = append(out, chunk{string(body[:4]), body[4:]})
		rest = rest[12+n:]
		if out[len(out)-1].kind == "IEND" {
			break
		}
	}
	if len(rest) > 0 || len(out) < 2 || out[0].kind != "IHDR" || out[len(out)-1].kind != "IEND" {
		return nil, fmt.Errorf("%w: its beginning or end", ErrPicture)
	}
	return out, nil
}

// ReadPNG takes the credential out of a PNG: JSON or a JWT, as it stands there. It decodes no picture.
func ReadPNG(file []byte) ([]byte, error) {
	all, err := chunks(file)
	if err != nil {
		return nil, err
	}
	var found []byte
	for _, c := range all {
		text, ok, err := readText(c)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if found != nil {
			return nil, ErrTwo
		}
		found = text
	}
	if found == nil {
		return nil, ErrNone
	}
	return found, nil
}

// readText reads an iTXt chunk with our keyword: keyword, compression, language, translated keyword, text.
func readText(c chunk) (text []byte, ok bool, err error) {
	if c.kind != "iTXt" {
		return nil, false, nil
	}
	name, rest, whole := bytes.Cut(c.data, []byte{0})
	if string(name) != keyword {
		return nil, false, nil
	}
	bad := fmt.Errorf("%w: its text", ErrPicture)
	if !whole || len(rest) < 2 {
		return nil, false, bad
	}
	packed, method := rest[0], rest[1]
	_, rest, lang := bytes.Cut(rest[2:], []byte{0})
	_, text, translated := bytes.Cut(rest, []byte{0})
	if !lang || !translated || packed > 1 || method != 0 {
		return nil, false, bad
	}
	if packed == 1 {
		in := bytes.NewReader(text)
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, false, bad
		}
		if text, err = io.ReadAll(io.LimitReader(z, MaxCredential+1)); err != nil || in.Len() > 0 {
			return nil, false, bad
		}
	}
	if len(text) == 0 || len(text) > MaxCredential || !utf8.Valid(text) {
		return nil, false, bad
	}
	return text, true, nil
}

// intoPNG writes a credential into a PNG that package image/png has written.
func intoPNG(file, credential []byte) ([]byte, error) {
	all, err := chunks(file)
	if err != nil {
		return nil, err
	}
	if len(credential) == 0 || len(credential) > MaxCredential || !utf8.Valid(credential) {
		return nil, fmt.Errorf("bake a credential of %d bytes", len(credential))
	}
	text := slices.Concat([]byte(keyword), []byte{0, 0, 0, 0, 0}, credential)
	all = slices.Insert(all, 1, chunk{"iTXt", text})
	var b bytes.Buffer
	b.WriteString(signature)
	for _, c := range all {
		body := append([]byte(c.kind), c.data...)
		b.Write(binary.BigEndian.AppendUint32(nil, uint32(len(c.data))))
		b.Write(body)
		b.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))
	}
	return b.Bytes(), nil
}

const (
	svgSpace    = "http://www.w3.org/2000/svg"
	badgeSpace  = "https://purl.imsglobal.org/ob/v3p0"
	maxElements = 20_000
	maxNesting  = 64
	maxAttrs    = 200
)

// IsSVG tells whether a file could be an SVG: XML that begins with a mark.
func IsSVG(file []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(file, " \t\r\n\ufeff"), []byte("<"))
}

// ReadSVG takes the credential out of an SVG: JSON in the element, or a JWT in its attribute. XML is read strictly: no document type, so
// no entities but the five of XML itself, and no other encoding than UTF-8. Nothing else of the picture is given.
func ReadSVG(file []byte) ([]byte, error) {
	if !utf8.Valid(file) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrPicture)
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimLeft(file, " \t\r\n\ufeff")))
	r := svgReader{d: d}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPicture, err)
		}
		if err := r.take(t); err != nil {
			return nil, err
		}
	}
	switch {
	case r.elements == 0 || r.depth != 0:
		return nil, fmt.Errorf("%w: no picture", ErrPicture)
	case r.found == 0:
		return nil, ErrNone
	case r.found > 1:
		return nil, ErrTwo
	}
	text := strings.TrimSpace(r.text.String())
	if (r.verify == "") == (text == "") || r.text.Len() > MaxCredential {
		return nil, fmt.Errorf("%w: its credential", ErrPicture)
	}
	return []byte(text + r.verify), nil
}

type svgReader struct {
	d               *xml.Decoder
	depth, elements int
	found           int
	inside          int // depth of the credential's element, 0 outside
	verify          string
	attributes      int // of that name
	text            strings.Builder
}

func (r *svgReader) take(t xml.Token) error {
	bad := func(why string) error { return fmt.Errorf("%w: %s", ErrPicture, why) }
	switch t := t.(type) {
	case xml.Directive:
		return bad("a document type")
	case xml.StartElement:
		if r.depth == 0 && r.elements > 0 {
			return bad("a second picture behind it")
		}
		r.depth++
		if r.elements++; r.elements > maxElements || r.depth > maxNesting || len(t.Attr) > maxAttrs {
			return bad("too large or too deep")
		}
		if r.elements == 1 && (t.Name.Space != svgSpace || t.Name.Local != "svg") {
			return bad("not an SVG")
		}
		if r.inside > 0 {
			return bad("an element in its credential")
		}
		if t.Name.Space == badgeSpace && t.Name.Local == "credential" {
			r.found++
			r.inside, r.attributes = r.depth, 0
			for _, a := range t.Attr {
				if a.Name.Space == "" && a.Name.Local == "verify" {
					if r.attributes++; r.attributes > 1 { // package xml takes what is no XML
						return bad("an attribute twice")
					}
					r.verify = strings.TrimSpace(a.Value)
				}
			}
		}
	case xml.EndElement:
		if r.inside == r.depth {
			r.inside = 0
		}
		r.depth--
	case xml.CharData:
		if r.depth == 0 && strings.Trim(string(t), " \t\r\n") != "" {
			return bad("text outside of the picture")
		}
		if r.inside > 0 && r.found == 1 {
			r.text.Write(t)
		}
	}
	return nil
}

// element is the credential as it stands in an SVG of ours.
func element(credential []byte) string {
	text := strings.ReplaceAll(string(credential), "]]>", "]]]]><![CDATA[>")
	return `<openbadges:credential xmlns:openbadges="` + badgeSpace + `"><![CDATA[` + text + `]]></openbadges:credential>`
}

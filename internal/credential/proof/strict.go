package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// form is what a document may be.
type form struct {
	bytes, depth, objects int
	// foreign: documents of others may have fractions, empty arrays, tabs, texts in a named language and one context as text.
	foreign bool
}

var (
	ours    = form{bytes: 64 << 10, depth: 12, objects: 128} // a credential of ours has some 3 kB; a status list 30 kB
	foreign = form{bytes: 256 << 10, depth: 16, objects: 512, foreign: true}
)

// decode reads JSON so strictly that two readers cannot understand it
// differently: one value, valid UTF-8, no key twice, no null, no fractions,
// nothing empty, and no JSON-LD keyword but @context at the top and in a proof. Whatever
// canonicalisation would pass over without a word is refused here.
func decode(raw []byte, f form) (map[string]any, error) {
	if len(raw) > f.bytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrForm, f.bytes)
	}
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrForm)
	}
	d := decoder{json.NewDecoder(bytes.NewReader(raw)), f, 0}
	d.UseNumber()
	v, err := d.value("", 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); err == nil || d.InputOffset() != int64(len(bytes.TrimRight(raw, " \t\r\n"))) {
		return nil, fmt.Errorf("%w: something follows the document", ErrForm)
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrForm)
	}
	return doc, nil
}

type decoder struct {
	*json.Decoder
	form
	seen int // objects
}

// What numbers may be. Fractions have no canonical form that every library agrees on, but for short ones.
var (
	plainInteger  = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,14})$`)
	plainFraction = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,8})\.[0-9]{1,6}$`)
)

func (d *decoder) value(at string, depth int) (any, error) {
	bad := func(why string) error { return fmt.Errorf("%w: %s at %q", ErrForm, why, at) }
	if depth > d.depth {
		return nil, bad("too deep")
	}
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	switch t := t.(type) {
	case nil:
		return nil, bad("null")
	case bool:
		return t, nil
	case string:
		return t, d.text(t, bad)
	case json.Number:
		if !plainInteger.MatchString(t.String()) && (!d.foreign || !plainFraction.MatchString(t.String())) {
			return nil, bad("not a plain number")
		}
		f, err := t.Float64()
		return f, err
	case json.Delim:
		if t == '{' {
			return d.object(at, depth, bad)
		}
		return d.array(at, depth, bad)
	}
	return nil, bad("unexpected token")
}

func (d *decoder) object(at string, depth int, bad func(string) error) (any, error) {
	if d.seen++; d.seen > d.objects {
		return nil, bad("too many objects")
	}
	m := map[string]any{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForm, err)
		}
		key, _ := t.(string)
		if _, twice := m[key]; twice {
			return nil, bad("a key twice")
		}
		// A slash stands in no term, and would let a key look like a path.
		if key == "@context" && d.foreign && !d.keyword(key, at, depth) {
			return nil, fmt.Errorf("%w: %w: contexts at %q", ErrUnsupported, ErrForm, at)
		}
		if key == "" || strings.ContainsAny(key, "@:/") && !d.keyword(key, at, depth) {
			return nil, bad(fmt.Sprintf("key %q", key))
		}
		if m[key], err = d.value(at+"/"+key, depth+1); err != nil {
			return nil, err
		}
	}
	if len(m) == 0 {
		return nil, bad("empty object")
	}
	return m, d.end()
}

// keyword tells whether a word of JSON-LD may stand where it stands.
func (d *decoder) keyword(key, at string, depth int) bool {
	switch key {
	case "@context":
		return depth == 0 || depth == 2 && strings.HasPrefix(at, "/proof/") || depth == 1 && at == "/proof" && d.foreign
	case "@value", "@language":
		return d.foreign
	}
	return false
}

func (d *decoder) array(at string, depth int, bad func(string) error) (any, error) {
	a := []any{} // an empty one is no null, in the form that eddsa-jcs-2022 signs
	scalars := map[any]bool{}
	for d.More() {
		v, err := d.value(fmt.Sprintf("%s/%d", at, len(a)), depth+1)
		if err != nil {
			return nil, err
		}
		switch v.(type) {
		case []any:
			return nil, bad("array in array")
		case map[string]any:
		default:
			// An RDF set holds a thing once: the second one would be unsigned.
			if scalars[v] {
				return nil, bad("the same value twice")
			}
			scalars[v] = true
		}
		a = append(a, v)
	}
	if len(a) == 0 && !d.foreign {
		return nil, bad("empty array")
	}
	return a, d.end()
}

func (d *decoder) end() error {
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	return nil
}

// text refuses control characters: libraries differ in how they escape
// them in canonical N-Quads, and no text for people needs them.
func (d *decoder) text(s string, bad func(string) error) error {
	for _, r := range s {
		if r < 0x20 && r != '\n' && (!d.foreign || r != '\t' && r != '\r') || r == 0x7f || r == utf8.RuneError {
			return bad(fmt.Sprintf("character %U", r))
		}
	}
	return nil
}

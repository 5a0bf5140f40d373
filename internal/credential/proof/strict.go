package proof

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What a document may be at most. A credential of ours has some 2 kB; a status list 30 kB.
const (
	maxBytes   = 64 << 10
	maxDepth   = 12
	maxObjects = 64
)

// decode reads JSON so strictly that two readers cannot understand it
// differently: one value, valid UTF-8, no key twice, no null, no fractions,
// nothing empty, and no JSON-LD keyword but @context at the top and in a proof. Whatever
// canonicalisation would pass over without a word is refused here.
func decode(raw []byte) (map[string]any, error) {
	if len(raw) > maxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrForm, maxBytes)
	}
	if !utf8.Valid(raw) {
		return nil, fmt.Errorf("%w: not UTF-8", ErrForm)
	}
	d := decoder{json.NewDecoder(bytes.NewReader(raw)), 0}
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
	objects int
}

var plainInteger = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,14})$`)

func (d *decoder) value(at string, depth int) (any, error) {
	bad := func(why string) error { return fmt.Errorf("%w: %s at %q", ErrForm, why, at) }
	if depth > maxDepth {
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
		return t, checkString(t, bad)
	case json.Number:
		// Fractions have no canonical form that every library agrees on.
		if !plainInteger.MatchString(t.String()) {
			return nil, bad("not a plain integer")
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
	if d.objects++; d.objects > maxObjects {
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
		if key == "" || strings.ContainsAny(key, "@:/") && (key != "@context" || depth > 0 && !inProof(at, depth)) {
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

// inProof tells whether an object is a member of the top's proof array.
func inProof(at string, depth int) bool { return depth == 2 && strings.HasPrefix(at, "/proof/") }

func (d *decoder) array(at string, depth int, bad func(string) error) (any, error) {
	var a []any
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
	if len(a) == 0 {
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

// checkString refuses control characters: libraries differ in how they escape
// them in canonical N-Quads, and no text for people needs them.
func checkString(s string, bad func(string) error) error {
	for _, r := range s {
		if r < 0x20 && r != '\n' || r == 0x7f || r == utf8.RuneError {
			return bad(fmt.Sprintf("character %U", r))
		}
	}
	return nil
}

// absoluteIRI is what may stand where an address is meant. Relative ones would be dropped.
var absoluteIRI = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|^` + "`" + `\\]+$`)

// census counts what an expanded document holds and refuses what does not
// come through to the signed statements.
type census struct {
	leaves int // scalars: values, ids, types
	quads  int // statements that must come out
	nodes  map[string]map[string]any
}

func (c *census) node(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: not a node: %T", ErrForm, v)
	}
	if value, ok := m["@value"]; ok {
		for k := range m {
			if k != "@value" && k != "@type" {
				return fmt.Errorf("%w: %s beside a value", ErrForm, k)
			}
		}
		if t, ok := m["@type"]; ok {
			if s, _ := t.(string); !absoluteIRI.MatchString(s) {
				return fmt.Errorf("%w: datatype %v", ErrForm, t)
			}
		}
		switch value.(type) {
		case string, bool, float64:
			c.leaves++
			return nil
		}
		return fmt.Errorf("%w: value %T", ErrForm, value)
	}
	if list, ok := m["@list"]; ok {
		return c.list(m, list)
	}
	// Two objects with one id are one node, whose parts could move between
	// them without breaking the signature. They must say the same, and then their statements count once.
	counted := true
	if id, ok := m["@id"].(string); ok && len(m) > 1 {
		twin, twice := c.nodes[id]
		if twice && !reflect.DeepEqual(twin, m) {
			return fmt.Errorf("%w: id %q on two things", ErrForm, id)
		}
		counted = !twice
		c.nodes[id] = m
	}
	quads := func(n int) {
		if counted {
			c.quads += n
		}
	}
	for k, v := range m {
		switch {
		case k == "@id":
			s, _ := v.(string)
			if !absoluteIRI.MatchString(s) {
				return fmt.Errorf("%w: id %q is not absolute", ErrForm, s)
			}
			c.leaves++
		case k == "@type":
			types, _ := v.([]any)
			if len(types) == 0 {
				return fmt.Errorf("%w: no types", ErrForm)
			}
			for _, t := range types {
				s, _ := t.(string)
				if !absoluteIRI.MatchString(s) {
					return fmt.Errorf("%w: unknown type %q", ErrForm, s)
				}
				if s == "https://www.w3.org/2018/credentials#VerifiablePresentation" {
					return fmt.Errorf("%w: a presentation", ErrForm)
				}
			}
			c.leaves += len(types)
			quads(len(types))
		case !absoluteIRI.MatchString(k):
			// Also @graph, @reverse and the like: no credential of ours
			// needs one, and the canonical form of graphs is where json-gold errs.
			return fmt.Errorf("%w: %s", ErrForm, k)
		default:
			values, _ := v.([]any)
			for _, v := range values {
				if err := c.node(v); err != nil {
					return err
				}
			}
			quads(len(values))
		}
	}
	return nil
}

// list counts an ordered list: each member has a statement that it is first, and one of what is the rest.
func (c *census) list(m map[string]any, list any) error {
	values, _ := list.([]any)
	if len(m) != 1 || len(values) == 0 {
		return fmt.Errorf("%w: list", ErrForm)
	}
	for _, v := range values {
		if err := c.node(v); err != nil {
			return err
		}
	}
	c.quads += 2 * len(values)
	return nil
}

func countLeaves(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for k, v := range v {
			if k != "@context" {
				n += countLeaves(v)
			}
		}
	case []any:
		for _, v := range v {
			n += countLeaves(v)
		}
	default:
		n = 1
	}
	return n
}

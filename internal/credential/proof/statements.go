package proof

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/piprate/json-gold/ld"
)

// isIRI tells whether a text may stand where an address is meant: a scheme, a colon, and
// no character that no IRI has. Relative ones are refused: they would be dropped.
func isIRI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c != '+' && c != '-' && c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	for i := range len(rest) {
		if c := rest[i]; c <= 0x20 || strings.IndexByte("<>\"{}|^`\\", c) >= 0 {
			return false
		}
	}
	return true
}

// statements makes the quads of an expanded document, and counts the values
// that it has seen, so that nothing is left out of what is signed. It takes the part of JSON-LD that
// credentials are made of, and refuses every other. In strict mode there are no graphs either:
// nothing of ours has one.
type statements struct {
	dataset
	strict bool
	leaves int // scalars: values, ids, types
	blanks int
	nodes  map[string]map[string]any
}

// quadsOf expands a document with what its contexts mean, and gives its statements.
//
// json-gold's Normalize forgets the SafeMode option: unknown terms vanish and
// a forged field verifies. So the document is expanded in safe mode, and each
// value of the JSON must be met again among the statements. That also
// catches relative types and ids and malformed IRIs, which safe mode lets pass.
func quadsOf(tree map[string]any, strict bool) (*dataset, error) {
	active, opts, err := activeContext(tree["@context"])
	if err != nil {
		return nil, err
	}
	plain := make(map[string]any, len(tree))
	for k, v := range tree {
		if k != "@context" {
			plain[k] = v
		}
	}
	v, err := ld.NewJsonLdApi().Expand(active, "", plain, opts, false, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	top, ok := v.(map[string]any)
	if !ok || top["@value"] != nil || top["@list"] != nil || top["@graph"] != nil {
		return nil, fmt.Errorf("%w: not one thing at the top", ErrForm)
	}
	s := statements{strict: strict, nodes: map[string]map[string]any{}}
	s.seen = map[quad]bool{}
	if _, err := s.node(top, term{}); err != nil {
		return nil, err
	}
	if n := countLeaves(plain); s.leaves != n {
		return nil, fmt.Errorf("%w: %d of %d values are left", ErrForm, s.leaves, n)
	}
	return &s.dataset, nil
}

// add adds a statement. One that is there already would be signed once and stand twice.
func (s *statements) add(q quad) error {
	if s.seen[q] {
		return fmt.Errorf("%w: the same statement twice: %s", ErrForm, q.p)
	}
	s.seen[q] = true
	s.quads = append(s.quads, q)
	return nil
}

func (s *statements) blank() term {
	s.blanks++
	return term{blank: s.blanks}
}

// thing gives the term that stands for a member of an expanded document, after making its statements.
func (s *statements) thing(v any, g term) (term, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return term{}, fmt.Errorf("%w: not a node: %T", ErrForm, v)
	}
	if _, ok := m["@value"]; ok {
		return s.value(m)
	}
	if list, ok := m["@list"]; ok {
		return s.list(m, list, g)
	}
	if nodes, ok := m["@graph"].([]any); ok && len(m) == 1 && !s.strict {
		name := s.blank()
		for _, n := range nodes {
			node, ok := n.(map[string]any)
			if !ok {
				return term{}, fmt.Errorf("%w: %T in a graph", ErrForm, n)
			}
			if _, err := s.node(node, name); err != nil {
				return term{}, err
			}
		}
		return name, nil
	}
	return s.node(m, g)
}

func (s *statements) value(m map[string]any) (term, error) {
	datatype, language := "", ""
	for k, v := range m {
		text, _ := v.(string)
		switch k {
		case "@value":
		case "@type":
			if datatype = text; !isIRI(text) {
				return term{}, fmt.Errorf("%w: datatype %v", ErrForm, v)
			}
		case "@language":
			// No context of ours sets a language, so it stands in the document.
			if language = text; !isLanguage(text) {
				return term{}, fmt.Errorf("%w: language %v", ErrForm, v)
			}
			s.leaves++
		default:
			return term{}, fmt.Errorf("%w: %s beside a value", ErrForm, k)
		}
	}
	if datatype != "" && language != "" {
		return term{}, fmt.Errorf("%w: a value with a type and a language", ErrForm)
	}
	s.leaves++
	switch v := m["@value"].(type) {
	case string:
		if datatype == "" {
			datatype = xsd + "string"
		}
		return literal(v, datatype, language), nil
	case bool:
		if language == "" {
			if datatype == "" {
				datatype = xsd + "boolean"
			}
			return literal(fmt.Sprint(v), datatype, ""), nil
		}
	case float64:
		if language == "" {
			return number(v, datatype), nil
		}
	}
	return term{}, fmt.Errorf("%w: value %T", ErrForm, m["@value"])
}

// isLanguage tells whether a text has the form of a language tag.
func isLanguage(s string) bool {
	for part := range strings.SplitSeq(s, "-") {
		if len(part) < 1 || len(part) > 8 || strings.Trim(part, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
			return false
		}
	}
	return true
}

// list makes an ordered list: each member is the first of what is left.
func (s *statements) list(m map[string]any, list any, g term) (term, error) {
	values, _ := list.([]any)
	if len(m) != 1 || len(values) == 0 {
		return term{}, fmt.Errorf("%w: list", ErrForm)
	}
	head := s.blank()
	at := head
	for i, v := range values {
		first, err := s.thing(v, g)
		if err != nil {
			return term{}, err
		}
		rest := iri(rdfNil)
		if i < len(values)-1 {
			rest = s.blank()
		}
		if err := s.add(quad{at, first, g, rdfFirst}); err != nil {
			return term{}, err
		}
		if err := s.add(quad{at, rest, g, rdfRest}); err != nil {
			return term{}, err
		}
		at = rest
	}
	return head, nil
}

func (s *statements) node(m map[string]any, g term) (term, error) {
	var self term
	counted := true
	if id, has := m["@id"]; has {
		text, _ := id.(string)
		if !isIRI(text) {
			return term{}, fmt.Errorf("%w: id %q is not absolute", ErrForm, id)
		}
		s.leaves++
		self = iri(text)
		if len(m) > 1 {
			// Two objects with one id are one node, whose parts could move between
			// them without breaking the signature. They must say the same, and then their statements are made once.
			twin, twice := s.nodes[g.key()+text]
			if twice && !reflect.DeepEqual(twin, m) {
				return term{}, fmt.Errorf("%w: %w: id %q on two things", ErrUnsupported, ErrForm, text)
			}
			counted = !twice
			s.nodes[g.key()+text] = m
		}
	} else {
		self = s.blank()
	}
	say := func(p string, o term) error {
		if !counted && o.blank == 0 {
			return nil
		}
		return s.add(quad{self, o, g, p})
	}
	for k, v := range m {
		switch {
		case k == "@id":
		case k == "@type":
			types, _ := v.([]any)
			if len(types) == 0 {
				return term{}, fmt.Errorf("%w: no types", ErrForm)
			}
			for _, t := range types {
				text, _ := t.(string)
				if !isIRI(text) {
					return term{}, fmt.Errorf("%w: unknown type %q", ErrForm, text)
				}
				if text == "https://www.w3.org/2018/credentials#VerifiablePresentation" {
					return term{}, fmt.Errorf("%w: a presentation", ErrForm)
				}
				s.leaves++
				if err := say(rdfType, iri(text)); err != nil {
					return term{}, err
				}
			}
		case !isIRI(k):
			// Also @reverse, @included, @index and the like: no credential needs one.
			return term{}, fmt.Errorf("%w: %s", ErrForm, k)
		default:
			values, _ := v.([]any)
			for _, v := range values {
				o, err := s.thing(v, g)
				if err != nil {
					return term{}, err
				}
				if err := say(k, o); err != nil {
					return term{}, err
				}
			}
		}
	}
	return self, nil
}

// key tells graphs apart.
func (t term) key() string { return fmt.Sprint(t.blank, t.text) }

func countLeaves(v any) int {
	n := 0
	switch v := v.(type) {
	case map[string]any:
		for _, v := range v {
			n += countLeaves(v)
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

package proof

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The RDF words that have a place of their own in JSON-LD.
const (
	rdfType     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
	rdfFirst    = "http://www.w3.org/1999/02/22-rdf-syntax-ns#first"
	rdfRest     = "http://www.w3.org/1999/02/22-rdf-syntax-ns#rest"
	rdfNil      = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil"
	xsd         = "http://www.w3.org/2001/XMLSchema#"
	maxBranches = 4096
)

// term is a part of a statement. A blank node has a number; everything else its
// canonical text, <iri> or "literal".
type term struct {
	text  string
	blank int // 1 and up; 0: none
}

func iri(s string) term { return term{text: "<" + s + ">"} }

// quad is a statement: subject, predicate, object and the graph that it stands in, "" for the default one.
type quad struct {
	s, o, g term
	p       string
}

// line writes a quad as canonical N-Quads, naming blank nodes as name does.
func (q quad) line(b *strings.Builder, name func(n int) string) {
	write := func(t term) {
		if t.blank > 0 {
			b.WriteString("_:")
			b.WriteString(name(t.blank))
			return
		}
		b.WriteString(t.text)
	}
	write(q.s)
	b.WriteString(" <")
	b.WriteString(q.p)
	b.WriteString("> ")
	write(q.o)
	if q.g != (term{}) {
		b.WriteByte(' ')
		write(q.g)
	}
	b.WriteString(" .\n")
}

// literal writes a value with its datatype or language.
func literal(value, datatype, language string) term {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range value {
		switch r {
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		case '"':
			b.WriteString(`\"`)
		case '\\':
			b.WriteString(`\\`)
		default:
			if r < 0x20 || r == 0x7f {
				fmt.Fprintf(&b, `\u%04X`, r)
				continue
			}
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	switch {
	case language != "":
		b.WriteString("@" + language)
	case datatype != xsd+"string":
		b.WriteString("^^<" + datatype + ">")
	}
	return term{text: b.String()}
}

// number writes a number as JSON-LD says: whole ones as integers, others as doubles.
func number(f float64, datatype string) term {
	if f != float64(int64(f)) || datatype == xsd+"double" {
		// strconv has at least two digits in the exponent and a sign; XML Schema has neither.
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', 15, 64), "E")
		mantissa = strings.TrimRight(mantissa, "0")
		if strings.HasSuffix(mantissa, ".") {
			mantissa += "0"
		}
		n, _ := strconv.Atoi(exponent) // strconv wrote it
		return literal(mantissa+"E"+strconv.Itoa(n), cmp.Or(datatype, xsd+"double"), "")
	}
	return literal(strconv.FormatInt(int64(f), 10), cmp.Or(datatype, xsd+"integer"), "")
}

// dataset is a set of quads.
type dataset struct {
	quads []quad
	seen  map[quad]bool
}

// canonical gives the dataset in canonical form: RDFC-1.0 with SHA-256, W3C
// Recommendation of 21 May 2024. json-gold's own loses its way in datasets with
// several graphs and does not bound its work.
func (d *dataset) canonical() (string, error) {
	c := canonicaliser{of: map[int][]quad{}, first: map[int]string{}, issued: newIssuer("c14n")}
	for _, q := range d.quads {
		for _, n := range q.blanks() {
			c.of[n] = append(c.of[n], q)
		}
	}
	byHash := map[string][]int{}
	for _, n := range slices.Sorted(maps.Keys(c.of)) {
		h := c.hashFirst(n)
		byHash[h] = append(byHash[h], n)
	}
	hashes := slices.Sorted(maps.Keys(byHash))
	for _, h := range hashes {
		if len(byHash[h]) == 1 {
			c.issued.issue(byHash[h][0])
		}
	}
	for _, h := range hashes {
		if len(byHash[h]) == 1 {
			continue
		}
		var paths []path
		for _, n := range byHash[h] {
			if c.issued.has(n) {
				continue
			}
			temporary := newIssuer("b")
			temporary.issue(n)
			p, err := c.hashN(n, temporary)
			if err != nil {
				return "", err
			}
			paths = append(paths, p)
		}
		slices.SortStableFunc(paths, func(a, b path) int { return cmp.Compare(a.hash, b.hash) })
		for _, p := range paths {
			for _, n := range p.issuer.order {
				c.issued.issue(n)
			}
		}
	}
	lines := make([]string, 0, len(d.quads))
	size := 0
	for _, q := range d.quads {
		var b strings.Builder
		q.line(&b, c.issued.name)
		lines = append(lines, b.String())
		size += b.Len()
	}
	slices.Sort(lines)
	var out strings.Builder
	out.Grow(size)
	for _, l := range lines {
		out.WriteString(l)
	}
	return out.String(), nil
}

// blanks gives the blank nodes of a quad, each once.
func (q quad) blanks() []int {
	var out []int
	for _, t := range []term{q.s, q.o, q.g} {
		if t.blank > 0 && !slices.Contains(out, t.blank) {
			out = append(out, t.blank)
		}
	}
	return out
}

// issuer names blank nodes in the order in which it meets them.
type issuer struct {
	prefix string
	names  map[int]string
	order  []int
}

func newIssuer(prefix string) *issuer { return &issuer{prefix: prefix, names: map[int]string{}} }

func (i *issuer) has(n int) bool { _, ok := i.names[n]; return ok }

func (i *issuer) name(n int) string { return i.names[n] }

func (i *issuer) issue(n int) string {
	if name, ok := i.names[n]; ok {
		return name
	}
	name := i.prefix + strconv.Itoa(len(i.order))
	i.names[n] = name
	i.order = append(i.order, n)
	return name
}

func (i *issuer) clone() *issuer {
	return &issuer{i.prefix, maps.Clone(i.names), slices.Clone(i.order)}
}

type canonicaliser struct {
	of       map[int][]quad // the quads of each blank node
	first    map[int]string
	issued   *issuer
	branches int
}

type path struct {
	hash   string
	issuer *issuer
}

func hexHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// hashFirst is Hash First Degree Quads (4.6).
func (c *canonicaliser) hashFirst(n int) string {
	if h, ok := c.first[n]; ok {
		return h
	}
	lines := make([]string, 0, len(c.of[n]))
	for _, q := range c.of[n] {
		var b strings.Builder
		q.line(&b, func(other int) string {
			if other == n {
				return "a"
			}
			return "z"
		})
		lines = append(lines, b.String())
	}
	slices.Sort(lines)
	h := hexHash(strings.Join(lines, ""))
	c.first[n] = h
	return h
}

// hashRelated is Hash Related Blank Node (4.7).
func (c *canonicaliser) hashRelated(n int, q quad, i *issuer, position string) string {
	input := position
	if position != "g" {
		input += "<" + q.p + ">"
	}
	switch {
	case c.issued.has(n):
		input += "_:" + c.issued.name(n)
	case i.has(n):
		input += "_:" + i.name(n)
	default:
		input += c.hashFirst(n)
	}
	return hexHash(input)
}

// hashN is Hash N-Degree Quads (4.8). Nodes that look alike are tried in every
// order: its work is bounded, for who sends a document need not have signed it.
func (c *canonicaliser) hashN(n int, i *issuer) (path, error) {
	related := map[string][]int{}
	for _, q := range c.of[n] {
		for _, at := range []struct {
			t        term
			position string
		}{{q.s, "s"}, {q.o, "o"}, {q.g, "g"}} {
			if at.t.blank > 0 && at.t.blank != n {
				h := c.hashRelated(at.t.blank, q, i, at.position)
				related[h] = append(related[h], at.t.blank)
			}
		}
	}
	var data strings.Builder
	for _, h := range slices.Sorted(maps.Keys(related)) {
		data.WriteString(h)
		chosen, with := "", (*issuer)(nil)
		err := permute(related[h], func(order []int) error {
			if c.branches++; c.branches > maxBranches {
				return fmt.Errorf("%w: too many things that look alike", ErrForm)
			}
			p, own, err := c.follow(order, i.clone(), chosen)
			if err == nil && own != nil && (chosen == "" || p < chosen) {
				chosen, with = p, own
			}
			return err
		})
		if err != nil {
			return path{}, err
		}
		data.WriteString(chosen)
		i = with
	}
	return path{hexHash(data.String()), i}, nil
}

// follow makes the path of one order. It gives no issuer for a path that is not better than the chosen one.
func (c *canonicaliser) follow(order []int, own *issuer, chosen string) (string, *issuer, error) {
	p := ""
	worse := func() bool { return chosen != "" && len(p) >= len(chosen) && p > chosen }
	var deeper []int
	for _, n := range order {
		if c.issued.has(n) {
			p += "_:" + c.issued.name(n)
		} else {
			if !own.has(n) {
				deeper = append(deeper, n)
			}
			p += "_:" + own.issue(n)
		}
		if worse() {
			return "", nil, nil
		}
	}
	for _, n := range deeper {
		found, err := c.hashN(n, own)
		if err != nil {
			return "", nil, err
		}
		p += "_:" + own.issue(n) + "<" + found.hash + ">"
		own = found.issuer
		if worse() {
			return "", nil, nil
		}
	}
	return p, own, nil
}

// permute calls fn with every order of a list.
func permute(list []int, fn func([]int) error) error {
	var step func(k int) error
	order := slices.Clone(list)
	step = func(k int) error {
		if k == len(order) {
			return fn(order)
		}
		for i := k; i < len(order); i++ {
			order[k], order[i] = order[i], order[k]
			if err := step(k + 1); err != nil {
				return err
			}
			order[k], order[i] = order[i], order[k]
		}
		return nil
	}
	return step(0)
}

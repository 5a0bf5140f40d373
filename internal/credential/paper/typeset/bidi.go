package typeset

import "golang.org/x/text/unicode/bidi"

// The Unicode Bidirectional Algorithm (UAX #9), whole. golang.org/x/text
// tells no levels, only directions, and go-text's package bidi merges what
// stands beside each other at levels 0 and 2: with either, the digits inside
// Arabic inside a line from left to right come out in the wrong place.

const maxDepth = 125

// resolve gives the embedding level of each character of one paragraph, before
// lines are broken (up to I2), and the level of the paragraph. base is 0, 1, or -1: as P2 and P3 find it.
func resolve(text []rune, base int8) ([]int8, int8) {
	p := paragraph{text: text, class: make([]bidi.Class, len(text)), levels: make([]int8, len(text))}
	p.original = make([]bidi.Class, len(text))
	for i, r := range text {
		props, _ := bidi.LookupRune(r)
		p.class[i] = props.Class()
	}
	copy(p.original, p.class)
	p.matchIsolates()
	if base < 0 {
		base = p.firstStrong(0, len(text))
	}
	p.base = base
	p.explicit()
	for _, seq := range p.sequences() {
		p.weak(seq)
		p.brackets(seq)
		p.neutral(seq)
		p.implicit(seq)
	}
	// What X9 takes out stands at the level of what is before it.
	for i := range text {
		if removed(p.original[i]) {
			p.levels[i] = p.base
			if i > 0 {
				p.levels[i] = p.levels[i-1]
			}
		}
	}
	return p.levels, base
}

// lineLevels applies L1 to one line: what separates, and space at the end, stand at the level of the paragraph.
func lineLevels(text []rune, levels []int8, base int8) []int8 {
	out := append([]int8(nil), levels...)
	trailing := true
	for i := len(text) - 1; i >= 0; i-- {
		props, _ := bidi.LookupRune(text[i])
		switch c := props.Class(); {
		case c == bidi.B, c == bidi.S:
			out[i], trailing = base, true
		case c == bidi.WS, isolates(c), c == bidi.PDI, removed(c):
			if trailing {
				out[i] = base
			}
		default:
			trailing = false
		}
	}
	return out
}

// visual gives the order in which runs of these levels stand from left to right (L2).
func visual(levels []int8) []int {
	order := make([]int, len(levels))
	highest, lowestOdd := int8(0), int8(maxDepth+2)
	for i, l := range levels {
		order[i] = i
		highest = max(highest, l)
		if l%2 == 1 {
			lowestOdd = min(lowestOdd, l)
		}
	}
	for l := highest; l >= lowestOdd; l-- {
		for i := 0; i < len(levels); i++ {
			if levels[i] < l {
				continue
			}
			end := i
			for end < len(levels) && levels[end] >= l {
				end++
			}
			for a, b := i, end-1; a < b; a, b = a+1, b-1 {
				order[a], order[b] = order[b], order[a]
			}
			i = end
		}
	}
	return order
}

type paragraph struct {
	text     []rune
	original []bidi.Class
	class    []bidi.Class
	levels   []int8
	base     int8
	pdi      []int // of an isolate initiator its PDI, or len(text); else -1
	opener   []int // of a PDI its initiator; else -1
}

func removed(c bidi.Class) bool {
	switch c {
	case bidi.LRE, bidi.RLE, bidi.LRO, bidi.RLO, bidi.PDF, bidi.BN:
		return true
	}
	return false
}

func isolates(c bidi.Class) bool { return c == bidi.LRI || c == bidi.RLI || c == bidi.FSI }

func odd(level int8) bidi.Class {
	if level%2 == 1 {
		return bidi.R
	}
	return bidi.L
}

// matchIsolates is BD9.
func (p *paragraph) matchIsolates() {
	p.pdi, p.opener = make([]int, len(p.text)), make([]int, len(p.text))
	var open []int
	for i, c := range p.class {
		p.pdi[i], p.opener[i] = -1, -1
		switch {
		case isolates(c):
			p.pdi[i] = len(p.text)
			open = append(open, i)
		case c == bidi.PDI && len(open) > 0:
			p.opener[i] = open[len(open)-1]
			p.pdi[p.opener[i]] = i
			open = open[:len(open)-1]
		}
	}
}

// firstStrong is P2 and P3, for a part of the text.
func (p *paragraph) firstStrong(from, to int) int8 {
	for i := from; i < to; i++ {
		switch c := p.original[i]; {
		case c == bidi.L:
			return 0
		case c == bidi.R, c == bidi.AL:
			return 1
		case isolates(c):
			i = p.pdi[i]
		}
	}
	return 0
}

// explicit is X1 to X8.
func (p *paragraph) explicit() {
	type status struct {
		level    int8
		override bidi.Class
		forced   bool
		isolate  bool
	}
	stack := []status{{level: p.base}}
	overIsolates, overEmbeddings, valid := 0, 0, 0
	for i, c := range p.original {
		top := stack[len(stack)-1]
		set := func(s status) {
			p.levels[i] = s.level
			if s.forced {
				p.class[i] = s.override
			}
		}
		up := func(right bool) int8 {
			if right {
				return (top.level + 1) | 1
			}
			return (top.level + 2) &^ 1
		}
		switch c {
		case bidi.RLE, bidi.LRE, bidi.RLO, bidi.LRO:
			p.levels[i] = top.level
			s := status{level: up(c == bidi.RLE || c == bidi.RLO), forced: c == bidi.RLO || c == bidi.LRO}
			if s.override = bidi.L; c == bidi.RLO {
				s.override = bidi.R
			}
			if s.level <= maxDepth && overIsolates == 0 && overEmbeddings == 0 {
				stack = append(stack, s)
			} else if overIsolates == 0 {
				overEmbeddings++
			}
		case bidi.RLI, bidi.LRI, bidi.FSI:
			set(top)
			right := c == bidi.RLI || c == bidi.FSI && p.firstStrong(i+1, p.pdi[i]) == 1
			if l := up(right); l <= maxDepth && overIsolates == 0 && overEmbeddings == 0 {
				valid++
				stack = append(stack, status{level: l, isolate: true})
			} else {
				overIsolates++
			}
		case bidi.PDI:
			switch {
			case overIsolates > 0:
				overIsolates--
			case valid > 0:
				overEmbeddings = 0
				for !stack[len(stack)-1].isolate {
					stack = stack[:len(stack)-1]
				}
				stack = stack[:len(stack)-1]
				valid--
			}
			set(stack[len(stack)-1])
		case bidi.PDF:
			p.levels[i] = top.level
			switch {
			case overIsolates > 0:
			case overEmbeddings > 0:
				overEmbeddings--
			case !top.isolate && len(stack) > 1:
				stack = stack[:len(stack)-1]
			}
		case bidi.B:
			p.levels[i] = p.base
		case bidi.BN:
			p.levels[i] = top.level
		default:
			set(top)
		}
	}
}

// sequence is an isolating run sequence: places in the text, all of one level.
type sequence struct {
	at       []int
	level    int8
	sos, eos bidi.Class
}

// sequences is BD13 and X10.
func (p *paragraph) sequences() []sequence {
	var runs [][]int
	runOf := make([]int, len(p.text))
	for i := range p.text {
		runOf[i] = -1
		if removed(p.original[i]) {
			continue
		}
		if n := len(runs); n == 0 || p.levels[runs[n-1][0]] != p.levels[i] {
			runs = append(runs, nil)
		}
		runs[len(runs)-1] = append(runs[len(runs)-1], i)
		runOf[i] = len(runs) - 1
	}
	var out []sequence
	for _, run := range runs {
		if p.opener[run[0]] >= 0 {
			continue // goes on from its initiator
		}
		s := sequence{level: p.levels[run[0]]}
		for {
			s.at = append(s.at, run...)
			last := run[len(run)-1]
			if !isolates(p.original[last]) || p.pdi[last] == len(p.text) {
				break
			}
			run = runs[runOf[p.pdi[last]]]
		}
		before, after := p.base, p.base
		for i := s.at[0] - 1; i >= 0; i-- {
			if !removed(p.original[i]) {
				before = p.levels[i]
				break
			}
		}
		if last := s.at[len(s.at)-1]; !isolates(p.original[last]) {
			for i := last + 1; i < len(p.text); i++ {
				if !removed(p.original[i]) {
					after = p.levels[i]
					break
				}
			}
		}
		s.sos, s.eos = odd(max(s.level, before)), odd(max(s.level, after))
		out = append(out, s)
	}
	return out
}

// weak is W1 to W7.
func (p *paragraph) weak(s sequence) {
	before := s.sos
	for _, i := range s.at { // W1
		if p.class[i] == bidi.NSM {
			p.class[i] = before
		}
		before = p.class[i]
		if isolates(before) || before == bidi.PDI {
			before = bidi.ON
		}
	}
	strong := s.sos
	for _, i := range s.at { // W2, W3
		switch p.class[i] {
		case bidi.L, bidi.R:
			strong = p.class[i]
		case bidi.AL:
			strong, p.class[i] = bidi.AL, bidi.R
		case bidi.EN:
			if strong == bidi.AL {
				p.class[i] = bidi.AN
			}
		}
	}
	for n := 1; n+1 < len(s.at); n++ { // W4
		a, b, c := p.class[s.at[n-1]], p.class[s.at[n]], p.class[s.at[n+1]]
		if a == c && (b == bidi.ES && a == bidi.EN || b == bidi.CS && (a == bidi.EN || a == bidi.AN)) {
			p.class[s.at[n]] = a
		}
	}
	for n := 0; n < len(s.at); n++ { // W5
		if p.class[s.at[n]] != bidi.ET {
			continue
		}
		end := n
		for end < len(s.at) && p.class[s.at[end]] == bidi.ET {
			end++
		}
		if n > 0 && p.class[s.at[n-1]] == bidi.EN || end < len(s.at) && p.class[s.at[end]] == bidi.EN {
			for m := n; m < end; m++ {
				p.class[s.at[m]] = bidi.EN
			}
		}
		n = end - 1
	}
	strong = s.sos
	for _, i := range s.at { // W6, W7
		switch p.class[i] {
		case bidi.ES, bidi.ET, bidi.CS:
			p.class[i] = bidi.ON
		case bidi.L, bidi.R:
			strong = p.class[i]
		case bidi.EN:
			if strong == bidi.L {
				p.class[i] = bidi.L
			}
		}
	}
}

// counts is how N0 to N2 see a class: numbers are R.
func counts(c bidi.Class) (bidi.Class, bool) {
	switch c {
	case bidi.L:
		return bidi.L, true
	case bidi.R, bidi.EN, bidi.AN:
		return bidi.R, true
	}
	return bidi.ON, false
}

// closing gives the bracket that closes one, by its canonical form.
func closing(r rune) rune {
	switch r {
	case '\u2329', '\u3008':
		return '\u232A'
	}
	for _, c := range bidi.ReverseString(string(r)) {
		return c
	}
	return r
}

func canonical(r rune) rune {
	if r == '\u3009' {
		return '\u232A'
	}
	return r
}

// brackets is N0.
func (p *paragraph) brackets(s sequence) {
	type opening struct {
		closer rune
		n      int
	}
	var stack []opening
	end := make(map[int]int) // of the opening bracket, both as places in s.at
	for n, i := range s.at {
		props, _ := bidi.LookupRune(p.text[i])
		if !props.IsBracket() || p.class[i] != bidi.ON {
			continue
		}
		if props.IsOpeningBracket() {
			if len(stack) == 63 {
				break
			}
			stack = append(stack, opening{closing(p.text[i]), n})
			continue
		}
		for m := len(stack) - 1; m >= 0; m-- {
			if stack[m].closer == canonical(p.text[i]) {
				end[stack[m].n] = n
				stack = stack[:m]
				break
			}
		}
	}
	if len(end) == 0 {
		return
	}
	own := odd(s.level)
	// preceding[n] is the strong class before place n; it changes as brackets are settled, so it is kept up as we go.
	before := s.sos
	for n := range s.at {
		if to, ok := end[n]; ok {
			inside, found := bidi.ON, false
			for m := n + 1; m < to; m++ {
				if c, strong := counts(p.class[s.at[m]]); strong {
					inside, found = c, true
					if c == own {
						break
					}
				}
			}
			switch {
			case found && inside == own:
				p.bracket(s, n, to, own)
			case found && before != own:
				p.bracket(s, n, to, before)
			case found:
				p.bracket(s, n, to, own)
			}
		}
		if c, strong := counts(p.class[s.at[n]]); strong {
			before = c
		}
	}
}

// bracket settles a pair, and the marks that stand on its brackets.
func (p *paragraph) bracket(s sequence, from, to int, c bidi.Class) {
	for _, n := range []int{from, to} {
		p.class[s.at[n]] = c
		for m := n + 1; m < len(s.at) && p.original[s.at[m]] == bidi.NSM; m++ {
			p.class[s.at[m]] = c
		}
	}
}

// neutral is N1 and N2.
func (p *paragraph) neutral(s sequence) {
	before := s.sos
	for n := 0; n < len(s.at); n++ {
		if c, strong := counts(p.class[s.at[n]]); strong {
			before = c
			continue
		}
		end, after := n, s.eos
		for ; end < len(s.at); end++ {
			if c, strong := counts(p.class[s.at[end]]); strong {
				after = c
				break
			}
		}
		c := odd(s.level)
		if before == after {
			c = before
		}
		for m := n; m < end; m++ {
			p.class[s.at[m]] = c
		}
		n = end - 1
	}
}

// implicit is I1 and I2.
func (p *paragraph) implicit(s sequence) {
	for _, i := range s.at {
		switch p.class[i] {
		case bidi.L:
			p.levels[i] += s.level % 2
		case bidi.R:
			p.levels[i] += 1 - s.level%2
		case bidi.EN, bidi.AN:
			p.levels[i] += 2 - s.level%2
		}
	}
}

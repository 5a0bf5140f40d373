package quiz

import (
	"math/bits"
	"slices"
	"strconv"
)

// Seed is what the choice of questions and the order of options follow from. The page computes them from the same; see
// docs/course-format.md, and testdata/draws.json, which holds both to the same results.
type Seed struct {
	Enrollment string `json:"enrollment"` // for somebody who practises without one, a word that the page makes
	Quiz       string `json:"quiz"`
	Attempt    int    `json:"attempt"` // 1, 2, 3 …
}

// MaxAttempt bounds the number of an attempt at a quiz that draws.
const MaxAttempt = 1000

// Draws tells whether attempts show different questions.
func (p Plan) Draws() bool {
	return slices.ContainsFunc(p.Sections, func(s Section) bool { return s.Draw != nil })
}

// Shown lists the questions of an attempt in their order, by section. A quiz without sections shows all that it has.
//
// A bank is a round of its questions in an order that belongs to the enrollment. Each attempt goes on in the round where the one
// before it ended. So it meets nothing from the last attempt while enough others are left, no question comes up
// again before all have, and the number of the attempt alone, without the attempts before it, tells what it shows.
func (p Plan) Shown(of Seed) []string {
	step := map[string]int{}
	for _, s := range p.Sections {
		if s.Draw != nil {
			step[s.Draw.Bank] += s.Draw.Count
		}
	}
	type round struct {
		order []string
		next  int
	}
	rounds := map[string]*round{}
	for bank, ids := range p.Banks {
		r := &round{order: slices.Clone(ids)}
		newRandom("draw", of.Enrollment, of.Quiz, bank).shuffle(r.order)
		if n := len(ids); n > 0 {
			r.next = (max(of.Attempt, 1) - 1) % n * (step[bank] % n) % n
		}
		rounds[bank] = r
	}
	var out []string
	for _, s := range p.Sections {
		out = append(out, s.Questions...)
		if s.Draw == nil || rounds[s.Draw.Bank] == nil {
			continue
		}
		r := rounds[s.Draw.Bank]
		for range min(s.Draw.Count, len(r.order)) {
			out = append(out, r.order[r.next])
			r.next = (r.next + 1) % len(r.order)
		}
	}
	return out
}

// Arrange gives the options of a question in the order of an attempt: shuffled, but for those that stay last.
func Arrange(of Seed, question string, options []Option) []Option {
	var first, last []Option
	for _, o := range options {
		if o.Last {
			last = append(last, o)
		} else {
			first = append(first, o)
		}
	}
	r := newRandom("options", of.Enrollment, of.Quiz, strconv.Itoa(of.Attempt), question)
	shuffle(r, first)
	return append(first, last...)
}

// random is sfc32 by Chris Doty-Humphrey: small, the same in every language with 32-bit arithmetic, and good
// enough for a shuffle. It keeps no secret: what a learner may be shown is public anyway.
type random struct{ a, b, c, n uint32 }

// newRandom begins a row of numbers that follows from the words, which are ASCII without slashes.
func newRandom(words ...string) *random {
	var part [3]uint32
	for i := range part {
		h := uint32(2166136261) ^ uint32(i) // FNV-1a, three times from different beginnings
		for j, w := range words {
			if j > 0 {
				h = (h ^ '/') * 16777619
			}
			for k := range len(w) {
				h = (h ^ uint32(w[k])) * 16777619
			}
		}
		part[i] = finish(h)
	}
	r := &random{a: part[0], b: part[1], c: part[2], n: 1}
	for range 15 {
		r.next()
	}
	return r
}

// finish is the finalizer of MurmurHash3: words that differ little give numbers that differ much.
func finish(h uint32) uint32 {
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

func (r *random) next() uint32 {
	t := r.a + r.b + r.n
	r.n++
	r.a = r.b ^ r.b>>9
	r.b = r.c + r.c<<3
	r.c = bits.RotateLeft32(r.c, 21) + t
	return t
}

// below gives a number from 0 to n-1, each as likely as the others.
func (r *random) below(n int) int {
	for {
		x := uint64(r.next())
		// The last numbers would make some remainders more likely.
		if x < 1<<32-(1<<32)%uint64(n) {
			return int(x % uint64(n))
		}
	}
}

func (r *random) shuffle(list []string) { shuffle(r, list) }

// shuffle is Fisher-Yates from the end.
func shuffle[T any](r *random, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := r.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

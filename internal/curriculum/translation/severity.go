package translation

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
)

// Severity is how much a change of a source text matters to its translations.
type Severity string

// The severities. A translation of a text whose meaning was Removed is hidden
// until somebody translates anew; the other two stay shown, marked.
const (
	Same    Severity = ""
	Typo    Severity = "typo"
	Meaning Severity = "meaning"
	Removed Severity = "removed"
)

// ParseSeverity reads what an author wrote.
func ParseSeverity(s string) (Severity, bool) {
	v := Severity(s)
	return v, v == Typo || v == Meaning || v == Removed
}

func stricter(a, b Severity) Severity {
	order := []Severity{Same, Typo, Meaning, Removed}
	if slices.Index(order, a) > slices.Index(order, b) {
		return a
	}
	return b
}

var (
	codeSpan   = regexp.MustCompile("`+[^`]*`+")
	linkTarget = regexp.MustCompile(`\]\([^)\s]*`)
	number     = regexp.MustCompile(`[-+−]?\p{Nd}+(?:[.,:/]\p{Nd}+)*\s?%?`)
	word       = regexp.MustCompile(`[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}]+)*`)
)

// SeverityOf judges a change by rule, in doubt as Meaning. It is a Typo when the change touches only case, punctuation and
// spaces, or one or two letters in words of four letters and more; but no number, no sign such as < or +, no code, no target of a link, and no negation.
func SeverityOf(before, after string) Severity {
	if before == after {
		return Same
	}
	for _, form := range []*regexp.Regexp{codeSpan, linkTarget, number} {
		if !slices.Equal(form.FindAllString(before, -1), form.FindAllString(after, -1)) {
			return Meaning
		}
	}
	if signs(before) != signs(after) {
		return Meaning
	}
	a, b := words(before), words(after)
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if negated(a) != negated(b) {
		return Meaning
	}
	if strings.Join(a, "") == strings.Join(b, "") {
		return Typo
	}
	if len(a) != len(b) {
		return Meaning
	}
	left := 2
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		x, y := []rune(a[i]), []rune(b[i])
		if max(len(x), len(y)) < 4 || denies(a[i], b[i]) || strings.ContainsFunc(a[i]+b[i], wordy) {
			return Meaning
		}
		if left -= distance(x, y); left < 0 {
			return Meaning
		}
	}
	return Typo
}

// signs are those that a formula is made of.
func signs(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.Is(unicode.Sm, c) && c != '|' && c != '~' || unicode.Is(unicode.Sc, c) || c == '%' {
			return c
		}
		return -1
	}, s)
}

func words(s string) []string {
	return word.FindAllString(strings.ReplaceAll(strings.ToLower(s), "’", "'"), -1)
}

// negations are words of the languages in which courses are first written.
var negations = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("no not none never nothing nobody nowhere neither nor without cannot " +
		"ne pas jamais aucun aucune rien sans non ni nunca sin nada nadie ningún ninguna não sem nem nenhum nenhuma " +
		"не ни нет без никогда нельзя لا لم لن ليس ليست غير بدون بلا नहीं न मत बिना si hapana bila sio") {
		m[w] = true
	}
	return m
}()

func negated(list []string) int {
	n := 0
	for _, w := range list {
		if negations[w] || strings.HasSuffix(w, "n't") || strings.HasPrefix(w, "n'") {
			n++
		}
	}
	return n
}

var denials = []string{"un", "in", "im", "il", "ir", "non", "dis", "mis", "a", "de", "не", "без", "ha"}

// denies tells whether one word is the other with a syllable before it that turns its meaning round.
func denies(a, b string) bool {
	return slices.ContainsFunc(denials, func(p string) bool { return a == p+b || b == p+a })
}

// wordy tells whether one sign alone is a word, so that no change of it is small.
func wordy(c rune) bool {
	return unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// distance counts letters added, left out, changed, or swapped with their neighbour; at most 3, which is too many.
func distance(a, b []rune) int {
	const many = 3
	if len(a)-len(b) >= many || len(b)-len(a) >= many || len(a) > 64 {
		return many
	}
	two, one := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now := make([]int, len(b)+1)
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(one[j]+1, now[j-1]+1, one[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], two[j-2]+1)
			}
		}
		two, one = one, now
	}
	return min(one[len(b)], many)
}

// What merging notes among the comments of an entry.
const (
	severityNote = "severity: "
	unsureNote   = "unsure: yes" // the translation was marked fuzzy before its source changed
)

// isNote tells whether merging wrote a line.
func isNote(line string) bool {
	return strings.HasPrefix(line, severityNote) || line == unsureNote
}

// override is the severity that an author gave, or Same.
func override(e *po.Entry) Severity {
	for _, line := range e.Extracted {
		if v, ok := strings.CutPrefix(line, severityNote); ok {
			if s, ok := ParseSeverity(strings.TrimSpace(v)); ok {
				return s
			}
		}
	}
	return Same
}

// guessed tells whether a tool filled the entry with the translation of some other text.
func guessed(e *po.Entry) bool {
	return e.Has(po.Fuzzy) && e.Previous != nil && e.Previous.HasContext && e.Previous.Context != e.Context
}

func stateOf(e po.Entry, source string) State {
	fuzzy := e.Has(po.Fuzzy)
	known := fuzzy && e.Previous != nil && e.Previous.HasID
	switch {
	case !e.Translated():
		return Missing
	case guessed(&e):
		return Withdrawn
	case e.ID == source && !fuzzy, known && e.Previous.ID == source:
		return Fresh
	case e.ID == source && !known:
		return Stale
	}
	severity := override(&e)
	if e.ID != source { // not merged yet
		severity = stricter(severity, SeverityOf(e.MadeFrom(), source))
	}
	if severity == Removed {
		return Withdrawn
	}
	return Stale
}

// best chooses among live entries of a unit.
func best(entries []po.Entry, u Unit) (po.Entry, bool) {
	var top po.Entry
	found := false
	for i := range entries {
		e := &entries[i]
		if e.Obsolete || !e.HasContext {
			continue
		}
		if !found || rank(e, u) > rank(&top, u) {
			top, found = *e, true
		}
	}
	return top, found
}

// rank orders the entries of a unit from less to more useful.
func rank(e *po.Entry, u Unit) int {
	n := 0
	for _, good := range []bool{e.Translated(), !guessed(e), e.ID == u.Source, !e.Obsolete, !e.Has(po.Fuzzy)} {
		n <<= 1
		if good {
			n++
		}
	}
	return n
}

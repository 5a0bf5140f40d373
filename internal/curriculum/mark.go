package curriculum

import (
	"encoding/json"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/banyan-lms/banyan/internal/fault"
)

// maxAnswer bounds what a learner may write into one answer, in characters.
const maxAnswer = 1000

// Marked is a marked quiz.
type Marked struct {
	Score     float64          `json:"score"` // share of points, 0 to 1
	Passed    bool             `json:"passed"`
	Questions []MarkedQuestion `json:"questions"`
}

// MarkedQuestion is one marked answer and what to say to it.
type MarkedQuestion struct {
	ID       string          `json:"id"`
	Correct  bool            `json:"correct"`
	Points   float64         `json:"points"`             // earned
	Options  map[string]Text `json:"options,omitempty"`  // single, multiple: what to say, by each option that was chosen
	Feedback Text            `json:"feedback,omitempty"` // the other types
}

// Mark marks the responses to a quiz, by question id. A question without a
// response (or with null) is wrong. What a page of ours never sends (another JSON type, an
// unknown question or option, an option chosen twice) is a fault Invalid whose details
// carry pointers into responses. A text that is no number is a wrong
// answer and no fault, for a learner may have written it.
func Mark(q VaultQuiz, responses map[string]json.RawMessage) (Marked, error) {
	m := marking{}
	known := map[string]bool{}
	var earned, total float64
	var out Marked
	for _, qu := range q.Questions {
		known[qu.ID] = true
		mq := m.question(qu, responses[qu.ID])
		if mq.Correct {
			mq.Points = qu.Points
		}
		earned += mq.Points
		total += qu.Points
		out.Questions = append(out.Questions, mq)
	}
	for _, id := range slices.Sorted(maps.Keys(responses)) {
		if !known[id] {
			m.at = "/" + escapePointer(short(id))
			m.fault("quiz.unknown_question")
		}
	}
	if len(m.details) > 0 {
		return Marked{}, fault.New(fault.Invalid, "quiz.bad_response").At(m.details...)
	}
	if total > 0 {
		out.Score = min(earned/total, 1)
	}
	// Sums of thirds and the like must not fail somebody by a hair.
	out.Passed = out.Score >= q.Pass-1e-9
	return out, nil
}

type marking struct {
	at      string
	details []fault.Detail
}

func (m *marking) fault(key string) {
	if len(m.details) < maxFaults {
		m.details = append(m.details, fault.Detail{Pointer: m.at, Key: key})
	}
}

func (m *marking) question(q VaultQuestion, raw json.RawMessage) MarkedQuestion {
	out := MarkedQuestion{ID: q.ID}
	m.at = "/" + escapePointer(q.ID)
	answered := len(raw) > 0 && strings.TrimSpace(string(raw)) != "null"
	if answered {
		var chosen []string
		switch q.Type {
		case Single:
			var id string
			if m.read(raw, &id, "quiz.want_option") && m.choices(q, []string{id}) {
				chosen = []string{id}
				out.Correct = slices.Equal(chosen, q.Key.Correct)
			}
		case Multiple:
			if m.read(raw, &chosen, "quiz.want_options") && m.choices(q, chosen) {
				out.Correct = sameSet(chosen, q.Key.Correct)
			}
		case Order:
			var ids []string
			if m.read(raw, &ids, "quiz.want_options") && m.choices(q, ids) {
				out.Correct = slices.Equal(ids, q.Key.Correct)
			}
		case Match:
			out.Correct = m.match(q, raw)
		case Number:
			out.Correct = m.number(q, raw)
		case ShortTxt:
			var s string
			if m.read(raw, &s, "quiz.want_text") && m.fits(s) {
				f := Fold(s)
				out.Correct = f != "" && slices.Contains(q.Key.Accept, f)
			}
		default:
			m.fault("quiz.unknown_question")
		}
		for _, id := range chosen {
			if said := q.Options[id]; len(said) > 0 {
				if out.Options == nil {
					out.Options = map[string]Text{}
				}
				out.Options[id] = said
			}
		}
	}
	out.Feedback = q.Mistaken
	if out.Correct {
		out.Feedback = q.Correct
	}
	return out
}

// read decodes a response of one JSON type and no other.
func (m *marking) read(raw json.RawMessage, v any, key string) bool {
	if len(raw) > 64<<10 || json.Unmarshal(raw, v) != nil {
		m.fault(key)
		return false
	}
	return true
}

func (m *marking) fits(s string) bool {
	if utf8.RuneCountInString(s) > maxAnswer {
		m.fault("quiz.answer_too_long")
		return false
	}
	return true
}

// choices checks that every id is an option of the question, and none comes twice.
func (m *marking) choices(q VaultQuestion, ids []string) bool {
	seen := map[string]bool{}
	for i, id := range ids {
		_, ok := q.Options[id]
		if q.Type == Order {
			ok = slices.Contains(q.Key.Correct, id)
		}
		if !ok || seen[id] {
			if q.Type != Single {
				m.at += "/" + strconv.Itoa(i)
			}
			m.fault("quiz.unknown_option")
			return false
		}
		seen[id] = true
	}
	return true
}

func (m *marking) match(q VaultQuestion, raw json.RawMessage) bool {
	var pairs map[string]string
	if !m.read(raw, &pairs, "quiz.want_pairs") {
		return false
	}
	right := 0
	base := m.at
	for _, left := range slices.Sorted(maps.Keys(pairs)) {
		m.at = base + "/" + escapePointer(short(left))
		want, ok := q.Key.Pairs[left]
		got, known := q.Rights[pairs[left]]
		if !ok || !known {
			m.fault("quiz.unknown_option")
			return false
		}
		if got == want {
			right++
		}
	}
	m.at = base
	return right == len(q.Key.Pairs)
}

func (m *marking) number(q VaultQuestion, raw json.RawMessage) bool {
	var got float64
	if json.Unmarshal(raw, &got) != nil {
		var s string
		if !m.read(raw, &s, "quiz.want_number") || !m.fits(s) {
			return false
		}
		var ok bool
		if got, ok = parseNumber(s); !ok {
			return false
		}
	}
	if q.Key.Number == nil {
		return false
	}
	want := *q.Key.Number
	// 0.3 - 0.1 is not 0.2 in binary; a learner's 0.2 is right all the same.
	slack := 1e-9 * max(math.Abs(want), q.Key.Tolerance, 1e-3)
	return math.Abs(got-want) <= q.Key.Tolerance+slack
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

var (
	plainNumber = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
	thousands   = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?$`)
)

// parseNumber reads a number as people write it: in the digits of any script, with a
// percent sign, with spaces between thousands, with a point, a comma or an Arabic separator. A comma that
// can part thousands does ("1,000" is a thousand); another one begins the fraction ("0,5").
func parseNumber(s string) (float64, bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), r == '%', r == '٪', r == '٬', r == '\'', r == '’':
			return -1
		case r == '٫':
			return '.'
		case r == '−', r == '–', r == '﹣', r == '-':
			return '-'
		}
		return digit(r)
	}, s)
	switch {
	case thousands.MatchString(s):
		s = strings.ReplaceAll(s, ",", "")
	case strings.Count(s, ",") == 1 && !strings.Contains(s, "."):
		s = strings.Replace(s, ",", ".", 1)
	}
	if !plainNumber.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// digit gives 0 to 9 for a decimal digit of any script, and else the rune itself.
// Unicode keeps the ten digits of a script together, from zero up.
func digit(r rune) rune {
	if r < 0x80 {
		return r
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// Fold makes short answers comparable: what is left is what a learner must get right. In this order:
//
//  1. compatibility decomposition (NFKD);
//  2. take away marks (category Mn: accents, Arabic tashkeel and hamza), format characters (Cf) and the tatweel;
//  3. decimal digits of every script become 0 to 9;
//  4. upper case, then lower case, by Unicode's full mapping; a final sigma becomes a plain one;
//  5. spaces shrink to one, and those at the ends go.
//
// The page folds in the same way, so that a practice quiz works offline;
// testdata/fold.json holds both to the same pairs.
func Fold(s string) string {
	s = norm.NFKD.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) || r == 'ـ' {
			return -1
		}
		return digit(r)
	}, s)
	s = cases.Lower(language.Und).String(cases.Upper(language.Und).String(s))
	s = strings.ReplaceAll(s, "ς", "σ")
	return strings.Join(strings.Fields(s), " ")
}

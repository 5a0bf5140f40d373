package quiz

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/fault"
)

// maxAnswer bounds what a learner may write into one answer, in characters.
const maxAnswer = 1000

// Marked is a marked quiz.
type Marked struct {
	SourceLocale string           `json:"source_locale,omitempty"` // of the quiz; not told by versions of old
	Score        float64          `json:"score"`                   // share of points, 0 to 1
	Passed       bool             `json:"passed"`
	Questions    []MarkedQuestion `json:"questions"`
}

// MarkedQuestion is one marked answer and what to say to it.
type MarkedQuestion struct {
	ID       string                       `json:"id"`
	Correct  bool                         `json:"correct"`
	Points   float64                      `json:"points"`             // earned
	Options  map[string]map[string]string `json:"options,omitempty"`  // single, multiple: what to say, by each option that was chosen
	Feedback map[string]string            `json:"feedback,omitempty"` // the other types
	// In which language the feedback is given to readers of another: by option, and of the other types.
	OptionLangs  map[string]Langs `json:"option_langs,omitempty"`
	FeedbackLang Langs            `json:"feedback_lang,omitempty"`
}

// Mark marks the responses to an attempt at a quiz, by question id: against the questions that the attempt shows, in
// their order. One of them without a response (or with null) is wrong. What a page of ours never sends (another JSON type, a
// question that the attempt does not show, an unknown option, an option chosen twice) is a fault Invalid whose details
// carry pointers into responses. A text that is no number is a wrong
// answer and no fault, for a learner may have written it.
func Mark(v Vault, of Seed, responses map[string]json.RawMessage) (Marked, error) {
	m := marking{}
	shown := map[string]bool{}
	var earned, total float64
	out := Marked{SourceLocale: v.SourceLocale}
	for _, q := range v.Asked(of) {
		shown[q.ID] = true
		mq := m.question(q, responses[q.ID])
		if mq.Correct {
			mq.Points = q.Points
		}
		earned += mq.Points
		total += q.Points
		out.Questions = append(out.Questions, mq)
	}
	for _, id := range slices.Sorted(maps.Keys(responses)) {
		if shown[id] {
			continue
		}
		m.at = "/" + place(id)
		key := "quiz.unknown_question"
		if slices.ContainsFunc(v.Questions, func(q VaultQuestion) bool { return q.ID == id }) {
			key = "quiz.not_drawn"
		}
		m.fault(key)
	}
	if len(m.details) > 0 {
		return Marked{}, fault.New(fault.Invalid, "quiz.bad_response").At(m.details...)
	}
	if total > 0 {
		out.Score = min(earned/total, 1)
	}
	// Sums of thirds and the like must not fail somebody by a hair.
	out.Passed = out.Score >= v.Pass-1e-9
	return out, nil
}

// Asked are the questions that an attempt shows, in their order.
func (v Vault) Asked(of Seed) []VaultQuestion {
	if len(v.Sections) == 0 {
		return v.Questions
	}
	byID := make(map[string]VaultQuestion, len(v.Questions))
	for _, q := range v.Questions {
		byID[q.ID] = q
	}
	var out []VaultQuestion
	for _, id := range v.Shown(of) {
		out = append(out, byID[id])
	}
	return out
}

// maxFaults bounds what one answer is told.
const maxFaults = 200

// place is a stranger's word as a part of a JSON pointer, cut short.
func place(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) > 80 {
		s = string([]rune(s)[:80]) + "…"
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "~", "~0"), "/", "~1")
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
	m.at = "/" + place(q.ID)
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
					out.Options = map[string]map[string]string{}
				}
				out.Options[id] = said
				if langs := q.Langs["option."+id+".feedback"]; langs != nil {
					if out.OptionLangs == nil {
						out.OptionLangs = map[string]Langs{}
					}
					out.OptionLangs[id] = langs
				}
			}
		}
	}
	out.Feedback, out.FeedbackLang = q.Mistaken, q.Langs["feedback.incorrect"]
	if out.Correct {
		out.Feedback, out.FeedbackLang = q.Correct, q.Langs["feedback.correct"]
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
		m.at = base + "/" + place(left)
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

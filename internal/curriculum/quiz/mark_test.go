package quiz_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
)

// golden compiles the course of the compiler's tests.
func golden(t testing.TB) compile.Result {
	t.Helper()
	c, err := compile.Course(coursetest.Golden(), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func exam(t testing.TB) (quiz.Vault, map[string]string) {
	t.Helper()
	var v curriculum.VaultFile
	if err := json.Unmarshal(golden(t).Vault, &v); err != nil {
		t.Fatal(err)
	}
	q := v.Quizzes["exam"]
	rights := map[string]string{} // pair id to opaque right id
	for right, pair := range q.Questions[3].Rights {
		rights[pair] = right
	}
	return q, rights
}

// TestMark asks one question at a time.
func TestMark(t *testing.T) {
	q, r := exam(t)
	pairs := func(a, b, c string) string {
		return `{"pa":"` + r[a] + `","pb":"` + r[b] + `","pc":"` + r[c] + `"}`
	}
	tests := []struct {
		name, question, response string
		want                     string // right, wrong, or "pointer key" of a fault
	}{
		{"single right", "single", `"bb"`, "right"},
		{"single wrong", "single", `"aa"`, "wrong"},
		{"single unknown", "single", `"zz"`, "/single quiz.unknown_option"},
		{"single empty", "single", `""`, "/single quiz.unknown_option"},
		{"single as list", "single", `["bb"]`, "/single quiz.want_option"},
		{"single null", "single", `null`, "wrong"},
		{"single broken", "single", `{`, "/single quiz.want_option"},

		{"multiple right", "multi", `["aa","cc"]`, "right"},
		{"multiple in another order", "multi", `["cc","aa"]`, "right"},
		{"multiple too few", "multi", `["aa"]`, "wrong"},
		{"multiple too many", "multi", `["aa","bb","cc"]`, "wrong"},
		{"multiple none", "multi", `[]`, "wrong"},
		{"multiple twice the same", "multi", `["aa","aa"]`, "/multi/1 quiz.unknown_option"},
		{"multiple unknown", "multi", `["aa","cc","zz"]`, "/multi/2 quiz.unknown_option"},
		{"multiple as text", "multi", `"aa"`, "/multi quiz.want_options"},
		{"multiple of numbers", "multi", `[1]`, "/multi quiz.want_options"},

		{"order right", "steps", `["one","two","three","four"]`, "right"},
		{"order wrong", "steps", `["two","one","three","four"]`, "wrong"},
		{"order cut short", "steps", `["one","two","three"]`, "wrong"},
		{"order unknown", "steps", `["one","two","three","five"]`, "/steps/3 quiz.unknown_option"},
		{"order twice", "steps", `["one","one","three","four"]`, "/steps/1 quiz.unknown_option"},
		{"order as map", "steps", `{}`, "/steps quiz.want_options"},

		{"match right", "pairs", pairs("pa", "pb", "pc"), "right"},
		{"match wrong", "pairs", pairs("pb", "pa", "pc"), "wrong"},
		{"match the same right side", "pairs", pairs("pa", "pa", "pa"), "wrong"},
		{"match in part", "pairs", `{"pa":"` + r["pa"] + `"}`, "wrong"},
		{"match nothing", "pairs", `{}`, "wrong"},
		{"match by pair id", "pairs", `{"pa":"pa","pb":"pb","pc":"pc"}`, "/pairs/pa quiz.unknown_option"},
		{"match unknown left", "pairs", `{"a/b~":"` + r["pa"] + `"}`, "/pairs/a~1b~0 quiz.unknown_option"},
		{"match as list", "pairs", `[]`, "/pairs quiz.want_pairs"},

		{"number right", "share", `73519.25`, "right"},
		{"number with an exponent", "share", `7.351925e4`, "right"},
		{"number at the edge", "share", `73519.3125`, "right"},
		{"number at the other edge", "share", `73519.1875`, "right"},
		{"number beyond", "share", `73519.32`, "wrong"},
		{"number negative", "share", `-73519.25`, "wrong"},
		{"number as text", "share", `" 73519.25 "`, "right"},
		{"number with a comma", "share", `"73519,25"`, "right"},
		{"number with thousands", "share", `"73,519.25"`, "right"},
		{"number with spaces", "share", `"73 519,25"`, "right"},
		{"number in Arabic digits", "share", `"٧٣٬٥١٩٫٢٥"`, "right"},
		{"number in Persian digits", "share", `"۷۳۵۱۹٫۲۵"`, "right"},
		{"number in Devanagari", "share", `"७३५१९.२५"`, "right"},
		{"number with marks of direction", "share", `"\u200f73519.25\u200e"`, "right"},
		{"number in percent", "share", `"73519.25 %"`, "right"},
		{"number in words", "share", `"many"`, "wrong"},
		{"number infinite", "share", `"Inf"`, "wrong"},
		{"number not a number", "share", `"NaN"`, "wrong"},
		{"number hexadecimal", "share", `"0x11F2F"`, "wrong"},
		{"number empty", "share", `""`, "wrong"},
		{"number huge", "share", `1e999`, "/share quiz.want_number"},
		{"number huge as text", "share", `"1e999"`, "wrong"},
		{"number as list", "share", `[1]`, "/share quiz.want_number"},
		{"number true", "share", `true`, "/share quiz.want_number"},
		{"number without end", "share", `"` + strings.Repeat("1", 1001) + `"`, "/share quiz.answer_too_long"},

		{"text right", "word", `"Zwölfkämpfer"`, "right"},
		{"text without diacritics", "word", `" ZWOLFKAMPFER "`, "right"},
		{"text with other spaces", "word", `"the\n other"`, "right"},
		{"text of another language", "word", `"كتاب"`, "right"},
		{"text with tatweel", "word", `"كتــاب"`, "right"},
		{"text wrong", "word", `"other"`, "wrong"},
		{"text empty", "word", `""`, "wrong"},
		{"text as number", "word", `5`, "/word quiz.want_text"},
		{"text too long", "word", `"` + strings.Repeat("é", 1001) + `"`, "/word quiz.answer_too_long"},

		{"no such question", "other", `1`, "/other quiz.unknown_question"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := quiz.Mark(q, quiz.Seed{}, map[string]json.RawMessage{test.question: json.RawMessage(test.response)})
			if test.want != "right" && test.want != "wrong" {
				var f *fault.Error
				if !errors.As(err, &f) || f.Code != fault.Invalid || f.Key != "quiz.bad_response" || len(f.Details) != 1 {
					t.Fatalf("want %s, got %+v %v", test.want, got, err)
				}
				if d := f.Details[0]; d.Pointer+" "+d.Key != test.want {
					t.Fatalf("want %s, got %+v", test.want, d)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i, mq := range got.Questions {
				points := 0.0
				right := mq.ID == test.question && test.want == "right"
				if right {
					points = q.Questions[i].Points
				}
				if mq.Correct != right || mq.Points != points {
					t.Errorf("%+v", mq)
				}
			}
		})
	}
}

func TestMarkScore(t *testing.T) {
	q, r := exam(t)
	all := map[string]json.RawMessage{
		"single": json.RawMessage(`"bb"`),
		"multi":  json.RawMessage(`["aa","cc"]`),
		"steps":  json.RawMessage(`["one","two","three","four"]`),
		"pairs":  json.RawMessage(`{"pa":"` + r["pa"] + `","pb":"` + r["pb"] + `","pc":"` + r["pc"] + `"}`),
		"share":  json.RawMessage(`73519.25`),
		"word":   json.RawMessage(`"the other"`),
	}
	mark := func() quiz.Marked {
		t.Helper()
		m, err := quiz.Mark(q, quiz.Seed{}, all)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	if m := mark(); m.Score != 1 || !m.Passed {
		t.Errorf("all right: %+v", m)
	}
	delete(all, "single") // 2 of 7 points
	if m := mark(); math.Abs(m.Score-5.0/7) > 1e-12 || !m.Passed {
		t.Errorf("five of seven: %+v", m)
	}
	delete(all, "word")
	if m := mark(); math.Abs(m.Score-4.0/7) > 1e-12 || m.Passed {
		t.Errorf("four of seven is less than 0.6: %+v", m)
	}
	q.Pass = 4.0 / 7
	if m := mark(); !m.Passed {
		t.Errorf("just enough: %+v", m)
	}
	all = nil
	if m := mark(); m.Score != 0 || m.Passed || len(m.Questions) != 6 {
		t.Errorf("nothing answered: %+v", m)
	}
	if m, err := quiz.Mark(quiz.Vault{}, quiz.Seed{}, nil); err != nil || m.Score != 0 {
		t.Errorf("no questions: %+v %v", m, err)
	}
	// Several faults are told at once.
	_, err := quiz.Mark(q, quiz.Seed{}, map[string]json.RawMessage{"single": json.RawMessage(`1`), "word": json.RawMessage(`1`), "x": nil})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 3 {
		t.Errorf("three faults: %v", err)
	}
}

// The third of a point is not lost to binary fractions.
func TestMarkFractions(t *testing.T) {
	number := 0.2
	q := quiz.Vault{Pass: 1, Questions: []quiz.VaultQuestion{
		{ID: "qa", Type: quiz.Number, Points: 0.1, Key: quiz.Key{Number: &number, Tolerance: 0.1}},
		{ID: "qb", Type: quiz.Number, Points: 0.2, Key: quiz.Key{Number: &number}},
	}}
	m, err := quiz.Mark(q, quiz.Seed{}, map[string]json.RawMessage{"qa": json.RawMessage(`0.3`), "qb": json.RawMessage(`"0,2"`)})
	if err != nil || !m.Passed || m.Score > 1 {
		t.Errorf("%+v %v", m, err)
	}
}

func TestMarkFeedback(t *testing.T) {
	q, _ := exam(t)
	m, err := quiz.Mark(q, quiz.Seed{}, map[string]json.RawMessage{
		"single": json.RawMessage(`"aa"`), "multi": json.RawMessage(`["bb","cc"]`), "word": json.RawMessage(`"the other"`), "share": json.RawMessage(`1`),
	})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, mq := range m.Questions {
		said[mq.ID] = mq.Feedback["en"]
		for id, text := range mq.Options {
			said[mq.ID+"."+id] = text["en"]
		}
	}
	want := map[string]string{
		"single": "", "single.aa": "SECRET-S1", "multi": "", "multi.bb": "SECRET-M2", "multi.cc": "SECRET-M3",
		"steps": "SECRET-O2", "pairs": "SECRET-P2", "share": "SECRET-N2", "word": "SECRET-T1",
	}
	if len(said) != len(want) {
		t.Errorf("said %v", said)
	}
	// The golden course has these in English alone, and says so to who reads another language.
	if m.SourceLocale != "en" {
		t.Errorf("source %q", m.SourceLocale)
	}
	for _, mq := range m.Questions {
		if len(mq.Feedback) > 0 && mq.FeedbackLang["ar"] != "en" {
			t.Errorf("%s: feedback in %v", mq.ID, mq.FeedbackLang)
		}
		for id := range mq.Options {
			if mq.OptionLangs[id]["fr"] != "en" {
				t.Errorf("%s, %s: feedback in %v", mq.ID, id, mq.OptionLangs)
			}
		}
	}
	for k, w := range want {
		if said[k] != w {
			t.Errorf("%s: said %q, want %q", k, said[k], w)
		}
	}
}

// A practice quiz is marked by pair ids, which its public side has too.
func TestMarkPractice(t *testing.T) {
	var v curriculum.VaultFile
	if err := json.Unmarshal(golden(t).Vault, &v); err != nil {
		t.Fatal(err)
	}
	m, err := quiz.Mark(v.Quizzes["practice"], quiz.Seed{}, map[string]json.RawMessage{"one": json.RawMessage(`"aa"`), "pairs": json.RawMessage(`{"pa":"pa","pb":"pb"}`)})
	if err != nil || m.Score != 1 {
		t.Errorf("%+v %v", m, err)
	}
}

func TestFold(t *testing.T) {
	data, err := os.ReadFile("testdata/fold.json")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []struct{ In, Want string }
	if err := json.Unmarshal(data, &pairs); err != nil || len(pairs) == 0 {
		t.Fatal(err)
	}
	for _, p := range pairs {
		if got := quiz.Fold(p.In); got != p.Want {
			t.Errorf("Fold(%q) = %q, want %q", p.In, got, p.Want)
		}
		if again := quiz.Fold(p.Want); again != p.Want {
			t.Errorf("folding %q twice gives %q", p.Want, again)
		}
	}
}

// detail is the first thing that a fault says, as "pointer key".
func detail(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) == 0 {
		return ""
	}
	return f.Details[0].Pointer + " " + f.Details[0].Key
}

func TestParseNumber(t *testing.T) {
	data, err := os.ReadFile("testdata/numbers.json")
	if err != nil {
		t.Fatal(err)
	}
	var pairs []struct {
		In   string
		Want *float64
	}
	if err := json.Unmarshal(data, &pairs); err != nil || len(pairs) == 0 {
		t.Fatal(err)
	}
	for _, p := range pairs {
		got, ok := quiz.ParseNumber(p.In)
		if ok != (p.Want != nil) || ok && got != *p.Want {
			t.Errorf("%q is read as %v %v", p.In, got, ok)
		}
	}
}

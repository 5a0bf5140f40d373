package compile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
)

func number(id, prompt string) string {
	return fmt.Sprintf("  - {id: %s, type: number, prompt: %s, answer: 41, feedback: {correct: SECRET-C, incorrect: SECRET-I}}\n", id, prompt)
}

const drawn = `title: Exam
graded: true
shuffle: false
sections:
  - title: The first part
    questions:
      - id: fixed
        type: single
        prompt: Which?
        competences: [cfs.ethics.apply]
        options:
          - {id: aa, text: A, feedback: SECRET-A}
          - {id: bb, text: None of these, last: true, correct: true, feedback: SECRET-B}
    draw:
      bank: facts
      count: 2
  - draw: {bank: words, count: 1}
`

// banked is a course of two quizzes, of which one draws from two banks.
func banked(testing.TB) fstest.MapFS {
	m := fstest.MapFS{}
	for name, data := range map[string]string{
		"course.yaml": `id: banked
title: Banked
summary: A course.
source_locale: en
locales: [en, ar]
licence: CC0-1.0
authors: [A]
minutes: 5
modules:
  - id: only
    title: Only
    items:
      - quiz: exam
      - quiz: practice
criteria: {lessons: none, quizzes: 0.7, labs: none}
achievement: {name: N, description: D, narrative: A}
`,
		"quizzes/exam.yaml":     drawn,
		"quizzes/practice.yaml": "title: Practice\ngraded: true\nquestions:\n" + number("only", "One"),
		"banks/facts.yaml":      "questions:\n" + number("one", "One") + number("two", "Two") + number("three", "Three"),
		"banks/words.yaml": "questions:\n" + number("four", "Four") +
			"  - {id: pairs, type: match, prompt: P, pairs: [{id: pa, left: L1, right: R1}, {id: pb, left: L2, right: R2}], feedback: {correct: SECRET-C, incorrect: SECRET-I}}\n",
	} {
		put(name, data)(nil, m)
	}
	return m
}

func TestBankFaults(t *testing.T) {
	const exam, facts, words = "quizzes/exam.yaml", "banks/facts.yaml", "banks/words.yaml"
	tests := []struct {
		name string
		edit edit
		want string
	}{
		{"nothing", func(*testing.T, fstest.MapFS) {}, ""},
		{"unknown bank", change(exam, "bank: facts", "bank: fact"), "quizzes/exam.yaml:15 quiz.unknown_bank, banks/facts.yaml:1 quiz.unused_bank"},
		{"a bank that is broken is no unknown one", put(words, "questions: [\n"), "banks/words.yaml:1 course.bad_yaml"},
		{"a quiz that is broken may draw from any bank", put(exam, "title: [\n"), "quizzes/exam.yaml:1 course.bad_yaml"},
		{"more than the bank has", change(exam, "count: 2", "count: 4"), "quizzes/exam.yaml:16 quiz.draw_too_many"},
		{"as many as the bank has", change(exam, "count: 2", "count: 3"), ""},
		{"more than the bank has in two sections", change(exam, "{bank: words, count: 1}", "{bank: facts, count: 2}"), "quizzes/exam.yaml:17 quiz.draw_too_many, banks/words.yaml:1 quiz.unused_bank"},
		{"two draws from one bank", change(exam, "{bank: words, count: 1}", "{bank: words, count: 1}\n  - draw: {bank: words, count: 1}"), ""},
		{"a bank that nothing draws from", put("banks/more.yaml", "questions:\n"+number("five", "F")), "banks/more.yaml:1 quiz.unused_bank"},
		{"a question of the quiz and of the bank", change(facts, "id: three", "id: fixed"), "quizzes/exam.yaml:15 quiz.bank_repeats_question"},
		{"a question of two banks", change(words, "id: four", "id: two"), "quizzes/exam.yaml:17 quiz.banks_overlap"},
		{"a question twice in a bank", change(facts, "id: two", "id: one"), "banks/facts.yaml:3 course.duplicate_id"},
		{"no count", change(exam, "{bank: words, count: 1}", "{bank: words}"), "quizzes/exam.yaml:17 course.missing_key"},
		{"none to draw", change(exam, "count: 2", "count: 0"), "quizzes/exam.yaml:16 course.number_too_small"},
		{"half a question", change(exam, "count: 2", "count: 1.5"), "quizzes/exam.yaml:16 course.not_whole"},
		{"a count in words", change(exam, "count: 2", "count: two"), "quizzes/exam.yaml:16 course.not_whole"},
		{"no such key", change(exam, "count: 2", "counts: 2"), "quizzes/exam.yaml:14 course.missing_key, quizzes/exam.yaml:16 course.unknown_key"},
		{"an empty bank", put(words, "questions: []\n"), "banks/words.yaml:1 course.too_few"},
		{"a bank with a title", change(facts, "questions:", "title: Facts\nquestions:"), "banks/facts.yaml:1 course.unknown_key"},
		{"a fault in a bank", change(facts, "answer: 41, feedback: {correct: SECRET-C, incorrect: SECRET-I}}\n  - {id: two", "feedback: {correct: SECRET-C, incorrect: SECRET-I}}\n  - {id: two"), "banks/facts.yaml:2 quiz.missing_for_type"},
		{"questions beside sections", change(exam, "sections:", "questions: [{id: qq, type: number, prompt: P, answer: 1, feedback: {correct: c, incorrect: i}}]\nsections:"), "*quizzes/exam.yaml:5 quiz.questions_or_sections"},
		{"neither questions nor sections", put("quizzes/practice.yaml", "title: T\ngraded: false\n"), "*quizzes/practice.yaml:1 quiz.questions_or_sections"},
		{"an empty section", change(exam, "  - draw: {bank: words, count: 1}", "  - draw: {bank: words, count: 1}\n  - title: Nothing"), "quizzes/exam.yaml:18 quiz.empty_section"},
		{"the same id in two sections", change(exam, "  - draw: {bank: words, count: 1}", "  - draw: {bank: words, count: 1}\n  - questions:\n    "+number("fixed", "P")), "quizzes/exam.yaml:19 course.duplicate_id"},
		{"a competence that is none", change(exam, "[cfs.ethics.apply]", "[Two words]"), "quizzes/exam.yaml:10 lab.bad_competence"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := banked(t)
			test.edit(t, m)
			got := strings.Join(faultsOf(t, m), ", ")
			if part, some := strings.CutPrefix(test.want, "*"); some && strings.Contains(got, part) {
				return
			}
			want := strings.Split(test.want, ", ")
			for _, w := range want {
				if !strings.Contains(got, w) || len(strings.Split(got, ", ")) != len(want) {
					t.Fatalf("got  %s\nwant %s", got, test.want)
				}
			}
		})
	}
}

// The page gets every question that may be asked, since attempts begin offline, and no key of any.
func TestBanksCompile(t *testing.T) {
	c := compiled(t, banked(t))
	it := item(t, c, "exam")
	public := map[string]quiz.Public{}
	for _, l := range []string{"en", "ar"} {
		data := c.Blobs[it.Data[l]]
		if bytes.Contains(data, []byte("SECRET")) || bytes.Contains(data, []byte("41")) || bytes.Contains(data, []byte("correct")) {
			t.Errorf("a key is public: %s", data)
		}
		var p quiz.Public
		if err := json.Unmarshal(data, &p); err != nil {
			t.Fatal(err)
		}
		public[l] = p
	}
	en, ar := public["en"], public["ar"]
	var ids []string
	for _, q := range en.Questions {
		ids = append(ids, q.ID)
	}
	if got := strings.Join(ids, " "); got != "fixed one two three four pairs" {
		t.Errorf("questions %s", got)
	}
	if en.Shuffle || !en.Questions[0].Options[1].Last || en.Questions[0].Competences[0] != "cfs.ethics.apply" {
		t.Errorf("%+v", en)
	}
	if en.Sections[0].Title != "The first part" || en.Sections[1].Title != "" {
		t.Errorf("sections: %+v", en.Sections)
	}
	var v curriculum.VaultFile
	if err := json.Unmarshal(c.Vault, &v); err != nil {
		t.Fatal(err)
	}
	// Page and server agree on what an attempt shows, whatever the language, and the server can mark it.
	exam := v.Quizzes["exam"]
	for n := 1; n < 20; n++ {
		s := quiz.Seed{Enrollment: "e", Quiz: "exam", Attempt: n}
		var asked []string
		for _, q := range exam.Asked(s) {
			asked = append(asked, q.ID)
			if q.Type == "" || q.Points != 1 {
				t.Fatalf("%+v", q)
			}
		}
		if got := strings.Join(en.Shown(s), " "); got != strings.Join(asked, " ") || got != strings.Join(ar.Shown(s), " ") || len(asked) != 4 || asked[0] != "fixed" {
			t.Errorf("attempt %d: the page shows %s, the server asks %v", n, got, asked)
		}
	}
	if r := exam.Questions[5].Rights; len(r) != 2 || r["pa"] != "" {
		t.Errorf("right sides %v", r)
	}
	// In a quiz without sections nothing of them is said, so that old pages read it.
	if data := c.Blobs[item(t, c, "practice").Data["en"]]; bytes.Contains(data, []byte("sections")) || bytes.Contains(data, []byte("banks")) {
		t.Errorf("%s", data)
	}
}

// A text of a bank is translated once, with the module that first draws from it; what is not translated says its language.
func TestBanksInOtherLanguages(t *testing.T) {
	m := banked(t)
	po := "msgid \"\"\nmsgstr \"Language: ar\\nContent-Type: text/plain; charset=UTF-8\\nX-Banyan-State: draft\\n\"\n"
	for _, e := range [][3]string{
		{"quiz.exam.section.1.title", "The first part", "القسم الأول"},
		{"bank.facts.two.prompt", "Two", "اثنان"},
		{"bank.words.pairs.pair.pa.right", "R1", "يمين"},
		{"quiz.exam.fixed.option.bb.text", "None of these", "لا شيء مما سبق"},
	} {
		po += fmt.Sprintf("\nmsgctxt %q\nmsgid %q\nmsgstr \"%s\"\n", e[0], e[1], e[2])
	}
	put("locales/ar/only.po", po)(t, m)
	c := compiled(t, m)
	var ar quiz.Public
	if err := json.Unmarshal(c.Blobs[item(t, c, "exam").Data["ar"]], &ar); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, s := range ar.Sections[:1] {
		said["section"] = s.Title + s.Lang
	}
	for _, q := range ar.Questions {
		said[q.ID] = q.Prompt + q.Lang
		for _, o := range append(q.Options, q.Rights...) {
			said[q.ID+" "+o.Text] = o.Lang
		}
	}
	for what, want := range map[string]string{
		"section": "القسم الأول", "two": "اثنان", "one": "Oneen", "pairs يمين": "", "pairs R2": "en", "fixed لا شيء مما سبق": "", "fixed A": "en",
	} {
		if got, ok := said[what]; !ok || got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
}

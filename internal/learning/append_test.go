package learning_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// TestAppendAnswersEach puts every kind of bad statement into one batch among
// good ones: each gets its own answer, and the good ones are stored.
func TestAppendAnswersEach(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			by := c.learner()
			e := c.enroll(by)
			stranger := c.learner()
			theirs := c.enroll(stranger)
			taken := said(theirs, "started", "intro")
			c.send(stranger, taken)
			repeat := said(e, "started", "intro")
			c.send(by, repeat)
			twice := said(e, "started", "code")
			long := strings.Repeat("x", 2000)

			tests := []struct {
				name string
				st   any
				want string
			}{
				{"good", said(e, "started", "intro"), "accepted"},
				{"no object", "started", "rejected  statement.malformed"},
				{"a number", 7, "rejected  statement.malformed"},
				{"null", nil, "rejected /id request.bad_id"},
				{"a list", []any{}, "rejected  statement.malformed"},
				{"empty", fields{}, "rejected /id request.bad_id"},
				{"a result of its own", said(e, "completed", "intro").with("result", map[string]any{"score": 1}), "rejected  statement.malformed"},
				{"a score of its own", said(e, "completed", "intro").with("score", 1), "rejected  statement.malformed"},
				{"success of its own", answered(e, "exam", right).with("success", true), "rejected  statement.malformed"},
				{"another user", said(e, "started", "intro").with("user_id", theirs.UserID), "rejected  statement.malformed"},
				{"an id that is a number", said(e, "started", "intro").with("id", 7), "rejected  statement.malformed"},
				{"no id", said(e, "started", "intro").with("id", nil), "rejected /id request.bad_id"},
				{"a random id", said(e, "started", "intro").with("id", "9d2c4b1e-7a3f-4c55-8e21-0f1e2d3c4b5a"), "rejected /id request.bad_id"},
				{"an id in capitals", said(e, "started", "intro").with("id", strings.ToUpper(v7())), "rejected /id request.bad_id"},
				{"an id in braces", said(e, "started", "intro").with("id", "{"+v7()+"}"), "rejected /id request.bad_id"},
				{"an id with NUL", said(e, "started", "intro").with("id", v7()[:35]+"\x00"), "rejected /id request.bad_id"},
				{"a repeat", repeat, "duplicate"},
				{"another's id", said(e, "started", "intro").with("id", taken["id"]), "rejected /id statement.id_taken"},
				{"another's id, again", said(e, "started", "intro").with("id", taken["id"]), "rejected /id statement.id_taken"},
				{"no enrollment", said(e, "started", "intro").with("enrollment_id", nil), "rejected /enrollment_id enrollment.not_found"},
				{"another's enrollment", said(theirs, "started", "intro"), "rejected /enrollment_id enrollment.not_found"},
				{"an unknown enrollment", said(e, "started", "intro").with("enrollment_id", v7()), "rejected /enrollment_id enrollment.not_found"},
				{"an enrollment with NUL", said(e, "started", "intro").with("enrollment_id", "\x00"), "rejected /enrollment_id enrollment.not_found"},
				{"no time", said(e, "started", "intro").with("at", nil), "rejected /at statement.bad_time"},
				{"no time of day", said(e, "started", "intro").with("at", "2026-03-01"), "rejected /at statement.bad_time"},
				{"seconds since 1970", said(e, "started", "intro").with("at", "1772359200"), "rejected /at statement.bad_time"},
				{"the year 10000", said(e, "started", "intro").with("at", "10000-01-01T00:00:00Z"), "rejected /at statement.bad_time"},
				{"the year 10000 in UTC", said(e, "started", "intro").with("at", "9999-12-31T23:59:59-12:00"), "rejected /at statement.bad_time"},
				{"the year 0", said(e, "started", "intro").with("at", "0000-01-01T00:00:00Z"), "rejected /at statement.bad_time"},
				{"ten years ago", said(e, "started", "intro").with("at", "2016-03-01T10:00:00Z"), "accepted"},
				{"in ten years", said(e, "started", "intro").with("at", "2036-03-01T10:00:00.123456789+05:30"), "accepted"},
				{"a clock without a battery", said(e, "started", "intro").with("at", "1970-01-01T00:00:00+14:00"), "accepted"},
				{"an unknown object", said(e, "started", "nothing"), "rejected /object_id statement.unknown_object"},
				{"the course itself", said(e, "completed", string(course)), "rejected /object_id statement.unknown_object"},
				{"no verb", said(e, "", "intro"), "rejected /verb statement.bad_verb"},
				{"an unknown verb", said(e, "Started", "intro"), "rejected /verb statement.bad_verb"},
				{"the server's verb", said(e, "passed", "code"), "rejected /verb statement.bad_verb"},
				{"the server's other verb", said(e, "failed", "code"), "rejected /verb statement.bad_verb"},
				{"the server's third verb", said(e, "submitted", "code"), "rejected /verb statement.bad_verb"},
				{"completing a lab", said(e, "completed", "code"), "rejected /verb statement.bad_verb"},
				{"completing a quiz", said(e, "completed", "exam"), "rejected /verb statement.bad_verb"},
				{"answering a lesson", answered(e, "intro", right), "rejected /verb statement.bad_verb"},
				{"responses to a lesson", said(e, "started", "intro").with("responses", right), "rejected /responses statement.no_responses_here"},
				{"responses that are a list", said(e, "answered", "exam").with("responses", []any{"right"}), "rejected  statement.malformed"},
				{"an unknown question", answered(e, "exam", map[string]any{"q9": "right"}), "rejected /responses/q9 quiz.unknown_question"},
				{"a question with NUL", answered(e, "exam", map[string]any{"q\x001": "right"}), "rejected /responses/q 1 quiz.unknown_question"},
				{"an unknown option", answered(e, "exam", map[string]any{"q1": "maybe"}), "rejected /responses/q1 quiz.unknown_option"},
				{"an option of another type", answered(e, "exam", map[string]any{"q1": []any{"right"}}), "rejected /responses/q1 quiz.want_option"},
				{"a long option", answered(e, "exam", map[string]any{"q1": long}), "rejected /responses/q1 quiz.unknown_option"},
				{"twice in a batch", twice, "accepted"},
				{"twice in a batch, again", twice, "duplicate"},
				{"good at the end", said(e, "completed", "more"), "accepted"},
			}
			batch := make([]any, len(tests))
			for i, tt := range tests {
				batch[i] = tt.st
			}
			accepted := map[string]bool{repeat["id"].(string): true}
			for i, a := range c.send(by, batch...) {
				if got := short(a); got != tests[i].want {
					t.Errorf("%s: %s, want %s", tests[i].name, got, tests[i].want)
				}
				f, _ := tests[i].st.(fields)
				if id, ok := f["id"].(string); ok && a.ID != id {
					t.Errorf("%s: answered as %q, sent as %q", tests[i].name, a.ID, id)
				}
				if a.Status == learning.Accepted {
					accepted[a.ID] = true
				}
			}
			stored, err := c.ListStatements(t.Context(), by, 0, 100)
			c.must(err)
			for _, st := range stored {
				if !accepted[string(st.ID)] {
					t.Errorf("stored although it was not accepted: %+v", st)
				}
				delete(accepted, string(st.ID))
				if _, err := json.Marshal(st.At); err != nil {
					t.Errorf("a time that cannot be written: %v", err)
				}
			}
			for id := range accepted {
				t.Errorf("accepted and not stored: %s", id)
			}
			if ps := c.progress(e); ps["exam"].Attempts != 0 || ps["code"].Completed || !ps["more"].Completed || !ps["code"].Started {
				t.Errorf("progress: %+v", ps)
			}
			if ps := c.progress(theirs); len(ps) != 1 {
				t.Errorf("another's progress: %+v", ps)
			}
		})
	}
}

func TestAppendAsAWhole(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	token := by
	token.Scopes = []identity.Scope{identity.ScopeRead}
	full := make([]any, learning.MaxBatch+1)
	for i := range full {
		full[i] = said(e, "started", "intro")
	}
	tooMany, err := json.Marshal(full)
	c.must(err)
	for _, tt := range []struct {
		name, batch string
		by          identity.Actor
		code        fault.Code
		key         string
	}{
		{"nobody", `[]`, identity.Actor{}, fault.Unauthenticated, "session.required"},
		{"a token without the scope", `[]`, token, fault.Denied, "token.scope_missing"},
		{"nothing", ``, by, fault.Invalid, "statement.not_a_list"},
		{"no list", `{}`, by, fault.Invalid, "statement.not_a_list"},
		{"half a list", `[{}`, by, fault.Invalid, "statement.not_a_list"},
		{"null", `null`, by, fault.Invalid, "statement.batch_size"},
		{"an empty list", `[]`, by, fault.Invalid, "statement.batch_size"},
		{"501", string(tooMany), by, fault.Invalid, "statement.batch_size"},
	} {
		_, err := c.Append(t.Context(), tt.by, json.RawMessage(tt.batch))
		if want(t, err, tt.code, tt.key); t.Failed() {
			t.Fatal(tt.name)
		}
	}
	if list, err := c.ListStatements(t.Context(), by, 0, 10); err != nil || len(list) != 0 {
		t.Fatalf("stored: %d, %v", len(list), err)
	}
	for i, a := range c.send(by, full[:learning.MaxBatch]...) {
		if a.Status != learning.Accepted {
			t.Fatalf("statement %d of 500: %s", i, short(a))
		}
	}
	for i, a := range c.send(by, full[:learning.MaxBatch]...) {
		if a.Status != learning.Duplicate {
			t.Fatalf("statement %d of 500, again: %s", i, short(a))
		}
	}
	if p := c.progress(e)["intro"]; !p.Started || p.Completed {
		t.Errorf("progress %+v", p)
	}
}

func TestAppendMarksQuizzes(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	for i, tt := range []struct {
		name      string
		responses map[string]any
		score     float64
		best      float64
		passed    bool
	}{
		{"nothing", map[string]any{}, 0, 0, false},
		{"both wrong", map[string]any{"q1": "wrong", "q2": "wrong"}, 0, 0, false},
		{"half", map[string]any{"q1": "right", "q2": nil}, 0.5, 0.5, true},
		{"all", right, 1, 1, true},
		{"worse again", map[string]any{"q1": "wrong"}, 0, 1, true},
	} {
		st := answered(e, "exam", tt.responses)
		a := c.send(by, st)[0]
		if a.Status != learning.Accepted || a.Marked == nil || a.Marked.Score != tt.score || len(a.Marked.Questions) != 2 {
			t.Fatalf("%s: %s %+v", tt.name, short(a), a.Marked)
		}
		p := c.progress(e)["exam"]
		if p.Attempts != i+1 || p.Score == nil || *p.Score != tt.best || p.Completed != tt.passed {
			t.Errorf("%s: progress %+v", tt.name, p)
		}
		// The device did not hear the answer and asks again: it learns the same and it counts once.
		again := c.send(by, st)[0]
		if again.Status != learning.Duplicate || again.Marked == nil || again.Marked.Score != tt.score {
			t.Errorf("%s, again: %s", tt.name, short(again))
		}
		if p := c.progress(e)["exam"]; p.Attempts != i+1 {
			t.Errorf("%s: a repeat counted: %+v", tt.name, p)
		}
	}
	stored, err := c.ListStatements(t.Context(), by, 0, 10)
	c.must(err)
	if r := stored[2].Result; r.Score == nil || *r.Score != 0.5 || r.Success == nil || !*r.Success || string(r.Responses["q1"]) != `"right"` {
		t.Errorf("stored %+v", r)
	}
}

// TestAppendOrdersByArrival: devices keep bad clocks, which change nothing but what is shown.
func TestAppendOrdersByArrival(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	arrived := c.clock()
	c.send(by, said(e, "completed", "intro").with("at", "2036-01-01T00:00:00Z"), said(e, "started", "intro").with("at", "2016-01-01T00:00:00Z"))
	p := c.progress(e)["intro"]
	if !p.Started || !p.Completed || p.UpdatedAt.Sub(arrived) > time.Second || p.UpdatedAt.Before(arrived) {
		t.Errorf("progress %+v, arrived at %s", p, arrived)
	}
	list, err := c.ListStatements(t.Context(), by, 0, 10)
	c.must(err)
	if got := list[0].At.Format(time.RFC3339); got != "2036-01-01T00:00:00Z" {
		t.Errorf("the device's time became %s", got)
	}
}

func TestAppendSeesOnlyOwn(t *testing.T) {
	c := newClass(t)
	amina, badr := c.learner(), c.learner()
	ea, eb := c.enroll(amina), c.enroll(badr)
	c.send(amina, said(ea, "started", "intro"))
	c.send(badr, said(eb, "started", "intro"), said(eb, "started", "more"))
	// The trainer sees progress but cannot add to it.
	trainer := c.person(identity.Membership{InstitutionID: c.a, Role: identity.Trainer})
	if got := short(c.send(trainer, said(ea, "completed", "intro"))[0]); got != "rejected /enrollment_id enrollment.not_found" {
		t.Errorf("the trainer's: %s", got)
	}
	for by, n := range map[*identity.Actor]int{&amina: 1, &badr: 2, &trainer: 0} {
		if list, err := c.ListStatements(t.Context(), *by, 0, 10); err != nil || len(list) != n {
			t.Errorf("%s lists %d, want %d: %v", by.Username, len(list), n, err)
		}
	}
	_, err := c.ListStatements(t.Context(), identity.Actor{}, 0, 10)
	want(t, err, fault.Unauthenticated, "session.required")
}

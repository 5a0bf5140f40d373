package learning_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

// drawing is the curriculum with an exam that draws two of six questions.
type drawing struct{ *store.Curriculum }

var exam = func() quiz.Vault {
	v := quiz.Vault{Graded: true, Pass: 0.5, Plan: quiz.Plan{
		Sections: []quiz.Section{{Draw: &quiz.Draw{Bank: "bank", Count: 2}}},
		Banks:    map[string][]string{"bank": {"q1", "q2", "q3", "q4", "q5", "q6"}},
	}}
	for _, id := range v.Banks["bank"] {
		v.Questions = append(v.Questions, question(id))
	}
	return v
}()

func (drawing) OpenVault(context.Context, curriculum.Version) (curriculum.VaultFile, error) {
	return curriculum.VaultFile{Quizzes: map[curriculum.ContentID]quiz.Vault{"exam": exam, "practice": {Questions: []quiz.VaultQuestion{question("p1")}}}}, nil
}

// attempt answers so many of the two questions that an attempt shows rightly.
func attempt(e learning.Enrollment, n, right int) fields {
	responses := map[string]any{}
	for i, q := range exam.Asked(quiz.Seed{Enrollment: string(e.ID), Quiz: "exam", Attempt: n}) {
		responses[q.ID] = "wrong"
		if i < right {
			responses[q.ID] = "right"
		}
	}
	return answered(e, "exam", responses).with("attempt", n)
}

// sameDraw tells whether two attempts show the same questions, in any order.
func sameDraw(a, b fields) bool {
	asked := func(f fields) []string { return slices.Sorted(maps.Keys(f["responses"].(map[string]any))) }
	return slices.Equal(asked(a), asked(b))
}

func drawingClass(t *testing.T, open func(*testing.T) *class) (*class, identity.Actor, learning.Enrollment) {
	t.Helper()
	c := open(t)
	c.Courses = drawing{c.db.Curriculum()}
	by := c.learner()
	return c, by, c.enroll(by)
}

// The server knows what an attempt shows; what a client says of it counts for nothing.
func TestAttemptIsMarkedByItsDraw(t *testing.T) {
	c, by, e := drawingClass(t, newClass)
	first := attempt(e, 1, 2)
	// One draw in fifteen is the same as another, and answers to that are rightly taken.
	later := 2
	for sameDraw(attempt(e, later, 2), first) {
		later++
	}
	foreign := attempt(c.enroll(c.learner()), 1, 2)
	for sameDraw(foreign, first) {
		foreign = attempt(c.enroll(c.learner()), 1, 2)
	}
	for _, tt := range []struct {
		name string
		st   fields
		want string
	}{
		{"no number", first.with("attempt", nil), "rejected /attempt statement.bad_attempt"},
		{"zero", first.with("attempt", 0), "rejected /attempt statement.bad_attempt"},
		{"negative", first.with("attempt", -1), "rejected /attempt statement.bad_attempt"},
		{"too many", first.with("attempt", quiz.MaxAttempt+1), "rejected /attempt statement.bad_attempt"},
		{"half", first.with("attempt", 1.5), "rejected  statement.malformed"},
		{"a text", first.with("attempt", "1"), "rejected  statement.malformed"},
		{"of a quiz that draws nothing", answered(e, "practice", map[string]any{"p1": "right"}).with("attempt", 1), "rejected /attempt statement.no_attempt_here"},
		{"of a lesson", said(e, "started", "intro").with("attempt", 1), "rejected /attempt statement.no_attempt_here"},
		{"of a quiz that is opened", said(e, "started", "exam").with("attempt", 1), "rejected /attempt statement.no_attempt_here"},
	} {
		if got := short(c.send(by, tt.st)[0]); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	// Answers to another attempt, or to somebody else's, are answers to other questions.
	for name, st := range map[string]fields{
		"another attempt": first.with("attempt", later), "somebody else's": foreign.with("enrollment_id", e.ID),
		"two attempts": first.with("responses", map[string]any{"q1": "right", "q2": "right", "q3": "right", "q4": "right", "q5": "right", "q6": "right"}),
	} {
		if a := c.send(by, st)[0]; a.Status != learning.Rejected || a.Fault.Key != "quiz.not_drawn" || a.Marked != nil {
			t.Errorf("%s: %s %+v", name, short(a), a.Marked)
		}
	}
	if p := c.progress(e); len(p) != 0 {
		t.Fatalf("what was rejected left %+v", p)
	}
	a := c.send(by, first)[0]
	if a.Status != learning.Accepted || a.Marked.Score != 1 || len(a.Marked.Questions) != 2 {
		t.Fatalf("%s %+v", short(a), a.Marked)
	}
	list, err := c.ListStatements(t.Context(), by, 0, 10)
	c.must(err)
	if len(list) != 1 || list[0].Result.Attempt != 1 || *list[0].Result.Score != 1 {
		t.Errorf("recorded %+v", list)
	}
}

// Once an attempt is answered and marked, nobody answers it better.
func TestAttemptIsAnsweredOnce(t *testing.T) {
	c, by, e := drawingClass(t, newClass)
	none := attempt(e, 1, 0)
	if a := c.send(by, none)[0]; a.Status != learning.Accepted || a.Marked.Score != 0 {
		t.Fatal(short(a))
	}
	const late = "rejected /attempt statement.attempt_answered"
	if a := c.send(by, attempt(e, 1, 2))[0]; short(a) != late || a.Marked != nil {
		t.Errorf("a second answer: %s %+v", short(a), a.Marked)
	}
	// The same statement with better answers is the one that was kept, and is told so.
	better := attempt(e, 1, 2).with("id", none["id"])
	if a := c.send(by, better)[0]; a.Status != learning.Duplicate || a.Marked.Score != 0 {
		t.Errorf("the same id: %s %+v", short(a), a.Marked)
	}
	got := c.send(by, attempt(e, 2, 1), attempt(e, 2, 2), attempt(e, 3, 0), better, said(e, "started", "exam"))
	for i, want := range []string{"accepted", late, "accepted", "duplicate", "accepted"} {
		if short(got[i]) != want {
			t.Errorf("%d of the batch: %s, want %s", i, short(got[i]), want)
		}
	}
	twice := attempt(e, 4, 0)
	got = c.send(by, twice, attempt(e, 4, 2).with("id", twice["id"]))
	if short(got[0]) != "accepted" || short(got[1]) != "duplicate" || got[1].Marked.Score != 0 {
		t.Errorf("twice in a batch: %s, %s %+v", short(got[0]), short(got[1]), got[1].Marked)
	}
	if p := c.progress(e)["exam"]; p.Attempts != 4 || *p.Score != 0.5 || !p.Completed || !p.Started {
		t.Errorf("%+v", p)
	}
	// Somebody else's statement under this id stays theirs.
	badr := c.learner()
	eb := c.enroll(badr)
	if got := short(c.send(badr, attempt(eb, 1, 2).with("id", none["id"]))[0]); got != "rejected /id statement.id_taken" {
		t.Error(got)
	}
}

// Nobody passes over draws to one that suits: an attempt counts when all before it are there.
func TestAttemptsCountInARow(t *testing.T) {
	c, by, e := drawingClass(t, newClass)
	steps := []struct {
		n, right, attempts int
		score              any
	}{{3, 2, 0, nil}, {1, 0, 1, 0.0}, {5, 0, 1, 0.0}, {2, 1, 3, 1.0}, {4, 0, 5, 1.0}}
	for _, s := range steps {
		c.send(by, attempt(e, s.n, s.right))
		p := c.progress(e)["exam"]
		var score any
		if p.Score != nil {
			score = *p.Score
		}
		if !p.Started || p.Attempts != s.attempts || score != s.score {
			t.Errorf("after attempt %d: %+v score %v, want %d %v", s.n, p, score, s.attempts, s.score)
		}
	}
}

// However statements arrive, once or twice, alone or together, progress is the same.
func TestAttemptsKnowNoOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	c := newClass(t)
	c.Courses = drawing{c.db.Curriculum()}
	for round := range 25 {
		by := c.learner()
		e := c.enroll(by)
		var all []any
		counted, best := 0, 0.0
		gap := false
		for n := 1; n <= 6; n++ {
			if r.IntN(8) == 0 {
				gap = true
				continue
			}
			right := r.IntN(3)
			all = append(all, attempt(e, n, right))
			if !gap {
				counted++
				best = max(best, float64(right)/2)
			}
		}
		all = append(all, said(e, "started", "exam"), said(e, "completed", "intro"))
		all = append(all, all[:r.IntN(len(all))]...)
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		for left := all; len(left) > 0; {
			n := 1 + r.IntN(len(left))
			c.send(by, left[:n]...)
			left = left[n:]
		}
		p := c.progress(e)["exam"]
		score := 0.0
		if p.Score != nil {
			score = *p.Score
		}
		if p.Attempts != counted || score != best || p.Completed != (best >= 0.5) || !p.Started {
			t.Fatalf("round %d: %+v score %v, want %d %v", round, p, score, counted, best)
		}
		before := c.progress(e)
		_, err := c.Rebuild(t.Context(), identity.Actor{Operator: true, UserID: by.UserID}, nil)
		c.must(err)
		after := c.progress(e)
		if len(after) != len(before) || after["exam"].Attempts != p.Attempts || (p.Score != nil) != (after["exam"].Score != nil) || p.Score != nil && *after["exam"].Score != score ||
			after["exam"].Completed != p.Completed || !after["exam"].UpdatedAt.Equal(p.UpdatedAt) {
			t.Fatalf("round %d: derived anew %+v, before %+v", round, after["exam"], p)
		}
	}
}

// Two devices at the same time: one answer to an attempt is taken, and no attempt is lost.
func TestAttemptsAtTheSameTime(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c, by, e := drawingClass(t, open)
			const n = 6
			var mu sync.Mutex
			taken := map[int]int{}
			var wg sync.WaitGroup
			for k := range 2 * n {
				wg.Go(func() {
					number := 1 + k%n
					raw := fmt.Appendf(nil, "[%s]", attempt(e, number, k%3).json())
					answers, err := c.Append(t.Context(), by, raw)
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					defer mu.Unlock()
					if answers[0].Status == learning.Accepted {
						taken[number]++
					}
				})
			}
			wg.Wait()
			for i := range n {
				if taken[i+1] != 1 {
					t.Errorf("attempt %d was taken %d times", i+1, taken[i+1])
				}
			}
			if p := c.progress(e)["exam"]; p.Attempts != n {
				t.Errorf("%+v", p)
			}
			var stored []int
			c.must(c.Store.EachAnswer(t.Context(), e.ID, "exam", func(st learning.Statement) error {
				stored = append(stored, st.Result.Attempt)
				return nil
			}))
			if slices.Sort(stored); !slices.Equal(stored, []int{1, 2, 3, 4, 5, 6}) {
				t.Errorf("stored %v", stored)
			}
		})
	}
}

package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

func exerciseLearning(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Learning(), w.enrollment

	got, err := s.FindEnrollment(ctx, e.ID)
	ok(t, err)
	equal(t, "enrollment", got, e)
	got, err = s.FindEnrollmentIn(ctx, e.UserID, e.CourseID)
	ok(t, err)
	equal(t, "enrollment in the course", got, e)
	twin := e
	twin.ID = newID[learning.EnrollmentID]()
	wantFault(t, s.CreateEnrollment(ctx, twin), fault.Conflict, "enrollment.exists")
	lost := e
	lost.ID, lost.UserID = newID[learning.EnrollmentID](), newID[identity.UserID]()
	wantFault(t, s.CreateEnrollment(ctx, lost), fault.Conflict, "database.dangling")
	for _, id := range []learning.EnrollmentID{newID[learning.EnrollmentID](), "", "x"} {
		_, err = s.FindEnrollment(ctx, id)
		wantFault(t, err, fault.NotFound, "enrollment.not_found")
		wantFault(t, s.LockEnrollment(ctx, id), fault.NotFound, "enrollment.not_found")
	}
	_, err = s.FindEnrollmentIn(ctx, e.UserID, "unicorn")
	wantFault(t, err, fault.NotFound, "enrollment.not_found")

	t.Run("lists", func(t *testing.T) {
		other := w.addSchool(t, "baobab")
		mine := []learning.Enrollment{e}
		for _, course := range []curriculum.CourseID{"a", "b", "c"} {
			mine = append(mine, w.enroll(t, w.learner, w.publish(t, course, other)))
		}
		second := w.addUser(t, "second")
		theirs := w.enroll(t, second, w.version)

		list, err := s.ListEnrollments(ctx, w.learner.ID, "", 10)
		ok(t, err)
		if !slices.Equal(list, mine) {
			t.Errorf("mine %v, want %v", list, mine)
		}
		list, err = s.ListEnrollments(ctx, w.learner.ID, mine[0].ID, 2)
		ok(t, err)
		if !slices.Equal(list, mine[1:3]) {
			t.Errorf("second page %v, want %v", list, mine[1:3])
		}
		list, err = s.ListInstitutionEnrollments(ctx, w.school.ID, "", 10)
		ok(t, err)
		if !slices.Equal(list, []learning.Enrollment{e, theirs}) {
			t.Errorf("the school's %v", list)
		}
		list, err = s.FindEnrollments(ctx, []learning.EnrollmentID{theirs.ID, "x", e.ID, newID[learning.EnrollmentID]()})
		ok(t, err)
		if !slices.Equal(list, []learning.Enrollment{e, theirs}) {
			t.Errorf("found %v", list)
		}
		var all []learning.Enrollment
		ok(t, s.EachEnrollment(ctx, func(e learning.Enrollment) error {
			all = append(all, e)
			return nil
		}))
		equal(t, "all", len(all), 5)
		stop := errors.New("stop")
		if err := s.EachEnrollment(ctx, func(learning.Enrollment) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of fn", err)
		}
		list, err = s.ListEnrollments(ctx, "x", "", 10)
		ok(t, err)
		equal(t, "of nobody", len(list), 0)
	})

	t.Run("a lock makes transactions wait", func(t *testing.T) {
		// Each reads a number and writes it back plus one: without the lock, updates are lost.
		const n, rounds = 6, 10
		allOK(t, together(ctx, n, func(ctx context.Context, _ int) error {
			for range rounds {
				err := s.InTx(ctx, func(tx learning.Store) error {
					if err := tx.LockEnrollment(ctx, e.ID); err != nil {
						return err
					}
					ps, err := tx.ListProgress(ctx, e.ID)
					if err != nil {
						return err
					}
					p := learning.Progress{EnrollmentID: e.ID, ObjectID: "counter", UpdatedAt: noon}
					if len(ps) == 1 {
						p = ps[0]
					}
					p.Attempts++
					time.Sleep(time.Duration(rand.IntN(300)) * time.Microsecond)
					return tx.ReplaceProgress(ctx, e.ID, []learning.Progress{p})
				})
				if err != nil {
					return err
				}
			}
			return nil
		}))
		ps, err := s.ListProgress(ctx, e.ID)
		ok(t, err)
		equal(t, "count", ps[0].Attempts, n*rounds)
	})
}

func (w *world) statement(verb learning.Verb, object curriculum.ContentID) learning.Statement {
	e := w.enrollment
	return learning.Statement{
		ID: newID[learning.StatementID](), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		Verb: verb, ObjectID: object, At: noon.Add(-time.Hour), ReceivedAt: noon,
	}
}

func exerciseStatements(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Learning(), w.enrollment
	score, success := 0.75, true
	rich := w.statement(learning.Answered, "quiz")
	rich.Result = learning.Result{
		Responses: map[string]json.RawMessage{"q1": json.RawMessage(`["a","ب","\u0000"]`), "q2": json.RawMessage(`"'; DROP TABLE statements; --"`)},
		Score:     &score, Success: &success, SubmissionID: string(newID[learning.StatementID]()),
	}
	// A device in another zone, with a clock that knows nanoseconds.
	rich.At = time.Date(2026, 3, 1, 10, 0, 0, 123456789, time.FixedZone("", 2*3600))
	plain := w.statement(learning.Started, "lesson")

	fresh, err := s.AppendStatements(ctx, []learning.Statement{rich, plain, plain})
	ok(t, err)
	if !reflect.DeepEqual(fresh, map[learning.StatementID]bool{rich.ID: true, plain.ID: true}) {
		t.Errorf("fresh %v", fresh)
	}
	list, err := s.ListStatements(ctx, e.UserID, 0, 10)
	ok(t, err)
	rich.At = time.Date(2026, 3, 1, 8, 0, 0, 123456000, time.UTC)
	rich.Arrival, plain.Arrival = 1, 2
	if want := []learning.Statement{rich, plain}; !reflect.DeepEqual(list, want) {
		t.Errorf("statements\n%s, want\n%s", asJSON(t, list), asJSON(t, want))
	}

	t.Run("a repeat changes nothing", func(t *testing.T) {
		forged, third := plain, w.statement(learning.Completed, "lesson")
		forged.Verb, forged.UserID = learning.Passed, newID[identity.UserID]()
		fresh, err := s.AppendStatements(ctx, []learning.Statement{third, forged, rich})
		ok(t, err)
		if !reflect.DeepEqual(fresh, map[learning.StatementID]bool{third.ID: true}) {
			t.Errorf("fresh %v", fresh)
		}
		third.Arrival = 3
		list, err := s.ListStatements(ctx, e.UserID, 1, 10)
		ok(t, err)
		if !reflect.DeepEqual(list, []learning.Statement{plain, third}) {
			t.Errorf("statements %s", asJSON(t, list))
		}
		owners, err := s.FindKept(ctx, []learning.StatementID{plain.ID, third.ID, newID[learning.StatementID](), "x"})
		ok(t, err)
		if !reflect.DeepEqual(owners, map[learning.StatementID]learning.Kept{plain.ID: {UserID: e.UserID}, third.ID: {UserID: e.UserID}}) {
			t.Errorf("owners %v", owners)
		}
		fresh, err = s.AppendStatements(ctx, nil)
		ok(t, err)
		equal(t, "fresh of none", len(fresh), 0)
	})

	t.Run("bad ones", func(t *testing.T) {
		for name, spoil := range map[string]func(*learning.Statement){
			"id":          func(st *learning.Statement) { st.ID = "x" },
			"enrollment":  func(st *learning.Statement) { st.EnrollmentID = "" },
			"institution": func(st *learning.Statement) { st.InstitutionID = "1'; --" },
			"verb":        func(st *learning.Statement) { st.Verb = "cheated" },
			"no time":     func(st *learning.Statement) { st.ReceivedAt = time.Time{} },
			"object":      func(st *learning.Statement) { st.ObjectID = "a\x00b" },
			"question":    func(st *learning.Statement) { st.Result.Responses = map[string]json.RawMessage{"\xff": nil} },
			"response": func(st *learning.Statement) {
				st.Result.Responses = map[string]json.RawMessage{"q": []byte("\"\xff\"")}
			},
			"no JSON": func(st *learning.Statement) { st.Result.Responses = map[string]json.RawMessage{"q": []byte("{")} },
		} {
			good, bad := w.statement(learning.Started, "lesson"), w.statement(learning.Started, "lesson")
			spoil(&bad)
			if _, err := s.AppendStatements(ctx, []learning.Statement{good, bad}); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v, want fault.Invalid", name, err)
			}
			if owners, err := s.FindKept(ctx, []learning.StatementID{good.ID}); err != nil || len(owners) > 0 {
				t.Errorf("%s: half a batch was kept: %v %v", name, owners, err)
			}
		}
	})

	t.Run("overlapping batches at once", func(t *testing.T) {
		const batches, size = 8, 120
		pool := make([]learning.Statement, 400)
		for i := range pool {
			pool[i] = w.statement(learning.Started, "lesson")
		}
		counts := make([]map[learning.StatementID]bool, batches)
		allOK(t, together(ctx, batches, func(ctx context.Context, i int) error {
			batch := slices.Clone(pool)
			rand.Shuffle(len(batch), func(a, b int) { batch[a], batch[b] = batch[b], batch[a] })
			batch = append(batch[:size], pool[i*50:i*50+50]...) // so that together they cover all
			return s.InTx(ctx, func(tx learning.Store) error {
				fresh, err := tx.AppendStatements(ctx, batch)
				counts[i] = fresh
				return err
			})
		}))
		claims := map[learning.StatementID]int{}
		for _, fresh := range counts {
			for id := range fresh {
				claims[id]++
			}
		}
		equal(t, "distinct fresh statements", len(claims), len(pool))
		for id, n := range claims {
			equal(t, "batches that call "+string(id)+" fresh", n, 1)
		}
	})

	t.Run("each, in pages", func(t *testing.T) {
		var many []learning.Statement
		for range 1100 { // more than one page, and more than one statement of SQLite
			many = append(many, w.statement(learning.Started, "lesson"))
		}
		fresh, err := s.AppendStatements(ctx, many)
		ok(t, err)
		equal(t, "fresh", len(fresh), len(many))
		var ids []string
		// fn may ask the store meanwhile, in the same transaction.
		ok(t, s.InTx(ctx, func(tx learning.Store) error {
			ids = nil
			return tx.EachStatement(ctx, e.ID, func(st learning.Statement) error {
				if len(ids)%300 == 0 {
					if _, err := tx.FindEnrollment(ctx, st.EnrollmentID); err != nil {
						return err
					}
				}
				ids = append(ids, string(st.ID))
				return nil
			})
		}))
		equal(t, "statements", len(ids), 3+400+1100)
		if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 3+400+1100 {
			t.Error("out of order, or twice")
		}
		ok(t, s.EachStatement(ctx, newID[learning.EnrollmentID](), func(learning.Statement) error { return errors.New("none expected") }))
	})

	t.Run("answers to one quiz", func(t *testing.T) {
		first, second := w.statement(learning.Answered, "draws"), w.statement(learning.Answered, "draws")
		first.Result = learning.Result{Attempt: 2, Score: &score, Responses: map[string]json.RawMessage{"q1": json.RawMessage(`"a"`)}}
		second.Result = learning.Result{Attempt: 1}
		_, err := s.AppendStatements(ctx, []learning.Statement{second, w.statement(learning.Started, "draws"), first})
		ok(t, err)
		first.Arrival, second.Arrival = 1506, 1504
		var got []learning.Statement
		ok(t, s.EachAnswer(ctx, e.ID, "draws", func(st learning.Statement) error { got = append(got, st); return nil }))
		if want := []learning.Statement{first, second}; !reflect.DeepEqual(got, want) {
			t.Errorf("answers\n%s, want\n%s", asJSON(t, got), asJSON(t, want))
		}
		for _, id := range []learning.EnrollmentID{newID[learning.EnrollmentID](), "", "x"} {
			ok(t, s.EachAnswer(ctx, id, "draws", func(learning.Statement) error { t.Error("an answer of nobody's"); return nil }))
		}
		stop := errors.New("stop")
		if err := s.EachAnswer(ctx, e.ID, "draws", func(learning.Statement) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("%v", err)
		}
	})
}

func exerciseProgress(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Learning(), w.enrollment
	score := func(f float64) *float64 { return &f }
	p := func(object curriculum.ContentID, started, completed bool, score *float64, attempts int, at time.Time) learning.Progress {
		return learning.Progress{EnrollmentID: e.ID, ObjectID: object, Started: started, Completed: completed, Score: score, Attempts: attempts, UpdatedAt: at}
	}
	deltas := []learning.Progress{
		p("quiz", true, false, nil, 0, noon),
		p("quiz", false, false, score(0.4), 1, noon.Add(time.Second)),
		p("quiz", false, true, score(0.9), 1, noon.Add(3*time.Second)),
		p("quiz", false, false, score(0.2), 1, noon.Add(2*time.Second)),
		p("quiz", false, false, nil, 0, noon.Add(-time.Second)),
		p("lesson", true, false, nil, 0, noon),
		p("zero", false, false, score(0), 1, noon),
	}
	want := []learning.Progress{
		p("lesson", true, false, nil, 0, noon),
		p("quiz", true, true, score(0.9), 3, noon.Add(3*time.Second)),
		p("zero", false, false, score(0), 1, noon),
	}
	check := func(t *testing.T) {
		t.Helper()
		got, err := s.ListProgress(ctx, e.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("progress\n%s, want\n%s", asJSON(t, got), asJSON(t, want))
		}
	}
	t.Run("in any order, in any company", func(t *testing.T) {
		for range 20 {
			ok(t, s.ReplaceProgress(ctx, e.ID, nil))
			rand.Shuffle(len(deltas), func(a, b int) { deltas[a], deltas[b] = deltas[b], deltas[a] })
			for rest := deltas; len(rest) > 0; {
				n := 1 + rand.IntN(len(rest))
				ok(t, s.MergeProgress(ctx, rest[:n]))
				rest = rest[n:]
			}
			check(t)
		}
	})
	t.Run("at once", func(t *testing.T) {
		ok(t, s.ReplaceProgress(ctx, e.ID, nil))
		allOK(t, together(ctx, 8, func(ctx context.Context, i int) error {
			for range 10 {
				a, b := p("a", i%2 == 0, false, nil, 1, noon), p("b", false, true, score(float64(i)/10), 2, noon)
				if i%2 == 0 {
					a, b = b, a
				}
				if err := s.MergeProgress(ctx, []learning.Progress{a, b}); err != nil {
					return err
				}
			}
			return nil
		}))
		got, err := s.ListProgress(ctx, e.ID)
		ok(t, err)
		if want := []learning.Progress{p("a", true, false, nil, 80, noon), p("b", false, true, score(0.7), 160, noon)}; !reflect.DeepEqual(got, want) {
			t.Errorf("progress\n%s, want\n%s", asJSON(t, got), asJSON(t, want))
		}
	})
	t.Run("replace", func(t *testing.T) {
		second := w.enroll(t, w.addUser(t, "second"), w.version)
		ok(t, s.MergeProgress(ctx, []learning.Progress{{EnrollmentID: second.ID, ObjectID: "lesson", UpdatedAt: noon}}))
		ok(t, s.ReplaceProgress(ctx, e.ID, want))
		check(t)
		of, err := s.ListProgressOf(ctx, []learning.EnrollmentID{e.ID, second.ID, newID[learning.EnrollmentID](), "x"})
		ok(t, err)
		if len(of) != 2 || !reflect.DeepEqual(of[e.ID], want) || len(of[second.ID]) != 1 {
			t.Errorf("progress of both %v", of)
		}
	})
	t.Run("refused", func(t *testing.T) {
		stranger := learning.Progress{EnrollmentID: newID[learning.EnrollmentID](), ObjectID: "lesson", UpdatedAt: noon}
		wantFault(t, s.MergeProgress(ctx, []learning.Progress{stranger}), fault.NotFound, "enrollment.not_found")
		wantFault(t, s.MergeProgress(ctx, []learning.Progress{p("quiz", false, false, score(1.1), 0, noon)}), fault.Invalid, "database.refused")
		wantFault(t, s.MergeProgress(ctx, []learning.Progress{p("a\x00", false, false, nil, 0, noon)}), fault.Invalid, "database.bad_text")
		wantFault(t, s.ReplaceProgress(ctx, e.ID, []learning.Progress{p(curriculum.ContentID(strings.Repeat("\xfe", 3)), false, false, nil, 0, noon)}), fault.Invalid, "database.bad_text")
		check(t) // the failed replacement took nothing away
		ok(t, s.MergeProgress(ctx, nil))
	})
}

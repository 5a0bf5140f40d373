package storetest

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
)

// judged hands in and appends a verdict that is of the course version v.
func (w *world) judged(t *testing.T, o lab.Outcome, attempt int, v curriculum.VersionID) lab.Submission {
	t.Helper()
	n := w.handIn(t)
	ok(t, w.Lab().AppendVerdict(t.Context(), lab.Verdict{SubmissionID: n.ID, Outcome: o, Attempt: attempt, VersionID: v, CreatedAt: noon}))
	return n
}

func (w *world) regrade(target curriculum.VersionID) lab.Regrade {
	return lab.Regrade{
		ID: newID[lab.RegradeID](), InstitutionID: w.school.ID, CourseID: w.version.CourseID, LabID: "lab", TargetID: target,
		CreatedBy: w.learner.ID, CreatedAt: noon, Results: map[lab.Change]int{},
	}
}

func exerciseRegrade(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Lab(), w.enrollment
	next := w.publish(t, w.version.CourseID, w.school)

	t.Run("a verdict is superseded and stays in the record", func(t *testing.T) {
		n := w.judged(t, lab.Failed, 1, w.version.ID)
		before, err := s.FindVerdict(ctx, n.ID)
		ok(t, err)
		r := w.regrade(next.ID)
		v := lab.Verdict{SubmissionID: n.ID, Revision: 2, Outcome: lab.Passed, Attempt: 1, Score: 1, VersionID: next.ID, RegradeID: r.ID, CreatedAt: noon}
		errs := together(ctx, 4, func(ctx context.Context, _ int) error { return s.ReviseVerdict(ctx, v) })
		won := 0
		for _, err := range errs {
			switch {
			case err == nil:
				won++
			case !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Conflict):
				t.Errorf("got %v", err)
			}
		}
		equal(t, "second verdicts", won, 1)
		got, err := s.FindVerdict(ctx, n.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, v) {
			t.Errorf("in force %+v, want %+v", got, v)
		}
		past, err := s.ListEarlierVerdicts(ctx, []lab.SubmissionID{n.ID, "x"})
		ok(t, err)
		if len(past[n.ID]) != 1 || !reflect.DeepEqual(past[n.ID][0], before) {
			t.Errorf("earlier %+v, want %+v", past, before)
		}
		vs, err := s.ListVerdicts(ctx, []lab.SubmissionID{n.ID})
		ok(t, err)
		equal(t, "revision listed", vs[n.ID].Revision, 2)
		count, err := s.CountAttempts(ctx, e.ID, "lab")
		ok(t, err)
		equal(t, "attempts", count, 1)
		v.Revision = 9
		wantFault(t, s.ReviseVerdict(ctx, v), fault.NotFound, "verdict.not_found")
		v.Revision = 3
		v.Checks = []lab.CheckResult{{Says: "\xff"}}
		wantFault(t, s.ReviseVerdict(ctx, v), fault.Invalid, "database.bad_text")

		// Another submission cannot take the attempt, first or graded again.
		second := w.judged(t, lab.AuthorError, 0, w.version.ID)
		v = lab.Verdict{SubmissionID: second.ID, Revision: 2, Outcome: lab.Passed, Attempt: 1, Score: 1, VersionID: next.ID, CreatedAt: noon}
		wantFault(t, s.ReviseVerdict(ctx, v), fault.Conflict, "verdict.exists")
		got, err = s.FindVerdict(ctx, second.ID)
		ok(t, err)
		equal(t, "what was refused left all as it was", got.Outcome, lab.AuthorError)
		v.Attempt = 2
		ok(t, s.ReviseVerdict(ctx, v))
		count, err = s.CountAttempts(ctx, e.ID, "lab")
		ok(t, err)
		equal(t, "attempts", count, 2)
	})

	t.Run("candidates", func(t *testing.T) {
		w := settle(t, w.fresh(t))
		next := w.publish(t, w.version.CourseID, w.school)
		third := w.publish(t, w.version.CourseID, w.school)
		failed := w.judged(t, lab.Failed, 1, w.version.ID)
		faulty := w.judged(t, lab.AuthorError, 0, w.version.ID)
		w.judged(t, lab.PlatformError, 0, w.version.ID)
		w.judged(t, lab.Passed, 2, next.ID) // graded against the newer one already
		w.handIn(t)                         // waits
		elsewhere := w.submission()
		elsewhere.LabID = "other"
		_, err := w.Lab().CreateSubmission(ctx, elsewhere)
		ok(t, err)
		ok(t, w.Lab().AppendVerdict(ctx, lab.Verdict{SubmissionID: elsewhere.ID, Outcome: lab.Failed, Attempt: 1, CreatedAt: noon}))
		c := lab.Candidates{InstitutionID: w.school.ID, CourseID: w.version.CourseID, LabID: "lab", TargetID: next.ID}
		list := func(c lab.Candidates, after lab.SubmissionID, limit int) []lab.SubmissionID {
			t.Helper()
			ids, err := w.Lab().ListCandidates(ctx, c, after, limit)
			ok(t, err)
			return ids
		}
		if got := list(c, "", 10); !slices.Equal(got, []lab.SubmissionID{failed.ID, faulty.ID}) {
			t.Errorf("candidates %v", got)
		}
		if got := list(c, "", 1); !slices.Equal(got, []lab.SubmissionID{failed.ID}) {
			t.Errorf("first page %v", got)
		}
		if got := list(c, failed.ID, 10); !slices.Equal(got, []lab.SubmissionID{faulty.ID}) {
			t.Errorf("second page %v", got)
		}
		for name, change := range map[string]func(c *lab.Candidates){
			"of another version":     func(c *lab.Candidates) { c.FromID = third.ID },
			"of another institution": func(c *lab.Candidates) { c.InstitutionID = w.addSchool(t, "birch").ID },
			"of another course":      func(c *lab.Candidates) { c.CourseID = "other" },
		} {
			other := c
			change(&other)
			equal(t, name, len(list(other, "", 10)), 0)
		}
		c.FromID = w.version.ID
		equal(t, "of this version", len(list(c, "", 10)), 2)
	})

	t.Run("its life", func(t *testing.T) {
		r := w.regrade(next.ID)
		r.FromID = w.version.ID
		for i := range 2 {
			created, err := s.CreateRegrade(ctx, r)
			ok(t, err)
			equal(t, "created", created, i == 0)
		}
		got, err := s.FindRegrade(ctx, r.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, r) {
			t.Errorf("regrade %+v, want %+v", got, r)
		}
		for _, id := range []lab.RegradeID{"x", newID[lab.RegradeID]()} {
			_, err = s.FindRegrade(ctx, id)
			wantFault(t, err, fault.NotFound, "regrade.not_found")
			_, err = s.LockRegrade(ctx, id)
			wantFault(t, err, fault.NotFound, "regrade.not_found")
		}
		r.Total, r.PlannedAt, r.Mode, r.ApplyingAt, r.AppliedAt = 3, noon, lab.All, noon, noon.Add(time.Second)
		ok(t, s.UpdateRegrade(ctx, r))
		got, err = s.FindRegrade(ctx, r.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, r) {
			t.Errorf("regrade %+v, want %+v", got, r)
		}
		second := w.regrade(next.ID)
		_, err = s.CreateRegrade(ctx, second)
		ok(t, err)
		list, err := s.ListRegrades(ctx, w.school.ID, "", 10)
		ok(t, err)
		if len(list) != 2 || list[0].ID != second.ID || list[1].ID != r.ID {
			t.Errorf("newest first: %v", list)
		}
		list, err = s.ListRegrades(ctx, w.school.ID, second.ID, 10)
		ok(t, err)
		equal(t, "second page", len(list), 1)
		list, err = s.ListRegrades(ctx, newID[identity.InstitutionID](), "", 10)
		ok(t, err)
		equal(t, "of another institution", len(list), 0)
	})

	t.Run("results", func(t *testing.T) {
		r := w.regrade(next.ID)
		_, err := s.CreateRegrade(ctx, r)
		ok(t, err)
		var want []lab.RegradeResult
		for i, change := range []lab.Change{lab.Better, lab.Worse, lab.Same, lab.Broken, lab.Better} {
			n := w.handIn(t)
			res := lab.RegradeResult{
				RegradeID: r.ID, SubmissionID: n.ID, InstitutionID: w.school.ID, UserID: w.learner.ID, HandedInAt: noon.Add(-time.Duration(i) * time.Second),
				OldRevision: 1, OldOutcome: lab.Failed, OldScore: 0.25, Change: change,
				Verdict: lab.Verdict{Outcome: lab.Passed, Score: 1, Output: "مرحبا", Checks: []lab.CheckResult{{ID: "c", Got: "<&>\u2028"}}, VersionID: next.ID},
			}
			if change == lab.Broken {
				res.Verdict = lab.Verdict{Outcome: lab.PlatformError}
			}
			for range 2 { // the second time nothing changes
				ok(t, s.PutResult(ctx, res))
			}
			want = append(want, res)
		}
		again := want[0]
		again.Verdict.Score = 0.5
		ok(t, s.PutResult(ctx, again))
		list, err := s.ListResults(ctx, r.ID, "", "", 10)
		ok(t, err)
		if !reflect.DeepEqual(list, want) {
			t.Errorf("results %+v\nwant %+v", list, want)
		}
		list, err = s.ListResults(ctx, r.ID, lab.Better, want[0].SubmissionID, 10)
		ok(t, err)
		if len(list) != 1 || list[0].SubmissionID != want[4].SubmissionID {
			t.Errorf("the better ones' second page: %v", list)
		}
		// The platform's fault gives way as long as nothing is settled.
		late := want[3]
		late.Verdict, late.Change = lab.Verdict{Outcome: lab.Failed}, lab.Same
		ok(t, s.PutResult(ctx, late))
		got, err := s.FindRegrade(ctx, r.ID)
		ok(t, err)
		if !reflect.DeepEqual(got.Results, map[lab.Change]int{lab.Better: 2, lab.Worse: 1, lab.Same: 2}) || got.Applied != 0 {
			t.Errorf("counts %v, applied %d", got.Results, got.Applied)
		}
		open, err := s.ListOpenResults(ctx, r.ID, 2)
		ok(t, err)
		if len(open) != 2 || open[0].SubmissionID != want[4].SubmissionID || open[1].SubmissionID != want[3].SubmissionID {
			t.Errorf("in the order of handing in: %v", open)
		}
		ok(t, s.SettleResult(ctx, r.ID, want[4].SubmissionID, true, noon))
		ok(t, s.SettleResult(ctx, r.ID, want[3].SubmissionID, false, noon))
		wantFault(t, s.SettleResult(ctx, r.ID, want[3].SubmissionID, true, noon), fault.NotFound, "regrade.not_found")
		open, err = s.ListOpenResults(ctx, r.ID, 10)
		ok(t, err)
		equal(t, "open", len(open), 3)
		got, err = s.FindRegrade(ctx, r.ID)
		ok(t, err)
		equal(t, "applied", got.Applied, 1)
		bad := want[0]
		bad.SubmissionID = w.handIn(t).ID
		bad.Verdict.Output = "\x00"
		wantFault(t, s.PutResult(ctx, bad), fault.Invalid, "database.bad_text")
	})

	t.Run("labs at fault", func(t *testing.T) {
		w := settle(t, w.fresh(t))
		s := w.Lab()
		faults := func() []lab.Fault {
			t.Helper()
			list, err := s.ListLabFaults(ctx, w.school.ID, 10)
			ok(t, err)
			return list
		}
		equal(t, "in a healthy school", len(faults()), 0)
		var subs []lab.Submission
		for i := range 3 {
			n := w.handIn(t)
			subs = append(subs, n)
			ok(t, s.AppendVerdict(ctx, lab.Verdict{
				SubmissionID: n.ID, Outcome: lab.AuthorError, Message: "lab.message.author", FaultCheck: string(rune('a' + i)), Fault: "NameError \xff",
				CreatedAt: noon.Add(time.Duration(i) * time.Minute),
			}))
		}
		w.judged(t, lab.Failed, 1, "")
		want := lab.Fault{
			VersionID: w.version.ID, LabID: "lab", Submissions: 3, Since: noon, Last: noon.Add(2 * time.Minute),
			Check: "c", Message: "lab.message.author", Cause: "NameError \uFFFD",
		}
		if got := faults(); len(got) != 1 || got[0] != want {
			t.Errorf("faults %+v, want %+v", got, want)
		}
		list, err := s.ListLabFaults(ctx, w.addSchool(t, "cedar").ID, 10)
		ok(t, err)
		equal(t, "in another school", len(list), 0)
		see := func(until time.Time) {
			t.Helper()
			ok(t, s.AppendLabFaultSeen(ctx, lab.FaultSeen{
				ID: newID[string](), InstitutionID: w.school.ID, VersionID: w.version.ID, LabID: "lab", Until: until, UserID: w.learner.ID, SeenAt: noon,
			}))
		}
		see(noon.Add(time.Minute))
		if got := faults(); len(got) != 1 || got[0].Submissions != 1 || !got[0].Since.Equal(want.Last) {
			t.Errorf("after a look: %+v", got)
		}
		see(want.Last)
		equal(t, "when all is seen", len(faults()), 0)
		n := w.handIn(t)
		ok(t, s.AppendVerdict(ctx, lab.Verdict{SubmissionID: n.ID, Outcome: lab.AuthorError, CreatedAt: noon.Add(time.Hour)}))
		equal(t, "when it fails again", len(faults()), 1)
		ok(t, s.ReviseVerdict(ctx, lab.Verdict{SubmissionID: n.ID, Revision: 2, Outcome: lab.Passed, Attempt: 2, Score: 1, CreatedAt: noon}))
		equal(t, "when it was graded again", len(faults()), 0)
		equal(t, "submissions", len(subs), 3)
	})
}

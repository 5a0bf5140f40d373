package storetest

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

func (w *world) submission() lab.Submission {
	e := w.enrollment
	return lab.Submission{
		ID: newID[lab.SubmissionID](), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, LabID: "lab",
		VersionID: e.VersionID, Files: map[string]string{"main.py": "print('<مرحبا> \u2028 😀')\n"}, Locale: "ar", CreatedAt: noon,
	}
}

func (w *world) handIn(t *testing.T) lab.Submission {
	t.Helper()
	n := w.submission()
	created, err := w.Lab().CreateSubmission(t.Context(), n)
	ok(t, err)
	equal(t, "created", created, true)
	return n
}

func exerciseLab(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Lab(), w.enrollment

	t.Run("submissions", func(t *testing.T) {
		n := w.handIn(t)
		got, err := s.FindSubmission(ctx, n.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, n) {
			t.Errorf("submission %+v, want %+v", got, n)
		}
		again := n
		again.Files = map[string]string{"main.py": "cheat"}
		created, err := s.CreateSubmission(ctx, again)
		ok(t, err)
		equal(t, "created again", created, false)
		got, err = s.FindSubmission(ctx, n.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, n) {
			t.Errorf("a repeat changed the submission to %+v", got)
		}
		_, err = s.FindSubmission(ctx, "x")
		wantFault(t, err, fault.NotFound, "submission.not_found")
		for _, files := range []map[string]string{{"a": "\x00"}, {"\x00": ""}, {"a": "\xff"}, {"\xc3": ""}} {
			bad := w.submission()
			bad.Files = files
			_, err := s.CreateSubmission(ctx, bad)
			wantFault(t, err, fault.Invalid, "database.bad_text")
		}
		big := w.submission()
		big.Files = map[string]string{"main.py": strings.Repeat("# 漢字\n", 200_000)}
		_, err = s.CreateSubmission(ctx, big)
		ok(t, err)
		got, err = s.FindSubmission(ctx, big.ID)
		ok(t, err)
		equal(t, "a big file came back whole", got.Files["main.py"] == big.Files["main.py"], true)

		third := w.submission()
		third.LabID = "other"
		_, err = s.CreateSubmission(ctx, third)
		ok(t, err)
		list, err := s.ListSubmissions(ctx, e.ID, "lab", "", 10)
		ok(t, err)
		if len(list) != 2 || list[0].ID != big.ID || list[1].ID != n.ID {
			t.Errorf("submissions, newest first: %v", list)
		}
		list, err = s.ListSubmissions(ctx, e.ID, "lab", big.ID, 10)
		ok(t, err)
		if len(list) != 1 || list[0].ID != n.ID {
			t.Errorf("second page: %v", list)
		}
	})

	t.Run("verdicts", func(t *testing.T) {
		n := w.handIn(t)
		_, err := s.FindVerdict(ctx, n.ID)
		wantFault(t, err, fault.NotFound, "verdict.not_found")
		v := lab.Verdict{
			SubmissionID: n.ID, Revision: 1, Outcome: lab.Partial, Attempt: 1, Score: 2.0 / 3,
			Checks:  []lab.CheckResult{{ID: "c", Passed: true, Score: 1, Got: "'ب'"}, {ID: "d", Score: 0.5, Error: "ValueError", Expected: "1", Says: "why"}},
			Message: "lab.partial", Traceback: "line 1", FaultCheck: "d", Fault: "judge.py, line 3", Output: strings.Repeat("x", 100_000),
			Runtime: blob.Of(nil), LabDigest: blob.Of([]byte("lab")), VersionID: n.VersionID, WallMS: 1 << 40, CPUMS: 7, CreatedAt: noon,
		}
		ok(t, s.AppendVerdict(ctx, v))
		got, err := s.FindVerdict(ctx, n.ID)
		ok(t, err)
		if !reflect.DeepEqual(got, v) {
			t.Errorf("verdict %+v, want %+v", got, v)
		}
		wantFault(t, s.AppendVerdict(ctx, v), fault.Conflict, "verdict.exists")
		second := w.handIn(t)
		v.SubmissionID = second.ID
		wantFault(t, s.AppendVerdict(ctx, v), fault.Conflict, "verdict.exists") // attempt 1 is another's
		v.Attempt = 2
		ok(t, s.AppendVerdict(ctx, v))
		vs, err := s.ListVerdicts(ctx, []lab.SubmissionID{n.ID, second.ID, newID[lab.SubmissionID](), "x"})
		ok(t, err)
		if len(vs) != 2 || vs[n.ID].Attempt != 1 || vs[second.ID].Attempt != 2 {
			t.Errorf("verdicts %v", vs)
		}
		v.SubmissionID = newID[lab.SubmissionID]()
		wantFault(t, s.AppendVerdict(ctx, v), fault.NotFound, "submission.not_found")

		for name, spoil := range map[string]func(*lab.Verdict){
			"a pass that is no attempt":   func(v *lab.Verdict) { v.Outcome, v.Attempt = lab.Passed, 0 },
			"our fault as an attempt":     func(v *lab.Verdict) { v.Outcome, v.Attempt = lab.PlatformError, 9 },
			"author's fault as one":       func(v *lab.Verdict) { v.Outcome, v.Attempt = lab.AuthorError, 9 },
			"a score above one":           func(v *lab.Verdict) { v.Score = 1.5 },
			"an outcome that nobody knew": func(v *lab.Verdict) { v.Outcome = "praised" },
			"NUL in the output":           func(v *lab.Verdict) { v.Output = "\x00" },
			"no UTF-8 in a check":         func(v *lab.Verdict) { v.Checks = []lab.CheckResult{{Got: "\xff"}} },
		} {
			bad := v
			bad.SubmissionID, bad.Attempt = w.handIn(t).ID, 9
			spoil(&bad)
			if err := s.AppendVerdict(ctx, bad); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: got %v, want fault.Invalid", name, err)
			}
		}
		count, err := s.CountAttempts(ctx, e.ID, "lab")
		ok(t, err)
		equal(t, "attempts", count, 2)
		count, err = s.CountAttempts(ctx, e.ID, "other")
		ok(t, err)
		equal(t, "attempts on another lab", count, 0)
	})

	t.Run("a platform error gives way, once", func(t *testing.T) {
		n := w.handIn(t)
		v := lab.Verdict{SubmissionID: n.ID, Outcome: lab.PlatformError, Message: "lab.platform", CreatedAt: noon}
		ok(t, s.AppendVerdict(ctx, v))
		ok(t, s.AppendVerdict(ctx, v)) // and to another platform error
		count, err := s.CountAttempts(ctx, e.ID, "lab")
		ok(t, err)
		equal(t, "attempts", count, 2)
		v.Outcome, v.Attempt, v.Score = lab.Passed, 3, 1
		errs := together(ctx, 4, func(ctx context.Context, _ int) error { return s.AppendVerdict(ctx, v) })
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantFault(t, err, fault.Conflict, "verdict.exists")
		}
		equal(t, "graders that won", won, 1)
		v.Outcome, v.Attempt = lab.PlatformError, 0
		wantFault(t, s.AppendVerdict(ctx, v), fault.Conflict, "verdict.exists")
		got, err := s.FindVerdict(ctx, n.ID)
		ok(t, err)
		equal(t, "outcome", got.Outcome, lab.Passed)
	})

	t.Run("learning in the same transaction", func(t *testing.T) {
		st := w.statement(learning.Submitted, "lab")
		n := w.submission()
		n.UserID = newID[identity.UserID]() // no such user: the last step fails
		err := s.InTx(ctx, func(tx lab.Store) error {
			if _, err := tx.Learning().AppendStatements(ctx, []learning.Statement{st}); err != nil {
				return err
			}
			// A transaction in the transaction is the same one.
			err := tx.Learning().InTx(ctx, func(tx learning.Store) error {
				return tx.MergeProgress(ctx, []learning.Progress{{EnrollmentID: e.ID, ObjectID: "lab", Started: true, UpdatedAt: time.Now()}})
			})
			if err != nil {
				return err
			}
			_, err = tx.CreateSubmission(ctx, n)
			return err
		})
		wantFault(t, err, fault.Conflict, "database.dangling")
		owners, err := w.Learning().FindKept(ctx, []learning.StatementID{st.ID})
		ok(t, err)
		equal(t, "statements kept", len(owners), 0)
		ps, err := w.Learning().ListProgress(ctx, e.ID)
		ok(t, err)
		equal(t, "progress kept", len(ps), 0)
	})
}

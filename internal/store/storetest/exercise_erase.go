package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

// leaving stands in everything that a person leaves behind.
const leaving = "Xanthippe"

func exerciseErase(t *testing.T, w *world) {
	ctx, ids := t.Context(), w.Identity()
	other := w.addSchool(t, "baobab")
	leaver := identity.User{ID: newID[identity.UserID](), Username: strings.ToLower(leaving), DisplayName: leaving, Locale: "el", CreatedAt: noon}
	ok(t, ids.CreateUser(ctx, leaver, "hash of "+leaving, []identity.Membership{
		{InstitutionID: w.school.ID, Role: identity.Learner}, {InstitutionID: w.school.ID, Role: identity.Trainer}, {InstitutionID: other.ID, Role: identity.Learner},
	}))
	e := w.enroll(t, leaver, w.version)
	stays := w.enroll(t, w.addUser(t, "stays"), w.version)
	for i, of := range []learning.Enrollment{e, stays} {
		name := leaving
		if of.UserID != leaver.ID {
			name = "Stays"
		}
		ok(t, ids.CreateSession(ctx, identity.Session{ID: newID[identity.SessionID](), UserID: of.UserID, UserAgent: name, CreatedAt: noon, LastSeenAt: noon, ExpiresAt: noon.Add(time.Hour)}, identity.SecretHash(fmt.Sprint("s", i))))
		ok(t, ids.CreateToken(ctx, identity.Token{ID: newID[identity.TokenID](), UserID: of.UserID, Name: name, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}, identity.SecretHash(fmt.Sprint("t", i))))
		_, err := ids.AddFailure(ctx, "user:"+strings.ToLower(name), noon, noon)
		ok(t, err)
		ok(t, w.Wallet().SaveName(ctx, wallet.Name{UserID: of.UserID, Name: name, ConfirmedAt: noon}))
		held, err := w.Wallet().CreateImported(ctx, wallet.Imported{
			ID: newID[wallet.ImportedID](), UserID: of.UserID, Digest: name, Format: wallet.JSON, Document: []byte(name), Claims: verifier.Claims{Name: name},
			State: "valid", CheckedAt: noon, CreatedAt: noon,
		})
		ok(t, err)
		_, err = w.Wallet().CreateShare(ctx, wallet.Share{ID: newID[wallet.ShareID](), UserID: of.UserID, ImportedID: held.ID, Token: fmt.Sprint("token", i), CreatedAt: noon}, noon)
		ok(t, err)

		sub := lab.Submission{
			ID: newID[lab.SubmissionID](), EnrollmentID: of.ID, UserID: of.UserID, InstitutionID: of.InstitutionID, LabID: "lab", VersionID: of.VersionID,
			Files: map[string]string{"main.py": "# " + name}, Locale: "en", CreatedAt: noon,
		}
		_, err = w.Lab().CreateSubmission(ctx, sub)
		ok(t, err)
		ok(t, w.Lab().AppendVerdict(ctx, lab.Verdict{
			SubmissionID: sub.ID, Revision: 1, Outcome: lab.Passed, Attempt: 1, Score: 1, VersionID: of.VersionID, Output: name, Message: name, Traceback: name,
			Checks: []lab.CheckResult{{ID: "c", Got: name}}, CreatedAt: noon,
		}))
		score := 0.5
		sts := []learning.Statement{{
			ID: newID[learning.StatementID](), EnrollmentID: of.ID, UserID: of.UserID, InstitutionID: of.InstitutionID, Verb: learning.Answered, ObjectID: "quiz",
			Result: learning.Result{Responses: map[string]json.RawMessage{"q": json.RawMessage(`"` + name + `"`)}, Score: &score}, At: noon, ReceivedAt: noon,
		}}
		_, err = w.Learning().AppendStatements(ctx, sts)
		ok(t, err)

		list := statuslist.List{ID: newID[statuslist.ID](), InstitutionID: of.InstitutionID, Issuer: "did:web:x", CreatedAt: noon}
		ok(t, w.StatusLists().CreateList(ctx, list))
		ok(t, w.Credential().CreateCredential(ctx, credential.Credential{
			ID: newID[credential.ID](), EnrollmentID: of.ID, UserID: of.UserID, InstitutionID: of.InstitutionID, CourseID: of.CourseID, VersionID: of.VersionID,
			Name: name, AchievementName: curriculum.Text{"en": "AI"}, Locale: "en", Document: []byte("signed"), StatusListID: list.ID, StatusIndex: 7, IssuedAt: noon,
		}))
	}

	j, err := job.New(newID[job.ID](), identity.ErasedKind, identity.ErasedPayload{UserID: leaver.ID})
	ok(t, err)
	erasure := identity.Erasure{UserID: leaver.ID, By: leaver.ID, At: noon.Add(time.Minute), Reason: identity.EraseOwn, Job: j}
	ok(t, ids.EraseUser(ctx, erasure))
	again := erasure
	again.Job.ID = newID[job.ID]()
	ok(t, ids.EraseUser(ctx, again))

	t.Run("the person is gone", func(t *testing.T) {
		_, _, err := ids.FindUserByName(ctx, leaver.Username)
		wantFault(t, err, fault.NotFound, "user.not_found")
		_, _, err = ids.FindUserByName(ctx, "~"+string(leaver.ID))
		wantFault(t, err, fault.NotFound, "user.not_found")
		_, _, _, err = ids.FindSession(ctx, "s0", noon)
		wantFault(t, err, fault.NotFound, "session.not_found")
		_, _, _, err = ids.FindToken(ctx, "t0", noon)
		wantFault(t, err, fault.NotFound, "token.not_found")
		ms, err := ids.ListMemberships(ctx, leaver.ID)
		ok(t, err)
		equal(t, "memberships", len(ms), 0)
		sh, err := w.Wallet().FindShare(ctx, "token0")
		ok(t, err)
		if sh.Live(noon) || sh.EndedAt == nil {
			t.Errorf("the link lives: %+v", sh)
		}
	})

	t.Run("facts are left", func(t *testing.T) {
		u, err := ids.FindUser(ctx, leaver.ID)
		ok(t, err)
		if !u.Erased || u.DisplayName != "" || u.Locale != "" || !u.CreatedAt.Equal(noon) {
			t.Errorf("user %+v", u)
		}
		cs, err := w.Credential().ListCredentials(ctx, leaver.ID, "", 10)
		ok(t, err)
		if len(cs) != 1 || cs[0].Name != "" || cs[0].ErasedAt == nil || !cs[0].ErasedAt.Equal(erasure.At) || cs[0].StatusIndex != 7 {
			t.Errorf("credentials %+v", cs)
		}
		var sts []learning.Statement
		ok(t, w.Learning().EachAnswer(ctx, e.ID, "quiz", func(st learning.Statement) error { sts = append(sts, st); return nil }))
		if len(sts) != 1 || sts[0].Result.Score == nil || *sts[0].Result.Score != 0.5 || len(sts[0].Result.Responses) != 0 {
			t.Errorf("statements %+v", sts)
		}
		n, err := w.Lab().CountAttempts(ctx, e.ID, "lab")
		ok(t, err)
		equal(t, "attempts", n, 1)
	})

	t.Run("others are as they were", func(t *testing.T) {
		_, _, _, err := ids.FindSession(ctx, "s1", noon)
		ok(t, err)
		n, err := w.Wallet().FindName(ctx, stays.UserID)
		ok(t, err)
		equal(t, "name", n.Name, "Stays")
		sh, err := w.Wallet().FindShare(ctx, "token1")
		ok(t, err)
		equal(t, "link", sh.Live(noon), true)
		c, err := w.Credential().FindCredentialOf(ctx, stays.ID)
		ok(t, err)
		equal(t, "certificate", c.Name, "Stays")
		equal(t, "document of one that is not erased", string(c.Document), "signed")
		th, err := ids.FindThrottle(ctx, "user:stays")
		ok(t, err)
		equal(t, "failures", th.Failures, 1)
	})

	t.Run("it is noted once, without a name, and asks for the job once", func(t *testing.T) {
		for _, in := range []identity.InstitutionID{w.school.ID, other.ID} {
			entries, err := w.Audits().List(ctx, string(in), 0, 10)
			ok(t, err)
			if len(entries) != 1 || entries[0].Kind != audit.AccountErased || entries[0].By != string(leaver.ID) ||
				string(entries[0].Data) != `{"reason":"own","user":"`+string(leaver.ID)+`"}` {
				t.Errorf("entries %+v", entries)
			}
		}
		jobs, err := w.Outbox().Claim(ctx, job.Housekeeping, 10, time.Minute)
		ok(t, err)
		if len(jobs) != 1 || jobs[0].ID != j.ID {
			t.Errorf("jobs %+v", jobs)
		}
	})

	t.Run("nothing comes in afterwards", func(t *testing.T) {
		_, err := w.Wallet().CreateShare(ctx, wallet.Share{ID: newID[wallet.ShareID](), UserID: leaver.ID, Token: "late", CreatedAt: noon}, noon)
		wantFault(t, err, fault.Gone, "user.erased")
		wantFault(t, w.Wallet().SaveName(ctx, wallet.Name{UserID: leaver.ID, Name: leaving, ConfirmedAt: noon}), fault.Gone, "user.erased")
		late := w.enroll(t, leaver, w.publish(t, "late", w.school))
		c, err := w.Credential().FindCredentialOf(ctx, e.ID)
		ok(t, err)
		c.ID, c.EnrollmentID, c.CourseID, c.VersionID, c.StatusIndex, c.Name = newID[credential.ID](), late.ID, late.CourseID, late.VersionID, 8, leaving
		wantFault(t, w.Credential().CreateCredential(ctx, c), fault.Gone, "user.erased")
		_, err = w.Credential().FindCredentialOf(ctx, late.ID)
		wantFault(t, err, fault.NotFound, "credential.not_found")
	})

	t.Run("the last operator stays", func(t *testing.T) {
		a := identity.User{ID: newID[identity.UserID](), Username: "op-a", Operator: true, CreatedAt: noon}
		b := a
		b.ID, b.Username = newID[identity.UserID](), "op-b"
		ok(t, ids.CreateUser(ctx, a, "", nil))
		ok(t, ids.CreateUser(ctx, b, "", nil))
		errs := together(ctx, 2, func(ctx context.Context, i int) error {
			u := []identity.User{a, b}[i]
			return ids.EraseUser(ctx, identity.Erasure{UserID: u.ID, By: u.ID, At: noon, Reason: identity.EraseOwn, Job: job.Job{ID: newID[job.ID](), Kind: identity.ErasedKind, Payload: []byte("{}")}})
		})
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Errorf("of two operators who leave at once one stays: %v", errs)
		}
		entries, err := w.Audits().List(ctx, audit.Server, 0, 10)
		ok(t, err)
		equal(t, "entries of the server", len(entries), 1)
		wantFault(t, ids.EraseUser(ctx, identity.Erasure{UserID: newID[identity.UserID](), Job: j}), fault.NotFound, "user.not_found")
	})
}

package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

// forErasure locks a row against those too who would refer to it: nothing new of the person comes in meanwhile.
var forErasure = clause.Locking{Strength: "UPDATE"}

// EraseUser implements identity.Store. What goes, what stays and why stands in docs/privacy.md. It is one transaction, so that nobody
// is half erased, and it is the one place that knows what every domain keeps of a person: who adds a table that
// holds something of a person adds it here.
func (s *Identity) EraseUser(ctx context.Context, e identity.Erasure) error {
	return s.inTx(ctx, func(c conn) error {
		u, err := one[userRow](c, c.write(ctx).Clauses(forErasure).Where("id = ?", key(e.UserID)), "user.not_found")
		if err != nil || !u.ErasedAt.t.IsZero() {
			return err
		}
		if u.Operator {
			// Two operators who leave at once wait for each other's rows.
			var others []userRow
			err := c.write(ctx).Clauses(forErasure).Where("operator AND erased_at IS NULL AND id <> ?", u.ID).Order("id").Find(&others).Error
			if err != nil {
				return c.db.fail(err)
			}
			if len(others) == 0 {
				return fault.New(fault.Conflict, "user.last_operator")
			}
		}
		ms, err := (&Identity{c}).ListMemberships(ctx, e.UserID)
		if err != nil {
			return err
		}
		if err := c.eraseRows(ctx, u, e); err != nil {
			return err
		}
		if err := c.eraseAnswers(ctx, u.ID); err != nil {
			return err
		}
		if err := c.eraseResults(ctx, u.ID); err != nil {
			return err
		}
		if err := c.Enqueue(ctx, e.Job); err != nil {
			return err
		}
		// Last: others who append to the same log wait until the transaction ends.
		return c.noteErasure(ctx, ms, e)
	})
}

// eraseRows takes out what stands in columns. A user's id stays, and with it the facts that have no name: enrollments, statements,
// scores, credentials.
func (c conn) eraseRows(ctx context.Context, u userRow, e identity.Erasure) error {
	work := "(SELECT id FROM submissions WHERE user_id = ?)"
	for _, step := range []struct {
		text string
		args []any
	}{
		{`DELETE FROM sessions WHERE user_id = ?`, []any{u.ID}},
		{`DELETE FROM tokens WHERE user_id = ?`, []any{u.ID}},
		{`DELETE FROM devices WHERE user_id = ?`, []any{u.ID}},
		{`DELETE FROM memberships WHERE user_id = ?`, []any{u.ID}},
		{`DELETE FROM sign_in_failures WHERE throttle_key = ?`, []any{"user:" + u.Username}},
		{`DELETE FROM certificate_names WHERE user_id = ?`, []any{u.ID}},
		{`UPDATE shares SET ended_at = ? WHERE user_id = ? AND ended_at IS NULL`, []any{at(e.At), u.ID}},
		{`DELETE FROM imported_credentials WHERE user_id = ?`, []any{u.ID}},
		// The work itself is the person's; that it was handed in, and what came of it, is a fact.
		{`UPDATE submissions SET files = '{}' WHERE user_id = ?`, []any{u.ID}},
		{`UPDATE verdicts SET message = '', traceback = '', output = '', fault = '', checks = '[]' WHERE submission_id IN ` + work, []any{u.ID}},
		{`DELETE FROM credential_codes WHERE credential_id IN (SELECT id FROM credentials WHERE user_id = ?)`, []any{u.ID}},
		// What waits for a decision is decided: nothing is issued to nobody. A person may stand in a reason.
		{`UPDATE awards SET state = 'refused', refused_at = ? WHERE user_id = ? AND state IN ('waiting', 'ready')`, []any{at(e.At), u.ID}},
		{`UPDATE awards SET name = '', refused_reason = '', revision = revision + 1 WHERE user_id = ?`, []any{u.ID}},
		{`UPDATE credentials SET name = '', revoked_reason = '', suspended_reason = '', erased_at = ? WHERE user_id = ?`, []any{at(e.At), u.ID}},
		// No username has this form: nobody can take it or sign in with it.
		{`UPDATE users SET username = ?, display_name = '', locale = '', operator = ?, password_hash = '', erased_at = ? WHERE id = ?`, []any{"~" + string(u.ID), false, at(e.At), u.ID}},
	} {
		if err := c.write(ctx).Exec(step.text, step.args...).Error; err != nil {
			return c.db.fail(err)
		}
	}
	return nil
}

// eraseAnswers takes what the person wrote out of the statements, and leaves what was made of it.
func (c conn) eraseAnswers(ctx context.Context, user key) error {
	type answer struct {
		ID     key
		Result doc[learning.Result]
	}
	var after key
	for {
		var page []answer
		q := c.write(ctx).Table("statements").Select("id", "result").Where("user_id = ? AND verb = ?", user, string(learning.Answered))
		if err := forward(q, "id", after, eachPage).Find(&page).Error; err != nil {
			return c.db.fail(err)
		}
		for _, a := range page {
			if len(a.Result.v.Responses) == 0 {
				continue
			}
			a.Result.v.Responses = nil
			if err := c.write(ctx).Table("statements").Where("id = ?", a.ID).Update("result", a.Result).Error; err != nil {
				return c.db.fail(err)
			}
		}
		if len(page) < eachPage {
			return nil
		}
		after = page[len(page)-1].ID
	}
}

// eraseResults does the same to what regrades found out.
func (c conn) eraseResults(ctx context.Context, user key) error {
	var rows []resultRow
	err := c.write(ctx).Select("regrade_id", "submission_id", "verdict").Where("user_id = ?", user).Find(&rows).Error
	for _, r := range rows {
		if err != nil {
			break
		}
		v := r.Verdict.v
		v.Message, v.Traceback, v.Output, v.Fault, v.Checks = "", "", "", "", []lab.CheckResult{}
		err = c.write(ctx).Model(&resultRow{}).Where("regrade_id = ? AND submission_id = ?", r.RegradeID, r.SubmissionID).Update("verdict", doc[lab.Verdict]{v}).Error
	}
	return c.db.fail(err)
}

// noteErasure writes into the log of each institution that the person belonged to, or of the server.
func (c conn) noteErasure(ctx context.Context, ms []identity.Membership, e identity.Erasure) error {
	noted := map[identity.InstitutionID]bool{}
	for _, m := range ms { // sorted by institution, so that two erasures lock the logs in one order
		if noted[m.InstitutionID] {
			continue
		}
		noted[m.InstitutionID] = true
		if err := c.Audit(ctx, e.Entry(m.InstitutionID)); err != nil {
			return err
		}
	}
	if len(noted) > 0 {
		return nil
	}
	return c.Audit(ctx, e.Entry(""))
}

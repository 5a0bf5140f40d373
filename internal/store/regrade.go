package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
)

type regradeRow struct {
	ID            key
	InstitutionID key
	CourseID      string
	LabID         string
	FromID        *key
	TargetID      key
	CreatedBy     *key
	CreatedAt     instant
	Total         int
	PlannedAt     instant
	Mode          lab.Mode
	ApplyingAt    instant
	AppliedAt     instant
	DiscardedAt   instant
}

func (regradeRow) TableName() string { return "regrades" }

func (r regradeRow) regrade() lab.Regrade {
	return lab.Regrade{
		ID: lab.RegradeID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), CourseID: curriculum.CourseID(r.CourseID),
		LabID: curriculum.ContentID(r.LabID), FromID: curriculum.VersionID(r.FromID.text()), TargetID: curriculum.VersionID(r.TargetID),
		CreatedBy: identity.UserID(r.CreatedBy.text()), CreatedAt: r.CreatedAt.t, Total: r.Total, PlannedAt: r.PlannedAt.t, Mode: r.Mode,
		ApplyingAt: r.ApplyingAt.t, AppliedAt: r.AppliedAt.t, DiscardedAt: r.DiscardedAt.t,
	}
}

// CreateRegrade implements lab.Store.
func (s *Lab) CreateRegrade(ctx context.Context, r lab.Regrade) (created bool, err error) {
	res := s.write(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&regradeRow{
		ID: key(r.ID), InstitutionID: key(r.InstitutionID), CourseID: string(r.CourseID), LabID: string(r.LabID), FromID: maybeKey(r.FromID),
		TargetID: key(r.TargetID), CreatedBy: maybeKey(r.CreatedBy), CreatedAt: at(r.CreatedAt), Total: r.Total, PlannedAt: at(r.PlannedAt),
		Mode: r.Mode, ApplyingAt: at(r.ApplyingAt), AppliedAt: at(r.AppliedAt), DiscardedAt: at(r.DiscardedAt),
	})
	return res.Error == nil && res.RowsAffected == 1, s.db.fail(res.Error)
}

// FindRegrade implements lab.Store.
func (s *Lab) FindRegrade(ctx context.Context, id lab.RegradeID) (lab.Regrade, error) {
	r, err := one[regradeRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "regrade.not_found")
	if err != nil {
		return lab.Regrade{}, err
	}
	rs := []lab.Regrade{r.regrade()}
	err = s.countResults(ctx, rs)
	return rs[0], err
}

// LockRegrade implements lab.Store. Outside of a transaction it would hold nothing.
func (s *Lab) LockRegrade(ctx context.Context, id lab.RegradeID) (lab.Regrade, error) {
	r, err := one[regradeRow](s.conn, s.write(ctx).Clauses(forUpdate).Where("id = ?", key(id)), "regrade.not_found")
	return r.regrade(), err
}

// ListRegrades implements lab.Store.
func (s *Lab) ListRegrades(ctx context.Context, in identity.InstitutionID, before lab.RegradeID, limit int) ([]lab.Regrade, error) {
	if !key(in).valid() {
		return []lab.Regrade{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in))
	if before != "" {
		q = q.Where("id < ?", key(before))
	}
	rs, err := many(s.conn, q.Order("id DESC").Limit(limit), regradeRow.regrade)
	if err != nil {
		return nil, err
	}
	return rs, s.countResults(ctx, rs)
}

// countResults fills in the counts of regrades.
func (s *Lab) countResults(ctx context.Context, rs []lab.Regrade) error {
	type count struct {
		RegradeID key
		Change    lab.Change
		Applied   bool
		N         int
	}
	ids := make([]lab.RegradeID, len(rs))
	at := make(map[lab.RegradeID]*lab.Regrade, len(rs))
	for i := range rs {
		ids[i], at[rs[i].ID] = rs[i].ID, &rs[i]
		rs[i].Results = map[lab.Change]int{}
	}
	counts, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Table("regrade_results").Select("regrade_id, change, applied, count(*) AS n").
			Where("regrade_id IN ?", part).Group("regrade_id, change, applied")
	}, func(c count) count { return c })
	for _, c := range counts {
		r := at[lab.RegradeID(c.RegradeID)]
		r.Results[c.Change] += c.N
		if c.Applied {
			r.Applied += c.N
		}
	}
	return err
}

// UpdateRegrade implements lab.Store.
func (s *Lab) UpdateRegrade(ctx context.Context, r lab.Regrade) error {
	return changed(s.conn, s.write(ctx).Model(&regradeRow{}).Where("id = ?", key(r.ID)).Updates(map[string]any{
		"total": r.Total, "planned_at": at(r.PlannedAt), "mode": string(r.Mode), "applying_at": at(r.ApplyingAt),
		"applied_at": at(r.AppliedAt), "discarded_at": at(r.DiscardedAt),
	}), "regrade.not_found")
}

// ListCandidates implements lab.Store.
func (s *Lab) ListCandidates(ctx context.Context, c lab.Candidates, after lab.SubmissionID, limit int) ([]lab.SubmissionID, error) {
	q := s.read(ctx).Table("submissions").Select("submissions.id").
		Joins("JOIN verdicts v ON v.submission_id = submissions.id AND NOT v.superseded").
		Joins("JOIN course_versions cv ON cv.id = submissions.version_id").
		Where("submissions.institution_id = ? AND submissions.lab_id = ? AND cv.course_id = ?", key(c.InstitutionID), string(c.LabID), string(c.CourseID)).
		Where("v.outcome <> ? AND v.version_id <> ?", lab.PlatformError, key(c.TargetID))
	if c.FromID != "" {
		q = q.Where("submissions.version_id = ?", key(c.FromID))
	}
	type row struct{ ID key }
	return many(s.conn, forward(q, "submissions.id", key(after), limit), func(r row) lab.SubmissionID { return lab.SubmissionID(r.ID) })
}

type resultRow struct {
	RegradeID     key
	SubmissionID  key
	InstitutionID key
	UserID        key
	HandedInAt    instant
	OldRevision   int
	OldOutcome    lab.Outcome
	OldScore      float64
	Outcome       lab.Outcome
	Score         float64
	Change        lab.Change
	Verdict       doc[lab.Verdict]
	Applied       bool
	SettledAt     instant
}

func (resultRow) TableName() string { return "regrade_results" }

func (r resultRow) result() lab.RegradeResult {
	return lab.RegradeResult{
		RegradeID: lab.RegradeID(r.RegradeID), SubmissionID: lab.SubmissionID(r.SubmissionID), InstitutionID: identity.InstitutionID(r.InstitutionID),
		UserID: identity.UserID(r.UserID), HandedInAt: r.HandedInAt.t, OldRevision: r.OldRevision, OldOutcome: r.OldOutcome, OldScore: r.OldScore,
		Verdict: r.Verdict.v, Change: r.Change, Applied: r.Applied,
	}
}

// PutResult implements lab.Store.
func (s *Lab) PutResult(ctx context.Context, r lab.RegradeResult) error {
	v := r.Verdict
	v.Fault = legible(v.Fault)
	if err := checkVerdict(v); err != nil {
		return err
	}
	if err := checkText(v.Message, v.Traceback, v.FaultCheck, v.Output); err != nil {
		return err
	}
	return s.inTx(ctx, func(c conn) error {
		err := c.write(ctx).Where("regrade_id = ? AND submission_id = ? AND outcome = ? AND settled_at IS NULL",
			key(r.RegradeID), key(r.SubmissionID), lab.PlatformError).Delete(&resultRow{}).Error
		if err != nil {
			return c.db.fail(err)
		}
		return c.db.fail(c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&resultRow{
			RegradeID: key(r.RegradeID), SubmissionID: key(r.SubmissionID), InstitutionID: key(r.InstitutionID), UserID: key(r.UserID),
			HandedInAt: at(r.HandedInAt), OldRevision: r.OldRevision, OldOutcome: r.OldOutcome, OldScore: r.OldScore, Outcome: v.Outcome,
			Score: v.Score, Change: r.Change, Verdict: doc[lab.Verdict]{v},
		}).Error)
	})
}

// ListResults implements lab.Store.
func (s *Lab) ListResults(ctx context.Context, id lab.RegradeID, change lab.Change, after lab.SubmissionID, limit int) ([]lab.RegradeResult, error) {
	if !key(id).valid() {
		return []lab.RegradeResult{}, nil
	}
	q := s.read(ctx).Where("regrade_id = ?", key(id))
	if change != "" {
		q = q.Where("change = ?", string(change))
	}
	return many(s.conn, forward(q, "submission_id", key(after), limit), resultRow.result)
}

// ListOpenResults implements lab.Store.
func (s *Lab) ListOpenResults(ctx context.Context, id lab.RegradeID, limit int) ([]lab.RegradeResult, error) {
	q := s.read(ctx).Where("regrade_id = ? AND settled_at IS NULL", key(id)).Order("handed_in_at, submission_id").Limit(limit)
	return many(s.conn, q, resultRow.result)
}

// SettleResult implements lab.Store.
func (s *Lab) SettleResult(ctx context.Context, id lab.RegradeID, sub lab.SubmissionID, applied bool, settled time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&resultRow{}).Where("regrade_id = ? AND submission_id = ? AND settled_at IS NULL", key(id), key(sub)).
		Updates(map[string]any{"applied": applied, "settled_at": at(settled)}), "regrade.not_found")
}

type labFaultRow struct {
	VersionID   key
	LabID       string
	Submissions int
	Since       instant
	Last        instant
}

// ListLabFaults implements lab.Store.
func (s *Lab) ListLabFaults(ctx context.Context, in identity.InstitutionID, limit int) ([]lab.Fault, error) {
	if !key(in).valid() {
		return []lab.Fault{}, nil
	}
	atFault := func() *gorm.DB {
		return s.read(ctx).Table("verdicts").Where("institution_id = ? AND outcome = 'author_error' AND NOT superseded", key(in)).
			Where(`NOT EXISTS (SELECT 1 FROM lab_faults_seen f WHERE f.institution_id = verdicts.institution_id
				AND f.version_id = verdicts.version_id AND f.lab_id = verdicts.lab_id AND f.until >= verdicts.created_at)`)
	}
	list, err := many(s.conn, atFault().Select("version_id, lab_id, count(*) AS submissions, min(created_at) AS since, max(created_at) AS last").
		Group("version_id, lab_id").Order("last DESC, lab_id").Limit(limit), func(r labFaultRow) lab.Fault {
		return lab.Fault{
			VersionID: curriculum.VersionID(r.VersionID), LabID: curriculum.ContentID(r.LabID), Submissions: r.Submissions, Since: r.Since.t, Last: r.Last.t,
		}
	})
	if err != nil {
		return nil, err
	}
	for i := range list {
		f := &list[i]
		last, err := one[verdictRow](s.conn, atFault().Select("message, fault_check, fault").
			Where("version_id = ? AND lab_id = ?", key(f.VersionID), string(f.LabID)).Order("created_at DESC"), "verdict.not_found")
		if err != nil && !fault.Is(err, fault.NotFound) { // graded again this very moment
			return nil, err
		}
		f.Check, f.Message, f.Cause = last.FaultCheck, last.Message, last.Fault
	}
	return list, nil
}

type labFaultSeenRow struct {
	ID            key
	InstitutionID key
	VersionID     key
	LabID         string
	Until         instant
	UserID        *key
	SeenAt        instant
}

func (labFaultSeenRow) TableName() string { return "lab_faults_seen" }

// AppendLabFaultSeen implements lab.Store.
func (s *Lab) AppendLabFaultSeen(ctx context.Context, seen lab.FaultSeen) error {
	return s.db.fail(s.write(ctx).Create(&labFaultSeenRow{
		ID: key(seen.ID), InstitutionID: key(seen.InstitutionID), VersionID: key(seen.VersionID), LabID: string(seen.LabID),
		Until: at(seen.Until), UserID: maybeKey(seen.UserID), SeenAt: at(seen.SeenAt),
	}).Error)
}

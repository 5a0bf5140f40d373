package store

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Lab keeps submissions and verdicts.
type Lab struct{ conn }

var _ lab.Store = (*Lab)(nil)

// Lab gives the store of the lab domain.
func (db *DB) Lab() *Lab { return &Lab{conn{db: db}} }

// InTx implements lab.Store. See inTx: fn may run again after a deadlock.
func (s *Lab) InTx(ctx context.Context, fn func(lab.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Lab{c}) })
}

// Learning implements lab.Store.
func (s *Lab) Learning() learning.Store { return &Learning{s.conn} }

type submissionRow struct {
	ID            key
	EnrollmentID  key
	UserID        key
	InstitutionID key
	LabID         string
	VersionID     key
	Files         doc[map[string]string]
	Locale        string
	CreatedAt     instant
}

func (submissionRow) TableName() string { return "submissions" }

func (r submissionRow) submission() lab.Submission {
	return lab.Submission{
		ID: lab.SubmissionID(r.ID), EnrollmentID: learning.EnrollmentID(r.EnrollmentID), UserID: identity.UserID(r.UserID),
		InstitutionID: identity.InstitutionID(r.InstitutionID), LabID: curriculum.ContentID(r.LabID),
		VersionID: curriculum.VersionID(r.VersionID), Files: r.Files.v, Locale: r.Locale, CreatedAt: r.CreatedAt.t,
	}
}

// CreateSubmission implements lab.Store.
func (s *Lab) CreateSubmission(ctx context.Context, n lab.Submission) (created bool, err error) {
	for name, source := range n.Files {
		if err := checkText(name, source); err != nil {
			return false, err
		}
	}
	res := s.write(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&submissionRow{
		ID: key(n.ID), EnrollmentID: key(n.EnrollmentID), UserID: key(n.UserID), InstitutionID: key(n.InstitutionID),
		LabID: string(n.LabID), VersionID: key(n.VersionID), Files: doc[map[string]string]{n.Files}, Locale: n.Locale, CreatedAt: at(n.CreatedAt),
	})
	return res.Error == nil && res.RowsAffected == 1, s.db.fail(res.Error)
}

// FindSubmission implements lab.Store.
func (s *Lab) FindSubmission(ctx context.Context, id lab.SubmissionID) (lab.Submission, error) {
	r, err := one[submissionRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "submission.not_found")
	return r.submission(), err
}

// ListSubmissions implements lab.Store.
func (s *Lab) ListSubmissions(ctx context.Context, e learning.EnrollmentID, of curriculum.ContentID, before lab.SubmissionID, limit int) ([]lab.Submission, error) {
	if !key(e).valid() {
		return []lab.Submission{}, nil
	}
	q := s.read(ctx).Where("enrollment_id = ? AND lab_id = ?", key(e), string(of))
	if before != "" {
		q = q.Where("id < ?", key(before))
	}
	return many(s.conn, q.Order("id DESC").Limit(limit), submissionRow.submission)
}

type verdictRow struct {
	SubmissionID  key
	Revision      int
	Superseded    bool
	EnrollmentID  key
	InstitutionID key
	LabID         string
	VersionID     key
	RegradeID     *key
	Outcome       lab.Outcome
	Attempt       int
	Score         float64
	Checks        doc[[]lab.CheckResult]
	Message       string
	Traceback     string
	FaultCheck    string
	Fault         string
	Output        string
	Runtime       string
	LabDigest     string
	WallMS        int64 `gorm:"column:wall_ms"`
	CPUMS         int64 `gorm:"column:cpu_ms"`
	CreatedAt     instant
}

func (verdictRow) TableName() string { return "verdicts" }

func (r verdictRow) verdict() lab.Verdict {
	return lab.Verdict{
		SubmissionID: lab.SubmissionID(r.SubmissionID), Revision: r.Revision, Outcome: r.Outcome, Attempt: r.Attempt, Score: r.Score, Checks: r.Checks.v,
		Message: r.Message, Traceback: r.Traceback, FaultCheck: r.FaultCheck, Fault: r.Fault, Output: r.Output,
		Runtime: blob.Digest(r.Runtime), LabDigest: blob.Digest(r.LabDigest), VersionID: curriculum.VersionID(r.VersionID),
		RegradeID: lab.RegradeID(r.RegradeID.text()), WallMS: r.WallMS, CPUMS: r.CPUMS, CreatedAt: r.CreatedAt.t,
	}
}

func verdictOf(v lab.Verdict, of submissionRow) verdictRow {
	version := key(v.VersionID)
	if version == "" {
		version = of.VersionID
	}
	return verdictRow{
		SubmissionID: of.ID, Revision: max(v.Revision, 1), EnrollmentID: of.EnrollmentID, InstitutionID: of.InstitutionID, LabID: of.LabID,
		VersionID: version, RegradeID: maybeKey(v.RegradeID), Outcome: v.Outcome, Attempt: v.Attempt, Score: v.Score,
		Checks: doc[[]lab.CheckResult]{v.Checks}, Message: v.Message, Traceback: v.Traceback, FaultCheck: v.FaultCheck, Fault: legible(v.Fault),
		Output: v.Output, Runtime: string(v.Runtime), LabDigest: string(v.LabDigest), WallMS: v.WallMS, CPUMS: v.CPUMS, CreatedAt: at(v.CreatedAt),
	}
}

// checkVerdict looks at the texts that are stored as JSON, which would be mended silently.
func checkVerdict(v lab.Verdict) error {
	for _, c := range v.Checks {
		if err := checkText(c.ID, c.Got, c.Error, c.Expected, c.Says); err != nil {
			return err
		}
	}
	return nil
}

// FindVerdict implements lab.Store.
func (s *Lab) FindVerdict(ctx context.Context, id lab.SubmissionID) (lab.Verdict, error) {
	r, err := one[verdictRow](s.conn, s.read(ctx).Where("submission_id = ? AND NOT superseded", key(id)), "verdict.not_found")
	return r.verdict(), err
}

// ListVerdicts implements lab.Store.
func (s *Lab) ListVerdicts(ctx context.Context, ids []lab.SubmissionID) (map[lab.SubmissionID]lab.Verdict, error) {
	out := make(map[lab.SubmissionID]lab.Verdict, len(ids))
	vs, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Where("submission_id IN ? AND NOT superseded", part)
	}, verdictRow.verdict)
	for _, v := range vs {
		out[v.SubmissionID] = v
	}
	return out, err
}

// ListEarlierVerdicts implements lab.Store.
func (s *Lab) ListEarlierVerdicts(ctx context.Context, ids []lab.SubmissionID) (map[lab.SubmissionID][]lab.Verdict, error) {
	out := make(map[lab.SubmissionID][]lab.Verdict, len(ids))
	vs, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Where("submission_id IN ? AND superseded", part).Order("submission_id, revision")
	}, verdictRow.verdict)
	for _, v := range vs {
		out[v.SubmissionID] = append(out[v.SubmissionID], v)
	}
	return out, err
}

// AppendVerdict implements lab.Store. An attempt that another submission has
// already is fault.Conflict too.
func (s *Lab) AppendVerdict(ctx context.Context, v lab.Verdict) error {
	if err := checkVerdict(v); err != nil {
		return err
	}
	return s.inTx(ctx, func(c conn) error {
		of, err := one[submissionRow](c, c.read(ctx).Where("id = ?", key(v.SubmissionID)), "submission.not_found")
		if err != nil {
			return err
		}
		err = c.write(ctx).Where("submission_id = ? AND outcome = ? AND NOT superseded", key(v.SubmissionID), lab.PlatformError).Delete(&verdictRow{}).Error
		if err != nil {
			return c.db.fail(err)
		}
		row := verdictOf(v, of)
		// A second verdict, or an attempt of another submission: another grader was quicker.
		return c.db.taken(c.write(ctx).Create(&row).Error, "verdict.exists")
	})
}

// ReviseVerdict implements lab.Store.
func (s *Lab) ReviseVerdict(ctx context.Context, v lab.Verdict) error {
	if err := checkVerdict(v); err != nil {
		return err
	}
	return s.inTx(ctx, func(c conn) error {
		of, err := one[submissionRow](c, c.read(ctx).Where("id = ?", key(v.SubmissionID)), "submission.not_found")
		if err != nil {
			return err
		}
		res := c.write(ctx).Model(&verdictRow{}).Where("submission_id = ? AND revision = ? AND NOT superseded", of.ID, v.Revision-1).
			Update("superseded", true)
		if err := changed(c, res, "verdict.not_found"); err != nil {
			return err
		}
		row := verdictOf(v, of)
		return c.db.taken(c.write(ctx).Create(&row).Error, "verdict.exists")
	})
}

// CountAttempts implements lab.Store.
func (s *Lab) CountAttempts(ctx context.Context, e learning.EnrollmentID, of curriculum.ContentID) (int, error) {
	if !key(e).valid() {
		return 0, nil
	}
	var row struct{ Attempts int }
	err := s.read(ctx).Table("verdicts").Select("count(*) AS attempts").
		Where("enrollment_id = ? AND lab_id = ? AND attempt > 0 AND NOT superseded", key(e), string(of)).Scan(&row).Error
	return row.Attempts, s.db.fail(err)
}

// CountWaiting implements lab.Store.
func (s *Lab) CountWaiting(ctx context.Context, user identity.UserID, limit int) (int, error) {
	return waitingOf(ctx, s.conn, key(user), limit)
}

// Place implements lab.Store.
func (s *Lab) Place(ctx context.Context, id lab.SubmissionID) (int, error) {
	return placeOf(ctx, s.conn, key(id))
}

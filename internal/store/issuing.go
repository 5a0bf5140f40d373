package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Issuing keeps criteria, awards, batches and delegations.
type Issuing struct{ conn }

var _ issuing.Store = (*Issuing)(nil)

// Issuing gives the store of the issuing domain.
func (db *DB) Issuing() *Issuing { return &Issuing{conn{db: db}} }

// InTx implements issuing.Store. See inTx: fn may run again after a deadlock.
func (s *Issuing) InTx(ctx context.Context, fn func(issuing.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Issuing{c}) })
}

// FindCredentialOf implements issuing.Store.
func (s *Issuing) FindCredentialOf(ctx context.Context, e learning.EnrollmentID) (credential.Credential, error) {
	return (&Credential{s.conn}).FindCredentialOf(ctx, e)
}

// CreateCredential implements issuing.Store.
func (s *Issuing) CreateCredential(ctx context.Context, c credential.Credential) error {
	return createCredential(ctx, s.conn, c)
}

type criteriaRow struct {
	ID            key
	InstitutionID key
	CourseID      string
	Number        int
	Items         doc[[]curriculum.ContentID]
	MinScore      float64
	Approval      bool
	ConfirmName   bool
	AskHelp       bool
	Assessment    credential.Assessment
	Months        int
	Competences   doc[[]string]
	CreatedBy     *key
	CreatedAt     instant
}

func (criteriaRow) TableName() string { return "criteria" }

func (r criteriaRow) criteria() issuing.Criteria {
	return issuing.Criteria{
		ID: issuing.CriteriaID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), CourseID: curriculum.CourseID(r.CourseID), Number: r.Number,
		Terms: issuing.Terms{
			Items: r.Items.v, MinScore: r.MinScore, Approval: r.Approval, ConfirmName: r.ConfirmName, AskHelp: r.AskHelp,
			Assessment: r.Assessment, Months: r.Months, Competences: r.Competences.v,
		},
		CreatedBy: identity.UserID(r.CreatedBy.text()), CreatedAt: r.CreatedAt.t,
	}
}

// CreateCriteria implements issuing.Store.
func (s *Issuing) CreateCriteria(ctx context.Context, c issuing.Criteria) error {
	err := s.write(ctx).Create(&criteriaRow{
		ID: key(c.ID), InstitutionID: key(c.InstitutionID), CourseID: string(c.CourseID), Number: c.Number,
		Items: doc[[]curriculum.ContentID]{c.Items}, MinScore: c.MinScore, Approval: c.Approval, ConfirmName: c.ConfirmName, AskHelp: c.AskHelp,
		Assessment: c.Assessment, Months: c.Months, Competences: doc[[]string]{c.Competences}, CreatedBy: maybeKey(c.CreatedBy), CreatedAt: at(c.CreatedAt),
	}).Error
	return s.db.taken(err, "criteria.changed")
}

// FindCriteria implements issuing.Store.
func (s *Issuing) FindCriteria(ctx context.Context, id issuing.CriteriaID) (issuing.Criteria, error) {
	r, err := one[criteriaRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "criteria.not_found")
	return r.criteria(), err
}

// FindCurrentCriteria implements issuing.Store.
func (s *Issuing) FindCurrentCriteria(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (issuing.Criteria, error) {
	q := s.read(ctx).Where("institution_id = ? AND course_id = ?", key(in), string(course)).Order("number DESC")
	r, err := one[criteriaRow](s.conn, q, "criteria.not_found")
	return r.criteria(), err
}

// ListCriteria implements issuing.Store.
func (s *Issuing) ListCriteria(ctx context.Context, in identity.InstitutionID) ([]issuing.Criteria, error) {
	if !key(in).valid() {
		return []issuing.Criteria{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in)).
		Where("number = (SELECT max(number) FROM criteria c WHERE c.institution_id = criteria.institution_id AND c.course_id = criteria.course_id)").Order("course_id")
	return many(s.conn, q, criteriaRow.criteria)
}

type awardRow struct {
	ID              key
	EnrollmentID    key
	UserID          key
	InstitutionID   key
	CourseID        string
	VersionID       key
	CriteriaID      *key
	State           issuing.AwardState
	Score           *float64
	AIHelp          credential.AIHelp `gorm:"column:ai_help"`
	Assessment      credential.Assessment
	AssessedBy      *key
	AssessedAt      instant
	ApprovedBy      *key
	ApprovedAt      instant
	DelegationID    *key
	Name            string
	NameConfirmedBy *key
	NameConfirmedAt instant
	RefusedBy       *key
	RefusedAt       instant
	RefusedReason   string
	CredentialID    *key
	Revision        int
	CreatedAt       instant
	ChangedAt       instant
}

func (awardRow) TableName() string { return "awards" }

func (r awardRow) award() issuing.Award {
	return issuing.Award{
		ID: issuing.AwardID(r.ID), EnrollmentID: learning.EnrollmentID(r.EnrollmentID), UserID: identity.UserID(r.UserID),
		InstitutionID: identity.InstitutionID(r.InstitutionID), CourseID: curriculum.CourseID(r.CourseID), VersionID: curriculum.VersionID(r.VersionID),
		CriteriaID: issuing.CriteriaID(r.CriteriaID.text()), State: r.State, Score: r.Score, AIHelp: r.AIHelp, Assessment: r.Assessment,
		AssessedBy: identity.UserID(r.AssessedBy.text()), AssessedAt: r.AssessedAt.t, ApprovedBy: identity.UserID(r.ApprovedBy.text()), ApprovedAt: r.ApprovedAt.t,
		DelegationID: issuing.DelegationID(r.DelegationID.text()), Name: r.Name,
		NameConfirmedBy: identity.UserID(r.NameConfirmedBy.text()), NameConfirmedAt: r.NameConfirmedAt.t,
		RefusedBy: identity.UserID(r.RefusedBy.text()), RefusedAt: r.RefusedAt.t, RefusedReason: r.RefusedReason,
		CredentialID: credential.ID(r.CredentialID.text()), Revision: r.Revision, CreatedAt: r.CreatedAt.t, ChangedAt: r.ChangedAt.t,
	}
}

func awardOf(a issuing.Award) awardRow {
	return awardRow{
		ID: key(a.ID), EnrollmentID: key(a.EnrollmentID), UserID: key(a.UserID), InstitutionID: key(a.InstitutionID), CourseID: string(a.CourseID),
		VersionID: key(a.VersionID), CriteriaID: maybeKey(a.CriteriaID), State: a.State, Score: a.Score, AIHelp: a.AIHelp, Assessment: a.Assessment,
		AssessedBy: maybeKey(a.AssessedBy), AssessedAt: at(a.AssessedAt), ApprovedBy: maybeKey(a.ApprovedBy), ApprovedAt: at(a.ApprovedAt),
		DelegationID: maybeKey(a.DelegationID), Name: a.Name, NameConfirmedBy: maybeKey(a.NameConfirmedBy), NameConfirmedAt: at(a.NameConfirmedAt),
		RefusedBy: maybeKey(a.RefusedBy), RefusedAt: at(a.RefusedAt), RefusedReason: a.RefusedReason, CredentialID: maybeKey(a.CredentialID),
		Revision: a.Revision, CreatedAt: at(a.CreatedAt), ChangedAt: at(a.ChangedAt),
	}
}

// CreateAward implements issuing.Store.
func (s *Issuing) CreateAward(ctx context.Context, a issuing.Award) error {
	row := awardOf(a)
	return s.db.taken(s.write(ctx).Create(&row).Error, "award.exists")
}

// FindAward implements issuing.Store.
func (s *Issuing) FindAward(ctx context.Context, id issuing.AwardID) (issuing.Award, error) {
	r, err := one[awardRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "award.not_found")
	return r.award(), err
}

// FindAwardOf implements issuing.Store.
func (s *Issuing) FindAwardOf(ctx context.Context, e learning.EnrollmentID) (issuing.Award, error) {
	r, err := one[awardRow](s.conn, s.read(ctx).Where("enrollment_id = ?", key(e)), "award.not_found")
	return r.award(), err
}

// LockAwards implements issuing.Store. Outside of a transaction it would hold nothing.
func (s *Issuing) LockAwards(ctx context.Context, ids []issuing.AwardID) ([]issuing.Award, error) {
	return many(s.conn, s.write(ctx).Clauses(forUpdate).Where("id IN ?", keys(ids)).Order("id"), awardRow.award)
}

// UpdateAward implements issuing.Store: whose it is never changes.
func (s *Issuing) UpdateAward(ctx context.Context, a issuing.Award) error {
	row := awardOf(a)
	return changed(s.conn, s.write(ctx).Model(&awardRow{}).Where("id = ?", key(a.ID)).
		Select("*").Omit("id", "enrollment_id", "user_id", "institution_id", "course_id", "version_id", "criteria_id", "score", "created_at").Updates(&row), "award.not_found")
}

func awardsLike(q *gorm.DB, f issuing.AwardFilter) *gorm.DB {
	if f.State != "" {
		q = q.Where("state = ?", f.State)
	}
	if f.CourseID != "" {
		q = q.Where("course_id = ?", string(f.CourseID))
	}
	return q
}

// ListAwards implements issuing.Store.
func (s *Issuing) ListAwards(ctx context.Context, in identity.InstitutionID, f issuing.AwardFilter, after issuing.AwardID, limit int) ([]issuing.Award, error) {
	if !key(in).valid() {
		return []issuing.Award{}, nil
	}
	return many(s.conn, forward(awardsLike(s.read(ctx).Where("institution_id = ?", key(in)), f), "id", key(after), limit), awardRow.award)
}

// ListOwnAwards implements issuing.Store.
func (s *Issuing) ListOwnAwards(ctx context.Context, user identity.UserID, after issuing.AwardID, limit int) ([]issuing.Award, error) {
	if !key(user).valid() {
		return []issuing.Award{}, nil
	}
	return many(s.conn, forward(s.read(ctx).Where("user_id = ?", key(user)), "id", key(after), limit), awardRow.award)
}

// CountAwards implements issuing.Store.
func (s *Issuing) CountAwards(ctx context.Context, in identity.InstitutionID) (map[issuing.AwardState]int, error) {
	out := map[issuing.AwardState]int{}
	if !key(in).valid() {
		return out, nil
	}
	type count struct {
		State issuing.AwardState
		N     int
	}
	counts, err := many(s.conn, s.read(ctx).Table("awards").Select("state, count(*) AS n").Where("institution_id = ?", key(in)).Group("state"), func(c count) count { return c })
	for _, c := range counts {
		out[c.State] = c.N
	}
	return out, err
}

type batchRow struct {
	ID            key
	InstitutionID key
	Assessment    credential.Assessment
	Total         int
	Limited       bool
	CreatedBy     key
	CreatedAt     instant
	SettledAt     instant
}

func (batchRow) TableName() string { return "issue_batches" }

func (r batchRow) batch() issuing.Batch {
	return issuing.Batch{
		ID: issuing.BatchID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), Assessment: r.Assessment, Total: r.Total, Limited: r.Limited,
		CreatedBy: identity.UserID(r.CreatedBy), CreatedAt: r.CreatedAt.t, SettledAt: r.SettledAt.t,
	}
}

// CreateBatch implements issuing.Store.
func (s *Issuing) CreateBatch(ctx context.Context, b issuing.Batch) (bool, error) {
	res := s.write(ctx).Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "id"}}, DoNothing: true}).Create(&batchRow{
		ID: key(b.ID), InstitutionID: key(b.InstitutionID), Assessment: b.Assessment, Total: b.Total, Limited: b.Limited,
		CreatedBy: key(b.CreatedBy), CreatedAt: at(b.CreatedAt), SettledAt: at(b.SettledAt),
	})
	return res.Error == nil && res.RowsAffected == 1, s.db.fail(res.Error)
}

// What became of an award of a batch.
const (
	outcomeOpen    = "open"
	outcomeTaken   = "taken"
	outcomeSkipped = "skipped"
)

// FillBatch implements issuing.Store.
func (s *Issuing) FillBatch(ctx context.Context, b issuing.Batch, ids []issuing.AwardID, f issuing.AwardFilter, limit int) (int, error) {
	q := awardsLike(s.read(ctx).Table("awards").Select("id").Where("institution_id = ?", key(b.InstitutionID)), f)
	if ids != nil {
		q = q.Where("id IN ?", append(keys(ids), key(b.ID))) // never empty: no award has a batch's id
	}
	rows, err := many(s.conn, q.Order("id").Limit(limit), func(r struct{ ID key }) map[string]any {
		return map[string]any{"batch_id": key(b.ID), "award_id": r.ID, "outcome": outcomeOpen, "cause": ""}
	})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return len(rows), s.db.fail(s.write(ctx).Table("issue_batch_awards").CreateInBatches(rows, eachPage).Error)
}

// FindBatch implements issuing.Store.
func (s *Issuing) FindBatch(ctx context.Context, id issuing.BatchID) (issuing.Batch, error) {
	r, err := one[batchRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "batch.not_found")
	if err != nil {
		return issuing.Batch{}, err
	}
	bs := []issuing.Batch{r.batch()}
	err = s.countBatches(ctx, bs)
	return bs[0], err
}

// ListBatches implements issuing.Store.
func (s *Issuing) ListBatches(ctx context.Context, in identity.InstitutionID, before issuing.BatchID, limit int) ([]issuing.Batch, error) {
	if !key(in).valid() {
		return []issuing.Batch{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in))
	if before != "" {
		q = q.Where("id < ?", key(before))
	}
	bs, err := many(s.conn, q.Order("id DESC").Limit(limit), batchRow.batch)
	if err != nil {
		return nil, err
	}
	return bs, s.countBatches(ctx, bs)
}

// countBatches fills in how far batches are.
func (s *Issuing) countBatches(ctx context.Context, bs []issuing.Batch) error {
	type count struct {
		BatchID key
		Outcome string
		Cause   string
		State   issuing.AwardState
		N       int
	}
	ids := make([]issuing.BatchID, len(bs))
	of := make(map[issuing.BatchID]*issuing.Batch, len(bs))
	for i := range bs {
		ids[i], of[bs[i].ID] = bs[i].ID, &bs[i]
		bs[i].Skipped = map[string]int{}
	}
	counts, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Table("issue_batch_awards b").Select("b.batch_id, b.outcome, b.cause, a.state, count(*) AS n").
			Joins("JOIN awards a ON a.id = b.award_id").Where("b.batch_id IN ?", part).Group("b.batch_id, b.outcome, b.cause, a.state")
	}, func(c count) count { return c })
	for _, c := range counts {
		b := of[issuing.BatchID(c.BatchID)]
		switch {
		case c.Outcome == outcomeOpen:
			b.Open += c.N
		case c.Outcome == outcomeSkipped:
			b.Skipped[c.Cause] += c.N
		case c.State == issuing.Issued:
			b.Issued += c.N
		case c.State == issuing.Ready:
			b.Signing += c.N
		default: // refused, or lacking something again, before it was signed
			b.Skipped["batch.withdrawn"] += c.N
		}
	}
	return err
}

// ListOpen implements issuing.Store.
func (s *Issuing) ListOpen(ctx context.Context, id issuing.BatchID, limit int) ([]issuing.AwardID, error) {
	q := s.read(ctx).Table("issue_batch_awards").Select("award_id").Where("batch_id = ? AND outcome = ?", key(id), outcomeOpen).Order("award_id").Limit(limit)
	return many(s.conn, q, func(r struct{ AwardID key }) issuing.AwardID { return issuing.AwardID(r.AwardID) })
}

// SettleInBatch implements issuing.Store.
func (s *Issuing) SettleInBatch(ctx context.Context, id issuing.BatchID, award issuing.AwardID, cause string) (bool, error) {
	outcome := outcomeSkipped
	if cause == issuing.Taken {
		outcome = outcomeTaken
	}
	res := s.write(ctx).Table("issue_batch_awards").Where("batch_id = ? AND award_id = ? AND outcome = ?", key(id), key(award), outcomeOpen).
		Updates(map[string]any{"outcome": outcome, "cause": cause})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// FinishBatch implements issuing.Store.
func (s *Issuing) FinishBatch(ctx context.Context, id issuing.BatchID, total int, when time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&batchRow{}).Where("id = ?", key(id)).
		Updates(map[string]any{"total": total, "settled_at": at(when)}), "batch.not_found")
}

type delegationRow struct {
	ID            key
	InstitutionID key
	UserID        key
	Courses       doc[[]curriculum.CourseID]
	Quota         *int
	Used          int
	ExpiresAt     instant
	CreatedBy     *key
	CreatedAt     instant
	EndedAt       instant
}

func (delegationRow) TableName() string { return "delegations" }

func (r delegationRow) delegation() issuing.Delegation {
	return issuing.Delegation{
		ID: issuing.DelegationID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), UserID: identity.UserID(r.UserID), Courses: r.Courses.v,
		Quota: r.Quota, Used: r.Used, ExpiresAt: r.ExpiresAt.pointer(), CreatedBy: identity.UserID(r.CreatedBy.text()), CreatedAt: r.CreatedAt.t,
		EndedAt: r.EndedAt.pointer(),
	}
}

// CreateDelegation implements issuing.Store.
func (s *Issuing) CreateDelegation(ctx context.Context, d issuing.Delegation) error {
	return s.db.fail(s.write(ctx).Create(&delegationRow{
		ID: key(d.ID), InstitutionID: key(d.InstitutionID), UserID: key(d.UserID), Courses: doc[[]curriculum.CourseID]{d.Courses}, Quota: d.Quota, Used: d.Used,
		ExpiresAt: maybeAt(d.ExpiresAt), CreatedBy: maybeKey(d.CreatedBy), CreatedAt: at(d.CreatedAt), EndedAt: maybeAt(d.EndedAt),
	}).Error)
}

// FindDelegation implements issuing.Store.
func (s *Issuing) FindDelegation(ctx context.Context, id issuing.DelegationID) (issuing.Delegation, error) {
	r, err := one[delegationRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "delegation.not_found")
	return r.delegation(), err
}

// ListDelegations implements issuing.Store.
func (s *Issuing) ListDelegations(ctx context.Context, in identity.InstitutionID, user identity.UserID) ([]issuing.Delegation, error) {
	if !key(in).valid() {
		return []issuing.Delegation{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in))
	if user != "" {
		q = q.Where("user_id = ?", key(user))
	}
	return many(s.conn, q.Order("id"), delegationRow.delegation)
}

// EndDelegation implements issuing.Store.
func (s *Issuing) EndDelegation(ctx context.Context, id issuing.DelegationID, when time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&delegationRow{}).Where("id = ? AND ended_at IS NULL", key(id)).
		Updates(map[string]any{"ended_at": at(when)}), "delegation.not_found")
}

// SpendDelegation implements issuing.Store.
func (s *Issuing) SpendDelegation(ctx context.Context, id issuing.DelegationID, now time.Time) (bool, error) {
	res := s.write(ctx).Model(&delegationRow{}).
		Where("id = ? AND ended_at IS NULL AND (quota IS NULL OR used < quota) AND (expires_at IS NULL OR expires_at > ?)", key(id), at(now)).
		Updates(map[string]any{"used": gorm.Expr("used + 1")})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// ReturnDelegation implements issuing.Store.
func (s *Issuing) ReturnDelegation(ctx context.Context, id issuing.DelegationID) error {
	res := s.write(ctx).Model(&delegationRow{}).Where("id = ? AND used > 0", key(id)).Updates(map[string]any{"used": gorm.Expr("used - 1")})
	return s.db.fail(res.Error)
}

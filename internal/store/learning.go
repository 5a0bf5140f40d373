package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Learning keeps enrollments, statements and progress.
type Learning struct{ conn }

var _ learning.Store = (*Learning)(nil)

// Learning gives the store of the learning domain.
func (db *DB) Learning() *Learning { return &Learning{conn{db: db}} }

// InTx implements learning.Store. See inTx: fn may run again after a deadlock.
func (s *Learning) InTx(ctx context.Context, fn func(learning.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Learning{c}) })
}

// forUpdate locks rows until the end of the transaction, without stopping
// others from referring to them. SQLite locks the whole database at BEGIN, and its dialect leaves this out.
var forUpdate = clause.Locking{Strength: "NO KEY UPDATE"}

type enrollmentRow struct {
	ID            key
	UserID        key
	InstitutionID key
	CourseID      string
	VersionID     key
	CreatedAt     instant
}

func (enrollmentRow) TableName() string { return "enrollments" }

func (r enrollmentRow) enrollment() learning.Enrollment {
	return learning.Enrollment{
		ID: learning.EnrollmentID(r.ID), UserID: identity.UserID(r.UserID), InstitutionID: identity.InstitutionID(r.InstitutionID),
		CourseID: curriculum.CourseID(r.CourseID), VersionID: curriculum.VersionID(r.VersionID), CreatedAt: r.CreatedAt.t,
	}
}

// CreateEnrollment implements learning.Store.
func (s *Learning) CreateEnrollment(ctx context.Context, e learning.Enrollment) error {
	err := s.write(ctx).Create(&enrollmentRow{
		ID: key(e.ID), UserID: key(e.UserID), InstitutionID: key(e.InstitutionID),
		CourseID: string(e.CourseID), VersionID: key(e.VersionID), CreatedAt: at(e.CreatedAt),
	}).Error
	return s.db.taken(err, "enrollment.exists")
}

// FindEnrollment implements learning.Store.
func (s *Learning) FindEnrollment(ctx context.Context, id learning.EnrollmentID) (learning.Enrollment, error) {
	if e, ok := s.db.enrollments.find(key(id)); ok {
		return e, nil
	}
	r, err := one[enrollmentRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "enrollment.not_found")
	if err == nil {
		s.keep(r.enrollment())
	}
	return r.enrollment(), err
}

// FindEnrollments implements learning.Store. Unknown ids are left out; the order is that of the ids.
func (s *Learning) FindEnrollments(ctx context.Context, ids []learning.EnrollmentID) ([]learning.Enrollment, error) {
	found := []learning.Enrollment{}
	var others []key
	for _, id := range keys(ids) {
		if e, ok := s.db.enrollments.find(id); ok {
			found = append(found, e)
		} else {
			others = append(others, id)
		}
	}
	read, err := among(s.conn, others, func(part []key) *gorm.DB { return s.read(ctx).Where("id IN ?", part) }, enrollmentRow.enrollment)
	if err != nil {
		return nil, err
	}
	s.keep(read...)
	found = append(found, read...)
	slices.SortFunc(found, func(a, b learning.Enrollment) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return slices.CompactFunc(found, func(a, b learning.Enrollment) bool { return a.ID == b.ID }), nil
}

// keep remembers enrollments: they never change and are never deleted. What a
// transaction sees may yet be rolled back.
func (s *Learning) keep(es ...learning.Enrollment) {
	if s.tx != nil {
		return
	}
	for _, e := range es {
		s.db.enrollments.keep(key(e.ID), e)
	}
}

// FindEnrollmentIn implements learning.Store.
func (s *Learning) FindEnrollmentIn(ctx context.Context, user identity.UserID, course curriculum.CourseID) (learning.Enrollment, error) {
	r, err := one[enrollmentRow](s.conn, s.read(ctx).Where("user_id = ? AND course_id = ?", key(user), string(course)), "enrollment.not_found")
	return r.enrollment(), err
}

// ListEnrollments implements learning.Store.
func (s *Learning) ListEnrollments(ctx context.Context, user identity.UserID, after learning.EnrollmentID, limit int) ([]learning.Enrollment, error) {
	return s.listEnrollments(ctx, "user_id = ?", key(user), key(after), limit)
}

// ListInstitutionEnrollments implements learning.Store.
func (s *Learning) ListInstitutionEnrollments(ctx context.Context, in identity.InstitutionID, after learning.EnrollmentID, limit int) ([]learning.Enrollment, error) {
	return s.listEnrollments(ctx, "institution_id = ?", key(in), key(after), limit)
}

func (s *Learning) listEnrollments(ctx context.Context, where string, whose, after key, limit int) ([]learning.Enrollment, error) {
	if !whose.valid() {
		return []learning.Enrollment{}, nil
	}
	return many(s.conn, forward(s.read(ctx).Where(where, whose), "id", after, limit), enrollmentRow.enrollment)
}

// eachPage is how many rows are read at once: no query stays open while fn
// runs, for fn may ask the same connection.
const eachPage = 500

// EachEnrollment implements learning.Store, in the order of ids.
func (s *Learning) EachEnrollment(ctx context.Context, fn func(learning.Enrollment) error) error {
	return each(func(after key) ([]learning.Enrollment, error) {
		return many(s.conn, forward(s.read(ctx), "id", after, eachPage), enrollmentRow.enrollment)
	}, func(e learning.Enrollment) key { return key(e.ID) }, fn)
}

// AwaitEnrollment implements issuing.Learning. It waits for the transactions that have locked the learner, and holds nothing itself.
func (s *Learning) AwaitEnrollment(ctx context.Context, id learning.EnrollmentID) error {
	return s.inTx(ctx, func(c conn) error { return (&Learning{c}).LockEnrollment(ctx, id) })
}

// LockEnrollment implements learning.Store. Outside of a transaction it would hold nothing.
func (s *Learning) LockEnrollment(ctx context.Context, id learning.EnrollmentID) error {
	e, err := s.FindEnrollment(ctx, id)
	if err != nil {
		return err
	}
	return s.LockLearners(ctx, e.UserID)
}

type statementRow struct {
	ID            key
	EnrollmentID  key
	UserID        key
	InstitutionID key
	Verb          string
	ObjectID      string
	Result        string
	At            instant
	ReceivedAt    instant
	Arrival       int64
	Device        *key
	Epoch         *int32
	Sequence      *int32
}

func (statementRow) TableName() string { return "statements" }

func statementOf(st learning.Statement) (statementRow, error) {
	result, err := []byte("{}"), error(nil)
	if r := st.Result; r.Responses != nil || r.Score != nil || r.Success != nil || r.SubmissionID != "" || r.Revision != 0 || r.Attempt != 0 || r.AfterRevocation {
		result, err = json.Marshal(r)
	}
	r := statementRow{
		ID: key(st.ID), EnrollmentID: key(st.EnrollmentID), UserID: key(st.UserID), InstitutionID: key(st.InstitutionID),
		Verb: string(st.Verb), ObjectID: string(st.ObjectID), Result: string(result), At: at(st.At), ReceivedAt: at(st.ReceivedAt),
	}
	if st.Device != "" {
		epoch, sequence := int32(st.Epoch), int32(st.Sequence)
		r.Device, r.Epoch, r.Sequence = maybeKey(st.Device), &epoch, &sequence
	}
	return r, err
}

func (r statementRow) statement() (learning.Statement, error) {
	st := learning.Statement{
		ID: learning.StatementID(r.ID), EnrollmentID: learning.EnrollmentID(r.EnrollmentID),
		UserID: identity.UserID(r.UserID), InstitutionID: identity.InstitutionID(r.InstitutionID),
		Verb: learning.Verb(r.Verb), ObjectID: curriculum.ContentID(r.ObjectID), At: r.At.t, ReceivedAt: r.ReceivedAt.t,
		Arrival: r.Arrival, Stamp: r.stamp(),
	}
	if r.Result == "" { // it was not asked for
		return st, nil
	}
	return st, json.Unmarshal([]byte(r.Result), &st.Result)
}

func (r statementRow) stamp() learning.Stamp {
	if r.Device == nil || r.Epoch == nil || r.Sequence == nil {
		return learning.Stamp{}
	}
	return learning.Stamp{Device: learning.DeviceID(*r.Device), Epoch: int(*r.Epoch), Sequence: int(*r.Sequence)}
}

// AppendStatements implements learning.Store.
func (s *Learning) AppendStatements(ctx context.Context, sts []learning.Statement) (map[learning.StatementID]bool, error) {
	fresh := make(map[learning.StatementID]bool, len(sts))
	if len(sts) == 0 {
		return fresh, nil
	}
	rows := make([]statementRow, 0, len(sts))
	seen := make(map[learning.StatementID]bool, len(sts))
	var users []key
	for _, st := range sts {
		if seen[st.ID] {
			continue
		}
		seen[st.ID] = true
		for q := range st.Result.Responses {
			if err := checkText(q); err != nil {
				return nil, err
			}
		}
		if err := checkText(st.Result.SubmissionID); err != nil {
			return nil, err
		}
		r, err := statementOf(st)
		if err != nil {
			return nil, s.db.badJSON(err)
		}
		rows = append(rows, r)
		users = append(users, r.UserID)
	}
	slices.Sort(users)
	users = slices.Compact(users)
	err := s.inTx(ctx, func(c conn) error {
		clear(fresh)
		for _, u := range users {
			mine := rows
			if len(users) > 1 {
				mine = slices.DeleteFunc(slices.Clone(rows), func(r statementRow) bool { return r.UserID != u })
			}
			newest, err := c.lockLearner(ctx, u)
			if err != nil {
				return c.db.fail(err)
			}
			ids, err := c.db.dialect.appendStatements(ctx, c.writePool(), u, newest, mine)
			if err != nil {
				return c.db.fail(err)
			}
			for _, id := range ids {
				fresh[learning.StatementID(id)] = true
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return fresh, nil
}

// FindKept implements learning.Store.
func (s *Learning) FindKept(ctx context.Context, ids []learning.StatementID) (map[learning.StatementID]learning.Kept, error) {
	out := make(map[learning.StatementID]learning.Kept, len(ids))
	rows, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Select("id, user_id, device, epoch, sequence").Where("id IN ?", part)
	}, func(r statementRow) statementRow { return r })
	for _, r := range rows {
		out[learning.StatementID(r.ID)] = learning.Kept{UserID: identity.UserID(r.UserID), Stamp: r.stamp()}
	}
	return out, err
}

// EachStatement implements learning.Store, in the order of ids.
func (s *Learning) EachStatement(ctx context.Context, id learning.EnrollmentID, fn func(learning.Statement) error) error {
	if !key(id).valid() {
		return nil
	}
	return each(func(after key) ([]learning.Statement, error) {
		return s.statements(forward(s.read(ctx).Where("enrollment_id = ?", key(id)), "id", after, eachPage))
	}, func(st learning.Statement) key { return key(st.ID) }, fn)
}

// EachAnswer implements learning.Store.
func (s *Learning) EachAnswer(ctx context.Context, id learning.EnrollmentID, quiz curriculum.ContentID, fn func(learning.Statement) error) error {
	if !key(id).valid() {
		return nil
	}
	return each(func(after key) ([]learning.Statement, error) {
		q := s.read(ctx).Where("enrollment_id = ? AND object_id = ? AND verb = ?", key(id), string(quiz), string(learning.Answered))
		return s.statements(forward(q, "id", after, eachPage))
	}, func(st learning.Statement) key { return key(st.ID) }, fn)
}

func (s *Learning) statements(q *gorm.DB) ([]learning.Statement, error) {
	rows, err := many(s.conn, q, func(r statementRow) statementRow { return r })
	if err != nil {
		return nil, err
	}
	out := make([]learning.Statement, len(rows))
	for i, r := range rows {
		if out[i], err = r.statement(); err != nil {
			return nil, s.db.fail(err)
		}
	}
	return out, nil
}

type progressRow struct {
	EnrollmentID  key
	ObjectID      string
	InstitutionID key
	Started       bool
	Completed     bool
	Score         *float64
	Attempts      int32
	UpdatedAt     instant
}

func (progressRow) TableName() string { return "progress" }

func (r progressRow) progress() learning.Progress {
	return learning.Progress{
		EnrollmentID: learning.EnrollmentID(r.EnrollmentID), ObjectID: curriculum.ContentID(r.ObjectID),
		Started: r.Started, Completed: r.Completed, Score: r.Score, Attempts: int(r.Attempts), UpdatedAt: r.UpdatedAt.t,
	}
}

// MergeProgress implements learning.Store. Attempts are deltas and are added;
// booleans only turn true, scores and times only rise, so the order of calls does not matter.
func (s *Learning) MergeProgress(ctx context.Context, ps []learning.Progress) error {
	if len(ps) == 0 {
		return nil
	}
	return s.db.enrolled(s.db.dialect.mergeProgress(ctx, s.writePool(), foldRows(ps)))
}

// ReplaceProgress implements learning.Store.
func (s *Learning) ReplaceProgress(ctx context.Context, id learning.EnrollmentID, ps []learning.Progress) error {
	return s.inTx(ctx, func(c conn) error {
		if err := c.write(ctx).Where("enrollment_id = ?", key(id)).Delete(&progressRow{}).Error; err != nil {
			return c.db.missing(err, "enrollment.not_found")
		}
		return (&Learning{c}).MergeProgress(ctx, ps)
	})
}

// ListProgress implements learning.Store, by object.
func (s *Learning) ListProgress(ctx context.Context, id learning.EnrollmentID) ([]learning.Progress, error) {
	if !key(id).valid() {
		return []learning.Progress{}, nil
	}
	ps, err := query(ctx, s.readPool(), func(rows *sql.Rows) (learning.Progress, error) {
		r := progressRow{EnrollmentID: key(id)}
		err := rows.Scan(&r.ObjectID, &r.Started, &r.Completed, &r.Score, &r.Attempts, &r.UpdatedAt)
		return r.progress(), err
	}, `SELECT object_id, started, completed, score, attempts, updated_at
		FROM progress WHERE enrollment_id = $1 ORDER BY object_id`, key(id))
	return ps, s.db.fail(err)
}

// ListProgressOf implements learning.Store.
func (s *Learning) ListProgressOf(ctx context.Context, ids []learning.EnrollmentID) (map[learning.EnrollmentID][]learning.Progress, error) {
	out := make(map[learning.EnrollmentID][]learning.Progress, len(ids))
	ps, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Where("enrollment_id IN ?", part).Order("enrollment_id, object_id")
	}, progressRow.progress)
	for _, p := range ps {
		out[p.EnrollmentID] = append(out[p.EnrollmentID], p)
	}
	return out, err
}

// Watched implements learning.Store: where an institution's criteria are not the course's own, its completion alone does not tell
// who meets them.
func (s *Learning) Watched(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (bool, error) {
	own, err := query(ctx, s.readPool(), func(rows *sql.Rows) (bool, error) {
		var items doc[[]string]
		var score float64
		err := rows.Scan(&items, &score)
		return len(items.v) > 0 || score > 0, err
	}, `SELECT items, min_score FROM criteria WHERE institution_id = $1 AND course_id = $2 ORDER BY number DESC LIMIT 1`, key(in), string(course))
	return len(own) > 0 && own[0], s.db.fail(err)
}

// foldRows folds deltas of one object into one row, for a statement may not
// touch a row twice, and sorts them, lest two transactions wait for each other.
func foldRows(ps []learning.Progress) []progressRow {
	rows := make([]progressRow, len(ps))
	for i, p := range ps {
		rows[i] = progressRow{
			EnrollmentID: key(p.EnrollmentID), ObjectID: string(p.ObjectID), Started: p.Started, Completed: p.Completed,
			Score: p.Score, Attempts: int32(min(p.Attempts, 1<<30)), UpdatedAt: at(p.UpdatedAt),
		}
	}
	slices.SortFunc(rows, func(a, b progressRow) int {
		return cmp.Or(strings.Compare(string(a.EnrollmentID), string(b.EnrollmentID)), strings.Compare(a.ObjectID, b.ObjectID))
	})
	folded := rows[:0]
	for _, r := range rows {
		last := len(folded) - 1
		if last < 0 || folded[last].EnrollmentID != r.EnrollmentID || folded[last].ObjectID != r.ObjectID {
			folded = append(folded, r)
			continue
		}
		into := &folded[last]
		into.Started = into.Started || r.Started
		into.Completed = into.Completed || r.Completed
		if into.Score == nil || r.Score != nil && *r.Score > *into.Score {
			into.Score = r.Score
		}
		into.Attempts += r.Attempts
		if r.UpdatedAt.t.After(into.UpdatedAt.t) {
			into.UpdatedAt = r.UpdatedAt
		}
	}
	return folded
}

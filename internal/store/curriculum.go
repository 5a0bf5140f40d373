package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Curriculum keeps courses and their published versions.
type Curriculum struct{ conn }

var _ publishing.Store = (*Curriculum)(nil)

// Curriculum gives the store of the curriculum domain.
func (db *DB) Curriculum() *Curriculum { return &Curriculum{conn{db: db}} }

// InTx implements publishing.Store.
func (s *Curriculum) InTx(ctx context.Context, fn func(publishing.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Curriculum{c}) })
}

type courseRow struct {
	ID            string
	InstitutionID key
}

func (courseRow) TableName() string { return "courses" }

type versionRow struct {
	ID            key
	CourseID      string
	InstitutionID key
	Number        int
	Digest        string
	Manifest      doc[curriculum.Manifest]
	PublishedAt   instant
}

func (versionRow) TableName() string { return "course_versions" }

func (r versionRow) version() curriculum.Version {
	return curriculum.Version{
		ID: curriculum.VersionID(r.ID), CourseID: curriculum.CourseID(r.CourseID), InstitutionID: string(r.InstitutionID),
		Number: r.Number, Digest: blob.Digest(r.Digest), Manifest: r.Manifest.v, PublishedAt: r.PublishedAt.t,
	}
}

// CreateVersion implements publishing.Store. Concurrent calls for one course
// wait for each other, so numbers have no gaps and no doubles.
func (s *Curriculum) CreateVersion(ctx context.Context, v curriculum.Version) (stored curriculum.Version, created bool, err error) {
	err = s.inTx(ctx, func(c conn) error {
		stored, created = curriculum.Version{}, false
		err := c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).
			Create(&courseRow{ID: string(v.CourseID), InstitutionID: key(v.InstitutionID)}).Error
		if err != nil {
			return c.db.fail(err)
		}
		course, err := one[courseRow](c, c.write(ctx).Clauses(forUpdate).Where("id = ?", string(v.CourseID)), "course.not_found")
		if err != nil {
			return err
		}
		if string(course.InstitutionID) != v.InstitutionID {
			return fault.New(fault.Denied, "course.of_other_institution")
		}
		known, err := one[versionRow](c, c.read(ctx).Where("course_id = ? AND digest = ?", string(v.CourseID), string(v.Digest)), "course.not_found")
		if !fault.Is(err, fault.NotFound) {
			stored = known.version()
			return err
		}
		var last struct{ Number int }
		err = c.read(ctx).Table("course_versions").Select("coalesce(max(number), 0) AS number").
			Where("course_id = ?", string(v.CourseID)).Scan(&last).Error
		if err != nil {
			return c.db.fail(err)
		}
		row := versionRow{
			ID: key(v.ID), CourseID: string(v.CourseID), InstitutionID: key(v.InstitutionID), Number: last.Number + 1,
			Digest: string(v.Digest), Manifest: doc[curriculum.Manifest]{v.Manifest}, PublishedAt: at(v.PublishedAt),
		}
		if err := c.write(ctx).Create(&row).Error; err != nil {
			return c.db.taken(err, "course.version_exists")
		}
		row.PublishedAt.t = moment(v.PublishedAt) // as it would be read
		stored, created = row.version(), true
		return nil
	})
	if err != nil {
		return curriculum.Version{}, false, err
	}
	return stored, created, nil
}

// FindVersion implements publishing.Store. The manifest is shared with other callers: it must not be changed.
func (s *Curriculum) FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error) {
	if v, ok := s.db.versions.find(key(id)); ok {
		return v, nil
	}
	r, err := one[versionRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "course.not_found")
	if err != nil {
		return curriculum.Version{}, err
	}
	v := r.version()
	if s.tx == nil { // what a transaction sees may yet be rolled back
		s.db.versions.keep(r.ID, v)
	}
	return v, nil
}

// FindVersionNumber implements publishing.Store.
func (s *Curriculum) FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error) {
	return s.findID(ctx, s.versionIDs(ctx).Where("course_id = ? AND number = ?", string(course), number))
}

// FindLatest implements publishing.Store.
func (s *Curriculum) FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error) {
	return s.findID(ctx, s.versionIDs(ctx).Where("course_id = ?", string(course)).Order("number DESC"))
}

// ListLatest implements publishing.Store.
func (s *Curriculum) ListLatest(ctx context.Context, after curriculum.CourseID, limit int) ([]curriculum.Version, error) {
	type latest struct{ VersionID key }
	q := s.read(ctx).Table("courses").Select(`(SELECT v.id FROM course_versions v
		WHERE v.course_id = courses.id ORDER BY v.number DESC LIMIT 1) AS version_id`).Where("id > ?", string(after)).Order("id").Limit(limit)
	ids, err := many(s.conn, q, func(r latest) key { return r.VersionID })
	if err != nil {
		return nil, err
	}
	out := make([]curriculum.Version, len(ids))
	for i, id := range ids {
		if out[i], err = s.FindVersion(ctx, curriculum.VersionID(id)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// CourseOwner implements publishing.Store.
func (s *Curriculum) CourseOwner(ctx context.Context, course curriculum.CourseID) (string, error) {
	r, err := one[courseRow](s.conn, s.read(ctx).Where("id = ?", string(course)), "course.not_found")
	return string(r.InstitutionID), err
}

// A version is found by its id first and read afterwards: manifests are large
// and mostly known already.
func (s *Curriculum) versionIDs(ctx context.Context) *gorm.DB {
	return s.read(ctx).Model(&versionRow{}).Select("id")
}

func (s *Curriculum) findID(ctx context.Context, q *gorm.DB) (curriculum.Version, error) {
	var r struct{ ID key }
	if err := q.Take(&r).Error; err != nil {
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return curriculum.Version{}, fault.New(fault.NotFound, "course.not_found")
		}
		return curriculum.Version{}, s.db.fail(err)
	}
	return s.FindVersion(ctx, curriculum.VersionID(r.ID))
}

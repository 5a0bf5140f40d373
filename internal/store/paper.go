package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Paper keeps how certificates look.
type Paper struct{ conn }

var _ paper.Store = (*Paper)(nil)

// Paper gives the store of the paper domain.
func (db *DB) Paper() *Paper { return &Paper{conn{db: db}} }

// InTx implements paper.Store. See inTx: fn may run again after a deadlock.
func (s *Paper) InTx(ctx context.Context, fn func(paper.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Paper{c}) })
}

type templateRow struct {
	InstitutionID key
	CourseID      curriculum.CourseID
	Orientation   paper.Orientation
	Accent        sheet.Colour
	Border        paper.Border
	Logo          paper.Place
	Signatories   *doc[[]string] // NULL: all
	Line          doc[map[string]string]
	UpdatedAt     instant
}

func (templateRow) TableName() string { return "certificate_templates" }

func (r templateRow) template() paper.Template {
	t := paper.Template{
		InstitutionID: identity.InstitutionID(r.InstitutionID), CourseID: r.CourseID, Orientation: r.Orientation, Accent: r.Accent,
		Border: r.Border, Logo: r.Logo, Line: r.Line.v, UpdatedAt: r.UpdatedAt.t,
	}
	if r.Signatories != nil {
		t.Signatories = r.Signatories.v
	}
	return t
}

// FindTemplate implements paper.Store.
func (s *Paper) FindTemplate(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (paper.Template, error) {
	if !key(in).valid() {
		return paper.Template{}, fault.New(fault.NotFound, "paper.no_template")
	}
	r, err := one[templateRow](s.conn, s.read(ctx).Where("institution_id = ? AND course_id = ?", key(in), course), "paper.no_template")
	if err != nil {
		return paper.Template{}, err
	}
	return r.template(), nil
}

// SaveTemplate implements paper.Store.
func (s *Paper) SaveTemplate(ctx context.Context, t paper.Template) error {
	row := templateRow{
		InstitutionID: key(t.InstitutionID), CourseID: t.CourseID, Orientation: t.Orientation, Accent: t.Accent, Border: t.Border, Logo: t.Logo,
		Line: doc[map[string]string]{t.Line}, UpdatedAt: at(t.UpdatedAt),
	}
	if t.Signatories != nil {
		row.Signatories = &doc[[]string]{t.Signatories}
	}
	texts := []string{string(t.CourseID), string(t.Accent)}
	for tag, text := range t.Line {
		texts = append(texts, tag, text)
	}
	if err := checkText(append(texts, t.Signatories...)...); err != nil {
		return err
	}
	return s.db.fail(s.write(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "institution_id"}, {Name: "course_id"}},
		DoUpdates: clause.AssignmentColumns([]string{"orientation", "accent", "border", "logo", "signatories", "line", "updated_at"}),
	}).Create(&row).Error)
}

// RemoveTemplate implements paper.Store.
func (s *Paper) RemoveTemplate(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) error {
	return s.db.fail(s.write(ctx).Where("institution_id = ? AND course_id = ?", key(in), course).Delete(&templateRow{}).Error)
}

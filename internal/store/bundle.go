package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// documents keeps what publishers signed.
type documents struct{ conn }

// Publisher keeps publishers' keys and documents.
type Publisher struct{ documents }

// Trust keeps whom is trusted.
type Trust struct{ documents }

// Shelf keeps which bundle of a course is installed.
type Shelf struct{ documents }

var (
	_ publisher.Store = (*Publisher)(nil)
	_ trust.Store     = (*Trust)(nil)
	_ shelf.Store     = (*Shelf)(nil)
	_ serving.Store   = (*Shelf)(nil)
)

// Publisher gives the store of those who sign here.
func (db *DB) Publisher() *Publisher { return &Publisher{documents{conn{db: db}}} }

// Trust gives the store of whom is trusted.
func (db *DB) Trust() *Trust { return &Trust{documents{conn{db: db}}} }

// Shelf gives the store of the courses from elsewhere.
func (db *DB) Shelf() *Shelf { return &Shelf{documents{conn{db: db}}} }

// InTx implements publisher.Store. See inTx: fn may run again after a deadlock.
func (s *Publisher) InTx(ctx context.Context, fn func(publisher.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Publisher{documents{c}}) })
}

// InTx implements trust.Store. See inTx: fn may run again after a deadlock.
func (s *Trust) InTx(ctx context.Context, fn func(trust.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Trust{documents{c}}) })
}

// InTx implements shelf.Store. See inTx: fn may run again after a deadlock.
func (s *Shelf) InTx(ctx context.Context, fn func(shelf.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Shelf{documents{c}}) })
}

type publisherKeyRow struct {
	ID            key
	InstitutionID key
	Publisher     string
	Multikey      string
	Sealed        []byte
	CreatedAt     instant
	Until         instant
	RetiredAt     instant
}

func (publisherKeyRow) TableName() string { return "publisher_keys" }

func (r publisherKeyRow) key() publisher.Key {
	return publisher.Key{
		ID: string(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), Publisher: r.Publisher, Multikey: r.Multikey,
		Sealed: r.Sealed, CreatedAt: r.CreatedAt.t, Until: r.Until.t, RetiredAt: r.RetiredAt.pointer(),
	}
}

// CreateKey implements publisher.Store.
func (s *Publisher) CreateKey(ctx context.Context, k publisher.Key) error {
	err := s.write(ctx).Create(&publisherKeyRow{
		ID: key(k.ID), InstitutionID: key(k.InstitutionID), Publisher: k.Publisher, Multikey: k.Multikey, Sealed: k.Sealed,
		CreatedAt: at(k.CreatedAt), Until: at(k.Until), RetiredAt: maybeAt(k.RetiredAt),
	}).Error
	return s.db.taken(err, "bundle.key_exists")
}

// RetireKey implements publisher.Store.
func (s *Publisher) RetireKey(ctx context.Context, id string, when time.Time) error {
	res := s.write(ctx).Model(&publisherKeyRow{}).Where("id = ?", key(id)).Update("retired_at", at(when))
	return changed(s.conn, res, "bundle.not_found")
}

// ListKeys implements publisher.Store.
func (s *Publisher) ListKeys(ctx context.Context, in identity.InstitutionID) ([]publisher.Key, error) {
	if !key(in).valid() {
		return []publisher.Key{}, nil
	}
	return many(s.conn, s.read(ctx).Where("institution_id = ?", key(in)).Order("id"), publisherKeyRow.key)
}

type publisherDocumentRow struct {
	Publisher string
	Chain     string
	Kind      string
	Name      string
	Serial    int
	Document  []byte
	SignedAt  instant
}

func (publisherDocumentRow) TableName() string { return "publisher_documents" }

func (r publisherDocumentRow) document() publisher.Document {
	return publisher.Document{
		Bearer: publisher.Bearer{Publisher: r.Publisher, Chain: r.Chain}, Kind: publisher.DocumentKind(r.Kind), Name: r.Name, Serial: r.Serial, Text: r.Document, SignedAt: r.SignedAt.t,
	}
}

func documentRow(d publisher.Document) *publisherDocumentRow {
	return &publisherDocumentRow{
		Publisher: d.Publisher, Chain: d.Chain, Kind: string(d.Kind), Name: d.Name, Serial: d.Serial, Document: d.Text, SignedAt: at(d.SignedAt),
	}
}

// AddDocument implements publisher.Store.
func (s *documents) AddDocument(ctx context.Context, d publisher.Document) (bool, error) {
	res := s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(documentRow(d))
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

// ReplaceDocument implements publisher.Store.
func (s *documents) ReplaceDocument(ctx context.Context, d publisher.Document) (bool, error) {
	var done bool
	err := s.inTx(ctx, func(c conn) error {
		res := c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(documentRow(d))
		if done = res.RowsAffected == 1; done || res.Error != nil {
			return c.db.fail(res.Error)
		}
		res = c.write(ctx).Model(&publisherDocumentRow{}).
			Where("publisher = ? AND chain = ? AND kind = ? AND name = ? AND serial = ? AND signed_at < ?", d.Publisher, d.Chain, string(d.Kind), d.Name, d.Serial, at(d.SignedAt)).
			Updates(map[string]any{"document": d.Text, "signed_at": at(d.SignedAt)})
		done = res.RowsAffected == 1
		return c.db.fail(res.Error)
	})
	return done, err
}

// FindDocument implements publisher.Store.
func (s *documents) FindDocument(ctx context.Context, b publisher.Bearer, kind publisher.DocumentKind, name string, serial int) (publisher.Document, error) {
	q := s.read(ctx).Where("publisher = ? AND chain = ? AND kind = ? AND name = ? AND serial = ?", b.Publisher, b.Chain, string(kind), name, serial)
	r, err := one[publisherDocumentRow](s.conn, q, "bundle.not_found")
	return r.document(), err
}

// ListDocuments implements publisher.Store.
func (s *documents) ListDocuments(ctx context.Context, publisher string, kind publisher.DocumentKind) ([]publisher.Document, error) {
	q := s.read(ctx).Where("kind = ?", string(kind))
	if publisher != "" {
		q = q.Where("publisher = ?", publisher)
	}
	return many(s.conn, q.Order("publisher, chain, name, serial"), publisherDocumentRow.document)
}

// NewestTime implements trust.Store.
func (s *documents) NewestTime(ctx context.Context, b publisher.Bearer) (time.Time, error) {
	newest, err := one[publisherDocumentRow](s.conn, s.read(ctx).Where("publisher = ? AND chain = ?", b.Publisher, b.Chain).Order("signed_at DESC"), "bundle.not_found")
	if fault.Is(err, fault.NotFound) {
		return time.Time{}, nil
	}
	return newest.SignedAt.t, err
}

type trustedRow struct {
	Publisher     string
	Chain         string
	InstitutionID *key
	CreatedAt     instant
}

func (trustedRow) TableName() string { return "trusted_publishers" }

func (r trustedRow) trusted() trust.Trusted {
	return trust.Trusted{Bearer: publisher.Bearer{Publisher: r.Publisher, Chain: r.Chain}, InstitutionID: identity.InstitutionID(r.InstitutionID.text()), CreatedAt: r.CreatedAt.t}
}

// AddTrusted implements trust.Store.
func (s *Trust) AddTrusted(ctx context.Context, t trust.Trusted) error {
	return s.db.fail(s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&trustedRow{
		Publisher: t.Publisher, Chain: t.Chain, InstitutionID: maybeKey(t.InstitutionID), CreatedAt: at(t.CreatedAt),
	}).Error)
}

// by asks for the rows of an institution, or of the operator.
func by(q *gorm.DB, in identity.InstitutionID) *gorm.DB {
	if in == "" {
		return q.Where("institution_id IS NULL")
	}
	return q.Where("institution_id = ?", key(in))
}

// RemoveTrusted implements trust.Store.
func (s *Trust) RemoveTrusted(ctx context.Context, publisher string, in identity.InstitutionID) error {
	if in != "" && !key(in).valid() {
		return fault.New(fault.NotFound, "bundle.not_found")
	}
	return changed(s.conn, by(s.write(ctx).Where("publisher = ?", publisher), in).Delete(&trustedRow{}), "bundle.not_found")
}

// ListTrusted implements trust.Store.
func (s *Trust) ListTrusted(ctx context.Context, in ...identity.InstitutionID) ([]trust.Trusted, error) {
	q := s.read(ctx)
	if len(in) == 0 {
		q = by(q, "")
	} else if ids := keys(in); len(ids) > 0 {
		q = q.Where("institution_id IN ?", ids)
	} else {
		return []trust.Trusted{}, nil
	}
	return many(s.conn, q.Order("publisher, institution_id"), trustedRow.trusted)
}

// IsTrusted implements trust.Store.
func (s *Trust) IsTrusted(ctx context.Context, b publisher.Bearer) (bool, error) {
	var n int64
	err := s.read(ctx).Model(&trustedRow{}).Where("publisher = ? AND chain = ?", b.Publisher, b.Chain).Limit(1).Count(&n).Error
	return n > 0, s.db.fail(err)
}

type bundleRow struct {
	CourseID      string
	Publisher     string
	Rule          doc[choice.Rule]
	Installed     []byte
	Previous      []byte
	Candidate     []byte
	CandidateRule doc[choice.Rule]
	Revision      int
	ChangedAt     instant
}

func (bundleRow) TableName() string { return "bundles" }

func (r bundleRow) place() shelf.Place {
	return shelf.Place{
		CourseID: r.CourseID, Publisher: r.Publisher, Rule: r.Rule.v, Installed: r.Installed, Previous: r.Previous, Candidate: r.Candidate,
		CandidateRule: r.CandidateRule.v, Revision: r.Revision, ChangedAt: r.ChangedAt.t,
	}
}

// FindPlace implements shelf.Store.
func (s *Shelf) FindPlace(ctx context.Context, course string) (shelf.Place, error) {
	r, err := one[bundleRow](s.conn, s.read(ctx).Where("course_id = ?", course), "bundle.not_found")
	return r.place(), err
}

// ListPlaces implements shelf.Store.
func (s *Shelf) ListPlaces(ctx context.Context) ([]shelf.Place, error) {
	return many(s.conn, s.read(ctx).Order("course_id"), bundleRow.place)
}

// SavePlace implements shelf.Store.
func (s *Shelf) SavePlace(ctx context.Context, p shelf.Place) error {
	row := bundleRow{
		CourseID: p.CourseID, Publisher: p.Publisher, Rule: doc[choice.Rule]{p.Rule}, Installed: p.Installed, Previous: p.Previous,
		Candidate: p.Candidate, CandidateRule: doc[choice.Rule]{p.CandidateRule}, Revision: p.Revision + 1, ChangedAt: at(p.ChangedAt),
	}
	if p.Revision == 0 {
		return s.db.taken(s.write(ctx).Create(&row).Error, "bundle.changed_meanwhile")
	}
	res := s.write(ctx).Model(&bundleRow{}).Where("course_id = ? AND revision = ?", p.CourseID, p.Revision).Updates(map[string]any{
		"publisher": row.Publisher, "rule": row.Rule, "installed": row.Installed, "previous": row.Previous, "candidate": row.Candidate,
		"candidate_rule": row.CandidateRule, "revision": row.Revision, "changed_at": row.ChangedAt,
	})
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.New(fault.Conflict, "bundle.changed_meanwhile")
	}
	return s.db.fail(res.Error)
}

// RemovePlace implements shelf.Store.
func (s *Shelf) RemovePlace(ctx context.Context, course string) error {
	return s.db.fail(s.write(ctx).Where("course_id = ?", course).Delete(&bundleRow{}).Error)
}

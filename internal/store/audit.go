package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/institution"
)

// Audit reads the audit logs. Whoever acts appends through the store of their own domain, in the transaction of the act: every
// one of them has the method Audit.
type Audit struct{ conn }

var _ institution.Log = (*Audit)(nil)

// Audits gives the store of audit logs.
func (db *DB) Audits() *Audit { return &Audit{conn{db: db}} }

type auditRow struct {
	InstitutionID key
	N             int64
	At            instant
	ByUser        string
	Kind          audit.Kind
	Data          string
	Prev          string
	Hash          string
}

func (auditRow) TableName() string { return "audit_entries" }

func (r auditRow) entry() audit.Entry {
	return audit.Entry{
		Institution: string(r.InstitutionID), N: r.N, At: r.At.t, By: r.ByUser, Kind: r.Kind,
		Data: []byte(r.Data), Prev: r.Prev, Hash: r.Hash,
	}
}

type auditHeadRow struct {
	InstitutionID key
	N             int64
	Hash          string
}

func (auditHeadRow) TableName() string { return "audit_heads" }

// Audit appends an entry to the chain of its institution: those who append at once wait for each other there, and a
// transaction that is rolled back leaves no gap.
func (c conn) Audit(ctx context.Context, e audit.Entry) error {
	if e.Institution == "" {
		e.Institution = audit.Server
	}
	return c.inTx(ctx, func(c conn) error {
		head, err := c.lockAuditHead(ctx, key(e.Institution))
		if err != nil {
			return err
		}
		if e, err = e.After(head); err != nil {
			return c.db.fail(err)
		}
		if err := checkText(string(e.Data)); err != nil {
			return err
		}
		err = c.write(ctx).Create(&auditRow{
			InstitutionID: key(e.Institution), N: e.N, At: at(e.At), ByUser: e.By, Kind: e.Kind,
			Data: string(e.Data), Prev: e.Prev, Hash: e.Hash,
		}).Error
		if err != nil {
			return c.db.fail(err)
		}
		return c.db.fail(c.write(ctx).Model(&auditHeadRow{}).Where("institution_id = ?", key(e.Institution)).
			Updates(map[string]any{"n": e.N, "hash": e.Hash}).Error)
	})
}

// lockAuditHead gives the end of a chain, which nobody else can append to before our transaction ends.
func (c conn) lockAuditHead(ctx context.Context, in key) (audit.Head, error) {
	find := func() ([]auditHeadRow, error) {
		var rows []auditHeadRow
		err := c.write(ctx).Raw(`SELECT institution_id, n, hash FROM audit_heads WHERE institution_id = ?`+c.db.dialect.locked(), in).Scan(&rows).Error
		return rows, c.db.fail(err)
	}
	rows, err := find()
	if err != nil {
		return audit.Head{}, err
	}
	if len(rows) == 0 { // the first entry of the institution: of two who make the row at once one waits for the other
		err := c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&auditHeadRow{InstitutionID: in}).Error
		if err != nil {
			return audit.Head{}, c.db.fail(err)
		}
		if rows, err = find(); err != nil {
			return audit.Head{}, err
		}
	}
	return audit.Head{N: rows[0].N, Hash: rows[0].Hash}, nil
}

// Head gives the end of an institution's chain as it was written down beside it.
func (s *Audit) Head(ctx context.Context, in string) (audit.Head, error) {
	if !key(in).valid() {
		return audit.Head{}, nil
	}
	heads, err := many(s.conn, s.read(ctx).Where("institution_id = ?", key(in)), func(r auditHeadRow) audit.Head { return audit.Head{N: r.N, Hash: r.Hash} })
	if err != nil || len(heads) == 0 {
		return audit.Head{}, err
	}
	return heads[0], nil
}

// List lists entries of an institution in order, those with numbers above after.
func (s *Audit) List(ctx context.Context, in string, after int64, limit int) ([]audit.Entry, error) {
	return s.list(ctx, in, "n > ?", after, "n", limit)
}

// ListBack lists entries of an institution from the newest to the oldest, those with numbers below before; 0 is the end.
func (s *Audit) ListBack(ctx context.Context, in string, before int64, limit int) ([]audit.Entry, error) {
	if before <= 0 {
		before = 1<<62 - 1
	}
	return s.list(ctx, in, "n < ?", before, "n DESC", limit)
}

func (s *Audit) list(ctx context.Context, in, where string, n int64, order string, limit int) ([]audit.Entry, error) {
	if !key(in).valid() {
		return []audit.Entry{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in)).Where(where, n).Order(order).Limit(limit)
	return many(s.conn, q, auditRow.entry)
}

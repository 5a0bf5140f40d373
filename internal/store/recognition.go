package store

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Recognition keeps what institutions recognise of each other.
type Recognition struct{ conn }

var _ recognition.Store = (*Recognition)(nil)

// Recognition gives the store of the recognition domain.
func (db *DB) Recognition() *Recognition { return &Recognition{conn{db: db}} }

// InTx implements recognition.Store.
func (s *Recognition) InTx(ctx context.Context, fn func(recognition.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Recognition{c}) })
}

type recognitionRow struct {
	ID            key
	InstitutionID key
	Signer        string
	OfDID         string `gorm:"column:of_did"`
	OfAchievement string
	Terms         doc[recognition.Terms]
	Document      []byte
	StatusListID  key
	StatusIndex   int
	CreatedAt     instant
	ValidUntil    instant
	EndedAt       instant
}

func (recognitionRow) TableName() string { return "recognitions" }

func (r recognitionRow) recognition() recognition.Recognition {
	return recognition.Recognition{
		ID: recognition.ID(r.ID), InstitutionID: identity.InstitutionID(r.InstitutionID), By: r.Signer, OfDID: r.OfDID, OfAchievement: r.OfAchievement,
		Terms: r.Terms.v, Document: r.Document, ListID: statuslist.ID(r.StatusListID), Index: r.StatusIndex,
		CreatedAt: r.CreatedAt.t, ValidUntil: r.ValidUntil.pointer(), EndedAt: r.EndedAt.pointer(),
	}
}

// CreateRecognition implements recognition.Store. No constraint spans two tables: that no credential has the place is looked up.
func (s *Recognition) CreateRecognition(ctx context.Context, r recognition.Recognition) error {
	for _, texts := range []map[string]string{r.Terms.As, r.Terms.Scope, r.Terms.Conditions} {
		for l, text := range texts {
			if err := checkText(l, text); err != nil {
				return err
			}
		}
	}
	if err := checkText(r.Terms.OfName); err != nil {
		return err
	}
	return s.inTx(ctx, func(c conn) error {
		taken, err := (&StatusLists{c}).IndexTaken(ctx, r.ListID, r.Index)
		if err != nil {
			return err
		}
		if taken {
			return fault.New(fault.Conflict, "credential.index_taken")
		}
		return c.db.taken(c.write(ctx).Create(&recognitionRow{
			ID: key(r.ID), InstitutionID: key(r.InstitutionID), Signer: r.By, OfDID: r.OfDID, OfAchievement: r.OfAchievement, Terms: doc[recognition.Terms]{r.Terms},
			Document: r.Document, StatusListID: key(r.ListID), StatusIndex: r.Index, CreatedAt: at(r.CreatedAt), ValidUntil: maybeAt(r.ValidUntil), EndedAt: maybeAt(r.EndedAt),
		}).Error, "recognition.exists")
	})
}

// FindRecognition implements recognition.Store.
func (s *Recognition) FindRecognition(ctx context.Context, id recognition.ID) (recognition.Recognition, error) {
	r, err := one[recognitionRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "recognition.not_found")
	return r.recognition(), err
}

// ListRecognitions implements recognition.Store.
func (s *Recognition) ListRecognitions(ctx context.Context, f recognition.Filter, after recognition.ID, limit int) ([]recognition.Recognition, error) {
	q := s.read(ctx)
	if f.Achievement != "" {
		q = q.Where("of_achievement = ?", f.Achievement)
	}
	if f.Of != "" {
		q = q.Where("of_did = ?", f.Of)
	}
	if f.By != "" {
		if !key(f.By).valid() {
			return []recognition.Recognition{}, nil
		}
		q = q.Where("institution_id = ?", key(f.By))
	}
	if !f.Holding.IsZero() {
		q = q.Where("ended_at IS NULL AND (valid_until IS NULL OR valid_until > ?)", at(f.Holding))
	}
	return many(s.conn, forward(q, "id", key(after), limit), recognitionRow.recognition)
}

// ListGivers implements recognition.Store.
func (s *Recognition) ListGivers(ctx context.Context) ([]identity.InstitutionID, error) {
	type row struct{ InstitutionID key }
	return many(s.conn, s.read(ctx).Model(&recognitionRow{}).Distinct("institution_id").Order("institution_id"), func(r row) identity.InstitutionID {
		return identity.InstitutionID(r.InstitutionID)
	})
}

// EndRecognition implements recognition.Store.
func (s *Recognition) EndRecognition(ctx context.Context, id recognition.ID, when time.Time) (bool, error) {
	res := s.write(ctx).Model(&recognitionRow{}).Where("id = ? AND ended_at IS NULL", key(id)).Update("ended_at", at(when))
	return res.RowsAffected == 1, s.db.missing(res.Error, "recognition.not_found")
}

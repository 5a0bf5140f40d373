package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Wallet keeps what learners hold beside the credentials that were issued here.
type Wallet struct{ conn }

var _ wallet.Store = (*Wallet)(nil)

// Wallet gives the store of the wallet domain.
func (db *DB) Wallet() *Wallet { return &Wallet{conn{db: db}} }

type certificateNameRow struct {
	UserID      key
	Name        string
	ConfirmedAt instant
}

func (certificateNameRow) TableName() string { return "certificate_names" }

// FindName implements wallet.Store.
func (s *Wallet) FindName(ctx context.Context, user identity.UserID) (wallet.Name, error) {
	r, err := one[certificateNameRow](s.conn, s.read(ctx).Where("user_id = ?", key(user)), "wallet.name_not_found")
	return wallet.Name{UserID: identity.UserID(r.UserID), Name: r.Name, ConfirmedAt: r.ConfirmedAt.t}, err
}

// SaveName implements wallet.Store.
func (s *Wallet) SaveName(ctx context.Context, n wallet.Name) error {
	return s.inTx(ctx, func(c conn) error {
		if err := lockUser(ctx, c, n.UserID); err != nil {
			return err
		}
		return c.db.fail(c.write(ctx).Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "user_id"}}, DoUpdates: clause.AssignmentColumns([]string{"name", "confirmed_at"}),
		}).Create(&certificateNameRow{UserID: key(n.UserID), Name: n.Name, ConfirmedAt: at(n.ConfirmedAt)}).Error)
	})
}

type importedRow struct {
	ID        key
	UserID    key
	Digest    string
	Format    wallet.Format
	Document  []byte
	Claims    doc[verifier.Claims]
	State     verifier.State
	Report    doc[wallet.Found]
	CheckedAt instant
	CreatedAt instant
}

func (importedRow) TableName() string { return "imported_credentials" }

func (r importedRow) imported() wallet.Imported {
	// A time among the arguments of a reason is a text in JSON.
	for _, why := range append(slices.Clone(r.Report.v.Reasons), r.Report.v.Notes...) {
		if text, ok := why.Args["Date"].(string); ok {
			if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
				why.Args["Date"] = t
			}
		}
	}
	return wallet.Imported{
		ID: wallet.ImportedID(r.ID), UserID: identity.UserID(r.UserID), Digest: r.Digest, Format: r.Format, Document: r.Document,
		Claims: r.Claims.v, State: r.State, Report: r.Report.v, CheckedAt: r.CheckedAt.t, CreatedAt: r.CreatedAt.t,
	}
}

// checkImported looks at texts from outside that would be mended silently on their way to JSON.
func checkImported(i wallet.Imported) error {
	c := i.Claims
	texts := []string{c.ID, c.Name, c.Achievement, c.AchievementID, c.Kind, c.Description, c.Narrative, c.Language, c.Version, c.Issuer, c.IssuerName}
	for _, r := range c.Results {
		texts = append(texts, r.Type, r.Name, r.Value)
	}
	for _, a := range c.Alignments {
		texts = append(texts, a.Name, a.Framework, a.Code, a.URL)
	}
	for _, b := range i.Report.RestsOn {
		texts = append(texts, b.Source)
	}
	for _, r := range append(slices.Clone(i.Report.Reasons), i.Report.Notes...) {
		texts = append(texts, r.Source(), r.Given())
	}
	return checkText(texts...)
}

// lockUser makes whoever else counts what a person has, or erases them, wait until the end of the transaction; fault.Gone
// user.erased when somebody has erased them.
func lockUser(ctx context.Context, c conn, user identity.UserID) error {
	u, err := one[userRow](c, c.write(ctx).Clauses(forUpdate).Where("id = ?", key(user)), "user.not_found")
	if err == nil && !u.ErasedAt.t.IsZero() {
		err = fault.New(fault.Gone, "user.erased")
	}
	return err
}

// CreateImported implements wallet.Store.
func (s *Wallet) CreateImported(ctx context.Context, i wallet.Imported) (wallet.Imported, error) {
	if err := checkImported(i); err != nil {
		return wallet.Imported{}, err
	}
	var out wallet.Imported
	err := s.inTx(ctx, func(c conn) error {
		if err := lockUser(ctx, c, i.UserID); err != nil {
			return err
		}
		var held []importedRow
		if err := c.write(ctx).Select("id", "digest", "claims", "state").Where("user_id = ?", key(i.UserID)).Find(&held).Error; err != nil {
			return c.db.fail(err)
		}
		if at := slices.IndexFunc(held, func(r importedRow) bool { return r.Digest == i.Digest || i.Is(r.Claims.v) }); at >= 0 {
			if held[at].State != verifier.Valid && i.State == verifier.Valid {
				if err := c.replaceImported(ctx, held[at].ID, i); err != nil {
					return err
				}
			}
			r, err := one[importedRow](c, c.write(ctx).Where("id = ?", held[at].ID), "wallet.not_found")
			out = r.imported()
			return err
		}
		if len(held) >= wallet.MaxImported {
			return fault.New(fault.Conflict, "wallet.full").With("Max", wallet.MaxImported)
		}
		out = i
		return c.db.fail(c.write(ctx).Create(&importedRow{
			ID: key(i.ID), UserID: key(i.UserID), Digest: i.Digest, Format: i.Format, Document: i.Document, Claims: doc[verifier.Claims]{i.Claims},
			State: i.State, Report: doc[wallet.Found]{i.Report}, CheckedAt: at(i.CheckedAt), CreatedAt: at(i.CreatedAt),
		}).Error)
	})
	return out, err
}

// replaceImported puts a document in the place of another one of the same credential, which keeps its id and its links.
func (c conn) replaceImported(ctx context.Context, id key, i wallet.Imported) error {
	return c.db.fail(c.write(ctx).Model(&importedRow{}).Where("id = ?", id).Updates(map[string]any{
		"digest": i.Digest, "format": i.Format, "document": i.Document, "claims": doc[verifier.Claims]{i.Claims},
		"state": i.State, "report": doc[wallet.Found]{i.Report}, "checked_at": at(i.CheckedAt),
	}).Error)
}

// FindImported implements wallet.Store.
func (s *Wallet) FindImported(ctx context.Context, user identity.UserID, id wallet.ImportedID) (wallet.Imported, error) {
	r, err := one[importedRow](s.conn, s.read(ctx).Where("id = ? AND user_id = ?", key(id), key(user)), "wallet.not_found")
	return r.imported(), err
}

// ListImported implements wallet.Store.
func (s *Wallet) ListImported(ctx context.Context, user identity.UserID) ([]wallet.Imported, error) {
	if !key(user).valid() {
		return []wallet.Imported{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ?", key(user)).Order("id"), importedRow.imported)
}

// UpdateChecked implements wallet.Store.
func (s *Wallet) UpdateChecked(ctx context.Context, i wallet.Imported) error {
	if err := checkImported(i); err != nil {
		return err
	}
	return changed(s.conn, s.write(ctx).Model(&importedRow{}).Where("id = ? AND user_id = ?", key(i.ID), key(i.UserID)).Updates(map[string]any{
		"claims": doc[verifier.Claims]{i.Claims}, "state": i.State, "report": doc[wallet.Found]{i.Report}, "checked_at": at(i.CheckedAt),
	}), "wallet.not_found")
}

// DeleteImported implements wallet.Store.
func (s *Wallet) DeleteImported(ctx context.Context, user identity.UserID, id wallet.ImportedID, when time.Time) error {
	return s.inTx(ctx, func(c conn) error {
		err := c.write(ctx).Model(&shareRow{}).Where("user_id = ? AND imported_id = ? AND ended_at IS NULL", key(user), key(id)).
			Update("ended_at", at(when)).Error
		if err != nil {
			return c.db.missing(err, "wallet.not_found")
		}
		return changed(c, c.write(ctx).Where("id = ? AND user_id = ?", key(id), key(user)).Delete(&importedRow{}), "wallet.not_found")
	})
}

type shareRow struct {
	ID           key
	UserID       key
	CredentialID *key
	ImportedID   *key
	Token        string
	Named        bool
	CreatedAt    instant
	EndsAt       instant
	EndedAt      instant
}

func (shareRow) TableName() string { return "shares" }

func (r shareRow) share() wallet.Share {
	return wallet.Share{
		ID: wallet.ShareID(r.ID), UserID: identity.UserID(r.UserID), CredentialID: credential.ID(r.CredentialID.text()),
		ImportedID: wallet.ImportedID(r.ImportedID.text()), Token: r.Token, Named: r.Named,
		CreatedAt: r.CreatedAt.t, EndsAt: r.EndsAt.pointer(), EndedAt: r.EndedAt.pointer(),
	}
}

// CreateShare implements wallet.Store.
func (s *Wallet) CreateShare(ctx context.Context, sh wallet.Share, now time.Time) (wallet.Share, error) {
	out := sh
	err := s.inTx(ctx, func(c conn) error {
		if err := lockUser(ctx, c, sh.UserID); err != nil {
			return err
		}
		var before []shareRow
		if err := c.write(ctx).Where("id = ?", key(sh.ID)).Find(&before).Error; err != nil {
			return c.db.fail(err)
		}
		if len(before) > 0 {
			if out = before[0].share(); out.UserID != sh.UserID {
				return fault.New(fault.Conflict, "share.exists")
			}
			return nil
		}
		var live, kept int64
		all := func() *gorm.DB { return c.write(ctx).Model(&shareRow{}).Where("user_id = ?", key(sh.UserID)) }
		if err := all().Count(&kept).Error; err != nil {
			return c.db.fail(err)
		}
		if err := all().Where("ended_at IS NULL AND (ends_at IS NULL OR ends_at > ?)", at(now)).Count(&live).Error; err != nil {
			return c.db.fail(err)
		}
		if live >= wallet.MaxShares || kept >= wallet.MaxSharesKept {
			return fault.New(fault.Conflict, "share.too_many").With("Max", wallet.MaxShares)
		}
		out = sh
		return c.db.taken(c.write(ctx).Create(&shareRow{
			ID: key(sh.ID), UserID: key(sh.UserID), CredentialID: maybeKey(sh.CredentialID), ImportedID: maybeKey(sh.ImportedID), Token: sh.Token,
			Named: sh.Named, CreatedAt: at(sh.CreatedAt), EndsAt: maybeAt(sh.EndsAt), EndedAt: maybeAt(sh.EndedAt),
		}).Error, "share.exists")
	})
	return out, err
}

// FindShare implements wallet.Store.
func (s *Wallet) FindShare(ctx context.Context, token string) (wallet.Share, error) {
	r, err := one[shareRow](s.conn, s.read(ctx).Where("token = ?", token), "share.not_found")
	return r.share(), err
}

// ListShares implements wallet.Store.
func (s *Wallet) ListShares(ctx context.Context, user identity.UserID) ([]wallet.Share, error) {
	if !key(user).valid() {
		return []wallet.Share{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ?", key(user)).Order("created_at DESC, id DESC"), shareRow.share)
}

// EndShare implements wallet.Store.
func (s *Wallet) EndShare(ctx context.Context, user identity.UserID, id wallet.ShareID, when time.Time) error {
	res := s.write(ctx).Model(&shareRow{}).Where("id = ? AND user_id = ? AND ended_at IS NULL", key(id), key(user)).Update("ended_at", at(when))
	if err := s.db.missing(res.Error, "share.not_found"); err != nil || res.RowsAffected == 1 {
		return err
	}
	_, err := one[shareRow](s.conn, s.read(ctx).Where("id = ? AND user_id = ?", key(id), key(user)), "share.not_found")
	return err // ended before, or never made?
}

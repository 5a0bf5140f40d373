package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential/wallet"
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
	return s.db.fail(s.write(ctx).Clauses(clause.OnConflict{
		Columns: []clause.Column{{Name: "user_id"}}, DoUpdates: clause.AssignmentColumns([]string{"name", "confirmed_at"}),
	}).Create(&certificateNameRow{UserID: key(n.UserID), Name: n.Name, ConfirmedAt: at(n.ConfirmedAt)}).Error)
}

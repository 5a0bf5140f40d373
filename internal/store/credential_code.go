package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/forms"
)

var _ forms.CodeStore = (*Credential)(nil)

type credentialCodeRow struct {
	CredentialID key
	Named        bool
	Text         string
}

func (credentialCodeRow) TableName() string { return "credential_codes" }

// FindCode implements forms.CodeStore.
func (s *Credential) FindCode(ctx context.Context, id credential.ID, named bool) (string, error) {
	r, err := one[credentialCodeRow](s.conn, s.read(ctx).Where("credential_id = ? AND named = ?", key(id), named), "credential.code_not_found")
	return r.Text, err
}

// SaveCode implements forms.CodeStore.
func (s *Credential) SaveCode(ctx context.Context, id credential.ID, named bool, text string) error {
	return s.db.fail(s.write(ctx).Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "credential_id"}, {Name: "named"}},
		DoUpdates: clause.AssignmentColumns([]string{"text"}),
	}).Create(&credentialCodeRow{key(id), named, text}).Error)
}

// DeleteCodes implements forms.CodeStore.
func (s *Credential) DeleteCodes(ctx context.Context, id credential.ID) error {
	return s.db.fail(s.write(ctx).Where("credential_id = ?", key(id)).Delete(&credentialCodeRow{}).Error)
}

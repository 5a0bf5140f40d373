// Package forms gives a credential in the forms that others take beside its document: the text of a QR code, an RS256 token.
package forms

import (
	"context"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
)

// CodeStore is what codes need of storage.
type CodeStore interface {
	// FindCode gives a kept code; fault.NotFound credential.code_not_found.
	FindCode(ctx context.Context, id credential.ID, named bool) (string, error)
	// SaveCode keeps a code in the place of the one before.
	SaveCode(ctx context.Context, id credential.ID, named bool, text string) error
	// DeleteCodes forgets the codes of a credential; none is no error.
	DeleteCodes(ctx context.Context, id credential.ID) error
}

// Credentials is what forms needs of credential.
type Credentials interface {
	Find(ctx context.Context, id credential.ID) (credential.Credential, error)
	Verify(ctx context.Context, c credential.Credential) (credential.Claims, error)
}

var _ Credentials = (*credential.Service)(nil)

// Service is the door to the forms. Several may work on one store.
type Service struct {
	Codes       CodeStore
	Credentials Credentials
	Keys        *keyring.Service

	tokens tokens
}

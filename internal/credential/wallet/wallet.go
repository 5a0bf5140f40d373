// Package wallet is what a learner holds: credentials issued here and earned elsewhere, the links that show them, and the name on certificates.
package wallet

import (
	"context"
	"io"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Name is a learner's name as it is to stand on certificates.
type Name struct {
	UserID      identity.UserID
	Name        string
	ConfirmedAt time.Time // zero: the learner has not confirmed it
}

// Store is what wallet needs of storage.
type Store interface {
	// FindName gives the name that a learner confirmed; fault.NotFound wallet.name_not_found.
	FindName(ctx context.Context, user identity.UserID) (Name, error)
	// SaveName replaces the name that was confirmed before.
	SaveName(ctx context.Context, n Name) error

	// CreateImported inserts. What the learner holds already, the same document or the same credential in another one, is given back
	// as it stands; but a valid one takes the place of one that is not. fault.Conflict wallet.full when the learner holds MaxImported
	// others.
	CreateImported(ctx context.Context, i Imported) (Imported, error)
	// FindImported gives one of a learner's; fault.NotFound wallet.not_found, also for anybody else's.
	FindImported(ctx context.Context, user identity.UserID, id ImportedID) (Imported, error)
	// ListImported lists a learner's, oldest first.
	ListImported(ctx context.Context, user identity.UserID) ([]Imported, error)
	// UpdateChecked notes what a new check found out: state, report, claims, time.
	UpdateChecked(ctx context.Context, i Imported) error
	// DeleteImported removes one of a learner's and ends its shares; fault.NotFound wallet.not_found.
	DeleteImported(ctx context.Context, user identity.UserID, id ImportedID, at time.Time) error

	// CreateShare inserts. An id that the learner has a share under gives that share; fault.Conflict share.exists when it is
	// another's, share.too_many when MaxShares of the learner are live at the time, or MaxSharesKept are remembered.
	CreateShare(ctx context.Context, sh Share, now time.Time) (Share, error)
	// FindShare gives a share, live or not, by its token; fault.NotFound share.not_found.
	FindShare(ctx context.Context, token string) (Share, error)
	// ListShares lists a learner's, newest first.
	ListShares(ctx context.Context, user identity.UserID) ([]Share, error)
	// EndShare sets the end of a learner's share that has none yet; fault.NotFound share.not_found.
	EndShare(ctx context.Context, user identity.UserID, id ShareID, at time.Time) error
}

// People is what wallet needs of identity.
type People interface {
	FindUser(ctx context.Context, id identity.UserID) (identity.User, error)
	// Admit counts a try of something and refuses those beyond the most within a time, fault.TooMany.
	Admit(ctx context.Context, what, from string, most int, within time.Duration) error
}

// Service is the door to wallets.
type Service struct {
	Store       Store
	People      People
	Credentials Credentials
	Verifier    Verifier
	Now         func() time.Time
	NewID       func() string // UUIDv7
	Random      io.Reader     // crypto/rand.Reader
}

// holder gives whose wallet the actor opens: nobody but the learner opens it, and what changes something needs the scope of learning.
func holder(by identity.Actor, changes bool) (identity.UserID, error) {
	if by.UserID == "" {
		return "", fault.New(fault.Unauthenticated, "session.required")
	}
	if changes && !by.Scoped(identity.ScopeLearn) {
		return "", fault.New(fault.Denied, "token.scope_missing")
	}
	return by.UserID, nil
}

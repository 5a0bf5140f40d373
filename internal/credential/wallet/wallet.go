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
}

// People is what wallet needs of identity.
type People interface {
	FindUser(ctx context.Context, id identity.UserID) (identity.User, error)
}

// Service is the door to wallets.
type Service struct {
	Store  Store
	People People
	Now    func() time.Time
	NewID  func() string // UUIDv7
	Random io.Reader     // crypto/rand.Reader
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

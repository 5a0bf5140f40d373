package identity

import (
	"context"
	"time"
)

// SecretHash is the SHA-256 of a session's or token's secret, as hex. Secrets themselves are never stored.
type SecretHash string

// Store is what identity needs of storage.
type Store interface {
	// CreateUser stores the user, the password hash and the memberships together; fault.Conflict user.username_taken.
	CreateUser(ctx context.Context, u User, passwordHash string, ms []Membership) error
	FindUser(ctx context.Context, id UserID) (User, error)
	FindUsers(ctx context.Context, ids []UserID) (map[UserID]User, error)
	// FindUserByName gives the password hash too; fault.NotFound user.not_found.
	FindUserByName(ctx context.Context, username string) (u User, passwordHash string, err error)
	UpdateUser(ctx context.Context, id UserID, displayName, locale string) error
	// SetPassword stores the hash and ends every session but one ("" for none), in one transaction.
	SetPassword(ctx context.Context, id UserID, passwordHash string, keep SessionID) error
	ListMemberships(ctx context.Context, id UserID) ([]Membership, error)

	// CreateSession stores a session and clears away the person's expired ones.
	CreateSession(ctx context.Context, s Session, h SecretHash) error
	// FindSession gives an unended, unexpired session with its user and memberships, or fault.NotFound session.not_found.
	FindSession(ctx context.Context, h SecretHash, now time.Time) (Session, User, []Membership, error)
	TouchSession(ctx context.Context, id SessionID, seen, expires time.Time) error
	ListSessions(ctx context.Context, id UserID, now time.Time) ([]Session, error)
	// DeleteSession ends a session of that user; fault.NotFound session.not_found otherwise.
	DeleteSession(ctx context.Context, user UserID, id SessionID) error

	CreateToken(ctx context.Context, t Token, h SecretHash) error
	// FindToken gives an unended, unexpired token with its user and memberships, or fault.NotFound token.not_found.
	FindToken(ctx context.Context, h SecretHash, now time.Time) (Token, User, []Membership, error)
	TouchToken(ctx context.Context, id TokenID, used time.Time) error
	ListTokens(ctx context.Context, id UserID, now time.Time) ([]Token, error)
	DeleteToken(ctx context.Context, user UserID, id TokenID) error

	// FindThrottle gives the failures under a key since the window began; zeros when there are none.
	FindThrottle(ctx context.Context, key string) (Throttle, error)
	// AddFailure counts one failure. When the last one is older than since, the count begins anew at 1.
	AddFailure(ctx context.Context, key string, now, since time.Time) (Throttle, error)
	ClearFailures(ctx context.Context, key string) error
	// ForgiveFailure takes one failure back; none is no error.
	ForgiveFailure(ctx context.Context, key string) error
}

// Throttle counts failed sign-ins under a key (a username or an address).
type Throttle struct {
	Failures int
	LastAt   time.Time
}

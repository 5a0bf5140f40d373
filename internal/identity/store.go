package identity

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
)

// SecretHash is the SHA-256 of a session's or token's secret, as hex. Secrets themselves are never stored.
type SecretHash string

// Store is what identity needs of storage.
type Store interface {
	// CreateUser stores the user, the password hash and the memberships together; fault.Conflict user.username_taken.
	// With it go the entries for audit logs.
	CreateUser(ctx context.Context, u User, passwordHash string, ms []Membership, log ...audit.Entry) error
	FindUser(ctx context.Context, id UserID) (User, error)
	FindUsers(ctx context.Context, ids []UserID) (map[UserID]User, error)
	// FindUserByName gives the password hash too; fault.NotFound user.not_found.
	FindUserByName(ctx context.Context, username string) (u User, passwordHash string, err error)
	UpdateUser(ctx context.Context, id UserID, displayName, locale string) error
	// SetPassword stores the hash and ends, now, every session but one ("" for none) and the lease of every device but
	// the one of that session, in one transaction.
	SetPassword(ctx context.Context, id UserID, passwordHash string, keep SessionID, now time.Time) error
	ListMemberships(ctx context.Context, id UserID) ([]Membership, error)
	// EraseUser takes all out that belongs to a person or names them (docs/privacy.md), notes it in the audit logs of their
	// institutions and asks for the job, in one transaction. Twice is no error and changes nothing; fault.NotFound user.not_found,
	// fault.Conflict user.last_operator.
	EraseUser(ctx context.Context, e Erasure) error

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

	// SaveDevice stores a device with its token and sealed recovery key and notes it at the session. A device of the
	// same user keeps its epoch, creation and recovery key, which are given back, and is no longer revoked; fault.Conflict device.exists when it is
	// another's, device.too_many when MaxDevices others of the user are live at its LastSeenAt.
	SaveDevice(ctx context.Context, d Device, h SecretHash, recovery []byte, session SessionID) (Device, []byte, error)
	// FindDevice gives a device, live or not, with its sealed recovery key; fault.NotFound device.not_found.
	FindDevice(ctx context.Context, id DeviceID) (Device, []byte, error)
	// FindDeviceByToken gives a device, live or not, with its user and memberships; fault.NotFound device.not_found.
	FindDeviceByToken(ctx context.Context, h SecretHash) (Device, User, []Membership, error)
	// ListDevices gives the user's devices that are not revoked, newest first.
	ListDevices(ctx context.Context, id UserID) ([]Device, error)
	// RenewDevice notes a contact; fault.NotFound device.not_found when it is revoked or its lease is over by then.
	RenewDevice(ctx context.Context, id DeviceID, seen, until time.Time) error
	// RevokeDevice ends a device and its sessions; twice is no error and keeps the first time.
	RevokeDevice(ctx context.Context, id DeviceID, now time.Time) error

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

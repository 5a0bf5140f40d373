// Package identity knows people, their sessions and tokens, and who is asking.
package identity

import "time"

// UserID, SessionID, TokenID and InstitutionID are UUIDv7.
type (
	UserID        string
	SessionID     string
	TokenID       string
	InstitutionID string
)

// Role is what a user is in an institution.
type Role string

// The roles in an institution. The operator of the server is not a role but a fact of the user.
const (
	Learner Role = "learner"
	Trainer Role = "trainer"
	Issuer  Role = "issuer"
	Admin   Role = "admin"
)

// Valid tells whether r is one of the roles.
func (r Role) Valid() bool {
	return r == Learner || r == Trainer || r == Issuer || r == Admin
}

// Scope limits what a bearer token may be used for.
type Scope string

// The scopes of bearer tokens. Signing in with a password has all of them.
const (
	ScopeRead    Scope = "read"    // every operation that changes nothing
	ScopeLearn   Scope = "learn"   // enroll, statements, submissions
	ScopePublish Scope = "publish" // publish course versions
	ScopeIssue   Scope = "issue"   // revoke credentials
	ScopeAdmin   Scope = "admin"   // institutions, memberships, accounts
)

// User is a person with an account. There is no e-mail and no phone number on purpose.
type User struct {
	ID          UserID
	Username    string // lower case, 3 to 32 of a-z 0-9 . _ -
	DisplayName string // as the person writes it; stands on certificates
	Locale      string // BCP 47, "" when never chosen
	Operator    bool
	CreatedAt   time.Time
	Erased      bool // the account is no more: the names are empty, and nobody signs in

	// InstitutionLocale is the language of the first of the person's institutions that has one. Only what finds a person by a
	// secret fills it in: it is for those who chose no language themselves.
	InstitutionLocale string
}

// Membership is a user's role in an institution.
type Membership struct {
	InstitutionID InstitutionID
	Role          Role
}

// Session is one signed-in browser.
type Session struct {
	ID         SessionID
	UserID     UserID
	UserAgent  string
	Device     DeviceID // "" when none is known
	Limited    bool     // the device opened it, not the password
	CreatedAt  time.Time
	LastSeenAt time.Time
	ExpiresAt  time.Time
}

// Token is a machine's key. The secret itself is shown once and only its hash is kept.
type Token struct {
	ID         TokenID
	UserID     UserID
	Name       string
	Scopes     []Scope
	CreatedAt  time.Time
	ExpiresAt  time.Time
	LastUsedAt time.Time // zero when never used
}

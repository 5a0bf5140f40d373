// Package credential makes what a learner can show, tells what it is worth, takes it back.
package credential

import (
	"context"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// ID is a UUIDv7.
type ID string

// Credential is what an institution issued to a learner for one enrollment.
// Document is the signed truth, byte by byte as it was signed; the other fields
// repeat parts of it so that lists need not read it. Revocation and suspension change. The document does when its holder is erased,
// and when a key was revoked from a date before it signed: then it says the same without a name, or with another signature.
type Credential struct {
	ID              ID
	EnrollmentID    learning.EnrollmentID
	UserID          identity.UserID
	InstitutionID   identity.InstitutionID
	CourseID        curriculum.CourseID
	VersionID       curriculum.VersionID
	Name            string          // of the holder, as on the certificate
	AchievementName curriculum.Text // in the languages that it was written in; before, in every language of the course
	Locale          curriculum.Locale
	Document        []byte
	Assessment      Assessment // "" in those of old, which do not say
	AIHelp          AIHelp     // "" in those of old
	StatusListID    statuslist.ID
	// SuspensionListID is the list beside it, in which the credential has the same place; "" in those of old.
	SuspensionListID statuslist.ID
	StatusIndex      int        // place in the status lists, 0 to ListSize-1
	IssuedAt         time.Time  // whole seconds
	ExpiresAt        *time.Time // whole seconds; nil: never
	RevokedAt        *time.Time
	RevokedReason    string
	SuspendedAt      *time.Time // nil again after a reinstatement
	SuspendedReason  string
	ChangedAt        time.Time     // issued, suspended, reinstated, revoked or signed anew last, or a key of its institution was revoked
	ErasedAt         *time.Time    // since then it bears no name: its holder's account was erased
	KeyID            keyring.KeyID // that signed the document; "" in those of old whose document does not tell
	SignedAt         time.Time     // whole seconds; zero where KeyID is ""
}

// Assessment is under whose eyes somebody showed what they can, from the least to the most.
type Assessment string

// The levels of assessment.
const (
	Unsupervised Assessment = "unsupervised"
	Supervised   Assessment = "supervised"
	OnSite       Assessment = "on_site"
)

var levels = []Assessment{Unsupervised, Supervised, OnSite}

// Known tells whether it is one of the levels.
func (a Assessment) Known() bool { return slices.Contains(levels, a) }

// Reaches tells whether it is as much as another or more.
func (a Assessment) Reaches(want Assessment) bool {
	return slices.Index(levels, a) >= slices.Index(levels, want)
}

// AIHelp is how much an AI helped with what was handed in, as the learner says.
type AIHelp string

// What learners declare. Undeclared is who was not asked or said nothing.
const (
	Undeclared AIHelp = "undeclared"
	NoHelp     AIHelp = "none"
	SomeHelp   AIHelp = "some"
	MuchHelp   AIHelp = "much"
)

// Declared tells whether it is something that a learner says.
func (h AIHelp) Declared() bool { return h == NoHelp || h == SomeHelp || h == MuchHelp }

// State is what a credential is worth.
type State string

// The states. Invalid means that the stored document does not hold: its
// signature is broken, or the row beside it says something else.
const (
	Valid     State = "valid"
	Suspended State = "suspended"
	Revoked   State = "revoked"
	Expired   State = "expired"
	Invalid   State = "invalid"
)

// State tells what the row says at a time, without checking the signature:
// good enough for a list to its owner. Service.Check is for strangers.
func (c Credential) State(now time.Time) State {
	switch {
	case c.RevokedAt != nil:
		return Revoked
	case c.ExpiresAt != nil && !now.Before(*c.ExpiresAt):
		return Expired
	case c.SuspendedAt != nil:
		return Suspended
	}
	return Valid
}

// Stamp tells one state of somebody's credentials from the next: it changes with their ChangedAt.
type Stamp struct {
	Count     int
	ChangedAt time.Time // zero when there are none
}

// Filter says which of an institution's credentials are asked for. Its zero value is all.
type Filter struct {
	Search string // part of a holder's name, or the whole id of a credential
	State  State  // Revoked or Suspended; other states follow from the time
}

// Store is what credential needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// FinishJob marks a job done and tells whether it was not done before.
	FinishJob(ctx context.Context, id job.ID) (bool, error)
	// CreateCredential inserts. fault.Conflict credential.exists: the
	// enrollment has one already (unique enrollment_id). fault.Conflict
	// credential.index_taken: the place in the list is taken (unique
	// status_list_id, status_index). fault.Gone user.erased: the holder's account was erased. Within InTx all of them end the transaction.
	CreateCredential(ctx context.Context, c Credential) error
	FindCredential(ctx context.Context, id ID) (Credential, error)                              // fault.NotFound credential.not_found
	FindCredentialOf(ctx context.Context, enrollment learning.EnrollmentID) (Credential, error) // fault.NotFound credential.not_found
	// ListCredentials lists a user's by id, oldest first, those after a cursor ("" from the start).
	ListCredentials(ctx context.Context, user identity.UserID, after ID, limit int) ([]Credential, error)
	// StampCredentials counts a user's and tells when one of them changed last.
	StampCredentials(ctx context.Context, user identity.UserID) (Stamp, error)
	// ListInstitutionCredentials lists an institution's in the same order.
	ListInstitutionCredentials(ctx context.Context, in identity.InstitutionID, f Filter, after ID, limit int) ([]Credential, error)
	// ReplaceDocument stores another document of a credential, the key that signed it, when, and the time of the change.
	ReplaceDocument(ctx context.Context, c Credential) error
	// LockCredential finds one that no other transaction changes until this one ends.
	LockCredential(ctx context.Context, id ID) (Credential, error) // fault.NotFound credential.not_found
	// UpdateStanding stores revocation, suspension and the time of the change.
	UpdateStanding(ctx context.Context, c Credential) error

	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error

	keyring.Holder
	// CountRefused is that of keyring.Store.
	CountRefused(ctx context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error)
	// ListRefused lists the credentials of one such key by id, oldest first, those after a cursor ("" from the start).
	ListRefused(ctx context.Context, key keyring.KeyID, after ID, limit int) ([]Credential, error)
	EndRenewal(ctx context.Context, key keyring.KeyID, at time.Time) error
}

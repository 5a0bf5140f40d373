// Package recognition lets an institution sign that it takes an achievement of another issuer for one of its own.
package recognition

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ID is a UUIDv7.
type ID string

// Terms are what is recognised, and as what. The texts are by language.
type Terms struct {
	OfName     string            `json:"of_name"`              // of the achievement, as its issuer calls it
	As         map[string]string `json:"as"`                   // what it counts as here
	Scope      map[string]string `json:"scope,omitempty"`      // for what it counts
	Conditions map[string]string `json:"conditions,omitempty"` // and on which conditions
}

// Recognition is the signed word of an institution. It never changes but for its end.
type Recognition struct {
	ID            ID
	InstitutionID identity.InstitutionID
	By            string // DID that signed
	OfDID         string // the other issuer
	OfAchievement string // address of its achievement, without a version: every version counts
	Terms         Terms
	Document      []byte // EndorsementCredential
	ListID        statuslist.ID
	Index         int // place in the institution's list of revocations
	CreatedAt     time.Time
	ValidUntil    *time.Time
	EndedAt       *time.Time
}

// State is what a recognition is worth.
type State string

// The states. Invalid: the stored document is not what the institution signed, or says something else than the row. KeyRevoked: the key
// that signed it was revoked since, whatever the date; nobody can tell what a stolen key signed when, so the institution says it anew.
const (
	Valid      State = "valid"
	Ended      State = "ended"
	Expired    State = "expired"
	KeyRevoked State = "key_revoked"
	Invalid    State = "invalid"
)

func (r Recognition) state(now time.Time) State {
	switch {
	case r.EndedAt != nil:
		return Ended
	case r.ValidUntil != nil && !now.Before(*r.ValidUntil):
		return Expired
	}
	return Valid
}

// Filter says which are asked for; what is empty asks for all.
type Filter struct {
	Achievement string // address, of any version
	Of          string // DID
	By          identity.InstitutionID
	Holding     time.Time // leaves out what is ended, or expired by then
}

// Store is what recognition needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	keyring.Holder
	// CreateRecognition inserts. fault.Conflict recognition.exists: the id is known. credential.index_taken: the place in the list is.
	CreateRecognition(ctx context.Context, r Recognition) error
	FindRecognition(ctx context.Context, id ID) (Recognition, error) // fault.NotFound recognition.not_found
	// ListRecognitions lists by id, oldest first, those after a cursor ("" from the start).
	ListRecognitions(ctx context.Context, f Filter, after ID, limit int) ([]Recognition, error)
	// ListGivers lists the institutions that recognise something, or did.
	ListGivers(ctx context.Context) ([]identity.InstitutionID, error)
	// EndRecognition sets the end of one that has none and tells whether it was this call.
	EndRecognition(ctx context.Context, id ID, at time.Time) (bool, error)
	Audit(ctx context.Context, e audit.Entry) error
}

var (
	didForm      = regexp.MustCompile(`^did:(web|key):[A-Za-z0-9][A-Za-z0-9._:%-]{1,250}$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	versionForm  = regexp.MustCompile(`@[0-9]+$`)
	courseForm   = regexp.MustCompile(`/courses/([a-z][a-z0-9-]{1,63})$`)
)

// Address is an achievement's address without the version: what is recognised is recognised in all of them.
func Address(achievement string) string { return versionForm.ReplaceAllString(achievement, "") }

// Course is the course that an achievement of a Banyan is about, "" of another issuer's.
func Course(achievement string) string {
	if m := courseForm.FindStringSubmatch(Address(achievement)); m != nil {
		return m[1]
	}
	return ""
}

func isUUID(s string) bool { return len(s) == 36 && strings.Count(s, "-") == 4 }

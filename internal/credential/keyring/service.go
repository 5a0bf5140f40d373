package keyring

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Store is what keyring needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	Enqueue(ctx context.Context, j job.Job) error
	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error

	// CreateKey inserts. fault.Conflict credential.key_exists: the institution has an
	// unretired key of that controller and kind (unique institution_id, controller, kind where retired_at is null).
	CreateKey(ctx context.Context, k Key) error
	// RetireKey ends the signing of a key that is not retired: false when it was.
	RetireKey(ctx context.Context, id KeyID, at time.Time) (bool, error)
	// RevokeKey sets date and reason of a key that is not revoked: false when it was.
	RevokeKey(ctx context.Context, id KeyID, at time.Time, reason string) (bool, error)
	// TouchCredentials sets the time of the last change of an institution's credentials.
	TouchCredentials(ctx context.Context, in identity.InstitutionID, at time.Time) error
	// CountRefused tells for each revoked key of an institution how many documents it signed at the date of its revocation or later;
	// keys that signed none are left out.
	CountRefused(ctx context.Context, in identity.InstitutionID) (map[KeyID]int, error)
	// StartRenewal sets the start of a key's renewal and clears its end: false when one is under way.
	StartRenewal(ctx context.Context, key KeyID, at time.Time) (bool, error)
	// ListIssuing lists the institutions that have a key to issue with, or had one.
	ListIssuing(ctx context.Context) ([]identity.InstitutionID, error)
	// ListKeysOf lists all keys of a controller, whoever's they are, oldest first.
	ListKeysOf(ctx context.Context, controller string) ([]Key, error)
	// ListKeys lists all keys of an institution, retired ones too, oldest first.
	ListKeys(ctx context.Context, in identity.InstitutionID) ([]Key, error)
}

// Institutions is what keyring needs of institution.
type Institutions interface {
	Find(ctx context.Context, id identity.InstitutionID) (institution.Institution, error)
	FindBySlug(ctx context.Context, slug string) (institution.Institution, error)
	FindByDomain(ctx context.Context, domain string) (institution.Institution, error)
}

// Service is the door to the keys. Several may work on one store.
type Service struct {
	Store        Store
	Institutions Institutions
	Sealer       signing.Sealer
	PublicURL    string // where people reach this server: https://host[/path]
	Now          func() time.Time
	NewID        func() string // UUIDv7
	Random       io.Reader     // crypto/rand.Reader

	making     sync.Mutex // held while an RSA key is made
	signatures signatures // of SignedBy
}

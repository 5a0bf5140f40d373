package curriculum

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Store is what curriculum needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// CreateVersion gives the version its number in the course and stores it. When the course
	// already has a version of this digest, that one comes back with created false.
	// A course that belongs to another institution is fault.Denied.
	CreateVersion(ctx context.Context, v Version) (stored Version, created bool, err error)
	FindVersion(ctx context.Context, id VersionID) (Version, error)
	FindVersionNumber(ctx context.Context, course CourseID, number int) (Version, error)
	FindLatest(ctx context.Context, course CourseID) (Version, error)
	// ListLatest lists the newest version of every course, by course id, after a cursor.
	ListLatest(ctx context.Context, after CourseID, limit int) ([]Version, error)
	// CourseOwner gives the institution of a course, or fault.NotFound.
	CourseOwner(ctx context.Context, course CourseID) (string, error)
}

// Service is the door to the curriculum. It is used through a pointer.
type Service struct {
	Store  Store
	Public blob.Store // fragments, public quizzes and labs, manifests: anyone may read them
	Vault  blob.Store // answer keys and lab checks
	Now    func() time.Time
	NewID  func() string
	// Fallbacks gives the languages that an institution wants in place of another; nil: none.
	Fallbacks func(ctx context.Context, institutionID string) (map[Locale][]Locale, error)

	vaults vaultCache
	parts  partsCache
}

// Authority says what the one who asks may do here. The curriculum knows no
// people: the caller builds it from its actor.
type Authority interface {
	// MayPublish tells whether courses may be published in the institution's name.
	MayPublish(institutionID string) bool
}

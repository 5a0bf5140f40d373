// Package publishing keeps the published versions of courses.
package publishing

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
)

// Store is what curriculum needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// CreateVersion gives the version its number in the course and stores it. When the course
	// already has a version of this digest, that one comes back with created false.
	// A course that belongs to another institution is fault.Denied.
	CreateVersion(ctx context.Context, v curriculum.Version) (stored curriculum.Version, created bool, err error)
	FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error)
	FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error)
	FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error)
	// ListLatest lists the newest version of every course, by course id, after a cursor.
	ListLatest(ctx context.Context, after curriculum.CourseID, limit int) ([]curriculum.Version, error)
	// CourseOwner gives the institution of a course, or fault.NotFound.
	CourseOwner(ctx context.Context, course curriculum.CourseID) (string, error)
}

// Service is the door to the published courses. It is used through a pointer.
type Service struct {
	Store  Store
	Public blob.Store // fragments, public quizzes and labs, manifests: anyone may read them
	Vault  blob.Store // answer keys and lab checks
	Now    func() time.Time
	NewID  func() string
	// Fallbacks gives the languages that an institution wants in place of another; nil: none.
	Fallbacks func(ctx context.Context, institutionID string) (map[curriculum.Locale][]curriculum.Locale, error)

	vaults vaultCache
	parts  partsCache
}

// Authority says what the one who asks may do here. The curriculum knows no
// people: the caller builds it from its actor.
type Authority interface {
	// MayPublish tells whether courses may be published in the institution's name.
	MayPublish(institutionID string) bool
}

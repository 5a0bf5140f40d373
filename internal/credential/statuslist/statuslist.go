// Package statuslist publishes the lists in which others look up whether what an institution signed was taken back.
package statuslist

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ID is a UUIDv7.
type ID string

// Purpose is what a bit of a status list means.
type Purpose string

// The purposes. A revocation is for ever; a suspension may end.
const (
	Revocation Purpose = "revocation"
	Suspension Purpose = "suspension"
)

// List is a list of Size bits in which an institution's credentials have their places. A list of
// revocations and one of suspensions belong together.
type List struct {
	ID            ID
	InstitutionID identity.InstitutionID
	Issuer        string // the DID; verifiers want it to be the credential's
	Purpose       Purpose
	TwinID        ID // of a list of revocations: that of suspensions; "" in those of old, which get no more credentials
	CreatedAt     time.Time
}

// Store is what statuslist needs of storage.
type Store interface {
	CreateList(ctx context.Context, l List) error
	FindList(ctx context.Context, id ID) (List, error) // fault.NotFound credential.list_not_found
	// FindLastList gives the list of revocations with the greatest id of an institution and
	// issuer that has a twin; fault.NotFound credential.list_not_found when there is none.
	FindLastList(ctx context.Context, in identity.InstitutionID, issuer string) (List, error)
	// ListLists lists the lists of an institution and issuer, of both purposes, oldest first.
	ListLists(ctx context.Context, in identity.InstitutionID, issuer string) ([]List, error)
	// IndexTaken tells whether a credential has that place.
	IndexTaken(ctx context.Context, list ID, index int) (bool, error)
	// ListSet gives the places in a list whose bit is set, ascending: of revoked or of suspended credentials.
	ListSet(ctx context.Context, l List) ([]int, error)
}

// Service is the door to the lists. Several may work on one store.
type Service struct {
	Store  Store
	Keys   *keyring.Service
	Now    func() time.Time
	NewID  func() string // UUIDv7
	Random io.Reader     // crypto/rand.Reader

	kept    sync.Map   // ID -> *signedList
	keeping sync.Mutex // held while a list is signed
}

// Address is where a list is published.
func Address(h keyring.Host, id ID) string { return h.Base() + "/api/status-lists/" + string(id) }

// ListOf lists the lists of an institution and issuer, of both purposes, oldest first.
func (s *Service) ListOf(ctx context.Context, in identity.InstitutionID, issuer string) ([]List, error) {
	return s.Store.ListLists(ctx, in, issuer)
}

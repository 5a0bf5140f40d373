// Package shelf keeps the courses that carriers brought to this server.
package shelf

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Place is the row of a course that came from elsewhere.
type Place struct {
	CourseID      string
	Publisher     string
	Rule          choice.Rule
	Installed     []byte // signed root; nil while the first import is under way
	Previous      []byte
	Candidate     []byte
	CandidateRule choice.Rule // without languages: what the carriers bring
	Revision      int
	ChangedAt     time.Time
}

// Store is what shelf needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error

	FindPlace(ctx context.Context, course string) (Place, error) // fault.NotFound bundle.not_found
	ListPlaces(ctx context.Context) ([]Place, error)             // by course
	// SavePlace inserts a place of revision 0, and changes another one when its revision is still the same; the stored revision is
	// then one more. fault.Conflict bundle.changed_meanwhile: somebody else was first.
	SavePlace(ctx context.Context, p Place) error
	RemovePlace(ctx context.Context, course string) error // absent is no error

	// AddDocument, ReplaceDocument and ListDocuments are those of publisher.Store.
	AddDocument(ctx context.Context, d publisher.Document) (added bool, err error)
	ReplaceDocument(ctx context.Context, d publisher.Document) (bool, error)
	ListDocuments(ctx context.Context, publisher string, kind publisher.DocumentKind) ([]publisher.Document, error)
}

// Courses is what shelf needs of the curriculum.
type Courses interface {
	FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error)
}

// Service takes in and puts away. It is used through a pointer. Several processes may work on one store.
type Service struct {
	Store     Store
	Courses   Courses
	Publisher *publisher.Service
	Trust     *trust.Service
	Keep      *Keeper
	Now       func() time.Time

	moving sync.RWMutex // imports hold it for reading, collecting for writing: it does not wait
}

// Blob gives a blob of an imported bundle or of a course that is published here, to anyone; fault.NotFound else.
func (s *Service) Blob(ctx context.Context, d blob.Digest) ([]byte, error) {
	if !d.Valid() {
		return nil, fault.New(fault.NotFound, "blob.not_found")
	}
	return s.Keep.Open(ctx, d)
}

func mayChange(by identity.Actor) error {
	switch {
	case by.MayOperate():
		return nil
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	}
	return fault.New(fault.Denied, "bundle.denied")
}

// known is what this server knows when a carrier arrives.
func (s *Service) known(ctx context.Context, course string) func(publisher, of string) (intake.Known, error) {
	return func(id, of string) (intake.Known, error) {
		b, k, err := s.Trust.Known(ctx, id)
		if err != nil {
			return intake.Known{}, err
		}
		k.Course = course
		p, err := s.Store.FindPlace(ctx, of)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return intake.Known{}, err
		}
		// Another one who bore this name before is another publisher.
		if k.Current = p.Installed; p.Installed != nil && p.Publisher == id && b.Publisher != "" {
			root, err := bundle.ReadSigned(p.Installed)
			if err != nil {
				return intake.Known{}, err
			}
			if !slices.ContainsFunc(root.Signatures, func(s bundle.Signature) bool { return k.Chain.Names(s.Key) }) {
				return intake.Known{}, bundle.Refuse("other_publisher", fmt.Errorf("%s was installed from another one of that name", of)).With("Publisher", id)
			}
		}
		v, err := s.Courses.FindLatest(ctx, curriculum.CourseID(of))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return intake.Known{}, err
		}
		if err == nil {
			name, err := s.Publisher.Name(ctx, identity.InstitutionID(v.InstitutionID))
			if err != nil {
				return intake.Known{}, err
			}
			if name.ID != id {
				return intake.Known{}, bundle.Refuse("other_publisher", fmt.Errorf("%s publishes %s here", name.ID, of)).With("Publisher", name.ID)
			}
		}
		return k, nil
	}
}

// Verify reads a carrier and keeps nothing: it fails with the reason for which Import would refuse it. For the operator.
func (s *Service) Verify(ctx context.Context, by identity.Actor, c bundle.Carrier, course string) (intake.Report, error) {
	if err := mayChange(by); err != nil {
		return intake.Report{}, err
	}
	return intake.Verify(ctx, c, s.known(ctx, course))
}

// Inspect tells what a carrier holds, whoever signed it, and whether this server trusts its publisher. It believes the carrier's own
// keys: what it says of a stranger proves only that nothing is damaged. For the operator.
func (s *Service) Inspect(ctx context.Context, by identity.Actor, c bundle.Carrier) (r intake.Report, trusted bool, err error) {
	if err := mayChange(by); err != nil {
		return intake.Report{}, false, err
	}
	r, err = intake.Verify(ctx, c, func(publisher, of string) (intake.Known, error) {
		k, err := s.known(ctx, "")(publisher, of)
		trusted = err == nil && k.Chain.ID() == publisher
		return intake.Known{Chain: k.Chain, Anybody: true, Newest: time.Time{}}, nil
	})
	return r, trusted, err
}

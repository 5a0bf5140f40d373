// Package publisher signs what this server's institutions say: their courses, their word on issuers, their next key.
package publisher

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Store is what publisher needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error

	// CreateKey inserts. fault.Conflict bundle.key_exists: the institution has an unretired key of that publisher.
	CreateKey(ctx context.Context, k Key) error
	RetireKey(ctx context.Context, id string, at time.Time) error
	// ListKeys lists all keys of an institution, retired ones too, oldest first.
	ListKeys(ctx context.Context, in identity.InstitutionID) ([]Key, error)

	// AddDocument inserts and leaves alone what stands there: added says which.
	AddDocument(ctx context.Context, d Document) (added bool, err error)
	// ReplaceDocument puts a document where none is or an older one, and tells whether it did.
	ReplaceDocument(ctx context.Context, d Document) (bool, error)
	FindDocument(ctx context.Context, b Bearer, kind DocumentKind, name string, serial int) (Document, error) // fault.NotFound bundle.not_found
	// ListDocuments lists those of a kind by chain and serial; publisher "" lists those of all publishers, by publisher first.
	ListDocuments(ctx context.Context, publisher string, kind DocumentKind) ([]Document, error)
}

// Courses is what publisher needs of the curriculum.
type Courses interface {
	List(ctx context.Context, cursor string, limit int) (versions []curriculum.Version, next string, err error)
}

// Name is how an institution signs.
type Name struct {
	ID    string            // did:web, the same as the issuer's
	Names map[string]string // by language
}

// Service signs. It is used through a pointer. Several processes may work on one store.
type Service struct {
	Store    Store
	Courses  Courses
	Public   blob.Store // of the curriculum: blobs of what is published here
	Sealer   signing.Sealer
	Runtimes func() map[string]blob.Digest // Pythons that labs run with; nil: none
	// Name gives the name under which an institution signs.
	Name func(ctx context.Context, in identity.InstitutionID) (Name, error)
	// Issuers gives the issuers for whom an institution stands; nil: none.
	Issuers func(ctx context.Context, in identity.InstitutionID) ([]IssuerSource, error)
	// Recognitions gives what an institution recognises of other issuers, the dearest first; nil: nothing.
	Recognitions func(ctx context.Context, in identity.InstitutionID) ([]RecognitionSource, error)
	// Vouchers lists the institutions that stand for somebody; nil: none.
	Vouchers func(ctx context.Context) ([]identity.InstitutionID, error)
	Now      func() time.Time
	NewID    func() string
	Random   io.Reader

	making sync.Mutex // one signature of a kind at a time
}

// Vouching lists the institutions whose word this server gives: those that issue certificates.
func (s *Service) Vouching(ctx context.Context) ([]identity.InstitutionID, error) {
	if s.Vouchers == nil {
		return nil, nil
	}
	return s.Vouchers(ctx)
}

// ListOwn lists the institutions that publish courses or issue certificates here, or did. Their documents are made when they are first asked for.
func (s *Service) ListOwn(ctx context.Context) ([]Bearer, error) {
	roots, err := s.Store.ListDocuments(ctx, "", RootDocument)
	if err != nil {
		return nil, err
	}
	var out []Bearer
	for _, d := range roots {
		if !slices.Contains(out, d.Bearer) {
			out = append(out, d.Bearer)
		}
	}
	seen := map[string]bool{}
	issuing, err := s.Vouching(ctx)
	if err != nil {
		return nil, err
	}
	for _, in := range issuing {
		seen[string(in)] = true
		p, err := s.signs(ctx, in)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p.Bearer) {
			out = append(out, p.Bearer)
		}
	}
	for cursor, more := "", true; more; more = cursor != "" {
		var list []curriculum.Version
		if list, cursor, err = s.Courses.List(ctx, cursor, 100); err != nil {
			return nil, err
		}
		for _, v := range list {
			if seen[v.InstitutionID] {
				continue
			}
			seen[v.InstitutionID] = true
			p, err := s.signs(ctx, identity.InstitutionID(v.InstitutionID))
			if err != nil {
				return nil, err
			}
			if !slices.Contains(out, p.Bearer) {
				out = append(out, p.Bearer)
			}
		}
	}
	return out, nil
}

// FindOwn tells as whom an institution signs. Its documents are made when they are first asked for.
func (s *Service) FindOwn(ctx context.Context, in identity.InstitutionID) (Bearer, error) {
	p, err := s.signs(ctx, in)
	return p.Bearer, err
}

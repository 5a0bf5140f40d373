// Package serving is the server of bundles: it gives them away and takes them in.
package serving

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Key is a key with which an institution signs bundles. The private half is sealed under the operator's master key.
type Key struct {
	ID            string // UUIDv7
	InstitutionID identity.InstitutionID
	Publisher     string // the DID that it signs for
	Multikey      string
	Sealed        []byte
	CreatedAt     time.Time
	Until         time.Time
	RetiredAt     *time.Time
}

// DocumentKind is what a stored document is.
type DocumentKind string

// The kinds: a serial of a publisher, its word on issuers, a root of a bundle that this server publishes.
const (
	PublisherDocument DocumentKind = "publisher"
	TrustDocument     DocumentKind = "trust"
	RootDocument      DocumentKind = "root"
)

// Bearer is one who bears a publisher's name. Anybody can write a first document under anybody's name: who wrote which is told apart by
// it, so that what one of them says is never taken for what another one says, and keeps it out no more than it replaces it.
type Bearer struct {
	Publisher string // the DID
	Chain     string // names the chain: the digest of its first document; "" of the one that a name had before chains were told apart
}

// Document is a signed document as it is stored.
type Document struct {
	Bearer
	Kind     DocumentKind
	Name     string // of a root the course
	Serial   int    // of a root the version's number, of a word on issuers 0
	Text     []byte
	SignedAt time.Time
}

// Trusted says that the operator, or an institution, trusts a publisher.
type Trusted struct {
	Bearer
	InstitutionID identity.InstitutionID // "" is the operator
	CreatedAt     time.Time
}

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

// Store is what bundle needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error

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
	// NewestTime is the latest time at which a stored document was signed, the zero time when there is none.
	NewestTime(ctx context.Context, b Bearer) (time.Time, error)

	// AddTrusted inserts, and leaves alone whom the same truster trusts by that name: only one bears it for them.
	AddTrusted(ctx context.Context, t Trusted) error
	RemoveTrusted(ctx context.Context, publisher string, in identity.InstitutionID) error
	// ListTrusted lists whom the operator (nothing named) or any of the institutions trusts, by publisher.
	ListTrusted(ctx context.Context, in ...identity.InstitutionID) ([]Trusted, error)
	IsTrusted(ctx context.Context, b Bearer) (bool, error) // by the operator or any institution

	FindPlace(ctx context.Context, course string) (Place, error) // fault.NotFound bundle.not_found
	ListPlaces(ctx context.Context) ([]Place, error)             // by course
	// SavePlace inserts a place of revision 0, and changes another one when its revision is still the same; the stored revision is
	// then one more. fault.Conflict bundle.changed_meanwhile: somebody else was first.
	SavePlace(ctx context.Context, p Place) error
	RemovePlace(ctx context.Context, course string) error // absent is no error
}

// Courses is what bundle needs of the curriculum.
type Courses interface {
	FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error)
	FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error)
	List(ctx context.Context, cursor string, limit int) (versions []curriculum.Version, next string, err error)
}

// Name is how an institution signs.
type Name struct {
	ID    string            // did:web, the same as the issuer's
	Names map[string]string // by language
}

// IssuerSource is an issuer for whose certificates a publisher stands. Sizes, digests and times of its lists are filled in from what
// Open gives.
type IssuerSource struct {
	Issuer bundle.Issuer
	Open   func(ctx context.Context, url string) (OpenedList, error)
	// Same tells whether two lists say the same; nil: when their bytes are the same.
	Same func(a, b []byte) bool
}

// RecognitionSource is a recognition that a publisher's word carries. Size and digest are those of the document.
type RecognitionSource struct {
	Recognition bundle.Recognition
	Document    []byte // the EndorsementCredential
}

// OpenedList is a status list as it is now.
type OpenedList struct {
	Document []byte
	SignedAt time.Time
}

// Service is the door to bundles. It is used through a pointer. Several processes may work on one store.
type Service struct {
	Store    Store
	Courses  Courses
	Keep     *Keeper
	Packs    *packing.Packer
	Sealer   signing.Sealer
	Runtimes func() map[string]blob.Digest // Pythons that labs run with; nil: none
	// Publisher gives the name under which an institution signs.
	Publisher func(ctx context.Context, in identity.InstitutionID) (Name, error)
	// Issuers gives the issuers for whom an institution stands; nil: none.
	Issuers func(ctx context.Context, in identity.InstitutionID) ([]IssuerSource, error)
	// Recognitions gives what an institution recognises of other issuers, the dearest first; nil: nothing.
	Recognitions func(ctx context.Context, in identity.InstitutionID) ([]RecognitionSource, error)
	// Vouchers lists the institutions that stand for somebody; nil: none.
	Vouchers func(ctx context.Context) ([]identity.InstitutionID, error)
	Now      func() time.Time
	NewID    func() string
	Random   io.Reader

	moving sync.RWMutex // imports hold it for reading, collecting for writing: it does not wait
	making sync.Mutex   // one signature of a kind at a time
	trees  treeCache
}

// Blob gives a blob of an imported bundle or of a course that is published here, to anyone; fault.NotFound else.
func (s *Service) Blob(ctx context.Context, d blob.Digest) ([]byte, error) {
	if !d.Valid() {
		return nil, fault.New(fault.NotFound, "blob.not_found")
	}
	return s.Keep.Open(ctx, d)
}

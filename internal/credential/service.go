package credential

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Enrollments is what credential needs of learning.
type Enrollments interface {
	FindEnrollment(ctx context.Context, id learning.EnrollmentID) (learning.Enrollment, error)
}

// Courses is what credential needs of the curriculum.
type Courses interface {
	FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error)
}

// People is what credential needs of identity.
type People interface {
	FindUser(ctx context.Context, id identity.UserID) (identity.User, error)
}

// Institutions is what credential needs of institution.
type Institutions interface {
	Find(ctx context.Context, id identity.InstitutionID) (institution.Institution, error)
}

// Words are what is said to people in their languages; i18n.Catalogue has them.
type Words interface {
	T(locale, key string, args map[string]any) string
}

// Service is the door to credentials. Several may work on one store.
type Service struct {
	Store        Store
	Enrollments  Enrollments
	Courses      Courses
	People       People
	Institutions Institutions
	Words        Words
	// Limits tells why an issuer of an institution may not act for a course, where an admin has limited them; nil limits nobody.
	Limits   func(ctx context.Context, by identity.Actor, in identity.InstitutionID, course curriculum.CourseID) error
	Keys     *keyring.Service
	Lists    *statuslist.Service
	Validity time.Duration // how long a credential holds; 0: without end
	Now      func() time.Time
	NewID    func() string // UUIDv7
}

// Standing is what a check found.
type Standing struct {
	State      State
	Credential Credential
	Claims     Claims // what the document says; empty when Invalid
	// RevokedKey is the key that signed it, when it is Invalid because that had been revoked before, and for no other reason.
	RevokedKey *keyring.Key
	CheckedAt  time.Time
}

// Check tells what a credential is worth now. It is open to anyone. It checks
// the signature of the stored document and compares the row with it, so that nobody
// makes a valid credential by writing into the database: such a one is Invalid.
// An error means that the check itself could not be made.
func (s *Service) Check(ctx context.Context, id ID) (Standing, error) {
	c, err := s.Find(ctx, id)
	if err != nil {
		return Standing{}, err
	}
	now := s.Now().UTC()
	claims, err := s.Verify(ctx, c)
	if IsRefusal(err) {
		slog.ErrorContext(ctx, "stored credential does not verify", "credential", id, "err", err)
		return Standing{State: Invalid, Credential: c, CheckedAt: now, RevokedKey: revokedKey(err)}, nil
	}
	if err != nil {
		return Standing{}, err
	}
	return Standing{State: c.State(now), Credential: c, Claims: claims, CheckedAt: now}, nil
}

// refusal is an error that is about the credential and not about us.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// IsRefusal tells whether an error of Verify is about the credential and not about us.
func IsRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// keyRevokedError is why a credential is refused whose key was revoked before it signed.
type keyRevokedError struct {
	error
	key keyring.Key
}

func (r keyRevokedError) Unwrap() error { return r.error }

func revokedKey(err error) *keyring.Key {
	var r keyRevokedError
	if !errors.As(err, &r) {
		return nil
	}
	key := r.key.Bare()
	return &key
}

// Verify checks the signature of a credential's document, and that its row says the same. IsRefusal tells what is wrong with it from
// what went wrong here.
func (s *Service) Verify(ctx context.Context, c Credential) (Claims, error) {
	keys, err := s.Keys.All(ctx, c.InstitutionID)
	if err != nil {
		return Claims{}, err
	}
	by := &keyring.Resolver{Keys: keys}
	_, err = proof.Verify(ctx, c.Document, by)
	if errors.Is(err, proof.ErrRevoked) {
		// Is that all that is wrong with it? The key is looked at before the signature.
		by.Revoked = true
		if _, other := proof.Verify(ctx, c.Document, by); other != nil {
			return Claims{}, refusal{other}
		}
		if claims, other := ReadClaims(c.Document); other != nil || claims.match(c) != nil {
			return Claims{}, refusal{err}
		}
		return Claims{}, refusal{keyRevokedError{err, by.Found}}
	}
	if err != nil {
		return Claims{}, refusal{err}
	}
	claims, err := ReadClaims(c.Document)
	if err != nil {
		return Claims{}, refusal{err}
	}
	if err := claims.match(c); err != nil {
		return Claims{}, refusal{fmt.Errorf("the row has %w than the document", err)}
	}
	return claims, nil
}

// Find gives a credential to anyone who has its id: the id is what its holder hands out.
func (s *Service) Find(ctx context.Context, id ID) (Credential, error) {
	if !isUUID(string(id)) {
		return Credential{}, fault.New(fault.NotFound, "credential.not_found")
	}
	c, err := s.Store.FindCredential(ctx, id)
	if err != nil {
		return Credential{}, err
	}
	return s.erased(ctx, c)
}

// FindAt gives the credential whose document has an id: its verify address. fault.NotFound credential.not_found, also for those of
// other hosts.
func (s *Service) FindAt(ctx context.Context, address string) (Credential, error) {
	id, ours := strings.CutPrefix(address, s.Keys.PublicURL+"/verify/")
	if !ours {
		return Credential{}, fault.New(fault.NotFound, "credential.not_found")
	}
	return s.Find(ctx, ID(id))
}

// ListOwn lists the actor's credentials, oldest first.
func (s *Service) ListOwn(ctx context.Context, by identity.Actor, after ID, limit int) ([]Credential, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListCredentials(ctx, by.UserID, after, limit)
}

// StampOwn tells whether ListOwn would give something new: a device that has been away asks this first.
func (s *Service) StampOwn(ctx context.Context, by identity.Actor) (Stamp, error) {
	if by.UserID == "" {
		return Stamp{}, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.StampCredentials(ctx, by.UserID)
}

// ListIssued lists what an institution issued, for its issuers and admins and the operator.
func (s *Service) ListIssued(ctx context.Context, by identity.Actor, in identity.InstitutionID, f Filter, after ID, limit int) ([]Credential, error) {
	if !by.Operates() && !by.Has(in, identity.Issuer, identity.Admin) {
		return nil, fault.New(fault.Denied, "credential.list_denied")
	}
	return s.Store.ListInstitutionCredentials(ctx, in, f, after, limit)
}

func isUUID(s string) bool {
	_, err := uuid.Parse(s)
	return err == nil && len(s) == 36 && s == strings.ToLower(s)
}

// Package issuing decides who gets a credential: what a certificate asks, what an award still waits for, who may give it.
package issuing

import (
	"context"
	"errors"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// CriteriaID, AwardID, BatchID and DelegationID are UUIDv7.
type (
	CriteriaID   string
	AwardID      string
	BatchID      string
	DelegationID string
)

// The jobs of this package. Weigh does learning.CompletedKind and learning.ProgressedKind too.
const (
	IssueKind    job.Kind = "credential.issue"   // sign what is ready
	BatchKind    job.Kind = "credential.batch"   // approve the awards of a batch
	CriteriaKind job.Kind = "credential.reweigh" // look who meets new criteria already
)

// Store is what issuing needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// FinishJob marks a job done and tells whether it was not done before.
	FinishJob(ctx context.Context, id job.ID) (bool, error)
	Enqueue(ctx context.Context, j job.Job) error
	// Audit appends to the institution's log. It comes last in a transaction: whoever appends to the same log waits for its end.
	Audit(ctx context.Context, e audit.Entry) error

	CreateCriteria(ctx context.Context, c Criteria) error              // fault.Conflict criteria.changed: its number is taken
	FindCriteria(ctx context.Context, id CriteriaID) (Criteria, error) // fault.NotFound criteria.not_found
	// FindCurrentCriteria gives the last that an institution set for a course; fault.NotFound criteria.not_found when it never did.
	FindCurrentCriteria(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (Criteria, error)
	// ListCriteria lists the current criteria of an institution, by course.
	ListCriteria(ctx context.Context, in identity.InstitutionID) ([]Criteria, error)

	CreateAward(ctx context.Context, a Award) error // fault.Conflict award.exists: the enrollment has one
	FindAward(ctx context.Context, id AwardID) (Award, error)
	FindAwardOf(ctx context.Context, enrollment learning.EnrollmentID) (Award, error) // fault.NotFound award.not_found
	// LockAwards gives those of some awards that there are, by id. No other transaction changes them until this one ends.
	LockAwards(ctx context.Context, ids []AwardID) ([]Award, error)
	UpdateAward(ctx context.Context, a Award) error
	// ListAwards lists an institution's awards by id, those after a cursor ("" from the start).
	ListAwards(ctx context.Context, in identity.InstitutionID, f AwardFilter, after AwardID, limit int) ([]Award, error)
	ListOwnAwards(ctx context.Context, user identity.UserID, after AwardID, limit int) ([]Award, error)
	CountAwards(ctx context.Context, in identity.InstitutionID) (map[AwardState]int, error)

	FindCredentialOf(ctx context.Context, enrollment learning.EnrollmentID) (credential.Credential, error)
	keyring.Holder
	// CreateCredential is that of credential.Store.
	CreateCredential(ctx context.Context, c credential.Credential) error

	// CreateBatch inserts unless the id is known, and tells whether it did.
	CreateBatch(ctx context.Context, b Batch) (created bool, err error)
	// FillBatch puts waiting awards into a batch: some, or up to a limit of those that a filter lets through. It tells how many.
	FillBatch(ctx context.Context, b Batch, ids []AwardID, f AwardFilter, limit int) (int, error)
	FindBatch(ctx context.Context, id BatchID) (Batch, error) // fault.NotFound batch.not_found; with its counts
	ListBatches(ctx context.Context, in identity.InstitutionID, before BatchID, limit int) ([]Batch, error)
	// ListOpen gives awards of a batch of which nothing became yet.
	ListOpen(ctx context.Context, id BatchID, limit int) ([]AwardID, error)
	// SettleInBatch says what became of an award of a batch, and tells whether nothing was said before.
	SettleInBatch(ctx context.Context, id BatchID, award AwardID, cause string) (bool, error)
	FinishBatch(ctx context.Context, id BatchID, total int, at time.Time) error

	CreateDelegation(ctx context.Context, d Delegation) error
	FindDelegation(ctx context.Context, id DelegationID) (Delegation, error) // fault.NotFound delegation.not_found
	// ListDelegations lists an institution's by id, those that ended too; of one user when there is one.
	ListDelegations(ctx context.Context, in identity.InstitutionID, user identity.UserID) ([]Delegation, error)
	EndDelegation(ctx context.Context, id DelegationID, at time.Time) error
	// SpendDelegation takes one from what is left of a delegation that holds, and tells whether there was one. Of two at once each takes its own.
	SpendDelegation(ctx context.Context, id DelegationID, now time.Time) (bool, error)
	ReturnDelegation(ctx context.Context, id DelegationID) error
}

// Learning is what issuing needs of learning. It reads: learning knows nothing of criteria but whether somebody wants to hear of progress.
type Learning interface {
	FindEnrollment(ctx context.Context, id learning.EnrollmentID) (learning.Enrollment, error)
	ListProgress(ctx context.Context, id learning.EnrollmentID) ([]learning.Progress, error)
	ListInstitutionEnrollments(ctx context.Context, in identity.InstitutionID, after learning.EnrollmentID, limit int) ([]learning.Enrollment, error)
	// AwaitEnrollment returns when whatever was being recorded for an enrollment's learner is stored, or is not.
	AwaitEnrollment(ctx context.Context, id learning.EnrollmentID) error
}

// Courses is what issuing needs of the curriculum.
type Courses interface {
	FindLatest(ctx context.Context, id curriculum.CourseID) (curriculum.Version, error)
	FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error)
}

// People is what issuing needs of identity.
type People interface {
	FindUser(ctx context.Context, id identity.UserID) (identity.User, error)
	ListMemberships(ctx context.Context, id identity.UserID) ([]identity.Membership, error)
}

// Press makes and signs credentials; credential.Service does.
type Press interface {
	Prepare(ctx context.Context, grants ...credential.Grant) ([]credential.Credential, error)
}

// Service is the door to awards. Several may work on one store.
type Service struct {
	Store    Store
	Learning Learning
	Courses  Courses
	People   People
	Press    Press
	// HolderName gives the name for a learner's certificates and whether the learner has confirmed it.
	HolderName func(ctx context.Context, user identity.UserID) (name string, confirmed bool, err error)
	Now        func() time.Time
	NewID      func() string // UUIDv7
}

// tries is how often we begin anew when somebody else was faster.
const tries = 8

func hasKey(err error, keys ...string) bool {
	var f *fault.Error
	if !errors.As(err, &f) {
		return false
	}
	for _, k := range keys {
		if f.Key == k {
			return true
		}
	}
	return false
}

// journal gathers what a transaction appends to the audit log at its end.
type journal []audit.Entry

func (j *journal) add(e audit.Entry) { *j = append(*j, e) }

func (j journal) write(ctx context.Context, tx Store) error {
	for _, e := range j {
		if err := tx.Audit(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// mayIssue tells whether somebody gives certificates in an institution's name; a delegation may say more.
func mayIssue(by identity.Actor, in identity.InstitutionID) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !by.Scoped(identity.ScopeIssue):
		return fault.New(fault.Denied, "token.scope_missing")
	case !by.Has(in, identity.Issuer, identity.Admin):
		return fault.New(fault.Denied, "award.denied")
	}
	return nil
}

func mayLook(by identity.Actor, in identity.InstitutionID, roles ...identity.Role) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !by.Operates() && !by.Has(in, roles...):
		return fault.New(fault.Denied, "award.denied")
	}
	return nil
}

func mayAdminister(by identity.Actor, in identity.InstitutionID) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !by.Scoped(identity.ScopeAdmin):
		return fault.New(fault.Denied, "token.scope_missing")
	case !by.Has(in, identity.Admin):
		return fault.New(fault.Denied, "criteria.denied")
	}
	return nil
}

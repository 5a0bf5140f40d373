package issuing

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Delegation limits what an issuer of an institution may give away. An issuer without one may give all; one who has had
// any may give only what those that hold allow, so that to end one takes something away and never gives.
type Delegation struct {
	ID            DelegationID
	InstitutionID identity.InstitutionID
	UserID        identity.UserID
	Courses       []curriculum.CourseID // none: every course
	Quota         *int                  // how many certificates; nil: any number
	Used          int
	ExpiresAt     *time.Time
	CreatedBy     identity.UserID
	CreatedAt     time.Time
	EndedAt       *time.Time
}

// fit tells why a delegation does not allow something now, or nil.
func (d Delegation) fit(course curriculum.CourseID, now time.Time) *fault.Error {
	switch {
	case d.EndedAt != nil:
		return fault.New(fault.Denied, "delegation.ended")
	case d.ExpiresAt != nil && !now.Before(*d.ExpiresAt):
		return fault.New(fault.Denied, "delegation.expired")
	case len(d.Courses) > 0 && !slices.Contains(d.Courses, course):
		return fault.New(fault.Denied, "delegation.other_course")
	}
	return nil
}

func (d Delegation) spent() bool { return d.Quota != nil && d.Used >= *d.Quota }

// purse is what somebody may give away; nil is everything.
type purse []Delegation

// purse gives the delegations of an actor. Admins are not limited.
func (s *Service) purse(ctx context.Context, by identity.Actor, in identity.InstitutionID) (purse, error) {
	if by.Has(in, identity.Admin) {
		return nil, nil
	}
	ds, err := s.Store.ListDelegations(ctx, in, by.UserID)
	if err != nil || len(ds) == 0 {
		return nil, err
	}
	return ds, nil
}

// covers tells why nothing may be done for a course, or nil. What is spent may still be looked after.
func (p purse) covers(course curriculum.CourseID, now time.Time) error {
	if p == nil {
		return nil
	}
	why := fault.New(fault.Denied, "delegation.ended")
	for _, d := range slices.Backward(p) {
		f := d.fit(course, now)
		if f == nil {
			return nil
		}
		// The newest that has not been ended tells most.
		if why.Key == "delegation.ended" {
			why = f
		}
	}
	return why
}

// spend takes one from the first delegation that allows it.
func (p purse) spend(ctx context.Context, tx Store, course curriculum.CourseID, now time.Time) (DelegationID, error) {
	if err := p.covers(course, now); err != nil {
		return "", err
	}
	for _, d := range p {
		if d.fit(course, now) != nil || d.spent() {
			continue
		}
		if ok, err := tx.SpendDelegation(ctx, d.ID, now); err != nil || ok {
			return d.ID, err
		}
	}
	return "", fault.New(fault.Denied, "delegation.spent")
}

// Limits tells why an issuer may not act for a course of an institution, or nil. It is credential.Service.Limits.
func (s *Service) Limits(ctx context.Context, by identity.Actor, in identity.InstitutionID, course curriculum.CourseID) error {
	p, err := s.purse(ctx, by, in)
	if err != nil {
		return err
	}
	return p.covers(course, s.Now())
}

// NewDelegation says how an issuer is to be limited.
type NewDelegation struct {
	UserID    identity.UserID
	Courses   []curriculum.CourseID
	Quota     *int
	ExpiresAt *time.Time
}

const (
	maxQuota   = 1_000_000
	maxCourses = 100
)

// Delegate limits an issuer of an institution. Its admins may.
func (s *Service) Delegate(ctx context.Context, by identity.Actor, in identity.InstitutionID, n NewDelegation) (HeldDelegation, error) {
	if err := mayAdminister(by, in); err != nil {
		return HeldDelegation{}, err
	}
	now := s.Now().UTC()
	bad := fault.New(fault.Invalid, "request.invalid")
	ms, err := s.People.ListMemberships(ctx, n.UserID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return HeldDelegation{}, err
	}
	if !(identity.Actor{Memberships: ms}).Has(in, identity.Issuer) {
		bad.At(fault.Detail{Pointer: "/user_id", Key: "delegation.not_issuer"})
	}
	if n.Quota != nil && (*n.Quota < 1 || *n.Quota > maxQuota) {
		bad.At(fault.Detail{Pointer: "/quota", Key: "delegation.bad_quota", Args: map[string]any{"Max": maxQuota}})
	}
	if n.ExpiresAt != nil && !n.ExpiresAt.After(now) {
		bad.At(fault.Detail{Pointer: "/expires_at", Key: "delegation.bad_expiry"})
	}
	slices.Sort(n.Courses)
	n.Courses = slices.Compact(n.Courses)
	if len(n.Courses) > maxCourses {
		bad.At(fault.Detail{Pointer: "/courses", Key: "delegation.too_many_courses", Args: map[string]any{"Max": maxCourses}})
	}
	for _, c := range n.Courses[:min(len(n.Courses), maxCourses)] {
		if _, err := s.Courses.FindLatest(ctx, c); fault.Is(err, fault.NotFound) {
			bad.At(fault.Detail{Pointer: "/courses", Key: "course.not_found"})
		} else if err != nil {
			return HeldDelegation{}, err
		}
	}
	if len(bad.Details) > 0 {
		return HeldDelegation{}, bad
	}
	d := Delegation{
		ID: DelegationID(s.NewID()), InstitutionID: in, UserID: n.UserID, Courses: n.Courses, Quota: n.Quota, ExpiresAt: n.ExpiresAt,
		CreatedBy: by.UserID, CreatedAt: now,
	}
	u, err := s.People.FindUser(ctx, n.UserID)
	if err != nil {
		return HeldDelegation{}, err
	}
	return HeldDelegation{Delegation: d, Username: u.Username, DisplayName: u.DisplayName}, s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.CreateDelegation(ctx, d); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, now, audit.DelegationGiven, map[string]any{"delegation": string(d.ID), "user": string(d.UserID)}))
	})
}

// EndDelegation ends one. Admins of its institution may; twice is no error.
func (s *Service) EndDelegation(ctx context.Context, by identity.Actor, in identity.InstitutionID, id DelegationID) error {
	if err := mayAdminister(by, in); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		d, err := tx.FindDelegation(ctx, id)
		if err != nil {
			return err
		}
		if d.InstitutionID != in {
			return fault.New(fault.NotFound, "delegation.not_found")
		}
		if d.EndedAt != nil {
			return nil
		}
		now := s.Now().UTC()
		if err := tx.EndDelegation(ctx, id, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, now, audit.DelegationEnded, map[string]any{"delegation": string(id), "user": string(d.UserID)}))
	})
}

// HeldDelegation is a delegation with who holds it.
type HeldDelegation struct {
	Delegation
	Username    string
	DisplayName string
}

// ListDelegations lists those of an institution, also those that have ended, to its admins and the operator. An issuer sees their own.
func (s *Service) ListDelegations(ctx context.Context, by identity.Actor, in identity.InstitutionID) ([]HeldDelegation, error) {
	if err := mayLook(by, in, identity.Issuer, identity.Admin); err != nil {
		return nil, err
	}
	user := identity.UserID("")
	if !by.Operates() && !by.Has(in, identity.Admin) {
		user = by.UserID
	}
	ds, err := s.Store.ListDelegations(ctx, in, user)
	if err != nil {
		return nil, err
	}
	out := make([]HeldDelegation, len(ds))
	for i, d := range ds {
		u, err := s.People.FindUser(ctx, d.UserID)
		if err != nil {
			return nil, err
		}
		out[i] = HeldDelegation{Delegation: d, Username: u.Username, DisplayName: u.DisplayName}
	}
	return out, nil
}

// because gives the key of a fault that is about what was asked, or "".
func because(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && (f.Code == fault.Denied || f.Code == fault.Conflict) {
		return f.Key
	}
	return ""
}

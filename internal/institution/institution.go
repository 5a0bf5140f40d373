// Package institution knows the schools and organisations, and who belongs to them.
package institution

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Institution is an organisation that teaches and issues credentials.
type Institution struct {
	ID        identity.InstitutionID
	Slug      string // stands in addresses and in the institution's did:web
	Name      string
	CreatedAt time.Time
	// Fallbacks are languages that stand in for another in courses, in order, where a translation is missing. Both are
	// BCP 47 tags. They count from the next time that a course is published.
	Fallbacks map[string][]string
	// Names are by BCP 47 tag. Name is shown where none of them fits.
	Names       map[string]string
	Country     string // ISO 3166-1 alpha-2, "" for none
	Domain      string // a host that was proven to be its own, which gives its DID; "" for none
	Ownership   Ownership
	Logo        *Picture
	Signatories []Signatory
	// Locale is the language of pages and answers for members who chose none, a BCP 47 tag; "" when there is none.
	Locale string
}

// Member is a user in an institution, with every role they hold there.
type Member struct {
	UserID      identity.UserID
	Username    string
	DisplayName string
	Roles       []identity.Role
}

// Store is what institution needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// Audit appends an entry to the institution's audit log, and gives it its place there. Within InTx it is part of the
	// transaction; call it last, because other appenders of the institution wait until that ends.
	Audit(ctx context.Context, e audit.Entry) error

	CreateInstitution(ctx context.Context, i Institution) error // fault.Conflict institution.slug_taken
	FindInstitution(ctx context.Context, id identity.InstitutionID) (Institution, error)
	FindInstitutionBySlug(ctx context.Context, slug string) (Institution, error)
	FindInstitutionByDomain(ctx context.Context, domain string) (Institution, error)
	// LockInstitution finds one that nobody else changes before the transaction ends.
	LockInstitution(ctx context.Context, id identity.InstitutionID) (Institution, error)
	ListInstitutions(ctx context.Context, after identity.InstitutionID, limit int) ([]Institution, error)
	// UpdateInstitution sets. fault.NotFound institution.not_found; fault.Conflict institution.domain_taken: another institution has the domain.
	UpdateInstitution(ctx context.Context, id identity.InstitutionID, c Change) error
	ListMembers(ctx context.Context, in identity.InstitutionID, after identity.UserID, limit int) ([]Member, error)
	// AddMembership and RemoveMembership tell whether they changed anything; nothing to change is no error.
	AddMembership(ctx context.Context, user identity.UserID, m identity.Membership) (bool, error)
	RemoveMembership(ctx context.Context, user identity.UserID, m identity.Membership) (bool, error)
}

// Service is the door to institutions.
type Service struct {
	Store    Store
	Identity *identity.Service
	Now      func() time.Time
	NewID    func() string

	Log Log // needed to show audit logs alone

	// These are for profiles alone.
	Public     blob.Store // pictures
	PublicHost string     // of this server, without its port: no institution may have it for its own
	// Draw draws a PNG or JPEG file anew; its errors are faults.
	Draw func(file []byte) ([]byte, Picture, error)
	// Claimed tells whether a domain was another institution's, so that credentials of theirs rest on it.
	// Domains asks domains whose they are; nil: nobody is asked.
	Domains Domains
	Claimed func(ctx context.Context, domain string, by identity.InstitutionID) (bool, error)
}

var slugForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)

// Create adds an institution. Only the operator may.
func (s *Service) Create(ctx context.Context, by identity.Actor, slug, name string) (Institution, error) {
	if !by.Operates() || !by.Scoped(identity.ScopeAdmin) {
		return Institution{}, fault.New(fault.Denied, "institution.create_denied")
	}
	name = strings.TrimSpace(name)
	bad := fault.New(fault.Invalid, "request.invalid")
	if !slugForm.MatchString(slug) {
		bad.At(fault.Detail{Pointer: "/slug", Key: "institution.bad_slug"})
	}
	if !isName(name) {
		bad.At(fault.Detail{Pointer: "/name", Key: "institution.bad_name"})
	}
	if len(bad.Details) > 0 {
		return Institution{}, bad
	}
	i := Institution{ID: identity.InstitutionID(s.NewID()), Slug: slug, Name: name, CreatedAt: s.Now()}
	err := s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.CreateInstitution(ctx, i); err != nil {
			return err
		}
		return tx.Audit(ctx, s.entry(i.ID, by, audit.InstitutionCreated, map[string]any{"slug": slug}))
	})
	return i, err
}

// Find is open to anyone: an institution stands on its certificates.
func (s *Service) Find(ctx context.Context, id identity.InstitutionID) (Institution, error) {
	return s.Store.FindInstitution(ctx, id)
}

// FindBySlug is open to anyone.
func (s *Service) FindBySlug(ctx context.Context, slug string) (Institution, error) {
	return s.Store.FindInstitutionBySlug(ctx, slug)
}

// FindByDomain is open to anyone.
func (s *Service) FindByDomain(ctx context.Context, domain string) (Institution, error) {
	return s.Store.FindInstitutionByDomain(ctx, domain)
}

// List is open to anyone.
func (s *Service) List(ctx context.Context, after identity.InstitutionID, limit int) ([]Institution, error) {
	return s.Store.ListInstitutions(ctx, after, limit)
}

// ListMembers is for the institution's admins and the operator.
func (s *Service) ListMembers(ctx context.Context, by identity.Actor, in identity.InstitutionID, after identity.UserID, limit int) ([]Member, error) {
	if !mayAdminister(by, in) {
		return nil, fault.New(fault.Denied, "institution.members_denied")
	}
	return s.Store.ListMembers(ctx, in, after, limit)
}

// What an institution may want at most.
const (
	maxLanguages = 32
	maxStandIns  = 6
)

// checkFallbacks notes what is wrong with them, and leaves out languages for which none stands in.
func checkFallbacks(bad *fault.Error, fallbacks map[string][]string) map[string][]string {
	if len(fallbacks) > maxLanguages {
		bad.At(fault.Detail{Pointer: "/fallbacks", Key: "institution.too_many_fallbacks"})
	}
	kept := map[string][]string{}
	for _, l := range slices.Sorted(maps.Keys(fallbacks)) {
		for i, tag := range append([]string{l}, fallbacks[l]...) {
			if !isTag(tag) || slices.Contains(fallbacks[l][:max(i-1, 0)], tag) || i > 0 && tag == l {
				bad.At(fault.Detail{Pointer: "/fallbacks", Key: "institution.bad_language", Args: map[string]any{"Value": firstRunes(tag, 35)}})
			}
		}
		if len(fallbacks[l]) > maxStandIns {
			bad.At(fault.Detail{Pointer: "/fallbacks", Key: "institution.too_many_fallbacks"})
		}
		if len(fallbacks[l]) > 0 {
			kept[l] = fallbacks[l]
		}
	}
	return kept
}

// isTag tells whether a language tag is known, and spelt the one right way.
func isTag(s string) bool {
	tag, err := language.Parse(s)
	return err == nil && tag != language.Und && tag.String() == s
}

func firstRunes(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// NewMember is an account to make inside an institution.
type NewMember struct {
	Username    string
	DisplayName string
	Password    string
	Locale      string
	Role        identity.Role
}

// CreateMember makes an account that belongs to the institution from the
// start. For its admins and the operator.
func (s *Service) CreateMember(ctx context.Context, by identity.Actor, in identity.InstitutionID, n NewMember) (identity.User, error) {
	if !mayAdminister(by, in) || !by.Scoped(identity.ScopeAdmin) {
		return identity.User{}, fault.New(fault.Denied, "institution.members_denied")
	}
	if !n.Role.Valid() {
		return identity.User{}, fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "/role", Key: "institution.bad_role"})
	}
	if _, err := s.Store.FindInstitution(ctx, in); err != nil {
		return identity.User{}, err
	}
	return s.Identity.CreateUser(ctx, identity.NewUser{
		Username: n.Username, DisplayName: n.DisplayName, Password: n.Password, Locale: n.Locale,
		Memberships: []identity.Membership{{InstitutionID: in, Role: n.Role}},
		Log: func(u identity.User) []audit.Entry {
			return []audit.Entry{s.entry(in, by, audit.MemberCreated, map[string]any{"user": string(u.ID), "role": string(n.Role)})}
		},
	})
}

// AddRole gives a role to a user of the institution. Admins and the operator may.
func (s *Service) AddRole(ctx context.Context, by identity.Actor, in identity.InstitutionID, user identity.UserID, role identity.Role) error {
	return s.changeRole(ctx, by, in, user, role, audit.RoleGiven, Store.AddMembership)
}

// RemoveRole takes a role away. Admins and the operator may. Nobody is kept from
// taking the last admin's: an institution without an admin is mended by the operator.
func (s *Service) RemoveRole(ctx context.Context, by identity.Actor, in identity.InstitutionID, user identity.UserID, role identity.Role) error {
	return s.changeRole(ctx, by, in, user, role, audit.RoleTaken, Store.RemoveMembership)
}

func (s *Service) changeRole(ctx context.Context, by identity.Actor, in identity.InstitutionID, user identity.UserID, role identity.Role,
	kind audit.Kind, change func(Store, context.Context, identity.UserID, identity.Membership) (bool, error),
) error {
	if !mayAdminister(by, in) || !by.Scoped(identity.ScopeAdmin) {
		return fault.New(fault.Denied, "institution.members_denied")
	}
	if !role.Valid() {
		return fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "/role", Key: "institution.bad_role"})
	}
	// An admin reaches only people who are already here: nobody is drawn into
	// an institution without having joined it.
	if !by.Operates() {
		ms, err := s.Identity.ListMemberships(ctx, user)
		if err != nil {
			return err
		}
		if !(identity.Actor{Memberships: ms}).Has(in, identity.Learner, identity.Trainer, identity.Issuer, identity.Admin) {
			return fault.New(fault.NotFound, "user.not_found")
		}
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		changed, err := change(tx, ctx, user, identity.Membership{InstitutionID: in, Role: role})
		if err != nil || !changed {
			return err
		}
		return tx.Audit(ctx, s.entry(in, by, kind, map[string]any{"user": string(user), "role": string(role)}))
	})
}

func mayAdminister(by identity.Actor, in identity.InstitutionID) bool {
	return by.Operates() || by.Has(in, identity.Admin)
}

package store

import (
	"context"

	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// Institution keeps schools and organisations and who belongs to them.
type Institution struct{ conn }

var _ institution.Store = (*Institution)(nil)

// Institution gives the store of the institution domain.
func (db *DB) Institution() *Institution { return &Institution{conn{db: db}} }

// InTx implements institution.Store. See inTx: fn may run again after a deadlock.
func (s *Institution) InTx(ctx context.Context, fn func(institution.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Institution{c}) })
}

type institutionRow struct {
	ID        key
	Slug      string
	Name      string
	CreatedAt instant
	Fallbacks doc[map[string][]string]
	Locale    string

	Names       doc[map[string]string]
	Country     string
	Domain      *string
	Ownership   doc[institution.Ownership]
	Logo        *doc[institution.Picture]
	Signatories doc[[]institution.Signatory]
}

func (institutionRow) TableName() string { return "institutions" }

func (r institutionRow) institution() institution.Institution {
	if len(r.Fallbacks.v) == 0 {
		r.Fallbacks.v = nil
	}
	i := institution.Institution{
		ID: identity.InstitutionID(r.ID), Slug: r.Slug, Name: r.Name, CreatedAt: r.CreatedAt.t, Fallbacks: r.Fallbacks.v, Locale: r.Locale,
		Country: r.Country,
	}
	if len(r.Names.v) > 0 {
		i.Names = r.Names.v
	}
	i.Ownership = r.Ownership.v
	if r.Domain != nil {
		i.Domain = *r.Domain
	}
	if r.Logo != nil {
		i.Logo = &r.Logo.v
	}
	if len(r.Signatories.v) > 0 {
		i.Signatories = r.Signatories.v
	}
	return i
}

// CreateInstitution implements institution.Store.
func (s *Institution) CreateInstitution(ctx context.Context, i institution.Institution) error {
	row := institutionRow{
		ID: key(i.ID), Slug: i.Slug, Name: i.Name, CreatedAt: at(i.CreatedAt), Fallbacks: fallbacksDoc(i.Fallbacks), Locale: i.Locale,
		Names: namesDoc(i.Names), Country: i.Country, Signatories: doc[[]institution.Signatory]{[]institution.Signatory{}},
	}
	return s.db.taken(s.write(ctx).Create(&row).Error, "institution.slug_taken")
}

func fallbacksDoc(f map[string][]string) doc[map[string][]string] {
	if f == nil {
		f = map[string][]string{}
	}
	return doc[map[string][]string]{f}
}

func namesDoc(names map[string]string) doc[map[string]string] {
	if names == nil {
		names = map[string]string{}
	}
	return doc[map[string]string]{names}
}

// UpdateInstitution implements institution.Store.
func (s *Institution) UpdateInstitution(ctx context.Context, id identity.InstitutionID, c institution.Change) error {
	if !key(id).valid() {
		return fault.New(fault.NotFound, "institution.not_found")
	}
	set := map[string]any{}
	if c.Name != nil {
		set["name"] = *c.Name
	}
	if c.Names != nil {
		set["names"] = namesDoc(*c.Names)
	}
	if c.Country != nil {
		set["country"] = *c.Country
	}
	if c.Domain != nil {
		if set["domain"] = *c.Domain; *c.Domain == "" {
			set["domain"] = nil
		}
	}
	if c.Ownership != nil {
		set["ownership"] = doc[institution.Ownership]{*c.Ownership}
	}
	if c.Signatories != nil {
		set["signatories"] = doc[[]institution.Signatory]{*c.Signatories}
	}
	if c.Logo != nil {
		if set["logo"] = nil; *c.Logo != nil {
			set["logo"] = doc[institution.Picture]{**c.Logo}
		}
	}
	if c.Fallbacks != nil {
		set["fallbacks"] = fallbacksDoc(*c.Fallbacks)
	}
	if c.Locale != nil {
		if err := checkText(*c.Locale); err != nil {
			return err
		}
		set["locale"] = *c.Locale
	}
	if len(set) == 0 {
		_, err := s.FindInstitution(ctx, id)
		return err
	}
	res := s.write(ctx).Model(&institutionRow{}).Where("id = ?", key(id)).Updates(set)
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.New(fault.NotFound, "institution.not_found")
	}
	return s.db.taken(res.Error, "institution.domain_taken")
}

// LockInstitution implements institution.Store.
func (s *Institution) LockInstitution(ctx context.Context, id identity.InstitutionID) (institution.Institution, error) {
	rows, err := many(s.conn, s.read(ctx).Raw(`SELECT * FROM institutions WHERE id = ?`+s.db.dialect.locked(), key(id)), institutionRow.institution)
	if err != nil {
		return institution.Institution{}, s.db.missing(err, "institution.not_found")
	}
	if len(rows) == 0 {
		return institution.Institution{}, fault.New(fault.NotFound, "institution.not_found")
	}
	return rows[0], nil
}

// FindInstitutionByDomain implements institution.Store.
func (s *Institution) FindInstitutionByDomain(ctx context.Context, domain string) (institution.Institution, error) {
	r, err := one[institutionRow](s.conn, s.read(ctx).Where("domain = ?", domain), "institution.not_found")
	return r.institution(), err
}

// FindInstitution implements institution.Store.
func (s *Institution) FindInstitution(ctx context.Context, id identity.InstitutionID) (institution.Institution, error) {
	r, err := one[institutionRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "institution.not_found")
	return r.institution(), err
}

// FindInstitutionBySlug implements institution.Store.
func (s *Institution) FindInstitutionBySlug(ctx context.Context, slug string) (institution.Institution, error) {
	r, err := one[institutionRow](s.conn, s.read(ctx).Where("slug = ?", slug), "institution.not_found")
	return r.institution(), err
}

// ListInstitutions implements institution.Store.
func (s *Institution) ListInstitutions(ctx context.Context, after identity.InstitutionID, limit int) ([]institution.Institution, error) {
	return many(s.conn, forward(s.read(ctx), "id", key(after), limit), institutionRow.institution)
}

// ListMembers implements institution.Store.
func (s *Institution) ListMembers(ctx context.Context, in identity.InstitutionID, after identity.UserID, limit int) ([]institution.Member, error) {
	members := []institution.Member{}
	if !key(in).valid() {
		return members, nil
	}
	var rows []struct {
		UserID      key
		Username    string
		DisplayName string
		Role        identity.Role
	}
	page := forward(s.read(ctx).Table("memberships").Distinct("user_id").Where("institution_id = ?", key(in)), "user_id", key(after), limit)
	err := s.read(ctx).Table("memberships").
		Select("memberships.user_id, users.username, users.display_name, memberships.role").
		Joins("JOIN users ON users.id = memberships.user_id").
		Where("memberships.institution_id = ? AND memberships.user_id IN (?)", key(in), page).
		Order("memberships.user_id, memberships.role").Find(&rows).Error
	for _, r := range rows {
		if n := len(members); n == 0 || members[n-1].UserID != identity.UserID(r.UserID) {
			members = append(members, institution.Member{
				UserID: identity.UserID(r.UserID), Username: r.Username, DisplayName: r.DisplayName,
			})
		}
		m := &members[len(members)-1]
		m.Roles = append(m.Roles, r.Role)
	}
	return members, s.db.fail(err)
}

// AddMembership implements institution.Store. A user or an institution that
// does not exist is fault.NotFound.
func (s *Institution) AddMembership(ctx context.Context, user identity.UserID, m identity.Membership) (changed bool, err error) {
	err = s.inTx(ctx, func(c conn) error {
		changed, err = addMembership(ctx, c, user, m)
		return err
	})
	return changed, err
}

// addMembership looks for the two first: a broken reference would not tell which one is absent.
func addMembership(ctx context.Context, c conn, user identity.UserID, m identity.Membership) (bool, error) {
	if _, err := (&Identity{c}).FindUser(ctx, user); err != nil {
		return false, err
	}
	if _, err := (&Institution{c}).FindInstitution(ctx, m.InstitutionID); err != nil {
		return false, err
	}
	res := c.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).
		Create(&membershipRow{UserID: key(user), InstitutionID: key(m.InstitutionID), Role: m.Role})
	return res.RowsAffected == 1, c.db.fail(res.Error)
}

// RemoveMembership implements institution.Store.
func (s *Institution) RemoveMembership(ctx context.Context, user identity.UserID, m identity.Membership) (bool, error) {
	if !key(user).valid() || !key(m.InstitutionID).valid() {
		return false, nil
	}
	res := s.write(ctx).Where("user_id = ? AND institution_id = ? AND role = ?", key(user), key(m.InstitutionID), m.Role).
		Delete(&membershipRow{})
	return res.RowsAffected == 1, s.db.fail(res.Error)
}

package store

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Identity keeps people, sessions, tokens and failed sign-ins.
type Identity struct{ conn }

var _ identity.Store = (*Identity)(nil)

// Identity gives the store of the identity domain.
func (db *DB) Identity() *Identity { return &Identity{conn{db: db}} }

type userRow struct {
	ID           key
	Username     string
	DisplayName  string
	Locale       string
	Operator     bool
	PasswordHash string
	CreatedAt    instant
	ErasedAt     instant
}

func (userRow) TableName() string { return "users" }

func (r userRow) user() identity.User {
	return identity.User{
		ID: identity.UserID(r.ID), Username: r.Username, DisplayName: r.DisplayName,
		Locale: r.Locale, Operator: r.Operator, CreatedAt: r.CreatedAt.t, Erased: !r.ErasedAt.t.IsZero(),
	}
}

type membershipRow struct {
	UserID        key
	InstitutionID key
	Role          identity.Role
}

func (membershipRow) TableName() string { return "memberships" }

func (r membershipRow) membership() identity.Membership {
	return identity.Membership{InstitutionID: identity.InstitutionID(r.InstitutionID), Role: r.Role}
}

// CreateUser implements identity.Store.
func (s *Identity) CreateUser(ctx context.Context, u identity.User, passwordHash string, ms []identity.Membership, log ...audit.Entry) error {
	return s.inTx(ctx, func(c conn) error {
		err := c.write(ctx).Create(&userRow{
			ID: key(u.ID), Username: u.Username, DisplayName: u.DisplayName, Locale: u.Locale,
			Operator: u.Operator, PasswordHash: passwordHash, CreatedAt: at(u.CreatedAt),
		}).Error
		if err != nil {
			return c.db.taken(err, "user.username_taken")
		}
		for _, m := range ms {
			if _, err := addMembership(ctx, c, u.ID, m); err != nil {
				return err
			}
		}
		for _, e := range log {
			if err := c.Audit(ctx, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// FindUser implements identity.Store.
func (s *Identity) FindUser(ctx context.Context, id identity.UserID) (identity.User, error) {
	r, err := one[userRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "user.not_found")
	return r.user(), err
}

// FindUsers implements identity.Store.
func (s *Identity) FindUsers(ctx context.Context, ids []identity.UserID) (map[identity.UserID]identity.User, error) {
	out := make(map[identity.UserID]identity.User, len(ids))
	us, err := among(s.conn, keys(ids), func(part []key) *gorm.DB { return s.read(ctx).Where("id IN ?", part) }, userRow.user)
	for _, u := range us {
		out[u.ID] = u
	}
	return out, err
}

// FindUserByName implements identity.Store.
func (s *Identity) FindUserByName(ctx context.Context, username string) (identity.User, string, error) {
	r, err := one[userRow](s.conn, s.read(ctx).Where("username = ? AND erased_at IS NULL", username), "user.not_found")
	return r.user(), r.PasswordHash, err
}

// UpdateUser implements identity.Store.
func (s *Identity) UpdateUser(ctx context.Context, id identity.UserID, displayName, locale string) error {
	return changed(s.conn, s.write(ctx).Model(&userRow{}).Where("id = ?", key(id)).
		Updates(map[string]any{"display_name": displayName, "locale": locale}), "user.not_found")
}

// SetPassword implements identity.Store.
func (s *Identity) SetPassword(ctx context.Context, id identity.UserID, passwordHash string, keep identity.SessionID, now time.Time) error {
	return s.inTx(ctx, func(c conn) error {
		err := changed(c, c.write(ctx).Model(&userRow{}).Where("id = ?", key(id)).
			Update("password_hash", passwordHash), "user.not_found")
		if err != nil {
			return err
		}
		others, leases := c.write(ctx).Where("user_id = ?", key(id)), c.write(ctx).Model(&deviceRow{}).Where("user_id = ? AND lease_until > ?", key(id), at(now))
		if keep != "" {
			others = others.Where("id <> ?", key(keep))
			var own sessionRow
			if err := c.write(ctx).Where("id = ? AND user_id = ? AND device_id IS NOT NULL", key(keep), key(id)).Limit(1).Find(&own).Error; err != nil {
				return c.db.fail(err)
			}
			if own.DeviceID != nil {
				leases = leases.Where("id <> ?", *own.DeviceID)
			}
		}
		if err := leases.Update("lease_until", at(now)).Error; err != nil {
			return c.db.fail(err)
		}
		return c.db.fail(others.Delete(&sessionRow{}).Error)
	})
}

// ListMemberships implements identity.Store.
func (s *Identity) ListMemberships(ctx context.Context, id identity.UserID) ([]identity.Membership, error) {
	if !key(id).valid() {
		return []identity.Membership{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ?", key(id)).Order("institution_id, role"), membershipRow.membership)
}

type sessionRow struct {
	ID         key
	UserID     key
	TokenHash  string
	UserAgent  string
	DeviceID   *key
	Limited    bool
	CreatedAt  instant
	LastSeenAt instant
	ExpiresAt  instant
}

func (sessionRow) TableName() string { return "sessions" }

func (r sessionRow) session() identity.Session {
	return identity.Session{
		ID: identity.SessionID(r.ID), UserID: identity.UserID(r.UserID), UserAgent: r.UserAgent,
		Device: identity.DeviceID(r.DeviceID.text()), Limited: r.Limited,
		CreatedAt: r.CreatedAt.t, LastSeenAt: r.LastSeenAt.t, ExpiresAt: r.ExpiresAt.t,
	}
}

// CreateSession implements identity.Store.
//
// What has expired of the same person goes at the same time: nothing else ever looks at it again.
func (s *Identity) CreateSession(ctx context.Context, n identity.Session, h identity.SecretHash) error {
	return s.inTx(ctx, func(c conn) error {
		if err := c.write(ctx).Where("user_id = ? AND expires_at <= ?", key(n.UserID), at(n.CreatedAt)).Delete(&sessionRow{}).Error; err != nil {
			return err
		}
		return c.write(ctx).Create(&sessionRow{
			ID: key(n.ID), UserID: key(n.UserID), TokenHash: string(h), UserAgent: n.UserAgent, DeviceID: maybeKey(n.Device), Limited: n.Limited,
			CreatedAt: at(n.CreatedAt), LastSeenAt: at(n.LastSeenAt), ExpiresAt: at(n.ExpiresAt),
		}).Error
	})
}

// holder is one row of: who holds this secret, and one of their memberships.
type holder struct {
	Username      string
	DisplayName   string
	Locale        string
	Operator      bool
	UserCreatedAt instant
	InstitutionID *string
	Role          *identity.Role

	InstitutionLocale *string
}

// holderColumns and joinMemberships go with holder: one query, for it is asked with every request.
const (
	holderColumns = "users.username, users.display_name, users.locale, users.operator, users.created_at AS user_created_at, " +
		"memberships.institution_id, memberships.role, institutions.locale AS institution_locale"
	joinMemberships = "LEFT JOIN memberships ON memberships.user_id = users.id LEFT JOIN institutions ON institutions.id = memberships.institution_id"
)

// held puts the rows of one person together. There is one at least.
func held[R any](id identity.UserID, rows []R, of func(R) holder) (identity.User, []identity.Membership) {
	h := of(rows[0])
	u := identity.User{
		ID: id, Username: h.Username, DisplayName: h.DisplayName, Locale: h.Locale,
		Operator: h.Operator, CreatedAt: h.UserCreatedAt.t,
	}
	var ms []identity.Membership
	for _, row := range rows {
		r := of(row)
		if r.InstitutionID != nil && r.Role != nil {
			ms = append(ms, identity.Membership{InstitutionID: identity.InstitutionID(*r.InstitutionID), Role: *r.Role})
		}
		if u.InstitutionLocale == "" && r.InstitutionLocale != nil {
			u.InstitutionLocale = *r.InstitutionLocale
		}
	}
	return u, ms
}

// FindSession implements identity.Store.
func (s *Identity) FindSession(ctx context.Context, h identity.SecretHash, now time.Time) (identity.Session, identity.User, []identity.Membership, error) {
	type row struct {
		sessionRow
		holder
	}
	rows, err := query(ctx, s.readPool(), func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.ID, &r.UserID, &r.UserAgent, &r.DeviceID, &r.Limited, &r.CreatedAt, &r.LastSeenAt, &r.ExpiresAt,
			&r.Username, &r.DisplayName, &r.Locale, &r.Operator, &r.UserCreatedAt, &r.InstitutionID, &r.Role, &r.InstitutionLocale)
		return r, err
	}, `SELECT sessions.id, sessions.user_id, sessions.user_agent, sessions.device_id, sessions.limited,
			sessions.created_at, sessions.last_seen_at, sessions.expires_at, `+holderColumns+`
		FROM sessions JOIN users ON users.id = sessions.user_id `+joinMemberships+`
		WHERE sessions.token_hash = $1 AND sessions.expires_at > $2 AND users.erased_at IS NULL ORDER BY memberships.institution_id, memberships.role`, string(h), at(now))
	if err == nil && len(rows) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return identity.Session{}, identity.User{}, nil, s.db.missing(err, "session.not_found")
	}
	found := rows[0].session()
	u, ms := held(found.UserID, rows, func(r row) holder { return r.holder })
	return found, u, ms, nil
}

// TouchSession implements identity.Store.
func (s *Identity) TouchSession(ctx context.Context, id identity.SessionID, seen, expires time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&sessionRow{}).Where("id = ?", key(id)).
		Updates(map[string]any{"last_seen_at": at(seen), "expires_at": at(expires)}), "session.not_found")
}

// ListSessions implements identity.Store; newest first.
func (s *Identity) ListSessions(ctx context.Context, id identity.UserID, now time.Time) ([]identity.Session, error) {
	if !key(id).valid() {
		return []identity.Session{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ? AND expires_at > ?", key(id), at(now)).
		Order("id DESC"), sessionRow.session)
}

// DeleteSession implements identity.Store.
func (s *Identity) DeleteSession(ctx context.Context, user identity.UserID, id identity.SessionID) error {
	return changed(s.conn, s.write(ctx).Where("id = ? AND user_id = ?", key(id), key(user)).Delete(&sessionRow{}), "session.not_found")
}

type tokenRow struct {
	ID         key
	UserID     key
	TokenHash  string
	Name       string
	Scopes     doc[[]identity.Scope]
	CreatedAt  instant
	ExpiresAt  instant
	LastUsedAt instant
}

func (tokenRow) TableName() string { return "tokens" }

func (r tokenRow) token() identity.Token {
	return identity.Token{
		ID: identity.TokenID(r.ID), UserID: identity.UserID(r.UserID), Name: r.Name, Scopes: r.Scopes.v,
		CreatedAt: r.CreatedAt.t, ExpiresAt: r.ExpiresAt.t, LastUsedAt: r.LastUsedAt.t,
	}
}

// CreateToken implements identity.Store.
func (s *Identity) CreateToken(ctx context.Context, t identity.Token, h identity.SecretHash) error {
	// No scope is not every scope: nil would mean that to an Actor.
	scopes := append([]identity.Scope{}, t.Scopes...)
	for _, scope := range scopes {
		if err := checkText(string(scope)); err != nil {
			return err
		}
	}
	return s.db.fail(s.write(ctx).Create(&tokenRow{
		ID: key(t.ID), UserID: key(t.UserID), TokenHash: string(h), Name: t.Name, Scopes: doc[[]identity.Scope]{scopes},
		CreatedAt: at(t.CreatedAt), ExpiresAt: at(t.ExpiresAt), LastUsedAt: at(t.LastUsedAt),
	}).Error)
}

// FindToken implements identity.Store.
func (s *Identity) FindToken(ctx context.Context, h identity.SecretHash, now time.Time) (identity.Token, identity.User, []identity.Membership, error) {
	type row struct {
		Row    tokenRow `gorm:"embedded"`
		Holder holder   `gorm:"embedded"`
	}
	var rows []row
	err := s.read(ctx).Table("tokens").Select("tokens.*, "+holderColumns).
		Joins("JOIN users ON users.id = tokens.user_id").Joins(joinMemberships).
		Where("tokens.token_hash = ? AND tokens.expires_at > ?", string(h), at(now)).
		Order("memberships.institution_id, memberships.role").Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return identity.Token{}, identity.User{}, nil, s.db.missing(err, "token.not_found")
	}
	found := rows[0].Row.token()
	u, ms := held(found.UserID, rows, func(r row) holder { return r.Holder })
	return found, u, ms, nil
}

// TouchToken implements identity.Store.
func (s *Identity) TouchToken(ctx context.Context, id identity.TokenID, used time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&tokenRow{}).Where("id = ?", key(id)).
		Update("last_used_at", at(used)), "token.not_found")
}

// ListTokens implements identity.Store; newest first.
func (s *Identity) ListTokens(ctx context.Context, id identity.UserID, now time.Time) ([]identity.Token, error) {
	if !key(id).valid() {
		return []identity.Token{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ? AND expires_at > ?", key(id), at(now)).
		Order("id DESC"), tokenRow.token)
}

// DeleteToken implements identity.Store.
func (s *Identity) DeleteToken(ctx context.Context, user identity.UserID, id identity.TokenID) error {
	return changed(s.conn, s.write(ctx).Where("id = ? AND user_id = ?", key(id), key(user)).Delete(&tokenRow{}), "token.not_found")
}

type failureRow struct {
	ThrottleKey string
	Failures    int
	LastAt      instant
}

func (failureRow) TableName() string { return "sign_in_failures" }

func (r failureRow) throttle() identity.Throttle {
	return identity.Throttle{Failures: r.Failures, LastAt: r.LastAt.t}
}

// FindThrottle implements identity.Store.
func (s *Identity) FindThrottle(ctx context.Context, key string) (identity.Throttle, error) {
	r, err := one[failureRow](s.conn, s.read(ctx).Where("throttle_key = ?", key), "user.not_found")
	if fault.Is(err, fault.NotFound) {
		return identity.Throttle{}, nil
	}
	return r.throttle(), err
}

// keepFailures is how long a forgotten key is kept: names tried at random must not fill the disk.
const keepFailures = 24 * time.Hour

// AddFailure implements identity.Store.
func (s *Identity) AddFailure(ctx context.Context, key string, now, since time.Time) (identity.Throttle, error) {
	forgotten := now.Add(-keepFailures)
	if since.Before(forgotten) {
		forgotten = since
	}
	if err := s.write(ctx).Where("last_at < ?", at(forgotten)).Delete(&failureRow{}).Error; err != nil {
		return identity.Throttle{}, s.db.fail(err)
	}
	var r failureRow
	err := s.write(ctx).Raw(`INSERT INTO sign_in_failures (throttle_key, failures, last_at) VALUES (?, 1, ?)
		ON CONFLICT (throttle_key) DO UPDATE SET last_at = excluded.last_at,
			failures = CASE WHEN sign_in_failures.last_at < ? THEN 1 ELSE sign_in_failures.failures + 1 END
		RETURNING throttle_key, failures, last_at`, key, at(now), at(since)).Scan(&r).Error
	return r.throttle(), s.db.fail(err)
}

// ClearFailures implements identity.Store.
func (s *Identity) ClearFailures(ctx context.Context, key string) error {
	return s.db.fail(s.write(ctx).Where("throttle_key = ?", key).Delete(&failureRow{}).Error)
}

// ForgiveFailure implements identity.Store.
func (s *Identity) ForgiveFailure(ctx context.Context, key string) error {
	return s.inTx(ctx, func(c conn) error {
		res := c.write(ctx).Model(&failureRow{}).Where("throttle_key = ? AND failures > 1", key).
			Update("failures", gorm.Expr("failures - 1"))
		if res.Error != nil || res.RowsAffected > 0 {
			return c.db.fail(res.Error)
		}
		return c.db.fail(c.write(ctx).Where("throttle_key = ? AND failures = 1", key).Delete(&failureRow{}).Error)
	})
}

package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Credential keeps what was issued.
type Credential struct{ conn }

var _ credential.Store = (*Credential)(nil)

// Credential gives the store of the credential domain.
func (db *DB) Credential() *Credential { return &Credential{conn{db: db}} }

// InTx implements credential.Store. See inTx: fn may run again after a deadlock.
func (s *Credential) InTx(ctx context.Context, fn func(credential.Store) error) error {
	return s.inTx(ctx, func(c conn) error { return fn(&Credential{c}) })
}

type credentialRow struct {
	ID               key
	EnrollmentID     key
	UserID           key
	InstitutionID    key
	CourseID         string
	VersionID        key
	Name             string
	AchievementName  doc[curriculum.Text]
	Locale           string
	Document         []byte
	Assessment       credential.Assessment
	AIHelp           credential.AIHelp `gorm:"column:ai_help"`
	StatusListID     key
	SuspensionListID *key
	StatusIndex      int
	IssuedAt         instant
	ExpiresAt        instant
	RevokedAt        instant
	RevokedReason    string
	SuspendedAt      instant
	SuspendedReason  string
	ChangedAt        instant
	ErasedAt         instant
	KeyID            *key
	SignedAt         instant
}

func (credentialRow) TableName() string { return "credentials" }

func (r credentialRow) credential() credential.Credential {
	return credential.Credential{
		ID: credential.ID(r.ID), EnrollmentID: learning.EnrollmentID(r.EnrollmentID), UserID: identity.UserID(r.UserID),
		InstitutionID: identity.InstitutionID(r.InstitutionID), CourseID: curriculum.CourseID(r.CourseID),
		VersionID: curriculum.VersionID(r.VersionID), Name: r.Name, AchievementName: r.AchievementName.v, Locale: r.Locale,
		Document: r.Document, Assessment: r.Assessment, AIHelp: r.AIHelp,
		StatusListID: statuslist.ID(r.StatusListID), SuspensionListID: statuslist.ID(r.SuspensionListID.text()), StatusIndex: r.StatusIndex,
		IssuedAt: r.IssuedAt.t, ExpiresAt: r.ExpiresAt.pointer(), RevokedAt: r.RevokedAt.pointer(), RevokedReason: r.RevokedReason,
		SuspendedAt: r.SuspendedAt.pointer(), SuspendedReason: r.SuspendedReason, ChangedAt: r.ChangedAt.t,
		ErasedAt: r.ErasedAt.pointer(), KeyID: keyring.KeyID(r.KeyID.text()), SignedAt: r.SignedAt.t,
	}
}

// CreateCredential implements credential.Store.
func (s *Credential) CreateCredential(ctx context.Context, c credential.Credential) error {
	return createCredential(ctx, s.conn, c)
}

func createCredential(ctx context.Context, outer conn, c credential.Credential) error {
	for locale, name := range c.AchievementName {
		if err := checkText(locale, name); err != nil {
			return err
		}
	}
	return outer.inTx(ctx, func(s conn) error {
		err := s.write(ctx).Create(&credentialRow{
			ID: key(c.ID), EnrollmentID: key(c.EnrollmentID), UserID: key(c.UserID), InstitutionID: key(c.InstitutionID),
			CourseID: string(c.CourseID), VersionID: key(c.VersionID), Name: c.Name, AchievementName: doc[curriculum.Text]{c.AchievementName},
			Locale: c.Locale, Document: c.Document, Assessment: c.Assessment, AIHelp: c.AIHelp,
			StatusListID: key(c.StatusListID), SuspensionListID: maybeKey(c.SuspensionListID), StatusIndex: c.StatusIndex,
			IssuedAt: at(c.IssuedAt), ExpiresAt: maybeAt(c.ExpiresAt), RevokedAt: maybeAt(c.RevokedAt), RevokedReason: c.RevokedReason,
			SuspendedAt: maybeAt(c.SuspendedAt), SuspendedReason: c.SuspendedReason, ChangedAt: at(c.ChangedAt),
			KeyID: maybeKey(c.KeyID), SignedAt: at(c.SignedAt),
		}).Error
		if err != nil && s.db.dialect.repeats(err, "credentials", "status_list_id") {
			return s.db.taken(err, "credential.index_taken")
		}
		if err != nil {
			return s.db.taken(err, "credential.exists")
		}
		// The row refers to the person: no erasure of theirs can begin before our transaction ends. One that has ended is seen here.
		u, err := one[userRow](s, s.write(ctx).Select("id", "erased_at").Where("id = ?", key(c.UserID)), "user.not_found")
		if err == nil && !u.ErasedAt.t.IsZero() {
			err = fault.New(fault.Gone, "user.erased")
		}
		return err
	})
}

// FindCredential implements credential.Store.
func (s *Credential) FindCredential(ctx context.Context, id credential.ID) (credential.Credential, error) {
	r, err := one[credentialRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "credential.not_found")
	return r.credential(), err
}

// FindCredentialOf implements credential.Store.
func (s *Credential) FindCredentialOf(ctx context.Context, e learning.EnrollmentID) (credential.Credential, error) {
	r, err := one[credentialRow](s.conn, s.read(ctx).Where("enrollment_id = ?", key(e)), "credential.not_found")
	return r.credential(), err
}

// ListCredentials implements credential.Store.
func (s *Credential) ListCredentials(ctx context.Context, user identity.UserID, after credential.ID, limit int) ([]credential.Credential, error) {
	return s.list(ctx, "user_id = ?", key(user), key(after), limit)
}

// ListInstitutionCredentials implements credential.Store. On SQLite large and small letters are the same in the
// Latin alphabet alone.
func (s *Credential) ListInstitutionCredentials(ctx context.Context, in identity.InstitutionID, f credential.Filter, after credential.ID, limit int) ([]credential.Credential, error) {
	if !key(in).valid() {
		return []credential.Credential{}, nil
	}
	q := s.read(ctx).Where("institution_id = ?", key(in))
	switch {
	case key(f.Search).valid():
		q = q.Where("id = ?", key(f.Search))
	case f.Search != "":
		q = q.Where(`lower(name) LIKE lower(?) ESCAPE '!'`, "%"+likeEscaper.Replace(f.Search)+"%")
	}
	switch f.State {
	case credential.Revoked:
		q = q.Where("revoked_at IS NOT NULL")
	case credential.Suspended:
		q = q.Where("suspended_at IS NOT NULL AND revoked_at IS NULL")
	}
	return many(s.conn, forward(q, "id", key(after), limit), credentialRow.credential)
}

// likeEscaper makes a text mean itself in LIKE.
var likeEscaper = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// StampCredentials implements credential.Store.
func (s *Credential) StampCredentials(ctx context.Context, user identity.UserID) (credential.Stamp, error) {
	if !key(user).valid() {
		return credential.Stamp{}, nil
	}
	out, err := query(ctx, s.readPool(), func(rows *sql.Rows) (st credential.Stamp, err error) {
		var latest [3]instant
		err = rows.Scan(&st.Count, &latest[0], &latest[1], &latest[2])
		for _, i := range latest {
			if i.t.After(st.ChangedAt) {
				st.ChangedAt = i.t
			}
		}
		return st, err
	}, `SELECT count(*), max(issued_at), max(revoked_at), max(changed_at) FROM credentials WHERE user_id = $1`, key(user))
	if err != nil {
		return credential.Stamp{}, s.db.fail(err)
	}
	return out[0], nil
}

func (s *Credential) list(ctx context.Context, where string, whose, after key, limit int) ([]credential.Credential, error) {
	if !whose.valid() {
		return []credential.Credential{}, nil
	}
	return many(s.conn, forward(s.read(ctx).Where(where, whose), "id", after, limit), credentialRow.credential)
}

// ReplaceDocument implements credential.Store.
func (s *Credential) ReplaceDocument(ctx context.Context, c credential.Credential) error {
	return changed(s.conn, s.write(ctx).Model(&credentialRow{}).Where("id = ?", key(c.ID)).Updates(map[string]any{
		"document": c.Document, "key_id": maybeKey(c.KeyID), "signed_at": at(c.SignedAt), "changed_at": at(c.ChangedAt),
	}), "credential.not_found")
}

// CountRefused implements credential.Store.
func (s *Credential) CountRefused(ctx context.Context, in identity.InstitutionID) (map[keyring.KeyID]int, error) {
	return (&Keyring{s.conn}).CountRefused(ctx, in)
}

// ListRefused implements credential.Store.
func (s *Credential) ListRefused(ctx context.Context, by keyring.KeyID, after credential.ID, limit int) ([]credential.Credential, error) {
	const late = "key_id = ? AND signed_at >= (SELECT revoked_at FROM issuer_keys WHERE issuer_keys.id = key_id)"
	return s.list(ctx, late, key(by), key(after), limit)
}

// LockCredential implements credential.Store. Outside of a transaction it would hold nothing.
func (s *Credential) LockCredential(ctx context.Context, id credential.ID) (credential.Credential, error) {
	r, err := one[credentialRow](s.conn, s.write(ctx).Clauses(forUpdate).Where("id = ?", key(id)), "credential.not_found")
	return r.credential(), err
}

// UpdateStanding implements credential.Store.
func (s *Credential) UpdateStanding(ctx context.Context, c credential.Credential) error {
	return changed(s.conn, s.write(ctx).Model(&credentialRow{}).Where("id = ?", key(c.ID)).Updates(map[string]any{
		"revoked_at": maybeAt(c.RevokedAt), "revoked_reason": c.RevokedReason,
		"suspended_at": maybeAt(c.SuspendedAt), "suspended_reason": c.SuspendedReason, "changed_at": at(c.ChangedAt),
	}), "credential.not_found")
}

// EndRenewal implements credential.Store.
func (s *Credential) EndRenewal(ctx context.Context, id keyring.KeyID, when time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&keyRow{}).Where("id = ?", key(id)).Update("renewal_ended_at", at(when)), "credential.key_not_found")
}

package store

import (
	"context"
	"database/sql"
	"time"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

type deviceRow struct {
	ID         key
	UserID     key
	Name       string
	PublicKey  doc[jwk]
	TokenHash  string
	Recovery   []byte
	Epoch      int
	CreatedAt  instant
	LastSeenAt instant
	LeaseUntil instant
	RevokedAt  instant
}

// jwk is a public key of P-256 as the column has it.
type jwk struct {
	Kty string `json:"kty"`
	Crv string `json:"crv"`
	X   string `json:"x"`
	Y   string `json:"y"`
}

func (deviceRow) TableName() string { return "devices" }

func (r deviceRow) device() identity.Device {
	return identity.Device{
		ID: identity.DeviceID(r.ID), UserID: identity.UserID(r.UserID), Name: r.Name,
		PublicKey: identity.PublicKey{X: r.PublicKey.v.X, Y: r.PublicKey.v.Y}, Epoch: r.Epoch,
		CreatedAt: r.CreatedAt.t, LastSeenAt: r.LastSeenAt.t, LeaseUntil: r.LeaseUntil.t, RevokedAt: r.RevokedAt.t,
	}
}

// SaveDevice implements identity.Store. The user's row is held meanwhile: of devices that come at the same time, no
// more than allowed are let in.
func (s *Identity) SaveDevice(ctx context.Context, d identity.Device, h identity.SecretHash, recovery []byte, session identity.SessionID) (identity.Device, []byte, error) {
	var saved deviceRow
	err := s.inTx(ctx, func(c conn) error {
		users, err := query(ctx, c.writePool(), scanText, `SELECT id FROM users WHERE id = $1`+c.db.dialect.locked(), key(d.UserID))
		if err == nil && len(users) == 0 {
			err = fault.New(fault.NotFound, "user.not_found")
		}
		if err != nil {
			return err
		}
		var all []deviceRow
		if err := c.write(ctx).Where("id = ? OR user_id = ?", key(d.ID), key(d.UserID)).Order("last_seen_at, id").Find(&all).Error; err != nil {
			return err
		}
		saved = deviceRow{
			ID: key(d.ID), UserID: key(d.UserID), Name: d.Name, PublicKey: doc[jwk]{jwk{"EC", "P-256", d.PublicKey.X, d.PublicKey.Y}},
			TokenHash: string(h), Recovery: recovery, Epoch: d.Epoch,
			CreatedAt: at(d.CreatedAt), LastSeenAt: at(d.LastSeenAt), LeaseUntil: at(d.LeaseUntil),
		}
		known, live := false, 0
		var dead []key
		for _, r := range all {
			switch {
			case r.ID == saved.ID && r.UserID != saved.UserID:
				return fault.New(fault.Conflict, "device.exists")
			case r.ID == saved.ID:
				known = true
				saved.Recovery, saved.Epoch, saved.CreatedAt = r.Recovery, r.Epoch, r.CreatedAt
			case r.device().Live(d.LastSeenAt):
				live++
			default:
				dead = append(dead, r.ID)
			}
		}
		if live >= identity.MaxDevices {
			return fault.New(fault.Conflict, "device.too_many").With("Most", identity.MaxDevices)
		}
		if beyond := live + len(dead) + 1 - identity.MaxDevicesKept; beyond > 0 {
			if err := c.write(ctx).Where("id IN ?", dead[:beyond]).Delete(&deviceRow{}).Error; err != nil {
				return err
			}
		}
		if known {
			err = c.write(ctx).Model(&deviceRow{}).Where("id = ?", saved.ID).Updates(map[string]any{
				"name": saved.Name, "public_key": saved.PublicKey, "token_hash": saved.TokenHash,
				"last_seen_at": saved.LastSeenAt, "lease_until": saved.LeaseUntil, "revoked_at": saved.RevokedAt,
			}).Error
		} else {
			err = c.write(ctx).Create(&saved).Error
		}
		if err != nil {
			return err
		}
		return c.write(ctx).Model(&sessionRow{}).Where("id = ? AND user_id = ?", key(session), saved.UserID).
			Update("device_id", saved.ID).Error
	})
	if err != nil {
		return identity.Device{}, nil, err
	}
	return saved.device(), saved.Recovery, nil
}

// FindDevice implements identity.Store.
func (s *Identity) FindDevice(ctx context.Context, id identity.DeviceID) (identity.Device, []byte, error) {
	r, err := one[deviceRow](s.conn, s.read(ctx).Where("id = ?", key(id)), "device.not_found")
	if err != nil {
		return identity.Device{}, nil, err
	}
	return r.device(), r.Recovery, nil
}

// FindDeviceByToken implements identity.Store.
func (s *Identity) FindDeviceByToken(ctx context.Context, h identity.SecretHash) (identity.Device, identity.User, []identity.Membership, error) {
	type row struct {
		deviceRow
		holder
	}
	rows, err := query(ctx, s.readPool(), func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.ID, &r.UserID, &r.Name, &r.PublicKey, &r.Epoch, &r.CreatedAt, &r.LastSeenAt, &r.LeaseUntil, &r.RevokedAt,
			&r.Username, &r.DisplayName, &r.Locale, &r.Operator, &r.UserCreatedAt, &r.InstitutionID, &r.Role, &r.InstitutionLocale)
		return r, err
	}, `SELECT devices.id, devices.user_id, devices.name, devices.public_key, devices.epoch,
			devices.created_at, devices.last_seen_at, devices.lease_until, devices.revoked_at, `+holderColumns+`
		FROM devices JOIN users ON users.id = devices.user_id `+joinMemberships+`
		WHERE devices.token_hash = $1 ORDER BY memberships.institution_id, memberships.role`, string(h))
	if err == nil && len(rows) == 0 {
		err = gorm.ErrRecordNotFound
	}
	if err != nil {
		return identity.Device{}, identity.User{}, nil, s.db.missing(err, "device.not_found")
	}
	found := rows[0].device()
	u, ms := held(found.UserID, rows, func(r row) holder { return r.holder })
	return found, u, ms, nil
}

// ListDevices implements identity.Store.
func (s *Identity) ListDevices(ctx context.Context, id identity.UserID) ([]identity.Device, error) {
	if !key(id).valid() {
		return []identity.Device{}, nil
	}
	return many(s.conn, s.read(ctx).Where("user_id = ? AND revoked_at IS NULL", key(id)).Order("id DESC"), deviceRow.device)
}

// RenewDevice implements identity.Store.
func (s *Identity) RenewDevice(ctx context.Context, id identity.DeviceID, seen, until time.Time) error {
	return changed(s.conn, s.write(ctx).Model(&deviceRow{}).Where("id = ? AND revoked_at IS NULL AND lease_until > ?", key(id), at(seen)).
		Updates(map[string]any{"last_seen_at": at(seen), "lease_until": at(until)}), "device.not_found")
}

// RevokeDevice implements identity.Store.
func (s *Identity) RevokeDevice(ctx context.Context, id identity.DeviceID, now time.Time) error {
	return s.inTx(ctx, func(c conn) error {
		r, err := one[deviceRow](c, c.write(ctx).Where("id = ?", key(id)), "device.not_found")
		if err != nil {
			return err
		}
		if err := c.write(ctx).Model(&deviceRow{}).Where("id = ? AND revoked_at IS NULL", key(id)).Update("revoked_at", at(now)).Error; err != nil {
			return err
		}
		return c.write(ctx).Where("user_id = ? AND device_id = ?", r.UserID, r.ID).Delete(&sessionRow{}).Error
	})
}

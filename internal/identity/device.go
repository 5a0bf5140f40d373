package identity

import (
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/fault"
)

// DeviceID is a UUIDv7, made by the device.
type DeviceID string

// Device is a phone or computer as one learner uses it: two learners of one phone have two. It may act for its
// learner, as a learner, without the password, while its lease lasts. The lease is renewed on contact.
type Device struct {
	ID         DeviceID
	UserID     UserID
	Name       string
	PublicKey  PublicKey // verifies exported work that the device has signed
	Epoch      int       // counts how often the device was found to be restored or cloned, from 1
	CreatedAt  time.Time
	LastSeenAt time.Time // a day exact
	LeaseUntil time.Time
	RevokedAt  time.Time // zero while it is not
}

// Live tells whether the device may act at a time.
func (d Device) Live(at time.Time) bool { return d.RevokedAt.IsZero() && at.Before(d.LeaseUntil) }

// PublicKey is a point of P-256 as a JSON Web Key has it (RFC 7518, 6.2.1): base64url without padding, 32 bytes each.
type PublicKey struct{ X, Y string }

var errPublicKey = errors.New("not a public key of P-256")

// point gives the uncompressed form.
func (k PublicKey) point() ([]byte, error) {
	out := []byte{4}
	for _, s := range [...]string{k.X, k.Y} {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != 32 {
			return nil, errPublicKey
		}
		out = append(out, b...)
	}
	return out, nil
}

// ECDSA gives the key for verifying signatures. A point that is not on the curve is refused.
func (k PublicKey) ECDSA() (*ecdsa.PublicKey, error) {
	p, err := k.point()
	if err != nil {
		return nil, err
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), p)
}

// ECDH gives the key for agreeing on a secret.
func (k PublicKey) ECDH() (*ecdh.PublicKey, error) {
	p, err := k.point()
	if err != nil {
		return nil, err
	}
	return ecdh.P256().NewPublicKey(p)
}

func publicKeyOf(k *ecdh.PublicKey) PublicKey {
	p := k.Bytes()
	return PublicKey{X: base64.RawURLEncoding.EncodeToString(p[1:33]), Y: base64.RawURLEncoding.EncodeToString(p[33:])}
}

// Vault seals secrets at rest. What was sealed for one owner does not open for another.
type Vault interface {
	SealSecret(ctx context.Context, owner string, secret []byte) ([]byte, error)
	OpenSecret(ctx context.Context, owner string, sealed []byte) ([]byte, error)
}

// DefaultLease is how long a device lives without contact, when the service is told nothing else.
const DefaultLease = 90 * 24 * time.Hour

// renewEvery is how often a lease is renewed and the last contact noted, at most.
const renewEvery = 24 * time.Hour

// How many devices a learner has at most: with a lease, and in all. What is beyond the second goes, the longest unseen first.
const (
	MaxDevices     = 20
	MaxDevicesKept = 200
)

// deviceTokenMark tells a device's token from a machine's, and lets secret scanners find a leaked one.
const deviceTokenMark = "bd_"

func (s *Service) lease() time.Duration {
	if s.Lease > 0 {
		return s.Lease
	}
	return DefaultLease
}

// NewDevice is a device to make known.
type NewDevice struct {
	ID        DeviceID
	Name      string
	PublicKey PublicKey
}

// Registration is what a device learns when it is made known.
type Registration struct {
	Device Device
	Token  string // the device's secret, shown once
	// Recovery is a key to which the device may encrypt what the learner's PIN locks, see Recover.
	Recovery PublicKey
}

// RegisterDevice makes a device known and gives it a lease and a token. It needs the password: a session that the
// password opened. The same device again gets a new token and a new lease, and is no longer revoked; its recovery key
// stays. Another learner's id is fault.Conflict device.exists; beyond MaxDevices leases, device.too_many.
func (s *Service) RegisterDevice(ctx context.Context, by Actor, n NewDevice) (Registration, error) {
	if by.UserID == "" {
		return Registration{}, fault.New(fault.Unauthenticated, "session.required")
	}
	if by.Scopes != nil || by.SessionID == "" {
		return Registration{}, fault.New(fault.Denied, "device.password_needed")
	}
	n.Name = strings.TrimSpace(n.Name)
	bad := fault.New(fault.Invalid, "request.invalid")
	if c := utf8.RuneCountInString(n.Name); c < 1 || c > 80 || !CleanText(n.Name) {
		bad.At(fault.Detail{Pointer: "/name", Key: "device.bad_name"})
	}
	if _, err := n.PublicKey.ECDSA(); err != nil {
		bad.At(fault.Detail{Pointer: "/public_key", Key: "device.bad_key"})
	}
	if len(bad.Details) > 0 {
		return Registration{}, bad
	}
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Registration{}, fmt.Errorf("make a recovery key: %w", err)
	}
	sealed, err := s.Vault.SealSecret(ctx, RecoveryOwner(n.ID, by.UserID), key.Bytes())
	if err != nil {
		return Registration{}, fmt.Errorf("seal a recovery key: %w", err)
	}
	now := s.Now()
	secret := deviceTokenMark + NewSecret()
	d, sealed, err := s.Store.SaveDevice(ctx, Device{
		ID: n.ID, UserID: by.UserID, Name: n.Name, PublicKey: n.PublicKey, Epoch: 1,
		CreatedAt: now, LastSeenAt: now, LeaseUntil: now.Add(s.lease()),
	}, HashSecret(secret), sealed, by.SessionID)
	if err != nil {
		return Registration{}, err
	}
	if key, err = s.recoveryKey(ctx, d, sealed); err != nil {
		return Registration{}, err
	}
	return Registration{Device: d, Token: secret, Recovery: publicKeyOf(key.PublicKey())}, nil
}

// RecoveryOwner binds a sealed recovery key to its row.
func RecoveryOwner(id DeviceID, of UserID) string {
	return "device " + string(id) + " of " + string(of)
}

func (s *Service) recoveryKey(ctx context.Context, d Device, sealed []byte) (*ecdh.PrivateKey, error) {
	raw, err := s.Vault.OpenSecret(ctx, RecoveryOwner(d.ID, d.UserID), sealed)
	if err != nil {
		return nil, fmt.Errorf("open the recovery key of device %s: %w", d.ID, err)
	}
	return ecdh.P256().NewPrivateKey(raw)
}

// Recover agrees on a secret between the recovery key of one of the actor's own devices, which never leaves, and the
// other half of an envelope that the device made: ECDH on P-256, the 32 bytes of x. With it the device opens what a
// forgotten PIN locks. It needs the password in the same call, whoever is signed in; wrong ones are throttled like
// sign-ins. A revoked device is served too: its learner has proved who they are.
func (s *Service) Recover(ctx context.Context, by Actor, id DeviceID, password string, other PublicKey) ([]byte, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(ScopeLearn) {
		return nil, fault.New(fault.Denied, "token.scope_missing")
	}
	point, err := other.ECDH()
	if err != nil {
		return nil, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/key", Key: "device.bad_key"})
	}
	if _, err := s.authenticate(ctx, by.Username, password, ""); err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			return nil, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/password", Key: "user.wrong_password"})
		}
		return nil, err
	}
	d, sealed, err := s.Store.FindDevice(ctx, id)
	if err == nil && !by.Is(d.UserID) {
		err = fault.New(fault.NotFound, "device.not_found")
	}
	if err != nil {
		return nil, err
	}
	key, err := s.recoveryKey(ctx, d, sealed)
	if err != nil {
		return nil, err
	}
	secret, err := key.ECDH(point)
	if err != nil {
		return nil, fmt.Errorf("recover device %s: %w", id, err)
	}
	return secret, nil
}

// FindDevice gives a device, live or not. For our own services: it checks nothing.
func (s *Service) FindDevice(ctx context.Context, id DeviceID) (Device, error) {
	d, _, err := s.Store.FindDevice(ctx, id)
	return d, err
}

// ListDevices lists the actor's own devices that are not revoked, the newest first.
func (s *Service) ListDevices(ctx context.Context, by Actor) ([]Device, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	return s.Store.ListDevices(ctx, by.UserID)
}

// ListMemberDevices lists the devices of somebody in an institution. For its admins and the operator.
func (s *Service) ListMemberDevices(ctx context.Context, by Actor, in InstitutionID, of UserID) ([]Device, error) {
	if !by.Operates() && !by.Has(in, Admin) {
		return nil, fault.New(fault.Denied, "institution.members_denied")
	}
	ms, err := s.Store.ListMemberships(ctx, of)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(ms, func(m Membership) bool { return m.InstitutionID == in }) {
		return nil, fault.New(fault.NotFound, "user.not_found")
	}
	return s.Store.ListDevices(ctx, of)
}

// RevokeDevice ends what a device may do, and its sessions; what is on it stays there. Its learner may, the device
// itself, an admin of an institution that the learner belongs to, and the operator; to others it is not found. Twice
// is no error.
func (s *Service) RevokeDevice(ctx context.Context, by Actor, id DeviceID) error {
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	itself := by.Device != "" && by.Device == id
	if !itself && !by.Scoped(ScopeAdmin) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	d, _, err := s.Store.FindDevice(ctx, id)
	if err != nil {
		return err
	}
	if !itself && !by.Is(d.UserID) && !by.Operates() {
		ms, err := s.Store.ListMemberships(ctx, d.UserID)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(ms, func(m Membership) bool { return by.Has(m.InstitutionID, Admin) }) {
			return fault.New(fault.NotFound, "device.not_found")
		}
	}
	return s.Store.RevokeDevice(ctx, id, s.Now())
}

// actorByDevice gives the actor of a device's token: its learner, as far as learning goes.
func (s *Service) actorByDevice(ctx context.Context, secret string) (Actor, User, error) {
	d, u, ms, err := s.Store.FindDeviceByToken(ctx, HashSecret(secret))
	if fault.Is(err, fault.NotFound) {
		return Actor{}, User{}, fault.New(fault.Unauthenticated, "token.unknown")
	}
	if err != nil {
		return Actor{}, User{}, err
	}
	if _, err := s.contact(ctx, d); err != nil {
		return Actor{}, User{}, err
	}
	return Actor{
		UserID: u.ID, Username: u.Username, Operator: u.Operator, Memberships: ms, Scopes: []Scope{ScopeLearn}, Device: d.ID,
	}, u, nil
}

// contact notes that a device was here and renews its lease, at most once a day. One that is revoked or whose lease is
// over is fault.Unauthenticated.
func (s *Service) contact(ctx context.Context, d Device) (Device, error) {
	now := s.Now()
	switch {
	case !d.RevokedAt.IsZero():
		return d, fault.New(fault.Unauthenticated, "device.revoked")
	case !d.Live(now):
		return d, fault.New(fault.Unauthenticated, "device.lease_expired")
	case now.Sub(d.LastSeenAt) < renewEvery:
		return d, nil
	}
	until := now.Add(s.lease())
	err := s.Store.RenewDevice(ctx, d.ID, now, until)
	if fault.Is(err, fault.NotFound) { // revoked this very moment
		return d, fault.New(fault.Unauthenticated, "device.revoked")
	}
	d.LastSeenAt, d.LeaseUntil = now, until
	return d, err
}

// OpenDeviceSession opens a session for a device that has shown its token. Such a session reaches what the token
// reaches, and lasts no longer than the lease.
func (s *Service) OpenDeviceSession(ctx context.Context, by Actor, userAgent string) (Session, string, error) {
	if by.Anonymous() {
		return Session{}, "", fault.New(fault.Unauthenticated, "session.required")
	}
	if by.Device == "" || by.SessionID != "" {
		return Session{}, "", fault.New(fault.Denied, "device.token_needed")
	}
	d, err := s.FindDevice(ctx, by.Device)
	if err != nil {
		return Session{}, "", err
	}
	now := s.Now()
	secret := NewSecret()
	sess := Session{
		ID: SessionID(s.NewID()), UserID: by.UserID, UserAgent: cut(userAgent, 300), Device: d.ID, Limited: true,
		CreatedAt: now, LastSeenAt: now, ExpiresAt: earlier(now.Add(IdleLife), d.LeaseUntil),
	}
	return sess, secret, s.Store.CreateSession(ctx, sess, HashSecret(secret))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

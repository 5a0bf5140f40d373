package identity_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// drawer is a vault that hides nothing but keeps owners apart, as the real one does.
type drawer struct{}

func (drawer) SealSecret(_ context.Context, owner string, secret []byte) ([]byte, error) {
	return append([]byte(owner+"\n"), secret...), nil
}

func (drawer) OpenSecret(_ context.Context, owner string, sealed []byte) ([]byte, error) {
	secret, ok := bytes.CutPrefix(sealed, []byte(owner+"\n"))
	if !ok {
		return nil, errors.New("another's")
	}
	return secret, nil
}

func newHalf(t *testing.T) (*ecdh.PrivateKey, identity.PublicKey) {
	t.Helper()
	k, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := k.PublicKey().Bytes()
	return k, identity.PublicKey{X: base64.RawURLEncoding.EncodeToString(p[1:33]), Y: base64.RawURLEncoding.EncodeToString(p[33:])}
}

// phone makes a device known to somebody who has just signed in.
func (o *office) phone(by identity.Actor) identity.Registration {
	o.Helper()
	_, key := newHalf(o.T)
	r, err := o.RegisterDevice(o.Context(), by, identity.NewDevice{ID: identity.DeviceID(uuid.Must(uuid.NewV7()).String()), Name: " Phone ", PublicKey: key})
	o.must(err)
	return r
}

func (o *office) tokenKey(token string) string {
	o.Helper()
	_, _, err := o.ActorByToken(o.Context(), token)
	return keyOf(err)
}

func TestDeviceLease(t *testing.T) {
	for _, tt := range []struct{ lease, lasts time.Duration }{{0, identity.DefaultLease}, {7 * day, 7 * day}} {
		o := newOffice(t)
		o.Vault, o.Lease = drawer{}, tt.lease
		amina := o.user("amina")
		a, _ := o.actor(amina)
		d := o.phone(a)
		began := o.clock()
		if !d.Device.LeaseUntil.Equal(began.Add(tt.lasts)) || d.Device.Name != "Phone" || !strings.HasPrefix(d.Token, "bd_") {
			t.Errorf("%+v", d)
		}
		by, who, err := o.ActorByToken(t.Context(), d.Token)
		o.must(err)
		if who != amina || !by.Is(amina.ID) || by.Device != d.Device.ID || by.SessionID != "" || by.Scoped(identity.ScopeAdmin) || !by.Scoped(identity.ScopeLearn) {
			t.Errorf("the actor of a device is %+v", by)
		}
		stored := func() identity.Device {
			t.Helper()
			got, err := o.FindDevice(t.Context(), d.Device.ID)
			o.must(err)
			return got
		}
		o.pass(day - time.Second)
		if key := o.tokenKey(d.Token); key != "" || !stored().LastSeenAt.Equal(began) {
			t.Errorf("%s, written again within a day: %+v", key, stored())
		}
		o.pass(time.Second)
		if key := o.tokenKey(d.Token); key != "" || !stored().LastSeenAt.Equal(o.clock()) || !stored().LeaseUntil.Equal(o.clock().Add(tt.lasts)) {
			t.Errorf("%s, not renewed after a day: %+v", key, stored())
		}
		o.pass(tt.lasts - time.Second)
		if key := o.tokenKey(d.Token); key != "" {
			t.Errorf("a second before the end: %s", key)
		}
		o.pass(tt.lasts)
		if key := o.tokenKey(d.Token); key != "device.lease_expired" {
			t.Errorf("at the end: %q", key)
		}
		// The password makes it known again: the same device, another token.
		a, _ = o.actor(amina)
		_, key := newHalf(t)
		again, err := o.RegisterDevice(t.Context(), a, identity.NewDevice{ID: d.Device.ID, Name: "Phone", PublicKey: key})
		o.must(err)
		if again.Recovery != d.Recovery || again.Token == d.Token || o.tokenKey(again.Token) != "" || o.tokenKey(d.Token) != "token.unknown" {
			t.Errorf("known again: %+v", again)
		}
	}
}

func TestDeviceIsMadeKnownByPassword(t *testing.T) {
	o := newOffice(t)
	o.Vault = drawer{}
	ctx := t.Context()
	amina := o.user("amina")
	a, _ := o.actor(amina)
	_, key := newHalf(t)
	n := identity.NewDevice{ID: identity.DeviceID(uuid.Must(uuid.NewV7()).String()), Name: "Phone", PublicKey: key}
	d := o.phone(a)
	byDevice, _, err := o.ActorByToken(ctx, d.Token)
	o.must(err)
	_, secret, err := o.OpenDeviceSession(ctx, byDevice, "test")
	o.must(err)
	byItsSession, _, err := o.ActorBySession(ctx, secret)
	o.must(err)
	if byItsSession.Scoped(identity.ScopeAdmin) || byItsSession.Device != d.Device.ID {
		t.Errorf("a session without the password reaches too far: %+v", byItsSession)
	}
	for _, tt := range []struct {
		name string
		by   identity.Actor
		code fault.Code
		key  string
	}{
		{"nobody", identity.Actor{}, fault.Unauthenticated, "session.required"},
		{"a machine", identity.Actor{UserID: amina.ID, Scopes: []identity.Scope{identity.ScopeAdmin}}, fault.Denied, "device.password_needed"},
		{"a device", byDevice, fault.Denied, "device.password_needed"},
		{"a device's session", byItsSession, fault.Denied, "device.password_needed"},
	} {
		_, err := o.RegisterDevice(ctx, tt.by, n)
		want(t, err, tt.code, tt.key)
	}
	for name, bad := range map[string]identity.NewDevice{
		"/name device.bad_name":      {ID: n.ID, Name: " \t ", PublicKey: key},
		"/public_key device.bad_key": {ID: n.ID, Name: "Phone", PublicKey: identity.PublicKey{X: key.X, Y: key.X}}, // not on the curve
	} {
		_, err := o.RegisterDevice(ctx, a, bad)
		var f *fault.Error
		if !errors.As(err, &f) || len(f.Details) != 1 || f.Details[0].Pointer+" "+f.Details[0].Key != name {
			t.Errorf("%v, want %s", err, name)
		}
	}
	// The token opens sessions; what it opened does not.
	_, _, err = o.OpenDeviceSession(ctx, byItsSession, "test")
	want(t, err, fault.Denied, "device.token_needed")
	_, _, err = o.OpenDeviceSession(ctx, a, "test")
	want(t, err, fault.Denied, "device.token_needed")
}

// A session that a device opened ends with the lease, and keeps it alive while it is used.
func TestDeviceSessionFollowsTheLease(t *testing.T) {
	o := newOffice(t)
	o.Vault, o.Lease = drawer{}, 7*day
	a, _ := o.actor(o.user("amina"))
	d := o.phone(a)
	by, _, err := o.ActorByToken(t.Context(), d.Token)
	o.must(err)
	_, secret, err := o.OpenDeviceSession(t.Context(), by, "test")
	o.must(err)
	key := func() string {
		_, _, err := o.ActorBySession(t.Context(), secret)
		return keyOf(err)
	}
	for range 5 {
		o.pass(7*day - time.Second)
		if k := key(); k != "" {
			t.Fatalf("a session in use ended: %s", k)
		}
	}
	if k := o.tokenKey(d.Token); k != "" {
		t.Errorf("the lease was not renewed by its session: %s", k)
	}
	o.pass(7 * day)
	if k := key(); k != "session.ended" {
		t.Errorf("outlived the lease: %q", k)
	}
	// Also when the session itself would last longer than a lease that was cut short meanwhile.
	a, long := o.actor(identity.User{ID: by.UserID})
	d = o.phone(a)
	o.pass(7*day + time.Second)
	if _, _, err := o.ActorBySession(t.Context(), long); keyOf(err) != "session.ended" {
		t.Errorf("the session at which the device was made known outlived the lease: %v", err)
	}
}

func TestRevokeDevice(t *testing.T) {
	o := newOffice(t)
	o.Vault = drawer{}
	ctx := t.Context()
	here, elsewhere := identity.InstitutionID("here"), identity.InstitutionID("elsewhere")
	amina := o.user("amina")
	a, secret := o.actor(amina)
	d := o.phone(a)
	other := o.phone(a)
	byOther, _, err := o.ActorByToken(ctx, other.Token)
	o.must(err)
	admin := func(in identity.InstitutionID) identity.Actor {
		return identity.Actor{UserID: "admin", Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Admin}}}
	}
	want(t, o.RevokeDevice(ctx, identity.Actor{}, d.Device.ID), fault.Unauthenticated, "session.required")
	want(t, o.RevokeDevice(ctx, admin(here), d.Device.ID), fault.NotFound, "device.not_found") // she belongs to no institution
	want(t, o.RevokeDevice(ctx, admin(elsewhere), d.Device.ID), fault.NotFound, "device.not_found")
	want(t, o.RevokeDevice(ctx, byOther, d.Device.ID), fault.Denied, "token.scope_missing")
	badr, _ := o.actor(o.user("badr"))
	want(t, o.RevokeDevice(ctx, badr, d.Device.ID), fault.NotFound, "device.not_found")
	want(t, o.RevokeDevice(ctx, a, "nonsense"), fault.NotFound, "device.not_found")
	o.must(o.RevokeDevice(ctx, a, d.Device.ID))
	o.must(o.RevokeDevice(ctx, a, d.Device.ID))
	if k := o.tokenKey(d.Token); k != "device.revoked" {
		t.Errorf("revoked: %q", k)
	}
	if k := o.tokenKey(other.Token); k != "" {
		t.Errorf("the other one: %q", k)
	}
	o.must(o.RevokeDevice(ctx, byOther, other.Device.ID)) // itself
	if _, _, err := o.ActorBySession(ctx, secret); keyOf(err) != "session.ended" {
		t.Errorf("the session of the last device: %v", err)
	}
}

func TestRecover(t *testing.T) {
	o := newOffice(t)
	o.Vault = drawer{}
	ctx := t.Context()
	amina := o.user("amina")
	a, _ := o.actor(amina)
	d := o.phone(a)
	half, point := newHalf(t)
	recovery, err := d.Recovery.ECDH()
	o.must(err)
	agreed, err := half.ECDH(recovery)
	o.must(err)

	got, err := o.Recover(ctx, a, d.Device.ID, good, point)
	if err != nil || !bytes.Equal(got, agreed) {
		t.Errorf("%x, %v", got, err)
	}
	o.must(o.RevokeDevice(ctx, a, d.Device.ID))
	if got, err = o.Recover(ctx, a, d.Device.ID, good, point); err != nil || !bytes.Equal(got, agreed) {
		t.Errorf("revoked: %x, %v", got, err)
	}
	badr, _ := o.actor(o.user("badr"))
	_, err = o.Recover(ctx, badr, d.Device.ID, good, point)
	want(t, err, fault.NotFound, "device.not_found")
	_, err = o.Recover(ctx, identity.Actor{}, d.Device.ID, good, point)
	want(t, err, fault.Unauthenticated, "session.required")
	_, err = o.Recover(ctx, a, d.Device.ID, good, identity.PublicKey{X: point.X, Y: point.X})
	want(t, err, fault.Invalid, "/key device.bad_key")
	for range 5 {
		_, err = o.Recover(ctx, a, d.Device.ID, "a guess", point)
		want(t, err, fault.Invalid, "/password user.wrong_password")
	}
	_, err = o.Recover(ctx, a, d.Device.ID, "a guess", point)
	want(t, err, fault.TooMany, "session.throttled")
}

// Whoever changes the password because somebody knows it must be rid of them.
func TestNewPasswordEndsLeases(t *testing.T) {
	o := newOffice(t)
	o.Vault = drawer{}
	amina := o.user("amina")
	here, _ := o.actor(amina)
	there, _ := o.actor(amina)
	mine, theirs := o.phone(here), o.phone(there)
	here.Device = mine.Device.ID
	o.must(o.ChangePassword(t.Context(), here, good, "another horse"))
	if k := o.tokenKey(mine.Token); k != "" {
		t.Errorf("the own device: %s", k)
	}
	if k := o.tokenKey(theirs.Token); k != "device.lease_expired" {
		t.Errorf("the other device: %q", k)
	}
	o.must(o.ResetPassword(t.Context(), identity.System(), "amina", "third horse"))
	if k := o.tokenKey(mine.Token); k != "device.lease_expired" {
		t.Errorf("after a reset: %q", k)
	}
}

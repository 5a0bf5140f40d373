package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func exerciseDevices(t *testing.T, w *world, u identity.User) {
	ctx, s := t.Context(), w.Identity()
	u, err := s.FindUser(ctx, u.ID)
	ok(t, err)
	session := func(of identity.User, hash identity.SecretHash, device identity.DeviceID) identity.Session {
		n := identity.Session{
			ID: newID[identity.SessionID](), UserID: of.ID, UserAgent: "Chrome", Device: device, Limited: device != "",
			CreatedAt: noon, LastSeenAt: noon, ExpiresAt: noon.Add(time.Hour),
		}
		ok(t, s.CreateSession(ctx, n, hash))
		return n
	}
	device := func(of identity.User) identity.Device {
		return identity.Device{
			ID: newID[identity.DeviceID](), UserID: of.ID, Name: "هاتف", PublicKey: identity.PublicKey{X: "x", Y: "y"}, Epoch: 1,
			CreatedAt: noon, LastSeenAt: noon, LeaseUntil: noon.Add(48 * time.Hour),
		}
	}
	save := func(d identity.Device, hash identity.SecretHash, in identity.SessionID) identity.Device {
		t.Helper()
		got, _, err := s.SaveDevice(ctx, d, hash, []byte{0, 1, 255}, in)
		ok(t, err)
		return got
	}

	in := session(u, "ds1", "")
	d := device(u)
	equal(t, "saved device", save(d, "d1", in.ID), d)
	got, recovery, err := s.FindDevice(ctx, d.ID)
	ok(t, err)
	equal(t, "device", got, d)
	if !bytes.Equal(recovery, []byte{0, 1, 255}) {
		t.Errorf("recovery key %v", recovery)
	}
	got, who, ms, err := s.FindDeviceByToken(ctx, "d1")
	ok(t, err)
	equal(t, "device by token", got, d)
	equal(t, "its user", who, u)
	equal(t, "memberships", len(ms), 3)
	linked, _, _, err := s.FindSession(ctx, "ds1", noon)
	ok(t, err)
	in.Device = d.ID
	equal(t, "session at which it was made known", linked, in)
	opened := session(u, "ds2", d.ID)
	linked, _, _, err = s.FindSession(ctx, "ds2", noon)
	ok(t, err)
	equal(t, "session that it opened", linked, opened)

	t.Run("absent", func(t *testing.T) {
		for _, id := range []identity.DeviceID{newID[identity.DeviceID](), "", "x"} {
			_, _, err := s.FindDevice(ctx, id)
			wantFault(t, err, fault.NotFound, "device.not_found")
			wantFault(t, s.RenewDevice(ctx, id, noon, noon), fault.NotFound, "device.not_found")
			wantFault(t, s.RevokeDevice(ctx, id, noon), fault.NotFound, "device.not_found")
		}
		_, _, _, err := s.FindDeviceByToken(ctx, "ds1") // a session's secret is no device's
		wantFault(t, err, fault.NotFound, "device.not_found")
		list, err := s.ListDevices(ctx, newID[identity.UserID]())
		ok(t, err)
		equal(t, "devices of nobody", len(list), 0)
		stray := device(u)
		stray.UserID = newID[identity.UserID]()
		_, _, err = s.SaveDevice(ctx, stray, "d0", nil, in.ID)
		wantFault(t, err, fault.NotFound, "user.not_found")
	})

	t.Run("renew", func(t *testing.T) {
		seen, until := noon.Add(24*time.Hour), noon.Add(90*24*time.Hour)
		ok(t, s.RenewDevice(ctx, d.ID, seen, until))
		got, _, err := s.FindDevice(ctx, d.ID)
		ok(t, err)
		d.LastSeenAt, d.LeaseUntil = seen, until
		equal(t, "renewed", got, d)
		wantFault(t, s.RenewDevice(ctx, d.ID, until, until.Add(time.Hour)), fault.NotFound, "device.not_found")
	})

	t.Run("another's id", func(t *testing.T) {
		theirs := device(w.learner)
		theirs.ID = d.ID
		_, _, err := s.SaveDevice(ctx, theirs, "d2", nil, in.ID)
		wantFault(t, err, fault.Conflict, "device.exists")
		_, who, _, err := s.FindDeviceByToken(ctx, "d1")
		ok(t, err)
		equal(t, "still of", who.ID, u.ID)
	})

	t.Run("revoke, and known anew", func(t *testing.T) {
		other := save(device(u), "d3", session(u, "ds3", "").ID)
		when := noon.Add(time.Minute)
		ok(t, s.RevokeDevice(ctx, d.ID, when))
		ok(t, s.RevokeDevice(ctx, d.ID, when.Add(time.Minute)))
		got, _, _, err := s.FindDeviceByToken(ctx, "d1")
		ok(t, err)
		equal(t, "revoked at", got.RevokedAt, when)
		wantFault(t, s.RenewDevice(ctx, d.ID, noon, noon.Add(time.Hour)), fault.NotFound, "device.not_found")
		for _, hash := range []identity.SecretHash{"ds1", "ds2"} {
			_, _, _, err = s.FindSession(ctx, hash, noon)
			wantFault(t, err, fault.NotFound, "session.not_found")
		}
		_, _, _, err = s.FindSession(ctx, "ds3", noon)
		ok(t, err)
		list, err := s.ListDevices(ctx, u.ID)
		ok(t, err)
		if len(list) != 1 || list[0] != other {
			t.Errorf("devices %+v", list)
		}

		again := d
		again.Name, again.Epoch, again.CreatedAt, again.PublicKey = "Phone", 7, noon.Add(time.Hour), identity.PublicKey{X: "new", Y: "key"}
		saved, recovery, err := s.SaveDevice(ctx, again, "d4", []byte("another"), session(u, "ds4", "").ID)
		ok(t, err)
		again.Epoch, again.CreatedAt = d.Epoch, d.CreatedAt
		equal(t, "known anew", saved, again)
		if !bytes.Equal(recovery, []byte{0, 1, 255}) {
			t.Errorf("the recovery key has become %v", recovery)
		}
		got, _, err = s.FindDevice(ctx, d.ID)
		ok(t, err)
		equal(t, "stored anew", got, again)
		_, _, _, err = s.FindDeviceByToken(ctx, "d1")
		wantFault(t, err, fault.NotFound, "device.not_found")
		list, err = s.ListDevices(ctx, u.ID)
		ok(t, err)
		if len(list) != 2 || list[0] != other || list[1] != again {
			t.Errorf("devices, newest first: %+v", list)
		}
	})

	t.Run("a new password", func(t *testing.T) {
		now := noon.Add(time.Minute)
		keep := session(u, "ds5", d.ID)
		theirs := save(device(w.learner), "d5", session(w.learner, "ds6", "").ID)
		ok(t, s.SetPassword(ctx, u.ID, "h", keep.ID, now))
		list, err := s.ListDevices(ctx, u.ID)
		ok(t, err)
		if len(list) != 2 || !list[0].LeaseUntil.Equal(now) || !list[1].Live(now) || list[1].ID != d.ID {
			t.Errorf("leases after a new password: %+v", list)
		}
		got, _, err := s.FindDevice(ctx, theirs.ID)
		ok(t, err)
		equal(t, "another's device", got, theirs)
		ok(t, s.SetPassword(ctx, u.ID, "h", "", now))
		got, _, err = s.FindDevice(ctx, d.ID)
		ok(t, err)
		equal(t, "lease", got.LeaseUntil, now)
	})

	t.Run("no more than allowed", func(t *testing.T) {
		v := w.addUser(t, "many")
		in := session(v, "dsv", "").ID
		errs := together(ctx, identity.MaxDevices+4, func(ctx context.Context, i int) error {
			_, _, err := s.SaveDevice(ctx, device(v), identity.SecretHash(fmt.Sprint("v", i)), []byte("r"), in)
			return err
		})
		let := 0
		for _, err := range errs {
			if err == nil {
				let++
				continue
			}
			wantFault(t, err, fault.Conflict, "device.too_many")
		}
		equal(t, "let in at once", let, identity.MaxDevices)
		list, err := s.ListDevices(ctx, v.ID)
		ok(t, err)
		// One that is known is not one more, and a revoked one makes room.
		_, _, err = s.SaveDevice(ctx, list[3], "again", nil, in)
		ok(t, err)
		ok(t, s.RevokeDevice(ctx, list[0].ID, noon))
		_, _, err = s.SaveDevice(ctx, list[0], "back", nil, in)
		ok(t, err)
		// What is dead is kept, but not without end: the longest unseen go.
		for i := range identity.MaxDevicesKept {
			d := device(v)
			d.LastSeenAt = noon.Add(time.Duration(100+i) * time.Hour)
			d.LeaseUntil = d.LastSeenAt.Add(time.Hour)
			_, _, err := s.SaveDevice(ctx, d, identity.SecretHash(fmt.Sprint("w", i)), []byte("r"), in)
			ok(t, err)
		}
		left, err := s.ListDevices(ctx, v.ID)
		ok(t, err)
		equal(t, "kept", len(left), identity.MaxDevicesKept)
		for _, d := range left {
			if d.LastSeenAt.Equal(noon) {
				t.Error("a device of long ago is left, a newer one is not")
			}
		}
	})
}

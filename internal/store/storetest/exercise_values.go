package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// exerciseValues shows that both databases keep and refuse the same values.
func exerciseValues(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Identity()

	t.Run("texts survive", func(t *testing.T) {
		for _, name := range []string{
			"", " ", "'", `\`, `"`, "%_", "?", "$1", ":a", "@a", "'; DROP TABLE users; --", "\x01\x7f\r\n\t", "مرحبا\u200f", "e\u0301 é ﷺ",
			"\U0001F468\u200D\U0001F469\u200D\U0001F467", "\uFFFD\uFEFF\u2028", "\U0010FFFF", strings.Repeat("ë", 1<<20),
		} {
			ok(t, s.UpdateUser(ctx, w.learner.ID, name, "ar"))
			got, err := s.FindUser(ctx, w.learner.ID)
			ok(t, err)
			if got.DisplayName != name {
				t.Errorf("%.40q came back as %.40q", name, got.DisplayName)
			}
		}
	})

	t.Run("texts are refused", func(t *testing.T) {
		for _, bad := range []string{"a\x00b", "\x00", "\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80"} {
			wantFault(t, s.UpdateUser(ctx, w.learner.ID, bad, ""), fault.Invalid, "database.bad_text")
			u := identity.User{ID: newID[identity.UserID](), Username: bad, CreatedAt: noon}
			wantFault(t, s.CreateUser(ctx, u, "h", nil), fault.Invalid, "database.bad_text")
			_, _, err := s.FindUserByName(ctx, bad)
			wantFault(t, err, fault.Invalid, "database.bad_text")
			_, err = s.AddFailure(ctx, bad, noon, noon)
			wantFault(t, err, fault.Invalid, "database.bad_text")
			tok := identity.Token{ID: newID[identity.TokenID](), UserID: w.learner.ID, Scopes: []identity.Scope{identity.Scope(bad)}, CreatedAt: noon, ExpiresAt: noon}
			wantFault(t, s.CreateToken(ctx, tok, "h"), fault.Invalid, "database.bad_text")
			j := job.Job{ID: newID[job.ID](), Kind: job.Kind(bad), Payload: []byte("{}")}
			wantFault(t, w.Learning().Enqueue(ctx, j), fault.Invalid, "database.bad_text")
		}
	})

	t.Run("ids are canonical", func(t *testing.T) {
		id := string(newID[identity.UserID]())
		for _, bad := range []string{"", "x", strings.ToUpper(id), "{" + id + "}", strings.ReplaceAll(id, "-", ""), "urn:uuid:" + id, id + " ", "zzzzzzzz" + id[8:]} {
			u := identity.User{ID: identity.UserID(bad), Username: "x" + bad, CreatedAt: noon}
			wantFault(t, s.CreateUser(ctx, u, "h", nil), fault.Invalid, "database.bad_id")
			_, err := s.FindUser(ctx, identity.UserID(bad))
			wantFault(t, err, fault.NotFound, "user.not_found")
		}
	})

	t.Run("times sort by the moment", func(t *testing.T) {
		// Each is later than the one before, though not as text; the last digits of
		// each differ in number, and so do the zones.
		base := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
		ends := []time.Time{
			base.Add(-time.Minute).In(time.FixedZone("", 5*3600)),
			base,
			base.Add(100 * time.Millisecond).In(time.FixedZone("", -11*3600)),
			base.Add(120 * time.Millisecond),
			base.Add(123456 * time.Microsecond).In(time.FixedZone("", 12*3600)),
			base.Add(500 * time.Millisecond),
			base.Add(time.Second).In(time.FixedZone("", 3*3600+1800)),
		}
		u := w.addUser(t, "clock")
		for i, end := range ends {
			n := identity.Session{ID: newID[identity.SessionID](), UserID: u.ID, CreatedAt: noon.Add(-24 * time.Hour), LastSeenAt: noon, ExpiresAt: end}
			ok(t, s.CreateSession(ctx, n, identity.SecretHash(rune('a'+i))))
		}
		for i, now := range ends {
			for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 9*3600), time.FixedZone("", -9*3600)} {
				open, err := s.ListSessions(ctx, u.ID, now.In(zone))
				ok(t, err)
				equal(t, "sessions open at "+now.In(zone).String(), len(open), len(ends)-1-i)
			}
		}
		open, err := s.ListSessions(ctx, u.ID, base.Add(-time.Hour))
		ok(t, err)
		for i, n := range open { // newest first
			if want := ends[len(ends)-1-i]; !n.ExpiresAt.Equal(want) || n.ExpiresAt.Location() != time.UTC {
				t.Errorf("%v came back as %v", want, n.ExpiresAt)
			}
		}
	})

	t.Run("a nanosecond is cut off, not rounded", func(t *testing.T) {
		u := identity.User{ID: newID[identity.UserID](), Username: "nano", CreatedAt: noon.Add(999 * time.Nanosecond)}
		ok(t, s.CreateUser(ctx, u, "h", nil))
		got, err := s.FindUser(ctx, u.ID)
		ok(t, err)
		equal(t, "created", got.CreatedAt, noon)
	})
}

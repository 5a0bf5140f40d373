package identity_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/store"
)

const good = "correct horse"

// office is the service over a real database, with a clock that stands still until it is told.
type office struct {
	*testing.T
	*identity.Service
	path string

	mu  sync.Mutex
	now time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, path: filepath.Join(t.TempDir(), "banyan.db"), now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	db, err := store.Open(t.Context(), o.path)
	o.must(err)
	t.Cleanup(func() { _ = db.Close() })
	o.must(db.Migrate(t.Context()))
	o.Service = &identity.Service{Store: db.Identity(), Now: o.clock, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }}
	return o
}

func (o *office) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) user(name string) identity.User {
	o.Helper()
	u, err := o.CreateUser(o.Context(), identity.NewUser{Username: name, DisplayName: name, Password: good})
	o.must(err)
	return u
}

// signIn tries a password from an address and gives the key of the fault, "" when it worked.
func (o *office) signIn(name, password, address string) string {
	o.Helper()
	_, _, _, err := o.SignIn(o.Context(), name, password, address, "test")
	return keyOf(err)
}

// actor signs in past the throttle.
func (o *office) actor(u identity.User) (identity.Actor, string) {
	o.Helper()
	_, secret, err := o.OpenSession(o.Context(), u.ID, "test")
	o.must(err)
	a, _, err := o.ActorBySession(o.Context(), secret)
	o.must(err)
	return a, secret
}

// keyOf gives the message key of a fault, of its first place when it has some.
func keyOf(err error) string {
	var f *fault.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &f):
		return "no fault: " + err.Error()
	case len(f.Details) > 0:
		return f.Details[0].Pointer + " " + f.Details[0].Key
	}
	return f.Key
}

func want(t *testing.T, err error, code fault.Code, key string) {
	t.Helper()
	if !fault.Is(err, code) || keyOf(err) != key {
		t.Errorf("%v, want %s %s", err, code, key)
	}
}

func TestAccounts(t *testing.T) {
	o := newOffice(t)
	long := func(n int, s string) string {
		out := ""
		for range n {
			out += s
		}
		return out
	}
	fit := identity.NewUser{Username: "amina", DisplayName: "Amina", Password: good}
	tests := []struct {
		name   string
		change func(n *identity.NewUser)
		want   string
	}{
		{"a short username", func(n *identity.NewUser) { n.Username = "ab" }, "/username user.bad_username"},
		{"a long username", func(n *identity.NewUser) { n.Username = long(33, "a") }, "/username user.bad_username"},
		{"upper case", func(n *identity.NewUser) { n.Username = "Amina" }, "/username user.bad_username"},
		{"a dot first", func(n *identity.NewUser) { n.Username = ".amina" }, "/username user.bad_username"},
		{"a letter that looks Latin", func(n *identity.NewUser) { n.Username = "аmina" }, "/username user.bad_username"},
		{"a line end after the username", func(n *identity.NewUser) { n.Username = "amina\n" }, "/username user.bad_username"},
		{"no name", func(n *identity.NewUser) { n.DisplayName = " \u00a0\t" }, "/display_name user.bad_display_name"},
		{"a name that nobody sees", func(n *identity.NewUser) { n.DisplayName = "\u200b\u200d" }, "/display_name user.bad_display_name"},
		{"a long name", func(n *identity.NewUser) { n.DisplayName = long(81, "é") }, "/display_name user.bad_display_name"},
		{"an override of direction", func(n *identity.NewUser) { n.DisplayName = "Amina\u202egnp" }, "/display_name user.bad_display_name"},
		{"an isolate", func(n *identity.NewUser) { n.DisplayName = "Amina\u2066" }, "/display_name user.bad_display_name"},
		{"a line end", func(n *identity.NewUser) { n.DisplayName = "Amina\nAdmin" }, "/display_name user.bad_display_name"},
		{"a line separator", func(n *identity.NewUser) { n.DisplayName = "Amina\u2028Admin" }, "/display_name user.bad_display_name"},
		{"NUL", func(n *identity.NewUser) { n.DisplayName = "Ami\x00na" }, "/display_name user.bad_display_name"},
		{"escape", func(n *identity.NewUser) { n.DisplayName = "\x1b[2JAmina" }, "/display_name user.bad_display_name"},
		{"bytes that are no text", func(n *identity.NewUser) { n.DisplayName = "Amina\xff" }, "/display_name user.bad_display_name"},
		{"what is left of a lone surrogate", func(n *identity.NewUser) { n.DisplayName = "Amina\ufffd" }, "/display_name user.bad_display_name"},
		{"a short password", func(n *identity.NewUser) { n.Password = "sieben7" }, "/password user.bad_password"},
		{"a long password", func(n *identity.NewUser) { n.Password = long(201, "é") }, "/password user.bad_password"},
		{"a password that is no text", func(n *identity.NewUser) { n.Password = "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8" }, "/password user.bad_password"},
		{"a password with a lost surrogate", func(n *identity.NewUser) { n.Password = "correct \ufffd" }, "/password user.bad_password"},
		{"the username as password", func(n *identity.NewUser) { n.Username, n.Password = "amina-amina", "Amina-AMINA" }, "/password user.password_is_name"},
		{"no language", func(n *identity.NewUser) { n.Locale = "not a tag" }, "/locale user.bad_locale"},

		{"an ordinary one", func(*identity.NewUser) {}, ""},
		{"the same again", func(*identity.NewUser) {}, "user.username_taken"},
		{"Arabic", func(n *identity.NewUser) {
			n.Username, n.DisplayName, n.Locale = "u1", "أمينة بنت خالد", "ar"
		}, "/username user.bad_username"},
		{"Arabic, fit", func(n *identity.NewUser) {
			n.Username, n.DisplayName, n.Locale = "u-1", "أمينة بنت خالد", "ar"
		}, ""},
		{"Persian with a joiner", func(n *identity.NewUser) { n.Username, n.DisplayName = "u-2", "می\u200cخواهم" }, ""},
		{"emoji", func(n *identity.NewUser) { n.Username, n.DisplayName = "u-3", "👩🏽‍🎓" }, ""},
		{"80 characters of two bytes", func(n *identity.NewUser) { n.Username, n.DisplayName = "u-4", long(80, "é") }, ""},
		{"200 characters of password", func(n *identity.NewUser) { n.Username, n.Password = "u-5", long(200, "é") }, ""},
		{"every sign of a username", func(n *identity.NewUser) { n.Username = "0a.b_c-d" }, ""},
		{"markup is text", func(n *identity.NewUser) { n.Username, n.DisplayName = "u-6", "<script>'); DROP TABLE users;--" }, ""},
	}
	for _, tt := range tests {
		n := fit
		tt.change(&n)
		u, err := o.CreateUser(t.Context(), n)
		if got := keyOf(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if err != nil {
			continue
		}
		if got, err := o.FindUser(t.Context(), u.ID); err != nil || got != u || got.DisplayName != n.DisplayName {
			t.Errorf("%s: stored %+v, want %q: %v", tt.name, got, n.DisplayName, err)
		}
	}
	// Everything that is wrong is said at once.
	_, err := o.CreateUser(t.Context(), identity.NewUser{Locale: "?"})
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 4 {
		t.Errorf("an empty account: %v, want 4 places", err)
	}
	// The name is kept in NFC, without the spaces around it.
	u, err := o.CreateUser(t.Context(), identity.NewUser{Username: "zoe", DisplayName: "  Zoe\u0308 ", Password: good})
	if err != nil || u.DisplayName != "Zoë" {
		t.Errorf("%q, %v", u.DisplayName, err)
	}
}

func TestPasswords(t *testing.T) {
	o := newOffice(t)
	// Typed with a keyboard that composes, and with one that does not.
	if _, err := o.CreateUser(t.Context(), identity.NewUser{Username: "zoe", DisplayName: "Zoë", Password: "zo\u00eb & zo\u00eb"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, username, password, want string }{
		{"the other keyboard", "zoe", "zoe\u0308 & zoe\u0308", ""},
		{"a name in capitals with a space", " ZOE ", "zo\u00eb & zo\u00eb", ""},
		{"without the dots", "zoe", "zoe & zoe", "session.wrong_credentials"},
		{"another case", "zoe", "Zo\u00eb & zo\u00eb", "session.wrong_credentials"},
		{"a space after it", "zoe", "zo\u00eb & zo\u00eb ", "session.wrong_credentials"},
		{"nothing", "zoe", "", "session.wrong_credentials"},
	} {
		if got := o.signIn(tt.username, tt.password, ""); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	o.pass(time.Hour)
	// A stranger gets the same answer, whatever the name.
	for _, name := range []string{"nobody", "", "zoe\x00", "\xff\xfe", "' OR '1'='1", "zoe' --", "زوي"} {
		_, _, _, err := o.SignIn(t.Context(), name, good, "", "test")
		want(t, err, fault.Unauthenticated, "session.wrong_credentials")
	}
}

func TestThrottle(t *testing.T) {
	t.Run("five tries are free, then each doubles the wait", func(t *testing.T) {
		for _, name := range []string{"amina", "nobody"} { // known or not: the same answers
			o := newOffice(t)
			o.user("amina")
			for i := range 5 {
				if got := o.signIn(name, "wrong", ""); got != "session.wrong_credentials" {
					t.Fatalf("%s, try %d: %s", name, i+1, got)
				}
			}
			for i, wait := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300} {
				wait *= time.Second
				_, _, _, err := o.SignIn(t.Context(), name, good, "", "test")
				want(t, err, fault.TooMany, "session.throttled")
				var f *fault.Error
				if errors.As(err, &f); f.RetryAfter != int(wait.Seconds()) || f.Args["Seconds"] != f.RetryAfter {
					t.Fatalf("%s, wait %d: %d seconds, want %s", name, i+1, f.RetryAfter, wait)
				}
				o.pass(wait - time.Millisecond)
				if got := o.signIn(name, good, ""); got != "session.throttled" {
					t.Fatalf("%s, a moment before wait %d ends: %q", name, i+1, got)
				}
				o.pass(time.Millisecond)
				if got := o.signIn(name, "wrong", ""); got != "session.wrong_credentials" {
					t.Fatalf("%s, after wait %d: %q", name, i+1, got)
				}
			}
		}
	})
	t.Run("a quarter of an hour forgets", func(t *testing.T) {
		o := newOffice(t)
		o.user("amina")
		for range 5 {
			o.signIn("amina", "wrong", "")
		}
		o.pass(15*time.Minute + time.Second)
		for i := range 5 {
			if got := o.signIn("amina", "wrong", ""); got != "session.wrong_credentials" {
				t.Errorf("try %d: %s", i+1, got)
			}
		}
		if got := o.signIn("amina", good, ""); got != "session.throttled" {
			t.Errorf("then: %q", got)
		}
	})
	t.Run("who knows the password is forgiven", func(t *testing.T) {
		o := newOffice(t)
		o.user("amina")
		for range 3 {
			for range 4 {
				o.signIn("amina", "wrong", "")
			}
			if got := o.signIn("amina", good, ""); got != "" {
				t.Errorf("the fifth, right: %s", got)
			}
		}
	})
	t.Run("names do not slow each other", func(t *testing.T) {
		o := newOffice(t)
		o.user("amina")
		for range 6 {
			o.signIn("badr", "wrong", "192.0.2.1")
		}
		if got := o.signIn("amina", good, "192.0.2.1"); got != "" {
			t.Error(got)
		}
	})
	t.Run("an address is slowed after a hundred, and not forgiven for one right guess", func(t *testing.T) {
		o := newOffice(t)
		o.user("mallory")
		for i := range 100 {
			if i == 50 {
				if got := o.signIn("mallory", good, "192.0.2.1"); got != "" {
					t.Fatal(got)
				}
			}
			if _, err := o.Store.AddFailure(t.Context(), "addr:192.0.2.1", o.clock(), o.clock().Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if got := o.signIn("mallory", good, "192.0.2.1"); got != "session.throttled" {
			t.Errorf("from there: %q", got)
		}
		if got := o.signIn("mallory", good, "::ffff:192.0.2.1"); got != "session.throttled" {
			t.Errorf("from there, written otherwise: %q", got)
		}
		if got := o.signIn("mallory", good, "192.0.2.2"); got != "" {
			t.Errorf("from elsewhere: %q", got)
		}
	})
	t.Run("an address under one IPv6 network", func(t *testing.T) {
		o := newOffice(t)
		for range 6 {
			for i := range 5 {
				o.signIn("nobody"+string(rune('a'+i)), "wrong", "2001:db8:1:2::"+string(rune('1'+i)))
			}
			o.pass(20 * time.Second)
		}
		got, err := o.Store.FindThrottle(t.Context(), "addr:2001:db8:1:2::/64")
		if err != nil || got.Failures < 25 {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("a school signs in in the morning", func(t *testing.T) {
		o := newOffice(t)
		o.user("amina")
		for range 98 { // pupils who mistyped
			if _, err := o.Store.AddFailure(t.Context(), "addr:192.0.2.1", o.clock(), o.clock().Add(-time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 {
			if got := o.signIn("amina", good, "192.0.2.1"); got != "" {
				t.Fatalf("pupil %d: %s", i+1, got)
			}
		}
	})
	t.Run("parallel guesses", func(t *testing.T) {
		o := newOffice(t)
		o.user("amina")
		answers := make([]string, 40)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = o.signIn("amina", "wrong", "192.0.2.1") })
		}
		wg.Wait()
		checked := 0
		for _, a := range answers {
			if a == "session.wrong_credentials" {
				checked++
			}
		}
		if checked > 5 {
			t.Errorf("%d of 40 guesses at once were looked at, want at most 5", checked)
		}
		if got := o.signIn("amina", good, ""); got != "session.throttled" {
			t.Errorf("after them: %q", got)
		}
	})
}

func TestSignUpThrottle(t *testing.T) {
	o := newOffice(t)
	up := func(name, address string) string {
		_, err := o.SignUp(t.Context(), address, identity.NewUser{Username: name, DisplayName: "Pupil", Password: good})
		return keyOf(err)
	}
	if got := up("taken", "192.0.2.1"); got != "" {
		t.Fatal(got)
	}
	for i := range 70 { // what is not well-formed costs nothing
		if got := up("NOT A NAME", "192.0.2.1"); got != "/username user.bad_username" {
			t.Fatalf("try %d: %s", i, got)
		}
	}
	for i := range 59 { // guessing who is here costs
		if i%10 == 0 {
			if got := up("taken", "192.0.2.1"); got != "user.username_taken" {
				t.Fatalf("try %d: %s", i, got)
			}
			continue
		}
		if _, err := o.Store.AddFailure(t.Context(), "signup:192.0.2.1", o.clock(), o.clock().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	o.pass(40 * time.Minute)
	for range 3 { // asking again does not make it longer
		_, err := o.SignUp(t.Context(), "192.0.2.1", identity.NewUser{Username: "late", DisplayName: "Pupil", Password: good})
		want(t, err, fault.TooMany, "user.signup_throttled")
		var f *fault.Error
		if errors.As(err, &f); f.RetryAfter != 20*60 {
			t.Errorf("wait %d seconds, want 1200", f.RetryAfter)
		}
	}
	if got := up("elsewhere", "192.0.2.2"); got != "" {
		t.Errorf("from elsewhere: %s", got)
	}
	o.pass(20*time.Minute + time.Second)
	if got := up("late", "192.0.2.1"); got != "" {
		t.Errorf("an hour later: %s", got)
	}
	// A sign-up does not slow a sign-in.
	if got := o.signIn("late", good, "192.0.2.1"); got != "" {
		t.Error(got)
	}
}

func TestSignInWaitsForNobodyWhoLeft(t *testing.T) {
	o := newOffice(t)
	o.user("amina")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err := o.SignIn(ctx, "amina", good, "", ""); err == nil {
		t.Error("a request that is over signed in")
	}
}

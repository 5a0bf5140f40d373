package identity_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

const day = 24 * time.Hour

func TestSessionLives(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	alive := func(secret string) bool {
		t.Helper()
		a, who, err := o.ActorBySession(t.Context(), secret)
		if err != nil {
			want(t, err, fault.Unauthenticated, "session.ended")
			return false
		}
		if !a.Is(u.ID) || who != u || a.SessionID == "" || a.Scopes != nil {
			t.Errorf("actor %+v of %+v", a, who)
		}
		return true
	}

	_, idle := o.actor(u)
	o.pass(identity.IdleLife - time.Second)
	if !alive(idle) {
		t.Error("ended a second too early")
	}
	o.pass(identity.IdleLife - time.Second) // the use prolonged it
	if !alive(idle) {
		t.Error("was not prolonged")
	}
	o.pass(identity.IdleLife + time.Second)
	if alive(idle) {
		t.Error("outlived its idle life")
	}

	_, busy := o.actor(u)
	for days := 20; days < 180; days += 20 {
		o.pass(20 * day)
		if !alive(busy) {
			t.Fatalf("a session in use ended after %d days", days)
		}
	}
	o.pass(20*day - time.Second)
	if !alive(busy) {
		t.Error("ended a second before its longest life")
	}
	o.pass(time.Second)
	if alive(busy) {
		t.Error("outlived its longest life although it was in use")
	}
	if alive("") || alive("nonsense") || alive(strings.Repeat("a", 1<<16)) {
		t.Error("a made-up secret is a session")
	}
}

func TestSessionIsTouchedSeldom(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	a, secret := o.actor(u)
	seen := func() time.Time {
		t.Helper()
		list, err := o.ListSessions(t.Context(), a)
		o.must(err)
		return list[0].LastSeenAt
	}
	began := o.clock()
	for _, step := range []struct {
		wait time.Duration
		want time.Time
	}{{5 * time.Minute, began}, {time.Second, began.Add(5*time.Minute + time.Second)}} {
		o.pass(step.wait)
		if _, _, err := o.ActorBySession(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		if got := seen(); !got.Equal(step.want) {
			t.Errorf("seen at %s, want %s", got, step.want)
		}
	}
}

func TestSessionsBelongToTheirOwner(t *testing.T) {
	o := newOffice(t)
	amina, badr := o.user("amina"), o.user("badr")
	a1, _ := o.actor(amina)
	a2, secret2 := o.actor(amina)
	b, secretB := o.actor(badr)
	list, err := o.ListSessions(t.Context(), a1)
	o.must(err)
	if len(list) != 2 || slices.ContainsFunc(list, func(s identity.Session) bool { return s.UserID != amina.ID }) {
		t.Errorf("sessions: %+v", list)
	}
	want(t, o.EndSession(t.Context(), b, a2.SessionID), fault.NotFound, "session.not_found")
	want(t, o.EndSession(t.Context(), a1, "nonsense"), fault.NotFound, "session.not_found")
	want(t, o.EndSession(t.Context(), identity.Actor{}, a2.SessionID), fault.Unauthenticated, "session.required")
	_, err = o.ListSessions(t.Context(), identity.System())
	want(t, err, fault.Unauthenticated, "session.required")
	o.must(o.EndSession(t.Context(), a1, a2.SessionID))
	_, _, err = o.ActorBySession(t.Context(), secret2)
	want(t, err, fault.Unauthenticated, "session.ended")
	want(t, o.EndSession(t.Context(), a1, a2.SessionID), fault.NotFound, "session.not_found")
	if _, _, err := o.ActorBySession(t.Context(), secretB); err != nil {
		t.Errorf("another's session: %v", err)
	}
	o.pass(identity.IdleLife + time.Second)
	if list, err = o.ListSessions(t.Context(), a1); err != nil || len(list) != 0 {
		t.Errorf("expired sessions are listed: %+v, %v", list, err)
	}
}

func TestSessionNotesTheBrowser(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	for _, agent := range []string{strings.Repeat("é", 400), "bad\xff\x00agent", ""} {
		s, _, err := o.OpenSession(t.Context(), u.ID, agent)
		if err != nil || len(s.UserAgent) > 300 || strings.Contains(s.UserAgent, "\x00") || !utf8.ValidString(s.UserAgent) {
			t.Errorf("%q becomes %q: %v", agent, s.UserAgent, err)
		}
	}
}

func TestChangePassword(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	here, secretHere := o.actor(u)
	_, secretThere := o.actor(u)
	ctx := t.Context()
	want(t, o.ChangePassword(ctx, identity.Actor{}, good, "another one"), fault.Unauthenticated, "session.required")
	want(t, o.ChangePassword(ctx, here, good, "short"), fault.Invalid, "/new user.bad_password")
	want(t, o.ChangePassword(ctx, here, "wrong", "another one"), fault.Invalid, "/current user.wrong_password")
	scoped := here
	scoped.Scopes = []identity.Scope{identity.ScopeLearn}
	want(t, o.ChangePassword(ctx, scoped, good, "another one"), fault.Denied, "token.scope_missing")
	if _, _, err := o.ActorBySession(ctx, secretThere); err != nil {
		t.Fatalf("a refused change ended a session: %v", err)
	}

	o.must(o.ChangePassword(ctx, here, good, "another one"))
	if _, _, err := o.ActorBySession(ctx, secretHere); err != nil {
		t.Errorf("the session that changed it: %v", err)
	}
	_, _, err := o.ActorBySession(ctx, secretThere)
	want(t, err, fault.Unauthenticated, "session.ended")
	if got := o.signIn("amina", good, ""); got != "session.wrong_credentials" {
		t.Errorf("the old password: %q", got)
	}
	if got := o.signIn("amina", "another one", ""); got != "" {
		t.Errorf("the new password: %q", got)
	}

	// A borrowed browser guesses no faster than a stranger.
	for range 5 {
		_ = o.ChangePassword(ctx, here, "wrong", "another one")
	}
	want(t, o.ChangePassword(ctx, here, "another one", "yet another"), fault.TooMany, "session.throttled")

	want(t, o.ResetPassword(ctx, here, "amina", "set by the operator"), fault.Denied, "user.reset_denied")
	want(t, o.ResetPassword(ctx, identity.System(), "nobody", "set by the operator"), fault.NotFound, "user.not_found")
	want(t, o.ResetPassword(ctx, identity.System(), "amina", "AMINA"), fault.Invalid, "/new user.bad_password")
	o.must(o.ResetPassword(ctx, identity.System(), "AMINA", "set by the operator"))
	_, _, err = o.ActorBySession(ctx, secretHere)
	want(t, err, fault.Unauthenticated, "session.ended")
	o.pass(time.Hour)
	if got := o.signIn("amina", "set by the operator", ""); got != "" {
		t.Errorf("the operator's password: %q", got)
	}
}

func TestTokens(t *testing.T) {
	o := newOffice(t)
	amina, badr := o.user("amina"), o.user("badr")
	a, sessionSecret := o.actor(amina)
	b, _ := o.actor(badr)
	ctx := t.Context()
	week := identity.NewToken{Name: "gradebook", Scopes: []identity.Scope{identity.ScopeLearn}, Life: 7 * day}
	for _, tt := range []struct {
		name   string
		change func(n *identity.NewToken)
		want   string
	}{
		{"no name", func(n *identity.NewToken) { n.Name = "  " }, "/name token.bad_name"},
		{"a long name", func(n *identity.NewToken) { n.Name = strings.Repeat("é", 81) }, "/name token.bad_name"},
		{"a name of two lines", func(n *identity.NewToken) { n.Name = "a\nb" }, "/name token.bad_name"},
		{"no life", func(n *identity.NewToken) { n.Life = 0 }, "/expires_in_days token.bad_life"},
		{"for ever", func(n *identity.NewToken) { n.Life = 367 * day }, "/expires_in_days token.bad_life"},
	} {
		n := week
		tt.change(&n)
		_, _, err := o.CreateToken(ctx, a, n)
		want(t, err, fault.Invalid, tt.want)
	}
	_, _, err := o.CreateToken(ctx, identity.Actor{}, week)
	want(t, err, fault.Unauthenticated, "session.required")

	made, secret, err := o.CreateToken(ctx, a, week)
	o.must(err)
	if !strings.HasPrefix(secret, "bnyn_") || len(secret) != 48 {
		t.Errorf("secret of %d characters", len(secret))
	}
	m, who, err := o.ActorByToken(ctx, secret)
	o.must(err)
	if who != amina || m.SessionID != "" || !m.Scoped(identity.ScopeLearn) || !m.Scoped(identity.ScopeRead) || m.Scoped(identity.ScopeAdmin) || m.Scoped(identity.ScopeIssue) {
		t.Errorf("actor %+v", m)
	}
	// A token makes no token, whatever its scopes, and a session's secret is none.
	_, all, err := o.CreateToken(ctx, a, identity.NewToken{Name: "all", Life: day, Scopes: []identity.Scope{
		identity.ScopeRead, identity.ScopeLearn, identity.ScopePublish, identity.ScopeIssue, identity.ScopeAdmin,
	}})
	o.must(err)
	mighty, _, err := o.ActorByToken(ctx, all)
	o.must(err)
	_, _, err = o.CreateToken(ctx, mighty, week)
	want(t, err, fault.Denied, "token.by_token")
	_, _, err = o.ActorByToken(ctx, sessionSecret)
	want(t, err, fault.Unauthenticated, "token.unknown")
	_, _, err = o.ActorBySession(ctx, secret)
	want(t, err, fault.Unauthenticated, "session.ended")

	// A token without scopes reads, and no more.
	_, none, err := o.CreateToken(ctx, a, identity.NewToken{Name: "none", Life: day})
	o.must(err)
	if m, _, err := o.ActorByToken(ctx, none); err != nil || m.Scopes == nil || m.Scoped(identity.ScopeLearn) || !m.Scoped(identity.ScopeRead) {
		t.Errorf("a token without scopes: %+v, %v", m, err)
	}

	list, err := o.ListTokens(ctx, a)
	o.must(err)
	if len(list) != 3 || list[2].ID != made.ID || !list[2].LastUsedAt.Equal(o.clock()) {
		t.Errorf("tokens: %+v", list)
	}
	if list, err := o.ListTokens(ctx, b); err != nil || len(list) != 0 {
		t.Errorf("another's tokens: %+v, %v", list, err)
	}
	want(t, o.EndToken(ctx, b, made.ID), fault.NotFound, "token.not_found")
	want(t, o.EndToken(ctx, m, made.ID), fault.Denied, "token.scope_missing")
	o.pass(day + time.Second)
	_, _, err = o.ActorByToken(ctx, all)
	want(t, err, fault.Unauthenticated, "token.unknown")
	if _, _, err := o.ActorByToken(ctx, secret); err != nil {
		t.Errorf("a week's token after a day: %v", err)
	}
	o.must(o.EndToken(ctx, a, made.ID))
	_, _, err = o.ActorByToken(ctx, secret)
	want(t, err, fault.Unauthenticated, "token.unknown")
}

// TestSecretsAreNotKept looks for secrets in every byte of the database's files.
func TestSecretsAreNotKept(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	a, session := o.actor(u)
	_, token, err := o.CreateToken(t.Context(), a, identity.NewToken{Name: "gradebook", Life: day, Scopes: []identity.Scope{identity.ScopeRead}})
	o.must(err)
	o.signIn("amina", "a wrong guess", "192.0.2.1")
	files, err := filepath.Glob(o.path + "*")
	o.must(err)
	var all []byte
	for _, f := range files {
		data, err := os.ReadFile(f)
		o.must(err)
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte("gradebook")) || !bytes.Contains(all, []byte(identity.HashSecret(token))) || !bytes.Contains(all, []byte("$argon2id$v=19$m=19456,t=2,p=1$")) {
		t.Fatal("the files do not hold what they should: this test looks in the wrong place")
	}
	for what, secret := range map[string]string{"session": session, "token": token, "token's random part": token[5:], "password": good, "guess": "a wrong guess"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the %s stands in the database", what)
		}
	}
}

func TestUpdate(t *testing.T) {
	o := newOffice(t)
	u := o.user("amina")
	a, _ := o.actor(u)
	ctx := t.Context()
	ptr := func(s string) *string { return &s }
	_, err := o.Update(ctx, identity.Actor{}, identity.Change{})
	want(t, err, fault.Unauthenticated, "session.required")
	_, err = o.Update(ctx, a, identity.Change{DisplayName: ptr("\u202e"), Locale: ptr("?")})
	want(t, err, fault.Invalid, "/display_name user.bad_display_name")
	got, err := o.Update(ctx, a, identity.Change{Locale: ptr("ar")})
	if err != nil || got.Locale != "ar" || got.DisplayName != "amina" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = o.Update(ctx, a, identity.Change{DisplayName: ptr(" أمينة ")})
	if err != nil || got.Locale != "ar" || got.DisplayName != "أمينة" {
		t.Errorf("%+v, %v", got, err)
	}
	if stored, err := o.FindUser(ctx, u.ID); err != nil || stored != got {
		t.Errorf("stored %+v, want %+v: %v", stored, got, err)
	}
	_, err = o.FindUserByName(ctx, a, "amina")
	want(t, err, fault.NotFound, "user.not_found") // only the operator asks by name
}

func TestActor(t *testing.T) {
	const here, there = identity.InstitutionID("here"), identity.InstitutionID("there")
	in := func(r identity.Role) identity.Actor {
		return identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: here, Role: r}}}
	}
	operator := identity.Actor{UserID: "u", Operator: true}
	with := func(a identity.Actor, scopes ...identity.Scope) identity.Actor {
		a.Scopes = append([]identity.Scope{}, scopes...)
		return a
	}
	for _, tt := range []struct {
		name  string
		actor identity.Actor
		in    identity.InstitutionID
		want  bool
	}{
		{"nobody", identity.Actor{}, here, false},
		{"a learner", in(identity.Learner), here, false},
		{"an issuer", in(identity.Issuer), here, false},
		{"a trainer", in(identity.Trainer), here, true},
		{"a trainer elsewhere", in(identity.Trainer), there, false},
		{"an admin", in(identity.Admin), here, true},
		{"the operator", operator, there, true},
		{"the system", identity.System(), there, true},
		{"a trainer's token that may", with(in(identity.Trainer), identity.ScopePublish), here, true},
		{"a trainer's token that may not", with(in(identity.Trainer), identity.ScopeLearn), here, false},
		{"the operator's token without scopes", with(operator), here, false},
	} {
		if got := tt.actor.MayPublish(string(tt.in)); got != tt.want {
			t.Errorf("%s may publish: %t", tt.name, got)
		}
	}
	if (identity.Actor{}).Is("") {
		t.Error("nobody is the user without an id")
	}
	if identity.System().Anonymous() || !(identity.Actor{}).Anonymous() || in(identity.Learner).Anonymous() {
		t.Error("Anonymous")
	}
}

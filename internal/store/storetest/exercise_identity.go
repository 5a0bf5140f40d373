package storetest

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

func exerciseIdentity(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Identity()
	second := w.addSchool(t, "baobab")
	in := func(role identity.Role, of institution.Institution) identity.Membership {
		return identity.Membership{InstitutionID: of.ID, Role: role}
	}
	u := w.addUser(t, "bilal", in(identity.Trainer, w.school), in(identity.Learner, w.school), in(identity.Issuer, second))

	t.Run("users", func(t *testing.T) {
		got, err := s.FindUser(ctx, u.ID)
		ok(t, err)
		equal(t, "user", got, u)
		got, hash, err := s.FindUserByName(ctx, "bilal")
		ok(t, err)
		equal(t, "user by name", got, u)
		equal(t, "hash", hash, "hash of bilal")
		found, err := s.FindUsers(ctx, []identity.UserID{u.ID, w.learner.ID, newID[identity.UserID](), "x"})
		ok(t, err)
		if len(found) != 2 || found[u.ID] != u || found[w.learner.ID] != w.learner {
			t.Errorf("FindUsers gave %v", found)
		}
		ms, err := s.ListMemberships(ctx, u.ID)
		ok(t, err)
		if want := []identity.Membership{in(identity.Learner, w.school), in(identity.Trainer, w.school), in(identity.Issuer, second)}; !slices.Equal(ms, want) {
			t.Errorf("memberships %v, want %v", ms, want)
		}
		ok(t, s.UpdateUser(ctx, u.ID, "Bilal ☺", ""))
		got, err = s.FindUser(ctx, u.ID)
		ok(t, err)
		equal(t, "display name", got.DisplayName, "Bilal ☺")
		equal(t, "locale", got.Locale, "")
	})

	t.Run("absent users", func(t *testing.T) {
		for _, id := range []identity.UserID{newID[identity.UserID](), "", "x", "'; DROP TABLE users; --"} {
			_, err := s.FindUser(ctx, id)
			wantFault(t, err, fault.NotFound, "user.not_found")
			wantFault(t, s.UpdateUser(ctx, id, "a", "b"), fault.NotFound, "user.not_found")
			wantFault(t, s.SetPassword(ctx, id, "h", "", noon), fault.NotFound, "user.not_found")
		}
		_, _, err := s.FindUserByName(ctx, "' OR '1'='1")
		wantFault(t, err, fault.NotFound, "user.not_found")
		ms, err := s.ListMemberships(ctx, newID[identity.UserID]())
		ok(t, err)
		equal(t, "memberships of nobody", len(ms), 0)
	})

	t.Run("a taken name leaves nothing behind", func(t *testing.T) {
		n := identity.User{ID: newID[identity.UserID](), Username: "bilal", CreatedAt: noon}
		wantFault(t, s.CreateUser(ctx, n, "h", nil), fault.Conflict, "user.username_taken")
		n.Username = "carim"
		err := s.CreateUser(ctx, n, "h", []identity.Membership{{InstitutionID: newID[identity.InstitutionID](), Role: identity.Learner}})
		wantFault(t, err, fault.NotFound, "institution.not_found")
		_, err = s.FindUser(ctx, n.ID)
		wantFault(t, err, fault.NotFound, "user.not_found")
	})

	t.Run("one of many wins a name", func(t *testing.T) {
		errs := together(ctx, 8, func(ctx context.Context, _ int) error {
			return s.CreateUser(ctx, identity.User{ID: newID[identity.UserID](), Username: "dina", CreatedAt: noon}, "h", nil)
		})
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			wantFault(t, err, fault.Conflict, "user.username_taken")
		}
		equal(t, "winners", won, 1)
	})

	t.Run("sessions", func(t *testing.T) { exerciseSessions(t, w, u) })
	t.Run("tokens", func(t *testing.T) { exerciseTokens(t, w, u) })
	t.Run("devices", func(t *testing.T) { exerciseDevices(t, w, u) })
	t.Run("throttle", func(t *testing.T) { exerciseThrottle(t, w) })
}

func exerciseSessions(t *testing.T, w *world, u identity.User) {
	ctx, s := t.Context(), w.Identity()
	u, err := s.FindUser(ctx, u.ID)
	ok(t, err)
	open := func(hash identity.SecretHash, of identity.User) identity.Session {
		n := identity.Session{
			ID: newID[identity.SessionID](), UserID: of.ID, UserAgent: "Firefox", CreatedAt: noon, LastSeenAt: noon, ExpiresAt: noon.Add(time.Hour),
		}
		ok(t, s.CreateSession(ctx, n, hash))
		return n
	}
	first, second := open("h1", u), open("h2", u)
	others := open("h3", w.learner)

	got, who, ms, err := s.FindSession(ctx, "h1", noon)
	ok(t, err)
	equal(t, "session", got, first)
	equal(t, "user", who, u)
	equal(t, "memberships", len(ms), 3)
	_, who, ms, err = s.FindSession(ctx, "h3", noon)
	ok(t, err)
	equal(t, "user without memberships", who, w.learner)
	equal(t, "memberships of none", len(ms), 0)

	// An institution's language comes along, for whoever chose none.
	french, none := "fr", ""
	ok(t, w.Institution().UpdateInstitution(ctx, w.school.ID, institution.Change{Locale: &french}))
	_, who, ms, err = s.FindSession(ctx, "h1", noon)
	ok(t, err)
	equal(t, "language of the institution", who.InstitutionLocale, "fr")
	equal(t, "memberships, still", len(ms), 3)
	_, who, _, err = s.FindSession(ctx, "h3", noon)
	ok(t, err)
	equal(t, "language of nobody's institution", who.InstitutionLocale, "")
	ok(t, w.Institution().UpdateInstitution(ctx, w.school.ID, institution.Change{Locale: &none}))

	// The same moment in another zone: only the moment counts.
	zone := time.FixedZone("", 9*3600)
	_, _, _, err = s.FindSession(ctx, "h1", first.ExpiresAt.Add(-time.Microsecond).In(zone))
	ok(t, err)
	for _, late := range []time.Time{first.ExpiresAt, first.ExpiresAt.In(zone), first.ExpiresAt.Add(time.Hour).In(time.FixedZone("", -9*3600))} {
		_, _, _, err = s.FindSession(ctx, "h1", late)
		wantFault(t, err, fault.NotFound, "session.not_found")
	}
	_, _, _, err = s.FindSession(ctx, "unknown", noon)
	wantFault(t, err, fault.NotFound, "session.not_found")

	ok(t, s.TouchSession(ctx, first.ID, noon.Add(time.Minute), noon.Add(2*time.Hour)))
	got, _, _, err = s.FindSession(ctx, "h1", noon.Add(90*time.Minute))
	ok(t, err)
	equal(t, "last seen", got.LastSeenAt, noon.Add(time.Minute))
	wantFault(t, s.TouchSession(ctx, newID[identity.SessionID](), noon, noon), fault.NotFound, "session.not_found")

	list, err := s.ListSessions(ctx, u.ID, noon)
	ok(t, err)
	if len(list) != 2 || list[0].ID != second.ID || list[1].ID != first.ID {
		t.Errorf("sessions, newest first: %v", list)
	}
	list, err = s.ListSessions(ctx, u.ID, noon.Add(90*time.Minute))
	ok(t, err)
	equal(t, "unexpired sessions", len(list), 1)

	wantFault(t, s.DeleteSession(ctx, u.ID, others.ID), fault.NotFound, "session.not_found")
	third := open("h4", u)
	ok(t, s.DeleteSession(ctx, u.ID, third.ID))
	wantFault(t, s.DeleteSession(ctx, u.ID, third.ID), fault.NotFound, "session.not_found")

	ok(t, s.SetPassword(ctx, u.ID, "new hash", second.ID, noon))
	_, hash, err := s.FindUserByName(ctx, u.Username)
	ok(t, err)
	equal(t, "hash", hash, "new hash")
	_, _, _, err = s.FindSession(ctx, "h1", noon)
	wantFault(t, err, fault.NotFound, "session.not_found")
	for _, kept := range []identity.SecretHash{"h2", "h3"} {
		_, _, _, err = s.FindSession(ctx, kept, noon)
		ok(t, err)
	}
	ok(t, s.SetPassword(ctx, u.ID, "new hash", "", noon))
	_, _, _, err = s.FindSession(ctx, "h2", noon)
	wantFault(t, err, fault.NotFound, "session.not_found")

	// A new session clears away what has expired of the same person, and of nobody else.
	later := identity.Session{
		ID: newID[identity.SessionID](), UserID: u.ID, UserAgent: "Firefox",
		CreatedAt: noon.Add(24 * time.Hour), LastSeenAt: noon.Add(24 * time.Hour), ExpiresAt: noon.Add(48 * time.Hour),
	}
	ok(t, s.CreateSession(ctx, later, "h5"))
	list, err = s.ListSessions(ctx, u.ID, noon)
	ok(t, err)
	if len(list) != 1 || list[0].ID != later.ID {
		t.Errorf("sessions after a day: %v", list)
	}
	list, err = s.ListSessions(ctx, others.UserID, noon)
	ok(t, err)
	equal(t, "others' sessions", len(list), 1)
}

func exerciseTokens(t *testing.T, w *world, u identity.User) {
	ctx, s := t.Context(), w.Identity()
	add := func(hash identity.SecretHash, scopes ...identity.Scope) identity.Token {
		n := identity.Token{
			ID: newID[identity.TokenID](), UserID: u.ID, Name: "import", Scopes: scopes, CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
		}
		ok(t, s.CreateToken(ctx, n, hash))
		return n
	}
	n := add("t1", identity.ScopeRead, identity.ScopePublish)
	got, who, ms, err := s.FindToken(ctx, "t1", noon)
	ok(t, err)
	if !reflect.DeepEqual(got, n) {
		t.Errorf("token %+v, want %+v", got, n)
	}
	equal(t, "user", who.ID, u.ID)
	equal(t, "memberships", len(ms), 3)
	add("t2")
	none, _, _, err := s.FindToken(ctx, "t2", noon)
	ok(t, err)
	if none.Scopes == nil {
		t.Error("a token without scopes comes back with nil, which means all of them")
	}
	_, _, _, err = s.FindToken(ctx, "t1", noon.Add(time.Hour))
	wantFault(t, err, fault.NotFound, "token.not_found")
	// A session's secret is no token's.
	_, _, _, err = s.FindToken(ctx, "h1", noon)
	wantFault(t, err, fault.NotFound, "token.not_found")

	ok(t, s.TouchToken(ctx, n.ID, noon.Add(time.Second)))
	got, _, _, err = s.FindToken(ctx, "t1", noon)
	ok(t, err)
	equal(t, "last used", got.LastUsedAt, noon.Add(time.Second))
	wantFault(t, s.TouchToken(ctx, newID[identity.TokenID](), noon), fault.NotFound, "token.not_found")

	list, err := s.ListTokens(ctx, u.ID, noon)
	ok(t, err)
	equal(t, "tokens", len(list), 2)
	list, err = s.ListTokens(ctx, u.ID, noon.Add(time.Hour))
	ok(t, err)
	equal(t, "unexpired tokens", len(list), 0)
	wantFault(t, s.DeleteToken(ctx, w.learner.ID, n.ID), fault.NotFound, "token.not_found")
	ok(t, s.DeleteToken(ctx, u.ID, n.ID))
	_, _, _, err = s.FindToken(ctx, "t1", noon)
	wantFault(t, err, fault.NotFound, "token.not_found")
}

func exerciseThrottle(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Identity()
	none, err := s.FindThrottle(ctx, "amina")
	ok(t, err)
	equal(t, "failures", none, identity.Throttle{})
	since := noon.Add(-time.Minute)
	for i := range 3 {
		at := noon.Add(time.Duration(i) * time.Second)
		got, err := s.AddFailure(ctx, "amina", at, since)
		ok(t, err)
		equal(t, "failures", got, identity.Throttle{Failures: i + 1, LastAt: at})
	}
	got, err := s.FindThrottle(ctx, "amina")
	ok(t, err)
	equal(t, "failures", got, identity.Throttle{Failures: 3, LastAt: noon.Add(2 * time.Second)})
	// The window has moved past the last one.
	later := noon.Add(time.Hour)
	got, err = s.AddFailure(ctx, "amina", later, later.Add(-time.Minute))
	ok(t, err)
	equal(t, "failures", got, identity.Throttle{Failures: 1, LastAt: later})

	allOK(t, together(ctx, 8, func(ctx context.Context, _ int) error {
		_, err := s.AddFailure(ctx, "192.0.2.1", noon, since)
		return err
	}))
	got, err = s.FindThrottle(ctx, "192.0.2.1")
	ok(t, err)
	equal(t, "failures at once", got.Failures, 8)
	for left := 7; left >= 0; left-- {
		ok(t, s.ForgiveFailure(ctx, "192.0.2.1"))
		got, err = s.FindThrottle(ctx, "192.0.2.1")
		ok(t, err)
		equal(t, "failures left", got.Failures, left)
	}
	ok(t, s.ForgiveFailure(ctx, "192.0.2.1"))
	_, err = s.AddFailure(ctx, "192.0.2.1", noon, since)
	ok(t, err)
	ok(t, s.ClearFailures(ctx, "192.0.2.1"))
	got, err = s.FindThrottle(ctx, "192.0.2.1")
	ok(t, err)
	equal(t, "failures", got, identity.Throttle{})

	// Names tried at random are forgotten after a while.
	_, err = s.AddFailure(ctx, "somebody", noon.Add(72*time.Hour), noon.Add(71*time.Hour))
	ok(t, err)
	got, err = s.FindThrottle(ctx, "amina")
	ok(t, err)
	equal(t, "forgotten failures", got, identity.Throttle{})
}

func exerciseInstitution(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Institution()
	got, err := s.FindInstitution(ctx, w.school.ID)
	ok(t, err)
	if !reflect.DeepEqual(got, w.school) {
		t.Errorf("institution %+v, want %+v", got, w.school)
	}
	got, err = s.FindInstitutionBySlug(ctx, "acacia")
	ok(t, err)
	if !reflect.DeepEqual(got, w.school) {
		t.Errorf("institution by slug %+v, want %+v", got, w.school)
	}
	_, err = s.FindInstitution(ctx, newID[identity.InstitutionID]())
	wantFault(t, err, fault.NotFound, "institution.not_found")
	_, err = s.FindInstitutionBySlug(ctx, "ACACIA")
	wantFault(t, err, fault.NotFound, "institution.not_found")
	twin := institution.Institution{ID: newID[identity.InstitutionID](), Slug: "acacia", Name: "Other", CreatedAt: noon}
	wantFault(t, s.CreateInstitution(ctx, twin), fault.Conflict, "institution.slug_taken")

	fallbacks := map[string][]string{"ff": {"fr", "en"}, "mg": {"fr"}}
	ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{Fallbacks: &fallbacks}))
	got, err = s.FindInstitution(ctx, w.school.ID)
	ok(t, err)
	if !reflect.DeepEqual(got.Fallbacks, fallbacks) {
		t.Errorf("languages that stand in: %v", got.Fallbacks)
	}
	french, none, noFallbacks := "fr", "", map[string][]string(nil)
	ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{Locale: &french}))
	got, err = s.FindInstitution(ctx, w.school.ID)
	ok(t, err)
	if got.Locale != "fr" || !reflect.DeepEqual(got.Fallbacks, fallbacks) {
		t.Errorf("a language of its own: %+v", got)
	}
	ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{}))
	ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{Locale: &none, Fallbacks: &noFallbacks}))
	got, err = s.FindInstitution(ctx, w.school.ID)
	ok(t, err)
	if !reflect.DeepEqual(got, w.school) {
		t.Errorf("institution %+v, want it as it was: %+v", got, w.school)
	}
	wantFault(t, s.UpdateInstitution(ctx, newID[identity.InstitutionID](), institution.Change{}), fault.NotFound, "institution.not_found")
	wantFault(t, s.UpdateInstitution(ctx, newID[identity.InstitutionID](), institution.Change{Fallbacks: &fallbacks}), fault.NotFound, "institution.not_found")

	all := []identity.InstitutionID{w.school.ID}
	for _, slug := range []string{"baobab", "cedar", "dum-palm"} {
		all = append(all, w.addSchool(t, slug).ID)
	}
	slices.Sort(all)
	var seen []identity.InstitutionID
	for after := identity.InstitutionID(""); ; {
		page, err := s.ListInstitutions(ctx, after, 3)
		ok(t, err)
		for _, i := range page {
			seen = append(seen, i.ID)
		}
		if len(page) < 3 {
			break
		}
		after = page[2].ID
	}
	if !slices.Equal(seen, all) {
		t.Errorf("institutions %v, want %v", seen, all)
	}

	t.Run("profile", func(t *testing.T) {
		find := func() institution.Institution {
			t.Helper()
			got, err := s.FindInstitution(ctx, w.school.ID)
			ok(t, err)
			return got
		}
		logo := &institution.Picture{Digest: blob.Of([]byte("logo")), Ext: "png", Width: 360, Height: 90}
		want := w.school
		want.Name, want.Country, want.Domain, want.Logo = "Acacia", "KE", "acacia.example", logo
		want.Ownership = institution.Ownership{Claim: "new.example", Proof: institution.ByDNS, ProvenAt: noon, CheckedAt: noon.Add(time.Hour), Problem: institution.NoRecord}
		want.Names = map[string]string{"ar": "أكاسيا", "sw": "Mgunga"}
		want.Signatories = []institution.Signatory{{ID: "one", Name: "Zoë", Title: map[string]string{"fr": "Directrice"}, Signature: logo}, {ID: "two", Name: "Ali"}}
		ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{
			Name: &want.Name, Names: &want.Names, Country: &want.Country, Domain: &want.Domain, Logo: &logo, Signatories: &want.Signatories, Ownership: &want.Ownership,
		}))
		if got := find(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		ok(t, s.InTx(ctx, func(tx institution.Store) error {
			got, err := tx.LockInstitution(ctx, w.school.ID)
			ok(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("locked %+v", got)
			}
			_, err = tx.LockInstitution(ctx, newID[identity.InstitutionID]())
			wantFault(t, err, fault.NotFound, "institution.not_found")
			return nil
		}))
		got, err := s.FindInstitutionByDomain(ctx, "acacia.example")
		ok(t, err)
		equal(t, "by domain", got.ID, w.school.ID)
		for _, other := range []string{"baobab.example", "", "ACACIA.example"} {
			_, err = s.FindInstitutionByDomain(ctx, other)
			wantFault(t, err, fault.NotFound, "institution.not_found")
		}
		wantFault(t, s.UpdateInstitution(ctx, all[1], institution.Change{Domain: &want.Domain}), fault.Conflict, "institution.domain_taken")
		_, err = s.LockInstitution(ctx, "x")
		wantFault(t, err, fault.NotFound, "institution.not_found")
		none, noLogo := "", (*institution.Picture)(nil)
		ok(t, s.UpdateInstitution(ctx, w.school.ID, institution.Change{
			Name: &w.school.Name, Names: new(map[string]string{}), Country: &none, Domain: &none, Logo: &noLogo, Signatories: new([]institution.Signatory{}), Ownership: &institution.Ownership{},
		}))
		if got := find(); !reflect.DeepEqual(got, w.school) {
			t.Errorf("%+v, want it as it was: %+v", got, w.school)
		}
	})

	t.Run("members", func(t *testing.T) {
		m := func(role identity.Role) identity.Membership {
			return identity.Membership{InstitutionID: w.school.ID, Role: role}
		}
		one, two, three := w.addUser(t, "one", m(identity.Trainer)), w.addUser(t, "two"), w.addUser(t, "three", m(identity.Learner))
		changed(t, true)(s.AddMembership(ctx, one.ID, m(identity.Admin)))
		changed(t, false)(s.AddMembership(ctx, one.ID, m(identity.Admin)))
		changed(t, true)(s.AddMembership(ctx, two.ID, identity.Membership{InstitutionID: all[1], Role: identity.Learner}))
		members := func(after identity.UserID, limit int) []institution.Member {
			got, err := s.ListMembers(ctx, w.school.ID, after, limit)
			ok(t, err)
			return got
		}
		want := []institution.Member{
			{UserID: one.ID, Username: "one", DisplayName: one.DisplayName, Roles: []identity.Role{identity.Admin, identity.Trainer}},
			{UserID: three.ID, Username: "three", DisplayName: three.DisplayName, Roles: []identity.Role{identity.Learner}},
		}
		if got := members("", 10); !reflect.DeepEqual(got, want) {
			t.Errorf("members %v, want %v", got, want)
		}
		// A page counts members, not roles.
		if got := members("", 1); !reflect.DeepEqual(got, want[:1]) {
			t.Errorf("first page %v, want %v", got, want[:1])
		}
		if got := members(one.ID, 1); !reflect.DeepEqual(got, want[1:]) {
			t.Errorf("second page %v, want %v", got, want[1:])
		}
		changed(t, true)(s.RemoveMembership(ctx, one.ID, m(identity.Admin)))
		changed(t, false)(s.RemoveMembership(ctx, one.ID, m(identity.Admin)))
		changed(t, false)(s.RemoveMembership(ctx, "x", m(identity.Admin)))
		equal(t, "roles left", len(members("", 1)[0].Roles), 1)
		_, err = s.AddMembership(ctx, newID[identity.UserID](), m(identity.Admin))
		wantFault(t, err, fault.NotFound, "user.not_found")
		_, err = s.AddMembership(ctx, one.ID, identity.Membership{InstitutionID: newID[identity.InstitutionID](), Role: identity.Admin})
		wantFault(t, err, fault.NotFound, "institution.not_found")
		_, err = s.AddMembership(ctx, one.ID, m("king"))
		wantFault(t, err, fault.Invalid, "database.refused")
	})
}

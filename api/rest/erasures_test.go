package rest_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// Somebody who has done everything here erases their account. Nothing of them is left anywhere in the database, and yet their
// certificate holds.
func TestEraseMe(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	read := storetest.Watch(t, filepath.Join(s.app.Config.DataDir, "banyan.db"))
	const name = "Xanthippe"
	u, err := s.app.Identity.CreateUser(s.Context(), identity.NewUser{
		Username: "xanthippe", DisplayName: name, Password: "correct horse", Memberships: []identity.Membership{{InstitutionID: s.a.ID, Role: identity.Learner}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.people["leaver"] = u
	e := s.enroll("leaver")
	s.mustDo(s.as("leaver", call{method: http.MethodPost, path: "/api/submissions", body: strings.Replace(submissionBody(v7(), string(e.ID)), `print(1)`, `print('Xanthippe')`, 1)}))
	s.mustDo(s.as("leaver", call{method: http.MethodPut, path: "/api/me/certificate-name", body: `{"name":"Xanthippe of Athens"}`}))
	s.finish(e)
	s.drain()
	cs, err := s.app.Credential.ListOwn(s.Context(), s.actor("leaver"), "", 1)
	if err != nil || len(cs) != 1 {
		t.Fatalf("%d certificates, %v", len(cs), err)
	}
	share, err := s.app.Wallet.Share(s.Context(), s.actor("leaver"), wallet.NewShare{CredentialID: cs[0].ID, Named: true})
	if err != nil {
		t.Fatal(err)
	}
	found := func() (tables []string) {
		for table, rows := range read() {
			if strings.Contains(strings.ToLower(strings.Join(rows, " ")), "xanthippe") {
				tables = append(tables, table)
			}
		}
		return tables
	}
	if got := found(); len(got) < 4 {
		t.Fatalf("before, the name stands in %q alone: this test looks in the wrong place", got)
	}

	wrong := s.as("leaver", call{method: http.MethodPost, path: "/api/me/erasure", body: `{"password":"wrong horse"}`})
	if rec := s.do(wrong); rec.Code != 422 || !strings.Contains(rec.Body.String(), "user.wrong_password") {
		t.Errorf("a wrong password: %d %s", rec.Code, rec.Body)
	}
	erase := s.as("leaver", call{method: http.MethodPost, path: "/api/me/erasure", body: `{"password":"correct horse"}`})
	rec := s.do(erase)
	if rec.Code != 204 || !strings.Contains(rec.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Fatalf("%d %s %v", rec.Code, rec.Body, rec.Header())
	}

	// At once, before any job: nobody reads the name at the public address.
	doc := s.do(call{method: http.MethodGet, path: "/api/credentials/" + string(cs[0].ID)})
	if doc.Code != 200 || strings.Contains(doc.Body.String(), name) || !strings.Contains(doc.Body.String(), "urn:uuid:"+string(cs[0].ID)) {
		t.Errorf("%d %s", doc.Code, doc.Body)
	}
	s.drain()
	if got := found(); len(got) > 0 {
		t.Errorf("the name still stands in %q", got)
	}
	st := decode[openapi.Standing](t, s.do(call{method: http.MethodGet, path: "/api/credentials/" + string(cs[0].ID) + "/standing"}))
	if st.Standing != openapi.StandingStanding(credential.Valid) || st.Credential.Name != "" || st.Credential.ErasedAt == nil {
		t.Errorf("%+v", st)
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/shares/" + share.Token}); rec.Code != http.StatusGone {
		t.Errorf("the link: %d", rec.Code)
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: erase.cookie}); rec.Code != 401 {
		t.Errorf("still signed in: %d %s", rec.Code, rec.Body)
	}
	for _, as := range []string{"xanthippe", "~" + string(u.ID)} {
		if rec := s.do(call{method: http.MethodPost, path: "/api/sessions", body: `{"username":"` + as + `","password":"correct horse"}`}); rec.Code != 401 && rec.Code != 422 {
			t.Errorf("signs in as %s: %d %s", as, rec.Code, rec.Body)
		}
	}
	// The username is free again.
	if _, err := s.app.Identity.CreateUser(s.Context(), identity.NewUser{Username: "xanthippe", DisplayName: "Another", Password: "correct horse"}); err != nil {
		t.Error(err)
	}
	// The console shows a learner without a name.
	roster := s.do(s.as("admin A", call{method: http.MethodGet, path: "/api/institutions/" + string(s.a.ID) + "/enrollments"}))
	if roster.Code != 200 || strings.Contains(roster.Body.String(), "~") {
		t.Errorf("%d %s", roster.Code, roster.Body)
	}
}

// Who may erase whom.
func TestEraseMember(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	made := func(n identity.NewUser) identity.UserID { return s.user(n).ID }
	in := func(ids ...identity.InstitutionID) (ms []identity.Membership) {
		for _, id := range ids {
			ms = append(ms, identity.Membership{InstitutionID: id, Role: identity.Learner})
		}
		return ms
	}
	operates := append(in(s.a.ID), identity.Membership{InstitutionID: s.a.ID, Role: identity.Admin})
	for what, tt := range map[string]struct {
		as     string
		id     identity.UserID
		body   string
		status int
		code   string
	}{
		"a learner of the admin's":      {"admin A", made(identity.NewUser{Memberships: in(s.a.ID)}), "requested", 204, ""},
		"one of elsewhere too":          {"admin A", made(identity.NewUser{Memberships: in(s.a.ID, s.b.ID)}), "left", 409, "user.belongs_elsewhere"},
		"one of elsewhere, by operator": {"operator", made(identity.NewUser{Memberships: in(s.a.ID, s.b.ID)}), "law", 204, ""},
		"one of elsewhere alone":        {"admin A", made(identity.NewUser{Memberships: in(s.b.ID)}), "left", 404, "user.not_found"},
		"nobody":                        {"admin A", identity.UserID(v7()), "left", 404, "user.not_found"},
		"oneself":                       {"admin A", s.people["admin A"].ID, "left", 409, "user.erase_yourself"},
		"an operator":                   {"admin A", made(identity.NewUser{Operator: true, Memberships: operates}), "mistake", 409, "user.operator_stays"},
		"a trainer":                     {"trainer A", made(identity.NewUser{Memberships: in(s.a.ID)}), "left", 403, "user.erase_denied"},
		"an admin of elsewhere":         {"admin B", made(identity.NewUser{Memberships: in(s.a.ID)}), "left", 403, "user.erase_denied"},
		"no reason of ours":             {"admin A", made(identity.NewUser{Memberships: in(s.a.ID)}), "own", 422, "request.invalid"},
	} {
		before, err := s.app.Identity.FindUser(s.Context(), tt.id)
		rec := s.do(s.as(tt.as, call{method: http.MethodPost, path: "/api/institutions/" + string(s.a.ID) + "/members/" + string(tt.id) + "/erasure", body: `{"reason":"` + tt.body + `"}`}))
		if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.code) {
			t.Errorf("%s: %d %s", what, rec.Code, rec.Body)
		}
		if err != nil {
			continue
		}
		if after, err := s.app.Identity.FindUser(s.Context(), tt.id); err != nil || after.Erased != (tt.status == 204) || !after.Erased && after != before {
			t.Errorf("%s: %+v, %v", what, after, err)
		}
	}
}

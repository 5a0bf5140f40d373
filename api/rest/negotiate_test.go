package rest_test

import (
	"net/http"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/api/rest"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// said gives an optional text.
func said(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// TestLanguageOfAnswers: the page's language, the account's, the institution's, the host's, the browser's, English.
func TestLanguageOfAnswers(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	type wish struct{ page, account, institution, host, accept, want string }
	tests := []wish{
		{"fr", "es", "ru", "zh", "ar", "fr"},
		{"", "es", "ru", "zh", "ar", "es"},
		{"", "", "ru", "zh", "ar", "ru"},
		{"", "", "", "zh", "ar", "zh"},
		{"", "", "", "", "ar", "ar"},
		{"", "", "", "", "", "en"},
		{"ja", "ko", "ja", "", "ja, sw;q=0.5", "sw"}, // what the interface does not speak is passed over
		{"", "pt-BR", "fr", "", "en", "pt"},          // and what it nearly speaks is not
	}
	for _, l := range words.Locales() {
		other := "ar"
		if l == other {
			other = "ru"
		}
		tests = append(tests, wish{"", l, other, other, other, l}, wish{"", "", l, other, other, l}, wish{"", "", "", "", l, l})
	}
	for _, tt := range tests {
		s.reopen(func(srv *rest.Server) { srv.Locale, srv.Desk = tt.host, s.app.Desk })
		if _, err := s.app.Institution.Update(t.Context(), identity.System(), s.a.ID, institution.Change{Locale: &tt.institution}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.app.Identity.Update(t.Context(), s.actor("learner A"), identity.Change{Locale: &tt.account}); err != nil {
			t.Fatal(err)
		}
		_, cookie := s.session("learner A")
		_, bearer := s.token("learner A", identity.ScopeLearn)
		// A learner may not see who belongs to the institution.
		c := call{method: http.MethodGet, path: "/api/institutions/" + string(s.a.ID) + "/members", header: map[string]string{"Accept-Language": tt.accept}}
		if tt.page != "" {
			c.header["Banyan-Language"] = tt.page
		}
		for _, how := range []string{"cookie", "token"} {
			c.cookie, c.bearer = cookie, ""
			if how == "token" {
				c.cookie, c.bearer = "", bearer
			}
			rec := s.do(c)
			want := words.T(tt.want, "institution.members_denied", nil)
			if got := said(decode[openapi.Problem](t, rec).Detail); got != want || rec.Header().Get("Content-Language") != tt.want {
				t.Errorf("%+v by %s: %q in %s, want %q", tt, how, got, rec.Header().Get("Content-Language"), want)
			}
		}
		// The page learns it too, to go on in that language after signing in.
		if me := decode[openapi.Me](t, s.do(s.as("learner A", call{method: http.MethodGet, path: "/api/me"}))); said(me.InstitutionLocale) != tt.institution {
			t.Errorf("me: %v, want %q", said(me.InstitutionLocale), tt.institution)
		}
	}
	// Nobody is signed in: no account and no institution.
	for _, tt := range []wish{{"fr", "", "", "zh", "ar", "fr"}, {"", "", "", "zh", "ar", "zh"}, {"", "", "", "", "ar", "ar"}} {
		s.reopen(func(srv *rest.Server) { srv.Locale = tt.host })
		rec := s.do(call{method: http.MethodGet, path: "/api/me", header: map[string]string{"Accept-Language": tt.accept, "Banyan-Language": tt.page}})
		if got, want := said(decode[openapi.Problem](t, rec).Detail), words.T(tt.want, "session.required", nil); got != want {
			t.Errorf("%+v: %q, want %q", tt, got, want)
		}
	}
}

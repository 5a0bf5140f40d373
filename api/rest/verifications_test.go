package rest_test

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
)

// Anybody may have any credential checked, and is told in their language what it is worth and what that rests on.
func TestVerifyCredential(t *testing.T) {
	s := newSchool(t)
	s.finish(s.enroll("learner A"))
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("learner A"), "", 1)
	if err != nil || len(cs) != 1 {
		t.Fatal(cs, err)
	}
	doc := string(cs[0].Document)
	ask := func(c call) openapi.CredentialReport {
		t.Helper()
		c.method = http.MethodPost
		if c.path == "" {
			c.path = "/api/credentials/verify"
		}
		rec := s.do(c)
		if rec.Code != http.StatusOK {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		return decode[openapi.CredentialReport](t, rec)
	}
	text := func(text string) string { return `{"text":` + strconv.Quote(text) + `}` }
	quoted := func(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }
	body := `{"text":"` + quoted(doc) + `"}`
	file := `{"file":"` + base64.StdEncoding.EncodeToString([]byte(doc)) + `","offline":true}`
	for _, c := range []call{{body: body}, {body: file}, {body: doc, contentType: "application/octet-stream"}, {body: doc, contentType: "application/octet-stream", path: "/api/credentials/verify?offline=true"}} {
		r := ask(c)
		if r.State != "valid" || len(r.Reasons) != 0 || r.Claims == nil || r.Claims.Issuer == "" || *r.Claims.Name != cs[0].Name || *r.Document != doc || r.Title != "Valid" || r.Text == "" {
			t.Fatalf("%+v", r)
		}
		kinds := map[string]openapi.CredentialBasis{}
		for _, b := range r.RestsOn {
			kinds[string(b.Kind)] = b
		}
		for _, kind := range []string{"signature", "issuer", "status", "clock"} {
			if b, ok := kinds[kind]; !ok || b.At == nil || b.Age == nil || *b.Age > 60 {
				t.Errorf("%s: %+v", kind, b)
			}
		}
		if kinds["issuer"].From != "here" || kinds["status"].From != "here" {
			t.Errorf("%+v", r.RestsOn)
		}
	}
	// A picture carries the credential, byte by byte.
	for _, kind := range []string{"png", "svg"} {
		rec := s.do(call{method: http.MethodGet, path: "/api/credentials/" + string(cs[0].ID) + "/badge." + kind})
		if rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Type"), "image/"+kind) || !strings.Contains(rec.Header().Get("Content-Disposition"), "."+kind) {
			t.Fatalf("%d %v", rec.Code, rec.Header())
		}
		if policy := rec.Header().Get("Content-Security-Policy"); kind == "svg" && policy != "default-src 'none'; sandbox" {
			t.Errorf("policy %q", policy)
		}
		r := ask(call{body: `{"file":"` + base64.StdEncoding.EncodeToString(rec.Body.Bytes()) + `"}`})
		if r.State != "valid" || string(*r.Format) != kind || *r.Document != doc {
			t.Errorf("%s: %+v", kind, r)
		}
		spoilt := ask(call{body: strings.Replace(rec.Body.String(), cs[0].Name, strings.Repeat("X", len(cs[0].Name)), 1), contentType: "application/octet-stream"})
		if spoilt.State != "invalid" {
			t.Errorf("%s: %+v", kind, spoilt)
		}
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/credentials/" + v7() + "/badge.png"}); rec.Code != http.StatusNotFound {
		t.Errorf("%d", rec.Code)
	}
	changed := ask(call{body: `{"text":"` + quoted(strings.Replace(doc, cs[0].Name, "Somebody else", 1)) + `"}`, header: map[string]string{"Accept-Language": "ar"}})
	if changed.State != "invalid" || changed.Claims != nil || changed.Document != nil || changed.Reasons[0].Code != "changed" || changed.Title != "غير صالحة" || changed.Reasons[0].Detail != "غُيّرت بعد توقيعها." {
		t.Errorf("%+v", changed)
	}
	if r := ask(call{body: text("hello")}); r.State != "invalid" || r.Reasons[0].Code != "not_readable" || r.Format != nil {
		t.Errorf("%+v", r)
	}
	if err := s.app.Credential.Revoke(t.Context(), s.actor("issuer A"), cs[0].ID, "Issued in error"); err != nil {
		t.Fatal(err)
	}
	r := ask(call{body: body})
	if r.State != "revoked" || len(r.Reasons) != 1 || *r.Reasons[0].Reason != "Issued in error" || r.Reasons[0].Date == nil || !strings.HasPrefix(r.Reasons[0].Detail, "The issuer took it back on ") || *r.Claims.Name != cs[0].Name {
		t.Errorf("%+v", r)
	}

	for _, tt := range []struct {
		c    call
		code int
		want string
	}{
		{call{body: `{}`}, http.StatusUnprocessableEntity, "credential.nothing_to_check"},
		{call{body: `{"text":"a","file":"YQ=="}`}, http.StatusUnprocessableEntity, "credential.nothing_to_check"},
		{call{body: `{"text":""}`}, http.StatusUnprocessableEntity, "request.invalid"},
		{call{body: `{"url":"https://example.com"}`}, http.StatusUnprocessableEntity, "request.invalid"},
		{call{body: strings.Repeat("x", 256<<10+1), contentType: "application/octet-stream"}, http.StatusRequestEntityTooLarge, "request.too_large"},
		{call{body: strings.Repeat("x", 600<<10), contentType: "application/octet-stream"}, http.StatusRequestEntityTooLarge, "request.too_large"},
		{call{body: `{"file":"` + strings.Repeat("AAAA", 100<<10) + `"}`}, http.StatusUnprocessableEntity, "request.invalid"},
	} {
		tt.c.method, tt.c.path = http.MethodPost, "/api/credentials/verify"
		rec := s.do(tt.c)
		if rec.Code != tt.code || !strings.Contains(rec.Body.String(), tt.want) {
			t.Errorf("%.60s: %d %s", tt.c.body, rec.Code, rec.Body)
		}
	}
	for range 120 {
		if rec := s.do(call{method: http.MethodPost, path: "/api/credentials/verify", body: text("x")}); rec.Code == http.StatusTooManyRequests {
			if rec.Header().Get("Retry-After") == "" {
				t.Error("nobody is told when to come again")
			}
			return
		}
	}
	t.Error("nobody is slowed down")
}

package rest_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/paper/pdftest"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Whatever form the certificate of an erased person is asked for in, it holds and bears no name: at once, before any job, and after
// it. What travels of issuers and courses never had one.
func TestEverythingOfAnErasedPersonIsNameless(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	const name = "Xanthippe"
	u, err := s.app.Identity.CreateUser(t.Context(), identity.NewUser{
		Username: "leaver", DisplayName: name, Password: "correct horse", Memberships: []identity.Membership{{InstitutionID: s.a.ID, Role: identity.Learner}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.people["leaver"] = u
	s.finish(s.enroll("leaver"))
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("leaver"), "", 1)
	if err != nil || len(cs) != 1 || cs[0].Name != name {
		t.Fatalf("%+v, %v", cs, err)
	}
	path := "/api/credentials/" + string(cs[0].ID)
	share, err := s.app.Wallet.Share(t.Context(), s.actor("leaver"), wallet.NewShare{CredentialID: cs[0].ID, Named: true})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) []byte {
		t.Helper()
		rec := s.do(call{method: http.MethodGet, path: path})
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return rec.Body.Bytes()
	}
	// check gives what the form says, in words; the credential that is in it holds.
	check := func(text string, file []byte) string {
		t.Helper()
		in := map[string]any{"offline": true, "text": text}
		if file != nil {
			in = map[string]any{"offline": true, "file": file}
		}
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		rec := s.do(call{method: http.MethodPost, path: "/api/credentials/verify", body: string(body)})
		if report := decode[openapi.CredentialReport](t, rec); report.State != "valid" {
			t.Errorf("%.60s%.8q: %s %+v", text, file, report.State, report.Reasons)
		}
		return rec.Body.String()
	}
	forms := map[string]func() string{
		"JSON": func() string {
			doc := get(path)
			return string(doc) + check(string(doc), nil)
		},
		"JWT": func() string {
			token := string(get(path + "/jwt"))
			payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
			if err != nil {
				t.Fatal(err)
			}
			return string(payload) + check(token, nil)
		},
		"QR text": func() string {
			text := string(get(path + "/code.txt?name=1"))
			claims, _, err := code.Decode(text)
			if err != nil {
				t.Fatal(err)
			}
			return claims.Name + check(text, nil)
		},
		"PNG":           func() string { b := get(path + "/badge.png"); return string(b) + check("", b) },
		"SVG":           func() string { b := get(path + "/badge.svg"); return string(b) + check("", b) },
		"standing":      func() string { return string(get(path + "/standing")) },
		"PDF":           func() string { return paperText(t, get(path+"/certificate.pdf")) },
		"PDF in Arabic": func() string { return paperText(t, get(path+"/certificate.pdf?locale=ar")) },
	}
	for form, said := range forms {
		if !strings.Contains(said(), name) {
			t.Errorf("before, %s has no name: this test looks in the wrong place", form)
		}
	}
	picture := func() []byte { return get(path + "/code.png?name=1") }
	svg := func() []byte { return get(path + "/code.svg?name=1") }
	before := [][]byte{picture(), svg()}
	open := s.do(call{method: http.MethodGet, path: "/api/shares/" + share.Token})
	if open.Code != http.StatusOK || !strings.Contains(open.Body.String(), name) {
		t.Errorf("the link: %d %s", open.Code, open.Body)
	}
	travels(t, s, name)

	s.mustDo(s.as("admin A", call{method: http.MethodPost, path: "/api/institutions/" + string(s.a.ID) + "/members/" + string(s.people["leaver"].ID) + "/erasure", body: `{"reason":"requested"}`}))
	for _, when := range []string{"at once", "after the job"} {
		for form, said := range forms {
			if text := said(); strings.Contains(text, name) {
				t.Errorf("%s, %s bears the name: %.200q", when, form, text)
			}
		}
		// Pictures of codes are drawn from the text without the name.
		modules, err := code.Draw(string(get(path + "/code.txt?name=1")))
		if err != nil || bytes.Equal(picture(), before[0]) || bytes.Equal(svg(), before[1]) || len(modules) == 0 {
			t.Errorf("%s, the picture of the code is that with the name, %v", when, err)
		}
		if rec := s.do(call{method: http.MethodGet, path: "/api/shares/" + share.Token}); rec.Code != http.StatusGone || strings.Contains(rec.Body.String(), name) {
			t.Errorf("%s, the link: %d %s", when, rec.Code, rec.Body)
		}
		travels(t, s, name)
		s.drain()
	}
}

// travels sees to it that what devices carry of issuers has no name of a learner.
func travels(t *testing.T, s *school, name string) {
	t.Helper()
	rec := s.do(call{method: http.MethodGet, path: "/api/trust"})
	z, err := gzip.NewReader(rec.Body)
	if err != nil {
		t.Fatal(rec.Code, err)
	}
	all, err := io.ReadAll(z)
	if err != nil || !bytes.Contains(all, []byte("did:web:")) || bytes.Contains(all, []byte(name)) {
		t.Errorf("%d bytes of trust, %v, with the name: %v", len(all), err, bytes.Contains(all, []byte(name)))
	}
}

func paperText(t *testing.T, b []byte) string {
	t.Helper()
	d, err := pdftest.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	all, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

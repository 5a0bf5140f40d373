package rest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
)

// An admin sets what the institution says of itself, and each reader sees its name in their language.
func TestInstitutionProfile(t *testing.T) {
	s := newSchool(t)
	in := "/api/institutions/" + string(s.a.ID)
	signatory := v7()
	s.mustDo(s.as("admin A", call{method: http.MethodPatch, path: in, body: `{"names":{"ar":"مدرسة الأمل","fr":"École de l’Espoir"},"country":"TN","domain":"espoir.example",` +
		`"signatories":[{"id":"` + signatory + `","name":"Amel B.","title":{"fr":"Directrice"}}]}`}))
	find := func(language string) openapi.Institution {
		t.Helper()
		rec := s.do(call{method: http.MethodGet, path: in, header: map[string]string{"Accept-Language": language}})
		var got openapi.Institution
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil || rec.Code != 200 {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		return got
	}
	if got := find("fr"); got.Name != "École de l’Espoir" || got.NameLang != nil || got.FallbackName == nil || *got.FallbackName != s.a.Name || *got.Country != "TN" || got.Domain != nil {
		t.Errorf("%+v", got)
	}
	if got := find("ar"); got.Name != "مدرسة الأمل" {
		t.Errorf("%+v", got)
	}
	if got := find("zh"); got.Name != s.a.Name {
		t.Errorf("%+v", got)
	}
	rec := s.do(s.as("admin A", call{method: http.MethodGet, path: "/api/me", header: map[string]string{"Accept-Language": "ar"}}))
	if !strings.Contains(rec.Body.String(), "مدرسة الأمل") {
		t.Errorf("%s", rec.Body)
	}

	// Pictures are drawn anew, and served to everybody.
	file := drawing(t, 500, 200)
	s.mustDo(s.as("admin A", call{method: http.MethodPut, path: in + "/logo", body: file, contentType: "image/png"}))
	s.mustDo(s.as("admin A", call{method: http.MethodPut, path: in + "/signatories/" + signatory + "/signature", body: file, contentType: "image/png"}))
	got := find("en")
	if got.Logo == nil || got.Logo.Width != 360 || got.Logo.Height != 144 || got.Signatories == nil || (*got.Signatories)[0].Signature == nil {
		t.Fatalf("%+v", got)
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(got.Logo.URL, "/media/"), ".")
	if data, err := s.app.Curriculum.PublicBlob(t.Context(), blob.Digest("sha256:"+name)); err != nil || string(data) == file || len(data) == 0 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	// Only PNG and JPEG, whatever the header says; and a word on where it is wrong.
	for body, contentType := range map[string]string{"<svg xmlns='http://www.w3.org/2000/svg'/>": "image/svg+xml", "GIF89a": "image/png", "": "image/png", file[:100]: "image/png"} {
		rec := s.do(s.as("admin A", call{method: http.MethodPut, path: in + "/logo", body: body, contentType: contentType}))
		if rec.Code != 422 && rec.Code != 415 {
			t.Errorf("%.10q: %d %s", body, rec.Code, rec.Body)
		}
	}
	if rec := s.do(s.as("admin A", call{method: http.MethodPut, path: in + "/logo", body: `{}`})); rec.Code != http.StatusUnsupportedMediaType {
		t.Errorf("JSON for a picture: %d %s", rec.Code, rec.Body)
	}
	rec = s.do(s.as("admin A", call{
		method: http.MethodPatch, path: in, body: `{"names":{"xx-":"x"},"domain":"аlpha.example","country":"XX"}`, header: map[string]string{"Accept-Language": "ar"},
	}))
	var p openapi.Problem
	if err := json.Unmarshal(rec.Body.Bytes(), &p); err != nil || rec.Code != 422 || p.Errors == nil || len(*p.Errors) != 3 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for _, e := range *p.Errors {
		if e.Pointer == nil || !strings.HasPrefix(*e.Pointer, "/") || !strings.ContainsRune(e.Detail, 'ا') {
			t.Errorf("%+v", e)
		}
	}
}

// says is a domain that answers.
type says map[string]string

func (d says) Texts(_ context.Context, name string) ([]string, error) { return []string{d[name]}, nil }

func (d says) File(context.Context, string) (string, error) { return "", nil }

// A domain counts when it names the institution itself: until then nothing is issued under it, and its name has no document here.
func TestDomainIsProven(t *testing.T) {
	s := newSchool(t)
	domain := says{}
	s.app.Institution.Domains = domain
	in := "/api/institutions/" + string(s.a.ID)
	ask := func(c call) openapi.Domain {
		t.Helper()
		rec := s.do(s.as("admin A", c))
		if rec.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
		return decode[openapi.Domain](t, rec)
	}
	check := call{method: http.MethodPost, path: in + "/domain"}
	if rec := s.do(s.as("admin A", check)); rec.Code != http.StatusUnprocessableEntity || !strings.Contains(rec.Body.String(), "institution.no_domain") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	s.mustDo(s.as("admin A", call{method: http.MethodPatch, path: in, body: `{"domain":"espoir.example"}`}))
	issuer := func() string {
		t.Helper()
		i, err := s.app.Credential.FindIssuer(t.Context(), s.a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return i.DID
	}
	path := issuer()
	if got := ask(call{method: http.MethodGet, path: in + "/domain"}); got.Domain != nil || got.Claim == nil || got.Record == nil || got.Record.Name != "_banyan-institution.espoir.example" {
		t.Fatalf("%+v", got)
	}
	check.header = map[string]string{"Accept-Language": "ar"}
	got := ask(check)
	if got.Domain != nil || got.Problem == nil || *got.Problem != "no_record" || got.Detail == nil || !strings.Contains(*got.Detail, "لا يذكر") || got.CheckedAt == nil {
		t.Errorf("%+v", got)
	}
	if strings.Contains(path, "espoir") || issuer() != path {
		t.Errorf("issued under %s without a proof", issuer())
	}
	if _, err := s.app.Keys.DIDDocumentAt(t.Context(), "espoir.example"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a document of a domain that is not proven: %v", err)
	}
	domain["_banyan-institution.espoir.example"] = got.Record.Value
	if got = ask(check); got.Domain == nil || *got.Domain != "espoir.example" || got.Claim != nil || *got.Proof != "dns" || got.ProvenAt == nil || got.Problem != nil {
		t.Errorf("%+v", got)
	}
	if issuer() != "did:web:espoir.example" {
		t.Errorf("issued under %s", issuer())
	}
}

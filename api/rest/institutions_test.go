package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/blob"
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
	if got := find("fr"); got.Name != "École de l’Espoir" || got.NameLang != nil || got.FallbackName == nil || *got.FallbackName != s.a.Name || *got.Country != "TN" || *got.Domain != "espoir.example" {
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

package rest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
)

// Whom an institution trusts counts for its members, and they are told on whose trust an answer rests. For nobody else it does.
func TestVerifyByTheTrustOfAnInstitution(t *testing.T) {
	s := newSchool(t)
	const folder = "../../internal/credential/code/testdata/"
	pack, err := os.ReadFile(folder + "airplane.banyan")
	if err != nil {
		t.Fatal(err)
	}
	var documents []string
	for from := bundle.NewReader(bytes.NewReader(pack)); ; {
		f, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Kind == bundle.PublisherFrame {
			documents = append(documents, string(f.Payload))
		}
	}
	raw, err := os.ReadFile(folder + "airplane.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []struct{ Name, Text string }
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	body := func(v any) string {
		t.Helper()
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	ask := func(who string) (openapi.CredentialReport, []string) {
		t.Helper()
		rec := s.do(s.as(who, call{method: http.MethodPost, path: "/api/credentials/verify", body: body(map[string]any{"text": all[0].Text, "offline": true})}))
		if rec.Code != http.StatusOK {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
		r := decode[openapi.CredentialReport](t, rec)
		var why []string
		for _, reason := range r.Reasons {
			why = append(why, reason.Code)
		}
		return r, why
	}
	if _, why := ask("learner A"); !slices.Contains(why, "issuer_unknown") {
		t.Fatalf("before anybody trusts: %v", why)
	}
	in := "/api/institutions/" + string(s.a.ID)
	s.mustDo(s.as("admin A", call{method: http.MethodPost, path: in + "/publishers", body: body(map[string]any{"documents": documents})}))
	taken := s.do(s.as("admin A", call{method: http.MethodPost, path: in + "/trust", body: string(pack), contentType: "application/octet-stream"}))
	if got := decode[openapi.TakenTrust](t, taken); taken.Code != http.StatusOK || len(got.Taken) != 1 || len(got.LeftOut) != 0 {
		t.Fatalf("%d %+v", taken.Code, got)
	}
	for _, who := range []string{"", "learner B", "operator"} {
		if _, why := ask(who); !slices.Contains(why, "issuer_unknown") {
			t.Errorf("%q: %v", who, why)
		}
	}
	for _, who := range []string{"learner A", "admin A"} {
		r, why := ask(who)
		if slices.Contains(why, "issuer_unknown") || r.State == "invalid" {
			t.Errorf("%q: %s %v", who, r.State, why)
		}
		for _, kind := range []string{"trust_list", "status"} {
			i := slices.IndexFunc(r.RestsOn, func(b openapi.CredentialBasis) bool { return string(b.Kind) == kind })
			if i < 0 || r.RestsOn[i].From != "circle" || r.RestsOn[i].By == nil || *r.RestsOn[i].By != s.a.Name {
				t.Errorf("%q, %s: %+v", who, kind, r.RestsOn)
			}
		}
	}
	// The devices of its members get the same, and nobody else's.
	fetch := func(who, in, tag string) *httptest.ResponseRecorder {
		t.Helper()
		return s.do(s.as(who, call{method: http.MethodGet, path: "/api/institutions/" + in + "/trust", header: map[string]string{"If-None-Match": tag}}))
	}
	a, b := string(s.a.ID), string(s.b.ID)
	got := fetch("learner A", a, "")
	words, err := intake.ReadWords(bundle.NewReader(got.Body), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil })
	if err != nil || len(words.Words) != 1 || len(words.Blobs) == 0 {
		t.Fatalf("%d, %+v, %v", got.Code, words, err)
	}
	tag := got.Header().Get("ETag")
	if caching := got.Header().Get("Cache-Control"); tag == "" || !strings.HasPrefix(caching, "private") {
		t.Errorf("ETag %q, Cache-Control %q", tag, caching)
	}
	for _, tt := range []struct {
		who, in, tag string
		want         int
	}{
		{"learner A", a, tag, http.StatusNotModified},
		{"admin A", a, "", http.StatusOK},
		{"operator", a, "", http.StatusOK},
		{"", a, "", http.StatusUnauthorized},
		{"learner B", a, "", http.StatusForbidden},
		{"learner B", a, tag, http.StatusForbidden},
		{"admin B", a, "", http.StatusForbidden},
		{"learner B", b, "", http.StatusNoContent},
	} {
		if rec := fetch(tt.who, tt.in, tt.tag); rec.Code != tt.want {
			t.Errorf("%q of %s: %d %s", tt.who, tt.in, rec.Code, rec.Body)
		}
	}
	if rec := s.do(s.as("learner A", call{method: http.MethodGet, path: "/api/trust"})); rec.Code == http.StatusOK {
		all, err := intake.ReadWords(bundle.NewReader(rec.Body), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil })
		if err != nil || slices.ContainsFunc(all.Words, func(w intake.Word) bool { return w.Trust.Publisher == words.Words[0].Trust.Publisher }) {
			t.Errorf("what all get: %+v, %v", all, err)
		}
	}
	// The operator's trust goes before, and is nobody's in particular.
	s.mustDo(s.as("operator", call{method: http.MethodPost, path: "/api/publishers", body: body(map[string]any{"documents": documents})}))
	for _, who := range []string{"", "learner A"} {
		r, _ := ask(who)
		i := slices.IndexFunc(r.RestsOn, func(b openapi.CredentialBasis) bool { return b.Kind == "trust_list" })
		if i < 0 || r.RestsOn[i].From != "trusted" || r.RestsOn[i].By != nil {
			t.Errorf("%q: %+v", who, r.RestsOn)
		}
	}
}

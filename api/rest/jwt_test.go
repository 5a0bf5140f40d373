package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
)

// The token that one gets here is checked here as by a stranger; and the key that was made for it stands in nobody's way.
func TestCredentialJWT(t *testing.T) {
	s := newSchool(t)
	s.finish(s.enroll("learner A"))
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("learner A"), "", 1)
	if err != nil || len(cs) != 1 {
		t.Fatalf("no credential: %v", err)
	}
	path := "/api/credentials/" + string(cs[0].ID)
	get := func(path string) (string, http.Header) {
		t.Helper()
		rec := s.do(call{method: http.MethodGet, path: path})
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return rec.Body.String(), rec.Header()
	}
	token, h := get(path + "/jwt")
	if h.Get("Content-Type") != "application/jwt" || strings.Count(token, ".") != 2 {
		t.Errorf("%s: %s", h.Get("Content-Type"), token)
	}
	if again, _ := get(path + "/jwt"); again != token {
		t.Error("another token")
	}
	body, err := json.Marshal(map[string]any{"text": token, "offline": true})
	if err != nil {
		t.Fatal(err)
	}
	report := decode[openapi.CredentialReport](t, s.do(call{method: http.MethodPost, path: "/api/credentials/verify", body: string(body)}))
	if report.State != "valid" || report.Format == nil || *report.Format != "jwt" {
		t.Errorf("%+v", report)
	}
	// The trust list and the codes know Ed25519 keys alone.
	trust, _ := get("/api/trust")
	if _, err := intake.ReadWords(bundle.NewReader(strings.NewReader(trust)), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil }); err != nil {
		t.Errorf("the trust list: %v", err)
	}
	get(path + "/code.txt")
	if rec := s.do(call{method: http.MethodGet, path: "/api/credentials/" + v7() + "/jwt"}); rec.Code != http.StatusNotFound {
		t.Errorf("nobody's: %d", rec.Code)
	}
}

package rest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
)

// What an award waits for, who gives it, and how the certificate is suspended and reinstated: as people do it, over HTTP.
func TestACertificateThatIsAskedFor(t *testing.T) {
	s := newSchool(t)
	award := s.waiting("learner A")
	in := "/api/institutions/" + string(s.a.ID)
	one := in + "/awards/" + string(award.ID)
	put := func(who, path, body string, want int) openapi.Award {
		t.Helper()
		rec := s.do(s.as(who, call{method: http.MethodPut, path: path, body: body}))
		if rec.Code != want {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		if want != http.StatusOK {
			return openapi.Award{}
		}
		return decode[openapi.Award](t, rec)
	}
	wants := func(a openapi.Award, want ...openapi.AwardWant) {
		t.Helper()
		if len(a.Wants) != len(want) {
			t.Errorf("waits for %v, want %v", a.Wants, want)
		}
	}
	put("issuer A", one+"/decision", `{"approve":false}`, http.StatusUnprocessableEntity)
	wants(put("issuer A", one+"/decision", `{"approve":true}`, http.StatusOK), "assessment", "name", "declaration")
	wants(put("issuer A", one+"/assessment", `{"assessment":"supervised"}`, http.StatusOK), "name", "declaration")
	put("issuer A", one+"/name", `{"name":"Somebody else"}`, http.StatusConflict)
	wants(put("issuer A", one+"/name", `{"name":"`+s.people["learner A"].DisplayName+`"}`, http.StatusOK), "declaration")
	wants(put("learner A", "/api/awards/"+string(award.ID)+"/declaration", `{"ai_help":"much"}`, http.StatusOK))
	s.drain()
	put("issuer A", one+"/decision", `{"approve":false,"reason":"too late"}`, http.StatusConflict)

	mine := decode[openapi.CredentialList](t, s.do(s.as("learner A", call{method: http.MethodGet, path: "/api/credentials"})))
	if len(mine.Items) != 1 || string(*mine.Items[0].Assessment) != "supervised" || string(*mine.Items[0].AiHelp) != "much" {
		t.Fatalf("mine %+v", mine.Items)
	}
	id := mine.Items[0].ID
	c, err := s.app.Credential.Find(t.Context(), credential.ID(id))
	if err != nil {
		t.Fatal(err)
	}
	list := call{method: http.MethodGet, path: "/api/status-lists/" + string(c.SuspensionListID)}
	first := s.do(list)
	etag := first.Header().Get("ETag")
	if first.Code != http.StatusOK || etag == "" || !strings.HasPrefix(first.Header().Get("Cache-Control"), "public, max-age=") {
		t.Errorf("list: %d, %v", first.Code, first.Header())
	}
	list.header = map[string]string{"If-None-Match": etag}
	if rec := s.do(list); rec.Code != http.StatusNotModified {
		t.Errorf("the same list again: %d", rec.Code)
	}
	standing := func(want openapi.StandingStanding) {
		t.Helper()
		got := decode[openapi.Standing](t, s.do(call{method: http.MethodGet, path: "/api/credentials/" + id + "/standing"}))
		if got.Standing != want {
			t.Errorf("standing %s, want %s", got.Standing, want)
		}
	}
	standing("valid")
	put("issuer A", "/api/credentials/"+id+"/suspension", `{"reason":"The name is asked about."}`, http.StatusNoContent)
	standing("suspended")
	if rec := s.do(list); rec.Code != http.StatusOK || rec.Header().Get("ETag") == etag {
		t.Errorf("the list after a suspension: %d", rec.Code)
	}
	found := decode[openapi.CredentialList](t, s.do(s.as("issuer A", call{method: http.MethodGet, path: in + "/credentials?standing=suspended&search=" + id})))
	if len(found.Items) != 1 || found.Items[0].SuspendedReason == nil {
		t.Errorf("found %+v", found.Items)
	}
	put("issuer A", "/api/credentials/"+id+"/reinstatement", `{"reason":"Answered."}`, http.StatusNoContent)
	standing("valid")
	put("issuer A", "/api/credentials/"+id+"/revocation", `{"reason":"Copied."}`, http.StatusNoContent)
	put("issuer A", "/api/credentials/"+id+"/reinstatement", `{"reason":"No."}`, http.StatusConflict)
	standing("revoked")
}

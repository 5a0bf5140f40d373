package rest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/identity"
)

func (s *school) answer(c call, into any) {
	s.Helper()
	rec := s.do(c)
	if err := json.Unmarshal(rec.Body.Bytes(), into); err != nil || rec.Code >= 300 {
		s.Fatalf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
	}
}

// An admin rotates and revokes keys, and finds all of it in the audit log, page by page and as an export whose chain holds.
func TestKeysAndAudit(t *testing.T) {
	s := newSchool(t)
	in := "/api/institutions/" + string(s.a.ID)
	get := func(path string) call { return s.as("admin A", call{method: http.MethodGet, path: in + path}) }
	s.finish(s.enroll("learner A"))
	var ring openapi.KeyRing
	s.answer(get("/keys"), &ring)
	if len(ring.Keys) != 1 || !ring.Keys[0].Signs || ring.Keys[0].Controller != ring.Did {
		t.Fatalf("%+v", ring)
	}
	first := ring.Keys[0]
	next := `{"id":"` + v7() + `"}`
	for range 2 {
		s.mustDo(s.as("admin A", call{method: http.MethodPost, path: in + "/keys", body: next}))
	}
	var revoked openapi.Key
	s.answer(s.as("admin A", call{method: http.MethodPut, path: in + "/keys/" + first.ID + "/revocation", body: `{"from":"2026-01-01T00:00:00Z","reason":"The disk was stolen."}`}), &revoked)
	if revoked.RevokedAt == nil || revoked.RevokedReason == nil || revoked.Signs {
		t.Errorf("%+v", revoked)
	}
	s.answer(get("/keys"), &ring)
	if len(ring.Keys) != 2 || ring.Keys[0].Signs || !ring.Keys[1].Signs {
		t.Errorf("%+v", ring)
	}
	var list openapi.CredentialList
	s.answer(s.as("learner A", call{method: http.MethodGet, path: "/api/credentials"}), &list)
	var st openapi.Standing
	s.answer(call{method: http.MethodGet, path: "/api/credentials/" + list.Items[0].ID + "/standing"}, &st)
	if st.Standing != "invalid" || st.KeyRevokedAt == nil || st.KeyRevokedReason == nil || *st.KeyRevokedReason != "The disk was stolen." {
		t.Errorf("%+v", st)
	}

	// What it had signed is signed anew, by a job.
	renewal := func(key string) call {
		return s.as("admin A", call{method: http.MethodPut, path: in + "/keys/" + key + "/renewal"})
	}
	if rec := s.do(renewal(ring.Keys[1].ID)); rec.Code != http.StatusConflict || !strings.Contains(rec.Body.String(), "credential.key_not_revoked") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if n := ring.Keys[0].Refused; n == nil || *n != 1 || ring.Keys[1].Refused != nil {
		t.Errorf("%+v", ring)
	}
	var asked openapi.Key
	s.answer(renewal(first.ID), &asked)
	if asked.RenewalStartedAt == nil || asked.RenewalEndedAt != nil {
		t.Errorf("%+v", asked)
	}
	s.drain()
	var now openapi.CredentialList
	s.answer(s.as("learner A", call{method: http.MethodGet, path: "/api/credentials"}), &now)
	if was := list.Items[0].ChangedAt; was == nil || now.Items[0].ChangedAt == nil || !now.Items[0].ChangedAt.After(*was) {
		t.Errorf("changed at %v, was %v", now.Items[0].ChangedAt, was)
	}
	st = openapi.Standing{}
	s.answer(call{method: http.MethodGet, path: "/api/credentials/" + list.Items[0].ID + "/standing"}, &st)
	if st.Standing != "valid" || st.KeyRevokedAt != nil {
		t.Errorf("%+v", st)
	}
	ring = openapi.KeyRing{}
	s.answer(get("/keys"), &ring)
	if k := ring.Keys[0]; k.Refused != nil || k.RenewalEndedAt == nil {
		t.Errorf("%+v", k)
	}

	var all []openapi.AuditEntry
	var head openapi.AuditHead
	for cursor := ""; ; {
		var page openapi.AuditList
		s.answer(get("/audit?limit=3&cursor="+cursor), &page)
		all, head = append(all, page.Items...), page.Head
		if page.Next == nil {
			break
		}
		cursor = *page.Next
	}
	var kinds []string
	for i, e := range all {
		kinds = append(kinds, e.Kind)
		if e.N != int64(len(all)-i) {
			t.Errorf("entry %d is number %d", i, e.N)
		}
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "renewal_finished renewal_started key_revoked key_rotated ") || !strings.HasSuffix(got, "institution_created") || strings.Count(got, "key_rotated") != 1 {
		t.Errorf("logged %s", got)
	}
	if all[0].Hash != head.Hash || all[0].N != head.N || all[0].ByName != nil {
		t.Errorf("%+v, head %+v", all[0], head)
	}
	if e := all[2]; e.ByName == nil || *e.ByName != s.people["admin A"].DisplayName || e.Data["key"] != first.ID {
		t.Errorf("%+v", e)
	}

	rec := s.do(get("/audit?format=jsonl"))
	if rec.Code != 200 || rec.Header().Get("Content-Type") != "application/jsonl" || !strings.Contains(rec.Header().Get("Content-Disposition"), `.jsonl`) {
		t.Fatalf("%d %v", rec.Code, rec.Header())
	}
	export := rec.Body.String()
	end, found, err := audit.VerifyExport(strings.NewReader(export), audit.Head{N: head.N, Hash: head.Hash})
	if err != nil || len(found) > 0 || end.N != int64(len(all)) {
		t.Errorf("%v, %v, %v", end, found, err)
	}
	for _, person := range s.people {
		if strings.Contains(export, person.DisplayName) || strings.Contains(export, person.Username) {
			t.Errorf("the log names %s", person.DisplayName)
		}
	}
	if strings.Contains(export, "stolen") {
		t.Error("the log has somebody's own words")
	}
	if rec := s.do(get("/audit?cursor=eA")); rec.Code != 422 {
		t.Errorf("a bad cursor: %d %s", rec.Code, rec.Body)
	}
}

// Whom an institution trusts and which regrades take effect stand in its log, once each.
func TestOtherActsAreLogged(t *testing.T) {
	s := newSchool(t)
	in := "/api/institutions/" + string(s.a.ID)
	publishers, err := s.app.Trust.Publishers(t.Context(), identity.System())
	if err != nil || len(publishers) == 0 {
		t.Fatalf("%d publishers, %v", len(publishers), err)
	}
	body, err := json.Marshal(map[string]any{"documents": []string{publishers[0].Documents[0]}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.mustDo(s.as("admin A", call{method: http.MethodPost, path: in + "/publishers", body: string(body)}))
	}
	for range 2 {
		s.mustDo(s.as("admin A", call{method: http.MethodDelete, path: in + "/publishers?publisher=" + url.QueryEscape(publishers[0].ID)}))
	}
	newer := s.publishNewer()
	regrade := v7()
	s.mustDo(s.as("trainer A", call{method: http.MethodPost, path: in + "/regrades", body: `{"id":"` + regrade + `","course_id":"` + shipped + `","lab_id":"nearest-leaf","to":` + strconv.Itoa(newer.Number) + `}`}))
	s.drain()
	for range 2 {
		s.mustDo(s.as("trainer A", call{method: http.MethodPut, path: in + "/regrades/" + regrade + "/application", body: `{"mode":"all"}`}))
	}
	var page openapi.AuditList
	s.answer(s.as("admin A", call{method: http.MethodGet, path: in + "/audit"}), &page)
	var kinds []string
	for _, e := range page.Items {
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); !strings.HasPrefix(got, "regrade_applied publisher_distrusted publisher_trusted ") || strings.Count(got, "trusted") != 2 {
		t.Errorf("logged %s", got)
	}
	if e := page.Items[0]; e.Data["regrade"] != regrade || e.ByName == nil || *e.ByName != s.people["trainer A"].DisplayName {
		t.Errorf("%+v", e)
	}
}

package rest_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/credential/paper/pdftest"
	"github.com/banyan-lms/banyan/internal/identity"
)

// TestCertificateOnPaper prints as anybody does, changes how it looks as an admin, and takes it back.
func TestCertificateOnPaper(t *testing.T) {
	s := newSchool(t)
	s.finish(s.enroll("learner A"))
	cs, err := s.app.Credential.ListOwn(t.Context(), s.actor("learner A"), "", 1)
	if err != nil || len(cs) != 1 {
		t.Fatal(cs, err)
	}
	path := "/api/credentials/" + string(cs[0].ID) + "/certificate.pdf"
	paper := func(query string) (*pdftest.Document, http.Header) {
		t.Helper()
		rec := s.do(call{method: http.MethodGet, path: path + query})
		if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != "application/pdf" {
			t.Fatal(rec.Code, rec.Body.String())
		}
		d, err := pdftest.Read(rec.Body.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return d, rec.Header()
	}
	says := func(d *pdftest.Document, want string) bool {
		for _, e := range d.Elements {
			if e.Actual == want {
				return true
			}
		}
		return false
	}
	d, h := paper("")
	if !says(d, cs[0].Name) || !says(d, cs[0].AchievementName[cs[0].Locale]) {
		t.Errorf("it says %+v", d.Elements)
	}
	if !strings.HasPrefix(h.Get("Content-Disposition"), `inline; filename`) || h.Get("ETag") == "" || h.Get("Cache-Control") != "no-cache" {
		t.Errorf("headers are %v", h)
	}
	again := s.do(call{method: http.MethodGet, path: path, header: map[string]string{"If-None-Match": h.Get("ETag")}})
	if again.Code != http.StatusNotModified {
		t.Errorf("the same again: %d", again.Code)
	}
	if d, _ = paper("?locale=ar"); !says(d, "شهادة إتمام") || !says(d, cs[0].Name) {
		t.Errorf("in Arabic it says %+v", d.Elements)
	}
	if rec := s.do(call{method: http.MethodGet, path: path + "?locale=tlh"}); rec.Code != http.StatusUnprocessableEntity && rec.Code != http.StatusBadRequest {
		t.Errorf("in a language that nobody ships: %d", rec.Code)
	}

	// The template is for certificates that were issued before, too.
	in := "/api/institutions/" + string(s.a.ID) + "/certificate-template"
	template := `{"orientation":"portrait","accent":"#7A1F1F","border":"corners","logo":"end","line":{"en":"Vocational college, room 12"}}`
	admin := func(c call) []byte {
		t.Helper()
		rec := s.do(s.as("admin A", c))
		if rec.Code >= 300 {
			t.Fatal(c.method, c.path, rec.Code, rec.Body.String())
		}
		return rec.Body.Bytes()
	}
	var got struct {
		Design struct {
			Accent string
			Line   map[string]string
		}
		Own bool
	}
	parse := func(b []byte) {
		t.Helper()
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
	}
	parse(admin(call{method: http.MethodGet, path: in}))
	if got.Own || got.Design.Accent != "#14505c" {
		t.Errorf("before: %+v", got)
	}
	parse(admin(call{method: http.MethodPut, path: in + "?course=" + string(cs[0].CourseID), body: template}))
	if !got.Own || got.Design.Accent != "#7a1f1f" {
		t.Errorf("after: %+v", got)
	}
	d, h2 := paper("?locale=en")
	if !says(d, "Vocational college, room 12") || h2.Get("ETag") == h.Get("ETag") {
		t.Errorf("it says %+v", d.Elements)
	}
	parse(admin(call{method: http.MethodGet, path: in}))
	if got.Own {
		t.Error("the template of one course is that of all")
	}
	for name, bad := range map[string]string{
		"yellow on white": strings.Replace(template, "#7A1F1F", "#ffee00", 1), "no such person": strings.Replace(template, `"line"`, `"signatories":["x"],"line"`, 1),
		"an override": strings.Replace(template, "room 12", "\u202e", 1), "no language": strings.Replace(template, `"en"`, `"?"`, 1),
	} {
		if rec := s.do(s.as("admin A", call{method: http.MethodPut, path: in, body: bad})); rec.Code != http.StatusUnprocessableEntity && rec.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
		}
	}
	svg := admin(call{method: http.MethodPost, path: in + "/preview?locale=fr", body: template})
	if !bytes.HasPrefix(svg, []byte("<svg ")) || bytes.Contains(svg, []byte(cs[0].Name)) {
		t.Errorf("the preview is %.200s", svg)
	}
	admin(call{method: http.MethodDelete, path: in + "?course=" + string(cs[0].CourseID)})
	if _, h3 := paper(""); h3.Get("ETag") != h.Get("ETag") {
		t.Error("without the template it is another certificate than before it")
	}

	issuer := identity.Actor{UserID: s.people["admin A"].ID, Memberships: []identity.Membership{{InstitutionID: s.a.ID, Role: identity.Issuer}}}
	if err := s.app.Credential.Revoke(t.Context(), issuer, cs[0].ID, "Copied the answers"); err != nil {
		t.Fatal(err)
	}
	if d, _ = paper("?locale=en"); !says(d, "Reason given: Copied the answers") {
		t.Errorf("revoked, it says %+v", d.Elements)
	}
}

// TestPrintingIsBounded wants no more work than a classroom causes.
func TestPrintingIsBounded(t *testing.T) {
	s := newSchool(t)
	for range 200 {
		if rec := s.do(call{method: http.MethodGet, path: "/api/credentials/" + v7() + "/certificate.pdf"}); rec.Code == http.StatusTooManyRequests {
			return
		}
	}
	t.Error("nobody is refused")
}

package rest_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
)

const caseBase = "/ims/case/v1p1/"

// Every address that CASE's answers name answers, as the contract says: do holds each reply against it.
func TestCaseIsWhole(t *testing.T) {
	s := newSchool(t)
	get := func(path string) []byte {
		rec := s.do(call{method: http.MethodGet, path: path})
		if rec.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
		}
		return rec.Body.Bytes()
	}
	rec := s.do(call{method: http.MethodGet, path: caseBase + "CFDocuments"})
	docs := decode[openapi.CFDocumentSet](t, rec).CFDocuments
	if len(docs) != len(framework.Shipped().Documents()) {
		t.Fatalf("%d documents", len(docs))
	}
	if got := rec.Header().Get("Cache-Control"); !strings.HasPrefix(got, "public") {
		t.Errorf("Cache-Control %q", got)
	}
	if got := rec.Header().Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin %q", got)
	}
	links := regexp.MustCompile(`"http://example\.com(/ims/case/v1p1/[A-Za-z]+/[0-9a-f-]{36})"`)
	seen := map[string]bool{}
	queue := []string{}
	for _, d := range docs[:5] { // the publishers' and the crosswalk; what they name leads on
		queue = append(queue, strings.TrimPrefix(d.CFPackageURI.URI, "http://example.com"))
		if (*d.AdoptionStatus == "Adopted") != (d.Creator == "UNESCO") {
			t.Errorf("%s is %s", d.Title, *d.AdoptionStatus)
		}
	}
	for len(queue) > 0 {
		path := queue[0]
		queue = queue[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		for _, m := range links.FindAllStringSubmatch(string(get(path)), -1) {
			if !seen[m[1]] {
				queue = append(queue, m[1])
			}
		}
	}
	if len(seen) < 5+5+100+100 {
		t.Errorf("only %d addresses", len(seen))
	}
	t.Logf("%d addresses answer", len(seen))
}

func TestCaseSaysWhatCoursesAlignTo(t *testing.T) {
	s := newSchool(t)
	id := framework.Identifier("cft.ethics.create")
	rec := s.do(call{method: http.MethodGet, path: caseBase + "CFItems/" + strings.ToUpper(id)})
	it := decode[openapi.CFItem](t, rec)
	if it.FullStatement != "Co-creating ethical rules" || *it.HumanCodingScheme != "cft.ethics.create" || *it.CFItemType != "Competency" ||
		it.URI != "http://example.com/ims/case/v1p1/CFItems/"+id || *it.Language != "en" || it.LicenseURI == nil || it.CFDocumentURI.Identifier != framework.Identifier("cft") {
		t.Errorf("%s", rec.Body)
	}
	set := decode[openapi.CFAssociationSet](t, s.do(call{method: http.MethodGet, path: caseBase + "CFItemAssociations/" + id}))
	got := map[string][]string{}
	for _, a := range set.CFAssociations {
		end := a.DestinationNodeURI
		if end.Identifier == id {
			end = a.OriginNodeURI
		}
		got[string(a.AssociationType)] = append(got[string(a.AssociationType)], end.Title)
	}
	if !slices.Equal(got["isChildOf"], []string{"Ethics of AI"}) || !slices.Equal(got["hasSkillLevel"], []string{"Create"}) ||
		!slices.Equal(got["isRelatedTo"], []string{"Writing local rules"}) || !slices.Contains(got["isTranslationOf"], "Élaboration commune de règles éthiques") {
		t.Errorf("tied to %v", got)
	}
	// Another language is another document.
	fr := set.CFAssociations[slices.IndexFunc(set.CFAssociations, func(a openapi.CFPckgAssociation) bool {
		return a.OriginNodeURI.Title == "Élaboration commune de règles éthiques"
	})].OriginNodeURI
	it = decode[openapi.CFItem](t, s.do(call{method: http.MethodGet, path: caseBase + "CFItems/" + fr.Identifier}))
	if *it.Language != "fr" || *it.HumanCodingScheme != "cft.ethics.create" || fr.Identifier == id {
		t.Errorf("%+v", it)
	}
}

func TestCasePages(t *testing.T) {
	s := newSchool(t)
	all := decode[openapi.CFDocumentSet](t, s.do(call{method: http.MethodGet, path: caseBase + "CFDocuments"})).CFDocuments
	var titles []string
	path, pages := caseBase+"CFDocuments?limit=7", 0
	next := regexp.MustCompile(`<http://example\.com([^>]+)>; rel="next"`)
	for path != "" {
		rec := s.do(call{method: http.MethodGet, path: path})
		for _, d := range decode[openapi.CFDocumentSet](t, rec).CFDocuments {
			titles = append(titles, d.Identifier)
		}
		if pages++; rec.Header().Get("X-Total-Count") == "" {
			t.Errorf("%v", rec.Header())
		}
		path = ""
		if m := next.FindStringSubmatch(rec.Header().Get("Link")); m != nil {
			path = m[1]
		}
	}
	var want []string
	for _, d := range all {
		want = append(want, d.Identifier)
	}
	if !slices.Equal(titles, want) || pages != (len(all)+6)/7 {
		t.Errorf("%d pages give %d of %d", pages, len(titles), len(all))
	}
	first := s.do(call{method: http.MethodGet, path: caseBase + "CFDocuments"})
	again := s.do(call{method: http.MethodGet, path: caseBase + "CFDocuments", header: map[string]string{"If-None-Match": first.Header().Get("ETag")}})
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("the same again: %d", again.Code)
	}
}

func TestCaseFaults(t *testing.T) {
	s := newSchool(t)
	for _, tt := range []struct {
		path, field, minor string
		status             int
	}{
		{"CFItems/" + v7(), "sourcedId", "unknownobject", 404},
		{"CFDocuments/" + framework.Identifier("cfs.ethics"), "sourcedId", "unknownobject", 404},
		{"CFItems/cfs.ethics.apply", "sourcedId", "invalid_uuid", 404},
		{"CFAssociations/%7Bx%7D", "sourcedId", "invalid_uuid", 404},
		{"CFPackages/urn:uuid:" + framework.Identifier("cfs"), "sourcedId", "invalid_uuid", 404},
		{"CFDocuments?limit=0", "limit", "invalid_selection_field", 400},
		{"CFDocuments?offset=-1", "offset", "invalid_selection_field", 400},
		{"CFDocuments?offset=1000", "sourcedId", "unknownobject", 404},
		{"CFRubrics/" + v7(), "sourcedId", "unknownobject", 404},
	} {
		rec := s.do(call{method: http.MethodGet, path: caseBase + tt.path})
		got := decode[openapi.CaseStatusInfo](t, rec)
		if rec.Code != tt.status || got.ImsxCodeMajor != "failure" || got.ImsxDescription == nil || got.ImsxCodeMinor == nil {
			t.Errorf("%s: %d %s", tt.path, rec.Code, rec.Body)
			continue
		}
		if f := got.ImsxCodeMinor.ImsxCodeMinorField[0]; f.ImsxCodeMinorFieldName != tt.field || string(f.ImsxCodeMinorFieldValue) != tt.minor {
			t.Errorf("%s: %+v", tt.path, f)
		}
		if rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be kept", tt.path)
		}
	}
}

package rest_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/identity"
)

// What the plan promises is what the service packs, and its sum is honest.
func TestBundlePlan(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	info := decode[openapi.Bundle](t, s.got(call{method: http.MethodGet, path: "/api/bundles/" + shipped}))
	if info.CourseID != shipped || info.Number != 1 || info.Rule != nil || info.Editions["ar"].Bytes.Text == 0 {
		t.Fatalf("%+v", info)
	}
	plan := decode[openapi.BundlePlan](t, s.got(call{method: http.MethodGet, path: "/api/bundles/" + shipped + "/plan?locale=ar&locale=en&tier=images"}))
	if plan.Number != 1 || plan.RootDigest != info.RootDigest || plan.Head.Href != info.Head || plan.From != nil || plan.Fit != nil {
		t.Errorf("%+v", plan)
	}
	sum := plan.Head.Bytes
	var locales []string
	for _, p := range plan.Packs {
		sum += p.Bytes
		if *p.Layer == openapi.BundleLayerText {
			locales = append(locales, *p.Locale)
			packed, err := s.app.Bundle.Pack(t.Context(), shipped, 1, serving.Part{Locale: *p.Locale, Layer: bundle.Text})
			if err != nil || packed.Size != p.Bytes {
				t.Errorf("%s: %v", p.Href, err)
			}
		}
	}
	if sum != plan.TransferBytes || strings.Join(locales, " ") != "ar en" {
		t.Errorf("%d of %d, %v", sum, plan.TransferBytes, locales)
	}
	s.publishNewer()
	plan = decode[openapi.BundlePlan](t, s.got(call{method: http.MethodGet, path: "/api/bundles/" + shipped + "/plan?locale=en&tier=text&from=1"}))
	// The newer version differs in what only the server has: there is a new root to fetch, and nothing else.
	if plan.Number != 2 || plan.From == nil || *plan.From != 1 || len(plan.Packs) != 0 || plan.TransferBytes != plan.Head.Bytes || plan.Head.Bytes == 0 {
		t.Errorf("an update: %+v", plan)
	}
	budget := decode[openapi.BundlePlan](t, s.got(call{method: http.MethodGet, path: "/api/bundles/" + shipped + "/plan?locale=en&tier=all&number=1&budget=30000"}))
	if budget.Fit == nil || budget.Fit.Whole || budget.Fit.Bytes > 30000 || len(budget.Fit.Items) == 0 || budget.Number != 1 {
		t.Errorf("30 kB: %+v", budget.Fit)
	}
	for path, want := range map[string]int{
		"/api/bundles/nowhere": http.StatusNotFound, "/api/bundles/nowhere/plan?locale=en&tier=text": http.StatusNotFound,
		"/api/bundles/" + shipped + "/plan?tier=text":                      http.StatusUnprocessableEntity,
		"/api/bundles/" + shipped + "/plan?locale=en&tier=video":           http.StatusUnprocessableEntity,
		"/api/bundles/" + shipped + "/plan?locale=en&tier=text&number=9":   http.StatusNotFound,
		"/api/bundles/" + shipped + "/plan?locale=en&tier=text&module=x/y": http.StatusUnprocessableEntity,
	} {
		if rec := s.do(call{method: http.MethodGet, path: path}); rec.Code != want {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// A manifest of a bundle is a blob like others: what was lost on a device is fetched one by one.
func TestBundleBlob(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	info := decode[openapi.Bundle](t, s.got(call{method: http.MethodGet, path: "/api/bundles/" + shipped}))
	e := info.Editions["en"]
	rec := s.got(call{method: http.MethodGet, path: "/api/blobs/" + e.Digest})
	if int64(rec.Body.Len()) != e.Size || !strings.HasPrefix(rec.Body.String(), `{"type":"edition"`) {
		t.Errorf("%d bytes, want %d: %.60s", rec.Body.Len(), e.Size, rec.Body)
	}
}

// An institution takes over what its neighbour published, once it trusts the neighbour.
func TestPublishersAreTrusted(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	list := func(who, path string) []openapi.Publisher {
		return decode[openapi.PublisherList](t, s.got(s.as(who, call{method: http.MethodGet, path: path}))).Items
	}
	known := list("learner A", "/api/publishers")
	if len(known) != 1 || len(known[0].Documents) != 1 || known[0].Name["und"] == "" {
		t.Fatalf("%+v", known)
	}
	in := "/api/institutions/" + string(s.b.ID) + "/publishers"
	if got := list("admin B", in); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	body := `{"documents":[` + strconv.Quote(known[0].Documents[0]) + `]}`
	s.got(s.as("admin B", call{method: http.MethodPost, path: in, body: body}))
	s.got(s.as("admin B", call{method: http.MethodPost, path: in, body: body}))
	if got := list("admin B", in); len(got) != 1 || got[0].ID != known[0].ID {
		t.Errorf("%+v", got)
	}
	for range 2 {
		s.got(s.as("admin B", call{method: http.MethodDelete, path: in + "?publisher=" + known[0].ID}))
	}
	if got := list("admin B", in); len(got) != 0 {
		t.Errorf("still %+v", got)
	}
	forged := strings.Replace(body, known[0].Name["und"], "Somebody", 1)
	rec := s.do(s.as("admin B", call{method: http.MethodPost, path: in, body: forged}))
	if problemOf(t, rec) != "bundle.bad_signature" {
		t.Errorf("a forged document: %d %s", rec.Code, rec.Body)
	}
	if got := list("admin B", in); len(got) != 0 {
		t.Errorf("kept a forged one: %+v", got)
	}
}

// What File gives is what another server takes.
func TestBundleFileIsWhole(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	p, err := s.app.Bundle.File(t.Context(), shipped, 1, choice.Rule{Locales: []string{"en"}, Tier: choice.TextTier})
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err != nil || in.Close() != nil {
		t.Fatal(err)
	}
	r, trusted, err := s.app.Shelf.Inspect(t.Context(), identity.System(), bundle.NewReader(bytes.NewReader(data)))
	if err != nil || !trusted || !r.Complete || r.Head.Root.Course != shipped {
		t.Errorf("%+v %v %v", r.Rule, trusted, err)
	}
}

// got does a call that must succeed, and gives the answer.
func (s *school) got(c call) *httptest.ResponseRecorder {
	s.Helper()
	rec := s.do(c)
	if rec.Code >= http.StatusBadRequest {
		s.Fatalf("%s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
	}
	return rec
}

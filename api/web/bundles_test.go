package web_test

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/web"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/frontend"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
)

const carriedCourse = "ai-in-daily-life"

// carrying is a site over real services that has one course to carry.
func carrying(t testing.TB) (e *echo.Echo, a *app.App, dir string) {
	t.Helper()
	ctx := t.Context()
	dir = t.TempDir()
	cfg := config.Config{DataDir: dir, DatabaseURL: filepath.Join(dir, "banyan.db"), Sandbox: "fake", Listen: "127.0.0.1:0", PublicURL: "http://example.com"}
	cfg.Defaults()
	a, err := app.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if err := a.Schema(ctx); err != nil {
		t.Fatal(err)
	}
	in, err := a.Institution.Create(ctx, identity.System(), "alpha", "School Alpha")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(content.Examples(), carriedCourse)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Curriculum.Publish(ctx, identity.System(), string(in.ID), folder); err != nil {
		t.Fatal(err)
	}
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(web.Config{
		Courses: a.Curriculum, Credentials: a.Credential, Keys: a.Keys, Bundles: a.Bundle, Words: words, Dist: frontend.Dist(), Pages: frontend.Pages(), PublicURL: cfg.PublicURL,
	})
	if err != nil {
		t.Fatal(err)
	}
	e = echo.New()
	e.HTTPErrorHandler = site.ErrorHandler
	site.Register(e)
	return e, a, dir
}

func fetch(e *echo.Echo, method, path string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, http.NoBody)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, req)
	return rec
}

// A pack is fetched in pieces, each from the byte at which the last one broke off.
func TestBundleParts(t *testing.T) {
	t.Parallel()
	e, a, dir := carrying(t)
	plan, err := a.Bundle.Plan(t.Context(), carriedCourse, 0, choice.Rule{Locales: []string{"ar"}, Tier: choice.AllTier}, 0, 0)
	if err != nil || len(plan.Packs) == 0 {
		t.Fatal(err)
	}
	for _, p := range plan.Packs {
		whole := fetch(e, http.MethodGet, p.Href)
		h := whole.Header()
		if whole.Code != http.StatusOK || int64(whole.Body.Len()) != p.Bytes || h.Get("Content-Type") != "application/vnd.banyan.pack" || h.Get("Content-Encoding") != "" ||
			!strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Accept-Ranges") != "bytes" {
			t.Fatalf("%s: %d, %d bytes of %d, %v", p.Href, whole.Code, whole.Body.Len(), p.Bytes, h)
		}
		tag := h.Get("ETag")
		if !strings.HasPrefix(tag, `"`) {
			t.Fatalf("%s: not strong: %s", p.Href, tag)
		}
		cut := whole.Body.Len() / 3
		rest := fetch(e, http.MethodGet, p.Href, "Range", fmt.Sprintf("bytes=%d-", cut), "If-Range", tag)
		if rest.Code != http.StatusPartialContent || rest.Body.String() != whole.Body.String()[cut:] {
			t.Errorf("%s from %d: %d, %d bytes", p.Href, cut, rest.Code, rest.Body.Len())
		}
		// Of another pack, a piece is of no use: it comes whole.
		if other := fetch(e, http.MethodGet, p.Href, "Range", fmt.Sprintf("bytes=%d-", cut), "If-Range", `"other"`); other.Code != http.StatusOK || other.Body.Len() != whole.Body.Len() {
			t.Errorf("%s of another: %d", p.Href, other.Code)
		}
		if head := fetch(e, http.MethodHead, p.Href); head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(p.Bytes) {
			t.Errorf("HEAD %s: %v", p.Href, head.Header())
		}
	}
	// What is swept from the folder of packs is made again, the same.
	before := fetch(e, http.MethodGet, plan.Packs[0].Href).Body.String()
	if err := os.RemoveAll(filepath.Join(dir, "bundles", "packs")); err != nil {
		t.Fatal(err)
	}
	if again := fetch(e, http.MethodGet, plan.Packs[0].Href); again.Code != http.StatusOK || again.Body.String() != before {
		t.Errorf("after a sweep: %d", again.Code)
	}
}

// The head changes while the version stays, so it is asked for again; a file is for keeping.
func TestBundleHeadAndFile(t *testing.T) {
	t.Parallel()
	e, a, _ := carrying(t)
	address := serving.Address(carriedCourse, 1)
	head := fetch(e, http.MethodGet, address+"/head.pack")
	if head.Code != http.StatusOK || !strings.Contains(head.Header().Get("Cache-Control"), "must-revalidate") {
		t.Fatalf("%d %v", head.Code, head.Header())
	}
	if same := fetch(e, http.MethodGet, address+"/head.pack", "If-None-Match", head.Header().Get("ETag")); same.Code != http.StatusNotModified {
		t.Errorf("unchanged: %d", same.Code)
	}
	file := fetch(e, http.MethodGet, address+"/"+carriedCourse+".banyan?locale=ar&tier=text")
	if file.Code != http.StatusOK || file.Header().Get("Content-Disposition") != `attachment; filename="`+carriedCourse+`-1.banyan"` {
		t.Fatalf("%d %v", file.Code, file.Header())
	}
	r, trusted, err := a.Shelf.Inspect(t.Context(), identity.System(), bundle.NewReader(file.Body))
	if err != nil || !trusted || !r.Complete || len(r.Rule.Locales) != 1 || r.Rule.Locales[0] != "ar" {
		t.Errorf("%+v %v %v", r.Rule, trusted, err)
	}
	for _, path := range []string{
		"/bundles/" + carriedCourse + "/head.pack", "/bundles/" + carriedCourse + "@2/head.pack", "/bundles/nowhere@1/head.pack", "/bundles/" + carriedCourse + "@1/other.pack",
		address + "/other.banyan?locale=en&tier=text", address + "/ar/video.pack", address + "/ar/text", address + "/xx/text.pack", address + "/ar/text.pack?from=1", address + "/ar/text.pack?from=x",
		address + "/ar/text.pack?module=nowhere",
	} {
		if rec := fetch(e, http.MethodGet, path); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if rec := fetch(e, http.MethodGet, address+"/"+carriedCourse+".banyan"); rec.Code != http.StatusUnprocessableEntity && rec.Code != http.StatusBadRequest {
		t.Errorf("a file without a language: %d", rec.Code)
	}
}

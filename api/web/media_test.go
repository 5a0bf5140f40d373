package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/blob"
)

func TestMedia(t *testing.T) {
	w := open(t, nil, course("Small", map[string]string{
		"lessons/first.md": "# Small\n\nText.\n\n::: figure road.svg\n:alt: A road from left to right.\n:::\n",
		"media/road.svg":   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 360 100\">\n<rect x=\"0\" y=\"0\" width=\"360\" height=\"100\" fill=\"#ffffff\"/>\n<text id=\"here\" x=\"20\" y=\"50\" font-family=\"sans-serif\" font-size=\"18\" fill=\"#000000\">Here</text>\n</svg>\n",
		"media.yaml":       "files:\n  - {file: road.svg, licence: CC-BY-4.0, source: Drawn for this test, author: Nobody, mirror: true}\n",
	}))
	_, doc := w.read("/en/courses/small/first")
	images := all(doc, "img")
	if len(images) != 1 || value(images[0], "alt") == "" || value(images[0], "width") != "360" || value(images[0], "loading") != "lazy" {
		t.Fatalf("images: %v", images)
	}
	at := value(images[0], "src")
	res, body := w.get(at)
	h := res.Header
	if res.StatusCode != http.StatusOK || h.Get("Content-Type") != "image/svg+xml" || !strings.Contains(body, ">Here</text>") {
		t.Errorf("%s: %d %s %s", at, res.StatusCode, h.Get("Content-Type"), body)
	}
	if csp := h.Get("Content-Security-Policy"); !strings.Contains(csp, "sandbox") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("a drawing may act: %s", csp)
	}
	if !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers: %v", h)
	}
	// Another blob does not pass for a picture, and what is no picture's name is nothing.
	page := w.library.versions["small"][0].Manifest.Modules[0].Items[0].Fragment["en"]
	hex := strings.TrimPrefix(string(page), "sha256:")
	for _, bad := range []string{
		"/media/" + hex + ".svg", "/media/" + hex + ".png", "/media/" + hex + ".html", "/media/" + hex, "/media/../" + hex + ".svg",
		"/media/" + strings.TrimPrefix(string(blob.Of([]byte("none"))), "sha256:") + ".svg", strings.ToUpper(at), at + "x",
	} {
		if res, _ := w.get(bad); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", bad, res.StatusCode)
		}
	}
}

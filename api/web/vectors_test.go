package web

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

var update = flag.Bool("update", false, "write the vectors of the service worker anew")

// vectors are pages as this package renders them, with what a device needs to render the same: the shells, and the documents of
// the course's bundle. frontend/src/sw/render.test.ts reads them.
type vectors struct {
	Root   json.RawMessage            `json:"root"`
	Shells map[string]json.RawMessage `json:"shells"`
	Blobs  map[blob.Digest]string     `json:"blobs"`
	Pages  map[string]string          `json:"pages"`
}

// TestPagesOfDevices: the service worker's pages are these, byte for byte. After a change that is meant:
// go test ./api/web -run PagesOfDevices -update
func TestPagesOfDevices(t *testing.T) {
	w := open(t, nil, coursetest.Golden())
	version := w.library.versions["golden"][0]
	built, err := packing.Build(t.Context(), version, func(ctx context.Context, d blob.Digest) ([]byte, error) { return w.library.PublicBlob(ctx, d) })
	if err != nil {
		t.Fatal(err)
	}
	root, err := json.Marshal(built.Root)
	if err != nil {
		t.Fatal(err)
	}
	got := vectors{Root: root, Shells: map[string]json.RawMessage{}, Blobs: map[blob.Digest]string{}, Pages: map[string]string{}}
	for _, m := range built.Manifests {
		got.Blobs[blob.Of(m)] = string(m)
	}
	for _, mod := range version.Manifest.Modules {
		for _, it := range mod.Items {
			for _, digests := range []map[string]blob.Digest{it.Fragment, it.Data} {
				for locale, d := range digests {
					if locale == "fr" {
						continue
					}
					got.Blobs[d] = string(w.library.blobs[d])
				}
			}
		}
	}
	// Languages that the course speaks, speaks in part, and does not speak.
	for locale, paths := range map[string][]string{
		"en": {"/courses/golden", "/courses/golden/first", "/courses/golden/practice", "/courses/golden/echo"},
		"ar": {"/", "/courses/golden", "/courses/golden@1", "/courses/golden/first", "/courses/golden@1/second", "/courses/golden/practice", "/courses/golden/exam", "/courses/golden/echo"},
		"hi": {"/", "/courses/golden", "/courses/golden/first", "/courses/golden/practice", "/courses/golden/echo"},
	} {
		_, sh := w.get("/shell/" + locale + ".json")
		got.Shells[locale] = json.RawMessage(sh)
		for _, path := range paths {
			_, got.Pages["/"+locale+path] = w.get("/" + locale + path)
		}
	}
	_, got.Pages["/app/"] = w.get("/app/", "Accept-Language", "ar")
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(got); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "frontend", "src", "sw", "testdata", "pages.json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil { //nolint:gosec // a file of the source
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Error("pages are no longer those of the vectors: run this with -update, and see that vitest agrees")
	}
}

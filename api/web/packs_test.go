package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/andybalholm/brotli"
)

// snapshot is a WebAssembly module with nothing but the exports that a runtime has, and something to compress.
func snapshot(names ...string) []byte {
	var section bytes.Buffer
	section.WriteByte(byte(len(names)))
	for _, n := range names {
		section.WriteByte(byte(len(n)))
		section.WriteString(n)
		section.Write([]byte{0, 1})
	}
	out := append([]byte("\x00asm\x01\x00\x00\x00"), 1, 4, 1, 0x60, 0, 0) // a section before it
	out = append(out, 7, byte(section.Len()))
	out = append(out, section.Bytes()...)
	custom := strings.Repeat("python ", 1000)
	out = append(out, 0, 0xda, 0x36, 1, 'x')
	return append(out, custom...)
}

func compressed(data []byte) []byte {
	var b bytes.Buffer
	w := brotli.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func TestExports(t *testing.T) {
	good := snapshot("memory_of", "banyan_run")
	tests := []struct {
		name string
		wasm []byte
		want bool
	}{
		{"has it", good, true},
		{"has others", snapshot("_start", "memory_of"), false},
		{"has a longer one", snapshot("banyan_runs"), false},
		{"is no module", []byte("banyan_run"), false},
		{"is empty", nil, false},
	}
	for _, tt := range tests {
		if got := isSnapshot(tt.wasm); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
	for n := range good { // cut off anywhere, it is refused or not, and never panics
		isSnapshot(good[:n])
	}
}

type offer struct {
	Packs []struct {
		ID, URL, Digest string
		Size, Bytes     int
	}
}

// packSite serves with a light pack in the front end and a file as the runtime.
func packSite(t *testing.T, runtime, br []byte) *world {
	t.Helper()
	dist := fstest.MapFS{}
	for n, f := range built {
		dist[n] = f
	}
	light := []byte(strings.Repeat("brython;", 500))
	dist["packs/light-0123.js"] = &fstest.MapFile{Data: light}
	dist["packs/light-0123.js.br"] = &fstest.MapFile{Data: compressed(light)}
	file := ""
	if runtime != nil {
		file = filepath.Join(t.TempDir(), "python.wasm")
		if err := os.WriteFile(file, runtime, 0o600); err != nil {
			t.Fatal(err)
		}
		if br != nil {
			if err := os.WriteFile(file+".br", br, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := open(t, func(c *Config) { c.Dist, c.Runtime = dist, file })
	if runtime != nil && isSnapshot(runtime) {
		for end := time.Now().Add(10 * time.Second); w.site.packs.exact.Load() == nil; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the exact pack does not come")
			}
		}
	}
	return w
}

func (w *world) offer(accept string) offer {
	w.Helper()
	res, body := w.get("/packs.json", "Accept-Encoding", accept)
	var o offer
	if err := json.Unmarshal([]byte(body), &o); err != nil || res.StatusCode != http.StatusOK {
		w.Fatalf("%d %s: %v", res.StatusCode, body, err)
	}
	if res.Header.Get("Vary") != "Accept-Encoding" || !strings.Contains(res.Header.Get("Cache-Control"), "must-revalidate") {
		w.Errorf("%v", res.Header)
	}
	return o
}

func TestPacks(t *testing.T) {
	wasm := snapshot("banyan_run")
	w := packSite(t, wasm, compressed(wasm))
	for _, accept := range []string{"gzip, deflate, br", "gzip, deflate", "identity"} {
		o := w.offer(accept)
		if len(o.Packs) != 2 || o.Packs[0].ID != "light" || o.Packs[1].ID != "exact" {
			t.Fatalf("%s: %+v", accept, o)
		}
		if got := Runtimes(w.site.cfg.Dist, w.site.cfg.Runtime); len(got) != 2 || string(got["light"]) != o.Packs[0].Digest || string(got["exact"]) != o.Packs[1].Digest {
			t.Errorf("%s: %v are not the packs %+v", accept, got, o)
		}
		for _, p := range o.Packs {
			res, body := w.get(p.URL, "Accept-Encoding", accept)
			if res.StatusCode != http.StatusOK || len(body) != p.Bytes {
				t.Errorf("%s, %s: %d, %d bytes where %d were promised", p.ID, accept, res.StatusCode, len(body), p.Bytes)
			}
			plain := []byte(body)
			switch res.Header.Get("Content-Encoding") {
			case "br":
				plain, _ = io.ReadAll(brotli.NewReader(strings.NewReader(body)))
			case "gzip":
				z, err := gzip.NewReader(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				plain, _ = io.ReadAll(z)
			}
			sum := sha256.Sum256(plain)
			if p.Digest != "sha256:"+hex.EncodeToString(sum[:]) || p.Size != len(plain) {
				t.Errorf("%s, %s: the bytes are not those of %s", p.ID, accept, p.Digest)
			}
			h := res.Header
			if !strings.Contains(h.Get("Cache-Control"), "immutable") || h.Get("Vary") != "Accept-Encoding" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != "" {
				t.Errorf("%s: %v", p.ID, h)
			}
			if res, _ := w.get(p.URL, "Accept-Encoding", accept, "If-None-Match", h.Get("Etag")); res.StatusCode != http.StatusNotModified {
				t.Errorf("%s is sent again: %d", p.ID, res.StatusCode)
			}
		}
	}
	if o := w.offer("br"); o.Packs[1].Bytes >= w.offer("gzip").Packs[1].Bytes && len(wasm) > 2000 {
		t.Errorf("brotli gains nothing: %+v", o)
	}
	for _, at := range []string{"/packs/", "/packs/exact-0.wasm", "/packs/light-0123.js.br", "/packs/../packs.json", "/packs/%2e%2e/index.html"} {
		if res, body := w.get(at); res.StatusCode == http.StatusOK {
			t.Errorf("%s: %q", at, body)
		}
	}
}

func TestWithoutTheExactPack(t *testing.T) {
	tests := map[string]*world{
		"no runtime":           packSite(t, nil, nil),
		"the portable runtime": packSite(t, snapshot("_start"), nil),
	}
	for name, w := range tests {
		if o := w.offer("br"); len(o.Packs) != 1 || o.Packs[0].ID != "light" {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

// What somebody compressed from another file is not sent in its place.
func TestAForeignCoding(t *testing.T) {
	w := packSite(t, snapshot("banyan_run"), compressed(snapshot("banyan_run", "evil")))
	p := w.offer("br, gzip").Packs[1]
	if res, _ := w.get(p.URL, "Accept-Encoding", "br, gzip"); res.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v", res.Header)
	}
}

func TestRunFrame(t *testing.T) {
	dist := fstest.MapFS{}
	for n, f := range built {
		dist[n] = f
	}
	const script = `parent.postMessage("</script><b>",'*')`
	dist["assets/frame-1.js"] = &fstest.MapFile{Data: []byte(script + "\n")}
	manifest := strings.Replace(string(built[".vite/manifest.json"].Data), "{", `{"`+frameEntry+`": {"file": "assets/frame-1.js"},`, 1)
	dist[".vite/manifest.json"] = &fstest.MapFile{Data: []byte(manifest)}
	w := open(t, func(c *Config) { c.Dist = dist })
	res, body := w.get("/lab/frame")
	if res.StatusCode != http.StatusOK || strings.Count(body, "<script") != 1 || strings.Count(body, "</script") != 1 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	_, inside, _ := strings.Cut(body, "<script>")
	inside, _, _ = strings.Cut(inside, "</script>")
	csp := res.Header.Get("Content-Security-Policy")
	sum := sha256.Sum256([]byte(inside))
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "' 'unsafe-eval';"; !strings.Contains(csp, want) {
		t.Errorf("%s lacks %s", csp, want)
	}
	for _, want := range []string{"sandbox allow-scripts;", "default-src 'none'", "connect-src 'none'", "worker-src blob:;", "form-action 'none'", "frame-ancestors 'self'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("%s lacks %s", csp, want)
		}
	}
	for _, none := range []string{"unsafe-inline", "allow-same-origin", "allow-top", "allow-popups", "http", "script-src blob"} {
		if strings.Contains(csp, none) {
			t.Errorf("%s has %s", csp, none)
		}
	}
	// Pages may hold frames of our own and no others.
	if res, _ := w.get("/en/"); !strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-src 'self';") {
		t.Error(res.Header)
	}
	// Without the built front end there is none.
	if res, _ := open(t, nil).get("/lab/frame"); res.StatusCode != http.StatusNotFound {
		t.Error(res.StatusCode)
	}
}

func TestCompressRuntime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "python.wasm")
	if err := os.WriteFile(file, snapshot("_start"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := CompressRuntime(file); err == nil {
		t.Error("the portable runtime is packed")
	}
	wasm := snapshot("banyan_run")
	if err := os.WriteFile(file, wasm, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it stands
		before, after, err := CompressRuntime(file)
		if err != nil || before != len(wasm) || after >= before {
			t.Fatal(before, after, err)
		}
	}
	br, err := os.ReadFile(file + ".br")
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := io.ReadAll(brotli.NewReader(bytes.NewReader(br))); err != nil || !bytes.Equal(plain, wasm) {
		t.Error("it is another file", err)
	}
}

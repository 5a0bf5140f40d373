package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/frontend"
)

func TestAssets(t *testing.T) {
	w := open(t, nil)
	tests := []struct{ at, contentType, caching string }{
		{"/assets/page-1.js", "text/javascript; charset=utf-8", "immutable"},
		{"/assets/quiz-1.css", "text/css; charset=utf-8", "immutable"},
		{"/assets/logo-1.png", "image/png", "immutable"},
		{"/assets/words-1.js.map", "application/json", "immutable"},
		{"/assets/odd.xyz", "application/octet-stream", "immutable"},
		{"/assets/deep/inner-1.js", "text/javascript; charset=utf-8", "immutable"},
		{"/sw.js", "text/javascript; charset=utf-8", "no-cache"},
	}
	for _, tt := range tests {
		res, body := w.get(tt.at)
		want, _ := fs.ReadFile(built, strings.TrimPrefix(tt.at, "/"))
		if res.StatusCode != http.StatusOK || body != string(want) {
			t.Errorf("%s: %d %q", tt.at, res.StatusCode, body)
		}
		if res.Header.Get("Content-Type") != tt.contentType || !strings.Contains(res.Header.Get("Cache-Control"), tt.caching) {
			t.Errorf("%s: %v", tt.at, res.Header)
		}
		if res.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", tt.at)
		}
	}
	// What the build compressed is served as it is.
	if res, body := w.get("/assets/page-1.js", "Accept-Encoding", "br"); res.Header.Get("Content-Encoding") != "br" || body != "made by the build" {
		t.Errorf("%v %q", res.Header, body)
	}
	if res, _ := w.get("/assets/logo-1.png", "Accept-Encoding", "br, gzip"); res.Header.Get("Content-Encoding") != "" || res.Header.Get("Vary") != "" {
		t.Errorf("a picture is compressed again: %v", res.Header)
	}
}

// Only what the build made has an address.
func TestNoWayOutOfTheAssets(t *testing.T) {
	w := open(t, nil)
	for _, at := range []string{
		"/assets/", "/assets", "/assets/none.js", "/assets/../index.html", "/assets/..%2findex.html", "/assets/%2e%2e/index.html",
		"/assets/../.vite/manifest.json", "/assets/../../../../etc/passwd", "/assets/..%5c..%5cetc%5cpasswd", "/assets//page-1.js",
		"/assets/./page-1.js", "/assets/page-1.js/", "/assets/page-1.js%00", "/assets/page-1.js.br", "/assets/.secret", "/.vite/manifest.json",
		"/index.html", "/assets/deep", "/assets/deep/", "/assets/deep/../page-1.js", "/assets/PAGE-1.JS", "/vectors.json", "/layout.html", "//assets/page-1.js",
	} {
		res, body := w.get("http://learn.example" + at)
		if res.StatusCode == http.StatusOK {
			t.Errorf("%s: %q", at, body)
		}
		if strings.HasPrefix(at, "/assets/") && (strings.Contains(body, "<") || res.Header.Get("Cache-Control") != "no-store") {
			t.Errorf("%s: a lost file is a plain problem that nobody keeps: %q %v", at, body, res.Header)
		}
	}
}

func TestHeadTags(t *testing.T) {
	w := open(t, nil, shipped(t))
	const course = "/ar/courses/ai-in-daily-life/"
	tests := []struct {
		at         string
		want, none []string
	}{
		{"/en/", []string{"preact-1.js", "account-1.js", "en-1.js"}, []string{"quiz-1", "lab-1", "ar-1.js", "app-1.js"}},
		{course + "what-ai-is", []string{"preact-1.js", "account-1.js", "ar-1.js"}, []string{"quiz-1", "lab-1", "en-1.js", "app-1.js"}},
		{course + "first-look", []string{"preact-1.js", "account-1.js", "ar-1.js", "quiz-1.js", "quiz-1.css"}, []string{"lab-1", "app-1.js"}},
		{course + "nearest-leaf", []string{"preact-1.js", "account-1.js", "ar-1.js", "lab-1.js", "lab-ar-1.js"}, []string{"quiz-1", "app-1.js"}},
		{"/app/", []string{"preact-1.js", "app-1.js"}, []string{"page-1.js", "quiz-1", "ar-1.js"}},
	}
	for _, tt := range tests {
		body, doc := w.read(tt.at)
		var tags []string
		for _, n := range slices.Concat(all(doc, "link"), all(doc, "script")) {
			for _, name := range []string{"href", "src"} {
				if v := value(n, name); strings.HasPrefix(v, "/assets/") {
					if slices.Contains(tags, v) {
						t.Errorf("%s: %s stands twice", tt.at, v)
					}
					tags = append(tags, v)
				}
			}
		}
		for _, want := range tt.want {
			if !slices.Contains(tags, "/assets/"+want) {
				t.Errorf("%s lacks %s: %v", tt.at, want, tags)
			}
		}
		for _, none := range tt.none {
			if strings.Contains(strings.Join(tags, " "), none) {
				t.Errorf("%s has %s: %v", tt.at, none, tags)
			}
		}
		if !strings.Contains(body, "<style>body{margin:0}</style>") || strings.Contains(strings.Join(tags, " "), "page-1.css") {
			t.Errorf("%s: page.css stands in the page, and only there: %v", tt.at, tags)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	w := open(t, nil, shipped(t))
	var csp string
	for _, at := range []string{"/", "/en/", "/en/courses/ai-in-daily-life/what-ai-is", "/nowhere", "/assets/none.js"} {
		res, _ := w.get(at)
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := res.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q", at, name, got)
			}
		}
		if res.Header.Get("Permissions-Policy") == "" || res.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", at, res.Header)
		}
		csp = res.Header.Get("Content-Security-Policy")
		if strings.Contains(csp, "unsafe") || !strings.HasPrefix(csp, "default-src 'none'; script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: CSP %s", at, csp)
		}
	}
	// A script is no document: it carries what keeps it a script, and no more bytes than that.
	res, _ := w.get("/assets/page-1.js")
	if res.Header.Get("X-Content-Type-Options") != "nosniff" || res.Header.Get("Cross-Origin-Resource-Policy") != "same-origin" {
		t.Errorf("a script lacks its headers: %v", res.Header)
	}
	for _, name := range []string{"Content-Security-Policy", "Referrer-Policy", "Cross-Origin-Opener-Policy", "Permissions-Policy"} {
		if got := res.Header.Get(name); got != "" {
			t.Errorf("a script carries %s: %s", name, got)
		}
	}
	// The hash is of what stands in the page, to the byte.
	_, doc := w.read("/en/")
	style := all(doc, "style")[0]
	sum := sha256.Sum256([]byte(style.FirstChild.Data))
	if want := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(csp, want) {
		t.Errorf("CSP %s lacks %s", csp, want)
	}
}

func TestBrokenBuilds(t *testing.T) {
	change := func(name, text string) fstest.MapFS {
		out := fstest.MapFS{}
		for n, f := range built {
			out[n] = f
		}
		if text == "" {
			delete(out, name)
		} else {
			out[name] = &fstest.MapFile{Data: []byte(text)}
		}
		return out
	}
	tests := map[string]fstest.MapFS{
		"manifest is no JSON":   change(".vite/manifest.json", "{"),
		"manifest has no page":  change(".vite/manifest.json", `{"src/ui/page.css": {"file": "assets/page-1.css"}}`),
		"style sheet is absent": change("assets/page-1.css", ""),
		"style ends its place":  change("assets/page-1.css", "a{} </STYLE><script>"),
	}
	for name, dist := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := New(Config{Words: words(t), Dist: dist, Pages: frontend.Pages()}); err == nil {
				t.Error("it starts")
			}
		})
	}
}

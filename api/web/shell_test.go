package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func (w *world) shell(locale string) shell {
	w.Helper()
	res, body := w.get("/shell/" + locale + ".json")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" {
		w.Fatalf("%d %v %s", res.StatusCode, res.Header, body)
	}
	var sh shell
	if err := json.Unmarshal([]byte(body), &sh); err != nil {
		w.Fatal(err)
	}
	return sh
}

func addresses(files []shellFile) []string {
	out := []string{}
	for _, f := range files {
		out = append(out, f.Address)
	}
	return out
}

func TestDeviceShell(t *testing.T) {
	w := open(t, nil)
	sh := w.shell("ar")
	if sh.Locale != "ar" || len(sh.Build) != 16 || sh.Style != "<style>body{margin:0}</style>\n" {
		t.Errorf("%q %q %q", sh.Locale, sh.Build, sh.Style)
	}
	// What reading pages ask for comes first, and nothing of another language or of the console.
	if got, want := addresses(sh.Files), []string{"/assets/page-1.js", "/assets/preact-1.js", "/assets/quiz-1.js", "/assets/quiz-1.css", "/assets/account-1.js", "/assets/ar-1.js"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got, want := addresses(sh.More), []string{"/assets/app-1.js", "/assets/app-ar-1.js", "/assets/lab-1.js", "/assets/trust-1.js"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if n := sh.Files[0].Bytes; n < 50 || n > 150 {
		t.Errorf("the first file costs %d bytes: not what gzip makes of it", n)
	}
	// The words stand in the skeletons, and the slots are left.
	for kind, want := range map[string][]string{
		"course":    {`"button" href="/app/sign-up">ابدأ`, "{{{modules}}}", `<link rel="canonical" href="https://learn.example/ar/courses/{{tail}}">` + "\n{{{alternates}}}{{{style}}}"},
		"lesson":    {"{{{fragment}}}", `<a href="/en/courses/{{at}}" lang="en"`, `data-item="{{item}}" data-kind="lesson"`},
		"offline":   {`<meta name="robots" content="noindex">` + "\n{{{style}}}", "{{{items}}}", `href="{{href}}"`},
		"portal":    {`href="/?portal"`},
		"catalogue": {"{{{items}}}"},
		"app":       {"{{{style}}}", "/assets/app-1.js", `<div id="app"`},
		"quiz":      {"/assets/quiz-1.css"},
	} {
		for _, w := range want {
			if s := sh.Pages[kind]; !strings.Contains(s, w) || strings.Contains(s, "{{t:") || strings.Contains(s, "<style>") {
				t.Errorf("%s lacks %s: %s", kind, w, s)
			}
		}
	}
	for _, name := range append([]string{"prev", "next"}, shellParts...) {
		if !strings.Contains(sh.Parts[name], "{{") {
			t.Errorf("%s: %q", name, sh.Parts[name])
		}
	}
	if forms, ok := sh.Words["page.minutes"].(map[string]any); !ok || len(forms) != 6 {
		t.Errorf("%v", sh.Words["page.minutes"])
	}
	for _, key := range shellWords {
		if sh.Words[key] == key {
			t.Errorf("no word %s", key)
		}
	}
	if sh.Labels["en"]["block.note"] != "Note" || sh.Labels["ar"]["block.note"] == "Note" || len(sh.Labels["fr"]) != len(shellLabels) {
		t.Errorf("%v", sh.Labels["en"])
	}
	if len(sh.Frameworks) == 0 || len(sh.Frameworks[0].Competences) == 0 || !strings.Contains(sh.Frameworks[0].Part, "<dd>{{{competences}}}</dd>") {
		t.Errorf("%v", sh.Frameworks)
	}
	if res, _ := w.get("/ar/"); res.Header.Get("Content-Security-Policy") != sh.Headers["Content-Security-Policy"] || sh.Headers["Content-Type"] != html5 || sh.Headers[Mark] != "1" {
		t.Errorf("a page of the device would have other headers than one of the server: %v", sh.Headers)
	}
	if want := (shellAlternate{"en", `<link rel="alternate" hreflang="en" href="https://learn.example/en/courses/{{tail}}">` + "\n"}); len(sh.Alternates) != 9 || sh.Alternates[0] != want || sh.Numbers["ar"] != "ar-u-nu-latn" {
		t.Errorf("%v %v", sh.Alternates, sh.Numbers)
	}
	for _, at := range []string{"/shell/xx.json", "/shell/ar", "/shell/.json", "/shell/../ar.json"} {
		if res, _ := w.get(at); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", at, res.StatusCode)
		}
	}
}

// A shell is named by what stands in it, file names included, so that a device knows when it is another.
func TestShellBuild(t *testing.T) {
	before := open(t, nil)
	same := open(t, nil)
	res, _ := before.get("/shell/en.json")
	tag := res.Header.Get("Etag")
	if strings.HasPrefix(tag, "W/") || tag == "" {
		t.Fatalf("%q is no strong tag", tag)
	}
	if res, _ := same.get("/shell/en.json", "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
		t.Errorf("the same shell is sent again: %d", res.StatusCode)
	}
	after := open(t, func(c *Config) {
		dist := fstest.MapFS{}
		for name, f := range built {
			dist[name] = f
		}
		dist["assets/account-2.js"] = &fstest.MapFile{Data: []byte("let account, better")}
		dist[".vite/manifest.json"] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(viteManifest, "account-1.js", "account-2.js"))}
		c.Dist = dist
	})
	if a, b := before.shell("en"), after.shell("en"); a.Build == b.Build || !slices.Contains(addresses(b.Files), "/assets/account-2.js") {
		t.Errorf("%s %s %v", a.Build, b.Build, addresses(b.Files))
	}
	if res, _ := after.get("/shell/en.json", "If-None-Match", tag); res.StatusCode != http.StatusOK {
		t.Errorf("the new shell is not sent: %d", res.StatusCode)
	}
	if a, b := before.shell("en"), same.shell("en"); a.Build != b.Build {
		t.Errorf("the same shell has two names: %s %s", a.Build, b.Build)
	}
}

func TestWebManifest(t *testing.T) {
	w := open(t, nil)
	for _, tt := range []struct{ at, header, lang, dir, name string }{
		{"/manifest.webmanifest?locale=ar", "en", "ar", "rtl", "بانيان"},
		{"/manifest.webmanifest?locale=xx", "ar", "ar", "rtl", "بانيان"},
		{"/manifest.webmanifest", "fr", "fr", "ltr", "Banyan"},
	} {
		res, body := w.get(tt.at, "Accept-Language", tt.header)
		var m struct {
			ID, Name, Lang, Dir, Display string
			StartURL                     string `json:"start_url"`
			Icons                        []struct{ Src, Purpose string }
		}
		if err := json.Unmarshal([]byte(body), &m); err != nil || res.Header.Get("Content-Type") != "application/manifest+json" {
			t.Fatalf("%s: %v %s", tt.at, err, body)
		}
		if m.Lang != tt.lang || m.Dir != tt.dir || m.Name != tt.name || m.StartURL != "/app" || m.Display != "standalone" || len(m.Icons) != 4 {
			t.Errorf("%s: %s", tt.at, body)
		}
	}
	if body, _ := w.read("/ar/"); !strings.Contains(body, `<link rel="manifest" href="/manifest.webmanifest?locale=ar">`) {
		t.Error("no page leads to the manifest")
	}
}

// Pages and the API say that they are ours; files, which a digest names, need not.
func TestMark(t *testing.T) {
	w := open(t, nil)
	for at, want := range map[string]string{"/en/": "1", "/app/": "1", "/nowhere": "1", "/shell/en.json": "1", "/assets/page-1.js": "", "/sw.js": ""} {
		if res, _ := w.get(at); res.Header.Get(Mark) != want {
			t.Errorf("%s: %q", at, res.Header.Get(Mark))
		}
	}
}

// The worker may fetch from where it comes, and do nothing else.
func TestServiceWorker(t *testing.T) {
	w := open(t, nil)
	res, _ := w.get("/sw.js")
	if got := res.Header.Get("Content-Security-Policy"); got != "default-src 'none'; connect-src 'self'" {
		t.Error(got)
	}
	unbuilt := open(t, func(c *Config) { c.Dist = fstest.MapFS{} })
	if res, _ := unbuilt.get("/sw.js"); res.StatusCode != http.StatusNotFound {
		t.Error(res.StatusCode)
	}
	if res, _ := unbuilt.get("/shell/en.json"); res.StatusCode != http.StatusOK {
		t.Error("a front end that is not built has a shell all the same: it names no files")
	}
}

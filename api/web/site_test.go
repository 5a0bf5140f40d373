package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/net/html"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/frontend"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
)

// library is a curriculum in memory. It counts what it is asked.
type library struct {
	mu       sync.Mutex
	versions map[curriculum.CourseID][]curriculum.Version
	blobs    map[blob.Digest][]byte
	asked    atomic.Int64
	trouble  error
}

func (l *library) publish(t testing.TB, folder fs.FS) {
	t.Helper()
	c, err := compile.Course(folder, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.versions == nil {
		l.versions, l.blobs = map[curriculum.CourseID][]curriculum.Version{}, map[blob.Digest][]byte{}
	}
	id := c.Manifest.CourseID
	v := curriculum.Version{CourseID: id, Number: len(l.versions[id]) + 1, Digest: c.Digest, Manifest: c.Manifest}
	l.versions[id] = append(l.versions[id], v)
	for d, b := range c.Blobs {
		l.blobs[d] = b
	}
}

func (l *library) ask() error {
	l.asked.Add(1)
	return l.trouble
}

func (l *library) List(_ context.Context, cursor string, limit int) ([]curriculum.Version, string, error) {
	if err := l.ask(); err != nil {
		return nil, "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []curriculum.Version
	for id, vs := range l.versions {
		if string(id) > cursor {
			out = append(out, vs[len(vs)-1])
		}
	}
	slices.SortFunc(out, func(a, b curriculum.Version) int { return strings.Compare(string(a.CourseID), string(b.CourseID)) })
	if len(out) > limit {
		return out[:limit], string(out[limit-1].CourseID), nil
	}
	return out, "", nil
}

func (l *library) FindLatest(_ context.Context, id curriculum.CourseID) (curriculum.Version, error) {
	if err := l.ask(); err != nil {
		return curriculum.Version{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if vs := l.versions[id]; len(vs) > 0 {
		return vs[len(vs)-1], nil
	}
	return curriculum.Version{}, fault.New(fault.NotFound, "course.not_found")
}

func (l *library) FindVersionNumber(_ context.Context, id curriculum.CourseID, n int) (curriculum.Version, error) {
	if err := l.ask(); err != nil {
		return curriculum.Version{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if vs := l.versions[id]; n >= 1 && n <= len(vs) {
		return vs[n-1], nil
	}
	return curriculum.Version{}, fault.New(fault.NotFound, "course.not_found")
}

func (l *library) PublicBlob(_ context.Context, d blob.Digest) ([]byte, error) {
	if err := l.ask(); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.blobs[d]; ok {
		return b, nil
	}
	return nil, fault.New(fault.NotFound, "blob.not_found")
}

// registry is a credential service in memory.
type registry map[credential.ID]credential.Standing

func (r registry) Check(_ context.Context, id credential.ID) (credential.Standing, error) {
	if st, ok := r[id]; ok {
		return st, nil
	}
	return credential.Standing{}, fault.New(fault.NotFound, "credential.not_found")
}

// dids are the documents of issuers.
type dids struct{}

func (dids) DIDDocument(_ context.Context, slug string) ([]byte, error) {
	if slug != "demo" {
		return nil, fault.New(fault.NotFound, "institution.not_found")
	}
	return []byte(`{"id":"did:web:demo"}`), nil
}

func (dids) DIDDocumentAt(_ context.Context, host string) ([]byte, error) {
	if host != "demo.example" {
		return nil, fault.New(fault.NotFound, "institution.not_found")
	}
	return []byte(`{"id":"did:web:demo.example"}`), nil
}

// built is what Vite makes, in small.
var built = fstest.MapFS{
	"index.html":                                {Data: []byte("placeholder")},
	"sw.js":                                     {Data: []byte("self.x = 1")},
	"assets/page-1.js":                          {Data: []byte("import('./quiz-1.js');" + strings.Repeat("let page = 1;\n", 200))},
	"assets/page-1.js.br":                       {Data: []byte("made by the build")},
	"assets/app-1.js":                           {Data: []byte("let app")},
	"assets/preact-1.js":                        {Data: []byte("let preact")},
	"assets/quiz-1.js":                          {Data: []byte("let quiz")},
	"assets/quiz-1.css":                         {Data: []byte(".quiz{}")},
	"assets/lab-1.js":                           {Data: []byte("let lab")},
	"assets/account-1.js":                       {Data: []byte("let account")},
	"assets/en-1.js":                            {Data: []byte("let en")},
	"assets/ar-1.js":                            {Data: []byte("let ar")},
	"assets/lab-ar-1.js":                        {Data: []byte("let lab, ar")},
	"assets/app-ar-1.js":                        {Data: []byte("let app, ar")},
	"assets/console-ar-1.js":                    {Data: []byte("let console, ar")},
	"assets/trust-1.js":                         {Data: []byte("let trust")},
	"assets/page-1.css":                         {Data: []byte("body{margin:0}\n")},
	"assets/logo-1.png":                         {Data: []byte("\x89PNG" + strings.Repeat("x", 2000))},
	"assets/.secret":                            {Data: []byte("secret")},
	".vite/manifest.json":                       {Data: []byte(viteManifest)},
	"assets/odd.xyz":                            {Data: []byte("<script>alert(1)</script>")},
	"assets/words-1.js.map":                     {Data: []byte("{}")},
	"assets/deep/inner-1.js":                    {Data: []byte("let inner")},
	"assets/" + strings.Repeat("n", 90) + ".js": {Data: []byte("let long")},
}

const viteManifest = `{
	"src/page.ts": {"file": "assets/page-1.js", "isEntry": true, "imports": ["_preact.js"],
		"dynamicImports": ["src/features/quiz/island.tsx", "src/features/lab/island.tsx", "src/features/account/island.tsx", "_trust-1.js", "src/i18n/page.en.words", "src/i18n/page.ar.words"]},
	"src/app.tsx": {"file": "assets/app-1.js", "isEntry": true, "imports": ["_preact.js"], "dynamicImports": ["src/i18n/app.ar.words", "src/i18n/console.ar.words"]},
	"_trust-1.js": {"file": "assets/trust-1.js", "name": "trust"},
	"src/i18n/app.ar.words": {"file": "assets/app-ar-1.js"},
	"src/i18n/console.ar.words": {"file": "assets/console-ar-1.js"},
	"_preact.js": {"file": "assets/preact-1.js"},
	"src/features/quiz/island.tsx": {"file": "assets/quiz-1.js", "imports": ["_preact.js", "src/page.ts"], "css": ["assets/quiz-1.css"]},
	"src/features/lab/island.tsx": {"file": "assets/lab-1.js", "imports": ["_preact.js"]},
	"src/features/account/island.tsx": {"file": "assets/account-1.js", "imports": ["_preact.js"]},
	"src/i18n/page.en.words": {"file": "assets/en-1.js"},
	"src/i18n/page.ar.words": {"file": "assets/ar-1.js"},
	"src/i18n/lab.ar.words": {"file": "assets/lab-ar-1.js"},
	"src/ui/page.css": {"file": "assets/page-1.css", "isEntry": true}
}`

// clock is a time that tests move.
type clock struct{ now atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(0, c.now.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.now.Add(int64(d)) }

type world struct {
	*testing.T
	site    *Site
	echo    *echo.Echo
	library *library
	clock   *clock
}

func words(t testing.TB) *i18n.Catalogue {
	t.Helper()
	c, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shipped(t testing.TB) fs.FS {
	t.Helper()
	f, err := fs.Sub(content.Examples(), "ai-in-daily-life")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// open builds a site over the real skeletons.
func open(t *testing.T, change func(*Config), courses ...fs.FS) *world {
	t.Helper()
	w := &world{T: t, library: &library{}, clock: &clock{}, echo: echo.New()}
	for _, c := range courses {
		w.library.publish(t, c)
	}
	cfg := Config{
		Courses: w.library, Credentials: registry{}, Keys: dids{}, Words: words(t), Dist: built, Pages: frontend.Pages(),
		PublicURL: "https://learn.example/", Now: w.clock.Now, Recognitions: book{}, Names: names,
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if w.site, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.echo.Use(w.site.Security())
	w.site.Register(w.echo)
	w.echo.HTTPErrorHandler = w.site.ErrorHandler
	return w
}

// reply is what came back.
type reply struct {
	StatusCode int
	Header     http.Header
}

func (w *world) do(method, target string, header ...string) (reply, string) {
	w.Helper()
	req := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.echo.ServeHTTP(rec, req)
	return reply{rec.Code, rec.Header()}, rec.Body.String()
}

func (w *world) get(target string, header ...string) (reply, string) {
	w.Helper()
	return w.do(http.MethodGet, target, header...)
}

// read gets a page that must be there, and parses it.
func (w *world) read(target string, header ...string) (string, *html.Node) {
	w.Helper()
	res, body := w.get(target, header...)
	if res.StatusCode != http.StatusOK {
		w.Fatalf("%s: status %d\n%s", target, res.StatusCode, body)
	}
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	return body, doc
}

// all finds elements, in order.
func all(n *html.Node, tag string) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && (tag == "*" || d.Data == tag) {
			out = append(out, d)
		}
	}
	return out
}

func value(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// checkPage holds a page to what every page must be.
func checkPage(t *testing.T, at, body string, doc *html.Node, locale string) {
	t.Helper()
	dir := map[string]string{"en": "ltr", "ar": "rtl"}[locale]
	root := all(doc, "html")[0]
	if value(root, "lang") != locale || value(root, "dir") != dir {
		t.Errorf("%s: lang=%q dir=%q, want %s %s", at, value(root, "lang"), value(root, "dir"), locale, dir)
	}
	if !strings.HasPrefix(body, "<!doctype html>") {
		t.Errorf("%s: no doctype", at)
	}
	if n := len(all(doc, "h1")); n != 1 && value(all(doc, "body")[0], "data-page") != "app" {
		t.Errorf("%s: %d h1", at, n)
	}
	if ts := all(doc, "title"); len(ts) == 0 || textOf(ts[0]) == "" {
		t.Errorf("%s: no title", at)
	}
	meta := map[string]string{}
	for _, m := range all(doc, "meta") {
		meta[value(m, "name")] = value(m, "content")
	}
	if !strings.Contains(meta["viewport"], "width=device-width") || meta["description"] == "" {
		t.Errorf("%s: meta %v", at, meta)
	}
	if strings.Contains(body, "{{") {
		t.Errorf("%s: an unfilled slot", at)
	}
	for _, n := range all(doc, "*") {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("%s: <%s %s> is against the CSP", at, n.Data, a.Key)
			}
			if a.Key == "src" && !strings.HasPrefix(a.Val, "/assets/") && !strings.HasPrefix(a.Val, "/api/credentials/") {
				t.Errorf("%s: <%s src=%q> is not ours", at, n.Data, a.Val)
			}
			if a.Key == "href" && n.Data == "link" && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "https://learn.example/") && !strings.HasPrefix(a.Val, "data:") {
				t.Errorf("%s: <link href=%q> is not ours", at, a.Val)
			}
		}
		if n.Data == "script" && value(n, "src") == "" && value(n, "type") != "application/json" {
			t.Errorf("%s: inline script: %s", at, textOf(n))
		}
	}
	ids := map[string]bool{}
	for _, n := range all(doc, "*") {
		if id := value(n, "id"); id != "" {
			if ids[id] {
				t.Errorf("%s: two elements have the id %s", at, id)
			}
			ids[id] = true
		}
	}
}

// With links alone, from the catalogue, a reader comes to every item of the course.
func TestEveryItemIsReachedByLinks(t *testing.T) {
	w := open(t, nil, shipped(t))
	m := w.library.versions["ai-in-daily-life"][0].Manifest
	for _, locale := range []string{"en", "ar"} {
		t.Run(locale, func(t *testing.T) {
			w.T = t
			seen := map[string]bool{}
			queue := []string{"/" + locale + "/"}
			for len(queue) > 0 {
				at := queue[0]
				queue = queue[1:]
				if seen[at] {
					continue
				}
				seen[at] = true
				body, doc := w.read(at)
				checkPage(t, at, body, doc, locale)
				for _, a := range all(doc, "a") {
					href := value(a, "href")
					if rest, ok := strings.CutPrefix(href, "./"); ok {
						href = at[:strings.LastIndexByte(at, '/')+1] + rest
					}
					if strings.HasPrefix(href, "/"+locale+"/") {
						queue = append(queue, href)
					}
				}
			}
			for _, mod := range m.Modules {
				for _, it := range mod.Items {
					at := "/" + locale + "/courses/ai-in-daily-life/" + string(it.ID)
					if !seen[at] {
						t.Errorf("no link leads to %s", at)
						continue
					}
					body, doc := w.read(at)
					if got := textOf(all(doc, "h1")[0]); got != it.Title[locale] {
						t.Errorf("%s: h1 %q, want %q", at, got, it.Title[locale])
					}
					for _, want := range []string{`data-page="` + string(it.Kind) + `"`, `data-course="ai-in-daily-life"`, `data-version="1"`, `data-item="` + string(it.ID) + `"`, `data-kind="` + string(it.Kind) + `"`, `data-locale="` + locale + `"`} {
						if !strings.Contains(body, want) {
							t.Errorf("%s lacks %s", at, want)
						}
					}
				}
			}
			if len(seen) != 4+10 { // the catalogue, the course, the form to check certificates, and the register of recognitions
				t.Errorf("%d pages were reached: %v", len(seen), seen)
			}
		})
	}
}

func TestLessonPage(t *testing.T) {
	w := open(t, nil, shipped(t))
	body, doc := w.read("/ar/courses/ai-in-daily-life/what-ai-is")
	for _, want := range []string{"تعيش مينا في قرية في نيبال", `<span class="block-label">مثال</span> مهمة واحدة بطريقتين`, `<p class="block-label">ملاحظة</p>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if d := description(doc); !strings.HasPrefix(d, "تعيش مينا") || len([]rune(d)) > describable+2 {
		t.Errorf("description %q", d)
	}
	links := map[string]string{}
	for _, l := range all(doc, "link") {
		links[value(l, "rel")+value(l, "hreflang")] = value(l, "href")
	}
	const base = "https://learn.example/"
	for rel, want := range map[string]string{
		"canonical":   base + "ar/courses/ai-in-daily-life/what-ai-is",
		"alternateen": base + "en/courses/ai-in-daily-life/what-ai-is",
		"alternatear": base + "ar/courses/ai-in-daily-life/what-ai-is",
	} {
		if links[rel] != want {
			t.Errorf("%s is %q, want %q", rel, links[rel], want)
		}
	}
	hrefs := map[string]string{}
	for _, a := range all(doc, "a") {
		if rel := value(a, "rel") + value(a, "hreflang"); rel != "" {
			hrefs[rel] = value(a, "href")
		}
	}
	if hrefs["next"] != "/ar/courses/ai-in-daily-life/learning-from-examples" || hrefs["prev"] != "" {
		t.Errorf("next %q, previous %q", hrefs["next"], hrefs["prev"])
	}
	if hrefs["en"] != "/en/courses/ai-in-daily-life/what-ai-is" {
		t.Errorf("the language link leads to %q", hrefs["en"])
	}
	if _, doc = w.read("/en/courses/ai-in-daily-life/learning-from-examples"); !strings.Contains(textOf(doc), "2 of 10") {
		t.Error("the page does not say where in the course it stands")
	}
}

func description(doc *html.Node) string {
	for _, m := range all(doc, "meta") {
		if value(m, "name") == "description" {
			return value(m, "content")
		}
	}
	return ""
}

// A pinned page keeps its reader in its version, and tells search engines of the newest.
func TestPinnedPages(t *testing.T) {
	w := open(t, nil, shipped(t))
	for _, at := range []string{"/en/courses/ai-in-daily-life@1", "/en/courses/ai-in-daily-life@1/you-decide", "/en/courses/ai-in-daily-life%401/you-decide"} {
		body, doc := w.read(at)
		checkPage(t, at, body, doc, "en")
		for _, a := range all(doc, "a") {
			if h := value(a, "href"); strings.Contains(h, "/courses/") && !strings.Contains(h, "/courses/ai-in-daily-life@1") {
				t.Errorf("%s: a link leads out of the version: %s", at, h)
			}
		}
		if want := `<link rel="canonical" href="https://learn.example/en/courses/ai-in-daily-life`; !strings.Contains(body, want+`"`) && !strings.Contains(body, want+`/`) {
			t.Errorf("%s: not canonical", at)
		}
	}
	for _, at := range []string{"@2", "@0", "@01", "@-1", "@", "@1@1", "@1x", "@99999999999999999999", "@+1"} {
		if res, _ := w.get("/en/courses/ai-in-daily-life" + at); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", at, res.StatusCode)
		}
	}
}

func TestQuizPage(t *testing.T) {
	w := open(t, nil, shipped(t))
	for _, item := range []string{"first-look", "what-you-know"} {
		body, doc := w.read("/en/courses/ai-in-daily-life/" + item)
		it, _ := w.library.versions["ai-in-daily-life"][0].Manifest.Item(curriculum.ContentID(item))
		if !strings.Contains(textOf(doc), words(t).T("en", "page.quiz.needs_javascript", nil)) {
			t.Error("the page does not say that answering needs JavaScript")
		}
		for _, s := range all(doc, "script") {
			if value(s, "id") == "item-data" && textOf(s) == "" {
				t.Error("no data")
			}
		}
		// The practice quiz shows that the test would see a key.
		if hasKey := strings.Contains(body, `"key"`); hasKey == it.Graded {
			t.Errorf("%s: graded %t, and an answer key in the page: %t", item, it.Graded, hasKey)
		}
	}
	_, doc := w.read("/ar/courses/ai-in-daily-life/first-look")
	shown := textOf(all(doc, "main")[0])
	for _, want := range []string{"أيّ مما يلي يُرجَّح أنه يستخدم الذكاء الاصطناعي؟", "مؤقّت يشغّل مضخة الماء في السادسة", "جمع أوراق كثيرة من حقول مختلفة"} {
		if !strings.Contains(shown, want) {
			t.Errorf("without JavaScript nobody reads %q", want)
		}
	}
}

func TestLabPage(t *testing.T) {
	w := open(t, nil, shipped(t))
	body, doc := w.read("/en/courses/ai-in-daily-life/nearest-leaf")
	starter, err := fs.ReadFile(shipped(t), "labs/nearest-leaf/starter.py")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, code := range all(doc, "code") {
		var b strings.Builder
		for d := range code.Descendants() {
			b.WriteString(d.Data)
		}
		found = found || strings.TrimSpace(b.String()) == strings.TrimSpace(string(starter))
	}
	if !found {
		t.Error("the page does not show the starter as it is")
	}
	compiled, err := compile.Course(shipped(t), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var vault curriculum.VaultFile
	if err := json.Unmarshal(compiled.Vault, &vault); err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for _, c := range vault.Labs["nearest-leaf"].Checks {
		shown := strings.Contains(html.UnescapeString(body), c.Rule.Call)
		if !c.Visible {
			hidden++
		}
		if shown != c.Visible {
			t.Errorf("check %s: visible %t, its call in the page: %t", c.ID, c.Visible, shown)
		}
	}
	if hidden == 0 {
		t.Error("this lab hides nothing: the test needs another")
	}
	var data labdef.Public
	for _, s := range all(doc, "script") {
		if value(s, "id") == "item-data" {
			if err := json.Unmarshal([]byte(s.FirstChild.Data), &data); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(data.Checks) == 0 || len(data.Hints) == 0 {
		t.Fatal("no data for the island")
	}
	shown := textOf(all(doc, "main")[0])
	for i, hint := range data.Hints {
		if !strings.Contains(shown, "Hint "+strconv.Itoa(i+1)) || !strings.Contains(shown, strings.Join(strings.Fields(hint), " ")) {
			t.Errorf("without JavaScript nobody reads hint %d", i+1)
		}
	}
}

// Without JavaScript a lab can be read whole: its task, what it begins with, its data and its hints. All of it is text.
func TestLabWithoutScripts(t *testing.T) {
	const bad = `<img src=x onerror=alert(1)></pre> {{title}}`
	c := course("Labs", map[string]string{
		"labs/third/lab.yaml": `title: Third
language: python
entry: main.py
files: [fields.csv]
hints: [` + strconv.Quote("Think. "+bad) + `, Think again.]
checks:
  - {id: one, title: ` + strconv.Quote(bad) + `, call: f(), equals: 1, feedback: f}
`,
		"labs/third/statement.md": "Write f.\n",
		"labs/third/starter.py":   "def f(): pass  # " + bad + "\n",
		"labs/third/solution.py":  "def f(): return 1\n",
		"labs/third/fields.csv":   "name,size\n" + bad + ",1\n",
	})
	yaml := c["course.yaml"]
	yaml.Data = []byte(strings.Replace(string(yaml.Data), "      - quiz: second\n", "      - quiz: second\n      - lab: third\n", 1))
	_, doc := open(t, nil, c).read("/en/courses/small/third")
	if len(all(doc, "img")) > 0 {
		t.Error("a text of the lab became an element")
	}
	var shown []string
	for _, n := range all(doc, "details") {
		shown = append(shown, textOf(n))
	}
	if want := []string{"fields.csvname,size " + bad + ",1", "Hint 1Think. " + bad, "Hint 2Think again."}; !slices.Equal(shown, want) {
		t.Errorf("files and hints are %q, want %q", shown, want)
	}
	desk := ""
	for _, n := range all(doc, "div") {
		if value(n, "data-island") == "lab" {
			desk = textOf(n)
		}
	}
	for _, want := range []string{"def f(): pass # " + bad, "turn on JavaScript"} {
		if !strings.Contains(desk, want) {
			t.Errorf("the desk does not show %q without JavaScript: %s", want, desk)
		}
	}
}

// course is a small course in files, as strangers send them.
func course(title string, more map[string]string) fstest.MapFS {
	files := map[string]string{
		"course.yaml": `id: small
title: ` + strconv.Quote(title) + `
summary: ` + strconv.Quote("About "+title) + `
source_locale: en
locales: [en, ar]
licence: CC-BY-4.0
authors: [` + strconv.Quote("By "+title) + `]
minutes: 5
modules:
  - id: one
    title: ` + strconv.Quote(title) + `
    items:
      - lesson: first
      - quiz: second
criteria: {lessons: all, quizzes: 0, labs: none}
achievement: {name: ` + strconv.Quote(title) + `, description: d, narrative: n}
`,
		"lessons/first.md": "# " + strings.ReplaceAll(title, "<", `\<`) + " {#firsta}\n\nFirst words in English. {#firstb}\n\n::: example\nA case. {#firstc}\n:::\n\n::: activity\nGo out. {#firstd}\n:::\n",
		"quizzes/second.yaml": `title: ` + strconv.Quote(title) + `
graded: false
questions:
  - id: only
    type: single
    prompt: ` + strconv.Quote(title) + `
    options:
      - {id: yes-id, text: ` + strconv.Quote(title) + `, correct: true, feedback: ` + strconv.Quote(title) + `}
      - {id: no-id, text: other, feedback: f}
`,
	}
	for name, text := range more {
		files[name] = text
	}
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return out
}

const evil = `</title></script><script>alert(1)</script><img src=x onerror=alert(1)> "'& {{t:page.next}} {{{main}}}`

// Whatever an author writes is text.
func TestHostileCourse(t *testing.T) {
	w := open(t, nil, course(evil, nil))
	for _, at := range []string{"/en/", "/ar/", "/en/courses/small", "/ar/courses/small@1", "/en/courses/small/first", "/ar/courses/small/second", "/en/courses/small/second"} {
		res, body := w.get(at)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d", at, res.StatusCode)
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if len(all(doc, "img")) > 0 {
			t.Errorf("%s: a title became an element", at)
		}
		for _, s := range all(doc, "script") {
			if value(s, "src") == "" && value(s, "type") != "application/json" {
				t.Errorf("%s: a title became a script", at)
			}
		}
		if !strings.Contains(textOf(doc), "{{t:page.next}} {{{main}}}") {
			t.Errorf("%s: a title was read as a skeleton", at)
		}
	}
}

// Text that stands in for a missing translation says in which language it is.
func TestFallbackLanguage(t *testing.T) {
	w := open(t, nil, course("Small", map[string]string{
		"locales/ar/course.po": "\nmsgctxt \"course.title\"\nmsgid \"Small\"\nmsgstr \"صغيرة\"\n\nmsgctxt \"course.summary\"\nmsgid \"About Small\"\nmsgstr \"عن الصغيرة\"\n",
		"locales/ar/one.po":    "\nmsgctxt \"firstd\"\nmsgid \"Go out.\"\nmsgstr \"اخرجوا.\"\n",
	}))
	body, doc := w.read("/ar/courses/small/first")
	checkPage(t, "lesson", body, doc, "ar")
	found := false
	for _, p := range all(doc, "p") {
		switch textOf(p) {
		case "First words in English.":
			found = value(p, "lang") == "en" && value(p, "dir") == "ltr" && value(p, "class") == "fallback"
		case "اخرجوا.":
			if value(p, "lang") != "" {
				t.Error("a translated paragraph is marked as foreign")
			}
		}
	}
	for _, want := range []string{"اخرجوا.", `<span class="block-label">مثال</span>`, `<p class="block-label">نشاط</p>`, "أجزاء من هذه الصفحة لم تُترجم بعد.", "لم تُراجَع هذه الترجمة بعد."} {
		if !strings.Contains(body, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if english, _ := w.read("/en/courses/small/first"); strings.Contains(english, `class="translation"`) {
		t.Error("the source is said to be a translation")
	}
	if !found {
		t.Errorf("the lesson's language is not marked:\n%s", body)
	}
	if _, doc = w.read("/ar/"); value(cardLink(doc), "lang") != "ar" || value(cardLink(doc), "dir") != "rtl" {
		t.Error("a translated title is marked as foreign")
	}

	// A title and a summary are translated each by itself.
	w = open(t, nil, course("Small", map[string]string{
		"locales/ar/course.po": "\nmsgctxt \"course.title\"\nmsgid \"Small\"\nmsgstr \"صغيرة\"\n",
	}))
	for _, at := range []string{"/ar/", "/ar/courses/small"} {
		_, doc := w.read(at)
		for _, p := range all(doc, "p") {
			if textOf(p) == "About Small" && (value(p, "lang") != "en" || value(p, "dir") != "ltr") {
				t.Errorf("%s: a summary that was not translated is not marked", at)
			}
		}
		for _, h := range append(all(doc, "h1"), all(doc, "h2")...) {
			if textOf(h) == "صغيرة" && value(h, "lang") != "" {
				t.Errorf("%s: a translated title is marked as foreign", at)
			}
		}
	}

	w = open(t, nil, course("Small", nil))
	if _, doc = w.read("/ar/"); value(cardLink(doc), "lang") != "en" || value(cardLink(doc), "dir") != "ltr" {
		t.Error("a title that was not translated is not marked")
	}
}

// The skeletons can mark titles and the texts of quizzes and labs as well.
func TestFallbackLanguageOfShortTexts(t *testing.T) {
	pages := fstest.MapFS{}
	names, err := fs.Glob(frontend.Pages(), "*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		src, err := fs.ReadFile(frontend.Pages(), name)
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = &fstest.MapFile{Data: src}
	}
	pages["question.html"] = &fstest.MapFile{Data: []byte(`<li><p id="q{{number}}"{{{spoken}}}>{{prompt}}</p><ul>{{{options}}}</ul></li>`)}
	pages["option.html"] = &fstest.MapFile{Data: []byte(`<li{{{spoken}}}>{{text}}</li>`)}
	pages["module.html"] = &fstest.MapFile{Data: []byte(`<h2{{{spoken}}}>{{title}}</h2>{{{items}}}`)}
	w := open(t, func(c *Config) { c.Pages = pages }, course("Small", map[string]string{
		"locales/ar/course.po": "\nmsgctxt \"course.title\"\nmsgid \"Small\"\nmsgstr \"صغيرة\"\n",
		"locales/ar/one.po":    "\nmsgctxt \"quiz.second.only.prompt\"\nmsgid \"Small\"\nmsgstr \"سؤال\"\n\nmsgctxt \"quiz.second.only.option.no-id.text\"\nmsgid \"other\"\nmsgstr \"غيره\"\n",
	}))
	marked := func(at, tag string) map[string]string {
		_, doc := w.read(at)
		out := map[string]string{}
		for _, n := range all(all(doc, "main")[0], tag) {
			out[textOf(n)] = value(n, "lang") + value(n, "dir")
		}
		return out
	}
	if got := marked("/ar/courses/small/second", "p"); got["سؤال"] != "" {
		t.Errorf("a translated prompt is marked: %v", got)
	}
	if got := marked("/ar/courses/small/second", "li"); got["غيره"] != "" || got["Small"] != "enltr" {
		t.Errorf("options: %v", got)
	}
	if got := marked("/ar/courses/small", "h2"); got["Small"] != "enltr" {
		t.Errorf("module: %v", got)
	}
	if got := marked("/en/courses/small/second", "li"); got["Small"] != "" {
		t.Errorf("in the source language: %v", got)
	}
}

// A course that does not speak the site's language at all is marked too, and offers no alternate in it.
func TestLanguageThatTheCourseLacks(t *testing.T) {
	c := course("Small", nil)
	c["course.yaml"].Data = []byte(strings.Replace(string(c["course.yaml"].Data), "[en, ar]", "[en]", 1))
	w := open(t, nil, c)
	body, doc := w.read("/ar/courses/small/first")
	checkPage(t, "lesson", body, doc, "ar")
	if !strings.Contains(body, `<div lang="en" dir="ltr">`) {
		t.Error("not marked")
	}
	for _, l := range all(doc, "link") {
		if value(l, "hreflang") == "ar" {
			t.Error("the page claims to be in Arabic")
		}
	}
}

func cardLink(doc *html.Node) *html.Node {
	for _, a := range all(doc, "a") {
		if strings.Contains(value(a, "href"), "/courses/small") {
			return a
		}
	}
	return &html.Node{}
}

func TestNewestVersionShowsWithinASecond(t *testing.T) {
	w := open(t, nil, course("Old title", nil))
	if body, _ := w.read("/en/courses/small/first"); !strings.Contains(body, "Old title") {
		t.Fatal("no title")
	}
	if body, _ := w.read("/en/"); !strings.Contains(body, "Old title") {
		t.Fatal("no title")
	}
	w.library.publish(t, course("New title", nil))
	w.clock.advance(freshness - time.Millisecond)
	if body, _ := w.read("/en/courses/small/first"); !strings.Contains(body, "Old title") {
		t.Error("asked again before its time")
	}
	w.clock.advance(2 * time.Millisecond)
	for _, at := range []string{"/en/courses/small/first", "/en/courses/small", "/en/"} {
		if body, _ := w.read(at); !strings.Contains(body, "New title") || strings.Contains(body, "Old title") {
			t.Errorf("%s shows the old version", at)
		}
	}
	if body, _ := w.read("/en/courses/small@1/first"); !strings.Contains(body, "Old title") {
		t.Error("the pinned page moved")
	}
}

// What is ready costs the curriculum nothing.
func TestReadyPagesAskNobody(t *testing.T) {
	w := open(t, nil, course("Small", nil))
	const pinned, newest = "/en/courses/small@1/first", "/en/courses/small/first"
	w.read(pinned)
	w.read(newest)
	w.read("/en/")
	before := w.library.asked.Load()
	for range 50 {
		w.read(pinned)
		w.read(newest)
		w.read("/en/")
	}
	if n := w.library.asked.Load() - before; n != 0 {
		t.Errorf("%d questions within a second", n)
	}
	w.clock.advance(freshness)
	for range 50 {
		w.read(pinned)
		w.read(newest)
	}
	if n := w.library.asked.Load() - before; n != 1 {
		t.Errorf("%d questions after a second, want one for the newest version", n)
	}
}

func TestStrangersCannotFillTheMemory(t *testing.T) {
	w := open(t, func(c *Config) { c.CacheBytes = 200 << 10 }, course("Small", nil))
	for i := range 3 * mostKept {
		if res, _ := w.get(fmt.Sprintf("/en/courses/none-%d/x%d", i, i)); res.StatusCode != http.StatusNotFound {
			t.Fatal(res.StatusCode)
		}
	}
	if n := len(w.site.latest.kept); n > mostKept {
		t.Errorf("%d answers are kept", n)
	}
	if n := len(w.site.cache.pages); n != 0 {
		t.Errorf("%d pages are kept of courses that do not exist", n)
	}
}

func TestTroubleIsAProblemPage(t *testing.T) {
	w := open(t, nil, course("Small", nil))
	troubles := map[string]error{
		"/ar/":                      errors.New("password=secret: connection refused"),
		"/ar/courses/small":         fault.New(fault.Internal, "secret.internal"),
		"/ar/courses/small@1/first": fault.New("unheard-of", "secret.code"),
	}
	for at, trouble := range troubles {
		w.library.trouble = trouble
		res, body := w.get(at)
		if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret") || !strings.Contains(body, `dir="rtl"`) {
			t.Errorf("%s: %d\n%s", at, res.StatusCode, body)
		}
		if res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: a problem may be kept", at)
		}
	}
	w.library.trouble = nil
	w.read("/ar/courses/small") // trouble is not remembered
}

func TestProblems(t *testing.T) {
	w := open(t, nil, course("Small", nil))
	tests := []struct {
		method, at, accept string
		status             int
		locale             string
	}{
		{"GET", "/nowhere", "", 404, "en"},
		{"GET", "/nowhere/at/all", "ar-EG,en;q=0.2", 404, "ar"},
		{"GET", "/ar/nowhere", "en", 404, "ar"},
		{"GET", "/ar/courses/none", "en", 404, "ar"},
		{"GET", "/ar/courses/small/none", "en", 404, "ar"},
		{"GET", "/ar/courses/small/FIRST", "en", 404, "ar"},
		{"GET", "/ar/courses/SMALL", "en", 404, "ar"},
		{"GET", "/nl/", "", 404, "en"},
		{"GET", "/nl/courses/small", "", 404, "en"},
		{"GET", "/EN/", "", 404, "en"},
		{"GET", "/verify/none", "ar", 404, "ar"},
		{"GET", "/nl/verify/none", "ar", 404, "ar"},
		{"GET", "/institutions/none/did.json", "ar", 404, "ar"},
		{"POST", "/en/", "ar", 405, "en"},
		{"DELETE", "/en/courses/small", "ar", 405, "en"},
		{"GET", "/en/courses/%3Cscript%3E", "", 404, "en"},
		{"GET", "/en/courses/%ff", "", 404, "en"},
		{"GET", "/en/courses/small/..%2f..%2fetc", "", 404, "en"},
		{"GET", "/" + strings.Repeat("x", 5000), "", 404, "en"},
	}
	for _, tt := range tests {
		res, body := w.do(tt.method, tt.at, "Accept-Language", tt.accept)
		if res.StatusCode != tt.status {
			t.Errorf("%s %.40s: status %d, want %d", tt.method, tt.at, res.StatusCode, tt.status)
			continue
		}
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, tt.method+" "+tt.at, body, doc, tt.locale)
		if strings.Contains(body, "<script>") {
			t.Errorf("%s: the address became HTML", tt.at)
		}
		if res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no CSP", tt.at)
		}
	}
	if res, body := w.get("/api/nowhere"); res.StatusCode != 404 {
		t.Errorf("/api/nowhere: %d %s", res.StatusCode, body)
	}
}

func TestRedirects(t *testing.T) {
	w := open(t, nil, course("Small", nil))
	tests := []struct {
		at, cookie, accept string
		status             int
		to                 string
	}{
		{"/", "", "", 302, "/en/"},
		{"/", "", "ar-EG,en;q=0.5", 302, "/ar/"},
		{"/", "en", "ar", 302, "/en/"},
		{"/", "ar", "en", 302, "/ar/"},
		{"/", "../evil", "ar", 302, "/ar/"},
		{"/", "//evil.example", "", 302, "/en/"},
		{"/en", "", "", 301, "/en/"},
		{"/ar/courses", "", "", 301, "/ar/"},
		{"/ar/courses/", "", "", 301, "/ar/"},
		{"/ar/courses/small/", "", "", 301, "/ar/courses/small"},
		{"/ar/courses/small@1/", "", "", 301, "/ar/courses/small@1"},
	}
	for _, tt := range tests {
		header := []string{"Accept-Language", tt.accept}
		if tt.cookie != "" {
			header = append(header, "Cookie", LocaleCookie+"="+tt.cookie)
		}
		res, _ := w.get(tt.at, header...)
		if res.StatusCode != tt.status || res.Header.Get("Location") != tt.to {
			t.Errorf("%s (cookie %q, accept %q): %d to %q, want %d to %q", tt.at, tt.cookie, tt.accept, res.StatusCode, res.Header.Get("Location"), tt.status, tt.to)
		}
	}
	res, _ := w.get("/")
	if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
		t.Errorf("Vary %q", vary)
	}
}

// Where the address names no language, it is: chosen on this device, the person's, the institution's, the host's, the browser's.
func TestLanguageWithoutAnAddress(t *testing.T) {
	for _, tt := range []struct{ cookie, own, institution, host, accept, want string }{
		{"fr", "es", "ru", "zh", "ar", "fr"},
		{"", "es", "ru", "zh", "ar", "es"},
		{"", "", "ru", "zh", "ar", "ru"},
		{"", "", "", "zh", "ar", "zh"},
		{"", "", "", "", "ar", "ar"},
		{"", "", "", "", "", "en"},
		{"ja", "", "sw", "", "ar", "sw"},
		{"", "ff", "pt-BR", "", "hi", "pt"}, // the interface does not speak the first, and the second nearly
	} {
		w := open(t, func(c *Config) {
			c.Locale = tt.host
			c.Person = func(*http.Request) []string { return []string{tt.own, tt.institution} }
		})
		header := []string{"Accept-Language", tt.accept, "Cookie", LocaleCookie + "=" + tt.cookie}
		if res, _ := w.get("/", header...); res.Header.Get("Location") != "/"+tt.want+"/" {
			t.Errorf("%+v: to %s", tt, res.Header.Get("Location"))
		}
		if _, body := w.get("/app/", header...); !strings.Contains(body, `<html lang="`+tt.want+`"`) {
			t.Errorf("%+v: /app/ is in another language", tt)
		}
		if _, body := w.get("/hi/", header...); !strings.Contains(body, `<html lang="hi"`) {
			t.Errorf("%+v: /hi/ is in another language", tt)
		}
	}
}

func TestShell(t *testing.T) {
	w := open(t, nil)
	for _, at := range []string{"/app", "/app/", "/app/sign-in", "/app/courses/a/b"} {
		res, body := w.get(at, "Accept-Language", "ar")
		doc, err := html.Parse(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		checkPage(t, at, body, doc, "ar")
		if res.StatusCode != 200 || !strings.Contains(body, "/assets/app-1.js") || !strings.Contains(body, `data-page="app"`) {
			t.Errorf("%s: %d\n%s", at, res.StatusCode, body)
		}
		if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") {
			t.Errorf("Vary %q", vary)
		}
	}
}

func TestWithoutABuiltFrontEnd(t *testing.T) {
	w := open(t, func(c *Config) { c.Dist = fstest.MapFS{"index.html": {Data: []byte("x")}} }, course("Small", nil))
	body, doc := w.read("/en/courses/small/first")
	checkPage(t, "lesson", body, doc, "en")
	if len(all(doc, "script")) != 0 {
		t.Error("a script that is not there")
	}
}

func TestEmptyCatalogue(t *testing.T) {
	w := open(t, nil)
	body, doc := w.read("/ar/")
	checkPage(t, "catalogue", body, doc, "ar")
	if !strings.Contains(body, words(t).T("ar", "page.catalogue.none", nil)) {
		t.Error("an empty page without a word")
	}
}

func TestDID(t *testing.T) {
	w := open(t, nil)
	res, body := w.get("/institutions/demo/did.json")
	if res.StatusCode != 200 || body != `{"id":"did:web:demo"}` || res.Header.Get("Content-Type") != "application/did+json" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %s %v", res.StatusCode, body, res.Header)
	}
	// The same from a host of the institution's own, whatever the port. Other hosts have none.
	for host, want := range map[string]int{"demo.example": 200, "Demo.Example:8443": 200, "other.example": 404, "demo.example.": 404} {
		res, body := w.get("http://" + host + "/.well-known/did.json")
		if res.StatusCode != want || want == 200 && (body != `{"id":"did:web:demo.example"}` || res.Header.Get("Content-Type") != "application/did+json") {
			t.Errorf("%q: %d %s", host, res.StatusCode, body)
		}
	}
}

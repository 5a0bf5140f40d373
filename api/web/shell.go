package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum/framework"
	"github.com/banyan-lms/banyan/internal/i18n"
)

// shell is what a device needs to show pages in one language without a network, but for the courses themselves: the
// service worker (frontend/src/sw) fills its pages, which need the files that it names. Two shells with the same Build are the same, byte for byte.
type shell struct {
	Build   string            `json:"build"`
	Locale  string            `json:"locale"`
	Headers map[string]string `json:"headers"` // of a page
	// Style is the element that goes into the slot of that name: one for all pages.
	Style string `json:"style"`
	// Pages are whole, by kind: what is left to fill are a course's own texts. Parts are what is filled once an entry.
	Pages map[string]string `json:"pages"`
	Parts map[string]string `json:"parts"`
	Words map[string]any    `json:"words"` // a text, or plural forms
	// Labels are words inside fragments, by the language of the text around them.
	Labels     map[string]map[string]any `json:"labels"`
	Frameworks []shellFramework          `json:"frameworks"`
	// Numbers are the tags by which a browser's Intl writes numbers as the server does.
	Numbers map[string]string `json:"numbers"`
	// Alternates lead from the head of a page to the same in another language.
	Alternates []shellAlternate `json:"alternates"`
	// Patterns find in a fragment what is left to its page, and RTL languages that are written from right to left: as
	// regular expressions, so that both sides have one.
	Patterns map[string]string `json:"patterns"`
	// What the reading pages fetch, and what the app and the labs fetch besides.
	Files []shellFile `json:"files"`
	More  []shellFile `json:"more"`
}

type shellAlternate struct {
	Locale string `json:"locale"`
	Part   string `json:"part"`
}

// shellFramework is what a course may build: the framework with a slot for its competences, and each of these.
type shellFramework struct {
	Part        string            `json:"part"`
	Competences []shellCompetence `json:"competences"`
}

type shellCompetence struct {
	ID   string `json:"id"`
	Part string `json:"part"`
}

// shellFile is an address, and what fetching it costs at most.
type shellFile struct {
	Address string `json:"address"`
	Bytes   int    `json:"bytes"`
}

// shellWords are the words that stand in no skeleton.
var shellWords = []string{
	"page.list", "page.minutes", "page.lessons", "page.quizzes", "page.labs", "page.kind.lesson", "page.kind.quiz", "page.kind.lab", "page.kilobytes",
	"page.position", "page.lab.hint", "page.translation.none", "page.translation.mixed", "page.translation.stale", "page.translation.draft",
	"page.offline.none", "page.shell.update", "page.shell.rest", "page.shell.fetch", "page.shell.later",
}

// shellLabels are the words that a fragment leaves to its page, see label.
var shellLabels = []string{
	"page.recording", "page.kilobytes", "page.megabytes", "date.clock",
	"block.activity", "block.audio", "block.definition", "block.discussion", "block.example", "block.lab", "block.note", "block.terms", "block.transcript",
}

// shellParts are the skeletons that are filled once an entry.
var shellParts = []string{
	"catalogue-item", "module", "item", "question", "option", "check", "lab-file", "lab-hint", "competences", "serves",
}

// Screens that have no use without a server: whoever runs an institution is online.
const (
	onlineScreens = "src/features/institution/"
	onlineWords   = "console"
)

// What readers can do without: the labs, and the panel that takes a course along, which brings all of the app with it.
var laterParts = []string{"src/features/lab/", "src/features/offline/"}

// The same of chunks that several modules share: those have a name alone. An interrupted download goes on, and issuers are
// checked, where the app is on the device; until then both come from the network that they need.
var laterChunks = []string{"resume", "trust"}

// renderShell lays out the shell of one language.
func (s *Site) renderShell(locale string) (*page, error) {
	w := s.writer(locale)
	sh := shell{
		Locale: locale, Headers: map[string]string{"Content-Type": html5}, Pages: map[string]string{}, Parts: map[string]string{},
		Words: map[string]any{}, Labels: map[string]map[string]any{}, Frameworks: []shellFramework{}, Numbers: map[string]string{},
		Patterns: map[string]string{
			"block": blockStart.String(), "recording": recording.String(), "other": otherLanguage.String(), "rtl": i18n.RightToLeft(),
		},
	}
	for name, value := range headers(s.inlineStyles()) {
		sh.Headers[name] = value[0]
	}
	if s.assets.css != "" {
		sh.Style = "<style>" + s.assets.css + "</style>\n"
	}
	for kind, f := range w.shellFrames() {
		sh.Pages[kind] = strings.Replace(string(w.page(f)), sh.Style, "{{{style}}}", 1)
	}
	for _, name := range shellParts {
		sh.Parts[name] = w.skeletons[name].source()
	}
	for rel, key := range map[string]string{"prev": "page.previous", "next": "page.next"} {
		sh.Parts[rel] = w.fill("nav-link", values{"rel": rel, "label": w.t(key, nil), "href": "{{href}}", "title": "{{title}}", "spoken": "{{{spoken}}}"})
	}
	for _, key := range shellWords {
		sh.Words[key] = s.cfg.Words.Entry(locale, key)
	}
	for _, l := range s.cfg.Words.Locales() {
		labels := map[string]any{}
		for _, key := range shellLabels {
			labels[key] = s.cfg.Words.Entry(l, key)
		}
		sh.Labels[l] = labels
		sh.Numbers[l] = i18n.Numbers(l)
		sh.Alternates = append(sh.Alternates, shellAlternate{l, w.alternate(l, "/courses/{{tail}}")})
	}
	set := framework.Shipped()
	for _, g := range set.Group(set.IDs()) {
		title, lang := g.Framework.Title.In(locale, g.Framework.Language)
		f := shellFramework{Part: w.fill("framework", values{"title": title, "spoken": w.spoken(lang), "competences": "{{{competences}}}"})}
		for _, c := range g.Competences {
			name, lang := c.Name.In(locale, g.Framework.Language)
			f.Competences = append(f.Competences, shellCompetence{c.ID, w.fill("competence", values{"name": name, "spoken": w.spoken(lang)})})
		}
		sh.Frameworks = append(sh.Frameworks, f)
	}
	sh.Files, sh.More = s.shellFiles(locale)
	if w.err != nil {
		return nil, w.err
	}
	unnamed, err := plainJSON(sh)
	if err != nil {
		return nil, fmt.Errorf("write the shell: %w", err)
	}
	_, digest, _ := strings.Cut(string(blob.Of(unnamed)), ":")
	sh.Build = digest[:16]
	data, err := plainJSON(sh)
	if err != nil {
		return nil, fmt.Errorf("write the shell: %w", err)
	}
	return newPage("application/json", revalidate, data), nil
}

// shellFrames are the pages of a device with slots in place of what a course gives them. They come from the same frame as
// those of the server, so that both have the same bytes.
func (w *writer) shellFrames() map[string]frame {
	out := map[string]frame{
		"app":       w.appFrame(),
		"catalogue": w.catalogueFrame("{{{items}}}"),
		"offline":   w.offlineFrame("page.offline.title", "page.offline.page", ""),
		"portal": w.offlineFrame("page.offline.portal_title", "page.offline.portal",
			`<p><a href="/?portal">`+html.EscapeString(w.t("page.offline.portal_open", nil))+"</a></p>"),
	}
	for _, kind := range []string{"course", "lesson", "quiz", "lab"} {
		f := frame{
			kind: kind, title: "{{title}} · {{course_title}}", description: "{{about}}", main: w.skeletons[kind].source(),
			path: "/courses/{{at}}", canonical: "/courses/{{tail}}", alternates: "{{{alternates}}}",
			data: map[string]string{"course": "{{course}}", "version": "{{version}}", "item": "{{item}}", "kind": kind},
		}
		if kind == "course" {
			f.title = "{{title}}"
			delete(f.data, "item")
			delete(f.data, "kind")
		}
		out[kind] = f
	}
	return out
}

// offlineFrame is the page for what is neither on the device nor to be reached.
func (w *writer) offlineFrame(title, detail, way string) frame {
	f := frame{kind: "offline", title: w.t(title, nil), description: w.t(detail, nil), path: "{{at}}", hidden: true}
	f.main = w.fill("offline", values{"title": f.title, "detail": f.description, "way": way, "items": "{{{items}}}", "href": "{{href}}"})
	return f
}

// plainJSON leaves the signs of HTML as they are: it never stands in a page.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

var wordsModule = regexp.MustCompile(`^src/i18n/([a-z]+)\.(.+)\.words$`)

// shellFiles lists the built files that pages in a language may ask for: first those of the reading pages.
func (s *Site) shellFiles(locale string) (files, more []shellFile) {
	seen := map[string]bool{}
	list := func(name string) shellFile {
		p := s.assets.files[name]
		cost := len(p.plain.body)
		if z := p.gzip.Load(); z != nil {
			cost = len(z.body)
		}
		return shellFile{Address: name, Bytes: cost}
	}
	var walk func(into *[]shellFile, name string, reading bool)
	walk = func(into *[]shellFile, name string, reading bool) {
		m, ok := s.assets.modules[name]
		if !ok || strings.HasPrefix(name, onlineScreens) || reading && (slices.Contains(laterChunks, m.Name) || slices.ContainsFunc(laterParts, func(part string) bool { return strings.HasPrefix(name, part) })) {
			return
		}
		if of := wordsModule.FindStringSubmatch(name); of != nil && (of[2] != locale || of[1] == onlineWords || reading && (of[1] == "app" || of[1] == "lab" || of[1] == "offline")) {
			return
		}
		for _, file := range append([]string{m.File}, m.CSS...) {
			address := "/" + file
			if s.assets.files[address] == nil || seen[address] || path.Ext(file) == ".css" && file == s.assets.modules[pageCSS].File {
				continue
			}
			seen[address] = true
			*into = append(*into, list(address))
		}
		key := fmt.Sprint(reading, " ", name)
		if seen[key] {
			return
		}
		seen[key] = true
		for _, other := range slices.Concat(m.Imports, m.DynamicImports) {
			walk(into, other, reading)
		}
	}
	files, more = []shellFile{}, []shellFile{}
	walk(&files, pageEntry, true)
	walk(&more, appEntry, false)
	walk(&more, pageEntry, false)
	return files, more
}

// entry names the modules that a kind of page begins with.
func (w *writer) entry(kind string) (entry, words string) {
	if kind == "app" {
		return appEntry, "src/i18n/app." + w.locale + ".words"
	}
	return pageEntry, "src/i18n/page." + w.locale + ".words"
}

// shell serves what a device keeps of a language.
func (s *Site) shell(c echo.Context) error {
	locale, ok := strings.CutSuffix(c.Param("file"), ".json")
	if !ok || s.shells[locale] == nil {
		return errNoPage
	}
	return s.compressor.serve(c, s.shells[locale])
}

// webManifest says how Banyan looks among the apps of a device.
func (s *Site) webManifest(c echo.Context) error {
	locale := c.QueryParam("locale")
	if s.languages[locale] == nil {
		locale = s.reader(c)
		c.Response().Header().Add("Vary", "Accept-Language, Cookie")
	}
	return s.compressor.serve(c, s.manifests[locale])
}

type manifestIcon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose,omitempty"`
}

func (s *Site) renderManifest(locale string) (*page, error) {
	w := s.writer(locale)
	name := w.t("page.site", nil)
	data, err := json.Marshal(struct {
		ID          string         `json:"id"`
		Name        string         `json:"name"`
		ShortName   string         `json:"short_name"`
		Description string         `json:"description"`
		Lang        string         `json:"lang"`
		Dir         string         `json:"dir"`
		StartURL    string         `json:"start_url"`
		Scope       string         `json:"scope"`
		Display     string         `json:"display"`
		Background  string         `json:"background_color"`
		Theme       string         `json:"theme_color"`
		Icons       []manifestIcon `json:"icons"`
	}{
		"/app", name, name, w.t("page.catalogue.lead", nil), locale, w.dir, "/app", "/", "standalone", "#faf7f1", "#1d5b45",
		[]manifestIcon{
			{"/icons/icon.svg", "any", "image/svg+xml", ""},
			{"/icons/icon-192.png", "192x192", "image/png", ""},
			{"/icons/icon-512.png", "512x512", "image/png", ""},
			{"/icons/icon-512.png", "512x512", "image/png", "maskable"},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("write the web app manifest: %w", err)
	}
	return newPage("application/manifest+json", revalidate, data), nil
}

// workerPolicy lets the service worker fetch from here, and do nothing else.
var workerPolicy = []string{"default-src 'none'; connect-src 'self'"}

// serviceWorker serves the worker's script. Its address never changes, so no cache may stand before it.
func (s *Site) serviceWorker(c echo.Context) error {
	p := s.assets.files[workerFile]
	if p == nil {
		return errNoPage
	}
	h := c.Response().Header()
	for _, name := range documentHeaders {
		delete(h, name)
	}
	h["Content-Security-Policy"] = workerPolicy
	return s.compressor.serve(c, p)
}

const workerFile = "/sw.js"

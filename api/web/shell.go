package web

import (
	"bytes"
	"encoding/json"
	"fmt"
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
// service worker (frontend/src/sw) keeps it, fetches the files that it names and fills the same skeletons as this package.
// Two shells with the same Build are the same, byte for byte.
type shell struct {
	Build      string                       `json:"build"`
	Locale     string                       `json:"locale"`
	Base       string                       `json:"base"`       // of canonical addresses
	Style      string                       `json:"style"`      // the style element that every head begins with
	Head       map[string]string            `json:"head"`       // what follows it, by kind of page
	Skeletons  map[string]string            `json:"skeletons"`  // with the words in place
	Words      map[string]any               `json:"words"`      // a text, or plural forms
	Labels     map[string]map[string]string `json:"labels"`     // of blocks, by the language of the text
	Frameworks []shellFramework             `json:"frameworks"` // names of competences
	Locales    []shellLocale                `json:"locales"`    // the site's, in their order
	// What the reading pages fetch, and what the app and the labs fetch besides.
	Files []shellFile `json:"files"`
	More  []shellFile `json:"more"`
}

type shellLocale struct {
	Locale string `json:"locale"`
	Name   string `json:"name"`
	Dir    string `json:"dir"`
}

// shellFramework names what a course may build. lang is there where a name is in another language than the shell's.
type shellFramework struct {
	Title       string            `json:"title"`
	Lang        string            `json:"lang,omitempty"`
	Competences []shellCompetence `json:"competences"`
}

type shellCompetence struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Lang string `json:"lang,omitempty"`
}

// shellFile is an address, and what fetching it costs at most.
type shellFile struct {
	Address string `json:"address"`
	Bytes   int    `json:"bytes"`
}

// shellWords are the words that stand in no skeleton.
var shellWords = []string{
	"page.site", "page.list", "page.catalogue.title", "page.catalogue.lead", "page.catalogue.none", "page.minutes", "page.lessons", "page.quizzes", "page.labs",
	"page.kind.lesson", "page.kind.quiz", "page.kind.lab", "page.kilobytes", "page.megabytes", "page.recording", "date.clock", "page.position", "page.previous", "page.next", "page.lab.hint",
	"page.translation.none", "page.translation.mixed", "page.translation.stale", "page.translation.draft",
	"page.offline.title", "page.offline.page", "page.offline.portal_title", "page.offline.portal", "page.offline.portal_open", "page.offline.here", "page.offline.none",
	"page.shell.update", "page.shell.fetch", "page.shell.later",
}

// blockLabels are the words at the top of blocks, see internal/curriculum/page.
var blockLabels = []string{
	"block.activity", "block.audio", "block.definition", "block.discussion", "block.example", "block.lab", "block.note", "block.terms", "block.transcript",
}

// shellPages are the kinds of pages that a device shows by itself.
var shellPages = map[string]string{
	"catalogue": "catalogue", "course": "course", "lesson": "lesson", "quiz": "quiz", "lab": "lab", "offline": "offline", "app": "app",
}

// shellSkeletons leave out what only the server can tell.
var onlineSkeletons = []string{"verify", "verify-fact", "problem"}

// Screens that have no use without a server: whoever runs an institution is online.
const onlineScreens = "src/features/institution/"

// renderShell lays out the shell of one language.
func (s *Site) renderShell(locale string) (*page, error) {
	w := s.writer(locale)
	sh := shell{
		Locale: locale, Base: s.cfg.PublicURL, Head: map[string]string{}, Skeletons: map[string]string{}, Words: map[string]any{},
		Labels: map[string]map[string]string{}, Files: []shellFile{}, More: []shellFile{},
	}
	if s.assets.css != "" {
		sh.Style = "<style>" + s.assets.css + "</style>\n"
	}
	for kind, skeleton := range shellPages {
		entry, words := w.entry(kind)
		sh.Head[kind] = strings.TrimPrefix(s.assets.head(entry, words, w.skeletons["layout"].text()+w.skeletons[skeleton].text()), sh.Style)
	}
	for name, sk := range w.skeletons {
		if !slices.Contains(onlineSkeletons, name) {
			sh.Skeletons[name] = sk.source()
		}
	}
	for _, key := range shellWords {
		sh.Words[key] = s.cfg.Words.Entry(locale, key)
	}
	for _, l := range s.cfg.Words.Locales() {
		labels := map[string]string{}
		for _, key := range blockLabels {
			labels[key] = s.cfg.Words.T(l, key, nil)
		}
		sh.Labels[l] = labels
		sh.Locales = append(sh.Locales, shellLocale{Locale: l, Name: i18n.Name(l), Dir: i18n.Dir(l)})
	}
	sh.Frameworks = frameworksIn(locale)
	sh.Files, sh.More = s.shellFiles(locale)
	unnamed, err := json.Marshal(sh)
	if err != nil {
		return nil, fmt.Errorf("write the shell: %w", err)
	}
	_, digest, _ := strings.Cut(string(blob.Of(unnamed)), ":")
	sh.Build = digest[:16]
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // it never stands in a page
	if err := enc.Encode(sh); err != nil {
		return nil, fmt.Errorf("write the shell: %w", err)
	}
	return newPage("application/json", revalidate, b.Bytes()), nil
}

func frameworksIn(locale string) []shellFramework {
	set := framework.Shipped()
	out := []shellFramework{}
	for _, g := range set.Group(set.IDs()) {
		lang := func(of string) string {
			if of == locale {
				return ""
			}
			return of
		}
		title, in := g.Framework.Title.In(locale, g.Framework.Language)
		f := shellFramework{Title: title, Lang: lang(in)}
		for _, c := range g.Competences {
			name, in := c.Name.In(locale, g.Framework.Language)
			f.Competences = append(f.Competences, shellCompetence{ID: c.ID, Name: name, Lang: lang(in)})
		}
		out = append(out, f)
	}
	return out
}

var wordsModule = regexp.MustCompile(`^src/i18n/(page|lab|app)\.(.+)\.words$`)

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
		if !ok || strings.HasPrefix(name, onlineScreens) || reading && strings.HasPrefix(name, "src/features/lab/") {
			return
		}
		if of := wordsModule.FindStringSubmatch(name); of != nil && (of[2] != locale || reading && of[1] != "page") {
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

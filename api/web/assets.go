package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// assets are the files of the built front end, by the path of their address. They are all in memory, and only what was
// there at start has an address, so no path leads anywhere else.
type assets struct {
	files map[string]*page

	css     string // page.css, for <style>; "" when the front end is not built
	modules map[string]module
}

// module is an entry of Vite's manifest: a source file and what became of it.
type module struct {
	File           string   `json:"file"`
	Name           string   `json:"name"`
	Imports        []string `json:"imports"`
	DynamicImports []string `json:"dynamicImports"`
	CSS            []string `json:"css"`
}

// The sources that reading pages and the app begin with, as frontend/pages/README.md names them.
const (
	pageEntry = "src/page.ts"
	appEntry  = "src/app.tsx"
	pageCSS   = "src/ui/page.css"
)

// contentTypes by ending. What is not here is sent as bytes that no browser opens.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".mjs": "text/javascript; charset=utf-8", ".png": "image/png",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json",
	".webp": "image/webp", ".woff2": "font/woff2",
}

// loadAssets reads the built front end. One that is not built yet has no
// manifest; pages are then without style and script, and still whole.
func loadAssets(dist fs.FS) (*assets, error) {
	a := &assets{files: map[string]*page{}, modules: map[string]module{}}
	err := fs.WalkDir(dist, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		ending := path.Ext(name)
		switch {
		case name != "." && strings.HasPrefix(d.Name(), "."): // .vite and the like are not for the world
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || ending == ".html" || ending == ".br" || ending == ".gz" || isPack(name):
			return nil
		}
		data, err := fs.ReadFile(dist, name)
		if err != nil {
			return err
		}
		contentType, ok := contentTypes[ending]
		if !ok {
			contentType = "application/octet-stream"
		}
		caching := revalidate
		switch {
		case strings.HasPrefix(name, "assets/"): // their names hold a digest
			caching = immutable
		case "/"+name == workerFile:
			caching = askAlways
		}
		p := newPage(contentType, caching, data)
		// The build may have compressed the file with more patience.
		if br, err := fs.ReadFile(dist, name+".br"); err == nil {
			p.setBrotli(br)
		}
		a.files["/"+name] = p
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the built front end: %w", err)
	}
	manifest, err := fs.ReadFile(dist, ".vite/manifest.json")
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(manifest, &a.modules); err != nil {
		return nil, fmt.Errorf("read Vite's manifest: %w", err)
	}
	for _, name := range []string{pageEntry, pageCSS} {
		if _, ok := a.modules[name]; !ok {
			return nil, fmt.Errorf("read Vite's manifest: it has no %s", name)
		}
	}
	css, err := fs.ReadFile(dist, a.modules[pageCSS].File)
	if err != nil {
		return nil, fmt.Errorf("read the built front end: %w", err)
	}
	a.css = strings.TrimSpace(string(css))
	if strings.Contains(strings.ToLower(a.css), "</style") {
		return nil, fmt.Errorf("page.css would end the element that it stands in")
	}
	return a, nil
}

// island is where a page waits for a script to take over.
var island = regexp.MustCompile(`data-island="([a-z-]+)"`)

// head writes the tags that bring an entry to a page: its style sheets, its
// module, and preloads of what the module will ask for at once: the words, and the islands that stand in body with
// words of their own.
func (a *assets) head(entry, words, body string) string {
	var b strings.Builder
	if a.css != "" {
		b.WriteString("<style>" + a.css + "</style>\n")
	}
	m, ok := a.modules[entry]
	if !ok {
		return b.String()
	}
	wanted := []string{entry, words}
	for _, found := range island.FindAllStringSubmatch(body, -1) {
		wanted = append(wanted, "src/features/"+found[1]+"/island.tsx", strings.Replace(words, "/page.", "/"+found[1]+".", 1))
	}
	var scripts, sheets []string
	for _, name := range wanted {
		a.collect(name, &scripts, &sheets)
	}
	for _, f := range sheets {
		b.WriteString(`<link rel="stylesheet" href="/` + html.EscapeString(f) + "\">\n")
	}
	for _, f := range scripts {
		if f != m.File {
			b.WriteString(`<link rel="modulepreload" href="/` + html.EscapeString(f) + "\">\n")
		}
	}
	b.WriteString(`<script type="module" src="/` + html.EscapeString(m.File) + "\"></script>\n")
	return b.String()
}

// collect gathers a module's file and style sheets, and those of all it imports.
func (a *assets) collect(name string, scripts, sheets *[]string) {
	m, ok := a.modules[name]
	if !ok || slices.Contains(*scripts, m.File) {
		return
	}
	*scripts = append(*scripts, m.File)
	for _, f := range m.CSS {
		if !slices.Contains(*sheets, f) && f != a.modules[pageCSS].File {
			*sheets = append(*sheets, f)
		}
	}
	for _, i := range m.Imports {
		a.collect(i, scripts, sheets)
	}
}

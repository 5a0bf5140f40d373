package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var (
	hidden       = regexp.MustCompile(`(?s)<!--.*?-->|<(script|style)\b.*?</(script|style)>`)
	slot         = regexp.MustCompile(`\{\{.*?\}\}`)
	tag          = regexp.MustCompile(`(?s)<[^>]*(>|$)`)
	readAloud    = regexp.MustCompile(`(?s)\b(alt|title|placeholder|label|summary|content|aria-[a-z]+)="([^"]*)"`)
	wordOf       = regexp.MustCompile(`\p{L}\p{M}*\p{L}`)
	sentence     = regexp.MustCompile(`\p{L}{2,}[,;:]? \p{L}{2,}`)
	betweenTags  = regexp.MustCompile(`>([^<>]*)<|>([^<>]*)$|^([^<>]*)</`)
	attributeTag = regexp.MustCompile(`(?s)<[a-z][^>]*>`)
)

// names are the same in every language.
var names = []string{"Banyan"}

// machineRead are attributes whose value is no text, although the attribute may hold one.
var machineRead = map[string][]string{
	"aria-hidden":  {"true"},
	"aria-current": {"true", "page", "step"},
	"aria-live":    {"polite"},
	"aria-busy":    {"true"},
	"content":      {"width=device-width, initial-scale=1", "width=device-width,initial-scale=1", "noindex", "light dark", "#faf7f1", "#151917"},
}

// idReferences are attributes that name elements.
var idReferences = []string{"aria-labelledby", "aria-describedby", "aria-controls"}

// wordsInMarkup finds what a person would read in a piece of HTML, apart from slots.
func wordsInMarkup(src string) []string {
	var out []string
	src = hidden.ReplaceAllString(src, " ")
	for _, element := range attributeTag.FindAllString(src, -1) {
		for _, m := range readAloud.FindAllStringSubmatch(element, -1) {
			value := slot.ReplaceAllString(m[2], "")
			if wordOf.MatchString(value) && !slices.Contains(machineRead[m[1]], value) && !slices.Contains(idReferences, m[1]) {
				out = append(out, m[1]+"="+value)
			}
		}
	}
	for _, text := range strings.Split(slot.ReplaceAllString(tag.ReplaceAllString(src, "\n"), ""), "\n") {
		if text = strings.TrimSpace(text); wordOf.MatchString(text) && !slices.Contains(names, text) {
			out = append(out, text)
		}
	}
	return out
}

// forOperators are calls whose texts go to a log, a terminal or a programmer, never to a page or an answer.
var forOperators = map[string]bool{
	"errors.New": true, "fmt.Errorf": true, "panic": true, "regexp.MustCompile": true,
	"slog.Debug": true, "slog.Info": true, "slog.Warn": true, "slog.Error": true, "slog.LogAttrs": true,
	"slog.DebugContext": true, "slog.InfoContext": true, "slog.WarnContext": true, "slog.ErrorContext": true,
	"h.Set": true, "h.Add": true, // headers of HTTP
}

// wordsInGo finds texts for people in a Go file of a door: sentences anywhere but in calls for operators, and
// single words between the tags of markup.
func wordsInGo(t *testing.T, name string, src any) []string {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec, *ast.StructType:
			return false
		case *ast.CallExpr:
			return !forOperators[callee(n)]
		case *ast.BasicLit:
			if n.Kind != token.STRING {
				return true
			}
			text, _ := strconv.Unquote(n.Value)
			if asMarkup(text) || sentence.MatchString(tag.ReplaceAllString(text, "")) {
				out = append(out, fset.Position(n.Pos()).String()+": "+text)
			}
		}
		return true
	})
	return out
}

// asMarkup tells whether a literal is a piece of HTML with a word in it.
func asMarkup(text string) bool {
	if !strings.Contains(text, "<") {
		return false
	}
	for _, m := range betweenTags.FindAllStringSubmatch(text, -1) {
		if text := m[1] + m[2] + m[3]; wordOf.MatchString(text) && !slices.Contains(names, text) {
			return true
		}
	}
	return false
}

func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
		if x, ok := f.X.(*ast.CallExpr); ok && strings.HasSuffix(callee(x), ".Header") {
			return "h." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

// notForPeople are files, or texts, in the doors that look like sentences and are none, with what they are.
var notForPeople = map[string]string{
	"../../api/web/fill.go":   "names of slots",
	"gzip, deflate, br, zstd": "what browsers accept, as the next ones",
	"gzip, deflate, br":       "",
	"gzip, deflate":           "",
}

// machine is what HTTP reads: a media type, a rule for caches, a policy.
var machine = regexp.MustCompile(`^[a-z]+/[a-z.+-]+; charset=|^public, max-age=|(^|; )[a-z]+-(src|uri|action|ancestors) `)

// What the program says to readers stands in the catalogues: neither the skeletons of pages nor the doors hold words.
func TestNoTextInCode(t *testing.T) {
	skeletons, err := filepath.Glob("../../frontend/pages/*.html")
	if err != nil || len(skeletons) < 10 {
		t.Fatalf("%d skeletons were found: %v", len(skeletons), err)
	}
	for _, path := range skeletons {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range wordsInMarkup(string(src)) {
			t.Errorf("%s: %q: words are keys, {{t:…}}", path, text)
		}
	}
	files, met := 0, map[string]bool{}
	for _, dir := range []string{"api/rest", "api/web", "api/middleware"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, ".gen.go") {
				return err
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for _, found := range wordsInGo(t, path, src) {
				_, text, _ := strings.Cut(found, ": ")
				met[text], met[path] = true, true
				_, byText := notForPeople[text]
				if _, byFile := notForPeople[path]; !byText && !byFile && !machine.MatchString(text) {
					t.Errorf("%s: words are keys, fault.New or Catalogue.T", found)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 20 {
		t.Fatalf("only %d files were read", files)
	}
	for text := range notForPeople {
		if !met[text] {
			t.Errorf("notForPeople names %q, which is gone", text)
		}
	}
}

// The search itself must see what it is for.
func TestTextIsSeen(t *testing.T) {
	for src, want := range map[string]int{
		`<p>{{t:a.b}} · {{title}}</p>`:                      0,
		`<p>Hello</p>`:                                      1,
		`<p>{{title}} of {{count}}</p>`:                     1,
		"<p\nclass=\"good news\">\nمرحبا\n</p>":             1,
		`<img alt="A leaf" src="leaf of.png">`:              1,
		`<nav aria-label="{{t:x.y}} menu"></nav>`:           1,
		`<nav aria-label="{{t:x.y}}" aria-live="polite">`:   0,
		`<input placeholder="Your name">`:                   1,
		`<h2 aria-labelledby="some-id">{{x}}</h2>`:          0,
		`<script>const words = "Hello you";</script>`:       0,
		`<!-- for people who write -->`:                     0,
		`<a href="/en/" title="Home page">{{t:x}}</a><b>!x`: 1,
		`<span>Banyan</span>`:                               0,
	} {
		if got := wordsInMarkup(src); len(got) != want {
			t.Errorf("%s: found %q, want %d", src, got, want)
		}
	}
	got := wordsInGo(t, "x.go", `package x
import "a/b c"
func f() {
	c.String(404, "No such page")
	http.Error(w, "try again later", 500)
	x := Problem{Title: "Not found here"}
	b.WriteString("<p>Hello</p>")
	b.WriteString("<b>Sum: ")
	b.WriteString(" lessons</p>")
	echo.NewHTTPError(400, fmt.Sprintf("Invalid format for parameter %s", x))
	slog.ErrorContext(ctx, "serve the page", "err", err)
	fmt.Errorf("open the file: %w", err)
	h.Set("Vary", "Accept-Language, Cookie")
	c.Response().Header().Set("Allow", "GET and more")
	b.WriteString("<p class=\"two words\">")
	words.T(l, "a.key", nil)
}`)
	if len(got) != 7 {
		t.Errorf("found %d, want 7:\n%s", len(got), strings.Join(got, "\n"))
	}
}

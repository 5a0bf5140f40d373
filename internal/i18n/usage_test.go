package i18n

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dynamic lists the beginnings of keys that code puts together, and why.
var dynamic = map[string]string{
	"date.month.":                "Catalogue.Date numbers the months",
	"fault.":                     "the title of a problem is named after its fault.Code",
	"block.":                     "internal/curriculum names the label of a block after the block",
	"page.kind.":                 "api/web names an item's kind",
	"paper.ai_help.":             "internal/credential/paper says what was declared",
	"paper.assessment.":          "internal/credential/paper says how it was assessed",
	"credential.standing.":       "api/web names and explains a credential's state",
	"credential.state.":          "a state of internal/credential/verifier, and what it means",
	"credential.why.":            "internal/credential/verifier names its reasons",
	"credential.rests.":          "internal/credential/verifier names what an answer rests on",
	"credential.origin.":         "internal/credential/verifier names where it knows things from",
	"page.recognition.standing.": "api/web names and explains what a recognition is worth",
	"bundle.":                    "internal/bundle, and its reader in the page, name a refusal after its reason",
	"institution.domain.":        "internal/institution names why a domain is not proven",
}

// noKeys look like keys in Go and are none.
var noKeys = map[string]string{
	"course.completed":   "a job's kind",
	"course.progressed":  "a job's kind",
	"credential.issue":   "a job's kind",
	"credential.renew":   "a job's kind",
	"credential.batch":   "a job's kind",
	"credential.reweigh": "a job's kind",
	"lab.grade":          "a job's kind",
	"lab.regrade":        "a job's kind",
	"lab.regrade.apply":  "a job's kind",
	"lab.regrade.plan":   "a job's kind",
	"course.title":       "a key of a course's own translations, as is the next",
	"course.summary":     "see course.title",
	"course.yaml":        "a file",
	"lab.yaml":           "a file",
	"locale.yaml":        "a file",
	"media.yaml":         "a file",
	"statement.md":       "a file",
}

var (
	keyForm      = regexp.MustCompile(`^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$`)
	skeletonWord = regexp.MustCompile(`\{\{t:([^}]*)\}\}`)
	callInPage   = regexp.MustCompile(`\bt\(\s*(?:'([^']+)'|"([^"]+)")`)
	textInPage   = regexp.MustCompile(`'([^'\n]+)'|"([^"\n]+)"`)
	schemaFault  = regexp.MustCompile(`"x-fault":\s*"([^"]+)"`)
	startInPage  = regexp.MustCompile("`([a-z][a-z0-9_.-]*\\.)\\$\\{")
)

// usage is what the sources say about keys.
type usage struct {
	wanted  map[string]string // keys that must be there, with a place that says so
	named   map[string]bool   // every text that could be a key
	started map[string]bool   // beginnings of keys that the page puts together
}

func newUsage() *usage {
	return &usage{wanted: map[string]string{}, named: map[string]bool{}, started: map[string]bool{}}
}

// readGo finds keys in a Go file: as arguments of fault.New and fault.Wrap, as
// Key of a fault.Detail, as arguments of T; and by their family anywhere else.
func (u *usage) readGo(t *testing.T, name string, src any, families map[string]bool) {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	text := func(e ast.Expr) string {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return ""
		}
		s, _ := strconv.Unquote(lit.Value)
		return s
	}
	want := func(e ast.Expr) {
		if s := text(e); s != "" {
			u.wanted[s] = fset.Position(e.Pos()).String()
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			s := text(n)
			if !keyForm.MatchString(s) {
				return true
			}
			u.named[s] = true
			family, _, _ := strings.Cut(s, ".")
			if families[family] && noKeys[s] == "" {
				u.wanted[s] = fset.Position(n.Pos()).String()
			}
		case *ast.CallExpr:
			sel, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) < 2 {
				return true
			}
			pkg, _ := sel.X.(*ast.Ident)
			if pkg != nil && pkg.Name == "fault" && (sel.Sel.Name == "New" || sel.Sel.Name == "Wrap") || sel.Sel.Name == "T" {
				want(n.Args[1])
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Key" && keyForm.MatchString(text(n.Value)) {
				want(n.Value)
			}
		}
		return true
	})
}

// readPage finds keys in a TypeScript file.
func (u *usage) readPage(name, src string) {
	for _, m := range callInPage.FindAllStringSubmatch(src, -1) {
		key := m[1] + m[2]
		// Words that the page shares with the server (frontend/vite/words.ts).
		if shared, ok := strings.CutPrefix(key, "ui."); ok && (strings.HasPrefix(shared, "paper.") || strings.HasPrefix(shared, "credential.")) {
			key = shared
		}
		u.wanted[key] = name
	}
	for _, m := range textInPage.FindAllStringSubmatch(src, -1) {
		u.named[m[1]+m[2]] = true
	}
	for _, m := range startInPage.FindAllStringSubmatch(src, -1) {
		u.started[m[1]] = true
	}
}

// readSchema finds the keys that a JSON Schema gives to its faults.
func (u *usage) readSchema(name, src string) {
	for _, m := range schemaFault.FindAllStringSubmatch(src, -1) {
		u.wanted[m[1]] = name
	}
}

func (u *usage) readSkeleton(name, src string) {
	for _, m := range skeletonWord.FindAllStringSubmatch(src, -1) {
		u.wanted[m[1]] = name
	}
}

// compare tells which keys are used and absent, and which are present and unused.
func (u *usage) compare(have map[string]bool) (absent, unused []string) {
	for key, place := range u.wanted {
		if !have[key] {
			absent = append(absent, key+" ("+place+")")
		}
	}
	starts := slices.Concat(slices.Collect(maps.Keys(dynamic)), slices.Collect(maps.Keys(u.started)))
	for key := range have {
		_, wanted := u.wanted[key]
		if !wanted && !u.named[key] && !slices.ContainsFunc(starts, func(s string) bool { return strings.HasPrefix(key, s) }) {
			unused = append(unused, key)
		}
	}
	slices.Sort(absent)
	slices.Sort(unused)
	return absent, unused
}

// Every key that the sources name has its words, and no words lie about unused.
func TestKeysAndSourcesAgree(t *testing.T) {
	have, families := map[string]bool{}, map[string]bool{}
	for key := range messages(t, "locales/"+Source+".json") {
		have[key] = true
		family, _, _ := strings.Cut(key, ".")
		families[family] = true
	}
	u := newUsage()
	files := 0
	for _, dir := range []string{"api", "worker", "internal", "content/schema", "frontend/pages", "frontend/src"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			name := d.Name()
			switch {
			case os.IsNotExist(err):
				return nil
			case err != nil:
				return err
			case d.IsDir() && (name == "testdata" || name == "storetest" || name == "node_modules"):
				return fs.SkipDir
			case d.IsDir() || strings.Contains(name, "_test.") || strings.Contains(name, ".test.") || strings.Contains(name, ".gen."):
				return nil
			}
			ending := filepath.Ext(name)
			if ending != ".go" && ending != ".html" && ending != ".ts" && ending != ".tsx" && !strings.HasSuffix(name, ".schema.json") {
				return nil
			}
			src, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			switch ending {
			case ".go":
				u.readGo(t, path, src, families)
			case ".json":
				u.readSchema(path, string(src))
			case ".html":
				u.readSkeleton(path, string(src))
			default:
				u.readPage(path, string(src))
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if files < 50 {
		t.Fatalf("only %d files were read", files)
	}
	absent, unused := u.compare(have)
	for _, key := range absent {
		t.Errorf("used, but has no words: %s", key)
	}
	for _, key := range unused {
		t.Errorf("has words, but nothing uses it: %s", key)
	}
}

// The search itself must see what it is for.
func TestUsageSees(t *testing.T) {
	u := newUsage()
	u.readGo(t, "x.go", `package x
import "a.b/c.d"
func f() {
	_ = fault.New(fault.Denied, "a.new")
	_ = fault.Wrap(fault.Denied,
		"a.wrapped", nil)
	_ = []fault.Detail{{Key: "a.detail"}}
	_ = words.T(locale, "a.text", nil)
	faults.add(file, 1, "fam.helper")
	open("other.thing", "lab.grade")
}`, map[string]bool{"fam": true, "lab": true})
	u.readSchema("x.json", `{"pattern": "^a$", "x-fault": "s.fault"}`)
	u.readSkeleton("x.html", "<p>{{t:p.word}}{{slot}}</p>")
	u.readPage("x.ts", "t('ui.one'); t(\"ui.two\", {Count: 1}); split('ui.three'); const k = ok ? 'ui.four' : 'ui.five'; t(`ui.state.${s}`)")
	have := map[string]bool{"ui.four": true, "ui.five": true, "ui.state.on": true, "a.new": true, "nobody.asks": true, "date.month.1": true}
	absent, unused := u.compare(have)
	var keys []string
	for _, a := range absent {
		keys = append(keys, strings.Fields(a)[0])
	}
	if want := []string{"a.detail", "a.text", "a.wrapped", "fam.helper", "p.word", "s.fault", "ui.one", "ui.two"}; !slices.Equal(keys, want) {
		t.Errorf("absent %v, want %v", keys, want)
	}
	if want := []string{"nobody.asks"}; !slices.Equal(unused, want) {
		t.Errorf("unused %v, want %v", unused, want)
	}
}

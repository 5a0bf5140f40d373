// Package planted shows that the rules of .golangci.yml bite: it breaks each of
// them once in a small copy of the house, and wants each break found.
package planted

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	house = "github.com/banyan-lms/banyan/"
	inner = house + "internal/"
)

// broken are files that break one rule each.
var broken = []struct {
	file    string // the package's folder
	imports string // what it imports, if that is its fault
	code    string // what it does, if that is
	rule    string // a list of depguard, or the linter's name
	cure    string // a part of the message
}{
	{file: "api/rest", imports: house + "worker/queue", rule: "api-not-worker", cure: "put what both need into internal"},
	{file: "worker/queue", imports: house + "api/rest", rule: "worker-not-api", cure: "put what both need into internal"},
	{file: "internal/lab", imports: house + "api/openapi", rule: "internal-no-door", cure: "let the door translate it"},
	{file: "internal/store", imports: house + "worker/queue", rule: "internal-no-door", cure: "let the door translate it"},
	{file: "bench", imports: inner + "app", rule: "app-for-doors", cure: "take what you need as a parameter"},
	{file: "internal/store", imports: inner + "app", rule: "app-for-doors", cure: "take what you need as a parameter"},

	{file: "internal/curriculum", imports: inner + "identity", rule: "arrows-curriculum", cure: "only fall"},
	{file: "internal/identity", imports: inner + "institution", rule: "arrows-identity", cure: "only fall"},
	{file: "internal/institution", imports: inner + "learning", rule: "arrows-institution", cure: "only fall"},
	{file: "internal/bundle", imports: inner + "learning", rule: "arrows-bundle", cure: "only fall"},
	{file: "internal/learning", imports: inner + "lab", rule: "arrows-learning", cure: "only fall"},
	{file: "internal/learning", imports: inner + "store", rule: "arrows-learning", cure: "declare the small interface"},
	{file: "internal/lab/sandbox", imports: inner + "credential", rule: "arrows-lab", cure: "only fall"},
	{file: "internal/credential/proof", imports: inner + "lab", rule: "arrows-credential", cure: "only fall"},

	{file: "internal/learning", imports: "github.com/labstack/echo/v4", rule: "echo-in-api", cure: "Echo lives in api"},
	{file: "worker", imports: "github.com/labstack/echo/v4", rule: "echo-in-api", cure: "Echo lives in api"},
	{file: "internal/job", imports: "github.com/hibiken/asynq", rule: "queue-in-worker", cure: "write to the outbox"},
	{file: "api/rest", imports: "github.com/redis/go-redis/v9", rule: "queue-in-worker", cure: "write to the outbox"},
	{file: "internal/app", imports: "github.com/alicebob/miniredis/v2", rule: "queue-in-worker", cure: "storetest"},
	{file: "internal/learning", imports: "database/sql", rule: "sql-in-store", cure: "ask internal/store"},
	{file: "internal/identity", imports: "gorm.io/gorm", rule: "sql-in-store", cure: "ask internal/store"},
	{file: "api/rest", imports: "github.com/jackc/pgx/v5", rule: "sql-in-store", cure: "ask internal/store"},
	{file: "internal/app", imports: "github.com/ncruces/go-sqlite3", rule: "sql-in-store", cure: "ask internal/store"},
	{file: "migrations", imports: "github.com/pressly/goose/v3", rule: "sql-in-store", cure: "ask internal/store"},
	{file: "internal/app", imports: "github.com/caarlos0/env/v11", rule: "env-in-config", cure: "internal/config, once"},
	{file: "internal/app", imports: "log", rule: "one-log", cure: "log/slog"},

	{file: "internal/blob", imports: inner + "job", rule: "tools", cure: "nothing of ours but fault"},
	{file: "internal/config", imports: inner + "i18n", rule: "tools", cure: "nothing of ours but fault"},
	{file: "internal/fault", imports: inner + "i18n", rule: "tools", cure: "nothing of ours but fault"},
	{file: "internal/i18n", imports: inner + "config", rule: "tools", cure: "nothing of ours but fault"},
	{file: "internal/job", imports: inner + "store", rule: "tools", cure: "nothing of ours but fault"},
	{file: "internal/signing", imports: inner + "credential", rule: "tools", cure: "nothing of ours but fault"},
	{file: "content", imports: inner + "curriculum", rule: "data", cure: "only embed"},
	{file: "frontend", imports: inner + "i18n", rule: "data", cure: "only embed"},
	{file: "migrations", imports: inner + "store", rule: "data", cure: "only embed"},

	{file: "internal/store", code: `import "os"; var X = os.Getenv("X")`, rule: "forbidigo", cure: "internal/config, once"},
	{file: "api", code: `import "os"; var X, _ = os.LookupEnv("X")`, rule: "forbidigo", cure: "internal/config, once"},
	{file: "worker", code: `import sys "os"; var X = sys.Environ()`, rule: "forbidigo", cure: "internal/config, once"},
	{file: "internal/store", code: `import "gorm.io/gorm"; func X(db *gorm.DB) { _ = db.AutoMigrate(1) }`, rule: "forbidigo", cure: "write a migration"},
	{file: "internal/lab", code: `var X = 1 //nolint`, rule: "nolintlint", cure: "mention specific linter"},
	{file: "internal/lab", code: `var X = 1 //nolint:revive`, rule: "nolintlint", cure: "explanation"},
	{file: "internal/lab", code: `func X() (i int,e error) { return 1, nil }`, rule: "gofumpt", cure: "not properly formatted"},
	{file: "internal/lab", code: "func X() {}", rule: "revive", cure: "should have comment"},

	// Two rules broken by one line: both are told.
	{file: "internal/curriculum", imports: inner + "app", rule: "arrows-curriculum", cure: "only fall"},
	{file: "internal/curriculum", imports: inner + "app", rule: "app-for-doors", cure: "as a parameter"},
}

// allowed are files that come close to a rule and do not break it.
var allowed = []struct{ file, imports, code string }{
	{file: "api/rest", imports: "github.com/labstack/echo/v4"},
	{file: "api", imports: inner + "app"},
	{file: "worker", imports: inner + "app"},
	{file: "worker/queue", imports: "github.com/hibiken/asynq"},
	{file: "internal/store", imports: "gorm.io/gorm"},
	{file: "internal/store", imports: inner + "lab"},
	{file: "internal/app", imports: inner + "store"},
	{file: "internal/credential", imports: inner + "learning"},
	{file: "internal/credential", imports: inner + "institution"},
	{file: "internal/learning", imports: inner + "institution"},
	{file: "internal/institution", imports: inner + "identity"},
	{file: "internal/bundle", imports: inner + "curriculum"},
	{file: "internal/bundle", imports: inner + "signing"},
	{file: "internal/credential", imports: inner + "signing"},
	{file: "internal/lab", imports: inner + "learning"},
	{file: "internal/lab", imports: inner + "curriculum"},
	{file: "internal/lab", imports: inner + "lab/sandbox"},
	{file: "internal/learning", imports: inner + "job"},
	{file: "internal/blob", imports: inner + "fault"},
	{file: "internal/learning", imports: "log/slog"},
	{file: "internal/config", imports: "github.com/caarlos0/env/v11"},
	{file: "internal/config", code: `import "os"; var x = os.Getenv("X")`},
	{file: "bench", imports: "github.com/labstack/echo/v4"},
	{file: "bench", imports: "github.com/jackc/pgx/v5"},
}

// outside stands in for the real modules: only their import paths matter, and a
// copy without code needs neither the network nor minutes to compile.
var outside = map[string]string{
	"github.com/alicebob/miniredis/v2": "package miniredis",
	"github.com/caarlos0/env/v11":      "package env",
	"github.com/hibiken/asynq":         "package asynq",
	"github.com/jackc/pgx/v5":          "package pgx",
	"github.com/labstack/echo/v4":      "package echo",
	"github.com/ncruces/go-sqlite3":    "package sqlite3",
	"github.com/pressly/goose/v3":      "package goose",
	"github.com/redis/go-redis/v9":     "package redis",
	"gorm.io/gorm":                     "package gorm\n\ntype DB struct{}\n\nfunc (*DB) AutoMigrate(...any) error { return nil }",
}

func TestEachRuleFindsItsViolation(t *testing.T) {
	config, err := os.ReadFile("../../.golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	write(t, filepath.Join(root, ".golangci.yml"), string(config))
	gomod := "module " + strings.TrimSuffix(house, "/") + "\n\ngo 1.26.0\n"
	for path, code := range outside {
		version := "v0.0.0"
		if at := strings.LastIndex(path, "/v"); at > 0 {
			version = path[at+1:] + ".0.0"
		}
		gomod += "\nrequire " + path + " " + version + "\n\nreplace " + path + " => ./.outside/" + path + "\n"
		write(t, filepath.Join(root, ".outside", path, "x.go"), code+"\n")
		write(t, filepath.Join(root, ".outside", path, "go.mod"), "module "+path+"\n\ngo 1.26.0\n")
	}
	write(t, filepath.Join(root, "go.mod"), gomod)

	// Every file is a package of its own below the room that it stands
	// for: so no two of them make an import cycle.
	plant := func(i int, kind, room, imports, code string) string {
		name := filepath.Join(room, fmt.Sprint(kind, i), "x.go")
		text := "// Package planted is planted.\npackage planted\n\n"
		if imports != "" {
			text += "import _ \"" + imports + "\" // planted\n"
		}
		write(t, filepath.Join(root, name), text+code+"\n")
		if path, ours := strings.CutPrefix(imports, house); ours {
			write(t, filepath.Join(root, path, "x.go"), "// Package room is a room.\npackage room\n")
		}
		return name
	}
	names := make([]string, len(broken))
	for i, b := range broken {
		names[i] = plant(i, "broken", b.file, b.imports, b.code)
	}
	innocent := map[string]bool{}
	for i, a := range allowed {
		innocent[plant(i, "allowed", a.file, a.imports, a.code)] = true
	}

	found := lint(t, root)
	for i, b := range broken {
		hit := false
		for _, f := range found {
			hit = hit || f.Pos.Filename == names[i] && f.is(b.rule) && strings.Contains(f.Text, b.cure)
		}
		if !hit {
			t.Errorf("%s: nobody minds %q: want a finding of %s with %q", b.file, b.imports+b.code, b.rule, b.cure)
		}
	}
	for _, f := range found {
		if innocent[f.Pos.Filename] && (f.FromLinter == "depguard" || f.FromLinter == "forbidigo") {
			t.Errorf("%s is allowed, but: %s (%s)", f.Pos.Filename, f.Text, f.FromLinter)
		}
		if f.FromLinter == "typecheck" {
			t.Errorf("%s does not compile: %s", f.Pos.Filename, f.Text)
		}
	}
	for _, rule := range importRules(t, config) {
		planted := false
		for _, b := range broken {
			planted = planted || b.rule == rule
		}
		if !planted {
			t.Errorf("the rule %s has no planted violation", rule)
		}
	}
}

type finding struct {
	FromLinter string
	Text       string
	Pos        struct{ Filename string }
}

func (f finding) is(rule string) bool {
	return f.FromLinter == rule || strings.Contains(f.Text, "from list '"+rule+"'")
}

// lint runs the golangci-lint that is first on the PATH; `make verify` puts the pinned one there.
func lint(t *testing.T, root string) []finding {
	t.Helper()
	cmd := exec.Command("golangci-lint", "run", "--output.json.path=stdout", "--show-stats=false", "--issues-exit-code=0", "./...")
	cmd.Dir = root
	// The copies of outside modules have no checksums.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GOPROXY=off")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("golangci-lint: %v\n%s", err, said.String())
	}
	var report struct{ Issues []finding }
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return report.Issues
}

// importRules are the names of depguard's lists.
func importRules(t *testing.T, config []byte) []string {
	t.Helper()
	var c struct {
		Linters struct {
			Settings struct {
				Depguard struct{ Rules map[string]any }
			}
		}
	}
	if err := yaml.Unmarshal(config, &c); err != nil {
		t.Fatal(err)
	}
	var names []string
	for name := range c.Linters.Settings.Depguard.Rules {
		names = append(names, name)
	}
	if len(names) == 0 {
		t.Fatal(".golangci.yml has no import rules")
	}
	return names
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

package migrations_test

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/migrations"
)

func TestEveryTypeIsFilledIn(t *testing.T) {
	for _, d := range []migrations.Dialect{migrations.SQLite, migrations.Postgres} {
		files := migrations.For(d)
		names, err := fs.Glob(files, "*.sql")
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: files %v, %v", d, names, err)
		}
		for _, name := range names {
			raw, err := fs.ReadFile(files, name)
			if err != nil {
				t.Fatal(err)
			}
			if i := strings.Index(string(raw), "${"); i >= 0 {
				t.Errorf("%s for %s: a type that nobody knows: %.20s", name, d, raw[i:])
			}
		}
	}
}

func TestADialectSeesItsOwnFiles(t *testing.T) {
	base := fstest.MapFS{
		"0001_both.sql":          {Data: []byte("a ${JSON}")},
		"0002_wall.postgres.sql": {Data: []byte("b")},
		"0003_pages.sqlite.sql":  {Data: []byte("c ${JSON}")},
		"migrations.go":          {},
	}
	for d, want := range map[migrations.Dialect]string{
		migrations.SQLite:   "0001_both.sql 0003_pages.sqlite.sql",
		migrations.Postgres: "0001_both.sql 0002_wall.postgres.sql",
	} {
		files := migrations.Filled(d, base)
		names, err := fs.Glob(files, "*")
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("%s sees %s, %v, want %s", d, got, err, want)
		}
	}
	if _, err := migrations.Filled(migrations.SQLite, base).Open("0002_wall.postgres.sql"); err == nil {
		t.Error("SQLite opens a file of Postgres")
	}
	raw, err := fs.ReadFile(migrations.Filled(migrations.SQLite, base), "0003_pages.sqlite.sql")
	if err != nil || string(raw) != "c TEXT" {
		t.Errorf("read %q, %v", raw, err)
	}
}

// A number that is taken twice, or a gap, is a merge that went wrong. The dialects may each have a file of one name.
func TestNumbersFollowEachOther(t *testing.T) {
	form := regexp.MustCompile(`^\d{4}_[a-z0-9_]+(\.(sqlite|postgres))?\.sql$`)
	seen := map[string]string{}
	for _, d := range []migrations.Dialect{migrations.SQLite, migrations.Postgres} {
		names, err := fs.Glob(migrations.For(d), "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if !form.MatchString(name) {
				t.Errorf("%s: want NNNN_name.sql or NNNN_name.<dialect>.sql", name)
				continue
			}
			stem, _, _ := strings.Cut(name, ".")
			if other, ok := seen[name[:4]]; ok && other != stem {
				t.Errorf("%s and %s have the same number", other, stem)
			}
			seen[name[:4]] = stem
		}
	}
	for i := range len(seen) {
		number := string([]byte{'0', '0' + byte((i+1)/100), '0' + byte((i+1)/10%10), '0' + byte((i+1)%10)})
		if seen[number] == "" {
			t.Errorf("there is no migration %s", number)
		}
	}
}

package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// both runs a test on a new, empty database of each kind.
func both(t *testing.T, run func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { run(t, filepath.Join(t.TempDir(), "banyan.db")) })
	t.Run("postgres", func(t *testing.T) { run(t, storetest.Postgres(t)) })
}

// raw is a handle beside the store.
func raw(t *testing.T, address string) *sql.DB {
	t.Helper()
	driver := "pgx"
	if !strings.HasPrefix(address, "postgres") {
		driver, address = "sqlite3", (&url.URL{Scheme: "file", Path: address}).String()
	}
	db, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestBothSchemasAreOne(t *testing.T) {
	file, server := filepath.Join(t.TempDir(), "banyan.db"), storetest.Postgres(t)
	migrated(t, file)
	migrated(t, server)
	lite := column(t, raw(t, file), `SELECT t.name || '.' || c.name || CASE WHEN c."notnull" OR c.pk THEN ' NOT NULL' ELSE '' END
		FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%' AND t.name NOT LIKE 'goose%'`)
	post := column(t, raw(t, server), `SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END
		FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'`)
	compare(t, "column", lite, post)
	if len(lite) < 80 {
		t.Errorf("only %d columns: the query is wrong", len(lite))
	}

	lite = column(t, raw(t, file), `SELECT name || CASE WHEN sql LIKE 'CREATE UNIQUE%' THEN ' UNIQUE' ELSE '' END || CASE WHEN sql LIKE '%WHERE%' THEN ' partial' ELSE '' END
		FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND name NOT LIKE 'goose%'`)
	post = column(t, raw(t, server), `SELECT indexname || CASE WHEN indexdef LIKE 'CREATE UNIQUE%' THEN ' UNIQUE' ELSE '' END || CASE WHEN indexdef LIKE '%WHERE%' THEN ' partial' ELSE '' END
		FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%'
		AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conname = indexname)`)
	compare(t, "index", lite, post)
}

func compare(t *testing.T, what string, lite, post []string) {
	t.Helper()
	for _, name := range lite {
		if !slices.Contains(post, name) {
			t.Errorf("%s %s is in SQLite alone", what, name)
		}
	}
	for _, name := range post {
		if !slices.Contains(lite, name) {
			t.Errorf("%s %s is in Postgres alone", what, name)
		}
	}
}

func TestMigrate(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		db := opened(t, url)
		have, want, err := db.Version(t.Context())
		if have != 0 || want < 6 || err != nil {
			t.Fatalf("version %d of %d, %v", have, want, err)
		}
		_, err = db.Curriculum().ListLatest(t.Context(), "", 1)
		wantFault(t, err, fault.Unavailable, "database.not_migrated")
		for range 2 { // the second time nothing is left to do
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			if have, _, err := db.Version(t.Context()); have != want || err != nil {
				t.Fatalf("version %d of %d, %v", have, want, err)
			}
		}
		if _, err := db.Curriculum().ListLatest(t.Context(), "", 1); err != nil {
			t.Error(err)
		}
	})
}

func TestMigrateRefusesANewerDatabase(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		db := migrated(t, url)
		exec(t, raw(t, url), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
		err := db.Migrate(t.Context())
		wantFault(t, err, fault.Conflict, "database.newer")
		if f := asFault(t, err); f.Args["Have"] != int64(9999) || f.Args["Want"] == nil {
			t.Errorf("args %v", f.Args)
		}
	})
}

func TestManyMigrateAtOnce(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		const n = 4
		errs := make(chan error)
		for range n {
			go func() {
				errs <- func() error {
					db, err := store.Open(context.WithoutCancel(t.Context()), url)
					if err != nil {
						return err
					}
					if err := db.Migrate(t.Context()); err != nil {
						return fmt.Errorf("migrate: %w", err)
					}
					return db.Close()
				}()
			}()
		}
		for range n {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
	})
}

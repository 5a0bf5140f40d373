package store_test

import (
	"path/filepath"
	"testing"

	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func TestSQLite(t *testing.T) { storetest.Exercise(t, openSQLite) }

func TestPostgres(t *testing.T) { storetest.Exercise(t, openPostgres) }

func openSQLite(t *testing.T) *store.DB { return migrated(t, filepath.Join(t.TempDir(), "banyan.db")) }

func openPostgres(t *testing.T) *store.DB { return migrated(t, storetest.Postgres(t)) }

func migrated(t testing.TB, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

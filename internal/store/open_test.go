package store_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func opened(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func asFault(t *testing.T, err error) *fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault", err)
	}
	return f
}

func wantFault(t *testing.T, err error, code fault.Code, key string) {
	t.Helper()
	if f := asFault(t, err); f.Code != code || f.Key != key {
		t.Errorf("got %v, want the fault %s %s", err, code, key)
	}
}

func school() institution.Institution {
	return institution.Institution{
		ID: identity.InstitutionID(uuid.Must(uuid.NewV7()).String()), Slug: "s" + uuid.NewString(), Name: "Acacia", CreatedAt: time.Now(),
	}
}

func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, []byte(strings.Repeat("these are my notes\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, url string
		code      fault.Code
		key       string
	}{
		{"nothing", "", fault.Invalid, "database.bad_url"},
		{"another kind", "mysql://root:s3cret@host/db", fault.Invalid, "database.bad_url"},
		{"memory", ":memory:", fault.Invalid, "database.bad_url"},
		{"memory by URL", "file:x?mode=memory", fault.Invalid, "database.bad_url"},
		{"a file elsewhere", "file://host/x.db", fault.Invalid, "database.bad_url"},
		{"a folder", dir, fault.Invalid, "database.not_a_database"},
		{"a text", text, fault.Invalid, "database.not_a_database"},
		{"a text by URL", "file:" + text, fault.Invalid, "database.not_a_database"},
		{"a folder that is a file", filepath.Join(text, "banyan.db"), fault.Invalid, "database.unwritable"},
		{"a folder that nobody can write", "/proc/banyan/banyan.db", fault.Invalid, "database.unwritable"},
		{"a bad port", "postgres://u:s3cret@host:port/db", fault.Invalid, "database.bad_url"},
		{"a bad password", "postgres://u:s3cret%zz@host/db", fault.Invalid, "database.bad_url"},
		{"nobody listens", "postgres://u:s3cret@127.0.0.1:1/db", fault.Unavailable, "database.unreachable"},
		{"no such host", "postgres://u:s3cret@nowhere.invalid/db", fault.Unavailable, "database.unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := store.Open(t.Context(), tt.url)
			wantFault(t, err, tt.code, tt.key)
			if s := fmt.Sprintf("%v %+v", err, asFault(t, err).Args); strings.Contains(s, "s3cret") {
				t.Errorf("the password stands in %q", s)
			}
		})
	}
}

func TestOpenPostgresRefusals(t *testing.T) {
	good := storetest.Postgres(t)
	change := func(fn func(u *url.URL)) string {
		u, err := url.Parse(good)
		if err != nil {
			t.Fatal(err)
		}
		fn(u)
		return u.String()
	}
	_, err := store.Open(t.Context(), change(func(u *url.URL) { u.Path = "/nowhere" }))
	wantFault(t, err, fault.Unavailable, "database.absent")
	wrong := change(func(u *url.URL) { u.User = url.UserPassword(u.User.Username(), "s3cret") })
	_, err = store.Open(t.Context(), wrong)
	wantFault(t, err, fault.Unavailable, "database.sign_in_refused")
	if strings.Contains(fmt.Sprint(err, asFault(t, err).Args), "s3cret") {
		t.Errorf("the password stands in %q", err)
	}
}

func TestOpenSQLiteMakesTheFolder(t *testing.T) {
	for _, name := range []string{"plain.db", "with space and ?#%25.db", "عربي.db"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "a", "b", name)
		if err := migrated(t, path).Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		left, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range left {
			if !strings.HasPrefix(e.Name(), name) {
				t.Errorf("%s is left behind", e.Name())
			}
		}
	}
}

// What a device was told is safe survives a power cut.
func TestSQLiteIsDurable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "banyan.db")
	migrated(t, path)
	if got := column(t, raw(t, path), `PRAGMA journal_mode`); got[0] != "wal" {
		t.Errorf("journal_mode %s", got)
	}
	if got := store.Pragma(t, migrated(t, path), "synchronous"); got != "2" { // FULL
		t.Errorf("synchronous %s", got)
	}
	if got := store.Pragma(t, migrated(t, path), "foreign_keys"); got != "1" {
		t.Errorf("foreign_keys %s", got)
	}
}

func TestClosed(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		db := migrated(t, url)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		wantFault(t, db.Ping(t.Context()), fault.Unavailable, "database.lost")
		_, err := db.Institution().FindInstitutionBySlug(t.Context(), "x")
		wantFault(t, err, fault.Unavailable, "database.lost")
		wantFault(t, db.Institution().CreateInstitution(t.Context(), school()), fault.Unavailable, "database.lost")
	})
}

// A restart of the server costs what was running, and nothing that comes later.
func TestPostgresComesBack(t *testing.T) {
	server := storetest.StartPostgres(t)
	db := migrated(t, server.URL())
	ctx, s := t.Context(), db.Institution()
	kept := school()
	if err := s.CreateInstitution(ctx, kept); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for db.Ping(short) == nil { // a backend outlives the server that was killed by a moment
		time.Sleep(10 * time.Millisecond)
	}
	for range 3 {
		_, err := s.FindInstitution(short, kept.ID)
		wantUnavailable(t, err)
		wantUnavailable(t, s.CreateInstitution(short, school()))
		wantUnavailable(t, db.Identity().CreateUser(short, identity.User{ID: identity.UserID(school().ID), CreatedAt: time.Now()}, "", nil))
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	for range 20 { // every connection of the pool has died
		if got, err := s.FindInstitution(ctx, kept.ID); err != nil || got.Slug != kept.Slug {
			t.Fatalf("after the restart: %v, %v", got, err)
		}
		if err := s.CreateInstitution(ctx, school()); err != nil {
			t.Fatal(err)
		}
	}
}

func wantUnavailable(t *testing.T, err error) {
	t.Helper()
	if f := asFault(t, err); f.Code != fault.Unavailable {
		t.Errorf("got %v, want a fault %s", err, fault.Unavailable)
	}
}

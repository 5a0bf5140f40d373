package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// Two transactions that lock the same rows in opposite order: Postgres ends one of
// them, and it is run again.
func TestADeadlockIsTriedAgain(t *testing.T) {
	url := storetest.Postgres(t)
	db := migrated(t, url)
	ctx := t.Context()
	ids := [2]string{string(school().ID), string(school().ID)}
	for _, id := range ids {
		if err := store.InTx(ctx, db, func(exec func(string, ...any) error) error {
			return exec(`INSERT INTO institutions (id, slug, name, created_at) VALUES (?, ?, 'x', now())`, id, id)
		}); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	runs := 0
	both := make(chan struct{}, 2)
	ends := make(chan error)
	for i := range 2 {
		go func() {
			first := true
			ends <- store.InTx(ctx, db, func(exec func(string, ...any) error) error {
				mu.Lock()
				runs++
				mu.Unlock()
				lock := func(id string) error { return exec(`UPDATE institutions SET name = name || '.' WHERE id = ?`, id) }
				if err := lock(ids[i]); err != nil {
					return err
				}
				if first { // each holds one row before it wants the other
					first = false
					both <- struct{}{}
					for len(both) < 2 {
						time.Sleep(time.Millisecond)
					}
				}
				return lock(ids[1-i])
			})
		}()
	}
	for range 2 {
		if err := <-ends; err != nil {
			t.Error(err)
		}
	}
	if runs < 3 {
		t.Errorf("ran %d times: there was no deadlock", runs)
	}
	if got := column(t, raw(t, url), `SELECT name FROM institutions`); len(got) != 2 || got[0] != "x.." || got[1] != "x.." {
		t.Errorf("names %q, want each touched twice", got)
	}
}

// An error that is nobody's fault but ours is not tried again.
func TestAnErrorIsNotTriedAgain(t *testing.T) {
	db := migrated(t, filepath.Join(t.TempDir(), "banyan.db"))
	runs := 0
	stop := errors.New("stop")
	err := store.InTx(t.Context(), db, func(func(string, ...any) error) error { runs++; return stop })
	if !errors.Is(err, stop) || runs != 1 {
		t.Errorf("%v after %d runs", err, runs)
	}
	err = store.InTx(t.Context(), db, func(exec func(string, ...any) error) error {
		runs++
		return exec(`UPDATE no_such_table SET a = 1`)
	})
	wantFault(t, err, fault.Unavailable, "database.not_migrated")
	if runs != 2 {
		t.Errorf("%d runs", runs)
	}
}

// Another process holds the lock of SQLite: whoever waits gets it in the end, and whoever
// cannot wait is told so.
func TestSQLiteWaitsForOtherProcesses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "banyan.db")
	db := migrated(t, path)
	other, err := raw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	run := func(query string) {
		t.Helper()
		if _, err := other.ExecContext(context.WithoutCancel(t.Context()), query); err != nil {
			t.Fatal(err)
		}
	}
	run(`BEGIN IMMEDIATE`)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantUnavailable(t, db.Institution().CreateInstitution(short, school()))
	time.AfterFunc(200*time.Millisecond, func() { run(`COMMIT`) })
	if err := db.Institution().CreateInstitution(t.Context(), school()); err != nil {
		t.Error(err)
	}
}

// A transaction that has read must be able to write: it holds the lock from its start.
func TestSQLiteLocksAtTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "banyan.db")
	db := migrated(t, path)
	other, err := raw(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := other.ExecContext(t.Context(), `PRAGMA busy_timeout = 0`); err != nil {
		t.Fatal(err)
	}
	err = store.InTx(t.Context(), db, func(exec func(string, ...any) error) error {
		if _, err := other.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err == nil {
			t.Error("another process writes between our reading and our writing")
		}
		return exec(`UPDATE users SET locale = ''`)
	})
	if err != nil {
		t.Error(err)
	}
}

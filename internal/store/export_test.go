package store

import (
	"context"
	"testing"
)

// Pragma asks the writing connection of SQLite.
func Pragma(t *testing.T, db *DB, name string) string {
	t.Helper()
	got, err := query(t.Context(), db.writes, scanText, "PRAGMA "+name)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	return got[0]
}

// InTx runs statements in one transaction of our own making.
func InTx(ctx context.Context, db *DB, fn func(exec func(query string, args ...any) error) error) error {
	return conn{db: db}.inTx(ctx, func(c conn) error {
		return fn(func(query string, args ...any) error { return c.db.fail(c.write(ctx).Exec(query, args...).Error) })
	})
}

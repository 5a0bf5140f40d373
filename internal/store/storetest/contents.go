package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
)

// Watch gives a function that reads every row of every table of a SQLite file as
// text, by table. It is for tests that must prove that nothing was stored.
func Watch(t testing.TB, path string) func() map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	names, err := rowsOf(t.Context(), db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
	if err != nil {
		t.Fatal(err)
	}
	return func() map[string][]string {
		t.Helper()
		out := make(map[string][]string, len(names))
		for _, name := range names {
			if out[name], err = rowsOf(t.Context(), db, `SELECT * FROM "`+name+`"`); err != nil {
				t.Fatalf("read %s: %v", name, err)
			}
		}
		return out
	}
}

// rowsOf gives rows as texts, sorted; one of a single column is its value.
func rowsOf(ctx context.Context, db *sql.DB, query string) ([]string, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells what Close would
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	out := []string{}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		row := fmt.Sprint(values[0])
		if len(columns) > 1 {
			row = fmt.Sprintf("%q", values)
		}
		out = append(out, row)
	}
	slices.Sort(out)
	return out, rows.Err()
}

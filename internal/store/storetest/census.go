package storetest

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver" // the name sqlite3
)

// Census counts what a run of submissions has left in a database. It is for
// tests of whole programs, which cannot ask the programs for all of it.
type Census struct {
	Submissions int
	Verdicts    int
	Submitted   int // statements that a lab was handed in
	Judged      int // statements that a lab was passed or failed
	JudgedOnce  int // submissions with exactly one of these
	Attempts    int // at labs, as progress counts them
	Credentials int
	Holders     int // enrollments with a credential
	Waiting     int // jobs that are neither done nor parked
	Parked      int
	Done        int
	Failures    int // tries that did not end their job
}

// TakeCensus counts in the database at a postgres:// URL or in a SQLite file, while programs may be at work on it.
func TakeCensus(ctx context.Context, url string) (Census, error) {
	var c Census
	err := direct(ctx, url, func(db *sql.DB) error {
		for _, q := range []struct {
			into  *int
			query string
		}{
			// First: when no job waits any more, the rest has come to rest.
			{&c.Waiting, `SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NULL`},
			{&c.Submissions, `SELECT count(*) FROM submissions`},
			{&c.Verdicts, `SELECT count(*) FROM verdicts`},
			{&c.Submitted, `SELECT count(*) FROM statements WHERE verb = 'submitted'`},
			{&c.Judged, `SELECT count(*) FROM statements WHERE verb IN ('passed', 'failed')`},
			{&c.JudgedOnce, `SELECT count(*) FROM (SELECT result ->> 'submission_id' FROM statements
				WHERE verb IN ('passed', 'failed') GROUP BY 1 HAVING count(*) = 1) once`},
			{&c.Attempts, `SELECT coalesce(sum(attempts), 0) FROM progress p
				WHERE EXISTS (SELECT 1 FROM submissions s WHERE s.enrollment_id = p.enrollment_id AND s.lab_id = p.object_id)`},
			{&c.Credentials, `SELECT count(*) FROM credentials`},
			{&c.Holders, `SELECT count(DISTINCT enrollment_id) FROM credentials`},
			{&c.Parked, `SELECT count(*) FROM outbox WHERE done_at IS NULL AND parked_at IS NOT NULL`},
			{&c.Done, `SELECT count(*) FROM outbox WHERE done_at IS NOT NULL`},
			{&c.Failures, `SELECT coalesce(sum(attempts), 0) - count(done_at) FROM outbox`},
		} {
			if err := db.QueryRowContext(ctx, q.query).Scan(q.into); err != nil {
				return fmt.Errorf("%s: %w", q.query, err)
			}
		}
		return nil
	})
	return c, err
}

// MakeNewer makes a migrated database look as a later program would have left it.
func MakeNewer(ctx context.Context, url string) error {
	return direct(ctx, url, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version`)
		return err
	})
}

// direct opens a database without the store.
func direct(ctx context.Context, url string, do func(*sql.DB) error) (err error) {
	var db *sql.DB
	if strings.HasPrefix(url, "postgres") {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			return err
		}
		db = stdlib.OpenDB(*config)
	} else if db, err = sql.Open("sqlite3", "file:"+url+"?_pragma=busy_timeout(10000)"); err != nil {
		return err
	}
	defer func() {
		if e := db.Close(); err == nil {
			err = e
		}
	}()
	if err := db.PingContext(ctx); err != nil {
		return err
	}
	return do(db)
}

// Backdate makes a job that is done look as if it had been done at a time.
func Backdate(ctx context.Context, url, id string, done time.Time) error {
	return direct(ctx, url, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `UPDATE outbox SET done_at = $1 WHERE id = $2 AND done_at IS NOT NULL`,
			done.UTC().Format("2006-01-02T15:04:05.000000Z07:00"), id)
		return err
	})
}

// Hasten makes due at once every job that waits for its next try.
func Hasten(ctx context.Context, url string) error {
	return direct(ctx, url, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `UPDATE outbox SET available_at = $1
			WHERE done_at IS NULL AND parked_at IS NULL AND started_at IS NULL AND available_at > $1`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000000Z07:00"))
		return err
	})
}

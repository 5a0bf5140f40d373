package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
	"github.com/ncruces/go-sqlite3/gormlite"
	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/migrations"
)

// sqlite is the embedded database: one file beside its write-ahead log.
type sqlite struct{ writer string } // the address of a writing connection

// timeForm has a fixed width, so that times sort as the texts that they are.
// The driver's own form drops trailing zeros, and 10:00:00.5Z sorts before 10:00:00Z.
const timeForm = "2006-01-02T15:04:05.000000Z07:00"

func openSQLite(ctx context.Context, address string, o options) (*DB, error) {
	u, path, err := fileURL(address)
	if err != nil {
		return nil, err
	}
	if err := writable(path); err != nil {
		return nil, err
	}
	d := sqlite{writer: withPragmas(u,
		"busy_timeout(5000)", // another process may hold the lock: a subcommand beside the server
		"journal_mode(WAL)",
		// NORMAL would survive kill -9 as well, but a school whose power fails would
		// lose what devices were told is safe, and they have forgotten it by then. The
		// price: 0.45 ms instead of 0.22 for one row, nothing to speak of for a hundred.
		"synchronous(FULL)",
		"foreign_keys(1)",
		"cache_size(-4000)", // KiB
	)}
	// Readers are several and see the last commit without waiting for the
	// writer. They cannot write, so that nothing slips past the queue.
	reader := withPragmas(u, "busy_timeout(5000)", "query_only(1)", "cache_size(-2000)")

	db := &DB{dialect: d}
	if db.writes, err = driver.Open(d.writer); err != nil {
		return nil, fault.Wrap(fault.Invalid, "database.bad_url", err)
	}
	db.writes.SetMaxOpenConns(1)
	if db.reads, err = driver.Open(reader); err != nil {
		_ = db.writes.Close()
		return nil, fault.Wrap(fault.Invalid, "database.bad_url", err)
	}
	conns := o.conns
	if conns <= 0 {
		conns = 4
	}
	db.reads.SetMaxOpenConns(conns)
	db.reads.SetMaxIdleConns(conns)
	// The writer comes first: it makes the file and its log.
	for _, pool := range []*sql.DB{db.writes, db.reads} {
		err := readable(ctx, pool)
		// Who turns on the log of a new file does not wait for others who do so: SQLite's busy_timeout is not for that.
		for end := time.Now().Add(openPatience); errors.Is(err, sqlite3.BUSY) && time.Now().Before(end) && ctx.Err() == nil; {
			time.Sleep(10 * time.Millisecond)
			err = readable(ctx, pool)
		}
		if err != nil {
			_ = db.Close()
			return nil, openFault(err, path)
		}
	}
	return db, nil
}

// openPatience is how long opening waits for another process that holds the file.
const openPatience = 5 * time.Second

// readable reads the head of the file: a mere ping would not.
func readable(ctx context.Context, pool *sql.DB) error {
	_, err := query(ctx, pool, scanText, `PRAGMA schema_version`)
	return err
}

func openFault(err error, path string) error {
	switch {
	case errors.Is(err, sqlite3.NOTADB), errors.Is(err, sqlite3.CORRUPT):
		return fault.Wrap(fault.Invalid, "database.not_a_database", err).With("Path", path)
	case errors.Is(err, sqlite3.READONLY), errors.Is(err, sqlite3.CANTOPEN), errors.Is(err, sqlite3.PERM):
		return fault.Wrap(fault.Invalid, "database.unwritable", err).With("Path", path)
	case errors.Is(err, sqlite3.FULL):
		return fault.Wrap(fault.Unavailable, "database.full", err)
	}
	return fault.Wrap(fault.Unavailable, "database.busy", err)
}

// fileURL reads a path or a file: URL.
func fileURL(address string) (*url.URL, string, error) {
	u := &url.URL{Scheme: "file"}
	path := address
	if strings.HasPrefix(address, "file:") {
		given, err := url.Parse(address)
		if err != nil {
			return nil, "", fault.New(fault.Invalid, "database.bad_url")
		}
		if path = given.Path; given.Opaque != "" {
			if path, err = url.PathUnescape(given.Opaque); err != nil {
				return nil, "", fault.New(fault.Invalid, "database.bad_url")
			}
		}
		if given.Host != "" && given.Host != "localhost" {
			return nil, "", fault.New(fault.Invalid, "database.bad_url")
		}
		u.RawQuery = given.RawQuery
	}
	// A database in memory would be another one for each connection.
	if path == "" || path == ":memory:" || u.Query().Get("mode") == "memory" {
		return nil, "", fault.New(fault.Invalid, "database.bad_url")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, "", fault.Wrap(fault.Invalid, "database.bad_url", err)
	}
	u.Path = abs
	return u, abs, nil
}

func withPragmas(u *url.URL, pragmas ...string) string {
	with := *u
	q := with.Query()
	q["_pragma"] = pragmas
	q.Set("_txlock", "immediate") // a lock that comes late is a lock that may be refused
	q.Set("_timefmt", timeForm)
	with.RawQuery = q.Encode()
	return with.String()
}

// writable makes the folder and tries to write in it: SQLite itself would say
// no more than "unable to open database file".
func writable(path string) error {
	folder := filepath.Dir(path)
	cannot := func(err error) error {
		return fault.Wrap(fault.Invalid, "database.unwritable", err).With("Path", path)
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return cannot(err)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fault.New(fault.Invalid, "database.not_a_database").With("Path", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cannot(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return cannot(err)
	}
	if err := f.Close(); err != nil {
		return cannot(err)
	}
	// The log and its index stand beside the file.
	probe, err := os.CreateTemp(folder, ".banyan-*")
	if err != nil {
		return cannot(err)
	}
	_ = probe.Close()
	return os.Remove(probe.Name())
}

func (d sqlite) name() migrations.Dialect { return migrations.SQLite }

func (d sqlite) gorm(pool gorm.ConnPool) gorm.Dialector { return gormlite.OpenDB(pool) }

// openMigrator leaves out our form of times: goose lets the database write its own, and
// reading one in the wrong form would make it believe that it has never been here.
func (d sqlite) openMigrator() *sql.DB {
	u, err := url.Parse(d.writer)
	if err != nil { // the same address has been opened before
		panic(err)
	}
	q := u.Query()
	q.Del("_timefmt")
	u.RawQuery = q.Encode()
	db, err := driver.Open(u.String())
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	return db
}

func (d sqlite) trouble(err error) trouble {
	// Errors of statements are *sqlite3.Error, those of connections mere codes; both are As.
	var detail sqlite3.ExtendedErrorCode
	if errors.As(err, &detail) {
		switch detail {
		case sqlite3.CONSTRAINT_UNIQUE, sqlite3.CONSTRAINT_PRIMARYKEY, sqlite3.CONSTRAINT_ROWID:
			return duplicate
		case sqlite3.CONSTRAINT_FOREIGNKEY:
			return dangling
		case sqlite3.CONSTRAINT_CHECK, sqlite3.CONSTRAINT_NOTNULL:
			return refused
		}
	}
	var code sqlite3.ErrorCode
	if !errors.As(err, &code) {
		return unknown
	}
	switch code {
	case sqlite3.BUSY, sqlite3.LOCKED:
		return busy
	case sqlite3.FULL:
		return full
	case sqlite3.IOERR, sqlite3.CANTOPEN, sqlite3.READONLY, sqlite3.PERM:
		return lost
	case sqlite3.TOOBIG:
		return refused
	case sqlite3.ERROR:
		if strings.Contains(err.Error(), "no such table") {
			return noTable
		}
	}
	return unknown
}

func (d sqlite) repeats(err error, table, column string) bool {
	return d.trouble(err) == duplicate && strings.Contains(err.Error(), " "+table+"."+column)
}

func (d sqlite) absent(err error, column string) bool {
	return errors.Is(err, sqlite3.CONSTRAINT_NOTNULL) && strings.HasSuffix(err.Error(), "."+column)
}

// locked: BEGIN IMMEDIATE has locked the whole database.
func (d sqlite) locked() string { return "" }

func (d sqlite) now() any { return time.Now() }

func (d sqlite) claim(ctx context.Context, pool gorm.ConnPool, t taking) ([]outboxRow, error) {
	now := time.Now()
	set := ""
	if t.begin {
		set = ", " + begins("?1")
	}
	return query(ctx, pool, scanJob, `UPDATE outbox SET available_at = ?2`+set+` WHERE id IN (
		SELECT id FROM outbox WHERE done_at IS NULL AND parked_at IS NULL AND available_at <= ?1 AND priority <= ?3
		ORDER BY priority, id LIMIT ?4)
		RETURNING `+jobColumns, now, now.Add(t.visibility), t.most, t.limit)
}

func (d sqlite) begin(ctx context.Context, pool gorm.ConnPool, id key) ([]outboxRow, error) {
	return query(ctx, pool, scanJob, `UPDATE outbox SET `+begins("?1")+`
		WHERE id = ?2 AND done_at IS NULL AND parked_at IS NULL RETURNING `+jobColumns, time.Now(), id)
}

// recover takes every try under way for a dead one: who starts on an embedded database is the only one that
// works on it. A job that was tried before keeps its time: one that
// takes the process down with it must not do so again at every start, at once.
func (d sqlite) recover(ctx context.Context, pool gorm.ConnPool, cause string) (int64, error) {
	now := time.Now()
	res, err := pool.ExecContext(ctx, `UPDATE outbox SET available_at = ?, last_error = ?
		WHERE done_at IS NULL AND parked_at IS NULL AND started_at IS NOT NULL AND attempts <= 1 AND available_at > ?`, now, cause, now)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// rowsAtOnce keeps a statement below SQLite's limit of 32,766 values.
const rowsAtOnce = 1000

func (d sqlite) appendStatements(ctx context.Context, pool gorm.ConnPool, user key, newest int64, rows []statementRow) ([]string, error) {
	known := map[key]bool{}
	for part := range slices.Chunk(rows, rowsAtOnce) {
		args := make([]any, len(part))
		for i := range part {
			args[i] = part[i].ID
		}
		ids, err := query(ctx, pool, scanText, `SELECT id FROM statements WHERE id IN (`+places("?", len(part))+`)`, args...)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			known[key(id)] = true
		}
	}
	var fresh []string
	args := make([]any, 0, 13*min(len(rows), rowsAtOnce))
	insert := func() error {
		_, err := pool.ExecContext(ctx, `INSERT INTO statements
			(id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at, arrival, device, epoch, sequence) VALUES `+
			places("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", len(args)/13), args...)
		args = args[:0]
		return err
	}
	for i := range rows {
		r := &rows[i]
		if known[r.ID] {
			continue
		}
		fresh = append(fresh, string(r.ID))
		args = append(args, r.ID, r.EnrollmentID, user, r.InstitutionID, r.Verb, r.ObjectID, r.Result, r.At, r.ReceivedAt,
			newest+int64(len(fresh)), r.Device, r.Epoch, r.Sequence)
		if len(args) == 13*rowsAtOnce {
			if err := insert(); err != nil {
				return nil, err
			}
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	if len(args) > 0 {
		if err := insert(); err != nil {
			return nil, err
		}
	}
	_, err := pool.ExecContext(ctx, `UPDATE learner_arrivals SET newest = ? WHERE user_id = ?`, newest+int64(len(fresh)), user)
	return fresh, err
}

func (d sqlite) mergeProgress(ctx context.Context, pool gorm.ConnPool, rows []progressRow) error {
	for part := range slices.Chunk(rows, rowsAtOnce) {
		args := make([]any, 0, 8*len(part))
		for i := range part {
			r := &part[i]
			args = append(args, r.EnrollmentID, r.EnrollmentID, r.ObjectID, r.Started, r.Completed, r.Score, r.Attempts, r.UpdatedAt)
		}
		_, err := pool.ExecContext(ctx, `INSERT INTO progress
			(enrollment_id, institution_id, object_id, started, completed, score, attempts, updated_at) VALUES `+
			places("(?, (SELECT institution_id FROM enrollments WHERE id = ?), ?, ?, ?, ?, ?, ?)", len(part))+
			foldProgress, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

// places repeats the placeholders of one row.
func places(row string, n int) string {
	return strings.TrimSuffix(strings.Repeat(row+",", n), ",")
}

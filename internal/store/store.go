// Package store is the only room that speaks SQL: one file and one type a domain, over one DB.
//
// Every value goes through one gate on its way to SQL (value.go), every error
// through one on its way back (trouble.go), and every transaction is begun in
// tx.go. What one database says differently from the other is a named method
// of dialect, with a body in sqlite.go and one in postgres.go.
package store

import (
	"context"
	"database/sql"
	"strings"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/learning"
)

// DB is an open database. It is safe for use by many goroutines.
type DB struct {
	dialect     dialect
	writes      *sql.DB // SQLite: one connection, so that writers queue up fairly
	reads       *sql.DB // Postgres: the same as writes
	gorm        *gorm.DB
	wake        atomic.Pointer[func()]
	versions    kept[curriculum.Version]
	enrollments kept[learning.Enrollment]
}

// An Option changes how a database is opened.
type Option func(*options)

type options struct{ conns int }

// Conns limits the connections to Postgres, and the readers of SQLite. Without it they are 16 and 4.
func Conns(n int) Option { return func(o *options) { o.conns = n } }

// Open opens a database: postgres://…, a path to a SQLite file, or a file: URL.
// A SQLite file and its folder are made when they do not exist. The schema is
// left as it is: call Migrate next.
//
// It fails with fault.Invalid for an address that cannot be read, a folder that
// cannot be written and a file of another kind, and with fault.Unavailable for
// a server that does not answer or does not let us in. No password stands in an error.
func Open(ctx context.Context, url string, opts ...Option) (*DB, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	open := openSQLite
	switch scheme, _, hasScheme := strings.Cut(url, "://"); {
	case strings.HasPrefix(url, "postgres://"), strings.HasPrefix(url, "postgresql://"):
		open = openPostgres
	case url == "", hasScheme && scheme != "file":
		return nil, fault.New(fault.Invalid, "database.bad_url")
	}
	db, err := open(ctx, url, o)
	if err != nil {
		return nil, err
	}
	db.versions.most, db.enrollments.most = versionsKept, enrollmentsKept
	// A Config of its own for each handle: gorm.Open changes the one it is given.
	db.gorm, err = gorm.Open(db.dialect.gorm(guarded{ConnPool: db.writes}), &gorm.Config{
		SkipDefaultTransaction: true, // transactions are ours, see tx.go
		DisableAutomaticPing:   true,
		Logger:                 logger.Discard, // it would print what people wrote
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) },
	})
	if err != nil {
		_ = db.Close()
		return nil, fault.Wrap(fault.Internal, "database.failed", err)
	}
	return db, nil
}

// Ping asks the database whether it is there.
func (db *DB) Ping(ctx context.Context) error {
	return db.fail(db.reads.PingContext(ctx))
}

// Close waits for what is running and closes the database.
func (db *DB) Close() error {
	err := db.reads.Close()
	if db.writes != db.reads {
		// The last to leave folds the write-ahead log into the file.
		if e := db.writes.Close(); err == nil {
			err = e
		}
	}
	return err
}

// OnEnqueue sets what is called after a transaction that asked for work has
// been committed, and never for one that was rolled back. It must not block.
func (db *DB) OnEnqueue(wake func()) { db.wake.Store(&wake) }

func (db *DB) enqueued() {
	if wake := db.wake.Load(); wake != nil {
		(*wake)()
	}
}

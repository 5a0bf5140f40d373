package store

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/migrations"
)

// Version tells the version of the schema in the database, 0 when there is
// none, and the version that this program wants.
func (db *DB) Version(ctx context.Context) (have, want int64, err error) {
	want, err = newest(migrations.For(db.dialect.name()))
	if err != nil {
		return 0, 0, db.fail(err)
	}
	var row struct{ Version *int64 }
	c := conn{db: db}
	err = c.read(ctx).Raw(`SELECT max(version_id) AS version FROM goose_db_version WHERE is_applied`).Scan(&row).Error
	switch {
	case err != nil && db.trouble(err) == noTable:
		return 0, want, nil
	case err != nil:
		return 0, 0, db.fail(err)
	case row.Version != nil:
		have = *row.Version
	}
	return have, want, nil
}

// Migrate brings the schema to the version that this program wants. Several
// programs may do so at once. A database that is newer than the program is
// left alone: fault.Conflict database.newer.
func (db *DB) Migrate(ctx context.Context) error {
	for try := 1; ; try++ {
		have, want, err := db.Version(ctx)
		switch {
		case err != nil:
			return err
		case have > want:
			return fault.New(fault.Conflict, "database.newer").With("Have", have).With("Want", want)
		case have == want:
			return nil
		}
		if err = db.up(ctx); err == nil {
			// Their plans are of the old schema.
			db.reads.SetMaxIdleConns(0)
			db.reads.SetMaxIdleConns(db.reads.Stats().MaxOpenConnections)
			continue
		}
		// SQLite has no lock for migrations: whoever loses a race finds the work done.
		if try == tries {
			return db.fail(fmt.Errorf("migrate from %d to %d: %w", have, want, err))
		}
		select {
		case <-ctx.Done():
			return db.fail(ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (db *DB) up(ctx context.Context) error {
	d := db.dialect.name()
	opts := []goose.ProviderOption{}
	words := goose.DialectSQLite3
	if d == migrations.Postgres {
		words = goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	own := db.dialect.openMigrator()
	defer func() { _ = own.Close() }()
	p, err := goose.NewProvider(words, own, migrations.For(d), opts...)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// newest is the highest number of a migration.
func newest(files fs.FS) (int64, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	var top int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("migration %s: %w", name, err)
		}
		top = max(top, n)
	}
	return top, nil
}

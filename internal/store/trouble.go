package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
)

// trouble is what a database complains of.
type trouble int

const (
	unknown   trouble = iota
	duplicate         // a unique constraint
	dangling          // a foreign key
	refused           // a check or a NOT NULL
	badText           // text that the database cannot store
	rolled            // rolled back by the database for the sake of another transaction: may be tried again
	busy              // locked for too long
	lost              // no connection
	full              // no space
	noTable           // the schema is not there yet
)

// fail turns an error of the database into a fault, and leaves faults as they are.
func (db *DB) fail(err error) error {
	var f *fault.Error
	switch {
	case err == nil, errors.As(err, &f):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, sql.ErrTxDone): // database/sql has rolled back for the sake of the context
		return fault.Wrap(fault.Unavailable, "database.interrupted", err)
	}
	switch db.trouble(err) {
	case duplicate:
		return fault.Wrap(fault.Conflict, "database.duplicate", err)
	case dangling:
		return fault.Wrap(fault.Conflict, "database.dangling", err)
	case refused:
		return fault.Wrap(fault.Invalid, "database.refused", err)
	case badText:
		return fault.Wrap(fault.Invalid, "database.bad_text", err)
	case rolled, busy:
		return fault.Wrap(fault.Unavailable, "database.busy", err)
	case lost:
		return fault.Wrap(fault.Unavailable, "database.lost", err)
	case full:
		return fault.Wrap(fault.Unavailable, "database.full", err)
	case noTable:
		return fault.Wrap(fault.Unavailable, "database.not_migrated", err)
	}
	return fault.Wrap(fault.Internal, "database.failed", err)
}

func (db *DB) trouble(err error) trouble {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, errClosed) {
		return lost
	}
	return db.dialect.trouble(err)
}

// errClosed is what database/sql says after Close; it has no name there.
var errClosed = func() error {
	db := sql.OpenDB(nil)
	_ = db.Close()
	return db.PingContext(context.Background())
}()

// taken turns a broken unique constraint into fault.Conflict with a key.
func (db *DB) taken(err error, key string) error {
	if err != nil && db.trouble(err) == duplicate {
		return fault.Wrap(fault.Conflict, key, err)
	}
	return db.fail(err)
}

// missing turns an absent row, or an id that is none, into fault.NotFound with a key.
func (db *DB) missing(err error, key string) error {
	if errors.Is(err, gorm.ErrRecordNotFound) || errors.Is(err, errBadKey) {
		return fault.New(fault.NotFound, key)
	}
	return db.fail(err)
}

// badJSON is for values that cannot be written as JSON: bytes of a caller that are none.
func (db *DB) badJSON(err error) error {
	return fault.Wrap(fault.Invalid, "database.bad_text", err)
}

// enrolled says what it means when progress has no institution: there is no such enrollment.
func (db *DB) enrolled(err error) error {
	if err != nil && db.dialect.absent(err, "institution_id") {
		return fault.Wrap(fault.NotFound, "enrollment.not_found", err)
	}
	return db.fail(err)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"time"

	"gorm.io/gorm"
)

// conn is where the methods of a domain send their SQL: the pools of a DB, or
// one transaction. Every domain type is a conn and nothing else.
type conn struct {
	db *DB
	tx *tx // nil outside of transactions
}

// tx is a running transaction.
type tx struct {
	pool     guarded
	enqueued bool  // work was asked for: wake the runner after the commit
	broken   error // why it must be rolled back although fn may not say so
}

// read gives GORM for a query.
func (c conn) read(ctx context.Context) *gorm.DB { return c.over(ctx, c.readPool()) }

// write gives GORM for one statement that changes something.
func (c conn) write(ctx context.Context) *gorm.DB { return c.over(ctx, c.writePool()) }

func (c conn) over(ctx context.Context, pool guarded) *gorm.DB {
	g := c.db.gorm.Session(&gorm.Session{NewDB: true, Context: ctx})
	g.Statement.ConnPool = pool
	return g
}

func (c conn) readPool() guarded {
	if c.tx != nil {
		return c.tx.pool
	}
	return guarded{ConnPool: c.db.reads}
}

func (c conn) writePool() guarded {
	if c.tx != nil {
		return c.tx.pool
	}
	return guarded{ConnPool: c.db.writes}
}

// tries is how often a transaction is begun at most.
const tries = 4

// inTx runs fn in one transaction, which is committed when fn returns nil and
// no statement in it has failed, and rolled back otherwise. Inside of another
// transaction it joins that one: an error of fn then rolls back the whole.
//
// The database may end a transaction for the sake of another (a deadlock); fn
// is then run again from the start. So fn may set what it captures but not add to it.
func (c conn) inTx(ctx context.Context, fn func(conn) error) error {
	if c.tx != nil {
		err := fn(c)
		if err != nil && c.tx.broken == nil {
			c.tx.broken = err
		}
		return err
	}
	for try := 1; ; try++ {
		begun, err := c.db.once(ctx, fn)
		if err == nil || try == tries {
			return err
		}
		switch c.db.trouble(err) {
		case rolled:
		case busy, lost:
			// Whether a lost connection has committed nobody knows, unless it never began.
			if begun {
				return err
			}
		default:
			return err
		}
		pause := time.Duration(try*try) * (5 + rand.N(time.Duration(10))) * time.Millisecond
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

func (db *DB) once(ctx context.Context, fn func(conn) error) (begun bool, err error) {
	sqlTx, err := db.writes.BeginTx(ctx, nil)
	if err != nil {
		return false, db.fail(err)
	}
	// After the commit this does nothing; it is for errors and panics.
	defer func() {
		if e := sqlTx.Rollback(); e != nil && !errors.Is(e, sql.ErrTxDone) && err == nil {
			err = db.fail(e)
		}
	}()
	t := &tx{}
	t.pool = guarded{ConnPool: sqlTx, tx: t}
	if err := fn(conn{db: db, tx: t}); err != nil {
		return true, db.fail(err)
	}
	if t.broken != nil {
		return true, db.fail(t.broken)
	}
	if err := sqlTx.Commit(); err != nil {
		return true, db.fail(err)
	}
	if t.enqueued {
		db.enqueued()
	}
	return true, nil
}

// one takes the first row of a query; no row is fault.NotFound with the key.
func one[R any](c conn, q *gorm.DB, notFound string) (R, error) {
	var r R
	if err := q.Take(&r).Error; err != nil {
		return r, c.db.missing(err, notFound)
	}
	return r, nil
}

// many turns every row of a query into what the domain knows.
func many[R, D any](c conn, q *gorm.DB, as func(R) D) ([]D, error) {
	var rows []R
	if err := q.Find(&rows).Error; err != nil {
		return nil, c.db.fail(err)
	}
	out := make([]D, len(rows))
	for i, r := range rows {
		out[i] = as(r)
	}
	return out, nil
}

// changed says whether a statement changed a row; none is fault.NotFound with the key.
func changed(c conn, res *gorm.DB, notFound string) error {
	if res.Error != nil {
		return c.db.missing(res.Error, notFound)
	}
	if res.RowsAffected == 0 {
		return c.db.missing(gorm.ErrRecordNotFound, notFound)
	}
	return nil
}

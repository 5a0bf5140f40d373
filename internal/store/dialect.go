package store

import (
	"context"
	"database/sql"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/migrations"
)

// dialect is what the two databases say differently. A method here has one
// body for each; an if in a query is never the way.
type dialect interface {
	name() migrations.Dialect
	// gorm gives GORM's dialect over a pool.
	gorm(pool gorm.ConnPool) gorm.Dialector
	// openMigrator opens a handle of its own for migrations: connections that
	// have seen the old schema would keep plans for it.
	openMigrator() *sql.DB
	trouble(err error) trouble
	// repeats tells whether a unique constraint of a table that begins with the column was broken.
	repeats(err error, table, column string) bool
	// absent tells whether a column that must have a value was given none.
	absent(err error, column string) bool

	// locked ends a query whose rows no other transaction may lock or change until
	// ours ends; others may still refer to them.
	locked() string
	// now is this moment as a value: where several machines share a database,
	// its clock is the one they share.
	now() any
	// claim hides due jobs and gives them in any order.
	claim(ctx context.Context, pool gorm.ConnPool, t taking) ([]outboxRow, error)
	// begin begins a try of a job that is neither done nor parked.
	begin(ctx context.Context, pool gorm.ConnPool, id key) ([]outboxRow, error)
	// recover makes due what was begun by a process that is gone, where that can be known, and counts it.
	recover(ctx context.Context, pool gorm.ConnPool, cause string) (int64, error)
	// appendStatements inserts those rows of one locked learner whose id is new, gives them the arrivals after newest in
	// their order, and gives their ids. An id that another learner takes at the same moment is trouble that may be tried again.
	appendStatements(ctx context.Context, pool gorm.ConnPool, user key, newest int64, rows []statementRow) ([]string, error)
	// mergeProgress folds rows into the table: no two are of one object, and they are sorted.
	mergeProgress(ctx context.Context, pool gorm.ConnPool, rows []progressRow) error
}

// foldProgress is how a delta meets the stored row, in words that both
// databases share. It must not matter in which order deltas come.
const foldProgress = ` ON CONFLICT (enrollment_id, object_id) DO UPDATE SET
	started = progress.started OR excluded.started,
	completed = progress.completed OR excluded.completed,
	score = CASE WHEN progress.score IS NULL OR excluded.score > progress.score THEN excluded.score ELSE progress.score END,
	attempts = progress.attempts + excluded.attempts,
	updated_at = CASE WHEN excluded.updated_at > progress.updated_at THEN excluded.updated_at ELSE progress.updated_at END`

// query reads every row of a query. What is asked with every request goes past
// GORM, which would build the statement and look for the fields anew each time; both databases read $1
// and $2, when they first stand in the text in this order.
func query[D any](ctx context.Context, pool gorm.ConnPool, scan func(rows *sql.Rows) (D, error), text string, args ...any) ([]D, error) {
	rows, err := pool.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err below tells what Close would
	out := []D{}
	for rows.Next() {
		d, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// scanText reads a row of one text column.
func scanText(rows *sql.Rows) (s string, err error) {
	err = rows.Scan(&s)
	return s, err
}

// jobColumns are what scanJob reads of a row of the outbox.
const jobColumns = `id, kind, payload, priority, about, owner, attempts, deaths`

func scanJob(rows *sql.Rows) (r outboxRow, err error) {
	err = rows.Scan(&r.ID, &r.Kind, &r.Payload, &r.Priority, &r.About, &r.Owner, &r.Attempts, &r.Deaths)
	return r, err
}

// begins is what changes in a row when a try begins. A try before it that has not ended died.
func begins(now string) string {
	return `attempts = attempts + 1, deaths = deaths + CASE WHEN started_at IS NULL THEN 0 ELSE 1 END, started_at = ` + now
}

package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/job"
)

// Outbox gives out the work that waits.
type Outbox struct{ conn }

var (
	_ job.Outbox   = (*Outbox)(nil)
	_ job.Parking  = (*Outbox)(nil)
	_ job.Calendar = (*Outbox)(nil)
)

// Outbox gives the store of deferred work.
func (db *DB) Outbox() *Outbox { return &Outbox{conn{db: db}} }

type outboxRow struct {
	ID          key
	Kind        string
	Payload     string
	Priority    int
	About       *key
	Owner       *key
	Attempts    int
	Deaths      int
	CreatedAt   instant
	AvailableAt instant
	StartedAt   instant // of the try under way
	DoneAt      instant
	ParkedAt    instant
	LastError   string
}

func (outboxRow) TableName() string { return "outbox" }

func (r outboxRow) job() job.Job {
	return job.Job{
		ID: job.ID(r.ID), Kind: job.Kind(r.Kind), Payload: json.RawMessage(r.Payload), Priority: job.Priority(r.Priority),
		About: r.About.text(), Owner: r.Owner.text(), Attempt: r.Attempts, Deaths: r.Deaths,
	}
}

// Enqueue writes a job in the transaction of c, and wakes the runner when it is
// committed. An id that is known already is fault.Conflict job.exists.
func (c conn) Enqueue(ctx context.Context, j job.Job) error {
	if !json.Valid(j.Payload) {
		return fault.New(fault.Invalid, "database.bad_text")
	}
	now := c.db.dialect.now()
	err := c.write(ctx).Table("outbox").Create(map[string]any{
		"id": key(j.ID), "kind": string(j.Kind), "payload": string(j.Payload), "priority": int(j.Priority),
		"about": maybeKey(j.About), "owner": maybeKey(j.Owner), "created_at": now, "available_at": now,
	}).Error
	if err != nil {
		return c.db.taken(err, "job.exists")
	}
	if c.tx == nil {
		c.db.enqueued()
	} else {
		c.tx.enqueued = true
	}
	return nil
}

// FinishJob marks a job done; false means that it was done before, or never was.
func (c conn) FinishJob(ctx context.Context, id job.ID) (bool, error) {
	res := c.write(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL", key(id)).
		Updates(map[string]any{"done_at": c.db.dialect.now(), "parked_at": nil, "started_at": nil})
	err := changed(c, res, "job.not_found")
	if fault.Is(err, fault.NotFound) {
		slog.DebugContext(ctx, "job was done before", "job", id)
		return false, nil
	}
	return err == nil, err
}

// Claim implements job.Outbox: first by priority, then by age.
func (s *Outbox) Claim(ctx context.Context, most job.Priority, limit int, visibility time.Duration) ([]job.Job, error) {
	return s.take(ctx, taking{most: int(most), limit: limit, visibility: visibility})
}

// Start implements job.Outbox: first by priority, then by age.
func (s *Outbox) Start(ctx context.Context, most job.Priority, limit int, visibility time.Duration) ([]job.Job, error) {
	return s.take(ctx, taking{most: int(most), limit: limit, visibility: visibility, begin: true})
}

// taking is how jobs are claimed.
type taking struct {
	most, limit int
	visibility  time.Duration
	begin       bool // a try of each begins
}

func (s *Outbox) take(ctx context.Context, t taking) ([]job.Job, error) {
	rows, err := s.db.dialect.claim(ctx, s.writePool(), t)
	if err != nil {
		return nil, s.db.fail(err)
	}
	slices.SortFunc(rows, func(a, b outboxRow) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), strings.Compare(string(a.ID), string(b.ID)))
	})
	out := make([]job.Job, len(rows))
	for i, r := range rows {
		out[i] = r.job()
	}
	return out, nil
}

// Begin implements job.Outbox.
func (s *Outbox) Begin(ctx context.Context, id job.ID) (job.Job, bool, error) {
	if !key(id).valid() {
		return job.Job{}, false, nil
	}
	rows, err := s.db.dialect.begin(ctx, s.writePool(), key(id))
	if err != nil || len(rows) == 0 {
		return job.Job{}, false, s.db.fail(err)
	}
	return rows[0].job(), true, nil
}

// Recover makes due at once what an earlier process had begun when it was
// killed, and tells how many jobs that are. Call it before the first Start of the process. Only a
// database that belongs to one process (SQLite) can know that a claim is dead; a shared one is left as it is and
// its claims run out by themselves. Should a second process work on the same file
// after all, a job may run twice but still ends once: see finishJob.
func (s *Outbox) Recover(ctx context.Context) (int64, error) {
	n, err := s.db.dialect.recover(ctx, s.writePool(), "the process ended while the job ran")
	return n, s.db.fail(err)
}

// Return implements job.Outbox. A job that is done or parked meanwhile stays so.
func (s *Outbox) Return(ctx context.Context, id job.ID, due time.Time) error {
	when := s.db.dialect.now()
	if !due.IsZero() {
		when = at(due)
	}
	res := s.live(ctx, id).Where("started_at IS NOT NULL").
		Updates(map[string]any{"available_at": when, "started_at": nil, "attempts": gorm.Expr("attempts - 1")})
	return s.db.fail(res.Error)
}

// Retry implements job.Outbox. A job that is done or parked meanwhile stays so.
func (s *Outbox) Retry(ctx context.Context, id job.ID, due time.Time, cause string) error {
	res := s.live(ctx, id).Updates(map[string]any{"available_at": at(due), "started_at": nil, "last_error": legible(cause)})
	return s.db.fail(res.Error)
}

// Park implements job.Outbox. A job that is done meanwhile stays so.
func (s *Outbox) Park(ctx context.Context, id job.ID, cause string) error {
	res := s.live(ctx, id).Updates(map[string]any{"parked_at": s.db.dialect.now(), "started_at": nil, "last_error": legible(cause)})
	return s.db.fail(res.Error)
}

// live names a job that is neither done nor parked.
func (s *Outbox) live(ctx context.Context, id job.ID) *gorm.DB {
	return s.write(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL AND parked_at IS NULL", key(id))
}

// ListParked implements job.Parking, oldest first.
func (s *Outbox) ListParked(ctx context.Context, after job.ID, limit int) ([]job.Parked, error) {
	q := s.read(ctx).Where("done_at IS NULL AND parked_at IS NOT NULL")
	return many(s.conn, forward(q, "id", key(after), limit), func(r outboxRow) job.Parked {
		return job.Parked{Job: r.job(), CreatedAt: r.CreatedAt.t, ParkedAt: r.ParkedAt.t, Cause: r.LastError}
	})
}

// CountParked implements job.Parking.
func (s *Outbox) CountParked(ctx context.Context) (int, error) {
	var row struct{ Parked int }
	err := s.read(ctx).Table("outbox").Select("count(*) AS parked").Where("done_at IS NULL AND parked_at IS NOT NULL").Scan(&row).Error
	return row.Parked, s.db.fail(err)
}

// Release implements job.Parking. A job that is not parked is fault.NotFound job.not_found.
func (s *Outbox) Release(ctx context.Context, id job.ID) error {
	_, err := s.release(ctx, "id = ?", key(id))
	return err
}

// ReleaseAll implements job.Parking.
func (s *Outbox) ReleaseAll(ctx context.Context) (int64, error) {
	n, err := s.release(ctx, "1 = 1")
	if fault.Is(err, fault.NotFound) {
		return 0, nil
	}
	return n, err
}

func (s *Outbox) release(ctx context.Context, which string, args ...any) (int64, error) {
	res := s.write(ctx).Model(&outboxRow{}).Where(which, args...).Where("done_at IS NULL AND parked_at IS NOT NULL").
		Updates(map[string]any{"parked_at": nil, "attempts": 0, "deaths": 0, "available_at": s.db.dialect.now()})
	if err := changed(s.conn, res, "job.not_found"); err != nil {
		return 0, err
	}
	if s.tx == nil {
		s.db.enqueued()
	}
	return res.RowsAffected, nil
}

// Ensure implements job.Calendar.
func (s *Outbox) Ensure(ctx context.Context, j job.Job) (bool, error) {
	err := s.Enqueue(ctx, j)
	if fault.Is(err, fault.Conflict) {
		return false, nil
	}
	return err == nil, err
}

// Purge deletes up to limit jobs that were done before a time, and tells how many.
func (s *Outbox) Purge(ctx context.Context, before time.Time, limit int) (int64, error) {
	old := s.read(ctx).Table("outbox").Select("id").Where("done_at < ?", at(before)).Order("done_at").Limit(limit)
	res := s.write(ctx).Where("id IN (?)", old).Delete(&outboxRow{})
	return res.RowsAffected, s.db.fail(res.Error)
}

// linePlaces is how far a place in line is counted: nobody needs to know whether they are the
// 2,000th or the 3,000th, and counting further would cost more than it tells.
const linePlaces = 1000

// placeOf tells the place in line of the job that is about something: 1 is next, 0 when it runs, is done,
// was given up, or is not known.
func placeOf(ctx context.Context, c conn, about key) (int, error) {
	if !about.valid() {
		return 0, nil
	}
	n, err := query(ctx, c.readPool(), func(rows *sql.Rows) (n int, err error) {
		err = rows.Scan(&n)
		return n, err
	}, `SELECT (SELECT count(*) FROM (SELECT 1 FROM outbox o
			WHERE o.done_at IS NULL AND o.parked_at IS NULL AND o.started_at IS NULL AND (o.priority, o.id) <= (mine.priority, mine.id)
			LIMIT $1) AS line)
		FROM outbox mine WHERE mine.about = $2 AND mine.done_at IS NULL AND mine.parked_at IS NULL AND mine.started_at IS NULL
		AND mine.priority <= $3`, linePlaces, about, int(job.Backlog))
	if err != nil || len(n) == 0 {
		return 0, c.db.fail(err)
	}
	return n[0], nil
}

// waitingOf counts the jobs that somebody waits for, up to a limit.
func waitingOf(ctx context.Context, c conn, owner key, limit int) (int, error) {
	if !owner.valid() {
		return 0, nil
	}
	var row struct{ Waiting int }
	line := c.read(ctx).Table("outbox").Select("1").Where("owner = ? AND done_at IS NULL AND parked_at IS NULL", owner).Limit(limit)
	err := c.read(ctx).Table("(?) AS line", line).Select("count(*) AS waiting").Scan(&row).Error
	return row.Waiting, c.db.fail(err)
}

// causeKept is how much of an error is kept.
const causeKept = 4 << 10

// legible makes any text storable: a cause may be what a broken program printed,
// and to refuse it would lose the job's turn.
func legible(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", "\uFFFD"), "\uFFFD")
	if len(s) <= causeKept {
		return s
	}
	cut := causeKept
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

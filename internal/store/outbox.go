package store

import (
	"cmp"
	"context"
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

var _ job.Outbox = (*Outbox)(nil)

// Outbox gives the store of deferred work.
func (db *DB) Outbox() *Outbox { return &Outbox{conn{db: db}} }

type outboxRow struct {
	ID          key
	Kind        string
	Payload     string
	Priority    int
	Attempts    int
	CreatedAt   instant
	AvailableAt instant
	DoneAt      instant
	ParkedAt    instant
	LastError   string
}

func (outboxRow) TableName() string { return "outbox" }

func (r outboxRow) job() job.Job {
	return job.Job{ID: job.ID(r.ID), Kind: job.Kind(r.Kind), Payload: json.RawMessage(r.Payload), Attempt: r.Attempts + 1}
}

// enqueue writes a job in the transaction of c, and wakes the runner when it is
// committed. An id that is known already is fault.Conflict job.exists.
func enqueue(ctx context.Context, c conn, j job.Job) error {
	if !json.Valid(j.Payload) {
		return fault.New(fault.Invalid, "database.bad_text")
	}
	now := c.db.dialect.now()
	err := c.write(ctx).Table("outbox").Create(map[string]any{
		"id": key(j.ID), "kind": string(j.Kind), "payload": string(j.Payload), "created_at": now, "available_at": now,
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

// finishJob marks a job done; false means that it was done before, or never was.
func finishJob(ctx context.Context, c conn, id job.ID) (bool, error) {
	res := c.write(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL", key(id)).
		Updates(map[string]any{"done_at": c.db.dialect.now(), "parked_at": nil})
	err := changed(c, res, "job.not_found")
	if fault.Is(err, fault.NotFound) {
		slog.DebugContext(ctx, "job was done before", "job", id)
		return false, nil
	}
	return err == nil, err
}

// Claim implements job.Outbox: first by priority, then by age.
func (s *Outbox) Claim(ctx context.Context, limit int, visibility time.Duration) ([]job.Job, error) {
	rows, err := s.db.dialect.claim(ctx, s.writePool(), limit, visibility)
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

// Recover makes due at once what an earlier process had claimed when it was
// killed, and tells how many jobs that are. Call it before the first Claim of the process. Only a
// database that belongs to one process (SQLite) can know that a claim is dead; a shared one is left as it is and
// its claims run out by themselves. Should a second process work on the same file
// after all, a job may run twice but still ends once: see finishJob.
func (s *Outbox) Recover(ctx context.Context) (int64, error) {
	n, err := s.db.dialect.recover(ctx, s.writePool(), "the process ended while the job ran")
	return n, s.db.fail(err)
}

// Retry implements job.Outbox. A job that is done or parked meanwhile stays so.
func (s *Outbox) Retry(ctx context.Context, id job.ID, due time.Time, cause string) error {
	return s.update(ctx, id, map[string]any{"available_at": at(due)}, cause)
}

// Park implements job.Outbox. A job that is done meanwhile stays so.
func (s *Outbox) Park(ctx context.Context, id job.ID, cause string) error {
	return s.update(ctx, id, map[string]any{"parked_at": s.db.dialect.now()}, cause)
}

func (s *Outbox) update(ctx context.Context, id job.ID, set map[string]any, cause string) error {
	set["attempts"] = gorm.Expr("attempts + 1")
	set["last_error"] = legible(cause)
	res := s.write(ctx).Model(&outboxRow{}).Where("id = ? AND done_at IS NULL AND parked_at IS NULL", key(id)).Updates(set)
	return s.db.fail(res.Error)
}

// ParkedJob is a job that waits for an operator.
type ParkedJob struct {
	Job      job.Job // Attempt is the next try
	ParkedAt time.Time
	Cause    string // of the last try
}

// ListParked lists jobs that were given up, oldest first, after a cursor that is "" at first.
func (s *Outbox) ListParked(ctx context.Context, after job.ID, limit int) ([]ParkedJob, error) {
	q := s.read(ctx).Where("done_at IS NULL AND parked_at IS NOT NULL")
	return many(s.conn, forward(q, "id", key(after), limit), func(r outboxRow) ParkedJob {
		return ParkedJob{Job: r.job(), ParkedAt: r.ParkedAt.t, Cause: r.LastError}
	})
}

// Release makes a parked job due at once, its tries counted anew. A job that
// is not parked is fault.NotFound job.not_found.
func (s *Outbox) Release(ctx context.Context, id job.ID) error {
	err := changed(s.conn, s.write(ctx).Model(&outboxRow{}).
		Where("id = ? AND done_at IS NULL AND parked_at IS NOT NULL", key(id)).
		Updates(map[string]any{"parked_at": nil, "attempts": 0, "available_at": s.db.dialect.now()}), "job.not_found")
	if err == nil && s.tx == nil {
		s.db.enqueued()
	}
	return err
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

package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/stdlib"
	gormpg "gorm.io/driver/postgres"
	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/migrations"
)

// postgres is the database that several machines share.
type postgres struct{ config *pgx.ConnConfig }

func openPostgres(ctx context.Context, address string, o options) (*DB, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		// The cause repeats the address, and with it perhaps the password.
		return nil, fault.New(fault.Invalid, "database.bad_url")
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 5 * time.Second
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "banyan"
	}
	d := postgres{config: config}
	conns := o.conns
	if conns <= 0 {
		conns = 16
	}
	pool := stdlib.OpenDB(*config)
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	if err := pool.PingContext(ctx); err != nil {
		_ = pool.Close()
		return nil, d.unreachable(err)
	}
	return &DB{dialect: d, writes: pool, reads: pool}, nil
}

func (d postgres) unreachable(err error) error {
	key := "database.unreachable"
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "28P01", "28000":
			key = "database.sign_in_refused"
		case "3D000":
			key = "database.absent"
		}
	}
	return fault.Wrap(fault.Unavailable, key, err).
		With("Host", d.config.Host).With("Database", d.config.Database).With("User", d.config.User)
}

func (d postgres) name() migrations.Dialect { return migrations.Postgres }

func (d postgres) gorm(pool gorm.ConnPool) gorm.Dialector {
	return gormpg.New(gormpg.Config{Conn: pool})
}

func (d postgres) openMigrator() *sql.DB { return stdlib.OpenDB(*d.config) }

func (d postgres) trouble(err error) trouble {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "23505":
			if e.ConstraintName == "statements_id" { // the other one is there by now
				return rolled
			}
			return duplicate
		case "23503":
			return dangling
		case "23514", "23502", "22003", "22P02", "54000":
			return refused
		case "22021", "22P05":
			return badText
		case "40001", "40P01":
			return rolled
		case "55P03", "57014":
			return busy
		case "53100":
			return full
		case "42P01":
			return noTable
		case "57P01", "57P02", "57P03", "53300", "25P03":
			return lost
		}
		if strings.HasPrefix(e.Code, "08") {
			return lost
		}
		return unknown
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
		return lost
	}
	return unknown
}

// repeats goes by the name of the constraint: table_column, see migrations.
func (d postgres) repeats(err error, table, column string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505" && e.ConstraintName == table+"_"+column
}

func (d postgres) absent(err error, column string) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23502" && e.ColumnName == column
}

func (d postgres) locked() string { return " FOR NO KEY UPDATE" }

func (d postgres) now() any { return gorm.Expr("now()") }

// claim skips what another claimer has locked. The row is judged again once it
// is locked, so a job that was hidden meanwhile is not taken twice. MATERIALIZED,
// lest the planner runs the choice once a row and takes more than limit.
func (d postgres) claim(ctx context.Context, pool gorm.ConnPool, t taking) ([]outboxRow, error) {
	set := ""
	if t.begin {
		set = ", " + begins("now()")
	}
	return query(ctx, pool, scanJob, `WITH due AS MATERIALIZED (
			SELECT id AS due FROM outbox WHERE done_at IS NULL AND parked_at IS NULL AND available_at <= now() AND priority <= $3
			ORDER BY priority, id LIMIT $1 FOR UPDATE SKIP LOCKED)
		UPDATE outbox SET available_at = now() + make_interval(secs => $2)`+set+` FROM due WHERE id = due
		RETURNING `+jobColumns, t.limit, t.visibility.Seconds(), t.most)
}

func (d postgres) begin(ctx context.Context, pool gorm.ConnPool, id key) ([]outboxRow, error) {
	return query(ctx, pool, scanJob, `UPDATE outbox SET `+begins("now()")+`
		WHERE id = $1 AND done_at IS NULL AND parked_at IS NULL RETURNING `+jobColumns, id)
}

// recover changes nothing: whose claim it is nobody can tell, for others work on the same database.
func (d postgres) recover(context.Context, gorm.ConnPool, string) (int64, error) { return 0, nil }

// appendStatements sends the whole batch as twelve arrays, in one round trip and
// with one plan whatever the size of the batch. GORM would build, parse and plan
// a statement of its own for each size, which costs more than the insert.
func (d postgres) appendStatements(ctx context.Context, pool gorm.ConnPool, user key, newest int64, rows []statementRow) ([]string, error) {
	n := len(rows)
	id, enrollment, institution, device := make(uuids, n), make(uuids, n), make(uuids, n), make(uuids, n)
	verb, object, result := make([]string, n), make([]string, n), make([]string, n)
	at, received := make(instants, n), make(instants, n)
	epoch, sequence := make([]*int32, n), make([]*int32, n)
	for i := range rows {
		r := &rows[i]
		var ok [4]bool
		id[i], ok[0] = binary(r.ID)
		enrollment[i], ok[1] = binary(r.EnrollmentID)
		institution[i], ok[2] = binary(r.InstitutionID)
		if ok[3] = r.Device == nil; !ok[3] {
			device[i], ok[3] = binary(*r.Device)
		}
		if ok != [4]bool{true, true, true, true} {
			return nil, errBadKey
		}
		if err := checkText(r.Verb, r.ObjectID, r.Result); err != nil {
			return nil, err
		}
		verb[i], object[i], result[i] = r.Verb, r.ObjectID, r.Result
		at[i], received[i] = stamp(r.At), stamp(r.ReceivedAt)
		epoch[i], sequence[i] = r.Epoch, r.Sequence
	}
	return query(ctx, pool, scanText, `WITH fresh AS (
			SELECT d.*, row_number() OVER (ORDER BY d.n) AS place
			FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::json[], $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::int4[], $13::int4[])
				WITH ORDINALITY AS d (id, enrollment, institution, verb, object, result, at, received, device, epoch, sequence, n)
			WHERE NOT EXISTS (SELECT FROM statements s WHERE s.id = d.id)
		), counted AS (
			UPDATE learner_arrivals SET newest = $2 + (SELECT count(*) FROM fresh) WHERE user_id = $1 AND EXISTS (SELECT FROM fresh)
		)
		INSERT INTO statements (id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at, arrival, device, epoch, sequence)
		SELECT id, enrollment, $1, institution, verb, object, result, at, received, $2 + place, device, epoch, sequence FROM fresh
		RETURNING id`,
		user, newest, id, enrollment, institution, verb, object, result, at, received, device, epoch, sequence)
}

func (d postgres) mergeProgress(ctx context.Context, pool gorm.ConnPool, rows []progressRow) error {
	n := len(rows)
	enrollment, object := make(uuids, n), make([]string, n)
	started, completed := make([]bool, n), make([]bool, n)
	score, attempts, updated := make([]*float64, n), make([]int32, n), make(instants, n)
	for i := range rows {
		r := &rows[i]
		var ok bool
		if enrollment[i], ok = binary(r.EnrollmentID); !ok {
			return errBadKey
		}
		if err := checkText(r.ObjectID); err != nil {
			return err
		}
		object[i], started[i], completed[i] = r.ObjectID, r.Started, r.Completed
		score[i], attempts[i], updated[i] = r.Score, r.Attempts, stamp(r.UpdatedAt)
	}
	_, err := pool.ExecContext(ctx, `INSERT INTO progress
			(enrollment_id, institution_id, object_id, started, completed, score, attempts, updated_at)
		SELECT d.enrollment, (SELECT institution_id FROM enrollments WHERE id = d.enrollment),
			d.object, d.started, d.completed, d.score, d.attempts, d.updated
		FROM unnest($1::uuid[], $2::text[], $3::bool[], $4::bool[], $5::float8[], $6::int4[], $7::timestamptz[])
			AS d (enrollment, object, started, completed, score, attempts, updated)`+foldProgress,
		enrollment, object, started, completed, score, attempts, updated)
	return err
}

// uuids is an array of UUIDs that travel as 16 bytes each instead of 36.
type uuids = pgtype.FlatArray[pgtype.UUID]

// instants is an array of times; a zero one is NULL.
type instants = pgtype.FlatArray[pgtype.Timestamptz]

func stamp(i instant) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: moment(i.t), Valid: !i.t.IsZero()}
}

// binary gives a key as its bytes; false when it is no id.
func binary(k key) (u pgtype.UUID, ok bool) {
	if !k.valid() {
		return u, false
	}
	var digits [32]byte
	copy(digits[:8], k[:8])
	copy(digits[8:12], k[9:13])
	copy(digits[12:16], k[14:18])
	copy(digits[16:20], k[19:23])
	copy(digits[20:], k[24:])
	_, err := hex.Decode(u.Bytes[:], digits[:])
	u.Valid = true
	return u, err == nil
}

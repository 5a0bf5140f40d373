package store

import (
	"context"
	"database/sql"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// LockLearners implements learning.Store. Outside of a transaction it would hold nothing.
func (s *Learning) LockLearners(ctx context.Context, users ...identity.UserID) error {
	sorted := slices.Clone(users)
	slices.Sort(sorted)
	for _, u := range slices.Compact(sorted) {
		if _, err := s.lockLearner(ctx, key(u)); err != nil {
			return s.db.fail(err)
		}
	}
	return nil
}

// lockLearner makes other transactions that want the same learner wait, and tells the newest arrival.
func (c conn) lockLearner(ctx context.Context, user key) (int64, error) {
	// That nothing changes locks the row all the same, and makes it when there is none.
	newest, err := query(ctx, c.writePool(), scanCount, `INSERT INTO learner_arrivals (user_id, newest) VALUES ($1, 0)
		ON CONFLICT (user_id) DO UPDATE SET newest = learner_arrivals.newest RETURNING newest`, user)
	if err != nil {
		return 0, err
	}
	return newest[0], nil
}

func scanCount(rows *sql.Rows) (n int64, err error) {
	err = rows.Scan(&n)
	return n, err
}

// pageBytes is how much the results of one page may hold together.
const pageBytes = 1 << 20

// ListStatements implements learning.Store.
func (s *Learning) ListStatements(ctx context.Context, user identity.UserID, after int64, limit int) ([]learning.Statement, error) {
	if !key(user).valid() {
		return []learning.Statement{}, nil
	}
	// How long they are first: a learner may have written very much.
	sizes, err := query(ctx, s.readPool(), scanSize, `SELECT arrival, LENGTH(CAST(result AS TEXT)) FROM statements
		WHERE user_id = $1 AND arrival > $2 ORDER BY arrival LIMIT $3`, key(user), after, limit)
	if err != nil {
		return nil, s.db.fail(err)
	}
	last, total := after, 0
	for i, r := range sizes {
		if total += r.bytes; total > pageBytes && i > 0 {
			break
		}
		last = r.arrival
	}
	return s.statements(s.read(ctx).Where("user_id = ? AND arrival > ? AND arrival <= ?", key(user), after, last).Order("arrival"))
}

type sizeRow struct {
	arrival int64
	bytes   int
}

func scanSize(rows *sql.Rows) (r sizeRow, err error) {
	err = rows.Scan(&r.arrival, &r.bytes)
	return r, err
}

// CountArrived implements learning.Store.
func (s *Learning) CountArrived(ctx context.Context, user identity.UserID) (int64, error) {
	if !key(user).valid() {
		return 0, nil
	}
	ns, err := query(ctx, s.readPool(), scanCount, `SELECT newest FROM learner_arrivals WHERE user_id = $1`, key(user))
	if err != nil || len(ns) == 0 {
		return 0, s.db.fail(err)
	}
	return ns[0], nil
}

// FindArrived implements learning.Store.
func (s *Learning) FindArrived(ctx context.Context, user identity.UserID, arrival int64) (learning.Statement, error) {
	if !key(user).valid() {
		return learning.Statement{}, s.db.missing(gorm.ErrRecordNotFound, "request.not_found")
	}
	r, err := one[statementRow](s.conn, s.read(ctx).Omit("result").Where("user_id = ? AND arrival = ?", key(user), arrival), "request.not_found")
	if err != nil {
		return learning.Statement{}, err
	}
	return r.statement()
}

// FindEpoch implements learning.Store.
func (s *Learning) FindEpoch(ctx context.Context, user identity.UserID, device learning.DeviceID, number int) (learning.Epoch, int, error) {
	rows, err := query(ctx, s.readPool(), func(rows *sql.Rows) (e learning.Epoch, err error) {
		err = rows.Scan(&e.Number, &e.Known, &e.Highest)
		return e, err
	}, `SELECT epoch, known, highest FROM device_epochs WHERE user_id = $1 AND device = $2
		AND (epoch = $3 OR epoch = (SELECT MAX(epoch) FROM device_epochs WHERE user_id = $1 AND device = $2))`, key(user), key(device), number)
	e, last := learning.Epoch{Number: number}, 0
	for _, r := range rows {
		if r.Number == number {
			e = r
		}
		last = max(last, r.Number)
	}
	return e, last, s.db.fail(err)
}

// KeepEpoch implements learning.Store.
func (s *Learning) KeepEpoch(ctx context.Context, user identity.UserID, device learning.DeviceID, e learning.Epoch) error {
	if e.Number > 1 { // the learner's list of devices shows it
		_, err := s.writePool().ExecContext(ctx, `UPDATE devices SET epoch = $1 WHERE id = $2 AND user_id = $3 AND epoch < $1`,
			e.Number, key(device), key(user))
		if err != nil {
			return s.db.fail(err)
		}
	}
	_, err := s.writePool().ExecContext(ctx, `INSERT INTO device_epochs (user_id, device, epoch, known, highest) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (user_id, device, epoch) DO UPDATE SET known = excluded.known, highest = excluded.highest`,
		key(user), key(device), e.Number, e.Known, e.Highest)
	return s.db.fail(err)
}

// taken are the sequences of a device, whether their statements are kept or not.
const taken = `(SELECT user_id, device, epoch, sequence, id FROM statements WHERE device IS NOT NULL
	UNION ALL SELECT user_id, device, epoch, sequence, statement_id FROM device_receipts) AS taken`

type takenRow struct {
	Sequence int
	ID       *key
}

// ListTaken implements learning.Store.
func (s *Learning) ListTaken(ctx context.Context, user identity.UserID, device learning.DeviceID, epoch int, sequences []int) (map[int]learning.StatementID, error) {
	out := map[int]learning.StatementID{}
	for part := range slices.Chunk(sequences, rowsAtOnce) {
		rows, err := many(s.conn, s.read(ctx).Table(taken).Select("sequence, id").
			Where("user_id = ? AND device = ? AND epoch = ? AND sequence IN ?", key(user), key(device), epoch, part), func(r takenRow) takenRow { return r })
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.Sequence] = learning.StatementID(r.ID.text())
		}
	}
	return out, nil
}

// ListSequences implements learning.Store.
func (s *Learning) ListSequences(ctx context.Context, user identity.UserID, device learning.DeviceID, epoch, after, limit int) ([]int, error) {
	return many(s.conn, s.read(ctx).Table(taken).Select("sequence").
		Where("user_id = ? AND device = ? AND epoch = ? AND sequence > ?", key(user), key(device), epoch, after).Order("sequence").Limit(limit),
		func(r takenRow) int { return r.Sequence })
}

type receiptRow struct {
	UserID      key
	Device      key
	Epoch       int
	Sequence    int
	StatementID *key
}

func (receiptRow) TableName() string { return "device_receipts" }

// AddReceipts implements learning.Store.
func (s *Learning) AddReceipts(ctx context.Context, user identity.UserID, rs []learning.Receipt) error {
	if len(rs) == 0 {
		return nil
	}
	rows := make([]receiptRow, len(rs))
	for i, r := range rs {
		rows[i] = receiptRow{UserID: key(user), Device: key(r.Device), Epoch: r.Epoch, Sequence: r.Sequence, StatementID: maybeKey(r.ID)}
	}
	return s.db.fail(s.write(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error)
}

// FindReceipts implements learning.Store.
func (s *Learning) FindReceipts(ctx context.Context, user identity.UserID, device learning.DeviceID, ids []learning.StatementID) (map[learning.StatementID]learning.Stamp, error) {
	out := map[learning.StatementID]learning.Stamp{}
	rows, err := among(s.conn, keys(ids), func(part []key) *gorm.DB {
		return s.read(ctx).Where("user_id = ? AND device = ? AND statement_id IN ?", key(user), key(device), part)
	}, func(r receiptRow) receiptRow { return r })
	for _, r := range rows {
		id := learning.StatementID(r.StatementID.text())
		if b, ok := out[id]; !ok || b.Epoch < r.Epoch || b.Epoch == r.Epoch && b.Sequence < r.Sequence {
			out[id] = learning.Stamp{Device: device, Epoch: r.Epoch, Sequence: r.Sequence}
		}
	}
	return out, err
}

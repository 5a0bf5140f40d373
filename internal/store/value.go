package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/banyan-lms/banyan/internal/fault"
)

// guarded is the gate through which every value goes to SQL: times become UTC
// in whole microseconds, texts must be UTF-8 without NUL. Without it the two
// databases would differ: SQLite stores and compares a time in the zone that
// it is given, and Postgres refuses text that SQLite takes.
type guarded struct {
	gorm.ConnPool
	tx *tx // nil outside of transactions
}

// ExecContext implements gorm.ConnPool.
func (g guarded) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	res, err := g.ConnPool.ExecContext(ctx, query, args...)
	return res, g.note(err)
}

// QueryContext implements gorm.ConnPool.
func (g guarded) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := clean(args); err != nil {
		return nil, err
	}
	rows, err := g.ConnPool.QueryContext(ctx, query, args...)
	return rows, g.note(err)
}

// QueryRowContext implements gorm.ConnPool. A row cannot carry our fault, so it
// may not be used: Query does the same.
func (g guarded) QueryRowContext(context.Context, string, ...any) *sql.Row {
	panic("store: use Query instead of Row")
}

// note remembers that a statement failed. Postgres rolls such a transaction
// back whatever follows; SQLite would commit the rest. Ours are rolled back on both.
func (g guarded) note(err error) error {
	if err != nil && g.tx != nil && g.tx.broken == nil {
		g.tx.broken = err
	}
	return err
}

func clean(args []any) error {
	for i, a := range args {
		v, err := cleaned(a)
		if err != nil {
			return err
		}
		args[i] = v
	}
	return nil
}

func cleaned(a any) (any, error) {
	switch v := a.(type) {
	case nil, bool, int, int64, float64, []byte:
		return a, nil
	case string:
		return v, checkText(v)
	case time.Time:
		return moment(v), nil
	case driver.Valuer:
		if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
			return nil, nil
		}
		plain, err := v.Value()
		if err != nil {
			return nil, err
		}
		return cleaned(plain)
	}
	switch rv := reflect.ValueOf(a); rv.Kind() {
	case reflect.String:
		return rv.String(), checkText(rv.String())
	case reflect.Pointer:
		if rv.IsNil() {
			return nil, nil
		}
		return cleaned(rv.Elem().Interface())
	}
	return a, nil
}

// checkText refuses what Postgres cannot store, on both databases.
func checkText(texts ...string) error {
	for _, s := range texts {
		if strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s) {
			return fault.New(fault.Invalid, "database.bad_text")
		}
	}
	return nil
}

func moment(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// key is a UUID in its canonical form, lower case. Postgres has a type for it
// and SQLite has not; this makes them agree on what is no id at all.
type key string

var errBadKey = fault.New(fault.Invalid, "database.bad_id")

// Value implements driver.Valuer.
func (k key) Value() (driver.Value, error) {
	if !k.valid() {
		return nil, errBadKey
	}
	return string(k), nil
}

func (k key) valid() bool {
	if len(k) != 36 {
		return false
	}
	for i := range len(k) {
		switch c := k[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// maybeKey is NULL for "".
func maybeKey[ID ~string](id ID) *key {
	if id == "" {
		return nil
	}
	k := key(id)
	return &k
}

// text gives the id, "" for NULL.
func (k *key) text() string {
	if k == nil {
		return ""
	}
	return string(*k)
}

// keys turns typed ids into keys and leaves out what is no id: nothing has it.
func keys[ID ~string](ids []ID) []key {
	out := make([]key, 0, len(ids))
	for _, id := range ids {
		if k := key(id); k.valid() {
			out = append(out, k)
		}
	}
	return out
}

// instant is a time in UTC; its zero value is NULL.
type instant struct{ t time.Time }

func at(t time.Time) instant { return instant{t} }

func maybeAt(t *time.Time) instant {
	if t == nil {
		return instant{}
	}
	return instant{*t}
}

func (i instant) pointer() *time.Time {
	if i.t.IsZero() {
		return nil
	}
	return &i.t
}

// Value implements driver.Valuer.
func (i instant) Value() (driver.Value, error) {
	if i.t.IsZero() {
		return nil, nil
	}
	return moment(i.t), nil
}

// Scan implements sql.Scanner.
func (i *instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*i = instant{}
	case time.Time:
		i.t = v.UTC()
	case string: // an expression in SQLite has no declared type
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			return err
		}
		i.t = t.UTC()
	default:
		return fmt.Errorf("a time, not %T", src)
	}
	return nil
}

// doc is a value that is stored as JSON text. Check the texts in it with
// checkText before: encoding/json would mend bad UTF-8 silently.
type doc[T any] struct{ v T }

// Value implements driver.Valuer.
func (d doc[T]) Value() (driver.Value, error) {
	raw, err := json.Marshal(d.v)
	return string(raw), err
}

// Scan implements sql.Scanner.
func (d *doc[T]) Scan(src any) error {
	var v T
	d.v = v
	switch raw := src.(type) {
	case string:
		return json.Unmarshal([]byte(raw), &d.v)
	case []byte:
		return json.Unmarshal(raw, &d.v)
	}
	return fmt.Errorf("JSON, not %T", src)
}

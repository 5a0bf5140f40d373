package store_test

import (
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/migrations"
)

// Statements that were stored before they had arrivals get theirs in the order in which they were received, and nothing is lost on the way back.
func TestStatementsGetArrivals(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		ctx := t.Context()
		dialect, words := migrations.SQLite, goose.DialectSQLite3
		if strings.HasPrefix(url, "postgres") {
			dialect, words = migrations.Postgres, goose.DialectPostgres
		}
		db := raw(t, url)
		p, err := goose.NewProvider(words, db, migrations.For(dialect), goose.WithAllowOutofOrder(true))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(ctx, 10); err != nil {
			t.Fatal(err)
		}
		id := func(n string) string { return "01950000-0000-7000-8000-0000000000" + n }
		amina, badru := id("a1"), id("b1")
		add := func(n, user, received string) {
			exec(t, db, `INSERT INTO statements (id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at) VALUES ('`+
				id(n)+`', '`+id("e1")+`', '`+user+`', '`+id("c1")+`', 'started', 'lesson', '{}', '2026-03-01T12:00:00Z', '2026-03-0`+received+`T12:00:00.000000Z')`)
		}
		add("01", amina, "3")
		add("02", amina, "1")
		add("03", badru, "2")
		add("05", amina, "2")
		add("04", amina, "2")
		if _, err := p.Up(ctx); err != nil {
			t.Fatal(err)
		}
		s, err := store.Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		list, err := s.Learning().ListStatements(ctx, identity.UserID(amina), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for i, st := range list {
			got += string(st.ID[34:]) + " "
			if st.Arrival != int64(i+1) || st.Device != "" {
				t.Errorf("%+v", st)
			}
		}
		if got != "02 04 05 01 " {
			t.Errorf("in the order %s", got)
		}
		if n, err := s.Learning().CountArrived(ctx, identity.UserID(badru)); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if _, err := p.DownTo(ctx, 12); err != nil {
			t.Fatal(err)
		}
		if n := column(t, db, `SELECT CAST(count(*) AS TEXT) FROM statements`); n[0] != "5" {
			t.Errorf("%s statements are left", n[0])
		}
		if _, err := p.Up(ctx); err != nil {
			t.Error(err)
		}
	})
}

package store_test

import (
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/migrations"
)

// Verdicts that were stored before they had revisions are the first ones, of the version that was handed in for, and in force.
func TestVerdictsGetRevisions(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		ctx := t.Context()
		dialect, words := migrations.SQLite, goose.DialectSQLite3
		if strings.HasPrefix(url, "postgres") {
			dialect, words = migrations.Postgres, goose.DialectPostgres
		}
		db := raw(t, url)
		p, err := goose.NewProvider(words, db, migrations.For(dialect))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.UpTo(ctx, 6); err != nil {
			t.Fatal(err)
		}
		id := func(n string) string { return "01950000-0000-7000-8000-00000000000" + n }
		const at = "'2026-03-01T12:00:00.123456Z'"
		exec(t, db, `INSERT INTO institutions VALUES ('`+id("1")+`', 'north', 'North', `+at+`)`)
		exec(t, db, `INSERT INTO users VALUES ('`+id("2")+`', 'amina', 'Amina', '', false, '', `+at+`)`)
		exec(t, db, `INSERT INTO courses VALUES ('sums', '`+id("1")+`')`)
		exec(t, db, `INSERT INTO course_versions VALUES ('`+id("3")+`', 'sums', '`+id("1")+`', 1, 'd', '{}', `+at+`)`)
		exec(t, db, `INSERT INTO enrollments VALUES ('`+id("4")+`', '`+id("2")+`', '`+id("1")+`', 'sums', '`+id("3")+`', `+at+`)`)
		for _, n := range []string{"5", "6"} {
			exec(t, db, `INSERT INTO submissions VALUES ('`+id(n)+`', '`+id("4")+`', '`+id("2")+`', '`+id("1")+`', 'sum', '`+id("3")+`', '{}', 'en', `+at+`)`)
		}
		exec(t, db, `INSERT INTO verdicts VALUES ('`+id("5")+`', '`+id("4")+`', '`+id("1")+`', 'sum', 'partial', 1, 0.5,
			'[{"id":"a","passed":true}]', '', '', 'out', 'r', 7, 8, `+at+`)`)
		exec(t, db, `INSERT INTO outbox (id, kind, payload, created_at, available_at) VALUES ('`+id("7")+`', 'lab.grade', '{}', `+at+`, `+at+`)`)

		if err := p.Close(); err != nil { // and with it the handle: SQLite has one writer
			t.Fatal(err)
		}
		s := migrated(t, url)
		v, err := s.Lab().FindVerdict(ctx, lab.SubmissionID(id("5")))
		if err != nil || v.Revision != 1 || string(v.VersionID) != id("3") || v.Outcome != lab.Partial || v.Attempt != 1 || v.Score != 0.5 ||
			len(v.Checks) != 1 || v.Output != "out" || v.CPUMS != 8 || v.CreatedAt.Nanosecond() != 123456000 {
			t.Fatalf("%+v, %v", v, err)
		}
		if n, err := s.Lab().CountAttempts(ctx, "01950000-0000-7000-8000-000000000004", "sum"); err != nil || n != 1 {
			t.Errorf("%d attempts, %v", n, err)
		}
		next := lab.Verdict{SubmissionID: v.SubmissionID, Revision: 2, Outcome: lab.Passed, Attempt: 1, Score: 1, VersionID: v.VersionID, CreatedAt: v.CreatedAt}
		if err := s.Lab().ReviseVerdict(ctx, next); err != nil {
			t.Error(err)
		}
		if j, live, err := s.Outbox().Begin(ctx, "01950000-0000-7000-8000-000000000007"); err != nil || !live || j.Attempt != 1 {
			t.Errorf("a job of before: %+v, %v, %v", j, live, err)
		}
	})
}

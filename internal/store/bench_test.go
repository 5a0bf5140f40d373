package store_test

import (
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// cpu reports processor time of this process an operation: on a busy machine it is steadier than the clock.
func cpu(b *testing.B) func() {
	used := func() time.Duration {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

func bothBench(b *testing.B, run func(b *testing.B, db *store.DB, e learning.Enrollment)) {
	for name, url := range map[string]string{"sqlite": filepath.Join(b.TempDir(), "banyan.db"), "postgres": storetest.Postgres(b)} {
		b.Run(name, func(b *testing.B) {
			db := migrated(b, url)
			run(b, db, enrollment(b, db))
		})
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func enrollment(tb testing.TB, db *store.DB) learning.Enrollment {
	tb.Helper()
	ctx, in := tb.Context(), school()
	u := identity.User{ID: identity.UserID(newID()), Username: newID(), CreatedAt: time.Now()}
	v := curriculum.Version{ID: curriculum.VersionID(newID()), CourseID: curriculum.CourseID("c" + newID()), InstitutionID: string(in.ID), PublishedAt: time.Now()}
	e := learning.Enrollment{
		ID: learning.EnrollmentID(newID()), UserID: u.ID, InstitutionID: in.ID, CourseID: v.CourseID, VersionID: v.ID, CreatedAt: time.Now(),
	}
	_, _, err := db.Curriculum().CreateVersion(ctx, v)
	if err == nil {
		tb.Fatal("a course of no institution")
	}
	if err := db.Institution().CreateInstitution(ctx, in); err != nil {
		tb.Fatal(err)
	}
	if _, _, err := db.Curriculum().CreateVersion(ctx, v); err != nil {
		tb.Fatal(err)
	}
	if err := db.Identity().CreateUser(ctx, u, "", []identity.Membership{{InstitutionID: in.ID, Role: identity.Learner}}); err != nil {
		tb.Fatal(err)
	}
	if err := db.Learning().CreateEnrollment(ctx, e); err != nil {
		tb.Fatal(err)
	}
	return e
}

// batch is 100 statements about ten lessons.
func batch(e learning.Enrollment) ([]learning.Statement, []learning.Progress) {
	now := time.Now()
	sts := make([]learning.Statement, 100)
	for i := range sts {
		sts[i] = learning.Statement{
			ID: learning.StatementID(newID()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
			Verb: learning.Started, ObjectID: curriculum.ContentID("lesson-" + string(rune('a'+i%10))), At: now, ReceivedAt: now,
		}
	}
	return sts, learning.Fold(sts)
}

func BenchmarkFindEnrollment(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB, e learning.Enrollment) {
		s := db.Learning()
		defer cpu(b)()
		for b.Loop() {
			if _, err := s.FindEnrollment(b.Context(), e.ID); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkFindSession(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB, e learning.Enrollment) {
		s := db.Identity()
		now := time.Now()
		if err := s.CreateSession(b.Context(), identity.Session{ID: identity.SessionID(newID()), UserID: e.UserID, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour)}, "h"); err != nil {
			b.Fatal(err)
		}
		defer cpu(b)()
		for b.Loop() {
			if _, _, _, err := s.FindSession(b.Context(), "h", now); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkAppend is what a batch of 100 costs: the statements and their progress, in one transaction.
func BenchmarkAppend(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB, e learning.Enrollment) {
		defer cpu(b)()
		for b.Loop() {
			sts, ps := batch(e)
			err := db.Learning().InTx(b.Context(), func(tx learning.Store) error {
				if _, err := tx.AppendStatements(b.Context(), sts); err != nil {
					return err
				}
				return tx.MergeProgress(b.Context(), ps)
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}

// BenchmarkAppendRaw is what to compare with: the same rows by pgx alone, without progress.
func BenchmarkAppendRaw(b *testing.B) {
	url := storetest.Postgres(b)
	e := enrollment(b, migrated(b, url))
	pool, err := pgxpool.New(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	defer cpu(b)()
	for b.Loop() {
		sts, _ := batch(e)
		id, en, us, in := make([]string, 100), make([]string, 100), make([]string, 100), make([]string, 100)
		verb, object, result := make([]string, 100), make([]string, 100), make([]string, 100)
		at, received := make([]time.Time, 100), make([]time.Time, 100)
		for i, st := range sts {
			id[i], en[i], us[i], in[i] = string(st.ID), string(st.EnrollmentID), string(st.UserID), string(st.InstitutionID)
			verb[i], object[i], result[i], at[i], received[i] = string(st.Verb), string(st.ObjectID), "{}", st.At, st.ReceivedAt
		}
		rows, err := pool.Query(b.Context(), `INSERT INTO statements (id, enrollment_id, user_id, institution_id, verb, object_id, result, at, received_at)
			SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::json[], $8::timestamptz[], $9::timestamptz[])
			ON CONFLICT (id) DO NOTHING RETURNING id::text`, id, en, us, in, verb, object, result, at, received)
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if err := rows.Err(); err != nil || n != 100 {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkIdle reports the memory of a program that has opened SQLite and answered with every reader.
func BenchmarkIdle(b *testing.B) {
	db := migrated(b, filepath.Join(b.TempDir(), "banyan.db"))
	e := enrollment(b, db)
	done := make(chan error)
	for range 16 {
		go func() {
			_, err := db.Learning().FindEnrollment(b.Context(), e.ID)
			done <- err
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() { // nothing to do: the memory is the figure
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.Sys)/(1<<20), "MiB")
}

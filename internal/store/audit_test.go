package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

// Who changes the rows behind our back is found out by number.
func TestTamperedAudit(t *testing.T) {
	both(t, func(t *testing.T, url string) {
		ctx := t.Context()
		db, err := store.Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		in := newID()
		for i := range 6 {
			if err := db.Credential().Audit(ctx, audit.New(in, "", time.Now(), audit.KeyRotated, map[string]any{"i": i})); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil { // SQLite has one writer
			t.Fatal(err)
		}
		check := func(want audit.Head) []string {
			t.Helper()
			db, err := store.Open(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			_, found, err := institution.VerifyAudit(ctx, db.Audits(), in, want)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, f := range found {
				out = append(out, fmt.Sprint(f.N, " ", f.Flaw))
			}
			return out
		}
		tamper := func(query string) {
			t.Helper()
			db := raw(t, url)
			exec(t, db, query)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
		where := ` WHERE institution_id = '` + in + `' AND n = `
		if got := check(audit.Head{}); got != nil {
			t.Errorf("untouched: %v", got)
		}
		tamper(`UPDATE audit_entries SET data = '{"i":9}'` + where + `2`)
		if got := check(audit.Head{}); !slices.Equal(got, []string{"2 changed"}) {
			t.Errorf("changed: %v", got)
		}
		tamper(`DELETE FROM audit_entries` + where + `4`)
		if got := check(audit.Head{}); !slices.Equal(got, []string{"2 changed", "4 missing"}) {
			t.Errorf("and removed: %v", got)
		}
		tamper(`UPDATE audit_entries SET data = '{"i":1}'` + where + `2`)
		tamper(`DELETE FROM audit_entries` + where + `6`)
		if got := check(audit.Head{}); !slices.Equal(got, []string{"4 missing", "6 short"}) {
			t.Errorf("and cut off: %v", got)
		}
		if got := check(audit.Head{N: 1, Hash: audit.Zero}); !slices.Equal(got, []string{"1 head", "4 missing", "6 short"}) {
			t.Errorf("with a head of before: %v", got)
		}
	})
}

// An entry costs three statements in the transaction of its act.
func BenchmarkAudit(b *testing.B) {
	bothBench(b, func(b *testing.B, db *store.DB, e learning.Enrollment) {
		defer cpu(b)()
		for b.Loop() {
			entry := audit.New(e.InstitutionID, e.UserID, time.Now(), audit.CredentialIssued, map[string]any{"credential": string(e.ID), "course": string(e.CourseID)})
			if err := db.Credential().Audit(b.Context(), entry); err != nil {
				b.Fatal(err)
			}
		}
	})
}

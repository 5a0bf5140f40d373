package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// What a process had claimed when it was killed is due at the next start, where
// no other can be at work; what waits for its next try keeps waiting.
func TestRecover(t *testing.T) {
	tests := []struct {
		name string
		url  func(t *testing.T) string
		want int64
	}{
		{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "banyan.db") }, 1},
		{"Postgres", func(t *testing.T) string { return storetest.Postgres(t) }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx := t.Context()
			db, err := store.Open(ctx, tt.url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() })
			if err := db.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			o := db.Outbox()
			var ids []job.ID
			for range 4 {
				j := job.Job{ID: job.ID(uuid.Must(uuid.NewV7()).String()), Kind: "test.kind", Payload: []byte(`{}`)}
				if err := db.Lab().Enqueue(ctx, j); err != nil {
					t.Fatal(err)
				}
				ids = append(ids, j.ID)
			}
			claim := func(n int) []job.Job {
				t.Helper()
				jobs, err := o.Start(ctx, job.Housekeeping, 10, time.Hour)
				if err != nil || len(jobs) != n {
					t.Fatalf("claimed %v, %v, want %d", jobs, err, n)
				}
				return jobs
			}
			claim(4)
			if first, err := db.Lab().FinishJob(ctx, ids[0]); err != nil || !first {
				t.Fatal(first, err)
			}
			if err := o.Retry(ctx, ids[1], time.Now().Add(time.Hour), "later"); err != nil {
				t.Fatal(err)
			}
			if err := o.Park(ctx, ids[2], "never"); err != nil {
				t.Fatal(err)
			}
			n, err := o.Recover(ctx)
			if err != nil || n != tt.want {
				t.Fatalf("recovered %d, %v, want %d", n, err, tt.want)
			}
			jobs := claim(int(tt.want))
			if len(jobs) > 0 && (jobs[0].ID != ids[3] || jobs[0].Attempt != 2) {
				t.Errorf("due again: %+v, want the second try of %s", jobs[0], ids[3])
			}
			// A second crash with the same job: it waits for its claim, lest it takes us down at every start.
			if n, err := o.Recover(ctx); err != nil || n != 0 {
				t.Errorf("recovered %d again, %v", n, err)
			}
		})
	}
}

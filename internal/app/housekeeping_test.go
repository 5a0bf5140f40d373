package app_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// Jobs that were done long ago are forgotten, once a day, on either database; what is parked or waits stays.
func TestOldJobsAreForgotten(t *testing.T) {
	for _, tt := range []struct {
		name string
		url  func(t *testing.T) string
	}{
		{"SQLite", func(t *testing.T) string { return filepath.Join(t.TempDir(), "banyan.db") }},
		{"Postgres", func(t *testing.T) string { return storetest.Postgres(t) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx := t.Context()
			cfg := config.Config{DataDir: t.TempDir(), DatabaseURL: tt.url(t), Sandbox: "fake", Listen: "127.0.0.1:0"}
			cfg.Defaults()
			if cfg.KeepJobs != 30 {
				t.Errorf("jobs are kept for %d days", cfg.KeepJobs)
			}
			a, err := app.New(ctx, cfg)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = a.Close() })
			if err := a.DB.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			table, err := a.Jobs()
			if err != nil {
				t.Fatal(err)
			}
			out := a.DB.Outbox()
			add := func(done time.Duration, end func(id job.ID) error) job.ID {
				t.Helper()
				j := job.Job{ID: job.ID(uuid.Must(uuid.NewV7()).String()), Kind: "test.kind", Payload: []byte(`{}`)}
				if _, err := out.Ensure(ctx, j); err != nil {
					t.Fatal(err)
				}
				if err := end(j.ID); err != nil {
					t.Fatal(err)
				}
				if done > 0 {
					if err := storetest.Backdate(ctx, cfg.DatabaseURL, string(j.ID), time.Now().Add(-done)); err != nil {
						t.Fatal(err)
					}
				}
				return j.ID
			}
			finish := func(id job.ID) error { _, err := out.FinishJob(ctx, id); return err }
			const day = 24 * time.Hour
			old, fresh := add(31*day, finish), add(29*day, finish)
			parked := add(0, func(id job.ID) error { return out.Park(ctx, id, "oh") })
			waiting := add(0, func(job.ID) error { return nil })

			for range 3 { // several processes ask, and one job comes of it
				soon, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
				a.Housekeeping(soon)
				cancel()
			}
			jobs, err := out.Start(ctx, job.Housekeeping, 10, time.Hour)
			if err != nil || len(jobs) != 2 || jobs[0].ID != waiting || jobs[1].Priority != job.Housekeeping {
				t.Fatalf("due: %+v, %v", jobs, err)
			}
			if err := table.Try(ctx, out, time.Now, jobs[1]); err != nil {
				t.Fatal(err)
			}
			if _, live, err := out.Begin(ctx, jobs[1].ID); err != nil || live {
				t.Errorf("the purge is not done: %v", err)
			}
			for id, want := range map[job.ID]bool{old: true, fresh: false, parked: false, waiting: false} {
				// What is forgotten can be asked for anew.
				created, err := out.Ensure(ctx, job.Job{ID: id, Kind: "test.kind", Payload: []byte(`{}`)})
				if err != nil || created != want {
					t.Errorf("forgotten %v, want %v: %v", created, want, err)
				}
			}
		})
	}
}

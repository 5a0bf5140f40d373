package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/banyan-lms/banyan/internal/job"
)

// purgeKind is the job that forgets jobs which were done long ago.
const purgeKind job.Kind = "outbox.purge"

// purgeAtOnce keeps each transaction short: SQLite has one writer.
const purgeAtOnce = 500

// Housekeeping asks for what is to be done once a day, until ctx ends. Every process that does jobs runs it.
func (a *App) Housekeeping(ctx context.Context) {
	job.Daily(ctx, a.DB.Outbox(), a.Now, purgeKind)
}

// purge implements job.Handler for purgeKind.
func (a *App) purge(ctx context.Context, j job.Job) error {
	before := a.Now().Add(-time.Duration(a.Config.KeepJobs) * 24 * time.Hour)
	all := int64(0)
	for {
		n, err := a.DB.Outbox().Purge(ctx, before, purgeAtOnce)
		if err != nil {
			return err
		}
		if all += n; n < purgeAtOnce {
			break
		}
	}
	slog.InfoContext(ctx, "forgot jobs that were done long ago", "jobs", all, "days", a.Config.KeepJobs)
	_, err := a.DB.Outbox().FinishJob(ctx, j.ID)
	return err
}

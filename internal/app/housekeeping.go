package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// purgeKind is the job that forgets jobs which were done long ago.
const purgeKind job.Kind = "outbox.purge"

// purgeAtOnce keeps each transaction short: SQLite has one writer.
const purgeAtOnce = 500

// What is remembered of status lists of other hosts: those of credentials that somebody still shows, some 20 MB at most.
const (
	keepSeen = 400 * 24 * time.Hour
	mostSeen = 50_000
)

// Domains of institutions are looked at again, so that the console warns of one that was lost.
const (
	recheckDomains = 7 * 24 * time.Hour
	mostDomains    = 50 // in one run: each may take some seconds
)

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
	for {
		n, err := a.DB.SeenLists().Purge(ctx, a.Now().Add(-keepSeen), mostSeen, purgeAtOnce)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if err := a.Institution.RecheckDomains(ctx, a.Now().Add(-recheckDomains), mostDomains); err != nil {
		return err
	}
	// Blobs of imported courses that no version names any more. While an import runs it is another day's work.
	freed, err := a.Shelf.Collect(ctx, identity.System())
	if err != nil && !fault.Is(err, fault.Conflict) {
		return err
	}
	if freed.Blobs > 0 {
		slog.InfoContext(ctx, "deleted blobs of bundles that nothing names any more", "blobs", freed.Blobs, "bytes", freed.Bytes)
	}
	_, err = a.DB.Outbox().FinishJob(ctx, j.ID)
	return err
}

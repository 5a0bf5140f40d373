package app

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Schema brings the schema in step where that is ours to do: an embedded
// database belongs to this process alone and is migrated; a Postgres is shared, so an operator migrates
// it, and one that is behind is a fault. One that is newer than the program is always a fault.
func (a *App) Schema(ctx context.Context) error {
	if !strings.HasPrefix(a.Config.DatabaseURL, "postgres") {
		return a.DB.Migrate(ctx)
	}
	have, want, err := a.DB.Version(ctx)
	if err != nil {
		return err
	}
	if have < want {
		return fault.New(fault.Conflict, "database.behind").With("Have", have).With("Want", want)
	}
	if have > want {
		return fault.New(fault.Conflict, "database.newer").With("Have", have).With("Want", want)
	}
	return nil
}

// Log sets up the log of the process.
func Log(cfg config.Config) {
	level := slog.LevelInfo
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // config has checked it
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(os.Stderr, opts)
	if cfg.LogFormat == "json" {
		h = slog.NewJSONHandler(os.Stderr, opts)
	}
	slog.SetDefault(slog.New(h))
}

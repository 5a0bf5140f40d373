package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// checked is an engine that can tell what keeps programs in.
type checked interface {
	Check(ctx context.Context) (sandbox.Report, error)
}

// CheckSandbox looks which walls stand around programs and writes it to the log. It belongs
// behind Jobs and before the first job. Where walls are required it waits, and one that is
// missing is an error; where none are, it looks in the background and warns.
func (a *App) CheckSandbox(ctx context.Context) error {
	engine, ok := a.engine.(checked)
	if !ok {
		return nil
	}
	required, err := a.Config.Walls(sandbox.Walls)
	if err != nil {
		return err
	}
	if len(required) > 0 {
		return report(ctx, engine)
	}
	go func() {
		if err := report(ctx, engine); err != nil && !errors.Is(err, sandbox.ErrClosed) && ctx.Err() == nil {
			slog.ErrorContext(ctx, "labs cannot be graded now", "err", err)
		}
	}()
	return nil
}

func report(ctx context.Context, engine checked) error {
	r, err := engine.Check(ctx)
	if errors.Is(err, sandbox.ErrWallMissing) {
		return fmt.Errorf("%w. Labs run code of strangers: mend this, or name in BANYAN_SANDBOX_REQUIRE the walls that shall do", err)
	}
	if err != nil {
		return err
	}
	level := slog.LevelInfo
	if r.Missing() != "" {
		level = slog.LevelWarn
	}
	slog.Log(ctx, level, "sandbox: "+r.String())
	return nil
}

package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// engine is a sandbox that runs nothing and tells what the test says.
type engine struct {
	sandbox.Fake
	report sandbox.Report
	err    error
}

func (e *engine) Check(context.Context) (sandbox.Report, error) { return e.report, e.err }

func TestCheckSandbox(t *testing.T) {
	whole := sandbox.Report{Snapshot: true, Walls: []sandbox.Wall{{Name: "wasm", Stands: true}, {Name: "seccomp", Stands: true}}}
	holed := sandbox.Report{Walls: []sandbox.Wall{{Name: "wasm", Stands: true}, {Name: "landlock", Why: "kernel without it"}}}
	tests := []struct {
		name, require string
		engine        *engine
		log, fails    string
	}{
		{"all stand", "all", &engine{report: whole}, `level=INFO msg="sandbox: walls standing: wasm, seccomp"`, ""},
		{"one is missing and not required", "wasm", &engine{report: holed}, "level=WARN msg=\"sandbox: walls standing: wasm; missing: landlock (kernel without it); Python is the portable fallback", ""},
		{"one is missing and required", "landlock", &engine{err: fmt.Errorf("%w: landlock (kernel without it)", sandbox.ErrWallMissing)}, "", "landlock (kernel without it). Labs run code of strangers: mend this, or name in BANYAN_SANDBOX_REQUIRE"},
		{"no child starts", "all", &engine{err: errors.New("no child")}, "", "no child"},
		{"no such wall", "moat", &engine{report: whole}, "", `"moat" is none of`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			before := slog.Default()
			slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
			defer slog.SetDefault(before)
			err := (&App{engine: tt.engine, Config: config.Config{Require: tt.require}}).CheckSandbox(t.Context())
			if (err == nil) != (tt.fails == "") || err != nil && !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("%v, want %q", err, tt.fails)
			}
			if !strings.Contains(log.String(), tt.log) {
				t.Errorf("log %q, want %q", log.String(), tt.log)
			}
		})
	}
	if err := (&App{engine: &sandbox.Fake{}}).CheckSandbox(t.Context()); err != nil {
		t.Errorf("an engine that has no walls: %v", err)
	}
}

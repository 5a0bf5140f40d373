// Package sandbox runs code that we do not trust.
package sandbox

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Program is what to run: Python files in an in-memory file system, of which
// Main is started with Stdin. No directory of the host is ever mounted.
type Program struct {
	Files  map[string][]byte
	Main   string
	Stdin  []byte
	Limits Limits
}

// Limits cage one run. Zero fields take the ceilings of the engine.
type Limits struct {
	Wall   time.Duration
	Memory int64 // bytes of the guest's memory
	Output int64 // bytes of stdout and stderr together
}

// End says how a run ended.
type End string

// The ends. All but Exited were forced by a limit.
const (
	Exited   End = "exited"
	TimedOut End = "timed_out" // used up its time while it had the processor
	Flooded  End = "flooded"   // printed more than Limits.Output
	Memory   End = "memory"    // the guest died of its memory limit
)

// Result is what a run left behind.
type Result struct {
	End      End
	ExitCode int // with Exited
	Stdout   []byte
	Stderr   []byte
	Wall     time.Duration
	CPU      time.Duration
}

// Engine runs programs. An error means that the platform failed (no runtime,
// a child that died for no reason of the program, a machine too busy to give the
// program its time): never the learner's fault.
type Engine interface {
	Run(ctx context.Context, p Program) (Result, error)
	// Runtime is the digest of the interpreter, recorded in every verdict.
	Runtime() blob.Digest
	Close() error
}

// Package sandbox runs code that we do not trust.
package sandbox

import (
	"context"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Program is what to run: Python files in an in-memory file system, of which
// Main is started with Stdin. No directory of the host is ever mounted. The same
// program gives the same result on every machine: nothing that it can see of
// time and chance is the machine's.
type Program struct {
	Files  map[string][]byte // plain names; the program may change its own copy of them
	Main   string
	Stdin  []byte
	Limits Limits
	Seed   uint64    // of all its randomness; 0: DefaultSeed
	Clock  time.Time // where its clock starts, which moves a millisecond a look; zero: DefaultClock
}

// DefaultSeed is the seed of a program that names none.
const DefaultSeed uint64 = 20260101

// DefaultClock is where the clock of a program starts that names no time.
var DefaultClock = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Limits cage one run. Zero fields take the ceilings of the engine.
type Limits struct {
	Wall      time.Duration
	Memory    int64 // bytes of the guest's memory
	Output    int64 // bytes of stdout and stderr together
	Files     int   // files and folders that the program may have made at a time
	FileBytes int64 // bytes of all that the program has written and that is still there
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
	// Files are the plain-named files that the program made or changed at the top of its
	// file system, as they were at its end; with Exited alone.
	Files map[string][]byte
	Wall  time.Duration
	CPU   time.Duration
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

// Wall is one of the things that keep a program in, should the others give way.
type Wall struct {
	Name   string `json:"name"`
	Stands bool   `json:"stands"`
	Why    string `json:"why,omitempty"` // it does not
}

// Report is what an engine knows of itself.
type Report struct {
	Walls    []Wall // from the inside out
	Snapshot bool   // programs start in a running interpreter; else the portable runtime starts for each, slowly
}

// Standing names the walls that stand.
func (r Report) Standing() string {
	var names []string
	for _, w := range r.Walls {
		if w.Stands {
			names = append(names, w.Name)
		}
	}
	return strings.Join(names, ", ")
}

// Missing names the walls that do not stand, each with the reason; "" when there are none.
func (r Report) Missing() string {
	var names []string
	for _, w := range r.Walls {
		if !w.Stands {
			names = append(names, w.Name+" ("+w.Why+")")
		}
	}
	return strings.Join(names, ", ")
}

// String says it in one line, for the operator.
func (r Report) String() string {
	s := "walls standing: " + r.Standing()
	if m := r.Missing(); m != "" {
		s += "; missing: " + m
	}
	if !r.Snapshot {
		s += "; Python is the portable fallback, which starts slowly: make runtime builds the fast one"
	}
	return s
}

// Walls are the names of all walls, from the inside out.
var Walls = []string{"wasm", "no_new_privs", "rlimits", "uid", "landlock", "seccomp"}

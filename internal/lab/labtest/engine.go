package labtest

import (
	"context"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// EngineFunc is a sandbox that answers with a function.
type EngineFunc func(p sandbox.Program) (sandbox.Result, error)

// Run implements sandbox.Engine.
func (f EngineFunc) Run(_ context.Context, p sandbox.Program) (sandbox.Result, error) { return f(p) }

// Runtime implements sandbox.Engine.
func (f EngineFunc) Runtime() blob.Digest { return "sha256:test" }

// Close implements sandbox.Engine.
func (f EngineFunc) Close() error { return nil }

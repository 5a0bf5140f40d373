package lab_test

import (
	"context"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// engineFunc is an engine of a test's own.
type engineFunc func(p sandbox.Program) (sandbox.Result, error)

func (f engineFunc) Run(_ context.Context, p sandbox.Program) (sandbox.Result, error) { return f(p) }

func (f engineFunc) Runtime() blob.Digest { return "sha256:test" }

func (f engineFunc) Close() error { return nil }

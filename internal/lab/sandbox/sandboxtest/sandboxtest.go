// Package sandboxtest opens the real sandbox for tests.
package sandboxtest

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

// Root is the folder of the repository.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

// module is another runtime to test with: go test ./internal/lab/sandbox -runtime /path/to/python.wasm.
var module = flag.String("runtime", "", "path of python.wasm; what make runtime installs when empty")

// Config names the runtime that make runtime installs, and compiles it if
// that was not done yet. Without a runtime the test fails; it is not skipped.
func Config(tb testing.TB) sandbox.WASMConfig {
	tb.Helper()
	runtime := filepath.Join(Root(tb), "build", "runtime")
	cfg := sandbox.WASMConfig{
		Module:   filepath.Join(runtime, "python.wasm"),
		CacheDir: filepath.Join(runtime, "cache-of-tests"), // test binaries compile for themselves
		Children: 2,
	}
	if *module != "" {
		cfg.Module = *module
	}
	if err := sandbox.Prepare(context.Background(), cfg); err != nil {
		if errors.Is(err, sandbox.ErrNoRuntime) {
			tb.Fatal("no Python runtime: run make runtime")
		}
		tb.Fatal(err)
	}
	return cfg
}

// Open opens the engine for one test. The test's TestMain calls
// sandbox.RunChildIfAsked on its first line.
func Open(tb testing.TB) *sandbox.WASM {
	tb.Helper()
	return OpenWith(tb, Config(tb))
}

// OpenWith opens the engine with a configuration of the test's own.
func OpenWith(tb testing.TB, cfg sandbox.WASMConfig) *sandbox.WASM {
	tb.Helper()
	w, err := sandbox.NewWASM(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := w.Close(); err != nil {
			tb.Error(err)
		}
	})
	return w
}

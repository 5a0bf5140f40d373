package sandbox

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing/fstest"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"github.com/banyan-lms/banyan/internal/blob"
)

// preparedFormat changes when Prepare writes something else than before.
const preparedFormat = 1

// Prepare compiles the interpreter for this machine into cfg.CacheDir, which
// takes 4 to 12 s the first time and a fraction of a second when it is done.
// It belongs into an installation step: without it no child starts.
func Prepare(ctx context.Context, cfg WASMConfig) error {
	digest, err := moduleDigest(cfg.Module)
	if err != nil {
		return err
	}
	path := preparedModule(cfg.CacheDir, digest)
	if _, err := os.Stat(path); err == nil {
		// Compiled code is also bound to the processor: try it. What does not fit is compiled anew.
		if g, err := loadGuest(ctx, cfg.CacheDir, digest); err == nil {
			return g.close(ctx)
		}
	}
	raw, err := os.ReadFile(cfg.Module)
	if err != nil {
		return err
	}
	lean, err := stripCustom(raw)
	if err != nil {
		return fmt.Errorf("read %s: %w", cfg.Module, err)
	}
	if err := os.MkdirAll(cfg.CacheDir, 0o755); err != nil {
		return err
	}
	g, err := compileGuest(ctx, cfg.CacheDir, lean)
	if err != nil {
		return err
	}
	if err := errors.Join(g.close(ctx), share(cfg.CacheDir)); err != nil {
		return err
	}
	// The module comes last, and whole: where it stands, its code is compiled.
	tmp, err := os.CreateTemp(cfg.CacheDir, "python-*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(lean)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// moduleDigest is the digest of the module as it was published.
func moduleDigest(path string) (blob.Digest, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("%w (%s)", ErrNoRuntime, path)
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(raw)
	return blob.Digest("sha256:" + hex.EncodeToString(sum[:])), nil
}

// share lets every user read the cache: it may be filled by root and used by another.
func share(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// preparedModule is where Prepare puts the module without its debugging
// sections. Compiled code is good for one version of wazero, so the name tells that too.
func preparedModule(dir string, digest blob.Digest) string {
	return filepath.Join(dir, fmt.Sprintf("python-%.12s-%d-%s.wasm", string(digest)[len("sha256:"):], preparedFormat, compiler()))
}

// compiler is the version of wazero as wazero itself tells it; a test program does not know.
func compiler() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/tetratelabs/wazero" {
				return dep.Version
			}
		}
	}
	return "dev"
}

// stripCustom drops the custom sections of a WebAssembly module. They hold
// names and DWARF, half of the file, and nothing that runs.
func stripCustom(wasm []byte) ([]byte, error) {
	const header = 8
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return nil, errors.New("not a WebAssembly module")
	}
	out := append(make([]byte, 0, len(wasm)), wasm[:header]...)
	for rest := wasm[header:]; len(rest) > 0; {
		size, n := uleb(rest[1:])
		end := uint64(1+n) + size
		if n == 0 || end > uint64(len(rest)) {
			return nil, errors.New("a section of the module is cut off")
		}
		if custom := rest[0] == 0; !custom {
			out = append(out, rest[:end]...)
		}
		rest = rest[end:]
	}
	return out, nil
}

// uleb reads an unsigned LEB128 number of 32 bits and tells how many bytes it took.
func uleb(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 5 {
			break
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// guest is the compiled interpreter in this process.
type guest struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// loadGuest loads what Prepare compiled.
func loadGuest(ctx context.Context, cacheDir string, digest blob.Digest) (*guest, error) {
	lean, err := os.ReadFile(preparedModule(cacheDir, digest))
	if err != nil {
		return nil, errors.Join(ErrNotPrepared, err)
	}
	return compileGuest(ctx, cacheDir, lean)
}

func compileGuest(ctx context.Context, cacheDir string, lean []byte) (*guest, error) {
	cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
	if err != nil {
		return nil, err
	}
	// WithCloseOnContextDone stays off: it makes a program two to ten times slower and still
	// misses some loops. The parent kills the process instead.
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCompilationCache(cache).
		WithMemoryLimitPages(MaxMemory>>16))
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, err
	}
	m, err := r.CompileModule(ctx, lean)
	if err != nil {
		return nil, fmt.Errorf("load the Python runtime: %w", err)
	}
	settle()
	return &guest{runtime: r, module: m}, nil
}

func (g *guest) close(ctx context.Context) error { return g.runtime.Close(ctx) }

// The program's clock starts here and moves a millisecond a look, as wazero
// does it by default; its randomness is always the same. The same program
// gives the same verdict on every machine.
const guestSeed = 20260101

// run runs one program in a fresh instance.
func (g *guest) run(ctx context.Context, j jobFrame) doneFrame {
	files := fstest.MapFS{}
	for name, data := range j.Files {
		files[name] = &fstest.MapFile{Data: data, Mode: 0o444}
	}
	left, flooded := j.Limits.Output, false
	stdout, stderr := &capped{left: &left, flooded: &flooded}, &capped{left: &left, flooded: &flooded}
	mem := &memory{limit: uint64(j.Limits.Memory)}
	ctx = experimental.WithMemoryAllocator(ctx, mem)
	began := ownCPU()
	mod, err := g.runtime.InstantiateModule(ctx, g.module, wazero.NewModuleConfig().
		WithName(""). // anonymous: instances do not meet
		WithArgs("python", "-S", "-s", "-P", "-B", "-X", "utf8", "/"+j.Main).
		WithEnv("PYTHONHASHSEED", "0").
		WithStdin(bytes.NewReader(j.Stdin)).
		WithStdout(stdout).
		WithStderr(stderr).
		WithRandSource(rand.New(rand.NewSource(guestSeed))). //nolint:gosec // the same for everyone, on purpose
		WithFSConfig(wazero.NewFSConfig().WithFSMount(files, "/")))
	if mod != nil {
		_ = mod.Close(ctx)
	}
	mem.Free() // wazero has done so already, unless it could not make the instance
	d := doneFrame{End: Exited, Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), CPU: ownCPU() - began}
	var exit *sys.ExitError
	switch {
	case mem.err != nil:
		d.Error = mem.err.Error()
	case flooded:
		d.End = Flooded
	case err == nil:
	case errors.As(err, &exit):
		d.ExitCode = int(exit.ExitCode())
	case mem.refused:
		d.End = Memory
	default:
		// The program made the interpreter trap: it ran out of stack in C, or broke it.
		d.ExitCode = trapped
		d.Stderr = append(d.Stderr, []byte(firstLine(err.Error()))...)
	}
	return d
}

// trapped is the exit code of a program that made the interpreter trap.
const trapped = 134

func firstLine(s string) string {
	line, _, _ := bytes.Cut([]byte(s), []byte("\n"))
	return string(line)
}

// memory is one instance's linear memory: its whole limit is reserved at
// once, so that growing never copies, and what is not touched costs nothing.
type memory struct {
	limit   uint64
	buf     []byte
	refused bool  // the program asked for more than its limit
	err     error // the machine had none to give
}

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory {
	m.buf, m.err = reserve(int(m.limit))
	return m
}

// Reallocate implements experimental.LinearMemory.
func (m *memory) Reallocate(size uint64) []byte {
	if size > uint64(len(m.buf)) {
		m.refused = true
		return nil
	}
	return m.buf[:size:len(m.buf)]
}

// Free implements experimental.LinearMemory.
func (m *memory) Free() {
	if m.buf != nil {
		release(m.buf)
		m.buf = nil
	}
}

// settle gives back what loading needed.
func settle() {
	runtime.GC()
	debug.FreeOSMemory()
}

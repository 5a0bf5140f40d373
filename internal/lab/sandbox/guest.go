package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"github.com/banyan-lms/banyan/internal/blob"
)

// preparedFormat changes when Prepare writes something else than before.
const preparedFormat = 2

// Prepare compiles the interpreter for this machine into cfg.CacheDir, which
// takes 4 to 12 s the first time and a fraction of a second when it is done.
// It belongs into an installation step: without it no child starts. The module is a snapshot, which
// exports banyan_run, or a plain command.
func Prepare(ctx context.Context, cfg WASMConfig) error {
	digest, err := moduleDigest(cfg.Module)
	if err != nil {
		return err
	}
	path := preparedModule(cfg.CacheDir, digest)
	if _, err := os.Stat(path); err == nil {
		// Compiled code is also bound to the processor: try it. What does not fit is compiled anew.
		if g, err := loadGuest(ctx, cfg.CacheDir, digest, nil); err == nil {
			return g.close(ctx)
		}
	}
	raw, err := os.ReadFile(cfg.Module)
	if err != nil {
		return err
	}
	lean, image, err := split(raw)
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
	// The module comes last: where it stands, its code is compiled and its memory is there.
	return errors.Join(putFile(preparedImage(cfg.CacheDir, digest), image), putFile(path, lean))
}

// putFile writes a file whole, or not at all.
func putFile(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), "python-*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(data)
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
// sections and its data. Compiled code is good for one version of wazero, so the name tells that too.
func preparedModule(dir string, digest blob.Digest) string {
	return filepath.Join(dir, fmt.Sprintf("python-%.12s-%d-%s.wasm", string(digest)[len("sha256:"):], preparedFormat, compiler()))
}

// preparedImage is where Prepare puts the memory that the module starts with.
func preparedImage(dir string, digest blob.Digest) string {
	return strings.TrimSuffix(preparedModule(dir, digest), ".wasm") + ".image"
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

// guest is the compiled interpreter in this process, and the memory in which it runs.
type guest struct {
	runtime  wazero.Runtime
	module   wazero.CompiledModule
	memory   *memory
	world    *world // of the program that runs
	snapshot bool   // the module is a started interpreter, which takes its program from a buffer
}

// What a snapshot exports, see docs/lab-runtime.md.
const (
	exportBuffer = "banyan_buffer"
	exportRun    = "banyan_run"
	// bufferSize is how much of a program the buffer takes: name, NUL, source.
	bufferSize = 1 << 20
)

// loadGuest loads what Prepare compiled. The memory is mapped from image, or read from the cache when that is nil.
func loadGuest(ctx context.Context, cacheDir string, digest blob.Digest, image *os.File) (*guest, error) {
	lean, drop, err := readOnce(preparedModule(cacheDir, digest))
	if err != nil {
		return nil, errors.Join(ErrNotPrepared, err)
	}
	g, err := compileGuest(ctx, cacheDir, lean)
	if err != nil {
		return nil, err
	}
	if image == nil {
		if image, err = os.Open(preparedImage(cacheDir, digest)); err != nil {
			return nil, errors.Join(err, g.close(ctx))
		}
		defer image.Close()
	}
	if g.memory, err = newMemory(image); err != nil {
		return nil, errors.Join(err, g.close(ctx))
	}
	drop()
	settle()
	return g, nil
}

func compileGuest(ctx context.Context, cacheDir string, lean []byte) (*guest, error) {
	cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
	if err != nil {
		return nil, err
	}
	// WithCloseOnContextDone stays off: it makes a program two to ten times slower and still
	// misses some loops. The parent kills the process instead.
	g := &guest{runtime: wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().
		WithCompilationCache(cache).
		WithMemoryLimitPages(MaxMemory/wasmPage))}
	if err := addWASI(ctx, g.runtime, func() *world { return g.world }); err != nil {
		return nil, err
	}
	if g.module, err = g.runtime.CompileModule(ctx, lean); err != nil {
		return nil, fmt.Errorf("load the Python runtime: %w", err)
	}
	mem, exported := g.module.ExportedMemories()["memory"]
	if !exported || uint64(mem.Min())*wasmPage > minMemory {
		return nil, errors.New("load the Python runtime: it has no memory of a size that fits")
	}
	_, g.snapshot = g.module.ExportedFunctions()[exportRun]
	return g, nil
}

func (g *guest) close(ctx context.Context) error {
	if g.memory != nil {
		g.memory.close()
	}
	return g.runtime.Close(ctx)
}

// run runs one program in a fresh instance. The memory that it leaves behind is
// what reset takes away.
func (g *guest) run(ctx context.Context, j jobFrame) doneFrame {
	left, flooded := j.Limits.Output, false
	stdout, stderr := &capped{left: &left, flooded: &flooded}, &capped{left: &left, flooded: &flooded}
	tree := newFiles(j.Files, j.Limits.Files, j.Limits.FileBytes)
	g.world = newWorld(
		[]string{"python", "-S", "-s", "-P", "-B", "-X", "utf8", "/" + j.Main}, []string{"PYTHONHASHSEED=0"},
		tree, j.Clock, j.Seed, j.Stdin, stdout, stderr)
	g.memory.limit, g.memory.refused = uint64(j.Limits.Memory), false
	began := ownCPU()
	code, err := g.start(experimental.WithMemoryAllocator(ctx, g.memory), j)
	g.world = nil
	d := doneFrame{End: Exited, ExitCode: int(code), Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), CPU: ownCPU() - began}
	var exit *sys.ExitError
	switch {
	case flooded:
		d.End = Flooded
	case errors.Is(err, ErrTooLarge):
		d.Error = err.Error()
	case err == nil:
	case errors.As(err, &exit):
		d.ExitCode = int(exit.ExitCode())
	case g.memory.refused:
		d.End = Memory
	default:
		// The program made the interpreter trap: it ran out of stack in C, or broke it.
		d.ExitCode = trapped
		d.Stderr = append(d.Stderr, []byte(firstLine(err.Error()))...)
	}
	if d.End != Exited {
		d.ExitCode = 0
		return d
	}
	d.Files = tree.changed()
	return d
}

// start makes an instance and runs the program in it. A command runs while it is made.
func (g *guest) start(ctx context.Context, j jobFrame) (uint32, error) {
	cfg := wazero.NewModuleConfig().WithName("") // anonymous: instances do not meet
	if g.snapshot {
		cfg = cfg.WithStartFunctions() // it has been started
	}
	m, err := g.runtime.InstantiateModule(ctx, g.module, cfg)
	if m != nil {
		defer func() { _ = m.Close(ctx) }()
	}
	if err != nil || !g.snapshot {
		return 0, err
	}
	res, err := m.ExportedFunction(exportBuffer).Call(ctx)
	if err != nil {
		return 0, err
	}
	program := j.Main + "\x00" + string(j.Files[j.Main])
	if len(program) > bufferSize || !m.Memory().WriteString(uint32(res[0]), program) {
		return 0, ErrTooLarge
	}
	if res, err = m.ExportedFunction(exportRun).Call(ctx, uint64(len(program))); err != nil {
		return 0, err
	}
	return uint32(res[0]), nil
}

// trapped is the exit code of a program that made the interpreter trap.
const trapped = 134

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// held is how much memory Go's runtime has of the system.
func held() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}

// cycles counts the collector's runs.
func cycles() uint64 {
	s := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// settle gives back what loading needed.
func settle() {
	runtime.GC()
	debug.FreeOSMemory()
}

// Command snapshot makes the runtime of labs out of the reactor: it starts
// Python, lets it import the standard library, and writes the memory that is
// there then into the module. Whoever loads the module has an interpreter that
// has started already. build.sh calls it; docs/lab-runtime.md tells the format.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing/fstest"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

func main() {
	var b build
	flag.StringVar(&b.reactor, "reactor", "", "the linked module, with the exports of reactor.c")
	flag.StringVar(&b.lib, "lib", "", "folder of the standard library's sources")
	flag.StringVar(&b.shelf, "shelf", "", "path of shelf.py")
	flag.StringVar(&b.preload, "preload", "", "path of preload.py")
	out := flag.String("o", "", "where the runtime goes")
	flag.Parse()
	if err := b.write(context.Background(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "snapshot:", err)
		os.Exit(1)
	}
}

// build says what a runtime is made of.
type build struct {
	reactor, lib, shelf, preload string // paths
}

func (b build) write(ctx context.Context, out string) error {
	reactor, err := os.ReadFile(b.reactor)
	if err != nil {
		return err
	}
	sources, err := readLibrary(b.lib)
	if err != nil {
		return err
	}
	cache := wazero.NewCompilationCache()
	defer cache.Close(ctx)

	// First instance: compiles the library, and is thrown away with all that it has left in its memory.
	sources[libFolder+"banyan_preload.py"], err = readFile(b.shelf)
	if err != nil {
		return err
	}
	shelf, err := start(ctx, cache, reactor, sources)
	if err != nil {
		return fmt.Errorf("compile the library: %w", err)
	}

	// Second instance: the one that stays.
	files := fstest.MapFS{libFolder + "shelf": {Data: shelf.stdout}}
	for _, name := range []string{"__init__", "aliases", "utf_8"} {
		file := libFolder + "encodings/" + name + ".py"
		files[file] = sources[file]
	}
	files[libFolder+"banyan_preload.py"], err = readFile(b.preload)
	if err != nil {
		return err
	}
	state, err := start(ctx, cache, reactor, files)
	if err != nil {
		return fmt.Errorf("start Python: %w", err)
	}
	module, err := rewrite(reactor, state)
	if err != nil {
		return fmt.Errorf("write the memory into the module: %w", err)
	}
	if err := os.WriteFile(out, module, 0o644); err != nil {
		return err
	}
	fmt.Printf("%d bytes, %d of them memory; library %d bytes; sha256:%x\n", len(module), occupied(state.memory), len(shelf.stdout), sha256.Sum256(module))
	return nil
}

// libFolder is where the interpreter looks for its library while it is built.
const libFolder = "lib/python3.13/"

func readFile(name string) (*fstest.MapFile, error) {
	data, err := os.ReadFile(name)
	return &fstest.MapFile{Data: data, Mode: 0o444}, err
}

// readLibrary reads the sources that shelf.py chooses from.
func readLibrary(dir string) (fstest.MapFS, error) {
	files := fstest.MapFS{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "test" || name == "idlelib" || name == "site-packages" || name == "__pycache__"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".py"):
			return nil
		}
		files[path.Join(libFolder, name)], err = readFile(filepath.Join(dir, filepath.FromSlash(name)))
		return err
	})
	return files, err
}

// state is what an instance has come to.
type state struct {
	memory       []byte
	stackPointer uint32
	stdout       []byte
}

// zeros is randomness that is the same each time.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// start runs banyan_init. Its clock stands and its randomness is known, so the
// same input gives the same memory.
func start(ctx context.Context, cache wazero.CompilationCache, reactor []byte, files fs.FS) (state, error) {
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(cache))
	defer r.Close(ctx)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return state{}, err
	}
	var stdout, stderr bytes.Buffer
	mod, err := r.InstantiateWithConfig(ctx, reactor, wazero.NewModuleConfig().
		WithStartFunctions("_initialize", "banyan_init").
		WithRandSource(zeros{}).
		WithWalltime(func() (int64, int32) { return 1767225600, 0 }, 1).
		WithNanotime(func() int64 { return 0 }, 1).
		WithStdin(bytes.NewReader(nil)).
		WithStdout(&stdout).
		WithStderr(&stderr).
		WithFSConfig(wazero.NewFSConfig().WithFSMount(files, "/")))
	if err != nil {
		return state{}, fmt.Errorf("%w\n%s", err, stderr.Bytes())
	}
	if stderr.Len() > 0 {
		return state{}, fmt.Errorf("it wrote to stderr:\n%s", stderr.Bytes())
	}
	sp, ok := mod.ExportedGlobal("__stack_pointer").(api.MutableGlobal)
	if !ok {
		return state{}, errors.New("the module exports no mutable __stack_pointer")
	}
	memory, ok := mod.Memory().Read(0, mod.Memory().Size())
	if !ok {
		return state{}, errors.New("the memory cannot be read")
	}
	return state{memory: bytes.Clone(memory), stackPointer: uint32(sp.Get()), stdout: stdout.Bytes()}, nil
}

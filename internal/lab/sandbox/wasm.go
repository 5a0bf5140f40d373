package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// The ceilings of the engine wasm. A program that asks for more gets these.
const (
	MaxWall      = 30 * time.Second
	MaxMemory    = 128 << 20
	MaxOutput    = 2 << 20 // a lab's 1 MiB and as much for observations
	MaxFiles     = 64
	MaxFileBytes = 4 << 20
)

// maxProgram bounds the files and the input of a program together.
const maxProgram = 16 << 20

// minMemory is what the interpreter needs for itself; a lower limit would be the platform's fault.
const minMemory = 48 << 20

// patience is how many times its wall time a program may wait for a busy
// machine before its run is given up as the platform's fault.
const patience = 3

// Faults of the platform that an operator can cure.
var (
	ErrNoRuntime   = errors.New("no Python runtime: run make runtime")
	ErrNotPrepared = errors.New("the Python runtime is not compiled for this machine: run make runtime")
	ErrClosed      = errors.New("the sandbox is closed")
	ErrWallMissing = errors.New("a wall of the sandbox is missing")
	ErrTooLarge    = errors.New("the program is too large")
	// ErrStarved says that a program did not get the processor for its time. It may be tried again.
	ErrStarved = errors.New("the machine was too busy to give the program its time")
)

// WASMConfig says where the interpreter is.
type WASMConfig struct {
	Module    string        // path of python.wasm, for WASI preview 1: a snapshot, or a command with its standard library inside
	CacheDir  string        // of compiled code, filled by Prepare; must not be writable for the user that programs run as
	Children  int           // at most so many interpreters at once; 0: one a processor
	IdleAfter time.Duration // a child without work leaves after this time; 0: a minute
	Require   []string      // walls without which no program runs
}

// WASM runs programs in CPython compiled to WebAssembly, each in a fresh
// instance inside a warm child process. It has two walls: the child's runtime
// (wazero), which gives a program nothing but its own memory, its files and
// its three streams; and what the operating system takes from the child.
// Children start when there is work and leave when there is none.
type WASM struct {
	cfg    WASMConfig
	digest blob.Digest
	spawn  *spawner
	slots  chan struct{} // one token a running program

	mu     sync.Mutex
	idle   []*child // newest last: the oldest may leave
	closed bool
	image  *os.File // what programs' memory starts with; nil until a child has been started
}

var _ Engine = (*WASM)(nil)

// NewWASM opens the engine. It starts no child. ErrNoRuntime says that the
// module is missing, ErrNotPrepared that Prepare has not seen it.
func NewWASM(cfg WASMConfig) (*WASM, error) {
	if cfg.Children <= 0 {
		cfg.Children = runtime.GOMAXPROCS(0)
	}
	if cfg.IdleAfter <= 0 {
		cfg.IdleAfter = time.Minute
	}
	digest, err := moduleDigest(cfg.Module)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(preparedModule(cfg.CacheDir, digest)); err != nil {
		return nil, fmt.Errorf("%w (%s)", ErrNotPrepared, cfg.CacheDir)
	}
	return &WASM{cfg: cfg, digest: digest, spawn: newSpawner(), slots: make(chan struct{}, cfg.Children)}, nil
}

// Runtime is the digest of the module as it was published.
func (w *WASM) Runtime() blob.Digest { return w.digest }

// Run implements Engine. It waits for its turn as long as ctx lasts.
//
// A program cannot sleep: its clock is its own and moves when it is read. What
// it does not use of its wall time was taken from it by others. So the wall
// ends a program that had the processor for at least half of the time; one
// that had not waits on, at most three times as long, and then ends with ErrStarved.
func (w *WASM) Run(ctx context.Context, p Program) (Result, error) {
	j, err := newJob(p)
	if err != nil {
		return Result{}, err
	}
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
	c, err := w.take(ctx)
	if err != nil {
		return Result{}, err
	}
	res, err := c.run(ctx, j)
	if err != nil || res.End == TimedOut {
		c.kill()
		return res, err
	}
	w.give(c)
	return res, nil
}

// Check starts a child, if none waits, and tells which walls stand around it, for the
// operator. It waits for its turn as Run does. A wall that is required and missing is ErrWallMissing.
func (w *WASM) Check(ctx context.Context) (Report, error) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-ctx.Done():
		return Report{}, ctx.Err()
	}
	c, err := w.take(ctx)
	if err != nil {
		return Report{}, err
	}
	defer w.give(c)
	return c.about, nil
}

// Close ends every child that waits. Programs that run end first, with their Run.
func (w *WASM) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		return nil
	}
	w.closed = true
	idle := w.idle
	w.idle = nil
	w.mu.Unlock()
	for _, c := range idle {
		c.timer.Stop()
		c.kill()
	}
	for range cap(w.slots) {
		w.slots <- struct{}{}
	}
	w.spawn.close()
	var err error
	if w.image != nil {
		err = w.image.Close()
	}
	for range cap(w.slots) {
		<-w.slots
	}
	return err
}

// Warm tells how many children wait for work.
func (w *WASM) Warm() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.idle)
}

// take gives a waiting child that is alive, or starts one.
func (w *WASM) take(ctx context.Context) (*child, error) {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return nil, ErrClosed
		}
		n := len(w.idle)
		if n == 0 {
			image, err := w.sealed()
			w.mu.Unlock()
			if err != nil {
				return nil, err
			}
			return w.start(ctx, image)
		}
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		c.timer.Stop()
		if c.alive() {
			return c, nil
		}
		c.kill()
	}
}

// sealed gives the file that holds the memory image for all children, or nil where
// the system makes none: then a child takes the image from the cache. It is called with mu held.
func (w *WASM) sealed() (*os.File, error) {
	if w.image == nil {
		var err error
		w.image, err = sealImage(preparedImage(w.cfg.CacheDir, w.digest))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: %w", ErrNotPrepared, err)
		}
	}
	return w.image, nil
}

// start starts a child that has the walls it must have.
func (w *WASM) start(ctx context.Context, image *os.File) (*child, error) {
	c, err := startChild(ctx, w.spawn, w.cfg.CacheDir, w.digest, image)
	if err != nil {
		return nil, err
	}
	for _, name := range w.cfg.Require {
		if why := missing(c.about.Walls, name); why != "" {
			c.kill()
			return nil, fmt.Errorf("%w: %s (%s)", ErrWallMissing, name, why)
		}
	}
	return c, nil
}

// missing tells why a wall does not stand, or "" when it does.
func missing(walls []Wall, name string) string {
	for _, w := range walls {
		if w.Name == name && w.Stands {
			return ""
		}
		if w.Name == name && w.Why != "" {
			return w.Why
		}
	}
	return "there is no such wall here"
}

// give puts a child back and lets it leave later.
func (w *WASM) give(c *child) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		c.kill()
		return
	}
	c.timer = time.AfterFunc(w.cfg.IdleAfter, func() { w.retire(c) })
	w.idle = append(w.idle, c)
}

// retire ends a child that still waits.
func (w *WASM) retire(c *child) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.idle {
		if other == c {
			w.idle = append(w.idle[:i], w.idle[i+1:]...)
			c.kill()
			return
		}
	}
}

// newJob checks a program and brings its limits under the ceilings.
func newJob(p Program) (jobFrame, error) {
	if _, ok := p.Files[p.Main]; !ok {
		return jobFrame{}, fmt.Errorf("sandbox: main file %q is not among the files", p.Main)
	}
	for name := range p.Files {
		if name != filepath.Base(name) || name == "." || name == ".." || name == "/" {
			return jobFrame{}, fmt.Errorf("sandbox: %q is not a plain file name", name)
		}
	}
	size := len(p.Stdin)
	for _, data := range p.Files {
		size += len(data)
	}
	if source := len(p.Main) + 1 + len(p.Files[p.Main]); source > bufferSize || size > maxProgram {
		return jobFrame{}, fmt.Errorf("%w: %d bytes of source, %d in all", ErrTooLarge, source, size)
	}
	l := p.Limits
	if l.Wall <= 0 || l.Wall > MaxWall {
		l.Wall = MaxWall
	}
	if l.Memory <= 0 || l.Memory > MaxMemory {
		l.Memory = MaxMemory
	}
	l.Memory = max(l.Memory, minMemory)
	if l.Output <= 0 || l.Output > MaxOutput {
		l.Output = MaxOutput
	}
	if l.Files <= 0 || l.Files > MaxFiles {
		l.Files = MaxFiles
	}
	if l.FileBytes <= 0 || l.FileBytes > MaxFileBytes {
		l.FileBytes = MaxFileBytes
	}
	if p.Seed == 0 {
		p.Seed = DefaultSeed
	}
	if p.Clock.IsZero() {
		p.Clock = DefaultClock
	}
	return jobFrame{Files: p.Files, Main: p.Main, Stdin: p.Stdin, Limits: l, Seed: p.Seed, Clock: p.Clock.UnixNano()}, nil
}

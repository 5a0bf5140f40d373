package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// The first argument of a program that shall be a child: first it gives up what only a new
// program can give up for all its threads, then it works.
const (
	enterArg = "sandbox-enter"
	childArg = "sandbox-child"
)

// imageIs tells a child where its memory image is: in a file that it has been given as imageFD, or in the cache.
var imageIs = map[bool]string{true: "given", false: "cached"}

const imageFD = 3

// startTime is how long a child may take until it is ready: it loads some
// 50 MB of compiled code, on a busy machine too.
const startTime = 60 * time.Second

// child is the parent's hold on one interpreter process.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   io.ReadCloser
	log   *tail
	about Report
	timer *time.Timer // runs while the child waits for work
	once  sync.Once
}

// startChild starts a copy of this very program as a child, and waits until it is ready.
// It maps the memory image from a file, when there is one.
func startChild(ctx context.Context, sp *spawner, cacheDir string, digest blob.Digest, image *os.File) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find our own program: %w", err)
	}
	// Not CommandContext: the child outlives the request that needed it first.
	cmd := exec.Command(self, enterArg, cacheDir, string(digest), imageIs[image != nil]) //nolint:noctx // see above
	if image != nil {
		cmd.ExtraFiles = []*os.File{image}
	}
	cmd.Dir = "/"
	cmd.Env = []string{}
	cmd.SysProcAttr = cageAttr()
	c := &child{cmd: cmd, log: &tail{max: 4 << 10}}
	cmd.Stderr = c.log
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := sp.start(cmd); err != nil {
		return nil, fmt.Errorf("start sandbox child: %w", err)
	}
	ready := make(chan error, 1)
	var r readyFrame
	go func() { ready <- readFrame(c.out, &r) }()
	late := time.NewTimer(startTime)
	defer late.Stop()
	select {
	case err = <-ready:
	case <-late.C:
		err = errors.New("not ready in time")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		c.kill()
		return nil, fmt.Errorf("start sandbox child: %w%s", err, c.log.note())
	}
	c.about = Report{Walls: r.Walls, Snapshot: r.Snapshot}
	return c, nil
}

// alive tells whether the process still stands.
func (c *child) alive() bool { return processAlive(c.cmd.Process.Pid) }

// kill ends the child at once and takes its remains away.
func (c *child) kill() {
	c.once.Do(func() {
		_ = c.cmd.Process.Kill()
		_ = c.in.Close()
		_ = c.cmd.Wait()
	})
}

// run gives the child one job. After an error or TimedOut the child is of no more use.
func (c *child) run(ctx context.Context, j jobFrame) (Result, error) {
	pid := c.cmd.Process.Pid
	began, used := time.Now(), cpuOf(pid)
	var d doneFrame
	done := make(chan error, 1)
	go func() {
		if err := writeFrame(c.in, j); err != nil {
			done <- err
			return
		}
		done <- readFrame(c.out, &d)
	}()
	wall := time.NewTimer(j.Limits.Wall)
	defer wall.Stop()
	for {
		select {
		case err := <-done:
			if err == nil && d.Error != "" {
				err = errors.New(d.Error)
			}
			if err != nil {
				c.kill()
				return Result{}, fmt.Errorf("sandbox child: %w (%v)%s", err, c.cmd.ProcessState, c.log.note())
			}
			return Result{
				End: d.End, ExitCode: d.ExitCode, Stdout: d.Stdout, Stderr: d.Stderr, Files: d.Files,
				Wall: time.Since(began), CPU: d.CPU,
			}, nil
		case <-ctx.Done():
			return Result{}, ctx.Err()
		case <-wall.C:
			spent, passed := cpuOf(pid)-used, time.Since(began)
			switch need := j.Limits.Wall / 2; {
			case spent >= need:
				return Result{End: TimedOut, Wall: passed, CPU: spent}, nil
			case passed >= patience*j.Limits.Wall:
				return Result{}, fmt.Errorf("%w: %v of processor in %v", ErrStarved, spent, passed)
			default:
				wall.Reset(min(need-spent, patience*j.Limits.Wall-passed))
			}
		}
	}
}

// spawner starts processes from one thread that lives as long as the engine. Linux sends the
// parent-death signal when the thread that started a child ends, and Go ends threads as it likes.
type spawner struct {
	jobs chan func()
}

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for fn := range s.jobs {
			fn()
		}
	}()
	return s
}

func (s *spawner) start(cmd *exec.Cmd) error {
	errs := make(chan error, 1)
	s.jobs <- func() { errs <- cmd.Start() }
	return <-errs
}

func (s *spawner) close() { close(s.jobs) }

// tail keeps the last bytes of a stream, for the operator's log.
type tail struct {
	mu  sync.Mutex
	max int
	buf []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if n := len(t.buf) - t.max; n > 0 {
		t.buf = append([]byte{}, t.buf[n:]...)
	}
	return len(p), nil
}

func (t *tail) note() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := strings.TrimSpace(string(t.buf)); s != "" {
		return ": " + s
	}
	return ""
}

// RunChildIfAsked turns this process into a sandbox child when it was started
// as one, and then never returns. It stands on the first line of main and of
// TestMain, before anything reads the environment or opens a file.
func RunChildIfAsked() {
	if len(os.Args) != 5 || os.Args[1] != enterArg && os.Args[1] != childArg {
		return
	}
	runtime.LockOSThread() // the parent-death signal hangs on the main thread
	if os.Args[1] == enterArg {
		if err := enter(append([]string{os.Args[0], childArg}, os.Args[2:]...)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	var image *os.File
	if os.Args[4] == imageIs[true] {
		image = os.NewFile(imageFD, "python.image")
	}
	if err := serveChild(context.Background(), os.Args[2], blob.Digest(os.Args[3]), image, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// spare is how much more than at its start a child may hold between two programs.
const spare = 12 << 20

// serveChild loads the interpreter, locks the process in and does jobs until its input ends.
func serveChild(ctx context.Context, cacheDir string, digest blob.Digest, image *os.File, in io.Reader, out io.Writer) error {
	err := forbidWrites()
	var g *guest
	if err == nil {
		if g, err = loadGuest(ctx, cacheDir, digest, image); err != nil {
			// Where compiled code is missing, wazero compiles, and then cannot keep it.
			err = fmt.Errorf("%w: %w", ErrNotPrepared, err)
		}
	}
	if image != nil {
		err = errors.Join(err, image.Close()) // it is mapped
	}
	if err != nil {
		return errors.Join(err, writeFrame(out, readyFrame{Error: err.Error()}))
	}
	runtime.GOMAXPROCS(2)  // a program has one thread, and the collector another
	debug.SetGCPercent(50) // what is kept is small, and so may be what is not
	small := held()
	drop := programPages()
	drop()
	// Nothing that a learner wrote has run yet. From here on only pipes are left.
	if err := writeFrame(out, readyFrame{Walls: lockIn(), Snapshot: g.snapshot}); err != nil {
		return err
	}
	collected := cycles()
	for {
		var j jobFrame
		if err := readFrame(in, &j); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if err := writeFrame(out, g.run(ctx, j)); err != nil {
			return err
		}
		if err := g.memory.reset(); err != nil {
			return fmt.Errorf("clear the memory: %w", err)
		}
		if held() > small+spare {
			settle()
		}
		// The collector looks up every function that waits on a stack, and the kernel brings sixteen pages for each.
		if n := cycles(); n != collected {
			collected = n
			drop()
		}
	}
}

// capped gathers output up to a limit that several streams share.
type capped struct {
	left    *int64
	flooded *bool
	bytes.Buffer
}

// errFlood unwinds the guest from inside its write.
var errFlood = errors.New("too much output")

// Write stops the program at its limit. An error would be for the program to see, and to
// ignore; a panic is wazero's way to end a program from a host function.
func (c *capped) Write(p []byte) (int, error) {
	if int64(len(p)) > *c.left {
		c.Buffer.Write(p[:*c.left])
		*c.left = 0
		*c.flooded = true
		panic(errFlood)
	}
	*c.left -= int64(len(p))
	return c.Buffer.Write(p)
}

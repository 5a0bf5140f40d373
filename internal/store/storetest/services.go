// Package storetest shows what every database must show, and starts the
// throw-away servers that the showing needs.
package storetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The variables that name servers which somebody else has started. Without
// them every test process starts its own; `services` sets them once for many.
const (
	PostgresVar = "TEST_DATABASE_URL"
	RedisVar    = "TEST_REDIS_URL"
)

// patience is how long a server may take to answer on a busy machine.
const patience = 60 * time.Second

// Server is one throw-away server. It dies with the process that started it,
// also when that is killed with -9, and its files go with it.
//
// Kill, Stop and Start may be called by turns, as a reliability test does;
// address, password and (for Postgres) data stay the same.
type Server struct {
	program string
	url     string
	kind    engine
	dir     string
	uid     int // whom the program runs as, -1 for the caller
	env     []string
	watcher io.WriteCloser // end of file tells the watcher to clean up
	watched *exec.Cmd

	mu   sync.Mutex
	cmd  *exec.Cmd
	done chan struct{} // closed when cmd has ended
}

// errEnded says that the server ended while it should have started.
var errEnded = errors.New("it ended")

// engine is what differs between the servers.
type engine interface {
	// create fills an empty folder, once.
	create(s *Server) error
	// argv is the command line, without the program.
	argv(s *Server) []string
	// answers tells whether the server does its work.
	answers(ctx context.Context, s *Server) error
	// farewell is the signal that asks for an orderly end.
	farewell() os.Signal
}

// URL is where the server answers, with a password made for this server alone.
func (s *Server) URL() string { return s.url }

// Start starts the server where it was before, and returns when it answers.
// Starting a server that runs is no error.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		select {
		case <-s.done: // by itself
		default:
			return nil
		}
	}
	// After Kill the old backends of Postgres may hold its shared memory for
	// a moment, and the port may still be closing: try again.
	again := time.Now().Add(patience / 4)
	for {
		err := s.launch()
		if err == nil {
			return nil
		}
		if !errors.Is(err, errEnded) || time.Now().After(again) {
			return fmt.Errorf("start %s: %w\n%s", filepath.Base(s.program), err, s.logTail())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Kill ends the server as a power cut would (SIGKILL) and waits until it is gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop asks the server to end in order and waits until it is gone.
func (s *Server) Stop() error { return s.end(s.kind.farewell()) }

// Close kills the server and removes its files. The server cannot be started again.
func (s *Server) Close() error {
	err := s.Kill()
	return errors.Join(err, s.watcher.Close(), s.watched.Wait(), os.RemoveAll(s.dir))
}

func (s *Server) end(sig os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
	case <-time.After(patience):
		return fmt.Errorf("%s does not end", filepath.Base(s.program))
	}
	s.cmd = nil
	return s.watch(0)
}

// launch tries once. The caller holds the lock.
func (s *Server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.command(s.program, s.kind.argv(s)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		close(done)
	}()
	s.cmd, s.done = cmd, done
	if err := s.watch(cmd.Process.Pid); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := s.kind.answers(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case <-done:
			s.cmd = nil
			return errors.Join(errEnded, s.watch(0))
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// command prepares a program that runs in the server's folder as its user.
func (s *Server) command(program string, arg ...string) *exec.Cmd {
	cmd := exec.Command(program, arg...) //nolint:noctx // it lives until Kill, Stop or the watcher
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), s.env...)
	// A group of its own: Ctrl-C in the terminal is for the tests, which
	// then end, and the watcher takes the server down after them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.uid >= 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(s.uid), Gid: uint32(s.uid)}
	}
	return cmd
}

func (s *Server) logTail() string {
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// watch tells the watcher which process to end, 0 for none.
func (s *Server) watch(pid int) error {
	_, err := fmt.Fprintln(s.watcher, pid)
	return err
}

// watcherScript outlives this process and reads process ids from it. The end of
// the input means that this process is gone, however it went. A shell does
// it because a parent-death signal is Linux only and follows a thread.
const watcherScript = `
trap '' HUP INT TERM
pid=0
while read -r line; do pid=$line; done
if [ "$pid" -gt 0 ]; then
	kill -QUIT "$pid"
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		kill -0 "$pid" || break
		sleep 0.1
	done
	kill -9 "$pid"
fi
rm -rf "$1"
`

// open makes a server in a new folder and starts it.
func open(program string, kind engine, address func(port int) string, env []string) (*Server, error) {
	dir, err := os.MkdirTemp("", "banyan-test-")
	if err != nil {
		return nil, err
	}
	s := &Server{program: program, kind: kind, dir: dir, uid: -1, env: env}
	if os.Geteuid() == 0 {
		// Postgres refuses to run as root, and Redis need not.
		s.uid = nobody
		if err := os.Chown(dir, nobody, nobody); err != nil {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
	}
	s.watched = exec.Command("sh", "-c", watcherScript, "banyan-test-watcher", dir) //nolint:noctx // it outlives every context
	s.watched.Dir = "/"
	s.watched.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if s.watcher, err = s.watched.StdinPipe(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.watched.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	port, err := freePort()
	if err == nil {
		s.url = address(port)
		err = kind.create(s)
	}
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// nobody is the unprivileged user on every Unix that we know of, by custom.
const nobody = 65534

// freePort asks the system for a port that nobody listens on now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// secret is a password for one server. Others on the machine may reach the
// port, and a Postgres superuser can run programs.
func secret() string { return rand.Text() }

// own is the one server that all tests of a process share.
type own struct {
	once   sync.Once
	server *Server
	err    error
}

// open starts the server at the first call. Nobody closes it: the watcher does.
func (o *own) open(start func() (*Server, error)) (*Server, error) {
	o.once.Do(func() { o.server, o.err = start() })
	return o.server, o.err
}

// private gives a test a server that it may kill.
func private(t testing.TB, start func() (*Server, error)) *Server {
	t.Helper()
	s, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// find looks for a program on the PATH, then in the folders, newest version first.
func find(program string, folders ...string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return filepath.Abs(path)
	}
	var found string
	for _, folder := range folders {
		paths, err := filepath.Glob(filepath.Join(folder, program))
		if err != nil {
			return "", err
		}
		for _, path := range paths {
			if _, err := exec.LookPath(path); err == nil && (found == "" || versionIn(path) > versionIn(found)) {
				found = path
			}
		}
	}
	if found == "" {
		return "", fmt.Errorf("%s is not installed: run `make services` once, or set %s and %s", program, PostgresVar, RedisVar)
	}
	return found, nil
}

// versionIn is the last whole number in a path, such as 15 in
// /usr/lib/postgresql/15/bin; 0 when there is none.
func versionIn(path string) int {
	digits := strings.FieldsFunc(path, func(r rune) bool { return r < '0' || r > '9' })
	if len(digits) == 0 {
		return 0
	}
	n, err := strconv.Atoi(digits[len(digits)-1])
	if err != nil {
		return 0
	}
	return n
}

// unpacked is where `make services` puts servers when it may not install them:
// .tools/services in the folder that holds go.mod. Empty outside the module.
func unpacked() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(dir, ".tools", "services")
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// libraries names the shared libraries that came with an unpacked program.
func libraries(program string) []string {
	root := unpacked()
	if root == "" || !strings.HasPrefix(program, root+string(filepath.Separator)) {
		return nil
	}
	dirs, err := filepath.Glob(filepath.Join(root, "usr", "lib", "*-linux-*"))
	if err != nil || len(dirs) == 0 {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + strings.Join(dirs, ":")}
}

// run runs a program to its end and shows what it said when it fails.
func (s *Server) run(program string, arg ...string) error {
	cmd := s.command(program, arg...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, said.String())
	}
	return nil
}

// write makes a file in the server's folder that only its user may read.
func (s *Server) write(name, text string) error {
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil || s.uid < 0 {
		return err
	}
	return os.Chown(path, s.uid, s.uid)
}

// mustParse parses a URL that this package has built.
func mustParse(raw string) *url.URL {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	return u
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// This program plays three parts, each in a process of its own so that its
// processor time is its own: the harness, the bare server and the load.
var roles = map[string]func() error{"baseline-server": serveBaseline, "load": makeLoad}

func roleOf(args []string) string {
	if len(args) == 2 {
		return args[1]
	}
	return ""
}

// server is a process that answers on a loopback port.
type server struct {
	cmd     *exec.Cmd
	done    chan struct{}
	address string // host:port
	log     string
	began   time.Time
	ready   time.Time // when it first answered

	database, application string // how its connections are known in Postgres; empty: it has none
}

func (s *server) url(path string) string { return "http://" + s.address + path }

// startServer starts cmd, which must listen on address, and waits until path answers 200 there.
func startServer(ctx context.Context, cmd *exec.Cmd, address, path, logFile string) (*server, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	s := &server{cmd: cmd, done: make(chan struct{}), address: address, log: logFile, began: time.Now()}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = cmd.Wait() // how it ended stands in its log
		close(s.done)
	}()
	for {
		if up(ctx, s.url(path)) {
			s.ready = time.Now()
			return s, nil
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("%s ended: %s", cmd.Path, tail(logFile))
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.stop())
		case <-time.After(3 * time.Millisecond):
		}
	}
}

func up(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// kill ends it as a power cut would.
func (s *server) kill() error {
	err := s.cmd.Process.Signal(syscall.SIGKILL)
	<-s.done
	return err
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
		return nil
	case <-time.After(20 * time.Second):
		return s.cmd.Process.Kill()
	}
}

func tail(path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(raw[max(0, len(raw)-2000):])
}

// cpu is the processor time that the process has used, by /proc/<pid>/stat in ticks of 10 ms.
func (s *server) cpu() (time.Duration, error) { return cpuOf(s.cmd.Process.Pid) }

// dbCPU is what the server's connections have used in Postgres, 0 where Postgres
// runs on another machine. The pools keep their connections, so none is lost between two calls.
func (s *server) dbCPU(ctx context.Context) (sum time.Duration, err error) {
	if s.database == "" {
		return 0, nil
	}
	c, err := pgx.Connect(ctx, s.database)
	if err != nil {
		return 0, err
	}
	defer c.Close(context.Background())
	rows, err := c.Query(ctx, "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1", s.application)
	if err != nil {
		return 0, err
	}
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if d, err := cpuOf(pid); err == nil {
			sum += d
		}
	}
	return sum, nil
}

func cpuOf(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(raw), ") ") // the name may hold spaces
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0, fmt.Errorf("read /proc/%d/stat: %q", pid, raw)
	}
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

// memoryOf gives what the process takes of the machine's memory, in megabytes:
// all pages that it has in memory, and its proportional share of them.
func (s *server) memoryOf() (rss, pss float64, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", s.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kib, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 64)
		if err != nil {
			continue // the first line is an address range
		}
		switch name {
		case "Rss":
			rss = kib * 1024 / 1e6
		case "Pss":
			pss = kib * 1024 / 1e6
		}
	}
	return rss, pss, lines.Err()
}

// children counts the processes that the process has started and that still run.
func (s *server) children() (int, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if errors.Is(err, os.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			return 0, err
		}
		n += len(strings.Fields(string(raw)))
	}
	return n, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // returns at once
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

package storetest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/banyan-lms/banyan/internal/store/storetest"
)

func TestPostgresGivesEachTestItsOwnDatabase(t *testing.T) {
	first, second := storetest.Postgres(t), storetest.Postgres(t)
	sql(t, first, "CREATE TABLE mine (n int)")
	sql(t, second, "CREATE TABLE mine (n int)") // would exist already in a shared one
}

func TestPostgresDropsTheDatabaseAfterTheTest(t *testing.T) {
	var gone string
	t.Run("inner", func(t *testing.T) { gone = storetest.Postgres(t) })
	_, err := pgx.Connect(t.Context(), gone)
	if err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connect to the database of an ended test: %v", err)
	}
}

// A superuser would pass every row-level security policy.
func TestPostgresRoleIsBoundByRowLevelSecurity(t *testing.T) {
	c := connect(t, storetest.Postgres(t))
	var super, bypass bool
	err := c.QueryRow(t.Context(), "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user").Scan(&super, &bypass)
	if err != nil || super || bypass {
		t.Errorf("superuser %v, bypasses %v, err %v", super, bypass, err)
	}
}

func TestPostgresSurvivesKill(t *testing.T) {
	s := storetest.StartPostgres(t)
	sql(t, s.URL(), "CREATE TABLE kept (n int)")
	held := connect(t, s.URL()) // its backend outlives the postmaster for a moment
	for n := range 2 {
		sql(t, s.URL(), fmt.Sprintf("INSERT INTO kept VALUES (%d)", n))
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if _, err := pgx.Connect(t.Context(), s.URL()); err == nil {
			t.Fatal("a killed server answers")
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	var rows int
	if err := connect(t, s.URL()).QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&rows); err != nil || rows != 2 {
		t.Errorf("%d rows, err %v, want 2", rows, err)
	}
	if err := held.Ping(t.Context()); err == nil {
		t.Error("a connection survived the kill")
	}
}

func TestPostgresStopsInOrder(t *testing.T) {
	s := storetest.StartPostgres(t)
	sql(t, s.URL(), "CREATE TABLE kept (n int)")
	if err := errors.Join(s.Stop(), s.Start(), s.Start()); err != nil {
		t.Fatal(err)
	}
	sql(t, s.URL(), "INSERT INTO kept VALUES (1)")
}

func TestRedisComesBackEmpty(t *testing.T) {
	s := storetest.StartRedis(t)
	if got := redis(t, s.URL(), "SET k v", "GET k"); got != "v" {
		t.Fatalf("GET k = %q", got)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Dial("tcp", hostOf(t, s.URL())); err == nil {
		t.Fatal("a killed server answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	if got := redis(t, s.URL(), "GET k"); got != "$-1" {
		t.Errorf("GET k after the kill = %q, want nothing", got)
	}
}

func TestRedisWantsItsPassword(t *testing.T) {
	u, err := url.Parse(storetest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	u.User = nil
	if got := redis(t, u.String(), "PING"); !strings.HasPrefix(got, "-NOAUTH") {
		t.Errorf("PING without a password = %q", got)
	}
}

func TestRedisBorrowsADatabaseOfASharedServer(t *testing.T) {
	shared := storetest.StartRedis(t).URL()
	t.Setenv(storetest.RedisVar, shared)
	var lent string
	t.Run("borrower", func(t *testing.T) {
		lent = storetest.Redis(t)
		other := storetest.Redis(t)
		if lent == other || lent == shared || hostOf(t, lent) != hostOf(t, shared) {
			t.Fatalf("lent %s and %s of %s", lent, other, shared)
		}
		redis(t, lent, "SET k v")
		if got := redis(t, other, "GET k"); got != "$-1" {
			t.Errorf("a test sees the key of another: %q", got)
		}
	})
	if got := redis(t, lent, "GET k"); got != "$-1" {
		t.Errorf("a database was given back with keys in it: %q", got)
	}
	t.Run("next", func(t *testing.T) {
		if again := storetest.Redis(t); again != lent {
			t.Errorf("the database was not given back: got %s, want %s", again, lent)
		}
	})
}

// TestServersDieWithTheirProcess starts this test binary once more, kills it
// with -9 and looks for what it left.
func TestServersDieWithTheirProcess(t *testing.T) {
	if os.Getenv("STORETEST_VICTIM") != "" {
		for _, open := range []func() (*storetest.Server, error){storetest.OpenPostgres, storetest.OpenRedis} {
			s, err := open()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println("url", s.URL())
		}
		fmt.Println("ready")
		time.Sleep(time.Minute)
		return
	}
	tmp, err := os.MkdirTemp("", "victim-") // not t.TempDir: the servers' user must reach it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	if err := os.Chmod(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	victim := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServersDieWithTheirProcess$")
	victim.Env = append(os.Environ(), "STORETEST_VICTIM=1", "TMPDIR="+tmp)
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	var hosts []string
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		if raw, ok := strings.CutPrefix(lines.Text(), "url "); ok {
			hosts = append(hosts, hostOf(t, raw))
		}
	}
	if len(hosts) != 2 {
		t.Fatalf("the victim started %d servers, want 2", len(hosts))
	}
	if err := victim.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // "signal: killed"
	deadline := time.Now().Add(20 * time.Second)
	for {
		left := leftBehind(t, tmp, hosts)
		if left == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(left)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func leftBehind(t *testing.T, dir string, hosts []string) string {
	for _, host := range hosts {
		if c, err := net.Dial("tcp", host); err == nil {
			_ = c.Close()
			return host + " still answers"
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) > 0 {
		return fmt.Sprintf("files left: %v", files)
	}
	return ""
}

func connect(t *testing.T, server string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func sql(t *testing.T, server, statement string) {
	t.Helper()
	if _, err := connect(t, server).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// redis sends commands on one connection, in the database of the URL, and
// returns the last answer: a bulk string's text, else the line itself.
func redis(t *testing.T, server string, commands ...string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	first := []string{}
	if password, ok := u.User.Password(); ok {
		first = append(first, "AUTH "+password, "SELECT "+strings.TrimPrefix(u.Path, "/"))
	}
	var answer string
	lines := bufio.NewScanner(c)
	for _, command := range append(first, commands...) {
		fmt.Fprintf(c, "%s\r\n", command)
		lines.Scan()
		answer = lines.Text()
		if strings.HasPrefix(answer, "$") && answer != "$-1" {
			lines.Scan()
			answer = lines.Text()
		}
	}
	return answer
}

func hostOf(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// role owns the test databases. It is no superuser: row-level security does not
// bind superusers, and a test that ran as one would prove nothing.
const role = "banyan"

var ownPostgres own

// Postgres returns the URL of a new, empty database, which is dropped when the
// test ends. Its owner is no superuser and does not bypass row-level
// security. All tests of a process share one server; TEST_DATABASE_URL names
// another one, whose role must be allowed to create databases. A machine
// without Postgres fails the test: nothing is skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	server := os.Getenv(PostgresVar)
	if server == "" {
		s, err := ownPostgres.open(OpenPostgres)
		if err != nil {
			t.Fatal(err)
		}
		server = s.url
	}
	name := "test_" + strings.ToLower(secret())
	if err := query(t.Context(), server, "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := query(ctx, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("%s: %v", PostgresVar, err)
	}
	u.Path = "/" + name
	return u.String()
}

// StartPostgres starts a server for this test alone, which the test may kill
// and start again. It ends with the test. Its URL names an empty database.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	return private(t, OpenPostgres)
}

// OpenPostgres starts a server that lives until Close or the end of the process.
// What it has committed survives Kill, but not a crash of the machine.
func OpenPostgres() (*Server, error) {
	program, err := find("postgres",
		"/usr/lib/postgresql/*/bin",         // Debian, Ubuntu
		"/usr/pgsql-*/bin",                  // Red Hat
		"/opt/homebrew/opt/postgresql*/bin", // macOS on ARM
		"/usr/local/opt/postgresql*/bin",    // macOS on Intel
		filepath.Join(unpacked(), "usr/lib/postgresql/*/bin"),
	)
	if err != nil {
		return nil, err
	}
	// Beside the real file, not beside a link to it on the PATH.
	if program, err = filepath.EvalSymlinks(program); err != nil {
		return nil, err
	}
	p := &postgres{admin: secret(), password: secret()}
	return open(program, p, func(port int) string {
		return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", role, p.password, port, role)
	}, libraries(program))
}

type postgres struct {
	admin, password string
	ready           bool // role and database exist
}

func (p *postgres) create(s *Server) error {
	if err := s.write("password", p.admin); err != nil {
		return err
	}
	// Passwords travel in clear over loopback only; SCRAM would cost
	// milliseconds of processor time for every connection.
	err := s.run(filepath.Join(filepath.Dir(s.program), "initdb"),
		"--pgdata=data", "--username=postgres", "--auth=password", "--pwfile=password",
		"--encoding=UTF8", "--locale=C", "--no-sync")
	return errors.Join(err, os.Remove(filepath.Join(s.dir, "password")))
}

func (p *postgres) argv(s *Server) []string {
	arg := []string{"-D", "data"}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1",
		"port=" + mustParse(s.url).Port(),
		"unix_socket_directories=",
		"max_connections=200",
		"shared_buffers=64MB",
		// A commit still reaches the kernel before it is acknowledged,
		// so that Kill loses nothing.
		"fsync=off",
		"full_page_writes=off",
		"max_wal_size=4GB",
		"autovacuum_naptime=10min",
		"jit=off", // its library may be missing where servers were unpacked
	} {
		arg = append(arg, "-c", setting)
	}
	return arg
}

func (p *postgres) answers(ctx context.Context, s *Server) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if p.ready {
		return query(ctx, s.url, "SELECT 1")
	}
	u := mustParse(s.url)
	u.User, u.Path = url.UserPassword("postgres", p.admin), "/postgres"
	err := query(ctx, u.String(),
		fmt.Sprintf("CREATE ROLE %s LOGIN CREATEDB PASSWORD '%s'", role, p.password),
		fmt.Sprintf("CREATE DATABASE %s OWNER %s", role, role))
	p.ready = err == nil
	return err
}

// farewell asks for a fast shutdown: open transactions are rolled back.
func (p *postgres) farewell() os.Signal { return syscall.SIGINT }

// query runs statements on a connection of their own, one by one.
func query(ctx context.Context, server string, statements ...string) error {
	c, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if _, err := c.Exec(ctx, statement); err != nil {
			return errors.Join(err, c.Close(ctx))
		}
	}
	return c.Close(ctx)
}

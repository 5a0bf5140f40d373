package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Redis returns the URL of an empty Redis for this test alone, such as
// redis://:secret@127.0.0.1:40001/0. A server starts in some 20 ms, so
// every test has its own. TEST_REDIS_URL names another one: of its databases 1
// to 15 the test gets a free one, emptied before and after. A machine
// without Redis fails the test: nothing is skipped.
func Redis(t testing.TB) string {
	t.Helper()
	if server := os.Getenv(RedisVar); server != "" {
		return borrowRedis(t, server)
	}
	return StartRedis(t).URL()
}

// StartRedis starts a server for this test alone, which the test may kill and
// start again; it then comes back empty. It ends with the test.
func StartRedis(t testing.TB) *Server {
	t.Helper()
	return private(t, OpenRedis)
}

// OpenRedis starts a server that lives until Close or the end of the process.
// It keeps nothing on disk: Kill and Stop both lose everything.
func OpenRedis() (*Server, error) {
	program, err := find("redis-server",
		"/usr/bin", "/opt/homebrew/bin", "/usr/local/bin",
		filepath.Join(unpacked(), "usr/bin"),
	)
	if err != nil {
		return nil, err
	}
	password := secret()
	return open(program, redis{}, func(port int) string {
		return fmt.Sprintf("redis://:%s@127.0.0.1:%d/0", password, port)
	}, libraries(program))
}

type redis struct{}

// create writes a file because everybody may read a command line.
func (redis) create(s *Server) error {
	u := mustParse(s.url)
	password, _ := u.User.Password()
	return s.write("redis.conf", fmt.Sprintf("bind 127.0.0.1\nport %s\nrequirepass %s\nsave \"\"\nappendonly no\n", u.Port(), password))
}

func (redis) argv(*Server) []string { return []string{"redis.conf"} }

func (redis) answers(ctx context.Context, s *Server) error {
	c, err := dialRedis(ctx, s.url)
	if err != nil {
		return err
	}
	return c.close()
}

func (redis) farewell() os.Signal { return syscall.SIGTERM }

// borrowRedis reserves a database of a server that others use too. The
// reservation is a key in database 0 and lapses when a test dies without
// giving it back.
func borrowRedis(t testing.TB, server string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := dialRedis(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	me := secret()
	for {
		for n := 1; n <= 15; n++ {
			key := fmt.Sprintf("storetest:%d", n)
			answer, err := c.ask("SET " + key + " " + me + " NX EX 900")
			if err != nil {
				t.Fatal(errors.Join(err, c.close()))
			}
			if answer != "+OK" {
				continue
			}
			t.Cleanup(func() {
				err := c.commands(fmt.Sprintf("SELECT %d", n), "FLUSHDB", "SELECT 0", "DEL "+key)
				if err := errors.Join(err, c.close()); err != nil {
					t.Error(err)
				}
			})
			if err := c.commands(fmt.Sprintf("SELECT %d", n), "FLUSHDB"); err != nil {
				t.Fatal(err)
			}
			u := mustParse(server)
			u.Path = fmt.Sprintf("/%d", n)
			return u.String()
		}
		if ctx.Err() != nil {
			t.Fatalf("databases 1 to 15 of %s are all in use", RedisVar)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// redisConn speaks the inline form of the Redis protocol: a line there, a line
// back. The client library belongs to the worker alone.
type redisConn struct {
	net.Conn
	lines *bufio.Reader
}

// dialRedis connects to database 0 and signs in.
func dialRedis(ctx context.Context, server string) (*redisConn, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return nil, err
	}
	c := &redisConn{Conn: conn, lines: bufio.NewReader(conn)}
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	hello := []string{"PING"}
	if password, ok := u.User.Password(); ok {
		hello = []string{strings.TrimSpace("AUTH "+u.User.Username()) + " " + password, "PING"}
	}
	if err := c.commands(hello...); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, conn.SetDeadline(time.Time{})
}

func (c *redisConn) ask(command string) (string, error) {
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		return "", err
	}
	answer, err := c.lines.ReadString('\n')
	if err != nil {
		return "", err
	}
	answer = strings.TrimRight(answer, "\r\n")
	if strings.HasPrefix(answer, "-") {
		return "", fmt.Errorf("redis: %s", answer[1:])
	}
	return answer, nil
}

func (c *redisConn) commands(commands ...string) error {
	for _, command := range commands {
		if _, err := c.ask(command); err != nil {
			return err
		}
	}
	return nil
}

func (c *redisConn) close() error { return c.Close() }

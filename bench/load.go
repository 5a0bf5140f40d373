package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

// freshID stands in a request where each sending puts a new UUIDv7.
const freshID = "00000000-0000-7000-8000-000000000000"

// loadJob is what the load process is asked to do. It writes a loadResult.
type loadJob struct {
	Address  string
	Conns    int
	For      time.Duration
	Requests [][]byte // raw HTTP/1.1; connection i sends i, i+Conns, i+2*Conns and so on, again and again
	Want     string   // stands in every body ...
	Times    int      // ... this often; 0 is not looked at
}

type loadResult struct {
	Requests int
	Elapsed  time.Duration
	P50, P99 time.Duration
	Bytes    int // of the last body
}

// load runs a job in a process of its own.
func load(ctx context.Context, j loadJob) (loadResult, error) {
	raw, err := json.Marshal(j)
	if err != nil {
		return loadResult{}, err
	}
	self, err := os.Executable()
	if err != nil {
		return loadResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, j.For+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, self, "load")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return loadResult{}, fmt.Errorf("load: %w", err)
	}
	var r loadResult
	if err := json.Unmarshal(out, &r); err != nil {
		return loadResult{}, err
	}
	if r.Requests == 0 {
		return r, errors.New("load: no request was answered")
	}
	return r, nil
}

// makeLoad is the load process. Each connection sends its next request when
// the last answer is whole. An answer that is not 200 ends it all.
func makeLoad() error {
	var j loadJob
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return err
	}
	conns := make([]*client, j.Conns)
	for i := range conns {
		c, err := net.Dial("tcp", j.Address) //nolint:noctx // on loopback
		if err != nil {
			return err
		}
		defer c.Close()
		conns[i] = newClient(c)
		for n := i; n == i || n < len(j.Requests); n += j.Conns {
			conns[i].add(j.Requests[n%len(j.Requests)])
		}
	}
	began := time.Now()
	until := began.Add(j.For)
	var wg sync.WaitGroup
	for _, c := range conns {
		wg.Go(func() { c.run(until, j) })
	}
	wg.Wait()
	r := loadResult{Elapsed: time.Since(began)}
	var took []time.Duration
	for _, c := range conns {
		if c.err != nil {
			return c.err
		}
		r.Requests += len(c.took)
		r.Bytes = len(c.body)
		took = append(took, c.took...)
	}
	slices.Sort(took)
	r.P50, r.P99 = took[len(took)/2], took[len(took)*99/100]
	return json.NewEncoder(os.Stdout).Encode(r)
}

// client is one connection. It knows just enough HTTP to cost little itself.
type client struct {
	conn     net.Conn
	in       *bufio.Reader
	requests []template
	body     []byte
	took     []time.Duration
	err      error
}

// template is a request and where fresh ids go.
type template struct {
	text []byte
	ids  []int
}

func newClient(conn net.Conn) *client {
	return &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
}

func (c *client) add(request []byte) {
	t := template{text: slices.Clone(request)}
	for at := 0; ; at += len(freshID) {
		i := bytes.Index(t.text[at:], []byte(freshID))
		if i < 0 {
			break
		}
		at += i
		t.ids = append(t.ids, at)
	}
	c.requests = append(c.requests, t)
}

func (c *client) run(until time.Time, j loadJob) {
	for now := time.Now(); now.Before(until); {
		request := c.requests[len(c.took)%len(c.requests)]
		for _, at := range request.ids {
			id := uuid.Must(uuid.NewV7()).String()
			copy(request.text[at:], id)
		}
		if c.err = c.once(request.text); c.err != nil {
			return
		}
		if j.Times > 0 && bytes.Count(c.body, []byte(j.Want)) != j.Times {
			c.err = fmt.Errorf("%q does not stand %d times in the answer %.300s", j.Want, j.Times, c.body)
			return
		}
		then := now
		now = time.Now()
		c.took = append(c.took, now.Sub(then))
	}
}

func (c *client) once(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	status, err := c.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	ok := bytes.HasPrefix(status, []byte("HTTP/1.1 200 "))
	said := string(status)
	length, chunked := 0, false
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	c.body = c.body[:0]
	if !chunked {
		err = c.take(length)
	}
	for chunked && err == nil {
		var line []byte
		if line, err = c.in.ReadSlice('\n'); err != nil {
			break
		}
		var n int64
		if n, err = strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32); err != nil {
			break
		}
		if err = c.take(int(n)); err == nil {
			_, err = c.in.Discard(2)
		}
		chunked = n > 0
	}
	if err == nil && !ok {
		err = fmt.Errorf("the server said %s %.300s", said, c.body)
	}
	return err
}

func (c *client) take(n int) error {
	at := len(c.body)
	c.body = slices.Grow(c.body, n)[:at+n]
	_, err := io.ReadFull(c.in, c.body[at:])
	return err
}

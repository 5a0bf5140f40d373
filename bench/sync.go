package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

const (
	syncDevices = 1000
	syncAtOnce  = 50 // connections
)

// syncs lets a thousand devices of as many learners bring a hundred statements each, on bad connections, to a server that is killed
// in the middle, and counts what arrived.
func syncs(ctx context.Context, b *bench) ([]Figure, error) {
	var out []Figure
	for _, name := range []string{"SQLite", "Postgres"} {
		url := filepath.Join(b.dir, "sync.db")
		if name == "Postgres" {
			var err error
			if url, err = b.createDatabase(ctx); err != nil {
				return nil, err
			}
		}
		fs, err := syncOn(ctx, b, name, url)
		if err != nil {
			return nil, fmt.Errorf("sync on %s: %w", name, err)
		}
		out = append(out, fs...)
	}
	return out, nil
}

// crowd is a server and the devices that come to it.
type crowd struct {
	world
	devices []*traveller
	client  http.Client
	done    atomic.Int64 // devices
	retries atomic.Int64
	mu      sync.Mutex
	took    []time.Duration // of each batch that was answered
}

// traveller is a device that has been on the road.
type traveller struct {
	learner
	user identity.UserID
	id   string
	ids  []string
	body []byte // gzip
}

func syncOn(ctx context.Context, b *bench, name, url string) ([]Figure, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	settings := map[string]string{
		"BANYAN_LISTEN": address, "BANYAN_DATA_DIR": filepath.Join(b.dir, "sync-"+name), "BANYAN_DATABASE_URL": url, "BANYAN_RUNTIME_DIR": b.runtimeDir,
	}
	begin := func() (*server, error) {
		return startServer(ctx, b.command(settings, "serve", "--demo", "--examples"), address, "/api/health", filepath.Join(b.dir, "sync-"+name+".log"))
	}
	if out, err := b.command(settings, "migrate").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("migrate: %w: %s", err, out)
	}
	c := &crowd{}
	if c.ours, err = begin(); err != nil {
		return nil, err
	}
	var last atomic.Pointer[server]
	last.Store(c.ours)
	b.later(func() error { return last.Load().stop() })
	if err := call(ctx, c.ours, "GET", "/api/courses/"+courseID, "", nil, &c.version); err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if err := c.gather(ctx, db); err != nil {
		return nil, err
	}
	c.client.Transport = &http.Transport{MaxIdleConnsPerHost: syncAtOnce}
	queue := make(chan *traveller)
	errs := make(chan error, syncAtOnce+1)
	began := time.Now()
	var wg sync.WaitGroup
	for range syncAtOnce {
		wg.Go(func() {
			for d := range queue {
				if err := c.bring(ctx, d); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	down := time.Duration(0)
feed:
	for i, d := range c.devices {
		if i == syncDevices/2 { // the power fails
			fell := time.Now()
			_ = c.ours.cmd.Process.Kill()
			<-c.ours.done
			s, err := begin()
			if err != nil {
				close(queue)
				return nil, err
			}
			last.Store(s)
			down = time.Since(fell)
		}
		select {
		case queue <- d:
		case err := <-errs:
			errs <- err
			break feed
		}
	}
	close(queue)
	wg.Wait()
	took := time.Since(began) - down
	select {
	case err := <-errs:
		return nil, err
	default:
	}
	lost, doubled, err := c.count(ctx, db)
	if err != nil {
		return nil, err
	}
	slices.Sort(c.took)
	how := fmt.Sprintf("POST /api/sync by gzip, then GET /api/sync: %d devices of %d learners with %d statements each, one batch a device, over %d connections to the program on %s. "+
		"Every tenth device is cut off in the middle of its batch and every tenth before it has read the answer; the server is killed (SIGKILL) after half of them and started again. "+
		"They tried %d times more than once each. The time in which it was down (%.1f s) does not count.",
		syncDevices, syncDevices, batchSize, syncAtOnce, name, c.retries.Load(), down.Seconds())
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	none := 0.0
	met := lost == 0 && doubled == 0
	return []Figure{
		{Name: "sync " + name, Value: float64(syncDevices*batchSize) / took.Seconds(), Unit: "rows/s", How: how},
		{Name: "sync " + name + ", p50", Value: ms(c.took[len(c.took)/2]), Unit: "ms a batch", How: how},
		{Name: "sync " + name + ", p99", Value: ms(c.took[len(c.took)*99/100]), Unit: "ms a batch", How: how},
		{Name: "sync " + name + ", lost or doubled", Value: float64(lost + doubled), Unit: "statements", Goal: &none, Met: &met, GoalOf: "value, at most", How: how},
	}, nil
}

// gather makes learners who are signed in and take the course, past the API, and what each of them has done.
func (c *crowd) gather(ctx context.Context, db *store.DB) error {
	batch, err := c.batch(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	for i := range syncDevices {
		secret := identity.NewSecret()
		d := &traveller{user: identity.UserID(newV7()), id: newV7(), learner: learner{cookie: "banyan_session=" + secret, enrollment: newV7()}}
		in := identity.InstitutionID(c.version.InstitutionID)
		if err := db.Identity().CreateUser(ctx, identity.User{ID: d.user, Username: fmt.Sprintf("traveller-%04d", i), DisplayName: "T", CreatedAt: now}, "",
			[]identity.Membership{{InstitutionID: in, Role: identity.Learner}}); err != nil {
			return err
		}
		if err := db.Identity().CreateSession(ctx, identity.Session{
			ID: identity.SessionID(newV7()), UserID: d.user, CreatedAt: now, LastSeenAt: now, ExpiresAt: now.Add(time.Hour),
		}, identity.HashSecret(secret)); err != nil {
			return err
		}
		if err := db.Learning().CreateEnrollment(ctx, learning.Enrollment{
			ID: learning.EnrollmentID(d.enrollment), UserID: d.user, InstitutionID: in, CourseID: curriculum.CourseID(c.version.CourseID),
			VersionID: curriculum.VersionID(c.version.VersionID), CreatedAt: now,
		}); err != nil {
			return err
		}
		var list []statement
		if err := json.Unmarshal(batch(d.learner), &list); err != nil {
			return err
		}
		for n := range list {
			list[n].ID, list[n].Sequence = newV7(), n+1
			d.ids = append(d.ids, list[n].ID)
		}
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		err := json.NewEncoder(z).Encode(map[string]any{"device": d.id, "epoch": 1, "acknowledged": 0, "statements": list})
		if err = errors.Join(err, z.Close()); err != nil {
			return err
		}
		d.body = packed.Bytes()
		c.devices = append(c.devices, d)
	}
	return nil
}

func newV7() string { return uuid.Must(uuid.NewV7()).String() }

// bring is one device's sync: it tries until everything is acknowledged, and then until it has seen it again.
func (c *crowd) bring(ctx context.Context, d *traveller) error {
	n := int(c.done.Add(1))
	switch n % 10 {
	case 3:
		c.cut(ctx, d, len(d.body)/2)
		c.retries.Add(1)
	case 7:
		c.cut(ctx, d, len(d.body))
		c.retries.Add(1)
	}
	var done openapi.SyncAnswer
	if err := c.ask(ctx, d, http.MethodPost, "/api/sync", d.body, &done); err != nil {
		return err
	}
	if done.Known != batchSize || done.Epoch != 1 {
		return fmt.Errorf("device %d: epoch %d, known %d", n, done.Epoch, done.Known)
	}
	for _, a := range done.Answers {
		if a.Status != openapi.SyncedStatementStatusAccepted && a.Status != openapi.SyncedStatementStatusDuplicate {
			return fmt.Errorf("device %d: %s", n, a.Status)
		}
	}
	seen := map[string]int{}
	for page := (openapi.SyncPage{More: true}); page.More; {
		after := page.Cursor
		page = openapi.SyncPage{}
		if err := c.ask(ctx, d, http.MethodGet, "/api/sync?after="+after, nil, &page); err != nil {
			return err
		}
		for _, st := range page.Statements {
			seen[st.ID]++
		}
	}
	for _, id := range d.ids {
		if seen[id] != 1 {
			return fmt.Errorf("device %d sees statement %s %d times", n, id, seen[id])
		}
	}
	return nil
}

// cut sends a part of a batch, or the whole, and hangs up without reading.
func (c *crowd) cut(ctx context.Context, d *traveller, at int) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", c.ours.address)
	if err != nil {
		return // the server is down: cut off all the more
	}
	head := request(c.ours, http.MethodPost, "/api/sync", []string{"Cookie: " + d.cookie, "Content-Encoding: gzip"}, d.body)
	_, _ = conn.Write(head[:len(head)-len(d.body)+at])
	_ = conn.Close()
}

// ask sends a request until it is answered.
func (c *crowd) ask(ctx context.Context, d *traveller, method, path string, body []byte, into any) error {
	for {
		req, err := http.NewRequestWithContext(ctx, method, c.ours.url(path), bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Cookie", d.cookie)
		if body != nil {
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Content-Encoding", "gzip")
		}
		began := time.Now()
		raw, status, err := c.do(req)
		switch {
		case err == nil && status == http.StatusOK:
			if method == http.MethodPost {
				c.mu.Lock()
				c.took = append(c.took, time.Since(began))
				c.mu.Unlock()
			}
			return json.Unmarshal(raw, into)
		case err == nil && status < 500 && status != http.StatusTooManyRequests:
			return fmt.Errorf("%s %s: %d %.300s", method, path, status, raw)
		}
		c.retries.Add(1)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (c *crowd) do(req *http.Request) ([]byte, int, error) {
	res, err := c.client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return raw, res.StatusCode, err
}

// count looks into the database: what was sent and is not there, and what is there more often than it was sent.
func (c *crowd) count(ctx context.Context, db *store.DB) (lost, doubled int, err error) {
	for _, d := range c.devices {
		list, err := db.Learning().ListStatements(ctx, d.user, 0, 10*batchSize)
		if err != nil {
			return 0, 0, err
		}
		sent := map[string]bool{}
		for _, id := range d.ids {
			sent[id] = true
		}
		for _, st := range list {
			if !sent[string(st.ID)] {
				doubled++
			}
			delete(sent, string(st.ID))
		}
		lost += len(sent)
	}
	return lost, doubled, nil
}

package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

const (
	courseID = "ai-in-daily-life"
	copies   = 19 // of the shipped course, so that the catalogue is a list
	conns    = 16
	learners = 20 * conns // each connection speaks for twenty, by turns
)

// bench is what the measurements share. Servers are started when one is first needed.
type bench struct {
	program, runtimeDir string
	dir                 string // thrown away
	world               *world
	embedded            *embedded
	closers             []func() error
}

func open(program, runtimeDir string) (*bench, error) {
	b := &bench{}
	var err error
	if b.program, err = filepath.Abs(program); err != nil {
		return nil, err
	}
	if b.runtimeDir, err = filepath.Abs(runtimeDir); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.program); err != nil {
		return nil, fmt.Errorf("%w: run `make build` first", err)
	}
	b.dir, err = os.MkdirTemp("", "banyan-bench-")
	return b, err
}

// close ends what was started, in reverse order.
func (b *bench) close() error {
	var err error
	for i := len(b.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, b.closers[i]())
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func (b *bench) later(f func() error) { b.closers = append(b.closers, f) }

// command runs the program with settings of its own.
func (b *bench) command(settings map[string]string, arg ...string) *exec.Cmd {
	cmd := exec.Command(b.program, arg...) //nolint:noctx // stopped by the harness
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BANYAN_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	for name, value := range settings {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}

// world is the real server on Postgres, with courses and people, and the bare one beside it.
type world struct {
	database string
	ours     *server
	bare     *server
	learners []learner
	version  openapi.CourseVersion // of the shipped course
}

// learner is signed in and takes the shipped course.
type learner struct {
	cookie     string
	enrollment string
}

// onPostgres gives the world, and makes it at the first call. The server
// is told of a Redis, so that it does no jobs itself: it only serves, as one of several would.
func (b *bench) onPostgres(ctx context.Context) (*world, error) {
	if b.world != nil {
		return b.world, nil
	}
	w := &world{}
	var err error
	if w.database, err = b.createDatabase(ctx); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	data := filepath.Join(b.dir, "postgres")
	settings := map[string]string{
		"BANYAN_LISTEN": address, "BANYAN_DATA_DIR": data, "BANYAN_DATABASE_URL": w.database, "BANYAN_REDIS_URL": "redis://127.0.0.1:1/0",
	}
	if out, err := b.command(settings, "migrate").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("migrate: %w: %s", err, out)
	}
	if w.ours, err = startServer(ctx, b.command(settings, "serve", "--demo", "--examples"), address, "/api/health", filepath.Join(b.dir, "postgres.log")); err != nil {
		return nil, err
	}
	b.later(w.ours.stop)
	w.ours.database, w.ours.application = w.database, "banyan"
	if err := w.populate(ctx, data); err != nil {
		return nil, err
	}
	spec := bare{Database: w.database, Static: filepath.Join(b.dir, "static")}
	if err := w.savePack(ctx, spec.Static); err != nil {
		return nil, err
	}
	if spec.Header, spec.Page, err = w.readPage(ctx); err != nil {
		return nil, err
	}
	if err := call(ctx, w.ours, "GET", "/api/courses", "", nil, &spec.Catalogue); err != nil {
		return nil, err
	}
	if w.bare, err = startBaseline(ctx, b.dir, spec); err != nil {
		return nil, err
	}
	b.later(w.bare.stop)
	w.bare.database, w.bare.application = w.database, bareName
	b.world = w
	return w, nil
}

func (b *bench) createDatabase(ctx context.Context) (string, error) {
	address := os.Getenv(storetest.PostgresVar)
	if address == "" {
		s, err := storetest.OpenPostgres()
		if err != nil {
			return "", err
		}
		b.later(s.Close)
		address = s.URL()
	}
	name := "bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	if err := execute(ctx, address, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	b.later(func() error {
		return execute(context.Background(), address, "DROP DATABASE "+name+" WITH (FORCE)")
	})
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func execute(ctx context.Context, database string, sql ...string) error {
	c, err := pgx.Connect(ctx, database)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	for _, q := range sql {
		if _, err := c.Exec(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) populate(ctx context.Context, data string) error {
	trainer, err := signInAs(ctx, w.ours, data, "trainer")
	if err != nil {
		return err
	}
	if err := call(ctx, w.ours, "GET", "/api/courses/"+courseID, "", nil, &w.version); err != nil {
		return err
	}
	for i := range copies {
		if err := publishCopy(ctx, w.ours, trainer, w.version.InstitutionID, fmt.Sprintf("%s-%02d", courseID, i+1)); err != nil {
			return err
		}
	}
	if err := w.enrol(ctx); err != nil {
		return err
	}
	return execute(ctx, w.database, "CREATE TABLE bench_statements (LIKE statements INCLUDING ALL)",
		"ALTER TABLE bench_statements ALTER COLUMN arrival DROP NOT NULL") // the bare program gives none
}

// enrol makes learners who are signed in and take the course, past the API: it
// would take its time to hash their passwords, and would not let one address make so many.
func (w *world) enrol(ctx context.Context) error {
	c, err := pgx.Connect(ctx, w.database)
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	var batch pgx.Batch
	for i := range learners {
		user, enrollment, secret := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7()), identity.NewSecret()
		batch.Queue(`INSERT INTO users (id, username, display_name, locale, operator, password_hash, created_at)
			VALUES ($1, $2, $2, '', false, '', now())`, user, fmt.Sprintf("learner-%03d", i))
		batch.Queue(`INSERT INTO memberships (user_id, institution_id, role) VALUES ($1, $2, 'learner')`, user, w.version.InstitutionID)
		batch.Queue(`INSERT INTO sessions (id, user_id, token_hash, user_agent, created_at, last_seen_at, expires_at)
			VALUES ($1, $2, $3, 'bench', now(), now(), now() + interval '1 day')`, uuid.Must(uuid.NewV7()), user, string(identity.HashSecret(secret)))
		batch.Queue(`INSERT INTO enrollments (id, user_id, institution_id, course_id, version_id, created_at) VALUES ($1, $2, $3, $4, $5, now())`,
			enrollment, user, w.version.InstitutionID, w.version.CourseID, w.version.VersionID)
		w.learners = append(w.learners, learner{cookie: "banyan_session=" + secret, enrollment: enrollment.String()})
	}
	if err := c.SendBatch(ctx, &batch).Close(); err != nil {
		return err
	}
	_, err = c.Exec(ctx, "ANALYZE")
	return err
}

// signInAs signs a demo account in and gives its cookie.
func signInAs(ctx context.Context, s *server, data, username string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(data, "demo-accounts.json"))
	if err != nil {
		return "", err
	}
	var accounts []struct{ Username, Password string }
	if err := json.Unmarshal(raw, &accounts); err != nil {
		return "", err
	}
	for _, a := range accounts {
		if a.Username == username {
			return cookieOf(ctx, s, "/api/sessions", map[string]string{"username": a.Username, "password": a.Password})
		}
	}
	return "", fmt.Errorf("no demo account %s", username)
}

// publishCopy publishes the shipped course under another id.
func publishCopy(ctx context.Context, s *server, cookie, institution, id string) error {
	course, err := fs.Sub(content.Examples(), courseID)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	err = fs.WalkDir(course, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(course, name)
		if err != nil {
			return err
		}
		if name == "course.yaml" {
			raw = bytes.Replace(raw, []byte("id: "+courseID), []byte("id: "+id), 1)
		}
		f, err := z.Create(name)
		if err == nil {
			_, err = f.Write(raw)
		}
		return err
	})
	if err = errors.Join(err, z.Close()); err != nil {
		return err
	}
	return call(ctx, s, "POST", "/api/institutions/"+institution+"/course-versions", cookie, &packed, nil)
}

// call sends JSON, or a zip when in is a buffer, and reads JSON into out.
func call(ctx context.Context, s *server, method, path, cookie string, in, out any) error {
	r, err := send(ctx, s, method, path, cookie, in)
	if err != nil {
		return err
	}
	if r.status >= 300 {
		return fmt.Errorf("%s %s: %d: %.500s", method, path, r.status, r.body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(r.body, out)
}

func cookieOf(ctx context.Context, s *server, path string, in any) (string, error) {
	r, err := send(ctx, s, "POST", path, "", in)
	if err != nil {
		return "", err
	}
	for _, c := range r.cookies {
		return c.Name + "=" + c.Value, nil
	}
	return "", fmt.Errorf("POST %s: %d and no cookie: %.500s", path, r.status, r.body)
}

// reply is an answer that has been read.
type reply struct {
	status  int
	cookies []*http.Cookie
	body    []byte
}

func send(ctx context.Context, s *server, method, path, cookie string, in any) (reply, error) {
	var body io.Reader
	kind := "application/json"
	switch v := in.(type) {
	case nil:
	case *bytes.Buffer:
		body, kind = v, "application/zip"
	default:
		raw, err := json.Marshal(in)
		if err != nil {
			return reply{}, err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url(path), body)
	if err != nil {
		return reply{}, err
	}
	req.Header.Set("Accept-Encoding", "identity")
	if body != nil {
		req.Header.Set("Content-Type", kind)
	}
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Cookies(), raw}, err
}

// request writes a request as a browser's connection carries it.
func request(s *server, method, path string, header []string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: banyan-bench\r\nAccept: */*\r\n", method, path, s.address)
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/json\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

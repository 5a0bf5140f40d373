package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/api/rest"
	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

const shipped = "ai-in-daily-life"

// school is a whole server over SQLite with two institutions, A and B, and
// somebody in every role of each.
type school struct {
	*testing.T
	app    *app.App
	echo   *echo.Echo
	doc    *openapi3.T
	a, b   institution.Institution
	people map[string]identity.User // "learner A", "trainer B", "operator" …
	made   atomic.Int64
}

var roles = []identity.Role{identity.Learner, identity.Trainer, identity.Issuer, identity.Admin}

func newSchool(t *testing.T) *school {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	cfg := config.Config{DataDir: dir, DatabaseURL: filepath.Join(dir, "banyan.db"), Sandbox: "fake", Listen: "127.0.0.1:0", PublicURL: "http://example.com"}
	cfg.Defaults()
	a, err := app.New(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if err := a.Schema(ctx); err != nil {
		t.Fatal(err)
	}
	s := &school{T: t, app: a, people: map[string]identity.User{}}
	if s.doc, err = openapi.Load(); err != nil {
		t.Fatal(err)
	}
	for slug, in := range map[string]*institution.Institution{"alpha": &s.a, "beta": &s.b} {
		if *in, err = a.Institution.Create(ctx, identity.System(), slug, "School "+slug); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range roles {
		s.join(string(r)+" A", s.a, r)
		s.join(string(r)+" B", s.b, r)
	}
	s.join("other learner A", s.a, identity.Learner)
	s.people["operator"] = s.user(identity.NewUser{Operator: true})
	folder, err := fs.Sub(content.Examples(), shipped)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := a.Curriculum.Publish(ctx, identity.System(), string(s.a.ID), folder); err != nil {
		t.Fatal(err)
	}
	words, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	s.echo = echo.New()
	srv := &rest.Server{
		Identity: a.Identity, Institution: a.Institution, Curriculum: a.Curriculum, Learning: a.Learning, Lab: a.Lab, Keys: a.Keys, Lists: a.Lists, Credential: a.Credential, Forms: a.Forms, Issuing: a.Issuing, Wallet: a.Wallet, Recognition: a.Recognition, Paper: a.Paper,
		Bundle: a.Bundle, Shelf: a.Shelf, Trust: a.Trust, Verifier: a.Verifier, Badges: a.Badges, Desk: a.Desk, Words: words, Ping: a.DB.Ping, Version: "test", PublicURL: cfg.PublicURL, SignupOpen: true, Now: a.Now,
	}
	if err := srv.Register(s.echo); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *school) user(n identity.NewUser) identity.User {
	s.Helper()
	n.Username = fmt.Sprintf("user%d", s.made.Add(1))
	n.DisplayName, n.Password = "Person "+n.Username, "correct horse"
	u, err := s.app.Identity.CreateUser(s.Context(), n)
	if err != nil {
		s.Fatal(err)
	}
	return u
}

func (s *school) join(name string, in institution.Institution, r identity.Role) {
	s.Helper()
	s.people[name] = s.user(identity.NewUser{Memberships: []identity.Membership{{InstitutionID: in.ID, Role: r}}})
}

// actor gives the service's view of a person.
func (s *school) actor(name string) identity.Actor {
	s.Helper()
	u := s.people[name]
	ms, err := s.app.Identity.ListMemberships(s.Context(), u.ID)
	if err != nil {
		s.Fatal(err)
	}
	return identity.Actor{UserID: u.ID, Username: u.Username, Operator: u.Operator, Memberships: ms}
}

func (s *school) session(name string) (identity.Session, string) {
	s.Helper()
	sess, secret, err := s.app.Identity.OpenSession(s.Context(), s.people[name].ID, "test")
	if err != nil {
		s.Fatal(err)
	}
	return sess, secret
}

func (s *school) token(name string, scopes ...identity.Scope) (identity.Token, string) {
	s.Helper()
	t, secret, err := s.app.Identity.CreateToken(s.Context(), s.actor(name), identity.NewToken{Name: "t", Scopes: scopes, Life: time.Hour})
	if err != nil {
		s.Fatal(err)
	}
	return t, secret
}

// call is a request to make.
type call struct {
	last               bool // whoever makes it is gone afterwards
	method, path, body string
	contentType        string // application/json when empty
	header             map[string]string
	cookie, bearer     string
}

// as signs a call in with a fresh session; "" leaves it anonymous.
func (s *school) as(name string, c call) call {
	s.Helper()
	if name == "" {
		return c
	}
	id := s.people[name].ID
	if c.last { // nobody survives it: another person like this one makes it
		like := s.actor(name)
		id = s.user(identity.NewUser{Operator: like.Operator, Memberships: like.Memberships}).ID
	}
	_, secret, err := s.app.Identity.OpenSession(s.Context(), id, "test")
	if err != nil {
		s.Fatal(err)
	}
	c.cookie = secret
	return c
}

// do makes a call and holds the answer against the contract.
func (s *school) do(c call) *httptest.ResponseRecorder {
	s.Helper()
	var body io.Reader = http.NoBody
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	req := httptest.NewRequestWithContext(s.Context(), c.method, c.path, body)
	if c.body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	for k, v := range c.header {
		req.Header.Set(k, v)
	}
	if c.cookie != "" {
		req.AddCookie(&http.Cookie{Name: "banyan_session", Value: c.cookie})
	}
	if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	rec := httptest.NewRecorder()
	s.echo.ServeHTTP(rec, req)
	s.hold(req, rec)
	return rec
}

// hold checks an answer against the contract.
func (s *school) hold(req *http.Request, rec *httptest.ResponseRecorder) {
	s.Helper()
	path, item, params := s.route(req.URL.Path)
	if item == nil || rec.Code == http.StatusNotModified {
		return
	}
	op := item.GetOperation(req.Method)
	if op == nil {
		return
	}
	in := &openapi3filter.RequestValidationInput{
		Request: req, PathParams: params,
		Route: &routers.Route{Spec: s.doc, Path: path, PathItem: item, Method: req.Method, Operation: op},
	}
	out := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: rec.Code, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !asJSON.MatchString(rec.Header().Get("Content-Type"))},
	}
	if err := openapi3filter.ValidateResponse(context.Background(), out); err != nil {
		s.Errorf("%s %s answers %d out of contract: %v\n%s", req.Method, req.URL, rec.Code, err, rec.Body)
	}
}

func (s *school) route(path string) (string, *openapi3.PathItem, map[string]string) {
	parts := strings.Split(path, "/")
	var best string
	for p := range s.doc.Paths.Map() {
		ps := strings.Split(p, "/")
		if len(ps) != len(parts) {
			continue
		}
		fits := true
		for i := range ps {
			fits = fits && (ps[i] == parts[i] || strings.HasPrefix(ps[i], "{"))
		}
		if fits && (best == "" || strings.Count(p, "{") < strings.Count(best, "{")) {
			best = p
		}
	}
	params := map[string]string{}
	for i, p := range strings.Split(best, "/") {
		if strings.HasPrefix(p, "{") {
			params[strings.Trim(p, "{}")] = parts[i]
		}
	}
	return best, s.doc.Paths.Value(best), params
}

func decode[T any](t testing.TB, rec *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v in %s", err, rec.Body)
	}
	return v
}

func v7() string { return uuid.Must(uuid.NewV7()).String() }

// enroll puts a learner into the shipped course.
func (s *school) enroll(name string) learning.Enrollment {
	s.Helper()
	e, _, err := s.app.Learning.Enroll(s.Context(), s.actor(name), learning.NewEnrollment{CourseID: shipped})
	if err != nil {
		s.Fatal(err)
	}
	return e
}

// finish completes the course for an enrollment and does the jobs that follow.
func (s *school) finish(e learning.Enrollment) {
	s.Helper()
	v, err := s.app.Curriculum.FindVersion(s.Context(), e.VersionID)
	if err != nil {
		s.Fatal(err)
	}
	full, yes := 1.0, true
	var sts []learning.Statement
	for _, m := range v.Manifest.Modules {
		for _, it := range m.Items {
			st := learning.Statement{
				ID: learning.StatementID(v7()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
				ObjectID: it.ID, At: time.Now().UTC(), ReceivedAt: s.app.Now(),
			}
			switch it.Kind {
			case curriculum.Lesson:
				st.Verb = learning.Completed
			case curriculum.Quiz:
				st.Verb, st.Result = learning.Answered, learning.Result{Score: &full, Success: &yes}
			case curriculum.Lab:
				st.Verb, st.Result = learning.Passed, learning.Result{Score: &full, Success: &yes}
			}
			sts = append(sts, st)
		}
	}
	if err := s.app.DB.Learning().InTx(s.Context(), func(tx learning.Store) error {
		return s.app.Learning.Record(s.Context(), tx, sts...)
	}); err != nil {
		s.Fatal(err)
	}
	s.drain()
}

// drain does every job that is due.
func (s *school) drain() {
	s.Helper()
	table, err := s.app.Jobs()
	if err != nil {
		s.Fatal(err)
	}
	for {
		jobs, err := s.app.DB.Outbox().Start(s.Context(), job.Housekeeping, 50, time.Minute)
		if err != nil {
			s.Fatal(err)
		}
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			if err := table.Handlers[j.Kind](s.Context(), j); err != nil {
				s.Fatalf("%s: %v", j.Kind, err)
			}
		}
	}
}

// publishNewer publishes the shipped course once more, with another summary.
func (s *school) publishNewer() curriculum.Version {
	s.Helper()
	return s.publishEdited("\nauthors: [", "\nauthors: [Somebody else, ")
}

// publishEdited publishes the shipped course with a change in course.yaml.
func (s *school) publishEdited(from, to string) curriculum.Version {
	s.Helper()
	folder, err := fs.Sub(content.Examples(), shipped)
	if err != nil {
		s.Fatal(err)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(folder, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(folder, path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	course := files["course.yaml"]
	course.Data = bytes.Replace(course.Data, []byte(from), []byte(to), 1)
	v, created, err := s.app.Curriculum.Publish(s.Context(), identity.System(), string(s.a.ID), files)
	if err != nil || !created {
		s.Fatalf("publish an edited version: created %v, %v", created, err)
	}
	return v
}

// waiting gives an award of a learner in a course of its own, for whose certificate institution A asks everything.
func (s *school) waiting(name string) issuing.Award {
	s.Helper()
	const course = "asked-for"
	if _, err := s.app.Curriculum.FindLatest(s.Context(), course); err != nil {
		s.publishEdited("\nid: "+shipped, "\nid: "+course)
	}
	if _, err := s.app.Issuing.SetCriteria(s.Context(), s.actor("admin A"), s.a.ID, course, issuing.Terms{
		Approval: true, ConfirmName: true, AskHelp: true, Assessment: credential.Supervised,
	}); err != nil {
		s.Fatal(err)
	}
	e, _, err := s.app.Learning.Enroll(s.Context(), s.actor(name), learning.NewEnrollment{CourseID: course})
	if err != nil {
		s.Fatal(err)
	}
	s.finish(e)
	a, err := s.app.DB.Issuing().FindAwardOf(s.Context(), e.ID)
	if err != nil || a.State != issuing.Waiting {
		s.Fatalf("award %+v, %v", a, err)
	}
	return a
}

// drawing is a PNG picture.
func drawing(t testing.TB, width, height int) string {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = byte(i * 7)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// asJSON tells which answers are JSON: lines of it (application/jsonl) are not.
var asJSON = regexp.MustCompile(`json(;|$)`)

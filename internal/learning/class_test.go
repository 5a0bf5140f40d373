package learning_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// class is the service over a real database, with one course of two lessons,
// a practice quiz, a graded quiz and a lab in institution A.
type class struct {
	*testing.T
	*learning.Service
	db   *store.DB
	a, b identity.InstitutionID

	made atomic.Int64
	mu   sync.Mutex
	now  time.Time
}

const course curriculum.CourseID = "leaves"

// databases opens a class over each database.
var databases = map[string]func(t *testing.T) *class{
	"SQLite":   newClass,
	"Postgres": func(t *testing.T) *class { return openClass(t, storetest.Postgres(t)) },
}

func newClass(t *testing.T) *class {
	t.Helper()
	return openClass(t, filepath.Join(t.TempDir(), "banyan.db"))
}

func openClass(t *testing.T, url string) *class {
	t.Helper()
	c := &class{T: t, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)}
	var err error
	c.db, err = store.Open(t.Context(), url)
	c.must(err)
	t.Cleanup(func() { _ = c.db.Close() })
	c.must(c.db.Migrate(t.Context()))
	for slug, id := range map[string]*identity.InstitutionID{"alpha": &c.a, "beta": &c.b} {
		*id = identity.InstitutionID(v7())
		c.must(c.db.Institution().CreateInstitution(t.Context(), institution.Institution{ID: *id, Slug: slug, Name: slug, CreatedAt: c.now}))
	}
	c.Service = &learning.Service{Store: c.db.Learning(), Courses: shelf{c.db.Curriculum()}, Now: c.clock, NewID: v7}
	c.publish(curriculum.Criteria{Lessons: true, Quizzes: 0.5, Labs: true})
	return c
}

func (c *class) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// clock goes on by a millisecond with every look, so that no two times are the same.
func (c *class) clock() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func v7() string { return uuid.Must(uuid.NewV7()).String() }

// shelf is the curriculum with versions of the store and one vault for all.
type shelf struct{ *store.Curriculum }

func (s shelf) OpenVault(context.Context, curriculum.Version) (curriculum.VaultFile, error) {
	return curriculum.VaultFile{Quizzes: map[curriculum.ContentID]quiz.Vault{
		"practice": {Pass: 0.5, Questions: []quiz.VaultQuestion{question("p1")}},
		"exam":     {Graded: true, Pass: 0.5, Questions: []quiz.VaultQuestion{question("q1"), question("q2")}},
	}}, nil
}

func question(id string) quiz.VaultQuestion {
	return quiz.VaultQuestion{
		ID: id, Type: quiz.Single, Points: 1, Key: quiz.Key{Correct: []string{"right"}},
		Options: map[string]map[string]string{"right": nil, "wrong": {"en": "No."}},
	}
}

func manifest(cr curriculum.Criteria) curriculum.Manifest {
	text := curriculum.Text{"en": "x"}
	item := func(id curriculum.ContentID, k curriculum.Kind, graded bool) curriculum.Item {
		return curriculum.Item{ID: id, Kind: k, Title: text, Graded: graded}
	}
	return curriculum.Manifest{
		Format: 1, CourseID: course, Title: text, Summary: text, SourceLocale: "en", Locales: []string{"en"}, Criteria: cr,
		Modules: []curriculum.Module{
			{ID: "one", Title: text, Items: []curriculum.Item{item("intro", curriculum.Lesson, false), item("practice", curriculum.Quiz, false)}},
			{ID: "two", Title: text, Items: []curriculum.Item{
				item("more", curriculum.Lesson, false), item("exam", curriculum.Quiz, true), item("code", curriculum.Lab, false),
			}},
		},
	}
}

func (c *class) publish(cr curriculum.Criteria) curriculum.Version {
	c.Helper()
	v, created, err := c.db.Curriculum().CreateVersion(c.Context(), curriculum.Version{
		ID: curriculum.VersionID(v7()), CourseID: course, InstitutionID: string(c.a), Manifest: manifest(cr),
		Digest: blob.Of(fmt.Append(nil, cr)), PublishedAt: c.clock(),
	})
	if err != nil || !created {
		c.Fatal(created, err)
	}
	return v
}

// publishOther publishes another course, "roots".
func (c *class) publishOther() {
	c.Helper()
	m := manifest(curriculum.Criteria{Lessons: true})
	m.CourseID = "roots"
	_, _, err := c.db.Curriculum().CreateVersion(c.Context(), curriculum.Version{
		ID: curriculum.VersionID(v7()), CourseID: "roots", InstitutionID: string(c.a), Manifest: m, Digest: blob.Of([]byte("roots")), PublishedAt: c.clock(),
	})
	c.must(err)
}

// person makes an account with roles and gives its actor.
func (c *class) person(ms ...identity.Membership) identity.Actor {
	c.Helper()
	u := identity.User{ID: identity.UserID(v7()), Username: fmt.Sprintf("user%d", c.made.Add(1)), DisplayName: "X", CreatedAt: c.clock()}
	c.must(c.db.Identity().CreateUser(c.Context(), u, "x", ms))
	return identity.Actor{UserID: u.ID, Username: u.Username, Memberships: ms}
}

func (c *class) learner() identity.Actor {
	c.Helper()
	return c.person(identity.Membership{InstitutionID: c.a, Role: identity.Learner})
}

func (c *class) enroll(by identity.Actor) learning.Enrollment {
	c.Helper()
	e, _, err := c.Enroll(c.Context(), by, learning.NewEnrollment{CourseID: course})
	c.must(err)
	return e
}

// fields is a statement as a device writes it.
type fields map[string]any

func said(e learning.Enrollment, verb, object string) fields {
	return fields{"id": v7(), "enrollment_id": e.ID, "verb": verb, "object_id": object, "at": "2026-03-01T10:00:00Z"}
}

func answered(e learning.Enrollment, quiz string, responses map[string]any) fields {
	f := said(e, "answered", quiz)
	f["responses"] = responses
	return f
}

func (f fields) with(name string, v any) fields {
	out := fields{}
	for k, old := range f {
		out[k] = old
	}
	if out[name] = v; v == nil {
		delete(out, name)
	}
	return out
}

func (f fields) json() []byte {
	raw, err := json.Marshal(f)
	if err != nil {
		panic(err)
	}
	return raw
}

// send appends a batch and gives the answers.
func (c *class) send(by identity.Actor, batch ...any) []learning.Answer {
	c.Helper()
	raw, err := json.Marshal(batch)
	c.must(err)
	answers, err := c.Append(c.Context(), by, raw)
	c.must(err)
	if len(answers) != len(batch) {
		c.Fatalf("%d answers to %d statements", len(answers), len(batch))
	}
	return answers
}

// said tells an answer in one line.
func short(a learning.Answer) string {
	if a.Fault == nil {
		return string(a.Status)
	}
	return string(a.Status) + " " + a.Fault.Pointer + " " + a.Fault.Key
}

func (c *class) progress(e learning.Enrollment) map[curriculum.ContentID]learning.Progress {
	c.Helper()
	ps, err := c.Store.ListProgress(c.Context(), e.ID)
	c.must(err)
	out := map[curriculum.ContentID]learning.Progress{}
	for _, p := range ps {
		out[p.ObjectID] = p
	}
	return out
}

// certificates claims the jobs that ask for a certificate and counts them by enrollment.
func (c *class) certificates() map[learning.EnrollmentID]int {
	c.Helper()
	out := map[learning.EnrollmentID]int{}
	jobs, err := c.db.Outbox().Claim(c.Context(), job.Housekeeping, 100, time.Minute)
	c.must(err)
	for _, j := range jobs {
		var p learning.CompletedPayload
		if j.Kind != learning.CompletedKind {
			c.Errorf("a job %s", j.Kind)
		}
		c.must(json.Unmarshal(j.Payload, &p))
		out[p.EnrollmentID]++
	}
	return out
}

// record is what a verdict does: a statement of the server's own, in a transaction.
func (c *class) record(sts ...learning.Statement) error {
	return c.Store.InTx(c.Context(), func(tx learning.Store) error { return c.Record(c.Context(), tx, sts...) })
}

func (c *class) passed(e learning.Enrollment) learning.Statement {
	one, yes, now := 1.0, true, c.clock()
	return learning.Statement{
		ID: learning.StatementID(v7()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, Verb: learning.Passed,
		ObjectID: "code", Result: learning.Result{Score: &one, Success: &yes}, At: now, ReceivedAt: now,
	}
}

var right = map[string]any{"q1": "right", "q2": "right"}

func want(t *testing.T, err error, code fault.Code, key string) {
	t.Helper()
	var f *fault.Error
	got := ""
	if errors.As(err, &f) {
		if got = f.Key; len(f.Details) > 0 {
			got = f.Details[0].Key
		}
	}
	if !fault.Is(err, code) || got != key {
		t.Errorf("%v, want %s %s", err, code, key)
	}
}

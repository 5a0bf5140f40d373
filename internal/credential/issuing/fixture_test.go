package issuing_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

const course curriculum.CourseID = "ai-in-daily-life"

// office is an institution with a course, staff and a whole issuing service over a real store.
type office struct {
	*testing.T
	*issuing.Service
	keys       *keyring.Service
	credential *credential.Service
	db         *store.DB
	in         institution.Institution
	version    curriculum.Version
	admin      identity.Actor
	issuer     identity.Actor
	names      sync.Map // of users who have another name than their account's

	mu    sync.Mutex
	clock time.Time
}

func newOffice(t *testing.T) *office {
	t.Helper()
	return openOffice(t, filepath.Join(t.TempDir(), "banyan.db"))
}

// onBoth runs a test on either database: they lock in different ways.
func onBoth(t *testing.T, run func(t *testing.T, o *office)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { run(t, newOffice(t)) })
	t.Run("Postgres", func(t *testing.T) { run(t, openOffice(t, storetest.Postgres(t))) })
}

func openOffice(t *testing.T, url string) *office {
	t.Helper()
	db, err := store.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &office{T: t, db: db, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	o.must(db.Migrate(t.Context()))
	o.in = institution.Institution{ID: identity.InstitutionID(newV7()), Slug: "north", Name: "North", CreatedAt: o.clock}
	o.must(db.Institution().CreateInstitution(t.Context(), o.in))
	o.version = o.publish(course)
	o.admin, o.issuer = o.staff(identity.Admin), o.staff(identity.Issuer)
	sealer, err := signing.NewEphemeral()
	o.must(err)
	o.keys = &keyring.Service{
		Store: db.Keyring(), Institutions: institutions{db.Institution()},
		Sealer: sealer, PublicURL: "https://learn.example", Random: rand.Reader, Now: o.now, NewID: newV7,
	}
	o.credential = &credential.Service{
		Store: db.Credential(), Enrollments: db.Learning(), Courses: db.Curriculum(), People: db.Identity(), Institutions: institutions{db.Institution()},
		Words: words{}, Keys: o.keys, Lists: &statuslist.Service{Store: db.StatusLists(), Keys: o.keys, Now: o.now, NewID: newV7, Random: rand.Reader}, Now: o.now, NewID: newV7,
	}
	o.Service = &issuing.Service{
		Store: db.Issuing(), Learning: db.Learning(), Courses: db.Curriculum(), People: db.Identity(), Press: o.credential,
		HolderName: o.name, Now: o.now, NewID: newV7,
	}
	o.credential.Limits = o.Limits
	return o
}

type institutions struct{ *store.Institution }

func (i institutions) Find(ctx context.Context, id identity.InstitutionID) (institution.Institution, error) {
	return i.FindInstitution(ctx, id)
}

func (i institutions) FindBySlug(ctx context.Context, slug string) (institution.Institution, error) {
	return i.FindInstitutionBySlug(ctx, slug)
}

func (i institutions) FindByDomain(ctx context.Context, domain string) (institution.Institution, error) {
	return i.FindInstitutionByDomain(ctx, domain)
}

type vaults struct{ *store.Curriculum }

func (vaults) OpenVault(context.Context, curriculum.Version) (curriculum.VaultFile, error) {
	return curriculum.VaultFile{}, nil
}

type words struct{}

func (words) T(_, key string, args map[string]any) string {
	return fmt.Sprint(key, " ", args["Percent"])
}

func newV7() string { return uuid.Must(uuid.NewV7()).String() }

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

// now moves on by a second each time: two things never happen at once.
func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock = o.clock.Add(time.Second)
	return o.clock
}

func (o *office) name(ctx context.Context, id identity.UserID) (string, bool, error) {
	if n, ok := o.names.Load(id); ok {
		return n.(string), true, nil
	}
	u, err := o.db.Identity().FindUser(ctx, id)
	return u.DisplayName, false, err
}

// publish makes a course of a lesson, a graded quiz, a quiz for practice and a lab.
func (o *office) publish(id curriculum.CourseID) curriculum.Version {
	o.Helper()
	text := func(s string) curriculum.Text { return curriculum.Text{"en": s} }
	item := func(id curriculum.ContentID, k curriculum.Kind, graded bool) curriculum.Item {
		return curriculum.Item{ID: id, Kind: k, Graded: graded, Title: text("The " + string(id))}
	}
	v, _, err := o.db.Curriculum().CreateVersion(o.Context(), curriculum.Version{
		ID: curriculum.VersionID(newV7()), CourseID: id, InstitutionID: string(o.in.ID), Digest: blob.Of([]byte(newV7())), PublishedAt: o.clock,
		Manifest: curriculum.Manifest{
			CourseID: id, Title: text("AI in daily life"), SourceLocale: "en", Locales: []string{"en"},
			Criteria: curriculum.Criteria{Lessons: true, Quizzes: 0.5, Labs: true},
			Modules: []curriculum.Module{{Items: []curriculum.Item{
				item("lesson", curriculum.Lesson, false), item("quiz", curriculum.Quiz, true), item("practice", curriculum.Quiz, false), item("lab", curriculum.Lab, false),
			}}},
			Achievement: curriculum.Achievement{
				Name: text("AI in daily life"), Description: text("Knows what AI is."), Narrative: text("Did everything."),
				Competences: []string{"cfs.ethics.apply", "cft.ethics.deepen"},
			},
		},
	})
	o.must(err)
	return v
}

func (o *office) person() identity.User {
	o.Helper()
	u := identity.User{ID: identity.UserID(newV7()), Locale: "en", CreatedAt: o.clock}
	u.Username = "u" + string(u.ID)[24:]
	u.DisplayName = "Person " + u.Username
	o.must(o.db.Identity().CreateUser(o.Context(), u, "x", nil))
	return u
}

func (o *office) staff(r identity.Role) identity.Actor {
	o.Helper()
	u, m := o.person(), identity.Membership{InstitutionID: o.in.ID, Role: r}
	_, err := o.db.Institution().AddMembership(o.Context(), u.ID, m)
	o.must(err)
	return identity.Actor{UserID: u.ID, Memberships: []identity.Membership{m}}
}

func (o *office) enroll(v curriculum.Version) learning.Enrollment {
	o.Helper()
	e := learning.Enrollment{ID: learning.EnrollmentID(newV7()), UserID: o.person().ID, InstitutionID: o.in.ID, CourseID: v.CourseID, VersionID: v.ID, CreatedAt: o.clock}
	o.must(o.db.Learning().CreateEnrollment(o.Context(), e))
	return e
}

// does records that things are done, with a score where one is not negative.
func (o *office) does(e learning.Enrollment, done map[curriculum.ContentID]float64) {
	o.Helper()
	var ps []learning.Progress
	for id, score := range done {
		p := learning.Progress{EnrollmentID: e.ID, ObjectID: id, Started: true, Completed: true, UpdatedAt: o.clock}
		if score >= 0 {
			p.Score = &score
		}
		ps = append(ps, p)
	}
	o.must(o.db.Learning().MergeProgress(o.Context(), ps))
}

// finished is all of the course, with the scores 0.8 and 1.
func finished() map[curriculum.ContentID]float64 {
	return map[curriculum.ContentID]float64{"lesson": -1, "quiz": 0.8, "lab": 1, curriculum.ContentID(course): -1}
}

// completed is the job that a finished course causes; it stands in the outbox.
func (o *office) completed(e learning.Enrollment) job.Job {
	o.Helper()
	j, err := job.New(job.ID(newV7()), learning.CompletedKind, learning.CompletedPayload{EnrollmentID: e.ID})
	o.must(err)
	o.must(o.db.Learning().Enqueue(o.Context(), j))
	return j
}

// earned gives the award of somebody who has finished the course. Nothing is issued yet.
func (o *office) earned() issuing.Award {
	o.Helper()
	e := o.enroll(o.version)
	o.does(e, finished())
	o.must(o.Weigh(o.Context(), o.completed(e)))
	a, err := o.db.Issuing().FindAwardOf(o.Context(), e.ID)
	o.must(err)
	return a
}

func (o *office) handlers() map[job.Kind]job.Handler {
	return map[job.Kind]job.Handler{
		learning.CompletedKind: o.Weigh, learning.ProgressedKind: o.Weigh,
		issuing.IssueKind: o.Issue, issuing.BatchKind: o.RunBatch, issuing.CriteriaKind: o.Reweigh,
	}
}

// drain does every job that is due, and each once more.
func (o *office) drain() {
	o.Helper()
	for {
		jobs, err := o.db.Outbox().Start(o.Context(), job.Housekeeping, 50, time.Minute)
		o.must(err)
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			for range 2 {
				o.must(o.handlers()[j.Kind](o.Context(), j))
			}
		}
	}
}

func (o *office) award(id issuing.AwardID) issuing.Award {
	o.Helper()
	a, err := o.db.Issuing().FindAward(o.Context(), id)
	o.must(err)
	return a
}

// held is the credential of an award, checked from its signature on.
func (o *office) held(a issuing.Award) credential.Standing {
	o.Helper()
	st, err := o.credential.Check(o.Context(), o.award(a.ID).CredentialID)
	o.must(err)
	return st
}

func (o *office) ask(t issuing.Terms) issuing.Criteria {
	o.Helper()
	c, err := o.SetCriteria(o.Context(), o.admin, o.in.ID, course, t)
	o.must(err)
	o.drain()
	return c
}

func wantFault(t *testing.T, err error, code fault.Code, key string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != code || f.Key != key {
		t.Errorf("got %v, want the fault %s %s", err, code, key)
	}
}

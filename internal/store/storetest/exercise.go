package storetest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

// Exercise shows that a database keeps every promise of every domain's Store.
// open gives a new, empty, migrated database for each call.
func Exercise(t *testing.T, open func(t *testing.T) *store.DB) {
	for _, part := range []struct {
		name string
		run  func(t *testing.T, w *world)
	}{
		{"identity", exerciseIdentity},
		{"institution", exerciseInstitution},
		{"curriculum", exerciseCurriculum},
		{"learning", exerciseLearning},
		{"statements", exerciseStatements},
		{"sync", exerciseSync},
		{"progress", exerciseProgress},
		{"lab", exerciseLab},
		{"regrade", exerciseRegrade},
		{"credential", exerciseCredential},
		{"issuing", exerciseIssuing},
		{"wallet", exerciseWallet},
		{"paper", exercisePaper},
		{"erase", exerciseErase},
		{"recognition", exerciseRecognition},
		{"audit", exerciseAudit},
		{"seen lists", exerciseSeen},
		{"bundle", exerciseBundle},
		{"outbox", exerciseOutbox},
		{"transactions", exerciseTransactions},
		{"values", exerciseValues},
	} {
		t.Run(part.name, func(t *testing.T) {
			w := settle(t, open(t))
			w.fresh = open
			part.run(t, w)
		})
	}
}

// world is a database with one school, one learner and one course in it.
type world struct {
	*store.DB
	school     institution.Institution
	learner    identity.User
	version    curriculum.Version
	enrollment learning.Enrollment
	fresh      func(t *testing.T) *store.DB // gives another database
}

// noon is a time with every microsecond digit but the last ones set: what is
// stored must come back whole, and 12.5 must not sort before 12.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func settle(t *testing.T, db *store.DB) *world {
	t.Helper()
	w := &world{DB: db}
	w.school = w.addSchool(t, "acacia")
	w.learner = w.addUser(t, "amina")
	w.version = w.publish(t, "ai-in-daily-life", w.school)
	w.enrollment = w.enroll(t, w.learner, w.version)
	return w
}

func (w *world) addSchool(t *testing.T, slug string) institution.Institution {
	t.Helper()
	i := institution.Institution{ID: newID[identity.InstitutionID](), Slug: slug, Name: "School " + slug, CreatedAt: noon}
	ok(t, w.Institution().CreateInstitution(t.Context(), i))
	return i
}

func (w *world) addUser(t *testing.T, name string, ms ...identity.Membership) identity.User {
	t.Helper()
	u := identity.User{ID: newID[identity.UserID](), Username: name, DisplayName: "أمينة " + name, Locale: "ar", CreatedAt: noon}
	ok(t, w.Identity().CreateUser(t.Context(), u, "hash of "+name, ms))
	return u
}

func (w *world) publish(t *testing.T, course curriculum.CourseID, by institution.Institution) curriculum.Version {
	t.Helper()
	v, created, err := w.Curriculum().CreateVersion(t.Context(), edition(course, by, uuid.NewString()))
	ok(t, err)
	if !created {
		t.Fatal("a new digest is no new version")
	}
	return v
}

// edition is a course version that differs by its words alone.
func edition(course curriculum.CourseID, by institution.Institution, words string) curriculum.Version {
	return curriculum.Version{
		ID: newID[curriculum.VersionID](), CourseID: course, InstitutionID: string(by.ID), Digest: blob.Of([]byte(words)),
		Manifest: curriculum.Manifest{
			Format: 1, CourseID: course, Title: curriculum.Text{"en": words, "ar": "الذكاء <&> \u2028"}, SourceLocale: "en",
			Locales: []string{"en", "ar"}, Authors: []string{"Zoë"}, Minutes: 120,
			Modules: []curriculum.Module{{ID: "one", Items: []curriculum.Item{
				{ID: "lesson", Kind: curriculum.Lesson, Words: map[string]int{"en": 500}},
				{ID: "lab", Kind: curriculum.Lab},
			}}},
			Criteria: curriculum.Criteria{Lessons: true, Quizzes: 0.7},
		},
		PublishedAt: noon,
	}
}

func (w *world) enroll(t *testing.T, u identity.User, v curriculum.Version) learning.Enrollment {
	t.Helper()
	e := learning.Enrollment{
		ID: newID[learning.EnrollmentID](), UserID: u.ID, InstitutionID: identity.InstitutionID(v.InstitutionID),
		CourseID: v.CourseID, VersionID: v.ID, CreatedAt: noon,
	}
	ok(t, w.Learning().CreateEnrollment(t.Context(), e))
	return e
}

func newID[ID ~string]() ID {
	id, err := uuid.NewV7()
	if err != nil {
		panic(err)
	}
	return ID(id.String())
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantFault wants a fault of a code and a key.
func wantFault(t *testing.T, err error, code fault.Code, key string) {
	t.Helper()
	if !isFault(err, code, key) {
		t.Errorf("got %v, want the fault %s %s", err, code, key)
	}
}

func isFault(err error, code fault.Code, key string) bool {
	return fault.Is(err, code) && strings.HasPrefix(err.Error(), string(code)+" "+key)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// together runs n goroutines that start at once and gives their errors.
func together(ctx context.Context, n int, fn func(ctx context.Context, i int) error) []error {
	start := make(chan struct{})
	ends := make(chan error)
	for i := range n {
		go func() {
			<-start
			ends <- fn(ctx, i)
		}()
	}
	close(start)
	errs := make([]error, n)
	for i := range errs {
		errs[i] = <-ends
	}
	return errs
}

func allOK(t *testing.T, errs []error) {
	t.Helper()
	for _, err := range errs {
		ok(t, err)
	}
}

// changed wants no error, and a change or none.
func changed(t *testing.T, want bool) func(bool, error) {
	t.Helper()
	return func(got bool, err error) {
		t.Helper()
		ok(t, err)
		equal(t, "changed", got, want)
	}
}

package lab_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// published is a course with three versions of one lab: the first wants what no right program gives in one check, the
// second cannot judge at all, the third is right.
type published struct {
	*store.Curriculum
	labs map[curriculum.VersionID]labdef.Lab
}

func (p published) OpenVault(_ context.Context, v curriculum.Version) (curriculum.VaultFile, error) {
	return curriculum.VaultFile{Labs: map[curriculum.ContentID]labdef.Lab{"sum": p.labs[v.ID]}}, nil
}

// lecture is a whole school of one course over SQLite.
type lecture struct {
	*testing.T
	db       *store.DB
	s        *lab.Service
	learning *learning.Service
	in       institution.Institution
	versions []curriculum.Version
	labs     []labdef.Lab
	teacher  identity.Actor
	clock    time.Time
	mu       sync.Mutex
}

func newLecture(t *testing.T) *lecture {
	t.Helper()
	return openLecture(t, filepath.Join(t.TempDir(), "banyan.db"))
}

// onBoth runs a test on either database: they lock in different ways.
func onBoth(t *testing.T, run func(t *testing.T, c *lecture)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) { run(t, newLecture(t)) })
	t.Run("Postgres", func(t *testing.T) { run(t, openLecture(t, storetest.Postgres(t))) })
}

func openLecture(t *testing.T, url string) *lecture {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	c := &lecture{T: t, db: db, clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	c.must(db.Migrate(ctx))
	c.in = institution.Institution{ID: identity.InstitutionID(newV7()), Slug: "north", Name: "North", CreatedAt: c.now()}
	c.must(db.Institution().CreateInstitution(ctx, c.in))
	c.teacher = c.person(identity.Trainer)
	p := published{db.Curriculum(), map[curriculum.VersionID]labdef.Lab{}}
	strict, faulty := titled(), titled()
	strict.Checks[0].Rule.Want = 99.0
	faulty.Checks = nil
	c.labs = []labdef.Lab{strict, faulty, titled()}
	for i, l := range c.labs {
		v, _, err := db.Curriculum().CreateVersion(ctx, curriculum.Version{
			ID: curriculum.VersionID(newV7()), CourseID: "sums", InstitutionID: string(c.in.ID), Digest: blob.Of([]byte{byte(i)}), PublishedAt: c.now(),
			Manifest: curriculum.Manifest{
				SourceLocale: "en", Criteria: curriculum.Criteria{Labs: true},
				Modules: []curriculum.Module{{Items: []curriculum.Item{{ID: "sum", Kind: curriculum.Lab}}}},
			},
		})
		c.must(err)
		p.labs[v.ID] = l
		c.versions = append(c.versions, v)
	}
	c.learning = &learning.Service{Store: db.Learning(), Courses: p, Now: c.now, NewID: newV7}
	c.s = &lab.Service{Store: db.Lab(), Learning: c.learning, Courses: p, Grader: grading.Grader{Engine: &sandbox.Fake{}}, Now: c.now, NewID: newV7}
	return c
}

func newV7() string { return uuid.Must(uuid.NewV7()).String() }

func (c *lecture) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// now moves with each look, so that times tell an order.
func (c *lecture) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.clock = c.clock.Add(time.Millisecond)
	return c.clock
}

func (c *lecture) person(r identity.Role) identity.Actor {
	c.Helper()
	u := identity.User{ID: identity.UserID(newV7()), Username: "u" + newV7()[24:], DisplayName: "Somebody", CreatedAt: c.now()}
	ms := []identity.Membership{{InstitutionID: c.in.ID, Role: r}}
	c.must(c.db.Identity().CreateUser(c.Context(), u, "", ms))
	return identity.Actor{UserID: u.ID, Memberships: ms}
}

// learner is somebody in one version of the course.
type learner struct {
	identity.Actor
	learning.Enrollment
}

func (c *lecture) learner(version int) learner {
	c.Helper()
	who := c.person(identity.Learner)
	e := learning.Enrollment{
		ID: learning.EnrollmentID(newV7()), UserID: who.UserID, InstitutionID: c.in.ID, CourseID: "sums",
		VersionID: c.versions[version-1].ID, CreatedAt: c.now(),
	}
	c.must(c.db.Learning().CreateEnrollment(c.Context(), e))
	return learner{who, e}
}

// submit hands in and has it graded.
func (c *lecture) submit(l learner, source string) lab.SubmissionID {
	c.Helper()
	id := lab.SubmissionID(newV7())
	_, _, err := c.s.Submit(c.Context(), l.Actor, lab.NewSubmission{
		ID: id, EnrollmentID: l.ID, LabID: "sum", Files: map[string]string{"main.py": source}, Locale: "en",
	})
	c.must(err)
	c.drain()
	return id
}

func (c *lecture) table() job.Table {
	return job.Table{
		Handlers: map[job.Kind]job.Handler{
			lab.GradeKind: c.s.Grade, lab.PlanRegradeKind: c.s.PlanRegrade, lab.RegradeKind: c.s.Regrade, lab.ApplyRegradeKind: c.s.Apply,
		},
		Parked: map[job.Kind]func(context.Context, job.Job, error) error{lab.GradeKind: c.s.Parked, lab.RegradeKind: c.s.RegradeParked},
	}
}

// handler gives who does a job; others' jobs are merely ended.
func (c *lecture) handler(j job.Job) job.Handler {
	if h, ok := c.table().Handlers[j.Kind]; ok {
		return h
	}
	return func(ctx context.Context, j job.Job) error {
		_, err := c.db.Outbox().FinishJob(ctx, j.ID)
		return err
	}
}

// drain does all that is due, every job twice and at the same time: what is done by one is not done by the other.
func (c *lecture) drain() {
	c.Helper()
	for {
		jobs, err := c.db.Outbox().Start(c.Context(), job.Housekeeping, 20, time.Hour)
		c.must(err)
		if len(jobs) == 0 {
			return
		}
		var both sync.WaitGroup
		for _, j := range jobs {
			h := c.handler(j)
			for range 2 {
				both.Go(func() {
					if err := h(c.Context(), j); err != nil {
						c.Errorf("%s: %v", j.Kind, err)
					}
				})
			}
		}
		both.Wait()
	}
}

func (c *lecture) start(from, to int) lab.RegradeID {
	c.Helper()
	r, created, err := c.s.StartRegrade(c.Context(), c.teacher, lab.NewRegrade{
		ID: lab.RegradeID(newV7()), InstitutionID: c.in.ID, CourseID: "sums", LabID: "sum", From: from, To: to,
	})
	c.must(err)
	if !created || r.State() != lab.Running {
		c.Fatalf("started: %v, %s", created, r.State())
	}
	return r.ID
}

func (c *lecture) find(id lab.RegradeID) lab.Regrade {
	c.Helper()
	r, err := c.s.FindRegrade(c.Context(), c.teacher, c.in.ID, id)
	c.must(err)
	return r
}

func (c *lecture) verdict(id lab.SubmissionID) lab.Verdict {
	c.Helper()
	v, err := c.db.Lab().FindVerdict(c.Context(), id)
	c.must(err)
	return v
}

// progress gives the progress on the lab and on the course, and wants a rebuild to give the same.
func (c *lecture) progress(l learner) (of, course learning.Progress) {
	c.Helper()
	read := func() map[curriculum.ContentID]learning.Progress {
		ps, err := c.db.Learning().ListProgress(c.Context(), l.ID)
		c.must(err)
		out := map[curriculum.ContentID]learning.Progress{}
		for _, p := range ps {
			out[p.ObjectID] = p
		}
		return out
	}
	before := read()
	_, err := c.learning.Rebuild(c.Context(), identity.System(), nil)
	c.must(err)
	if after := read(); !reflect.DeepEqual(before, after) {
		c.Errorf("progress %+v, but derived anew %+v", before, after)
	}
	return before["sum"], before["sums"]
}

func score(p learning.Progress) float64 {
	if p.Score == nil {
		return -1
	}
	return *p.Score
}

// The newer lab gives some more, some less, and to some an answer at last; only what is in their favour takes effect.
func TestRegradeInTheLearnersFavour(t *testing.T) {
	onBoth(t, func(t *testing.T, c *lecture) {
		right, strict := labtest.Source(c.labs[2], "Hello"), labtest.Source(c.labs[0], "Hello")
		amina, bilal, chen := c.learner(1), c.learner(2), c.learner(3)
		better := c.submit(amina, right)                        // 0.8, then passed
		worse := c.submit(amina, strict)                        // passed, then 0.8
		same := c.submit(amina, `# fake: {"end": "timed_out"}`) // an error either way
		var stuck []lab.SubmissionID
		for range 3 { // no answer, then passed; the middle one fails
			source := right
			if len(stuck) == 1 {
				source = labtest.Source(c.labs[2], "", "nothing")
			}
			stuck = append(stuck, c.submit(bilal, source))
		}
		theirs := c.submit(chen, right) // of the newer version already
		for id, want := range map[lab.SubmissionID]lab.Outcome{
			better: lab.Partial, worse: lab.Passed, stuck[0]: lab.AuthorError, stuck[1]: lab.AuthorError, theirs: lab.Passed,
		} {
			if v := c.verdict(id); v.Outcome != want || v.Revision != 1 {
				t.Fatalf("%s: %+v, want %s", id, v, want)
			}
		}
		if p, course := c.progress(bilal); p.Attempts != 0 || course.Completed {
			t.Fatalf("bilal before: %+v", p)
		}
		if list, err := c.s.ListFaultyLabs(t.Context(), c.teacher, c.in.ID); err != nil || len(list) != 1 || list[0].Submissions != 3 || list[0].Version.Number != 2 {
			t.Fatalf("labs at fault: %+v, %v", list, err)
		}

		id := c.start(0, 3)
		if _, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.Favourable); !fault.Is(err, fault.Conflict) {
			t.Errorf("applied before it was ready: %v", err)
		}
		c.drain()
		r := c.find(id)
		if r.State() != lab.Ready || r.Total != 6 || !reflect.DeepEqual(r.Results, map[lab.Change]int{lab.Better: 4, lab.Worse: 1, lab.Same: 1}) {
			t.Fatalf("preview %+v, %s", r, r.State())
		}
		if v := c.verdict(better); v.Outcome != lab.Partial || v.RegradeID != "" {
			t.Errorf("a preview changed a verdict: %+v", v)
		}
		list, err := c.s.ListResults(t.Context(), c.teacher, c.in.ID, id, lab.Worse, "", 10)
		if err != nil || len(list) != 1 || list[0].SubmissionID != worse || list[0].OldOutcome != lab.Passed || list[0].Verdict.Outcome != lab.Partial {
			t.Errorf("what is worse: %+v, %v", list, err)
		}

		for range 2 { // twice is no error
			if r, err = c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.Favourable); err != nil || r.State() != lab.Applying {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		if _, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All); !fault.Is(err, fault.Conflict) {
			t.Errorf("applied in another way too: %v", err)
		}
		c.drain()
		if r = c.find(id); r.State() != lab.Applied || r.Applied != 4 {
			t.Fatalf("applied %+v, %s", r, r.State())
		}
		tests := []struct {
			name     string
			id       lab.SubmissionID
			outcome  lab.Outcome
			attempt  int
			revision int
		}{
			{"better", better, lab.Passed, 1, 2},
			{"worse", worse, lab.Passed, 2, 1},
			{"same", same, c.verdict(same).Outcome, 3, 1},
			{"stuck, first", stuck[0], lab.Passed, 1, 2},
			{"stuck, second", stuck[1], lab.Failed, 2, 2},
			{"stuck, third", stuck[2], lab.Passed, 3, 2},
			{"of the newer version", theirs, lab.Passed, 1, 1},
		}
		for _, tt := range tests {
			v := c.verdict(tt.id)
			if v.Outcome != tt.outcome || v.Attempt != tt.attempt || v.Revision != tt.revision {
				t.Errorf("%s: %+v", tt.name, v)
			}
			if again := tt.revision > 1; again != (v.RegradeID == id) || again && v.VersionID != c.versions[2].ID {
				t.Errorf("%s: regrade %q, version %s", tt.name, v.RegradeID, v.VersionID)
			}
		}
		g, err := c.s.Find(t.Context(), amina.Actor, better)
		if err != nil || g.Version != 3 || len(g.Earlier) != 1 || g.Earlier[0].Outcome != lab.Partial || g.Earlier[0].Version != 1 {
			t.Errorf("what its learner sees: %+v, %v", g, err)
		}
		if p, course := c.progress(amina); p.Attempts != 3 || score(p) != 1 || !course.Completed {
			t.Errorf("amina: %+v, %+v", p, course)
		}
		if p, course := c.progress(bilal); p.Attempts != 3 || score(p) != 1 || !course.Completed {
			t.Errorf("bilal: %+v, %+v", p, course)
		}
		if list, err := c.s.ListFaultyLabs(t.Context(), c.teacher, c.in.ID); err != nil || len(list) != 0 {
			t.Errorf("labs at fault afterwards: %+v, %v", list, err)
		}
		// Once more: only what stands from an older version is left.
		id = c.start(0, 3)
		c.drain()
		if r := c.find(id); r.Total != 2 || r.Results[lab.Better] != 0 {
			t.Errorf("again: %+v", r)
		}
	})
}

// With everything applied a pass may be taken back; a finished course is not.
func TestRegradeAll(t *testing.T) {
	onBoth(t, func(t *testing.T, c *lecture) {
		right, strict := labtest.Source(c.labs[2], "Hello"), labtest.Source(c.labs[0], "Hello")
		finished, twice := c.learner(1), c.learner(1)
		lost := c.submit(finished, strict)
		c.submit(twice, strict)
		c.submit(twice, right) // what passes in the newer version makes up for the other
		if p, course := c.progress(finished); !p.Completed || !course.Completed || score(p) != 1 {
			t.Fatalf("before: %+v", p)
		}
		id := c.start(1, 3)
		c.drain()
		_, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All)
		c.must(err)
		c.drain()
		if r := c.find(id); r.Applied != 3 || r.State() != lab.Applied {
			t.Fatalf("%+v", r)
		}
		if v := c.verdict(lost); v.Outcome != lab.Partial || v.Attempt != 1 || v.Revision != 2 {
			t.Errorf("%+v", v)
		}
		if p, course := c.progress(finished); p.Completed || score(p) != 0.8 || p.Attempts != 1 || !course.Completed {
			t.Errorf("who lost a pass: %+v, %+v", p, course)
		}
		if p, _ := c.progress(twice); !p.Completed || score(p) != 1 || p.Attempts != 2 {
			t.Errorf("who passes with another: %+v", p)
		}
		// And back: revisions go on.
		id = c.start(1, 1+1)
		c.drain()
		if r := c.find(id); r.Results[lab.Broken] != 3 {
			t.Errorf("a lab that cannot judge: %+v", r)
		}
		_, err = c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All)
		c.must(err)
		c.drain()
		if v := c.verdict(lost); v.Revision != 2 || c.find(id).Applied != 0 {
			t.Errorf("what is broken took effect: %+v", v)
		}
		c.submit(finished, labtest.Source(c.labs[0], "Hello"))
		if p, _ := c.progress(finished); !p.Completed || p.Attempts != 2 {
			t.Errorf("a pass afterwards: %+v", p)
		}
	})
}

// flaky fails in the middle of things.
type flaky struct {
	lab.Store
	left *int
}

var errKilled = errors.New("killed")

func (f flaky) InTx(ctx context.Context, fn func(lab.Store) error) error {
	return f.Store.InTx(ctx, func(tx lab.Store) error { return fn(flaky{tx, f.left}) })
}

func (f flaky) SettleResult(ctx context.Context, id lab.RegradeID, sub lab.SubmissionID, applied bool, at time.Time) error {
	if *f.left--; *f.left == 0 {
		return errKilled
	}
	return f.Store.SettleResult(ctx, id, sub, applied, at)
}

// Many submissions, planned in pieces and applied in pieces, with a handler that dies again and again.
func TestRegradeOfManyIsResumed(t *testing.T) {
	onBoth(t, func(t *testing.T, c *lecture) {
		const learners, each = 13, 20
		right := labtest.Source(c.labs[2], "Hello")
		var all []learner
		for range learners {
			l := c.learner(1)
			all = append(all, l)
			for range each {
				id := lab.SubmissionID(newV7())
				_, _, err := c.s.Submit(t.Context(), l.Actor, lab.NewSubmission{ID: id, EnrollmentID: l.ID, LabID: "sum", Files: map[string]string{"main.py": right}})
				c.must(err)
			}
		}
		c.drain()
		id := c.start(0, 3)
		c.drain()
		r := c.find(id)
		if r.Total != learners*each || r.Graded() != r.Total || r.State() != lab.Ready {
			t.Fatalf("%d of %d graded, %s", r.Graded(), r.Total, r.State())
		}
		_, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.Favourable)
		c.must(err)
		left := 33 // results until the handler dies, and it does for each such number
		whole := c.s.Store
		c.s.Store = flaky{whole, &left}
		deaths := 0
		for c.find(id).State() == lab.Applying {
			jobs, err := c.db.Outbox().Start(t.Context(), job.Regrade, 10, 0)
			c.must(err)
			for _, j := range jobs {
				if err := c.handler(j)(t.Context(), j); errors.Is(err, errKilled) {
					deaths++
					left = 33 + 7*deaths
				} else {
					c.must(err)
				}
			}
		}
		c.s.Store = whole
		c.drain()
		if r = c.find(id); r.Applied != learners*each || deaths < 3 {
			t.Errorf("%d applied after %d deaths", r.Applied, deaths)
		}
		for _, l := range all {
			p, course := c.progress(l)
			if p.Attempts != each || !p.Completed || !course.Completed {
				t.Errorf("%+v", p)
			}
			sts, err := c.db.Learning().ListStatements(t.Context(), l.Actor.UserID, 0, 500)
			c.must(err)
			passed, finished := 0, 0
			for _, st := range sts {
				if st.Verb == learning.Passed {
					passed++
				}
				if st.Verb == learning.Completed {
					finished++
				}
			}
			if passed != each || finished != 1 {
				t.Errorf("%d verdicts and %d completions in the record", passed, finished)
			}
		}
	})
}

func TestRegradeIsDiscarded(t *testing.T) {
	c := newLecture(t)
	l := c.learner(1)
	sub := c.submit(l, labtest.Source(c.labs[2], "Hello"))
	id := c.start(0, 3)
	for range 2 {
		c.must(c.s.DiscardRegrade(t.Context(), c.teacher, c.in.ID, id))
	}
	c.drain()
	if r := c.find(id); r.State() != lab.Discarded || r.Graded() != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All); !fault.Is(err, fault.Conflict) {
		t.Errorf("applied: %v", err)
	}
	if v := c.verdict(sub); v.Revision != 1 {
		t.Errorf("%+v", v)
	}
	id = c.start(0, 3)
	c.drain()
	_, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.Favourable)
	c.must(err)
	if err := c.s.DiscardRegrade(t.Context(), c.teacher, c.in.ID, id); !fault.Is(err, fault.Conflict) {
		t.Errorf("discarded while it is applied: %v", err)
	}
}

// Of two regrades that were looked at side by side the first to be applied wins.
func TestRegradesSideBySide(t *testing.T) {
	c := newLecture(t)
	l := c.learner(1)
	sub := c.submit(l, labtest.Source(c.labs[2], "Hello"))
	one, two := c.start(0, 3), c.start(1, 3)
	c.drain()
	for _, id := range []lab.RegradeID{two, one} {
		_, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All)
		c.must(err)
		c.drain()
	}
	if v := c.verdict(sub); v.RegradeID != two || v.Revision != 2 || c.find(one).Applied != 0 || c.find(two).Applied != 1 {
		t.Errorf("%+v", v)
	}
}

// A fault of ours costs nothing in a regrade either: what could not be graded stays as it is, until it can.
func TestRegradeOnABrokenPlatform(t *testing.T) {
	c := newLecture(t)
	sub := c.submit(c.learner(1), labtest.Source(c.labs[2], "Hello"))
	id := c.start(0, 3)
	fake := c.s.Grader
	c.s.Grader = grading.Grader{Engine: labtest.EngineFunc(func(sandbox.Program) (sandbox.Result, error) { return sandbox.Result{}, errors.New("no child") })}
	var parked job.Job
	for try := 1; c.find(id).State() == lab.Running; try++ {
		jobs, err := c.db.Outbox().Start(t.Context(), job.Regrade, 10, 0)
		c.must(err)
		for _, j := range jobs {
			c.must(c.table().Try(t.Context(), c.db.Outbox(), func() time.Time { return time.Now().Add(-time.Hour) }, j))
			parked = j
		}
		if try > 3*job.MaxTries {
			t.Fatal("the regrade never ends")
		}
	}
	if r := c.find(id); r.Results[lab.Broken] != 1 || r.State() != lab.Ready || parked.Kind != lab.RegradeKind {
		t.Fatalf("%+v", r)
	}
	c.s.Grader = fake
	c.must(c.db.Outbox().Release(t.Context(), parked.ID))
	c.drain()
	if r := c.find(id); r.Results[lab.Better] != 1 || r.Results[lab.Broken] != 0 {
		t.Errorf("after the operator's retry: %+v", r)
	}
	if v := c.verdict(sub); v.Revision != 1 {
		t.Errorf("%+v", v)
	}
}

func TestWhoMayRegrade(t *testing.T) {
	c := newLecture(t)
	elsewhere := identity.InstitutionID(newV7())
	n := lab.NewRegrade{ID: lab.RegradeID(newV7()), InstitutionID: c.in.ID, CourseID: "sums", LabID: "sum", To: 3}
	with := func(change func(*lab.NewRegrade)) lab.NewRegrade {
		m := n
		change(&m)
		return m
	}
	token := c.teacher
	token.Scopes = []identity.Scope{identity.ScopeLearn}
	tests := []struct {
		name string
		by   identity.Actor
		n    lab.NewRegrade
		code fault.Code
	}{
		{"nobody", identity.Actor{}, n, fault.Unauthenticated},
		{"a learner", c.person(identity.Learner), n, fault.Denied},
		{"an issuer", c.person(identity.Issuer), n, fault.Denied},
		{"a trainer elsewhere", c.teacher, with(func(n *lab.NewRegrade) { n.InstitutionID = elsewhere }), fault.Denied},
		{"a token that may not", token, n, fault.Denied},
		{"no id", c.teacher, with(func(n *lab.NewRegrade) { n.ID = "x" }), fault.Invalid},
		{"the same version", c.teacher, with(func(n *lab.NewRegrade) { n.From = 3 }), fault.Invalid},
		{"no such version", c.teacher, with(func(n *lab.NewRegrade) { n.To = 9 }), fault.NotFound},
		{"from no such version", c.teacher, with(func(n *lab.NewRegrade) { n.From = 9 }), fault.NotFound},
		{"no such lab", c.teacher, with(func(n *lab.NewRegrade) { n.LabID = "other" }), fault.NotFound},
		{"no such course", c.teacher, with(func(n *lab.NewRegrade) { n.CourseID = "other" }), fault.NotFound},
		{"a trainer", c.teacher, n, ""},
		{"an admin, the same again", c.person(identity.Admin), n, ""},
		{"the id for something else", c.teacher, with(func(n *lab.NewRegrade) { n.To = 2 }), fault.Conflict},
	}
	for _, tt := range tests {
		_, _, err := c.s.StartRegrade(t.Context(), tt.by, tt.n)
		if tt.code == "" && err != nil || tt.code != "" && !fault.Is(err, tt.code) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.code)
		}
	}
	ctx, outsider := t.Context(), identity.Actor{UserID: "o", Memberships: []identity.Membership{{InstitutionID: elsewhere, Role: identity.Admin}}}
	if _, err := c.s.FindRegrade(ctx, outsider, elsewhere, n.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("another institution's: %v", err)
	}
	for name, err := range map[string]error{
		"find":    func() error { _, err := c.s.FindRegrade(ctx, outsider, c.in.ID, n.ID); return err }(),
		"list":    func() error { _, err := c.s.ListRegrades(ctx, outsider, c.in.ID, "", 1); return err }(),
		"results": func() error { _, err := c.s.ListResults(ctx, outsider, c.in.ID, n.ID, "", "", 1); return err }(),
		"apply":   func() error { _, err := c.s.ApplyRegrade(ctx, outsider, c.in.ID, n.ID, lab.All); return err }(),
		"discard": c.s.DiscardRegrade(ctx, outsider, c.in.ID, n.ID),
		"faults":  func() error { _, err := c.s.ListFaultyLabs(ctx, outsider, c.in.ID); return err }(),
		"seen":    c.s.MarkFaultyLabSeen(ctx, outsider, c.in.ID, c.versions[0].ID, "sum", c.now()),
	} {
		if !fault.Is(err, fault.Denied) {
			t.Errorf("%s as an outsider: %v", name, err)
		}
	}
}

// Who hands in again and again waits behind those who wait for their first.
func TestALearnersSecondWaitsBehindAnothersFirst(t *testing.T) {
	c := newLecture(t)
	flood, one := c.learner(1), c.learner(1)
	hand := func(l learner) lab.SubmissionID {
		id := lab.SubmissionID(newV7())
		_, _, err := c.s.Submit(t.Context(), l.Actor, lab.NewSubmission{ID: id, EnrollmentID: l.ID, LabID: "sum", Files: map[string]string{"main.py": `# fake: {"end": "timed_out"}`}})
		c.must(err)
		return id
	}
	var ids []lab.SubmissionID
	for range 15 {
		ids = append(ids, hand(flood))
	}
	last := hand(one)
	places := []int{}
	for _, id := range []lab.SubmissionID{ids[0], last, ids[1], ids[14]} {
		g, err := c.s.Find(t.Context(), c.teacher, id)
		c.must(err)
		places = append(places, g.Place)
	}
	if want := []int{1, 2, 3, 16}; !slices.Equal(places, want) {
		t.Errorf("places %v, want %v", places, want)
	}
	c.start(0, 3) // and nobody waits for a regrade
	for i := range 16 {
		jobs, err := c.db.Outbox().Start(t.Context(), job.Housekeeping, 1, time.Hour)
		c.must(err)
		if len(jobs) != 1 || jobs[0].Kind != lab.GradeKind {
			t.Fatalf("job %d: %v", i, jobs)
		}
		c.must(c.s.Grade(t.Context(), jobs[0]))
	}
	if g, err := c.s.Find(t.Context(), c.teacher, last); err != nil || g.Place != 0 || g.Verdict == nil {
		t.Errorf("%+v, %v", g, err)
	}
}

// A long poll ends when the place in line has changed.
func TestAwaitTellsOfTheLine(t *testing.T) {
	s, st, _ := submitted(t, "x = 1")
	st.place[subID(1)] = 3
	time.AfterFunc(100*time.Millisecond, func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.place[subID(1)] = 2
	})
	began := time.Now()
	g, err := s.Await(t.Context(), ada, subID(1), 20*time.Second)
	if err != nil || g.Place != 2 || g.Verdict != nil || time.Since(began) > 10*time.Second {
		t.Errorf("place %d after %s, %v", g.Place, time.Since(began), err)
	}
}

func TestMarkFaultyLabSeen(t *testing.T) {
	c := newLecture(t)
	l := c.learner(2)
	c.submit(l, "x = 1")
	see := func() []lab.FaultyLab {
		t.Helper()
		list, err := c.s.ListFaultyLabs(t.Context(), c.teacher, c.in.ID)
		c.must(err)
		return list
	}
	list := see()
	if len(list) != 1 || list[0].Submissions != 1 || list[0].LabID != "sum" || list[0].Message != "lab.message.author" {
		t.Fatalf("%+v", list)
	}
	late := list[0].Last.Add(1000 * time.Hour) // nobody has seen the future
	c.must(c.s.MarkFaultyLabSeen(t.Context(), c.teacher, c.in.ID, list[0].VersionID, "sum", late))
	if list = see(); len(list) != 0 {
		t.Errorf("seen: %+v", list)
	}
	c.submit(l, "x = 2")
	if list = see(); len(list) != 1 || list[0].Submissions != 1 {
		t.Errorf("again: %+v", list)
	}
	if err := c.s.MarkFaultyLabSeen(t.Context(), c.teacher, c.in.ID, list[0].VersionID, "other", late); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such lab: %v", err)
	}
}

// Learners hand in, and their devices send, while a regrade takes passes away: progress is in the end what it would be
// derived anew, and every attempt has a number of its own.
func TestRegradeBesideLearners(t *testing.T) {
	onBoth(t, func(t *testing.T, c *lecture) {
		const learners, before, after = 5, 6, 6
		strict := labtest.Source(c.labs[0], "Hello")
		var all []learner
		for range learners {
			l := c.learner(1)
			all = append(all, l)
			for range before {
				c.submit(l, strict)
			}
		}
		id := c.start(0, 3)
		c.drain()
		_, err := c.s.ApplyRegrade(t.Context(), c.teacher, c.in.ID, id, lab.All)
		c.must(err)
		var busy sync.WaitGroup
		for _, l := range all {
			busy.Go(func() {
				for n := range after {
					sub := lab.SubmissionID(newV7())
					_, _, err := c.s.Submit(t.Context(), l.Actor, lab.NewSubmission{ID: sub, EnrollmentID: l.ID, LabID: "sum", Files: map[string]string{"main.py": strict}})
					if err != nil {
						t.Errorf("hand in: %v", err)
					}
					batch := fmt.Sprintf(`[{"id":"%s","enrollment_id":"%s","verb":"started","object_id":"sum","at":"2026-03-01T10:00:%02dZ"}]`, newV7(), l.ID, n)
					if _, err := c.learning.Append(t.Context(), l.Actor, []byte(batch)); err != nil {
						t.Errorf("send: %v", err)
					}
				}
			})
		}
		for range 3 {
			busy.Go(func() {
				for quiet := 0; quiet < 20; {
					jobs, err := c.db.Outbox().Start(t.Context(), job.Housekeeping, 3, time.Hour)
					if err != nil {
						t.Error(err)
						return
					}
					if quiet++; len(jobs) > 0 {
						quiet = 0
					}
					for _, j := range jobs {
						now := func() time.Time { return time.Now().Add(-time.Hour) } // what fails is due at once
						table := c.table()
						table.Handlers[learning.CompletedKind] = c.handler(j)
						if err := table.Try(t.Context(), c.db.Outbox(), now, j); err != nil {
							t.Error(err)
						}
					}
					time.Sleep(10 * time.Millisecond)
				}
			})
		}
		busy.Wait()
		c.drain()
		if r := c.find(id); r.State() != lab.Applied || r.Applied != learners*before {
			t.Errorf("%s, %d applied", r.State(), r.Applied)
		}
		for _, l := range all {
			p, _ := c.progress(l)
			if p.Attempts != before+after || !p.Completed || score(p) != 1 {
				t.Errorf("%+v", p)
			}
			list, err := c.s.List(t.Context(), l.Actor, l.ID, "sum", "", 100)
			c.must(err)
			var numbers []int
			for _, g := range list {
				numbers = append(numbers, g.Verdict.Attempt)
			}
			slices.Sort(numbers)
			for i, n := range numbers {
				if n != i+1 {
					t.Fatalf("attempts are numbered %v", numbers)
				}
			}
		}
	})
}

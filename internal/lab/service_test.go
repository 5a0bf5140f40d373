package lab_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/labdef"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/lab/grading"
	"github.com/banyan-lms/banyan/internal/lab/labtest"
	"github.com/banyan-lms/banyan/internal/lab/sandbox"
	"github.com/banyan-lms/banyan/internal/learning"
)

// state is what the store remembers; a transaction works on a copy.
type state struct {
	subs     map[lab.SubmissionID]lab.Submission
	verdicts map[lab.SubmissionID]lab.Verdict
	jobs     map[job.ID]job.Job
	done     map[job.ID]bool
	sts      []learning.Statement
}

func (s state) copy() state {
	return state{maps.Clone(s.subs), maps.Clone(s.verdicts), maps.Clone(s.jobs), maps.Clone(s.done), slices.Clone(s.sts)}
}

// memStore keeps everything in memory, one transaction at a time.
type memStore struct {
	lab.Store   // what labs alone do not need
	mu          *sync.Mutex
	st          *state
	tx          bool
	enrollments map[learning.EnrollmentID]learning.Enrollment
	fail        *string // the method that fails next
	place       map[lab.SubmissionID]int
}

var errStore = errors.New("the database fails")

func newStore() *memStore {
	return &memStore{
		mu: &sync.Mutex{}, fail: new(string), place: map[lab.SubmissionID]int{},
		st: &state{map[lab.SubmissionID]lab.Submission{}, map[lab.SubmissionID]lab.Verdict{}, map[job.ID]job.Job{}, map[job.ID]bool{}, nil},
		enrollments: map[learning.EnrollmentID]learning.Enrollment{
			"e1": {ID: "e1", UserID: "ada", InstitutionID: "north", CourseID: "sums", VersionID: "v1"},
			"e2": {ID: "e2", UserID: "bob", InstitutionID: "north", CourseID: "sums", VersionID: "v1"},
		},
	}
}

func (m *memStore) InTx(_ context.Context, fn func(lab.Store) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	work := m.st.copy()
	if err := fn(&memStore{mu: &sync.Mutex{}, st: &work, tx: true, enrollments: m.enrollments, fail: m.fail}); err != nil {
		return err
	}
	*m.st = work
	return nil
}

func (m *memStore) do(name string) (unlock func(), err error) {
	m.mu.Lock()
	if *m.fail == name {
		return m.mu.Unlock, errStore
	}
	return m.mu.Unlock, nil
}

func (m *memStore) Learning() learning.Store { return memLearning{m: m} }

func (m *memStore) CreateSubmission(_ context.Context, s lab.Submission) (bool, error) {
	unlock, err := m.do("CreateSubmission")
	defer unlock()
	if _, known := m.st.subs[s.ID]; known || err != nil {
		return false, err
	}
	m.st.subs[s.ID] = s
	return true, nil
}

func (m *memStore) FindSubmission(_ context.Context, id lab.SubmissionID) (lab.Submission, error) {
	unlock, err := m.do("FindSubmission")
	defer unlock()
	s, ok := m.st.subs[id]
	if !ok {
		return s, fault.New(fault.NotFound, "submission.not_found")
	}
	return s, err
}

func (m *memStore) ListSubmissions(_ context.Context, e learning.EnrollmentID, l curriculum.ContentID, before lab.SubmissionID, limit int) ([]lab.Submission, error) {
	unlock, err := m.do("ListSubmissions")
	defer unlock()
	var out []lab.Submission
	for _, s := range m.st.subs {
		if s.EnrollmentID == e && s.LabID == l && (before == "" || s.ID < before) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b lab.Submission) int { return strings.Compare(string(b.ID), string(a.ID)) })
	return out[:min(limit, len(out))], err
}

func (m *memStore) FindVerdict(_ context.Context, id lab.SubmissionID) (lab.Verdict, error) {
	unlock, err := m.do("FindVerdict")
	defer unlock()
	v, ok := m.st.verdicts[id]
	if err == nil && !ok {
		return v, fault.New(fault.NotFound, "verdict.not_found")
	}
	return v, err
}

func (m *memStore) ListVerdicts(_ context.Context, ids []lab.SubmissionID) (map[lab.SubmissionID]lab.Verdict, error) {
	unlock, err := m.do("ListVerdicts")
	defer unlock()
	out := map[lab.SubmissionID]lab.Verdict{}
	for _, id := range ids {
		if v, ok := m.st.verdicts[id]; ok {
			out[id] = v
		}
	}
	return out, err
}

func (m *memStore) AppendVerdict(_ context.Context, v lab.Verdict) error {
	unlock, err := m.do("AppendVerdict")
	defer unlock()
	if old, ok := m.st.verdicts[v.SubmissionID]; ok && old.Outcome != lab.PlatformError {
		return fault.New(fault.Conflict, "verdict.exists")
	}
	m.st.verdicts[v.SubmissionID] = v
	return err
}

func (m *memStore) CountAttempts(_ context.Context, e learning.EnrollmentID, l curriculum.ContentID) (int, error) {
	unlock, err := m.do("CountAttempts")
	defer unlock()
	n := 0
	for id, v := range m.st.verdicts {
		if s := m.st.subs[id]; s.EnrollmentID == e && s.LabID == l && v.Outcome.Counts() {
			n++
		}
	}
	return n, err
}

func (m *memStore) CountWaiting(_ context.Context, user identity.UserID, limit int) (int, error) {
	unlock, err := m.do("CountWaiting")
	defer unlock()
	n := 0
	for id, j := range m.st.jobs {
		if j.Owner == string(user) && !m.st.done[id] {
			n++
		}
	}
	return min(n, limit), err
}

func (m *memStore) Place(_ context.Context, id lab.SubmissionID) (int, error) {
	unlock, err := m.do("Place")
	defer unlock()
	return m.place[id], err
}

func (m *memStore) Enqueue(_ context.Context, j job.Job) error {
	unlock, err := m.do("Enqueue")
	defer unlock()
	if !m.tx {
		return errors.New("work is asked for outside of a transaction")
	}
	m.st.jobs[j.ID] = j
	return err
}

func (m *memStore) FinishJob(_ context.Context, id job.ID) (bool, error) {
	unlock, err := m.do("FinishJob")
	defer unlock()
	if !m.tx {
		return false, errors.New("a job is finished outside of a transaction")
	}
	first := !m.st.done[id]
	m.st.done[id] = true
	return first, err
}

// memLearning is the part of the learning store that labs use.
type memLearning struct {
	learning.Store
	m *memStore
}

func (l memLearning) FindEnrollment(_ context.Context, id learning.EnrollmentID) (learning.Enrollment, error) {
	e, ok := l.m.enrollments[id]
	if !ok {
		return e, fault.New(fault.NotFound, "enrollment.not_found")
	}
	return e, nil
}

func (l memLearning) LockEnrollment(context.Context, learning.EnrollmentID) error {
	if !l.m.tx {
		return errors.New("a lock outside of a transaction")
	}
	return nil
}

// recorder appends statements to the store that it is given.
type recorder struct{}

func (recorder) Record(_ context.Context, tx learning.Store, sts ...learning.Statement) error {
	m := tx.(memLearning).m
	unlock, err := m.do("Record")
	defer unlock()
	if !m.tx {
		return errors.New("a statement outside of a transaction")
	}
	m.st.sts = append(m.st.sts, sts...)
	return err
}

func (r recorder) Revise(ctx context.Context, tx learning.Store, sts ...learning.Statement) error {
	return r.Record(ctx, tx, sts...)
}

// courses is one version with one lab and one lesson.
type courses struct{ l labdef.Lab }

func (courses) FindVersion(_ context.Context, id curriculum.VersionID) (curriculum.Version, error) {
	if id != "v1" {
		return curriculum.Version{}, fault.New(fault.NotFound, "version.not_found")
	}
	return curriculum.Version{ID: "v1", Number: 1, Manifest: curriculum.Manifest{SourceLocale: "en", Modules: []curriculum.Module{{
		Items: []curriculum.Item{{ID: "sum", Kind: curriculum.Lab}, {ID: "read", Kind: curriculum.Lesson}},
	}}}}, nil
}

func (c courses) FindVersionNumber(ctx context.Context, _ curriculum.CourseID, n int) (curriculum.Version, error) {
	return c.FindVersion(ctx, curriculum.VersionID(fmt.Sprint("v", n)))
}

func (c courses) OpenVault(context.Context, curriculum.Version) (curriculum.VaultFile, error) {
	return curriculum.VaultFile{Labs: map[curriculum.ContentID]labdef.Lab{"sum": c.l}}, nil
}

var (
	ada     = identity.Actor{UserID: "ada"}
	bob     = identity.Actor{UserID: "bob"}
	trainer = identity.Actor{UserID: "tom", Memberships: []identity.Membership{{InstitutionID: "north", Role: identity.Trainer}}}
	admin   = identity.Actor{UserID: "amy", Memberships: []identity.Membership{{InstitutionID: "north", Role: identity.Admin}}}
	issuer  = identity.Actor{UserID: "ida", Memberships: []identity.Membership{{InstitutionID: "north", Role: identity.Issuer}}}
	other   = identity.Actor{UserID: "oto", Memberships: []identity.Membership{{InstitutionID: "south", Role: identity.Trainer}}}
)

func titled() labdef.Lab {
	l := labtest.Adder()
	for i := range l.Checks {
		l.Checks[i].Title = curriculum.Text{"en": "Title " + l.Checks[i].ID}
		l.Checks[i].Feedback = curriculum.Text{"en": "Feedback " + l.Checks[i].ID}
	}
	return l
}

func newService() (*lab.Service, *memStore) {
	st := newStore()
	n := 0
	return &lab.Service{
		Store: st, Learning: recorder{}, Courses: courses{titled()}, Grader: grading.Grader{Engine: &sandbox.Fake{}},
		Now:   func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) },
		NewID: func() string { n++; return fmt.Sprintf("new-%d", n) },
	}, st
}

// subID is a UUIDv7.
func subID(n int) lab.SubmissionID {
	return lab.SubmissionID(fmt.Sprintf("0195b2f4-0000-7000-8000-%012d", n))
}

func handIn(n int, src string) lab.NewSubmission {
	return lab.NewSubmission{ID: subID(n), EnrollmentID: "e1", LabID: "sum", Files: map[string]string{"main.py": src}, Locale: "ar"}
}

// jobOf finds the job that a submission caused.
func jobOf(t *testing.T, st *memStore, id lab.SubmissionID) job.Job {
	t.Helper()
	for _, j := range st.st.jobs {
		var p lab.GradePayload
		if err := json.Unmarshal(j.Payload, &p); err != nil {
			t.Fatal(err)
		}
		if p.SubmissionID == id && j.Kind == lab.GradeKind {
			return j
		}
	}
	t.Fatalf("no job for %s", id)
	return job.Job{}
}

func TestSubmit(t *testing.T) {
	s, st := newService()
	ctx := context.Background()
	sub, created, err := s.Submit(ctx, ada, handIn(1, "x = 1"))
	want := lab.Submission{
		ID: subID(1), EnrollmentID: "e1", UserID: "ada", InstitutionID: "north", LabID: "sum", VersionID: "v1",
		Files: map[string]string{"main.py": "x = 1"}, Locale: "ar", CreatedAt: s.Now(),
	}
	if err != nil || !created || !reflect.DeepEqual(sub, want) || !reflect.DeepEqual(st.st.subs[sub.ID], want) {
		t.Fatalf("%+v, %v, %v", sub, created, err)
	}
	jobOf(t, st, sub.ID)
	if len(st.st.sts) != 1 {
		t.Fatalf("%+v", st.st.sts)
	}
	got := st.st.sts[0]
	if got.Verb != learning.Submitted || got.ObjectID != "sum" || got.EnrollmentID != "e1" || got.UserID != "ada" ||
		got.InstitutionID != "north" || got.Result.SubmissionID != string(sub.ID) || got.ID == "" || got.ReceivedAt.IsZero() {
		t.Errorf("%+v", got)
	}

	again, created, err := s.Submit(ctx, ada, handIn(1, "x = 1"))
	if err != nil || created || !reflect.DeepEqual(again, want) || len(st.st.jobs) != 1 || len(st.st.sts) != 1 {
		t.Errorf("a repeat: %+v, %v, %v; %d jobs, %d statements", again, created, err, len(st.st.jobs), len(st.st.sts))
	}
	theft := handIn(1, "x = 1")
	theft.EnrollmentID = "e2"
	for name, err := range map[string]error{
		"another's id": func() error { _, _, err := s.Submit(ctx, bob, theft); return err }(),
		"other code":   func() error { _, _, err := s.Submit(ctx, ada, handIn(1, "x = 2")); return err }(),
	} {
		if !fault.Is(err, fault.Conflict) || len(st.st.jobs) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSubmitRefuses(t *testing.T) {
	with := func(change func(*lab.NewSubmission)) lab.NewSubmission {
		in := handIn(1, "x = 1")
		change(&in)
		return in
	}
	reader := identity.Actor{UserID: "ada", Scopes: []identity.Scope{identity.ScopeRead}}
	tests := []struct {
		name string
		by   identity.Actor
		in   lab.NewSubmission
		code fault.Code
		key  string // of the first detail, or of the fault
		at   string
	}{
		{"anonymous", identity.Actor{}, handIn(1, ""), fault.Unauthenticated, "session.required", ""},
		{"system", identity.System(), handIn(1, ""), fault.Unauthenticated, "session.required", ""},
		{"token that reads", reader, handIn(1, ""), fault.Denied, "token.scope_missing", ""},
		{"bob's hand", bob, handIn(1, ""), fault.NotFound, "enrollment.not_found", ""},
		{"trainer", trainer, handIn(1, ""), fault.NotFound, "enrollment.not_found", ""},
		{"operator", identity.Actor{UserID: "root", Operator: true}, handIn(1, ""), fault.NotFound, "enrollment.not_found", ""},
		{"no enrollment", ada, with(func(in *lab.NewSubmission) { in.EnrollmentID = "e9" }), fault.NotFound, "enrollment.not_found", ""},
		{"no lab", ada, with(func(in *lab.NewSubmission) { in.LabID = "other" }), fault.NotFound, "lab.not_found", ""},
		{"a lesson", ada, with(func(in *lab.NewSubmission) { in.LabID = "read" }), fault.NotFound, "lab.not_found", ""},
		{"id", ada, with(func(in *lab.NewSubmission) { in.ID = "1" }), fault.Invalid, "request.bad_id", "/id"},
		{"id of version 4", ada, with(func(in *lab.NewSubmission) { in.ID = "0195b2f4-0000-4000-8000-000000000001" }), fault.Invalid, "request.bad_id", "/id"},
		{"no files", ada, with(func(in *lab.NewSubmission) { in.Files = nil }), fault.Invalid, "submission.entry_missing", "/files"},
		{"another file", ada, with(func(in *lab.NewSubmission) { in.Files["../a~b"] = "" }), fault.Invalid, "submission.unknown_file", "/files/..~1a~0b"},
		{"the author's data", ada, with(func(in *lab.NewSubmission) { in.Files["data.txt"] = "" }), fault.Invalid, "submission.unknown_file", "/files/data.txt"},
		{"bad UTF-8", ada, handIn(1, "x = '\xff'"), fault.Invalid, "submission.bad_text", "/files/main.py"},
		{"NUL", ada, handIn(1, "x = '\x00'"), fault.Invalid, "submission.bad_text", "/files/main.py"},
		{"large", ada, handIn(1, strings.Repeat("#", 64<<10+1)), fault.TooLarge, "submission.too_large", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, st := newService()
			_, _, err := s.Submit(context.Background(), tt.by, tt.in)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != tt.code {
				t.Fatalf("%v, want %s", err, tt.code)
			}
			key, at := f.Key, ""
			if len(f.Details) > 0 {
				key, at = f.Details[0].Key, f.Details[0].Pointer
			}
			if key != tt.key || at != tt.at {
				t.Errorf("%s at %q, want %s at %q", key, at, tt.key, tt.at)
			}
			if len(st.st.subs)+len(st.st.jobs)+len(st.st.sts) != 0 {
				t.Error("something was stored")
			}
		})
	}
	s, _ := newService()
	if _, _, err := s.Submit(context.Background(), ada, handIn(1, strings.Repeat("#", 64<<10))); err != nil {
		t.Errorf("the largest source: %v", err)
	}
}

func TestSubmitIsAllOrNothing(t *testing.T) {
	for _, method := range []string{"CreateSubmission", "Record", "Enqueue"} {
		s, st := newService()
		*st.fail = method
		if _, _, err := s.Submit(context.Background(), ada, handIn(1, "x = 1")); !errors.Is(err, errStore) {
			t.Errorf("%s: %v", method, err)
		}
		if len(st.st.subs)+len(st.st.jobs)+len(st.st.sts) != 0 {
			t.Errorf("%s fails and something was stored", method)
		}
	}
}

// submitted is a service with one submission that waits.
func submitted(t *testing.T, src string) (*lab.Service, *memStore, job.Job) {
	t.Helper()
	s, st := newService()
	if _, _, err := s.Submit(context.Background(), ada, handIn(1, src)); err != nil {
		t.Fatal(err)
	}
	return s, st, jobOf(t, st, subID(1))
}

func TestGradeSettlesASubmission(t *testing.T) {
	tests := []struct {
		name, src string
		outcome   lab.Outcome
		score     float64
		attempt   int
		verb      learning.Verb
	}{
		{"passed", labtest.Source(labtest.Adder(), "Hello"), lab.Passed, 1, 1, learning.Passed},
		{"partial", labtest.Source(labtest.Adder(), "", "add", "hidden"), lab.Partial, 0.4, 1, learning.Failed},
		{"failed", labtest.Source(labtest.Adder(), "", "nothing"), lab.Failed, 0, 1, learning.Failed},
		{"learner error", `# fake: {"end": "timed_out"}`, lab.LearnerError, 0, 1, learning.Failed},
		{"author error", `# fake: {"stderr": "\n$STDIN1 C [[0,\"x\"]]\n"}`, lab.AuthorError, 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, st, j := submitted(t, tt.src)
			if err := s.Grade(context.Background(), j); err != nil {
				t.Fatal(err)
			}
			v := st.st.verdicts[subID(1)]
			if v.Outcome != tt.outcome || v.Score != tt.score || v.Attempt != tt.attempt || v.SubmissionID != subID(1) ||
				v.Runtime != sandbox.FakeRuntime || !v.CreatedAt.Equal(s.Now()) {
				t.Errorf("%+v", v)
			}
			if !st.st.done[j.ID] {
				t.Error("the job is not done")
			}
			sts := st.st.sts[1:]
			if tt.verb == "" {
				if len(sts) != 0 {
					t.Errorf("statements %+v", sts)
				}
				return
			}
			if len(sts) != 1 || sts[0].Verb != tt.verb || *sts[0].Result.Score != tt.score || *sts[0].Result.Success != (tt.outcome == lab.Passed) ||
				sts[0].Result.SubmissionID != string(subID(1)) || sts[0].ObjectID != "sum" {
				t.Errorf("statements %+v", sts)
			}
		})
	}
}

func TestGradeTwiceIsGradeOnce(t *testing.T) {
	s, st, j := submitted(t, labtest.Source(labtest.Adder(), "Hello"))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := s.Grade(context.Background(), j); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// The same submission under another job: an operator's mistake.
	twin := j
	twin.ID = "twin"
	if err := s.Grade(context.Background(), twin); err != nil {
		t.Error(err)
	}
	if len(st.st.sts) != 2 || st.st.verdicts[subID(1)].Attempt != 1 || !st.st.done["twin"] {
		t.Errorf("%d statements, %+v", len(st.st.sts), st.st.verdicts)
	}
}

func TestGradeIsAllOrNothing(t *testing.T) {
	for _, method := range []string{"FinishJob", "CountAttempts", "AppendVerdict", "Record", "FindVerdict"} {
		s, st, j := submitted(t, labtest.Source(labtest.Adder(), "Hello"))
		*st.fail = method
		if err := s.Grade(context.Background(), j); !errors.Is(err, errStore) {
			t.Errorf("%s: %v", method, err)
		}
		if len(st.st.verdicts) != 0 || st.st.done[j.ID] || len(st.st.sts) != 1 {
			t.Errorf("%s fails and something was stored", method)
		}
		*st.fail = ""
		if err := s.Grade(context.Background(), j); err != nil || st.st.verdicts[subID(1)].Outcome != lab.Passed {
			t.Errorf("%s: later again: %v", method, err)
		}
	}
}

// A fault of the platform costs the learner nothing, and leads to a verdict in the end.
func TestPlatformFaults(t *testing.T) {
	ctx := context.Background()
	broken := strings.Replace(labtest.Source(labtest.Adder(), "Hello"), "# fake: [", `# fake: [{"first": 2, "error": "no child"},`, 1)
	s, st, j := submitted(t, broken)
	for range 2 {
		if err := s.Grade(ctx, j); err == nil || !strings.Contains(err.Error(), "no child") {
			t.Fatalf("%v, want the fault of the sandbox", err)
		}
		if len(st.st.verdicts) != 0 || st.st.done[j.ID] {
			t.Fatal("a fault of the platform left a verdict")
		}
	}
	for range 2 { // the runner may tell it twice
		if err := s.Parked(ctx, j, errors.New("no child")); err != nil {
			t.Fatal(err)
		}
	}
	v := st.st.verdicts[subID(1)]
	if v.Outcome != lab.PlatformError || v.Message != "lab.message.platform" || v.Attempt != 0 || st.st.done[j.ID] || len(st.st.sts) != 1 {
		t.Fatalf("%+v, %+v", v, st.st.sts)
	}
	// The learner hands in again and does not wait for the operator.
	if _, _, err := s.Submit(ctx, ada, handIn(2, labtest.Source(labtest.Adder(), ""))); err != nil {
		t.Fatal(err)
	}
	if err := s.Grade(ctx, jobOf(t, st, subID(2))); err != nil || st.st.verdicts[subID(2)].Attempt != 1 {
		t.Errorf("%v, %+v", err, st.st.verdicts[subID(2)])
	}
	// The operator has the parked job done again.
	if err := s.Grade(ctx, j); err != nil {
		t.Fatal(err)
	}
	if v := st.st.verdicts[subID(1)]; v.Outcome != lab.Passed || v.Attempt != 2 || !st.st.done[j.ID] {
		t.Errorf("%+v", v)
	}
	// A late message does not undo it.
	if err := s.Parked(ctx, j, errors.New("no child")); err != nil || st.st.verdicts[subID(1)].Outcome != lab.Passed {
		t.Errorf("%v, %+v", err, st.st.verdicts[subID(1)])
	}
}

func TestWhoMaySee(t *testing.T) {
	ctx := context.Background()
	s, _, j := submitted(t, labtest.Source(labtest.Adder(), "", "add"))
	if err := s.Grade(ctx, j); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		by   identity.Actor
		code fault.Code
	}{
		{"owner", ada, ""},
		{"trainer", trainer, ""},
		{"admin", admin, ""},
		{"operator", identity.Actor{UserID: "root", Operator: true}, ""},
		{"a token that reads", identity.Actor{UserID: "ada", Scopes: []identity.Scope{identity.ScopeRead}}, ""},
		{"another learner", bob, fault.NotFound},
		{"issuer", issuer, fault.NotFound},
		{"trainer of another institution", other, fault.NotFound},
		{"anonymous", identity.Actor{}, fault.Unauthenticated},
	}
	for _, tt := range tests {
		g, err := s.Find(ctx, tt.by, subID(1))
		gs, lerr := s.List(ctx, tt.by, "e1", "sum", "", 10)
		_, aerr := s.Await(ctx, tt.by, subID(1), 0)
		if tt.code == "" {
			if err != nil || lerr != nil || aerr != nil || g.ID != subID(1) || g.Verdict == nil || len(gs) != 1 || gs[0].Verdict == nil {
				t.Errorf("%s: %v, %v, %v", tt.name, err, lerr, aerr)
			}
			continue
		}
		if !fault.Is(err, tt.code) || !fault.Is(lerr, tt.code) || !fault.Is(aerr, tt.code) {
			t.Errorf("%s: %v, %v, %v, want %s", tt.name, err, lerr, aerr, tt.code)
		}
	}
	if _, err := s.Find(ctx, ada, subID(9)); !fault.Is(err, fault.NotFound) {
		t.Errorf("absent: %v", err)
	}
}

func TestWhatALearnerSeesOfChecks(t *testing.T) {
	ctx := context.Background()
	s, _, j := submitted(t, labtest.Source(labtest.Adder(), "", "add"))
	g, err := s.Find(ctx, ada, subID(1))
	if err != nil || g.Verdict != nil || g.Checks != nil {
		t.Fatalf("before grading: %+v, %v", g, err)
	}
	if err := s.Grade(ctx, j); err != nil {
		t.Fatal(err)
	}
	if g, err = s.Find(ctx, ada, subID(1)); err != nil || len(g.Checks) != 5 || g.SourceLocale != "en" {
		t.Fatalf("%+v, %v", g, err)
	}
	right, wrong, hidden := g.Checks[0], g.Checks[1], g.Checks[4]
	if !right.Passed || right.Call != "add(1, 2)" || right.Got != "fake" || right.Feedback.Text != nil || right.Title.Text["en"] != "Title add" {
		t.Errorf("%+v", right)
	}
	if wrong.Passed || wrong.Call != "share(1, 3)" || wrong.Feedback.Text["en"] != "Feedback share" {
		t.Errorf("%+v", wrong)
	}
	if hidden.Passed || hidden.Call != "" || hidden.Got != "" || hidden.Title.Text["en"] != "Title hidden" || hidden.Feedback.Text["en"] != "Feedback hidden" {
		t.Errorf("%+v", hidden)
	}
}

func TestListPages(t *testing.T) {
	ctx := context.Background()
	s, _ := newService()
	for n := 1; n <= 3; n++ {
		if _, _, err := s.Submit(ctx, ada, handIn(n, "x = 1")); err != nil {
			t.Fatal(err)
		}
	}
	first, err := s.List(ctx, ada, "e1", "sum", "", 2)
	if err != nil || len(first) != 2 || first[0].ID != subID(3) {
		t.Fatalf("%+v, %v", first, err)
	}
	rest, err := s.List(ctx, ada, "e1", "sum", first[1].ID, 2)
	if err != nil || len(rest) != 1 || rest[0].ID != subID(1) {
		t.Fatalf("%+v, %v", rest, err)
	}
}

func TestAwait(t *testing.T) {
	ctx := context.Background()
	s, _, j := submitted(t, labtest.Source(labtest.Adder(), "Hello"))
	began := time.Now()
	g, err := s.Await(ctx, ada, subID(1), 60*time.Millisecond)
	if err != nil || g.Verdict != nil || time.Since(began) < 60*time.Millisecond {
		t.Errorf("without a verdict: %+v, %v after %v", g, err, time.Since(began))
	}
	time.AfterFunc(50*time.Millisecond, func() {
		if err := s.Grade(ctx, j); err != nil {
			t.Error(err)
		}
	})
	g, err = s.Await(ctx, ada, subID(1), 20*time.Second)
	if err != nil || g.Verdict == nil || g.Verdict.Outcome != lab.Passed || len(g.Checks) != 5 || time.Since(began) > 10*time.Second {
		t.Errorf("%+v, %v", g, err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	s, _, _ = submitted(t, "")
	if _, err := s.Await(gone, ada, subID(1), time.Minute); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Whoever waits where the grading is done hears of it at once, and is not bound to the pauses between looks.
func TestAwaitHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, st, j := submitted(t, labtest.Source(labtest.Adder(), "Hello"))
		const graded = 1700 * time.Millisecond
		fails := func(method string) {
			st.mu.Lock()
			defer st.mu.Unlock()
			*st.fail = method
		}
		time.AfterFunc(graded/2, func() { // rings for nothing
			fails("FinishJob")
			if err := s.Grade(t.Context(), j); err == nil {
				t.Error("no error")
			}
			fails("")
		})
		time.AfterFunc(graded, func() {
			if err := s.Grade(t.Context(), j); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		done := make(chan time.Duration, 3)
		for range cap(done) {
			go func() {
				if g, err := s.Await(t.Context(), ada, subID(1), 20*time.Second); err != nil || g.Verdict == nil {
					t.Errorf("%+v, %v", g, err)
				}
				done <- time.Since(began)
			}()
		}
		for range cap(done) {
			if took := <-done; took != graded {
				t.Errorf("heard after %s of a verdict after %s", took, graded)
			}
		}
	})
}

// Another job for the same submission may end while the sandbox still works on the first.
func TestASlowGraderLeavesTheQuickOnesVerdict(t *testing.T) {
	s, st, j := submitted(t, labtest.Source(labtest.Adder(), "Hello"))
	ctx, fake, twin := context.Background(), &sandbox.Fake{}, j
	twin.ID = "twin"
	first := true
	s.Grader = grading.Grader{Engine: labtest.EngineFunc(func(p sandbox.Program) (sandbox.Result, error) {
		if first {
			first = false
			if err := s.Grade(ctx, twin); err != nil {
				t.Error(err)
			}
		}
		return fake.Run(ctx, p)
	})}
	if err := s.Grade(ctx, j); err != nil {
		t.Error(err)
	}
	if len(st.st.sts) != 2 || !st.st.done[j.ID] || !st.st.done["twin"] {
		t.Errorf("%d statements, done %v", len(st.st.sts), st.st.done)
	}
}

package learning_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

func TestEnroll(t *testing.T) {
	c := newClass(t)
	ctx := t.Context()
	learnerIn := func(ids ...identity.InstitutionID) identity.Actor {
		var ms []identity.Membership
		for _, id := range ids {
			ms = append(ms, identity.Membership{InstitutionID: id, Role: identity.Learner})
		}
		return c.person(ms...)
	}
	token := c.learner()
	token.Scopes = []identity.Scope{identity.ScopeRead, identity.ScopeAdmin}
	for _, tt := range []struct {
		name string
		by   identity.Actor
		ask  learning.NewEnrollment
		code fault.Code
		key  string
	}{
		{"nobody", identity.Actor{}, learning.NewEnrollment{CourseID: course}, fault.Unauthenticated, "session.required"},
		{"the system", identity.System(), learning.NewEnrollment{CourseID: course}, fault.Unauthenticated, "session.required"},
		{"a token without the scope", token, learning.NewEnrollment{CourseID: course}, fault.Denied, "token.scope_missing"},
		{"a member of nothing", c.person(), learning.NewEnrollment{CourseID: course}, fault.Denied, "enrollment.not_a_learner"},
		{"an admin", c.person(identity.Membership{InstitutionID: c.a, Role: identity.Admin}), learning.NewEnrollment{CourseID: course}, fault.Denied, "enrollment.not_a_learner"},
		{"a learner elsewhere", learnerIn(c.b), learning.NewEnrollment{CourseID: course, InstitutionID: c.a}, fault.Denied, "enrollment.not_a_learner"},
		{"no such course", c.learner(), learning.NewEnrollment{CourseID: "nothing"}, fault.NotFound, "course.not_found"},
		{"an id of another form", c.learner(), learning.NewEnrollment{ID: "7", CourseID: course}, fault.Invalid, "request.bad_id"},
		{"an id in capitals", c.learner(), learning.NewEnrollment{ID: learning.EnrollmentID(strings.ToUpper(v7())), CourseID: course}, fault.Invalid, "request.bad_id"},
		{"a random id", c.learner(), learning.NewEnrollment{ID: "9d2c4b1e-7a3f-4c55-8e21-0f1e2d3c4b5a", CourseID: course}, fault.Invalid, "request.bad_id"},
		{"another's id", c.learner(), learning.NewEnrollment{ID: c.enroll(c.learner()).ID, CourseID: course}, fault.Conflict, "enrollment.id_taken"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, created, err := c.Enroll(ctx, tt.by, tt.ask)
			want(t, err, tt.code, tt.key)
			if created {
				t.Error("created")
			}
		})
	}

	both := learnerIn(c.a, c.b)
	id := learning.EnrollmentID(v7())
	e, created, err := c.Enroll(ctx, both, learning.NewEnrollment{ID: id, CourseID: course, InstitutionID: c.b})
	if err != nil || !created || e.ID != id || e.InstitutionID != c.b || e.UserID != both.UserID {
		t.Errorf("a learner of two institutions: %+v, %t, %v", e, created, err)
	}
	// One takes a course once, whatever the institution: the first enrollment stands.
	again, created, err := c.Enroll(ctx, both, learning.NewEnrollment{ID: learning.EnrollmentID(v7()), CourseID: course, InstitutionID: c.a})
	if err != nil || created || again != e {
		t.Errorf("the second time: %+v, %t, %v", again, created, err)
	}
	if first := c.enroll(learnerIn(c.a, c.b)); first.InstitutionID != c.a {
		t.Errorf("without a wish: %s, want the first", first.InstitutionID)
	}
}

func TestEnrollPinsTheVersion(t *testing.T) {
	c := newClass(t)
	early := c.learner()
	before := c.enroll(early)
	second := c.publish(curriculum.Criteria{Lessons: true})
	if after := c.enroll(early); after != before || after.VersionID == second.ID {
		t.Errorf("the version moved: %+v, was %+v", after, before)
	}
	late := c.enroll(c.learner())
	if late.VersionID != second.ID {
		t.Errorf("a new learner gets version %s, want the newest", late.VersionID)
	}
	// Who began without a network keeps what they began with, if it is known here.
	for number, want := range map[int]curriculum.VersionID{1: before.VersionID, 2: second.ID, 9: second.ID} {
		e, _, err := c.Enroll(t.Context(), c.learner(), learning.NewEnrollment{CourseID: course, Number: number})
		if err != nil || e.VersionID != want {
			t.Errorf("version %d gives %s, want %s: %v", number, e.VersionID, want, err)
		}
	}
	// What counts is the pinned version's criteria.
	for _, e := range []learning.Enrollment{before, late} {
		by := identity.Actor{UserID: e.UserID}
		c.send(by, said(e, "completed", "intro"), said(e, "completed", "more"))
	}
	if got := c.certificates(); got[before.ID] != 0 || got[late.ID] != 1 {
		t.Errorf("certificates: %v", got)
	}
}

func TestEnrollAtOnce(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			by := c.learner()
			got := make([]learning.Enrollment, 8)
			made := make([]bool, len(got))
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() {
					var err error
					if got[i], made[i], err = c.Enroll(t.Context(), by, learning.NewEnrollment{ID: learning.EnrollmentID(v7()), CourseID: course}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			n := 0
			for i := range got {
				if made[i] {
					n++
				}
				if got[i].ID != got[0].ID {
					t.Errorf("enrollments %s and %s", got[i].ID, got[0].ID)
				}
			}
			if n != 1 {
				t.Errorf("%d of them were created, want 1", n)
			}
		})
	}
}

func TestWhoSeesAnEnrollment(t *testing.T) {
	c := newClass(t)
	owner := c.learner()
	e := c.enroll(owner)
	in := func(id identity.InstitutionID, r identity.Role) identity.Actor {
		return c.person(identity.Membership{InstitutionID: id, Role: r})
	}
	operator := c.person()
	operator.Operator = true
	for _, tt := range []struct {
		name      string
		by        identity.Actor
		see, list fault.Code // "" for may
	}{
		{"the learner", owner, "", fault.Denied},
		{"another learner", in(c.a, identity.Learner), fault.NotFound, fault.Denied},
		{"a trainer", in(c.a, identity.Trainer), "", ""},
		{"an admin", in(c.a, identity.Admin), "", ""},
		{"an issuer", in(c.a, identity.Issuer), fault.NotFound, fault.Denied},
		{"another's trainer", in(c.b, identity.Trainer), fault.NotFound, fault.Denied},
		{"another's admin", in(c.b, identity.Admin), fault.NotFound, fault.Denied},
		{"the operator", operator, "", ""},
		{"nobody", identity.Actor{}, fault.Unauthenticated, fault.Denied},
	} {
		_, _, err := c.Progress(t.Context(), tt.by, e.ID)
		if tt.see == "" && err != nil || tt.see != "" && !fault.Is(err, tt.see) {
			t.Errorf("%s looks: %v, want %q", tt.name, err, tt.see)
		}
		list, err := c.ListIn(t.Context(), tt.by, c.a, "", 10)
		if tt.list == "" && (err != nil || len(list) != 1) || tt.list != "" && !fault.Is(err, tt.list) {
			t.Errorf("%s lists: %v, want %q", tt.name, err, tt.list)
		}
	}
	_, err := c.Find(t.Context(), operator, "no id at all")
	want(t, err, fault.NotFound, "enrollment.not_found")
	if list, err := c.ListOwn(t.Context(), owner, "", 10); err != nil || len(list) != 1 || list[0] != e {
		t.Errorf("own: %+v, %v", list, err)
	}
	if list, err := c.ListIn(t.Context(), operator, c.b, "", 10); err != nil || len(list) != 0 {
		t.Errorf("in the other institution: %+v, %v", list, err)
	}
}

func TestSummarize(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	other := c.enroll(c.learner())
	sums := func() learning.Summary {
		t.Helper()
		s, err := c.Summarize(t.Context(), []learning.Enrollment{other, e})
		c.must(err)
		if s[0].Done != 0 || s[0].Enrollment != other {
			t.Errorf("the other's: %+v", s[0])
		}
		return s[1]
	}
	if s := sums(); s.Done != 0 || s.Total != 5 || s.Completed || s.Version.ID != e.VersionID {
		t.Errorf("at first: %+v", s)
	}
	c.send(by, said(e, "started", "intro"), said(e, "completed", "more"), answered(e, "exam", map[string]any{"q1": "wrong"}))
	if s := sums(); s.Done != 1 || s.Completed {
		t.Errorf("on the way: %d done, completed %t", s.Done, s.Completed)
	}
	c.send(by, said(e, "completed", "intro"), answered(e, "exam", right))
	c.must(c.record(c.passed(e)))
	// All that the criteria ask; the practice quiz is still open, and the course itself is no item.
	if s := sums(); s.Done != 4 || s.Total != 5 || !s.Completed {
		t.Errorf("at the end: %d of %d done, completed %t", s.Done, s.Total, s.Completed)
	}
}

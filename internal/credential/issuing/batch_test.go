package issuing_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// due gives the jobs of a kind that wait.
func (o *office) due(k job.Kind) []job.Job {
	o.Helper()
	all, err := o.db.Outbox().Claim(o.Context(), job.Housekeeping, 1000, 0)
	o.must(err)
	var out []job.Job
	for _, j := range all {
		if j.Kind == k {
			out = append(out, j)
		}
	}
	return out
}

func (o *office) start(by identity.Actor, n issuing.NewBatch) issuing.Batch {
	o.Helper()
	n.ID = issuing.BatchID(newV7())
	b, created, err := o.StartBatch(o.Context(), by, o.in.ID, n)
	o.must(err)
	if !created {
		o.Fatal("the batch is not new")
	}
	return b
}

func (o *office) batch(id issuing.BatchID) issuing.Batch {
	o.Helper()
	b, err := o.FindBatch(o.Context(), o.issuer, o.in.ID, id)
	o.must(err)
	return b
}

// dying is a store whose every so-many-th transaction ends as if the process had died: nothing of it is kept, and its job fails.
type dying struct {
	issuing.Store
	mu    *sync.Mutex
	every int
	n     *int
}

var errDied = errors.New("killed")

func (d dying) InTx(ctx context.Context, fn func(tx issuing.Store) error) error {
	return d.Store.InTx(ctx, func(tx issuing.Store) error {
		if err := fn(tx); err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		*d.n++
		if *d.n%d.every == 0 {
			return errDied
		}
		return nil
	})
}

// A batch is cut off again and again, and run by several workers at once: in the end each has one certificate.
func TestABatchIsCutOff(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.ask(issuing.Terms{Approval: true, Assessment: credential.Supervised})
		const learners = 230 // more than two chunks
		for range learners {
			o.earned()
		}
		b := o.start(o.issuer, issuing.NewBatch{Assessment: credential.OnSite})
		if b.Total != learners || b.Open != learners || b.Done() {
			t.Fatalf("at first %+v", b)
		}
		good := o.Store
		o.Store = dying{Store: good, mu: &sync.Mutex{}, n: new(int), every: 3}
		for round := 0; ; round++ {
			jobs := append(o.due(issuing.BatchKind), o.due(issuing.IssueKind)...)
			if len(jobs) == 0 {
				break
			}
			if round > 100 {
				t.Fatalf("%d jobs never end", len(jobs))
			}
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for _, j := range jobs {
						if err := o.handlers()[j.Kind](t.Context(), j); err != nil && !errors.Is(err, errDied) {
							t.Errorf("%s: %v", j.Kind, err)
						}
					}
				})
			}
			wg.Wait()
		}
		o.Store = good
		if got := o.batch(b.ID); !got.Done() || got.Issued != learners || got.Open+got.Signing+len(got.Skipped) != 0 {
			t.Errorf("in the end %+v", got)
		}
		issued := o.issued()
		holders := map[identity.UserID]bool{}
		for _, c := range issued {
			if holders[c.UserID] = true; c.Assessment != credential.OnSite {
				t.Errorf("attests %s", c.Assessment)
			}
		}
		if len(issued) != learners || len(holders) != learners {
			t.Errorf("%d certificates of %d learners, want %d", len(issued), len(holders), learners)
		}
		approved := 0
		es, err := o.db.Audits().List(t.Context(), string(o.in.ID), 0, 10*learners)
		o.must(err)
		for _, e := range es {
			if e.Kind == audit.AwardApproved {
				approved++
			}
		}
		if approved != learners {
			t.Errorf("%d approvals in the log", approved)
		}
	})
}

func TestABatchLeavesWhatLacksMore(t *testing.T) {
	o := newOffice(t)
	o.ask(issuing.Terms{Approval: true, ConfirmName: true})
	named, other, gone := o.earned(), o.earned(), o.earned()
	_, err := o.ConfirmName(t.Context(), o.issuer, o.in.ID, named.ID, o.nameOf(named))
	o.must(err)
	b := o.start(o.issuer, issuing.NewBatch{CourseID: course})
	_, err = o.Decide(t.Context(), o.issuer, o.in.ID, gone.ID, false, "copied") // after the batch began
	o.must(err)
	o.drain()
	got := o.batch(b.ID)
	if got.Issued != 1 || !maps.Equal(got.Skipped, map[string]int{"batch.lacking": 1, "batch.not_waiting": 1}) || !got.Done() {
		t.Errorf("%+v", got)
	}
	if a := o.award(other.ID); a.State != issuing.Waiting || !a.ApprovedAt.IsZero() {
		t.Errorf("an award that lacks more was changed: %+v", a)
	}
	o.held(named)

	// The same id again starts nothing, and others' batches are not there.
	again, created, err := o.StartBatch(t.Context(), o.issuer, o.in.ID, issuing.NewBatch{ID: b.ID})
	if err != nil || created || again.Total != 3 {
		t.Errorf("again: %+v, created %v, %v", again, created, err)
	}
	elsewhere := identity.InstitutionID(newV7())
	_, err = o.FindBatch(t.Context(), identity.Actor{UserID: o.admin.UserID, Operator: true}, elsewhere, b.ID)
	wantFault(t, err, fault.NotFound, "batch.not_found")
	_, _, err = o.StartBatch(t.Context(), o.issuer, o.in.ID, issuing.NewBatch{ID: issuing.BatchID(newV7()), AwardIDs: make([]issuing.AwardID, 1001)})
	wantFault(t, err, fault.Invalid, "request.invalid")
	if none := o.start(o.issuer, issuing.NewBatch{CourseID: "another"}); none.Total != 0 {
		t.Errorf("of another course: %+v", none)
	}
	o.drain()
}

func (o *office) nameOf(a issuing.Award) string {
	o.Helper()
	n, _, err := o.name(o.Context(), a.UserID)
	o.must(err)
	return n
}

func (o *office) delegate(n issuing.NewDelegation) issuing.HeldDelegation {
	o.Helper()
	n.UserID = o.issuer.UserID
	d, err := o.Delegate(o.Context(), o.admin, o.in.ID, n)
	o.must(err)
	return d
}

func (o *office) used(d issuing.HeldDelegation) int {
	o.Helper()
	got, err := o.db.Issuing().FindDelegation(o.Context(), d.ID)
	o.must(err)
	return got.Used
}

func ptr[T any](v T) *T { return &v }

func TestDelegations(t *testing.T) {
	o := newOffice(t)
	o.ask(issuing.Terms{Approval: true})
	ctx := t.Context()
	approve := func(a issuing.Award) error { return second(o.Decide(ctx, o.issuer, o.in.ID, a.ID, true, "")) }
	o.must(approve(o.earned())) // nobody limits this issuer yet
	d := o.delegate(issuing.NewDelegation{Quota: ptr(2), Courses: []curriculum.CourseID{course}})
	first := o.earned()
	o.must(approve(first))
	o.must(approve(first)) // twice costs nothing
	o.must(approve(o.earned()))
	if n := o.used(d); n != 2 {
		t.Errorf("used %d", n)
	}
	third := o.earned()
	wantFault(t, approve(third), fault.Denied, "delegation.spent")
	if a := o.award(third.ID); a.State != issuing.Waiting || !a.ApprovedAt.IsZero() {
		t.Errorf("approved without a right: %+v", a)
	}
	// What is refused before it is issued is given back.
	must(t, second(o.Decide(ctx, o.issuer, o.in.ID, first.ID, false, "copied")))
	o.must(approve(third))
	if n := o.used(d); n != 2 {
		t.Errorf("used %d after one was given back and another taken", n)
	}
	// An admin is not limited, and what an admin gives costs the issuer nothing.
	must(t, second(o.Decide(ctx, o.admin, o.in.ID, o.earned().ID, true, "")))
	o.drain()

	// The issuer may still look after what was issued, until the time is over.
	cs := o.issued()
	o.must(o.credential.Suspend(ctx, o.issuer, cs[0].ID, "asked about"))
	o.must(o.EndDelegation(ctx, o.admin, o.in.ID, d.ID))
	o.must(o.EndDelegation(ctx, o.admin, o.in.ID, d.ID))
	wantFault(t, o.credential.Reinstate(ctx, o.issuer, cs[0].ID, "x"), fault.Denied, "delegation.ended")
	waiting := o.earned()
	wantFault(t, approve(waiting), fault.Denied, "delegation.ended")
	_, _, err := o.StartBatch(ctx, o.issuer, o.in.ID, issuing.NewBatch{ID: issuing.BatchID(newV7())})
	wantFault(t, err, fault.Denied, "delegation.ended")

	o.publish("another")
	o.delegate(issuing.NewDelegation{Courses: []curriculum.CourseID{"another"}})
	wantFault(t, approve(waiting), fault.Denied, "delegation.other_course")
	o.delegate(issuing.NewDelegation{ExpiresAt: ptr(o.now().Add(time.Hour)), Courses: []curriculum.CourseID{course}})
	o.must(o.credential.Reinstate(ctx, o.issuer, cs[0].ID, "x"))
	o.mu.Lock()
	o.clock = o.clock.Add(2 * time.Hour)
	o.mu.Unlock()
	wantFault(t, approve(waiting), fault.Denied, "delegation.expired")
	o.delegate(issuing.NewDelegation{}) // lifts every limit
	o.must(approve(waiting))

	for name, n := range map[string]issuing.NewDelegation{
		"no issuer":      {UserID: o.person().ID},
		"nobody":         {UserID: identity.UserID(newV7())},
		"no quota":       {UserID: o.issuer.UserID, Quota: ptr(0)},
		"past":           {UserID: o.issuer.UserID, ExpiresAt: ptr(o.now().Add(-time.Hour))},
		"unknown course": {UserID: o.issuer.UserID, Courses: []curriculum.CourseID{"gone"}},
	} {
		if _, err := o.Delegate(ctx, o.admin, o.in.ID, n); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = o.Delegate(ctx, o.issuer, o.in.ID, issuing.NewDelegation{UserID: o.issuer.UserID})
	wantFault(t, err, fault.Denied, "criteria.denied")
	mine, err := o.ListDelegations(ctx, o.issuer, o.in.ID)
	if err != nil || len(mine) != 4 || mine[0].EndedAt == nil {
		t.Errorf("own: %+v, %v", mine, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Of many who spend one quota at once, one by one and in batches, nobody overspends.
func TestAQuotaIsNotOverspent(t *testing.T) {
	onBoth(t, func(t *testing.T, o *office) {
		o.ask(issuing.Terms{Approval: true})
		const quota = 12
		d := o.delegate(issuing.NewDelegation{Quota: ptr(quota)})
		var as []issuing.Award
		for range 3 * quota {
			as = append(as, o.earned())
		}
		batch := o.start(o.issuer, issuing.NewBatch{})
		run := o.due(issuing.BatchKind)
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				if i == 0 {
					if err := o.RunBatch(t.Context(), run[0]); err != nil {
						t.Error(err)
					}
					return
				}
				for n := range as {
					a := as[(n*(2*i+1)+i*quota)%len(as)]
					_, err := o.Decide(t.Context(), o.issuer, o.in.ID, a.ID, true, "")
					if err != nil && !fault.Is(err, fault.Denied) {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		o.drain()
		if n, issued := o.used(d), len(o.issued()); n != quota || issued != quota {
			t.Errorf("%d of %d spent, %d issued", n, quota, issued)
		}
		if b := o.batch(batch.ID); !b.Done() || b.Issued+b.Skipped["delegation.spent"]+b.Skipped["batch.not_waiting"] != len(as) {
			t.Errorf("%+v", b)
		}
	})
}

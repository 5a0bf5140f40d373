package storetest

import (
	"maps"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/issuing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

func exerciseIssuing(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Issuing()
	staff := w.addUser(t, "staff")

	criteria := func(course curriculum.CourseID, number int) issuing.Criteria {
		return issuing.Criteria{
			ID: newID[issuing.CriteriaID](), InstitutionID: w.school.ID, CourseID: course, Number: number,
			Terms: issuing.Terms{
				Items: []curriculum.ContentID{"lesson", "lab"}, MinScore: 0.75, Approval: true, ConfirmName: true, AskHelp: true,
				Assessment: credential.Supervised, Months: 24, Competences: []string{"cfs.ethics.apply"},
			},
			CreatedBy: staff.ID, CreatedAt: noon,
		}
	}
	second := criteria(w.version.CourseID, 2)
	t.Run("criteria", func(t *testing.T) {
		_, err := s.FindCurrentCriteria(ctx, w.school.ID, w.version.CourseID)
		wantFault(t, err, fault.NotFound, "criteria.not_found")
		watched := func(want bool) {
			t.Helper()
			got, err := w.Learning().Watched(ctx, w.school.ID, w.version.CourseID)
			ok(t, err)
			equal(t, "watched", got, want)
		}
		watched(false)
		first := criteria(w.version.CourseID, 1)
		first.Items, first.Competences, first.MinScore, first.CreatedBy = nil, nil, 0, ""
		ok(t, s.CreateCriteria(ctx, first))
		watched(false)
		ok(t, s.CreateCriteria(ctx, second))
		watched(true)
		wantFault(t, s.CreateCriteria(ctx, criteria(w.version.CourseID, 2)), fault.Conflict, "criteria.changed")
		w.publish(t, "another-course", w.school)
		third := criteria("another-course", 1)
		ok(t, s.CreateCriteria(ctx, third))
		for _, want := range []issuing.Criteria{first, second} {
			got, err := s.FindCriteria(ctx, want.ID)
			ok(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, want %+v", got, want)
			}
		}
		got, err := s.FindCurrentCriteria(ctx, w.school.ID, w.version.CourseID)
		ok(t, err)
		equal(t, "current", got.ID, second.ID)
		list, err := s.ListCriteria(ctx, w.school.ID)
		ok(t, err)
		if !reflect.DeepEqual(list, []issuing.Criteria{second, third}) {
			t.Errorf("list %+v, want %+v", list, []issuing.Criteria{second, third})
		}
	})

	award := func(e learning.Enrollment) issuing.Award {
		return issuing.Award{
			ID: newID[issuing.AwardID](), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, CourseID: e.CourseID, VersionID: e.VersionID,
			State: issuing.Waiting, AIHelp: credential.Undeclared, Assessment: credential.Unsupervised, Revision: 1, CreatedAt: noon, ChangedAt: noon,
		}
	}
	score := 0.875
	first := award(w.enrollment)
	first.CriteriaID, first.Score = second.ID, &score
	awards := []issuing.Award{first}
	t.Run("awards", func(t *testing.T) {
		ok(t, s.CreateAward(ctx, first))
		wantFault(t, s.CreateAward(ctx, award(w.enrollment)), fault.Conflict, "award.exists")
		for range 3 {
			a := award(w.enroll(t, w.addUser(t, "u"+newID[string]()[24:]), w.version))
			ok(t, s.CreateAward(ctx, a))
			awards = append(awards, a)
		}
		found, err := s.FindAwardOf(ctx, w.enrollment.ID)
		ok(t, err)
		if !reflect.DeepEqual(found, first) {
			t.Errorf("%+v, want %+v", found, first)
		}
		ok(t, s.InTx(ctx, func(tx issuing.Store) error {
			locked, err := tx.LockAwards(ctx, []issuing.AwardID{awards[2].ID, awards[1].ID, newID[issuing.AwardID](), "x"})
			ok(t, err)
			if !reflect.DeepEqual(locked, awards[1:3]) {
				t.Errorf("locked %+v", locked)
			}
			a := locked[0]
			a.State, a.AIHelp, a.Assessment, a.AssessedBy, a.AssessedAt = issuing.Refused, credential.NoHelp, credential.OnSite, staff.ID, noon
			a.ApprovedBy, a.ApprovedAt, a.Name, a.NameConfirmedBy, a.NameConfirmedAt = staff.ID, noon, "أمينة", staff.ID, noon
			a.RefusedBy, a.RefusedAt, a.RefusedReason, a.Revision, a.ChangedAt = staff.ID, noon, "no", 2, noon.Add(time.Hour)
			awards[1] = a
			return tx.UpdateAward(ctx, a)
		}))
		list := func(want []issuing.Award) func(got []issuing.Award, err error) {
			return func(got []issuing.Award, err error) {
				t.Helper()
				ok(t, err)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%+v, want %+v", got, want)
				}
			}
		}
		list(awards)(s.ListAwards(ctx, w.school.ID, issuing.AwardFilter{}, "", 10))
		list(awards[1:2])(s.ListAwards(ctx, w.school.ID, issuing.AwardFilter{State: issuing.Refused}, "", 10))
		list(awards[2:3])(s.ListAwards(ctx, w.school.ID, issuing.AwardFilter{State: issuing.Waiting, CourseID: w.version.CourseID}, first.ID, 1))
		list([]issuing.Award{})(s.ListAwards(ctx, w.school.ID, issuing.AwardFilter{CourseID: "another-course"}, "", 10))
		list(awards[:1])(s.ListOwnAwards(ctx, w.learner.ID, "", 10))
		counts, err := s.CountAwards(ctx, w.school.ID)
		ok(t, err)
		if !maps.Equal(counts, map[issuing.AwardState]int{issuing.Waiting: 3, issuing.Refused: 1}) {
			t.Errorf("counts %v", counts)
		}
		_, err = s.FindAward(ctx, newID[issuing.AwardID]())
		wantFault(t, err, fault.NotFound, "award.not_found")
		wantFault(t, s.UpdateAward(ctx, award(w.enrollment)), fault.NotFound, "award.not_found")
	})

	t.Run("batches", func(t *testing.T) {
		b := issuing.Batch{
			ID: newID[issuing.BatchID](), InstitutionID: w.school.ID, Assessment: credential.Supervised, Limited: true, CreatedBy: staff.ID, CreatedAt: noon,
			Skipped: map[string]int{},
		}
		created, err := s.CreateBatch(ctx, b)
		ok(t, err)
		again, err := s.CreateBatch(ctx, b)
		ok(t, err)
		if !created || again {
			t.Errorf("created %v, again %v", created, again)
		}
		waiting := issuing.AwardFilter{State: issuing.Waiting}
		n, err := s.FillBatch(ctx, b, nil, waiting, 10)
		ok(t, err)
		equal(t, "filled", n, 3)
		ok(t, s.FinishBatch(ctx, b.ID, n, time.Time{}))
		named := b
		named.ID = newID[issuing.BatchID]()
		_, err = s.CreateBatch(ctx, named)
		ok(t, err)
		if n, err = s.FillBatch(ctx, named, []issuing.AwardID{}, waiting, 10); n != 0 || err != nil {
			t.Errorf("none named: %d, %v", n, err)
		}
		if n, err = s.FillBatch(ctx, named, []issuing.AwardID{awards[1].ID, awards[2].ID, "x"}, waiting, 10); n != 1 || err != nil {
			t.Errorf("named, one of them refused: %d, %v", n, err)
		}
		open, err := s.ListOpen(ctx, b.ID, 10)
		ok(t, err)
		if want := []issuing.AwardID{awards[0].ID, awards[2].ID, awards[3].ID}; !slices.Equal(open, want) {
			t.Fatalf("open %v", open)
		}
		for cause, id := range map[string]issuing.AwardID{issuing.Taken: awards[2].ID, "batch.lacking": awards[0].ID} {
			for _, want := range []bool{true, false} {
				fresh, err := s.SettleInBatch(ctx, b.ID, id, cause)
				ok(t, err)
				equal(t, "fresh", fresh, want)
			}
		}
		a := awards[2]
		a.State = issuing.Ready
		ok(t, s.UpdateAward(ctx, a))
		got, err := s.FindBatch(ctx, b.ID)
		ok(t, err)
		b.Total, b.Open, b.Signing, b.Skipped = 3, 1, 1, map[string]int{"batch.lacking": 1}
		if !reflect.DeepEqual(got, b) {
			t.Errorf("%+v, want %+v", got, b)
		}
		ok(t, s.FinishBatch(ctx, b.ID, 3, noon.Add(time.Minute)))
		b.SettledAt = noon.Add(time.Minute)
		named.Open, named.Skipped = 1, map[string]int{}
		list, err := s.ListBatches(ctx, w.school.ID, "", 10)
		ok(t, err)
		if !reflect.DeepEqual(list, []issuing.Batch{named, b}) {
			t.Errorf("list %+v, want %+v", list, []issuing.Batch{named, b})
		}
		if list, err = s.ListBatches(ctx, w.school.ID, named.ID, 10); err != nil || len(list) != 1 || list[0].ID != b.ID {
			t.Errorf("second page: %+v, %v", list, err)
		}
		_, err = s.FindBatch(ctx, "x")
		wantFault(t, err, fault.NotFound, "batch.not_found")
	})

	t.Run("delegations", func(t *testing.T) {
		quota, expires := 5, noon.Add(time.Hour)
		d := issuing.Delegation{
			ID: newID[issuing.DelegationID](), InstitutionID: w.school.ID, UserID: staff.ID, Courses: []curriculum.CourseID{"another-course"}, Quota: &quota,
			ExpiresAt: &expires, CreatedBy: w.learner.ID, CreatedAt: noon,
		}
		free := issuing.Delegation{ID: newID[issuing.DelegationID](), InstitutionID: w.school.ID, UserID: w.learner.ID, CreatedAt: noon}
		ok(t, s.CreateDelegation(ctx, d))
		ok(t, s.CreateDelegation(ctx, free))
		for user, want := range map[identity.UserID][]issuing.Delegation{"": {d, free}, staff.ID: {d}} {
			got, err := s.ListDelegations(ctx, w.school.ID, user)
			ok(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q: %+v, want %+v", user, got, want)
			}
		}
		if spent, err := s.SpendDelegation(ctx, d.ID, expires); err != nil || spent {
			t.Errorf("expired: %v, %v", spent, err)
		}
		// Many at once take no more than there is.
		var spent atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 2 {
					took, err := s.SpendDelegation(ctx, d.ID, noon)
					if err != nil {
						t.Error(err)
					}
					if took {
						spent.Add(1)
					}
				}
			})
		}
		wg.Wait()
		equal(t, "spent", spent.Load(), 5)
		ok(t, s.ReturnDelegation(ctx, d.ID))
		if took, err := s.SpendDelegation(ctx, d.ID, noon); err != nil || !took {
			t.Errorf("given back: %v, %v", took, err)
		}
		if took, err := s.SpendDelegation(ctx, free.ID, noon.Add(1000*time.Hour)); err != nil || !took {
			t.Errorf("without a limit: %v, %v", took, err)
		}
		ok(t, s.EndDelegation(ctx, free.ID, noon))
		if took, err := s.SpendDelegation(ctx, free.ID, noon); err != nil || took {
			t.Errorf("ended: %v, %v", took, err)
		}
		got, err := s.FindDelegation(ctx, free.ID)
		ok(t, err)
		free.Used, free.EndedAt = 1, &noon
		if !reflect.DeepEqual(got, free) {
			t.Errorf("%+v, want %+v", got, free)
		}
		wantFault(t, s.EndDelegation(ctx, free.ID, noon), fault.NotFound, "delegation.not_found")
	})
}

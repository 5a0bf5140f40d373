package storetest

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

func exerciseSync(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Learning(), w.enrollment
	phone, tablet := newID[learning.DeviceID](), newID[learning.DeviceID]()
	second := w.enroll(t, w.addUser(t, "second"), w.version)
	stamped := func(device learning.DeviceID, epoch, sequence int) learning.Statement {
		st := w.statement(learning.Started, "lesson")
		st.Stamp = learning.Stamp{Device: device, Epoch: epoch, Sequence: sequence}
		return st
	}

	t.Run("arrivals have no gaps and are the learner's own", func(t *testing.T) {
		theirs := w.statement(learning.Started, "lesson")
		theirs.EnrollmentID, theirs.UserID = second.ID, second.UserID
		a, b, c := stamped(phone, 1, 1), stamped(phone, 1, 2), w.statement(learning.Started, "lesson")
		fresh, err := s.AppendStatements(ctx, []learning.Statement{c, theirs, a})
		ok(t, err)
		equal(t, "fresh", len(fresh), 3)
		fresh, err = s.AppendStatements(ctx, []learning.Statement{a, b, c})
		ok(t, err)
		if !reflect.DeepEqual(fresh, map[learning.StatementID]bool{b.ID: true}) {
			t.Errorf("fresh %v", fresh)
		}
		c.Arrival, a.Arrival, b.Arrival, theirs.Arrival = 1, 2, 3, 1
		list, err := s.ListStatements(ctx, e.UserID, 0, 10)
		ok(t, err)
		if want := []learning.Statement{c, a, b}; !reflect.DeepEqual(list, want) {
			t.Errorf("by arrival\n%s, want\n%s", asJSON(t, list), asJSON(t, want))
		}
		list, err = s.ListStatements(ctx, second.UserID, 0, 10)
		ok(t, err)
		if !reflect.DeepEqual(list, []learning.Statement{theirs}) {
			t.Errorf("the other's %s", asJSON(t, list))
		}
		for user, want := range map[identity.UserID]int64{e.UserID: 3, second.UserID: 1, newID[identity.UserID](): 0, "x": 0} {
			n, err := s.CountArrived(ctx, user)
			ok(t, err)
			equal(t, "arrived", n, want)
		}
		st, err := s.FindArrived(ctx, e.UserID, 2)
		ok(t, err)
		if !reflect.DeepEqual(st, a) {
			t.Errorf("the second is %s", asJSON(t, st))
		}
		_, err = s.FindArrived(ctx, e.UserID, 4)
		wantFault(t, err, fault.NotFound, "request.not_found")
		kept, err := s.FindKept(ctx, []learning.StatementID{a.ID, c.ID, theirs.ID, newID[learning.StatementID]()})
		ok(t, err)
		if want := map[learning.StatementID]learning.Kept{a.ID: {UserID: e.UserID, Stamp: a.Stamp}, c.ID: {UserID: e.UserID}, theirs.ID: {UserID: second.UserID}}; !reflect.DeepEqual(kept, want) {
			t.Errorf("kept %v", kept)
		}
	})

	t.Run("a place is taken once", func(t *testing.T) {
		before, err := s.CountArrived(ctx, e.UserID)
		ok(t, err)
		_, err = s.AppendStatements(ctx, []learning.Statement{w.statement(learning.Started, "lesson"), stamped(phone, 1, 2)})
		wantFault(t, err, fault.Conflict, "database.duplicate")
		half := stamped(phone, 1, 9)
		half.Sequence = 0
		_, err = s.AppendStatements(ctx, []learning.Statement{half})
		wantFault(t, err, fault.Invalid, "database.refused")
		after, err := s.CountArrived(ctx, e.UserID)
		ok(t, err)
		equal(t, "arrived", after, before)
	})

	t.Run("what failed leaves no gap", func(t *testing.T) {
		err := s.InTx(ctx, func(tx learning.Store) error {
			if _, err := tx.AppendStatements(ctx, []learning.Statement{stamped(tablet, 1, 1)}); err != nil {
				return err
			}
			return fault.New(fault.Denied, "x")
		})
		wantFault(t, err, fault.Denied, "x")
		st := stamped(tablet, 1, 1)
		_, err = s.AppendStatements(ctx, []learning.Statement{st})
		ok(t, err)
		list, err := s.ListStatements(ctx, e.UserID, 3, 10)
		ok(t, err)
		if st.Arrival = 4; !reflect.DeepEqual(list, []learning.Statement{st}) {
			t.Errorf("after a rollback %s", asJSON(t, list))
		}
	})

	t.Run("many at once", func(t *testing.T) {
		other := newID[learning.DeviceID]()
		before, err := s.CountArrived(ctx, e.UserID)
		ok(t, err)
		allOK(t, together(ctx, 8, func(ctx context.Context, i int) error {
			for n := range 5 {
				if _, err := s.AppendStatements(ctx, []learning.Statement{stamped(other, i+1, n+1), w.statement(learning.Started, "lesson")}); err != nil {
					return err
				}
			}
			return nil
		}))
		list, err := s.ListStatements(ctx, e.UserID, before, 1000)
		ok(t, err)
		equal(t, "statements", len(list), 80)
		for i, st := range list {
			equal(t, "arrival", st.Arrival, before+int64(i)+1)
		}
	})

	t.Run("a page of long ones is cut short", func(t *testing.T) {
		before, err := s.CountArrived(ctx, e.UserID)
		ok(t, err)
		long := json.RawMessage(`"` + strings.Repeat("ب", 200<<10) + `"`)
		var sts []learning.Statement
		for range 10 {
			st := w.statement(learning.Answered, "quiz")
			st.Result.Responses = map[string]json.RawMessage{"q": long}
			sts = append(sts, st)
		}
		_, err = s.AppendStatements(ctx, sts)
		ok(t, err)
		var got []learning.StatementID
		pages := 0
		for after := before; len(got) < len(sts); pages++ {
			list, err := s.ListStatements(ctx, e.UserID, after, 500)
			ok(t, err)
			if len(list) == 0 || len(list) > 5 {
				t.Fatalf("a page of %d", len(list))
			}
			for _, st := range list {
				got = append(got, st.ID)
				after = st.Arrival
			}
		}
		for i, st := range sts {
			equal(t, "id", got[i], st.ID)
		}
	})

	t.Run("epochs and receipts", func(t *testing.T) {
		device := newID[learning.DeviceID]()
		got, last, err := s.FindEpoch(ctx, e.UserID, device, 1)
		ok(t, err)
		if last != 0 || got != (learning.Epoch{Number: 1}) {
			t.Errorf("a new device: %v, %d", got, last)
		}
		ok(t, s.KeepEpoch(ctx, e.UserID, device, learning.Epoch{Number: 1, Known: 2, Highest: 4}))
		ok(t, s.KeepEpoch(ctx, e.UserID, device, learning.Epoch{Number: 7, Highest: 3}))
		ok(t, s.KeepEpoch(ctx, e.UserID, device, learning.Epoch{Number: 1, Known: 5, Highest: 6}))
		ok(t, s.KeepEpoch(ctx, second.UserID, device, learning.Epoch{Number: 9, Known: 1, Highest: 1}))
		got, last, err = s.FindEpoch(ctx, e.UserID, device, 1)
		ok(t, err)
		if last != 7 || got != (learning.Epoch{Number: 1, Known: 5, Highest: 6}) {
			t.Errorf("%v, %d", got, last)
		}
		wantFault(t, s.KeepEpoch(ctx, e.UserID, device, learning.Epoch{Number: 1, Known: 7, Highest: 6}), fault.Invalid, "database.refused")

		three, five := stamped(device, 1, 3), stamped(device, 1, 5)
		_, err = s.AppendStatements(ctx, []learning.Statement{five, three, stamped(device, 2, 4)})
		ok(t, err)
		gone := newID[learning.StatementID]()
		at := func(epoch, n int) learning.Stamp { return learning.Stamp{Device: device, Epoch: epoch, Sequence: n} }
		ok(t, s.AddReceipts(ctx, e.UserID, []learning.Receipt{{Stamp: at(1, 4), ID: gone}, {Stamp: at(1, 1)}, {Stamp: at(3, 1), ID: gone}}))
		ok(t, s.AddReceipts(ctx, e.UserID, []learning.Receipt{{Stamp: at(1, 4), ID: newID[learning.StatementID]()}})) // the first stays
		ok(t, s.AddReceipts(ctx, e.UserID, nil))
		taken, err := s.ListTaken(ctx, e.UserID, device, 1, []int{1, 2, 3, 4, 5, 6})
		ok(t, err)
		if want := map[int]learning.StatementID{1: "", 3: three.ID, 4: gone, 5: five.ID}; !reflect.DeepEqual(taken, want) {
			t.Errorf("taken %v, want %v", taken, want)
		}
		taken, err = s.ListTaken(ctx, second.UserID, device, 1, []int{1, 3})
		ok(t, err)
		equal(t, "taken by another learner", len(taken), 0)
		for after, want := range map[int][]int{0: {1, 3}, 1: {3, 4}, 4: {5}, 5: {}} {
			ns, err := s.ListSequences(ctx, e.UserID, device, 1, after, 2)
			ok(t, err)
			if !slices.Equal(ns, want) {
				t.Errorf("after %d: %v, want %v", after, ns, want)
			}
		}
		found, err := s.FindReceipts(ctx, e.UserID, device, []learning.StatementID{gone, three.ID, "x"})
		ok(t, err)
		if !reflect.DeepEqual(found, map[learning.StatementID]learning.Stamp{gone: at(3, 1)}) {
			t.Errorf("receipts %v", found)
		}
	})

	t.Run("locks of several learners", func(t *testing.T) {
		allOK(t, together(ctx, 6, func(ctx context.Context, i int) error {
			users := []identity.UserID{e.UserID, second.UserID}
			if i%2 == 0 {
				slices.Reverse(users)
			}
			for range 10 {
				if err := s.InTx(ctx, func(tx learning.Store) error { return tx.LockLearners(ctx, users...) }); err != nil {
					return err
				}
			}
			return nil
		}))
	})
}

package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

func newJob(t *testing.T, payload any) job.Job {
	t.Helper()
	j, err := job.New(newID[job.ID](), "lab.grade", payload)
	ok(t, err)
	return j
}

const hour = time.Hour

func exerciseOutbox(t *testing.T, w *world) {
	ctx, s, in := t.Context(), w.Outbox(), w.Lab()
	claim := func(t *testing.T, limit int, visibility time.Duration) []job.Job {
		t.Helper()
		js, err := s.Start(ctx, job.Housekeeping, limit, visibility)
		ok(t, err)
		return js
	}
	// claimSoon waits until something is due.
	claimSoon := func(t *testing.T) job.Job {
		t.Helper()
		for range 200 {
			if js := claim(t, 1, hour); len(js) == 1 {
				return js[0]
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("nothing is due")
		return job.Job{}
	}
	finish := func(t *testing.T, id job.ID) bool {
		t.Helper()
		done, err := in.FinishJob(ctx, id)
		ok(t, err)
		return done
	}

	t.Run("oldest first, hidden while claimed", func(t *testing.T) {
		var ids []job.ID
		for i := range 5 {
			j := newJob(t, map[string]any{"n": i, "text": "مرحبا <&>"})
			ids = append(ids, j.ID)
			ok(t, in.Enqueue(ctx, j))
			if i == 0 {
				got := claim(t, 1, 0)
				equal(t, "payload", string(got[0].Payload), string(j.Payload))
				equal(t, "kind", got[0].Kind, job.Kind("lab.grade"))
				equal(t, "attempt", got[0].Attempt, 1)
			}
		}
		first, rest := claim(t, 3, hour), claim(t, 3, hour)
		var got []job.ID
		for _, j := range append(first, rest...) {
			got = append(got, j.ID)
		}
		if len(first) != 3 || !slices.Equal(got, ids) {
			t.Errorf("claimed %v, want %v", got, ids)
		}
		equal(t, "claimed again", len(claim(t, 10, hour)), 0)
		wantFault(t, in.Enqueue(ctx, job.Job{ID: ids[0], Kind: "lab.grade", Payload: []byte("{}")}), fault.Conflict, "job.exists")
		wantFault(t, in.Enqueue(ctx, job.Job{ID: newID[job.ID](), Kind: "lab.grade", Payload: []byte("{")}), fault.Invalid, "database.bad_text")
		for _, id := range ids {
			equal(t, "done for the first time", finish(t, id), true)
			equal(t, "done twice", finish(t, id), false)
		}
		equal(t, "unknown job done", finish(t, newID[job.ID]()), false)
		equal(t, "no job done", finish(t, "x"), false)
	})

	t.Run("neither done nor parked ones are claimed, due or not", func(t *testing.T) {
		j, k := newJob(t, 1), newJob(t, 2)
		ok(t, in.Enqueue(ctx, j))
		ok(t, in.Enqueue(ctx, k))
		equal(t, "done", finish(t, j.ID), true)
		ok(t, s.Park(ctx, k.ID, "never tried"))
		equal(t, "claimed", len(claim(t, 10, 0)), 0)
		equal(t, "done", finish(t, k.ID), true)
	})

	t.Run("seen again after the visibility time", func(t *testing.T) {
		j := newJob(t, 1)
		ok(t, in.Enqueue(ctx, j))
		equal(t, "claimed", len(claim(t, 1, 50*time.Millisecond)), 1)
		again := claimSoon(t)
		equal(t, "job", again.ID, j.ID)
		equal(t, "attempt", again.Attempt, 2) // nobody said how the first one ended
		equal(t, "deaths", again.Deaths, 1)
		finish(t, j.ID)
	})

	t.Run("retry", func(t *testing.T) {
		j := newJob(t, 1)
		ok(t, in.Enqueue(ctx, j))
		claimSoon(t)
		// A cause may be whatever a broken program printed.
		ok(t, s.Retry(ctx, j.ID, time.Now().Add(-time.Second).In(time.FixedZone("", 9*3600)), "no \x00 \xff "+strings.Repeat("é", 9000)))
		second := claimSoon(t)
		equal(t, "attempt", second.Attempt, 2)
		equal(t, "deaths", second.Deaths, 0)
		ok(t, s.Retry(ctx, j.ID, time.Now().Add(hour).In(time.FixedZone("", -9*3600)), "later"))
		equal(t, "due too early", len(claim(t, 1, hour)), 0)
		equal(t, "done", finish(t, j.ID), true)
		ok(t, s.Retry(ctx, j.ID, time.Now().Add(-time.Second), "too late")) // by one who was slower
		ok(t, s.Park(ctx, j.ID, "too late"))
		equal(t, "a done job is claimed", len(claim(t, 1, hour)), 0)
	})

	t.Run("park and release", func(t *testing.T) {
		j, k := newJob(t, 1), newJob(t, 2)
		for _, j := range []job.Job{j, k} {
			ok(t, in.Enqueue(ctx, j))
			claimSoon(t)
			ok(t, s.Retry(ctx, j.ID, time.Now().Add(-time.Second), "once"))
			claimSoon(t)
			ok(t, s.Park(ctx, j.ID, "twice \xff"))
			ok(t, s.Retry(ctx, j.ID, time.Now().Add(-time.Second), "parked meanwhile"))
		}
		equal(t, "a parked job is claimed", len(claim(t, 1, hour)), 0)
		parked, err := s.ListParked(ctx, "", 10)
		ok(t, err)
		if len(parked) != 2 || parked[0].ID != j.ID || parked[1].ID != k.ID {
			t.Fatalf("parked %v", parked)
		}
		n, err := s.CountParked(ctx)
		ok(t, err)
		equal(t, "number parked", n, 2)
		equal(t, "cause", parked[0].Cause, "twice \uFFFD")
		equal(t, "tries", parked[0].Attempt, 2)
		if age := time.Since(parked[0].ParkedAt); age < -time.Minute || age > time.Minute {
			t.Errorf("parked %s ago", age)
		}
		parked, err = s.ListParked(ctx, j.ID, 10)
		ok(t, err)
		equal(t, "second page", len(parked), 1)
		ok(t, s.Release(ctx, j.ID))
		wantFault(t, s.Release(ctx, j.ID), fault.NotFound, "job.not_found")
		got := claimSoon(t)
		equal(t, "released job", got.ID, j.ID)
		equal(t, "attempt", got.Attempt, 1)
		equal(t, "done", finish(t, j.ID), true)
		equal(t, "a parked job can be done", finish(t, k.ID), true)
		parked, err = s.ListParked(ctx, "", 10)
		ok(t, err)
		equal(t, "parked", len(parked), 0)
	})

	t.Run("release all", func(t *testing.T) {
		n, err := s.ReleaseAll(ctx)
		ok(t, err)
		equal(t, "released without any", n, 0)
		for range 3 {
			j := newJob(t, 1)
			ok(t, in.Enqueue(ctx, j))
			claimSoon(t)
			ok(t, s.Park(ctx, j.ID, "oh"))
		}
		n, err = s.ReleaseAll(ctx)
		ok(t, err)
		equal(t, "released", n, 3)
		for _, j := range claim(t, 10, hour) {
			equal(t, "attempt", j.Attempt, 1)
			finish(t, j.ID)
		}
	})

	t.Run("claimed is not begun", func(t *testing.T) {
		j := newJob(t, 1)
		j.About, j.Owner = string(newID[job.ID]()), string(w.learner.ID)
		ok(t, in.Enqueue(ctx, j))
		for range 3 {
			js, err := s.Claim(ctx, job.Backlog, 1, 0)
			ok(t, err)
			if len(js) != 1 || js[0].Attempt != 0 || js[0].Deaths != 0 || js[0].About != j.About || js[0].Owner != j.Owner {
				t.Fatalf("claimed %+v", js)
			}
		}
		got, live, err := s.Begin(ctx, j.ID)
		ok(t, err)
		equal(t, "live", live, true)
		equal(t, "attempt", got.Attempt, 1)
		equal(t, "payload", string(got.Payload), "1")
		ok(t, s.Return(ctx, j.ID, time.Time{}))
		ok(t, s.Return(ctx, j.ID, time.Time{})) // and only what was begun
		got, _, err = s.Begin(ctx, j.ID)
		ok(t, err)
		equal(t, "attempt after an interruption", got.Attempt, 1)
		equal(t, "deaths after an interruption", got.Deaths, 0)
		got, _, err = s.Begin(ctx, j.ID)
		ok(t, err)
		equal(t, "attempt after a death", got.Attempt, 2)
		equal(t, "deaths after a death", got.Deaths, 1)
		equal(t, "done", finish(t, j.ID), true)
		for _, id := range []job.ID{j.ID, newID[job.ID](), "x"} {
			_, live, err = s.Begin(ctx, id)
			ok(t, err)
			equal(t, "live "+string(id), live, false)
		}
		ok(t, s.Return(ctx, j.ID, time.Time{}))
		equal(t, "a done job is claimed", len(claim(t, 1, 0)), 0)
	})

	t.Run("who waits goes first", func(t *testing.T) {
		var want []job.ID
		for _, p := range []job.Priority{job.Housekeeping, job.Regrade, job.Backlog, job.Waiting} {
			for range 2 {
				j := newJob(t, 1)
				j.Priority = p
				ok(t, in.Enqueue(ctx, j))
				want = append(want, j.ID)
			}
		}
		slices.Reverse(want)
		for i := 0; i < len(want); i += 2 { // by age inside of a priority
			want[i], want[i+1] = want[i+1], want[i]
		}
		js, err := s.Claim(ctx, job.Backlog, 10, 0)
		ok(t, err)
		equal(t, "that somebody waits for", len(js), 4)
		var got []job.ID
		for range want {
			js := claim(t, 1, hour)
			got = append(got, js[0].ID)
			finish(t, js[0].ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("claimed %v, want %v", got, want)
		}
	})

	t.Run("places in line", func(t *testing.T) {
		place := func(id lab.SubmissionID) int {
			t.Helper()
			n, err := in.Place(ctx, id)
			ok(t, err)
			return n
		}
		waiting := func(limit int) int {
			t.Helper()
			n, err := in.CountWaiting(ctx, w.learner.ID, limit)
			ok(t, err)
			return n
		}
		equal(t, "waiting", waiting(9), 0)
		var subs []lab.SubmissionID
		var jobs []job.ID
		for _, p := range []job.Priority{1, 0, 0, job.Regrade} {
			id, j := newID[lab.SubmissionID](), newJob(t, 1)
			j.Priority, j.About, j.Owner = p, string(id), string(w.learner.ID)
			ok(t, in.Enqueue(ctx, j))
			subs, jobs = append(subs, id), append(jobs, j.ID)
		}
		for i, want := range []int{3, 1, 2, 0} { // nobody waits for the last one
			equal(t, "place", place(subs[i]), want)
		}
		equal(t, "waiting", waiting(9), 4)
		equal(t, "waiting, up to a limit", waiting(3), 3)
		_, err := s.Claim(ctx, job.Backlog, 1, hour) // on its way to a worker it waits still
		ok(t, err)
		equal(t, "place of a claimed one", place(subs[1]), 1)
		_, _, err = s.Begin(ctx, jobs[1])
		ok(t, err)
		equal(t, "place of a running one", place(subs[1]), 0)
		equal(t, "place of the next", place(subs[2]), 1)
		equal(t, "place of the last", place(subs[0]), 2)
		ok(t, s.Park(ctx, jobs[2], "oh"))
		equal(t, "place of a parked one", place(subs[2]), 0)
		equal(t, "place of the last", place(subs[0]), 1)
		equal(t, "waiting", waiting(9), 3)
		for _, id := range jobs {
			finish(t, id)
		}
		equal(t, "place of a done one", place(subs[0]), 0)
		equal(t, "place of none", place("x"), 0)
		equal(t, "waiting", waiting(9), 0)
	})

	t.Run("purge", func(t *testing.T) {
		before := time.Now()
		_, err := s.Purge(ctx, before.Add(hour), 100_000)
		ok(t, err)
		var ids []job.ID
		for range 5 {
			j := newJob(t, 1)
			created, err := s.Ensure(ctx, j)
			ok(t, err)
			equal(t, "created", created, true)
			created, err = s.Ensure(ctx, j)
			ok(t, err)
			equal(t, "created twice", created, false)
			ids = append(ids, j.ID)
		}
		for _, id := range ids[:3] {
			finish(t, id)
		}
		ok(t, s.Park(ctx, ids[3], "oh"))
		for _, step := range []struct {
			before time.Time
			limit  int
			want   int64
		}{{before.Add(-hour), 10, 0}, {before.Add(hour), 2, 2}, {before.Add(hour), 10, 1}, {before.Add(hour), 10, 0}} {
			n, err := s.Purge(ctx, step.before, step.limit)
			ok(t, err)
			equal(t, "purged", n, step.want)
		}
		equal(t, "done again", finish(t, ids[0]), false)
		equal(t, "the parked one", finish(t, ids[3]), true)
		equal(t, "the waiting one", finish(t, ids[4]), true)
	})

	t.Run("eight claim five hundred", func(t *testing.T) {
		const n = 500
		ok(t, in.InTx(ctx, func(tx lab.Store) error {
			for range n {
				if err := tx.Enqueue(ctx, newJob(t, 1)); err != nil {
					return err
				}
			}
			return nil
		}))
		claims := make([][]job.Job, 8)
		var left atomic.Int64
		left.Store(n)
		allOK(t, together(ctx, len(claims), func(ctx context.Context, i int) error {
			for range 10_000 {
				js, err := s.Claim(ctx, job.Housekeeping, 7, hour)
				if err != nil {
					return err
				}
				if len(js) > 7 {
					return errors.New("claimed more than the limit")
				}
				claims[i] = append(claims[i], js...)
				// Skipped rows may make a claim come back empty while others are at work.
				if left.Add(-int64(len(js))) <= 0 {
					return nil
				}
			}
			return errors.New("jobs are left behind")
		}))
		times := map[job.ID]int{}
		for _, js := range claims {
			for _, j := range js {
				times[j.ID]++
			}
		}
		equal(t, "jobs claimed", len(times), n)
		for id, c := range times {
			equal(t, "claims of "+string(id), c, 1)
		}
		// And each is finished by one of many.
		var done atomic.Int64
		allOK(t, together(ctx, 4, func(ctx context.Context, _ int) error {
			for id := range times {
				first, err := in.FinishJob(ctx, id)
				if err != nil {
					return err
				}
				if first {
					done.Add(1)
				}
			}
			return nil
		}))
		equal(t, "jobs finished", done.Load(), int64(n))
	})
}

func exerciseTransactions(t *testing.T, w *world) {
	ctx, s, e := t.Context(), w.Learning(), w.enrollment
	var wakes atomic.Int64
	w.OnEnqueue(func() {
		// Whoever is woken finds the work: the transaction is over.
		if js, err := w.Outbox().Claim(context.WithoutCancel(ctx), job.Housekeeping, 10, time.Hour); err != nil || len(js) == 0 {
			t.Errorf("woken for nothing: %v, %v", js, err)
		}
		wakes.Add(1)
	})
	merge := func(tx learning.Store) error {
		return tx.MergeProgress(ctx, []learning.Progress{{EnrollmentID: e.ID, ObjectID: "lesson", Attempts: 1, UpdatedAt: noon}})
	}
	nothing := func(t *testing.T) {
		t.Helper()
		ps, err := s.ListProgress(ctx, e.ID)
		ok(t, err)
		equal(t, "progress kept", len(ps), 0)
		js, err := w.Outbox().Claim(ctx, job.Housekeeping, 10, 0)
		ok(t, err)
		equal(t, "jobs kept", len(js), 0)
		equal(t, "wakes", wakes.Load(), 0)
	}
	stop := errors.New("stop")

	t.Run("an error undoes all", func(t *testing.T) {
		err := s.InTx(ctx, func(tx learning.Store) error {
			ok(t, merge(tx))
			ok(t, tx.Enqueue(ctx, newJob(t, 1)))
			return stop
		})
		if !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of fn", err)
		}
		nothing(t)
	})
	t.Run("a panic undoes all", func(t *testing.T) {
		func() {
			defer func() { equal(t, "panic", recover(), any("oh")) }()
			_ = s.InTx(ctx, func(tx learning.Store) error {
				ok(t, merge(tx))
				ok(t, tx.Enqueue(ctx, newJob(t, 1)))
				panic("oh")
			})
		}()
		nothing(t)
	})
	t.Run("an error inside of a joined transaction undoes all", func(t *testing.T) {
		err := s.InTx(ctx, func(tx learning.Store) error {
			ok(t, merge(tx))
			_ = tx.InTx(ctx, func(learning.Store) error { return stop })
			return nil
		})
		if !errors.Is(err, stop) {
			t.Errorf("got %v, want the error that was swallowed", err)
		}
		nothing(t)
	})
	t.Run("a failed statement undoes all, even when nobody minds", func(t *testing.T) {
		err := s.InTx(ctx, func(tx learning.Store) error {
			ok(t, merge(tx))
			twin := e
			twin.ID = newID[learning.EnrollmentID]()
			wantFault(t, tx.CreateEnrollment(ctx, twin), fault.Conflict, "enrollment.exists")
			return nil
		})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v, want the conflict", err)
		}
		nothing(t)
	})
	t.Run("a cancelled context undoes all", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		err := s.InTx(ctx, func(tx learning.Store) error {
			ok(t, merge(tx))
			cancel()
			return merge(tx)
		})
		if !errors.Is(err, context.Canceled) && !fault.Is(err, fault.Unavailable) {
			t.Errorf("got %v, want that it was interrupted", err)
		}
		nothing(t)
	})
	t.Run("an absent row breaks nothing", func(t *testing.T) {
		ok(t, s.InTx(ctx, func(tx learning.Store) error {
			_, err := tx.FindEnrollment(ctx, newID[learning.EnrollmentID]())
			wantFault(t, err, fault.NotFound, "enrollment.not_found")
			_, err = tx.FindEnrollment(ctx, "x")
			wantFault(t, err, fault.NotFound, "enrollment.not_found")
			return merge(tx)
		}))
		ps, err := s.ListProgress(ctx, e.ID)
		ok(t, err)
		equal(t, "progress kept", len(ps), 1)
		ok(t, s.ReplaceProgress(ctx, e.ID, nil))
	})
	t.Run("what is not committed is seen by nobody else", func(t *testing.T) {
		ok(t, s.InTx(ctx, func(tx learning.Store) error {
			ok(t, merge(tx))
			inside, err := tx.ListProgress(ctx, e.ID)
			ok(t, err)
			outside, err := s.ListProgress(ctx, e.ID)
			ok(t, err)
			if len(inside) != 1 || len(outside) != 0 {
				t.Errorf("inside %v, outside %v", inside, outside)
			}
			return nil
		}))
	})
	t.Run("one wake for each commit with work", func(t *testing.T) {
		equal(t, "wakes", wakes.Load(), 0)
		ok(t, s.InTx(ctx, func(tx learning.Store) error {
			ok(t, tx.Enqueue(ctx, newJob(t, 1)))
			return tx.Enqueue(ctx, newJob(t, 2))
		}))
		equal(t, "wakes", wakes.Load(), 1)
		ok(t, s.Enqueue(ctx, newJob(t, 3)))
		equal(t, "wakes", wakes.Load(), 2)
		ok(t, s.InTx(ctx, func(tx learning.Store) error { return merge(tx) }))
		equal(t, "wakes", wakes.Load(), 2)
	})
}

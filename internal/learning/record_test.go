package learning_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// TestProgressKnowsNoRoad sends the same statements along many roads: in any
// order, in any split, with repeats. The progress is the same, and rebuilding it changes nothing.
func TestProgressKnowsNoRoad(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			var want map[curriculum.ContentID]learning.Progress
			for road := range uint64(6) {
				r := rand.New(rand.NewPCG(road, 3))
				by := c.learner()
				e := c.enroll(by)
				sts := []any{
					said(e, "started", "intro"), said(e, "completed", "intro"), said(e, "completed", "more"), said(e, "started", "code"),
					answered(e, "practice", map[string]any{"p1": "right"}), answered(e, "exam", map[string]any{"q1": "wrong"}),
					answered(e, "exam", map[string]any{"q1": "right"}), answered(e, "exam", map[string]any{}), said(e, "started", "exam"),
				}
				if road > 0 {
					sts = append(sts, sts[r.IntN(len(sts))], sts[r.IntN(len(sts))], sts[r.IntN(len(sts))])
					r.Shuffle(len(sts), func(i, j int) { sts[i], sts[j] = sts[j], sts[i] })
				}
				for rest := sts; len(rest) > 0; {
					n := 1 + r.IntN(len(rest))
					c.send(by, rest[:n]...)
					rest = rest[n:]
				}
				got := c.progress(e)
				before, err := c.Store.ListProgress(t.Context(), e.ID)
				c.must(err)
				if _, err := c.Rebuild(t.Context(), identity.System(), nil); err != nil {
					t.Fatal(err)
				}
				after, err := c.Store.ListProgress(t.Context(), e.ID)
				c.must(err)
				if a, b := asJSON(t, after), asJSON(t, before); a != b {
					t.Errorf("road %d: rebuilt to\n%s\nfrom\n%s", road, a, b)
				}
				for id, p := range got { // who and when differ, what does not
					p.EnrollmentID, p.UpdatedAt = "", time.Time{}
					got[id] = p
				}
				if want == nil {
					want = got
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("road %d: %s, want %s", road, asJSON(t, got), asJSON(t, want))
				}
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestRebuild(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	for range 3 { // more than one page and one chunk
		batch := make([]any, 500)
		for i := range batch {
			batch[i] = answered(e, "exam", map[string]any{"q1": "wrong"})
		}
		c.send(by, batch...)
	}
	c.send(by, said(e, "completed", "intro"), said(e, "completed", "more"), answered(e, "exam", right))
	c.must(c.record(c.passed(e)))
	empty := c.enroll(c.learner())
	before, err := c.Store.ListProgress(t.Context(), e.ID)
	c.must(err)
	if n := c.certificates()[e.ID]; n != 1 {
		t.Fatalf("%d certificates", n)
	}
	// Whatever stands there is replaced.
	bad := 1.0
	c.must(c.Store.ReplaceProgress(t.Context(), e.ID, []learning.Progress{{EnrollmentID: e.ID, ObjectID: "made-up", Score: &bad, Attempts: 99, UpdatedAt: c.clock()}}))
	c.must(c.Store.ReplaceProgress(t.Context(), empty.ID, []learning.Progress{{EnrollmentID: empty.ID, ObjectID: "intro", Completed: true, UpdatedAt: c.clock()}}))
	var told []int
	n, err := c.Rebuild(t.Context(), identity.System(), func(n int) { told = append(told, n) })
	if err != nil || n != 2 || fmt.Sprint(told) != "[1 2]" {
		t.Fatalf("rebuilt %d, told %v: %v", n, told, err)
	}
	after, err := c.Store.ListProgress(t.Context(), e.ID)
	c.must(err)
	if a, b := asJSON(t, after), asJSON(t, before); a != b {
		t.Errorf("rebuilt to\n%s\nfrom\n%s", a, b)
	}
	if ps := c.progress(empty); len(ps) != 0 {
		t.Errorf("who did nothing has %+v", ps)
	}
	if got := c.certificates(); len(got) != 0 {
		t.Errorf("rebuilding asks for certificates: %v", got)
	}
	_, err = c.Rebuild(t.Context(), by, nil)
	want(t, err, fault.Denied, "progress.rebuild_denied")
}

// TestRebuildWhileLearning rebuilds while statements arrive: none is lost and none counts twice.
func TestRebuildWhileLearning(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			by := c.learner()
			e := c.enroll(by)
			objects := []string{"practice", "exam"}
			var sent [2]atomic.Int64
			var wg sync.WaitGroup
			stop := make(chan struct{})
			for w := range 4 {
				wg.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						c.send(by, answered(e, objects[w%2], map[string]any{}))
						sent[w%2].Add(1)
					}
				})
			}
			for range 40 {
				if _, err := c.Rebuild(t.Context(), identity.System(), nil); err != nil {
					t.Error(err)
				}
			}
			close(stop)
			wg.Wait()
			ps := c.progress(e)
			for i, object := range objects {
				if got, want := ps[curriculum.ContentID(object)].Attempts, int(sent[i].Load()); got != want {
					t.Errorf("%s: %d attempts, %d were sent", object, got, want)
				}
			}
		})
	}
}

// TestCertificateIsAskedForOnce lets transactions that bring the last missing
// pieces run at the same time: however they meet, the course is completed once.
func TestCertificateIsAskedForOnce(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			want := map[learning.EnrollmentID]int{}
			for range 12 {
				by := c.learner()
				e := c.enroll(by)
				want[e.ID] = 1
				c.send(by, said(e, "completed", "intro"))
				last := []func() error{
					func() error { c.send(by, said(e, "completed", "more")); return nil },
					func() error { c.send(by, answered(e, "exam", right)); return nil },
					func() error { return c.record(c.passed(e)) },
					func() error { c.send(by, answered(e, "practice", map[string]any{"p1": "right"})); return nil },
				}
				var wg sync.WaitGroup
				for _, piece := range last {
					wg.Go(func() {
						if err := piece(); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				// And once more of everything.
				c.send(by, said(e, "completed", "more"), answered(e, "exam", right))
				c.must(c.record(c.passed(e)))
				if p := c.progress(e)[curriculum.ContentID(course)]; !p.Completed {
					t.Errorf("the course is not completed: %+v", c.progress(e))
				}
			}
			if got := c.certificates(); !reflect.DeepEqual(got, want) {
				t.Errorf("certificates asked for: %v, want one each of %d", got, len(want))
			}
		})
	}
}

// TestCertificateOfTwoThatDoNotSeeEachOther holds one transaction open while the
// other brings the last missing piece: without the lock neither would see the whole.
func TestCertificateOfTwoThatDoNotSeeEachOther(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			c.publish(curriculum.Criteria{Labs: true, Quizzes: 0.5})
			by := c.learner()
			e := c.enroll(by)
			recorded := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				err := c.Store.InTx(t.Context(), func(tx learning.Store) error {
					if err := c.Record(t.Context(), tx, c.passed(e)); err != nil {
						return err
					}
					close(recorded)
					time.Sleep(300 * time.Millisecond) // long enough for the other to get past its look
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
			<-recorded
			c.send(by, answered(e, "exam", right))
			wg.Wait()
			if got := c.certificates(); got[e.ID] != 1 || len(got) != 1 {
				t.Errorf("certificates: %v", got)
			}
		})
	}
}

// TestCertificateCommitsWithItsCause: what is rolled back asks for nothing.
func TestCertificateCommitsWithItsCause(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	c.send(by, said(e, "completed", "intro"), said(e, "completed", "more"), answered(e, "exam", right))
	gone := fmt.Errorf("the rest of the transaction failed")
	err := c.Store.InTx(t.Context(), func(tx learning.Store) error {
		if err := c.Record(t.Context(), tx, c.passed(e)); err != nil {
			return err
		}
		return gone
	})
	if err == nil {
		t.Fatal("the transaction was committed")
	}
	if ps := c.progress(e); len(c.certificates()) != 0 || ps["code"].Started || ps[curriculum.ContentID(course)].Completed {
		t.Errorf("left behind: %+v", ps)
	}
	st := c.passed(e)
	c.must(c.record(st))
	c.must(c.record(st)) // a job that runs twice
	if got := c.certificates(); got[e.ID] != 1 {
		t.Errorf("certificates: %v", got)
	}
	if p := c.progress(e)["code"]; p.Attempts != 1 {
		t.Errorf("a repeat counted: %+v", p)
	}
}

func TestOneBatchOfSeveralCourses(t *testing.T) {
	c := newClass(t)
	c.publish(curriculum.Criteria{Lessons: true})
	by := c.learner()
	e := c.enroll(by)
	other := c.enroll(c.learner())
	// A stranger's statements in the same batch neither count nor complete anything.
	c.send(by, said(e, "completed", "intro"), said(other, "completed", "intro"), said(other, "completed", "more"), said(e, "completed", "more"))
	if got := c.certificates(); got[e.ID] != 1 || len(got) != 1 {
		t.Errorf("certificates: %v", got)
	}
}

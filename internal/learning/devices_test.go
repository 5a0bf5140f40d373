package learning_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/store"
)

// gadget is a device as docs/sync.md wants it: the least that keeps to the protocol.
type gadget struct {
	id          string
	epoch, next int
	known       int
	waiting     []kept
	history     []kept
	cursor      string
	seen        map[string]bool // pulled
}

// kept is a statement on a device, with its place.
type kept struct {
	what      fields
	epoch     int
	sequence  int
	forgotten bool // rejected
}

func newGadget() *gadget { return &gadget{id: v7(), epoch: 1, next: 1, seen: map[string]bool{}} }

// copied is what a backup of the device holds.
func (g *gadget) copied() *gadget {
	out := *g
	out.waiting, out.history, out.seen = slices.Clone(g.waiting), slices.Clone(g.history), maps.Clone(g.seen)
	return &out
}

func (g *gadget) state(f fields) {
	k := kept{what: f, epoch: g.epoch, sequence: g.next}
	g.next++
	g.waiting = append(g.waiting, k)
	g.history = append(g.history, k)
}

// world is a server, its devices, and what is expected of them.
type world struct {
	*class
	by      identity.Actor
	e       learning.Enrollment
	r       *rand.Rand
	path    string
	devices []*gadget
	backups []*gadget
	stored  map[string]bool // what the server has said to have
	backup  map[string]bool // what it had at its backup
	syncs   int
}

func (w *world) roll(n int) bool { return w.r.IntN(n) == 0 }

// something is a statement of any kind, now and then one that no server takes.
func (w *world) something(n int) fields {
	f := said(w.e, "started", []string{"intro", "more", "code", "exam"}[w.r.IntN(4)])
	switch w.r.IntN(6) {
	case 0:
		f = said(w.e, "completed", []string{"intro", "more"}[w.r.IntN(2)])
	case 1, 2:
		f = answered(w.e, []string{"exam", "practice"}[w.r.IntN(2)], map[string]any{"q1": []string{"right", "wrong"}[w.r.IntN(2)]})
		if f["object_id"] == "practice" {
			f["responses"] = map[string]any{"p1": "right"}
		}
	case 3:
		if w.roll(3) {
			f["object_id"] = "no-such-thing"
		}
	}
	// Clocks are wrong by years.
	return f.with("at", fmt.Sprintf("%d-03-01T10:00:00Z", []int{1970, 2026, 2076}[n%3]))
}

func good(f fields) bool { return f["object_id"] != "no-such-thing" }

// exchange sends a batch and tells whether the answer arrived.
func (w *world) exchange(g *gadget, batch []kept, lossy bool) (learning.Synced, bool) {
	w.Helper()
	if lossy && w.roll(6) {
		return learning.Synced{}, false // lost on the way there
	}
	epoch := g.epoch
	sts := []fields{}
	for _, k := range batch {
		epoch = k.epoch
		sts = append(sts, k.what.with("sequence", k.sequence))
	}
	known := 0
	if epoch == g.epoch {
		known = g.known
	}
	body := fields{"device": g.id, "epoch": epoch, "acknowledged": known, "statements": sts}
	if g.cursor != "" {
		body["cursor"] = g.cursor
	}
	w.syncs++
	got, err := w.Sync(w.Context(), w.by, body.json())
	w.must(err)
	if len(got.Answers) != len(batch) {
		w.Fatalf("%d answers to %d statements", len(got.Answers), len(batch))
	}
	for i, a := range got.Answers {
		if wantGood := good(batch[i].what); wantGood != (a.Status != learning.Rejected) || a.Status == learning.Deferred {
			w.Fatalf("%v: %s", batch[i].what, short(a))
		}
		if a.Status != learning.Rejected {
			w.stored[a.ID] = true
		}
	}
	return got, !lossy || !w.roll(6) // lost on the way back
}

// flush sends what waits, in pieces, some of them twice, and not always in order.
func (w *world) flush(g *gadget, lossy bool) {
	for rounds := 0; ; rounds++ {
		if rounds > 200 {
			w.Fatalf("a device does not come to an end: %d wait", len(g.waiting))
		}
		var batch []kept
		if len(g.waiting) > 0 {
			of := g.waiting[0].epoch
			same := slices.DeleteFunc(slices.Clone(g.waiting), func(k kept) bool { return k.epoch != of })
			from := 0
			if lossy && w.roll(3) {
				from = w.r.IntN(len(same))
			}
			batch = same[from:min(len(same), from+1+w.r.IntN(7))]
			if lossy && w.roll(4) {
				batch = append(slices.Clone(batch), batch[0])
			}
		}
		got, arrived := w.exchange(g, batch, lossy)
		if !arrived {
			return
		}
		of := g.epoch
		if len(batch) > 0 {
			of = batch[0].epoch
		}
		for i, a := range got.Answers {
			id := batch[i].what["id"]
			g.waiting = slices.DeleteFunc(g.waiting, func(k kept) bool { return k.what["id"] == id })
			for j := range g.history {
				if h := &g.history[j]; h.what["id"] == id {
					if h.forgotten = a.Status == learning.Rejected; a.Stamp.Epoch > 0 {
						h.epoch, h.sequence = a.Stamp.Epoch, a.Stamp.Sequence
					}
				}
			}
		}
		if got.Current {
			for _, k := range batch {
				if good(k.what) {
					g.seen[k.what["id"].(string)] = true
				}
			}
			g.cursor = got.Cursor
		}
		switch {
		case got.Epoch > g.epoch:
			old := g.epoch
			g.epoch, g.known, g.next = got.Epoch, got.Known, got.Known+1
			for i := range g.waiting {
				if k := &g.waiting[i]; k.epoch == old {
					k.epoch, k.sequence = g.epoch, g.next
					for j := range g.history {
						if g.history[j].what["id"] == k.what["id"] {
							g.history[j].epoch, g.history[j].sequence = k.epoch, k.sequence
						}
					}
					g.next++
				}
			}
		case of == g.epoch:
			g.known = got.Known
			g.next = max(g.next, g.known+1)
		}
		if len(g.waiting) == 0 {
			return
		}
	}
}

// pull fetches what has arrived; it tells whether it came to the end.
func (w *world) pull(g *gadget, lossy bool) bool {
	for pages := 0; ; pages++ {
		if pages > 1000 {
			w.Fatal("the pages do not end")
		}
		p, err := w.Pull(w.Context(), w.by, g.cursor, 1+w.r.IntN(20))
		w.must(err)
		if lossy && w.roll(6) {
			return false
		}
		if p.Reset {
			clear(g.seen)
		}
		for _, st := range p.Statements {
			g.seen[string(st.ID)] = true
		}
		if g.cursor = p.Cursor; !p.More {
			return true
		}
	}
}

// contact is one sync of a device. When it has seen all that the server has, and something of its own that was acknowledged is not among it,
// the server has forgotten that: it is sent again.
func (w *world) contact(g *gadget, lossy bool) {
	w.flush(g, lossy)
	if !w.pull(g, lossy) {
		return
	}
	waits := map[any]bool{}
	for _, k := range g.waiting {
		waits[k.what["id"]] = true
	}
	var missing []kept
	for _, k := range g.history {
		if !k.forgotten && !waits[k.what["id"]] && !g.seen[k.what["id"].(string)] {
			missing = append(missing, k)
		}
	}
	if len(missing) > 0 {
		g.waiting = append(missing, g.waiting...)
		w.flush(g, lossy)
	}
}

func (w *world) reopen() {
	w.Helper()
	var err error
	w.db, err = store.Open(w.Context(), w.path)
	w.must(err)
	db := w.db
	w.Cleanup(func() { _ = db.Close() })
	w.Service = &learning.Service{Store: db.Learning(), Courses: shelf{db.Curriculum()}, Now: w.clock, NewID: v7}
}

// copyDatabase makes the server's backup, or restores it.
func (w *world) copyDatabase(from, to string) {
	w.Helper()
	w.must(w.db.Close())
	raw, err := os.ReadFile(from)
	w.must(err)
	w.must(os.WriteFile(to, raw, 0o600))
	w.reopen()
}

// TestDevices lets devices of one learner live through whatever happens to devices and servers, from a seed: they are cloned, restored from old
// backups, offline for long; requests and answers are lost; the server is restored from a backup. In the end the server has what any
// device still has or the server ever took, once each; its progress is the fold of that; every device has the same; and all of them
// come to rest.
func TestDevices(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			live(t, newClass(t), seed, true)
		})
	}
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("Postgres ", seed), func(t *testing.T) {
			t.Parallel()
			live(t, databases["Postgres"](t), 1000+seed, false)
		})
	}
}

func live(t *testing.T, c *class, seed uint64, restores bool) {
	w := &world{class: c, r: rand.New(rand.NewPCG(seed, 5)), stored: map[string]bool{}}
	w.by = w.learner()
	w.e = w.enroll(w.by)
	dir := t.TempDir()
	if restores {
		w.path = filepath.Join(dir, "banyan.db")
		w.must(w.db.Close())
		w.class = openClass(t, w.path)
		w.by = w.learner()
		w.e = w.enroll(w.by)
	}
	w.devices = []*gadget{newGadget(), newGadget()}
	for n := range 120 {
		i := w.r.IntN(len(w.devices))
		g := w.devices[i]
		switch w.r.IntN(24) {
		default:
			for range 1 + w.r.IntN(3) {
				g.state(w.something(n))
			}
		case 0, 1, 2, 3, 4, 5, 6:
			w.contact(g, true)
		case 7:
			if len(w.devices) < 5 {
				w.devices = append(w.devices, g.copied())
			}
		case 8:
			w.backups = append(w.backups, g.copied())
		case 9:
			// The device itself, or another life of it, comes back from an old backup. What it had not sent is gone.
			if j := slices.IndexFunc(w.backups, func(b *gadget) bool { return b.id == g.id }); j >= 0 {
				w.devices[i] = w.backups[j].copied()
			}
		case 10:
			if restores {
				w.copyDatabase(w.path, filepath.Join(dir, "backup.db"))
				w.backup = maps.Clone(w.stored)
			}
		case 11:
			if w.backup != nil && w.roll(2) {
				w.copyDatabase(filepath.Join(dir, "backup.db"), w.path)
				w.stored = maps.Clone(w.backup)
			}
		}
	}
	for _, g := range w.devices {
		for _, k := range g.history {
			if good(k.what) {
				w.stored[k.what["id"].(string)] = true
			}
		}
	}
	for range 4 {
		for _, g := range w.devices {
			w.contact(g, false)
		}
	}
	// Now all is quiet: each device asks once and is told that there is nothing.
	for i, g := range w.devices {
		before := w.syncs
		got, _ := w.exchange(g, nil, false)
		if !got.Current || got.Epoch != g.epoch || got.Known < g.known || w.syncs != before+1 {
			t.Errorf("device %d (epoch %d, known %d) is not at rest: %+v", i, g.epoch, g.known, got)
		}
	}
	all, err := w.Store.ListStatements(t.Context(), w.by.UserID, 0, 100000)
	w.must(err)
	have := map[string]bool{}
	for i, st := range all {
		if st.Arrival != int64(i+1) {
			t.Fatalf("arrival %d in place %d", st.Arrival, i+1)
		}
		if st.Verb != learning.Completed || st.ObjectID != "leaves" {
			have[string(st.ID)] = true
		}
	}
	if !maps.Equal(have, w.stored) {
		t.Errorf("the server has %d, expected are %d", len(have), len(w.stored))
	}
	for i, g := range w.devices {
		if len(g.seen) != len(all) {
			t.Errorf("device %d has seen %d of %d", i, len(g.seen), len(all))
		}
	}
	want := map[string]learning.Progress{}
	for _, p := range learning.Fold(all) {
		want[string(p.ObjectID)] = p
	}
	got := map[string]learning.Progress{}
	for id, p := range w.progress(w.e) {
		got[string(id)] = p
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("progress\n%+v, want\n%+v", got, want)
	}
}

// TestDevicesAtOnce lets clones of one device, and another device, send overlapping batches at the same time.
func TestDevicesAtOnce(t *testing.T) {
	for name, open := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t)
			by := c.learner()
			e := c.enroll(by)
			shared := newGadget()
			for range 30 {
				shared.state(said(e, "started", "intro"))
			}
			var all []*gadget
			for i := range 8 {
				g := shared.copied()
				if i == 7 {
					g = newGadget()
				}
				for range 30 {
					g.state(answered(e, "exam", right))
				}
				all = append(all, g)
			}
			var wg sync.WaitGroup
			for _, g := range all {
				wg.Go(func() {
					for part := range slices.Chunk(g.waiting, 20) {
						sts := []fields{}
						for _, k := range part {
							sts = append(sts, k.what.with("sequence", k.sequence))
						}
						for range 2 {
							if _, err := c.Sync(t.Context(), by, fields{"device": g.id, "epoch": 1, "acknowledged": 0, "statements": sts}.json()); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			wg.Wait()
			sts, err := c.Store.ListStatements(t.Context(), by.UserID, 0, 1000)
			c.must(err)
			if len(sts) != 30+8*30 {
				t.Errorf("%d statements, want %d", len(sts), 30+8*30)
			}
			for i, st := range sts {
				if st.Arrival != int64(i+1) {
					t.Fatalf("arrival %d in place %d", st.Arrival, i+1)
				}
			}
			if p := c.progress(e)["exam"]; p.Attempts != 8*30 {
				t.Errorf("%d attempts, want %d", p.Attempts, 8*30)
			}
		})
	}
}

// TestSyncSays goes through one device's life and reads every word of the answers.
func TestSyncSays(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	device := v7()
	send := func(epoch, known int, sts ...fields) learning.Synced {
		t.Helper()
		if sts == nil {
			sts = []fields{}
		}
		got, err := c.Sync(t.Context(), by, fields{"device": device, "epoch": epoch, "acknowledged": known, "statements": sts}.json())
		c.must(err)
		return got
	}
	says := func(got learning.Synced, epoch, known int, answers ...string) {
		t.Helper()
		var told []string
		for _, a := range got.Answers {
			line := short(a)
			if a.Stamp.Epoch > 0 {
				line += fmt.Sprintf(" at %d.%d", a.Stamp.Epoch, a.Stamp.Sequence)
			}
			told = append(told, line)
		}
		if got.Epoch != epoch || got.Known != known || !slices.Equal(told, answers) {
			t.Errorf("epoch %d, known %d, %q; want epoch %d, known %d, %q", got.Epoch, got.Known, told, epoch, known, answers)
		}
	}
	at := func(n int) fields { return said(e, "started", "intro").with("sequence", n) }
	s1, s2, s3, s4 := at(1), at(2), at(3), at(4)
	says(send(1, 0), 1, 0)
	says(send(1, 0, s1, s2), 1, 2, "accepted", "accepted")
	says(send(1, 0, s1, s2), 1, 2, "duplicate", "duplicate")
	says(send(1, 2, s4), 1, 2, "accepted")
	says(send(1, 2, s3), 1, 4, "accepted")
	// What is rejected has been answered, too.
	says(send(1, 4, at(5).with("object_id", "x"), at(6)), 1, 6, "rejected /object_id statement.unknown_object", "accepted")
	lost := at(7).with("enrollment_id", v7())
	says(send(1, 6, lost, at(8)), 1, 6, "deferred /enrollment_id enrollment.not_found", "accepted")
	says(send(1, 6, lost.with("enrollment_id", e.ID)), 1, 8, "accepted")
	// Sent before by an older client, without a place.
	old := said(e, "started", "more")
	c.send(by, old)
	says(send(1, 8, old.with("sequence", 9), at(10)), 1, 10, "duplicate", "accepted")
	// A clone of the device when it had sent eight.
	n9, n10, n11 := at(9), at(10), at(11)
	says(send(1, 8, n9, n10, n11), 2, 3, "accepted at 2.1", "accepted at 2.2", "accepted at 2.3")
	says(send(1, 8, n9, n10, n11, at(12)), 2, 4, "duplicate at 2.1", "duplicate at 2.2", "duplicate at 2.3", "accepted at 2.4")
	says(send(2, 4, at(5)), 2, 5, "accepted")
	// The first life goes on in its own epoch.
	says(send(1, 10, at(11)), 1, 11, "accepted")
	// Both lives are cloned again.
	says(send(2, 4, at(5)), 3, 1, "accepted at 3.1")
	says(send(1, 4, at(6), at(7).with("object_id", "x"), at(8)), 4, 3, "accepted at 4.1", "rejected /object_id statement.unknown_object at 4.2", "accepted at 4.3")
	// One sequence for two statements; one statement with two.
	one, other := at(9), at(9)
	says(send(4, 3, at(4), one, other), 5, 1, "accepted", "accepted", "accepted at 5.1")
	says(send(5, 1, at(2), s1.with("sequence", 3), at(4)), 5, 4, "accepted", "duplicate", "accepted")
	// Somebody else's id, and no id at all.
	stranger := c.learner()
	theirs := said(c.enroll(stranger), "started", "intro")
	c.send(stranger, theirs)
	says(send(5, 4, at(5).with("id", theirs["id"]), at(6).with("id", "x"), at(7)), 5, 7,
		"rejected /id statement.id_taken", "rejected /id request.bad_id", "accepted")
	// Without a place there is nothing to remember.
	says(send(5, 7, at(0), at(8).with("sequence", "8"), at(-1), at(8).with("zz", 1), at(9)), 5, 9,
		"rejected /sequence statement.bad_sequence", "rejected  statement.malformed", "rejected /sequence statement.bad_sequence", "rejected  statement.malformed", "accepted")
}

// The first of very many arrives last.
func TestSyncClosesAGap(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	device := v7()
	send := func(from, to int) learning.Synced {
		t.Helper()
		sts := []fields{}
		for n := from; n <= to; n++ {
			sts = append(sts, said(e, "started", "intro").with("sequence", n))
		}
		got, err := c.Sync(t.Context(), by, fields{"device": device, "epoch": 1, "acknowledged": 0, "statements": sts}.json())
		c.must(err)
		return got
	}
	for from := 2; from < 2502; from += 500 {
		if got := send(from, from+499); got.Known != 0 || got.Epoch != 1 {
			t.Fatalf("%+v", got)
		}
	}
	if got := send(2600, 2600); got.Known != 0 {
		t.Errorf("known %d without the first", got.Known)
	}
	if got := send(1, 1); got.Known != 2501 || got.Epoch != 1 {
		t.Errorf("known %d, want 2501", got.Known)
	}
}

// A device that sends what waits and has seen all else need not pull, and one that has not must.
func TestSyncTellsWhetherToPull(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	cursor := func() string {
		t.Helper()
		p, err := c.Pull(t.Context(), by, "", 500)
		c.must(err)
		return p.Cursor
	}
	n := 0
	device := v7()
	send := func(cursor string, sts ...fields) learning.Synced {
		t.Helper()
		for i := range sts {
			n++
			sts[i] = sts[i].with("sequence", n)
		}
		if sts == nil {
			sts = []fields{}
		}
		got, err := c.Sync(t.Context(), by, fields{"device": device, "epoch": 1, "acknowledged": 0, "cursor": cursor, "statements": sts}.json())
		c.must(err)
		return got
	}
	start := cursor()
	first := send(start, said(e, "started", "intro"), said(e, "started", "more"))
	if !first.Current || first.Cursor != cursor() {
		t.Errorf("the first: %+v", first)
	}
	if got := send(first.Cursor); !got.Current || got.Cursor != first.Cursor {
		t.Errorf("nothing new: %+v", got)
	}
	if got := send(start); got.Current {
		t.Error("an old cursor is current")
	}
	c.send(by, said(e, "started", "code")) // on another device
	second := send(first.Cursor, said(e, "completed", "intro"))
	if second.Current {
		t.Error("what another device has sent need not be pulled")
	}
	c.must(c.record(c.passed(e)))
	last := send(cursor(), said(e, "completed", "more"), answered(e, "exam", right))
	if last.Current {
		t.Error("that the course is completed need not be pulled")
	}
	if got := send(cursor()); !got.Current {
		t.Errorf("after a pull: %+v", got)
	}
	before := cursor()
	c.publishOther()
	if _, _, err := c.Enroll(t.Context(), by, learning.NewEnrollment{CourseID: "roots"}); err != nil {
		t.Fatal(err)
	}
	if got := send(before); got.Current {
		t.Error("a new enrollment need not be pulled")
	}
	p, err := c.Pull(t.Context(), by, before, 500)
	c.must(err)
	if len(p.Enrollments) != 2 || len(p.Statements) != 0 || p.Reset || p.More {
		t.Errorf("%+v", p)
	}
	// A cursor of somebody else's past.
	p, err = c.Pull(t.Context(), c.learner(), before, 500)
	c.must(err)
	if !p.Reset || len(p.Statements) != 0 || len(p.Enrollments) != 0 {
		t.Errorf("another learner gets %+v", p)
	}
	for _, bad := range []string{"x", "MQ", "!!", "MC4wLjA=", "LTEuMC4w"} {
		_, err := c.Pull(t.Context(), by, bad, 500)
		want(t, err, fault.Invalid, "request.bad_cursor")
	}
	_, err = c.Pull(t.Context(), identity.Actor{}, "", 500)
	want(t, err, fault.Unauthenticated, "session.required")
}

// TestSyncRefuses sends what is no batch.
func TestSyncRefuses(t *testing.T) {
	c := newClass(t)
	by := c.learner()
	e := c.enroll(by)
	fine := fields{"device": v7(), "epoch": 1, "acknowledged": 0, "statements": []fields{said(e, "started", "intro").with("sequence", 1)}}
	for name, body := range map[string]fields{
		"request.bad_id":       nil,
		"/device":              fine.with("device", "x"),
		"/device gone":         fine.with("device", nil),
		"/epoch":               fine.with("epoch", 0),
		"/epoch large":         fine.with("epoch", 2_000_000_000),
		"/acknowledged":        fine.with("acknowledged", -1),
		"/statements":          fine.with("statements", "x"),
		"/cursor":              fine.with("cursor", "x"),
		"/Device unknown":      fine.with("Device", v7()),
		"/statements too many": fine.with("statements", make([]fields, learning.MaxBatch+1)),
	} {
		if body == nil {
			continue
		}
		if _, err := c.Sync(t.Context(), by, body.json()); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for _, text := range []string{"null", "[]", "7", `{"device":`, ""} {
		if _, err := c.Sync(t.Context(), by, json.RawMessage(text)); err == nil {
			t.Errorf("%q: taken", text)
		}
	}
	if _, err := c.Sync(t.Context(), identity.Actor{}, fine.json()); err == nil {
		t.Error("nobody may sync")
	}
	if _, err := c.Sync(t.Context(), identity.Actor{UserID: by.UserID, Scopes: []identity.Scope{identity.ScopeRead}}, fine.json()); err == nil {
		t.Error("a token that only reads may sync")
	}
	if n, err := c.Store.CountArrived(t.Context(), by.UserID); n != 0 || err != nil {
		t.Errorf("%d statements are kept all the same, %v", n, err)
	}
}

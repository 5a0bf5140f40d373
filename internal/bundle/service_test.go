package bundle_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

var operator = identity.System()

// server is a Banyan as far as bundles go.
type server struct {
	*bundle.Service
	db       *store.DB
	school   identity.InstitutionID
	public   *blob.Dir
	imported *failing
	now      time.Time
	m        memory // what the course is made of
	bits     string // of the status list
}

// failing is a store of blobs that can run out of space.
type failing struct {
	*blob.Dir
	mu   sync.Mutex
	left int // blobs that fit yet; negative: without end
}

func (f *failing) Put(ctx context.Context, data []byte) (blob.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return "", fault.Wrap(fault.Unavailable, "blob.unwritable", fmt.Errorf("put: %w", syscall.ENOSPC))
	}
	f.left--
	return f.Dir.Put(ctx, data)
}

func newServer(t testing.TB, host string) *server {
	t.Helper()
	ctx, dir := t.Context(), t.TempDir()
	db, err := store.Open(ctx, filepath.Join(dir, "banyan.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	s := &server{db: db, school: identity.InstitutionID(uuid.Must(uuid.NewV7()).String()), now: day(1).Time, m: memory{}, bits: "list"}
	if err := db.Institution().CreateInstitution(ctx, institution.Institution{ID: s.school, Slug: "acacia", Name: "Acacia", CreatedAt: s.now}); err != nil {
		t.Fatal(err)
	}
	s.public = openDir(t, filepath.Join(dir, "blobs"))
	s.imported = &failing{Dir: openDir(t, filepath.Join(dir, "bundles")), left: -1}
	sealer, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return s.now }
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	s.Service = &bundle.Service{
		Store: db.Bundle(), Courses: &publishing.Service{Store: db.Curriculum()}, Public: s.public, Imported: s.imported, Packs: filepath.Join(dir, "packs"),
		Sealer: sealer, Now: clock, NewID: id, Random: rand.Reader,
		Publisher: func(context.Context, identity.InstitutionID) (bundle.Name, error) {
			return bundle.Name{ID: "did:web:" + host + ":institutions:acacia", Names: map[string]string{"und": "Acacia"}}, nil
		},
		Issuers: func(context.Context, identity.InstitutionID) ([]bundle.IssuerSource, error) {
			return []bundle.IssuerSource{{
				Issuer: bundle.Issuer{
					DID: "did:web:" + host, Names: map[string]string{"und": "Acacia"}, Keys: []bundle.IssuerKey{{Key: key('i').Multikey(), From: day(1)}},
					Lists: []bundle.StatusList{{URL: "https://" + host + "/list"}},
				},
				Open: func(context.Context, string) (bundle.OpenedList, error) {
					return bundle.OpenedList{Document: []byte(s.bits + " of " + s.now.Format(time.RFC3339)), SignedAt: s.now}, nil
				},
				Same: func(a, b []byte) bool {
					x, _, _ := bytes.Cut(a, []byte(" "))
					y, _, _ := bytes.Cut(b, []byte(" "))
					return bytes.Equal(x, y)
				},
			}}, nil
		},
	}
	return s
}

func openDir(t testing.TB, path string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// publish publishes the nth version of the small course here.
func (s *server) publish(t testing.TB, number int) {
	t.Helper()
	v := course(s.m, number)
	for _, data := range s.m {
		if _, err := s.public.Put(t.Context(), data); err != nil {
			t.Fatal(err)
		}
	}
	v.ID, v.InstitutionID, v.PublishedAt = curriculum.VersionID(s.NewID()), string(s.school), s.now
	stored, created, err := s.db.Curriculum().CreateVersion(t.Context(), v)
	if err != nil || !created || stored.Number != number {
		t.Fatalf("%+v %v %v", stored.Number, created, err)
	}
}

// trusts makes one server trust another.
func (s *server) trusts(t testing.TB, other *server) {
	t.Helper()
	for _, p := range must(other.Publishers(t.Context(), identity.Actor{}))(t) {
		var docs [][]byte
		for _, d := range p.Documents {
			docs = append(docs, []byte(d))
		}
		if _, err := s.Trust(t.Context(), operator, "", docs...); err != nil {
			t.Fatal(err)
		}
	}
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func content(t testing.TB, p *bundle.Packed) []byte {
	t.Helper()
	in := must(p.Open())(t)
	defer in.Close()
	data := must(io.ReadAll(in))(t)
	if int64(len(data)) != p.Size {
		t.Fatalf("%d bytes, and it says %d", len(data), p.Size)
	}
	return data
}

var (
	both    = bundle.Rule{Locales: []string{"ar", "en"}, Tier: bundle.AllTier}
	arabic  = bundle.Rule{Locales: []string{"ar"}, Tier: bundle.TextTier}
	english = bundle.Rule{Locales: []string{"en"}, Tier: bundle.ImagesTier}
)

func (s *server) file(t testing.TB, number int, rule bundle.Rule) []byte {
	t.Helper()
	return content(t, must(s.File(t.Context(), "small", number, rule))(t))
}

// take imports bytes.
func (s *server) take(t testing.TB, data []byte, rule *bundle.Rule) (bundle.Import, error) {
	t.Helper()
	return s.Import(t.Context(), operator, bundle.NewReader(bytes.NewReader(data)), bundle.ImportOptions{Rule: rule})
}

// reads tells whether every blob that the installed version wants of its rule is there.
func (s *server) reads(t testing.TB, rule bundle.Rule) error {
	t.Helper()
	return s.Write(t.Context(), "small", 0, rule, func(bundle.Frame) error { return nil })
}

func TestPublishImportUpdateSwitchBack(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	if again := hub.file(t, 1, both); !bytes.Equal(one, again) {
		t.Error("the same file has other bytes")
	}
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.unknown_publisher" {
		t.Fatalf("nobody was trusted: %v", err)
	}
	node.trusts(t, hub)
	got, err := node.take(t, one, nil)
	if err != nil || !got.Complete || !got.Switched || got.Number != 1 || got.Missing != 0 || !slices.Equal(got.Rule.Locales, both.Locales) {
		t.Fatalf("%+v %v", got, err)
	}
	if again, err := node.take(t, one, nil); err != nil || again.Switched || again.Blobs != 0 {
		t.Errorf("again: %+v %v", again, err)
	}
	// The node gives on what it took: the same bytes, for its head is the hub's.
	if served := node.file(t, 1, bundle.Rule{Locales: both.Locales, Tier: bundle.ImagesTier}); !bytes.Equal(served, hub.file(t, 1, bundle.Rule{Locales: both.Locales, Tier: bundle.ImagesTier})) {
		t.Error("the node serves other bytes than the hub")
	}

	hub.now = day(3).Time
	hub.publish(t, 2)
	two := hub.file(t, 0, both)
	got, err = node.take(t, two, nil)
	if err != nil || !got.Switched || got.Number != 2 || got.Blobs == 0 {
		t.Fatalf("update: %+v %v", got, err)
	}
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.rollback" {
		t.Errorf("an older one: %v", err)
	}
	// What nobody names any more goes; what can be switched back to stays.
	node.now = time.Now().Add(48 * time.Hour)
	if freed := must(node.Collect(t.Context(), operator))(t); freed.Blobs != 1 { // the older status list
		t.Errorf("freed %+v while both versions are named", freed)
	}
	root := must(node.SwitchBack(t.Context(), operator, "small"))(t)
	if root.Number != 1 || node.reads(t, bundle.Rule{Locales: both.Locales, Tier: bundle.ImagesTier}) != nil {
		t.Errorf("back to %d", root.Number)
	}
	if root = must(node.SwitchBack(t.Context(), operator, "small"))(t); root.Number != 2 {
		t.Errorf("forth to %d", root.Number)
	}
	if err := node.Remove(t.Context(), operator, "small"); err != nil {
		t.Fatal(err)
	}
	freed := must(node.Collect(t.Context(), operator))(t)
	left := 0
	_ = node.imported.Each(t.Context(), func(blob.Digest, int64, time.Time) error { left++; return nil })
	if freed.Blobs < 20 || left != 1 { // the status list is the word's, not the course's
		t.Errorf("freed %+v, %d left", freed, left)
	}
	if _, err := node.File(t.Context(), "small", 0, both); outcome(err) != "bundle.not_found" {
		t.Errorf("removed: %v", err)
	}
}

// An import that was cut anywhere goes on from any other carrier, and until then the version before is in use.
func TestBegunOnOneCarrierFinishedOnAnother(t *testing.T) {
	hub := newServer(t, "hub.example")
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	hub.now = day(3).Time
	hub.publish(t, 2)
	two := hub.file(t, 2, both)
	folder := t.TempDir()
	r := bundle.NewReader(bytes.NewReader(two))
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, filepath.FromSlash(bundle.FolderName(f, "small")))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Payload, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []int{len(two) / 2, len(two) * 2 / 3, len(two) * 4 / 5, len(two) - 1} {
		node := newServer(t, "node.example")
		node.trusts(t, hub)
		if _, err := node.take(t, one, nil); err != nil {
			t.Fatal(err)
		}
		part, err := node.take(t, two[:at], nil)
		if outcome(err) != "bundle.truncated" || part.Complete {
			t.Fatalf("cut at %d: %+v %v", at, part, err)
		}
		installed := must(node.ListInstalled(t.Context(), operator))(t)[0]
		if installed.Root.Number != 1 || installed.Candidate.Number != 2 || node.reads(t, bundle.Rule{Locales: both.Locales, Tier: bundle.ImagesTier}) != nil {
			t.Errorf("cut at %d: %+v", at, installed)
		}
		// Collecting takes nothing of what is on its way.
		node.now = time.Now().Add(48 * time.Hour)
		if freed := must(node.Collect(t.Context(), operator))(t); freed.Blobs > 1 { // the older status list
			t.Errorf("collected %+v of a candidate", freed)
		}
		c := must(bundle.Folder(os.DirFS(folder), ""))(t)
		rest, err := node.Import(t.Context(), operator, c, bundle.ImportOptions{})
		if err != nil || !rest.Complete || rest.Number != 2 {
			t.Fatalf("from the folder: %+v %v", rest, err)
		}
		if rest.Blobs+part.Blobs >= 40 || part.Blobs > 0 && rest.Blobs == 0 && at < len(two)-1 {
			t.Errorf("cut at %d: %d and %d blobs", at, part.Blobs, rest.Blobs)
		}
		if err := node.reads(t, bundle.Rule{Locales: both.Locales, Tier: bundle.ImagesTier}); err != nil {
			t.Error(err)
		}
	}
	// A folder that lacks files brings what it has.
	node := newServer(t, "node.example")
	node.trusts(t, hub)
	n := 0
	_ = filepath.WalkDir(filepath.Join(folder, "blobs"), func(name string, e os.DirEntry, _ error) error {
		if n++; !e.IsDir() && n%3 == 0 {
			return os.Remove(name)
		}
		return nil
	})
	if got, err := node.Import(t.Context(), operator, must(bundle.Folder(os.DirFS(folder), "small"))(t), bundle.ImportOptions{}); outcome(err) != "bundle.truncated" || got.Blobs == 0 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := node.take(t, two, nil); err != nil || !got.Complete {
		t.Errorf("%+v %v", got, err)
	}
}

func TestDiskFull(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	node.trusts(t, hub)
	total := 0
	for room := 3; ; room += 5 {
		node.imported.left = room
		got, err := node.take(t, one, nil)
		total += got.Blobs
		if err == nil {
			if !got.Complete || room < 6 {
				t.Fatalf("%+v", got)
			}
			break
		}
		if outcome(err) != "bundle.no_space" || got.Complete || room > 100 {
			t.Fatalf("room for %d: %+v %v", room, got, err)
		}
	}
	// Nothing was brought twice.
	stored := 0
	_ = node.imported.Each(t.Context(), func(blob.Digest, int64, time.Time) error { stored++; return nil })
	if total != stored {
		t.Errorf("%d blobs were written for %d", total, stored)
	}
}

// A rule stays when the version changes: what it does not want is neither asked for nor kept.
func TestRuleSurvivesUpdates(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	node.trusts(t, hub)
	got, err := node.take(t, hub.file(t, 1, both), &arabic)
	if err != nil || !got.Complete || got.Skipped == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	hub.now = day(3).Time
	hub.publish(t, 2)
	if got, err = node.take(t, hub.file(t, 2, both), nil); err != nil || !got.Complete || !slices.Equal(got.Rule.Locales, arabic.Locales) || got.Rule.Tier != bundle.TextTier {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, bundle.Part{Locale: "en", Layer: bundle.Text}); outcome(err) != "bundle.not_found" {
		t.Errorf("a language that is not here: %v", err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, bundle.Part{Locale: "ar", Layer: bundle.Image}); outcome(err) != "bundle.not_found" {
		t.Errorf("a layer that is not here: %v", err)
	}
	if len(content(t, must(node.Pack(t.Context(), "small", 2, bundle.Part{Locale: "ar", Layer: bundle.Text}))(t))) < 500 {
		t.Error("too little")
	}
	// A wider rule is a new import of the same version.
	wide := bundle.Rule{Locales: []string{"ar", "en"}, Tier: bundle.ImagesTier}
	if got, err = node.take(t, hub.file(t, 2, both), &wide); err != nil || !got.Complete || got.Switched || got.Blobs == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	installed := must(node.ListInstalled(t.Context(), operator))(t)[0]
	if installed.Previous == nil || installed.Previous.Number != 1 || len(installed.Rule.Locales) != 2 {
		t.Errorf("%+v", installed)
	}
}

// A plan names packs that bring, together with the head, exactly what the rule wants, and says beforehand what they cost.
func TestPlanBringsWhatItSays(t *testing.T) {
	hub := newServer(t, "hub.example")
	hub.publish(t, 1)
	hub.now = day(3).Time
	hub.publish(t, 2)
	ctx := t.Context()
	for _, rule := range []bundle.Rule{both, arabic, english, {Locales: []string{"en"}, Tier: bundle.TextTier, Modules: []string{"m2"}}, {Locales: []string{"fr"}, Tier: bundle.TextTier}} {
		for _, from := range []int{0, 1} {
			plan := must(hub.Plan(ctx, "small", 0, rule, from, 0))(t)
			node := newServer(t, "node.example")
			node.trusts(t, hub)
			if from > 0 {
				if _, err := node.take(t, hub.file(t, from, rule), &plan.Rule); err != nil {
					t.Fatal(err)
				}
			}
			frames, cost := [][]byte{content(t, must(hub.Head(ctx, "small", plan.Number))(t))}, int64(0)
			cost += int64(len(frames[0]))
			for _, p := range plan.Packs {
				part := bundle.Part{Locale: p.Locale, Layer: p.Layer, From: plan.From, Modules: rule.Modules}
				if part.Href("small", 2) != p.Href {
					t.Fatalf("%s, not %s", p.Href, part.Href("small", 2))
				}
				data := content(t, must(hub.Pack(ctx, "small", 2, part))(t))
				if int64(len(data)) != p.Bytes {
					t.Errorf("%s has %d bytes, not %d", p.Href, len(data), p.Bytes)
				}
				frames, cost = append(frames, data), cost+p.Bytes
			}
			if cost != plan.TransferBytes {
				t.Errorf("%d bytes, and the plan says %d", cost, plan.TransferBytes)
			}
			got, err := node.Import(ctx, operator, &chained{packs: frames}, bundle.ImportOptions{Rule: &plan.Rule})
			if err != nil || !got.Complete {
				t.Errorf("%+v from %d: %+v %v", rule, from, got, err)
			}
			if from > 0 && got.Blobs != plan.Changed.Blobs {
				t.Errorf("%+v: %d blobs, and the plan says %d", rule, got.Blobs, plan.Changed.Blobs)
			}
		}
	}
	if p := must(hub.Plan(ctx, "small", 0, arabic, 7, 0))(t); p.From != 0 || len(p.Packs) != 1 {
		t.Errorf("from a version that nobody has: %+v", p)
	}
	small := must(hub.Plan(ctx, "small", 2, arabic, 0, 2600))(t)
	if small.Fit == nil || small.Fit.Whole || len(small.Fit.Items) == 0 || len(small.Packs) != 1 || !strings.Contains(small.Packs[0].Href, "item=what-it-is") {
		t.Errorf("%+v %+v", small, small.Fit)
	}
	full := must(hub.Plan(ctx, "small", 2, arabic, 0, 1<<20))(t)
	if !full.Fit.Whole || full.Packs[0].Bytes <= small.Packs[0].Bytes {
		t.Errorf("%+v", full)
	}
}

// chained carries several packs as one.
type chained struct {
	packs [][]byte
	now   *bundle.Reader
}

func (c *chained) Next() (bundle.Frame, error) {
	for {
		if c.now == nil {
			if len(c.packs) == 0 {
				return bundle.Frame{}, io.EOF
			}
			c.now, c.packs = bundle.NewReader(bytes.NewReader(c.packs[0])), c.packs[1:]
		}
		f, err := c.now.Next()
		if !errors.Is(err, io.EOF) {
			return f, err
		}
		c.now = nil
	}
}

func TestKeysChangeHands(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	ctx := t.Context()
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	node.trusts(t, hub)
	if _, err := node.take(t, one, nil); err != nil {
		t.Fatal(err)
	}
	hub.now = day(10).Time
	p := must(hub.Rotate(ctx, operator, hub.school, true))(t)
	if p.Serial != 2 || len(p.Keys) != 1 {
		t.Fatalf("%+v", p)
	}
	// The same version, signed anew with the new key: the node learns both from the carrier.
	again := hub.file(t, 1, both)
	got, err := node.take(t, again, nil)
	if err != nil || !got.Switched || got.Blobs > 1 { // a newer status list
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.key_expired" {
		t.Errorf("what the lost key signed: %v", err)
	}
	if installed := must(node.ListInstalled(ctx, operator))(t)[0]; installed.Previous != nil {
		t.Errorf("a new signature is no new version: %+v", installed.Previous)
	}
	// A key that is near its end is followed by the next one, and what it signed stays good.
	hub.now = hub.now.Add(4*365*24*time.Hour + 24*time.Hour)
	later := hub.file(t, 1, both)
	for _, st := range must(hub.Publishers(ctx, identity.Actor{}))(t) {
		if len(st.Documents) != 3 || !st.Own {
			t.Errorf("%+v", st)
		}
	}
	fresh := newServer(t, "third.example")
	fresh.trusts(t, hub)
	if _, err := fresh.take(t, again, nil); err != nil {
		t.Errorf("signed by the key before: %v", err)
	}
	if _, err := fresh.take(t, later, nil); err != nil {
		t.Errorf("signed by the newest key: %v", err)
	}
}

// meanwhile is a store in which something happens after the keys were read for the first time.
type meanwhile struct {
	bundle.Store
	do func()
}

func (m *meanwhile) ListKeys(ctx context.Context, in identity.InstitutionID) ([]bundle.Key, error) {
	keys, err := m.Store.ListKeys(ctx, in)
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return keys, err
}

func TestAKeyThatIsTakenAwayWhileItIsReadSignsNothing(t *testing.T) {
	hub := newServer(t, "hub.example")
	hub.publish(t, 1)
	hub.file(t, 1, both)
	store := hub.Store
	hub.Store = &meanwhile{Store: store, do: func() {
		hub.Store = store
		must(hub.Rotate(context.Background(), operator, hub.school, true))(t)
	}}
	pack := hub.file(t, 1, both)
	fresh := newServer(t, "third.example")
	fresh.trusts(t, hub)
	if _, err := fresh.take(t, pack, nil); err != nil {
		t.Errorf("signed by a key that was given up: %v", err)
	}
}

func TestManyAskAtOnceForTheFirstBundle(t *testing.T) {
	hub := newServer(t, "hub.example")
	hub.publish(t, 1)
	tags := make([]string, 8)
	var wg sync.WaitGroup
	for i := range tags {
		wg.Go(func() {
			p, err := hub.File(context.Background(), "small", 0, both)
			if err != nil {
				t.Error(err)
				return
			}
			tags[i] = p.Tag
		})
	}
	wg.Wait()
	if slices.Sort(tags); tags[0] == "" || tags[0] != tags[7] {
		t.Errorf("%v", tags)
	}
	if st := must(hub.Publishers(t.Context(), identity.Actor{}))(t); len(st) != 1 || len(st[0].Documents) != 1 {
		t.Errorf("%+v", st)
	}
}

func TestWhoMay(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	ctx := t.Context()
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	doc := []byte(must(hub.Publishers(ctx, identity.Actor{}))(t)[0].Documents[0])
	id := must(hub.Publishers(ctx, identity.Actor{}))(t)[0].ID
	other := must(uuid.NewV7())(t).String()
	person := func(in identity.InstitutionID, roles ...identity.Role) identity.Actor {
		a := identity.Actor{UserID: "u"}
		for _, r := range roles {
			a.Memberships = append(a.Memberships, identity.Membership{InstitutionID: in, Role: r})
		}
		return a
	}
	admin := person(node.school, identity.Admin)
	for _, tt := range []struct {
		name    string
		by      identity.Actor
		in      identity.InstitutionID
		want    string
		changes string
	}{
		{"nobody", identity.Actor{}, "", "session.required", "session.required"},
		{"a learner", person(node.school, identity.Learner), node.school, "bundle.trust_denied", "bundle.denied"},
		{"a trainer", person(node.school, identity.Trainer), node.school, "bundle.trust_denied", "bundle.denied"},
		{"an admin for the server", admin, "", "bundle.trust_denied", "bundle.denied"},
		{"an admin of another school", person(identity.InstitutionID(other), identity.Admin), node.school, "bundle.trust_denied", "bundle.denied"},
		{"an admin with a token that only reads", identity.Actor{UserID: "u", Memberships: admin.Memberships, Scopes: []identity.Scope{identity.ScopeRead}}, node.school, "bundle.trust_denied", "bundle.denied"},
		{"an admin", admin, node.school, "ok", "bundle.denied"},
		{"the operator", identity.Actor{UserID: "o", Operator: true}, "", "ok", "ok"},
	} {
		_, err := node.Trust(ctx, tt.by, tt.in, doc)
		_, errList := node.ListTrusted(ctx, tt.by, tt.in)
		errNot := node.Distrust(ctx, tt.by, tt.in, id)
		if outcome(err) != tt.want || outcome(errList) != tt.want || outcome(errNot) != tt.want {
			t.Errorf("%s: %v, %v, %v", tt.name, err, errList, errNot)
		}
		_, errIn := node.ListInstalled(ctx, tt.by)
		_, errCollect := node.Collect(ctx, tt.by)
		_, _, errInspect := node.Inspect(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)))
		for _, err := range []error{errIn, errCollect, errInspect} {
			if outcome(err) != tt.changes {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if tt.changes != "ok" {
			_, errImport := node.Import(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), bundle.ImportOptions{})
			_, errSwitch := node.SwitchBack(ctx, tt.by, "small")
			_, errVerify := node.Verify(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), "")
			for _, err := range []error{errImport, errSwitch, errVerify, node.Remove(ctx, tt.by, "small")} {
				if outcome(err) != tt.changes {
					t.Errorf("%s: %v", tt.name, err)
				}
			}
		}
	}
	// Whom a school trusts its people see; the server itself does not import from them.
	must(node.Trust(ctx, admin, node.school, doc))(t)
	if seen := must(node.Publishers(ctx, person(node.school, identity.Learner)))(t); len(seen) != 1 || seen[0].ID != id || seen[0].InstitutionID != node.school {
		t.Errorf("%+v", seen)
	}
	if seen := must(node.Publishers(ctx, identity.Actor{}))(t); len(seen) != 0 {
		t.Errorf("%+v", seen)
	}
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.unknown_publisher" {
		t.Error(err)
	}
	r, trusted, err := node.Inspect(ctx, operator, bundle.NewReader(bytes.NewReader(one)))
	if err != nil || trusted || r.Head.Root.Course != "small" || !r.Complete {
		t.Errorf("%+v %v %v", r, trusted, err)
	}
}

// A publisher whose clock is years ahead harms nobody but itself.
func TestAnothersClockIsNotOurs(t *testing.T) {
	hub, ahead, node := newServer(t, "hub.example"), newServer(t, "ahead.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	ahead.now = day(1).AddDate(70, 0, 0)
	node.trusts(t, hub)
	ahead.publish(t, 1)
	node.trusts(t, ahead)
	if got, err := node.take(t, hub.file(t, 1, both), nil); err != nil || !got.Complete {
		t.Errorf("%+v %v", got, err)
	}
}

// stuck is a carrier that waits in the middle until it may go on.
type stuck struct {
	bundle.Carrier
	n          int
	began, end chan struct{}
}

func (s *stuck) Next() (bundle.Frame, error) {
	if s.n++; s.n == 8 {
		close(s.began)
		<-s.end
	}
	return s.Carrier.Next()
}

func TestCollectKeepsAwayFromImports(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	node.trusts(t, hub)
	c := &stuck{Carrier: bundle.NewReader(bytes.NewReader(hub.file(t, 1, both))), began: make(chan struct{}), end: make(chan struct{})}
	done := make(chan error)
	go func() {
		_, err := node.Import(context.Background(), operator, c, bundle.ImportOptions{})
		done <- err
	}()
	<-c.began
	if _, err := node.Collect(t.Context(), operator); outcome(err) != "bundle.importing" {
		t.Error(err)
	}
	close(c.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := node.Collect(t.Context(), operator); err != nil {
		t.Error(err)
	}
}

// A course that is published here is nobody else's.
func TestOwnCourseStays(t *testing.T) {
	hub, node := newServer(t, "hub.example"), newServer(t, "node.example")
	hub.publish(t, 1)
	one := hub.file(t, 1, both)
	node.publish(t, 1)
	node.trusts(t, hub)
	if _, err := node.take(t, one, nil); outcome(err) != "bundle.other_publisher" {
		t.Error(err)
	}
	i := must(node.Info(t.Context(), "small", 0))(t)
	if i.Root.Publisher != "did:web:node.example:institutions:acacia" || !i.Publisher.Own || i.Publisher.Name["und"] != "Acacia" {
		t.Errorf("%+v", i)
	}
	if _, err := node.take(t, one, &bundle.Rule{}); outcome(err) != "request.invalid" {
		t.Error(err)
	}
	for _, name := range []string{"none", "../small", ""} {
		if _, err := node.Info(t.Context(), name, 0); outcome(err) != "bundle.not_found" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

package serving_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/identity"
)

var (
	both    = choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.AllTier}
	arabic  = choice.Rule{Locales: []string{"ar"}, Tier: choice.TextTier}
	english = choice.Rule{Locales: []string{"en"}, Tier: choice.ImagesTier}
)

func TestPublishImportUpdateSwitchBack(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	if again := hub.Packed(t, 1, both); !bytes.Equal(one, again) {
		t.Error("the same file has other bytes")
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.unknown_publisher" {
		t.Fatalf("nobody was trusted: %v", err)
	}
	node.Trusts(t, hub)
	got, err := node.Take(t, one, nil)
	if err != nil || !got.Complete || !got.Switched || got.Number != 1 || got.Missing != 0 || !slices.Equal(got.Rule.Locales, both.Locales) {
		t.Fatalf("%+v %v", got, err)
	}
	if again, err := node.Take(t, one, nil); err != nil || again.Switched || again.Blobs != 0 {
		t.Errorf("again: %+v %v", again, err)
	}
	// The node gives on what it took: the same bytes, for its head is the hub's.
	if served := node.Packed(t, 1, choice.Rule{Locales: both.Locales, Tier: choice.ImagesTier}); !bytes.Equal(served, hub.Packed(t, 1, choice.Rule{Locales: both.Locales, Tier: choice.ImagesTier})) {
		t.Error("the node serves other bytes than the hub")
	}

	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	two := hub.Packed(t, 0, both)
	got, err = node.Take(t, two, nil)
	if err != nil || !got.Switched || got.Number != 2 || got.Blobs == 0 {
		t.Fatalf("update: %+v %v", got, err)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.rollback" {
		t.Errorf("an older one: %v", err)
	}
	// What nobody names any more goes; what can be switched back to stays.
	node.Clock = time.Now().Add(48 * time.Hour)
	if freed := bundletest.Must(node.Collect(t.Context(), bundletest.Operator))(t); freed.Blobs != 1 { // the older status list
		t.Errorf("freed %+v while both versions are named", freed)
	}
	root := bundletest.Must(node.SwitchBack(t.Context(), bundletest.Operator, "small"))(t)
	if root.Number != 1 || node.Reads(t, choice.Rule{Locales: both.Locales, Tier: choice.ImagesTier}) != nil {
		t.Errorf("back to %d", root.Number)
	}
	if root = bundletest.Must(node.SwitchBack(t.Context(), bundletest.Operator, "small"))(t); root.Number != 2 {
		t.Errorf("forth to %d", root.Number)
	}
	if err := node.Remove(t.Context(), bundletest.Operator, "small"); err != nil {
		t.Fatal(err)
	}
	freed := bundletest.Must(node.Collect(t.Context(), bundletest.Operator))(t)
	left := 0
	_ = node.Disk.Each(t.Context(), func(blob.Digest, int64, time.Time) error { left++; return nil })
	if freed.Blobs < 20 || left != 1 { // the status list is the word's, not the course's
		t.Errorf("freed %+v, %d left", freed, left)
	}
	if _, err := node.File(t.Context(), "small", 0, both); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("removed: %v", err)
	}
}

// An import that was cut anywhere goes on from any other carrier, and until then the version before is in use.
func TestBegunOnOneCarrierFinishedOnAnother(t *testing.T) {
	hub := bundletest.NewServer(t, "hub.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	two := hub.Packed(t, 2, both)
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
		name := filepath.Join(folder, filepath.FromSlash(intake.FolderName(f, "small")))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Payload, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []int{len(two) / 2, len(two) * 2 / 3, len(two) * 4 / 5, len(two) - 1} {
		node := bundletest.NewServer(t, "node.example")
		node.Trusts(t, hub)
		if _, err := node.Take(t, one, nil); err != nil {
			t.Fatal(err)
		}
		part, err := node.Take(t, two[:at], nil)
		if bundletest.Outcome(err) != "bundle.truncated" || part.Complete {
			t.Fatalf("cut at %d: %+v %v", at, part, err)
		}
		installed := bundletest.Must(node.ListInstalled(t.Context(), bundletest.Operator))(t)[0]
		if installed.Root.Number != 1 || installed.Candidate.Number != 2 || node.Reads(t, choice.Rule{Locales: both.Locales, Tier: choice.ImagesTier}) != nil {
			t.Errorf("cut at %d: %+v", at, installed)
		}
		// Collecting takes nothing of what is on its way.
		node.Clock = time.Now().Add(48 * time.Hour)
		if freed := bundletest.Must(node.Collect(t.Context(), bundletest.Operator))(t); freed.Blobs > 1 { // the older status list
			t.Errorf("collected %+v of a candidate", freed)
		}
		c := bundletest.Must(intake.Folder(os.DirFS(folder), ""))(t)
		rest, err := node.Import(t.Context(), bundletest.Operator, c, serving.ImportOptions{})
		if err != nil || !rest.Complete || rest.Number != 2 {
			t.Fatalf("from the folder: %+v %v", rest, err)
		}
		if rest.Blobs+part.Blobs >= 40 || part.Blobs > 0 && rest.Blobs == 0 && at < len(two)-1 {
			t.Errorf("cut at %d: %d and %d blobs", at, part.Blobs, rest.Blobs)
		}
		if err := node.Reads(t, choice.Rule{Locales: both.Locales, Tier: choice.ImagesTier}); err != nil {
			t.Error(err)
		}
	}
	// A folder that lacks files brings what it has.
	node := bundletest.NewServer(t, "node.example")
	node.Trusts(t, hub)
	n := 0
	_ = filepath.WalkDir(filepath.Join(folder, "blobs"), func(name string, e os.DirEntry, _ error) error {
		if n++; !e.IsDir() && n%3 == 0 {
			return os.Remove(name)
		}
		return nil
	})
	if got, err := node.Import(t.Context(), bundletest.Operator, bundletest.Must(intake.Folder(os.DirFS(folder), "small"))(t), serving.ImportOptions{}); bundletest.Outcome(err) != "bundle.truncated" || got.Blobs == 0 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := node.Take(t, two, nil); err != nil || !got.Complete {
		t.Errorf("%+v %v", got, err)
	}
}

func TestDiskFull(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	node.Trusts(t, hub)
	total := 0
	for room := 3; ; room += 5 {
		node.Disk.Left = room
		got, err := node.Take(t, one, nil)
		total += got.Blobs
		if err == nil {
			if !got.Complete || room < 6 {
				t.Fatalf("%+v", got)
			}
			break
		}
		if bundletest.Outcome(err) != "bundle.no_space" || got.Complete || room > 100 {
			t.Fatalf("room for %d: %+v %v", room, got, err)
		}
	}
	// Nothing was brought twice.
	stored := 0
	_ = node.Disk.Each(t.Context(), func(blob.Digest, int64, time.Time) error { stored++; return nil })
	if total != stored {
		t.Errorf("%d blobs were written for %d", total, stored)
	}
}

// A rule stays when the version changes: what it does not want is neither asked for nor kept.
func TestRuleSurvivesUpdates(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	node.Trusts(t, hub)
	got, err := node.Take(t, hub.Packed(t, 1, both), &arabic)
	if err != nil || !got.Complete || got.Skipped == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	if got, err = node.Take(t, hub.Packed(t, 2, both), nil); err != nil || !got.Complete || !slices.Equal(got.Rule.Locales, arabic.Locales) || got.Rule.Tier != choice.TextTier {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, serving.Part{Locale: "en", Layer: bundle.Text}); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("a language that is not here: %v", err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, serving.Part{Locale: "ar", Layer: bundle.Image}); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("a layer that is not here: %v", err)
	}
	if len(bundletest.Content(t, bundletest.Must(node.Pack(t.Context(), "small", 2, serving.Part{Locale: "ar", Layer: bundle.Text}))(t))) < 500 {
		t.Error("too little")
	}
	// A wider rule is a new import of the same version.
	wide := choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.ImagesTier}
	if got, err = node.Take(t, hub.Packed(t, 2, both), &wide); err != nil || !got.Complete || got.Switched || got.Blobs == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	installed := bundletest.Must(node.ListInstalled(t.Context(), bundletest.Operator))(t)[0]
	if installed.Previous == nil || installed.Previous.Number != 1 || len(installed.Rule.Locales) != 2 {
		t.Errorf("%+v", installed)
	}
}

// A plan names packs that bring, together with the head, exactly what the rule wants, and says beforehand what they cost.
func TestPlanBringsWhatItSays(t *testing.T) {
	hub := bundletest.NewServer(t, "hub.example")
	hub.Publish(t, 1)
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	ctx := t.Context()
	for _, rule := range []choice.Rule{both, arabic, english, {Locales: []string{"en"}, Tier: choice.TextTier, Modules: []string{"m2"}}, {Locales: []string{"fr"}, Tier: choice.TextTier}} {
		for _, from := range []int{0, 1} {
			plan := bundletest.Must(hub.Plan(ctx, "small", 0, rule, from, 0))(t)
			node := bundletest.NewServer(t, "node.example")
			node.Trusts(t, hub)
			if from > 0 {
				if _, err := node.Take(t, hub.Packed(t, from, rule), &plan.Rule); err != nil {
					t.Fatal(err)
				}
			}
			frames, cost := [][]byte{bundletest.Content(t, bundletest.Must(hub.Head(ctx, "small", plan.Number))(t))}, int64(0)
			cost += int64(len(frames[0]))
			for _, p := range plan.Packs {
				part := serving.Part{Locale: p.Locale, Layer: p.Layer, From: plan.From, Modules: rule.Modules}
				if part.Href("small", 2) != p.Href {
					t.Fatalf("%s, not %s", p.Href, part.Href("small", 2))
				}
				data := bundletest.Content(t, bundletest.Must(hub.Pack(ctx, "small", 2, part))(t))
				if int64(len(data)) != p.Bytes {
					t.Errorf("%s has %d bytes, not %d", p.Href, len(data), p.Bytes)
				}
				frames, cost = append(frames, data), cost+p.Bytes
			}
			if cost != plan.TransferBytes {
				t.Errorf("%d bytes, and the plan says %d", cost, plan.TransferBytes)
			}
			got, err := node.Import(ctx, bundletest.Operator, &chained{packs: frames}, serving.ImportOptions{Rule: &plan.Rule})
			if err != nil || !got.Complete {
				t.Errorf("%+v from %d: %+v %v", rule, from, got, err)
			}
			if from > 0 && got.Blobs != plan.Changed.Blobs {
				t.Errorf("%+v: %d blobs, and the plan says %d", rule, got.Blobs, plan.Changed.Blobs)
			}
		}
	}
	if p := bundletest.Must(hub.Plan(ctx, "small", 0, arabic, 7, 0))(t); p.From != 0 || len(p.Packs) != 1 {
		t.Errorf("from a version that nobody has: %+v", p)
	}
	small := bundletest.Must(hub.Plan(ctx, "small", 2, arabic, 0, 2600))(t)
	if small.Fit == nil || small.Fit.Whole || len(small.Fit.Items) == 0 || len(small.Packs) != 1 || !strings.Contains(small.Packs[0].Href, "item=what-it-is") {
		t.Errorf("%+v %+v", small, small.Fit)
	}
	full := bundletest.Must(hub.Plan(ctx, "small", 2, arabic, 0, 1<<20))(t)
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
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	ctx := t.Context()
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	node.Trusts(t, hub)
	if _, err := node.Take(t, one, nil); err != nil {
		t.Fatal(err)
	}
	hub.Clock = bundletest.Day(10).Time
	p := bundletest.Must(hub.Rotate(ctx, bundletest.Operator, hub.School, true))(t)
	if p.Serial != 2 || len(p.Keys) != 1 {
		t.Fatalf("%+v", p)
	}
	// The same version, signed anew with the new key: the node learns both from the carrier.
	again := hub.Packed(t, 1, both)
	got, err := node.Take(t, again, nil)
	if err != nil || !got.Switched || got.Blobs > 1 { // a newer status list
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.key_expired" {
		t.Errorf("what the lost key signed: %v", err)
	}
	if installed := bundletest.Must(node.ListInstalled(ctx, bundletest.Operator))(t)[0]; installed.Previous != nil {
		t.Errorf("a new signature is no new version: %+v", installed.Previous)
	}
	// A key that is near its end is followed by the next one, and what it signed stays good.
	hub.Clock = hub.Clock.Add(4*365*24*time.Hour + 24*time.Hour)
	later := hub.Packed(t, 1, both)
	for _, st := range bundletest.Must(hub.Publishers(ctx, identity.Actor{}))(t) {
		if len(st.Documents) != 3 || !st.Own {
			t.Errorf("%+v", st)
		}
	}
	fresh := bundletest.NewServer(t, "third.example")
	fresh.Trusts(t, hub)
	if _, err := fresh.Take(t, again, nil); err != nil {
		t.Errorf("signed by the key before: %v", err)
	}
	if _, err := fresh.Take(t, later, nil); err != nil {
		t.Errorf("signed by the newest key: %v", err)
	}
}

// meanwhile is a store in which something happens after the keys were read for the first time.
type meanwhile struct {
	serving.Store
	do func()
}

func (m *meanwhile) ListKeys(ctx context.Context, in identity.InstitutionID) ([]serving.Key, error) {
	keys, err := m.Store.ListKeys(ctx, in)
	if do := m.do; do != nil {
		m.do = nil
		do()
	}
	return keys, err
}

func TestAKeyThatIsTakenAwayWhileItIsReadSignsNothing(t *testing.T) {
	hub := bundletest.NewServer(t, "hub.example")
	hub.Publish(t, 1)
	hub.Packed(t, 1, both)
	store := hub.Store
	hub.Store = &meanwhile{Store: store, do: func() {
		hub.Store = store
		bundletest.Must(hub.Rotate(context.Background(), bundletest.Operator, hub.School, true))(t)
	}}
	pack := hub.Packed(t, 1, both)
	fresh := bundletest.NewServer(t, "third.example")
	fresh.Trusts(t, hub)
	if _, err := fresh.Take(t, pack, nil); err != nil {
		t.Errorf("signed by a key that was given up: %v", err)
	}
}

func TestManyAskAtOnceForTheFirstBundle(t *testing.T) {
	hub := bundletest.NewServer(t, "hub.example")
	hub.Publish(t, 1)
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
	if st := bundletest.Must(hub.Publishers(t.Context(), identity.Actor{}))(t); len(st) != 1 || len(st[0].Documents) != 1 {
		t.Errorf("%+v", st)
	}
}

func TestWhoMay(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	ctx := t.Context()
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	doc := []byte(bundletest.Must(hub.Publishers(ctx, identity.Actor{}))(t)[0].Documents[0])
	id := bundletest.Must(hub.Publishers(ctx, identity.Actor{}))(t)[0].ID
	other := bundletest.Must(uuid.NewV7())(t).String()
	person := func(in identity.InstitutionID, roles ...identity.Role) identity.Actor {
		a := identity.Actor{UserID: "u"}
		for _, r := range roles {
			a.Memberships = append(a.Memberships, identity.Membership{InstitutionID: in, Role: r})
		}
		return a
	}
	admin := person(node.School, identity.Admin)
	for _, tt := range []struct {
		name    string
		by      identity.Actor
		in      identity.InstitutionID
		want    string
		changes string
	}{
		{"nobody", identity.Actor{}, "", "session.required", "session.required"},
		{"a learner", person(node.School, identity.Learner), node.School, "bundle.trust_denied", "bundle.denied"},
		{"a trainer", person(node.School, identity.Trainer), node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin for the server", admin, "", "bundle.trust_denied", "bundle.denied"},
		{"an admin of another school", person(identity.InstitutionID(other), identity.Admin), node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin with a token that only reads", identity.Actor{UserID: "u", Memberships: admin.Memberships, Scopes: []identity.Scope{identity.ScopeRead}}, node.School, "bundle.trust_denied", "bundle.denied"},
		{"an admin", admin, node.School, "ok", "bundle.denied"},
		{"the operator", identity.Actor{UserID: "o", Operator: true}, "", "ok", "ok"},
	} {
		_, err := node.Trust(ctx, tt.by, tt.in, doc)
		_, errList := node.ListTrusted(ctx, tt.by, tt.in)
		errNot := node.Distrust(ctx, tt.by, tt.in, id)
		if bundletest.Outcome(err) != tt.want || bundletest.Outcome(errList) != tt.want || bundletest.Outcome(errNot) != tt.want {
			t.Errorf("%s: %v, %v, %v", tt.name, err, errList, errNot)
		}
		_, errIn := node.ListInstalled(ctx, tt.by)
		_, errCollect := node.Collect(ctx, tt.by)
		_, _, errInspect := node.Inspect(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)))
		for _, err := range []error{errIn, errCollect, errInspect} {
			if bundletest.Outcome(err) != tt.changes {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		if tt.changes != "ok" {
			_, errImport := node.Import(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), serving.ImportOptions{})
			_, errSwitch := node.SwitchBack(ctx, tt.by, "small")
			_, errVerify := node.Verify(ctx, tt.by, bundle.NewReader(bytes.NewReader(one)), "")
			for _, err := range []error{errImport, errSwitch, errVerify, node.Remove(ctx, tt.by, "small")} {
				if bundletest.Outcome(err) != tt.changes {
					t.Errorf("%s: %v", tt.name, err)
				}
			}
		}
	}
	// Whom a school trusts its people see; the server itself does not import from them.
	bundletest.Must(node.Trust(ctx, admin, node.School, doc))(t)
	if seen := bundletest.Must(node.Publishers(ctx, person(node.School, identity.Learner)))(t); len(seen) != 1 || seen[0].ID != id || seen[0].InstitutionID != node.School {
		t.Errorf("%+v", seen)
	}
	if seen := bundletest.Must(node.Publishers(ctx, identity.Actor{}))(t); len(seen) != 0 {
		t.Errorf("%+v", seen)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.unknown_publisher" {
		t.Error(err)
	}
	r, trusted, err := node.Inspect(ctx, bundletest.Operator, bundle.NewReader(bytes.NewReader(one)))
	if err != nil || trusted || r.Head.Root.Course != "small" || !r.Complete {
		t.Errorf("%+v %v %v", r, trusted, err)
	}
}

// A publisher whose clock is years ahead harms nobody but itself.
func TestAnothersClockIsNotOurs(t *testing.T) {
	hub, ahead, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "ahead.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	ahead.Clock = bundletest.Day(1).AddDate(70, 0, 0)
	node.Trusts(t, hub)
	ahead.Publish(t, 1)
	node.Trusts(t, ahead)
	if got, err := node.Take(t, hub.Packed(t, 1, both), nil); err != nil || !got.Complete {
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
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	node.Trusts(t, hub)
	c := &stuck{Carrier: bundle.NewReader(bytes.NewReader(hub.Packed(t, 1, both))), began: make(chan struct{}), end: make(chan struct{})}
	done := make(chan error)
	go func() {
		_, err := node.Import(context.Background(), bundletest.Operator, c, serving.ImportOptions{})
		done <- err
	}()
	<-c.began
	if _, err := node.Collect(t.Context(), bundletest.Operator); bundletest.Outcome(err) != "bundle.importing" {
		t.Error(err)
	}
	close(c.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := node.Collect(t.Context(), bundletest.Operator); err != nil {
		t.Error(err)
	}
}

// A course that is published here is nobody else's.
func TestOwnCourseStays(t *testing.T) {
	hub, node := bundletest.NewServer(t, "hub.example"), bundletest.NewServer(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, both)
	node.Publish(t, 1)
	node.Trusts(t, hub)
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.other_publisher" {
		t.Error(err)
	}
	i := bundletest.Must(node.Info(t.Context(), "small", 0))(t)
	if i.Root.Publisher != "did:web:node.example:institutions:acacia" || !i.Publisher.Own || i.Publisher.Name["und"] != "Acacia" {
		t.Errorf("%+v", i)
	}
	if _, err := node.Take(t, one, &choice.Rule{}); bundletest.Outcome(err) != "request.invalid" {
		t.Error(err)
	}
	for _, name := range []string{"none", "../small", ""} {
		if _, err := node.Info(t.Context(), name, 0); bundletest.Outcome(err) != "bundle.not_found" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

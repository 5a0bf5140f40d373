package shelf_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/servertest"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
)

func TestPublishImportUpdateSwitchBack(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
	if again := hub.Packed(t, 1, servertest.Both); !bytes.Equal(one, again) {
		t.Error("the same file has other bytes")
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.unknown_publisher" {
		t.Fatalf("nobody was trusted: %v", err)
	}
	node.Trusts(t, hub)
	got, err := node.Take(t, one, nil)
	if err != nil || !got.Complete || !got.Switched || got.Number != 1 || got.Missing != 0 || !slices.Equal(got.Rule.Locales, servertest.Both.Locales) {
		t.Fatalf("%+v %v", got, err)
	}
	if again, err := node.Take(t, one, nil); err != nil || again.Switched || again.Blobs != 0 {
		t.Errorf("again: %+v %v", again, err)
	}
	// The node gives on what it took: the same bytes, for its head is the hub's.
	if served := node.Packed(t, 1, choice.Rule{Locales: servertest.Both.Locales, Tier: choice.ImagesTier}); !bytes.Equal(served, hub.Packed(t, 1, choice.Rule{Locales: servertest.Both.Locales, Tier: choice.ImagesTier})) {
		t.Error("the node serves other bytes than the hub")
	}

	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	two := hub.Packed(t, 0, servertest.Both)
	got, err = node.Take(t, two, nil)
	if err != nil || !got.Switched || got.Number != 2 || got.Blobs == 0 {
		t.Fatalf("update: %+v %v", got, err)
	}
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.rollback" {
		t.Errorf("an older one: %v", err)
	}
	// What nobody names any more goes; what can be switched back to stays.
	node.Clock = time.Now().Add(48 * time.Hour)
	if freed := servertest.Must(node.Collect(t.Context(), servertest.Operator))(t); freed.Blobs != 1 { // the older status list
		t.Errorf("freed %+v while both versions are named", freed)
	}
	root := servertest.Must(node.SwitchBack(t.Context(), servertest.Operator, "small"))(t)
	if root.Number != 1 || node.Reads(t, choice.Rule{Locales: servertest.Both.Locales, Tier: choice.ImagesTier}) != nil {
		t.Errorf("back to %d", root.Number)
	}
	if root = servertest.Must(node.SwitchBack(t.Context(), servertest.Operator, "small"))(t); root.Number != 2 {
		t.Errorf("forth to %d", root.Number)
	}
	if err := node.Remove(t.Context(), servertest.Operator, "small"); err != nil {
		t.Fatal(err)
	}
	freed := servertest.Must(node.Collect(t.Context(), servertest.Operator))(t)
	left := 0
	_ = node.Disk.Each(t.Context(), func(blob.Digest, int64, time.Time) error { left++; return nil })
	if freed.Blobs < 20 || left != 1 { // the status list is the word's, not the course's
		t.Errorf("freed %+v, %d left", freed, left)
	}
	if _, err := node.File(t.Context(), "small", 0, servertest.Both); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("removed: %v", err)
	}
}

// An import that was cut anywhere goes on from any other carrier, and until then the version before is in use.
func TestBegunOnOneCarrierFinishedOnAnother(t *testing.T) {
	hub := servertest.New(t, "hub.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	two := hub.Packed(t, 2, servertest.Both)
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
		node := servertest.New(t, "node.example")
		node.Trusts(t, hub)
		if _, err := node.Take(t, one, nil); err != nil {
			t.Fatal(err)
		}
		part, err := node.Take(t, two[:at], nil)
		if bundletest.Outcome(err) != "bundle.truncated" || part.Complete {
			t.Fatalf("cut at %d: %+v %v", at, part, err)
		}
		installed := servertest.Must(node.ListInstalled(t.Context(), servertest.Operator))(t)[0]
		if installed.Root.Number != 1 || installed.Candidate.Number != 2 || node.Reads(t, choice.Rule{Locales: servertest.Both.Locales, Tier: choice.ImagesTier}) != nil {
			t.Errorf("cut at %d: %+v", at, installed)
		}
		// Collecting takes nothing of what is on its way.
		node.Clock = time.Now().Add(48 * time.Hour)
		if freed := servertest.Must(node.Collect(t.Context(), servertest.Operator))(t); freed.Blobs > 1 { // the older status list
			t.Errorf("collected %+v of a candidate", freed)
		}
		c := servertest.Must(intake.Folder(os.DirFS(folder), ""))(t)
		rest, err := node.Import(t.Context(), servertest.Operator, c, shelf.ImportOptions{})
		if err != nil || !rest.Complete || rest.Number != 2 {
			t.Fatalf("from the folder: %+v %v", rest, err)
		}
		if rest.Blobs+part.Blobs >= 40 || part.Blobs > 0 && rest.Blobs == 0 && at < len(two)-1 {
			t.Errorf("cut at %d: %d and %d blobs", at, part.Blobs, rest.Blobs)
		}
		if err := node.Reads(t, choice.Rule{Locales: servertest.Both.Locales, Tier: choice.ImagesTier}); err != nil {
			t.Error(err)
		}
	}
	// A folder that lacks files brings what it has.
	node := servertest.New(t, "node.example")
	node.Trusts(t, hub)
	n := 0
	_ = filepath.WalkDir(filepath.Join(folder, "blobs"), func(name string, e os.DirEntry, _ error) error {
		if n++; !e.IsDir() && n%3 == 0 {
			return os.Remove(name)
		}
		return nil
	})
	if got, err := node.Import(t.Context(), servertest.Operator, servertest.Must(intake.Folder(os.DirFS(folder), "small"))(t), shelf.ImportOptions{}); bundletest.Outcome(err) != "bundle.truncated" || got.Blobs == 0 {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := node.Take(t, two, nil); err != nil || !got.Complete {
		t.Errorf("%+v %v", got, err)
	}
}

func TestDiskFull(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
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
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	node.Trusts(t, hub)
	got, err := node.Take(t, hub.Packed(t, 1, servertest.Both), &servertest.Arabic)
	if err != nil || !got.Complete || got.Skipped == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	hub.Clock = bundletest.Day(3).Time
	hub.Publish(t, 2)
	if got, err = node.Take(t, hub.Packed(t, 2, servertest.Both), nil); err != nil || !got.Complete || !slices.Equal(got.Rule.Locales, servertest.Arabic.Locales) || got.Rule.Tier != choice.TextTier {
		t.Fatalf("%+v %v", got, err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, serving.Part{Locale: "en", Layer: bundle.Text}); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("a language that is not here: %v", err)
	}
	if _, err := node.Pack(t.Context(), "small", 2, serving.Part{Locale: "ar", Layer: bundle.Image}); bundletest.Outcome(err) != "bundle.not_found" {
		t.Errorf("a layer that is not here: %v", err)
	}
	if len(servertest.Content(t, servertest.Must(node.Pack(t.Context(), "small", 2, serving.Part{Locale: "ar", Layer: bundle.Text}))(t))) < 500 {
		t.Error("too little")
	}
	// A wider rule is a new import of the same version.
	wide := choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.ImagesTier}
	if got, err = node.Take(t, hub.Packed(t, 2, servertest.Both), &wide); err != nil || !got.Complete || got.Switched || got.Blobs == 0 {
		t.Fatalf("%+v %v", got, err)
	}
	installed := servertest.Must(node.ListInstalled(t.Context(), servertest.Operator))(t)[0]
	if installed.Previous == nil || installed.Previous.Number != 1 || len(installed.Rule.Locales) != 2 {
		t.Errorf("%+v", installed)
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
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	node.Trusts(t, hub)
	c := &stuck{Carrier: bundle.NewReader(bytes.NewReader(hub.Packed(t, 1, servertest.Both))), began: make(chan struct{}), end: make(chan struct{})}
	done := make(chan error)
	go func() {
		_, err := node.Import(context.Background(), servertest.Operator, c, shelf.ImportOptions{})
		done <- err
	}()
	<-c.began
	if _, err := node.Collect(t.Context(), servertest.Operator); bundletest.Outcome(err) != "bundle.importing" {
		t.Error(err)
	}
	close(c.end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := node.Collect(t.Context(), servertest.Operator); err != nil {
		t.Error(err)
	}
}

// A course that is published here is nobody else's.
func TestOwnCourseStays(t *testing.T) {
	hub, node := servertest.New(t, "hub.example"), servertest.New(t, "node.example")
	hub.Publish(t, 1)
	one := hub.Packed(t, 1, servertest.Both)
	node.Publish(t, 1)
	node.Trusts(t, hub)
	if _, err := node.Take(t, one, nil); bundletest.Outcome(err) != "bundle.other_publisher" {
		t.Error(err)
	}
	i := servertest.Must(node.Info(t.Context(), "small", 0))(t)
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

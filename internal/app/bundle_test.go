package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

func newApp(t *testing.T, url string) *app.App {
	t.Helper()
	dir := t.TempDir()
	cfg := config.Config{DataDir: dir, DatabaseURL: filepath.Join(dir, "banyan.db"), Sandbox: "fake", Listen: "127.0.0.1:0", PublicURL: url}
	cfg.Defaults()
	a, err := app.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	if err := a.DB.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return a
}

// namesNobody checks that what leaves a server for the road, and stays with whoever took it, tells nothing of somebody who learnt there: so there is
// nothing to take out of it when they are erased.
func namesNobody(t *testing.T, hub *app.App, v curriculum.Version, u identity.User) {
	t.Helper()
	ctx := t.Context()
	held, err := hub.DB.Credential().ListCredentials(ctx, u.ID, "", 10)
	if err != nil || len(held) != 1 || held[0].Name != u.DisplayName {
		t.Fatalf("a test that would prove nothing: %+v, %v", held, err)
	}
	frames, words := 0, 0
	look := func(f bundle.Frame) error {
		frames++
		if bytes.Contains(f.Payload, []byte("Acacia School")) {
			words++
		}
		for _, of := range []string{u.DisplayName, u.Username, string(u.ID), string(held[0].ID)} {
			if bytes.Contains(f.Payload, []byte(of)) {
				t.Errorf("a frame %q tells %q", f.Kind, of)
			}
		}
		return nil
	}
	if err := hub.Bundle.Write(ctx, string(v.CourseID), 0, choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.ImagesTier}, look); err != nil {
		t.Fatal(err)
	}
	if frames < 10 || words == 0 {
		t.Errorf("%d frames, %d of which name the institution: the course was not read", frames, words)
	}
	words = 0
	packed, err := hub.Trust.TrustPack(ctx)
	if err != nil {
		t.Fatal(err)
	}
	file, err := packed.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for in := bundle.NewReader(file); ; {
		f, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = look(f)
	}
	if words == 0 {
		t.Error("the word on issuers was not read")
	}
}

// A shipped course leaves the server of one institution as a file and is served by a school's node. With it go the keys and the status list by
// which the institution's certificates are checked there.
func TestACourseTravels(t *testing.T) {
	ctx, system := t.Context(), identity.System()
	hub, node := newApp(t, "https://hub.example/learn"), newApp(t, "https://node.example")
	in, err := hub.Institution.Create(ctx, system, "acacia", "Acacia School")
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(content.Courses(), "staying-safe")
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := hub.Curriculum.Publish(ctx, system, string(in.ID), folder)
	if err != nil {
		t.Fatal(err)
	}

	// Somebody has finished it, so the institution has an issuing key and a list.
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	u := identity.User{ID: identity.UserID(id()), Username: "amina-of-acacia", DisplayName: "Amina Diallo-Traoré", Locale: "ar", CreatedAt: hub.Now()}
	if err := hub.DB.Identity().CreateUser(ctx, u, "x", nil); err != nil {
		t.Fatal(err)
	}
	e := learning.Enrollment{ID: learning.EnrollmentID(id()), UserID: u.ID, InstitutionID: in.ID, CourseID: v.CourseID, VersionID: v.ID, CreatedAt: hub.Now()}
	if err := hub.DB.Learning().CreateEnrollment(ctx, e); err != nil {
		t.Fatal(err)
	}
	finished := learning.Progress{EnrollmentID: e.ID, ObjectID: curriculum.ContentID(v.CourseID), Completed: true, UpdatedAt: hub.Now()}
	if err := hub.DB.Learning().MergeProgress(ctx, []learning.Progress{finished}); err != nil {
		t.Fatal(err)
	}
	j, err := job.New(job.ID(id()), learning.CompletedKind, learning.CompletedPayload{EnrollmentID: e.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.DB.Outbox().Ensure(ctx, j); err != nil {
		t.Fatal(err)
	}
	if err := hub.Issuing.Weigh(ctx, j); err != nil {
		t.Fatal(err)
	}
	asked, err := hub.DB.Outbox().Start(ctx, job.Backlog, 10, time.Minute)
	if err != nil || len(asked) != 1 {
		t.Fatalf("asked for %+v, %v", asked, err)
	}
	if err := hub.Issuing.Issue(ctx, asked[0]); err != nil {
		t.Fatal(err)
	}

	rule := choice.Rule{Locales: []string{"ar"}, Tier: choice.ImagesTier}
	packed, err := hub.Bundle.File(ctx, string(v.CourseID), 0, rule)
	if err != nil {
		t.Fatal(err)
	}
	file, err := packed.Open()
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(file)
	_ = file.Close()
	if err != nil {
		t.Fatal(err)
	}
	namesNobody(t, hub, v, u)
	const did = "did:web:hub.example:learn:institutions:acacia"
	stated, err := hub.Trust.Publishers(ctx, identity.Actor{})
	if err != nil || len(stated) != 1 || stated[0].ID != did {
		t.Fatalf("%+v %v", stated, err)
	}
	if _, err := node.Trust.Trust(ctx, system, "", []byte(stated[0].Documents[0])); err != nil {
		t.Fatal(err)
	}
	got, err := node.Shelf.Import(ctx, system, bundle.NewReader(bytes.NewReader(data)), shelf.ImportOptions{})
	if err != nil || !got.Complete || !slices.Equal(got.Rule.Locales, rule.Locales) || got.Rule.Tier != rule.Tier {
		t.Fatalf("%+v %v", got, err)
	}
	served, err := node.Bundle.File(ctx, string(v.CourseID), 0, rule)
	if err != nil || served.Tag != packed.Tag || served.Size != packed.Size {
		t.Errorf("the node serves %+v, the hub %+v: %v", served, packed, err)
	}

	// Each fragment that the hub serves can be read at the node, and each picture under the address by which it is shown.
	pictures := 0
	for _, m := range v.Manifest.Modules {
		for _, it := range m.Items {
			if d, ok := it.Fragment["ar"]; ok {
				if html, err := node.Shelf.Blob(ctx, d); err != nil || len(html) == 0 {
					t.Errorf("%s: %v", it.ID, err)
				}
			}
			for _, d := range it.Media["ar"] {
				if _, err := node.Shelf.Blob(ctx, d); err == nil {
					pictures++
				}
			}
		}
	}
	if pictures == 0 {
		t.Error("no picture came along")
	}

	// The word on issuers names the key that signed the list, and the list stands in the bundle.
	var word *bundle.Trust
	var list []byte
	err = node.Bundle.Write(ctx, string(v.CourseID), 0, rule, func(f bundle.Frame) error {
		if f.Kind == bundle.TrustFrame {
			s, err := bundle.ReadSigned(f.Payload)
			if err != nil {
				return err
			}
			return json.Unmarshal(s.Document, &word)
		}
		if strings.Contains(string(f.Payload), "BitstringStatusListCredential") {
			list = f.Payload
		}
		return nil
	})
	if err != nil || word == nil || len(word.Issuers) != 1 || word.Issuers[0].DID != did || len(word.Issuers[0].Keys) != 1 || len(word.Issuers[0].Lists) != 2 ||
		word.Issuers[0].Lists[0].Purpose != bundle.Suspension || word.Issuers[0].Lists[1].Purpose != bundle.Revocation {
		t.Fatalf("%+v %v", word, err)
	}
	if got, err := node.Shelf.Blob(ctx, word.Issuers[0].Lists[1].Digest); err != nil || !bytes.Equal(got, list) {
		t.Errorf("%v", err)
	}
	if stated[0].Documents[0] == "" || strings.Contains(stated[0].Documents[0], word.Issuers[0].Keys[0].Key) {
		t.Error("bundles are signed with the issuing key")
	}
	var signed struct {
		Proof []struct {
			Method string `json:"verificationMethod"`
		}
	}
	if err := json.Unmarshal(list, &signed); err != nil || len(signed.Proof) == 0 {
		t.Errorf("the list is signed by %+v: %v", signed.Proof, err)
	}
	for _, p := range signed.Proof {
		if p.Method != did+"#"+word.Issuers[0].Keys[0].Key {
			t.Errorf("the list is signed by %s", p.Method)
		}
	}
}

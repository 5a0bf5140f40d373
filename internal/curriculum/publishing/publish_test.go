package publishing_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
)

// rows is a store in memory with the meaning that publishing.Store states.
type rows struct {
	mu       sync.Mutex
	versions []curriculum.Version
}

func (r *rows) InTx(_ context.Context, fn func(tx publishing.Store) error) error { return fn(r) }

func (r *rows) CreateVersion(_ context.Context, v curriculum.Version) (curriculum.Version, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v.Number = 1
	for _, old := range r.versions {
		if old.CourseID != v.CourseID {
			continue
		}
		if old.InstitutionID != v.InstitutionID {
			return curriculum.Version{}, false, fault.New(fault.Denied, "course.publish_denied")
		}
		if old.Digest == v.Digest {
			return old, false, nil
		}
		v.Number = old.Number + 1
	}
	r.versions = append(r.versions, v)
	return v, true, nil
}

func (r *rows) find(is func(curriculum.Version) bool) (curriculum.Version, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, v := range slices.Backward(r.versions) {
		if is(v) {
			return v, nil
		}
	}
	return curriculum.Version{}, fault.New(fault.NotFound, "course.not_found")
}

func (r *rows) FindVersion(_ context.Context, id curriculum.VersionID) (curriculum.Version, error) {
	return r.find(func(v curriculum.Version) bool { return v.ID == id })
}

func (r *rows) FindVersionNumber(_ context.Context, c curriculum.CourseID, n int) (curriculum.Version, error) {
	return r.find(func(v curriculum.Version) bool { return v.CourseID == c && v.Number == n })
}

func (r *rows) FindLatest(_ context.Context, c curriculum.CourseID) (curriculum.Version, error) {
	return r.find(func(v curriculum.Version) bool { return v.CourseID == c })
}

func (r *rows) ListLatest(_ context.Context, after curriculum.CourseID, limit int) ([]curriculum.Version, error) {
	latest := map[curriculum.CourseID]curriculum.Version{}
	for _, v := range r.versions {
		if v.CourseID > after {
			latest[v.CourseID] = v
		}
	}
	var out []curriculum.Version
	for _, v := range latest {
		out = append(out, v)
	}
	slices.SortFunc(out, func(a, b curriculum.Version) int { return cmp.Compare(a.CourseID, b.CourseID) })
	return out[:min(limit, len(out))], nil
}

func (r *rows) CourseOwner(ctx context.Context, c curriculum.CourseID) (string, error) {
	v, err := r.FindLatest(ctx, c)
	return v.InstitutionID, err
}

// may publishes for the institutions it names.
type may []string

func (m may) MayPublish(institutionID string) bool { return slices.Contains(m, institutionID) }

// countingBlobs counts what reaches a blob store, and fails when told to.
type countingBlobs struct {
	blob.Store
	mu                     sync.Mutex
	puts, opens, failAfter int
}

func (c *countingBlobs) Put(ctx context.Context, data []byte) (blob.Digest, error) {
	c.mu.Lock()
	c.puts++
	full := c.failAfter > 0 && c.puts > c.failAfter
	c.mu.Unlock()
	if full {
		return "", errors.New("disk full")
	}
	return c.Store.Put(ctx, data)
}

func (c *countingBlobs) Open(ctx context.Context, d blob.Digest) ([]byte, error) {
	c.opens++
	return c.Store.Open(ctx, d)
}

func newService(t testing.TB) (*publishing.Service, *rows, *countingBlobs, *countingBlobs) {
	t.Helper()
	dir := func() *countingBlobs {
		d, err := blob.OpenDir(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return &countingBlobs{Store: d}
	}
	store, public, vault, n := &rows{}, dir(), dir(), 0
	return &publishing.Service{
		Store: store, Public: public, Vault: vault,
		Now:   func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600)) },
		NewID: func() string { n++; return fmt.Sprintf("v%d", n) },
	}, store, public, vault
}

func TestPublish(t *testing.T) {
	ctx := t.Context()
	s, store, _, vault := newService(t)
	v, created, err := s.Publish(ctx, may{"a"}, "a", coursetest.Golden())
	if err != nil || !created || v.Number != 1 || v.InstitutionID != "a" || v.PublishedAt.Location() != time.UTC {
		t.Fatalf("%+v %v %v", v, created, err)
	}
	// The same bytes again change nothing.
	again, created, err := s.Publish(ctx, may{"a"}, "a", coursetest.Copy(t))
	if err != nil || created || !reflect.DeepEqual(again, v) || len(store.versions) != 1 {
		t.Errorf("again: %+v %v %v", again, created, err)
	}
	// Everything the version names is there.
	c, err := compile.Course(coursetest.Golden(), compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range c.Blobs {
		if got, err := s.PublicBlob(ctx, d); err != nil || !bytes.Equal(got, want) {
			t.Errorf("blob %s: %v", d, err)
		}
	}
	if got, err := s.PublicBlob(ctx, v.Digest); err != nil || !bytes.Equal(got, c.ManifestJSON) {
		t.Errorf("manifest: %v", err)
	}
	// The vault is reached by the server's own way, and by no digest.
	if _, err := s.PublicBlob(ctx, v.Manifest.Vault); !fault.Is(err, fault.NotFound) {
		t.Errorf("vault by its digest: %v", err)
	}
	if _, err := s.PublicBlob(ctx, "sha256:../../etc/passwd"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a path for a digest: %v", err)
	}
	for range 3 {
		f, err := s.OpenVault(ctx, v)
		if err != nil || len(f.Quizzes) != 2 || f.Labs["echo"].Solution == "" {
			t.Fatalf("vault: %v", err)
		}
	}
	if vault.opens != 1 {
		t.Errorf("the vault was read %d times", vault.opens)
	}

	m := coursetest.Copy(t)
	m["labs/echo/solution.py"].Data = append(m["labs/echo/solution.py"].Data, '#')
	second, created, err := s.Publish(ctx, may{"a"}, "a", m)
	if err != nil || !created || second.Number != 2 {
		t.Errorf("second: %+v %v %v", second, created, err)
	}
	for _, find := range []struct {
		name string
		find func() (curriculum.Version, error)
		want int
	}{
		{"latest", func() (curriculum.Version, error) { return s.FindLatest(ctx, "golden") }, 2},
		{"first", func() (curriculum.Version, error) { return s.FindVersionNumber(ctx, "golden", 1) }, 1},
		{"by id", func() (curriculum.Version, error) { return s.FindVersion(ctx, v.ID) }, 1},
	} {
		if got, err := find.find(); err != nil || got.Number != find.want {
			t.Errorf("%s: %+v %v", find.name, got, err)
		}
	}
	if _, err := s.FindVersionNumber(ctx, "golden", 0); !fault.Is(err, fault.NotFound) {
		t.Errorf("number 0: %v", err)
	}
}

func TestPublishDenied(t *testing.T) {
	ctx := t.Context()
	s, store, public, vault := newService(t)
	for name, who := range map[string]publishing.Authority{"nobody": nil, "no right": may{}, "elsewhere": may{"b"}} {
		if _, _, err := s.Publish(ctx, who, "a", coursetest.Golden()); !fault.Is(err, fault.Denied) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := s.Publish(ctx, may{""}, "", coursetest.Golden()); !fault.Is(err, fault.Denied) {
		t.Errorf("no institution: %v", err)
	}
	// The check comes first: not even the faults of a folder are told.
	if _, _, err := s.Publish(ctx, may{}, "a", fs.FS(nil)); !fault.Is(err, fault.Denied) {
		t.Errorf("before compiling: %v", err)
	}
	if public.puts+vault.puts != 0 {
		t.Error("the denied left blobs")
	}
	if _, _, err := s.Publish(ctx, may{"a"}, "a", coursetest.Golden()); err != nil {
		t.Fatal(err)
	}
	puts := public.puts + vault.puts
	if _, _, err := s.Publish(ctx, may{"b"}, "b", coursetest.Golden()); !fault.Is(err, fault.Denied) {
		t.Errorf("a course of another institution: %v", err)
	}
	if public.puts+vault.puts != puts || len(store.versions) != 1 {
		t.Error("the other institution left something")
	}
}

// A version is seen whole or not at all.
func TestPublishBroken(t *testing.T) {
	ctx := t.Context()
	s, store, public, vault := newService(t)
	for fail := 1; ; fail++ {
		public.puts, public.failAfter = 0, fail
		_, _, err := s.Publish(ctx, may{"a"}, "a", coursetest.Golden())
		if err == nil {
			break
		}
		if fail > 1000 {
			t.Fatal(err)
		}
		if len(store.versions) != 0 {
			t.Fatalf("after %d blobs a version was seen", fail)
		}
	}
	vault.failAfter = vault.puts
	m := coursetest.Copy(t)
	m["labs/echo/solution.py"].Data = append(m["labs/echo/solution.py"].Data, '#')
	if _, _, err := s.Publish(ctx, may{"a"}, "a", m); err == nil || len(store.versions) != 1 {
		t.Errorf("without its vault: %v", err)
	}
	m["course.yaml"].Data = []byte("id: 7")
	if _, _, err := s.Publish(ctx, may{"a"}, "a", m); !fault.Is(err, fault.Invalid) {
		t.Errorf("with faults: %v", err)
	}
}

func TestList(t *testing.T) {
	ctx := t.Context()
	s, store, _, _ := newService(t)
	for i := range 150 {
		store.versions = append(store.versions, curriculum.Version{CourseID: curriculum.CourseID(fmt.Sprintf("c%03d", i))})
	}
	for _, test := range []struct{ limit, pages int }{{7, 22}, {50, 3}, {0, 150}, {1000, 2}, {150, 2}, {100, 2}} {
		var seen []curriculum.CourseID
		cursor, pages := "", 0
		for {
			vs, next, err := s.List(ctx, cursor, test.limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range vs {
				seen = append(seen, v.CourseID)
			}
			pages++
			if cursor = next; next == "" {
				break
			}
		}
		if pages != test.pages || len(seen) != 150 || !slices.IsSorted(seen) || len(slices.Compact(seen)) != 150 {
			t.Errorf("limit %d: %d pages, %d courses", test.limit, pages, len(seen))
		}
	}
}

// Package servertest starts servers that carry the small course of bundletest.
package servertest

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/bundletest"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

// Operator is the one who may do everything.
var Operator = identity.System()

// What somebody may want.
var (
	Both    = choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.AllTier}
	Arabic  = choice.Rule{Locales: []string{"ar"}, Tier: choice.TextTier}
	English = choice.Rule{Locales: []string{"en"}, Tier: choice.ImagesTier}
)

// The services of a server, under names of their own.
type (
	PublisherService = publisher.Service
	TrustService     = trust.Service
	ShelfService     = shelf.Service
	ServingService   = serving.Service
)

// Server is a Banyan as far as bundles go.
type Server struct {
	*PublisherService
	*TrustService
	*ShelfService
	*ServingService
	db     *store.DB
	School identity.InstitutionID
	public *blob.Dir
	Disk   *Disk
	Clock  time.Time
	m      bundletest.Memory // what the course is made of
	Bits   string            // of the status list
}

// Disk is a store of blobs that can run out of space.
type Disk struct {
	*blob.Dir
	mu   sync.Mutex
	Left int // blobs that fit yet; negative: without end
}

// Put fails when there is no room.
func (f *Disk) Put(ctx context.Context, data []byte) (blob.Digest, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Left == 0 {
		return "", fault.Wrap(fault.Unavailable, "blob.unwritable", fmt.Errorf("put: %w", syscall.ENOSPC))
	}
	f.Left--
	return f.Dir.Put(ctx, data)
}

// New starts a server of one school on a host.
func New(t testing.TB, host string) *Server {
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
	s := &Server{db: db, School: identity.InstitutionID(uuid.Must(uuid.NewV7()).String()), Clock: bundletest.Day(1).Time, m: bundletest.Memory{}, Bits: "list"}
	if err := db.Institution().CreateInstitution(ctx, institution.Institution{ID: s.School, Slug: "acacia", Name: "Acacia", CreatedAt: s.Clock}); err != nil {
		t.Fatal(err)
	}
	s.public = openDir(t, filepath.Join(dir, "blobs"))
	s.Disk = &Disk{Dir: openDir(t, filepath.Join(dir, "bundles")), Left: -1}
	sealer, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return s.Clock }
	id := func() string { return uuid.Must(uuid.NewV7()).String() }
	keep := &shelf.Keeper{Public: s.public, Imported: s.Disk}
	courses := &publishing.Service{Store: db.Curriculum()}
	packs := &packing.Packer{Dir: filepath.Join(dir, "packs"), Open: keep.Open}
	s.PublisherService = &publisher.Service{
		Store: db.Publisher(), Courses: courses, Public: s.public, Sealer: sealer, Now: clock, NewID: id, Random: rand.Reader,
		Name: func(context.Context, identity.InstitutionID) (publisher.Name, error) {
			return publisher.Name{ID: "did:web:" + host + ":institutions:acacia", Names: map[string]string{"und": "Acacia"}}, nil
		},
		Issuers: func(context.Context, identity.InstitutionID) ([]publisher.IssuerSource, error) {
			return []publisher.IssuerSource{{
				Issuer: bundle.Issuer{
					DID: "did:web:" + host, Names: map[string]string{"und": "Acacia"}, Keys: []bundle.IssuerKey{{Key: bundletest.Key('i').Multikey(), From: bundletest.Day(1)}},
					Lists: []bundle.StatusList{{URL: "https://" + host + "/list"}},
				},
				Open: func(context.Context, string) (publisher.OpenedList, error) {
					return publisher.OpenedList{Document: []byte(s.Bits + " of " + s.Clock.Format(time.RFC3339)), SignedAt: s.Clock}, nil
				},
				Same: func(a, b []byte) bool {
					x, _, _ := bytes.Cut(a, []byte(" "))
					y, _, _ := bytes.Cut(b, []byte(" "))
					return bytes.Equal(x, y)
				},
			}}, nil
		},
	}
	s.TrustService = &trust.Service{Store: db.Trust(), Publisher: s.PublisherService, Open: keep.Open, Packs: packs, Now: clock}
	s.ShelfService = &shelf.Service{Store: db.Shelf(), Courses: courses, Publisher: s.PublisherService, Trust: s.TrustService, Keep: keep, Now: clock}
	s.ServingService = &serving.Service{
		Store: db.Shelf(), Courses: courses, Publisher: s.PublisherService, Trust: s.TrustService, Open: keep.Open, Packs: packs,
	}
	return s
}

// Trust is TrustService's.
func (s *Server) Trust(ctx context.Context, by identity.Actor, in identity.InstitutionID, documents ...[]byte) (publisher.Stated, error) {
	return s.TrustService.Trust(ctx, by, in, documents...)
}

func openDir(t testing.TB, path string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Publish publishes the nth version of the small course here.
func (s *Server) Publish(t testing.TB, number int) {
	t.Helper()
	v := bundletest.Course(s.m, number)
	for _, data := range s.m {
		if _, err := s.public.Put(t.Context(), data); err != nil {
			t.Fatal(err)
		}
	}
	v.ID, v.InstitutionID, v.PublishedAt = curriculum.VersionID(s.NewID()), string(s.School), s.Clock
	stored, created, err := s.db.Curriculum().CreateVersion(t.Context(), v)
	if err != nil || !created || stored.Number != number {
		t.Fatalf("%+v %v %v", stored.Number, created, err)
	}
}

// Trusts makes one server trust another.
func (s *Server) Trusts(t testing.TB, other *Server) {
	t.Helper()
	for _, p := range Must(other.Publishers(t.Context(), identity.Actor{}))(t) {
		var docs [][]byte
		for _, d := range p.Documents {
			docs = append(docs, []byte(d))
		}
		if _, err := s.Trust(t.Context(), Operator, "", docs...); err != nil {
			t.Fatal(err)
		}
	}
}

// Must ends the test on an error.
func Must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// Content reads a pack that is ready to be sent.
func Content(t testing.TB, p *packing.Packed) []byte {
	t.Helper()
	in := Must(p.Open())(t)
	defer in.Close()
	data := Must(io.ReadAll(in))(t)
	if int64(len(data)) != p.Size {
		t.Fatalf("%d bytes, and it says %d", len(data), p.Size)
	}
	return data
}

// Packed gives a version as one file.
func (s *Server) Packed(t testing.TB, number int, rule choice.Rule) []byte {
	t.Helper()
	return Content(t, Must(s.File(t.Context(), "small", number, rule))(t))
}

// Take imports bytes.
func (s *Server) Take(t testing.TB, data []byte, rule *choice.Rule) (shelf.Import, error) {
	t.Helper()
	return s.Import(t.Context(), Operator, bundle.NewReader(bytes.NewReader(data)), shelf.ImportOptions{Rule: rule})
}

// Reads tells whether every blob that the installed version wants of its rule is there.
func (s *Server) Reads(t testing.TB, rule choice.Rule) error {
	t.Helper()
	return s.Write(t.Context(), "small", 0, rule, func(bundle.Frame) error { return nil })
}

// Word gives the trust pack of a server.
func (s *Server) Word(t testing.TB) []byte {
	t.Helper()
	return Content(t, Must(s.TrustPack(t.Context()))(t))
}

// Vouching makes a server's school stand for issuers.
func (s *Server) Vouching() *Server {
	s.Vouchers = func(context.Context) ([]identity.InstitutionID, error) {
		return []identity.InstitutionID{s.School}, nil
	}
	return s
}

// Stated gives the documents of the first publisher whom a server names.
func (s *Server) Stated(t testing.TB) [][]byte {
	t.Helper()
	var docs [][]byte
	for _, d := range Must(s.Publishers(t.Context(), identity.Actor{}))(t)[0].Documents {
		docs = append(docs, []byte(d))
	}
	return docs
}

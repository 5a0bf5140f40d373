package publishing

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/fault"
)

// maxPage bounds a list.
const maxPage = 100

// Publish compiles a course folder and publishes it for the institution. Only who may publish
// there may; others get fault.Denied, and so does everybody for a course of another
// institution. Publishing the same bytes again gives the version that exists, with
// created false, and changes nothing. A version is seen whole or not at all:
// its row is written after all its blobs.
func (s *Service) Publish(ctx context.Context, who Authority, institutionID string, fsys fs.FS) (v curriculum.Version, created bool, err error) {
	if who == nil || institutionID == "" || !who.MayPublish(institutionID) {
		return curriculum.Version{}, false, fault.New(fault.Denied, "course.publish_denied")
	}
	o := compile.Options{Cache: s.parts.open()}
	if s.Fallbacks != nil {
		if o.Fallbacks, err = s.Fallbacks(ctx, institutionID); err != nil {
			return curriculum.Version{}, false, err
		}
	}
	c, err := compile.Course(fsys, o)
	if err != nil {
		return curriculum.Version{}, false, err
	}
	owner, err := s.Store.CourseOwner(ctx, c.Manifest.CourseID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return curriculum.Version{}, false, err
	}
	if err == nil && owner != institutionID {
		// The store says so too; asked here, a stranger's blobs are not even kept.
		return curriculum.Version{}, false, fault.New(fault.Denied, "course.publish_denied")
	}
	if err := s.keep(ctx, c, o.Cache); err != nil {
		return curriculum.Version{}, false, err
	}
	v, created, err = s.Store.CreateVersion(ctx, curriculum.Version{
		ID: curriculum.VersionID(s.NewID()), CourseID: c.Manifest.CourseID, InstitutionID: institutionID,
		Digest: c.Digest, Manifest: c.Manifest, PublishedAt: s.Now().UTC(),
	})
	v.Advice = c.Advice
	return v, created, err
}

// An author publishes again and again for a while: so long, and within so many bytes, what compiling made of parts of
// courses is kept.
const (
	maxParts  = 64 << 20
	partsLife = 10 * time.Minute
)

// partsCache is a Cache that goes when nobody publishes.
type partsCache struct {
	mu    sync.Mutex
	cache *memo.Cache
	timer *time.Timer
}

func (p *partsCache) open() *memo.Cache {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cache == nil {
		p.cache = memo.New(maxParts)
		p.timer = time.AfterFunc(partsLife, p.drop)
	}
	p.timer.Reset(partsLife)
	return p.cache
}

func (p *partsCache) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cache != nil {
		p.cache = nil
		p.timer.Stop()
	}
}

// Forget gives back the memory that makes publishing again quick.
func (s *Service) Forget() { s.parts.drop() }

// keep stores the blobs of a version. A digest that comes back different means that the store is broken. What this
// process stored before is not stored again; but the same version published again is, for that mends a damaged store.
func (s *Service) keep(ctx context.Context, c compile.Result, parts *memo.Cache) error {
	latest, err := s.Store.FindLatest(ctx, c.Manifest.CourseID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	mend := err == nil && latest.Digest == c.Digest
	put := func(store blob.Store, data []byte, want blob.Digest) error {
		got, err := store.Put(ctx, data)
		if err != nil {
			return fmt.Errorf("keep blob %s of course %s: %w", want, c.Manifest.CourseID, err)
		}
		if got != want {
			return fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("blob store gave %s for %s", got, want))
		}
		return nil
	}
	if err := put(s.Vault, c.Vault, c.Manifest.Vault); err != nil {
		return err
	}
	// A disk or a store far away answers late, but answers several at a time.
	var all errgroup.Group
	all.SetLimit(8)
	for _, d := range slices.Sorted(maps.Keys(c.Blobs)) {
		stored := "stored " + string(d)
		if !mend && parts.Find(stored) != nil {
			continue
		}
		all.Go(func() error {
			if err := put(s.Public, c.Blobs[d], d); err != nil {
				return err
			}
			parts.Keep(stored, true, 200)
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return put(s.Public, c.ManifestJSON, c.Digest)
}

// FindVersion finds a version by its id, or fault.NotFound. Anybody may read versions.
func (s *Service) FindVersion(ctx context.Context, id curriculum.VersionID) (curriculum.Version, error) {
	return s.Store.FindVersion(ctx, id)
}

// FindVersionNumber finds the nth version of a course, or fault.NotFound.
func (s *Service) FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error) {
	if number < 1 {
		return curriculum.Version{}, fault.New(fault.NotFound, "course.not_found")
	}
	return s.Store.FindVersionNumber(ctx, course, number)
}

// FindLatest finds the newest version of a course, or fault.NotFound.
func (s *Service) FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error) {
	return s.Store.FindLatest(ctx, course)
}

// List lists the newest version of every course, by course id. The cursor is "" at first, and then what
// came back as next; next is "" at the end. A limit outside 1 to 100 is brought inside.
func (s *Service) List(ctx context.Context, cursor string, limit int) (versions []curriculum.Version, next string, err error) {
	limit = min(max(limit, 1), maxPage)
	versions, err = s.Store.ListLatest(ctx, curriculum.CourseID(cursor), limit+1)
	if err != nil {
		return nil, "", err
	}
	if len(versions) > limit {
		versions = versions[:limit]
		next = string(versions[limit-1].CourseID)
	}
	return versions, next, nil
}

// PublicBlob gives the bytes of a fragment, a public quiz or lab, or a manifest. It reads the
// public store alone, so no digest leads to an answer key.
func (s *Service) PublicBlob(ctx context.Context, d blob.Digest) ([]byte, error) {
	if !d.Valid() {
		return nil, fault.New(fault.NotFound, "blob.not_found")
	}
	return s.Public.Open(ctx, d)
}

// OpenVault gives the answer keys and labs of a version: for marking and grading on
// the server, never for the wire. What comes back is shared; nobody may change it.
func (s *Service) OpenVault(ctx context.Context, v curriculum.Version) (curriculum.VaultFile, error) {
	d := v.Manifest.Vault
	if f, ok := s.vaults.find(d); ok {
		return f, nil
	}
	data, err := s.Vault.Open(ctx, d)
	if err != nil {
		return curriculum.VaultFile{}, fmt.Errorf("open vault of version %s: %w", v.ID, err)
	}
	var f curriculum.VaultFile
	if err := json.Unmarshal(data, &f); err != nil {
		return curriculum.VaultFile{}, fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("read vault of version %s: %w", v.ID, err))
	}
	s.vaults.keep(d, f, len(data))
	return f, nil
}

// maxVaults bounds the cache of vaults, in bytes of JSON.
const maxVaults = 8 << 20

// vaultCache keeps the vaults used last. Versions never change, so nothing in it grows old.
type vaultCache struct {
	mu    sync.Mutex
	order []blob.Digest // oldest use first
	files map[blob.Digest]cachedVault
	size  int
}

type cachedVault struct {
	file curriculum.VaultFile
	size int
}

func (c *vaultCache) find(d blob.Digest) (curriculum.VaultFile, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.files[d]
	if ok {
		i := slices.Index(c.order, d)
		c.order = append(slices.Delete(c.order, i, i+1), d)
	}
	return f.file, ok
}

func (c *vaultCache) keep(d blob.Digest, f curriculum.VaultFile, size int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.files[d]; ok || size > maxVaults {
		return
	}
	if c.files == nil {
		c.files = map[blob.Digest]cachedVault{}
	}
	for c.size+size > maxVaults {
		oldest := c.order[0]
		c.order = slices.Delete(c.order, 0, 1)
		c.size -= c.files[oldest].size
		delete(c.files, oldest)
	}
	c.files[d] = cachedVault{file: f, size: size}
	c.order = append(c.order, d)
	c.size += size
}

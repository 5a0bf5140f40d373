package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Dir keeps blobs as files: sha256/ab/abcdef…, by the first two hex digits. Several
// processes may share it. On a folder that cannot be written, reading still works.
type Dir struct {
	root    string
	durable sync.Map // folders whose names this process knows to be on the disk
}

var _ Store = (*Dir)(nil)

// leftoverAge is how old an unfinished file is when its writer must be dead.
const leftoverAge = time.Hour

// OpenDir opens a folder of blobs, makes it when it is absent, and clears away
// what writers that died have left.
func OpenDir(root string) (*Dir, error) {
	d := &Dir{root: root}
	info, err := os.Stat(root)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(root, 0o750); err != nil {
			return nil, fmt.Errorf("make blob folder: %w", err)
		}
		if err := syncDir(filepath.Dir(root)); err != nil {
			return nil, err
		}
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open blob folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open blob folder: %s is not a folder", root)
	}
	d.sweep()
	return d, nil
}

// sweep removes what writers that died have left. Young files may belong to another process that is writing now. A folder that
// cannot be read or written has nobody to clean up after.
func (d *Dir) sweep() {
	entries, err := os.ReadDir(d.temp())
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > leftoverAge {
			_ = os.Remove(filepath.Join(d.temp(), e.Name()))
		}
	}
}

func (d *Dir) temp() string { return filepath.Join(d.root, "tmp") }

func (d *Dir) path(digest Digest) string {
	hex := digest.Hex()
	return filepath.Join(d.root, "sha256", hex[:2], hex)
}

// Put implements Store: the bytes and their name are on the disk when it returns.
func (d *Dir) Put(ctx context.Context, data []byte) (Digest, error) {
	digest := Of(data)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	path := d.path(digest)
	// What is there and whole stays; what is damaged is written anew.
	if old, err := os.ReadFile(path); err == nil && Of(old) == digest {
		// Who collects what nobody names spares what was put of late.
		now := time.Now()
		_ = os.Chtimes(path, now, now)
		// It may be another process's rename of a moment ago.
		return digest, syncDir(filepath.Dir(path))
	}
	if err := d.makeDir(d.temp()); err != nil {
		return "", putError(digest, err)
	}
	if err := d.makeDir(filepath.Join(d.root, "sha256")); err != nil {
		return "", putError(digest, err)
	}
	if err := d.makeDir(filepath.Dir(path)); err != nil {
		return "", putError(digest, err)
	}
	if err := d.write(path, data); err != nil {
		return "", putError(digest, err)
	}
	return digest, nil
}

func putError(digest Digest, err error) error {
	return fault.Wrap(fault.Unavailable, "blob.unwritable", fmt.Errorf("put blob %s: %w", digest, err))
}

func (d *Dir) write(path string, data []byte) (err error) {
	f, err := os.CreateTemp(d.temp(), "put-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o640); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// makeDir makes a folder, and its name durable.
func (d *Dir) makeDir(path string) error {
	if _, ok := d.durable.Load(path); ok {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
	}
	if err := os.Mkdir(path, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(filepath.Dir(path)); err != nil {
		return err
	}
	d.durable.Store(path, true)
	return nil
}

// syncDir makes names in a folder durable: a rename is only a promise until then.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	defer func() { _ = f.Close() }()
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("sync folder: %w", err)
	}
	return nil
}

// Open implements Store.
func (d *Dir) Open(ctx context.Context, digest Digest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !digest.Valid() {
		return nil, fault.New(fault.NotFound, "blob.not_found")
	}
	data, err := os.ReadFile(d.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.NotFound, "blob.not_found", fmt.Errorf("open blob %s: %w", digest, err))
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "blob.unreadable", fmt.Errorf("open blob %s: %w", digest, err))
	}
	if got := Of(data); got != digest {
		return nil, fault.Wrap(fault.Internal, "blob.damaged", fmt.Errorf("open blob %s: its bytes are %s", digest, got))
	}
	return data, nil
}

// Has implements Store. It looks for the file and does not read it.
func (d *Dir) Has(ctx context.Context, digest Digest) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !digest.Valid() {
		return false, nil
	}
	_, err := os.Stat(d.path(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.Unavailable, "blob.unreadable", fmt.Errorf("look for blob %s: %w", digest, err))
	}
	return true, nil
}

// Delete removes a blob. An absent one is no error.
func (d *Dir) Delete(ctx context.Context, digest Digest) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !digest.Valid() {
		return nil
	}
	if err := os.Remove(d.path(digest)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Unavailable, "blob.unwritable", fmt.Errorf("delete blob %s: %w", digest, err))
	}
	return nil
}

// Each calls fn for every blob, with its size and the time at which it was last put. Blobs that come or go meanwhile may be missed.
func (d *Dir) Each(ctx context.Context, fn func(digest Digest, size int64, put time.Time) error) error {
	err := filepath.WalkDir(filepath.Join(d.root, "sha256"), func(_ string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || e.IsDir() {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		digest := Digest("sha256:" + e.Name())
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !digest.Valid() {
			return nil
		}
		if err != nil {
			return err
		}
		return fn(digest, info.Size(), info.ModTime())
	})
	var f *fault.Error
	if err != nil && !errors.As(err, &f) {
		return fault.Wrap(fault.Unavailable, "blob.unreadable", fmt.Errorf("list blobs: %w", err))
	}
	return err
}

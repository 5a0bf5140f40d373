package blob_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
)

func open(t *testing.T, root string) *blob.Dir {
	t.Helper()
	d, err := blob.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t *testing.T, d *blob.Dir, data string) blob.Digest {
	t.Helper()
	digest, err := d.Put(t.Context(), []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func where(root string, d blob.Digest) string {
	return filepath.Join(root, "sha256", d.Hex()[:2], d.Hex())
}

func TestDir(t *testing.T) {
	ctx := t.Context()
	root := filepath.Join(t.TempDir(), "new", "blobs")
	d := open(t, root)
	for _, data := range []string{"", "one", string(bytes.Repeat([]byte("x"), 1<<20))} {
		digest := put(t, d, data)
		if digest != blob.Of([]byte(data)) {
			t.Errorf("digest %s", digest)
		}
		if again := put(t, d, data); again != digest {
			t.Errorf("put twice: %s", again)
		}
		for _, d := range []*blob.Dir{d, open(t, root)} {
			got, err := d.Open(ctx, digest)
			if err != nil || string(got) != data {
				t.Errorf("open: %d bytes, %v", len(got), err)
			}
			if has, err := d.Has(ctx, digest); !has || err != nil {
				t.Errorf("has: %v %v", has, err)
			}
		}
		if _, err := os.Stat(where(root, digest)); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(root, "tmp")); err != nil || len(left) != 0 {
		t.Errorf("unfinished files: %v %v", left, err)
	}
}

func TestDirAbsent(t *testing.T) {
	ctx := t.Context()
	root := t.TempDir()
	d := open(t, root)
	if err := os.WriteFile(filepath.Join(root, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, digest := range []blob.Digest{blob.Of([]byte("never put")), "", "sha256:", "sha256:../../secret", "md5:00", "sha256:" + blob.Digest(bytes.Repeat([]byte("A"), 64))} {
		if _, err := d.Open(ctx, digest); !fault.Is(err, fault.NotFound) {
			t.Errorf("open %q: %v", digest, err)
		}
		if has, err := d.Has(ctx, digest); has || err != nil {
			t.Errorf("has %q: %v %v", digest, has, err)
		}
	}
}

func TestDirDamaged(t *testing.T) {
	ctx := t.Context()
	root := t.TempDir()
	d := open(t, root)
	digest := put(t, d, "whole")
	for _, bytes := range []string{"whol", "wholE", "", "whole and more"} {
		if err := os.WriteFile(where(root, digest), []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Open(ctx, digest); !fault.Is(err, fault.Internal) {
			t.Errorf("%q: %v", bytes, err)
		}
		// Putting it again mends it.
		put(t, d, "whole")
		if got, err := d.Open(ctx, digest); err != nil || string(got) != "whole" {
			t.Errorf("mended: %q %v", got, err)
		}
	}
}

func TestDirLeftovers(t *testing.T) {
	root := t.TempDir()
	put(t, open(t, root), "x")
	dead, alive := filepath.Join(root, "tmp", "put-dead"), filepath.Join(root, "tmp", "put-alive")
	for _, f := range []string{dead, alive} {
		if err := os.WriteFile(f, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(dead, old, old); err != nil {
		t.Fatal(err)
	}
	open(t, root)
	if _, err := os.Stat(dead); err == nil {
		t.Error("the leftover of a dead writer is still there")
	}
	if _, err := os.Stat(alive); err != nil {
		t.Error("the file of a writer at work is gone")
	}
}

// What is there can be read where nothing can be written.
func TestDirReadOnly(t *testing.T) {
	ctx := t.Context()
	root := t.TempDir()
	digest := put(t, open(t, root), "kept")
	other := blob.Of([]byte("new"))
	// Root may write to any folder, so the folders are made impossible too.
	if err := os.Remove(filepath.Join(root, "tmp")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "tmp"), nil, 0o400); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = os.Chmod(path, 0o555) //nolint:gosec // a test of just this
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, _ error) error {
			if e != nil && e.IsDir() {
				return os.Chmod(path, 0o755) //nolint:gosec // so that it can be removed
			}
			return nil
		})
	})
	d := open(t, root)
	if got, err := d.Open(ctx, digest); err != nil || string(got) != "kept" {
		t.Errorf("open: %q %v", got, err)
	}
	if _, err := d.Put(ctx, []byte("kept")); err != nil {
		t.Errorf("put what is there: %v", err)
	}
	if _, err := d.Put(ctx, []byte("new")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("put: %v", err)
	}
	if has, err := d.Has(ctx, other); has || err != nil {
		t.Errorf("has: %v %v", has, err)
	}
}

func TestDirOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, root := range []string{file, filepath.Join(file, "below")} {
		if _, err := blob.OpenDir(root); err == nil {
			t.Errorf("%s opened", root)
		}
	}
}

func TestDirCancelled(t *testing.T) {
	d := open(t, t.TempDir())
	digest := put(t, d, "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Put(ctx, []byte("y")); err == nil {
		t.Error("put went on")
	}
	if _, err := d.Open(ctx, digest); err == nil {
		t.Error("open went on")
	}
	if _, err := d.Has(ctx, digest); err == nil {
		t.Error("has went on")
	}
}

// Several writers and readers of the same bytes, in several processes' stead.
func TestDirShared(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		d := open(t, root)
		for i := range 8 {
			wg.Go(func() {
				data := fmt.Appendf(nil, "blob %d", i%4)
				digest, err := d.Put(context.Background(), data)
				if err != nil {
					t.Error(err)
					return
				}
				if got, err := d.Open(context.Background(), digest); err != nil || !bytes.Equal(got, data) {
					t.Errorf("%q %v", got, err)
				}
			})
		}
	}
	wg.Wait()
}

func TestDirEachAndDelete(t *testing.T) {
	ctx := t.Context()
	root := t.TempDir()
	d := open(t, root)
	all := func() map[blob.Digest]int64 {
		out := map[blob.Digest]int64{}
		err := d.Each(ctx, func(digest blob.Digest, size int64, put time.Time) error {
			if age := time.Since(put); age < -time.Minute || age > time.Minute {
				t.Errorf("%s was put %s ago", digest, age)
			}
			out[digest] = size
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := all(); len(got) != 0 {
		t.Errorf("an empty folder has %v", got)
	}
	one, two := put(t, d, "one"), put(t, d, "three")
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(where(root, one), old, old); err != nil {
		t.Fatal(err)
	}
	put(t, d, "one") // makes it young again
	if got := all(); len(got) != 2 || got[one] != 3 || got[two] != 5 {
		t.Errorf("%v", got)
	}
	for range 2 {
		if err := d.Delete(ctx, one); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Delete(ctx, "../../x"); err != nil {
		t.Fatal(err)
	}
	if got := all(); len(got) != 1 || got[two] != 5 {
		t.Errorf("%v", got)
	}
}

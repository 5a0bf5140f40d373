package packing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
)

// Packed is a pack that is ready to be sent, from any byte on.
type Packed struct {
	// Tag names the bytes: two packs of one tag are the same. It stands in an ETag as it is.
	Tag  string
	Size int64
	open func() (io.ReadSeekCloser, error)
}

// Open gives the bytes. Who opens it closes it.
func (p *Packed) Open() (io.ReadSeekCloser, error) { return p.open() }

// Packs are made once and kept in a folder, up to so many bytes; in memory those that are small.
const (
	maxPacks  = 1 << 30
	sweepEach = 64 // packs that are made between two looks at the folder
)

// Packer makes packs. It is used through a pointer; several processes may work on one folder.
type Packer struct {
	Dir  string        // for packs that were made once; "" makes them in memory
	Open bundle.Opener // gives the blobs

	flight singleflight.Group
	mu     sync.Mutex
	made   int
}

// Pack makes a pack, or finds it: its name is the digest of all that goes into it and of the program that compresses.
func (p *Packer) Pack(ctx context.Context, head []bundle.Frame, blobs []blob.Digest) (*Packed, error) {
	h := sha256.New()
	fmt.Fprintf(h, "banyan pack 1 %s\n", runtime.Version())
	for _, f := range head {
		fmt.Fprintf(h, "%c %s\n", f.Kind, blob.Of(f.Payload))
	}
	for _, d := range blobs {
		fmt.Fprintf(h, "B %s\n", d)
	}
	tag := hex.EncodeToString(h.Sum(nil)[:16])
	if p.Dir == "" {
		var b bytes.Buffer
		if err := bundle.WritePack(ctx, &b, head, blobs, p.Open); err != nil {
			return nil, err
		}
		return &Packed{Tag: tag, Size: int64(b.Len()), open: func() (io.ReadSeekCloser, error) { return closable{bytes.NewReader(b.Bytes())}, nil }}, nil
	}
	file := filepath.Join(p.Dir, tag+".pack")
	if made := found(tag, file); made != nil {
		return made, nil
	}
	// Many who ask at once cause one pack; the first to leave does not take it away from the others.
	_, err, _ := p.flight.Do(tag, func() (any, error) {
		return nil, p.make(context.WithoutCancel(ctx), file, head, blobs)
	})
	if err != nil {
		return nil, err
	}
	if made := found(tag, file); made != nil {
		return made, nil
	}
	return nil, fmt.Errorf("pack %s went away at once", tag)
}

type closable struct{ *bytes.Reader }

func (closable) Close() error { return nil }

func found(tag, file string) *Packed {
	info, err := os.Stat(file)
	if err != nil {
		return nil
	}
	if now := time.Now(); now.Sub(info.ModTime()) > time.Hour {
		_ = os.Chtimes(file, now, now) // what is used is swept last
	}
	return &Packed{Tag: tag, Size: info.Size(), open: func() (io.ReadSeekCloser, error) { return os.Open(file) }}
}

// make writes a pack beside its place and moves it there when it is whole.
func (p *Packer) make(ctx context.Context, file string, head []bundle.Frame, blobs []blob.Digest) (err error) {
	if err := os.MkdirAll(p.Dir, 0o750); err != nil {
		return bundle.NoSpace(err)
	}
	tmp, err := os.CreateTemp(p.Dir, ".making-*")
	if err != nil {
		return bundle.NoSpace(err)
	}
	defer func() {
		_ = tmp.Close()
		if err != nil {
			_ = os.Remove(tmp.Name())
			err = bundle.NoSpace(err)
		}
	}()
	if err := bundle.WritePack(ctx, tmp, head, blobs, p.Open); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), file); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made++; p.made%sweepEach == 1 {
		return sweep(p.Dir, filepath.Base(file))
	}
	return nil
}

// sweep deletes the packs that were used longest ago until the rest is small enough, and what died half made. A pack that is being sent stays
// open until it is sent.
func sweep(dir, spare string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	type pack struct {
		name string
		size int64
		used time.Time
	}
	var all []pack
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if strings.HasPrefix(e.Name(), ".making-") {
			if time.Since(info.ModTime()) > time.Hour {
				_ = os.Remove(filepath.Join(dir, e.Name()))
			}
			continue
		}
		if e.Name() != spare {
			all = append(all, pack{e.Name(), info.Size(), info.ModTime()})
		}
		sum += info.Size()
	}
	slices.SortFunc(all, func(a, b pack) int { return a.used.Compare(b.used) })
	for _, p := range all {
		if sum <= maxPacks {
			break
		}
		if err := os.Remove(filepath.Join(dir, p.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sum -= p.size
	}
	return nil
}

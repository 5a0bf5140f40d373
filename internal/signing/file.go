package signing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File keeps its master key in a file of 32 raw bytes that only its owner may
// read. Who loses the file loses the issuers' keys: back it up, and apart from
// the database.
type File struct{ safe }

var _ Safe = (*File)(nil)

// OpenFile reads the master key. An absent file is created, whole or not at
// all; of two programs that start at once one creates it and both read the
// same key. A file that others may read is refused.
func OpenFile(path string) (*File, error) {
	key, err := readMaster(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := createMaster(path); err != nil {
			return nil, fmt.Errorf("create master key file %s: %w", path, err)
		}
		key, err = readMaster(path)
	}
	if err != nil {
		return nil, fmt.Errorf("open master key file %s: %w", path, err)
	}
	m, err := newMaster(key)
	if err != nil {
		return nil, fmt.Errorf("open master key file %s: %w", path, err)
	}
	return &File{safe{m}}, nil
}

func readMaster(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("others may read it (mode %04o): chmod 600", info.Mode().Perm())
	}
	return io.ReadAll(io.LimitReader(f, MasterSize+1))
}

// createMaster writes beside the file and links it into place: a link never
// replaces what another program has put there meanwhile.
func createMaster(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".master-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	key := make([]byte, MasterSize)
	_, _ = rand.Read(key) // never fails
	_, err = tmp.Write(key)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// String says what it is; the master key is never printed.
func (f *File) String() string { return "file" }

// GoString is what %#v prints.
func (f *File) GoString() string { return "signing.File" }

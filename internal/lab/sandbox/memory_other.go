//go:build !linux

package sandbox

import (
	"errors"
	"io"
	"os"
)

// sealImage gives nothing: a child reads the image from the cache.
func sealImage(string) (*os.File, error) { return nil, nil }

// newMemory reserves the most that a program may have. Without a private mapping the image is copied for each program.
func newMemory(image *os.File) (*memory, error) {
	raw, err := io.ReadAll(io.LimitReader(image, MaxMemory+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxMemory {
		return nil, errors.New("the memory image is too large")
	}
	m := &memory{buf: make([]byte, MaxMemory), restore: func(used []byte) error {
		clear(used)
		copy(used, raw)
		return nil
	}}
	copy(m.buf, raw)
	return m, nil
}

func (m *memory) close() { m.buf = nil }

func readOnce(path string) (data []byte, drop func(), err error) {
	data, err = os.ReadFile(path)
	return data, func() {}, err
}

func programPages() (drop func()) { return func() {} }

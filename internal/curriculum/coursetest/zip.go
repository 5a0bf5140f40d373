package coursetest

import (
	"archive/zip"
	"testing"
)

// Entry puts a file into an archive.
func Entry(t testing.TB, w *zip.Writer, name string, data []byte) {
	t.Helper()
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// RawEntry puts bytes into an archive under a header that says what it likes.
func RawEntry(t testing.TB, w *zip.Writer, h *zip.FileHeader, data []byte) {
	t.Helper()
	f, err := w.CreateRaw(h)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

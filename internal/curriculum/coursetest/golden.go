package coursetest

import (
	"embed"
	"io/fs"
	"testing"
	"testing/fstest"
)

//go:embed all:golden
var golden embed.FS

// Golden is the course that shows everything a course may hold.
func Golden() fs.FS {
	sub, err := fs.Sub(golden, "golden")
	if err != nil {
		panic(err) // a name that stands here
	}
	return sub
}

// Copy gives the golden course in memory, so that a test can spoil it.
func Copy(t testing.TB) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(Golden(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Golden(), name)
		m[name] = &fstest.MapFile{Data: data, Mode: 0o644}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Read gives the text of a file of the golden course.
func Read(t testing.TB, name string) string {
	t.Helper()
	data, err := fs.ReadFile(Golden(), name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

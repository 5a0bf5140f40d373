// Package frontend holds what the browser gets: the files that Vite built, and
// the skeletons of the reading pages.
package frontend

import (
	"embed"
	"io/fs"
)

// Until `make frontend` has run, dist holds only a committed index.html, so
// that `go build` needs no Node.
//
//go:embed all:dist
var dist embed.FS

//go:embed pages
var pages embed.FS

// Dist is the built front end, as Vite laid it out.
func Dist() fs.FS { return sub(dist, "dist") }

// Pages are the skeletons, and vectors.json that holds both of their engines to the same bytes.
func Pages() fs.FS { return sub(pages, "pages") }

func sub(f embed.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic(err) // the name is a constant that go:embed has checked
	}
	return s
}

// Package content carries the courses that are shipped with the program.
package content

import (
	"embed"
	"io/fs"
)

//go:embed courses
var files embed.FS

// Courses gives the shipped courses: one folder each, in the format of docs/course-format.md.
func Courses() fs.FS {
	sub, err := fs.Sub(files, "courses")
	if err != nil {
		panic("content: courses are not embedded: " + err.Error()) // only a broken build gets here
	}
	return sub
}

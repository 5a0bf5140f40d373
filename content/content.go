// Package content carries the courses that are shipped with the program.
package content

import (
	"embed"
	"io/fs"
)

//go:embed courses examples
var files embed.FS

// Courses gives the shipped courses: one folder each, in the format of docs/course-format.md.
func Courses() fs.FS { return sub("courses") }

// Examples gives small courses that trainers may copy, in the same form. They are not published by themselves.
func Examples() fs.FS { return sub("examples") }

func sub(folder string) fs.FS {
	s, err := fs.Sub(files, folder)
	if err != nil {
		panic("content: " + folder + " is not embedded: " + err.Error()) // only a broken build gets here
	}
	return s
}

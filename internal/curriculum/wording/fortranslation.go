package wording

import (
	"io/fs"
	"slices"

	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
)

// ForTranslation reads what the tools for translators need to know of a course folder: its languages and its units.
// It fails as Units does, and with course.no_course_file where there is no course. The files of translations are not read,
// so they may be at fault or many.
func ForTranslation(fsys fs.FS) (translation.Course, error) {
	src := folder.Load(sourceOnly{fsys})
	list := readUnits(src)
	doc := list.Docs["course.yaml"]
	if doc == nil && !src.Broken["course.yaml"] {
		src.Faults.Add("course.yaml", 1, "course.no_course_file")
	}
	if err := src.Faults.Err(); err != nil {
		return translation.Course{}, err
	}
	root := doc.Root()
	c := translation.Course{ID: root.Key("id").Str(), Source: root.Key("source_locale").Str(), Units: list.plain()}
	for _, n := range root.Key("locales").Each() {
		l := n.Str()
		switch right := CanonicalLocale(l); right {
		case l:
		case "":
			src.Faults.Add("course.yaml", doc.Line(n.Pointer), "course.bad_locale", "Value", l)
		default:
			src.Faults.Add("course.yaml", doc.Line(n.Pointer), "course.locale_spelling", "Value", l, "Wanted", right)
		}
		if l != c.Source && !slices.Contains(c.Locales, l) {
			c.Locales = append(c.Locales, l)
		}
	}
	return c, src.Faults.Err()
}

// sourceOnly hides a course folder's translations.
type sourceOnly struct{ fs.FS }

func (s sourceOnly) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil || name != "." {
		return f, err
	}
	if dir, ok := f.(fs.ReadDirFile); ok {
		return rootWithoutLocales{dir}, nil
	}
	return f, nil
}

type rootWithoutLocales struct{ fs.ReadDirFile }

func (r rootWithoutLocales) ReadDir(n int) ([]fs.DirEntry, error) {
	list, err := r.ReadDirFile.ReadDir(n)
	return slices.DeleteFunc(list, func(e fs.DirEntry) bool { return e.Name() == "locales" && e.IsDir() }), err
}

package curriculum

import (
	"io/fs"
	"slices"

	"github.com/banyan-lms/banyan/internal/curriculum/translation"
)

// ForTranslation reads what the tools for translators need to know of a course folder: its languages and its units.
// It fails as Units does, and with course.no_course_file where there is no course. The files of translations are not read,
// so they may be at fault or many.
func ForTranslation(fsys fs.FS) (translation.Course, error) {
	src := load(sourceOnly{fsys})
	list := readUnits(src)
	doc := list.docs["course.yaml"]
	if doc == nil && !src.broken["course.yaml"] {
		src.faults.add("course.yaml", 1, "course.no_course_file")
	}
	if err := src.faults.err(); err != nil {
		return translation.Course{}, err
	}
	root := doc.root()
	c := translation.Course{ID: root.key("id").str(), Source: root.key("source_locale").str(), Units: list.plain()}
	for _, n := range root.key("locales").each() {
		l := n.str()
		switch right := canonicalLocale(l); right {
		case l:
		case "":
			src.faults.add("course.yaml", doc.line(n.pointer), "course.bad_locale", "Value", l)
		default:
			src.faults.add("course.yaml", doc.line(n.pointer), "course.locale_spelling", "Value", l, "Wanted", right)
		}
		if l != c.Source && !slices.Contains(c.Locales, l) {
			c.Locales = append(c.Locales, l)
		}
	}
	return c, src.faults.err()
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

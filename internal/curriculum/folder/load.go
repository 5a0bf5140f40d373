// Package folder reads the folder of a course as its author wrote it, and tells in which file and line its form is at fault.
package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

// A course may come from a stranger, so everything about it is bounded before
// it is held in memory.
const (
	MaxFiles      = 10_000   // files of a course: 3,000 lessons with quizzes and labs
	maxCourseSize = 96 << 20 // bytes of all files together: 3,000 lessons in three languages
	maxTextSize   = 1 << 20  // bytes of one file
	maxYAMLSize   = 256 << 10
	maxPageSize   = 64 << 10 // bytes of a Markdown file: ten times a long lesson
	maxMediaSize  = 8 << 20  // bytes of a picture or a recording
	maxPOSize     = 4 << 20  // bytes of a PO file
	MaxFaults     = 200      // reported at once
	maxArg        = 80       // characters of the author's own words repeated in a fault
)

// Folder is a course folder in memory: only files of the format, each of them
// valid text. Broken holds files that are there but unfit to be read.
type Folder struct {
	Files  map[string][]byte
	Broken map[string]bool
	Faults *Faults // what is wrong with it, as far as it has been read
}

// Has tells whether the file is there, fit or not.
func (f *Folder) Has(name string) bool {
	_, ok := f.Files[name]
	return ok || f.Broken[name]
}

// Documents reads every YAML file.
func (f *Folder) Documents() map[string]*Document {
	docs := map[string]*Document{}
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		if path.Ext(name) == ".yaml" {
			docs[name] = parseYAML(name, f.Files[name], f.Faults)
		}
	}
	return docs
}

const (
	idForm     = `[a-z][a-z0-9-]{1,63}`
	localeForm = `[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*`
	mediaForm  = idForm + `\.(?:svg|png|jpg|webp|opus|ogg|mp3|wav)`
	dataForm   = `[a-z][a-z0-9_-]{0,59}(?:\.[a-z0-9]{1,8}){1,2}`
)

// The files of the format. Whatever else lies in a course folder is a fault,
// because a misspelt name would otherwise be lost without a word.
var (
	fileForms = regexp.MustCompile(`^(?:course\.yaml` +
		`|glossary\.yaml|media\.yaml` +
		`|locales/` + localeForm + `/` + idForm + `\.po` +
		`|lessons/` + idForm + `\.md` +
		`|(?:quizzes|banks)/` + idForm + `\.yaml` +
		`|media/` + mediaForm +
		`|labs/` + idForm + `/(?:lab\.yaml|statement\.md|starter\.py|solution\.py|wrong/` + idForm + `\.py|judges/` + idForm + `\.py|hidden/` + dataForm + `|` + dataForm + `))$`)
	folderForms = regexp.MustCompile(`^(?:\.|locales|locales/` + localeForm + `|lessons|quizzes|banks|media|labs|labs/` + idForm + `|labs/` + idForm + `/(?:wrong|hidden|judges))$`)
	plainName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
)

// ignored names what systems and editors leave in folders, and what is for people only.
func ignored(dir, name string) bool {
	return strings.HasPrefix(name, ".") || name == "__MACOSX" || name == "__pycache__" || name == "Thumbs.db" ||
		dir == "." && (name == "README.md" || name == "LICENSE")
}

// Load reads a course folder. It never follows a symbolic link and never opens
// what is not a plain file. What it cannot take it notes as a fault and leaves out.
func Load(fsys fs.FS) *Folder {
	s := &Folder{Files: map[string][]byte{}, Broken: map[string]bool{}, Faults: &Faults{}}
	w := walker{fsys: fsys, source: s, folded: map[string]string{}}
	w.folder(".")
	return s
}

type walker struct {
	fsys   fs.FS
	source *Folder
	folded map[string]string // lower-case path to path
	seen   int
	size   int64
	full   bool
}

func (w *walker) folder(dir string) {
	f, err := w.fsys.Open(dir)
	if err != nil {
		w.source.Faults.Add(dir, 1, "course.unreadable")
		return
	}
	defer func() { _ = f.Close() }()
	rd, ok := f.(fs.ReadDirFile)
	if !ok {
		w.source.Faults.Add(dir, 1, "course.unreadable")
		return
	}
	var names []fs.DirEntry
	for !w.full {
		batch, err := rd.ReadDir(256)
		names = append(names, batch...)
		w.seen += len(batch)
		if w.seen > MaxFiles {
			w.full = true
			w.source.Faults.Add("course.yaml", 1, "course.too_many_files", "Most", fmt.Sprint(MaxFiles))
			return
		}
		if errors.Is(err, io.EOF) || err == nil && len(batch) == 0 {
			break
		}
		if err != nil {
			w.source.Faults.Add(dir, 1, "course.unreadable")
			return
		}
	}
	slices.SortFunc(names, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	for _, e := range names {
		if w.full {
			return
		}
		w.entry(dir, e)
	}
}

func (w *walker) entry(dir string, e fs.DirEntry) {
	faults := w.source.Faults
	name := path.Join(dir, e.Name())
	if ignored(dir, e.Name()) && e.Name() != ".." {
		return
	}
	if !plainName.MatchString(e.Name()) {
		faults.Add(short(dir+"/"+e.Name()), 1, "course.bad_name")
		return
	}
	lower := strings.ToLower(name)
	if other, ok := w.folded[lower]; ok {
		faults.Add(name, 1, "course.duplicate_name", "Other", other)
		return
	}
	w.folded[lower] = name
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		faults.Add(name, 1, "course.symlink")
		w.source.Broken[name] = true
	case e.IsDir():
		if !folderForms.MatchString(name) {
			faults.Add(name, 1, "course.unlisted_folder")
			return
		}
		w.folder(name)
	case !e.Type().IsRegular():
		faults.Add(name, 1, "course.not_a_file")
		w.source.Broken[name] = true
	case !fileForms.MatchString(name):
		faults.Add(name, 1, "course.unlisted_file")
	default:
		w.file(name)
	}
}

func (w *walker) file(name string) {
	s := w.source
	most := sizeOf(name)
	bare := bareMedium(name)
	s.Broken[name] = true // until it has been read
	data, err := readAtMost(w.fsys, name, most)
	w.size += int64(len(data))
	switch {
	case errors.Is(err, errTooLarge):
		s.Faults.Add(name, 1, "course.file_too_large", "Most", fmt.Sprint(most>>10))
		return
	case err != nil:
		s.Faults.Add(name, 1, "course.unreadable")
		return
	case w.size > maxCourseSize:
		w.full = true
		s.Faults.Add("course.yaml", 1, "course.too_large_in_all", "Most", fmt.Sprint(maxCourseSize>>20))
		return
	}
	if !bare {
		data = segment.Normal(data)
		if !checkText(name, data, s.Faults) {
			return
		}
	}
	delete(s.Broken, name)
	s.Files[name] = data
}

// bareMedium tells whether a file is a picture or a recording, and not text.
func bareMedium(name string) bool {
	return strings.HasPrefix(name, "media/") && path.Ext(name) != ".svg"
}

// sizeOf is how large a file may be.
func sizeOf(name string) int64 {
	switch {
	case bareMedium(name):
		return maxMediaSize
	case path.Ext(name) == ".yaml":
		return maxYAMLSize
	case path.Ext(name) == ".md":
		return maxPageSize
	case path.Ext(name) == ".po":
		return maxPOSize
	}
	return maxTextSize
}

var errTooLarge = errors.New("file is larger than allowed")

// ReadFile gives the bytes of a file of a course as they are, within what one of its kind may have.
func ReadFile(fsys fs.FS, name string) ([]byte, error) { return readAtMost(fsys, name, sizeOf(name)) }

// readAtMost trusts no declared size: it stops reading after the limit.
func readAtMost(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return data[:most], errTooLarge
	}
	return data, nil
}

// checkText tells whether data is plain text.
func checkText(name string, data []byte, faults *Faults) bool {
	line := 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && n == 1:
			faults.Add(name, line, "course.not_utf8")
			return false
		case r == '\r':
			faults.Add(name, line, "course.carriage_return")
			return false
		case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0, r == 0xfeff:
			faults.Add(name, line, "course.control_character", "Code", fmt.Sprintf("U+%04X", r))
			return false
		}
		i += n
	}
	return true
}

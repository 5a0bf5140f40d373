package curriculum

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/fault"
)

// A course may come from a stranger, so everything about it is bounded before
// it is held in memory.
const (
	maxFiles      = 10_000   // files of a course: 3,000 lessons with quizzes and labs
	maxCourseSize = 96 << 20 // bytes of all files together: 3,000 lessons in three languages
	maxTextSize   = 1 << 20  // bytes of one file
	maxYAMLSize   = 256 << 10
	maxPageSize   = 64 << 10 // bytes of a Markdown file: ten times a long lesson
	maxMediaSize  = 8 << 20  // bytes of a picture or a recording
	maxPOSize     = 4 << 20  // bytes of a PO file
	maxFaults     = 200      // reported at once
	maxArg        = 80       // characters of the author's own words repeated in a fault
)

// source is a course folder in memory: only files of the format, each of them
// valid text. broken holds files that are there but unfit to be read.
type source struct {
	files  map[string][]byte
	broken map[string]bool
	faults *faultList
}

// has tells whether the file is there, fit or not.
func (s *source) has(name string) bool {
	_, ok := s.files[name]
	return ok || s.broken[name]
}

// faultList gathers what is wrong with a course folder, so that an author sees everything at once.
type faultList struct {
	list []fault.Detail
	seen map[string]bool
	more bool

	searches int // for broken lines of YAML
}

// add notes a fault. args are pairs of name and value.
func (l *faultList) add(file string, line int, key string, args ...string) {
	d := fault.Detail{File: file, Line: line, Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if d.Args == nil {
			d.Args = map[string]any{}
		}
		d.Args[args[i]] = short(args[i+1])
	}
	l.take(d)
}

// take notes a fault that is written already; once is enough.
func (l *faultList) take(d fault.Detail) {
	id := fmt.Sprintf("%s\x00%d\x00%s\x00%v", d.File, d.Line, d.Key, d.Args)
	if l.seen[id] {
		return
	}
	if len(l.list) >= maxFaults {
		l.more = true
		return
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[id] = true
	l.list = append(l.list, d)
}

// err gives the one fault that carries all of them, or nil.
func (l *faultList) err() error {
	if len(l.list) == 0 {
		return nil
	}
	slices.SortStableFunc(l.list, func(a, b fault.Detail) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return a.Line - b.Line
	})
	if l.more {
		l.list = append(l.list, fault.Detail{File: "course.yaml", Line: 1, Key: "course.more_faults", Args: map[string]any{"Most": fmt.Sprint(maxFaults)}})
	}
	return fault.New(fault.Invalid, "course.invalid").At(l.list...)
}

// short keeps a stranger's words from filling a reply.
func short(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= maxArg {
		return s
	}
	return string([]rune(s)[:maxArg]) + "…"
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

// load reads a course folder. It never follows a symbolic link and never opens
// what is not a plain file. What it cannot take it notes as a fault and leaves out.
func load(fsys fs.FS) *source {
	s := &source{files: map[string][]byte{}, broken: map[string]bool{}, faults: &faultList{}}
	w := walker{fsys: fsys, source: s, folded: map[string]string{}}
	w.folder(".")
	return s
}

type walker struct {
	fsys   fs.FS
	source *source
	folded map[string]string // lower-case path to path
	seen   int
	size   int64
	full   bool
}

func (w *walker) folder(dir string) {
	f, err := w.fsys.Open(dir)
	if err != nil {
		w.source.faults.add(dir, 1, "course.unreadable")
		return
	}
	defer func() { _ = f.Close() }()
	rd, ok := f.(fs.ReadDirFile)
	if !ok {
		w.source.faults.add(dir, 1, "course.unreadable")
		return
	}
	var names []fs.DirEntry
	for !w.full {
		batch, err := rd.ReadDir(256)
		names = append(names, batch...)
		w.seen += len(batch)
		if w.seen > maxFiles {
			w.full = true
			w.source.faults.add("course.yaml", 1, "course.too_many_files", "Most", fmt.Sprint(maxFiles))
			return
		}
		if errors.Is(err, io.EOF) || err == nil && len(batch) == 0 {
			break
		}
		if err != nil {
			w.source.faults.add(dir, 1, "course.unreadable")
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
	faults := w.source.faults
	name := path.Join(dir, e.Name())
	if ignored(dir, e.Name()) && e.Name() != ".." {
		return
	}
	if !plainName.MatchString(e.Name()) {
		faults.add(short(dir+"/"+e.Name()), 1, "course.bad_name")
		return
	}
	lower := strings.ToLower(name)
	if other, ok := w.folded[lower]; ok {
		faults.add(name, 1, "course.duplicate_name", "Other", other)
		return
	}
	w.folded[lower] = name
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		faults.add(name, 1, "course.symlink")
		w.source.broken[name] = true
	case e.IsDir():
		if !folderForms.MatchString(name) {
			faults.add(name, 1, "course.unlisted_folder")
			return
		}
		w.folder(name)
	case !e.Type().IsRegular():
		faults.add(name, 1, "course.not_a_file")
		w.source.broken[name] = true
	case !fileForms.MatchString(name):
		faults.add(name, 1, "course.unlisted_file")
	default:
		w.file(name)
	}
}

func (w *walker) file(name string) {
	s := w.source
	most := sizeOf(name)
	bare := bareMedium(name)
	s.broken[name] = true // until it has been read
	data, err := readAtMost(w.fsys, name, most)
	w.size += int64(len(data))
	switch {
	case errors.Is(err, errTooLarge):
		s.faults.add(name, 1, "course.file_too_large", "Most", fmt.Sprint(most>>10))
		return
	case err != nil:
		s.faults.add(name, 1, "course.unreadable")
		return
	case w.size > maxCourseSize:
		w.full = true
		s.faults.add("course.yaml", 1, "course.too_large_in_all", "Most", fmt.Sprint(maxCourseSize>>20))
		return
	}
	if !bare {
		data = segment.Normal(data)
		if !checkText(name, data, s.faults) {
			return
		}
	}
	delete(s.broken, name)
	s.files[name] = data
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
func checkText(name string, data []byte, faults *faultList) bool {
	line := 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && n == 1:
			faults.add(name, line, "course.not_utf8")
			return false
		case r == '\r':
			faults.add(name, line, "course.carriage_return")
			return false
		case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0, r == 0xfeff:
			faults.add(name, line, "course.control_character", "Code", fmt.Sprintf("U+%04X", r))
			return false
		}
		i += n
	}
	return true
}

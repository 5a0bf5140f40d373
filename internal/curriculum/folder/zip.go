package folder

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/fault"
)

// maxZipSize bounds an uploaded archive, in bytes.
const maxZipSize = 32 << 20

// maxZipName bounds the path of an entry, in bytes.
const maxZipName = 512

// OpenZip opens an uploaded course archive. A single folder at its top is taken off,
// as systems put one there. The archive is a stranger's: what it declares is checked here,
// and Load bounds what it really unpacks. Faults are Invalid
// course.invalid, a Detail for each entry; an archive that is too large is TooLarge.
func OpenZip(data []byte) (fs.FS, error) {
	if len(data) > maxZipSize {
		return nil, fault.New(fault.TooLarge, "course.zip_too_large").With("Most", fmt.Sprint(maxZipSize>>20))
	}
	faults := &Faults{}
	// The reader holds every entry in memory, so they are counted first. Signatures inside
	// packed data are counted too; they are one in four thousand million bytes.
	if bytes.Count(data, []byte("PK\x01\x02")) > 2*MaxFiles {
		faults.Add("course.yaml", 1, "course.too_many_files", "Most", fmt.Sprint(MaxFiles))
		return nil, faults.Err()
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		faults.Add("", 0, "course.not_a_zip")
		return nil, faults.Err()
	}
	checkZip(r.File, faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	if top := topFolder(r.File); top != "" {
		return fs.Sub(r, top)
	}
	return r, nil
}

func checkZip(files []*zip.File, faults *Faults) {
	var total uint64
	seen := map[string]bool{}
	for _, f := range files {
		name := short(f.Name)
		bare := strings.TrimSuffix(f.Name, "/")
		total += min(f.UncompressedSize64, maxCourseSize+1)
		switch {
		case len(f.Name) > maxZipName, strings.Count(f.Name, "/") > maxDepth:
			// Every folder on the way costs memory in the reader.
			faults.Add(name, 1, "course.bad_path")
		case !fs.ValidPath(bare), bare == ".", strings.ContainsAny(f.Name, "\\\x00:"), f.NonUTF8 && !ascii(f.Name):
			faults.Add(name, 1, "course.bad_path")
		case f.Flags&0x1 != 0 || f.Flags&0x40 != 0 || f.Flags&0x2000 != 0:
			faults.Add(name, 1, "course.zip_encrypted")
		case f.Mode()&fs.ModeSymlink != 0:
			faults.Add(name, 1, "course.symlink")
		case f.Mode().Type() != 0 && !f.Mode().IsDir():
			faults.Add(name, 1, "course.not_a_file")
		case f.Method != zip.Store && f.Method != zip.Deflate:
			faults.Add(name, 1, "course.zip_method")
		case seen[strings.ToLower(bare)] && !strings.HasSuffix(f.Name, "/"):
			faults.Add(name, 1, "course.duplicate_name", "Other", name)
		case f.UncompressedSize64 > maxMediaSize && !junk(bare): // the walk knows what each kind may have
			faults.Add(name, 1, "course.file_too_large", "Most", fmt.Sprint(maxMediaSize>>10))
		}
		seen[strings.ToLower(bare)] = true
	}
	if total > maxCourseSize {
		faults.Add("course.yaml", 1, "course.too_large_in_all", "Most", fmt.Sprint(maxCourseSize>>20))
	}
}

func ascii(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return c >= 0x80 })
}

// junk tells whether a path leads into what the walk ignores.
func junk(name string) bool {
	dir := "."
	for part := range strings.SplitSeq(name, "/") {
		if ignored(dir, part) {
			return true
		}
		dir = path.Join(dir, part)
	}
	return false
}

// topFolder names the one folder that holds everything, or "".
func topFolder(files []*zip.File) string {
	top := ""
	for _, f := range files {
		first, _, deeper := strings.Cut(f.Name, "/")
		if ignored("", first) {
			continue
		}
		if !deeper || top != "" && first != top {
			return ""
		}
		top = first
	}
	return top
}

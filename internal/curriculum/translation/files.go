package translation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Course is what the tools for translators need to know of a course.
type Course struct {
	ID      string
	Source  string   // language of its texts
	Locales []string // the other languages
	Units   []Unit
}

// localeFiles lists the modules that have a file in a locale, in order.
func localeFiles(fsys fs.FS, locale string) ([]string, error) {
	list, err := fs.ReadDir(fsys, path.Join("locales", locale))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list {
		if stem, ok := strings.CutSuffix(e.Name(), ".po"); ok && e.Type().IsRegular() && stem != "" && stem[0] != '.' {
			out = append(out, ModuleOf(stem))
		}
	}
	slices.Sort(out)
	return out, nil
}

// ReadLocale reads the files of a locale, by module. What is wrong in any of them comes back as one fault.
func ReadLocale(fsys fs.FS, locale string) (map[string]*po.File, error) {
	modules, err := localeFiles(fsys, locale)
	if err != nil {
		return nil, err
	}
	out := make(map[string]*po.File, len(modules))
	faults := fault.New(fault.Invalid, "po.invalid")
	for _, module := range modules {
		f, err := readFile(fsys, FileName(locale, module))
		if err == nil && !SameLanguage(f, locale) {
			err = fault.New(fault.Invalid, "po.invalid").At(fault.Detail{
				File: f.Name, Line: max(f.Header.Line, 1), Key: "translation.other_language",
				Args: map[string]any{"Declared": f.Field("Language"), "Locale": locale},
			})
		}
		var bad *fault.Error
		if errors.As(err, &bad) {
			faults.At(bad.Details...)
			continue
		}
		if err != nil {
			return nil, err
		}
		out[module] = f
	}
	if len(faults.Details) > 0 {
		return nil, faults
	}
	return out, nil
}

// readFile trusts no declared size.
func readFile(fsys fs.FS, name string) (*po.File, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, po.MaxWhole+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return po.Parse(name, data)
}

// Change is a file to be written, or to be removed when Data is nil.
type Change struct {
	Name string // relative to the course folder
	Data []byte
}

// Changes tells which files differ. A file whose content is the same keeps the layout that the translator's editor gave it.
func Changes(locale string, before, after map[string]*po.File) []Change {
	var out []Change
	for _, module := range slices.Sorted(maps.Keys(after)) {
		data := after[module].Bytes()
		if b := before[module]; b == nil || !bytes.Equal(b.Bytes(), data) {
			out = append(out, Change{FileName(locale, module), data})
		}
	}
	for _, module := range slices.Sorted(maps.Keys(before)) {
		if after[module] == nil {
			out = append(out, Change{Name: FileName(locale, module)})
		}
	}
	return out
}

// Apply writes all changes into a course folder, or none of them: each file is first written beside its place, and then
// takes it. A crash between the first and the last leaves whole files, and merging again completes them.
func Apply(dir string, changes []Change) (err error) {
	var written []string
	defer func() {
		for _, name := range written {
			_ = os.Remove(name) // what took its place is no longer there
		}
	}()
	for _, c := range changes {
		if c.Data == nil {
			continue
		}
		name := filepath.Join(dir, filepath.FromSlash(c.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		mode := fs.FileMode(0o644)
		if info, err := os.Stat(name); err == nil {
			mode = info.Mode().Perm()
		}
		written = append(written, name+newEnding)
		if err := os.WriteFile(name+newEnding, c.Data, mode); err != nil {
			return err
		}
	}
	for _, c := range changes {
		name := filepath.Join(dir, filepath.FromSlash(c.Name))
		if c.Data == nil {
			err = os.Remove(name)
		} else {
			err = os.Rename(name+newEnding, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newEnding is not .po, so that nobody takes half a file for a whole one.
const newEnding = ".new"

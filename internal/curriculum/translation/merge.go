package translation

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Options of a merge.
type Options struct {
	Course   string // stands in the header of new files
	Locale   string
	Severity map[string]Severity // by unit id: what an author says of the latest change, instead of the rule; matters to stale translations only
}

// Report counts what a merge did.
type Report struct {
	Added   int // units that are new to the locale
	Stale   int // translations whose source changed
	Settled int // translations whose source went back to what it was
	Moved   int // entries that went to another file
	Revived int // obsolete entries whose unit came back
	Retired int // entries that became obsolete
	Dropped int // entries without a translation whose unit is gone
}

// Add sums up.
func (r *Report) Add(o Report) {
	r.Added += o.Added
	r.Stale += o.Stale
	r.Settled += o.Settled
	r.Moved += o.Moved
	r.Revived += o.Revived
	r.Retired += o.Retired
	r.Dropped += o.Dropped
}

// FileName is the file of a module's translations, relative to the course folder.
func FileName(locale, module string) string {
	if module == "" {
		module = courseFile
	}
	return "locales/" + locale + "/" + module + ".po"
}

const courseFile = "course"

// ModuleOf is the module of a file of translations, by its name without folder and ending.
func ModuleOf(stem string) string {
	if stem == courseFile {
		return ""
	}
	return stem
}

// Merge brings the files of a locale, by module, in step with the units of the course. The old files stay as they are.
//
// Each unit has one live entry, in the file of its module and in the order of the units. An entry follows its unit to another
// file. When the source text changed, the translation stays, fuzzy, with the text that it was made from as previous msgid; when the source text
// goes back to that, the entry is as before. The translation of a unit that is gone becomes obsolete and is taken up
// again when the unit returns. No translation is ever dropped, and merging again changes nothing. A file without entries is left out of the result.
func Merge(old map[string]*po.File, units []Unit, opts Options) (map[string]*po.File, Report, error) {
	if err := checkUnits(units); err != nil {
		return nil, Report{}, err
	}
	m := merger{opts: opts, files: map[string]*po.File{}, from: map[string][]place{}, keys: map[string]map[string]bool{}}
	for _, module := range slices.Sorted(maps.Keys(old)) {
		f := old[module]
		for i := range f.Entries {
			if e := &f.Entries[i]; e.HasContext {
				m.from[e.Context] = append(m.from[e.Context], place{module, e})
			}
		}
	}
	used := map[*po.Entry]bool{}
	for _, u := range units {
		if u.Source == "" {
			continue
		}
		f := m.file(u.Module, old)
		from, ok := m.choose(u)
		if !ok {
			m.report.Added++
			m.put(f, u.Module, m.entry(nil, u))
			continue
		}
		used[from.entry] = true
		switch {
		case from.entry.Obsolete:
			m.report.Revived++
		case from.module != u.Module:
			m.report.Moved++
		}
		m.put(f, u.Module, m.entry(from.entry, u))
	}
	modules := map[string]bool{"": true}
	for _, u := range units {
		modules[u.Module] = true
	}
	for _, module := range slices.Sorted(maps.Keys(old)) {
		f := old[module]
		for i := range f.Entries {
			e := &f.Entries[i]
			if used[e] {
				continue
			}
			homes := []string{module, ""}
			if !modules[module] {
				homes = []string{"", module} // so that a module's file can go with the module
			}
			m.retire(e, homes, old)
		}
	}
	for module, f := range m.files {
		if len(f.Entries) == 0 {
			delete(m.files, module)
		}
	}
	return m.files, m.report, nil
}

func checkUnits(units []Unit) error {
	seen := make(map[string]bool, len(units))
	f := fault.New(fault.Invalid, "course.invalid")
	for _, u := range units {
		if seen[u.ID] {
			f.At(fault.Detail{File: u.File, Line: u.Line, Key: "translation.duplicate_unit", Args: map[string]any{"ID": u.ID}})
		}
		if u.Module == courseFile {
			f.At(fault.Detail{File: u.File, Line: u.Line, Key: "translation.module_name"})
		}
		seen[u.ID] = true
		if len(f.Details) >= 20 {
			break
		}
	}
	if len(f.Details) > 0 {
		return f
	}
	return nil
}

// place is an old entry and the module in whose file it stands.
type place struct {
	module string
	entry  *po.Entry
}

type merger struct {
	opts   Options
	files  map[string]*po.File
	from   map[string][]place
	keys   map[string]map[string]bool // by module: what stands in its file
	report Report
}

// file gives the new file of a module, with the old header.
func (m *merger) file(module string, old map[string]*po.File) *po.File {
	if f := m.files[module]; f != nil {
		return f
	}
	f := &po.File{Name: FileName(m.opts.Locale, module)}
	if o := old[module]; o != nil {
		f.Header, f.Tail = o.Header.Clone(), slices.Clone(o.Tail)
	}
	m.header(f, module)
	m.files[module], m.keys[module] = f, map[string]bool{}
	return f
}

// header adds what is missing. It writes no date, so that merging again changes nothing.
func (m *merger) header(f *po.File, module string) {
	if len(f.Header.Str) == 0 {
		title := m.opts.Course
		if module != "" {
			title += ", " + module
		}
		f.Header.Comments = []string{" " + strings.TrimSpace(title+" ("+m.opts.Locale+")")}
		f.Header.Str = []string{""}
	}
	fields := []struct{ name, value string }{
		{"Project-Id-Version", m.opts.Course},
		{"Language", strings.ReplaceAll(m.opts.Locale, "-", "_")},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=UTF-8"},
		{"Content-Transfer-Encoding", "8bit"},
		{"Plural-Forms", pluralForms(m.opts.Locale)},
		{fieldState, string(Draft)},
	}
	for _, h := range fields {
		if have := f.Field(h.name); have == "" || strings.HasSuffix(have, "charset=CHARSET") {
			f.SetField(h.name, h.value)
		}
	}
}

// pluralForms is what gettext's tools want to know. Courses have no plural entries; editors ask for it all the same. Formulas: gettext manual, "Plural forms", and CLDR.
func pluralForms(locale string) string {
	base, _, _ := strings.Cut(locale, "-")
	switch base {
	case "ar":
		return "nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);"
	case "zh", "ja", "ko", "vi", "th", "id", "ms", "lo", "my":
		return "nplurals=1; plural=0;"
	case "fr", "pt", "hi", "am", "ff", "ln", "wo", "bn", "fa", "zu":
		return "nplurals=2; plural=(n > 1);"
	case "ru", "uk", "be", "sr", "hr", "bs":
		return "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
	case "pl":
		return "nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);"
	}
	return "nplurals=2; plural=(n != 1);"
}

// choose finds the entry that a unit goes on with.
func (m *merger) choose(u Unit) (place, bool) {
	var top place
	for _, p := range m.from[u.ID] {
		better := top.entry == nil || rank(p.entry, u) > rank(top.entry, u) ||
			rank(p.entry, u) == rank(top.entry, u) && p.module == u.Module && top.module != u.Module
		if better {
			top = p
		}
	}
	return top, top.entry != nil
}

func key(e *po.Entry) string { return strconv.FormatBool(e.HasContext) + e.Context + "\x04" + e.ID }

func (m *merger) put(f *po.File, module string, e po.Entry) {
	m.keys[module][key(&e)] = true
	f.Entries = append(f.Entries, e)
}

// entry makes the live entry of a unit from what it had before.
func (m *merger) entry(before *po.Entry, u Unit) po.Entry {
	e := po.Entry{Str: []string{""}}
	if before != nil {
		e = before.Clone()
	}
	said := override(&e)
	unsure := slices.Contains(e.Extracted, unsureNote)
	e.Obsolete, e.HasContext, e.Context = false, true, u.ID
	known := e.Has(po.Fuzzy) && e.Previous != nil && e.Previous.HasID
	switch {
	case !e.Translated():
		e.ID, e.Previous = u.Source, nil
		e.SetFuzzy(false)
	case guessed(&e):
		e.ID = u.Source // what it was guessed from stays on record
	case known && e.Previous.ID == u.Source:
		if e.ID != u.Source {
			m.report.Settled++
		}
		e.ID, e.Previous = u.Source, nil
		e.SetFuzzy(unsure)
		unsure = false
	case e.ID == u.Source:
		if !known {
			e.Previous = nil // an editor that took the flag off and left the rest
		}
	default:
		m.report.Stale++
		if said != Same {
			said = stricter(said, SeverityOf(e.ID, u.Source))
		}
		if !known {
			unsure = e.Has(po.Fuzzy)
			e.Previous = &po.Previous{HasID: true, ID: e.ID}
			if e.HasPlural {
				e.Previous.HasPlural, e.Previous.Plural = true, e.Plural
			}
		}
		e.ID = u.Source
		e.SetFuzzy(true)
	}
	e.References = []string{reference(u)}
	e.Extracted = notes(u.Note)
	if e.Has(po.Fuzzy) && e.Previous != nil {
		if s, ok := m.opts.Severity[u.ID]; ok {
			said = s
		}
		if said != Same {
			e.Extracted = append(e.Extracted, severityNote+string(said))
		}
		if unsure {
			e.Extracted = append(e.Extracted, unsureNote)
		}
	}
	return e
}

func reference(u Unit) string {
	if u.Line == 0 {
		return u.File
	}
	return fmt.Sprintf("%s:%d", u.File, u.Line)
}

// notes are the lines of a note, none of which is taken for one of ours.
func notes(note string) []string {
	var out []string
	for line := range strings.Lines(note) {
		line = strings.TrimSpace(line)
		if isNote(line) {
			line = "- " + line
		}
		if line != "" {
			out = append(out, line)
		}
	}
	return out
}

// retire keeps the translation of a unit that is gone, or a second one of a unit, in the first file that has no other of the same name.
func (m *merger) retire(before *po.Entry, homes []string, old map[string]*po.File) {
	if !before.Translated() {
		m.report.Dropped++
		return
	}
	if !before.Obsolete {
		m.report.Retired++
	}
	e := before.Clone()
	e.Obsolete, e.References = true, nil
	// Where each of these has an entry of the same name, the text goes to a file of its own.
	for i := 0; ; i++ {
		home := "kept-" + strconv.Itoa(i-len(homes))
		if i < len(homes) {
			home = homes[i]
		}
		f := m.file(home, old)
		if !m.keys[home][key(&e)] {
			m.put(f, home, e)
			return
		}
	}
}

// Judged tells whether an author's severity stands at the translation of a unit.
func Judged(files map[string]*po.File, id string) bool {
	for _, f := range files {
		if slices.ContainsFunc(f.Find(id), func(e po.Entry) bool { return !e.Obsolete && override(&e) != Same }) {
			return true
		}
	}
	return false
}

// SameLanguage tells whether a file declares the language of a locale, or none. Tools write zh_Hans for zh, or pt_BR.
func SameLanguage(f *po.File, locale string) bool {
	declared := f.Field("Language")
	return declared == "" || MatchLocale(declared, []string{locale}) != ""
}

// MatchLocale finds the locale that a tool's name of a language means: the same, or else the only one of the same language; or "".
func MatchLocale(declared string, locales []string) string {
	base := func(s string) string {
		tag, err := language.Parse(strings.ReplaceAll(s, "_", "-"))
		if err != nil {
			return s
		}
		b, _ := tag.Base()
		return b.String()
	}
	found := ""
	for _, l := range locales {
		if strings.EqualFold(strings.ReplaceAll(declared, "_", "-"), l) {
			return l
		}
		if declared != "" && base(declared) == base(l) {
			if found != "" {
				return ""
			}
			found = l
		}
	}
	return found
}

package wording

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Translations finds the texts of a course in its languages: each by itself, along a chain of languages that ends with the source.
type Translations struct {
	Source  curriculum.Locale
	locales []curriculum.Locale
	units   map[string]Unit
	chains  map[curriculum.Locale][]curriculum.Locale // the language itself first; without the source
	entries map[curriculum.Locale]map[string]*po.File // which file of a language has the translation of a unit
	states  map[string]translation.SignState
	unfit   map[curriculum.Locale]map[string]bool // stale translations that no longer fit their source, so they are not shown
	digests map[*po.File]string
	modules map[string]*po.File // by locale and module
	all     *Texts
	faults  *folder.Faults
	cache   *memo.Cache
}

// Languages are what course.yaml and the institution say of the languages of a course.
type Languages struct {
	Source    curriculum.Locale
	Locales   []curriculum.Locale
	Modules   []string                                  // by id; nil while they cannot be read
	Wanted    map[curriculum.Locale][]curriculum.Locale // languages that stand in for another, as the institution wants
	Fallbacks map[curriculum.Locale][]curriculum.Locale // and as the course does
}

// CoursePO is the name of the file that holds the translations of the texts that belong to no module.
const CoursePO = "course"

// Read reads the translations of a course, and notes what is wrong with them.
func Read(list *Texts, c Languages, cache *memo.Cache) *Translations {
	t := &Translations{
		all: list, faults: list.src.Faults, cache: cache,
		Source: c.Source, locales: slices.Compact(slices.Sorted(slices.Values(c.Locales))), units: map[string]Unit{},
		chains: map[curriculum.Locale][]curriculum.Locale{}, entries: map[curriculum.Locale]map[string]*po.File{}, states: map[string]translation.SignState{}, unfit: map[curriculum.Locale]map[string]bool{},
		digests: map[*po.File]string{}, modules: map[string]*po.File{},
	}
	for _, u := range list.Units {
		t.units[u.ID] = u
	}
	modules := map[string]bool{CoursePO: true}
	for _, id := range c.Modules {
		modules[id] = true
	}
	for _, l := range t.locales {
		t.chains[l] = chain(l, t.Source, t.locales, c.Wanted[l], c.Fallbacks[l])
		t.entries[l], t.unfit[l] = map[string]*po.File{}, map[string]bool{}
	}
	for _, name := range slices.Sorted(maps.Keys(list.src.Files)) {
		if !strings.HasPrefix(name, "locales/") || path.Ext(name) != ".po" {
			continue
		}
		l, module := path.Base(path.Dir(name)), strings.TrimSuffix(path.Base(name), ".po")
		switch {
		case len(t.locales) == 0:
			continue
		case l == t.Source:
			t.faults.Add(name, 1, "locale.source", "Locale", l)
			continue
		case !slices.Contains(t.locales, l):
			t.faults.Add(name, 1, "locale.not_listed", "Locale", l)
			continue
		case c.Modules != nil && !modules[module]:
			t.faults.Add(name, 1, "locale.no_module", "Module", module)
			continue
		}
		data := string(list.src.Files[name])
		digest := memo.Digest(name, data)
		f, known := cache.Find("po " + digest).(*po.File)
		if !known {
			var err error
			if f, err = po.Parse(name, list.src.Files[name]); err != nil {
				t.detail(name, err)
				continue
			}
			cache.Keep("po "+digest, f, 3*len(data))
		}
		t.digests[f], t.modules[l+"/"+module] = digest, f
		t.states[l+"/"+module] = translation.StateOfFile(f)
		for i := range f.Entries {
			if e := &f.Entries[i]; !e.Obsolete && e.HasContext {
				// A text that moved to another module is found until merge has moved its translation too.
				if _, ok := t.entries[l][e.Context]; !ok || t.units[e.Context].Module == module {
					t.entries[l][e.Context] = f
				}
			}
		}
	}
	t.check()
	return t
}

// detail takes over the faults of another package.
func (t *Translations) detail(file string, err error) {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) == 0 {
		t.faults.Add(file, 1, "course.unreadable")
		return
	}
	for _, d := range f.Details {
		var args []string
		for _, k := range slices.Sorted(maps.Keys(d.Args)) {
			args = append(args, k, fmt.Sprint(d.Args[k]))
		}
		t.faults.Add(d.File, d.Line, d.Key, args...)
	}
}

// chain lists where a text is looked for: the language, those that the institution wants in its stead, those that the course
// wants, and the languages that it is a kind of. After them comes the source.
func chain(l, source curriculum.Locale, locales []curriculum.Locale, institution, course []curriculum.Locale) []curriculum.Locale {
	out := []curriculum.Locale{}
	add := func(l curriculum.Locale) {
		if l != source && slices.Contains(locales, l) && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	if l == source {
		return out
	}
	add(l)
	for _, f := range institution {
		if f == source {
			return out // whoever asks for the source gets no other language
		}
		add(f)
	}
	for _, f := range course {
		if f == source {
			return out
		}
		add(f)
	}
	for tag := language.Make(l).Parent(); tag != language.Und; tag = tag.Parent() {
		add(tag.String())
	}
	return out
}

// Say gives a text of the course in a language, or in the next one that has it.
func (t *Translations) Say(id, source string, l curriculum.Locale) page.Said {
	u, ok := t.units[id]
	if !ok {
		return t.original(source, l)
	}
	for _, in := range t.chains[l] {
		tr := t.look(u, in)
		if tr.State == translation.Fresh || tr.State == translation.Stale && !t.unfit[in][id] {
			said := page.Said{Text: tr.Text, Stale: tr.State == translation.Stale}
			if in != l {
				said.Locale = in
			}
			return said
		}
	}
	return t.original(source, l)
}

func (t *Translations) original(source string, l curriculum.Locale) page.Said {
	if l == t.Source {
		return page.Said{Text: source}
	}
	return page.Said{Text: source, Locale: t.Source}
}

func (t *Translations) look(u Unit, l curriculum.Locale) translation.Translated {
	f := t.entries[l][u.ID]
	if f == nil {
		return translation.Translated{}
	}
	return translation.Lookup(*f, u.Unit)
}

// Line finds the line of a translation in its file.
func (t *Translations) Line(id string, l curriculum.Locale) int { return t.look(t.units[id], l).Line }

// Inputs names what the translations of some segments are taken from. It fails where one comes from the file of another module.
func (t *Translations) Inputs(segments []segment.Segment, module string, l curriculum.Locale) (parts []string, ok bool) {
	for _, in := range t.chains[l] {
		own := t.modules[in+"/"+module]
		for _, s := range segments {
			if f := t.entries[in][s.ID]; f != nil && f != own {
				return nil, false
			}
		}
		parts = append(parts, in, t.digests[own])
	}
	return parts, true
}

// Text gives a text in every language of the course.
func (t *Translations) Text(id, source string) curriculum.Text {
	out := curriculum.Text{}
	for _, l := range t.locales {
		out[l] = t.Say(id, source, l).Text
	}
	return out
}

// Lang tells in which language Text gives a text to readers of another, or "" when it is their own.
func (t *Translations) Lang(id string, l curriculum.Locale) curriculum.Locale {
	return t.Say(id, "", l).Locale
}

// Langs gathers Lang for every language of the course.
func (t *Translations) Langs(id string) curriculum.Langs {
	out := curriculum.Langs{}
	for _, l := range t.locales {
		if lang := t.Lang(id, l); lang != "" {
			out[l] = lang
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Gather adds what Langs finds for texts of something, under the ends of their ids. It is nil while there is nothing to tell.
func (t *Translations) Gather(all map[string]curriculum.Langs, of string, ends ...string) map[string]curriculum.Langs {
	for _, end := range ends {
		langs := t.Langs(of + "." + end)
		if langs == nil {
			continue
		}
		if all == nil {
			all = map[string]curriculum.Langs{}
		}
		all[end] = langs
	}
	return all
}

// List gives the lines of a translation in every other language, one after the other.
func (t *Translations) List(id string) []string {
	var out []string
	u, ok := t.units[id]
	for _, l := range t.locales {
		if l == t.Source || !ok {
			continue
		}
		if tr := t.look(u, l); tr.State == translation.Fresh || tr.State == translation.Stale {
			out = append(out, strings.Split(tr.Text, "\n")...)
		}
	}
	return out
}

// check holds every translation against its source. One that was made from today's source and does not
// fit it is at fault. An older one waits for its translator and is not shown.
func (t *Translations) check() {
	modules := map[string][]Unit{}
	for _, u := range t.all.Units {
		modules[u.Module] = append(modules[u.Module], u)
	}
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		units := modules[module]
		state := make([]string, 0, 3*len(units))
		for _, u := range units {
			state = append(state, u.ID, string(u.kind), u.Source)
		}
		texts := memo.Digest(state...)
		for _, l := range t.locales {
			if l == t.Source {
				continue
			}
			file := t.modules[l+"/"+stem(module)]
			key := "fit " + t.digests[file] + " " + texts
			own := !slices.ContainsFunc(units, func(u Unit) bool { f := t.entries[l][u.ID]; return f != nil && f != file })
			if unfit, known := t.cache.Find(key).([]string); known && own {
				for _, id := range unfit {
					t.unfit[l][id] = true
				}
				continue
			}
			before := t.faults.Count()
			unfit := t.checkModule(units, l)
			if own && file != nil && t.faults.Count() == before && !t.faults.Full() {
				t.cache.Keep(key, unfit, 200+20*len(unfit))
			}
		}
	}
}

// stem is the name of a module's files of translations.
func stem(module string) string {
	if module == "" {
		return CoursePO
	}
	return module
}

// checkModule checks the translations of some units in one language, and gives those that are not shown.
func (t *Translations) checkModule(units []Unit, l curriculum.Locale) []string {
	unfit := []string{}
	for _, u := range units {
		tr := t.look(u, l)
		if tr.State != translation.Fresh && tr.State != translation.Stale {
			continue
		}
		key, args := misfit(u, tr.Text)
		switch {
		case key == "":
		case tr.State == translation.Stale:
			t.unfit[l][u.ID] = true
			unfit = append(unfit, u.ID)
		default:
			t.faults.Add(t.entries[l][u.ID].Name, tr.Line, key, append(args, "ID", u.ID)...)
		}
	}
	return unfit
}

// misfit tells how a translation does not fit its unit.
func misfit(u Unit, text string) (key string, args []string) {
	if bad := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0xfeff }); bad >= 0 {
		r, _ := utf8.DecodeRuneInString(text[bad:])
		return "course.control_character", []string{"Code", fmt.Sprintf("U+%04X", r)}
	}
	if strings.TrimSpace(text) == "" {
		return "translation.blank", nil
	}
	if u.kind != "" {
		return segment.Misfit(u.kind, u.Source, text)
	}
	switch {
	case strings.HasSuffix(u.ID, ".accept"):
		if strings.Count(text, "\n") >= 50 || len(text) > 4000 {
			return "translation.too_long", nil
		}
	case segment.TooLong(u.Source, text):
		return "translation.too_long", nil
	case strings.Contains(text, "\n") && !strings.Contains(u.Source, "\n"):
		return "translation.line_break", nil
	}
	return "", nil
}

// Counts tells for each language but the source how the texts of some files stand.
func (t *Translations) Counts(units []Unit, module string) map[curriculum.Locale]curriculum.Translation {
	out := map[curriculum.Locale]curriculum.Translation{}
	for _, l := range t.locales {
		if l == t.Source {
			continue
		}
		tr := curriculum.Translation{State: string(t.states[l+"/"+module])}
		for _, u := range units {
			switch state := t.look(u, l).State; {
			case state == translation.Fresh:
				tr.Fresh++
			case state == translation.Stale && !t.unfit[l][u.ID]:
				tr.Stale++
			default:
				tr.Missing++
			}
		}
		out[l] = tr
	}
	return out
}

// CanonicalLocale gives the one right spelling of a language tag, or "" when it is none.
func CanonicalLocale(l curriculum.Locale) curriculum.Locale {
	tag, err := language.Parse(l)
	if err != nil || tag == language.Und {
		return ""
	}
	return tag.String()
}

package compile

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
	"github.com/banyan-lms/banyan/internal/curriculum/memo"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/fault"
)

// texts finds the texts of a course in its languages: each by itself, along a chain of languages that ends with the source.
type texts struct {
	source  curriculum.Locale
	locales []curriculum.Locale
	units   map[string]unit
	chains  map[curriculum.Locale][]curriculum.Locale // the language itself first; without the source
	entries map[curriculum.Locale]map[string]*po.File // which file of a language has the translation of a unit
	states  map[string]translation.SignState
	unfit   map[curriculum.Locale]map[string]bool // stale translations that no longer fit their source, so they are not shown
	digests map[*po.File]string
	modules map[string]*po.File // by locale and module
}

// coursePO holds the translations of the texts that belong to no module.
const coursePO = "course"

// readTexts reads the translations.
func (c *compiler) readTexts(fallbacks map[curriculum.Locale][]curriculum.Locale) {
	t := &c.texts
	*t = texts{
		source: c.course.SourceLocale, locales: slices.Compact(slices.Sorted(slices.Values(c.course.Locales))), units: map[string]unit{},
		chains: map[curriculum.Locale][]curriculum.Locale{}, entries: map[curriculum.Locale]map[string]*po.File{}, states: map[string]translation.SignState{}, unfit: map[curriculum.Locale]map[string]bool{},
		digests: map[*po.File]string{}, modules: map[string]*po.File{},
	}
	for _, u := range c.list.units {
		t.units[u.ID] = u
	}
	modules := map[string]bool{coursePO: true}
	for _, m := range c.course.Modules {
		modules[m.ID] = true
	}
	for _, l := range t.locales {
		t.chains[l] = chain(l, t.source, t.locales, fallbacks[l], c.course.Fallbacks[l])
		t.entries[l], t.unfit[l] = map[string]*po.File{}, map[string]bool{}
	}
	for _, name := range slices.Sorted(maps.Keys(c.src.Files)) {
		if !strings.HasPrefix(name, "locales/") || path.Ext(name) != ".po" {
			continue
		}
		l, module := path.Base(path.Dir(name)), strings.TrimSuffix(path.Base(name), ".po")
		switch {
		case len(t.locales) == 0:
			continue
		case l == t.source:
			c.faults.Add(name, 1, "locale.source", "Locale", l)
			continue
		case !slices.Contains(t.locales, l):
			c.faults.Add(name, 1, "locale.not_listed", "Locale", l)
			continue
		case c.doc.Fit && !modules[module]:
			c.faults.Add(name, 1, "locale.no_module", "Module", module)
			continue
		}
		data := string(c.src.Files[name])
		digest := memo.Digest(name, data)
		f, known := c.cache.Find("po " + digest).(*po.File)
		if !known {
			var err error
			if f, err = po.Parse(name, c.src.Files[name]); err != nil {
				c.detail(name, err)
				continue
			}
			c.cache.Keep("po "+digest, f, 3*len(data))
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
	c.checkTranslations()
}

// detail takes over the faults of another package.
func (c *compiler) detail(file string, err error) {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) == 0 {
		c.faults.Add(file, 1, "course.unreadable")
		return
	}
	for _, d := range f.Details {
		var args []string
		for _, k := range slices.Sorted(maps.Keys(d.Args)) {
			args = append(args, k, fmt.Sprint(d.Args[k]))
		}
		c.faults.Add(d.File, d.Line, d.Key, args...)
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

// say gives a text of the course in a language, or in the next one that has it.
func (t *texts) say(id, source string, l curriculum.Locale) page.Said {
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

func (t *texts) original(source string, l curriculum.Locale) page.Said {
	if l == t.source {
		return page.Said{Text: source}
	}
	return page.Said{Text: source, Locale: t.source}
}

func (t *texts) look(u unit, l curriculum.Locale) translation.Translated {
	f := t.entries[l][u.ID]
	if f == nil {
		return translation.Translated{}
	}
	return translation.Lookup(*f, u.Unit)
}

// text gives a text in every language of the course.
func (t *texts) text(id, source string) curriculum.Text {
	out := curriculum.Text{}
	for _, l := range t.locales {
		out[l] = t.say(id, source, l).Text
	}
	return out
}

// lang tells in which language text gives a text to readers of another, or "" when it is their own.
func (t *texts) lang(id string, l curriculum.Locale) curriculum.Locale {
	return t.say(id, "", l).Locale
}

// langs gathers lang for every language of the course.
func (t *texts) langs(id string) curriculum.Langs {
	out := curriculum.Langs{}
	for _, l := range t.locales {
		if lang := t.lang(id, l); lang != "" {
			out[l] = lang
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// gather adds what langs finds for texts of something, under the ends of their ids. It is nil while there is nothing to tell.
func (t *texts) gather(all map[string]curriculum.Langs, of string, ends ...string) map[string]curriculum.Langs {
	for _, end := range ends {
		langs := t.langs(of + "." + end)
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

// list gives the lines of a translation in every other language, one after the other.
func (t *texts) list(id string) []string {
	var out []string
	u, ok := t.units[id]
	for _, l := range t.locales {
		if l == t.source || !ok {
			continue
		}
		if tr := t.look(u, l); tr.State == translation.Fresh || tr.State == translation.Stale {
			out = append(out, strings.Split(tr.Text, "\n")...)
		}
	}
	return out
}

// checkTranslations holds every translation against its source. One that was made from today's source and does not
// fit it is at fault. An older one waits for its translator and is not shown.
func (c *compiler) checkTranslations() {
	t := &c.texts
	modules := map[string][]unit{}
	for _, u := range c.list.units {
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
			if l == t.source {
				continue
			}
			file := t.modules[l+"/"+stem(module)]
			key := "fit " + t.digests[file] + " " + texts
			own := !slices.ContainsFunc(units, func(u unit) bool { f := t.entries[l][u.ID]; return f != nil && f != file })
			if unfit, known := c.cache.Find(key).([]string); known && own {
				for _, id := range unfit {
					t.unfit[l][id] = true
				}
				continue
			}
			before := c.faults.Count()
			unfit := c.checkModule(units, l)
			if own && file != nil && c.faults.Count() == before && !c.faults.Full() {
				c.cache.Keep(key, unfit, 200+20*len(unfit))
			}
		}
	}
}

// stem is the name of a module's files of translations.
func stem(module string) string {
	if module == "" {
		return coursePO
	}
	return module
}

// checkModule checks the translations of some units in one language, and gives those that are not shown.
func (c *compiler) checkModule(units []unit, l curriculum.Locale) []string {
	t := &c.texts
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
			c.faults.Add(t.entries[l][u.ID].Name, tr.Line, key, append(args, "ID", u.ID)...)
		}
	}
	return unfit
}

// misfit tells how a translation does not fit its unit.
func misfit(u unit, text string) (key string, args []string) {
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

// counts tells for each language but the source how the texts of some files stand.
func (t *texts) counts(units []unit, module string) map[curriculum.Locale]curriculum.Translation {
	out := map[curriculum.Locale]curriculum.Translation{}
	for _, l := range t.locales {
		if l == t.source {
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

// canonicalLocale gives the one right spelling of a language tag, or "" when it is none.
func canonicalLocale(l curriculum.Locale) curriculum.Locale {
	tag, err := language.Parse(l)
	if err != nil || tag == language.Und {
		return ""
	}
	return tag.String()
}

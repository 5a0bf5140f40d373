package translation_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/fault"
)

const header = "msgid \"\"\nmsgstr \"\"\n\"Project-Id-Version: c\\n\"\n\"Language: fr\\n\"\n\"MIME-Version: 1.0\\n\"\n\"Content-Type: text/plain; charset=UTF-8\\n\"\n" +
	"\"Content-Transfer-Encoding: 8bit\\n\"\n\"Plural-Forms: nplurals=2; plural=(n > 1);\\n\"\n\"X-Banyan-State: draft\\n\"\n"

func parse(t *testing.T, text string) *po.File {
	t.Helper()
	f, err := po.Parse("x.po", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

func merge(t *testing.T, old map[string]*po.File, units []translation.Unit, severity map[string]translation.Severity) (map[string]*po.File, translation.Report) {
	t.Helper()
	out, report, err := translation.Merge(old, units, translation.Options{Course: "c", Locale: "fr", Severity: severity})
	if err != nil {
		t.Fatal(err)
	}
	for module, f := range out {
		out[module] = parse(t, string(f.Bytes())) // what is written can be read
	}
	return out, report
}

func unit(id, source, module string) translation.Unit {
	return translation.Unit{ID: id, Source: source, File: "lessons/a.md", Line: 3, Module: module}
}

func TestMergeOneEntry(t *testing.T) {
	const ref = "#: lessons/a.md:3\n"
	tests := []struct {
		name     string
		old      string
		unit     translation.Unit
		severity translation.Severity
		want     string
		state    translation.State
	}{
		{
			"new", "", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n", translation.Missing,
		},
		{
			"untranslated and changed", "msgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n", translation.Missing,
		},
		{
			"changed", "# mine\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Lune\"\n", unit("k1abcd", "Sun", "m"), "",
			"# mine\n" + ref + "#, fuzzy\n#| msgid \"Moon\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Lune\"\n", translation.Stale,
		},
		{
			"changed, and wrong now", "msgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Lune\"\n", unit("k1abcd", "Sun", "m"), translation.Removed,
			"#. severity: removed\n" + ref + "#, fuzzy\n#| msgid \"Moon\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Lune\"\n", translation.Withdrawn,
		},
		{
			"changed again: made from the first", "#. severity: removed\n#, fuzzy\n#| msgid \"Star\"\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Étoile\"\n", unit("k1abcd", "Sun", "m"), "",
			"#. severity: removed\n" + ref + "#, fuzzy\n#| msgid \"Star\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Étoile\"\n", translation.Withdrawn,
		},
		{
			"a typo no longer, after a change of meaning", "#. severity: typo\n#, fuzzy\n#| msgid \"Star\"\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Étoile\"\n", unit("k1abcd", "Sun", "m"), "",
			"#. severity: meaning\n" + ref + "#, fuzzy\n#| msgid \"Star\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Étoile\"\n", translation.Stale,
		},
		{
			"back to what it was", "#. severity: removed\n#, fuzzy, no-wrap\n#| msgid \"Sun\"\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Soleil\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "#, no-wrap\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", translation.Fresh,
		},
		{
			"translated anew", "#. severity: removed\n#| msgid \"Moon\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", translation.Fresh,
		},
		{
			"marked as unsure by a person", "#, fuzzy\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "#, fuzzy\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", translation.Stale,
		},
		{
			"unsure, and back to what it was", "#. unsure: yes\n#, fuzzy\n#| msgid \"Sun\"\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Soleil\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "#, fuzzy\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", translation.Stale,
		},
		{
			"a tool's guess from another unit", "#, fuzzy\n#| msgctxt \"k9zzzz\"\n#| msgid \"Sun!\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil !\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "#, fuzzy\n#| msgctxt \"k9zzzz\"\n#| msgid \"Sun!\"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil !\"\n", translation.Withdrawn,
		},
		{
			"back from the dead", "#~ msgctxt \"k1abcd\"\n#~ msgid \"Sun\"\n#~ msgstr \"Soleil\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", translation.Fresh,
		},
		{
			"back from the dead with another text", "#~ msgctxt \"k1abcd\"\n#~ msgid \"Sun\"\n#~ msgstr \"Soleil\"\n", unit("k1abcd", "Suns", "m"), "",
			ref + "#, fuzzy\n#| msgid \"Sun\"\nmsgctxt \"k1abcd\"\nmsgid \"Suns\"\nmsgstr \"Soleil\"\n", translation.Stale,
		},
		{
			"gone", "#. note\n#: lessons/a.md:9\nmsgctxt \"k2abcd\"\nmsgid \"Rain\"\nmsgstr \"Pluie\"\n\nmsgctxt \"k3abcd\"\nmsgid \"Wind\"\nmsgstr \"\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n\n#. note\n#~ msgctxt \"k2abcd\"\n#~ msgid \"Rain\"\n#~ msgstr \"Pluie\"\n", translation.Missing,
		},
		{
			"a foreign entry", "msgid \"%d day\"\nmsgid_plural \"%d days\"\nmsgstr[0] \"jour\"\nmsgstr[1] \"jours\"\n", unit("k1abcd", "Sun", "m"), "",
			ref + "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n\n#~ msgid \"%d day\"\n#~ msgid_plural \"%d days\"\n#~ msgstr[0] \"jour\"\n#~ msgstr[1] \"jours\"\n", translation.Missing,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			severity := map[string]translation.Severity{}
			if tt.severity != "" {
				severity[tt.unit.ID] = tt.severity
			}
			got, _ := merge(t, map[string]*po.File{"m": parse(t, header+"\n"+tt.old)}, []translation.Unit{tt.unit}, severity)
			if text := string(got["m"].Bytes()); text != header+"\n"+tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, header+"\n"+tt.want)
			}
			if translation.Judged(got, tt.unit.ID) != strings.Contains(tt.want, "severity: ") {
				t.Error("whether an author judged")
			}
			if state := translation.Lookup(*got["m"], tt.unit).State; state != tt.state {
				t.Errorf("state %v, want %v", state, tt.state)
			}
		})
	}
}

func TestMergeFollowsMoves(t *testing.T) {
	old := map[string]*po.File{
		"a": parse(t, "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n\n#~ msgctxt \"k5abcd\"\n#~ msgid \"Old\"\n#~ msgstr \"Vieux\"\n"),
		"b": parse(t, "msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n"),
	}
	got, report := merge(t, old, []translation.Unit{unit("k1abcd", "Sun", "b")}, nil)
	if got["a"] != nil || got["b"].Find("k1abcd")[0].Str[0] != "Soleil" || report.Moved != 1 {
		t.Errorf("got %v %+v", got, report)
	}
	if kept := got[""].Find("k5abcd"); len(kept) != 1 || !kept[0].Obsolete {
		t.Error("the module went, and an obsolete text with it")
	}
	before := string(old["a"].Bytes())
	if string(old["a"].Bytes()) != before || old["a"].Entries[0].Obsolete {
		t.Error("the old files changed")
	}
}

func TestMergeRefuses(t *testing.T) {
	_, _, err := translation.Merge(nil, []translation.Unit{unit("k1abcd", "a", ""), unit("k1abcd", "b", "")}, translation.Options{Locale: "fr"})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("twice the same unit: %v", err)
	}
	_, _, err = translation.Merge(nil, []translation.Unit{unit("k1abcd", "a", "course")}, translation.Options{Locale: "fr"})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("a module named course: %v", err)
	}
}

// world is a course and its French files under random hands.
type world struct {
	r     *rand.Rand
	units []translation.Unit
	gone  []translation.Unit
	files map[string]*po.File
}

var (
	modules = []string{"", "a", "b", "c"}
	sources = []string{"Sun", "Sun.", "The sun rises", "The sun does not rise", "Rain\nand wind", "3 goats", "4 goats"}
)

func (w *world) step(n int) {
	r := w.r
	pick := func() *translation.Unit { return &w.units[r.IntN(len(w.units))] }
	entry := func() *po.Entry {
		module := slices.Sorted(maps.Keys(w.files))
		if len(module) == 0 {
			return nil
		}
		f := w.files[module[r.IntN(len(module))]]
		return &f.Entries[r.IntN(len(f.Entries))]
	}
	switch r.IntN(11) {
	case 0, 1:
		w.units = append(w.units, unit(fmt.Sprintf("k%05d", n), sources[r.IntN(len(sources))], modules[r.IntN(4)]))
	case 2, 3:
		if len(w.units) > 0 {
			pick().Source = sources[r.IntN(len(sources))]
		}
	case 4:
		if len(w.units) > 0 {
			pick().Module = modules[r.IntN(4)]
		}
	case 5:
		if len(w.units) > 0 {
			i := r.IntN(len(w.units))
			w.gone = append(w.gone, w.units[i])
			w.units = slices.Delete(w.units, i, i+1)
		}
	case 6:
		if len(w.gone) > 0 {
			i := r.IntN(len(w.gone))
			w.units = slices.Insert(w.units, r.IntN(len(w.units)+1), w.gone[i])
			w.gone = slices.Delete(w.gone, i, i+1)
		}
	case 7, 8: // a translator
		if e := entry(); e != nil && !e.Obsolete {
			e.Str = []string{fmt.Sprintf("t%d", n)}
			e.SetFuzzy(r.IntN(4) == 0)
			if r.IntN(2) == 0 {
				e.Previous = nil
			}
			e.Comments = []string{fmt.Sprintf(" %d", n)}
		}
	case 9: // somebody copies entries between files, or brings an older one back
		if e := entry(); e != nil {
			c := e.Clone()
			c.Str = []string{fmt.Sprintf("c%d", n)}
			if r.IntN(2) == 0 {
				c.ID = sources[r.IntN(len(sources))]
			}
			module := modules[r.IntN(4)]
			f := w.files[module]
			if f == nil {
				f = &po.File{}
				w.files[module] = f
			}
			if !slices.ContainsFunc(f.Find(c.Context), func(o po.Entry) bool { return o.ID == c.ID }) {
				f.Entries = append(f.Entries, c)
			} else if len(f.Entries) == 0 {
				delete(w.files, module)
			}
		}
	case 10: // a tool guesses
		if e := entry(); e != nil && !e.Obsolete && !e.Translated() {
			e.Str = []string{fmt.Sprintf("g%d", n)}
			e.Previous = &po.Previous{HasContext: true, Context: "other1", HasID: true, ID: "Sunny"}
			e.SetFuzzy(true)
		}
	}
}

// texts are all translations with their unit.
func texts(files map[string]*po.File) map[string]int {
	out := map[string]int{}
	for _, f := range files {
		for i := range f.Entries {
			if e := &f.Entries[i]; e.Translated() {
				out[e.Context+"="+strings.Join(e.Str, "/")+strings.Join(e.Comments, "")]++
			}
		}
	}
	return out
}

func contents(files map[string]*po.File) string {
	var b bytes.Buffer
	for _, module := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "== %s\n%s", module, files[module].Bytes())
	}
	return b.String()
}

func TestMergeLosesNothing(t *testing.T) {
	for seed := range uint64(60) {
		w := &world{r: rand.New(rand.NewPCG(seed, 7)), files: map[string]*po.File{}}
		for n := range 150 {
			w.step(n)
			if w.r.IntN(3) > 0 {
				continue
			}
			before := texts(w.files)
			input := contents(w.files)
			merged, _ := merge(t, w.files, w.units, nil)
			if contents(w.files) != input {
				t.Fatal("the old files changed")
			}
			if after := texts(merged); !maps.Equal(before, after) {
				t.Fatalf("seed %d step %d:\nbefore %v\nafter  %v", seed, n, before, after)
			}
			again, report := merge(t, merged, w.units, nil)
			if a, b := contents(merged), contents(again); a != b || report != (translation.Report{}) {
				t.Fatalf("seed %d step %d: not the same again %+v\n%s\nthen\n%s", seed, n, report, a, b)
			}
			checkPlaces(t, merged, w.units)
			w.files = map[string]*po.File{}
			for module, f := range merged {
				w.files[module] = f.Unindexed()
			}
		}
	}
}

// checkPlaces finds one live entry for each unit, in its module's file and in order.
func checkPlaces(t *testing.T, files map[string]*po.File, units []translation.Unit) {
	t.Helper()
	want, got := map[string][]string{}, map[string][]string{}
	for _, u := range units {
		want[u.Module] = append(want[u.Module], u.ID+"="+u.Source)
	}
	for module, f := range files {
		for i := range f.Entries {
			if e := &f.Entries[i]; !e.Obsolete {
				got[module] = append(got[module], e.Context+"="+e.ID)
			}
		}
	}
	if !maps.EqualFunc(want, got, slices.Equal) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func TestMergeOfAChangeTakenBack(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 9))
		var units []translation.Unit
		for i := range 6 {
			units = append(units, unit(fmt.Sprintf("k%05d", i), sources[r.IntN(len(sources))], modules[r.IntN(4)]))
		}
		files, _ := merge(t, nil, units, nil)
		for module, f := range files {
			f = f.Unindexed()
			for i := range f.Entries {
				if r.IntN(3) > 0 {
					f.Entries[i].Str[0] = fmt.Sprint("t", i)
					f.Entries[i].SetFuzzy(r.IntN(4) == 0)
				}
			}
			files[module] = f
		}
		now := files
		for range 3 {
			other := slices.Clone(units)
			for i := range other {
				other[i].Source = sources[r.IntN(len(sources))]
				other[i].Module = modules[r.IntN(4)]
			}
			now, _ = merge(t, now, other[r.IntN(3):], nil)
		}
		now, _ = merge(t, now, units, nil)
		if a, b := contents(files), contents(now); a != b {
			t.Fatalf("seed %d:\n%s\nthen\n%s", seed, a, b)
		}
	}
}

func TestMsgfmtAccepts(t *testing.T) {
	msgfmt, err := exec.LookPath("msgfmt")
	if err != nil {
		t.Skip("GNU gettext is not installed")
	}
	for _, locale := range []string{"ar", "en", "fr", "es", "ru", "zh", "pt-BR", "hi", "sw", "pl"} {
		files, _, err := translation.Merge(nil, []translation.Unit{unit("k1abcd", "Sun \"x\" \\ y\tz", "m")}, translation.Options{Course: "c", Locale: locale})
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(t.TempDir(), "x.po")
		if err := os.WriteFile(name, files["m"].Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), msgfmt, "-c", "-o", os.DevNull, name).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", locale, err, out)
		}
	}
}

func TestSeverityOf(t *testing.T) {
	tests := []struct {
		before, after string
		want          translation.Severity
	}{
		{"Sun", "Sun", translation.Same},
		{"The sun rises", "the Sun rises.", translation.Typo},
		{"a lot of rain", "alot  of rain", translation.Typo},
		{"The framer waits", "The farmer waits", translation.Typo},
		{"The gaots wait for the framer", "The goats wait for the farmer", translation.Typo},
		{"The **model** learns", "The model learns", translation.Typo},
		{"It is safe", "It is unsafe", translation.Meaning},
		{"You can share it", "You can't share it", translation.Meaning},
		{"Das geht", "Das geht nicht", translation.Meaning},
		{"You may share it", "You may not share it", translation.Meaning},
		{"Il pleut", "Il ne pleut pas", translation.Meaning},
		{"3 goats", "4 goats", translation.Meaning},
		{"costs 1.5 dollars", "costs 15 dollars", translation.Meaning},
		{"٣ أيام", "٤ أيام", translation.Meaning},
		{"a < b always", "a > b always", translation.Meaning},
		{"use `sum` here", "use `min` here", translation.Meaning},
		{"[read on](lesson:one)", "[read on](lesson:two)", translation.Meaning},
		{"a cat sleeps", "a bat sleeps", translation.Meaning},
		{"The goats sleep", "The people sleep", translation.Meaning},
		{"few people know", "a few people know", translation.Meaning},
		{"会下雨吗", "不下雨吗", translation.Meaning},
		{"会下雨吗?", "会下雨吗？", translation.Typo},
		{"Sun", "", translation.Meaning},
	}
	for _, tt := range tests {
		if got := translation.SeverityOf(tt.before, tt.after); got != tt.want {
			t.Errorf("%q -> %q: %q, want %q", tt.before, tt.after, got, tt.want)
		}
		if got := translation.SeverityOf(tt.after, tt.before); got != tt.want {
			t.Errorf("%q -> %q: %q, want %q", tt.after, tt.before, got, tt.want)
		}
	}
}

func TestLookupBeforeMerge(t *testing.T) {
	f := parse(t, "msgctxt \"k1abcd\"\nmsgid \"The sun rises\"\nmsgstr \"Le soleil se lève\"\n\nmsgctxt \"k2abcd\"\nmsgid \"Old\"\nmsgstr \"Vieux\"\n\nmsgctxt \"k2abcd\"\nmsgid \"New\"\nmsgstr \"Neuf\"\n\n#~ msgctxt \"k3abcd\"\n#~ msgid \"Gone\"\n#~ msgstr \"Parti\"\n")
	tests := []struct {
		unit  translation.Unit
		text  string
		state translation.State
	}{
		{unit("k1abcd", "The sun rises", ""), "Le soleil se lève", translation.Fresh},
		{unit("k1abcd", "The sun sets", ""), "Le soleil se lève", translation.Stale},
		{unit("k2abcd", "New", ""), "Neuf", translation.Fresh},
		{unit("k3abcd", "Gone", ""), "", translation.Missing},
		{unit("k4abcd", "Sun", ""), "", translation.Missing},
	}
	for _, tt := range tests {
		got := translation.Lookup(*f, tt.unit)
		if got.Text != tt.text || got.State != tt.state || tt.text != "" && (!got.Draft || got.Line == 0) {
			t.Errorf("%s %q: %+v", tt.unit.ID, tt.unit.Source, got)
		}
	}
}

func TestSign(t *testing.T) {
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.FixedZone("", 7200))
	units := []translation.Unit{unit("k1abcd", "Sun", "m"), unit("k2abcd", "Rain", "m")}
	f := parse(t, header+"\nmsgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n").Unindexed()
	for _, bad := range []string{"", " ", "a\nX-Evil: 1", strings.Repeat("a", 201)} {
		if err := translation.Sign(f, translation.Signed, bad, at); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q signs: %v", bad, err)
		}
	}
	if err := translation.Sign(f, "great", "Awa", at); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if err := translation.Sign(f, translation.Reviewed, "Awa Diop", at); err != nil {
		t.Fatal(err)
	}
	f = parse(t, string(f.Bytes()))
	want := translation.SignOff{State: translation.Reviewed, By: "Awa Diop", At: at.UTC()}
	if got := translation.SignOffOf(f); got != want {
		t.Errorf("got %+v", got)
	}
	if translation.Lookup(*f, units[0]).Draft {
		t.Error("reviewed, and a draft")
	}
	// A merge with a changed source, and one with a removed unit, keep a person's word.
	changed := slices.Clone(units)
	changed[0].Source = "The sun"
	merged, _ := merge(t, map[string]*po.File{"m": f}, changed, nil)
	if got := translation.SignOffOf(merged["m"]); got != want {
		t.Errorf("after a change of the source: %+v", got)
	}
	merged, _ = merge(t, map[string]*po.File{"m": f}, changed[1:], nil)
	if got := translation.SignOffOf(merged["m"]); got != want {
		t.Errorf("after a unit went: %+v", got)
	}
	// An edit of the translation does not.
	edited := f.Unindexed()
	edited.Entries[0].Str[0] = "soleil"
	if got := translation.StateOfFile(edited); got != translation.Draft {
		t.Errorf("after an edit: %s", got)
	}
	if err := translation.Sign(edited, translation.Draft, "", at); err != nil || edited.Field("X-Banyan-Signed-By") != "" || edited.Field("X-Banyan-State") != "draft" {
		t.Errorf("taken back: %v %q", err, edited.Header.Str)
	}
}

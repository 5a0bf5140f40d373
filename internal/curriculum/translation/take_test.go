package translation_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/fault"
)

func TestTake(t *testing.T) {
	const missing = "msgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"\"\n"
	const fresh = "msgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n"
	const stale = "#. Heading\n#. severity: removed\n#, fuzzy\n#| msgid \"Moon\"\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Lune\"\n"
	tests := []struct{ name, our, their, want, count string }{
		{"a new one", missing, "# theirs\n#. theirs\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", fresh, "fresh"},
		{"a better one", fresh, "msgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Le soleil\"\n", strings.Replace(fresh, "Soleil", "Le soleil", 1), "fresh"},
		{"nothing", fresh, missing, fresh, "empty"},
		{"the same", fresh, fresh, fresh, "same"},
		{"the text moved on", missing, "msgctxt \"k\"\nmsgid \"Star\"\nmsgstr \"Étoile\"\n", "#, fuzzy\n#| msgid \"Star\"\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Étoile\"\n", "stale"},
		{"the text moved on, and so did we", fresh, "msgctxt \"k\"\nmsgid \"Star\"\nmsgstr \"Étoile\"\n", fresh, "older"},
		{"translated anew", stale, fresh, "#. Heading\n" + fresh, "fresh"},
		{"said to be good as it is", stale, "msgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Lune\"\n", "#. Heading\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Lune\"\n", "fresh"},
		{"sent back untouched", stale, stale, stale, "same"},
		{"unsure, where there is none", missing, "#, fuzzy\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", "#, fuzzy\n" + fresh, "stale"},
		{"unsure, where there is one", fresh, "#, fuzzy\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Le soleil\"\n", fresh, "unsure"},
		{"guessed by a tool", missing, "#, fuzzy\n#| msgctxt \"z\"\n#| msgid \"Sun\"\nmsgctxt \"k\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", missing, "empty"},
		{"unknown", missing, "msgctxt \"z\"\nmsgid \"Sun\"\nmsgstr \"Soleil\"\n", missing, "unknown"},
		{"obsolete", missing, "#~ msgctxt \"k\"\n#~ msgid \"Sun\"\n#~ msgstr \"Soleil\"\n", missing, ""},
		{"of two texts", missing, "msgctxt \"k\"\nmsgid \"Star\"\nmsgstr \"Étoile\"\n\n" + fresh, fresh, "fresh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			our := parse(t, tt.our)
			out, n := translation.Take(map[string]*po.File{"m": our}, parse(t, tt.their).Entries)
			if got := string(out["m"].Bytes()); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if string(our.Bytes()) != tt.our {
				t.Error("the files given changed")
			}
			counts := map[string]int{"fresh": n.Fresh, "stale": n.Stale, "same": n.Same, "older": n.Older, "unsure": n.Unsure, "empty": n.Empty, "unknown": len(n.Unknown)}
			for what, n := range counts {
				if (what == tt.count) != (n == 1) || n > 1 {
					t.Errorf("%s: %d", what, n)
				}
			}
		})
	}
}

func TestMatchLocale(t *testing.T) {
	tests := []struct {
		declared string
		locales  []string
		want     string
	}{
		{"fr", []string{"ar", "fr"}, "fr"},
		{"zh_Hans", []string{"ar", "zh"}, "zh"},
		{"pt_BR", []string{"pt", "pt-BR"}, "pt-BR"},
		{"pt_AO", []string{"pt", "pt-BR"}, ""},
		{"fr", []string{"ff"}, ""},
		{"", []string{"fr"}, ""},
		{"klingonish", []string{"fr"}, ""},
	}
	for _, tt := range tests {
		if got := translation.MatchLocale(tt.declared, tt.locales); got != tt.want {
			t.Errorf("%s of %v: %q, want %q", tt.declared, tt.locales, got, tt.want)
		}
	}
}

func TestApply(t *testing.T) {
	dir := t.TempDir()
	read := func(name string) string {
		data, _ := os.ReadFile(filepath.Join(dir, name))
		return string(data)
	}
	changes := []translation.Change{{Name: "locales/fr/a.po", Data: []byte("a")}, {Name: "locales/fr/b.po", Data: []byte("b")}}
	if err := translation.Apply(dir, changes); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "locales/fr/a.po"), 0o600); err != nil {
		t.Fatal(err)
	}
	// A folder stands where a file is to be written: nothing at all may change.
	if err := os.MkdirAll(filepath.Join(dir, "locales/fr/c.po.new"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := translation.Apply(dir, []translation.Change{{Name: "locales/fr/a.po", Data: []byte("a2")}, {Name: "locales/fr/b.po"}, {Name: "locales/fr/c.po", Data: []byte("c")}}); err == nil {
		t.Fatal("no error")
	}
	if read("locales/fr/a.po") != "a" || read("locales/fr/b.po") != "b" {
		t.Error("half of the changes were made")
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "locales/fr/[ab]*")); len(names) != 2 {
		t.Errorf("left behind: %v", names)
	}
	if err := translation.Apply(dir, []translation.Change{{Name: "locales/fr/a.po", Data: []byte("a2")}, {Name: "locales/fr/b.po"}}); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "locales/fr/a.po"))
	if err != nil || read("locales/fr/a.po") != "a2" || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if _, err := os.Stat(filepath.Join(dir, "locales/fr/b.po")); err == nil {
		t.Error("not removed")
	}
}

func TestChangesKeepTheEditorsLayout(t *testing.T) {
	before := map[string]*po.File{"": parse(t, "msgctxt \"k\"\r\nmsgid \"\"\r\n\"S\"\r\n\"un\"\r\nmsgstr \"\"\r\n"), "gone": parse(t, "")}
	after := map[string]*po.File{"": before[""].Unindexed(), "m": parse(t, "")}
	got := translation.Changes("fr", before, after)
	if len(got) != 2 || got[0].Name != "locales/fr/m.po" || got[1].Name != "locales/fr/gone.po" || got[1].Data != nil {
		t.Errorf("got %+v", got)
	}
	after[""].Entries[0].Str[0] = "Soleil"
	if got := translation.Changes("fr", before, after); len(got) != 3 || got[0].Name != "locales/fr/course.po" {
		t.Errorf("got %+v", got)
	}
}

func TestReadLocale(t *testing.T) {
	fsys := fstest.MapFS{
		"locales/fr/course.po": {Data: []byte("msgid \"\"\nmsgstr \"Language: fr_CA\\n\"\n")},
		"locales/fr/m.po":      {Data: []byte("msgctxt \"k\"\nmsgid \"a\"\nmsgstr \"b\"\n")},
		"locales/fr/m.po.new":  {Data: []byte("half")},
		"locales/ar/m.po":      {Data: []byte("msgid \"a\n")},
		"locales/ar/n.po":      {Data: []byte("msgid \"\"\nmsgstr \"Language: fr\\n\"\n")},
	}
	files, err := translation.ReadLocale(fsys, "fr")
	if err != nil || len(files) != 2 || files["m"].Name != "locales/fr/m.po" || files[""] == nil {
		t.Errorf("%v %v", files, err)
	}
	if files, err := translation.ReadLocale(fsys, "es"); err != nil || len(files) != 0 {
		t.Errorf("%v %v", files, err)
	}
	_, err = translation.ReadLocale(fsys, "ar")
	if got := fmt.Sprint(err); !fault.Is(err, fault.Invalid) || !strings.Contains(got, "locales/ar/m.po:1 po.open_quote") || !strings.Contains(got, "locales/ar/n.po:1 translation.other_language") {
		t.Errorf("got %v", err)
	}
}

func TestStatus(t *testing.T) {
	in := func(id, source, file string) translation.Unit {
		return translation.Unit{ID: id, Source: source, Module: "m", File: file}
	}
	course := translation.Course{ID: "c", Source: "en", Locales: []string{"fr", "ar"}, Units: []translation.Unit{
		{ID: "course.title", Source: "Weather", File: "course.yaml"},
		in("k1abcd", "Sun", "lessons/a.md"), in("k2abcd", "Rain", "lessons/a.md"), in("k2abcd.alt", "A cloud", "lessons/a.md"),
		in("quiz.q.one.prompt", "Why?", "quizzes/q.yaml"), in("bank.q.one.prompt", "How?", "banks/q.yaml"), in("lab.l.title", "Try", "labs/l/lab.yaml"), in("k3abcd", "Do", "labs/l/statement.md"),
		{ID: "media.x.svg.sun", Source: "Sun", File: "media/x.svg"},
		in("k4abcd.title", "Voice", "lessons/a.md"), in("k5abcd", "", "lessons/a.md"),
	}}
	signed := parse(t, header+"\nmsgctxt \"course.title\"\nmsgid \"Weather\"\nmsgstr \"Le temps\"\n").Unindexed()
	if err := translation.Sign(signed, translation.Signed, "Awa", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{
		"locales/fr/course.po": {Data: signed.Bytes()},
		"locales/fr/m.po": {Data: []byte("msgctxt \"k1abcd\"\nmsgid \"Sun\"\nmsgstr \"\"\n\nmsgctxt \"k1abcd\"\nmsgid \"Moon\"\nmsgstr \"Lune\"\n\n" +
			"msgctxt \"k2abcd\"\nmsgid \"Rain\"\nmsgstr \"Pluie\"\n\n#. severity: removed\n#, fuzzy\n#| msgid \"A star\"\nmsgctxt \"k2abcd.alt\"\nmsgid \"A cloud\"\nmsgstr \"Une étoile\"\n\n" +
			"#~ msgctxt \"lab.l.title\"\n#~ msgid \"Try\"\n#~ msgstr \"Essaie\"\n\nmsgctxt \"bank.q.one.prompt\"\nmsgid \"How?\"\nmsgstr \"Comment ?\"\n\nmsgctxt \"bank.q.one.prompt\"\nmsgid \"Who?\"\nmsgstr \"Qui ?\"\n\nmsgctxt \"course.title\"\nmsgid \"Weather\"\nmsgstr \"x\"\n")},
	}
	list, err := translation.Status(fsys, course)
	if err != nil {
		t.Fatal(err)
	}
	type counts map[translation.Medium]translation.Count
	want := []struct {
		locale, module string
		state          translation.SignState
		counts         counts
	}{
		{"fr", "", translation.Signed, counts{translation.InText: {Fresh: 1}, translation.InPicture: {Missing: 1}}},
		{"fr", "m", translation.Draft, counts{
			translation.InText: {Fresh: 1, Stale: 1}, translation.InPicture: {Withdrawn: 1}, translation.InQuiz: {Fresh: 1, Missing: 1},
			translation.InLab: {Missing: 2}, translation.InAudio: {Missing: 1},
		}},
		{"ar", "", translation.Draft, counts{translation.InText: {Missing: 1}, translation.InPicture: {Missing: 1}}},
		{"ar", "m", translation.Draft, counts{
			translation.InText: {Missing: 2}, translation.InPicture: {Missing: 1}, translation.InQuiz: {Missing: 2}, translation.InLab: {Missing: 2}, translation.InAudio: {Missing: 1},
		}},
	}
	if len(list) != len(want) {
		t.Fatalf("got %+v", list)
	}
	for i, w := range want {
		got := list[i]
		if got.Locale != w.locale || got.Module != w.module || got.State != w.state || fmt.Sprint(got.Count) != fmt.Sprint(map[translation.Medium]translation.Count(w.counts)) {
			t.Errorf("got %+v\nwant %+v", got, w)
		}
	}
	// Status and Lookup are of one mind.
	f := parse(t, string(fsys["locales/fr/m.po"].Data))
	var total translation.Count
	for _, u := range course.Units {
		if u.Module == "m" && u.Source != "" {
			switch translation.Lookup(*f, u).State {
			case translation.Fresh:
				total.Fresh++
			case translation.Stale:
				total.Stale++
			case translation.Withdrawn:
				total.Withdrawn++
			case translation.Missing:
				total.Missing++
			}
		}
	}
	if total != list[1].Total() {
		t.Errorf("%+v, and %+v", total, list[1].Total())
	}
	fsys["locales/ar/m.po"] = &fstest.MapFile{Data: []byte("nonsense")}
	if _, err := translation.Status(fsys, course); !fault.Is(err, fault.Invalid) {
		t.Errorf("got %v", err)
	}
}

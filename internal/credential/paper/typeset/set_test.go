package typeset_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

func set(t *testing.T, locale, text string, d typeset.Direction, width float64) []typeset.Line {
	t.Helper()
	lines, err := new(typeset.Library).NewSetter(locale).Set(text, typeset.Regular, d, width)
	if err != nil {
		t.Fatalf("set %q: %v", text, err)
	}
	return lines
}

// shown is what stands on a line from left to right.
func shown(l typeset.Line) []string {
	var out []string
	for _, c := range l.Clusters {
		out = append(out, c.Text)
	}
	return out
}

func TestLettersJoin(t *testing.T) {
	l := set(t, "ar", "ببب", typeset.Auto, 0)[0]
	if len(l.Clusters) != 3 || !l.RightToLeft {
		t.Fatalf("got %d clusters, rtl %v", len(l.Clusters), l.RightToLeft)
	}
	var ids []uint32
	for _, c := range l.Clusters {
		ids = append(ids, c.Glyphs[0].ID)
	}
	alone := set(t, "ar", "ب", typeset.Auto, 0)[0].Clusters[0].Glyphs[0].ID
	if ids[0] == ids[1] || ids[1] == ids[2] || ids[0] == ids[2] || slices.Contains(ids, alone) {
		t.Errorf("beh at the end, in the middle, at the start and alone are %v and %d: each has a shape of its own", ids, alone)
	}
	lam := set(t, "ar", "ل", typeset.Auto, 0)[0].Clusters[0].Glyphs[0].ID
	for _, c := range set(t, "ar", "لا", typeset.Auto, 0)[0].Clusters {
		if c.Glyphs[0].ID == lam {
			t.Error("lam before alef has the shape of lam alone")
		}
	}
}

func TestDevanagariIsReordered(t *testing.T) {
	l := set(t, "hi", "हिन्दी", typeset.Auto, 0)[0]
	if got := shown(l); !slices.Equal(got, []string{"हि", "न्", "दी"}) {
		t.Fatalf("syllables are %q", got)
	}
	i := set(t, "hi", "ह", typeset.Auto, 0)[0].Clusters[0].Glyphs[0].ID
	first := l.Clusters[0].Glyphs
	if len(first) != 2 || first[1].ID != i || first[0].X >= first[1].X {
		t.Errorf("the sign i stands before its letter: got %+v, and ha is %d", first, i)
	}
}

func TestDirections(t *testing.T) {
	tests := []struct {
		name, text string
		d          typeset.Direction
		want       string // from left to right, letters one by one
	}{
		{"digits in Hebrew-like text inside a line from left to right", "x \u0627\u0628 123 y", typeset.LeftToRight, "x 123 \u0628\u0627 y"},
		{"the same, and a Latin word right after the digits", "\u0627\u0628 12 abc", typeset.LeftToRight, "12 \u0628\u0627 abc"},
		{"a Latin name in a line from right to left", "\u0627 Ana Li \u0628", typeset.RightToLeft, "\u0628 Ana Li \u0627"},
		{"a date", "\u0627\u0628 23/11/2026", typeset.RightToLeft, "23/11/2026 \u0628\u0627"},
		{"brackets keep with their word", "\u0627\u0628 (ab) \u062c", typeset.RightToLeft, "\u062c )ab( \u0628\u0627"}, // both are drawn as their mirror
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(shown(set(t, "en", tt.text, tt.d, 0)[0]), ""); got != tt.want {
				t.Errorf("got  %+q\nwant %+q", got, tt.want)
			}
		})
	}
}

func TestLinesBreak(t *testing.T) {
	text := "The quick brown fox jumps over the lazy dog"
	lines := set(t, "en", text, typeset.Auto, 8)
	var all []string
	for _, l := range lines {
		if l.Width > 8 {
			t.Errorf("%q is %.2f em wide", l.Text, l.Width)
		}
		all = append(all, l.Text)
	}
	if got := strings.Join(all, " "); got != text || len(lines) < 3 {
		t.Errorf("got %q", all)
	}
	long := strings.Repeat("m", 40)
	lines = set(t, "en", long, typeset.Auto, 10)
	all = nil
	for _, l := range lines {
		if l.Width > 10 {
			t.Errorf("%q is %.2f em wide", l.Text, l.Width)
		}
		all = append(all, l.Text)
	}
	if strings.Join(all, "") != long || len(lines) < 4 {
		t.Errorf("a word without a break came out as %q", all)
	}
	if lines = set(t, "zh", "人工智能基础课程结业证书", typeset.Auto, 4); len(lines) != 3 {
		t.Errorf("Chinese breaks between characters: got %d lines", len(lines))
	}
}

// TestShippedWords holds the program to its word: each of its languages can be set with nothing but the program.
func TestShippedWords(t *testing.T) {
	files, err := filepath.Glob("../../../i18n/locales/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d catalogues, %v", len(files), err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var words map[string]any
		if err := json.Unmarshal(b, &words); err != nil {
			t.Fatal(err)
		}
		setter := new(typeset.Library).NewSetter(strings.TrimSuffix(filepath.Base(file), ".json"))
		tried := 0
		for key, v := range words {
			text, ok := v.(string)
			if !ok || !strings.HasPrefix(key, "credential.") && !strings.HasPrefix(key, "paper.") && !strings.HasPrefix(key, "date.") {
				continue
			}
			tried++
			for _, w := range []typeset.Weight{typeset.Regular, typeset.Bold} {
				if _, err := setter.Set(text, w, typeset.Auto, 0); err != nil {
					t.Errorf("%s: %s: %v", filepath.Base(file), key, err)
				}
			}
		}
		if tried < 20 {
			t.Errorf("%s: only %d texts", filepath.Base(file), tried)
		}
	}
}

func TestMissing(t *testing.T) {
	_, err := new(typeset.Library).NewSetter("en").Set("Ana ไทย \U0010FFFD", typeset.Bold, typeset.Auto, 0)
	var missing *typeset.MissingError
	if !errors.As(err, &missing) || string(missing.Runes) != "ไทย\U0010FFFD" {
		t.Errorf("got %v", err)
	}
}

// Characters that show nothing are in names by accident or by malice, some of them not even assigned: they are set with their neighbours, or
// alone.
func TestWhatShowsNothing(t *testing.T) {
	library := new(typeset.Library)
	setter, width := library.NewSetter("en"), 0.0
	tried, good := 0, 0
	for _, table := range []*unicode.RangeTable{unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point} {
		for r := rune(0); r <= unicode.MaxRune; r++ {
			if !unicode.Is(table, r) || tried > 300 && r%61 != 0 {
				continue
			}
			tried++
			for _, text := range []string{string(r), "Ana" + string(r), string(r) + "Ana", "An" + string(r) + "a", "ليلى" + string(r) + "王"} {
				lines, err := setter.Set(text, typeset.Bold, typeset.Auto, 0)
				// Some are drawn after all, such as signs below numbers: those may be missing.
				var missing *typeset.MissingError
				if err != nil && !errors.As(err, &missing) {
					t.Fatalf("%+q: %v", text, err)
				}
				if err == nil {
					good++
				}
				for _, l := range lines {
					width = max(width, l.Width)
				}
			}
		}
	}
	if tried < 300 || good < 4*tried || width == 0 {
		t.Errorf("%d tried, %d set, the widest %f", tried, good, width)
	}
}

func TestMarksOnAnything(t *testing.T) {
	for _, text := range []string{"é", "e\u0301", "ẹ́", "Nguyễn Thị Ánh", "Ọ̀ṣun", "Ŋ̃", "Ægir Þór", "Ğülşen", "Жұмабай", "Ѓорѓи", "Γιώργος", "L’Hôpital"} {
		set(t, "en", text, typeset.Auto, 0)
	}
}

func TestHugeText(t *testing.T) {
	if _, err := new(typeset.Library).NewSetter("en").Set(strings.Repeat("x", typeset.MaxRunes+1), typeset.Regular, typeset.Auto, 0); err == nil {
		t.Error("a text without end was set")
	}
}

// TestLargeFontsLeave wants what is large out of memory when nobody has used it for a while.
func TestLargeFontsLeave(t *testing.T) {
	dir := folder(t)
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	l := &typeset.Library{Dir: dir, Now: func() time.Time { return now }}
	use := func(text string) string {
		lines, err := l.NewSetter("zh").Set(text, typeset.Regular, typeset.Auto, 0)
		if err != nil {
			t.Fatal(err)
		}
		return lines[0].Clusters[0].Font.Name
	}
	if got := use("𬭎"); got != "NotoSansCJK-Regular" { // in no font of the program
		t.Fatalf("set with %s", got)
	}
	before := l.Held()
	now = now.Add(6 * time.Minute)
	use("a")
	if after := l.Held(); !slices.Contains(before, "NotoSansCJK-Regular.ttc#2") || slices.Contains(after, "NotoSansCJK-Regular.ttc#2") {
		t.Errorf("held %q before and %q after", before, after)
	}
	use("𬭎")
}

// TestNamesOfTheWorld sets names in scripts that no shipped language uses.
func TestNamesOfTheWorld(t *testing.T) {
	l := &typeset.Library{Dir: folder(t)}
	for script, name := range map[string]string{
		"Hebrew": "יעל בן־דוד", "Thai": "สมชาย ใจดี", "Amharic": "አበበ በቀለ", "Bengali": "শেখ মুজিবুর", "Tamil": "கணேசன் மூர்த்தி", "Georgian": "გიორგი", "Armenian": "Արամ",
		"Khmer": "សុខា", "Burmese": "အောင်ဆန်း", "Sinhala": "සුනිල්", "Telugu": "రామారావు", "Kannada": "ರಾಜೇಶ್", "Malayalam": "ശ്രീകുമാർ", "Gujarati": "પટેલ", "Punjabi": "ਗੁਰਪ੍ਰੀਤ",
		"Odia": "ପ୍ରଦୀପ", "Lao": "ສົມພອນ", "Tibetan": "བསྟན་འཛིན", "NKo": "ߛߎߟߋߦߡߊ߬ߣߊ", "Adlam": "𞤀𞤤𞤭𞥅", "Tifinagh": "ⴰⵎⴰⵣⵉⵖ", "Dhivehi": "އަޙްމަދު", "Syriac": "ܐܦܪܝܡ", "Cherokee": "ᏍᏏᏉᏯ",
		"Japanese": "山田 太郎 さくら", "Korean": "김민준", "rare Han": "𬭎", "Inuktitut": "ᐃᓄᒃ", "Vai": "ꕙꔤ", "Mongolian": "ᠮᠣᠩᠭᠣᠯ", "Urdu": "چودھری", "Rohingya": "𐴌𐴝𐴘",
	} {
		for _, w := range []typeset.Weight{typeset.Regular, typeset.Bold} {
			lines, err := l.NewSetter("en").Set(name, w, typeset.Auto, 0)
			if err != nil || len(lines) != 1 || lines[0].Width < 1 {
				t.Errorf("%s: %v", script, err)
			}
		}
	}
}

// folder is the folder that `make fonts` fills.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../../build/fonts")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "NotoSansCJK-Regular.ttc")); err != nil {
		t.Skip("no build/fonts: run `make fonts`, as `make test` does")
	}
	return dir
}

func FuzzSet(f *testing.F) {
	for _, s := range []string{"Ana", "محمد 12", "हिन्दी", "王小明", "\u202Eabc\u202C", "a\u0300\u0301\u0302", "\u2067א(1)\u2069", "\xff\xfe", "👩‍👩‍👧", "\U000E0001", "ﷺ"} {
		f.Add(s, uint8(3), int8(-1))
	}
	library := new(typeset.Library)
	f.Fuzz(func(t *testing.T, text string, width uint8, d int8) {
		if len(text) > 1000 || d < -1 || d > 1 {
			return
		}
		began := time.Now()
		lines, err := library.NewSetter("en").Set(text, typeset.Bold, typeset.Direction(d), float64(width)/8)
		if err != nil {
			return
		}
		if time.Since(began) > 5*time.Second {
			t.Errorf("took %s", time.Since(began))
		}
		for _, l := range lines {
			n := 0
			for _, c := range l.Clusters {
				n += len([]rune(c.Text))
			}
			if n != len([]rune(l.Text)) {
				t.Errorf("%+q is shown as %+q", l.Text, shown(l))
			}
		}
	})
}

package gate_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/curriculum/media"
	"github.com/banyan-lms/banyan/internal/curriculum/reading"
)

// keys lists findings; advice stands in brackets.
func keys(list []gate.Finding) string {
	var out []string
	for _, f := range list {
		k := strings.TrimPrefix(f.Key, "gate.")
		if f.Advice {
			k = "(" + k + ")"
		}
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestMedia(t *testing.T) {
	good := gate.Medium{File: "a.svg", Licence: "CC-BY-SA-4.0", Source: "Drawn for this course", Author: "Nadia", Line: 3, Used: true}
	for _, tt := range []struct {
		name, course string
		change       func(m *gate.Medium)
		want         string
	}{
		{"good", "CC-BY-SA-4.0", func(*gate.Medium) {}, ""},
		{"public domain needs no author", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Licence, m.Author = "CC0-1.0", "" }, ""},
		{"none", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Licence = "" }, "no_licence"},
		{"not SPDX", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Licence = "all rights reserved" }, "unknown_licence"},
		{"misspelt", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Licence = "CC BY-SA 4.0" }, "unknown_licence"},
		{"not for trade", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Licence = "CC-BY-NC-4.0" }, "licence_misfit"},
		{"not to be changed", "CC-BY-4.0", func(m *gate.Medium) { m.Licence = "CC-BY-ND-3.0" }, "licence_misfit"},
		{"both not for trade", "CC-BY-NC-4.0", func(m *gate.Medium) { m.Licence = "CC-BY-NC-4.0" }, ""},
		{"shared alike in a freer course", "CC-BY-4.0", func(*gate.Medium) {}, "(licence_alike)"},
		{"shared alike in one not for trade", "CC-BY-NC-SA-4.0", func(*gate.Medium) {}, "(licence_alike)"},
		{"a course of an unknown licence", "LicenseRef-own", func(m *gate.Medium) { m.Licence = "CC-BY-NC-4.0" }, ""},
		{"no source", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Source = " " }, "no_source"},
		{"vague source", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Source = "The Internet." }, "no_source"},
		{"no author", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Author = "" }, "no_author"},
		{"unused", "CC-BY-SA-4.0", func(m *gate.Medium) { m.Used = false }, "(unused_medium)"},
	} {
		m := good
		tt.change(&m)
		if got := keys(gate.Media(tt.course, []gate.Medium{m})); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAlt(t *testing.T) {
	for text, want := range map[string]string{
		"A leaf with two brown spots":         "",
		"two-spots.jpg":                       "alt_is_a_name",
		"IMG_2041":                            "alt_is_a_name",
		"Two spots":                           "alt_is_a_name",
		"two_spots":                           "alt_is_a_name",
		"figure 3":                            "alt_is_a_name",
		"Leaf":                                "alt_too_short",
		"":                                    "alt_too_short",
		strings.Repeat("ab ", 101):            "alt_too_long",
		strings.Repeat("é", 300):              "",
		"Picture of a leaf with spots":        "(alt_says_picture)",
		"The picture shows nothing but a cat": "",
	} {
		if got := keys(gate.Alt("lessons/a.md", 3, "two-spots.jpg", text)); got != want {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
}

func TestSound(t *testing.T) {
	for _, tt := range []struct {
		words int
		lasts time.Duration
		want  string
	}{{100, time.Minute, ""}, {39, time.Minute, "(transcript_short)"}, {1, 5 * time.Second, ""}, {400, 12 * time.Minute, "(transcript_short)"}} {
		if got := keys(gate.Transcript("lessons/a.md", 3, tt.words, tt.lasts)); got != tt.want {
			t.Errorf("%d words in %v: %q", tt.words, tt.lasts, got)
		}
	}
	minute := func(codec string, bytes int) media.Sound {
		return media.Sound{Codec: codec, Duration: time.Minute, Data: make([]byte, bytes)}
	}
	for _, tt := range []struct {
		s    media.Sound
		want string
	}{
		{minute("opus", 160_000), ""}, // 21 kbit/s
		{minute("opus", 600_000), "(recording_heavy)"},
		{minute("mp3", 960_000), "(recording_heavy)"},
		{minute("pcm", 5_000_000), "(recording_heavy)"},
		{minute("mp3", 120_000), ""}, // nothing is saved
	} {
		got := gate.Recording("talk.mp3", tt.s)
		if keys(got) != tt.want {
			t.Errorf("%s of %d: %q", tt.s.Codec, len(tt.s.Data), keys(got))
		}
		want := "ffmpeg -i media/talk.mp3 -ac 1 -c:a libopus -b:a 24k -application voip media/talk.opus"
		if tt.s.Codec == "pcm" {
			want = "opusenc --bitrate 24 --downmix-mono --speech media/talk.mp3 media/talk.opus"
		}
		if len(got) > 0 && got[0].Args["Command"] != want {
			t.Errorf("the cure is %v", got[0].Args)
		}
	}
}

func TestDrawing(t *testing.T) {
	const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<rect width="100" height="50" fill="#fff"/>
<text x="10" y="20" fill="#999">pale</text>
<text x="10" y="40">good</text>
<text x="10" y="80" fill="#eee">on the sheet</text>
</svg>`
	got := gate.Drawing("media/a.svg", []byte(svg))
	if len(got) != 2 || got[0].Key != "gate.contrast" || got[0].Line != 3 || got[0].Args["Ratio"] != 2.8 || got[1].Key != "gate.contrast" || got[1].Line != 5 {
		t.Errorf("%+v", got)
	}
}

func TestLessons(t *testing.T) {
	light := gate.Lesson{File: "lessons/a.md", Locale: "en", Source: true, Weight: gate.Weight{Text: 5000, Pictures: 50_000, All: 300_000}}
	for _, tt := range []struct {
		name   string
		change func(l *gate.Lesson)
		budget gate.Budget
		level  gate.Level
		want   string
	}{
		{"light", func(*gate.Lesson) {}, gate.Budget{}, gate.Level{}, ""},
		{"text", func(l *gate.Lesson) { l.Weight.Text = 41 << 10 }, gate.Budget{}, gate.Level{}, "text_heavy"},
		{"just", func(l *gate.Lesson) { l.Weight.Text = 40 << 10 }, gate.Budget{}, gate.Level{}, ""},
		{"pictures", func(l *gate.Lesson) { l.Weight.Pictures = 5000 + 100<<10 + 1 }, gate.Budget{}, gate.Level{}, "pictures_heavy"},
		{"recordings", func(l *gate.Lesson) { l.Weight.All = 50_000 + 501<<10 }, gate.Budget{}, gate.Level{}, "audio_heavy"},
		{"its own budget", func(l *gate.Lesson) { l.Weight.All = 50_000 + 501<<10 }, gate.Budget{Audio: 600}, gate.Level{}, ""},
		{"a smaller budget", func(*gate.Lesson) {}, gate.Budget{Text: 4}, gate.Level{}, "text_heavy"},
		{"hard", func(l *gate.Lesson) { l.Level.Grade = 9.1 }, gate.Budget{}, gate.Level{}, "(hard_to_read)"},
		{"hard against a wish", func(l *gate.Lesson) { l.Level.Grade = 9.1 }, gate.Budget{}, gate.Level{Grade: 9}, "hard_to_read"},
		{"a hard translation", func(l *gate.Lesson) { l.Level.Grade, l.Source = 9.1, false }, gate.Budget{}, gate.Level{Grade: 9}, "(hard_to_read)"},
		{"easy enough", func(l *gate.Lesson) { l.Level.Grade = 11 }, gate.Budget{}, gate.Level{Grade: 12}, ""},
		{"no formula", func(l *gate.Lesson) { l.Level = reading.Level{} }, gate.Budget{}, gate.Level{Grade: 1}, ""},
	} {
		l := light
		tt.change(&l)
		if tt.name == "text" || tt.name == "just" {
			l.Weight.Pictures, l.Weight.All = l.Weight.Text, l.Weight.Text
		}
		if got := keys(gate.Lessons([]gate.Lesson{l}, tt.budget, tt.level)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestSent(t *testing.T) {
	if n := gate.Sent([]byte("short")); n != 5 {
		t.Error(n)
	}
	for range 2 { // the second time it is remembered
		if n := gate.Sent([]byte(strings.Repeat("the same words again ", 500))); n > 300 || n < 50 {
			t.Error(n)
		}
	}
}

func TestMemo(t *testing.T) {
	var m gate.Memo[int]
	made := 0
	for i := range 30_000 {
		key := [32]byte{byte(i), byte(i >> 8), byte(i >> 16)}
		for range 2 {
			if got := m.Find(key, func() int { made++; return i }); got != i {
				t.Fatalf("%d is %d", i, got)
			}
		}
	}
	if made != 30_000 {
		t.Errorf("made %d times", made)
	}
}

// Each rule at its very edge: what is just right is taken, what is just beyond is not.
func TestEdges(t *testing.T) {
	medium := func(source string) gate.Medium {
		return gate.Medium{File: "a.png", Licence: "CC0-1.0", Source: source, Author: "A", Line: 2, Used: true}
	}
	sound := func(codec string, seconds, bytes int) media.Sound {
		return media.Sound{Codec: codec, Duration: time.Duration(seconds) * time.Second, Data: make([]byte, bytes)}
	}
	lesson := gate.Lesson{File: "lessons/a.md", Locale: "en", Source: true, Level: reading.Level{Grade: 9}}
	for _, tt := range []struct {
		name string
		got  []gate.Finding
		want string
	}{
		{"a source of three letters", gate.Media("CC0-1.0", []gate.Medium{medium("WHO")}), ""},
		{"of two", gate.Media("CC0-1.0", []gate.Medium{medium("me")}), "no_source"},
		{"five letters of alternative text", gate.Alt("a.md", 1, "road.svg", "A map"), ""},
		{"four", gate.Alt("a.md", 1, "road.svg", "Map."), "alt_too_short"},
		{"40 words in a minute", gate.Transcript("a.md", 1, 40, time.Minute), ""},
		{"39", gate.Transcript("a.md", 1, 39, time.Minute), "(transcript_short)"},
		{"a quarter of a minute", gate.Transcript("a.md", 1, 9, 15*time.Second), "(transcript_short)"},
		{"less", gate.Transcript("a.md", 1, 0, 15*time.Second-time.Millisecond), ""},
		{"Opus at 40 kbit/s", gate.Recording("a.opus", sound("opus", 10, 50_000)), ""},
		{"a little more", gate.Recording("a.opus", sound("opus", 10, 50_002)), "(recording_heavy)"},
		{"another codec at the rate of speech", gate.Recording("a.mp3", sound("mp3", 10, 40_000)), "(recording_heavy)"},
		{"nothing to gain", gate.Recording("a.mp3", sound("mp3", 10, 30_000)), ""},
		{"a byte to gain", gate.Recording("a.mp3", sound("mp3", 10, 30_001)), "(recording_heavy)"},
		{"just the wanted year", gate.Lessons([]gate.Lesson{lesson}, gate.Budget{}, gate.Level{Grade: 9}), ""},
		{"a little beyond", gate.Lessons([]gate.Lesson{lesson}, gate.Budget{}, gate.Level{Grade: 8.9}), "hard_to_read"},
	} {
		if got := keys(tt.got); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	if got, want := (gate.Weight{Text: 1, Pictures: 20, All: 300}).Add(gate.Weight{Text: 2, Pictures: 30, All: 400}), (gate.Weight{Text: 3, Pictures: 50, All: 700}); got != want {
		t.Errorf("the sum is %+v", got)
	}
	for n, compressed := range map[int]bool{859: false, 860: true} {
		if got := gate.Sent(make([]byte, n)); (got < n) != compressed {
			t.Errorf("%d bytes are sent as %d", n, got)
		}
	}
	// A memo that is full begins anew, and not one too late.
	var m gate.Memo[int]
	made := 0
	find := func(i int) { m.Find([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}, func() int { made++; return i }) }
	for i := range 20_001 {
		find(i)
	}
	if find(0); made != 20_002 {
		t.Errorf("made %d times: what a full memo forgot was known", made)
	}
}

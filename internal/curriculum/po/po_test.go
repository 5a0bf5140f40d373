package po_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/po"
	"github.com/banyan-lms/banyan/internal/fault"
)

func parse(t *testing.T, text string) *po.File {
	t.Helper()
	f, err := po.Parse("x.po", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// bare leaves out what depends on the layout.
func bare(f *po.File) po.File {
	c := f.Unindexed()
	c.Header.Line, c.Header.StrLine = 0, 0
	for i := range c.Entries {
		c.Entries[i].Line, c.Entries[i].StrLine = 0, 0
	}
	return *c
}

func TestParse(t *testing.T) {
	f := parse(t, "\xef\xbb\xbf# Title\r\n#\r\nmsgid \"\"\r\nmsgstr \"\"\r\n\"Language: fr\\n\"\r\n\"Content-Type: text/plain; charset=utf-8\\n\"\r\n"+
		"\r\n#  kept  \r\n#. note\r\n#. severity: removed\r\n#: a.md:1 \u2068b c.md\u2069:2\r\n#: d.md:3\r\n#, c-format, fuzzy\r\n#| msgctxt \"k0\"\r\n#| msgid \"\"\r\n#| \"old \"\r\n#| \"text\"\r\n"+
		"msgctxt \"k1\"\r\nmsgid \"\"\r\n\"new \"\r\n\"\\\"text\\\"\\n\\ttab \\\\ \\x41\\102\"\r\nmsgstr \"neu\" \"er\"\r\n"+
		"msgid \"day\"\nmsgid_plural \"days\"\nmsgstr[0] \"jour\"\nmsgstr[1] \"jours\"\n\n"+
		"# why\n#~| msgid \"older\"\n#~ msgctxt \"k2\"\n#~ msgid \"gone\"\n#~ msgstr \"\"\n#~ \"weg\"\n# the end\n")
	want := []po.Entry{
		{
			Comments: []string{"  kept"}, Extracted: []string{"note", "severity: removed"}, References: []string{"a.md:1", "\u2068b c.md\u2069:2", "d.md:3"}, Flags: []string{"c-format", "fuzzy"},
			Previous: &po.Previous{HasContext: true, Context: "k0", HasID: true, ID: "old text"},
			Context:  "k1", HasContext: true, ID: "new \"text\"\n\ttab \\ AB", Str: []string{"neuer"}, Line: 18, StrLine: 22,
		},
		{ID: "day", HasPlural: true, Plural: "days", Str: []string{"jour", "jours"}, Line: 23, StrLine: 25},
		{Comments: []string{" why"}, Previous: &po.Previous{HasID: true, ID: "older"}, Context: "k2", HasContext: true, ID: "gone", Str: []string{"weg"}, Obsolete: true, Line: 30, StrLine: 32},
	}
	if !reflect.DeepEqual(f.Entries, want) {
		t.Errorf("got  %+v\nwant %+v", f.Entries, want)
	}
	if f.Field("language") != "fr" || !reflect.DeepEqual(f.Header.Comments, []string{" Title", ""}) || !reflect.DeepEqual(f.Tail, []string{" the end"}) {
		t.Errorf("header %+v tail %q", f.Header, f.Tail)
	}
	if got := f.Find("k2"); len(got) != 1 || got[0].ID != "gone" {
		t.Errorf("find: %+v", got)
	}
}

func TestRefuses(t *testing.T) {
	const head = "msgid \"\"\nmsgstr \"Content-Type: text/plain; charset=UTF-8\\n\"\n\n"
	tests := []struct {
		name, text, want string
	}{
		{"quote never closed", head + "msgid \"a\nmsgstr \"b\"\n", "4 po.open_quote"},
		{"quote eaten by backslash", head + "msgid \"a\\\"\nmsgstr \"b\"\n", "4 po.open_quote"},
		{"no quote", head + "msgid a\nmsgstr \"b\"\n", "4 po.no_quote"},
		{"words after the quote", head + "msgid \"a\" b\nmsgstr \"b\"\n", "4 po.after_quote"},
		{"unescaped quote inside", head + "msgid \"say \"yes\" now\"\nmsgstr \"b\"\n", "4 po.after_quote"},
		{"unknown escape", head + "msgid \"a\\q\"\nmsgstr \"b\"\n", "4 po.bad_escape"},
		{"loose words", head + "hello\n", "4 po.not_a_line"},
		{"unknown keyword", head + "message \"a\"\n", "4 po.unknown_keyword"},
		{"domain", "domain \"x\"\n", "1 po.unknown_keyword"},
		{"no msgstr", head + "msgid \"a\"\n\nmsgid \"b\"\nmsgstr \"b\"\n", "6 po.misplaced"},
		{"no msgstr at the end", head + "msgid \"a\"\n", "4 po.no_msgstr"},
		{"comment only of a program", head + "#: a.md:1\n", "1 po.no_msgstr"},
		{"comment inside", head + "msgid \"a\"\n# no\nmsgstr \"b\"\n", "5 po.comment_inside"},
		{"previous too late", head + "msgid \"a\"\n#| msgid \"b\"\nmsgstr \"b\"\n", "5 po.previous_late"},
		{"text alone", head + "# c\n\"a\"\n", "5 po.text_without_keyword"},
		{"half obsolete", head + "#~ msgid \"a\"\nmsgstr \"b\"\n", "5 po.mixed_marks"},
		{"half obsolete text", head + "#~ msgid \"a\"\n#~ msgstr \"b\"\n\"c\"\n", "6 po.mixed_marks"},
		{"duplicate", head + "msgctxt \"k\"\nmsgid \"a\"\nmsgstr \"\"\n\nmsgctxt \"k\"\nmsgid \"a\"\nmsgstr \"\"\n", "8 po.duplicate"},
		{"duplicate of an obsolete one", head + "msgid \"a\"\nmsgstr \"\"\n#~ msgid \"a\"\n#~ msgstr \"x\"\n", "6 po.duplicate"},
		{"second header", head + "msgid \"a\"\nmsgstr \"\"\nmsgid \"\"\nmsgstr \"x\"\n", "6 po.second_header"},
		{"plural forms out of order", head + "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[1] \"x\"\n", "6 po.plural_order"},
		{"plural forms far out", head + "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr[999999999] \"x\"\n", "6 po.plural_order"},
		{"plural without forms", head + "msgid \"a\"\nmsgid_plural \"b\"\nmsgstr \"x\"\n", "6 po.misplaced"},
		{"other charset", "\n\nmsgid \"\"\nmsgstr \"Content-Type: text/plain; charset=ISO-8859-1\\n\"\n", "3 po.charset"},
		{"UTF-16", "\xff\xfem\x00", "1 po.charset"},
		{"Latin-1 bytes", head + "msgid \"a\"\nmsgstr \"\xe9\"\n", "5 po.not_utf8"},
		{"Latin-1 by escape", head + "msgid \"a\"\nmsgstr \"\\xe9\"\n", "4 po.not_utf8"},
		{"bell by escape", head + "msgid \"a\"\nmsgstr \"\\a\"\n", "4 po.control_character"},
		{"zero byte", head + "msgid \"a\x00\"\n", "4 po.control_character"},
		{"a control character of Latin-1", head + "msgid \"a\u0085\"\n", "4 po.control_character"},
		{"old Mac", "msgid \"a\"\rmsgstr \"b\"\r", "1 po.control_character"},
		{"long line", head + "msgid \"" + strings.Repeat("a", 300<<10) + "\"\n", "4 po.long_line"},
		{"long text", head + "msgid \"a\"\nmsgstr \"\"\n" + strings.Repeat("\""+strings.Repeat("a", 999)+"\"\n", 70), "71 po.long_text"},
		{"endless comments", head + strings.Repeat("#\n", 5000) + "msgid \"a\"\nmsgstr \"\"\n", "4100 po.long_comments"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := po.Parse("x.po", []byte(tt.text))
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || len(f.Details) == 0 {
				t.Fatalf("got %v", err)
			}
			if got := fmt.Sprintf("%d %s", f.Details[0].Line, f.Details[0].Key); got != tt.want || f.Details[0].File != "x.po" {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestReportsEveryFault(t *testing.T) {
	_, err := po.Parse("x.po", []byte("msgid \"a\nmsgstr \"b\"\n\n# c\nmsgid \"c\"\nmsgstr \"d\"\n\nmsgid \"e\" f\nmsgstr \"g\"\n"))
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Details) != 2 || f.Details[1].Line != 8 {
		t.Fatalf("got %v", err)
	}
}

// random makes any file that can be held.
func random(r *rand.Rand) *po.File {
	runes := []rune("ab c\n\t\"\\#~|é中א٣😀\u2068\u00a0")
	text := func(most int) string {
		var b strings.Builder
		for range r.IntN(most + 1) {
			b.WriteRune(runes[r.IntN(len(runes))])
		}
		return b.String()
	}
	line := func() string {
		return strings.TrimRight(strings.Map(func(c rune) rune {
			if c == '\n' {
				return -1
			}
			return c
		}, text(20)), " \t\u00a0")
	}
	remark := func() string {
		if s := line(); s != "" {
			return " " + s
		}
		return ""
	}
	f := &po.File{Name: "x.po"}
	if r.IntN(4) > 0 {
		f.Header = po.Entry{Str: []string{"Language: fr\n" + text(9)}}
		if r.IntN(2) == 0 {
			f.Header.Comments = []string{remark(), remark()}
		}
	}
	for i := range r.IntN(8) {
		e := po.Entry{ID: fmt.Sprint(i) + text(200), Str: []string{text(200)}, Obsolete: r.IntN(3) == 0}
		if r.IntN(2) == 0 {
			e.HasContext, e.Context = true, text(5)
		}
		if r.IntN(3) == 0 {
			e.HasPlural, e.Plural, e.Str = true, text(30), []string{text(9), text(9), text(9)}
		}
		if r.IntN(3) == 0 {
			e.Previous = &po.Previous{HasID: true, ID: text(30)}
			if r.IntN(2) == 0 {
				e.Previous.HasContext, e.Previous.Context = true, text(5)
				e.Previous.HasPlural, e.Previous.Plural = true, text(5)
			}
		}
		for range r.IntN(3) {
			e.Comments = append(e.Comments, remark())
			e.Extracted = append(e.Extracted, strings.TrimSpace(line()))
			e.References = append(e.References, fmt.Sprintf("lessons/%d.md:%d", r.IntN(99), r.IntN(99)))
		}
		if r.IntN(2) == 0 {
			e.Flags = []string{"fuzzy", "no-wrap"}[:1+r.IntN(2)]
		}
		f.Entries = append(f.Entries, e)
	}
	for range r.IntN(2) {
		f.Tail = append(f.Tail, remark())
	}
	return f
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 3000 {
		f := random(r)
		text := f.Bytes()
		got, err := po.Parse("x.po", text)
		if err != nil {
			t.Fatalf("%d: %v\n%s", i, err, text)
		}
		if want := bare(f); !reflect.DeepEqual(bare(got), want) {
			t.Fatalf("%d:\n%s\ngot  %+v\nwant %+v", i, text, bare(got), want)
		}
		if again := got.Bytes(); !bytes.Equal(again, text) {
			t.Fatalf("%d: not the same bytes", i)
		}
	}
}

// TestMsgcat holds the writer to GNU gettext's, where that is installed.
func TestMsgcat(t *testing.T) {
	msgcat, err := exec.LookPath("msgcat")
	if err != nil {
		t.Skip("GNU gettext is not installed")
	}
	names, _ := filepath.Glob("testdata/*.po")
	if len(names) < 4 {
		t.Fatal("no samples")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := exec.CommandContext(t.Context(), msgcat, "--no-wrap", name).Output()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want = bytes.ReplaceAll(want, []byte("\r"), nil) // it takes a CR for a part of the comment
		f, err := po.Parse(name, data)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Bytes(); !bytes.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	f := &po.File{}
	f.SetField("Language", "ar")
	f.SetField("X-A", "1")
	f.SetField("language", "fr")
	f.SetField("X-B", "")
	if got := f.Header.Str[0]; got != "language: fr\nX-A: 1\n" {
		t.Errorf("got %q", got)
	}
	f.SetField("x-a", "")
	if got := f.Header.Str[0]; got != "language: fr\n" {
		t.Errorf("got %q", got)
	}
}

func TestDigest(t *testing.T) {
	const one = "#: a:1\nmsgctxt \"k\"\nmsgid \"a\"\nmsgstr \"b\"\n"
	d := parse(t, one).Digest()
	same := []string{
		"# hello\nmsgctxt \"k\"\nmsgid \"\"\n\"a\"\nmsgstr \"b\"\n",
		one + "\nmsgctxt \"l\"\nmsgid \"c\"\nmsgstr \"\"\n",
		"#, fuzzy\n#| msgid \"a\"\nmsgctxt \"k\"\nmsgid \"a2\"\nmsgstr \"b\"\n",
		"#~ msgctxt \"k\"\n#~ msgid \"a\"\n#~ msgstr \"b\"\n",
	}
	other := []string{
		"msgctxt \"k\"\nmsgid \"a\"\nmsgstr \"b2\"\n",
		"msgctxt \"k\"\nmsgid \"a2\"\nmsgstr \"b\"\n",
		"#, fuzzy\nmsgctxt \"k\"\nmsgid \"a\"\nmsgstr \"b\"\n",
		"msgctxt \"k2\"\nmsgid \"a\"\nmsgstr \"b\"\n",
		one + "\nmsgctxt \"l\"\nmsgid \"c\"\nmsgstr \"d\"\n",
	}
	for _, text := range same {
		if parse(t, text).Digest() != d {
			t.Errorf("another digest:\n%s", text)
		}
	}
	for _, text := range other {
		if parse(t, text).Digest() == d {
			t.Errorf("the same digest:\n%s", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	names, _ := filepath.Glob("testdata/*.po")
	for _, name := range names {
		data, _ := os.ReadFile(name)
		f.Add(data)
	}
	f.Add([]byte("#~| msgid \"a\"\n#~ msgid \"\\x4\"\n#~ msgstr[0] \"\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := po.Parse("x.po", data)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatal(err)
			}
			return
		}
		text := got.Bytes()
		again, err := po.Parse("x.po", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if !bytes.Equal(again.Bytes(), text) || again.Digest() != got.Digest() {
			t.Fatalf("not the same:\n%s\n%s", text, again.Bytes())
		}
	})
}

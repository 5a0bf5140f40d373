package segment_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

const page = `# What a model is

A model is made
from examples. See **this**:\
a new line.

- one
- two

  more of two
  - inner

> A quotation
> of two lines.

| a | b |
|---|---|
| 1 | 2 |

` + "```text\nsay it\n  twice\n```\n\n```python\nx = 1 {#notanids}\n{#stillnot}\n```\n" + `
::: example One task
Body.
:::

::: figure leaf.svg
:alt: A leaf with two spots.
A caption.
:::

::: note
Only a body.
:::

- item with a table

  | c | d |
  |---|---|
  | 3 | 4 |
- last`

func parse(t testing.TB, src string) *segment.Page {
	t.Helper()
	p, line := segment.Parse([]byte(src))
	if line > 0 {
		t.Fatalf("too costly at line %d", line)
	}
	return p
}

func TestSegments(t *testing.T) {
	p := parse(t, page)
	want := []struct {
		kind   segment.Kind
		line   int
		source string
	}{
		{segment.Heading, 1, "What a model is"},
		{segment.Paragraph, 3, "A model is made from examples. See **this**:\\\na new line."},
		{segment.Paragraph, 7, "one"},
		{segment.Paragraph, 8, "two"},
		{segment.Paragraph, 10, "more of two"},
		{segment.Paragraph, 11, "inner"},
		{segment.Paragraph, 13, "A quotation of two lines."},
		{segment.Table, 16, "| a | b |\n|---|---|\n| 1 | 2 |"},
		{segment.Plain, 20, "say it\n  twice"},
		{segment.Title, 30, "One task"},
		{segment.Paragraph, 31, "Body."},
		{segment.Alt, 35, "A leaf with two spots."},
		{segment.Paragraph, 36, "A caption."},
		{segment.Paragraph, 40, "Only a body."},
		{segment.Paragraph, 43, "item with a table"},
		{segment.Table, 45, "| c | d |\n|---|---|\n| 3 | 4 |"},
		{segment.Paragraph, 48, "last"},
	}
	for i, s := range p.Segments {
		if i >= len(want) {
			t.Errorf("one too many: %+v", s)
			continue
		}
		if w := want[i]; s.Kind != w.kind || s.Line != w.line || s.Source != w.source || s.ID != "" {
			t.Errorf("segment %d is %s at %d: %q, want %s at %d: %q", i, s.Kind, s.Line, s.Source, w.kind, w.line, w.source)
		}
	}
	if len(p.Segments) < len(want) {
		t.Errorf("%d segments, want %d", len(p.Segments), len(want))
	}
	if len(p.Problems) > 0 {
		t.Errorf("problems: %v", p.Problems)
	}
}

var written = regexp.MustCompile(`(?m) \{#[a-z][a-z0-9]{6}\}$|^[ >]*\{#[a-z][a-z0-9]{6}\}\n|\n[ >]*\{#[a-z][a-z0-9]{6}\}$`)

func TestWriteIDs(t *testing.T) {
	out := string(segment.WriteIDs("lessons/a.md", []byte(page), map[string]bool{}))
	for _, want := range []string{"of two lines. {#", "| 1 | 2 |\n{#", "  twice\n```\n{#", "::: example One task {#", "::: figure leaf.svg {#", "::: note\n", "  | 3 | 4 |\n  {#", "x = 1 {#notanids}\n{#stillnot}\n```\n\n:::"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	if back := written.ReplaceAllString(out, ""); back != page {
		t.Errorf("other bytes changed:\n%s", back)
	}
	if again := string(segment.WriteIDs("lessons/a.md", []byte(out), map[string]bool{})); again != out {
		t.Errorf("the second time writes\n%s", again)
	}
	before, after := parse(t, page), parse(t, out)
	if !bytes.Equal(before.Text, after.Text) {
		t.Errorf("the markers change the text:\n%s", after.Text)
	}
	if len(after.Problems) > 0 {
		t.Errorf("problems: %v", after.Problems)
	}
	ids := map[string]bool{}
	for i, s := range after.Segments {
		if s.ID == "" || ids[s.ID] || s.Source != before.Segments[i].Source {
			t.Errorf("segment %+v", s)
		}
		ids[s.ID] = true
	}
	if last := after.Segments[11]; !strings.HasSuffix(last.ID, ".alt") {
		t.Errorf("alt is %q", last.ID)
	}
	// An id stays when its text is edited or moved.
	moved := parse(t, strings.Replace(out, "Body.", "Another body.", 1))
	if moved.Segments[10].ID != after.Segments[10].ID {
		t.Error("an edit took the id away")
	}
}

func TestWriteIDsKeepsBytes(t *testing.T) {
	raw := "\xef\xbb\xbf# T\r\n\r\nA  \r\nb\t\r\n\r\n| a |\r\n|---|\r\n| b |"
	out := string(segment.WriteIDs("f", []byte(raw), map[string]bool{}))
	if !regexp.MustCompile("^\xef\xbb\xbf# T \\{#\\w+\\}\r\n\r\nA  \r\nb\t \\{#\\w+\\}\r\n\r\n\\| a \\|\r\n\\|---\\|\r\n\\| b \\|\r\n\\{#\\w+\\}$").MatchString(out) {
		t.Errorf("%q", out)
	}
	if again := string(segment.WriteIDs("f", []byte(out), map[string]bool{})); again != out {
		t.Errorf("again: %q", again)
	}
}

func TestIDsAreForetold(t *testing.T) {
	p := parse(t, page)
	segment.GiveIDs("lessons/a.md", p.Segments, map[string]bool{})
	out := parse(t, string(segment.WriteIDs("lessons/a.md", []byte(page), map[string]bool{})))
	for i, s := range p.Segments {
		if s.ID != out.Segments[i].ID {
			t.Errorf("%q foretold, %q written", s.ID, out.Segments[i].ID)
		}
	}
	taken := map[string]bool{}
	a, b := segment.NewID("f", "x", taken), segment.NewID("f", "x", taken)
	if a == b || !regexp.MustCompile("^"+segment.ID+"$").MatchString(a) {
		t.Errorf("%q and %q", a, b)
	}
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, src, key string
		line           int
	}{
		{"none", "# T {#abcdef}\n\nA {#bcdefg}\n\n::: note {#cdefgh}\nb\n:::\n", "", 0},
		{"inside a paragraph", "# T\n\na {#abcdef}\nb\n", "lesson.stray_segment_id", 3},
		{"below nothing", "# T\n\n---\n{#abcdef}\n", "lesson.stray_segment_id", 4},
		{"first line", "{#abcdef}\n# T\n", "lesson.stray_segment_id", 1},
		{"behind a table row", "# T\n\n| a |\n|---|\n| b | {#abcdef}\n", "lesson.stray_segment_id", 5},
		{"below python", "# T\n\n```python\na\n```\n{#abcdef}\n", "lesson.stray_segment_id", 6},
		{"short", "# T\n\na {#abc}\n", "lesson.bad_segment_id", 3},
		{"two", "# T\n\na {#abcdef} {#bcdefg}\n", "lesson.bad_segment_id", 3},
		{"upper case", "# T {#My-Heading}\n", "lesson.bad_segment_id", 1},
	} {
		p := parse(t, tt.src)
		if tt.key == "" {
			if len(p.Problems) > 0 {
				t.Errorf("%s: %v", tt.name, p.Problems)
			}
			continue
		}
		if len(p.Problems) != 1 || p.Problems[0].Key != tt.key || p.Problems[0].Line != tt.line {
			t.Errorf("%s: %+v, want %s at %d", tt.name, p.Problems, tt.key, tt.line)
		}
	}
}

func TestStarsThatMarkNothing(t *testing.T) {
	tests := []struct{ translation, want string }{
		{"叫作**词元**的片段", ""},
		{"叫作[**词元**](term:token)。", ""},
		{"叫作**[词元](term:token)**。", "translation.loose_stars"},
		{"a ** b", "translation.loose_stars"},
		{"**a", "translation.loose_stars"},
		{`\** a \*\* b`, ""},
		{"`a**b` and 2 * 3", ""},
	}
	for _, tt := range tests {
		source := "x"
		if strings.Contains(tt.translation, "term:") {
			source = "[x](term:token)"
		}
		if got, _ := segment.Misfit(segment.Paragraph, source, tt.translation); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.translation, got, tt.want)
		}
	}
}

func FuzzWriteIDs(f *testing.F) {
	for _, s := range []string{
		page, "# T\n\n- ```text\n  x\n```\n", "- | a |\n  |---|\n- b\n", "> | a |\n> |---|\n> b\n", "a\n===\n", "::: reveal q\n:x: y\n\n:::\n", "~~~text\na {#abcdef}\n", "```text\n```\n",
		"1. a\n\n       b {#abcdef}\n", "a\\\nb  \nc\n", "\xef\xbb\xbf# T\r\n", "> a\nb\n", "- a\n\n  ```text\n  {#abcdef}\n  ```\n  {#bcdefg}\n", "{#abcdef}\n{#bcdefg}\n", "::: figure x\n:alt: y {#abcdef}\n:::\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 20000 {
			return
		}
		p, line := segment.Parse(segment.Normal([]byte(src)))
		if line > 0 || len(p.Problems) > 0 {
			return
		}
		taken := map[string]bool{}
		for id, lines := range p.Marked() {
			if len(lines) > 1 {
				return
			}
			taken[id] = true
		}
		out := segment.WriteIDs("f", []byte(src), taken)
		q, line := segment.Parse(segment.Normal(out))
		if line > 0 {
			return // it grew over a bound
		}
		if !bytes.Equal(p.Text, q.Text) {
			t.Fatalf("text changes:\n%q\n%q", p.Text, q.Text)
		}
		if len(q.Problems) > 0 || len(p.Segments) != len(q.Segments) {
			t.Fatalf("%q: %d segments, then %d of\n%q %v", src, len(p.Segments), len(q.Segments), out, q.Problems)
		}
		for i, s := range q.Segments {
			if s.ID == "" || s.Source != p.Segments[i].Source || p.Segments[i].ID != "" && p.Segments[i].ID != s.ID {
				t.Fatalf("segment %+v was %+v", s, p.Segments[i])
			}
		}
		if again := segment.WriteIDs("f", out, map[string]bool{}); !bytes.Equal(again, out) {
			t.Fatalf("again:\n%q\n%q", out, again)
		}
	})
}

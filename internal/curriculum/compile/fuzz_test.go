package compile_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/fault"
)

// quick fails when a small input takes long: the sign of a parser gone quadratic.
func quick(t *testing.T, what func()) {
	t.Helper()
	start := time.Now()
	what()
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %s", d)
	}
}

// sound wants a compiled course or a fault of the course, and nothing else.
func sound(t *testing.T, m fstest.MapFS) (compile.Result, bool) {
	t.Helper()
	c, err := compile.Course(m, compile.Options{})
	if err == nil {
		return c, true
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != "course.invalid" || len(f.Details) == 0 {
		t.Fatalf("not a fault of a course: %v", err)
	}
	for _, d := range f.Details {
		if d.File == "" || d.Line < 1 {
			t.Errorf("fault without a place: %+v", d)
		}
		if file := m[d.File]; file != nil && d.Line > 1+strings.Count(string(file.Data), "\n") {
			t.Errorf("fault beyond the end of the file: %+v", d)
		}
	}
	return compile.Result{}, false
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{
		"# T\n\ntext <b>x</b> [a](javascript:x) ![i](x)\n", "# T\n\n::: note\n- a\n\n```\n:::\n```\n:::\n", "# T\n\n::: example <x>\na\n:::\n",
		"# T\n\n| a | b |\n|--:|---|\n| `c` | <https://e.org> |\n", "# T\n\n> - 1. > x\n\n&lt;script&gt; &#60;script&#62;\n", "# T\n\n[a]: https://e.org 'x\"onclick=y'\n\n[a] [b](lesson:second)\n",
		"T\n=\n\n## <x> {#y}\n\n***a**b*\n", "# T\n\n    code <script>\n\n``` a b<c>\n<script>\n```\n", "# T\n\n" + strings.Repeat("*a ", 600), "# T\n\n::: note\n::: activity\nx\n:::\n", "# T {#abcdef}\n\n::: figure road.svg {#bcdefg}\n:alt: <b>\"x\n:::\n\n::: reveal <i>q</i>\n[x](term:training)\n:::\n", "# T\n\n::: audio talk.opus\n:title: t\n::: lab echo\n:::\n", "# T\n\n```text\n<script>\n{#abcdef}\n```\n{#bcdefg}\n",
		"# T\n\n\\<script> <scr\nipt> <!-- --> <?php ?> <![CDATA[x]]>\n", "# T\n\n[x](https://e.org/\"onmouseover=alert(1))\n", "# \u202ex\n\n\u2028::: note\n",
	} {
		f.Add(s)
	}
	course := coursetest.Copy(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 20000 {
			return
		}
		m := fstest.MapFS{}
		for k, v := range course {
			m[k] = v
		}
		m["lessons/second.md"] = &fstest.MapFile{Data: []byte(text)}
		var c compile.Result
		var ok bool
		quick(t, func() { c, ok = sound(t, m) })
		if !ok {
			return
		}
		it := item(t, c, "second")
		if it.Title["en"] == "" || strings.Contains(it.Title["en"], "\n") {
			t.Errorf("title %q", it.Title["en"])
		}
		coursetest.Inert(t, string(c.Blobs[it.Fragment["en"]]))
	})
}

func FuzzYAML(f *testing.F) {
	for _, name := range []string{"course.yaml", "quizzes/exam.yaml", "labs/echo/lab.yaml", "glossary.yaml", "media.yaml"} {
		f.Add(name, coursetest.Read(f, name))
		f.Add(name, "a: [b, {c: &d e}]\n")
		f.Add(name, "? [a]\n: b\n")
		f.Add(name, "<<: *x\n")
		f.Add(name, "- - - - a\n")
		f.Add(name, "%YAML 1.2\n---\na: !!float .nan\n")
		f.Add(name, "a: |2-\n   x\n  y\n")
	}
	course := coursetest.Copy(f)
	f.Fuzz(func(t *testing.T, name, text string) {
		if course[name] == nil || len(text) > 20000 {
			return
		}
		m := fstest.MapFS{}
		for k, v := range course {
			m[k] = v
		}
		m[name] = &fstest.MapFile{Data: []byte(text)}
		quick(t, func() { sound(t, m) })
	})
}

package page_test

import (
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/page"
	"github.com/banyan-lms/banyan/internal/curriculum/segment"
)

func words(say func(id, source string) page.Said) page.Words {
	return page.Words{
		Segment: say,
		Lab:     func(id string) page.Said { return page.Said{Text: "Lab <" + id + ">"} },
		Term: func(id string) (term, definition page.Said) {
			return page.Said{Text: "<" + id + ">"}, page.Said{Text: "What & why", Locale: "en"}
		},
		Media: func(string) page.Medium {
			return page.Medium{Src: "/media/" + strings.Repeat("0f", 32) + ".svg", Width: 3, Height: 2}
		},
	}
}

func own(_, source string) page.Said { return page.Said{Text: source} }

func TestRender(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"a lone line", "a\nb", "<p>a b</p>\n"},
		{"a hard break", "a\\\nb  \nc", "<p>a<br>\nb<br>\nc</p>\n"},
		{"loose items", "- a\n\n  b\n- c", "<ul>\n<li>\n<p>a</p>\n<p>b</p>\n</li>\n<li>\n<p>c</p>\n</li>\n</ul>\n"},
		{"an inner list", "1. a\n   - b", "<ol>\n<li>a\n<ul>\n<li>b</li>\n</ul>\n</li>\n</ol>\n"},
		{"a head alone", "| a |\n|--:|", "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead>\n<tr>\n<th class=\"end\" scope=\"col\">a</th>\n</tr>\n</thead>\n</table></div>\n"},
		{"a term twice", "[a](term:xx) [b](term:xx)", "<p><a href=\"#term-xx\">a</a> <a href=\"#term-xx\">b</a></p>\n<section class=\"block terms\" data-label=\"block.terms\">\n<dl>\n<div><dt id=\"term-xx\"><dfn>&lt;xx&gt;</dfn></dt><dd lang=\"en\" dir=\"ltr\" class=\"fallback\">What &amp; why</dd></div>\n</dl>\n</section>\n"},
		{"an activity with a title", "::: activity *Go* {#abcdef}\nOut.\n:::", "<section class=\"block activity\" data-label=\"block.activity\">\n<p class=\"title\"><em>Go</em></p>\n<p>Out.</p>\n</section>\n"},
		{"a lab with words", "::: lab nearest\nTry.\n:::", "<section class=\"block lab\" data-label=\"block.lab\">\n<p>Try.</p>\n<p class=\"open\"><a href=\"./nearest\">Lab &lt;nearest&gt;</a></p>\n</section>\n"},
		{"a heading twice", "## A\n\n## A", "<h2 id=\"h-a\">A</h2>\n<h2 id=\"h-a.2\">A</h2>\n"},
	} {
		p, _ := segment.Parse([]byte(tt.src))
		if got := string(page.Render(p, words(own)).HTML); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

// Whatever a page without faults says, and whatever its translations say, nothing in it acts.
func FuzzRender(f *testing.F) {
	for _, s := range []string{
		"a <b>x</b> [a](javascript:x) ![i](x)", "::: note\n- a\n\n```\n:::\n```\n:::", "::: reveal <x>\n[a](term:xx)\n:::", "| a | b |\n|--:|---|\n| `c` | <https://e.org> |",
		"::: figure a.svg\n:alt: \"><script>\n*x*\n:::", "::: audio a.mp3\n:title: <i>\nx\n:::", "```text\n<script>\n```", "> - 1. > x", "[a](https://e.org/\"onmouseover=alert(1)) `<b>`",
		"::: definition *a* `b`\nx\n:::", "- a\n\n      b", "a\\\n<x", "## \u202ex\n\n# y", "[x](<https://e.org/ y>)",
	} {
		f.Add(s, "translated **so** [a](lesson:xx)")
		f.Add("# T\n\n"+s, s)
	}
	f.Fuzz(func(t *testing.T, src, translated string) {
		if len(src)+len(translated) > 20000 {
			return
		}
		p, line := segment.Parse(segment.Normal([]byte(src)))
		if line > 0 {
			return
		}
		fit := true
		page.Check(p, false, page.Course{}, func(line int, key string, _ ...string) {
			if fit = false; line < 1 || line > 1+strings.Count(src, "\n") || key == "" {
				t.Fatalf("fault without a place: %d %s", line, key)
			}
		})
		if !fit {
			return
		}
		coursetest.Inert(t, string(page.Render(p, words(own)).HTML))
		kinds := map[string]segment.Kind{}
		for i := range p.Segments {
			p.Segments[i].ID = "seg" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
			kinds[p.Segments[i].ID] = p.Segments[i].Kind
		}
		coursetest.Inert(t, string(page.Render(p, words(func(id, source string) page.Said {
			if key, _ := segment.Misfit(kinds[id], source, translated); key != "" {
				return page.Said{Text: source, Locale: "ar"}
			}
			return page.Said{Text: translated, Stale: true}
		})).HTML))
	})
}

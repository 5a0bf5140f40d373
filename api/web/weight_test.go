package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

// TestWeightIsTold: readers see what an item costs before they open it, and a recording before they play it.
func TestWeightIsTold(t *testing.T) {
	w := open(t, nil, coursetest.Golden())
	_, doc := w.read("/en/courses/golden")
	it, ok := w.library.versions["golden"][0].Manifest.Item("first")
	if !ok {
		t.Fatal("no lesson")
	}
	if want := fmt.Sprintf("Lesson · %d kB", (it.Weight["en"].All+999)/1000); !strings.Contains(textOf(doc), want) {
		t.Errorf("the course does not say %q", want)
	}
	body, _ := w.read("/en/courses/golden/first")
	for _, want := range []string{
		` preload="none" `, `<p class="size">0:02 · 3.4 kB</p>`,
		`<details class="block transcript" data-label="block.transcript">` + "\n" + `<summary><span class="block-label">In writing</span> </summary>` + "\n<p>Hello.</p>",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing", want)
		}
	}
	body, _ = w.read("/ar/courses/golden/first")
	for _, want := range []string{"نص مكتوب", `<p class="size">0:02 · 3.4 ك.ب</p>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the Arabic page lacks %s", want)
		}
	}
}

package compile_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/gate"
	"github.com/banyan-lms/banyan/internal/fault"
)

// photo is a JPEG of 900 × 600 points with a place in its Exif data.
func photo(t *testing.T) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 900, 600))
	for y := range 600 {
		for x := range 900 {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), uint8(x * y >> 4), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	secret := "Exif\x00\x00SECRET PLACE"
	head := []byte{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(secret) + 2)}
	return append(append(head, secret...), b.Bytes()[2:]...)
}

func withPhoto(t *testing.T) fstest.MapFS {
	t.Helper()
	m := coursetest.Copy(t)
	m["media/farm.jpg"] = &fstest.MapFile{Data: photo(t)}
	m["media.yaml"].Data = append(m["media.yaml"].Data, "  - {file: farm.jpg, licence: CC0-1.0, source: Taken for this test, author: Banyan contributors}\n"...)
	m["lessons/second.md"].Data = append(m["lessons/second.md"].Data, "\n::: figure farm.jpg\n:alt: A farm from above.\n:::\n"...)
	return m
}

func TestPicturesAreCut(t *testing.T) {
	c := compiled(t, withPhoto(t))
	it := item(t, c, "second")
	page := string(c.Blobs[it.Fragment["en"]])
	img := regexp.MustCompile(`<img src="/media/([0-9a-f]{64})\.jpg" srcset="/media/([0-9a-f]{64})\.jpg 360w, /media/([0-9a-f]{64})\.jpg 720w" sizes="[^"]+" alt="A farm from above\." width="720" height="480" loading="lazy">`).FindStringSubmatch(page)
	if img == nil || img[1] != img[3] {
		t.Fatalf("no cuts in\n%s", page)
	}
	for d, data := range c.Blobs {
		if bytes.Contains(data, []byte("SECRET")) {
			t.Errorf("%s tells the place", d)
		}
	}
	if n := len(it.Media["en"]); n != 2 {
		t.Errorf("the lesson carries %d media, want both cuts", n)
	}
	w := it.Weight["en"]
	wide := 0
	for _, d := range it.Media["en"] {
		wide = max(wide, len(c.Blobs[d]))
	}
	if w.Text != gate.Sent(c.Blobs[it.Fragment["en"]]) || w.Pictures != w.Text+wide || w.All != w.Pictures {
		t.Errorf("weight %+v, the wide cut has %d", w, wide)
	}
	if again := compiled(t, withPhoto(t)); again.Digest != c.Digest {
		t.Error("the second time is another version")
	}
}

func TestWeights(t *testing.T) {
	c := compiled(t, coursetest.Golden())
	first := item(t, c, "first").Weight["en"]
	if first.Text == 0 || first.Pictures <= first.Text || first.All <= first.Pictures {
		t.Errorf("a lesson with pictures and a recording: %+v", first)
	}
	exam := item(t, c, "exam")
	if w := exam.Weight["ar"]; w.Text != gate.Sent(c.Blobs[exam.Data["ar"]]) || w.All != w.Text {
		t.Errorf("a quiz: %+v", w)
	}
	echo := item(t, c, "echo")
	if w := echo.Weight["en"]; w.Text != gate.Sent(c.Blobs[echo.Data["en"]])+gate.Sent(c.Blobs[echo.Fragment["en"]]) {
		t.Errorf("a lab: %+v", w)
	}
	for _, m := range c.Manifest.Modules {
		for _, it := range m.Items {
			for _, l := range c.Manifest.Locales {
				if f := c.Figures[it.ID][l]; f.Weight != it.Weight[l] || f.Words != it.Words[l] {
					t.Errorf("%s in %s: %+v", it.ID, l, f)
				}
			}
		}
	}
}

// hard is one sentence that nobody reads for pleasure.
var hard = strings.Repeat("institutional considerations regarding computational infrastructure notwithstanding, ", 15) + "administrators deliberate.\n"

func TestAdvice(t *testing.T) {
	keys := func(list []fault.Detail) string {
		var out []string
		for _, d := range list {
			out = append(out, d.File+" "+d.Key)
		}
		return strings.Join(out, ", ")
	}
	if got := keys(compiled(t, coursetest.Golden()).Advice); got != "" {
		t.Errorf("the course has advice: %s", got)
	}
	m := coursetest.Copy(t)
	m["lessons/second.md"].Data = append(m["lessons/second.md"].Data, "\n"+hard...)
	if d := compiled(t, m).Advice[0]; !strings.HasPrefix(strings.Split(string(m["lessons/second.md"].Data), "\n")[d.Line-1], "institutional") {
		t.Errorf("the longest sentence is not in line %d", d.Line)
	}
	m["media/spare.svg"] = m["media/road.svg"]
	m["media.yaml"].Data = append(m["media.yaml"].Data, "  - {file: spare.svg, licence: CC0-1.0, source: Drawn for this test, author: Banyan contributors}\n"...)
	if got := keys(compiled(t, m).Advice); got != "lessons/second.md gate.hard_to_read, media/spare.svg gate.unused_medium" {
		t.Errorf("advice: %s", got)
	}
	// With a wish in course.yaml it refuses.
	m["course.yaml"].Data = append(m["course.yaml"].Data, "reading: {grade: 9}\n"...)
	if _, err := compile.Course(m, compile.Options{}); err == nil || !strings.Contains(err.Error(), "invalid") {
		t.Errorf("a hard text against a wish: %v", err)
	}
}

// A label that fits in the source may reach beyond its ground in another language, and to the other side where the script does.
func TestContrastInEveryLanguage(t *testing.T) {
	drawing := func(label string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 100">
<rect x="150" y="0" width="60" height="100" fill="#123456"/>
` + label + `
</svg>
`
	}
	for _, tt := range []struct{ name, label, en, ar, want string }{
		{"it fits in both", `<text id="sign" x="180" y="50" font-size="10" text-anchor="middle" fill="#fff">Road</text>`, "Road", "طريق", ""},
		{"a longer word", `<text id="sign" x="180" y="50" font-size="10" text-anchor="middle" fill="#fff">Road</text>`, "Road", "طريق طويل جدا لا يسعه هذا المكان الضيق", "media/road.svg:3 gate.contrast"},
		{"a longer word that only stands in", `<text id="sign" x="180" y="50" font-size="10" text-anchor="middle" fill="#fff">Road</text>`, "Road", "", ""},
		{"to the side on which it was drawn", `<text id="sign" x="155" y="50" font-size="10" fill="#fff">Road</text>`, "Road", "طريق", ""},
		{"wrong in the source: once", `<text id="sign" x="180" y="50" font-size="10" text-anchor="middle" fill="#133557">Road</text>`, "Road", "طريق", "media/road.svg:3 gate.contrast"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := coursetest.Copy(t)
			m["media/road.svg"] = &fstest.MapFile{Data: []byte(drawing(tt.label))}
			po := m["locales/ar/course.po"]
			po.Data = regexp.MustCompile(`(?m)^msgctxt "media\.road\.svg\.[^"]*"\nmsgid .*\nmsgstr .*\n`).ReplaceAll(po.Data, nil)
			po.Data = append(po.Data, "\nmsgctxt \"media.road.svg.sign\"\nmsgid \""+tt.en+"\"\nmsgstr \""+tt.ar+"\"\n"...)
			_, err := compile.Course(m, compile.Options{})
			got := ""
			var f *fault.Error
			if errors.As(err, &f) {
				for _, d := range f.Details {
					got += fmt.Sprintf("%s:%d %s ", d.File, d.Line, d.Key)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if strings.TrimSpace(got) != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

package sheet_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/paper/pdftest"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

var texts = []string{
	"Certificate of completion", "محمد عبد الله 123", "مُحَمَّد", "हिन्दी में प्रमाणपत्र किताब क्षत्रिय", "王小明 人工智能", "Жанна Ивановна",
	"x اب 12 abc", "Nguyễn Thị Ánh office (fi)",
}

func example(t *testing.T, extra ...sheet.Part) sheet.Sheet {
	t.Helper()
	s := sheet.Sheet{Width: 842, Height: 595, Title: "Certificate — شهادة", Author: "Bäume & <Söhne>", Lang: "en", At: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)}
	setter := new(typeset.Library).NewSetter("en")
	for i, text := range texts {
		lines, err := setter.Set(text, typeset.Regular, typeset.Auto, 0)
		if err != nil {
			t.Fatal(err)
		}
		role := sheet.Paragraph
		if i == 0 {
			role = sheet.Heading
		}
		s.Parts = append(s.Parts, sheet.Text{Role: role, Setter: setter, Size: 24, Lines: []sheet.Line{{Line: lines[0], X: 40, Y: 60 + 50*float64(i)}}})
	}
	lines, err := setter.Set("https://example.org/verify/1", typeset.Regular, typeset.Auto, 0)
	if err != nil {
		t.Fatal(err)
	}
	s.Parts = append(s.Parts,
		sheet.Shape{Path: sheet.Rectangle(10, 10, 822, 575), Stroke: "#aa8800", Width: 2},
		sheet.Text{Role: sheet.Paragraph, Setter: setter, Size: 9, Link: "https://example.org/verify/1", Lines: []sheet.Line{{Line: lines[0], X: 400, Y: 500}}},
		sheet.Matrix{Alt: "Code", X: 600, Y: 400, W: 100, Rows: [][]bool{{true, true, false}, {false, false, true}, {true, false, true}}},
	)
	s.Parts = append(s.Parts, extra...)
	return s
}

// TestPDFSaysWhatWasWritten reads a sheet back: tags, texts in logical order by structure, and letter by letter on the page.
func TestPDFSaysWhatWasWritten(t *testing.T) {
	d, err := pdftest.Read(example(t).PDF())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range texts {
		e := d.Elements[i]
		if e.Actual != want {
			t.Errorf("element %d is %q, want %q", i, e.Actual, want)
		}
		if got, want := sorted(e.Shown), sorted(want); got != want {
			t.Errorf("the letters of %q are shown as %q", texts[i], e.Shown)
		}
	}
	// Arabic stands on the page from left to right as it is seen, each letter for itself: readers turn it around.
	if got := d.Elements[1].Shown; got != "123 هللا دبع دمحم" {
		t.Errorf("shown is %+q", got)
	}
	if got := d.Elements[3].Shown; got != texts[3] {
		t.Errorf("Devanagari is shown as %q", got)
	}
	n := len(texts)
	if d.Elements[0].Role != "H1" || d.Elements[1].Role != "P" || d.Elements[n].Role != "P" || d.Elements[n+1].Role != "Figure" || d.Elements[n+1].Alt != "Code" {
		t.Errorf("roles are %+v", d.Elements)
	}
	if !slices.Equal(d.Links, []string{"https://example.org/verify/1"}) {
		t.Errorf("links are %q", d.Links)
	}
	for _, want := range []string{"/MarkInfo<</Marked true>>", "/DisplayDocTitle true", "/Lang<feff0065006e>"} {
		if !strings.Contains(d.Catalog, want) {
			t.Errorf("no %s in %s", want, d.Catalog)
		}
	}
	for _, want := range []string{"Certificate — شهادة</rdf:li>", "Bäume &amp; &lt;Söhne&gt;"} {
		if !strings.Contains(d.Metadata, want) {
			t.Errorf("no %s in the metadata", want)
		}
	}
	for _, f := range d.Fonts {
		if f.Bytes > 400*(f.Glyphs+2) {
			t.Errorf("%s has %d bytes for %d glyphs: is it a subset?", f.Name, f.Bytes, f.Glyphs)
		}
	}
}

func sorted(s string) string {
	r := []rune(s)
	slices.Sort(r)
	return string(r)
}

func TestSameSheetSameBytes(t *testing.T) {
	if !bytes.Equal(example(t).PDF(), example(t).PDF()) || !bytes.Equal(example(t).SVG(), example(t).SVG()) {
		t.Error("two of the same differ")
	}
}

// TestPDFIsValid asks qpdf and poppler, which `make test` installs.
func TestPDFIsValid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.pdf")
	noisy := picture(200, 100, func(x, y int) color.Color { return color.NRGBA{byte(rand.N(256)), byte(x), byte(y), byte(x)} })
	m, err := sheet.ReadImage(encodePNG(t, noisy), 100, 100)
	if err != nil {
		t.Fatal(err)
	}
	b := example(t, sheet.Figure{Alt: "Logo", X: 10, Y: 10, W: 50, H: 25, Image: m}).PDF()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := tool(t, "qpdf", "--check", file)
	if !strings.Contains(out, "No syntax or stream encoding errors") || strings.Contains(out, "WARNING") {
		t.Errorf("qpdf says %s", out)
	}
	out = tool(t, "pdftotext", "-layout", file, "-")
	for _, want := range []string{"محمد عبد الله", "مُحَمَّد", "हिन्दी में प्रमाणपत्र किताब क्षत्रिय", "王小明 人工智能", "Жанна Ивановна", "Nguyễn Thị Ánh office (fi)"} {
		if !strings.Contains(out, want) {
			t.Errorf("pdftotext does not find %q in\n%s", want, out)
		}
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s: `make test` installs poppler-utils and qpdf", name)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

func TestSVGIsWhole(t *testing.T) {
	b := example(t, sheet.Shape{Path: sheet.Rectangle(0, 0, 5, 5), Fill: `#ff"<x`, Opacity: 0.5}).SVG()
	dec := xml.NewDecoder(bytes.NewReader(b))
	names := map[string]int{}
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := tok.(xml.StartElement); ok {
			names[e.Name.Local]++
			for _, a := range e.Attr {
				if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
					t.Errorf("it points to %s", a.Value)
				}
			}
		}
	}
	if names["use"] < 100 || names["script"] > 0 || names["text"] > 0 {
		t.Errorf("elements are %v", names)
	}
}

func TestImages(t *testing.T) {
	flat := picture(900, 300, func(x, _ int) color.Color { return color.NRGBA{byte(x / 100 * 20), 100, 50, 255} })
	noise := picture(900, 900, func(int, int) color.Color {
		return color.NRGBA{byte(rand.N(256)), byte(rand.N(256)), byte(rand.N(256)), 255}
	})
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, noise, nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		b    []byte
		w, h int
	}{
		{"a wide one is made smaller", encodePNG(t, flat), 300, 100},
		{"a photograph", jpg.Bytes(), 200, 200},
		{"a noisy one", encodePNG(t, noise), 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := sheet.ReadImage(tt.b, 300, 200)
			if err != nil {
				t.Fatal(err)
			}
			if m.W != tt.w || m.H != tt.h {
				t.Errorf("%d × %d", m.W, m.H)
			}
			plain := len(example(t).PDF())
			if grown := len(example(t, sheet.Figure{Alt: "x", W: 10, H: 10, Image: m}).PDF()) - plain; grown > 60_000 || grown < 100 {
				t.Errorf("it takes %d bytes", grown)
			}
		})
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "a text": []byte("<svg/>"), "cut off": encodePNG(t, flat)[:200], "too much": make([]byte, 9<<20),
		"a bomb": []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x06\x00\x00\x00\x9b\xd4\x85\x87"),
	} {
		if _, err := sheet.ReadImage(b, 300, 200); err == nil {
			t.Errorf("%s was read as a picture", name)
		}
	}
}

func picture(w, h int, at func(x, y int) color.Color) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, at(x, y))
		}
	}
	return m
}

func encodePNG(t *testing.T, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestContrast(t *testing.T) {
	for _, tt := range []struct {
		c        sheet.Colour
		low, top float64
	}{{"#000000", 20.9, 21.1}, {"#ffffff", 0.99, 1.01}, {"#767676", 4.5, 4.6}, {"#ff0000", 3.9, 4.1}} {
		if got := tt.c.Contrast("#ffffff"); got < tt.low || got > tt.top {
			t.Errorf("%s has %.2f", tt.c, got)
		}
	}
}

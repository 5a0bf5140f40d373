package paper_test

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/i18n"
)

const dots = 100 // an inch

// TestAsChromiumDrawsIt prints the same lines at the same places with Chromium and compares the ink of each, column by column.
// Then it spoils some, to see that the comparison would notice.
func TestAsChromiumDrawsIt(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium: `make test` installs it")
	}
	w := words(t)
	var sheets []sheet.Sheet
	var page strings.Builder
	page.WriteString(head(t))
	add := func(locale string, change func(c *paper.Certificate), spoil func(string) string) {
		c := example(t, locale)
		change(&c)
		s, err := paper.Lay(c, w, library)
		if err != nil {
			t.Fatal(err)
		}
		texts := s
		texts.Parts = nil
		for _, p := range s.Parts {
			if text, ok := p.(sheet.Text); ok {
				text.Colour, text.Link = "#000000", ""
				texts.Parts = append(texts.Parts, text)
			}
		}
		sheets = append(sheets, texts)
		page.WriteString(drawing(texts, spoil))
	}
	same := func(s string) string { return s }
	for _, locale := range locales {
		add(locale, func(*paper.Certificate) {}, same)
	}
	mixed := func(name string) func(c *paper.Certificate) {
		return func(c *paper.Certificate) { c.Claims.Name = name }
	}
	add("en", mixed("Ali محمد 12 III مُحَمَّد"), same)
	add("ar", mixed("سعيد Smith 3 (PhD)"), same)
	add("fr", mixed("王小明 हिन्दी Жанна"), same)
	spoiled := len(sheets)
	apart := func(s string) string { return strings.Join(strings.Split(s, ""), "\u200c") }
	add("ar", mixed(people["ar"]), apart) // letters do not join
	add("hi", mixed(people["hi"]), apart) // syllables do not form
	add("en", mixed("Ali محمد 12 III"), func(s string) string { return strings.ReplaceAll(s, "محمد 12", "\u2067محمد\u2069 12") })

	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, []byte(page.String()+"</body></html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	theirs := filepath.Join(dir, "theirs.pdf")
	out, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--user-data-dir="+filepath.Join(dir, "profile"),
		"--allow-file-access-from-files", "--virtual-time-budget=30000", "--no-pdf-header-footer", "--print-to-pdf="+theirs, "file://"+file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tool(t, "pdftoppm", "-gray", "-r", fmt.Sprint(dots), theirs, filepath.Join(dir, "theirs"))
	worst := 0.0
	for n, s := range sheets {
		mine := filepath.Join(dir, fmt.Sprintf("mine-%d.pdf", n))
		if err := os.WriteFile(mine, s.PDF(), 0o600); err != nil {
			t.Fatal(err)
		}
		tool(t, "pdftoppm", "-gray", "-r", fmt.Sprint(dots), "-singlefile", mine, strings.TrimSuffix(mine, ".pdf"))
		ours, their := pgm(t, strings.TrimSuffix(mine, ".pdf")+".pgm"), pgm(t, filepath.Join(dir, fmt.Sprintf("theirs-%02d.pgm", n+1)))
		most := 0.0
		for _, p := range s.Parts {
			text := p.(sheet.Text)
			for _, l := range text.Lines {
				box := [4]float64{l.X - 3, l.Y - 0.95*text.Size, l.X + l.Width*text.Size + 3, l.Y + 0.4*text.Size}
				d := difference(ours.columns(box), their.columns(box))
				if n >= spoiled {
					most = max(most, d)
					continue
				}
				worst = max(worst, d)
				if d > tolerance {
					t.Errorf("sheet %d (%s): %q differs by %.3f", n, s.Lang, l.Text, d)
				}
			}
		}
		if n >= spoiled && most < spoilt {
			t.Errorf("sheet %d (%s) was spoiled, and differs by %.3f only", n, s.Lang, most)
		}
		if n >= spoiled {
			t.Logf("sheet %d (%s) was spoiled, and differs by %.3f", n, s.Lang, most)
		}
	}
	t.Logf("the worst line differs by %.3f", worst)
}

// tolerance is which part of a line's ink may stand elsewhere: a line of several scripts has spaces of several typefaces, and Chromium
// kerns a little closer. What is spoiled has a fifth elsewhere at least.
const (
	tolerance = 0.16
	spoilt    = 0.2
)

// head loads the very typefaces that the program has.
func head(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("typeset/fonts")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><meta charset=utf-8><style>@page{size:297mm 210mm;margin:0}body{margin:0}svg{display:block;width:297mm;height:209.9mm;page-break-after:always}" +
		"text{font-synthesis:none;text-rendering:geometricPrecision;white-space:pre}")
	for family, file := range map[string]string{"L": "NotoSerif", "A": "NotoNaskhArabic", "D": "NotoSerifDevanagari"} {
		for weight, name := range map[int]string{400: "Regular", 700: "Bold"} {
			fmt.Fprintf(&b, "@font-face{font-family:%s;font-weight:%d;src:url(file://%s/%s-%s.ttf)}", family, weight, dir, file, name)
		}
	}
	// The space of a line is that of its letters.
	for _, family := range []string{"A:NotoNaskhArabic-Regular", "A:NotoNaskhArabic-Bold", "D:NotoSerifDevanagari-Regular", "D:NotoSerifDevanagari-Bold", "H:DroidSansFallbackFull"} {
		name, file, _ := strings.Cut(family, ":")
		weight := 400
		if strings.HasSuffix(file, "-Bold") {
			weight = 700
		}
		fmt.Fprintf(&b, "@font-face{font-family:%s-space;font-weight:%d;unicode-range:U+20;src:url(file://%s/%s.ttf)}", name, weight, dir, file)
	}
	fmt.Fprintf(&b, "@font-face{font-family:H;src:url(file://%s/DroidSansFallbackFull.ttf)}</style></head><body>", dir)
	return b.String()
}

var spaces = map[string]string{"NotoSerif": "L", "NotoNaskhArabic": "A-space", "NotoSerifDevanagari": "D-space", "DroidSansFallbackFull": "H-space"}

// drawing has each line of a sheet as text, for a browser to shape.
func drawing(s sheet.Sheet, spoil func(string) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %f %f" preserveAspectRatio="xMinYMin" lang="%s">`, s.Width, s.Height*209.9/210, s.Lang)
	for _, p := range s.Parts {
		text := p.(sheet.Text)
		for _, l := range text.Lines {
			x, direction, weight := l.X, "ltr", 400
			if l.RightToLeft {
				x, direction = l.X+l.Width*text.Size, "rtl"
			}
			space := "L"
			for _, c := range l.Clusters {
				if c.Text == " " {
					space = spaces[strings.TrimSuffix(strings.TrimSuffix(c.Font.Name, "-Bold"), "-Regular")]
				}
				if strings.HasSuffix(c.Font.Name, "-Bold") {
					weight = 700
				}
			}
			fmt.Fprintf(&b, `<text x="%f" y="%f" font-size="%f" font-weight="%d" font-family="%s,L,A,D,H" direction="%s" style="unicode-bidi:isolate">%s</text>`,
				x, l.Y, text.Size, weight, space, direction, html.EscapeString(spoil(l.Text)))
		}
	}
	return b.String() + "</svg>"
}

type grey struct {
	w, h int
	pix  []byte
}

func pgm(t *testing.T, file string) grey {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var g grey
	var top int
	r := bytes.NewReader(b)
	if _, err := fmt.Fscanf(r, "P5\n%d %d\n%d\n", &g.w, &g.h, &top); err != nil {
		t.Fatal(err)
	}
	g.pix = b[len(b)-g.w*g.h:]
	return g
}

// columns is how much ink stands in each column of a box, in points.
func (g grey) columns(box [4]float64) []float64 {
	at := func(v float64, most int) int { return max(0, min(most, int(math.Round(v*dots/72)))) }
	x0, y0, x1, y1 := at(box[0], g.w), at(box[1], g.h), at(box[2], g.w), at(box[3], g.h)
	out := make([]float64, x1-x0)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			out[x-x0] += float64(255 - g.pix[y*g.w+x])
		}
	}
	return out
}

// difference is which part of the ink stands in other columns, 0 to 1, give or take a column or two.
func difference(a, b []float64) float64 {
	soft := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			for k := -2; k <= 2; k++ {
				if i+k >= 0 && i+k < len(v) {
					out[i] += v[i+k] / 5
				}
			}
		}
		return out
	}
	a, b = soft(a), soft(b)
	apart, all := 0.0, 0.0
	for i := range a {
		apart += math.Abs(a[i] - b[i])
		all += a[i] + b[i]
	}
	if all == 0 {
		return 1
	}
	return apart / all
}

// TestDirectionOfLocales holds the examples to what the program says.
func TestDirectionOfLocales(t *testing.T) {
	for _, locale := range locales {
		if got := example(t, locale).RightToLeft; got != (locale == "ar") || i18n.Dir(locale) == "rtl" != got {
			t.Errorf("%s: %v", locale, got)
		}
	}
}

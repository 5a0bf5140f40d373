package media_test

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
)

func TestContrasts(t *testing.T) {
	const white = `<rect width="100" height="100" fill="#fff"/>`
	for _, tt := range []struct {
		name, body  string
		ratio, need float64
	}{
		{"black on white", white + `<text x="10" y="50">a</text>`, 21, 4.5},
		{"grey on white", white + `<text x="10" y="50" fill="#767676">a</text>`, 4.54, 4.5},
		{"inherited", white + `<g fill="#767676" font-weight="bold" font-size="19"><text x="10" y="50">a</text></g>`, 4.54, 3},
		{"large", white + `<text x="10" y="50" font-size="24">a</text>`, 21, 3},
		{"bold but small", white + `<text x="10" y="50" font-size="18" font-weight="700">a</text>`, 21, 4.5},
		{"scaled to large", white + `<g transform="scale(2)"><text x="5" y="25" font-size="12">a</text></g>`, 21, 3},
		{"on a box over white", white + `<rect x="5" y="30" width="60" height="40" fill="#777"/><text x="10" y="50" fill="#808080">a</text>`, 1.14, 4.5},
		{"painted after", white + `<text x="10" y="50">a</text><rect width="100" height="100" fill="#000"/>`, 21, 4.5},
		{"beside", white + `<rect x="60" width="40" height="100" fill="#000"/><text x="10" y="50">a</text>`, 21, 4.5},
		{"anchored to the end", white + `<rect width="50" height="100" fill="#000"/><text x="45" y="50" text-anchor="end">aaa</text>`, 1, 4.5},
		{"in the middle", white + `<circle cx="50" cy="50" r="30" fill="#111"/><text x="50" y="55" text-anchor="middle" fill="white">ab</text>`, 18.88, 4.5},
		{"outside of a circle", white + `<circle cx="50" cy="50" r="30" fill="#111"/><text x="3" y="97">a</text>`, 21, 4.5},
		{"polygon", white + `<polygon points="0,0 100,0 0,100" fill="#000"/><text x="5" y="25" fill="white">a</text>`, 21, 4.5},
		{"outside of a polygon", white + `<polygon points="0,0 100,0 0,100" fill="#000"/><text x="85" y="95">a</text>`, 21, 4.5},
		{"path", white + `<path d="M0 0h100v50l-100-.5z" fill="#000"/><text x="5" y="25" fill="white">a</text>`, 21, 4.5},
		{"moved", white + `<g transform="translate(50 0)"><rect width="50" height="100" fill="#000"/></g><text x="60" y="50" fill="white">a</text>`, 21, 4.5},
		{"turned", white + `<g transform="rotate(90 50 50)"><rect x="0" y="0" width="100" height="20" fill="#000"/></g><text x="85" y="50" fill="white">a</text>`, 21, 4.5},
		{"half seen through", `<rect width="100" height="100" fill="#fff"/><rect width="100" height="100" fill="#000" fill-opacity="0.5"/><text x="10" y="50" fill="white">a</text>`, 3.98, 4.5},
		{"an outline is nothing under", white + `<rect width="100" height="100" fill="none" stroke="#000"/><text x="10" y="50">a</text>`, 21, 4.5},
		{"on the sheet", `<text x="10" y="50">a</text>`, 21, 4.5},
		{"pale on the sheet", `<text x="10" y="50" fill="#808080">a</text>`, 3.95, 4.5},
		{"words of two bytes", white + `<rect x="60" width="40" height="100" fill="#000"/><text x="20" y="50">机器学习</text>`, 1, 4.5},
	} {
		got := media.Contrasts([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">` + tt.body + `</svg>`))
		if len(got) != 1 {
			t.Errorf("%s: %v", tt.name, got)
			continue
		}
		if c := got[0]; math.Abs(c.Ratio-tt.ratio) > 0.01 || c.Need != tt.need {
			t.Errorf("%s: %+v, want %v of %v", tt.name, c, tt.ratio, tt.need)
		}
	}
}

// A drawing wider than a phone is shown smaller there, so its large letters are small.
func TestContrastsOnAPhone(t *testing.T) {
	got := media.Contrasts([]byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 100"><text x="10" y="50" font-size="30">a</text></svg>`))
	if len(got) != 1 || got[0].Need != 4.5 {
		t.Errorf("%+v", got)
	}
}

func TestContrastsEnd(t *testing.T) {
	points := strings.Repeat("1,1 9,9 ", 2000)
	svg := "<svg>" + strings.Repeat(`<polygon points="`+points+`"/>`, 100) + strings.Repeat(`<text x="1" y="5">a</text>`, 600) + "</svg>"
	if got := media.Contrasts([]byte(svg)); len(got) > 500 {
		t.Errorf("%d", len(got))
	}
}

func TestShippedDrawings(t *testing.T) {
	files, err := filepath.Glob("../../../content/courses/*/media/*.svg")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range media.Contrasts(data) {
			if c.Ratio < c.Need {
				t.Errorf("%s:%d: %q has %.2f, needs %v", f, c.Line, c.Text, c.Ratio, c.Need)
			}
		}
	}
}

func FuzzContrasts(f *testing.F) {
	f.Add([]byte(`<svg viewBox="0 0 9 9"><g transform="scale(0) rotate(9e99)"><path d="M1-1.5.5a1 1 0 0 1 2 2z"/><text x="1e300">a</text></g></svg>`))
	f.Fuzz(func(t *testing.T, svg []byte) {
		for _, c := range media.Contrasts(svg) {
			if math.IsNaN(c.Need) {
				t.Error(c)
			}
		}
	})
}

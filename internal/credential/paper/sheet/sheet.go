// Package sheet writes a page of set text, pictures and shapes as PDF or as SVG: one page, two equal writers.
package sheet

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

// Sheet is one page. Lengths are points, from its upper left corner, y downwards.
type Sheet struct {
	Width, Height float64
	Title         string // of the document
	Author        string
	Lang          string // BCP 47
	RightToLeft   bool
	At            time.Time // when what it says was made; the only time in the file
	Parts         []Part    // in the order of reading; what comes later covers what comes before
}

// Part is something on a sheet: Text, Figure, Matrix or Shape.
type Part interface{ part() }

// Role is what a text is to a reader.
type Role string

// The roles, as PDF names them.
const (
	Heading   Role = "H1"
	Paragraph Role = "P"
)

// Text is a set paragraph.
type Text struct {
	Role   Role
	Lang   string // where it is not the sheet's
	Lines  []Line
	Size   float64
	Colour Colour
	Link   string // address that a click opens
	// Setter has set the lines, and knows their shapes.
	Setter *typeset.Setter
}

// Line is a set line with the place where its baseline begins, on the left.
type Line struct {
	typeset.Line
	X, Y float64
}

// Figure is a picture with the words for who cannot see it.
type Figure struct {
	Alt        string
	X, Y, W, H float64
	Image      *Image
}

// Matrix is a code of dark and light squares, drawn as shapes, with the words for who cannot see it.
type Matrix struct {
	Alt     string
	X, Y, W float64
	Rows    [][]bool // true is dark; without the light border
}

// Shape is decoration: readers are not told of it.
type Shape struct {
	Path    []Segment
	Fill    Colour // none when zero
	Stroke  Colour // none when zero
	Width   float64
	Opacity float64 // 0: opaque
}

// Segment draws on to a point; Move lifts the pen. Curve goes along a cubic curve with control points A and B.
type Segment struct {
	Move, Curve bool
	A, B, To    typeset.Point
}

// Rectangle is the path of one.
func Rectangle(x, y, w, h float64) []Segment {
	at := func(x, y float64) typeset.Point { return typeset.Point{X: x, Y: y} }
	return []Segment{{Move: true, To: at(x, y)}, {To: at(x+w, y)}, {To: at(x+w, y+h)}, {To: at(x, y+h)}, {To: at(x, y)}}
}

func (Text) part()   {}
func (Figure) part() {}
func (Matrix) part() {}
func (Shape) part()  {}

// Colour is #rrggbb. The zero value is no colour, and black for text.
type Colour string

func (c Colour) rgb() [3]float64 {
	n, err := strconv.ParseUint(strings.TrimPrefix(string(c), "#"), 16, 32)
	if err != nil || len(c) != 7 {
		return [3]float64{}
	}
	return [3]float64{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}
}

// Contrast is WCAG's contrast ratio of two colours, 1 to 21.
func (c Colour) Contrast(other Colour) float64 {
	a, b := c.luminance(), other.luminance()
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

func (c Colour) luminance() float64 {
	l := 0.0
	for i, v := range c.rgb() {
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		l += v * [3]float64{0.2126, 0.7152, 0.0722}[i]
	}
	return l
}

// Drawn turns a set line into decoration: its letters as shapes, around a point,
// turned counterclockwise by an angle in degrees. Readers are not told of it.
func Drawn(s *typeset.Setter, l typeset.Line, size, x, y, degrees float64) []Segment {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	place := func(p typeset.Point, dx, dy float64) typeset.Point {
		px, py := (p.X+dx-l.Width/2)*size, (p.Y+dy-0.35)*size // letters are 0.7 em high
		return typeset.Point{X: x + cos*px - sin*py, Y: y - sin*px - cos*py}
	}
	var out []Segment
	for _, c := range l.Clusters {
		for _, g := range c.Glyphs {
			curves, _ := s.Outline(c.Font, g.ID)
			for _, v := range curves {
				out = append(out, Segment{
					Move: v.Move, Curve: !v.Straight,
					A: place(v.A, g.X, g.Y), B: place(v.B, g.X, g.Y), To: place(v.To, g.X, g.Y),
				})
			}
		}
	}
	return out
}

// logical is a text as it was written.
func (t Text) logical() string {
	var parts []string
	for _, l := range t.Lines {
		parts = append(parts, l.Text)
	}
	return strings.Join(parts, " ")
}

// num writes a length as short as it can be without anybody seeing a difference.
func num(v float64) string {
	s := strconv.FormatFloat(v, 'f', 3, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func nums(format string, v ...float64) string {
	args := make([]any, len(v))
	for i := range v {
		args[i] = num(v[i])
	}
	return fmt.Sprintf(format, args...)
}

// runs gives the dark stretches of each row of a matrix, in squares.
func (m Matrix) runs(yield func(x, y, w int)) {
	for y, row := range m.Rows {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			end := x
			for end < len(row) && row[end] {
				end++
			}
			yield(x, y, end-x)
			x = end
		}
	}
}

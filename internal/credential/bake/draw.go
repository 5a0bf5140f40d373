package bake

import (
	"bytes"
	"errors"
	"fmt"
	"hash/fnv"
	"html"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/image/vector"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

// Badge is what a badge shows.
type Badge struct {
	Achievement string
	Issuer      string
	Locale      string // of the achievement's name
	Seed        string // an institution's badges have the colours of its seed
}

// Drawer draws badges. Several may use one.
type Drawer struct{ Fonts *typeset.Library }

// size is a badge's side, in the units that everything here is drawn in; the PNG has as many pixels.
const size = 512

// PNG draws a badge with the credential in it.
func (d *Drawer) PNG(b Badge, credential []byte) ([]byte, error) {
	s, err := d.scene(b)
	if err != nil {
		return nil, err
	}
	img := image.NewRGBA(image.Rect(0, 0, size, size)) // package vector is quick with this kind alone
	r := vector.NewRasterizer(size, size)
	for _, l := range s {
		r.Reset(size, size)
		for _, c := range l.path {
			switch {
			case c.Move:
				r.MoveTo(float32(c.To.X), float32(c.To.Y))
			case c.Straight:
				r.LineTo(float32(c.To.X), float32(c.To.Y))
			default:
				r.CubeTo(float32(c.A.X), float32(c.A.Y), float32(c.B.X), float32(c.B.Y), float32(c.To.X), float32(c.To.Y))
			}
		}
		r.Draw(img, img.Bounds(), image.NewUniform(l.fill), image.Point{})
	}
	var out bytes.Buffer
	if err := png.Encode(&out, straight(img)); err != nil {
		return nil, err
	}
	return intoPNG(out.Bytes(), credential)
}

// straight takes the alpha out of the colours again, as a PNG has them.
func straight(in *image.RGBA) *image.NRGBA {
	out := &image.NRGBA{Pix: in.Pix, Stride: in.Stride, Rect: in.Rect}
	for i := 0; i < len(out.Pix); i += 4 {
		if a := uint32(out.Pix[i+3]); a != 0 && a != 255 {
			for j := i; j < i+3; j++ {
				out.Pix[j] = uint8(min(255, uint32(out.Pix[j])*255/a))
			}
		}
	}
	return out
}

// SVG draws a badge with the credential in it. The picture has shapes alone: no style, no script, no address.
func (d *Drawer) SVG(b Badge, credential []byte) ([]byte, error) {
	if len(credential) == 0 || len(credential) > MaxCredential || !utf8.Valid(credential) {
		return nil, fmt.Errorf("bake a credential of %d bytes", len(credential))
	}
	s, err := d.scene(b)
	if err != nil {
		return nil, err
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="%s" viewBox="0 0 %d %d" width="%d" height="%d" role="img" xml:lang="%s">`, svgSpace, size, size, size, size, html.EscapeString(b.Locale))
	out.WriteString("<title>" + html.EscapeString(clean(b.Achievement+" · "+b.Issuer)) + "</title>")
	out.WriteString(element(credential))
	for _, l := range s {
		fmt.Fprintf(&out, `<path fill="#%02x%02x%02x" d="`, l.fill.R, l.fill.G, l.fill.B)
		for _, c := range l.path {
			switch {
			case c.Move:
				out.WriteString("M" + place(c.To))
			case c.Straight:
				out.WriteString("L" + place(c.To))
			default:
				out.WriteString("C" + place(c.A) + " " + place(c.B) + " " + place(c.To))
			}
		}
		out.WriteString(`"/>`)
	}
	out.WriteString("</svg>\n")
	return []byte(out.String()), nil
}

func place(p typeset.Point) string {
	return strconv.FormatFloat(p.X, 'f', 1, 64) + " " + strconv.FormatFloat(p.Y, 'f', 1, 64)
}

// clean leaves out what XML cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r == utf8.RuneError || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

// layer is a shape in one colour.
type layer struct {
	fill color.NRGBA
	path []typeset.Curve
}

// palettes are a dark colour and a light one that stands well on it.
var palettes = [][2]color.NRGBA{
	{{0x1d, 0x5b, 0x45, 0xff}, {0xe9, 0xc4, 0x6a, 0xff}},
	{{0x1f, 0x3c, 0x6b, 0xff}, {0xf2, 0xb1, 0x6b, 0xff}},
	{{0x5a, 0x2a, 0x5e, 0xff}, {0xf0, 0xc9, 0x87, 0xff}},
	{{0x7a, 0x2e, 0x2e, 0xff}, {0xf1, 0xd0, 0x8a, 0xff}},
	{{0x0f, 0x55, 0x5f, 0xff}, {0xf4, 0xc5, 0x7d, 0xff}},
	{{0x4a, 0x3b, 0x1c, 0xff}, {0xe8, 0xcb, 0x77, 0xff}},
	{{0x33, 0x3f, 0x48, 0xff}, {0x9f, 0xd3, 0xc7, 0xff}},
	{{0x3a, 0x2f, 0x7d, 0xff}, {0xf6, 0xc1, 0xc1, 0xff}},
}

var paperColour = color.NRGBA{0xfd, 0xfb, 0xf6, 0xff}

// scene lays the badge out: a scalloped seal, a ring, a tree, the achievement's name, and the issuer's on a band.
func (d *Drawer) scene(b Badge) ([]layer, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(b.Seed))
	p := palettes[h.Sum32()%uint32(len(palettes))]
	dark, light := p[0], p[1]
	const mid = size / 2
	s := []layer{
		{dark, scallops(mid, mid, 250, 234, 28)},
		{light, circle(mid, mid, 222)},
		{dark, circle(mid, mid, 217)},
		{paperColour, circle(mid, mid, 206)},
		{dark, tree(mid-56, 70, 3.5)},
	}
	set := d.Fonts.NewSetter(b.Locale)
	name, err := block(set, clean(b.Achievement), typeset.Bold, mid, 262, 330, 120, []float64{46, 40, 34, 29, 25, 21})
	if err != nil {
		return nil, err
	}
	s = append(s, layer{dark, name}, layer{light, band(mid, 366, 250, 66)}, layer{dark, band(mid, 369, 246, 60)})
	issuer, err := block(set, clean(b.Issuer), typeset.Regular, mid, 399, 400, 54, []float64{27, 23, 20, 17})
	if err != nil {
		return nil, err
	}
	return append(s, layer{paperColour, issuer}), nil
}

// block sets a text in the middle of a box, as large as it fits. Where no typeface here has the letters, the place stays empty.
func block(set *typeset.Setter, text string, w typeset.Weight, midX, midY, width, height float64, sizes []float64) ([]typeset.Curve, error) {
	if r := []rune(text); len(r) > 300 {
		text = string(r[:300])
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var lines []typeset.Line
	var em, leading float64
	for _, em = range sizes {
		var err error
		lines, err = set.Set(text, w, typeset.Auto, width/em)
		var missing *typeset.MissingError
		if errors.As(err, &missing) {
			return nil, nil // a badge without a name is a badge still
		}
		if err != nil {
			return nil, err
		}
		leading = 0
		for _, l := range lines {
			leading = max(leading, l.Ascent+l.Descent)
		}
		leading = min(leading, 1.45) * em
		if leading*float64(len(lines)) <= height {
			break
		}
	}
	if most := max(1, int(height/leading)); len(lines) > most {
		lines = lines[:most]
	}
	var out []typeset.Curve
	top := midY - leading*float64(len(lines))/2
	for i, l := range lines {
		base := top + leading*float64(i) + leading/2 + 0.34*em
		left := midX - l.Width*em/2
		for _, c := range l.Clusters {
			for _, g := range c.Glyphs {
				curves, _ := set.Outline(c.Font, g.ID)
				at := func(p typeset.Point) typeset.Point {
					return typeset.Point{X: left + (g.X+p.X)*em, Y: base - (g.Y+p.Y)*em}
				}
				for _, k := range curves {
					out = append(out, typeset.Curve{Move: k.Move, Straight: k.Straight, A: at(k.A), B: at(k.B), To: at(k.To)})
				}
			}
		}
	}
	return out, nil
}

func at(x, y float64) typeset.Point { return typeset.Point{X: x, Y: y} }

// circle is four curves.
func circle(x, y, r float64) []typeset.Curve {
	const k = 0.5522847498
	return []typeset.Curve{
		{Move: true, To: at(x+r, y)},
		{A: at(x+r, y+k*r), B: at(x+k*r, y+r), To: at(x, y+r)},
		{A: at(x-k*r, y+r), B: at(x-r, y+k*r), To: at(x-r, y)},
		{A: at(x-r, y-k*r), B: at(x-k*r, y-r), To: at(x, y-r)},
		{A: at(x+k*r, y-r), B: at(x+r, y-k*r), To: at(x+r, y)},
	}
}

// scallops is a seal with n lobes between two radii.
func scallops(x, y, outer, inner float64, n int) []typeset.Curve {
	on := func(r, turn float64) typeset.Point {
		a := 2 * math.Pi * turn / float64(n)
		return at(x+r*math.Cos(a), y+r*math.Sin(a))
	}
	out := []typeset.Curve{{Move: true, To: on(inner, 0)}}
	peak := outer + (outer-inner)/3
	for i := range n {
		f := float64(i)
		out = append(out, typeset.Curve{A: on(peak, f+0.25), B: on(peak, f+0.75), To: on(inner, f+1)})
	}
	return out
}

// band is a ribbon across, with notched ends.
func band(midX, top, half, height float64) []typeset.Curve {
	notch := height / 3
	points := []typeset.Point{
		at(midX-half, top), at(midX+half, top), at(midX+half-notch, top+height/2), at(midX+half, top+height), at(midX-half, top+height), at(midX-half+notch, top+height/2),
	}
	out := []typeset.Curve{{Move: true, To: points[0]}}
	for _, p := range append(points[1:], points[0]) {
		out = append(out, typeset.Curve{Straight: true, To: p})
	}
	return out
}

// tree is Banyan's mark, as it stands on every page (frontend/pages/layout.html), on a grid of 32.
func tree(x, y, scale float64) []typeset.Curve {
	p := func(a, b float64) typeset.Point { return at(x+a*scale, y+b*scale) }
	out := []typeset.Curve{
		{Move: true, To: p(2.5, 14.8)},
		{A: p(2.5, 11.6), B: p(4.8, 9.5), To: p(7.5, 9.3)},
		{A: p(8.6, 5.8), B: p(12, 4), To: p(16, 4)},
		{A: p(20, 4), B: p(23.4, 5.8), To: p(24.5, 9.3)},
		{A: p(27.2, 9.5), B: p(29.5, 11.6), To: p(29.5, 14.8)},
		{A: p(29.5, 16.8), B: p(28, 18), To: p(26, 18)},
		{Straight: true, To: p(6, 18)},
		{A: p(4, 18), B: p(2.5, 16.8), To: p(2.5, 14.8)},
		{Move: true, To: p(14.2, 17.5)},
		{Straight: true, To: p(17.8, 17.5)},
		{A: p(17.8, 22), B: p(18.4, 25.5), To: p(20, 28)},
		{Straight: true, To: p(12, 28)},
		{A: p(13.6, 25.5), B: p(14.2, 22), To: p(14.2, 17.5)},
	}
	for _, root := range [][2]float64{{7.5, 28}, {24.5, 28}, {11, 23.5}, {21, 23.5}} {
		out = append(out, []typeset.Curve{
			{Move: true, To: p(root[0]-0.9, 17.5)},
			{Straight: true, To: p(root[0]+0.9, 17.5)},
			{Straight: true, To: p(root[0]+0.9, root[1])},
			{Straight: true, To: p(root[0]-0.9, root[1])},
			{Straight: true, To: p(root[0]-0.9, 17.5)},
		}...)
	}
	return out
}

package sheet

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

// SVG writes the sheet as a picture: letters are shapes, so it needs no
// typeface where it is shown, and it has neither scripts nor addresses of others.
func (s Sheet) SVG() []byte {
	w := &svg{sheet: s, shapes: map[shapeKey]int{}}
	for _, p := range s.Parts {
		switch p := p.(type) {
		case Shape:
			w.shape(p)
		case Text:
			w.text(p)
		case Figure:
			w.body.WriteString(nums(`<image x="%s" y="%s" width="%s" height="%s"`, p.X, p.Y, p.W, p.H))
			fmt.Fprintf(&w.body, ` href="data:image/png;base64,%s"/>`, base64.StdEncoding.EncodeToString(p.Image.png))
		case Matrix:
			w.matrix(p)
		}
	}
	var b bytes.Buffer
	b.WriteString(nums(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img"`, s.Width, s.Height, s.Width, s.Height))
	b.WriteString(` lang="` + escape(s.Lang) + `"><title>` + escape(s.Title) + `</title><defs>`)
	b.Write(w.defs.Bytes())
	b.WriteString(nums(`</defs><rect width="%s" height="%s" fill="#fff"/>`, s.Width, s.Height))
	b.Write(w.body.Bytes())
	b.WriteString("</svg>")
	return b.Bytes()
}

type shapeKey struct {
	font *typeset.Font
	id   uint32
}

type svg struct {
	sheet      Sheet
	defs, body bytes.Buffer
	shapes     map[shapeKey]int
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder does not fail
	return b.String()
}

func (w *svg) shape(p Shape) {
	w.body.WriteString(`<path d="`)
	var start typeset.Point
	for _, s := range p.Path {
		switch {
		case s.Curve:
			w.body.WriteString(nums("C%s %s %s %s %s %s", s.A.X, s.A.Y, s.B.X, s.B.Y, s.To.X, s.To.Y))
		case s.Move:
			start = s.To
			w.body.WriteString(nums("M%s %s", s.To.X, s.To.Y))
		case s.To == start:
			w.body.WriteString("Z")
		default:
			w.body.WriteString(nums("L%s %s", s.To.X, s.To.Y))
		}
	}
	fill := "none"
	if p.Fill != "" {
		fill = string(p.Fill)
	}
	w.body.WriteString(`" fill="` + escape(fill) + `"`)
	if p.Stroke != "" {
		w.body.WriteString(` stroke="` + escape(string(p.Stroke)) + `" stroke-width="` + num(p.Width) + `"`)
	}
	if p.Opacity > 0 {
		w.body.WriteString(` opacity="` + num(p.Opacity) + `"`)
	}
	w.body.WriteString("/>")
}

func (w *svg) matrix(p Matrix) {
	if len(p.Rows) == 0 {
		return
	}
	unit := p.W / float64(len(p.Rows))
	w.body.WriteString(nums(`<path transform="translate(%s %s) scale(%s)" d="`, p.X, p.Y, unit))
	p.runs(func(x, y, n int) { fmt.Fprintf(&w.body, "M%d %dh%dv1h-%dz", x, y, n, n) })
	w.body.WriteString(`"/>`)
}

func (w *svg) text(p Text) {
	colour := p.Colour
	if colour == "" {
		colour = "#000000"
	}
	w.body.WriteString(`<g fill="` + escape(string(colour)) + `"`)
	w.body.WriteString(">")
	for _, l := range p.Lines {
		w.body.WriteString(nums(`<g transform="translate(%s %s) scale(%s)">`, l.X, l.Y, p.Size/cffUnits))
		for _, c := range l.Clusters {
			for _, g := range c.Glyphs {
				n := w.define(p.Setter, c.Font, g.ID)
				if n < 0 {
					continue
				}
				fmt.Fprintf(&w.body, `<use href="#g%d" x="%d" y="%d"/>`, n, units(g.X), -units(g.Y))
			}
		}
		w.body.WriteString("</g>")
	}
	w.body.WriteString("</g>")
}

// define gives the number of a shape, or -1 when there is nothing to see.
func (w *svg) define(s *typeset.Setter, f *typeset.Font, id uint32) int {
	key := shapeKey{f, id}
	if n, known := w.shapes[key]; known {
		return n
	}
	curves, _ := s.Outline(f, id)
	if len(curves) == 0 {
		w.shapes[key] = -1
		return -1
	}
	n := len(w.shapes)
	w.shapes[key] = n
	fmt.Fprintf(&w.defs, `<path id="g%d" d="`, n)
	at := func(p typeset.Point) string { return fmt.Sprintf("%d %d", units(p.X), -units(p.Y)) }
	for i, c := range curves {
		switch {
		case c.Move:
			if i > 0 {
				w.defs.WriteString("Z")
			}
			w.defs.WriteString("M" + at(c.To))
		case c.Straight:
			w.defs.WriteString("L" + at(c.To))
		default:
			w.defs.WriteString("C" + at(c.A) + " " + at(c.B) + " " + at(c.To))
		}
	}
	w.defs.WriteString(`Z"/>`)
	return n
}

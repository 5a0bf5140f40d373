package media

import (
	"bytes"
	"encoding/xml"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Contrast is how well a text of a drawing stands out from what lies under it.
type Contrast struct {
	Text string
	Line int
	// Ratio is 1 to 21, as WCAG 2.2 counts it; Need is the least that it demands: 4.5, or 3 for large text.
	Ratio, Need float64
}

// sheet is what lies under every drawing: pages show it on white, in their dark dress too.
var sheet = rgb{255, 255, 255}

// Contrasts looks at every text of a drawing that ReadSVG takes, or that Render writes: its colour against the fill that was painted last under each
// of three places along it. How wide a text is set is guessed from its letters. Strokes are not looked at.
func Contrasts(svg []byte) []Contrast {
	l := looker{dec: xml.NewDecoder(bytes.NewReader(svg)), effort: 20_000_000, phone: 1}
	l.look()
	return l.out
}

type rgb [3]float64

// paintState is what elements inherit.
type paintState struct {
	fill    rgb
	none    bool
	opacity float64 // of everything in it, about
	filled  float64 // opacity of fills
	size    float64
	bold    bool
	anchor  string
	m       [6]float64
}

type painted struct {
	inside  func(x, y float64) bool
	inverse [6]float64
	box     [4]float64 // in its own units
	fill    rgb
	alpha   float64
	points  int
}

type looker struct {
	dec    *xml.Decoder
	rtl    bool    // its words run from right to left, so "start" is at the right
	phone  float64 // how much smaller the drawing is on a phone of 360 px
	shapes []painted
	out    []Contrast
	effort int // points that may still be looked at
}

func (l *looker) look() {
	stack := []paintState{{opacity: 1, filled: 1, size: 16, m: [6]float64{1, 0, 0, 1, 0, 0}}}
	var text strings.Builder
	var at [2]float64
	inText, line := false, 0
	for len(l.out) < 500 && len(l.shapes) < maxShapes {
		tok, err := l.dec.Token()
		if err != nil {
			return
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			a := map[string]string{}
			for _, at := range tok.Attr {
				a[at.Name.Local] = strings.TrimSpace(at.Value)
			}
			s := inherit(stack[len(stack)-1], a)
			stack = append(stack, s)
			if len(stack) > 64 {
				return
			}
			switch tok.Name.Local {
			case "svg":
				l.rtl = a["direction"] == "rtl"
				if box := numbers(a["viewBox"]); len(box) == 4 && box[2] > 360 {
					l.phone = 360 / box[2]
				}
			case "text":
				inText = true
				text.Reset()
				line, _ = l.dec.InputPos()
				at = [2]float64{num64(a["x"]), num64(a["y"])}
			default:
				l.shape(tok.Name.Local, a, s)
			}
		case xml.CharData:
			if inText {
				text.Write(tok)
			}
		case xml.EndElement:
			if len(stack) < 2 {
				return
			}
			if tok.Name.Local == "text" && inText {
				inText = false
				l.text(strings.Join(strings.Fields(text.String()), " "), at, line, stack[len(stack)-1])
			}
			stack = stack[:len(stack)-1]
		}
	}
}

const maxShapes = 4000

func inherit(s paintState, a map[string]string) paintState {
	switch c, ok := colour(a["fill"]); {
	case ok:
		s.fill, s.none = c, false
	case a["fill"] == "none":
		s.none = true
	}
	if v := a["opacity"]; v != "" {
		s.opacity *= num64(v)
	}
	if v := a["fill-opacity"]; v != "" {
		s.filled = num64(v)
	}
	if v := num64(a["font-size"]); v > 0 {
		s.size = v
	}
	if v := a["font-weight"]; v != "" {
		s.bold = v == "bold" || num64(v) >= 700
	}
	if v := a["text-anchor"]; v != "" {
		s.anchor = v
	}
	for _, t := range strings.Split(a["transform"], ")") {
		name, args, ok := strings.Cut(t, "(")
		if !ok {
			continue
		}
		n := numbers(args)
		for len(n) < 6 {
			n = append(n, math.NaN())
		}
		zero := func(f float64) float64 {
			if math.IsNaN(f) {
				return 0
			}
			return f
		}
		switch strings.Trim(name, " ,\t\n") {
		case "translate":
			s.m = times(s.m, [6]float64{1, 0, 0, 1, zero(n[0]), zero(n[1])})
		case "matrix": // Render writes it, an author may not
			s.m = times(s.m, [6]float64{zero(n[0]), zero(n[1]), zero(n[2]), zero(n[3]), zero(n[4]), zero(n[5])})
		case "scale":
			y := n[1]
			if math.IsNaN(y) {
				y = n[0]
			}
			s.m = times(s.m, [6]float64{zero(n[0]), 0, 0, zero(y), 0, 0})
		case "rotate":
			sin, cos := math.Sincos(zero(n[0]) * math.Pi / 180)
			x, y := zero(n[1]), zero(n[2])
			s.m = times(s.m, [6]float64{cos, sin, -sin, cos, x - cos*x + sin*y, y - sin*x - cos*y})
		}
	}
	return s
}

// shape remembers what is painted.
func (l *looker) shape(name string, a map[string]string, s paintState) {
	p := painted{fill: s.fill, alpha: s.opacity * s.filled, points: 1}
	if s.none || p.alpha <= 0 {
		return
	}
	inverse, ok := invert(s.m)
	if !ok {
		return
	}
	p.inverse = inverse
	n := func(k string) float64 { return num64(a[k]) }
	ellipse := func(rx, ry float64) {
		cx, cy := n("cx"), n("cy")
		p.box = [4]float64{cx - rx, cy - ry, cx + rx, cy + ry}
		p.inside = func(x, y float64) bool {
			dx, dy := (x-cx)/rx, (y-cy)/ry
			return dx*dx+dy*dy <= 1
		}
	}
	switch name {
	case "rect":
		p.box = [4]float64{n("x"), n("y"), n("x") + n("width"), n("y") + n("height")}
		p.inside = func(float64, float64) bool { return true } // round corners are small
	case "circle":
		ellipse(n("r"), n("r"))
	case "ellipse":
		ellipse(n("rx"), n("ry"))
	case "polygon", "polyline":
		p.polygon(pairs(numbers(a["points"])))
	case "path":
		p.polygon(pathPoints(a["d"]))
	default:
		return
	}
	l.shapes = append(l.shapes, p)
}

// polygon takes the even-odd rule, whatever the drawing says.
func (p *painted) polygon(pts [][2]float64) {
	p.points = len(pts)
	p.box = [4]float64{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, q := range pts {
		p.box = [4]float64{min(p.box[0], q[0]), min(p.box[1], q[1]), max(p.box[2], q[0]), max(p.box[3], q[1])}
	}
	p.inside = func(x, y float64) bool {
		in := false
		for i, a := range pts {
			b := pts[(i+1)%len(pts)]
			if (a[1] > y) != (b[1] > y) && x < a[0]+(y-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
				in = !in
			}
		}
		return in
	}
}

// text compares a label with what lies under it.
func (l *looker) text(words string, at [2]float64, line int, s paintState) {
	if words == "" || s.none {
		return
	}
	width := 0.0
	for _, r := range words {
		if unicode.IsMark(r) {
			continue
		}
		if r >= 0x2e80 {
			width += s.size
		} else {
			width += s.size * 0.55
		}
	}
	left := at[0]
	switch {
	case s.anchor == "middle":
		left -= width / 2
	case (s.anchor == "end") != l.rtl:
		left -= width
	}
	c := Contrast{Text: words, Line: line, Ratio: 21, Need: 4.5}
	// Large is 24 px, or 18.66 px when bold: WCAG's 18 and 14 points.
	shown := s.size * l.phone * math.Sqrt(math.Abs(s.m[0]*s.m[3]-s.m[1]*s.m[2]))
	if shown >= 24 || s.bold && shown >= 18.66 {
		c.Need = 3
	}
	for _, part := range []float64{0.25, 0.5, 0.75} {
		x, y := apply(s.m, left+part*width, at[1]-0.35*s.size)
		under, ok := l.under(x, y)
		if !ok {
			return
		}
		c.Ratio = min(c.Ratio, ratio(mix(s.fill, under, s.opacity*s.filled), under))
	}
	l.out = append(l.out, c)
}

// under gives the colour at a place.
func (l *looker) under(x, y float64) (c rgb, ok bool) {
	c = sheet
	for i := range l.shapes {
		p := &l.shapes[i]
		if l.effort--; l.effort < 0 {
			return c, false
		}
		px, py := apply(p.inverse, x, y)
		if px < p.box[0] || px > p.box[2] || py < p.box[1] || py > p.box[3] {
			continue
		}
		l.effort -= p.points
		if !p.inside(px, py) {
			continue
		}
		c = mix(p.fill, c, p.alpha)
	}
	return c, true
}

func mix(over, under rgb, alpha float64) rgb {
	alpha = min(max(alpha, 0), 1)
	for i := range over {
		over[i] = over[i]*alpha + under[i]*(1-alpha)
	}
	return over
}

// ratio is the contrast ratio of WCAG 2.2, of relative luminance in sRGB.
func ratio(a, b rgb) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(c rgb) float64 {
	lin := func(v float64) float64 {
		if v /= 255; v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(c[0]) + 0.7152*lin(c[1]) + 0.0722*lin(c[2])
}

func colour(s string) (rgb, bool) {
	switch s {
	case "white":
		return rgb{255, 255, 255}, true
	case "black":
		return rgb{}, true
	}
	hex, ok := strings.CutPrefix(s, "#")
	if !ok {
		return rgb{}, false
	}
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 {
		return rgb{}, false
	}
	return rgb{float64(v >> 16), float64(v >> 8 & 255), float64(v & 255)}, true
}

func num64(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0
	}
	return f
}

func numbers(s string) []float64 {
	var out []float64
	for _, f := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,\t\n\r", r) }) {
		out = append(out, num64(f))
	}
	return out
}

func pairs(n []float64) [][2]float64 {
	var out [][2]float64
	for i := 0; i+1 < len(n); i += 2 {
		out = append(out, [2]float64{n[i], n[i+1]})
	}
	return out
}

// pathPoints gives the points that a path goes through; curves are taken as straight lines between them and their handles.
func pathPoints(d string) [][2]float64 {
	var out [][2]float64
	var x, y, fromX, fromY float64
	var cmd byte
	for d = strings.TrimLeft(d, " ,\t\n\r"); d != ""; d = strings.TrimLeft(d, " ,\t\n\r") {
		if c := d[0]; strings.IndexByte("MmLlHhVvCcSsQqTtAaZz", c) >= 0 {
			cmd, d = c, d[1:]
			if cmd == 'z' || cmd == 'Z' {
				x, y = fromX, fromY
			}
			continue
		}
		need := map[byte]int{'m': 2, 'l': 2, 'h': 1, 'v': 1, 'c': 6, 's': 4, 'q': 4, 't': 2, 'a': 7}[cmd|0x20]
		var n [7]float64
		for i := range need {
			var ok bool
			if n[i], d, ok = number(d); !ok {
				return out
			}
		}
		bx, by := x, y // what relative numbers count from
		if cmd >= 'A' && cmd <= 'Z' {
			bx, by = 0, 0
		}
		switch cmd | 0x20 {
		case 'h':
			x = bx + n[0]
		case 'v':
			y = by + n[0]
		case 'c', 's', 'q':
			for i := 0; i+1 < need; i += 2 {
				x, y = bx+n[i], by+n[i+1]
				if i+2 < need {
					out = append(out, [2]float64{x, y})
				}
			}
		case 'a':
			x, y = bx+n[5], by+n[6]
		case 'm', 'l', 't':
			x, y = bx+n[0], by+n[1]
		default:
			return out
		}
		if cmd|0x20 == 'm' {
			fromX, fromY = x, y
			cmd-- // m becomes l: what follows without a letter are lines
		}
		out = append(out, [2]float64{x, y})
	}
	return out
}

// number takes a number off the front of path data, where the next may follow without a space.
func number(d string) (f float64, rest string, ok bool) {
	d = strings.TrimLeft(d, " ,\t\n\r")
	i, dot, exp := 0, false, false
	for ; i < len(d); i++ {
		c := d[i]
		switch {
		case c >= '0' && c <= '9':
			continue
		case (c == '-' || c == '+') && (i == 0 || d[i-1] == 'e' || d[i-1] == 'E'):
			continue
		case c == '.' && !dot && !exp:
			dot = true
			continue
		case (c == 'e' || c == 'E') && !exp && i > 0:
			exp = true
			continue
		}
		break
	}
	f, err := strconv.ParseFloat(d[:i], 64)
	return f, d[i:], err == nil && i > 0
}

// times joins two affine maps (a b c d e f, as in SVG): first n, then m.
func times(m, n [6]float64) [6]float64 {
	return [6]float64{
		m[0]*n[0] + m[2]*n[1], m[1]*n[0] + m[3]*n[1],
		m[0]*n[2] + m[2]*n[3], m[1]*n[2] + m[3]*n[3],
		m[0]*n[4] + m[2]*n[5] + m[4], m[1]*n[4] + m[3]*n[5] + m[5],
	}
}

func apply(m [6]float64, x, y float64) (float64, float64) {
	return m[0]*x + m[2]*y + m[4], m[1]*x + m[3]*y + m[5]
}

func invert(m [6]float64) ([6]float64, bool) {
	det := m[0]*m[3] - m[1]*m[2]
	if math.Abs(det) < 1e-9 || math.IsNaN(det) || math.IsInf(det, 0) {
		return m, false
	}
	return [6]float64{
		m[3] / det, -m[1] / det, -m[2] / det, m[0] / det,
		(m[2]*m[5] - m[3]*m[4]) / det, (m[1]*m[4] - m[0]*m[5]) / det,
	}, true
}

// Package media reads the pictures and sounds of a course, and refuses what could harm a reader.
package media

import (
	"bytes"
	"encoding/xml"
	"errors"
	"html"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Label is a text of a drawing.
type Label struct {
	ID, Text string
	Line     int
}

// Problem is something in a file that is refused; it becomes a fault.Detail of the file.
type Problem struct {
	Line int
	Key  string
	Args []string // pairs of name and value
}

// Drawing is an SVG that was read and holds nothing but shapes and words.
type Drawing struct {
	Width, Height int
	Labels        []Label // texts with an id, in order

	minX, width float64
	root        *element
}

type element struct {
	name     string
	attrs    []attr
	children []*element
	text     string // of a text element
	id       string
}

type attr struct{ name, value string }

// What a drawing may hold at most.
const (
	maxElements = 2000
	maxDepth    = 16
	maxPath     = 20_000 // characters of an attribute
)

const svgSpace = "http://www.w3.org/2000/svg"

// paint are the attributes that every shape may have.
var paint = "id fill fill-opacity fill-rule stroke stroke-width stroke-linecap stroke-linejoin stroke-dasharray stroke-opacity opacity transform"

// shapes are the elements that there are, with their own attributes.
var shapes = map[string]map[string]bool{
	"svg":      set("xmlns viewBox width height role"),
	"g":        set(paint + " font-family font-size font-weight text-anchor"),
	"rect":     set(paint + " x y width height rx ry"),
	"circle":   set(paint + " cx cy r"),
	"ellipse":  set(paint + " cx cy rx ry"),
	"line":     set(paint + " x1 y1 x2 y2"),
	"polyline": set(paint + " points"),
	"polygon":  set(paint + " points"),
	"path":     set(paint + " d"),
	"text":     set(paint + " x y font-family font-size font-weight text-anchor"),
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

const numberForm = `[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?`

// forms are how the value of an attribute must look; numbers otherwise.
var forms = func() map[string]*regexp.Regexp {
	out := map[string]*regexp.Regexp{}
	add := func(names, form string) {
		re := regexp.MustCompile(`^(?:` + form + `)$`)
		for _, n := range strings.Fields(names) {
			out[n] = re
		}
	}
	add("fill stroke", `none|white|black|#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}`)
	add("fill-rule", `nonzero|evenodd`)
	add("stroke-linecap", `butt|round|square`)
	add("stroke-linejoin", `miter|round|bevel`)
	add("text-anchor", `start|middle|end`)
	add("font-weight", `normal|bold|[1-9]00`)
	add("font-family", `sans-serif|serif|monospace`)
	add("id", `[a-z][a-z0-9-]{0,63}`)
	add("role", `img|presentation`)
	add("points stroke-dasharray viewBox", `none|[ ,\n\t]*(?:`+numberForm+`[ ,\n\t]*)*`)
	add("d", `[MmLlHhVvCcSsQqTtAaZz0-9eE+., \n\t-]*`)
	add("transform", `(?:\s*(?:translate|scale|rotate)\([ ,]*(?:`+numberForm+`[ ,]*){1,3}\)[ ,]*){1,4}`)
	add("", numberForm)
	return out
}()

// ReadSVG reads a drawing. Whatever could load, link, run or hide something is a problem: only shapes and texts are left.
func ReadSVG(data []byte) (*Drawing, []Problem) {
	r := reader{dec: xml.NewDecoder(bytes.NewReader(data)), ids: map[string]bool{}}
	r.dec.Strict = true
	r.read()
	if len(r.problems) == 0 {
		r.frame()
	}
	return &r.drawing, r.problems
}

type reader struct {
	dec      *xml.Decoder
	drawing  Drawing
	problems []Problem
	open     []*element
	elements int
	ids      map[string]bool
}

func (r *reader) problem(key string, args ...string) {
	if len(r.problems) < 20 {
		line, _ := r.dec.InputPos()
		r.problems = append(r.problems, Problem{Line: line, Key: key, Args: args})
	}
}

func (r *reader) read() {
	skip := 0 // depth inside an element that is refused
	line := 0
	for {
		tok, err := r.dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.problem("media.svg_broken")
			return
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if skip > 0 {
				skip++
				continue
			}
			line, _ = r.dec.InputPos()
			if !r.start(tok) {
				skip = 1
			}
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			last := r.open[len(r.open)-1]
			r.open = r.open[:len(r.open)-1]
			if last.name == "text" {
				last.text = strings.Join(strings.Fields(last.text), " ")
				switch {
				case last.text == "":
				case last.id == "":
					r.problem("media.svg_text_without_id", "Text", last.text)
				default:
					r.drawing.Labels = append(r.drawing.Labels, Label{ID: last.id, Text: last.text, Line: line})
				}
			}
		case xml.CharData:
			if skip > 0 {
				continue
			}
			if n := len(r.open); n > 0 && r.open[n-1].name == "text" {
				r.open[n-1].text += string(tok)
			} else if strings.TrimSpace(string(tok)) != "" {
				r.problem("media.svg_stray_text")
			}
		case xml.Directive:
			r.problem("media.svg_doctype")
			return
		case xml.ProcInst:
			if tok.Target != "xml" {
				r.problem("media.svg_doctype")
			}
		}
	}
	if r.drawing.root == nil && len(r.problems) == 0 {
		r.problem("media.svg_broken")
	}
}

// start takes an element in, or refuses it with all that it holds.
func (r *reader) start(tok xml.StartElement) bool {
	name := tok.Name.Local
	known := shapes[name]
	r.elements++
	switch {
	case r.elements > maxElements || len(r.open) >= maxDepth:
		r.problem("media.svg_too_much")
		return false
	case known == nil || tok.Name.Space != svgSpace && tok.Name.Space != "":
		r.problem("media.svg_element", "Element", name)
		return false
	case (name == "svg") != (len(r.open) == 0) || len(r.open) == 0 && r.drawing.root != nil:
		r.problem("media.svg_element", "Element", name)
		return false
	case len(r.open) > 0 && r.open[len(r.open)-1].name != "svg" && r.open[len(r.open)-1].name != "g":
		r.problem("media.svg_element", "Element", name)
		return false
	}
	e := &element{name: name}
	for _, a := range tok.Attr {
		if a.Name.Space != "" || !known[a.Name.Local] {
			r.problem("media.svg_attribute", "Attribute", a.Name.Local, "Element", name)
			continue
		}
		if a.Name.Local == "xmlns" {
			continue // written anew
		}
		form := forms[a.Name.Local]
		if form == nil {
			form = forms[""]
		}
		if form == nil {
			form = numberOnly
		}
		value := strings.TrimSpace(a.Value)
		if len(value) > maxPath || !form.MatchString(value) {
			r.problem("media.svg_value", "Attribute", a.Name.Local, "Value", value)
			continue
		}
		if a.Name.Local == "id" {
			if r.ids[value] {
				r.problem("media.svg_id_twice", "ID", value)
			}
			r.ids[value] = true
			e.id = value
			if name != "text" {
				continue // only labels need one
			}
		}
		e.attrs = append(e.attrs, attr{a.Name.Local, value})
	}
	if len(r.open) == 0 {
		r.drawing.root = e
	} else {
		p := r.open[len(r.open)-1]
		p.children = append(p.children, e)
	}
	r.open = append(r.open, e)
	return true
}

var numberOnly = regexp.MustCompile(`^(?:` + numberForm + `)$`)

func (e *element) get(name string) string {
	for _, a := range e.attrs {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// frame finds how large the drawing is.
func (r *reader) frame() {
	box := strings.FieldsFunc(r.drawing.root.get("viewBox"), func(c rune) bool { return c == ' ' || c == ',' || c == '\n' || c == '\t' })
	var v [4]float64
	ok := len(box) == 4
	for i := 0; ok && i < 4; i++ {
		f, err := strconv.ParseFloat(box[i], 64)
		ok = err == nil && math.Abs(f) < 1e5
		v[i] = f
	}
	if !ok || v[2] < 1 || v[3] < 1 || v[2] > 4000 || v[3] > 8000 {
		r.problems = append(r.problems, Problem{Line: 1, Key: "media.svg_viewbox"})
		return
	}
	r.drawing.minX, r.drawing.width = v[0], v[2]
	r.drawing.Width, r.drawing.Height = int(math.Round(v[2])), int(math.Round(v[3]))
}

// Render writes the drawing with its labels in another language: label gives the words for an id. A mirrored
// drawing runs from right to left; its words stay as they are read. locale and rtl say how they are written.
func (d *Drawing) Render(label func(id, source string) string, locale string, rtl, mirror bool) []byte {
	w := svgWriter{label: label, mirror: mirror && rtl, rtl: rtl, axis: 2*d.minX + d.width}
	w.b.WriteString(`<svg xmlns="` + svgSpace + `"`)
	for _, a := range d.root.attrs {
		if a.name != "width" && a.name != "height" { // the page says how large it is
			w.attr(a)
		}
	}
	w.b.WriteString(` lang="` + html.EscapeString(locale) + `"`)
	if rtl {
		w.b.WriteString(` direction="rtl"`)
	}
	w.b.WriteString(">\n")
	for _, c := range d.root.children {
		w.element(c)
	}
	w.b.WriteString("</svg>\n")
	return w.b.Bytes()
}

type svgWriter struct {
	b      bytes.Buffer
	label  func(id, source string) string
	mirror bool
	rtl    bool
	axis   float64 // twice the middle of the drawing
}

func (w *svgWriter) attr(a attr) {
	w.b.WriteString(" " + a.name + `="` + html.EscapeString(a.value) + `"`)
}

// element writes an element of the whole. In a mirrored drawing it is turned over, and the texts inside are turned back,
// each about its own place, so that they read as before.
func (w *svgWriter) element(e *element) {
	if w.mirror {
		w.b.WriteString(`<g transform="matrix(-1 0 0 1 ` + num(w.axis) + ` 0)">`)
	}
	w.write(e, false)
	if w.mirror {
		w.b.WriteString("</g>")
	}
	w.b.WriteByte('\n')
}

// write writes an element; anchored tells whether a group around it says where texts begin.
func (w *svgWriter) write(e *element, anchored bool) {
	if e.name == "text" {
		w.text(e, anchored)
		return
	}
	w.b.WriteString("<" + e.name)
	for _, a := range e.attrs {
		if a.name == "text-anchor" {
			anchored = true
			a.value = w.anchor(a.value)
		}
		w.attr(a)
	}
	if len(e.children) == 0 {
		w.b.WriteString("/>")
		return
	}
	w.b.WriteByte('>')
	for _, c := range e.children {
		w.write(c, anchored)
	}
	w.b.WriteString("</" + e.name + ">")
}

// anchor keeps a text on the side where it was drawn: in a script that runs to the left, "start" is at the right.
// In a mirrored drawing that is just what is wanted.
func (w *svgWriter) anchor(value string) string {
	switch {
	case !w.rtl || w.mirror:
	case value == "end":
		return "start"
	case value == "start":
		return "end"
	}
	return value
}

func (w *svgWriter) text(e *element, anchored bool) {
	w.b.WriteString("<text")
	for _, a := range e.attrs {
		switch {
		case a.name == "id", a.name == "transform" && w.mirror:
			continue
		case a.name == "text-anchor":
			anchored = true
			a.value = w.anchor(a.value)
		}
		w.attr(a)
	}
	if !anchored && w.anchor("start") != "start" {
		w.b.WriteString(` text-anchor="end"`)
	}
	if w.mirror {
		// Turned over about its own x it comes out upright, with its start where the mirror put it.
		x, _ := strconv.ParseFloat(e.get("x"), 64)
		own := e.get("transform")
		if own != "" {
			own += " "
		}
		w.b.WriteString(` transform="` + html.EscapeString(own) + `matrix(-1 0 0 1 ` + num(2*x) + ` 0)"`)
	}
	w.b.WriteString(">" + html.EscapeString(w.label(e.id, e.text)) + "</text>")
}

func num(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

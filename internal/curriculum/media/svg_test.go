package media_test

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
)

const road = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
<g text-anchor="middle"><rect x="10" y="0" width="20" height="10" fill="#fff"/><text id="in-group" x="20" y="8">In</text></g>
<text id="at-start" x="10" y="30">Start</text><text id="at-end" x="90" y="40" text-anchor="end" transform="rotate(10)">End &amp; more</text>
</svg>`

func TestReadSVG(t *testing.T) {
	d, problems := media.ReadSVG([]byte(road))
	if len(problems) > 0 || d.Width != 100 || d.Height != 50 {
		t.Fatalf("%+v %v", d, problems)
	}
	var labels []string
	for _, l := range d.Labels {
		labels = append(labels, l.ID+"="+l.Text)
	}
	if want := []string{"in-group=In", "at-start=Start", "at-end=End & more"}; !slices.Equal(labels, want) {
		t.Errorf("labels %v", labels)
	}
	same := func(_, s string) string { return s }
	for _, tt := range []struct {
		name        string
		rtl, mirror bool
		want        []string
	}{
		{"as drawn", false, true, []string{`<g text-anchor="middle">`, `<text x="10" y="30">Start`, `<text x="90" y="40" text-anchor="end" transform="rotate(10)">End &amp; more`}},
		{"to the left, not turned", true, false, []string{`direction="rtl"`, `<g text-anchor="middle">`, `<text x="20" y="8">In`, `<text x="10" y="30" text-anchor="end">Start`, `text-anchor="start" transform="rotate(10)">End`}},
		{"turned", true, true, []string{`<g transform="matrix(-1 0 0 1 100 0)"><text x="10" y="30" transform="matrix(-1 0 0 1 20 0)">Start`, `text-anchor="end" transform="rotate(10) matrix(-1 0 0 1 180 0)">End`}},
	} {
		out := string(d.Render(same, "xx", tt.rtl, tt.mirror))
		for _, w := range tt.want {
			if !strings.Contains(out, w) {
				t.Errorf("%s: %q is missing in\n%s", tt.name, w, out)
			}
		}
	}
}

func TestRefusedSVG(t *testing.T) {
	in := func(s string) string {
		return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">` + s + `</svg>`
	}
	for _, tt := range []struct{ name, svg, key string }{
		{"nothing", "", "media.svg_broken"},
		{"text", "hello", "media.svg_stray_text"},
		{"script", in(`<script>x</script>`), "media.svg_element"},
		{"a foreign object", in(`<foreignObject/>`), "media.svg_element"},
		{"a link", in(`<a href="javascript:x"><rect/></a>`), "media.svg_element"},
		{"a picture from elsewhere", in(`<image href="https://e.org/x.png"/>`), "media.svg_element"},
		{"use", in(`<use href="#x"/>`), "media.svg_element"},
		{"movement", in(`<rect><animate/></rect>`), "media.svg_element"},
		{"a style sheet", in(`<style>x</style>`), "media.svg_element"},
		{"a style", in(`<rect style="fill:url(x)"/>`), "media.svg_attribute"},
		{"a handler", in(`<rect onload="x"/>`), "media.svg_attribute"},
		{"an address as colour", in(`<rect fill="url(https://e.org)"/>`), "media.svg_value"},
		{"a number that is none", in(`<rect x="calc(1)"/>`), "media.svg_value"},
		{"another namespace", in(`<x:rect xmlns:x="urn:x"/>`), "media.svg_element"},
		{"a namespaced attribute", in(`<rect xmlns:l="http://www.w3.org/1999/xlink" l:href="x"/>`), "media.svg_attribute"},
		{"entities", `<!DOCTYPE svg [<!ENTITY a "x">]>` + in(""), "media.svg_doctype"},
		{"an instruction", `<?xml-stylesheet href="x"?>` + in(""), "media.svg_doctype"},
		{"svg in svg", in(`<svg viewBox="0 0 1 1"/>`), "media.svg_element"},
		{"parts of words", in(`<text id="a">x<tspan>y</tspan></text>`), "media.svg_element"},
		{"words without an id", in(`<text>x</text>`), "media.svg_text_without_id"},
		{"an id twice", in(`<text id="a">x</text><text id="a">y</text>`), "media.svg_id_twice"},
		{"no frame", `<svg xmlns="http://www.w3.org/2000/svg"/>`, "media.svg_viewbox"},
		{"a huge frame", `<svg viewBox="0 0 1e9 1"/>`, "media.svg_viewbox"},
		{"not closed", `<svg viewBox="0 0 1 1"><g>`, "media.svg_broken"},
		{"deep", in(strings.Repeat("<g>", 40) + strings.Repeat("</g>", 40)), "media.svg_too_much"},
		{"much", in(strings.Repeat("<rect/>", 3000)), "media.svg_too_much"},
	} {
		_, problems := media.ReadSVG([]byte(tt.svg))
		if len(problems) == 0 || problems[0].Key != tt.key {
			t.Errorf("%s: %v, want %s", tt.name, problems, tt.key)
		}
	}
}

// Whatever is taken in goes out as shapes and words only, and is well formed.
func FuzzSVG(f *testing.F) {
	f.Add(road, "x")
	f.Add(`<svg viewBox="0 0 9 9"><text id="a" x="1">&#60;script></text></svg>`, "<script>alert(1)</script>\"")
	f.Add(`<svg viewBox="0 0 9 9"><path d="M0 0" transform="rotate(1)"/></svg>`, "]]>&amp;")
	f.Fuzz(func(t *testing.T, svg, label string) {
		if len(svg) > 20000 {
			return
		}
		d, problems := media.ReadSVG([]byte(svg))
		if len(problems) > 0 {
			return
		}
		out := d.Render(func(string, string) string { return label }, "ar", true, true)
		dec := xml.NewDecoder(strings.NewReader(strings.ToValidUTF8(string(out), "")))
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0xfffe || r == 0xffff || r == 0xfffd }) {
					return // labels of a course hold no such thing
				}
				t.Fatalf("%v in %q", err, out)
			}
			if e, ok := tok.(xml.StartElement); ok {
				if !slices.Contains(strings.Fields("svg g rect circle ellipse line polyline polygon path text"), e.Name.Local) {
					t.Fatalf("%s in %s", e.Name.Local, out)
				}
				for _, a := range e.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || strings.Contains(a.Value, "url(") {
						t.Fatalf("%s=%q in %s", a.Name.Local, a.Value, out)
					}
				}
			}
		}
	})
}

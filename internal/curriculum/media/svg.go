// Package media reads the pictures and sounds of a course, and refuses what could harm a reader.
package media

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Label is a text of a drawing.
type Label struct {
	ID, Text string
	Line     int
}

// Labels lists the texts of an SVG that have an id, in order. Of a drawing that is not well formed it gives those before the flaw.
func Labels(svg []byte) []Label {
	var out []Label
	dec := xml.NewDecoder(bytes.NewReader(svg))
	dec.Strict = true
	var open *Label
	for {
		tok, err := dec.Token()
		if err != nil {
			_ = errors.Is(err, io.EOF)
			return out
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Local != "text" {
				continue
			}
			line, _ := dec.InputPos()
			open = &Label{Line: line}
			for _, a := range tok.Attr {
				if a.Name.Local == "id" && a.Name.Space == "" {
					open.ID = a.Value
				}
			}
		case xml.CharData:
			if open != nil {
				open.Text += string(tok)
			}
		case xml.EndElement:
			if tok.Name.Local == "text" && open != nil {
				if open.Text = strings.Join(strings.Fields(open.Text), " "); open.ID != "" && open.Text != "" {
					out = append(out, *open)
				}
				open = nil
			}
		}
	}
}

package code

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// Quiet is how many modules around a QR code stay light.
const Quiet = 4

// Modules are the squares of a QR code, dark ones true, row by row, without the quiet border.
type Modules [][]bool

// Draw makes the QR code of a code: error correction Q, and its letters as what they are, alphanumeric, at 5.5 bits each.
func Draw(text string) (Modules, error) {
	drawn, err := qr.Encode(text, qr.Q, qr.AlphaNumeric)
	if err != nil {
		return nil, fmt.Errorf("draw a code of %d characters: %w", len(text), err)
	}
	size := drawn.Bounds().Dx()
	m := make(Modules, size)
	for y := range m {
		m[y] = make([]bool, size)
		for x := range m[y] {
			r, _, _, _ := drawn.At(x, y).RGBA()
			m[y][x] = r == 0
		}
	}
	return m, nil
}

// SVG draws black on white with its quiet border, one unit a module: crisp at every size.
func (m Modules) SVG() []byte {
	side := strconv.Itoa(len(m) + 2*Quiet)
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + " " + side + `" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path d="`)
	for y, row := range m {
		for x := 0; x < len(row); x++ {
			if !row[x] {
				continue
			}
			from := x
			for x+1 < len(row) && row[x+1] {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+Quiet, y+Quiet, x+1-from, x+1-from)
		}
	}
	b.WriteString(`"/></svg>` + "\n")
	return []byte(b.String())
}

// PNG draws black on white with its quiet border, so many pixels a module.
func (m Modules) PNG(scale int) ([]byte, error) {
	side := (len(m) + 2*Quiet) * scale
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if r, c := y/scale-Quiet, x/scale-Quiet; r >= 0 && c >= 0 && r < len(m) && c < len(m) && m[r][c] {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

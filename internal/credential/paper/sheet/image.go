package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"golang.org/x/image/draw"
)

const (
	maxImageBytes  = 8 << 20
	maxImagePixels = 24 << 20
	// A picture that takes more than this without loss is kept as JPEG.
	losslessBytes = 30 << 10
)

// Image is a picture made ready for paper. It does not change, and may be used by many.
type Image struct {
	W, H  int
	rgb   []byte // deflated, or nil
	jpeg  []byte // else
	alpha []byte // deflated; nil when there is none
	png   []byte // for SVG
}

// ErrImage means that bytes are no PNG or JPEG, or a far too large one.
var ErrImage = errors.New("no picture that can be printed")

// ReadImage reads a PNG or JPEG and makes it no larger than w times h pixels.
func ReadImage(b []byte, w, h int) (*Image, error) {
	if len(b) > maxImageBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrImage, len(b))
	}
	decodeConfig, decode := png.DecodeConfig, png.Decode
	if bytes.HasPrefix(b, []byte{0xff, 0xd8}) {
		decodeConfig, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	c, err := decodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxImagePixels/c.Height {
		return nil, fmt.Errorf("%w: %d × %d pixels", ErrImage, c.Width, c.Height)
	}
	src, err := decode(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	scale := min(1, float64(w)/float64(c.Width), float64(h)/float64(c.Height))
	m := &Image{W: max(1, int(float64(c.Width)*scale)), H: max(1, int(float64(c.Height)*scale))}
	// Scaled with premultiplied alpha, so that what cannot be seen colours no edge.
	dst := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	if scale < 1 {
		draw.CatmullRom.Scale(dst, dst.Bounds(), src, src.Bounds(), draw.Src, nil)
	} else {
		draw.Draw(dst, dst.Bounds(), src, src.Bounds().Min, draw.Src)
	}
	return m, m.encode(dst)
}

func (m *Image) encode(p *image.RGBA) error {
	rgb, alpha := make([]byte, 0, m.W*m.H*3), make([]byte, 0, m.W*m.H)
	flat := image.NewNRGBA(p.Rect)
	opaque := true
	for i := 0; i < len(p.Pix); i += 4 {
		a := int(p.Pix[i+3])
		opaque = opaque && a == 255
		for k := range 3 {
			v := 255
			if a > 0 {
				v = min(255, (int(p.Pix[i+k])*255+a/2)/a)
			}
			rgb = append(rgb, byte(v))
			flat.Pix[i+k] = byte(v)
		}
		alpha = append(alpha, byte(a))
		flat.Pix[i+3] = 255
	}
	m.rgb = deflate(predict(rgb, m.W*3, 3))
	if !opaque {
		m.alpha = deflate(predict(alpha, m.W, 1))
	}
	if len(m.rgb) > losslessBytes {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, flat, &jpeg.Options{Quality: 82}); err != nil {
			return err
		}
		if b.Len() < len(m.rgb) {
			m.rgb, m.jpeg = nil, b.Bytes()
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		return err
	}
	m.png = b.Bytes()
	return nil
}

// predict writes each row as differences to the row above, with the byte that says so in front (PNG's filter Up, PDF's predictor 15);
// a first row as differences to the pixel before.
func predict(b []byte, row, size int) []byte {
	out := make([]byte, 0, len(b)+len(b)/row)
	for at := 0; at < len(b); at += row {
		if at == 0 {
			out = append(out, 1)
			for i := range row {
				v := b[i]
				if i >= size {
					v -= b[i-size]
				}
				out = append(out, v)
			}
			continue
		}
		out = append(out, 2)
		for i := at; i < at+row; i++ {
			out = append(out, b[i]-b[i-row])
		}
	}
	return out
}

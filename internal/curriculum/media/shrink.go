package media

import (
	"image"
	"image/draw"
)

// shrink makes a picture smaller, or leaves its size, and turns it as its camera was held. width and height are of the
// turned picture. Each pixel is the average of the area that it covers, weighted in whole numbers: sums of floating-point
// numbers differ between machines, and with them the digest of a course.
func shrink(src image.Image, orientation, width, height int) *image.NRGBA {
	w, h := width, height
	if orientation >= 5 {
		w, h = h, w
	}
	b := src.Bounds()
	sw, sh := b.Dx(), b.Dy()
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	row := image.NewRGBA(image.Rect(0, 0, sw, 1))
	sum := make([]uint64, w*4)
	across := make([]uint64, w*4)
	y := 0
	flush := func() {
		all := uint64(sw) * uint64(sh)
		for x := range w {
			tx, ty := turned(orientation, x, y, w, h)
			setPixel(out, tx, ty, sum[x*4:x*4+4], all)
		}
		clear(sum)
		y++
	}
	// Along both sides, a source pixel has as many units as there are pixels in the result, and a pixel of the result
	// as many as there are in the source.
	for sy := range sh {
		draw.Draw(row, row.Rect, src, image.Pt(b.Min.X, b.Min.Y+sy), draw.Src)
		average(row.Pix, sw, w, across)
		for from, to := sy*h, (sy+1)*h; from < to; {
			end := (y + 1) * sh
			part := uint64(min(end, to) - from)
			for i, v := range across {
				sum[i] += v * part
			}
			if from = min(end, to); from == end {
				flush()
			}
		}
	}
	return out
}

// average sums one row of premultiplied pixels into the columns of the result; each column's weights come to sw.
func average(pix []byte, sw, w int, out []uint64) {
	clear(out)
	x := 0
	for sx := range sw {
		p := pix[sx*4 : sx*4+4]
		for from, to := sx*w, (sx+1)*w; from < to; {
			end := (x + 1) * sw
			part := uint64(min(end, to) - from)
			o := out[x*4 : x*4+4]
			o[0] += uint64(p[0]) * part
			o[1] += uint64(p[1]) * part
			o[2] += uint64(p[2]) * part
			o[3] += uint64(p[3]) * part
			if from = min(end, to); from == end {
				x++
			}
		}
	}
}

// setPixel writes a pixel from sums of premultiplied colours.
func setPixel(img *image.NRGBA, x, y int, sum []uint64, all uint64) {
	p := img.Pix[img.PixOffset(x, y):][:4]
	a := (sum[3] + all/2) / all
	if a == 0 {
		return // whatever its colour was, it is not seen
	}
	for i := range 3 {
		p[i] = uint8(min((sum[i]*255+sum[3]/2)/sum[3], 255))
	}
	p[3] = uint8(a)
}

// turned tells where a pixel of the stored picture stands when the picture is held upright. w and h are of the stored
// one. The eight orientations are those of Exif 2.3, tag 0x0112.
func turned(orientation, x, y, w, h int) (int, int) {
	switch orientation {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return h - 1 - y, x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return y, w - 1 - x
	}
	return x, y
}

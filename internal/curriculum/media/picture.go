package media

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"sync"

	"golang.org/x/image/webp"
)

// Widths are how wide pictures are cut, in pixels: for a phone of 360 px, and for the same phone with a fine screen or a larger
// page. A picture is never enlarged.
var Widths = [...]int{360, 720}

// What a picture may hold at most. A small file can stand for a huge picture, so this is asked before anything is unpacked.
const (
	MaxPixels = 16_000_000
	maxSide   = 9999 // pixels
	maxScans  = 100  // of a progressive JPEG: each costs a walk over the whole picture
)

// quality of JPEG: about 20 kB at 360 px and 60 kB at 720 px for a photograph.
const quality = 70

// Picture is a photograph or a raster drawing, cut for pages. Nothing of its source is left but how it looks: no place, no
// device, no name, nothing behind its end.
type Picture struct {
	Width, Height int   // of the widest cut
	Cuts          []Cut // from narrow to wide, at least one
}

// Cut is a picture at one width.
type Cut struct {
	Width, Height int
	Ext           string // of its file and its kind: jpg, png or webp
	Data          []byte
}

// RefusedError is why a file is not taken: a message key and pairs of name and value. It becomes a fault.Detail.
type RefusedError struct {
	Key  string
	Args []string
}

func (r *RefusedError) Error() string { return fmt.Sprint(r.Key, " ", r.Args) }

func refuse(key string, args ...string) error { return &RefusedError{key, args} }

// ReadPicture reads a PNG, JPEG or WebP picture and cuts it for pages. ext is what its name claims (".png", ".jpg",
// ".webp"). The same bytes give the same cuts on every machine: all sums are of whole numbers, and no other
// program is asked. Errors are of RefusedError.
func ReadPicture(ext string, data []byte) (Picture, error) {
	key := sha256.Sum256(append([]byte(ext+"\x00"), data...))
	if p, ok := cuts.find(key); ok {
		return p, nil
	}
	// One at a time: a large picture takes some 200 MB while it is read.
	reading.Lock()
	defer reading.Unlock()
	p, err := readPicture(ext, data)
	if err == nil {
		cuts.keep(key, p)
	}
	return p, err
}

var reading sync.Mutex

func readPicture(ext string, data []byte) (p Picture, err error) {
	defer func() {
		// Decoders of strangers' files have panicked before.
		if recover() != nil {
			p, err = Picture{}, refuse("media.picture_broken")
		}
	}()
	kind := sniff(data)
	if kind == "" || "."+kind != ext {
		return Picture{}, refuse("media.wrong_type", "Type", named(kind))
	}
	h, bare, err := inspect(kind, data)
	if err != nil {
		return Picture{}, err
	}
	if h.width < 1 || h.height < 1 || h.width > maxSide || h.height > maxSide || h.width*h.height > MaxPixels {
		return Picture{}, refuse("media.picture_too_large", "Width", fmt.Sprint(h.width), "Height", fmt.Sprint(h.height), "Most", fmt.Sprint(MaxPixels/1_000_000))
	}
	src, err := decode(kind, bare)
	if err != nil || src.Bounds().Dx() != h.width || src.Bounds().Dy() != h.height {
		return Picture{}, refuse("media.picture_broken")
	}
	w, hgt := h.width, h.height
	if h.orientation >= 5 {
		w, hgt = hgt, w
	}
	for _, width := range Widths {
		if width > w {
			width = w
		}
		height := max((hgt*width+w/2)/w, 1)
		cut := Cut{Width: width, Height: height}
		if cut.Ext, cut.Data, err = encode(shrink(src, h.orientation, width, height), kind); err != nil {
			return Picture{}, err
		}
		if kind == "webp" && width == w && h.orientation == 1 && len(bare) < len(cut.Data) {
			// We have nothing that encodes so small, so what an author's tool has made is kept.
			cut.Ext, cut.Data = "webp", bare
		}
		p.Cuts = append(p.Cuts, cut)
		p.Width, p.Height = width, height
		if width == w {
			break
		}
	}
	return p, nil
}

// Raster tells by its first bytes which ending ReadPicture wants for a PNG or JPEG file; "" for any other.
func Raster(data []byte) string {
	if kind := sniff(data); kind == "png" || kind == "jpg" {
		return "." + kind
	}
	return ""
}

// sniff tells what a file is by its first bytes: "jpg", "png", "webp", another kind that people mistake for one, or "".
func sniff(data []byte) string {
	for _, k := range []struct{ kind, magic string }{
		{"jpg", "\xff\xd8\xff"},
		{"png", "\x89PNG\r\n\x1a\n"},
		{"gif", "GIF8"},
		{"bmp", "BM"},
		{"tiff", "II*\x00"},
		{"tiff", "MM\x00*"},
		{"pdf", "%PDF"},
		{"zip", "PK\x03\x04"},
		{"ogg", "OggS"},
		{"mp3", "ID3"},
		{"svg", "<svg"},
		{"svg", "<?xml"},
		{"html", "<!DOCTYPE html"},
		{"html", "<html"},
	} {
		if bytes.HasPrefix(data, []byte(k.magic)) {
			return k.kind
		}
	}
	if len(data) >= 12 && string(data[:4]) == "RIFF" {
		switch string(data[8:12]) {
		case "WEBP":
			return "webp"
		case "WAVE":
			return "wav"
		}
	}
	if len(data) >= 12 && string(data[4:8]) == "ftyp" {
		switch string(data[8:11]) {
		case "hei", "hev", "mif":
			return "heic"
		case "avi":
			return "avif"
		}
		return "mp4"
	}
	if len(data) >= 2 && data[0] == 0xff && data[1]&0xe0 == 0xe0 {
		return "mp3"
	}
	return ""
}

func named(kind string) string {
	if kind == "" {
		return "?"
	}
	return kind
}

func decode(kind string, data []byte) (image.Image, error) {
	r := bytes.NewReader(data)
	switch kind {
	case "jpg":
		return jpeg.Decode(r)
	case "png":
		return png.Decode(r)
	case "webp":
		return webp.Decode(r)
	}
	return nil, errors.ErrUnsupported
}

// encode writes a cut as JPEG, or as PNG where that is smaller, keeps few colours sharp, or the picture can be seen through.
func encode(img *image.NRGBA, source string) (ext string, data []byte, err error) {
	var opaque image.Image = img
	see := !img.Opaque()
	few := palette(img)
	var asPNG []byte
	if see || few != nil || source == "png" {
		var b bytes.Buffer
		e := png.Encoder{CompressionLevel: png.BestCompression}
		if few != nil {
			err = e.Encode(&b, few)
		} else {
			err = e.Encode(&b, img)
		}
		if err != nil {
			return "", nil, err
		}
		if asPNG = b.Bytes(); see {
			return "png", asPNG, nil
		}
	}
	if g := grey(img); g != nil {
		opaque = g
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, opaque, &jpeg.Options{Quality: quality}); err != nil {
		return "", nil, err
	}
	// JPEG smears the edges of drawings and letters: a fourth more is well spent on sharp ones.
	if asPNG != nil && len(asPNG) <= b.Len()+b.Len()/4 {
		return "png", asPNG, nil
	}
	return "jpg", b.Bytes(), nil
}

// palette gives the picture with a palette when it has at most 256 colours, or nil.
func palette(img *image.NRGBA) *image.Paletted {
	index := map[[4]byte]uint8{}
	out := image.NewPaletted(img.Rect, nil)
	for i := 0; i+3 < len(img.Pix); i += 4 {
		c := [4]byte(img.Pix[i : i+4])
		n, ok := index[c]
		if !ok {
			if len(out.Palette) == 256 {
				return nil
			}
			n = uint8(len(out.Palette))
			index[c] = n
			out.Palette = append(out.Palette, color.NRGBA{c[0], c[1], c[2], c[3]})
		}
		out.Pix[i/4] = n
	}
	return out
}

// grey gives the picture without colour when it has none, or nil.
func grey(img *image.NRGBA) *image.Gray {
	out := image.NewGray(img.Rect)
	for i := 0; i+3 < len(img.Pix); i += 4 {
		if img.Pix[i] != img.Pix[i+1] || img.Pix[i] != img.Pix[i+2] {
			return nil
		}
		out.Pix[i/4] = img.Pix[i]
	}
	return out
}

// maxKept bounds the cuts that are kept, in bytes.
const maxKept = 32 << 20

// cuts keeps what was cut last, because a course is published again after every edit and its pictures stay the same.
var cuts cutCache

type cutCache struct {
	mu    sync.Mutex
	order [][32]byte // oldest first
	all   map[[32]byte]Picture
	size  int
}

func (c *cutCache) find(key [32]byte) (Picture, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.all[key]
	return p, ok
}

func (c *cutCache) keep(key [32]byte, p Picture) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.all[key]; ok || p.size() > maxKept {
		return
	}
	if c.all == nil {
		c.all = map[[32]byte]Picture{}
	}
	for c.size+p.size() > maxKept {
		c.size -= c.all[c.order[0]].size()
		delete(c.all, c.order[0])
		c.order = c.order[1:]
	}
	c.all[key] = p
	c.order = append(c.order, key)
	c.size += p.size()
}

func (p Picture) size() int {
	n := 0
	for _, c := range p.Cuts {
		n += len(c.Data)
	}
	return n
}

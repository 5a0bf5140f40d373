package media_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/webp"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
)

// photo is a picture that no palette holds, with a red corner at its upper left, so that turning shows.
func photo(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	seed := uint32(7)
	for y := range h {
		for x := range w {
			seed = seed*1664525 + 1013904223
			n := uint8(seed >> 28)
			img.Set(x, y, color.RGBA{uint8(x*200/w) + n, uint8(y*200/h) + n, 90 + n, 255})
			if x < w/4 && y < h/4 {
				img.Set(x, y, color.RGBA{250, 0, 0, 255})
			}
		}
	}
	return img
}

func asJPEG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func exif(orientation uint16) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x02\x01\x12\x00\x03\x00\x00\x00\x01")
	b = binary.BigEndian.AppendUint16(b, orientation)
	return append(b, "\x00\x00\x88\x25\x00\x04\x00\x00\x00\x01GPS 12.34 N SECRET"...)
}

// withExif puts a segment right behind the start of a JPEG.
func withExif(jpg, tiff []byte) []byte {
	seg := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(seg)+2))
	return append(append(head, seg...), jpg[2:]...)
}

func chunk(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunk puts a chunk behind the header of a PNG.
func withChunk(p []byte, name string, body []byte) []byte {
	return append(append(bytes.Clone(p[:33]), chunk(name, body)...), p[33:]...)
}

func decoded(t *testing.T, c media.Cut) image.Image {
	t.Helper()
	var img image.Image
	var err error
	switch r := bytes.NewReader(c.Data); c.Ext {
	case "jpg":
		img, err = jpeg.Decode(r)
	case "png":
		img, err = png.Decode(r)
	case "webp":
		img, err = webp.Decode(r)
	}
	if err != nil || img == nil {
		t.Fatalf("cut %s: %v", c.Ext, err)
	}
	if s := img.Bounds().Size(); s.X != c.Width || s.Y != c.Height {
		t.Fatalf("cut is %v, it says %d × %d", s, c.Width, c.Height)
	}
	return img
}

func red(img image.Image, x, y int) bool {
	r, g, b, _ := img.At(x, y).RGBA()
	return r>>8 > 200 && g>>8 < 80 && b>>8 < 80
}

func TestPictureCuts(t *testing.T) {
	for _, tt := range []struct {
		name         string
		w, h         int
		widths       []int
		mostOfWidest int
	}{
		{"large", 1600, 1200, []int{360, 720}, 110 << 10},
		{"between", 500, 300, []int{360, 500}, 60 << 10},
		{"exact", 720, 300, []int{360, 720}, 60 << 10},
		{"small", 200, 100, []int{200}, 20 << 10},
		{"a dot", 1, 1, []int{1}, 1 << 10},
		{"thin", 2000, 1, []int{360, 720}, 4 << 10},
	} {
		data := asJPEG(t, photo(tt.w, tt.h))
		p, err := media.ReadPicture(".jpg", data)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for i, c := range p.Cuts {
			decoded(t, c)
			if i >= len(tt.widths) || c.Width != tt.widths[i] {
				t.Errorf("%s: cut %d is %d wide, want %v", tt.name, i, c.Width, tt.widths)
			}
		}
		last := p.Cuts[len(p.Cuts)-1]
		if len(p.Cuts) != len(tt.widths) || p.Width != last.Width || p.Height != last.Height || len(last.Data) > tt.mostOfWidest {
			t.Errorf("%s: %d cuts, %d × %d, %d bytes", tt.name, len(p.Cuts), p.Width, p.Height, len(last.Data))
		}
	}
}

// A camera that was held any other way gives the same upright picture, of PNG and JPEG.
func TestPictureTurned(t *testing.T) {
	corner := map[uint16][2]int{1: {0, 0}, 2: {1, 0}, 3: {1, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 1}, 8: {0, 1}}
	src := photo(80, 40)
	for o, at := range corner {
		for ext, data := range map[string][]byte{".jpg": withExif(asJPEG(t, src), exif(o)), ".png": withChunk(asPNG(t, src), "eXIf", exif(o))} {
			p, err := media.ReadPicture(ext, data)
			if err != nil {
				t.Fatal(o, ext, err)
			}
			w, h := 80, 40
			if o >= 5 {
				w, h = h, w
			}
			if p.Width != w || p.Height != h {
				t.Errorf("%s %d: %d × %d", ext, o, p.Width, p.Height)
				continue
			}
			img := decoded(t, p.Cuts[0])
			for x := range 2 {
				for y := range 2 {
					if got := red(img, 3+x*(w-7), 3+y*(h-7)); got != (at == [2]int{x, y}) {
						t.Errorf("%s %d: corner %d %d is red: %v", ext, o, x, y, got)
					}
				}
			}
		}
	}
}

func TestPictureForgets(t *testing.T) {
	tail := []byte("PK\x03\x04<script>alert(1)</script>")
	jpg := append(withExif(asJPEG(t, photo(50, 50)), exif(3)), tail...)
	pic := append(withChunk(withChunk(asPNG(t, photo(50, 50)), "tEXt", []byte("Author\x00SECRET")), "eXIf", exif(1)), tail...)
	turned, err := os.ReadFile("testdata/turned.webp")
	if err != nil {
		t.Fatal(err)
	}
	for ext, data := range map[string][]byte{".jpg": jpg, ".png": pic, ".webp": append(turned, tail...)} {
		p, err := media.ReadPicture(ext, data)
		if err != nil {
			t.Fatal(ext, err)
		}
		for _, c := range p.Cuts {
			for _, secret := range []string{"SECRET", "GPS", "Exif", "EXIF", "script", "PK\x03\x04"} {
				if bytes.Contains(c.Data, []byte(secret)) {
					t.Errorf("%s: %q is still there", ext, secret)
				}
			}
		}
	}
}

func TestPictureWebP(t *testing.T) {
	turned, err := os.ReadFile("testdata/turned.webp")
	if err != nil {
		t.Fatal(err)
	}
	// Turned, it is encoded anew.
	p, err := media.ReadPicture(".webp", turned)
	if err != nil || p.Width != 60 || p.Height != 90 || p.Cuts[0].Ext == "webp" || !red(decoded(t, p.Cuts[0]), 55, 10) {
		t.Errorf("%+v, %v", p, err)
	}
	// Upright and smaller than what we can make of it, it is kept, without its tags.
	upright := bytes.Replace(turned, []byte("\x12\x01\x03\x00\x01\x00\x00\x00\x06"), []byte("\x12\x01\x03\x00\x01\x00\x00\x00\x01"), 1)
	p, err = media.ReadPicture(".webp", upright)
	if err != nil || p.Width != 90 || p.Cuts[0].Ext != "webp" || bytes.Contains(p.Cuts[0].Data, []byte("SECRET")) || !red(decoded(t, p.Cuts[0]), 5, 5) {
		t.Errorf("%+v, %v", p, err)
	}
	alpha, err := os.ReadFile("testdata/alpha.webp")
	if err != nil {
		t.Fatal(err)
	}
	p, err = media.ReadPicture(".webp", alpha)
	if err != nil || p.Cuts[0].Ext != "webp" {
		t.Fatalf("%+v, %v", p, err)
	}
	img := decoded(t, p.Cuts[0])
	if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
		t.Error("what could be seen through is filled")
	}
	if _, _, _, a := img.At(45, 30).RGBA(); a != 0xffff {
		t.Error("what could not be seen through is gone")
	}
}

// A picture that can be seen through keeps its edges, and a drawing of few colours stays sharp.
func TestPictureKinds(t *testing.T) {
	drawing := image.NewRGBA(image.Rect(0, 0, 300, 200))
	for y := range 200 {
		for x := range 300 {
			drawing.Set(x, y, color.White)
			if x/10%2 == y/10%2 {
				drawing.Set(x, y, color.RGBA{20, 60, 90, 255})
			}
		}
	}
	glass := image.NewNRGBA(image.Rect(0, 0, 400, 400))
	for y := range 400 {
		for x := range 400 {
			if x > y {
				glass.Set(x, y, color.NRGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
			}
		}
	}
	for _, tt := range []struct {
		name string
		img  image.Image
		ext  string
	}{{"drawing", drawing, "png"}, {"glass", glass, "png"}, {"photo", photo(400, 400), "jpg"}, {"grey", image.NewGray(image.Rect(0, 0, 9, 9)), "png"}} {
		p, err := media.ReadPicture(".png", asPNG(t, tt.img))
		if err != nil || p.Cuts[0].Ext != tt.ext {
			t.Errorf("%s: %v %v", tt.name, p.Cuts, err)
		}
		if tt.name != "glass" {
			continue
		}
		img := decoded(t, p.Cuts[0])
		if _, _, _, a := img.At(5, 300).RGBA(); a != 0 {
			t.Error("glass is filled")
		}
		// Colours at the edge do not darken: what is not seen has no weight.
		if r, _, _, a := img.At(200, 199).RGBA(); a == 0 || r*0xffff/a < 0xa000 {
			t.Errorf("edge is %x of %x", r, a)
		}
	}
}

func TestPictureRefused(t *testing.T) {
	good := asPNG(t, photo(30, 30))
	jpg := asJPEG(t, photo(30, 30))
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge[16:], 60000)
	binary.BigEndian.PutUint32(huge[20:], 60000)
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	many := bytes.Clone(good)
	binary.BigEndian.PutUint32(many[16:], 9000)
	binary.BigEndian.PutUint32(many[20:], 9000)
	binary.BigEndian.PutUint32(many[29:], crc32.ChecksumIEEE(many[12:29]))
	hugeJPEG := bytes.Clone(jpg)
	sof := bytes.Index(hugeJPEG, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(hugeJPEG[sof+5:], 65000)
	binary.BigEndian.PutUint16(hugeJPEG[sof+7:], 65000)
	// A scan is counted wherever its mark stands, so a remark full of marks shows the bound alone.
	marks := func(n int) []byte {
		remark := bytes.Repeat([]byte("\xff\xda"), n)
		head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xfe}, uint16(len(remark)+2))
		return append(append(head, remark...), jpg[2:]...)
	}
	if _, err := media.ReadPicture(".jpg", marks(50)); err != nil {
		t.Errorf("a picture of a few scans: %v", err)
	}
	turned, err := os.ReadFile("testdata/turned.webp")
	if err != nil {
		t.Fatal(err)
	}
	// The frame says what is unpacked, whatever the extended header claims.
	liar := bytes.Clone(turned)
	frame := bytes.Index(liar, []byte("VP8 "))
	binary.LittleEndian.PutUint16(liar[frame+14:], 16383)
	binary.LittleEndian.PutUint16(liar[frame+16:], 16383)
	moving := bytes.Clone(turned)
	moving[20] |= 2
	for _, tt := range []struct {
		name, ext, key string
		data           []byte
	}{
		{"empty", ".png", "media.wrong_type", nil},
		{"words", ".png", "media.wrong_type", []byte("hello")},
		{"another kind", ".png", "media.wrong_type", jpg},
		{"a page named picture", ".jpg", "media.wrong_type", []byte("<!DOCTYPE html><script>alert(1)</script>")},
		{"a page named webp", ".webp", "media.wrong_type", []byte("<svg onload=alert(1)>")},
		{"gif", ".png", "media.wrong_type", []byte("GIF89a\x01\x00\x01\x00")},
		{"photo of a new phone", ".jpg", "media.wrong_type", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")},
		{"sides too long", ".png", "media.picture_too_large", huge},
		{"too many pixels", ".png", "media.picture_too_large", many},
		{"JPEG too large", ".jpg", "media.picture_too_large", hugeJPEG},
		{"WebP that lies", ".webp", "media.picture_too_large", liar},
		{"WebP that moves", ".webp", "media.picture_moves", moving},
		{"cut off PNG", ".png", "media.picture_broken", good[:len(good)/2]},
		{"cut off JPEG", ".jpg", "media.picture_broken", jpg[:len(jpg)/2]},
		{"cut off WebP", ".webp", "media.picture_broken", turned[:len(turned)/2]},
		{"header alone", ".png", "media.picture_broken", good[:33]},
		{"many scans", ".jpg", "media.picture_broken", marks(200)},
		{"RIFF alone", ".webp", "media.picture_broken", []byte("RIFF\x04\x00\x00\x00WEBP")},
		{"RIFF that lies", ".webp", "media.picture_broken", []byte("RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff")},
	} {
		_, err := media.ReadPicture(tt.ext, tt.data)
		var r *media.RefusedError
		if !errors.As(err, &r) || r.Key != tt.key {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.key)
		}
	}
}

// The digest of a course hangs on these bytes. When a new Go, a new library or an edit here changes them, every course with such a
// picture becomes a new version when it is published again: say so in the change log, then write the new sums here. Other
// machines must give the same: try GOARCH=386 and GOAMD64=v3 too.
func TestPictureBytesStay(t *testing.T) {
	webp, err := os.ReadFile("testdata/turned.webp")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, ext string
		data      []byte
		want      string
	}{
		{"jpg", ".jpg", withExif(asJPEG(t, photo(1000, 700)), exif(6)), "de19ea23bfb8"},
		{"png", ".png", asPNG(t, photo(411, 333)), "a3d60d392140"},
		{"webp", ".webp", webp, "5bcdfe6db519"},
	} {
		p, err := media.ReadPicture(tt.ext, tt.data)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.New()
		for _, c := range p.Cuts {
			sum.Write(c.Data)
		}
		if got := hex.EncodeToString(sum.Sum(nil))[:12]; got != tt.want {
			t.Errorf("%s is %s, was %s", tt.name, got, tt.want)
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	data := asJPEG(b, photo(4000, 3000))
	for i := range b.N {
		// Another file each time, so that nothing is found.
		if _, err := media.ReadPicture(".jpg", append(data, byte(i), byte(i>>8), byte(i>>16))); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, name := range []string{"turned.webp", "alpha.webp"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(withExif(asJPEG(f, photo(40, 30)), exif(6)))
	f.Add(withChunk(asPNG(f, photo(40, 30)), "eXIf", exif(8)))
	f.Add(withExif(asJPEG(f, image.NewGray(image.Rect(0, 0, 20, 20))), []byte("II*\x00\xff\xff\xff\xff")))
	f.Fuzz(func(t *testing.T, data []byte) {
		ext := ".webp"
		switch {
		case bytes.HasPrefix(data, []byte{0xff}):
			ext = ".jpg"
		case bytes.HasPrefix(data, []byte{0x89}):
			ext = ".png"
		}
		began := time.Now()
		p, err := media.ReadPicture(ext, data)
		if took := time.Since(began); took > 10*time.Second {
			t.Fatalf("%d bytes took %v", len(data), took)
		}
		if err != nil {
			var r *media.RefusedError
			if !errors.As(err, &r) || !strings.HasPrefix(r.Key, "media.") {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, c := range p.Cuts {
			decoded(t, c)
			if _, err := media.ReadPicture("."+c.Ext, c.Data); err != nil {
				t.Fatalf("what came out is not taken in: %v", err)
			}
		}
	})
}

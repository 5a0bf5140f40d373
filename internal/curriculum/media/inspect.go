package media

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"image/png"
)

// header is what a picture says of itself before it is unpacked.
type header struct {
	width, height int
	orientation   int // 1 to 8, as in Exif
}

// inspect reads the header of a picture, and gives the bytes that a decoder needs. It unpacks nothing.
func inspect(kind string, data []byte) (header, []byte, error) {
	switch kind {
	case "jpg":
		return inspectJPEG(data)
	case "png":
		return inspectPNG(data)
	}
	return inspectWebP(data)
}

func inspectJPEG(data []byte) (header, []byte, error) {
	h := header{orientation: 1}
	cfg, err := jpeg.DecodeConfig(bytes.NewReader(data))
	// Every scan that a decoder can meet begins with these two bytes, wherever they stand.
	if err != nil || bytes.Count(data, []byte("\xff\xda")) > maxScans {
		return h, nil, refuse("media.picture_broken")
	}
	h.width, h.height = cfg.Width, cfg.Height
	for rest := data[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker, n := rest[1], int(binary.BigEndian.Uint16(rest[2:4]))
		if marker == 0xff { // filling
			rest = rest[1:]
			continue
		}
		if marker == 0xda || n < 2 || n+2 > len(rest) {
			break
		}
		if body, ok := bytes.CutPrefix(rest[4:n+2], []byte("Exif\x00\x00")); ok && marker == 0xe1 {
			h.orientation = orientation(body)
			break
		}
		rest = rest[n+2:]
	}
	return h, data, nil
}

func inspectPNG(data []byte) (header, []byte, error) {
	h := header{orientation: 1}
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return h, nil, refuse("media.picture_broken")
	}
	h.width, h.height = cfg.Width, cfg.Height
	for rest := data[8:]; len(rest) >= 12; {
		n := binary.BigEndian.Uint32(rest)
		if uint64(n)+12 > uint64(len(rest)) {
			break
		}
		if string(rest[4:8]) == "eXIf" {
			h.orientation = orientation(rest[8 : 8+n])
			break
		}
		rest = rest[n+12:]
	}
	return h, data, nil
}

// inspectWebP reads the chunks of a WebP file itself, because the frame is what is unpacked and an extended header may claim
// another size. The bytes that it gives hold the picture and its alpha channel alone.
func inspectWebP(data []byte) (header, []byte, error) {
	h := header{orientation: 1}
	broken := refuse("media.picture_broken")
	size := uint64(binary.LittleEndian.Uint32(data[4:8])) + 8
	if size < 12 || size > uint64(len(data)) {
		return h, nil, broken
	}
	var frame, alpha []byte
	extended := false
	for rest := data[12:size]; len(rest) >= 8; {
		n := uint64(binary.LittleEndian.Uint32(rest[4:8]))
		if n+8 > uint64(len(rest)) {
			return h, nil, broken
		}
		body := rest[8 : 8+n]
		chunk := rest[:8+n]
		switch string(rest[:4]) {
		case "VP8X":
			extended = true
			if len(body) < 10 || body[0]&0x02 != 0 {
				return h, nil, refuse("media.picture_moves")
			}
		case "ANIM", "ANMF":
			return h, nil, refuse("media.picture_moves")
		case "ALPH":
			if frame == nil && alpha == nil {
				alpha = chunk
			}
		case "EXIF":
			h.orientation = orientation(bytes.TrimPrefix(body, []byte("Exif\x00\x00")))
		case "VP8 ":
			// Three bytes of tag, three of start code, then 14 bits a side.
			if len(body) < 10 || frame != nil {
				return h, nil, broken
			}
			h.width = int(binary.LittleEndian.Uint16(body[6:])) & 0x3fff
			h.height = int(binary.LittleEndian.Uint16(body[8:])) & 0x3fff
			frame = chunk
		case "VP8L":
			if len(body) < 5 || frame != nil {
				return h, nil, broken
			}
			bits := binary.LittleEndian.Uint32(body[1:])
			h.width, h.height = int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1
			frame, alpha = chunk, nil
		}
		step := 8 + n + n&1
		if step > uint64(len(rest)) {
			break
		}
		rest = rest[step:]
	}
	if frame == nil || alpha != nil && !extended {
		return h, nil, broken
	}
	out := []byte("RIFF\x00\x00\x00\x00WEBP")
	if alpha != nil {
		x := make([]byte, 18)
		copy(x, "VP8X\x0a\x00\x00\x00\x10")
		put24(x[12:], h.width-1)
		put24(x[15:], h.height-1)
		out = append(out, x...)
		out = pad(append(out, alpha...))
	}
	out = pad(append(out, frame...))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return h, out, nil
}

func put24(b []byte, n int) { b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16) }

func pad(b []byte) []byte {
	if len(b)%2 == 1 {
		return append(b, 0)
	}
	return b
}

// orientation finds how a camera was held in Exif data: a TIFF file of which only the first directory is looked at.
// What cannot be read is upright.
func orientation(tiff []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if len(tiff) < 8 {
		return 1
	}
	switch string(tiff[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 1
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			return 1
		}
		if order.Uint16(entries) == 0x0112 && order.Uint16(entries[2:]) == 3 {
			if o := int(order.Uint16(entries[8:])); o >= 1 && o <= 8 {
				return o
			}
			return 1
		}
		entries = entries[12:]
	}
	return 1
}

package media

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// oggPage is a page of an Ogg stream (RFC 3533).
type oggPage struct {
	flags   byte // 1: goes on with a packet, 2: first, 4: last
	granule uint64
	lacing  []byte
	body    []byte
}

const noGranule = ^uint64(0) // no packet ends on the page

// readOgg keeps the headers and the sound of an Ogg stream; what its comments say is left out.
func readOgg(data []byte) (Sound, error) {
	broken := refuse("media.sound_broken")
	pages, serial := oggPages(data)
	if len(pages) < 2 {
		return Sound{}, broken
	}
	first := pages[0].body
	opus := bytes.HasPrefix(first, []byte("OpusHead")) && len(first) >= 19
	vorbis := bytes.HasPrefix(first, []byte("\x01vorbis")) && len(first) >= 30
	headers := 0
	switch {
	case opus:
		headers = 2
	case vorbis:
		headers = 3
	default:
		return Sound{}, refuse("media.wrong_type", "Type", "ogg")
	}
	packets, used, ok := headPackets(pages, headers)
	if !ok || len(packets[0]) != len(first) || used >= len(pages) {
		return Sound{}, broken
	}
	last := uint64(0)
	for _, p := range pages[used:] {
		if p.granule != noGranule {
			last = p.granule
		}
	}
	s := Sound{Type: "audio/ogg; codecs=opus", Codec: "opus"}
	if opus {
		if !bytes.HasPrefix(packets[1], []byte("OpusTags")) || first[8]&0xf0 != 0 {
			return Sound{}, broken
		}
		skip := uint64(binary.LittleEndian.Uint16(first[10:]))
		s.Channels = int(first[9])
		s.Duration = samples(last-min(skip, last), 48000) // Opus counts at this rate, whatever was recorded (RFC 7845)
		packets[1] = []byte("OpusTags\x06\x00\x00\x00banyan\x00\x00\x00\x00")
	} else {
		if !bytes.HasPrefix(packets[1], []byte("\x03vorbis")) || !bytes.HasPrefix(packets[2], []byte("\x05vorbis")) {
			return Sound{}, broken
		}
		s.Codec, s.Type = "vorbis", "audio/ogg; codecs=vorbis"
		s.Channels = int(first[11])
		s.Duration = samples(last, uint64(binary.LittleEndian.Uint32(first[12:])))
		packets[1] = []byte("\x03vorbis\x06\x00\x00\x00banyan\x00\x00\x00\x00\x01")
	}
	if s.Channels < 1 {
		return Sound{}, broken
	}
	out := slices.Concat([]oggPage{{flags: 2, lacing: lace(packets[0]), body: packets[0]}}, paged(packets[1:]), pages[used:])
	s.Data = oggBytes(out, serial)
	return s, nil
}

// oggPages reads the pages of the one stream that a file holds. It stops at the first that is not whole; of a
// file with several streams it gives none.
func oggPages(data []byte) ([]oggPage, uint32) {
	var pages []oggPage
	serial := uint32(0)
	for rest := data; len(rest) >= 27 && string(rest[:4]) == "OggS" && rest[4] == 0; {
		n := int(rest[26])
		if len(rest) < 27+n {
			break
		}
		size := 27 + n
		for _, l := range rest[27 : 27+n] {
			size += int(l)
		}
		if len(rest) < size || oggSum(rest[:size]) != binary.LittleEndian.Uint32(rest[22:]) {
			break
		}
		p := oggPage{flags: rest[5], granule: binary.LittleEndian.Uint64(rest[6:]), lacing: rest[27 : 27+n], body: rest[27+n : size]}
		s := binary.LittleEndian.Uint32(rest[14:])
		if len(pages) == 0 {
			serial = s
		}
		if s != serial || (p.flags&2 != 0) != (len(pages) == 0) {
			return nil, 0
		}
		pages = append(pages, p)
		rest = rest[size:]
	}
	return pages, serial
}

// headPackets joins the first packets of a stream. Their last one must end its page, as Opus and Vorbis demand.
func headPackets(pages []oggPage, want int) (packets [][]byte, used int, ok bool) {
	var open []byte
	for i, p := range pages {
		body := p.body
		for j, l := range p.lacing {
			open = append(open, body[:l]...)
			body = body[l:]
			if l == 255 {
				continue
			}
			packets = append(packets, open)
			open = nil
			if len(packets) == want {
				return packets, i + 1, j == len(p.lacing)-1
			}
		}
	}
	return nil, 0, false
}

// lace writes how long a packet is.
func lace(packet []byte) []byte {
	return append(bytes.Repeat([]byte{255}, len(packet)/255), byte(len(packet)%255))
}

// paged lays packets of headers on pages.
func paged(packets [][]byte) []oggPage {
	var lacing []byte
	for _, p := range packets {
		lacing = append(lacing, lace(p)...)
	}
	body := slices.Concat(packets...)
	var out []oggPage
	inside := false
	for len(lacing) > 0 {
		n := min(len(lacing), 255)
		p := oggPage{lacing: lacing[:n], granule: noGranule}
		if inside {
			p.flags = 1
		}
		size := 0
		for _, l := range p.lacing {
			size += int(l)
			if l < 255 {
				p.granule = 0
			}
		}
		inside = p.lacing[n-1] == 255
		p.body = body[:size]
		lacing, body = lacing[n:], body[size:]
		out = append(out, p)
	}
	return out
}

// oggBytes numbers pages and writes them.
func oggBytes(pages []oggPage, serial uint32) []byte {
	var out []byte
	for i, p := range pages {
		at := len(out)
		out = append(out, "OggS\x00"...)
		out = append(out, p.flags)
		out = binary.LittleEndian.AppendUint64(out, p.granule)
		out = binary.LittleEndian.AppendUint32(out, serial)
		out = binary.LittleEndian.AppendUint32(out, uint32(i))
		out = append(out, 0, 0, 0, 0, byte(len(p.lacing)))
		out = append(out, p.lacing...)
		out = append(out, p.body...)
		binary.LittleEndian.PutUint32(out[at+22:], oggSum(out[at:]))
	}
	return out
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		t[i] = r
	}
	return t
}()

// oggSum is the checksum of a page, with its own field taken as zero.
func oggSum(page []byte) uint32 {
	sum := uint32(0)
	for i, b := range page {
		if i >= 22 && i < 26 {
			b = 0
		}
		sum = sum<<8 ^ oggTable[byte(sum>>24)^b]
	}
	return sum
}

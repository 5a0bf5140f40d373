package media

import (
	"encoding/binary"
	"fmt"
	"time"
)

// Sound is a recording as it is published: without the tags that tell who made it, where and with what.
type Sound struct {
	Codec    string // opus, vorbis, mp3 or pcm
	Type     string // as HTML's type attribute has it
	Duration time.Duration
	Channels int
	Data     []byte
}

// Bitrate is how much a second of it weighs, in bits.
func (s Sound) Bitrate() int {
	ms := s.Duration.Milliseconds()
	if ms < 1 {
		return 0
	}
	return int(int64(len(s.Data)) * 8 * 1000 / ms)
}

// maxDuration bounds what a recording may claim; the sums below cannot overflow under it.
const maxDuration = 12 * time.Hour

// ReadSound reads a recording by its own bytes: Opus or Vorbis in Ogg, MP3, or WAV. ext is what its name claims (".opus",
// ".ogg", ".mp3", ".wav"). Nothing is decoded; the same bytes always give the same result. Errors are of RefusedError.
func ReadSound(ext string, data []byte) (s Sound, err error) {
	kind := sniff(data)
	switch {
	case kind == "ogg" && (ext == ".opus" || ext == ".ogg"):
		s, err = readOgg(data)
		if err == nil && ext == ".opus" && s.Codec != "opus" {
			return Sound{}, refuse("media.wrong_type", "Type", "ogg "+s.Codec)
		}
	case kind == "mp3" && ext == ".mp3":
		s, err = readMP3(data)
	case kind == "wav" && ext == ".wav":
		s, err = readWAV(data)
	default:
		return Sound{}, refuse("media.wrong_type", "Type", named(kind))
	}
	if err != nil {
		return Sound{}, err
	}
	if s.Duration <= 0 || s.Duration > maxDuration {
		return Sound{}, refuse("media.sound_broken")
	}
	return s, nil
}

// samples gives how long a number of samples lasts, to the millisecond. More than maxDuration comes out as one more hour.
func samples(n, rate uint64) time.Duration {
	if rate == 0 || n/rate > uint64(maxDuration/time.Second) {
		return maxDuration + time.Hour
	}
	return time.Duration(n*1000/rate) * time.Millisecond
}

// readWAV keeps the format and the samples of a WAV file.
func readWAV(data []byte) (Sound, error) {
	var format, body []byte
	for rest := data[12:]; len(rest) >= 8 && body == nil; {
		n := uint64(binary.LittleEndian.Uint32(rest[4:8]))
		if n+8 > uint64(len(rest)) {
			return Sound{}, refuse("media.sound_broken")
		}
		switch string(rest[:4]) {
		case "fmt ":
			format = rest[8 : 8+n]
		case "data":
			body = rest[8 : 8+n]
		}
		rest = rest[min(8+n+n&1, uint64(len(rest))):]
	}
	if len(format) < 16 || len(body) == 0 {
		return Sound{}, refuse("media.sound_broken")
	}
	tag, channels := binary.LittleEndian.Uint16(format), binary.LittleEndian.Uint16(format[2:])
	rate, align := binary.LittleEndian.Uint32(format[4:]), binary.LittleEndian.Uint16(format[12:])
	switch tag {
	case 1, 3, 6, 7, 0xfffe: // whole numbers, floating point, A-law, µ-law, and the same in a longer form
	default:
		return Sound{}, refuse("media.wrong_type", "Type", fmt.Sprintf("wav 0x%04x", tag))
	}
	if channels < 1 || channels > 8 || rate < 1000 || rate > 400_000 || align == 0 || len(format) > 64 {
		return Sound{}, refuse("media.sound_broken")
	}
	out := []byte("RIFF\x00\x00\x00\x00WAVEfmt ")
	out = binary.LittleEndian.AppendUint32(out, uint32(len(format)))
	out = pad(append(out, format...))
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = pad(append(out, body...))
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return Sound{
		Codec: "pcm", Type: "audio/wav", Channels: int(channels), Data: out,
		Duration: samples(uint64(len(body))/uint64(align), uint64(rate)),
	}, nil
}

// Tables of MPEG audio layer III, by ISO/IEC 11172-3 and 13818-3. Rates in hertz, bit rates in kbit/s.
var (
	mp3Rates    = [3]int{44100, 48000, 32000}
	mp3BitRates = [2][15]int{
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}, // MPEG 1
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},     // MPEG 2 and 2.5
	}
)

// mp3Frame reads the header of a frame: how long it is in bytes and samples, or size 0 when it is none.
func mp3Frame(b []byte) (size, count, rate, channels int) {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return 0, 0, 0, 0
	}
	version, layer := b[1]>>3&3, b[1]>>1&3 // 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5; layer 1 means III
	bits, freq := int(b[2]>>4), int(b[2]>>2&3)
	if version == 1 || layer != 1 || bits == 0 || bits == 15 || freq == 3 {
		return 0, 0, 0, 0
	}
	table, div := 1, 2
	switch version {
	case 3:
		table, div = 0, 1
	case 0:
		div = 4
	}
	rate = mp3Rates[freq] / div
	count = 576
	if version == 3 {
		count = 1152
	}
	size = count/8*mp3BitRates[table][bits]*1000/rate + int(b[2]>>1&1)
	channels = 2
	if b[3]>>6 == 3 {
		channels = 1
	}
	return size, count, rate, channels
}

// readMP3 keeps the frames of an MP3 file. Tags before and behind them are left out.
func readMP3(data []byte) (Sound, error) {
	rest := data
	for len(rest) >= 10 && string(rest[:3]) == "ID3" {
		// Four times seven bits, so that the size never looks like a frame.
		n := 10 + int(rest[6]&0x7f)<<21 + int(rest[7]&0x7f)<<14 + int(rest[8]&0x7f)<<7 + int(rest[9]&0x7f)
		if rest[5]&0x10 != 0 {
			n += 10
		}
		if n > len(rest) {
			return Sound{}, refuse("media.sound_broken")
		}
		rest = rest[n:]
		for len(rest) > 0 && rest[0] == 0 { // filling
			rest = rest[1:]
		}
	}
	out := make([]byte, 0, len(rest))
	total, first, channels, frames := uint64(0), 0, 0, 0
	for len(rest) > 0 {
		size, count, rate, ch := mp3Frame(rest)
		if size < 24 || frames > 0 && rate != first {
			break
		}
		if size > len(rest) {
			rest = nil // the last frame is cut off, as recorders do
			break
		}
		if frames == 0 {
			first, channels = rate, ch
		}
		out = append(out, rest[:size]...)
		total += uint64(count)
		frames++
		rest = rest[size:]
	}
	// Behind the last frame stand tags, or nothing. Anything else means that we lost the way.
	switch {
	case frames < 2:
		return Sound{}, refuse("media.sound_broken")
	case len(rest) == 0, len(rest) >= 3 && string(rest[:3]) == "TAG", len(rest) >= 8 && string(rest[:8]) == "APETAGEX", len(rest) < 4096:
	default:
		return Sound{}, refuse("media.sound_broken")
	}
	return Sound{Codec: "mp3", Type: "audio/mpeg", Channels: channels, Data: out, Duration: samples(total, uint64(first))}, nil
}

package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum/media"
)

func wav(seconds int, more string) []byte {
	body := make([]byte, seconds*8000)
	out := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00")
	out = append(out, more...)
	out = append(out, "data"...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	return append(out, body...)
}

// mp3 is silence: frames of MPEG 2 layer III, 24 kHz, 32 kbit/s, mono, each 96 bytes and 24 ms.
func mp3(frames int) []byte {
	frame := append([]byte{0xff, 0xf3, 0x44, 0xc0}, make([]byte, 92)...)
	return bytes.Repeat(frame, frames)
}

// oggPage is a page with the packets given, by its own arithmetic.
func oggPage(flags byte, granule uint64, seq uint32, packets ...[]byte) []byte {
	b := append([]byte("OggS\x00"), flags)
	b = binary.LittleEndian.AppendUint64(b, granule)
	b = binary.LittleEndian.AppendUint32(b, 77)
	b = binary.LittleEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0)
	var lacing, body []byte
	for _, p := range packets {
		for n := len(p); ; n -= 255 {
			lacing = append(lacing, byte(min(n, 255)))
			if n < 255 {
				break
			}
		}
		body = append(body, p...)
	}
	b = append(append(append(b, byte(len(lacing))), lacing...), body...)
	sum := uint32(0)
	for _, c := range b {
		sum ^= uint32(c) << 24
		for range 8 {
			if sum>>31 == 1 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
	}
	binary.LittleEndian.PutUint32(b[22:], sum)
	return b
}

func vorbis(comment string) []byte {
	head := append([]byte("\x01vorbis\x00\x00\x00\x00\x02"), binary.LittleEndian.AppendUint32(nil, 44100)...)
	head = append(head, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xb8\x01"...)
	out := oggPage(2, 0, 0, head)
	out = append(out, oggPage(0, 0, 1, append([]byte("\x03vorbis"), comment...), append([]byte("\x05vorbis"), make([]byte, 5000)...))...)
	return append(out, oggPage(4, 3*44100, 2, make([]byte, 300), make([]byte, 10))...)
}

func tone(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/tone.opus")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSounds(t *testing.T) {
	tagged := append([]byte("ID3\x03\x00\x00\x00\x00\x01\x00SECRET"), make([]byte, 122)...)
	tagged = append(append(tagged, mp3(250)...), append([]byte("TAG"), bytes.Repeat([]byte("SECRET"), 30)...)...)
	for _, tt := range []struct {
		name, ext, codec string
		data             []byte
		lasts            time.Duration
		bitrate          int // about
	}{
		{"opus", ".opus", "opus", tone(t), 1500 * time.Millisecond, 18000},
		{"opus named ogg", ".ogg", "opus", tone(t), 1500 * time.Millisecond, 18000},
		{"vorbis", ".ogg", "vorbis", vorbis("ARTIST=SECRET"), 3 * time.Second, 14700},
		{"mp3", ".mp3", "mp3", mp3(1000), 24 * time.Second, 32000},
		{"mp3 with tags", ".mp3", "mp3", tagged, 6 * time.Second, 32000},
		{"mp3 cut off", ".mp3", "mp3", mp3(1000)[:95990], 24*time.Second - 24*time.Millisecond, 32000},
		{"wav", ".wav", "pcm", wav(3, "LIST\x06\x00\x00\x00SECRET"), 3 * time.Second, 64100},
	} {
		s, err := media.ReadSound(tt.ext, tt.data)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if s.Codec != tt.codec || s.Duration != tt.lasts || s.Bitrate() < tt.bitrate*9/10 || s.Bitrate() > tt.bitrate*11/10 {
			t.Errorf("%s: %s, %v, %d bit/s", tt.name, s.Codec, s.Duration, s.Bitrate())
		}
		if bytes.Contains(s.Data, []byte("SECRET")) || bytes.Contains(s.Data, []byte("Secret")) || bytes.Contains(s.Data, []byte("LOCATION")) {
			t.Errorf("%s still tells who made it", tt.name)
		}
		again, err := media.ReadSound(tt.ext, s.Data)
		if err != nil || !bytes.Equal(again.Data, s.Data) || again.Duration != s.Duration {
			t.Errorf("%s: the second time %v, %v", tt.name, again.Duration, err)
		}
	}
	// The sound itself is untouched: the last page of the recording but for its number and sum.
	s, err := media.ReadSound(".opus", tone(t))
	if err != nil {
		t.Fatal(err)
	}
	if in := tone(t); !bytes.Equal(in[len(in)-500:], s.Data[len(s.Data)-500:]) {
		t.Error("the sound changed")
	}
}

func TestSoundRefused(t *testing.T) {
	two := append(tone(t), tone(t)...)
	flipped := bytes.Clone(tone(t))
	flipped[40] ^= 1
	for _, tt := range []struct {
		name, ext, key string
		data           []byte
	}{
		{"empty", ".opus", "media.wrong_type", nil},
		{"words", ".mp3", "media.wrong_type", []byte("hello there")},
		{"a page", ".mp3", "media.wrong_type", []byte("<html><script>")},
		{"wav named mp3", ".mp3", "media.wrong_type", wav(1, "")},
		{"vorbis named opus", ".opus", "media.wrong_type", vorbis("")},
		{"other ogg", ".ogg", "media.wrong_type", append(oggPage(2, 0, 0, []byte("\x80theora")), oggPage(4, 9, 1, nil)...)},
		{"broken sum", ".opus", "media.sound_broken", flipped},
		{"two streams", ".opus", "media.sound_broken", two},
		{"headers alone", ".ogg", "media.sound_broken", vorbis("")[:5400]},
		{"one frame", ".mp3", "media.sound_broken", mp3(1)},
		{"frames, then something else", ".mp3", "media.sound_broken", append(mp3(5), bytes.Repeat([]byte("<script>"), 1000)...)},
		{"tag that lies", ".mp3", "media.sound_broken", []byte("ID3\x03\x00\x00\x7f\x7f\x7f\x7fabc")},
		{"wav without samples", ".wav", "media.sound_broken", wav(0, "")},
		{"wav cut off", ".wav", "media.sound_broken", wav(2, "")[:900]},
		{"wav of no channels", ".wav", "media.sound_broken", bytes.Replace(wav(1, ""), []byte("\x01\x00\x01\x00"), []byte("\x01\x00\x00\x00"), 1)},
		{"endless granule", ".ogg", "media.sound_broken", append(vorbis("")[:len(vorbis(""))-339], oggPage(4, 1<<62, 2, make([]byte, 300), make([]byte, 10))...)},
	} {
		_, err := media.ReadSound(tt.ext, tt.data)
		var r *media.RefusedError
		if !errors.As(err, &r) || r.Key != tt.key {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.key)
		}
	}
}

func FuzzSound(f *testing.F) {
	f.Add(tone(f))
	f.Add(vorbis("x"))
	f.Add(mp3(3))
	f.Add(append([]byte("ID3\x03\x00\x00\x00\x00\x00\x02ab"), mp3(3)...))
	f.Add(wav(1, "LIST\x06\x00\x00\x00SECRET"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ext := ".mp3"
		switch {
		case bytes.HasPrefix(data, []byte("OggS")):
			ext = ".ogg"
		case bytes.HasPrefix(data, []byte("RIFF")):
			ext = ".wav"
		}
		s, err := media.ReadSound(ext, data)
		if err != nil {
			var r *media.RefusedError
			if !errors.As(err, &r) {
				t.Fatal(err)
			}
			return
		}
		if len(s.Data) > len(data)+200 || s.Duration <= 0 {
			t.Fatalf("%d bytes became %d, %v", len(data), len(s.Data), s.Duration)
		}
		again, err := media.ReadSound(ext, s.Data)
		if err != nil || !bytes.Equal(again.Data, s.Data) {
			t.Fatalf("not the same the second time: %v", err)
		}
	})
}

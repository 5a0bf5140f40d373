package sandbox_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/banyan-lms/banyan/internal/lab/sandbox"
)

func TestSplit(t *testing.T) {
	const header = "\x00asm\x01\x00\x00\x00"
	module := header +
		"\x00\x03\x01xy" + // custom
		"\x05\x04\x01\x01\x02\x04" + // memory: 2 to 4 pages
		"\x0c\x01\x02" + // data count
		"\x0b\x14\x02" + "\x00\x41\x03\x0b\x03abc" + "\x00\x41\x80\x80\x04\x0b\x02zz" // at 3 and at 65536
	module = fix(module)
	lean, image, err := sandbox.Split([]byte(module))
	if err != nil {
		t.Fatal(err)
	}
	if want := header + "\x05\x04\x01\x01\x02\x04"; string(lean) != want {
		t.Errorf("lean %q, want %q", lean, want)
	}
	if len(image) != 2<<16 || string(image[3:6]) != "abc" || string(image[65536:65538]) != "zz" || bytes.Count(image, []byte{0}) != len(image)-5 {
		t.Errorf("image of %d bytes, %q", len(image), image[:8])
	}
	for name, m := range map[string]string{
		"not a module":       "hello, world",
		"empty":              "",
		"cut off":            module[:len(module)-1],
		"endless number":     header + "\x05\xff\xff\xff\xff\xff\xff",
		"two memories":       header + "\x05\x05\x02\x00\x01\x00\x01",
		"huge memory":        header + "\x05\x06\x01\x00\x80\x80\x80\x01",
		"data outside":       header + "\x05\x03\x01\x00\x01" + "\x0b\x0a\x01\x00\x41\xfe\xff\x03\x0b\x03abc",
		"data below":         header + "\x05\x03\x01\x00\x01" + "\x0b\x08\x01\x00\x41\x7f\x0b\x02ab",
		"data placed later":  header + "\x05\x03\x01\x00\x01" + "\x0b\x05\x01\x01\x02ab",
		"data at a variable": header + "\x05\x03\x01\x00\x01" + "\x0b\x08\x01\x00\x23\x00\x0b\x02ab",
	} {
		if _, _, err := sandbox.Split([]byte(m)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// fix sets the length of the last section, which the test leaves open.
func fix(m string) string {
	i := len("\x00asm\x01\x00\x00\x00") + 5 + 6 + 3
	return m[:i+1] + string(rune(len(m)-i-2)) + m[i+2:]
}

// The generator is the published one: its first numbers for the seed 1234567.
func TestSplitmix(t *testing.T) {
	var want []byte
	for _, v := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821} {
		want = binary.LittleEndian.AppendUint64(want, v)
	}
	if got := sandbox.Splitmix(1234567, len(want)); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

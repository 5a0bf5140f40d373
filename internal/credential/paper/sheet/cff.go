package sheet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
)

// A subset of a typeface as CFF (Adobe Technical Notes 5176 and 5177), with
// glyphs numbered from 0 (.notdef) in the order in which they were asked for.
// The glyphs are written anew from their outlines, whatever format they came in: one writer serves TrueType and CFF,
// and a file of 20 MB is not copied about. There are no hints; paper needs none.

const (
	cffUnits = 1000

	csLine   = 5
	csCurve  = 8
	csEnd    = 14
	csMove   = 21
	topROS   = 12<<8 | 30
	topCount = 12<<8 | 34
	topFDs   = 12<<8 | 36
	topFDSel = 12<<8 | 37
)

type outline struct {
	curves  []typeset.Curve
	advance float64 // ems
}

// cff writes a CID-keyed font in which glyph n has CID n.
func cff(name string, glyphs []outline) []byte {
	charstrings := make([][]byte, 0, len(glyphs)+1)
	charstrings = append(charstrings, charstring(outline{advance: 0.5}))
	for _, g := range glyphs {
		charstrings = append(charstrings, charstring(g))
	}
	n := len(charstrings)
	private := append(dictInt(0), 20)
	fdSelect := []byte{3, 0, 1, 0, 0, 0, byte(n >> 8), byte(n)}
	charset := []byte{2, 0, 1, byte((n - 2) >> 8), byte(n - 2)}
	if n == 1 {
		charset = []byte{0}
	}
	chars := cffIndex(charstrings)

	// Offsets have a fixed size, so the front does not move while they are filled in.
	front := func(charsetAt, fdSelectAt, charsAt, fdsAt int) []byte {
		var top []byte
		op := func(code int, args ...int) {
			for _, a := range args {
				top = append(top, dictInt(a)...)
			}
			if code > 0xff {
				top = append(top, byte(code>>8))
			}
			top = append(top, byte(code))
		}
		op(topROS, 391, 392, 0)
		op(topCount, n)
		op(15, charsetAt)
		op(17, charsAt)
		op(topFDs, fdsAt)
		op(topFDSel, fdSelectAt)
		var b bytes.Buffer
		b.Write([]byte{1, 0, 4, 4})
		b.Write(cffIndex([][]byte{[]byte(name)}))
		b.Write(cffIndex([][]byte{top}))
		b.Write(cffIndex([][]byte{[]byte("Adobe"), []byte("Identity")}))
		b.Write(cffIndex(nil)) // no global subroutines
		return b.Bytes()
	}
	charsetAt := len(front(0, 0, 0, 0))
	fdSelectAt := charsetAt + len(charset)
	charsAt := fdSelectAt + len(fdSelect)
	privateAt := charsAt + len(chars)
	fdsAt := privateAt + len(private)
	fd := append(append(dictInt(len(private)), dictInt(privateAt)...), 18)
	return bytes.Join([][]byte{front(charsetAt, fdSelectAt, charsAt, fdsAt), charset, fdSelect, chars, private, cffIndex([][]byte{fd})}, nil)
}

func dictInt(v int) []byte { return binary.BigEndian.AppendUint32([]byte{29}, uint32(int32(v))) }

func cffIndex(items [][]byte) []byte {
	out := binary.BigEndian.AppendUint16(nil, uint16(len(items)))
	if len(items) == 0 {
		return out
	}
	out = append(out, 4)
	at := uint32(1)
	out = binary.BigEndian.AppendUint32(out, at)
	for _, it := range items {
		at += uint32(len(it))
		out = binary.BigEndian.AppendUint32(out, at)
	}
	for _, it := range items {
		out = append(out, it...)
	}
	return out
}

// units are thousandths of an em.
func units(v float64) int { return int(math.Round(v * cffUnits)) }

// coordinate keeps a hostile outline within what a charstring can say.
func coordinate(v float64) int { return max(-16000, min(16000, units(v))) }

func charstring(o outline) []byte {
	out := csInt(nil, coordinate(o.advance)) // nominalWidthX is 0
	x, y := 0, 0
	delta := func(p typeset.Point) {
		nx, ny := coordinate(p.X), coordinate(p.Y)
		out = csInt(csInt(out, nx-x), ny-y)
		x, y = nx, ny
	}
	for _, c := range o.curves {
		switch {
		case c.Move:
			delta(c.To)
			out = append(out, csMove)
		case c.Straight:
			delta(c.To)
			out = append(out, csLine)
		default:
			delta(c.A)
			delta(c.B)
			delta(c.To)
			out = append(out, csCurve)
		}
	}
	return append(out, csEnd)
}

func csInt(out []byte, v int) []byte {
	switch {
	case v >= -107 && v <= 107:
		return append(out, byte(v+139))
	case v >= 108 && v <= 1131:
		v -= 108
		return append(out, byte(v>>8+247), byte(v))
	case v >= -1131 && v <= -108:
		v = -v - 108
		return append(out, byte(v>>8+251), byte(v))
	}
	return append(out, 28, byte(v>>8), byte(v))
}

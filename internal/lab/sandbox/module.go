package sandbox

import (
	"errors"
	"fmt"
)

// Sections of a WebAssembly module.
const (
	sectionCustom    = 0
	sectionMemory    = 5
	sectionData      = 11
	sectionDataCount = 12
)

const wasmPage = 64 << 10

// split takes a module apart: lean is the module without its custom sections (names and
// DWARF, which run nothing) and without its data; image is its memory as the data would have
// filled it. Every instance then starts from the image, copied on write, instead of
// copying the data.
func split(wasm []byte) (lean, image []byte, err error) {
	const header = 8
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return nil, nil, errors.New("not a WebAssembly module")
	}
	lean = append(make([]byte, 0, len(wasm)), wasm[:header]...)
	var pages uint32
	for rest := wasm[header:]; len(rest) > 0; {
		r := reader{rest: rest[1:]}
		body := r.bytes(r.uleb())
		if r.bad {
			return nil, nil, errors.New("a section of the module is cut off")
		}
		whole := rest[:len(rest)-len(r.rest)]
		switch rest[0] {
		case sectionCustom, sectionDataCount: // the count serves data that is placed later, which fill refuses
		case sectionMemory:
			if pages, err = memoryPages(body); err != nil {
				return nil, nil, err
			}
			lean = append(lean, whole...)
		case sectionData:
			if image, err = fill(body, uint64(pages)*wasmPage); err != nil {
				return nil, nil, err
			}
		default:
			lean = append(lean, whole...)
		}
		rest = r.rest
	}
	return lean, image, nil
}

// memoryPages is how large the module's own memory is at the start.
func memoryPages(section []byte) (uint32, error) {
	r := reader{rest: section}
	if n := r.uleb(); n != 1 {
		return 0, fmt.Errorf("the module has %d memories, want 1", n)
	}
	r.uleb() // flags: whether a maximum follows
	pages := r.uleb()
	if r.bad || uint64(pages)*wasmPage > MaxMemory {
		return 0, fmt.Errorf("the module's memory of %d pages is too large", pages)
	}
	return pages, nil
}

// fill gives the memory that a data section makes, up to the last byte that it
// sets. Every segment must have a constant address and be placed at the start.
func fill(section []byte, size uint64) ([]byte, error) {
	type segment struct {
		at   uint32
		data []byte
	}
	r := reader{rest: section}
	var segments []segment
	var end uint64
	for range r.uleb() {
		const i32Const, endOfExpression = 0x41, 0x0b
		flags, op := r.uleb(), r.bytes(1)
		if r.bad || flags != 0 || op[0] != i32Const {
			return nil, errPlaced
		}
		s := segment{at: r.sleb()}
		if op := r.bytes(1); r.bad || op[0] != endOfExpression {
			return nil, errPlaced
		}
		s.data = r.bytes(r.uleb())
		if r.bad || uint64(s.at)+uint64(len(s.data)) > size {
			return nil, errors.New("the data of the module does not fit its memory")
		}
		segments = append(segments, s)
		end = max(end, uint64(s.at)+uint64(len(s.data)))
	}
	image := make([]byte, (end+wasmPage-1)/wasmPage*wasmPage)
	for _, s := range segments {
		copy(image[s.at:], s.data)
	}
	return image, nil
}

var errPlaced = errors.New("the module places its data itself")

// reader reads the parts of a section. After a mistake it gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// uleb reads an unsigned LEB128 number of 32 bits.
func (r *reader) uleb() uint32 {
	v, _, _ := r.leb()
	return v
}

// sleb reads a signed one and gives its bits.
func (r *reader) sleb() uint32 {
	v, shift, last := r.leb()
	if shift < 32 && last&0x40 != 0 {
		v |= ^uint32(0) << shift
	}
	return v
}

func (r *reader) leb() (v uint32, shift uint, last byte) {
	for range 5 {
		b := r.bytes(1)
		if r.bad {
			return 0, 0, 0
		}
		v |= uint32(b[0]&0x7f) << shift
		shift += 7
		if b[0]&0x80 == 0 {
			return v, shift, b[0]
		}
	}
	r.bad = true
	return 0, 0, 0
}

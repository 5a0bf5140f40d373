package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sections of a WebAssembly module, WebAssembly 2.0, 5.5.2.
const (
	sectionCustom    = 0
	sectionMemory    = 5
	sectionGlobal    = 6
	sectionExport    = 7
	sectionStart     = 8
	sectionData      = 11
	sectionDataCount = 12
)

const (
	page     = 64 << 10
	maxPages = 2048 // 128 MiB, the most that a program may have
)

// exports of the runtime. What started it is not among them: it has run.
var exports = map[string]bool{"memory": true, "banyan_buffer": true, "banyan_run": true}

// rewrite gives the module that starts where the state is: memory begins with
// the state's pages and bytes, and the state need hold nothing else. That is
// so only if no global but the stack pointer can change and if the stack is
// empty, which is checked.
func rewrite(module []byte, s state) ([]byte, error) {
	if len(module) < 8 || string(module[:8]) != "\x00asm\x01\x00\x00\x00" {
		return nil, errors.New("not a WebAssembly module")
	}
	out := append(make([]byte, 0, len(module)+len(s.memory)/2), module[:8]...)
	r := reader{rest: module[8:]}
	seen := map[byte]bool{}
	for len(r.rest) > 0 && r.err == nil {
		id := r.byte()
		body := r.bytes(int(r.uleb()))
		seen[id] = true
		var err error
		switch id {
		case sectionCustom, sectionDataCount:
			continue
		case sectionStart:
			return nil, errors.New("the module has a start function: it would run again")
		case sectionMemory:
			body, err = memorySection(body, len(s.memory))
		case sectionGlobal:
			err = checkGlobals(body, s.stackPointer)
		case sectionExport:
			body, err = exportSection(body)
		case sectionData:
			if err = checkData(body); err == nil {
				body = dataSection(s.memory)
			}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, id)
		out = binary.AppendUvarint(out, uint64(len(body)))
		out = append(out, body...)
	}
	if r.err != nil {
		return nil, r.err
	}
	for _, id := range []byte{sectionMemory, sectionGlobal, sectionExport, sectionData} {
		if !seen[id] {
			return nil, fmt.Errorf("the module has no section %d", id)
		}
	}
	return out, nil
}

// memorySection declares one memory that begins as large as it is now.
func memorySection(body []byte, size int) ([]byte, error) {
	if r := (reader{rest: body}); r.uleb() != 1 {
		return nil, errors.New("the module has not one memory")
	}
	if size%page != 0 || size/page > maxPages {
		return nil, fmt.Errorf("a memory of %d bytes", size)
	}
	out := []byte{1, 1} // one memory, with a maximum
	out = binary.AppendUvarint(out, uint64(size/page))
	return binary.AppendUvarint(out, maxPages), nil
}

// checkGlobals wants one global that can change, and it must stand where it began.
func checkGlobals(body []byte, stackPointer uint32) error {
	const i32, i32Const, end = 0x7f, 0x41, 0x0b
	r := reader{rest: body}
	mutable := 0
	for range r.uleb() {
		kind, mut := r.byte(), r.byte()
		if op := r.byte(); kind != i32 || op != i32Const {
			return errors.New("a global that is no constant of 32 bits")
		}
		v := r.sleb()
		if r.byte() != end {
			return errors.New("a global with more than one instruction")
		}
		if mut == 0 {
			continue
		}
		mutable++
		if uint32(v) != stackPointer {
			return fmt.Errorf("a global began as %d and the stack pointer is %d: something is on the stack", uint32(v), stackPointer)
		}
	}
	if r.err == nil && mutable != 1 {
		return fmt.Errorf("%d globals can change, and only the stack pointer is known", mutable)
	}
	return r.err
}

func exportSection(body []byte) ([]byte, error) {
	r := reader{rest: body}
	var kept []byte
	n := 0
	for range r.uleb() {
		name := r.bytes(int(r.uleb()))
		kind, index := r.byte(), r.uleb()
		if !exports[string(name)] {
			continue
		}
		n++
		kept = binary.AppendUvarint(kept, uint64(len(name)))
		kept = append(append(kept, name...), kind)
		kept = binary.AppendUvarint(kept, uint64(index))
	}
	if r.err == nil && n != len(exports) {
		return nil, fmt.Errorf("the module has %d of the exports %v", n, exports)
	}
	return append(binary.AppendUvarint(nil, uint64(n)), kept...), r.err
}

// checkData wants segments that are copied at the start and never again: they are in the memory already.
func checkData(body []byte) error {
	r := reader{rest: body}
	for range r.uleb() {
		if mode := r.uleb(); mode != 0 {
			return errors.New("a data segment that the program copies itself")
		}
		if op := r.byte(); op != 0x41 { // i32.const
			return errors.New("a data segment at a place that is no constant")
		}
		r.sleb()
		if r.byte() != 0x0b { // end
			return errors.New("a data segment at a place that is no constant")
		}
		r.bytes(int(r.uleb()))
	}
	return r.err
}

// gap is the shortest run of zeros that ends a segment. A new segment costs some 8 bytes.
const gap = 32

// runs calls found for each part of memory that is not zero.
func runs(memory []byte, found func(from, to int)) {
	var zeros [gap]byte
	for at := 0; at < len(memory); {
		if memory[at] == 0 {
			at++
			continue
		}
		to := len(memory)
		if n := bytes.Index(memory[at:], zeros[:]); n >= 0 {
			to = at + n
		}
		for memory[to-1] == 0 { // the end of memory, with a run of zeros that is too short
			to--
		}
		found(at, to)
		at = to
	}
}

func dataSection(memory []byte) []byte {
	var segments []byte
	n := 0
	runs(memory, func(from, to int) {
		n++
		segments = append(segments, 0, 0x41) // active, memory 0; i32.const
		segments = appendSleb(segments, int32(from))
		segments = append(segments, 0x0b) // end
		segments = binary.AppendUvarint(segments, uint64(to-from))
		segments = append(segments, memory[from:to]...)
	})
	return append(binary.AppendUvarint(nil, uint64(n)), segments...)
}

// occupied is how many bytes of memory the module carries.
func occupied(memory []byte) (n int) {
	runs(memory, func(from, to int) { n += to - from })
	return n
}

func appendSleb(b []byte, v int32) []byte {
	for {
		c := byte(v & 0x7f)
		v >>= 7
		if (v == 0 && c&0x40 == 0) || (v == -1 && c&0x40 != 0) {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

// reader reads a module. After an error it gives zeros.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) bytes(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.err = errors.New("the module is cut off")
		r.rest = nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) uleb() uint32 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > 1<<32-1 {
		r.err = errors.New("the module is cut off in a number")
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return uint32(v)
}

func (r *reader) sleb() int32 {
	var v int64
	for shift := 0; shift < 35; shift += 7 {
		c := r.byte()
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			if c&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return int32(v)
		}
	}
	r.err = errors.New("a number of more than 32 bits")
	return 0
}

package runtime_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// The module asks of a browser what docs/lab-runtime.md says, and no more.
func TestFeatures(t *testing.T) {
	g := open(t)
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Types, sections and the rest, by somebody else's rules.
	known := api.CoreFeaturesV1 | api.CoreFeatureSignExtensionOps | api.CoreFeatureNonTrappingFloatToIntConversion | api.CoreFeatureBulkMemoryOperations
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfig().WithCoreFeatures(known))
	defer func() { _ = r.Close(t.Context()) }()
	if _, err := r.CompileModule(t.Context(), raw); err != nil {
		t.Error(err)
	}
	// Instructions, byte by byte: wazero takes an index that old browsers refuse.
	found, err := features(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(found)), []string{"bulk memory", "non-trapping conversions", "sign extension"}; !slices.Equal(got, want) {
		t.Errorf("it uses %v, want %v", found, want)
	}
	// Numbers of 64 bits pass between it and the page as BigInt.
	wide := false
	for _, f := range g.module.ImportedFunctions() {
		wide = wide || slices.Contains(f.ParamTypes(), api.ValueTypeI64)
	}
	if !wide {
		t.Error("no import takes 64 bits any more: browsers without BigInt would do")
	}
}

// TestFeaturesSeen wants each instruction found that a browser of the baseline lacks.
func TestFeaturesSeen(t *testing.T) {
	tests := []struct {
		name string
		code []byte
		ok   bool
	}{
		{"call_indirect", []byte{0x41, 0, 0x11, 0x80, 0x00, 0x00}, true},
		{"call_indirect with a long table index", []byte{0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0x00}, false},
		{"a block of many values", []byte{0x02, 0x00, 0x0b}, false},
		{"a block of one", []byte{0x02, 0x7f, 0x41, 0, 0x0b, 0x1a}, true},
		{"table.get", []byte{0x41, 0, 0x25, 0}, false},
		{"ref.null", []byte{0xd0, 0x70}, false},
		{"select with a type", []byte{0x1c, 1, 0x7f}, false},
		{"memory.copy", []byte{0xfc, 10, 0, 0}, true},
		{"memory.init", []byte{0xfc, 8, 0, 0}, false},
		{"table.grow", []byte{0xfc, 15, 0}, false},
		{"a large constant", []byte{0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0x1a}, true},
		{"a vector", []byte{0xfd, 12}, false},
		{"a tail call", []byte{0x12, 0}, false},
	}
	for _, tt := range tests {
		body := append([]byte{0}, tt.code...)
		body = append(body, 0x0b)
		module := append([]byte("\x00asm\x01\x00\x00\x00"), 10, byte(len(body)+2), 1, byte(len(body)))
		if _, err := features(append(module, body...)); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// features counts the instructions of a module that came after the first WebAssembly,
// and refuses what is neither that nor the baseline.
func features(module []byte) (map[string]int, error) {
	c := cursor{b: module, at: 8}
	for c.at < len(module) {
		id, size := c.byte(), int(c.leb())
		if id != 10 {
			c.at += size
			continue
		}
		found := map[string]int{}
		for n := range c.leb() {
			end := int(c.leb())
			end += c.at
			for range c.leb() { // locals
				c.leb()
				c.byte()
			}
			for c.at < end {
				at := c.at
				if what := c.instruction(found); what != "" {
					return nil, fmt.Errorf("function %d, byte %d: %s", n, at, what)
				}
			}
			if c.at != end {
				return nil, fmt.Errorf("function %d does not end where it should", n)
			}
		}
		return found, nil
	}
	return nil, fmt.Errorf("no code")
}

// cursor reads a module; behind the end are ends.
type cursor struct {
	b  []byte
	at int
}

func (c *cursor) byte() byte {
	c.at++
	if c.at > len(c.b) {
		return 0x0b
	}
	return c.b[c.at-1]
}

// leb reads a number of any sign; the value of a negative one is of no use.
func (c *cursor) leb() (v uint64) {
	for shift := 0; ; shift += 7 {
		b := c.byte()
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

// instruction steps over one, and says what is wrong with it for the baseline.
func (c *cursor) instruction(found map[string]int) string {
	switch op := c.byte(); {
	case op >= 0x02 && op <= 0x04: // block, loop, if
		if kind := c.byte(); kind != 0x40 && (kind < 0x7c || kind > 0x7f) {
			return "a block of another type than one number"
		}
	case op == 0x0e: // br_table
		for range c.leb() + 1 {
			c.leb()
		}
	case op == 0x11: // call_indirect
		c.leb()
		return c.zero("call_indirect with a table index")
	case op == 0x3f || op == 0x40: // memory.size, memory.grow
		return c.zero("a memory index")
	case op >= 0x28 && op <= 0x3e: // load, store
		c.leb()
		c.leb()
	case op == 0x0c, op == 0x0d, op == 0x10, op >= 0x20 && op <= 0x24, op == 0x41, op == 0x42: // br, br_if, call, variables, constants
		c.leb()
	case op == 0x43:
		c.at += 4
	case op == 0x44:
		c.at += 8
	case op >= 0xc0 && op <= 0xc4:
		found["sign extension"]++
	case op <= 0x01, op == 0x05, op == 0x0b, op == 0x0f, op == 0x1a, op == 0x1b, op >= 0x45 && op <= 0xbf:
	case op == 0xfc:
		switch sub := c.leb(); {
		case sub <= 7:
			found["non-trapping conversions"]++
		case sub == 10: // memory.copy
			found["bulk memory"]++
			return c.zero("a memory index") + c.zero("a memory index")
		case sub == 11: // memory.fill
			found["bulk memory"]++
			return c.zero("a memory index")
		default:
			return fmt.Sprintf("instruction fc %d", sub)
		}
	default:
		return fmt.Sprintf("instruction %#x", op)
	}
	return ""
}

// zero reads the byte that was all there was of an index before there could be many.
func (c *cursor) zero(what string) string {
	if c.byte() != 0 {
		return what
	}
	return ""
}

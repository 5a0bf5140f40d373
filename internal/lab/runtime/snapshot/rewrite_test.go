package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

func section(id byte, body ...byte) []byte { return append([]byte{id, byte(len(body))}, body...) }

func name(s string) []byte { return append([]byte{byte(len(s))}, s...) }

// parts of a reactor with one page of memory, which holds "hi" at 16.
// banyan_init writes 42 to 70, banyan_run(n) reads what is at n, banyan_buffer is 8.
func parts() map[string][]byte {
	return map[string][]byte{
		"custom":   section(0, append(name("note"), 1, 2, 3)...),
		"types":    section(1, 3, 0x60, 0, 0, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f),
		"funcs":    section(3, 3, 0, 1, 2),
		"memory":   section(5, 1, 0, 1),
		"globals":  section(6, 2, 0x7f, 1, 0x41, 0x80, 0x08, 0x0b, 0x7f, 0, 0x41, 0x7f, 0x0b), // var 1024, const -1
		"exports":  section(7, slices.Concat([]byte{5}, name("memory"), []byte{2, 0}, name("banyan_init"), []byte{0, 0}, name("banyan_buffer"), []byte{0, 1}, name("banyan_run"), []byte{0, 2}, name("__stack_pointer"), []byte{3, 0})...),
		"count":    section(12, 1),
		"code":     section(10, 3, 10, 0, 0x41, 0xc6, 0, 0x41, 42, 0x36, 2, 0, 0x0b, 4, 0, 0x41, 8, 0x0b, 7, 0, 0x20, 0, 0x28, 2, 0, 0x0b),
		"data":     section(11, 1, 0, 0x41, 16, 0x0b, 2, 'h', 'i'),
		"nothing":  nil,
		"start":    section(8, 0),
		"passive":  section(11, 1, 1, 2, 'h', 'i'),
		"globals2": section(6, 2, 0x7f, 1, 0x41, 0x80, 0x08, 0x0b, 0x7f, 1, 0x41, 0, 0x0b),
		"exports1": section(7, slices.Concat([]byte{1}, name("memory"), []byte{2, 0})...),
		"memory0":  section(5, 0),
	}
}

var order = []string{"custom", "types", "funcs", "memory", "globals", "exports", "start", "count", "code", "data"}

// module puts the parts together; swapped has other parts for some.
func module(swapped map[string]string) []byte {
	all := parts()
	out := []byte("\x00asm\x01\x00\x00\x00")
	for _, part := range order {
		if part == "start" && swapped[part] == "" {
			continue
		}
		if other, ok := swapped[part]; ok {
			part = other
		}
		out = append(out, all[part]...)
	}
	return out
}

// A module that starts where another one has come to gives the same answers, and can no longer be started.
func TestRewrite(t *testing.T) {
	ctx := t.Context()
	r := wazero.NewRuntime(ctx)
	defer func() { _ = r.Close(ctx) }()
	raw := module(nil)
	first, err := r.InstantiateWithConfig(ctx, raw, wazero.NewModuleConfig().WithName("first").WithStartFunctions("banyan_init"))
	if err != nil {
		t.Fatal(err)
	}
	// More memory than the reactor began with, and something at its very end.
	if _, ok := first.Memory().Grow(2); !ok || !first.Memory().WriteByte(3*page-1, 7) {
		t.Fatal("no memory")
	}
	memory, _ := first.Memory().Read(0, first.Memory().Size())
	out, err := rewrite(raw, state{memory: memory, stackPointer: 1024})
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.InstantiateWithConfig(ctx, out, wazero.NewModuleConfig().WithName("second"))
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := second.Memory().Read(0, second.Memory().Size()); !bytes.Equal(again, memory) {
		t.Error("the memory is not the same")
	}
	got, err := second.ExportedFunction("banyan_run").Call(ctx, 70)
	if err != nil || api.DecodeI32(got[0]) != 42 {
		t.Errorf("banyan_run(70) = %v, %v; want 42", got, err)
	}
	if second.ExportedFunction("banyan_init") != nil || second.ExportedGlobal("__stack_pointer") != nil {
		t.Error("what started it is still exported")
	}
	if most, ok := second.Memory().Definition().Max(); !ok || most != maxPages {
		t.Errorf("memory may grow to %d pages, want %d", most, maxPages)
	}
}

// What a snapshot would lose is refused.
func TestRewriteRefuses(t *testing.T) {
	memory := make([]byte, page)
	tests := []struct {
		name    string
		swapped map[string]string
		state   state
		want    string
	}{
		{"start function", map[string]string{"start": "start"}, state{memory, 1024, nil}, "start function"},
		{"data for later", map[string]string{"data": "passive"}, state{memory, 1024, nil}, "copies itself"},
		{"unknown global", map[string]string{"globals": "globals2"}, state{memory, 1024, nil}, "stack pointer is 1024"},
		{"stack in use", nil, state{memory, 1008, nil}, "something is on the stack"},
		{"no run", map[string]string{"exports": "exports1"}, state{memory, 1024, nil}, "1 of the exports"},
		{"no memory", map[string]string{"memory": "memory0"}, state{memory, 1024, nil}, "not one memory"},
		{"no globals", map[string]string{"globals": "nothing"}, state{memory, 1024, nil}, "no section 6"},
		{"too large", nil, state{make([]byte, (maxPages+1)*page), 1024, nil}, "a memory of"},
		{"not whole pages", nil, state{memory[1:], 1024, nil}, "a memory of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := rewrite(module(tt.swapped), tt.state)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
	whole := module(nil)
	for n := range len(whole) {
		// Cut anywhere, it is refused, or it is cut between two sections and something is missing.
		if _, err := rewrite(whole[:n], state{memory, 1024, nil}); err == nil {
			t.Errorf("%d of %d bytes are taken for a module", n, len(whole))
		}
	}
}

func TestRuns(t *testing.T) {
	zeros := func(n int) []byte { return make([]byte, n) }
	tests := []struct {
		name   string
		memory []byte
		want   [][2]int
	}{
		{"empty", zeros(100), nil},
		{"whole", []byte{1, 2, 3}, [][2]int{{0, 3}}},
		{"short gap", slices.Concat([]byte{1}, zeros(gap-1), []byte{2}), [][2]int{{0, gap + 1}}},
		{"long gap", slices.Concat([]byte{1}, zeros(gap), []byte{2}), [][2]int{{0, 1}, {gap + 1, gap + 2}}},
		{"zeros at both ends", slices.Concat(zeros(5), []byte{1, 0, 2}, zeros(5)), [][2]int{{5, 8}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got [][2]int
			runs(tt.memory, func(from, to int) { got = append(got, [2]int{from, to}) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestSleb(t *testing.T) {
	for _, v := range []int32{0, 1, -1, 63, 64, -64, -65, 127, 128, 1 << 20, 1<<31 - 1, -1 << 31} {
		r := reader{rest: appendSleb(nil, v)}
		if got := r.sleb(); got != v || len(r.rest) > 0 || r.err != nil {
			t.Errorf("%d comes back as %d, %v", v, got, r.err)
		}
	}
}

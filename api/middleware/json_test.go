package middleware

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWellFormedDepth(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		ok      bool
		tooDeep bool
	}{
		{"as deep as allowed", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), true, false},
		{"one deeper", strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1), false, true},
		{"objects count too", strings.Repeat(`{"a":`, maxDepth+1) + "1" + strings.Repeat("}", maxDepth+1), false, true},
		{"brackets in a string do not count", `"` + strings.Repeat("[", 100) + `"`, true, false},
		{"nothing", "", false, false},
		{"two values", "1 2", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if ok, tooDeep := wellFormed([]byte(tt.text)); ok != tt.ok || tooDeep != tt.tooDeep {
				t.Errorf("ok %t, too deep %t; want %t, %t", ok, tooDeep, tt.ok, tt.tooDeep)
			}
		})
	}
}

// encoding/json is the judge; depth and UTF-8 are asked elsewhere.
func FuzzWellFormed(f *testing.F) {
	for _, s := range []string{
		``, ` `, `null`, `nul`, `nulll`, `true`, `false`, `0`, `-0`, `-`, `01`, `1.`, `1.5`, `.5`, `1e`, `1e+`, `1E-7`, `1e5x`, `+1`, `--1`, `0x1`,
		`""`, `"`, `"\"`, `"\\"`, `"\u00e9"`, `"\u00g9"`, `"\u00E9"`, `"\u12"`, `"\x"`, `"a` + "\n" + `"`, `"\u0010"`, `"\u@123"`, `"` + "\x00" + `"`, "\x00",
		`[]`, `[`, `]`, `[1,]`, `[,1]`, `[1 2]`, `[1, 2] `, `[1}`, `{}`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{a:1}`, `{"a":}`, `{"a":1 "b":2}`, "{\t\"a\" :\r\n[ {} ] }", `{]`, `[}`, `[]]`, `"é😀"`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		ok, tooDeep := wellFormed(text)
		if tooDeep || !utf8.Valid(text) {
			return
		}
		if want := json.Valid(text); ok != want {
			t.Errorf("%q: %t, encoding/json says %t", text, ok, want)
		}
	})
}

package typeset

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// TestShippedFonts wants the typefaces in the program to be those of their packages.
func TestShippedFonts(t *testing.T) {
	sums, err := os.ReadFile("fonts/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	files, err := shipped.ReadDir("fonts")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for l := range strings.Lines(string(sums)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(l), "  ")
		want[name] = sum
	}
	for _, f := range files {
		b, err := shipped.ReadFile("fonts/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if want[f.Name()] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is not the recorded file", f.Name())
		}
	}
	if len(files) != len(want) {
		t.Errorf("%d files, %d recorded", len(files), len(want))
	}
}

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

// TestMoreFonts wants every typeface that the program looks for to be in the program or in the list that `make fonts` follows.
func TestMoreFonts(t *testing.T) {
	list, err := os.ReadFile("fonts.txt")
	if err != nil {
		t.Fatal(err)
	}
	there := func(name string) bool {
		if _, err := shipped.Open("fonts/" + name); err == nil {
			return true
		}
		return strings.Contains(string(list), " "+name+"\n")
	}
	names := append([]string{}, han...)
	names = append(names, symbols...)
	for _, all := range families {
		for _, family := range all {
			names = append(names, family+"-Regular.ttf")
		}
	}
	for _, name := range names {
		if !there(name) {
			t.Errorf("nothing brings %s", name)
		}
	}
}

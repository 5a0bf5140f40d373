package typeset

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/unicode/bidi"
)

// TestBidiConformance runs Unicode's own BidiCharacterTest.txt, which comes with go-text's module.
func TestBidiConformance(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/go-text/typesetting").Output()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(strings.TrimSpace(string(dir)), "bidi", "test", "BidiCharacterTest.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, failed := 0, 0
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fields := strings.Split(sc.Text(), ";")
		if strings.HasPrefix(sc.Text(), "#") || len(fields) != 5 {
			continue
		}
		var text []rune
		for h := range strings.FieldsSeq(fields[0]) {
			n, err := strconv.ParseUint(h, 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, rune(n))
		}
		base := map[string]int8{"0": 0, "1": 1, "2": -1}[fields[1]]
		levels, got := resolve(text, base)
		levels = lineLevels(text, levels, got)
		want := strings.Fields(fields[3])
		ok := strconv.Itoa(int(got)) == fields[2]
		var kept []int8
		var places []string
		for i, w := range want {
			if w == "x" {
				continue
			}
			ok = ok && strconv.Itoa(int(levels[i])) == w
			kept, places = append(kept, levels[i]), append(places, strconv.Itoa(i))
		}
		var order []string
		for _, n := range visual(kept) {
			order = append(order, places[n])
		}
		ok = ok && strings.Join(order, " ") == strings.TrimSpace(fields[4])
		lines++
		if !ok {
			if failed++; failed < 10 {
				t.Errorf("%s: levels %v order %v", sc.Text(), levels, order)
			}
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	if lines < 90_000 || failed > 0 {
		t.Errorf("%d of %d lines of the conformance test failed (Unicode %s)", failed, lines, bidi.UnicodeVersion)
	}
}

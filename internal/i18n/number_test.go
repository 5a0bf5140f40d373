package i18n

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
)

// The page reads the same file: frontend/src/i18n/numbers.test.ts.
func TestNumbersAreWrittenAsInThePage(t *testing.T) {
	data, err := os.ReadFile("testdata/numbers.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Numbers []float64
		Texts   map[string][]string
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(vectors.Texts)), slices.Sorted(slices.Values(c.Locales())); !slices.Equal(got, want) {
		t.Fatalf("vectors for %v, locales %v", got, want)
	}
	for locale, texts := range vectors.Texts {
		for i, v := range vectors.Numbers {
			if got := c.Number(locale, v); got != texts[i] {
				t.Errorf("%s: %v is %+q, want %+q", locale, v, got, texts[i])
			}
			if n := int(v); float64(n) == v { // a message writes whole numbers without a detour by floats
				if got := c.show(c.at(locale), n); got != texts[i] {
					t.Errorf("%s: the whole number %d is %+q, want %+q", locale, n, got, texts[i])
				}
			}
		}
	}
}

func TestDigitsOfALocale(t *testing.T) {
	c := catalogue(t, map[string]string{
		"en.json": `{"date.long": "{{.Day}} {{.Month}} {{.Year}}", "date.month.3": "March", "n": "{{.Count}} of {{.X}}"}`,
		"fa.json": `{"date.long": "{{.Day}} {{.Month}} {{.Year}}", "date.month.3": "مارس", "n": "{{.Count}} از {{.X}}"}`,
	})
	if got, want := c.T("fa", "n", map[string]any{"Count": 1234, "X": 0.5}), "۱٬۲۳۴ از ۰٫۵"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := c.Date("fa", time.Date(2026, 3, 6, 0, 0, 0, 0, time.UTC)), "۶ مارس ۲۰۲۶"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestSizesClocksAndLists(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[fault.Bytes][2]string{
		0: {"0.0 kB", "0,0 ko"}, 1234: {"1.2 kB", "1,2 ko"}, 9_949: {"9.9 kB", "9,9 ko"}, 9_950: {"10 kB", "10 ko"}, 12_345: {"12 kB", "12 ko"},
		999_499: {"999 kB", "999 ko"}, 999_500: {"1.0 MB", "1,0 Mo"}, 1_250_001: {"1.3 MB", "1,3 Mo"}, 2_345_678_901: {"2,345.7 MB", "2\u202f345,7 Mo"},
	} {
		if got := [2]string{c.Size("en", n), c.Size("fr", n)}; got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 65 * time.Second: "1:05", 59_499 * time.Millisecond: "0:59", 59_500 * time.Millisecond: "1:00", 3700 * time.Second: "61:40"} {
		if got := c.Clock("ar", fault.Lasting(d)); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
	for locale, want := range map[string]string{"en": "a, b, c", "ar": "a، b، c", "zh": "a、b、c"} {
		if got := c.List(locale, []string{"a", "b", "c"}); got != want {
			t.Errorf("a list in %s is %q, want %q", locale, got, want)
		}
	}
	if got := c.List("en", nil) + c.List("en", []string{"a"}); got != "a" {
		t.Errorf("none and one are %q", got)
	}
	if got, want := c.T("ru", "page.recording", map[string]any{"Lasts": fault.Lasting(65 * time.Second), "Size": fault.Bytes(3400)}), "1:05 · 3,4 КБ"; got != want {
		t.Errorf("a recording costs %q, want %q", got, want)
	}
}

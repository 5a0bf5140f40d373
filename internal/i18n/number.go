package i18n

import (
	"math"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"

	"github.com/banyan-lms/banyan/internal/fault"
)

// numbering is the digits of a locale where x/text and browsers disagree: x/text has CLDR 32, which gave Arabic
// without a country its own digits. CLDR 48 gives it Latin ones, as its courses are written.
// frontend/src/i18n/words.ts has the same list, and testdata/numbers.json holds both to the same text.
var numbering = map[string]string{"ar": "latn"}

// grouping is what CLDR has changed since x/text's 32 about thousands: what parts them, and from how many digits on.
var grouping = map[string]struct {
	from, to string
	least    float64
}{
	"fr": {from: "\u00a0", to: "\u202f"},
	"es": {least: 10_000},
}

// Numbers is the tag by which a browser's Intl writes numbers as this package does.
func Numbers(locale string) string {
	if digits := numbering[locale]; digits != "" {
		return locale + "-u-nu-" + digits
	}
	return locale
}

func printer(tag language.Tag) *message.Printer {
	if digits := numbering[tag.String()]; digits != "" {
		if with, err := tag.SetTypeForKey("nu", digits); err == nil {
			tag = with
		}
	}
	return message.NewPrinter(tag)
}

// Number writes a number as the locale does, byte for byte as formatNumber does in the page: in the digits that CLDR gives
// the locale, with its marks for thousands and decimals, and three decimals at most.
func (c *Catalogue) Number(locale string, v float64) string {
	return c.number(c.at(locale), v, number.MaxFractionDigits(3))
}

func (c *Catalogue) number(w *words, v float64, options ...number.Option) string {
	v = math.Round(v*1000) / 1000 // halves go up, as in the page; x/text would take the even neighbour
	g := grouping[w.locale]
	if math.Abs(v) < g.least {
		options = append(options, number.NoSeparator())
	}
	out := w.printer.Sprint(number.Decimal(v, options...))
	if g.from != "" {
		out = strings.ReplaceAll(out, g.from, g.to)
	}
	return out
}

// plainNumber has no marks for thousands: years and minutes.
func (c *Catalogue) plainNumber(w *words, n, digits int) string {
	return w.printer.Sprint(number.Decimal(n, number.NoSeparator(), number.MinIntegerDigits(digits)))
}

// Size writes a size of data with its unit: 950 bytes are 1.0 kB, from 10 kB on there are no tenths.
func (c *Catalogue) Size(locale string, n fault.Bytes) string {
	w := c.at(locale)
	key, v, tenths := "page.kilobytes", float64(n)/1000, n < 9_950
	if n >= 999_500 {
		key, v, tenths = "page.megabytes", float64(n)/1e6, true
	}
	decimals := 0
	if tenths {
		decimals = 1
	}
	scale := math.Pow10(decimals)
	v = math.Round(v*scale) / scale
	return c.T(locale, key, map[string]any{"Size": c.number(w, v, number.Scale(decimals))})
}

// Clock writes how long something plays: 1:05, or 61:40.
func (c *Catalogue) Clock(locale string, d fault.Lasting) string {
	s := int(time.Duration(d).Seconds() + 0.5)
	w := c.at(locale)
	return c.T(locale, "date.clock", map[string]any{"Minutes": c.plainNumber(w, s/60, 1), "Seconds": c.plainNumber(w, s%60, 2)})
}

// List writes names one after the other. They are put in as they are, so they may be HTML.
func (c *Catalogue) List(locale string, names []string) string {
	out := ""
	for i, name := range names {
		if i == 0 {
			out = name
			continue
		}
		out = c.T(locale, "page.list", map[string]any{"List": out, "Next": name})
	}
	return out
}

// show writes a value in a message as people do: 0.7, not 7e-01; 1,500, not 1500.
func (c *Catalogue) show(w *words, v any) any {
	switch v := v.(type) {
	case int:
		return c.whole(w, int64(v))
	case int64:
		return c.whole(w, v)
	case int32:
		return c.whole(w, int64(v))
	case uint8:
		return c.whole(w, int64(v))
	case uint32:
		return c.whole(w, int64(v))
	case float64:
		return c.number(w, v, number.MaxFractionDigits(3))
	case float32:
		return c.number(w, float64(v), number.MaxFractionDigits(3))
	case fault.Bytes:
		return c.Size(w.locale, v)
	case fault.Lasting:
		return c.Clock(w.locale, v)
	}
	return v
}

func (c *Catalogue) whole(w *words, n int64) string {
	g := grouping[w.locale]
	if math.Abs(float64(n)) < g.least {
		return w.printer.Sprint(number.Decimal(n, number.NoSeparator()))
	}
	out := w.printer.Sprint(number.Decimal(n))
	if g.from != "" {
		out = strings.ReplaceAll(out, g.from, g.to)
	}
	return out
}

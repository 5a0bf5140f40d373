package quiz

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

var (
	plainNumber = regexp.MustCompile(`^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$`)
	thousands   = regexp.MustCompile(`^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?$`)
)

// parseNumber reads a number as people write it: in the digits of any script, with a
// percent sign, with spaces between thousands, with a point, a comma or an Arabic separator. A comma that
// can part thousands does ("1,000" is a thousand); another one begins the fraction ("0,5"). The
// page reads alike; testdata/numbers.json holds both to the same.
func parseNumber(s string) (float64, bool) {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), r == '%', r == '٪', r == '％', r == '٬', r == '\'', r == '’':
			return -1
		case r == '٫', r == '．':
			return '.'
		case r == '،', r == '，':
			return ','
		case r == '−', r == '–', r == '﹣', r == '－':
			return '-'
		case r == '＋':
			return '+'
		}
		return digit(r)
	}, s)
	switch {
	case thousands.MatchString(s):
		s = strings.ReplaceAll(s, ",", "")
	case strings.Count(s, ",") == 1 && !strings.Contains(s, "."):
		s = strings.Replace(s, ",", ".", 1)
	}
	if !plainNumber.MatchString(s) {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// digit gives 0 to 9 for a decimal digit of any script, and else the rune itself.
// Unicode keeps the ten digits of a script together, from zero up.
func digit(r rune) rune {
	if r < 0x80 {
		return r
	}
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

// Fold makes short answers comparable: what is left is what a learner must get right. In this order:
//
//  1. compatibility decomposition (NFKD);
//  2. take away marks (category Mn: accents, Arabic tashkeel and hamza), format characters (Cf) and the tatweel;
//  3. decimal digits of every script become 0 to 9;
//  4. upper case, then lower case, by Unicode's full mapping; a final sigma becomes a plain one;
//  5. spaces shrink to one, and those at the ends go.
//
// The page folds in the same way, so that a practice quiz works offline;
// testdata/fold.json holds both to the same pairs.
func Fold(s string) string {
	s = norm.NFKD.String(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r) || r == 'ـ' {
			return -1
		}
		return digit(r)
	}, s)
	s = cases.Lower(language.Und).String(cases.Upper(language.Und).String(s))
	s = strings.ReplaceAll(s, "ς", "σ")
	return strings.Join(strings.Fields(s), " ")
}

package institution

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
)

// A domain stands in the institution's DID, and who reads it there takes it for the institution. So only plain hosts are taken: in
// lower case, with a dot in them, without port or path, and of letters that nobody takes for others.

// checkDomain gives the key of what is wrong with a domain, or "".
func (s *Service) checkDomain(host string) string {
	if !isHost(host) {
		return "institution.bad_domain"
	}
	if host == s.PublicHost || strings.HasSuffix(s.PublicHost, "."+host) || strings.HasSuffix(host, "."+s.PublicHost) && s.PublicHost != "" {
		return "institution.own_host"
	}
	if confusable(host) {
		return "institution.confusing_domain"
	}
	return ""
}

// isHost takes names of hosts as RFC 1123 has them, in lower case, with at least two labels, whose last is not a number: no address, no port,
// no path, no dot at the end.
func isHost(host string) bool {
	labels := strings.Split(host, ".")
	if len(host) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for i := range len(l) {
			if c := l[i]; c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
				return false
			}
		}
		if len(l) > 3 && l[2:4] == "--" && l[:2] != "xn" {
			return false
		}
	}
	last := labels[len(labels)-1]
	return strings.ContainsFunc(last, func(r rune) bool { return r < '0' || r > '9' }) &&
		last != "localhost" && last != "local" && last != "internal" && last != "invalid" && last != "onion"
}

// lookLatin are letters of other scripts that look like Latin ones.
const lookLatin = "аеорсухіјѕһԁԛԝѵӏьгкмтвн" + "αορνυικτχγωηε"

// confusable tells whether a host's labels in other scripts can be taken for others: because one mixes scripts, or because all its letters look
// like Latin ones. What cannot be read at all can be taken for anything.
func confusable(host string) bool {
	for l := range strings.SplitSeq(host, ".") {
		if !strings.HasPrefix(l, "xn--") {
			continue
		}
		text, err := idna.Lookup.ToUnicode(l)
		if err != nil || text == l {
			return true
		}
		if back, err := idna.Lookup.ToASCII(text); err != nil || back != l {
			return true
		}
		if mixed(text) || !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 && !strings.ContainsRune(lookLatin, r) }) {
			return true
		}
	}
	return false
}

// scripts that stand together in a word are one: Japanese and Korean write Han beside their own.
var scripts = []*unicode.RangeTable{
	unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Arabic, unicode.Hebrew, unicode.Devanagari, unicode.Bengali, unicode.Thai,
	unicode.Armenian, unicode.Georgian, unicode.Ethiopic, unicode.Tamil, unicode.Telugu, unicode.Gujarati, unicode.Gurmukhi, unicode.Kannada,
	unicode.Malayalam, unicode.Sinhala, unicode.Khmer, unicode.Lao, unicode.Myanmar, unicode.Tibetan, unicode.Mongolian, unicode.Cherokee,
}

func mixed(text string) bool {
	seen := -1
	for _, r := range text {
		of := len(scripts) // Han and its neighbours
		for i, s := range scripts {
			if unicode.Is(s, r) {
				of = i
				break
			}
		}
		if !unicode.IsLetter(r) {
			continue
		}
		if seen >= 0 && seen != of {
			return true
		}
		seen = of
	}
	return false
}

package reading

import (
	"slices"
	"strings"
)

// groups counts runs of vowels.
func groups(word []rune, vowels string) int {
	n, inside := 0, false
	for _, r := range word {
		v := strings.ContainsRune(vowels, r)
		if v && !inside {
			n++
		}
		inside = v
	}
	return n
}

func ends(word []rune, suffixes ...string) bool {
	s := string(word)
	return slices.ContainsFunc(suffixes, func(e string) bool { return strings.HasSuffix(s, e) })
}

// english counts vowel groups. Silent are the last e (but for -le after a consonant) and the e of -es and -ed, unless it is spoken.
func english(word []rune) int {
	n := groups(word, "aeiouy")
	if len(word) > 3 {
		before := word[len(word)-3]
		switch {
		case ends(word, "le") && !strings.ContainsRune("aeiouy", before):
		case ends(word, "e") && !ends(word, "ee", "ye", "oe", "ie", "ue"):
			n--
		case ends(word, "es") && !strings.ContainsRune("aeiouyscxzg", before) && !ends(word, "shes", "ches", "les"):
			n--
		case ends(word, "ed") && !strings.ContainsRune("aeiouytd", before):
			n--
		}
	}
	if ends(word, "idea", "ideas", "area", "areas") {
		n++
	}
	// Two vowels that are spoken apart.
	s := string(word)
	for _, apart := range []string{"ia", "io", "eo", "iu", "ua"} {
		if i := strings.Index(s, apart); i >= 0 && !strings.Contains(s, "tio") && !strings.Contains(s, "sio") && !strings.Contains(s, "cia") && !strings.Contains(s, "tia") && !strings.Contains(s, "gio") && !strings.Contains(s, "people") && !strings.Contains(s, "gua") && !strings.Contains(s, "qua") {
			n++
			break
		}
	}
	return n
}

// french counts vowel groups. Mute are e, es and ent at the end, when another syllable is there.
func french(word []rune) int {
	const vowels = "aeiouyàâäéèêëîïôöùûüÿœæ"
	n := groups(word, vowels)
	if n > 1 {
		last := len(word)
		switch {
		case ends(word, "e"):
			last--
		case ends(word, "es"):
			last -= 2
		case ends(word, "ent") && len(word) > 5:
			last -= 3
		}
		if last < len(word) && !strings.ContainsRune(vowels, word[last-1]) {
			n--
		}
	}
	return n
}

// apart counts vowels that stand apart: two strong ones, or a weak one that carries an accent.
func apart(word []rune, strong, weak, stressed string) int {
	n := 0
	prev := rune(0)
	for i, r := range word {
		kind := rune(0)
		switch {
		case r == 'u' && i > 0 && (word[i-1] == 'q' || word[i-1] == 'g') && i+1 < len(word) && strings.ContainsRune("eiéíê", word[i+1]):
			// que, gui: not spoken
		case strings.ContainsRune(stressed, r):
			kind = 'i'
		case strings.ContainsRune(strong, r):
			kind = 's'
		case strings.ContainsRune(weak, r):
			kind = 'w'
		}
		if kind != 0 && (prev == 0 || kind == 'i' || prev == 'i' || kind == 's' && prev == 's') {
			n++
		}
		prev = kind
	}
	return n
}

func spanish(word []rune) int {
	if string(word) == "y" {
		return 1
	}
	return apart(word, "aeoáéó", "iuüy", "íú")
}

// portuguese treats the nasal ão, ãe and õe as one.
func portuguese(word []rune) int {
	s := strings.NewReplacer("ão", "a", "ãe", "a", "õe", "o").Replace(string(word))
	return apart([]rune(s), "aeoáéóâêôàãõ", "iuüy", "íú")
}

// russian has as many syllables as vowels.
func russian(word []rune) int {
	n := 0
	for _, r := range word {
		if strings.ContainsRune("аеёиоуыэюя", r) {
			n++
		}
	}
	return n
}

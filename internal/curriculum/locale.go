package curriculum

import (
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// texts finds the short texts of a course in its languages, and remembers what was
// asked for: a key that nobody asks for is a misspelt one.
type texts struct {
	source  Locale
	locales []Locale
	docs    map[Locale]*document
	asked   map[string]bool
}

func (t *texts) value(l Locale, key string) any {
	doc := t.docs[l]
	if doc == nil {
		return nil
	}
	m, _ := doc.value.(map[string]any)
	return m[key]
}

// text gives a text in every language of the course: the source text where there is no translation.
func (t *texts) text(key, source string) Text {
	t.asked[key] = true
	out := Text{}
	for _, l := range t.locales {
		out[l] = source
		if s, ok := t.value(l, key).(string); ok && l != t.source {
			out[l] = s
		}
	}
	return out
}

// list gives the lists under a key of every other language, one after the other.
func (t *texts) list(key string) []string {
	t.asked[key] = true
	var out []string
	for _, l := range t.locales {
		list, _ := t.value(l, key).([]any)
		for _, e := range list {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// checkAsked notes keys of translations that belong to nothing. A file with faults of
// its own may have lost what they belong to, so its keys are left alone.
func (t *texts) checkAsked(faults *faultList) {
	faulty := map[string]bool{}
	for _, d := range faults.list {
		faulty[d.File] = true
	}
	for _, l := range slices.Sorted(maps.Keys(t.docs)) {
		doc := t.docs[l]
		m, _ := doc.value.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if t.asked[key] || faulty[ownerOf(key)] {
				continue
			}
			faults.add(doc.file, doc.line("/"+escapePointer(key)), "locale.unknown_key", "Key", key)
		}
	}
}

// ownerOf is the file whose texts a message key translates.
func ownerOf(key string) string {
	part := strings.SplitN(key, ".", 3)
	if len(part) > 1 && part[0] == "quiz" {
		return "quizzes/" + part[1] + ".yaml"
	}
	if len(part) > 1 && part[0] == "bank" {
		return "banks/" + part[1] + ".yaml"
	}
	if len(part) > 1 && part[0] == "lab" {
		return "labs/" + part[1] + "/lab.yaml"
	}
	return "course.yaml"
}

// canonicalLocale gives the one right spelling of a language tag, or "" when it is none.
func canonicalLocale(l Locale) Locale {
	tag, err := language.Parse(l)
	if err != nil || tag == language.Und {
		return ""
	}
	return tag.String()
}

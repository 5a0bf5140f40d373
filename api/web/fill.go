package web

import (
	"fmt"
	"html"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// The skeletons know three things: {{name}} is a value, escaped; {{{name}}} is
// HTML; {{t:key}} is a word of the catalogue, escaped. The service worker fills the same files with
// frontend/src/pages/fill.ts, and pages/vectors.json holds both to the same bytes.

// skeleton is a parsed template.
type skeleton struct {
	name  string
	parts []part
}

type partKind int

const (
	literal partKind = iota
	escaped
	raw
	word
)

// part is literal text, or the name of a slot, or the key of a word.
type part struct {
	kind partKind
	text string
}

// values fill the slots of one skeleton.
type values map[string]string

var slotForm = regexp.MustCompile(`^(?:\{\{\{([a-z][a-z0-9_]*)\}\}\}|\{\{(?:([a-z][a-z0-9_]*)|t:([a-z][a-z0-9_.-]*))\}\})`)

func parseSkeleton(name, src string) (skeleton, error) {
	sk := skeleton{name: name}
	for rest := src; rest != ""; {
		open := strings.Index(rest, "{{")
		if open < 0 {
			sk.parts = append(sk.parts, part{literal, rest})
			break
		}
		if open > 0 {
			sk.parts = append(sk.parts, part{literal, rest[:open]})
			rest = rest[open:]
		}
		m := slotForm.FindStringSubmatch(rest)
		if m == nil {
			line := 1 + strings.Count(src[:len(src)-len(rest)], "\n")
			return skeleton{}, fmt.Errorf("page skeleton %s, line %d: %.20q is none of {{name}}, {{{name}}}, {{t:key}}", name, line, rest)
		}
		switch {
		case m[1] != "":
			sk.parts = append(sk.parts, part{raw, m[1]})
		case m[2] != "":
			sk.parts = append(sk.parts, part{escaped, m[2]})
		default:
			sk.parts = append(sk.parts, part{word, m[3]})
		}
		rest = rest[len(m[0]):]
	}
	return sk, nil
}

// in puts the words of one language in their places.
func (sk skeleton) in(words func(key string) (string, bool)) (skeleton, error) {
	out := skeleton{name: sk.name}
	var text strings.Builder
	for _, p := range sk.parts {
		switch p.kind {
		case literal:
			text.WriteString(p.text)
			continue
		case word:
			w, ok := words(p.text)
			if !ok {
				return skeleton{}, fmt.Errorf("page skeleton %s: the catalogue has no word %s", sk.name, p.text)
			}
			text.WriteString(html.EscapeString(w))
			continue
		}
		if text.Len() > 0 {
			out.parts = append(out.parts, part{literal, text.String()})
			text.Reset()
		}
		out.parts = append(out.parts, p)
	}
	if text.Len() > 0 {
		out.parts = append(out.parts, part{literal, text.String()})
	}
	return out, nil
}

// fill gives the HTML. Its words must be in place. A slot without a value is an error.
func (sk skeleton) fill(v values) (string, error) {
	var b strings.Builder
	for _, p := range sk.parts {
		if p.kind == literal {
			b.WriteString(p.text)
			continue
		}
		value, ok := v[p.text]
		if !ok {
			return "", fmt.Errorf("page skeleton %s: nothing fills the slot %s", sk.name, p.text)
		}
		if p.kind == escaped {
			value = html.EscapeString(value)
		}
		b.WriteString(value)
	}
	return b.String(), nil
}

// source writes the skeleton as a template again, with its words in place. The engine of the pages knows no way to write
// two braces that are none of its own, and a word that held some would be taken for a slot.
func (sk skeleton) source() string {
	var b strings.Builder
	for _, p := range sk.parts {
		switch p.kind {
		case escaped:
			b.WriteString("{{" + p.text + "}}")
		case raw:
			b.WriteString("{{{" + p.text + "}}}")
		default:
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// text is what stands in the skeleton whatever fills it.
func (sk skeleton) text() string {
	var b strings.Builder
	for _, p := range sk.parts {
		if p.kind == literal {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// contract names the skeletons and the slots that this package fills in each. A slot in braces is HTML, the
// others are text; that is checked, because a text that a skeleton takes for HTML is a hole. A
// skeleton may leave out the slots with a question mark. {spoken} is lang and dir, with a space before
// each, of a text in another language than the page; "" otherwise.
var contract = map[string]string{
	"layout":             "locale dir title description {head} {nav} {main} {languages} {body_attrs}",
	"language-link":      "href locale name {current} dir?",
	"nav-link":           "href title rel label {spoken}?",
	"catalogue":          "{items}",
	"catalogue-item":     "href title summary minutes lessons quizzes labs locale dir {summary_spoken}?",
	"course":             "title summary minutes licence authors {modules} course? version? {competences}? {spoken}? {summary_spoken}?",
	"competences":        "{frameworks}",
	"framework":          "title {competences} {spoken}?",
	"competence":         "name {spoken}?",
	"serves":             "{competences}",
	"module":             "title {items} {spoken}?",
	"item":               "href title kind_label kind? id? {spoken}?",
	"lesson":             "title course_title course_href {course_spoken}? {fragment} {previous} {next} position? {spoken}? {translation}? {competences}?",
	"quiz":               "title course_title course_href {course_spoken}? {questions} {data} {previous} {next} position? {spoken}? {translation}? {competences}?",
	"question":           "number prompt {options} {spoken}?",
	"option":             "text {spoken}?",
	"lab":                "title course_title course_href {course_spoken}? {fragment} starter {files} {hints} {checks} {data} {previous} {next} position? {spoken}? {translation}? {competences}?",
	"check":              "title call {spoken}?",
	"lab-file":           "name text",
	"lab-hint":           "label text {spoken}?",
	"verify":             "standing standing_label standing_text reason? {reasons}? {certificate} {paper} {recognised} {report} {links}",
	"verify-paper":       "code address",
	"recognised":         "locale {list}",
	"recognised-one":     "{facts}",
	"recognitions":       "locale none {rows} {options} {pages}",
	"recognition-row":    "href title {title_spoken}? as {as_spoken}? by {by_spoken}? standing kind",
	"recognition-option": "value name {spoken}? {selected}?",
	"recognition":        "standing standing_label standing_text {facts} {links}",
	"certificate":        "to name achievement {achievement_spoken}? course_title? {course_spoken}? {facts}",
	"report":             "{rests} {notes}",
	"report-notes":       "{notes}",
	"report-basis":       "label origin when source",
	"report-list":        "{lines}",
	"report-line":        "text",
	"verify-link":        "href label",
	"verify-form":        "locale",
	"shared":             "standing standing_label standing_text reason to name achievement {achievement_spoken}? {facts} about",
	"problem":            "title detail code?",
	"verify-fact":        "label {label_spoken}? value {spoken}?",
	"app":                "",
	// For a page that is neither on the device nor to be reached: the service worker fills its last two slots.
	"offline": "title detail {way} href {items}",
}

// slot is one word of the contract.
type slot struct {
	name          string
	raw, optional bool
}

func slotsOf(list string) []slot {
	var out []slot
	for _, word := range strings.Fields(list) {
		var s slot
		word, s.optional = strings.CutSuffix(word, "?")
		if inner, ok := strings.CutPrefix(word, "{"); ok {
			word, s.raw = strings.TrimSuffix(inner, "}"), true
		}
		s.name = word
		out = append(out, s)
	}
	return out
}

// skeletons are the templates by name, with the words of one language in place.
type skeletons map[string]skeleton

// loadSkeletons reads every template of the contract. It fails when one is
// missing, broken or against the contract.
func loadSkeletons(pages fs.FS) (skeletons, error) {
	out := skeletons{}
	for name, list := range contract {
		src, err := fs.ReadFile(pages, name+".html")
		if err != nil {
			return nil, fmt.Errorf("page skeleton: %w", err)
		}
		sk, err := parseSkeleton(name, strings.TrimSpace(string(src)))
		if err != nil {
			return nil, err
		}
		if err := sk.check(slotsOf(list)); err != nil {
			return nil, err
		}
		out[name] = sk
	}
	return out, nil
}

// check holds a skeleton against its slots.
func (sk skeleton) check(slots []slot) error {
	used := map[string]bool{}
	for _, p := range sk.parts {
		if p.kind != escaped && p.kind != raw {
			continue
		}
		i := slices.IndexFunc(slots, func(s slot) bool { return s.name == p.text })
		switch {
		case i < 0:
			return fmt.Errorf("page skeleton %s: nothing fills the slot %s", sk.name, p.text)
		case slots[i].raw && p.kind != raw:
			return fmt.Errorf("page skeleton %s: the slot %s is HTML, write {{{%s}}}", sk.name, p.text, p.text)
		case !slots[i].raw && p.kind == raw:
			return fmt.Errorf("page skeleton %s: the slot %s is text, write {{%s}}", sk.name, p.text, p.text)
		}
		used[p.text] = true
	}
	for _, s := range slots {
		if !s.optional && !used[s.name] {
			return fmt.Errorf("page skeleton %s: it leaves out the slot %s", sk.name, s.name)
		}
	}
	return nil
}

// in puts the words of one language into every template.
func (sks skeletons) in(words func(key string) (string, bool)) (skeletons, error) {
	out := skeletons{}
	for name, sk := range sks {
		bound, err := sk.in(words)
		if err != nil {
			return nil, err
		}
		out[name] = bound
	}
	return out, nil
}

// Package i18n chooses the reader's language and finds the words in it.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
	"golang.org/x/text/message"
)

// Source is the locale that every message is written in first, and where
// every chain of fallbacks ends.
const Source = "en"

//go:embed locales/*.json
var embedded embed.FS

// Catalogue holds the words of every locale. It never changes once it is
// loaded, and any number of goroutines may use it.
type Catalogue struct {
	locales []string // the source first, then by name
	tags    []language.Tag
	matcher language.Matcher
	words   map[string]*words // by locale

	missing sync.Map // locale and key that were logged
}

// words are the messages of one locale. A message without placeholders and
// plural forms is plain, so that finding it is one look into a map.
type words struct {
	locale    string
	printer   *message.Printer // of numbers
	plain     map[string]string
	templated map[string]template
	localizer *i18n.Localizer
	chain     []string // this locale, then what it falls back to
}

// template is a message that needs arguments.
type template struct {
	plural bool
	args   []string
	forms  map[string]string // by the name of the plural form
}

// placeholder is the only thing in braces that a message may hold: the page
// fills messages too, and knows nothing else.
var placeholder = regexp.MustCompile(`\{\{\.([A-Z][A-Za-z]*)\}\}`)

// Load reads the embedded locales. It fails when a message could not be shown:
// broken JSON, braces that are no placeholder, a locale that is no BCP 47 tag.
func Load() (*Catalogue, error) {
	dir, err := fs.Sub(embedded, "locales")
	if err != nil {
		return nil, err
	}
	return load(dir)
}

func load(dir fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(dir, "*.json")
	if err != nil {
		return nil, err
	}
	c := &Catalogue{words: map[string]*words{}}
	for _, name := range names {
		locale := strings.TrimSuffix(name, ".json")
		tag, err := language.Parse(locale)
		if err != nil || tag.String() != locale {
			return nil, fmt.Errorf("locale file %s: its name is no BCP 47 tag in canonical form", name)
		}
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		w, messages, err := parse(name, data)
		if err != nil {
			return nil, err
		}
		// A bundle a locale: one bundle for all would answer for "pt" out of "pt-BR".
		bundle := i18n.NewBundle(tag)
		if err := bundle.AddMessages(tag, messages...); err != nil {
			return nil, fmt.Errorf("locale file %s: %w", name, err)
		}
		w.localizer = i18n.NewLocalizer(bundle, locale)
		w.locale, w.printer = locale, printer(tag)
		c.words[locale] = w
		c.locales = append(c.locales, locale)
	}
	if c.words[Source] == nil {
		return nil, fmt.Errorf("no locale file %s.json", Source)
	}
	slices.SortFunc(c.locales, func(a, b string) int {
		switch {
		case a == b:
			return 0
		case a == Source:
			return -1
		case b == Source:
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, l := range c.locales {
		c.tags = append(c.tags, language.Make(l))
		c.words[l].chain = c.chain(l)
	}
	c.matcher = language.NewMatcher(c.tags)
	return c, nil
}

var pluralForms = []string{"zero", "one", "two", "few", "many", "other"}

// parse sorts the messages of one file into plain ones and those that need
// arguments. The latter go to the bundle.
func parse(name string, data []byte) (*words, []*i18n.Message, error) {
	file, err := i18n.ParseMessageFileBytes(data, path.Base(name), map[string]i18n.UnmarshalFunc{"json": json.Unmarshal})
	if err != nil {
		return nil, nil, fmt.Errorf("locale file %s: %w", name, err)
	}
	w := &words{plain: map[string]string{}, templated: map[string]template{}}
	var messages []*i18n.Message
	for _, m := range file.Messages {
		forms := []string{m.Zero, m.One, m.Two, m.Few, m.Many, m.Other}
		t := template{plural: strings.Join(forms[:5], "") != "", forms: map[string]string{}}
		for i, form := range forms {
			if form != "" {
				t.forms[pluralForms[i]] = form
			}
			if strings.Contains(placeholder.ReplaceAllString(form, ""), "{{") {
				return nil, nil, fmt.Errorf("locale file %s: %s: only placeholders like {{.Name}} may stand in braces", name, m.ID)
			}
			for _, found := range placeholder.FindAllStringSubmatch(form, -1) {
				if !slices.Contains(t.args, found[1]) {
					t.args = append(t.args, found[1])
				}
			}
		}
		if !t.plural && len(t.args) == 0 {
			w.plain[m.ID] = m.Other
			continue
		}
		w.templated[m.ID] = t
		messages = append(messages, m)
	}
	return w, messages, nil
}

// chain lists the loaded locales in which a message is sought: the locale, its
// parents (ar-EG, then ar), and the source.
func (c *Catalogue) chain(locale string) []string {
	var out []string
	for tag := language.Make(locale); !tag.IsRoot(); tag = tag.Parent() {
		if l := tag.String(); c.words[l] != nil && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	if !slices.Contains(out, Source) {
		out = append(out, Source)
	}
	return out
}

// Locales lists what the catalogue speaks, the source first.
func (c *Catalogue) Locales() []string { return slices.Clone(c.locales) }

// Has tells whether the catalogue speaks exactly this locale.
func (c *Catalogue) Has(locale string) bool { return c.words[locale] != nil }

// longest bounds what Match reads of a header that a stranger wrote.
const longest = 512

// Match chooses the locale for a reader. Preferences come in order of weight:
// what the account says, the cookie, the Accept-Language header. Each is a tag or a
// list as in RFC 9110, section 12.5.4; empty and broken ones are passed over. The first that
// the catalogue speaks, by the rules of CLDR, decides; else it is the source.
func (c *Catalogue) Match(prefs ...string) string {
	for _, pref := range prefs {
		if pref == "" {
			continue
		}
		if c.words[pref] != nil {
			return pref
		}
		if len(pref) > longest {
			pref = pref[:strings.LastIndexByte(pref[:longest], ',')+1]
		}
		tags, _, err := language.ParseAcceptLanguage(pref)
		if err != nil || len(tags) == 0 {
			continue
		}
		if _, i, confidence := c.matcher.Match(tags...); confidence != language.No {
			return c.locales[i]
		}
	}
	return Source
}

// T gives the text of a key in a locale. args fill the placeholders; args["Count"]
// chooses the plural form. A locale that is not loaded falls back to its parents, a key that a locale
// lacks is sought along the chain to the source, and a key that nobody knows
// is given back itself. The text is not escaped for anything.
func (c *Catalogue) T(locale, key string, args map[string]any) string {
	w := c.at(locale)
	for i, l := range w.chain {
		at := c.words[l]
		if text, ok := at.plain[key]; ok {
			if i > 0 {
				c.note(locale, key)
			}
			return text
		}
		if t, ok := at.templated[key]; ok {
			if i > 0 {
				c.note(locale, key)
			}
			return c.fill(at, key, t, args)
		}
	}
	c.note(locale, key)
	return key
}

// Entry gives a message as it is written, with its placeholders: a text, or its plural forms by name. It is sought as T seeks it.
func (c *Catalogue) Entry(locale, key string) any {
	for _, l := range c.chain(locale) {
		if text, ok := c.words[l].plain[key]; ok {
			return text
		}
		if t, ok := c.words[l].templated[key]; ok {
			if t.plural {
				return maps.Clone(t.forms)
			}
			return t.forms["other"]
		}
	}
	return key
}

// at gives the words of a locale, or of the nearest that is loaded.
func (c *Catalogue) at(locale string) *words {
	if w := c.words[locale]; w != nil {
		return w
	}
	return c.words[c.chain(locale)[0]]
}

func (c *Catalogue) fill(w *words, key string, t template, args map[string]any) string {
	data := make(map[string]any, len(t.args))
	for _, name := range t.args {
		// A gap reads better than the template engine's "<no value>".
		data[name] = ""
		if v, ok := args[name]; ok {
			data[name] = c.show(w, v)
		}
	}
	config := &i18n.LocalizeConfig{MessageID: key, TemplateData: data}
	if t.plural {
		config.PluralCount = countOf(args["Count"])
	}
	text, err := w.localizer.Localize(config)
	if err != nil && text == "" {
		slog.Error("fill message", "key", key, "err", err)
		return key
	}
	return text
}

// countOf turns a number into what go-i18n accepts: integers, or a decimal as a string.
// Anything else has no plural form but "other".
func countOf(v any) any {
	switch v := v.(type) {
	case int, int8, int16, int32, int64:
		return v
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return nil
}

// note logs once that a locale lacks a key.
func (c *Catalogue) note(locale, key string) {
	if _, known := c.missing.LoadOrStore(locale+" "+key, true); !known {
		slog.Warn("message is missing", "locale", locale, "key", key)
	}
}

// Date writes a day as the locale does in prose, in the Gregorian calendar and the digits of the locale, in UTC.
func (c *Catalogue) Date(locale string, t time.Time) string {
	return c.T(locale, "date.long", c.dateArgs(locale, t.UTC()))
}

// Moment writes a day and a time of day, in UTC, and says so.
func (c *Catalogue) Moment(locale string, t time.Time) string {
	t = t.UTC()
	args := c.dateArgs(locale, t)
	w := c.at(locale)
	args["Time"] = c.T(locale, "date.time", map[string]any{"Hours": c.plainNumber(w, t.Hour(), 2), "Minutes": c.plainNumber(w, t.Minute(), 2)})
	return c.T(locale, "date.moment", args)
}

func (c *Catalogue) dateArgs(locale string, t time.Time) map[string]any {
	month := c.T(locale, "date.month."+strconv.Itoa(int(t.Month())), nil)
	w := c.at(locale)
	return map[string]any{"Day": c.plainNumber(w, t.Day(), 1), "Month": month, "Year": c.plainNumber(w, t.Year(), 1)}
}

// rightToLeft are the scripts that are written so (Unicode's bidi classes R and AL), as far as they are in daily use.
var rightToLeft = []string{"Arab", "Hebr", "Thaa", "Nkoo", "Syrc", "Adlm", "Rohg"}

// Dir is the value of HTML's dir for a locale: "rtl" or "ltr".
func Dir(locale string) string {
	script, _ := language.Make(locale).Script()
	if slices.Contains(rightToLeft, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// RightToLeft is a regular expression for the locales for which Dir says "rtl": those that say such a script, and the
// languages that are written in one when they say none.
func RightToLeft() string {
	return `^(ar|ckb|dv|fa|he|ks|nqo|ps|sd|syr|ug|ur|yi)(-[A-Z]{2})?$|-(` + strings.Join(rightToLeft, "|") + `)\b`
}

// Name is what a language calls itself: "العربية".
func Name(locale string) string {
	if name := display.Self.Name(language.Make(locale)); name != "" {
		return name
	}
	return locale
}

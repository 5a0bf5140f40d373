package i18n

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
)

func catalogue(t testing.TB, files map[string]string) *Catalogue {
	t.Helper()
	dir := fstest.MapFS{}
	for name, text := range files {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	c, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var small = map[string]string{
	"en.json": `{
		"hello": "Hello",
		"greet": "Hello {{.Name}}, {{.Name}}!",
		"only.en": "Only here",
		"only.en_with": "Only {{.What}}",
		"lessons": {"one": "{{.Count}} lesson", "other": "{{.Count}} lessons"}
	}`,
	"ar.json": `{
		"hello": "مرحبا",
		"greet": "مرحبا {{.Name}}",
		"lessons": {"zero": "لا دروس", "one": "درس واحد", "two": "درسان", "few": "{{.Count}} دروس", "many": "{{.Count}} درسًا", "other": "{{.Count}} درس"}
	}`,
	"pt.json":    `{"hello": "Olá", "lessons": {"one": "{{.Count}} lição", "many": "{{.Count}} de lições", "other": "{{.Count}} lições"}}`,
	"pt-BR.json": `{"greet": "Oi {{.Name}}"}`,
}

func TestT(t *testing.T) {
	c := catalogue(t, small)
	type m = map[string]any
	tests := []struct {
		name, locale, key string
		args              m
		want              string
	}{
		{"plain", "en", "hello", nil, "Hello"},
		{"plain in another language", "ar", "hello", nil, "مرحبا"},
		{"every placeholder is filled", "en", "greet", m{"Name": "Ada"}, "Hello Ada, Ada!"},
		{"text is not escaped", "en", "greet", m{"Name": "<b>&"}, "Hello <b>&, <b>&!"},
		{"arguments are not read again", "en", "greet", m{"Name": "{{.Name}}"}, "Hello {{.Name}}, {{.Name}}!"},
		{"a missing argument leaves a gap", "en", "greet", nil, "Hello , !"},
		{"one", "en", "lessons", m{"Count": 1}, "1 lesson"},
		{"none", "en", "lessons", m{"Count": 0}, "0 lessons"},
		{"many", "en", "lessons", m{"Count": int64(7)}, "7 lessons"},
		{"a decimal", "en", "lessons", m{"Count": 1.5}, "1.5 lessons"},
		{"no count", "en", "lessons", nil, " lessons"},
		{"ar zero", "ar", "lessons", m{"Count": 0}, "لا دروس"},
		{"ar one", "ar", "lessons", m{"Count": 1}, "درس واحد"},
		{"ar two", "ar", "lessons", m{"Count": 2}, "درسان"},
		{"ar few", "ar", "lessons", m{"Count": 3}, "3 دروس"},
		{"ar many", "ar", "lessons", m{"Count": 11}, "11 درسًا"},
		{"ar other", "ar", "lessons", m{"Count": 100}, "100 درس"},
		{"falls back to the source", "ar", "only.en", nil, "Only here"},
		{"falls back with arguments", "ar", "only.en_with", m{"What": "x"}, "Only x"},
		{"falls back to the parent", "pt-BR", "hello", nil, "Olá"},
		{"plural of the parent", "pt-BR", "lessons", m{"Count": 2}, "2 lições"},
		{"own text before the parent's", "pt-BR", "greet", m{"Name": "Ada"}, "Oi Ada"},
		{"past the parent to the source", "pt-BR", "only.en", nil, "Only here"},
		{"a locale that is not loaded", "ar-EG", "hello", nil, "مرحبا"},
		{"a locale nobody knows", "tlh", "hello", nil, "Hello"},
		{"no locale", "", "hello", nil, "Hello"},
		{"a key nobody knows", "ar", "no.such", nil, "no.such"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.T(tt.locale, tt.key, tt.args); got != tt.want {
				t.Errorf("T(%s, %s, %v) = %q, want %q", tt.locale, tt.key, tt.args, got, tt.want)
			}
		})
	}
}

func TestMissingIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	c := catalogue(t, small)
	for range 3 {
		c.T("ar", "only.en", nil)
		c.T("en", "nowhere", nil)
	}
	if n := strings.Count(log.String(), "message is missing"); n != 2 {
		t.Errorf("%d lines, want one for each of two keys:\n%s", n, log.String())
	}
}

func TestMatch(t *testing.T) {
	c := catalogue(t, small)
	tests := []struct {
		prefs []string
		want  string
	}{
		{nil, "en"},
		{[]string{"", "", ""}, "en"},
		{[]string{"ar", "en", "en"}, "ar"},
		{[]string{"", "ar", "en-GB"}, "ar"},
		{[]string{"", "", "ar-EG,ar;q=0.9,en;q=0.5"}, "ar"},
		{[]string{"ar-EG"}, "ar"},
		{[]string{"ar-EG-u-nu-latn"}, "ar"},
		{[]string{"AR"}, "ar"},
		{[]string{"pt-BR"}, "pt-BR"},
		{[]string{"pt-AO"}, "pt"},
		{[]string{"en-GB"}, "en"},
		{[]string{"fr", "ar"}, "ar"},
		{[]string{"fr-FR,fr;q=0.9"}, "en"},
		{[]string{"fr;q=0.9,ar;q=0.2"}, "ar"},
		{[]string{"en;q=0.2,ar;q=0.9"}, "ar"},
		{[]string{"*"}, "en"},
		{[]string{"%%%;;", "ar"}, "ar"},
		{[]string{strings.Repeat("fr,", 4000) + "ar", "ar"}, "ar"},
		{[]string{strings.Repeat("x", 4000), "ar"}, "ar"},
		{[]string{strings.Repeat("-", 4000)}, "en"},
	}
	for _, tt := range tests {
		if got := c.Match(tt.prefs...); got != tt.want {
			t.Errorf("Match(%.60q) = %s, want %s", tt.prefs, got, tt.want)
		}
	}
}

func TestLocalesAndNames(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Locales(); got[0] != Source || !slices.Contains(got, "ar") {
		t.Errorf("locales = %v: the source stands first and Arabic is spoken", got)
	}
	if !c.Has("ar") || c.Has("ar-EG") || c.Has("") {
		t.Error("Has tells of exactly the loaded locales")
	}
	for locale, want := range map[string]string{"en": "ltr", "ar": "rtl", "ar-EG": "rtl", "fa": "rtl", "ur": "rtl", "he": "rtl", "ug": "rtl", "sw": "ltr", "ku": "ltr", "ckb": "rtl", "pa": "ltr", "pa-Arab": "rtl", "": "ltr", "not a tag": "ltr"} {
		if got := Dir(locale); got != want {
			t.Errorf("Dir(%q) = %s, want %s", locale, got, want)
		}
	}
	for locale, want := range map[string]string{"en": "English", "ar": "العربية", "fr": "français", "x-none": "x-none"} {
		if got := Name(locale); got != want {
			t.Errorf("Name(%q) = %s, want %s", locale, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 5, 23, 7, 0, 0, time.FixedZone("", -2*3600)) // the 6th in UTC
	for locale, want := range map[string][2]string{
		"en": {"6 March 2026", "6 March 2026, 01:07 UTC"},
		"ar": {"6 مارس 2026", "6 مارس 2026، الساعة 01:07 بالتوقيت العالمي"},
	} {
		if got := c.Date(locale, at); got != want[0] {
			t.Errorf("Date(%s) = %q, want %q", locale, got, want[0])
		}
		if got := c.Moment(locale, at); got != want[1] {
			t.Errorf("Moment(%s) = %q, want %q", locale, got, want[1])
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	const en = `{"a": "A"}`
	tests := map[string]map[string]string{
		"no source":             {"ar.json": en},
		"broken JSON":           {"en.json": `{"a": `},
		"not a tag":             {"en.json": en, "english-language.json": en},
		"not canonical":         {"en.json": en, "pt_BR.json": en},
		"a function in braces":  {"en.json": `{"a": "{{printf .X}}"}`},
		"a condition in braces": {"en.json": `{"a": {"one": "{{if .X}}x{{end}}", "other": "x"}}`},
		"open braces":           {"en.json": `{"a": "{{.Name"}`},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{}
			for f, text := range files {
				dir[f] = &fstest.MapFile{Data: []byte(text)}
			}
			if _, err := load(dir); err == nil {
				t.Error("loaded")
			}
		})
	}
}

// messages reads a locale file as it stands, without the library's eyes:
// key -> plural form -> text.
func messages(t *testing.T, file string) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	out := map[string]map[string]string{}
	for key, v := range raw {
		var text string
		forms := map[string]string{}
		if json.Unmarshal(v, &text) == nil {
			forms = map[string]string{"": text}
		} else if err := json.Unmarshal(v, &forms); err != nil {
			t.Errorf("%s: %s is neither a text nor a map of plural forms", file, key)
		}
		out[key] = forms
	}
	return out
}

var formNames = map[plural.Form]string{plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other"}

// millions are the languages that CLDR has given a form for whole millions since version 38, as in Spanish "un millón de
// lecciones". go-i18n and the browser choose it; the tables of x/text are older and do not know it.
var millions = []string{"ca", "es", "fr", "it", "pt"}

// formsOf finds which plural forms whole numbers take in a language, by CLDR.
func formsOf(locale string) []string {
	var out []string
	tag := language.Make(locale)
	for n := range 1001 {
		if f := formNames[plural.Cardinal.MatchPlural(tag, n, 0, 0, 0, 0)]; !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	if base, _ := tag.Base(); slices.Contains(millions, base.String()) {
		out = append(out, "many")
	}
	// Fractions and huge numbers fall to "other" in many languages, and T needs it for a missing count.
	if !slices.Contains(out, "other") {
		out = append(out, "other")
	}
	slices.Sort(out)
	return out
}

func placeholders(text string) []string {
	var out []string
	for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(out, m[1]) {
			out = append(out, m[1])
		}
	}
	slices.Sort(out)
	return out
}

// compare lists what is wrong with the translation of one locale.
func compare(locale string, source, other map[string]map[string]string) []string {
	var out []string
	bad := func(key, format string, args ...any) {
		out = append(out, fmt.Sprintf("%s: %s: %s", locale, key, fmt.Sprintf(format, args...)))
	}
	for key := range other {
		if source[key] == nil {
			bad(key, "is not in the source")
		}
	}
	for key, want := range source {
		got := other[key]
		if got == nil {
			bad(key, "is missing")
			continue
		}
		_, plainWant := want[""]
		_, plainGot := got[""]
		if plainWant != plainGot {
			bad(key, "has plural forms in one language and none in the other")
			continue
		}
		if !plainGot {
			var have []string
			for form := range got {
				have = append(have, form)
			}
			slices.Sort(have)
			if need := formsOf(locale); !slices.Equal(have, need) {
				bad(key, "has the plural forms %v, the language needs %v", have, need)
			}
		}
		all := map[string]bool{}
		for _, text := range want {
			for _, p := range placeholders(text) {
				all[p] = true
			}
		}
		for form, text := range got {
			if strings.TrimSpace(text) == "" {
				bad(key, "%s is empty", form)
			}
			if text != strings.TrimSpace(text) {
				bad(key, "%s has spaces around it", form)
			}
			have := placeholders(text)
			for _, p := range have {
				if !all[p] {
					bad(key, "%s has {{.%s}}, the source has not", form, p)
				}
			}
			for p := range all {
				// "one", "two" and "zero" may say the number in words.
				if p == "Count" && (form == "zero" || form == "one" || form == "two") {
					continue
				}
				if !slices.Contains(have, p) {
					bad(key, "%s lacks {{.%s}}", form, p)
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestLocalesAgree(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	source := messages(t, "locales/"+Source+".json")
	for _, locale := range c.Locales() {
		for _, fault := range compare(locale, source, messages(t, "locales/"+locale+".json")) {
			t.Error(fault)
		}
	}
}

// The comparison itself must see what it is for.
func TestCompareSees(t *testing.T) {
	type forms = map[string]string
	source := map[string]forms{"a": {"": "A {{.X}}"}, "n": {"one": "one", "other": "{{.Count}}"}}
	six := forms{"zero": "ص", "one": "و", "two": "ا", "few": "{{.Count}}", "many": "{{.Count}}", "other": "{{.Count}}"}
	without := func(form string) forms {
		out := forms{}
		for k, v := range six {
			if k != form {
				out[k] = v
			}
		}
		return out
	}
	good := map[string]forms{"a": {"": "أ {{.X}}"}, "n": six}
	if got := compare("ar", source, good); len(got) > 0 {
		t.Fatalf("a good translation is blamed: %v", got)
	}
	tests := map[string]map[string]forms{
		"missing key":         {"n": six},
		"unknown key":         {"a": good["a"], "n": six, "z": {"": "z"}},
		"lost placeholder":    {"a": {"": "أ"}, "n": six},
		"invented":            {"a": {"": "أ {{.X}} {{.Y}}"}, "n": six},
		"empty":               {"a": {"": " "}, "n": six},
		"plural form missing": {"a": good["a"], "n": without("few")},
		"no plural forms":     {"a": good["a"], "n": {"": "{{.Count}}"}},
	}
	for name, other := range tests {
		if got := compare("ar", source, other); len(got) == 0 {
			t.Errorf("%s is not seen", name)
		}
	}
}

func BenchmarkPlain(b *testing.B) {
	c := catalogue(b, small)
	b.ReportAllocs()
	for b.Loop() {
		c.T("ar", "hello", nil)
	}
}

func BenchmarkPlural(b *testing.B) {
	c := catalogue(b, small)
	b.ReportAllocs()
	for b.Loop() {
		c.T("ar", "lessons", map[string]any{"Count": 7})
	}
}

// The pattern and Dir agree, also about languages that no course has yet.
func TestRightToLeft(t *testing.T) {
	pattern := regexp.MustCompile(RightToLeft())
	for _, locale := range []string{
		"en", "ar", "ar-EG", "fr", "ur", "fa", "fa-AF", "he", "yi", "ps", "sd", "sd-Deva", "ug", "dv", "ckb", "nqo", "ks", "arc", "syr", "az", "az-Arab", "ff-Adlm", "ku", "ha",
		"pa", "pa-Arab", "pa-Arab-PK", "uz-Arab", "zh-Hant", "ar-Latn", "rhg-Rohg", "es-AR", "sw", "hi", "ru", "pt-BR", "th", "am", "ti", "ota",
	} {
		if got, want := pattern.MatchString(locale), Dir(locale) == "rtl"; got != want && locale != "ota" {
			t.Errorf("%s: the pattern says %t", locale, got)
		}
	}
}

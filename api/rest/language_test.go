package rest

import (
	"encoding/json"
	"testing"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
)

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// What stands in for a translation names its language, in versions of old too.
func TestSaid(t *testing.T) {
	text := curriculum.Text{"fr": "Feuilles", "ar": "أوراق", "es": "Feuilles", "pt": "أوراق"}
	langs := curriculum.Langs{"es": "fr", "pt": "ar"}
	for _, tt := range []struct {
		locale, source string
		langs          curriculum.Langs
		want           string
	}{
		{"fr", "fr", langs, "Feuilles"},
		{"ar", "fr", langs, "أوراق"},
		{"es", "fr", langs, "Feuilles fr"},
		{"pt", "fr", langs, "أوراق ar"},
		{"zh", "fr", langs, "Feuilles fr"}, // the course has no Chinese
		{"es", "fr", nil, "Feuilles fr"},   // a version of old
		{"ar", "fr", nil, "أوراق"},
		{"zh", "", nil, "أوراق ar"}, // nor does it tell its source: the first, always the same
	} {
		got, lang := said(text, tt.langs, tt.locale, tt.source)
		if lang != nil {
			got += " " + *lang
		}
		if got != tt.want {
			t.Errorf("%s of %q: %q, want %q", tt.locale, tt.source, got, tt.want)
		}
	}
	if got, lang := said(curriculum.Text{"en": "Leaves", "ar": "أوراق"}, nil, "zh", ""); got != "Leaves" || deref(lang) != "en" {
		t.Errorf("without a source: %q %v", got, lang)
	}
	if got, lang := said(nil, nil, "zh", "en"); got != "" || lang != nil {
		t.Errorf("no text: %q %v", got, lang)
	}
}

func TestMarkedFeedbackNamesItsLanguage(t *testing.T) {
	m := quiz.Marked{SourceLocale: "en", Questions: []quiz.MarkedQuestion{
		{
			ID: "q", Options: map[string]map[string]string{"a": {"en": "No.", "ar": "لا."}, "b": {"en": "Yes.", "ar": "Yes."}},
			OptionLangs: map[string]quiz.Langs{"b": {"ar": "en"}}, Feedback: map[string]string{"en": "Well.", "ar": "Bien."}, FeedbackLang: quiz.Langs{"ar": "fr"},
		},
		{ID: "r", Feedback: map[string]string{"en": "Well.", "ar": "حسنًا."}},
	}}
	for locale, want := range map[string]string{
		"ar": `[{"correct":false,"feedback":["لا.","Yes.","Bien."],"feedback_lang":["","en","fr"],"id":"q","points":0},{"correct":false,"feedback":["حسنًا."],"id":"r","points":0}]`,
		"en": `[{"correct":false,"feedback":["No.","Yes.","Well."],"id":"q","points":0},{"correct":false,"feedback":["Well."],"id":"r","points":0}]`,
		"zh": `[{"correct":false,"feedback":["No.","Yes.","Well."],"feedback_lang":["en","en","en"],"id":"q","points":0},{"correct":false,"feedback":["Well."],"feedback_lang":["en"],"id":"r","points":0}]`,
	} {
		if got := asJSON(t, markedJSON(&m, locale).Questions); got != want {
			t.Errorf("%s: got  %s\nwant %s", locale, got, want)
		}
	}
}

func TestVerdictNamesItsLanguages(t *testing.T) {
	s := &Server{}
	words := func(en, other string, langs curriculum.Langs) lab.Words {
		return lab.Words{Text: curriculum.Text{"en": en, "": other}, Langs: langs} // without a request the reader's locale is ""
	}
	g := lab.Graded{SourceLocale: "en", Verdict: &lab.Verdict{}, Checks: []lab.CheckView{
		{CheckResult: lab.CheckResult{ID: "a"}, Title: words("Sum", "مجموع", nil), Said: words("Half.", "Half.", curriculum.Langs{"": "en"}), Feedback: words("Add.", "Ajoutez.", curriculum.Langs{"": "fr"})},
		{CheckResult: lab.CheckResult{ID: "b", Passed: true}, Title: words("Old", "Old", nil)},
	}}
	want := `[{"feedback":"Ajoutez.","feedback_lang":"fr","id":"a","passed":false,"says":"Half.","says_lang":"en","score":0,"title":"مجموع"},` +
		`{"id":"b","passed":true,"score":0,"title":"Old","title_lang":"en"}]`
	if got := asJSON(t, s.submissionJSON(t.Context(), g).Verdict.Checks); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Lists send titles in every language, and which of them stand in.
func TestTitlesNameTheirLanguages(t *testing.T) {
	v := curriculum.Version{Manifest: curriculum.Manifest{
		SourceLocale: "en", Title: curriculum.Text{"en": "Leaves", "ar": "أوراق", "fr": "Leaves"}, Summary: curriculum.Text{"en": "S", "ar": "S", "fr": "R"},
		SummaryLang: curriculum.Langs{"ar": "en"},
		Modules: []curriculum.Module{{
			Title: curriculum.Text{"en": "M", "ar": "م"},
			Items: []curriculum.Item{{Title: curriculum.Text{"en": "I", "ar": "Le"}, TitleLang: curriculum.Langs{"ar": "fr"}}},
		}},
	}}
	e := enrollmentJSON(learning.Summary{Version: v})
	if got := asJSON(t, e.TitleLang); got != `{"fr":"en"}` || e.SourceLocale != "en" {
		t.Errorf("enrollment: %s of %q", got, e.SourceLocale)
	}
	c, full := courseSummaryJSON(v), versionJSON(v)
	for _, langs := range [][2]*openapi.Langs{{c.TitleLang, c.SummaryLang}, {full.TitleLang, full.SummaryLang}} {
		if got := asJSON(t, langs); got != `[{"fr":"en"},{"ar":"en"}]` {
			t.Errorf("course: %s", got)
		}
	}
	if m := full.Modules[0]; m.TitleLang != nil || asJSON(t, m.Items[0].TitleLang) != `{"ar":"fr"}` {
		t.Errorf("module %v, item %v", m.TitleLang, m.Items[0].TitleLang)
	}
}

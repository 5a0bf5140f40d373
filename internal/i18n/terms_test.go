package i18n

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"
)

// A reader who meets two words looks for two things. testdata/terms.json names words that crept in beside the one that a
// language has settled on, and the form of address that it has not chosen.
func TestOneWordAThing(t *testing.T) {
	data, err := os.ReadFile("testdata/terms.json")
	if err != nil {
		t.Fatal(err)
	}
	var terms map[string][]struct{ Avoid, Use string }
	if err := json.Unmarshal(data, &terms); err != nil {
		t.Fatal(err)
	}
	for locale, list := range terms {
		all := messages(t, "locales/"+locale+".json")
		if len(all) == 0 {
			t.Errorf("%s has no messages", locale)
		}
		for _, term := range list {
			avoid, err := regexp.Compile(term.Avoid)
			if err != nil {
				t.Fatal(err)
			}
			for key, forms := range all {
				for _, text := range forms {
					if word := avoid.FindString(text); word != "" {
						t.Errorf("%s: %s says %q, not %q: %s", locale, key, word, term.Use, text)
					}
				}
			}
		}
	}
}

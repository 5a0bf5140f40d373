package reading

import (
	"math"
	"strings"
	"testing"
)

func TestSyllables(t *testing.T) {
	for lang, words := range map[string]map[string]int{
		"en": {"the": 1, "make": 1, "table": 2, "machine": 2, "learning": 2, "examples": 3, "wanted": 2, "walked": 1, "idea": 3, "data": 2, "radio": 3, "question": 2, "people": 2, "language": 2, "computer": 3, "boxes": 2, "makes": 1, "see": 1, "video": 3, "a": 1},
		"fr": {"table": 1, "école": 2, "parlent": 1, "vent": 1, "apprendre": 2, "ordinateur": 4, "idée": 2, "les": 1, "données": 2, "question": 2},
		"es": {"niña": 2, "país": 2, "ciudad": 2, "máquina": 3, "que": 1, "leer": 2, "guitarra": 3, "aprendizaje": 5, "y": 1, "día": 2, "poesía": 4, "bueno": 2},
		"pt": {"não": 1, "país": 2, "máquina": 3, "aprender": 3, "coração": 3, "lições": 2, "saúde": 3, "que": 1, "dia": 1},
		"ru": {"машина": 3, "учится": 3, "в": 0, "искусственный": 4},
	} {
		for w, want := range words {
			if got := formulas[lang].syllables([]rune(w)); got != want {
				t.Errorf("%s: %s has %d, counted %d", lang, w, want, got)
			}
		}
	}
}

func TestSentences(t *testing.T) {
	got := Sentences("It costs 3.5 euros. See example.org! \"Why?\" she asked… Nobody knows")
	want := []Sentence{{"It costs 3.5 euros.", true}, {"See example.org!", true}, {"\"Why?\"", true}, {"she asked…", true}, {"Nobody knows", false}}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%v, want %v", got[i], want[i])
		}
	}
	if s := Sentences("她问：为什么？没人知道。"); len(s) != 2 {
		t.Errorf("%v", s)
	}
}

// Counted by hand: 6 sentences of 16 words with 18 syllables.
func TestFormulas(t *testing.T) {
	en := strings.Repeat("The cat sat on the mat and the dog ran to the water for a table. ", 6)
	l := Measure("en-GB", []string{en})
	if want := 0.39*16 + 11.8*18/16 - 15.59; math.Abs(l.Score-want) > 1e-9 || l.Formula != "flesch-kincaid" || math.Abs(l.Grade-want) > 1e-9 {
		t.Errorf("%+v, want %v", l, want)
	}
	ru := strings.Repeat("В искусственном интеллекте много примеров. ", 20) // 5 words, 0 + 4 + 4 + 2 + 3 syllables
	l = Measure("ru", []string{ru})
	if want := 0.5*5 + 8.4*13/5 - 15.59; math.Abs(l.Score-want) > 1e-9 || math.Abs(l.Grade-want) > 1e-9 {
		t.Errorf("%+v, want %v", l, want)
	}
	es := strings.Repeat("La casa es de mi madre. ", 20) // 6 words, 8 syllables
	if l, want := Measure("es", []string{es}), 206.84-1.02*6-60*8.0/6; math.Abs(l.Score-want) > 1e-9 {
		t.Errorf("%+v, want %v", l, want)
	}
	fr := strings.Repeat("Le chat dort dans la maison. ", 20) // 6 words, 7 syllables
	if l, want := Measure("fr", []string{fr}), 207-1.015*6-73.6*7.0/6; math.Abs(l.Score-want) > 1e-9 {
		t.Errorf("%+v, want %v", l, want)
	}
	pt := strings.Repeat("A casa é do meu pai. ", 20) // 6 words, 7 syllables
	if l, want := Measure("pt-BR", []string{pt}), 248.835-1.015*6-84.6*7.0/6; math.Abs(l.Score-want) > 1e-9 {
		t.Errorf("%+v, want %v", l, want)
	}
	zh := strings.Repeat("机器从很多例子里学习。", 15)
	if l := Measure("zh", []string{zh}); l.Score != 10 || l.Grade != 0 || l.Formula != "characters" {
		t.Errorf("%+v", l)
	}
	for locale, text := range map[string]string{"ar": en, "sw": en, "hi": en, "en": "Too little."} {
		if l := Measure(locale, []string{text}); l.Known() {
			t.Errorf("%s pretends %+v", locale, l)
		}
	}
	for name := range formulas {
		if Formulas[formulas[name].name] == "" {
			t.Errorf("%s has no source", name)
		}
	}
}

func TestHeadingsAreLeftOut(t *testing.T) {
	body := strings.Repeat("The cat sat on the mat and the dog ran to the water for a table. ", 6)
	with := Measure("en", []string{"A heading", body, "one item", "two"})
	if without := Measure("en", []string{body}); with != without {
		t.Errorf("%+v, %+v", with, without)
	}
}

func TestLongest(t *testing.T) {
	if n := Longest("One two. One two three four! One."); n != 4 {
		t.Error(n)
	}
}

func TestYear(t *testing.T) {
	for ease, want := range map[float64]float64{120: 4, 100: 4, 90: 5, 65: 8, 60: 9, 50: 12, 40: 14, 0: 18, -50: 18} {
		if got := year(ease); got != want {
			t.Errorf("%v is year %v, want %v", ease, got, want)
		}
	}
}

func FuzzMeasure(f *testing.F) {
	f.Add("en", "A. b! c?")
	f.Add("fr", "ent e es")
	f.Fuzz(func(t *testing.T, locale, text string) {
		if l := Measure(locale, []string{text}); math.IsNaN(l.Grade) || l.Grade < 0 {
			t.Errorf("%+v", l)
		}
	})
}

// Package reading estimates how hard a text is to read, in the languages for which somebody has measured that.
//
// A formula sees how long sentences and words are, and nothing else: not whether the order is clear or an idea is new. It
// warns of a text that has grown heavy; it does not make a text good.
package reading

import (
	"strings"
	"unicode"
)

// Level is how hard a text is. Its zero value says that there is no formula for the language, or too little text.
type Level struct {
	Formula string  // by whom: the key of Formulas
	Score   float64 // as the formula gives it
	// Grade is the school year that a reader needs about, from 1; 0 where the formula says nothing of school years.
	Grade float64
}

// Known tells whether anything was measured.
func (l Level) Known() bool { return l.Formula != "" }

// Formulas tell where each comes from.
//
// W/S is words in a sentence, Y/W syllables in a word. Those that give an ease of 0 to 100 are turned into school years by Flesch's
// own table (1949), which their authors kept: 90 is year 5, 80 year 6, 70 year 7, 60 year 9, 50 year 12, 30 year 16.
//
// Arabic, Hindi, Swahili and others have none here. For Arabic the known ones need vowel signs, which texts for adults do not
// carry, or a tagger; of the others none is known to us that was measured with readers. Chinese has none that
// goes without lists of words by school year, so for it only the length of sentences in characters is told.
var Formulas = map[string]string{
	"flesch-kincaid":   "0.39 W/S + 11.8 Y/W - 15.59, a school year (Kincaid, Fishburne, Rogers, Chissom 1975)",
	"kandel-moles":     "207 - 1.015 W/S - 73.6 Y/W, an ease (Kandel and Moles 1958)",
	"fernandez-huerta": "206.84 - 1.02 W/S - 60 Y/W, an ease (Fernández Huerta 1959, as Law corrected it in 2011)",
	"oborneva":         "0.5 W/S + 8.4 Y/W - 15.59, a school year (Oborneva 2006)",
	"martins":          "248.835 - 1.015 W/S - 84.6 Y/W, an ease (Martins, Ghiraldelo, Nunes, Oliveira 1996)",
	"characters":       "Chinese characters in a sentence or clause that ends with 。！？；: a length, no school year",
}

type formula struct {
	name                string
	base, words, syllab float64
	grade               bool // the formula gives a school year
	syllables           func(word []rune) int
}

var formulas = map[string]formula{
	"en": {"flesch-kincaid", -15.59, -0.39, -11.8, true, english},
	"fr": {"kandel-moles", 207, 1.015, 73.6, false, french},
	"es": {"fernandez-huerta", 206.84, 1.02, 60, false, spanish},
	"pt": {"martins", 248.835, 1.015, 84.6, false, portuguese},
	"ru": {"oborneva", -15.59, -0.5, -8.4, true, russian},
}

// Words that a text needs before it is measured: in fewer, one long name decides.
const enough = 80

// Measure estimates a text given as its paragraphs, without markup. A paragraph that is no sentence, such as a
// heading or a short item of a list, is left out. locale is a BCP 47 tag.
func Measure(locale string, paragraphs []string) Level {
	lang, _, _ := strings.Cut(strings.ToLower(locale), "-")
	if lang == "zh" {
		return chinese(paragraphs)
	}
	f, ok := formulas[lang]
	if !ok {
		return Level{}
	}
	sentences, words, syllables := 0, 0, 0
	for _, p := range paragraphs {
		for _, s := range Sentences(p) {
			w := wordsOf(s.Text)
			if !s.Ended && len(w) < 5 {
				continue
			}
			sentences++
			words += len(w)
			for _, word := range w {
				n := f.syllables(word)
				if lang != "ru" { // в, к and с are words without a vowel
					n = max(n, 1)
				}
				syllables += n
			}
		}
	}
	if words < enough || sentences == 0 {
		return Level{}
	}
	perSentence, perWord := float64(words)/float64(sentences), float64(syllables)/float64(words)
	l := Level{Formula: f.name, Score: f.base - f.words*perSentence - f.syllab*perWord}
	if l.Grade = max(l.Score, 1); !f.grade {
		l.Grade = year(l.Score)
	}
	return l
}

// year turns Flesch's ease into a school year.
func year(ease float64) float64 {
	table := []struct{ ease, year float64 }{{100, 4}, {90, 5}, {80, 6}, {70, 7}, {60, 9}, {50, 12}, {30, 16}, {0, 18}}
	if ease >= 100 {
		return 4
	}
	for i, low := range table[1:] {
		if high := table[i]; ease >= low.ease {
			return low.year - (ease-low.ease)/(high.ease-low.ease)*(low.year-high.year)
		}
	}
	return 18
}

func chinese(paragraphs []string) Level {
	sentences, chars := 0, 0
	for _, p := range paragraphs {
		for _, s := range Sentences(p) {
			n := 0
			for _, r := range s.Text {
				if unicode.Is(unicode.Han, r) {
					n++
				}
			}
			if !s.Ended && n < 8 {
				continue
			}
			sentences++
			chars += n
		}
	}
	if chars < enough*3/2 || sentences == 0 {
		return Level{}
	}
	return Level{Formula: "characters", Score: float64(chars) / float64(sentences)}
}

// Sentence is a part of a paragraph up to a mark that ends it.
type Sentence struct {
	Text  string
	Ended bool // by such a mark, and not by the end of the paragraph
}

// Sentences divides a paragraph. A full stop ends a sentence where a space follows, or the end; so 3.5 and example.org are
// one word. It knows no abbreviations, which makes a text look a little easier than it is.
func Sentences(paragraph string) []Sentence {
	var out []Sentence
	runes := []rune(paragraph)
	start := 0
	add := func(end int, ended bool) {
		if text := strings.TrimSpace(string(runes[start:end])); strings.ContainsFunc(text, letter) {
			out = append(out, Sentence{text, ended})
		} else if ended && len(out) > 0 && text != "" {
			out[len(out)-1].Ended = true
		}
		start = end
	}
	for i, r := range runes {
		switch r {
		case '。', '！', '？', '；':
			add(i+1, true)
		case '.', '!', '?', '…', '؟', '।':
			end := i + 1
			for end < len(runes) && strings.ContainsRune(".!?…»”’\"')]", runes[end]) {
				end++
			}
			if end == len(runes) || unicode.IsSpace(runes[end]) {
				add(end, true)
			}
		}
	}
	add(len(runes), false)
	return out
}

func letter(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// wordsOf lists the words of a sentence in lower case. Hyphens and apostrophes stay inside.
func wordsOf(sentence string) [][]rune {
	var out [][]rune
	for _, w := range strings.FieldsFunc(strings.ToLower(sentence), func(r rune) bool {
		return !letter(r) && !unicode.IsMark(r) && r != '\'' && r != '’' && r != '-'
	}) {
		if strings.ContainsFunc(w, letter) {
			out = append(out, []rune(w))
		}
	}
	return out
}

// Longest counts the words of a paragraph's longest sentence.
func Longest(paragraph string) int {
	most := 0
	for _, s := range Sentences(paragraph) {
		most = max(most, len(wordsOf(s.Text)))
	}
	return most
}

// Minutes tells how long reading takes for somebody who reads in a second language, or is new to reading: 150 words a
// minute. Adults read 240 words a minute in their own (Brysbaert 2019).
func Minutes(words int) int { return (words + 149) / 150 }

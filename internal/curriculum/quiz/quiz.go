// Package quiz is a quiz once it is compiled: what the page gets of it, which questions an attempt shows, and how answers are marked.
package quiz

// Type is how a question is answered.
type Type string

// The types. The response on the wire is, in this order: an option id; a list of
// option ids; the option ids in order; a map from pair id to the pair id whose right side was chosen; a number; a string.
const (
	Single   Type = "single"
	Multiple Type = "multiple"
	Order    Type = "order"
	Match    Type = "match"
	Number   Type = "number"
	ShortTxt Type = "text"
)

// Plan says which of its questions a quiz shows, and in which order. Page and server read the same plan.
// The zero value shows all questions as they stand.
type Plan struct {
	Sections []Section `json:"sections,omitempty"`
	// Banks are the item banks that sections draw from: question ids by bank.
	Banks map[string][]string `json:"banks,omitempty"`
}

// Section is a part of a quiz: questions that everybody gets, and then those that are drawn from a bank.
type Section struct {
	Title     string   `json:"title,omitempty"` // in Public only
	Lang      string   `json:"lang,omitempty"`  // of the title, where it is not the quiz's
	Questions []string `json:"questions,omitempty"`
	Draw      *Draw    `json:"draw,omitempty"`
}

// Draw takes so many questions from a bank.
type Draw struct {
	Bank  string `json:"bank"`
	Count int    `json:"count"`
}

// Public is what the page gets of a quiz, in one language. For a graded quiz no question carries its key or its
// feedback. Questions are all that it may show, those of its banks too, since an attempt begins without a network.
type Public struct {
	ID      string  `json:"id"`
	Title   string  `json:"title"`
	Graded  bool    `json:"graded"`
	Pass    float64 `json:"pass"`
	Shuffle bool    `json:"shuffle,omitempty"` // options of single and multiple stand in another order in each attempt
	Plan
	Questions []PublicQuestion `json:"questions"`
}

// PublicQuestion is one question. Options of an order question and Rights of a match question come
// in an order that tells nothing (sorted by a digest of their ids). Right ids of a match question in a graded quiz are opaque.
type PublicQuestion struct {
	ID     string  `json:"id"`
	Type   Type    `json:"type"`
	Prompt string  `json:"prompt"`
	Lang   string  `json:"lang,omitempty"` // of the prompt, where it is not the quiz's: a translation is missing
	Points float64 `json:"points"`
	// Competences that the question asks for, by id.
	Competences []string `json:"competences,omitempty"`
	Options     []Option `json:"options,omitempty"`
	Lefts       []Option `json:"lefts,omitempty"`
	Rights      []Option `json:"rights,omitempty"`
	Key         *Key     `json:"key,omitempty"` // practice quizzes only
}

// Option is something to choose.
type Option struct {
	ID           string `json:"id"`
	Text         string `json:"text"`
	Lang         string `json:"lang,omitempty"` // of the text, where it is not the quiz's
	Last         bool   `json:"last,omitempty"` // stays at the end when options are shuffled
	Feedback     string `json:"feedback,omitempty"`
	FeedbackLang string `json:"feedback_lang,omitempty"` // practice quizzes only, as the feedback
}

// Key is the answer to a question. Which fields are set follows the type.
type Key struct {
	Correct   []string          `json:"correct,omitempty"`   // single, multiple: option ids; order: all ids in order
	Pairs     map[string]string `json:"pairs,omitempty"`     // match: left id to right id
	Number    *float64          `json:"number,omitempty"`    // number
	Tolerance float64           `json:"tolerance,omitempty"` // number, absolute
	Accept    []string          `json:"accept,omitempty"`    // text, every locale's, folded with Fold
	Feedback  Feedback          `json:"feedback"`            // order, match, number, text; in the quiz's locale
}

// Feedback is said after an answer.
type Feedback struct {
	Correct       string `json:"correct,omitempty"`
	CorrectLang   string `json:"correct_lang,omitempty"` // where it is not the quiz's
	Incorrect     string `json:"incorrect,omitempty"`
	IncorrectLang string `json:"incorrect_lang,omitempty"`
}

// Langs tell in which language a text is given to readers of another. Who is not in it gets their own.
type Langs map[string]string

// Vault marks the answers of a quiz. It never leaves the server.
type Vault struct {
	SourceLocale string  `json:"source_locale,omitempty"` // not told by versions of old
	Graded       bool    `json:"graded"`
	Pass         float64 `json:"pass"`
	Plan
	Questions []VaultQuestion `json:"questions"` // all that it may show
}

// VaultQuestion is a question with its key and all feedback, by locale. Rights maps an opaque right id to the pair id.
type VaultQuestion struct {
	ID       string                       `json:"id"`
	Type     Type                         `json:"type"`
	Points   float64                      `json:"points"`
	Key      Key                          `json:"key"`                 // without feedback
	Rights   map[string]string            `json:"rights,omitempty"`    // match
	Options  map[string]map[string]string `json:"options,omitempty"`   // feedback by option id
	Correct  map[string]string            `json:"correct,omitempty"`   // feedback
	Mistaken map[string]string            `json:"incorrect,omitempty"` // feedback
	// Langs tell of feedback in which language it is given, by what follows the question in the ids of its
	// texts: option.<id>.feedback, feedback.correct, feedback.incorrect. Versions of old do not tell it.
	Langs map[string]Langs `json:"langs,omitempty"`
}

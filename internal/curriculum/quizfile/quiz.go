// Package quizfile reads quizzes, with the item banks that they draw from, as their authors wrote them.
package quizfile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/folder"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
)

// defaultPass is the least share of points when a quiz does not say.
const defaultPass = 0.7

// quizSource is a quiz as its author wrote it: sections, or questions alone.
type quizSource struct {
	Title     string           `json:"title"`
	Graded    bool             `json:"graded"`
	Pass      *float64         `json:"pass"`
	Shuffle   *bool            `json:"shuffle"`
	Questions []questionSource `json:"questions"`
	Sections  []sectionSource  `json:"sections"`
}

type sectionSource struct {
	Title     string           `json:"title"`
	Questions []questionSource `json:"questions"`
	Draw      *quiz.Draw       `json:"draw"`
}

// bankSource is an item bank as its author wrote it.
type bankSource struct {
	Questions []questionSource `json:"questions"`
}

type questionSource struct {
	ID          string         `json:"id"`
	Type        quiz.Type      `json:"type"`
	Prompt      string         `json:"prompt"`
	Points      *float64       `json:"points"`
	Competences []string       `json:"competences"`
	Options     []optionSource `json:"options"`
	Pairs       []pairSource   `json:"pairs"`
	Answer      *float64       `json:"answer"`
	Tolerance   float64        `json:"tolerance"`
	Accept      []string       `json:"accept"`
	Feedback    quiz.Feedback  `json:"feedback"`
}

type optionSource struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Correct  bool   `json:"correct"`
	Last     bool   `json:"last"`
	Feedback string `json:"feedback"`
}

type pairSource struct {
	ID    string `json:"id"`
	Left  string `json:"left"`
	Right string `json:"right"`
}

// Quiz is a quiz with all its texts, before it is split into what is public and what is not.
type Quiz struct {
	id        curriculum.ContentID
	texts     *wording.Translations
	doc       *folder.Document
	Title     curriculum.Text
	Graded    bool
	pass      float64
	shuffle   bool
	sections  []sectionItem
	questions []questionItem // of all sections, and then of the banks that they draw from
	Banks     map[string][]string
}

// sectionItem is a part of a quiz.
type sectionItem struct {
	at    string          // where it stands in the file
	title curriculum.Text // nil: none
	own   []questionItem
	draw  *quiz.Draw
}

type questionItem struct {
	base             string // of the ids of its texts
	source           questionSource
	prompt           curriculum.Text
	optionText, said map[string]curriculum.Text // by option id; said after choosing it
	left, right      map[string]curriculum.Text // by pair id
	correct, mistake curriculum.Text
	accept           []string
}

// Bank is an item bank with all its texts.
type Bank struct{ questions []questionItem }

// questionKeys says which keys a type of question must and may have besides id, type, prompt, points and competences.
var questionKeys = map[quiz.Type]struct{ must, may []string }{
	quiz.Single:   {must: []string{"options"}},
	quiz.Multiple: {must: []string{"options"}},
	quiz.Order:    {must: []string{"options", "feedback"}},
	quiz.Match:    {must: []string{"pairs", "feedback"}},
	quiz.Number:   {must: []string{"answer", "feedback"}, may: []string{"tolerance"}},
	quiz.ShortTxt: {must: []string{"accept", "feedback"}},
}

// Read checks a quiz and gathers its texts. What it draws from banks comes with Link.
func Read(id string, doc *folder.Document, t *wording.Translations, faults *folder.Faults) Quiz {
	doc.Check("quiz", faults)
	var src quizSource
	if !doc.Fit {
		return Quiz{}
	}
	doc.Into(&src)
	r := quizReader{doc: doc, faults: faults}
	base := "quiz." + id
	q := Quiz{
		id: curriculum.ContentID(id), texts: t, doc: doc, Title: t.Text(base+".title", src.Title), Graded: src.Graded, pass: defaultPass,
		shuffle: src.Shuffle == nil || *src.Shuffle,
	}
	if src.Pass != nil {
		q.pass = *src.Pass
	}
	root := doc.Root()
	plain, parted := root.Key("questions").IsList(), root.Key("sections").IsList()
	if root.IsMap() && plain == parted {
		r.fault("/sections", "quiz.questions_or_sections")
	}
	raws := root.Key("sections").Each()
	if plain {
		src.Sections = []sectionSource{{Questions: src.Questions}}
		raws = []folder.Node{root}
	}
	seen := map[string]bool{}
	for i, ss := range src.Sections {
		s := sectionItem{draw: ss.Draw}
		if !plain {
			s.at = "/sections/" + strconv.Itoa(i)
		}
		if ss.Title != "" {
			s.title = t.Text(base+".section."+strconv.Itoa(i+1)+".title", ss.Title)
		}
		var raw folder.Node
		if i < len(raws) {
			raw = raws[i]
		}
		if raw.IsMap() && len(ss.Questions) == 0 && ss.Draw == nil && !plain {
			r.fault(s.at, "quiz.empty_section")
		}
		s.own = r.questions(raw, ss.Questions, base, s.at, seen, t)
		q.sections = append(q.sections, s)
		q.questions = append(q.questions, s.own...)
	}
	return q
}

// ReadBank checks an item bank and gathers its texts.
func ReadBank(id string, doc *folder.Document, t *wording.Translations, faults *folder.Faults) Bank {
	doc.Check("bank", faults)
	if !doc.Fit {
		return Bank{}
	}
	var src bankSource
	doc.Into(&src)
	r := quizReader{doc: doc, faults: faults}
	return Bank{questions: r.questions(doc.Root(), src.Questions, "bank."+id, "", map[string]bool{}, t)}
}

// Unfit tells that its file could not be read.
func (q Quiz) Unfit() bool { return q.doc == nil }

// Competences lists what its questions serve.
func (q Quiz) Competences() []string {
	var out []string
	for _, qu := range q.questions {
		out = append(out, qu.source.Competences...)
	}
	return out
}

// Link joins a quiz with the banks that it draws from, and notes them as used. Banks that are there but unfit hold no questions: their faults are told.
func (q *Quiz) Link(banks map[string]Bank, used map[string]bool, has func(file string) bool, faults *folder.Faults) {
	r := quizReader{doc: q.doc, faults: faults}
	owner := map[string]string{} // bank of a question, or "" for the quiz itself
	for _, qu := range q.questions {
		owner[qu.source.ID] = ""
	}
	wanted := map[string]int{}
	for _, s := range q.sections {
		if s.draw == nil || s.draw.Bank == "" {
			continue
		}
		at, id := s.at+"/draw", s.draw.Bank
		b, ok := banks[id]
		if !ok {
			if !has("banks/" + id + ".yaml") {
				r.fault(at+"/bank", "quiz.unknown_bank", "Bank", id)
			}
			continue
		}
		used[id] = true
		if len(b.questions) == 0 {
			continue
		}
		if _, met := q.Banks[id]; !met {
			q.take(id, b, owner, func(question, other string) {
				key := "quiz.bank_repeats_question"
				if other != "" {
					key = "quiz.banks_overlap"
				}
				r.fault(at+"/bank", key, "ID", question, "Bank", id, "Other", other)
			})
		}
		// All draws from one bank together: no attempt shows a question twice.
		if wanted[id] += s.draw.Count; wanted[id] > len(b.questions) {
			r.fault(at+"/count", "quiz.draw_too_many", "Bank", id, "Count", strconv.Itoa(wanted[id]), "Most", strconv.Itoa(len(b.questions)))
		}
	}
}

// take adds the questions of a bank. An id that the quiz may show already is told of.
func (q *Quiz) take(bank string, b Bank, owner map[string]string, twice func(question, other string)) {
	if q.Banks == nil {
		q.Banks = map[string][]string{}
	}
	q.Banks[bank] = []string{}
	for _, qu := range b.questions {
		id := qu.source.ID
		q.Banks[bank] = append(q.Banks[bank], id)
		if other, ok := owner[id]; ok && other != bank {
			twice(id, other)
			continue
		}
		owner[id] = bank
		q.questions = append(q.questions, qu)
	}
}

type quizReader struct {
	doc    *folder.Document
	faults *folder.Faults
}

func (r quizReader) fault(pointer, key string, args ...string) {
	r.faults.Add(r.doc.File, r.doc.Line(pointer), key, args...)
}

func (r quizReader) unique(seen map[string]bool, id, pointer string) {
	if id != "" && seen[id] {
		r.fault(pointer, "course.duplicate_id", "ID", id)
	}
	seen[id] = true
}

// questions checks a list of questions, which stands in raw, and gathers its texts. at points to raw.
func (r quizReader) questions(raw folder.Node, list []questionSource, base, at string, seen map[string]bool, t *wording.Translations) []questionItem {
	raws := raw.Key("questions").Each()
	var out []questionItem
	for i, qs := range list {
		at := at + "/questions/" + strconv.Itoa(i)
		r.unique(seen, qs.ID, at+"/id")
		if i < len(raws) {
			r.keys(raws[i], qs.Type, at)
		}
		r.answers(qs, at)
		r.doc.CheckCompetences(at, qs.Competences, r.faults)
		q := gather(base+"."+qs.ID, qs, t)
		r.alike(q, at)
		out = append(out, q)
	}
	return out
}

// keys holds a question against its type.
func (r quizReader) keys(raw folder.Node, typ quiz.Type, at string) {
	want, ok := questionKeys[typ]
	if !ok || !raw.IsMap() {
		return // the schema has told
	}
	for _, k := range want.must {
		if !raw.Has(k) {
			r.fault(at, "quiz.missing_for_type", "Key", k, "Type", string(typ))
		}
	}
	for _, k := range raw.Present("options", "pairs", "answer", "tolerance", "accept", "feedback") {
		if !slices.Contains(want.must, k) && !slices.Contains(want.may, k) {
			r.fault(at+"/"+k, "quiz.not_for_type", "Key", k, "Type", string(typ))
		}
	}
	for i, o := range raw.Key("options").Each() {
		op := at + "/options/" + strconv.Itoa(i)
		if typ == quiz.Single || typ == quiz.Multiple {
			if o.IsMap() && !o.Has("feedback") {
				r.fault(op, "quiz.option_without_feedback")
			}
			continue
		}
		for _, k := range o.Present("correct", "last", "feedback") {
			if typ == quiz.Order {
				r.fault(op+"/"+k, "quiz.not_for_type", "Key", k, "Type", string(typ))
			}
		}
	}
}

// answers checks that a question can be answered rightly, and in one way only.
func (r quizReader) answers(q questionSource, at string) {
	ids := map[string]bool{}
	right := 0
	for i, o := range q.Options {
		op := at + "/options/" + strconv.Itoa(i)
		r.unique(ids, o.ID, op+"/id")
		if !o.Correct {
			continue
		}
		if right++; right == 2 && q.Type == quiz.Single {
			r.fault(op+"/correct", "quiz.two_correct_options")
		}
	}
	if right == 0 && len(q.Options) > 0 && (q.Type == quiz.Single || q.Type == quiz.Multiple) {
		r.fault(at+"/options", "quiz.no_correct_option")
	}
	ids = map[string]bool{}
	for i, p := range q.Pairs {
		r.unique(ids, p.ID, at+"/pairs/"+strconv.Itoa(i)+"/id")
	}
	for i, a := range q.Accept {
		if a != "" && quiz.Fold(a) == "" {
			r.fault(at+"/accept/"+strconv.Itoa(i), "quiz.empty_answer")
		}
	}
}

// alike finds choices that read the same in one language, of which only one would be right.
func (r quizReader) alike(q questionItem, at string) {
	check := func(list, key string, ids []string, text map[string]curriculum.Text) {
		told := map[string]bool{}
		for _, l := range slices.Sorted(maps.Keys(q.prompt)) {
			owner := map[string]string{}
			for i, id := range ids {
				s := strings.Join(strings.Fields(text[id][l]), " ")
				other, taken := owner[s]
				if s != "" && taken && other != id && !told[id] {
					told[id] = true
					r.fault(at+"/"+list+"/"+strconv.Itoa(i)+"/"+key, "quiz.same_text", "Text", s, "Locale", l)
				}
				if !taken {
					owner[s] = id
				}
			}
		}
	}
	var options, pairs []string
	for _, o := range q.source.Options {
		options = append(options, o.ID)
	}
	for _, p := range q.source.Pairs {
		pairs = append(pairs, p.ID)
	}
	check("options", "text", options, q.optionText)
	check("pairs", "left", pairs, q.left)
	check("pairs", "right", pairs, q.right)
}

// gather finds every text of a question.
func gather(base string, qs questionSource, t *wording.Translations) questionItem {
	q := questionItem{
		base: base, source: qs, prompt: t.Text(base+".prompt", qs.Prompt),
		optionText: map[string]curriculum.Text{}, said: map[string]curriculum.Text{}, left: map[string]curriculum.Text{}, right: map[string]curriculum.Text{},
	}
	for _, o := range qs.Options {
		q.optionText[o.ID] = t.Text(base+".option."+o.ID+".text", o.Text)
		if qs.Type == quiz.Single || qs.Type == quiz.Multiple {
			q.said[o.ID] = t.Text(base+".option."+o.ID+".feedback", o.Feedback)
		}
	}
	for _, p := range qs.Pairs {
		q.left[p.ID] = t.Text(base+".pair."+p.ID+".left", p.Left)
		q.right[p.ID] = t.Text(base+".pair."+p.ID+".right", p.Right)
	}
	if qs.Type != quiz.Single && qs.Type != quiz.Multiple {
		q.correct = t.Text(base+".feedback.correct", qs.Feedback.Correct)
		q.mistake = t.Text(base+".feedback.incorrect", qs.Feedback.Incorrect)
	}
	if qs.Type == quiz.ShortTxt {
		folded := map[string]bool{}
		for _, a := range append(slices.Clone(qs.Accept), t.List(base+".accept")...) {
			if f := quiz.Fold(a); f != "" {
				folded[f] = true
			}
		}
		q.accept = slices.Sorted(maps.Keys(folded))
	}
	return q
}

func (q questionItem) points() float64 {
	if q.source.Points == nil {
		return 1
	}
	return *q.source.Points
}

// key is the answer, without feedback.
func (q questionItem) key() quiz.Key {
	var k quiz.Key
	switch q.source.Type {
	case quiz.Single, quiz.Multiple:
		for _, o := range q.source.Options {
			if o.Correct {
				k.Correct = append(k.Correct, o.ID)
			}
		}
	case quiz.Order:
		for _, o := range q.source.Options {
			k.Correct = append(k.Correct, o.ID)
		}
	case quiz.Match:
		k.Pairs = map[string]string{}
		for _, p := range q.source.Pairs {
			k.Pairs[p.ID] = p.ID
		}
	case quiz.Number:
		k.Number, k.Tolerance = q.source.Answer, q.source.Tolerance
	case quiz.ShortTxt:
		k.Accept = q.accept
	}
	return k
}

// Vault is the secret side of a quiz. Rights of match questions are still missing.
func (q Quiz) Vault() quiz.Vault {
	v := quiz.Vault{SourceLocale: q.texts.Source, Graded: q.Graded, Pass: q.pass, Plan: q.plan("")}
	for _, qu := range q.questions {
		vq := quiz.VaultQuestion{ID: qu.source.ID, Type: qu.source.Type, Points: qu.points(), Key: qu.key(), Correct: qu.correct, Mistaken: qu.mistake}
		for id, said := range qu.said {
			if vq.Options == nil {
				vq.Options = map[string]map[string]string{}
			}
			vq.Options[id] = said
			vq.Langs = q.texts.Gather(vq.Langs, qu.base, "option."+id+".feedback")
		}
		if qu.correct != nil {
			vq.Langs = q.texts.Gather(vq.Langs, qu.base, "feedback.correct", "feedback.incorrect")
		}
		v.Questions = append(v.Questions, vq)
	}
	return v
}

// plan says what the quiz shows: titles only where a locale is given. A quiz that is one list needs none.
func (q Quiz) plan(l curriculum.Locale) quiz.Plan {
	if len(q.sections) == 1 && q.sections[0].title == nil && q.sections[0].draw == nil {
		return quiz.Plan{}
	}
	p := quiz.Plan{Banks: q.Banks}
	for i, s := range q.sections {
		out := quiz.Section{Title: s.title[l], Draw: s.draw}
		if s.title != nil && l != "" {
			out.Lang = q.texts.Lang("quiz."+string(q.id)+".section."+strconv.Itoa(i+1)+".title", l)
		}
		for _, qu := range s.own {
			out.Questions = append(out.Questions, qu.source.ID)
		}
		p.Sections = append(p.Sections, out)
	}
	return p
}

// HideRights names the right sides of match questions. In a graded quiz the
// name is a keyed digest of the pair's id: without the secret, which is made of bytes that are never
// public, nobody can tell which left side it belongs to.
func HideRights(id curriculum.ContentID, v quiz.Vault, secret []byte) {
	for i, q := range v.Questions {
		if q.Type != quiz.Match {
			continue
		}
		rights := map[string]string{}
		for pair := range q.Key.Pairs {
			if !v.Graded {
				rights[pair] = pair
				continue
			}
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(string(id) + "\x00" + q.ID + "\x00" + pair))
			rights["r"+hex.EncodeToString(mac.Sum(nil)[:10])] = pair
		}
		v.Questions[i].Rights = rights
	}
}

// Public is what the page gets in one language.
func (q Quiz) Public(l curriculum.Locale, v quiz.Vault) quiz.Public {
	p := quiz.Public{
		ID: string(q.id), Title: q.Title[l], Graded: q.Graded, Pass: q.pass, Shuffle: q.shuffle, Plan: q.plan(l), Questions: []quiz.PublicQuestion{},
	}
	for i, qu := range q.questions {
		lang := func(text string) string { return q.texts.Lang(qu.base+"."+text, l) }
		pq := quiz.PublicQuestion{
			ID: qu.source.ID, Type: qu.source.Type, Prompt: qu.prompt[l], Lang: lang("prompt"), Points: qu.points(), Competences: qu.source.Competences,
		}
		for _, o := range qu.source.Options {
			po := quiz.Option{ID: o.ID, Text: qu.optionText[o.ID][l], Lang: lang("option." + o.ID + ".text"), Last: o.Last}
			if text := qu.said[o.ID][l]; !q.Graded && text != "" {
				po.Feedback, po.FeedbackLang = text, lang("option."+o.ID+".feedback")
			}
			pq.Options = append(pq.Options, po)
		}
		if pq.Type == quiz.Order {
			q.mix(pq.ID, pq.Options)
		}
		for _, pair := range qu.source.Pairs {
			pq.Lefts = append(pq.Lefts, quiz.Option{ID: pair.ID, Text: qu.left[pair.ID][l], Lang: lang("pair." + pair.ID + ".left")})
		}
		for right, pair := range v.Questions[i].Rights {
			pq.Rights = append(pq.Rights, quiz.Option{ID: right, Text: qu.right[pair][l], Lang: lang("pair." + pair + ".right")})
		}
		q.mix(pq.ID, pq.Rights)
		if !q.Graded {
			k := qu.key()
			k.Feedback = quiz.Feedback{Correct: qu.correct[l], Incorrect: qu.mistake[l]}
			if qu.correct != nil {
				k.Feedback.CorrectLang, k.Feedback.IncorrectLang = lang("feedback.correct"), lang("feedback.incorrect")
			}
			pq.Key = &k
		}
		p.Questions = append(p.Questions, pq)
	}
	return p
}

// mix sorts by a digest of the ids: the same order for everybody and every
// build, and none that follows from the answer.
func (q Quiz) mix(question string, options []quiz.Option) {
	digest := func(o quiz.Option) string {
		sum := sha256.Sum256([]byte(string(q.id) + "\x00" + question + "\x00" + o.ID))
		return string(sum[:])
	}
	slices.SortFunc(options, func(a, b quiz.Option) int { return strings.Compare(digest(a), digest(b)) })
}

package curriculum

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// defaultPass is the least share of points when a quiz does not say.
const defaultPass = 0.7

// quizSource is a quiz as its author wrote it.
type quizSource struct {
	Title     string           `json:"title"`
	Graded    bool             `json:"graded"`
	Pass      *float64         `json:"pass"`
	Questions []questionSource `json:"questions"`
}

type questionSource struct {
	ID        string         `json:"id"`
	Type      QuestionType   `json:"type"`
	Prompt    string         `json:"prompt"`
	Points    *float64       `json:"points"`
	Options   []optionSource `json:"options"`
	Pairs     []pairSource   `json:"pairs"`
	Answer    *float64       `json:"answer"`
	Tolerance float64        `json:"tolerance"`
	Accept    []string       `json:"accept"`
	Feedback  Feedback       `json:"feedback"`
}

type optionSource struct {
	ID       string `json:"id"`
	Text     string `json:"text"`
	Correct  bool   `json:"correct"`
	Feedback string `json:"feedback"`
}

type pairSource struct {
	ID    string `json:"id"`
	Left  string `json:"left"`
	Right string `json:"right"`
}

// quizItem is a quiz with all its texts, before it is split into what is public and what is not.
type quizItem struct {
	id        ContentID
	title     Text
	graded    bool
	pass      float64
	questions []questionItem
}

type questionItem struct {
	source           questionSource
	prompt           Text
	optionText, said map[string]Text // by option id; said after choosing it
	left, right      map[string]Text // by pair id
	correct, mistake Text
	accept           []string
}

// questionKeys says which keys a type of question must and may have besides id, type, prompt and points.
var questionKeys = map[QuestionType]struct{ must, may []string }{
	Single:   {must: []string{"options"}},
	Multiple: {must: []string{"options"}},
	Order:    {must: []string{"options", "feedback"}},
	Match:    {must: []string{"pairs", "feedback"}},
	Number:   {must: []string{"answer", "feedback"}, may: []string{"tolerance"}},
	ShortTxt: {must: []string{"accept", "feedback"}},
}

// readQuiz checks a quiz and gathers its texts.
func readQuiz(id string, doc *document, t *texts, faults *faultList) quizItem {
	checkSchema("quiz", doc, faults)
	var src quizSource
	if !doc.fit {
		return quizItem{}
	}
	doc.into(&src)
	r := quizReader{doc: doc, faults: faults}
	base := "quiz." + id
	q := quizItem{id: ContentID(id), title: t.text(base+".title", src.Title), graded: src.Graded, pass: defaultPass}
	if src.Pass != nil {
		q.pass = *src.Pass
	}
	raws, _ := field(doc.value, "questions").([]any)
	seen := map[string]bool{}
	for i, qs := range src.Questions {
		at := "/questions/" + strconv.Itoa(i)
		r.unique(seen, qs.ID, at+"/id")
		if i < len(raws) {
			r.keys(raws[i], qs.Type, at)
		}
		r.answers(qs, at)
		q.questions = append(q.questions, gather(base+"."+qs.ID, qs, t))
		r.alike(q.questions[i], at)
	}
	return q
}

type quizReader struct {
	doc    *document
	faults *faultList
}

func (r quizReader) fault(pointer, key string, args ...string) {
	r.faults.add(r.doc.file, r.doc.line(pointer), key, args...)
}

func (r quizReader) unique(seen map[string]bool, id, pointer string) {
	if id != "" && seen[id] {
		r.fault(pointer, "course.duplicate_id", "ID", id)
	}
	seen[id] = true
}

// field is a value inside a map, or nil.
func field(v any, key string) any {
	m, _ := v.(map[string]any)
	return m[key]
}

// keys holds a question against its type.
func (r quizReader) keys(raw any, typ QuestionType, at string) {
	want, ok := questionKeys[typ]
	m, isMap := raw.(map[string]any)
	if !ok || !isMap {
		return // the schema has told
	}
	for _, k := range want.must {
		if _, ok := m[k]; !ok {
			r.fault(at, "quiz.missing_for_type", "Key", k, "Type", string(typ))
		}
	}
	for _, k := range []string{"options", "pairs", "answer", "tolerance", "accept", "feedback"} {
		if _, ok := m[k]; ok && !slices.Contains(want.must, k) && !slices.Contains(want.may, k) {
			r.fault(at+"/"+k, "quiz.not_for_type", "Key", k, "Type", string(typ))
		}
	}
	options, _ := m["options"].([]any)
	for i, o := range options {
		om, _ := o.(map[string]any)
		op := at + "/options/" + strconv.Itoa(i)
		if typ == Single || typ == Multiple {
			if _, ok := om["feedback"]; !ok && om != nil {
				r.fault(op, "quiz.option_without_feedback")
			}
			continue
		}
		for _, k := range []string{"correct", "feedback"} {
			if _, ok := om[k]; ok && typ == Order {
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
		if right++; right == 2 && q.Type == Single {
			r.fault(op+"/correct", "quiz.two_correct_options")
		}
	}
	if right == 0 && len(q.Options) > 0 && (q.Type == Single || q.Type == Multiple) {
		r.fault(at+"/options", "quiz.no_correct_option")
	}
	ids = map[string]bool{}
	for i, p := range q.Pairs {
		r.unique(ids, p.ID, at+"/pairs/"+strconv.Itoa(i)+"/id")
	}
	for i, a := range q.Accept {
		if a != "" && Fold(a) == "" {
			r.fault(at+"/accept/"+strconv.Itoa(i), "quiz.empty_answer")
		}
	}
}

// alike finds choices that read the same in one language, of which only one would be right.
func (r quizReader) alike(q questionItem, at string) {
	check := func(list, key string, ids []string, text map[string]Text) {
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
func gather(base string, qs questionSource, t *texts) questionItem {
	q := questionItem{
		source: qs, prompt: t.text(base+".prompt", qs.Prompt),
		optionText: map[string]Text{}, said: map[string]Text{}, left: map[string]Text{}, right: map[string]Text{},
	}
	for _, o := range qs.Options {
		q.optionText[o.ID] = t.text(base+".option."+o.ID+".text", o.Text)
		if qs.Type == Single || qs.Type == Multiple {
			q.said[o.ID] = t.text(base+".option."+o.ID+".feedback", o.Feedback)
		}
	}
	for _, p := range qs.Pairs {
		q.left[p.ID] = t.text(base+".pair."+p.ID+".left", p.Left)
		q.right[p.ID] = t.text(base+".pair."+p.ID+".right", p.Right)
	}
	if qs.Type != Single && qs.Type != Multiple {
		q.correct = t.text(base+".feedback.correct", qs.Feedback.Correct)
		q.mistake = t.text(base+".feedback.incorrect", qs.Feedback.Incorrect)
	}
	if qs.Type == ShortTxt {
		folded := map[string]bool{}
		for _, a := range append(slices.Clone(qs.Accept), t.list(base+".accept")...) {
			if f := Fold(a); f != "" {
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
func (q questionItem) key() Key {
	var k Key
	switch q.source.Type {
	case Single, Multiple:
		for _, o := range q.source.Options {
			if o.Correct {
				k.Correct = append(k.Correct, o.ID)
			}
		}
	case Order:
		for _, o := range q.source.Options {
			k.Correct = append(k.Correct, o.ID)
		}
	case Match:
		k.Pairs = map[string]string{}
		for _, p := range q.source.Pairs {
			k.Pairs[p.ID] = p.ID
		}
	case Number:
		k.Number, k.Tolerance = q.source.Answer, q.source.Tolerance
	case ShortTxt:
		k.Accept = q.accept
	}
	return k
}

// vault is the secret side of a quiz. Rights of match questions are still missing.
func (q quizItem) vault() VaultQuiz {
	v := VaultQuiz{Graded: q.graded, Pass: q.pass}
	for _, qu := range q.questions {
		vq := VaultQuestion{ID: qu.source.ID, Type: qu.source.Type, Points: qu.points(), Key: qu.key(), Correct: qu.correct, Mistaken: qu.mistake}
		if len(qu.said) > 0 {
			vq.Options = qu.said
		}
		v.Questions = append(v.Questions, vq)
	}
	return v
}

// hideRights names the right sides of match questions. In a graded quiz the
// name is a keyed digest of the pair's id: without the secret, which is made of bytes that are never
// public, nobody can tell which left side it belongs to.
func hideRights(id ContentID, v VaultQuiz, secret []byte) {
	for i, q := range v.Questions {
		if q.Type != Match {
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

// public is what the page gets in one language.
func (q quizItem) public(l Locale, v VaultQuiz) PublicQuiz {
	p := PublicQuiz{ID: q.id, Title: q.title[l], Graded: q.graded, Pass: q.pass, Questions: []PublicQuestion{}}
	for i, qu := range q.questions {
		pq := PublicQuestion{ID: qu.source.ID, Type: qu.source.Type, Prompt: qu.prompt[l], Points: qu.points()}
		for _, o := range qu.source.Options {
			po := PublicOption{ID: o.ID, Text: qu.optionText[o.ID][l]}
			if !q.graded {
				po.Feedback = qu.said[o.ID][l]
			}
			pq.Options = append(pq.Options, po)
		}
		if pq.Type == Order {
			q.shuffle(pq.ID, pq.Options)
		}
		for _, pair := range qu.source.Pairs {
			pq.Lefts = append(pq.Lefts, PublicOption{ID: pair.ID, Text: qu.left[pair.ID][l]})
		}
		for right, pair := range v.Questions[i].Rights {
			pq.Rights = append(pq.Rights, PublicOption{ID: right, Text: qu.right[pair][l]})
		}
		q.shuffle(pq.ID, pq.Rights)
		if !q.graded {
			k := qu.key()
			k.Feedback = Feedback{Correct: qu.correct[l], Incorrect: qu.mistake[l]}
			pq.Key = &k
		}
		p.Questions = append(p.Questions, pq)
	}
	return p
}

// shuffle sorts by a digest of the ids: the same order for everybody and every
// build, and none that follows from the answer.
func (q quizItem) shuffle(question string, options []PublicOption) {
	digest := func(o PublicOption) string {
		sum := sha256.Sum256([]byte(string(q.id) + "\x00" + question + "\x00" + o.ID))
		return string(sum[:])
	}
	slices.SortFunc(options, func(a, b PublicOption) int { return strings.Compare(digest(a), digest(b)) })
}

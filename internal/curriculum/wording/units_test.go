package wording_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
	"github.com/banyan-lms/banyan/internal/fault"
)

func small() fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range map[string]string{
		"course.yaml":           "id: small\ntitle: Small\nsummary: A small course.\nsource_locale: en\nlocales: [en]\nlicence: CC0-1.0\nauthors: [A]\nminutes: 1\nmodules:\n  - id: one\n    title: First part\n    items:\n      - lesson: hello\n      - quiz: ask\n      - lab: try\n  - id: two\n    title: Second part\n    items:\n      - quiz: again\nachievement:\n  name: N\n  description: D\n  narrative: R\n",
		"glossary.yaml":         "terms:\n  - id: model\n    term: model\n    definition: What training makes.\n",
		"media/xx.svg":          "<svg viewBox=\"0 0 9 9\">\n  <text id=\"sun\">The\n  sun</text>\n</svg>\n",
		"lessons/hello.md":      "# Hello\n\nFirst.\n\n::: figure xx.svg\n:alt: A sun.\n:::\n",
		"quizzes/ask.yaml":      "title: Ask\nquestions:\n  - id: q1\n    prompt: Which?\n    options:\n      - {id: a, text: A, feedback: No.}\n    accept: [x y, z]\nsections:\n  - title: Drawn\n    draw: {bank: pool, count: 1}\n",
		"quizzes/again.yaml":    "title: Again\nsections:\n  - draw: {bank: pool, count: 1}\n",
		"banks/pool.yaml":       "questions:\n  - id: q2\n    prompt: Pair?\n    pairs:\n      - {id: p, left: L, right: R}\n    feedback: {correct: Yes., incorrect: Look again.}\n",
		"labs/try/lab.yaml":     "title: Try\nhints: [Begin.]\nchecks:\n  - {id: c, title: Counts, feedback: Count., says: {few: Too few.}}\n",
		"labs/try/statement.md": "# Try\n\nDo it.\n",
	} {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return m
}

func TestUnits(t *testing.T) {
	units, err := wording.Units(small())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, u := range units {
		id := u.ID
		if !strings.Contains(strings.TrimSuffix(id, ".alt"), ".") {
			id = "*" + strings.TrimPrefix(id, strings.TrimSuffix(id, ".alt"))
		}
		got = append(got, strings.Join([]string{u.Module, id, u.Source, u.File}, "|")+":"+string(rune('0'+u.Line)))
	}
	want := strings.Split(strings.TrimSpace(`
|course.title|Small|course.yaml:2
|course.summary|A small course.|course.yaml:3
|achievement.name|N|course.yaml:E
|achievement.description|D|course.yaml:F
|achievement.narrative|R|course.yaml:G
|module.one.title|First part|course.yaml:;
|module.two.title|Second part|course.yaml:A
|glossary.model.term|model|glossary.yaml:3
|glossary.model.definition|What training makes.|glossary.yaml:4
|media.xx.svg.sun|The sun|media/xx.svg:2
one|*|Hello|lessons/hello.md:1
one|*|First.|lessons/hello.md:3
one|*.alt|A sun.|lessons/hello.md:6
one|quiz.ask.title|Ask|quizzes/ask.yaml:1
one|quiz.ask.q1.prompt|Which?|quizzes/ask.yaml:4
one|quiz.ask.q1.option.a.text|A|quizzes/ask.yaml:6
one|quiz.ask.q1.option.a.feedback|No.|quizzes/ask.yaml:6
one|quiz.ask.q1.accept|x y;z|quizzes/ask.yaml:7
one|quiz.ask.section.1.title|Drawn|quizzes/ask.yaml:9
one|bank.pool.q2.prompt|Pair?|banks/pool.yaml:3
one|bank.pool.q2.pair.p.left|L|banks/pool.yaml:5
one|bank.pool.q2.pair.p.right|R|banks/pool.yaml:5
one|bank.pool.q2.feedback.correct|Yes.|banks/pool.yaml:6
one|bank.pool.q2.feedback.incorrect|Look again.|banks/pool.yaml:6
one|lab.try.title|Try|labs/try/lab.yaml:1
one|*|Try|labs/try/statement.md:1
one|*|Do it.|labs/try/statement.md:3
one|lab.try.hint.1|Begin.|labs/try/lab.yaml:2
one|lab.try.check.c.title|Counts|labs/try/lab.yaml:4
one|lab.try.check.c.feedback|Count.|labs/try/lab.yaml:4
one|lab.try.check.c.says.few|Too few.|labs/try/lab.yaml:4
two|quiz.again.title|Again|quizzes/again.yaml:1`), "\n")
	for i := range max(len(got), len(want)) {
		g, w := "", ""
		if i < len(got) {
			g = strings.ReplaceAll(got[i], "\n", ";")
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("unit %d is %q, want %q", i, g, w)
		}
	}
}

func TestWriteIDsIntoFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, small()); err != nil {
		t.Fatal(err)
	}
	foretold, err := wording.Units(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	changed, err := wording.WriteIDs(dir)
	if err != nil || !slices.Equal(changed, []string{"labs/try/statement.md", "lessons/hello.md"}) {
		t.Fatalf("changed %v: %v", changed, err)
	}
	written, err := wording.Units(os.DirFS(dir))
	if err != nil || !slices.Equal(foretold, written) {
		t.Errorf("units change when their ids are written: %v\n%v\n%v", err, foretold, written)
	}
	if changed, err := wording.WriteIDs(dir); err != nil || len(changed) > 0 {
		t.Errorf("the second time changes %v: %v", changed, err)
	}
	// A copied paragraph brings its id with it.
	data, err := os.ReadFile(filepath.Join(dir, "lessons/hello.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if err := os.WriteFile(filepath.Join(dir, "lessons/hello.md"), []byte(string(data)+"\n"+lines[2]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var f *fault.Error
	if _, err := wording.Units(os.DirFS(dir)); !errors.As(err, &f) || len(f.Details) != 1 || f.Details[0].Key != "lesson.duplicate_segment_id" || f.Details[0].Line != 9 || f.Details[0].Args["Other"] != "lessons/hello.md:3" {
		t.Errorf("%v", err)
	}
}

// A transcript is part of a recording, wherever it stands in the lesson.
func TestTranscriptsCountAsAudio(t *testing.T) {
	m := coursetest.Copy(t)
	units, err := wording.Units(m)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]translation.Medium{}
	for _, u := range units {
		got[u.Source] = u.Medium
	}
	for text, want := range map[string]translation.Medium{"Hello.": translation.InAudio, "A short talk": translation.InAudio, "Talk.": ""} {
		if medium, ok := got[text]; !ok || medium != want {
			t.Errorf("%q is %q, want %q", text, medium, want)
		}
	}
}

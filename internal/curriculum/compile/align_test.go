package compile_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/compile"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Wherever a course names a competence, an unknown one is told with its line and the one that was probably meant.
func TestUnknownCompetences(t *testing.T) {
	const head = "labs/echo/lab.yaml"
	for _, tt := range []struct {
		name, want, near string
		edit             edit
	}{
		{"of a lab", head + ":63 course.unknown_competence", "cfs.ai-techniques.apply", change(head, "cfs.ai-techniques.apply", "cfs.ai-technique.aply")},
		{"of a lesson", "course.yaml:14 course.unknown_competence", "cfs.ethics.create", change("course.yaml", "lesson: first", "{lesson: first, competences: [cfs.ethics.craete]}")},
		{"of the second of two", "course.yaml:14 course.unknown_competence", "cft.pedagogy.deepen", change("course.yaml", "lesson: first", "{lesson: first, competences: [cfs.ethics.create, cft.pedagogi.deepen]}")},
		{"of the achievement", "course.yaml:24 course.unknown_competence", "ailit-2026.engage.1", change("course.yaml", "achievement:\n", "achievement:\n  competences: [ailit-2026.engage.2]\n")},
		{"an aspect is none", "labs/echo/lab.yaml:63 lab.bad_competence", "", change(head, "cfs.ai-techniques.apply", "cfs.ethics")},
		{"of a question", "quizzes/exam.yaml:6 course.unknown_competence", "cft.ethics.deepen", func(t *testing.T, m fstest.MapFS) {
			data := string(m["quizzes/exam.yaml"].Data)
			at := strings.Index(data, "    type: ")
			put("quizzes/exam.yaml", data[:at]+"    competences: [cft.ethic.deepen]\n"+data[at:])(t, m)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := coursetest.Copy(t)
			tt.edit(t, m)
			if got := strings.Join(faultsOf(t, m), ", "); got != tt.want {
				t.Fatalf("got  %s\nwant %s", got, tt.want)
			}
			_, err := compile.Course(m, compile.Options{})
			var f *fault.Error
			if !errors.As(err, &f) || tt.near != "" && f.Details[0].Args["Near"] != tt.near {
				t.Errorf("the cure names %v, want %s", f.Details[0].Args["Near"], tt.near)
			}
		})
	}
}

// The manifest says what each item serves: what course.yaml says, and what its questions or its lab say.
func TestItemsCarryCompetences(t *testing.T) {
	m := coursetest.Copy(t)
	change("course.yaml", "lesson: first", "{lesson: first, competences: [cfs.ethics.create, cfs.ethics.apply]}")(t, m)
	change("course.yaml", "lab: echo", "{lab: echo, competences: [cft.ethics.deepen]}")(t, m)
	change("course.yaml", "achievement:\n", "achievement:\n  competences: [cfs.human-centred.apply]\n")(t, m)
	c, err := compile.Course(m, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[curriculum.ContentID][]string{
		"first": {"cfs.ethics.apply", "cfs.ethics.create"}, "second": nil, "echo": {"cfs.ai-techniques.apply", "cft.ethics.deepen"},
	} {
		it, _ := c.Manifest.Item(id)
		if !slices.Equal(it.Competences, want) {
			t.Errorf("%s serves %v, want %v", id, it.Competences, want)
		}
	}
	if got := c.Manifest.Achievement.Competences; !slices.Equal(got, []string{"cfs.human-centred.apply"}) {
		t.Errorf("the achievement attests %v", got)
	}
}

// A quiz serves what its questions ask for, those that it draws too.
func TestQuizCarriesCompetencesOfItsBanks(t *testing.T) {
	m := banked(t)
	change("banks/words.yaml", "questions:\n", "questions:\n  - {id: more, type: number, prompt: P, answer: 1, competences: [cft.pedagogy.deepen], feedback: {correct: c, incorrect: i}}\n")(t, m)
	c, err := compile.Course(m, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	it, _ := c.Manifest.Item("exam")
	if !slices.Equal(it.Competences, []string{"cfs.ethics.apply", "cft.pedagogy.deepen"}) {
		t.Errorf("the quiz serves %v", it.Competences)
	}
}

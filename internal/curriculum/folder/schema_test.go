package folder_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/banyan-lms/banyan/content/schema"
	"github.com/banyan-lms/banyan/internal/curriculum/coursetest"
)

// The schemas are for editors as well, so they are tried as an editor would: by themselves.
func TestSchemas(t *testing.T) {
	course := coursetest.Read(t, "course.yaml")
	exam := coursetest.Read(t, "quizzes/exam.yaml")
	lab := coursetest.Read(t, "labs/echo/lab.yaml")
	tests := []struct {
		schema, name, yaml string
		ok                 bool
	}{
		{"course", "golden", course, true},
		{"course", "unknown key", course + "colour: red\n", false},
		{"course", "no id", strings.Replace(course, "id: golden\n", "", 1), false},
		{"course", "path as id", strings.Replace(course, "id: golden", "id: ../golden", 1), false},
		{"course", "id of one letter", strings.Replace(course, "id: golden", "id: g", 1), false},
		{"course", "id of 64 letters", strings.Replace(course, "id: golden", "id: "+strings.Repeat("g", 64), 1), true},
		{"course", "id of 65 letters", strings.Replace(course, "id: golden", "id: "+strings.Repeat("g", 65), 1), false},
		{"course", "id with a line break", strings.Replace(course, "id: golden", `id: "golden\n"`, 1), false},
		{"course", "unknown item", strings.Replace(course, "- lesson: first", "- video: first", 1), false},
		{"quiz", "golden", exam, true},
		{"quiz", "no questions", "title: T\ngraded: true\nquestions: []\n", false},
		{"quiz", "graded is missing", "title: T\nquestions: [{id: qq, type: number, prompt: P, answer: 1}]\n", false},
		{"quiz", "pass above one", "title: T\ngraded: true\npass: 70\nquestions: [{id: qq, type: number, prompt: P, answer: 1}]\n", false},
		{"lab", "golden", lab, true},
		{"lab", "above a ceiling", strings.Replace(lab, "wall_seconds: 5", "memory_mib: 257", 1), false},
		{"lab", "unknown check", strings.Replace(lab, "equals: a\n", "contains: a\n", 1), false},
		{"glossary", "golden", coursetest.Read(t, "glossary.yaml"), true},
		{"media", "golden", coursetest.Read(t, "media.yaml"), true},
	}
	for _, test := range tests {
		t.Run(test.schema+" "+test.name, func(t *testing.T) {
			data, err := schema.Files.ReadFile(test.schema + ".schema.json")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			c := jsonschema.NewCompiler()
			if err := c.AddResource("test:///s.json", doc); err != nil {
				t.Fatal(err)
			}
			s, err := c.Compile("test:///s.json")
			if err != nil {
				t.Fatal(err)
			}
			var value any
			if err := yaml.Unmarshal([]byte(test.yaml), &value); err != nil {
				t.Fatal(err)
			}
			js, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			value, err = jsonschema.UnmarshalJSON(bytes.NewReader(js))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Validate(value); (err == nil) != test.ok {
				t.Errorf("accepted %v, want %v: %v", err == nil, test.ok, err)
			}
		})
	}
}

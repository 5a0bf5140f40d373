package wording_test

import (
	"errors"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/banyan-lms/banyan/internal/curriculum/wording"
	"github.com/banyan-lms/banyan/internal/fault"
)

func TestForTranslation(t *testing.T) {
	fsys := fstest.MapFS{
		"course.yaml":       {Data: []byte("id: rain\ntitle: Rain\nsource_locale: en\nlocales: [en, fr, pt-BR]\nmodules:\n  - id: one\n    title: One\n    items:\n      - lesson: sky\n")},
		"lessons/sky.md":    {Data: []byte("# The sky\n\nIt rains.\n")},
		"locales/fr/one.po": {Data: []byte("nonsense")},
	}
	c, err := wording.ForTranslation(fsys)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != "rain" || c.Source != "en" || !slices.Equal(c.Locales, []string{"fr", "pt-BR"}) || len(c.Units) != 4 || c.Units[3].Source != "It rains." || c.Units[3].Module != "one" {
		t.Errorf("got %+v", c)
	}
	tests := []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"no course", fstest.MapFS{}, "course.no_course_file"},
		{"a tag that is none", fstest.MapFS{"course.yaml": {Data: []byte("source_locale: en\nlocales: [en, ../x]\n")}}, "course.bad_locale"},
		{"a tag misspelt", fstest.MapFS{"course.yaml": {Data: []byte("source_locale: en\nlocales: [en, pt_br]\n")}}, "course.locale_spelling"},
		{"broken", fstest.MapFS{"course.yaml": {Data: []byte("a: [\n")}}, "course.bad_yaml"},
	}
	for _, tt := range tests {
		_, err := wording.ForTranslation(tt.fsys)
		var f *fault.Error
		if !errors.As(err, &f) || f.Details[0].Key != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

package wording_test

import (
	"io/fs"
	"slices"
	"testing"

	"github.com/banyan-lms/banyan/content"
	"github.com/banyan-lms/banyan/internal/curriculum/translation"
	"github.com/banyan-lms/banyan/internal/curriculum/wording"
)

// The courses that are shipped are whole in the six official languages of the United Nations: who edits one carries its translations on.
func TestShippedCoursesAreTranslated(t *testing.T) {
	files, err := fs.Glob(content.Courses(), "*/course.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no courses: ", err)
	}
	for _, file := range files {
		folder, err := fs.Sub(content.Courses(), file[:len(file)-len("/course.yaml")])
		if err != nil {
			t.Fatal(err)
		}
		c, err := wording.ForTranslation(folder)
		if err != nil {
			t.Fatal(err)
		}
		if all := slices.Sorted(slices.Values(append(slices.Clone(c.Locales), c.Source))); !slices.Equal(all, []string{"ar", "en", "es", "fr", "ru", "zh"}) {
			t.Errorf("%s is in %v", c.ID, all)
		}
		list, err := translation.Status(folder, c)
		if err != nil {
			t.Fatal(err)
		}
		fresh := map[string]int{}
		for _, s := range list {
			n := s.Total()
			fresh[s.Locale] += n.Fresh
			if n.Stale+n.Withdrawn+n.Missing > 0 {
				t.Errorf("%s: %s/%s.po has %+v: run content merge and translate", c.ID, s.Locale, s.Module, n)
			}
		}
		for _, locale := range c.Locales {
			if fresh[locale] != len(c.Units) {
				t.Errorf("%s: %d of %d texts in %s", c.ID, fresh[locale], len(c.Units), locale)
			}
		}
	}
}

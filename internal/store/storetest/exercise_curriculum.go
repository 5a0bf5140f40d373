package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/publishing"
	"github.com/banyan-lms/banyan/internal/fault"
)

func exerciseCurriculum(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Curriculum()

	t.Run("a version comes back as it was", func(t *testing.T) {
		v := edition("zebra", w.school, "Zebra")
		stored, created, err := s.CreateVersion(ctx, v)
		ok(t, err)
		equal(t, "created", created, true)
		v.Number = 1
		for name, find := range map[string]func() (curriculum.Version, error){
			"by id":     func() (curriculum.Version, error) { return s.FindVersion(ctx, v.ID) },
			"again":     func() (curriculum.Version, error) { return s.FindVersion(ctx, v.ID) },
			"by number": func() (curriculum.Version, error) { return s.FindVersionNumber(ctx, "zebra", 1) },
			"latest":    func() (curriculum.Version, error) { return s.FindLatest(ctx, "zebra") },
			"stored":    func() (curriculum.Version, error) { return stored, nil },
		} {
			got, err := find()
			ok(t, err)
			equal(t, name, asJSON(t, got), asJSON(t, v))
		}
		owner, err := s.CourseOwner(ctx, "zebra")
		ok(t, err)
		equal(t, "owner", owner, string(w.school.ID))
	})

	t.Run("the same bytes change nothing", func(t *testing.T) {
		again := edition("zebra", w.school, "Zebra")
		stored, created, err := s.CreateVersion(ctx, again)
		ok(t, err)
		equal(t, "created", created, false)
		if stored.ID == again.ID || stored.Number != 1 {
			t.Errorf("gave %v, want the first version", stored)
		}
		_, err = s.FindVersion(ctx, again.ID)
		wantFault(t, err, fault.NotFound, "course.not_found")
		// The same words in another course are another version.
		_, created, err = s.CreateVersion(ctx, edition("yak", w.school, "Zebra"))
		ok(t, err)
		equal(t, "created in another course", created, true)
	})

	t.Run("a course belongs to one institution", func(t *testing.T) {
		_, _, err := s.CreateVersion(ctx, edition("zebra", w.addSchool(t, "cuckoo"), "Cuckoo"))
		wantFault(t, err, fault.Denied, "course.of_other_institution")
	})

	t.Run("absent", func(t *testing.T) {
		_, err := s.FindVersion(ctx, "x")
		wantFault(t, err, fault.NotFound, "course.not_found")
		_, err = s.FindVersionNumber(ctx, "zebra", 99)
		wantFault(t, err, fault.NotFound, "course.not_found")
		_, err = s.FindLatest(ctx, "unicorn")
		wantFault(t, err, fault.NotFound, "course.not_found")
		_, err = s.CourseOwner(ctx, "unicorn")
		wantFault(t, err, fault.NotFound, "course.not_found")
	})

	t.Run("concurrent versions have numbers without gaps", func(t *testing.T) {
		const n = 8
		numbers := make([]int, n)
		allOK(t, together(ctx, n, func(ctx context.Context, i int) error {
			v, created, err := s.CreateVersion(ctx, edition("ant", w.school, string(rune('a'+i))))
			if err == nil && !created {
				err = errors.New("not created")
			}
			numbers[i] = v.Number
			return err
		}))
		slices.Sort(numbers)
		if !slices.Equal(numbers, []int{1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Errorf("numbers %v", numbers)
		}
		latest, err := s.FindLatest(ctx, "ant")
		ok(t, err)
		equal(t, "latest", latest.Number, n)
		// And one of many publishes the same bytes.
		created := make([]bool, n)
		allOK(t, together(ctx, n, func(ctx context.Context, i int) error {
			_, c, err := s.CreateVersion(ctx, edition("bee", w.school, "same"))
			created[i] = c
			return err
		}))
		if n := len(slices.DeleteFunc(created, func(c bool) bool { return !c })); n != 1 {
			t.Errorf("%d created the same version, want one", n)
		}
	})

	t.Run("the catalogue", func(t *testing.T) {
		var ids []curriculum.CourseID
		for after := curriculum.CourseID(""); ; {
			page, err := s.ListLatest(ctx, after, 2)
			ok(t, err)
			for _, v := range page {
				ids = append(ids, v.CourseID)
				latest, err := s.FindLatest(ctx, v.CourseID)
				ok(t, err)
				equal(t, "version of "+string(v.CourseID), v.ID, latest.ID)
			}
			if len(page) < 2 {
				break
			}
			after = page[1].CourseID
		}
		if want := []curriculum.CourseID{"ai-in-daily-life", "ant", "bee", "yak", "zebra"}; !slices.Equal(ids, want) {
			t.Errorf("courses %v, want %v", ids, want)
		}
		// Byte by byte, whatever the language of the server: a hyphen sorts before a letter.
		for _, id := range []curriculum.CourseID{"ab", "a-z"} {
			w.publish(t, id, w.school)
		}
		page, err := s.ListLatest(ctx, "", 3)
		ok(t, err)
		if page[0].CourseID != "a-z" || page[1].CourseID != "ab" || page[2].CourseID != "ai-in-daily-life" {
			t.Errorf("courses %s %s %s", page[0].CourseID, page[1].CourseID, page[2].CourseID)
		}
	})

	t.Run("what was rolled back never was", func(t *testing.T) {
		v := edition("zebra", w.school, "Zebra, second edition")
		stop := errors.New("stop")
		err := s.InTx(ctx, func(tx publishing.Store) error {
			if _, created, err := tx.CreateVersion(ctx, v); err != nil || !created {
				t.Errorf("created %v, %v", created, err)
			}
			got, err := tx.FindVersion(ctx, v.ID)
			ok(t, err)
			equal(t, "number inside", got.Number, 2)
			return stop
		})
		if !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of fn", err)
		}
		_, err = s.FindVersion(ctx, v.ID)
		wantFault(t, err, fault.NotFound, "course.not_found")
	})

	t.Run("more versions than are remembered", func(t *testing.T) {
		var last curriculum.Version
		for i := range 70 {
			last = w.publish(t, "many", w.school)
			got, err := s.FindVersion(ctx, last.ID)
			ok(t, err)
			equal(t, "number", got.Number, i+1)
		}
		first, err := s.FindVersionNumber(ctx, "many", 1)
		ok(t, err)
		equal(t, "number", first.Number, 1)
	})
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	ok(t, err)
	return string(raw)
}

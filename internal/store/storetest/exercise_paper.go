package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func exercisePaper(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Paper()
	find := func(course string) (paper.Template, error) {
		return s.FindTemplate(ctx, w.school.ID, curriculum.CourseID(course))
	}
	same := func(got, want paper.Template) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got template %+v, want %+v", got, want)
		}
	}
	_, err := find("")
	wantFault(t, err, fault.NotFound, "paper.no_template")
	_, err = s.FindTemplate(ctx, "x", "")
	wantFault(t, err, fault.NotFound, "paper.no_template")

	all := paper.Plain(w.school.ID, "")
	all.UpdatedAt, all.Line = noon, map[string]string{"ar": "سطر", "en": "A line"}
	own := all
	own.CourseID, own.Orientation, own.Accent, own.Border, own.Logo = "a-course", paper.Portrait, "#102030", paper.Corners, paper.End
	own.Signatories, own.Line = []string{"b", "a"}, map[string]string{}
	for _, tpl := range []paper.Template{all, own} {
		ok(t, s.SaveTemplate(ctx, tpl))
	}
	for _, want := range []paper.Template{all, own} {
		got, err := find(string(want.CourseID))
		ok(t, err)
		same(got, want)
	}
	own.Signatories, own.UpdatedAt = []string{}, noon.Add(time.Hour) // nobody, which is not the same as all
	ok(t, s.SaveTemplate(ctx, own))
	got, err := find("a-course")
	ok(t, err)
	same(got, own)
	got, err = find("")
	ok(t, err)
	same(got, all)

	// What an act changes and what the log says of it are one.
	failed := errors.New("failed")
	err = s.InTx(ctx, func(tx paper.Store) error {
		ok(t, tx.RemoveTemplate(ctx, w.school.ID, "a-course"))
		ok(t, tx.Audit(ctx, audit.New(w.school.ID, identity.UserID(""), noon, audit.TemplateChanged, map[string]any{"course": "a-course"})))
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	_, err = find("a-course")
	ok(t, err)
	ok(t, s.RemoveTemplate(ctx, w.school.ID, "a-course"))
	ok(t, s.RemoveTemplate(ctx, w.school.ID, "a-course"))
	_, err = find("a-course")
	wantFault(t, err, fault.NotFound, "paper.no_template")
	_, err = find("")
	ok(t, err)
}

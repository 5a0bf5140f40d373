package storetest

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func exerciseRecognition(t *testing.T, w *world) {
	ctx, s := t.Context(), w.Recognition()
	other := w.addSchool(t, "baobab")
	list := statuslist.List{ID: newID[statuslist.ID](), InstitutionID: w.school.ID, Issuer: "did:web:a", Purpose: statuslist.Revocation, CreatedAt: noon}
	ok(t, w.StatusLists().CreateList(ctx, list))
	until := noon.Add(time.Hour)
	fresh := func(index int, of, achievement string) recognition.Recognition {
		return recognition.Recognition{
			ID: newID[recognition.ID](), InstitutionID: w.school.ID, By: "did:web:a", OfDID: of, OfAchievement: achievement,
			Terms:    recognition.Terms{OfName: "X <&>", As: map[string]string{"ar": "وحدة", "en": "Unit"}, Scope: map[string]string{"en": "Two credits"}},
			Document: []byte("{ \"a\":1,\n\x00\xff }"), ListID: list.ID, Index: index, CreatedAt: noon, ValidUntil: &until,
		}
	}
	a, b, c := fresh(5, "did:web:b", "https://b/x"), fresh(3, "did:web:c", "https://b/x"), fresh(9, "did:web:b", "https://b/y")
	c.InstitutionID, c.ValidUntil = other.ID, nil
	for _, r := range []recognition.Recognition{a, b, c} {
		ok(t, s.CreateRecognition(ctx, r))
	}
	got, err := s.FindRecognition(ctx, a.ID)
	ok(t, err)
	if !reflect.DeepEqual(got, a) {
		t.Errorf("got %+v, want %+v", got, a)
	}
	_, err = s.FindRecognition(ctx, "x")
	wantFault(t, err, fault.NotFound, "recognition.not_found")
	again := fresh(6, "did:web:b", "https://b/x")
	again.ID = a.ID
	wantFault(t, s.CreateRecognition(ctx, again), fault.Conflict, "recognition.exists")
	wantFault(t, s.CreateRecognition(ctx, fresh(5, "did:web:b", "https://b/x")), fault.Conflict, "credential.index_taken")

	for what, tt := range map[string]struct {
		f    recognition.Filter
		want []recognition.Recognition
	}{
		"all":            {recognition.Filter{}, []recognition.Recognition{a, b, c}},
		"of an issuer":   {recognition.Filter{Of: "did:web:b"}, []recognition.Recognition{a, c}},
		"an achievement": {recognition.Filter{Achievement: "https://b/x"}, []recognition.Recognition{a, b}},
		"both":           {recognition.Filter{Achievement: "https://b/x", Of: "did:web:b"}, []recognition.Recognition{a}},
		"by a school":    {recognition.Filter{By: other.ID}, []recognition.Recognition{c}},
		"by nobody":      {recognition.Filter{By: "x"}, []recognition.Recognition{}},
	} {
		list, err := s.ListRecognitions(ctx, tt.f, "", 10)
		ok(t, err)
		if !reflect.DeepEqual(list, tt.want) {
			t.Errorf("%s: %+v", what, list)
		}
	}
	for at, want := range map[time.Time][]recognition.Recognition{noon: {a, b, c}, until.Add(-time.Microsecond): {a, b, c}, until: {c}} {
		list, err := s.ListRecognitions(ctx, recognition.Filter{Holding: at}, "", 10)
		ok(t, err)
		if !reflect.DeepEqual(list, want) {
			t.Errorf("holding at %s: %+v", at, list)
		}
	}
	givers, err := s.ListGivers(ctx)
	ok(t, err)
	if want := []identity.InstitutionID{w.school.ID, other.ID}; len(givers) != 2 || !slices.Contains(givers, want[0]) || !slices.Contains(givers, want[1]) {
		t.Errorf("givers %v, want %v", givers, want)
	}
	page, err := s.ListRecognitions(ctx, recognition.Filter{}, a.ID, 1)
	ok(t, err)
	if !reflect.DeepEqual(page, []recognition.Recognition{b}) {
		t.Errorf("page %+v", page)
	}

	// Its place is taken for certificates too, and its end stands in the same list as theirs.
	taken, err := w.StatusLists().IndexTaken(ctx, list.ID, 3)
	ok(t, err)
	equal(t, "taken", taken, true)
	for _, want := range []bool{true, false} {
		was, err := s.EndRecognition(ctx, a.ID, noon.Add(time.Minute))
		ok(t, err)
		equal(t, "ended by this call", was, want)
	}
	_, err = s.EndRecognition(ctx, b.ID, noon.Add(time.Hour))
	ok(t, err)
	places, err := w.StatusLists().ListSet(ctx, list)
	ok(t, err)
	if !slices.Equal(places, []int{3, 5}) {
		t.Errorf("places %v", places)
	}
	holding, err := s.ListRecognitions(ctx, recognition.Filter{Holding: noon}, "", 10)
	ok(t, err)
	if !reflect.DeepEqual(holding, []recognition.Recognition{c}) {
		t.Errorf("still holding: %+v", holding)
	}
	got, err = s.FindRecognition(ctx, a.ID)
	ok(t, err)
	if got.EndedAt == nil || !got.EndedAt.Equal(noon.Add(time.Minute)) {
		t.Errorf("ended at %v, want the first time", got.EndedAt)
	}
}

package quiz_test

import (
	"encoding/json"
	"testing"

	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
)

func FuzzMark(f *testing.F) {
	for _, s := range []string{`"bb"`, `["aa"]`, `{"pa":"x"}`, `1e400`, `"١٫٥"`, `null`, `[[]]`, `"\ud800"`} {
		f.Add("single", s)
		f.Add("share", s)
	}
	q, _ := exam(f)
	f.Fuzz(func(t *testing.T, id, response string) {
		m, err := quiz.Mark(q, quiz.Seed{}, map[string]json.RawMessage{id: json.RawMessage(response)})
		if err != nil && !fault.Is(err, fault.Invalid) || m.Score < 0 || m.Score > 1 {
			t.Fatalf("%+v %v", m, err)
		}
	})
}

func FuzzFold(f *testing.F) {
	f.Add("Zwölf كِتَاب")
	f.Add("\xf3ö")
	f.Fuzz(func(t *testing.T, s string) {
		once := quiz.Fold(s)
		if twice := quiz.Fold(once); twice != once {
			t.Errorf("%q folds to %q and then %q", s, once, twice)
		}
	})
}

package learning

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
)

// someStatements makes statements of two enrollments about a few objects, with ties and extremes.
func someStatements(r *rand.Rand) []Statement {
	began := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	verbs := []Verb{Started, Completed, Answered, Submitted, Passed, Failed}
	sts := make([]Statement, r.IntN(40))
	for i := range sts {
		sts[i] = Statement{
			EnrollmentID: []EnrollmentID{"e1", "e2"}[r.IntN(2)], Verb: verbs[r.IntN(len(verbs))],
			ObjectID: []curriculum.ContentID{"a", "b", "c"}[r.IntN(3)], ReceivedAt: began.Add(time.Duration(r.IntN(5)) * time.Second),
		}
		switch sts[i].Verb {
		case Answered, Passed, Failed:
			score := float64(r.IntN(5)) / 4
			success := sts[i].Verb == Passed || sts[i].Verb == Answered && score >= 0.5
			sts[i].Result = Result{Score: &score, Success: &success}
		}
	}
	return sts
}

// mergeAll is what the store does with one batch after another.
func mergeAll(a, b []Progress) []Progress {
	for _, p := range b {
		i := slices.IndexFunc(a, func(x Progress) bool { return x.ObjectID == p.ObjectID })
		if i < 0 {
			a = append(a, p)
			continue
		}
		a[i] = merge(a[i], p)
	}
	return a
}

func sorted(ps []Progress) []Progress {
	slices.SortFunc(ps, func(a, b Progress) int {
		if a.EnrollmentID != b.EnrollmentID {
			return 1 - 2*btoi(a.EnrollmentID < b.EnrollmentID)
		}
		return 1 - 2*btoi(a.ObjectID < b.ObjectID)
	})
	return ps
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestFoldKnowsNoOrder folds the same statements in any order and in any split: the progress is the same.
func TestFoldKnowsNoOrder(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		sts := someStatements(r)
		want := Fold(sts)
		if !slices.IsSortedFunc(want, func(a, b Progress) int {
			if a.EnrollmentID < b.EnrollmentID || a.EnrollmentID == b.EnrollmentID && a.ObjectID < b.ObjectID {
				return -1
			}
			return 1
		}) {
			t.Fatalf("seed %d: not sorted: %+v", seed, want)
		}
		r.Shuffle(len(sts), func(i, j int) { sts[i], sts[j] = sts[j], sts[i] })
		byEnrollment := map[EnrollmentID][]Progress{}
		for len(sts) > 0 {
			n := 1 + r.IntN(len(sts))
			for _, p := range Fold(sts[:n]) {
				byEnrollment[p.EnrollmentID] = mergeAll(byEnrollment[p.EnrollmentID], []Progress{p})
			}
			sts = sts[n:]
		}
		got := sorted(slices.Concat(byEnrollment["e1"], byEnrollment["e2"]))
		if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, got, want)
		}
	}
}

// TestFoldOnlyGrows adds statements one by one: nothing is ever taken back.
func TestFoldOnlyGrows(t *testing.T) {
	for seed := range uint64(200) {
		sts := someStatements(rand.New(rand.NewPCG(seed, 2)))
		before := map[string]Progress{}
		for n := range sts {
			for _, p := range Fold(sts[:n+1]) {
				key := string(p.EnrollmentID) + string(p.ObjectID)
				b := before[key]
				worse := b.Score != nil && (p.Score == nil || *p.Score < *b.Score)
				if b.Started && !p.Started || b.Completed && !p.Completed || worse || p.Attempts < b.Attempts || p.UpdatedAt.Before(b.UpdatedAt) {
					t.Fatalf("seed %d: %+v after %+v", seed, p, b)
				}
				before[key] = p
			}
		}
	}
}

// someRevisions makes verdicts on a few submissions, each judged several times.
func someRevisions(r *rand.Rand, rising bool) []Statement {
	var sts []Statement
	for n := range 1 + r.IntN(4) {
		score := 0.0
		for revision := range 1 + r.IntN(4) {
			if score = max(score, float64(r.IntN(5))/4); !rising {
				score = float64(r.IntN(5)) / 4
			}
			verb := Failed
			if score == 1 {
				verb = Passed
			}
			success, of := verb == Passed, score
			number := revision
			if revision > 0 {
				number++ // a verdict that made no statement lay between
			}
			sts = append(sts, Statement{
				ID: StatementID(fmt.Sprint(n, revision)), EnrollmentID: "e1", ObjectID: curriculum.ContentID(fmt.Sprint("lab", n%2)), Verb: verb,
				Result:     Result{Score: &of, Success: &success, SubmissionID: fmt.Sprint("s", n), Revision: number},
				ReceivedAt: time.Unix(int64(r.IntN(100)), 0),
			})
		}
	}
	return sts
}

// TestTheLastRevisionTells folds verdicts on the same submissions in any order: of each submission only the last
// counts, and all together are one attempt.
func TestTheLastRevisionTells(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		sts := someRevisions(r, false)
		want := map[curriculum.ContentID]Progress{}
		for i, st := range sts {
			p := want[st.ObjectID]
			p.EnrollmentID, p.ObjectID, p.Started = "e1", st.ObjectID, true
			if st.ReceivedAt.After(p.UpdatedAt) {
				p.UpdatedAt = st.ReceivedAt
			}
			if i+1 == len(sts) || sts[i+1].Result.SubmissionID != st.Result.SubmissionID {
				p.Attempts++
				p.Completed = p.Completed || st.Verb == Passed
				if p.Score == nil || *st.Result.Score > *p.Score {
					p.Score = st.Result.Score
				}
			}
			want[st.ObjectID] = p
		}
		for range 5 {
			r.Shuffle(len(sts), func(i, j int) { sts[i], sts[j] = sts[j], sts[i] })
			got := Fold(sts)
			if len(got) != len(want) {
				t.Fatalf("seed %d: %+v", seed, got)
			}
			for _, p := range got {
				if !reflect.DeepEqual(p, want[p.ObjectID]) {
					t.Fatalf("seed %d: %+v, want %+v", seed, p, want[p.ObjectID])
				}
			}
		}
	}
}

// TestRisingRevisionsNeedNoWhole folds revisions that only get better batch by batch, as the store does: the
// progress is that of the whole.
func TestRisingRevisionsNeedNoWhole(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		sts := someRevisions(r, true)
		want := Fold(sts)
		var got []Progress
		r.Shuffle(len(sts), func(i, j int) { sts[i], sts[j] = sts[j], sts[i] })
		for _, st := range sts {
			got = mergeAll(got, Fold([]Statement{st}))
		}
		if !reflect.DeepEqual(sorted(got), want) {
			t.Fatalf("seed %d:\n%+v\n%+v", seed, got, want)
		}
	}
}

func TestFoldMeans(t *testing.T) {
	half, one, yes, no := 0.5, 1.0, true, false
	score := func(v Verb, s *float64, ok *bool) Statement {
		return Statement{Verb: v, Result: Result{Score: s, Success: ok}}
	}
	for _, tt := range []struct {
		name string
		sts  []Statement
		want Progress
	}{
		{"opened", []Statement{{Verb: Started}}, Progress{Started: true}},
		{"read", []Statement{{Verb: Completed}}, Progress{Started: true, Completed: true}},
		{"handed in", []Statement{{Verb: Submitted}, {Verb: Submitted}}, Progress{Started: true}},
		{"answered badly", []Statement{score(Answered, &half, &no)}, Progress{Started: true, Attempts: 1, Score: &half}},
		{"answered well, then badly", []Statement{score(Answered, &one, &yes), score(Answered, &half, &no)}, Progress{Started: true, Completed: true, Attempts: 2, Score: &one}},
		{"a lab failed, then passed", []Statement{score(Failed, &half, &no), score(Passed, &one, &yes)}, Progress{Started: true, Completed: true, Attempts: 2, Score: &one}},
		{"a lab failed, without a score", []Statement{{Verb: Failed}}, Progress{Started: true, Attempts: 1}},
	} {
		if got := Fold(tt.sts); len(got) != 1 || !reflect.DeepEqual(got[0], tt.want) {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if got := Fold(nil); len(got) != 0 {
		t.Errorf("nothing: %+v", got)
	}
}

func TestMet(t *testing.T) {
	item := func(id curriculum.ContentID, k curriculum.Kind, graded bool) curriculum.Item {
		return curriculum.Item{ID: id, Kind: k, Graded: graded}
	}
	all := []curriculum.Item{
		item("l1", curriculum.Lesson, false), item("l2", curriculum.Lesson, false), item("practice", curriculum.Quiz, false),
		item("exam", curriculum.Quiz, true), item("lab", curriculum.Lab, false),
	}
	third, hair, low := 2.0/3, 0.7-1e-12, 0.6999
	done := func(ids ...curriculum.ContentID) []Progress {
		var ps []Progress
		for _, id := range ids {
			ps = append(ps, Progress{ObjectID: id, Completed: true})
		}
		return ps
	}
	with := func(ps []Progress, score *float64) []Progress {
		return append(ps, Progress{ObjectID: "exam", Score: score})
	}
	for _, tt := range []struct {
		name  string
		items []curriculum.Item
		cr    curriculum.Criteria
		ps    []Progress
		want  bool
	}{
		{"nothing asked", all, curriculum.Criteria{}, with(done("l1", "l2", "practice", "lab"), &third), false},
		{"an empty course", nil, curriculum.Criteria{Lessons: true, Quizzes: 0.5, Labs: true}, nil, false},
		{"lessons asked and none there", all[4:], curriculum.Criteria{Lessons: true}, done("lab"), false},
		{"one lesson missing", all, curriculum.Criteria{Lessons: true}, done("l1"), false},
		{"lessons only", all, curriculum.Criteria{Lessons: true}, done("l1", "l2"), true},
		{"labs only", all, curriculum.Criteria{Labs: true}, done("lab"), true},
		{"labs only, not done", all, curriculum.Criteria{Labs: true}, done("l1", "l2"), false},
		{"quizzes only, not taken", all, curriculum.Criteria{Quizzes: 0.7}, done("exam"), false},
		{"quizzes only, practice does not count", all, curriculum.Criteria{Quizzes: 0.7}, []Progress{{ObjectID: "practice", Score: &third}}, false},
		{"quizzes only, too low", all, curriculum.Criteria{Quizzes: 0.7}, with(nil, &low), false},
		{"quizzes only, by a hair of rounding", all, curriculum.Criteria{Quizzes: 0.7}, with(nil, &hair), true},
		{"quizzes only, enough", all, curriculum.Criteria{Quizzes: 2.0 / 3}, with(nil, &third), true},
		{"everything", all, curriculum.Criteria{Lessons: true, Quizzes: 0.5, Labs: true}, with(done("l1", "l2", "lab"), &third), true},
		{"everything but the quiz", all, curriculum.Criteria{Lessons: true, Quizzes: 0.5, Labs: true}, done("l1", "l2", "lab"), false},
		{"started is not completed", all, curriculum.Criteria{Labs: true}, []Progress{{ObjectID: "lab", Started: true, Attempts: 3, Score: &third}}, false},
	} {
		m := curriculum.Manifest{Criteria: tt.cr, Modules: []curriculum.Module{{Items: tt.items}}}
		if got := Met(&m, tt.ps); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

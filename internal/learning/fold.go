package learning

import (
	"cmp"
	"slices"

	"github.com/banyan-lms/banyan/internal/curriculum"
)

// delta is what one statement adds to the progress on its object.
func delta(st Statement) Progress {
	p := Progress{EnrollmentID: st.EnrollmentID, ObjectID: st.ObjectID, Started: true, UpdatedAt: st.ReceivedAt}
	switch st.Verb {
	case Completed:
		p.Completed = true
	case Answered, Passed, Failed:
		if st.Result.Revision == 0 { // graded again, it is the same attempt
			p.Attempts = 1
		}
		p.Score = st.Result.Score
		p.Completed = st.Verb == Passed || (st.Result.Success != nil && *st.Result.Success)
	}
	return p
}

// superseded is what a verdict leaves behind when a later one has taken its place.
func superseded(p Progress) Progress {
	p.Completed, p.Score = false, nil
	return p
}

// merge folds b into a. It is commutative and associative, so that neither the
// order of statements nor the split of batches matters.
func merge(a, b Progress) Progress {
	a.Started = a.Started || b.Started
	a.Completed = a.Completed || b.Completed
	if a.Score == nil || (b.Score != nil && *b.Score > *a.Score) {
		a.Score = b.Score
	}
	a.Attempts += b.Attempts
	if b.UpdatedAt.After(a.UpdatedAt) {
		a.UpdatedAt = b.UpdatedAt
	}
	return a
}

// Fold derives progress from statements, one entry an object, sorted by
// enrollment and object so that concurrent writers lock rows in one order.
func Fold(sts []Statement) []Progress {
	f := newFolder(len(sts))
	for _, st := range sts {
		f.add(st)
	}
	return f.progress()
}

// folder folds statements one by one, in any order.
type folder struct {
	at  map[folded]int
	out []Progress
	// Verdicts are kept apart until all are known: the last on each submission is the one that tells.
	last map[judged]Statement
	// So are the attempts at quizzes that draw, by number: which of them count depends on all.
	drawn map[folded]map[int]Statement
}

type folded struct {
	e EnrollmentID
	o curriculum.ContentID
}

type judged struct {
	e          EnrollmentID
	submission string
}

func newFolder(n int) *folder {
	return &folder{at: make(map[folded]int, n), out: make([]Progress, 0, n)}
}

func (f *folder) add(st Statement) {
	if st.Result.Attempt > 0 {
		f.draw(st)
		return
	}
	if st.Result.SubmissionID == "" || st.Verb != Passed && st.Verb != Failed {
		f.merge(delta(st))
		return
	}
	k := judged{st.EnrollmentID, st.Result.SubmissionID}
	before, known := f.last[k]
	switch {
	case !known && f.last == nil:
		f.last = map[judged]Statement{k: st}
	case !known:
		f.last[k] = st
	case later(st, before):
		f.last[k] = st
		f.merge(superseded(delta(before)))
	default:
		f.merge(superseded(delta(st)))
	}
}

func (f *folder) draw(st Statement) {
	k := folded{st.EnrollmentID, st.ObjectID}
	if f.drawn == nil {
		f.drawn = map[folded]map[int]Statement{}
	}
	if f.drawn[k] == nil {
		f.drawn[k] = map[int]Statement{}
	}
	st.Result.Responses = nil // a long list of attempts should not stay in memory
	// Append takes one answer a number. Should there be two all the same, the first to arrive counts.
	if before, ok := f.drawn[k][st.Result.Attempt]; !ok || cmp.Or(st.ReceivedAt.Compare(before.ReceivedAt), cmp.Compare(st.ID, before.ID)) < 0 {
		f.drawn[k][st.Result.Attempt] = st
	}
}

// counted is what attempts at a quiz that draws amount to: each counts when all before it are there. So nobody
// can pass over draws to one that suits, and attempts may arrive in any order.
func counted(attempts map[int]Statement) Progress {
	var p Progress
	for _, st := range attempts {
		p = merge(p, Progress{EnrollmentID: st.EnrollmentID, ObjectID: st.ObjectID, Started: true, UpdatedAt: st.ReceivedAt})
		p.EnrollmentID, p.ObjectID = st.EnrollmentID, st.ObjectID
	}
	for n := 1; ; n++ {
		st, ok := attempts[n]
		if !ok {
			return p
		}
		p = merge(p, delta(st))
	}
}

// later tells whether a verdict takes the place of another. Two of one revision are none of our making; their
// ids decide, so that the order in which they come does not.
func later(a, b Statement) bool {
	return cmp.Or(cmp.Compare(a.Result.Revision, b.Result.Revision), cmp.Compare(a.ID, b.ID)) > 0
}

func (f *folder) merge(d Progress) {
	k := folded{d.EnrollmentID, d.ObjectID}
	if i, ok := f.at[k]; ok {
		f.out[i] = merge(f.out[i], d)
		return
	}
	f.at[k] = len(f.out)
	f.out = append(f.out, d)
}

// progress ends the fold.
func (f *folder) progress() []Progress {
	for _, st := range f.last {
		f.merge(delta(st))
	}
	for _, attempts := range f.drawn {
		f.merge(counted(attempts))
	}
	slices.SortFunc(f.out, func(a, b Progress) int {
		return cmp.Or(cmp.Compare(a.EnrollmentID, b.EnrollmentID), cmp.Compare(a.ObjectID, b.ObjectID))
	})
	return f.out
}

// Met tells whether progress meets a course's criteria. A course with nothing to do is never met.
func Met(m *curriculum.Manifest, ps []Progress) bool {
	by := make(map[curriculum.ContentID]Progress, len(ps))
	for _, p := range ps {
		by[p.ObjectID] = p
	}
	asked := false
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			p := by[it.ID]
			switch {
			case it.Kind == curriculum.Lesson && m.Criteria.Lessons, it.Kind == curriculum.Lab && m.Criteria.Labs:
				asked = true
				if !p.Completed {
					return false
				}
			case it.Kind == curriculum.Quiz && it.Graded && m.Criteria.Quizzes > 0:
				asked = true
				// The same hair of slack as in marking: see quiz.Mark.
				if p.Score == nil || *p.Score < m.Criteria.Quizzes-1e-9 {
					return false
				}
			}
		}
	}
	return asked
}

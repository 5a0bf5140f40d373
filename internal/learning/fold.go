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
		p.Attempts = 1
		p.Score = st.Result.Score
		p.Completed = st.Verb == Passed || (st.Result.Success != nil && *st.Result.Success)
	}
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
	type key struct {
		e EnrollmentID
		o curriculum.ContentID
	}
	at := make(map[key]int, len(sts))
	out := make([]Progress, 0, len(sts))
	for _, st := range sts {
		d, k := delta(st), key{st.EnrollmentID, st.ObjectID}
		if i, ok := at[k]; ok {
			out[i] = merge(out[i], d)
			continue
		}
		at[k] = len(out)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b Progress) int {
		return cmp.Or(cmp.Compare(a.EnrollmentID, b.EnrollmentID), cmp.Compare(a.ObjectID, b.ObjectID))
	})
	return out
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
				// The same hair of slack as in marking: see curriculum.Mark.
				if p.Score == nil || *p.Score < m.Criteria.Quizzes-1e-9 {
					return false
				}
			}
		}
	}
	return asked
}

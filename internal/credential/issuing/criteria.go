package issuing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Criteria are what an institution asks for its certificate of a course. They never change: another set is another
// row with the next number, and an award keeps those under which it was made. The zero Criteria are those of
// whoever set none: what the course itself asks, and nobody need approve.
type Criteria struct {
	ID            CriteriaID
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	Number        int // 1, 2, 3 … of the institution and the course
	Terms
	CreatedBy identity.UserID
	CreatedAt time.Time
}

// Terms are what criteria ask.
type Terms struct {
	// Items must be passed; a lesson is read. None: what the course itself asks. An item that a learner's version
	// of the course does not have is not asked of them.
	Items       []curriculum.ContentID
	MinScore    float64               // 0 to 1, on average over the graded quizzes and labs asked; 0: none
	Approval    bool                  // a person approves each award
	ConfirmName bool                  // staff confirms the holder's name
	AskHelp     bool                  // the learner says how much an AI helped
	Assessment  credential.Assessment // at least; Unsupervised asks for nothing
	Months      int                   // how long the certificate holds; 0: as the server has it, mostly without end
	Competences []string              // what it attests, of the course's; none: all of them
}

// scored tells whether there is a score of an item that counts.
func scored(it curriculum.Item) bool {
	return it.Kind == curriculum.Lab || it.Kind == curriculum.Quiz && it.Graded
}

// asked are the items of a course version that criteria ask for; whole tells that it is what the course itself asks.
func (t Terms) asked(m *curriculum.Manifest) (items []curriculum.Item, whole bool) {
	var all []curriculum.Item
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			all = append(all, it)
			if slices.Contains(t.Items, it.ID) {
				items = append(items, it)
			}
		}
	}
	if len(items) == 0 {
		return all, true
	}
	return items, false
}

// hair is the slack of a score: the same as in marking, see quiz.Mark.
const hair = 1e-9

// met tells whether progress meets criteria, and the score on average, nil where nothing asked is scored.
func (t Terms) met(m *curriculum.Manifest, ps []learning.Progress) (score *float64, ok bool) {
	by := make(map[curriculum.ContentID]learning.Progress, len(ps))
	for _, p := range ps {
		by[p.ObjectID] = p
	}
	items, whole := t.asked(m)
	sum, n := 0.0, 0
	for _, it := range items {
		p := by[it.ID]
		if !whole && !p.Completed {
			return nil, false
		}
		if !scored(it) {
			continue
		}
		n++
		switch {
		case p.Score != nil:
			sum += *p.Score
		case p.Completed:
			sum++
		}
	}
	if whole && !by[curriculum.ContentID(m.CourseID)].Completed {
		return nil, false
	}
	if n > 0 {
		average := min(1, sum/float64(n))
		score = &average
	}
	if t.MinScore > 0 && (score == nil || *score < t.MinScore-hair) {
		return nil, false
	}
	return score, true
}

// maxMonths is fifty years.
const maxMonths = 600

// SetCriteria sets what an institution asks for its certificate of a course. Its admins may. What was asked before
// still holds for awards that were made under it. The same again changes nothing.
func (s *Service) SetCriteria(ctx context.Context, by identity.Actor, in identity.InstitutionID, course curriculum.CourseID, t Terms) (Criteria, error) {
	if err := mayAdminister(by, in); err != nil {
		return Criteria{}, err
	}
	v, err := s.Courses.FindLatest(ctx, course)
	if err != nil {
		return Criteria{}, err
	}
	if t, err = t.checked(&v.Manifest); err != nil {
		return Criteria{}, err
	}
	before, err := s.Store.FindCurrentCriteria(ctx, in, course)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Criteria{}, err
	}
	if before.Number > 0 && equal(before.Terms, t) {
		return before, nil
	}
	c := Criteria{
		ID: CriteriaID(s.NewID()), InstitutionID: in, CourseID: course, Number: before.Number + 1, Terms: t,
		CreatedBy: by.UserID, CreatedAt: s.Now().UTC(),
	}
	j, err := job.New(job.ID(s.NewID()), CriteriaKind, criteriaPayload{InstitutionID: in, CourseID: course})
	if err != nil {
		return Criteria{}, err
	}
	j.Priority = job.Backlog
	return c, s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.CreateCriteria(ctx, c); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, j); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, c.CreatedAt, audit.CriteriaSet, map[string]any{"course": string(course), "number": c.Number}))
	})
}

// checked brings terms into order, or tells what is wrong with them.
func (t Terms) checked(m *curriculum.Manifest) (Terms, error) {
	bad := fault.New(fault.Invalid, "request.invalid")
	t.Assessment = cmp.Or(t.Assessment, credential.Unsupervised)
	if !t.Assessment.Known() {
		bad.At(fault.Detail{Pointer: "/assessment", Key: "criteria.bad_assessment"})
	}
	if t.Months < 0 || t.Months > maxMonths {
		bad.At(fault.Detail{Pointer: "/months", Key: "criteria.bad_months", Args: map[string]any{"Max": maxMonths}})
	}
	var items []curriculum.ContentID
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			if slices.Contains(t.Items, it.ID) {
				items = append(items, it.ID)
			}
		}
	}
	if slices.ContainsFunc(t.Items, func(id curriculum.ContentID) bool { return !slices.Contains(items, id) }) {
		bad.At(fault.Detail{Pointer: "/items", Key: "criteria.unknown_item"})
	}
	t.Items = items
	var competences []string
	for _, id := range m.Achievement.Competences {
		if slices.Contains(t.Competences, id) {
			competences = append(competences, id)
		}
	}
	if slices.ContainsFunc(t.Competences, func(id string) bool { return !slices.Contains(competences, id) }) {
		bad.At(fault.Detail{Pointer: "/competences", Key: "criteria.unknown_competence"})
	}
	t.Competences = competences
	asked, _ := t.asked(m)
	switch {
	case math.IsNaN(t.MinScore) || t.MinScore < 0 || t.MinScore > 1:
		bad.At(fault.Detail{Pointer: "/min_score", Key: "criteria.bad_score"})
	case t.MinScore > 0 && !slices.ContainsFunc(asked, scored):
		bad.At(fault.Detail{Pointer: "/min_score", Key: "criteria.nothing_scored"})
	}
	if len(bad.Details) > 0 {
		return Terms{}, bad
	}
	return t, nil
}

func equal(a, b Terms) bool {
	return slices.Equal(a.Items, b.Items) && slices.Equal(a.Competences, b.Competences) && a.MinScore == b.MinScore &&
		a.Approval == b.Approval && a.ConfirmName == b.ConfirmName && a.AskHelp == b.AskHelp && a.Assessment == b.Assessment && a.Months == b.Months
}

// ListCriteria lists what an institution asks for the courses for which it has set something, to its staff and the operator.
func (s *Service) ListCriteria(ctx context.Context, by identity.Actor, in identity.InstitutionID) ([]Criteria, error) {
	if err := mayLook(by, in, identity.Trainer, identity.Issuer, identity.Admin); err != nil {
		return nil, err
	}
	return s.Store.ListCriteria(ctx, in)
}

type criteriaPayload struct {
	InstitutionID identity.InstitutionID `json:"institution_id"`
	CourseID      curriculum.CourseID    `json:"course_id"`
}

// page is how many enrollments are looked at together.
const page = 100

// Reweigh implements job.Handler for CriteriaKind: it makes awards for learners who meet new criteria already.
func (s *Service) Reweigh(ctx context.Context, j job.Job) error {
	var p criteriaPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	var after learning.EnrollmentID
	for {
		es, err := s.Learning.ListInstitutionEnrollments(ctx, p.InstitutionID, after, page)
		if err != nil {
			return err
		}
		for _, e := range es {
			if after = e.ID; e.CourseID != p.CourseID {
				continue
			}
			// Who was recording a step while the criteria were set has not seen them, so nobody was asked to look at it, and
			// here the step is not seen before it is stored. Whoever begins after us sees the criteria.
			if err := s.Learning.AwaitEnrollment(ctx, e.ID); err != nil {
				return fmt.Errorf("await enrollment %s: %w", e.ID, err)
			}
			if err := s.weigh(ctx, e.ID, ""); err != nil {
				return fmt.Errorf("weigh enrollment %s: %w", e.ID, err)
			}
		}
		if len(es) < page {
			break
		}
	}
	_, err := s.Store.FinishJob(ctx, j.ID)
	return err
}

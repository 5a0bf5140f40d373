package learning

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning/wire"
)

// MaxBatch is how many statements one batch may carry.
const MaxBatch = 500

// AnswerStatus is what became of one statement of a batch.
type AnswerStatus string

// The statuses. A device may forget a statement with any of them: what was
// rejected will never be accepted.
const (
	Accepted  AnswerStatus = "accepted"
	Duplicate AnswerStatus = "duplicate"
	Rejected  AnswerStatus = "rejected"
	// Deferred is said by Sync alone: there is no such enrollment yet. The device keeps the statement.
	Deferred AnswerStatus = "deferred"
)

// Answer says what became of one statement.
type Answer struct {
	ID     string
	Status AnswerStatus
	Fault  *fault.Detail // with Rejected and Deferred
	Marked *quiz.Marked  // of an accepted or repeated answer to a quiz
	Stamp  Stamp         // where Sync has put it, when that is not where the device did
}

// Append takes a batch of statements from the actor's device, a JSON array,
// and answers each by itself: a bad one costs the others nothing, a repeat is
// acknowledged. It is a fault only when the batch as a whole cannot be read or stored.
func (s *Service) Append(ctx context.Context, by identity.Actor, batch json.RawMessage) ([]Answer, error) {
	if err := mayAppend(by); err != nil {
		return nil, err
	}
	ins, bad, err := wire.ReadStatements(batch)
	if err != nil {
		return nil, err
	}
	if len(ins) == 0 || len(ins) > MaxBatch {
		return nil, batchSize()
	}
	for i := range ins {
		if ins[i].Sequence != 0 && bad[i] == nil {
			if bad == nil {
				bad = map[int]*fault.Detail{}
			}
			bad[i] = &fault.Detail{Pointer: "/sequence", Key: "statement.malformed"}
		}
	}
	l, err := s.look(ctx, by, ins, bad)
	if err != nil || len(l.sts) == 0 {
		return l.answers, err
	}
	var answers []Answer
	err = s.Store.InTx(ctx, func(tx Store) error {
		answers = slices.Clone(l.answers)
		sts, err := s.settleDraws(ctx, tx, by, l, answers)
		if err != nil {
			return err
		}
		fresh, err := s.record(ctx, tx, sts)
		if err != nil || len(fresh) == len(sts) {
			return err
		}
		ids := make([]StatementID, 0, len(sts)-len(fresh))
		for _, st := range sts {
			if !fresh[st.ID] {
				ids = append(ids, st.ID)
			}
		}
		kept, err := tx.FindKept(ctx, ids)
		if err != nil {
			return err
		}
		repeat(answers, kept, by)
		return nil
	})
	return answers, err
}

func mayAppend(by identity.Actor) error {
	if by.UserID == "" {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(identity.ScopeLearn) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return nil
}

func batchSize() error {
	return fault.New(fault.Invalid, "request.invalid").
		At(fault.Detail{Pointer: "", Key: "statement.batch_size", Args: map[string]any{"Max": MaxBatch}})
}

// repeat answers those whose id is known already.
func repeat(answers []Answer, kept map[StatementID]Kept, by identity.Actor) {
	for i := range answers {
		a := &answers[i]
		k, known := kept[StatementID(a.ID)]
		switch {
		case !known || a.Status == Rejected || a.Status == Deferred:
		case k.UserID == by.UserID:
			a.Status = Duplicate
		default: // somebody else's statement has this id: a broken or a hostile client
			*a = Answer{ID: a.ID, Status: Rejected, Fault: &fault.Detail{Pointer: "/id", Key: "statement.id_taken"}}
		}
	}
}

// looked is a batch whose statements have been held against the rules, each by itself.
type looked struct {
	ins     []wire.Statement
	answers []Answer    // as far as they can be known without the record
	sts     []Statement // to be kept, in their order
	drawn   map[StatementID]quiz.Vault
}

// look checks each statement of a batch by itself.
func (s *Service) look(ctx context.Context, by identity.Actor, ins []wire.Statement, bad map[int]*fault.Detail) (looked, error) {
	known, err := s.enrollmentsOf(ctx, by, ins)
	if err != nil {
		return looked{}, err
	}
	now := s.Now()
	answers := make([]Answer, len(ins))
	sts := make([]Statement, 0, len(ins))
	seen := make(map[string]int, len(ins))
	drawn := map[StatementID]quiz.Vault{} // of answers to quizzes that draw
	for i := range ins {
		in := &ins[i]
		answers[i] = Answer{ID: in.ID, Status: Rejected}
		if bad[i] != nil {
			answers[i].Fault = bad[i]
			continue
		}
		c, err := s.check(ctx, in, known, now)
		if err != nil {
			return looked{}, err
		}
		if c.wrong != nil {
			answers[i].Fault = c.wrong
			continue
		}
		answers[i].Marked = c.marked
		if first, ok := seen[in.ID]; ok {
			// What is said belongs to the answer that is kept.
			answers[i].Status, answers[i].Marked = Duplicate, answers[first].Marked
			continue
		}
		seen[in.ID] = i
		answers[i].Status = Accepted
		sts = append(sts, c.st)
		if c.st.Result.Attempt > 0 {
			drawn[c.st.ID] = c.quiz
		}
	}
	return looked{ins: ins, answers: answers, sts: sts, drawn: drawn}, nil
}

func (s *Service) enrollmentsOf(ctx context.Context, by identity.Actor, ins []wire.Statement) (map[EnrollmentID]Enrollment, error) {
	var ids []EnrollmentID
	out := map[EnrollmentID]Enrollment{}
	for i := range ins {
		id := EnrollmentID(ins[i].EnrollmentID)
		if _, known := out[id]; !known && wire.IsV7(string(id)) {
			out[id] = Enrollment{}
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return out, nil
	}
	es, err := s.Store.FindEnrollments(ctx, ids)
	clear(out)
	for _, e := range es {
		if by.Is(e.UserID) { // others' do not exist for this actor
			out[e.ID] = e
		}
	}
	return out, err
}

// settleDraws finds out which answers to quizzes that draw their questions were here before: the same again, which
// is marked as it was, and another to an attempt that has been answered, which is rejected. What was said to the first would make
// the second an easy one. It puts that into the answers and gives the statements that are left.
func (s *Service) settleDraws(ctx context.Context, tx Store, by identity.Actor, l looked, answers []Answer) ([]Statement, error) {
	if len(l.drawn) == 0 {
		return l.sts, nil
	}
	// Two answers to one attempt at the same time would not see each other.
	if err := tx.LockLearners(ctx, by.UserID); err != nil {
		return nil, err
	}
	taken := map[folded]map[int]StatementID{}
	before := map[StatementID]Answer{}
	var left []Statement
	for _, st := range l.sts {
		n, k := st.Result.Attempt, folded{st.EnrollmentID, st.ObjectID}
		if n == 0 {
			left = append(left, st)
			continue
		}
		if taken[k] == nil {
			taken[k] = map[int]StatementID{}
			err := tx.EachAnswer(ctx, st.EnrollmentID, st.ObjectID, func(old Statement) error {
				taken[k][old.Result.Attempt] = old.ID
				v, again := l.drawn[old.ID]
				if !again {
					return nil
				}
				marked, err := quiz.Mark(v, seedOf(old), old.Result.Responses)
				before[old.ID] = Answer{ID: string(old.ID), Status: Duplicate, Marked: &marked}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		if _, again := before[st.ID]; again {
			continue
		}
		if _, answered := taken[k][n]; answered {
			before[st.ID] = Answer{ID: string(st.ID), Status: Rejected, Fault: &fault.Detail{Pointer: "/attempt", Key: "statement.attempt_answered"}}
			continue
		}
		taken[k][n] = st.ID
		left = append(left, st)
	}
	for i := range answers {
		a := &answers[i]
		if b, ok := before[StatementID(a.ID)]; ok && a.Status != Rejected {
			a.Status, a.Fault, a.Marked = b.Status, b.Fault, b.Marked
		}
	}
	return left, nil
}

func seedOf(st Statement) quiz.Seed {
	return quiz.Seed{Enrollment: string(st.EnrollmentID), Quiz: string(st.ObjectID), Attempt: st.Result.Attempt}
}

// checked is a statement that may be kept, or what is wrong with it.
type checked struct {
	st     Statement
	quiz   quiz.Vault // that it answers
	marked *quiz.Marked
	wrong  *fault.Detail
}

// check turns what a device sent into a statement. What the client claims of its
// own success counts for nothing: answers are marked here.
func (s *Service) check(ctx context.Context, in *wire.Statement, known map[EnrollmentID]Enrollment, now time.Time) (checked, error) {
	wrong := func(pointer, key string) (checked, error) {
		return checked{wrong: &fault.Detail{Pointer: pointer, Key: key}}, nil
	}
	if !wire.IsV7(in.ID) {
		return wrong("/id", "request.bad_id")
	}
	e, ok := known[EnrollmentID(in.EnrollmentID)]
	if !ok {
		return wrong("/enrollment_id", "enrollment.not_found")
	}
	at, err := time.Parse(time.RFC3339, in.At)
	at = at.UTC() // first: in UTC the year can be another one, and no format writes the year 10000
	if err != nil || at.Year() < 1900 || at.Year() > 9999 {
		return wrong("/at", "statement.bad_time")
	}
	v, err := s.Courses.FindVersion(ctx, e.VersionID)
	if err != nil {
		return checked{}, err
	}
	item, ok := v.Manifest.Item(curriculum.ContentID(in.ObjectID))
	if !ok {
		return wrong("/object_id", "statement.unknown_object")
	}
	st := Statement{
		ID: StatementID(in.ID), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID,
		Verb: Verb(in.Verb), ObjectID: item.ID, At: at, ReceivedAt: now,
	}
	if in.Responses != nil && st.Verb != Answered {
		return wrong("/responses", "statement.no_responses_here")
	}
	if in.Attempt != 0 && st.Verb != Answered {
		return wrong("/attempt", "statement.no_attempt_here")
	}
	switch {
	case st.Verb == Started, st.Verb == Completed && item.Kind == curriculum.Lesson:
		return checked{st: st}, nil
	case st.Verb != Answered || item.Kind != curriculum.Quiz:
		return wrong("/verb", "statement.bad_verb")
	}
	vault, err := s.Courses.OpenVault(ctx, v)
	if err != nil {
		return checked{}, err
	}
	q := vault.Quizzes[item.ID]
	switch {
	case !q.Draws() && in.Attempt != 0:
		return wrong("/attempt", "statement.no_attempt_here")
	case q.Draws() && (in.Attempt < 1 || in.Attempt > quiz.MaxAttempt):
		return wrong("/attempt", "statement.bad_attempt")
	}
	st.Result.Attempt = in.Attempt
	marked, err := quiz.Mark(q, seedOf(st), in.Responses)
	var bad *fault.Error
	if errors.As(err, &bad) && len(bad.Details) > 0 {
		d := bad.Details[0]
		d.Pointer = "/responses" + d.Pointer
		return checked{wrong: &d}, nil
	}
	if err != nil {
		return checked{}, err
	}
	st.Result.Responses, st.Result.Score, st.Result.Success = in.Responses, &marked.Score, &marked.Passed
	return checked{st: st, quiz: q, marked: &marked}, nil
}

package learning

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// MaxBatch is how many statements one batch may carry.
const MaxBatch = 500

// incoming is a statement as a device sends it.
type incoming struct {
	ID           string                     `json:"id"`
	EnrollmentID string                     `json:"enrollment_id"`
	Verb         string                     `json:"verb"`
	ObjectID     string                     `json:"object_id"`
	At           string                     `json:"at"`
	Responses    map[string]json.RawMessage `json:"responses"`
}

// AnswerStatus is what became of one statement of a batch.
type AnswerStatus string

// The statuses. A device may forget a statement with any of them: what was
// rejected will never be accepted.
const (
	Accepted  AnswerStatus = "accepted"
	Duplicate AnswerStatus = "duplicate"
	Rejected  AnswerStatus = "rejected"
)

// Answer says what became of one statement.
type Answer struct {
	ID     string
	Status AnswerStatus
	Fault  *fault.Detail      // with Rejected
	Marked *curriculum.Marked // of an accepted or repeated answer to a quiz
}

// Append takes a batch of statements from the actor's device, a JSON array,
// and answers each by itself: a bad one costs the others nothing, a repeat is
// acknowledged. It is a fault only when the batch as a whole cannot be read or stored.
func (s *Service) Append(ctx context.Context, by identity.Actor, batch json.RawMessage) ([]Answer, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(identity.ScopeLearn) {
		return nil, fault.New(fault.Denied, "token.scope_missing")
	}
	ins, bad, err := readBatch(batch)
	if err != nil {
		return nil, err
	}
	if len(ins) == 0 || len(ins) > MaxBatch {
		return nil, fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "", Key: "statement.batch_size", Args: map[string]any{"Max": MaxBatch}})
	}
	known, err := s.enrollmentsOf(ctx, by, ins)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	answers := make([]Answer, len(ins))
	sts := make([]Statement, 0, len(ins))
	seen := make(map[string]bool, len(ins))
	for i := range ins {
		in := &ins[i]
		answers[i] = Answer{ID: in.ID, Status: Rejected}
		if bad[i] != nil {
			answers[i].Fault = bad[i]
			continue
		}
		st, marked, wrong, err := s.check(ctx, in, known, now)
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			answers[i].Fault = wrong
			continue
		}
		answers[i].Marked = marked
		if seen[in.ID] {
			answers[i].Status = Duplicate
			continue
		}
		seen[in.ID] = true
		answers[i].Status = Accepted
		sts = append(sts, st)
	}
	if len(sts) == 0 {
		return answers, nil
	}
	return answers, s.Store.InTx(ctx, func(tx Store) error {
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
		owners, err := tx.StatementOwners(ctx, ids)
		if err != nil {
			return err
		}
		for i := range answers {
			a := &answers[i]
			owner, known := owners[StatementID(a.ID)]
			switch {
			case !known || a.Status == Rejected:
			case owner == by.UserID:
				a.Status = Duplicate
			default: // somebody else's statement has this id: a broken or a hostile client
				*a = Answer{ID: a.ID, Status: Rejected, Fault: &fault.Detail{Pointer: "/id", Key: "statement.id_taken"}}
			}
		}
		return nil
	})
}

// readBatch reads the whole batch at once, and item by item only when that
// fails, so that good batches cost one pass.
func readBatch(batch json.RawMessage) ([]incoming, map[int]*fault.Detail, error) {
	if ins, ok := quickBatch(batch); ok {
		return ins, nil, nil
	}
	var ins []incoming
	if err := strictly(batch, &ins); err == nil {
		return ins, nil, nil
	}
	var raws []json.RawMessage
	if err := json.Unmarshal(batch, &raws); err != nil {
		return nil, nil, fault.Wrap(fault.Invalid, "request.invalid", err).
			At(fault.Detail{Pointer: "", Key: "statement.not_a_list"})
	}
	ins = make([]incoming, len(raws))
	bad := map[int]*fault.Detail{}
	for i, raw := range raws {
		if err := strictly(raw, &ins[i]); err != nil {
			var id struct {
				ID string `json:"id"`
			}
			_ = json.Unmarshal(raw, &id) // as far as it can be read: the device wants to know which one
			ins[i] = incoming{ID: cutID(id.ID)}
			bad[i] = &fault.Detail{Pointer: "", Key: "statement.malformed"}
		}
	}
	return ins, bad, nil
}

func cutID(id string) string {
	if len(id) > 64 {
		return ""
	}
	return id
}

func strictly(raw json.RawMessage, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func (s *Service) enrollmentsOf(ctx context.Context, by identity.Actor, ins []incoming) (map[EnrollmentID]Enrollment, error) {
	var ids []EnrollmentID
	out := map[EnrollmentID]Enrollment{}
	for i := range ins {
		id := EnrollmentID(ins[i].EnrollmentID)
		if _, known := out[id]; !known && isV7(string(id)) {
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

// check turns what a device sent into a statement. What the client claims of its
// own success counts for nothing: answers are marked here.
func (s *Service) check(ctx context.Context, in *incoming, known map[EnrollmentID]Enrollment, now time.Time) (Statement, *curriculum.Marked, *fault.Detail, error) {
	wrong := func(pointer, key string) (Statement, *curriculum.Marked, *fault.Detail, error) {
		return Statement{}, nil, &fault.Detail{Pointer: pointer, Key: key}, nil
	}
	if !isV7(in.ID) {
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
		return Statement{}, nil, nil, err
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
	switch {
	case st.Verb == Started, st.Verb == Completed && item.Kind == curriculum.Lesson:
		return st, nil, nil, nil
	case st.Verb != Answered || item.Kind != curriculum.Quiz:
		return wrong("/verb", "statement.bad_verb")
	}
	vault, err := s.Courses.OpenVault(ctx, v)
	if err != nil {
		return Statement{}, nil, nil, err
	}
	marked, err := curriculum.Mark(vault.Quizzes[item.ID], in.Responses)
	var bad *fault.Error
	if errors.As(err, &bad) && len(bad.Details) > 0 {
		d := bad.Details[0]
		d.Pointer = "/responses" + d.Pointer
		return Statement{}, nil, &d, nil
	}
	if err != nil {
		return Statement{}, nil, nil, err
	}
	st.Result = Result{Responses: in.Responses, Score: &marked.Score, Success: &marked.Passed}
	return st, &marked, nil, nil
}

package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Regrade tries the lab of a newer course version on what was handed in for older ones. First it grades, which
// changes nothing for anybody; then somebody looks at what would change, and applies or discards it.
type Regrade struct {
	ID            RegradeID
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	LabID         curriculum.ContentID
	FromID        curriculum.VersionID // of the submissions; "" is every version but the target
	TargetID      curriculum.VersionID
	CreatedBy     identity.UserID // "" when the system did
	CreatedAt     time.Time
	Total         int // submissions to grade, as far as they are counted
	PlannedAt     time.Time
	Mode          Mode // "" until it is applied
	ApplyingAt    time.Time
	AppliedAt     time.Time
	DiscardedAt   time.Time
	Results       map[Change]int
	Applied       int // verdicts that took effect
}

// Mode says which results take effect.
type Mode string

// The modes. Favourable is what people expect of a lab that was at fault: nobody loses what they had.
const (
	Favourable Mode = "favourable"
	All        Mode = "all"
)

// Change is what a new verdict means to its learner.
type Change string

// The changes. A submission that was left without an answer by the author's fault is better off with any. Broken is
// what the newer lab cannot judge; it never takes effect.
const (
	Same   Change = "same"
	Better Change = "better"
	Worse  Change = "worse"
	Broken Change = "broken"
)

// State is how far a regrade is.
type State string

// The states, in order. Discarded may follow on the first two.
const (
	Running   State = "running"
	Ready     State = "ready"
	Applying  State = "applying"
	Applied   State = "applied"
	Discarded State = "discarded"
)

// Graded tells how many submissions are graded.
func (r Regrade) Graded() int {
	n := 0
	for _, c := range r.Results {
		n += c
	}
	return n
}

// State derives how far it is.
func (r Regrade) State() State {
	switch {
	case !r.DiscardedAt.IsZero():
		return Discarded
	case !r.AppliedAt.IsZero():
		return Applied
	case !r.ApplyingAt.IsZero():
		return Applying
	case !r.PlannedAt.IsZero() && r.Graded() >= r.Total:
		return Ready
	}
	return Running
}

// RegradeResult is what the newer lab says of one submission.
type RegradeResult struct {
	RegradeID     RegradeID
	SubmissionID  SubmissionID
	InstitutionID identity.InstitutionID
	UserID        identity.UserID
	HandedInAt    time.Time
	OldRevision   int // of the verdict in force when it was graded
	OldOutcome    Outcome
	OldScore      float64
	Verdict       Verdict // without submission, attempt and time
	Change        Change
	Applied       bool
}

// compare tells what a new verdict means to who has the old one.
func compare(before, after Verdict) Change {
	const hair = 1e-9
	switch {
	case !after.Outcome.Counts():
		return Broken
	case before.Outcome == AuthorError:
		return Better
	case (after.Outcome == Passed) != (before.Outcome == Passed):
		if after.Outcome == Passed {
			return Better
		}
		return Worse
	case after.Score > before.Score+hair:
		return Better
	case after.Score < before.Score-hair:
		return Worse
	}
	return Same
}

// Candidates say which submissions a regrade is about: of one lab in one institution, with a verdict in force that
// counts or is an author_error, and that comes from another version than the target.
type Candidates struct {
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	LabID         curriculum.ContentID
	FromID        curriculum.VersionID // "" is every version
	TargetID      curriculum.VersionID
}

// RegradeStore is what regrades need of storage.
type RegradeStore interface {
	// CreateRegrade stores a new regrade; for a known id it changes nothing and gives created false.
	CreateRegrade(ctx context.Context, r Regrade) (created bool, err error)
	// FindRegrade gives a regrade with its counts, or fault.NotFound.
	FindRegrade(ctx context.Context, id RegradeID) (Regrade, error)
	// LockRegrade is FindRegrade without counts, and makes others that lock it wait until this transaction ends.
	LockRegrade(ctx context.Context, id RegradeID) (Regrade, error)
	// ListRegrades lists an institution's, newest first; before is "" at first.
	ListRegrades(ctx context.Context, in identity.InstitutionID, before RegradeID, limit int) ([]Regrade, error)
	// UpdateRegrade stores what changes in the life of one: its total, mode and times.
	UpdateRegrade(ctx context.Context, r Regrade) error
	// ListCandidates lists submissions by id, after a cursor that is "" at first.
	ListCandidates(ctx context.Context, c Candidates, after SubmissionID, limit int) ([]SubmissionID, error)
	// PutResult stores a result. One that is known stays, unless it is a platform_error that has not been settled.
	PutResult(ctx context.Context, r RegradeResult) error
	// ListResults lists results by submission, after a cursor; change "" lists all.
	ListResults(ctx context.Context, id RegradeID, change Change, after SubmissionID, limit int) ([]RegradeResult, error)
	// ListOpenResults lists results that are not settled, in the order in which their submissions were handed in.
	ListOpenResults(ctx context.Context, id RegradeID, limit int) ([]RegradeResult, error)
	// SettleResult remembers that a result was dealt with, and whether it took effect.
	SettleResult(ctx context.Context, id RegradeID, sub SubmissionID, applied bool, at time.Time) error
	// ReviseVerdict stores a verdict as the next revision; the one in force is superseded and stays in the record.
	ReviseVerdict(ctx context.Context, v Verdict) error
	// ListEarlierVerdicts gives the superseded verdicts of submissions, oldest first.
	ListEarlierVerdicts(ctx context.Context, ids []SubmissionID) (map[SubmissionID][]Verdict, error)
}

// NewRegrade asks to try a lab on what was handed in for it.
type NewRegrade struct {
	ID            RegradeID // made by the client
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	LabID         curriculum.ContentID
	From          int // number of the version whose submissions are meant; 0 is every other than To
	To            int // number of the version whose lab is tried
}

// The kinds of jobs of a regrade. All are background work: learners who wait go first.
const (
	PlanRegradeKind  job.Kind = "lab.regrade.plan"
	RegradeKind      job.Kind = "lab.regrade"
	ApplyRegradeKind job.Kind = "lab.regrade.apply"
)

// RegradePayload names a regrade and, of its parts, the submission to grade or the last one that was planned.
type RegradePayload struct {
	RegradeID    RegradeID    `json:"regrade_id"`
	SubmissionID SubmissionID `json:"submission_id,omitempty"`
}

// So much is done in one transaction, and so many of these in one job: jobs stay short, lest a learner waits for a long one.
const (
	planAtOnce   = 200
	applyAtOnce  = 20
	applyRepeats = 5
)

// mayRegrade tells whether the actor teaches in the institution, or runs the server.
func mayRegrade(by identity.Actor, in identity.InstitutionID) bool {
	return by.Operates() || by.Has(in, identity.Trainer, identity.Admin)
}

// mayChange is mayRegrade for what changes something.
func mayChange(by identity.Actor, in identity.InstitutionID) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !mayRegrade(by, in):
		return fault.New(fault.Denied, "regrade.denied")
	case !by.Scoped(identity.ScopePublish):
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return nil
}

// StartRegrade begins to try a lab of a published version. Trainers and admins of the institution may,
// and the operator. The same again changes nothing and gives the first one with created false.
func (s *Service) StartRegrade(ctx context.Context, by identity.Actor, n NewRegrade) (r Regrade, created bool, err error) {
	if err := mayChange(by, n.InstitutionID); err != nil {
		return Regrade{}, false, err
	}
	if !isV7(string(n.ID)) {
		return Regrade{}, false, invalid("/id", "request.bad_id")
	}
	if n.From == n.To {
		return Regrade{}, false, invalid("/to", "regrade.same_version")
	}
	target, err := s.Courses.FindVersionNumber(ctx, n.CourseID, n.To)
	if err != nil {
		return Regrade{}, false, err
	}
	if _, _, err := s.lab(ctx, target.ID, n.LabID); err != nil {
		return Regrade{}, false, err
	}
	r = Regrade{
		ID: n.ID, InstitutionID: n.InstitutionID, CourseID: n.CourseID, LabID: n.LabID, TargetID: target.ID,
		CreatedBy: by.UserID, CreatedAt: s.Now(),
	}
	if n.From > 0 {
		from, err := s.Courses.FindVersionNumber(ctx, n.CourseID, n.From)
		if err != nil {
			return Regrade{}, false, err
		}
		r.FromID = from.ID
	}
	work, err := s.regradeJob(PlanRegradeKind, RegradePayload{RegradeID: r.ID})
	if err != nil {
		return Regrade{}, false, err
	}
	err = s.Store.InTx(ctx, func(tx Store) error {
		if created, err = tx.CreateRegrade(ctx, r); err != nil || !created {
			return err
		}
		return tx.Enqueue(ctx, work)
	})
	if err != nil {
		return Regrade{}, false, err
	}
	first, err := s.Store.FindRegrade(ctx, r.ID)
	if err != nil {
		return Regrade{}, false, err
	}
	if first.InstitutionID != r.InstitutionID || first.CourseID != r.CourseID || first.LabID != r.LabID || first.FromID != r.FromID || first.TargetID != r.TargetID {
		return Regrade{}, false, fault.New(fault.Conflict, "regrade.id_taken")
	}
	return first, created, nil
}

func (s *Service) regradeJob(k job.Kind, p RegradePayload) (job.Job, error) {
	return job.NewBackground(job.ID(s.NewID()), k, job.Regrade, p)
}

func regradeOf(j job.Job) (p RegradePayload, err error) {
	if err = json.Unmarshal(j.Payload, &p); err != nil {
		err = fmt.Errorf("payload of job %s: %w", j.ID, err)
	}
	return p, err
}

// PlanRegrade implements job.Handler for PlanRegradeKind: it asks for a job for each of the next submissions, and
// for itself while there are more.
func (s *Service) PlanRegrade(ctx context.Context, j job.Job) error {
	p, err := regradeOf(j)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if mine, err := tx.FinishJob(ctx, j.ID); err != nil || !mine {
			return err
		}
		r, err := tx.LockRegrade(ctx, p.RegradeID)
		if err != nil || !r.DiscardedAt.IsZero() {
			return err
		}
		ids, err := tx.ListCandidates(ctx, Candidates{
			InstitutionID: r.InstitutionID, CourseID: r.CourseID, LabID: r.LabID, FromID: r.FromID, TargetID: r.TargetID,
		}, p.SubmissionID, planAtOnce)
		if err != nil {
			return err
		}
		for _, id := range ids {
			work, err := s.regradeJob(RegradeKind, RegradePayload{RegradeID: r.ID, SubmissionID: id})
			if err != nil {
				return err
			}
			if err := tx.Enqueue(ctx, work); err != nil {
				return err
			}
		}
		r.Total += len(ids)
		if len(ids) < planAtOnce {
			r.PlannedAt = s.Now()
			return tx.UpdateRegrade(ctx, r)
		}
		if err := tx.UpdateRegrade(ctx, r); err != nil {
			return err
		}
		more, err := s.regradeJob(PlanRegradeKind, RegradePayload{RegradeID: r.ID, SubmissionID: ids[len(ids)-1]})
		if err != nil {
			return err
		}
		return tx.Enqueue(ctx, more)
	})
}

// Regrade implements job.Handler for RegradeKind: it grades one submission against the newer lab and keeps what comes
// out beside the verdict in force. It takes no effect yet. An error is the platform's.
func (s *Service) Regrade(ctx context.Context, j job.Job) error {
	p, err := regradeOf(j)
	if err != nil {
		return err
	}
	r, err := s.Store.FindRegrade(ctx, p.RegradeID)
	if err != nil {
		return err
	}
	if !r.DiscardedAt.IsZero() {
		return s.Store.InTx(ctx, func(tx Store) error {
			_, err := tx.FinishJob(ctx, j.ID)
			return err
		})
	}
	res, files, err := s.resultOf(ctx, p)
	if err != nil {
		return err
	}
	l, _, err := s.lab(ctx, r.TargetID, r.LabID)
	if err != nil {
		return err
	}
	after := Verdict{Outcome: AuthorError, Message: MessageAuthor, Runtime: s.Grader.Runtime(), Fault: "the entry file has another name: " + l.Entry}
	if _, ok := files[l.Entry]; len(files) == 0 {
		after = Verdict{Outcome: res.OldOutcome, Score: res.OldScore, Runtime: after.Runtime} // the learner was erased, and the work with them
	} else if ok {
		if after, err = s.Grader.Grade(ctx, l, files); err != nil {
			return fmt.Errorf("grade submission %s again: %w", p.SubmissionID, err)
		}
	}
	after.VersionID = r.TargetID
	return s.keepResult(ctx, j, res, after)
}

// resultOf readies the result of a submission: all but what comes out.
func (s *Service) resultOf(ctx context.Context, p RegradePayload) (RegradeResult, map[string]string, error) {
	sub, err := s.Store.FindSubmission(ctx, p.SubmissionID)
	if err != nil {
		return RegradeResult{}, nil, err
	}
	before, err := s.Store.FindVerdict(ctx, p.SubmissionID)
	return RegradeResult{
		RegradeID: p.RegradeID, SubmissionID: sub.ID, InstitutionID: sub.InstitutionID, UserID: sub.UserID, HandedInAt: sub.CreatedAt,
		OldRevision: before.Revision, OldOutcome: before.Outcome, OldScore: before.Score,
	}, sub.Files, err
}

// keepResult ends the job of one submission.
func (s *Service) keepResult(ctx context.Context, j job.Job, res RegradeResult, after Verdict) error {
	res.Verdict = after
	res.Change = compare(Verdict{Outcome: res.OldOutcome, Score: res.OldScore}, after)
	return s.Store.InTx(ctx, func(tx Store) error {
		if mine, err := tx.FinishJob(ctx, j.ID); err != nil || !mine {
			return err
		}
		return tx.PutResult(ctx, res)
	})
}

// RegradeParked is called when the grading of one submission was given up. The regrade goes on without it; should the
// operator have it done again in time, its result takes this one's place.
func (s *Service) RegradeParked(ctx context.Context, j job.Job, _ error) error {
	p, err := regradeOf(j)
	if err != nil {
		return err
	}
	res, _, err := s.resultOf(ctx, p)
	if err != nil {
		return err
	}
	res.Verdict, res.Change = Verdict{Outcome: PlatformError, Message: MessagePlatform, Runtime: s.Grader.Runtime()}, Broken
	return s.Store.PutResult(ctx, res)
}

// FindRegrade gives a regrade of an institution to who may start one there. For others it does not exist.
func (s *Service) FindRegrade(ctx context.Context, by identity.Actor, in identity.InstitutionID, id RegradeID) (Regrade, error) {
	if by.Anonymous() {
		return Regrade{}, fault.New(fault.Unauthenticated, "session.required")
	}
	if !mayRegrade(by, in) {
		return Regrade{}, fault.New(fault.Denied, "regrade.denied")
	}
	r, err := s.Store.FindRegrade(ctx, id)
	if err == nil && r.InstitutionID != in {
		return Regrade{}, fault.New(fault.NotFound, "regrade.not_found")
	}
	return r, err
}

// ListRegrades lists an institution's, newest first; before is "" at first.
func (s *Service) ListRegrades(ctx context.Context, by identity.Actor, in identity.InstitutionID, before RegradeID, limit int) ([]Regrade, error) {
	if by.Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	if !mayRegrade(by, in) {
		return nil, fault.New(fault.Denied, "regrade.denied")
	}
	return s.Store.ListRegrades(ctx, in, before, limit)
}

// ListResults lists what came out so far, by submission; change "" lists all.
func (s *Service) ListResults(ctx context.Context, by identity.Actor, in identity.InstitutionID, id RegradeID, change Change, after SubmissionID, limit int) ([]RegradeResult, error) {
	if _, err := s.FindRegrade(ctx, by, in, id); err != nil {
		return nil, err
	}
	return s.Store.ListResults(ctx, id, change, after, limit)
}

// DiscardRegrade ends a regrade without effect, while it runs or when it is ready. Twice is no error.
func (s *Service) DiscardRegrade(ctx context.Context, by identity.Actor, in identity.InstitutionID, id RegradeID) error {
	if err := mayChange(by, in); err != nil {
		return err
	}
	if _, err := s.FindRegrade(ctx, by, in, id); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		r, err := tx.LockRegrade(ctx, id)
		switch {
		case err != nil, !r.DiscardedAt.IsZero():
			return err
		case !r.ApplyingAt.IsZero():
			return fault.New(fault.Conflict, "regrade.applied")
		}
		r.DiscardedAt = s.Now()
		return tx.UpdateRegrade(ctx, r)
	})
}

// ApplyRegrade lets the results of a ready regrade take effect: those in the learner's favour, or all. It asks for
// the work and gives the regrade. Twice the same is no error.
func (s *Service) ApplyRegrade(ctx context.Context, by identity.Actor, in identity.InstitutionID, id RegradeID, mode Mode) (Regrade, error) {
	if err := mayChange(by, in); err != nil {
		return Regrade{}, err
	}
	if _, err := s.FindRegrade(ctx, by, in, id); err != nil {
		return Regrade{}, err
	}
	if mode != Favourable && mode != All {
		return Regrade{}, invalid("/mode", "regrade.bad_mode")
	}
	work, err := s.regradeJob(ApplyRegradeKind, RegradePayload{RegradeID: id})
	if err != nil {
		return Regrade{}, err
	}
	err = s.Store.InTx(ctx, func(tx Store) error {
		r, err := tx.LockRegrade(ctx, id)
		if err != nil {
			return err
		}
		counted, err := tx.FindRegrade(ctx, id)
		if err != nil {
			return err
		}
		switch counted.State() {
		case Running:
			return fault.New(fault.Conflict, "regrade.not_ready")
		case Discarded:
			return fault.New(fault.Conflict, "regrade.discarded")
		case Applying, Applied:
			if r.Mode != mode {
				return fault.New(fault.Conflict, "regrade.applied")
			}
			return nil
		}
		r.Mode, r.ApplyingAt = mode, s.Now()
		if err := tx.UpdateRegrade(ctx, r); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, work); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, r.ApplyingAt, audit.RegradeApplied, map[string]any{"regrade": string(id), "mode": string(mode)}))
	})
	if err != nil {
		return Regrade{}, err
	}
	return s.Store.FindRegrade(ctx, id)
}

// Apply implements job.Handler for ApplyRegradeKind. Each transaction takes the next few results in the order in which
// they were handed in; one that is killed starts again where the last has ended, and two at once wait for each other.
func (s *Service) Apply(ctx context.Context, j job.Job) error {
	p, err := regradeOf(j)
	if err != nil {
		return err
	}
	for range applyRepeats {
		over := false
		err := s.Store.InTx(ctx, func(tx Store) error {
			over, err = s.applySome(ctx, tx, p.RegradeID, j.ID)
			return err
		})
		if err != nil || over {
			return err
		}
	}
	more, err := s.regradeJob(ApplyRegradeKind, p)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if mine, err := tx.FinishJob(ctx, j.ID); err != nil || !mine {
			return err
		}
		return tx.Enqueue(ctx, more)
	})
}

// applySome settles the next few results; over means that none is left, or that the regrade is not to be applied.
func (s *Service) applySome(ctx context.Context, tx Store, id RegradeID, j job.ID) (over bool, err error) {
	r, err := tx.LockRegrade(ctx, id)
	if err != nil {
		return false, err
	}
	var open []RegradeResult
	if r.State() == Applying {
		if open, err = tx.ListOpenResults(ctx, id, applyAtOnce); err != nil {
			return false, err
		}
	}
	learners := make([]identity.UserID, len(open))
	for i, res := range open {
		learners[i] = res.UserID
	}
	if err := tx.Learning().LockLearners(ctx, learners...); err != nil {
		return false, err
	}
	for _, res := range open {
		applied, err := s.applyOne(ctx, tx, r, res)
		if err != nil {
			return false, fmt.Errorf("apply the new verdict on %s: %w", res.SubmissionID, err)
		}
		if err := tx.SettleResult(ctx, id, res.SubmissionID, applied, s.Now()); err != nil {
			return false, err
		}
	}
	if len(open) == applyAtOnce {
		return false, nil
	}
	if r.State() == Applying {
		r.AppliedAt = s.Now()
		if err := tx.UpdateRegrade(ctx, r); err != nil {
			return false, err
		}
	}
	_, err = tx.FinishJob(ctx, j)
	return true, err
}

// applyOne lets one result take effect, if it is to.
func (s *Service) applyOne(ctx context.Context, tx Store, r Regrade, res RegradeResult) (bool, error) {
	if res.Change != Better && (res.Change != Worse || r.Mode != All) {
		return false, nil
	}
	sub, err := tx.FindSubmission(ctx, res.SubmissionID)
	if err != nil {
		return false, err
	}
	if err := tx.Learning().LockEnrollment(ctx, sub.EnrollmentID); err != nil {
		return false, err
	}
	before, err := tx.FindVerdict(ctx, sub.ID)
	if err != nil {
		return false, err
	}
	if before.Revision != res.OldRevision {
		return false, nil // another regrade was faster: nobody has looked at what this one would change now
	}
	v := res.Verdict
	v.SubmissionID, v.CreatedAt, v.RegradeID = sub.ID, s.Now(), r.ID
	v.Attempt, v.Revision = before.Attempt, before.Revision+1
	revision := v.Revision
	if before.Attempt == 0 { // it has cost nothing so far, and there is no statement yet
		n, err := tx.CountAttempts(ctx, sub.EnrollmentID, sub.LabID)
		if err != nil {
			return false, err
		}
		v.Attempt, revision = n+1, 0
	}
	if err := tx.ReviseVerdict(ctx, v); err != nil {
		return false, err
	}
	st := s.judgement(sub, v)
	st.Result.Revision = revision
	if res.Change == Worse {
		return true, s.Learning.Revise(ctx, tx.Learning(), st)
	}
	return true, s.Learning.Record(ctx, tx.Learning(), st)
}

// judgement tells learning of a verdict that counts.
func (s *Service) judgement(sub Submission, v Verdict) learning.Statement {
	verb, success := learning.Failed, v.Outcome == Passed
	if success {
		verb = learning.Passed
	}
	return s.statement(sub, verb, learning.Result{Score: &v.Score, Success: &success})
}

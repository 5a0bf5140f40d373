package issuing

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Award is what a learner has earned: a certificate that is due, or that still waits for somebody. There is one for an enrollment.
type Award struct {
	ID            AwardID
	EnrollmentID  learning.EnrollmentID
	UserID        identity.UserID
	InstitutionID identity.InstitutionID
	CourseID      curriculum.CourseID
	VersionID     curriculum.VersionID
	CriteriaID    CriteriaID // under which it was made; "" for none
	State         AwardState
	Score         *float64 // 0 to 1, on average, when it was made

	AIHelp     credential.AIHelp
	Assessment credential.Assessment
	AssessedBy identity.UserID // who attests the level; "" when nobody did
	AssessedAt time.Time
	ApprovedBy identity.UserID
	ApprovedAt time.Time
	// DelegationID is the delegation that has paid for it; "" when none did.
	DelegationID    DelegationID
	Name            string // as staff confirmed it; "" before
	NameConfirmedBy identity.UserID
	NameConfirmedAt time.Time
	RefusedBy       identity.UserID
	RefusedAt       time.Time
	RefusedReason   string
	CredentialID    credential.ID

	Revision  int // grows with each change
	CreatedAt time.Time
	ChangedAt time.Time
}

// AwardState is how far an award is.
type AwardState string

// The states. What is ready is being signed; what is refused may be approved later; what is issued stays.
const (
	Waiting AwardState = "waiting"
	Ready   AwardState = "ready"
	Refused AwardState = "refused"
	Issued  AwardState = "issued"
)

// Want is what a waiting award lacks.
type Want string

// The wants.
const (
	WantApproval    Want = "approval"
	WantAssessment  Want = "assessment"
	WantName        Want = "name"
	WantDeclaration Want = "declaration" // the learner's
)

// Wants tells what an award lacks under its criteria.
func (a Award) Wants(c Criteria) []Want {
	var out []Want
	if a.State == Refused || a.State == Issued {
		return out
	}
	if c.Approval && a.ApprovedAt.IsZero() {
		out = append(out, WantApproval)
	}
	if !a.Assessment.Reaches(c.Assessment) {
		out = append(out, WantAssessment)
	}
	if c.ConfirmName && a.NameConfirmedAt.IsZero() {
		out = append(out, WantName)
	}
	if c.AskHelp && !a.AIHelp.Declared() {
		out = append(out, WantDeclaration)
	}
	return out
}

// settle sets the state that follows from what is there, and tells whether the award became ready by it.
func (a *Award) settle(c Criteria) (ready bool) {
	if a.State != Waiting && a.State != Ready {
		return false
	}
	before := a.State
	a.State = Ready
	if len(a.Wants(c)) > 0 {
		a.State = Waiting
	}
	return before == Waiting && a.State == Ready
}

// AwardFilter says which awards of an institution are asked for. Its zero value is all.
type AwardFilter struct {
	State    AwardState
	CourseID curriculum.CourseID
}

// Weigh implements job.Handler for learning.CompletedKind and learning.ProgressedKind: it makes an award when the enrollment meets
// its institution's criteria, and asks for the signature when nothing is missing. An enrollment gets one
// award, however often its jobs are run.
func (s *Service) Weigh(ctx context.Context, j job.Job) error {
	var p learning.CompletedPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	return s.weigh(ctx, p.EnrollmentID, j.ID)
}

// weigh looks at an enrollment and marks the job done that asked for it, if one did.
func (s *Service) weigh(ctx context.Context, id learning.EnrollmentID, asked job.ID) error {
	finish := func(ctx context.Context, tx Store) (bool, error) {
		if asked == "" {
			return true, nil
		}
		return tx.FinishJob(ctx, asked)
	}
	a, c, earned, err := s.earned(ctx, id)
	if err != nil {
		return err
	}
	if !earned {
		_, err := finish(ctx, s.Store)
		return err
	}
	a.settle(c)
	err = s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := finish(ctx, tx); err != nil || !fresh {
			return err
		}
		if err := tx.CreateAward(ctx, a); err != nil {
			return err
		}
		if a.State != Ready {
			return nil
		}
		return s.ask(ctx, tx, job.Waiting, a.ID)
	})
	if hasKey(err, "award.exists") { // somebody was faster
		_, err = finish(ctx, s.Store)
	}
	return err
}

// earned tells whether an enrollment meets its criteria and has neither award nor credential.
func (s *Service) earned(ctx context.Context, id learning.EnrollmentID) (Award, Criteria, bool, error) {
	none := func(err error) (Award, Criteria, bool, error) { return Award{}, Criteria{}, false, err }
	if _, err := s.Store.FindAwardOf(ctx, id); err == nil || !fault.Is(err, fault.NotFound) {
		return none(err)
	}
	if _, err := s.Store.FindCredentialOf(ctx, id); err == nil || !fault.Is(err, fault.NotFound) {
		return none(err) // one of old, from before there were awards
	}
	e, err := s.Learning.FindEnrollment(ctx, id)
	if err != nil {
		return none(fmt.Errorf("find enrollment %s: %w", id, err))
	}
	if u, err := s.People.FindUser(ctx, e.UserID); err != nil || u.Erased {
		return none(err) // nothing is awarded to nobody
	}
	c, err := s.Store.FindCurrentCriteria(ctx, e.InstitutionID, e.CourseID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return none(err)
	}
	v, err := s.Courses.FindVersion(ctx, e.VersionID)
	if err != nil {
		return none(fmt.Errorf("find course version %s: %w", e.VersionID, err))
	}
	ps, err := s.Learning.ListProgress(ctx, id)
	if err != nil {
		return none(err)
	}
	score, met := c.met(&v.Manifest, ps)
	if !met {
		return none(nil)
	}
	now := s.Now().UTC()
	return Award{
		ID: AwardID(s.NewID()), EnrollmentID: e.ID, UserID: e.UserID, InstitutionID: e.InstitutionID, CourseID: e.CourseID, VersionID: e.VersionID,
		CriteriaID: c.ID, State: Waiting, Score: score, AIHelp: credential.Undeclared, Assessment: credential.Unsupervised,
		Revision: 1, CreatedAt: now, ChangedAt: now,
	}, c, true, nil
}

// Decide approves an award or, with a reason, refuses it. Issuers and admins of its institution may. What is refused may be
// approved later; a certificate that is issued is suspended or revoked instead: fault.Conflict award.issued.
func (s *Service) Decide(ctx context.Context, by identity.Actor, in identity.InstitutionID, id AwardID, approve bool, reason string) (Shown, error) {
	var err error
	if !approve {
		if reason, err = credential.CheckReason(reason); err != nil {
			return Shown{}, err
		}
	}
	return s.act(ctx, by, in, id, func(_ Criteria, a *Award, now time.Time) (audit.Kind, map[string]any) {
		switch {
		case approve && (a.State == Refused || a.ApprovedAt.IsZero()):
			a.State = Waiting
			a.ApprovedBy, a.ApprovedAt = by.UserID, now
			a.RefusedBy, a.RefusedAt, a.RefusedReason = "", time.Time{}, ""
			return audit.AwardApproved, map[string]any{}
		case !approve && a.State != Refused:
			a.State = Refused
			a.ApprovedBy, a.ApprovedAt = "", time.Time{}
			a.RefusedBy, a.RefusedAt, a.RefusedReason = by.UserID, now, reason
			return audit.AwardRefused, map[string]any{"reason": reason}
		}
		return "", nil
	})
}

// Assess says under whose eyes the learner was assessed; who says so stands in the log. Who may approve may do so.
func (s *Service) Assess(ctx context.Context, by identity.Actor, in identity.InstitutionID, id AwardID, level credential.Assessment) (Shown, error) {
	if !level.Known() {
		return Shown{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/assessment", Key: "criteria.bad_assessment"})
	}
	return s.act(ctx, by, in, id, func(_ Criteria, a *Award, now time.Time) (audit.Kind, map[string]any) {
		if a.Assessment == level {
			return "", nil
		}
		a.Assessment, a.AssessedBy, a.AssessedAt = level, by.UserID, now
		return audit.AwardAssessed, map[string]any{"assessment": string(level)}
	})
}

// ConfirmName says that the holder's name is the right one. The name is given as it was seen, and must still be the
// learner's: fault.Conflict award.name_changed. Who may approve may do so.
func (s *Service) ConfirmName(ctx context.Context, by identity.Actor, in identity.InstitutionID, id AwardID, name string) (Shown, error) {
	if err := mayIssue(by, in); err != nil {
		return Shown{}, err
	}
	a, err := s.find(ctx, in, id)
	if err != nil {
		return Shown{}, err
	}
	now, _, err := s.HolderName(ctx, a.UserID)
	if err != nil {
		return Shown{}, err
	}
	if strings.TrimSpace(name) != now {
		return Shown{}, fault.New(fault.Conflict, "award.name_changed")
	}
	return s.act(ctx, by, in, id, func(_ Criteria, a *Award, at time.Time) (audit.Kind, map[string]any) {
		if a.Name == now {
			return "", nil
		}
		a.Name, a.NameConfirmedBy, a.NameConfirmedAt = now, by.UserID, at
		return audit.NameConfirmed, map[string]any{}
	})
}

// Declare says how much an AI helped. Only the learner may, until the certificate is issued.
func (s *Service) Declare(ctx context.Context, by identity.Actor, id AwardID, help credential.AIHelp) (Shown, error) {
	switch {
	case by.UserID == "":
		return Shown{}, fault.New(fault.Unauthenticated, "session.required")
	case !by.Scoped(identity.ScopeLearn):
		return Shown{}, fault.New(fault.Denied, "token.scope_missing")
	case !help.Declared():
		return Shown{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/ai_help", Key: "award.bad_help"})
	}
	a, err := s.Store.FindAward(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	if !by.Is(a.UserID) {
		return Shown{}, fault.New(fault.NotFound, "award.not_found")
	}
	a, err = s.change(ctx, by, id, nil, func(_ Criteria, a *Award, _ time.Time) (audit.Kind, map[string]any) {
		if a.AIHelp == help {
			return "", nil
		}
		a.AIHelp = help
		return audit.AwardDeclared, map[string]any{"ai_help": string(help)}
	})
	return s.shown(ctx, a, err)
}

// doing changes an award that is not issued, and says what it did for the log; "" is nothing.
type doing func(c Criteria, a *Award, now time.Time) (audit.Kind, map[string]any)

// act changes an award in the name of staff.
func (s *Service) act(ctx context.Context, by identity.Actor, in identity.InstitutionID, id AwardID, do doing) (Shown, error) {
	if err := mayIssue(by, in); err != nil {
		return Shown{}, err
	}
	a, err := s.find(ctx, in, id)
	if err != nil {
		return Shown{}, err
	}
	purse, err := s.purse(ctx, by, a.InstitutionID)
	if err != nil {
		return Shown{}, err
	}
	if err := purse.covers(a.CourseID, s.Now()); err != nil {
		return Shown{}, err
	}
	a, err = s.change(ctx, by, id, purse, do)
	return s.shown(ctx, a, err)
}

func (s *Service) find(ctx context.Context, in identity.InstitutionID, id AwardID) (Award, error) {
	a, err := s.Store.FindAward(ctx, id)
	if err == nil && a.InstitutionID != in {
		err = fault.New(fault.NotFound, "award.not_found")
	}
	return a, err
}

// change does one thing to a locked award, takes it from the purse where it is given away by that, and asks for the signature when
// nothing is missing any more. All of it is one transaction.
func (s *Service) change(ctx context.Context, by identity.Actor, id AwardID, from purse, do doing) (Award, error) {
	var a Award
	err := s.Store.InTx(ctx, func(tx Store) error {
		as, err := tx.LockAwards(ctx, []AwardID{id})
		if err != nil {
			return err
		}
		if len(as) == 0 {
			return fault.New(fault.NotFound, "award.not_found")
		}
		a = as[0]
		var log journal
		ready, err := s.apply(ctx, tx, by.UserID, &a, from, do, &log)
		if err != nil || len(log) == 0 {
			return err
		}
		if ready {
			if err := s.ask(ctx, tx, job.Waiting, a.ID); err != nil {
				return err
			}
		}
		return log.write(ctx, tx)
	})
	return a, err
}

// apply does one thing to a locked award and stores it.
func (s *Service) apply(ctx context.Context, tx Store, by identity.UserID, a *Award, from purse, do doing, log *journal) (ready bool, err error) {
	if a.State == Issued {
		return false, fault.New(fault.Conflict, "award.issued")
	}
	c, err := s.criteriaOf(ctx, tx, *a)
	if err != nil {
		return false, err
	}
	now := s.Now().UTC()
	kind, data := do(c, a, now)
	if kind == "" {
		return false, nil
	}
	ready = a.settle(c)
	switch {
	case a.State == Refused && a.DelegationID != "":
		if err := tx.ReturnDelegation(ctx, a.DelegationID); err != nil {
			return false, err
		}
		a.DelegationID = ""
	case from != nil && a.DelegationID == "" && (ready || kind == audit.AwardApproved):
		if a.DelegationID, err = from.spend(ctx, tx, a.CourseID, now); err != nil {
			return false, err
		}
	}
	a.Revision++
	a.ChangedAt = now
	if err := tx.UpdateAward(ctx, *a); err != nil {
		return false, err
	}
	data["award"], data["user"], data["course"] = string(a.ID), string(a.UserID), string(a.CourseID)
	log.add(audit.New(a.InstitutionID, by, now, kind, data))
	return ready, nil
}

func (s *Service) criteriaOf(ctx context.Context, st Store, a Award) (Criteria, error) {
	if a.CriteriaID == "" {
		return Criteria{}, nil
	}
	return st.FindCriteria(ctx, a.CriteriaID)
}

// Shown is an award with what people want to know beside it.
type Shown struct {
	Award
	Criteria  Criteria
	Wants     []Want
	Username  string
	Holder    string // the name that will stand on the certificate
	Confirmed bool   // by the learner
}

func (s *Service) shown(ctx context.Context, a Award, err error) (Shown, error) {
	if err != nil {
		return Shown{}, err
	}
	out, err := s.show(ctx, []Award{a})
	if err != nil {
		return Shown{}, err
	}
	return out[0], nil
}

func (s *Service) show(ctx context.Context, as []Award) ([]Shown, error) {
	out := make([]Shown, len(as))
	known := map[CriteriaID]Criteria{"": {}}
	for i, a := range as {
		c, ok := known[a.CriteriaID]
		if !ok {
			var err error
			if c, err = s.criteriaOf(ctx, s.Store, a); err != nil {
				return nil, err
			}
			known[a.CriteriaID] = c
		}
		u, err := s.People.FindUser(ctx, a.UserID)
		if err != nil {
			return nil, fmt.Errorf("find user %s: %w", a.UserID, err)
		}
		out[i] = Shown{Award: a, Criteria: c, Wants: a.Wants(c), Username: u.Username}
		if out[i].Holder, out[i].Confirmed, err = s.HolderName(ctx, a.UserID); err != nil {
			return nil, err
		}
		if a.Name != "" {
			out[i].Holder = a.Name
		}
	}
	return out, nil
}

// List lists an institution's awards for its issuers and admins and the operator.
func (s *Service) List(ctx context.Context, by identity.Actor, in identity.InstitutionID, f AwardFilter, after AwardID, limit int) ([]Shown, error) {
	if err := mayLook(by, in, identity.Issuer, identity.Admin); err != nil {
		return nil, err
	}
	as, err := s.Store.ListAwards(ctx, in, f, after, limit)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, as)
}

// Count counts an institution's awards by state, for those who may list them.
func (s *Service) Count(ctx context.Context, by identity.Actor, in identity.InstitutionID) (map[AwardState]int, error) {
	if err := mayLook(by, in, identity.Issuer, identity.Admin); err != nil {
		return nil, err
	}
	return s.Store.CountAwards(ctx, in)
}

// ListOwn lists the actor's awards, oldest first.
func (s *Service) ListOwn(ctx context.Context, by identity.Actor, after AwardID, limit int) ([]Shown, error) {
	if by.UserID == "" {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	as, err := s.Store.ListOwnAwards(ctx, by.UserID, after, limit)
	if err != nil {
		return nil, err
	}
	return s.show(ctx, as)
}

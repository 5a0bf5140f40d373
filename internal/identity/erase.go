package identity

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/job"
)

// ErasedKind is the job that follows when an account was erased: whoever holds a name of the person in what is signed takes it out.
const ErasedKind job.Kind = "account.erased"

// ErasedPayload says whose account it was.
type ErasedPayload struct {
	UserID UserID `json:"user_id"`
}

// EraseReason says why an account is erased. It is a word and no text, because it stands in the audit log for ever.
type EraseReason string

// The reasons.
const (
	EraseOwn       EraseReason = "own"       // the person did it
	EraseRequested EraseReason = "requested" // the person, or who speaks for them, asked for it
	EraseLeft      EraseReason = "left"      // they are no longer with the institution
	EraseMistake   EraseReason = "mistake"   // the account should not have been made
	EraseLaw       EraseReason = "law"       // the law demands it
)

// Erasure is the end of an account.
type Erasure struct {
	UserID UserID
	By     UserID // "" for the operator's subcommand
	At     time.Time
	Reason EraseReason
	Job    job.Job // of ErasedKind, for what follows
}

// Entry is what the audit log of an institution says of it: a number, no name.
func (e Erasure) Entry(in InstitutionID) audit.Entry {
	return audit.New(in, e.By, e.At, audit.AccountErased, map[string]any{"user": string(e.UserID), "reason": string(e.Reason)})
}

// Erase erases the actor's own account, for good. The actor must know the password; wrong guesses are throttled like sign-ins.
// docs/privacy.md has what goes and what stays. The last operator stays: fault.Conflict user.last_operator.
func (s *Service) Erase(ctx context.Context, by Actor, password string) error {
	if by.UserID == "" {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if by.Scopes != nil { // no machine and no device ends an account
		return fault.New(fault.Denied, "token.scope_missing")
	}
	if _, err := s.authenticate(ctx, by.Username, password, ""); err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/password", Key: "user.wrong_password"})
		}
		return err
	}
	return s.erase(ctx, by.UserID, by.UserID, EraseOwn)
}

// EraseMember erases the account of somebody who belongs to an institution, for good: an admin of it may when the person belongs to
// no other, and the operator always. Neither may erase themselves this way, nor an operator.
func (s *Service) EraseMember(ctx context.Context, by Actor, in InstitutionID, id UserID, why EraseReason) error {
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Operates() && !by.Has(in, Admin) {
		return fault.New(fault.Denied, "user.erase_denied")
	}
	if !by.Scoped(ScopeAdmin) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	switch why {
	case EraseRequested, EraseLeft, EraseMistake, EraseLaw:
	default:
		return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/reason", Key: "user.bad_erase_reason"})
	}
	u, err := s.Store.FindUser(ctx, id)
	if err != nil {
		return err
	}
	ms, err := s.Store.ListMemberships(ctx, id)
	if err != nil {
		return err
	}
	belongs, elsewhere := false, false
	for _, m := range ms {
		belongs = belongs || m.InstitutionID == in
		elsewhere = elsewhere || m.InstitutionID != in
	}
	switch {
	case !belongs:
		return fault.New(fault.NotFound, "user.not_found")
	case by.Is(id):
		return fault.New(fault.Conflict, "user.erase_yourself")
	case u.Operator:
		return fault.New(fault.Conflict, "user.operator_stays")
	case elsewhere && !by.Operates():
		return fault.New(fault.Conflict, "user.belongs_elsewhere")
	}
	return s.erase(ctx, id, by.UserID, why)
}

func (s *Service) erase(ctx context.Context, id, by UserID, why EraseReason) error {
	j, err := job.New(job.ID(s.NewID()), ErasedKind, ErasedPayload{UserID: id})
	if err != nil {
		return err
	}
	return s.Store.EraseUser(ctx, Erasure{UserID: id, By: by, At: s.Now().UTC(), Reason: why, Job: j})
}

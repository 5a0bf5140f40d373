package credential

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

const maxReason = 500

// Revoke takes a credential back, for ever, and says why. Issuers and admins
// of its institution may. The first revocation stands: a second one is no error and changes nothing.
func (s *Service) Revoke(ctx context.Context, by identity.Actor, id ID, reason string) error {
	return s.change(ctx, by, id, reason, audit.CredentialRevoked, func(c *Credential, at time.Time, reason string) (bool, error) {
		if c.RevokedAt != nil {
			return false, nil
		}
		c.RevokedAt, c.RevokedReason = &at, reason
		return true, nil
	})
}

// Suspend says that a credential does not count until it is reinstated, and why. Who may revoke it may. Twice is no error and changes
// nothing. fault.Conflict: it is revoked, or it is of old and nobody could look its suspension up.
func (s *Service) Suspend(ctx context.Context, by identity.Actor, id ID, reason string) error {
	return s.change(ctx, by, id, reason, audit.CredentialSuspended, func(c *Credential, at time.Time, reason string) (bool, error) {
		switch {
		case c.RevokedAt != nil:
			return false, fault.New(fault.Conflict, "credential.revoked")
		case c.SuspensionListID == "":
			return false, fault.New(fault.Conflict, "credential.cannot_suspend")
		case c.SuspendedAt != nil:
			return false, nil
		}
		c.SuspendedAt, c.SuspendedReason = &at, reason
		return true, nil
	})
}

// Reinstate ends a suspension, and says why. Who may revoke it may. One that is not suspended stays as it is.
// A revocation is for ever: fault.Conflict credential.revoked.
func (s *Service) Reinstate(ctx context.Context, by identity.Actor, id ID, reason string) error {
	return s.change(ctx, by, id, reason, audit.CredentialReinstated, func(c *Credential, _ time.Time, _ string) (bool, error) {
		switch {
		case c.RevokedAt != nil:
			return false, fault.New(fault.Conflict, "credential.revoked")
		case c.SuspendedAt == nil:
			return false, nil
		}
		c.SuspendedAt, c.SuspendedReason = nil, ""
		return true, nil
	})
}

// change does one of the above to the locked row; do tells whether it has changed anything.
func (s *Service) change(ctx context.Context, by identity.Actor, id ID, reason string, kind audit.Kind,
	do func(c *Credential, at time.Time, reason string) (bool, error),
) error {
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Scoped(identity.ScopeIssue) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	c, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	if !by.Has(c.InstitutionID, identity.Issuer, identity.Admin) {
		return fault.New(fault.Denied, "credential.revoke_denied")
	}
	if s.Limits != nil {
		if err := s.Limits(ctx, by, c.InstitutionID, c.CourseID); err != nil {
			return err
		}
	}
	if reason, err = CheckReason(reason); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		c, err := tx.LockCredential(ctx, id)
		if err != nil {
			return err
		}
		at := s.Now().UTC()
		if changed, err := do(&c, at, reason); err != nil || !changed {
			return err
		}
		// Devices compare the stamp alone: it moves even when clocks differ or two changes fall into one moment.
		stamp, err := tx.StampCredentials(ctx, c.UserID)
		if err != nil {
			return err
		}
		if c.ChangedAt = at; !at.After(stamp.ChangedAt) {
			c.ChangedAt = stamp.ChangedAt.Add(time.Microsecond)
		}
		if err := tx.UpdateStanding(ctx, c); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(c.InstitutionID, by.UserID, at, kind, map[string]any{"credential": string(c.ID), "reason": reason}))
	})
}

// CheckReason trims a reason that people read, or tells what is wrong with it.
func CheckReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n < 1 || n > maxReason || !identity.CleanText(strings.ReplaceAll(reason, "\n", " ")) {
		return "", fault.New(fault.Invalid, "request.invalid").
			At(fault.Detail{Pointer: "/reason", Key: "credential.bad_reason", Args: map[string]any{"Max": maxReason}})
	}
	return reason, nil
}

package lab

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Fault is a lab that could not judge what was handed in for it. It is derived from the verdicts in force: when a
// regrade gives these submissions a verdict that counts, it is gone.
type Fault struct {
	VersionID   curriculum.VersionID
	LabID       curriculum.ContentID
	Submissions int       // that are affected, since it was last marked as seen
	Since       time.Time // of the first of them
	Last        time.Time // of the last
	Check       string    // id of the check at fault in the last one, "" when unknown
	Message     string    // message key
	Cause       string    // what the author can use
}

// FaultSeen is that somebody has seen a lab at fault.
type FaultSeen struct {
	ID            string // a UUIDv7
	InstitutionID identity.InstitutionID
	VersionID     curriculum.VersionID
	LabID         curriculum.ContentID
	Until         time.Time // what came later is news
	UserID        identity.UserID
	SeenAt        time.Time
}

// AlertStore is what alerts need of storage.
type AlertStore interface {
	// ListLabFaults lists what has not been seen in an institution, the newest first.
	ListLabFaults(ctx context.Context, in identity.InstitutionID, limit int) ([]Fault, error)
	AppendLabFaultSeen(ctx context.Context, seen FaultSeen) error
}

// maxLabFaults bounds a list that is short in a healthy institution.
const maxLabFaults = 100

// FaultyLab is a lab at fault with the version it stands in.
type FaultyLab struct {
	Fault
	Version    curriculum.Version
	Title      Words
	CheckTitle Words // of the check at fault, without text when unknown
}

// ListFaultyLabs gives an institution's trainers and admins, and the operator, the labs that
// need their author.
func (s *Service) ListFaultyLabs(ctx context.Context, by identity.Actor, in identity.InstitutionID) ([]FaultyLab, error) {
	if by.Anonymous() {
		return nil, fault.New(fault.Unauthenticated, "session.required")
	}
	if !mayRegrade(by, in) {
		return nil, fault.New(fault.Denied, "lab.faults_denied")
	}
	list, err := s.Store.ListLabFaults(ctx, in, maxLabFaults)
	if err != nil {
		return nil, err
	}
	out := make([]FaultyLab, len(list))
	for i, f := range list {
		l, v, err := s.lab(ctx, f.VersionID, f.LabID)
		if err != nil {
			return nil, err
		}
		out[i] = FaultyLab{Fault: f, Version: v}
		if it, ok := v.Manifest.Item(f.LabID); ok {
			out[i].Title = Words{it.Title, it.TitleLang}
		}
		for _, c := range l.Checks {
			if c.ID == f.Check {
				out[i].CheckTitle = Words{c.Title, l.Langs["check."+c.ID+".title"]}
			}
		}
	}
	return out, nil
}

// MarkFaultyLabSeen takes a lab off the list until it fails again after a time. Nothing else changes.
func (s *Service) MarkFaultyLabSeen(ctx context.Context, by identity.Actor, in identity.InstitutionID, version curriculum.VersionID, lab curriculum.ContentID, until time.Time) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !mayRegrade(by, in):
		return fault.New(fault.Denied, "lab.faults_denied")
	case !by.Scoped(identity.ScopePublish):
		return fault.New(fault.Denied, "token.scope_missing")
	}
	if _, _, err := s.lab(ctx, version, lab); err != nil {
		return err
	}
	now := s.Now()
	if until.After(now) {
		until = now // what nobody can have seen
	}
	return s.Store.AppendLabFaultSeen(ctx, FaultSeen{
		ID: s.NewID(), InstitutionID: in, VersionID: version, LabID: lab, Until: until, UserID: by.UserID, SeenAt: now,
	})
}

package shelf

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Installed is a course from elsewhere on this server.
type Installed struct {
	Course    string
	Publisher string
	Rule      choice.Rule
	Root      *bundle.Root // nil while its first import is under way
	Previous  *bundle.Root // what can be switched back to
	Candidate *bundle.Root // what is being brought
	Missing   intake.Counted
	ChangedAt time.Time
}

// SwitchBack makes the version before the one in use again, and the one in use the one that can be switched to. For the operator.
func (s *Service) SwitchBack(ctx context.Context, by identity.Actor, course string) (bundle.Root, error) {
	if err := mayChange(by); err != nil {
		return bundle.Root{}, err
	}
	s.moving.RLock()
	defer s.moving.RUnlock()
	var now bundle.Root
	err := s.changeExisting(ctx, course, func(_ Store, p *Place) error {
		var err error
		if now, err = bundle.ReadRoot(p.Previous); err != nil {
			return fault.Wrap(fault.Conflict, "bundle.no_previous", err)
		}
		if err := s.whole(ctx, intake.Head{Root: now}, p.Rule); err != nil {
			return err
		}
		p.Installed, p.Previous = p.Previous, p.Installed
		return nil
	})
	return now, err
}

func (s *Service) changeExisting(ctx context.Context, course string, fn func(tx Store, p *Place) error) error {
	return s.change(ctx, course, func(tx Store, p *Place) error {
		if p.Revision == 0 {
			return bundle.NotFound(nil)
		}
		return fn(tx, p)
	})
}

// Remove takes a course off this server. Its blobs go with the next Collect. For the operator.
func (s *Service) Remove(ctx context.Context, by identity.Actor, course string) error {
	if err := mayChange(by); err != nil {
		return err
	}
	if _, err := s.Store.FindPlace(ctx, course); err != nil {
		return err
	}
	return s.Store.RemovePlace(ctx, course)
}

// ListInstalled lists the courses from elsewhere, by id, and what their candidates lack. For the operator.
func (s *Service) ListInstalled(ctx context.Context, by identity.Actor) ([]Installed, error) {
	if err := mayChange(by); err != nil {
		return nil, err
	}
	places, err := s.Store.ListPlaces(ctx)
	if err != nil {
		return nil, err
	}
	out := []Installed{}
	for _, p := range places {
		i := Installed{Course: p.CourseID, Publisher: p.Publisher, Rule: p.Rule, ChangedAt: p.ChangedAt}
		for _, r := range []struct {
			text []byte
			to   **bundle.Root
		}{{p.Installed, &i.Root}, {p.Previous, &i.Previous}, {p.Candidate, &i.Candidate}} {
			if root, err := bundle.ReadRoot(r.text); err == nil {
				*r.to = &root
			}
		}
		if i.Candidate != nil {
			in, err := intake.New(ctx, intake.Head{Root: *i.Candidate}, s.Keep, p.CandidateRule.Choice(*i.Candidate))
			if err != nil {
				return nil, err
			}
			i.Missing = in.Missing(nil)
		}
		out = append(out, i)
	}
	return out, nil
}

package shelf

import (
	"context"
	"errors"
	"fmt"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Import says what one carrier brought.
type Import struct {
	intake.Counted
	Course   string
	Number   int
	Rule     choice.Rule
	Complete bool // the course is installed in this version
	Switched bool // and was not before
}

// ImportOptions say what is wanted of a carrier.
type ImportOptions struct {
	Course   string       // "" takes whatever comes
	Rule     *choice.Rule // nil keeps the rule that is there, or takes all that the carrier brings
	Progress func(intake.Counted)
}

// Import takes a bundle in, whatever carries it. Each blob counts only after it was checked against what a trusted publisher signed;
// it is kept at once, so that another import, from the same carrier or another one, goes on where this one stopped. The version in
// use changes last, in one step, when nothing is missing; the one before stays and can be switched back to. An error tells
// why the carrier was refused or what it lacks; what it brought until then is kept all the same. For the operator.
func (s *Service) Import(ctx context.Context, by identity.Actor, c bundle.Carrier, o ImportOptions) (Import, error) {
	if err := mayChange(by); err != nil {
		return Import{}, err
	}
	if o.Rule != nil {
		if err := o.Rule.Check(); err != nil {
			return Import{}, err
		}
	}
	s.moving.RLock()
	defer s.moving.RUnlock()
	h, first, err := intake.ReadHead(c, s.known(ctx, o.Course))
	if err != nil {
		return Import{}, err
	}
	out := Import{Course: h.Root.Course, Number: h.Root.Number}
	place, err := s.begin(ctx, h, o.Rule)
	if err != nil {
		return out, err
	}
	var chosen func(bundle.Want) bool
	if len(place.CandidateRule.Locales) > 0 {
		chosen = place.CandidateRule.Choice(h.Root)
	}
	in, err := intake.New(ctx, h, s.Keep, chosen)
	if err != nil {
		return out, bundle.NoSpace(err)
	}
	err = in.Drain(ctx, first, c, o.Progress)
	if out.Rule = place.CandidateRule; len(out.Rule.Locales) == 0 {
		out.Rule = in.Offers(h.Root)
	}
	out.Counted = in.Missing(out.Rule.Choice(h.Root))
	if err != nil {
		return out, bundle.NoSpace(err)
	}
	if out.Missing > 0 || len(out.Rule.Locales) == 0 {
		return out, out.Lacking(false)
	}
	out.Switched, err = s.finish(ctx, h, out.Rule)
	out.Complete = err == nil
	return out, err
}

// begin notes what a checked head says, and that its root is on the way.
func (s *Service) begin(ctx context.Context, h intake.Head, rule *choice.Rule) (place Place, err error) {
	whose, err := s.Publisher.FindBearer(ctx, h.Chain)
	if err != nil {
		return Place{}, err
	}
	err = s.change(ctx, h.Root.Course, func(tx Store, p *Place) error {
		if err := publisher.Learn(ctx, tx, whose.Bearer, h.Chain); err != nil {
			return err
		}
		if h.Trust != nil {
			if _, err := tx.ReplaceDocument(ctx, publisher.Document{Bearer: whose.Bearer, Kind: publisher.TrustDocument, Text: h.TrustText, SignedAt: h.Trust.SignedAt.Time}); err != nil {
				return err
			}
		}
		want := p.Rule
		switch {
		case rule != nil:
			want = *rule
		case string(p.Candidate) == string(h.RootText):
			want = p.CandidateRule // begun on another carrier
		}
		p.Publisher, p.Candidate, p.CandidateRule = h.Root.Publisher, h.RootText, want
		if p.CandidateRule.Tier == "" {
			p.CandidateRule.Tier = choice.TextTier
		}
		place = *p
		return nil
	})
	return place, err
}

// finish looks once more whether all is there, and makes the candidate the version in use.
func (s *Service) finish(ctx context.Context, h intake.Head, rule choice.Rule) (switched bool, err error) {
	if err := s.whole(ctx, h, rule); err != nil {
		return false, err
	}
	return switched, s.change(ctx, h.Root.Course, func(_ Store, p *Place) error {
		if string(p.Candidate) != string(h.RootText) && string(p.Installed) != string(h.RootText) {
			return fault.New(fault.Conflict, "bundle.changed_meanwhile")
		}
		switched = string(p.Installed) != string(h.RootText)
		if old, err := bundle.ReadRoot(p.Installed); err == nil && old.Number != h.Root.Number {
			p.Previous = p.Installed
		}
		p.Installed, p.Candidate, p.Rule, p.CandidateRule = h.RootText, nil, rule, choice.Rule{Tier: choice.TextTier}
		return nil
	})
}

// whole fails with bundle.truncated when something that a rule wants of a root is not there.
func (s *Service) whole(ctx context.Context, h intake.Head, rule choice.Rule) error {
	in, err := intake.New(ctx, h, s.Keep, rule.Choice(h.Root))
	if err != nil {
		return err
	}
	if n := in.Missing(nil); n.Missing > 0 {
		return n.Lacking(false)
	}
	return nil
}

const tries = 8 // when another process was faster

// change reads the row of a course, changes it and writes it, anew when somebody else was faster.
func (s *Service) change(ctx context.Context, course string, fn func(tx Store, p *Place) error) error {
	var err error
	for range tries {
		err = s.Store.InTx(ctx, func(tx Store) error {
			p, err := tx.FindPlace(ctx, course)
			if err != nil && !fault.Is(err, fault.NotFound) {
				return err
			}
			p.CourseID, p.ChangedAt = course, s.Now().UTC()
			if p.Rule.Tier == "" {
				p.Rule.Tier = choice.TextTier
			}
			if err := fn(tx, &p); err != nil {
				return err
			}
			return tx.SavePlace(ctx, p)
		})
		var f *fault.Error
		if !errors.As(err, &f) || f.Key != "bundle.changed_meanwhile" {
			return err
		}
	}
	return err
}

// TakeTrust keeps what a trust pack says, of publishers whom an institution trusts, or with "" anybody here: the operator or any institution. An
// older word than the one known changes nothing. For admins of the institution and the operator.
func (s *Service) TakeTrust(ctx context.Context, by identity.Actor, in identity.InstitutionID, c bundle.Carrier) (*intake.Words, error) {
	err := publisher.May(by, in)
	if in == "" {
		err = mayChange(by)
	}
	if err != nil {
		return nil, err
	}
	s.moving.RLock()
	defer s.moving.RUnlock()
	w, err := intake.ReadWords(c, s.Trust.KnownOf(ctx, in))
	if err != nil {
		return nil, err
	}
	for _, data := range w.Blobs {
		if _, err := s.Keep.Imported.Put(ctx, data); err != nil {
			return nil, bundle.NoSpace(fmt.Errorf("keep a status list: %w", err))
		}
	}
	whose := make([]publisher.Bearer, len(w.Words))
	for i, word := range w.Words {
		b, err := s.Publisher.FindBearer(ctx, word.Chain)
		if err != nil {
			return nil, err
		}
		whose[i] = b.Bearer
	}
	return w, s.Store.InTx(ctx, func(tx Store) error {
		for i, word := range w.Words {
			if err := publisher.Learn(ctx, tx, whose[i], word.Chain); err != nil {
				return err
			}
			if _, err := tx.ReplaceDocument(ctx, publisher.Document{
				Bearer: whose[i], Kind: publisher.TrustDocument, Text: word.Text, SignedAt: word.Trust.SignedAt.Time,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

package serving

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
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

func mayChange(by identity.Actor) error {
	switch {
	case by.MayOperate():
		return nil
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	}
	return fault.New(fault.Denied, "bundle.denied")
}

// begin notes what a checked head says, and that its root is on the way.
func (s *Service) begin(ctx context.Context, h intake.Head, rule *choice.Rule) (place Place, err error) {
	whose, err := s.bearer(ctx, h.Chain)
	if err != nil {
		return Place{}, err
	}
	err = s.change(ctx, h.Root.Course, func(tx Store, p *Place) error {
		if err := learn(ctx, tx, whose.Bearer, h.Chain); err != nil {
			return err
		}
		if h.Trust != nil {
			if _, err := tx.ReplaceDocument(ctx, Document{Bearer: whose.Bearer, Kind: TrustDocument, Text: h.TrustText, SignedAt: h.Trust.SignedAt.Time}); err != nil {
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
		if old, err := readRoot(p.Installed); err == nil && old.Number != h.Root.Number {
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

func readRoot(text []byte) (bundle.Root, error) {
	if text == nil {
		return bundle.Root{}, bundle.NotFound(nil)
	}
	s, err := bundle.ReadSigned(text)
	if err != nil {
		return bundle.Root{}, err
	}
	return bundle.ParseRoot(s.Document)
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
		if now, err = readRoot(p.Previous); err != nil {
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
			if root, err := readRoot(r.text); err == nil {
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

// grace spares what was put a moment ago: another process may be importing, and name it only later.
const grace = time.Hour

// Collect deletes the imported blobs that no bundle in use, none that can be switched back to and none on its way names, and says what that
// freed. While this process imports it is refused with fault.Conflict. For the operator.
func (s *Service) Collect(ctx context.Context, by identity.Actor) (freed intake.Counted, err error) {
	if err := mayChange(by); err != nil {
		return intake.Counted{}, err
	}
	if !s.moving.TryLock() {
		return intake.Counted{}, fault.New(fault.Conflict, "bundle.importing")
	}
	defer s.moving.Unlock()
	before := s.Now().Add(-grace)
	keep, err := s.references(ctx)
	if err != nil {
		return intake.Counted{}, err
	}
	var gone []blob.Digest
	err = s.Keep.Imported.Each(ctx, func(d blob.Digest, size int64, put time.Time) error {
		if !keep[d] && put.Before(before) {
			gone = append(gone, d)
			freed.Bytes += size
			freed.Blobs++
		}
		return nil
	})
	if err != nil {
		return intake.Counted{}, err
	}
	for _, d := range gone {
		if err := s.Keep.Imported.Delete(ctx, d); err != nil {
			return intake.Counted{}, fmt.Errorf("delete blob %s: %w", d, err)
		}
	}
	return freed, nil
}

// references are all digests that a bundle here names.
func (s *Service) references(ctx context.Context) (map[blob.Digest]bool, error) {
	places, err := s.Store.ListPlaces(ctx)
	if err != nil {
		return nil, err
	}
	keep := map[blob.Digest]bool{}
	for _, p := range places {
		for _, text := range slices.DeleteFunc([][]byte{p.Installed, p.Previous, p.Candidate}, func(t []byte) bool { return t == nil }) {
			root, err := bundle.ReadSigned(text)
			if err != nil {
				return nil, err
			}
			t, err := bundle.Load(ctx, root, s.Keep.Open)
			if err != nil {
				return nil, err
			}
			for d := range names(t) {
				keep[d] = true
			}
			// An edition that is not there yet is named all the same.
			for _, e := range t.Root.Editions {
				keep[e.Digest] = true
			}
		}
	}
	words, err := s.Store.ListDocuments(ctx, "", TrustDocument)
	if err != nil {
		return nil, err
	}
	for _, d := range words {
		if t, err := bundle.ReadTrust(d.Text); err == nil {
			for _, c := range t.Children() {
				keep[c.Digest] = true
			}
		}
	}
	return keep, nil
}

// names gives every digest in the tree.
func names(t *bundle.Tree) map[blob.Digest]bool {
	out := map[blob.Digest]bool{}
	for _, e := range t.Editions {
		out[e.Ref.Digest] = true
		for _, m := range e.Modules {
			out[m.Ref.Digest] = true
			for _, it := range m.Items {
				out[it.Ref.Digest] = true
				if it.Doc != nil {
					for _, b := range it.Doc.Blobs {
						out[b.Digest] = true
					}
				}
			}
		}
	}
	return out
}

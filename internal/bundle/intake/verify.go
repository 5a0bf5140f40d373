package intake

import (
	"context"
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
)

// Report is what a carrier holds.
type Report struct {
	Head Head
	Counted
	// Rule is the largest that the carrier serves in full: the languages whose editions it brings, the modules of which nothing but
	// other tiers is missing, the highest tier that begins in it. No locale means that it is of use beside what is installed only.
	Rule choice.Rule
	// Complete tells whether the carrier alone is enough for the rule.
	Complete bool
}

// Verify reads a carrier to its end and keeps nothing. It fails with the reason for which an import would be refused.
func Verify(ctx context.Context, c bundle.Carrier, find func(publisher, course string) (Known, error)) (Report, error) {
	h, first, err := ReadHead(c, find)
	if err != nil {
		return Report{}, err
	}
	in, err := New(ctx, h, nothing{}, nil)
	if err != nil {
		return Report{}, err
	}
	if err := in.Drain(ctx, first, c, nil); err != nil {
		return Report{Head: h, Counted: in.counted}, err
	}
	r := Report{Head: h, Rule: in.Offers(h.Root)}
	r.Counted = in.Missing(r.Rule.Choice(h.Root))
	r.Complete = r.Missing == 0 && len(r.Rule.Locales) > 0
	return r, r.Lacking(r.Complete)
}

// Lacking names what an incomplete carrier suffers from: bytes that were swapped, or bytes that were left out.
func (c Counted) Lacking(complete bool) error {
	switch {
	case complete:
		return nil
	case c.Ignored > 0:
		return bundle.Damaged("%d blobs are missing and %d belong to nothing", c.Missing, c.Ignored)
	}
	return bundle.Refuse("truncated", nil).With("Missing", c.Missing)
}

// Offers finds the rule that a carrier serves, by what came through. Where something came that nobody names, the carrier must be whole: else what
// was swapped would look like what was left out on purpose.
func (in *Intake) Offers(root bundle.Root) choice.Rule {
	if in.counted.Ignored > 0 {
		return choice.Rule{Locales: slices.Sorted(maps.Keys(root.Editions)), Tier: choice.AllTier}
	}
	r := choice.Rule{Tier: choice.TextTier}
	modules, all := map[string]bool{}, map[string]bool{}
	for _, p := range in.seen {
		switch p.as.Rank {
		case bundle.EditionRank:
			r.Locales = append(r.Locales, p.as.Locale)
			for _, c := range p.below {
				all[c.Module] = true
				if _, here := in.seen[c.Digest]; here {
					modules[c.Module] = true
				}
			}
		case bundle.BlobRank:
			if t := choice.TierOf(p.as.Layer); slices.Index(bundle.Layers, p.as.Layer) >= len(r.Tier.Layers()) {
				r.Tier = t
			}
		}
	}
	slices.Sort(r.Locales)
	if len(modules) < len(all) && len(modules) > 0 {
		for m := range modules {
			r.Modules = append(r.Modules, m)
		}
		slices.Sort(r.Modules)
	}
	return r
}

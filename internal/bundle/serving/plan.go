package serving

import (
	"context"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Planned is one pack of a plan.
type Planned struct {
	Href   string
	Bytes  int64
	Layer  bundle.Layer
	Locale string
}

// Plan is what it takes to have a course, or to bring it up to date.
type Plan struct {
	Course        string
	Number        int
	RootDigest    blob.Digest
	Rule          choice.Rule // with languages as the course has them
	Packs         []Planned
	TransferBytes int64 // of the packs and the head
	HeadBytes     int64
	Fit           *choice.Fit // with a budget
	Changed       choice.Diff // since From
	From          int         // 0 when the reader's version is not known here, and all must be fetched
}

// Plan says which packs bring what a rule wants of a version (0: the newest), and what they cost. from is the version that the reader has for the same rule,
// 0 for none; budget bounds what the course takes on the device, 0 for no bound. Anyone may ask.
func (s *Service) Plan(ctx context.Context, course string, number int, rule choice.Rule, from int, budget int64) (Plan, error) {
	if err := rule.Check(); err != nil {
		return Plan{}, err
	}
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return Plan{}, err
	}
	root, err := bundle.ParseRoot(h.root.Document)
	if err != nil {
		return Plan{}, err
	}
	head, err := s.Head(ctx, course, root.Number)
	if err != nil {
		return Plan{}, err
	}
	rule.Locales = root.Resolve(rule.Locales)
	out := Plan{
		Course: course, Number: root.Number, RootDigest: h.root.Digest(), Rule: rule, HeadBytes: head.Size, TransferBytes: head.Size,
		Packs: []Planned{}, Changed: choice.Diff{Items: []choice.ItemChange{}, Details: []string{}},
	}
	t, err := s.tree(ctx, h, rule.Locales...)
	if err != nil {
		return Plan{}, err
	}
	var before *bundle.Tree
	if from > 0 {
		old, err := s.hold(ctx, course, from)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Plan{}, err
		}
		if err == nil {
			out.From = from
			if before, err = s.tree(ctx, old, rule.Locales...); err != nil {
				return Plan{}, err
			}
			out.Changed = choice.Compare(before, t, rule)
		}
	}
	parts := wanted(t, rule, out.From, before)
	if budget > 0 {
		fit := rule.Fit(t, budget)
		out.Fit = &fit
		if !fit.Whole {
			parts = fitted(t, fit, rule, out.From, before)
		}
	}
	for _, part := range parts {
		blobs, err := s.blobs(ctx, course, h, part)
		if fault.Is(err, fault.NotFound) && h.rule != nil {
			continue // a node has what it has
		}
		if err != nil {
			return Plan{}, err
		}
		if len(blobs) == 0 {
			continue
		}
		p, err := s.Packs.Pack(ctx, nil, blobs)
		if err != nil {
			return Plan{}, err
		}
		out.Packs = append(out.Packs, Planned{Href: part.Href(course, root.Number), Bytes: p.Size, Layer: part.Layer, Locale: part.Locale})
		out.TransferBytes += p.Size
	}
	return out, nil
}

// fromFor is the version whose blobs may be left out: a language that it had.
func fromFor(before *bundle.Tree, locale string, from int) int {
	if before == nil || before.Editions[locale] == nil {
		return 0
	}
	return from
}

// wanted are the parts of all that a rule wants: language by language within a layer, the text of all before the first picture.
func wanted(t *bundle.Tree, rule choice.Rule, from int, before *bundle.Tree) []Part {
	var out []Part
	for _, layer := range rule.Tier.Layers() {
		for _, l := range rule.Locales {
			modules := rule.Modules
			if e := t.Editions[l]; e != nil && len(modules) > 0 {
				modules = slices.DeleteFunc(slices.Clone(modules), func(m string) bool {
					return !slices.ContainsFunc(e.Modules, func(n bundle.ModuleNode) bool { return n.Ref.ID == m })
				})
				if len(modules) == 0 {
					continue
				}
			}
			out = append(out, Part{Locale: l, Layer: layer, Modules: modules, From: fromFor(before, l, from)})
		}
	}
	return out
}

// fitted are the parts of what fits.
func fitted(t *bundle.Tree, fit choice.Fit, rule choice.Rule, from int, before *bundle.Tree) []Part {
	var out []Part
	for i, layer := range bundle.Layers {
		for _, l := range rule.Locales {
			part := Part{Locale: l, Layer: layer, From: fromFor(before, l, from)}
			for _, f := range fit.Items {
				if f.Locale == l && slices.Index(bundle.Layers, f.Layer) >= i {
					if !slices.Contains(part.Modules, f.Module) {
						part.Modules = append(part.Modules, f.Module)
					}
					part.Items = append(part.Items, f.Item)
				}
			}
			if e := t.Editions[l]; e != nil && len(part.Items) > 0 {
				out = append(out, part)
			}
		}
	}
	return out
}

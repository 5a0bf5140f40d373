// Package choice says what somebody wants of a course: a rule, what of it fits, what an update changes of it.
package choice

import (
	"slices"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Tier is how much of a course somebody wants.
type Tier string

// The tiers.
const (
	TextTier   Tier = "text"
	ImagesTier Tier = "images"
	AllTier    Tier = "all"
)

// Layers are what a tier holds.
func (t Tier) Layers() []bundle.Layer {
	switch t {
	case ImagesTier:
		return bundle.Layers[:2]
	case AllTier:
		return bundle.Layers
	}
	return bundle.Layers[:1]
}

// TierOf is the lowest tier that holds a layer.
func TierOf(l bundle.Layer) Tier {
	switch l {
	case bundle.Audio:
		return AllTier
	case bundle.Image:
		return ImagesTier
	}
	return TextTier
}

// Rule is what somebody wants of a course. It is kept, and holds for later versions too: it names no version, and a module that a
// later version adds is wanted when Modules is empty.
type Rule struct {
	Locales []string `json:"locales"`
	Tier    Tier     `json:"tier"`
	Modules []string `json:"modules,omitempty"` // empty: all
}

// Check refuses a rule that no reader could keep.
func (r Rule) Check() error {
	bad := fault.New(fault.Invalid, "request.invalid")
	if len(r.Locales) == 0 || len(r.Locales) > 64 {
		bad.At(fault.Detail{Pointer: "/locales", Key: "bundle.bad_rule"})
	}
	for _, l := range r.Locales {
		if !bundle.IsLocale(l) {
			bad.At(fault.Detail{Pointer: "/locales", Key: "bundle.bad_rule"})
			break
		}
	}
	if r.Tier != TextTier && r.Tier != ImagesTier && r.Tier != AllTier {
		bad.At(fault.Detail{Pointer: "/tier", Key: "bundle.bad_rule"})
	}
	if len(r.Modules) > 1000 || slices.ContainsFunc(r.Modules, func(m string) bool { return !bundle.IsName(m) }) {
		bad.At(fault.Detail{Pointer: "/modules", Key: "bundle.bad_rule"})
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

func (r Rule) wants(locale, module string, l bundle.Layer, resolved []string) bool {
	return slices.Contains(resolved, locale) && slices.Contains(r.Tier.Layers(), l) &&
		(module == "" || len(r.Modules) == 0 || slices.Contains(r.Modules, module))
}

// Choice makes the choice that a rule is for one root.
func (r Rule) Choice(root bundle.Root) func(bundle.Want) bool {
	resolved := root.Resolve(r.Locales)
	return func(w bundle.Want) bool {
		return w.Rank == bundle.ListRank || r.wants(w.Locale, w.Module, w.Layer, resolved)
	}
}

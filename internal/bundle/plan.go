package bundle

import (
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
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
func (t Tier) Layers() []Layer {
	switch t {
	case ImagesTier:
		return Layers[:2]
	case AllTier:
		return Layers
	}
	return Layers[:1]
}

// TierOf is the lowest tier that holds a layer.
func TierOf(l Layer) Tier {
	switch l {
	case Audio:
		return AllTier
	case Image:
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
		if !IsLocale(l) {
			bad.At(fault.Detail{Pointer: "/locales", Key: "bundle.bad_rule"})
			break
		}
	}
	if r.Tier != TextTier && r.Tier != ImagesTier && r.Tier != AllTier {
		bad.At(fault.Detail{Pointer: "/tier", Key: "bundle.bad_rule"})
	}
	if len(r.Modules) > 1000 || slices.ContainsFunc(r.Modules, func(m string) bool { return !IsName(m) }) {
		bad.At(fault.Detail{Pointer: "/modules", Key: "bundle.bad_rule"})
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

func (r Rule) wants(locale, module string, l Layer, resolved []string) bool {
	return slices.Contains(resolved, locale) && slices.Contains(r.Tier.Layers(), l) &&
		(module == "" || len(r.Modules) == 0 || slices.Contains(r.Modules, module))
}

// Choice makes the choice that a rule is for one root.
func (r Rule) Choice(root Root) func(Want) bool {
	resolved := root.Resolve(r.Locales)
	return func(w Want) bool {
		return w.Rank == ListRank || r.wants(w.Locale, w.Module, w.Layer, resolved)
	}
}

// Fitting is an item that fits, with all layers up to Layer.
type Fitting struct {
	Locale string `json:"locale"`
	Module string `json:"module"`
	Item   string `json:"item"`
	Layer  Layer  `json:"layer"`
}

// Fit is what fits into a budget.
type Fit struct {
	Bytes int64     `json:"bytes"` // what it takes, with the manifests
	Whole bool      `json:"whole"` // all that the rule wants
	Items []Fitting `json:"items"` // by locale in the rule's order, then in course order
}

// Fit chooses what fits into so many bytes on a device. An item counts with what it needs or not at all: first the text of
// every item in course order, one language after the other in the rule's order; only when all text fits, pictures, item by item;
// then recordings, of items whose pictures are in. A text that does not fit ends the choice: a course with a hole in the middle
// teaches nobody. A picture or a recording that does not fit is passed over.
//
// It counts raw bytes as the module manifests state them, and a blob that two items share twice: a promise that holds.
func (r Rule) Fit(t *Tree, budget int64) Fit {
	out := Fit{Items: []Fitting{}, Whole: true}
	left := budget - int64(len(t.RootText))
	locales := t.Root.Resolve(r.Locales)
	for _, l := range locales {
		if e := t.Editions[l]; e != nil {
			left -= e.Ref.Size
		}
	}
	if left < 0 {
		return Fit{Items: []Fitting{}}
	}
	type place struct {
		Fitting
		bytes Bytes
	}
	var taken []place
	fits := true // all text
text:
	for _, l := range locales {
		e := t.Editions[l]
		if e == nil {
			out.Whole = false
			continue
		}
		for _, m := range e.Modules {
			if !r.wants(l, m.Ref.ID, Text, locales) {
				continue
			}
			cost := m.Ref.Size
			for _, it := range m.Items {
				cost += it.Ref.Size + it.Ref.Bytes.Text
				if cost > left {
					fits, out.Whole = false, false
					break text
				}
				left -= cost
				cost = 0
				taken = append(taken, place{Fitting{l, m.Ref.ID, it.Ref.ID, Text}, it.Ref.Bytes})
			}
		}
	}
	if fits {
		for i, layer := range r.Tier.Layers()[1:] {
			for j := range taken {
				p := &taken[j]
				n := p.bytes.Of(layer)
				if p.Layer != Layers[i] || n > left {
					out.Whole = false
					continue
				}
				left -= n
				p.Layer = layer
			}
		}
	}
	for _, p := range taken {
		out.Items = append(out.Items, p.Fitting)
	}
	out.Bytes = budget - left
	return out
}

// Change is what an update does to an item.
type Change string

// The changes. An item that moved and changed has changed.
const (
	New     Change = "new"
	Changed Change = "changed"
	Moved   Change = "moved" // stands in another module
	Removed Change = "removed"
)

// ItemChange is one item of an update.
type ItemChange struct {
	Locale string `json:"locale"`
	Module string `json:"module"` // where it stands now; of a removed one, where it stood
	Item   string `json:"item"`
	Change Change `json:"change"`
}

// Diff is what lies between two versions.
type Diff struct {
	Items   []ItemChange `json:"items"`   // by locale, in the order of the new version; removed ones last
	Details []string     `json:"details"` // languages in which something changed beside the items: titles, order, criteria
	Bytes   Bytes        `json:"bytes"`   // of blobs and manifests that who followed the rule in the old version has not
	Blobs   int          `json:"blobs"`   // how many they are
}

// Empty tells whether nothing at all changed for who follows the rule.
func (d Diff) Empty() bool { return len(d.Items) == 0 && len(d.Details) == 0 && d.Blobs == 0 }

// Compare tells what a new version changes for who follows a rule. A language that the old version lacks is all new.
func Compare(old, now *Tree, rule Rule) Diff {
	d := Diff{Items: []ItemChange{}, Details: []string{}}
	locales := now.Root.Resolve(rule.Locales)
	have := map[blob.Digest]bool{}
	was := old.Root.Resolve(rule.Locales)
	for _, l := range was {
		if old.Editions[l] != nil {
			for _, c := range below(old, l, rule, was) {
				have[c.Digest] = true
			}
		}
	}
	for _, l := range locales {
		e := now.Editions[l]
		if e == nil {
			continue
		}
		type stood struct {
			module string
			digest blob.Digest
		}
		before := map[string]stood{}
		then := old.Editions[l]
		if then != nil {
			for _, m := range then.Modules {
				if rule.wants(l, m.Ref.ID, Text, locales) {
					for _, it := range m.Items {
						before[it.Ref.ID] = stood{m.Ref.ID, it.Ref.Digest}
					}
				}
			}
		}
		for _, m := range e.Modules {
			if !rule.wants(l, m.Ref.ID, Text, locales) {
				continue
			}
			for _, it := range m.Items {
				o, ok := before[it.Ref.ID]
				delete(before, it.Ref.ID)
				change := Change("")
				switch {
				case !ok:
					change = New
				case o.digest != it.Ref.Digest:
					change = Changed
				case o.module != m.Ref.ID:
					change = Moved
				default:
					continue
				}
				d.Items = append(d.Items, ItemChange{l, m.Ref.ID, it.Ref.ID, change})
			}
		}
		for _, id := range slices.Sorted(maps.Keys(before)) {
			d.Items = append(d.Items, ItemChange{l, before[id].module, id, Removed})
		}
		if then != nil && !sameDetails(then, e) {
			d.Details = append(d.Details, l)
		}
		for _, c := range below(now, l, rule, locales) {
			if !have[c.Digest] {
				have[c.Digest] = true
				d.Bytes.Add(c.Layer, c.Size)
				d.Blobs++
			}
		}
	}
	return d
}

// sameDetails compares what stands around the items: the course's own words, titles, and the order of what both have in the same place.
func sameDetails(a, b *EditionNode) bool {
	x, errX := details(a, b)
	y, errY := details(b, a)
	return errX == nil && errY == nil && string(x) == string(y)
}

func details(e, other *EditionNode) ([]byte, error) {
	type spot struct{ module, item string }
	both := map[spot]bool{}
	for _, m := range other.Modules {
		for _, it := range m.Items {
			both[spot{m.Ref.ID, it.Ref.ID}] = true
		}
	}
	doc := e.Doc
	doc.Modules = nil
	said := []any{doc}
	for _, m := range e.Modules {
		said = append(said, m.Ref.ID, m.Ref.Title, m.Ref.TitleLang)
		for _, it := range m.Items {
			if both[spot{m.Ref.ID, it.Ref.ID}] {
				said = append(said, it.Ref.ID, it.Ref.Kind, it.Ref.Graded, it.Ref.Title, it.Ref.TitleLang)
			}
		}
	}
	return Line(said)
}

// below lists what a rule wants of one edition, with manifests.
func below(t *Tree, l string, rule Rule, locales []string) []Child {
	e := t.Editions[l]
	out := []Child{{e.Ref.Digest, Want{Size: e.Ref.Size, Layer: Text}}}
	for _, m := range e.Modules {
		if !rule.wants(l, m.Ref.ID, Text, locales) {
			continue
		}
		out = append(out, Child{m.Ref.Digest, Want{Size: m.Ref.Size, Layer: Text}})
		for _, it := range m.Items {
			out = append(out, Child{it.Ref.Digest, Want{Size: it.Ref.Size, Layer: Text}})
			if it.Doc == nil {
				continue
			}
			for _, b := range it.Doc.Blobs {
				if rule.wants(l, m.Ref.ID, b.Layer, locales) {
					out = append(out, Child{b.Digest, Want{Size: b.Size, Layer: b.Layer}})
				}
			}
		}
	}
	return out
}

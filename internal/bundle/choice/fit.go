package choice

import (
	"github.com/banyan-lms/banyan/internal/bundle"
)

// Fitting is an item that fits, with all layers up to Layer.
type Fitting struct {
	Locale string       `json:"locale"`
	Module string       `json:"module"`
	Item   string       `json:"item"`
	Layer  bundle.Layer `json:"layer"`
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
func (r Rule) Fit(t *bundle.Tree, budget int64) Fit {
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
		bytes bundle.Bytes
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
			if !r.wants(l, m.Ref.ID, bundle.Text, locales) {
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
				taken = append(taken, place{Fitting{l, m.Ref.ID, it.Ref.ID, bundle.Text}, it.Ref.Bytes})
			}
		}
	}
	if fits {
		for i, layer := range r.Tier.Layers()[1:] {
			for j := range taken {
				p := &taken[j]
				n := p.bytes.Of(layer)
				if p.Layer != bundle.Layers[i] || n > left {
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

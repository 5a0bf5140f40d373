package choice

import (
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
)

// Selection is a part of a tree.
type Selection struct {
	Locales []string       // editions, as the root names them
	Layers  []bundle.Layer // with Text come the manifests
	Modules []string       // empty: all
	Items   []string       // empty: all
}

// Blobs gives what a selection holds, manifests before what they name: editions, then modules, then items, then the blobs layer by
// layer; of the text the fragments before the data, for like compresses with like. What is in have already is left out.
func (sel Selection) Blobs(t *bundle.Tree, have map[blob.Digest]bool) []blob.Digest {
	seen := map[blob.Digest]bool{}
	var ranks [3][]blob.Digest
	type pile struct {
		layer bundle.Layer
		role  bundle.Role
	}
	piles := map[pile][]blob.Digest{}
	add := func(to []blob.Digest, d blob.Digest) []blob.Digest {
		if seen[d] || have[d] {
			return to
		}
		seen[d] = true
		return append(to, d)
	}
	text := slices.Contains(sel.Layers, bundle.Text)
	manifest := func(rank int, d blob.Digest) {
		if text {
			ranks[rank] = add(ranks[rank], d)
		}
	}
	for _, l := range sel.Locales {
		e := t.Editions[l]
		if e == nil {
			continue
		}
		manifest(0, e.Ref.Digest)
		for _, m := range e.Modules {
			if len(sel.Modules) > 0 && !slices.Contains(sel.Modules, m.Ref.ID) {
				continue
			}
			manifest(1, m.Ref.Digest)
			for _, it := range m.Items {
				if len(sel.Items) > 0 && !slices.Contains(sel.Items, it.Ref.ID) || it.Doc == nil {
					continue
				}
				manifest(2, it.Ref.Digest)
				for _, b := range it.Doc.Blobs {
					if slices.Contains(sel.Layers, b.Layer) {
						p := pile{b.Layer, b.Role}
						piles[p] = add(piles[p], b.Digest)
					}
				}
			}
		}
	}
	out := slices.Concat(ranks[0], ranks[1], ranks[2])
	for _, l := range bundle.Layers {
		for _, r := range []bundle.Role{bundle.Fragment, bundle.Data, bundle.Media} {
			out = append(out, piles[pile{l, r}]...)
		}
	}
	return out
}

package choice

import (
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
)

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
	Bytes   bundle.Bytes `json:"bytes"`   // of blobs and manifests that who followed the rule in the old version has not
	Blobs   int          `json:"blobs"`   // how many they are
}

// Empty tells whether nothing at all changed for who follows the rule.
func (d Diff) Empty() bool { return len(d.Items) == 0 && len(d.Details) == 0 && d.Blobs == 0 }

// Compare tells what a new version changes for who follows a rule. A language that the old version lacks is all new.
func Compare(old, now *bundle.Tree, rule Rule) Diff {
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
				if rule.wants(l, m.Ref.ID, bundle.Text, locales) {
					for _, it := range m.Items {
						before[it.Ref.ID] = stood{m.Ref.ID, it.Ref.Digest}
					}
				}
			}
		}
		for _, m := range e.Modules {
			if !rule.wants(l, m.Ref.ID, bundle.Text, locales) {
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
func sameDetails(a, b *bundle.EditionNode) bool {
	x, errX := details(a, b)
	y, errY := details(b, a)
	return errX == nil && errY == nil && string(x) == string(y)
}

func details(e, other *bundle.EditionNode) ([]byte, error) {
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
	return bundle.Line(said)
}

// below lists what a rule wants of one edition, with manifests.
func below(t *bundle.Tree, l string, rule Rule, locales []string) []bundle.Child {
	e := t.Editions[l]
	out := []bundle.Child{{Digest: e.Ref.Digest, Want: bundle.Want{Size: e.Ref.Size, Layer: bundle.Text}}}
	for _, m := range e.Modules {
		if !rule.wants(l, m.Ref.ID, bundle.Text, locales) {
			continue
		}
		out = append(out, bundle.Child{Digest: m.Ref.Digest, Want: bundle.Want{Size: m.Ref.Size, Layer: bundle.Text}})
		for _, it := range m.Items {
			out = append(out, bundle.Child{Digest: it.Ref.Digest, Want: bundle.Want{Size: it.Ref.Size, Layer: bundle.Text}})
			if it.Doc == nil {
				continue
			}
			for _, b := range it.Doc.Blobs {
				if rule.wants(l, m.Ref.ID, b.Layer, locales) {
					out = append(out, bundle.Child{Digest: b.Digest, Want: bundle.Want{Size: b.Size, Layer: b.Layer}})
				}
			}
		}
	}
	return out
}

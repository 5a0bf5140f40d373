package bundle

import (
	"context"
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
)

// Rank is what a digest is named as.
type Rank byte

// The ranks, from the top.
const (
	EditionRank Rank = iota + 1
	ModuleRank
	ItemRank
	BlobRank
	ListRank // a status list, named by a trust document
)

// Want is what a document above says of a digest. It is comparable: what two parents say alike is one want.
type Want struct {
	Rank           Rank
	Size           int64
	Course, Locale string
	Module, Item   string
	Kind           curriculum.Kind
	Layer          Layer
}

// Manifest tells whether it names more in turn.
func (w Want) Manifest() bool { return w.Rank < BlobRank }

// Child is a want with its digest.
type Child struct {
	Digest blob.Digest
	Want
}

// Children are what a root names, in the order of locales.
func (r Root) Children() []Child {
	var out []Child
	for _, l := range slices.Sorted(maps.Keys(r.Editions)) {
		e := r.Editions[l]
		out = append(out, Child{e.Digest, Want{Rank: EditionRank, Size: e.Size, Course: r.Course, Locale: l, Layer: Text}})
	}
	return out
}

// Children are the status lists and recognitions that a word on issuers names.
func (t Trust) Children() []Child {
	var out []Child
	for _, i := range t.Issuers {
		for _, l := range i.Lists {
			if l.Digest.Valid() {
				out = append(out, Child{l.Digest, Want{Rank: ListRank, Size: l.Size}})
			}
		}
	}
	for _, r := range t.Recognitions {
		if r.Digest.Valid() {
			out = append(out, Child{r.Digest, Want{Rank: ListRank, Size: r.Size}})
		}
	}
	return out
}

// Read checks the bytes of a manifest against what was said of them and gives what they name in turn.
func (w Want) Read(data []byte) ([]Child, error) {
	var out []Child
	below := Want{Course: w.Course, Locale: w.Locale, Module: w.Module, Item: w.Item, Layer: Text}
	switch w.Rank {
	case EditionRank:
		e, err := ParseEdition(data)
		if err != nil {
			return nil, err
		}
		if e.Course != w.Course || e.Locale != w.Locale {
			return nil, Mixed("edition %s of %s in the place of %s of %s", e.Locale, e.Course, w.Locale, w.Course)
		}
		for _, m := range e.Modules {
			below.Rank, below.Size, below.Module = ModuleRank, m.Size, m.ID
			out = append(out, Child{m.Digest, below})
		}
	case ModuleRank:
		m, err := ParseModule(data)
		if err != nil {
			return nil, err
		}
		if m.ID != w.Module {
			return nil, Mixed("module %s in the place of %s", m.ID, w.Module)
		}
		for _, it := range m.Items {
			below.Rank, below.Size, below.Item, below.Kind = ItemRank, it.Size, it.ID, it.Kind
			out = append(out, Child{it.Digest, below})
		}
	case ItemRank:
		it, err := ParseItem(data)
		if err != nil {
			return nil, err
		}
		if it.ID != w.Item || it.Kind != w.Kind {
			return nil, Mixed("%s %s in the place of %s %s", it.Kind, it.ID, w.Kind, w.Item)
		}
		for _, b := range it.Blobs {
			below.Rank, below.Size, below.Layer = BlobRank, b.Size, b.Layer
			out = append(out, Child{b.Digest, below})
		}
	}
	return out, nil
}

// Opener gives the bytes of a manifest, or fault.NotFound.
type Opener func(ctx context.Context, d blob.Digest) ([]byte, error)

// Tree is a root with the manifests below it, as far as they are at hand.
type Tree struct {
	Root     Root
	RootText []byte // the signed document
	Editions map[string]*EditionNode
}

// EditionNode is an edition in a tree.
type EditionNode struct {
	Ref     EditionRef
	Doc     Edition
	Modules []ModuleNode
}

// ModuleNode is a module in a tree. Its Items are empty when the module is not at hand.
type ModuleNode struct {
	Ref     ModuleRef
	Present bool
	Items   []ItemNode
}

// ItemNode is an item in a tree. Doc is nil when the item is not at hand.
type ItemNode struct {
	Ref ItemRef
	Doc *Item
}

// Load reads the manifests of some languages, of all when none is named. What is absent is left out.
func Load(ctx context.Context, root Signed, open Opener, locales ...string) (*Tree, error) {
	r, err := ParseRoot(root.Document)
	if err != nil {
		return nil, err
	}
	t := &Tree{Root: r, RootText: root.Text, Editions: map[string]*EditionNode{}}
	for _, l := range slices.Sorted(maps.Keys(r.Editions)) {
		if len(locales) > 0 && !slices.Contains(locales, l) {
			continue
		}
		if err := t.load(ctx, l, open); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Tree) load(ctx context.Context, locale string, open Opener) error {
	get := func(d blob.Digest, w Want) ([]byte, []Child, error) {
		data, err := open(ctx, d)
		if fault.Is(err, fault.NotFound) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if int64(len(data)) != w.Size {
			return nil, nil, Damaged("%s has %d bytes, not %d", d, len(data), w.Size)
		}
		below, err := w.Read(data)
		return data, below, err
	}
	ref := t.Root.Editions[locale]
	data, modules, err := get(ref.Digest, Want{Rank: EditionRank, Size: ref.Size, Course: t.Root.Course, Locale: locale})
	if err != nil || data == nil {
		return err
	}
	e := &EditionNode{Ref: ref}
	if e.Doc, err = ParseEdition(data); err != nil {
		return err
	}
	for i, m := range modules {
		node := ModuleNode{Ref: e.Doc.Modules[i]}
		data, items, err := get(m.Digest, m.Want)
		if err != nil {
			return err
		}
		if node.Present = data != nil; node.Present {
			doc, err := ParseModule(data)
			if err != nil {
				return err
			}
			for j, it := range items {
				item := ItemNode{Ref: doc.Items[j]}
				data, _, err := get(it.Digest, it.Want)
				if err != nil {
					return err
				}
				if data != nil {
					parsed, err := ParseItem(data)
					if err != nil {
						return err
					}
					item.Doc = &parsed
				}
				node.Items = append(node.Items, item)
			}
		}
		e.Modules = append(e.Modules, node)
	}
	t.Editions[locale] = e
	return nil
}

// Resolve gives the editions that stand for the languages that somebody reads: the source language for one that the course does
// not speak. It keeps their order and names each once.
func (r Root) Resolve(locales []string) []string {
	var out []string
	for _, l := range locales {
		if _, ok := r.Editions[l]; !ok {
			l = r.SourceLocale
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

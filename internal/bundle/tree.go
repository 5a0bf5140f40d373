package bundle

import (
	"context"
	"maps"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
)

// rank is what a digest is named as.
type rank byte

const (
	editionRank rank = iota + 1
	moduleRank
	itemRank
	blobRank
	listRank // a status list, named by a trust document
)

// want is what a document above says of a digest. It is comparable: what two parents say alike is one want.
type want struct {
	rank           rank
	size           int64
	course, locale string
	module, item   string
	kind           curriculum.Kind
	layer          Layer
}

func (w want) manifest() bool { return w.rank < blobRank }

// child is a want with its digest.
type child struct {
	digest blob.Digest
	want
}

// children are what a root names, in the order of locales.
func (r Root) children() []child {
	var out []child
	for _, l := range slices.Sorted(maps.Keys(r.Editions)) {
		e := r.Editions[l]
		out = append(out, child{e.Digest, want{rank: editionRank, size: e.Size, course: r.Course, locale: l, layer: Text}})
	}
	return out
}

// read checks the bytes of a manifest against what was said of them and gives what they name in turn.
func (w want) read(data []byte) ([]child, error) {
	var out []child
	below := want{course: w.course, locale: w.locale, module: w.module, item: w.item, layer: Text}
	switch w.rank {
	case editionRank:
		e, err := ParseEdition(data)
		if err != nil {
			return nil, err
		}
		if e.Course != w.course || e.Locale != w.locale {
			return nil, mixed("edition %s of %s in the place of %s of %s", e.Locale, e.Course, w.locale, w.course)
		}
		for _, m := range e.Modules {
			below.rank, below.size, below.module = moduleRank, m.Size, m.ID
			out = append(out, child{m.Digest, below})
		}
	case moduleRank:
		m, err := ParseModule(data)
		if err != nil {
			return nil, err
		}
		if m.ID != w.module {
			return nil, mixed("module %s in the place of %s", m.ID, w.module)
		}
		for _, it := range m.Items {
			below.rank, below.size, below.item, below.kind = itemRank, it.Size, it.ID, it.Kind
			out = append(out, child{it.Digest, below})
		}
	case itemRank:
		it, err := ParseItem(data)
		if err != nil {
			return nil, err
		}
		if it.ID != w.item || it.Kind != w.kind {
			return nil, mixed("%s %s in the place of %s %s", it.Kind, it.ID, w.kind, w.item)
		}
		for _, b := range it.Blobs {
			below.rank, below.size, below.layer = blobRank, b.Size, b.Layer
			out = append(out, child{b.Digest, below})
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
	get := func(d blob.Digest, w want) ([]byte, []child, error) {
		data, err := open(ctx, d)
		if fault.Is(err, fault.NotFound) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if int64(len(data)) != w.size {
			return nil, nil, damaged("%s has %d bytes, not %d", d, len(data), w.size)
		}
		below, err := w.read(data)
		return data, below, err
	}
	ref := t.Root.Editions[locale]
	data, modules, err := get(ref.Digest, want{rank: editionRank, size: ref.Size, course: t.Root.Course, locale: locale})
	if err != nil || data == nil {
		return err
	}
	e := &EditionNode{Ref: ref}
	if e.Doc, err = ParseEdition(data); err != nil {
		return err
	}
	for i, m := range modules {
		node := ModuleNode{Ref: e.Doc.Modules[i]}
		data, items, err := get(m.digest, m.want)
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
				data, _, err := get(it.digest, it.want)
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

// resolve gives the editions that stand for the languages that somebody reads: the source language for one that the course does
// not speak. It keeps their order and names each once.
func (r Root) resolve(locales []string) []string {
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

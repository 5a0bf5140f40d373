package bundle

import (
	"context"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/curriculum"
)

// Built is a course version as a tree, not yet signed.
type Built struct {
	Root      Root // without publisher and time of signing
	Manifests [][]byte
}

// Build makes the manifests of a published version in all its languages. open gives its public blobs. The same version gives the same bytes.
func Build(ctx context.Context, v curriculum.Version, open Opener) (Built, error) {
	b := &builder{ctx: ctx, open: open, sizes: map[blob.Digest]sized{}}
	m := v.Manifest
	out := Built{Root: Root{
		Type: "root", Format: Format, Course: string(v.CourseID), Number: v.Number, Version: v.Digest,
		PublishedAt: At(v.PublishedAt), SourceLocale: m.SourceLocale, Licence: m.Licence, Authors: m.Authors,
		Editions: map[string]EditionRef{},
	}}
	for _, l := range m.Locales {
		ref, err := b.edition(m, l)
		if err != nil {
			return Built{}, fmt.Errorf("build %s of %s@%d: %w", l, v.CourseID, v.Number, err)
		}
		out.Root.Editions[l] = ref
	}
	out.Manifests = b.manifests
	return out, nil
}

type builder struct {
	ctx       context.Context
	open      Opener
	sizes     map[blob.Digest]sized
	manifests [][]byte
}

// sized is what a blob tells of itself.
type sized struct {
	size  int64
	hrefs map[blob.Digest]string // of a fragment: what it shows, and under which address
}

// total sums blobs, each once.
type total struct {
	seen map[blob.Digest]bool
	Bytes
}

func (t *total) count(d blob.Digest, l Layer, size int64) {
	if t.seen == nil {
		t.seen = map[blob.Digest]bool{}
	}
	if !t.seen[d] {
		t.seen[d] = true
		t.Add(l, size)
	}
}

func (b *builder) keep(doc any) (blob.Digest, int64, error) {
	raw, err := Line(doc)
	if err != nil {
		return "", 0, err
	}
	if len(raw) > MaxManifest {
		return "", 0, Damaged("a manifest of %d bytes", len(raw))
	}
	b.manifests = append(b.manifests, raw)
	return blob.Of(raw), int64(len(raw)), nil
}

func (b *builder) edition(m curriculum.Manifest, l string) (ref EditionRef, err error) {
	a := m.Achievement
	e := Edition{
		Type: "edition", Course: string(m.CourseID), Locale: l, Title: m.Title[l], TitleLang: m.TitleLang[l], Summary: m.Summary[l], SummaryLang: m.SummaryLang[l],
		Minutes: m.Minutes, Criteria: m.Criteria, Modules: []ModuleRef{},
		Achievement: Achievement{Name: a.Name[l], Description: a.Description[l], Narrative: a.Narrative[l], Competences: a.Competences},
	}
	if len(a.Competences) == 0 {
		e.Competences = served(m)
	}
	var whole total
	for _, mod := range m.Modules {
		var sum total
		doc := Module{Type: "module", ID: mod.ID, Items: []ItemRef{}}
		for _, it := range mod.Items {
			r, err := b.item(it, l, &sum, &whole)
			if err != nil {
				return ref, fmt.Errorf("item %s: %w", it.ID, err)
			}
			weight, ok := it.Weight[l]
			if !ok {
				weight = it.Weight[m.SourceLocale]
			}
			r.Weight = weight.All
			doc.Items = append(doc.Items, r)
		}
		r := ModuleRef{ID: mod.ID, Title: mod.Title[l], TitleLang: mod.TitleLang[l], Bytes: sum.Bytes}
		if r.Digest, r.Size, err = b.keep(doc); err != nil {
			return ref, err
		}
		whole.count(r.Digest, Text, r.Size)
		e.Modules = append(e.Modules, r)
	}
	ref.Bytes = whole.Bytes
	ref.Digest, ref.Size, err = b.keep(e)
	return ref, err
}

// served lists what the items of a course serve, each once.
func served(m curriculum.Manifest) []string {
	var ids []string
	for _, mod := range m.Modules {
		for _, it := range mod.Items {
			ids = append(ids, it.Competences...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (b *builder) item(it curriculum.Item, l string, sums ...*total) (ItemRef, error) {
	doc := Item{Type: "item", ID: string(it.ID), Kind: it.Kind, Competences: it.Competences, Words: it.Words[l], Blobs: []BlobRef{}}
	if t, ok := it.Translations[l]; ok {
		doc.Translation = &t
	}
	var own total
	add := func(r BlobRef) {
		doc.Blobs = append(doc.Blobs, r)
		own.count(r.Digest, r.Layer, r.Size)
		for _, s := range sums {
			s.count(r.Digest, r.Layer, r.Size)
		}
	}
	hrefs := map[blob.Digest]string{}
	for _, part := range []struct {
		role    Role
		digests map[string]blob.Digest
	}{{Fragment, it.Fragment}, {Data, it.Data}} {
		d, ok := part.digests[l]
		if !ok {
			continue
		}
		s, err := b.look(d, part.role == Fragment)
		if err != nil {
			return ItemRef{}, err
		}
		for d, href := range s.hrefs {
			hrefs[d] = href
		}
		add(BlobRef{Role: part.role, Digest: d, Size: s.size, Layer: Text})
	}
	for _, d := range it.Media[l] {
		s, err := b.look(d, false)
		if err != nil {
			return ItemRef{}, err
		}
		r := BlobRef{Role: Media, Digest: d, Size: s.size, Layer: Image, Href: hrefs[d]}
		r.MediaType, r.Layer = mediaType(path.Ext(r.Href))
		add(r)
	}
	ref := ItemRef{ID: string(it.ID), Kind: it.Kind, Graded: it.Graded, Title: it.Title[l], TitleLang: it.TitleLang[l], Bytes: own.Bytes}
	var err error
	ref.Digest, ref.Size, err = b.keep(doc)
	for _, s := range sums {
		s.count(ref.Digest, Text, ref.Size)
	}
	return ref, err
}

var shown = regexp.MustCompile(`/media/([0-9a-f]{64})\.[a-z0-9]{1,5}`)

func (b *builder) look(d blob.Digest, fragment bool) (sized, error) {
	if s, ok := b.sizes[d]; ok {
		return s, nil
	}
	data, err := b.open(b.ctx, d)
	if err != nil {
		return sized{}, err
	}
	if len(data) > MaxFrame {
		return sized{}, Damaged("blob %s of %d bytes", d, len(data))
	}
	s := sized{size: int64(len(data))}
	if fragment {
		s.hrefs = map[blob.Digest]string{}
		for _, m := range shown.FindAllSubmatch(data, -1) {
			s.hrefs[blob.Digest("sha256:"+string(m[1]))] = string(m[0])
		}
	}
	b.sizes[d] = s
	return s, nil
}

// mediaType says what a medium is by the end of its address. What nobody shows by an address is taken for a picture.
func mediaType(ext string) (string, Layer) {
	switch ext {
	case ".svg":
		return "image/svg+xml", Image
	case ".png":
		return "image/png", Image
	case ".jpg", ".jpeg":
		return "image/jpeg", Image
	case ".webp":
		return "image/webp", Image
	case ".mp3":
		return "audio/mpeg", Audio
	case ".m4a":
		return "audio/mp4", Audio
	case ".ogg", ".opus", ".oga":
		return "audio/ogg", Audio
	case ".wav":
		return "audio/wav", Audio
	}
	return "application/octet-stream", Image
}

// Selection is a part of a tree.
type Selection struct {
	Locales []string // editions, as the root names them
	Layers  []Layer  // with Text come the manifests
	Modules []string // empty: all
	Items   []string // empty: all
}

// Blobs gives what a selection holds, manifests before what they name: editions, then modules, then items, then the blobs layer by
// layer; of the text the fragments before the data, for like compresses with like. What is in have already is left out.
func (sel Selection) Blobs(t *Tree, have map[blob.Digest]bool) []blob.Digest {
	seen := map[blob.Digest]bool{}
	var ranks [3][]blob.Digest
	type pile struct {
		layer Layer
		role  Role
	}
	piles := map[pile][]blob.Digest{}
	add := func(to []blob.Digest, d blob.Digest) []blob.Digest {
		if seen[d] || have[d] {
			return to
		}
		seen[d] = true
		return append(to, d)
	}
	text := slices.Contains(sel.Layers, Text)
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
	for _, l := range Layers {
		for _, r := range []Role{Fragment, Data, Media} {
			out = append(out, piles[pile{l, r}]...)
		}
	}
	return out
}

// WritePack writes a pack: the head's frames, then blobs in their order.
func WritePack(ctx context.Context, w io.Writer, head []Frame, blobs []blob.Digest, open Opener) error {
	pack := NewWriter(w)
	for _, f := range head {
		if err := pack.Write(f); err != nil {
			return err
		}
	}
	for _, d := range blobs {
		data, err := open(ctx, d)
		if err != nil {
			return err
		}
		if err := pack.Write(Frame{BlobFrame, data}); err != nil {
			return err
		}
	}
	return pack.Close()
}

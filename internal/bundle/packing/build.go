// Package packing packs a course version for the road: its manifests, then packs of what somebody asks for.
package packing

import (
	"context"
	"fmt"
	"path"
	"regexp"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/curriculum"
)

// Built is a course version as a tree, not yet signed.
type Built struct {
	Root      bundle.Root // without publisher and time of signing
	Manifests [][]byte
}

// Build makes the manifests of a published version in all its languages. open gives its public blobs. The same version gives the same bytes.
func Build(ctx context.Context, v curriculum.Version, open bundle.Opener) (Built, error) {
	b := &builder{ctx: ctx, open: open, sizes: map[blob.Digest]sized{}}
	m := v.Manifest
	out := Built{Root: bundle.Root{
		Type: "root", Format: bundle.Format, Course: string(v.CourseID), Number: v.Number, Version: v.Digest,
		PublishedAt: bundle.At(v.PublishedAt), SourceLocale: m.SourceLocale, Licence: m.Licence, Authors: m.Authors,
		Editions: map[string]bundle.EditionRef{},
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
	open      bundle.Opener
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
	bundle.Bytes
}

func (t *total) count(d blob.Digest, l bundle.Layer, size int64) {
	if t.seen == nil {
		t.seen = map[blob.Digest]bool{}
	}
	if !t.seen[d] {
		t.seen[d] = true
		t.Add(l, size)
	}
}

func (b *builder) keep(doc any) (blob.Digest, int64, error) {
	raw, err := bundle.Line(doc)
	if err != nil {
		return "", 0, err
	}
	if len(raw) > bundle.MaxManifest {
		return "", 0, bundle.Damaged("a manifest of %d bytes", len(raw))
	}
	b.manifests = append(b.manifests, raw)
	return blob.Of(raw), int64(len(raw)), nil
}

func (b *builder) edition(m curriculum.Manifest, l string) (ref bundle.EditionRef, err error) {
	a := m.Achievement
	e := bundle.Edition{
		Type: "edition", Course: string(m.CourseID), Locale: l, Title: m.Title[l], TitleLang: m.TitleLang[l], Summary: m.Summary[l], SummaryLang: m.SummaryLang[l],
		Minutes: m.Minutes, Criteria: m.Criteria, Modules: []bundle.ModuleRef{},
		Achievement: bundle.Achievement{Name: a.Name[l], Description: a.Description[l], Narrative: a.Narrative[l], Competences: a.Competences},
	}
	if len(a.Competences) == 0 {
		e.Competences = served(m)
	}
	var whole total
	for _, mod := range m.Modules {
		var sum total
		doc := bundle.Module{Type: "module", ID: mod.ID, Items: []bundle.ItemRef{}}
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
		r := bundle.ModuleRef{ID: mod.ID, Title: mod.Title[l], TitleLang: mod.TitleLang[l], Bytes: sum.Bytes}
		if r.Digest, r.Size, err = b.keep(doc); err != nil {
			return ref, err
		}
		whole.count(r.Digest, bundle.Text, r.Size)
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

func (b *builder) item(it curriculum.Item, l string, sums ...*total) (bundle.ItemRef, error) {
	doc := bundle.Item{Type: "item", ID: string(it.ID), Kind: it.Kind, Competences: it.Competences, Words: it.Words[l], Blobs: []bundle.BlobRef{}}
	if t, ok := it.Translations[l]; ok {
		doc.Translation = &t
	}
	var own total
	add := func(r bundle.BlobRef) {
		doc.Blobs = append(doc.Blobs, r)
		own.count(r.Digest, r.Layer, r.Size)
		for _, s := range sums {
			s.count(r.Digest, r.Layer, r.Size)
		}
	}
	hrefs := map[blob.Digest]string{}
	for _, part := range []struct {
		role    bundle.Role
		digests map[string]blob.Digest
	}{{bundle.Fragment, it.Fragment}, {bundle.Data, it.Data}} {
		d, ok := part.digests[l]
		if !ok {
			continue
		}
		s, err := b.look(d, part.role == bundle.Fragment)
		if err != nil {
			return bundle.ItemRef{}, err
		}
		for d, href := range s.hrefs {
			hrefs[d] = href
		}
		add(bundle.BlobRef{Role: part.role, Digest: d, Size: s.size, Layer: bundle.Text})
	}
	for _, d := range it.Media[l] {
		s, err := b.look(d, false)
		if err != nil {
			return bundle.ItemRef{}, err
		}
		r := bundle.BlobRef{Role: bundle.Media, Digest: d, Size: s.size, Layer: bundle.Image, Href: hrefs[d]}
		r.MediaType, r.Layer = mediaType(path.Ext(r.Href))
		add(r)
	}
	ref := bundle.ItemRef{ID: string(it.ID), Kind: it.Kind, Graded: it.Graded, Title: it.Title[l], TitleLang: it.TitleLang[l], Bytes: own.Bytes}
	var err error
	ref.Digest, ref.Size, err = b.keep(doc)
	for _, s := range sums {
		s.count(ref.Digest, bundle.Text, ref.Size)
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
	if len(data) > bundle.MaxFrame {
		return sized{}, bundle.Damaged("blob %s of %d bytes", d, len(data))
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
func mediaType(ext string) (string, bundle.Layer) {
	switch ext {
	case ".svg":
		return "image/svg+xml", bundle.Image
	case ".png":
		return "image/png", bundle.Image
	case ".jpg", ".jpeg":
		return "image/jpeg", bundle.Image
	case ".webp":
		return "image/webp", bundle.Image
	case ".mp3":
		return "audio/mpeg", bundle.Audio
	case ".m4a":
		return "audio/mp4", bundle.Audio
	case ".ogg", ".opus", ".oga":
		return "audio/ogg", bundle.Audio
	case ".wav":
		return "audio/wav", bundle.Audio
	}
	return "application/octet-stream", bundle.Image
}

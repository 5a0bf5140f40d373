package serving

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/fault"
)

// head gives the frames before the blobs of the course, and the status lists, which a pack of the head carries too.
func (s *Service) head(ctx context.Context, h held) (frames []bundle.Frame, root bundle.Root, err error) {
	if root, err = bundle.ParseRoot(h.root.Document); err != nil {
		return nil, bundle.Root{}, err
	}
	b, err := s.rootBearer(ctx, h, root)
	if err != nil {
		return nil, bundle.Root{}, err
	}
	chain, err := s.Publisher.Chain(ctx, b)
	if err != nil {
		return nil, bundle.Root{}, err
	}
	for _, d := range chain.Documents {
		frames = append(frames, bundle.Frame{Kind: bundle.PublisherFrame, Payload: d.Text})
	}
	var word []byte
	if h.in != "" {
		if word, err = s.Publisher.Word(ctx, h.in); err != nil {
			return nil, bundle.Root{}, err
		}
	} else {
		d, err := s.Store.FindDocument(ctx, b, publisher.TrustDocument, "", 0)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, bundle.Root{}, err
		}
		word = d.Text
	}
	var lists []bundle.Frame
	if word != nil {
		t, err := bundle.ReadTrust(word)
		if err != nil {
			return nil, bundle.Root{}, err
		}
		frames = append(frames, bundle.Frame{Kind: bundle.TrustFrame, Payload: word})
		for _, c := range t.Children() {
			data, err := s.Open(ctx, c.Digest)
			if fault.Is(err, fault.NotFound) {
				continue // the carrier that brought the word had it not
			}
			if err != nil {
				return nil, bundle.Root{}, err
			}
			lists = append(lists, bundle.Frame{Kind: bundle.BlobFrame, Payload: data})
		}
	}
	return append(append(frames, bundle.Frame{Kind: bundle.RootFrame, Payload: h.root.Text}), lists...), root, nil
}

// Head gives the head of a version: publisher, word on issuers, root, status lists. It may change while the version does not: when keys change
// hands, or a certificate is revoked. Anyone may ask.
func (s *Service) Head(ctx context.Context, course string, number int) (*packing.Packed, error) {
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return nil, err
	}
	frames, _, err := s.head(ctx, h)
	if err != nil {
		return nil, err
	}
	return s.Packs.Pack(ctx, frames, nil)
}

// Part is a piece of a version in one language.
type Part struct {
	Locale  string
	Layer   bundle.Layer
	Modules []string // empty: all
	Items   []string // empty: all
	From    int      // version of whose Modules the reader has everything at this layer, in this language; 0: of none
}

// Href is the address of a part.
func (p Part) Href(course string, number int) string {
	q := url.Values{}
	for _, m := range p.Modules {
		q.Add("module", m)
	}
	for _, i := range p.Items {
		q.Add("item", i)
	}
	if p.From > 0 {
		q.Set("from", strconv.Itoa(p.From))
	}
	address := Address(course, number) + "/" + p.Locale + "/" + string(p.Layer) + ".pack"
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	return address
}

// Address is where the files of a version begin.
func Address(course string, number int) string {
	return "/bundles/" + url.PathEscape(course) + "@" + strconv.Itoa(number)
}

// Pack gives a part as a pack of blobs. The same part of a version has the same bytes for ever. Anyone may ask.
func (s *Service) Pack(ctx context.Context, course string, number int, part Part) (*packing.Packed, error) {
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return nil, err
	}
	blobs, err := s.blobs(ctx, course, h, part)
	if err != nil {
		return nil, err
	}
	return s.Packs.Pack(ctx, nil, blobs)
}

// blobs lists what a part holds.
func (s *Service) blobs(ctx context.Context, course string, h held, part Part) ([]blob.Digest, error) {
	if !slices.Contains(bundle.Layers, part.Layer) {
		return nil, bundle.NotFound(nil)
	}
	if h.rule != nil && !slices.Contains(h.rule.Tier.Layers(), part.Layer) {
		return nil, bundle.NotFound(errors.New("this server has not that layer"))
	}
	t, err := s.tree(ctx, h, part.Locale)
	if err != nil {
		return nil, err
	}
	e := t.Editions[part.Locale]
	if e == nil {
		return nil, bundle.NotFound(nil)
	}
	if h.rule != nil {
		have := h.rule.Choice(t.Root)
		if !have(bundle.Want{Locale: part.Locale, Layer: part.Layer}) {
			return nil, bundle.NotFound(errors.New("this server has not that language"))
		}
		if len(part.Modules) == 0 {
			part.Modules = h.rule.Modules
		}
		if len(h.rule.Modules) > 0 && slices.ContainsFunc(part.Modules, func(m string) bool { return !slices.Contains(h.rule.Modules, m) }) {
			return nil, bundle.NotFound(errors.New("this server has not that module"))
		}
	}
	for _, m := range part.Modules {
		if !slices.ContainsFunc(e.Modules, func(n bundle.ModuleNode) bool { return n.Ref.ID == m }) {
			return nil, bundle.NotFound(nil)
		}
	}
	have := map[blob.Digest]bool{}
	if part.From > 0 {
		old, err := s.hold(ctx, course, part.From)
		if err != nil {
			return nil, err
		}
		before, err := s.tree(ctx, old, part.Locale)
		if err != nil {
			return nil, err
		}
		all := choice.Selection{Locales: []string{part.Locale}, Layers: []bundle.Layer{part.Layer}, Modules: part.Modules}
		for _, d := range all.Blobs(before, nil) {
			have[d] = true
		}
	}
	sel := choice.Selection{Locales: []string{part.Locale}, Layers: []bundle.Layer{part.Layer}, Modules: part.Modules, Items: part.Items}
	return sel.Blobs(t, have), nil
}

// File gives what a rule wants of a version as one file, a .banyan. Anyone may ask.
func (s *Service) File(ctx context.Context, course string, number int, rule choice.Rule) (*packing.Packed, error) {
	if err := rule.Check(); err != nil {
		return nil, err
	}
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return nil, err
	}
	frames, root, err := s.head(ctx, h)
	if err != nil {
		return nil, err
	}
	locales := root.Resolve(rule.Locales)
	t, err := s.tree(ctx, h, locales...)
	if err != nil {
		return nil, err
	}
	if err := complete(t, locales, rule.Modules); err != nil {
		return nil, err
	}
	if h.rule != nil && slices.Index([]choice.Tier{choice.TextTier, choice.ImagesTier, choice.AllTier}, rule.Tier) > slices.Index([]choice.Tier{choice.TextTier, choice.ImagesTier, choice.AllTier}, h.rule.Tier) {
		return nil, bundle.NotFound(errors.New("this server has not that tier"))
	}
	sel := choice.Selection{Locales: locales, Layers: rule.Tier.Layers(), Modules: rule.Modules}
	return s.Packs.Pack(ctx, frames, sel.Blobs(t, nil))
}

// Write gives the frames of what a rule wants one by one, for who writes a folder.
func (s *Service) Write(ctx context.Context, course string, number int, rule choice.Rule, fn func(bundle.Frame) error) error {
	p, err := s.File(ctx, course, number, rule)
	if err != nil {
		return err
	}
	in, err := p.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	r := bundle.NewReader(in)
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(f); err != nil {
			return err
		}
	}
}

package serving

import (
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// held is a version that this server can give away.
type held struct {
	root bundle.Signed
	in   identity.InstitutionID // who publishes it here; "" came from elsewhere
	rule *choice.Rule           // what is here of one that came from elsewhere
}

// hold finds a version of a course, the newest with number 0: published here, or imported.
func (s *Service) hold(ctx context.Context, course string, number int) (held, error) {
	if !bundle.IsName(course) || number < 0 {
		return held{}, bundle.NotFound(nil)
	}
	find := func() (curriculum.Version, error) {
		if number == 0 {
			return s.Courses.FindLatest(ctx, curriculum.CourseID(course))
		}
		return s.Courses.FindVersionNumber(ctx, curriculum.CourseID(course), number)
	}
	v, err := find()
	if err == nil {
		root, err := s.own(ctx, v)
		return held{root: root, in: identity.InstitutionID(v.InstitutionID)}, err
	}
	if !fault.Is(err, fault.NotFound) {
		return held{}, err
	}
	p, err := s.Store.FindPlace(ctx, course)
	if err != nil {
		return held{}, err
	}
	for _, text := range [][]byte{p.Installed, p.Previous} {
		if r, err := readRoot(text); err == nil && (number == 0 || r.Number == number) {
			root, err := bundle.ReadSigned(text)
			return held{root: root, rule: &p.Rule}, err
		}
	}
	return held{}, bundle.NotFound(nil)
}

// tree loads the manifests of some languages of a version. Versions never change, so what was parsed once is kept for a while.
func (s *Service) tree(ctx context.Context, h held, locales ...string) (*bundle.Tree, error) {
	return s.trees.load(h.root, locales, func() (*bundle.Tree, error) { return bundle.Load(ctx, h.root, s.Keep.Open, locales...) })
}

// Info is what there is of a course.
type Info struct {
	Root      bundle.Root
	Digest    blob.Digest  // of the signed root
	Publisher Stated       // without documents
	Rule      *choice.Rule // what is here of a course from elsewhere; nil: everything
}

// Info tells what there is of a course, of its newest version with number 0. Anyone may ask; fault.NotFound when there is none.
func (s *Service) Info(ctx context.Context, course string, number int) (Info, error) {
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return Info{}, err
	}
	i := Info{Digest: h.root.Digest(), Rule: h.rule}
	if i.Root, err = bundle.ParseRoot(h.root.Document); err != nil {
		return Info{}, err
	}
	b, err := s.rootBearer(ctx, h, i.Root)
	if err != nil {
		return Info{}, err
	}
	i.Publisher, err = s.state(ctx, b)
	i.Publisher.Documents, i.Publisher.Own = nil, h.in != ""
	return i, err
}

// rootBearer tells who signed a root that is here, of those who bear the name in it.
func (s *Service) rootBearer(ctx context.Context, h held, r bundle.Root) (Bearer, error) {
	if h.in != "" {
		p, err := s.signs(ctx, h.in)
		return p.Bearer, err
	}
	all, err := s.bearers(ctx, r.Publisher)
	if err != nil {
		return Bearer{}, err
	}
	whom, _, err := trusted(ctx, s.Store, "", r.Publisher)
	if err != nil {
		return Bearer{}, err
	}
	out := Bearer{Publisher: r.Publisher}
	for _, k := range all {
		// A forged chain may list keys of the right one: who is trusted goes first.
		if slices.ContainsFunc(h.root.Signatures, func(s bundle.Signature) bool { return k.chain.Names(s.Key) }) && (out.Chain == "" || k.Bearer == whom) {
			out = k.Bearer
		}
	}
	return out, nil
}

// head gives the frames before the blobs of the course, and the status lists, which a pack of the head carries too.
func (s *Service) head(ctx context.Context, h held) (frames []bundle.Frame, root bundle.Root, err error) {
	if root, err = bundle.ParseRoot(h.root.Document); err != nil {
		return nil, bundle.Root{}, err
	}
	b, err := s.rootBearer(ctx, h, root)
	if err != nil {
		return nil, bundle.Root{}, err
	}
	chain, err := s.chain(ctx, b)
	if err != nil {
		return nil, bundle.Root{}, err
	}
	for _, d := range chain.Documents {
		frames = append(frames, bundle.Frame{Kind: bundle.PublisherFrame, Payload: d.Text})
	}
	var word []byte
	if h.in != "" {
		if word, err = s.trust(ctx, h.in); err != nil {
			return nil, bundle.Root{}, err
		}
	} else {
		d, err := s.Store.FindDocument(ctx, b, TrustDocument, "", 0)
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
			data, err := s.Keep.Open(ctx, c.Digest)
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

// Planned is one pack of a plan.
type Planned struct {
	Href   string
	Bytes  int64
	Layer  bundle.Layer
	Locale string
}

// Plan is what it takes to have a course, or to bring it up to date.
type Plan struct {
	Course        string
	Number        int
	RootDigest    blob.Digest
	Rule          choice.Rule // with languages as the course has them
	Packs         []Planned
	TransferBytes int64 // of the packs and the head
	HeadBytes     int64
	Fit           *choice.Fit // with a budget
	Changed       choice.Diff // since From
	From          int         // 0 when the reader's version is not known here, and all must be fetched
}

// Plan says which packs bring what a rule wants of a version (0: the newest), and what they cost. from is the version that the reader has for the same rule,
// 0 for none; budget bounds what the course takes on the device, 0 for no bound. Anyone may ask.
func (s *Service) Plan(ctx context.Context, course string, number int, rule choice.Rule, from int, budget int64) (Plan, error) {
	if err := rule.Check(); err != nil {
		return Plan{}, err
	}
	h, err := s.hold(ctx, course, number)
	if err != nil {
		return Plan{}, err
	}
	root, err := bundle.ParseRoot(h.root.Document)
	if err != nil {
		return Plan{}, err
	}
	head, err := s.Head(ctx, course, root.Number)
	if err != nil {
		return Plan{}, err
	}
	rule.Locales = root.Resolve(rule.Locales)
	out := Plan{
		Course: course, Number: root.Number, RootDigest: h.root.Digest(), Rule: rule, HeadBytes: head.Size, TransferBytes: head.Size,
		Packs: []Planned{}, Changed: choice.Diff{Items: []choice.ItemChange{}, Details: []string{}},
	}
	t, err := s.tree(ctx, h, rule.Locales...)
	if err != nil {
		return Plan{}, err
	}
	var before *bundle.Tree
	if from > 0 {
		old, err := s.hold(ctx, course, from)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Plan{}, err
		}
		if err == nil {
			out.From = from
			if before, err = s.tree(ctx, old, rule.Locales...); err != nil {
				return Plan{}, err
			}
			out.Changed = choice.Compare(before, t, rule)
		}
	}
	parts := wanted(t, rule, out.From, before)
	if budget > 0 {
		fit := rule.Fit(t, budget)
		out.Fit = &fit
		if !fit.Whole {
			parts = fitted(t, fit, rule, out.From, before)
		}
	}
	for _, part := range parts {
		blobs, err := s.blobs(ctx, course, h, part)
		if fault.Is(err, fault.NotFound) && h.rule != nil {
			continue // a node has what it has
		}
		if err != nil {
			return Plan{}, err
		}
		if len(blobs) == 0 {
			continue
		}
		p, err := s.Packs.Pack(ctx, nil, blobs)
		if err != nil {
			return Plan{}, err
		}
		out.Packs = append(out.Packs, Planned{Href: part.Href(course, root.Number), Bytes: p.Size, Layer: part.Layer, Locale: part.Locale})
		out.TransferBytes += p.Size
	}
	return out, nil
}

// fromFor is the version whose blobs may be left out: a language that it had.
func fromFor(before *bundle.Tree, locale string, from int) int {
	if before == nil || before.Editions[locale] == nil {
		return 0
	}
	return from
}

// wanted are the parts of all that a rule wants: language by language within a layer, the text of all before the first picture.
func wanted(t *bundle.Tree, rule choice.Rule, from int, before *bundle.Tree) []Part {
	var out []Part
	for _, layer := range rule.Tier.Layers() {
		for _, l := range rule.Locales {
			modules := rule.Modules
			if e := t.Editions[l]; e != nil && len(modules) > 0 {
				modules = slices.DeleteFunc(slices.Clone(modules), func(m string) bool {
					return !slices.ContainsFunc(e.Modules, func(n bundle.ModuleNode) bool { return n.Ref.ID == m })
				})
				if len(modules) == 0 {
					continue
				}
			}
			out = append(out, Part{Locale: l, Layer: layer, Modules: modules, From: fromFor(before, l, from)})
		}
	}
	return out
}

// fitted are the parts of what fits.
func fitted(t *bundle.Tree, fit choice.Fit, rule choice.Rule, from int, before *bundle.Tree) []Part {
	var out []Part
	for i, layer := range bundle.Layers {
		for _, l := range rule.Locales {
			part := Part{Locale: l, Layer: layer, From: fromFor(before, l, from)}
			for _, f := range fit.Items {
				if f.Locale == l && slices.Index(bundle.Layers, f.Layer) >= i {
					if !slices.Contains(part.Modules, f.Module) {
						part.Modules = append(part.Modules, f.Module)
					}
					part.Items = append(part.Items, f.Item)
				}
			}
			if e := t.Editions[l]; e != nil && len(part.Items) > 0 {
				out = append(out, part)
			}
		}
	}
	return out
}

// DiffVersions tells what lies between two versions of a course for who follows a rule. Anyone may ask.
func (s *Service) DiffVersions(ctx context.Context, course string, from, to int, rule choice.Rule) (choice.Diff, error) {
	if err := rule.Check(); err != nil {
		return choice.Diff{}, err
	}
	var trees [2]*bundle.Tree
	for i, n := range []int{from, to} {
		h, err := s.hold(ctx, course, n)
		if err != nil {
			return choice.Diff{}, err
		}
		root, err := bundle.ParseRoot(h.root.Document)
		if err != nil {
			return choice.Diff{}, err
		}
		if trees[i], err = s.tree(ctx, h, root.Resolve(rule.Locales)...); err != nil {
			return choice.Diff{}, err
		}
	}
	return choice.Compare(trees[0], trees[1], rule), nil
}

// Verify reads a carrier and keeps nothing: it fails with the reason for which Import would refuse it. For the operator.
func (s *Service) Verify(ctx context.Context, by identity.Actor, c bundle.Carrier, course string) (intake.Report, error) {
	if err := mayChange(by); err != nil {
		return intake.Report{}, err
	}
	return intake.Verify(ctx, c, s.known(ctx, course))
}

// Inspect tells what a carrier holds, whoever signed it, and whether this server trusts its publisher. It believes the carrier's own
// keys: what it says of a stranger proves only that nothing is damaged. For the operator.
func (s *Service) Inspect(ctx context.Context, by identity.Actor, c bundle.Carrier) (r intake.Report, trusted bool, err error) {
	if err := mayChange(by); err != nil {
		return intake.Report{}, false, err
	}
	r, err = intake.Verify(ctx, c, func(publisher, of string) (intake.Known, error) {
		k, err := s.known(ctx, "")(publisher, of)
		trusted = err == nil && k.Chain.ID() == publisher
		return intake.Known{Chain: k.Chain, Anybody: true, Newest: time.Time{}}, nil
	})
	return r, trusted, err
}

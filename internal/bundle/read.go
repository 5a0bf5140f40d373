package bundle

import (
	"context"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Report is what a carrier holds.
type Report struct {
	Head Head
	Counted
	// Rule is the largest that the carrier serves in full: the languages whose editions it brings, the modules of which nothing but
	// other tiers is missing, the highest tier that begins in it. No locale means that it is of use beside what is installed only.
	Rule Rule
	// Complete tells whether the carrier alone is enough for the rule.
	Complete bool
}

// Anyone makes a look-up for who checks a bundle against one chain.
func Anyone(chain Chain, newest time.Time) func(string, string) (Known, error) {
	return func(string, string) (Known, error) { return Known{Chain: chain, Newest: newest}, nil }
}

// Verify reads a carrier to its end and keeps nothing. It fails with the reason for which an import would be refused.
func Verify(ctx context.Context, c Carrier, find func(publisher, course string) (Known, error)) (Report, error) {
	h, first, err := ReadHead(c, find)
	if err != nil {
		return Report{}, err
	}
	in, err := NewIntake(ctx, h, nothing{}, nil)
	if err != nil {
		return Report{}, err
	}
	if err := in.Drain(ctx, first, c, nil); err != nil {
		return Report{Head: h, Counted: in.counted}, err
	}
	r := Report{Head: h, Rule: in.Offers(h.Root)}
	r.Counted = in.Missing(r.Rule.Choice(h.Root))
	r.Complete = r.Missing == 0 && len(r.Rule.Locales) > 0
	return r, r.Lacking(r.Complete)
}

// Lacking names what an incomplete carrier suffers from: bytes that were swapped, or bytes that were left out.
func (c Counted) Lacking(complete bool) error {
	switch {
	case complete:
		return nil
	case c.Ignored > 0:
		return Damaged("%d blobs are missing and %d belong to nothing", c.Missing, c.Ignored)
	}
	return Refuse("truncated", nil).With("Missing", c.Missing)
}

// Choice makes the choice that a rule is for one root.
func (r Rule) Choice(root Root) func(Want) bool {
	resolved := root.Resolve(r.Locales)
	return func(w Want) bool {
		return w.Rank == ListRank || r.wants(w.Locale, w.Module, w.Layer, resolved)
	}
}

// Offers finds the rule that a carrier serves, by what came through. Where something came that nobody names, the carrier must be whole: else what
// was swapped would look like what was left out on purpose.
func (in *Intake) Offers(root Root) Rule {
	if in.counted.Ignored > 0 {
		return Rule{Locales: slices.Sorted(maps.Keys(root.Editions)), Tier: AllTier}
	}
	r := Rule{Tier: TextTier}
	modules, all := map[string]bool{}, map[string]bool{}
	for _, p := range in.seen {
		switch p.as.Rank {
		case EditionRank:
			r.Locales = append(r.Locales, p.as.Locale)
			for _, c := range p.below {
				all[c.Module] = true
				if _, here := in.seen[c.Digest]; here {
					modules[c.Module] = true
				}
			}
		case BlobRank:
			if t := TierOf(p.as.Layer); slices.Index(Layers, p.as.Layer) >= len(r.Tier.Layers()) {
				r.Tier = t
			}
		}
	}
	slices.Sort(r.Locales)
	if len(modules) < len(all) && len(modules) > 0 {
		for m := range modules {
			r.Modules = append(r.Modules, m)
		}
		slices.Sort(r.Modules)
	}
	return r
}

// Folder reads the folder form: <course>.root, publisher-<serial>.json, trust.json, blobs/<2 hex>/<64 hex>. It brings what is
// there in the order of a pack and passes over what is not. course may be "" when the folder holds one.
func Folder(dir fs.FS, course string) (Carrier, error) {
	roots, err := fs.Glob(dir, "*.root")
	if err != nil {
		return nil, err
	}
	name := course + ".root"
	if course == "" && len(roots) == 1 {
		name = roots[0]
	}
	if !slices.Contains(roots, name) {
		return nil, Refuse("not_a_bundle", fs.ErrNotExist)
	}
	f := &folder{dir: dir, seen: map[blob.Digest]bool{}}
	publishers, err := fs.Glob(dir, "publisher-*.json")
	if err != nil {
		return nil, err
	}
	for serial := 1; slices.Contains(publishers, publisherFile(serial)); serial++ {
		f.heads = append(f.heads, headFile{PublisherFrame, publisherFile(serial)})
	}
	if _, err := fs.Stat(dir, "trust.json"); err == nil {
		f.heads = append(f.heads, headFile{TrustFrame, "trust.json"})
	}
	f.heads = append(f.heads, headFile{RootFrame, name})
	return f, nil
}

func publisherFile(serial int) string { return "publisher-" + strconv.Itoa(serial) + ".json" }

func blobFile(d blob.Digest) string { return path.Join("blobs", d.Hex()[:2], d.Hex()) }

type headFile struct {
	kind Kind
	name string
}

// folder walks down from the root. What it reads on the way it believes only so far as to find the next file: the intake checks.
type folder struct {
	dir   fs.FS
	heads []headFile
	ranks [ListRank + 1][]Child
	seen  map[blob.Digest]bool
}

func (f *folder) Next() (Frame, error) {
	if len(f.heads) > 0 {
		h := f.heads[0]
		f.heads = f.heads[1:]
		data, err := f.read(h.name, MaxSigned)
		if err != nil {
			return Frame{}, err
		}
		f.names(h.kind, data)
		return Frame{h.kind, data}, nil
	}
	for rank := range f.ranks {
		for len(f.ranks[rank]) > 0 {
			c := f.ranks[rank][0]
			f.ranks[rank] = f.ranks[rank][1:]
			if _, err := fs.Stat(f.dir, blobFile(c.Digest)); err != nil {
				continue
			}
			data, err := f.read(blobFile(c.Digest), MaxFrame)
			if err != nil {
				return Frame{}, err
			}
			if blob.Of(data) != c.Digest {
				return Frame{}, Damaged("file %s holds something else", blobFile(c.Digest))
			}
			if c.Manifest() {
				if below, err := c.Read(data); err == nil {
					f.push(below)
				}
			}
			return Frame{BlobFrame, data}, nil
		}
	}
	return Frame{}, io.EOF
}

func (f *folder) names(kind Kind, data []byte) {
	s, err := ReadSigned(data)
	if err != nil {
		return
	}
	switch kind {
	case RootFrame:
		if r, err := ParseRoot(s.Document); err == nil {
			f.push(r.Children())
		}
	case TrustFrame:
		if t, err := ReadTrust(data); err == nil {
			f.push(t.Children())
		}
	}
}

func (f *folder) push(below []Child) {
	for _, c := range below {
		if c.Digest.Valid() && !f.seen[c.Digest] && len(f.seen) < MaxNamed {
			f.seen[c.Digest] = true
			f.ranks[c.Rank] = append(f.ranks[c.Rank], c)
		}
	}
}

func (f *folder) read(name string, most int64) ([]byte, error) {
	file, err := f.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > most {
		return nil, Damaged("file %s has more than %d bytes", name, most)
	}
	return data, nil
}

// FolderName gives the file of a frame in the folder form, for who writes one.
func FolderName(f Frame, course string) string {
	switch f.Kind {
	case PublisherFrame:
		if s, err := ReadSigned(f.Payload); err == nil {
			if p, err := ParsePublisher(s.Document); err == nil {
				return publisherFile(p.Serial)
			}
		}
		return ""
	case TrustFrame:
		return "trust.json"
	case RootFrame:
		return strings.TrimSuffix(course, "/") + ".root"
	}
	return blobFile(blob.Of(f.Payload))
}

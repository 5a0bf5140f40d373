// Package intake lets through only what somebody trusted signed, of all that a carrier brings.
package intake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
)

// Keeper is where an intake puts what it has checked.
type Keeper interface {
	Has(ctx context.Context, d blob.Digest) (bool, error)
	Open(ctx context.Context, d blob.Digest) ([]byte, error)
	Put(ctx context.Context, data []byte) (blob.Digest, error)
}

// Known is what the one who takes a bundle in knew before.
type Known struct {
	Chain   bundle.Chain // of a publisher that is trusted; empty when nobody is
	Newest  time.Time    // the latest time known from the publisher's signed documents or a server
	Course  string       // what was asked for, "" when whatever comes is welcome
	Current []byte       // the signed root that is installed, nil when none is
	Anybody bool         // who only looks believes the carrier's own keys
}

// Head is what stands before the blobs, checked.
type Head struct {
	Chain     bundle.Chain
	Trust     *bundle.Trust
	TrustText []byte
	Root      bundle.Root
	RootText  []byte
}

// ReadHead reads a carrier up to its first blob, and checks who signed, with what keys, and whether it is older than what is
// installed. find tells what is known of a publisher. It gives the first blob back, which has been read already; nil at the end.
func ReadHead(c bundle.Carrier, find func(publisher, course string) (Known, error)) (Head, *bundle.Frame, error) {
	var chain, trust, root [][]byte
	var first *bundle.Frame
	for first == nil {
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Head{}, nil, err
		}
		switch {
		case f.Kind == bundle.PublisherFrame && len(trust)+len(root) == 0 && len(chain) < bundle.MaxSerials:
			chain = append(chain, f.Payload)
		case f.Kind == bundle.TrustFrame && len(trust)+len(root) == 0:
			trust = append(trust, f.Payload)
		case f.Kind == bundle.RootFrame && len(root) == 0:
			root = append(root, f.Payload)
		case f.Kind == bundle.BlobFrame && len(root) == 1:
			first = &f
		default:
			return Head{}, nil, bundle.Damaged("a frame %q in a place where none may stand", byte(f.Kind))
		}
	}
	if len(root) == 0 {
		return Head{}, nil, bundle.Refuse("truncated", errors.New("no root"))
	}
	h, err := checkHead(chain, trust, root[0], find)
	return h, first, err
}

func checkHead(texts, trust [][]byte, root []byte, find func(publisher, course string) (Known, error)) (Head, error) {
	h := Head{RootText: root}
	s, err := bundle.ReadSigned(root)
	if err != nil {
		return Head{}, err
	}
	claimed, err := bundle.ParseRoot(s.Document) // not believed yet
	if err != nil {
		return Head{}, err
	}
	known, err := find(claimed.Publisher, claimed.Course)
	if err != nil {
		return Head{}, err
	}
	if known.Course != "" && claimed.Course != known.Course {
		return Head{}, bundle.Mixed("course %s instead of %s", claimed.Course, known.Course)
	}
	if h.Chain, err = bundle.ReadChain(texts...); err != nil {
		return Head{}, err
	}
	if len(texts) > 0 && h.Chain.ID() != claimed.Publisher {
		return Head{}, bundle.Mixed("a root of %s with the keys of %s", claimed.Publisher, h.Chain.ID())
	}
	if known.Chain.ID() != claimed.Publisher && (!known.Anybody || h.Chain.ID() == "") {
		return Head{}, bundle.Refuse("unknown_publisher", fmt.Errorf("nobody here trusts %s", claimed.Publisher)).With("Publisher", claimed.Publisher)
	}
	if h.Chain, err = h.Chain.Join(known.Chain); err != nil {
		return Head{}, err
	}
	if h.Root, err = h.Chain.VerifyRoot(root, known.Newest); err != nil {
		return Head{}, err
	}
	if len(trust) > 0 {
		t, err := h.Chain.VerifyTrust(trust[0], known.Newest)
		if err != nil {
			return Head{}, err
		}
		h.Trust, h.TrustText = &t, trust[0]
	}
	return h, follows(h.Root, known.Current, root)
}

// follows refuses a root that is older than the one installed, or another publisher's.
func follows(r bundle.Root, current, text []byte) error {
	if current == nil || string(current) == string(text) {
		return nil
	}
	s, err := bundle.ReadSigned(current)
	if err != nil {
		return fmt.Errorf("read the installed root: %w", err)
	}
	old, err := bundle.ParseRoot(s.Document)
	if err != nil {
		return fmt.Errorf("read the installed root: %w", err)
	}
	switch {
	case old.Course != r.Course:
		return bundle.Mixed("course %s over %s", r.Course, old.Course)
	case old.Publisher != r.Publisher:
		return bundle.Refuse("other_publisher", fmt.Errorf("%s over %s", r.Publisher, old.Publisher)).With("Publisher", old.Publisher)
	case r.Number < old.Number, r.Number == old.Number && !r.SignedAt.After(old.SignedAt.Time):
		return bundle.Refuse("rollback", fmt.Errorf("%d of %s over %d of %s", r.Number, r.SignedAt, old.Number, old.SignedAt)).
			With("Number", r.Number).With("Installed", old.Number)
	}
	return nil
}

// Counted is how far an intake has come.
type Counted struct {
	Blobs        int   `json:"blobs"` // taken from this carrier
	Bytes        int64 `json:"bytes"`
	Ignored      int   `json:"ignored"` // that nobody above names
	Skipped      int   `json:"skipped"` // named, and not wanted
	Missing      int   `json:"missing"` // still
	MissingBytes int64 `json:"missing_bytes"`
}

// Intake lets blobs through to the keeper that a verified root names. It keeps no more of them than their digests.
type Intake struct {
	keep    Keeper
	chosen  func(bundle.Want) bool // nil: all
	wanted  map[blob.Digest][]bundle.Want
	seen    map[blob.Digest]passed
	named   int
	counted Counted
}

// New walks down from a root through all that the keeper has already: so an import goes on where another one stopped.
func New(ctx context.Context, h Head, keep Keeper, chosen func(bundle.Want) bool) (*Intake, error) {
	in := &Intake{keep: keep, chosen: chosen, wanted: map[blob.Digest][]bundle.Want{}, seen: map[blob.Digest]passed{}}
	if in.chosen == nil {
		in.chosen = func(bundle.Want) bool { return true }
	}
	if err := in.name(ctx, h.Root.Children()); err != nil {
		return nil, err
	}
	if h.Trust != nil {
		if err := in.name(ctx, h.Trust.Children()); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// name takes note of what a document names.
func (in *Intake) name(ctx context.Context, below []bundle.Child) error {
	for _, c := range below {
		if in.named++; in.named > bundle.MaxNamed {
			return bundle.Damaged("more than %d names", bundle.MaxNamed)
		}
		if p, ok := in.seen[c.Digest]; ok {
			if !alike(p.as, c.Want) {
				return bundle.Mixed("%s is named in two ways", c.Digest)
			}
			// The same bytes in another language or module name the same things there.
			if err := in.name(ctx, p.under(c.Want)); err != nil {
				return err
			}
			continue
		}
		if _, waits := in.wanted[c.Digest]; !waits {
			has, err := in.keep.Has(ctx, c.Digest)
			if err != nil {
				return err
			}
			if has && !c.Manifest() {
				continue
			}
			if has {
				data, err := in.keep.Open(ctx, c.Digest)
				if err == nil {
					if err := in.read(ctx, c.Digest, data, []bundle.Want{c.Want}); err != nil {
						return err
					}
					continue
				}
				// It rotted. The carrier may bring it again.
			}
		}
		in.wanted[c.Digest] = append(in.wanted[c.Digest], c.Want)
	}
	return nil
}

// passed is what went through already: as what, and what it names.
type passed struct {
	as    bundle.Want
	below []bundle.Child
}

// alike tells whether bytes that are right for one name are right for the other.
func alike(w, o bundle.Want) bool {
	same := w.Rank == o.Rank && w.Size == o.Size
	switch w.Rank {
	case bundle.EditionRank:
		return same && w.Course == o.Course && w.Locale == o.Locale
	case bundle.ModuleRank:
		return same && w.Module == o.Module
	case bundle.ItemRank:
		return same && w.Item == o.Item && w.Kind == o.Kind
	}
	return same
}

// under gives what is named below, in the place of another parent.
func (p passed) under(w bundle.Want) []bundle.Child {
	out := make([]bundle.Child, len(p.below))
	for i, c := range p.below {
		if c.Locale = w.Locale; w.Rank != bundle.EditionRank {
			c.Module = w.Module
		}
		out[i] = c
	}
	return out
}

// read checks a manifest under each name and goes on below.
func (in *Intake) read(ctx context.Context, d blob.Digest, data []byte, as []bundle.Want) error {
	for i, w := range as {
		if i > 0 && !alike(w, as[0]) {
			return bundle.Mixed("%s is named in two ways", d)
		}
		if int64(len(data)) != w.Size {
			return bundle.Damaged("%s has %d bytes, not %d", d, len(data), w.Size)
		}
		below, err := w.Read(data)
		if err != nil {
			return err
		}
		in.seen[d] = passed{w, below}
		if err := in.name(ctx, below); err != nil {
			return err
		}
	}
	return nil
}

// take checks one blob and keeps it when somebody above names it.
func (in *Intake) take(ctx context.Context, data []byte) error {
	d := blob.Of(data)
	as, ok := in.wanted[d]
	if !ok {
		if _, again := in.seen[d]; !again {
			has, err := in.keep.Has(ctx, d)
			if err != nil {
				return err
			}
			if !has {
				in.counted.Ignored++
			}
		}
		return nil
	}
	chosen, manifest := false, false
	for _, w := range as {
		if int64(len(data)) != w.Size {
			return bundle.Damaged("%s has %d bytes, not %d", d, len(data), w.Size)
		}
		chosen, manifest = chosen || in.chosen(w), manifest || w.Manifest()
		if w.Manifest() {
			if _, err := w.Read(data); err != nil {
				return err // before it is kept
			}
		}
	}
	if !chosen && !manifest {
		in.counted.Skipped++
		return nil
	}
	if _, err := in.keep.Put(ctx, data); err != nil {
		return err
	}
	in.counted.Blobs++
	in.counted.Bytes += int64(len(data))
	delete(in.wanted, d)
	return in.read(ctx, d, data, as)
}

// Drain takes all that a carrier has left.
func (in *Intake) Drain(ctx context.Context, first *bundle.Frame, c bundle.Carrier, progress func(Counted)) error {
	for {
		if first != nil {
			if first.Kind != bundle.BlobFrame {
				return bundle.Damaged("a frame %q among blobs", byte(first.Kind))
			}
			if err := in.take(ctx, first.Payload); err != nil {
				return err
			}
			if progress != nil {
				progress(in.counted)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		first = &f
	}
}

// Missing counts what is wanted and not there, by a choice made afterwards when chosen is not nil.
func (in *Intake) Missing(chosen func(bundle.Want) bool) Counted {
	if chosen == nil {
		chosen = in.chosen
	}
	out := in.counted
	for _, as := range in.wanted {
		for _, w := range as {
			if chosen(w) {
				out.Missing++
				out.MissingBytes += w.Size
				break
			}
		}
	}
	return out
}

// nothing keeps nothing: for who only looks.
type nothing struct{}

func (nothing) Has(context.Context, blob.Digest) (bool, error) { return false, nil }

func (nothing) Open(context.Context, blob.Digest) ([]byte, error) {
	return nil, errors.New("nothing is kept")
}

func (nothing) Put(_ context.Context, data []byte) (blob.Digest, error) { return blob.Of(data), nil }

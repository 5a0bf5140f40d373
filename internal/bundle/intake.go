package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
)

// Keeper is where an intake puts what it has checked.
type Keeper interface {
	Has(ctx context.Context, d blob.Digest) (bool, error)
	Open(ctx context.Context, d blob.Digest) ([]byte, error)
	Put(ctx context.Context, data []byte) (blob.Digest, error)
}

// Known is what the one who takes a bundle in knew before.
type Known struct {
	Chain   Chain     // of a publisher that is trusted; empty when nobody is
	Newest  time.Time // the latest time known from the publisher's signed documents or a server
	Course  string    // what was asked for, "" when whatever comes is welcome
	Current []byte    // the signed root that is installed, nil when none is
	Anybody bool      // who only looks believes the carrier's own keys
}

// Head is what stands before the blobs, checked.
type Head struct {
	Chain     Chain
	Trust     *Trust
	TrustText []byte
	Root      Root
	RootText  []byte
}

// Signed gives the root as it travels.
func (h Head) Signed() Signed {
	s, _ := ReadSigned(h.RootText) // it was read before
	return s
}

// Newest is the latest time that the head proves.
func (h Head) Newest() time.Time {
	t := later(h.Chain.Newest().SignedAt.Time, h.Root.SignedAt.Time)
	if h.Trust != nil {
		t = later(t, h.Trust.SignedAt.Time)
	}
	return t
}

// ReadHead reads a carrier up to its first blob, and checks who signed, with what keys, and whether it is older than what is
// installed. find tells what is known of a publisher. It gives the first blob back, which has been read already; nil at the end.
func ReadHead(c Carrier, find func(publisher, course string) (Known, error)) (Head, *Frame, error) {
	var chain, trust, root [][]byte
	var first *Frame
	for first == nil {
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Head{}, nil, err
		}
		switch {
		case f.Kind == PublisherFrame && len(trust)+len(root) == 0 && len(chain) < maxSerials:
			chain = append(chain, f.Payload)
		case f.Kind == TrustFrame && len(trust)+len(root) == 0:
			trust = append(trust, f.Payload)
		case f.Kind == RootFrame && len(root) == 0:
			root = append(root, f.Payload)
		case f.Kind == BlobFrame && len(root) == 1:
			first = &f
		default:
			return Head{}, nil, damaged("a frame %q in a place where none may stand", byte(f.Kind))
		}
	}
	if len(root) == 0 {
		return Head{}, nil, refuse("truncated", errors.New("no root"))
	}
	h, err := checkHead(chain, trust, root[0], find)
	return h, first, err
}

func checkHead(texts, trust [][]byte, root []byte, find func(publisher, course string) (Known, error)) (Head, error) {
	h := Head{RootText: root}
	s, err := ReadSigned(root)
	if err != nil {
		return Head{}, err
	}
	claimed, err := ParseRoot(s.Document) // not believed yet
	if err != nil {
		return Head{}, err
	}
	known, err := find(claimed.Publisher, claimed.Course)
	if err != nil {
		return Head{}, err
	}
	if known.Course != "" && claimed.Course != known.Course {
		return Head{}, mixed("course %s instead of %s", claimed.Course, known.Course)
	}
	if h.Chain, err = ReadChain(texts...); err != nil {
		return Head{}, err
	}
	if len(texts) > 0 && h.Chain.ID() != claimed.Publisher {
		return Head{}, mixed("a root of %s with the keys of %s", claimed.Publisher, h.Chain.ID())
	}
	if known.Chain.ID() != claimed.Publisher && (!known.Anybody || h.Chain.ID() == "") {
		return Head{}, refuse("unknown_publisher", fmt.Errorf("nobody here trusts %s", claimed.Publisher)).With("Publisher", claimed.Publisher)
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
	return h, h.Root.follows(known.Current, root)
}

// follows refuses a root that is older than the one installed, or another publisher's.
func (r Root) follows(current, text []byte) error {
	if current == nil || string(current) == string(text) {
		return nil
	}
	s, err := ReadSigned(current)
	if err != nil {
		return fmt.Errorf("read the installed root: %w", err)
	}
	old, err := ParseRoot(s.Document)
	if err != nil {
		return fmt.Errorf("read the installed root: %w", err)
	}
	switch {
	case old.Course != r.Course:
		return mixed("course %s over %s", r.Course, old.Course)
	case old.Publisher != r.Publisher:
		return refuse("other_publisher", fmt.Errorf("%s over %s", r.Publisher, old.Publisher)).With("Publisher", old.Publisher)
	case r.Number < old.Number, r.Number == old.Number && !r.SignedAt.After(old.SignedAt.Time):
		return refuse("rollback", fmt.Errorf("%d of %s over %d of %s", r.Number, r.SignedAt, old.Number, old.SignedAt)).
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

// intake lets blobs through to the keeper that a verified root names. It keeps no more of them than their digests.
type intake struct {
	keep    Keeper
	chosen  func(want) bool // nil: all
	wanted  map[blob.Digest][]want
	seen    map[blob.Digest]passed
	named   int
	counted Counted
}

// newIntake walks down from a root through all that the keeper has already: so an import goes on where another one stopped.
func newIntake(ctx context.Context, h Head, keep Keeper, chosen func(want) bool) (*intake, error) {
	in := &intake{keep: keep, chosen: chosen, wanted: map[blob.Digest][]want{}, seen: map[blob.Digest]passed{}}
	if in.chosen == nil {
		in.chosen = func(want) bool { return true }
	}
	if err := in.name(ctx, h.Root.children()); err != nil {
		return nil, err
	}
	if h.Trust != nil {
		if err := in.name(ctx, h.Trust.children()); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// name takes note of what a document names.
func (in *intake) name(ctx context.Context, below []child) error {
	for _, c := range below {
		if in.named++; in.named > maxNamed {
			return damaged("more than %d names", maxNamed)
		}
		if p, ok := in.seen[c.digest]; ok {
			if !p.as.alike(c.want) {
				return mixed("%s is named in two ways", c.digest)
			}
			// The same bytes in another language or module name the same things there.
			if err := in.name(ctx, p.under(c.want)); err != nil {
				return err
			}
			continue
		}
		if _, waits := in.wanted[c.digest]; !waits {
			has, err := in.keep.Has(ctx, c.digest)
			if err != nil {
				return err
			}
			if has && !c.manifest() {
				continue
			}
			if has {
				data, err := in.keep.Open(ctx, c.digest)
				if err == nil {
					if err := in.read(ctx, c.digest, data, []want{c.want}); err != nil {
						return err
					}
					continue
				}
				// It rotted. The carrier may bring it again.
			}
		}
		in.wanted[c.digest] = append(in.wanted[c.digest], c.want)
	}
	return nil
}

// passed is what went through already: as what, and what it names.
type passed struct {
	as    want
	below []child
}

// alike tells whether bytes that are right for one name are right for the other.
func (w want) alike(o want) bool {
	same := w.rank == o.rank && w.size == o.size
	switch w.rank {
	case editionRank:
		return same && w.course == o.course && w.locale == o.locale
	case moduleRank:
		return same && w.module == o.module
	case itemRank:
		return same && w.item == o.item && w.kind == o.kind
	}
	return same
}

// under gives what is named below, in the place of another parent.
func (p passed) under(w want) []child {
	out := make([]child, len(p.below))
	for i, c := range p.below {
		if c.locale = w.locale; w.rank != editionRank {
			c.module = w.module
		}
		out[i] = c
	}
	return out
}

// read checks a manifest under each name and goes on below.
func (in *intake) read(ctx context.Context, d blob.Digest, data []byte, as []want) error {
	for i, w := range as {
		if i > 0 && !w.alike(as[0]) {
			return mixed("%s is named in two ways", d)
		}
		if int64(len(data)) != w.size {
			return damaged("%s has %d bytes, not %d", d, len(data), w.size)
		}
		below, err := w.read(data)
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
func (in *intake) take(ctx context.Context, data []byte) error {
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
		if int64(len(data)) != w.size {
			return damaged("%s has %d bytes, not %d", d, len(data), w.size)
		}
		chosen, manifest = chosen || in.chosen(w), manifest || w.manifest()
		if w.manifest() {
			if _, err := w.read(data); err != nil {
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

// drain takes all that a carrier has left.
func (in *intake) drain(ctx context.Context, first *Frame, c Carrier, progress func(Counted)) error {
	for {
		if first != nil {
			if first.Kind != BlobFrame {
				return damaged("a frame %q among blobs", byte(first.Kind))
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

// missing counts what is wanted and not there, by a choice made afterwards when chosen is not nil.
func (in *intake) missing(chosen func(want) bool) Counted {
	if chosen == nil {
		chosen = in.chosen
	}
	out := in.counted
	for _, as := range in.wanted {
		for _, w := range as {
			if chosen(w) {
				out.Missing++
				out.MissingBytes += w.size
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

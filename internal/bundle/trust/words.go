package trust

import (
	"context"
	"errors"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/intake"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// spoken is what one publisher said of issuers, as it is stored.
type spoken struct {
	publisher.Bearer
	text []byte
}

// wordsForAll are the words of this server's institutions, and of those publishers whom its operator trusts.
func (s *Service) wordsForAll(ctx context.Context) ([]spoken, error) {
	var out []spoken
	own, err := s.Publisher.Vouching(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, in := range own {
		text, err := s.Publisher.Word(ctx, in)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		b, err := s.Publisher.FindOwn(ctx, in)
		if err != nil {
			return nil, err
		}
		seen[b.Publisher] = true
		out = append(out, spoken{b, text})
	}
	trusted, err := s.wordsOfTrusted(ctx)
	for _, w := range trusted {
		if !seen[w.Publisher] {
			out = append(out, w)
		}
	}
	return out, err
}

// wordsOfTrusted are the words of those publishers whom the operator (nothing named) or any of the institutions trusts.
func (s *Service) wordsOfTrusted(ctx context.Context, in ...identity.InstitutionID) ([]spoken, error) {
	rows, err := s.Store.ListTrusted(ctx, in...)
	if err != nil {
		return nil, err
	}
	var out []spoken
	seen := map[publisher.Bearer]bool{}
	for _, r := range rows {
		if seen[r.Bearer] {
			continue
		}
		seen[r.Bearer] = true
		d, err := s.Store.FindDocument(ctx, r.Bearer, publisher.TrustDocument, "", 0)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, spoken{r.Bearer, d.Text})
	}
	return out, nil
}

// TrustedWords gives what the publishers say of issuers whom the operator (nothing named) or any of the institutions trusts, each checked when
// it came. It is for our own services.
func (s *Service) TrustedWords(ctx context.Context, in ...identity.InstitutionID) ([]bundle.Trust, error) {
	words, err := s.wordsOfTrusted(ctx, in...)
	if err != nil {
		return nil, err
	}
	var out []bundle.Trust
	for _, w := range words {
		t, err := bundle.ReadTrust(w.text)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// wordFrames gives the serials and the word of each publisher, and the blobs that the words name. What a reader would refuse as too large is
// left out, the last first.
func (s *Service) wordFrames(ctx context.Context, words []spoken) (head []bundle.Frame, blobs []blob.Digest, err error) {
	have := map[blob.Digest]bool{}
	var bytes int64
	for i, w := range words {
		if i == intake.MaxWords {
			break
		}
		chain, err := s.Publisher.Chain(ctx, w.Bearer)
		if err != nil {
			return nil, nil, err
		}
		t, err := bundle.ReadTrust(w.text)
		if err != nil {
			return nil, nil, err
		}
		var more []blob.Digest
		size := bytes
		for _, c := range t.Children() {
			if have[c.Digest] {
				continue
			}
			// The carrier that brought a word may have had some of its lists not.
			if _, err := s.Open(ctx, c.Digest); fault.Is(err, fault.NotFound) {
				continue
			} else if err != nil {
				return nil, nil, err
			}
			have[c.Digest] = true
			size += c.Size
			more = append(more, c.Digest)
		}
		if size > intake.MaxListBytes {
			break
		}
		bytes, blobs = size, append(blobs, more...)
		for _, d := range chain.Documents {
			head = append(head, bundle.Frame{Kind: bundle.PublisherFrame, Payload: d.Text})
		}
		head = append(head, bundle.Frame{Kind: bundle.TrustFrame, Payload: w.text})
	}
	return head, blobs, nil
}

// KnownOf is what this server knows of those whose word counts for an institution, or with "" for anybody here.
func (s *Service) KnownOf(ctx context.Context, in identity.InstitutionID) func(brought bundle.Chain) (intake.Known, error) {
	return func(brought bundle.Chain) (k intake.Known, err error) {
		b, err := s.Publisher.FindBearer(ctx, brought)
		if err != nil {
			return intake.Known{}, err
		}
		counts := false
		if in != "" {
			var whom publisher.Bearer
			whom, counts, err = trusted(ctx, s.Store, in, b.Publisher)
			counts = counts && whom == b.Bearer
		} else if counts, err = s.Store.IsTrusted(ctx, b.Bearer); err == nil && !counts {
			own, ownErr := s.Publisher.ListOwn(ctx)
			counts, err = slices.Contains(own, b.Bearer), ownErr
		}
		if err != nil || !counts {
			return intake.Known{}, err
		}
		k.Chain = b.Documents
		k.Newest, err = s.Store.NewestTime(ctx, b.Bearer)
		return k, err
	}
}

// TrustPack gives what this server knows of issuers as one pack: the words of its own institutions and of those publishers whom its operator trusts,
// with status lists. Anyone may ask. fault.NotFound while there is nobody who issues.
func (s *Service) TrustPack(ctx context.Context) (*packing.Packed, error) {
	words, err := s.wordsForAll(ctx)
	if err != nil {
		return nil, err
	}
	return s.wordPack(ctx, words)
}

// CirclePack gives what the publishers say of issuers whom an institution trusts, in the same form. For its members and the operator; nobody
// else learns whom it trusts. fault.NotFound while they say nothing.
func (s *Service) CirclePack(ctx context.Context, by identity.Actor, in identity.InstitutionID) (*packing.Packed, error) {
	switch {
	case by.Anonymous():
		return nil, fault.New(fault.Unauthenticated, "session.required")
	case !by.Operates() && !slices.Contains(by.Institutions(), in):
		return nil, fault.New(fault.Denied, "bundle.circle_denied")
	}
	words, err := s.wordsOfTrusted(ctx, in)
	if err != nil {
		return nil, err
	}
	return s.wordPack(ctx, words)
}

func (s *Service) wordPack(ctx context.Context, words []spoken) (*packing.Packed, error) {
	head, blobs, err := s.wordFrames(ctx, words)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, bundle.NotFound(errors.New("nobody says anything of issuers"))
	}
	return s.Packs.Pack(ctx, head, blobs)
}

package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// What a trust pack may hold, so that a hostile one costs neither memory nor time.
const (
	maxWords     = 1024
	maxListBytes = 64 << 20
)

// Word is what one publisher says of issuers, checked.
type Word struct {
	Chain Chain
	Trust Trust
	Text  []byte // of the signed document
}

// Words are what several publishers say, with the blobs that they name.
type Words struct {
	Words []Word
	Blobs map[blob.Digest][]byte
	// Strangers are publishers in the pack of whom nothing was taken, because nobody trusts them.
	Strangers []string
}

// Trusts are the words alone.
func (w *Words) Trusts() []Trust {
	out := make([]Trust, len(w.Words))
	for i, word := range w.Words {
		out[i] = word.Trust
	}
	return out
}

// Blob gives a blob that a word names; fault.NotFound when the pack has it not.
func (w *Words) Blob(_ context.Context, d blob.Digest) ([]byte, error) {
	if data, ok := w.Blobs[d]; ok {
		return data, nil
	}
	return nil, fault.New(fault.NotFound, "blob.not_found")
}

// Said is what one word says of an issuer.
type Said struct {
	Issuer
	Publisher string // who says so
	Names     map[string]string
	SignedAt  time.Time
}

// Issuer finds what is said of an issuer, the newest first.
func (w *Words) Issuer(did string) []Said {
	var out []Said
	for _, word := range w.Words {
		for _, i := range word.Trust.Issuers {
			if i.DID == did {
				out = append(out, Said{Issuer: i, Publisher: word.Trust.Publisher, Names: word.Chain.Newest().Name, SignedAt: word.Trust.SignedAt.Time})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Said) int { return b.SignedAt.Compare(a.SignedAt) })
	return out
}

// List finds the newest status list that is published at an address; false when none is there.
func (w *Words) List(url string) (found StatusList, document []byte, ok bool) {
	for _, word := range w.Words {
		for _, i := range word.Trust.Issuers {
			for _, l := range i.Lists {
				doc, here := w.Blobs[l.Digest]
				if here && l.URL == url && (!ok || l.SignedAt != nil && (found.SignedAt == nil || l.SignedAt.After(found.SignedAt.Time))) {
					found, document, ok = l, doc, true
				}
			}
		}
	}
	return found, document, ok
}

// ReadWords reads a trust pack: the publishers and words of several, each word behind the serials of its publisher, then the blobs that they
// name. A bundle is one too; its course is passed over. find tells what is known of who brings a chain, which may be somebody else of the same name;
// Known.Anybody serves who checks against what the pack itself brings. Words of publishers whom nobody trusts are left out and named; all else that
// is wrong refuses the whole.
func ReadWords(c Carrier, find func(brought Chain) (Known, error)) (*Words, error) {
	w := &Words{Blobs: map[blob.Digest][]byte{}}
	named := map[blob.Digest]int64{}
	var chain [][]byte
	var bytes int64
	count, blobs, last := 0, false, PublisherFrame
	for {
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch {
		case f.Kind == PublisherFrame && !blobs && (last == PublisherFrame || last == TrustFrame):
			if last == TrustFrame {
				chain = nil
			}
			if chain = append(chain, f.Payload); len(chain) > MaxSerials {
				return nil, Damaged("more than %d serials", MaxSerials)
			}
		case f.Kind == TrustFrame && last == PublisherFrame && count < maxWords:
			count++
			if err := w.take(chain, f.Payload, find); err != nil {
				return nil, err
			}
		case f.Kind == RootFrame && !blobs:
		case f.Kind == BlobFrame:
			if !blobs {
				for _, word := range w.Words {
					for _, c := range word.Trust.Children() {
						named[c.Digest] = c.Size
					}
				}
			}
			blobs = true
			d := blob.Of(f.Payload)
			size, ok := named[d]
			if !ok {
				continue
			}
			if bytes += int64(len(f.Payload)); size != int64(len(f.Payload)) || bytes > maxListBytes {
				return nil, Damaged("list %s has %d bytes", d, len(f.Payload))
			}
			w.Blobs[d] = f.Payload
		default:
			return nil, Damaged("a frame %q in a place where none may stand", byte(f.Kind))
		}
		last = f.Kind
	}
	if count == 0 {
		return nil, Refuse("truncated", errors.New("no word on issuers"))
	}
	return w, nil
}

func (w *Words) take(texts [][]byte, word []byte, find func(brought Chain) (Known, error)) error {
	brought, err := ReadChain(texts...)
	if err != nil {
		return err
	}
	known, err := find(brought)
	if err != nil {
		return err
	}
	if known.Chain.ID() != brought.ID() && !known.Anybody || brought.ID() == "" {
		w.Strangers = append(w.Strangers, brought.ID())
		return nil
	}
	chain := brought
	if known.Chain.ID() == brought.ID() {
		if chain, err = brought.Join(known.Chain); err != nil {
			return err
		}
	}
	t, err := chain.VerifyTrust(word, known.Newest)
	if err != nil {
		return err
	}
	w.Words = append(w.Words, Word{chain, t, word})
	return nil
}

// vouchers are the institutions whose word this server gives: those that issue certificates.
func (s *Service) vouchers(ctx context.Context) ([]identity.InstitutionID, error) {
	if s.Vouchers == nil {
		return nil, nil
	}
	return s.Vouchers(ctx)
}

// spoken is what one publisher said of issuers, as it is stored.
type spoken struct {
	Bearer
	text []byte
}

// wordsForAll are the words of this server's institutions, and of those publishers whom its operator trusts.
func (s *Service) wordsForAll(ctx context.Context) ([]spoken, error) {
	var out []spoken
	own, err := s.vouchers(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, in := range own {
		text, err := s.trust(ctx, in)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		p, err := s.signs(ctx, in)
		if err != nil {
			return nil, err
		}
		seen[p.Publisher] = true
		out = append(out, spoken{p.Bearer, text})
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
	seen := map[Bearer]bool{}
	for _, r := range rows {
		if seen[r.Bearer] {
			continue
		}
		seen[r.Bearer] = true
		d, err := s.Store.FindDocument(ctx, r.Bearer, TrustDocument, "", 0)
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

// wordFrames gives the serials and the word of each publisher, and the blobs that the words name. What a reader would refuse as too large is
// left out, the last first.
func (s *Service) wordFrames(ctx context.Context, words []spoken) (head []Frame, blobs []blob.Digest, err error) {
	have := map[blob.Digest]bool{}
	var bytes int64
	for i, w := range words {
		if i == maxWords {
			break
		}
		chain, err := s.chain(ctx, w.Bearer)
		if err != nil {
			return nil, nil, err
		}
		t, err := ReadTrust(w.text)
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
			if _, err := s.open(ctx, c.Digest); fault.Is(err, fault.NotFound) {
				continue
			} else if err != nil {
				return nil, nil, err
			}
			have[c.Digest] = true
			size += c.Size
			more = append(more, c.Digest)
		}
		if size > maxListBytes {
			break
		}
		bytes, blobs = size, append(blobs, more...)
		for _, d := range chain.Documents {
			head = append(head, Frame{PublisherFrame, d.Text})
		}
		head = append(head, Frame{TrustFrame, w.text})
	}
	return head, blobs, nil
}

// knownOf is what this server knows of those whose word counts for an institution, or with "" for anybody here.
func (s *Service) knownOf(ctx context.Context, in identity.InstitutionID) func(brought Chain) (Known, error) {
	return func(brought Chain) (k Known, err error) {
		b, err := s.bearer(ctx, brought)
		if err != nil {
			return Known{}, err
		}
		counts := false
		if in != "" {
			var whom Bearer
			whom, counts, err = trusted(ctx, s.Store, in, b.Publisher)
			counts = counts && whom == b.Bearer
		} else if counts, err = s.Store.IsTrusted(ctx, b.Bearer); err == nil && !counts {
			own, ownErr := s.ownPublishers(ctx)
			counts, err = slices.Contains(own, b.Bearer), ownErr
		}
		if err != nil || !counts {
			return Known{}, err
		}
		k.Chain = b.chain
		k.Newest, err = s.Store.NewestTime(ctx, b.Bearer)
		return k, err
	}
}

// TrustPack gives what this server knows of issuers as one pack: the words of its own institutions and of those publishers whom its operator trusts,
// with status lists. Anyone may ask. fault.NotFound while there is nobody who issues.
func (s *Service) TrustPack(ctx context.Context) (*Packed, error) {
	words, err := s.wordsForAll(ctx)
	if err != nil {
		return nil, err
	}
	return s.wordPack(ctx, words)
}

// CirclePack gives what the publishers say of issuers whom an institution trusts, in the same form. For its members and the operator; nobody
// else learns whom it trusts. fault.NotFound while they say nothing.
func (s *Service) CirclePack(ctx context.Context, by identity.Actor, in identity.InstitutionID) (*Packed, error) {
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

func (s *Service) wordPack(ctx context.Context, words []spoken) (*Packed, error) {
	head, blobs, err := s.wordFrames(ctx, words)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, NotFound(errors.New("nobody says anything of issuers"))
	}
	return s.pack(ctx, head, blobs)
}

// TakeTrust keeps what a trust pack says, of publishers whom an institution trusts, or with "" anybody here: the operator or any institution. An
// older word than the one known changes nothing. For admins of the institution and the operator.
func (s *Service) TakeTrust(ctx context.Context, by identity.Actor, in identity.InstitutionID, c Carrier) (*Words, error) {
	err := mayTrust(by, in)
	if in == "" {
		err = mayChange(by)
	}
	if err != nil {
		return nil, err
	}
	s.moving.RLock()
	defer s.moving.RUnlock()
	w, err := ReadWords(c, s.knownOf(ctx, in))
	if err != nil {
		return nil, err
	}
	for _, data := range w.Blobs {
		if _, err := s.Imported.Put(ctx, data); err != nil {
			return nil, NoSpace(fmt.Errorf("keep a status list: %w", err))
		}
	}
	whose := make([]Bearer, len(w.Words))
	for i, word := range w.Words {
		b, err := s.bearer(ctx, word.Chain)
		if err != nil {
			return nil, err
		}
		whose[i] = b.Bearer
	}
	return w, s.Store.InTx(ctx, func(tx Store) error {
		for i, word := range w.Words {
			if err := learn(ctx, tx, whose[i], word.Chain); err != nil {
				return err
			}
			if _, err := tx.ReplaceDocument(ctx, Document{
				Bearer: whose[i], Kind: TrustDocument, Text: word.Text, SignedAt: word.Trust.SignedAt.Time,
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

package intake

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
)

// What a trust pack may hold, so that a hostile one costs neither memory nor time.
const (
	MaxWords     = 1024
	MaxListBytes = 64 << 20
)

// Word is what one publisher says of issuers, checked.
type Word struct {
	Chain bundle.Chain
	Trust bundle.Trust
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
func (w *Words) Trusts() []bundle.Trust {
	out := make([]bundle.Trust, len(w.Words))
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
	bundle.Issuer
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
func (w *Words) List(url string) (found bundle.StatusList, document []byte, ok bool) {
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
func ReadWords(c bundle.Carrier, find func(brought bundle.Chain) (Known, error)) (*Words, error) {
	w := &Words{Blobs: map[blob.Digest][]byte{}}
	named := map[blob.Digest]int64{}
	var chain [][]byte
	var bytes int64
	count, blobs, last := 0, false, bundle.PublisherFrame
	for {
		f, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch {
		case f.Kind == bundle.PublisherFrame && !blobs && (last == bundle.PublisherFrame || last == bundle.TrustFrame):
			if last == bundle.TrustFrame {
				chain = nil
			}
			if chain = append(chain, f.Payload); len(chain) > bundle.MaxSerials {
				return nil, bundle.Damaged("more than %d serials", bundle.MaxSerials)
			}
		case f.Kind == bundle.TrustFrame && last == bundle.PublisherFrame && count < MaxWords:
			count++
			if err := w.take(chain, f.Payload, find); err != nil {
				return nil, err
			}
		case f.Kind == bundle.RootFrame && !blobs:
		case f.Kind == bundle.BlobFrame:
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
			if bytes += int64(len(f.Payload)); size != int64(len(f.Payload)) || bytes > MaxListBytes {
				return nil, bundle.Damaged("list %s has %d bytes", d, len(f.Payload))
			}
			w.Blobs[d] = f.Payload
		default:
			return nil, bundle.Damaged("a frame %q in a place where none may stand", byte(f.Kind))
		}
		last = f.Kind
	}
	if count == 0 {
		return nil, bundle.Refuse("truncated", errors.New("no word on issuers"))
	}
	return w, nil
}

func (w *Words) take(texts [][]byte, word []byte, find func(brought bundle.Chain) (Known, error)) error {
	brought, err := bundle.ReadChain(texts...)
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

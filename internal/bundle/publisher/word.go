package publisher

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// IssuerSource is an issuer for whose certificates a publisher stands. Sizes, digests and times of its lists are filled in from what
// Open gives.
type IssuerSource struct {
	Issuer bundle.Issuer
	Open   func(ctx context.Context, url string) (OpenedList, error)
	// Same tells whether two lists say the same; nil: when their bytes are the same.
	Same func(a, b []byte) bool
}

// RecognitionSource is a recognition that a publisher's word carries. Size and digest are those of the document.
type RecognitionSource struct {
	Recognition bundle.Recognition
	Document    []byte // the EndorsementCredential
}

// OpenedList is a status list as it is now.
type OpenedList struct {
	Document []byte
	SignedAt time.Time
}

// Word gives an institution's word on issuers; nil when it vouches for none.
func (s *Service) Word(ctx context.Context, in identity.InstitutionID) ([]byte, error) {
	if s.Issuers == nil {
		return nil, nil
	}
	p, err := s.signs(ctx, in)
	if err != nil {
		return nil, err
	}
	sources, err := s.Issuers(ctx, in)
	if err != nil || len(sources) == 0 {
		return nil, err
	}
	var recognised []RecognitionSource
	if s.Recognitions != nil {
		if recognised, err = s.Recognitions(ctx, in); err != nil {
			return nil, err
		}
	}
	s.making.Lock()
	defer s.making.Unlock()
	d, err := s.Store.FindDocument(ctx, p.Bearer, TrustDocument, "", 0)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	if err == nil && p.fresh(d.Text) && s.Now().Sub(d.SignedAt) < trustAge && said(d.Text, sources, recognised) {
		same, err := s.sameLists(ctx, d.Text, sources)
		if err != nil || same {
			return d.Text, err
		}
	}
	doc := bundle.Trust{Type: "trust", Format: bundle.Format, Publisher: p.row.Publisher, SignedAt: bundle.At(bundle.Later(bundle.Later(s.Now(), p.row.CreatedAt), d.SignedAt.Add(time.Second))), Issuers: []bundle.Issuer{}}
	for _, src := range sources {
		i := src.Issuer
		i.Keys, i.Lists = slices.Clone(i.Keys), slices.Clone(i.Lists)
		if i.Keys == nil {
			i.Keys = []bundle.IssuerKey{}
		}
		if i.Lists == nil {
			i.Lists = []bundle.StatusList{}
		}
		for j := range i.Lists {
			list, err := src.Open(ctx, i.Lists[j].URL)
			if err != nil {
				return nil, fmt.Errorf("open status list %s: %w", i.Lists[j].URL, err)
			}
			if i.Lists[j].Digest, err = s.Public.Put(ctx, list.Document); err != nil {
				return nil, err
			}
			signed := bundle.At(list.SignedAt)
			i.Lists[j].Size, i.Lists[j].SignedAt = int64(len(list.Document)), &signed
		}
		doc.Issuers = append(doc.Issuers, i)
	}
	fitting, err := fit(doc, recognised)
	if err != nil {
		return nil, err
	}
	for _, r := range fitting {
		if _, err := s.Public.Put(ctx, r.Document); err != nil {
			return nil, err
		}
		doc.Recognitions = append(doc.Recognitions, r.Recognition)
	}
	text, err := bundle.Sign("trust", doc, p.key)
	if err != nil {
		return nil, err
	}
	if _, err := s.Store.ReplaceDocument(ctx, Document{Bearer: p.Bearer, Kind: TrustDocument, Text: text.Text, SignedAt: doc.SignedAt.Time}); err != nil {
		return nil, err
	}
	d, err = s.Store.FindDocument(ctx, p.Bearer, TrustDocument, "", 0)
	return d.Text, err
}

// sameLists tells whether the lists that a stored word names say what they say now. A revocation must not wait for the word to grow old.
func (s *Service) sameLists(ctx context.Context, text []byte, sources []IssuerSource) (bool, error) {
	t, err := bundle.ReadTrust(text)
	if err != nil {
		return false, err
	}
	for i, src := range sources {
		for _, l := range t.Issuers[i].Lists {
			now, err := src.Open(ctx, l.URL)
			if err != nil {
				return false, fmt.Errorf("open status list %s: %w", l.URL, err)
			}
			if blob.Of(now.Document) == l.Digest {
				continue
			}
			then, err := s.Public.Open(ctx, l.Digest)
			if fault.Is(err, fault.NotFound) {
				return false, nil
			}
			if err != nil {
				return false, err
			}
			if src.Same == nil || !src.Same(then, now.Document) {
				return false, nil
			}
		}
	}
	return true, nil
}

// wordRoom is how large a word grows by recognitions. A larger one than MaxSigned nobody would read, and there are signatures too.
const wordRoom = bundle.MaxSigned - 4<<10

// fit gives those recognitions for which a word has room, with size and digest.
func fit(t bundle.Trust, sources []RecognitionSource) ([]RecognitionSource, error) {
	t.Recognitions = nil
	whole, err := bundle.Line(t)
	if err != nil {
		return nil, err
	}
	var out []RecognitionSource
	size := len(whole)
	for _, src := range sources {
		r := src.Recognition
		r.Digest, r.Size = blob.Of(src.Document), int64(len(src.Document))
		one, err := bundle.Line(r)
		if err != nil {
			return nil, err
		}
		if size+len(one)+1 <= wordRoom {
			size += len(one) + 1
			out = append(out, RecognitionSource{r, src.Document})
		}
	}
	return out, nil
}

// said tells whether a stored word says the same of issuers, but for what stands in their lists, and the same recognitions.
func said(text []byte, sources []IssuerSource, recognised []RecognitionSource) bool {
	t, err := bundle.ReadTrust(text)
	if err != nil || len(t.Issuers) != len(sources) {
		return false
	}
	fitting, err := fit(t, recognised)
	if err != nil || len(fitting) != len(t.Recognitions) {
		return false
	}
	for i, r := range fitting {
		was, errA := bundle.Line(t.Recognitions[i])
		is, errB := bundle.Line(r.Recognition)
		if errA != nil || errB != nil || !bytes.Equal(was, is) {
			return false
		}
	}
	for i, src := range sources {
		a, b := t.Issuers[i], src.Issuer
		if b.Keys == nil {
			b.Keys = []bundle.IssuerKey{}
		}
		places := func(list []bundle.StatusList) (out []bundle.StatusList) {
			for _, l := range list {
				out = append(out, bundle.StatusList{URL: l.URL, Purpose: l.Purpose})
			}
			return out
		}
		a.Lists, b.Lists = places(a.Lists), places(b.Lists)
		was, errA := bundle.Line(a)
		is, errB := bundle.Line(b)
		if errA != nil || errB != nil || !bytes.Equal(was, is) {
			return false
		}
	}
	return true
}

package publisher

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// fresh tells whether a signed document was signed with the key in use.
func (p publisher) fresh(text []byte) bool {
	s, err := bundle.ReadSigned(text)
	return err == nil && len(s.Signatures) == 1 && s.Signatures[0].Key == p.row.Multikey
}

// Root gives the signed root of a version that is published here. Manifests and root are made when they are first asked for and stay
// as they are: a later program may write them differently, and one number has one tree. Only a new key signs the root anew.
func (s *Service) Root(ctx context.Context, v curriculum.Version) (bundle.Signed, error) {
	p, err := s.signs(ctx, identity.InstitutionID(v.InstitutionID))
	if err != nil {
		return bundle.Signed{}, err
	}
	find := func() (Document, error) {
		return s.Store.FindDocument(ctx, p.Bearer, RootDocument, string(v.CourseID), v.Number)
	}
	d, err := find()
	if err == nil && p.fresh(d.Text) {
		return bundle.ReadSigned(d.Text)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return bundle.Signed{}, err
	}
	s.making.Lock() // many who ask at once cause one signature
	defer s.making.Unlock()
	if d, err = find(); err == nil && p.fresh(d.Text) {
		return bundle.ReadSigned(d.Text)
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return bundle.Signed{}, err
	}
	var root bundle.Root
	if err == nil {
		old, err := bundle.ReadSigned(d.Text)
		if err != nil {
			return bundle.Signed{}, err
		}
		if root, err = bundle.ParseRoot(old.Document); err != nil {
			return bundle.Signed{}, err
		}
		// One second more at least: readers refuse another signature of the same time.
		root.SignedAt = bundle.At(bundle.Later(bundle.Later(s.Now(), p.row.CreatedAt), root.SignedAt.Add(time.Second)))
	} else {
		b, err := packing.Build(ctx, v, s.Public.Open)
		if err != nil {
			return bundle.Signed{}, err
		}
		for _, m := range b.Manifests {
			if _, err := s.Public.Put(ctx, m); err != nil {
				return bundle.Signed{}, err
			}
		}
		root = b.Root
		root.Publisher, root.SignedAt = p.row.Publisher, bundle.At(bundle.Later(s.Now(), p.row.CreatedAt))
		if s.Runtimes != nil {
			root.Runtimes = s.Runtimes()
		}
	}
	text, err := bundle.Sign("root", root, p.key)
	if err != nil {
		return bundle.Signed{}, err
	}
	if _, err := s.Store.ReplaceDocument(ctx, Document{
		Bearer: p.Bearer, Kind: RootDocument, Name: root.Course, Serial: root.Number, Text: text.Text, SignedAt: root.SignedAt.Time,
	}); err != nil {
		return bundle.Signed{}, err
	}
	if d, err = find(); err != nil { // another process may have been faster
		return bundle.Signed{}, err
	}
	return bundle.ReadSigned(d.Text)
}

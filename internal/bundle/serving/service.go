// Package serving gives bundles to those who ask for them.
package serving

import (
	"context"
	"slices"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/shelf"
	"github.com/banyan-lms/banyan/internal/bundle/trust"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Store is what serving needs of storage.
type Store interface {
	FindPlace(ctx context.Context, course string) (shelf.Place, error) // fault.NotFound bundle.not_found
	// FindDocument is that of publisher.Store.
	FindDocument(ctx context.Context, b publisher.Bearer, kind publisher.DocumentKind, name string, serial int) (publisher.Document, error)
}

// Courses is what serving needs of the curriculum.
type Courses interface {
	FindVersionNumber(ctx context.Context, course curriculum.CourseID, number int) (curriculum.Version, error)
	FindLatest(ctx context.Context, course curriculum.CourseID) (curriculum.Version, error)
}

// Service is the door to bundles. It is used through a pointer. Several processes may work on one store.
type Service struct {
	Store     Store
	Courses   Courses
	Publisher *publisher.Service
	Trust     *trust.Service
	Open      bundle.Opener // gives the blobs of what is here
	Packs     *packing.Packer

	trees treeCache
}

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
		root, err := s.Publisher.Root(ctx, v)
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
		if r, err := bundle.ReadRoot(text); err == nil && (number == 0 || r.Number == number) {
			root, err := bundle.ReadSigned(text)
			return held{root: root, rule: &p.Rule}, err
		}
	}
	return held{}, bundle.NotFound(nil)
}

// tree loads the manifests of some languages of a version. Versions never change, so what was parsed once is kept for a while.
func (s *Service) tree(ctx context.Context, h held, locales ...string) (*bundle.Tree, error) {
	return s.trees.load(h.root, locales, func() (*bundle.Tree, error) { return bundle.Load(ctx, h.root, s.Open, locales...) })
}

// Info is what there is of a course.
type Info struct {
	Root      bundle.Root
	Digest    blob.Digest      // of the signed root
	Publisher publisher.Stated // without documents
	Rule      *choice.Rule     // what is here of a course from elsewhere; nil: everything
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
	i.Publisher, err = s.Publisher.State(ctx, b)
	i.Publisher.Documents, i.Publisher.Own = nil, h.in != ""
	return i, err
}

// rootBearer tells who signed a root that is here, of those who bear the name in it.
func (s *Service) rootBearer(ctx context.Context, h held, r bundle.Root) (publisher.Bearer, error) {
	if h.in != "" {
		return s.Publisher.FindOwn(ctx, h.in)
	}
	all, err := s.Publisher.Bearers(ctx, r.Publisher)
	if err != nil {
		return publisher.Bearer{}, err
	}
	whom, _, err := s.Trust.FindTrusted(ctx, "", r.Publisher)
	if err != nil {
		return publisher.Bearer{}, err
	}
	out := publisher.Bearer{Publisher: r.Publisher}
	for _, k := range all {
		// A forged chain may list keys of the right one: who is trusted goes first.
		if slices.ContainsFunc(h.root.Signatures, func(s bundle.Signature) bool { return k.Documents.Names(s.Key) }) && (out.Chain == "" || k.Bearer == whom) {
			out = k.Bearer
		}
	}
	return out, nil
}

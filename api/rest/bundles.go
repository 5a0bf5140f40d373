package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/bundle/choice"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/bundle/serving"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// GetBundle implements openapi.StrictServerInterface.
func (s *Server) GetBundle(ctx context.Context, req openapi.GetBundleRequestObject) (openapi.GetBundleResponseObject, error) {
	info, err := s.Bundle.Info(ctx, req.CourseID, 0)
	if err != nil {
		return nil, err
	}
	root := info.Root
	out := openapi.Bundle{
		CourseID: root.Course, Publisher: root.Publisher, Number: root.Number, RootDigest: string(info.Digest),
		PublishedAt: root.PublishedAt.Time, SignedAt: root.SignedAt.Time, SourceLocale: root.SourceLocale, Licence: root.Licence,
		Editions: map[string]openapi.BundleEdition{}, Head: headHref(root.Course, root.Number),
	}
	for l, e := range root.Editions {
		out.Editions[l] = openapi.BundleEdition{Digest: string(e.Digest), Size: e.Size, Bytes: bundleBytesJSON(e.Bytes)}
	}
	if info.Rule != nil {
		rule := bundleRuleJSON(*info.Rule)
		out.Rule = &rule
	}
	return openapi.GetBundle200JSONResponse(out), nil
}

// PlanBundle implements openapi.StrictServerInterface.
func (s *Server) PlanBundle(ctx context.Context, req openapi.PlanBundleRequestObject) (openapi.PlanBundleResponseObject, error) {
	q := req.Params
	rule := choice.Rule{Locales: q.Locale, Tier: choice.Tier(q.Tier)}
	if q.Module != nil {
		rule.Modules = *q.Module
	}
	p, err := s.Bundle.Plan(ctx, req.CourseID, deref(q.Number), rule, deref(q.From), deref(q.Budget))
	if err != nil {
		return nil, err
	}
	out := openapi.BundlePlan{
		Number: p.Number, RootDigest: string(p.RootDigest), Rule: bundleRuleJSON(p.Rule), From: optional(p.From),
		Head:  openapi.BundlePack{Href: headHref(p.Course, p.Number), Bytes: p.HeadBytes},
		Packs: each(p.Packs, bundlePackJSON), TransferBytes: p.TransferBytes, Diff: bundleDiffJSON(p.Changed),
	}
	for _, c := range p.Changed.Items {
		switch c.Change {
		case choice.New:
			out.Changed.New++
		case choice.Removed:
			out.Changed.Removed++
		default:
			out.Changed.Changed++
		}
	}
	if p.Fit != nil {
		out.Fit = &openapi.BundleFit{Bytes: p.Fit.Bytes, Whole: p.Fit.Whole, Items: make([]openapi.BundleFitItem, len(p.Fit.Items))}
		for i, f := range p.Fit.Items {
			out.Fit.Items[i] = openapi.BundleFitItem{Locale: f.Locale, Module: f.Module, Item: f.Item, Layer: openapi.BundleLayer(f.Layer)}
		}
	}
	return openapi.PlanBundle200JSONResponse(out), nil
}

func bundleBytesJSON(b bundle.Bytes) openapi.BundleBytes {
	return openapi.BundleBytes{Text: b.Text, Image: b.Image, Audio: b.Audio}
}

func bundleRuleJSON(r choice.Rule) openapi.BundleRule {
	out := openapi.BundleRule{Locales: r.Locales, Tier: openapi.BundleTier(r.Tier)}
	if len(r.Modules) > 0 {
		out.Modules = &r.Modules
	}
	return out
}

func bundlePackJSON(p serving.Planned) openapi.BundlePack {
	layer := openapi.BundleLayer(p.Layer)
	return openapi.BundlePack{Href: p.Href, Bytes: p.Bytes, Layer: &layer, Locale: &p.Locale}
}

func bundleDiffJSON(d choice.Diff) openapi.BundleDiff {
	return openapi.BundleDiff{
		Items: each(d.Items, func(c choice.ItemChange) openapi.BundleChange {
			return openapi.BundleChange{Locale: c.Locale, Module: c.Module, Item: c.Item, Change: openapi.BundleChangeChange(c.Change)}
		}),
		Details: d.Details, Bytes: bundleBytesJSON(d.Bytes), Blobs: d.Blobs,
	}
}

// ListPublishers implements openapi.StrictServerInterface.
func (s *Server) ListPublishers(ctx context.Context, _ openapi.ListPublishersRequestObject) (openapi.ListPublishersResponseObject, error) {
	list, err := s.Trust.Publishers(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.ListPublishers200JSONResponse{Items: each(list, publisherJSON)}, nil
}

// TrustPublisher implements openapi.StrictServerInterface.
func (s *Server) TrustPublisher(ctx context.Context, req openapi.TrustPublisherRequestObject) (openapi.TrustPublisherResponseObject, error) {
	p, err := s.trust(ctx, "", req.Body)
	if err != nil {
		return nil, err
	}
	return openapi.TrustPublisher201JSONResponse(p), nil
}

// DistrustPublisher implements openapi.StrictServerInterface.
func (s *Server) DistrustPublisher(ctx context.Context, req openapi.DistrustPublisherRequestObject) (openapi.DistrustPublisherResponseObject, error) {
	if err := s.distrust(ctx, "", req.Params.Publisher); err != nil {
		return nil, err
	}
	return openapi.DistrustPublisher204Response{}, nil
}

// ListInstitutionPublishers implements openapi.StrictServerInterface.
func (s *Server) ListInstitutionPublishers(ctx context.Context, req openapi.ListInstitutionPublishersRequestObject) (openapi.ListInstitutionPublishersResponseObject, error) {
	list, err := s.Trust.ListTrusted(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID))
	if err != nil {
		return nil, err
	}
	return openapi.ListInstitutionPublishers200JSONResponse{Items: each(list, publisherJSON)}, nil
}

// TrustInstitutionPublisher implements openapi.StrictServerInterface.
func (s *Server) TrustInstitutionPublisher(ctx context.Context, req openapi.TrustInstitutionPublisherRequestObject) (openapi.TrustInstitutionPublisherResponseObject, error) {
	p, err := s.trust(ctx, identity.InstitutionID(req.InstitutionID), req.Body)
	if err != nil {
		return nil, err
	}
	return openapi.TrustInstitutionPublisher201JSONResponse(p), nil
}

// DistrustInstitutionPublisher implements openapi.StrictServerInterface.
func (s *Server) DistrustInstitutionPublisher(ctx context.Context, req openapi.DistrustInstitutionPublisherRequestObject) (openapi.DistrustInstitutionPublisherResponseObject, error) {
	if err := s.distrust(ctx, identity.InstitutionID(req.InstitutionID), req.Params.Publisher); err != nil {
		return nil, err
	}
	return openapi.DistrustInstitutionPublisher204Response{}, nil
}

// TakeInstitutionTrust implements openapi.StrictServerInterface.
func (s *Server) TakeInstitutionTrust(ctx context.Context, req openapi.TakeInstitutionTrustRequestObject) (openapi.TakeInstitutionTrustResponseObject, error) {
	in := identity.InstitutionID(req.InstitutionID)
	if _, err := s.Institution.Find(ctx, in); err != nil {
		return nil, err
	}
	w, err := s.Shelf.TakeTrust(ctx, actorFrom(ctx), in, bundle.NewReader(req.Body))
	if err != nil {
		return nil, err
	}
	out := openapi.TakeInstitutionTrust200JSONResponse{Taken: []string{}, LeftOut: append([]string{}, w.Strangers...)}
	for _, word := range w.Words {
		out.Taken = append(out.Taken, word.Trust.Publisher)
	}
	return out, nil
}

func (s *Server) trust(ctx context.Context, in identity.InstitutionID, body *openapi.NewPublisher) (openapi.Publisher, error) {
	if in != "" {
		if _, err := s.Institution.Find(ctx, in); err != nil {
			return openapi.Publisher{}, err
		}
	}
	p, err := s.Trust.Trust(ctx, actorFrom(ctx), in, each(body.Documents, func(d string) []byte { return []byte(d) })...)
	if err != nil {
		return openapi.Publisher{}, err
	}
	return publisherJSON(p), nil
}

// distrust may be asked for again: who is not trusted is what was wanted.
func (s *Server) distrust(ctx context.Context, in identity.InstitutionID, publisher string) error {
	err := s.Trust.Distrust(ctx, actorFrom(ctx), in, publisher)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

func publisherJSON(p publisher.Stated) openapi.Publisher {
	return openapi.Publisher{ID: p.ID, Name: p.Name, Documents: p.Documents, InstitutionID: optional(openapi.UUID(p.InstitutionID))}
}

func headHref(course string, number int) string {
	return serving.Address(course, number) + "/head.pack"
}

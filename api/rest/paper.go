package rest

import (
	"bytes"
	"context"
	"mime"
	"time"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/identity"
)

// A class of forty behind one address prints what it has earned, and once more.
const (
	freePrints   = 120
	printsWithin = time.Minute
)

// GetCertificatePDF implements openapi.StrictServerInterface. It may be revoked in a minute, so nobody keeps it without asking.
func (s *Server) GetCertificatePDF(ctx context.Context, req openapi.GetCertificatePDFRequestObject) (openapi.GetCertificatePDFResponseObject, error) {
	if err := s.Identity.Admit(ctx, "print", middleware.From(ctx).Address, freePrints, printsWithin); err != nil {
		return nil, err
	}
	p, err := s.Paper.Print(ctx, credential.ID(req.CredentialID), deref(req.Params.Locale))
	if err != nil {
		return nil, err
	}
	return openapi.GetCertificatePDF200ApplicationPdfResponse{
		Body: bytes.NewReader(p.PDF), ContentLength: int64(len(p.PDF)),
		Headers: openapi.GetCertificatePDF200ResponseHeaders{
			ContentDisposition: new(mime.FormatMediaType("inline", map[string]string{"filename": p.Name + ".pdf"})),
			ETag:               new(`"` + p.Tag + `"`), CacheControl: new("no-cache"),
		},
	}, nil
}

// GetCertificateTemplate implements openapi.StrictServerInterface.
func (s *Server) GetCertificateTemplate(ctx context.Context, req openapi.GetCertificateTemplateRequestObject) (openapi.GetCertificateTemplateResponseObject, error) {
	course := curriculum.CourseID(deref(req.Params.Course))
	t, err := s.Paper.FindTemplate(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), course)
	if err != nil {
		return nil, err
	}
	return openapi.GetCertificateTemplate200JSONResponse(templateJSON(t, course)), nil
}

// SetCertificateTemplate implements openapi.StrictServerInterface.
func (s *Server) SetCertificateTemplate(ctx context.Context, req openapi.SetCertificateTemplateRequestObject) (openapi.SetCertificateTemplateResponseObject, error) {
	course := curriculum.CourseID(deref(req.Params.Course))
	t, err := s.Paper.SaveTemplate(ctx, actorFrom(ctx), design(req.InstitutionID, course, *req.Body))
	if err != nil {
		return nil, err
	}
	return openapi.SetCertificateTemplate200JSONResponse(templateJSON(t, course)), nil
}

// RemoveCertificateTemplate implements openapi.StrictServerInterface.
func (s *Server) RemoveCertificateTemplate(ctx context.Context, req openapi.RemoveCertificateTemplateRequestObject) (openapi.RemoveCertificateTemplateResponseObject, error) {
	err := s.Paper.RemoveTemplate(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), curriculum.CourseID(deref(req.Params.Course)))
	if err != nil {
		return nil, err
	}
	return openapi.RemoveCertificateTemplate204Response{}, nil
}

// PreviewCertificate implements openapi.StrictServerInterface.
func (s *Server) PreviewCertificate(ctx context.Context, req openapi.PreviewCertificateRequestObject) (openapi.PreviewCertificateResponseObject, error) {
	b, err := s.Paper.Preview(ctx, actorFrom(ctx), design(req.InstitutionID, "", *req.Body), req.Params.Locale)
	if err != nil {
		return nil, err
	}
	return openapi.PreviewCertificate200ImageSvgXMLResponse{Body: bytes.NewReader(b), ContentLength: int64(len(b))}, nil
}

func design(in openapi.InstitutionID, course curriculum.CourseID, d openapi.CertificateDesign) paper.Template {
	t := paper.Template{
		InstitutionID: identity.InstitutionID(in), CourseID: course, Orientation: paper.Orientation(d.Orientation), Accent: sheet.Colour(d.Accent),
		Border: paper.Border(d.Border), Logo: paper.Place(d.Logo), Line: d.Line,
	}
	if d.Signatories != nil {
		t.Signatories = append([]string{}, *d.Signatories...)
	}
	return t
}

func templateJSON(t paper.Template, course curriculum.CourseID) openapi.CertificateTemplate {
	d := openapi.CertificateDesign{
		Orientation: openapi.CertificateDesignOrientation(t.Orientation), Accent: string(t.Accent), Border: openapi.CertificateDesignBorder(t.Border),
		Logo: openapi.CertificateDesignLogo(t.Logo), Line: t.Line,
	}
	if d.Line == nil {
		d.Line = map[string]string{}
	}
	if t.Signatories != nil {
		d.Signatories = &t.Signatories
	}
	out := openapi.CertificateTemplate{Design: d, Own: t.CourseID == course && !t.UpdatedAt.IsZero()}
	if !t.UpdatedAt.IsZero() {
		out.UpdatedAt = &t.UpdatedAt
	}
	return out
}

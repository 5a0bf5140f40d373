package rest

import (
	"bytes"
	"context"
	"mime"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/bake"
)

// freeBadges is how many pictures one address may have drawn within checksWithin: each costs some 30 ms.
const freeBadges = 30

// GetBadgePNG implements openapi.StrictServerInterface.
func (s *Server) GetBadgePNG(ctx context.Context, req openapi.GetBadgePNGRequestObject) (openapi.GetBadgePNGResponseObject, error) {
	out, err := s.badge(ctx, credential.ID(req.CredentialID), s.Badges.PNG)
	if err != nil {
		return nil, err
	}
	return openapi.GetBadgePNG200ImagePngResponse{
		Body: bytes.NewReader(out), ContentLength: int64(len(out)),
		Headers: openapi.GetBadgePNG200ResponseHeaders{ContentDisposition: optional(inline(req.CredentialID, "png"))},
	}, nil
}

// svgPolicy lets a picture be looked at where it is opened by itself, and nothing else.
const svgPolicy = "default-src 'none'; sandbox"

// GetBadgeSVG implements openapi.StrictServerInterface.
func (s *Server) GetBadgeSVG(ctx context.Context, req openapi.GetBadgeSVGRequestObject) (openapi.GetBadgeSVGResponseObject, error) {
	out, err := s.badge(ctx, credential.ID(req.CredentialID), s.Badges.SVG)
	if err != nil {
		return nil, err
	}
	return openapi.GetBadgeSVG200ImageSvgXMLResponse{
		Body: bytes.NewReader(out), ContentLength: int64(len(out)),
		Headers: openapi.GetBadgeSVG200ResponseHeaders{ContentDisposition: optional(inline(req.CredentialID, "svg")), ContentSecurityPolicy: optional(svgPolicy)},
	}, nil
}

// badge draws a picture with the credential in it.
func (s *Server) badge(ctx context.Context, id credential.ID, draw func(bake.Badge, []byte) ([]byte, error)) ([]byte, error) {
	c, err := s.Credential.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.Identity.Admit(ctx, "badge", middleware.From(ctx).Address, freeBadges, checksWithin); err != nil {
		return nil, err
	}
	claims, err := credential.ReadClaims(c.Document)
	if err != nil {
		return nil, err
	}
	return draw(bake.Badge{Achievement: claims.Achievement, Issuer: claims.IssuerName, Locale: claims.Locale, Seed: claims.Issuer}, c.Document)
}

// inline names a file for who saves it.
func inline(id, ending string) string {
	return mime.FormatMediaType("inline", map[string]string{"filename": id + "." + ending})
}

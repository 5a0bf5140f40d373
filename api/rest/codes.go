package rest

import (
	"bytes"
	"context"
	"io"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/bundle/packing"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// GetCode implements openapi.StrictServerInterface.
func (s *Server) GetCode(ctx context.Context, req openapi.GetCodeRequestObject) (openapi.GetCodeResponseObject, error) {
	text, err := s.Forms.Code(ctx, credential.ID(req.CredentialID), named(req.Params.Name))
	if err != nil {
		return nil, err
	}
	return openapi.GetCode200TextResponse(text), nil
}

// GetCodeSvg implements openapi.StrictServerInterface.
func (s *Server) GetCodeSvg(ctx context.Context, req openapi.GetCodeSvgRequestObject) (openapi.GetCodeSvgResponseObject, error) {
	m, err := s.drawCode(ctx, req.CredentialID, named(req.Params.Name))
	if err != nil {
		return nil, err
	}
	svg := m.SVG()
	return openapi.GetCodeSvg200ImageSvgXMLResponse{Body: bytes.NewReader(svg), ContentLength: int64(len(svg))}, nil
}

// pixels of a module in the picture of a code: some 700 a side, enough to be printed 50 mm wide.
const pixels = 8

// GetCodePng implements openapi.StrictServerInterface.
func (s *Server) GetCodePng(ctx context.Context, req openapi.GetCodePngRequestObject) (openapi.GetCodePngResponseObject, error) {
	m, err := s.drawCode(ctx, req.CredentialID, named(req.Params.Name))
	if err != nil {
		return nil, err
	}
	png, err := m.PNG(pixels)
	if err != nil {
		return nil, err
	}
	return openapi.GetCodePng200ImagePngResponse{Body: bytes.NewReader(png), ContentLength: int64(len(png))}, nil
}

func (s *Server) drawCode(ctx context.Context, id openapi.CredentialID, named bool) (code.Modules, error) {
	text, err := s.Forms.Code(ctx, credential.ID(id), named)
	if err != nil {
		return nil, err
	}
	return code.Draw(text)
}

// named is the default.
func named[T ~int](asked *T) bool { return asked == nil || *asked == 1 }

// GetTrust implements openapi.StrictServerInterface.
func (s *Server) GetTrust(ctx context.Context, _ openapi.GetTrustRequestObject) (openapi.GetTrustResponseObject, error) {
	p, f, err := opened(s.Trust.TrustPack(ctx))
	if fault.Is(err, fault.NotFound) {
		return openapi.GetTrust204Response{}, nil
	}
	if err != nil {
		return nil, err
	}
	// The answer closes what it can close.
	return openapi.GetTrust200ApplicationOctetStreamResponse{
		Body: f, ContentLength: p.Size, Headers: openapi.GetTrust200ResponseHeaders{ETag: optional(`"` + p.Tag + `"`)},
	}, nil
}

// GetInstitutionTrust implements openapi.StrictServerInterface.
func (s *Server) GetInstitutionTrust(ctx context.Context, req openapi.GetInstitutionTrustRequestObject) (openapi.GetInstitutionTrustResponseObject, error) {
	p, f, err := opened(s.Trust.CirclePack(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID)))
	if fault.Is(err, fault.NotFound) {
		return openapi.GetInstitutionTrust204Response{}, nil
	}
	if err != nil {
		return nil, err
	}
	return openapi.GetInstitutionTrust200ApplicationOctetStreamResponse{
		Body: f, ContentLength: p.Size, Headers: openapi.GetInstitutionTrust200ResponseHeaders{ETag: optional(`"` + p.Tag + `"`)},
	}, nil
}

func opened(p *packing.Packed, err error) (*packing.Packed, io.ReadCloser, error) {
	if err != nil {
		return nil, nil, err
	}
	f, err := p.Open()
	return p, f, err
}

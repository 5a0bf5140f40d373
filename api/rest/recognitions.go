package rest

import (
	"bytes"
	"context"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListRecognitions implements openapi.StrictServerInterface.
func (s *Server) ListRecognitions(ctx context.Context, req openapi.ListRecognitionsRequestObject) (openapi.ListRecognitionsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	f := recognition.Filter{Achievement: deref(req.Params.Achievement), Of: deref(req.Params.Of), By: identity.InstitutionID(deref(req.Params.By))}
	list, err := s.Recognition.List(ctx, f, recognition.ID(after), limit)
	if err != nil {
		return nil, err
	}
	items := make([]openapi.Recognition, len(list))
	for i, r := range list {
		if items[i], err = s.recognitionJSON(ctx, r); err != nil {
			return nil, err
		}
	}
	return openapi.ListRecognitions200JSONResponse{Items: items, Next: next(list, limit, func(r recognition.Shown) string { return string(r.ID) })}, nil
}

// GetRecognition implements openapi.StrictServerInterface: the signed document, byte by byte.
func (s *Server) GetRecognition(ctx context.Context, req openapi.GetRecognitionRequestObject) (openapi.GetRecognitionResponseObject, error) {
	r, err := s.Recognition.Find(ctx, recognition.ID(req.RecognitionID))
	if err != nil {
		return nil, err
	}
	return openapi.GetRecognition200ApplicationVcResponse{Body: bytes.NewReader(r.Document), ContentLength: int64(len(r.Document))}, nil
}

// CreateRecognition implements openapi.StrictServerInterface.
func (s *Server) CreateRecognition(ctx context.Context, req openapi.CreateRecognitionRequestObject) (openapi.CreateRecognitionResponseObject, error) {
	b := req.Body
	r, err := s.Recognition.Recognise(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), recognition.New{
		ID: recognition.ID(b.ID), OfDID: b.OfDid, OfAchievement: b.OfAchievement, ValidUntil: b.ValidUntil,
		Terms: recognition.Terms{OfName: b.OfName, As: b.As, Scope: deref(b.Scope), Conditions: deref(b.Conditions)},
	})
	if err != nil {
		return nil, err
	}
	out, err := s.recognitionJSON(ctx, r)
	return openapi.CreateRecognition201JSONResponse(out), err
}

// EndRecognition implements openapi.StrictServerInterface.
func (s *Server) EndRecognition(ctx context.Context, req openapi.EndRecognitionRequestObject) (openapi.EndRecognitionResponseObject, error) {
	if err := s.Recognition.End(ctx, actorFrom(ctx), identity.InstitutionID(req.InstitutionID), recognition.ID(req.RecognitionID)); err != nil {
		return nil, err
	}
	return openapi.EndRecognition204Response{}, nil
}

func (s *Server) recognitionJSON(ctx context.Context, r recognition.Shown) (openapi.Recognition, error) {
	in, err := s.Institution.Find(ctx, r.InstitutionID)
	if err != nil {
		return openapi.Recognition{}, err
	}
	locale := middleware.Locale(ctx)
	name, lang := verifier.TextIn(in.AllNames(), locale)
	out := openapi.Recognition{
		ID: string(r.ID), By: string(r.InstitutionID), ByDid: r.By, ByName: name, ByNameLang: langJSON(lang, locale), OfDid: r.OfDID, OfAchievement: r.OfAchievement, OfName: r.Terms.OfName,
		As: r.Terms.As, Standing: openapi.RecognitionStanding(r.State), CreatedAt: r.CreatedAt, ValidUntil: r.ValidUntil, EndedAt: r.EndedAt,
	}
	out.Scope, out.Conditions = textsJSON(r.Terms.Scope), textsJSON(r.Terms.Conditions)
	return out, nil
}

func textsJSON(texts map[string]string) *openapi.RecognitionTexts {
	if len(texts) == 0 {
		return nil
	}
	out := openapi.RecognitionTexts(texts)
	return &out
}

// langJSON names the language of a text where a reader has to be told.
func langJSON(lang, locale string) *string {
	if lang == locale {
		return nil
	}
	return optional(lang)
}

// recognisedJSON tells who takes an achievement for what; nil for nobody.
func recognisedJSON(list []verifier.Recognition, locale string) *[]openapi.Recognised {
	if len(list) == 0 {
		return nil
	}
	out := each(list, func(r verifier.Recognition) openapi.Recognised {
		name, lang := verifier.TextIn(r.Names, locale)
		return openapi.Recognised{
			Address: r.Address, By: r.By, ByName: name, ByNameLang: langJSON(lang, locale), As: r.As, Scope: textsJSON(r.Scope), Conditions: textsJSON(r.Conditions),
			ValidFrom: r.From, ValidUntil: optional(r.Until), KnownFrom: openapi.RecognisedKnownFrom(r.Origin), KnownBy: optional(r.Circle), KnownAt: r.At,
		}
	})
	return &out
}

// ListIssuers implements openapi.StrictServerInterface.
func (s *Server) ListIssuers(ctx context.Context, _ openapi.ListIssuersRequestObject) (openapi.ListIssuersResponseObject, error) {
	all, err := s.Keys.ListIssuing(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	locale := middleware.Locale(ctx)
	items := each(all, func(i keyring.Issuing) openapi.IssuerHere {
		name, lang := verifier.TextIn(i.Names, locale)
		return openapi.IssuerHere{InstitutionID: string(i.InstitutionID), Did: i.DID, Name: name, NameLang: langJSON(lang, locale)}
	})
	return openapi.ListIssuers200JSONResponse{Items: items, Address: s.PublicURL}, nil
}

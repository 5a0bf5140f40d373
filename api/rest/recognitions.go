package rest

import (
	"bytes"
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
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
	out := openapi.Recognition{
		ID: string(r.ID), By: string(r.InstitutionID), ByDid: r.By, ByName: in.Name, OfDid: r.OfDID, OfAchievement: r.OfAchievement, OfName: r.Terms.OfName,
		As: r.Terms.As, Standing: openapi.RecognitionStanding(r.State), CreatedAt: r.CreatedAt, ValidUntil: r.ValidUntil, EndedAt: r.EndedAt,
	}
	if len(r.Terms.Scope) > 0 {
		scope := openapi.RecognitionTexts(r.Terms.Scope)
		out.Scope = &scope
	}
	if len(r.Terms.Conditions) > 0 {
		conditions := openapi.RecognitionTexts(r.Terms.Conditions)
		out.Conditions = &conditions
	}
	return out, nil
}

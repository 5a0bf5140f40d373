package rest

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/curriculum/quiz"
	"github.com/banyan-lms/banyan/internal/learning"
)

// ListStatements implements openapi.StrictServerInterface.
func (s *Server) ListStatements(ctx context.Context, req openapi.ListStatementsRequestObject) (openapi.ListStatementsResponseObject, error) {
	after, err := numberCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, err := s.Learning.ListStatements(ctx, actorFrom(ctx), after, limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListStatements200JSONResponse{
		Items: each(list, statementJSON),
		Next:  next(list, limit, func(st learning.Statement) string { return strconv.FormatInt(st.Arrival, 10) }),
	}, nil
}

// AppendStatements implements openapi.StrictServerInterface.
func (s *Server) AppendStatements(ctx context.Context, req openapi.AppendStatementsRequestObject) (openapi.AppendStatementsResponseObject, error) {
	answers, err := s.Learning.Append(ctx, actorFrom(ctx), *req.Body)
	if err != nil {
		return nil, err
	}
	locale := middleware.Locale(ctx)
	return openapi.AppendStatements200JSONResponse{Answers: each(answers, func(a learning.Answer) openapi.StatementAnswer {
		out := openapi.StatementAnswer{ID: a.ID, Status: openapi.StatementAnswerStatus(a.Status)}
		if a.Fault != nil {
			out.Code, out.Pointer = &a.Fault.Key, &a.Fault.Pointer
			out.Detail = optional(s.Words.T(locale, a.Fault.Key, a.Fault.Args))
		}
		if a.Marked != nil {
			out.Marked = markedJSON(a.Marked, locale)
		}
		return out
	})}, nil
}

func markedJSON(m *quiz.Marked, locale string) *openapi.Marked {
	out := &openapi.Marked{Score: m.Score, Passed: m.Passed}
	for _, q := range m.Questions {
		var say, langs []string
		other := false
		add := func(t curriculum.Text, in curriculum.Langs) {
			text, lang := said(t, in, locale, m.SourceLocale)
			if text == "" {
				return
			}
			say, langs = append(say, text), append(langs, deref(lang))
			other = other || lang != nil
		}
		for _, id := range slices.Sorted(maps.Keys(q.Options)) {
			add(q.Options[id], q.OptionLangs[id])
		}
		add(q.Feedback, q.FeedbackLang)
		item := struct {
			Correct      bool      `json:"correct"`
			Feedback     *[]string `json:"feedback,omitempty"`
			FeedbackLang *[]string `json:"feedback_lang,omitempty"`
			ID           string    `json:"id"`
			Points       float64   `json:"points"`
		}{Correct: q.Correct, ID: q.ID, Points: q.Points}
		if say != nil {
			item.Feedback = &say
		}
		if other {
			item.FeedbackLang = &langs
		}
		out.Questions = append(out.Questions, item)
	}
	return out
}

func statementJSON(st learning.Statement) openapi.Statement {
	out := openapi.Statement{
		ID: string(st.ID), EnrollmentID: string(st.EnrollmentID), Verb: openapi.StatementVerb(st.Verb), ObjectID: string(st.ObjectID),
		At: st.At, ReceivedAt: st.ReceivedAt, Score: st.Result.Score, Success: st.Result.Success, SubmissionID: optional(st.Result.SubmissionID),
		Attempt: optional(st.Result.Attempt), Revision: optional(st.Result.Revision), AfterRevocation: optional(st.Result.AfterRevocation),
		Arrival: optional(st.Arrival), Device: optional(string(st.Device)), Epoch: optional(st.Epoch), Sequence: optional(st.Sequence),
	}
	if st.Result.Responses != nil {
		responses := make(map[string]any, len(st.Result.Responses))
		for id, r := range st.Result.Responses {
			responses[id] = r
		}
		out.Responses = &responses
	}
	return out
}

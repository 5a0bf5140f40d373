package rest

import (
	"context"
	"log/slog"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning"
)

// Sync implements openapi.StrictServerInterface: what a device has waiting.
func (s *Server) Sync(ctx context.Context, req openapi.SyncRequestObject) (openapi.SyncResponseObject, error) {
	by := actorFrom(ctx)
	done, err := s.Learning.Sync(ctx, by, *req.Body)
	if err != nil {
		return nil, err
	}
	if done.Behind {
		slog.WarnContext(ctx, "a device knows more than this server; it was probably restored from a backup",
			"user", by.UserID, "epoch", done.Epoch, "known", done.Known)
	}
	stamp, err := s.credentialsStamp(ctx, by)
	if err != nil {
		return nil, err
	}
	locale := middleware.Locale(ctx)
	return openapi.Sync200JSONResponse{
		Answers: each(done.Answers, func(a learning.Answer) openapi.SyncedStatement { return s.syncedJSON(a, locale) }),
		Epoch:   done.Epoch, Known: done.Known, Cursor: done.Cursor, Current: done.Current, ServerTime: done.At, Credentials: stamp,
	}, nil
}

// Pull implements openapi.StrictServerInterface.
func (s *Server) Pull(ctx context.Context, req openapi.PullRequestObject) (openapi.PullResponseObject, error) {
	by, limit := actorFrom(ctx), learning.MaxPage
	if req.Params.Limit != nil {
		limit = *req.Params.Limit
	}
	page, err := s.Learning.Pull(ctx, by, deref(req.Params.After), limit)
	if err != nil {
		return nil, err
	}
	sums, err := s.Learning.Summarize(ctx, page.Enrollments)
	if err != nil {
		return nil, err
	}
	stamp, err := s.credentialsStamp(ctx, by)
	if err != nil {
		return nil, err
	}
	return openapi.Pull200JSONResponse{
		Statements: each(page.Statements, statementJSON), Enrollments: each(sums, enrollmentJSON), Cursor: page.Cursor, More: page.More, Reset: page.Reset,
		ServerTime: page.At, Credentials: stamp,
	}, nil
}

func (s *Server) credentialsStamp(ctx context.Context, by identity.Actor) (openapi.CredentialsStamp, error) {
	stamp, err := s.Credential.StampOwn(ctx, by)
	out := openapi.CredentialsStamp{Count: stamp.Count}
	if !stamp.ChangedAt.IsZero() {
		out.ChangedAt = &stamp.ChangedAt
	}
	return out, err
}

func (s *Server) syncedJSON(a learning.Answer, locale string) openapi.SyncedStatement {
	out := openapi.SyncedStatement{
		ID: a.ID, Status: openapi.SyncedStatementStatus(a.Status), Epoch: optional(a.Stamp.Epoch), Sequence: optional(a.Stamp.Sequence),
	}
	if a.Fault != nil {
		out.Code, out.Pointer = &a.Fault.Key, &a.Fault.Pointer
		out.Detail = optional(s.Words.T(locale, a.Fault.Key, a.Fault.Args))
	}
	if a.Marked != nil {
		out.Marked = markedJSON(a.Marked, locale)
	}
	return out
}

package rest

import (
	"context"
	"log/slog"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/lab"
	"github.com/banyan-lms/banyan/internal/learning"
	"github.com/banyan-lms/banyan/internal/learning/wire"
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

// ImportWork implements openapi.StrictServerInterface. What was handed in goes to the lab as if the learner had sent it.
func (s *Server) ImportWork(ctx context.Context, req openapi.ImportWorkRequestObject) (openapi.ImportWorkResponseObject, error) {
	done, err := s.Learning.Import(ctx, middleware.From(ctx).Address, req.Body.Work, req.Body.Signature)
	if err != nil {
		return nil, err
	}
	locale := middleware.Locale(ctx)
	out := openapi.ImportWork200JSONResponse{
		Answers: []openapi.SyncedStatement{}, Submissions: []openapi.ImportedSubmission{}, Epoch: done.Epoch, Known: done.Known, ServerTime: done.At,
	}
	for _, a := range done.Answers {
		a.Marked = nil // whoever carries the work of others need not know what was right
		out.Answers = append(out.Answers, s.syncedJSON(a, locale))
	}
	for _, sub := range done.Submissions {
		answer, err := s.importSubmission(ctx, done.Learner, sub, locale)
		if err != nil {
			return nil, err
		}
		out.Submissions = append(out.Submissions, answer)
	}
	return out, nil
}

// importSubmission hands in one piece of exported work. It is an error only when it is worth another try of the whole.
func (s *Server) importSubmission(ctx context.Context, by identity.Actor, sub wire.Submission, locale string) (openapi.ImportedSubmission, error) {
	_, created, err := s.Lab.Submit(ctx, by, lab.NewSubmission{
		ID: lab.SubmissionID(sub.ID), EnrollmentID: learning.EnrollmentID(sub.EnrollmentID), LabID: curriculum.ContentID(sub.LabID), Files: sub.Files,
		Locale: s.Words.Match(sub.Locale),
	})
	out := openapi.ImportedSubmission{ID: sub.ID, Status: openapi.ImportedSubmissionStatusDuplicate}
	if err == nil {
		if created {
			out.Status = openapi.ImportedSubmissionStatusAccepted
		}
		return out, nil
	}
	f := AsFault(err)
	if f.Code == fault.Internal || f.Code == fault.Unavailable {
		return out, err
	}
	out.Status = openapi.ImportedSubmissionStatusRejected
	if f.Key == "enrollment.not_found" {
		out.Status = openapi.ImportedSubmissionStatusDeferred
	}
	key, args := f.Key, f.Args
	if len(f.Details) > 0 {
		key, args = f.Details[0].Key, f.Details[0].Args
	}
	out.Code, out.Detail = &key, optional(s.Words.T(locale, key, args))
	return out, nil
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

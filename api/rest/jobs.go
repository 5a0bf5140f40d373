package rest

import (
	"context"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/job"
)

// ListParkedJobs implements openapi.StrictServerInterface.
func (s *Server) ListParkedJobs(ctx context.Context, req openapi.ListParkedJobsRequestObject) (openapi.ListParkedJobsResponseObject, error) {
	after, err := uuidCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, total, err := s.Desk.List(ctx, actorFrom(ctx), job.ID(after), limit)
	if err != nil {
		return nil, err
	}
	return openapi.ListParkedJobs200JSONResponse{
		Items: each(list, func(p job.Parked) openapi.ParkedJob {
			return openapi.ParkedJob{
				ID: string(p.ID), Kind: string(p.Kind), CreatedAt: p.CreatedAt, ParkedAt: p.ParkedAt, Tries: p.Attempt, Cause: p.Cause,
			}
		}),
		Total: total,
		Next:  next(list, limit, func(p job.Parked) string { return string(p.ID) }),
	}, nil
}

// RetryParkedJob implements openapi.StrictServerInterface.
func (s *Server) RetryParkedJob(ctx context.Context, req openapi.RetryParkedJobRequestObject) (openapi.RetryParkedJobResponseObject, error) {
	if err := s.Desk.Retry(ctx, actorFrom(ctx), job.ID(req.JobID)); err != nil {
		return nil, err
	}
	return openapi.RetryParkedJob204Response{}, nil
}

// RetryParkedJobs implements openapi.StrictServerInterface.
func (s *Server) RetryParkedJobs(ctx context.Context, _ openapi.RetryParkedJobsRequestObject) (openapi.RetryParkedJobsResponseObject, error) {
	n, err := s.Desk.RetryAll(ctx, actorFrom(ctx))
	if err != nil {
		return nil, err
	}
	return openapi.RetryParkedJobs200JSONResponse{Retried: int(n)}, nil
}

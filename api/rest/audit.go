package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ListAudit implements openapi.StrictServerInterface.
func (s *Server) ListAudit(ctx context.Context, req openapi.ListAuditRequestObject) (openapi.ListAuditResponseObject, error) {
	in := identity.InstitutionID(req.InstitutionID)
	if f := req.Params.Format; f != nil && *f == openapi.ListAuditParamsFormatJsonl {
		found, err := s.Institution.Find(ctx, in)
		if err != nil {
			return nil, err
		}
		log, err := s.Institution.OpenAudit(ctx, actorFrom(ctx), in)
		if err != nil {
			return nil, err
		}
		file := "audit-" + found.Slug + "-" + s.Now().UTC().Format("2006-01-02") + ".jsonl"
		name := mime.FormatMediaType("attachment", map[string]string{"filename": file})
		return openapi.ListAudit200ApplicationJsonlResponse{Body: log, Headers: openapi.ListAudit200ResponseHeaders{ContentDisposition: &name}}, nil
	}
	before, err := numberCursor(req.Params.Cursor)
	if err != nil {
		return nil, err
	}
	limit := limitOf(req.Params.Limit)
	list, head, err := s.Institution.ListAudit(ctx, actorFrom(ctx), in, before, limit)
	if err != nil {
		return nil, err
	}
	items, err := s.auditJSON(ctx, list)
	if err != nil {
		return nil, err
	}
	return openapi.ListAudit200JSONResponse{Body: openapi.AuditList{
		Items: items,
		Next:  next(list, limit, func(e audit.Entry) string { return strconv.FormatInt(e.N, 10) }),
		Head:  openapi.AuditHead{N: head.N, Hash: head.Hash},
	}}, nil
}

// auditJSON adds the present names of people: the log itself has their ids alone.
func (s *Server) auditJSON(ctx context.Context, list []audit.Entry) ([]openapi.AuditEntry, error) {
	out := make([]openapi.AuditEntry, len(list))
	about := make([]identity.UserID, len(list))
	var ids []identity.UserID
	for i, e := range list {
		out[i] = openapi.AuditEntry{N: e.N, At: e.At, By: optional(e.By), Kind: string(e.Kind), Hash: e.Hash}
		if err := json.Unmarshal(e.Data, &out[i].Data); err != nil {
			return nil, fmt.Errorf("read audit entry %d of %s: %w", e.N, e.Institution, err)
		}
		if user, ok := out[i].Data["user"].(string); ok {
			about[i] = identity.UserID(user)
		}
		ids = append(ids, identity.UserID(e.By), about[i])
	}
	people, err := s.Identity.FindUsers(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		out[i].ByName = optional(people[identity.UserID(e.By)].DisplayName)
		out[i].AboutName = optional(people[about[i]].DisplayName)
	}
	return out, nil
}

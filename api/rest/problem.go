package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
)

var statusOf = map[fault.Code]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.Unauthenticated: http.StatusUnauthorized, fault.Denied: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Gone: http.StatusGone, fault.Conflict: http.StatusConflict, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.TooMany: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusInternalServerError,
}

// A few faults are HTTP's own and have a status of their own.
var statusOfKey = map[string]int{
	"request.bad_content_type": http.StatusUnsupportedMediaType,
	"request.bad_method":       http.StatusMethodNotAllowed,
	"request.not_json":         http.StatusBadRequest,
	"request.not_utf8":         http.StatusBadRequest,
	"request.cut_short":        http.StatusBadRequest,
	"request.bad_gzip":         http.StatusBadRequest,
	"request.bad_encoding":     http.StatusUnsupportedMediaType,
}

// AsFault turns any error into a fault; what is not one is ours.
func AsFault(err error) *fault.Error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	var h *echo.HTTPError
	if errors.As(err, &h) {
		switch h.Code {
		case http.StatusNotFound:
			return fault.Wrap(fault.NotFound, "request.not_found", err)
		case http.StatusMethodNotAllowed:
			return fault.Wrap(fault.Invalid, "request.bad_method", err)
		case http.StatusRequestEntityTooLarge:
			return fault.Wrap(fault.TooLarge, "request.too_large", err)
		}
		if h.Code < http.StatusInternalServerError {
			return fault.Wrap(fault.Invalid, "request.invalid", err)
		}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fault.Wrap(fault.Unavailable, "server.unavailable", err)
	}
	return fault.Wrap(fault.Internal, "server.internal", err)
}

// Status gives the HTTP status of a fault.
func Status(f *fault.Error) int {
	if st, ok := statusOfKey[f.Key]; ok {
		return st
	}
	if st, ok := statusOf[f.Code]; ok {
		return st
	}
	return http.StatusInternalServerError
}

// WriteProblem answers with RFC 9457 problem+json in the reader's language. The cause stays in the log.
func (s *Server) WriteProblem(c echo.Context, err error) {
	if c.Response().Committed {
		return // too late: the reader sees a cut answer
	}
	if strings.HasPrefix(c.Request().URL.Path, casePath) {
		s.writeCaseStatus(c, AsFault(err))
		return
	}
	ctx := c.Request().Context()
	p := problem(s.Words, middleware.Locale(ctx), AsFault(err), middleware.RequestID(ctx))
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set(echo.HeaderContentType, "application/problem+json")
	h.Set("Content-Language", middleware.Locale(ctx))
	if p.RetryAfter != nil {
		h.Set("Retry-After", strconv.Itoa(*p.RetryAfter))
	}
	c.Response().WriteHeader(p.Status)
	_ = c.Echo().JSONSerializer.Serialize(c, p, "") // the reader has gone: nothing to tell
}

func problem(words *i18n.Catalogue, locale string, f *fault.Error, requestID string) openapi.Problem {
	status := Status(f)
	p := openapi.Problem{
		Type: "about:blank", Title: words.T(locale, "fault."+string(f.Code), nil), Status: status,
		Detail: optional(words.T(locale, f.Key, f.Args)), Code: f.Key, RequestID: requestID, RetryAfter: optional(f.RetryAfter),
	}
	if len(f.Details) == 0 {
		return p
	}
	errs := detailsJSON(words, locale, f.Details)
	p.Errors = &errs
	return p
}

func detailsJSON(words *i18n.Catalogue, locale string, details []fault.Detail) []openapi.ProblemDetail {
	return each(details, func(d fault.Detail) openapi.ProblemDetail {
		out := openapi.ProblemDetail{Code: d.Key, Detail: words.T(locale, d.Key, d.Args), File: optional(d.File), Line: optional(d.Line)}
		if d.File == "" {
			pointer := d.Pointer // "" is the whole body, and a pointer too
			out.Pointer = &pointer
		}
		return out
	})
}

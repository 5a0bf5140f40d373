package web

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/internal/fault"
)

// refusal is a status that no fault has, with its message key.
type refusal struct {
	status int
	key    string
	cause  error
}

func (r *refusal) Error() string { return r.key + ": " + r.cause.Error() }
func (r *refusal) Unwrap() error { return r.cause }

// statuses of the codes, as in the API. What is not here is ours to mend.
var statuses = map[fault.Code]int{
	fault.Invalid: http.StatusUnprocessableEntity, fault.Unauthenticated: http.StatusUnauthorized, fault.Denied: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Gone: http.StatusGone, fault.Conflict: http.StatusConflict, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.TooMany: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
}

// problem answers with a page that says in the reader's language what is wrong.
// What is ours to mend is logged, and the page says no more than that.
func (s *Site) problem(c echo.Context, err error) error {
	req := c.Request()
	status, key, title := http.StatusInternalServerError, "server.internal", fault.Internal
	args := map[string]any(nil)
	var f *fault.Error
	var r *refusal
	switch {
	case errors.As(err, &r):
		status, key, title = r.status, r.key, fault.Invalid
	case errors.As(err, &f) && statuses[f.Code] != 0:
		status, key, args, title = statuses[f.Code], f.Key, f.Args, f.Code
		if f.RetryAfter > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
		}
	}
	if status >= http.StatusInternalServerError {
		slog.ErrorContext(req.Context(), "serve page", "path", middleware.LogPath(req.URL.Path), "err", err)
	}
	locale, _, _ := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	h := c.Response().Header()
	if s.languages[locale] == nil {
		locale = s.reader(c)
		h.Add("Vary", "Accept-Language, Cookie")
	}
	w := s.writer(locale)
	heading, detail := w.t("fault."+string(title), nil), w.t(key, args)
	body := w.page(frame{
		kind: "problem", title: heading, description: detail, path: "/", hidden: true,
		main: w.fill("problem", values{
			"title": heading, "detail": detail, "code": key,
		}),
	})
	if w.err != nil {
		return w.err
	}
	h["Cache-Control"] = noStore
	return c.HTMLBlob(status, body)
}

package middleware

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/fault"
)

// HeaderRequestID names the request in the answer and in the log.
const HeaderRequestID = "X-Request-Id"

// Request gives each request an id, turns a panic into a fault and writes one log line when it is done.
func Request(onError func(c echo.Context, err error)) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			began := time.Now()
			id := newRequestID()
			r := c.Request()
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), requestIDKey, id)))
			c.Response().Header().Set(HeaderRequestID, id)
			err := guard(next, c)
			if err != nil {
				onError(c, err) // here, so that the log line has the status that was sent
			}
			logRequest(c, err, time.Since(began))
			return nil
		}
	}
}

func newRequestID() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // crypto/rand never fails; it ends the program instead
	return hex.EncodeToString(b)
}

func guard(next echo.HandlerFunc, c echo.Context) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			err = fault.Wrap(fault.Internal, "server.internal", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	return next(c)
}

// A link that shows a credential is a secret, and a log is read by others than its holder's friends.
var shareForm = regexp.MustCompile(`^((?:/[A-Za-z-]{2,35})?/s/|/api/shares/).+$`)

// LogPath is a path as it may stand in a log.
func LogPath(path string) string { return shareForm.ReplaceAllString(path, "${1}…") }

// logRequest writes no query and no body: both may hold what is private.
func logRequest(c echo.Context, err error, took time.Duration) {
	level, status := slog.LevelInfo, c.Response().Status
	if status >= 500 {
		level = slog.LevelError
	}
	ctx := c.Request().Context()
	if !slog.Default().Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request().Method), slog.String("path", LogPath(c.Request().URL.Path)), slog.Int("status", status),
		slog.Duration("took", took.Round(time.Microsecond)), slog.Int64("bytes", c.Response().Size), slog.String("request", RequestID(ctx)),
	}
	if err != nil {
		attrs = append(attrs, slog.String("err", err.Error()))
	}
	slog.LogAttrs(ctx, level, "request", attrs...)
}

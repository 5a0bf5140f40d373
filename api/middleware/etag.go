package middleware

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// NotModified answers 304 to a GET whose reader has the bytes already: the
// handler sets ETag, this compares it with If-None-Match and drops the body.
func NotModified() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			want := c.Request().Header.Get("If-None-Match")
			if want == "" || c.Request().Method != http.MethodGet {
				return next(c)
			}
			res := c.Response()
			under := res.Writer
			w := &notModified{ResponseWriter: under, want: want}
			res.Writer = w
			defer func() {
				res.Writer = under
				if w.same { // for the log
					res.Status, res.Size = http.StatusNotModified, 0
				}
			}()
			return next(c)
		}
	}
}

type notModified struct {
	http.ResponseWriter
	want string
	same bool
}

func (w *notModified) WriteHeader(status int) {
	tag := w.Header().Get("ETag")
	if status == http.StatusOK && tag != "" && matches(w.want, tag) {
		w.same = true
		status = http.StatusNotModified
		w.Header().Del("Content-Length")
		w.Header().Del("Content-Type")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *notModified) Write(b []byte) (int, error) {
	if w.same {
		return len(b), nil
	}
	return w.ResponseWriter.Write(b)
}

func (w *notModified) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func matches(want, tag string) bool {
	for _, t := range strings.Split(want, ",") {
		if t = strings.TrimSpace(t); t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

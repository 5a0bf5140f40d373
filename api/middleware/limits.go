package middleware

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Limits of a request's body.
const (
	maxBody  = 512 << 10 // bytes of JSON
	maxZip   = 32 << 20  // bytes of a packed course
	maxDepth = 24        // nesting of JSON
)

// Limits bounds bodies before anything reads them: their size, and for JSON
// that it is one well-formed UTF-8 value that is not nested too deep.
func Limits() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Body == nil || r.Body == http.NoBody {
				return next(c)
			}
			media := mediaType(r)
			if media == "application/zip" {
				r.Body = http.MaxBytesReader(c.Response(), r.Body, maxZip)
				return next(c)
			}
			body, err := readAll(http.MaxBytesReader(c.Response(), r.Body, maxBody), r.ContentLength)
			if err != nil {
				return BodyFault(err)
			}
			if media == "application/json" {
				if err := checkJSON(body); err != nil {
					return err
				}
			}
			r.Body = &Body{Reader: bytes.NewReader(body), text: body}
			r.ContentLength = int64(len(body))
			return next(c)
		}
	}
}

// mediaType says what a body is meant to be. Whoever asks must ask here: two readings of one
// header would let a body past the one that should have looked at it.
func mediaType(r *http.Request) string {
	media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// Body is a request's body that has been read already.
type Body struct {
	*bytes.Reader
	text []byte
}

// Bytes gives the whole body. It is shared: nobody may change it.
func (b *Body) Bytes() []byte { return b.text }

// Close implements io.Closer.
func (b *Body) Close() error { return nil }

// readAll reads to the end; with a known length it need not guess how much room that takes.
func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 || length > maxBody {
		return io.ReadAll(r)
	}
	body := make([]byte, length)
	_, err := io.ReadFull(r, body)
	return body, err
}

// BodyFault turns an error of reading a body into a fault.
func BodyFault(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return fault.New(fault.TooLarge, "request.too_large").With("KiB", large.Limit>>10)
	}
	return fault.Wrap(fault.Invalid, "request.cut_short", err)
}

func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return fault.New(fault.Invalid, "request.not_utf8")
	}
	switch ok, tooDeep := wellFormed(body); {
	case tooDeep:
		return fault.New(fault.Invalid, "request.too_deep").With("Max", maxDepth)
	case !ok:
		return fault.New(fault.Invalid, "request.not_json")
	}
	return nil
}

package middleware

import (
	"bytes"
	"compress/gzip"
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
	maxBody  = 512 << 10 // bytes of JSON, unpacked
	maxSync  = 1 << 20   // the same of what a device brings after weeks on the road
	maxTrust = 4 << 20   // bytes of what publishers say of issuers
	maxZip   = 32 << 20  // bytes of a packed course
	maxDepth = 24        // nesting of JSON
)

// bodyLimit is how many bytes a body of JSON may have on a route.
func bodyLimit(route string) int64 {
	if strings.HasPrefix(route, "/api/sync") {
		return maxSync
	}
	if route == "/api/institutions/:institution_id/trust" {
		return maxTrust
	}
	return maxBody
}

// Limits bounds bodies before anything reads them: their size, and for JSON
// that it is one well-formed UTF-8 value that is not nested too deep. A body of JSON may come
// compressed by gzip; it is bounded before and after. One that ends too soon is refused whole.
func Limits() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if r.Body == nil || r.Body == http.NoBody {
				return next(c)
			}
			media, most := mediaType(r), bodyLimit(c.Path())
			packed, err := gzipped(r, media)
			if err != nil {
				return err
			}
			if media == "application/zip" {
				r.Body = http.MaxBytesReader(c.Response(), r.Body, maxZip)
				return next(c)
			}
			body, err := readAll(http.MaxBytesReader(c.Response(), r.Body, most), r.ContentLength, most)
			if err != nil {
				return BodyFault(err)
			}
			if packed {
				if body, err = unpack(body, most); err != nil {
					return err
				}
				r.Header.Del("Content-Encoding")
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

// gzipped tells whether a body must be unpacked. No other encoding is taken, and none of other bodies than JSON.
func gzipped(r *http.Request, media string) (bool, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(strings.Join(r.Header.Values("Content-Encoding"), ","))); {
	case encoding == "", encoding == "identity":
		return false, nil
	case encoding == "gzip" && media == "application/json":
		return true, nil
	}
	return false, fault.New(fault.Invalid, "request.bad_encoding")
}

// unpack undoes gzip as far as a body may go: what would become larger is given up before it has.
func unpack(packed []byte, most int64) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		var body []byte
		if body, err = io.ReadAll(io.LimitReader(z, most+1)); int64(len(body)) > most {
			return nil, tooLarge(most)
		}
		if err == nil {
			return body, nil
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return nil, fault.Wrap(fault.Invalid, "request.cut_short", err)
	}
	return nil, fault.Wrap(fault.Invalid, "request.bad_gzip", err)
}

func tooLarge(most int64) error {
	return fault.New(fault.TooLarge, "request.too_large").With("KiB", most>>10)
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
func readAll(r io.Reader, length, most int64) ([]byte, error) {
	if length < 0 || length > most {
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
		return tooLarge(large.Limit)
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

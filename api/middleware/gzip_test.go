package middleware

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func packed(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, r); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// text is JSON of n bytes.
func text(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }

func TestGzip(t *testing.T) {
	small := packed(t, strings.NewReader(`{"a": [1, 2]}`))
	flipped := bytes.Clone(small)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	const other, sync = "/api/statements", "/api/sync"
	for _, tt := range []struct {
		name, route, media, encoding string
		body                         []byte
		key                          string
	}{
		{"as it is", other, "application/json", "identity", []byte(`{}`), ""},
		{"packed", other, "application/json", "gzip", small, ""},
		{"packed, in capitals", other, "Application/JSON; charset=utf-8", "GZIP", small, ""},
		{"in two pieces", other, "application/json", "gzip", append(packed(t, strings.NewReader(`[1,`)), packed(t, strings.NewReader(`2]`))...), ""},
		{"as large as may be", other, "application/json", "gzip", packed(t, strings.NewReader(text(maxBody))), ""},
		{"one byte larger", other, "application/json", "gzip", packed(t, strings.NewReader(text(maxBody+1))), "request.too_large"},
		{"a device brings more", sync, "application/json", "gzip", packed(t, strings.NewReader(text(maxSync))), ""},
		{"but not without bound", sync, "application/json", "gzip", packed(t, strings.NewReader(text(maxSync+1))), "request.too_large"},
		{"a bomb", sync, "application/json", "gzip", packed(t, io.LimitReader(endless{}, 200<<20)), "request.too_large"},
		{"large before it is unpacked", sync, "application/json", "gzip", bytes.Repeat(packed(t, strings.NewReader("")), 1+maxSync/20), "request.too_large"},
		{"damaged", other, "application/json", "gzip", flipped, "request.bad_gzip"},
		{"with something after it", other, "application/json", "gzip", append(bytes.Clone(small), 'x', 'y', 'z', 1, 2, 3, 4, 5, 6, 7, 8), "request.bad_gzip"},
		{"not packed at all", other, "application/json", "gzip", []byte(`{"a": [1, 2, 3, 4]}`), "request.bad_gzip"},
		{"nothing", other, "application/json", "gzip", []byte{}, "request.cut_short"},
		{"no JSON in it", other, "application/json", "gzip", packed(t, strings.NewReader(`{`)), "request.not_json"},
		{"twice", other, "application/json", "gzip, gzip", packed(t, bytes.NewReader(small)), "request.bad_encoding"},
		{"brotli", other, "application/json", "br", small, "request.bad_encoding"},
		{"a course", other, "application/zip", "gzip", small, "request.bad_encoding"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			handler := Limits()(func(c echo.Context) error {
				raw, err := io.ReadAll(c.Request().Body)
				got = string(raw)
				if h := c.Request().Header.Get("Content-Encoding"); h != "" && h != "identity" {
					t.Errorf("the handler sees Content-Encoding %q", h)
				}
				if int64(len(raw)) != c.Request().ContentLength {
					t.Errorf("%d bytes, and the handler is told %d", len(raw), c.Request().ContentLength)
				}
				return err
			})
			c := echo.New().NewContext(request(http.MethodPost, tt.route, bytes.NewReader(tt.body), "Content-Type", tt.media, "Content-Encoding", tt.encoding), nil)
			c.SetPath(tt.route)
			c.SetResponse(echo.NewResponse(discard{}, c.Echo()))
			if key := keyOf(handler(c)); key != tt.key {
				t.Errorf("%q, want %q", key, tt.key)
			}
			if (got == "") != (tt.key != "") {
				t.Errorf("the handler got %.40q", got)
			}
		})
	}
	for cut := range len(small) {
		c := echo.New().NewContext(request(http.MethodPost, sync, bytes.NewReader(small[:cut]), "Content-Type", "application/json", "Content-Encoding", "gzip"), nil)
		c.SetResponse(echo.NewResponse(discard{}, c.Echo()))
		err := Limits()(func(echo.Context) error { return nil })(c)
		if key := keyOf(err); key != "request.cut_short" {
			t.Errorf("cut after %d of %d bytes: %q", cut, len(small), key)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

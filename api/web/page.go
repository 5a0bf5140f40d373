package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/labstack/echo/v4"
)

// Values of Cache-Control.
var (
	revalidate = []string{"public, max-age=0, must-revalidate"}
	// Who leafs back and forth in a course pays the line once: on 2G asking alone takes a second. A new version is seen minutes
	// later, or at once by who reloads.
	briefly   = []string{"public, max-age=300"}
	immutable = []string{"public, max-age=31536000, immutable"}
	noStore   = []string{"no-store"}
	askAlways = []string{"no-cache"}
)

// page is an answer that is ready to be sent, in every coding. It never
// changes, but for codings that join it when they are ready.
//
// Everything that a request needs is laid out before: header values are shared
// between requests, which nobody may change in place.
type page struct {
	digest       string
	contentType  []string
	cacheControl []string
	vary         []string
	plain        coded
	gzip         atomic.Pointer[coded]
	brotli       atomic.Pointer[coded]
	brotliOnce   sync.Once
	grown        func(bytes int64) // tells the cache that the page takes more room
}

// coded is the page in one content coding.
type coded struct {
	body     []byte
	etag     []string // strong: it names these very bytes
	length   []string
	encoding []string // nil: identity
}

// Texts shorter than this fit into one packet either way.
const worthCompressing = 860

var (
	encodingGzip   = []string{"gzip"}
	encodingBrotli = []string{"br"}
	varyEncoding   = []string{"Accept-Encoding"}
)

// newPage takes over body. Text is compressed with gzip at once, which takes
// less than a millisecond; brotli at its best takes some 25 ms for a lesson, so it follows in the background after
// the first answer.
func newPage(contentType string, cacheControl []string, body []byte) *page {
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:16])
	p := &page{
		digest: tag, contentType: []string{contentType}, cacheControl: cacheControl, vary: varyEncoding,
		plain: newCoded(body, tag, nil),
	}
	if len(body) < worthCompressing || !compressible(contentType) {
		p.vary = nil
		p.brotliOnce.Do(func() {})
		return p
	}
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 6) // the level is valid
	_, _ = w.Write(body)               // a buffer takes everything
	_ = w.Close()
	if b.Len() < len(body) {
		c := newCoded(b.Bytes(), p.digest+".gz", encodingGzip)
		p.gzip.Store(&c)
	}
	return p
}

func newCoded(body []byte, tag string, encoding []string) coded {
	return coded{
		body: bytes.Clone(body), encoding: encoding,
		etag: []string{`"` + tag + `"`}, length: []string{strconv.Itoa(len(body))},
	}
}

func compressible(contentType string) bool {
	for _, prefix := range []string{"text/", "application/json", "application/manifest+json", "application/wasm", "image/svg+xml"} {
		if strings.HasPrefix(contentType, prefix) {
			return true
		}
	}
	return false
}

// size is the memory that the page takes, about.
func (p *page) size() int64 {
	n := int64(len(p.plain.body)) + 1024
	if c := p.gzip.Load(); c != nil {
		n += int64(len(c.body))
	}
	if c := p.brotli.Load(); c != nil {
		n += int64(len(c.body))
	}
	return n
}

// compressor runs the slow codings one after the other, so that a crawl
// through many new pages leaves a core for the readers.
type compressor struct {
	turn    sync.Mutex
	pending sync.WaitGroup
}

// add gives the page its brotli coding, once, in the background.
func (c *compressor) add(p *page) {
	p.brotliOnce.Do(func() {
		c.pending.Go(func() {
			c.turn.Lock()
			defer c.turn.Unlock()
			var b bytes.Buffer
			w := brotli.NewWriterLevel(&b, brotli.BestCompression)
			_, _ = w.Write(p.plain.body) // a buffer takes everything
			_ = w.Close()
			p.joinBrotli(b.Bytes())
		})
	})
}

// setBrotli takes a coding that was made before.
func (p *page) setBrotli(body []byte) {
	p.brotliOnce.Do(func() { p.joinBrotli(body) })
}

func (p *page) joinBrotli(body []byte) {
	best := len(p.plain.body)
	if z := p.gzip.Load(); z != nil {
		best = len(z.body)
	}
	if len(body) >= best {
		return
	}
	c := newCoded(body, p.digest+".br", encodingBrotli)
	p.brotli.Store(&c)
	if p.grown != nil {
		p.grown(int64(len(c.body)))
	}
}

// serve answers GET and HEAD. It does no work that could have been done before.
func (c *compressor) serve(ctx echo.Context, p *page) error {
	req, res := ctx.Request(), ctx.Response()
	accepted := acceptedCodings(req.Header["Accept-Encoding"])
	chosen := &p.plain
	if accepted&acceptGzip != 0 {
		if z := p.gzip.Load(); z != nil {
			chosen = z
		}
	}
	if accepted&acceptBrotli != 0 {
		if br := p.brotli.Load(); br != nil {
			chosen = br
		} else {
			c.add(p)
		}
	}
	h := res.Header()
	h["Cache-Control"] = p.cacheControl
	if p.vary != nil {
		if before := h["Vary"]; len(before) == 0 {
			h["Vary"] = p.vary
		} else {
			h["Vary"] = append(before[:len(before):len(before)], p.vary...)
		}
	}
	if inm := req.Header["If-None-Match"]; inm != nil {
		if same := p.match(inm, accepted, chosen); same != nil {
			h["Etag"] = same
			res.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h["Etag"] = chosen.etag
	h["Content-Type"] = p.contentType
	h["Content-Length"] = chosen.length
	if chosen.encoding != nil {
		h["Content-Encoding"] = chosen.encoding
	}
	res.WriteHeader(http.StatusOK)
	if req.Method == http.MethodHead {
		return nil
	}
	_, err := res.Write(chosen.body)
	return err
}

// match finds the tag under which the client holds this very page. Any coding
// that it accepts counts, not only the one that it would get now: when brotli
// joins a page, or is not ready yet after a restart, nobody need fetch it again.
func (p *page) match(header []string, accepted codings, chosen *coded) []string {
	for _, line := range header {
		for tag := range strings.SplitSeq(line, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/") // RFC 9110, 13.1.2: the weak comparison
			switch {
			case tag == "*" || tag == chosen.etag[0]:
				return chosen.etag
			case tag == p.plain.etag[0],
				accepted&acceptGzip != 0 && tag == `"`+p.digest+`.gz"`,
				accepted&acceptBrotli != 0 && tag == `"`+p.digest+`.br"`:
				return []string{tag}
			}
		}
	}
	return nil
}

type codings uint8

const (
	acceptGzip codings = 1 << iota
	acceptBrotli
)

// acceptedCodings reads Accept-Encoding (RFC 9110, 12.5.3), as far as it concerns gzip and br.
// Between the two the server chooses, so weights matter only when they are zero.
func acceptedCodings(header []string) codings {
	var yes, no codings
	var others, noOthers bool
	for _, line := range header {
		switch line { // what browsers and Go's client say
		case "gzip, deflate, br, zstd", "gzip, deflate, br":
			return acceptGzip | acceptBrotli
		case "gzip", "gzip, deflate":
			yes |= acceptGzip
			continue
		}
		for item := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(item, ";")
			var c codings
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "gzip", "x-gzip":
				c = acceptGzip
			case "br":
				c = acceptBrotli
			case "*":
				others, noOthers = true, zeroWeight(params)
				continue
			}
			if zeroWeight(params) {
				no |= c
			} else {
				yes |= c
			}
		}
	}
	if others && !noOthers {
		yes |= acceptGzip | acceptBrotli
	}
	return yes &^ no
}

func zeroWeight(params string) bool {
	q, ok := strings.CutPrefix(strings.ToLower(strings.ReplaceAll(params, " ", "")), "q=")
	if !ok {
		return false
	}
	w, err := strconv.ParseFloat(q, 64)
	return err != nil || w <= 0
}

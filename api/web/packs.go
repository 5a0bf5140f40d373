package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/andybalholm/brotli"
	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/blob"
)

// pack is a Python that pages may fetch and run learners' code in (docs/lab-runner.md). Its bytes never change, and its
// address names them.
type pack struct {
	id     string // light, exact
	url    string
	digest string // sha256:… of the bytes
	size   int

	contentType []string
	etag        []string
	gzip        []byte // nil when only brotli is held
	brotli      []byte
}

// packs are what this server offers.
type packs struct {
	light *pack
	exact atomic.Pointer[pack] // nil until it is read, or where there is none
}

// lightPack finds the light pack among the files of the built front end.
func lightPack(dist fs.FS) (*pack, error) {
	names, err := fs.Glob(dist, "packs/light-*.js")
	if err != nil || len(names) == 0 {
		return nil, err
	}
	data, err := fs.ReadFile(dist, names[0])
	if err != nil {
		return nil, err
	}
	br, err := fs.ReadFile(dist, names[0]+".br")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return newPack("light", "/"+names[0], "text/javascript; charset=utf-8", data, br)
}

// exactPack reads the interpreter that grades. It gives nil where that is not one that pages can run: the portable
// fallback is a command of 26 MB, not a snapshot.
func exactPack(file string) (*pack, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if !isSnapshot(data) {
		return nil, nil
	}
	br, err := os.ReadFile(file + ".br")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	sum := sha256.Sum256(data)
	return newPack("exact", "/packs/exact-"+hex.EncodeToString(sum[:8])+".wasm", "application/wasm", data, br)
}

// CompressRuntime writes the brotli coding of the exact pack beside the runtime's file, as well as brotli can, and tells
// how long both are. Where it stands already and fits, it is left. A runtime that pages cannot run is left alone.
func CompressRuntime(file string) (before, after int, err error) {
	p, err := exactPack(file)
	if err != nil {
		return 0, 0, err
	}
	if p == nil {
		return 0, 0, fmt.Errorf("%s is no runtime that pages can run: make runtime builds one", file)
	}
	if p.brotli != nil {
		return p.size, len(p.brotli), nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	var b bytes.Buffer
	w := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: brotli.BestCompression, LGWin: 24})
	if _, err := w.Write(data); err != nil {
		return 0, 0, err
	}
	if err := w.Close(); err != nil {
		return 0, 0, err
	}
	if err := os.WriteFile(file+".br.new", b.Bytes(), 0o644); err != nil { //nolint:gosec // everybody may fetch it
		return 0, 0, err
	}
	return len(data), b.Len(), os.Rename(file+".br.new", file+".br")
}

// Runtimes gives the digests of the Pythons that pages run labs with, by their names: those in the built front end and in the
// runtime's file. What cannot be read is left out.
func Runtimes(dist fs.FS, file string) map[string]blob.Digest {
	out := map[string]blob.Digest{}
	if p, err := lightPack(dist); err == nil && p != nil {
		out[p.id] = blob.Digest(p.digest)
	}
	if data, err := os.ReadFile(file); err == nil && isSnapshot(data) {
		out["exact"] = blob.Of(data)
	}
	return out
}

// newPack lays out a pack. br is what another program made of data; what does not fit is left aside.
func newPack(id, url, contentType string, data, br []byte) (*pack, error) {
	sum := sha256.Sum256(data)
	p := &pack{
		id: id, url: url, digest: "sha256:" + hex.EncodeToString(sum[:]), size: len(data),
		contentType: []string{contentType}, etag: []string{`"` + hex.EncodeToString(sum[:16]) + `"`},
	}
	if br != nil {
		h := sha256.New()
		if _, err := io.Copy(h, brotli.NewReader(bytes.NewReader(br))); err == nil && bytes.Equal(h.Sum(nil), sum[:]) {
			p.brotli = br
		} else {
			slog.Warn("a compressed pack does not fit its file, and is not served", "pack", id, "err", err)
		}
	}
	// Also with brotli at hand: browsers accept that over https only.
	var z bytes.Buffer
	w, err := gzip.NewWriterLevel(&z, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	p.gzip = z.Bytes()
	return p, nil
}

// wire is what a client that accepts these codings has to fetch, nil body when nothing is held in a coding that it takes.
func (p *pack) wire(accepted codings) (body []byte, encoding []string) {
	switch {
	case accepted&acceptBrotli != 0 && p.brotli != nil:
		return p.brotli, encodingBrotli
	case accepted&acceptGzip != 0:
		return p.gzip, encodingGzip
	}
	return nil, nil
}

// packsJSON answers GET /packs.json: the packs, with what they weigh on the wire to this client.
func (s *Site) packsJSON(c echo.Context) error {
	type entry struct {
		ID     string `json:"id"`
		URL    string `json:"url"`
		Digest string `json:"digest"`
		Size   int    `json:"size"`
		Bytes  int    `json:"bytes"`
	}
	accepted := acceptedCodings(c.Request().Header["Accept-Encoding"])
	list := []entry{}
	for _, p := range []*pack{s.packs.light, s.packs.exact.Load()} {
		if p == nil {
			continue
		}
		n := p.size
		if body, _ := p.wire(accepted); body != nil {
			n = len(body)
		}
		list = append(list, entry{ID: p.id, URL: p.url, Digest: p.digest, Size: p.size, Bytes: n})
	}
	body, err := json.Marshal(map[string]any{"packs": list})
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h["Cache-Control"] = revalidate
	h.Add("Vary", "Accept-Encoding")
	return c.Blob(http.StatusOK, "application/json", body)
}

// pack answers GET /packs/<name>. A name that has gone leads nowhere: the page then reads packs.json again.
func (s *Site) pack(c echo.Context) error {
	var found *pack
	for _, p := range []*pack{s.packs.light, s.packs.exact.Load()} {
		if p != nil && p.url == c.Request().URL.Path {
			found = p
		}
	}
	h := c.Response().Header()
	for _, name := range documentHeaders {
		delete(h, name)
	}
	if found == nil {
		h["Cache-Control"] = noStore
		return c.String(http.StatusNotFound, s.cfg.Words.T(s.reader(c), errNoPage.Key, nil)+"\n")
	}
	h["Cache-Control"], h["Content-Type"], h["Etag"] = immutable, found.contentType, found.etag
	h.Add("Vary", "Accept-Encoding")
	req, res := c.Request(), c.Response()
	if strings.Contains(req.Header.Get("If-None-Match"), found.etag[0]) {
		res.WriteHeader(http.StatusNotModified)
		return nil
	}
	body, encoding := found.wire(acceptedCodings(req.Header["Accept-Encoding"]))
	if body == nil {
		// Hardly anybody: not worth holding the whole of it in memory.
		h.Set("Content-Length", strconv.Itoa(found.size))
		res.WriteHeader(http.StatusOK)
		if req.Method == http.MethodHead {
			return nil
		}
		plain, err := gzip.NewReader(bytes.NewReader(found.gzip))
		if err != nil {
			return err
		}
		_, err = io.Copy(res, io.LimitReader(plain, int64(found.size)))
		return err
	}
	h["Content-Encoding"] = encoding
	h.Set("Content-Length", strconv.Itoa(len(body)))
	res.WriteHeader(http.StatusOK)
	if req.Method == http.MethodHead {
		return nil
	}
	_, err := res.Write(body)
	return err
}

// loadExact reads the exact pack while the server serves already: compressing takes a second or two.
func (s *Site) loadExact() {
	p, err := exactPack(s.cfg.Runtime)
	switch {
	case err != nil:
		slog.Warn("the exact pack is not offered", "err", err)
	case p == nil:
		slog.Info("the exact pack is not offered: this server grades with the portable runtime. make runtime builds the other one")
	default:
		if p.brotli == nil {
			slog.Info("the exact pack goes out as gzip: `banyan-api runtime pack` compresses it better", "bytes", len(p.gzip))
		}
		s.packs.exact.Store(p)
	}
}

// snapshotExport is what only a Python has that has started already: see docs/lab-runtime.md.
const snapshotExport = "banyan_run"

// isSnapshot tells whether a WebAssembly module can run in the page.
func isSnapshot(wasm []byte) bool {
	const header, exportSection = 8, 7
	if len(wasm) < header || string(wasm[:4]) != "\x00asm" {
		return false
	}
	for rest := wasm[header:]; len(rest) > 1; {
		size, n := uvarint(rest[1:])
		end := uint64(1+n) + size
		if n == 0 || end > uint64(len(rest)) {
			return false
		}
		if rest[0] == exportSection {
			return exported(rest[1+n:end], snapshotExport)
		}
		rest = rest[end:]
	}
	return false
}

// exported reads an export section: a count, and for each a name, a kind and an index.
func exported(section []byte, name string) bool {
	const function = 0
	count, n := uvarint(section)
	section = section[n:]
	for ; count > 0 && n > 0; count-- {
		size, m := uvarint(section)
		if m == 0 || uint64(m)+size+1 > uint64(len(section)) {
			return false
		}
		this := string(section[m : uint64(m)+size])
		section = section[uint64(m)+size:]
		kind := section[0]
		if this == name {
			return kind == function
		}
		_, n = uvarint(section[1:])
		section = section[1+n:]
	}
	return false
}

// uvarint reads an unsigned LEB128 number of 32 bits and tells how many bytes it took, 0 when it is none.
func uvarint(b []byte) (v uint64, n int) {
	for i, c := range b {
		if i == 5 {
			break
		}
		v |= uint64(c&0x7f) << (7 * i)
		if c&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// isPack tells whether a file of the built front end is a pack or its coding: those are served by name, not as assets.
func isPack(name string) bool { return path.Dir(name) == "packs" }

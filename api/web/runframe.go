package web

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"strings"

	"github.com/labstack/echo/v4"
)

// frameEntry is the script of the frame that learners' code runs in.
const frameEntry = "src/features/lab/run/frame.ts"

// runFrame is the document at /lab/frame, and the policy that it is sent with.
type runFrame struct {
	page *page
	csp  []string
}

// newRunFrame lays out the frame: a document without content whose one script stands in it, so that it fetches nothing.
//
// The policy is the second wall around learners' code, behind the frame's sandbox attribute; the document has an opaque
// origin also when somebody opens its address. Without a network it is the only one: the copy that devices keep
// (frontend/src/offline/python/frame.ts) is not shown in a frame with that attribute, and is known by how this policy begins. Nothing can be fetched, from the frame or from a worker, which inherits
// this policy: connect-src and the rest are none. 'unsafe-eval' is what Brython is: it makes JavaScript of Python. It
// allows WebAssembly too, also in browsers that do not know 'wasm-unsafe-eval'. No script can be loaded by
// address, blob: included; workers can be made of blobs, and are.
func newRunFrame(script string) *runFrame {
	script = strings.TrimSpace(strings.ReplaceAll(script, "</script", `<\/script`))
	sum := sha256.Sum256([]byte(script))
	body := "<!doctype html>\n<meta charset=\"utf-8\">\n<title>Banyan</title>\n<script>" + script + "</script>\n"
	return &runFrame{
		page: newPage(html5, revalidate, []byte(body)),
		csp: []string{"default-src 'none'; sandbox allow-scripts; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"' 'unsafe-eval'; worker-src blob:; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"},
	}
}

// loadRunFrame finds the frame's script in the built front end; nil where there is none.
func loadRunFrame(a *assets, dist fs.FS) (*runFrame, error) {
	m, ok := a.modules[frameEntry]
	if !ok {
		return nil, nil
	}
	if len(m.Imports) > 0 {
		return nil, fmt.Errorf("the frame's script imports %v, and cannot stand in its document", m.Imports)
	}
	script, err := fs.ReadFile(dist, m.File)
	if err != nil {
		return nil, err
	}
	return newRunFrame(string(script)), nil
}

func (s *Site) labFrame(c echo.Context) error {
	h := c.Response().Header()
	if s.frame == nil {
		return errNoPage
	}
	h["Content-Security-Policy"] = s.frame.csp
	// It has no use for any of this, and it is never alone in a group of windows.
	h["Permissions-Policy"] = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=(), display-capture=(), fullscreen=(), clipboard-read=(), clipboard-write=()"}
	h["Referrer-Policy"] = []string{"no-referrer"}
	return s.compressor.serve(c, s.frame.page)
}

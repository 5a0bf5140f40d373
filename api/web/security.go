package web

import (
	"crypto/sha256"
	"encoding/base64"

	"github.com/labstack/echo/v4"
)

// Mark is the header by which a device knows an answer of a Banyan server from that of a network which wants a sign-in
// first, or of a proxy whose server is down: those say 200 too.
const Mark = "Banyan"

// Security puts the headers on every answer that keep a browser from doing
// what no page or reply of ours asks for. inlineStyles are the style sheets that stand in pages, as
// they stand there. Course content is cleaned when it is compiled; this is the second wall behind it.
func Security(inlineStyles ...string) echo.MiddlewareFunc {
	all := headers(inlineStyles)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			h := c.Response().Header()
			for name, value := range all {
				h[name] = value
			}
			return next(c)
		}
	}
}

// headers are what Security puts on an answer.
func headers(inlineStyles []string) map[string][]string {
	return map[string][]string{
		"Content-Security-Policy":      {policy(inlineStyles)},
		"X-Content-Type-Options":       {"nosniff"},
		"Referrer-Policy":              {"strict-origin-when-cross-origin"},
		"Cross-Origin-Opener-Policy":   {"same-origin"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Permissions-Policy":           {"camera=(self), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"},
		Mark:                           {"1"},
	}
}

func policy(inlineStyles []string) string {
	styles := "'self'"
	for _, css := range inlineStyles {
		sum := sha256.Sum256([]byte(css))
		styles += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; script-src 'self'; style-src " + styles + "; img-src 'self' data:; media-src 'self'; font-src 'none'; " +
		"connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
}

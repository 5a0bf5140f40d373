package verifier

import (
	"bytes"
	"context"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
)

// open finds out what came, takes a credential out of its picture, and checks it.
func (c *check) open(ctx context.Context, in []byte) {
	if len(in) > MaxInput {
		c.say(Invalid, NotReadable, nil)
		return
	}
	read := func([]byte) ([]byte, error) { return in, nil }
	switch {
	case bake.IsPNG(in):
		c.Format, read = PNG, bake.ReadPNG
	case bake.IsSVG(in):
		c.Format, read = SVG, bake.ReadSVG
	}
	text, err := read(in)
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if err != nil || !utf8.Valid(text) {
		c.say(Invalid, NotReadable, nil)
		return
	}
	format := Format("")
	switch {
	case code.Is(string(text)) && c.Format == "":
		format = QR
		c.qr(ctx, string(text))
	case vcjwt.Is(string(text)):
		format = JWT
		c.jwt(ctx, string(text))
	case len(text) > 0 && text[0] == '{':
		format = JSON
		c.json(ctx, text)
	default:
		c.say(Invalid, NotReadable, nil)
	}
	if c.Format == "" {
		c.Format = format
	}
}

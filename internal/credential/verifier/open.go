package verifier

import (
	"bytes"
	"context"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/code"
)

// open finds out what came, takes a credential out of its picture, and checks it.
func (c *check) open(ctx context.Context, in []byte) {
	if len(in) > MaxInput {
		c.say(Invalid, NotReadable, nil)
		return
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(in, []byte("\xef\xbb\xbf")))
	switch {
	case code.Is(string(text)):
		c.Format = QR
		c.qr(ctx, string(text))
	case len(text) > 0 && text[0] == '{' && utf8.Valid(text):
		c.Format = JSON
		c.json(ctx, text)
	default:
		c.say(Invalid, NotReadable, nil)
	}
}

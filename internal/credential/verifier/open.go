package verifier

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/bake"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
)

// ErrNotReadable says that no credential can be found in what came.
var ErrNotReadable = errors.New("no credential can be read here")

// unwrap finds out what came and takes a credential out of its picture: JSON, a JWT or the text of a code. The form is that of what came, kind
// that of what was in it.
func unwrap(in []byte) (form, kind Format, text []byte, err error) {
	if len(in) > MaxInput {
		return "", "", nil, ErrNotReadable
	}
	text = in
	switch {
	case bake.IsPNG(in):
		form = PNG
		text, err = bake.ReadPNG(in)
	case bake.IsSVG(in):
		form = SVG
		text, err = bake.ReadSVG(in)
	}
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if err != nil || !utf8.Valid(text) {
		return form, "", nil, ErrNotReadable
	}
	switch {
	case code.Is(string(text)) && form == "":
		kind = QR
	case vcjwt.Is(string(text)):
		kind = JWT
	case bytes.HasPrefix(text, []byte("{")):
		kind = JSON
	default:
		return form, "", nil, ErrNotReadable
	}
	if form == "" {
		form = kind
	}
	return form, kind, text, nil
}

// open finds out what came and checks it.
func (c *check) open(ctx context.Context, in []byte) {
	form, kind, text, err := unwrap(in)
	c.Format = form
	switch {
	case err != nil:
		c.say(Invalid, NotReadable, nil)
	case kind == QR:
		c.qr(ctx, string(text))
	case kind == JWT:
		c.jwt(ctx, string(text))
	default:
		c.json(ctx, text)
	}
}

// Carried is a credential as it was found, of which nothing was checked.
type Carried struct {
	Format   Format
	Document []byte // as it stands there: JSON, a JWT, the text of a code
	Payload  []byte // the JSON of it; nil of a code
	Claims   Claims
}

// Read takes a credential out of whatever carries it, and believes nothing of it. ErrNotReadable when there is none.
func Read(in []byte) (Carried, error) {
	form, kind, text, err := unwrap(in)
	if err != nil {
		return Carried{}, err
	}
	c := Carried{Format: form, Document: text, Payload: text}
	switch kind {
	case QR:
		said, _, err := code.Decode(string(text))
		if err != nil {
			return Carried{}, ErrNotReadable
		}
		c.Payload, c.Claims = nil, claimsOfCode(said)
		return c, nil
	case JWT:
		doc, ok := payload(string(text))
		if !ok {
			return Carried{}, ErrNotReadable
		}
		c.Payload = doc
	}
	var tree map[string]any
	if plainJSON(c.Payload) != nil || json.Unmarshal(c.Payload, &tree) != nil || tree == nil {
		return Carried{}, ErrNotReadable
	}
	c.Claims = readClaims(tree)
	return c, nil
}

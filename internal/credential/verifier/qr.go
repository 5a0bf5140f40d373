package verifier

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/code"
)

// qr checks the text of a QR code.
func (c *check) qr(ctx context.Context, text string) {
	said, kid, err := code.Decode(text)
	if err != nil {
		c.say(Invalid, NotReadable, nil)
		return
	}
	c.Document = []byte(text)
	c.Claims = claimsOfCode(said)
	// One issuer alone is asked for: the one that the code names.
	key, err := c.key(ctx, said.Issuer, func(k Key) bool { return k.Multikey != "" && code.KIDOf(k.Multikey) == kid })
	if err != nil {
		c.take(c.refused(err))
		return
	}
	v, err := code.Verify(text, func(code.KID) []code.Key {
		return []code.Key{{Issuer: c.issuer.DID, Multikey: key.Multikey, From: key.From, Retired: optional(key.Retired), Revoked: optional(key.Revoked)}}
	})
	switch {
	case errors.Is(err, code.ErrRevoked):
		c.say(Invalid, RevokedKey, nil)
		return
	case errors.Is(err, code.ErrIssuer), errors.Is(err, code.ErrKeyTime), errors.Is(err, code.ErrKey):
		c.say(Invalid, ForeignKey, nil)
		return
	case err != nil:
		c.say(Invalid, Changed, nil)
		return
	}
	c.course = v.Course
	c.signature(key.ID, v.SignedAt, key.Revoked)
	var entries []map[string]any
	for _, at := range []struct {
		purpose string
		place   *code.Place
	}{{"revocation", v.Revocation}, {"suspension", v.Suspension}} {
		if at.place == nil {
			continue
		}
		known := slices.IndexFunc(c.issuer.Lists, at.place.List.Names)
		if known < 0 {
			c.say(Unknown, NoStatus, nil)
			continue
		}
		entries = append(entries, map[string]any{
			"type": "BitstringStatusListEntry", "statusPurpose": at.purpose, "statusListIndex": strconv.Itoa(at.place.Index),
			"statusListCredential": c.issuer.Lists[known],
		})
	}
	c.standing(ctx, entries, v.Revocation != nil || v.Suspension != nil)
}

func optional(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func claimsOfCode(s code.Claims) Claims {
	c := Claims{
		ID: s.Address(), Name: s.Name, Achievement: s.Achievement, Language: s.Locale, Version: strconv.Itoa(s.Version), Issuer: s.Issuer, ValidFrom: s.IssuedAt,
	}
	if s.ExpiresAt != nil {
		c.ValidUntil = *s.ExpiresAt
	}
	if s.Score != nil {
		c.Results = append(c.Results, Result{Type: "Percent", Value: strconv.Itoa(*s.Score)})
	}
	for kind, value := range map[string]string{"ext:AssessmentLevel": s.Assessment, "ext:AIAssistance": s.AIHelp} {
		if value != "" {
			c.Results = append(c.Results, Result{Type: kind, Value: value})
		}
	}
	slices.SortFunc(c.Results, func(a, b Result) int { return strings.Compare(a.Type, b.Type) })
	return c
}

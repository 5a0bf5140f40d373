package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Open Badges 3.0 lets an issuer call itself by the address of a page. Such an address may be written in many ways; we judge those in one: a name
// in lower case, plain segments, a plain query. (The client that asks is stricter still, and wants https.)
var pageForm = regexp.MustCompile(`^https?://[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?(/[A-Za-z0-9_~.-]+)*/?(\?[A-Za-z0-9_~.=&-]+)?$`)

// isPage tells whether an issuer's name is the address of a page, however it is written.
func isPage(name string) bool {
	return strings.HasPrefix(name, "https://") || strings.HasPrefix(name, "http://")
}

// checkIssuer is checkDID, and for pages ErrUnknown where an address is not written as we judge it: another reader might take it for another page.
func checkIssuer(name string) error {
	if !isPage(name) {
		return checkDID(name)
	}
	if len(name) > maxDID || !pageForm.MatchString(name) {
		return fmt.Errorf("%w: %.80q", ErrUnknown, name)
	}
	path, _, _ := strings.Cut(name, "?")
	for s := range strings.SplitSeq(path, "/") {
		if s != "" && strings.Trim(s, ".") == "" {
			return fmt.Errorf("%w: segment %q", ErrUnknown, s)
		}
	}
	return nil
}

// pageRSA finds the key of a token at the address that its kid says (Open Badges 3.0, section 8.2: a JWK stands there). The specification does not
// say how one knows that the key is the issuer's. Here it must be on the same host, and either beneath the issuer's page or named by that: on a
// host of many, each answers for what is beneath their own page.
func (c *check) pageRSA(ctx context.Context, issuer, address string) (vcjwt.Method, error) {
	elsewhere := refusal{finding{Unknown, Reason{KeyElsewhere, map[string]any{"Source": address}}}}
	switch {
	case checkIssuer(issuer) != nil || c.Offline:
		return vcjwt.Method{}, refuse(Unknown, NoIssuer)
	case checkIssuer(address) != nil || originOf(issuer) != originOf(address):
		return vcjwt.Method{}, elsewhere
	}
	if !strings.HasPrefix(address, strings.TrimSuffix(issuer, "/")+"/") {
		named, err := c.pageNames(ctx, issuer, address)
		if err != nil {
			return vcjwt.Method{}, refuse(Unknown, NoAnswer)
		}
		if !named {
			return vcjwt.Method{}, elsewhere
		}
	}
	d, err := c.Web.Fetch(ctx, fetch.PublicKey, address)
	if err != nil {
		return vcjwt.Method{}, refuse(Unknown, NoAnswer)
	}
	_, jwk := readJWK(d.Body)
	public, err := signing.DecodeJWK(jwk)
	if err != nil || plainJSON(d.Body) != nil {
		return vcjwt.Method{}, refuse(Unknown, NoAnswer)
	}
	c.issuer = Issuer{DID: issuer, From: Web, Source: address, At: d.FetchedAt, Final: !d.Stale}
	return vcjwt.Method{Controller: issuer, Key: public}, nil
}

// pageNames tells whether an issuer's page says that it signs with a key.
func (c *check) pageNames(ctx context.Context, issuer, key string) (bool, error) {
	d, err := c.Web.Fetch(ctx, fetch.DIDDocument, issuer)
	if err != nil {
		return false, err
	}
	var page struct {
		ID        string `json:"id"`
		Assertion []any  `json:"assertionMethod"`
	}
	if err := errors.Join(plainJSON(d.Body), json.Unmarshal(d.Body, &page)); err != nil {
		return false, err
	}
	return page.ID == issuer && slices.ContainsFunc(page.Assertion, func(one any) bool {
		if m, ok := one.(map[string]any); ok {
			one = m["id"]
		}
		return one == key
	}), nil
}

// originOf is the scheme, host and port of an address; "" when it is none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

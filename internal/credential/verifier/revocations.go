package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
)

// revocationList is the status that Open Badges 3.0 had before bitstring lists, and that many badges still name: the 1EdTech Revocation
// List Status Method 1.0, https://www.imsglobal.org/spec/vcrl/v1p0/.
const revocationList = "1EdTechRevocationList"

// maxGiven bounds the words of an issuer that are passed on.
const maxGiven = 1000

// revocations looks a credential up in its issuer's revocation list: a JSON document that names by their ids what was taken back. Nobody signs
// it. It is worth what the connection is worth to the address that the issuer signed, so it is taken from there alone: not from
// copies, and not offline. It says nothing of suspensions.
func (c *check) revocations(ctx context.Context, entry map[string]any) {
	address, _ := entry["id"].(string)
	if address == "" {
		c.say(Invalid, BadStatus, nil)
		return
	}
	if c.Offline {
		c.say(Unknown, NoStatus, nil)
		return
	}
	d, err := c.Web.Fetch(ctx, fetch.RevocationList, address)
	if err != nil {
		c.say(Unknown, NoStatus, nil)
		return
	}
	revoked, reason, err := readRevocations(d.Body, address, c.issuer.DID, c.Claims.ID)
	if err != nil {
		c.say(Unknown, BadStatus, nil)
		return
	}
	c.rest(Basis{Status, Web, address, d.FetchedAt, ""})
	if revoked {
		c.say(Revoked, RevokedBy, map[string]any{"Date": time.Time{}, "Reason": reason})
	}
	if c.tooOld(d.FetchedAt) {
		c.old(d.FetchedAt)
	}
}

// readRevocations finds a credential in a revocation list. The list must be of that address and of that issuer, and every entry in
// order: of a list that is half understood nobody knows what it left out. An entry counts unless it says that it is not revoked; of
// several about one credential, one that counts is enough.
func readRevocations(list []byte, address, issuer, id string) (revoked bool, reason string, err error) {
	if id == "" {
		return false, "", errors.New("the credential has no id to look for")
	}
	if !utf8.Valid(list) {
		return false, "", errors.New("not UTF-8")
	}
	if err := plainJSON(list); err != nil {
		return false, "", err
	}
	var d struct {
		ID      string            `json:"id"`
		Issuer  any               `json:"issuer"`
		Entries []json.RawMessage `json:"revokedCredentials"`
	}
	if err := json.Unmarshal(list, &d); err != nil {
		return false, "", err
	}
	switch {
	case d.ID != address:
		return false, "", errors.New("a list of another address")
	case issuer == "" || idOf(d.Issuer) != issuer:
		return false, "", errors.New("a list of another issuer")
	case d.Entries == nil:
		return false, "", errors.New("no list")
	}
	for _, raw := range d.Entries {
		var e struct {
			ID      *string `json:"id"`
			Revoked *bool   `json:"revoked"`
			Reason  any     `json:"revocationReason"`
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			return false, "", err
		}
		if e.ID == nil || *e.ID == "" {
			return false, "", errors.New("an entry without an id")
		}
		if *e.ID != id || e.Revoked != nil && !*e.Revoked {
			continue
		}
		revoked = true
		if reason == "" {
			reason = given(text(e.Reason))
		}
	}
	return revoked, reason, nil
}

// given cuts an issuer's words to what is passed on.
func given(s string) string {
	s = strings.TrimSpace(s)
	if r := []rune(s); len(r) > maxGiven {
		return string(r[:maxGiven])
	}
	return s
}

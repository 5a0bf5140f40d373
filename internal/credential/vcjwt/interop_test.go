package vcjwt_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/strangers"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/signing"
)

// npm's jose takes our tokens and refuses what was changed.
func TestOthersVerifyOurs(t *testing.T) {
	doc, token, kid, _ := world(t)
	k, _ := theKey()
	other, err := otherKey()
	if err != nil {
		t.Fatal(err)
	}
	type verdict struct {
		Header  map[string]string
		Payload map[string]any
		Error   string
	}
	ask := func(token, jwk string) (v verdict) {
		t.Helper()
		strangers.Ask(t, "verify-jwt", map[string]any{"token": token, "jwk": json.RawMessage(jwk), "now": "2026-12-01T00:00:00Z"}, &v)
		return v
	}
	v := ask(token, k.JWK())
	if v.Error != "" || v.Header["kid"] != kid || v.Payload["iss"] != did {
		t.Fatalf("%+v", v)
	}
	// What is left without the claims is the credential.
	var want map[string]any
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	for _, claim := range []string{"iss", "jti", "nbf", "iat", "exp", "sub"} {
		if v.Payload[claim] == nil {
			t.Errorf("no %s", claim)
		}
		delete(v.Payload, claim)
	}
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(v.Payload)
	if string(a) != string(b) {
		t.Errorf("payload is\n%s\nwant\n%s", b, a)
	}
	if v := ask(token[:len(token)-8]+"AAAAAAAA", k.JWK()); v.Error == "" {
		t.Error("a changed signature holds")
	}
	if v := ask(token, other.JWK()); v.Error == "" {
		t.Error("another key's signature holds")
	}
}

// We take what npm's jose signs, if it is RS256.
func TestWeVerifyOthers(t *testing.T) {
	var payload map[string]any
	if err := json.Unmarshal([]byte(unsigned), &payload); err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{
		"iss": did, "jti": payload["id"], "nbf": 1795410000, "exp": 1826946000, "sub": payload["id"].(string) + "#holder",
	} {
		payload[name] = v
	}
	for alg, want := range map[string]string{"RS256": "", "PS256": "unsupported", "RS512": "unsupported"} {
		var signed struct {
			Token, Kid string
			JWK        json.RawMessage
		}
		strangers.Ask(t, "sign-jwt", map[string]any{"payload": payload, "header": map[string]string{"alg": alg, "typ": "JWT", "kid": did + "#{thumbprint}"}}, &signed)
		public, err := signing.DecodeJWK(signed.JWK)
		if err != nil {
			t.Fatal(err)
		}
		if signed.Kid != did+"#"+signing.Thumbprint(public) {
			t.Errorf("their thumbprint %s, ours %s", signed.Kid, signing.Thumbprint(public))
		}
		known := keys{rsa: map[string]vcjwt.Method{signed.Kid: {Controller: did, Key: public}}}
		v, err := vcjwt.Verify(t.Context(), signed.Token, known, known)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", alg, err)
			}
			continue
		}
		if err != nil || v.Issuer != did || proof.FormatTime(v.Signed) != "2026-11-23T05:00:00Z" {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

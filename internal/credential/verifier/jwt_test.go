package verifier_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

// A token is checked with the RSA keys that its issuer publishes.
func TestJWT(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	k, err := signing.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	other, err := signing.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	kid := s.did + "#" + k.Thumbprint()
	publish := func(change func(method map[string]any)) {
		s.serveDID(s.key.Multikey(), func(d map[string]any) {
			method := map[string]any{"id": kid, "type": "JsonWebKey", "controller": s.did, "publicKeyJwk": json.RawMessage(k.JWK())}
			if change != nil {
				change(method)
			}
			d["verificationMethod"] = append(d["verificationMethod"].([]any), method)
			d["assertionMethod"] = append(d["assertionMethod"].([]any), kid)
		})
	}
	token := func(doc []byte, k signing.RSAKey, kid string) string {
		t.Helper()
		out, err := vcjwt.Sign(doc, k, kid, noon.Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	good := token(doc, k, kid)
	parts := strings.Split(good, ".")
	for _, tt := range []struct {
		name, token, want string
		change            func(map[string]any)
	}{
		{"good", good, "valid", nil},
		{"another key of the same name", token(doc, other, kid), "invalid changed", nil},
		{"not published", token(doc, other, s.did+"#"+other.Thumbprint()), "invalid foreign_key", nil},
		{"revoked before", good, "invalid revoked_key", func(m map[string]any) { m["revoked"] = "2026-04-30T11:00:00Z" }},
		{"expired before", good, "invalid foreign_key", func(m map[string]any) { m["expires"] = "2026-04-01T00:00:00Z" }},
		{"another signature", parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), "invalid changed", nil},
		{"no signature", parts[0] + "." + parts[1] + ".", "invalid", nil},
		{"no algorithm", "eyJhbGciOiJub25lIn0." + parts[1] + ".", "invalid", nil},
	} {
		publish(tt.change)
		r := newAsker(s).ask(t, []byte(tt.token), verifier.Options{})
		if got := why(r); got != tt.want && (tt.want != "invalid" || r.State != verifier.Invalid) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if tt.name == "good" && (r.Format != verifier.JWT || string(r.Document) != good || r.Claims.Name != "ليلى" || rests(r, verifier.Signature).Source != kid) {
			t.Errorf("%+v", r)
		}
	}
	publish(nil)
	if got := why(newAsker(s).ask(t, []byte(good), verifier.Options{Offline: true})); got != "unknown issuer_unknown" {
		t.Error(got)
	}
	s.serveList(noon, bits(t, 131_072, 77))
	publish(nil)
	if got := why(newAsker(s).ask(t, []byte(good), verifier.Options{})); got != "revoked revoked" {
		t.Error(got)
	}
	// The list may be a token too.
	raw := toJSON(t, list(s.did, s.listURL(), noon, bits(t, 131_072), nil))
	s.set("/list", "application/vc+jwt", token([]byte(raw), k, kid))
	if got := why(newAsker(s).ask(t, doc, verifier.Options{})); got != "valid" {
		t.Error(got)
	}
	s.set("/list", "application/vc+jwt", token([]byte(raw), other, kid))
	if got := why(newAsker(s).ask(t, doc, verifier.Options{})); got != "unknown status_refused" {
		t.Error(got)
	}
}

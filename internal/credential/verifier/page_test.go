package verifier_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

// college is an issuer that calls itself by the address of a page.
type college struct {
	*school
	page string
}

func newCollege(t *testing.T) college {
	t.Helper()
	c := college{school: newSchool(t)}
	c.page = c.server.URL + "/issuers/1"
	c.did = c.page // by which lists are signed too
	return c
}

// says puts a profile on the issuer's page, with more members.
func (c college) says(more map[string]any) {
	c.t.Helper()
	d := map[string]any{"@context": "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "id": c.page, "type": []any{"Profile"}, "name": "College"}
	for k, v := range more {
		d[k] = v
	}
	c.set("/issuers/1", "application/ld+json", toJSON(c.t, d))
}

func (c college) method(id, controller string) map[string]any {
	return map[string]any{"id": id, "type": "Multikey", "controller": controller, "publicKeyMultibase": c.key.Multikey()}
}

// An issuer that is a page signs with the keys that the page says.
func TestPageSigns(t *testing.T) {
	c := newCollege(t)
	key := c.page + "#" + c.key.Multikey()
	signed := noon.Add(-24 * time.Hour)
	address := c.server.URL + "/list"
	serve := func(set ...int) {
		c.set("/list", "application/vc", string(signAsStranger(t, list(c.page, address, noon.Add(-time.Hour), bits(t, 131_072, set...), nil), c.page, c.key, noon.Add(-time.Hour))))
	}
	doc := signAsStranger(t, badge(c.page, address, nil), c.page, c.key, signed)
	keys := map[string]any{"verificationMethod": []any{c.method(key, c.page)}, "assertionMethod": []any{key}}
	for _, tt := range []struct {
		name, want string
		page       map[string]any
	}{
		{"its key", "valid", keys},
		{"its key, in the place where it asserts", "valid", map[string]any{"assertionMethod": []any{c.method(key, c.page)}}},
		{"not to assert with", "invalid foreign_key", map[string]any{"verificationMethod": []any{c.method(key, c.page)}}},
		{"another's key", "invalid foreign_key", map[string]any{"assertionMethod": []any{c.method(key, c.server.URL+"/issuers/2")}}},
		{"another's page", "unknown issuer_unreachable", map[string]any{"id": c.server.URL + "/issuers/2", "assertionMethod": []any{c.method(key, c.page)}}},
		{"nothing of keys", "unknown issuer_unreachable", nil},
	} {
		serve()
		c.says(tt.page)
		r := newAsker(c.school).ask(t, doc, verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if b := rests(r, verifier.Issuing); tt.want == "valid" && (!noted(r, verifier.Stranger) || b.From != verifier.Web || b.Source != c.page) {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
	c.says(keys)
	serve(77)
	if r := newAsker(c.school).ask(t, doc, verifier.Options{}); why(r) != "revoked revoked" {
		t.Errorf("in its list: %s", why(r))
	}
	serve()
	if r := newAsker(c.school).ask(t, doc, verifier.Options{Offline: true}); why(r) != "unknown issuer_unknown" {
		t.Errorf("offline: %s", why(r))
	}
	if r := newAsker(c.school).ask(t, []byte(strings.Replace(string(doc), "AI basics", "AI masters", 1)), verifier.Options{}); why(r) != "invalid changed" {
		t.Errorf("changed: %s", why(r))
	}
	c.set("/issuers/1", "text/html", "<h1>College</h1>")
	if r := newAsker(c.school).ask(t, doc, verifier.Options{}); why(r) != "unknown issuer_unreachable" {
		t.Errorf("a page for people: %s", why(r))
	}
}

// What is written in another way than ours may be another page for another reader: it is not judged, and nobody is asked.
func TestPagesThatAreNotJudged(t *testing.T) {
	c := newCollege(t)
	for _, name := range []string{
		c.server.URL + "/issuers/../issuers/1", c.server.URL + "/issuers//1", c.server.URL + "/issuers/%31", c.server.URL + "/issuers/1?a=%20",
		strings.Replace(c.server.URL, "http://", "http://EXAMPLE.", 1) + "/issuers/1", c.server.URL + "/issuers/.", c.server.URL + "/é",
		c.server.URL + "/" + strings.Repeat("a", 400),
	} {
		doc := signAsStranger(t, badge(name, "", nil), name, c.key, noon.Add(-time.Hour))
		c.says(map[string]any{"id": name, "assertionMethod": []any{c.method(name+"#"+c.key.Multikey(), name)}})
		if r := newAsker(c.school).ask(t, doc, verifier.Options{}); r.State == verifier.Valid {
			t.Errorf("%s: %s", name, why(r))
		}
	}
	if len(c.hits) != 0 {
		t.Errorf("asked %v", c.hits)
	}
}

// Open Badges 3.0 lets a token name the address of its key. It counts beneath the issuer's page, and where that page names it.
func TestKeyOfATokenAtAnAddress(t *testing.T) {
	c, other := newCollege(t), newCollege(t)
	k, err := signing.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := signing.GenerateRSA()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := vcjwt.Sign([]byte(toJSON(t, badge(c.page, "", nil))), k, c.page+"#x", noon.Add(-24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	payload := strings.Split(whole, ".")[1]
	token := func(header map[string]any, k signing.RSAKey) []byte {
		t.Helper()
		header["alg"], header["typ"] = "RS256", "JWT"
		message := base64.RawURLEncoding.EncodeToString([]byte(toJSON(t, header))) + "." + payload
		sig, err := k.Sign([]byte(message))
		if err != nil {
			t.Fatal(err)
		}
		return []byte(message + "." + base64.RawURLEncoding.EncodeToString(sig))
	}
	jwk := json.RawMessage(k.JWK())
	private := strings.Replace(k.JWK(), `"kty"`, `"d":"AQAB","kty"`, 1)
	for _, s := range []*school{c.school, other.school} {
		for _, path := range []string{"/issuers/1/keys/1", "/keys/1", "/issuers/10/keys/1"} {
			s.set(path, "application/jwk+json", k.JWK())
		}
	}
	c.set("/issuers/1/keys/private", "application/jwk+json", private)
	c.set("/issuers/1/keys/twice", "application/jwk+json", strings.Replace(k.JWK(), `{`, `{"kty":"RSA",`, 1))
	c.set("/issuers/1/keys/ours", "application/jwk+json", stranger.JWK())
	c.set("/issuers/1/keys/moved", elsewhere, c.server.URL+"/issuers/1/keys/1")
	c.set("/issuers/1/keys/away", elsewhere, other.server.URL+"/keys/1")
	c.set("/issuers/1/keys/text", "text/html", k.JWK())
	at := func(path string) map[string]any { return map[string]any{"kid": c.server.URL + path} }
	names := func(key any) map[string]any { return map[string]any{"assertionMethod": []any{key}} }
	method := map[string]any{"id": c.page + "#k", "type": "JsonWebKey", "controller": c.page, "publicKeyJwk": jwk}
	for _, tt := range []struct {
		name, want string
		page       map[string]any
		header     map[string]any
		key        signing.RSAKey
	}{
		{"beneath the page", "valid", nil, at("/issuers/1/keys/1"), k},
		{"beneath it, and in the header too", "valid", nil, map[string]any{"kid": c.page + "/keys/1", "jwk": jwk}, k},
		{"named by the page", "valid", names(c.server.URL + "/keys/1"), at("/keys/1"), k},
		{"named by the page as a method", "valid", names(map[string]any{"id": c.server.URL + "/keys/1"}), at("/keys/1"), k},
		{"on the page", "valid", names(method), map[string]any{"kid": c.page + "#k"}, k},
		{"on the page, and in the header alone", "valid", names(method), map[string]any{"jwk": jwk}, k},

		{"another's signature", "invalid changed", nil, at("/issuers/1/keys/1"), stranger},
		{"another key there", "invalid changed", nil, at("/issuers/1/keys/ours"), k},
		{"another key in the header", "invalid foreign_key", nil, map[string]any{"kid": c.page + "/keys/1", "jwk": json.RawMessage(stranger.JWK())}, stranger},
		{"in the header alone", "invalid foreign_key", names(method), map[string]any{"jwk": json.RawMessage(stranger.JWK())}, stranger},
		{"on the same host", "unknown key_elsewhere", map[string]any{}, at("/keys/1"), k},
		{"on the same host, and the page names another", "unknown key_elsewhere", names(c.server.URL + "/keys/2"), at("/keys/1"), k},
		{"named by a page that is another's", "unknown key_elsewhere", map[string]any{"id": c.page + "0", "assertionMethod": []any{c.server.URL + "/keys/1"}}, at("/keys/1"), k},
		{"beneath another's page", "unknown key_elsewhere", map[string]any{}, at("/issuers/10/keys/1"), k},
		{"on another host", "unknown key_elsewhere", names(other.server.URL + "/keys/1"), map[string]any{"kid": other.server.URL + "/keys/1"}, k},
		{"in another writing", "unknown key_elsewhere", nil, at("/issuers/1/../1/keys/1"), k},
		{"a fragment of something beneath", "unknown key_elsewhere", nil, at("/issuers/1/keys/1#x"), k},
		{"nothing there", "unknown issuer_unreachable", nil, at("/issuers/1/keys/2"), k},
		{"no page", "unknown issuer_unreachable", nil, at("/keys/1"), k},
		{"sent on by its host to itself", "valid", nil, at("/issuers/1/keys/moved"), k},
		{"sent on to another host", "unknown issuer_unreachable", nil, at("/issuers/1/keys/away"), k},
		{"a page for people", "unknown issuer_unreachable", nil, at("/issuers/1/keys/text"), k},
		{"a private key in public", "unknown issuer_unreachable", nil, at("/issuers/1/keys/private"), k},
		{"a member twice", "unknown issuer_unreachable", nil, at("/issuers/1/keys/twice"), k},
	} {
		c.set("/issuers/1", "text/html", "<h1>College</h1>")
		if tt.page != nil {
			c.says(tt.page)
		}
		r := newAsker(c.school, other.school).ask(t, token(tt.header, tt.key), verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if tt.want == "unknown key_elsewhere" && r.Reasons[0].Args["Source"] != tt.header["kid"] {
			t.Errorf("%s: %+v", tt.name, r.Reasons)
		}
		if tt.want == "valid" && (!noted(r, verifier.Stranger) || rests(r, verifier.Issuing).From != verifier.Web || r.Claims.IssuerName != "Oasis school") {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
	if r := newAsker(c.school).ask(t, token(at("/issuers/1/keys/1"), k), verifier.Options{}); rests(r, verifier.Issuing).Source != c.page+"/keys/1" {
		t.Errorf("%+v", r.RestsOn)
	}
	if r := newAsker(c.school).ask(t, token(at("/issuers/1/keys/1"), k), verifier.Options{Offline: true}); why(r) != "unknown issuer_unknown" {
		t.Errorf("offline: %s", why(r))
	}
	if len(other.hits) != 0 {
		t.Errorf("another host was asked: %v", other.hits)
	}
}

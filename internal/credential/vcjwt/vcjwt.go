// Package vcjwt signs credentials as JSON Web Tokens with RS256 and checks such tokens.
//
// It follows section 8.2 of Open Badges 3.0: the payload is the credential
// itself, proofs included, with the registered claims beside its members. One algorithm, one
// serialisation and four header members are known, so that there is nothing to negotiate.
package vcjwt

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/signing"
)

// MaxBytes bounds what is read.
const MaxBytes = 384 << 10

// Method is an RSA verification method: a key, whose it is and when it was in force.
type Method struct {
	Controller string // the issuer that the key speaks for
	Key        *rsa.PublicKey
	NotBefore  time.Time
	NotAfter   time.Time // zero: still in use
	Revoked    time.Time // zero: not revoked
}

// Resolver finds an RSA key by its address: what kid says, or for a token without
// one the issuer's DID, # and the thumbprint (RFC 7638) of the key that stands in the header. It answers an error for one that it does not know.
type Resolver interface {
	ResolveRSA(ctx context.Context, id string) (Method, error)
}

// Verified is what a good token says.
type Verified struct {
	Issuer   string
	Method   string
	Signed   time.Time // iat, else nbf
	Revoked  time.Time // the key was revoked later; see proof.Verified
	Document []byte    // the credential, without the registered claims
	Proofs   []string  // the suites of the proofs in the document, which hold too
}

type header struct {
	Alg string          `json:"alg"`
	Kid string          `json:"kid,omitempty"`
	JWK json.RawMessage `json:"jwk,omitempty"`
	Typ string          `json:"typ,omitempty"`
}

// claims are the registered claims, in the order in which they are written.
var claims = []string{"iss", "jti", "nbf", "iat", "exp", "sub", "aud"}

// subset is what the claims repeat of a credential.
type subset struct {
	ID         string `json:"id"`
	ValidFrom  string `json:"validFrom"`
	ValidUntil string `json:"validUntil"`
	Subject    any    `json:"credentialSubject"`
}

// Sign makes a token of a credential, which stays as it stands, byte by byte. Kid is the
// DID URL of the RSA key, under the issuer's DID. The same credential, key and time give the same token.
func Sign(doc []byte, k signing.RSAKey, kid string, at time.Time) (string, error) {
	_, issuer, err := proof.Understand(doc)
	if err != nil {
		return "", err
	}
	if !belongs(kid, issuer) {
		return "", fmt.Errorf("%w: %s is not under %s", proof.ErrMethod, kid, issuer)
	}
	wanted, err := wantedClaims(doc, issuer)
	if err != nil {
		return "", err
	}
	wanted["iat"] = strconv.FormatInt(at.Unix(), 10)
	head, err := json.Marshal(header{Alg: "RS256", Kid: kid, Typ: "JWT"})
	if err != nil {
		return "", err
	}
	body := strings.TrimSuffix(strings.TrimRight(string(doc), " \t\r\n"), "}")
	for _, name := range claims {
		if v, ok := wanted[name]; ok {
			body += fmt.Sprintf(",%q:%s", name, v)
		}
	}
	message := encode(head) + "." + encode([]byte(body+"}"))
	sig, err := k.Sign([]byte(message))
	if err != nil {
		return "", err
	}
	return message + "." + encode(sig), nil
}

// wantedClaims gives the claims that a credential's token must have, as JSON.
func wantedClaims(doc []byte, issuer string) (map[string]string, error) {
	var s subset
	if err := json.Unmarshal(doc, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", proof.ErrForm, err)
	}
	out := map[string]string{}
	text := func(name, v string) {
		raw, _ := json.Marshal(v) // a string always marshals
		out[name] = string(raw)
	}
	moment := func(name, v string) error {
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return fmt.Errorf("%w: time %q", proof.ErrForm, v)
		}
		out[name] = strconv.FormatInt(t.Unix(), 10)
		return nil
	}
	if s.ID == "" {
		return nil, fmt.Errorf("%w: no id", proof.ErrForm)
	}
	text("iss", issuer)
	text("jti", s.ID)
	if err := moment("nbf", s.ValidFrom); err != nil {
		return nil, err
	}
	if s.ValidUntil != "" {
		if err := moment("exp", s.ValidUntil); err != nil {
			return nil, err
		}
	}
	subject := s.Subject
	if list, ok := subject.([]any); ok && len(list) == 1 {
		subject = list[0]
	}
	if m, ok := subject.(map[string]any); ok {
		if id, ok := m["id"].(string); ok {
			text("sub", id)
		}
	}
	return out, nil
}

// Is tells whether a text looks like a token.
func Is(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// Verify checks a token and says whose it is; not whether the credential has
// expired or was revoked. Its claims must say what the credential says: iss, jti, nbf, and
// exp and sub where there is something to repeat. A key in the header counts if it is the
// issuer's, and not because it stands there. Proofs in the credential must hold too. Errors are those of package proof.
func Verify(ctx context.Context, token string, keys Resolver, proofs proof.Resolver) (Verified, error) {
	if len(token) > MaxBytes {
		return Verified{}, fmt.Errorf("%w: more than %d bytes", proof.ErrForm, MaxBytes)
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Verified{}, fmt.Errorf("%w: %d parts", proof.ErrForm, len(parts))
	}
	var raw [3][]byte
	for i, p := range parts {
		b, err := decode(p)
		if err != nil {
			return Verified{}, err
		}
		raw[i] = b
	}
	h, err := readHeader(raw[0])
	if err != nil {
		return Verified{}, err
	}
	doc, given, err := split(raw[1])
	if err != nil {
		return Verified{}, err
	}
	tree, issuer, err := proof.Understand(doc)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Issuer: issuer, Document: doc}
	if v.Signed, err = checkClaims(doc, issuer, given); err != nil {
		return Verified{}, err
	}
	key, err := v.key(ctx, h, keys)
	if err != nil {
		return Verified{}, err
	}
	if !signing.VerifyRS256(key, []byte(parts[0]+"."+parts[1]), raw[2]) {
		return Verified{}, fmt.Errorf("%w: RS256", proof.ErrSignature)
	}
	if _, ok := tree["proof"]; ok {
		inner, err := proof.VerifyAny(ctx, doc, proofs)
		if err != nil {
			return Verified{}, err
		}
		v.Proofs = inner.Suites
	}
	return v, nil
}

// key gives the issuer's key that the header names, if it was in force.
func (v *Verified) key(ctx context.Context, h header, keys Resolver) (*rsa.PublicKey, error) {
	var inHeader *rsa.PublicKey
	if h.JWK != nil {
		var err error
		if inHeader, err = signing.DecodeJWK(h.JWK); err != nil {
			return nil, fmt.Errorf("%w: %w", proof.ErrMethod, err)
		}
	}
	if v.Method = h.Kid; v.Method == "" {
		if inHeader == nil {
			return nil, fmt.Errorf("%w: no kid", proof.ErrMethod)
		}
		v.Method = v.Issuer + "#" + signing.Thumbprint(inHeader)
	}
	if strings.HasPrefix(v.Issuer, "did:") && !belongs(v.Method, v.Issuer) {
		return nil, fmt.Errorf("%w: %s is not under %s", proof.ErrMethod, v.Method, v.Issuer)
	}
	m, err := keys.ResolveRSA(ctx, v.Method)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", proof.ErrMethod, err)
	}
	switch {
	case m.Controller != v.Issuer || m.Key == nil:
		return nil, fmt.Errorf("%w: %s speaks for %s, not for %s", proof.ErrMethod, v.Method, m.Controller, v.Issuer)
	case m.Key.N.BitLen() < 2048:
		return nil, fmt.Errorf("%w: a key of %d bits", proof.ErrMethod, m.Key.N.BitLen())
	case inHeader != nil && !inHeader.Equal(m.Key):
		return nil, fmt.Errorf("%w: the key in the header is another", proof.ErrMethod)
	case v.Signed.Before(m.NotBefore.Truncate(time.Second)) || !m.NotAfter.IsZero() && v.Signed.After(m.NotAfter):
		return nil, fmt.Errorf("%w: %s was not valid at %s", proof.ErrMethod, v.Method, proof.FormatTime(v.Signed))
	case !m.Revoked.IsZero() && !v.Signed.Before(m.Revoked.Truncate(time.Second)):
		return nil, fmt.Errorf("%w: %s since %s", proof.ErrRevoked, v.Method, proof.FormatTime(m.Revoked))
	}
	v.Revoked = m.Revoked
	return m.Key, nil
}

func readHeader(raw []byte) (header, error) {
	members, err := topMembers(raw)
	if err != nil {
		return header{}, err
	}
	for _, m := range members {
		if !slices.Contains([]string{"alg", "kid", "jwk", "typ"}, m.name) {
			return header{}, fmt.Errorf("%w: header member %q", proof.ErrProof, m.name)
		}
	}
	var h header
	if err := json.Unmarshal(raw, &h); err != nil {
		return header{}, fmt.Errorf("%w: %w", proof.ErrForm, err)
	}
	if h.Alg != "RS256" {
		if h.Alg == "" || strings.EqualFold(h.Alg, "none") {
			return header{}, fmt.Errorf("%w: algorithm %q", proof.ErrProof, h.Alg)
		}
		return header{}, fmt.Errorf("%w: %w: algorithm %q", proof.ErrUnsupported, proof.ErrProof, h.Alg)
	}
	if has(members, "typ") && h.Typ != "JWT" && h.Typ != "vc+jwt" {
		return header{}, fmt.Errorf("%w: type %q", proof.ErrProof, h.Typ)
	}
	return h, nil
}

// split parts the payload into the credential and the registered claims.
func split(payload []byte) (doc []byte, given map[string]string, err error) {
	members, err := topMembers(payload)
	if err != nil {
		return nil, nil, err
	}
	given = map[string]string{}
	var kept []string
	for _, m := range members {
		if slices.Contains(claims, m.name) {
			given[m.name] = string(m.value)
			continue
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", proof.ErrForm, err)
		}
		kept = append(kept, string(name)+":"+string(m.value))
	}
	if has(members, "vc") {
		return nil, nil, fmt.Errorf("%w: %w: a credential of version 1 of the data model", proof.ErrUnsupported, proof.ErrForm)
	}
	return []byte("{" + strings.Join(kept, ",") + "}"), given, nil
}

// checkClaims wants each claim to say what the credential says, and gives the time of signing.
func checkClaims(doc []byte, issuer string, given map[string]string) (time.Time, error) {
	wanted, err := wantedClaims(doc, issuer)
	if err != nil {
		return time.Time{}, err
	}
	for _, name := range []string{"iss", "jti", "nbf", "exp", "sub"} {
		want, must := wanted[name]
		got, is := given[name]
		if must != is || !same(want, got) {
			return time.Time{}, fmt.Errorf("%w: %s is %s, the credential says %s", proof.ErrForm, name, got, want)
		}
	}
	at, ok := given["iat"]
	if !ok {
		at = given["nbf"]
	}
	n, err := strconv.ParseInt(at, 10, 64)
	if err != nil || n < 0 || n > 1<<38 {
		return time.Time{}, fmt.Errorf("%w: time %s", proof.ErrForm, at)
	}
	return time.Unix(n, 0).UTC(), nil
}

// same tells whether two JSON values are the same text or the same number.
func same(a, b string) bool {
	if a == b {
		return true
	}
	var x, y string
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && x == y
}

type member struct {
	name  string
	value json.RawMessage
}

func has(members []member, name string) bool {
	return slices.ContainsFunc(members, func(m member) bool { return m.name == name })
}

// topMembers reads the members of an object, each of which must stand there once.
func topMembers(raw []byte) ([]member, error) {
	if !json.Valid(raw) {
		return nil, fmt.Errorf("%w: no JSON", proof.ErrForm)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("%w: not an object", proof.ErrForm)
	}
	var out []member
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", proof.ErrForm, err)
		}
		name, _ := t.(string)
		// Package json does not tell names that differ in case apart when it fills a struct.
		if slices.ContainsFunc(out, func(m member) bool { return strings.EqualFold(m.name, name) }) {
			return nil, fmt.Errorf("%w: %q twice", proof.ErrForm, name)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("%w: %w", proof.ErrForm, err)
		}
		out = append(out, member{name, v})
	}
	return out, nil
}

// belongs tells whether a key's address is a fragment of the DID.
func belongs(method, did string) bool {
	fragment, ok := strings.CutPrefix(method, did+"#")
	return ok && fragment != ""
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode reads base64url without padding in its one form: two tokens of one meaning are one token.
func decode(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || encode(b) != s {
		return nil, fmt.Errorf("%w: not base64url", proof.ErrForm)
	}
	return b, nil
}

package vcjwt_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"hash"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/signing"
)

const did = "did:web:localhost%3A8080:institutions:oasis"

const unsigned = `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
	`"id":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001","type":["VerifiableCredential","AchievementCredential"],` +
	`"name":"الذكاء الاصطناعي","issuer":{"id":"` + did + `","type":["Profile"],"name":"Oasis \"School\""},"validFrom":"2026-11-23T05:00:00Z","validUntil":"2027-11-23T05:00:00Z",` +
	`"credentialSubject":{"id":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001#holder","type":["AchievementSubject"],` +
	`"achievement":{"id":"http://localhost:8080/en/courses/ai@1","type":["Achievement"],"name":"AI","description":"Knows <AI> & more.","criteria":{"narrative":"Read."}}}}`

var at = time.Date(2026, 11, 23, 5, 0, 1, 0, time.UTC)

// The RSA key is made once: it takes some tenths of a second.
var (
	theKey   = sync.OnceValues(signing.GenerateRSA)
	otherKey = sync.OnceValues(signing.GenerateRSA)
)

type keys struct {
	rsa map[string]vcjwt.Method
	ed  map[string]proof.Method
}

func (k keys) ResolveRSA(_ context.Context, id string) (vcjwt.Method, error) {
	if m, ok := k.rsa[id]; ok {
		return m, nil
	}
	return vcjwt.Method{}, errors.New("no such key")
}

func (k keys) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	if m, ok := k.ed[id]; ok {
		return m, nil
	}
	return proof.Method{}, errors.New("no such key")
}

// world is a signed credential, its token, and who knows the keys.
func world(t testing.TB) (doc []byte, token, kid string, known keys) {
	t.Helper()
	ed, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	method := did + "#" + ed.Multikey()
	if doc, err = proof.Sign([]byte(unsigned), ed, method, at); err != nil {
		t.Fatal(err)
	}
	k, err := theKey()
	if err != nil {
		t.Fatal(err)
	}
	kid = did + "#" + k.Thumbprint()
	if token, err = vcjwt.Sign(doc, k, kid, at); err != nil {
		t.Fatal(err)
	}
	public, err := signing.DecodeJWK([]byte(k.JWK()))
	if err != nil {
		t.Fatal(err)
	}
	return doc, token, kid, keys{
		map[string]vcjwt.Method{kid: {Controller: did, Key: public, NotBefore: at}},
		map[string]proof.Method{method: {Controller: did, Multikey: ed.Multikey(), NotBefore: at}},
	}
}

func TestSignAndVerify(t *testing.T) {
	doc, token, kid, known := world(t)
	v, err := vcjwt.Verify(t.Context(), token, known, known)
	if err != nil {
		t.Fatal(err)
	}
	if v.Issuer != did || v.Method != kid || !v.Signed.Equal(at) || len(v.Proofs) != 2 || !bytes.Equal(v.Document, doc) {
		t.Errorf("%+v", v)
	}
	if !vcjwt.Is(token) {
		t.Error("does not look like one")
	}
	head, payload := part(t, token, 0), part(t, token, 1)
	if head != `{"alg":"RS256","kid":"`+kid+`","typ":"JWT"}` {
		t.Errorf("header %s", head)
	}
	var claims map[string]any
	if err := json.Unmarshal([]byte(payload), &claims); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"iss": did, "jti": "http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001", "sub": "http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001#holder",
		"nbf": 1795410000.0, "exp": 1826946000.0, "iat": 1795410001.0,
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	// One credential has one token.
	k, _ := theKey()
	if again, err := vcjwt.Sign(doc, k, kid, at); err != nil || again != token {
		t.Errorf("another token, %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	k, err := theKey()
	if err != nil {
		t.Fatal(err)
	}
	kid := did + "#" + k.Thumbprint()
	for name, tt := range map[string]struct {
		doc, kid string
		key      signing.RSAKey
	}{
		"another's key":   {unsigned, "did:web:example.org#" + k.Thumbprint(), k},
		"a longer DID":    {unsigned, did + "x#" + k.Thumbprint(), k},
		"no fragment":     {unsigned, did, k},
		"an empty key":    {unsigned, kid, signing.RSAKey{}},
		"no JSON":         {"x", kid, k},
		"an unknown term": {strings.Replace(unsigned, `"name":"AI"`, `"name":"AI","grade":"A"`, 1), kid, k},
		"a claim already": {strings.Replace(unsigned, `"validFrom"`, `"iss":"x","validFrom"`, 1), kid, k},
		"no id":           {strings.Replace(unsigned, `"id":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001",`, ``, 1), kid, k},
		"no beginning":    {strings.Replace(unsigned, `"validFrom":"2026-11-23T05:00:00Z",`, ``, 1), kid, k},
	} {
		if tt.doc == unsigned && tt.kid == kid && name != "an empty key" {
			t.Fatalf("%s: nothing changed", name)
		}
		if token, err := vcjwt.Sign([]byte(tt.doc), tt.key, tt.kid, at); err == nil {
			t.Errorf("%s: signed %s", name, token)
		}
	}
}

func part(t testing.TB, token string, i int) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// forge signs whatever header and payload, with whatever key.
func forge(t testing.TB, k signing.RSAKey, head, payload string) string {
	t.Helper()
	message := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	sig, err := k.Sign([]byte(message))
	if err != nil {
		t.Fatal(err)
	}
	return message + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// Everything here is well signed by the issuer's own key, or else it would be refused for that.
func TestTokensOfOtherFormsAreRefused(t *testing.T) {
	_, token, kid, known := world(t)
	k, _ := theKey()
	stranger, err := otherKey()
	if err != nil {
		t.Fatal(err)
	}
	head, payload := part(t, token, 0), part(t, token, 1)
	other := `"jwk":` + stranger.JWK() + `,`
	own := `"jwk":` + k.JWK() + `,`
	tests := []struct {
		name, old, new string
		want           error
	}{
		{"as it is", `"alg"`, `"alg"`, nil},
		{"with the issuer's key in the header", `"alg"`, own + `"alg"`, nil},
		{"with the issuer's key alone", `"kid":"` + kid + `"`, own[:len(own)-1], nil},
		{"of the newer type", `"typ":"JWT"`, `"typ":"vc+jwt"`, nil},
		{"without a type", `,"typ":"JWT"`, ``, nil},
		{"none", `RS256`, `none`, proof.ErrProof},
		{"None", `RS256`, `NoNe`, proof.ErrProof},
		{"without an algorithm", `"alg":"RS256",`, ``, proof.ErrProof},
		{"HS256", `RS256`, `HS256`, proof.ErrProof},
		{"PS256", `RS256`, `PS256`, proof.ErrUnsupported},
		{"rs256", `RS256`, `rs256`, proof.ErrProof},
		{"a stranger's key beside kid", `"alg"`, other + `"alg"`, proof.ErrMethod},
		{"a stranger's key alone", `"kid":"` + kid + `"`, other[:len(other)-1], proof.ErrMethod},
		{"no key", `"kid":"` + kid + `",`, ``, proof.ErrMethod},
		{"a private key in the header", `"alg"`, strings.Replace(own, `"e"`, `"d":"AQAB","e"`, 1) + `"alg"`, proof.ErrMethod},
		{"another's kid", kid, "did:web:localhost%3A8080:institutions:river#x", proof.ErrMethod},
		{"a kid that looks alike", kid, strings.Replace(kid, "oasis", "oasis.", 1), proof.ErrMethod},
		{"another type", `"typ":"JWT"`, `"typ":"JOSE"`, proof.ErrProof},
		{"an empty type", `"typ":"JWT"`, `"typ":""`, proof.ErrProof},
		{"a type of no text", `"typ":"JWT"`, `"typ":1`, proof.ErrForm},
		{"crit", `"alg"`, `"crit":["b64"],"b64":false,"alg"`, proof.ErrProof},
		{"x5u", `"alg"`, `"x5u":"http://127.0.0.1/","alg"`, proof.ErrProof},
		{"jku", `"alg"`, `"jku":"http://127.0.0.1/","alg"`, proof.ErrProof},
		{"compressed", `"alg"`, `"zip":"DEF","alg"`, proof.ErrProof},
		{"alg twice", `"alg"`, `"alg":"none","alg"`, proof.ErrForm},
		{"Alg and alg", `"alg"`, `"Alg":"none","alg"`, proof.ErrForm},
		{"another spelling of alg", `"alg"`, `"ALG"`, proof.ErrProof},
	}
	for _, tt := range tests {
		t.Run("header "+tt.name, func(t *testing.T) {
			changed := strings.Replace(head, tt.old, tt.new, 1)
			if changed == head && tt.old != tt.new {
				t.Fatal("nothing changed")
			}
			if _, err := vcjwt.Verify(t.Context(), forge(t, k, changed, payload), known, known); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		name, old, new string
		want           error
	}{
		{"as it is", `"iss"`, `"iss"`, nil},
		{"for an audience", `"iss"`, `"aud":"x","iss"`, nil},
		{"another issuer", `"iss":"` + did, `"iss":"did:web:example.org`, proof.ErrForm},
		{"no issuer", `,"iss":"` + did + `"`, ``, proof.ErrForm},
		{"another id", `"jti":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001`, `"jti":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000002`, proof.ErrForm},
		{"another beginning", `"nbf":1795410000`, `"nbf":1795410001`, proof.ErrForm},
		{"another beginning in it", `"validFrom":"2026-11-23T05:00:00Z"`, `"validFrom":"2025-11-23T05:00:00Z"`, proof.ErrForm},
		{"another end", `"exp":1826946000`, `"exp":1826946001`, proof.ErrForm},
		{"no end", `,"exp":1826946000`, ``, proof.ErrForm},
		{"no end in it", `"validUntil":"2027-11-23T05:00:00Z",`, ``, proof.ErrForm},
		{"another subject", `"sub":"http://`, `"sub":"https://`, proof.ErrForm},
		{"no subject", `,"sub":"http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001#holder"`, ``, proof.ErrForm},
		{"issuer twice", `"iss"`, `"iss":"` + did + `","iss"`, proof.ErrForm},
		{"a number as text", `"nbf":1795410000`, `"nbf":"1795410000"`, proof.ErrForm},
		{"a time of signing that is none", `"iat":1795410001`, `"iat":-1`, proof.ErrForm},
		{"an endless time of signing", `"iat":1795410001`, `"iat":99999999999999999999`, proof.ErrForm},
		{"signed before the key", `"iat":1795410001`, `"iat":1795410000`, proof.ErrMethod},
		{"the older data model", `"iss"`, `"vc":{},"iss"`, proof.ErrUnsupported},
		{"an unknown term", `"iss"`, `"grade":"A","iss"`, proof.ErrForm},
		{"an unknown term, deep", `"name":"AI"`, `"name":"AI","grade":"A"`, proof.ErrForm},
		{"an unknown claim", `"iss"`, `"nonce":"A","iss"`, proof.ErrForm},
		{"other contexts", `context-3.0.3.json`, `context-4.json`, proof.ErrUnsupported},
		// The issuer signs the token anew, but one of the proofs in it is broken.
		{"a broken proof in it", `"name":"AI"`, `"name":"ML"`, proof.ErrSignature},
	} {
		t.Run("payload "+tt.name, func(t *testing.T) {
			changed := strings.Replace(payload, tt.old, tt.new, 1)
			if changed == payload && tt.old != tt.new {
				t.Fatal("nothing changed")
			}
			if _, err := vcjwt.Verify(t.Context(), forge(t, k, head, changed), known, known); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("signed by a stranger", func(t *testing.T) {
		if _, err := vcjwt.Verify(t.Context(), forge(t, stranger, head, payload), known, known); !errors.Is(err, proof.ErrSignature) {
			t.Error(err)
		}
	})
	t.Run("without embedded proofs", func(t *testing.T) {
		bare, err := vcjwt.Sign([]byte(unsigned), k, kid, at)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := vcjwt.Verify(t.Context(), bare, known, known); err != nil || v.Proofs != nil {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// The public key is no secret: what is signed with it as if it were one is signed by anybody.
func TestThePublicKeyIsNoSecret(t *testing.T) {
	_, token, kid, known := world(t)
	k, _ := theKey()
	public := known.rsa[kid].Key
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{
		"none": {}, "PKIX": der, "PKCS 1": x509.MarshalPKCS1PublicKey(public), "JWK": []byte(k.JWK()), "modulus": public.N.Bytes(), "thumbprint": []byte(k.Thumbprint()), "kid": []byte(kid),
		"PEM":         pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
		"PEM, no end": bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		"PEM of RSA":  pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(public)}),
	}
	for what, secret := range secrets {
		for alg, hash := range map[string]func() hash.Hash{"HS256": sha256.New, "HS384": sha512.New384, "HS512": sha512.New} {
			for _, head := range []string{part(t, token, 0), `{"alg":"RS256","kid":"` + kid + `"}`, `{"alg":"RS256","jwk":` + k.JWK() + `}`, `{"alg":"RS256","jwk":{"kty":"oct","k":"` + base64.RawURLEncoding.EncodeToString(secret) + `"}}`} {
				for _, named := range []string{alg, "RS256", "none", ""} {
					enc := base64.RawURLEncoding
					message := enc.EncodeToString([]byte(strings.Replace(head, "RS256", named, 1))) + "." + strings.Split(token, ".")[1]
					mac := hmac.New(hash, secret)
					mac.Write([]byte(message))
					for _, sig := range [][]byte{mac.Sum(nil), nil} {
						if v, err := vcjwt.Verify(t.Context(), message+"."+enc.EncodeToString(sig), known, known); err == nil {
							t.Fatalf("%s as a secret of %s, called %q: taken: %+v", what, alg, named, v)
						}
					}
				}
			}
		}
	}
	// Nor is another way to sign with the same private key the way that is asked for.
	message := strings.Join(strings.Split(token, ".")[:2], ".")
	good := strings.Split(token, ".")[2]
	for name, sig := range map[string]string{"empty": "", "zero": strings.Repeat("A", len(good)), "one": strings.Repeat("A", len(good)-1) + "B", "short": good[:len(good)-4], "long": good + "AAAA", "padded": good + "=="} {
		if _, err := vcjwt.Verify(t.Context(), message+"."+sig, known, known); err == nil {
			t.Errorf("a signature that is %s is taken", name)
		}
	}
}

func TestKeyMustBeTheIssuersAndInForce(t *testing.T) {
	_, token, kid, known := world(t)
	for name, tt := range map[string]struct {
		change func(m *vcjwt.Method)
		want   error
	}{
		"as it is":              {func(*vcjwt.Method) {}, nil},
		"of another controller": {func(m *vcjwt.Method) { m.Controller = "did:web:example.org" }, proof.ErrMethod},
		"no key":                {func(m *vcjwt.Method) { m.Key = nil }, proof.ErrMethod},
		"made later":            {func(m *vcjwt.Method) { m.NotBefore = at.Add(time.Second) }, proof.ErrMethod},
		"retired before":        {func(m *vcjwt.Method) { m.NotAfter = at.Add(-time.Second) }, proof.ErrMethod},
		"retired since":         {func(m *vcjwt.Method) { m.NotAfter = at.Add(time.Second) }, nil},
		"revoked before":        {func(m *vcjwt.Method) { m.Revoked = at }, proof.ErrRevoked},
		"revoked since":         {func(m *vcjwt.Method) { m.Revoked = at.Add(time.Second) }, nil},
	} {
		m := known.rsa[kid]
		tt.change(&m)
		v, err := vcjwt.Verify(t.Context(), token, keys{map[string]vcjwt.Method{kid: m}, known.ed}, known)
		if !errors.Is(err, tt.want) || err == nil && !v.Revoked.Equal(m.Revoked) {
			t.Errorf("%s: %+v, %v, want %v", name, v, err, tt.want)
		}
	}
}

// No changed character of a token leaves it valid.
func TestEveryChangedCharacterIsRefused(t *testing.T) {
	_, token, _, known := world(t)
	for i := range len(token) {
		for _, c := range []byte("A.-=\n") {
			changed := []byte(token)
			if changed[i] == c {
				c = 'B'
			}
			changed[i] = c
			if _, err := vcjwt.Verify(t.Context(), string(changed), known, known); err == nil {
				t.Fatalf("character %d changed to %q, and it verifies", i, c)
			}
		}
	}
	for _, bad := range []string{"", ".", "..", "...", token + ".", token + "=", "." + token, token[:len(token)-1], token + "A", strings.ReplaceAll(token, ".", ".."), strings.Repeat("A", vcjwt.MaxBytes+1)} {
		if _, err := vcjwt.Verify(t.Context(), bad, known, known); !errors.Is(err, proof.ErrForm) && !errors.Is(err, proof.ErrSignature) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

// Whatever verifies is what was signed, and nothing makes the checker panic.
func FuzzVerify(f *testing.F) {
	doc, token, kid, known := world(f)
	k, _ := theKey()
	parts := strings.Split(token, ".")
	f.Add(part(f, token, 0), part(f, token, 1), parts[2])
	f.Add(`{"alg":"none"}`, part(f, token, 1), "")
	f.Add(`{"alg":"RS256","jwk":`+k.JWK()+`}`, part(f, token, 1), parts[2])
	f.Add(`{"alg":"RS256","kid":"`+kid+`"}`, `{}`, parts[2])
	f.Add(`[]`, `[]`, "AA")
	f.Add(`{"alg":["RS256"]}`, `{"iss":[{}]}`, "AA")
	f.Fuzz(func(t *testing.T, head, payload, sig string) {
		enc := base64.RawURLEncoding
		token := enc.EncodeToString([]byte(head)) + "." + enc.EncodeToString([]byte(payload)) + "." + sig
		v, err := vcjwt.Verify(t.Context(), token, known, known)
		if err == nil && (!bytes.Equal(v.Document, doc) || v.Method != kid) {
			t.Errorf("verifies, but says %s", v.Document)
		}
		// Well signed by the issuer, it may say anything, but must say it once.
		if v, err = vcjwt.Verify(t.Context(), forge(t, k, head, payload), known, known); err == nil {
			if v.Issuer != did || !slices.Contains([]string{kid}, v.Method) {
				t.Errorf("%+v", v)
			}
			if _, _, err := proof.Understand(v.Document); err != nil {
				t.Errorf("%s: %v", v.Document, err)
			}
		}
	})
}

package signing_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/signing"
)

// rsaKey is made once: it takes some tenths of a second.
var rsaKey = sync.OnceValues(signing.GenerateRSA)

func TestSealAndOpenRSA(t *testing.T) {
	k, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	all := sealers(t)
	all["transit"] = transitSealer(t)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			sealed, err := s.SealRSA(t.Context(), owner, k)
			if err != nil {
				t.Fatal(err)
			}
			opened, err := s.OpenRSA(t.Context(), owner, sealed)
			if err != nil || opened.Thumbprint() != k.Thumbprint() {
				t.Fatalf("%v, %v", opened, err)
			}
			sig, err := opened.Sign([]byte("message"))
			if err != nil {
				t.Fatal(err)
			}
			public, err := signing.DecodeJWK([]byte(k.JWK()))
			if err != nil || !signing.VerifyRS256(public, []byte("message"), sig) || signing.VerifyRS256(public, []byte("massage"), sig) {
				t.Errorf("the opened key's signature: %v", err)
			}
			if _, err := s.OpenRSA(t.Context(), signing.Owner{}, sealed); !errors.Is(err, signing.ErrBroken) {
				t.Errorf("opens for another: %v", err)
			}
			// No kind opens as another.
			if _, err := s.Open(t.Context(), owner, sealed); !errors.Is(err, signing.ErrBroken) {
				t.Errorf("opens as an Ed25519 key: %v", err)
			}
			ed, _ := signing.Generate(rand.Reader)
			other, err := s.Seal(t.Context(), owner, ed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.OpenRSA(t.Context(), owner, other); !errors.Is(err, signing.ErrBroken) {
				t.Errorf("an Ed25519 key opens as RSA: %v", err)
			}
			if _, err := s.SealRSA(t.Context(), owner, signing.RSAKey{}); err == nil {
				t.Error("an empty key is sealed")
			}
		})
	}
}

func TestNothingPrintsAnRSAKey(t *testing.T) {
	k, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	private := signing.PrivateExponent(k)
	var out bytes.Buffer
	type record struct {
		Key    signing.RSAKey
		hidden signing.RSAKey
	}
	r := record{k, k}
	for _, verb := range []string{"%v", "%+v", "%#v", "%x", "%X", "%s", "%q", "%d", "%o", "%b", "%T"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, k, &k, r, &r)
	}
	if err := json.NewEncoder(&out).Encode([]any{k, r}); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "key", k, "record", r)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "key", k, "record", r)
	printed := strings.ToLower(out.String())
	for form, secret := range map[string]string{
		"decimal": private.String()[:12], "hex": private.Text(16)[:12], "base64": base64.RawURLEncoding.EncodeToString(private.Bytes())[:12],
		"bytes": strings.Trim(fmt.Sprintf("%d", private.Bytes()[:6]), "[]"),
	} {
		if strings.Contains(printed, strings.ToLower(secret)) {
			t.Errorf("the key is printed as %s", form)
		}
	}
	if !strings.Contains(printed, strings.ToLower(k.Thumbprint())) {
		t.Error("the public half is not printed")
	}
	if _, err := (signing.RSAKey{}).Sign(nil); err == nil || (signing.RSAKey{}).JWK() != "" || (signing.RSAKey{}).Thumbprint() != "" {
		t.Error("an empty key signs")
	}
}

func TestJWK(t *testing.T) {
	// RFC 7638, section 3.1.
	const published = `{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W` +
		`-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"` +
		`,"e":"AQAB","alg":"RS256","kid":"2011-04-29"}`
	p, err := signing.DecodeJWK([]byte(published))
	if err != nil || signing.Thumbprint(p) != "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs" {
		t.Fatalf("%v, %v", p, err)
	}
	for name, change := range map[string][2]string{
		"a private half":       {`"kty"`, `"d":"AQAB","kty"`},
		"for encryption":       {`"kty"`, `"use":"enc","kty"`},
		"for another alg":      {`RS256`, `none`},
		"another kind":         {`"RSA"`, `"oct"`},
		"an even exponent":     {`AQAB`, `AQAA`},
		"exponent 1":           {`AQAB`, `AQ`},
		"no exponent":          {`AQAB`, ``},
		"a leading zero":       {`"n":"`, `"n":"AAAA`},
		"padded":               {`Kgw"`, `Kgw="`},
		"an even modulus":      {`Kgw"`, `KgA"`},
		"a short modulus":      {`0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_`, ``},
		"a very long modulus":  {`"n":"`, `"n":"` + strings.Repeat("0vx7", 512)},
		"a modulus of numbers": {`"n":"`, `"n":1,"m":"`},
	} {
		changed := strings.Replace(published, change[0], change[1], 1)
		if _, err := signing.DecodeJWK([]byte(changed)); !errors.Is(err, signing.ErrJWK) || changed == published {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := signing.DecodeJWK(nil); !errors.Is(err, signing.ErrJWK) {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xef}, 16)
	k, _ := signing.Generate(rand.Reader)
	var sealed []byte
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		s, err := signing.NewEnvironment(e.EncodeToString(key))
		if err != nil {
			t.Fatal(err)
		}
		if sealed == nil {
			if sealed, err = s.Seal(t.Context(), owner, k); err != nil {
				t.Fatal(err)
			}
		}
		if opened, err := s.Open(t.Context(), owner, sealed); err != nil || opened.Multikey() != k.Multikey() {
			t.Errorf("%v, %v", opened, err)
		}
		if printed := fmt.Sprintf("%v %+v %#v %x", s, s, s, s); strings.Contains(printed, "fbef") || strings.Contains(printed, "251 239") {
			t.Errorf("printed %s", printed)
		}
	}
	for _, bad := range []string{"", "x", base64.StdEncoding.EncodeToString(key[:31]), base64.StdEncoding.EncodeToString(append(key, 1)), strings.Repeat("fb", 32), string(key)} {
		if _, err := signing.NewEnvironment(bad); err == nil || bad != "" && bad != "x" && strings.Contains(err.Error(), bad[:4]) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Changing the master key: the new one seals, both open.
func TestSeveral(t *testing.T) {
	old, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	before, err := old.Seal(t.Context(), owner, k)
	if err != nil {
		t.Fatal(err)
	}
	now := transitSealer(t)
	both, err := signing.NewSeveral(now, old)
	if err != nil {
		t.Fatal(err)
	}
	after, err := both.Seal(t.Context(), owner, k)
	if err != nil {
		t.Fatal(err)
	}
	for name, sealed := range map[string][]byte{"before": before, "after": after} {
		if opened, err := both.Open(t.Context(), owner, sealed); err != nil || opened.Multikey() != k.Multikey() {
			t.Errorf("%s: %v, %v", name, opened, err)
		}
	}
	if _, err := now.Open(t.Context(), owner, before); !errors.Is(err, signing.ErrOtherMaster) {
		t.Errorf("the new one opens what the old one sealed: %v", err)
	}
	if _, err := old.Open(t.Context(), owner, after); !errors.Is(err, signing.ErrOtherMaster) {
		t.Errorf("the old one opens what the new one sealed: %v", err)
	}
	before[len(before)-1] ^= 1
	if _, err := both.Open(t.Context(), owner, before); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("damaged: %v", err)
	}
	if _, err := both.Open(t.Context(), owner, []byte("nobody sealed this")); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("nobody's: %v", err)
	}
}

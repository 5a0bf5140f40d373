package verifier_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Whatever comes, an answer is given, and only what was signed is valid.
func FuzzVerify(f *testing.F) {
	k, err := signing.Generate(bytes.NewReader(bytes.Repeat([]byte{7}, 64)))
	if err != nil {
		f.Fatal(err)
	}
	did := "did:web:oasis.example"
	doc := []byte(`{"@context":["` + proof.CredentialsV2 + `","` + proof.OpenBadges303 + `"],"id":"https://oasis.example/c/1","type":["VerifiableCredential","AchievementCredential"],"name":"AI",` +
		`"issuer":{"id":"` + did + `","type":["Profile"],"name":"Oasis"},"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{"type":["AchievementSubject"],` +
		`"achievement":{"id":"https://oasis.example/a/1","type":["Achievement"],"name":"AI","description":"x","criteria":{"narrative":"x"}}}}`)
	signed, err := proof.Sign(doc, k, did+"#"+k.Multikey(), noon.Add(-time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signed)
	f.Add(doc)
	for _, name := range []string{"../code/testdata/airplane.json", "../code/testdata/vectors.json"} {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	for _, text := range []string{"", "{}", "[]", "BNY1:", "eyJhbGciOiJSUzI1NiJ9.e30.AA", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "\x89PNG\r\n\x1a\n", `{"credentialStatus":[{}],"issuer":[1,{"id":2}],"proof":{}}`} {
		f.Add([]byte(text))
	}
	v := verifier.Verifier{Memory: &verifier.Memory{}, Now: func() time.Time { return noon }, Issuers: []verifier.Issuers{book{
		{DID: did, From: verifier.Trusted, Keys: []verifier.Key{{ID: did + "#" + k.Multikey(), Multikey: k.Multikey()}}, Final: true},
	}}}
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := v.Verify(context.Background(), in, verifier.Options{})
		if err != nil || r.State == "" {
			t.Fatalf("%v %q", err, r.State)
		}
		if r.State == verifier.Valid && (r.Claims.Issuer != did || r.Claims.AchievementID != "https://oasis.example/a/1") {
			t.Fatalf("valid: %q", in)
		}
		_, _ = verifier.Read(in)
		_, _ = verifier.ReadDIDDocument(in)
	})
}

// Whatever stands in a revocation list, only what names the credential revokes it, and only in a list of that address and issuer.
func FuzzRevocations(f *testing.F) {
	const address, issuer, id = "https://a.example/r", "did:web:a.example", "urn:uuid:1"
	for _, text := range []string{
		`{"id":"https://a.example/r","issuer":"did:web:a.example","revokedCredentials":[{"id":"urn:uuid:1","revoked":true,"revocationReason":"x"},{"id":"urn:uuid:2"}]}`,
		`{"id":"https://a.example/r","issuer":{"id":"did:web:a.example"},"revokedCredentials":[{"id":"urn:uuid:1","revoked":false}]}`,
		`{"id":"https://a.example/r","ID":"x","revokedCredentials":[]}`, `[]`, `null`, `{"revokedCredentials":{}}`, ``,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		revoked, reason, err := verifier.ReadRevocations(list, address, issuer, id)
		if err != nil && (revoked || reason != "") {
			t.Fatalf("%v, and yet %v %q", err, revoked, reason)
		}
		if utf8.RuneCountInString(reason) > 1000 || !utf8.ValidString(reason) {
			t.Fatalf("%d bytes of reason", len(reason))
		}
		if err != nil {
			return
		}
		// The same, read by hand.
		var d map[string]any
		if json.Unmarshal(list, &d) != nil {
			t.Fatalf("taken: %q", list)
		}
		named := false
		for _, e := range member(d, "revokedCredentials").([]any) {
			entry := e.(map[string]any)
			named = named || member(entry, "id") == id && member(entry, "revoked") != false
		}
		if named != revoked || member(d, "id") != address {
			t.Fatalf("revoked %v: %q", revoked, list)
		}
	})
}

// member reads a member in whatever letters its name is written, as encoding/json does.
func member(m map[string]any, name string) any {
	for k, v := range m {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}

package verifier_test

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

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

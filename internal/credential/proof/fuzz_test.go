package proof_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Whatever verifies says what was signed, and nothing makes the checker panic.
func FuzzVerify(f *testing.F) {
	doc, keys := signed(f, unsigned)
	want := normal(f, doc)
	once, onceKeys := signedOnce(f)
	wantOnce := normal(f, once)
	f.Add(doc)
	f.Add(once)
	f.Add([]byte(unsigned))
	for _, s := range []string{
		`"type": [1]`, `"type": [{"id": "urn:x:y"}]`, `"type": {"id":"x:y"}`, `"id": ["urn:x:y"]`, `"id": {"id": "urn:x:y"}`,
		`"issuer": [{"id": "did:x:y"}]`, `"proof": [1]`, `"credentialSubject": [[1]]`, `"validFrom": {"type": "x"}`, `"_sd": [1, {"a": "b"}]`, `"cnf": {"jwk": "x"}`,
		`"type": [true, "VerifiableCredential"]`, `"type": ["VerifiableCredential", 1]`, `"criteria": {"id": 1}`,
	} {
		f.Add([]byte(strings.Replace(string(doc), `"name":`, s+`,"name":`, 1)))
		key, _, _ := strings.Cut(s, ":")
		f.Add([]byte(strings.Replace(string(doc), key, `"description": "x",`+s+`,`+key, 1)))
		without := strings.Replace(string(doc), key, `"description"`, 1)
		f.Add([]byte(strings.Replace(without, `"description"`, s+`,"description"`, 1)))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := proof.Verify(t.Context(), raw, keys); err == nil && !reflect.DeepEqual(normal(t, raw), want) {
			t.Errorf("verifies, but says\n%s", raw)
		}
		if _, err := proof.Verify(t.Context(), raw, onceKeys); err == nil && !reflect.DeepEqual(normal(t, raw), wantOnce) {
			t.Errorf("verifies, but says\n%s", raw)
		}
	})
}

// FuzzVerifyAny does the same by the rules for any issuer, which take more; so only members are counted.
func FuzzVerifyAny(f *testing.F) {
	rdfc, keys := foreignSigned(f, another, proof.RDFC, `{"created": "2024-01-01T00:00:00Z"}`)
	jcs, more := foreignSigned(f, another, proof.JCS, `{"created": "2024-01-01T00:00:00Z"}`)
	maps.Copy(keys, more)
	f.Add(rdfc)
	f.Add(jcs)
	for _, s := range []string{
		`"name":{"@value":"x","@language":"en"}`, `"@context":[]`, `"@context":{}`, `"tag":[[]]`, `"type":[]`, `"type":{"@value":"x"}`, `"id":"_:b"`, `"credentialSubject":[]`,
		`"proof":[]`, `"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","@context":[]}`, `"evidence":[{"type":["Evidence"]},{"type":["Evidence"]}]`, `"issuer":{"id":["x"]}`,
		`"endorsement":[{"type":["VerifiableCredential"],"proof":{"type":"DataIntegrityProof"}}]`, `"validFrom":1.5`, `"@graph":[]`,
	} {
		f.Add([]byte(strings.Replace(string(rdfc), `"name":`, s+`,"x":`, 1)))
		f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],` + s + `}`))
	}
	canonical, err := proof.Canonical(rdfc)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := proof.VerifyAny(t.Context(), raw, keys); err != nil {
			return
		}
		if got, err := proof.Canonical(raw); err != nil || got != canonical {
			t.Errorf("verifies, but says\n%s", raw)
		}
	})
}

// FuzzSign signs what it can; what it signed must verify.
func FuzzSign(f *testing.F) {
	k, _ := signing.Generate(rand.Reader)
	method := did + "#" + k.Multikey()
	keys := methods{method: {Controller: did, Multikey: k.Multikey(), NotBefore: created}}
	f.Add([]byte(unsigned))
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"],"issuer":"` + did + `","credentialSubject":{"id":"urn:x:y","name":"x"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		doc, err := proof.Sign(raw, k, method, created)
		if err != nil {
			return
		}
		if _, err := proof.Verify(t.Context(), doc, keys); err != nil {
			t.Errorf("signed, but %v:\n%s", err, doc)
		}
	})
}

// normal is a document as a tree in which the order of sets does not count.
func normal(t testing.TB, raw []byte) any {
	t.Helper()
	var v any
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return sorted(v)
}

func sorted(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = sorted(v[k])
			// A set of one is the same as its only member, but not the proof.
			if list, ok := v[k].([]any); ok && len(list) == 1 && k != "proof" {
				v[k] = list[0]
			}
		}
	case []any:
		for i := range v {
			v[i] = sorted(v[i])
		}
		slices.SortFunc(v, func(a, b any) int {
			x, _ := json.Marshal(a)
			y, _ := json.Marshal(b)
			return bytes.Compare(x, y)
		})
	}
	return v
}

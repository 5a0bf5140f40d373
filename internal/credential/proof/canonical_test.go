package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/piprate/json-gold/ld"
)

// The proof's options are written by hand for speed; json-gold must agree.
func TestOptionsAreCanonical(t *testing.T) {
	p := options{"2026-11-23T05:00:01Z", "did:web:localhost%3A8080:institutions:oasis#z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"}
	var doc map[string]any
	raw := `{"@context":["` + CredentialsV2 + `","` + OpenBadges303 + `"],"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022",
		"created":"` + p.created + `","verificationMethod":"` + p.method + `","proofPurpose":"assertionMethod"}`
	if err := json.Unmarshal([]byte(raw), &doc); err != nil {
		t.Fatal(err)
	}
	l, err := contexts()
	if err != nil {
		t.Fatal(err)
	}
	opts := ld.NewJsonLdOptions("")
	opts.DocumentLoader, opts.Algorithm, opts.Format = l, ld.AlgorithmURDNA2015, "application/n-quads"
	want, err := ld.NewJsonLdProcessor().Normalize(doc, opts)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.canonical(); got != want {
		t.Errorf("options are\n%swant\n%s", got, want)
	}
}

// What json-gold makes of a document of ours is what we make of it.
func TestCanonicalIsAsJSONGoldSays(t *testing.T) {
	for _, name := range []string{"first-form.json", "first-list.json"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := decode(raw, ours)
		if err != nil {
			t.Fatal(err)
		}
		delete(tree, "proof")
		got, err := canonicalise(tree)
		if err != nil {
			t.Fatal(err)
		}
		l, err := contexts()
		if err != nil {
			t.Fatal(err)
		}
		opts := ld.NewJsonLdOptions("")
		opts.DocumentLoader, opts.Algorithm, opts.Format = l, ld.AlgorithmURDNA2015, "application/n-quads"
		want, err := ld.NewJsonLdProcessor().Normalize(tree, opts)
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is\n%swant\n%s", name, got, want)
		}
	}
}

// The published vectors of W3C's vc-di-eddsa (TestVectors/eddsa-rdfc-2022 and eddsa-jcs-2022, W3C Software and Document License). Their
// second context gives a meaning to every word; here it is known for this test alone.
func TestPublishedVectors(t *testing.T) {
	l, err := contexts()
	if err != nil {
		t.Fatal(err)
	}
	const examples = "https://www.w3.org/ns/credentials/examples/v2"
	l[examples] = map[string]any{"@context": map[string]any{"@vocab": "https://www.w3.org/ns/credentials/examples#"}}
	t.Cleanup(func() { delete(l, examples) })
	const key = "z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2"
	const issuer = "https://vc.example/issuers/5678"
	for _, name := range []string{"w3c-rdfc.json", "w3c-jcs.json"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := VerifyAny(t.Context(), raw, oneKey{Controller: issuer, Multikey: key})
		if err != nil || v.Issuer != issuer || len(v.Suites) != 1 {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		changed := bytes.Replace(raw, []byte("The School of Examples"), []byte("The School of Exemples"), 1)
		if _, err := VerifyAny(t.Context(), changed, oneKey{Controller: issuer, Multikey: key}); !errors.Is(err, ErrSignature) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
}

type oneKey Method

func (k oneKey) ResolveMethod(context.Context, string) (Method, error) { return Method(k), nil }

func TestLoaderKnowsTheBundledContextsOnly(t *testing.T) {
	l, err := contexts()
	if err != nil {
		t.Fatal(err)
	}
	if len(l) != len(bundled) {
		t.Errorf("%d contexts", len(l))
	}
	for _, address := range []string{"https://www.w3.org/2018/credentials/v1", "http://127.0.0.1:1/", "contexts/credentials-v2.json", "", CredentialsV2 + "/"} {
		if _, err := l.LoadDocument(address); err == nil {
			t.Errorf("%q is loaded", address)
		}
	}
}

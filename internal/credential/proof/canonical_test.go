package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
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

// Whatever a context lets words mean: what stands in a document is among what is signed, or it is refused. The contexts that are bundled use little of
// JSON-LD, so this one is known for this test alone.
func TestNothingIsLeftOut(t *testing.T) {
	l, err := contexts()
	if err != nil {
		t.Fatal(err)
	}
	const odd = "https://issuer.example/context.json"
	term := func(more ...string) map[string]any {
		m := map[string]any{"@id": "https://x.example/term"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	l[odd] = map[string]any{"@context": map[string]any{
		"nothing": nil, "noid": map[string]any{"@id": nil}, "index": "@index", "nest": "@nest", "included": "@included", "graph": "@graph", "set": "@set", "list": "@list",
		"languages": term("@container", "@language"), "indexed": term("@container", "@index"), "types": term("@container", "@type"), "sets": term("@container", "@set"), "lists": term("@container", "@list"),
		"json": term("@type", "@json"), "none": term("@type", "@none"), "vocab": term("@type", "@vocab"), "iri": term("@type", "@id"), "plain": term(), "reverse": map[string]any{"@reverse": "https://x.example/term"},
	}}
	t.Cleanup(func() { delete(l, odd) })
	for member, good := range map[string]bool{
		`"nothing":"x"`: false, `"noid":"x"`: false, `"plain":{"nothing":"x"}`: false, `"plain":{"noid":["x"]}`: false, `"index":"x"`: false, `"plain":{"index":"x"}`: false, `"unknown":"x"`: false,
		`"languages":{"en":"x"}`: false, `"languages":{"en":["x","y"],"fr":"x"}`: false, `"languages":"x"`: true, `"indexed":{"a":"x"}`: false, `"indexed":{"a":["x",1]}`: false, `"indexed":"x"`: true,
		`"types":{"Profile":{"id":"urn:x:y"}}`: false, `"json":{"a":"x"}`: false, `"json":"x"`: false, `"json":[]`: false, `"none":"x"`: true, `"vocab":"x"`: false, `"vocab":"urn:x:x"`: true, `"iri":"x"`: false, `"iri":"urn:x:x"`: true,
		`"iri":"_:x"`: false, `"iri":"//x"`: false, `"iri":"?x"`: false, `"iri":""`: false, `"nest":{"name":"x"}`: true, `"nest":"x"`: false, `"nest":{"nothing":"x"}`: false, `"included":{"name":"x"}`: false,
		`"graph":{"name":"x"}`: false, `"graph":["x"]`: false, `"plain":{"graph":{"name":"x"}}`: true, `"plain":{"graph":["x"]}`: false, `"plain":{"set":["x"]}`: true, `"plain":{"set":"x"}`: true, `"plain":{"list":["x","z"]}`: true, `"plain":{"list":[]}`: false,
		`"set":["x"]`: false, `"list":["x"]`: false, `"sets":["x"]`: true, `"lists":["x","z"]`: true, `"reverse":{"name":"x"}`: false, `"reverse":"urn:x:x"`: false, `"plain":{"@value":"x"}`: true, `"plain":{"@value":"x","@language":"en"}`: true,
		`"plain":{"@value":"x","@language":"x_y"}`: false, `"plain":{"@value":"x","name":"y"}`: false, `"plain":{"@language":"x"}`: false, `"plain":{"name":"x"}`: true, `"plain":["x",{"name":"x"}]`: true, `"plain":[[]]`: false,
	} {
		read := func(member string) (string, error) {
			tree, err := decode([]byte(`{"@context":["`+CredentialsV2+`","`+odd+`"],"id":"urn:x:z","type":["VerifiableCredential"],"issuer":"did:web:x","credentialSubject":{"id":"urn:x:s"},`+member+`}`), foreign)
			if err != nil {
				return "", err
			}
			d, err := quadsOf(tree, false)
			if err != nil {
				return "", err
			}
			return d.canonical()
		}
		one, err := read(member)
		if (err == nil) != good || err != nil && !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v", member, err)
		}
		if err != nil {
			continue
		}
		if other, err := read(strings.Replace(member, `x"`, `forged"`, 1)); err != nil || other == one {
			t.Errorf("%s can be changed: %v\n%s", member, err, other)
		}
	}
}

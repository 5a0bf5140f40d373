package proof

import (
	"encoding/json"
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

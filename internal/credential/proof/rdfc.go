package proof

import (
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/piprate/json-gold/ld"
)

// rdfcMessage is what eddsa-rdfc-2022 signs.
func rdfcMessage(tree map[string]any, o options) ([]byte, error) {
	canonical, err := canonicalise(tree)
	if err != nil {
		return nil, err
	}
	return digests([]byte(o.canonical()), []byte(canonical)), nil
}

// digests joins the digest of the proof's options and the digest of the
// document, both in canonical form: what both suites sign.
func digests(options, doc []byte) []byte {
	o, d := sha256.Sum256(options), sha256.Sum256(doc)
	return slices.Concat(o[:], d[:])
}

// canonical writes the options as canonical N-Quads. The six members are
// fixed, so the lines are too; a test compares them with what json-gold makes of the same proof.
func (p options) canonical() string {
	return `_:c14n0 <http://purl.org/dc/terms/created> "` + p.created + `"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#DataIntegrityProof> .
_:c14n0 <https://w3id.org/security#cryptosuite> "` + RDFC + `"^^<https://w3id.org/security#cryptosuiteString> .
_:c14n0 <https://w3id.org/security#proofPurpose> <https://w3id.org/security#assertionMethod> .
_:c14n0 <https://w3id.org/security#verificationMethod> <` + p.method + `> .
`
}

var known = [][]string{
	{CredentialsV2, OpenBadges303}, // a credential
	{CredentialsV2},                // a status list
}

func checkContexts(tree map[string]any) error {
	list, _ := tree["@context"].([]any)
	names := make([]string, len(list))
	for i := range list {
		names[i], _ = list[i].(string)
	}
	for _, k := range known {
		if slices.Equal(names, k) {
			return nil
		}
	}
	return fmt.Errorf("%w: %v", ErrContext, tree["@context"])
}

// canonicalise gives the document's RDF in canonical N-Quads (RDFC-1.0) and
// refuses a document of which anything would be left out of them.
//
// json-gold's Normalize forgets the SafeMode option: unknown terms vanish and
// a forged field verifies. So the document is expanded first, in safe mode,
// the result is counted, and the count of statements must come out. That
// also catches relative types and ids and malformed IRIs, which safe mode lets pass.
func canonicalise(tree map[string]any) (string, error) {
	if err := checkContexts(tree); err != nil {
		return "", err
	}
	types, _ := tree["type"].([]any)
	if !slices.Contains(types, any("VerifiableCredential")) {
		return "", fmt.Errorf("%w: not a credential: %v", ErrForm, tree["type"])
	}
	l, err := contexts()
	if err != nil {
		return "", err
	}
	opts := ld.NewJsonLdOptions("")
	opts.DocumentLoader = l
	opts.SafeMode = true
	opts.Algorithm = ld.AlgorithmURDNA2015
	opts.Format = "application/n-quads"
	expanded, err := ld.NewJsonLdProcessor().Expand(tree, opts)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(expanded) != 1 {
		return "", fmt.Errorf("%w: %d nodes at the top", ErrForm, len(expanded))
	}
	c := census{nodes: map[string]map[string]any{}}
	if err := c.node(expanded[0]); err != nil {
		return "", err
	}
	if n := countLeaves(tree); c.leaves != n {
		return "", fmt.Errorf("%w: %d of %d values are left", ErrForm, c.leaves, n)
	}
	api := ld.NewJsonLdApi()
	dataset, err := api.ToRDF(expanded, opts)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrForm, err)
	}
	if n := len(dataset.Graphs["@default"]); len(dataset.Graphs) != 1 || n != c.quads {
		return "", fmt.Errorf("%w: %d of %d statements are left", ErrForm, n, c.quads)
	}
	out, err := api.Normalize(dataset, opts)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrForm, err)
	}
	return out.(string), nil
}

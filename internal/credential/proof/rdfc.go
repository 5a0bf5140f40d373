package proof

import (
	"crypto/sha256"
	"fmt"
	"slices"
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
func canonicalise(tree map[string]any) (string, error) {
	if err := checkContexts(tree); err != nil {
		return "", err
	}
	types, _ := tree["type"].([]any)
	if !slices.Contains(types, any("VerifiableCredential")) {
		return "", fmt.Errorf("%w: not a credential: %v", ErrForm, tree["type"])
	}
	d, err := quadsOf(tree, true)
	if err != nil {
		return "", err
	}
	return d.canonical()
}

package proof

import "github.com/mr-tron/base58"

// ForeignMessage is what another issuer signs over a document with the options of a proof.
func ForeignMessage(doc []byte, options map[string]any) ([]byte, error) {
	// What is signed needs no sense: the other issuer is not strict.
	tree, err := decode(doc, foreign)
	if err != nil {
		return nil, err
	}
	suite, _ := options["cryptosuite"].(string)
	canonical := ""
	if suite == RDFC {
		d, err := quadsOf(tree, false)
		if err != nil {
			return nil, err
		}
		if canonical, err = d.canonical(); err != nil {
			return nil, err
		}
	}
	return anyMessage(tree, canonical, options, suite)
}

// EncodeValue writes a signature as proofs do.
func EncodeValue(sig []byte) string { return "z" + base58.Encode(sig) }

// Canonical gives a document's statements in canonical form, as VerifyAny makes them.
func Canonical(doc []byte) (string, error) {
	tree, err := decode(doc, foreign)
	if err != nil {
		return "", err
	}
	delete(tree, "proof")
	d, err := quadsOf(tree, false)
	if err != nil {
		return "", err
	}
	return d.canonical()
}

// Package proof signs credentials with eddsa-rdfc-2022 and checks such proofs.
//
// Verification is strict on purpose: it accepts what Banyan itself would
// sign, and refuses everything that another reader might understand otherwise.
package proof

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mr-tron/base58"
	"github.com/piprate/json-gold/ld"

	"github.com/banyan-lms/banyan/internal/signing"
)

// The reasons to refuse a document.
var (
	ErrForm      = errors.New("form")      // not strict JSON, an unknown term, something that no signature covers
	ErrContext   = errors.New("context")   // other contexts than the known ones, or in another order
	ErrProof     = errors.New("proof")     // absent, not alone, of another suite, malformed
	ErrPurpose   = errors.New("purpose")   // signed for something else
	ErrMethod    = errors.New("method")    // unknown key, not the issuer's, not valid when it signed
	ErrSignature = errors.New("signature") // changed after it was signed
)

// Method is a verification method: a key and whose it is.
type Method struct {
	Controller string // the DID that the key speaks for
	Multikey   string
	NotBefore  time.Time
	NotAfter   time.Time // zero: still in use
}

// Resolver finds a verification method by its DID URL. It answers an error for
// one that it does not know.
type Resolver interface {
	ResolveMethod(ctx context.Context, id string) (Method, error)
}

// Signer signs bytes; signing.Key is one.
type Signer interface {
	Sign(message []byte) ([]byte, error)
}

// Verified is what a good proof says.
type Verified struct {
	Issuer  string
	Method  string
	Created time.Time
}

const (
	suite   = "eddsa-rdfc-2022"
	purpose = "assertionMethod"
	// timeForm is how times are written. Seconds: more would say when a learner clicked.
	timeForm = "2006-01-02T15:04:05Z"
)

// FormatTime writes a time as credentials carry it.
func FormatTime(t time.Time) string { return t.UTC().Format(timeForm) }

// ParseTime reads a time that FormatTime wrote, and no other form.
func ParseTime(s string) (time.Time, error) {
	t, err := time.Parse(timeForm, s)
	if err != nil || FormatTime(t) != s {
		return time.Time{}, fmt.Errorf("%w: time %q", ErrForm, s)
	}
	return t, nil
}

// Sign adds a proof to an unsigned credential, as the only member of a proof
// array: the Open Badges schema refuses a single object. Method is the
// DID URL of the signer's key, under the issuer's DID. What Verify would refuse is not signed.
func Sign(doc []byte, s Signer, method string, created time.Time) ([]byte, error) {
	tree, err := decode(doc)
	if err != nil {
		return nil, err
	}
	if _, signed := tree["proof"]; signed {
		return nil, fmt.Errorf("%w: there is one already", ErrProof)
	}
	issuer, err := issuerOf(tree)
	if err != nil {
		return nil, err
	}
	if !belongs(method, issuer) {
		return nil, fmt.Errorf("%w: %s is not under %s", ErrMethod, method, issuer)
	}
	p := options{FormatTime(created), method}
	message, err := hashes(tree, p)
	if err != nil {
		return nil, err
	}
	sig, err := s.Sign(message)
	if err != nil {
		return nil, err
	}
	proof, err := json.Marshal([]any{map[string]string{
		"type": "DataIntegrityProof", "cryptosuite": suite, "proofPurpose": purpose,
		"created": p.created, "verificationMethod": p.method, "proofValue": "z" + base58.Encode(sig),
	}})
	if err != nil {
		return nil, err
	}
	// The document keeps its order of members: the proof goes in before the last brace.
	out := bytes.TrimSuffix(bytes.TrimRight(doc, " \t\r\n"), []byte("}"))
	return slices.Concat(out, []byte(`,"proof":`), proof, []byte("}")), nil
}

// Verify checks the one proof of a credential. It says who signed, not whether
// the credential has expired or was revoked.
func Verify(ctx context.Context, doc []byte, r Resolver) (Verified, error) {
	tree, err := decode(doc)
	if err != nil {
		return Verified{}, err
	}
	p, sig, err := takeProof(tree)
	if err != nil {
		return Verified{}, err
	}
	issuer, err := issuerOf(tree)
	if err != nil {
		return Verified{}, err
	}
	created, err := ParseTime(p.created)
	if err != nil {
		return Verified{}, err
	}
	m, err := r.ResolveMethod(ctx, p.method)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrMethod, err)
	}
	if m.Controller != issuer || !belongs(p.method, issuer) {
		return Verified{}, fmt.Errorf("%w: %s speaks for %s, not for %s", ErrMethod, p.method, m.Controller, issuer)
	}
	// The proof carries whole seconds.
	if created.Before(m.NotBefore.Truncate(time.Second)) || !m.NotAfter.IsZero() && created.After(m.NotAfter) {
		return Verified{}, fmt.Errorf("%w: %s was not valid at %s", ErrMethod, p.method, p.created)
	}
	public, err := signing.DecodeMultikey(m.Multikey)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrMethod, err)
	}
	message, err := hashes(tree, p)
	if err != nil {
		return Verified{}, err
	}
	if !ed25519.Verify(public, message, sig) {
		return Verified{}, ErrSignature
	}
	return Verified{issuer, p.method, created}, nil
}

// options are the parts of a proof that vary.
type options struct{ created, method string }

// takeProof removes the proof from the tree and gives its parts.
func takeProof(tree map[string]any) (options, []byte, error) {
	bad := func(why string, args ...any) (options, []byte, error) {
		return options{}, nil, fmt.Errorf("%w: "+why, append([]any{ErrProof}, args...)...)
	}
	proofs, ok := tree["proof"].([]any)
	if !ok || len(proofs) != 1 {
		return bad("not an array of one")
	}
	delete(tree, "proof")
	p, ok := proofs[0].(map[string]any)
	if !ok || len(p) != 6 {
		return bad("not the six known members")
	}
	text := func(key string) string { s, _ := p[key].(string); return s }
	if text("type") != "DataIntegrityProof" || text("cryptosuite") != suite {
		return bad("type %v, suite %v", p["type"], p["cryptosuite"])
	}
	if text("proofPurpose") != purpose {
		return options{}, nil, fmt.Errorf("%w: %v", ErrPurpose, p["proofPurpose"])
	}
	if !absoluteIRI.MatchString(text("verificationMethod")) {
		return bad("method %v", p["verificationMethod"])
	}
	b58, ok := strings.CutPrefix(text("proofValue"), "z")
	if !ok || len(b58) > 90 {
		return bad("value")
	}
	sig, err := base58.Decode(b58)
	if err != nil || len(sig) != ed25519.SignatureSize || base58.Encode(sig) != b58 {
		return bad("value")
	}
	return options{text("created"), text("verificationMethod")}, sig, nil
}

func issuerOf(tree map[string]any) (string, error) {
	id, ok := tree["issuer"].(string)
	if profile, isObject := tree["issuer"].(map[string]any); isObject {
		id, ok = profile["id"].(string)
	}
	if !ok || !strings.HasPrefix(id, "did:") || strings.ContainsAny(id, "#?/") {
		return "", fmt.Errorf("%w: issuer %v", ErrForm, tree["issuer"])
	}
	return id, nil
}

// belongs tells whether a key's address is a fragment of the DID.
func belongs(method, did string) bool {
	fragment, ok := strings.CutPrefix(method, did+"#")
	return ok && fragment != ""
}

// hashes is what is signed: the digest of the proof's options, then the
// digest of the document, both in canonical form.
func hashes(tree map[string]any, p options) ([]byte, error) {
	canonical, err := canonicalise(tree)
	if err != nil {
		return nil, err
	}
	o, d := sha256.Sum256([]byte(p.canonical())), sha256.Sum256([]byte(canonical))
	return slices.Concat(o[:], d[:]), nil
}

// canonical writes the options as canonical N-Quads. The six members are
// fixed, so the lines are too; a test compares them with what json-gold makes of the same proof.
func (p options) canonical() string {
	return `_:c14n0 <http://purl.org/dc/terms/created> "` + p.created + `"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
_:c14n0 <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <https://w3id.org/security#DataIntegrityProof> .
_:c14n0 <https://w3id.org/security#cryptosuite> "` + suite + `"^^<https://w3id.org/security#cryptosuiteString> .
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
	c := census{nodes: map[string]bool{}}
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

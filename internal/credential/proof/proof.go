// Package proof signs credentials with eddsa-rdfc-2022 and eddsa-jcs-2022 and checks such proofs.
//
// Verification is strict on purpose: it accepts what Banyan itself would
// sign, and refuses everything that another reader might understand otherwise.
package proof

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mr-tron/base58"

	"github.com/banyan-lms/banyan/internal/signing"
)

// The reasons to refuse a document.
var (
	ErrForm      = errors.New("form")    // not strict JSON, an unknown term, something that no signature covers
	ErrContext   = errors.New("context") // other contexts than the known ones, or in another order
	ErrProof     = errors.New("proof")   // absent, stripped, twice, of another suite, malformed
	ErrPurpose   = errors.New("purpose") // signed for something else
	ErrMethod    = errors.New("method")  // unknown key, not the issuer's, not valid when it signed
	ErrRevoked   = fmt.Errorf("%w: revoked key", ErrMethod)
	ErrSignature = errors.New("signature") // changed after it was signed
	// ErrUnsupported goes with another one when a document may be good, but is of a kind that VerifyAny cannot judge.
	ErrUnsupported = errors.New("unsupported")
)

// Method is a verification method: a key and whose it is.
type Method struct {
	Controller string // the DID that the key speaks for
	Multikey   string
	NotBefore  time.Time
	NotAfter   time.Time // zero: still in use
	Revoked    time.Time // what says that it was signed then or later does not count; zero: not revoked
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
	Suites  []string // whose proofs were there and held, in the document's order
	// Revoked tells that the key was revoked later than this was signed. Who
	// stole the key can write any time into a proof: a stranger should say so. Zero: not revoked.
	Revoked time.Time
	// Expires is when the proof itself ends, if it says so. Ours do not.
	Expires time.Time
	// Passed names the suites of proofs that VerifyAny left aside because it does not know them.
	Passed []string
}

// The suites. Both are Ed25519 over SHA-256; they differ in the canonical form
// of what is signed: RDF statements, or the JSON as it stands.
const (
	RDFC = "eddsa-rdfc-2022"
	JCS  = "eddsa-jcs-2022"
)

const (
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

// Sign adds two proofs to an unsigned credential, as a proof array: first
// eddsa-rdfc-2022, which other verifiers know best, then eddsa-jcs-2022, which a
// phone can check without JSON-LD. Each signs the document without any proof, so neither
// depends on the other. Method is the DID URL of the signer's key, under the
// issuer's DID. What Verify would refuse is not signed.
func Sign(doc []byte, s Signer, method string, created time.Time) ([]byte, error) {
	tree, err := decode(doc, ours)
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
	if !belongs(method, issuer) || !isIRI(method) {
		return nil, fmt.Errorf("%w: %s is not under %s", ErrMethod, method, issuer)
	}
	o := options{FormatTime(created), method}
	proofs := make([]any, 0, 2)
	for _, suite := range []string{RDFC, JCS} {
		message, err := messages[suite](tree, o)
		if err != nil {
			return nil, err
		}
		sig, err := s.Sign(message)
		if err != nil {
			return nil, err
		}
		p := o.members(suite)
		if suite == JCS {
			p["@context"] = tree["@context"]
		}
		p["proofValue"] = "z" + base58.Encode(sig)
		proofs = append(proofs, p)
	}
	raw, err := json.Marshal(proofs)
	if err != nil {
		return nil, err
	}
	// The document keeps its order of members: the proof goes in before the last brace.
	out := bytes.TrimSuffix(bytes.TrimRight(doc, " \t\r\n"), []byte("}"))
	return slices.Concat(out, []byte(`,"proof":`), raw, []byte("}")), nil
}

// messages gives for each suite what is signed.
var messages = map[string]func(tree map[string]any, o options) ([]byte, error){RDFC: rdfcMessage, JCS: jcsMessage}

// Verify checks the proofs of a credential, in whatever order they stand. All must hold, and be by one key at one time.
// A document must carry both suites; eddsa-rdfc-2022 alone is enough for
// the forms that were signed before there were two (see single). It says who signed, not whether
// the credential has expired or was revoked.
func Verify(ctx context.Context, doc []byte, r Resolver) (Verified, error) {
	tree, err := decode(doc, ours)
	if err != nil {
		return Verified{}, err
	}
	if err := checkContexts(tree); err != nil {
		return Verified{}, err
	}
	proofs, err := takeProofs(tree)
	if err != nil {
		return Verified{}, err
	}
	issuer, err := issuerOf(tree)
	if err != nil {
		return Verified{}, err
	}
	o := proofs[0].options
	v := Verified{Issuer: issuer, Method: o.method}
	if v.Created, err = ParseTime(o.created); err != nil {
		return Verified{}, err
	}
	public, err := v.key(ctx, r)
	if err != nil {
		return Verified{}, err
	}
	for _, p := range proofs {
		message, err := messages[p.suite](tree, p.options)
		if err != nil {
			return Verified{}, err
		}
		if !ed25519.Verify(public, message, p.value) {
			return Verified{}, fmt.Errorf("%w: %s", ErrSignature, p.suite)
		}
		v.Suites = append(v.Suites, p.suite)
	}
	return v, nil
}

// key gives the public key of the method, if it is the issuer's and was in force at the time of signing.
func (v *Verified) key(ctx context.Context, r Resolver) (ed25519.PublicKey, error) {
	m, err := r.ResolveMethod(ctx, v.Method)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMethod, err)
	}
	if m.Controller != v.Issuer || !belongs(v.Method, v.Issuer) {
		return nil, fmt.Errorf("%w: %s speaks for %s, not for %s", ErrMethod, v.Method, m.Controller, v.Issuer)
	}
	if v.Created.IsZero() && (!m.NotAfter.IsZero() || !m.Revoked.IsZero()) {
		return nil, fmt.Errorf("%w: %s is not in force any more, and the proof does not say when it was made", ErrMethod, v.Method)
	}
	// The proof carries whole seconds.
	if !v.Created.IsZero() && v.Created.Before(m.NotBefore.Truncate(time.Second)) || !m.NotAfter.IsZero() && v.Created.After(m.NotAfter) {
		return nil, fmt.Errorf("%w: %s was not valid at %s", ErrMethod, v.Method, FormatTime(v.Created))
	}
	if !m.Revoked.IsZero() && !v.Created.Before(m.Revoked.Truncate(time.Second)) {
		return nil, fmt.Errorf("%w: %s since %s", ErrRevoked, v.Method, FormatTime(m.Revoked))
	}
	v.Revoked = m.Revoked
	public, err := signing.DecodeMultikey(m.Multikey)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMethod, err)
	}
	return public, nil
}

// options are the parts of a proof that vary and that are signed.
type options struct{ created, method string }

// members gives the options as the members of a proof.
func (o options) members(suite string) map[string]any {
	return map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": suite, "proofPurpose": purpose,
		"created": o.created, "verificationMethod": o.method,
	}
}

// part is one proof of a document.
type part struct {
	options
	suite string
	value []byte
}

// takeProofs removes the proofs from the tree and gives what they say.
func takeProofs(tree map[string]any) ([]part, error) {
	list, ok := tree["proof"].([]any)
	if !ok || len(list) > 2 {
		return nil, fmt.Errorf("%w: not an array of one or two", ErrProof)
	}
	delete(tree, "proof")
	var out []part
	has := map[string]bool{}
	for _, v := range list {
		p, err := takeProof(v, tree["@context"])
		if err != nil {
			return nil, err
		}
		if has[p.suite] {
			return nil, fmt.Errorf("%w: %s twice", ErrProof, p.suite)
		}
		if len(out) > 0 && p.options != out[0].options {
			return nil, fmt.Errorf("%w: proofs of different keys or times", ErrProof)
		}
		has[p.suite] = true
		out = append(out, p)
	}
	if !has[RDFC] || !has[JCS] && !single(tree) {
		return nil, fmt.Errorf("%w: one was taken away", ErrProof)
	}
	return out, nil
}

// single tells whether eddsa-rdfc-2022 alone is enough: for an achievement with
// one status entry or none, the only form before there were two proofs, and for a status
// list. That an issuer signs with both is thus said by what remains
// signed when a proof is taken away, and not by anything beside the document.
func single(tree map[string]any) bool {
	types, _ := tree["type"].([]any)
	if slices.Contains(types, any("BitstringStatusListCredential")) {
		return true
	}
	status, _ := tree["credentialStatus"].([]any) // an array of one says the same as its member
	return slices.Contains(types, any("AchievementCredential")) && len(status) < 2
}

func takeProof(v, contexts any) (part, error) {
	bad := func(why string, args ...any) (part, error) {
		return part{}, fmt.Errorf("%w: "+why, append([]any{ErrProof}, args...)...)
	}
	p, ok := v.(map[string]any)
	if !ok {
		return bad("not an object")
	}
	text := func(key string) string { s, _ := p[key].(string); return s }
	suite := text("cryptosuite")
	if text("type") != "DataIntegrityProof" || messages[suite] == nil {
		return bad("type %v, suite %v", p["type"], p["cryptosuite"])
	}
	members := 6
	if suite == JCS {
		// The specification lets a proof name fewer contexts than the document. Ours names all.
		if members++; !reflect.DeepEqual(p["@context"], contexts) {
			return bad("contexts %v", p["@context"])
		}
	}
	if len(p) != members {
		return bad("not the known members")
	}
	if text("proofPurpose") != purpose {
		return part{}, fmt.Errorf("%w: %v", ErrPurpose, p["proofPurpose"])
	}
	if !isIRI(text("verificationMethod")) {
		return bad("method %v", p["verificationMethod"])
	}
	sig, ok := decodeValue(text("proofValue"))
	if !ok {
		return bad("value")
	}
	return part{options{text("created"), text("verificationMethod")}, suite, sig}, nil
}

// decodeValue reads a signature in its one canonical form.
func decodeValue(s string) ([]byte, bool) {
	// Base58 decoding costs the square of the length.
	b58, ok := strings.CutPrefix(s, "z")
	if !ok || len(b58) > 90 {
		return nil, false
	}
	sig, err := base58.Decode(b58)
	return sig, err == nil && len(sig) == ed25519.SignatureSize && base58.Encode(sig) == b58
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

package proof

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// VerifyAny checks a credential of any issuer: Open Badges 3.0 or another credential of VC
// 2.0, signed with eddsa-rdfc-2022 or eddsa-jcs-2022. All proofs of these two suites must
// hold and be by keys of the issuer; proofs of other suites are left aside and
// named in Verified.Passed, and at least one must be known. Contexts are the
// bundled ones and no others: nothing is fetched. What no context knows is
// refused at every level, whatever the suite, since nobody could say what it means. Several
// subjects, proof chains, several things of one id and credentials with contexts of their own within the credential are refused.
// What may be good but cannot be judged here is ErrUnsupported, beside the reason.
//
// The resolver's methods have NotBefore, NotAfter and Revoked where they are known. A proof
// that does not say when it was made counts only under a key that was never retired or revoked.
func VerifyAny(ctx context.Context, doc []byte, r Resolver) (Verified, error) {
	tree, err := decode(doc, foreign)
	if err != nil {
		return Verified{}, err
	}
	if err := checkForeign(tree); err != nil {
		return Verified{}, err
	}
	issuer, err := anyIssuer(tree)
	if err != nil {
		return Verified{}, err
	}
	list, ok := tree["proof"].([]any)
	if one, isObject := tree["proof"].(map[string]any); isObject {
		list, ok = []any{one}, true
	}
	if !ok || len(list) == 0 || len(list) > 8 {
		return Verified{}, fmt.Errorf("%w: none, or more than 8", ErrProof)
	}
	delete(tree, "proof")
	canonical := ""
	if d, err := quadsOf(tree, false); err != nil {
		return Verified{}, err
	} else if canonical, err = d.canonical(); err != nil {
		return Verified{}, err
	}
	v := Verified{Issuer: issuer}
	for _, p := range list {
		if err := v.check(ctx, tree, canonical, p, r); err != nil {
			return Verified{}, err
		}
	}
	if len(v.Suites) == 0 {
		return Verified{}, fmt.Errorf("%w: %w: only of unknown suites: %v", ErrUnsupported, ErrProof, v.Passed)
	}
	return v, nil
}

// check checks one proof and writes down what it says. Of several proofs the first one's key and time count.
func (v *Verified) check(ctx context.Context, tree map[string]any, canonical string, proof any, r Resolver) error {
	p, ok := proof.(map[string]any)
	if !ok {
		return fmt.Errorf("%w: not an object", ErrProof)
	}
	text := func(key string) string { s, _ := p[key].(string); return s }
	suite := text("cryptosuite")
	if text("type") != "DataIntegrityProof" || suite != RDFC && suite != JCS {
		v.Passed = append(v.Passed, strings.TrimSpace(text("type")+" "+suite))
		return nil
	}
	for k, value := range p {
		switch k {
		case "type", "cryptosuite", "proofPurpose", "proofValue", "verificationMethod", "created", "expires", "id", "nonce", "domain", "challenge":
			if _, ok := value.(string); !ok {
				return fmt.Errorf("%w: %s is no text", ErrProof, k)
			}
		case "@context":
			if suite != JCS || !startsWith(tree["@context"], value) {
				return fmt.Errorf("%w: contexts %v", ErrProof, value)
			}
		default:
			return fmt.Errorf("%w: member %s", ErrProof, k)
		}
	}
	if text("proofPurpose") != purpose {
		return fmt.Errorf("%w: %v", ErrPurpose, p["proofPurpose"])
	}
	sig, ok := decodeValue(text("proofValue"))
	if !ok {
		return fmt.Errorf("%w: value", ErrProof)
	}
	one := Verified{Issuer: v.Issuer, Method: text("verificationMethod")}
	var err error
	if one.Created, err = anyTime(text("created")); err != nil {
		return err
	}
	if one.Expires, err = anyTime(text("expires")); err != nil {
		return err
	}
	public, err := one.key(ctx, r)
	if err != nil {
		return err
	}
	message, err := anyMessage(tree, canonical, p, suite)
	if err != nil {
		return err
	}
	if !ed25519.Verify(public, message, sig) {
		return fmt.Errorf("%w: %s", ErrSignature, suite)
	}
	if len(v.Suites) == 0 {
		v.Method, v.Created = one.Method, one.Created
	}
	if v.Revoked.IsZero() {
		v.Revoked = one.Revoked
	}
	if v.Expires.IsZero() || !one.Expires.IsZero() && one.Expires.Before(v.Expires) {
		v.Expires = one.Expires
	}
	v.Suites = append(v.Suites, suite)
	return nil
}

// anyMessage is what a proof of another issuer signs: its options are whatever members it has but the value.
func anyMessage(tree map[string]any, canonical string, p map[string]any, suite string) ([]byte, error) {
	config := map[string]any{}
	for k, v := range p {
		if k != "proofValue" {
			config[k] = v
		}
	}
	if suite == RDFC {
		config["@context"] = tree["@context"]
		d, err := quadsOf(config, false)
		if err != nil {
			return nil, err
		}
		head, err := d.canonical()
		if err != nil {
			return nil, err
		}
		return digests([]byte(head), []byte(canonical)), nil
	}
	head, err := jcsForm(config)
	if err != nil {
		return nil, err
	}
	// What is signed has the proof's contexts, where it names any.
	if c, ok := p["@context"]; ok {
		signed := make(map[string]any, len(tree))
		for k, v := range tree {
			signed[k] = v
		}
		signed["@context"] = c
		tree = signed
	}
	body, err := jcsForm(tree)
	if err != nil {
		return nil, err
	}
	return digests(head, body), nil
}

// startsWith tells whether a document's contexts begin with those of the proof. We ask for all
// of them: a context that is not signed could change what the words mean.
func startsWith(doc, proof any) bool {
	d, p := names(doc), names(proof)
	return len(p) > 0 && slices.Equal(d, p)
}

// names gives addresses that stand alone or in an array; nil when something else is among them.
func names(v any) []string {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		out = append(out, s)
	}
	return out
}

func checkForeign(tree map[string]any) error {
	list := names(tree["@context"])
	if slices.Index(list, CredentialsV2) > 0 {
		return fmt.Errorf("%w: not in their order: %v", ErrContext, list) // whatever else they are, the data model forbids it
	}
	if len(list) == 0 || len(list) > 4 || list[0] != CredentialsV2 {
		return fmt.Errorf("%w: %w: %v", ErrUnsupported, ErrContext, tree["@context"])
	}
	l, err := contexts()
	if err != nil {
		return err
	}
	for i, c := range list {
		if _, ok := l[c]; !ok || slices.Contains(list[:i], c) {
			return fmt.Errorf("%w: %w: %q", ErrUnsupported, ErrContext, c)
		}
	}
	types := names(tree["type"])
	if !slices.Contains(types, "VerifiableCredential") {
		return fmt.Errorf("%w: not a credential: %v", ErrForm, tree["type"])
	}
	if subjects, ok := tree["credentialSubject"].([]any); ok && len(subjects) != 1 {
		return fmt.Errorf("%w: %w: %d subjects", ErrUnsupported, ErrForm, len(subjects))
	}
	return nil
}

// anyIssuer gives the issuer's address: a DID or a page.
func anyIssuer(tree map[string]any) (string, error) {
	id, ok := tree["issuer"].(string)
	if profile, isObject := tree["issuer"].(map[string]any); isObject {
		id, ok = profile["id"].(string)
	}
	if ok && strings.HasPrefix(id, "did:") && !strings.ContainsAny(id, "#?/") && isIRI(id) {
		return id, nil
	}
	if u, err := url.Parse(id); ok && err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Fragment == "" && isIRI(id) {
		return id, nil
	}
	return "", fmt.Errorf("%w: issuer %v", ErrForm, tree["issuer"])
}

// anyTime reads a time in any form that RFC 3339 has; zero when there is none.
func anyTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.IsZero() {
		return time.Time{}, fmt.Errorf("%w: time %q", ErrForm, s)
	}
	return t.UTC(), nil
}

// Understand reads an unsigned credential of any issuer as strictly as VerifyAny
// does, and tells whether every word of it means something. It says who the issuer is, and nothing about who signed it. A
// proof in it is passed over.
func Understand(doc []byte) (tree map[string]any, issuer string, err error) {
	if tree, err = decode(doc, foreign); err != nil {
		return nil, "", err
	}
	if err := checkForeign(tree); err != nil {
		return nil, "", err
	}
	if issuer, err = anyIssuer(tree); err != nil {
		return nil, "", err
	}
	proof, signed := tree["proof"]
	delete(tree, "proof")
	if _, err := quadsOf(tree, false); err != nil {
		return nil, "", err
	}
	if signed {
		tree["proof"] = proof
	}
	return tree, issuer, nil
}

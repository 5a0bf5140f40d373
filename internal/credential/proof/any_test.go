package proof_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/signing"
)

// A credential as other programs write them: one context more, types and proof without an array, a page as issuer, fractions,
// a text in a named language.
const another = `{
  "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "https://w3id.org/security/data-integrity/v2"],
  "id": "urn:uuid:91537dba-56cb-11ec-bf63-0242ac130002",
  "type": ["VerifiableCredential", "OpenBadgeCredential"],
  "name": {"@value": "Teamwork", "@language": "en"},
  "issuer": "https://issuer.example/profiles/1",
  "validFrom": "2024-01-01T00:00:00+01:00",
  "credentialSubject": [{
    "id": "did:example:holder",
    "type": "AchievementSubject",
    "creditsEarned": 1.5,
    "achievement": {
      "id": "https://issuer.example/achievements/1", "type": "Achievement", "name": "Teamwork", "description": "Works\twell", "criteria": {"narrative": "Seen"},
      "tag": [], "creditsAvailable": 36.0
    }
  }],
  "evidence": [{"id": "https://issuer.example/evidence/1", "type": ["Evidence"], "name": "A film"}]
}`

// foreignSigned signs as the specification says, with nothing of package
// proof but the canonical forms.
func foreignSigned(t testing.TB, doc, suite, options string) ([]byte, methods) {
	t.Helper()
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal([]byte(doc), &tree); err != nil {
		t.Fatal(err)
	}
	issuer, ok := tree["issuer"].(string)
	if !ok {
		issuer = tree["issuer"].(map[string]any)["id"].(string)
	}
	method := issuer + "#" + k.Multikey()
	p := map[string]any{"type": "DataIntegrityProof", "cryptosuite": suite, "verificationMethod": method, "proofPurpose": "assertionMethod"}
	var more map[string]any
	if err := json.Unmarshal([]byte(options), &more); err != nil {
		t.Fatal(err)
	}
	maps.Copy(p, more)
	// What does not even decode needs no good signature to be refused.
	message, err := proof.ForeignMessage([]byte(doc), p)
	if err != nil {
		message = []byte(err.Error())
	}
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	p["proofValue"] = proof.EncodeValue(sig)
	tree["proof"] = p
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return out, methods{method: {Controller: issuer, Multikey: k.Multikey()}}
}

func TestVerifyAny(t *testing.T) {
	contexts := `{"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "https://w3id.org/security/data-integrity/v2"]`
	for name, tt := range map[string]struct{ suite, options string }{
		"rdfc":                 {proof.RDFC, `{"created": "2024-01-01T00:00:00Z"}`},
		"rdfc without a time":  {proof.RDFC, `{}`},
		"rdfc with an expiry":  {proof.RDFC, `{"created": "2024-01-01T00:00:00.25+02:00", "expires": "2034-01-01T00:00:00Z"}`},
		"jcs":                  {proof.JCS, contexts + `, "created": "2024-01-01T00:00:00Z"}`},
		"jcs without contexts": {proof.JCS, `{"created": "2024-01-01T00:00:00Z", "id": "urn:uuid:1", "nonce": "x"}`},
	} {
		t.Run(name, func(t *testing.T) {
			doc, keys := foreignSigned(t, another, tt.suite, tt.options)
			v, err := proof.VerifyAny(t.Context(), doc, keys)
			if err != nil {
				t.Fatal(err)
			}
			if v.Issuer != "https://issuer.example/profiles/1" || keys[v.Method].Controller != v.Issuer || !slices.Equal(v.Suites, []string{tt.suite}) || len(v.Passed) != 0 {
				t.Errorf("%+v", v)
			}
			if strings.Contains(tt.options, "expires") != !v.Expires.IsZero() || strings.Contains(tt.options, "created") == v.Created.IsZero() {
				t.Errorf("times %+v", v)
			}
			for old, other := range map[string]string{
				"Teamwork": "Teamwerk", `"en"`: `"fr"`, "1.5": "1.75", "36": "35", `"evidence":[`: `"evidence":[{"type":["Evidence"]},`,
				"2024-01-01T00:00:00+01:00": "2024-01-01T00:00:00Z", "did:example:holder": "did:example:other", "assertionMethod": "authentication",
				"DataIntegrityProof": "DataIntegrityProof2", `"name":"A film"`: `"name":"A film","duration":"x"`, `"tag":[]`: `"tag":["x"]`, `"tag":`: `"tags":`,
				`well"`: `well","@direction":"rtl"`, "extensions.json": "extensions2.json", `"AchievementSubject"`: `["AchievementSubject","Hero"]`,
				"https://issuer.example/profiles/1\"": "https://issuer.example/profiles/2\"", "urn:uuid:91537dba-56cb-11ec-bf63-0242ac130002": "91537dba",
			} {
				changed := strings.Replace(string(doc), old, other, 1)
				if changed == string(doc) {
					t.Fatalf("%s is not there: %s", old, doc)
				}
				if _, err := proof.VerifyAny(t.Context(), []byte(changed), keys); err == nil {
					t.Errorf("%s for %s is accepted", other, old)
				}
			}
		})
	}
}

// What is ours is a case of any.
func TestVerifyAnyTakesOurs(t *testing.T) {
	doc, keys := signed(t, unsigned)
	v, err := proof.VerifyAny(t.Context(), doc, keys)
	if err != nil || len(v.Suites) != 2 || v.Issuer != did || !v.Created.Equal(created) {
		t.Fatalf("%+v, %v", v, err)
	}
}

func TestVerifyAnyRefuses(t *testing.T) {
	sign := func(old, other string) ([]byte, methods) {
		t.Helper()
		doc := strings.Replace(another, old, other, 1)
		if doc == another {
			t.Fatalf("%q is not there", old)
		}
		return foreignSigned(t, doc, proof.JCS, `{"created": "2024-01-01T00:00:00Z"}`)
	}
	// All of these are signed, and well, if they are JSON that decodes: eddsa-jcs-2022 signs whatever stands there.
	for name, tt := range map[string]struct {
		old, other string
		want       error
	}{
		"a context of its own":      {`"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"`, `"https://issuer.example/context.json"`, proof.ErrUnsupported},
		"a context that is a table": {`"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"`, `{"@vocab": "urn:x:"}`, proof.ErrForm},
		"one context twice":         {`extensions.json`, `context-3.0.2.json`, proof.ErrForm},
		"version 1 of the model":    {`"https://www.w3.org/ns/credentials/v2"`, `"https://www.w3.org/2018/credentials/v1"`, proof.ErrContext},
		"terms that nobody defines": {`"https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"`, `"https://www.w3.org/ns/credentials/undefined-terms/v2"`, proof.ErrContext},
		"an unknown term":           {`"evidence"`, `"honours": "all", "evidence"`, proof.ErrForm},
		"an unknown term, deep":     {`"description"`, `"honours": "all", "description"`, proof.ErrForm},
		"an unknown type":           {`"OpenBadgeCredential"`, `"OpenBadgeCredential", "Honours"`, proof.ErrForm},
		"a relative id":             {`"urn:uuid:91537dba-56cb-11ec-bf63-0242ac130002"`, `"credentials/1"`, proof.ErrForm},
		"a blank id":                {`"urn:uuid:91537dba-56cb-11ec-bf63-0242ac130002"`, `"_:b0"`, proof.ErrForm},
		"two subjects":              {`"credentialSubject": [`, `"credentialSubject": [{"id": "did:example:2"},`, proof.ErrUnsupported},
		"no subject":                {`"credentialSubject": [`, `"credentialSubject": [], "evidence": [`, proof.ErrForm},
		"null":                      {`"tag": []`, `"tag": null`, proof.ErrForm},
		"two things of one id":      {`"https://issuer.example/evidence/1"`, `"https://issuer.example/achievements/1"`, proof.ErrUnsupported},
		"the same thing twice":      {`"evidence": [`, `"evidence": [{"id": "https://issuer.example/evidence/1", "type": ["Evidence"], "name": "A film"},`, proof.ErrForm},
		"the same name twice":       {`"evidence": [`, `"evidence": [{"id": "https://issuer.example/evidence/2"}, {"id": "https://issuer.example/evidence/2"},`, proof.ErrForm},
		"a credential within":       {`"tag": []`, `"endorsement": [{"@context": ["https://www.w3.org/ns/credentials/v2"], "type": ["VerifiableCredential"]}]`, proof.ErrUnsupported},
		"not a credential":          {`["VerifiableCredential", "OpenBadgeCredential"]`, `"OpenBadgeCredential"`, proof.ErrForm},
		"a presentation":            {`"OpenBadgeCredential"`, `"VerifiablePresentation"`, proof.ErrForm},
		"a long fraction":           {`1.5`, `1.50000000000001`, proof.ErrForm},
		"an exponent":               {`1.5`, `1e-9`, proof.ErrForm},
		"a direction":               {`"@language": "en"`, `"@language": "en", "@direction": "ltr"`, proof.ErrForm},
		"a language that is none":   {`"@language": "en"`, `"@language": "e n"`, proof.ErrForm},
	} {
		t.Run(name, func(t *testing.T) {
			doc, keys := sign(tt.old, tt.other)
			if _, err := proof.VerifyAny(t.Context(), doc, keys); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
}

func TestVerifyAnyProofs(t *testing.T) {
	doc, keys := foreignSigned(t, another, proof.RDFC, `{"created": "2024-01-01T00:00:00Z"}`)
	method := slices.Collect(maps.Keys(keys))[0]
	when := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	with := func(change func(doc, p map[string]any)) []byte {
		var tree map[string]any
		if err := json.Unmarshal(doc, &tree); err != nil {
			t.Fatal(err)
		}
		change(tree, tree["proof"].(map[string]any))
		out, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	unknown := map[string]any{"type": "DataIntegrityProof", "cryptosuite": "ecdsa-rdfc-2019", "proofPurpose": "assertionMethod", "proofValue": "z1", "verificationMethod": "did:key:z1#z1"}
	tests := map[string]struct {
		doc  []byte
		keys proof.Resolver
		want error
	}{
		"as it is":                   {doc, keys, nil},
		"in an array":                {with(func(d, p map[string]any) { d["proof"] = []any{p} }), keys, nil},
		"an unknown suite beside it": {with(func(d, p map[string]any) { d["proof"] = []any{unknown, p} }), keys, nil},
		"an unknown suite only":      {with(func(d, _ map[string]any) { d["proof"] = unknown }), keys, proof.ErrUnsupported},
		"none":                       {with(func(d, _ map[string]any) { delete(d, "proof") }), keys, proof.ErrProof},
		"nine":                       {with(func(d, _ map[string]any) { d["proof"] = slices.Repeat([]any{unknown}, 9) }), keys, proof.ErrProof},
		"a good and a bad one": {with(func(d, p map[string]any) {
			bad := maps.Clone(p)
			bad["created"] = "2024-01-02T00:00:00Z"
			d["proof"] = []any{p, bad}
		}), keys, proof.ErrSignature},
		"a chain":                         {with(func(_, p map[string]any) { p["previousProof"] = "urn:x:y" }), keys, proof.ErrProof},
		"by a key that nobody knows":      {doc, methods{}, proof.ErrMethod},
		"by a key of another":             {doc, methods{method: {Controller: "https://issuer.example/profiles/2", Multikey: keys[method].Multikey}}, proof.ErrMethod},
		"made before the key":             {doc, with2(keys, method, func(m *proof.Method) { m.NotBefore = when.Add(time.Hour) }), proof.ErrMethod},
		"made after the key":              {doc, with2(keys, method, func(m *proof.Method) { m.NotAfter = when.Add(-time.Hour) }), proof.ErrMethod},
		"made after the key was revoked":  {doc, with2(keys, method, func(m *proof.Method) { m.Revoked = when }), proof.ErrRevoked},
		"made before the key was revoked": {doc, with2(keys, method, func(m *proof.Method) { m.Revoked = when.Add(time.Hour) }), nil},
		"with a context in it":            {with(func(d, p map[string]any) { p["@context"] = d["@context"] }), keys, proof.ErrProof},
		"with a number in it":             {with(func(_, p map[string]any) { p["nonce"] = 1 }), keys, proof.ErrProof},
		"the other suite":                 {with(func(_, p map[string]any) { p["cryptosuite"] = proof.JCS }), keys, proof.ErrSignature},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := proof.VerifyAny(t.Context(), tt.doc, tt.keys); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
	// Who does not say when cannot be told from who came after the end.
	timeless, keys := foreignSigned(t, another, proof.RDFC, `{}`)
	method = slices.Collect(maps.Keys(keys))[0]
	for name, change := range map[string]func(m *proof.Method){
		"retired": func(m *proof.Method) { m.NotAfter = when },
		"revoked": func(m *proof.Method) { m.Revoked = when },
	} {
		if _, err := proof.VerifyAny(t.Context(), timeless, with2(keys, method, change)); !errors.Is(err, proof.ErrMethod) {
			t.Errorf("%s, without a time: %v", name, err)
		}
	}
}

// eddsa-jcs-2022 is over the JSON as its author wrote it. It is made here from the bytes alone: what package proof reads of them must be the same.
func TestJCSIsOverTheJSONAsItStands(t *testing.T) {
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://issuer.example/profiles/1"
	keys := methods{issuer + "#key": {Controller: issuer, Multikey: k.Multikey()}}
	digest := func(raw string) []byte {
		canonical, err := jcs.Transform([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(canonical)
		return sum[:]
	}
	for name, doc := range map[string]string{
		"as it is":             another,
		"empty arrays":         strings.Replace(another, `"tag": []`, `"tag": [ ], "resultDescription": [], "alignment":[]`, 1),
		"arrays of one":        strings.Replace(another, `"tag": []`, `"tag": ["a"]`, 1),
		"letters that escape":  strings.Replace(another, `Works\twell`, `<a href=\u0022x\u0022>&\u2028\/\u00e9é😀\ud83d\ude00\r\n`, 1),
		"numbers":              strings.Replace(strings.Replace(another, "1.5", "100.125", 1), "36.0", "-7.000000", 1),
		"no and yes":           strings.Replace(another, `"type": "AchievementSubject"`, `"type": "AchievementSubject", "identifier": {"type": "IdentityObject", "hashed": false, "identityHash": "x", "identityType": "name"}`, 1),
		"another order":        strings.Replace(strings.Replace(another, `"evidence": [{"id": "https://issuer.example/evidence/1", "type": ["Evidence"], "name": "A film"}]`, `"description": "x"`, 1), `"id": "urn:uuid`, `"evidence": [{"name": "A film", "type": ["Evidence"], "id": "https://issuer.example/evidence/1"}], "id": "urn:uuid`, 1),
		"many spaces and tabs": strings.ReplaceAll(another, ", ", " ,\t\n "),
	} {
		if doc == another && name != "as it is" {
			t.Fatalf("%s: nothing changed", name)
		}
		options := `{"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "verificationMethod": "` + issuer + `#key", "proofPurpose": "assertionMethod"}`
		sig, err := k.Sign(append(digest(options), digest(doc)...))
		if err != nil {
			t.Fatal(err)
		}
		p := strings.TrimSuffix(options, "}") + `, "proofValue": "` + proof.EncodeValue(sig) + `"}`
		if _, err := proof.VerifyAny(t.Context(), []byte(strings.TrimSuffix(doc, "}")+`, "proof": `+p+"}"), keys); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a context means is signed with the words: a proof that names fewer contexts than the document, others, or none as a list, covers less.
func TestContextsOfAProof(t *testing.T) {
	all := `"https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "https://w3id.org/security/data-integrity/v2"`
	for contexts, want := range map[string]error{
		"[" + all + "]": nil, `"https://www.w3.org/ns/credentials/v2"`: proof.ErrProof, `["https://www.w3.org/ns/credentials/v2"]`: proof.ErrProof, "[]": proof.ErrProof, `["https://issuer.example/context.json"]`: proof.ErrProof,
		`["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"]`:                              proof.ErrProof,
		"[" + all + `, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"]`:                                                         proof.ErrProof,
		strings.Replace("["+all+"]", "extensions.json", "extensions2.json", 1):                                                                proof.ErrProof,
		`["https://w3id.org/security/data-integrity/v2", ` + strings.TrimSuffix(all, `, "https://w3id.org/security/data-integrity/v2"`) + "]": proof.ErrProof,
	} {
		doc, keys := foreignSigned(t, another, proof.JCS, `{"created": "2024-01-01T00:00:00Z", "@context": `+contexts+`}`)
		if _, err := proof.VerifyAny(t.Context(), doc, keys); !errors.Is(err, want) {
			t.Errorf("%s: %v", contexts, err)
		}
	}
}

// A key counts for the issuer under whose name it stands, whatever who knows it says of its controller.
func TestAKeyStandsUnderItsIssuer(t *testing.T) {
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const issuer = "https://issuer.example/profiles/1"
	for method, want := range map[string]error{
		issuer + "#key": nil, issuer + "#": proof.ErrMethod, issuer: proof.ErrMethod, issuer + "/#key": proof.ErrMethod, issuer + "1#key": proof.ErrMethod, issuer + "?#key": proof.ErrMethod, "#key": proof.ErrMethod, "key": proof.ErrMethod, "": proof.ErrMethod,
		"https://issuer.example/profiles/2#key": proof.ErrMethod, "https://issuer.example/#key": proof.ErrMethod, "did:key:x#" + issuer + "#key": proof.ErrMethod, "HTTPS://issuer.example/profiles/1#key": proof.ErrMethod,
	} {
		doc, keys := foreignSigned(t, another, proof.JCS, `{"verificationMethod": "`+method+`", "created": "2024-01-01T00:00:00Z"}`)
		vouched := methods{method: slices.Collect(maps.Values(keys))[0]}
		if _, err := proof.VerifyAny(t.Context(), doc, vouched); !errors.Is(err, want) {
			t.Errorf("%q: %v", method, err)
		}
	}
	// The same by our own rules, of which Sign would not let us make such a document.
	doc, keys := signed(t, unsigned)
	own := slices.Collect(maps.Keys(keys))[0]
	for _, method := range []string{did + "x#" + k.Multikey(), did + ":x#" + k.Multikey(), "did:web:example.org#" + k.Multikey()} {
		m := keys[own]
		if _, err := proof.Verify(t.Context(), []byte(strings.ReplaceAll(string(doc), own, method)), methods{method: m}); !errors.Is(err, proof.ErrMethod) {
			t.Errorf("%s: %v", method, err)
		}
	}
}

func with2(keys methods, id string, change func(m *proof.Method)) methods {
	out := maps.Clone(keys)
	m := out[id]
	change(&m)
	out[id] = m
	return out
}

// Things that look alike make canonicalising cost the factorial of their number. Nobody needs to have signed
// such a document to send it.
func TestThingsThatLookAlikeEndSoon(t *testing.T) {
	alike := func(n int) string {
		one := `{"type":["ResultDescription"],"name":"x","alignment":[` + strings.Repeat(`{"type":["Alignment"],"targetName":"x"},`, n-1) + `{"type":["Alignment"],"targetName":"x"}]}`
		return strings.Replace(another, `"tag": []`, `"resultDescription": [`+one+","+one+`]`, 1)
	}
	tree := strings.TrimSuffix(alike(30), "}") + `,"proof":{"type":"DataIntegrityProof","cryptosuite":"eddsa-rdfc-2022","proofPurpose":"assertionMethod","proofValue":"z1","verificationMethod":"x"}}`
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := proof.VerifyAny(ctx, []byte(tree), methods{}); !errors.Is(err, proof.ErrForm) || !strings.Contains(err.Error(), "alike") {
		t.Errorf("error is %v", err)
	}
	// A few are nothing strange.
	few, keys := foreignSigned(t, alike(4), proof.RDFC, `{}`)
	if _, err := proof.VerifyAny(ctx, few, keys); err != nil {
		t.Error(err)
	}
}

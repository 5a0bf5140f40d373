package verifier_test

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
)

const (
	version1  = "https://www.w3.org/2018/credentials/v1"
	integrity = "https://w3id.org/security/data-integrity/v2"
)

// endorsement is a credential about something in another one, with contexts and a proof of its own, as the specification's complete example has them.
func endorsement(of string) map[string]any {
	return map[string]any{
		"@context": []any{proof.CredentialsV2, proof.OpenBadges303, integrity},
		"id":       "https://council.example/endorsements/1", "type": []any{"VerifiableCredential", "EndorsementCredential"}, "name": "In good standing",
		"issuer":            map[string]any{"id": "https://council.example/issuers/1", "type": []any{"Profile"}, "name": "Council of schools"},
		"validFrom":         "2020-01-01T00:00:00Z",
		"credentialSubject": map[string]any{"id": of, "type": []any{"EndorsementSubject"}, "endorsementComment": "A school in good standing."},
		"proof": []any{map[string]any{
			"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "created": "2022-05-26T18:17:08Z", "proofPurpose": "assertionMethod",
			"verificationMethod": "https://council.example/issuers/1#1", "proofValue": "z2",
		}},
	}
}

// complete is a badge with every part that the specification's "Complete OpenBadgeCredential" has: a page as issuer, credentials within it, the
// issuer and the achievement told twice in different words, a revocation list, a refresh service, a schema.
func complete(change func(map[string]any)) map[string]any {
	const issuer, achievement = "https://college.example/issuers/1", "https://college.example/achievements/degree"
	profile := func(more map[string]any) map[string]any {
		p := map[string]any{
			"id": issuer, "type": []any{"Profile"}, "name": "College", "url": "https://college.example", "official": "Horace Mann",
			"image":           map[string]any{"id": "https://college.example/logo.png", "type": "Image", "caption": "Logo"},
			"address":         map[string]any{"type": []any{"Address"}, "addressCountry": "USA", "geo": map[string]any{"type": "GeoCoordinates", "latitude": 1.5, "longitude": 1.25}},
			"otherIdentifier": []any{map[string]any{"type": "IdentifierEntry", "identifier": "12345", "identifierType": "sourcedId"}},
			"parentOrg":       map[string]any{"id": "did:example:123456789", "type": []any{"Profile"}, "name": "Colleges"},
		}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	level := map[string]any{"id": "urn:uuid:d05a0867-d0ad-4b03-bdb5-28fb5d2aab7a", "type": []any{"RubricCriterionLevel"}, "level": "Mastered", "name": "Mastery", "points": "4"}
	d := map[string]any{
		"@context": []any{proof.CredentialsV2, proof.OpenBadges303, extensions},
		"id":       "https://college.example/credentials/1", "type": []any{"VerifiableCredential", "OpenBadgeCredential"}, "name": "Degree", "description": "A degree",
		"image":  map[string]any{"id": "https://college.example/credentials/1/image", "type": "Image", "caption": "Degree"},
		"issuer": profile(map[string]any{"endorsement": []any{endorsement(issuer)}}), "validFrom": "2010-01-01T00:00:00Z", "validUntil": "2030-01-01T00:00:00Z",
		"credentialSubject": map[string]any{
			"id": "did:example:ebfeb1f712ebc6f1c276e12ec21", "type": []any{"AchievementSubject"}, "activityEndDate": "2010-01-02T00:00:00Z", "creditsEarned": 42.5, "role": "Tutor", "term": "Fall",
			"identifier": []any{map[string]any{"type": "IdentityObject", "identityHash": "student@college.example", "identityType": "emailAddress", "hashed": false, "salt": "not-used"}},
			"achievement": map[string]any{
				"id": achievement, "type": []any{"Achievement"}, "achievementType": "Degree", "name": "Degree", "description": "A degree", "creditsAvailable": 36.5, "tag": []any{"research", "computers"},
				"creator":  profile(map[string]any{"endorsement": []any{endorsement(issuer)}, "email": "registrar@college.example"}),
				"criteria": map[string]any{"id": achievement, "narrative": "Many courses."}, "endorsement": []any{endorsement(achievement)},
				"resultDescription": []any{map[string]any{
					"id": "urn:uuid:f6ab24cd-86e8-4eaf-b8c6-ded74e8fd41c", "type": []any{"ResultDescription"}, "name": "Grade", "resultType": "RubricCriterionLevel",
					"allowedValue": []any{"D", "C", "B", "A"}, "requiredLevel": level["id"], "rubricCriterionLevel": []any{level},
				}},
			},
			"result": []any{map[string]any{"type": []any{"Result"}, "resultDescription": "urn:uuid:f6ab24cd-86e8-4eaf-b8c6-ded74e8fd41c", "value": "A"}},
		},
		"endorsement":      []any{endorsement(issuer)},
		"evidence":         []any{map[string]any{"id": "https://college.example/evidence/1", "type": []any{"Evidence"}, "name": "Report", "narrative": "It was written."}},
		"credentialSchema": []any{map[string]any{"id": "https://purl.imsglobal.org/spec/ob/v3p0/schema/json/ob_v3p0_achievementcredential_schema.json", "type": "1EdTechJsonSchemaValidator2019"}},
		"credentialStatus": map[string]any{"id": "https://college.example/credentials/1/revocations", "type": "1EdTechRevocationList"},
		"refreshService":   map[string]any{"id": "https://college.example/credentials/1", "type": "1EdTechCredentialRefresh"},
	}
	if change != nil {
		change(d)
	}
	return d
}

// What W3C and 1EdTech publish as examples is answered for a true reason. Two are W3C's own files; 1EdTech's specification may not be passed
// on by everybody, so its examples, and those of its public validator, are told here in documents of the same make: contexts, types, members
// and kinds of proof are theirs, words and keys are not. docs/verifying.md lists them.
func TestPublishedExamples(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	s.set("/revocations", "application/json", s.revocationsOf(nil))
	at := noon.Add(-24 * time.Hour)
	file := func(name string) []byte {
		t.Helper()
		raw, err := os.ReadFile(filepath.Join("..", "proof", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	plain := func(d map[string]any) []byte { return []byte(toJSON(t, d)) }
	signed := func(d map[string]any) []byte { return signAsStranger(t, d, s.did, s.key, at) }
	ours := func(change func(map[string]any)) map[string]any { return badge(s.did, "", change) }
	contexts := func(list ...any) func(map[string]any) {
		return func(d map[string]any) { d["@context"] = list }
	}
	proven := func(d map[string]any, proofs ...any) []byte {
		d["proof"] = proofs
		return plain(d)
	}
	other := func(kind, suite string) map[string]any {
		p := map[string]any{"type": kind, "created": "2022-06-09T22:56:28Z", "proofPurpose": "assertionMethod", "verificationMethod": s.did + "#key-1", "proofValue": "z58ieJ"}
		if suite != "" {
			p["cryptosuite"] = suite
		}
		return p
	}
	page := func(d map[string]any) {
		d["issuer"] = map[string]any{"id": "https://college.example/issuers/1", "type": []any{"Profile"}, "name": "College"}
	}
	// Of the complete example one reason after the other is taken away.
	single := func(d map[string]any) {
		subject := d["credentialSubject"].(map[string]any)
		achievement := subject["achievement"].(map[string]any)
		for _, m := range []map[string]any{d, achievement, achievement["creator"].(map[string]any), d["issuer"].(map[string]any)} {
			delete(m, "endorsement")
		}
	}
	once := func(d map[string]any) {
		achievement := d["credentialSubject"].(map[string]any)["achievement"].(map[string]any)
		delete(achievement, "creator")
		achievement["criteria"] = map[string]any{"narrative": "Many courses."}
	}
	inName := func(d map[string]any) {
		d["issuer"].(map[string]any)["id"] = s.did
		d["credentialStatus"] = map[string]any{"id": s.server.URL + "/revocations", "type": "1EdTechRevocationList"}
		d["refreshService"] = map[string]any{"id": s.server.URL + "/refresh", "type": "1EdTechCredentialRefresh"}
	}
	all := func(fs ...func(map[string]any)) func(map[string]any) {
		return func(d map[string]any) {
			for _, f := range fs {
				f(d)
			}
		}
	}
	jwt := func(header, payload string) []byte {
		e := base64.RawURLEncoding.EncodeToString
		return []byte(e([]byte(header)) + "." + e([]byte(payload)) + "." + e(make([]byte, 64)))
	}
	embedded := func(d map[string]any) {
		d["credentialStatus"] = map[string]any{"id": s.listURL() + "#77", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": 77, "statusListCredential": s.listURL()}
	}
	for _, tt := range []struct {
		name string
		doc  []byte
		want string
		why  string // in words
	}{
		// W3C, vc-di-eddsa: test vectors.
		{"alumni, eddsa-rdfc-2022", file("w3c-rdfc.json"), "unknown unsupported", "contexts of examples, which give meaning to any word"},
		{"alumni, eddsa-jcs-2022", file("w3c-jcs.json"), "unknown unsupported", "the same"},
		{"alumni, Ed25519Signature2020", proven(ours(contexts(proof.CredentialsV2, "https://www.w3.org/ns/credentials/examples/v2", "https://w3id.org/security/suites/ed25519-2020/v1")), other("Ed25519Signature2020", "")), "unknown unsupported", "the same, and a suite of old"},
		{"proof set, proof chain", proven(ours(nil), other("DataIntegrityProof", "eddsa-rdfc-2023"), map[string]any{"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2023", "previousProof": "urn:uuid:1"}), "unknown unsupported", "suites that nobody here knows"},
		{"proof chain of a known suite", proven(ours(nil), func() map[string]any {
			p := other("DataIntegrityProof", "eddsa-rdfc-2022")
			p["previousProof"] = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"
			return p
		}()), "invalid no_proof", "a member of a proof that the check would pass over"},
		{"employment, of a key of P-256", proven(ours(func(d map[string]any) {
			d["@context"], d["type"] = []any{proof.CredentialsV2, "https://w3id.org/citizenship/v4rc1"}, []any{"VerifiableCredential", "EmploymentAuthorizationDocumentCredential"}
			d["issuer"] = map[string]any{"id": "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"}
		}), other("DataIntegrityProof", "eddsa-rdfc-2022")), "unknown unsupported", "contexts that are not bundled; a name of another kind imitates nobody"},
		// W3C, vc-bitstring-status-list: its examples.
		{"a status list", plain(list(s.did, s.listURL(), noon, bits(t, 131_072), nil)), "invalid no_proof", "the examples are not signed"},
		{"a signed status list", sign(t, list(s.did, s.listURL(), noon, bits(t, 131_072), nil), s.did, s.key, noon), "invalid not_badge", "signed, but no badge"},
		{"a credential with a status", plain(badge(s.did, s.listURL(), contexts(proof.CredentialsV2, "https://www.w3.org/ns/credentials/examples/v2"))), "unknown unsupported", "contexts of examples"},
		{"a status message", signed(badge(s.did, s.listURL(), func(d map[string]any) {
			e := d["credentialStatus"].(map[string]any)
			e["statusPurpose"], e["statusSize"] = "message", 2
			e["statusMessage"] = []any{map[string]any{"status": "0x0", "message": "valid"}, map[string]any{"status": "0x1", "message": "pending"}}
		})), "unknown status_kind", "what a message means for a badge is its issuer's secret"},
		// Open Badges 3.0, appendix of examples. They are published without a proof.
		{"minimal, as published", plain(ours(page)), "invalid no_proof", "nobody signed it"},
		{"minimal, signed", signed(ours(nil)), "valid", "a badge like any other"},
		{"minimal, of a page", signed(ours(page)), "invalid foreign_key", "signed by a key that is not under the page's address"},
		{"complete, as published", plain(complete(nil)), "unknown unsupported", "credentials within it have contexts of their own: what they say cannot be told from what the issuer says"},
		{"complete, signed", signed(complete(inName)), "unknown unsupported", "the same"},
		{"complete, without credentials within", signed(complete(all(inName, single))), "unknown unsupported", "criteria and achievement, creator and issuer have one id and say different things: parts could change places under the signature"},
		{"complete, each thing told once", signed(complete(all(inName, single, once))), "valid", "nothing is left that could be read in two ways"},
		{"complete, each thing told once, as published", plain(complete(all(single, once))), "invalid no_proof", "nobody signed it"},
		{"skill, alignments, endorsement of version 1", plain(ours(contexts(version1, "https://purl.imsglobal.org/spec/ob/v3p0/context.json", extensions))), "unknown unsupported", "version 1 of the data model"},
		{"endorsement", signed(ours(func(d map[string]any) {
			d["@context"] = []any{proof.CredentialsV2, proof.OpenBadges303, extensions}
			d["type"] = []any{"VerifiableCredential", "EndorsementCredential"}
			d["credentialSubject"] = map[string]any{"id": "https://college.example/issuers/1", "type": []any{"EndorsementSubject"}, "endorsementComment": "In good standing"}
			d["credentialStatus"] = map[string]any{"id": s.server.URL + "/revocations", "type": "1EdTechRevocationList"}
		})), "valid", "an endorsement is checked like a badge"},
		{"the guide's test vector", proven(ours(all(page, contexts(proof.CredentialsV2, "https://purl.imsglobal.org/spec/ob/v3p0/context/ob_v3p0.jsonld", "https://w3id.org/security/data-integrity/v1"))), other("DataIntegrityProof", "eddsa-rdfc-2022")), "unknown unsupported", "a draft's context, which was never published"},
		// 1EdTech's public validator, documents of its tests.
		{"simple", proven(ours(all(page, contexts(version1, "https://imsglobal.github.io/openbadges-specification/context.json", "https://w3id.org/security/suites/ed25519-2020/v1"))), other("Ed25519Signature2020", "")), "unknown unsupported", "version 1, a suite of old"},
		{"a did:key as method of another issuer", proven(ours(all(contexts(proof.CredentialsV2, proof.OpenBadges303, extensions), func(d map[string]any) {
			d["issuer"] = map[string]any{"id": "urn:uuid:6f2e33e5-7a29-4155-840a-59483ba10164", "type": []any{"Profile"}, "name": "Somebody"}
		})), other("DataIntegrityProof", "eddsa-rdfc-2022")), "invalid terms", "an issuer whom no key can belong to"},
		{"eddsa-2022", proven(ours(contexts(version1, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "https://w3id.org/security/data-integrity/v1")), other("DataIntegrityProof", "eddsa-2022")), "unknown unsupported", "version 1, a draft's suite"},
		{"bbs-2023", proven(ours(nil), other("DataIntegrityProof", "bbs-2023")), "unknown unsupported", "a suite that nobody here knows"},
		{"ecdsa-sd-2023", proven(ours(nil), other("DataIntegrityProof", "ecdsa-sd-2023")), "unknown unsupported", "the same"},
		{"no proof", plain(ours(nil)), "invalid no_proof", "nobody signed it"},
		{"a foreign context", plain(ours(contexts(proof.CredentialsV2, "https://example.org/foreign/context"))), "unknown unsupported", "words that nobody here knows"},
		{"version 1's issuanceDate in version 2", signed(ours(func(d map[string]any) { d["issuanceDate"] = "2010-01-01T00:00:00Z" })), "invalid terms", "a word that no context knows: a signature over RDF would leave it out"},
		{"one more proof of an unknown kind", bytes.Replace(signed(ours(nil)), []byte(`"proof":[`), []byte(`"proof":[{"type":"SomeProofType","created":"2022-11-16T18:54:22Z","proofPurpose":"assertionMethod"},`), 1), "valid", "what is known holds, and that there is more is said"},
		{"a wrong value", proven(ours(nil), other("DataIntegrityProof", "eddsa-rdfc-2022")), "invalid no_proof", "no signature of that suite is as short"},
		{"an index as a number", signed(ours(embedded)), "invalid status_refused", "the specification wants a text"},
		// As JWT.
		{"VC-JWT of version 1", jwt(`{"alg":"RS256","typ":"JWT"}`, `{"iss":"https://college.example/issuers/1","vc":{"@context":["`+version1+`"],"type":["VerifiableCredential","OpenBadgeCredential"],"credentialSubject":{"id":"did:example:1"}}}`), "unknown unsupported", "version 1"},
		{"VC-JWT by ES256", jwt(`{"alg":"ES256","typ":"JWT"}`, string(plain(ours(nil)))), "unknown unsupported", "an algorithm that nobody here knows"},
		{"a JWT that is no credential", jwt(`{"alg":"ES256","typ":"JWT"}`, `{"iss":"https://college.example","sub":"1"}`), "invalid no_proof", "a session's token, say"},
	} {
		r := newAsker(s).ask(t, tt.doc, verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s (%s)", tt.name, why(r), tt.want, tt.why)
		}
		if r.State != verifier.Valid && slices.ContainsFunc(r.RestsOn, func(b verifier.Basis) bool { return b.Kind == verifier.Signature }) && strings.HasSuffix(tt.want, "unsupported") {
			t.Errorf("%s: rests on a signature that nobody checked", tt.name)
		}
	}
}

// What cannot be judged is unknown of strangers alone: who is known here signs in no such way, whoever wrote the name.
func TestUnsupportedIsForStrangers(t *testing.T) {
	s := newSchool(t)
	known := verifier.Issuer{DID: s.did, From: verifier.Trusted, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}
	suite := func(d map[string]any) {
		d["proof"] = []any{map[string]any{"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofValue": "u2V0"}}
	}
	foreign := func(d map[string]any) {
		d["@context"] = []any{proof.CredentialsV2, "https://evil.example/context.json"}
	}
	within := func(d map[string]any) { d["endorsement"] = []any{endorsement(s.did)} }
	old := func(d map[string]any) { d["@context"] = []any{version1} }
	twice := func(d map[string]any) {
		suite(d)
		d["credentialSubject"].(map[string]any)["achievement"].(map[string]any)["criteria"] = map[string]any{"id": "https://oasis.example/a/1", "narrative": "All labs."}
	}
	token := func(d map[string]any) []byte {
		e := base64.RawURLEncoding.EncodeToString
		return []byte(e([]byte(`{"alg":"ES256","typ":"JWT"}`)) + "." + e([]byte(toJSON(t, d))) + "." + e(make([]byte, 64)))
	}
	for name, change := range map[string]func(map[string]any){"suite": suite, "contexts": foreign, "a credential within": within, "version 1": old, "one id twice": twice} {
		doc := func(did string) []byte { return []byte(toJSON(t, badge(did, "", change))) }
		if r := newAsker(s).ask(t, doc(s.did), verifier.Options{}); why(r) != "unknown unsupported" || len(r.Recognitions) > 0 {
			t.Errorf("%s, of a stranger: %s", name, why(r))
		}
		for _, o := range []verifier.Origin{verifier.Trusted, verifier.Circle, verifier.Here} {
			a, i := newAsker(s), known
			i.From = o
			a.Issuers = []verifier.Issuers{book{i}}
			if r := a.ask(t, doc(s.did), verifier.Options{}); r.State != verifier.Invalid {
				t.Errorf("%s, of who is known (%s): %s", name, o, why(r))
			}
			if r := a.ask(t, token(badge(s.did, "", nil)), verifier.Options{}); r.State != verifier.Invalid {
				t.Errorf("a token of who is known (%s): %s", o, why(r))
			}
		}
		for _, did := range []string{"did:WEB:oasis.example", "did:web:oasis.example:..:a", "did:web:оasis.example"} {
			if r := newAsker(s).ask(t, doc(did), verifier.Options{}); why(r) != "invalid bad_issuer" {
				t.Errorf("%s, of %s: %s", name, did, why(r))
			}
		}
	}
	for _, what := range []string{`{"a":1}`, `{"@context":["https://w3id.org/openbadges/v2"],"type":"Assertion"}`, `{"@context":["` + version1 + `"],"type":["VerifiablePresentation"],"holder":"did:example:1"}`} {
		if r := newAsker(s).ask(t, []byte(what), verifier.Options{}); why(r) != "invalid terms" {
			t.Errorf("%s: %s", what, why(r))
		}
	}
	if len(s.hits) > 0 {
		t.Errorf("asked %v", s.hits)
	}
}

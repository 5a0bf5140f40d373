package proof_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/strangers"
)

// object keeps its members in order, so that a document of one seed is one text.
type object []any

func (o object) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(o); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		for j, v := range o[i : i+2] {
			raw, err := json.Marshal(v)
			if err != nil {
				return nil, err
			}
			if j == 1 {
				b.WriteByte(':')
			}
			b.Write(raw)
		}
	}
	b.WriteByte('}')
	return []byte(b.String()), nil
}

var words = []string{
	"AI in daily life", "الذكاء الاصطناعي", "दैनिक जीवन में एआई", "日常生活中的人工智能", "Искусственный интеллект", "a \"quoted\" \\ text", "two\nlines", "tab\there",
	"emoji 😀👩🏽‍🏫", "e\u0301 and é", "<b>&amp;</b>", "\u200fright\u200e", "x", "Ａ", "\u2028", "_:b0", "c14n0", "\"@en", "{}[]",
}

// varied makes a credential of many forms.
func varied(r *rand.Rand) object {
	word := func() string { return words[r.IntN(len(words))] + fmt.Sprint(r.IntN(3)) }
	maybe := func(o object, key string, v func() any) object {
		if r.IntN(2) == 0 {
			return o
		}
		return append(o, key, v())
	}
	several := func(most int, one func(i int) any) []any {
		out := make([]any, 1+r.IntN(most))
		for i := range out {
			out[i] = one(i)
		}
		return out
	}
	address := func(kind string) string { return fmt.Sprintf("https://school.example/%s/%d", kind, r.IntN(1<<30)) }
	typed := func(t string) any {
		if r.IntN(2) == 0 {
			return t
		}
		return []string{t}
	}
	alignment := func(int) any {
		return maybe(object{"type", typed("Alignment"), "targetName", word(), "targetUrl", address("cf")}, "targetCode", func() any { return word() })
	}
	name := func() any {
		if r.IntN(4) == 0 {
			return object{"@value", word(), "@language", []string{"en", "ar-EG", "zh-Hans"}[r.IntN(3)]}
		}
		return word()
	}
	achievement := object{"type", typed("Achievement"), "name", word(), "description", word(), "criteria", object{"narrative", word()}}
	achievement = maybe(achievement, "id", func() any { return address("achievements") })
	achievement = maybe(achievement, "alignment", func() any { return several(5, alignment) })
	achievement = maybe(achievement, "creditsAvailable", func() any { return []any{36, 1.5, 0.25, 100.125, 7, -3}[r.IntN(6)] })
	achievement = maybe(achievement, "tag", func() any {
		if r.IntN(3) == 0 {
			return []any{}
		}
		return several(3, func(i int) any { return fmt.Sprint(word(), i) })
	})
	achievement = maybe(achievement, "creator", func() any {
		return maybe(object{"id", address("profiles"), "type", typed("Profile"), "name", word()}, "address", func() any {
			return object{"type", typed("Address"), "addressCountry", word(), "geo", object{"type", "GeoCoordinates", "latitude", float64(r.IntN(90_000)) / 1000, "longitude", r.IntN(90)}}
		})
	})
	// Without ids these look alike until one looks closely.
	achievement = maybe(achievement, "resultDescription", func() any {
		return several(3, func(int) any {
			d := object{"type", typed("ResultDescription"), "name", words[r.IntN(2)], "resultType", "LetterGrade", "allowedValue", []string{"D", "C", "B", word()}}
			d = maybe(d, "alignment", func() any {
				return several(3, func(int) any {
					return object{"type", typed("Alignment"), "targetName", words[r.IntN(2)], "targetUrl", "https://school.example/cf"}
				})
			})
			return maybe(d, "id", func() any { return address("results") })
		})
	})
	subject := object{"type", typed("AchievementSubject"), "achievement", achievement}
	subject = maybe(subject, "id", func() any { return "did:example:" + fmt.Sprint(r.IntN(1<<20)) })
	subject = maybe(subject, "identifier", func() any {
		return several(3, func(int) any {
			return object{"type", "IdentityObject", "identityHash", word(), "identityType", "name", "hashed", r.IntN(2) == 0}
		})
	})
	subject = maybe(subject, "result", func() any {
		return several(4, func(int) any {
			return maybe(object{"type", typed("Result"), "value", word()}, "status", func() any { return "Completed" })
		})
	})
	contexts := []string{proof.CredentialsV2, "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"}
	if r.IntN(3) == 0 {
		contexts[1] = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"
	}
	if r.IntN(3) == 0 {
		contexts = append(contexts, "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json")
	}
	doc := object{"@context", contexts, "type", []string{"VerifiableCredential", []string{"AchievementCredential", "OpenBadgeCredential"}[r.IntN(2)]}, "name", name()}
	doc = maybe(doc, "id", func() any { return fmt.Sprintf("urn:uuid:00000000-0000-4000-8000-%012d", r.IntN(1<<40)) })
	doc = append(doc, "issuer", object{"id", issuerOfOthers, "type", []string{"Profile"}, "name", word()}, "validFrom", "2024-01-01T00:00:00Z", "credentialSubject", subject)
	doc = maybe(doc, "validUntil", func() any { return "2094-01-01T00:00:00.5+02:00" })
	doc = maybe(doc, "evidence", func() any {
		return several(4, func(int) any {
			return maybe(object{"type", typed("Evidence"), "narrative", word()}, "name", func() any { return word() })
		})
	})
	return maybe(doc, "credentialStatus", func() any {
		return several(2, func(i int) any {
			return object{"id", fmt.Sprintf("https://school.example/lists/%d#1", i), "type", "BitstringStatusListEntry", "statusPurpose", []string{"revocation", "suspension"}[i], "statusListIndex", "1", "statusListCredential", fmt.Sprintf("https://school.example/lists/%d", i)}
		})
	})
}

const issuerOfOthers = "https://school.example/profiles/1"

// documents are 150 of all forms, and ours. There is always the same set.
func documents(t *testing.T) []json.RawMessage {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	docs := []json.RawMessage{json.RawMessage(unsigned), json.RawMessage(another)}
	for range 150 {
		raw, err := varied(r).MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, raw)
	}
	for _, name := range []string{"first-form.json", "first-list.json"} {
		raw, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := json.Unmarshal(raw, &tree); err != nil {
			t.Fatal(err)
		}
		delete(tree, "proof")
		if raw, err = json.Marshal(tree); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, raw)
	}
	return docs
}

// What jsonld.js makes of a document is what we make of it, byte by byte.
func TestCanonicalIsAsOthersSay(t *testing.T) {
	docs := documents(t)
	var theirs []struct{ NQuads, Error string }
	strangers.Ask(t, "canonize", map[string]any{"documents": docs}, &theirs)
	alike, compared := 0, 0
	for i, doc := range docs {
		got, err := proof.Canonical(doc)
		switch {
		case err != nil && errors.Is(err, proof.ErrForm) && strings.Contains(err.Error(), "twice"):
			// They say such a statement once; we refuse it, for one of the two would be unsigned.
		case err != nil:
			t.Errorf("document %d: %v (theirs: %s)\n%s", i, err, theirs[i].Error, doc)
		case theirs[i].Error != "" || got != theirs[i].NQuads:
			t.Errorf("document %d is\n%swant\n%s%s\n%s", i, got, theirs[i].NQuads, theirs[i].Error, doc)
		default:
			compared++
			if strings.Contains(got, "_:c14n9") {
				alike++
			}
		}
	}
	t.Logf("%d of %d documents are the same", compared, len(docs))
	if compared < 100 || alike < 20 {
		t.Errorf("only %d compared, %d of them with ten blank nodes", compared, alike)
	}
}

// They take what we sign, in either suite; and refuse what was changed.
func TestOthersVerifyOurs(t *testing.T) {
	// Their libraries look at the clock: the example of ours holds from 2026 to 2027.
	doc, keys := signed(t, strings.Replace(strings.Replace(unsigned, "2026-11-23T05:00:00Z", "2020-11-23T05:00:00Z", 1), "2027-11-23", "2097-11-23", 1))
	id := slices.Collect(maps.Keys(keys))[0]
	did := map[string]any{
		"@context": []string{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"}, "id": did, "assertionMethod": []string{id},
		"verificationMethod": []any{map[string]any{"id": id, "type": "Multikey", "controller": did, "publicKeyMultibase": keys[id].Multikey}},
	}
	type verdict struct {
		Verified bool
		Suites   []string
		Errors   []string
	}
	ask := func(doc []byte) (v verdict) {
		t.Helper()
		strangers.Ask(t, "verify", map[string]any{"credential": json.RawMessage(doc), "did_documents": []any{did}}, &v)
		return v
	}
	if v := ask(doc); !v.Verified || !slices.Equal(v.Suites, []string{proof.RDFC, proof.JCS}) {
		t.Errorf("%+v", v)
	}
	if v := ask([]byte(strings.Replace(string(doc), "ليلى", "سارة", 1))); v.Verified || len(v.Suites) != 0 {
		t.Errorf("changed: %+v", v)
	}
}

// We take what they sign, in either suite and in both.
func TestWeVerifyOthers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	type job struct {
		Credential object   `json:"credential"`
		Suites     []string `json:"suites"`
	}
	var jobs []job
	for i := range 30 {
		jobs = append(jobs, job{varied(r), [][]string{{proof.RDFC}, {proof.JCS}, {proof.RDFC, proof.JCS}}[i%3]})
	}
	var answer struct {
		Multikey    string
		Credentials []json.RawMessage
	}
	strangers.Ask(t, "issue", map[string]any{"credentials": jobs, "id": issuerOfOthers, "date": "2024-01-02T03:04:05Z"}, &answer)
	id := issuerOfOthers + "#" + answer.Multikey
	keys := methods{id: {Controller: issuerOfOthers, Multikey: answer.Multikey}}
	held := 0
	for i, doc := range answer.Credentials {
		v, err := proof.VerifyAny(t.Context(), doc, keys)
		if err != nil && strings.Contains(err.Error(), "twice") {
			continue // see TestCanonicalIsAsOthersSay
		}
		if err != nil || !slices.Equal(v.Suites, jobs[i].Suites) || v.Method != id || !v.Created.Equal(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)) {
			t.Errorf("credential %d: %+v, %v\n%s", i, v, err, doc)
			continue
		}
		held++
		changed := strings.Replace(string(doc), `"Profile"]`, `"Profile"],"url":"https://school.example"`, 1)
		if _, err := proof.VerifyAny(t.Context(), []byte(changed), keys); !errors.Is(err, proof.ErrSignature) || changed == string(doc) {
			t.Errorf("credential %d changed: %v", i, err)
		}
	}
	t.Logf("%d of %d credentials hold", held, len(jobs))
	if held < 20 {
		t.Errorf("only %d of %d hold", held, len(jobs))
	}
}

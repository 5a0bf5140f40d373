package proof_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/signing"
)

const did = "did:web:localhost%3A8080:institutions:oasis"

const unsigned = `{
  "@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],
  "id": "http://localhost:8080/verify/019a0000-0000-7000-8000-000000000001",
  "type": ["VerifiableCredential", "AchievementCredential"],
  "name": "الذكاء الاصطناعي في الحياة اليومية",
  "issuer": {"id": "` + did + `", "type": ["Profile"], "name": "Oasis \"School\" \\ مدرسة الواحة"},
  "validFrom": "2026-11-23T05:00:00Z",
  "validUntil": "2027-11-23T05:00:00Z",
  "credentialSubject": {
    "type": ["AchievementSubject"],
    "identifier": [{"type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": "ليلى 😀"}],
    "achievement": {
      "id": "http://localhost:8080/courses/ai-in-daily-life/versions/1",
      "type": ["Achievement"],
      "name": "الذكاء الاصطناعي في الحياة اليومية",
      "description": "One line.\nAnother line.",
      "criteria": {"narrative": "Every lesson read."},
      "inLanguage": "ar",
      "creditsAvailable": 3,
      "tag": ["ai", "literacy"],
      "resultDescription": [
        {"id": "http://localhost:8080/courses/ai-in-daily-life/versions/1#level", "type": ["ResultDescription"], "name": "Assessment", "resultType": "ext:AssessmentLevel", "allowedValue": ["unsupervised", "supervised", "on_site"]},
        {"id": "http://localhost:8080/courses/ai-in-daily-life/versions/1#score", "type": ["ResultDescription"], "name": "Score", "resultType": "Percent", "valueMin": "0", "valueMax": "100"}
      ]
    },
    "result": [
      {"type": ["Result"], "resultDescription": "http://localhost:8080/courses/ai-in-daily-life/versions/1#level", "value": "supervised"},
      {"type": ["Result"], "resultDescription": "http://localhost:8080/courses/ai-in-daily-life/versions/1#score", "value": "87"}
    ]
  },
  "credentialStatus": [
    {
      "id": "http://localhost:8080/api/status-lists/x-0#94567",
      "type": "BitstringStatusListEntry",
      "statusPurpose": "revocation",
      "statusListIndex": "94567",
      "statusListCredential": "http://localhost:8080/api/status-lists/x-0"
    },
    {
      "id": "http://localhost:8080/api/status-lists/x-1#94567",
      "type": "BitstringStatusListEntry",
      "statusPurpose": "suspension",
      "statusListIndex": "94567",
      "statusListCredential": "http://localhost:8080/api/status-lists/x-1"
    }
  ]
}`

var created = time.Date(2026, 11, 23, 5, 0, 1, 0, time.UTC)

// methods is a resolver over a fixed set.
type methods map[string]proof.Method

func (m methods) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	if v, ok := m[id]; ok {
		return v, nil
	}
	return proof.Method{}, errors.New("no such key")
}

func signed(t testing.TB, doc string) ([]byte, methods) {
	t.Helper()
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	method := did + "#" + k.Multikey()
	out, err := proof.Sign([]byte(doc), k, method, created)
	if err != nil {
		t.Fatal(err)
	}
	return out, methods{method: {Controller: did, Multikey: k.Multikey(), NotBefore: created}}
}

// signedOnce signs a document of the form of before, with one entry of status, and takes the eddsa-jcs-2022 proof away, as that
// form allows. What is refused then is refused by eddsa-rdfc-2022, without help from the other.
func signedOnce(t testing.TB) ([]byte, methods) {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal([]byte(unsigned), &tree); err != nil {
		t.Fatal(err)
	}
	tree["credentialStatus"] = tree["credentialStatus"].([]any)[0]
	raw, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	doc, keys := signed(t, string(raw))
	if err := json.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	tree["proof"] = tree["proof"].([]any)[:1]
	if doc, err = json.Marshal(tree); err != nil {
		t.Fatal(err)
	}
	if v, err := proof.Verify(t.Context(), doc, keys); err != nil || !slices.Equal(v.Suites, []string{proof.RDFC}) {
		t.Fatalf("%+v, %v", v, err)
	}
	return doc, keys
}

// No byte of a credential can be another and leave it valid, unless it means the same.
func TestEveryChangedByte(t *testing.T) {
	t.Parallel()
	doc, keys := signed(t, unsigned)
	want := normal(t, doc)
	same := 0
	for i := range doc {
		changed := bytes.Clone(doc)
		changed[i] ^= []byte{0x01, 0x20, 0x80}[i%3]
		if _, err := proof.Verify(t.Context(), changed, keys); err != nil {
			continue
		}
		same++
		if got := normal(t, changed); !reflect.DeepEqual(got, want) {
			t.Errorf("byte %d changed, and it verifies: %s", i, changed)
		}
	}
	// White space between members may be another one.
	if same > len(doc)/4 {
		t.Errorf("%d of %d changes mean the same", same, len(doc))
	}
}

func TestSignAndVerify(t *testing.T) {
	doc, keys := signed(t, unsigned)
	v, err := proof.Verify(t.Context(), doc, keys)
	if err != nil {
		t.Fatal(err)
	}
	if v.Issuer != did || !v.Created.Equal(created) || keys[v.Method].Controller != did {
		t.Fatalf("verified %+v", v)
	}
	var tree map[string]any
	if err := json.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	if p, ok := tree["proof"].([]any); !ok || len(p) != 2 || !slices.Equal(v.Suites, []string{proof.RDFC, proof.JCS}) {
		t.Fatalf("proof is %v, not an array of two", tree["proof"])
	}
	if !bytes.HasPrefix(doc, []byte(strings.TrimRight(unsigned, "}\n"))) {
		t.Error("signing changed the document before the proof")
	}
	// Spaces and the order of members are nobody's business.
	again, err := json.MarshalIndent(tree, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(t.Context(), again, keys); err != nil {
		t.Errorf("re-indented: %v", err)
	}
}

// What was signed before there were two proofs stays good: these files were
// made by that program. What has two status entries was not made by it.
func TestFirstForms(t *testing.T) {
	for _, name := range []string{"first-form.json", "first-list.json"} {
		doc, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		key := "z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z"
		keys := methods{did + "#" + key: {Controller: did, Multikey: key, NotBefore: created}}
		v, err := proof.Verify(t.Context(), doc, keys)
		if err != nil || !slices.Equal(v.Suites, []string{proof.RDFC}) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		changed := bytes.Replace(doc, []byte("2026-11-30T"), []byte("2029-11-30T"), 1)
		changed = bytes.Replace(changed, []byte("Oasis"), []byte("Oases"), 1)
		if _, err := proof.Verify(t.Context(), changed, keys); !errors.Is(err, proof.ErrSignature) {
			t.Errorf("%s changed: %v", name, err)
		}
	}
}

// The creator of an achievement may be told as the issuer is, in the same words.
func TestOneProfileTwice(t *testing.T) {
	issuer := `{"id": "` + did + `", "type": ["Profile"], "name": "Oasis \"School\" \\ مدرسة الواحة"}`
	doc, keys := signed(t, strings.Replace(unsigned, `"creditsAvailable"`, `"creator": `+issuer+`, "creditsAvailable"`, 1))
	if _, err := proof.Verify(t.Context(), doc, keys); err != nil {
		t.Fatal(err)
	}
}

// walk calls fn for every value of a tree with functions that replace it, each time in a fresh copy.
func walk(doc []byte, fn func(path string, v any, with func(func(parent any, key any)) []byte)) {
	var paths [][]any
	var visit func(v any, path []any)
	visit = func(v any, path []any) {
		paths = append(paths, slices.Clone(path))
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				visit(v[k], append(path, k))
			}
		case []any:
			for i := range v {
				visit(v[i], append(path, i))
			}
		}
	}
	parse := func() any {
		d := json.NewDecoder(bytes.NewReader(doc))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			panic(err)
		}
		return v
	}
	at := func(v any, path []any) any {
		for _, step := range path {
			switch s := step.(type) {
			case string:
				v = v.(map[string]any)[s]
			case int:
				v = v.([]any)[s]
			}
		}
		return v
	}
	visit(parse(), nil)
	for _, path := range paths {
		name := ""
		for _, p := range path {
			name += fmt.Sprintf("/%v", p)
		}
		fn(name, at(parse(), path), func(change func(parent, key any)) []byte {
			root := parse()
			if len(path) == 0 {
				change(root, nil)
			} else {
				change(at(root, path[:len(path)-1]), path[len(path)-1])
			}
			out, err := json.Marshal(root)
			if err != nil {
				panic(err)
			}
			return out
		})
	}
}

func set(v any) func(parent, key any) {
	return func(parent, key any) {
		switch p := parent.(type) {
		case map[string]any:
			p[key.(string)] = v
		case []any:
			p[key.(int)] = v
		}
	}
}

func TestEveryChangedFieldIsRefused(t *testing.T) {
	t.Parallel()
	doc, keys := signedOnce(t)
	leaves, tries := 0, 0
	refused := func(what string, changed []byte) {
		t.Helper()
		tries++
		if bytes.Equal(changed, doc) {
			t.Fatalf("%s: nothing changed", what)
		}
		if _, err := proof.Verify(t.Context(), changed, keys); err == nil {
			t.Errorf("%s: still verifies", what)
		}
	}
	walk(doc, func(path string, v any, with func(func(parent, key any)) []byte) {
		if path == "" {
			return
		}
		for i, other := range []any{
			nil, "", "x", "http://example.org/other", did, "did:web:example.org", "2026-11-23T05:00:02Z", 1, 0, -1, 0.5, 1e3, true,
			[]any{},
			map[string]any{},
			[]any{nil},
			[]any{[]any{v}},
			[]any{"x"},
			map[string]any{"id": "urn:x:y"},
			map[string]any{"@value": "x"},
			map[string]any{"@id": "urn:x:y"},
			[]any{v, "x"},
			[]any{v, v},
		} {
			if a, ok := v.([]any); ok && len(a) == 1 {
				if list, ok := other.([]any); ok && len(list) == 1 && list[0] == any("x") && a[0] == any("x") {
					continue
				}
			}
			if fmt.Sprint(v) == fmt.Sprint(other) {
				continue
			}
			refused(fmt.Sprintf("%s set to variant %d (%v)", path, i, other), with(set(other)))
		}
		refused(path+" removed", with(func(parent, key any) {
			switch p := parent.(type) {
			case map[string]any:
				delete(p, key.(string))
			case []any:
				p[key.(int)] = p[len(p)-1]
				if key.(int) == len(p)-1 {
					p[key.(int)] = "removed"
				}
			}
		}))
		s, ok := v.(string)
		if !ok {
			return
		}
		leaves++
		for i, r := range []rune(s) {
			rs := []rune(s)
			rs[i] = 'Z'
			if r == 'Z' {
				rs[i] = 'Y'
			}
			refused(fmt.Sprintf("%s, character %d", path, i), with(set(string(rs))))
			if i > 8 && len(rs) > 60 && i%7 != 0 {
				continue
			}
			refused(fmt.Sprintf("%s cut at %d", path, i), with(set(string([]rune(s)[:i]))))
		}
		for _, more := range []string{" ", "\u200f", "\x00", "\t", "\u0301", "#", "\\"} {
			refused(fmt.Sprintf("%s and %q", path, more), with(set(s+more)))
			refused(fmt.Sprintf("%q and %s", more, path), with(set(more+s)))
		}
	})
	if leaves < 30 || tries < 1500 {
		t.Fatalf("only %d leaves and %d changes tried", leaves, tries)
	}
}

// json-gold drops unknown terms while it canonicalises, whatever SafeMode says
// (v0.9.1), and passes relative types: what is added would stand
// there as if it were signed. This test stays for ever.
func TestExtraTermsAreRefusedAtEveryLevel(t *testing.T) {
	t.Parallel()
	// eddsa-jcs-2022 would refuse all of them; eddsa-rdfc-2022 alone must do so too, by our rules and by those for any issuer.
	doc, keys := signedOnce(t)
	verifiers := map[string]func(ctx context.Context, doc []byte, r proof.Resolver) (proof.Verified, error){"Verify": proof.Verify, "VerifyAny": proof.VerifyAny}
	extras := map[string]any{
		"grade": "A+", "honours": true, "note": "forged", "role": map[string]any{"type": "Role"},
		"endorsementJwt": []any{"x"}, "jti": "x", // known to another copy of the context
		"@id": "urn:x:y", "@type": "Honours", "@graph": []any{map[string]any{"name": "x"}}, "@value": "x", "@index": "x", "@language": "en",
		"@included": []any{map[string]any{"name": "x"}}, "@nest": map[string]any{"name": "x"}, "@reverse": map[string]any{"name": "x"},
		"@context":               map[string]any{"grade": "https://example.org/grade"},
		"@direction":             "rtl",
		"https://example.org/x":  "y",
		"schema:name":            "x",
		"_:b":                    "x",
		"":                       "x",
		"proof":                  []any{},
		"name ":                  "x", //nolint:gocritic // the blank is what is tried
		"Name":                   "x",
		"verifiableCredential":   "x",
		"termsOfUse":             map[string]any{"type": "Anything"},
		"evidence":               []any{map[string]any{"type": []any{"Evidence"}, "name": "x"}},
		"description":            "a known term that was not signed",
		"endorsement":            []any{map[string]any{"type": []any{"VerifiableCredential"}}},
		"nonce":                  "x",
		"expires":                "2036-11-23T05:00:00Z",
		"https://schema.org/url": "x",
	}
	objects := 0
	walk(doc, func(path string, v any, with func(func(parent, key any)) []byte) {
		m, ok := v.(map[string]any)
		if !ok {
			return
		}
		objects++
		for k, extra := range extras {
			if _, has := m[k]; has && path == "" && k != "@context" && k != "proof" {
				continue
			}
			more := maps.Clone(m)
			more[k] = extra
			change := set(more)
			if path == "" {
				change = func(parent, _ any) { maps.Copy(parent.(map[string]any), more) }
			}
			for name, verify := range verifiers {
				if _, err := verify(t.Context(), with(change), keys); err == nil {
					t.Errorf("%s%s: %q is accepted by %s", path, "/", k, name)
				}
			}
		}
		// An extra type, relative or unknown, is a forged claim too.
		for _, typ := range []string{"HonoursCredential", "urn:x:Honours", "_:b0", "http://", "AchievementSubject", "Person"} {
			more := maps.Clone(m)
			types := []any{typ}
			if old, ok := m["type"].([]any); ok {
				if slices.Contains(old, any(typ)) {
					continue
				}
				types = slices.Concat(old, types)
			} else if old, ok := m["type"]; ok {
				if old == any(typ) {
					continue
				}
				types = append(types, old)
			}
			more["type"] = types
			change := set(more)
			if path == "" {
				change = func(parent, _ any) { maps.Copy(parent.(map[string]any), more) }
			}
			for name, verify := range verifiers {
				if _, err := verify(t.Context(), with(change), keys); err == nil {
					t.Errorf("%s: type %s is accepted by %s", path, typ, name)
				}
			}
		}
	})
	if objects < 8 {
		t.Fatalf("only %d objects", objects)
	}
}

func TestProofTampering(t *testing.T) {
	doc, keys := signed(t, unsigned)
	other, otherKeys := signed(t, strings.ReplaceAll(unsigned, "ليلى", "سارة"))
	all := maps.Clone(keys)
	maps.Copy(all, otherKeys)
	stranger, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strangerMethod := "did:web:localhost%3A8080:institutions:oasis-school#" + stranger.Multikey()
	all[strangerMethod] = proof.Method{Controller: "did:web:localhost%3A8080:institutions:oasis-school", Multikey: stranger.Multikey(), NotBefore: created}
	// One key signs both, one of them about somebody else.
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	method := did + "#" + k.Multikey()
	all[method] = proof.Method{Controller: did, Multikey: k.Multikey(), NotBefore: created}
	if doc, err = proof.Sign([]byte(unsigned), k, method, created); err != nil {
		t.Fatal(err)
	}
	sameKey, err := proof.Sign([]byte(strings.ReplaceAll(unsigned, "ليلى", "سارة")), k, method, created)
	if err != nil {
		t.Fatal(err)
	}
	get := func(raw []byte) map[string]any {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	at := func(m map[string]any, i int) map[string]any { return m["proof"].([]any)[i].(map[string]any) }
	both := func(m map[string]any, key string, v any) {
		for i := range 2 {
			at(m, i)[key] = v
		}
	}
	tests := []struct {
		name   string
		change func(m map[string]any)
		want   error
	}{
		{"the other way round", func(m map[string]any) { slices.Reverse(m["proof"].([]any)) }, nil},
		{"both stripped", func(m map[string]any) { delete(m, "proof") }, proof.ErrProof},
		{"jcs stripped", func(m map[string]any) { m["proof"] = m["proof"].([]any)[:1] }, proof.ErrProof},
		{"rdfc stripped", func(m map[string]any) { m["proof"] = m["proof"].([]any)[1:] }, proof.ErrProof},
		{"emptied", func(m map[string]any) { m["proof"] = []any{} }, proof.ErrForm},
		{"not in an array", func(m map[string]any) { m["proof"] = at(m, 0) }, proof.ErrProof},
		{"of another credential", func(m map[string]any) { m["proof"] = get(other)["proof"] }, proof.ErrSignature},
		{"rdfc of another credential", func(m map[string]any) { m["proof"].([]any)[0] = get(sameKey)["proof"].([]any)[0] }, proof.ErrSignature},
		{"jcs of another credential", func(m map[string]any) { m["proof"].([]any)[1] = get(sameKey)["proof"].([]any)[1] }, proof.ErrSignature},
		{"of another credential, first of four", func(m map[string]any) {
			m["proof"] = append(get(other)["proof"].([]any), m["proof"].([]any)...)
		}, proof.ErrProof},
		{"rdfc twice", func(m map[string]any) { m["proof"].([]any)[1] = at(m, 0) }, proof.ErrProof},
		{"jcs twice", func(m map[string]any) { m["proof"].([]any)[0] = at(m, 1) }, proof.ErrProof},
		{"a third one", func(m map[string]any) { m["proof"] = append(m["proof"].([]any), at(m, 0)) }, proof.ErrProof},
		{"values swapped", func(m map[string]any) {
			a, b := at(m, 0), at(m, 1)
			a["proofValue"], b["proofValue"] = b["proofValue"], a["proofValue"]
		}, proof.ErrSignature},
		{"suites swapped", func(m map[string]any) {
			a, b := at(m, 0), at(m, 1)
			a["cryptosuite"], b["cryptosuite"] = b["cryptosuite"], a["cryptosuite"]
			a["@context"] = b["@context"]
			delete(b, "@context")
		}, proof.ErrSignature},
		{"suite renamed to the other", func(m map[string]any) { at(m, 0)["cryptosuite"] = proof.JCS }, proof.ErrProof},
		{"suite unknown", func(m map[string]any) { at(m, 1)["cryptosuite"] = "ecdsa-jcs-2019" }, proof.ErrProof},
		{"suite empty", func(m map[string]any) { at(m, 1)["cryptosuite"] = "" }, proof.ErrProof},
		{"an unknown one beside", func(m map[string]any) {
			third := maps.Clone(at(m, 0))
			third["cryptosuite"] = "ecdsa-rdfc-2019"
			m["proof"].([]any)[1] = third
		}, proof.ErrProof},
		{"of an old type", func(m map[string]any) { at(m, 0)["type"] = "Ed25519Signature2020" }, proof.ErrProof},
		{"rdfc for authentication", func(m map[string]any) { at(m, 0)["proofPurpose"] = "authentication" }, proof.ErrPurpose},
		{"jcs for authentication", func(m map[string]any) { at(m, 1)["proofPurpose"] = "authentication" }, proof.ErrPurpose},
		{"without purpose", func(m map[string]any) { delete(at(m, 0), "proofPurpose") }, proof.ErrProof},
		{"created elsewhere", func(m map[string]any) { both(m, "created", "2026-11-23T07:00:01+02:00") }, proof.ErrForm},
		{"created later", func(m map[string]any) { both(m, "created", "2026-11-23T05:00:02Z") }, proof.ErrSignature},
		{"one created later", func(m map[string]any) { at(m, 1)["created"] = "2026-11-23T05:00:02Z" }, proof.ErrProof},
		{"created before the key", func(m map[string]any) { both(m, "created", "2026-11-23T05:00:00Z") }, proof.ErrMethod},
		{"by an unknown key", func(m map[string]any) { both(m, "verificationMethod", did+"#z6MkX") }, proof.ErrMethod},
		{"by another issuer's key", func(m map[string]any) { both(m, "verificationMethod", strangerMethod) }, proof.ErrMethod},
		{"one by another issuer's key", func(m map[string]any) { at(m, 1)["verificationMethod"] = strangerMethod }, proof.ErrProof},
		{"value in another base", func(m map[string]any) {
			at(m, 0)["proofValue"] = "u" + at(m, 0)["proofValue"].(string)[1:]
		}, proof.ErrProof},
		{"value too short", func(m map[string]any) { at(m, 1)["proofValue"] = "z2" }, proof.ErrProof},
		{"jcs without contexts", func(m map[string]any) { delete(at(m, 1), "@context") }, proof.ErrProof},
		{"jcs with fewer contexts", func(m map[string]any) { at(m, 1)["@context"] = m["@context"].([]any)[:1] }, proof.ErrProof},
		{"jcs with other contexts", func(m map[string]any) { at(m, 1)["@context"] = []any{"https://example.org/x"} }, proof.ErrProof},
		{"rdfc with contexts", func(m map[string]any) { at(m, 0)["@context"] = m["@context"] }, proof.ErrProof},
		{"with a previous proof", func(m map[string]any) { at(m, 1)["previousProof"] = "urn:x:y" }, proof.ErrProof},
		{"with an expiry", func(m map[string]any) { at(m, 0)["expires"] = "2030-01-01T00:00:00Z" }, proof.ErrProof},
		{"one status stripped", func(m map[string]any) { m["credentialStatus"] = m["credentialStatus"].([]any)[:1] }, proof.ErrSignature},
		{"contexts the other way round", func(m map[string]any) { slices.Reverse(m["@context"].([]any)) }, proof.ErrContext},
		{"one context more", func(m map[string]any) {
			m["@context"] = append(m["@context"].([]any), "https://w3id.org/security/data-integrity/v2")
		}, proof.ErrContext},
		{"context in line", func(m map[string]any) {
			m["@context"] = append(m["@context"].([]any), map[string]any{"x": "urn:x:y"})
		}, proof.ErrContext},
		{"contexts of a status list", func(m map[string]any) {
			m["@context"] = m["@context"].([]any)[:1]
			at(m, 1)["@context"] = m["@context"]
		}, proof.ErrForm},
		{"one context as text", func(m map[string]any) { m["@context"] = "https://www.w3.org/ns/credentials/v2" }, proof.ErrContext},
		{"issuer is another", func(m map[string]any) { m["issuer"].(map[string]any)["id"] = "did:web:example.org" }, proof.ErrMethod},
		{"issuer looks alike", func(m map[string]any) { m["issuer"].(map[string]any)["id"] = did + "x" }, proof.ErrMethod},
		{"issuer as text", func(m map[string]any) { m["issuer"] = did }, proof.ErrSignature},
		{"issuer is a page", func(m map[string]any) { m["issuer"] = "https://example.org" }, proof.ErrForm},
		{"a presentation", func(m map[string]any) { m["type"] = []any{"VerifiableCredential", "VerifiablePresentation"} }, proof.ErrForm},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := get(doc)
			tt.change(m)
			raw, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := proof.Verify(t.Context(), raw, all); !errors.Is(err, tt.want) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
		})
	}
}

func TestKeyMustBeTheIssuersAndInForce(t *testing.T) {
	doc, keys := signed(t, unsigned)
	id := slices.Collect(maps.Keys(keys))[0] // there is one
	stranger, _ := signing.Generate(rand.Reader)
	tests := []struct {
		name   string
		change func(m *proof.Method)
		want   error
	}{
		{"as it is", func(*proof.Method) {}, nil},
		{"of another controller", func(m *proof.Method) { m.Controller = "did:web:example.org" }, proof.ErrMethod},
		{"of no controller", func(m *proof.Method) { m.Controller = "" }, proof.ErrMethod},
		{"other key under the same name", func(m *proof.Method) { m.Multikey = stranger.Multikey() }, proof.ErrSignature},
		{"not a key", func(m *proof.Method) { m.Multikey = "z6Mk" }, proof.ErrMethod},
		{"made later", func(m *proof.Method) { m.NotBefore = created.Add(time.Second) }, proof.ErrMethod},
		{"made in the same second", func(m *proof.Method) { m.NotBefore = created.Add(900 * time.Millisecond) }, nil},
		{"retired before", func(m *proof.Method) { m.NotAfter = created.Add(-time.Second) }, proof.ErrMethod},
		{"retired since", func(m *proof.Method) { m.NotAfter = created.Add(time.Second) }, nil},
		{"revoked before", func(m *proof.Method) { m.Revoked = created.Add(-time.Hour) }, proof.ErrRevoked},
		{"revoked in that second", func(m *proof.Method) { m.Revoked = created.Add(999 * time.Millisecond) }, proof.ErrRevoked},
		{"revoked since", func(m *proof.Method) { m.Revoked = created.Add(time.Second) }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := keys[id]
			tt.change(&m)
			v, err := proof.Verify(t.Context(), doc, methods{id: m})
			if !errors.Is(err, tt.want) || errors.Is(tt.want, proof.ErrRevoked) && !errors.Is(err, proof.ErrMethod) {
				t.Errorf("error is %v, want %v", err, tt.want)
			}
			if err == nil && !v.Revoked.Equal(m.Revoked) {
				t.Errorf("revoked at %s, says %s", m.Revoked, v.Revoked)
			}
		})
	}
}

func TestFormsRefused(t *testing.T) {
	doc, keys := signed(t, unsigned)
	s := string(doc)
	tests := map[string]string{
		"nothing":            "",
		"an array":           "[" + s + "]",
		"followed by more":   s + s,
		"followed by a word": s + " x",
		"cut":                s[:len(s)-1],
		"a key twice":        strings.Replace(s, `"validFrom"`, `"name":"x","validFrom"`, 1),
		"a proof twice":      strings.Replace(s, `"proof":`, `"proof":[{"type":"DataIntegrityProof"}],"proof":`, 1),
		"key twice, deep":    strings.Replace(s, `"hashed": false`, `"hashed": true, "hashed": false`, 1),
		"key twice, escaped": strings.Replace(s, `"hashed": false`, `"hashe\u0064": true, "hashed": false`, 1),
		"bad UTF-8":          strings.Replace(s, "ليلى", "\xff\xfe", 1),
		"lone surrogate":     strings.Replace(s, "ليلى", `\ud800`, 1),
		"too large":          strings.Replace(s, "ليلى", strings.Repeat("x", 70_000), 1),
		"too deep":           strings.Replace(s, `"hashed": false`, `"hashed": `+strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000), 1),
		"comment":            "// x\n" + s,
	}
	for name, raw := range tests {
		t.Run(name, func(t *testing.T) {
			if raw == s {
				t.Fatal("nothing changed")
			}
			if _, err := proof.Verify(t.Context(), []byte(raw), keys); !errors.Is(err, proof.ErrForm) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// Whatever Verify would refuse must not be signed in the first place.
func TestSignRefuses(t *testing.T) {
	k, _ := signing.Generate(rand.Reader)
	method := did + "#" + k.Multikey()
	tests := []struct{ name, doc, method string }{
		{"a proof already", strings.Replace(unsigned, `"name"`, `"proof":[{"type":"DataIntegrityProof"}],"name"`, 1), method},
		{"an unknown term", strings.Replace(unsigned, `"hashed"`, `"grade":"A","hashed"`, 1), method},
		{"a relative type", strings.Replace(unsigned, `["Achievement"]`, `["Achievement","Course"]`, 1), method},
		{"a relative id", strings.Replace(unsigned, `http://localhost:8080/courses`, `/courses`, 1), method},
		{"an id that no IRI has", strings.Replace(unsigned, `http://localhost:8080/courses`, `http:// /courses`, 1), method},
		{"a blank id", strings.Replace(unsigned, `http://localhost:8080/courses/ai-in-daily-life/versions/1`, `_:b0`, 1), method},
		{"one id on two things", strings.Replace(unsigned, `http://localhost:8080/courses/ai-in-daily-life/versions/1"`, did+`"`, 1), method},
		{"one id on two profiles", strings.Replace(unsigned, `"creditsAvailable"`, `"creator": {"id": "`+did+`", "type": ["Profile"], "name": "Other"}, "creditsAvailable"`, 1), method},
		{"a presentation", `{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiablePresentation"],"issuer":"` + did + `"}`, method},
		{"a nested presentation", strings.Replace(unsigned, `["Achievement"]`, `["Achievement","VerifiablePresentation"]`, 1), method},
		{"a nested proof", strings.Replace(unsigned, `"achievement": {`, `"achievement": {"endorsement":[{"type":["VerifiableCredential"],"proof":[{"type":"DataIntegrityProof","created":"2026-11-23T05:00:00Z"}]}],`, 1), method},
		{"a control character", strings.Replace(unsigned, `ليلى`, `\u0007`, 1), method},
		{"another's method", unsigned, "did:web:example.org#" + k.Multikey()},
		{"a longer DID's method", unsigned, did + "x#" + k.Multikey()},
		{"a method without a fragment", unsigned, did + "#"},
		{"a fraction", strings.Replace(unsigned, `"creditsAvailable": 3`, `"creditsAvailable": 3.0`, 1), method},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.doc == unsigned && tt.method == method {
				t.Fatal("nothing changed")
			}
			if out, err := proof.Sign([]byte(tt.doc), k, tt.method, created); err == nil {
				t.Errorf("signed: %s", out)
			}
		})
	}
	if _, err := proof.Sign([]byte(unsigned), signing.Key{}, method, created); err == nil {
		t.Error("signed with an empty key")
	}
}

// The contexts are shared between goroutines; run with -race.
func TestManyAtOnce(t *testing.T) {
	doc, keys := signed(t, unsigned)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 5 {
				if _, err := proof.Verify(context.Background(), doc, keys); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkSign(b *testing.B) {
	k, _ := signing.Generate(rand.Reader)
	method := did + "#" + k.Multikey()
	for b.Loop() {
		if _, err := proof.Sign([]byte(unsigned), k, method, created); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	doc, keys := signed(b, unsigned)
	for b.Loop() {
		if _, err := proof.Verify(b.Context(), doc, keys); err != nil {
			b.Fatal(err)
		}
	}
}

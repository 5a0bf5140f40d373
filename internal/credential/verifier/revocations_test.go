package verifier_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"github.com/mr-tron/base58"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

const extensions = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

// signAsStranger signs as others do, with contexts that nothing of ours has: eddsa-jcs-2022 as its specification says, by nothing of package proof.
func signAsStranger(t *testing.T, d map[string]any, did string, k signing.Key, at time.Time) []byte {
	t.Helper()
	p := map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "created": at.UTC().Format(time.RFC3339), "proofPurpose": "assertionMethod",
		"verificationMethod": did + "#" + k.Multikey(), "@context": d["@context"],
	}
	var message []byte
	for _, part := range []map[string]any{p, d} {
		form, err := jcs.Transform([]byte(toJSON(t, part)))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(form)
		message = append(message, sum[:]...)
	}
	sig, err := k.Sign(message)
	if err != nil {
		t.Fatal(err)
	}
	p["proofValue"] = "z" + base58.Encode(sig)
	var signed map[string]any
	if err := json.Unmarshal([]byte(toJSON(t, d)), &signed); err != nil {
		t.Fatal(err)
	}
	signed["proof"] = []any{p}
	return []byte(toJSON(t, signed))
}

// listed is a badge whose status is a 1EdTech revocation list; change may spoil its entry.
func (s *school) listed(change func(entry map[string]any)) []byte {
	s.t.Helper()
	entry := map[string]any{"id": s.server.URL + "/revocations", "type": "1EdTechRevocationList"}
	if change != nil {
		change(entry)
	}
	d := badge(s.did, "", func(d map[string]any) {
		d["@context"] = []any{proof.CredentialsV2, proof.OpenBadges303, extensions}
		d["credentialStatus"] = entry
	})
	return signAsStranger(s.t, d, s.did, s.key, noon.Add(-24*time.Hour))
}

// revocationsOf is a list of a school; change may spoil it.
func (s *school) revocationsOf(change func(map[string]any), entries ...any) string {
	s.t.Helper()
	d := map[string]any{"id": s.server.URL + "/revocations", "issuer": s.did, "revokedCredentials": append([]any{}, entries...)}
	if change != nil {
		change(d)
	}
	return toJSON(s.t, d)
}

func TestRevocationLists(t *testing.T) {
	s, other := newSchool(t), newSchool(t)
	const id = "https://oasis.example/verify/1"
	mine := func(more map[string]any) map[string]any {
		e := map[string]any{"id": id}
		for k, v := range more {
			e[k] = v
		}
		return e
	}
	set := func(name string, v any) func(map[string]any) {
		return func(d map[string]any) { d[name] = v }
	}
	without := func(name string) func(map[string]any) {
		return func(d map[string]any) { delete(d, name) }
	}
	neighbour := map[string]any{"id": id + "0", "revoked": true}
	var many []any
	for i := range 5000 {
		many = append(many, map[string]any{"id": fmt.Sprintf("https://oasis.example/verify/%d", i+2), "revoked": true, "revocationReason": "issued in error"})
	}
	doc := s.listed(nil)
	tests := []struct{ name, body, want string }{
		{"five thousand others", s.revocationsOf(nil, many...), "valid"},
		{"behind five thousand others", s.revocationsOf(nil, append(many, mine(nil))...), "revoked revoked"},
		{"empty", s.revocationsOf(nil), "valid"},
		{"others", s.revocationsOf(nil, neighbour, map[string]any{"id": strings.ToUpper(id)}, map[string]any{"id": id + "#holder"}), "valid"},
		{"in it", s.revocationsOf(nil, neighbour, mine(nil)), "revoked revoked"},
		{"in it, and says so", s.revocationsOf(nil, mine(map[string]any{"revoked": true})), "revoked revoked"},
		{"in it, with null", s.revocationsOf(nil, mine(map[string]any{"revoked": nil})), "revoked revoked"},
		{"in it, but not revoked", s.revocationsOf(nil, mine(map[string]any{"revoked": false}), neighbour), "valid"},
		{"both", s.revocationsOf(nil, mine(map[string]any{"revoked": false}), mine(nil)), "revoked revoked"},
		{"both, the other way round", s.revocationsOf(nil, mine(nil), mine(map[string]any{"revoked": false})), "revoked revoked"},
		{"its issuer as a profile", s.revocationsOf(set("issuer", map[string]any{"id": s.did, "type": []any{"Profile"}})), "valid"},
		{"with more members", s.revocationsOf(set("@context", []any{"https://purl.imsglobal.org/spec/vcrl/v1p0/context.json"})), "valid"},

		{"another's", s.revocationsOf(set("issuer", other.did)), "unknown status_refused"},
		{"another's, with the badge in it", s.revocationsOf(set("issuer", other.did), mine(nil)), "unknown status_refused"},
		{"nobody's", s.revocationsOf(without("issuer")), "unknown status_refused"},
		{"nobody's name", s.revocationsOf(set("issuer", "")), "unknown status_refused"},
		{"of another address", s.revocationsOf(set("id", s.server.URL+"/revocations2")), "unknown status_refused"},
		{"without an address", s.revocationsOf(without("id")), "unknown status_refused"},
		{"without a list", s.revocationsOf(without("revokedCredentials")), "unknown status_refused"},
		{"null for a list", s.revocationsOf(set("revokedCredentials", nil)), "unknown status_refused"},
		{"a word for a list", s.revocationsOf(set("revokedCredentials", id)), "unknown status_refused"},
		{"addresses for entries", s.revocationsOf(nil, id), "unknown status_refused"},
		{"an entry without an id", s.revocationsOf(nil, mine(nil), map[string]any{"revoked": true}), "unknown status_refused"},
		{"an entry with a number", s.revocationsOf(nil, map[string]any{"id": 1}), "unknown status_refused"},
		{"revoked in words", s.revocationsOf(nil, mine(map[string]any{"revoked": "no"})), "unknown status_refused"},
		{"null among the entries", s.revocationsOf(nil, nil), "unknown status_refused"},
		{"a member twice", strings.Replace(s.revocationsOf(nil, mine(nil)), `"issuer"`, `"revokedCredentials":[],"issuer"`, 1), "unknown status_refused"},
		{"a member twice in other letters", strings.Replace(s.revocationsOf(nil, mine(nil)), `{"id":"`+id, `{"Revoked":false,"revoked":false,"id":"`+id, 1), "unknown status_refused"},
		{"a member twice with a long s", strings.Replace(s.revocationsOf(nil, mine(nil)), `"issuer"`, `"revokedCredentialſ":[],"issuer"`, 1), "unknown status_refused"},
		{"something behind it", s.revocationsOf(nil) + "{}", "unknown status_refused"},
		{"not UTF-8", strings.Replace(s.revocationsOf(nil), `{"id"`, "{\"a\":\"\xff\",\"id\"", 1), "unknown status_refused"},
		{"deep", strings.Replace(s.revocationsOf(nil), `{"id"`, `{"a":`+strings.Repeat("[", 5000)+strings.Repeat("]", 5000)+`,"id"`, 1), "unknown status_refused"},
		{"cut", strings.TrimSuffix(s.revocationsOf(nil), "}"), "unknown status_refused"},
		{"an array", "[" + s.revocationsOf(nil) + "]", "unknown status_refused"},
		{"null", "null", "unknown status_refused"},
		{"nothing", "", "unknown status_refused"},
		{"too large", s.revocationsOf(set("a", strings.Repeat("x", 1<<20))), "unknown status_unreachable"},
	}
	for _, tt := range tests {
		s.set("/revocations", "application/json", tt.body)
		if r := newAsker(s, other).ask(t, doc, verifier.Options{}); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}

	s.set("/revocations", "application/json", s.revocationsOf(nil))
	address := func(a any) func(map[string]any) { return func(e map[string]any) { e["id"] = a } }
	for _, tt := range []struct {
		name, want string
		change     func(map[string]any)
	}{
		{"as text of types", "valid", set("type", "1EdTechRevocationList")},
		{"without an address", "invalid status_refused", without("id")},
		{"a path", "invalid terms", address("revocations")},
		{"without https", "unknown status_unreachable", address("http://oasis.example/revocations")},
		{"an address inside", "unknown status_unreachable", address("https://169.254.169.254/latest")},
		{"an address of nobody", "unknown status_unreachable", address("file:///etc/passwd")},
		{"with a fragment", "unknown status_unreachable", address(s.server.URL + "/revocations#1")},
		{"not there", "unknown status_unreachable", address(s.server.URL + "/other")},
		{"on another port", "unknown status_unreachable", address("https://oasis.example:8443/revocations")},
		{"of a kind that nobody knows", "invalid terms", set("type", "1EdTechRevocationList2")},
	} {
		if r := newAsker(s).ask(t, s.listed(tt.change), verifier.Options{}); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}

	// A page is no list, whatever it says.
	s.set("/revocations", "text/html", s.revocationsOf(nil))
	if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "unknown status_unreachable" {
		t.Errorf("a page: %s", why(r))
	}
	// A badge without an id is in no list that names ids.
	s.set("/revocations", "application/json", s.revocationsOf(nil))
	nameless := badge(s.did, "", func(d map[string]any) {
		d["@context"] = []any{proof.CredentialsV2, proof.OpenBadges303, extensions}
		d["credentialStatus"] = map[string]any{"id": s.server.URL + "/revocations", "type": "1EdTechRevocationList"}
		delete(d, "id")
	})
	if r := newAsker(s).ask(t, signAsStranger(t, nameless, s.did, s.key, noon), verifier.Options{}); why(r) != "unknown status_refused" {
		t.Errorf("without an id: %s", why(r))
	}
}

// What the issuer says of a revocation is told in its words, and where the list is from.
func TestRevocationListTells(t *testing.T) {
	s := newSchool(t)
	doc := s.listed(nil)
	s.set("/revocations", "application/json", s.revocationsOf(nil, map[string]any{"id": "https://oasis.example/verify/1", "revocationReason": " Issued in <b>error</b> "}))
	r := newAsker(s).ask(t, doc, verifier.Options{})
	if why(r) != "revoked revoked" || r.Reasons[0].Given() != "Issued in <b>error</b>" || !r.Reasons[0].Date().IsZero() {
		t.Errorf("%s %+v", why(r), r.Reasons)
	}
	if b := rests(r, verifier.Status); b.From != verifier.Web || b.Source != s.server.URL+"/revocations" || !b.At.Equal(noon) {
		t.Errorf("%+v", b)
	}
	long := strings.Repeat("ع", 5000)
	s.set("/revocations", "application/json", s.revocationsOf(nil, map[string]any{"id": "https://oasis.example/verify/1", "revocationReason": long}))
	if r := newAsker(s).ask(t, doc, verifier.Options{}); len(r.Reasons) != 1 || r.Reasons[0].Given() != long[:2000] {
		t.Errorf("%s, %d bytes of reason", why(r), len(r.Reasons[0].Given()))
	}
	// With a bitstring list beside it, each may say the worse.
	both := badge(s.did, s.listURL(), func(d map[string]any) {
		d["@context"] = []any{proof.CredentialsV2, proof.OpenBadges303, extensions}
		d["credentialStatus"] = []any{d["credentialStatus"], map[string]any{"id": s.server.URL + "/revocations", "type": "1EdTechRevocationList"}}
	})
	signed := signAsStranger(t, both, s.did, s.key, noon.Add(-24*time.Hour))
	for _, tt := range []struct {
		name, want string
		bits       []int
		entries    []any
	}{
		{"neither", "valid", nil, nil},
		{"the bit", "revoked revoked", []int{77}, nil},
		{"the entry", "revoked revoked", nil, []any{map[string]any{"id": "https://oasis.example/verify/1"}}},
	} {
		s.serveList(noon, bits(t, 131_072, tt.bits...))
		s.set("/revocations", "application/json", s.revocationsOf(nil, tt.entries...))
		if r := newAsker(s).ask(t, signed, verifier.Options{}); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}
}

// Nobody signs the list: without the issuer's host nothing is known, and a copy of it is worth nothing.
func TestRevocationListWithoutItsHost(t *testing.T) {
	s := newSchool(t)
	doc := s.listed(nil)
	s.set("/revocations", "application/json", s.revocationsOf(nil))
	known := verifier.Issuer{DID: s.did, From: verifier.Given, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}
	a := newAsker(s)
	a.Issuers = []verifier.Issuers{book{known}}
	a.Lists = []verifier.Lists{shelf{s.server.URL + "/revocations": {From: verifier.Trusted, At: noon, Document: []byte(s.revocationsOf(nil))}}}
	if r := a.ask(t, doc, verifier.Options{Offline: true}); why(r) != "unknown status_unreachable" {
		t.Errorf("offline: %s", why(r))
	}
	if s.hits["/revocations"] != 0 {
		t.Error("asked all the same")
	}
	a.Web = nil
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "unknown status_unreachable" {
		t.Errorf("without a network: %s", why(r))
	}
	a = newAsker(s)
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" {
		t.Fatalf("%s", why(r))
	}
	// Its last word counts for as long as that of any list.
	s.server.Close()
	a.now = noon.Add(6 * 24 * time.Hour)
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" || !rests(r, verifier.Status).At.Equal(noon) {
		t.Errorf("six days later: %s", why(r))
	}
	a.now = noon.Add(8 * 24 * time.Hour)
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "unknown status_old" || r.Reasons[0].Args["Days"] != 8 {
		t.Errorf("eight days later: %s", why(r))
	}
}

// A host that sends on to another has not given its list.
func TestRevocationListElsewhere(t *testing.T) {
	s, other := newSchool(t), newSchool(t)
	other.set("/revocations", "application/json", s.revocationsOf(nil))
	s.set("/revocations", elsewhere, other.server.URL+"/revocations")
	r := newAsker(s, other).ask(t, s.listed(nil), verifier.Options{})
	if why(r) != "unknown status_unreachable" || other.hits["/revocations"] != 0 {
		t.Errorf("%s %v", why(r), other.hits)
	}
	if !slices.ContainsFunc(r.RestsOn, func(b verifier.Basis) bool { return b.Kind == verifier.Signature }) {
		t.Errorf("%+v", r.RestsOn)
	}
}

package app_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/bundle"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

var update = flag.Bool("update", false, "write internal/credential/code/testdata/airplane.* anew")

const (
	airplanes = "../credential/code/testdata"
	oasis     = "did:web:learn.example.org:institutions:oasis"
	river     = "did:web:learn.example.org:institutions:river"
	lists     = "https://learn.example.org/api/status-lists/019aa000-0000-7000-8000-00000000000"
)

// airplane is a credential, and what a reader without a network shall say of it by airplane.banyan. The page's reader is
// held to the same.
type airplane struct {
	Name    string   `json:"name"`
	Text    string   `json:"text"`
	Now     string   `json:"now"`
	State   string   `json:"state"`
	Reasons []string `json:"reasons,omitempty"`
	Page    string   `json:"page,omitempty"` // the reason of the page, which then says unknown
}

func letterKey(letter byte) signing.Key {
	k, err := signing.Generate(bytes.NewReader(bytes.Repeat([]byte{letter}, 32)))
	if err != nil {
		panic(err)
	}
	return k
}

func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func sign(t *testing.T, doc string, letter byte, issuer, at string) []byte {
	t.Helper()
	k := letterKey(letter)
	signed, err := proof.Sign([]byte(doc), k, issuer+"#"+k.Multikey(), moment(at))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// statusList is a list with one bit set, signed on 10 May 2026.
func statusList(t *testing.T, n, purpose, issuer string, letter byte, set int) []byte {
	t.Helper()
	bits := make([]byte, 131_072/8)
	bits[set/8] |= 1 << (7 - set%8)
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(bits); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return sign(t, `{"@context":["https://www.w3.org/ns/credentials/v2"],"id":"`+lists+n+`","type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":"`+
		issuer+`","validFrom":"2026-05-10T00:00:00Z","credentialSubject":{"id":"`+lists+n+`#list","type":"BitstringStatusList","statusPurpose":"`+purpose+
		`","encodedList":"u`+base64.RawURLEncoding.EncodeToString(b.Bytes())+`","ttl":300000}}`, letter, issuer, "2026-05-10T00:00:00Z")
}

func airplaneDocument(index, extra string) string {
	entry := func(n, purpose string) string {
		return `{"id":"` + lists + n + `#` + index + `","type":"BitstringStatusListEntry","statusPurpose":"` + purpose + `","statusListIndex":"` + index +
			`","statusListCredential":"` + lists + n + `"}`
	}
	return `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
		`"id":"https://learn.example.org/verify/019ab123-4567-7890-abcd-ef0123456789","type":["VerifiableCredential","AchievementCredential"],"name":"First steps",` +
		`"issuer":{"id":"` + oasis + `","type":["Profile"],"name":"Oasis"},"validFrom":"2026-05-01T12:00:00Z",` + extra + `"credentialSubject":{"type":["AchievementSubject"],` +
		`"identifier":[{"type":"IdentityObject","identityType":"name","hashed":false,"identityHash":"ليلى حسن 𠮷"}],"achievement":{` +
		`"id":"https://learn.example.org/en/courses/first-steps@3","type":["Achievement"],"achievementType":"CertificateOfCompletion","name":"First steps",` +
		`"description":"A first course.","criteria":{"narrative":"Has passed \"all\" of it."},"inLanguage":"en","version":"3"}},"credentialStatus":[` +
		entry("1", "revocation") + "," + entry("2", "suspension") + `]}`
}

func makeAirplanes(t *testing.T) (pack []byte, out []airplane) {
	t.Helper()
	blobs := [][]byte{statusList(t, "1", "revocation", oasis, 'a', 7), statusList(t, "2", "suspension", oasis, 'a', 8), statusList(t, "3", "revocation", river, 'r', 7)}
	stamp := bundle.At(moment("2026-05-10T00:00:00Z"))
	ref := func(i int, n string, p bundle.Purpose) bundle.StatusList {
		return bundle.StatusList{URL: lists + n, Purpose: p, SignedAt: &stamp, Digest: blob.Of(blobs[i]), Size: int64(len(blobs[i]))}
	}
	from := bundle.At(moment("2026-01-01T00:00:00Z"))
	p := letterKey('p')
	first, err := bundle.Sign("publisher", bundle.Publisher{
		Type: "publisher", Format: 1, ID: oasis, Name: map[string]string{"en": "Oasis"}, Serial: 1, SignedAt: from,
		Keys: []bundle.PublisherKey{{Key: p.Multikey(), From: from, Until: bundle.At(moment("2031-01-01T00:00:00Z"))}},
	}, p)
	if err != nil {
		t.Fatal(err)
	}
	word, err := bundle.Sign("trust", bundle.Trust{Type: "trust", Format: 1, Publisher: oasis, SignedAt: bundle.At(moment("2026-05-11T00:00:00Z")), Issuers: []bundle.Issuer{
		{
			DID: oasis, Names: map[string]string{"ar": "الواحة", "en": "Oasis"}, Country: "EG", Keys: []bundle.IssuerKey{{Key: letterKey('a').Multikey(), From: from}},
			Lists: []bundle.StatusList{ref(0, "1", bundle.Revocation), ref(1, "2", bundle.Suspension)},
		},
		{
			DID: river, Names: map[string]string{"en": "River"}, Keys: []bundle.IssuerKey{{Key: letterKey('r').Multikey(), From: from}},
			Lists: []bundle.StatusList{ref(2, "3", bundle.Revocation)},
		},
	}}, p)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := bundle.NewWriter(&b)
	for _, f := range append([]bundle.Frame{{Kind: bundle.PublisherFrame, Payload: first.Text}, {Kind: bundle.TrustFrame, Payload: word.Text}},
		bundle.Frame{Kind: bundle.BlobFrame, Payload: blobs[0]}, bundle.Frame{Kind: bundle.BlobFrame, Payload: blobs[1]}, bundle.Frame{Kind: bundle.BlobFrame, Payload: blobs[2]}) {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	const soon, late = "2026-05-12T00:00:00Z", "2026-06-12T00:00:00Z"
	add := func(name, text, now, state string, reasons ...string) *airplane {
		out = append(out, airplane{Name: name, Text: text, Now: now, State: state, Reasons: reasons})
		return &out[len(out)-1]
	}
	place := func(n string, i int) *code.Place {
		l, err := code.ListOf("019aa000-0000-7000-8000-00000000000" + n)
		if err != nil {
			t.Fatal(err)
		}
		return &code.Place{List: l, Index: i}
	}
	write := func(letter byte, change func(*code.Claims)) string {
		c := code.Claims{
			ID: "019ab123-4567-7890-abcd-ef0123456789", Issuer: oasis, Base: "https://learn.example.org", SignedAt: moment("2026-05-02T08:00:00Z"),
			IssuedAt: moment("2026-05-01T12:00:00Z"), Name: "ليلى حسن", Achievement: "First steps", Course: "first-steps", Version: 3, Locale: "en",
			Revocation: place("1", 5), Suspension: place("2", 5),
		}
		change(&c)
		text, err := code.Encode(c, letterKey(letter))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	at := func(i int) func(*code.Claims) {
		return func(c *code.Claims) { c.Revocation.Index, c.Suspension.Index = i, i }
	}
	good := write('a', at(5))
	add("a code", good, soon, "valid")
	add("a code with line breaks around it", "\n"+good+"\r\n", soon, "valid")
	add("without the name", write('a', func(c *code.Claims) { c.Name = "" }), soon, "valid")
	add("revoked", write('a', at(7)), soon, "revoked", "revoked")
	add("suspended", write('a', at(8)), soon, "suspended", "suspended")
	add("expired", write('a', func(c *code.Claims) { e := moment(soon); c.ExpiresAt = &e }), soon, "expired", "expired")
	add("not expired yet", write('a', func(c *code.Claims) { e := moment(soon).Add(time.Second); c.ExpiresAt = &e }), soon, "valid")
	add("revoked and expired", write('a', func(c *code.Claims) { at(7)(c); e := moment(soon); c.ExpiresAt = &e }), soon, "revoked", "revoked")
	add("a list that is old", good, late, "unknown", "status_old", "status_old")
	add("a list of exactly 7 days", good, "2026-05-17T00:00:00Z", "valid")
	add("a list of more than 7 days", good, "2026-05-17T00:00:01Z", "unknown", "status_old", "status_old")
	add("revoked, by an old list", write('a', at(7)), late, "revoked", "revoked")
	add("a place that the list has not", write('a', at(131_072)), soon, "unknown", "status_refused", "status_refused")
	add("a list that nobody brought", write('a', func(c *code.Claims) { c.Revocation = place("9", 5) }), soon, "unknown", "status_unreachable")
	add("another issuer's list", write('a', func(c *code.Claims) { c.Revocation = place("3", 5) }), soon, "unknown", "status_unreachable")
	add("the list for another purpose", write('a', func(c *code.Claims) { c.Revocation = place("2", 5) }), soon, "unknown", "status_refused")
	add("an issuer that nobody knows", write('x', func(c *code.Claims) { c.Issuer = "did:web:thorn.example" }), soon, "unknown", "issuer_unknown")
	add("a key that nobody knows", write('x', at(5)), soon, "unknown", "key_unknown")
	add("another issuer's key", write('r', at(5)), soon, "unknown", "key_unknown")
	add("before the key held", write('a', func(c *code.Claims) {
		c.IssuedAt, c.SignedAt = moment("2025-05-01T12:00:00Z"), moment("2025-05-01T12:00:00Z")
	}), soon, "invalid", "foreign_key")
	add("a changed code", good[:len(good)-1]+map[bool]string{true: "1", false: "0"}[good[len(good)-1] == '0'], soon, "invalid", "changed")
	add("half a code", good[:200], soon, "invalid", "not_readable")
	add("nothing of the kind", "https://learn.example.org/verify/019ab123-4567-7890-abcd-ef0123456789", soon, "invalid", "not_readable")

	signed := func(index, extra string) string {
		return string(sign(t, airplaneDocument(index, extra), 'a', oasis, "2026-05-01T12:00:00Z"))
	}
	doc := signed("5", "")
	add("a document", doc, soon, "valid")
	add("revoked document", signed("7", ""), soon, "revoked", "revoked")
	add("suspended document", signed("8", ""), soon, "suspended", "suspended")
	add("expired document", signed("5", `"validUntil":"2026-05-11T00:00:00Z",`), soon, "expired", "expired")
	add("old list of a document", doc, late, "unknown", "status_old", "status_old")
	add("changed document", strings.Replace(doc, "ليلى", "سارة", 1), soon, "invalid", "changed")
	add("a document with a term more", strings.Replace(doc, `"version":"3"`, `"version":"3","grade":"A+"`, 1), soon, "invalid", "terms")
	add("a document with a member twice", strings.Replace(doc, `"version":"3"`, `"version":"3","version":"3"`, 1), soon, "invalid", "terms")
	add("a document with null", strings.Replace(doc, `"version":"3"`, `"version":null`, 1), soon, "invalid", "terms")
	add("a document with another word for type", strings.Replace(doc, `"type":["Achievement"]`, `"@type":["Achievement"]`, 1), soon, "invalid", "terms")
	add("a document with another context", strings.Replace(doc, "context-3.0.3.json", "context-3.0.2.json", 1), soon, "invalid", "terms")
	add("a document without its proofs", strings.SplitN(doc, `,"proof"`, 2)[0]+"}", soon, "invalid", "no_proof")
	add("proof for something else", strings.ReplaceAll(doc, `"assertionMethod"`, `"authentication"`), soon, "invalid", "purpose")
	add("another issuer's document", strings.Replace(doc, `"id":"`+oasis+`"`, `"id":"`+river+`"`, 1), soon, "invalid", "foreign_key")
	var whole map[string]json.RawMessage
	var proofs []json.RawMessage
	if json.Unmarshal([]byte(doc), &whole) != nil || json.Unmarshal(whole["proof"], &proofs) != nil || len(proofs) != 2 {
		t.Fatal("not two proofs")
	}
	swapped := strings.Replace(doc, string(whole["proof"]), "["+string(proofs[1])+","+string(proofs[0])+"]", 1)
	add("proofs in another order", swapped, soon, "valid")
	add("the proof for others alone", strings.Replace(doc, string(whole["proof"]), "["+string(proofs[0])+"]", 1), soon, "valid").Page = "needs_network"
	add("the proof for phones alone", strings.Replace(doc, string(whole["proof"]), "["+string(proofs[1])+"]", 1), soon, "valid")
	return b.Bytes(), out
}

// Airplane mode: what a reader says that has one file and no network. Where this changes, run with -update and look at the difference.
func TestAirplaneMode(t *testing.T) {
	pack, all := makeAirplanes(t)
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	raw = append(raw, '\n')
	if *update {
		for name, data := range map[string][]byte{"airplane.banyan": pack, "airplane.json": raw} {
			if err := os.WriteFile(filepath.Join(airplanes, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if want, err := os.ReadFile(filepath.Join(airplanes, "airplane.json")); err != nil || !bytes.Equal(want, raw) {
		t.Errorf("airplane.json says something else: %v", err)
	}
	f, err := os.Open(filepath.Join(airplanes, "airplane.banyan"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := bundle.ReadWords(bundle.NewReader(f), func(string, string) (bundle.Known, error) { return bundle.Known{Anybody: true}, nil })
	if err != nil {
		t.Fatal(err)
	}
	words := app.Words{List: func(context.Context) ([]bundle.Trust, error) { return w.Trusts(), nil }, Open: w.Blob, From: verifier.Given}
	for _, one := range all {
		v := verifier.Verifier{
			Issuers: []verifier.Issuers{words}, Lists: []verifier.Lists{words}, Memory: &verifier.Memory{}, Now: func() time.Time { return moment(one.Now) },
		}
		r, err := v.Verify(t.Context(), []byte(one.Text), verifier.Options{Offline: true})
		if err != nil {
			t.Errorf("%s: %v", one.Name, err)
			continue
		}
		var reasons []string
		for _, why := range r.Reasons {
			reasons = append(reasons, string(why.Code))
		}
		if string(r.State) != one.State || strings.Join(reasons, " ") != strings.Join(one.Reasons, " ") {
			t.Errorf("%s: %s %v, want %s %v", one.Name, r.State, reasons, one.State, one.Reasons)
		}
	}
}

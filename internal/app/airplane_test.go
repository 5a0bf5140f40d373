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
	"github.com/banyan-lms/banyan/internal/bundle/intake"
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
	// Recognised is what institutions take it for, in English.
	Recognised []string `json:"recognised,omitempty"`
	Page       string   `json:"page,omitempty"` // the reason of the page, which then says unknown
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

// endorsed is a recognition of River: of whose course, as what, in which place of River's list, and until when.
func endorsed(of, course, as, index, until string) string {
	if until != "" {
		until = `"validUntil":"` + until + `",`
	}
	return `{"@context":["https://www.w3.org/ns/credentials/v2","https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"],` +
		`"id":"https://learn.example.org/api/recognitions/019ab123-4567-7890-abcd-0000000000` + index + `","type":["VerifiableCredential","EndorsementCredential"],"name":"First steps",` +
		`"issuer":{"id":"` + river + `","type":["Profile"],"name":"River"},"validFrom":"2026-05-01T00:00:00Z",` + until +
		`"credentialSubject":{"id":"https://learn.example.org/en/courses/` + course + `","type":["EndorsementSubject"],"endorsementComment":"` + as + `"},"evidence":[` +
		`{"id":"` + of + `","type":["Evidence"],"genre":"issuer","narrative":"First steps"},` +
		`{"type":["Evidence"],"genre":"as","audience":"en","narrative":"` + as + `"},` +
		`{"type":["Evidence"],"genre":"scope","audience":"en","narrative":"Two credits"},` +
		`{"type":["Evidence"],"genre":"conditions","audience":"ar","narrative":"خلال ثلاث سنوات"}],` +
		`"credentialStatus":{"id":"` + lists + `3#` + index + `","type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"` + index +
		`","statusListCredential":"` + lists + `3"}}`
}

// recognitions of which the first alone holds.
func recognitions(t *testing.T) (rows []bundle.Recognition, docs [][]byte) {
	const at, course = "2026-05-01T00:00:00Z", "first-steps"
	by := func(letter byte, doc string) []byte { return sign(t, doc, letter, river, at) }
	add := func(as string, doc []byte) {
		rows = append(rows, bundle.Recognition{
			ID: as, By: river, Of: bundle.Recognised{DID: oasis, Course: course}, As: map[string]string{"en": as}, From: bundle.At(moment(at)),
			Digest: blob.Of(doc), Size: int64(len(doc)),
		})
		docs = append(docs, doc)
	}
	good := endorsed(oasis, course, "Module 1", "10", "2027-05-01T00:00:00Z")
	add("Module 1", by('r', good))
	add("ended", by('r', endorsed(oasis, course, "ended", "7", "")))
	add("expired", by('r', endorsed(oasis, course, "expired", "11", "2026-05-11T00:00:00Z")))
	add("begins later", by('r', strings.Replace(endorsed(oasis, course, "begins later", "12", ""), `"validFrom":"2026-05-01`, `"validFrom":"2027-05-01`, 1)))
	add("a degree", bytes.Replace(by('r', endorsed(oasis, course, "edited", "13", "")), []byte(`"narrative":"edited"`), []byte(`"narrative":"a degree"`), 1))
	add("of another course", by('r', endorsed(oasis, "second-steps", "of another course", "14", "")))
	add("of another issuer", by('r', endorsed(oasis+"2", course, "of another issuer", "15", "")))
	add("by a key that was revoked later", by('v', endorsed(oasis, course, "by a key that was revoked later", "16", "")))
	add("by a key of nobody", by('x', endorsed(oasis, course, "by a key of nobody", "17", "")))
	add("by another institution's key", by('a', endorsed(oasis, course, "by another institution's key", "18", "")))
	add("in another's list", by('r', strings.ReplaceAll(endorsed(oasis, course, "in another's list", "20", ""), lists+"3", lists+"1")))
	add("that cannot be ended", by('r', strings.SplitN(endorsed(oasis, course, "that cannot be ended", "21", ""), `,"credentialStatus"`, 2)[0]+"}"))
	add("one text twice", by('r', strings.Replace(endorsed(oasis, course, "one text twice", "22", ""), `"genre":"scope"`, `"genre":"as"`, 1)))
	add("no recognition", sign(t, airplaneDocument("5", ""), 'a', oasis, at))
	rows = append(rows, rows[0]) // said twice, told once
	return rows, docs
}

func makeAirplanes(t *testing.T) (pack []byte, out []airplane) {
	t.Helper()
	blobs := [][]byte{statusList(t, "1", "revocation", oasis, 'a', 7), statusList(t, "2", "suspension", oasis, 'a', 8), statusList(t, "3", "revocation", river, 'r', 7)}
	stamp := bundle.At(moment("2026-05-10T00:00:00Z"))
	ref := func(i int, n string, p bundle.Purpose) bundle.StatusList {
		return bundle.StatusList{URL: lists + n, Purpose: p, SignedAt: &stamp, Digest: blob.Of(blobs[i]), Size: int64(len(blobs[i]))}
	}
	from := bundle.At(moment("2026-01-01T00:00:00Z"))
	rows, docs := recognitions(t)
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
			DID: river, Names: map[string]string{"en": "River"}, Keys: []bundle.IssuerKey{
				{Key: letterKey('r').Multikey(), From: from}, {Key: letterKey('v').Multikey(), From: from, Retired: &stamp, Revoked: &stamp},
			},
			Lists: []bundle.StatusList{ref(2, "3", bundle.Revocation)},
		},
	}, Recognitions: rows}, p)
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
	for _, doc := range docs {
		if err := w.Write(bundle.Frame{Kind: bundle.BlobFrame, Payload: doc}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	const soon, late = "2026-05-12T00:00:00Z", "2026-06-12T00:00:00Z"
	add := func(name, text, now, state string, reasons ...string) *airplane {
		one := airplane{Name: name, Text: text, Now: now, State: state, Reasons: reasons}
		// Of what counts, and of what is only not certain to count yet.
		if state == "valid" || state == "unknown" && strings.HasPrefix(reasons[0], "status_") {
			one.Recognised = []string{"Module 1"}
		}
		out = append(out, one)
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
	w, err := intake.ReadWords(bundle.NewReader(f), func(bundle.Chain) (intake.Known, error) { return intake.Known{Anybody: true}, nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		at := func() time.Time { return moment(one.Now) }
		words := app.Words{List: func(context.Context) ([]bundle.Trust, error) { return w.Trusts(), nil }, Open: w.Blob, From: verifier.Given, Now: at}
		v := verifier.Verifier{
			Issuers: []verifier.Issuers{words}, Lists: []verifier.Lists{words}, Recognisers: []verifier.Recognisers{words}, Memory: &verifier.Memory{}, Now: at,
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
		var recognised []string
		for _, r := range r.Recognitions {
			recognised = append(recognised, r.As["en"])
			if r.By != river || r.Names["en"] != "River" || r.Scope["en"] != "Two credits" || r.Conditions["ar"] == "" || !r.At.Equal(moment("2026-05-10T00:00:00Z")) || r.Until.IsZero() {
				t.Errorf("%s: %+v", one.Name, r)
			}
		}
		if strings.Join(recognised, ", ") != strings.Join(one.Recognised, ", ") {
			t.Errorf("%s: recognised as %q, want %q", one.Name, recognised, one.Recognised)
		}
	}
}

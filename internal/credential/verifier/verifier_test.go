package verifier_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// school is an issuer with a web server of its own.
type school struct {
	t      *testing.T
	server *httptest.Server
	mu     sync.Mutex
	pages  map[string]page
	hits   map[string]int
	did    string
	key    signing.Key
}

type page struct{ kind, body string }

// elsewhere is the kind of a page that sends on to the address in its body.
const elsewhere = "elsewhere"

func newSchool(t *testing.T) *school {
	t.Helper()
	s := &school{t: t, pages: map[string]page{}, hits: map[string]int{}, key: newKey(t)}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits[r.URL.Path]++
		p, ok := s.pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if p.kind == elsewhere {
			http.Redirect(w, r, p.body, http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", p.kind)
		_, _ = w.Write([]byte(p.body))
	}))
	t.Cleanup(s.server.Close)
	s.did = "did:web:" + strings.Replace(strings.TrimPrefix(s.server.URL, "http://"), ":", "%3A", 1) + ":schools:oasis"
	s.serveDID(s.key.Multikey(), nil)
	return s
}

func newKey(t *testing.T) signing.Key {
	t.Helper()
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (s *school) set(path, kind, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pages[path] = page{kind, body}
}

// serveDID publishes a DID document with one key; change may spoil it.
func (s *school) serveDID(multikey string, change func(map[string]any)) {
	s.t.Helper()
	method := map[string]any{"id": s.did + "#" + multikey, "type": "Multikey", "controller": s.did, "publicKeyMultibase": multikey}
	d := map[string]any{"id": s.did, "verificationMethod": []any{method}, "assertionMethod": []any{s.did + "#" + multikey}}
	if change != nil {
		change(d)
	}
	s.set("/schools/oasis/did.json", "application/did+json", toJSON(s.t, d))
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// badge is an unsigned credential of an issuer; change may spoil it.
func badge(did, list string, change func(map[string]any)) map[string]any {
	d := map[string]any{
		"@context": []any{proof.CredentialsV2, proof.OpenBadges303},
		"id":       "https://oasis.example/verify/1", "type": []any{"VerifiableCredential", "AchievementCredential"}, "name": "AI basics",
		"issuer":    map[string]any{"id": did, "type": []any{"Profile"}, "name": "Oasis school"},
		"validFrom": "2026-04-01T08:00:00Z",
		"credentialSubject": map[string]any{
			"type":       []any{"AchievementSubject"},
			"identifier": []any{map[string]any{"type": "IdentityObject", "identityType": "name", "hashed": false, "identityHash": "ليلى"}},
			"achievement": map[string]any{
				"id": "https://oasis.example/a/1", "type": []any{"Achievement"}, "achievementType": "CertificateOfCompletion", "name": "AI basics",
				"description": "What AI is.", "criteria": map[string]any{"narrative": "All labs."}, "inLanguage": "en", "version": "1",
			},
		},
	}
	if list != "" {
		d["credentialStatus"] = map[string]any{
			"id": list + "#77", "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "77", "statusListCredential": list,
		}
	}
	if change != nil {
		change(d)
	}
	return d
}

func sign(t *testing.T, d map[string]any, did string, k signing.Key, at time.Time) []byte {
	t.Helper()
	out, err := proof.Sign([]byte(toJSON(t, d)), k, did+"#"+k.Multikey(), at)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func bits(t *testing.T, places int, set ...int) string {
	t.Helper()
	raw := make([]byte, places/8)
	for _, i := range set {
		raw[i/8] |= 1 << (7 - i%8)
	}
	return pack(t, raw)
}

func pack(t *testing.T, raw []byte) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// list is an unsigned status list.
func list(did, address string, at time.Time, encoded string, change func(map[string]any)) map[string]any {
	d := map[string]any{
		"@context": []any{proof.CredentialsV2}, "id": address, "type": []any{"VerifiableCredential", "BitstringStatusListCredential"}, "issuer": did,
		"validFrom": proof.FormatTime(at), "validUntil": proof.FormatTime(at.Add(30 * 24 * time.Hour)),
		"credentialSubject": map[string]any{"id": address + "#list", "type": "BitstringStatusList", "statusPurpose": "revocation", "encodedList": encoded},
	}
	if change != nil {
		change(d)
	}
	return d
}

func (s *school) listURL() string { return s.server.URL + "/list" }

// serveList publishes a status list signed by the school.
func (s *school) serveList(at time.Time, encoded string) {
	s.t.Helper()
	s.set("/list", "application/vc", string(sign(s.t, list(s.did, s.listURL(), at, encoded, nil), s.did, s.key, at)))
}

// asker is a verifier that may reach the school, with a clock that can be set.
type asker struct {
	verifier.Verifier
	now time.Time
}

func newAsker(schools ...*school) *asker {
	a := &asker{now: noon}
	clock := func() time.Time { return a.now }
	var allow []string
	for _, s := range schools {
		allow = append(allow, s.server.URL)
	}
	a.Verifier = verifier.Verifier{Web: fetch.New(fetch.Config{Allow: allow, Now: clock}), Memory: &verifier.Memory{}, Now: clock}
	return a
}

func (a *asker) ask(t *testing.T, in []byte, o verifier.Options) verifier.Report {
	t.Helper()
	r, err := a.Verify(t.Context(), in, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// why is the state and its reasons, in one line.
func why(r verifier.Report) string {
	out := []string{string(r.State)}
	for _, x := range r.Reasons {
		out = append(out, string(x.Code))
	}
	return strings.Join(out, " ")
}

func noted(r verifier.Report, code verifier.Why) bool {
	return slices.ContainsFunc(r.Notes, func(n verifier.Reason) bool { return n.Code == code })
}

func rests(r verifier.Report, kind verifier.BasisKind) verifier.Basis {
	for _, b := range r.RestsOn {
		if b.Kind == kind {
			return b
		}
	}
	return verifier.Basis{}
}

// A stranger's badge is checked over the network, and everything that it rests on is told.
func TestForeign(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon.Add(-time.Hour), bits(t, 131_072))
	a := newAsker(s)
	signedAt := noon.Add(-24 * time.Hour)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, signedAt)
	for range 2 {
		r := a.ask(t, append([]byte("\xef\xbb\xbf \n"), doc...), verifier.Options{})
		if why(r) != "valid" || !noted(r, verifier.Stranger) || r.Format != verifier.JSON || !bytes.Equal(r.Document, doc) || r.Offline || !r.Readable() {
			t.Fatalf("%s %+v", why(r), r)
		}
		if c := r.Claims; c.Name != "ليلى" || c.Achievement != "AI basics" || c.IssuerName != "Oasis school" || c.Issuer != s.did || c.Narrative != "All labs." || c.Language != "en" || !c.ValidUntil.IsZero() {
			t.Errorf("%+v", c)
		}
		if b := rests(r, verifier.Signature); b.Source != s.did+"#"+s.key.Multikey() || !b.At.Equal(signedAt) {
			t.Errorf("%+v", b)
		}
		if b := rests(r, verifier.Issuing); b.From != verifier.Web || b.Source != s.server.URL+"/schools/oasis/did.json" || !b.At.Equal(noon) {
			t.Errorf("%+v", b)
		}
		if b := rests(r, verifier.Status); b.From != verifier.Web || b.Source != s.listURL() || !b.At.Equal(noon) {
			t.Errorf("%+v", b)
		}
		if b := rests(r, verifier.Clock); !b.At.Equal(noon) {
			t.Errorf("%+v", b)
		}
	}
	if s.hits["/list"] != 1 || s.hits["/schools/oasis/did.json"] != 1 {
		t.Errorf("asked %v", s.hits)
	}
	// Offline, nobody is asked, though copies lie in the cache.
	fresh := newAsker(s)
	if r := fresh.ask(t, doc, verifier.Options{Offline: true}); why(r) != "unknown issuer_unknown" || !r.Offline {
		t.Errorf("%s", why(r))
	}
	fresh.Web = nil
	if r := fresh.ask(t, doc, verifier.Options{}); why(r) != "unknown issuer_unknown" || !r.Offline {
		t.Errorf("%s", why(r))
	}
	if s.hits["/list"] != 1 || s.hits["/schools/oasis/did.json"] != 1 {
		t.Errorf("asked %v", s.hits)
	}
	gone := newAsker(s)
	s.server.Close()
	if r := gone.ask(t, doc, verifier.Options{}); why(r) != "unknown issuer_unreachable" {
		t.Errorf("%s", why(r))
	}
	// The one that asked before knows the keys and the list for as long as they are worth something.
	a.now = noon.Add(3 * 24 * time.Hour)
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" || !rests(r, verifier.Status).At.Equal(noon) {
		t.Errorf("three days later %s", why(r))
	}
	a.now = noon.Add(8 * 24 * time.Hour)
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "unknown status_old" || r.Reasons[0].Args["Days"] != 8 {
		t.Errorf("eight days later %s", why(r))
	}
}

func TestStates(t *testing.T) {
	s := newSchool(t)
	signed := noon.Add(-24 * time.Hour)
	two := func(d map[string]any) {
		entry := d["credentialStatus"].(map[string]any)
		other := map[string]any{"id": s.server.URL + "/suspended#78", "type": "BitstringStatusListEntry", "statusPurpose": "suspension", "statusListIndex": "78", "statusListCredential": s.server.URL + "/suspended"}
		d["credentialStatus"] = []any{entry, other}
	}
	suspended := func(set ...int) {
		address := s.server.URL + "/suspended"
		d := list(s.did, address, noon, bits(t, 131_072, set...), func(d map[string]any) { d["credentialSubject"].(map[string]any)["statusPurpose"] = "suspension" })
		s.set("/suspended", "application/vc", string(sign(t, d, s.did, s.key, noon)))
	}
	expired := func(d map[string]any) { d["validUntil"] = "2026-04-30T08:00:00Z" }
	tests := []struct {
		name, want string
		revoked    []int
		suspended  []int
		change     []func(map[string]any)
	}{
		{"good", "valid", nil, nil, nil},
		{"its neighbours are revoked", "valid", []int{76, 78, 131_071}, nil, nil},
		{"revoked", "revoked revoked", []int{77}, nil, nil},
		{"expired", "expired expired", nil, nil, []func(map[string]any){expired}},
		{"expired and revoked", "revoked revoked", []int{77}, nil, []func(map[string]any){expired}},
		{"two lists", "valid", nil, nil, []func(map[string]any){two}},
		{"suspended", "suspended suspended", nil, []int{78}, []func(map[string]any){two}},
		{"suspended and expired", "suspended suspended", nil, []int{78}, []func(map[string]any){two, expired}},
		{"revoked and suspended", "revoked revoked", []int{77}, []int{78}, []func(map[string]any){two}},
		{"not yet", "invalid not_yet", nil, nil, []func(map[string]any){func(d map[string]any) { d["validFrom"] = "2026-06-01T08:00:00Z" }}},
	}
	for _, tt := range tests {
		s.serveList(noon, bits(t, 131_072, tt.revoked...))
		suspended(tt.suspended...)
		doc := sign(t, badge(s.did, s.listURL(), func(d map[string]any) {
			for _, f := range tt.change {
				f(d)
			}
		}), s.did, s.key, signed)
		r := newAsker(s).ask(t, doc, verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if tt.name == "expired and revoked" && !noted(r, verifier.ExpiredAt) {
			t.Errorf("%s: %+v", tt.name, r.Notes)
		}
	}
	if r := newAsker(s).ask(t, sign(t, badge(s.did, "", nil), s.did, s.key, signed), verifier.Options{}); why(r) != "valid" || !noted(r, verifier.Unlisted) {
		t.Errorf("without a status: %s", why(r))
	}
}

// What was signed cannot be changed, nor passed off for another's.
func TestForgeries(t *testing.T) {
	s, other := newSchool(t), newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	signed := noon.Add(-24 * time.Hour)
	good := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, signed)
	swap := func(old, with string) []byte {
		t.Helper()
		out := bytes.Replace(good, []byte(old), []byte(with), 1)
		if bytes.Equal(out, good) {
			t.Fatalf("nothing is like %s", old)
		}
		return out
	}
	plain := toJSON(t, badge(s.did, s.listURL(), nil))
	var tree map[string]any
	if err := json.Unmarshal(good, &tree); err != nil {
		t.Fatal(err)
	}
	proofs := toJSON(t, tree["proof"])
	byOther := sign(t, badge(other.did, s.listURL(), nil), other.did, other.key, signed)
	tests := []struct {
		name string
		doc  []byte
		want string
	}{
		{"name", swap("ليلى", "سارة"), "invalid changed"},
		{"time", swap("2026-04-01", "2025-04-01"), "invalid changed"},
		{"term", swap(`"version":"1"`, `"version":"1","grade":"A+"`), "invalid terms"},
		{"type", swap(`"AchievementCredential"`, `"GoldCredential"`), "invalid terms"},
		{"context", swap(proof.OpenBadges303, "https://evil.example/context.json"), "unknown unsupported"},
		{"context order", swap(`["`+proof.CredentialsV2+`","`+proof.OpenBadges303+`"]`, `["`+proof.OpenBadges303+`","`+proof.CredentialsV2+`"]`), "invalid terms"},
		{"member twice", swap(`"validFrom":`, `"validFrom":"2020-01-01T00:00:00Z","validFrom":`), "invalid terms"},
		{"no proof", []byte(plain), "invalid no_proof"},
		{"purpose", swap("assertionMethod", "authentication"), "invalid purpose"},
		{"another's proof", []byte(strings.TrimSuffix(toJSON(t, badge(other.did, s.listURL(), nil)), "}") + `,"proof":` + proofs + "}"), "invalid foreign_key"},
		{"another's name", swap(`"id":"`+s.did+`"`, `"id":"`+other.did+`"`), "invalid foreign_key"},
		{"another's key", bytes.ReplaceAll(good, []byte(s.did+"#"+s.key.Multikey()), []byte(other.did+"#"+other.key.Multikey())), "invalid foreign_key"},
		{"key of nobody", sign(t, badge(s.did, s.listURL(), nil), s.did, other.key, signed), "invalid foreign_key"},
		{"cut", good[:len(good)-9], "invalid not_readable"},
		{"nothing", nil, "invalid not_readable"},
		{"a word", []byte("hello"), "invalid not_readable"},
		{"zeros", make([]byte, 1000), "invalid not_readable"},
		{"not UTF-8", append([]byte(`{"a":"`), 0xff, '"', '}'), "invalid not_readable"},
		{"huge", []byte(`{"a":"` + strings.Repeat("x", verifier.MaxInput) + `"}`), "invalid not_readable"},
		{"deep", []byte(strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)), "invalid terms"},
		{"another list", byOther, "unknown status_refused"},
	}
	for _, tt := range tests {
		r := newAsker(s, other).ask(t, tt.doc, verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if r.State == verifier.Invalid && (r.Readable() || len(r.Notes) > 0) {
			t.Errorf("%s: a forgery is told of", tt.name)
		}
	}
	// A status list is signed too, but no badge.
	s.mu.Lock()
	asBadge := []byte(s.pages["/list"].body)
	s.mu.Unlock()
	if r := newAsker(s).ask(t, asBadge, verifier.Options{}); why(r) != "invalid not_badge" {
		t.Errorf("a list as a badge: %s", why(r))
	}
}

// Names that look like an issuer's are not resolved at all.
func TestLookAlikes(t *testing.T) {
	s := newSchool(t)
	host := strings.TrimPrefix(s.server.URL, "http://")
	name, port, _ := strings.Cut(host, ":")
	for _, did := range []string{
		"did:web:" + name + "%3a" + port + ":schools:oasis", "did:web:" + name + ":" + port + "%2Fschools%2Foasis", "did:web:" + name + "%3A" + port + ":schools::oasis",
		"did:web:" + name + "%3A" + port + ":schools:..:oasis", "did:web:" + name + "%3A" + port + ":schools:.", "did:web:" + name + "%3A" + port + ":schools%2Foasis",
		"did:web:" + name + "%3A" + port + ":schools:%6Fasis", "did:web:" + name + "%3A0" + port + ":schools:oasis", "did:web:" + name + "%3A" + port + ":",
		"did:WEB:" + name + "%3A" + port + ":schools:oasis", "did:web:Example.com", "did:web:exämple.com", "did:web:xn--.com", "did:web:example.com.", "did:web:.example.com",
		"did:web:example..com", "did:web:user@example.com", "did:web:[::1]", "did:web:", "did:web:-", "did:web:еxample.com", "did:key:z6MkBad", "did:key:zDnaBad", "did:key:z6Mk" + strings.Repeat("z", 60), "did:key:zDnaegE6RR3atJtHKwTRTWHsJ3kNHqFwv7n9YjTgmU7Tyf0OIl",
		"did:web:" + strings.Repeat("a.", 300) + "com",
	} {
		doc, err := proof.Sign([]byte(toJSON(t, badge(did, "", nil))), s.key, did+"#"+s.key.Multikey(), noon)
		if err != nil {
			continue // refused even earlier
		}
		if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "invalid bad_issuer" && did != "did:web:xn--.com" {
			t.Errorf("%q: %s", did, why(r))
		}
	}
	for _, did := range []string{"did:example:1", "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"} { // the second a key of P-256
		doc, err := proof.Sign([]byte(toJSON(t, badge(did, "", nil))), s.key, did+"#"+s.key.Multikey(), noon)
		if err != nil {
			t.Fatal(err)
		}
		if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "unknown issuer_unknown" {
			t.Errorf("a name of another kind, %s: %s", did, why(r))
		}
	}
	if len(s.hits) != 0 {
		t.Errorf("asked %v", s.hits)
	}
}

func TestDIDDocuments(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	signed := noon.Add(-24 * time.Hour)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, signed)
	method := func(d map[string]any) map[string]any { return d["verificationMethod"].([]any)[0].(map[string]any) }
	multikey := s.key.Multikey()
	raw, err := signing.DecodeMultikey(multikey)
	if err != nil {
		t.Fatal(err)
	}
	jwk := map[string]any{"kty": "OKP", "crv": "Ed25519", "x": base64.RawURLEncoding.EncodeToString(raw)}
	tests := []struct {
		name, want string
		change     func(map[string]any)
	}{
		{"plain", "valid", nil},
		{"relative ids", "valid", func(d map[string]any) {
			method(d)["id"] = "#" + multikey
			d["assertionMethod"] = []any{"#" + multikey}
		}},
		{"embedded", "valid", func(d map[string]any) {
			d["assertionMethod"] = d["verificationMethod"]
			delete(d, "verificationMethod")
		}},
		{"JWK", "valid", func(d map[string]any) {
			m := method(d)
			m["type"], m["publicKeyJwk"] = "JsonWebKey", jwk
			delete(m, "publicKeyMultibase")
		}},
		{"another document", "unknown issuer_unreachable", func(d map[string]any) { d["id"] = "did:web:example.com" }},
		{"another controller", "invalid foreign_key", func(d map[string]any) { method(d)["controller"] = "did:web:example.com" }},
		{"no controller", "invalid foreign_key", func(d map[string]any) { delete(method(d), "controller") }},
		{"for another purpose", "invalid foreign_key", func(d map[string]any) {
			d["authentication"] = d["assertionMethod"]
			delete(d, "assertionMethod")
		}},
		{"no keys", "invalid foreign_key", func(d map[string]any) { delete(d, "verificationMethod") }},
		{"unknown type", "invalid foreign_key", func(d map[string]any) { method(d)["type"] = "GoldKey2026" }},
		{"a private key", "invalid foreign_key", func(d map[string]any) {
			m := method(d)
			m["type"], m["publicKeyJwk"] = "JsonWebKey", map[string]any{"kty": "OKP", "crv": "Ed25519", "x": jwk["x"], "d": jwk["x"]}
		}},
		{"made later", "invalid foreign_key", func(d map[string]any) { method(d)["created"] = "2026-05-01T00:00:00Z" }},
		{"expired before", "invalid foreign_key", func(d map[string]any) { method(d)["expires"] = "2026-04-01T00:00:00Z" }},
		{"expired since", "valid", func(d map[string]any) { method(d)["expires"] = "2027-01-01T00:00:00Z" }},
		{"bad time", "unknown issuer_unreachable", func(d map[string]any) { method(d)["revoked"] = "soon" }},
	}
	for _, tt := range tests {
		s.serveDID(multikey, tt.change)
		if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}
	for _, body := range []string{"", "[]", "null", "{}", `{"id":1}`, `{"id":"` + s.did + `","ID":"x"}`, strings.Repeat("[", 60000), `{"id":"` + s.did + `"} {}`} {
		s.set("/schools/oasis/did.json", "application/did+json", body)
		if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "unknown issuer_unreachable" {
			t.Errorf("%.40s: %s", body, why(r))
		}
	}
}

func TestDIDKey(t *testing.T) {
	k := newKey(t)
	did := "did:key:" + k.Multikey()
	doc := sign(t, badge(did, "", nil), did, k, noon)
	if r := newAsker().ask(t, doc, verifier.Options{Offline: true}); why(r) != "unknown issuer_is_key" || rests(r, verifier.Signature).Source == "" {
		t.Errorf("%s", why(r))
	}
	if r := newAsker().ask(t, bytes.Replace(doc, []byte("ليلى"), []byte("سارة"), 1), verifier.Options{}); why(r) != "invalid changed" {
		t.Errorf("%s", why(r))
	}
	// Who is known by its key is known.
	a := newAsker()
	a.Issuers = []verifier.Issuers{book{{DID: did, Keys: []verifier.Key{{ID: did + "#" + k.Multikey(), Multikey: k.Multikey()}}, From: verifier.Trusted, Source: "did:web:hub.example", At: noon}}}
	if r := a.ask(t, doc, verifier.Options{Offline: true}); why(r) != "valid" || rests(r, verifier.TrustList).Source != "did:web:hub.example" {
		t.Errorf("%s", why(r))
	}
}

// book is a source of issuers.
type book []verifier.Issuer

func (b book) FindIssuer(_ context.Context, did string) (verifier.Issuer, error) {
	for _, i := range b {
		if i.DID == did {
			return i, nil
		}
	}
	return verifier.Issuer{}, verifier.ErrUnknown
}

// shelf is a source of lists.
type shelf map[string]verifier.List

func (s shelf) FindList(_ context.Context, address string) (verifier.List, error) {
	l, ok := s[address]
	if !ok {
		return verifier.List{}, verifier.ErrUnknown
	}
	return l, nil
}

func TestTrusted(t *testing.T) {
	s := newSchool(t)
	signed := noon.Add(-24 * time.Hour)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, signed)
	known := verifier.Issuer{
		DID: s.did, Names: map[string]string{"en": "Oasis"}, From: verifier.Trusted, Source: "did:web:hub.example", At: noon.Add(-48 * time.Hour),
		Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey(), From: noon.Add(-72 * time.Hour)}},
	}
	copied := func(at time.Time, set ...int) verifier.List {
		return verifier.List{From: verifier.Trusted, Document: sign(t, list(s.did, s.listURL(), at, bits(t, 131_072, set...), nil), s.did, s.key, at)}
	}
	offline := verifier.Options{Offline: true}
	a := newAsker(s)
	a.Issuers, a.Lists = []verifier.Issuers{book{known}}, []verifier.Lists{shelf{s.listURL(): copied(noon.Add(-48 * time.Hour))}}
	r := a.ask(t, doc, offline)
	if why(r) != "valid" || noted(r, verifier.Stranger) || !noted(r, verifier.Offline) {
		t.Errorf("%s", why(r))
	}
	if b := rests(r, verifier.TrustList); b.From != verifier.Trusted || !b.At.Equal(known.At) {
		t.Errorf("%+v", b)
	}
	if b := rests(r, verifier.Status); b.From != verifier.Trusted || !b.At.Equal(noon.Add(-48*time.Hour)) {
		t.Errorf("%+v", b)
	}
	a.now = noon.Add(5*24*time.Hour - time.Second)
	if r := a.ask(t, doc, offline); why(r) != "valid" {
		t.Errorf("seven days: %s", why(r))
	}
	a.now = noon.Add(5*24*time.Hour + time.Second)
	if r := a.ask(t, doc, offline); why(r) != "unknown status_old" {
		t.Errorf("a little more: %s", why(r))
	}
	a.MaxAge = 30 * 24 * time.Hour
	if r := a.ask(t, doc, offline); why(r) != "valid" {
		t.Errorf("who takes older ones: %s", why(r))
	}
	// What was revoked stays so, however old the word is.
	a.MaxAge, a.now = 0, noon.Add(9*24*time.Hour)
	a.Lists = []verifier.Lists{shelf{s.listURL(): copied(noon.Add(-47*time.Hour), 77)}}
	if r := a.ask(t, doc, offline); why(r) != "revoked revoked" || !noted(r, verifier.OldStatus) {
		t.Errorf("revoked long ago: %s", why(r))
	}
	// Without a list nothing is known; the issuer's host knows better when it may be asked.
	a.now = noon
	a.Lists = nil
	if r := a.ask(t, doc, offline); why(r) != "unknown status_unreachable" {
		t.Errorf("no list: %s", why(r))
	}
	s.serveList(noon, bits(t, 131_072, 77))
	a.Lists = []verifier.Lists{shelf{s.listURL(): copied(noon.Add(-time.Hour))}}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "revoked revoked" || rests(r, verifier.Status).From != verifier.Web {
		t.Errorf("the host knows more: %s", why(r))
	}

	// Keys have their time.
	b := newAsker(s)
	b.Lists = []verifier.Lists{shelf{s.listURL(): copied(noon)}}
	for _, tt := range []struct {
		name, want string
		change     func(*verifier.Key)
	}{
		{"made later", "invalid foreign_key", func(k *verifier.Key) { k.From = noon }},
		{"retired before", "invalid foreign_key", func(k *verifier.Key) { k.Retired = noon.Add(-25 * time.Hour) }},
		{"another", "unknown key_unknown", func(k *verifier.Key) { k.ID += "x" }},
	} {
		i := known
		i.Keys = slices.Clone(i.Keys)
		tt.change(&i.Keys[0])
		b.Issuers = []verifier.Issuers{book{i}}
		if r := b.ask(t, doc, offline); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}
	// A key that is newer than the list here is asked for.
	if r := b.ask(t, doc, verifier.Options{}); why(r) != "valid" && why(r) != "revoked revoked" {
		t.Errorf("a newer key: %s", why(r))
	}
	i := known
	i.Final = true
	i.Keys = nil
	b.Issuers = []verifier.Issuers{book{i}}
	if r := b.ask(t, doc, verifier.Options{}); why(r) != "invalid foreign_key" {
		t.Errorf("not its key: %s", why(r))
	}
	// A source that fails is no reason to call a credential bad.
	b.Issuers = []verifier.Issuers{failing{}}
	if _, err := b.Verify(t.Context(), doc, offline); err == nil || !strings.Contains(err.Error(), "disk") {
		t.Errorf("%v", err)
	}
}

type failing struct{}

func (failing) FindIssuer(context.Context, string) (verifier.Issuer, error) {
	return verifier.Issuer{}, fmt.Errorf("disk")
}

func TestStatusLists(t *testing.T) {
	s, other := newSchool(t), newSchool(t)
	signed := noon.Add(-24 * time.Hour)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, signed)
	subject := func(d map[string]any) map[string]any { return d["credentialSubject"].(map[string]any) }
	all := bits(t, 131_072)
	own := func(change func(map[string]any)) string {
		return string(sign(t, list(s.did, s.listURL(), noon, all, change), s.did, s.key, noon))
	}
	encoded := func(e string) string {
		return own(func(d map[string]any) { subject(d)["encodedList"] = e })
	}
	bomb := pack(t, make([]byte, 8<<20))
	twice := func() string {
		var b bytes.Buffer
		for range 2 {
			z := gzip.NewWriter(&b)
			_, _ = z.Write(make([]byte, 16384))
			_ = z.Close()
		}
		return "u" + base64.RawURLEncoding.EncodeToString(b.Bytes())
	}()
	tests := []struct{ name, body, want string }{
		{"good", own(nil), "valid"},
		{"larger", encoded(bits(t, 1<<20)), "valid"},
		{"another's", string(sign(t, list(other.did, s.listURL(), noon, all, nil), other.did, other.key, noon)), "unknown status_refused"},
		{"another's in our name", strings.Replace(string(sign(t, list(other.did, s.listURL(), noon, all, nil), other.did, other.key, noon)), `"issuer":"`+other.did, `"issuer":"`+s.did, 1), "unknown status_refused"},
		{"changed", strings.Replace(own(nil), "2026-05-01T12", "2026-05-01T11", 1), "unknown status_refused"},
		{"unsigned", toJSON(t, list(s.did, s.listURL(), noon, all, nil)), "unknown status_refused"},
		{"of another address", own(func(d map[string]any) { d["id"] = s.listURL() + "2" }), "unknown status_refused"},
		{"for another purpose", own(func(d map[string]any) { subject(d)["statusPurpose"] = "suspension" }), "unknown status_refused"},
		{"too short", encoded(bits(t, 131_064)), "unknown status_refused"},
		{"index out of range", encoded(bits(t, 64)), "unknown status_refused"},
		{"a bomb", encoded(bomb), "unknown status_refused"},
		{"two streams", encoded(twice), "unknown status_refused"},
		{"not packed", encoded("u" + base64.RawURLEncoding.EncodeToString(make([]byte, 16384))), "unknown status_refused"},
		{"not base64", encoded("u!!!"), "unknown status_refused"},
		{"another base", encoded("z" + all[1:]), "unknown status_refused"},
		{"a badge", string(sign(t, badge(s.did, "", nil), s.did, s.key, noon)), "unknown status_refused"},
		{"nothing", "", "unknown status_refused"},
		{"an array", "[]", "unknown status_refused"},
		{"over", own(func(d map[string]any) { d["validUntil"] = proof.FormatTime(noon) }), "unknown status_old"},
	}
	for _, tt := range tests {
		s.set("/list", "application/vc", tt.body)
		for range 2 { // the second time from memory, or not
			a := newAsker(s, other)
			if r := a.ask(t, doc, verifier.Options{}); why(r) != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
			}
		}
	}
	entry := func(change func(map[string]any)) []byte {
		return sign(t, badge(s.did, s.listURL(), func(d map[string]any) { change(d["credentialStatus"].(map[string]any)) }), s.did, s.key, signed)
	}
	s.set("/list", "application/vc", own(nil))
	for _, tt := range []struct {
		name, want string
		change     func(map[string]any)
	}{
		{"last place", "valid", func(e map[string]any) { e["statusListIndex"] = "131071" }},
		{"behind the end", "unknown status_refused", func(e map[string]any) { e["statusListIndex"] = "131072" }},
		{"negative", "invalid status_refused", func(e map[string]any) { e["statusListIndex"] = "-1" }},
		{"a zero in front", "invalid status_refused", func(e map[string]any) { e["statusListIndex"] = "077" }},
		{"no number", "invalid status_refused", func(e map[string]any) { e["statusListIndex"] = "all" }},
		{"another purpose", "unknown status_refused", func(e map[string]any) { e["statusPurpose"] = "suspension" }},
		{"a message", "unknown status_kind", func(e map[string]any) { e["statusPurpose"] = "message" }},
		{"an address inside", "unknown status_unreachable", func(e map[string]any) { e["statusListCredential"] = "https://169.254.169.254/latest" }},
		{"an address of nobody", "unknown status_unreachable", func(e map[string]any) { e["statusListCredential"] = "file:///etc/passwd" }},
	} {
		if r := newAsker(s).ask(t, entry(tt.change), verifier.Options{}); why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
	}
}

// What is said of a status in a form that nobody can look up leaves it unknown, and a credential makes us ask a few hosts at most.
func TestStatusEntries(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072, 78))
	entry := func(index, list string) any {
		return map[string]any{"id": s.server.URL + "/entry" + index, "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": index, "statusListCredential": list}
	}
	many := func(n int) []any {
		var out []any
		for i := range n {
			out = append(out, entry(fmt.Sprint(100+i), fmt.Sprintf("%s/lists/%d", s.server.URL, i)))
		}
		return out
	}
	good := entry("77", s.listURL())
	for _, tt := range []struct {
		name, want string
		status     any
		hits       int
	}{
		{"one", "valid", good, 1},
		{"one in an array", "valid", []any{good}, 1},
		{"none in an array", "valid", []any{}, 0},
		{"one that is only named", "unknown status_kind", s.server.URL + "/entry77", 0},
		{"one that is only named, in an array", "unknown status_kind", []any{s.server.URL + "/entry77"}, 0},
		{"one more that is only named", "unknown status_kind", []any{good, s.server.URL + "/entry78"}, 1},
		{"one more that is only named, of what is revoked", "revoked revoked", []any{s.server.URL + "/entry77", entry("78", s.listURL())}, 1},
		{"as many as may be", "unknown" + strings.Repeat(" status_unreachable", 8), many(8), 8},
		{"more", "unknown status_kind" + strings.Repeat(" status_unreachable", 8), many(9), 8},
		{"very many", "unknown status_kind" + strings.Repeat(" status_unreachable", 8), many(400), 8},
	} {
		s.mu.Lock()
		clear(s.hits)
		s.mu.Unlock()
		doc := badge(s.did, "", func(d map[string]any) { d["credentialStatus"] = tt.status })
		r := newAsker(s).ask(t, signAnyhow(t, doc, s.did+"#"+s.key.Multikey(), s.key), verifier.Options{})
		if why(r) != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if noted(r, verifier.Unlisted) != (tt.name == "none in an array") {
			t.Errorf("%s: %+v", tt.name, r.Notes)
		}
		n := -1 // its DID document
		for _, hits := range s.hits {
			n += hits
		}
		if n != tt.hits {
			t.Errorf("%s: asked %v", tt.name, s.hits)
		}
	}
}

// Who shows an older list than one that was seen hides something.
func TestReplay(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	memory := &verifier.Memory{}
	ask := func() string {
		a := newAsker(s) // with nothing in the cache
		a.Memory = memory
		return why(a.ask(t, doc, verifier.Options{}))
	}
	s.serveList(noon.Add(-time.Hour), bits(t, 131_072))
	if got := ask(); got != "valid" {
		t.Error(got)
	}
	s.serveList(noon, bits(t, 131_072, 77))
	if got := ask(); got != "revoked revoked" {
		t.Error(got)
	}
	s.serveList(noon.Add(-time.Hour), bits(t, 131_072))
	if got := ask(); got != "unknown status_replayed" {
		t.Error(got)
	}
	s.serveList(noon, bits(t, 131_072, 77))
	if got := ask(); got != "revoked revoked" {
		t.Error(got)
	}
}

// What was seen outlives the process: after a restart an older list is still an older list.
func TestReplayAfterARestart(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	file := filepath.Join(t.TempDir(), "banyan.db")
	ask := func() string {
		t.Helper()
		db, err := store.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if err := db.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		a := newAsker(s)
		a.Book = db.SeenLists()
		return why(a.ask(t, doc, verifier.Options{}))
	}
	s.serveList(noon, bits(t, 131_072, 77))
	if got := ask(); got != "revoked revoked" {
		t.Error(got)
	}
	s.serveList(noon.Add(-time.Hour), bits(t, 131_072))
	if got := ask(); got != "unknown status_replayed" {
		t.Error(got)
	}
	s.serveList(noon.Add(time.Minute), bits(t, 131_072))
	if got := ask(); got != "valid" {
		t.Error(got)
	}
	// A clock that went wrong once spoils nothing for ever.
	s.serveList(noon.Add(10*365*24*time.Hour), bits(t, 131_072))
	ask()
	s.serveList(noon.Add(2*time.Minute), bits(t, 131_072))
	if got := ask(); got != "valid" {
		t.Error(got)
	}
}

// A book that cannot be read is no reason to believe.
func TestBrokenBook(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	s.serveList(noon, bits(t, 131_072))
	a := newAsker(s)
	a.Book = brokenBook{}
	if _, err := a.Verify(t.Context(), doc, verifier.Options{}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("broken")

type brokenBook struct{}

func (brokenBook) Saw(context.Context, verifier.Seen) (verifier.Seen, error) {
	return verifier.Seen{}, errBroken
}

// Of several copies the newest counts, whoever brought it; and whoever knows of a revocation of a key is heard.
func TestCircles(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	word := func(from verifier.Origin, by string, listed time.Time, set ...int) circle {
		return circle{
			verifier.Issuer{DID: s.did, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}, From: from, By: by, Source: "did:web:pub.example", At: noon},
			verifier.List{Document: sign(t, list(s.did, s.listURL(), listed, bits(t, 131_072, set...), nil), s.did, s.key, listed), From: from, By: by},
			s.listURL(),
		}
	}
	operator := word(verifier.Trusted, "", noon.Add(-48*time.Hour))
	oasis := word(verifier.Circle, "Oasis", noon.Add(-time.Hour), 77)
	a := newAsker(s)
	a.Web, a.Memory = nil, nil
	a.Issuers, a.Lists = []verifier.Issuers{operator}, []verifier.Lists{operator}
	a.Of = func(in identity.InstitutionID) verifier.Sources {
		if in != "oasis" {
			return circle{}
		}
		return oasis
	}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" {
		t.Error(why(r))
	}
	if r := a.ask(t, doc, verifier.Options{Institutions: []identity.InstitutionID{"river"}}); why(r) != "valid" {
		t.Error(why(r))
	}
	r := a.ask(t, doc, verifier.Options{Institutions: []identity.InstitutionID{"oasis"}})
	if why(r) != "revoked revoked" || !slices.ContainsFunc(r.RestsOn, func(b verifier.Basis) bool {
		return b.Kind == verifier.Status && b.From == verifier.Circle && b.By == "Oasis"
	}) {
		t.Errorf("%s %+v", why(r), r.RestsOn)
	}
	oasis.issuer.Keys[0].Revoked = noon.Add(-36 * time.Hour)
	if r := a.ask(t, doc, verifier.Options{Institutions: []identity.InstitutionID{"oasis"}}); why(r) != "invalid revoked_key" {
		t.Error(why(r))
	}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" {
		t.Error(why(r))
	}
	// Only they know the issuer: two proofs must be there all the same.
	a.Issuers, a.Lists, oasis.issuer.Keys[0].Revoked = nil, nil, time.Time{}
	var d map[string]any
	if err := json.Unmarshal(doc, &d); err != nil {
		t.Fatal(err)
	}
	d["proof"] = d["proof"].([]any)[1:]
	if r := a.ask(t, []byte(toJSON(t, d)), verifier.Options{Institutions: []identity.InstitutionID{"oasis"}}); r.State != verifier.Invalid {
		t.Error(why(r))
	}
}

type circle struct {
	issuer  verifier.Issuer
	list    verifier.List
	address string
}

func (circle) Recognised(context.Context, verifier.Achievement) ([]verifier.Recognition, error) {
	return nil, nil
}

func (c circle) FindIssuer(_ context.Context, did string) (verifier.Issuer, error) {
	if c.issuer.DID != did {
		return verifier.Issuer{}, verifier.ErrUnknown
	}
	return c.issuer, nil
}

func (c circle) FindList(_ context.Context, address string) (verifier.List, error) {
	if c.address != address || address == "" {
		return verifier.List{}, verifier.ErrUnknown
	}
	return c.list, nil
}

// What others signed later than this computer's clock tells its time.
func TestClockBehind(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), func(d map[string]any) { d["validUntil"] = "2026-05-02T00:00:00Z" }), s.did, s.key, noon.Add(-24*time.Hour))
	s.serveList(noon.Add(48*time.Hour), bits(t, 131_072))
	if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "expired expired" || !noted(r, verifier.ClockDoubted) {
		t.Errorf("%s %+v", why(r), r.Notes)
	}
}

type register map[string]verifier.Standing

func (r register) FindStanding(_ context.Context, _, id string) (verifier.Standing, error) {
	s, ok := r[id]
	if !ok {
		return verifier.Standing{}, verifier.ErrUnknown
	}
	return s, nil
}

// This server's own credentials are told with reason and date.
func TestOwn(t *testing.T) {
	s := newSchool(t)
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	own := verifier.Issuer{DID: s.did, From: verifier.Here, Source: s.did, At: noon, Final: true, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}
	here := func(set ...int) []verifier.Lists {
		return []verifier.Lists{shelf{s.listURL(): {From: verifier.Here, At: noon, Document: sign(t, list(s.did, s.listURL(), noon, bits(t, 131_072, set...), nil), s.did, s.key, noon)}}}
	}
	a := newAsker()
	a.Issuers, a.Lists, a.Register = []verifier.Issuers{book{own}}, here(), register{}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "valid" || noted(r, verifier.Stranger) || rests(r, verifier.Status).From != verifier.Here {
		t.Errorf("%s", why(r))
	}
	at := noon.Add(-time.Hour)
	a.Register = register{"https://oasis.example/verify/1": {RevokedAt: at, RevokedReason: "issued in error"}}
	for _, lists := range [][]verifier.Lists{here(77), here()} {
		a.Lists = lists
		r := a.ask(t, doc, verifier.Options{})
		if why(r) != "revoked revoked" || r.Reasons[0].Args["Reason"] != "issued in error" || r.Reasons[0].Args["Date"] != at {
			t.Errorf("%s %+v", why(r), r.Reasons)
		}
	}
	a.Lists = here()
	a.Register = register{"https://oasis.example/verify/1": {SuspendedAt: at, SuspendedReason: "under review"}}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "suspended suspended" || r.Reasons[0].Args["Reason"] != "under review" {
		t.Errorf("%s %+v", why(r), r.Reasons)
	}
	if len(s.hits) != 0 {
		t.Errorf("our own credentials are asked for elsewhere: %v", s.hits)
	}
}

// Proofs that are taken away, doubled or put in another order.
func TestProofSets(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	two := func(d map[string]any) { d["credentialStatus"] = []any{d["credentialStatus"]} }
	doc := sign(t, badge(s.did, s.listURL(), two), s.did, s.key, noon.Add(-24*time.Hour))
	var tree map[string]any
	if err := json.Unmarshal(doc, &tree); err != nil {
		t.Fatal(err)
	}
	proofs := tree["proof"].([]any)
	with := func(p ...any) []byte {
		tree["proof"] = p
		return []byte(toJSON(t, tree))
	}
	other := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	var another map[string]any
	if err := json.Unmarshal(other, &another); err != nil {
		t.Fatal(err)
	}
	known := verifier.Issuer{DID: s.did, From: verifier.Trusted, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}
	for _, tt := range []struct {
		name            string
		doc             []byte
		stranger, known string
	}{
		{"as signed", with(proofs...), "valid", "valid"},
		{"another order", with(proofs[1], proofs[0]), "valid", "valid"},
		{"none", with(), "invalid", "invalid"},
		{"without rdfc", with(proofs[1]), "valid", "invalid no_proof"},
		{"another credential's", with(another["proof"].([]any)...), "invalid changed", "invalid changed"},
		{"one of another's", with(proofs[0], another["proof"].([]any)[1]), "invalid changed", "invalid changed"},
		{"one broken", with(proofs[0], map[string]any{"type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022"}), "invalid", "invalid"},
	} {
		if got := why(newAsker(s).ask(t, tt.doc, verifier.Options{})); !strings.HasPrefix(got, tt.stranger) {
			t.Errorf("%s, of a stranger: %s", tt.name, got)
		}
		a := newAsker(s)
		a.Issuers = []verifier.Issuers{book{known}}
		if got := why(a.ask(t, tt.doc, verifier.Options{})); !strings.HasPrefix(got, tt.known) {
			t.Errorf("%s, of who is trusted: %s", tt.name, got)
		}
	}
}

// Every byte of a signed credential counts.
func TestEveryByteClass(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	a := newAsker(s)
	if r := a.ask(t, doc, verifier.Options{}); r.State != verifier.Valid || len(r.Notes) != 1 {
		t.Fatal(why(r), r.Notes)
	}
	trusting := newAsker(s)
	trusting.Issuers = []verifier.Issuers{book{{DID: s.did, From: verifier.Trusted, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}}}
	for i := 0; i < len(doc); i += 7 {
		changed := bytes.Clone(doc)
		changed[i] ^= 1
		// A proof of a kind that nobody knows is none of the issuer's word; that one is there is said.
		if r := a.ask(t, changed, verifier.Options{}); r.State == verifier.Valid && !noted(r, verifier.MoreProofs) {
			t.Errorf("byte %d: %q", i, changed[max(0, i-20):min(len(doc), i+20)])
		}
		if r := trusting.ask(t, changed, verifier.Options{}); r.State == verifier.Valid {
			t.Errorf("byte %d, of who is trusted: %q", i, changed[max(0, i-20):min(len(doc), i+20)])
		}
	}
}

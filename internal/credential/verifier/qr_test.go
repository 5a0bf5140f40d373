package verifier_test

import (
	"slices"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
)

const listID = "0196f3a0-0000-7000-8000-0000000000aa"

// The text of a QR code is checked with what is known of its issuer, without a network.
func TestQR(t *testing.T) {
	s := newSchool(t)
	address := s.server.URL + "/api/status-lists/" + listID
	name, err := code.ListOf(listID)
	if err != nil {
		t.Fatal(err)
	}
	score := 87
	claims := code.Claims{
		ID: "0196f3a0-0000-7000-8000-000000000001", Issuer: s.did, Base: s.server.URL, SignedAt: noon.Add(-time.Hour), IssuedAt: noon.Add(-24 * time.Hour), Name: "ليلى",
		Achievement: "AI basics", Course: "ai-basics", Version: 3, Locale: "en", Revocation: &code.Place{List: name, Index: 77}, Score: &score, Assessment: "supervised", AIHelp: "none",
	}
	text, err := code.Encode(claims, s.key)
	if err != nil {
		t.Fatal(err)
	}
	issuer := verifier.Issuer{
		DID: s.did, From: verifier.Trusted, Source: "did:web:hub.example", At: noon, Lists: []string{"https://other.example/x", address},
		Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey(), From: noon.Add(-30 * 24 * time.Hour)}},
	}
	listOf := func(at time.Time, set ...int) verifier.List {
		return verifier.List{From: verifier.Trusted, Document: sign(t, list(s.did, address, at, bits(t, 131_072, set...), nil), s.did, s.key, at)}
	}
	over := noon.Add(-time.Minute)
	expired := claims
	expired.ExpiresAt = &over
	expiredText, err := code.Encode(expired, s.key)
	if err != nil {
		t.Fatal(err)
	}
	otherText, err := code.Encode(claims, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, text, want string
		change           func(i *verifier.Issuer, lists shelf)
	}{
		{"good", text, "valid", nil},
		{"with a line end", text + "\n", "valid", nil},
		{"revoked", text, "revoked revoked", func(_ *verifier.Issuer, l shelf) { l[address] = listOf(noon, 77) }},
		{"expired", expiredText, "expired expired", nil},
		{"an old list", text, "unknown status_old", func(_ *verifier.Issuer, l shelf) { l[address] = listOf(noon.Add(-8 * 24 * time.Hour)) }},
		{"no list", text, "unknown status_unreachable", func(_ *verifier.Issuer, l shelf) { delete(l, address) }},
		{"an unknown list", text, "unknown status_unreachable", func(i *verifier.Issuer, _ shelf) { i.Lists = nil }},
		{"an unknown issuer", text, "unknown issuer_unknown", func(i *verifier.Issuer, _ shelf) { i.DID = "did:web:other.example" }},
		{"an unknown key", otherText, "unknown key_unknown", nil},
		{"no key of its", otherText, "invalid foreign_key", func(i *verifier.Issuer, _ shelf) { i.Final = true }},
		{"a retired key", text, "invalid foreign_key", func(i *verifier.Issuer, _ shelf) { i.Keys[0].Retired = noon.Add(-2 * time.Hour) }},
		{"a revoked key", text, "invalid revoked_key", func(i *verifier.Issuer, _ shelf) { i.Keys[0].Revoked = noon.Add(-2 * time.Hour) }},
		{"changed", text[:40] + "A" + text[41:], "invalid", nil},
		{"another version", "BNY9:" + text[5:], "invalid not_readable", nil},
		{"lower case", "bny1:" + text[5:], "invalid not_readable", nil},
	}
	for _, tt := range tests {
		i, lists := issuer, shelf{address: listOf(noon)}
		i.Keys = slices.Clone(i.Keys)
		if tt.change != nil {
			tt.change(&i, lists)
		}
		a := newAsker(s)
		a.Issuers, a.Lists = []verifier.Issuers{book{i}}, []verifier.Lists{lists}
		r := a.ask(t, []byte(tt.text), verifier.Options{Offline: true})
		if why(r) != tt.want && (tt.name != "changed" || r.State != verifier.Invalid) {
			t.Errorf("%s: %s, want %s", tt.name, why(r), tt.want)
		}
		if tt.name == "good" {
			if r.Format != verifier.QR || r.Claims.Name != "ليلى" || len(r.Claims.Results) != 3 || !rests(r, verifier.Signature).At.Equal(claims.SignedAt) {
				t.Errorf("%+v", r)
			}
		}
		if len(s.hits) != 0 {
			t.Fatalf("%s: asked %v", tt.name, s.hits)
		}
	}
}

// A key that was revoked counts for what it signed before, and the answer says so.
func TestRevokedKeys(t *testing.T) {
	s := newSchool(t)
	s.serveList(noon, bits(t, 131_072))
	doc := sign(t, badge(s.did, s.listURL(), nil), s.did, s.key, noon.Add(-24*time.Hour))
	revoked := func(at string) {
		s.serveDID(s.key.Multikey(), func(d map[string]any) { d["verificationMethod"].([]any)[0].(map[string]any)["revoked"] = at })
	}
	revoked("2026-04-30T11:00:00Z") // an hour before it signed
	if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "invalid revoked_key" {
		t.Error(why(r))
	}
	revoked("2026-05-02T00:00:00Z") // later: this list is signed with it, before
	if r := newAsker(s).ask(t, doc, verifier.Options{}); why(r) != "valid" || !noted(r, verifier.KeyLost) {
		t.Error(why(r))
	}
	// Its host's word counts more than an older list's.
	revoked("2026-04-30T11:00:00Z")
	a := newAsker(s)
	a.Issuers = []verifier.Issuers{book{{DID: s.did, From: verifier.Trusted, Keys: []verifier.Key{{ID: s.did + "#" + s.key.Multikey(), Multikey: s.key.Multikey()}}}}}
	if r := a.ask(t, doc, verifier.Options{}); why(r) != "invalid revoked_key" {
		t.Error(why(r))
	}
}

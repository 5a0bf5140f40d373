package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

func admin(in identity.InstitutionID) identity.Actor {
	return identity.Actor{UserID: id[identity.UserID](2, 8), Memberships: []identity.Membership{{InstitutionID: in, Role: identity.Admin}}}
}

func keyID() keyring.KeyID { return keyring.KeyID(uuid.Must(uuid.NewV7()).String()) }

func (b *bench) rotate(t testing.TB) keyring.Key {
	t.Helper()
	k, err := b.Keys.Rotate(t.Context(), admin(oasis), oasis, keyID())
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// kinds are the kinds of an institution's audit log, whose chain must hold.
func (b *bench) kinds(t testing.TB) []audit.Kind {
	t.Helper()
	var v audit.Verifier
	var out []audit.Kind
	for _, e := range b.store.audits {
		v.Add(e)
		out = append(out, e.Kind)
	}
	if _, found := v.Done(); len(found) > 0 {
		t.Errorf("the chain does not hold: %v", found)
	}
	return out
}

type didDoc struct {
	ID      string   `json:"id"`
	Also    []string `json:"alsoKnownAs"`
	Methods []struct {
		ID, Type, Controller, PublicKeyMultibase, Revoked string
		PublicKeyJwk                                      map[string]any
	} `json:"verificationMethod"`
	Assertion []string `json:"assertionMethod"`
}

func readDID(t testing.TB) func(doc []byte, err error) didDoc {
	t.Helper()
	return func(doc []byte, err error) didDoc {
		t.Helper()
		var d didDoc
		if err == nil {
			err = json.Unmarshal(doc, &d)
		}
		if err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		return d
	}
}

// A rotated key signs nothing that is later, and what it signed stays good.
func TestRotate(t *testing.T) {
	b := newBench(t)
	old := b.issued(t, 1, layla, oasis)
	b.now = b.now.Add(time.Hour)
	next := b.rotate(t)
	b.now = b.now.Add(time.Hour)
	late := b.issued(t, 2, sam, oasis)
	if !bytes.Contains(late.Document, []byte(next.Multikey)) || bytes.Contains(late.Document, []byte(b.store.keys[0].Multikey)) {
		t.Errorf("signed with another key than the new one %s: %s", next.Multikey, late.Document)
	}
	b.check(t, old.ID, credential.Valid)
	b.check(t, late.ID, credential.Valid)

	ring, err := b.Keys.List(t.Context(), admin(oasis), oasis)
	if err != nil || len(ring.Keys) != 2 || ring.Keys[0].RetiredAt == nil || ring.Keys[1].RetiredAt != nil || ring.DID != "did:web:localhost%3A8080:institutions:oasis" {
		t.Fatalf("%+v, %v", ring, err)
	}
	for _, k := range append(ring.Keys, next) {
		if k.Sealed != nil {
			t.Error("a sealed key is given out")
		}
	}
	doc := readDID(t)(b.Keys.DIDDocument(t.Context(), "oasis"))
	if want := []string{ring.Keys[0].Method(), ring.Keys[1].Method()}; !slices.Equal(doc.Assertion, want) || len(doc.Methods) != 2 {
		t.Errorf("%+v, want both keys", doc)
	}
	if got, want := b.kinds(t), []audit.Kind{audit.KeyCreated, audit.KeyRotated}; !slices.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}

	// The same id again makes no other key.
	again, err := b.Keys.Rotate(t.Context(), admin(oasis), oasis, next.ID)
	if err != nil || again.ID != next.ID || len(b.store.keys) != 2 || len(b.store.audits) != 2 {
		t.Errorf("%+v, %v, %d keys", again, err, len(b.store.keys))
	}
}

// A worker that has just taken the key when it is rotated must not issue what is refused for ever.
func TestRotateWhileIssuing(t *testing.T) {
	b := newBench(t)
	b.issued(t, 1, layla, oasis)
	key := b.store.keys[0]
	b.now = b.now.Add(10 * time.Second)
	b.rotate(t)
	taken := b.store.keys[0].RetiredAt
	b.store.keys[0] = key // what the worker has read before
	b.now = b.now.Add(3 * time.Second)
	late := b.issued(t, 2, sam, oasis)
	b.store.keys[0].RetiredAt = taken
	b.check(t, late.ID, credential.Valid)
}

// What a revoked key signed from a date on is refused, and the check says why; what it signed before stays good.
func TestRevokeKey(t *testing.T) {
	b := newBench(t)
	before := b.issued(t, 1, layla, oasis)
	b.now = b.now.Add(time.Hour)
	from := b.now
	at := b.issued(t, 2, sam, oasis) // in the same second
	b.now = b.now.Add(time.Hour)
	after := b.issued(t, 3, layla, oasis)
	b.now = b.now.Add(time.Hour)
	if _, err := b.Lists.Document(t.Context(), after.StatusListID); err != nil {
		t.Fatal(err)
	}

	stolen := b.store.keys[0]
	k, err := b.Keys.Revoke(t.Context(), admin(oasis), oasis, stolen.ID, from, "The disk was stolen.")
	if err != nil || k.RevokedAt == nil || !k.RevokedAt.Equal(from.Truncate(time.Second)) || k.RetiredAt == nil || k.RevokedReason != "The disk was stolen." || k.Sealed != nil {
		t.Fatalf("%+v, %v", k, err)
	}
	if st := b.check(t, before.ID, credential.Valid); st.RevokedKey != nil {
		t.Errorf("what was signed before is blamed: %+v", st)
	}
	for _, c := range []credential.Credential{at, after} {
		if st := b.check(t, c.ID, credential.Invalid); st.RevokedKey == nil || st.RevokedKey.ID != k.ID || st.RevokedKey.Sealed != nil || st.Claims.Name != "" {
			t.Errorf("%+v, want the revoked key as the reason", st)
		}
	}
	// A document that is broken besides is not excused by the key.
	b.store.credentials[2].Name = "Somebody else"
	b.store.credentials[2].Document = bytes.Replace(b.store.credentials[2].Document, []byte("AchievementSubject"), []byte("achievementSubject"), 1)
	if st := b.check(t, after.ID, credential.Invalid); st.RevokedKey != nil {
		t.Error("a broken signature is put down to the key")
	}

	// The list is signed by a successor at once, and so is what follows.
	list, err := b.Lists.Document(t.Context(), before.StatusListID)
	if err != nil || len(b.store.keys) != 2 || !bytes.Contains(list, []byte(b.store.keys[1].Multikey)) || bytes.Contains(list, []byte(stolen.Multikey)) {
		t.Errorf("%d keys, %v, list %s", len(b.store.keys), err, list)
	}
	doc := readDID(t)(b.Keys.DIDDocument(t.Context(), "oasis"))
	if len(doc.Methods) != 2 || doc.Methods[0].Revoked != from.Truncate(time.Second).Format(time.RFC3339) || doc.Methods[1].Revoked != "" ||
		!slices.Equal(doc.Assertion, []string{b.store.keys[1].Method()}) {
		t.Errorf("%+v", doc)
	}
	if got, want := b.kinds(t), []audit.Kind{audit.KeyCreated, audit.KeyRevoked}; !slices.Equal(got, want) {
		t.Errorf("logged %v, want %v", got, want)
	}

	// The first revocation stands.
	if k, err = b.Keys.Revoke(t.Context(), admin(oasis), oasis, stolen.ID, from.Add(time.Hour), "Again."); err != nil ||
		!k.RevokedAt.Equal(from.Truncate(time.Second)) || len(b.store.keys) != 2 || len(b.store.audits) != 2 {
		t.Errorf("%+v, %v", k, err)
	}
	// One that was rotated long ago can be revoked too, without a successor.
	b.now = b.now.Add(time.Hour)
	b.rotate(t)
	if _, err = b.Keys.Revoke(t.Context(), admin(oasis), oasis, b.store.keys[1].ID, b.now, "To be sure."); err != nil || len(b.store.keys) != 3 {
		t.Errorf("%v, %d keys", err, len(b.store.keys))
	}

	// Nobody fetches anything again for a key that had signed nothing since.
	stamp, err := b.store.StampCredentials(t.Context(), layla)
	if err != nil {
		t.Fatal(err)
	}
	b.rotate(t)
	b.now = b.now.Add(time.Hour)
	if _, err = b.Keys.Revoke(t.Context(), admin(oasis), oasis, b.store.keys[2].ID, b.now, "It lies in a drawer."); err != nil {
		t.Fatal(err)
	}
	if now, err := b.store.StampCredentials(t.Context(), layla); err != nil || now != stamp {
		t.Errorf("stamp %+v, was %+v, %v", now, stamp, err)
	}
}

// Another domain is another DID with a key of its own. What was issued under the one before stays good, and all of them resolve.
func TestDomain(t *testing.T) {
	b := newBench(t)
	first := b.issued(t, 1, layla, oasis)
	settle := func(domain string) {
		in := b.world.institutions[oasis]
		in.Domain = domain
		b.world.institutions[oasis] = in
	}
	settle("certificates.oasis.example")
	second := b.issued(t, 2, sam, oasis)
	settle("oasis.example")
	third := b.issued(t, 3, layla, oasis)
	const path = "did:web:localhost%3A8080:institutions:oasis"
	for c, did := range map[*credential.Credential]string{&first: path, &second: "did:web:certificates.oasis.example", &third: "did:web:oasis.example"} {
		if st := b.check(t, c.ID, credential.Valid); st.Claims.Issuer != did {
			t.Errorf("issuer %s, want %s", st.Claims.Issuer, did)
		}
		if _, err := b.Lists.Document(t.Context(), c.StatusListID); err != nil {
			t.Error(err)
		}
	}
	for did, doc := range map[string]didDoc{
		path:                                 readDID(t)(b.Keys.DIDDocument(t.Context(), "oasis")),
		"did:web:certificates.oasis.example": readDID(t)(b.Keys.DIDDocumentAt(t.Context(), "certificates.oasis.example")),
		"did:web:oasis.example":              readDID(t)(b.Keys.DIDDocumentAt(t.Context(), "oasis.example")),
	} {
		if doc.ID != did || len(doc.Methods) != 1 || len(doc.Assertion) != 1 || !strings.HasPrefix(doc.Assertion[0], did+"#") ||
			len(doc.Also) == 0 || slices.Contains(doc.Also, did) {
			t.Errorf("%s: %+v", did, doc)
		}
	}
	for _, host := range []string{"localhost", "other.example", "", "oasis.example:institutions:oasis", "localhost%3A8080:institutions:oasis"} {
		if doc, err := b.Keys.DIDDocumentAt(t.Context(), host); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %s, %v", host, doc, err)
		}
	}
	for domain, want := range map[string]bool{"certificates.oasis.example": true, "oasis.example": true, "free.example": false} {
		if got, err := b.Keys.ClaimedByAnother(t.Context(), domain, river); err != nil || got != want {
			t.Errorf("%s claimed: %t, %v", domain, got, err)
		}
		if got, err := b.Keys.ClaimedByAnother(t.Context(), domain, oasis); err != nil || got {
			t.Errorf("%s is claimed by another than its own: %v", domain, err)
		}
	}
	all, err := b.ListIssuers(t.Context(), oasis)
	if err != nil || len(all) != 3 || all[0].DID != "did:web:oasis.example" || all[1].DID != path || len(all[2].Keys) != 1 || len(all[2].Lists) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if did, err := b.Keys.PathDID(t.Context(), oasis); err != nil || did != path {
		t.Errorf("%s, %v", did, err)
	}
}

// An RSA key stands in the document as a JsonWebKey, and no Data Integrity proof is taken from it.
func TestDIDWithRSA(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	const did = "did:web:localhost%3A8080:institutions:oasis"
	b.store.keys = append(b.store.keys, keyring.Key{
		ID: keyID(), InstitutionID: oasis, Controller: did, Kind: keyring.RSA, Multikey: "thumb", JWK: `{"kty":"RSA","n":"AQ","e":"AQAB"}`, CreatedAt: b.now,
	})
	doc := readDID(t)(b.Keys.DIDDocument(t.Context(), "oasis"))
	if len(doc.Methods) != 2 || doc.Methods[1].Type != "JsonWebKey" || doc.Methods[1].ID != did+"#thumb" || doc.Methods[1].PublicKeyJwk["kty"] != "RSA" ||
		doc.Methods[1].PublicKeyMultibase != "" || doc.Methods[0].PublicKeyJwk != nil || !slices.Equal(doc.Assertion, []string{doc.Methods[0].ID, doc.Methods[1].ID}) {
		t.Errorf("%+v", doc)
	}
	next := b.rotate(t) // the other kind is not touched
	if next.Kind != keyring.Ed25519 || b.store.keys[1].RetiredAt != nil || b.store.keys[0].RetiredAt == nil {
		t.Errorf("%+v", b.store.keys)
	}
	b.check(t, c.ID, credential.Valid)
	b.store.keys[0].Kind = keyring.RSA
	b.check(t, c.ID, credential.Invalid)
}

// No private half, sealed or not, stands in a log, an answer or an error.
func TestNoKeyGetsOut(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	b.rotate(t)
	say := func(what ...any) {
		slog.Info("said", "what", what)
		raw, _ := json.Marshal(what)
		log.Write(raw)
	}
	ring, err := b.Keys.List(t.Context(), admin(oasis), oasis)
	say(ring, err)
	k, err := b.Keys.Revoke(t.Context(), admin(oasis), oasis, b.store.keys[1].ID, b.now, "x")
	say(k, err)
	all, err := b.ListIssuers(t.Context(), oasis)
	say(all, err)
	for _, e := range b.store.audits {
		log.Write(e.Line())
	}
	doc, err := b.Keys.DIDDocument(t.Context(), "oasis")
	say(string(doc), err)
	b.store.credentials[0].Name = "x" // a refusal is logged
	st, err := b.Check(t.Context(), c.ID)
	say(st, err)
	// Errors of keys that do not open.
	for _, damage := range []func(k *keyring.Key){
		func(k *keyring.Key) { k.Sealed[len(k.Sealed)-1] ^= 1 },
		func(k *keyring.Key) { k.Multikey = b.store.keys[0].Multikey },
	} {
		damage(&b.store.keys[len(b.store.keys)-1])
		_, err = b.Lists.Document(context.WithoutCancel(t.Context()), c.StatusListID)
		if _, e := b.Prepare(t.Context(), credential.Grant{EnrollmentID: b.enroll(7, sam, oasis)}); e == nil {
			t.Error("issued with a broken key")
		} else {
			say(e.Error(), err)
		}
	}
	for _, k := range b.store.keys {
		for form, secret := range map[string]string{
			"bytes": string(k.Sealed), "base64": jsonOf(t, k.Sealed), "numbers": strings.Trim(strings.ReplaceAll(jsonNumbers(k.Sealed), ",", " "), "[]"),
		} {
			if secret == "" || strings.Contains(log.String(), secret) {
				t.Errorf("a sealed key gets out as %s", form)
			}
		}
	}
	if !strings.Contains(log.String(), b.store.keys[0].Multikey) {
		t.Error("the log is not what this test takes it for")
	}
}

func jsonOf(t *testing.T, raw []byte) string {
	t.Helper()
	out, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(string(out), `"`)
}

func jsonNumbers(raw []byte) string {
	n := make([]int, len(raw))
	for i, b := range raw {
		n[i] = int(b)
	}
	out, _ := json.Marshal(n)
	return string(out)
}

// overtaken is a store in which a key is taken back just before a transaction begins.
type overtaken struct {
	credential.Store
	first func()
}

func (o *overtaken) InTx(ctx context.Context, fn func(tx credential.Store) error) error {
	if do := o.first; do != nil {
		o.first = nil
		do()
	}
	return o.Store.InTx(ctx, fn)
}

// lose revokes the key in use, as another process does.
func (b *bench) lose(t *testing.T) {
	t.Helper()
	other := newBench(t).Keys
	other.Store, other.Institutions, other.Sealer, other.Now = keys{m: b.store}, b.world, b.Keys.Sealer, b.Now
	if _, err := other.Revoke(t.Context(), admin(oasis), oasis, b.store.keys[len(b.store.keys)-1].ID, b.now, "lost"); err != nil {
		t.Fatal(err)
	}
}

// A document without a name is signed anew when its key was taken back before it was stored.
func TestNamesAreErasedWhileAKeyIsTakenBack(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	b.now = b.now.Add(time.Hour)
	b.leave(layla)
	b.Store = &overtaken{b.store, func() { b.lose(t) }}
	if err := b.EraseNames(t.Context(), b.erasure(t, 1, layla)); err != nil {
		t.Fatal(err)
	}
	b.check(t, c.ID, credential.Valid)
	if doc := b.store.credentials[0].Document; !bytes.Contains(doc, []byte(b.store.keys[1].Multikey)) {
		t.Errorf("signed by another key than the new one: %s", doc)
	}
}

package credential_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

// didKeys finds the keys in a DID document, as a stranger does.
type didKeys struct{ raw []byte }

func (d didKeys) find(id string) (controller string, multikey string, jwk json.RawMessage, err error) {
	var doc struct {
		Methods []struct {
			ID, Type, Controller string
			Multikey             string          `json:"publicKeyMultibase"`
			JWK                  json.RawMessage `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
		Assertion []string `json:"assertionMethod"`
	}
	if err := json.Unmarshal(d.raw, &doc); err != nil {
		return "", "", nil, err
	}
	for _, m := range doc.Methods {
		if m.ID == id && slices.Contains(doc.Assertion, id) {
			return m.Controller, m.Multikey, m.JWK, nil
		}
	}
	return "", "", nil, errors.New("no such key")
}

func (d didKeys) ResolveMethod(_ context.Context, id string) (proof.Method, error) {
	c, multikey, _, err := d.find(id)
	return proof.Method{Controller: c, Multikey: multikey}, err
}

func (d didKeys) ResolveRSA(_ context.Context, id string) (vcjwt.Method, error) {
	c, _, jwk, err := d.find(id)
	if err != nil {
		return vcjwt.Method{}, err
	}
	key, err := signing.DecodeJWK(jwk)
	return vcjwt.Method{Controller: c, Key: key}, err
}

func TestJWT(t *testing.T) {
	b := newBench(t)
	c := b.issued(t, 1, layla, oasis)
	// Many ask at once, and there is no key yet: they get one token by one key.
	tokens := make([]string, 8)
	var wg sync.WaitGroup
	for i := range tokens {
		wg.Go(func() {
			var err error
			if tokens[i], err = b.forms.JWT(t.Context(), c.ID); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	if len(slices.Compact(tokens)) != 1 {
		t.Errorf("several tokens: %q", tokens)
	}
	did, err := b.Keys.DIDDocument(t.Context(), "oasis")
	if err != nil {
		t.Fatal(err)
	}
	v, err := vcjwt.Verify(t.Context(), tokens[0], didKeys{did}, didKeys{did})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(v.Document, c.Document) || v.Issuer != "did:web:localhost%3A8080:institutions:oasis" || len(v.Proofs) != 2 {
		t.Errorf("%+v", v)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(tokens[0], ".")[1])
	if err != nil || !strings.Contains(string(payload), `"sub":"urn:uuid:`+string(c.ID)+`"`) {
		t.Errorf("%v, payload is %s", err, payload)
	}
	// The key that signs credentials is still the Ed25519 one.
	if next := b.issued(t, 2, sam, oasis); !strings.Contains(string(next.Document), "#z6Mk") {
		t.Errorf("document is %s", next.Document)
	}
	made := 0
	for _, e := range b.store.audits {
		if e.Kind == audit.KeyCreated && strings.Contains(string(e.Data), `"rsa"`) {
			made++
		}
	}
	if made != 1 {
		t.Errorf("%d RSA keys in the audit log", made)
	}
	// Another institution has another key.
	other := b.issued(t, 3, sam, river)
	token, err := b.forms.JWT(t.Context(), other.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vcjwt.Verify(t.Context(), token, didKeys{did}, didKeys{did}); !errors.Is(err, proof.ErrMethod) {
		t.Errorf("the other institution's token: %v", err)
	}
}

func TestJWTOfNothing(t *testing.T) {
	b := newBench(t)
	for _, id := range []credential.ID{"x", "019a0000-0000-7000-8000-00000000ffff"} {
		if _, err := b.forms.JWT(t.Context(), id); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	// Who can write rows but has no key gets nothing signed.
	c := b.issued(t, 1, layla, oasis)
	b.store.credentials[0].Document = bytes.Replace(c.Document, []byte("ليلى"), []byte("سارة"), 1)
	if token, err := b.forms.JWT(t.Context(), c.ID); !fault.Is(err, fault.Conflict) || token != "" {
		t.Errorf("a changed document: %v", err)
	}
}

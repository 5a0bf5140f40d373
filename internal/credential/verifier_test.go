package credential_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/statuslist"
	"github.com/banyan-lms/banyan/internal/credential/strangers"
	"github.com/banyan-lms/banyan/internal/identity"
)

type verdict struct {
	Verified bool     `json:"verified"`
	Status   *bool    `json:"status"` // true: the bit is set
	Errors   []string `json:"errors"`
}

// askOthers lets the libraries of npm judge. They see what a stranger would
// fetch: the credential, the DID document, the status lists.
func askOthers(t *testing.T, doc, did []byte, lists ...json.RawMessage) verdict {
	t.Helper()
	input := map[string]any{"credential": json.RawMessage(doc), "did_documents": []json.RawMessage{did}}
	if lists != nil {
		input["status_lists"] = lists
	}
	var v verdict
	strangers.Ask(t, "verify", input, &v)
	return v
}

// Other people's code accepts what we sign, refuses what was changed, and sees a revocation.
func TestIndependentVerifier(t *testing.T) {
	b := newBench(t)
	b.Validity = 10 * 365 * 24 * time.Hour
	// Those libraries look at the real clock.
	b.now = time.Now().Add(-time.Minute)
	c := b.issued(t, 1, layla, oasis)
	plain := b.issued(t, 2, sam, oasis)
	b.issued(t, 3, sam, river)
	did, err := b.Keys.DIDDocument(t.Context(), "oasis")
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := b.Keys.DIDDocument(t.Context(), "river")
	if err != nil {
		t.Fatal(err)
	}
	lists := func() []json.RawMessage {
		t.Helper()
		var both []json.RawMessage
		for _, id := range []statuslist.ID{c.StatusListID, c.SuspensionListID} {
			l, err := b.Lists.Document(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			both = append(both, l)
		}
		return both
	}

	for _, c := range []credential.Credential{c, plain} {
		if v := askOthers(t, c.Document, did, lists()...); !v.Verified || v.Status == nil || *v.Status {
			t.Errorf("a fresh credential: %+v\n%s", v, c.Document)
		}
	}
	tests := []struct {
		name    string
		doc     []byte
		did     []byte
		because string // or else it might refuse for want of an input
	}{
		{"name", bytes.Replace(c.Document, []byte("ليلى"), []byte("سارة"), 1), did, "Invalid signature"},
		{"narrative", bytes.Replace(c.Document, []byte("واجتاز"), []byte("واختار"), 1), did, "Invalid signature"},
		{"expiry", bytes.Replace(c.Document, []byte(`"validUntil":"20`), []byte(`"validUntil":"21`), 1), did, "Invalid signature"},
		{"unknown term", bytes.Replace(c.Document, []byte(`"achievement":{`), []byte(`"achievement":{"grade":"A+",`), 1), did, "Safe mode"},
		{"proof stripped", append(bytes.Split(c.Document, []byte(`,"proof"`))[0], '}'), did, "No matching proofs"},
		{"issuer", bytes.ReplaceAll(c.Document, []byte(`"issuer":{"id":"did:web:localhost%3A8080:institutions:oasis"`), []byte(`"issuer":{"id":"did:web:localhost%3A8080:institutions:river"`)), did, "signature"},
		{"another institution's DID document", c.Document, stranger, "not given: did:web:localhost%3A8080:institutions:oasis"},
	}
	for _, tt := range tests {
		if bytes.Equal(tt.doc, c.Document) && bytes.Equal(tt.did, did) {
			t.Fatalf("%s: nothing changed", tt.name)
		}
		v := askOthers(t, tt.doc, tt.did, lists()...)
		if v.Verified || !strings.Contains(strings.Join(v.Errors, "\n"), tt.because) {
			t.Errorf("%s changed: %+v, want %q", tt.name, v, tt.because)
		}
	}

	steps := []struct {
		name   string
		do     func(ctx context.Context, by identity.Actor, id credential.ID, reason string) error
		status bool
	}{
		{"suspended", b.Suspend, true},
		{"reinstated", b.Reinstate, false},
		{"revoked", b.Revoke, true},
	}
	for _, step := range steps {
		if err := step.do(t.Context(), issuer(oasis), c.ID, "issued in error"); err != nil {
			t.Fatal(err)
		}
		if v := askOthers(t, c.Document, did, lists()...); v.Status == nil || *v.Status != step.status {
			t.Errorf("a %s credential: %+v", step.name, v)
		}
	}
	if v := askOthers(t, plain.Document, did, lists()...); !v.Verified || v.Status == nil || *v.Status {
		t.Errorf("its neighbour: %+v", v)
	}
	forged := lists()
	forged[0] = bytes.Replace(forged[0], []byte(`"encodedList":"u`), []byte(`"encodedList":"uX`), 1)
	if v := askOthers(t, plain.Document, did, forged...); v.Verified && v.Status != nil {
		t.Errorf("a changed status list: %+v", v)
	}
}

// The lock must name no registry: each machine has its own.
func TestVerifierLockIsPortable(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(strangers.Dir(), "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if s := string(raw); strings.Contains(s, `"resolved"`) || strings.Contains(s, "://registry") {
		t.Error("package-lock.json has addresses of a registry: npm config set omit-lockfile-registry-resolved true")
	}
	if !strings.Contains(string(raw), `"integrity"`) {
		t.Error("package-lock.json pins nothing")
	}
}

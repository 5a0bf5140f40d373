package signing_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/signing"
)

const token = "hvs.CAESIJ-a-secret-token"

// transitServer answers as the transit engine does: AES-256-GCM with associated data, ciphertexts that
// begin with vault:v1:, 400 for what does not open, 403 for a token that it does not know.
type transitServer struct {
	*httptest.Server
	ca, token string
	calls     atomic.Int32
	fail      func(w http.ResponseWriter, r *http.Request) bool // true: it has answered
	forget    bool                                              // an old server: no associated data
}

func newTransitServer(t *testing.T) *transitServer {
	t.Helper()
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	s := &transitServer{}
	refuse := func(w http.ResponseWriter, status int, why string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"errors": []string{why}})
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		if s.fail != nil && s.fail(w, r) {
			return
		}
		if r.Header.Get("X-Vault-Token") != token {
			refuse(w, http.StatusForbidden, "permission denied for "+r.Header.Get("X-Vault-Token"))
			return
		}
		var q struct {
			Plaintext  []byte `json:"plaintext"`
			Ciphertext string `json:"ciphertext"`
			Associated []byte `json:"associated_data"`
		}
		if r.Method != http.MethodPost || json.NewDecoder(r.Body).Decode(&q) != nil {
			refuse(w, http.StatusBadRequest, "bad request")
			return
		}
		if s.forget {
			q.Associated = nil
		}
		var data map[string]any
		switch r.URL.Path {
		case "/v1/kms/transit/encrypt/banyan":
			sealed := aead.Seal(nil, nil, q.Plaintext, q.Associated)
			data = map[string]any{"ciphertext": "vault:v1:" + base64.StdEncoding.EncodeToString(sealed), "key_version": 1}
		case "/v1/kms/transit/decrypt/banyan":
			raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(q.Ciphertext, "vault:v1:"))
			if err == nil && len(raw) >= 28 {
				raw, err = aead.Open(nil, nil, raw, q.Associated)
			} else {
				err = errors.New("short")
			}
			if err != nil {
				refuse(w, http.StatusBadRequest, "cipher: message authentication failed")
				return
			}
			data = map[string]any{"plaintext": raw}
		default:
			refuse(w, http.StatusNotFound, "no handler for route")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"request_id": "x", "data": data})
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.StartTLS()
	t.Cleanup(s.Close)
	dir := t.TempDir()
	s.ca, s.token = filepath.Join(dir, "ca.pem"), filepath.Join(dir, "token")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := errors.Join(os.WriteFile(s.ca, cert, 0o600), os.WriteFile(s.token, []byte(token+"\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *transitServer) config() signing.TransitConfig {
	return signing.TransitConfig{Address: s.URL, Mount: "kms/transit", Key: "banyan", TokenFile: s.token, CAFile: s.ca}
}

func (s *transitServer) open(t *testing.T) *signing.Transit {
	t.Helper()
	tr, err := signing.NewTransit(s.config())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestTransitFailures(t *testing.T) {
	k, _ := signing.Generate(rand.Reader)
	tests := []struct {
		name  string
		fail  func(n int32, w http.ResponseWriter) bool
		calls int32
		want  error
	}{
		{"busy", func(_ int32, w http.ResponseWriter) bool { w.WriteHeader(http.StatusTooManyRequests); return true }, 3, signing.ErrKMS},
		{"sealed", func(_ int32, w http.ResponseWriter) bool { w.WriteHeader(http.StatusServiceUnavailable); return true }, 3, signing.ErrKMS},
		{"back the third time", func(n int32, w http.ResponseWriter) bool {
			if n < 3 {
				w.WriteHeader(http.StatusBadGateway)
			}
			return n < 3
		}, 3, nil},
		{"hangs up", func(int32, http.ResponseWriter) bool { panic(http.ErrAbortHandler) }, 3, signing.ErrKMS},
		{"forbidden", func(_ int32, w http.ResponseWriter) bool { w.WriteHeader(http.StatusForbidden); return true }, 1, signing.ErrKMS},
		{"redirects", func(_ int32, w http.ResponseWriter) bool {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}, 1, signing.ErrKMS},
		{"no JSON", func(_ int32, w http.ResponseWriter) bool { _, _ = w.Write([]byte("<html>")); return true }, 1, signing.ErrKMS},
		{"other JSON", func(_ int32, w http.ResponseWriter) bool { _, _ = w.Write([]byte(`{"data":{}}`)); return true }, 1, signing.ErrKMS},
		{"endless", func(_ int32, w http.ResponseWriter) bool {
			_, _ = w.Write(bytes.Repeat([]byte(`{"data":`), 100_000))
			return true
		}, 1, signing.ErrKMS},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newTransitServer(t)
			s.fail = func(w http.ResponseWriter, _ *http.Request) bool { return tt.fail(s.calls.Load(), w) }
			_, err := s.open(t).Seal(t.Context(), owner, k)
			if !errors.Is(err, tt.want) || s.calls.Load() != tt.calls {
				t.Errorf("%v after %d calls, want %v after %d", err, s.calls.Load(), tt.want, tt.calls)
			}
		})
	}
}

func TestTransitWaitsSoLong(t *testing.T) {
	s := newTransitServer(t)
	free := make(chan struct{})
	defer close(free)
	s.fail = func(http.ResponseWriter, *http.Request) bool { <-free; return true }
	c := s.config()
	c.Wait = time.Millisecond
	tr, err := signing.NewTransit(c)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	if _, err := tr.Seal(t.Context(), owner, k); !errors.Is(err, signing.ErrKMS) || !strings.Contains(err.Error(), "no answer in time") {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.Seal(ctx, owner, k); !errors.Is(err, signing.ErrKMS) {
		t.Errorf("error is %v", err)
	}
}

// A server of another certificate gets no token.
func TestTransitWantsTheRightCertificate(t *testing.T) {
	s := newTransitServer(t)
	c := s.config()
	c.CAFile = ""
	tr, err := signing.NewTransit(c)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	if _, err := tr.Seal(t.Context(), owner, k); !errors.Is(err, signing.ErrKMS) || s.calls.Load() != 0 {
		t.Errorf("%v after %d calls", err, s.calls.Load())
	}
}

// A server that knows nothing of associated data does not undo the binding.
func TestTransitBindsOnOldServersToo(t *testing.T) {
	s := newTransitServer(t)
	s.forget = true
	k, _ := signing.Generate(rand.Reader)
	sealed, err := s.open(t).Seal(t.Context(), owner, k)
	if err != nil {
		t.Fatal(err)
	}
	other := signing.Owner{InstitutionID: owner.InstitutionID, KeyID: "x"}
	if _, err := s.open(t).Open(t.Context(), other, sealed); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("opens for another: %v", err)
	}
	if opened, err := s.open(t).Open(t.Context(), owner, sealed); err != nil || opened.Multikey() != k.Multikey() {
		t.Errorf("%v, %v", opened, err)
	}
}

// What was opened is kept a while, for its owner alone.
func TestTransitKeepsWhatItOpened(t *testing.T) {
	s := newTransitServer(t)
	now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	c := s.config()
	c.Now = func() time.Time { return now }
	tr, err := signing.NewTransit(c)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	sealed, err := tr.Seal(t.Context(), owner, k)
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if _, err := tr.Open(t.Context(), owner, sealed); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.calls.Load(); n != 2 {
		t.Errorf("%d calls, want one to seal and one to open", n)
	}
	if _, err := tr.Open(t.Context(), signing.Owner{}, sealed); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("opens for another: %v", err)
	}
	s.fail = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	if _, err := tr.Open(t.Context(), owner, sealed); err != nil {
		t.Errorf("while the service is away: %v", err)
	}
	now = now.Add(6 * time.Minute)
	if _, err := tr.Open(t.Context(), owner, sealed); !errors.Is(err, signing.ErrKMS) {
		t.Errorf("after a while: %v", err)
	}
	if printed := fmt.Sprintf("%v %+v %#v %x %s", tr, tr, tr, tr, *tr); strings.Contains(printed, token) {
		t.Error("the token is printed")
	}
}

// No token, key or secret stands in an error, whatever the server says.
func TestTransitErrorsAreSilent(t *testing.T) {
	s := newTransitServer(t)
	if err := os.WriteFile(s.token, []byte("hvs.another-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	_, err := s.open(t).Seal(t.Context(), owner, k)
	if !errors.Is(err, signing.ErrKMS) || strings.Contains(err.Error(), "hvs.") {
		t.Errorf("error is %v", err)
	}
	// A new token is taken up without a restart.
	tr := s.open(t)
	if err := os.WriteFile(s.token, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tr.Seal(t.Context(), owner, k); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"two lines": "hvs.secret\nX-Other: 1", "empty": "\n"} {
		if err := os.WriteFile(s.token, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.Seal(t.Context(), owner, k); err == nil || strings.Contains(err.Error(), "hvs.") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTransitConfigRefused(t *testing.T) {
	s := newTransitServer(t)
	tests := map[string]func(c *signing.TransitConfig){
		"plain http":             func(c *signing.TransitConfig) { c.Address = "http://vault.example:8200" },
		"no address":             func(c *signing.TransitConfig) { c.Address = "" },
		"a user in the address":  func(c *signing.TransitConfig) { c.Address = "https://a:b@vault.example" },
		"a query in the address": func(c *signing.TransitConfig) { c.Address = "https://vault.example?x=y" },
		"no key":                 func(c *signing.TransitConfig) { c.Key = "" },
		"a key with a path":      func(c *signing.TransitConfig) { c.Key = "../../sys/mounts" },
		"a mount with a path":    func(c *signing.TransitConfig) { c.Mount = "transit/../sys" },
		"no token":               func(c *signing.TransitConfig) { c.TokenFile = filepath.Join(t.TempDir(), "none") },
		"no certificates":        func(c *signing.TransitConfig) { c.CAFile = s.token },
		"a token for all": func(c *signing.TransitConfig) {
			c.TokenFile = filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(c.TokenFile, []byte(token), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(c.TokenFile, 0o644); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, change := range tests {
		c := s.config()
		change(&c)
		if _, err := signing.NewTransit(c); err == nil || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c := s.config()
	c.Address = "http://127.0.0.1:8200"
	if _, err := signing.NewTransit(c); err != nil {
		t.Errorf("an agent on this machine: %v", err)
	}
}

package signing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// ErrKMS tells that the key service did not do what it was asked for. Its text names the
// status and nothing that was sent or received: not the token, not a secret.
var ErrKMS = errors.New("key service")

// TransitConfig says where the key service is and how to speak to it.
type TransitConfig struct {
	Address   string // https://vault.example.org:8200; http for a loopback address only
	Mount     string // where the transit engine is mounted; "transit" when empty
	Key       string // the key's name: aes256-gcm96 or another with associated data
	TokenFile string // read for each request, so that an agent may renew it
	CAFile    string // certificates to trust instead of the system's; optional
	Wait      time.Duration
	Now       func() time.Time
}

// Transit seals with the transit engine of HashiCorp Vault or OpenBao: the
// master key never leaves it, and each use of it stands in its audit log. What was opened is kept in
// memory for some minutes: a batch of a thousand certificates opens its key once, and a
// restart of the key service stops nobody.
type Transit struct{ safe }

var _ Safe = (*Transit)(nil)

const (
	transitTries = 3
	transitWait  = 5 * time.Second // for one try
	transitKept  = 5 * time.Minute
	transitMost  = 256 // opened secrets that are kept
)

var transitName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)

// NewTransit checks the configuration. It does not ask the key service: that one may start later than we do.
func NewTransit(c TransitConfig) (*Transit, error) {
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return nil, errors.New("the address of the key service is not https://host")
	}
	if c.Mount == "" {
		c.Mount = "transit"
	}
	if !transitName.MatchString(c.Mount) || !transitName.MatchString(c.Key) || strings.Contains(c.Mount+"/"+c.Key, "..") || strings.Contains(c.Key, "/") {
		return nil, fmt.Errorf("%q, %q: not the name of a mount and of a key", c.Mount, c.Key)
	}
	if _, err := readToken(c.TokenFile); err != nil {
		return nil, err
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the key service's certificates: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("no certificate in %s", c.CAFile)
		}
	}
	if c.Wait == 0 {
		c.Wait = transitWait
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	t := &transit{
		conf: c, base: strings.TrimRight(c.Address, "/") + "/v1/" + c.Mount + "/", kept: newKeep(c.Now),
		client: &http.Client{
			Timeout:   c.Wait,
			Transport: &http.Transport{TLSClientConfig: conf, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
			// A redirect could carry the token elsewhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	sum := sha256.Sum256([]byte("banyan transit key name\n" + c.Mount + "/" + c.Key))
	t.name = [8]byte(sum[:8])
	return &Transit{safe{t}}, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// String says what it is.
func (t *Transit) String() string { return "transit" }

// GoString is what %#v prints.
func (t *Transit) GoString() string { return "signing.Transit" }

type transit struct {
	conf   TransitConfig
	base   string
	name   [8]byte
	client *http.Client
	kept   func() *keep // a function for the reason given at Key
}

// seal asks for encryption. The owner goes along as associated data; and its
// digest stands before the secret too, since a server that does not know associated data passes over it.
func (t *transit) seal(ctx context.Context, owner, secret []byte) ([]byte, error) {
	digest := sha256.Sum256(owner)
	var answer struct {
		Data struct {
			Ciphertext string `json:"ciphertext"`
		} `json:"data"`
	}
	err := t.ask(ctx, "encrypt", map[string]string{
		"plaintext":       base64.StdEncoding.EncodeToString(append(digest[:], secret...)),
		"associated_data": base64.StdEncoding.EncodeToString(owner),
	}, &answer)
	if err != nil {
		return nil, err
	}
	if !wellFormed(answer.Data.Ciphertext) {
		return nil, fmt.Errorf("%w: encrypt: no ciphertext in the answer", ErrKMS)
	}
	return append(append([]byte{versionTransit}, t.name[:]...), answer.Data.Ciphertext...), nil
}

func (t *transit) open(ctx context.Context, owner, sealed []byte) ([]byte, error) {
	ciphertext, err := cutHeader(sealed, versionTransit, t.name)
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(append(append([]byte{}, sealed...), owner...))
	if secret, ok := t.kept().get(id); ok {
		return secret, nil
	}
	if !wellFormed(string(ciphertext)) {
		return nil, ErrBroken
	}
	var answer struct {
		Data struct {
			Plaintext string `json:"plaintext"`
		} `json:"data"`
	}
	err = t.ask(ctx, "decrypt", map[string]string{
		"ciphertext":      string(ciphertext),
		"associated_data": base64.StdEncoding.EncodeToString(owner),
	}, &answer)
	if err != nil {
		return nil, err
	}
	plain, err := base64.StdEncoding.DecodeString(answer.Data.Plaintext)
	digest := sha256.Sum256(owner)
	if err != nil || len(plain) < len(digest) || subtle.ConstantTimeCompare(plain[:len(digest)], digest[:]) != 1 {
		return nil, ErrBroken
	}
	secret := plain[len(digest):]
	t.kept().put(id, secret)
	return secret, nil
}

var ciphertextHead = regexp.MustCompile(`^vault:v[1-9][0-9]{0,8}:`)

// wellFormed tells whether a ciphertext has the one form in which the service writes it. Base64 has others, which servers may pass.
func wellFormed(s string) bool {
	head := ciphertextHead.FindString(s)
	raw, err := base64.StdEncoding.DecodeString(s[len(head):])
	return head != "" && err == nil && len(raw) > 0 && base64.StdEncoding.EncodeToString(raw) == s[len(head):]
}

// ask posts to the transit engine, and again when the network or the server failed.
func (t *transit) ask(ctx context.Context, act string, body map[string]string, into any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	for try := 1; ; try++ {
		again, err := t.once(ctx, act, raw, into)
		if err == nil || !again || try == transitTries {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %s: %w", ErrKMS, act, ctx.Err())
		case <-time.After(time.Duration(try) * 100 * time.Millisecond):
		}
	}
}

// once tells whether it is worth to ask again.
func (t *transit) once(ctx context.Context, act string, body []byte, into any) (again bool, err error) {
	token, err := readToken(t.conf.TokenFile)
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.base+act+"/"+t.conf.Key, bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("%w: %s", ErrKMS, act)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Vault-Request", "true")
	req.Header.Set("X-Vault-Token", token)
	res, err := t.client.Do(req)
	if err != nil {
		return ctx.Err() == nil, fmt.Errorf("%w: %s: %w", ErrKMS, act, reason(err))
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
	case res.StatusCode == http.StatusBadRequest && act == "decrypt":
		return false, ErrBroken // it opens for nobody, or not for this owner
	default:
		// The answer's words are left out: nobody promises that they hold no secret.
		return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500, fmt.Errorf("%w: %s: status %d", ErrKMS, act, res.StatusCode)
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return true, fmt.Errorf("%w: %s: %w", ErrKMS, act, reason(err))
	}
	if json.Unmarshal(raw, into) != nil {
		return false, fmt.Errorf("%w: %s: the answer is no JSON", ErrKMS, act)
	}
	return false, nil
}

// reason takes the address out of an error of package net/http, and keeps what the operator needs.
func reason(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	return err
}

// readToken reads a token that not everybody on the machine may read.
func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("open the key service's token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("open the key service's token: %w", err)
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o007 != 0 {
		return "", fmt.Errorf("%s: anybody may read the key service's token (mode %04o): chmod 640", path, info.Mode().Perm())
	}
	raw, err := io.ReadAll(io.LimitReader(f, 4<<10))
	token := strings.TrimSpace(string(raw))
	if err != nil || token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("%s: not a token", path)
	}
	return token, nil
}

// keep remembers what was opened, for a while.
type keep struct {
	mu     sync.Mutex
	now    func() time.Time
	opened map[[32]byte]opened
}

type opened struct {
	secret []byte
	until  time.Time
}

func newKeep(now func() time.Time) func() *keep {
	k := &keep{now: now, opened: map[[32]byte]opened{}}
	return func() *keep { return k }
}

func (k *keep) get(id [32]byte) ([]byte, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o, ok := k.opened[id]
	if !ok || !k.now().Before(o.until) {
		delete(k.opened, id)
		return nil, false
	}
	return bytes.Clone(o.secret), true
}

func (k *keep) put(id [32]byte, secret []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.opened) >= transitMost {
		clear(k.opened)
	}
	k.opened[id] = opened{bytes.Clone(secret), k.now().Add(transitKept)}
}

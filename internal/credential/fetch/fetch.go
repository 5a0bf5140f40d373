// Package fetch brings the documents of issuers from other hosts, and nothing else.
//
// Whoever sends a credential chooses the addresses in it. So everything here distrusts the address: a server that asks for
// what strangers name must not become their way into its own network. docs/adr/0019-guarded-fetch.md has the reasons.
package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
)

// The reasons why nothing comes.
var (
	ErrOff         = errors.New("fetching is turned off")
	ErrAddress     = errors.New("address refused")    // by its form: no https, a port, a user, a name that is none
	ErrBlocked     = errors.New("network refused")    // it leads to a network that is none of the world's
	ErrUnreachable = errors.New("no answer")          // name, connection, certificate or time
	ErrAnswer      = errors.New("answer refused")     // status, type, size, redirect
	ErrBusy        = errors.New("asked too often")    // of this host, in this minute
	errRedirect    = errors.New("redirect elsewhere") // within ErrAnswer
)

// Kind is what is asked for.
type Kind int

// The kinds.
const (
	DIDDocument Kind = iota
	StatusList
	RevocationList // of the kind that names credentials, which nobody signs
	DomainRecord   // a short text that says whose a domain is
	PublicKey      // a JWK
)

// limits of a kind: the media types that it comes as, its bytes, and for how long a copy is as good as new.
type limits struct {
	media []string
	bytes int64
	fresh time.Duration
}

var kinds = map[Kind]limits{
	DIDDocument: {
		[]string{"application/did+json", "application/did", "application/did+ld+json", "application/json", "application/ld+json"},
		64 << 10, time.Hour,
	},
	StatusList: {
		[]string{"application/vc", "application/vc+ld+json", "application/vc+jwt", "application/jwt", "application/json", "application/ld+json", "text/plain"},
		1 << 20, 5 * time.Minute,
	},
	RevocationList: {[]string{"application/json", "application/ld+json", "text/plain"}, 1 << 20, 5 * time.Minute},
	DomainRecord:   {[]string{"text/plain", "application/octet-stream"}, 4 << 10, 0},
	PublicKey:      {[]string{"application/jwk+json", "application/json", "text/plain"}, 16 << 10, time.Hour},
}

// Document is what came.
type Document struct {
	URL       string
	Body      []byte // shared between callers: nobody changes it
	FetchedAt time.Time
	Stale     bool // the host does not answer now; this is what it said before
}

// Resolver finds the addresses of a name; net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// TextResolver finds the TXT records of a name; net.Resolver is one.
type TextResolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// Config is how a Client works. Its zero value reaches the public internet by https on port 443.
type Config struct {
	Off bool // nothing is fetched
	// Allow names origins, such as http://school.lan:8080, that may be reached as they stand here, by http and on private networks too:
	// those of an operator without the internet, and of tests. Only who runs the server sets it.
	Allow []string
	Ports []int // beside those of Allow; 443 when empty
	// Proxy is asked for everything, when set. It resolves the names, so it must refuse private networks itself. The
	// environment's proxies are never used.
	Proxy    *url.URL
	Resolver Resolver         // net.DefaultResolver when nil
	Texts    TextResolver     // the same
	Now      func() time.Time // time.Now when nil
	Timeout  time.Duration    // of the whole; 8 s when 0

	connect func(ctx context.Context, d *net.Dialer, address string) (net.Conn, error) // of tests of this package
	roots   *x509.CertPool                                                             // of the same
}

// Bounds of what all callers together may cause.
const (
	maxURL       = 2048
	maxRedirects = 2
	atOnce       = 16 // requests under way in this process
	perHost      = 30 // requests to one host, and to one address, in a minute
	failedFor    = 30 * time.Second
	cacheEntries = 256
	cacheBytes   = 8 << 20
)

// Client fetches. Several may use it at once. The zero Client is none: use New.
type Client struct {
	cfg    Config
	http   *http.Client
	one    singleflight.Group
	slots  chan struct{}
	cache  cache
	meters meters
}

// New makes a client.
func New(cfg Config) *Client {
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	if cfg.Texts == nil {
		cfg.Texts = net.DefaultResolver
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.connect == nil {
		cfg.connect = func(ctx context.Context, d *net.Dialer, address string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", address)
		}
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 8 * time.Second
	}
	if len(cfg.Ports) == 0 {
		cfg.Ports = []int{443}
	}
	c := &Client{cfg: cfg, slots: make(chan struct{}, atOnce), cache: newCache(cacheEntries, cacheBytes), meters: newMeters(perHost)}
	c.http = &http.Client{CheckRedirect: sameOrigin, Transport: &http.Transport{
		Proxy:                  c.proxy(),
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.roots},
		DisableKeepAlives:      true, // each connection passes the check of its address
		DisableCompression:     true, // what is packed could become anything
		MaxResponseHeaderBytes: 16 << 10,
		TLSHandshakeTimeout:    4 * time.Second,
		ResponseHeaderTimeout:  5 * time.Second,
	}}
	return c
}

func (c *Client) proxy() func(*http.Request) (*url.URL, error) {
	if c.cfg.Proxy == nil {
		return nil
	}
	return http.ProxyURL(c.cfg.Proxy)
}

// Fetch brings a document of a kind. What came a short while ago is not asked for again; when the host does not answer, an
// older copy is given, which says so. An error is one of this package's.
func (c *Client) Fetch(ctx context.Context, kind Kind, address string) (Document, error) {
	if c == nil || c.cfg.Off {
		return Document{}, ErrOff
	}
	u, err := c.check(address)
	if err != nil {
		return Document{}, err
	}
	key := fmt.Sprint(kind, " ", u)
	kept, age, ok := c.cache.find(key, c.cfg.Now())
	if ok && kept.good(age) {
		return kept.doc, kept.err
	}
	// The request goes on when its first caller leaves: others wait for the same one.
	came := c.one.DoChan(key, func() (any, error) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.Timeout)
		defer cancel()
		doc, keep, err := c.fetch(bounded, kind, u)
		if err != nil && kept.err == nil && kept.doc.Body != nil {
			slog.WarnContext(ctx, "an issuer's document is kept for want of a newer one", "url", u.String(), "fetched_at", kept.doc.FetchedAt, "err", err)
			kept.doc.Stale = true
			c.cache.put(key, entry{doc: kept.doc, at: c.cfg.Now(), keep: failedFor})
			return kept.doc, nil
		}
		if err != nil {
			keep = failedFor
		}
		if !errors.Is(err, ErrBusy) {
			c.cache.put(key, entry{doc: doc, err: err, at: c.cfg.Now(), keep: keep})
		}
		return doc, err
	})
	select {
	case <-ctx.Done():
		return Document{}, fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	case r := <-came:
		return r.Val.(Document), r.Err
	}
}

// Texts gives the TXT records of a name of the public internet, none when it has none. Nothing is connected to.
func (c *Client) Texts(ctx context.Context, name string) ([]string, error) {
	if c == nil || c.cfg.Off {
		return nil, ErrOff
	}
	// Its first label may begin with an underscore, which no host has.
	u, err := c.check("https://" + strings.TrimPrefix(name, "_"))
	if err != nil {
		return nil, err
	}
	if "_"+u.Host != name && u.Host != name {
		return nil, fmt.Errorf("%w: not a plain name", ErrAddress)
	}
	if !c.meters.admit("name "+name, c.cfg.Now()) {
		return nil, fmt.Errorf("%w: %s", ErrBusy, name)
	}
	bounded, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	texts, err := c.cfg.Texts.LookupTXT(bounded, name+".") // with the dot no search list makes another name of it
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return texts[:min(len(texts), 64)], nil
}

// ErrNotThere is within ErrAnswer: the host says that there is nothing.
var ErrNotThere = errors.New("nothing there")

func (c *Client) fetch(ctx context.Context, kind Kind, u *url.URL) (Document, time.Duration, error) {
	if !c.meters.admit("host "+u.Hostname(), c.cfg.Now()) {
		return Document{}, 0, fmt.Errorf("%w: %s", ErrBusy, u.Host)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return Document{}, 0, fmt.Errorf("%w: too many requests under way", ErrBusy)
	}
	l := kinds[kind]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return Document{}, 0, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	req.Header.Set("Accept", strings.Join(l.media, ", "))
	req.Header.Set("User-Agent", "Banyan credential verifier")
	res, err := c.http.Do(req)
	if err != nil {
		return Document{}, 0, sort(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := read(res, l)
	if err != nil {
		return Document{}, 0, err
	}
	return Document{URL: u.String(), Body: body, FetchedAt: c.cfg.Now().UTC()}, fresh(res.Header, l.fresh), nil
}

// sort says which of our reasons an error of net/http is.
func sort(err error) error {
	for _, ours := range []error{ErrBlocked, ErrAddress, ErrBusy} {
		if errors.Is(err, ours) {
			return fmt.Errorf("%w: %s", ours, plain(err))
		}
	}
	if errors.Is(err, errRedirect) {
		return fmt.Errorf("%w: %s", ErrAnswer, plain(err))
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, plain(err))
}

// plain leaves out the address that url.Error repeats.
func plain(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

func read(res *http.Response, l limits) ([]byte, error) {
	if res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusGone {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, ErrNotThere)
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrAnswer, res.StatusCode)
	}
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(l.media, media) {
		return nil, fmt.Errorf("%w: type %.60q", ErrAnswer, res.Header.Get("Content-Type"))
	}
	if e := res.Header.Get("Content-Encoding"); e != "" && e != "identity" {
		return nil, fmt.Errorf("%w: encoding %.20q, which nobody asked for", ErrAnswer, e)
	}
	if res.ContentLength > l.bytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrAnswer, res.ContentLength)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, l.bytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if int64(len(body)) > l.bytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, l.bytes)
	}
	return body, nil
}

// sameOrigin lets a host move its document about, but send us nowhere else.
func sameOrigin(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d", errRedirect, maxRedirects)
	}
	if req.URL.Scheme != first.Scheme || req.URL.Host != first.Host || req.URL.User != nil {
		return fmt.Errorf("%w: to %s://%s", errRedirect, req.URL.Scheme, req.URL.Host)
	}
	req.Header.Del("Referer")
	return nil
}

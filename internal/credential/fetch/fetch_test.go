package fetch

import (
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// names is a resolver of tests: what it is asked for a second time may have another answer.
type names struct {
	mu    sync.Mutex
	asked []string
	says  map[string][][]string
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, host)
	answers := n.says[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var out []netip.Addr
	for _, text := range answers[0] {
		out = append(out, netip.MustParseAddr(text))
	}
	if len(answers) > 1 {
		n.says[host] = answers[1:]
	}
	return out, nil
}

// host is a real listener with TLS, which public addresses of tests lead to.
type host struct {
	*httptest.Server
	hits  atomic.Int32
	serve http.HandlerFunc
}

func newHost(t *testing.T, serve http.HandlerFunc) *host {
	t.Helper()
	h := &host{serve: serve}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.hits.Add(1)
		h.serve(w, r)
	}))
	t.Cleanup(h.Close)
	return h
}

func did(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/did+json")
	_, _ = w.Write([]byte(`{"id":"x"}`))
}

type world struct {
	*Client
	names *names
	now   time.Time
	dials []string
}

// newWorld makes a client for which example.com has a public address, behind which h stands.
func newWorld(t *testing.T, h *host, change func(*Config)) *world {
	t.Helper()
	w := &world{names: &names{says: map[string][][]string{"example.com.": {{"93.184.215.14"}}}}, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	cfg := Config{Resolver: w.names, Now: func() time.Time { return w.now }, roots: x509.NewCertPool()}
	cfg.roots.AddCert(h.Certificate())
	cfg.connect = func(ctx context.Context, _ *net.Dialer, address string) (net.Conn, error) {
		w.dials = append(w.dials, address)
		return (&net.Dialer{}).DialContext(ctx, "tcp", h.Listener.Addr().String())
	}
	if change != nil {
		change(&cfg)
	}
	w.Client = New(cfg)
	return w
}

func TestFetch(t *testing.T) {
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cookie") != "" || r.Header.Get("Authorization") != "" || r.Header.Get("Accept-Encoding") != "" || r.Header.Get("Referer") != "" {
			t.Errorf("headers %v", r.Header)
		}
		http.SetCookie(w, &http.Cookie{Name: "track", Value: "1"})
		did(w, r)
	})
	w := newWorld(t, h, nil)
	for range 3 {
		doc, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/.well-known/did.json")
		if err != nil || string(doc.Body) != `{"id":"x"}` || !doc.FetchedAt.Equal(w.now) || doc.Stale {
			t.Fatalf("%+v, %v", doc, err)
		}
	}
	if h.hits.Load() != 1 || len(w.dials) != 1 || w.dials[0] != "93.184.215.14:443" {
		t.Errorf("%d requests, dialled %v", h.hits.Load(), w.dials)
	}
	first := w.now
	w.now = w.now.Add(2 * time.Hour)
	if doc, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/.well-known/did.json"); err != nil || !doc.FetchedAt.Equal(w.now) || h.hits.Load() != 2 {
		t.Errorf("an old copy: %+v, %v", doc, err)
	}
	// When the host is gone, its last word is given with its age.
	second := w.now
	w.now = w.now.Add(24 * time.Hour)
	h.serve = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	for range 2 {
		doc, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/.well-known/did.json")
		if err != nil || !doc.Stale || !doc.FetchedAt.Equal(second) || first.Equal(second) {
			t.Errorf("a silent host: %+v, %v", doc, err)
		}
	}
	if h.hits.Load() != 3 {
		t.Errorf("a silent host is asked again at once: %d", h.hits.Load())
	}
}

func TestOff(t *testing.T) {
	h := newHost(t, did)
	w := newWorld(t, h, func(c *Config) { c.Off = true })
	var none *Client
	for _, c := range []*Client{w.Client, none} {
		if _, err := c.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, ErrOff) {
			t.Errorf("%v", err)
		}
	}
	if h.hits.Load() != 0 || len(w.names.asked) != 0 {
		t.Error("something was asked")
	}
}

func TestAddressForms(t *testing.T) {
	h := newHost(t, did)
	w := newWorld(t, h, nil)
	for _, address := range []string{
		"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/", "https:example.com", "//example.com/", "example.com", "",
		"https://user@example.com/", "https://user:pass@example.com/", "https://example.com:80/", "https://example.com:8443/", "https://example.com:0443/", "https://example.com:/",
		"https://example.com#x", "https://example.com/#", "https://EXAMPLE.com/", "https://example.com./", "https://exämple.com/", "https://example。com/", "https://example.com%2e/",
		"https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://017700000001/", "https://[::1]/", "https://[::ffff:127.0.0.1]/",
		"https://[64:ff9b::7f00:1]/", "https://[fe80::1%25eth0]/", "https://169.254.169.254/latest/meta-data/", "https://localhost/", "https://redis/", "https://foo.localhost/",
		"https://metadata.google.internal/", "https://printer.local/", "https://a b.com/", "https://example.com/\r\nHost: x", "https://example.com\\@127.0.0.1/", "https://exam_ple.com/",
		"https://-a.com/", "https://a..com/", "https://" + strings.Repeat("a", 64) + ".com/", "https://example.com/" + strings.Repeat("a", maxURL),
	} {
		if _, err := w.Fetch(t.Context(), DIDDocument, address); !errors.Is(err, ErrAddress) {
			t.Errorf("%.60q: %v", address, err)
		}
	}
	if len(w.names.asked)+len(w.dials) != 0 {
		t.Errorf("asked %v, dialled %v", w.names.asked, w.dials)
	}
}

// Names lead where their owner wants. Nothing is even connected to.
func TestNetworks(t *testing.T) {
	h := newHost(t, did)
	for _, addresses := range [][]string{
		{"127.0.0.1"},
		{"127.255.255.254"},
		{"0.0.0.0"},
		{"10.1.2.3"},
		{"172.16.0.1"},
		{"172.31.255.255"},
		{"192.168.1.1"},
		{"100.64.0.1"},
		{"100.100.100.200"},
		{"169.254.169.254"},
		{"168.63.129.16"},
		{"192.0.0.192"},
		{"192.0.2.1"},
		{"198.18.0.1"},
		{"198.19.255.255"},
		{"203.0.113.9"},
		{"224.0.0.1"},
		{"239.255.255.250"},
		{"240.0.0.1"},
		{"255.255.255.255"},
		{"192.88.99.1"},
		{"::1"},
		{"::"},
		{"::ffff:127.0.0.1"},
		{"::ffff:10.0.0.1"},
		{"::ffff:169.254.169.254"},
		{"::127.0.0.1"},
		{"64:ff9b::a9fe:a9fe"},
		{"64:ff9b:1::a00:1"},
		{"2002:7f00:1::"},
		{"2002:a9fe:a9fe::1"},
		{"2001:0:4136:e378:8000:63bf:3fff:fdd2"},
		{"2001:db8::1"},
		{"fd00:ec2::254"},
		{"fc00::1"},
		{"fe80::1"},
		{"fe80::1%eth0"},
		{"fec0::1"},
		{"ff02::1"},
		{"100::1"},
		{"3fff::1"},
		{"5f00::1"},
		{"93.184.215.14", "127.0.0.1"},
		{"2606:2800:21f:cb07:6820:80da:af6b:8b2c", "fe80::1"},
	} {
		w := newWorld(t, h, nil)
		w.names.says["example.com."] = [][]string{addresses}
		if _, err := w.Fetch(t.Context(), StatusList, "https://example.com/list"); !errors.Is(err, ErrBlocked) || len(w.dials) != 0 {
			t.Errorf("%v: %v, dialled %v", addresses, err, w.dials)
		}
	}
	for _, address := range []string{"93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:93.184.215.14"} {
		w := newWorld(t, h, nil)
		w.names.says["example.com."] = [][]string{{address}}
		if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A name that changes between check and connection gains nothing: it is asked once, and what passed is what is dialled.
func TestRebinding(t *testing.T) {
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) })
	w := newWorld(t, h, nil)
	w.names.says["example.com."] = [][]string{{"93.184.215.14"}, {"127.0.0.1"}}
	_, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json")
	if !errors.Is(err, ErrBlocked) || len(w.dials) != 1 || w.dials[0] != "93.184.215.14:443" {
		t.Errorf("%v, dialled %v", err, w.dials)
	}
}

// The kernel's own address is checked too, should a resolver ever be passed by.
func TestControl(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	h := newHost(t, did)
	w := newWorld(t, h, func(c *Config) {
		c.connect = func(ctx context.Context, d *net.Dialer, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "tcp", l.Addr().String())
		}
	})
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, ErrBlocked) {
		t.Errorf("%v", err)
	}
}

func TestAnswers(t *testing.T) {
	header := func(kind string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_, _ = w.Write([]byte(body))
		}
	}
	to := func(address string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, address, http.StatusFound) }
	}
	tests := []struct {
		name  string
		serve http.HandlerFunc
		want  error
	}{
		{"html", header("text/html", "<html>"), ErrAnswer},
		{"an image", header("image/png", "x"), ErrAnswer},
		{"no type", header("", "{}"), ErrAnswer},
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, ErrAnswer},
		{"no content", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, ErrAnswer},
		{"too large", header("application/json", strings.Repeat(" ", 64<<10+1)), ErrAnswer},
		{"too large, in pieces", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for range 70 {
				_, _ = w.Write(make([]byte, 1<<10))
				w.(http.Flusher).Flush()
			}
		}, ErrAnswer},
		{"a bomb", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(make([]byte, 1<<20))
			_ = z.Close()
		}, ErrAnswer},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("{"))
		}, ErrUnreachable},
		{"huge headers", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("a", 1<<17))
		}, ErrUnreachable},
		{"redirect to another host", to("https://other.example.com/"), ErrAnswer},
		{"redirect to http", to("http://example.com/"), ErrAnswer},
		{"redirect to another port", to("https://example.com:444/"), ErrAnswer},
		{"redirect to a private network", to("https://169.254.169.254/"), ErrAnswer},
		{"redirect to a file", to("file:///etc/passwd"), ErrAnswer},
		{"redirect in circles", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) }, ErrAnswer},
		{"two redirects at home", func(w http.ResponseWriter, r *http.Request) {
			if len(r.URL.Path) < len("/did.jsonxx") {
				http.Redirect(w, r, r.URL.Path+"x", http.StatusMovedPermanently)
				return
			}
			did(w, r)
		}, nil},
	}
	for _, tt := range tests {
		h := newHost(t, tt.serve)
		w := newWorld(t, h, nil)
		if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		for _, d := range w.dials {
			if d != "93.184.215.14:443" {
				t.Errorf("%s: dialled %s", tt.name, d)
			}
		}
	}
	// Another's certificate is none.
	h := newHost(t, did)
	w := newWorld(t, h, nil)
	w.names.says["other.net."] = [][]string{{"93.184.215.14"}}
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://other.net/did.json"); !errors.Is(err, ErrUnreachable) || h.hits.Load() != 0 {
		t.Errorf("another's certificate: %v", err)
	}
}

// A host that sends a byte now and then holds nobody for long.
func TestSlowHost(t *testing.T) {
	leave := make(chan struct{})
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.(http.Flusher).Flush()
		select {
		case <-leave:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler) // or the answer would end well
	})
	defer close(leave)
	w := newWorld(t, h, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v", err)
	}
}

// Nor does one that never stops sending, little by little.
func TestDrippingHost(t *testing.T) {
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for tick := time.Tick(5 * time.Millisecond); ; {
			select {
			case <-tick:
				_, _ = w.Write([]byte(" "))
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				panic(http.ErrAbortHandler) // or the answer would end well
			}
		}
	})
	w := newWorld(t, h, func(c *Config) { c.Timeout = 300 * time.Millisecond })
	if doc, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, ErrUnreachable) || doc.Body != nil {
		t.Errorf("%q, %v", doc.Body, err)
	}
}

// Many who ask at once make one request, and one who leaves does not end it for the others.
func TestTogether(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-goOn
		did(w, r)
	})
	w := newWorld(t, h, nil)
	leaving, leave := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		_, err := w.Fetch(leaving, DIDDocument, "https://example.com/did.json")
		first <- err
	}()
	<-begun
	var all sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		all.Go(func() {
			_, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json")
			errs <- err
		})
	}
	leave()
	if err := <-first; !errors.Is(err, ErrUnreachable) {
		t.Errorf("who left: %v", err)
	}
	close(goOn)
	all.Wait()
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if h.hits.Load() != 1 {
		t.Errorf("%d requests", h.hits.Load())
	}
}

func TestRate(t *testing.T) {
	h := newHost(t, did)
	w := newWorld(t, h, nil)
	w.names.says["other.net."] = w.names.says["example.com."]
	for i := range perHost {
		if _, err := w.Fetch(t.Context(), DIDDocument, fmt.Sprintf("https://example.com/%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	// Another name of the same address is no way round.
	for _, address := range []string{"https://example.com/more", "https://other.net/more"} {
		if _, err := w.Fetch(t.Context(), DIDDocument, address); !errors.Is(err, ErrBusy) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/1"); err != nil {
		t.Errorf("what is here already: %v", err)
	}
	w.now = w.now.Add(time.Minute)
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/more"); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// Operators name hosts of their own network, and nothing beside them opens.
func TestAllow(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(did))
	defer plain.Close()
	other := httptest.NewServer(http.HandlerFunc(did))
	defer other.Close()
	u, _ := url.Parse(plain.URL)
	c := New(Config{Allow: []string{plain.URL}})
	if doc, err := c.Fetch(t.Context(), DIDDocument, plain.URL+"/did.json"); err != nil || len(doc.Body) == 0 {
		t.Errorf("%v", err)
	}
	if c.Origin(u.Host) != plain.URL || c.Origin("example.com") != "https://example.com" {
		t.Errorf("%s, %s", c.Origin(u.Host), c.Origin("example.com"))
	}
	for _, address := range []string{other.URL, "https://" + u.Host, "ftp://" + u.Host, "http://user@" + u.Host} {
		if _, err := c.Fetch(t.Context(), DIDDocument, address); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The environment's proxy is not asked; the configured one is.
func TestProxy(t *testing.T) {
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method != http.MethodConnect || r.Host != "example.com:443" {
			t.Errorf("%s %s", r.Method, r.Host)
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	t.Setenv("HTTPS_PROXY", proxy.URL)
	h := newHost(t, did)
	w := newWorld(t, h, nil)
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); err != nil || asked.Load() != 0 {
		t.Errorf("%v, %d", err, asked.Load())
	}
	u, _ := url.Parse(proxy.URL)
	w = newWorld(t, h, func(c *Config) { c.Proxy = u })
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://example.com/did.json"); !errors.Is(err, ErrUnreachable) || asked.Load() != 1 {
		t.Errorf("%v, %d", err, asked.Load())
	}
	// What looks like a proxy's address in a credential does not get past the check.
	if _, err := w.Fetch(t.Context(), DIDDocument, "https://"+u.Host+"/"); !errors.Is(err, ErrAddress) {
		t.Errorf("%v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache(4, 4096)
	now := time.Now()
	for i := range 100 {
		c.put(fmt.Sprint(i), entry{doc: Document{Body: make([]byte, 1000)}, at: now, keep: time.Hour})
	}
	if len(c.byKey) > 4 || c.order.Len() != len(c.byKey) || c.bytes > 4096 {
		t.Errorf("%d entries, %d bytes", len(c.byKey), c.bytes)
	}
	c.put("giant", entry{doc: Document{Body: make([]byte, 5000)}, at: now})
	if c.bytes != 0 || c.order.Len() != 0 {
		t.Errorf("a giant stays: %d", c.bytes)
	}
	for _, tt := range []struct {
		header string
		want   time.Duration
	}{
		{"", time.Hour}, {"max-age=600", 10 * time.Minute}, {"public, MAX-AGE=5", time.Minute}, {"max-age=999999", time.Hour}, {"no-store", time.Minute}, {"max-age=-1", time.Hour},
	} {
		if got := fresh(http.Header{"Cache-Control": {tt.header}}, time.Hour); got != tt.want {
			t.Errorf("%q: %s", tt.header, got)
		}
	}
	m := newMeters(1)
	for i := range maxMeters + 10 {
		m.admit(fmt.Sprint(i), now)
	}
	if len(m.seen) > maxMeters {
		t.Errorf("%d meters", len(m.seen))
	}
	if !m.admit("later", now.Add(time.Minute)) || len(m.seen) != 1 {
		t.Errorf("old meters stay: %d", len(m.seen))
	}
}

// zone has TXT records.
type zone map[string][]string

func (z zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	if texts, ok := z[name]; ok {
		if len(texts) == 0 {
			return nil, &net.DNSError{Err: "server failure", Name: name, IsTemporary: true}
		}
		return texts, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// What a domain says of itself: in the DNS, and in a short file of its own.
func TestDomainRecords(t *testing.T) {
	h := newHost(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/plain":
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		case "/html":
			w.Header().Set("Content-Type", "text/html")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = w.Write([]byte("banyan-institution=x"))
	})
	w := newWorld(t, h, func(c *Config) {
		c.Texts = zone{"_banyan.example.com.": {"a", "b"}, "_banyan.broken.com.": {}}
	})
	if texts, err := w.Texts(t.Context(), "_banyan.example.com"); err != nil || len(texts) != 2 {
		t.Errorf("%q, %v", texts, err)
	}
	if texts, err := w.Texts(t.Context(), "_banyan.none.com"); err != nil || len(texts) != 0 {
		t.Errorf("%q, %v", texts, err)
	}
	if _, err := w.Texts(t.Context(), "_banyan.broken.com"); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	for _, name := range []string{"_banyan.localhost", "_banyan.server.lan", "_banyan", "_banyan.127.0.0.1", "_a.example.com/x", "_a.example.com:53", "_a.example.com\x00"} {
		if _, err := w.Texts(t.Context(), name); !errors.Is(err, ErrAddress) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := (*Client)(nil).Texts(t.Context(), "_banyan.example.com"); !errors.Is(err, ErrOff) {
		t.Error(err)
	}
	if doc, err := w.Fetch(t.Context(), DomainRecord, "https://example.com/plain"); err != nil || string(doc.Body) != "banyan-institution=x" {
		t.Errorf("%s, %v", doc.Body, err)
	}
	if _, err := w.Fetch(t.Context(), DomainRecord, "https://example.com/html"); !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	if _, err := w.Fetch(t.Context(), DomainRecord, "https://example.com/none"); !errors.Is(err, ErrNotThere) || !errors.Is(err, ErrAnswer) {
		t.Error(err)
	}
	var last error
	for range perHost + 1 {
		_, last = w.Texts(t.Context(), "_banyan.example.com")
	}
	if !errors.Is(last, ErrBusy) {
		t.Errorf("a name is asked for without end: %v", last)
	}
}

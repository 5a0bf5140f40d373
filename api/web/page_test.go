package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

func decode(t *testing.T, encoding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	switch encoding {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		z, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = z
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestCodings(t *testing.T) {
	w := open(t, nil, shipped(t))
	const at = "/en/courses/ai-in-daily-life/what-ai-is"
	_, plain := w.get(at)
	// The first to accept brotli gets the gzip; brotli is made meanwhile.
	if res, _ := w.get(at, "Accept-Encoding", "gzip, deflate, br, zstd"); res.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("first answer in %q", res.Header.Get("Content-Encoding"))
	}
	w.site.compressor.pending.Wait()
	tags := map[string]string{}
	tests := []struct{ accept, want string }{
		{"", ""},
		{"identity", ""},
		{"gzip", "gzip"},
		{"gzip, deflate", "gzip"},
		{"x-gzip", "gzip"},
		{"br", "br"},
		{"BR;q=1.0, gzip;q=0.8", "br"},
		{"gzip;q=1.0, br;q=0.1", "br"},
		{"gzip, deflate, br", "br"},
		{"gzip, deflate, br, zstd", "br"},
		{"br;q=0, gzip", "gzip"},
		{"br;q=0.0, gzip; q=0", ""},
		{"*", "br"},
		{"*;q=0", ""},
		{"gzip;q=0, *", "br"},
		{"*;q=0, gzip", "gzip"},
		{"deflate, zstd", ""},
		{"brrr, xgzip", ""},
		{",;;,=;q=,", ""},
	}
	for _, tt := range tests {
		header := []string{"Accept-Encoding", tt.accept}
		if tt.accept == "" {
			header = nil
		}
		res, body := w.get(at, header...)
		got := res.Header.Get("Content-Encoding")
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.accept, got, tt.want)
			continue
		}
		if decode(t, got, body) != plain {
			t.Errorf("%q: other bytes", tt.accept)
		}
		if n := res.Header.Get("Content-Length"); n != fmt.Sprint(len(body)) {
			t.Errorf("%q: length %s of %d", tt.accept, n, len(body))
		}
		if res.Header.Get("Vary") != "Accept-Encoding" || res.Header.Get("Cache-Control") != "public, max-age=300" || res.Header.Get("Content-Type") != html5 {
			t.Errorf("%q: %v", tt.accept, res.Header)
		}
		tag := res.Header.Get("ETag")
		if strings.HasPrefix(tag, "W/") || len(tag) < 18 {
			t.Errorf("%q: tag %s", tt.accept, tag)
		}
		if old := tags[got]; old != "" && old != tag {
			t.Errorf("%q: the tag changed", tt.accept)
		}
		tags[got] = tag
	}
	if len(tags) != 3 || tags[""] == tags["gzip"] || tags["gzip"] == tags["br"] {
		t.Errorf("strong tags name bytes: %v", tags)
	}
	// Smaller codings are worth it, or they would not be there.
	p := w.site.cache.find(key{locale: "en", course: "ai-in-daily-life", number: 1, item: "what-ai-is"})
	if a, b, c := len(p.plain.body), len(p.gzip.Load().body), len(p.brotli.Load().body); a <= b || b <= c {
		t.Errorf("sizes %d, gzip %d, brotli %d", a, b, c)
	}
}

func TestConditions(t *testing.T) {
	w := open(t, nil, shipped(t))
	const at = "/ar/courses/ai-in-daily-life/what-ai-is"
	tag := func(accept string) string {
		res, _ := w.get(at, "Accept-Encoding", accept)
		return res.Header.Get("ETag")
	}
	tag("br")
	w.site.compressor.pending.Wait()
	plain, zipped, br := tag(""), tag("gzip"), tag("br")
	const all = "gzip, deflate, br"
	tests := []struct {
		name, inm, accept string
		status            int
	}{
		{"the same", br, all, 304},
		{"weak", "W/" + br, all, 304},
		{"in a list", `"x", ` + br + `,"y"`, all, 304},
		{"any", "*", all, 304},
		{"older coding, still accepted", zipped, all, 304},
		{"plain is always accepted", plain, all, 304},
		{"coding that is not accepted any more", br, "gzip", 200},
		{"coding that is not accepted any more", zipped, "", 200},
		{"another", `"other"`, all, 200},
		{"empty", "", all, 200},
		{"without quotes", strings.Trim(br, `"`), all, 200},
	}
	for _, tt := range tests {
		res, body := w.get(at, "If-None-Match", tt.inm, "Accept-Encoding", tt.accept)
		if res.StatusCode != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, res.StatusCode, tt.status)
		}
		if tt.status == http.StatusNotModified {
			if body != "" || res.Header.Get("Content-Encoding") != "" || res.Header.Get("Content-Type") != "" {
				t.Errorf("%s: a 304 says too much: %v", tt.name, res.Header)
			}
			if res.Header.Get("ETag") == "" || res.Header.Get("Vary") == "" || res.Header.Get("Cache-Control") == "" {
				t.Errorf("%s: a 304 says too little: %v", tt.name, res.Header)
			}
		}
	}
	// After a restart brotli is not ready, and those who have it need not fetch the page again.
	again := open(t, nil, shipped(t))
	if res, _ := again.get(at, "If-None-Match", br, "Accept-Encoding", all); res.StatusCode != http.StatusNotModified {
		t.Errorf("after a restart: %d", res.StatusCode)
	}
}

func TestHead(t *testing.T) {
	w := open(t, nil, shipped(t))
	for _, at := range []string{"/en/", "/en/courses/ai-in-daily-life", "/en/courses/ai-in-daily-life/you-decide", "/assets/page-1.js", "/app/", "/sw.js"} {
		get, body := w.get(at, "Accept-Encoding", "gzip")
		head, none := w.do(http.MethodHead, at, "Accept-Encoding", "gzip")
		if head.StatusCode != http.StatusOK || len(none) != 0 || head.Header.Get("Content-Length") != fmt.Sprint(len(body)) || head.Header.Get("ETag") != get.Header.Get("ETag") {
			t.Errorf("%s: %d, %d bytes, %v", at, head.StatusCode, len(none), head.Header)
		}
	}
}

func TestCacheKeepsWithinItsLimit(t *testing.T) {
	const each = 4096 + 1024 // of these bytes, with what page.size adds
	body := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, 4096) }
	c := newCache(10 * each)
	render := func(i int) func(context.Context) (*page, error) {
		return func(context.Context) (*page, error) { return newPage("image/png", revalidate, body(i)), nil }
	}
	k := func(i int) key { return key{item: fmt.Sprint(i)} }
	for i := range 1000 {
		p, err := c.findOrRender(context.Background(), k(i), render(i))
		if err != nil || p.plain.body[0] != byte(i) {
			t.Fatal("another page came back", err)
		}
		if c.find(k(0)) == nil {
			t.Fatalf("what is asked for again and again was thrown out at %d", i)
		}
		if c.bytes > c.limit || len(c.pages) != c.clock.Len() {
			t.Fatalf("%d bytes of %d, %d pages, %d on the clock", c.bytes, c.limit, len(c.pages), c.clock.Len())
		}
	}
	if n := len(c.pages); n != 10 {
		t.Errorf("%d pages are kept, 10 fit", n)
	}
	// A page that grows pushes others out.
	p := c.find(k(0))
	p.grown(5 * each)
	if c.bytes > c.limit || len(c.pages) > 5 {
		t.Errorf("%d bytes, %d pages after one grew", c.bytes, len(c.pages))
	}
	// One that does not fit at all is served, and costs the others nothing.
	before := len(c.pages)
	if _, err := c.findOrRender(context.Background(), k(-1), func(context.Context) (*page, error) {
		return newPage("image/png", revalidate, make([]byte, 20*each)), nil
	}); err != nil || len(c.pages) != before || c.find(k(-1)) != nil {
		t.Errorf("err %v, %d pages, %d before", err, len(c.pages), before)
	}
}

func TestRenderedOnce(t *testing.T) {
	c := newCache(1 << 20)
	var renders atomic.Int32
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel() // a reader who leaves does not spoil it for the others
			p, err := c.findOrRender(ctx, key{item: "x"}, func(ctx context.Context) (*page, error) {
				renders.Add(1)
				<-gate
				return newPage(html5, revalidate, []byte("x")), ctx.Err()
			})
			if err != nil || string(p.plain.body) != "x" {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	close(gate)
	wg.Wait()
	if n := renders.Load(); n != 1 {
		t.Errorf("rendered %d times", n)
	}
	boom := errors.New("boom")
	if _, err := c.findOrRender(context.Background(), key{item: "y"}, func(context.Context) (*page, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Error(err)
	}
	if c.find(key{item: "y"}) != nil {
		t.Error("a failure is kept")
	}
}

func TestManyReadersAtOnce(t *testing.T) {
	w := open(t, func(c *Config) { c.CacheBytes = 100 << 10 }, shipped(t)) // too little for all: pages come and go
	var items []string
	for _, m := range w.library.versions["ai-in-daily-life"][0].Manifest.Modules {
		for _, it := range m.Items {
			items = append(items, string(it.ID))
		}
	}
	want := map[string]string{}
	for _, it := range items {
		_, want[it] = w.get("/en/courses/ai-in-daily-life/" + it)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 60 {
				it := items[(g+i)%len(items)]
				res, body := w.get("/en/courses/ai-in-daily-life/"+it, "Accept-Encoding", []string{"br", "gzip", "identity"}[i%3])
				if decode(t, res.Header.Get("Content-Encoding"), body) != want[it] {
					t.Errorf("%s: other bytes", it)
				}
			}
		})
	}
	wg.Wait()
	w.site.compressor.pending.Wait()
}

package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle/choice"
)

// school serves one file and breaks every line after some bytes.
type school struct {
	data     []byte
	tag      string
	cut      int // bytes that a line carries; 0: all
	plain    bool
	requests atomic.Int32
	sent     atomic.Int64
}

func (s *school) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/bundles/") {
		if r.URL.Path != "/api/bundles/leaves" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"number":3,"source_locale":"en","editions":{"en":{}}}`))
		return
	}
	s.requests.Add(1)
	if s.plain {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte("<h1>Please sign in</h1>"))
		return
	}
	w.Header().Set("Content-Type", "application/vnd.banyan.pack")
	w.Header().Set("ETag", s.tag)
	if s.cut == 0 {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
		return
	}
	from := 0
	if r.Header.Get("If-Range") == s.tag {
		from, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-"))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(s.data)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	n, _ := w.Write(s.data[from:min(from+s.cut, len(s.data))])
	s.sent.Add(int64(n))
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func TestABundleComesOverALineThatBreaks(t *testing.T) {
	pause = time.Millisecond
	s := &school{data: bytes.Repeat([]byte("leaves and roots "), 4000), tag: `"one"`}
	s.cut = len(s.data)/3 + 1
	server := httptest.NewServer(s)
	defer server.Close()
	dir := t.TempDir()
	path, err := fetchFile(t.Context(), dir, server.URL+"/bundles/leaves@3/leaves.banyan")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, s.data) {
		t.Errorf("%d bytes of %d arrived", len(got), len(s.data))
	}
	if s.sent.Load() != int64(len(s.data)) {
		t.Errorf("%d bytes travelled for %d", s.sent.Load(), len(s.data))
	}
}

func TestAFileThatChangedOnTheWayBeginsAnew(t *testing.T) {
	s := &school{data: bytes.Repeat([]byte("old"), 5000), tag: `"old"`}
	server := httptest.NewServer(s)
	defer server.Close()
	dir, address := t.TempDir(), server.URL+"/bundles/leaves@3/leaves.banyan"
	path, err := fetchFile(t.Context(), dir, address)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 700); err != nil { // an earlier run came so far
		t.Fatal(err)
	}
	s.data, s.tag = bytes.Repeat([]byte("new"), 4000), `"new"`
	if _, err := fetchFile(t.Context(), dir, address); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, s.data) {
		t.Error("the file is of two halves")
	}
	// And what lies here whole is not fetched again.
	before := s.requests.Load()
	if _, err := fetchFile(t.Context(), dir, address); err != nil || s.requests.Load() != before+1 {
		t.Error(err)
	}
}

func TestASignInPageIsNoBundle(t *testing.T) {
	s := &school{plain: true}
	server := httptest.NewServer(s)
	defer server.Close()
	_, err := fetchFile(t.Context(), t.TempDir(), server.URL+"/x.banyan")
	if !errors.Is(err, errNotThere) || s.requests.Load() != 1 {
		t.Errorf("%v after %d requests", err, s.requests.Load())
	}
}

func TestAnotherBanyanIsAskedForItsNewestVersion(t *testing.T) {
	server := httptest.NewServer(&school{})
	defer server.Close()
	for _, tt := range []struct {
		address, course string
		rule            *choice.Rule
		want            string
	}{
		{"/", "leaves", nil, "/bundles/leaves@3/leaves.banyan?locale=en&tier=all"},
		{"/", "leaves", &choice.Rule{Locales: []string{"ar", "en"}, Tier: choice.TextTier, Modules: []string{"m1"}}, "/bundles/leaves@3/leaves.banyan?locale=ar&locale=en&module=m1&tier=text"},
		{"/x.banyan?tier=text", "", nil, "/x.banyan?tier=text"},
		{"/", "", nil, ""},
		{"/", "other", nil, ""},
	} {
		got, err := fileAddress(t.Context(), server.URL+tt.address, tt.course, tt.rule)
		if want := server.URL + tt.want; tt.want != "" && got != want || (tt.want == "") != (err != nil) {
			t.Errorf("%s %s: %s, %v", tt.address, tt.course, got, err)
		}
	}
}

package web

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/frontend"
)

// The lesson page beside a bare handler that returns the same bytes. The goal
// is 0.80 of its rate at 64 connections; `make bench` measures it side by side.
func BenchmarkLesson(b *testing.B) {
	lib := &library{}
	lib.publish(b, shipped(b))
	site, err := New(Config{Courses: lib, Credentials: registry{}, Keys: dids{}, Words: words(b), Dist: built, Pages: frontend.Pages(), PublicURL: "https://learn.example"})
	if err != nil {
		b.Fatal(err)
	}
	e := echo.New()
	e.Use(site.Security())
	site.Register(e)
	const at = "/en/courses/ai-in-daily-life/what-ai-is"
	for _, accept := range []string{"identity", "br"} {
		ask(b, e, at, accept)
		site.compressor.pending.Wait()
		body := ask(b, e, at, accept)
		length := strconv.Itoa(len(body))
		bare := echo.New()
		bare.GET("/:locale/courses/:course/:item", func(c echo.Context) error {
			// Without a length Echo would send chunks, which is slower.
			c.Response().Header().Set("Content-Length", length)
			return c.Blob(http.StatusOK, html5, body)
		})
		for name, h := range map[string]http.Handler{"page": e, "bare": bare} {
			b.Run(accept+"/handler/"+name, func(b *testing.B) {
				req := httptest.NewRequest(http.MethodGet, at, nil)
				req.Header.Set("Accept-Encoding", accept)
				b.ReportAllocs()
				for b.Loop() {
					w := discard{header: http.Header{}}
					h.ServeHTTP(&w, req)
				}
			})
			b.Run(accept+"/64-connections/"+name, func(b *testing.B) { load(b, h, at, accept) })
		}
	}
}

func ask(b *testing.B, h http.Handler, at, accept string) []byte {
	b.Helper()
	req := httptest.NewRequest(http.MethodGet, at, nil)
	req.Header.Set("Accept-Encoding", accept)
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		b.Fatal(rec.Code)
	}
	return rec.Body.Bytes()
}

// load sends b.N requests over 64 connections that stay open.
func load(b *testing.B, h http.Handler, at, accept string) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	var wg sync.WaitGroup
	tickets := make(chan struct{}, b.N)
	for range b.N {
		tickets <- struct{}{}
	}
	close(tickets)
	b.ResetTimer()
	for range 64 {
		wg.Go(func() {
			conn, err := net.Dial("tcp", srv.Listener.Addr().String())
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = conn.Close() }()
			request := []byte("GET " + at + " HTTP/1.1\r\nHost: learn.example\r\nAccept-Encoding: " + accept + "\r\n\r\n")
			in := newAnswers(conn)
			for range tickets {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := in.skip(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return io.Discard.Write(b) }
func (d *discard) WriteHeader(int)             {}

// answers skips HTTP answers at little cost, so that the client does not hide the server.
type answers struct{ r *bufio.Reader }

func newAnswers(r io.Reader) answers { return answers{bufio.NewReaderSize(r, 64<<10)} }

func (a answers) skip() error {
	length := -1
	for {
		line, err := a.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(n)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without a length")
	}
	_, err := a.r.Discard(length)
	return err
}

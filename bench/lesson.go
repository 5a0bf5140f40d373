package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const (
	lessonPath   = "/en/courses/" + courseID + "/what-ai-is"
	browserTakes = "Accept-Encoding: gzip, deflate, br, zstd"
)

// lesson compares the page of a lesson with a handler that has these bytes ready.
func lesson(ctx context.Context, b *bench) ([]Figure, error) {
	w, err := b.onPostgres(ctx)
	if err != nil {
		return nil, err
	}
	ours := &side{server: w.ours, job: loadJob{Conns: 64, Requests: [][]byte{request(w.ours, "GET", lessonPath, []string{browserTakes}, nil)}}}
	bare := &side{server: w.bare, job: loadJob{Conns: 64, Requests: [][]byte{request(w.bare, "GET", "/page", []string{browserTakes}, nil)}}}
	f, err := compare(ctx, "lesson", "requests/s", 1, 0.80, ours, bare,
		"The first lesson's page in brotli, 64 connections, against a bare Echo handler that has the same bytes and headers in memory.")
	return []Figure{f}, err
}

const (
	packPath = "/bundles/" + courseID + "@1/en/text.pack"
	packFile = "text.pack"
)

// packs compares a pack of a bundle with the same file in a folder that Echo serves.
func packs(ctx context.Context, b *bench) ([]Figure, error) {
	w, err := b.onPostgres(ctx)
	if err != nil {
		return nil, err
	}
	ours := &side{server: w.ours, job: loadJob{Conns: 64, Requests: [][]byte{request(w.ours, "GET", packPath, nil, nil)}}}
	bare := &side{server: w.bare, job: loadJob{Conns: 64, Requests: [][]byte{request(w.bare, "GET", "/static/"+packFile, nil, nil)}}}
	f, err := compare(ctx, "bundle-pack", "requests/s", 1, 0.85, ours, bare,
		"The text pack of a course in one language, 64 connections, against Echo's static handler with the same bytes in a file.")
	return []Figure{f}, err
}

// savePack puts a pack into the folder of the bare server.
func (w *world) savePack(ctx context.Context, dir string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.ours.url(packPath), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", packPath, res.Status)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, packFile), body, 0o600)
}

// readPage reads the page as a browser gets it, with its headers, once its brotli form is ready.
func (w *world) readPage(ctx context.Context) (map[string]string, []byte, error) {
	for range 200 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.ours.url(lessonPath), nil)
		if err != nil {
			return nil, nil, err
		}
		req.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, nil, err
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil {
			return nil, nil, err
		}
		if res.Header.Get("Content-Encoding") == "br" {
			header := map[string]string{}
			for name := range res.Header {
				if name != "Date" { // Go's own
					header[name] = res.Header.Get(name)
				}
			}
			return header, body, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, nil, errors.New("the lesson is not served in brotli")
}

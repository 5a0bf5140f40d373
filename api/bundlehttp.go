package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/bundle/choice"
)

// A line that brings nothing for so long is dead, also on 2G; and how often a file that breaks off is asked for again in one run.
const (
	silence = 60 * time.Second
	lines   = 8
)

// pause is how long to wait before the second try; each later one waits twice as long.
var pause = time.Second

var over = &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: silence}}

func isAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

// fileAddress gives the address of a .banyan file: the one that was given, or that of a course's newest version on another Banyan.
func fileAddress(ctx context.Context, address, course string, rule *choice.Rule) (string, error) {
	u, err := url.Parse(address)
	if err != nil || strings.HasSuffix(u.Path, ".banyan") {
		return address, err
	}
	if course == "" {
		return "", errors.New("say which course with --course, or give the address of a .banyan file")
	}
	u.RawQuery, u.Fragment = "", ""
	about := u.JoinPath("api", "bundles", course)
	res, err := ask(ctx, about.String(), nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	var offer struct {
		Number       int                        `json:"number"`
		SourceLocale string                     `json:"source_locale"`
		Editions     map[string]json.RawMessage `json:"editions"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&offer); err != nil || res.StatusCode != http.StatusOK || offer.Number < 1 {
		return "", fmt.Errorf("%s has no course %s (%s)", address, course, res.Status)
	}
	if rule == nil {
		rule = &choice.Rule{Tier: choice.AllTier}
		for locale := range offer.Editions {
			rule.Locales = append(rule.Locales, locale)
		}
	}
	file := u.JoinPath("bundles", course+"@"+strconv.Itoa(offer.Number), course+".banyan")
	file.RawQuery = url.Values{"locale": rule.Locales, "tier": {string(rule.Tier)}, "module": rule.Modules}.Encode()
	return file.String(), nil
}

func ask(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		req.Header[name] = values
	}
	return over.Do(req)
}

// fetchFile brings a .banyan file to a folder, goes on where an earlier run or a broken line stopped, and gives its path. What lies there half is
// only ever the beginning of what the server names by its ETag: where that changed, it begins anew.
func fetchFile(ctx context.Context, dir, address string) (string, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(address))
	path := filepath.Join(dir, hex.EncodeToString(sum[:8])+".part")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640) //nolint:gosec // a bundle is public
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return "", err
	}
	tag, _ := os.ReadFile(path + ".etag") // absent at the first run
	for n := 0; ; n++ {
		more, err := stretch(ctx, f, path+".etag", address, &at, &tag)
		if err == nil && !more {
			return path, nil
		}
		if err != nil && (n == lines || ctx.Err() != nil || errors.Is(err, errNotThere)) {
			return "", fmt.Errorf("%s, %s are kept for the next run: %w", address, kilobytes(at), err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(pause<<n, 30*time.Second)):
		}
	}
}

var errNotThere = errors.New("no bundle stands there")

// stretch reads on from a byte, and tells whether there is more to come.
func stretch(ctx context.Context, f *os.File, tagged, address string, at *int64, tag *[]byte) (more bool, err error) {
	header := http.Header{"Accept-Encoding": {"identity"}}
	if *at > 0 && len(*tag) > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", *at))
		header.Set("If-Range", string(*tag))
	} else {
		*at = 0
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	res, err := ask(ctx, address, header)
	if err != nil {
		return false, err
	}
	defer func() { _ = res.Body.Close() }()
	total := res.ContentLength
	switch {
	case res.StatusCode == http.StatusPartialContent:
		total += *at
	case res.StatusCode == http.StatusOK:
		*at = 0
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && *at > 0:
		return false, nil // all of it lies here
	case res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return false, errors.New(res.Status)
	default:
		return false, fmt.Errorf("%w: %s", errNotThere, res.Status)
	}
	// A network that wants a sign-in answers for everything.
	if t := res.Header.Get("Content-Type"); t != "application/vnd.banyan.pack" {
		return false, fmt.Errorf("%w: it is %q", errNotThere, t)
	}
	*tag = []byte(res.Header.Get("ETag"))
	if err := f.Truncate(*at); err != nil {
		return false, err
	}
	// Before the first byte: who is killed in the middle goes on from there.
	if err := os.WriteFile(tagged, *tag, 0o640); err != nil { //nolint:gosec // nothing secret
		return false, err
	}
	if _, err := f.Seek(*at, io.SeekStart); err != nil {
		return false, err
	}
	bar := newBar(total, filepath.Base(res.Request.URL.Path))
	_ = bar.Add64(*at)
	defer bar.end()
	watch := time.AfterFunc(silence, stop)
	defer watch.Stop()
	buf := make([]byte, 1<<16)
	for {
		n, err := res.Body.Read(buf)
		watch.Reset(silence)
		if _, werr := f.Write(buf[:n]); werr != nil {
			return false, werr
		}
		*at += int64(n)
		_ = bar.Add(n)
		if errors.Is(err, io.EOF) {
			return total > 0 && *at < total, nil
		}
		if err != nil {
			return true, err
		}
	}
}

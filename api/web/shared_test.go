package web

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/api/middleware"
	"github.com/banyan-lms/banyan/internal/credential/wallet"
	"github.com/banyan-lms/banyan/internal/fault"
)

// links answers for wallets.
type links map[string]wallet.Shown

func (l links) OpenShare(_ context.Context, token string) (wallet.Shown, error) {
	switch token {
	case "ended":
		return wallet.Shown{}, fault.New(fault.Gone, "share.ended")
	case "broken":
		return wallet.Shown{}, errors.New("no database")
	}
	s, ok := l[token]
	if !ok {
		return wallet.Shown{}, fault.New(fault.NotFound, "share.not_found")
	}
	return s, nil
}

func TestShared(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 9, 30, 0, 0, time.UTC) }
	day := func(n int) *time.Time { d := at(n); return &d }
	named := wallet.Shown{State: "valid", Name: "Ada <b>Byron</b>", Achievement: "AI & you", Locale: "en", Issuer: "Demo school", IssuedAt: at(5), CheckedAt: at(9), EndsAt: day(20)}
	nameless, revoked, elsewhere := named, named, named
	nameless.Name = ""
	revoked.State, revoked.RevokedAt, revoked.RevokedReason = "revoked", day(8), "Somebody <i>took</i> the labs"
	elsewhere.Elsewhere, elsewhere.Issuer = true, "B <script>"
	w := open(t, func(c *Config) {
		c.Shares = links{"named": named, "nameless": nameless, "revoked": revoked, "elsewhere": elsewhere, "invalid": {State: "invalid", CheckedAt: at(9)}}
	}, course("Small", nil))
	tests := []struct {
		token, locale string
		want, none    []string
	}{
		{"named", "en", []string{"Valid", "This certificate belongs to", "Ada <b>Byron</b>", "AI & you", "Demo school", "5 March 2026", "9 March 2026, 09:30 UTC", "20 March 2026, 09:30 UTC"}, []string{"Revoked", "elsewhere"}},
		{"named", "ar", []string{"صالحة", "Ada <b>Byron</b>", "5 مارس 2026"}, []string{"Valid"}},
		{"nameless", "en", []string{"Valid", "does not show their name", "AI & you"}, []string{"Ada", "belongs to"}},
		{"revoked", "en", []string{"Revoked", "8 March 2026", "Reason given: Somebody <i>took</i> the labs"}, nil},
		{"elsewhere", "en", []string{"It was issued elsewhere", "B <script>", "Last checked"}, []string{"The signature is genuine"}},
		{"invalid", "en", []string{"Not valid", "Do not rely on it"}, []string{"Ada", "belongs to", "does not show"}},
	}
	for _, tt := range tests {
		for _, address := range []string{"/" + tt.locale + "/s/" + tt.token, "/s/" + tt.token} {
			body, doc := w.read(address, "Accept-Language", tt.locale)
			checkPage(t, address, body, doc, tt.locale)
			shown := textOf(all(doc, "main")[0])
			for _, want := range tt.want {
				if !strings.Contains(shown, want) {
					t.Errorf("%s lacks %q: %s", address, want, shown)
				}
			}
			for _, none := range tt.none {
				if strings.Contains(shown, none) {
					t.Errorf("%s says %q: %s", address, none, shown)
				}
			}
			if strings.Contains(body, "/verify/") || strings.Contains(body, "/api/credentials/") {
				t.Errorf("%s gives the way to the credential itself, which no end of the link closes", address)
			}
		}
	}
	for token, status := range map[string]int{"named": 200, "ended": 410, "unknown": 404} {
		for _, address := range []string{"/s/" + token, "/ar/s/" + token} {
			res, body := w.get(address)
			if res.StatusCode != status || res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body, "noindex") ||
				!strings.Contains(res.Header.Get("X-Robots-Tag"), "noindex") || res.Header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%s: %d %v", address, res.StatusCode, res.Header)
			}
		}
	}
	if res, body := w.get("/s/ended", "Accept-Language", "en"); res.StatusCode != 410 || !strings.Contains(body, "has ended this link") {
		t.Errorf("an ended link says: %s", body)
	}

	// A log is read by others than those who have the link.
	var log strings.Builder
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	w.get("/s/broken")
	w.get("/en/s/broken")
	if got := log.String(); !strings.Contains(got, "/s/…") || strings.Contains(got, "broken") {
		t.Errorf("the log: %s", got)
	}
	for path, want := range map[string]string{
		"/s/abc": "/s/…", "/pt-BR/s/abc/": "/pt-BR/s/…", "/api/shares/abc": "/api/shares/…", "/api/shares": "/api/shares", "/en/courses/s/x": "/en/courses/s/x",
	} {
		if got := middleware.LogPath(path); got != want {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}

package middleware

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// through sends a request through middleware to a handler, and gives the answer and the error that came back.
func through(t *testing.T, r *http.Request, handler echo.HandlerFunc, mw ...echo.MiddlewareFunc) (*httptest.ResponseRecorder, error) {
	t.Helper()
	for i := len(mw) - 1; i >= 0; i-- {
		handler = mw[i](handler)
	}
	rec := httptest.NewRecorder()
	err := handler(echo.New().NewContext(r, rec))
	return rec, err
}

func request(method, path string, body io.Reader, header ...string) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, path, body)
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func keyOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Key
	}
	if err != nil {
		return "no fault: " + err.Error()
	}
	return ""
}

func TestOrigin(t *testing.T) {
	ours := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"nobody between", "203.0.113.9:4000", nil, "203.0.113.9"},
		{"a stranger lies", "203.0.113.9:4000", []string{"1.1.1.1"}, "203.0.113.9"},
		{"our proxy says nothing", "10.0.0.1:4000", nil, "10.0.0.1"},
		{"our proxy", "10.0.0.1:4000", []string{"203.0.113.9"}, "203.0.113.9"},
		{"our proxy passes a lie on", "10.0.0.1:4000", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"two of ours", "10.0.0.1:4000", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two of ours, in two lines", "10.0.0.1:4000", []string{"203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"only ours", "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a name is no address", "10.0.0.1:4000", []string{"localhost"}, "10.0.0.1"},
		{"an address with a port is none", "10.0.0.1:4000", []string{"203.0.113.9:80"}, "10.0.0.1"},
		{"nothing in it", "10.0.0.1:4000", []string{" , "}, "10.0.0.1"},
		{"IPv6", "[2001:db8::1]:4000", nil, "2001:db8::1"},
		{"our proxy on IPv6", "[fd00::1]:4000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv4 dressed up as IPv6", "[::ffff:10.0.0.1]:4000", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"a socket without a port", "10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a Unix socket", "@", []string{"203.0.113.9"}, "@"},
	} {
		r := request(http.MethodGet, "/", nil, "User-Agent", "Firefox")
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		var got Client
		_, err := through(t, r, func(c echo.Context) error {
			got = From(c.Request().Context())
			return nil
		}, Origin(ours))
		if err != nil || got.Address != tt.want || got.UserAgent != "Firefox" {
			t.Errorf("%s: %+v, want %s: %v", tt.name, got, tt.want, err)
		}
	}
}

func TestRequest(t *testing.T) {
	var log bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(old) })
	var told error
	onError := func(c echo.Context, err error) {
		told = err
		_ = c.String(http.StatusTeapot, "a problem")
	}
	ids := map[string]bool{}
	for _, tt := range []struct {
		name    string
		handler echo.HandlerFunc
		status  int
		told    string
		logged  []string
	}{
		{"well", func(c echo.Context) error { return c.String(http.StatusCreated, "made") }, 201, "", []string{"level=INFO", "status=201", "bytes=4"}},
		{"a fault", func(echo.Context) error { return fault.New(fault.Denied, "a.key") }, 418, "a.key", []string{"status=418", "denied a.key"}},
		{"a panic", func(echo.Context) error { panic("out of order") }, 418, "server.internal", []string{"out of order", "middleware_test.go"}},
		{"our own error", func(c echo.Context) error { return c.String(http.StatusBadGateway, "") }, 502, "", []string{"level=ERROR", "status=502"}},
	} {
		log.Reset()
		told = nil
		var inside string
		rec, err := through(t, request(http.MethodPost, "/path?secret=1", strings.NewReader("a password"), HeaderRequestID, "chosen by a stranger"), func(c echo.Context) error {
			inside = RequestID(c.Request().Context())
			return tt.handler(c)
		}, Request(onError))
		id := rec.Header().Get(HeaderRequestID)
		if err != nil || rec.Code != tt.status || keyOf(told) != tt.told {
			t.Errorf("%s: %d, %v, told %v", tt.name, rec.Code, err, told)
		}
		if len(id) != 16 || id != inside || ids[id] {
			t.Errorf("%s: id %q, inside %q", tt.name, id, inside)
		}
		ids[id] = true
		for _, want := range append(tt.logged, "request="+id, "path=/path", "method=POST") {
			if !strings.Contains(log.String(), want) {
				t.Errorf("%s: %s is not in the log: %s", tt.name, want, log.String())
			}
		}
		if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "a password") || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s: the log says too much: %s", tt.name, log.String())
		}
	}
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, as net/http compares it
			t.Errorf("a handler that gives up is recovered: %v", p)
		}
	}()
	_, _ = through(t, request(http.MethodGet, "/", nil), func(echo.Context) error { panic(http.ErrAbortHandler) }, Request(onError))
}

func TestNotModified(t *testing.T) {
	const tag = `"abc"`
	handler := func(status int, etag string) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("ETag", etag)
			return c.String(status, "body")
		}
	}
	for _, tt := range []struct {
		name, method, want string
		handler            echo.HandlerFunc
		status             int
	}{
		{"no tag asked", http.MethodGet, "", handler(200, tag), 200},
		{"the same", http.MethodGet, tag, handler(200, tag), 304},
		{"the same, weak", http.MethodGet, "W/" + tag, handler(200, tag), 304},
		{"ours is weak", http.MethodGet, tag, handler(200, "W/"+tag), 304},
		{"one of several", http.MethodGet, `"x" , ` + tag, handler(200, tag), 304},
		{"any", http.MethodGet, "*", handler(200, tag), 304},
		{"another", http.MethodGet, `"abd"`, handler(200, tag), 200},
		{"a part of it", http.MethodGet, `"ab"`, handler(200, tag), 200},
		{"no tag of ours", http.MethodGet, "*", handler(200, ""), 200},
		{"not found", http.MethodGet, "*", handler(404, tag), 404},
		{"a change", http.MethodPost, tag, handler(200, tag), 200},
	} {
		var res *echo.Response
		rec, err := through(t, request(tt.method, "/", nil, "If-None-Match", tt.want), func(c echo.Context) error {
			res = c.Response()
			return tt.handler(c)
		}, NotModified())
		body := map[bool]string{true: "", false: "body"}[tt.status == 304]
		if err != nil || rec.Code != tt.status || rec.Body.String() != body {
			t.Errorf("%s: %d %q %v", tt.name, rec.Code, rec.Body, err)
		}
		if res.Status != tt.status || res.Size != int64(len(body)) { // what the log says
			t.Errorf("%s: logged as %d with %d bytes", tt.name, res.Status, res.Size)
		}
		if res.Writer != http.ResponseWriter(rec) {
			t.Errorf("%s: the writer stays wrapped", tt.name)
		}
	}
}

// cut is a body whose connection breaks.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, tt := range []struct {
		name, media string
		body        io.Reader
		want        string
	}{
		{"nothing", "", http.NoBody, ""},
		{"JSON", "application/json", strings.NewReader(`{"a":[1,2,{"b":"]]]]"}]}`), ""},
		{"deep enough", "application/json", strings.NewReader(deep(24)), ""},
		{"too deep", "application/json", strings.NewReader(deep(25)), "request.too_deep"},
		{"brackets in a text", "application/json", strings.NewReader(`"` + strings.Repeat("[", 100) + `\"` + strings.Repeat("{", 100) + `"`), ""},
		{"wide", "application/json", strings.NewReader(strings.Repeat("[],", 100)), "request.not_json"},
		{"wide, in a list", "application/json", strings.NewReader("[" + strings.Repeat("[],", 100) + "[]]"), ""},
		{"closed before opened", "application/json", strings.NewReader(strings.Repeat("]", 50) + strings.Repeat("[", 50)), "request.not_json"},
		{"bad UTF-8", "application/json", strings.NewReader("\"\xff\""), "request.not_utf8"},
		{"bad UTF-8, sent with two charsets", "application/json; charset=a; charset=b", strings.NewReader("\"\xff\""), "request.not_utf8"},
		{"half", "application/json", strings.NewReader(`{"a":`), "request.not_json"},
		{"blank", "application/json", strings.NewReader(" "), "request.not_json"},
		{"as much as fits", "application/json", strings.NewReader(`"` + strings.Repeat("x", maxBody-2) + `"`), ""},
		{"a byte more", "application/json", strings.NewReader(`"` + strings.Repeat("x", maxBody-1) + `"`), "request.too_large"},
		{"a byte more of anything", "text/plain", strings.NewReader(strings.Repeat("x", maxBody+1)), "request.too_large"},
		{"cut short", "application/json", cut{}, "request.cut_short"},
		{"a zip as it fits", "application/zip", bytes.NewReader(make([]byte, maxZip)), ""},
		{"a zip that does not", "application/zip", bytes.NewReader(make([]byte, maxZip+1)), "request.too_large"},
		{"a zip cut short", "application/zip", cut{}, "request.cut_short"},
	} {
		_, err := through(t, request(http.MethodPost, "/", tt.body, "Content-Type", tt.media), func(c echo.Context) error {
			if _, err := io.ReadAll(c.Request().Body); err != nil {
				return BodyFault(err)
			}
			return nil
		}, Limits())
		if got := keyOf(err); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// people knows one session and one token; everything else is as the store says it.
type people struct{ broken error }

func (p people) ActorBySession(_ context.Context, secret string) (identity.Actor, identity.User, error) {
	return p.find(secret == "session", "session.ended", "s")
}

func (p people) ActorByToken(_ context.Context, secret string) (identity.Actor, identity.User, error) {
	return p.find(secret == "token", "token.unknown", "")
}

func (p people) find(known bool, key string, session identity.SessionID) (identity.Actor, identity.User, error) {
	switch {
	case p.broken != nil:
		return identity.Actor{}, identity.User{}, p.broken
	case !known:
		return identity.Actor{}, identity.User{}, fault.New(fault.Unauthenticated, key)
	}
	return identity.Actor{UserID: "u", SessionID: session}, identity.User{ID: "u", Locale: "ar", InstitutionLocale: "es"}, nil
}

func TestSession(t *testing.T) {
	down := fault.New(fault.Unavailable, "database.lost")
	for _, tt := range []struct {
		name   string
		secure bool
		broken error
		header []string
		who    identity.UserID
		want   string
	}{
		{"nobody", false, nil, nil, "", ""},
		{"a session", false, nil, []string{"Cookie", "banyan_session=session"}, "u", ""},
		{"an ended session is nobody", false, nil, []string{"Cookie", "banyan_session=other"}, "", ""},
		{"an empty cookie", false, nil, []string{"Cookie", "banyan_session="}, "", ""},
		{"a plain cookie with https", true, nil, []string{"Cookie", "banyan_session=session"}, "", ""},
		{"the cookie of https", true, nil, []string{"Cookie", "__Host-banyan_session=session"}, "u", ""},
		{"a token", false, nil, []string{"Authorization", "Bearer token"}, "u", ""},
		{"an unknown token is a fault", false, nil, []string{"Authorization", "Bearer other"}, "", "token.unknown"},
		{"the token counts, not the cookie", false, nil, []string{"Authorization", "Bearer other", "Cookie", "banyan_session=session"}, "", "token.unknown"},
		{"another scheme", false, nil, []string{"Authorization", "Digest token"}, "", "token.unknown"},
		{"a database that is down is not nobody", false, down, []string{"Cookie", "banyan_session=session"}, "", "database.lost"},
		{"nor for tokens", false, down, []string{"Authorization", "Bearer token"}, "", "database.lost"},
	} {
		var got identity.Actor
		var locale string
		_, err := through(t, request(http.MethodGet, "/", nil, tt.header...), func(c echo.Context) error {
			got, locale = Actor(c.Request().Context()), User(c.Request().Context()).Locale
			return nil
		}, Session(people{tt.broken}, tt.secure))
		if keyOf(err) != tt.want || got.UserID != tt.who || (locale == "ar") != (tt.who != "") {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

func TestLanguage(t *testing.T) {
	match := func(prefs ...string) string { return strings.Join(prefs, "|") }
	var got string
	_, err := through(t, request(http.MethodGet, "/", nil, "Accept-Language", "fr", HeaderLanguage, "hi", "Cookie", "banyan_session=session"), func(c echo.Context) error {
		got = Locale(c.Request().Context())
		return nil
	}, Session(people{}, false), Language(match, "sw"))
	if err != nil || got != "hi|ar|es|sw|fr" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCrossOriginWantsAnAddress(t *testing.T) {
	for _, bad := range []string{"", "learn.example", "https://learn.example/path", "https://"} {
		if _, err := CrossOrigin(bad); err == nil {
			t.Errorf("%q is taken for an origin", bad)
		}
	}
	guard, err := CrossOrigin("https://learn.example")
	if err != nil {
		t.Fatal(err)
	}
	// Behind a proxy this host has another name: the public one is trusted.
	r := request(http.MethodPost, "/", nil, "Origin", "https://learn.example", "Sec-Fetch-Site", "cross-site")
	r.Host = "api.internal"
	if _, err := through(t, r, func(echo.Context) error { return nil }, guard); err != nil {
		t.Error(err)
	}
}

package rest_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/api/rest"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
	"github.com/banyan-lms/banyan/internal/learning"
)

// reopen puts other doors before the same services.
func (s *school) reopen(change func(srv *rest.Server)) {
	s.Helper()
	words, err := i18n.Load()
	if err != nil {
		s.Fatal(err)
	}
	srv := &rest.Server{
		Identity: s.app.Identity, Institution: s.app.Institution, Curriculum: s.app.Curriculum, Learning: s.app.Learning, Lab: s.app.Lab,
		Keys: s.app.Keys, Lists: s.app.Lists, Credential: s.app.Credential, Forms: s.app.Forms, Bundle: s.app.Bundle, Shelf: s.app.Shelf, Trust: s.app.Trust, Words: words, Ping: s.app.DB.Ping, Version: "test", PublicURL: "http://example.com", SignupOpen: true, Now: s.app.Now,
	}
	change(srv)
	s.echo = echo.New()
	if err := srv.Register(s.echo); err != nil {
		s.Fatal(err)
	}
}

func problemOf(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	return decode[openapi.Problem](t, rec).Code
}

// TestCrossOrigin: another site's page cannot use a visitor's session to change anything.
func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	_, cookie := s.session("learner A")
	_, bearer := s.token("learner A", identity.ScopeAdmin)
	own := "http://example.com" // what httptest calls this host
	for _, tt := range []struct {
		name, method string
		header       map[string]string
		status       int
	}{
		{"cross-site", http.MethodPatch, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"cross-site without an origin", http.MethodPatch, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		{"a sibling host", http.MethodPatch, map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://evil.example.com"}, 403},
		{"an old browser elsewhere", http.MethodPatch, map[string]string{"Origin": "https://evil.example"}, 403},
		{"the same name on another port", http.MethodPatch, map[string]string{"Origin": "http://example.com:81"}, 403},
		{"a sandboxed frame", http.MethodPatch, map[string]string{"Origin": "null"}, 403},
		{"same-origin", http.MethodPatch, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": own}, 200},
		{"an old browser here", http.MethodPatch, map[string]string{"Origin": own}, 200},
		{"typed by hand", http.MethodPatch, map[string]string{"Sec-Fetch-Site": "none"}, 200},
		{"a tool", http.MethodPatch, nil, 200},
		{"a link from elsewhere", http.MethodGet, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 200},
	} {
		c := call{method: tt.method, path: "/api/me", header: tt.header, cookie: cookie}
		if tt.method != http.MethodGet {
			c.body = `{"locale":"ar"}`
		}
		rec := s.do(c)
		if rec.Code != tt.status || tt.status == 403 && problemOf(t, rec) != "request.cross_origin" {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
	}
	for _, c := range []call{
		{method: http.MethodPost, path: "/api/sessions", body: `{"username":"user1","password":"correct horse"}`},
		{method: http.MethodDelete, path: "/api/sessions/current", cookie: cookie},
		{method: http.MethodPut, path: "/api/me/password", body: `{"current":"correct horse","new":"another one"}`, bearer: bearer},
	} {
		c.header = map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
		if rec := s.do(c); rec.Code != 403 || len(rec.Header().Values("Set-Cookie")) != 0 {
			t.Errorf("%s %s from another site: %d %v", c.method, c.path, rec.Code, rec.Header())
		}
	}
	if rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: cookie}); rec.Code != 200 {
		t.Errorf("the session is gone: %d", rec.Code)
	}
	// No page of another site reads anything either.
	rec := s.do(call{method: http.MethodGet, path: "/api/me", cookie: cookie, header: map[string]string{"Origin": "https://evil.example"}})
	if rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("shared with another site: %v", rec.Header())
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		url, cookie string
		secure      bool
	}{
		"http":  {"http://example.com", "banyan_session", false},
		"https": {"https://learn.example", "__Host-banyan_session", true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSchool(t)
			s.reopen(func(srv *rest.Server) { srv.PublicURL, srv.Secure = tt.url, tt.secure })
			one := func(rec *httptest.ResponseRecorder) *http.Cookie {
				t.Helper()
				cs := rec.Result().Cookies()
				if len(cs) != 1 {
					t.Fatalf("%d: cookies %v", rec.Code, rec.Header().Values("Set-Cookie"))
				}
				return cs[0]
			}
			check := func(c *http.Cookie) {
				t.Helper()
				if c.Name != tt.cookie || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != tt.secure || c.Path != "/" || c.Domain != "" {
					t.Errorf("cookie %+v", c)
				}
			}
			for _, c := range []call{
				{method: http.MethodPost, path: "/api/sessions", body: `{"username":"user1","password":"correct horse"}`},
				{method: http.MethodPost, path: "/api/users", body: `{"username":"new-one","display_name":"New","password":"correct horse"}`},
			} {
				rec := s.do(c)
				got := one(rec)
				check(got)
				if rec.Code != 201 || got.MaxAge != int(identity.MaxLife.Seconds()) || len(got.Value) != 43 || strings.Contains(rec.Body.String(), got.Value) {
					t.Errorf("%s: %d %+v %s", c.path, rec.Code, got, rec.Body)
				}
				with := map[string]string{"Cookie": got.Name + "=" + got.Value}
				if rec := s.do(call{method: http.MethodGet, path: "/api/me", header: with}); rec.Code != 200 || rec.Header().Get("Cache-Control") != "private, no-cache" {
					t.Errorf("with it: %d %v", rec.Code, rec.Header())
				}
				other := map[string]string{"banyan_session": "__Host-banyan_session", "__Host-banyan_session": "banyan_session"}[got.Name]
				if rec := s.do(call{method: http.MethodGet, path: "/api/me", header: map[string]string{"Cookie": other + "=" + got.Value}}); rec.Code != 401 {
					t.Errorf("under the other name: %d", rec.Code)
				}
				out := s.do(call{method: http.MethodDelete, path: "/api/sessions/current", header: with})
				check(one(out))
				if c := one(out); out.Code != 204 || c.MaxAge >= 0 || c.Value != "" {
					t.Errorf("signing out: %d %+v", out.Code, c)
				}
				if rec := s.do(call{method: http.MethodGet, path: "/api/me", header: with}); rec.Code != 401 || problemOf(t, rec) != "session.required" {
					t.Errorf("after signing out: %d", rec.Code)
				}
			}
			if rec := s.do(call{method: http.MethodPost, path: "/api/sessions", body: `{"username":"user1","password":"wrong"}`}); rec.Code != 401 || len(rec.Header().Values("Set-Cookie")) != 0 {
				t.Errorf("a wrong password: %d %v", rec.Code, rec.Header())
			}
		})
	}
}

// TestWhoIsAsking: a secret in the wrong place opens nothing, and nobody is told that they may not before they have said who they are.
func TestWhoIsAsking(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	_, cookie := s.session("learner A")
	_, bearer := s.token("learner A", identity.ScopeRead)
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	for _, tt := range []struct {
		name   string
		header map[string]string
		status int
		code   string
	}{
		{"nothing", nil, 401, "session.required"},
		{"an ended cookie", header("Cookie", "banyan_session=x"), 401, "session.required"},
		{"a cookie", header("Cookie", "banyan_session="+cookie), 200, ""},
		{"a token", header("Authorization", "Bearer "+bearer), 200, ""},
		{"a token, in small letters", header("Authorization", "bearer  "+bearer), 200, ""},
		{"a wrong token", header("Authorization", "Bearer x"), 401, "token.unknown"},
		{"an empty token", header("Authorization", "Bearer"), 401, "token.unknown"},
		{"a session's secret as a token", header("Authorization", "Bearer "+cookie), 401, "token.unknown"},
		{"a token's secret as a cookie", header("Cookie", "banyan_session="+bearer), 401, "session.required"},
		{"a password in the header", header("Authorization", "Basic dXNlcjE6Y29ycmVjdCBob3JzZQ=="), 401, "token.unknown"},
		{"a wrong token and a good cookie", map[string]string{"Authorization": "Bearer x", "Cookie": "banyan_session=" + cookie}, 401, "token.unknown"},
	} {
		rec := s.do(call{method: http.MethodGet, path: "/api/me", header: tt.header})
		if rec.Code != tt.status || tt.code != "" && problemOf(t, rec) != tt.code {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
	}
	// An ended session is nobody where nobody may come, too.
	if rec := s.do(call{method: http.MethodGet, path: "/api/courses", cookie: "ended"}); rec.Code != 200 {
		t.Errorf("the catalogue with an ended session: %d", rec.Code)
	}
	in := "/api/institutions/" + string(s.b.ID)
	for _, c := range []call{
		{method: http.MethodGet, path: in + "/members"},
		{method: http.MethodGet, path: in + "/enrollments"},
		{method: http.MethodGet, path: in + "/credentials"},
		{method: http.MethodPost, path: in + "/course-versions", body: "x", contentType: "application/zip"},
		{method: http.MethodPost, path: "/api/institutions", body: `{}`},
		{method: http.MethodPost, path: "/api/statements", body: `[]`},
	} {
		if rec := s.do(c); rec.Code != 401 || problemOf(t, rec) != "session.required" {
			t.Errorf("nobody: %s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
		if rec := s.do(s.as("learner A", c)); strings.HasPrefix(c.path, in) && rec.Code != 403 {
			t.Errorf("a learner of A: %s %s: %d %s", c.method, c.path, rec.Code, rec.Body)
		}
	}
}

func TestNotModified(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	e := s.enroll("learner A")
	_, cookie := s.session("learner A")
	v, err := s.app.Curriculum.FindLatest(t.Context(), shipped)
	if err != nil {
		t.Fatal(err)
	}
	progress := "/api/enrollments/" + string(e.ID) + "/progress"
	get := func(path, tag string) *httptest.ResponseRecorder {
		c := call{method: http.MethodGet, path: path, cookie: cookie}
		if tag != "" {
			c.header = map[string]string{"If-None-Match": tag}
		}
		return s.do(c)
	}
	for _, path := range []string{"/api/courses", "/api/courses/" + shipped, "/api/blobs/" + string(v.Manifest.Modules[0].Items[0].Fragment["en"]), progress} {
		first := get(path, "")
		tag := first.Header().Get("ETag")
		if first.Code != 200 || len(tag) < 4 {
			t.Fatalf("%s: %d %v", path, first.Code, first.Header())
		}
		for _, same := range []string{tag, "W/" + tag, "*", `"x", ` + tag} {
			if rec := get(path, same); rec.Code != 304 || rec.Body.Len() != 0 || rec.Header().Get("ETag") != tag {
				t.Errorf("%s with %s: %d, %d bytes", path, same, rec.Code, rec.Body.Len())
			}
		}
		for _, other := range []string{`"x"`, tag[:len(tag)-2] + `"`, strings.Trim(tag, `"`)} {
			if rec := get(path, other); rec.Code != 200 || rec.Body.String() != first.Body.String() {
				t.Errorf("%s with %s: %d", path, other, rec.Code)
			}
		}
	}
	// Every change that a reader could see changes the tag.
	tags := map[string]string{}
	note := func(what string) {
		t.Helper()
		rec := get(progress, "")
		tag := rec.Header().Get("ETag")
		if old, ok := tags[tag]; ok {
			t.Errorf("%s: the tag is that of %s", what, old)
		}
		tags[tag] = what
	}
	note("nothing")
	for _, st := range []string{
		statement(v7(), string(e.ID)),
		strings.Replace(statement(v7(), string(e.ID)), "started", "completed", 1),
	} {
		s.mustDo(call{method: http.MethodPost, path: "/api/statements", body: "[" + st + "]", cookie: cookie})
		note(st)
	}
	// A second server's clock may be behind: the last change stays, and the tag changes all the same.
	half, full := 0.5, 1.0
	behind := e.CreatedAt.Add(-1)
	for i, p := range []learning.Progress{
		{ObjectID: "a-quiz", Attempts: 1, Score: &half}, {ObjectID: "a-quiz", Score: &full}, {ObjectID: "a-quiz", Completed: true}, {ObjectID: "a-quiz", Attempts: 1},
	} {
		p.EnrollmentID, p.UpdatedAt = e.ID, behind
		if err := s.app.DB.Learning().MergeProgress(t.Context(), []learning.Progress{p}); err != nil {
			t.Fatal(err)
		}
		note("change " + string(rune('a'+i)))
	}
	// A refusal is never "not modified".
	if rec := get("/api/courses/nothing", "*"); rec.Code != 404 {
		t.Errorf("%d", rec.Code)
	}
}

// TestRepeats: what a client sends again, because it did not hear the answer, does nothing more.
func TestRepeats(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	_, cookie := s.session("learner A")
	id := v7()
	enroll := func(id string) (int, openapi.Enrollment) {
		t.Helper()
		rec := s.do(call{method: http.MethodPost, path: "/api/enrollments", body: `{"id":"` + id + `","course_id":"` + shipped + `"}`, cookie: cookie})
		return rec.Code, decode[openapi.Enrollment](t, rec)
	}
	code, first := enroll(id)
	if code != 201 || first.ID != id {
		t.Fatalf("%d %+v", code, first)
	}
	for _, again := range []string{id, v7()} {
		if code, e := enroll(again); code != 200 || e.ID != first.ID || e.VersionID != first.VersionID {
			t.Errorf("again: %d %+v", code, e)
		}
	}
	// Another's id is nobody else's.
	rec := s.do(s.as("other learner A", call{method: http.MethodPost, path: "/api/enrollments", body: `{"id":"` + id + `","course_id":"` + shipped + `"}`}))
	if rec.Code != 409 || problemOf(t, rec) != "enrollment.id_taken" {
		t.Errorf("another with the same id: %d %s", rec.Code, rec.Body)
	}

	submission := v7()
	hand := func(body string) (int, string) {
		t.Helper()
		rec := s.do(call{method: http.MethodPost, path: "/api/submissions", body: body, cookie: cookie})
		return rec.Code, rec.Body.String()
	}
	code, one := hand(submissionBody(submission, id))
	if code != 202 {
		t.Fatal(code, one)
	}
	if code, two := hand(submissionBody(submission, id)); code != 200 || two != one {
		t.Errorf("again: %d %s, first %s", code, two, one)
	}
	if code, body := hand(strings.Replace(submissionBody(submission, id), "print(1)", "print(2)", 1)); code != 409 {
		t.Errorf("the same id with other code: %d %s", code, body)
	}
	list := decode[openapi.SubmissionList](t, s.do(call{method: http.MethodGet, path: "/api/submissions?lab_id=nearest-leaf&enrollment_id=" + id, cookie: cookie}))
	if len(list.Items) != 1 {
		t.Errorf("%d submissions", len(list.Items))
	}
	jobs, err := s.app.DB.Outbox().Claim(t.Context(), job.Housekeeping, 10, 1)
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}

	// Roles and revocations are states, not steps.
	role := "/api/institutions/" + string(s.a.ID) + "/members/" + string(s.people["learner A"].ID) + "/roles/trainer"
	for _, method := range []string{http.MethodPut, http.MethodPut, http.MethodDelete, http.MethodDelete} {
		if rec := s.do(s.as("admin A", call{method: method, path: role})); rec.Code != 204 {
			t.Errorf("%s: %d", method, rec.Code)
		}
	}
}

// TestPinnedVersion: who has begun keeps their version when a new one is published.
func TestPinnedVersion(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	e := s.enroll("learner A")
	if rec := s.do(s.as("trainer A", call{method: http.MethodPost, path: "/api/institutions/" + string(s.a.ID) + "/course-versions", body: changedZip(t), contentType: "application/zip"})); rec.Code != 201 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	numbers := func(name string) (enrolled, progress int) {
		t.Helper()
		_, cookie := s.session(name)
		rec := s.do(call{method: http.MethodPost, path: "/api/enrollments", body: `{"course_id":"` + shipped + `"}`, cookie: cookie})
		got := decode[openapi.Enrollment](t, rec)
		p := decode[openapi.Progress](t, s.do(call{method: http.MethodGet, path: "/api/enrollments/" + got.ID + "/progress", cookie: cookie}))
		return got.Number, p.Number
	}
	if a, b := numbers("learner A"); a != 1 || b != 1 {
		t.Errorf("who began before: %d %d", a, b)
	}
	if a, b := numbers("other learner A"); a != 2 || b != 2 {
		t.Errorf("who begins now: %d %d", a, b)
	}
	if v, err := s.app.Curriculum.FindVersion(t.Context(), e.VersionID); err != nil || v.Number != 1 {
		t.Errorf("%d %v", v.Number, err)
	}
	for path, want := range map[string]int{"": 2, "?version=1": 1, "?version=2": 2} {
		if v := decode[openapi.CourseVersion](t, s.do(call{method: http.MethodGet, path: "/api/courses/" + shipped + path})); v.Number != want {
			t.Errorf("%s: version %d", path, v.Number)
		}
	}
}

// TestForwarded: only our own proxies say where somebody comes from; a stranger's word would undo the throttle.
func TestForwarded(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	for _, tt := range []struct {
		name, proxies, header, key string
	}{
		{"no proxy of ours", "", "203.0.113.9", "addr:192.0.2.1"},
		{"our proxy", "192.0.2.0/24", "203.0.113.9", "addr:203.0.113.9"},
		{"our proxy, and a lie before it", "192.0.2.0/24", "10.0.0.1, 203.0.113.9", "addr:203.0.113.9"},
		{"two of ours", "192.0.2.0/24,10.0.0.0/8", "203.0.113.9, 10.0.0.1", "addr:203.0.113.9"},
		{"another's proxy", "198.51.100.0/24", "203.0.113.9", "addr:192.0.2.1"},
		{"nonsense", "192.0.2.0/24", "'; DROP TABLE users", "addr:192.0.2.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, key := range []string{tt.key, "user:nobody"} {
				if err := s.app.DB.Identity().ClearFailures(t.Context(), key); err != nil {
					t.Fatal(err)
				}
			}
			s.reopen(func(srv *rest.Server) {
				for p := range strings.SplitSeq(tt.proxies, ",") {
					if p != "" {
						srv.Proxies = append(srv.Proxies, netip.MustParsePrefix(p))
					}
				}
			})
			s.do(call{
				method: http.MethodPost, path: "/api/sessions", body: `{"username":"nobody","password":"wrong"}`,
				header: map[string]string{"X-Forwarded-For": tt.header, "X-Real-Ip": "1.1.1.1", "Forwarded": "for=1.1.1.1"},
			})
			if got, err := s.app.DB.Identity().FindThrottle(t.Context(), tt.key); err != nil || got.Failures != 1 {
				t.Errorf("%s: %+v, %v", tt.key, got, err)
			}
		})
	}
}

// TestThrottledSignIn: the wait is said to people and to programs.
func TestThrottledSignIn(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	try := func() *httptest.ResponseRecorder {
		return s.do(call{method: http.MethodPost, path: "/api/sessions", body: `{"username":"user1","password":"wrong"}`, header: map[string]string{"Accept-Language": "ar"}})
	}
	for range 5 {
		if rec := try(); rec.Code != 401 || problemOf(t, rec) != "session.wrong_credentials" {
			t.Fatalf("%d %s", rec.Code, rec.Body)
		}
	}
	rec := try()
	p := decode[openapi.Problem](t, rec)
	if rec.Code != 429 || p.Code != "session.throttled" || p.RetryAfter == nil || *p.RetryAfter < 1 || rec.Header().Get("Retry-After") == "" || !arabic.MatchString(*p.Detail) {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
}

func TestSignupClosed(t *testing.T) {
	t.Parallel()
	s := newSchool(t)
	s.reopen(func(srv *rest.Server) { srv.SignupOpen = false })
	rec := s.do(call{method: http.MethodPost, path: "/api/users", body: `{"username":"new-one","display_name":"New","password":"correct horse"}`})
	if rec.Code != 403 || problemOf(t, rec) != "user.signup_closed" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

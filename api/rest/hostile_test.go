package rest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/banyan-lms/banyan/api/openapi"
	"github.com/banyan-lms/banyan/internal/store/storetest"
)

// stranger sends what no page of ours sends, and watches what is left of it.
type stranger struct {
	*school
	read   func() map[string][]string
	asked  int
	before map[string][]string
}

func newStranger(t *testing.T) *stranger {
	t.Helper()
	sc := newSchool(t)
	return &stranger{school: sc, read: storetest.Watch(t, filepath.Join(sc.app.Config.DataDir, "banyan.db"))}
}

// contents is everything stored but the count of failed sign-ins, which is meant to grow.
func (s *stranger) contents() map[string][]string {
	s.Helper()
	all := s.read()
	delete(all, "sign_in_failures")
	if len(all) < 10 || len(all["users"]) == 0 {
		s.Fatalf("contents of %d tables: this test looks in the wrong place", len(all))
	}
	return all
}

// ask makes a call, in Arabic every other time, and holds a refusal to what a refusal must be.
func (s *stranger) ask(what string, c call) *httptest.ResponseRecorder {
	s.Helper()
	locale := []string{"en", "ar"}[s.asked%2]
	s.asked++
	c.header = maps.Clone(c.header)
	if c.header == nil {
		c.header = map[string]string{}
	}
	c.header["Accept-Language"] = locale
	rec := s.do(c)
	if rec.Code >= 500 {
		s.Errorf("%s: %d %s", what, rec.Code, rec.Body)
	}
	if rec.Code >= 400 {
		s.checkProblem(what, rec, locale)
	}
	return rec
}

// innards are words that only our libraries say.
var innards = regexp.MustCompile(`(?i)sqlite|constraint|unmarshal|schema|openapi|strconv|panic|goroutine|gorm|pgx|EOF|invalid character|no such table|` +
	`github\.com|runtime error|regular expression|doesn't match|code=|message=|INSERT|SELECT |<nil>|%!|\{\{`)

var arabic = regexp.MustCompile(`\p{Arabic}`)

// checkProblem holds an answer to RFC 9457 as the contract has it.
func (s *stranger) checkProblem(what string, rec *httptest.ResponseRecorder, locale string) openapi.Problem {
	s.Helper()
	p := decode[openapi.Problem](s, rec)
	h := rec.Header()
	if h.Get("Content-Type") != "application/problem+json" || h.Get("Cache-Control") != "no-store" || h.Get("Content-Language") != locale {
		s.Errorf("%s: headers %v", what, h)
	}
	if p.Status != rec.Code || p.RequestID == "" || p.RequestID != h.Get("X-Request-Id") || p.Type != "about:blank" {
		s.Errorf("%s: %+v", what, p)
	}
	say := func(key, text string) {
		s.Helper()
		switch {
		case text == "" || text == key:
			s.Errorf("%s: %s has no words", what, key)
		case innards.MatchString(text):
			s.Errorf("%s: %s shows our innards: %s", what, key, text)
		case arabic.MatchString(text) != (locale == "ar"):
			s.Errorf("%s: %s is not in %s: %s", what, key, locale, text)
		}
	}
	say(p.Code, p.Title)
	if p.Detail == nil {
		s.Errorf("%s: %s has no detail", what, p.Code)
		return p
	}
	say(p.Code, *p.Detail)
	if p.Errors == nil {
		return p
	}
	for _, e := range *p.Errors {
		say(e.Code, e.Detail)
		if (e.File == nil) == (e.Pointer == nil) || e.Line != nil && e.File == nil {
			s.Errorf("%s: a place must be a pointer or a file: %+v", what, e)
		}
	}
	return p
}

// refused makes a call that must be refused, and nothing must be left of it.
func (s *stranger) refused(what string, c call, status ...int) openapi.Problem {
	s.Helper()
	if s.before == nil {
		s.before = s.contents()
	}
	rec := s.ask(what, c)
	if rec.Code < 400 || len(status) > 0 && !slices.Contains(status, rec.Code) {
		s.Errorf("%s: %d, want %v: %s", what, rec.Code, status, rec.Body)
	}
	after := s.contents()
	if !reflect.DeepEqual(after, s.before) {
		for name := range after {
			if !reflect.DeepEqual(after[name], s.before[name]) {
				s.Errorf("%s: %d and yet %s changed", what, rec.Code, name)
			}
		}
		s.before = after
	}
	var p openapi.Problem
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	return p
}

// tried makes a call that may be taken or refused: whatever is refused leaves nothing.
func (s *stranger) tried(what string, c call) *httptest.ResponseRecorder {
	s.Helper()
	if s.before == nil {
		s.before = s.contents()
	}
	rec := s.ask(what, c)
	after := s.contents()
	if rec.Code >= 400 && !reflect.DeepEqual(after, s.before) {
		s.Errorf("%s: %d and yet something was stored", what, rec.Code)
	}
	if len(after) != len(s.before) || len(after["users"]) < len(s.before["users"]) {
		s.Errorf("%s: tables or people are gone", what)
	}
	s.before = after
	return rec
}

// operation is one operation of the contract with a JSON body.
type operation struct {
	*openapi3.Operation
	name  string // who may
	build func() call
}

func (s *stranger) operations() map[string]operation {
	s.Helper()
	probe := probes(s.school)
	cookies := map[string]string{}
	out := map[string]operation{}
	for _, item := range s.doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.OperationID == "eraseMe" {
				continue // whoever is taken at their word here makes no further call; its body is that of a sign-in
			}
			if op.RequestBody == nil || op.RequestBody.Value.Content.Get("application/json") == nil {
				continue
			}
			var name string
			for _, n := range []string{"learner A", "admin A", "operator"} {
				if allowed(permission(op), n) {
					name = n
					break
				}
			}
			if cookies[name] == "" {
				_, cookies[name] = s.session(name)
			}
			// Guesses at the password are throttled; here every try is looked at.
			user := "user:" + s.people[name].Username
			out[op.OperationID] = operation{op, name, func() call {
				if err := s.app.DB.Identity().ClearFailures(s.Context(), user); err != nil {
					s.Fatal(err)
				}
				if err := s.app.DB.Identity().ClearFailures(s.Context(), "signup:192.0.2.1"); err != nil {
					s.Fatal(err)
				}
				c := probe[op.OperationID]()
				c.cookie = cookies[name]
				return c
			}}
		}
	}
	if len(out) < 33 {
		s.Errorf("%d operations with a JSON body, there were 33: look whether this test still tries them all", len(out))
	}
	return out
}

// spoilt puts bytes at the beginning of the first text of a body.
func spoilt(body, bytes string) string {
	if strings.Contains(body, `":"`) {
		return strings.Replace(body, `":"`, `":"`+bytes, 1)
	}
	return strings.Replace(body, `["`, `["`+bytes, 1)
}

// TestHostileBodies sends every operation what is no body of it at all.
func TestHostileBodies(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	for id, op := range s.operations() {
		list := id == "appendStatements"
		bad := func(what, body, contentType string, status ...int) openapi.Problem {
			t.Helper()
			c := op.build()
			c.body, c.contentType = body, contentType
			return s.refused(id+", "+what, c, status...)
		}
		good := op.build().body
		const js = "application/json"
		bad("empty", "", js, 400, 422)
		bad("blank", "  \n", js, 400)
		bad("null", "null", js, 422)
		bad("a number", "7", js, 422)
		bad("a text", `"x"`, js, 422)
		bad("true", "true", js, 422)
		if list {
			bad("an object", "{}", js, 422)
			bad("an empty list", "[]", js, 422)
		} else {
			bad("a list", "["+good+"]", js, 422)
			if p := bad("an empty object", "{}", js, 422); p.Errors == nil {
				t.Errorf("%s, an empty object: no places", id)
			}
		}
		bad("cut short", good[:len(good)-2], js, 400)
		bad("something after it", good+"x", js, 400)
		bad("two of them", good+good, js, 400)
		bad("a byte order mark", "\ufeff"+good, js, 400)
		bad("a comment", "/* */"+good, js, 400)
		bad("single quotes", strings.ReplaceAll(good, `"`, `'`), js, 400)
		bad("not a number", strings.Replace(good, `"`, `NaN"`, 1), js, 400)
		bad("UTF-16", "\xff\xfe{\x00}\x00", js, 400)
		bad("bad UTF-8", spoilt(good, "\xc3\x28"), js, 400)
		bad("an overlong NUL", spoilt(good, "\xc0\x80"), js, 400)
		bad("half a surrogate in UTF-8", spoilt(good, "\xed\xa0\x80"), js, 400)
		bad("a bare control character", spoilt(good, "\x01"), js, 400)
		bad("10,000 lists", strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000), js, 422)
		bad("10,000 objects", strings.Repeat(`{"a":`, 10_000)+"1"+strings.Repeat("}", 10_000), js, 422)
		bad("500,000 open lists", strings.Repeat("[", 500_000), js, 400, 422)
		bad("deep in a field", strings.Replace(good, `{"`, `{"zz":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"`, 1), js, 422)
		most := 512 << 10
		if id == "sync" || id == "importWork" {
			most = 1 << 20
		}
		if p := bad("too large", good+strings.Repeat(" ", most), js, 413); p.Code != "request.too_large" {
			t.Errorf("%s, too large: %s", id, p.Code)
		}
		for _, other := range []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/zip", "json", "application/json-patch+json", "*/*", ";"} {
			bad("sent as "+other, good, other, http.StatusUnsupportedMediaType)
		}
		// A header that one reader understands and another does not must not lead around the checks.
		for _, odd := range []string{"application/json; a=1; a=2", "APPLICATION/JSON ;charset", "application/json;;;=", " application/json;charset=utf-7"} {
			bad("deep, sent as "+odd, strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000), odd, 422)
			bad("bad UTF-8, sent as "+odd, spoilt(good, "\xff"), odd, 400)
		}
		form := op.build()
		form.body, form.contentType = "username=user1&password=correct+horse", "application/x-www-form-urlencoded"
		s.refused(id+", a form", form, http.StatusUnsupportedMediaType)
	}
}

// hostile are texts that have broken programs before.
var hostile = map[string]string{
	"SQL":                 `'; DROP TABLE users; --`,
	"more SQL":            `" OR 1=1) UNION SELECT password_hash FROM users --`,
	"a script":            `<script>alert(1)</script>`,
	"an image":            `"><img src=x onerror=alert(1)>`,
	"a template":          `{{.Secret}} ${7*7} %s%n %00`,
	"a path":              `../../../../etc/passwd`,
	"NUL":                 "a\x00b",
	"a lone surrogate":    `"\ud800"`, // raw JSON
	"another half":        `"a\udfffb"`,
	"an override":         "abc\u202edef",
	"a line end":          "abc\r\nSet-Cookie: x=y",
	"escape":              "\x1b[2J\x07",
	"nothing":             "",
	"white space":         " \u00a0\u3000 ",
	"nothing that shows":  "\u200b\u2060\u200d",
	"a replacement":       "\ufffd",
	"70,000 letters":      strings.Repeat("x", 70_000),
	"20,000 letters of 4": strings.Repeat("𝒳", 20_000),
	"marks upon marks":    "a" + strings.Repeat("\u0301", 5_000),
	"a number":            "1e400",
	"the word null":       "null",
	"a prototype":         "__proto__",
}

// TestHostileFields puts what does not belong there into every field of every body.
func TestHostileFields(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	taken := 0
	for id, op := range s.operations() {
		if id == "appendStatements" {
			continue // each statement has an answer of its own: see internal/learning and TestHostileStatements
		}
		schema := op.RequestBody.Value.Content.Get("application/json").Schema.Value
		var good map[string]json.RawMessage
		if err := json.Unmarshal([]byte(op.build().body), &good); err != nil {
			t.Fatal(err)
		}
		s.before = nil // what the operation needs may have been made just now
		send := func(field string, raw string) call {
			t.Helper()
			c := op.build()
			var body map[string]json.RawMessage
			if err := json.Unmarshal([]byte(c.body), &body); err != nil {
				t.Fatal(err)
			}
			if body[field] = json.RawMessage(raw); raw == "" {
				delete(body, field)
			}
			out, err := json.Marshal(body)
			if err != nil {
				t.Fatalf("%s %s: %v", field, raw, err)
			}
			c.body = string(out)
			return c
		}
		places := func(p openapi.Problem) (out []string) {
			if p.Errors != nil {
				for _, e := range *p.Errors {
					if e.Pointer != nil {
						out = append(out, *e.Pointer)
					}
				}
			}
			return out
		}
		p := s.refused(id+" with an unknown field", send("zz", `1`), 422)
		if len(places(p)) == 0 {
			t.Errorf("%s with an unknown field: no place", id)
		}
		for _, field := range slices.Sorted(maps.Keys(schema.Properties)) {
			kind := schema.Properties[field].Value.Type
			p := s.refused(id+" with "+strings.ToUpper(field)+" in capitals", send(strings.ToUpper(field), `"x"`), 422)
			if p.Code != "request.invalid" {
				t.Errorf("%s: %s", id, p.Code)
			}
			if slices.Contains(schema.Required, field) {
				p := s.refused(id+" without "+field, send(field, ""), 422)
				if !slices.Contains(places(p), "/"+field) {
					t.Errorf("%s without %s: places %q", id, field, places(p))
				}
			}
			for _, raw := range []string{`null`, `7`, `1.5`, `-1e400`, `true`, `"x"`, `[]`, `{}`, `[["x"]]`, `{"a":{}}`} {
				var v any
				fits := json.Unmarshal([]byte(raw), &v) == nil
				switch v.(type) {
				case string:
					fits = fits && kind.Is("string")
				case float64:
					fits = fits && (kind.Is("integer") || kind.Is("number"))
				case bool:
					fits = fits && kind.Is("boolean")
				case []any:
					fits = fits && kind.Is("array")
				case map[string]any:
					fits = fits && kind.Is("object")
				default:
					fits = false
				}
				if fits {
					continue // of the right type; whether it is taken, the next part asks
				}
				p := s.refused(id+" with "+field+" "+raw, send(field, raw), 400, 422)
				if at := places(p); p.Status == 422 && !slices.ContainsFunc(at, func(a string) bool { return strings.HasPrefix(a, "/"+field) }) {
					t.Errorf("%s with %s %s: places %q", id, field, raw, at)
				}
			}
			if !kind.Is("string") {
				continue
			}
			for what, text := range hostile {
				raw := text
				if !strings.HasPrefix(text, `"`) || !json.Valid([]byte(text)) {
					b, err := json.Marshal(text)
					if err != nil {
						t.Fatal(err)
					}
					raw = string(b)
				}
				rec := s.tried(fmt.Sprintf("%s with %s in %s", id, what, field), send(field, raw))
				if rec.Code >= 300 {
					continue
				}
				taken++
				var want string
				if err := json.Unmarshal([]byte(raw), &want); err != nil {
					t.Fatal(err)
				}
				if strings.ContainsAny(want, "\x00\x1b\ufffd\u202e\r") && field != "password" && field != "new" && field != "reason" &&
					id != "verifyCredential" { // which answers about anything, and keeps nothing
					t.Errorf("%s took %s in %s", id, what, field)
				}
				if (field == "display_name" || field == "name") && id != "createDevice" { // whose answer holds no name
					if !strings.Contains(unescaped(t, rec), want) {
						t.Errorf("%s took %s in %s and gives %s", id, what, field, rec.Body)
					}
				}
				if bare := rec.Body.String(); strings.Contains(bare, "<script") {
					t.Errorf("%s: markup stands in the JSON: %s", id, bare)
				}
				if rec.Header().Get("X-Content-Type-Options") != "nosniff" && !strings.Contains(rec.Header().Get("Content-Type"), "json") && rec.Code != 204 {
					t.Errorf("%s: %v", id, rec.Header())
				}
			}
		}
		// The last of two wins, for the check as for the service: else one would see what the other does not.
		c := op.build()
		first := slices.Sorted(maps.Keys(good))[0]
		c.body = strings.Replace(c.body, `{"`, `{"`+first+`":{"x":[]},"`, 1)
		s.tried(id+" with "+first+" twice, the first one wrong", c)
		c = op.build()
		c.body = strings.TrimSuffix(c.body, "}") + `,"` + first + `":{"x":{"y":[]}}}`
		s.refused(id+" with "+first+" twice, the last one wrong", c, 422)
	}
	if taken < 20 {
		t.Errorf("only %d hostile texts were taken: free text should be free", taken)
	}
}

// unescaped gives every text of a JSON answer.
func unescaped(t *testing.T, rec *httptest.ResponseRecorder) string {
	t.Helper()
	var out strings.Builder
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out.WriteString(v + "\n")
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(decode[any](t, rec))
	return out.String()
}

// TestHostileSubmissions: source code is free text, but its name and size are not.
func TestHostileSubmissions(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	e := s.enroll("other learner A")
	_, cookie := s.session("other learner A")
	with := func(files map[string]string) call {
		raw, err := json.Marshal(map[string]any{"id": v7(), "enrollment_id": e.ID, "lab_id": "nearest-leaf", "files": files})
		if err != nil {
			t.Fatal(err)
		}
		return call{method: http.MethodPost, path: "/api/submissions", body: string(raw), cookie: cookie}
	}
	for _, name := range []string{"../main.py", "/main.py", "MAIN.PY", "main.py\x00", "lab.yaml", "", "a/~b"} {
		s.refused("file "+name, with(map[string]string{name: "x"}), 422)
	}
	s.refused("no file", with(map[string]string{}), 422)
	s.refused("two files", with(map[string]string{"main.py": "x", "other.py": "y"}), 422)
	s.refused("NUL", with(map[string]string{"main.py": "a\x00b"}), 422)
	s.refused("too long", with(map[string]string{"main.py": strings.Repeat("x", 65537)}), 413, 422)
	s.refused("too many bytes", with(map[string]string{"main.py": strings.Repeat("é", 40_000)}), 413, 422)
	many := map[string]string{}
	for i := range 9 {
		many[fmt.Sprint(i)] = "x"
	}
	s.refused("nine files", with(many), 422)
	for what, text := range hostile {
		if strings.ContainsAny(text, "\x00") || len(text) > 60_000 || strings.Contains(text, `"\u`) || strings.Contains(text, `\ud`) {
			continue
		}
		rec := s.tried("source of "+what, with(map[string]string{"main.py": text}))
		if rec.Code != http.StatusAccepted || decode[openapi.Submission](t, rec).Files["main.py"] != text {
			t.Errorf("source of %s: %d %s", what, rec.Code, rec.Body)
		}
	}
}

// TestHostileStatements: one bad statement never costs the others, whatever is in it.
func TestHostileStatements(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	e := s.enroll("learner A")
	_, cookie := s.session("learner A")
	item := func(field, raw string) string {
		good := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(statement(v7(), string(e.ID))), &good); err != nil {
			t.Fatal(err)
		}
		good[field] = json.RawMessage(raw)
		out, err := json.Marshal(good)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	var items []string
	for _, field := range []string{"id", "enrollment_id", "verb", "object_id", "at", "responses", "zz"} {
		for _, raw := range []string{`7`, `true`, `"x"`, `[]`, `[{}]`, `"\ud800"`, `"\u0000"`, `1e999`} {
			items = append(items, item(field, raw))
		}
		for _, text := range hostile {
			if raw, err := json.Marshal(text); err == nil && len(text) < 1000 {
				items = append(items, item(field, string(raw)))
			}
		}
	}
	items = append(items, `7`, `"x"`, `[]`, `{}`, statement(v7(), string(e.ID)))
	rec := s.ask("hostile statements", call{method: http.MethodPost, path: "/api/statements", body: "[" + strings.Join(items, ",") + "]", cookie: cookie})
	if rec.Code != http.StatusOK {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	answers := decode[openapi.StatementAnswers](t, rec).Answers
	if len(answers) != len(items) {
		t.Fatalf("%d answers to %d statements", len(answers), len(items))
	}
	for i, a := range answers {
		if last := i == len(items)-1; last != (a.Status == openapi.StatementAnswerStatusAccepted) {
			t.Errorf("%s: %+v", items[i], a)
			continue
		}
		if a.Status == openapi.StatementAnswerStatusAccepted {
			continue
		}
		if a.Code == nil || a.Detail == nil || a.Pointer == nil || innards.MatchString(*a.Detail) || *a.Detail == *a.Code {
			t.Errorf("%s: %+v", items[i], a)
		}
	}
	if list, err := s.app.Learning.ListStatements(t.Context(), s.actor("learner A"), 0, 100); err != nil || len(list) != 1 {
		t.Errorf("stored %d, %v", len(list), err)
	}
	// Read back in the reader's language.
	c := call{method: http.MethodPost, path: "/api/statements", body: `[{}]`, cookie: cookie, header: map[string]string{"Accept-Language": "ar"}}
	if a := decode[openapi.StatementAnswers](t, s.do(c)).Answers[0]; a.Detail == nil || !arabic.MatchString(*a.Detail) {
		t.Errorf("%+v", a)
	}
}

// TestHostileAddresses tampers with paths, cursors, limits and ids.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	s := newStranger(t)
	probe := probes(s.school)
	_, operator := s.session("operator")
	_, owner := s.session("learner A")
	s.before = nil
	lists := 0
	for _, item := range s.doc.Paths.Map() {
		for method, op := range item.Operations() {
			if method != http.MethodGet || op.Parameters.GetByInAndName("query", "cursor") == nil {
				continue
			}
			lists++
			for _, cursor := range []string{"%%%", "%00", "!", "====", "%ff", "AAAA", "JyBPUiAxPTEgLS0", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "Li4vLi4vZXRj", strings.Repeat("A", 201), strings.Repeat("A", 10_000)} {
				c := probe[op.OperationID]()
				c.cookie = operator
				c.path += map[bool]string{true: "&", false: "?"}[strings.Contains(c.path, "?")] + "cursor=" + cursor
				if cursor == "%%%" { // no address at all
					continue
				}
				p := s.refused(op.OperationID+" with cursor "+cursor[:min(len(cursor), 40)], c, 422)
				if p.Errors == nil || (*p.Errors)[0].Pointer == nil || *(*p.Errors)[0].Pointer != "#query/cursor" {
					t.Errorf("%s with cursor %.40s: %+v", op.OperationID, cursor, p.Errors)
				}
			}
			for _, limit := range []string{"0", "-1", "201", "x", "1.5", "1e2", "99999999999999999999", "%00", "10%3BDROP"} {
				c := probe[op.OperationID]()
				c.cookie = operator
				c.path += map[bool]string{true: "&", false: "?"}[strings.Contains(c.path, "?")] + "limit=" + limit
				p := s.refused(op.OperationID+" with limit "+limit, c, 422)
				if p.Errors == nil || *(*p.Errors)[0].Pointer != "#query/limit" {
					t.Errorf("%s with limit %s: %+v", op.OperationID, limit, p.Errors)
				}
			}
		}
	}
	if lists < 8 {
		t.Errorf("%d lists", lists)
	}
	get := func(path string) call { return call{method: http.MethodGet, path: path, cookie: owner} }
	for _, tt := range []struct {
		path   string
		status int
	}{
		{"/api/courses/UPPER", 422},
		{"/api/courses/..%2f..%2fetc", 422},
		{"/api/courses/a%00b", 422},
		{"/api/courses/%ff%fe", 422},
		{"/api/courses/nothing", 404},
		{"/api/courses/" + shipped + "?version=0", 422},
		{"/api/courses/" + shipped + "?version=99999999999999999999", 422},
		{"/api/courses/" + shipped + "?version=77", 404},
		{"/api/blobs/sha256:00", 422},
		{"/api/blobs/sha256:" + strings.Repeat("0", 64), 404},
		{"/api/blobs/..%2fbanyan.db", 422},
		{"/api/enrollments/nonsense/progress", 422},
		{"/api/enrollments/" + v7() + "/progress", 404},
		{"/api/enrollments/" + strings.ToUpper(v7()) + "/progress", 422},
		{"/api/submissions/" + v7() + "?wait=26", 422},
		{"/api/submissions/" + v7() + "?wait=-1", 422},
		{"/api/submissions/" + v7() + "?wait=25", 404},
		{"/api/submissions?lab_id=nearest-leaf", 422},
		{"/api/credentials/" + v7(), 404},
		{"/api/credentials/" + v7() + "/standing", 404},
		{"/api/status-lists/" + v7(), 404},
		{"/api/nothing", 404},
		{"/api/nothing/at/all", 404},
		{"/api/", 404},
	} {
		s.refused(tt.path, get(tt.path), tt.status)
	}
	s.refused("a session that is no id", call{method: http.MethodDelete, path: "/api/sessions/x", cookie: owner}, 422)
	s.refused("another's session", call{method: http.MethodDelete, path: "/api/sessions/" + v7(), cookie: owner}, 404)
	s.refused("no such role", call{method: http.MethodPut, path: "/api/institutions/" + string(s.a.ID) + "/members/" + string(s.people["learner A"].ID) + "/roles/operator", cookie: operator}, 422)
	s.refused("no such institution", call{method: http.MethodPost, path: "/api/institutions/" + v7() + "/course-versions", body: "x", contentType: "application/zip", cookie: operator}, 404)
	s.refused("a method of nothing", call{method: http.MethodDelete, path: "/api/courses", cookie: owner}, 404, 405)
	s.refused("TRACE", call{method: http.MethodTrace, path: "/api/me", cookie: owner}, 404, 405)
	// A cursor of ours that points at nothing, or at another list's record, is merely a place.
	first := decode[openapi.CourseList](t, s.do(call{method: http.MethodGet, path: "/api/courses?limit=1"}))
	if first.Next != nil {
		s.do(call{method: http.MethodGet, path: "/api/courses?cursor=" + *first.Next})
	}
}

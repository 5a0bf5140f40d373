package web

import (
	"bytes"
	"context"
	"errors"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
)

func TestVerify(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 9, 30, 0, 0, time.UTC) }
	day := func(n int) *time.Time { d := at(n); return &d }
	claims := credential.Claims{
		ID:   "https://learn.example/verify/its-id",
		Name: "Ada <b>Byron</b>", Achievement: "AI & you", IssuerName: "Demo school", IssuedAt: at(5),
		Version: "3", Assessment: credential.OnSite, AIHelp: credential.SomeHelp, Score: "92.5",
	}
	expiring := claims
	expiring.ExpiresAt = day(7)
	row := func(id string) credential.Credential {
		return credential.Credential{ID: credential.ID(id), CourseID: "small", Name: "row's name", IssuedAt: at(1)}
	}
	revoked := row("revoked")
	revoked.RevokedAt, revoked.RevokedReason = day(8), "Somebody else <i>took</i> the labs"
	suspended := row("suspended")
	suspended.SuspendedAt, suspended.SuspendedReason = day(8), "The name is <asked> about"
	reg := registry{
		"suspended": {State: credential.Suspended, Credential: suspended, Claims: claims, CheckedAt: at(9)},
		"valid":     {State: credential.Valid, Credential: row("valid"), Claims: claims, CheckedAt: at(9)},
		"revoked":   {State: credential.Revoked, Credential: revoked, Claims: claims, CheckedAt: at(9)},
		"expired":   {State: credential.Expired, Credential: row("expired"), Claims: expiring, CheckedAt: at(9)},
		"invalid":   {State: credential.Invalid, Credential: row("invalid"), CheckedAt: at(9)},
		"stolen":    {State: credential.Invalid, Credential: row("stolen"), CheckedAt: at(9), RevokedKey: &keyring.Key{RevokedAt: day(4), RevokedReason: "Disk <stolen>"}},
	}
	gone, nobody := row("erased"), claims
	gone.ErasedAt, gone.Name, nobody.Name = day(8), "", ""
	reg["erased"] = credential.Standing{State: credential.Valid, Credential: gone, Claims: nobody, CheckedAt: at(9)}
	w := open(t, func(c *Config) { c.Credentials = reg }, course("Small", nil))
	tests := []struct {
		id, locale string
		want, none []string
	}{
		{"valid", "en", []string{"Valid", "The signature is genuine", "Demo school", "This certificate belongs to Ada <b>Byron</b>", "AI & you", "5 March 2026", "9 March 2026, 09:30 UTC", "Small", "Course version3", "Assessmentsupervised, on site", "Help by AIsome, as declared", "Score92.5%", "check this certificate at https://learn.example/verify/its-id"}, []string{"Revoked", "Expired", "row's name"}},
		{"valid", "ar", []string{"صالحة", "التوقيع صحيح", "Demo school", "Ada <b>Byron</b>", "5 مارس 2026"}, []string{"Valid"}},
		{"revoked", "en", []string{"Revoked", "took it back", "Revoked on 8 March 2026", "Reason given: Somebody else <i>took</i> the labs"}, []string{"The signature is genuine"}},
		{"revoked", "ar", []string{"ملغاة", "8 مارس 2026", "السبب المذكور: Somebody else <i>took</i> the labs"}, nil},
		{"suspended", "en", []string{"Suspended", "the credential does not count", "Suspended on 8 March 2026", "Reason given: The name is <asked> about", "Ada <b>Byron</b>"}, []string{"is genuine", "Revoked"}},
		{"suspended", "ar", []string{"موقوفة", "8 مارس 2026", "The name is <asked> about"}, nil},
		{"expired", "en", []string{"Expired", "valid only until the date shown", "Valid until 7 March 2026"}, []string{"Revoked"}},
		{"expired", "ar", []string{"منتهية", "7 مارس 2026"}, nil},
		{"erased", "en", []string{"Valid", "The holder’s account was erased", "AI & you", "5 March 2026"}, []string{"Ada", "row's name", "belongs to", "—"}},
		{"invalid", "en", []string{"Not valid", "Do not rely on it"}, []string{"row's name", "Ada", "Small", "is genuine"}},
		{"stolen", "en", []string{"Not valid", "was revoked from 4 March 2026 on: Disk <stolen>"}, []string{"row's name"}},
		{"stolen", "ar", []string{"4 مارس 2026", "Disk <stolen>"}, []string{"row's name"}},
		{"invalid", "ar", []string{"غير صالحة"}, []string{"row's name"}},
	}
	for _, tt := range tests {
		for _, address := range []string{"/" + tt.locale + "/verify/" + tt.id, "/verify/" + tt.id} {
			body, doc := w.read(address, "Accept-Language", tt.locale)
			checkPage(t, address, body, doc, tt.locale)
			shown := textOf(all(doc, "main")[0])
			// <dt> and <dd> stand apart on the screen.
			shown = strings.NewReplacer("Valid until7", "Valid until 7", "Revoked on8", "Revoked on 8", "Suspended on8", "Suspended on 8").Replace(shown)
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
			if !strings.Contains(body, `href="/api/credentials/`+tt.id+`"`) || !strings.Contains(body, "noindex") {
				t.Errorf("%s: the signed file cannot be had, or search engines keep a person's name", address)
			}
			// The code for who prints the page tells no more than the page does, and what is not genuine has none.
			named, other := map[string]string{"invalid": "", "stolen": "", "erased": "name=0"}[tt.id]
			if !other {
				named = "name=1"
			}
			if got := strings.Contains(body, `src="/api/credentials/`+tt.id+"/code.svg?"+named+`"`); got != (named != "") || !got && strings.Contains(body, "code.svg") {
				t.Errorf("%s: the code to print is not %q", address, named)
			}
			res, _ := w.get(address)
			if res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s may be kept: %v", address, res.Header)
			}
		}
	}
	// The certificate is in its own language, the title of the course in its course's.
	inArabic := claims
	inArabic.Locale, inArabic.Achievement = "ar", "أوراق"
	reg["arabic"] = credential.Standing{State: credential.Valid, Credential: row("arabic"), Claims: inArabic, CheckedAt: at(9)}
	for _, tt := range []struct{ at, want string }{
		{"/en/verify/arabic", "certificate-for ar rtl, certificate-course  "},
		{"/ar/verify/arabic", "certificate-for  , certificate-course en ltr"},
	} {
		_, doc := w.read(tt.at)
		var got []string
		for _, p := range all(doc, "p") {
			if class := value(p, "class"); class == "certificate-for" || class == "certificate-course" {
				got = append(got, class+" "+value(p, "lang")+" "+value(p, "dir"))
			}
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.at, got, tt.want)
		}
	}
	if _, doc := w.read("/verify/valid", "Cookie", LocaleCookie+"=ar", "Accept-Language", "en"); value(all(doc, "html")[0], "lang") != "ar" {
		t.Error("the reader's choice does not count")
	}
	res, _ := w.get("/verify/valid")
	if vary := strings.Join(res.Header.Values("Vary"), ", "); !strings.Contains(vary, "Accept-Language") || !strings.Contains(vary, "Cookie") || !strings.Contains(vary, "Accept-Encoding") {
		t.Errorf("Vary %q", vary)
	}
}

// checker is a verifier of tests: it says what it is told to, and keeps what it was given.
type checker struct {
	says    verifier.Report
	err     error
	got     []byte
	offline bool
}

func (c *checker) Verify(_ context.Context, in []byte, o verifier.Options) (verifier.Report, error) {
	c.got, c.offline = bytes.Clone(in), o.Offline
	return c.says, c.err
}

// post sends the form as a browser does.
func (w *world) post(locale string, fields map[string]string, file []byte) *httptest.ResponseRecorder {
	w.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for k, v := range fields {
		if err := form.WriteField(k, v); err != nil {
			w.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "badge.png")
	if err != nil {
		w.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		w.Fatal(err)
	}
	if err := form.Close(); err != nil {
		w.Fatal(err)
	}
	req := httptest.NewRequestWithContext(w.Context(), http.MethodPost, "/"+locale+"/verify", &body)
	req.Header.Set("Content-Type", form.FormDataContentType())
	rec := httptest.NewRecorder()
	w.echo.ServeHTTP(rec, req)
	return rec
}

// Anybody may have any credential checked in a form, without a script.
func TestVerifyForm(t *testing.T) {
	at := time.Date(2026, 3, 9, 9, 30, 0, 0, time.UTC)
	c := &checker{}
	tries := 0
	var slowed error
	w := open(t, func(cfg *Config) {
		cfg.Verifier = c
		cfg.Admit = func(*http.Request) error {
			tries++
			return slowed
		}
	}, course("Small", nil))
	for _, locale := range []string{"en", "ar"} {
		body, doc := w.read("/" + locale + "/verify")
		checkPage(t, "/"+locale+"/verify", body, doc, locale)
		form := all(doc, "form")[0]
		if value(form, "method") != "post" || value(form, "enctype") != "multipart/form-data" || value(form, "action") != "/"+locale+"/verify" || strings.Contains(body, "noindex") {
			t.Errorf("the form: %s", body)
		}
	}
	if res, _ := w.get("/verify", "Accept-Language", "ar"); res.StatusCode != http.StatusFound || res.Header.Get("Location") != "/ar/verify" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	c.says = verifier.Report{
		State: verifier.Unknown, Format: verifier.JSON, CheckedAt: at, Reasons: []verifier.Reason{{Code: verifier.OldStatus, Args: map[string]any{"Date": at.AddDate(0, 0, -9)}}},
		Notes: []verifier.Reason{{Code: verifier.Stranger, Args: map[string]any{"Source": "https://x.example/<b>"}}},
		Claims: verifier.Claims{Issuer: "did:web:x.example", IssuerName: "X & <i>Y</i>", Name: "Ada <b>Byron</b>", Achievement: "AI", Language: "no such language", Narrative: "All labs", ValidFrom: at.AddDate(-1, 0, 0), Results: []verifier.Result{
			{Type: "ext:AssessmentLevel", Name: "nivel", Value: "supervised"},
			{Type: "ext:AIAssistance", Value: "<b>"},
			{Type: "Percent", Value: "NaN"},
			{Type: "Percent", Name: "Oral <exam>", Value: "17"},
			{Type: "ext:Other", Value: "unnamed thing"},
		}},
		RestsOn: []verifier.Basis{
			{Kind: verifier.Status, From: verifier.Web, Source: "https://x.example/list", At: at.AddDate(0, 0, -9)},
			{Kind: verifier.Signature, From: verifier.Self, Source: "did:web:x.example#<key>", At: at.Add(-3 * time.Hour)},
		},
	}
	rec := w.post("en", map[string]string{"text": " some text ", "offline": "1"}, nil)
	if rec.Code != http.StatusOK || string(c.got) != " some text " || !c.offline || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %q", rec.Code, rec.Header(), c.got)
	}
	page := rec.Body.String()
	for _, want := range []string{
		"Not certain", "is from 28 February 2026", "X &amp; &lt;i&gt;Y&lt;/i&gt;", "Ada &lt;b&gt;Byron&lt;/b&gt;", "All labs", "https://x.example/&lt;b&gt;", "9 days ago", "3 hours ago", "the issuer’s site", "Assessment</bdi>", ">supervised<", "Oral &lt;exam&gt;", ">17<",
		"did:web:x.example#&lt;key&gt;", `class="verify unknown"`, "noindex", `href="/en/verify"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the report lacks %q: %s", want, page)
		}
	}
	if strings.Contains(page, "<b>Byron") || strings.Contains(page, "no such language") || strings.Contains(page, "nivel") || strings.Contains(page, "NaN") || strings.Contains(page, "unnamed thing") || strings.Contains(page, "/api/credentials/") {
		t.Errorf("%s", page)
	}
	if rec := w.post("ar", map[string]string{"text": "text"}, []byte("file")); rec.Code != http.StatusOK || string(c.got) != "file" || c.offline || !strings.Contains(rec.Body.String(), "منذ 9 أيام") || !strings.Contains(rec.Body.String(), "غير مؤكدة") {
		t.Errorf("%d %q %s", rec.Code, c.got, rec.Body)
	}
	c.says = verifier.Report{State: verifier.Invalid, CheckedAt: at, Reasons: []verifier.Reason{{Code: verifier.Changed}}, Claims: verifier.Claims{Issuer: "did:web:x.example", Name: "Ada"}}
	if page := w.post("en", nil, []byte("x")).Body.String(); !strings.Contains(page, "It was changed after it was signed.") || strings.Contains(page, "Ada") || strings.Contains(page, "certificate-name") || strings.Contains(page, `class="report"`) {
		t.Errorf("%s", page)
	}
	c.says = verifier.Report{State: verifier.Revoked, CheckedAt: at, Reasons: []verifier.Reason{{Code: verifier.RevokedBy, Args: map[string]any{"Date": at, "Reason": "in <error>"}}}, Claims: verifier.Claims{Issuer: "did:web:x.example"}}
	if page := w.post("en", nil, []byte("x")).Body.String(); !strings.Contains(page, "Reason given: in &lt;error&gt;") || !strings.Contains(page, "took it back on 9 March 2026") {
		t.Errorf("%s", page)
	}
	c.got = nil
	for _, tt := range []struct {
		name   string
		fields map[string]string
		file   []byte
		status int
	}{
		{"nothing", nil, nil, http.StatusUnprocessableEntity},
		{"blanks", map[string]string{"text": " \n "}, nil, http.StatusUnprocessableEntity},
		{"too large a file", nil, make([]byte, verifier.MaxInput+1), http.StatusRequestEntityTooLarge},
		{"too large a text", map[string]string{"text": strings.Repeat("x", verifier.MaxInput+1)}, nil, http.StatusRequestEntityTooLarge},
		{"far too large", nil, make([]byte, 4<<20), http.StatusRequestEntityTooLarge},
	} {
		if rec := w.post("en", tt.fields, tt.file); rec.Code != tt.status || c.got != nil {
			t.Errorf("%s: %d", tt.name, rec.Code)
		}
	}
	for name, tt := range map[string]struct {
		body, kind string
	}{"not a form": {"{}", "application/json"}, "no boundary": {"x", "multipart/form-data"}, "cut": {"--b\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nx", "multipart/form-data; boundary=b"}} {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/en/verify", strings.NewReader(tt.body))
		req.Header.Set("Content-Type", tt.kind)
		rec := httptest.NewRecorder()
		w.echo.ServeHTTP(rec, req)
		if rec.Code != http.StatusUnprocessableEntity || c.got != nil {
			t.Errorf("%s: %d", name, rec.Code)
		}
	}
	before := tries
	slowed = fault.New(fault.TooMany, "server.throttled")
	if rec := w.post("en", map[string]string{"text": "x"}, nil); rec.Code != http.StatusTooManyRequests || c.got != nil || tries != before+1 {
		t.Errorf("%d", rec.Code)
	}
	slowed = nil
	c.err = errors.New("disk")
	if rec := w.post("en", map[string]string{"text": "x"}, nil); rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "disk") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	if rec := w.post("xx", map[string]string{"text": "x"}, nil); rec.Code != http.StatusNotFound {
		t.Errorf("%d", rec.Code)
	}
}

// Whatever a stranger writes into a credential, or into the documents around it, is text on the page: no element, no address, no slot.
func TestHostileReport(t *testing.T) {
	at := time.Date(2026, 3, 9, 9, 30, 0, 0, time.UTC)
	args := map[string]any{"Date": at, "Reason": evil, "Source": evil, "Days": 9, "Name": evil}
	link := "javascript:alert(1)"
	c := &checker{says: verifier.Report{
		CheckedAt: at, Format: verifier.SVG, Document: []byte(evil),
		Reasons: []verifier.Reason{{Code: verifier.RevokedBy, Args: args}, {Code: verifier.OldStatus, Args: args}, {Code: verifier.Stranger, Args: args}},
		Notes:   []verifier.Reason{{Code: verifier.Stranger, Args: args}, {Code: verifier.KeyLost, Args: args}},
		RestsOn: []verifier.Basis{{Kind: verifier.Signature, From: verifier.Self, Source: evil, At: at, By: evil}, {Kind: verifier.Status, From: verifier.Web, Source: link, By: link}},
		Claims: verifier.Claims{
			ID: link, Name: evil, Achievement: evil, AchievementID: link, Kind: evil, Description: evil, Narrative: evil, Language: `en" onload="alert(1)`, Version: evil, Issuer: evil, IssuerName: evil,
			Results: []verifier.Result{{Type: evil, Name: evil, Value: evil}, {Type: "Percent", Value: evil}}, Alignments: []verifier.Alignment{{Name: evil, Framework: evil, Code: evil, URL: link}},
		},
		Recognitions: []verifier.Recognition{{
			Address: link, By: evil, Names: map[string]string{"en": evil, evil: evil}, As: map[string]string{"en": evil}, Scope: map[string]string{`x" onload="alert(1)`: evil}, Conditions: map[string]string{"en": evil}, At: at, Origin: verifier.Trusted,
		}},
	}}
	w := open(t, func(cfg *Config) { cfg.Verifier, cfg.Admit = c, func(*http.Request) error { return nil } }, course("Small", nil))
	c.says.State = verifier.Valid
	plain := len(all(parsed(t, w.post("en", map[string]string{"text": "x"}, nil)), "script"))
	for _, state := range []verifier.State{verifier.Valid, verifier.Revoked, verifier.Suspended, verifier.Expired, verifier.Unknown, verifier.Invalid} {
		for _, locale := range []string{"en", "ar"} {
			c.says.State = state
			rec := w.post(locale, map[string]string{"text": "x"}, nil)
			if rec.Code != http.StatusOK {
				t.Fatalf("%s: %d", state, rec.Code)
			}
			doc := parsed(t, rec)
			if len(all(doc, "img")) > 0 || len(all(doc, "script")) != plain {
				t.Errorf("%s %s: words became elements", state, locale)
			}
			for _, n := range all(doc, "*") {
				for _, a := range n.Attr {
					if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "javascript:") {
						t.Errorf("%s %s: <%s %s=%q>", state, locale, n.Data, a.Key, a.Val)
					}
				}
			}
			if shown := textOf(doc); state != verifier.Invalid && strings.Count(shown, "{{t:page.next}} {{{main}}}") < 10 {
				t.Errorf("%s %s: a slot was filled: %s", state, locale, shown)
			}
		}
	}
}

func parsed(t *testing.T, rec *httptest.ResponseRecorder) *html.Node {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(rec.Body.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

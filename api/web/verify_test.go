package web

import (
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
)

func TestVerify(t *testing.T) {
	at := func(day int) time.Time { return time.Date(2026, 3, day, 9, 30, 0, 0, time.UTC) }
	day := func(n int) *time.Time { d := at(n); return &d }
	claims := credential.Claims{Name: "Ada <b>Byron</b>", Achievement: "AI & you", IssuerName: "Demo school", IssuedAt: at(5)}
	expiring := claims
	expiring.ExpiresAt = day(7)
	row := func(id string) credential.Credential {
		return credential.Credential{ID: credential.ID(id), CourseID: "small", Name: "row's name", IssuedAt: at(1)}
	}
	revoked := row("revoked")
	revoked.RevokedAt, revoked.RevokedReason = day(8), "Somebody else <i>took</i> the labs"
	reg := registry{
		"valid":   {State: credential.Valid, Credential: row("valid"), Claims: claims, CheckedAt: at(9)},
		"revoked": {State: credential.Revoked, Credential: revoked, Claims: claims, CheckedAt: at(9)},
		"expired": {State: credential.Expired, Credential: row("expired"), Claims: expiring, CheckedAt: at(9)},
		"invalid": {State: credential.Invalid, Credential: row("invalid"), CheckedAt: at(9)},
		"stolen":  {State: credential.Invalid, Credential: row("stolen"), CheckedAt: at(9), RevokedKey: &credential.Key{RevokedAt: day(4), RevokedReason: "Disk <stolen>"}},
	}
	w := open(t, func(c *Config) { c.Credentials = reg }, course("Small", nil))
	tests := []struct {
		id, locale string
		want, none []string
	}{
		{"valid", "en", []string{"Valid", "The signature is genuine", "Demo school", "Ada <b>Byron</b>", "AI & you", "5 March 2026", "9 March 2026, 09:30 UTC", "Small"}, []string{"Revoked", "Expired", "row's name"}},
		{"valid", "ar", []string{"صالحة", "التوقيع صحيح", "Demo school", "Ada <b>Byron</b>", "5 مارس 2026"}, []string{"Valid"}},
		{"revoked", "en", []string{"Revoked", "took it back", "Revoked on 8 March 2026", "Reason given: Somebody else <i>took</i> the labs"}, []string{"The signature is genuine"}},
		{"revoked", "ar", []string{"ملغاة", "8 مارس 2026", "السبب المذكور: Somebody else <i>took</i> the labs"}, nil},
		{"expired", "en", []string{"Expired", "valid only until the date shown", "Valid until 7 March 2026"}, []string{"Revoked"}},
		{"expired", "ar", []string{"منتهية", "7 مارس 2026"}, nil},
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
			shown = strings.NewReplacer("Valid until7", "Valid until 7", "Revoked on8", "Revoked on 8").Replace(shown)
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

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/recognition"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// book is a register of recognitions in memory.
type book []recognition.Shown

func (b book) List(_ context.Context, f recognition.Filter, after recognition.ID, limit int) (out []recognition.Shown, _ error) {
	for _, r := range b {
		if r.ID > after && (f.By == "" || f.By == r.InstitutionID) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (b book) Find(_ context.Context, id recognition.ID) (recognition.Shown, error) {
	for _, r := range b {
		if r.ID == id {
			return r, nil
		}
	}
	return recognition.Shown{}, fault.New(fault.NotFound, "recognition.not_found")
}

func (b book) ListGivers(context.Context) ([]identity.InstitutionID, error) {
	return []identity.InstitutionID{"acacia", "thorn"}, nil
}

func names(_ context.Context, in identity.InstitutionID, did string) map[string]string {
	switch {
	case in == "acacia":
		return map[string]string{"en": "Acacia <School>", "ar": "مدرسة السنط", "und": "Acacia"}
	case in == "thorn":
		return map[string]string{"und": "Thorn"}
	case did == "did:web:b.example":
		return map[string]string{"en": "River College"}
	}
	return nil
}

func TestRecognitions(t *testing.T) {
	at := time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
	later := at.AddDate(1, 0, 0)
	var b book
	for i := range 45 {
		in := identity.InstitutionID("acacia")
		if i%9 == 8 {
			in = "thorn"
		}
		b = append(b, recognition.Shown{State: recognition.Valid, Recognition: recognition.Recognition{
			ID: recognition.ID(fmt.Sprintf("r%02d", i)), InstitutionID: in, By: "did:web:a.example", OfDID: "did:web:b.example", OfAchievement: "https://b.example/en/courses/ai",
			CreatedAt: at, Terms: recognition.Terms{
				OfName: "AI <basics>", As: map[string]string{"en": fmt.Sprintf("Module %d & more", i), "ar": fmt.Sprintf("الوحدة %d", i)},
				Scope: map[string]string{"fr": "Deux crédits"}, Conditions: map[string]string{"en": "Issued since 2025"},
			},
		}})
	}
	b[1].State, b[1].EndedAt = recognition.Ended, &later
	b[2].State, b[2].ValidUntil = recognition.Expired, &at
	b[3].State, b[4].State = recognition.KeyRevoked, recognition.Invalid
	w := open(t, func(c *Config) { c.Recognitions, c.Names = b, names }, course("Small", nil))

	// Three pages of all, and each is readable as it came.
	seen, address := 0, "/en/recognitions"
	for pages := 1; address != ""; pages++ {
		body, doc := w.read(address)
		checkPage(t, address, body, doc, "en")
		seen += strings.Count(body, `href="/en/recognitions/r`)
		next := ""
		for _, a := range all(doc, "a") {
			if textOf(a) == "Next page" {
				next = value(a, "href")
			}
		}
		if pages > 3 || pages < 3 && next == "" {
			t.Fatalf("page %d: next %q", pages, next)
		}
		address = next
	}
	if seen != len(b) {
		t.Errorf("%d of %d", seen, len(b))
	}
	if body, _ := w.read("/en/recognitions?by=thorn"); strings.Count(body, `href="/en/recognitions/r`) != 5 || !strings.Contains(body, `<option value="thorn" lang="" dir="auto" selected>Thorn</option>`) {
		t.Errorf("%s", body)
	}
	if body, _ := w.read("/en/recognitions?by=x%22%3E%3Cscript%3E"); strings.Contains(body, "<script>") || !strings.Contains(body, "There are none here yet.") {
		t.Errorf("%s", body)
	}

	for _, tt := range []struct {
		address    string
		want, none []string
	}{
		{"/en/recognitions/r00", []string{"Holds", "Acacia <School>", "AI <basics>", "River College", "Module 0 & more", "Deux crédits", "Issued since 2025", "5 March 2026"}, []string{"Ended", "Valid until"}},
		{"/ar/recognitions/r00", []string{"سارٍ", "مدرسة السنط", "الوحدة 0"}, []string{"Module"}},
		{"/en/recognitions/r01", []string{"Ended", "It does not count any more", "5 March 2027"}, []string{"Holds"}},
		{"/en/recognitions/r02", []string{"Expired", "Valid until"}, []string{"Holds"}},
		{"/en/recognitions/r03", []string{"Key revoked", "signs it again"}, []string{"Holds"}},
		{"/en/recognitions/r04", []string{"Not genuine", "Do not rely on it"}, []string{"Holds", "Acacia", "Module"}},
	} {
		body, doc := w.read(tt.address)
		checkPage(t, tt.address, body, doc, tt.address[1:3])
		shown := textOf(all(doc, "main")[0])
		for _, want := range tt.want {
			if !strings.Contains(shown, want) {
				t.Errorf("%s lacks %q: %s", tt.address, want, shown)
			}
		}
		for _, none := range tt.none {
			if strings.Contains(shown, none) {
				t.Errorf("%s has %q: %s", tt.address, none, shown)
			}
		}
	}
	if res, _ := w.get("/en/recognitions/none"); res.StatusCode != http.StatusNotFound {
		t.Errorf("%d", res.StatusCode)
	}
	if res, _ := w.get("/xx/recognitions"); res.StatusCode != http.StatusNotFound {
		t.Errorf("%d", res.StatusCode)
	}
}

// The page of a certificate tells who recognises it, as long as the certificate counts.
func TestVerifyTellsWhoRecognises(t *testing.T) {
	at := time.Date(2026, 3, 5, 9, 0, 0, 0, time.UTC)
	claims := credential.Claims{Name: "Ada", Achievement: "AI", AchievementID: "https://b.example/en/courses/ai@1", Issuer: "did:web:b.example", IssuerName: "B", IssuedAt: at}
	standing := func(s credential.State) credential.Standing {
		return credential.Standing{State: s, Credential: credential.Credential{ID: credential.ID(s), CourseID: "small", IssuedAt: at, RevokedAt: &at}, Claims: claims, CheckedAt: at}
	}
	reg := registry{"valid": standing(credential.Valid), "revoked": standing(credential.Revoked), "expired": standing(credential.Expired), "invalid": standing(credential.Invalid)}
	var broken error
	recognised := func(_ context.Context, of verifier.Achievement) ([]verifier.Recognition, error) {
		if of.Issuer != claims.Issuer || of.ID != claims.AchievementID {
			t.Errorf("asked for %+v", of)
		}
		return []verifier.Recognition{{
			Address: "x", By: "did:web:a.example", Names: map[string]string{"en": "Acacia <School>"}, As: map[string]string{"en": "Module <1>", "ar": "الوحدة الأولى"},
			Until: at.AddDate(1, 0, 0), Origin: verifier.Here, At: at,
		}}, broken
	}
	w := open(t, func(c *Config) { c.Credentials, c.Recognised = reg, recognised }, course("Small", nil))
	for id, want := range map[string]bool{"valid": true, "revoked": false, "expired": false, "invalid": false} {
		body, doc := w.read("/en/verify/" + id)
		checkPage(t, id, body, doc, "en")
		shown := textOf(all(doc, "main")[0])
		if got := strings.Contains(shown, "Acacia <School>") && strings.Contains(shown, "Module <1>") && strings.Contains(shown, "5 March 2027"); got != want {
			t.Errorf("%s: %s", id, shown)
		}
	}
	if _, doc := w.read("/ar/verify/valid"); !strings.Contains(textOf(all(doc, "main")[0]), "الوحدة الأولى") {
		t.Error("not in Arabic")
	}
	broken = errors.New("no register")
	if reply, _ := w.get("/en/verify/valid"); reply.StatusCode != http.StatusInternalServerError {
		t.Error("a page without what could not be read passes for a whole one")
	}
}

package institution_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

func (w *town) update(c institution.Change) (institution.Institution, error) {
	return w.Update(w.Context(), member(w.a.ID, identity.Admin), w.a.ID, c)
}

// pointers are where a change is refused, with why.
func pointers(err error) map[string]string {
	out := map[string]string{}
	var f *fault.Error
	if errors.As(err, &f) {
		for _, d := range f.Details {
			out[d.Pointer] = d.Key
		}
	}
	return out
}

// logged are the kinds in an institution's audit log, whose chain must hold.
func (w *town) logged(in identity.InstitutionID) []string {
	w.Helper()
	all, err := w.db.Audits().List(w.Context(), string(in), 0, 100)
	if err != nil {
		w.Fatal(err)
	}
	var v audit.Verifier
	var out []string
	for _, e := range all {
		v.Add(e)
		out = append(out, string(e.Kind)+" "+string(e.Data))
	}
	if _, found := v.Done(); len(found) > 0 {
		w.Errorf("the chain does not hold: %v", found)
	}
	return out
}

func TestProfile(t *testing.T) {
	w := newTown(t)
	one, two := uuid.NewString(), uuid.NewString()
	got, err := w.update(institution.Change{
		Name: new(" Alpha "), Names: &map[string]string{"ar": " ألفا ", "pt-BR": "Alfa", "fr": " "}, Country: new("KE"), Domain: new("alpha.example"),
		Signatories: &[]institution.Signatory{{ID: one, Name: "Zoë", Title: map[string]string{"en": "Head"}, Signature: &institution.Picture{Ext: "png"}}, {ID: two, Name: "Ali"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.Name != "Alpha" || !maps.Equal(got.Names, map[string]string{"ar": "ألفا", "pt-BR": "Alfa"}) || got.Country != "KE" || got.Domain != "" || got.Ownership.Claim != "alpha.example" ||
		len(got.Signatories) != 2 || got.Signatories[0].Signature != nil {
		t.Errorf("%+v", got)
	}
	if _, err := w.ConfirmDomain(t.Context(), operator, w.a.ID, "alpha.example"); err != nil {
		t.Fatal(err)
	}
	if found, err := w.FindByDomain(t.Context(), "alpha.example"); err != nil || found.ID != w.a.ID {
		t.Errorf("%+v, %v", found, err)
	}
	for locale, want := range map[string]string{
		"ar": "ألفا ar", "ar-EG": "ألفا ar", "pt": "Alfa pt-BR", "pt-PT": "Alfa pt-BR", "pt-BR": "Alfa pt-BR", "en": "Alpha ", "p": "Alpha ", "": "Alpha ",
	} {
		name, lang := got.NameIn(locale)
		if name+" "+lang != want {
			t.Errorf("in %q: %s %s, want %s", locale, name, lang, want)
		}
	}
	got.Locale = "ar"
	if name, lang := got.NameIn("ru"); name != "ألفا" || lang != "ar" {
		t.Errorf("in the institution's own language: %s %s", name, lang)
	}
	if title, lang := got.Signatories[0].TitleIn("en-GB"); title != "Head" || lang != "en" {
		t.Errorf("%s %s", title, lang)
	}
	if !reflect.DeepEqual(got.AllNames(), map[string]string{"ar": "ألفا", "pt-BR": "Alfa", "und": "Alpha"}) {
		t.Errorf("%v", got.AllNames())
	}
	// What is not named stays.
	if got, err = w.update(institution.Change{Country: new("")}); err != nil || got.Country != "" || got.Domain != "alpha.example" || len(got.Signatories) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err = w.update(institution.Change{Domain: new("")}); err != nil || got.Domain != "" {
		t.Errorf("%+v, %v", got, err)
	}
	want := []string{
		`institution_created {"slug":"alpha"}`,
		`profile_changed {"fields":["country","domain_claim","name","names","signatories"]}`, `domain_changed {"from":"","proof":"operator","to":"alpha.example"}`,
		`profile_changed {"fields":["country"]}`, `domain_changed {"from":"alpha.example","to":""}`,
	}
	if got := w.logged(w.a.ID); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

func TestProfileRefuses(t *testing.T) {
	w := newTown(t)
	many := map[string]string{}
	for i := range 41 {
		many[fmt.Sprintf("en-x-a%d", i)] = "x"
	}
	person := institution.Signatory{ID: uuid.NewString(), Name: "Zoë"}
	for name, tt := range map[string]struct {
		change institution.Change
		want   map[string]string
	}{
		"names": {institution.Change{
			Name: new(" "), Names: &map[string]string{"english": "x", "EN": "x", "a/b~c": "x", "fr": strings.Repeat("x", 121), "ar": "a\u202eb"},
		}, map[string]string{
			"/name": "institution.bad_name", "/names/english": "institution.bad_tag", "/names/EN": "institution.bad_tag", "/names/a~1b~0c": "institution.bad_tag",
			"/names/fr": "institution.bad_name", "/names/ar": "institution.bad_name",
		}},
		"too many names": {institution.Change{Names: &many}, map[string]string{"/names": "institution.too_many_names"}},
		"country":        {institution.Change{Country: new("ke")}, map[string]string{"/country": "institution.bad_country"}},
		"no country":     {institution.Change{Country: new("ZZ")}, map[string]string{"/country": "institution.bad_country"}},
		"a continent":    {institution.Change{Country: new("02")}, map[string]string{"/country": "institution.bad_country"}},
		"signatories": {institution.Change{Signatories: &[]institution.Signatory{person, person, {ID: "x"}, {ID: "y", Name: "Y", Title: map[string]string{"??": "x"}}}}, map[string]string{
			"/signatories/1/id": "institution.signatory_twice", "/signatories/2/name": "institution.bad_name", "/signatories/3/title/??": "institution.bad_tag",
		}},
		"too many signatories": {institution.Change{Signatories: &[]institution.Signatory{{ID: "a", Name: "a"}, {ID: "b", Name: "b"}, {ID: "c", Name: "c"}, {ID: "d", Name: "d"}, {ID: "e", Name: "e"}}}, map[string]string{
			"/signatories": "institution.too_many_signatories",
		}},
	} {
		_, err := w.update(tt.change)
		if got := pointers(err); !fault.Is(err, fault.Invalid) || !maps.Equal(got, tt.want) {
			t.Errorf("%s: %v, %v, want %v", name, err, got, tt.want)
		}
	}
	if got := w.logged(w.a.ID); len(got) != 1 {
		t.Errorf("logged %q", got)
	}
	for name, by := range map[string]identity.Actor{
		"a trainer": member(w.a.ID, identity.Trainer), "an issuer": member(w.a.ID, identity.Issuer), "an admin of another": member(w.b.ID, identity.Admin),
		"nobody": {}, "a reading token": scoped(operator, identity.ScopeRead),
	} {
		_, err := w.Update(t.Context(), by, w.a.ID, institution.Change{Domain: new("alpha.example")})
		_, errLogo := w.SetLogo(t.Context(), by, w.a.ID, drawn(t, 40, 40))
		if !fault.Is(err, fault.Denied) || !fault.Is(errLogo, fault.Denied) || !fault.Is(w.RemoveLogo(t.Context(), by, w.a.ID), fault.Denied) {
			t.Errorf("%s: %v, %v", name, err, errLogo)
		}
	}
	if _, err := w.Update(t.Context(), operator, "01950000-0000-7000-8000-000000000009", institution.Change{Country: new("KE")}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// Only plain hosts of the institution's own become its name, and none that is taken for another.
func TestDomains(t *testing.T) {
	w := newTown(t)
	for domain, want := range map[string]string{
		"alpha.example": "", "certificates.alpha.example": "", "a-b.c0.example": "", "1.example": "",
		"xn--mgba3a4f16a.ir": "", "xn--e1afmkfd.xn--80akhbyknj4f": "", "xn--fsqu00a.xn--0zwm56d": "", "xn--bcher-kva.example": "", // Persian, Russian, Chinese, German
		"Alpha.example": "institution.bad_domain", "alpha": "institution.bad_domain", "localhost": "institution.bad_domain", "a.localhost": "institution.bad_domain",
		"alpha.example.": "institution.bad_domain", ".alpha.example": "institution.bad_domain", "alpha..example": "institution.bad_domain",
		"alpha.example:8443": "institution.bad_domain", "alpha.example%3A8443": "institution.bad_domain", "alpha.example:institutions:beta": "institution.bad_domain",
		"https://alpha.example": "institution.bad_domain", "alpha.example/x": "institution.bad_domain", "alpha.example/../x": "institution.bad_domain",
		"alpha.example#x": "institution.bad_domain", "alpha.example?x": "institution.bad_domain", "u@alpha.example": "institution.bad_domain",
		"127.0.0.1": "institution.bad_domain", "[::1]": "institution.bad_domain", "10.1": "institution.bad_domain", "0x7f.1": "institution.bad_domain",
		"-a.example": "institution.bad_domain", "a-.example": "institution.bad_domain", "a_b.example": "institution.bad_domain", "ab--c.example": "institution.bad_domain",
		"аlpha.example": "institution.bad_domain", "alpha\u3002example": "institution.bad_domain", "alpha.example" + " ": "institution.bad_domain", "a\x00.example": "institution.bad_domain",
		strings.Repeat("a", 64) + ".example": "institution.bad_domain", strings.Repeat("a.", 130) + "example": "institution.bad_domain",
		"learn.example": "institution.own_host", "example": "institution.bad_domain", "x.learn.example": "institution.own_host",
		"xn--80ak6aa92e.com": "institution.confusing_domain", // аррӏе, all Cyrillic
		"xn--lpha-53d.com":   "institution.confusing_domain", // аlpha, mixed
		"xn--mxail5aa.com":   "institution.confusing_domain", // Greek that looks Latin
		"xn--.example":       "institution.bad_domain", "xn--a.example": "institution.confusing_domain", "xn--abc-.example": "institution.bad_domain",
	} {
		_, err := w.update(institution.Change{Domain: &domain})
		if got := pointers(err)["/domain"]; got != want || want == "" && err != nil {
			t.Errorf("%q: %v, want %q", domain, err, want)
		}
	}
	if _, err := w.update(institution.Change{Domain: new("alpha.example")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ConfirmDomain(t.Context(), operator, w.a.ID, "alpha.example"); err != nil {
		t.Fatal(err)
	}
	taken := func(domain string) {
		t.Helper()
		_, err := w.Update(t.Context(), operator, w.b.ID, institution.Change{Domain: &domain})
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", domain, err)
		}
	}
	taken("alpha.example")
	taken("was-alphas.example")
	if got := w.logged(w.b.ID); len(got) != 1 {
		t.Errorf("logged %q", got)
	}
}

func drawn(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPictures(t *testing.T) {
	w := newTown(t)
	ctx, admin := t.Context(), member(w.a.ID, identity.Admin)
	got, err := w.SetLogo(ctx, admin, w.a.ID, drawn(t, 40, 30))
	if err != nil || got.Logo == nil || got.Logo.Width != 40 || got.Logo.Height != 30 || got.Logo.Path() != "/media/"+got.Logo.Digest.Hex()+".png" {
		t.Fatalf("%+v, %v", got.Logo, err)
	}
	if data, err := w.public.Open(ctx, got.Logo.Digest); err != nil || !bytes.HasPrefix(data, []byte("redrawn ")) {
		t.Errorf("%.20q, %v: what is kept must be what we drew", data, err)
	}
	id := uuid.NewString()
	if _, err := w.update(institution.Change{Signatories: &[]institution.Signatory{{ID: id, Name: "Zoë"}}}); err != nil {
		t.Fatal(err)
	}
	if got, err = w.SetSignature(ctx, admin, w.a.ID, id, drawn(t, 80, 20)); err != nil || got.Signatories[0].Signature == nil || got.Logo == nil {
		t.Fatalf("%+v, %v", got, err)
	}
	signature := *got.Signatories[0].Signature
	// Who stays keeps the picture, wherever they stand in the list; who is new has none.
	next := []institution.Signatory{{ID: uuid.NewString(), Name: "Ali", Signature: &signature}, {ID: id, Name: "Zoë K."}}
	if got, err = w.update(institution.Change{Signatories: &next}); err != nil || got.Signatories[0].Signature != nil || got.Signatories[1].Signature == nil ||
		*got.Signatories[1].Signature != signature {
		t.Errorf("%+v, %v", got.Signatories, err)
	}
	if err := w.RemoveSignature(ctx, admin, w.a.ID, id); err != nil {
		t.Error(err)
	}
	if err := w.RemoveLogo(ctx, admin, w.a.ID); err != nil {
		t.Error(err)
	}
	if got, err = w.Find(ctx, w.a.ID); err != nil || got.Logo != nil || got.Signatories[1].Signature != nil || got.Signatories[1].Name != "Zoë K." {
		t.Errorf("%+v, %v", got, err)
	}
	want := []string{
		`institution_created {"slug":"alpha"}`, `logo_changed {"digest":"` + string(blob.Of([]byte("redrawn 40x30"))) + `"}`, `profile_changed {"fields":["signatories"]}`,
		`profile_changed {"fields":["signatories"]}`, `profile_changed {"fields":["signatories"]}`, `profile_changed {"fields":["signatories"]}`, `logo_changed {"digest":""}`,
	}
	if got := w.logged(w.a.ID); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}

	for name, tt := range map[string]struct {
		file []byte
		key  string
	}{
		"too small":  {drawn(t, 15, 30), "institution.bad_picture_shape"},
		"too wide":   {drawn(t, 161, 20), "institution.bad_picture_shape"},
		"too high":   {drawn(t, 20, 61), "institution.bad_picture_shape"},
		"too heavy":  {drawn(t, 333, 333), "institution.picture_too_heavy"},
		"no picture": {[]byte("<svg onload=alert(1)>"), "institution.bad_picture"},
		"nothing":    {[]byte{}, "institution.bad_picture"},
	} {
		if _, err := w.SetLogo(ctx, admin, w.a.ID, tt.file); pointers(err)[""] != tt.key {
			t.Errorf("%s: %v, want %s", name, err, tt.key)
		}
	}
	if _, err := w.SetLogo(ctx, admin, w.a.ID, make([]byte, 1<<20)); !fault.Is(err, fault.TooLarge) {
		t.Error(err)
	}
	if _, err := w.SetSignature(ctx, admin, w.a.ID, uuid.NewString(), drawn(t, 80, 20)); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if w.public.puts != 3 { // the last one belongs to nobody, and nothing leads to it
		t.Errorf("%d pictures are kept", w.public.puts)
	}
}

// Roles are logged when they change, and not when they do not.
func TestRolesAreLogged(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	u, err := w.CreateMember(ctx, operator, w.a.ID, institution.NewMember{Username: "zoe", DisplayName: "Zoë", Password: "correct horse", Role: identity.Learner})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.AddRole(ctx, operator, w.a.ID, u.ID, identity.Trainer); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := w.RemoveRole(ctx, operator, w.a.ID, u.ID, identity.Learner); err != nil {
			t.Error(err)
		}
	}
	user := `"user":"` + string(u.ID) + `"}`
	want := []string{
		`institution_created {"slug":"alpha"}`, `member_created {"role":"learner",` + user, `role_given {"role":"trainer",` + user, `role_taken {"role":"learner",` + user,
	}
	if got := w.logged(w.a.ID); !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
}

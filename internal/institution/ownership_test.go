package institution_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/institution"
)

// zone is what a domain says.
type zone struct {
	texts           []string
	file            string
	noTexts, noFile error
	asked           []string
}

func (z *zone) Texts(_ context.Context, name string) ([]string, error) {
	z.asked = append(z.asked, name)
	return z.texts, z.noTexts
}

func (z *zone) File(_ context.Context, url string) (string, error) {
	z.asked = append(z.asked, url)
	return z.file, z.noFile
}

func TestCheckDomain(t *testing.T) {
	silent, off := errors.New("silent"), institution.ErrFetchingIsOff
	for name, tt := range map[string]struct {
		zone    zone
		proof   institution.Proof
		problem institution.Problem
	}{
		"nothing":                       {zone{}, "", institution.NoRecord},
		"a record":                      {zone{texts: []string{"v=spf1 -all", " VALUE "}}, institution.ByDNS, ""},
		"a file":                        {zone{file: "# ours\r\nVALUE\r\n"}, institution.ByFile, ""},
		"a file, and no DNS":            {zone{file: "VALUE", noTexts: silent}, institution.ByFile, ""},
		"a record of another":           {zone{texts: []string{"OTHER"}}, "", institution.OtherRecord},
		"of both":                       {zone{texts: []string{"OTHER", "VALUE"}}, institution.ByDNS, ""},
		"of this on another server":     {zone{texts: []string{"VALUE.evil.example"}}, "", institution.OtherRecord},
		"of another on this server":     {zone{file: "banyan-institution=01950000-0000-7000-8000-000000000009@learn.example"}, "", institution.OtherRecord},
		"the value within another text": {zone{texts: []string{"x VALUE"}, file: "<p>VALUE</p>"}, "", institution.NoRecord},
		"silence":                       {zone{noTexts: silent, noFile: silent}, "", institution.NoAnswer},
		"a site without a record":       {zone{noFile: silent}, "", institution.NoRecord},
		"nothing is asked":              {zone{noTexts: off, noFile: off}, "", institution.FetchingIsOff},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			if _, err := w.update(institution.Change{Domain: new("alpha.example")}); err != nil {
				t.Fatal(err)
			}
			value := "banyan-institution=" + string(w.a.ID) + "@learn.example"
			if r := w.RecordOf(w.a.ID, "alpha.example"); r.Value != value {
				t.Fatalf("%+v", r)
			}
			fill := func(text string) string {
				for from, to := range map[string]string{"VALUE": value, "OTHER": "banyan-institution=" + string(w.b.ID) + "@learn.example"} {
					for i := 0; i+len(from) <= len(text); i++ {
						if text[i:i+len(from)] == from {
							text = text[:i] + to + text[i+len(from):]
						}
					}
				}
				return text
			}
			for i := range tt.zone.texts {
				tt.zone.texts[i] = fill(tt.zone.texts[i])
			}
			tt.zone.file = fill(tt.zone.file)
			w.Domains = &tt.zone
			got, err := w.CheckDomain(t.Context(), member(w.a.ID, identity.Admin), w.a.ID)
			if err != nil {
				t.Fatal(err)
			}
			o := got.Ownership
			if proven := tt.proof != ""; (got.Domain == "alpha.example") != proven || (o.Claim == "") != proven || o.Proof != tt.proof || o.Problem != tt.problem || o.CheckedAt.IsZero() || o.ProvenAt.IsZero() == proven {
				t.Errorf("%q %+v", got.Domain, o)
			}
			if tt.zone.asked[0] != "_banyan-institution.alpha.example" || len(tt.zone.asked) > 1 && tt.zone.asked[1] != "https://alpha.example/.well-known/banyan-institution" {
				t.Errorf("asked %v", tt.zone.asked)
			}
		})
	}
}

// What was proven stays until something else is; a claim shuts nobody out.
func TestClaims(t *testing.T) {
	w := newTown(t)
	admin := member(w.a.ID, identity.Admin)
	z := &zone{}
	w.Domains = z
	prove := func(in institution.Institution, domain string) {
		z.texts = []string{w.RecordOf(in.ID, domain).Value}
	}
	check := func() institution.Institution {
		t.Helper()
		got, err := w.CheckDomain(t.Context(), admin, w.a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	set := func(domain string) institution.Institution {
		t.Helper()
		got, err := w.update(institution.Change{Domain: &domain})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if _, err := w.CheckDomain(t.Context(), admin, w.a.ID); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a domain: %v", err)
	}
	// The other school claims it too, which costs nobody anything; who proves it has it.
	if _, err := w.Update(t.Context(), operator, w.b.ID, institution.Change{Domain: new("alpha.example")}); err != nil {
		t.Fatal(err)
	}
	set("alpha.example")
	prove(w.a, "alpha.example")
	if got := check(); got.Domain != "alpha.example" {
		t.Fatalf("%+v", got)
	}
	if _, err := w.ConfirmDomain(t.Context(), operator, w.b.ID, "alpha.example"); !fault.Is(err, fault.Conflict) {
		t.Errorf("one domain for two: %v", err)
	}
	// Proven once, it is lost by being given up or proven anew, not by an hour without DNS.
	proven := set("alpha.example").Ownership.ProvenAt
	z.texts = nil
	if got := check(); got.Domain != "alpha.example" || got.Ownership.Problem != institution.NoRecord || !got.Ownership.ProvenAt.Equal(proven) {
		t.Errorf("%+v", got)
	}
	if got := set("next.example"); got.Domain != "alpha.example" || got.Ownership.Claim != "next.example" || got.Ownership.Problem != "" {
		t.Errorf("%+v", got)
	}
	if got := check(); got.Domain != "alpha.example" || got.Ownership.Claim != "next.example" || got.Ownership.Proof != institution.ByDNS {
		t.Errorf("%+v", got)
	}
	if got := set("alpha.example"); got.Domain != "alpha.example" || got.Ownership.Claim != "" {
		t.Errorf("%+v", got)
	}
	set("next.example")
	if _, err := w.ConfirmDomain(t.Context(), operator, w.a.ID, "alpha.example"); !fault.Is(err, fault.Conflict) {
		t.Errorf("another than is claimed: %v", err)
	}
	prove(w.a, "next.example")
	if got := check(); got.Domain != "next.example" {
		t.Errorf("%+v", got)
	}
	if got := set(""); got.Domain != "" || got.Ownership != (institution.Ownership{}) {
		t.Errorf("%+v", got)
	}

	for name, by := range map[string]identity.Actor{
		"a trainer": member(w.a.ID, identity.Trainer), "an admin of another": member(w.b.ID, identity.Admin), "nobody": {}, "a reading token": scoped(admin, identity.ScopeRead),
	} {
		_, err := w.CheckDomain(t.Context(), by, w.a.ID)
		_, errConfirm := w.ConfirmDomain(t.Context(), by, w.a.ID, "next.example")
		if !fault.Is(err, fault.Denied) || !fault.Is(errConfirm, fault.Denied) {
			t.Errorf("%s: %v, %v", name, err, errConfirm)
		}
	}
	if _, err := w.ConfirmDomain(t.Context(), admin, w.a.ID, "next.example"); !fault.Is(err, fault.Denied) {
		t.Errorf("an admin confirms: %v", err)
	}
	set("next.example")
	var err error
	for range 30 {
		if _, err = w.CheckDomain(t.Context(), admin, w.a.ID); err != nil {
			break
		}
	}
	if !fault.Is(err, fault.TooMany) {
		t.Errorf("nobody is slowed down: %v", err)
	}
}

// Housekeeping looks again at what was proven, so that the console warns; at some in each run, and not at what the operator vouched for.
func TestRecheckDomains(t *testing.T) {
	w := newTown(t)
	z := &zone{}
	w.Domains = z
	for _, in := range []institution.Institution{w.a, w.b} {
		domain := in.Slug + ".example"
		if _, err := w.Update(t.Context(), operator, in.ID, institution.Change{Domain: &domain}); err != nil {
			t.Fatal(err)
		}
		z.texts = []string{w.RecordOf(in.ID, domain).Value}
		if in.ID == w.a.ID {
			if _, err := w.CheckDomain(t.Context(), operator, in.ID); err != nil {
				t.Fatal(err)
			}
		} else if _, err := w.ConfirmDomain(t.Context(), operator, in.ID, domain); err != nil {
			t.Fatal(err)
		}
	}
	z.texts = nil
	state := func() institution.Problem {
		t.Helper()
		in, err := w.Find(t.Context(), w.a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return in.Ownership.Problem
	}
	for _, tt := range []struct {
		before time.Time
		most   int
		want   institution.Problem
	}{{w.Now(), 10, ""}, {w.Now().Add(time.Hour), 0, ""}, {w.Now().Add(time.Hour), 10, institution.NoRecord}} {
		if err := w.RecheckDomains(t.Context(), tt.before, tt.most); err != nil {
			t.Fatal(err)
		}
		if got := state(); got != tt.want {
			t.Errorf("before %s, at most %d: %q", tt.before, tt.most, got)
		}
	}
	if in, err := w.Find(t.Context(), w.b.ID); err != nil || in.Ownership.Problem != "" || in.Domain != "beta.example" {
		t.Errorf("%+v, %v", in, err)
	}
}

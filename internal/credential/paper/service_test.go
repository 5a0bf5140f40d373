package paper_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/i18n"
	"github.com/banyan-lms/banyan/internal/identity"
)

// office has no templates, and one credential, whatever is asked for.
type office struct{ standing credential.Standing }

func (o office) Check(context.Context, credential.ID) (credential.Standing, error) {
	return o.standing, nil
}

func (o office) InTx(_ context.Context, fn func(paper.Store) error) error { return fn(o) }

func (office) Audit(context.Context, audit.Entry) error { return nil }

func (office) FindTemplate(context.Context, identity.InstitutionID, curriculum.CourseID) (paper.Template, error) {
	return paper.Template{}, fault.New(fault.NotFound, "paper.no_template")
}

func (office) SaveTemplate(context.Context, paper.Template) error { return nil }

func (office) RemoveTemplate(context.Context, identity.InstitutionID, curriculum.CourseID) error {
	return nil
}

// unprinted are words that have languages beside those of the catalogue whose letters no typeface has.
type unprinted struct{ *i18n.Catalogue }

func (w unprinted) T(locale, key string, args map[string]any) string {
	if strings.Contains(locale, "-X") {
		return "⟦" + w.Catalogue.T("en", key, args) + "⟧"
	}
	return w.Catalogue.T(locale, key, args)
}

func (w unprinted) Has(locale string) bool {
	return locale == "en-XA" || locale == "ar-XB" || w.Catalogue.Has(locale)
}

func newService(t *testing.T, holder string) *paper.Service {
	t.Helper()
	w, c := unprinted{words(t)}, example(t, "en").Claims
	c.Name = holder
	o := office{credential.Standing{State: credential.Valid, Claims: c}}
	return &paper.Service{
		Store: o, Credentials: o, Words: w, Shipped: w.Has, RightToLeft: func(locale string) bool { return i18n.Dir(locale) == "rtl" },
		Profile: func(context.Context, identity.InstitutionID) (paper.Profile, error) {
			return paper.Profile{Name: "Oasis"}, nil
		},
		Code:  func(context.Context, credential.ID, string) ([][]bool, error) { return matrix(61), nil },
		Fonts: &typeset.Library{Dir: t.TempDir()}, Now: func() time.Time { return time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC) },
	}
}

// A language that the program speaks and no typeface writes is drawn in the next of its chain.
func TestLanguagesWithoutATypeface(t *testing.T) {
	s := newService(t, "Amina")
	boss := identity.Actor{UserID: "u", Memberships: []identity.Membership{{InstitutionID: "i", Role: identity.Admin}}}
	for locale, want := range map[string]string{"en-XA": "en", "ar-XB": "ar", "pt-BR": "pt", "tlh": "en", "": "en"} {
		got, err := s.Preview(t.Context(), boss, paper.Plain("i", ""), locale)
		if err != nil {
			t.Fatalf("%s: %v", locale, err)
		}
		same, err := s.Preview(t.Context(), boss, paper.Plain("i", ""), want)
		if err != nil || string(got) != string(same) {
			t.Errorf("%s is not drawn as %s: %v", locale, want, err)
		}
	}
	english, err := s.Print(t.Context(), "c", "en")
	if err != nil {
		t.Fatal(err)
	}
	accented, err := s.Print(t.Context(), "c", "en-XA")
	if err != nil || string(accented.PDF) != string(english.PDF) {
		t.Errorf("not printed as English: %v", err)
	}
	if _, err := s.Print(t.Context(), "c", "tlh"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a language that nobody speaks: %v", err)
	}

	// A name that has no typeface has none in any language.
	if _, err := newService(t, "ልደት").Print(t.Context(), "c", "ar-XB"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a name without a typeface: %v", err)
	}
}

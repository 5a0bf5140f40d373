package main

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/i18n"
)

const (
	goalPrint = 100.0     // milliseconds of processor time
	goalPaper = 150_000.0 // bytes
)

// printedNames are names as they are written in each shipped language.
var printedNames = map[string]string{
	"en": "Amina Diallo", "ar": "محمد عبد الله بن سعيد", "fr": "Gaëlle Œuvrard", "es": "María José Núñez", "ru": "Анастасия Щербакова",
	"zh": "欧阳小明", "pt": "João Gonçalves", "hi": "प्रियंका क्षत्रिय", "sw": "Ng'ang'a wa Mwangi",
}

// papers measures a certificate on paper in each shipped language: laid out, drawn and written, nothing kept but the typefaces.
func papers(_ context.Context, _ *bench) ([]Figure, error) {
	words, err := i18n.Load()
	if err != nil {
		return nil, err
	}
	code, err := paper.AddressCode("https://learn.example.org/verify/019a0000-0000-7000-8000-000000000001/" + unsigned[:120])
	if err != nil {
		return nil, err
	}
	fonts := &typeset.Library{}
	at := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	var out []Figure
	for _, locale := range words.Locales() {
		c := paper.Certificate{
			Locale: locale, RightToLeft: i18n.Dir(locale) == "rtl", Standing: credential.Valid, Template: paper.Plain("", ""), Code: code,
			Claims: credential.Claims{
				ID: "https://learn.example.org/verify/019a0000-0000-7000-8000-000000000001", Name: printedNames[locale], Locale: locale, IssuerName: "Banyan Demo School",
				Achievement: words.T(locale, "paper.specimen.achievement", nil), Description: words.T(locale, "paper.specimen.description", nil),
				IssuedAt: at, Version: "3", Assessment: credential.OnSite, AIHelp: credential.SomeHelp, Score: "92.5",
			},
		}
		size := 0
		rate, err := perCPUSecond(func() error {
			page, err := paper.Lay(c, words, fonts)
			if err != nil {
				return err
			}
			size = len(page.PDF())
			return nil
		})
		if err != nil {
			return nil, err
		}
		spent := 1000 / rate
		out = append(
			out,
			Figure{
				Name: "paper-" + locale, Value: spent, Unit: "ms CPU", Goal: new(goalPrint), Met: new(spent <= goalPrint), GoalOf: "value, at most",
				How: "Laying out a certificate and writing it as PDF, the typefaces in memory; processor time.",
			},
			Figure{
				Name: "paper-" + locale + "-size", Value: float64(size), Unit: "bytes", Goal: new(goalPaper), Met: new(float64(size) <= goalPaper), GoalOf: "value, at most",
				How: "The PDF, without logo and signatures.",
			},
		)
	}
	return out, nil
}

package paper_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/i18n"
)

// people are names as they are written in each of the languages.
var people = map[string]string{
	"en": "Amina Diallo-O’Connor", "ar": "محمد عبد الله بن سعيد", "fr": "Gaëlle Œuvrard-Lefèvre", "es": "María José Núñez Ibáñez", "ru": "Анастасия Щербакова",
	"zh": "欧阳小明", "pt": "João Gonçalves Assunção", "hi": "प्रियंका क्षत्रिय", "sw": "Ng'ang'a wa Mwangi",
}

var achievements = map[string][2]string{
	"en": {"AI in daily life", "Knows what AI is and how it learns from examples, and can tell where it helps and where it does harm."},
	"ar": {"الذكاء الاصطناعي في الحياة اليومية", "يعرف ما هو الذكاء الاصطناعي وكيف يتعلّم من الأمثلة، ويميّز أين يفيد وأين يضر."},
	"fr": {"L’IA au quotidien", "Sait ce qu’est l’IA et comment elle apprend à partir d’exemples, où elle aide et où elle nuit."},
	"es": {"La IA en la vida diaria", "Sabe qué es la IA y cómo aprende a partir de ejemplos, dónde ayuda y dónde hace daño."},
	"ru": {"ИИ в повседневной жизни", "Знает, что такое ИИ и как он учится на примерах, где он помогает и где вредит."},
	"zh": {"日常生活中的人工智能", "了解什么是人工智能以及它如何从例子中学习，能分辨它在哪里有帮助、在哪里有危害。"},
	"pt": {"A IA no dia a dia", "Sabe o que é a IA e como aprende com exemplos, onde ajuda e onde prejudica."},
	"hi": {"दैनिक जीवन में कृत्रिम बुद्धिमत्ता", "जानते हैं कि कृत्रिम बुद्धिमत्ता क्या है, वह उदाहरणों से कैसे सीखती है, कहाँ मदद करती है और कहाँ हानि।"},
	"sw": {"AI katika maisha ya kila siku", "Anajua AI ni nini na inavyojifunza kutokana na mifano, inasaidia wapi na inadhuru wapi."},
}

func words(t testing.TB) *i18n.Catalogue {
	t.Helper()
	c, err := i18n.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// example is a certificate with everything on it.
func example(t testing.TB, locale string) paper.Certificate {
	t.Helper()
	until := time.Date(2029, 11, 23, 0, 0, 0, 0, time.UTC)
	tpl := paper.Plain("i", "")
	tpl.Line = map[string]string{locale: achievements[locale][0]}
	return paper.Certificate{
		Locale: locale, RightToLeft: i18n.Dir(locale) == "rtl", Standing: credential.Valid, Template: tpl,
		Claims: credential.Claims{
			ID: "https://learn.example.org/verify/019a0000-0000-7000-8000-000000000001", Name: people[locale],
			Achievement: achievements[locale][0], Description: achievements[locale][1], Locale: locale, IssuerName: "Banyan Demo School",
			Version: "3", Assessment: credential.OnSite, AIHelp: credential.SomeHelp, Score: "92.5",
			IssuedAt: time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), ExpiresAt: &until,
		},
		Logo: logo(t),
		Signatories: []paper.Signatory{
			{Name: "Dr. Wanjiru Kamau", Title: "Director", TitleLang: "en", Signature: signature(t)},
			{Name: "Prof. Ravi Menon", Title: "Head of Learning", TitleLang: "en", Signature: signature(t)},
		},
		Code: matrix(69),
	}
}

// matrix looks like a QR code and says nothing.
func matrix(n int) [][]bool {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([][]bool, n)
	for y := range rows {
		rows[y] = make([]bool, n)
		for x := range rows[y] {
			rows[y][x] = r.IntN(2) == 0
		}
	}
	return rows
}

// pictures are drawn once for all tests.
var pictures sync.Map

func logo(t testing.TB) *sheet.Image {
	return drawn(t, 600, 200, func(x, y int) color.NRGBA {
		if d := math.Hypot(float64(x-100), float64(y-100)); d < 90 {
			return color.NRGBA{20, 80, 92, 255}
		}
		if x > 220 && x < 580 && y > 70 && y < 130 {
			return color.NRGBA{200, 150, 30, 255}
		}
		return color.NRGBA{}
	})
}

func signature(t testing.TB) *sheet.Image {
	return drawn(t, 400, 120, func(x, y int) color.NRGBA {
		if math.Abs(float64(y)-60-40*math.Sin(float64(x)/25)) < 4 {
			return color.NRGBA{10, 20, 90, 255}
		}
		return color.NRGBA{}
	})
}

func drawn(t testing.TB, w, h int, at func(x, y int) color.NRGBA) *sheet.Image {
	t.Helper()
	if m, known := pictures.Load(w); known {
		return m.(*sheet.Image)
	}
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	out, err := sheet.ReadImage(b.Bytes(), 720, 260)
	if err != nil {
		t.Fatal(err)
	}
	pictures.Store(w, out)
	return out
}

package paper_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper"
	"github.com/banyan-lms/banyan/internal/credential/paper/pdftest"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/fault"
)

// library is one for all tests: typefaces are read once.
var library = new(typeset.Library)

var locales = []string{"en", "ar", "fr", "es", "ru", "zh", "pt", "hi", "sw"}

// TestEveryLanguage reads each language's certificate back.
func TestEveryLanguage(t *testing.T) {
	w := words(t)
	if got := w.Locales(); len(got) != len(locales) {
		t.Errorf("the program ships %q", got)
	}
	for _, locale := range locales {
		for _, o := range []paper.Orientation{paper.Landscape, paper.Portrait} {
			t.Run(locale+" "+string(o), func(t *testing.T) {
				c := example(t, locale)
				c.Template.Orientation = o
				s, err := paper.Lay(c, w, library)
				if err != nil {
					t.Fatal(err)
				}
				check(t, s)
				b := s.PDF()
				if len(b) > 150_000 {
					t.Errorf("%d bytes", len(b))
				}
				d, err := pdftest.Read(b)
				if err != nil {
					t.Fatal(err)
				}
				date := func(at time.Time) string { return w.Date(locale, at) }
				want := []string{
					"Figure " + w.T(locale, "paper.logo_alt", map[string]any{"Institution": c.Claims.IssuerName}),
					"P " + c.Claims.IssuerName, "H1 " + w.T(locale, "paper.title", nil),
					"P " + w.T(locale, "paper.holder", nil), "P " + c.Claims.Name, "P " + w.T(locale, "paper.achievement", nil), "P " + c.Claims.Achievement,
					"P " + c.Claims.Description, "P " + c.Claims.Achievement, // the line of the template
					"P " + w.T(locale, "paper.issued", nil), "P " + date(c.Claims.IssuedAt), "P " + w.T(locale, "paper.expires", nil), "P " + date(*c.Claims.ExpiresAt),
					"P " + w.T(locale, "paper.language", nil),
				}
				var got []string
				for _, e := range d.Elements {
					said := e.Actual
					if e.Role == "Figure" {
						said = e.Alt
					}
					got = append(got, e.Role+" "+strings.ReplaceAll(said, "  ", " "))
					if e.Role != "Figure" && letters(e.Shown) != letters(e.Actual) {
						t.Errorf("%q is shown as %q", e.Actual, e.Shown)
					}
				}
				for i, line := range want {
					if i >= len(got) || glued(got[i]) != glued(line) {
						t.Errorf("element %d is %q, want %q", i, got[min(i, len(got)-1)], line)
					}
				}
				if last := got[len(got)-1]; last != "Figure "+w.T(locale, "paper.code_alt", nil) {
					t.Errorf("the last is %q", last)
				}
				if address := got[len(got)-2]; glued(address) != glued("P "+c.Claims.ID) || !slices.Equal(d.Links, []string{c.Claims.ID}) {
					t.Errorf("the address is %q, links %q", address, d.Links)
				}
				extract(t, b, c, w.T(locale, "paper.title", nil))
			})
		}
	}
}

// glued takes spaces out: where lines break is not part of what is said.
func glued(s string) string { return strings.ReplaceAll(s, " ", "") }

func letters(s string) string {
	r := []rune(glued(s))
	slices.Sort(r)
	return string(r)
}

// extract compares with what poppler takes out, and has qpdf check the file. `make test` installs both.
func extract(t *testing.T, b []byte, c paper.Certificate, title string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "certificate.pdf")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := tool(t, "qpdf", "--check", file); strings.Contains(out, "WARNING") {
		t.Error(out)
	}
	out := flat(tool(t, "pdftotext", file, "-"))
	for _, want := range []string{title, c.Claims.Name, c.Claims.Achievement, c.Claims.Description, c.Claims.IssuerName} {
		if !strings.Contains(glued(out), glued(flat(want))) {
			t.Errorf("pdftotext does not find %q in\n%s", want, out)
		}
	}
}

// flat leaves out the marks of direction that pdftotext adds, and the ends of lines.
func flat(s string) string {
	return norm.NFC.String(strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s))
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("no %s: `make test` installs poppler-utils and qpdf", name)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
	return string(out)
}

// check wants everything on the page, within the border, and nothing over anything else.
func check(t *testing.T, s sheet.Sheet) {
	t.Helper()
	type box struct {
		what       string
		x, y, r, b float64
	}
	var boxes []box
	for _, p := range s.Parts {
		switch p := p.(type) {
		case sheet.Text:
			for _, l := range p.Lines {
				boxes = append(boxes, box{l.Text, l.X, l.Y - 0.72*p.Size, l.X + l.Width*p.Size, l.Y + 0.2*p.Size})
			}
		case sheet.Figure:
			boxes = append(boxes, box{p.Alt, p.X, p.Y, p.X + p.W, p.Y + p.H})
		case sheet.Matrix:
			if p.W < 35*72/25.4 {
				t.Errorf("the code is %.1f points wide", p.W)
			}
			quiet := 4 * p.W / float64(len(p.Rows))
			boxes = append(boxes, box{p.Alt, p.X - quiet, p.Y - quiet, p.X + p.W + quiet, p.Y + p.W + quiet})
		}
	}
	for i, a := range boxes {
		if a.x < 30 || a.y < 30 || a.r > s.Width-30 || a.b > s.Height-30 {
			t.Errorf("%q is at %.0f %.0f to %.0f %.0f", a.what, a.x, a.y, a.r, a.b)
		}
		for _, b := range boxes[:i] {
			if a.x < b.r && b.x < a.r && a.y < b.b && b.y < a.b {
				t.Errorf("%q at %.0f %.0f %.0f %.0f is over %q at %.0f %.0f %.0f %.0f", a.what, a.x, a.y, a.r, a.b, b.what, b.x, b.y, b.r, b.b)
			}
		}
	}
}

// TestMixedDirections has names of one direction in certificates of the other.
func TestMixedDirections(t *testing.T) {
	w := words(t)
	for _, tt := range []struct{ locale, name, seen string }{
		{"en", "محمد 12 علي", "يلع 12 دمحم"},
		{"en", "Ali محمد 12 III", "Ali 12 دمحم III"},
		{"ar", "Anna-Maria Müller (PhD)", "Anna-Maria Müller (PhD)"},
		{"ar", "سعيد Smith 3", "Smith 3 ديعس"},
		{"fr", "王小明 محمد", "王小明 دمحم"},
	} {
		t.Run(tt.locale+" "+tt.name, func(t *testing.T) {
			c := example(t, tt.locale)
			c.Claims.Name = tt.name
			s, err := paper.Lay(c, w, library)
			if err != nil {
				t.Fatal(err)
			}
			check(t, s)
			d, err := pdftest.Read(s.PDF())
			if err != nil {
				t.Fatal(err)
			}
			if e := d.Elements[4]; e.Actual != tt.name || e.Shown != tt.seen {
				t.Errorf("%+q is seen as %+q, want %+q", e.Actual, e.Shown, tt.seen)
			}
		})
	}
}

// TestLongTexts wants letters smaller or lines broken, and nothing cut off.
func TestLongTexts(t *testing.T) {
	w := words(t)
	for _, locale := range []string{"en", "ar", "zh", "hi"} {
		for _, o := range []paper.Orientation{paper.Landscape, paper.Portrait} {
			for _, times := range []int{3, 12} {
				t.Run(fmt.Sprint(locale, o, times), func(t *testing.T) {
					c := example(t, locale)
					c.Template.Orientation = o
					long := func(s string) string { return strings.TrimSpace(strings.Repeat(s+" ", times)) }
					c.Claims.Name, c.Claims.Achievement, c.Claims.IssuerName = long(c.Claims.Name), long(c.Claims.Achievement), long(c.Claims.IssuerName)
					c.Claims.Description = long(c.Claims.Description)
					c.Claims.ID = "https://a-very-long-name-of-a-host.of-an-institution.of-a-ministry.example.org/learning" + c.Claims.ID[len("https://learn.example.org"):]
					c.Signatories = append(c.Signatories, c.Signatories...)
					for i := range c.Signatories {
						c.Signatories[i].Name, c.Signatories[i].Title = long(c.Signatories[i].Name), long(c.Signatories[i].Title)
					}
					c.Standing, c.Since, c.Reason = credential.Revoked, c.Claims.IssuedAt, long("Reason")
					s, err := paper.Lay(c, w, library)
					if err != nil {
						t.Fatal(err)
					}
					check(t, s)
					d, err := pdftest.Read(s.PDF())
					if err != nil {
						t.Fatal(err)
					}
					found := false
					for _, e := range d.Elements {
						found = found || glued(e.Actual) == glued(c.Claims.Name)
					}
					if !found {
						t.Error("the name is not whole")
					}
				})
			}
		}
	}
}

// TestRevokedIsSaid wants it in words, for who reads or has read to them, and across the page for who sees.
func TestRevokedIsSaid(t *testing.T) {
	w := words(t)
	c := example(t, "en")
	shapes := func() int {
		s, err := paper.Lay(c, w, library)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, p := range s.Parts {
			if sh, ok := p.(sheet.Shape); ok && sh.Opacity > 0 {
				n++
			}
		}
		return n
	}
	if shapes() != 0 {
		t.Error("a valid one is stamped")
	}
	c.Standing = credential.Suspended
	if shapes() != 1 {
		t.Error("a suspended one is not stamped")
	}
	c.Standing, c.Since, c.Reason = credential.Revoked, c.Claims.IssuedAt, "Issued by mistake"
	if shapes() != 1 {
		t.Error("a revoked one is not stamped")
	}
	s, err := paper.Lay(c, w, library)
	if err != nil {
		t.Fatal(err)
	}
	d, err := pdftest.Read(s.PDF())
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Elements[3].Actual; got != "Revoked on 23 November 2026. This certificate no longer counts." {
		t.Errorf("it says %q", got)
	}
	if got := d.Elements[4].Actual; got != "Reason given: Issued by mistake" {
		t.Errorf("it says %q", got)
	}
}

// TestErasedHolder wants no place for a name where there is none any more, and no name left behind.
func TestErasedHolder(t *testing.T) {
	c := example(t, "en")
	c.Claims.Name = ""
	s, err := paper.Lay(c, words(t), library)
	if err != nil {
		t.Fatal(err)
	}
	d, err := pdftest.Read(s.PDF())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range d.Elements {
		if e.Actual == "Awarded to" || e.Role != "Figure" && e.Actual == "" {
			t.Errorf("it says %+v", e)
		}
	}
	if s.Title != c.Claims.Achievement {
		t.Errorf("its title is %q", s.Title)
	}
}

// TestNoTypeface wants a plain problem, and no page with boxes on it.
func TestNoTypeface(t *testing.T) {
	c := example(t, "en")
	c.Claims.Name = "สมชาย"
	_, err := paper.Lay(c, words(t), library)
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "paper.no_typeface") {
		t.Errorf("got %v", err)
	}
}

func FuzzName(f *testing.F) {
	for _, name := range people {
		f.Add(name, name)
	}
	f.Add("\u202e\u2067\u0000\xff", "\U0001F600")
	w := words(f)
	f.Fuzz(func(t *testing.T, name, title string) {
		if len(name)+len(title) > 600 {
			return
		}
		c := example(t, "en")
		c.Logo, c.Signatories = nil, nil
		c.Claims.Name, c.Claims.Achievement = name, title
		s, err := paper.Lay(c, w, library)
		if err != nil {
			if !fault.Is(err, fault.Unavailable) {
				t.Error(err)
			}
			return
		}
		check(t, s)
		if _, err := pdftest.Read(s.PDF()); err != nil {
			t.Error(err)
		}
	})
}

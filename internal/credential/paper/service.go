package paper

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/paper/sheet"
	"github.com/banyan-lms/banyan/internal/credential/paper/typeset"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Store is what paper needs of storage.
type Store interface {
	InTx(ctx context.Context, fn func(tx Store) error) error
	// Audit appends an entry to the institution's audit log; call it last within InTx.
	Audit(ctx context.Context, e audit.Entry) error
	// FindTemplate gives the template of exactly that course, "" for all; fault.NotFound paper.no_template.
	FindTemplate(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (Template, error)
	SaveTemplate(ctx context.Context, t Template) error // instead of the one before
	// RemoveTemplate: absent is no error.
	RemoveTemplate(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) error
}

// Credentials is what paper needs of credential.
type Credentials interface {
	Check(ctx context.Context, id credential.ID) (credential.Standing, error)
}

// Profile is what an institution puts on its paper.
type Profile struct {
	Name        string            // where none fits
	Names       map[string]string // by BCP 47 tag
	Logo        blob.Digest       // "" for none
	Signatories []ProfileSignatory
}

// ProfileSignatory is who signs for an institution.
type ProfileSignatory struct {
	ID        string
	Name      string
	Title     map[string]string
	Signature blob.Digest // "" for none
}

// Blobs gives pictures.
type Blobs interface {
	Open(ctx context.Context, d blob.Digest) ([]byte, error)
}

// Service is the door to paper.
type Service struct {
	Store       Store
	Credentials Credentials
	// Profile gives what an institution shows; fault.NotFound institution.not_found.
	Profile func(ctx context.Context, in identity.InstitutionID) (Profile, error)
	// Code draws the QR code of a credential; nil rows when it has none.
	Code        func(ctx context.Context, id credential.ID, address string) ([][]bool, error)
	Blobs       Blobs
	Words       Words
	Shipped     func(locale string) bool // the program speaks it
	RightToLeft func(locale string) bool
	Fonts       *typeset.Library
	Now         func() time.Time

	mu       sync.Mutex
	pictures map[pictureKey]*sheet.Image
	printed  map[string]Printed
	size     int
}

type pictureKey struct {
	digest blob.Digest
	w, h   int
}

// Printed is a certificate on paper.
type Printed struct {
	PDF  []byte
	Tag  string // changes when the bytes do
	Name string // of a file, without its ending
}

const (
	keptBytes    = 16 << 20 // of certificates that were printed lately
	keptPictures = 64
	// A logo of 60 mm and a signature of 45 mm at 300 dots an inch.
	logoWidth, logoHeight           = 720, 240
	signatureWidth, signatureHeight = 540, 180
)

// Print puts a credential on paper, for anyone who has its id. What it says is what the signed document says; a row
// that says something else is refused. locale is the language of the words around, "" for that of the credential. A revoked one says so.
func (s *Service) Print(ctx context.Context, id credential.ID, locale string) (Printed, error) {
	st, err := s.Credentials.Check(ctx, id)
	if err != nil {
		return Printed{}, err
	}
	if st.State == credential.Invalid {
		return Printed{}, fault.New(fault.Conflict, "paper.invalid")
	}
	if locale == "" {
		locale = s.chain(st.Claims.Locale)[0]
	}
	if !s.Shipped(locale) {
		return Printed{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/locale", Key: "user.bad_locale"})
	}
	tpl, err := s.template(ctx, st.Credential.InstitutionID, st.Credential.CourseID)
	if err != nil {
		return Printed{}, err
	}
	profile, err := s.Profile(ctx, st.Credential.InstitutionID)
	if err != nil {
		return Printed{}, err
	}
	code, err := s.Code(ctx, id, st.Claims.ID)
	if err != nil {
		return Printed{}, err
	}
	tag, err := digest(st, locale, tpl, profile, code)
	if err != nil {
		return Printed{}, err
	}
	if p, known := s.kept(tag); known {
		return p, nil
	}
	c := Certificate{Claims: st.Claims, Standing: st.State, Template: tpl, Code: code, Reason: st.Credential.RevokedReason}
	since := st.Credential.RevokedAt
	if st.State == credential.Suspended {
		since, c.Reason = st.Credential.SuspendedAt, st.Credential.SuspendedReason
	}
	if since != nil {
		c.Since = *since
	}
	page, err := s.lay(ctx, c, profile, s.chain(locale))
	if err != nil {
		return Printed{}, err
	}
	p := Printed{PDF: page.PDF(), Tag: tag, Name: fileName(page.Title)}
	s.keep(p)
	return p, nil
}

// source is the language in which every word is written first; its letters are in the program.
const source = "en"

// chain lists the languages that the program speaks, from one on: pt and en for pt-BR. There is always one.
func (s *Service) chain(locale string) []string {
	var out []string
	for tag := locale; tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
		if s.Shipped(tag) {
			out = append(out, tag)
		}
	}
	if len(out) == 0 || out[len(out)-1] != source {
		out = append(out, source)
	}
	return out
}

// lay lays a certificate out in the first of some languages whose letters have typefaces here. Where the holder's name lacks one, none of them
// helps, and the first says which.
func (s *Service) lay(ctx context.Context, c Certificate, p Profile, locales []string) (sheet.Sheet, error) {
	var first error
	for _, l := range locales {
		c.Locale, c.RightToLeft, c.Signatories = l, s.RightToLeft(l), nil
		if err := s.dress(ctx, &c, p); err != nil {
			return sheet.Sheet{}, err
		}
		page, err := Lay(c, s.Words, s.Fonts)
		if err == nil || !isMissing(err) {
			return page, err
		}
		first = cmp.Or(first, err)
	}
	return sheet.Sheet{}, first
}

func isMissing(err error) bool {
	var m *typeset.MissingError
	return errors.As(err, &m)
}

// digest names what a certificate is made of, so that it is made once.
func digest(of ...any) (string, error) {
	h := sha256.New()
	e := json.NewEncoder(h)
	for _, v := range of {
		if st, ok := v.(credential.Standing); ok {
			st.CheckedAt = time.Time{} // each check has its own
			v = st
		}
		if err := e.Encode(v); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}

func (s *Service) kept(tag string) (Printed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, known := s.printed[tag]
	return p, known
}

// keep forgets all when there is no room: certificates are printed in bursts, and cost some 20 ms.
func (s *Service) keep(p Printed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.printed == nil || s.size+len(p.PDF) > keptBytes {
		s.printed, s.size = map[string]Printed{}, 0
	}
	if _, known := s.printed[p.Tag]; !known {
		s.printed[p.Tag] = p
		s.size += len(p.PDF)
	}
}

// fileName leaves what every system takes in the name of a file.
func fileName(title string) string {
	var b strings.Builder
	for _, r := range title {
		if b.Len() > 120 {
			break
		}
		switch {
		case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// dress puts logo and signatories on.
func (s *Service) dress(ctx context.Context, c *Certificate, p Profile) error {
	var err error
	if c.Logo, err = s.picture(ctx, p.Logo, logoWidth, logoHeight); err != nil {
		return err
	}
	byID := map[string]ProfileSignatory{}
	ids := c.Template.Signatories
	for _, sig := range p.Signatories {
		byID[sig.ID] = sig
		if c.Template.Signatories == nil {
			ids = append(ids, sig.ID)
		}
	}
	for _, id := range ids {
		sig, there := byID[id]
		if !there {
			continue // who has left signs nothing
		}
		out := Signatory{Name: sig.Name}
		out.Title, out.TitleLang = in(sig.Title, c.Locale)
		if out.Signature, err = s.picture(ctx, sig.Signature, signatureWidth, signatureHeight); err != nil {
			return err
		}
		c.Signatories = append(c.Signatories, out)
	}
	return nil
}

// picture gives a picture made ready, or nil for none. Pictures were drawn anew when they came; one that cannot be read is our fault.
func (s *Service) picture(ctx context.Context, d blob.Digest, w, h int) (*sheet.Image, error) {
	if d == "" {
		return nil, nil
	}
	key := pictureKey{d, w, h}
	s.mu.Lock()
	m := s.pictures[key]
	s.mu.Unlock()
	if m != nil {
		return m, nil
	}
	b, err := s.Blobs.Open(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("open picture %s: %w", d, err)
	}
	if m, err = sheet.ReadImage(b, w, h); err != nil {
		return nil, fmt.Errorf("read picture %s: %w", d, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pictures == nil || len(s.pictures) >= keptPictures {
		s.pictures = map[pictureKey]*sheet.Image{}
	}
	s.pictures[key] = m
	return m, nil
}

// template is what holds for a course: its own, else the institution's, else the plain one.
func (s *Service) template(ctx context.Context, in identity.InstitutionID, course curriculum.CourseID) (Template, error) {
	for _, c := range []curriculum.CourseID{course, ""} {
		t, err := s.Store.FindTemplate(ctx, in, c)
		if err == nil || !fault.Is(err, fault.NotFound) {
			return t, err
		}
	}
	return Plain(in, ""), nil
}

func mayDesign(by identity.Actor, in identity.InstitutionID) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !by.Operates() && !by.Has(in, identity.Admin):
		return fault.New(fault.Denied, "paper.template_denied")
	}
	return nil
}

// FindTemplate gives what holds for the certificates of a course, "" for all. Its CourseID tells whether it is the
// course's own. For admins of the institution and the operator.
func (s *Service) FindTemplate(ctx context.Context, by identity.Actor, in identity.InstitutionID, course curriculum.CourseID) (Template, error) {
	if err := mayDesign(by, in); err != nil {
		return Template{}, err
	}
	return s.template(ctx, in, course)
}

// SaveTemplate sets how the certificates of a course look, also those that were issued before: looks are no part of what
// was signed. For admins of the institution and the operator; it stands in the audit log.
func (s *Service) SaveTemplate(ctx context.Context, by identity.Actor, t Template) (Template, error) {
	if err := mayDesign(by, t.InstitutionID); err != nil {
		return Template{}, err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return Template{}, fault.New(fault.Denied, "token.scope_missing")
	}
	if err := s.check(ctx, &t); err != nil {
		return Template{}, err
	}
	t.UpdatedAt = s.Now()
	return t, s.Store.InTx(ctx, func(tx Store) error {
		if err := tx.SaveTemplate(ctx, t); err != nil {
			return err
		}
		return tx.Audit(ctx, changed(t.InstitutionID, t.CourseID, by, t.UpdatedAt))
	})
}

// RemoveTemplate goes back to the institution's template, or to the plain one. For admins and the operator; it stands in the audit log.
func (s *Service) RemoveTemplate(ctx context.Context, by identity.Actor, in identity.InstitutionID, course curriculum.CourseID) error {
	if err := mayDesign(by, in); err != nil {
		return err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if _, err := tx.FindTemplate(ctx, in, course); err != nil {
			if fault.Is(err, fault.NotFound) {
				return nil
			}
			return err
		}
		if err := tx.RemoveTemplate(ctx, in, course); err != nil {
			return err
		}
		return tx.Audit(ctx, changed(in, course, by, s.Now()))
	})
}

func changed(in identity.InstitutionID, course curriculum.CourseID, by identity.Actor, at time.Time) audit.Entry {
	return audit.New(in, by.UserID, at, audit.TemplateChanged, map[string]any{"course": string(course)})
}

const (
	maxLine  = 200
	maxLines = 40
)

// check notes what is wrong with a template, and tidies its line.
func (s *Service) check(ctx context.Context, t *Template) error {
	bad := fault.New(fault.Invalid, "request.invalid")
	t.Accent = sheet.Colour(strings.ToLower(string(t.Accent)))
	if !colourForm.MatchString(string(t.Accent)) || t.Accent.Contrast("#ffffff") < leastContrast {
		bad.At(fault.Detail{Pointer: "/accent", Key: "paper.bad_accent"})
	}
	if t.Orientation != Landscape && t.Orientation != Portrait {
		bad.At(fault.Detail{Pointer: "/orientation", Key: "paper.bad_choice"})
	}
	switch t.Border {
	case NoBorder, Single, Double, Corners:
	default:
		bad.At(fault.Detail{Pointer: "/border", Key: "paper.bad_choice"})
	}
	if t.Logo != Start && t.Logo != Center && t.Logo != End {
		bad.At(fault.Detail{Pointer: "/logo", Key: "paper.bad_choice"})
	}
	line := map[string]string{}
	for tag, text := range t.Line {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if _, err := language.Parse(tag); err != nil || len(tag) > 35 {
			bad.At(fault.Detail{Pointer: "/line", Key: "user.bad_locale"})
		}
		if utf8.RuneCountInString(text) > maxLine || !identity.CleanText(text) {
			bad.At(fault.Detail{Pointer: "/line", Key: "paper.bad_line", Args: map[string]any{"Max": maxLine}})
		}
		line[tag] = text
	}
	if len(line) > maxLines {
		bad.At(fault.Detail{Pointer: "/line", Key: "paper.bad_choice"})
	}
	t.Line = line
	p, err := s.Profile(ctx, t.InstitutionID)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, sig := range p.Signatories {
		seen[sig.ID] = true
	}
	for _, id := range t.Signatories {
		if !seen[id] {
			bad.At(fault.Detail{Pointer: "/signatories", Key: "paper.bad_signatory"})
		}
		seen[id] = false // nobody signs twice
	}
	if len(bad.Details) > 0 {
		return bad
	}
	return nil
}

// Preview draws what certificates would look like with a template that need not be saved, as SVG, with a made-up holder. For admins of the
// institution and the operator.
func (s *Service) Preview(ctx context.Context, by identity.Actor, t Template, locale string) ([]byte, error) {
	if err := mayDesign(by, t.InstitutionID); err != nil {
		return nil, err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return nil, fault.New(fault.Denied, "token.scope_missing")
	}
	if err := s.check(ctx, &t); err != nil {
		return nil, err
	}
	profile, err := s.Profile(ctx, t.InstitutionID)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	until := now.AddDate(3, 0, 0)
	var page sheet.Sheet
	for _, l := range s.chain(locale) { // the specimen's words are the language's too
		issuer, _ := in(profile.Names, l)
		page, err = s.lay(ctx, Certificate{
			Standing: credential.Valid, Template: t, Code: specimen(),
			Claims: credential.Claims{
				ID: "https://example.org/verify/00000000-0000-0000-0000-000000000000", Name: s.Words.T(l, "paper.specimen.name", nil),
				Achievement: s.Words.T(l, "paper.specimen.achievement", nil), Description: s.Words.T(l, "paper.specimen.description", nil),
				Locale: l, Version: "1", Assessment: credential.Supervised, AIHelp: credential.Undeclared, IssuerName: cmp.Or(issuer, profile.Name), IssuedAt: now, ExpiresAt: &until,
			},
		}, profile, []string{l})
		if !isMissing(err) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return page.SVG(), nil
}

// specimen has the look of a QR code, and its three eyes, but nothing to read: nobody shall take a preview for a certificate.
func specimen() [][]bool {
	const n = 61
	rows := make([][]bool, n)
	eye := func(x, y int) (bool, bool) {
		if x < 0 || y < 0 || x > 7 || y > 7 {
			return false, false
		}
		ring := min(x, y, 6-x, 6-y)
		return x < 7 && y < 7 && ring != 1, true
	}
	for y := range rows {
		rows[y] = make([]bool, n)
		for x := range rows[y] {
			rows[y][x] = (x*x+y*x*3+y*y*7)%5 < 2
			for _, at := range [][2]int{{x, y}, {n - 1 - x, y}, {x, n - 1 - y}} {
				if dark, in := eye(at[0], at[1]); in {
					rows[y][x] = dark
				}
			}
		}
	}
	return rows
}

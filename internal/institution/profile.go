package institution

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Picture is a picture that we drew anew, kept as a public blob.
type Picture struct {
	Digest blob.Digest `json:"digest"`
	Ext    string      `json:"ext"` // png or jpg
	Width  int         `json:"width"`
	Height int         `json:"height"`
}

// Path is where the server shows the picture.
func (p Picture) Path() string { return "/media/" + p.Digest.Hex() + "." + p.Ext }

// Signatory is who signs certificates for the institution.
type Signatory struct {
	ID        string            `json:"id"` // UUIDv7, made by whoever adds them
	Name      string            `json:"name"`
	Title     map[string]string `json:"title,omitempty"` // what they are there, by BCP 47 tag
	Signature *Picture          `json:"signature,omitempty"`
}

// TitleIn gives what they are in a reader's language, or in what is nearest to it; "" when there is nothing.
func (s Signatory) TitleIn(locale string) (title, lang string) { return in(s.Title, locale, "") }

// NameIn gives the name in a reader's language and the language that it is in: the reader's, else one that is
// nearest to it, else that of the institution itself, else the name that it was founded with, whose language nobody knows ("").
func (i Institution) NameIn(locale string) (name, lang string) {
	if name, lang = in(i.Names, locale, i.Locale); name == "" {
		name = i.Name
	}
	return name, lang
}

// AllNames are the names by language; the one whose language nobody knows is und.
func (i Institution) AllNames() map[string]string {
	out := maps.Clone(i.Names)
	if out == nil {
		out = map[string]string{}
	}
	out["und"] = i.Name
	return out
}

// in finds the text for a language: the tag itself, a shorter one (pt for pt-BR), a longer one (pt-BR for pt), then the same of other.
func in(texts map[string]string, locale, other string) (text, lang string) {
	for _, want := range []string{locale, other} {
		for tag := want; tag != ""; {
			if t := texts[tag]; t != "" {
				return t, tag
			}
			cut := strings.LastIndexByte(tag, '-')
			tag = tag[:max(cut, 0)]
		}
		if want == "" {
			continue
		}
		base, _, _ := strings.Cut(want, "-")
		for _, tag := range slices.Sorted(maps.Keys(texts)) {
			if strings.HasPrefix(tag, base+"-") {
				return texts[tag], tag
			}
		}
	}
	return "", ""
}

// What a profile may hold at most.
const (
	maxNames       = 40
	maxName        = 120 // runes
	maxSignatories = 4
)

// Change is what to set of an institution; nil leaves as it is.
type Change struct {
	Name        *string
	Names       *map[string]string
	Country     *string // "" for none
	Domain      *string // "" for none; another than the one that was proven is a claim
	Signatories *[]Signatory
	Logo        **Picture // a pointer to nil takes it away
	Fallbacks   *map[string][]string
	Locale      *string // "" for none

	Ownership *Ownership // Update sets it by Domain
}

// fields names what is set, for the audit log.
func (c Change) fields() []string {
	var out []string
	for name, set := range map[string]bool{
		"name": c.Name != nil, "names": c.Names != nil, "country": c.Country != nil, "signatories": c.Signatories != nil,
		"fallbacks": c.Fallbacks != nil, "locale": c.Locale != nil, "domain_claim": c.Ownership != nil && c.Domain == nil,
	} {
		if set {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Update sets what an institution says of itself, its own language, and which languages stand in for another. For its admins and
// the operator. A domain that another institution has, or had keys under, is fault.Conflict institution.domain_taken.
func (s *Service) Update(ctx context.Context, by identity.Actor, id identity.InstitutionID, c Change) (Institution, error) {
	if !mayAdminister(by, id) || !by.Scoped(identity.ScopeAdmin) {
		return Institution{}, fault.New(fault.Denied, "institution.members_denied")
	}
	c.Logo, c.Ownership = nil, nil // SetPicture's, and CheckDomain's
	bad := fault.New(fault.Invalid, "request.invalid")
	s.check(bad, &c)
	if len(bad.Details) > 0 {
		return Institution{}, bad
	}
	if c.Domain != nil && *c.Domain != "" && s.Claimed != nil {
		if taken, err := s.Claimed(ctx, *c.Domain, id); err != nil {
			return Institution{}, err
		} else if taken {
			return Institution{}, fault.New(fault.Conflict, "institution.domain_taken")
		}
	}
	var after Institution
	err := s.Store.InTx(ctx, func(tx Store) error {
		before, err := tx.LockInstitution(ctx, id)
		if err != nil {
			return err
		}
		c := c
		if c.Domain != nil {
			if err := claim(ctx, tx, before, &c); err != nil {
				return err
			}
		}
		if c.Signatories != nil {
			c.Signatories = new(withSignatures(*c.Signatories, before.Signatories))
		}
		if err := tx.UpdateInstitution(ctx, id, c); err != nil {
			return err
		}
		if after, err = tx.FindInstitution(ctx, id); err != nil {
			return err
		}
		return s.auditChange(ctx, tx, by, before, c)
	})
	return after, err
}

// claim makes a claim of a domain that is not proven. The one that is stays the institution's until then.
func claim(ctx context.Context, tx Store, before Institution, c *Change) error {
	switch domain := *c.Domain; domain {
	case before.Wanted():
		c.Domain = nil
	case "":
		c.Ownership = &Ownership{}
	case before.Domain:
		next := before.Ownership
		next.Claim, next.Problem, c.Domain, c.Ownership = "", "", nil, &next
	default:
		if other, err := tx.FindInstitutionByDomain(ctx, domain); err == nil && other.ID != before.ID {
			return fault.New(fault.Conflict, "institution.domain_taken")
		} else if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		next := before.Ownership
		next.Claim, next.Problem, next.CheckedAt, c.Domain, c.Ownership = domain, "", time.Time{}, nil, &next
	}
	return nil
}

func (s *Service) auditChange(ctx context.Context, tx Store, by identity.Actor, before Institution, c Change) error {
	if fields := c.fields(); len(fields) > 0 {
		if err := tx.Audit(ctx, s.entry(before.ID, by, audit.ProfileChanged, map[string]any{"fields": fields})); err != nil {
			return err
		}
	}
	if c.Domain == nil || *c.Domain == before.Domain {
		return nil
	}
	return tx.Audit(ctx, s.entry(before.ID, by, audit.DomainChanged, map[string]any{"from": before.Domain, "to": *c.Domain}))
}

func (s *Service) entry(in identity.InstitutionID, by identity.Actor, kind audit.Kind, data map[string]any) audit.Entry {
	return audit.New(in, by.UserID, s.Now(), kind, data)
}

// withSignatures gives each signatory the picture that stood under their id before: pictures are set by SetSignature alone.
func withSignatures(next, before []Signatory) []Signatory {
	out := slices.Clone(next)
	for i := range out {
		out[i].Signature = nil
		if j := slices.IndexFunc(before, func(b Signatory) bool { return b.ID == out[i].ID }); j >= 0 {
			out[i].Signature = before[j].Signature
		}
	}
	return out
}

// check notes what is wrong with a change, and tidies the rest.
func (s *Service) check(bad *fault.Error, c *Change) {
	if c.Name != nil {
		c.Name = new(strings.TrimSpace(*c.Name))
		if !isName(*c.Name) {
			bad.At(fault.Detail{Pointer: "/name", Key: "institution.bad_name"})
		}
	}
	if c.Names != nil {
		c.Names = new(checkTexts(bad, "/names", *c.Names))
	}
	if c.Country != nil && *c.Country != "" && !isCountry(*c.Country) {
		bad.At(fault.Detail{Pointer: "/country", Key: "institution.bad_country"})
	}
	if c.Domain != nil && *c.Domain != "" {
		if key := s.checkDomain(*c.Domain); key != "" {
			bad.At(fault.Detail{Pointer: "/domain", Key: key})
		}
	}
	if c.Signatories != nil {
		c.Signatories = new(checkSignatories(bad, *c.Signatories))
	}
	if c.Fallbacks != nil {
		c.Fallbacks = new(checkFallbacks(bad, *c.Fallbacks))
	}
	if c.Locale != nil && *c.Locale != "" && !isTag(*c.Locale) {
		bad.At(fault.Detail{Pointer: "/locale", Key: "user.bad_locale"})
	}
}

func isName(s string) bool {
	return s != "" && utf8.RuneCountInString(s) <= maxName && identity.CleanText(s)
}

// checkTexts notes bad languages and texts, and leaves out the empty ones.
func checkTexts(bad *fault.Error, at string, texts map[string]string) map[string]string {
	out := map[string]string{}
	if len(texts) > maxNames {
		bad.At(fault.Detail{Pointer: at, Key: "institution.too_many_names", Args: map[string]any{"Max": maxNames}})
	}
	for _, tag := range slices.Sorted(maps.Keys(texts)) {
		pointer := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(tag)
		text := strings.TrimSpace(texts[tag])
		switch {
		case !isTag(tag):
			bad.At(fault.Detail{Pointer: pointer, Key: "institution.bad_tag", Args: map[string]any{"Value": firstRunes(tag, 35)}})
		case text == "":
		case !isName(text):
			bad.At(fault.Detail{Pointer: pointer, Key: "institution.bad_name"})
		default:
			out[tag] = text
		}
	}
	return out
}

func checkSignatories(bad *fault.Error, list []Signatory) []Signatory {
	out := []Signatory{}
	if len(list) > maxSignatories {
		bad.At(fault.Detail{Pointer: "/signatories", Key: "institution.too_many_signatories", Args: map[string]any{"Max": maxSignatories}})
	}
	for i, s := range list {
		at := fmt.Sprintf("/signatories/%d", i)
		s.Name = strings.TrimSpace(s.Name)
		if !isName(s.Name) {
			bad.At(fault.Detail{Pointer: at + "/name", Key: "institution.bad_name"})
		}
		if slices.ContainsFunc(out, func(o Signatory) bool { return o.ID == s.ID }) {
			bad.At(fault.Detail{Pointer: at + "/id", Key: "institution.signatory_twice"})
		}
		s.Title = checkTexts(bad, at+"/title", s.Title)
		out = append(out, s)
	}
	return out
}

// isCountry takes the codes of ISO 3166-1 alpha-2 as they are written.
func isCountry(s string) bool {
	r, err := language.ParseRegion(s)
	return err == nil && len(s) == 2 && r.IsCountry() && r.String() == s
}

// Pictures of an institution are drawn on certificates and at the head of pages.
const (
	maxUpload  = 512 << 10 // bytes; the door refuses larger bodies before
	maxDrawn   = 200 << 10 // bytes of what we have drawn
	widest     = 8         // a picture is at most so many times wider than high
	tallest    = 3         // and so many times higher than wide
	smallestPx = 16
)

// SetLogo sets the logo, from a PNG or JPEG file. For admins and the operator.
func (s *Service) SetLogo(ctx context.Context, by identity.Actor, id identity.InstitutionID, file []byte) (Institution, error) {
	return s.setPicture(ctx, by, id, file, func(_ Institution, p *Picture) (Change, error) { return Change{Logo: &p}, nil })
}

// RemoveLogo takes the logo away. For admins and the operator.
func (s *Service) RemoveLogo(ctx context.Context, by identity.Actor, id identity.InstitutionID) error {
	_, err := s.SetLogo(ctx, by, id, nil)
	return err
}

// SetSignature sets the picture of a signatory's signature, from a PNG or JPEG file. For admins and the operator.
func (s *Service) SetSignature(ctx context.Context, by identity.Actor, id identity.InstitutionID, signatory string, file []byte) (Institution, error) {
	return s.setPicture(ctx, by, id, file, func(before Institution, p *Picture) (Change, error) {
		list := slices.Clone(before.Signatories)
		i := slices.IndexFunc(list, func(o Signatory) bool { return o.ID == signatory })
		if i < 0 {
			return Change{}, fault.New(fault.NotFound, "institution.signatory_not_found")
		}
		list[i].Signature = p
		return Change{Signatories: &list}, nil
	})
}

// RemoveSignature takes the picture of a signature away. For admins and the operator.
func (s *Service) RemoveSignature(ctx context.Context, by identity.Actor, id identity.InstitutionID, signatory string) error {
	_, err := s.SetSignature(ctx, by, id, signatory, nil)
	return err
}

func (s *Service) setPicture(ctx context.Context, by identity.Actor, id identity.InstitutionID, file []byte,
	change func(before Institution, p *Picture) (Change, error),
) (Institution, error) {
	if !mayAdminister(by, id) || !by.Scoped(identity.ScopeAdmin) {
		return Institution{}, fault.New(fault.Denied, "institution.members_denied")
	}
	var p *Picture
	if file != nil {
		var err error
		if p, err = s.draw(ctx, file); err != nil {
			return Institution{}, err
		}
	}
	var after Institution
	err := s.Store.InTx(ctx, func(tx Store) error {
		before, err := tx.LockInstitution(ctx, id)
		if err != nil {
			return err
		}
		c, err := change(before, p)
		if err != nil {
			return err
		}
		if err := tx.UpdateInstitution(ctx, id, c); err != nil {
			return err
		}
		if after, err = tx.FindInstitution(ctx, id); err != nil {
			return err
		}
		if c.Logo == nil {
			return s.auditChange(ctx, tx, by, before, c)
		}
		digest := ""
		if p != nil {
			digest = string(p.Digest)
		}
		return tx.Audit(ctx, s.entry(id, by, audit.LogoChanged, map[string]any{"digest": digest}))
	})
	return after, err
}

// draw draws a picture anew and keeps it.
func (s *Service) draw(ctx context.Context, file []byte) (*Picture, error) {
	if len(file) > maxUpload {
		return nil, fault.New(fault.TooLarge, "request.too_large").With("Max", fault.Bytes(maxUpload))
	}
	bad := fault.New(fault.Invalid, "request.invalid")
	data, p, err := s.Draw(file)
	switch {
	case err != nil:
		return nil, err
	case p.Width < smallestPx || p.Height < smallestPx || p.Width > widest*p.Height || p.Height > tallest*p.Width:
		return nil, bad.At(fault.Detail{Key: "institution.bad_picture_shape"})
	case len(data) > maxDrawn:
		return nil, bad.At(fault.Detail{Key: "institution.picture_too_heavy", Args: map[string]any{"Max": fault.Bytes(maxDrawn)}})
	}
	if p.Digest, err = s.Public.Put(ctx, data); err != nil {
		return nil, fmt.Errorf("keep a picture: %w", err)
	}
	return &p, nil
}

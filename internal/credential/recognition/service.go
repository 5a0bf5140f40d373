package recognition

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// Press signs for institutions; credential.Service does.
type Press interface {
	SignFor(ctx context.Context, in identity.InstitutionID, write func(credential.Desk) ([]byte, error)) ([]byte, credential.Desk, error)
}

// Keys tells what an institution's keys signed; keyring.Service does.
type Keys interface {
	SignedBy(ctx context.Context, in identity.InstitutionID, doc []byte) (keyring.Proven, error)
}

// Service is the door to recognitions.
type Service struct {
	Store Store
	Press Press
	Keys  Keys
	Now   func() time.Time
	NewID func() string
}

// Shown is a recognition as a check found it.
type Shown struct {
	Recognition
	State State
}

// New is a recognition to make.
type New struct {
	ID            ID // made by who asks: asking twice makes one
	OfDID         string
	OfAchievement string
	Terms         Terms
	ValidUntil    *time.Time
}

const (
	maxLanguages = 20
	maxName      = 200
	maxText      = 1000
	tries        = 8
)

// Recognise signs that the institution takes the achievement of another issuer for one of its own. Admins of it may. The document says so for
// ever; ending it is another act.
func (s *Service) Recognise(ctx context.Context, by identity.Actor, in identity.InstitutionID, n New) (Shown, error) {
	if err := mayRecognise(by, in); err != nil {
		return Shown{}, err
	}
	now := s.Now().UTC()
	if err := n.check(now); err != nil {
		return Shown{}, err
	}
	var err error
	for range tries {
		r := Recognition{ID: n.ID, InstitutionID: in, OfDID: n.OfDID, OfAchievement: n.OfAchievement, Terms: n.Terms, ValidUntil: n.ValidUntil}
		var d credential.Desk
		r.Document, d, err = s.Press.SignFor(ctx, in, func(d credential.Desk) ([]byte, error) {
			if d.DID == n.OfDID {
				return nil, bad("/of_did", "recognition.own")
			}
			return r.write(d)
		})
		if err != nil {
			return Shown{}, err
		}
		r.By, r.ListID, r.Index, r.CreatedAt = d.DID, d.ListID, d.Index, d.At
		err = s.Store.InTx(ctx, func(tx Store) error {
			if err := keyring.Hold(ctx, tx, keyring.Signature{KeyID: d.KeyID, At: d.At}); err != nil {
				return err
			}
			if err := tx.CreateRecognition(ctx, r); err != nil {
				return err
			}
			return tx.Audit(ctx, audit.New(in, by.UserID, now, audit.RecognitionGiven, map[string]any{"recognition": string(r.ID), "of": r.OfDID, "achievement": r.OfAchievement}))
		})
		var f *fault.Error
		if errors.As(err, &f) && (f.Key == "credential.index_taken" || f.Key == keyring.Withdrawn) {
			continue
		}
		if errors.As(err, &f) && f.Key == "recognition.exists" {
			if before, e := s.Find(ctx, n.ID); e == nil && before.InstitutionID == in {
				return before, nil
			}
		}
		return Shown{Recognition: r, State: Valid}, err
	}
	return Shown{}, err
}

func mayRecognise(by identity.Actor, in identity.InstitutionID) error {
	if by.Anonymous() {
		return fault.New(fault.Unauthenticated, "session.required")
	}
	if !by.Has(in, identity.Admin) {
		return fault.New(fault.Denied, "recognition.denied")
	}
	if !by.Scoped(identity.ScopeIssue) {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return nil
}

func bad(pointer, key string) error {
	return fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: pointer, Key: key})
}

// check brings what was sent into its stored form and tells what is wrong with it.
func (n *New) check(now time.Time) error {
	out := fault.New(fault.Invalid, "request.invalid")
	wrong := func(pointer, key string) { out.At(fault.Detail{Pointer: pointer, Key: key}) }
	if !didForm.MatchString(n.OfDID) {
		wrong("/of_did", "recognition.bad_did")
	}
	n.OfAchievement = Address(n.OfAchievement)
	u, err := url.Parse(n.OfAchievement)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.Fragment != "" || len(n.OfAchievement) > 500 || u.String() != n.OfAchievement {
		wrong("/of_achievement", "recognition.bad_achievement")
	}
	one := func(pointer, text string, most int) string {
		text = strings.TrimSpace(norm.NFC.String(text))
		if c := utf8.RuneCountInString(text); c < 1 || c > most || !identity.CleanText(strings.ReplaceAll(text, "\n", " ")) {
			wrong(pointer, "recognition.bad_text")
		}
		return text
	}
	n.Terms.OfName = one("/of_name", n.Terms.OfName, maxName)
	many := func(pointer string, texts map[string]string, most int) map[string]string {
		clean := map[string]string{}
		for l, text := range texts {
			if !languageForm.MatchString(l) || len(texts) > maxLanguages {
				wrong(pointer, "recognition.bad_language")
				break
			}
			clean[l] = one(pointer, text, most)
		}
		return clean
	}
	if len(n.Terms.As) == 0 {
		wrong("/as", "recognition.bad_text")
	}
	n.Terms.As, n.Terms.Scope, n.Terms.Conditions = many("/as", n.Terms.As, maxName), many("/scope", n.Terms.Scope, maxText), many("/conditions", n.Terms.Conditions, maxText)
	if n.ValidUntil != nil {
		until := n.ValidUntil.UTC().Truncate(time.Second)
		if n.ValidUntil = &until; !until.After(now) {
			wrong("/valid_until", "recognition.ends_before_now")
		}
	}
	if len(out.Details) > 0 {
		return out
	}
	return nil
}

// End ends a recognition, for good. Admins of its institution may. Twice is no error and keeps the first time.
func (s *Service) End(ctx context.Context, by identity.Actor, in identity.InstitutionID, id ID) error {
	if err := mayRecognise(by, in); err != nil {
		return err
	}
	r, err := s.find(ctx, id)
	if err != nil {
		return err
	}
	if r.InstitutionID != in {
		return fault.New(fault.NotFound, "recognition.not_found")
	}
	at := s.Now().UTC()
	return s.Store.InTx(ctx, func(tx Store) error {
		fresh, err := tx.EndRecognition(ctx, id, at)
		if err != nil || !fresh {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, at, audit.RecognitionEnded, map[string]any{"recognition": string(id)}))
	})
}

func (s *Service) find(ctx context.Context, id ID) (Recognition, error) {
	if !isUUID(string(id)) {
		return Recognition{}, fault.New(fault.NotFound, "recognition.not_found")
	}
	return s.Store.FindRecognition(ctx, id)
}

// Find gives a recognition to anyone, with what it is worth now.
func (s *Service) Find(ctx context.Context, id ID) (Shown, error) {
	r, err := s.find(ctx, id)
	if err != nil {
		return Shown{}, err
	}
	return s.shown(ctx, r)
}

// List lists recognitions to anyone, oldest first, each with what it is worth now.
func (s *Service) List(ctx context.Context, f Filter, after ID, limit int) ([]Shown, error) {
	if f.Achievement != "" {
		f.Achievement = Address(f.Achievement)
	}
	list, err := s.Store.ListRecognitions(ctx, f, after, limit)
	if err != nil {
		return nil, err
	}
	out := make([]Shown, len(list))
	for i, r := range list {
		if out[i], err = s.shown(ctx, r); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ListGivers lists the institutions that recognise something, or did. It is open to anyone.
func (s *Service) ListGivers(ctx context.Context) ([]identity.InstitutionID, error) {
	return s.Store.ListGivers(ctx)
}

// mostShown is how many recognitions are told beside one credential.
const mostShown = 20

// For gives the valid recognitions of an achievement of an issuer: of exactly this issuer, whatever another one calls itself.
func (s *Service) For(ctx context.Context, issuer, achievement string) ([]Shown, error) {
	if issuer == "" || achievement == "" {
		return nil, nil
	}
	return s.holding(ctx, Filter{Achievement: Address(achievement), Of: issuer}, func(Recognition) bool { return true })
}

// ForCourse is For of who knows an achievement by its course alone, as a QR code names it.
func (s *Service) ForCourse(ctx context.Context, issuer, course string) ([]Shown, error) {
	if issuer == "" || course == "" {
		return nil, nil
	}
	return s.holding(ctx, Filter{Of: issuer}, func(r Recognition) bool { return Course(r.OfAchievement) == course })
}

// Given lists what an institution recognises now, the newest first, so many at most.
func (s *Service) Given(ctx context.Context, in identity.InstitutionID, most int) ([]Shown, error) {
	var out []Shown
	err := s.each(ctx, Filter{By: in}, func(r Shown) bool {
		out = append(out, r)
		return true
	})
	slices.Reverse(out)
	return out[:min(most, len(out))], err
}

func (s *Service) holding(ctx context.Context, f Filter, is func(Recognition) bool) ([]Shown, error) {
	var out []Shown
	err := s.each(ctx, f, func(r Shown) bool {
		if is(r.Recognition) {
			out = append(out, r)
		}
		return len(out) < mostShown
	})
	return out, err
}

// each hands over those that are valid, the oldest first, until take says that it is enough.
func (s *Service) each(ctx context.Context, f Filter, take func(Shown) bool) error {
	const page = 100
	f.Holding = s.Now()
	for after := ID(""); ; {
		list, err := s.List(ctx, f, after, page)
		if err != nil {
			return err
		}
		for _, r := range list {
			if r.State == Valid && !take(r) {
				return nil
			}
		}
		if len(list) < page {
			return nil
		}
		after = list[len(list)-1].ID
	}
}

// shown checks the signature, and that the row says what was signed.
func (s *Service) shown(ctx context.Context, r Recognition) (Shown, error) {
	out := Shown{Recognition: r, State: r.state(s.Now())}
	signed, err := s.Keys.SignedBy(ctx, r.InstitutionID, r.Document)
	if err != nil {
		return Shown{}, err
	}
	if err := r.match(); !signed.Holds || err != nil {
		slog.ErrorContext(ctx, "stored recognition does not hold", "recognition", r.ID, "signed", signed.Holds, "err", err)
		out.State = Invalid
	} else if signed.KeyRevoked && out.State != Ended {
		out.State = KeyRevoked
	}
	return out, nil
}

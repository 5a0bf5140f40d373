package forms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Code gives the text of the QR code of a credential, with or without its holder's name, to anyone who has the id. It is made when it is first
// asked for, with the key that its institution signs with then, and kept; it is made again when that key or the name is another. What is too long for
// a code is cut and ends in an ellipsis, the achievement before the name. fault.NotFound: there is no such credential.
// fault.Unavailable credential.no_code: the credential cannot be said in a code, or its institution has no key.
func (s *Service) Code(ctx context.Context, id credential.ID, named bool) (string, error) {
	c, err := s.Credentials.Find(ctx, id)
	if err != nil {
		return "", err
	}
	want, err := codeClaims(c, named)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, "credential.no_code", err)
	}
	row, ok, err := s.Keys.InUse(ctx, c.InstitutionID, want.Issuer)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fault.Wrap(fault.Unavailable, "credential.no_code", fmt.Errorf("%s has no key", want.Issuer))
	}
	kept, err := s.Codes.FindCode(ctx, id, named)
	if err == nil && stillGood(kept, want, row) {
		return kept, nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return "", err
	}
	key, err := s.Keys.Open(ctx, row)
	if err != nil {
		return "", err
	}
	if want.SignedAt = s.Keys.SigningTime(row); want.SignedAt.Before(want.IssuedAt) {
		want.SignedAt = want.IssuedAt
	}
	text, err := fit(want, key)
	if err != nil {
		return "", fault.Wrap(fault.Unavailable, "credential.no_code", err)
	}
	return text, s.Codes.SaveCode(ctx, id, named, text)
}

// stillGood tells whether a kept code was signed by the key in use and says what one would say that were made now.
func stillGood(text string, want code.Claims, row keyring.Key) bool {
	got, kid, err := code.Decode(text)
	if err != nil || kid != code.KIDOf(row.Multikey) {
		return false
	}
	want.SignedAt = got.SignedAt
	want.Achievement, want.Name = sameOrCut(got.Achievement, want.Achievement), sameOrCut(got.Name, want.Name)
	return reflect.DeepEqual(got, want)
}

func sameOrCut(got, want string) string {
	if begin, cut := strings.CutSuffix(got, ellipsis); cut && strings.HasPrefix(want, begin) {
		return got
	}
	return want
}

const ellipsis = "…"

// shortest is how many letters are left of a text that is cut.
const shortest = 16

// fit signs a code, and cuts its texts until it is short enough.
func fit(c code.Claims, key signing.Key) (string, error) {
	for {
		text, err := code.Encode(c, key)
		if err == nil || !errors.Is(err, code.ErrTooLong) {
			return text, err
		}
		switch {
		case utf8.RuneCountInString(c.Achievement) > shortest:
			c.Achievement = shorten(c.Achievement)
		case utf8.RuneCountInString(c.Name) > shortest:
			c.Name = shorten(c.Name)
		default:
			return "", err
		}
	}
}

// shorten takes the last eight letters of a text away, or what is above shortest.
func shorten(s string) string {
	letters := []rune(strings.TrimSuffix(s, ellipsis))
	return strings.TrimRight(string(letters[:max(shortest-1, len(letters)-8)]), " ") + ellipsis
}

// codeClaims reads what a code says from the signed document: so it says nothing that the document does not. The name alone is the
// row's: it is erased there when the person is.
func codeClaims(c credential.Credential, named bool) (code.Claims, error) {
	claims, err := credential.ReadClaims(c.Document)
	if err != nil {
		return code.Claims{}, err
	}
	var d codeDocument
	if err := json.Unmarshal(c.Document, &d); err != nil {
		return code.Claims{}, fmt.Errorf("read credential document: %w", err)
	}
	base, err := url.Parse(strings.TrimSuffix(claims.ID, "/verify/"+string(c.ID)))
	if err != nil {
		return code.Claims{}, err
	}
	base.Host = strings.ToLower(base.Host)
	out := code.Claims{
		ID: string(c.ID), Issuer: claims.Issuer, Base: base.String(), IssuedAt: claims.IssuedAt, Achievement: oneLine(claims.Achievement),
		Course: string(c.CourseID), Locale: claims.Locale,
	}
	if named && c.Name != "" {
		out.Name = oneLine(claims.Name)
	}
	if claims.ExpiresAt != nil {
		end := claims.ExpiresAt.UTC()
		out.ExpiresAt = &end
	}
	if out.Version, err = strconv.Atoi(d.Subject.Achievement.Version); err != nil {
		return code.Claims{}, fmt.Errorf("read credential document: %w", err)
	}
	if out.Revocation, err = d.Status.place("revocation"); err != nil {
		return code.Claims{}, err
	}
	if out.Suspension, err = d.Status.place("suspension"); err != nil {
		return code.Claims{}, err
	}
	kinds := map[string]string{}
	for _, r := range d.Subject.Achievement.Results {
		kinds[r.ID] = r.Type
	}
	for _, r := range d.Subject.Results {
		switch kinds[r.Of] {
		case "ext:AssessmentLevel":
			out.Assessment = r.Value
		case "ext:AIAssistance":
			out.AIHelp = r.Value
		case "Percent":
			if p, err := strconv.ParseFloat(r.Value, 64); err == nil && p >= 0 && p <= 100 {
				n := int(math.Floor(p)) // nobody gets more than they had
				out.Score = &n
			}
		}
	}
	return out, nil
}

// codeDocument is what a code needs of a document beside its claims.
type codeDocument struct {
	Status  statusEntries `json:"credentialStatus"`
	Subject struct {
		Results []struct {
			Of    string `json:"resultDescription"`
			Value string `json:"value"`
		} `json:"result"`
		Achievement struct {
			Version string `json:"version"`
			Results []struct {
				ID   string `json:"id"`
				Type string `json:"resultType"`
			} `json:"resultDescription"`
		} `json:"achievement"`
	} `json:"credentialSubject"`
}

type statusEntry struct {
	Purpose string `json:"statusPurpose"`
	Index   string `json:"statusListIndex"`
	List    string `json:"statusListCredential"`
}

// statusEntries are one entry or several.
type statusEntries []statusEntry

// UnmarshalJSON implements json.Unmarshaler.
func (e *statusEntries) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '[' {
		return json.Unmarshal(raw, (*[]statusEntry)(e))
	}
	*e = make(statusEntries, 1)
	return json.Unmarshal(raw, &(*e)[0])
}

func (e statusEntries) place(purpose string) (*code.Place, error) {
	for _, one := range e {
		if one.Purpose != purpose {
			continue
		}
		list, err := code.ListOf(one.List[strings.LastIndexByte(one.List, '/')+1:])
		if err != nil {
			return nil, err
		}
		index, err := strconv.Atoi(one.Index)
		return &code.Place{List: list, Index: index}, err
	}
	return nil, nil
}

// oneLine makes a text fit for a code, which has no lines and no marks that turn them around.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == utf8.RuneError, r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	for len(s) > 256 {
		s = shorten(s)
	}
	return s
}

package code

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/identity"
)

const (
	tagSign1  = 18
	algEdDSA  = -8
	maxText   = 256 // bytes of one text
	maxIndex  = 1<<31 - 1
	maxNumber = 1<<31 - 1
	lastTime  = 253402300799 // the end of 9999
)

var (
	writer = must(cbor.CoreDetEncOptions().EncMode())
	reader = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   4,
		MaxArrayElements:  16,
		MaxMapPairs:       16,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// header is what COSE protects.
type header struct {
	Alg int    `cbor:"1,keyasint"`
	KID []byte `cbor:"4,keyasint"`
}

func writeHeader(kid KID) []byte { return must(writer.Marshal(header{algEdDSA, kid[:]})) }

// sign1 is COSE_Sign1 (RFC 9052, section 4.2).
type sign1 struct {
	_           struct{} `cbor:",toarray"`
	Protected   []byte
	Unprotected map[int]int
	Payload     []byte
	Signature   []byte
}

func writeCOSE(protected, payload, signature []byte) []byte {
	return must(writer.Marshal(cbor.Tag{Number: tagSign1, Content: sign1{
		Protected: protected, Unprotected: map[int]int{}, Payload: payload, Signature: signature,
	}}))
}

// readCOSE takes a COSE_Sign1 apart.
func readCOSE(raw []byte) (signed, error) {
	// Below 24 a tag is one byte.
	if len(raw) > 0 && raw[0]>>5 == 6 && raw[0] != 0xc0|tagSign1 {
		if raw[0]&0x1f < 24 {
			return signed{}, fmt.Errorf("%w: another tag", ErrCOSE)
		}
		return signed{}, fmt.Errorf("%w: a long tag", ErrCBOR)
	}
	untagged, tagged := bytes.CutPrefix(raw, []byte{0xc0 | tagSign1})
	if err := sound(untagged); err != nil {
		return signed{}, err
	}
	var c sign1
	if err := reader.Unmarshal(untagged, &c); err != nil || !tagged || len(c.Unprotected) > 0 || len(c.Signature) != 64 {
		return signed{}, fmt.Errorf("%w: other parts", ErrCOSE)
	}
	if err := sound(c.Protected); err != nil {
		return signed{}, err
	}
	var h header
	if err := reader.Unmarshal(c.Protected, &h); err != nil || len(h.KID) != len(KID{}) {
		return signed{}, fmt.Errorf("%w: other headers", ErrCOSE)
	}
	if h.Alg != algEdDSA {
		return signed{}, fmt.Errorf("%w: %d", ErrAlg, h.Alg)
	}
	// The library reads null as nothing and numbers as bytes; we write neither.
	if !bytes.Equal(c.Protected, writeHeader(KID(h.KID))) || !bytes.Equal(raw, writeCOSE(c.Protected, c.Payload, c.Signature)) {
		return signed{}, fmt.Errorf("%w: said in another way", ErrCOSE)
	}
	return signed{kid: KID(h.KID), protected: c.Protected, payload: c.Payload, signature: c.Signature}, nil
}

// sound refuses what is not one item of deterministic CBOR (RFC 8949, section 4.2.1) of moderate size, made of integers that
// JavaScript can count, strings, arrays, and maps whose keys are integers.
func sound(raw []byte) error {
	var item any
	if err := reader.Unmarshal(raw, &item); err != nil {
		return fmt.Errorf("%w: %w", ErrCBOR, err)
	}
	if !plain(item) {
		return fmt.Errorf("%w: something that codes have no use for", ErrCBOR)
	}
	again, err := writer.Marshal(item)
	if err != nil || !bytes.Equal(again, raw) {
		return fmt.Errorf("%w: not deterministic", ErrCBOR)
	}
	return nil
}

const maxInteger = 1<<53 - 1

func plain(item any) bool {
	switch v := item.(type) {
	case uint64:
		return v <= maxInteger
	case int64:
		return v >= -maxInteger
	case []byte, string:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(one any) bool { return !plain(one) })
	case map[any]any:
		for key, value := range v {
			switch key.(type) {
			case uint64, int64:
			default:
				return false
			}
			if !plain(key) || !plain(value) {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// claimSet is a CWT (RFC 8392).
type claimSet struct {
	Issuer      string      `cbor:"1,keyasint"`
	ExpiresAt   int64       `cbor:"4,keyasint,omitempty"`
	SignedAt    int64       `cbor:"6,keyasint"`
	ID          []byte      `cbor:"7,keyasint"`
	Certificate certificate `cbor:"-65537,keyasint"` // the first number for private use
}

type certificate struct {
	IssuedAt    int64  `cbor:"0,keyasint"`
	Name        string `cbor:"1,keyasint,omitempty"`
	Achievement string `cbor:"2,keyasint"`
	Course      string `cbor:"3,keyasint"`
	Version     int    `cbor:"4,keyasint"`
	Locale      string `cbor:"5,keyasint"`
	Status      []any  `cbor:"6,keyasint,omitempty"` // index, revocation list, suspension list, its index when it is another
	Score       *int   `cbor:"7,keyasint,omitempty"`
	Assessment  int    `cbor:"8,keyasint,omitempty"`
	AIHelp      int    `cbor:"9,keyasint,omitempty"`
	Base        string `cbor:"10,keyasint,omitempty"` // when it does not follow from the issuer
}

func writeClaims(c Claims) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	id := uuid.MustParse(c.ID)
	w := claimSet{Issuer: c.Issuer, SignedAt: c.SignedAt.Unix(), ID: id[:], Certificate: certificate{
		IssuedAt: c.IssuedAt.Unix(), Name: c.Name, Achievement: c.Achievement, Course: c.Course, Version: c.Version, Locale: c.Locale,
		Score: c.Score, Assessment: slices.Index(assessments, c.Assessment), AIHelp: slices.Index(helps, c.AIHelp),
	}}
	if c.ExpiresAt != nil {
		w.ExpiresAt = c.ExpiresAt.Unix()
	}
	if c.Base != baseOf(c.Issuer) {
		w.Certificate.Base = c.Base
	}
	if r, s := c.Revocation, c.Suspension; r != nil {
		w.Certificate.Status = []any{r.Index, r.List[:]}
		if s != nil {
			w.Certificate.Status = append(w.Certificate.Status, s.List[:])
			if s.Index != r.Index {
				w.Certificate.Status = append(w.Certificate.Status, s.Index)
			}
		}
	}
	return writer.Marshal(w)
}

func readClaims(raw []byte) (Claims, error) {
	if err := sound(raw); err != nil {
		return Claims{}, err
	}
	var w claimSet
	if err := reader.Unmarshal(raw, &w); err != nil {
		return Claims{}, fmt.Errorf("%w: %w", ErrClaims, err)
	}
	if w.SignedAt < 1 || w.SignedAt > lastTime || w.ExpiresAt < 0 || w.ExpiresAt > lastTime || w.Certificate.IssuedAt < 1 ||
		w.Certificate.IssuedAt > lastTime || len(w.ID) != 16 {
		return Claims{}, fmt.Errorf("%w: a time or the id", ErrClaims)
	}
	d := w.Certificate
	c := Claims{
		ID: uuid.UUID(w.ID).String(), Issuer: w.Issuer, Base: d.Base, SignedAt: time.Unix(w.SignedAt, 0).UTC(), IssuedAt: time.Unix(d.IssuedAt, 0).UTC(),
		Name: d.Name, Achievement: d.Achievement, Course: d.Course, Version: d.Version, Locale: d.Locale, Score: d.Score,
	}
	if w.ExpiresAt != 0 {
		t := time.Unix(w.ExpiresAt, 0).UTC()
		c.ExpiresAt = &t
	}
	if c.Base == "" {
		c.Base = baseOf(c.Issuer)
	}
	if d.Assessment < 0 || d.Assessment >= len(assessments) || d.AIHelp < 0 || d.AIHelp >= len(helps) {
		return Claims{}, fmt.Errorf("%w: a level", ErrClaims)
	}
	c.Assessment, c.AIHelp = assessments[d.Assessment], helps[d.AIHelp]
	var err error
	if c.Revocation, c.Suspension, err = readStatus(d.Status); err != nil {
		return Claims{}, err
	}
	// What we would leave out, or write otherwise, is refused: a claim set has one form.
	if again, err := writeClaims(c); err != nil {
		return Claims{}, err
	} else if !bytes.Equal(again, raw) {
		return Claims{}, fmt.Errorf("%w: said in another way", ErrClaims)
	}
	return c, nil
}

// readStatus reads [index, revocation list], with a suspension list behind it, and its index when it is another.
func readStatus(parts []any) (revocation, suspension *Place, err error) {
	bad := fmt.Errorf("%w: status", ErrClaims)
	if len(parts) == 0 {
		return nil, nil, nil
	}
	if len(parts) < 2 || len(parts) > 4 {
		return nil, nil, bad
	}
	place := func(list, index any) *Place {
		raw, isList := list.([]byte)
		n, isIndex := index.(uint64)
		if !isList || len(raw) != len(List{}) || !isIndex || n > maxIndex {
			return nil
		}
		return &Place{List(raw), int(n)}
	}
	if revocation = place(parts[1], parts[0]); revocation == nil {
		return nil, nil, bad
	}
	if len(parts) == 2 {
		return revocation, nil, nil
	}
	index := parts[0]
	if len(parts) == 4 {
		index = parts[3]
	}
	if suspension = place(parts[2], index); suspension == nil {
		return nil, nil, bad
	}
	return revocation, suspension, nil
}

var (
	didForm    = regexp.MustCompile(`^did:(web|key):[A-Za-z0-9.%:_-]{1,240}$`)
	baseForm   = regexp.MustCompile(`^https?://[a-z0-9.-]{1,120}(:[0-9]{1,5})?(/[A-Za-z0-9._~-]{1,64}){0,4}$`)
	courseForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	localeForm = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)
)

// check tells what is wrong with claims, whoever made them.
func (c Claims) check() error {
	claim := ""
	id, err := uuid.Parse(c.ID)
	within := func(p *Place) bool { return p == nil || p.Index >= 0 && p.Index <= maxIndex }
	instant := func(t time.Time) bool { return t.Nanosecond() == 0 && t.Unix() > 0 && t.Unix() <= lastTime }
	switch {
	case err != nil || id.String() != c.ID:
		claim = "id"
	case !didForm.MatchString(c.Issuer):
		claim = "issuer"
	case !baseForm.MatchString(c.Base):
		claim = "base"
	case !instant(c.SignedAt) || !instant(c.IssuedAt) || c.IssuedAt.After(c.SignedAt):
		claim = "times"
	case c.ExpiresAt != nil && (!instant(*c.ExpiresAt) || !c.ExpiresAt.After(c.IssuedAt)):
		claim = "expiry"
	case len(c.Name) > maxText || !identity.CleanText(c.Name):
		claim = "name"
	case c.Achievement == "" || len(c.Achievement) > maxText || !identity.CleanText(c.Achievement):
		claim = "achievement"
	case !courseForm.MatchString(c.Course) || c.Version < 1 || c.Version > maxNumber:
		claim = "course"
	case !localeForm.MatchString(c.Locale):
		claim = "locale"
	case !within(c.Revocation) || !within(c.Suspension) || c.Suspension != nil && c.Revocation == nil:
		claim = "status"
	case c.Score != nil && (*c.Score < 0 || *c.Score > 100):
		claim = "score"
	case !slices.Contains(assessments, c.Assessment):
		claim = "assessment"
	case !slices.Contains(helps, c.AIHelp):
		claim = "ai_help"
	default:
		return nil
	}
	return fmt.Errorf("%w: %s", ErrClaims, claim)
}

// baseOf gives the address that follows from a did:web of an institution on a host, "" when none does:
// did:web:<host>:<path…>:institutions:<slug> is at https://<host>/<path…>.
func baseOf(did string) string {
	rest, ok := strings.CutPrefix(did, "did:web:")
	parts := strings.Split(rest, ":")
	if n := len(parts); !ok || n < 3 || parts[n-2] != "institutions" {
		return ""
	}
	parts = parts[:len(parts)-2]
	parts[0] = strings.Replace(parts[0], "%3A", ":", 1)
	if base := "https://" + strings.Join(parts, "/"); baseForm.MatchString(base) {
		return base
	}
	return ""
}

// writeBytes writes a CBOR byte string.
func writeBytes(b *bytes.Buffer, raw []byte) { b.Write(must(writer.Marshal(raw))) }

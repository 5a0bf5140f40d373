// Package code writes a credential into a text that fits a QR code: a CWT in COSE_Sign1, in base45.
//
// The bytes are written down in docs/qr-format.md; testdata/vectors.json holds this package and the page's reader to it.
// A code is a second, shorter statement of the issuer beside the credential: whoever knows the issuer's keys checks
// it without a network. Readers are strict: each code has exactly one form, and every other form is refused.
package code

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/signing"
)

const (
	prefix = "BNY1:"
	// MaxWritten is the longest code that Encode writes: 600 characters are 89 modules a side at EC Q.
	MaxWritten = 600
	// MaxRead is the longest code that readers take.
	MaxRead = 1024
)

// The reasons to refuse a code. Their texts are names that the written format and its vectors use.
var (
	ErrNotCode = errors.New("not_code")     // does not begin as ours do
	ErrTooNew  = errors.New("too_new")      // of a later format
	ErrTooLong = errors.New("too_long")     // more than MaxRead, or, to be written, more than MaxWritten
	ErrBase45  = errors.New("base45")       // not base45
	ErrCBOR    = errors.New("cbor")         // not deterministic CBOR, too deep or too large
	ErrCOSE    = errors.New("cose")         // not a COSE_Sign1 with the known headers alone
	ErrAlg     = errors.New("alg")          // signed with something else than EdDSA
	ErrClaims  = errors.New("claims")       // a claim is missing, unknown or of another form
	ErrKey     = errors.New("unknown_key")  // nobody that we know has this key
	ErrIssuer  = errors.New("other_issuer") // the key is another issuer's
	ErrKeyTime = errors.New("key_time")     // the key did not hold when it signed
	ErrRevoked = errors.New("key_revoked")  // the key was taken back before it signed
	ErrSigned  = errors.New("signature")    // changed after it was signed
)

// KID names a key: the first eight bytes of the SHA-256 of its Multikey text.
type KID [8]byte

// KIDOf names a key.
func KIDOf(multikey string) KID {
	sum := sha256.Sum256([]byte(multikey))
	return KID(sum[:8])
}

func (k KID) String() string { return hex.EncodeToString(k[:]) }

// List is how a code names a status list: the last eight bytes of its id, a UUID. They are the random ones, so no
// issuer has two lists of that name.
type List [8]byte

// ListOf names a status list by its id.
func ListOf(id string) (List, error) {
	u, err := uuid.Parse(id)
	if err != nil || u.String() != id {
		return List{}, fmt.Errorf("%w: list %.40q", ErrClaims, id)
	}
	return List(u[8:]), nil
}

// Names tells whether it names the list that is published at an address, which ends in the list's id.
func (l List) Names(address string) bool {
	other, err := ListOf(address[strings.LastIndexByte(address, '/')+1:])
	return err == nil && l == other
}

func (l List) String() string { return hex.EncodeToString(l[:]) }

// Place is a bit in a status list.
type Place struct {
	List  List
	Index int
}

// The declared help by AI and the levels of assessment, in the order of their numbers in a code.
var (
	assessments = []string{"", "unsupervised", "supervised", "on_site"}
	helps       = []string{"", "none", "some", "much", "undeclared"}
)

// Claims are what a code says. Times are whole seconds.
type Claims struct {
	ID          string     // of the credential, a UUID
	Issuer      string     // DID
	Base        string     // where it can be checked: <Base>/verify/<ID>
	SignedAt    time.Time  // of the code
	IssuedAt    time.Time  // of the credential
	ExpiresAt   *time.Time // nil: never
	Name        string     // of the holder; "" in the form without the name
	Achievement string
	Course      string
	Version     int
	Locale      string // of the achievement's name
	Revocation  *Place // nil: cannot be revoked
	Suspension  *Place // nil: cannot be suspended
	Score       *int   // percent
	Assessment  string // unsupervised, supervised, on_site; "" says nothing
	AIHelp      string // none, some, much, undeclared; "" says nothing
}

// Address is where people check the credential.
func (c Claims) Address() string { return c.Base + "/verify/" + c.ID }

// Expired tells whether the credential is over at a time.
func (c Claims) Expired(now time.Time) bool { return c.ExpiresAt != nil && !now.Before(*c.ExpiresAt) }

// Signer signs codes; signing.Key is one.
type Signer interface {
	Sign(message []byte) ([]byte, error)
	Multikey() string
}

// Encode writes and signs a code. What readers would refuse is not written: ErrClaims says which claim, ErrTooLong
// that the texts are too long for a QR code.
func Encode(c Claims, s Signer) (string, error) {
	payload, err := writeClaims(c)
	if err != nil {
		return "", err
	}
	protected := writeHeader(KIDOf(s.Multikey()))
	signature, err := s.Sign(toSign(protected, payload))
	if err != nil {
		return "", err
	}
	text := prefix + encode45(writeCOSE(protected, payload, signature))
	if len(text) > MaxWritten {
		return "", fmt.Errorf("%w: %d characters", ErrTooLong, len(text))
	}
	return text, nil
}

// Is tells whether a text wants to be read as a code, of whatever version.
func Is(text string) bool {
	version, _, found := strings.Cut(text, ":")
	version, ours := strings.CutPrefix(version, "BNY")
	return found && ours && version != "" && strings.Trim(version, "0123456789") == ""
}

// Decode reads what a code says and which key is said to have signed it. It believes nothing: Verify does.
func Decode(text string) (Claims, KID, error) {
	s, err := read(text)
	if err != nil {
		return Claims{}, KID{}, err
	}
	return s.claims, s.kid, nil
}

type signed struct {
	claims             Claims
	kid                KID
	protected, payload []byte
	signature          []byte
}

func read(text string) (signed, error) {
	if !Is(text) {
		return signed{}, ErrNotCode
	}
	body, ours := strings.CutPrefix(text, prefix)
	if !ours {
		return signed{}, ErrTooNew
	}
	if len(text) > MaxRead {
		return signed{}, ErrTooLong
	}
	raw, err := decode45(body)
	if err != nil {
		return signed{}, err
	}
	s, err := readCOSE(raw)
	if err != nil {
		return signed{}, err
	}
	if s.claims, err = readClaims(s.payload); err != nil {
		return signed{}, err
	}
	return s, nil
}

// Key is a key of an issuer, and when it may sign.
type Key struct {
	Issuer   string // DID
	Multikey string
	From     time.Time
	Retired  *time.Time // what it signed until then stays good
	Revoked  *time.Time // what it signed from then on is worth nothing
}

// Keys finds the keys that go by a name; several may, and none is no error.
type Keys func(KID) []Key

// Verified is a code whose signature holds.
type Verified struct {
	Claims
	Key Key
}

// Verify reads a code and checks that its issuer signed it, with a key that held then. Whether the credential has
// expired, is revoked or suspended is for the caller: Claims.Expired, and the places in the status lists. With an
// error it may still tell the claims, so that people see what could not be checked; they prove nothing.
func Verify(text string, keys Keys) (Verified, error) {
	s, err := read(text)
	if err != nil {
		return Verified{}, err
	}
	v := Verified{Claims: s.claims}
	failed := ErrKey
	for _, k := range keys(s.kid) {
		if KIDOf(k.Multikey) != s.kid {
			continue
		}
		err := s.check(k)
		if err == nil {
			v.Key = k
			return v, nil
		}
		// Where several keys go by one name, the reason of the issuer's own key counts.
		if failed == ErrKey || k.Issuer == s.claims.Issuer { //nolint:errorlint // it was set here
			failed = err
		}
	}
	return v, failed
}

func (s signed) check(k Key) error {
	public, err := signing.DecodeMultikey(k.Multikey)
	if err != nil {
		return ErrKey
	}
	switch at := s.claims.SignedAt; {
	case k.Issuer != s.claims.Issuer:
		return ErrIssuer
	case !ed25519.Verify(public, toSign(s.protected, s.payload), s.signature):
		return ErrSigned
	// Codes carry whole seconds.
	case at.Before(k.From.Truncate(time.Second)), k.Retired != nil && at.After(*k.Retired):
		return ErrKeyTime
	case k.Revoked != nil && !at.Before(k.Revoked.Truncate(time.Second)):
		return ErrRevoked
	}
	return nil
}

// toSign is the Sig_structure of RFC 9052, section 4.4.
func toSign(protected, payload []byte) []byte {
	var b bytes.Buffer
	b.Write([]byte{0x84, 0x6a})
	b.WriteString("Signature1")
	writeBytes(&b, protected)
	writeBytes(&b, []byte{})
	writeBytes(&b, payload)
	return b.Bytes()
}

// Package signing keeps private keys sealed.
package signing

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/mr-tron/base58"
)

// MasterSize is the length of a master key in bytes.
const MasterSize = 32

// The reasons why a key does not open. None of them carries key material.
var (
	ErrOtherMaster = errors.New("sealed under another master key")
	ErrBroken      = errors.New("sealed key is damaged or belongs to another institution")
	ErrMultikey    = errors.New("not an Ed25519 Multikey")
)

// Sealer hides private keys at rest under a master key that it alone knows.
// A sealed key opens only for the owner it was sealed for, and as the kind of key that it is.
type Sealer interface {
	Seal(ctx context.Context, owner Owner, k Key) ([]byte, error)
	Open(ctx context.Context, owner Owner, sealed []byte) (Key, error)
	SealRSA(ctx context.Context, owner Owner, k RSAKey) ([]byte, error)
	OpenRSA(ctx context.Context, owner Owner, sealed []byte) (RSAKey, error)
}

// Safe hides keys, and short secrets that are none. Ephemeral, File, Environment and Transit are its siblings.
type Safe interface {
	Sealer
	// SealSecret hides a short secret that is no issuer's key. It opens for the same owner alone.
	SealSecret(ctx context.Context, owner string, secret []byte) ([]byte, error)
	// OpenSecret gives back what SealSecret hid.
	OpenSecret(ctx context.Context, owner string, sealed []byte) ([]byte, error)
}

// Owner binds a sealed key to its place: moved to another row, it does not open.
type Owner struct{ InstitutionID, KeyID string }

// bytes writes the lengths too, so that no two owners give the same bytes.
func (o Owner) bytes(kind string) []byte {
	return fmt.Appendf(nil, "banyan %s\n%d %s\n%d %s", kind, len(o.InstitutionID), o.InstitutionID, len(o.KeyID), o.KeyID)
}

// The kinds of what is sealed. They stand first in what binds it to its owner: no kind opens as another.
const (
	kindKey = "issuer key"
	kindRSA = "issuer RSA key"
)

// Key is an issuer's Ed25519 key. It prints, logs and marshals as its public
// half, whatever the verb. The zero Key signs nothing.
type Key struct {
	// A function, because fmt never looks into one. It does look through
	// pointers, with a verb that does not fit, when a Key stands in somebody's
	// unexported field, where its methods are out of reach.
	private func() ed25519.PrivateKey
}

func newKey(seed []byte) Key {
	private := ed25519.NewKeyFromSeed(seed)
	return Key{func() ed25519.PrivateKey { return private }}
}

// Generate makes a key from a source of randomness, crypto/rand.Reader but in tests.
func Generate(random io.Reader) (Key, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return Key{}, fmt.Errorf("read randomness: %w", err)
	}
	return newKey(seed), nil
}

// Sign signs a message.
func (k Key) Sign(message []byte) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("sign with an empty key")
	}
	return ed25519.Sign(k.private(), message), nil
}

// Multikey is the public half as verifiers read it: z6Mk….
func (k Key) Multikey() string {
	if k.private == nil {
		return ""
	}
	return EncodeMultikey(k.private().Public().(ed25519.PublicKey))
}

// String, GoString, Format, MarshalText and LogValue keep the private half out of every line.
func (k Key) String() string { return k.Multikey() }

// GoString is what %#v prints.
func (k Key) GoString() string { return "signing.Key(" + k.Multikey() + ")" }

// Format answers every verb alike: %x of a struct would print its bytes.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.Multikey()) }

// MarshalText serves JSON too.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.Multikey()), nil }

// LogValue is what slog prints.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.Multikey()) }

// ed25519Prefix is the multicodec of an Ed25519 public key.
var ed25519Prefix = []byte{0xed, 0x01}

// EncodeMultikey writes a public key as a Multikey.
func EncodeMultikey(p ed25519.PublicKey) string {
	return "z" + base58.Encode(append(ed25519Prefix[:2:2], p...))
}

// DecodeMultikey reads a public key. It takes Ed25519 keys in their one canonical form only.
func DecodeMultikey(s string) (ed25519.PublicKey, error) {
	// 48 characters, and base58 decoding costs the square of the length.
	b58, ok := strings.CutPrefix(s, "z")
	if !ok || len(s) > 64 {
		return nil, ErrMultikey
	}
	raw, err := base58.Decode(b58)
	if err != nil || len(raw) != len(ed25519Prefix)+ed25519.PublicKeySize || string(raw[:2]) != string(ed25519Prefix) {
		return nil, ErrMultikey
	}
	p := ed25519.PublicKey(raw[2:])
	if EncodeMultikey(p) != s {
		return nil, ErrMultikey
	}
	return p, nil
}

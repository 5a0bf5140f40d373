package signing

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
)

// rsaBits is the size of the keys that we make. 2048 bits are held to be enough until 2030; a certificate is to last longer.
const rsaBits = 3072

// ErrJWK tells that something is not the public half of an RSA key that we accept.
var ErrJWK = errors.New("not an RSA JWK of 2048 to 4096 bits")

// RSAKey is an issuer's RSA key, for consumers that know RS256 alone. It prints,
// logs and marshals as the thumbprint of its public half. The zero RSAKey signs nothing.
type RSAKey struct {
	private func() *rsa.PrivateKey // a function for the reason given at Key
}

// GenerateRSA makes a key of 3072 bits. It takes some tenths of a second.
func GenerateRSA() (RSAKey, error) {
	k, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return RSAKey{}, fmt.Errorf("make an RSA key: %w", err)
	}
	return RSAKey{func() *rsa.PrivateKey { return k }}, nil
}

func (k RSAKey) der() []byte { return x509.MarshalPKCS1PrivateKey(k.private()) }

func parseRSA(der []byte) (RSAKey, error) {
	p, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return RSAKey{}, ErrBroken // the parser's error might tell of the key
	}
	return RSAKey{func() *rsa.PrivateKey { return p }}, nil
}

// Sign signs a message as RS256 does: RSASSA-PKCS1-v1_5 over its SHA-256. One message has one signature.
func (k RSAKey) Sign(message []byte) ([]byte, error) {
	if k.private == nil {
		return nil, errors.New("sign with an empty key")
	}
	sum := sha256.Sum256(message)
	return rsa.SignPKCS1v15(nil, k.private(), crypto.SHA256, sum[:])
}

// JWK is the public half as RFC 7517 writes it, in the form whose digest is the thumbprint.
func (k RSAKey) JWK() string {
	if k.private == nil {
		return ""
	}
	return EncodeJWK(&k.private().PublicKey)
}

// Thumbprint names the public half: RFC 7638, SHA-256.
func (k RSAKey) Thumbprint() string {
	if k.private == nil {
		return ""
	}
	return Thumbprint(&k.private().PublicKey)
}

// EncodeJWK writes a public key as a JWK with the three members that an RSA key must have, in
// the order of RFC 7638.
func EncodeJWK(p *rsa.PublicKey) string {
	return fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, encodeInt(big.NewInt(int64(p.E))), encodeInt(p.N))
}

// Thumbprint names a public key: RFC 7638, SHA-256.
func Thumbprint(p *rsa.PublicKey) string {
	sum := sha256.Sum256([]byte(EncodeJWK(p)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// DecodeJWK reads the public half of an RSA key. Members that say more about it, such as kid and alg, are passed over; one
// with a private half is refused.
func DecodeJWK(raw []byte) (*rsa.PublicKey, error) {
	var j map[string]any
	if len(raw) > 8<<10 || json.Unmarshal(raw, &j) != nil || j["kty"] != "RSA" {
		return nil, ErrJWK
	}
	for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, ok := j[private]; ok {
			return nil, fmt.Errorf("%w: it has a private half", ErrJWK)
		}
	}
	if use, ok := j["use"]; ok && use != "sig" {
		return nil, fmt.Errorf("%w: it is not for signatures", ErrJWK)
	}
	if alg, ok := j["alg"]; ok && alg != "RS256" {
		return nil, fmt.Errorf("%w: it is not for RS256", ErrJWK)
	}
	n, e := decodeInt(j["n"]), decodeInt(j["e"])
	if n == nil || e == nil || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || e.Bit(0) == 0 || n.Bit(0) == 0 || n.BitLen() < 2048 || n.BitLen() > 4096 {
		return nil, ErrJWK
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
}

func encodeInt(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

// decodeInt reads a number in its one form, without leading zeros.
func decodeInt(v any) *big.Int {
	s, _ := v.(string)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) == 0 || raw[0] == 0 {
		return nil
	}
	return new(big.Int).SetBytes(raw)
}

// VerifyRS256 tells whether a signature over a message is the key's.
func VerifyRS256(p *rsa.PublicKey, message, sig []byte) bool {
	sum := sha256.Sum256(message)
	return rsa.VerifyPKCS1v15(p, crypto.SHA256, sum[:], sig) == nil
}

// String, GoString, Format, MarshalText and LogValue keep the private half out of every line.
func (k RSAKey) String() string { return k.Thumbprint() }

// GoString is what %#v prints.
func (k RSAKey) GoString() string { return "signing.RSAKey(" + k.Thumbprint() + ")" }

// Format answers every verb alike: %x of a struct would print its bytes.
func (k RSAKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.Thumbprint()) }

// MarshalText serves JSON too.
func (k RSAKey) MarshalText() ([]byte, error) { return []byte(k.Thumbprint()), nil }

// LogValue is what slog prints.
func (k RSAKey) LogValue() slog.Value { return slog.StringValue(k.Thumbprint()) }

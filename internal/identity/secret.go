package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// NewSecret gives 256 random bits as 43 URL-safe characters.
func NewSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // crypto/rand never fails; it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// HashSecret gives what is stored of a session's or token's secret. The secret has 256 random
// bits, so a plain digest is enough.
func HashSecret(secret string) SecretHash {
	sum := sha256.Sum256([]byte(secret))
	return SecretHash(hex.EncodeToString(sum[:]))
}

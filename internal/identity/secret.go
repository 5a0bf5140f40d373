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

// NewPassword gives a password for people to type: 60 random bits in letters
// and digits that are not taken for each other.
func NewPassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32 of them: each byte's last five bits choose evenly
	b := make([]byte, 12)
	_, _ = rand.Read(b) // crypto/rand never fails; it ends the program instead
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b)
}

// HashSecret gives what is stored of a session's or token's secret. The secret has 256 random
// bits, so a plain digest is enough.
func HashSecret(secret string) SecretHash {
	sum := sha256.Sum256([]byte(secret))
	return SecretHash(hex.EncodeToString(sum[:]))
}

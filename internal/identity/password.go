package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// OWASP's argon2id profile for small servers: 19 MiB, 2 passes, 1 lane.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32

	// What a stored hash may ask for at most: a row that somebody has
	// tampered with must not take the machine's memory.
	maxMemory = 256 * 1024 // KiB
	maxTime   = 16
)

// Hashing takes 19 MiB; a crowd that signs in at once must not take the
// machine's memory, so it stands in line.
var argonSlots = make(chan struct{}, 4)

var errBadHash = errors.New("unknown form of password hash")

// hashPassword gives the PHC string of a password.
func hashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // crypto/rand never fails; it ends the program instead
	sum, err := argon(ctx, password, salt, argonTime, argonMemory, argonThreads)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(sum)), nil
}

// checkPassword tells whether password made hash.
func checkPassword(ctx context.Context, password, hash string) (bool, error) {
	var v, m, t, p uint32
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errBadHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &v); err != nil || v != argon2.Version {
		return false, errBadHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &p); err != nil || t == 0 || p == 0 || p > 255 || t > maxTime || m > maxMemory {
		return false, errBadHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errBadHash
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) != argonKey {
		return false, errBadHash
	}
	got, err := argon(ctx, password, salt, t, m, uint8(p))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func argon(ctx context.Context, password string, salt []byte, time, memory uint32, threads uint8) ([]byte, error) {
	select {
	case argonSlots <- struct{}{}:
		defer func() { <-argonSlots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, time, memory, threads, argonKey), nil
}

// strangerHash makes what a sign-in with an unknown name is checked against, so
// that the answer takes as long as for a known one.
func strangerHash() string {
	h, err := hashPassword(context.Background(), NewSecret())
	if err != nil {
		panic(err) // unreachable: the context never ends
	}
	return h
}

// Package blob keeps bytes under their digest.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Digest names bytes by content: "sha256:" and 64 lower-case hex digits.
type Digest string

// Of computes the digest of data.
func Of(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest("sha256:" + hex.EncodeToString(sum[:]))
}

// Valid tells whether d has the form of a digest.
func (d Digest) Valid() bool {
	h, ok := strings.CutPrefix(string(d), "sha256:")
	if !ok || len(h) != 64 {
		return false
	}
	for _, c := range h {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Hex is the digest without its algorithm.
func (d Digest) Hex() string { return strings.TrimPrefix(string(d), "sha256:") }

// Store keeps blobs. Put is idempotent and durable when it returns: a blob is
// whole or absent, never half. Open gives fault.NotFound for an absent blob and
// fails when the bytes no longer match the digest.
type Store interface {
	Put(ctx context.Context, data []byte) (Digest, error)
	Open(ctx context.Context, d Digest) ([]byte, error)
	Has(ctx context.Context, d Digest) (bool, error)
}

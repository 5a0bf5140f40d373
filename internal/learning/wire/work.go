package wire

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Work is what a device has exported: a batch, and what was handed in for labs.
type Work struct {
	Batch
	Submissions []Submission
}

// Submission is one as a device writes it.
type Submission struct {
	ID           string            `json:"id"`
	EnrollmentID string            `json:"enrollment_id"`
	LabID        string            `json:"lab_id"`
	Files        map[string]string `json:"files"`
	Locale       string            `json:"locale"`
}

// workFormat is the newest that is understood.
const workFormat = 1

// ReadWork reads the text of exported work. Whose it is, the signature says: see Verify.
func ReadWork(text string) (Work, error) {
	var kind struct {
		Type   string `json:"type"`
		Format int    `json:"format"`
	}
	body := json.RawMessage(text)
	if err := json.Unmarshal(body, &kind); err != nil || kind.Type != "work" || kind.Format < 1 {
		return Work{}, fault.Wrap(fault.Invalid, "work.not_work", err)
	}
	if kind.Format > workFormat {
		return Work{}, fault.New(fault.Invalid, "work.too_new")
	}
	var w Work
	var list json.RawMessage
	yes := func() bool { return true }
	err := frame(body, field{"type", &kind.Type, yes, true}, field{"format", &kind.Format, yes, true},
		field{"device", &w.Device, func() bool { return IsV7(w.Device) }, true},
		field{"epoch", &w.Epoch, func() bool { return w.Epoch >= 1 && w.Epoch <= MaxStamp }, true},
		field{"statements", &list, func() bool { return list[0] == '[' }, true},
		field{"submissions", &w.Submissions, yes, true})
	if err != nil {
		return Work{}, fault.Wrap(fault.Invalid, "work.not_work", err)
	}
	if w.Statements, w.Bad, err = ReadStatements(list); err != nil {
		return Work{}, fault.Wrap(fault.Invalid, "work.not_work", err)
	}
	w.wantSequences()
	return w, nil
}

// Verify tells whether a device's key has signed a text: ECDSA on P-256 with SHA-256 over its bytes. The signature is r and s
// of 32 bytes each, as Web Crypto gives them, in base64url without padding.
func Verify(key *ecdsa.PublicKey, text, signature string) bool {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || len(raw) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(text))
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:]))
}

package wallet

import (
	"context"
	"encoding/json"
	"time"

	"github.com/banyan-lms/banyan/internal/identity"
)

// ImportedID is a UUIDv7.
type ImportedID string

// MaxImported is how many credentials from elsewhere a learner may keep.
const MaxImported = 200

// Format is how a credential from elsewhere is signed.
type Format string

// The formats.
const (
	JSON Format = "json" // Data Integrity proofs
	JWT  Format = "jwt"  // a VC-JWT
)

// Imported is a credential that was issued elsewhere, with what a check of it found out, and when.
type Imported struct {
	ID        ImportedID
	UserID    identity.UserID
	Digest    string // of Document; one wallet has no document twice
	Format    Format
	Document  []byte // as it was issued: out of the picture, where it came in one
	Claims    Claims
	State     string          // of the verifier
	Report    json.RawMessage // of the verifier, as it is shown
	CheckedAt time.Time
	CreatedAt time.Time
}

// Claims are what a credential from elsewhere says. All of it comes from outside.
type Claims struct {
	ID          string     `json:"id,omitempty"`
	Name        string     `json:"name,omitempty"` // of the holder
	Achievement string     `json:"achievement"`
	Locale      string     `json:"locale,omitempty"`
	Issuer      string     `json:"issuer"` // its DID or address
	IssuerName  string     `json:"issuer_name,omitempty"`
	IssuedAt    time.Time  `json:"issued_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	// AchievementID is the address of what was achieved, by which a recognition names it.
	AchievementID string `json:"achievement_id,omitempty"`
}

// StateAt is what the credential is worth at a time, by the last check: one that was valid then may have expired.
func (i Imported) StateAt(now time.Time) string {
	if at := i.Claims.ExpiresAt; i.State == "valid" && at != nil && !now.Before(*at) {
		return "expired"
	}
	return i.State
}

// showImported does not ask the issuer anew: whoever has the link must not be able to make this server call others.
func (s *Service) showImported(ctx context.Context, share Share, now time.Time) (Shown, error) {
	i, err := s.Store.FindImported(ctx, share.UserID, share.ImportedID)
	if err != nil {
		return Shown{}, err
	}
	c := i.Claims
	out := Shown{
		State: i.StateAt(now), Name: c.Name, Achievement: c.Achievement, Locale: c.Locale, Issuer: c.IssuerName,
		IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, CheckedAt: i.CheckedAt, Elsewhere: true,
	}
	if out.Issuer == "" {
		out.Issuer = c.Issuer
	}
	return out, nil
}

package wallet

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
)

// ShareID is a UUIDv7.
type ShareID string

// MaxShares is how many links of a learner may be open at a time, MaxSharesKept how many are remembered, so that those that are over can say so.
const (
	MaxShares     = 200
	MaxSharesKept = 2000
)

// Share is a link by which a learner shows one credential to whoever has it, until the learner or the date ends it.
type Share struct {
	ID           ShareID
	UserID       identity.UserID
	CredentialID credential.ID // or
	ImportedID   ImportedID    // ; neither once what was imported is removed
	Token        string        // 22 characters; see tokenForm
	Named        bool          // shows the holder's name
	CreatedAt    time.Time
	EndsAt       *time.Time // nil: when the holder ends it
	EndedAt      *time.Time
}

// Live tells whether the link still shows something.
func (s Share) Live(now time.Time) bool {
	return s.EndedAt == nil && (s.EndsAt == nil || now.Before(*s.EndsAt)) && (s.CredentialID != "" || s.ImportedID != "")
}

// NewShare is a link to make. ID may come from who makes it, so that asking again makes no second one.
type NewShare struct {
	ID           ShareID
	CredentialID credential.ID
	ImportedID   ImportedID
	Named        bool
	EndsAt       *time.Time
}

// Credentials is what wallet needs of those that were issued here.
type Credentials interface {
	Find(ctx context.Context, id credential.ID) (credential.Credential, error)
	// FindAt gives the one whose document has an id; fault.NotFound, also for those of other hosts.
	FindAt(ctx context.Context, address string) (credential.Credential, error)
	Check(ctx context.Context, id credential.ID) (credential.Standing, error)
}

// A token is 16 random bytes: nobody finds one by trying.
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{21}[AQgw]$`)

// Share makes a link to a credential of the actor's. Anybody else's is not found. A known id gives the link that was made with it.
func (s *Service) Share(ctx context.Context, by identity.Actor, n NewShare) (Share, error) {
	user, err := holder(by, true)
	if err != nil {
		return Share{}, err
	}
	now := s.Now().UTC()
	if n.EndsAt != nil && !n.EndsAt.After(now) {
		return Share{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/ends_at", Key: "share.ends_before_now"})
	}
	if (n.CredentialID == "") == (n.ImportedID == "") {
		return Share{}, fault.New(fault.Invalid, "request.invalid").At(fault.Detail{Pointer: "/credential_id", Key: "share.one_credential"})
	}
	if err := s.owns(ctx, user, n); err != nil {
		return Share{}, err
	}
	if n.ID == "" {
		n.ID = ShareID(s.NewID())
	}
	var secret [16]byte
	if _, err := io.ReadFull(s.Random, secret[:]); err != nil {
		return Share{}, fmt.Errorf("read randomness: %w", err)
	}
	made := Share{
		ID: n.ID, UserID: user, CredentialID: n.CredentialID, ImportedID: n.ImportedID, Token: base64.RawURLEncoding.EncodeToString(secret[:]),
		Named: n.Named, CreatedAt: now, EndsAt: n.EndsAt,
	}
	return s.Store.CreateShare(ctx, made, now)
}

func (s *Service) owns(ctx context.Context, user identity.UserID, n NewShare) error {
	if n.ImportedID != "" {
		_, err := s.Store.FindImported(ctx, user, n.ImportedID)
		return err
	}
	c, err := s.Credentials.Find(ctx, n.CredentialID)
	if err == nil && c.UserID != user {
		err = fault.New(fault.NotFound, "credential.not_found")
	}
	return err
}

// ListShares lists the actor's links, ended ones too, the newest first.
func (s *Service) ListShares(ctx context.Context, by identity.Actor) ([]Share, error) {
	user, err := holder(by, false)
	if err != nil {
		return nil, err
	}
	return s.Store.ListShares(ctx, user)
}

// EndShare ends a link of the actor's, for good. Twice is no error.
func (s *Service) EndShare(ctx context.Context, by identity.Actor, id ShareID) error {
	user, err := holder(by, true)
	if err != nil {
		return err
	}
	return s.Store.EndShare(ctx, user, id, s.Now().UTC())
}

// Shown is what a link shows: what the credential says and what it is worth, and neither its id nor whose account it is in, so
// that ending the link ends what whoever had it can learn.
type Shown struct {
	State         string // of credential.State, or of the verifier for what was issued elsewhere
	Name          string // "" when the holder does not show it, or it was erased
	Achievement   string
	Locale        string // of the texts, "" when unknown
	Issuer        string
	IssuedAt      time.Time
	ExpiresAt     *time.Time
	RevokedAt     *time.Time
	RevokedReason string
	CheckedAt     time.Time
	Elsewhere     bool // it was issued elsewhere, and CheckedAt is when its holder last had it checked
	EndsAt        *time.Time
}

// OpenShare shows what a link shows, to anyone who has it. fault.NotFound share.not_found for what is no link, fault.Gone share.ended
// for one that is over.
func (s *Service) OpenShare(ctx context.Context, token string) (Shown, error) {
	if !tokenForm.MatchString(token) {
		return Shown{}, fault.New(fault.NotFound, "share.not_found")
	}
	share, err := s.Store.FindShare(ctx, token)
	if err != nil {
		return Shown{}, err
	}
	now := s.Now().UTC()
	if !share.Live(now) {
		return Shown{}, fault.New(fault.Gone, "share.ended")
	}
	var shown Shown
	if share.ImportedID != "" {
		shown, err = s.showImported(ctx, share, now)
	} else {
		shown, err = s.showOwn(ctx, share)
	}
	if err != nil {
		return Shown{}, err
	}
	if !share.Named {
		shown.Name, shown.RevokedReason = "", "" // a reason may name somebody
	}
	shown.EndsAt = share.EndsAt
	return shown, nil
}

func (s *Service) showOwn(ctx context.Context, share Share) (Shown, error) {
	st, err := s.Credentials.Check(ctx, share.CredentialID)
	if err != nil {
		return Shown{}, err
	}
	out := Shown{State: string(st.State), CheckedAt: st.CheckedAt}
	if st.State == credential.Invalid {
		return out, nil // what it says is not to be believed
	}
	c := st.Claims
	out.Name, out.Achievement, out.Locale, out.Issuer, out.IssuedAt, out.ExpiresAt = c.Name, c.Achievement, c.Locale, c.IssuerName, c.IssuedAt, c.ExpiresAt
	if st.State == credential.Revoked {
		out.RevokedAt, out.RevokedReason = st.Credential.RevokedAt, st.Credential.RevokedReason
	}
	return out, nil
}

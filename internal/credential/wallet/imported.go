package wallet

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/fault"
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
	Claims    verifier.Claims
	State     verifier.State
	Report    Found
	CheckedAt time.Time
	CreatedAt time.Time
}

// Found is what a check found out, as it is kept: the verifier's report without what stands beside it.
type Found struct {
	Reasons []verifier.Reason `json:"reasons,omitempty"`
	Notes   []verifier.Reason `json:"notes,omitempty"`
	RestsOn []verifier.Basis  `json:"rests_on,omitempty"`
}

// Is tells whether claims are of the same credential. Nobody else's number counts: an issuer gives its own.
func (i Imported) Is(c verifier.Claims) bool {
	return i.Claims.ID != "" && i.Claims.ID == c.ID && i.Claims.Issuer == c.Issuer
}

// ReportAt gives the last check's report as it reads at a time: what was valid then may have expired.
func (i Imported) ReportAt(now time.Time) verifier.Report {
	r := verifier.Report{
		State: i.State, Reasons: i.Report.Reasons, Notes: i.Report.Notes, RestsOn: i.Report.RestsOn, Claims: i.Claims,
		Format: verifier.Format(i.Format), CheckedAt: i.CheckedAt,
	}
	if until := i.Claims.ValidUntil; (r.State == verifier.Valid || r.State == verifier.Unknown) && !until.IsZero() && !now.Before(until) {
		r.State, r.Reasons = verifier.Expired, []verifier.Reason{{Code: verifier.ExpiredAt, Args: map[string]any{"Date": until}}}
	}
	return r
}

// Verifier is what wallet needs to tell what a credential is worth.
type Verifier interface {
	Verify(ctx context.Context, in []byte, o verifier.Options) (verifier.Report, error)
}

// MaxDocument bounds a credential that is kept, in bytes. One has some 5 kB; a picture that it came in is not kept.
const MaxDocument = 128 << 10

// How often a learner may have something checked: it asks other hosts.
const (
	checks       = 30
	checksWithin = time.Minute
)

// Import checks a credential that was earned elsewhere (JSON, a JWT, or a PNG or SVG picture that holds one) and keeps it in the
// actor's wallet. One that is known stays as it is. fault.Invalid wallet.invalid, with the reasons: it does not hold. fault.Conflict
// wallet.own: it was issued here, to the actor, and is in the wallet anyway; wallet.full. What is revoked, expired or of an unknown issuer is kept, and shown as that.
func (s *Service) Import(ctx context.Context, by identity.Actor, raw []byte) (Imported, error) {
	user, err := holder(by, true)
	if err != nil {
		return Imported{}, err
	}
	if len(raw) == 0 {
		return Imported{}, fault.New(fault.Invalid, "credential.nothing_to_check")
	}
	r, err := s.verify(ctx, by, raw)
	if err != nil {
		return Imported{}, err
	}
	if r.State == verifier.Invalid {
		return Imported{}, refused(r)
	}
	if own, err := s.issuedTo(ctx, user, r.Claims.ID); err != nil {
		return Imported{}, err
	} else if own {
		return Imported{}, fault.New(fault.Conflict, "wallet.own")
	}
	format := JSON
	switch {
	case r.Format == verifier.QR || len(r.Document) == 0:
		return Imported{}, fault.New(fault.Invalid, "wallet.no_document")
	case len(r.Document) > MaxDocument:
		return Imported{}, fault.New(fault.TooLarge, "request.too_large").With("KiB", MaxDocument>>10)
	case r.Document[0] != '{':
		format = JWT
	}
	sum := sha256.Sum256(r.Document)
	i := Imported{
		ID: ImportedID(s.NewID()), UserID: user, Digest: "sha256:" + hex.EncodeToString(sum[:]), Format: format, Document: r.Document,
		CreatedAt: s.Now().UTC(),
	}
	i.take(r)
	return s.Store.CreateImported(ctx, i)
}

// Check checks an imported credential of the actor's once more. What is found out is kept, also that it no longer holds.
func (s *Service) Check(ctx context.Context, by identity.Actor, id ImportedID) (Imported, error) {
	user, err := holder(by, true)
	if err != nil {
		return Imported{}, err
	}
	i, err := s.Store.FindImported(ctx, user, id)
	if err != nil {
		return Imported{}, err
	}
	r, err := s.verify(ctx, by, i.Document)
	if err != nil {
		return Imported{}, err
	}
	i.take(r)
	return i, s.Store.UpdateChecked(ctx, i)
}

// issuedTo tells whether a credential was issued here to somebody: by a QR code, too, which would not be kept.
func (s *Service) issuedTo(ctx context.Context, user identity.UserID, id string) (bool, error) {
	c, err := s.Credentials.FindAt(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return err == nil && c.UserID == user, err
}

// verify checks with what the learner's institutions trust, too.
func (s *Service) verify(ctx context.Context, by identity.Actor, raw []byte) (verifier.Report, error) {
	if err := s.People.Admit(ctx, "import", string(by.UserID), checks, checksWithin); err != nil {
		return verifier.Report{}, err
	}
	return s.Verifier.Verify(ctx, raw, verifier.Options{Institutions: by.Institutions()})
}

// take notes what a check found out. What an invalid one says now is not believed: it keeps what it said when it was good.
func (i *Imported) take(r verifier.Report) {
	if r.State != verifier.Invalid {
		i.Claims = r.Claims
	}
	i.State, i.CheckedAt = r.State, r.CheckedAt.UTC().Truncate(time.Microsecond)
	i.Report = Found{Reasons: r.Reasons, Notes: r.Notes, RestsOn: r.RestsOn}
}

// refused says why a credential is not taken.
func refused(r verifier.Report) error {
	out := fault.New(fault.Invalid, "wallet.invalid")
	for _, why := range r.Reasons {
		key, args := why.Words(func(t time.Time) string { return t.UTC().Format(time.DateOnly) })
		out.At(fault.Detail{Pointer: "", Key: key, Args: args})
	}
	return out
}

// ListImported lists what the actor has imported, oldest first.
func (s *Service) ListImported(ctx context.Context, by identity.Actor) ([]Imported, error) {
	user, err := holder(by, false)
	if err != nil {
		return nil, err
	}
	return s.Store.ListImported(ctx, user)
}

// Remove takes an imported credential out of the actor's wallet and ends its links.
func (s *Service) Remove(ctx context.Context, by identity.Actor, id ImportedID) error {
	user, err := holder(by, true)
	if err != nil {
		return err
	}
	return s.Store.DeleteImported(ctx, user, id, s.Now().UTC())
}

// showImported does not ask the issuer anew: whoever has the link must not be able to make this server call others.
func (s *Service) showImported(ctx context.Context, share Share, now time.Time) (Shown, error) {
	i, err := s.Store.FindImported(ctx, share.UserID, share.ImportedID)
	if err != nil {
		return Shown{}, err
	}
	c := i.Claims
	r := i.ReportAt(now)
	out := Shown{State: string(r.State), CheckedAt: i.CheckedAt, Elsewhere: true}
	if r.State == verifier.Invalid {
		return out, nil // what it says is not to be believed
	}
	out.Name, out.Achievement, out.Locale, out.Issuer, out.IssuedAt = c.Name, c.Achievement, c.Language, cmp.Or(c.IssuerName, c.Issuer), c.ValidFrom
	if !c.ValidUntil.IsZero() {
		out.ExpiresAt = &c.ValidUntil
	}
	return out, nil
}

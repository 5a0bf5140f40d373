// Package verifier tells what a credential is worth, whoever issued it: what holds, what that rests on and how old it is.
//
// It is pure but for what its sources fetch. docs/verifying.md says what each answer means, docs/adr/0019-guarded-fetch.md why "unknown" is
// an answer.
package verifier

import (
	"context"
	"errors"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/identity"
)

// State is what a credential is worth.
type State string

// The states. Of several that fit, the first in this order is told: nobody relies on a forged credential because it is expired too.
const (
	Invalid   State = "invalid"   // it was changed, is not what it says, or its issuer never signed it
	Revoked   State = "revoked"   // its issuer took it back
	Suspended State = "suspended" // its issuer looks into it
	Expired   State = "expired"
	Unknown   State = "unknown" // nothing speaks against it, but not enough speaks for it
	Valid     State = "valid"
)

var order = []State{Invalid, Revoked, Suspended, Expired, Unknown, Valid}

// Why is a reason. Its words are the message key credential.why.<Why>.
type Why string

// The reasons. Those of Invalid come first, then those of Unknown; notes change no state.
const (
	NotReadable  Why = "not_readable" // no credential, or written so that two readers could understand it differently
	NotBadge     Why = "not_badge"    // signed, but no Open Badge
	Terms        Why = "terms"        // terms or contexts that nobody knows, or that were changed
	NoProof      Why = "no_proof"     // absent, stripped or malformed
	Purpose      Why = "purpose"      // signed for something else
	ForeignKey   Why = "foreign_key"  // the key is not the issuer's, or did not hold when it signed
	RevokedKey   Why = "revoked_key"  // the issuer revoked the key before
	Changed      Why = "changed"      // the signature does not hold
	BadIssuer    Why = "bad_issuer"   // the issuer's name is no name that can be trusted
	NotYet       Why = "not_yet"      // it begins later
	RevokedBy    Why = "revoked"      // args: Reason, Date; either may be empty
	SuspendedBy  Why = "suspended"    // the same
	ExpiredAt    Why = "expired"      // args: Date
	NoIssuer     Why = "issuer_unknown"
	NoAnswer     Why = "issuer_unreachable"
	UnknownKey   Why = "key_unknown"   // who is known here does not have this key, and nobody could be asked for a newer list
	KeyElsewhere Why = "key_elsewhere" // args: Source; the issuer's page does not say that the key there is its
	OnlyAKey     Why = "issuer_is_key"
	Unsupported  Why = "unsupported" // written or signed in a way that nobody here can judge
	NoStatus     Why = "status_unreachable"
	OldStatus    Why = "status_old"      // args: Days
	BadStatus    Why = "status_refused"  // a list that is another's, changed, or says nothing about this credential
	Replayed     Why = "status_replayed" // an older list than one that was seen
	StatusKind   Why = "status_kind"     // a status that nobody here can read
	KeyLost      Why = "key_revoked_later"
	Stranger     Why = "issuer_by_web" // note: its site vouches for the key, nobody here for the issuer
	Unlisted     Why = "no_status"     // note: the issuer could not take it back
	MoreProofs   Why = "more_proofs"   // note: there are proofs beside those that hold, of kinds that nobody here can check
	Offline      Why = "offline"       // note: nothing was asked for
	ClockDoubted Why = "clock"         // note: this computer's clock is behind what others signed
)

// Reason is why a credential is in its state, or a note beside it.
type Reason struct {
	Code Why
	Args map[string]any // texts and times, for the words
}

// BasisKind is a kind of thing that an answer rests on.
type BasisKind string

// The kinds.
const (
	Signature BasisKind = "signature"
	Issuing   BasisKind = "issuer"
	Status    BasisKind = "status"
	TrustList BasisKind = "trust_list"
	Clock     BasisKind = "clock"
)

// Basis is one thing that the answer rests on.
type Basis struct {
	Kind   BasisKind
	From   Origin
	Source string    // a key, a DID, an address, the name of a file
	At     time.Time // when it was said; zero when that is not known
	By     string    // the name of the institution on whose trust it rests; "" where it is nobody's or the operator's
}

// Origin says where something is known from. Its words are the message key credential.origin.<Origin>.
type Origin string

// The origins.
const (
	Here     Origin = "here"     // this server's own register
	Trusted  Origin = "trusted"  // a trust list of a publisher whom the operator trusts
	Circle   Origin = "circle"   // a trust list of a publisher whom an institution of the asker trusts
	Given    Origin = "given"    // a file that the caller named
	Web      Origin = "web"      // fetched from the issuer's host
	Self     Origin = "self"     // the credential's own words
	Computer Origin = "computer" // this computer
)

// vouched tells whether it is the word of a publisher whom somebody here trusts.
func (o Origin) vouched() bool { return o == Trusted || o == Circle }

// Format is what the credential came as.
type Format string

// The formats.
const (
	JSON Format = "json"
	JWT  Format = "jwt"
	PNG  Format = "png"
	SVG  Format = "svg"
	QR   Format = "qr"
)

// Report is the answer.
type Report struct {
	State   State
	Reasons []Reason // of the state; empty when valid
	Notes   []Reason // what a reader should know beside it
	RestsOn []Basis
	Claims  Claims // what it says; of an invalid one nobody should believe it
	// Recognitions are what institutions take the achievement for; of a credential that does not count there are none.
	Recognitions []Recognition

	Format    Format
	Document  []byte // the credential as it was found, out of its picture
	Offline   bool
	CheckedAt time.Time
}

// Readable tells whether there are claims that may be shown: those of what was signed, or at least not found to be forged.
func (r Report) Readable() bool { return r.State != Invalid && r.Claims.Issuer != "" }

// Options are the caller's wishes.
type Options struct {
	Offline bool // nothing is fetched
	// Institutions are those of who asks. Whom they trust counts beside whom the operator trusts, and the report says on whose trust it rests.
	Institutions []identity.InstitutionID
}

// The reasons why a source does not name what it is asked for.
var (
	ErrUnknown     = errors.New("not known")
	ErrUnreachable = errors.New("not reachable")
	errBadIssuer   = errors.New("not an issuer's name")
)

// Issuer is who signs credentials.
type Issuer struct {
	DID    string
	Names  map[string]string // by language; "und" when that is not known
	Keys   []Key
	From   Origin
	Source string    // who says so: a publisher, an address
	By     string    // the name of the institution that trusts who says so; "" where it is the operator
	At     time.Time // when that was said
	Final  bool      // all its keys are here: another one is not its
	Lists  []string  // addresses of its status lists, as far as they are known: a code names one by its last letters
}

// Key is a key of an issuer.
type Key struct {
	ID       string // DID URL
	Multikey string // Ed25519; "" when it is of another kind
	JWK      []byte // the public key as JWK, of those kinds
	From     time.Time
	Retired  time.Time // what it signs later does not count; zero: in use
	Revoked  time.Time
}

// Issuers knows issuers. It answers ErrUnknown or ErrUnreachable for those that it does not; other errors end the check.
type Issuers interface {
	FindIssuer(ctx context.Context, did string) (Issuer, error)
}

// List is a status list as it was found.
type List struct {
	Document []byte
	From     Origin
	By       string    // as of an Issuer
	At       time.Time // when its host gave it for current; zero: no better time is known than that of its signature
}

// Lists knows status lists by their address, with ErrUnknown or ErrUnreachable for the others.
type Lists interface {
	FindList(ctx context.Context, address string) (List, error)
}

// Sources knows issuers, their lists, and what they recognise.
type Sources interface {
	Issuers
	Lists
	Recognisers
}

// Standing is what the issuer's own register says about one credential.
type Standing struct {
	RevokedAt, SuspendedAt         time.Time // zero: not
	RevokedReason, SuspendedReason string
}

// Register knows what no status list says: when and why. It answers ErrUnknown for what is not in it.
type Register interface {
	FindStanding(ctx context.Context, issuer, credentialID string) (Standing, error)
}

// Verifier checks credentials. Its sources are asked in order, and the first that knows is believed. The zero Verifier knows nobody
// and fetches nothing. Several may use one at once.
type Verifier struct {
	Issuers []Issuers
	Lists   []Lists
	// Of gives what the publishers say whom an institution trusts; nil: nothing. They are asked after those above.
	Of       func(in identity.InstitutionID) Sources
	Register Register
	// Recognisers are asked all, and believed in this order.
	Recognisers []Recognisers

	Web    *fetch.Client    // nil: nothing is ever fetched
	Memory *Memory          // nil: every list is checked anew
	Book   Book             // of the newest lists that were seen; Memory when nil
	MaxAge time.Duration    // of a status; 7 days when 0
	Now    func() time.Time // time.Now when nil
}

// DefaultMaxAge is how old a status may be. Lists of ours are signed for as long.
const DefaultMaxAge = 7 * 24 * time.Hour

// skew is how far clocks may be apart.
const skew = 10 * time.Minute

// MaxInput is how many bytes a credential may come in.
const MaxInput = 256 << 10

// Verify tells what a credential is worth now: its JSON, a JWT, a picture that carries one, or the text of a QR code. An error means that
// the check itself could not be made, never that the credential is bad.
func (v *Verifier) Verify(ctx context.Context, in []byte, o Options) (Report, error) {
	c := v.begin(o)
	c.open(ctx, in)
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	if c.broken != nil {
		return Report{}, c.broken
	}
	c.conclude()
	if err := c.worth(ctx); err != nil {
		return Report{}, err
	}
	return c.Report, nil
}

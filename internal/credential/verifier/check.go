package verifier

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/fetch"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
)

// check is one credential on its way.
type check struct {
	*Verifier
	Report
	circles []Sources // of the asker's institutions
	now     time.Time
	issuer  Issuer    // who signed it, once that is known
	signed  time.Time // when
	course  string    // that it is about, where its address is not said
	found   []finding
	broken  error // the check itself failed
}

// finding is a reason with the state that it makes.
type finding struct {
	state State
	Reason
}

// refusal is a finding on its way up, where an error must be given.
type refusal struct{ finding }

func (r refusal) Error() string { return string(r.Code) }

func refuse(s State, why Why) error { return refusal{finding{s, Reason{Code: why}}} }

func (v *Verifier) begin(o Options) *check {
	now := time.Now()
	if v.Now != nil {
		now = v.Now()
	}
	c := &check{Verifier: v, now: now.UTC()}
	c.circles = v.circlesOf(o.Institutions)
	c.Report = Report{CheckedAt: c.now, Offline: o.Offline || v.Web == nil}
	c.rest(Basis{Clock, Computer, "", c.now, ""})
	return c
}

func (c *check) say(s State, why Why, args map[string]any) {
	c.found = append(c.found, finding{s, Reason{why, args}})
}

func (c *check) note(why Why, args map[string]any) { c.Notes = append(c.Notes, Reason{why, args}) }

func (c *check) rest(b Basis) { c.RestsOn = append(c.RestsOn, b) }

// maxCircles bounds how many institutions of one asker are asked.
const maxCircles = 16

func (v *Verifier) circlesOf(in []identity.InstitutionID) []Sources {
	var out []Sources
	if v.Of != nil {
		for _, id := range in[:min(len(in), maxCircles)] {
			out = append(out, v.Of(id))
		}
	}
	return out
}

// take records an error: a refusal speaks of the credential, anything else of us.
func (c *check) take(err error) {
	var r refusal
	switch {
	case err == nil:
	case errors.As(err, &r):
		c.found = append(c.found, r.finding)
	case c.broken == nil:
		c.broken = err
	}
}

// conclude finds the state that counts. Its reasons stay reasons, the others become notes.
func (c *check) conclude() {
	if c.Offline {
		c.note(Offline, nil)
	}
	c.State = Valid
	for _, s := range order {
		if slices.ContainsFunc(c.found, func(f finding) bool { return f.state == s }) {
			c.State = s
			break
		}
	}
	for _, f := range c.found {
		switch {
		case f.state == c.State:
			c.Reasons = append(c.Reasons, f.Reason)
		case c.State != Invalid:
			c.note(f.Code, f.Args)
		}
	}
	if c.State == Invalid {
		c.Notes = nil // what a forgery says beside it is of no weight
	}
}

// json checks a credential with embedded proofs.
func (c *check) json(ctx context.Context, doc []byte) {
	tree, ok := c.read(doc)
	if !ok {
		return
	}
	verified, err := c.verifyProofs(ctx, doc, c.Claims.Issuer)
	if err != nil {
		c.take(c.refused(c.unsupported(ctx, err, tree)))
		return
	}
	c.signature(verified.Method, verified.Created, verified.Revoked)
	if len(verified.Passed) > 0 {
		c.note(MoreProofs, nil)
	}
	if end := verified.Expires; !end.IsZero() && !c.now.Before(end) {
		c.say(Expired, ExpiredAt, map[string]any{"Date": end})
	}
	c.contents(ctx, tree)
}

// jwt checks a credential as a token.
func (c *check) jwt(ctx context.Context, token string) {
	var tree map[string]any
	if doc, ok := payload(token); ok {
		tree, _ = c.read(doc) // so that people see what could not be checked
		c.found = nil
	}
	verified, err := vcjwt.Verify(ctx, token, c, c)
	if err != nil {
		c.take(c.refused(c.unsupported(ctx, err, tree)))
		return
	}
	tree, ok := c.read(verified.Document)
	if !ok {
		return
	}
	c.Document = []byte(token)
	c.signature(verified.Method, verified.Signed, verified.Revoked)
	c.contents(ctx, tree)
}

// payload is what a token carries.
func payload(token string) ([]byte, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, false
	}
	doc, err := base64.RawURLEncoding.DecodeString(parts[1])
	return doc, err == nil
}

// read reads a credential and its claims, before anything of it is checked.
func (c *check) read(doc []byte) (tree map[string]any, ok bool) {
	if err := json.Unmarshal(doc, &tree); err != nil || tree == nil {
		c.say(Invalid, NotReadable, nil)
		return nil, false
	}
	c.Document, c.Claims = doc, readClaims(tree)
	return tree, true
}

// signature records a signature that holds.
func (c *check) signature(method string, at time.Time, lost time.Time) {
	c.signed = at
	c.rest(Basis{Signature, Self, method, at, ""})
	i := c.issuer
	kind := Issuing
	if i.From.vouched() {
		kind = TrustList
	}
	c.rest(Basis{kind, i.From, i.Source, i.At, i.By})
	if !lost.IsZero() {
		c.note(KeyLost, map[string]any{"Date": lost})
	}
	switch i.From {
	case Web:
		c.note(Stranger, map[string]any{"Source": i.Source})
	case Self:
		c.say(Unknown, OnlyAKey, nil)
	}
}

// unsupported tells what merely cannot be judged here from what is wrong: a credential of a stranger in other contexts, of version 1 of the data
// model, with credentials within or signed with an unknown suite may be good. Who is known here signs in no such way, a name
// that imitates one is wrong whatever it signs, and what is no credential at all is no good one either.
func (c *check) unsupported(ctx context.Context, err error, tree map[string]any) error {
	if !errors.Is(err, proof.ErrUnsupported) || !isCredential(tree) || c.signsAsWeDo(ctx, c.Claims.Issuer) {
		return err
	}
	if err := checkDID(c.Claims.Issuer); err != nil && !errors.Is(err, ErrUnknown) {
		return refuse(Invalid, BadIssuer)
	}
	return refuse(Unknown, Unsupported)
}

// isCredential tells whether something says at least that it is a verifiable credential, of any version.
func isCredential(tree map[string]any) bool {
	if inner, ok := tree["vc"].(map[string]any); ok {
		tree = inner
	}
	_, named := tree["issuer"]
	return len(texts(tree["@context"])) > 0 && slices.Contains(texts(tree["type"]), "VerifiableCredential") && (named || tree["credentialSubject"] != nil)
}

// refused says which of our reasons an error of package proof is.
func (c *check) refused(err error) error {
	var r refusal
	if errors.As(err, &r) {
		return err
	}
	for _, known := range []struct {
		err error
		why Why
	}{
		{proof.ErrRevoked, RevokedKey}, // the more telling before the more general
		{proof.ErrMethod, ForeignKey},
		{proof.ErrSignature, Changed},
		{proof.ErrPurpose, Purpose},
		{proof.ErrProof, NoProof},
		{proof.ErrContext, Terms},
		{proof.ErrForm, Terms},
	} {
		if errors.Is(err, known.err) {
			var broken *sourceError
			if errors.As(err, &broken) {
				return broken.error
			}
			return refuse(Invalid, known.why)
		}
	}
	return err
}

// contents checks what was signed: what it is, when it holds, whether it was taken back.
func (c *check) contents(ctx context.Context, tree map[string]any) {
	types := texts(tree["type"])
	if !slices.ContainsFunc(types, func(t string) bool {
		return t == "AchievementCredential" || t == "OpenBadgeCredential" || t == "EndorsementCredential"
	}) {
		c.say(Invalid, NotBadge, nil)
		return
	}
	for _, name := range []string{"validFrom", "validUntil"} {
		if v, ok := tree[name]; ok {
			if _, err := readTime(v); err != nil {
				c.say(Invalid, Terms, nil)
				return
			}
		}
	}
	entries, listed := c.statuses(tree["credentialStatus"])
	c.standing(ctx, entries, listed)
}

// maxStatuses is how many entries one credential may have. Each may name another host: nobody shall make us ask hundreds.
const maxStatuses = 8

// statuses gives the entries that can be looked up, and tells whether there are any of whatever kind. An entry that is only named says nothing.
func (c *check) statuses(v any) (entries []map[string]any, listed bool) {
	all, isList := v.([]any)
	if !isList && v != nil {
		all = []any{v}
	}
	if entries = objects(all); len(entries) < len(all) || len(all) > maxStatuses {
		c.say(Unknown, StatusKind, nil)
	}
	return entries[:min(len(entries), maxStatuses)], len(all) > 0
}

// standing tells whether what was signed holds now: it was not taken back, has begun and is not over.
func (c *check) standing(ctx context.Context, statuses []map[string]any, listed bool) {
	latest := c.now
	for _, entry := range statuses {
		if at := c.status(ctx, entry); at.After(latest.Add(skew)) {
			latest = at
		}
	}
	if !listed {
		c.note(Unlisted, nil)
	}
	c.register(ctx)
	if latest.After(c.now) {
		c.note(ClockDoubted, map[string]any{"Date": latest})
	}
	if at := c.Claims.ValidFrom; at.After(latest.Add(skew)) {
		c.say(Invalid, NotYet, map[string]any{"Date": at})
	}
	if at := c.Claims.ValidUntil; !at.IsZero() && !latest.Before(at) {
		c.say(Expired, ExpiredAt, map[string]any{"Date": at})
	}
}

// register adds what this server's own books say of a credential of its own.
func (c *check) register(ctx context.Context) {
	if c.Register == nil || c.issuer.From != Here {
		return
	}
	s, err := c.Register.FindStanding(ctx, c.issuer.DID, c.Claims.ID)
	if errors.Is(err, ErrUnknown) {
		return
	}
	if err != nil {
		c.take(err)
		return
	}
	tell := func(state State, why Why, at time.Time, reason string) {
		args := map[string]any{"Date": at, "Reason": reason}
		for i := range c.found {
			if c.found[i].Code == why {
				c.found[i].Args = args
				return
			}
		}
		c.say(state, why, args)
	}
	if !s.RevokedAt.IsZero() {
		tell(Revoked, RevokedBy, s.RevokedAt, s.RevokedReason)
	}
	if !s.SuspendedAt.IsZero() {
		tell(Suspended, SuspendedBy, s.SuspendedAt, s.SuspendedReason)
	}
}

// sourceError is an error of a source that is neither about the credential nor about the issuer.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// verifyProofs checks every proof of a document that is known here. What a Banyan server signs must be whole: taking one of its
// two proofs away is a change. Of others nobody knows how many there were.
func (c *check) verifyProofs(ctx context.Context, doc []byte, issuer string) (proof.Verified, error) {
	if c.signsAsWeDo(ctx, issuer) {
		return proof.Verify(ctx, doc, c)
	}
	return proof.VerifyAny(ctx, doc, c)
}

// signsAsWeDo tells whether an issuer is one of this server or of whom somebody here trusts.
func (c *check) signsAsWeDo(ctx context.Context, issuer string) bool {
	for _, source := range c.known() {
		i, err := source.FindIssuer(ctx, issuer)
		if err == nil && (i.From == Here || i.From.vouched()) {
			return true
		}
	}
	return false
}

// ResolveMethod implements proof.Resolver.
func (c *check) ResolveMethod(ctx context.Context, id string) (proof.Method, error) {
	did, _, _ := strings.Cut(id, "#")
	k, err := c.key(ctx, did, func(k Key) bool { return k.ID == id })
	if err != nil {
		return proof.Method{}, err
	}
	if k.Multikey == "" {
		return proof.Method{}, refuse(Invalid, ForeignKey)
	}
	return proof.Method{Controller: did, Multikey: k.Multikey, NotBefore: k.From, NotAfter: k.Retired, Revoked: k.Revoked}, nil
}

// ResolveRSA implements vcjwt.Resolver.
func (c *check) ResolveRSA(ctx context.Context, id string) (vcjwt.Method, error) {
	did, fragment, _ := strings.Cut(id, "#")
	if issuer := c.Claims.Issuer; isPage(issuer) && isPage(did) && did != issuer {
		return c.pageRSA(ctx, issuer, id)
	}
	var public *rsa.PublicKey
	k, err := c.key(ctx, did, func(k Key) bool {
		if len(k.JWK) == 0 {
			return false
		}
		p, err := signing.DecodeJWK(k.JWK)
		if err != nil || k.ID != id && signing.Thumbprint(p) != fragment {
			return false
		}
		public = p
		return true
	})
	if err != nil {
		return vcjwt.Method{}, err
	}
	return vcjwt.Method{Controller: did, Key: public, NotBefore: k.From, NotAfter: k.Retired, Revoked: k.Revoked}, nil
}

// key finds a key among what the sources say of its controller, and remembers who that is.
func (c *check) key(ctx context.Context, did string, is func(Key) bool) (Key, error) {
	switch err := checkIssuer(did); {
	case errors.Is(err, ErrUnknown):
		return Key{}, refuse(Unknown, NoIssuer)
	case err != nil:
		return Key{}, refuse(Invalid, BadIssuer)
	}
	known, unreachable := false, false
	for _, source := range c.sources() {
		i, err := source.FindIssuer(ctx, did)
		switch {
		case err == nil:
		case errors.Is(err, ErrUnknown):
			continue
		case errors.Is(err, ErrUnreachable):
			unreachable = true
			continue
		default:
			return Key{}, &sourceError{fmt.Errorf("find issuer %s: %w", did, err)}
		}
		if i.DID != did {
			return Key{}, &sourceError{fmt.Errorf("find issuer %s: got %s", did, i.DID)}
		}
		if at := slices.IndexFunc(i.Keys, is); at >= 0 {
			c.issuer = i
			return c.fresher(ctx, i, i.Keys[at]), nil
		}
		if i.Final {
			return Key{}, refuse(Invalid, ForeignKey)
		}
		known = true
	}
	switch {
	case unreachable:
		return Key{}, refuse(Unknown, NoAnswer)
	case known:
		return Key{}, refuse(Unknown, UnknownKey)
	}
	return Key{}, refuse(Unknown, NoIssuer)
}

// fresher asks all others whether the issuer has revoked a key since somebody told us of it: whoever else is trusted, and its own host.
func (c *check) fresher(ctx context.Context, i Issuer, k Key) Key {
	if !i.From.vouched() && i.From != Given {
		return k
	}
	others := c.known()
	if !c.Offline {
		others = append(others, webIssuers{c.Web})
	}
	for _, source := range others {
		now, err := source.FindIssuer(ctx, i.DID)
		if err != nil {
			continue
		}
		for _, other := range now.Keys {
			if other.ID == k.ID && !other.Revoked.IsZero() && (k.Revoked.IsZero() || other.Revoked.Before(k.Revoked)) {
				k.Revoked = other.Revoked
			}
		}
	}
	return k
}

// known are the sources of the server, then those of the asker's institutions.
func (c *check) known() []Issuers {
	out := slices.Clone(c.Issuers)
	for _, circle := range c.circles {
		out = append(out, circle)
	}
	return out
}

// sources are those, then what a name itself says, then the host that it names.
func (c *check) sources() []Issuers {
	out := append(c.known(), keyIssuers{})
	if !c.Offline {
		out = append(out, webIssuers{c.Web})
	}
	return out
}

// webList asks an address for a status list.
func (c *check) webList(ctx context.Context, address string) (List, error) {
	d, err := c.Web.Fetch(ctx, fetch.StatusList, address)
	if err != nil {
		return List{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return List{Document: d.Body, From: Web, At: d.FetchedAt}, nil
}

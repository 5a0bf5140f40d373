package verifier

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/vcjwt"
)

// What a status list may be: at least as long as the specification demands, so that a place tells nothing about whose it is.
const (
	minPlaces = 131_072
	maxPlaces = 32 << 20 // 4 MiB unpacked
)

var indexForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})$`)

// status looks a credential up in one of its status lists. It gives the time at which that list was signed, zero when there is none.
func (c *check) status(ctx context.Context, entry map[string]any) time.Time {
	if entry["type"] == revocationList {
		c.revocations(ctx, entry)
		return time.Time{}
	}
	purpose, _ := entry["statusPurpose"].(string)
	address, _ := entry["statusListCredential"].(string)
	size, hasSize := entry["statusSize"]
	if entry["type"] != "BitstringStatusListEntry" || purpose != "revocation" && purpose != "suspension" || hasSize && size != float64(1) {
		c.say(Unknown, StatusKind, nil)
		return time.Time{}
	}
	text, _ := entry["statusListIndex"].(string)
	index, err := strconv.Atoi(text)
	if err != nil || !indexForm.MatchString(text) || address == "" {
		c.say(Invalid, BadStatus, nil)
		return time.Time{}
	}
	var refused error
	var best foundList
	var read *readList
	for list := range c.lists(ctx, address) {
		if list.err != nil {
			refused = firstOf(refused, list.err)
			continue
		}
		l, err := c.readList(ctx, list.List, address, purpose)
		if err != nil {
			refused = firstOf(refused, err)
			continue
		}
		if _, ok := l.bit(index); !ok {
			refused = firstOf(refused, refuse(Unknown, BadStatus))
			continue
		}
		if read == nil || l.signed.After(read.signed) {
			best, read = list, l
		}
		if list.From == Here {
			break // nobody has a newer one
		}
	}
	if read == nil {
		c.take(firstOf(refused, refuse(Unknown, NoStatus)))
		return time.Time{}
	}
	set, _ := read.bit(index)
	return c.judge(ctx, best.List, read, address, purpose, set)
}

func firstOf(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

type foundList struct {
	List
	err error
}

// lists gives what is known under an address: this server's own and no other, or what the issuer's host says now, then copies.
func (c *check) lists(ctx context.Context, address string) func(yield func(foundList) bool) {
	return func(yield func(foundList) bool) {
		var copies []List
		sources := slices.Clone(c.Lists)
		for _, circle := range c.circles {
			sources = append(sources, circle)
		}
		for _, source := range sources {
			l, err := source.FindList(ctx, address)
			switch {
			case errors.Is(err, ErrUnknown), errors.Is(err, ErrUnreachable):
			case err != nil:
				yield(foundList{err: fmt.Errorf("find status list %s: %w", address, err)})
				return
			case l.From == Here:
				yield(foundList{List: l})
				return
			default:
				copies = append(copies, l)
			}
		}
		if !c.Offline {
			if l, err := c.webList(ctx, address); err == nil && !yield(foundList{List: l}) {
				return
			}
		}
		for _, l := range copies {
			if !yield(foundList{List: l}) {
				return
			}
		}
	}
}

// judge says what a place in a list means, and how much its age takes away. What was revoked stays so, however old the list is.
func (c *check) judge(ctx context.Context, list List, l *readList, address, purpose string, set bool) time.Time {
	at := l.signed
	if !list.At.IsZero() {
		at = list.At
	}
	c.rest(Basis{Status, list.From, address, at, list.By})
	newest := list.From == Here || c.newest(ctx, address, purpose, l)
	switch {
	case set && purpose == "revocation":
		c.say(Revoked, RevokedBy, map[string]any{"Date": time.Time{}, "Reason": ""})
	case set:
		c.say(Suspended, SuspendedBy, map[string]any{"Date": time.Time{}, "Reason": ""})
	}
	if !newest {
		c.say(Unknown, Replayed, nil)
		return l.signed
	}
	if c.tooOld(at) || !l.until.IsZero() && !c.now.Before(l.until) {
		c.old(at)
	}
	return l.signed
}

// tooOld tells whether a word of that time on revocation is too old to rely on.
func (c *check) tooOld(at time.Time) bool {
	maxAge := c.MaxAge
	if maxAge == 0 {
		maxAge = DefaultMaxAge
	}
	return c.now.Sub(at) > maxAge
}

func (c *check) old(at time.Time) {
	c.say(Unknown, OldStatus, map[string]any{"Days": int(c.now.Sub(at) / (24 * time.Hour)), "Date": at})
}

// readList is a status list whose signature was checked.
type readList struct {
	digest        [sha256.Size]byte
	signed, until time.Time
	bits          []byte
}

// bit gives a place; place 0 is the leftmost bit.
func (l *readList) bit(i int) (set, ok bool) {
	if i < 0 || i >= len(l.bits)*8 {
		return false, false
	}
	return l.bits[i/8]&(1<<(7-i%8)) != 0, true
}

// readList checks that a list is the issuer's own, signed, of the address and purpose that the credential names.
func (c *check) readList(ctx context.Context, list List, address, purpose string) (*readList, error) {
	bad := refuse(Unknown, BadStatus)
	key := listKey{c.issuer.DID, address, purpose, sha256.Sum256(list.Document)}
	if l, ok := c.Memory.list(key); ok {
		return l, nil
	}
	issuer := c.issuer
	doc, signed, err := c.verifyList(ctx, list.Document)
	signer := c.issuer.DID
	c.issuer = issuer
	if err != nil {
		var r refusal
		if err := c.refused(err); !errors.As(err, &r) {
			return nil, err // of a source of ours
		}
		return nil, bad
	}
	var d struct {
		ID      string `json:"id"`
		Type    any    `json:"type"`
		Issuer  any    `json:"issuer"`
		From    any    `json:"validFrom"`
		Until   any    `json:"validUntil"`
		Subject struct {
			Type    any    `json:"type"`
			Purpose any    `json:"statusPurpose"`
			Encoded string `json:"encodedList"`
			Size    any    `json:"statusSize"`
		} `json:"credentialSubject"`
	}
	if err := json.Unmarshal(doc, &d); err != nil {
		return nil, bad
	}
	switch {
	case signer != issuer.DID || idOf(d.Issuer) != issuer.DID,
		d.ID != "" && d.ID != address,
		!slices.Contains(texts(d.Type), "BitstringStatusListCredential"),
		!slices.Contains(texts(d.Subject.Type), "BitstringStatusList"),
		!slices.Contains(texts(d.Subject.Purpose), purpose),
		d.Subject.Size != nil && d.Subject.Size != float64(1):
		return nil, bad
	}
	l := &readList{digest: key.digest, signed: signed}
	if d.From != nil {
		if l.signed, err = readTime(d.From); err != nil {
			return nil, bad
		}
	}
	if d.Until != nil {
		if l.until, err = readTime(d.Until); err != nil {
			return nil, bad
		}
	}
	if l.bits, err = unpack(d.Subject.Encoded); err != nil {
		return nil, bad
	}
	c.Memory.keep(key, l)
	return l, nil
}

// verifyList checks the signature of a list in either form, and gives what was signed and when.
func (c *check) verifyList(ctx context.Context, list []byte) (doc []byte, at time.Time, err error) {
	if text := string(bytes.TrimSpace(list)); vcjwt.Is(text) {
		v, err := vcjwt.Verify(ctx, text, c, c)
		return v.Document, v.Signed, err
	}
	v, err := c.verifyProofs(ctx, list, c.issuer.DID)
	return list, v.Created, err
}

// unpack reads the bits: multibase u, base64url, gzip. What would become larger than any list is given up before it has.
func unpack(encoded string) ([]byte, error) {
	text, ok := strings.CutPrefix(encoded, "u")
	if !ok {
		return nil, errors.New("not multibase u")
	}
	packed, err := base64.RawURLEncoding.Strict().DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, err
	}
	in := bytes.NewReader(packed)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	bits, err := io.ReadAll(io.LimitReader(z, maxPlaces/8+1))
	if err != nil {
		return nil, err
	}
	if len(bits) > maxPlaces/8 || len(bits) < minPlaces/8 || in.Len() > 0 {
		return nil, fmt.Errorf("%d bytes of bits", len(bits))
	}
	return bits, nil
}

// Memory is what a process remembers of status lists: how new the newest was that it saw, so that no older one is passed off for it,
// and the last ones that it checked. The zero Memory is ready.
type Memory struct {
	mu    sync.Mutex
	seen  map[seenKey]Seen
	lists map[listKey]*readList
	bytes int
}

type seenKey struct{ issuer, address, purpose string }

type listKey struct {
	issuer, address, purpose string
	digest                   [sha256.Size]byte
}

const (
	maxSeen      = 8192
	maxListBytes = 16 << 20
)

// Seen is a status list as it was seen.
type Seen struct {
	Issuer   string    `json:"issuer"`
	Address  string    `json:"address"`
	Purpose  string    `json:"purpose"`
	SignedAt time.Time `json:"signed_at"`
	Digest   string    `json:"digest"` // sha256:<hex> of its document
	SeenAt   time.Time `json:"seen_at"`
}

// Same tells whether two are of one list.
func (s Seen) Same(o Seen) bool {
	return s.Issuer == o.Issuer && s.Address == o.Address && s.Purpose == o.Purpose
}

// Book keeps how new the newest status lists were that were seen, beyond the life of a process, so that no older one is passed off for them.
// It is bounded: of very many it may forget those that were not seen for longest.
type Book interface {
	// Saw records a list, unless a newer one of the same is known, and gives the newest that is known then.
	Saw(ctx context.Context, s Seen) (newest Seen, err error)
}

// newest tells whether no newer list was seen before, and records this one. What was signed in the future is not recorded: an issuer whose clock
// went wrong once would be disbelieved until then.
func (c *check) newest(ctx context.Context, address, purpose string, l *readList) bool {
	signed := l.signed.Truncate(time.Microsecond)
	if signed.IsZero() || signed.After(c.now.Add(maxAhead)) {
		return true
	}
	book := c.Book
	if book == nil {
		if c.Memory == nil {
			return true
		}
		book = c.Memory
	}
	known, err := book.Saw(ctx, Seen{
		Issuer: c.issuer.DID, Address: address, Purpose: purpose, SignedAt: signed, Digest: "sha256:" + hex.EncodeToString(l.digest[:]), SeenAt: c.now,
	})
	if err != nil {
		c.take(fmt.Errorf("remember status list %s: %w", address, err))
		return false
	}
	return !signed.Before(known.SignedAt)
}

const maxAhead = 24 * time.Hour

// Saw implements Book, for the life of the process.
func (m *Memory) Saw(_ context.Context, s Seen) (Seen, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := seenKey{s.Issuer, s.Address, s.Purpose}
	before, known := m.seen[key]
	if s.SignedAt.Before(before.SignedAt) {
		return before, nil
	}
	if m.seen == nil {
		m.seen = map[seenKey]Seen{}
	}
	if !known && len(m.seen) >= maxSeen {
		for k := range m.seen { // any: who fills it up with lists of their own must fill it often
			delete(m.seen, k)
			break
		}
	}
	m.seen[key] = s
	return s, nil
}

// Seen lists what was recorded, by issuer, address and purpose.
func (m *Memory) Seen() []Seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Collect(maps.Values(m.seen))
	slices.SortFunc(out, func(a, b Seen) int {
		return cmp.Or(strings.Compare(a.Issuer, b.Issuer), strings.Compare(a.Address, b.Address), strings.Compare(a.Purpose, b.Purpose))
	})
	return out
}

func (m *Memory) list(k listKey) (*readList, bool) {
	if m == nil {
		return nil, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l, ok := m.lists[k]
	return l, ok
}

func (m *Memory) keep(k listKey, l *readList) {
	if m == nil || len(l.bits) > maxListBytes/16 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.lists[k]; known {
		return
	}
	if m.lists == nil || m.bytes+len(l.bits) > maxListBytes {
		m.lists, m.bytes = map[listKey]*readList{}, 0
	}
	m.lists[k] = l
	m.bytes += len(l.bits)
}

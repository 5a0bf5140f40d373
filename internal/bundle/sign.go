package bundle

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/blob"
	"github.com/banyan-lms/banyan/internal/signing"
)

// Signature is one signature of a document.
type Signature struct {
	Key       string `json:"key"`
	Signature string `json:"signature"` // base64url of 64 bytes, without padding
}

// Signed is a document as it travels: line 1 the document, line 2 who signed it.
type Signed struct {
	Text       []byte // both lines, each with its end
	Document   []byte // line 1 without its end
	Signatures []Signature
}

// Digest names the whole.
func (s Signed) Digest() blob.Digest { return blob.Of(s.Text) }

// message is what is signed: the type and its format stand in front, so that no signature counts for another thing.
func message(kind string, document []byte) []byte {
	return append(fmt.Appendf(nil, "banyan/%s/%d\n", kind, Format), document...)
}

// Sign writes a document and signs it with each key.
func Sign(kind string, doc any, keys ...signing.Key) (Signed, error) {
	first, err := Line(doc)
	if err != nil {
		return Signed{}, err
	}
	s := Signed{Document: first}
	for _, k := range keys {
		sig, err := k.Sign(message(kind, first))
		if err != nil {
			return Signed{}, fmt.Errorf("sign a %s: %w", kind, err)
		}
		s.Signatures = append(s.Signatures, Signature{k.Multikey(), base64.RawURLEncoding.EncodeToString(sig)})
	}
	second, err := Line(s.Signatures)
	if err != nil {
		return Signed{}, err
	}
	s.Text = slices.Concat(first, []byte("\n"), second, []byte("\n"))
	if len(s.Text) > MaxSigned {
		return Signed{}, Damaged("a %s of %d bytes", kind, len(s.Text))
	}
	return s, nil
}

// ReadSigned takes a signed document apart. It checks no signature.
func ReadSigned(text []byte) (Signed, error) {
	if len(text) > MaxSigned {
		return Signed{}, Damaged("a signed document of %d bytes", len(text))
	}
	first, rest, ok := bytes.Cut(text, []byte("\n"))
	second, after, ok2 := bytes.Cut(rest, []byte("\n"))
	if !ok || !ok2 || len(after) > 0 {
		return Signed{}, Damaged("a signed document has two lines")
	}
	s := Signed{Text: text, Document: first}
	if err := json.Unmarshal(second, &s.Signatures); err != nil {
		return Signed{}, Damaged("read signatures: %w", err)
	}
	// One form alone: else the same document had many digests.
	if again, err := Line(s.Signatures); err != nil || !bytes.Equal(again, second) || len(s.Signatures) == 0 || len(s.Signatures) > maxSigners {
		return Signed{}, Damaged("signatures are not written as they should be")
	}
	return s, nil
}

// signedBy checks every signature. Each must be by one of the keys that may, and no key signs twice.
func (s Signed) signedBy(kind string, may func(key string) error) error {
	seen := map[string]bool{}
	for _, sig := range s.Signatures {
		if seen[sig.Key] {
			return Refuse("bad_signature", fmt.Errorf("%s signed twice", sig.Key))
		}
		seen[sig.Key] = true
		public, err := signing.DecodeMultikey(sig.Key)
		if err != nil {
			return Refuse("bad_signature", err)
		}
		raw, err := base64.RawURLEncoding.Strict().DecodeString(sig.Signature)
		if err != nil || !ed25519.Verify(public, message(kind, s.Document), raw) {
			return Refuse("bad_signature", fmt.Errorf("signature of a %s by %s", kind, sig.Key))
		}
		// Only now: whose key it is matters when it did sign.
		if err := may(sig.Key); err != nil {
			return err
		}
	}
	return nil
}

// Chain is what a publisher said of its keys from the first serial to the newest.
type Chain struct {
	Documents []Signed
	serials   []Publisher
}

// ReadChain checks the documents of one publisher, serial 1 first. Serial 1 is signed by a key of its own, each later one by a
// key of its own and by one of the serial before: that is how keys change hands.
func ReadChain(texts ...[]byte) (Chain, error) {
	var c Chain
	for _, text := range texts {
		if err := c.Add(text); err != nil {
			return Chain{}, err
		}
	}
	return c, nil
}

// Add checks the next document of the publisher and takes it up. What is wrong changes nothing.
func (c *Chain) Add(text []byte) error {
	s, err := ReadSigned(text)
	if err != nil {
		return err
	}
	p, err := ParsePublisher(s.Document)
	if err != nil {
		return err
	}
	var before Publisher
	if n := len(c.serials); n > 0 {
		before = c.serials[n-1]
		if p.ID != before.ID {
			return Mixed("publisher %s in the chain of %s", p.ID, before.ID)
		}
		if p.Previous != c.Documents[n-1].Digest() || p.SignedAt.Before(before.SignedAt.Time) {
			return Refuse("bad_signature", fmt.Errorf("serial %d of %s does not follow the one before", p.Serial, p.ID))
		}
	}
	if p.Serial != len(c.serials)+1 || p.Serial == 1 && p.Previous != "" || p.Serial > MaxSerials {
		return Refuse("bad_signature", fmt.Errorf("serial %d of %s in place %d", p.Serial, p.ID, len(c.serials)+1))
	}
	var own, old bool
	err = s.signedBy("publisher", func(key string) error {
		isOwn, errOwn := p.May(key, p.SignedAt.Time)
		isOld, errOld := before.May(key, p.SignedAt.Time)
		own, old = own || isOwn && errOwn == nil, old || isOld && errOld == nil
		switch {
		case isOwn && errOwn == nil || isOld && errOld == nil:
			return nil
		case isOwn:
			return errOwn
		case isOld:
			return errOld
		}
		return Refuse("bad_signature", fmt.Errorf("%s is no key of %s", key, p.ID))
	})
	if err != nil {
		return err
	}
	if !own || !old && p.Serial > 1 {
		return Refuse("bad_signature", fmt.Errorf("serial %d of %s lacks a signature", p.Serial, p.ID))
	}
	c.Documents, c.serials = append(c.Documents, s), append(c.serials, p)
	return nil
}

// May tells whether a key stands in the document, and what speaks against its signing at a time.
func (p Publisher) May(key string, at time.Time) (listed bool, err error) {
	for _, k := range p.Keys {
		if k.Key != key {
			continue
		}
		if at.Before(k.From.Time) || at.After(k.Until.Time) {
			return true, Refuse("key_expired", fmt.Errorf("%s signs from %s until %s, not at %s", key, k.From, k.Until, at))
		}
		return true, nil
	}
	return false, nil
}

// ParsePublisher reads line 1 of a publisher's document.
func ParsePublisher(raw []byte) (Publisher, error) {
	var p Publisher
	if err := parse(raw, "publisher", MaxSigned, &p); err != nil {
		return Publisher{}, err
	}
	if p.Format < 1 || !didForm.MatchString(p.ID) || p.SignedAt.IsZero() || len(p.Keys) == 0 || p.Previous != "" && !p.Previous.Valid() {
		return Publisher{}, Damaged("a publisher lacks what makes it one")
	}
	seen := map[string]bool{}
	for _, k := range p.Keys {
		if _, err := signing.DecodeMultikey(k.Key); err != nil || seen[k.Key] || !k.From.Before(k.Until.Time) {
			return Publisher{}, Damaged("a key of %s is not written as it should be", p.ID)
		}
		seen[k.Key] = true
	}
	return p, nil
}

// BegunBy tells whether a key signed the first document.
func (c Chain) BegunBy(key string) bool {
	return len(c.Documents) > 0 && slices.ContainsFunc(c.Documents[0].Signatures, func(s Signature) bool { return s.Key == key })
}

// Names tells whether a key stands in one of the documents.
func (c Chain) Names(key string) bool {
	return slices.ContainsFunc(c.serials, func(p Publisher) bool {
		return slices.ContainsFunc(p.Keys, func(k PublisherKey) bool { return k.Key == key })
	})
}

// Serials are what its documents say, serial 1 first.
func (c Chain) Serials() []Publisher { return c.serials }

// ID is whose chain it is, "" of an empty one.
func (c Chain) ID() string {
	if len(c.serials) == 0 {
		return ""
	}
	return c.serials[0].ID
}

// Newest is what holds now.
func (c Chain) Newest() Publisher {
	if len(c.serials) == 0 {
		return Publisher{}
	}
	return c.serials[len(c.serials)-1]
}

// Join takes what another carrier knows of the same publisher. The longer chain counts when the shorter one is its beginning;
// two that part ways are refused, for one of them is forged.
func (c Chain) Join(o Chain) (Chain, error) {
	if len(o.Documents) > len(c.Documents) {
		c, o = o, c
	}
	for i := range o.Documents {
		if !bytes.Equal(o.Documents[i].Text, c.Documents[i].Text) {
			return Chain{}, Refuse("bad_signature", fmt.Errorf("two serials %d of %s", i+1, c.ID()))
		}
	}
	return c, nil
}

// verify checks that a document was signed at a time by keys that held then and hold still. newest is the latest time known
// from the publisher's signed documents or a server: never the device's clock.
func (c Chain) verify(kind string, s Signed, at, newest time.Time) error {
	now := c.Newest()
	newest = Later(newest, Later(at, now.SignedAt.Time))
	return s.signedBy(kind, func(key string) error {
		listed, err := now.May(key, at)
		if err != nil {
			return err
		}
		if !listed {
			for _, p := range c.serials {
				if was, _ := p.May(key, at); was {
					return Refuse("key_expired", fmt.Errorf("%s left %s", key, c.ID()))
				}
			}
			return Refuse("bad_signature", fmt.Errorf("%s is no key of %s", key, c.ID()))
		}
		if _, err := now.May(key, newest); err != nil {
			return err
		}
		return nil
	})
}

// Later gives the later one of two times.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// VerifyRoot reads a signed root and checks it against its publisher's chain.
func (c Chain) VerifyRoot(text []byte, newest time.Time) (Root, error) {
	s, err := ReadSigned(text)
	if err != nil {
		return Root{}, err
	}
	r, err := ParseRoot(s.Document)
	if err != nil {
		return Root{}, err
	}
	if r.Publisher != c.ID() {
		return Root{}, Mixed("a root of %s with the keys of %s", r.Publisher, c.ID())
	}
	return r, c.verify("root", s, r.SignedAt.Time, newest)
}

// VerifyTrust does the same for what a publisher says of issuers.
func (c Chain) VerifyTrust(text []byte, newest time.Time) (Trust, error) {
	s, err := ReadSigned(text)
	if err != nil {
		return Trust{}, err
	}
	var t Trust
	if err := parse(s.Document, "trust", MaxSigned, &t); err != nil {
		return Trust{}, err
	}
	if t.Format < 1 || t.SignedAt.IsZero() {
		return Trust{}, Damaged("a trust document lacks what makes it one")
	}
	for _, i := range t.Issuers {
		for _, l := range i.Lists {
			if !named(l.Digest, l.Size, MaxFrame) {
				return Trust{}, Damaged("a status list is not named rightly")
			}
		}
		for _, k := range i.Keys {
			if _, err := signing.DecodeMultikey(k.Key); err != nil {
				return Trust{}, Damaged("a key of %.60q is not written as it should be", i.DID)
			}
		}
		if i.Country != "" && !countryForm.MatchString(i.Country) {
			return Trust{}, Damaged("%.20q is no country", i.Country)
		}
	}
	for _, r := range t.Recognitions {
		if !named(r.Digest, r.Size, MaxFrame) || r.ID == "" || r.By == "" || !nameForm.MatchString(r.Of.Course) || r.From.IsZero() {
			return Trust{}, Damaged("recognition %.60q is not written as it should be", r.ID)
		}
	}
	if t.Publisher != c.ID() {
		return Trust{}, Mixed("a trust document of %s with the keys of %s", t.Publisher, c.ID())
	}
	return t, c.verify("trust", s, t.SignedAt.Time, newest)
}

// ReadTrust reads a word on issuers that was checked before.
func ReadTrust(text []byte) (t Trust, err error) {
	s, err := ReadSigned(text)
	if err != nil {
		return Trust{}, err
	}
	return t, parse(s.Document, "trust", MaxSigned, &t)
}

// ReadRoot reads a signed root that was checked before; fault.NotFound when there is none.
func ReadRoot(text []byte) (Root, error) {
	if text == nil {
		return Root{}, NotFound(nil)
	}
	s, err := ReadSigned(text)
	if err != nil {
		return Root{}, err
	}
	return ParseRoot(s.Document)
}

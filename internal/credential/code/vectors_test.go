package code_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/signing"
)

var update = flag.Bool("update", false, "write testdata/vectors.json anew")

const vectorFile = "testdata/vectors.json"

// vectors are what every reader must do with which text. The page's reader is tried with the same file.
type vectors struct {
	Keys []keyJSON `json:"keys"`
	Good []good    `json:"good"`
	Bad  []bad     `json:"bad"`
	// Reasons are all that a code is refused for. Flips names one of them with a letter, a for the first, for each bit of a code that is changed, in the
	// order of its bytes from the least bit on, and then for each byte that is left out.
	Reasons []string `json:"reasons"`
	Flips   []flips  `json:"flips"`
}

type flips struct {
	Of   string `json:"of"` // the name of a good one
	Bits string `json:"bits"`
	Cuts string `json:"cuts"`
}

type keyJSON struct {
	Issuer   string     `json:"issuer"`
	Multikey string     `json:"multikey"`
	From     time.Time  `json:"from"`
	Retired  *time.Time `json:"retired,omitempty"`
	Revoked  *time.Time `json:"revoked,omitempty"`
}

type good struct {
	Name   string     `json:"name"`
	Text   string     `json:"text"`
	Hex    string     `json:"hex"` // what the text holds in base45
	KID    string     `json:"kid"`
	Claims claimsJSON `json:"claims"`
}

type bad struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Reason string `json:"reason"`
}

type claimsJSON struct {
	ID          string     `json:"id"`
	Issuer      string     `json:"issuer"`
	Address     string     `json:"address"`
	SignedAt    time.Time  `json:"signed_at"`
	IssuedAt    time.Time  `json:"issued_at"`
	ExpiresAt   *time.Time `json:"expires_at,omitempty"`
	Name        string     `json:"name,omitempty"`
	Achievement string     `json:"achievement"`
	Course      string     `json:"course"`
	Version     int        `json:"version"`
	Locale      string     `json:"locale"`
	Revocation  *placeJSON `json:"revocation,omitempty"`
	Suspension  *placeJSON `json:"suspension,omitempty"`
	Score       *int       `json:"score,omitempty"`
	Assessment  string     `json:"assessment,omitempty"`
	AIHelp      string     `json:"ai_help,omitempty"`
}

type placeJSON struct {
	List  string `json:"list"`
	Index int    `json:"index"`
}

func claimsOf(c code.Claims) claimsJSON {
	place := func(p *code.Place) *placeJSON {
		if p == nil {
			return nil
		}
		return &placeJSON{p.List.String(), p.Index}
	}
	return claimsJSON{
		ID: c.ID, Issuer: c.Issuer, Address: c.Address(), SignedAt: c.SignedAt, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt, Name: c.Name,
		Achievement: c.Achievement, Course: c.Course, Version: c.Version, Locale: c.Locale, Revocation: place(c.Revocation),
		Suspension: place(c.Suspension), Score: c.Score, Assessment: c.Assessment, AIHelp: c.AIHelp,
	}
}

const (
	oasis = "did:web:learn.example.org:institutions:oasis"
	river = "did:web:learn.example.org:institutions:river"
)

// key makes the same key of the same letter.
func key(letter byte) signing.Key {
	k, err := signing.Generate(bytes.NewReader(bytes.Repeat([]byte{letter}, 32)))
	if err != nil {
		panic(err)
	}
	return k
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func ptr[T any](v T) *T { return &v }

func known() []code.Key {
	return []code.Key{
		{Issuer: oasis, Multikey: key('a').Multikey(), From: at("2026-01-01T00:00:00Z")},
		{Issuer: oasis, Multikey: key('b').Multikey(), From: at("2025-01-01T00:00:00Z"), Retired: ptr(at("2026-01-01T00:00:00Z"))},
		{Issuer: oasis, Multikey: key('c').Multikey(), From: at("2025-01-01T00:00:00Z"), Revoked: ptr(at("2026-03-01T00:00:00Z"))},
		{Issuer: river, Multikey: key('r').Multikey(), From: at("2026-01-01T00:00:00Z")},
	}
}

func find(id code.KID) (found []code.Key) {
	for _, k := range known() {
		if code.KIDOf(k.Multikey) == id {
			found = append(found, k)
		}
	}
	return found
}

func list(n string) code.List {
	l, err := code.ListOf("019aa000-0000-7000-8000-00000000000" + n)
	if err != nil {
		panic(err)
	}
	return l
}

// layla is what most codes look like.
func layla() code.Claims {
	return code.Claims{
		ID: "019ab123-4567-7890-abcd-ef0123456789", Issuer: oasis, Base: "https://learn.example.org", SignedAt: at("2026-05-02T08:00:00Z"),
		IssuedAt: at("2026-05-01T12:00:00Z"), Name: "Layla Hasan", Achievement: "First steps with AI", Course: "first-steps", Version: 3, Locale: "en",
		Revocation: &code.Place{List: list("1"), Index: 94567}, Suspension: &code.Place{List: list("2"), Index: 94567},
		Score: ptr(87), Assessment: "supervised", AIHelp: "some",
	}
}

func encode(t testing.TB, c code.Claims, k signing.Key) string {
	t.Helper()
	text, err := code.Encode(c, k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// raw takes the bytes out of a code.
func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := code.Decode45(strings.TrimPrefix(text, "BNY1:"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// parts are what a forger puts together; what is nil is as it should be.
type parts struct {
	protected, unprotected, payload, signature []byte
	tag                                        uint64
}

var deterministic = func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return m
}()

func marshal(v any) []byte {
	b, err := deterministic.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

type (
	m = map[int]any
	r = cbor.RawMessage
)

// forge signs whatever it is given, rightly, with the key a.
func forge(p parts) string {
	k := key('a')
	if p.protected == nil {
		id := code.KIDOf(k.Multikey())
		p.protected = marshal(m{1: -8, 4: id[:]})
	}
	if p.unprotected == nil {
		p.unprotected = marshal(m{})
	}
	if p.payload == nil {
		p.payload = marshal(claims(nil, nil))
	}
	if p.signature == nil {
		sig, err := k.Sign(marshal([]any{"Signature1", p.protected, []byte{}, p.payload}))
		if err != nil {
			panic(err)
		}
		p.signature = sig
	}
	if p.tag == 0 {
		p.tag = 18
	}
	return "BNY1:" + code.Encode45(marshal(cbor.RawTag{Number: p.tag, Content: marshal([]any{p.protected, r(p.unprotected), p.payload, p.signature})}))
}

// claims are right ones with changes: nil takes a member away.
func claims(outer, inner m) m {
	certificate := m{
		0: at("2026-05-01T12:00:00Z").Unix(), 1: "Layla Hasan", 2: "First steps with AI", 3: "first-steps", 4: 3, 5: "en",
		6: []any{94567, list("1"), list("2")}, 7: 87, 8: 2, 9: 2,
	}
	id := [16]byte{0x01, 0x9a, 0xb1, 0x23, 0x45, 0x67, 0x78, 0x90, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89}
	set := m{1: oasis, 6: at("2026-05-02T08:00:00Z").Unix(), 7: id[:], -65537: certificate}
	for changes, into := range map[*m]m{&inner: certificate, &outer: set} {
		for k, v := range *changes {
			if into[k] = v; v == nil {
				delete(into, k)
			}
		}
	}
	return set
}

func payload(outer, inner m) string { return forge(parts{payload: marshal(claims(outer, inner))}) }

func replaced(in []byte, old, by string) []byte {
	o, _ := hex.DecodeString(old)
	b, _ := hex.DecodeString(by)
	if bytes.Count(in, o) != 1 {
		panic("no place for " + old)
	}
	return bytes.Replace(in, o, b, 1)
}

func makeVectors(t testing.TB) vectors {
	var v vectors
	for _, k := range known() {
		v.Keys = append(v.Keys, keyJSON(k))
	}
	accept := func(name string, k signing.Key, change func(*code.Claims)) {
		t.Helper()
		c := layla()
		change(&c)
		text := encode(t, c, k)
		v.Good = append(v.Good, good{name, text, hex.EncodeToString(raw(t, text)), code.KIDOf(k.Multikey()).String(), claimsOf(c)})
	}
	a := key('a')
	accept("as most are", a, func(*code.Claims) {})
	accept("without the name", a, func(c *code.Claims) { c.Name = "" })
	accept("little said", a, func(c *code.Claims) {
		c.Revocation, c.Suspension, c.Score, c.Assessment, c.AIHelp = nil, nil, nil, "", ""
	})
	accept("one list", a, func(c *code.Claims) { c.Suspension = nil })
	accept("two places", a, func(c *code.Claims) { c.Suspension.Index = 0 })
	accept("nothing scored", a, func(c *code.Claims) { c.Score = ptr(0) })
	accept("Arabic", a, func(c *code.Claims) {
		c.Name, c.Achievement, c.Locale = "ليلى حسن", "الخطوات الأولى مع الذكاء الاصطناعي", "ar"
	})
	accept("Chinese, beyond the first plane", a, func(c *code.Claims) { c.Name, c.Achievement, c.Locale = "𠮷野家", "人工智能入门", "zh" })
	accept("with an end", a, func(c *code.Claims) { c.ExpiresAt = ptr(at("2028-05-01T12:00:00Z")) })
	accept("over since", a, func(c *code.Claims) { c.ExpiresAt = ptr(at("2026-05-01T12:00:01Z")) })
	accept("a host with a port and a path", a, func(c *code.Claims) {
		c.Issuer, c.Base = "did:web:school.example%3A8443:learn:institutions:oasis", "https://school.example:8443/learn"
	})
	v.Keys = append(v.Keys, keyJSON{Issuer: "did:web:school.example%3A8443:learn:institutions:oasis", Multikey: a.Multikey(), From: at("2026-01-01T00:00:00Z")})
	accept("a domain of its own", a, func(c *code.Claims) { c.Issuer = "did:web:oasis.example" })
	v.Keys = append(v.Keys, keyJSON{Issuer: "did:web:oasis.example", Multikey: a.Multikey(), From: at("2026-01-01T00:00:00Z")})
	accept("a host without TLS", a, func(c *code.Claims) { c.Base = "http://192.168.1.4:8080" })
	accept("a key that retired since", key('b'), func(c *code.Claims) { c.SignedAt, c.IssuedAt = at("2026-01-01T00:00:00Z"), at("2025-12-31T00:00:00Z") })
	accept("a key that was taken back since", key('c'), func(c *code.Claims) { c.SignedAt, c.IssuedAt = at("2026-02-28T23:59:59Z"), at("2025-12-31T00:00:00Z") })

	refuse := func(reason error, name, text string) {
		v.Bad = append(v.Bad, bad{name, text, reason.Error()})
	}
	whole := forge(parts{})
	if whole != v.Good[0].Text {
		t.Fatal("the forger's form is not ours")
	}
	bytes0 := raw(t, whole)
	wrap := func(b []byte) string { return "BNY1:" + code.Encode45(b) }

	refuse(code.ErrNotCode, "nothing", "")
	refuse(code.ErrNotCode, "an address", "https://learn.example.org/verify/019ab123-4567-7890-abcd-ef0123456789")
	refuse(code.ErrNotCode, "small letters", strings.ToLower(whole))
	refuse(code.ErrNotCode, "a health certificate", "HC1:"+whole[5:])
	refuse(code.ErrTooNew, "the next format", "BNY2:"+whole[5:])
	refuse(code.ErrTooNew, "version 10", "BNY10:"+whole[5:])
	refuse(code.ErrTooLong, "1,025 characters", whole+strings.Repeat("0", 1025-len(whole)))
	refuse(code.ErrBase45, "another letter", whole[:20]+"_"+whole[21:])
	refuse(code.ErrBase45, "a small letter", whole[:20]+"a"+whole[21:])
	refuse(code.ErrBase45, "cut within a group", whole[:5+3*20+1])
	refuse(code.ErrBase45, "three letters above two bytes", "BNY1::::")
	refuse(code.ErrBase45, "two letters above a byte", "BNY1:000::")
	refuse(code.ErrBase45, "a line break", whole[:50]+"\n"+whole[50:])

	refuse(code.ErrCBOR, "empty", "BNY1:")
	refuse(code.ErrCBOR, "cut after a group", whole[:5+3*40])
	refuse(code.ErrCBOR, "a byte follows", wrap(append(bytes.Clone(bytes0), 0)))
	refuse(code.ErrCBOR, "deep", wrap(append([]byte{0xd2}, bytes.Repeat([]byte{0x81}, 400)...)))
	refuse(code.ErrCBOR, "a million members", wrap([]byte{0xd2, 0x9a, 0x00, 0x0f, 0x42, 0x40}))
	refuse(code.ErrCBOR, "a string of 2^63 bytes", wrap([]byte{0xd2, 0x84, 0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}))
	refuse(code.ErrCBOR, "an array without an end", wrap(append(append([]byte{0xd2, 0x9f}, bytes0[2:]...), 0xff)))
	refuse(code.ErrCBOR, "a long form of the array", wrap(append([]byte{0xd2, 0x98, 0x04}, bytes0[2:]...)))
	refuse(code.ErrCBOR, "a long form of the tag", wrap(append([]byte{0xd8, 0x12}, bytes0[1:]...)))
	refuse(code.ErrCBOR, "reserved length", wrap(append([]byte{0xd2, 0x9c}, bytes0[2:]...)))

	refuse(code.ErrCOSE, "no tag", wrap(bytes0[1:]))
	refuse(code.ErrCOSE, "another tag", forge(parts{tag: 17}))
	refuse(code.ErrCOSE, "something unprotected", forge(parts{unprotected: marshal(m{4: 1})}))
	refuse(code.ErrCOSE, "a short signature", forge(parts{signature: make([]byte, 63)}))
	refuse(code.ErrCOSE, "three parts", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, []byte{0xa0}}})))
	refuse(code.ErrCOSE, "an integer", wrap([]byte{0xd2, 0x01}))
	id := code.KIDOf(a.Multikey())
	refuse(code.ErrCOSE, "no kid", forge(parts{protected: marshal(m{1: -8})}))
	refuse(code.ErrCOSE, "a short kid", forge(parts{protected: marshal(m{1: -8, 4: id[:7]})}))
	refuse(code.ErrCOSE, "one header more", forge(parts{protected: marshal(m{1: -8, 3: 1, 4: id[:]})}))
	refuse(code.ErrCBOR, "headers twice", forge(parts{protected: replaced(marshal(m{1: -8, 4: id[:]}), "a20127", "a301270127")}))
	refuse(code.ErrCBOR, "headers in another order", forge(parts{protected: append(append([]byte{0xa2, 0x04, 0x48}, id[:]...), 0x01, 0x27)}))
	refuse(code.ErrAlg, "ES256", forge(parts{protected: marshal(m{1: -7, 4: id[:]})}))
	refuse(code.ErrAlg, "HMAC", forge(parts{protected: marshal(m{1: 5, 4: id[:]})}))

	refuse(code.ErrClaims, "no claims", forge(parts{payload: marshal(m{})}))
	refuse(code.ErrClaims, "claims that are a list", forge(parts{payload: marshal([]int{1})}))
	refuse(code.ErrClaims, "no issuer", payload(m{1: nil}, nil))
	refuse(code.ErrClaims, "no time", payload(m{6: nil}, nil))
	refuse(code.ErrClaims, "no id", payload(m{7: nil}, nil))
	refuse(code.ErrClaims, "a short id", payload(m{7: []byte{1, 2, 3}}, nil))
	refuse(code.ErrClaims, "an unknown claim", payload(m{3: "aud"}, nil))
	refuse(code.ErrClaims, "an unknown member", payload(nil, m{11: 1}))
	refuse(code.ErrClaims, "no certificate", payload(m{-65537: nil}, nil))
	refuse(code.ErrClaims, "no achievement", payload(nil, m{2: nil}))
	refuse(code.ErrClaims, "an empty name", payload(nil, m{1: ""}))
	refuse(code.ErrClaims, "a name of bytes", payload(nil, m{1: []byte("Layla")}))
	refuse(code.ErrClaims, "a name with a line break", payload(nil, m{1: "Layla\nHasan"}))
	refuse(code.ErrClaims, "a name that turns the line around", payload(nil, m{1: "Layla \u202ensah"}))
	refuse(code.ErrCBOR, "a name that is null", payload(nil, m{1: r{0xf6}}))
	refuse(code.ErrClaims, "a long achievement", payload(nil, m{2: strings.Repeat("a", 257)}))
	refuse(code.ErrClaims, "an issuer that is no DID", payload(m{1: "https://learn.example.org"}, nil))
	refuse(code.ErrClaims, "a course with a slash", payload(nil, m{3: "../x"}))
	refuse(code.ErrClaims, "version 0", payload(nil, m{4: 0}))
	refuse(code.ErrClaims, "version -1", payload(nil, m{4: -1}))
	refuse(code.ErrClaims, "a great version", payload(nil, m{4: 1 << 40}))
	refuse(code.ErrCBOR, "a version of 2^63", payload(nil, m{4: uint64(1 << 63)}))
	refuse(code.ErrCBOR, "a version as a float", payload(nil, m{4: r{0xf9, 0x42, 0x00}}))
	refuse(code.ErrCBOR, "a tagged version", payload(nil, m{4: r{0xc1, 0x03}}))
	refuse(code.ErrClaims, "no language", payload(nil, m{5: "?"}))
	refuse(code.ErrClaims, "score 101", payload(nil, m{7: 101}))
	refuse(code.ErrClaims, "level 4", payload(nil, m{8: 4}))
	refuse(code.ErrClaims, "help 5", payload(nil, m{9: 5}))
	refuse(code.ErrCBOR, "help that is true", payload(nil, m{9: true}))
	refuse(code.ErrClaims, "signed in year 0", payload(m{6: 0}, nil))
	refuse(code.ErrClaims, "signed before it was issued", payload(m{6: at("2026-05-01T11:59:59Z").Unix()}, nil))
	refuse(code.ErrClaims, "signed after 9999", payload(m{6: 253402300800}, nil))
	refuse(code.ErrClaims, "over before it was issued", payload(m{4: at("2026-05-01T12:00:00Z").Unix()}, nil))
	refuse(code.ErrClaims, "an index alone", payload(nil, m{6: []any{1}}))
	refuse(code.ErrClaims, "a short list", payload(nil, m{6: []any{1, []byte{1}}}))
	refuse(code.ErrClaims, "an index below 0", payload(nil, m{6: []any{-1, list("1")}}))
	refuse(code.ErrClaims, "three lists", payload(nil, m{6: []any{1, list("1"), list("2"), 3, list("3")}}))
	refuse(code.ErrClaims, "no status, in another form", payload(nil, m{6: []any{}}))
	refuse(code.ErrClaims, "the same index again", payload(nil, m{6: []any{1, list("1"), list("2"), 1}}))
	refuse(code.ErrClaims, "level 0", payload(nil, m{8: 0}))
	refuse(code.ErrClaims, "an address that follows from the issuer", payload(nil, m{10: "https://learn.example.org"}))
	refuse(code.ErrClaims, "an address that is a script", payload(nil, m{10: "javascript:alert(1)"}))
	refuse(code.ErrClaims, "an address with a query", payload(nil, m{10: "https://x.example/?"}))
	refuse(code.ErrClaims, "no address", payload(m{1: "did:web:oasis.example"}, nil))
	right := marshal(claims(nil, nil))
	refuse(code.ErrCBOR, "a claim twice", forge(parts{payload: replaced(right, "a401", "a50143616263"+"01")}))
	refuse(code.ErrCBOR, "a long form of a number", forge(parts{payload: replaced(right, "0403"+"05", "041803"+"05")}))
	refuse(code.ErrCBOR, "a longer form of a number", forge(parts{payload: replaced(right, "0403"+"05", "04190003"+"05")}))
	refuse(code.ErrCBOR, "a text in pieces", forge(parts{payload: replaced(right, "0562656e", "057f6165616eff")}))
	refuse(code.ErrCBOR, "members in another order", forge(parts{payload: replaced(right, "04030562656e", "0562656e0403")}))
	refuse(code.ErrCBOR, "a text that is no UTF-8", forge(parts{payload: replaced(right, "0562656e", "0562ff6e")}))
	refuse(code.ErrCBOR, "something follows the claims", forge(parts{payload: append(bytes.Clone(right), 0)}))
	refuse(code.ErrCBOR, "a deep status", payload(nil, m{6: []any{[]any{[]any{[]any{1}}}}}))

	refuse(code.ErrClaims, "a status as deep as may be", payload(nil, m{6: []any{[]any{1}, list("1")}}))
	refuse(code.ErrCBOR, "a status one deeper", payload(nil, m{6: []any{[]any{[]any{1}}, list("1")}}))
	refuse(code.ErrClaims, "16 in a list", payload(nil, m{6: make([]int, 16)}))
	refuse(code.ErrCBOR, "17 in a list", payload(nil, m{6: make([]int, 17)}))
	members := m{}
	for i := range 16 {
		members[i+20] = i
	}
	refuse(code.ErrClaims, "16 members", forge(parts{payload: marshal(members)}))
	members[40] = 1
	refuse(code.ErrCBOR, "17 members", forge(parts{payload: marshal(members)}))
	refuse(code.ErrCBOR, "a member with a name", payload(nil, m{6: map[string]int{"a": 1}}))
	refuse(code.ErrClaims, "the greatest integer", payload(nil, m{4: 1<<53 - 1}))
	refuse(code.ErrCBOR, "one more", payload(nil, m{4: 1 << 53}))
	refuse(code.ErrCBOR, "as little", payload(nil, m{4: -1 << 53}))

	refuse(code.ErrCBOR, "claims without an end", forge(parts{payload: append(append([]byte{0xbf}, right[1:]...), 0xff)}))
	refuse(code.ErrCBOR, "a certificate without an end", forge(parts{payload: append(replaced(right, "3a00010000aa", "3a00010000bf"), 0xff)}))
	refuse(code.ErrCBOR, "bytes in pieces", forge(parts{payload: replaced(right, "0750019ab123", "075f50019ab123")}))
	refuse(code.ErrCBOR, "an end without a beginning", wrap([]byte{0xd2, 0xff}))
	refuse(code.ErrCBOR, "an end in a list", wrap([]byte{0xd2, 0x82, 0x01, 0xff}))
	refuse(code.ErrCBOR, "a member twice", forge(parts{payload: replaced(replaced(right, "3a00010000aa", "3a00010000ab"), "0403"+"05", "04030403"+"05")}))
	refuse(code.ErrCBOR, "a member twice, with another value", forge(parts{payload: replaced(replaced(right, "3a00010000aa", "3a00010000ab"), "0403"+"05", "04030409"+"05")}))
	refuse(code.ErrCBOR, "a long form of a member's name", forge(parts{payload: replaced(right, "0403"+"05", "180403"+"05")}))
	refuse(code.ErrCBOR, "a long form of a text's length", forge(parts{payload: replaced(right, "0562656e", "057802656e")}))
	refuse(code.ErrCBOR, "a long form of the members' number", forge(parts{payload: replaced(right, "3a00010000aa", "3a00010000b80a")}))
	refuse(code.ErrCBOR, "the longest form of a negative name", forge(parts{payload: replaced(right, "3a00010000aa", "3b0000000000010000aa")}))
	refuse(code.ErrCBOR, "the last claim first", forge(parts{payload: func() []byte {
		head, tail, _ := bytes.Cut(right[1:], []byte{0x3a, 0, 1, 0, 0})
		return append(append(append([]byte{right[0]}, 0x3a, 0, 1, 0, 0), tail...), head...)
	}()}))
	for name, value := range inOrder(map[string]string{
		"undefined": "f7", "false": "f4", "a simple value": "e0", "a long simple value": "f820", "a simple value in a form that is forbidden": "f818", "half a float": "f97e00", "a float": "fa40400000", "a double": "fb4008000000000000",
		"a number of any size": "c24103", "a negative number of any size": "c34103", "a time": "c074323032362d30352d30315431323a30303a30305a", "CBOR in a tag": "d8184103", "a tag of tags": "c1c1c103", "a tag that is reserved": "dc03",
		"a tag without an end": "df03", "an integer without an end": "1f03", "a negative integer without an end": "3f03", "a list as a name": "a1800103", "a text as a name": "a1613101", "bytes as a name": "a1413101",
	}) {
		refuse(code.ErrCBOR, "a version that is "+name, forge(parts{payload: replaced(right, "0403"+"05", "04"+value+"05")}))
	}
	for name, text := range inOrder(map[string]string{"a surrogate": "eda080", "a long form of a letter": "c180", "a letter beyond the last": "f4908080", "a part of a letter": "e4bd", "a part of a letter alone": "80"}) {
		refuse(code.ErrCBOR, "a name with "+name, forge(parts{payload: replaced(right, "016b4c61796c6120486173616e", "01"+hex.EncodeToString([]byte{0x60 + byte(len(text)/2)})+text)}))
	}
	refuse(code.ErrClaims, "a name with a zero", payload(nil, m{1: "Lay\x00la"}))
	refuse(code.ErrClaims, "a name that was not readable", payload(nil, m{1: "Lay\ufffdla"}))
	refuse(code.ErrClaims, "a name of 257 bytes in 129 letters", payload(nil, m{1: strings.Repeat("é", 128) + "e"}))
	refuse(code.ErrCBOR, "all numbers as deep as it goes", wrap(append([]byte{0xd2}, bytes.Repeat([]byte{0xa1, 0x00}, 300)...)))
	refuse(code.ErrCBOR, "lists of 16 lists of 16 lists", wrap(append([]byte{0xd2}, bytes.Repeat([]byte{0x90}, 600)...)))
	refuse(code.ErrCBOR, "a list of 2^64 members", wrap(unhex("d29bffffffffffffffff")))
	refuse(code.ErrCBOR, "2^64 members", wrap(unhex("d2bbffffffffffffffff")))
	refuse(code.ErrCBOR, "a text of 2^64 bytes", wrap(unhex("d27bffffffffffffffff")))
	refuse(code.ErrCBOR, "a text of 2^53 bytes", wrap(unhex("d27b0020000000000000")))
	refuse(code.ErrCBOR, "bytes of 2^32", wrap(unhex("d284430102035b0000000100000000")))
	refuse(code.ErrCBOR, "a short string", wrap(append(bytes.Clone(bytes0[:len(bytes0)-66]), append([]byte{0x58, 0x41}, bytes0[len(bytes0)-64:]...)...)))
	refuse(code.ErrCBOR, "two tags", wrap(append([]byte{0xd2}, bytes0...)))
	refuse(code.ErrCBOR, "a hundred tags", wrap(append(bytes.Repeat([]byte{0xd2}, 100), bytes0...)))
	refuse(code.ErrCBOR, "CBOR that says that it is", wrap(append(unhex("d9d9f7"), bytes0...)))
	refuse(code.ErrCBOR, "a code after a code", wrap(append(bytes.Clone(bytes0), bytes0...)))
	refuse(code.ErrClaims, "a code in a code", forge(parts{payload: bytes0[1:]}))
	refuse(code.ErrCBOR, "a tagged code in a code", forge(parts{payload: bytes0}))
	refuse(code.ErrCBOR, "headers without an end", forge(parts{protected: append(append([]byte{0xbf, 0x01, 0x27, 0x04, 0x48}, id[:]...), 0xff)}))
	refuse(code.ErrCBOR, "headers in a tag", forge(parts{protected: append([]byte{0xd2}, marshal(m{1: -8, 4: id[:]})...)}))
	refuse(code.ErrCBOR, "headers of no bytes", forge(parts{protected: []byte{}}))
	refuse(code.ErrCOSE, "no headers", forge(parts{protected: marshal(m{})}))
	refuse(code.ErrCOSE, "headers that are a list", forge(parts{protected: marshal([]int{1, -8})}))
	refuse(code.ErrCOSE, "an algorithm with a name", forge(parts{protected: marshal(m{1: "EdDSA", 4: id[:]})}))
	refuse(code.ErrCOSE, "a kid that is text", forge(parts{protected: marshal(m{1: -8, 4: "12345678"})}))
	refuse(code.ErrAlg, "no algorithm at all", forge(parts{protected: marshal(m{1: 0, 4: id[:]})}))
	refuse(code.ErrAlg, "Ed448 by another number", forge(parts{protected: marshal(m{1: -53, 4: id[:]})}))
	refuse(code.ErrCOSE, "a critical header", forge(parts{protected: marshal(m{1: -8, 2: []int{99}, 4: id[:], 99: 1})}))
	refuse(code.ErrCOSE, "a list unprotected", forge(parts{unprotected: marshal([]int{})}))
	refuse(code.ErrCBOR, "null unprotected", forge(parts{unprotected: []byte{0xf6}}))
	refuse(code.ErrCBOR, "a payload that is elsewhere", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, nil, make([]byte, 64)}})))
	refuse(code.ErrCOSE, "a payload that is text", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, "x", make([]byte, 64)}})))
	refuse(code.ErrCOSE, "a signature that is text", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, []byte{0xa0}, strings.Repeat("a", 64)}})))
	refuse(code.ErrCOSE, "a list of numbers for a signature", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, []byte{0xa0}, []int{1, 2, 3}}})))
	refuse(code.ErrCOSE, "five parts", wrap(marshal(cbor.Tag{Number: 18, Content: []any{[]byte{0xa0}, m{}, []byte{0xa0}, make([]byte, 64), 1}})))
	refuse(code.ErrCOSE, "a map", wrap(marshal(cbor.Tag{Number: 18, Content: m{1: 2}})))

	refuse(code.ErrKey, "a key that nobody knows", encode(t, layla(), key('x')))
	refuse(code.ErrIssuer, "another issuer's key", encode(t, layla(), key('r')))
	other := key('r')
	otherID := code.KIDOf(other.Multikey())
	refuse(code.ErrIssuer, "another issuer's kid on a's signature", forge(parts{protected: marshal(m{1: -8, 4: otherID[:]})}))
	with := func(k byte, signed, issued string) string {
		c := layla()
		c.SignedAt, c.IssuedAt = at(signed), at(issued)
		return encode(t, c, key(k))
	}
	refuse(code.ErrKeyTime, "before the key was there", with('a', "2025-12-31T23:59:59Z", "2025-12-31T00:00:00Z"))
	refuse(code.ErrKeyTime, "after the key retired", with('b', "2026-01-01T00:00:01Z", "2025-12-31T00:00:00Z"))
	refuse(code.ErrRevoked, "after the key was taken back", with('c', "2026-03-01T00:00:00Z", "2025-12-31T00:00:00Z"))
	refuse(code.ErrSigned, "another name", wrap(bytes.Replace(bytes0, []byte("Layla"), []byte("Sarah"), 1)))
	flip := bytes.Clone(bytes0)
	flip[len(flip)-1] ^= 0x80
	refuse(code.ErrSigned, "another signature", wrap(flip))
	refuse(code.ErrSigned, "no signature", forge(parts{signature: make([]byte, 64)}))
	for _, reason := range allReasons {
		v.Reasons = append(v.Reasons, reason.Error())
	}
	for _, g := range v.Good {
		if g.Name != "as most are" && g.Name != "Arabic" {
			continue
		}
		f, whole := flips{Of: g.Name}, raw(t, g.Text)
		for i := range whole {
			for bit := range 8 {
				changed := bytes.Clone(whole)
				changed[i] ^= 1 << bit
				f.Bits += letterOf(t, wrap(changed))
			}
		}
		for i := range whole {
			f.Cuts += letterOf(t, wrap(append(bytes.Clone(whole[:i]), whole[i+1:]...)))
		}
		v.Flips = append(v.Flips, f)
	}
	return v
}

var allReasons = []error{
	code.ErrNotCode, code.ErrTooNew, code.ErrTooLong, code.ErrBase45, code.ErrCBOR, code.ErrCOSE, code.ErrAlg, code.ErrClaims, code.ErrKey,
	code.ErrIssuer, code.ErrKeyTime, code.ErrRevoked, code.ErrSigned,
}

// letterOf names why a code is refused, with a letter.
func letterOf(t testing.TB, text string) string {
	t.Helper()
	v, err := code.Verify(text, find)
	for i, reason := range allReasons {
		if errors.Is(err, reason) {
			return string(rune('a' + i))
		}
	}
	t.Fatalf("%s: %+v, %v", text, v, err)
	return ""
}

func inOrder(m map[string]string) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		for _, k := range slices.Sorted(maps.Keys(m)) {
			if !yield(k, m[k]) {
				return
			}
		}
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestVectors(t *testing.T) {
	made := makeVectors(t)
	got, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile(vectorFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(vectorFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("codes are written differently; run with -update, and think of those that are printed")
	}
	reasons := map[string]bool{}
	keys := func(id code.KID) (found []code.Key) {
		for _, k := range made.Keys {
			if code.KIDOf(k.Multikey) == id {
				found = append(found, code.Key(k))
			}
		}
		return found
	}
	for _, g := range made.Good {
		v, err := code.Verify(g.Text, keys)
		if err != nil {
			t.Errorf("%s: %v", g.Name, err)
			continue
		}
		if a, b := string(marshalJSON(claimsOf(v.Claims))), string(marshalJSON(g.Claims)); a != b {
			t.Errorf("%s: %s\nwant %s", g.Name, a, b)
		}
		if id := code.KIDOf(v.Key.Multikey).String(); id != g.KID || v.Key.Issuer != g.Claims.Issuer {
			t.Errorf("%s: key %+v", g.Name, v.Key)
		}
	}
	for _, b := range made.Bad {
		reasons[b.Reason] = true
		v, err := code.Verify(b.Text, keys)
		if err == nil {
			t.Errorf("%s: taken: %+v", b.Name, v)
			continue
		}
		if first, _, _ := strings.Cut(err.Error(), ":"); first != b.Reason {
			t.Errorf("%s: %v, want %s", b.Name, err, b.Reason)
		}
	}
	for _, r := range allReasons {
		if !reasons[r.Error()] {
			t.Errorf("no vector is refused for %v", r)
		}
	}
	if errors.Is(code.ErrKey, code.ErrIssuer) {
		t.Error("two reasons are one")
	}
}

func marshalJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

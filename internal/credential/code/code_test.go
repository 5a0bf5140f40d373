package code_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/code"
)

// Whatever byte is changed, in whatever way: no code is taken that its issuer did not sign.
func TestEveryByte(t *testing.T) {
	text := encode(t, layla(), key('a'))
	whole := raw(t, text)
	for i := range whole {
		for bit := range 8 {
			changed := bytes.Clone(whole)
			changed[i] ^= 1 << bit
			if v, err := code.Verify("BNY1:"+code.Encode45(changed), find); err == nil {
				t.Fatalf("byte %d, bit %d changed: taken: %+v", i, bit, v)
			}
		}
	}
	for i := range text {
		for _, by := range "0AZ :%/a\x00" {
			if changed := text[:i] + string(by) + text[i+1:]; changed != text {
				if v, err := code.Verify(changed, find); err == nil {
					t.Fatalf("letter %d changed to %q: taken: %+v", i, by, v)
				}
			}
		}
		if _, err := code.Verify(text[:i], find); err == nil {
			t.Fatalf("cut at %d: taken", i)
		}
	}
	for i := range whole {
		if _, err := code.Verify("BNY1:"+code.Encode45(append(bytes.Clone(whole[:i]), whole[i+1:]...)), find); err == nil {
			t.Fatalf("without byte %d: taken", i)
		}
	}
}

// A text that expands is no work: neither time nor memory follow what it promises.
func TestHugePromises(t *testing.T) {
	for _, head := range []string{"\xd2\x9b", "\xd2\x84\x5b", "\xd2\xbb", "\xd2\x84\x43\xa1\x01\x27\xa0\x5b"} {
		text := "BNY1:" + code.Encode45(append([]byte(head), bytes.Repeat([]byte{0xff}, 8)...))
		if n := testing.AllocsPerRun(1, func() {
			if _, _, err := code.Decode(text); !errors.Is(err, code.ErrCBOR) {
				t.Errorf("%x: %v", head, err)
			}
		}); n > 200 {
			t.Errorf("%x: %v allocations", head, n)
		}
	}
	if _, _, err := code.Decode("BNY1:" + strings.Repeat("0", 1<<20)); !errors.Is(err, code.ErrTooLong) {
		t.Errorf("a megabyte: %v", err)
	}
}

// Two keys that go by one name: the issuer's own decides, whatever the order.
func TestKeysOfOneName(t *testing.T) {
	text := encode(t, layla(), key('a'))
	own := code.Key{Issuer: oasis, Multikey: key('a').Multikey(), From: at("2026-01-01T00:00:00Z")}
	foreign := own
	foreign.Issuer = river
	over := own
	over.Retired = ptr(at("2026-01-02T00:00:00Z"))
	tests := []struct {
		name string
		keys []code.Key
		want error
	}{
		{"own first", []code.Key{own, foreign}, nil},
		{"own last", []code.Key{foreign, own}, nil},
		{"over first", []code.Key{over, foreign}, code.ErrKeyTime},
		{"over last", []code.Key{foreign, over}, code.ErrKeyTime},
		{"foreign", []code.Key{foreign}, code.ErrIssuer},
		{"of another name", []code.Key{{Issuer: oasis, Multikey: key('b').Multikey()}}, code.ErrKey},
		{"no key", []code.Key{{Issuer: oasis, Multikey: "z6Mk"}}, code.ErrKey},
		{"none", nil, code.ErrKey},
	}
	for _, tt := range tests {
		v, err := code.Verify(text, func(code.KID) []code.Key { return tt.keys })
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		if v.Achievement != "First steps with AI" || (err == nil) != (v.Key.Issuer == oasis) {
			t.Errorf("%s: %+v", tt.name, v)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*code.Claims)
		want   error
	}{
		{"id", func(c *code.Claims) { c.ID = "019AB123-4567-7890-abcd-ef0123456789" }, code.ErrClaims},
		{"issuer", func(c *code.Claims) { c.Issuer = "oasis" }, code.ErrClaims},
		{"base", func(c *code.Claims) { c.Base = "learn.example.org" }, code.ErrClaims},
		{"parts of seconds", func(c *code.Claims) { c.SignedAt = c.SignedAt.Add(time.Millisecond) }, code.ErrClaims},
		{"a suspension alone", func(c *code.Claims) { c.Revocation = nil }, code.ErrClaims},
		{"level", func(c *code.Claims) { c.Assessment = "watched" }, code.ErrClaims},
		{"name", func(c *code.Claims) { c.Name = "a\x00" }, code.ErrClaims},
		{"long", func(c *code.Claims) { c.Name, c.Achievement = strings.Repeat("a", 150), strings.Repeat("b", 150) }, code.ErrTooLong},
	}
	for _, tt := range tests {
		c := layla()
		tt.change(&c)
		if text, err := code.Encode(c, key('a')); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v %s", tt.name, err, text)
		}
	}
}

func TestExpired(t *testing.T) {
	c := layla()
	if c.Expired(at("2999-01-01T00:00:00Z")) {
		t.Error("without an end, and over")
	}
	end := at("2027-01-01T00:00:00Z")
	c.ExpiresAt = &end
	if c.Expired(end.Add(-time.Second)) || !c.Expired(end) {
		t.Error("over at another time")
	}
}

func TestListNames(t *testing.T) {
	l := list("1")
	for address, want := range map[string]bool{
		"https://learn.example.org/api/status-lists/019aa000-0000-7000-8000-000000000001":      true,
		"https://learn.example.org/api/status-lists/019bb000-0000-7000-8000-000000000001":      true, // only the random half counts
		"https://learn.example.org/api/status-lists/019aa000-0000-7000-8000-000000000002":      false,
		"https://learn.example.org/api/status-lists/019aa000-0000-7000-8000-000000000001#list": false,
		"": false,
	} {
		if l.Names(address) != want {
			t.Errorf("%s: %v", address, !want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	v := makeVectors(f)
	for _, g := range v.Good {
		f.Add(g.Text)
	}
	for _, b := range v.Bad {
		f.Add(b.Text)
	}
	k := key('a')
	f.Fuzz(func(t *testing.T, text string) {
		c, _, err := code.Decode(text)
		if err != nil {
			return
		}
		if v, err := code.Verify(text, find); err == nil && v.ID != c.ID {
			t.Error("two readings of one code")
		}
		// What is read can be written, and is the same but for the signature.
		again, err := code.Encode(c, k)
		if err != nil {
			if len(text) <= code.MaxWritten {
				t.Errorf("%q is read, not written: %v", text, err)
			}
			return
		}
		if len(again) != len(text) {
			t.Errorf("%q is written as %q", text, again)
		}
	})
}

func FuzzCBOR(f *testing.F) {
	v := makeVectors(f)
	for _, g := range v.Good {
		f.Add(raw(f, g.Text))
	}
	f.Fuzz(func(_ *testing.T, whole []byte) {
		_, _, _ = code.Decode("BNY1:" + code.Encode45(whole))
	})
}

func FuzzBase45(f *testing.F) {
	for _, s := range []string{"", "0", "QED8WEX0", ":::", "::", "BB8", "UJCLQE7W581", "GGW", "GGX"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := code.Decode45(text)
		if err == nil && code.Encode45(b) != text {
			t.Errorf("%q is read as %x, written as %q", text, b, code.Encode45(b))
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	text := encode(b, layla(), key('a'))
	for b.Loop() {
		if _, err := code.Verify(text, find); err != nil {
			b.Fatal(err)
		}
	}
}

package credential_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/code"
	"github.com/banyan-lms/banyan/internal/fault"
)

type codeKey struct {
	id    credential.ID
	named bool
}

// codes is a forms.CodeStore in memory that counts what is saved.
type codes struct {
	kept  map[codeKey]string
	saved int
}

func (c *codes) FindCode(_ context.Context, id credential.ID, named bool) (string, error) {
	if text, ok := c.kept[codeKey{id, named}]; ok {
		return text, nil
	}
	return "", fault.New(fault.NotFound, "credential.code_not_found")
}

func (c *codes) SaveCode(_ context.Context, id credential.ID, named bool, text string) error {
	c.kept[codeKey{id, named}] = text
	c.saved++
	return nil
}

func (c *codes) DeleteCodes(_ context.Context, id credential.ID) error {
	delete(c.kept, codeKey{id, true})
	delete(c.kept, codeKey{id, false})
	return nil
}

// known are the keys of the bench's institutions, as a trust list has them.
func (b *bench) known(kid code.KID) (found []code.Key) {
	for _, k := range b.store.keys {
		if code.KIDOf(k.Multikey) == kid {
			found = append(found, code.Key{Issuer: k.Controller, Multikey: k.Multikey, From: k.CreatedAt, Retired: k.RetiredAt})
		}
	}
	return found
}

func (b *bench) read(t *testing.T, id credential.ID, named bool) (string, code.Verified) {
	t.Helper()
	text, err := b.forms.Code(t.Context(), id, named)
	if err != nil {
		t.Fatal(err)
	}
	v, err := code.Verify(text, b.known)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return text, v
}

func TestCode(t *testing.T) {
	b := newBench(t)
	kept := &codes{kept: map[codeKey]string{}}
	b.forms.Codes = kept
	b.Validity = 365 * 24 * time.Hour
	c := b.issued(t, 1, layla, oasis)
	issued := b.now.Truncate(time.Second)
	b.now = b.now.Add(48 * time.Hour)
	text, v := b.read(t, c.ID, true)
	if v.Name != c.Name || v.ID != string(c.ID) || v.Address() != "http://localhost:8080/verify/"+string(c.ID) || !v.IssuedAt.Equal(issued) ||
		!v.SignedAt.Equal(b.now.Truncate(time.Second)) || v.ExpiresAt == nil || !v.ExpiresAt.Equal(*c.ExpiresAt) || v.Course != string(c.CourseID) ||
		v.Achievement != c.AchievementName[c.Locale] || v.Locale != c.Locale || v.Version < 1 {
		t.Errorf("claims are %+v", v)
	}
	if v.Revocation == nil || v.Revocation.Index != c.StatusIndex || !v.Revocation.List.Names("http://localhost:8080/api/status-lists/"+string(c.StatusListID)) {
		t.Errorf("place is %+v", v.Revocation)
	}
	// An Arabic name, two status lists, and a host without TLS, which costs 31 characters. At level Q these are 89 modules, as in the vaccination
	// certificates of the EU.
	if len(text) > 553 {
		t.Errorf("%d characters", len(text))
	}
	short, nameless := b.read(t, c.ID, false)
	if nameless.Name != "" || strings.Contains(short, text) || nameless.Achievement != v.Achievement {
		t.Errorf("without the name: %+v", nameless)
	}
	// Kept: days later it is the same.
	b.now = b.now.Add(24 * time.Hour)
	if again, _ := b.read(t, c.ID, true); again != text || kept.saved != 2 {
		t.Errorf("another code, %d saved", kept.saved)
	}
	// Taken back or not, whoever scans it must be able to see so.
	if err := b.Revoke(t.Context(), issuer(oasis), c.ID, "issued in error"); err != nil {
		t.Fatal(err)
	}
	if again, _ := b.read(t, c.ID, true); again != text {
		t.Error("a revoked credential has another code")
	}
	if _, err := b.forms.Code(t.Context(), "019ab123-4567-7890-abcd-ef0123456789", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("nobody's: %v", err)
	}
	if _, err := b.forms.Code(t.Context(), "x", true); !fault.Is(err, fault.NotFound) {
		t.Errorf("no id: %v", err)
	}
}

// A code is made anew when it would not be written like that any more.
func TestCodeIsMadeAnew(t *testing.T) {
	b := newBench(t)
	kept := &codes{kept: map[codeKey]string{}}
	b.forms.Codes = kept
	c := b.issued(t, 1, layla, oasis)
	first, _ := b.read(t, c.ID, true)

	b.now = b.now.Add(time.Hour)
	retired := b.now
	b.store.keys[0].RetiredAt = &retired
	if _, err := b.forms.Code(t.Context(), c.ID, true); !fault.Is(err, fault.Unavailable) {
		t.Errorf("without a key: %v", err)
	}
	b.now = b.now.Add(time.Hour)
	b.issued(t, 2, sam, oasis) // makes the next key
	second, v := b.read(t, c.ID, true)
	if second == first || v.Key.Multikey != b.store.keys[1].Multikey {
		t.Error("signed with a key that is retired")
	}
	if _, err := code.Verify(first, b.known); err != nil {
		t.Errorf("the first code, which may be printed: %v", err)
	}

	for i := range b.store.credentials {
		if b.store.credentials[i].ID == c.ID {
			b.store.credentials[i].Name = ""
		}
	}
	if _, v := b.read(t, c.ID, true); v.Name != "" {
		t.Errorf("an erased name is still there: %+v", v)
	}

	for _, broken := range []string{"", "BNY1:", second[:len(second)-3]} {
		kept.kept[codeKey{c.ID, true}] = broken
		if text, _ := b.read(t, c.ID, true); text == broken {
			t.Errorf("%q is handed out", broken)
		}
	}
}

// What does not fit is cut where people see it, and a cut code is kept like any other.
func TestLongCode(t *testing.T) {
	b := newBench(t)
	kept := &codes{kept: map[codeKey]string{}}
	b.forms.Codes = kept
	c := b.issued(t, 1, layla, oasis)
	name := strings.Repeat("क्षत्रिय ", 12)
	for i := range b.store.credentials {
		if b.store.credentials[i].ID == c.ID {
			row := &b.store.credentials[i]
			row.Document = bytes.ReplaceAll(row.Document, []byte(c.Name), []byte(strings.TrimSpace(name)))
			row.Document = bytes.ReplaceAll(row.Document, []byte(c.AchievementName[c.Locale]), []byte(strings.Repeat("الخطوات ", 40)))
			row.Name = strings.TrimSpace(name)
		}
	}
	text, v := b.read(t, c.ID, true)
	if len(text) > code.MaxWritten || !utf8.ValidString(v.Name) || !strings.HasSuffix(v.Achievement, "…") || v.Name == "" {
		t.Errorf("%d characters: %q, %q", len(text), v.Name, v.Achievement)
	}
	if again, _ := b.read(t, c.ID, true); again != text || kept.saved != 1 {
		t.Error("a cut code is made anew each time")
	}
}

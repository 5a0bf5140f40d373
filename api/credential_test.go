package main

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/credential/verifier"
	"github.com/banyan-lms/banyan/internal/signing"
)

// desk is a folder with a credential and what a stranger needs to check it.
type desk struct {
	*testing.T
	dir string
	key signing.Key
}

const (
	deskDID  = "did:web:school.example:oasis"
	deskList = "https://school.example/lists/1"
)

func newDesk(t *testing.T) desk {
	t.Helper()
	k, err := signing.Generate(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	d := desk{t, t.TempDir(), k}
	d.write("did.json", `{"id":"`+deskDID+`","verificationMethod":[{"id":"#`+k.Multikey()+`","type":"Multikey","controller":"`+deskDID+
		`","publicKeyMultibase":"`+k.Multikey()+`"}],"assertionMethod":["#`+k.Multikey()+`"]}`)
	d.list("good.json")
	d.list("revoking.json", 5)
	d.sign("badge.json", `{"@context":["`+proof.CredentialsV2+`","`+proof.OpenBadges303+`"],"id":"https://school.example/c/1","type":["VerifiableCredential","AchievementCredential"],"name":"AI",
"issuer":{"id":"`+deskDID+`","type":["Profile"],"name":"Oasis"},"validFrom":"2026-01-01T00:00:00Z","credentialSubject":{"type":["AchievementSubject"],
"achievement":{"id":"https://school.example/a/1","type":["Achievement"],"name":"Basics \u202e of AI","description":"x","criteria":{"narrative":"x"}}},
"credentialStatus":{"id":"`+deskList+`#5","type":"BitstringStatusListEntry","statusPurpose":"revocation","statusListIndex":"5","statusListCredential":"`+deskList+`"}}`)
	return d
}

func (d desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d desk) write(name, text string) {
	d.Helper()
	if err := os.WriteFile(d.path(name), []byte(text), 0o600); err != nil {
		d.Fatal(err)
	}
}

func (d desk) sign(name, doc string) {
	d.Helper()
	var plain bytes.Buffer
	if err := json.Compact(&plain, []byte(doc)); err != nil {
		d.Fatal(err)
	}
	out, err := proof.Sign(plain.Bytes(), d.key, deskDID+"#"+d.key.Multikey(), time.Now().Add(-time.Hour))
	if err != nil {
		d.Fatal(err)
	}
	d.write(name, string(out))
}

func (d desk) list(name string, set ...int) { d.listAt(name, time.Now().Add(-time.Hour), set...) }

func (d desk) listAt(name string, at time.Time, set ...int) {
	d.Helper()
	bits := make([]byte, 131_072/8)
	for _, i := range set {
		bits[i/8] |= 1 << (7 - i%8)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(bits); err != nil {
		d.Fatal(err)
	}
	if err := z.Close(); err != nil {
		d.Fatal(err)
	}
	d.sign(name, `{"@context":["`+proof.CredentialsV2+`"],"id":"`+deskList+`","type":["VerifiableCredential","BitstringStatusListCredential"],"issuer":"`+deskDID+`",
"validFrom":"`+proof.FormatTime(at)+`","credentialSubject":{"id":"`+deskList+`#list","type":"BitstringStatusList","statusPurpose":"revocation",
"encodedList":"u`+base64.RawURLEncoding.EncodeToString(b.Bytes())+`"}}`)
}

// The command's end tells a script what a credential is worth, without a database and without a network.
func TestCredentialVerify(t *testing.T) {
	d := newDesk(t)
	raw, err := os.ReadFile(d.path("badge.json"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("changed.json", strings.Replace(string(raw), "Oasis", "Other", 1))
	d.write("other.json", `{"id":"did:web:other.example"}`)
	d.write("junk", "junk")
	if err := (&credentialBakeCmd{File: d.path("badge.json"), PNG: d.path("badge.png"), SVG: d.path("badge.svg")}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	did, good, revoking := d.path("did.json"), d.path("good.json"), d.path("revoking.json")
	for _, tt := range []struct {
		file  string
		trust []string
		want  error
	}{
		{"badge.json", []string{did, good}, nil},
		{"badge.png", []string{did, good}, nil},
		{"badge.svg", []string{good, did}, nil},
		{"badge.json", []string{did, revoking}, errRefused},
		{"changed.json", []string{did, good}, errRefused},
		{"junk", nil, errRefused},
		{"badge.json", []string{did}, errUncertain},
		{"badge.json", []string{good, d.path("other.json")}, errUncertain},
		{"badge.json", nil, errUncertain},
		{"badge.json", []string{d.path("junk")}, errNotChecked},
		{"nothing", nil, errNotChecked},
	} {
		c := &credentialVerifyCmd{File: d.path(tt.file), Offline: true, Trust: tt.trust}
		if err := c.Run(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s by %v: %v, want %v", tt.file, tt.trust, err, tt.want)
		}
		c.JSON = true
		if err := c.Run(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%s by %v as JSON: %v, want %v", tt.file, tt.trust, err, tt.want)
		}
	}
	c := &credentialVerifyCmd{File: d.path("badge.json"), Offline: true, Trust: []string{did, revoking}}
	r, words, err := c.check(t.Context())
	if err != nil || r.State != verifier.Revoked {
		t.Fatal(r.State, err)
	}
	var out bytes.Buffer
	if err := tellReport(&out, words, "en", r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"REVOKED", "The issuer took it back.", "Basics   of AI", "a file that was given", deskList, "Nothing was asked for over the network."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q: %s", want, &out)
		}
	}
	if err := (&credentialInspectCmd{File: d.path("badge.png")}).Run(t.Context()); err != nil {
		t.Error(err)
	}
	if err := (&credentialInspectCmd{File: d.path("junk")}).Run(t.Context()); !errors.Is(err, verifier.ErrNotReadable) {
		t.Error(err)
	}
	if err := (&credentialBakeCmd{File: d.path("badge.json")}).Run(t.Context()); err == nil {
		t.Error("baked into nothing")
	}
}

// With a file of what was seen, an older list is known for old the next time.
func TestCredentialVerifyRemembers(t *testing.T) {
	d := newDesk(t)
	d.listAt("older.json", time.Now().Add(-2*time.Hour))
	seen := d.path("seen.json")
	for i, tt := range []struct {
		list string
		want error
	}{{"older.json", nil}, {"good.json", nil}, {"older.json", errUncertain}, {"good.json", nil}} {
		c := &credentialVerifyCmd{File: d.path("badge.json"), Offline: true, Trust: []string{d.path("did.json"), d.path(tt.list)}, Seen: seen}
		if err := c.Run(t.Context()); !errors.Is(err, tt.want) {
			t.Errorf("%d, by %s: %v, want %v", i, tt.list, err, tt.want)
		}
	}
	d.write("seen.json", "junk")
	c := &credentialVerifyCmd{File: d.path("badge.json"), Offline: true, Seen: seen}
	if err := c.Run(t.Context()); !errors.Is(err, errNotChecked) {
		t.Errorf("by a broken file: %v", err)
	}
}

package signing_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/banyan-lms/banyan/internal/signing"
)

var owner = signing.Owner{InstitutionID: "019a0000-0000-7000-8000-000000000001", KeyID: "019a0000-0000-7000-8000-000000000002"}

func sealers(t *testing.T) map[string]signing.Safe {
	t.Helper()
	e, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	f, err := signing.OpenFile(filepath.Join(t.TempDir(), "keys", "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, signing.MasterSize)
	_, _ = rand.Read(key)
	env, err := signing.NewEnvironment(base64.StdEncoding.EncodeToString(key))
	if err != nil {
		t.Fatal(err)
	}
	earlier, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	several, err := signing.NewSeveral(fresh, earlier)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]signing.Safe{"ephemeral": e, "file": f, "environment": env, "several": several}
}

// transitSealer is a sibling of its own key name: what another one sealed names another master key.
func transitSealer(t *testing.T) signing.Safe {
	t.Helper()
	return newTransitServer(t).open(t)
}

func TestSealAndOpen(t *testing.T) {
	all := sealers(t)
	all["transit"] = transitSealer(t)
	for name, s := range all {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			k, err := signing.Generate(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			sealed, err := s.Seal(ctx, owner, k)
			if err != nil {
				t.Fatal(err)
			}
			again, err := s.Seal(ctx, owner, k)
			if err != nil || bytes.Equal(sealed, again) {
				t.Fatalf("sealing twice gives the same bytes (err %v)", err)
			}
			opened, err := s.Open(ctx, owner, sealed)
			if err != nil || opened.Multikey() != k.Multikey() {
				t.Fatalf("opened %v, %v", opened, err)
			}
			message := []byte("message")
			sig, err := opened.Sign(message)
			if err != nil {
				t.Fatal(err)
			}
			public, err := signing.DecodeMultikey(k.Multikey())
			if err != nil || !ed25519.Verify(public, message, sig) {
				t.Fatalf("signature of the opened key does not verify: %v", err)
			}

			for _, other := range []signing.Owner{
				{},
				{InstitutionID: owner.InstitutionID, KeyID: "x"},
				{InstitutionID: "x", KeyID: owner.KeyID},
				{InstitutionID: owner.KeyID, KeyID: owner.InstitutionID},
				{InstitutionID: owner.InstitutionID + owner.KeyID},
			} {
				if _, err := s.Open(ctx, other, sealed); !errors.Is(err, signing.ErrBroken) {
					t.Errorf("opens for %v: %v", other, err)
				}
			}
			for i := range sealed {
				bad := bytes.Clone(sealed)
				bad[i] ^= 1
				if _, err := s.Open(ctx, owner, bad); err == nil {
					t.Errorf("opens with byte %d changed", i)
				}
			}
			for i := range sealed {
				if _, err := s.Open(ctx, owner, sealed[:i]); err == nil {
					t.Errorf("opens with %d bytes", i)
				}
			}
			for other, o := range sealers(t) {
				if _, err := o.Open(ctx, owner, sealed); !errors.Is(err, signing.ErrOtherMaster) {
					t.Errorf("another %s opens it: %v", other, err)
				}
			}
			if _, err := s.Seal(ctx, owner, signing.Key{}); err == nil {
				t.Error("an empty key is sealed")
			}
		})
	}
}

func TestFileSurvivesARestart(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "master.key")
	first, err := signing.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k, _ := signing.Generate(rand.Reader)
	sealed, err := first.Seal(ctx, owner, k)
	if err != nil {
		t.Fatal(err)
	}
	second, err := signing.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := second.Open(ctx, owner, sealed); err != nil || opened.Multikey() != k.Multikey() {
		t.Fatalf("opened %v, %v", opened, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 || info.Size() != signing.MasterSize {
		t.Fatalf("file is %v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".master-*")); len(left) > 0 {
		t.Fatalf("left behind %v", left)
	}
}

func TestFileCreatedByManyAtOnce(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "master.key")
	files := make([]*signing.File, 16)
	var wg sync.WaitGroup
	for i := range files {
		wg.Go(func() {
			f, err := signing.OpenFile(path)
			if err != nil {
				t.Error(err)
			}
			files[i] = f
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	k, _ := signing.Generate(rand.Reader)
	sealed, _ := files[0].Seal(ctx, owner, k)
	for i, f := range files {
		if _, err := f.Open(ctx, owner, sealed); err != nil {
			t.Errorf("program %d has another master key: %v", i, err)
		}
	}
}

func TestFileRefused(t *testing.T) {
	tests := []struct {
		name string
		make func(path string) error
	}{
		{"others may read", func(p string) error { return os.WriteFile(p, make([]byte, 32), 0o644) }},
		{"group may read", func(p string) error { return os.WriteFile(p, make([]byte, 32), 0o640) }},
		{"too short", func(p string) error { return os.WriteFile(p, make([]byte, 31), 0o600) }},
		{"too long", func(p string) error { return os.WriteFile(p, make([]byte, 33), 0o600) }},
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o600) }},
		{"a directory", func(p string) error { return os.Mkdir(p, 0o700) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "master.key")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			if f, err := signing.OpenFile(path); err == nil {
				t.Fatalf("accepted: %v", f)
			}
		})
	}
}

func TestMultikey(t *testing.T) {
	k, _ := signing.Generate(rand.Reader)
	if !strings.HasPrefix(k.Multikey(), "z6Mk") {
		t.Fatalf("multikey %s", k.Multikey())
	}
	// did:key's published test vector.
	const published = "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
	p, err := signing.DecodeMultikey(published)
	if err != nil || signing.EncodeMultikey(p) != published {
		t.Fatalf("published key: %v", err)
	}
	for _, bad := range []string{
		"", "z", "6Mk", published[1:], "z1" + published[1:], published + "1", "m" + published[1:],
		published[:len(published)-1], "z0OIl", "z" + strings.Repeat("1", 1<<20),
		"zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", // P-256
	} {
		if p, err := signing.DecodeMultikey(bad); err == nil {
			t.Errorf("%.60q gives %x", bad, p)
		}
	}
}

// The private half must not leave through any door that prints.
func TestNothingPrintsAKey(t *testing.T) {
	seed := bytes.Repeat([]byte{0xA7, 0x3C}, 16)
	k, err := signing.Generate(bytes.NewReader(seed))
	if err != nil {
		t.Fatal(err)
	}
	masterFile := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(masterFile, seed, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := signing.OpenFile(masterFile)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	type box struct {
		Key    signing.Key
		Ptr    *signing.Key
		Sealer signing.Sealer
	}
	type hidden struct {
		key    signing.Key
		sealer signing.Sealer
		file   *signing.File
		value  signing.File
	}
	for _, v := range []any{k, &k, f, box{k, &k, f}, &box{k, &k, f}, hidden{k, f, f, *f}, &hidden{k, f, f, *f}, []any{k, f}, map[string]any{"k": k, "f": f}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%c", "%U"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		raw, _ := json.Marshal(v)
		out.Write(raw)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).Info("key", "key", v)
		}
	}
	sealed, _ := f.Seal(context.Background(), owner, k)
	out.Write(sealed)
	sealed[len(sealed)-1] ^= 1
	_, err = f.Open(context.Background(), owner, sealed)
	fmt.Fprintf(&out, "%+v %#v", err, err)

	printed := out.String()
	lower := strings.ToLower(printed)
	for form, secret := range map[string]string{
		"raw":   string(seed[:4]),
		"words": "2805770044", "words, little": "1017592999", // the first round key of AES is the key itself
		"words, hex": "0xa73ca73c", "words, hex, little": "0x3ca73ca7",
		"hex":     hex.EncodeToString(seed[:6]),
		"base64":  base64.StdEncoding.EncodeToString(seed)[:8],
		"decimal": "167 60 167", "go": "0xa7, 0x3c", "json": "167,60,167", "binary": "10100111 111100",
	} {
		if i := strings.Index(lower, strings.ToLower(secret)); i >= 0 {
			t.Errorf("the key is printed as %s: %q", form, lower[max(0, i-80):i])
		}
	}
	if !strings.Contains(printed, k.Multikey()) {
		t.Error("the public half is not printed")
	}
}

func TestEmptyKeySignsNothing(t *testing.T) {
	if _, err := (signing.Key{}).Sign([]byte("x")); err == nil {
		t.Fatal("signed")
	}
	if (signing.Key{}).Multikey() != "" {
		t.Fatal("an empty key has a public half")
	}
	if _, err := signing.Generate(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Fatal("made a key of 31 random bytes")
	}
}

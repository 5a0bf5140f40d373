package signing_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/banyan-lms/banyan/internal/signing"
)

func TestSecrets(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "master.key")
	file, err := signing.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secret := []byte("a recovery key of thirty-two bit")
	sealed, err := file.SealSecret(ctx, "device 1", secret)
	if err != nil || bytes.Contains(sealed, secret) {
		t.Fatalf("%x, %v", sealed, err)
	}
	again, err := signing.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.OpenSecret(ctx, "device 1", sealed); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := file.OpenSecret(ctx, "device 2", sealed); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("another owner opens it: %v", err)
	}
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1
		if _, err := file.OpenSecret(ctx, "device 1", bad); err == nil {
			t.Errorf("byte %d flipped, and it opens", i)
		}
		if _, err := file.OpenSecret(ctx, "device 1", sealed[:i]); err == nil {
			t.Errorf("cut to %d bytes, and it opens", i)
		}
	}
	other, err := signing.NewEphemeral()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.OpenSecret(ctx, "device 1", sealed); !errors.Is(err, signing.ErrOtherMaster) {
		t.Errorf("another master key: %v", err)
	}
	if sealed, err = other.SealSecret(ctx, "x", secret); err != nil {
		t.Fatal(err)
	}
	// A secret is no issuer's key, whatever its length, and a key is no secret.
	if _, err := other.Open(ctx, signing.Owner{InstitutionID: "x", KeyID: "x"}, sealed); !errors.Is(err, signing.ErrBroken) {
		t.Errorf("a secret opens as a key: %v", err)
	}
	for _, wrong := range [][]byte{nil, make([]byte, 1025)} {
		if _, err := file.SealSecret(ctx, "x", wrong); err == nil {
			t.Errorf("%d bytes are sealed", len(wrong))
		}
	}
}

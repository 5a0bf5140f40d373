package app_test

import (
	"context"
	"encoding/hex"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/banyan-lms/banyan/internal/app"
	"github.com/banyan-lms/banyan/internal/config"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

// A new master key takes over from an earlier one, even when the work is stopped in the middle and done again.
func TestReseal(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	open := func(master string, earlier ...string) *app.App {
		t.Helper()
		cfg := config.Config{DataDir: dir, Sandbox: "fake", MasterKeyFile: filepath.Join(dir, master)}
		for i, e := range earlier {
			earlier[i] = filepath.Join(dir, e)
		}
		cfg.EarlierKeys = strings.Join(earlier, ",")
		cfg.Defaults()
		a, err := app.New(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.DB.Migrate(ctx); err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := open("one")
	in, err := a.Institution.Create(ctx, identity.System(), "acacia", "Acacia")
	if err != nil {
		t.Fatal(err)
	}
	rotate := func(a *app.App) error {
		_, err := a.Keys.Rotate(ctx, identity.System(), in.ID, keyring.KeyID(uuid.Must(uuid.NewV7()).String()))
		return err
	}
	for range 3 {
		if err := rotate(a); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := a.Trust.Publishers(ctx, identity.System()); err != nil {
		t.Fatal(err)
	}
	sealed := func(a *app.App) (out []string) {
		t.Helper()
		for _, kind := range store.SealedKinds {
			list, err := a.DB.Sealed().List(ctx, kind, "", 100)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range list {
				out = append(out, hex.EncodeToString(v.Bytes))
			}
		}
		return out
	}
	before := sealed(a)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	// Without the earlier one nothing opens, and nothing is changed.
	lost := open("other")
	if _, err := lost.Reseal(ctx); !errors.Is(err, signing.ErrOtherMaster) {
		t.Errorf("sealed anew without the earlier key: %v", err)
	}
	if !slices.Equal(sealed(lost), before) {
		t.Error("something was changed")
	}
	if err := lost.Close(); err != nil {
		t.Fatal(err)
	}

	// Stopped after the first.
	both := open("two", "one")
	list, err := both.DB.Sealed().List(ctx, store.IssuerKey, "", 1)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(ctx)
	stop()
	if _, err := both.Reseal(stopped); err == nil {
		t.Error("not stopped")
	}
	n, err := both.Reseal(ctx)
	if err != nil || n != len(before) || n < 3 {
		t.Errorf("%d sealed anew of %d: %v", n, len(before), err)
	}
	if again, err := both.Reseal(ctx); err != nil || again != n {
		t.Errorf("%d, %v", again, err)
	}
	for _, v := range sealed(both) {
		if slices.Contains(before, v) {
			t.Error("one is as it was")
		}
	}
	// What was read before somebody else sealed it anew is not put back.
	if done, err := both.DB.Sealed().Replace(ctx, list[0], list[0].Bytes); err != nil || done {
		t.Errorf("an old value is put back: %v", err)
	}
	if err := both.Close(); err != nil {
		t.Fatal(err)
	}

	alone := open("two")
	if err := rotate(alone); err != nil {
		t.Error(err)
	}
	if n, err := alone.Reseal(ctx); err != nil || n != len(before)+1 {
		t.Errorf("%d, %v: something needs the earlier key yet", n, err)
	}
	if err := alone.Close(); err != nil {
		t.Fatal(err)
	}
}

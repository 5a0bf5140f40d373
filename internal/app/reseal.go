package app

import (
	"bytes"
	"context"
	"fmt"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/bundle/publisher"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/signing"
	"github.com/banyan-lms/banyan/internal/store"
)

const resealPage = 100

// Reseal seals everything anew that is sealed under a master key, under the one that seals now: what an earlier one sealed opens as long
// as that is given (see signing.Several). It gives how many values it sealed anew. It may be killed and run again, twice over, while servers are at
// work: each value is replaced whole, and only by itself.
func (a *App) Reseal(ctx context.Context) (int, error) {
	count := 0
	for _, kind := range store.SealedKinds {
		for after := ""; ; {
			page, err := a.DB.Sealed().List(ctx, kind, after, resealPage)
			if err != nil {
				return count, err
			}
			for _, v := range page {
				next, err := a.reseal(ctx, v)
				if err != nil {
					return count, fmt.Errorf("seal %s key %s anew: %w", v.Kind, v.ID, err)
				}
				done, err := a.DB.Sealed().Replace(ctx, v, next)
				if err != nil {
					return count, err
				}
				if done { // else it went, or somebody else was faster
					count++
				}
				after = v.ID
			}
			if len(page) < resealPage {
				break
			}
		}
	}
	return count, a.DB.Institution().Audit(ctx, audit.New("", "", now(), audit.KeyResealed, map[string]any{"keys": count}))
}

// reseal opens a value and seals it again, and looks whether that opens to the same.
func (a *App) reseal(ctx context.Context, v store.SealedValue) ([]byte, error) {
	switch {
	case v.Kind == store.DeviceSecret:
		owner := identity.RecoveryOwner(identity.DeviceID(v.ID), identity.UserID(v.Of))
		return again(func(sealed []byte) ([]byte, error) { return a.safe.OpenSecret(ctx, owner, sealed) },
			func(secret []byte) ([]byte, error) { return a.safe.SealSecret(ctx, owner, secret) }, bytes.Equal, v.Bytes)
	case v.KeyKind == string(keyring.RSA):
		owner := signing.Owner{InstitutionID: v.Of, KeyID: v.ID}
		return again(func(sealed []byte) (signing.RSAKey, error) { return a.safe.OpenRSA(ctx, owner, sealed) },
			func(k signing.RSAKey) ([]byte, error) { return a.safe.SealRSA(ctx, owner, k) },
			func(x, y signing.RSAKey) bool { return x.JWK() == y.JWK() }, v.Bytes)
	}
	owner := signing.Owner{InstitutionID: v.Of, KeyID: v.ID}
	if v.Kind == store.PublisherKey {
		owner = publisher.KeyOwner(identity.InstitutionID(v.Of), v.ID)
	}
	return again(func(sealed []byte) (signing.Key, error) { return a.safe.Open(ctx, owner, sealed) },
		func(k signing.Key) ([]byte, error) { return a.safe.Seal(ctx, owner, k) },
		func(x, y signing.Key) bool { return x.Multikey() == y.Multikey() }, v.Bytes)
}

func again[T any](open func([]byte) (T, error), seal func(T) ([]byte, error), same func(x, y T) bool, sealed []byte) ([]byte, error) {
	before, err := open(sealed)
	if err != nil {
		return nil, err
	}
	next, err := seal(before)
	if err != nil {
		return nil, err
	}
	after, err := open(next)
	if err != nil {
		return nil, err
	}
	if !same(before, after) {
		return nil, signing.ErrBroken
	}
	return next, nil
}

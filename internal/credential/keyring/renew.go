package keyring

import (
	"context"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// RenewKind is the job that signs anew what the revocation of a key made invalid.
const RenewKind job.Kind = "credential.renew"

// RenewPayload says which key signed too late.
type RenewPayload struct {
	InstitutionID identity.InstitutionID `json:"institution_id"`
	KeyID         KeyID                  `json:"key_id"`
}

// Renew asks that what a key signed at the date of its revocation or later is signed anew, with the key of now: a credential says the
// same and keeps its id, its dates and its place in the status lists. For admins and the operator. Only what this server issued is signed, and only
// where nothing but the key is wrong with it. Where nothing is to be signed, or that is under way, nothing happens.
// fault.Conflict credential.key_not_revoked: then all that it signed holds.
func (s *Service) Renew(ctx context.Context, by identity.Actor, in identity.InstitutionID, id KeyID) (Key, error) {
	if err := mayHoldKeys(by, in); err != nil {
		return Key{}, err
	}
	if !by.Scoped(identity.ScopeAdmin) {
		return Key{}, fault.New(fault.Denied, "token.scope_missing")
	}
	j, err := job.NewBackground(job.ID(s.NewID()), RenewKind, job.Regrade, RenewPayload{in, id})
	if err != nil {
		return Key{}, err
	}
	var k Key
	err = s.Store.InTx(ctx, func(tx Store) error {
		if k, err = findKey(ctx, tx, in, id); err != nil {
			return err
		}
		if k.RevokedAt == nil {
			return fault.New(fault.Conflict, "credential.key_not_revoked")
		}
		refused, err := tx.CountRefused(ctx, in)
		if err != nil || refused[id] == 0 {
			return err
		}
		now := s.Now().UTC()
		if fresh, err := tx.StartRenewal(ctx, id, now); err != nil || !fresh {
			return err
		}
		k.RenewalStartedAt, k.RenewalEndedAt = &now, nil
		if err := tx.Enqueue(ctx, j); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, now, audit.RenewalStarted, map[string]any{"key": string(id), "credentials": refused[id]}))
	})
	return k.Bare(), err
}

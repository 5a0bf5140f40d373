package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// RenewKind is the job that signs anew what the revocation of a key made invalid.
const RenewKind job.Kind = "credential.renew"

type renewPayload struct {
	InstitutionID identity.InstitutionID `json:"institution_id"`
	KeyID         KeyID                  `json:"key_id"`
}

var _ job.Handler = (*Service)(nil).RunRenewal

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
	j, err := job.NewBackground(job.ID(s.NewID()), RenewKind, job.Regrade, renewPayload{in, id})
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
	return bare([]Key{k})[0], err
}

func findKey(ctx context.Context, st Store, in identity.InstitutionID, id KeyID) (Key, error) {
	keys, err := st.ListKeys(ctx, in)
	if err != nil {
		return Key{}, err
	}
	if i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == id }); i >= 0 {
		return keys[i], nil
	}
	return Key{}, fault.New(fault.NotFound, "credential.key_not_found")
}

// RunRenewal implements job.Handler for RenewKind. Each credential is a transaction of its own: a run that is cut off is taken up
// where it was, and of two at once each credential is signed by one.
func (s *Service) RunRenewal(ctx context.Context, j job.Job) error {
	var p renewPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	var after ID
	for {
		page, err := s.Store.ListRefused(ctx, p.KeyID, after, erasePage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.renew(ctx, c); err != nil {
				return fmt.Errorf("sign credential %s anew: %w", c.ID, err)
			}
			after = c.ID
		}
		if len(page) < erasePage {
			break
		}
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := tx.FinishJob(ctx, j.ID); err != nil || !fresh {
			return err
		}
		now := s.Now().UTC()
		if err := tx.EndRenewal(ctx, p.KeyID, now); err != nil {
			return err
		}
		left, err := tx.CountRefused(ctx, p.InstitutionID)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(p.InstitutionID, "", now, audit.RenewalFinished, map[string]any{"key": string(p.KeyID), "left": left[p.KeyID]}))
	})
}

// renew signs one credential anew, if its key's revocation is all that is wrong with it.
func (s *Service) renew(ctx context.Context, c Credential) error {
	c, err := s.erased(ctx, c)
	if err != nil {
		return err
	}
	_, err = s.verify(ctx, c)
	if err == nil {
		return nil // erased meanwhile, and signed with that
	}
	if !isRefusal(err) {
		return err
	}
	if revokedKey(err) == nil {
		slog.ErrorContext(ctx, "stored credential does not verify, and is not signed anew", "credential", c.ID, "err", err)
		return nil
	}
	tree, issuer, err := unproven(c.Document)
	if err != nil {
		return err
	}
	d := unsigned{issuer: issuer}
	if d.document, err = marshal(tree); err != nil {
		return err
	}
	_, err = s.sealAnew(ctx, c, d)
	return err
}

// unsigned is a document whose proofs were taken out, and the DID that signs it.
type unsigned struct {
	document []byte
	issuer   string
}

// unproven takes the proofs out of a document.
func unproven(doc []byte) (tree map[string]json.RawMessage, issuer string, err error) {
	if err := json.Unmarshal(doc, &tree); err != nil {
		return nil, "", fmt.Errorf("read credential document: %w", err)
	}
	var by profile
	if err := json.Unmarshal(tree["issuer"], &by); err != nil || by.ID == "" {
		return nil, "", errors.New("read credential document: no issuer")
	}
	delete(tree, "proof")
	return tree, by.ID, nil
}

// sealAnew signs what is to stand in the place of a credential's document, and stores it. When that is another meanwhile, it stands.
func (s *Service) sealAnew(ctx context.Context, c Credential, d unsigned) (Credential, error) {
	in, err := s.Institutions.Find(ctx, c.InstitutionID)
	if err != nil {
		return Credential{}, err
	}
	for range tries {
		row, key, err := s.key(ctx, in, d.issuer)
		if err != nil {
			return Credential{}, err
		}
		next := c
		next.KeyID, next.SignedAt = row.ID, s.signingTime(row)
		if next.Document, err = proof.Sign(d.document, key, row.Method(), next.SignedAt); err != nil {
			return Credential{}, fmt.Errorf("sign anew: %w", err)
		}
		err = s.Store.InTx(ctx, func(tx Store) error {
			if err := HoldKeys(ctx, tx, Signature{next.KeyID, next.SignedAt}); err != nil {
				return err
			}
			now, err := tx.LockCredential(ctx, c.ID)
			if err != nil {
				return err
			}
			if (now.ErasedAt == nil) != (c.ErasedAt == nil) || !bytes.Equal(now.Document, c.Document) {
				next = now
				return nil
			}
			now.Document, now.KeyID, now.SignedAt = next.Document, next.KeyID, next.SignedAt
			if at := s.Now().UTC(); at.After(now.ChangedAt) {
				now.ChangedAt = at
			} else {
				now.ChangedAt = now.ChangedAt.Add(time.Microsecond)
			}
			next = now
			return tx.ReplaceDocument(ctx, next)
		})
		if !hasKey(err, Withdrawn) {
			return next, err
		}
	}
	return Credential{}, fault.New(fault.Conflict, Withdrawn)
}

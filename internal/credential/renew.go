package credential

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/job"
)

var _ job.Handler = (*Service)(nil).RunRenewal

// RunRenewal implements job.Handler for keyring.RenewKind. Each credential is a transaction of its own: a run that is cut off is taken up
// where it was, and of two at once each credential is signed by one.
func (s *Service) RunRenewal(ctx context.Context, j job.Job) error {
	var p keyring.RenewPayload
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
	_, err = s.Verify(ctx, c)
	if err == nil {
		return nil // erased meanwhile, and signed with that
	}
	if !IsRefusal(err) {
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
	if d.document, err = proof.Marshal(tree); err != nil {
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
	for range tries {
		row, key, err := s.Keys.Live(ctx, c.InstitutionID, d.issuer)
		if err != nil {
			return Credential{}, err
		}
		next := c
		next.KeyID, next.SignedAt = row.ID, s.Keys.SigningTime(row)
		if next.Document, err = proof.Sign(d.document, key, row.Method(), next.SignedAt); err != nil {
			return Credential{}, fmt.Errorf("sign anew: %w", err)
		}
		err = s.Store.InTx(ctx, func(tx Store) error {
			if err := keyring.Hold(ctx, tx, keyring.Signature{KeyID: next.KeyID, At: next.SignedAt}); err != nil {
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
		if !hasKey(err, keyring.Withdrawn) {
			return next, err
		}
	}
	return Credential{}, fault.New(fault.Conflict, keyring.Withdrawn)
}

package credential

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/banyan-lms/banyan/internal/credential/proof"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

var _ job.Handler = (*Service)(nil).EraseNames

// erasePage is how many credentials are read at once.
const erasePage = 100

// EraseNames implements job.Handler for identity.ErasedKind: in the place of each document that names the person comes one without
// the name. It may run twice: what bears no name is left as it is.
func (s *Service) EraseNames(ctx context.Context, j job.Job) error {
	var p identity.ErasedPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	var after ID
	for {
		page, err := s.Store.ListCredentials(ctx, p.UserID, after, erasePage)
		if err != nil {
			return err
		}
		for _, c := range page {
			if _, err := s.erased(ctx, c); err != nil {
				return fmt.Errorf("erase the name in credential %s: %w", c.ID, err)
			}
			after = c.ID
		}
		if len(page) < erasePage {
			break
		}
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		_, err := tx.FinishJob(ctx, j.ID)
		return err
	})
}

// erased gives a credential as it may be shown. Between the erasure of its holder and the job that follows, its document may still
// bear the name: then it is replaced here, so that nobody reads it in the meantime.
func (s *Service) erased(ctx context.Context, c Credential) (Credential, error) {
	if c.ErasedAt == nil {
		return c, nil
	}
	d, named, err := nameless(c.Document, c.ID)
	if err != nil || !named {
		return c, err
	}
	return s.sealAnew(ctx, c, d)
}

// nameless takes the name out of a document, and its proofs, which cover it. All else stays as it was signed: the id, the issuer, the
// dates, what was achieved, the places in the status lists. So who kept a copy with the name finds it signed and in
// the lists as before, and this one says the same without the person. The subject is the credential's own number, for Open
// Badges wants the subject to have a name or an id. named tells whether there was a name to take out.
func nameless(doc []byte, id ID) (d unsigned, named bool, err error) {
	tree, issuer, err := unproven(doc)
	if err != nil {
		return d, false, err
	}
	subject := map[string]json.RawMessage{}
	if err := json.Unmarshal(tree["credentialSubject"], &subject); err != nil {
		return d, false, fmt.Errorf("read credential document: %w", err)
	}
	if _, named = subject["identifier"]; !named {
		return d, false, nil
	}
	delete(subject, "identifier")
	if subject["id"], err = json.Marshal(subjectID(id)); err != nil {
		return d, false, err
	}
	if tree["credentialSubject"], err = proof.Marshal(subject); err != nil {
		return d, false, err
	}
	d.issuer = issuer
	d.document, err = proof.Marshal(tree)
	return d, true, err
}

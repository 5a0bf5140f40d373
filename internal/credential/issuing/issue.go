package issuing

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/credential/keyring"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

type issuePayload struct {
	Awards []AwardID `json:"awards"`
}

// ask asks for the signatures of awards that are ready, as part of the transaction that made them so.
func (s *Service) ask(ctx context.Context, tx Store, p job.Priority, ids ...AwardID) error {
	j, err := job.NewBackground(job.ID(s.NewID()), IssueKind, p, issuePayload{ids})
	if err != nil {
		return err
	}
	return tx.Enqueue(ctx, j)
}

var errMeanwhile = fault.New(fault.Conflict, "award.changed")

// Issue implements job.Handler for IssueKind: it signs the credentials of awards that are ready and stores them with the mark
// that the job is done. An award gets one credential, however often and by however many workers its jobs are
// run. One that is not ready any more is left as it is.
func (s *Service) Issue(ctx context.Context, j job.Job) error {
	var p issuePayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	var err error
	for range tries {
		err = s.issue(ctx, j.ID, p.Awards)
		if !hasKey(err, keyring.Withdrawn, "credential.index_taken", "credential.exists", errMeanwhile.Key) {
			break
		}
	}
	if err == nil || len(p.Awards) < 2 || ctx.Err() != nil {
		return err
	}
	// One that cannot be issued must not hold up its neighbours: each gets a job of its own.
	return s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := tx.FinishJob(ctx, j.ID); err != nil || !fresh {
			return err
		}
		for _, id := range p.Awards {
			if err := s.ask(ctx, tx, j.Priority, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// prepared is what will become of an award: its new credential, or one of old that it turned out to have.
type prepared struct {
	revision int
	fresh    bool
	credential.Credential
}

func (s *Service) issue(ctx context.Context, id job.ID, ids []AwardID) error {
	made, err := s.prepare(ctx, ids)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := tx.FinishJob(ctx, id); err != nil || !fresh {
			return err
		}
		as, err := tx.LockAwards(ctx, ids)
		if err != nil {
			return err
		}
		var signed []keyring.Signature
		for _, a := range as {
			if p := made[a.ID]; p.fresh {
				signed = append(signed, keyring.Signature{KeyID: p.KeyID, At: p.SignedAt})
			}
		}
		if err := keyring.Hold(ctx, tx, signed...); err != nil {
			return err
		}
		var log journal
		for _, a := range as {
			if a.State != Ready {
				continue
			}
			p, ok := made[a.ID]
			if !ok || p.revision != a.Revision {
				return errMeanwhile
			}
			if p.fresh {
				if err := tx.CreateCredential(ctx, p.Credential); err != nil {
					return err
				}
				log.add(audit.New(a.InstitutionID, identity.UserID(""), p.IssuedAt, audit.CredentialIssued, map[string]any{
					"credential": string(p.ID), "award": string(a.ID), "user": string(a.UserID), "course": string(a.CourseID),
					"approved_by": string(a.ApprovedBy), "assessment": string(a.Assessment), "assessed_by": string(a.AssessedBy),
				}))
			}
			a.State, a.CredentialID, a.ChangedAt = Issued, p.ID, s.Now().UTC()
			a.Revision++
			if err := tx.UpdateAward(ctx, a); err != nil {
				return err
			}
		}
		return log.write(ctx, tx)
	})
}

// prepare signs what is ready, outside of any transaction.
func (s *Service) prepare(ctx context.Context, ids []AwardID) (map[AwardID]prepared, error) {
	out := map[AwardID]prepared{}
	var as []Award
	var grants []credential.Grant
	for _, id := range ids {
		a, err := s.Store.FindAward(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.State != Ready {
			continue
		}
		c, err := s.Store.FindCredentialOf(ctx, a.EnrollmentID)
		if err == nil {
			out[a.ID] = prepared{revision: a.Revision, Credential: c}
			continue
		}
		if !fault.Is(err, fault.NotFound) {
			return nil, err
		}
		g, err := s.grant(ctx, a)
		if err != nil {
			return nil, err
		}
		as, grants = append(as, a), append(grants, g)
	}
	cs, err := s.Press.Prepare(ctx, grants...)
	if err != nil {
		return nil, err
	}
	for i, c := range cs {
		out[as[i].ID] = prepared{revision: as[i].Revision, fresh: true, Credential: c}
	}
	return out, nil
}

// grant says what the credential of an award attests.
func (s *Service) grant(ctx context.Context, a Award) (credential.Grant, error) {
	c, err := s.criteriaOf(ctx, s.Store, a)
	if err != nil {
		return credential.Grant{}, err
	}
	name := a.Name
	if name == "" {
		if name, _, err = s.HolderName(ctx, a.UserID); err != nil {
			return credential.Grant{}, err
		}
	}
	g := credential.Grant{
		EnrollmentID: a.EnrollmentID, Name: name, Assessment: a.Assessment, AIHelp: a.AIHelp, Months: c.Months,
		Competences: c.Competences, Items: c.Items, MinScore: c.MinScore,
	}
	if c.MinScore > 0 {
		g.Score = a.Score
	}
	return g, nil
}

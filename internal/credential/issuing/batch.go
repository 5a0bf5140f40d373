package issuing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/banyan-lms/banyan/internal/audit"
	"github.com/banyan-lms/banyan/internal/credential"
	"github.com/banyan-lms/banyan/internal/curriculum"
	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/job"
)

// Batch approves many awards in one act and has them issued. What lacks more than an approval and a level of assessment is
// left as it is. How far it is follows from what became of its awards, so that it may be cut off anywhere.
type Batch struct {
	ID            BatchID
	InstitutionID identity.InstitutionID
	Assessment    credential.Assessment // attested for all; "" attests nothing
	Limited       bool                  // its issuer is bound to delegations
	CreatedBy     identity.UserID
	CreatedAt     time.Time
	Total         int
	SettledAt     time.Time // every award was looked at; signatures may still be under way

	Open    int            // not looked at yet
	Signing int            // approved, and not signed yet
	Issued  int            // have their certificate
	Skipped map[string]int // left as they are, by the message key of why
}

// Done tells whether nothing of it is under way any more.
func (b Batch) Done() bool { return !b.SettledAt.IsZero() && b.Signing == 0 }

// Taken is the cause of an award that a batch did not skip.
const Taken = ""

// NewBatch says which awards to approve: those named, or all that wait, of one course or of any.
type NewBatch struct {
	ID         BatchID // client-made
	AwardIDs   []AwardID
	CourseID   curriculum.CourseID
	Assessment credential.Assessment
}

const (
	maxNamed = 1_000  // awards that a batch names
	maxBatch = 20_000 // awards of a batch
	chunk    = 100    // awards approved in one transaction
	bunch    = 25     // awards signed by one job
)

type batchPayload struct {
	BatchID BatchID `json:"batch_id"`
}

// StartBatch starts a batch. Issuers and admins of the institution may. The same id again gives the first batch and created false.
func (s *Service) StartBatch(ctx context.Context, by identity.Actor, in identity.InstitutionID, n NewBatch) (b Batch, created bool, err error) {
	if err := mayIssue(by, in); err != nil {
		return Batch{}, false, err
	}
	bad := fault.New(fault.Invalid, "request.invalid")
	if n.Assessment != "" && !n.Assessment.Known() {
		bad.At(fault.Detail{Pointer: "/assessment", Key: "criteria.bad_assessment"})
	}
	if len(n.AwardIDs) > maxNamed {
		bad.At(fault.Detail{Pointer: "/awards", Key: "batch.too_many", Args: map[string]any{"Max": maxNamed}})
	}
	if len(bad.Details) > 0 {
		return Batch{}, false, bad
	}
	from, err := s.purse(ctx, by, in)
	if err != nil {
		return Batch{}, false, err
	}
	if err := from.covers(n.CourseID, s.Now()); err != nil && !hasKey(err, "delegation.other_course") {
		return Batch{}, false, err
	}
	b = Batch{ID: n.ID, InstitutionID: in, Assessment: n.Assessment, Limited: from != nil, CreatedBy: by.UserID, CreatedAt: s.Now().UTC()}
	j, err := job.New(job.ID(s.NewID()), BatchKind, batchPayload{b.ID})
	if err != nil {
		return Batch{}, false, err
	}
	j.Priority = job.Backlog
	err = s.Store.InTx(ctx, func(tx Store) error {
		if created, err = tx.CreateBatch(ctx, b); err != nil || !created {
			return err
		}
		total, err := tx.FillBatch(ctx, b, n.AwardIDs, AwardFilter{State: Waiting, CourseID: n.CourseID}, maxBatch)
		if err != nil {
			return err
		}
		if err := tx.FinishBatch(ctx, b.ID, total, time.Time{}); err != nil {
			return err
		}
		if err := tx.Enqueue(ctx, j); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(in, by.UserID, b.CreatedAt, audit.BatchStarted, map[string]any{"batch": string(b.ID), "awards": total}))
	})
	if err != nil {
		return Batch{}, false, err
	}
	b, err = s.FindBatch(ctx, by, in, n.ID)
	return b, created, err
}

// FindBatch tells how far a batch is, to those who may list awards.
func (s *Service) FindBatch(ctx context.Context, by identity.Actor, in identity.InstitutionID, id BatchID) (Batch, error) {
	if err := mayLook(by, in, identity.Issuer, identity.Admin); err != nil {
		return Batch{}, err
	}
	b, err := s.Store.FindBatch(ctx, id)
	if err == nil && b.InstitutionID != in {
		err = fault.New(fault.NotFound, "batch.not_found")
	}
	if err != nil {
		return Batch{}, err
	}
	return b, nil
}

// ListBatches lists those of an institution, newest first, to those who may list awards.
func (s *Service) ListBatches(ctx context.Context, by identity.Actor, in identity.InstitutionID, before BatchID, limit int) ([]Batch, error) {
	if err := mayLook(by, in, identity.Issuer, identity.Admin); err != nil {
		return nil, err
	}
	return s.Store.ListBatches(ctx, in, before, limit)
}

// RunBatch implements job.Handler for BatchKind. Each chunk is one transaction that says what became of its awards: a run that is
// cut off is taken up where it was, and two at once do each award once.
func (s *Service) RunBatch(ctx context.Context, j job.Job) error {
	var p batchPayload
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return fmt.Errorf("read payload of job %s: %w", j.ID, err)
	}
	b, err := s.Store.FindBatch(ctx, p.BatchID)
	if err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		open, err := s.Store.ListOpen(ctx, b.ID, chunk)
		if err != nil {
			return err
		}
		if len(open) == 0 {
			break
		}
		if err := s.runChunk(ctx, b, open); err != nil && !hasKey(err, errMeanwhile.Key) {
			return err
		}
	}
	return s.Store.InTx(ctx, func(tx Store) error {
		if fresh, err := tx.FinishJob(ctx, j.ID); err != nil || !fresh {
			return err
		}
		now := s.Now().UTC()
		if err := tx.FinishBatch(ctx, b.ID, b.Total, now); err != nil {
			return err
		}
		return tx.Audit(ctx, audit.New(b.InstitutionID, b.CreatedBy, now, audit.BatchFinished, map[string]any{"batch": string(b.ID)}))
	})
}

// errLacking is why a batch leaves an award as it is: it waits for something that is not in the batch's power.
var errLacking = fault.New(fault.Conflict, "batch.lacking")

func (s *Service) runChunk(ctx context.Context, b Batch, open []AwardID) error {
	return s.Store.InTx(ctx, func(tx Store) error {
		as, err := tx.LockAwards(ctx, open)
		if err != nil {
			return err
		}
		var from purse
		if b.Limited {
			// Read anew: what is left changes while a batch runs.
			if from, err = tx.ListDelegations(ctx, b.InstitutionID, b.CreatedBy); err != nil {
				return err
			}
		}
		var ready []AwardID
		var log journal
		for _, a := range as {
			cause, err := s.takeInto(ctx, tx, b, a, from, &log)
			if err != nil {
				return err
			}
			if fresh, err := tx.SettleInBatch(ctx, b.ID, a.ID, cause); err != nil {
				return err
			} else if !fresh {
				return errMeanwhile // another run was here: roll back what we did once more
			}
			if cause == Taken {
				ready = append(ready, a.ID)
			}
		}
		for part := range slices.Chunk(ready, bunch) {
			if err := s.ask(ctx, tx, job.Regrade, part...); err != nil {
				return err
			}
		}
		return log.write(ctx, tx)
	})
}

// takeInto approves an award that lacks nothing else, or tells why not.
func (s *Service) takeInto(ctx context.Context, tx Store, b Batch, a Award, from purse, log *journal) (cause string, err error) {
	if a.State != Waiting {
		return "batch.not_waiting", nil
	}
	c, err := s.criteriaOf(ctx, tx, a)
	if err != nil {
		return "", err
	}
	if b.Assessment != "" && !a.Assessment.Reaches(b.Assessment) {
		a.Assessment, a.AssessedBy, a.AssessedAt = b.Assessment, b.CreatedBy, s.Now().UTC()
	}
	for _, w := range a.Wants(c) {
		if w != WantApproval {
			return errLacking.Key, nil
		}
	}
	_, err = s.apply(ctx, tx, b.CreatedBy, &a, from, func(_ Criteria, a *Award, now time.Time) (audit.Kind, map[string]any) {
		a.ApprovedBy, a.ApprovedAt = b.CreatedBy, now
		return audit.AwardApproved, map[string]any{"batch": string(b.ID), "assessment": string(a.Assessment)}
	}, log)
	if key := because(err); key != "" {
		return key, nil
	}
	return Taken, err
}

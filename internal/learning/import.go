package learning

import (
	"context"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
	"github.com/banyan-lms/banyan/internal/identity"
	"github.com/banyan-lms/banyan/internal/learning/wire"
)

// Devices is what Import needs to know whom it may believe.
type Devices interface {
	FindDevice(ctx context.Context, id identity.DeviceID) (identity.Device, error) // fault.NotFound
	ListMemberships(ctx context.Context, id identity.UserID) ([]identity.Membership, error)
	// Admit counts a try from an address and refuses those beyond most within a time.
	Admit(ctx context.Context, what, from string, most int, within time.Duration) error
}

// importsWithin and freeImports bound what one address brings: a teacher's computer takes in a whole class.
const (
	importsWithin = 10 * time.Minute
	freeImports   = 120
)

// Imported is what became of exported work. The submissions in it are for the lab, in the name of the learner.
type Imported struct {
	Synced
	Learner     identity.Actor
	Submissions []wire.Submission
	Revoked     bool // the device had been revoked
}

// Import takes work that a device has exported, whoever brings it: the device's signature says whose it is. Nothing of it is
// kept when the signature is wrong. It is taken as Sync takes a batch, in pieces when it is long.
//
// A device whose lease is over has worked on the road, which is what exports are for. Work of a revoked device is kept as well: what its learner did on
// it before it was lost must not be lost too, and no clock of the device could tell it from what came after. Its statements say so.
func (s *Service) Import(ctx context.Context, from, text, signature string) (Imported, error) {
	if from != "" {
		if err := s.Devices.Admit(ctx, "import", from, freeImports, importsWithin); err != nil {
			return Imported{}, err
		}
	}
	w, err := wire.ReadWork(text)
	if err != nil {
		return Imported{}, err
	}
	d, err := s.Devices.FindDevice(ctx, identity.DeviceID(w.Device))
	if fault.Is(err, fault.NotFound) {
		return Imported{}, fault.New(fault.Invalid, "work.unknown_device")
	}
	if err != nil {
		return Imported{}, err
	}
	key, err := d.PublicKey.ECDSA()
	if err != nil || !wire.Verify(key, text, signature) {
		return Imported{}, fault.Wrap(fault.Invalid, "work.bad_signature", err)
	}
	ms, err := s.Devices.ListMemberships(ctx, d.UserID)
	if err != nil {
		return Imported{}, err
	}
	out := Imported{
		Learner:     identity.Actor{UserID: d.UserID, Memberships: ms, Scopes: []identity.Scope{identity.ScopeLearn}, Device: d.ID},
		Submissions: w.Submissions, Revoked: !d.RevokedAt.IsZero(),
	}
	out.Answers = []Answer{}
	for from := 0; ; from += MaxBatch {
		part := w.Batch
		part.Statements, part.Bad = w.Statements[from:min(from+MaxBatch, len(w.Statements))], map[int]*fault.Detail{}
		for i, d := range w.Bad {
			if i >= from && i < from+MaxBatch {
				part.Bad[i-from] = d
			}
		}
		done, err := s.sync(ctx, out.Learner, part, out.Revoked)
		if err != nil {
			return Imported{}, err
		}
		done.Answers = append(out.Answers, done.Answers...)
		if out.Epoch > done.Epoch { // an earlier part has opened it
			done.Epoch, done.Known = out.Epoch, out.Known
		}
		if out.Synced = done; from+MaxBatch >= len(w.Statements) {
			return out, nil
		}
	}
}

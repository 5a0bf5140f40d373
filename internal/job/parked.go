package job

import (
	"context"
	"log/slog"
	"time"

	"github.com/banyan-lms/banyan/internal/fault"
)

// Parked is a job that was given up and waits for an operator.
type Parked struct {
	Job
	CreatedAt time.Time
	ParkedAt  time.Time
	Cause     string // of the last try
}

// Parking is what the operator's view of the outbox needs of storage.
type Parking interface {
	// ListParked lists jobs that were given up, by id, after a cursor that is "" at first.
	ListParked(ctx context.Context, after ID, limit int) ([]Parked, error)
	CountParked(ctx context.Context) (int, error)
	// Release makes a parked job due at once, its tries counted anew. One that is not parked is fault.NotFound.
	Release(ctx context.Context, id ID) error
	// ReleaseAll does so with every parked job and tells how many there were.
	ReleaseAll(ctx context.Context) (int64, error)
}

// Operator tells whether somebody runs the server and may change things; identity.Actor does.
type Operator interface {
	Anonymous() bool
	Operates() bool
	MayOperate() bool
}

// Desk is where the operator sees what was given up, and has it done again.
type Desk struct{ Store Parking }

// List gives parked jobs and how many there are in all, to the operator alone.
func (d *Desk) List(ctx context.Context, by Operator, after ID, limit int) ([]Parked, int, error) {
	if err := mayLook(by); err != nil {
		return nil, 0, err
	}
	list, err := d.Store.ListParked(ctx, after, limit)
	if err != nil {
		return nil, 0, err
	}
	n, err := d.Store.CountParked(ctx)
	return list, n, err
}

// Retry makes a parked job due at once. Only the operator may.
func (d *Desk) Retry(ctx context.Context, by Operator, id ID) error {
	if err := mayChange(by); err != nil {
		return err
	}
	return d.Store.Release(ctx, id)
}

// RetryAll makes every parked job due at once and tells how many. Only the operator may.
func (d *Desk) RetryAll(ctx context.Context, by Operator) (int64, error) {
	if err := mayChange(by); err != nil {
		return 0, err
	}
	return d.Store.ReleaseAll(ctx)
}

func mayLook(by Operator) error {
	switch {
	case by.Anonymous():
		return fault.New(fault.Unauthenticated, "session.required")
	case !by.Operates():
		return fault.New(fault.Denied, "job.denied")
	}
	return nil
}

func mayChange(by Operator) error {
	if err := mayLook(by); err != nil {
		return err
	}
	if !by.MayOperate() {
		return fault.New(fault.Denied, "token.scope_missing")
	}
	return nil
}

// Calendar is what periodic jobs need of storage.
type Calendar interface {
	// Ensure stores a job unless its id is known.
	Ensure(ctx context.Context, j Job) (created bool, err error)
}

// Daily asks once a day (UTC) for each kind of housekeeping, until ctx ends. Any number of processes may
// do so at once: the job's id follows from its kind and the day, so that the first one to ask is the only one.
func Daily(ctx context.Context, c Calendar, now func() time.Time, kinds ...Kind) {
	look := time.NewTicker(10 * time.Minute)
	defer look.Stop()
	for {
		for _, k := range kinds {
			j, err := NewBackground(dayID(k, now()), k, Housekeeping, struct{}{})
			if err == nil {
				_, err = c.Ensure(ctx, j)
			}
			if err != nil && ctx.Err() == nil {
				slog.ErrorContext(ctx, "ask for housekeeping: it is asked for again in a while", "kind", k, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
	}
}

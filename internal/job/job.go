// Package job names deferred work and runs it from the outbox.
package job

import (
	"context"
	"encoding/json"
	"time"
)

// Kind is the stable name of a sort of work, such as lab.grade.
type Kind string

// ID is a UUIDv7; it is also the task id in the queue.
type ID string

// Job is one piece of deferred work.
type Job struct {
	ID      ID
	Kind    Kind
	Payload json.RawMessage
	Attempt int // counted from 1: which try this is
}

// New makes a job with a payload that is marshalled to JSON.
func New(id ID, kind Kind, payload any) (Job, error) {
	raw, err := json.Marshal(payload)
	return Job{ID: id, Kind: kind, Payload: raw}, err
}

// Handler does one kind of job. It may run twice for the same job: it marks the
// job done in the transaction of its result, and when the mark changes nothing
// it leaves the result as it is. An error means "later again".
type Handler func(ctx context.Context, j Job) error

// Outbox is what Runner and the relay need of storage. The rows are written by
// the domain stores, in the transaction that causes the work.
type Outbox interface {
	// Claim takes up to limit due jobs and hides them for the visibility
	// time, so that no other claimer takes them meanwhile.
	Claim(ctx context.Context, limit int, visibility time.Duration) ([]Job, error)
	// Retry makes a claimed job due again at a time, remembers the cause and counts the try.
	Retry(ctx context.Context, id ID, at time.Time, cause string) error
	// Park takes a job out of the running until an operator retries it.
	Park(ctx context.Context, id ID, cause string) error
}

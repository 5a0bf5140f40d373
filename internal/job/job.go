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

// Priority says who goes first: smaller numbers do. The store gives out jobs by priority, then by age.
type Priority int

// The priorities. From Waiting up to Backlog somebody waits for the job: Backlog is for those who wait for many
// at once. What comes later is background work and never keeps them waiting; see Runner.
const (
	Waiting      Priority = 0
	Backlog      Priority = 9
	Regrade      Priority = 10
	Housekeeping Priority = 20
)

// Background tells whether nobody waits for jobs of the priority.
func (p Priority) Background() bool { return p > Backlog }

// Job is one piece of deferred work.
type Job struct {
	ID       ID
	Kind     Kind
	Payload  json.RawMessage
	Priority Priority
	About    string // id of what the job is about, such as a submission, or ""
	Owner    string // id of who waits for it, or ""
	Attempt  int    // counted from 1: which try this is; 0 before the first
	Deaths   int    // how many tries neither succeeded nor failed nor were interrupted
}

// New makes a job with a payload that is marshalled to JSON.
func New(id ID, kind Kind, payload any) (Job, error) {
	raw, err := json.Marshal(payload)
	return Job{ID: id, Kind: kind, Payload: raw}, err
}

// NewBackground makes a job that nobody waits for.
func NewBackground(id ID, kind Kind, p Priority, payload any) (Job, error) {
	j, err := New(id, kind, payload)
	j.Priority = p
	return j, err
}

// Handler does one kind of job. It may run twice for the same job: it marks the
// job done in the transaction of its result, and when the mark changes nothing
// it leaves the result as it is. An error means "later again".
type Handler func(ctx context.Context, j Job) error

// Outbox is what Runner, the relay and the queue's server need of storage. The rows are written by
// the domain stores, in the transaction that causes the work.
//
// A try is counted when it begins, so that a job that takes its process down with it is counted too.
type Outbox interface {
	// Claim takes up to limit due jobs of at most the priority number and hides them for the
	// visibility time, so that no other claimer takes them meanwhile. No try begins.
	Claim(ctx context.Context, most Priority, limit int, visibility time.Duration) ([]Job, error)
	// Start is Claim that begins a try of each job at once.
	Start(ctx context.Context, most Priority, limit int, visibility time.Duration) ([]Job, error)
	// Begin begins a try of a claimed job; false means that the job is done or parked.
	Begin(ctx context.Context, id ID) (j Job, live bool, err error)
	// Return makes a job that was begun due at a time, or at once when that is zero: it was interrupted or stepped
	// aside, and that was no try.
	Return(ctx context.Context, id ID, at time.Time) error
	// Retry makes a job that was begun due again at a time and remembers the cause.
	Retry(ctx context.Context, id ID, at time.Time, cause string) error
	// Park takes a job out of the running until an operator retries it.
	Park(ctx context.Context, id ID, cause string) error
}
